"""Conveyal scenario JSON as scenarios: what each modification does to a timetable, and what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from community_routes.errors import ScenarioError
from community_routes.notices import Notice
from community_routes.scenarios.changes_apply import Applied, apply_scenario
from community_routes.scenarios.changes_work import Setting
from community_routes.scenarios.conveyal import read_conveyal
from community_routes.scenarios.scenario import read_scenario
from community_routes.sources.feed import Feed
from scenarios.hand_feed import SUNDAY, TUESDAY, WEEK, make_feed, runs_on

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 1, 0), ("C", "Cedar Way", 2, 0), ("D", "Dale Lane", 2, 1)]
ON_WEEKDAYS = dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), True)


def town() -> Feed:
    trips = [("7", "wk", 0, f"A {hour:02}:00 B {hour:02}:05/{hour:02}:06 C {hour:02}:12") for hour in (6, 7, 8, 9)]
    trips += [("7", "wk", 1, f"C {hour:02}:30 B {hour:02}:36 A {hour:02}:42") for hour in (6, 7, 8, 9)]
    return make_feed(STOPS, trips)


def read(folder: Path, *modifications: dict[str, Any], notices: list[Notice] | None = None) -> Any:
    path = folder / "plan.json"
    path.write_text(json.dumps({"id": "x", "modifications": list(modifications)}), encoding="utf-8")
    return read_conveyal(path, town(), notices=notices)


def apply(folder: Path, *modifications: dict[str, Any]) -> Applied:
    return apply_scenario(read(folder, *modifications), Setting(town(), WEEK))


def test_add_trips(tmp_path):
    """Two hops of 300 and 240 s with 20 s between; every 30 min 07:00-08:00 on weekdays, 10:00 on Sundays; both ways."""
    stops = [{"id": "feed:A"}, {"id": "B"}, {"lat": 0.01, "lon": 0.02, "name": "New"}]
    times = {"hopTimes": [300, 240], "dwellTimes": [0, 20, 0]}
    entries = [
        {**times, **ON_WEEKDAYS, "startTime": 25200, "endTime": 28800, "headwaySecs": 1800},
        {**times, "sunday": True, "firstDepartures": [36000]},
    ]
    done = apply(tmp_path, {"type": "add-trips", "comment": "X1", "stops": stops, "frequencies": entries})
    runs = runs_on(done.feed, "plan:X1", TUESDAY)
    assert len(runs) == 4
    assert runs[0] == "A 07:00 B 07:05/07:05:20 plan:1 07:09:20"
    assert len(runs_on(done.feed, "plan:X1", SUNDAY)) == 2


def test_remove_trips_of_a_route(tmp_path):
    assert runs_on(apply(tmp_path, {"type": "remove-trips", "routes": ["7"]}).feed, "7", TUESDAY) == []


def test_adjust_frequency_retaining_the_rest(tmp_path):
    """Outbound every 20 min 07:00-09:00: six trips instead of two; 06:00 and 09:00 and the way back stay."""
    entry = {**ON_WEEKDAYS, "sourceTrip": "t0", "startTime": 25200, "endTime": 32400, "headwaySecs": 1200}
    item = {"type": "adjust-frequency", "route": "7", "entries": [entry], "retainTripsOutsideFrequencyEntries": True}
    starts = [text[:7] for text in runs_on(apply(tmp_path, item).feed, "7", TUESDAY)]
    assert [text for text in starts if text[0] == "A"] == [
        "A 06:00", "A 07:00", "A 07:20", "A 07:40", "A 08:00", "A 08:20", "A 08:40", "A 09:00",
    ]  # fmt: skip
    assert sum(text[0] == "C" for text in starts) == 4


def test_adjust_frequency_withdraws_what_runs_outside(tmp_path):
    """Both directions every 20 min 07:00-09:00 and nothing else: 6 + 6 trips."""
    entries = [
        {**ON_WEEKDAYS, "sourceTrip": trip, "startTime": 25200, "endTime": 32400, "headwaySecs": 1200}
        for trip in ("t0", "t4")
    ]
    runs = runs_on(apply(tmp_path, {"type": "adjust-frequency", "route": "7", "entries": entries}).feed, "7", TUESDAY)
    assert len(runs) == 12
    assert {text[:4] for text in runs} == {"A 07", "A 08", "C 07", "C 08"}


def test_adjust_speed_of_a_hop_in_its_direction(tmp_path):
    """Twice the speed from B to C: 6 min become 3; C to B stays 6."""
    runs = runs_on(
        apply(tmp_path, {"type": "adjust-speed", "routes": ["7"], "scale": 2, "hops": [["B", "C"]]}).feed, "7", TUESDAY
    )
    assert runs[0] == "A 06:00 B 06:05/06:06 C 06:09"
    assert runs[1] == "C 06:30 B 06:36 A 06:42"


def test_adjust_dwell_time(tmp_path):
    """Two minutes at B instead of one (out) and none (back)."""
    item = {"type": "adjust-dwell-time", "routes": ["7"], "stops": ["B"], "dwellSecs": 120}
    runs = runs_on(apply(tmp_path, item).feed, "7", TUESDAY)
    assert runs[0] == "A 06:00 B 06:05/06:07 C 06:13"
    assert runs[1] == "C 06:30 B 06:36/06:38 A 06:44"


def test_remove_stops(tmp_path):
    item = {"type": "remove-stops", "routes": ["7"], "stops": ["B"], "secondsSavedAtEachStop": 60}
    assert runs_on(apply(tmp_path, item).feed, "7", TUESDAY)[0] == "A 06:00 C 06:11"


def test_reroute(tmp_path):
    """From B by D to C in 4 and 5 min with 30 s at D; only in the direction B to C."""
    item = {
        "type": "reroute", "routes": ["7"], "fromStop": "B", "toStop": "C", "stops": [{"id": "D"}],
        "hopTimes": [240, 300], "dwellTimes": [0, 30, 0],
    }  # fmt: skip
    runs = runs_on(apply(tmp_path, item).feed, "7", TUESDAY)
    assert runs[0] == "A 06:00 B 06:05/06:06 D 06:10/06:10:30 C 06:15:30"
    assert runs[1] == "C 06:30 B 06:36 A 06:42"


def test_it_can_be_written_as_yaml(tmp_path):
    scenario = read(tmp_path, {"type": "remove-trips", "routes": ["7"]})
    (tmp_path / "plan.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    assert read_scenario(tmp_path / "plan.yaml").changes == scenario.changes


def test_what_cannot_be_read_is_said_all_at_once(tmp_path):
    found: list[Notice] = []
    with pytest.raises(ScenarioError):
        read(
            tmp_path,
            {"type": "custom", "x": 1},
            {"type": "remove-trips", "patterns": ["t0"]},
            {"type": "remove-trips", "routes": ["99"]},
            {"type": "add-trips", "stops": [{"id": "A"}]},
            {"type": "adjust-speed", "routes": ["7"], "scale": 0},
            notices=found,
        )
    assert [notice.field for notice in found] == [
        "modifications[1].type",
        "modifications[2].patterns",
        "modifications[3]",
        "modifications[4]",
        "modifications[5]",
    ]
    assert "names single patterns; only whole routes can be changed" in found[1].message


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"modifications": 3}', "{" * 5000])
def test_files_that_are_no_scenario(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"plan\.json"):
        read_conveyal(path, town())
