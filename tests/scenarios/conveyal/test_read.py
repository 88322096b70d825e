"""Conveyal scenario JSON as scenarios: what each modification does to a timetable, and what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice
from community_routes.cli import run_command
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.conveyal.read import conveyal_as_yaml, read_conveyal, read_modifications
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import read_scenario
from community_routes.sources.gtfs.feed import Feed
from scenarios.hand_feed import KM_LAT, SUNDAY, TUESDAY, WEEK, make_feed, runs_on
from small_town import town_study

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


def test_add_stops_is_the_older_name_of_reroute(tmp_path):
    """A standing time for each new stop only, as that one has it."""
    item = {
        "type": "add-stops", "routes": ["x:7"], "fromStop": "x:C", "toStop": "x:B", "stops": [{"id": "x:D"}],
        "hopTimes": [240, 300], "dwellTimes": [30],
    }  # fmt: skip
    runs = runs_on(apply(tmp_path, item).feed, "7", TUESDAY)
    assert runs[0] == "A 06:00 B 06:05/06:06 C 06:12"
    assert runs[1] == "C 06:30 D 06:34/06:34:30 B 06:39:30 A 06:45:30"


def test_adjust_speed_with_standing_times(tmp_path):
    """Half the speed: 5 min become 10, 1 min at B becomes 2, 6 min become 12; the way back has no standing times."""
    item = {"type": "adjust-speed", "routes": ["7"], "scale": 0.5, "scaleDwells": True}
    runs = runs_on(apply(tmp_path, item).feed, "7", TUESDAY)
    assert runs[0] == "A 06:00 B 06:10/06:12 C 06:24"
    assert runs[1] == "C 06:30 B 06:42 A 06:54"


def test_patterns_that_make_up_the_whole_route(tmp_path):
    """t0 goes out and t4 comes back, and there is no other pattern: the route is withdrawn."""
    item = {"type": "remove-trips", "patterns": ["f:t0", "f:t4"]}
    assert runs_on(apply(tmp_path, item).feed, "7", TUESDAY) == []


def test_departures_evenly_spaced_are_a_headway(tmp_path):
    """07:00, 07:20, 07:40: until 08:00 every 20 minutes, so 4 - 1 + 3 departures outbound."""
    entry = {**ON_WEEKDAYS, "sourceTrip": "t0", "firstDepartures": [25200, 26400, 27600]}
    item = {"type": "adjust-frequency", "route": "7", "entries": [entry], "retainTripsOutsideFrequencyEntries": True}
    starts = [text[:7] for text in runs_on(apply(tmp_path, item).feed, "7", TUESDAY) if text[0] == "A"]
    assert starts == ["A 06:00", "A 07:00", "A 07:20", "A 07:40", "A 08:00", "A 09:00"]
    item["entries"] = [{**entry, "firstDepartures": [25200, 26400, 27000]}]
    with pytest.raises(ScenarioError, match="unless they are evenly spaced"):
        read(tmp_path, item)


def at(east: float, north: float) -> list[float]:
    """Kilometres as longitude and latitude at the equator."""
    return [east * KM_LAT, north * KM_LAT]


def segment(*points: list[float], **more: Any) -> dict[str, Any]:
    """A drawn segment with a stop at its end."""
    return {"geometry": {"type": "LineString", "coordinates": list(points)}, "stopAtEnd": True, **more}


def test_a_drawn_route(tmp_path):
    """From A 2 km east at 20 km/h with a stop every 900 m, then 1 km north to D at 30 km/h.

    Stops at 0, 900, then 1,800 is within a quarter of 900 m of the segment's end at 2,000 and is left out; C at 2,000; D at
    3,000. Hops of 162, 198 and 120 s; 10 s at stops, but 40 at C.
    """
    item = {
        "type": "add-trip-pattern", "name": "Drawn", "bidirectional": False, "transitMode": 3,
        "segments": [
            segment(at(0, 0), at(2, 0), stopAtStart=True, fromStopId="f:A", toStopId="f:C", spacing=900),
            segment(at(2, 0), at(2, 1), toStopId="f:D", spacing=0),
        ],
        "timetables": [{
            **ON_WEEKDAYS, "startTime": 25200, "endTime": 28800, "headwaySecs": 1800, "exactTimes": True,
            "segmentSpeeds": [20, 30], "dwellTime": 10, "dwellTimes": [None, 10, None],
        }],
    }  # fmt: skip
    runs = runs_on(apply(tmp_path, item).feed, "plan:Drawn", TUESDAY)
    assert [text[:7] for text in runs] == ["A 07:00", "A 07:30", "A 08:00"], "exact times have a bus at the end as well"
    assert runs[0] == "A 07:00 plan:1 07:02:42/07:02:52 C 07:06:10/07:06:20 D 07:08:20"


def test_a_drawn_reroute(tmp_path):
    """From B by D to C: 1.414 km and 1 km at 20 km/h are 255 and 180 s, with 20 s at D."""
    item = {
        "type": "reroute", "feed": "f", "routes": ["7"], "trips": None, "fromStop": "B", "toStop": "C", "dwellTime": 20,
        "segments": [segment(at(1, 0), at(2, 1), stopAtStart=True, toStopId="D"), segment(at(2, 1), at(2, 0))],
        "segmentSpeeds": [20, 20],
    }  # fmt: skip
    runs = runs_on(apply(tmp_path, item).feed, "7", TUESDAY)
    assert runs[0] == "A 06:00 B 06:05/06:06 D 06:10:15/06:10:35 C 06:13:35"


def test_the_other_names_of_the_drawing_page(tmp_path):
    """``convert-to-frequency`` names routes and feed apart; a standing time is a value that is a factor or seconds."""
    entry = {**ON_WEEKDAYS, "sourceTrip": "t0", "startTime": 25200, "endTime": 28800, "headwaySecs": 1800}
    kept = {"retainTripsOutsideFrequencyEntries": True}
    done = apply(tmp_path, {"type": "convert-to-frequency", "feed": "f", "routes": ["7"], "entries": [entry], **kept})
    assert sum(text.startswith("A 07") for text in runs_on(done.feed, "7", TUESDAY)) == 2
    for value, scale, at_b in ((3, True, "06:05/06:08"), (30, False, "06:05/06:05:30")):
        item = {"type": "adjust-dwell-time", "feed": "f", "routes": ["7"], "value": value, "scale": scale}
        assert runs_on(apply(tmp_path, item).feed, "7", TUESDAY)[0].startswith(f"A 06:00 B {at_b}")


def test_it_can_be_written_as_yaml(tmp_path):
    scenario = read(tmp_path, {"type": "remove-trips", "routes": ["7"]})
    (tmp_path / "plan.yaml").write_text(scenario.to_yaml(), encoding="utf-8")
    assert read_scenario(tmp_path / "plan.yaml").changes == scenario.changes


def test_the_yaml_says_where_each_change_comes_from_and_what_is_not_in_it(tmp_path):
    """A name with a line break stays in its comment, and the file reads back to the same changes."""
    found: list[Notice] = []
    items = [
        {"type": "custom", "name": "Ours"},
        {"type": "remove-trips", "name": "No 7\nany more: [", "routes": ["7"]},
    ]
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"modifications": items}), encoding="utf-8")
    scenario = read_conveyal(path, town(), notices=found, partly=True)
    text = conveyal_as_yaml(scenario, read_modifications(path), found)
    assert text == (
        "# Read from plan.json (Conveyal Analysis): 2 modifications, 1 changes.\n"
        "#\n"
        "# Not carried over:\n"
        "#   modifications[1].type: modifications of the type 'custom' cannot be read; "
        "nobody but its author knows what it means\n"
        "\n"
        "scenario: plan\n"
        "title: plan\n"
        "changes:\n"
        "  # modifications[2], remove-trips: No 7 any more: [\n"
        "  - withdraw_route:\n"
        '      route: "7"\n'
    )
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    assert read_scenario(tmp_path / "plan.yaml").changes == scenario.changes


def test_a_fault_in_the_study_is_located_in_the_modification(tmp_path):
    """Every hour from 07:00 to 08:00 is what it runs already: the change would change nothing."""
    entry = {**ON_WEEKDAYS, "sourceTrip": "t0", "startTime": 25200, "endTime": 28800, "headwaySecs": 3600}
    item = {"type": "adjust-frequency", "route": "7", "entries": [entry], "retainTripsOutsideFrequencyEntries": True}
    with pytest.raises(
        ScenarioError, match=r"plan\.json \(modifications\[2\]\.set_headway\): route 7 runs exactly so already"
    ):
        apply(tmp_path, {"type": "remove-stops", "routes": ["7"], "stops": ["B"]}, item)


def test_what_cannot_be_read_is_said_all_at_once(tmp_path):
    found: list[Notice] = []
    with pytest.raises(ScenarioError):
        read(
            tmp_path,
            {"type": "pickup-delay", "x": 1},
            {"type": "remove-trips", "patterns": ["t0"]},
            {"type": "remove-trips", "routes": ["99"]},
            {"type": "add-trips", "stops": [{"id": "A"}]},
            {"type": "adjust-speed", "routes": ["7"], "scale": 0},
            {"type": "reroute", "routes": ["7"], "fromStop": "A", "stops": [], "hopTimes": []},
            {"type": "add-trip-pattern", "segments": [], "timetables": []},
            {"type": "teleport"},
            notices=found,
        )
    assert [(notice.field, notice.message) for notice in found] == [
        (
            "modifications[1].type",
            "modifications of the type 'pickup-delay' cannot be read; a service on demand is add_drt, with its zone, wait and "
            "vehicles",
        ),
        ("modifications[2].patterns", "names single patterns; only whole routes can be changed, name routes instead"),
        ("modifications[3]", "there is no route_id '99' in the timetable"),
        (
            "modifications[4]",
            "add-trips: there is no 'frequencies'; a field is missing or of another kind than expected",
        ),
        ("modifications[5]", "adjust-speed: 0.0 is outside 0.1 to 10; write a factor of the speed, 0.1 to 10"),
        (
            "modifications[6].fromStop",
            "a reroute without fromStop or toStop cuts the route; use extend_route or remove_stops",
        ),
        ("modifications[7].segments", "its segments have fewer than two stops"),
        (
            "modifications[8].type",
            "modifications of the type 'teleport' cannot be read; add-trips, add-trip-pattern, remove-trips, reroute, "
            "add-stops, adjust-frequency, convert-to-frequency, adjust-speed, adjust-dwell-time, remove-stops can",
        ),
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "adjust-speed", "routes": ["7"], "scale": 0, "scaleDwells": True},
        {"type": "adjust-speed", "routes": ["7"], "scale": float("inf")},
        {"type": "adjust-dwell-time", "routes": ["7"], "dwellSecs": float("inf")},
        {"type": "remove-stops", "routes": ["7"], "stops": [], "secondsSavedAtEachStop": float("-inf")},
        {"type": "add-trips", "stops": [], "frequencies": [{"hopTimes": [1e999], "dwellTimes": [0, 0]}]},
        {"type": "add-trip-pattern", "segments": [{"geometry": {"coordinates": [[10**400, 0], [1, 1]]}}]},
    ],
)
def test_numbers_beyond_all_bounds_are_faults_of_their_modification(tmp_path, item):
    """Infinite, beyond a float, or divided by: each is told with the file and the number of its modification."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"modifications": [item]}), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"plan\.json \(modifications\[1\]"):
        read_conveyal(path, town())


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", '{"modifications": 3}', "{" * 5000, '{"modifications": [' + "9" * 5000 + "]}"]
)
def test_files_that_are_no_scenario(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"plan\.json"):
        read_conveyal(path, town())


@pytest.mark.parametrize(
    ("value", "words"),
    [("9" * 5000, "holds a number of thousands of digits"), ("[" * 20000 + "]" * 20000, "is nested too deep")],
)
def test_numbers_and_lists_without_end_are_a_message(tmp_path, value, words):
    """Wherever they stand in the file."""
    path = tmp_path / "plan.json"
    text = f'{{"modifications": [{{"type": "adjust-speed", "routes": ["L1"], "scale": {value}}}]}}'
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=rf"plan\.json: {words}"):
        read_conveyal(path, town())


def test_the_commands_take_it(tmp_path, capsys):
    """In the town of seven places L1 goes; what the JSON says and what the YAML made of it says are one and the same."""
    study = town_study(tmp_path / "town")
    path = tmp_path / "plan.json"
    items = [{"type": "remove-trips", "routes": ["bus:L1"]}, {"type": "road-congestion"}]
    path.write_text(json.dumps({"modifications": items}), encoding="utf-8")
    asked = [str(study), str(path), "--cache", "none"]
    assert run_command(["diff", *asked]) == 1
    assert "modifications[2].type" in capsys.readouterr().err
    assert run_command(["import-conveyal", *asked, "--out", str(tmp_path / "plan-two.yaml")]) == 3
    out = capsys.readouterr()
    assert "1 change, 1 modification not carried over; next: community-routes check" in out.out
    assert "change_speed slows buses down" in out.err
    assert run_command(["import-conveyal", *asked, "--out", str(tmp_path / "plan-two.yaml")]) == 2, (
        "it is there already"
    )
    path.write_text(json.dumps({"modifications": items[:1]}), encoding="utf-8")
    assert run_command(["check", *asked]) == 0
    capsys.readouterr()
    said = []
    for file in (path, tmp_path / "plan-two.yaml"):
        assert run_command(["diff", str(study), str(file), "--cache", "none"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] and "L1" in said[0]
    assert run_command(["export-gtfs", str(study), str(path), str(tmp_path / "plan.zip"), "--cache", "none"]) == 0
    out_folder = tmp_path / "out"
    assert run_command(["run", *asked, "--out", str(out_folder), "--no-maps", "--quiet"]) == 0
    inputs = json.loads((out_folder / "run.json").read_text(encoding="utf-8"))["inputs"]
    assert "plan.json" in {item["name"] for item in inputs}
    assert run_command(["sweep", *asked, "--out", str(out_folder), "--speeds", "5", "--quiet"]) == 0
