"""Editing a street map without touching it: ways closed to walking, and new paths joined to the streets."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import EARTH_RADIUS_M, great_circle_m
from community_routes.sources.osm.street_map import StreetMap

END_M = 50.0
"""An end of a new path joins the nearest street within this distance."""
VERTEX_M = 15.0
"""Any other drawn corner joins a street within this distance; a path that only crosses one passes over or under it."""
SAME_NODE_M = 1.0


@dataclass(frozen=True, eq=False)
class NewPath:
    """A new way to walk.

    Attributes
    ----------
    name : str
    lon, lat : float64, shape (n_points,)
        Degrees.
    """

    name: str
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    @property
    def metres(self) -> float:
        """Its length."""
        return float(great_circle_m(self.lon[:-1], self.lat[:-1], self.lon[1:], self.lat[1:]).sum())


@dataclass(frozen=True)
class Join:
    """Where a drawn corner meets a street.

    Attributes
    ----------
    vertex : int
        Corner of the path.
    way : int
        Row of the street map.
    segment : int
        The street's piece, counted within the way.
    along : float
        Part of the piece, 0 to 1.
    metres : float
        From the corner to the street.
    """

    vertex: int
    way: int
    segment: int
    along: float
    metres: float


def joins_of(street_map: StreetMap, path: NewPath) -> list[Join]:
    """The nearest street of each end (within 50 m) and each other corner (within 15 m), where there is one above ground."""
    walkable = np.flatnonzero((street_map.walk != 0) & ~street_map.below)
    size = np.diff(street_map.first)[walkable] - 1
    way = np.repeat(walkable, size)
    segment = np.concatenate([np.arange(n) for n in size]) if len(size) else np.zeros(0, np.int64)
    at = street_map.first[way] + segment
    scale = np.cos(np.radians(float(path.lat.mean())))
    metre = np.pi * EARTH_RADIUS_M / 180
    x, y = street_map.lon * scale * metre, street_map.lat * metre
    ax, ay = x[street_map.node[at]], y[street_map.node[at]]
    bx, by = x[street_map.node[at + 1]], y[street_map.node[at + 1]]
    found = []
    for k, (lon, lat) in enumerate(zip(path.lon.tolist(), path.lat.tolist(), strict=True)):
        limit = END_M if k in (0, len(path.lon) - 1) else VERTEX_M
        px, py = lon * scale * metre, lat * metre
        near = np.flatnonzero(
            (np.minimum(ax, bx) <= px + limit)
            & (np.maximum(ax, bx) >= px - limit)
            & (np.minimum(ay, by) <= py + limit)
            & (np.maximum(ay, by) >= py - limit)
        )
        if not len(near):
            continue
        dx, dy = bx[near] - ax[near], by[near] - ay[near]
        length = np.maximum(dx * dx + dy * dy, 1e-9)
        along = np.clip(((px - ax[near]) * dx + (py - ay[near]) * dy) / length, 0, 1)
        away = np.hypot(ax[near] + along * dx - px, ay[near] + along * dy - py)
        best = int(away.argmin())
        if away[best] <= limit:
            row = int(near[best])
            found.append(Join(k, int(way[row]), int(segment[row]), float(along[best]), float(away[best])))
    return found


def way_metres(street_map: StreetMap, rows: NDArray[np.int64]) -> float:
    """Length of the ways of some rows together."""
    total = 0.0
    for row in rows:
        nodes = street_map.node[street_map.first[row] : street_map.first[row + 1]]
        lon, lat = street_map.lon[nodes], street_map.lat[nodes]
        total += float(great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())
    return total


def without_way(street_map: StreetMap, osm_way: int) -> StreetMap:
    """The street map with a way closed to walking; buses are not concerned."""
    walk = street_map.walk.copy()
    walk[street_map.way_id == osm_way] = 0
    return _renamed(replace(street_map, walk=walk), f"closed {osm_way}")


def with_path(street_map: StreetMap, path: NewPath) -> StreetMap:
    """The street map with a new path joined to it.

    It meets the streets at its ends (the nearest street within 50 m) and at drawn corners within 15 m of a street; it passes over
    or under those that it only crosses.
    """
    return _renamed(_joined(street_map, path), f"path {path.lon.tolist()} {path.lat.tolist()}")


def _renamed(street_map: StreetMap, edit: str) -> StreetMap:
    content = f"{street_map.content_hash}\n{edit}"
    return replace(street_map, content_hash=hashlib.sha256(content.encode()).hexdigest())


def _joined(street_map: StreetMap, path: NewPath) -> StreetMap:
    """One more way, with nodes put into the streets that it meets."""
    joins = joins_of(street_map, path)
    next_id = min(int(street_map.node_id.min(initial=0)), 0) - 1
    lon, lat, ids = [street_map.lon], [street_map.lat], [street_map.node_id]
    n = len(street_map.node_id)

    def new_node(x: float, y: float) -> int:
        nonlocal n, next_id
        lon.append(np.array([x]))
        lat.append(np.array([y]))
        ids.append(np.array([next_id]))
        n, next_id = n + 1, next_id - 1
        return n - 1

    inserted: dict[int, list[tuple[int, float, int]]] = {}
    meets: dict[int, int] = {}
    for join in joins:
        nodes = street_map.node[street_map.first[join.way] : street_map.first[join.way + 1]]
        a, b = int(nodes[join.segment]), int(nodes[join.segment + 1])
        x = street_map.lon[a] + join.along * (street_map.lon[b] - street_map.lon[a])
        y = street_map.lat[a] + join.along * (street_map.lat[b] - street_map.lat[a])
        ends = great_circle_m(x, y, street_map.lon[[a, b]], street_map.lat[[a, b]])
        if ends.min() <= SAME_NODE_M:
            meets[join.vertex] = (a, b)[int(ends.argmin())]
            continue
        meets[join.vertex] = new_node(float(x), float(y))
        inserted.setdefault(join.way, []).append((join.segment, join.along, meets[join.vertex]))
    course: list[int] = []
    for k, (x, y) in enumerate(zip(path.lon.tolist(), path.lat.tolist(), strict=True)):
        away = next((join.metres for join in joins if join.vertex == k), 0.0)
        if k not in meets:
            course.append(new_node(x, y))
        elif away <= SAME_NODE_M:
            course.append(meets[k])
        else:  # the short link from the street to the drawn end is walked as well
            corner = new_node(x, y)
            last = k == len(path.lon) - 1
            course.extend([meets[k], corner] if k == 0 else [corner, meets[k]] if last else [corner, meets[k], corner])
    course = [node for k, node in enumerate(course) if k == 0 or node != course[k - 1]]
    pieces = [street_map.node[a:b] for a, b in zip(street_map.first[:-1], street_map.first[1:], strict=True)]
    for way, cuts in inserted.items():
        nodes = pieces[way].tolist()
        for segment, _, node in sorted(cuts, reverse=True):
            nodes.insert(segment + 1, node)
        pieces[way] = np.array(nodes, np.int32)
    pieces.append(np.array(course, np.int32))
    way_id = min(int(street_map.way_id.min(initial=0)), 0) - 1

    def longer(column: NDArray[Any], value: object) -> NDArray[Any]:
        return np.concatenate([column, np.array([value], column.dtype)])

    return replace(
        street_map,
        node_id=np.concatenate(ids),
        lon=np.concatenate(lon),
        lat=np.concatenate(lat),
        way_id=longer(street_map.way_id, way_id),
        first=np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]),
        node=np.concatenate(pieces),
        highway=longer(street_map.highway, "footway"),
        name=longer(street_map.name, path.name),
        walk=longer(street_map.walk, 3),
        drive=longer(street_map.drive, 0),
        steps=longer(street_map.steps, False),
        below=longer(street_map.below, False),
    )
