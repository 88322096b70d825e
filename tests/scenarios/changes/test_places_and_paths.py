"""Homes, jobs, spaces, fares, paths and buses on demand, on a drawn grid of streets."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from community_routes.base.errors import ScenarioError
from community_routes.network.streets.streets import build_streets
from community_routes.network.walks.links import link_points, walks_between
from community_routes.network.walks.points import Points
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.diff import diff_feeds
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario, read_scenario
from community_routes.sources.osm.street_map import StreetMap
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.fares import Fares
from drawn_streets import at, grid_city
from scenarios.hand_feed import TUESDAY, WEEK, make_feed, runs_on


def zones() -> Zones:
    """Two neighbourhoods of 100 and 300 persons; a quarter of the second are in the group `x`."""
    points = [at(0, 0), at(300, 0)]
    table = gpd.GeoDataFrame(
        {
            "id": ["E01", "E02"],
            "name": ["North End", "South End"],
            "group": ["", "ward"],
            "population": [100.0, 300.0],
            "deprivation_rank": [10.0, 2.0],
            "deprivation_decile": [5.0, 1.0],
        },
        geometry=[shapely.Point(*p).buffer(0.001) for p in points],
        crs="EPSG:4326",
    )
    origins = pd.DataFrame(
        {
            "zone": np.array([0, 1], np.int32),
            "id": ["E01", "E02"],
            "lon": [p[0] for p in points],
            "lat": [p[1] for p in points],
            "weight": [1.0, 1.0],
        }
    )
    groups = pd.DataFrame({"x": [50.0, 75.0], "y": [50.0, 225.0]})
    return Zones(table, origins, groups, True)


def opportunities() -> Opportunities:
    points = [at(100, 100), at(300, 200)]
    table = gpd.GeoDataFrame(
        {
            "key": ["employment", "shared_spaces"],
            "id": ["w1", "s1"],
            "name": ["Mill", "Library"],
            "kind": ["", "library"],
            "amount": [1000.0, 1.0],
        },
        geometry=[shapely.Point(*p) for p in points],
        crs="EPSG:4326",
    )
    doors = pd.DataFrame(
        {"place": np.array([0, 1], np.int32), "lon": [p[0] for p in points], "lat": [p[1] for p in points]}
    )
    return Opportunities(table, doors)


def feed() -> object:
    return make_feed([("A", "Alder Street", 0, 0), ("B", "Birch Road", 0.3, 0)], [("7", "wk", 0, "A 08:00 B 08:05")])


def apply(*changes: object, fares: Fares | None = None, street_map: StreetMap | None = None) -> Applied:
    setting = Setting(feed(), WEEK, None, None, zones(), opportunities(), fares, street_map)
    return apply_scenario(Scenario(scenario="plan", changes=changes), setting)


def test_new_homes_are_a_neighbourhood_like_another():
    """200 homes of 2.4 persons are 480; a quarter of them, 120, are in the group x; rank and decile of South End."""
    done = apply({"add_homes": {"name": "New Mill", "at": at(50, 50), "homes": 200, "like": "south end"}})
    row = done.zones.table.iloc[2]
    assert (row["id"], row["name"], row["population"]) == ("plan:new-mill", "New Mill", 480.0)
    assert (row["deprivation_rank"], row["deprivation_decile"], row["group"]) == (2.0, 1.0, "ward")
    assert done.zones.groups.iloc[2].to_list() == [120.0, 360.0]
    assert done.zones.origins.iloc[2][["zone", "id", "weight"]].to_list() == [2, "plan:new-mill", 1.0]
    assert len(zones().table) == 2


def test_new_jobs_and_spaces_are_destinations():
    done = apply(
        {"add_jobs": {"name": "Depot", "at": at(0, 200), "jobs": 500}},
        {"add_space": {"name": "Hall", "at": at(10, 200), "kind": "library"}},
    )
    table = done.opportunities.table
    assert table["key"].to_list() == ["employment", "shared_spaces", "employment", "shared_spaces"]
    assert table["amount"].to_list() == [1000.0, 1.0, 500.0, 1.0]
    assert done.opportunities.rows_of("shared_spaces/library").tolist() == [1, 3]
    assert done.opportunities.entrances["place"].to_list() == [0, 1, 2, 3]
    assert str(done.effects[0]) == "employment: 1 -> 2 places, amount 1,000 -> 1,500"


def test_misspelt_places_name_the_nearest():
    with pytest.raises(ScenarioError) as caught:
        apply(
            {"add_homes": {"name": "H", "at": at(0, 0), "homes": 5, "like": "Sout End"}},
            {"add_jobs": {"name": "D", "at": at(0, 0), "jobs": 5, "into": "employmint"}},
            {"add_space": {"name": "S", "at": at(0, 0), "kind": "libary"}},
        )
    text = str(caught.value)
    assert "there is no neighbourhood 'Sout End'; did you mean 'South End'?" in text
    assert "the study has no destinations 'employmint'; did you mean 'employment'?" in text
    assert "shared_spaces has no kind 'libary'; did you mean 'library'?" in text


def test_fares_change_key_by_key():
    before = Fares.model_validate({"single": 3, "day": 6, "routes": {"7": {"single": 2}}})
    done = apply({"change_fare": {"single": "2.50", "routes": {"7": {"day": 5}}}}, fares=before)
    assert (done.fares.single, done.fares.day) == (2.5, 6)
    assert (done.fares.routes["7"].single, done.fares.routes["7"].day) == (2, 5)
    assert str(done.effects[0]) == "fares: single 3 -> 2.5, routes.7.day none -> 5"
    assert before.single == 3


def test_fares_that_stay_the_same_or_are_unknown():
    before = Fares.model_validate({"single": 3})
    with pytest.raises(ScenarioError, match="the fares are exactly so already"):
        apply({"change_fare": {"single": 3}}, fares=before)
    with pytest.raises(ScenarioError, match="unknown fare 'singel'; did you mean 'single'"):
        apply({"change_fare": {"singel": 2}}, fares=before)


def test_fare_of_a_new_route():
    route = {"name": "X", "stops": ["A", "B"], "run_times_min": [3], "departures": ["07:00"], "fare": {"single": 2}}
    done = apply({"add_route": route}, fares=Fares.model_validate({"single": 3}))
    assert done.fares.routes["X"].single == 2


def walk_m(street_map: StreetMap, a: tuple[float, float], b: tuple[float, float]) -> float:
    streets = build_streets(street_map)
    start, end = (link_points(streets, Points.single(["p"], [p[0]], [p[1]])) for p in (a, b))
    return float(walks_between(streets, start, end, limit_s=3600, speed_kmh=3.6).metres[0])


def test_closed_street_makes_the_walk_go_round():
    """Along the southern street from (0, 0) to (300, 0) it is 300 m; with that street closed 100 up, 300 along, 100 down."""
    city = grid_city(4, 3).street_map()
    done = apply({"close_path": {"osm_way": 101}}, street_map=city)
    assert walk_m(city, at(0, 0), at(300, 0)) == pytest.approx(300)
    assert walk_m(done.street_map, at(0, 0), at(300, 0)) == pytest.approx(500)
    assert str(done.effects[0]) == "way 101: closed to walking, 300 m"
    assert done.street_map.content_hash != city.content_hash


def write_line(folder: Path, *points: tuple[float, float]) -> None:
    line = {"type": "LineString", "coordinates": [list(at(*p)) for p in points]}
    content = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": line}]}
    (folder / "path.geojson").write_text(json.dumps(content), encoding="utf-8")


def read_plan(folder: Path, text: str) -> Scenario:
    (folder / "plan.yaml").write_text(f"scenario: plan\nchanges:\n  - {text}\n", encoding="utf-8")
    return read_scenario(folder / "plan.yaml")


@pytest.mark.parametrize("line", ["path.geojson", str([list(at(50, 0)), list(at(100, 150))])], ids=["file", "corners"])
def test_new_path_joins_streets_at_its_ends_between_junctions(tmp_path, line):
    """A diagonal from (50, 0), halfway along a block, to (100, 150), halfway along another: sqrt(50^2 + 150^2) = 158.1 m.

    It is the same from a file and from the corners in the scenario.
    """
    city = grid_city(4, 3).street_map()
    write_line(tmp_path, (50, 0), (100, 150))
    plan = read_plan(tmp_path, f"add_path: {{name: Short cut, line: {line}}}")
    assert read_plan(tmp_path, plan.to_yaml().partition("  - ")[2]).changes == plan.changes
    done = apply_scenario(plan, Setting(feed(), WEEK, street_map=city))
    assert walk_m(city, at(50, 0), at(100, 150)) == pytest.approx(200)
    assert walk_m(done.street_map, at(50, 0), at(100, 150)) == pytest.approx(158.11, abs=0.05)
    # The street between is only crossed: no way on or off the path there.
    assert walk_m(done.street_map, at(50, 0), at(100, 100)) == pytest.approx(150)
    assert "new path, 158 m, joined to streets at 2 places" in str(done.effects[0])


def test_a_new_path_joins_no_tunnel(tmp_path):
    """From (50, 0) on a street to (50, 220): a tunnel is 10 m away there, the street 20 m back: 220 + 20 m, and 10 m along it."""
    city = grid_city(4, 3).add_way(900, [(0, 200), (0, 230), (300, 230), (300, 200)], highway="footway", tunnel="yes")
    write_line(tmp_path, (50, 0), (50, 220))
    plan = read_plan(tmp_path, "add_path: {name: Stairs, line: path.geojson}")
    done = apply_scenario(plan, Setting(feed(), WEEK, street_map=city.street_map()))
    assert walk_m(done.street_map, at(50, 0), at(50, 220)) == pytest.approx(220, abs=1e-2)
    assert walk_m(done.street_map, at(50, 0), at(60, 200)) == pytest.approx(250, abs=1e-2)


def test_new_path_whose_end_leads_nowhere(tmp_path):
    city = grid_city(4, 3).street_map()
    write_line(tmp_path, (50, 0), (50, -300))
    plan = read_plan(tmp_path, "add_path: {name: Pier, line: path.geojson}")
    with pytest.raises(ScenarioError, match="the end lies of the path 'Pier' more than 50 m from any street"):
        apply_scenario(plan, Setting(feed(), WEEK, street_map=city))


def test_paths_need_streets():
    with pytest.raises(ScenarioError, match="walking follows the straight line in this study"):
        apply({"close_path": {"osm_way": 101}})
    with pytest.raises(ScenarioError, match="there is no way 5555 in drawn"):
        apply({"close_path": {"osm_way": 5555}}, street_map=grid_city(4, 3).street_map())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            "add_path: {name: P, line: [[-2.0, 53.0], [-2.0, 53.0]]}",
            "the line of 2 corners is none; give at least 2 diff",
        ),
        (
            "add_drt: {name: D, zone: [[0, 1], [0, 2]], hours: 09:00-10:00, wait_min: 5}",
            "give at least 3 different corners",
        ),
        ("add_drt: {name: D, zone: [[0, 1], [0, 2], [0, 3]], hours: 09:00-10:00, wait_min: 5}", "has no area"),
    ],
)
def test_corners_that_make_no_shape(tmp_path, change, words):
    setting = Setting(feed(), WEEK, None, None, zones(), opportunities(), street_map=grid_city(4, 3).street_map())
    with pytest.raises(ScenarioError, match=words):
        apply_scenario(read_plan(tmp_path, change), setting)


@pytest.mark.parametrize("line", ["[[1, 2], [3]]", "[1, 2]", "[[1, 2], [3, 95]]", "[[1, 2], [a, 4]]"])
def test_corners_that_are_no_places(tmp_path, line):
    """One number alone, a bare pair, a latitude of 95, a word: each is a fault of the field."""
    with pytest.raises(ScenarioError, match="line"):
        read_plan(tmp_path, f"add_path: {{name: P, line: {line}}}")


CORNERS = [(-50, -50), (150, -50), (150, 150), (-50, 150), (-50, -50)]


def test_buses_on_demand_after_a_change_of_one_day():
    """Trips of other days are copied, which names the entries of services by headway; the rides are 6 x 60 all the same."""
    zone = [list(at(*corner)) for corner in CORNERS]
    dial = {"name": "Dial", "zone": zone, "hours": "09:00-10:00", "wait_min": 5, "connects": ["Birch Road"]}
    done = apply({"change_speed": {"route": "7", "factor": 1.25, "days": ["wednesday"]}}, {"add_drt": dial})
    assert len(runs_on(done.feed, "plan:Dial", TUESDAY)) == 6 * 60


@pytest.mark.parametrize(
    "zone", ["zone.geojson", str([list(at(*corner)) for corner in CORNERS])], ids=["file", "corners"]
)
def test_buses_on_demand_are_rides_of_wait_and_road_time(tmp_path, zone):
    """From North End to the Mill: straight line 141.4 m x 1.3 = 183.8 m; at 18 km/h 36.8 s, x 2 is 73.5 s, after 5 min of wait.

    The zone holds North End and the Mill (and not South End or the Library); Birch Road is connected: the rides are 2 inside,
    2 to the stop, 2 from it, each minute from 09:00 to 10:00.
    """
    square = {"type": "Polygon", "coordinates": [[list(at(*corner)) for corner in CORNERS]]}
    (tmp_path / "zone.geojson").write_text(json.dumps(square), encoding="utf-8")
    plan = read_plan(
        tmp_path,
        f"add_drt: {{name: Dial, zone: {zone}, days: [weekday], hours: 09:00-10:00, wait_min: 5, ride_factor: 2, "
        "speed_kmh: 18, connects: [Birch Road]}",
    )
    done = apply_scenario(plan, Setting(feed(), WEEK, None, None, zones(), opportunities()))
    runs = runs_on(done.feed, "plan:Dial", TUESDAY)
    assert len(runs) == 6 * 60
    assert "plan:Dial:1 09:00 plan:Dial:2 09:06:14" in runs
    assert sum(text.startswith("B ") for text in runs) == 120
    assert done.new_routes == []
    assert diff_feeds(feed(), done.feed, WEEK).words()[0] == "weekday: Dial is new, on demand"
    assert "between 2 places and 1 connected stops, 5 min + 2 x road time" in str(done.effects[0])
    assert str(done.effects[0]).endswith("what it costs is not known without vehicles")
    with_vehicles = plan.changes[0].model_copy(update={"vehicles": 2, "km_per_vehicle_hour": 15.0})
    (found,) = apply_scenario(
        plan.model_copy(update={"changes": (with_vehicles,)}),
        Setting(feed(), WEEK, None, None, zones(), opportunities()),
    ).drt
    assert (found.vehicles, found.hours, found.km_per_vehicle_hour, found.assumed_km) == (2, 1.0, 15.0, False)
