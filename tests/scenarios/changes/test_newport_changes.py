"""Every kind of change on the real timetable and streets of Newport: what it says, and that the result is a sound timetable."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from community_routes.base.errors import ScenarioError
from community_routes.network.streets.roads import build_roads
from community_routes.network.streets.streets import build_streets
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.diff import diff_feeds
from community_routes.scenarios.edit.routes import departures_on, find_route
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.gtfs.write import write_feed
from community_routes.sources.osm.read import read_streets
from conftest import shared_data

pytestmark = pytest.mark.slow

DAY = {"day": dt.date(2024, 3, 5)}
AREA = (-3.0770, 51.5222, -2.9251, 51.5936)
EIGHT_A = {"route": "8A", "agency": "OP11"}


@pytest.fixture(scope="module")
def newport() -> Setting:
    folder = shared_data("newport_wales")
    feed = read_feed([folder / "newport-20240305_bus_gtfs.zip", folder / "newport-20240305_rail_gtfs.zip"], notices=[])
    street_map = read_streets(folder / "newport-2023-06-13.osm.pbf", area=AREA)
    return Setting(feed, DAY, build_roads(street_map), build_streets(street_map), street_map=street_map)


def apply(setting: Setting, *changes: dict[str, Any]) -> Applied:
    return apply_scenario(Scenario(scenario="plan", changes=changes), setting)


def test_short_names_without_the_suffix_need_an_agency_where_two_have_them(newport):
    """8A is run by Newport Bus (8071) and Phil Anslow (8074)."""
    with pytest.raises(ScenarioError, match=r"2 routes are called '8A'.*8071 \(8A-8071, Newport Bus.*8074"):
        apply(newport, {"set_headway": {"route": "8A", "day": {"19:00-23:00": 30}}})
    row = find_route(newport.feed, "8A", "Newport Bus")
    assert newport.feed.routes["route_id"].iat[row] == "8071"


def test_evening_headway(newport):
    """Three departures of the 8A leave after 19:00 or none do; 19:00-23:00 every 30 min is 8 a direction, 16 in all."""
    done = apply(newport, {"set_headway": {**EIGHT_A, "day": {"19:00-23:00": 30}}})
    row = find_route(newport.feed, "8071")
    runs = diff_feeds(newport.feed, done.feed, DAY).routes
    assert runs["route"].tolist() == ["8071"]
    late = [
        int(done.feed.calls.departure_s[done.feed.calls.first[t]])
        for t in np.flatnonzero(done.feed.trips["route"] == row)
        if done.feed.calendar.active(DAY["day"])[done.feed.trips["service"].iat[t]]
    ]
    assert sorted(t for t in late if t >= 19 * 3600) == sorted(2 * [19 * 3600 + k * 1800 for k in range(8)])


@pytest.mark.parametrize(
    "change",
    [
        {"withdraw_route": {**EIGHT_A, "from": "18:00"}},
        {"change_speed": {**EIGHT_A, "factor": 1.2, "from": "07:00", "to": "10:00"}},
        {"extend_route": {**EIGHT_A, "after": "Ringland Centre", "stops": ["Spytty Lane"], "speed_kmh": 18}},
        {"add_route": {"name": "NX", "stops": ["Duffryn Drive", "Royal Gwent Hospital", "Market Square 20", "Spytty Lane"],
                       "speed_kmh": {"07:00-10:00": 14, "10:00-20:00": 18}, "service": {"day": {"07:00-19:00": 20}}}},
        {"remove_stops": {"route": "8071", "stops": ["Ringland Library"], "saves_s": 20}},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_changed_timetable_is_sound_and_reads_back(newport, tmp_path, change):
    """No call before the one in front of it, stops that exist, one effect in words; and the same after writing and reading."""
    if "remove_stops" in change and not (newport.feed.stops["stop_name"] == "Ringland Library").any():
        change = {"remove_stops": {**change["remove_stops"], "stops": [_middle_stop(newport)]}}
    done = apply(newport, change)
    assert len(done.effects) == 1
    calls = done.feed.calls
    assert (calls.departure_s >= calls.arrival_s).all()
    later = np.ones(len(calls), bool)
    later[calls.first[:-1][np.diff(calls.first) > 0]] = False
    assert (calls.arrival_s[1:] >= calls.departure_s[:-1])[later[1:]].all()
    assert not diff_feeds(newport.feed, done.feed, DAY).empty
    write_feed(done.feed, tmp_path / "plan.zip", date_stamp=DAY["day"])
    again = read_feed(tmp_path / "plan.zip", notices=[])
    assert diff_feeds(done.feed, again, DAY).empty


def _middle_stop(setting: Setting) -> str:
    """A stop halfway along the first trip of the 8A."""
    feed = setting.feed
    trip = int(np.flatnonzero(feed.trips["route"] == find_route(feed, "8071"))[0])
    stops = feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]
    return str(feed.stops["stop_id"].iat[int(stops[len(stops) // 2])])


def test_other_routes_stay_as_they_are(newport):
    """A change of the 8A leaves the departures of every other route alone."""
    done = apply(newport, {"change_speed": {**EIGHT_A, "factor": 0.8}})
    changed = find_route(newport.feed, "8071")
    for row in range(0, len(newport.feed.routes), 7):
        if row != changed:
            assert departures_on(done.feed, row, DAY["day"]) == departures_on(newport.feed, row, DAY["day"])
