"""Ticket prices of a study as classes of rides and states of a search, and the times that a budget of them allows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.fares.journeys import rides_on_routes
from community_routes.fares.machine import Way
from community_routes.fares.search import quickest_within
from community_routes.fares.tickets import NO_PRICE, FareRide, Ticket, TicketFares
from community_routes.network.network import Network
from community_routes.network.timetable.trips import Timetable
from community_routes.routing.query import Query, Walks


class TicketKind(NamedTuple):
    """Rides that cost the same.

    Attributes
    ----------
    cents : int or None
        Without a ticket; None where the ride has no price of its own.
    covered_by : tuple of int
        Rows of ``TicketsHeld.tickets`` that pay for it.
    """

    cents: int | None
    covered_by: tuple[int, ...]


class TicketsHeld:
    """Singles and day tickets of a study: what is held are the tickets bought so far, each at the first ride it is used for.

    Parameters
    ----------
    prices : TicketFares
    network : Network
    """

    start: frozenset[int] = frozenset()
    by_clock = False

    def __init__(self, prices: TicketFares, network: Network) -> None:
        self.prices, self.network = prices, network
        offers = self._offers()
        self.tickets = [ticket for ticket, _ in offers]
        self.ticket_cost = [cost for _, cost in offers]
        self._route_of = network.feed.trips["route"].to_numpy(dtype=np.int64)
        self._places = network.feed.stops[["lon", "lat"]].to_numpy(dtype=np.float64)
        number: dict[FareRide, int] = {}
        named = [number.setdefault(prices.named(ride), len(number)) for ride in rides_on_routes(network.feed)]
        self._named, self._rides = np.asarray(named, np.int64), list(number)
        self._of_route: dict[tuple[int, bool], TicketKind | None] = {}
        times = self._concession_from_to
        self.turns_s = () if times is None else tuple(int(t) for t in times if t < np.inf)

    def _offers(self) -> list[tuple[Ticket, int]]:
        """The tickets that may be bought, and what each costs."""
        return [(ticket, ticket.cents) for ticket in self.prices.tickets()]

    def _ride_cost(self, single: float, ride: FareRide) -> float:
        """What a ride without a ticket costs, by its single."""
        return single

    # --- classes of rides ------------------------------------------------------------------------------------------

    def of_route(self, route: int, board_s: int) -> TicketKind | None:
        """The class of every ride on a route, None where the distance matters."""
        row = int(self._named[route])
        key = row, self._at_concession(board_s)
        if key not in self._of_route:
            ride = replace(self._rides[row], board_s=board_s)
            price = self.prices.single(ride)
            by_distance = self.prices.single(replace(ride, km=1.0)) < NO_PRICE == price
            self._of_route[key] = None if by_distance else self._kind(price, ride, self._covered_by(ride))
        return self._of_route[key]

    def of_rides(self, rides: NDArray[np.int64], timetable: Timetable) -> tuple[NDArray[np.int64], list[Hashable]]:
        """The class of each ride by the straight line between its ends; columns are the hops boarded and left."""
        board, alight = rides.T
        start, end = timetable.from_stop[board], timetable.to_stop[alight]
        km = great_circle_m(*self._places[start].T, *self._places[end].T) / 1000
        km = np.where(np.isfinite(km), km, np.inf)
        named, board_s = self._named[self._route_of[timetable.trip[board]]], timetable.departure_s[board]
        from_s, to_s = self._concession_from_to or (np.inf, np.inf)
        of_ride = named * 2 + ((board_s >= from_s) & (board_s < to_s))
        _, first, number = np.unique(of_ride, return_index=True, return_inverse=True)
        found = np.empty(len(rides), np.int64)
        kinds: list[Hashable] = []
        for k, row in enumerate(first.tolist()):
            mine = np.flatnonzero(number.reshape(-1) == k)
            ride = replace(self._rides[named[row]], board_s=int(board_s[row]))
            prices, place = np.unique(self.prices.singles(ride, km[mine]), return_inverse=True)
            covered = self._covered_by(ride)
            found[mine] = len(kinds) + place.reshape(-1)
            kinds += [self._kind(float(price), ride, covered) for price in prices]
        return found, kinds

    def _covered_by(self, ride: FareRide) -> tuple[int, ...]:
        return tuple(row for row, ticket in enumerate(self.tickets) if self.prices.covers(ticket, ride))

    def _kind(self, single: float, ride: FareRide, covered: tuple[int, ...]) -> TicketKind:
        cost = self._ride_cost(single, ride)
        return TicketKind(None if cost == NO_PRICE else int(cost), covered)

    @cached_property
    def _concession_from_to(self) -> tuple[float, float] | None:
        terms = self.prices.fares.concession if self.prices.concession else None
        return None if terms is None else (terms.from_, np.inf if terms.to is None else terms.to)

    def _at_concession(self, board_s: int) -> bool:
        from_s, to_s = self._concession_from_to or (np.inf, np.inf)
        return from_s <= board_s < to_s

    # --- states ----------------------------------------------------------------------------------------------------

    def ways(self, held: Hashable, kind: Hashable) -> Iterable[Way]:
        """Free with a ticket that is held; else the price of the ride, or a ticket."""
        assert isinstance(held, frozenset) and isinstance(kind, TicketKind)
        if not held.isdisjoint(kind.covered_by):
            yield Way(held, 0)
            return
        if kind.cents is not None:
            yield Way(held, kind.cents)
        for row in kind.covered_by:
            yield Way(held | {row}, self.ticket_cost[row])

    def may_end(self, held: Hashable) -> bool:
        """Everything is paid for at once."""
        return True


def times_within_budgets(
    network: Network, query: Query, walks: Walks, prices: TicketFares, budgets: Sequence[float], *, threads: int = 1
) -> NDArray[np.int16]:
    """Travel time of every origin, departure and destination for each budget, with singles and day tickets.

    Parameters
    ----------
    network : Network
    query : Query
        Not arrive-by.
    walks : Walks
    prices : TicketFares
        A fare by distance counts the straight line between the stops.
    budgets : sequence of float
        Money for one journey; infinity for no limit.
    threads : int
        Changes nothing but the time it takes.

    Returns
    -------
    int16, shape (n_budgets, n_origins, n_departures, n_destinations)
        As of ``search.quickest_within``.
    """
    cents = [b if b == math.inf else math.floor(b * 100 + 1e-6) for b in budgets]
    return quickest_within(network, query, walks, TicketsHeld(prices, network), cents, threads=threads)
