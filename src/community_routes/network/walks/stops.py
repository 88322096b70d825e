"""Walks between stops: along streets, and where the feed itself says that one can change (stations, ``transfers.txt``)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from community_routes.base.arrays import starts_by
from community_routes.base.notices import Notice
from community_routes.network.walks.links import Ground, Linked, link_points, walks_between
from community_routes.network.walks.points import Links, Points, walk_seconds
from community_routes.network.walks.stations import (
    Inside,
    platforms_behind_entrances,
    report_shut_platforms,
    station_gates,
    straight_metres,
    ways_inside,
)
from community_routes.sources.gtfs.feed import Feed

_TIMED, _MINIMUM_TIME = 1, 2


def stop_points(feed: Feed) -> Points:
    """Every stop of the feed as a place with one point; those without coordinates or calls have NaN."""
    called = np.zeros(len(feed.stops), np.bool_)
    called[np.unique(feed.calls.stop)] = True
    lon = np.where(called, feed.stops["lon"].to_numpy(np.float64), np.nan)
    lat = np.where(called, feed.stops["lat"].to_numpy(np.float64), np.nan)
    return Points.single(feed.stops["stop_id"].to_numpy(object), lon, lat)


def link_stops(
    feed: Feed,
    ground: Ground,
    points: Points | None = None,
    *,
    link_m: float,
    speed_kmh: float,
    step_free: bool = False,
    notices: list[Notice] | None = None,
) -> Linked:
    """Link the stops to the ground: platforms of a station with entrances and pathways at its entrances, others where they are.

    Parameters
    ----------
    feed : Feed
    ground : Streets or CrowFly
    points : Points, optional
        One for each stop; ``stop_points`` when left out.
    link_m : float
        Farthest that a stop or entrance may be from a street.
    speed_kmh : float
        What a stated time of a pathway counts as.
    step_free : bool
        Stairs and escalators of stations are closed. (Those of the streets are when the streets were built so.)
    notices : list of Notice, optional
        Findings are appended.
    """
    points = stop_points(feed) if points is None else points
    gates = station_gates(feed, np.isfinite(points.lon), speed_kmh, step_free=step_free)
    if gates is None:
        return link_points(ground, points, link_m=link_m)
    if notices is not None:
        report_shut_platforms(feed, gates, notices, step_free=step_free)
    others = np.setdiff1d(np.arange(points.n_places), gates.platform)
    place = np.concatenate([others, gates.platform])
    order = np.argsort(place, kind="stable")
    here = (points.lon, points.lat)
    there = (
        np.where(gates.entrance < 0, np.nan, feed.stops[name].to_numpy()[gates.entrance]) for name in ("lon", "lat")
    )
    lon, lat = (np.concatenate([a[others], b])[order] for a, b in zip(here, there, strict=True))
    in_m, out_m = (np.concatenate([np.zeros(len(others)), m])[order] for m in (gates.in_m, gates.out_m))
    linked = link_points(ground, Points(points.id, lon, lat, place[order].astype(np.int32)), link_m=link_m)
    return replace(linked, in_m=in_m, out_m=out_m)


def build_footpaths(
    feed: Feed, ground: Ground, stops: Linked, *, limit_s: int, speed_kmh: float, step_free: bool = False
) -> Links:
    """Walks from stop to stop within the limit.

    Street walks come first. Platforms of one station that no street walk joins are joined by ``pathways.txt``, else by the
    straight line times 1.3; so are stops between which ``transfers.txt`` offers a timed change or one with a minimum time.
    Between platforms behind entrances the way inside counts where it is shorter than out to the street and in again, and
    the straight line only where pathways lead to neither. Stairs and escalators are closed when ``step_free``.
    """
    along_streets = walks_between(ground, stops, stops, limit_s=limit_s, speed_kmh=speed_kmh)
    n = len(feed.stops)
    start, end = along_streets.start(), along_streets.to
    pair = start.astype(np.int64) * n + end
    known = dict(zip(pair.tolist(), along_streets.metres.tolist(), strict=True))
    more: dict[int, float] = {}
    ways = ways_inside(feed, speed_kmh, step_free=step_free)
    inside = _walks_inside_stations(feed, ways)
    with_steps = _walks_inside_stations(feed, ways_inside(feed, speed_kmh)) if step_free else inside
    closed = with_steps.keys() - inside.keys()
    station = platforms_behind_entrances(feed, ways)
    for a, b in [*_siblings(feed), *_offered(feed)]:
        one = a * n + b
        behind = ways is not None and station[a] >= 0 and station[a] == station[b]
        way_m = inside.get((a, b), np.inf)
        if a == b or one in more or (one in known and not (behind and way_m < known[one])):
            continue
        described = behind and ways is not None and ways.node[a] >= 0 and ways.node[b] >= 0
        if not np.isfinite(way_m) and not described and (a, b) not in closed:
            way_m = float(straight_metres(feed, np.array([a]), np.array([b]))[0])
        if np.isfinite(way_m):
            more[one] = way_m
    if not more:
        return along_streets
    added = np.array(list(more), np.int64)
    stays = ~np.isin(pair, added)
    more_m = np.array(list(more.values()))
    metres = np.append(along_streets.metres[stays], more_m)
    walk_s = np.append(along_streets.walk_s[stays], walk_seconds(more_m, speed_kmh))
    starts = np.append(start[stays], (added // n).astype(np.int32))
    ends = np.append(end[stays], (added % n).astype(np.int32))
    order = np.lexsort((ends, starts))
    order = order[walk_s[order] <= limit_s]
    first = starts_by(starts[order], n)
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


def _walks_inside_stations(feed: Feed, ways: Inside | None) -> dict[tuple[int, int], float]:
    """Shortest ways through ``pathways.txt`` between served stops, in metres."""
    if ways is None:
        return {}
    served = np.unique(feed.calls.stop)
    served = served[ways.node[served] >= 0]
    if not len(served):
        return {}
    distance = ways.metres(served, served)
    return {
        (int(served[i]), int(served[j])): float(distance[i, j])
        for i, j in zip(*np.nonzero(np.isfinite(distance)), strict=True)
        if i != j
    }
