"""Runs the drawn bus routes along the streets: their courses, stops beside the road with names, and run times."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString

from sample import plan
from sample.ground import Geometry, warp_points
from sample.lines import ROUTES, BusRoute
from sample.streets import DRIVABLE, Network

LIKED = {
    "trunk": 0.8,
    "primary": 0.8,
    "secondary": 0.85,
    "tertiary": 0.9,
    "unclassified": 1.05,
    "residential": 1.35,
    "service": 2.0,
}
SPEED_KMH = {
    "trunk": 44.0,
    "primary": 27.0,
    "secondary": 28.0,
    "tertiary": 25.0,
    "unclassified": 24.0,
    "residential": 20.0,
    "service": 12.0,
}
DWELL_S = 17
STANDS = "ABCDEFGH"


@dataclass(frozen=True)
class Stop:
    """A stop beside the road: place in metres, name, and the piece of road and direction it serves."""

    stop_id: str
    name: str
    xy: tuple[float, float]
    edge: int
    forward: bool
    at_m: float
    parent: str = ""
    platform: str = ""
    wheelchair: int = 1


@dataclass(frozen=True)
class Course:
    """One direction of a route: the road it takes and where along it the stops are.

    ``xy`` is the drawn course, ``stops`` rows of the list of stops, ``at_m`` their distance along the course and
    ``run_s`` the seconds from the first stop at a quiet hour.
    """

    route: BusRoute
    direction: int
    xy: NDArray[np.float64]
    stops: list[int]
    at_m: list[float]
    run_s: list[float]


@dataclass
class Map:
    """The drivable streets as a graph, and what is already known of stops."""

    network: Network
    graph: nx.DiGraph
    main: set[int]
    stops: list[Stop] = field(default_factory=list)
    by_road: dict[tuple[int, bool], list[int]] = field(default_factory=dict)
    side_names: dict[int, list[str]] = field(default_factory=dict)


def build_map(network: Network) -> Map:
    """The streets that a bus may take, each way it may take them."""
    graph = nx.DiGraph()
    names: dict[int, list[str]] = {}
    for k, edge in enumerate(network.edges):
        street = network.streets[edge.street]
        for node in edge.ends:
            if street.name and street.highway in DRIVABLE and street.name not in names.setdefault(node, []):
                names[node].append(street.name)
        if street.highway not in DRIVABLE or edge.ends[0] == edge.ends[1]:
            continue
        cost = edge.line.length * LIKED[street.highway]
        one_way = ("oneway", "yes") in street.tags
        for forward, (a, b) in ((True, edge.ends), (False, edge.ends[::-1])):
            if (forward or not one_way) and (not graph.has_edge(a, b) or graph.edges[a, b]["cost"] > cost):
                graph.add_edge(a, b, cost=cost, edge=k, forward=forward)
    core = max(nx.strongly_connected_components(graph), key=len)
    main = {
        node
        for edge in network.edges
        if network.streets[edge.street].kind in ("main", "through") and network.streets[edge.street].highway in DRIVABLE
        for node in edge.ends
        if node in core
    }
    return Map(network, graph.subgraph(core).copy(), main, side_names=names)


def landmarks() -> list[tuple[str, tuple[float, float], float]]:
    """Names that people give as directions: the name, where it is (metres, after the warp), and how far it carries."""
    drawn_at = [(name, at, 380.0) for name, at, _ in (*plan.WORKS, plan.RETAIL)]
    drawn_at += [("Royal Infirmary", plan.HOSPITAL[1], 480.0), (*plan.COLLEGE[:2], 220.0)]
    drawn_at += [("Market Place", plan.MARKET, 190.0), ("Overdale Market Street", plan.OVERDALE, 190.0)]
    drawn_at += [(f"{name} Railway Station", at, 220.0) for _, name, at in plan.STATIONS]
    drawn_at += [(name, at, 190.0) for name, at in plan.PARKS]
    drawn_at += [(name, at, 260.0) for kind, name, at in plan.PLACES if kind not in ("town", "hamlet")]
    spots = warp_points(np.asarray([at for _, at, _ in drawn_at], float))
    return [(name, (float(x), float(y)), carry) for (name, _, carry), (x, y) in zip(drawn_at, spots, strict=True)]


def path_of(roads: Map, via: list[tuple[float, float]]) -> list[tuple[int, bool]]:
    """Pieces of road, each with its direction, through the drawn points in order, without turning on the spot."""
    ends = np.asarray(sorted(roads.graph.nodes))
    between = np.asarray(sorted(roads.main))
    spots = warp_points(np.asarray(via, float))
    keys = []
    for k, spot in enumerate(spots):
        nodes = ends if k in (0, len(spots) - 1) or via[k] == plan.BUS_STATION else between
        keys.append(int(nodes[np.hypot(*(roads.network.nodes[nodes] - spot).T).argmin()]))
    pieces: list[tuple[int, bool]] = []
    for a, b in itertools.pairwise(keys):
        graph = roads.graph
        if pieces:
            # a bus does not turn round in the road: forbid the way back over the last piece
            last = pieces[-1]
            first, second = roads.network.edges[last[0]].ends
            back = (second, first) if last[1] else (first, second)
            graph = nx.restricted_view(roads.graph, [], [back] if roads.graph.has_edge(*back) else [])
            if not nx.has_path(graph, a, b):
                graph = roads.graph
        way = nx.shortest_path(graph, a, b, weight="cost")
        pieces += [
            (roads.graph.edges[u, v]["edge"], roads.graph.edges[u, v]["forward"]) for u, v in itertools.pairwise(way)
        ]
    return pieces


def oriented(roads: Map, piece: tuple[int, bool]) -> Geometry:
    """The line of a piece of road in the direction of travel."""
    line = roads.network.edges[piece[0]].line
    return line if piece[1] else shapely.reverse(line)


def beside(line: Geometry, along: float) -> tuple[float, float]:
    """A point five metres to the left of a line."""
    here, ahead = line.interpolate(along), line.interpolate(min(along + 1, line.length))
    back = line.interpolate(max(along - 1, 0))
    dx, dy = ahead.x - back.x, ahead.y - back.y
    run = max(math.hypot(dx, dy), 1e-9)
    return (round(here.x - dy / run * 5, 2), round(here.y + dx / run * 5, 2))


def name_for(roads: Map, edge: int, xy: tuple[float, float]) -> str:
    """What people call a stop: the opposite stop's name, else the side street, else its own street."""
    own = roads.network.streets[roads.network.edges[edge].street].name
    for stop in roads.stops:
        other = roads.network.streets[roads.network.edges[stop.edge].street].name
        if other == own and math.dist(stop.xy, xy) < 110 and not stop.parent:
            return stop.name
    ends = sorted(roads.network.edges[edge].ends, key=lambda node: math.dist(roads.network.nodes[node], xy))
    sides = [name for node in ends for name in roads.side_names.get(node, []) if name != own]
    close = sorted((math.dist(at, xy), name, carry) for name, at, carry in landmarks())
    near = next(name for _, name, _ in close if name in {place[1] for place in plan.PLACES})
    wanted = [name for away, name, carry in close if away < carry]
    wanted += [*sides, *([own] if own else []), *(f"{side} {own}" for side in sides)]
    wanted += [f"{near} {own}"] if near not in own else []
    wanted += [f"{near} {word}" for word in ("Green", "Fold", "Top", "Bottoms", "Cross", "Well")]
    for name in wanted:
        if name and all(math.dist(stop.xy, xy) < 230 for stop in roads.stops if stop.name == name):
            return name
    return f"{own or near} {sum(stop.name.startswith(own or near) for stop in roads.stops) + 1}"


def add_stop(roads: Map, piece: tuple[int, bool], along: float, wheelchair: int) -> int:
    """Put up a stop; returns its row."""
    xy = beside(oriented(roads, piece), along)
    number = len(roads.stops) + 1
    stop = Stop(f"9900M{number:05d}", name_for(roads, piece[0], xy), xy, *piece, round(along, 1), wheelchair=wheelchair)
    roads.stops.append(stop)
    roads.by_road.setdefault(piece, []).append(number - 1)
    return number - 1


def lay_course(roads: Map, route: BusRoute, direction: int, stand: dict[str, int]) -> Course:
    """The course of one direction, with stops: those that are there already where they suit, else new ones."""
    via = route.via if direction == 0 else route.via[::-1]
    pieces = path_of(roads, via)
    lines = [oriented(roads, piece) for piece in pieces]
    starts = np.concatenate([[0.0], np.cumsum([line.length for line in lines])])
    known = sorted(
        (float(starts[k]) + roads.stops[row].at_m, row)
        for k, piece in enumerate(pieces)
        for row in roads.by_road.get(piece, [])
    )
    total = float(starts[-1])
    at_station = [via[0] == plan.BUS_STATION, via[-1] == plan.BUS_STATION]
    chosen: list[tuple[float, int]] = []
    at = 0.0
    if not at_station[0]:
        chosen.append(stop_at(roads, pieces, lines, starts, min(25.0, total), known))
        at = chosen[0][0]
    last = total - (260.0 if at_station[1] else 25.0)
    while True:
        near = [item for item in known if at + 0.6 * route.stride_m <= item[0] <= min(at + 1.35 * route.stride_m, last)]
        target = at + route.stride_m
        if near:
            chosen.append(min(near, key=lambda item: abs(item[0] - target)))
        elif target < last - 0.4 * route.stride_m:
            chosen.append(stop_at(roads, pieces, lines, starts, target, known))
        else:
            break
        at = chosen[-1][0]
    if not at_station[1]:
        end = stop_at(roads, pieces, lines, starts, max(total - 20.0, 0.0), known)
        if end[1] != chosen[-1][1]:
            chosen.append(end)
    if at_station[0]:
        chosen.insert(0, (0.0, stand[route.route_id]))
    if at_station[1]:
        chosen.append((total, stand[f"{route.route_id} arrivals"] if route.loop is False else stand[route.route_id]))
    xy = np.vstack([np.asarray(line.coords)[: -1 if k < len(lines) - 1 else None] for k, line in enumerate(lines)])
    clock = [driving_s(roads, pieces, starts, at_m) + DWELL_S * k for k, (at_m, _) in enumerate(chosen)]
    return Course(
        route,
        direction,
        xy,
        [row for _, row in chosen],
        [round(m, 1) for m, _ in chosen],
        [c - clock[0] for c in clock],
    )


def stop_at(
    roads: Map,
    pieces: list[tuple[int, bool]],
    lines: list[Geometry],
    starts: NDArray[np.float64],
    at: float,
    known: list[tuple[float, int]],
) -> tuple[float, int]:
    """The stop at a distance along a course: one within 70 m, else a new one."""
    near = [item for item in known if abs(item[0] - at) <= 70]
    if near:
        return min(near, key=lambda item: abs(item[0] - at))
    k = min(int(np.searchsorted(starts, at, side="right")) - 1, len(pieces) - 1)
    along = min(max(at - float(starts[k]), 8.0), max(lines[k].length - 8.0, lines[k].length / 2))
    row = add_stop(roads, pieces[k], along, 2 if len(roads.stops) % 17 == 5 else 1)
    item = (float(starts[k]) + along, row)
    known.append(item)
    known.sort()
    return item


def driving_s(roads: Map, pieces: list[tuple[int, bool]], starts: NDArray[np.float64], at: float) -> float:
    """Seconds of driving to a distance along a course at a quiet hour."""
    total = 0.0
    for k, piece in enumerate(pieces):
        run = min(at, float(starts[k + 1])) - float(starts[k])
        if run <= 0:
            break
        total += run / SPEED_KMH[roads.network.streets[roads.network.edges[piece[0]].street].highway] * 3.6
    return total


def put_up_stands(roads: Map) -> dict[str, int]:
    """The stands of the bus station; returns the stand of each route and its place to set down."""
    nodes = np.asarray(sorted(roads.graph.nodes))
    spot = warp_points(np.asarray([plan.BUS_STATION]))[0]
    middle = int(nodes[np.hypot(*(roads.network.nodes[nodes] - spot).T).argmin()])
    arms = [
        (data["edge"], data["forward"])
        for _, _, data in sorted(roads.graph.out_edges(middle, data=True), key=lambda item: item[1])
    ]
    stand: dict[str, int] = {}
    rows: list[int] = []
    for k, letter in enumerate(STANDS):
        piece = arms[k % len(arms)]
        line = oriented(roads, piece)
        along = min(6.0 + 11.0 * (k // len(arms)), line.length * 0.8)
        roads.stops.append(
            Stop(
                f"9900MBS{letter}",
                "Millgate Bus Station",
                beside(line, along),
                *piece,
                round(along, 1),
                "9900MBS",
                letter,
            )
        )
        rows.append(len(roads.stops) - 1)
    users = [route for route in ROUTES if plan.BUS_STATION in route.via]
    for k, route in enumerate(users):
        stand[route.route_id] = rows[k % (len(rows) - 1)]
        stand[f"{route.route_id} arrivals"] = rows[-1]
    return stand


def lay_routes(network: Network) -> tuple[list[Stop], list[Course]]:
    """Stops and courses of all bus routes."""
    roads = build_map(network)
    stand = put_up_stands(roads)
    courses = []
    for route in ROUTES:
        for direction in (0,) if route.loop else (0, 1):
            courses.append(lay_course(roads, route, direction, stand))
    return roads.stops, courses


def drawn(course: Course) -> Geometry:
    """The course as a line."""
    return LineString(course.xy)
