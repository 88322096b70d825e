"""Walks between stops: along streets, and where the feed itself says that one can change (stations, ``transfers.txt``)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from community_routes.earth import great_circle_m
from community_routes.network.points import Links, Points, walk_seconds
from community_routes.network.walks import Ground, Linked, walks_between
from community_routes.sources.feed import Feed

STRAIGHT_LINE_DETOUR = 1.3
"""Of a change that the feed allows but neither streets nor ``pathways.txt`` show."""

_TIMED, _MINIMUM_TIME = 1, 2


def stop_points(feed: Feed) -> Points:
    """Every stop of the feed as a place with one point; those without coordinates or calls have NaN."""
    called = np.zeros(len(feed.stops), np.bool_)
    called[np.unique(feed.calls.stop)] = True
    lon = np.where(called, feed.stops["lon"].to_numpy(np.float64), np.nan)
    lat = np.where(called, feed.stops["lat"].to_numpy(np.float64), np.nan)
    return Points.single(feed.stops["stop_id"].to_numpy(object), lon, lat)


def build_footpaths(feed: Feed, ground: Ground, stops: Linked, *, limit_s: int, speed_kmh: float) -> Links:
    """Walks from stop to stop within the limit.

    Street walks come first. Platforms of one station that no street walk joins are joined by ``pathways.txt``, else by the
    straight line times 1.3; so are stops between which ``transfers.txt`` offers a timed change or one with a minimum time.
    """
    along_streets = walks_between(ground, stops, stops, limit_s=limit_s, speed_kmh=speed_kmh)
    n = len(feed.stops)
    start, end = along_streets.start(), along_streets.to
    known = set((start.astype(np.int64) * n + end).tolist())
    more: list[tuple[int, int, float]] = []
    inside = _walks_inside_stations(feed, speed_kmh)
    for a, b in [*_siblings(feed), *_offered(feed)]:
        if a == b or a * n + b in known:
            continue
        known.add(a * n + b)
        way_m = inside.get((a, b), np.inf)
        if not np.isfinite(way_m):
            way_m = _straight_metres(feed, a, b)
        if np.isfinite(way_m):
            more.append((a, b, way_m))
    if not more:
        return along_streets
    metres = np.append(along_streets.metres, [m for _, _, m in more])
    walk_s = np.append(along_streets.walk_s, walk_seconds(np.array([m for _, _, m in more]), speed_kmh))
    starts = np.append(start, np.array([a for a, _, _ in more], np.int32))
    ends = np.append(end, np.array([b for _, b, _ in more], np.int32))
    order = np.lexsort((ends, starts))
    order = order[walk_s[order] <= limit_s]
    first = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(starts[order], minlength=n), out=first[1:])
    return Links(first, ends[order], walk_s[order], metres[order])


def _siblings(feed: Feed) -> list[tuple[int, int]]:
    """Pairs of served stops under one station."""
    parent = feed.stops["parent"].to_numpy()
    served = np.unique(feed.calls.stop)
    served = served[parent[served] >= 0]
    pairs: list[tuple[int, int]] = []
    for station in np.unique(parent[served]).tolist():
        platforms = served[parent[served] == station].tolist()
        pairs.extend((a, b) for a in platforms for b in platforms if a != b)
    return pairs


def _offered(feed: Feed) -> list[tuple[int, int]]:
    """Pairs of stops between which ``transfers.txt`` offers a change of types 1 and 2; a station stands for its platforms."""
    kept = feed.transfers[feed.transfers["transfer_type"].isin([_TIMED, _MINIMUM_TIME])]
    if kept.empty:
        return []
    parent = feed.stops["parent"].to_numpy()
    station = feed.stops["location_type"].to_numpy() == 1
    children = {int(s): np.flatnonzero(parent == s).tolist() for s in np.flatnonzero(station)}
    pairs: set[tuple[int, int]] = set()
    for a, b in zip(kept["from_stop"].tolist(), kept["to_stop"].tolist(), strict=True):
        if a >= 0 and b >= 0:
            pairs.update((x, y) for x in children.get(a, [a]) for y in children.get(b, [b]))
    return sorted(pairs)


def _straight_metres(feed: Feed, a: int, b: int) -> float:
    lon, lat = feed.stops["lon"].to_numpy(), feed.stops["lat"].to_numpy()
    return float(great_circle_m(lon[[a]], lat[[a]], lon[[b]], lat[[b]])[0]) * STRAIGHT_LINE_DETOUR


def _walks_inside_stations(feed: Feed, speed_kmh: float) -> dict[tuple[int, int], float]:
    """Shortest ways through ``pathways.txt`` between served stops, in metres (a stated time counts at walking speed)."""
    pathways = feed.pathways
    if pathways.empty:
        return {}
    from scipy.sparse import csr_matrix  # here, because starting without them is quicker
    from scipy.sparse.csgraph import dijkstra

    timed = pathways["traversal_s"].to_numpy(np.float64) * speed_kmh / 3.6
    a, b = pathways["from_stop"].to_numpy(), pathways["to_stop"].to_numpy()
    straight = np.array([_straight_metres(feed, int(x), int(y)) for x, y in zip(a, b, strict=True)])
    metres = np.where(np.isfinite(timed), timed, pathways["metres"].to_numpy(np.float64))
    metres = np.maximum(
        np.where(np.isfinite(metres), metres, straight), 1e-3
    )  # 0 would be "no edge" in a sparse matrix
    both = pathways["both_ways"].to_numpy(bool)
    usable = np.isfinite(metres)
    start: NDArray[np.int64] = np.concatenate([a[usable], b[usable & both]])
    end: NDArray[np.int64] = np.concatenate([b[usable], a[usable & both]])
    length = np.concatenate([metres[usable], metres[usable & both]])
    order = np.argsort(-length, kind="stable")  # of parallel ways the shortest is written last, and stays
    shortest = dict(
        zip(zip(start[order].tolist(), end[order].tolist(), strict=True), length[order].tolist(), strict=True)
    )
    n = len(feed.stops)
    rows, columns = np.array(list(shortest), np.int64).reshape(-1, 2).T
    graph = csr_matrix((np.array(list(shortest.values())), (rows, columns)), shape=(n, n))
    served = np.intersect1d(np.unique(feed.calls.stop), np.unique(np.concatenate([start, end])))
    if not len(served):
        return {}
    distance = dijkstra(graph, indices=served)[:, served]
    return {
        (int(served[i]), int(served[j])): float(distance[i, j])
        for i, j in zip(*np.nonzero(np.isfinite(distance)), strict=True)
        if i != j
    }
