"""New ways to walk and closed ones, as edits of the street map."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.earth import EARTH_RADIUS_M, great_circle_m
from community_routes.scenarios.changes.new_route import read_shape
from community_routes.scenarios.edit.work import CANNOT_APPLY, NO_EFFECT, Work
from community_routes.scenarios.models import AddPath, ClosePath
from community_routes.sources.osm.street_map import StreetMap

END_M = 50.0
"""An end of a new path joins the nearest street within this distance."""
VERTEX_M = 15.0
"""Any other drawn corner joins a street within this distance; a path that only crosses one passes over or under it."""
SAME_NODE_M = 1.0


@dataclass(frozen=True)
class ClosedWay:
    """A way of OpenStreetMap that can no longer be walked."""

    osm_way: int


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


def apply_close_path(work: Work, change: ClosePath) -> None:
    """Take a way out of the walking network."""
    street_map = _street_map(work)
    rows = np.flatnonzero(street_map.way_id == change.osm_way)
    if not len(rows):
        message = f"there is no way {change.osm_way} in {street_map.source or 'the streets file'}; look its number up on the map"
        raise work.stop(CANNOT_APPLY, message, ["osm_way"], change.osm_way)
    if not (street_map.walk[rows] != 0).any():
        raise work.stop(NO_EFFECT, f"nobody may walk along way {change.osm_way} as it is", ["osm_way"], change.osm_way)
    edit = ClosedWay(change.osm_way)
    work.street_map = edit_street_map(street_map, [edit])
    work.street_edits.append(edit)
    metres = _way_metres(street_map, rows)
    name = change.name or next((str(street_map.name[row]) for row in rows if street_map.name[row]), "")
    label = f"way {change.osm_way}{f' ({name})' if name else ''}"
    work.effect(label, f"{label}: closed to walking, {metres:,.0f} m")


def apply_add_path(work: Work, change: AddPath) -> None:
    """Put a drawn way into the walking network."""
    street_map = _street_map(work)
    line = read_shape(work, change.line, ["line"], "line")
    xy = shapely.get_coordinates(line)
    path = NewPath(change.name, xy[:, 0].copy(), xy[:, 1].copy())
    loose = unjoined_ends(street_map, path)
    if loose:
        message = (
            f"{' and '.join(loose)} of the path {change.name!r} more than {END_M:.0f} m from any street, so nobody could "
            "walk on; draw it to a street"
        )
        raise work.stop(CANNOT_APPLY, message, ["line"], change.line)
    work.street_map = edit_street_map(street_map, [path])
    work.street_edits.append(path)
    joins = len(joins_of(street_map, path))
    work.effect(change.name, f"{change.name}: new path, {path.metres:,.0f} m, joined to streets at {joins} places")


def _street_map(work: Work) -> StreetMap:
    street_map: StreetMap | None = work.street_map
    if street_map is None:
        raise work.stop(
            CANNOT_APPLY,
            "walking follows the straight line in this study, so there are no paths; give streets: {osm: FILE}",
        )
    return street_map


def _way_metres(street_map: StreetMap, rows: NDArray[np.int64]) -> float:
    total = 0.0
    for row in rows:
        nodes = street_map.node[street_map.first[row] : street_map.first[row + 1]]
        lon, lat = street_map.lon[nodes], street_map.lat[nodes]
        total += float(great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:]).sum())
    return total


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


def unjoined_ends(street_map: StreetMap, path: NewPath) -> list[str]:
    """``the start lies``, ``the end lies`` of ends that no street is near."""
    joined = {join.vertex for join in joins_of(street_map, path)}
    ends = {"the start": 0, "the end": len(path.lon) - 1}
    loose = [name for name, vertex in ends.items() if vertex not in joined]
    if not loose:
        return []
    return [*loose[:-1], f"{loose[-1]} {'lie' if len(loose) > 1 else 'lies'}"]


def edit_street_map(street_map: StreetMap, edits: Sequence[ClosedWay | NewPath]) -> StreetMap:
    """The street map with ways closed to walking and new paths joined to it; buses are not concerned.

    A new path meets the streets at its ends (the nearest street within 50 m) and at drawn corners within 15 m of a street; it
    passes over or under those that it only crosses.
    """
    for edit in edits:
        if isinstance(edit, ClosedWay):
            walk = street_map.walk.copy()
            walk[street_map.way_id == edit.osm_way] = 0
            street_map = replace(street_map, walk=walk)
            what = f"closed {edit.osm_way}"
        else:
            street_map = _with_path(street_map, edit)
            what = f"path {edit.lon.tolist()} {edit.lat.tolist()}"
        content = f"{street_map.content_hash}\n{what}"
        street_map = replace(street_map, content_hash=hashlib.sha256(content.encode()).hexdigest())
    return street_map


def _with_path(street_map: StreetMap, path: NewPath) -> StreetMap:
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
