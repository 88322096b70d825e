"""The search itself: blocks of places as lanes of one scan, and origins that read the rows of the stops near them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import frozen_array
from community_routes.base.errors import UsageError
from community_routes.base.times import UNREACHED, format_time
from community_routes.network.network import Network, Outline
from community_routes.network.packing import packable
from community_routes.network.timetable.connections import ConnectionArrays
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.routing.scan import (
    NEVER,
    Boardings,
    Departures,
    Egress,
    Hours,
    Lanes,
    Rows,
    Scanned,
    find_boardings,
    read_all_departures,
    read_percentiles,
    read_sums,
    scan_connections,
    sorting_network,
)

LONGEST_SPAN_S = 32_000
"""First departure to last useful arrival in one scan: what 16 bits hold, with room for the sentinel."""

MOST_LANES = 256
_LANE_MULTIPLE = 16
_BYTES_AT_FIRST = 1 << 29
_LARGEST_CUBE = 1 << 28


@dataclass(frozen=True, eq=False)
class TimesBlock:
    """Travel times of some origins, some departures and some destinations: a piece of the whole cube.

    Attributes
    ----------
    origins, departures, destinations : int32 arrays
        Which ones, as indices.
    time_s : int32, shape (n_origins, n_departures, n_destinations)
        Seconds; UNREACHED where there is no journey within the limits.
    """

    origins: NDArray[np.int32]
    departures: NDArray[np.int32]
    destinations: NDArray[np.int32]
    time_s: NDArray[np.int32]


@packable
@dataclass(frozen=True, eq=False)
class Span:
    """Consecutive departures that one scan can answer, and what it needs."""

    departures: slice
    base_s: int
    horizon_s: int
    low: int
    high: int
    offset_s: NDArray[np.int32]
    boarding_first: NDArray[np.int64]
    moment: NDArray[np.int32]
    boarding: NDArray[np.int32]

    @property
    def boardings(self) -> Boardings:
        """The events that each origin reads."""
        return Boardings(self.boarding_first, self.moment, self.boarding)


_SHARED = (
    "connections",
    "query",
    "walks",
    "access_extra_s",
    "egress_extra_s",
    "departures_s",
    "n_lanes",
    "n_layers",
    "lane_order",
    "origin_order",
    "spans",
)
"""Of a search, what does not change while it is worked on."""


class _Workspace(threading.local):
    """What one thread keeps between blocks: allocating and touching it anew would cost more than the scan."""

    def __init__(self) -> None:
        self.rows = np.empty((0, 0), np.int16)
        self.riding = np.empty((0, 0), np.int16)

    def shaped(
        self, n_runs: int, n_layers: int, n_lanes: int, most_rows: int
    ) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
        """Rows of vehicles, and as many waiting rows as there can be, or the first of them where that is a lot.

        Memory that is not touched costs nothing, whereas rows that turn out too few are copied.
        """
        n_rows = min(most_rows, _BYTES_AT_FIRST // (2 * n_layers * n_lanes))
        if self.riding.shape != (n_runs, n_layers * n_lanes):
            self.riding = np.empty((n_runs, n_layers * n_lanes), np.int16)
        if self.rows.shape[1] != n_layers * n_lanes or len(self.rows) < n_rows:
            self.rows = np.empty((n_rows, n_layers * n_lanes), np.int16)
        return self.riding, self.rows


class Scannable(Protocol):
    """What is scanned: connections, in the order of ``Connections``."""

    @property
    def arrays(self) -> ConnectionArrays:
        """As kernels take them."""

    @property
    def n_runs(self) -> int:
        """More than the number of any run."""

    def slice_between(self, start_s: int, end_s: int) -> tuple[int, int]:
        """Connections that leave at ``start_s`` or later and at ``end_s`` or earlier, as a range."""


class Search:
    """One direction of time: destinations are lanes, origins read the rows of the stops near them.

    Parameters
    ----------
    connections : Connections
    network : Network or Outline
    query : Query
    walks : Walks
    most_lanes : int
    also : sequence of Query
        Like the query but for their windows, which follow its window as further departures.
    """

    def __init__(
        self,
        connections: Scannable,
        network: Network | Outline,
        query: Query,
        walks: Walks,
        most_lanes: int = MOST_LANES,
        also: Sequence[Query] = (),
    ) -> None:
        self.connections, self.query, self.walks = connections, query, walks
        # Slack belongs to the boarding: leaving, it is spent after the access walk; mirrored, after the "egress" walk.
        self.access_extra_s = 0 if query.arrive_by else network.slack_s
        self.egress_extra_s = network.slack_s if query.arrive_by else 0
        for asked in (query, *also):
            _check_span(network, asked)
        self.windows_s = [
            -asked.departures_s[::-1] if asked.arrive_by else asked.departures_s for asked in (query, *also)
        ]
        self.departures_s = np.concatenate(self.windows_s)
        n = walks.n_destinations
        n_blocks = max(1, -(-n // most_lanes))
        self.n_lanes = max(_LANE_MULTIPLE, -(-n // n_blocks // _LANE_MULTIPLE) * _LANE_MULTIPLE)
        # What other processes read from files cannot be written to, and kernels are compiled for the one or the other.
        self.lane_order = _fixed(_along_a_curve(walks.egress, network))
        # Neighbours read nearly the same rows: one after the other they find them in the processor's cache.
        self.origin_order = _fixed(_along_a_curve(walks.access, network))
        self.n_layers = max(query.max_rides, 1)
        self.spans = list(self._spans())
        self.workspace = _Workspace()

    def shared(self) -> dict[str, Any]:
        """All that another process needs to search the same, ready to be packed."""
        return {name: getattr(self, name) for name in _SHARED}

    @classmethod
    def from_shared(cls, shared: Mapping[str, Any]) -> Search:
        """The search that ``shared`` told of, with a workspace of its own; nothing is found anew."""
        search = cls.__new__(cls)
        for name in _SHARED:
            setattr(search, name, shared[name])
        search.workspace = _Workspace()
        return search

    def on(self, connections: Scannable, walks: Walks, spans: list[Span] | None = None) -> Search:
        """The same question of other connections, with walks of the same places; ``spans`` where these are known."""
        other = copy(self)
        other.connections, other.walks = connections, walks
        other.spans = list(other._spans()) if spans is None else spans
        return other

    def _spans(self) -> Iterator[Span]:
        c, limit_s, access = self.connections, self.query.max_travel_s, self.walks.access.arrays
        if not self.query.max_rides:
            access = access._replace(first=_fixed(np.zeros_like(access.first)))
        first_s, last_s = int(self.departures_s.min()), int(self.departures_s.max())
        together = last_s - first_s + limit_s <= LONGEST_SPAN_S
        before = 0
        for window_s in self.windows_s:
            start = 0
            while start < len(window_s):
                begin_s = int(window_s[start])
                end = int(np.searchsorted(window_s, begin_s + LONGEST_SPAN_S - limit_s, "right"))
                departures_s = window_s[start:end]
                base_s, until_s = (first_s, last_s) if together else (begin_s, int(departures_s[-1]))
                horizon_s = until_s - base_s + limit_s
                low, high = c.slice_between(base_s, base_s + horizon_s)
                departures = Departures(
                    begin_s, self.query.step_s, len(departures_s), self.access_extra_s, base_s + horizon_s
                )
                boardings = find_boardings(access, c.arrays, c.n_runs, departures)
                offset_s = (departures_s - base_s).astype(np.int32)
                arrays = map(_fixed, (offset_s, *boardings))
                yield Span(slice(before + start, before + end), base_s, horizon_s, low, high, *arrays)
                start = end
            before += len(window_s)

    def lane_blocks(self) -> list[NDArray[np.int32]]:
        """Destinations of each block."""
        return [self.lane_order[i : i + self.n_lanes] for i in range(0, len(self.lane_order), self.n_lanes)]

    def scan(self, span: Span, destinations: NDArray[np.int32]) -> Scanned:
        """The waiting rows of all events of the span for one block."""
        c, limit_s = self.connections, self.query.max_travel_s
        riding, waiting = self.workspace.shaped(c.n_runs, self.n_layers, self.n_lanes, span.high - span.low)
        egress = self._egress(destinations, len(c.arrays.place_first) - 1)
        hours = Hours(span.low, span.high, span.base_s, span.horizon_s, limit_s)
        waiting_row = np.full(span.high - span.low, -1, np.int32)
        rows = Rows(riding, np.zeros(c.n_runs, np.bool_), waiting_row, waiting)
        position, n_rows = span.low, 0
        while True:
            position, n_rows = scan_connections(position, n_rows, hours, c.arrays, egress, rows)
            if position >= span.high:
                top = (self.n_layers - 1) * self.n_lanes
                return Scanned(waiting_row, rows.waiting, top, span.low, span.offset_s, limit_s)
            larger = np.empty((2 * len(rows.waiting) + 1, riding.shape[1]), np.int16)
            larger[:n_rows] = rows.waiting[:n_rows]
            rows = rows._replace(waiting=larger)
            self.workspace.rows = larger

    def _egress(self, destinations: NDArray[np.int32], n_stops: int) -> Egress:
        """Dense egress walks of the block's lanes for each stop near any of them."""
        egress = self.walks.egress
        sizes = egress.first[destinations + 1] - egress.first[destinations]
        lane = np.repeat(np.arange(len(destinations)), sizes)
        link = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        link += np.repeat(egress.first[destinations], sizes)
        stops = egress.to[link]
        near = np.unique(stops)
        egress_row = np.full(n_stops, -1, np.int32)
        egress_row[near] = np.arange(len(near))
        egress_s = np.full((max(len(near), 1), self.n_lanes), NEVER, np.int16)
        egress_s[egress_row[stops], lane] = np.minimum(egress.walk_s[link] + self.egress_extra_s, NEVER)
        return Egress(egress_row, egress_s)

    def _lanes(self, destinations: NDArray[np.int32], columns: NDArray[np.int32]) -> Lanes:
        lane_of = np.full(self.walks.n_destinations, -1, np.int32)
        lane_of[destinations] = np.arange(len(destinations))
        # Frozen wherever they come from: a kernel is compiled anew for an array that may be written to.
        return Lanes(lane_of, frozen_array(columns, np.int32, "columns"))

    def cube(self, threads: int) -> NDArray[np.int16]:
        """All times, shape (n_origins, n_departures, n_destinations)."""
        walks = self.walks
        result = np.full((walks.n_origins, len(self.departures_s), walks.n_destinations), NEVER, np.int16)
        for_each(lambda block: self.fill_cube(block, result, block), self.lane_blocks(), threads)
        return result

    def fill_cube(self, destinations: NDArray[np.int32], result: NDArray[np.int16], columns: NDArray[np.int32]) -> None:
        """Times to the destinations of one block at every departure, into these columns of ``result``."""
        origins = np.arange(self.walks.n_origins, dtype=np.int32)
        lanes = self._lanes(destinations, columns)
        known: tuple[Span, Scanned] | None = None
        for span in self.spans:
            if known is None or (known[0].base_s, known[0].horizon_s) != (span.base_s, span.horizon_s):
                known = span, self.scan(span, destinations)
            scanned = known[1]._replace(offset_s=span.offset_s)
            self._read(origins, span, scanned, lanes, span.departures.start, result)

    def _read(
        self,
        origins: NDArray[np.int32],
        span: Span,
        scanned: Scanned,
        lanes: Lanes,
        first_departure: int,
        result: NDArray[np.int16],
    ) -> None:
        read_all_departures(origins, span.boardings, scanned, self.walks.direct.arrays, lanes, first_departure, result)

    def sums(self, amounts: NDArray[np.int64], limit_s: int) -> NDArray[np.int64]:
        """Amounts of the destinations within a limit (below ``NEVER``) at every departure, shape (n_origins, n_departures)."""
        result = np.zeros((self.walks.n_origins, len(self.departures_s)), np.int64)
        direct = self.walks.direct.arrays
        for block in self.lane_blocks():
            lanes = self._lanes(block, block)
            amount = np.zeros(self.n_lanes, np.int64)
            amount[: len(block)] = amounts[block]
            for span in self.spans:
                found = self.scan(span, block)
                start = span.departures.start
                read_sums(self.origin_order, span.boardings, found, direct, lanes, amount, limit_s, start, result)
        return result

    def percentiles(self, threads: int) -> NDArray[np.int16]:
        """Percentiles, shape (n_percentiles, n_origins, n_destinations)."""
        n_percentiles = len(self.query.percentiles)
        result = np.full((n_percentiles, self.walks.n_origins, self.walks.n_destinations), NEVER, np.int16)
        for_each(lambda block: self.fill_percentiles(block, result, block), self.lane_blocks(), threads)
        return result

    def fill_percentiles(
        self, destinations: NDArray[np.int32], result: NDArray[np.int16], columns: NDArray[np.int32]
    ) -> None:
        """Percentiles to the destinations of one block, into these columns of ``result``."""
        ranks = np.array(self.query.ranks())
        if len(self.spans) > 1:
            self._fill_from_spans(destinations, result, columns, ranks)
            return
        span = self.spans[0]
        read_percentiles(
            self.origin_order,
            span.boardings,
            self.scan(span, destinations),
            self.walks.direct.arrays,
            self._lanes(destinations, columns),
            self._comparators,
            ranks,
            result,
        )

    @cached_property
    def _comparators(self) -> NDArray[np.int32]:
        return sorting_network(len(self.departures_s), self.query.ranks())

    def _fill_from_spans(
        self,
        destinations: NDArray[np.int32],
        result: NDArray[np.int16],
        columns: NDArray[np.int32],
        ranks: NDArray[np.int64],
    ) -> None:
        """A window too long for one scan: the times of a few origins at a time are put together, then sorted."""
        n_departures = len(self.departures_s)
        at_once = max(1, _LARGEST_CUBE // (2 * n_departures * self.n_lanes))
        lanes = self._lanes(destinations, np.arange(len(destinations), dtype=np.int32))
        for start in range(0, self.walks.n_origins, at_once):
            origins = np.arange(start, min(start + at_once, self.walks.n_origins), dtype=np.int32)
            times = np.full((len(origins), n_departures, len(destinations)), NEVER, np.int16)
            for span in self.spans:
                self._read(origins, span, self.scan(span, destinations), lanes, span.departures.start, times)
            times.sort(axis=1)
            result[:, origins[:, None], columns[None, :]] = times[:, ranks, :].transpose(1, 0, 2)

    def pieces(self, destinations: NDArray[np.int32], origins_at_once: int) -> Iterator[TimesBlock]:
        """The cube of the destinations of one block piece by piece."""
        lanes = self._lanes(destinations, np.arange(len(destinations), dtype=np.int32))
        for span in self.spans:
            scanned = self.scan(span, destinations)
            departures = np.arange(span.departures.start, span.departures.stop, dtype=np.int32)
            for start in range(0, self.walks.n_origins, origins_at_once):
                origins = np.arange(start, min(start + origins_at_once, self.walks.n_origins), dtype=np.int32)
                times = np.empty((len(origins), len(departures), len(destinations)), np.int16)
                self._read(origins, span, scanned, lanes, 0, times)
                yield TimesBlock(origins, departures, destinations, as_seconds(times))


def _fixed(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def needed_s(query: Query) -> tuple[int, int]:
    """First and last second at which a connection is of use."""
    first, last = int(query.departures_s[0]), int(query.departures_s[-1])
    return (first - query.max_travel_s, last) if query.arrive_by else (first, last + query.max_travel_s)


def _check_span(network: Network | Outline, query: Query) -> None:
    """A network built for other hours of the day would answer that nothing runs."""
    needed = needed_s(query)
    span = network.span_s
    if needed[0] < span[0] or needed[1] > span[1]:
        raise UsageError(
            f"the search needs departures from {format_time(needed[0])} to {format_time(needed[1])}, but the network was "
            f"built for those from {format_time(span[0])} to {format_time(span[1])}; build it with a wider span_s"
        )


def for_each(work: Callable[[NDArray[np.int32]], None], blocks: list[NDArray[np.int32]], threads: int) -> None:
    """Do the work for every block; each writes its own part of the result, so the number of threads changes nothing."""
    if threads <= 1 or len(blocks) < 2:
        for block in blocks:
            work(block)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, block) for block in blocks]:
            done.result()


def _along_a_curve(links: Links, network: Network | Outline) -> NDArray[np.int32]:
    """Places in an order in which neighbours stay close: along a Hilbert curve through their nearest stops."""
    n = links.n_from
    if n < 2:
        return np.arange(n, dtype=np.int32)
    nearest = np.full(n, -1, np.int64)
    begun = np.flatnonzero(np.diff(links.first))
    if len(begun):
        n_stops = len(network.stop_lon)
        nearest[begun] = np.minimum.reduceat(links.walk_s * np.int64(n_stops) + links.to, links.first[begun]) % n_stops
    x, y = network.stop_lon[nearest], network.stop_lat[nearest]
    key = np.where(nearest >= 0, _hilbert(x, y), 1 << 62)
    return np.argsort(key, kind="stable").astype(np.int32)


def _hilbert(x: NDArray[np.float64], y: NDArray[np.float64], order: int = 16) -> NDArray[np.int64]:
    """Distance along a Hilbert curve through the box of the points (Hilbert, 1891)."""
    side = 1 << order
    cells = []
    for values in (x, y):
        finite = np.nan_to_num(values, nan=float(np.nanmin(values)) if np.isfinite(values).any() else 0.0)
        spread = float(np.ptp(finite)) if len(finite) else 0.0
        cells.append(((finite - finite.min()) / spread * (side - 1) if spread else finite * 0).astype(np.int64))
    a, b = cells
    distance = np.zeros(len(a), np.int64)
    step = side >> 1
    while step:
        right, upper = (a & step) > 0, (b & step) > 0
        distance += step * step * ((3 * right) ^ upper)
        flip = ~upper & right
        a, b = np.where(flip, side - 1 - a, a), np.where(flip, side - 1 - b, b)
        a, b = np.where(~upper, b, a), np.where(~upper, a, b)
        step >>= 1
    return distance


def as_seconds(times: NDArray[np.int16]) -> NDArray[np.int32]:
    seconds = times.astype(np.int32)
    np.copyto(seconds, UNREACHED, where=times == NEVER)
    return seconds
