"""Streets from GraphML and from a place's name; the way to networkx and back."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import osmnx
import pytest
import shapely

from community_routes.base.errors import StreetsError
from community_routes.base.notices import Notice
from community_routes.network.streets.roads import build_roads, road_path
from community_routes.network.streets.streets import Streets, build_streets
from community_routes.network.walks.links import link_points, walks_between
from community_routes.network.walks.points import Points
from community_routes.sources.osm.read import read_graphml, read_place
from drawn_streets import Drawn, at, grid_city, walk_line


def small_graph() -> nx.MultiDiGraph:
    """Three nodes as osmnx would give them: a bent street of 110 m both ways, and a one-way street of 100 m with steps
    beside it."""
    graph = nx.MultiDiGraph(crs="epsg:4326", simplified=True)
    for node, place in {11: (0, 0), 12: (30, 100), 13: (130, 100)}.items():
        graph.add_node(node, x=at(*place)[0], y=at(*place)[1], street_count=2)
    bent = shapely.LineString([at(0, 0), at(30, 40), at(30, 100)])
    graph.add_edge(11, 12, osmid=5, highway="residential", oneway=False, length=1.0, geometry=bent)
    graph.add_edge(12, 11, osmid=5, highway="residential", oneway=False, length=1.0, geometry=bent.reverse())
    graph.add_edge(12, 13, osmid=[6, 7], highway="primary", name="Broad Street", oneway=True, length=1.0)
    steps = shapely.LineString([at(30, 100), at(80, 101), at(130, 100)])
    for a, b, line in ((12, 13, steps), (13, 12, steps.reverse())):
        graph.add_edge(a, b, osmid=8, highway=["footway", "steps"], oneway=False, length=1.0, geometry=line)
    return graph


def test_a_graph_saved_by_osmnx(tmp_path):
    """Three streets; walked both ways, driven as the edges point; a street joined of footway and steps has steps."""
    osmnx.save_graphml(small_graph(), tmp_path / "town.graphml")
    notices: list[Notice] = []
    streets = read_graphml(tmp_path / "town.graphml", notices=notices)
    assert [notice.code for notice in notices] == ["streets_coverage_by_nodes"]
    assert streets.way_id.tolist() == [5, 6, 8]
    assert streets.walk.tolist() == [3, 3, 3]
    assert streets.drive.tolist() == [3, 1, 0]
    assert streets.steps.tolist() == [False, False, True]
    assert streets.name.tolist() == ["", "Broad Street", ""]
    assert streets.area == pytest.approx((*at(0, 0), *at(130, 101)))
    line = walk_line(build_streets(streets), at(0, 0), at(130, 100))
    assert line is not None and line[0] == pytest.approx(210, abs=1e-3)
    back = road_path(build_roads(streets), at(130, 100), at(30, 100))
    assert back is None


def test_a_tunnel_of_a_graph_is_below_ground_unless_several_ways_were_joined(tmp_path):
    """Way 8 in a tunnel is; of an edge of ways 6 and 7 nobody can tell which part is. There and back it stays."""
    graph = small_graph()
    for _, _, data in graph.edges(data=True):
        if data["osmid"] != 5:
            data["tunnel"] = "yes"
    osmnx.save_graphml(graph, tmp_path / "town.graphml")
    street_map = read_graphml(tmp_path / "town.graphml")
    assert dict(zip(street_map.way_id.tolist(), street_map.below.tolist(), strict=True)) == {
        5: False,
        6: False,
        8: True,
    }
    streets = build_streets(street_map)
    again = Streets.from_networkx(streets.to_networkx())
    assert streets.usable.sum() == again.usable.sum() == 2


@pytest.mark.parametrize(
    ("tags", "ahead", "back"),
    [
        ({"highway": "steps", "conveying": "forward"}, True, False),
        ({"highway": "steps", "conveying": "backward"}, False, True),
        ({"highway": "steps", "conveying": "reversible"}, True, True),
        ({"highway": "footway", "oneway:foot": "yes"}, True, False),
        ({"highway": "elevator"}, True, True),
        ({"highway": "elevator", "access": "private"}, False, False),
    ],
)
@pytest.mark.parametrize("first", ["along the way", "against it"])
def test_directions_count_along_the_way(tmp_path, tags, ahead, back, first):
    """From 1 to 2 in 100 m along a way, which osmnx gives as two edges in either order; or round by a street of 300 m."""
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, place in {1: (0, 0), 2: (100, 0), 3: (100, 100), 4: (0, 100)}.items():
        graph.add_node(node, x=at(*place)[0], y=at(*place)[1])
    edges = [(1, 2, False), (2, 1, True)]
    for a, b, turned in edges if first == "along the way" else reversed(edges):
        graph.add_edge(a, b, osmid=5, oneway=False, length=1.0, reversed=turned, **tags)
    for a, b in ((2, 3), (3, 4), (4, 1)):
        graph.add_edge(a, b, osmid=6, highway="footway", oneway=False, length=1.0, reversed=False)
        graph.add_edge(b, a, osmid=6, highway="footway", oneway=False, length=1.0, reversed=True)
    osmnx.save_graphml(graph, tmp_path / "town.graphml")
    ground = build_streets(read_graphml(tmp_path / "town.graphml"))
    there, again = walk_line(ground, at(0, 0), at(100, 0)), walk_line(ground, at(100, 0), at(0, 0))
    metres = [None if line is None else round(line[0]) for line in (there, again)]
    assert metres == [100 if ahead else 300, 100 if back else 300]


@pytest.mark.parametrize(("access", "metres"), [("yes", 100), ("no", 300)])
def test_nobody_passes_a_lift_of_a_graph_that_is_closed(access, metres):
    """100 m through a lift at 50 m, or round a square of 100 m where the lift is closed."""
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, place in {1: (0, 0), 2: (50, 0), 3: (100, 0), 4: (100, 100), 5: (0, 100)}.items():
        graph.add_node(node, x=at(*place)[0], y=at(*place)[1])
    graph.nodes[2].update(highway="elevator", access=access)
    nx.add_path(graph, [1, 2, 3, 4, 5, 1], highway="footway")
    line = walk_line(Streets.from_networkx(graph), at(0, 0), at(100, 0))
    assert line is not None and line[0] == pytest.approx(metres, abs=1e-3)


@pytest.mark.parametrize(
    ("x", "code", "words"),
    [
        ("three", "graphml_not_a_number", "node 'b': x must be a number"),
        ("nan", "graphml_not_a_number", "node 'b': x must be a number"),
        ("331200.5", "graphml_not_degrees", "node 'b' lies at x = 331,200.5, which are metres"),
    ],
)
def test_text_for_numbers_and_metres_for_degrees(tmp_path, x, code, words):
    graph = nx.MultiDiGraph(crs="epsg:27700")
    graph.add_node("a", x="0.0", y="0.0")
    graph.add_node("b", x=x, y="0.0")
    graph.add_edge("a", "b")
    nx.write_graphml(graph, tmp_path / "town.graphml")
    notices: list[Notice] = []
    with pytest.raises(StreetsError, match=words):
        read_graphml(tmp_path / "town.graphml", notices=notices)
    assert [(n.code, n.file, n.field, n.value) for n in notices] == [(code, "town.graphml", "x", x)]


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"<graphml",
        b"\xff\xfe\x00",
        b"<html></html>",
        b"<?xml version='1.0'?><!DOCTYPE g [<!ENTITY a 'aaaa'>]><graphml>&a;</graphml>",
        b"<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><graph edgedefault='directed'></graph></graphml>",
        b"<graphml xmlns='http://graphml.graphdrawing.org/xmlns'><key id='k' for='node'/></graphml>",
    ],
)
def test_what_is_no_graphml_is_named(tmp_path, content):
    if content is not None:
        (tmp_path / "town.graphml").write_bytes(content)
    with pytest.raises(StreetsError, match=r"^town\.graphml"):
        read_graphml(tmp_path / "town.graphml")


def test_a_bad_course_is_taken_as_straight(tmp_path):
    graph = small_graph()
    graph.edges[12, 13, 0]["geometry"] = shapely.LineString([at(900, 900), at(901, 900)])
    notices: list[Notice] = []
    osmnx.save_graphml(graph, tmp_path / "town.graphml")
    streets = read_graphml(tmp_path / "town.graphml", notices=notices)
    assert "graphml_bad_geometry" in [notice.code for notice in notices]
    assert streets.n_ways == 3


def test_numbers_that_are_none_or_too_long_for_one(tmp_path):
    """Names for nodes and a way's number of 30 digits: the streets are read, numbered from 1."""
    graph = nx.MultiDiGraph(crs="epsg:4326")
    for node, place in {"north gate": (0, 0), "9" * 30: (0, 90)}.items():
        graph.add_node(node, x=at(*place)[0], y=at(*place)[1])
    graph.add_edge("north gate", "9" * 30, osmid="7" * 30)
    nx.write_graphml(graph, tmp_path / "town.graphml")
    streets = read_graphml(tmp_path / "town.graphml")
    assert (streets.way_id.tolist(), streets.node_id.tolist()) == ([1], [1, 2])


def test_there_and_back_by_networkx():
    """A city with a ring, a loop and a one-way path: the same walks from the graph that it gives."""
    drawn = grid_city(4, 4).add_way(900, [(100, 100), (150, 120), (120, 160), (100, 100)], highway="path")
    drawn.add_way(901, [(300, 300), (500, 400)], highway="footway", oneway__foot="yes")
    drawn.add_way(902, [(500, 400), (600, 0), (300, 0)], highway="footway")
    streets = build_streets(drawn.street_map())
    again = Streets.from_networkx(streets.to_networkx(), area=streets.area)
    assert again.graph.edge_m.sum() == pytest.approx(streets.graph.edge_m.sum(), abs=1e-6)
    rng = np.random.default_rng(3)
    lonlat = np.array([at(*rng.uniform(-20, 520, 2)) for _ in range(40)])
    found = []
    for ground in (streets, again):
        linked = link_points(ground, Points.single(np.arange(40), lonlat[:, 0], lonlat[:, 1]))
        found.append(walks_between(ground, linked, linked, limit_s=900, speed_kmh=4.8))
    assert found[0].to.tolist() == found[1].to.tolist()
    assert found[0].metres == pytest.approx(found[1].metres, abs=1e-6)
    assert len(found[0].to) > 1000
    assert any(a != b for a, b in zip(found[0].metres, found[0].reversed(40).metres, strict=True))


def test_from_networkx_tells_of_faults():
    graph = nx.MultiDiGraph()
    graph.add_node(1, x="west", y=0)
    with pytest.raises(StreetsError, match="x must be a number"):
        Streets.from_networkx(graph)


def test_a_place_is_downloaded_once(tmp_path):
    """The second reading takes the cache; both give the same map, named by the question."""
    asked = []

    def download(query: str) -> nx.MultiDiGraph:
        asked.append(query)
        return small_graph()

    one = read_place("Milltown, Wales", tmp_path, download=download)
    two = read_place("Milltown, Wales", tmp_path, download=download)
    assert asked == ["Milltown, Wales"]
    assert one.content_hash == two.content_hash
    assert one.source == "Milltown, Wales"
    assert one.way_id.tolist() == [5, 6, 8]
    read_place("Other", tmp_path, download=download)
    assert asked == ["Milltown, Wales", "Other"]


def test_a_failed_download_leaves_nothing_and_is_told(tmp_path):
    def download(query: str) -> nx.MultiDiGraph:
        raise ConnectionError("no network")

    notices: list[Notice] = []
    with pytest.raises(StreetsError, match=r"'Nowhere' could not be downloaded .*no network"):
        read_place("Nowhere", tmp_path, notices=notices, download=download)
    assert [notice.code for notice in notices] == ["streets_not_downloaded"]
    assert [path for path in Path(tmp_path).rglob("*") if path.is_file()] == []


def test_a_useless_download_is_not_kept(tmp_path):
    def download(query: str) -> nx.MultiDiGraph:
        graph = nx.MultiDiGraph(crs="epsg:4326")
        graph.add_node(1, x=0.0, y=0.0)
        return graph

    with pytest.raises(StreetsError, match="open to people on foot"):
        read_place("Empty", tmp_path, download=download)
    assert [path for path in Path(tmp_path).rglob("*") if path.is_file()] == []


def test_a_motorway_alone_is_no_street(tmp_path):
    drawn = Drawn().add_way(1, [(0, 0), (100, 0)], highway="path")
    graph = build_streets(drawn.street_map()).to_networkx()
    for _a, _b, data in graph.edges(data=True):
        data["highway"] = "motorway"
    with pytest.raises(StreetsError, match="open to people on foot"):
        Streets.from_networkx(graph)
