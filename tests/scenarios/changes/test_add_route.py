"""New routes on real roads, along drawn lines, and timed to meet others."""

from __future__ import annotations

import json

import numpy as np
import pytest

from community_routes.base.errors import ScenarioError
from community_routes.network.streets.roads import build_roads
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario, read_scenario
from community_routes.sources.gtfs.feed import Feed
from drawn_streets import Drawn, at
from scenarios.hand_feed import TUESDAY, WEEK, make_feed, runs_on

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 1, 1), ("H", "Hospital", 0, 2)]


def town() -> Feed:
    """The 6A comes in at the hospital at 10, 40 past and so on; the 7 goes from A to B."""
    trips = [
        ("6A", "wk", 0, f"B {hour:02}:{minute:02} H {hour:02}:{minute + 10:02}")
        for hour in (8, 9)
        for minute in (0, 30)
    ]
    return make_feed(STOPS, [*trips, ("7", "wk", 0, "A 08:00 B 08:10")])


def apply(*changes: object, roads: object = None) -> Applied:
    return apply_scenario(Scenario(scenario="plan", changes=changes), Setting(town(), WEEK, roads))


def corner_road() -> object:
    """One road from A east 1 km, then north 1 km to B; a one-way street leads back straight."""
    drawn = Drawn().add_way(1, [(0, 0), (1000, 0), (1000, 1000)], highway="primary", oneway="yes")
    drawn.add_way(2, [(1000, 1000), (0, 0)], highway="primary", oneway="yes")
    return build_roads(drawn.street_map())


def test_run_times_follow_the_road_in_each_direction():
    """Out 2,000 m at 20 km/h: 6 min. Back along the diagonal 1,414 m: 254.6 s, 04:15. The course is drawn along the corner."""
    route = {"name": "X", "stops": ["A", "B"], "speed_kmh": 20, "departures": ["07:00"]}
    done = apply({"add_route": route}, roads=corner_road())
    assert runs_on(done.feed, "plan:X", TUESDAY) == ["A 07:00 B 07:06", "B 07:00 A 07:04:15"]
    shapes = done.feed.shapes
    assert shapes.shape_id.tolist() == ["plan:X:0", "plan:X:1"]
    corner = at(1000, 0)
    away = np.hypot(shapes.lon[: shapes.first[1]] - corner[0], shapes.lat[: shapes.first[1]] - corner[1])
    assert away.min() < 1e-9


def test_unusual_speeds_are_a_warning():
    """2,000 m in a minute are 120 km/h; back 1,414 m are 85 km/h: one notice for each direction."""
    route = {"name": "X", "stops": ["A", "B"], "run_times_min": [1], "departures": ["07:00"]}
    done = apply({"add_route": route}, roads=corner_road())
    assert [notice.code for notice in done.notices] == ["odd_speed", "odd_speed"]
    assert "Alder Street (A) to Birch Road (B): 2,000 m in 1.0 min is 120 km/h" in done.notices[0].message


def test_phase_meets_another_route():
    """The 6A is in at :10 and :40 of each hour; 5 min later is :15 and :45. From A the hospital is 9 min: leave at :06, :36."""
    route = {
        "name": "X", "stops": ["A", "H"], "run_times_min": [9], "both_ways": False,
        "service": {"weekday": {"08:00-10:00": 30}}, "phase": {"meet": "6A at Hospital", "wait_min": 5},
    }  # fmt: skip
    starts = [text[:7] for text in runs_on(apply({"add_route": route}).feed, "plan:X", TUESDAY)]
    assert starts == ["A 08:06", "A 08:36", "A 09:06", "A 09:36"]


@pytest.mark.parametrize(
    ("meet", "message"),
    [
        ("6A at Alder Street", "route 6A does not come in at Alder Street in the period"),
        ("6B at Hospital", "there is no route '6B' in the timetable; did you mean '6A'"),
        ("6A at Hospitel", "no stop or destination is called 'Hospitel'; did you mean 'Hospital'"),
        ("6A at Birch Road", "the route does not call at Birch Road"),
    ],
)
def test_meetings_that_cannot_be(meet, message):
    route = {
        "name": "X", "stops": ["A", "H"], "run_times_min": [9],
        "service": {"weekday": {"08:00-10:00": 30}}, "phase": {"meet": meet},
    }  # fmt: skip
    with pytest.raises(ScenarioError, match=message):
        apply({"add_route": route})


def test_stops_along_a_drawn_line(tmp_path):
    """A line of 3,000 m from A past B at (1,000, 1,000): every 500 m makes 7 places; A and B are there, five stops are new."""
    line = {"type": "LineString", "coordinates": [list(at(x, y)) for x, y in [(0, 0), (1000, 0), (1000, 2000)]]}
    (tmp_path / "x.geojson").write_text(json.dumps(line), encoding="utf-8")
    text = """\
scenario: plan
changes:
  - add_route: {name: X, line: {file: x.geojson, stop_every_m: 500}, speed_kmh: 18, departures: ["07:00"]}
"""
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    done = apply_scenario(read_scenario(tmp_path / "plan.yaml"), Setting(town(), WEEK))
    first = next(run for run in runs_on(done.feed, "plan:X", TUESDAY) if run.startswith("A"))
    stops = first.split()[::2]
    assert len(stops) == 7
    assert (stops[0], stops[4]) == ("A", "B")
    assert len(done.feed.stops) - len(town().stops) == 5


def test_agency_and_mode_of_a_new_route():
    route = {
        "name": "X",
        "stops": ["A", "B"],
        "run_times_min": [9],
        "departures": ["07:00"],
        "mode": "tram",
        "agency": "a",
    }
    done = apply({"add_route": route})
    assert done.feed.routes.iloc[-1][["agency", "route_type"]].tolist() == [0, 0]
    with pytest.raises(ScenarioError, match="there is no agency 'Q'; there are A"):
        apply({"add_route": {**route, "agency": "Q"}})
