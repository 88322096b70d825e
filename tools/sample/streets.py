"""Joins the drawn streets at their crossings, keeps what hangs together, warps it, names it and gives each way its tags."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass

import networkx as nx
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString

from sample import plan
from sample.fills import Street
from sample.ground import Geometry, lines_of, warp_points
from sample.town import Town

GRID_M = 0.5
RANK = [
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "unclassified",
    "residential",
    "pedestrian",
    "service",
    "track",
    "footway",
    "path",
]
DRIVABLE = set(RANK[:6]) | {"service"}
SUFFIX = {
    "terrace": ["Street", "Street", "Street", "Terrace", "Row"],
    "centre": ["Street", "Street", "Lane", "Place", "Fold"],
    "semi": ["Road", "Avenue", "Avenue", "Drive"],
    "village": ["Lane", "Fold", "Road", "Brow"],
    "estate": ["Crescent", "Avenue", "Road", "Walk", "Drive"],
    "close": ["Close", "Close", "Drive", "Way", "Croft", "Mews", "Gardens"],
    "works": ["Way", "Road", "Court"],
    "through": ["Road", "Road", "Lane", "Brow"],
}


@dataclass(frozen=True)
class Edge:
    """A piece of street between two crossings, in metres after the warp, both ends included."""

    street: int
    line: Geometry
    ends: tuple[int, int]


@dataclass(frozen=True)
class Network:
    """All streets that hang together.

    Attributes
    ----------
    streets : list of Street
        What the edges are pieces of, with names.
    edges : list of Edge
    nodes : float64, shape (n_nodes, 2)
        Crossings and ends in metres, after the warp.
    """

    streets: list[Street]
    edges: list[Edge]
    nodes: NDArray[np.float64]


def owner_of(pieces: list[Geometry], streets: list[Street]) -> list[int]:
    """Which drawn street each noded piece is a part of: the most important one that runs along it."""
    tree = shapely.STRtree([street.line for street in streets])
    middles = shapely.line_interpolate_point(np.asarray(pieces, dtype=object), 0.5, normalized=True)
    piece, street = tree.query(middles, predicate="dwithin", distance=1.2)
    best: dict[int, tuple[int, int]] = {}
    for p, s in zip(piece.tolist(), street.tolist(), strict=True):
        key = (RANK.index(streets[s].highway), s)
        best[p] = min(best.get(p, key), key)
    return [best[p][1] for p in range(len(pieces))]


def join(drawn: list[Street]) -> tuple[list[Geometry], list[int]]:
    """Cut all streets at their crossings; returns the pieces and the street each belongs to."""
    union = shapely.union_all([street.line for street in drawn], grid_size=GRID_M)
    pieces = [line for line in lines_of(union) if line.length >= GRID_M]
    pieces.sort(key=lambda line: (line.coords[0], line.coords[-1], round(line.length, 1)))
    return pieces, owner_of(pieces, drawn)


def merged(pieces: list[Geometry], owner: list[int]) -> list[tuple[int, Geometry]]:
    """Pieces of one street that follow each other without a crossing between them, as one line."""
    degree: defaultdict[tuple[float, float], int] = defaultdict(int)
    for piece in pieces:
        degree[piece.coords[0]] += 1
        degree[piece.coords[-1]] += 1
    by_street: defaultdict[int, list[Geometry]] = defaultdict(list)
    for piece, street in zip(pieces, owner, strict=True):
        by_street[street].append(piece)
    found: list[tuple[int, Geometry]] = []
    for street in sorted(by_street):
        lines = lines_of(shapely.line_merge(shapely.union_all(by_street[street])))
        for line in lines:
            inner = [k for k, at in enumerate(line.coords) if 0 < k < len(line.coords) - 1 and degree[at] > 2]
            cuts = [0, *inner, len(line.coords) - 1]
            found += [(street, LineString(line.coords[a : b + 1])) for a, b in itertools.pairwise(cuts)]
    return found


def along(line: Geometry, street: Street) -> Geometry:
    """The line in the direction in which its street was drawn."""
    start, end = (shapely.line_locate_point(street.line, shapely.Point(line.coords[k])) for k in (0, -1))
    return line if start <= end else shapely.reverse(line)


def prune(edges: list[tuple[int, Geometry]], streets: list[Street]) -> list[tuple[int, Geometry]]:
    """Drop crumbs of dead ends and everything that does not hang together with the market place."""
    while True:
        graph = nx.MultiGraph()
        for k, (_, line) in enumerate(edges):
            graph.add_edge(line.coords[0], line.coords[-1], key=k)
        crumbs = {
            k
            for a, b, k in graph.edges(keys=True)
            if edges[k][1].length < 14 and a != b and min(graph.degree[a], graph.degree[b]) == 1
        }
        main = max(nx.connected_components(graph), key=len)
        kept = [edge for k, edge in enumerate(edges) if k not in crumbs and edge[1].coords[0] in main]
        if len(kept) == len(edges):
            return edges
        edges = kept


def bent(line: Geometry) -> Geometry:
    """The line after the warp, with no more points than it needs."""
    dense = shapely.segmentize(line, 35.0)
    return LineString(
        np.round(shapely.get_coordinates(shapely.simplify(shapely.transform(dense, warp_points), 1.8)), 2)
    )


def named(streets: list[Street], used: set[int]) -> list[Street]:
    """Give every local street a name of its kind, none twice."""
    rng = np.random.default_rng(plan.SEED + 7)
    words = plan.NAME_WORDS.split()
    taken = {street.name for street in streets}
    out: list[Street] = []
    for k, street in enumerate(streets):
        name = street.name
        if not name and k in used and street.kind in SUFFIX and street.highway in DRIVABLE | {"pedestrian"}:
            for _ in range(60):
                suffix = SUFFIX[street.kind][int(rng.integers(len(SUFFIX[street.kind])))]
                name = f"{words[int(rng.integers(len(words)))]} {suffix}"
                if name not in taken:
                    break
            else:
                name = ""
            taken.add(name)
        out.append(Street(street.line, street.highway, street.homes_per_m, name, street.kind, street.tags))
    return out


def one_way(edges: list[Edge], streets: list[Street], nodes: int) -> set[int]:
    """Some through terraces become one-way streets, as long as every driver can still get everywhere."""
    rng = np.random.default_rng(plan.SEED + 8)
    degree = np.zeros(nodes, int)
    for edge in edges:
        degree[list(edge.ends)] += 1
    pieces: defaultdict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        pieces[edge.street].append(edge)
    wanted = {
        k
        for k in sorted(pieces)
        if streets[k].kind in ("terrace", "centre") and streets[k].highway in DRIVABLE and rng.random() < 0.12
        and all(min(degree[list(edge.ends)]) > 1 for edge in pieces[k])
    }  # fmt: skip
    while True:
        graph = nx.DiGraph()
        for edge in edges:
            if streets[edge.street].highway in DRIVABLE:
                graph.add_edge(*edge.ends)
                if edge.street not in wanted:
                    graph.add_edge(*edge.ends[::-1])
        core = max(nx.strongly_connected_components(graph), key=len)
        bad = {edge.street for k in wanted for edge in pieces[k] if not set(edge.ends) <= core}
        if not bad:
            return wanted
        wanted -= bad


def build_network(town: Town) -> Network:
    """The joined, warped and named streets."""
    pieces, owner = join(town.streets)
    lines = [(street, along(line, town.streets[street])) for street, line in prune(merged(pieces, owner), town.streets)]
    lines.sort(key=lambda item: (item[0], item[1].coords[0], item[1].coords[-1]))
    places: dict[tuple[float, float], int] = {}
    edges: list[Edge] = []
    for street, line in lines:
        ends = tuple(places.setdefault(at, len(places)) for at in (line.coords[0], line.coords[-1]))
        edges.append(Edge(street, bent(line), (ends[0], ends[1])))
    nodes = warp_points(np.asarray(list(places), dtype=float))
    streets = named(town.streets, {edge.street for edge in edges})
    for k in one_way(edges, streets, len(nodes)):
        old = streets[k]
        streets[k] = Street(old.line, old.highway, old.homes_per_m, old.name, old.kind, (*old.tags, ("oneway", "yes")))
    return Network(streets, edges, nodes)
