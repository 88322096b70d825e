"""Roads for buses: one-way streets, busways, dual carriageways, and the course of the path."""

from __future__ import annotations

import pytest

from community_routes.network.streets.roads import build_roads, road_path
from drawn_streets import Drawn, at, grid_city


def test_the_way_along_the_grid():
    """From (20, 0) to (100, 60): 80 m east and 60 m north, by the corner at (100, 0)."""
    path = road_path(build_roads(grid_city(3, 3).street_map()), at(20, 0), at(100, 60))
    assert path is not None
    assert path.metres == pytest.approx(140, abs=1e-3)
    corner = [at(20, 0), at(100, 0), at(100, 60)]
    assert path.lon == pytest.approx([p[0] for p in corner], abs=1e-9)
    assert path.lat == pytest.approx([p[1] for p in corner], abs=1e-9)


def test_one_way_streets_are_kept_and_buses_may_be_let_through():
    """East along a one-way street 100 m; back round the block 300 m, or 100 m where buses are let against it."""
    for tags, back in [({"oneway": "yes"}, 300), ({"oneway": "yes", "oneway__bus": "no"}, 100)]:
        drawn = Drawn().add_way(1, [(0, 0), (100, 0)], highway="primary", **tags)
        drawn.add_way(2, [(100, 0), (100, 100), (0, 100), (0, 0)], highway="residential")
        drawn.add_way(3, [(0, 0), (-1000, 0)], highway="residential")
        drawn.add_way(4, [(100, 0), (1100, 0)], highway="residential")
        roads = build_roads(drawn.street_map())
        there, again = road_path(roads, at(-50, 0), at(150, 0)), road_path(roads, at(150, 0), at(-50, 0))
        assert there is not None and again is not None
        assert there.metres == pytest.approx(200, abs=1e-3)
        assert again.metres == pytest.approx(100 + back, abs=1e-3)


def test_a_stop_beside_the_other_carriageway_takes_the_one_that_suits():
    """Two carriageways 12 m apart, each one-way, joined 1,000 m away: going east a stop on the kerb of the westbound
    side at 100 m is left along the eastbound side, 300 m to 400 m, not 1,600 m round."""
    drawn = Drawn().add_way(1, [(0, 0), (1000, 0)], highway="primary", oneway="yes")
    drawn.add_way(2, [(1000, 0), (1000, 12), (0, 12), (0, 0)], highway="primary", oneway="yes")
    path = road_path(build_roads(drawn.street_map()), at(100, 14), at(400, 14))
    assert path is not None and path.metres == pytest.approx(300, abs=1e-3)


def test_a_stop_behind_a_service_road_takes_the_main_road_where_that_leads_there():
    """The stop lies 2 m from a one-way yard, which is left 1,050 m back and comes to 2,635 m; 37 m from the main road,
    along which it is 500 m. Where the yard is left 150 m back, it is taken: 150 + 35 + 650 m."""
    for left_at, metres in [(-900, 500), (0, 835)]:
        drawn = Drawn().add_way(1, [(-1000, 0), (left_at, 0), (100, 0), (1500, 0)], highway="primary")
        yard = [(100, 0), (100, -1000), (200, -1000), (200, 35), (left_at, 35), (left_at, 0)]
        drawn.add_way(2, yard, highway="service", oneway="yes")
        path = road_path(build_roads(drawn.street_map()), at(150, 37), at(650, 0))
        assert path is not None and path.metres == pytest.approx(metres, abs=1e-2)


def test_a_busway_is_a_road_and_a_footpath_is_none():
    drawn = Drawn().add_way(1, [(0, 0), (2000, 0)], highway="busway").add_way(2, [(0, 0), (0, 900)], highway="footway")
    roads = build_roads(drawn.street_map())
    assert road_path(roads, at(10, 0), at(700, 0)) is not None
    assert road_path(roads, at(10, 0), at(0, 800)) is None


def test_no_way_back_out_of_a_one_way_dead_end():
    drawn = Drawn().add_way(1, [(0, 0), (3000, 0)], highway="residential", oneway="yes")
    roads = build_roads(drawn.street_map())
    assert road_path(roads, at(100, 0), at(50, 0)) is None
    ahead = road_path(roads, at(50, 0), at(100, 0))
    assert ahead is not None and ahead.metres == pytest.approx(50, abs=1e-3)


def test_the_same_stop_twice_is_no_distance():
    path = road_path(build_roads(grid_city(3, 3).street_map()), at(50, 3), at(50, 3))
    assert path is not None and path.metres == 0 and len(path.lon) == 1


def test_no_roads_at_all_gives_no_path():
    roads = build_roads(Drawn().add_way(1, [(0, 0), (100, 0)], highway="path").street_map())
    assert road_path(roads, at(0, 0), at(100, 0)) is None
