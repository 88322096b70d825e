"""The roads that buses may take, and the shortest way along them from stop to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import set_frozen
from community_routes.base.earth import EARTH_RADIUS_M, great_circle_m
from community_routes.network.streets.graph import StreetGraph, build_graph, wrapped
from community_routes.network.streets.paths import Spot, course, shortest_path
from community_routes.network.streets.streets import MIN_COMPONENT_M
from community_routes.sources.osm.street_map import Area, StreetMap

LonLat = tuple[float, float]

# Both carriageways of a wide road are taken into account at a stop; the path takes the one that suits it.
_BESIDE_M = 20.0
_AT_MOST = 6

# Where that gives no way, or a long way round, the stop may stand beside another road than the nearest.
_LONG_WAY = 3.0
_FARTHER_M = 50.0
_FARTHER_AT_MOST = 12


@dataclass(frozen=True, eq=False)
class Roads:
    """The network that buses drive along.

    Attributes
    ----------
    graph : StreetGraph
        Junctions and edges with the directions open to buses.
    area : (west, south, east, north)
        What the street file covers.
    usable : bool, shape (n_edges,)
        Edges on which a stop may lie: those of large connected parts.
    """

    graph: StreetGraph
    area: Area
    usable: NDArray[np.bool_]

    def __post_init__(self) -> None:
        set_frozen(self, "usable", np.bool_, (self.graph.n_edges,))

    def __repr__(self) -> str:
        return f"Roads({self.graph.n_edges:,} edges, {self.graph.edge_m.sum() / 1000:,.0f} km)"


@dataclass(frozen=True, eq=False)
class RoadPath:
    """The way of a bus between two stops.

    Attributes
    ----------
    metres : float
        Along the road, between the spots on it that are nearest to the stops.
    lon, lat : float64, shape (n_vertices,)
        Its course in degrees, from spot to spot; one vertex where both are the same.
    """

    metres: float
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    def __post_init__(self) -> None:
        set_frozen(self, "lon", np.float64)
        set_frozen(self, "lat", np.float64, (len(self.lon),))


def build_roads(street_map: StreetMap) -> Roads:
    """Make the road network of a street map; it may be empty (no way open to buses)."""
    graph = build_graph(street_map.lon, street_map.lat, street_map.first, street_map.node, street_map.drive)
    if graph.n_edges == 0:
        return Roads(graph, street_map.area, np.zeros(0, bool))
    large = graph.component_m >= min(MIN_COMPONENT_M, float(graph.component_m.max()))
    return Roads(graph, street_map.area, large[graph.component[graph.edge_from]])


def road_path(roads: Roads, a: LonLat, b: LonLat, *, link_m: float = 300.0) -> RoadPath | None:
    """The shortest drivable way from ``a`` to ``b``; None where either is too far from a road, or no way leads there.

    A stop lies beside a road, often beside two. The roads within 20 m of the nearest are tried; where no way leads from them,
    or only one of more than three times the straight line, those within 50 m of it are tried as well.
    """
    path = _between(roads, _spots(roads, a, link_m), _spots(roads, b, link_m))
    if path is not None and path.metres <= _LONG_WAY * _straight_m(a, b):
        return path
    starts, ends = (_spots(roads, point, link_m, _FARTHER_M, _FARTHER_AT_MOST) for point in (a, b))
    other = _between(roads, starts, ends)
    shorter = other is not None and (path is None or other.metres < path.metres)
    return other if shorter else path


def _straight_m(a: LonLat, b: LonLat) -> float:
    lon, lat = np.array([a[0], b[0]]), np.array([a[1], b[1]])
    return float(great_circle_m(lon[:1], lat[:1], lon[1:], lat[1:])[0])


def _between(roads: Roads, starts: list[Spot], ends: list[Spot]) -> RoadPath | None:
    if not starts or not ends:
        return None
    path = shortest_path(roads.graph, starts, ends)
    if path is None:
        return None
    lon, lat = course(roads.graph, path.parts)
    return RoadPath(path.metres - starts[path.start].link_m - ends[path.end].link_m, lon, lat)


def _spots(
    roads: Roads, point: LonLat, link_m: float, beside_m: float = _BESIDE_M, at_most: int = _AT_MOST
) -> list[Spot]:
    """The nearest spot on a road and those hardly farther away (the other carriageway), nearest first."""
    graph = roads.graph
    if not roads.usable.any():
        return []
    metres_a_degree = math.radians(1.0) * EARTH_RADIUS_M
    x = wrapped(graph.lon, point[0]) * math.cos(math.radians(point[1])) * metres_a_degree
    y = (graph.lat - point[1]) * metres_a_degree
    dx, dy = np.diff(x), np.diff(y)
    square = dx * dx + dy * dy
    share = np.clip(-(x[:-1] * dx + y[:-1] * dy) / np.where(square > 0, square, 1.0), 0.0, 1.0)
    away = np.hypot(x[:-1] + share * dx, y[:-1] + share * dy)
    away[graph.first[1:-1] - 1] = np.inf  # between the last vertex of one edge and the first of the next
    edge = np.repeat(np.arange(graph.n_edges), np.diff(graph.first))[:-1]
    away[~roads.usable[edge]] = np.inf
    if away.min() > link_m:
        return []
    near = np.flatnonzero(away <= min(away.min() + beside_m, link_m))
    # pieces that follow each other are one passage of a road beside the point, at its nearest spot
    runs = np.split(near, np.flatnonzero((np.diff(near) > 1) | (np.diff(edge[near]) > 0)) + 1)
    best = sorted((float(away[run].min()), int(run[np.argmin(away[run])])) for run in runs)
    spots = []
    for metres, k in best[:at_most]:
        position = graph.along_m[k] + share[k] * (graph.along_m[k + 1] - graph.along_m[k])
        position = graph.along_m[k + 1] if share[k] == 1.0 else position
        spots.append(Spot(int(edge[k]), float(position), metres))
    return spots
