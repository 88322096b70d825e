"""What a proposal leaves as it is: tells that searches would read the same, so that today's answers can be taken over.

Every answer of a search follows from what it reads: the vehicles of some hours, the changes between them, the walks at both
ends, and prices. These are compared themselves, number by number, never names or dates of files; where anything differs, or
stands in another order, the search is made.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.network.network import Network
from community_routes.routing.query import Query
from community_routes.sources.gtfs.feed import Feed

Span = tuple[int, int]
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits without a pattern


def span_searched(query: Query) -> Span:
    """First and last second at which a vehicle is of use to a question."""
    first, last = int(query.departures_s[0]), int(query.departures_s[-1])
    return (first - query.max_travel_s, last) if query.arrive_by else (first, last + query.max_travel_s)


def same_hours(one: Network, other: Network, spans: list[Span]) -> bool:
    """Whether searches within some hours read the same of two networks.

    That is, for every vehicle under way in these hours: stops, times, boarding and alighting, which hops are one vehicle,
    its route (agency, kind and names with it) and direction; and all changes between the places where they stop.
    """
    if one is other:
        return True
    return one.slack_s == other.slack_s and all(_same_span(one, other, span) for span in spans)


def _same_span(one: Network, other: Network, span: Span) -> bool:
    hops = _under_way(one, span), _under_way(other, span)
    if len(hops[0]) != len(hops[1]):
        return False
    a, b = (network.timetable for network in (one, other))
    for name in ("from_stop", "to_stop", "departure_s", "arrival_s", "board", "alight"):
        if not np.array_equal(getattr(a, name)[hops[0]], getattr(b, name)[hops[1]]):
            return False
    return (
        _same_runs(a.run()[hops[0]], b.run()[hops[1]])
        and _same_routes(one.feed, other.feed, a.trip[hops[0]], b.trip[hops[1]])
        and _same_changes(one, other, *hops)
    )


def _under_way(network: Network, span: Span) -> NDArray[np.int64]:
    """Hops that are under way at some second of a span: vehicle by vehicle, in an order that hangs on nothing else.

    Vehicles stand in the order of their first hop in the span and of a sum over what they do. Should two different ones have
    the same sum, they may stand the other way round in another network, and are taken to differ there.
    """
    times = network.timetable
    hops = np.flatnonzero((times.arrival_s >= span[0]) & (times.departure_s <= span[1]))
    if not len(hops):
        return hops
    run = times.run()[hops]
    starts = np.concatenate([[0], np.flatnonzero(run[1:] != run[:-1]) + 1])
    size = np.diff(np.append(starts, len(hops)))
    place = np.arange(len(hops)) - np.repeat(starts, size)
    route = network.feed.trips["route"].to_numpy()[times.trip[hops]]
    with np.errstate(over="ignore"):
        mixed = np.zeros(len(hops), np.uint64)
        for column in (
            times.from_stop[hops],
            times.to_stop[hops],
            times.departure_s[hops],
            times.arrival_s[hops],
            route,
        ):
            mixed = (mixed + column.astype(np.int64).astype(np.uint64)) * _MIX
            mixed ^= mixed >> np.uint64(29)
        sums = np.add.reduceat(mixed * (2 * place + 1).astype(np.uint64), starts)
    order = np.lexsort((sums, times.departure_s[hops[starts]]))
    first = np.cumsum(size[order]) - size[order]
    return hops[np.repeat(starts[order] - first, size[order]) + np.arange(len(hops))]


def _same_runs(one: NDArray[np.int32], other: NDArray[np.int32]) -> bool:
    """Whether hops are grouped alike, whatever the runs are numbered."""
    return np.array_equal(one[1:] != one[:-1], other[1:] != other[:-1])


def _same_routes(one: Feed, other: Feed, trips: NDArray[np.int32], others: NDArray[np.int32]) -> bool:
    """Whether trips, one by one, have the same row of routes and direction, and these routes the same everything."""
    for column in ("route", "direction_id"):
        mine, its = (feed.trips[column].to_numpy()[rows] for feed, rows in ((one, trips), (other, others)))
        if not np.array_equal(mine, its):
            return False
    if one.routes is other.routes and one.agencies is other.agencies:
        return True
    rows = np.unique(one.trips["route"].to_numpy()[trips])
    routes = one.routes.iloc[rows], other.routes.iloc[rows]
    if not routes[0].equals(routes[1]):
        return False
    agencies = np.unique(routes[0]["agency"].to_numpy())
    agencies = agencies[agencies >= 0]
    if len(agencies) and agencies[-1] >= len(other.agencies):
        return False
    return bool(one.agencies.iloc[agencies].equals(other.agencies.iloc[agencies]))


def _same_changes(one: Network, other: Network, hops: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    """Whether the hops have the same places, and the same changes lead from one to another of these."""
    mine, its = one.changes, other.changes
    for name in ("alight_place", "board_place"):
        if not np.array_equal(getattr(mine, name)[hops], getattr(its, name)[others]):
            return False
    alight = np.unique(mine.alight_place[hops])
    board = np.unique(mine.board_place[hops])
    found = _changes_between(one, alight, board), _changes_between(other, alight, board)
    return all(np.array_equal(found[0][k], found[1][k]) for k in range(3))


def _changes_between(
    network: Network, alight: NDArray[np.int32], board: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    changes = network.changes
    start = np.repeat(np.arange(len(changes.alight_stop)), np.diff(changes.first))
    is_start, is_end = np.zeros(len(changes.alight_stop), np.bool_), np.zeros(len(changes.board_stop), np.bool_)
    is_start[alight[alight >= 0]] = True
    is_end[board[board >= 0]] = True
    kept = is_start[start] & is_end[changes.to]
    return start[kept], changes.to[kept], changes.change_s[kept]


def same_stops(one: Feed, other: Feed) -> bool:
    """Whether two timetables have the same stops, row by row."""
    return one.stops is other.stops or bool(one.stops.equals(other.stops))


def taken_over(table: pd.DataFrame, scenario: str, **where: str) -> pd.DataFrame:
    """Rows of a table of today, as those of a proposal."""
    keep = np.ones(len(table), np.bool_)
    for column, value in where.items():
        keep &= (table[column] == value).to_numpy(dtype=np.bool_)
    rows = table.loc[keep].reset_index(drop=True)
    rows["scenario"] = scenario
    return rows
