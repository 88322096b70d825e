"""The JSON schema of scenario files, with which editors complete keys and mark faults while one types."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from community_routes.scenarios.cost import Cost
from community_routes.scenarios.list import CHANGES
from community_routes.scenarios.values import NAME_SCHEMA
from community_routes.sources.study.fares import Fares

_REF = "#/$defs/{model}"


def scenario_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a scenario file: its keys, every change with its fields, the rates of cost.

    It says which keys there are and what kind of value each takes; what depends on the study (names of routes and stops) is
    for ``community-routes check``.
    """
    models: list[type[BaseModel]] = [*CHANGES.values(), Cost, Fares]
    references, parts = models_json_schema(
        [(model, "validation") for model in models], by_alias=True, ref_template=_REF
    )
    refs = {model: references[model, "validation"] for model in models}
    made: dict[str, Any] = {name: _as_written(part) for name, part in parts["$defs"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "community_routes scenario file",
        "type": "object",
        "properties": {
            "scenario": {**NAME_SCHEMA, "description": "Id of the proposal: the file's name without .yaml."},
            "title": {**NAME_SCHEMA, "description": "What people call it."},
            "base": {**NAME_SCHEMA, "description": "A scenario of the same folder that is applied first (its id)."},
            "changes": {
                "description": "What is changed, in the order in which it is applied; each with a dash of its own.",
                "type": "array",
                "items": {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                    "properties": {kind: refs[model] for kind, model in CHANGES.items()},
                },
            },
            "cost": refs[Cost],
        },
        "required": ["scenario", "changes"],
        "additionalProperties": False,
        "$defs": made,
    }


def _as_written(part: Any) -> Any:
    """A name that is a number (route 7) needs no quotes in a file, so a plain text may be a number; titles only repeat keys."""
    if isinstance(part, dict):
        free = part.get("type") == "string" and not {"enum", "const", "pattern"} & part.keys()
        made = {key: _as_written(value) for key, value in part.items() if key != "title" or isinstance(value, dict)}
        return {**made, **NAME_SCHEMA} if free else made
    if isinstance(part, list):
        return [_as_written(item) for item in part]
    return part
