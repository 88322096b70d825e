"""What is reached along streets by when: lengths that are arithmetic on drawn streets, and the walks themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from community_routes.network.streets.streets import build_streets
from community_routes.network.walks.links import CrowFly, link_points, walks_between
from community_routes.network.walks.points import Points
from community_routes.network.walks.reach import reach_along_streets, reach_areas
from drawn_streets import METRES_A_DEGREE, Drawn, at, grid_city


def metres(table) -> list[float]:
    """Length of the lines of each band, in metres."""
    return [float(shapely.length(shape) * METRES_A_DEGREE) for shape in table.geometry]


def test_both_ways_along_one_street():
    """From the middle of a street of 1,000 m at 1 m/s: 200 m within 100 s, 400 m more within 300 s, 400 m more at last."""
    streets = build_streets(Drawn().add_way(1, [(0, 0), (1000, 0)], highway="path").street_map())
    bands = reach_along_streets(streets, at(500, 0), [100, 300, 900], 3.6)
    assert bands["limit_s"].tolist() == [100, 300, 900]
    assert metres(bands) == pytest.approx([200, 400, 400], abs=0.01)


def test_the_walk_to_the_street_counts():
    """40 m beside the street: of 100 s 60 are left, 120 m of street."""
    streets = build_streets(Drawn().add_way(1, [(0, 0), (1000, 0)], highway="path").street_map())
    assert metres(reach_along_streets(streets, at(500, 40), [100], 3.6)) == pytest.approx([120], abs=0.01)


def test_over_a_crossing_into_all_arms():
    """A cross of four arms of 500 m; from 50 m along one, in 150 s: that arm 50 + 150 m, the three others 100 m each."""
    drawn = Drawn().add_way(1, [(-500, 0), (0, 0), (500, 0)], highway="path")
    drawn.add_way(2, [(0, -500), (0, 0), (0, 500)], highway="path")
    streets = build_streets(drawn.street_map())
    assert metres(reach_along_streets(streets, at(50, 0), [150], 3.6)) == pytest.approx([500], abs=0.01)


def test_several_places_with_their_own_clocks():
    """Places 600 m apart on a street, the second begun 100 s later. Within 200 s: 400 m and 200 m. Within 400 s they have
    met and passed the ends: all of 1,600 m."""
    streets = build_streets(Drawn().add_way(1, [(0, 0), (1600, 0)], highway="path").street_map())
    places = [at(400, 0), at(1000, 0)]
    bands = reach_along_streets(streets, places, [200, 400, 800], 3.6, already_s=[0, 100])
    assert metres(bands) == pytest.approx([600, 700, 300], abs=0.01)


def test_a_later_place_on_the_way_does_not_stop_an_earlier_walk():
    """A stop at 100 m that a bus reaches after 500 s is passed on foot after 100 s: 300 m each way within 300 s."""
    streets = build_streets(Drawn().add_way(1, [(-1000, 0), (1000, 0)], highway="path").street_map())
    places = [at(0, 0), at(100, 0)]
    bands = reach_along_streets(streets, places, [300], 3.6, already_s=[0, 500])
    assert metres(bands) == pytest.approx([600], abs=0.01)


def test_the_longest_walk_is_a_limit_of_its_own():
    """900 s may pass, but no walk takes more than 200 s: 400 m from a place begun at 0 s, 200 m more by 800 s from one
    begun at 700 s; one that is never reached adds nothing."""
    streets = build_streets(Drawn().add_way(1, [(0, 0), (5000, 0)], highway="path").street_map())
    places = [at(500, 0), at(2500, 0), at(4000, 0)]
    bands = reach_along_streets(streets, places, [600, 800, 900], 3.6, already_s=[0, 700, math.inf], walk_limit_s=200)
    assert metres(bands) == pytest.approx([400, 200, 200], abs=0.01)


def test_one_way_paths_are_entered_from_one_end():
    """A path that may be walked east only: from its middle 100 m, east; to its middle, 100 m from the west."""
    streets = build_streets(Drawn().add_way(1, [(0, 0), (1000, 0)], highway="path", oneway__foot="yes").street_map())
    there = reach_along_streets(streets, at(500, 0), [100], 3.6)
    back = reach_along_streets(streets, at(500, 0), [100], 3.6, towards=True)
    assert metres(there) == pytest.approx([100], abs=0.01)
    assert metres(back) == pytest.approx([100], abs=0.01)
    assert there.total_bounds[[0, 2]] == pytest.approx([at(500, 0)[0], at(600, 0)[0]], abs=1e-8)
    assert back.total_bounds[[0, 2]] == pytest.approx([at(400, 0)[0], at(500, 0)[0]], abs=1e-8)


def test_reached_streets_are_those_within_the_walk():
    """Random places on the streets of a city: within a limit by ``walks_between`` just when on a reached stretch."""
    drawn = grid_city(8, 8, tags={"highway": "footway"}).add_way(900, [(0, 0), (333, 444), (700, 500)], highway="path")
    streets = build_streets(drawn.street_map())
    rng = np.random.default_rng(4)
    graph = streets.graph
    vertex = rng.integers(0, len(graph.lon) - 1, 300)
    owner = np.repeat(np.arange(graph.n_edges), np.diff(graph.first))
    vertex = vertex[owner[vertex] == owner[vertex + 1]]
    share = rng.random(len(vertex))
    lon = graph.lon[vertex] + share * (graph.lon[vertex + 1] - graph.lon[vertex])
    lat = graph.lat[vertex] + share * (graph.lat[vertex + 1] - graph.lat[vertex])
    start = link_points(streets, Points.single(["o"], [at(310, 205)[0]], [at(310, 205)[1]]))
    end = link_points(streets, Points.single(np.arange(len(lon)), lon, lat))
    walks = walks_between(streets, start, end, limit_s=5000, speed_kmh=3.6)
    metres_to = np.full(len(lon), np.inf)
    metres_to[walks.to] = walks.metres
    band = reach_along_streets(streets, at(310, 205), [350], 3.6).geometry[0]
    on_band = shapely.distance(shapely.points(lon, lat), band) * METRES_A_DEGREE < 0.01
    clear = np.abs(metres_to - 350) > 0.1
    assert (on_band == (metres_to <= 350))[clear].all()
    assert 40 < on_band.sum() < len(lon) - 40


def test_areas_hold_each_other_and_the_streets():
    """Along 200 m and 600 m of street, 60 m to each side: 200 x 120 m with round ends, and more."""
    streets = build_streets(Drawn().add_way(1, [(0, 0), (1000, 0)], highway="path").street_map())
    areas = reach_areas(streets, at(500, 0), [100, 300], 3.6)
    sizes = [shape.area * METRES_A_DEGREE**2 for shape in areas.geometry]
    assert sizes == pytest.approx([200 * 120 + math.pi * 3600, 600 * 120 + math.pi * 3600], rel=0.05)
    assert areas.geometry[1].buffer(1e-6).contains(areas.geometry[0])


def test_areas_as_the_crow_flies_are_circles():
    """In 130 s at 1 m/s with a detour of 1.3: a circle of 100 m; a place reached after 65 s: one of 50 m."""
    areas = reach_areas(CrowFly(1.3), [at(0, 0), at(1000, 0)], [130], 3.6, already_s=[0, 65])
    size = areas.geometry[0].area * METRES_A_DEGREE**2
    assert size == pytest.approx(math.pi * (100**2 + 50**2), rel=0.03)


@pytest.mark.parametrize("limits", [[], [100, 100], [-1, 5]])
def test_limits_must_rise(limits):
    streets = build_streets(Drawn().add_way(1, [(0, 0), (1000, 0)], highway="path").street_map())
    with pytest.raises(ValueError, match="rise"):
        reach_along_streets(streets, at(0, 0), limits, 4.8)
