"""The JSON schema of scenario files: it lets good files pass and marks what the reader would refuse."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from community_routes.scenarios.list import CHANGES
from community_routes.scenarios.schema import scenario_schema
from community_routes.sources.study.yaml import SCENARIO_SCHEMA_NAME, schema_hint
from schema_fits import as_an_editor_reads, fits, keys_of

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = sorted((ROOT / "scenarios").glob("*.yaml"))
DOCUMENTED = [
    text
    for text in re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "proposals.md").read_text("utf-8"), re.M | re.S)
    if text.startswith("scenario:")
]
SCHEMA = scenario_schema()


@pytest.mark.parametrize("path", SAMPLE, ids=lambda path: path.stem)
def test_the_samples_proposals_fit_the_schema_beside_them(path: Path) -> None:
    """Each names the schema in its first line, and fits it; the schema knows every key that the program knows."""
    text = path.read_text("utf-8")
    assert text.startswith(schema_hint(SCENARIO_SCHEMA_NAME) + "\n")
    kept = json.loads((path.parent / SCENARIO_SCHEMA_NAME).read_text("utf-8"))
    assert fits(as_an_editor_reads(text), kept, kept)
    said = f"run: community-routes schema scenario --out scenarios/{SCENARIO_SCHEMA_NAME}"
    assert keys_of(kept) == keys_of(SCHEMA), said


@pytest.mark.parametrize("text", DOCUMENTED, ids=[text.split()[1] for text in DOCUMENTED])
def test_the_documented_proposals_fit(text: str) -> None:
    """Every example of the page on proposals, which between them hold every change."""
    assert fits(as_an_editor_reads(text), SCHEMA, SCHEMA)


def test_every_change_has_its_part() -> None:
    """The keys of an entry of `changes` are the kinds of change."""
    assert SCHEMA["properties"]["changes"]["items"]["properties"].keys() == CHANGES.keys()


def plan(change: str) -> str:
    """A scenario of one change."""
    return f"scenario: plan\nchanges:\n  - {change}\n"


@pytest.mark.parametrize(
    "change",
    [
        "withdraw_route: {route: 7}",
        "withdraw_route: {route: {route: 7, agency: X}}",
        "withdraw_route: {route: 7, days: weekday, from: 19:00, to: 25:30}",
        "set_headway: {route: 7, weekday: {07:00-09:00: 7.5}, direction: 0}",
        "set_headway: {route: 7, service: {schooldays: {07:00-09:00: 10}}}",
        "change_speed: {route: 7, factor: 1.2, between: [A, {at: [-3.7, 53.8], name: B}]}",
        "add_route: {name: X, stops: [A, B], speed_kmh: {07:00-09:00: 12, 09:00-24:00: 20}, departures: ['05:45']}",
        "add_route: {name: X, stops: [A, B], run_times_min: [6], service: {sunday: {departures: ['09:05', '10:05']}}}",
        "add_path: {name: X, line: [[-3.7, 53.8], [-3.71, 53.8]]}",
        "change_fare: {cap_single: 2.00, routes: {'7': {single: 1.50}}}",
    ],
)
def test_ways_of_writing_that_the_reader_takes_fit(change: str, tmp_path: Path) -> None:
    """Both the reader and the schema take them."""
    from community_routes.scenarios.file import read_scenario

    path = tmp_path / "plan.yaml"
    path.write_text(plan(change), encoding="utf-8")
    read_scenario(path)
    assert fits(as_an_editor_reads(plan(change)), SCHEMA, SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        "withdraw_routes: {route: 7}",
        "withdraw_route: {}",
        "withdraw_route: {route: 7, form: 19:00}",
        "withdraw_route: {route: 7}\n    close_path: {osm_way: 1}",
        "withdraw_route: {route: 7, from: evening}",
        "set_headway: {route: 7, weekday: {seven-nine: 10}}",
        "set_headway: {route: 7, weekday: {07:00-09:00: 0.5}}",
        "set_headway: {route: 7, weekday: {07:00-09:00: often}}",
        "set_headway: {route: 7, weekday: {07:00-09:00: 10}, direction: 2}",
        "change_fare: {singel: 2.00}",
        "change_fare: {single: -2.00}",
        "add_homes: {name: X, at: [-3.7], homes: 5, like: A}",
        "add_jobs: {name: X, at: [-3.7, 53.8], jobs: 0}",
        "add_path: {name: X, line: [[-3.7, 53.8], [-3.71]]}",
        "add_drt: {name: X, zone: z.geojson, hours: all day, wait_min: 10}",
        "remove_stops: {route: 7, stops: []}",
    ],
)
def test_what_the_reader_would_refuse_is_marked(change: str, tmp_path: Path) -> None:
    """The schema marks it, and so does the reader, when it is read or applied."""
    assert not fits(as_an_editor_reads(plan(change)), SCHEMA, SCHEMA)


def test_other_keys_at_the_top_and_missing_ones_are_marked() -> None:
    """A misspelt key, and a file without an id."""
    good = plan("withdraw_route: {route: 7}")
    assert fits(as_an_editor_reads(good), SCHEMA, SCHEMA)
    assert not fits(as_an_editor_reads(good.replace("changes", "changs")), SCHEMA, SCHEMA)
    assert not fits(as_an_editor_reads(good.replace("scenario: plan\n", "title: Plan\n")), SCHEMA, SCHEMA)
    assert not fits(as_an_editor_reads(good + "cost: {per_hour: 48}\n"), SCHEMA, SCHEMA)
