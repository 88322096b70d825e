"""One shortest path over a street network with its course: for the legs of journeys and for the roads that buses take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.network.streets.graph import Steps, StreetGraph, wrapped
from community_routes.network.streets.search import one_path


class Spot(NamedTuple):
    """A place on an edge: the edge, metres along it from its start, and metres of link between it and the point."""

    edge: int
    position_m: float
    link_m: float


class Part(NamedTuple):
    """A stretch of one edge; ``from_m > to_m`` where it is passed against its direction."""

    edge: int
    from_m: float
    to_m: float


class Path(NamedTuple):
    """A shortest path: metres with both links, the rows of the spots that it joins, and the stretches in order."""

    metres: float
    start: int
    end: int
    parts: list[Part]


def shortest_path(
    graph: StreetGraph, starts: Sequence[Spot], ends: Sequence[Spot], limit_m: float = math.inf
) -> Path | None:
    """The shortest path from any of the starts to any of the ends in the directions allowed; None where there is none."""
    best = _along_one_edge(graph, starts, ends)
    through = _through_junctions(graph, starts, ends, limit_m)
    if through is not None and (best is None or through.metres < best.metres):
        best = through
    return best if best is not None and best.metres <= limit_m else None


def _along_one_edge(graph: StreetGraph, starts: Sequence[Spot], ends: Sequence[Spot]) -> Path | None:
    found = None
    for i, a in enumerate(starts):
        for j, b in enumerate(ends):
            ahead = b.position_m - a.position_m
            flags = int(graph.flags[a.edge])
            if a.edge == b.edge and ((ahead >= 0 and flags & 1) or (ahead <= 0 and flags & 2)):
                metres = a.link_m + abs(ahead) + b.link_m
                if found is None or metres < found.metres:
                    found = Path(metres, i, j, [Part(a.edge, a.position_m, b.position_m)])
    return found


def _through_junctions(graph: StreetGraph, starts: Sequence[Spot], ends: Sequence[Spot], limit_m: float) -> Path | None:
    leave = list(_ways_out(graph, starts, 1))
    enter = list(_ways_out(graph, ends, 2))
    if not leave or not enter:
        return None
    first, to, step_m, step_edge = graph.leaving
    metres, target, steps = one_path(
        Steps(first, to, step_m),
        np.array([node for node, _m, _i, _p in leave], np.int64),
        np.array([m for _n, m, _i, _p in leave]),
        np.array([node for node, _m, _i, _p in enter], np.int64),
        np.array([m for _n, m, _i, _p in enter]),
        limit_m,
    )
    if target < 0:
        return None
    begin = int(np.searchsorted(first, steps[0], side="right")) - 1 if len(steps) else enter[target][0]
    _node, _m, start, part_out = min((item for item in leave if item[0] == begin), key=lambda item: item[1])
    _node, _m, end, part_in = enter[target]
    parts = [part_out]
    here = begin
    for step in steps:
        edge = int(step_edge[step])
        length = float(graph.edge_m[edge])
        forward = int(graph.edge_from[edge]) == here
        parts.append(Part(edge, 0.0, length) if forward else Part(edge, length, 0.0))
        here = int(to[step])
    parts.append(Part(part_in.edge, part_in.to_m, part_in.from_m))
    return Path(float(metres), start, end, parts)


def _ways_out(graph: StreetGraph, spots: Sequence[Spot], ahead_bit: int) -> list[tuple[int, float, int, Part]]:
    """Junctions at the ends of the spots' edges that may be gone to (or come from, with ``ahead_bit`` 2)."""
    found = []
    for i, spot in enumerate(spots):
        flags, length = int(graph.flags[spot.edge]), float(graph.edge_m[spot.edge])
        # a spot at the very end of its edge is the junction, whatever the direction of the edge
        if flags & ahead_bit or spot.position_m >= length:
            part = Part(spot.edge, spot.position_m, length)
            found.append((int(graph.edge_to[spot.edge]), spot.link_m + length - spot.position_m, i, part))
        if flags & (3 - ahead_bit) or spot.position_m <= 0:
            part = Part(spot.edge, spot.position_m, 0.0)
            found.append((int(graph.edge_from[spot.edge]), spot.link_m + spot.position_m, i, part))
    return found


def course(graph: StreetGraph, parts: Sequence[Part]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitudes and latitudes along the stretches, no vertex twice running."""
    pieces = [_stretch(graph, part) for part in parts]
    lon = np.concatenate([piece[0] for piece in pieces])
    lat = np.concatenate([piece[1] for piece in pieces])
    fresh = np.ones(len(lon), bool)
    fresh[1:] = (np.abs(np.diff(lon)) > 1e-12) | (np.abs(np.diff(lat)) > 1e-12)
    return lon[fresh], lat[fresh]


def _stretch(graph: StreetGraph, part: Part) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = slice(int(graph.first[part.edge]), int(graph.first[part.edge + 1]))
    along, lon, lat = graph.along_m[rows], graph.lon[rows], graph.lat[rows]
    low, high = min(part.from_m, part.to_m), max(part.from_m, part.to_m)
    inside = along[(along > low) & (along < high)]
    at = np.concatenate([[low], inside, [high]])
    x = np.interp(at, along, wrapped(lon, float(lon[0])))
    y = np.interp(at, along, lat)
    x = wrapped(x + float(lon[0]), 0.0)
    return (x, y) if part.from_m <= part.to_m else (x[::-1], y[::-1])
