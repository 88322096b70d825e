"""Faulty scenario files give messages that a planner can act on."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from community_routes.base.errors import ScenarioError
from community_routes.network.streets.roads import build_roads
from community_routes.network.streets.streets import build_streets
from community_routes.scenarios.apply import apply_scenario
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import read_scenario
from community_routes.sources.osm.street_map import StreetMap
from drawn_streets import Drawn
from scenarios.hand_feed import WEEK, make_feed
from scenarios.malformed import CASES


def city() -> StreetMap:
    """A main street of 9 km, and two streets beside each other with a wall between, joined 1 km to the north."""
    drawn = Drawn()
    drawn.add_way(1, [(k * 1000, 0) for k in range(10)], highway="primary")
    drawn.add_way(2, [(5000, 0), (5000, 2000), (5060, 2000), (5060, 1000)], highway="residential")
    return drawn.street_map()


def setting() -> Setting:
    stops = [
        ("A", "Alder Street", 0, 0),
        ("B", "Birch Road", 1, 0),
        ("C", "Cedar Way", 2, 0),
        ("D", "Dale Lane", 3, 0),
        ("F1", "High Street", 6, 0),
        ("F2", "High Street", 9, 0),
        ("W", "West Wall", 5, 1.0),
        ("E", "East Wall", 5.06, 1.0),
    ]
    trips = [("r7", "wk", 0, f"A {hour:02}:00 B {hour:02}:05 C {hour:02}:10") for hour in (7, 8, 9)]
    trips += [
        ("r5a", "wk", 0, "A 08:00 F1 08:20"),
        ("r5b", "wk", 0, "A 09:00 F2 09:30"),
        ("r9", "wk", 0, "W 08:00 E 08:09"),
    ]
    routes = [("r7", "7", "North"), ("r5a", "5", "North"), ("r5b", "5", "South"), ("r9", "9", "South")]
    street_map = city()
    return Setting(
        make_feed(stops, trips, routes=routes),
        WEEK,
        build_roads(street_map),
        build_streets(street_map),
        street_map=street_map,
    )


def message(folder: Path, text: str) -> str:
    """What reading and applying the file says."""
    (folder / "plan.yaml").write_text(text, encoding="utf-8")
    (folder / "circle.yaml").write_text("scenario: circle\nbase: plan\nchanges: []\n", encoding="utf-8")
    (folder / "evening.yaml").write_text("scenario: evening\nchanges: []\n", encoding="utf-8")
    try:
        apply_scenario(read_scenario(folder / "plan.yaml"), setting())
    except ScenarioError as fault:
        return str(fault)
    return "no fault"


@pytest.mark.parametrize(("name", "text", "expected"), CASES, ids=[case[0] for case in CASES])
def test_message_of_a_faulty_file(tmp_path, name, text, expected):
    assert message(tmp_path, text) == expected, name


GOOD = [
    "set_headway: {route: 7, weekday: {07:00-09:00: 10}}",
    "withdraw_route: {route: 9, days: [weekday, sunday], from: 07:30, to: 25:30}",
    "add_route: {name: X, stops: [A, {at: [0.018, 0.0], name: N}, D], run_times_min: [6, 4], departures: [05:45, 06:15]}",
    "extend_route: {route: 7, after: Cedar Way, stops: [Dale Lane], run_times_min: [4], trips: 07:00-09:00}",
    "reroute: {route: 7, from: A, to: C, via: [{at: [0.009, 0.0]}], speed_kmh: {07:00-09:00: 13, 09:00-24:00: 20}}",
    "change_speed: {route: 7, factor: 0.9, between: [A, B]}",
    "add_stop: {route: 7, stop: D, after: B, direction: both, dwell_s: 15}",
    "remove_stops: {route: 7, stops: [B], saves_s: 10}",
]
SCRAPS = [
    "{",
    "}",
    "[",
    "null",
    "-1",
    "1e400",
    "nan",
    ".inf",
    "true",
    '""',
    "&a",
    "*a",
    "!!int",
    "\t",
    "é",
    "0",
    "07:00",
    "A",
    "[A]",
]


def test_scribbled_files_never_end_in_a_traceback(tmp_path):
    """A hundred good changes with a value or a sign replaced: read and applied, or faults in words; some of both."""
    rng = random.Random(7)
    seen = {"fault": 0, "fine": 0}
    for number in range(100):
        text = rng.choice(GOOD)
        if number % 5:  # every fifth is left as it is
            values = [match.span() for match in re.finditer(r"(?<=[:\[ ])[^\[\]{},:\n]+", text)]
            at = rng.randrange(len(text))
            start, end = rng.choice([*values, (at, at), (at, at + 2)])
            text = text[:start] + rng.choice(SCRAPS) + text[end:]
        said = message(tmp_path, f"scenario: plan\nchanges:\n  - {text}\n")
        seen["fine" if said == "no fault" else "fault"] += 1
    assert seen["fault"] > 50
    assert seen["fine"] >= 20
