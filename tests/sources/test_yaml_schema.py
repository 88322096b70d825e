"""The JSON schema of study files: it lets good files pass and marks what the reader would refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from community_routes.sources.study_file import study_schema
from community_routes.sources.yaml_schema import schema_hint, schema_text

ACCEPTANCE = Path(__file__).resolve().parents[1] / "acceptance"
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


WHOLE = """\
study: town
service_date: {weekday: 2024-03-05, saturday: 2024-03-09}
streets: {osm: a.pbf, area: [-3.0770, 51.5222, -2.9251, 51.5936]}
timetables: [a.zip, b.zip]
neighbourhoods:
  file: a.geojson
  id: LSOA11CD
  population: {file: census.csv, id: code, column: 2021}
  groups: {file: c.csv, id: code, columns: {asian: a, white: [b, c]}}
destinations:
  employment: {file: e.geojson, id: osm_id, amount: area_m2}
  libraries: {osm: {amenity: [library]}, amount: 2}
travel: {windows: {peak: 07:00-09:00, evening: {time: 18:00-22:00, days: [weekday]}}, cutoffs_min: [30, 45], phase: half}
fares: {single: 3.00, return: 5.50, routes: {"7": {single: 2.00}}, concession: {share: 0.15, from: "09:30"}, budgets: [2, 5]}
standards: {stop_within_m: 400, employment_within_min: 45}
measures: [cumulative_opportunities, nearest: {n: 2}]
"""


@pytest.mark.parametrize("name", ["newport", "blackburn"])
def test_the_real_studies_fit(name: str) -> None:
    schema = study_schema()
    text = (ACCEPTANCE / name / "study.yaml").read_text(encoding="utf-8")
    assert fits(as_an_editor_reads(text), schema, schema)


def test_a_study_with_every_part_fits() -> None:
    schema = study_schema()
    assert fits(as_an_editor_reads(WHOLE), schema, schema)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("timetables:", "timetabels:"),
        ("study: town\n", ""),
        ("07:00-09:00", "seven"),
        ("phase: half", "phase: hlaf"),
        ("single: 3.00", "single: -3"),
        ("cutoffs_min: [30, 45]", "cutoffs_min: [thirty]"),
        ("employment_within_min: 45", "employment_within_min: 0"),
        ("stop_within_m: 400", "stop_within_metres: 400"),
        ("area: [-3.0770, 51.5222, -2.9251, 51.5936]", "area: [-3.0770, 51.5222]"),
        ("share: 0.15", "share: 15"),
    ],
)
def test_what_the_reader_would_refuse_is_marked(old: str, new: str) -> None:
    schema = study_schema()
    assert old in WHOLE
    assert not fits(as_an_editor_reads(WHOLE.replace(old, new)), schema, schema)


def test_the_text_is_the_same_each_time_and_the_hint_names_it() -> None:
    assert schema_text(study_schema()) == schema_text(study_schema())
    assert json.loads(schema_text(study_schema())) == study_schema()
    assert schema_hint() == "# yaml-language-server: $schema=study.schema.json"
