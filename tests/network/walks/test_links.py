"""Walks: a grid city whose distances are arithmetic, and a slow twin in which every point is a node of the graph."""

from __future__ import annotations

import math
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest

from community_routes.base.notices import Notice
from community_routes.network.streets.streets import Streets, build_streets
from community_routes.network.walks import links as walks
from community_routes.network.walks.links import (
    CrowFly,
    link_points,
    walk_line_between,
    walks_between,
)
from community_routes.network.walks.points import Links, Points, walk_seconds
from community_routes.sources.osm.read import read_streets
from community_routes.sources.osm.street_map import StreetMap
from conftest import shared_data
from drawn_streets import Drawn, at, grid_city, walk_line

RADIUS = 6_371_008.8


def places(*spots: tuple[float, float]) -> Points:
    """Single points at so many metres east and north, with the ids p0, p1, ..."""
    lonlat = [at(*spot) for spot in spots]
    return Points.single([f"p{i}" for i in range(len(spots))], [p[0] for p in lonlat], [p[1] for p in lonlat])


def metres_of(links: Links) -> dict[tuple[int, int], float]:
    """Metres by (start, end)."""
    return dict(zip(zip(links.start().tolist(), links.to.tolist(), strict=True), links.metres.tolist(), strict=True))


def walk(streets: Streets | CrowFly, start: Points, end: Points | None = None, **options: float) -> Links:
    """Walks at 3.6 km/h, so that a second is a metre."""
    linked = link_points(streets, start, link_m=options.pop("link_m", 300.0))
    other = linked if end is None else link_points(streets, end)
    return walks_between(streets, linked, other, limit_s=int(options.pop("limit_s", 5000)), speed_kmh=3.6)


def test_round_the_corner():
    """From 30 m east of the corner (0, 0), 10 m off the street, to 40 m north of it, 5 m off: 10 + 30 + 40 + 5 m."""
    streets = build_streets(grid_city(5, 5).street_map())
    links = walk(streets, places((30, -10), (-5, 40)))
    assert links.metres == pytest.approx([0, 85, 85, 0], abs=1e-3)
    assert links.walk_s.tolist() == [0, 85, 85, 0] or links.walk_s.tolist() == [0, 86, 86, 0]


def test_walking_seconds_round_up():
    """100 m at 4.8 km/h are exactly 75 s; a centimetre more is 76 s."""
    assert walk_seconds(np.array([100.0, 100.01]), 4.8).tolist() == [75, 76]


def test_two_points_on_one_edge_walk_along_it():
    """On one block of 100 m, at 20 m and 70 m: 50 m, not round any corner."""
    streets = build_streets(grid_city(3, 3).street_map())
    assert metres_of(walk(streets, places((20, 0), (70, 0))))[0, 1] == pytest.approx(50, abs=1e-3)


def test_a_ring_is_walked_the_shorter_way():
    """A square ring of 400 m touched by one street at (0, 0): from 10 m to 390 m along it is 20 m, over the junction."""
    drawn = Drawn().add_way(1, [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)], highway="path")
    drawn.add_way(2, [(0, 0), (-500, 0)], highway="residential")
    assert metres_of(walk(build_streets(drawn.street_map()), places((10, 0), (0, 10))))[0, 1] == pytest.approx(
        20, abs=1e-3
    )


def test_a_limit_includes_equality():
    """A walk of 200 m at 3.6 km/h takes 200 s: within a limit of 200 s, not of 199 s."""
    streets = build_streets(grid_city(4, 2).street_map())
    for limit_s, expected in [(201, True), (199, False)]:
        links = walk(streets, places((50, 0), (250, 0)), limit_s=limit_s)
        assert ((0, 1) in metres_of(links)) is expected


def test_oneway_on_foot_is_kept():
    """A street of 100 m that may be walked east only, with a way round of 300 m: 80 m there, 320 m back (and on the
    street itself: from 20 m to 80 m is 60 m, back it is 340 m)."""
    drawn = Drawn().add_way(1, [(0, 0), (100, 0)], highway="footway", oneway__foot="yes")
    drawn.add_way(2, [(100, 0), (100, 100), (0, 100), (0, 0)], highway="footway")
    streets = build_streets(drawn.street_map())
    found = metres_of(walk(streets, places((20, 0), (80, 0), (100, 0), (0, 0))))
    assert found[0, 1] == pytest.approx(60, abs=1e-3)
    assert found[1, 0] == pytest.approx(340, abs=1e-3)
    assert found[0, 2] == pytest.approx(80, abs=1e-3)
    assert found[2, 0] == pytest.approx(320, abs=1e-3)


def test_the_shortest_of_several_entrances_counts():
    """A place with gates at 0 m and 300 m along the street, seen from 250 m: 50 m."""
    streets = build_streets(grid_city(5, 2).street_map())
    gates = Points(np.array(["park"], object), *np.array([at(0, 0), at(300, 0)]).T, np.zeros(2, np.int32))
    assert walk(streets, places((250, 0)), gates).metres == pytest.approx([50], abs=1e-3)
    assert walk(streets, gates, places((250, 0))).metres == pytest.approx([50], abs=1e-3)
    linked = link_points(streets, gates)
    other = link_points(streets, places((250, 0)))
    line = walk_line_between(streets, linked, 0, other, 0)
    assert line is not None and line[0] == pytest.approx(50, abs=1e-3)


def test_points_too_far_outside_or_unknown_are_not_linked():
    """Linked within 50 m: at 49 m yes, at 51 m no; outside the area and without coordinates no."""
    street_map = grid_city(3, 3).street_map(area=(*at(-100, -100), *at(300, 300)))
    spots = places((50, -49), (50, -51), (50, -101), (math.nan, 0))
    linked = link_points(build_streets(street_map), spots, link_m=50)
    assert linked.linked.tolist() == [True, False, False, False]
    assert linked.outside.tolist() == [False, False, True, False]
    assert linked.link_m[0] == pytest.approx(49, abs=1e-3)
    assert linked.border_m[:3] == pytest.approx([51, 49, 0], abs=1e-3)
    assert linked.near_edge(50).tolist() == [False, True, False, False]


def test_a_place_to_itself_is_zero_even_off_the_network():
    """Same list at both ends: 0 m from each to itself, linked or not; different lists: nothing for what is not linked."""
    streets = build_streets(grid_city(3, 3).street_map())
    spots = places((50, 0), (50, -900))
    assert metres_of(walk(streets, spots)) == {(0, 0): 0.0, (1, 1): 0.0}
    assert len(walk(streets, spots, places((50, -900))).to) == 0


def test_a_point_is_linked_past_an_island_and_the_shift_is_told():
    """A path of 60 m that joins nothing lies 5 m away, the street 40 m: the street is taken, and the notice says so."""
    drawn = grid_city(12, 12).add_way(900, [(20, -45), (80, -45)], highway="path")
    notices: list[Notice] = []
    linked = link_points(build_streets(drawn.street_map()), places((50, -40)), notices=notices)
    assert linked.link_m == pytest.approx([40], abs=1e-3)
    assert [notice.code for notice in notices] == ["linked_past_island"]
    assert "40 m instead of 5 m" in notices[0].message


def loop(drawn: Drawn, x: float, y: float, side_m: float) -> Drawn:
    """With a closed square path whose western side starts at (x, y), joined to nothing."""
    corners = [(x, y), (x + side_m, y), (x + side_m, y + side_m), (x, y + side_m), (x, y)]
    return drawn.add_way(900, corners, highway="path")


def test_a_long_loop_in_a_park_does_not_capture_who_lives_beside_the_street():
    """From 30 m off a loop of 2,400 m and 55 m off a street of 4 km: 55 + 1,000 + 10 m along the street."""
    drawn = loop(Drawn().add_way(1, [(-2000, 0), (2000, 0)], highway="residential"), 0, 85, 600)
    streets = build_streets(drawn.street_map())
    assert walk(streets, places((100, 55)), places((1100, 10))).metres == pytest.approx([1065], abs=1e-3)
    # The street is 301 m away, beyond the limit of 300 m: the loop is linked to. 300 m away it is the street.
    far = link_points(streets, places((100, 301), (100, 300)))
    assert far.link_m == pytest.approx([100, 300], abs=1e-3)


@pytest.mark.parametrize(("side_m", "linked"), [(501, True), (499, False)])
def test_another_part_counts_from_two_kilometres_on_and_is_told(side_m, linked):
    """Loops of 2,004 and 1,996 m, 500 m from the only street, of 4 km; of three places two lie at the loop."""
    drawn = loop(Drawn().add_way(1, [(-2000, 0), (2000, 0)], highway="residential"), 0, 500, side_m)
    notices: list[Notice] = []
    found = link_points(build_streets(drawn.street_map()), places((0, 10), (20, 490), (50, 480)), notices=notices)
    assert found.linked.tolist() == [True, linked, linked]
    if linked:
        (notice,) = notices
        assert (notice.code, notice.severity, notice.value) == ("linked_to_other_part", "warning", "2")
        assert "2 of 3 places (p1, p2) are too far from the largest connected part" in notice.message
        assert "as p1 to one of 2.0 km" in notice.message


@pytest.mark.parametrize("tag", [{"tunnel": "yes"}, {"level": "-1"}, {"layer": "-2"}, {"level": "0;-1"}])
def test_what_is_below_ground_is_walked_through_and_never_linked_to(tag):
    """A street of 1,000 m; from its end a ramp comes back below ground, 25 m beside it, and goes on to a second street.

    A shop at (500, 15) lies 10 m off the ramp and 15 m off the street: 500 + 15 m from the start of the street, not
    1,000 + 25 + 500 + 10 m. To the second street at (0, 325) one walks 1,000 + 25 + 1,000 + 300 m through the ramp.
    """
    drawn = Drawn().add_way(1, [(0, 0), (1000, 0)], highway="residential")
    drawn.add_way(2, [(1000, 0), (1000, 25), (0, 25)], highway="service", **tag)
    drawn.add_way(3, [(0, 25), (0, 325)], highway="residential")
    streets = build_streets(drawn.street_map())
    found = walk(streets, places((0, 0)), places((500, 15), (0, 325)))
    assert found.metres == pytest.approx([515, 2325], abs=1e-3)
    assert streets.to_networkx().number_of_edges() == 2 * streets.graph.n_edges


def test_nothing_is_linked_where_all_lies_below_ground():
    """A tunnel alone, 10 m away: the place is off the network."""
    streets = build_streets(Drawn().add_way(1, [(0, 0), (3000, 0)], highway="footway", tunnel="yes").street_map())
    assert link_points(streets, places((50, 10))).linked.tolist() == [False]


def test_the_same_spot_in_two_lists_is_no_walk():
    """48 m off the street, under another id and written to six decimals: 0 m; 1 m beside it 48 + 1 + 48 m.

    A place with a gate there is reached at once too, and what is off the network has no walk at all.
    """
    streets = build_streets(grid_city(3, 3).street_map())
    lon, lat = at(50, -48)
    beside = at(51, -48)
    file = Points.single(["x", "y"], [round(lon, 6), beside[0]], [round(lat, 6), beside[1]])
    assert walk(streets, places((50, -48)), file).metres == pytest.approx([0, 97], abs=1e-3)
    gates = Points(np.array(["park"], object), *np.array([at(200, 0), (lon, lat)]).T, np.zeros(2, np.int32))
    assert walk(streets, places((50, -48)), gates).metres.tolist() == [0]
    start, end = link_points(streets, places((50, -48))), link_points(streets, gates)
    line = walk_line_between(streets, start, 0, end, 0)
    assert line is not None and line[0] == 0 and line[1].tolist() == [lon, lon]


def test_two_platforms_drawn_on_one_spot_stay_two():
    """Stops of one list with the same coordinates, 8 m off the street: 16 m over the street, and 0 m each to itself."""
    streets = build_streets(grid_city(3, 3).street_map())
    found = metres_of(walk(streets, places((50, -8), (50, -8))))
    assert found == pytest.approx({(0, 0): 0, (0, 1): 16, (1, 0): 16, (1, 1): 0}, abs=1e-3)


def test_walks_of_nothing_are_put_in_their_place():
    """Of three places the first walks to 1 in 9 s: with nothing from 0 to 1, from 0 to 4 and from 2 to 0."""
    links = Links(
        np.array([0, 2, 2, 2]), np.array([1, 2], np.int32), np.array([9, 8], np.int32), np.array([12.0, 11.0])
    )
    found = links.with_nothing(np.array([2, 0, 0]), np.array([0, 4, 1]))
    assert found.first.tolist() == [0, 3, 3, 4] and found.to.tolist() == [1, 2, 4, 0]
    assert found.walk_s.tolist() == [0, 8, 0, 0] and found.metres.tolist() == [0.0, 11.0, 0.0, 0.0]


def test_a_wheelchair_takes_no_steps():
    """Two parallel streets joined by steps of 20 m and by a ramp 200 m away: 20 m on foot, 420 m without steps."""
    drawn = Drawn().add_way(1, [(0, 0), (200, 0)], highway="residential")
    drawn.add_way(2, [(0, 20), (200, 20)], highway="residential")
    drawn.add_way(3, [(0, 0), (0, 20)], highway="steps").add_way(4, [(200, 0), (200, 20)], highway="footway")
    ends = places((0, 0), (0, 20))
    assert metres_of(walk(build_streets(drawn.street_map()), ends))[0, 1] == pytest.approx(20, abs=1e-3)
    without = build_streets(drawn.street_map(), wheelchair=True)
    assert metres_of(walk(without, ends))[0, 1] == pytest.approx(420, abs=1e-3)


def test_crow_fly_is_the_great_circle_times_the_detour():
    """300 m east and 400 m north is 500 m, times 1.3; a second place 1,000 m on is beyond 1,000 s."""
    links = walk(CrowFly(1.3), places((0, 0)), places((300, 400), (600, 800)), limit_s=1000)
    assert links.to.tolist() == [0]
    assert links.metres == pytest.approx([650], abs=1e-3)


def test_crow_fly_equals_every_pair_by_the_formula():
    """200 places with up to 3 points each, on both sides of longitude 180: the same pairs as by brute force."""
    rng = np.random.default_rng(1)

    def some(n: int) -> Points:
        place = np.sort(np.concatenate([np.arange(n), rng.integers(0, n, n)])).astype(np.int32)
        lon = (180 + rng.normal(0, 0.01, 2 * n) + 180) % 360 - 180
        return Points(np.arange(n).astype(str).astype(object), lon, 60 + rng.normal(0, 0.01, 2 * n), place)

    start, end = some(100), some(200)
    found = metres_of(walk(CrowFly(1.2), start, end, limit_s=700))
    expected: dict[tuple[int, int], float] = {}
    for i in range(len(start.lon)):
        for j in range(len(end.lon)):
            metres = 1.2 * chord_metres(start.lon[i], start.lat[i], end.lon[j], end.lat[j])
            pair = (int(start.place[i]), int(end.place[j]))
            if math.ceil(metres - 1e-6) <= 700:
                expected[pair] = min(metres, expected.get(pair, math.inf))
    assert found.keys() == expected.keys()
    assert len(expected) > 500
    assert max(abs(found[pair] - expected[pair]) for pair in expected) < 1e-6


def test_walk_line_follows_the_streets():
    """Round the corner of a block, 10 m off the street at both ends: six places on the way, 10 + 80 + 60 + 10 m."""
    streets = build_streets(grid_city(3, 3).street_map())
    line = walk_line(streets, at(20, -10), at(110, 60))
    assert line is not None
    metres, lon, lat = line
    assert metres == pytest.approx(160, abs=1e-3)
    expected = [at(20, -10), at(20, 0), at(100, 0), at(100, 60), at(110, 60)]
    assert lon == pytest.approx([p[0] for p in expected], abs=1e-9)
    assert lat == pytest.approx([p[1] for p in expected], abs=1e-9)
    assert walk_line(streets, at(20, -10), at(20, -900)) is None


def test_threads_and_direction_change_nothing():
    """The same walks with 1 and 2 threads, to the bit; and from the ends' side (fewer ends than starts), to 1e-9 m."""
    streets = build_streets(random_city(3).street_map())
    rng = np.random.default_rng(5)
    many, few = (Points.single(np.arange(n), *random_spots(rng, n)) for n in (150, 40))
    a, b = link_points(streets, many), link_points(streets, few)
    one = walks_between(streets, a, b, limit_s=900, speed_kmh=4.0)
    two = walks_between(streets, a, b, limit_s=900, speed_kmh=4.0, threads=2)
    for name in ("first", "to", "walk_s", "metres"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert len(one.to) > 500
    assert metres_of(one) == pytest.approx(
        slow_walks(streets, random_city(3).street_map(), many, few, 1000.0), abs=1e-6
    )


def test_a_queue_too_short_at_first_changes_nothing(monkeypatch):
    """Room for 18 junctions where some 40 are reached: the search begins again with more, and finds the same."""
    streets = build_streets(random_city(2).street_map())
    start = places((450, 450))
    points = Points.single(np.arange(60), *random_spots(np.random.default_rng(8), 60))
    usual = walk(streets, start, points, limit_s=1500)
    monkeypatch.setattr(walks, "_ROOM_A_JUNCTION", 0)
    short = walk(streets, start, points, limit_s=1500)
    assert streets.graph.n_nodes > 30 and len(usual.to) > 40
    assert usual.to.tolist() == short.to.tolist()
    assert usual.metres.tolist() == short.metres.tolist()


# ---- the slow twin ---------------------------------------------------------------------------------------------------


def chord_metres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Great-circle metres by the angle between two vectors: another formula than the program's."""
    a, b = (
        np.array([math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)])
        for x, y in ((math.radians(lon_a), math.radians(lat_a)), (math.radians(lon_b), math.radians(lat_b)))
    )
    return RADIUS * 2 * math.asin(min(1.0, float(np.linalg.norm(a - b)) / 2))


def slow_walks(
    streets: Streets, street_map: StreetMap, start: Points, end: Points, limit_m: float, link_m: float = 300.0
) -> dict[tuple[int, int], float]:
    """Every point becomes a node on the piece of street nearest to it; then Dijkstra by networkx.

    Of ``streets`` only the rule for small parts is taken.
    """
    pieces = street_pieces(street_map, streets.min_component_m)
    cuts: dict[int, list[tuple[float, tuple[str, int]]]] = {}
    graph = nx.DiGraph()
    for name, points in (("s", start), ("e", end)):
        for row in range(len(points.lon)):
            piece, share, metres = slow_link(pieces, float(points.lon[row]), float(points.lat[row]))
            if metres <= link_m:
                cuts.setdefault(piece, []).append((share, (name + "on", row)))
                if name == "s":
                    join(graph, ("s", row), ("son", row), metres)
                else:
                    join(graph, ("eon", row), ("e", row), metres)
    for number, (a, b, flags, metres, *_rest) in enumerate(pieces):
        stops = [(0.0, a), *sorted(cuts.get(number, [])), (1.0, b)]
        for (t, u), (v_t, v) in pairwise(stops):
            if flags & 1 or v_t == t:
                join(graph, u, v, (v_t - t) * metres)
            if flags & 2 or v_t == t:
                join(graph, v, u, (v_t - t) * metres)
    found: dict[tuple[int, int], float] = {}
    for row in range(len(start.lon)):
        if ("s", row) not in graph:
            continue
        reached = nx.single_source_dijkstra_path_length(graph, ("s", row), cutoff=limit_m)
        for node, metres in reached.items():
            if isinstance(node, tuple) and node[0] == "e":
                pair = (int(start.place[row]), int(end.place[node[1]]))
                found[pair] = min(metres, found.get(pair, math.inf))
    return found


def join(graph: nx.DiGraph, u: object, v: object, metres: float) -> None:
    """Join two nodes unless a shorter arc does so already."""
    if not graph.has_edge(u, v) or graph[u][v]["weight"] > metres:
        graph.add_edge(u, v, weight=metres)


def street_pieces(street_map: StreetMap, min_component_m: float) -> list[tuple]:
    """Pieces between neighbouring nodes of walkable ways: (a, b, flags, metres, lon a, lat a, lon b, lat b, usable)."""
    pieces = []
    for way in range(street_map.n_ways):
        nodes = street_map.node[street_map.first[way] : street_map.first[way + 1]].tolist()
        if street_map.walk[way]:
            for a, b in pairwise(nodes):
                ends = [float(v) for n in (a, b) for v in (street_map.lon[n], street_map.lat[n])]
                pieces.append((a, b, int(street_map.walk[way]), chord_metres(*ends), *ends))
    whole = nx.Graph([(a, b) for a, b, *_rest in pieces])
    part_of = {node: i for i, part in enumerate(nx.connected_components(whole)) for node in part}
    length: dict[int, float] = {}
    for a, _b, _flags, metres, *_rest in pieces:
        length[part_of[a]] = length.get(part_of[a], 0.0) + metres
    enough = min(min_component_m, max(length.values()))
    return [(*piece, length[part_of[piece[0]]] >= enough - 1e-6) for piece in pieces]


def slow_link(pieces: list[tuple], lon: float, lat: float) -> tuple[int, float, float]:
    """The nearest usable piece in the local plane, the share along it, and great-circle metres to the spot."""
    values = np.array([piece[4:8] for piece in pieces])
    k = np.array([math.cos(math.radians(lat)), 1.0])
    a = (values[:, :2] - [lon, lat]) * k
    d = (values[:, 2:] - values[:, :2]) * k
    share = np.clip(-(a * d).sum(axis=1) / (d * d).sum(axis=1), 0, 1)
    away = np.hypot(*(a + share[:, None] * d).T)
    away[[not piece[8] for piece in pieces]] = np.inf
    best = int(np.argmin(away))
    spot = values[best, :2] + share[best] * (values[best, 2:] - values[best, :2])
    return best, float(share[best]), chord_metres(lon, lat, *spot.tolist())


def random_city(seed: int) -> Drawn:
    """A crooked grid with streets missing, one-way paths, steps, parallel paths and rings."""
    rng = np.random.default_rng(seed)
    n = 7
    spot = {
        (i, j): (i * 150 + float(rng.uniform(-50, 50)), j * 150 + float(rng.uniform(-50, 50)))
        for i in range(n)
        for j in range(n)
    }
    drawn = Drawn()
    number = 0
    for (i, j), here in spot.items():
        for there in (spot.get((i + 1, j)), spot.get((i, j + 1))):
            if there is None or rng.random() < 0.2:
                continue
            number += 1
            middle = tuple(float((a + b) / 2 + rng.uniform(-30, 30)) for a, b in zip(here, there, strict=True))
            line = [here, middle, there] if rng.random() < 0.5 else [here, there]
            tags = {"oneway__foot": str(rng.choice(["yes", "-1"]))} if rng.random() < 0.15 else {}
            drawn.add_way(number, line, highway=str(rng.choice(["footway", "residential", "steps"])), **tags)
    drawn.add_way(900, [spot[3, 3], (spot[3, 3][0] + 40, 500), (spot[3, 3][0], 540), spot[3, 3]], highway="path")
    return drawn


def random_spots(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of random places in and around a random city."""
    lonlat = np.array([at(*rng.uniform(-150, 1050, 2)) for _ in range(n)])
    return lonlat[:, 0], lonlat[:, 1]


@pytest.mark.parametrize("seed", range(8))
def test_walks_equal_the_slow_twin(seed):
    """Random crooked cities, 60 starts (some with two points) and 50 ends: the same pairs, metres to 1e-6."""
    rng = np.random.default_rng(100 + seed)
    street_map = random_city(seed).street_map()
    streets = build_streets(street_map)
    place = np.sort(np.concatenate([np.arange(40), rng.integers(0, 40, 20)])).astype(np.int32)
    start = Points(np.arange(40).astype(object), *random_spots(rng, 60), place)
    end = Points.single(np.arange(50), *random_spots(rng, 50))
    found = metres_of(walk(streets, start, end, limit_s=800))
    expected = slow_walks(streets, street_map, start, end, 800 + 1e-6)
    assert found.keys() == expected.keys()
    assert len(found) > 400
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_walks_in_newport_equal_the_slow_twin():
    """25 places to 25 others in the real streets, up to 3 km: the same pairs, metres to 1e-6."""
    street_map = read_streets(shared_data("newport_wales") / "newport-2023-06-13.osm.pbf")
    streets = build_streets(street_map)
    rng = np.random.default_rng(7)
    start, end = (
        Points.single(np.arange(25), rng.uniform(-3.03, -2.97, 25), rng.uniform(51.56, 51.59, 25)) for _ in range(2)
    )
    found = metres_of(walk(streets, start, end, limit_s=3000))
    expected = slow_walks(streets, street_map, start, end, 3000 + 1e-6)
    assert found.keys() == expected.keys()
    assert len(found) > 200
    assert found == pytest.approx(expected, abs=1e-6)
