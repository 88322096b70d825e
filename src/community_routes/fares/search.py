"""Travel times within a budget of money: the search that knows what each ride costs and which tickets are held.

For every budget and every departure the earliest arrival among the journeys that can be paid for, with singles, with day
tickets, or with both. It is exact: allowances that permit the same rides to come are one state, and no other two are
compared. An infinite budget gives the travel times of the search without fares.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED
from community_routes.fares.prices import Choice, PricedRuns, RideClass, price_runs
from community_routes.fares.scan import NEVER, all_changes, catchable, read_allowance, scan_allowances
from community_routes.fares.tickets import TicketFares
from community_routes.network.network import Network
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks

LONGEST_SPAN_S = 32_000
"""First departure to last useful arrival in one scan: what 16 bits hold."""

_MOST_LANES = 256
_BYTES_AT_FIRST = 1 << 28
_UNTIMED = 1 << 30


@dataclass(frozen=True, eq=False)
class Allowances:
    """What may still be ridden, as a machine of states.

    Attributes
    ----------
    after : int32, shape (n_allowances, n_classes)
        The allowance left after boarding a ride of a class, always of a smaller number; -1 where it is not allowed.
    starts : tuple of int32 arrays
        For each budget the allowances that a traveller may choose from: one for each choice of tickets that it pays for.
    """

    after: NDArray[np.int32]
    starts: tuple[NDArray[np.int32], ...]


def build_allowances(
    classes: Sequence[RideClass], choices: Sequence[Choice], budgets: Sequence[float], max_rides: int
) -> Allowances:
    """The smallest machine that tells apart what some budgets allow.

    Two allowances that permit the same sequences of classes are one, however much money is left in each.

    Parameters
    ----------
    classes : sequence of RideClass
    choices : sequence of tuple of Ticket
    budgets : sequence of float
        Hundredths; infinity allows every ride, also one without a price.
    max_rides : int
    """
    number: dict[tuple[int, ...], int] = {}
    known: dict[tuple[int, int, float], int] = {}

    def allowance(choice: int, rides: int, cents: float) -> int:
        key = (choice, rides, cents)
        if key not in known:
            left = []
            for ride in classes if rides else ():
                price = 0.0 if cents == math.inf or ride.covered[choice] else ride.cents
                left.append(allowance(choice, rides - 1, cents - price) if price <= cents else -1)
            shape = tuple(left) if left else (-1,) * len(classes)
            known[key] = number.setdefault(shape, len(number))
        return known[key]

    starts: list[NDArray[np.int32]] = []
    for budget in budgets:
        if budget == math.inf:
            found = {allowance(0, max_rides, math.inf)}
        else:
            cost = [float(sum(ticket.cents for ticket in choice)) for choice in choices]
            found = {allowance(k, max_rides, budget - cents) for k, cents in enumerate(cost) if cents <= budget}
        starts.append(np.asarray(sorted(found), dtype=np.int32))
    after = np.asarray(list(number), dtype=np.int32).reshape(len(number), len(classes))
    return Allowances(after, tuple(starts))


def times_within_budgets(
    network: Network, query: Query, walks: Walks, prices: TicketFares, budgets: Iterable[float], *, threads: int = 1
) -> NDArray[np.int32]:
    """Travel time of every origin, departure and destination for each budget.

    Parameters
    ----------
    network : Network
    query : Query
        Not arrive-by.
    walks : Walks
    prices : TicketFares
        A fare by distance counts the straight line between the stops.
    budgets : iterable of float
        Money for one journey; infinity for no limit.
    threads : int
        Changes nothing but the time it takes.

    Returns
    -------
    int32, shape (n_budgets, n_origins, n_departures, n_destinations)
        Seconds; UNREACHED where the budget pays for no journey within the limits. Walking all the way is free.
    """
    if query.arrive_by:
        raise ValueError("a budget is searched by departure, not by arrival")
    cents = [b if b == math.inf else math.floor(b * 100 + 1e-6) for b in budgets]
    moments = query.departures_s
    result = np.empty((len(cents), walks.n_origins, len(moments), walks.n_destinations), np.int32)
    n_blocks = max(1, -(-walks.n_destinations // _MOST_LANES))
    blocks = np.array_split(np.arange(walks.n_destinations), n_blocks)
    start = 0
    while start < len(moments):
        end = int(np.searchsorted(moments, int(moments[start]) + LONGEST_SPAN_S - query.max_travel_s, "right"))
        span = _Span(network, query, walks, prices, cents, slice(start, end))
        if threads > 1 and n_blocks > 1:
            with ThreadPoolExecutor(threads) as pool:
                for done in [pool.submit(span.fill, block, result) for block in blocks]:
                    done.result()
        else:
            for block in blocks:
                span.fill(block, result)
        start = end
    return result


class _Span:
    """Consecutive departures that one scan can answer: what is ridden in it, what that costs, and the changes."""

    def __init__(
        self,
        network: Network,
        query: Query,
        walks: Walks,
        prices: TicketFares,
        cents: Sequence[float],
        departures: slice,
    ) -> None:
        self.network, self.query, self.walks, self.departures = network, query, walks, departures
        self.moments = query.departures_s[departures]
        self.base_s = int(self.moments[0])
        self.latest_s = int(self.moments[-1]) + query.max_travel_s
        c, changes = network.connections, network.changes
        low, high = self.low, self.high = c.slice_between(self.base_s, self.latest_s)
        board_place, alight_place = changes.board_place[c.hop], changes.alight_place[c.hop]
        caught, self.ridden = catchable(
            low, high, c.departure_s, c.arrival_s, c.run, board_place, alight_place, changes.first, changes.to,
            changes.change_s, self._first_moments(), np.zeros(network.timetable.n_runs, np.bool_),
        )  # fmt: skip
        self.changes, self.change_to = all_changes(
            low, high, c.arrival_s, alight_place, changes.first, changes.to, changes.change_s, c.event_first, c.event,
            c.event_departure_s, self.ridden,
        )  # fmt: skip
        self.n_events = int(caught.sum())
        self.event_row = np.where(caught, np.cumsum(caught) - 1, -1).astype(np.int32)
        self.connection_of = np.empty(len(c.hop), np.int64)
        self.connection_of[c.hop] = np.arange(len(c.hop))
        self.priced, self.allowances = _paid(network, query, prices, cents, np.unique(c.run[low:high][self.ridden]))
        flat = np.flatnonzero(self.priced.run_class >= 0)
        self.n_flat = len(flat)
        self.run_row = np.full(network.timetable.n_runs, -1, np.int32)
        self.run_row[flat] = np.arange(self.n_flat)

    def _first_moments(self) -> NDArray[np.int32]:
        """The first moment at which somebody from an origin can board at each waiting place."""
        c, access = self.network.connections, self.walks.access
        at_stop = np.full(len(c.place_first) - 1, _UNTIMED, np.int32)
        np.minimum.at(at_stop, access.to, self.base_s + access.walk_s + self.network.slack_s)
        ready_s = np.full(len(c.event_first) - 1, _UNTIMED, np.int32)
        ready_s[c.place] = np.repeat(at_stop, np.diff(c.place_first))
        return ready_s

    def fill(self, destinations: NDArray[np.int64], result: NDArray[np.int32]) -> None:
        """The travel times to some destinations, into the array of all."""
        c, walks, query = self.network.connections, self.walks, self.query
        lane_of = np.full(walks.n_destinations, -1, np.int32)
        lane_of[destinations] = np.arange(len(destinations))
        waiting_row, rows = self._scan(destinations)
        for k, starts in enumerate(self.allowances.starts):
            read_allowance(
                starts, self.low, self.base_s, self.moments, self.network.slack_s, query.max_travel_s, walks.access.first,
                walks.access.to, walks.access.walk_s, walks.direct.first, walks.direct.to, walks.direct.walk_s,
                c.place_first, c.place, c.event_first, c.event, c.event_departure_s, self.event_row, waiting_row, rows,
                destinations, lane_of, UNREACHED, self.departures.start, result[k],
            )  # fmt: skip

    def _scan(self, destinations: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """Waiting rows of all events for one block: the row of each event and allowance, and the rows."""
        c, n_lanes, n_allowances = self.network.connections, len(destinations), len(self.allowances.after)
        egress_row, egress_s = _egress(self.walks.egress, destinations, len(c.place_first) - 1)
        waiting_row = np.full((max(self.n_events, 1), n_allowances), -1, np.int32)
        riding = np.empty((max(self.n_flat, 1), n_allowances, n_lanes), np.int16)
        is_riding = np.zeros(riding.shape[:2], np.bool_)
        # Memory that is not touched costs nothing, whereas rows that turn out too few are copied.
        most = waiting_row.size + 1
        rows = np.empty((min(most, max(_BYTES_AT_FIRST // (2 * max(n_lanes, 1)), 1)), n_lanes), np.int16)
        position, n_rows = self.low, 0
        while True:
            position, n_rows = scan_allowances(
                position, self.low, self.high, self.base_s, self.latest_s, self.query.max_travel_s, c.departure_s,
                c.arrival_s, c.run, c.position, c.alight_stop, c.next_event, self.ridden, self.event_row, self.changes,
                self.change_to, egress_row, egress_s, self.run_row, self.priced.run_class, self.allowances.after,
                self.network.timetable.first, self.connection_of, self.priced.pair_first, self.priced.pair_class,
                waiting_row, riding, is_riding, rows, n_rows,
            )  # fmt: skip
            if position >= self.high:
                return waiting_row, rows
            larger = np.empty((2 * len(rows) + n_allowances, n_lanes), np.int16)
            larger[:n_rows] = rows[:n_rows]
            rows = larger


def _paid(
    network: Network, query: Query, prices: TicketFares, cents: Sequence[float], runs: NDArray[np.int32]
) -> tuple[PricedRuns, Allowances]:
    """What the vehicles of a search cost, and what the budgets allow."""
    limit = max((b for b in cents if b < math.inf), default=0)
    choices = [t for t in prices.choices(query.max_rides) if sum(ticket.cents for ticket in t) <= limit]
    priced = price_runs(network, prices, choices, runs, most_cents=limit)
    return priced, build_allowances(priced.classes, choices, cents, query.max_rides)


def _egress(egress: Links, lanes: NDArray[np.int64], n_stops: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Row of each stop near a lane (-1 for none), and its walks to the lanes."""
    sizes = (egress.first[lanes + 1] - egress.first[lanes]).astype(np.int64)
    link = np.arange(int(sizes.sum())) + np.repeat(egress.first[lanes] - (np.cumsum(sizes) - sizes), sizes)
    stop = egress.to[link]
    near = np.unique(stop)
    row = np.full(n_stops, -1, np.int32)
    row[near] = np.arange(len(near))
    egress_s = np.full((max(len(near), 1), len(lanes)), NEVER, np.int16)
    egress_s[row[stop], np.repeat(np.arange(len(lanes)), sizes)] = np.minimum(egress.walk_s[link], NEVER)
    return row, egress_s
