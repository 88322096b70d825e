"""The walking network: junctions, edges and connected parts of drawn cities."""

from __future__ import annotations

import numpy as np
import pytest

from community_routes.base.errors import StreetsError
from community_routes.network.streets.streets import build_streets
from community_routes.network.walks.links import link_points, walks_between
from community_routes.network.walks.points import Points
from drawn_streets import Drawn, at, grid_city


def test_a_grid_has_its_junctions_and_blocks():
    """4 by 3 streets: 12 crossings of which the 4 corners are no junctions; 17 blocks of which 2 meet at each corner, so
    that 8 blocks make 4 edges: 8 junctions, 13 edges, 1,700 m in all."""
    graph = build_streets(grid_city(4, 3).street_map()).graph
    assert (graph.n_nodes, graph.n_edges) == (8, 13)
    assert graph.edge_m.sum() == pytest.approx(1700, abs=1e-3)
    assert sorted(graph.edge_m.round(3).tolist()) == [100.0] * 9 + [200.0] * 4


def test_an_edge_keeps_its_course():
    """A path (0, 0) - (30, 40) - (30, 100): one edge of 50 + 60 m with three vertices."""
    graph = build_streets(Drawn().add_way(1, [(0, 0), (30, 40), (30, 100)], highway="path").street_map()).graph
    assert (graph.n_nodes, graph.n_edges) == (2, 1)
    line = [(0, 0), (30, 40), (30, 100)]
    if graph.lat[0] > graph.lat[-1]:
        line.reverse()
    assert graph.lon == pytest.approx([at(*p)[0] for p in line], abs=1e-12)
    assert graph.along_m[[0, -1]] == pytest.approx([0, 110], abs=1e-3)


def test_ways_that_follow_each_other_are_one_edge_unless_directions_change():
    """Three ways in a row: the third is one-way, so the first two make one edge, whatever way they are drawn."""
    drawn = Drawn().add_way(1, [(0, 0), (10, 0)], highway="path").add_way(2, [(20, 0), (10, 0)], highway="footway")
    drawn.add_way(3, [(20, 0), (30, 0)], highway="footway", oneway__foot="yes")
    graph = build_streets(drawn.street_map()).graph
    assert sorted(graph.edge_m.round(3).tolist()) == [10.0, 20.0]
    one_way = int(np.argmin(graph.edge_m))
    east_first = graph.node_lon[graph.edge_from[one_way]] < graph.node_lon[graph.edge_to[one_way]]
    assert graph.flags[one_way] == (1 if east_first else 2)
    assert graph.flags[1 - one_way] == 3


def test_a_ring_without_junction_is_an_edge():
    """A ring of 400 m joined to nothing becomes one edge from a node to itself."""
    drawn = Drawn().add_way(1, [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)], highway="path")
    graph = build_streets(drawn.street_map()).graph
    assert (graph.n_nodes, graph.n_edges) == (1, 1)
    assert graph.edge_m == pytest.approx([400], abs=1e-3)


def test_two_ways_between_the_same_junctions_are_two_edges():
    drawn = (
        Drawn().add_way(1, [(0, 0), (100, 0)], highway="path").add_way(2, [(0, 0), (50, 50), (100, 0)], highway="path")
    )
    drawn.add_way(3, [(-50, 0), (0, 0)], highway="path").add_way(4, [(100, 0), (150, 0)], highway="path")
    graph = build_streets(drawn.street_map()).graph
    assert (graph.n_nodes, graph.n_edges) == (4, 4)


def test_small_parts_are_not_linked_to_but_the_longest_always_is():
    """Parts of 60 m and 2,200 m: only the second counts; alone, the 60 m count."""
    drawn = grid_city(5, 5).add_way(900, [(20, -45), (80, -45)], highway="path")
    streets = build_streets(drawn.street_map())
    assert np.sort(streets.graph.component_m) == pytest.approx([60, 4000], abs=1e-2)
    assert streets.usable.sum() == streets.graph.n_edges - 1
    alone = build_streets(Drawn().add_way(1, [(0, 0), (60, 0)], highway="path").street_map())
    assert alone.usable.tolist() == [True]


def test_only_steps_are_no_network_for_a_wheelchair():
    drawn = Drawn().add_way(1, [(0, 0), (60, 0)], highway="steps")
    with pytest.raises(StreetsError, match="on foot"):
        build_streets(drawn.street_map(), wheelchair=True)


@pytest.mark.parametrize("shift", [0.0, 179.999, -179.9995])
def test_longitude_180_is_no_border(shift):
    """The same city about longitude 0 and across longitude 180: the same walks to 1e-6 m."""
    base = grid_city(6, 4).street_map()
    rng = np.random.default_rng(2)
    lon, lat = rng.uniform(-0.0005, 0.0055, 40), rng.uniform(-0.0005, 0.0035, 40)

    def moved(values):
        return (np.asarray(values) + shift + 180) % 360 - 180

    west, south, east, north = base.area
    area = (float(moved(west)), south, float(moved(east)), north)
    from dataclasses import replace

    streets = build_streets(replace(base, lon=moved(base.lon), area=area))
    here = link_points(streets, Points.single(np.arange(40), moved(lon), lat))
    plain = build_streets(base)
    there = link_points(plain, Points.single(np.arange(40), lon, lat))
    assert here.linked.all()
    a = walks_between(streets, here, here, limit_s=600, speed_kmh=4.8)
    b = walks_between(plain, there, there, limit_s=600, speed_kmh=4.8)
    assert a.to.tolist() == b.to.tolist()
    assert a.metres == pytest.approx(b.metres, abs=1e-6)
