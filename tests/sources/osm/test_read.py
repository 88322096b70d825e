"""Reading street files: drawn ones of known content, and small real ones."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import osmium
import pytest
from osmium.osm import mutable

from community_routes.base.errors import StreetsError
from community_routes.base.notices import Notice
from community_routes.sources.osm.read import read_streets
from conftest import shared_data
from drawn_streets import Drawn, at, grid_city

BOX = (-0.01, -0.01, 0.02, 0.02)


def codes(notices: list[Notice]) -> list[str]:
    return [notice.code for notice in notices]


def test_a_drawn_city_comes_back(tmp_path):
    """3 streets north, 2 east, a motorway for buses alone, a building for nobody: 6 ways, 6 junctions and 2 ends."""
    drawn = grid_city(3, 2).add_way(500, [(0, 900), (100, 900)], highway="motorway", name="M4")
    drawn.add_way(501, [(0, 500), (10, 500), (10, 510), (0, 500)], building="yes")
    notices: list[Notice] = []
    streets = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX), notices=notices)
    assert notices == []
    assert streets.area == pytest.approx(BOX)
    assert streets.way_id.tolist() == [1, 2, 3, 101, 102, 500]
    assert len(streets.node_id) == 8
    assert streets.walk.tolist() == [3, 3, 3, 3, 3, 0]
    assert streets.drive.tolist() == [3, 3, 3, 3, 3, 1]
    assert streets.name.tolist() == ["", "", "", "", "", "M4"]
    first = streets.node[streets.first[3] : streets.first[4]]
    expected = [at(0, 0), at(100, 0), at(200, 0)]
    assert streets.lon[first] == pytest.approx([p[0] for p in expected], abs=1e-7)
    assert streets.lat[first] == pytest.approx([p[1] for p in expected], abs=1e-7)


def test_coverage_is_the_area_given_else_the_header_else_the_nodes(tmp_path):
    drawn = grid_city(3, 2)
    given = (0.0, 0.0, 0.001, 0.001)
    assert read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX), area=given).area == given
    notices: list[Notice] = []
    streets = read_streets(drawn.write(tmp_path / "b.osm.pbf"), notices=notices)
    assert streets.area == pytest.approx((*at(0, 0), *at(200, 100)), abs=1e-7)
    assert codes(notices) == ["streets_coverage_by_nodes"]
    assert notices[0].file == "b.osm.pbf"


def test_a_way_is_cut_where_nodes_are_missing(tmp_path):
    """1-2-(3 missing)-4-5-(6 missing)-7: two parts, 1-2 and 4-5, of one way; the lone 7 is nothing."""
    drawn = Drawn({n: (n * 10.0, 0.0) for n in (1, 2, 4, 5, 7)})
    drawn.ways[9] = ([1, 2, 3, 4, 5, 6, 7], {"highway": "path"})
    notices: list[Notice] = []
    streets = read_streets(drawn.write(tmp_path / "cut.osm.pbf", box=BOX), notices=notices)
    assert streets.way_id.tolist() == [9, 9]
    assert [streets.node_id[n] for n in streets.node] == [1, 2, 4, 5]
    assert codes(notices) == ["streets_nodes_missing"]
    assert notices[0].value == "2"


def test_a_file_with_ways_before_nodes_reads_the_same(tmp_path):
    drawn = grid_city(4, 3)
    usual = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX))
    mixed = read_streets(drawn.write(tmp_path / "b.osm.pbf", box=BOX, ways_first=True))
    for name in ("node_id", "lon", "lat", "way_id", "first", "node", "walk"):
        assert getattr(usual, name).tolist() == getattr(mixed, name).tolist()


def lines(streets) -> list[list[tuple[float, float]]]:
    """Where each way runs, whatever its nodes are called."""
    bounds = zip(streets.first[:-1], streets.first[1:], strict=True)
    rows = [streets.node[a:b] for a, b in bounds]
    return [list(zip(streets.lon[row].tolist(), streets.lat[row].tolist(), strict=True)) for row in rows]


@pytest.mark.parametrize("ways_first", [False, True])
@pytest.mark.parametrize("below", [lambda n: True, lambda n: n % 2 == 0], ids=["all", "some"])
def test_nodes_with_numbers_below_zero_are_nodes(tmp_path, below, ways_first):
    """A city with a pond (a multipolygon), its nodes, or every other one, renumbered downwards from -1: the same map."""
    city = grid_city(4, 3).add_way(900, [(0, 0), (30, 0), (30, 30), (0, 0)], natural="water")
    city.relations[3] = ([(900, "outer")], {"type": "multipolygon", "natural": "water"})
    named = {n: -n if below(n) else n for n in city.nodes}
    drawn = Drawn({named[n]: place for n, place in city.nodes.items()}, relations=city.relations)
    drawn.ways = {w: ([named[n] for n in refs], tags) for w, (refs, tags) in city.ways.items()}
    usual = read_streets(city.write(tmp_path / "a.osm.pbf", box=BOX))
    notices: list[Notice] = []
    found = read_streets(drawn.write(tmp_path / "b.osm.pbf", box=BOX, ways_first=ways_first), notices=notices)
    assert notices == []
    assert (lines(found), found.way_id.tolist()) == (lines(usual), usual.way_id.tolist())
    assert found.features.lon.tolist() == usual.features.lon.tolist()
    assert sorted(np.bincount(found.node)) == sorted(np.bincount(usual.node)) == [2] * 12


def test_a_node_below_zero_that_is_not_there_is_missing(tmp_path):
    drawn = Drawn({-1: (0.0, 0.0), -2: (10.0, 0.0)}, {5: ([-1, -2, -3], {"highway": "path"})})
    notices: list[Notice] = []
    streets = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX), notices=notices)
    assert (codes(notices), notices[0].value, streets.node_id.tolist()) == (["streets_nodes_missing"], "1", [-2, -1])


@pytest.mark.parametrize("keep_nodes", [False, True])
def test_ways_that_say_where_their_nodes_are(tmp_path, keep_nodes):
    """As ``osmium add-locations-to-ways`` writes them, without the nodes or with them: the same map."""
    city = grid_city(4, 3)
    plain = city.write(tmp_path / "a.osm.pbf", box=BOX)
    header = osmium.io.Header()
    header.add_box(osmium.osm.Box(*BOX))
    target = osmium.io.File(str(tmp_path / "b.osm.pbf"), "pbf,locations_on_ways=true")
    with osmium.SimpleWriter(target, header=header) as writer:
        for thing in osmium.FileProcessor(str(plain)).with_locations():
            if thing.is_way():
                writer.add_way(thing)
            elif keep_nodes:
                writer.add_node(thing)
    notices: list[Notice] = []
    found = read_streets(tmp_path / "b.osm.pbf", notices=notices)
    assert notices == []
    usual = read_streets(plain)
    assert lines(found) == lines(usual)
    assert found.node_id.tolist() == usual.node_id.tolist()


def test_nobody_passes_a_lift_that_is_closed(tmp_path):
    """A lift on the way from 0 to 200 m, at 100 m: the way is whole where it is open, and cut there where it is private."""
    drawn = Drawn().add_way(1, [(0, 0), (50, 0), (100, 0), (150, 0), (200, 0)], highway="corridor", indoor="yes")
    drawn.tagged[3] = {"highway": "elevator"}
    assert [len(line) for line in lines(read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX)))] == [5]
    drawn.tagged[3] = {"highway": "elevator", "access": "private"}
    notices: list[Notice] = []
    closed = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX), notices=notices)
    assert ([len(line) for line in lines(closed)], notices) == ([2, 2], [])


def test_a_corridor_without_a_class_is_a_corridor(tmp_path):
    drawn = Drawn().add_way(1, [(0, 0), (50, 0)], indoor="corridor").add_way(2, [(0, 0), (0, 9)], indoor="room")
    streets = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX))
    assert (streets.way_id.tolist(), streets.highway.tolist()) == ([1], ["corridor"])


def test_a_node_twice_running_counts_once(tmp_path):
    drawn = Drawn({1: (0.0, 0.0), 2: (10.0, 0.0)}, {5: ([1, 1, 2, 2], {"highway": "path"})})
    streets = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX))
    assert streets.node.tolist() == [0, 1]


def test_content_hash_follows_content_and_questions(tmp_path):
    """The same bytes under another name hash alike; another file, area or question does not."""
    one = read_streets(grid_city(3, 2).write(tmp_path / "a.osm.pbf", box=BOX))
    (tmp_path / "b.osm.pbf").write_bytes((tmp_path / "a.osm.pbf").read_bytes())
    same = read_streets(tmp_path / "b.osm.pbf")
    area = read_streets(tmp_path / "b.osm.pbf", area=BOX)
    asked = read_streets(tmp_path / "b.osm.pbf", places={"shops": {"shop": ["*"]}})
    other = read_streets(grid_city(4, 2).write(tmp_path / "c.osm.pbf", box=BOX))
    assert one.content_hash == same.content_hash
    assert len({one.content_hash, area.content_hash, asked.content_hash, other.content_hash}) == 4
    assert len(one.content_hash) == len(hashlib.sha256().hexdigest())


def test_what_lies_below_ground_is_read(tmp_path):
    """Of four ways in a file, a tunnel, a basement and a street in a cutting are below; each way keeps its own."""
    drawn = Drawn()
    for number, tags in enumerate([{}, {"tunnel": "yes"}, {"level": "-1"}, {"layer": "-1"}], start=1):
        drawn.add_way(number, [(0, 10 * number), (100, 10 * number)], highway="footway", **tags)
    found = read_streets(drawn.write(tmp_path / "ways.osm.pbf"))
    assert dict(zip(found.way_id.tolist(), found.below.tolist(), strict=True)) == {1: False, 2: True, 3: True, 4: True}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"<osm version='0.6'></osm>", "no OpenStreetMap PBF"),
        (b"PK\x03\x04 something zipped", "no OpenStreetMap PBF"),
    ],
)
def test_what_is_no_pbf_is_named(tmp_path, content, words):
    path = tmp_path / "town.osm.pbf"
    if content is not None:
        path.write_bytes(content)
    notices: list[Notice] = []
    with pytest.raises(StreetsError, match=r"town\.osm\.pbf") as fault:
        read_streets(path, notices=notices)
    assert words in str(fault.value)
    assert codes(notices) == ["streets_unreadable"]
    assert str(tmp_path) not in str(fault.value)


def test_a_cut_file_is_named(tmp_path):
    whole = grid_city(30, 30).write(tmp_path / "a.osm.pbf", box=BOX).read_bytes()
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(StreetsError, match=r"cut\.osm\.pbf.*cut off"):
        read_streets(cut)


def test_a_file_without_paths_is_an_error(tmp_path):
    drawn = Drawn().add_way(1, [(0, 0), (10, 0)], highway="motorway")
    with pytest.raises(StreetsError, match="open to people on foot"):
        read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX))


def test_the_outline_of_a_square_with_a_hole_is_walked(tmp_path):
    """A pedestrian square as a multipolygon, its outline in two untagged ways, one of which is a street already."""
    drawn = Drawn().add_way(1, [(0, 0), (100, 0)], highway="residential", name="Side")
    drawn.add_way(2, [(100, 0), (100, 100), (0, 100), (0, 0)], name="x")
    drawn.ways[2] = (drawn.ways[2][0], {})
    drawn.relations[7] = (
        [(1, "outer"), (2, "outer")],
        {"type": "multipolygon", "highway": "pedestrian", "name": "Market Place"},
    )
    streets = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX))
    assert streets.way_id.tolist() == [1, 2]
    assert streets.highway.tolist() == ["residential", "pedestrian"]
    assert streets.name.tolist() == ["Side", "Market Place"]
    assert (streets.walk.tolist(), streets.drive.tolist()) == ([3, 3], [3, 0])


def test_a_header_of_another_place_is_not_believed(tmp_path):
    notices: list[Notice] = []
    streets = read_streets(grid_city(3, 2).write(tmp_path / "a.osm.pbf", box=(5, 5, 6, 6)), notices=notices)
    assert streets.area == pytest.approx((*at(0, 0), *at(200, 100)), abs=1e-7)
    assert codes(notices) == ["streets_coverage_by_nodes"]


def test_a_history_file_is_refused(tmp_path):
    """A street that was moved stands in a history twice; what held when cannot be told."""
    path = tmp_path / "town.osh.pbf"
    with osmium.SimpleWriter(osmium.io.File(str(path), "osh.pbf")) as writer:
        for version in (1, 2):
            writer.add_node(mutable.Node(id=1, version=version, location=at(0, version)))
        writer.add_node(mutable.Node(id=2, version=1, location=at(100, 0)))
        writer.add_way(mutable.Way(id=1, version=1, nodes=[1, 2], tags={"highway": "path"}))
    with pytest.raises(StreetsError, match="old versions"):
        read_streets(path)


@pytest.mark.parametrize("area", [(0, 1, 1, 0), (0, 0, 200, 1), (1, 0, 1, 1), (0, -91, 1, 1)])
def test_an_impossible_area_is_an_error(tmp_path, area):
    path = grid_city(3, 2).write(tmp_path / "a.osm.pbf", box=BOX)
    with pytest.raises(StreetsError, match="west, south, east, north"):
        read_streets(path, area=area)


@pytest.mark.parametrize(
    "name", ["bangor_maine.osm.pbf", "felton.pbf", "delft-station.pbf", "fiji-ferry.pbf", "snake-rd.pbf"]
)
def test_small_real_extracts_read(name):
    """Every plain street with two neighbouring nodes in the file is in; the one across longitude 180 has west > east."""
    path: Path = shared_data("osm_small") / name
    streets = read_streets(path)
    expected = set()
    for way in osmium.FileProcessor(str(path)).with_locations():
        if way.is_way() and way.tags.get("highway") in ("residential", "footway", "steps", "tertiary", "path"):
            known = [node.location.valid() for node in way.nodes]
            if any(a and b for a, b in pairwise(known)) and "foot" not in way.tags and "access" not in way.tags:
                expected.add(way.id)
    assert expected
    assert expected <= set(streets.way_id[streets.walk > 0].tolist())
    west, _south, east, _north = streets.area
    assert (west > east) is (name == "fiji-ferry.pbf")
