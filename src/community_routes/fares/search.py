"""Searches that know what each ride costs and what is held: the quickest within a budget, the cheapest within a time.

Prices are a machine of states (``machine``). Where no fare ends by the clock a budget is an allowance of rides, and a scan
backwards from the destinations answers all origins and departures at once (``scan``): for each budget, or for each total that
a journey can cost. Else, or where there are too many allowances or totals, labels are followed from each origin (``forward``).
Both are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED
from community_routes.fares.forward import Goal, scan_forward
from community_routes.fares.machine import (
    NO_PRICE_CENTS,
    Allowances,
    Fares,
    FareWays,
    build_allowances,
    build_ways,
    classify_runs,
    totals,
)
from community_routes.fares.scan import (
    NEVER,
    Access,
    Hops,
    Lanes,
    Moments,
    Rows,
    Vehicles,
    all_changes,
    catchable,
    read_allowance,
    scan_allowances,
)
from community_routes.network.network import Network
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure

LONGEST_SPAN_S = 32_000
"""First departure to last useful arrival in one scan: what 16 bits hold."""

_MOST_LANES = 256
_MOST_TOTALS = 100
_MOST_ALLOWANCES = 1000
_BYTES_AT_FIRST = 1 << 28
_UNTIMED_S = 2**30


def quickest_within(
    network: Network, query: Query, walks: Walks, fares: Fares, budgets: Sequence[float], *, threads: int = 1
) -> NDArray[np.int32]:
    """Travel time of every origin, departure and destination for each budget.

    Parameters
    ----------
    network : Network
    query : Query
        Not arrive-by.
    walks : Walks
    fares : Fares
    budgets : sequence of float
        Whole hundredths; an infinite one pays for every ride, also one without a price.
    threads : int
        Changes nothing but the time it takes.

    Returns
    -------
    int32, shape (n_budgets, n_origins, n_departures, n_destinations)
        Seconds; UNREACHED where the budget pays for no journey within the limits. Walking all the way is free.

    Raises
    ------
    TooManyStatesError
    """
    finite = [int(b) for b in budgets if b < math.inf]
    spans = [_Span(network, query, walks, fares, part) for part in _spans(query)]
    parts = [span.quickest(finite, threads) for span in spans]
    found = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
    start, to, walk_s = _on_foot(walks.direct, query.max_travel_s)
    found[:, start, :, to] = np.minimum(found[:, start, :, to], walk_s[:, None, None])
    if len(finite) == len(budgets):
        return found
    free = travel_times_by_departure(network, query, walks, threads=threads)
    known = iter(found)
    return np.stack([next(known) if b < math.inf else free for b in budgets])


def cheapest_within(
    network: Network, query: Query, walks: Walks, fares: Fares, cutoffs_s: Sequence[int], *, threads: int = 1
) -> NDArray[np.int32]:
    """The least to pay for a journey within each cutoff, over all departures.

    Returns
    -------
    int32, shape (n_origins, n_cutoffs, n_destinations)
        Hundredths; ``NO_PRICE_CENTS`` where no journey with a price is quick enough. Walking all the way is free.

    Raises
    ------
    TooManyStatesError
    """
    limits_s = [min(cutoff_s, query.max_travel_s) for cutoff_s in cutoffs_s]
    longest_s = max(limits_s, default=0)
    spans = [_Span(network, query, walks, fares, part, max_travel_s=longest_s) for part in _spans(query)]
    found: NDArray[np.int32] = np.min([span.cheapest(limits_s, threads) for span in spans], axis=0)
    for k, limit_s in enumerate(limits_s):
        start, to, _ = _on_foot(walks.direct, limit_s)
        found[start, k, to] = 0
    return found


def _spans(query: Query) -> list[slice]:
    """Consecutive departures that one scan can answer."""
    if query.arrive_by:
        raise ValueError("fares are searched by departure, not by arrival")
    moments, spans, start = query.departures_s, list[slice](), 0
    while start < len(moments):
        end = int(np.searchsorted(moments, int(moments[start]) + LONGEST_SPAN_S - query.max_travel_s, "right"))
        spans.append(slice(start, end))
        start = end
    return spans


class Sought(NamedTuple):
    """Arrays to fill for each origin: least to pay within limits (o, k, lane), seconds within budgets (b, o, d, lane)."""

    cheapest: NDArray[np.int32]
    quickest: NDArray[np.int32]
    limits_s: tuple[int, ...]
    budgets: tuple[int, ...]
    most_cents: int


class _Span:
    """Some departures: what is ridden after them, what that costs, and the changes."""

    def __init__(
        self,
        network: Network,
        query: Query,
        walks: Walks,
        fares: Fares,
        departures: slice,
        *,
        max_travel_s: int | None = None,
    ) -> None:
        self.network, self.walks, self.fares, self.max_rides = network, walks, fares, query.max_rides
        self.max_travel_s = query.max_travel_s if max_travel_s is None else max_travel_s
        self.moments = query.departures_s[departures]
        base_s, last_s = int(self.moments[0]), int(self.moments[-1])
        self.seconds = Moments(base_s, last_s + self.max_travel_s, self.max_travel_s)
        c = network.connections
        self.access = Access(
            network.slack_s, walks.access.first, walks.access.to, walks.access.walk_s, c.place_first, c.place,
            c.event_first, c.event, c.event_departure_s,
        )  # fmt: skip
        self.vehicles, self.caught, self.ridden = _vehicles(network, self.access, self.seconds)
        runs = np.unique(c.run[self.vehicles.low : self.vehicles.high][self.ridden])
        self.classes, self.kinds = classify_runs(network, fares, runs)

    def quickest(self, budgets: Sequence[int], threads: int) -> NDArray[np.int32]:
        """Seconds within each budget (hundredths), shape (n_budgets, n_origins, n_departures, n_destinations)."""
        shape = len(budgets), self.walks.n_origins, len(self.moments), self.walks.n_destinations
        found = np.full(shape, UNREACHED, np.int32)
        most = max(budgets, default=0)
        ways = build_ways(self.fares, self.kinds, max_rides=self.max_rides, most_cents=most)
        if not ways.by_clock:
            allowances, starts = build_allowances(ways, budgets, max_rides=self.max_rides)
            if allowances.n_allowances <= _MOST_ALLOWANCES:

                def read(block: NDArray[np.int64], rows: Rows) -> None:
                    for start, times in zip(starts, found, strict=True):
                        self._read(start, rows, block, times)

                self._scan_backward(allowances, read, threads)
                return found
        nothing = np.empty((shape[1], 0, shape[3]), np.int32)
        self._scan_forward(ways, Sought(nothing, found, (), tuple(budgets), most), threads)
        return found

    def cheapest(self, limits_s: Sequence[int], threads: int) -> NDArray[np.int32]:
        """Least to pay within each limit, shape (n_origins, n_limits, n_destinations)."""
        shape = self.walks.n_origins, len(limits_s), self.walks.n_destinations
        found = np.full(shape, NO_PRICE_CENTS, np.int32)
        ways = build_ways(self.fares, self.kinds, max_rides=self.max_rides)
        sums = None if ways.by_clock else totals(ways, max_rides=self.max_rides, most=_MOST_TOTALS)
        if sums is None:
            nothing = np.empty((0, shape[0], 0, shape[2]), np.int32)
            self._scan_forward(ways, Sought(found, nothing, tuple(limits_s), (), NO_PRICE_CENTS - 1), threads)
            return found
        allowances, starts = build_allowances(ways, sums, max_rides=self.max_rides)

        def read(block: NDArray[np.int64], rows: Rows) -> None:
            for cents, start in zip(sums[::-1], starts[::-1], strict=True):
                times = np.full((shape[0], len(self.moments), len(block)), UNREACHED, np.int32)
                self._read(start, rows, np.arange(len(block)), times)
                soonest_s = times.min(axis=1)
                for k, limit_s in enumerate(limits_s):
                    mine = found[:, k, block]
                    mine[soonest_s <= limit_s] = cents
                    found[:, k, block] = mine

        self._scan_backward(allowances, read, threads)
        return found

    # --- from each origin --------------------------------------------------------------------------------------------

    def _scan_forward(self, ways: FareWays, sought: Sought, threads: int) -> None:
        egress, n_stops = self.walks.egress, len(self.access.place_first) - 1
        order = np.argsort(egress.to, kind="stable")
        goal = Goal(
            self.max_rides,
            self.max_travel_s,
            sought.most_cents,
            np.asarray(sought.limits_s, np.int32),
            np.asarray(sought.budgets, np.int32),
            np.concatenate([[0], np.cumsum(np.bincount(egress.to, minlength=n_stops))]).astype(np.int64),
            egress.start()[order].astype(np.int32),
            egress.walk_s[order].astype(np.int32),
        )

        def scan(origins: NDArray[np.int64]) -> None:
            scan_forward(
                origins,
                self.moments,
                self.vehicles,
                self.access,
                self.classes,
                ways,
                goal,
                sought.cheapest,
                sought.quickest,
            )

        origins = np.arange(self.walks.n_origins)
        _for_each(scan, np.array_split(origins, max(1, min(4 * threads, len(origins)))), threads)

    # --- from blocks of destinations -----------------------------------------------------------------------------------

    def _scan_backward(
        self, allowances: Allowances, read: Callable[[NDArray[np.int64], Rows], None], threads: int
    ) -> None:
        """Scan for each block of destinations, and have the rows read."""
        n = self.walks.n_destinations
        blocks = np.array_split(np.arange(n), max(1, -(-n // _MOST_LANES)))
        _for_each(lambda block: read(block, self._rows(allowances, block)), blocks, threads)

    def _rows(self, allowances: Allowances, block: NDArray[np.int64]) -> Rows:
        """The scanned rows of one block."""
        n_lanes, n_allowances, n_events = len(block), allowances.n_allowances, max(int(self.caught.sum()), 1)
        flat = np.flatnonzero(self.classes.run_class >= 0)
        run_row = np.full(self.network.timetable.n_runs, -1, np.int32)
        run_row[flat] = np.arange(len(flat))
        n_riding = max(len(flat), 1)
        # Memory that is not touched costs nothing, whereas rows that turn out too few are copied.
        capacity = min(n_events * n_allowances + 1, max(_BYTES_AT_FIRST // (2 * max(n_lanes, 1)), 1))
        rows = Rows(
            self.ridden,
            np.where(self.caught, np.cumsum(self.caught) - 1, -1).astype(np.int32),
            run_row,
            np.full((n_events, n_allowances), -1, np.int32),
            np.empty((n_riding, n_allowances, n_lanes), np.int16),
            np.zeros((n_riding, n_allowances), np.bool_),
            np.empty((capacity, n_lanes), np.int16),
        )
        lanes = _lanes(self.walks.egress, block, len(self.access.place_first) - 1)
        position, n_rows = self.vehicles.low, 0
        while True:
            position, n_rows = scan_allowances(
                position, n_rows, self.seconds, self.vehicles, self.classes, allowances, lanes, rows
            )
            if position >= self.vehicles.high:
                return rows
            larger = np.empty((2 * len(rows.waiting) + n_allowances, n_lanes), np.int16)
            larger[:n_rows] = rows.waiting[:n_rows]
            rows = rows._replace(waiting=larger)

    def _read(self, start: int, rows: Rows, lanes: NDArray[np.int64], times: NDArray[np.int32]) -> None:
        """Seconds with an allowance, into (n_origins, n_departures, n_destinations)."""
        read_allowance(start, self.moments, self.seconds, self.access, self.vehicles, rows, lanes, times)


def _for_each(do: Callable[[NDArray[np.int64]], None], parts: Sequence[NDArray[np.int64]], threads: int) -> None:
    """Do something with each part, in threads where there are several."""
    if threads > 1 and len(parts) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(do, parts))
    else:
        for part in parts:
            do(part)


def _vehicles(
    network: Network, access: Access, seconds: Moments
) -> tuple[Vehicles, NDArray[np.bool_], NDArray[np.bool_]]:
    """What moves in a scan; where somebody from an origin can wait, and in what somebody can ride."""
    c, between = network.connections, network.changes
    low, high = c.slice_between(seconds.base_s, seconds.latest_s)
    hops = Hops(
        c.departure_s, c.arrival_s, c.run, between.board_place[c.hop], between.alight_place[c.hop], between.first,
        between.to, between.change_s,
    )  # fmt: skip
    n_runs = network.timetable.n_runs
    caught, ridden = catchable(hops, low, high, _first_moments(access, seconds.base_s), np.zeros(n_runs, np.bool_))
    change_first, change_to = all_changes(hops, access, low, high, ridden)
    connection_of = np.empty(len(c.hop), np.int64)
    connection_of[c.hop] = np.arange(len(c.hop))
    vehicles = Vehicles(
        low, high, c.departure_s, c.arrival_s, c.run, c.position, c.alight_stop, c.next_event, change_first, change_to,
        network.timetable.first, connection_of,
    )  # fmt: skip
    return vehicles, caught, ridden


def _first_moments(access: Access, base_s: int) -> NDArray[np.int32]:
    """The first moment at which somebody from an origin can board at each waiting place, leaving at a moment or later."""
    at_stop = np.full(len(access.place_first) - 1, _UNTIMED_S, np.int32)
    np.minimum.at(at_stop, access.to, base_s + access.walk_s + access.slack_s)
    ready_s = np.full(len(access.event_first) - 1, _UNTIMED_S, np.int32)
    ready_s[access.place] = np.repeat(at_stop, np.diff(access.place_first))
    return ready_s


def _lanes(egress: Links, block: NDArray[np.int64], n_stops: int) -> Lanes:
    """The walks from stops to a block of destinations."""
    sizes = (egress.first[block + 1] - egress.first[block]).astype(np.int64)
    link = np.arange(int(sizes.sum())) + np.repeat(egress.first[block] - (np.cumsum(sizes) - sizes), sizes)
    stop = egress.to[link]
    near = np.unique(stop)
    row = np.full(n_stops, -1, np.int32)
    row[near] = np.arange(len(near))
    walk_s = np.full((max(len(near), 1), len(block)), NEVER, np.int16)
    walk_s[row[stop], np.repeat(np.arange(len(block)), sizes)] = np.minimum(egress.walk_s[link], NEVER)
    return Lanes(row, walk_s)


def _on_foot(direct: Links, longest_s: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Origin, destination and seconds of the walks all the way within a limit."""
    near = direct.walk_s <= longest_s
    return direct.start()[near], direct.to[near], direct.walk_s[near]
