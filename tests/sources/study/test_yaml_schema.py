"""The JSON schema of study files: it lets good files pass and marks what the reader would refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from community_routes.sources.study.file import study_schema
from community_routes.sources.study.yaml import schema_hint, schema_text
from schema_fits import as_an_editor_reads, fits, keys_of

ACCEPTANCE = Path(__file__).resolve().parents[2] / "acceptance"
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


def test_the_samples_study_fits_the_schema_beside_it() -> None:
    """The study names the schema in its first line, and fits it; the schema knows every key that the program knows."""
    data = Path(__file__).resolve().parents[3] / "data"
    text = (data / "study.yaml").read_text(encoding="utf-8")
    assert text.startswith(schema_hint() + "\n")
    kept = json.loads((data / "study.schema.json").read_text(encoding="utf-8"))
    assert fits(as_an_editor_reads(text), kept, kept)
    assert keys_of(kept) == keys_of(study_schema()), "run: community-routes schema study --out data/study.schema.json"


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


def test_the_schema_beside_the_sample_is_that_of_the_program() -> None:
    """`data/study.schema.json` is what `community-routes schema` writes today."""
    kept = Path(__file__).resolve().parents[3] / "data" / "study.schema.json"
    assert kept.read_text(encoding="utf-8") == schema_text(study_schema())
