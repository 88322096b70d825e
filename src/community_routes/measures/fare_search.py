"""Travel times within a budget of money: the search that knows what each ride costs and which tickets are held.

For every budget and every departure the earliest arrival among the journeys that can be paid for, with singles, with day
tickets, or with both. It is exact: allowances that permit the same rides to come are one state, and no other two are
compared. An infinite budget gives the travel times of the search without fares.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.measures.fare_scan import NEVER, all_changes, read_allowance, scan_allowances
from community_routes.measures.fares import NO_PRICE, FareRide, Ticket, TicketFares
from community_routes.measures.journey_fares import straight_km
from community_routes.measures.modes import mode_of
from community_routes.network.network import Network
from community_routes.network.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.times import UNREACHED

_MOST_BYTES = 200_000_000
Choice = tuple[Ticket, ...]


@dataclass(frozen=True)
class RideClass:
    """Rides that cost the same: a single in hundredths, and under which choices of tickets they are covered."""

    cents: float
    covered: tuple[bool, ...]


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
    network: Network, query: Query, walks: Walks, prices: TicketFares, budgets: Iterable[float]
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

    Returns
    -------
    int32, shape (n_budgets, n_origins, n_departures, n_destinations)
        Seconds; UNREACHED where the budget pays for no journey within the limits. Walking all the way is free.
    """
    if query.arrive_by:
        raise ValueError("a budget is searched by departure, not by arrival")
    cents = [b if b == math.inf else math.floor(b * 100 + 1e-6) for b in budgets]
    moments = query.departures_s
    c, hops = network.connections, network.timetable
    latest_s = int(moments[-1]) + query.max_travel_s
    low, high = c.slice_between(int(moments[0]), latest_s)
    limit = max((b for b in cents if b < math.inf), default=0)
    choices = [t for t in prices.choices(query.max_rides) if sum(ticket.cents for ticket in t) <= limit]
    runs = np.unique(c.run[low:high])
    priced = _price_runs(network, prices, choices, runs)
    allowances = build_allowances(priced.classes, choices, cents, query.max_rides)
    alight_place = network.changes.alight_place[c.hop]
    changes, change_to = all_changes(
        low, high, c.arrival_s, alight_place, network.changes.first, network.changes.to, network.changes.change_s,
        c.event_first, c.event, c.event_departure_s,
    )  # fmt: skip
    connection_of = np.empty(len(c.hop), np.int64)
    connection_of[c.hop] = np.arange(len(c.hop))
    event_row = np.full(max(high - low, 1), -1, np.int32)
    is_event = np.flatnonzero(c.is_event[low:high])
    event_row[is_event] = np.arange(len(is_event))
    flat = runs[priced.run_class[runs] >= 0]
    run_row = np.full(hops.n_runs, -1, np.int32)
    run_row[flat] = np.arange(len(flat))
    n_rows, n_allowances = len(is_event) + len(flat), len(allowances.after)
    n_lanes = int(np.clip(_MOST_BYTES // (4 * max(1, n_rows * n_allowances)), 1, max(1, walks.n_destinations)))
    shape = (len(cents), walks.n_origins, len(moments), walks.n_destinations)
    result = np.full(shape, UNREACHED, np.int32)
    for start in range(0, walks.n_destinations, n_lanes):
        lanes = np.arange(start, min(start + n_lanes, walks.n_destinations))
        lane_of = np.full(walks.n_destinations, -1, np.int32)
        lane_of[lanes] = np.arange(len(lanes))
        egress_row, egress_s = _egress(walks.egress, lanes, len(c.place_first) - 1)
        waiting = np.full((max(len(is_event), 1), n_allowances, len(lanes)), NEVER, np.int32)
        reaches = np.zeros(waiting.shape[:2], np.bool_)
        riding = np.full((max(len(flat), 1), n_allowances, len(lanes)), NEVER, np.int32)
        scan_allowances(
            low, high, c.departure_s, c.arrival_s, c.run, c.position, c.alight_stop, c.next_event, event_row, changes,
            change_to, egress_row, egress_s, run_row, priced.run_class, allowances.after, hops.first, connection_of,
            priced.pair_first, priced.pair_class, waiting, reaches, riding,
        )  # fmt: skip
        for k, starts in enumerate(allowances.starts):
            block = np.full((walks.n_origins, len(moments), len(lanes)), UNREACHED, np.int32)
            read_allowance(
                starts, low, moments, network.slack_s, query.max_travel_s, walks.access.first, walks.access.to,
                walks.access.walk_s, walks.direct.first, walks.direct.to, walks.direct.walk_s, c.place_first, c.place,
                c.event_first, c.event, c.event_departure_s, event_row, waiting, reaches, lane_of, UNREACHED, block,
            )  # fmt: skip
            result[k][:, :, lanes] = block
    return result


def _egress(egress: Links, lanes: NDArray[np.int64], n_stops: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Row of each stop near a lane (-1 for none), and its walks to the lanes."""
    stops, walks, lane = [], [], []
    for k, destination in enumerate(lanes.tolist()):
        part = slice(int(egress.first[destination]), int(egress.first[destination + 1]))
        stops.append(egress.to[part])
        walks.append(egress.walk_s[part])
        lane.append(np.full(part.stop - part.start, k))
    stop = np.concatenate(stops)
    near = np.unique(stop)
    row = np.full(n_stops, -1, np.int32)
    row[near] = np.arange(len(near))
    egress_s = np.full((max(len(near), 1), len(lanes)), NEVER, np.int32)
    egress_s[row[stop], np.concatenate(lane)] = np.concatenate(walks)
    return row, egress_s


@dataclass(frozen=True, eq=False)
class _Priced:
    """Price classes, and the class of each run (or of each boarding and alighting of a metered one)."""

    classes: list[RideClass]
    run_class: NDArray[np.int32]
    pair_first: NDArray[np.int64]
    pair_class: NDArray[np.int32]


class _Pricer:
    """Looks prices up once for each route and distance."""

    def __init__(self, network: Network, prices: TicketFares, choices: Sequence[Choice]) -> None:
        self.feed, self.prices, self.choices = network.feed, prices, choices
        self.classes: dict[RideClass, int] = {}
        self._rides: dict[int, FareRide] = {}
        self._flat: dict[tuple[int, bool], int] = {}
        self._metered: dict[tuple[int, bool, int, int], int] = {}
        self._terms = prices.fares.concession if prices.concession else None

    def ride(self, route: int) -> FareRide:
        """A ride on a route of unknown length."""
        if route not in self._rides:
            row = self.feed.routes.iloc[route]
            agency = int(row["agency"])
            named = self.feed.agencies.iloc[agency] if agency >= 0 else {"agency_id": "", "agency_name": ""}
            self._rides[route] = FareRide(
                str(row["route_id"]),
                str(row["route_short_name"]),
                str(named["agency_id"]),
                str(named["agency_name"]),
                mode_of(int(row["route_type"])),
            )
        return self._rides[route]

    def at_concession(self, board_s: int) -> bool:
        """Whether the concession's times hold."""
        terms = self._terms
        return terms is not None and board_s >= terms.from_ and (terms.to is None or board_s < terms.to)

    def class_of(self, ride: FareRide) -> int:
        """The price class of a ride."""
        covered = tuple(any(self.prices.covers(ticket, ride) for ticket in choice) for choice in self.choices)
        return self.classes.setdefault(RideClass(self.prices.single(ride), covered), len(self.classes))

    def flat(self, route: int, board_s: int) -> int:
        """The class of any ride on a route, or -1 where it depends on the distance."""
        key = (route, self.at_concession(board_s))
        if key not in self._flat:
            ride = self._with(self.ride(route), 1.0, board_s)
            by_distance = self.prices.single(ride) < NO_PRICE == self.prices.single(self._with(ride, math.inf, board_s))
            self._flat[key] = -1 if by_distance else self.class_of(self._with(ride, math.inf, board_s))
        return self._flat[key]

    def metered(self, route: int, board_s: int, start: int, end: int) -> int:
        """The class of a ride between two stops (rows)."""
        key = (route, self.at_concession(board_s), start, end)
        if key not in self._metered:
            ride = self._with(self.ride(route), straight_km(self.feed, start, end), board_s)
            self._metered[key] = self.class_of(ride)
        return self._metered[key]

    @staticmethod
    def _with(ride: FareRide, km: float, board_s: int) -> FareRide:
        return FareRide(
            ride.route_id, ride.route_name, ride.agency_id, ride.agency_name, ride.mode, km=km, board_s=board_s
        )


def _price_runs(network: Network, prices: TicketFares, choices: Sequence[Choice], runs: NDArray[np.int32]) -> _Priced:
    """The price class of every run of a search.

    A run has one class when all its boardings cost the same; it is metered when a price depends on the distance, or
    when it goes on as a trip that is priced otherwise (the ride costs what it costs where it is boarded).
    """
    hops, pricer = network.timetable, _Pricer(network, prices, choices)
    route = network.feed.trips["route"].to_numpy(dtype=np.int64)[hops.trip]
    run_class = np.full(hops.n_runs, -1, np.int32)
    pair_first = np.full(hops.n_runs, -1, np.int64)
    pairs: list[int] = []
    for run in runs.tolist():
        part = range(int(hops.first[run]), int(hops.first[run + 1]))
        kinds = {pricer.flat(int(route[h]), int(hops.departure_s[h])) for h in part}
        if len(kinds) == 1 and -1 not in kinds:
            run_class[run] = kinds.pop()
            continue
        pair_first[run] = len(pairs)
        for i in part:
            flat = pricer.flat(int(route[i]), int(hops.departure_s[i]))
            for j in part:
                if j < i or flat >= 0:
                    pairs.append(max(flat, 0))
                else:
                    ends = int(hops.from_stop[i]), int(hops.to_stop[j])
                    pairs.append(pricer.metered(int(route[i]), int(hops.departure_s[i]), *ends))
    return _Priced(list(pricer.classes), run_class, pair_first, np.asarray(pairs or [0], dtype=np.int32))
