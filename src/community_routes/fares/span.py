"""Some departures of a query and what they need of a network, searched from either end with prices.

``scan`` goes backwards from blocks of destinations, ``forward`` from each origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.fares.forward import Goal, scan_forward
from community_routes.fares.machine import Allowances, Fares, FareWays, Rides
from community_routes.fares.scan import (
    NEVER,
    NOBODY,
    UNTIMED_S,
    Access,
    Columns,
    Hops,
    Lanes,
    Moments,
    Rows,
    Vehicles,
    follow,
    read_allowance,
    scan_allowances,
)
from community_routes.network.network import Network
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.routing.search import for_each

_MOST_LANES = 256
_LANE_MULTIPLE = 64
_BYTES_AT_FIRST = 1 << 28
_FEW_ROWS = 1 << 12


class Sought(NamedTuple):
    """Arrays to fill for each origin: least to pay within limits (o, k, lane), seconds within budgets (b, o, d, lane)."""

    cheapest: NDArray[np.int32]
    quickest: NDArray[np.int32]
    limits_s: tuple[int, ...]
    budgets: tuple[int, ...]
    most_cents: int


class Span:
    """Some departures of a query: what is ridden after them, what that costs, and the changes.

    Attributes
    ----------
    kinds : list of Hashable
        The kind of each class of rides that are of use.
    """

    def __init__(
        self,
        network: Network,
        query: Query,
        walks: Walks,
        fares: Fares,
        departures: slice,
        *,
        threads: int = 1,
    ) -> None:
        self.network, self.query, self.walks, self.fares = network, query, walks, fares
        self.departures, self.threads = departures, threads
        longest_s = query.max_travel_s
        self.moments = query.departures_s[departures]
        base_s = int(self.moments[0])
        self.seconds = Moments(base_s, query.step_s, int(self.moments[-1]) - base_s, longest_s)
        c = network.connections
        self.access = Access(
            network.slack_s, walks.access.first, walks.access.to, walks.access.walk_s, c.place_first, c.place,
            c.event_first, c.event, c.event_departure_s,
        )  # fmt: skip
        low, high = c.slice_between(base_s, int(self.moments[-1]) + longest_s)
        rides = Rides(network, fares, np.flatnonzero(np.bincount(c.run[low:high])))
        self.vehicles = self._vehicles(low, high, rides)
        ridden = self.vehicles.rides_s != NOBODY
        caught = c.hop[low:high][self.vehicles.waits_s != NOBODY]
        boards, leaves = (np.zeros(network.timetable.n_stops, np.bool_) for _ in range(2))
        boards[network.timetable.from_stop[caught]] = True
        leaves[network.timetable.to_stop[c.hop[low:high][ridden]]] = True
        self.classes, self.kinds = rides.classes(boards, leaves), rides.kinds

    def _vehicles(self, low: int, high: int, rides: Rides) -> Vehicles:
        """What moves, and what somebody can ride and change to."""
        c, between, timetable = self.network.connections, self.network.changes, self.network.timetable
        board_place = between.board_place[c.hop[low:high]]
        is_open = np.zeros(len(between.board_stop), np.bool_)
        if self.fares.by_clock:
            is_open[:] = True
        else:
            metered = board_place[rides.metered[c.run[low:high]]]
            is_open[metered[metered >= 0]] = True
        leads_to_open = np.zeros(len(between.alight_stop), np.bool_)
        if is_open.any():
            leads_to_open[np.searchsorted(between.first, np.flatnonzero(is_open[between.to]), "right") - 1] = True
        hops = Hops(
            low, high, c.departure_s, c.arrival_s, c.run, c.next_event, c.alight_stop, board_place,
            between.alight_place[c.hop[low:high]], c.transfer_first, c.transfer, between.first, between.to,
            between.change_s, self._walks_to_places(), _walks_from_stops(self.walks.egress, timetable.n_stops), is_open,
            leads_to_open,
        )  # fmt: skip
        connection_of = np.empty(len(c.hop), np.int64)
        connection_of[c.hop] = np.arange(len(c.hop))
        return Vehicles(
            low, high, c.departure_s, c.arrival_s, c.run, c.position, c.alight_stop, c.next_event, timetable.first,
            connection_of, *follow(hops, self.access, self.seconds, timetable.n_runs),
        )  # fmt: skip

    def _walks_to_places(self) -> NDArray[np.int32]:
        """The shortest time from any origin to each waiting place, slack included."""
        access = self.access
        at_stop = np.full(len(access.place_first) - 1, UNTIMED_S, np.int32)
        np.minimum.at(at_stop, access.to, access.walk_s + access.slack_s)
        walk_s = np.full(len(access.event_first) - 1, UNTIMED_S, np.int32)
        walk_s[access.place] = np.repeat(at_stop, np.diff(access.place_first))
        return walk_s

    def only(self, origins: NDArray[np.int64], destinations: NDArray[np.int64]) -> Span:
        """The same with some origins and destinations: less is of use, and has fewer prices."""
        walks = self.walks
        some = Walks(
            walks.access.only(origins),
            walks.egress.only(destinations),
            walks.direct.only(origins).only_to(destinations),
        )
        return Span(self.network, self.query, some, self.fares, self.departures, threads=self.threads)

    # --- from each origin --------------------------------------------------------------------------------------------

    def follow_labels(self, ways: FareWays, sought: Sought) -> None:
        """Fill what is sought from each origin."""
        egress, n_stops = self.walks.egress, len(self.access.place_first) - 1
        order = np.argsort(egress.to, kind="stable")
        goal = Goal(
            self.query.max_rides,
            self.seconds.longest_s,
            sought.most_cents,
            np.asarray(sought.limits_s, np.int32),
            np.asarray(sought.budgets, np.int32),
            np.concatenate([[0], np.cumsum(np.bincount(egress.to, minlength=n_stops))]).astype(np.int64),
            egress.start()[order].astype(np.int32),
            egress.walk_s[order].astype(np.int32),
        )

        def scan(origins: NDArray[np.int32]) -> None:
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

        origins = np.arange(self.walks.n_origins, dtype=np.int32)
        for_each(scan, np.array_split(origins, max(1, min(4 * self.threads, len(origins)))), self.threads)

    # --- from blocks of destinations -----------------------------------------------------------------------------------

    def quickest(self, allowances: Allowances, starts: Sequence[int]) -> NDArray[np.int16]:
        """Seconds with each allowance, shape (n_starts, n_origins, n_departures, n_destinations)."""
        shape = len(starts), self.walks.n_origins, len(self.moments), self.walks.n_destinations
        found = np.empty(shape, np.int16)

        def read(block: slice, rows: Rows) -> None:
            for start, times in zip(starts, found, strict=True):
                self._read(start, rows, block, times)

        self._scan_backward(allowances, read)
        return found

    def soonest(self, allowances: Allowances, starts: Sequence[int]) -> NDArray[np.int16]:
        """The shortest time at any departure with each allowance, shape (n_starts, n_origins, n_destinations)."""
        found = np.empty((len(starts), self.walks.n_origins, self.walks.n_destinations), np.int16)

        def read(block: slice, rows: Rows) -> None:
            n = block.stop - block.start
            each = np.empty((found.shape[1], len(self.moments), n), np.int16)
            for start, times in zip(starts, found, strict=True):
                self._read(start, rows, slice(0, n), each)
                times[:, block] = each.min(axis=1)

        self._scan_backward(allowances, read)
        return found

    def _scan_backward(self, allowances: Allowances, read: Callable[[slice, Rows], None]) -> None:
        """Scan for each block of destinations, and have the rows read."""
        n = self.walks.n_destinations
        blocks = np.array_split(np.arange(n, dtype=np.int32), max(1, -(-n // _MOST_LANES)))

        def scan(block: NDArray[np.int32]) -> None:
            if len(block):
                read(slice(int(block[0]), int(block[-1]) + 1), self._rows(allowances, block))

        for_each(scan, blocks, self.threads)

    def _rows(self, allowances: Allowances, block: NDArray[np.int32]) -> Rows:
        """The scanned rows of one block."""
        lanes = _lanes(self.walks.egress, block, len(self.access.place_first) - 1)
        n_lanes, n_allowances = lanes.walk_s.shape[1], allowances.n_allowances
        caught = self.vehicles.waits_s != NOBODY
        n_events = max(int(caught.sum()), 1)
        flat = np.flatnonzero(self.classes.run_class >= 0)
        run_row = np.full(self.network.timetable.n_runs, -1, np.int32)
        run_row[flat] = np.arange(len(flat))
        n_riding = max(len(flat), 1)
        # Memory that is not touched costs nothing, whereas rows that turn out too few are copied.
        capacity = min(max(n_events * n_allowances, _FEW_ROWS) + 1, max(_BYTES_AT_FIRST // (2 * n_lanes), 1))
        rows = Rows(
            np.where(caught, np.cumsum(caught) - 1, -1).astype(np.int32),
            run_row,
            np.full((n_events, n_allowances), -1, np.int32),
            np.empty((n_riding, n_allowances, n_lanes), np.int16),
            np.zeros((n_riding, n_allowances), np.bool_),
            np.empty((capacity, n_lanes), np.int16),
        )
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

    def _read(self, start: int, rows: Rows, block: slice, times: NDArray[np.int16]) -> None:
        """Seconds with an allowance, into some columns of (n_origins, n_departures, n_destinations)."""
        columns = Columns(block.start, block.stop)
        read_allowance(start, self.moments, self.seconds, self.access, self.vehicles, rows, columns, times)


def _walks_from_stops(egress: Links, n_stops: int) -> NDArray[np.int32]:
    """The shortest walk from each stop to any destination."""
    walk_s = np.full(n_stops, UNTIMED_S, np.int32)
    np.minimum.at(walk_s, egress.to, egress.walk_s)
    return walk_s


def _lanes(egress: Links, block: NDArray[np.int32], n_stops: int) -> Lanes:
    """The walks from stops to a block of destinations."""
    sizes = (egress.first[block + 1] - egress.first[block]).astype(np.int64)
    link = np.arange(int(sizes.sum())) + np.repeat(egress.first[block] - (np.cumsum(sizes) - sizes), sizes)
    stop = egress.to[link]
    near = np.unique(stop)
    row = np.full(n_stops, -1, np.int32)
    row[near] = np.arange(len(near))
    n_lanes = max(-(-len(block) // _LANE_MULTIPLE), 1) * _LANE_MULTIPLE
    walk_s = np.full((max(len(near), 1), n_lanes), NEVER, np.int16)
    walk_s[row[stop], np.repeat(np.arange(len(block)), sizes)] = np.minimum(egress.walk_s[link], NEVER)
    return Lanes(row, walk_s)
