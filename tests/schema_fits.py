"""A small validator of JSON schemas, for the words that ours use, after the specification of draft 2020-12."""

from __future__ import annotations

import json
import re
from typing import Any

from ruamel.yaml import YAML

KINDS: dict[str, Any] = {
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def fits(value: Any, schema: Any, root: Any) -> bool:
    """A small validator of the words that our schemas use, after the specification of draft 2020-12."""
    if "$ref" in schema and not fits(value, root["$defs"][schema["$ref"].split("/")[-1]], root):
        return False
    if "anyOf" in schema and not any(fits(value, option, root) for option in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "type" in schema:
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(
            isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool)) for kind in wanted
        ):
            return False
    if isinstance(value, str):
        return "pattern" not in schema or re.search(schema["pattern"], value) is not None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (
            schema.get("minimum", value) <= value <= schema.get("maximum", value)
            and not ("exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"])
            and not ("exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"])
        )
    if isinstance(value, list):
        rest = schema.get("items", {})
        first = schema.get("prefixItems", [])
        return schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)) and all(
            fits(item, first[i] if i < len(first) else rest or {}, root) for i, item in enumerate(value)
        )
    if isinstance(value, dict):
        return _fits_object(value, schema, root)
    return True


def _fits_object(value: dict[str, Any], schema: Any, root: Any) -> bool:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others = schema.get("additionalProperties", True)
    if any(key not in value for key in schema.get("required", [])):
        return False
    if not schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value)):
        return False
    for key, item in value.items():
        matching = [part for pattern, part in patterns.items() if re.search(pattern, key)]
        if key in known:
            matching.append(known[key])
        if not matching and others is False:
            return False
        if not matching and isinstance(others, dict):
            matching.append(others)
        if not all(fits(item, part, root) for part in matching):
            return False
    return True


def as_an_editor_reads(text: str) -> Any:
    """Plain YAML 1.2, in which dates are text and numbers are numbers."""
    yaml = YAML(typ="safe", pure=True)
    loaded = yaml.load(text)
    return json.loads(json.dumps(loaded, default=str))


def keys_of(schema: Any) -> dict[str, list[str]]:
    """The keys of every part of a schema, which do not depend on the version of pydantic that made it."""
    parts = {"": schema, **schema["$defs"]}
    return {name: sorted(part.get("properties", {})) for name, part in parts.items()}
