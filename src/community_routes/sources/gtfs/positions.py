"""Fills in blank times by how far along the way each call lies: given distances, the drawn course where it passes the
stops, straight lines elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import EARTH_RADIUS_M, great_circle_m
from community_routes.base.kernels import kernel
from community_routes.sources.gtfs.calls import RawCalls
from community_routes.sources.gtfs.feed import Shapes

FAR_OFF_M = 1000.0
PASSED_M = 100.0
"""A course passes the stops within so many metres of it (the bound of MobilityData's ``stop_too_far_from_shape``)."""
_MOST_CELLS = 20_000_000


@kernel
def positions_along(x, y, px, py, position):  # type: ignore[no-untyped-def]
    """Where stops lie along a drawn line, in metres from its start, never falling.

    Of all ways to give each stop a segment of the line so that the segments never go back, the one with the least sum
    of squared distances from the stops to the line (dynamic programming over stops and segments). A distance counts as
    one kilometre at most, so that a stop that the line does not pass pulls no other stop away from it. The last stop
    takes the latest segment of several that are equally good, every other the earliest. Then each position is raised to
    the one before it where two stops share a segment.

    Parameters
    ----------
    x, y : float64, shape (n_points,)
        The line in metres on a plane, at least two points.
    px, py : float64, shape (n_stops,)
        The stops on the same plane.
    position : float64, shape (n_stops,)
        Filled in.
    """
    n_segments = len(x) - 1
    n_stops = len(px)
    along = np.empty(n_segments)
    total = 0.0
    for j in range(n_segments):
        along[j] = total
        total += np.hypot(x[j + 1] - x[j], y[j + 1] - y[j])
    came_from = np.empty((n_stops, n_segments), np.int32)
    cost = np.zeros(n_segments)
    for i in range(n_stops):
        best = np.inf
        best_j = 0
        for j in range(n_segments):
            if cost[j] < best:
                best = cost[j]
                best_j = j
            came_from[i, j] = best_j
            dx, dy = x[j + 1] - x[j], y[j + 1] - y[j]
            square = dx * dx + dy * dy
            t = 0.0
            if square > 0.0:
                t = min(1.0, max(0.0, ((px[i] - x[j]) * dx + (py[i] - y[j]) * dy) / square))
            off = (px[i] - x[j] - t * dx) ** 2 + (py[i] - y[j] - t * dy) ** 2
            cost[j] = best + min(off, FAR_OFF_M * FAR_OFF_M)
    at = 0
    for j in range(1, n_segments):
        if cost[j] <= cost[at]:
            at = j
    for i in range(n_stops - 1, -1, -1):
        dx, dy = x[at + 1] - x[at], y[at + 1] - y[at]
        length = np.hypot(dx, dy)
        t = 0.0
        if length > 0.0:
            t = min(1.0, max(0.0, ((px[i] - x[at]) * dx + (py[i] - y[at]) * dy) / (length * length)))
        position[i] = along[at] + t * length
        at = came_from[i, at]
    for i in range(1, n_stops):
        if position[i] < position[i - 1]:
            position[i] = position[i - 1]


def straight_positions(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres of straight lines from call to call, shape (n,); a stop without a place counts as where the last one was."""
    known = np.flatnonzero(~(np.isnan(lon) | np.isnan(lat)))
    steps = np.zeros(len(lon))
    if len(known) > 1:
        a, b = known[:-1], known[1:]
        steps[b] = great_circle_m(lon[a], lat[a], lon[b], lat[b])
    return np.cumsum(steps)


def way_positions(
    lon: NDArray[np.float64], lat: NDArray[np.float64], shapes: Shapes, shape: int
) -> tuple[NDArray[np.float64], bool]:
    """Metres along the way of one trip for each of its calls, shape (n,), and whether its course leaves out a part of it.

    From call to call the way is the drawn course where it passes both stops, else the straight line between them: where
    the course begins late, ends early, keeps away from a stop or runs the other way, it says nothing of how the vehicle
    goes. Nor does it where it is under half as long as the straight line, as between stops that all lie at its end.
    """
    straight = straight_positions(lon, lat)
    points = slice(shapes.first[shape], shapes.first[shape + 1]) if shape >= 0 else slice(0, 0)
    x, y = shapes.lon[points], shapes.lat[points]
    good = np.isfinite(x) & np.isfinite(y)
    x, y = x[good], y[good]
    if len(x) < 2 or np.isnan(lon).any() or np.isnan(lat).any() or len(lon) * len(x) > _MOST_CELLS:
        return straight, False
    east = np.radians(1.0) * EARTH_RADIUS_M * np.cos(np.radians(float(np.mean(lat))))
    north = np.radians(1.0) * EARTH_RADIUS_M
    x, y, px, py = x * east, y * north, lon * east, lat * north
    along = np.empty(len(lon))
    positions_along(x, y, px, py, along)
    points_at = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
    passed = np.hypot(np.interp(along, points_at, x) - px, np.interp(along, points_at, y) - py) <= PASSED_M
    hop, drawn = np.diff(straight), np.diff(along)
    undrawn = ~(passed[:-1] & passed[1:]) | (drawn < hop / 2)
    along[1:] += np.cumsum(np.where(undrawn, hop - drawn, 0.0))
    return along, bool(undrawn.any())


def fill_gaps(
    calls: RawCalls,
    first: NDArray[np.int64],
    timed: NDArray[np.bool_],
    shape_of_trip: NDArray[np.int32],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    shapes: Shapes,
) -> None:
    """Fill in the times of calls that are not ``timed``, in place; the first and last call of every trip are timed.

    Between two timed calls the time is in proportion to ``shape_dist_traveled`` where all calls of the gap have it and
    it never falls, else to the way of :func:`way_positions`; rounded to whole seconds, halves up. Where a given distance
    stands still between stops that lie apart, that hop has its share of the way instead. Where the whole gap has no
    length the vehicle arrives everywhere when it left.
    """
    sizes = np.diff(first)
    trips = np.flatnonzero(np.add.reduceat(np.append(~timed, False), first[:-1]) * (sizes > 0)) if len(sizes) else sizes
    known: dict[tuple[int, bytes], NDArray[np.float64]] = {}
    for t in trips:
        part = slice(int(first[t]), int(first[t + 1]))
        stops = calls.stop[part]
        shape = int(shape_of_trip[t])
        key = (shape, stops.tobytes())
        if key not in known:
            known[key], _ = way_positions(lon[stops], lat[stops], shapes, shape)
        _fill_trip(calls.arrival_s[part], calls.departure_s[part], timed[part], calls.distance[part], known[key])


def _fill_trip(
    arrival_s: NDArray[np.int32],
    departure_s: NDArray[np.int32],
    timed: NDArray[np.bool_],
    distance: NDArray[np.float64],
    way: NDArray[np.float64],
) -> None:
    at = np.flatnonzero(timed)
    for a, b in zip(at[:-1][np.diff(at) > 1], at[1:][np.diff(at) > 1], strict=True):
        gap = slice(a, b + 1)
        given = distance[gap]
        if np.isfinite(given).all() and (np.diff(given) >= 0).all() and given[-1] > given[0]:
            position = _moving(given, way[gap])
        else:
            position = way[gap]
        length = position[-1] - position[0]
        share = (position[1:-1] - position[0]) / length if length > 0 else np.zeros(b - a - 1)
        leaves, arrives = int(departure_s[a]), int(arrival_s[b])
        seconds = np.floor(leaves + (arrives - leaves) * share + 0.5).astype(np.int32)
        arrival_s[a + 1 : b] = seconds
        departure_s[a + 1 : b] = seconds


def _moving(given: NDArray[np.float64], way: NDArray[np.float64]) -> NDArray[np.float64]:
    """Given distances in which each hop that stands still has the length of its way, in the unit of the other hops."""
    hop, metres = np.diff(given), np.diff(way)
    still = hop == 0
    measured = metres[~still].sum()
    if not still.any() or measured <= 0:
        return given
    return np.append(given[0], given[0] + np.cumsum(np.where(still, metres * hop.sum() / measured, hop)))
