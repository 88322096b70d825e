"""What a month of commuting costs: the least with which enough of the jobs are within reach, paid as people pay."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.base.earth import great_circle_m
from community_routes.fares.journeys import ride_on_route
from community_routes.fares.label_search import Way, search_labels
from community_routes.fares.labels import NO_PRICE_CENTS
from community_routes.fares.tickets import NO_PRICE, FareRide, Ticket, TicketFares, to_cents
from community_routes.network.network import Network
from community_routes.network.timetable.trips import Timetable
from community_routes.routing.matrices import as_amounts
from community_routes.routing.query import Query, Walks

FloatArray = NDArray[np.float64]
DAYS_A_MONTH = 21
DAYS_A_WEEK = 5
_WEEKS_IN_FOUR = 4


@dataclass(frozen=True)
class Commute:
    """What is commuted to, and how often.

    Attributes
    ----------
    key : str
        Key of the destinations.
    days : int
        Days of travel in a month.
    days_a_week : int
    concession : bool
        By a holder of the study's concession.
    """

    key: str = "employment"
    days: int = DAYS_A_MONTH
    days_a_week: int = DAYS_A_WEEK
    concession: bool = False


@dataclass(frozen=True)
class CommuteKind:
    """Rides that cost the same every day: out and back without a ticket, and the tickets that pay for both.

    Attributes
    ----------
    day_cost : int or None
        In parts of a hundredth (``CommuteFares.parts``); None where the ride has no price of its own.
    covered_by : tuple of int
        Rows of ``CommuteFares.tickets``.
    """

    day_cost: int | None
    covered_by: tuple[int, ...]


class CommuteFares:
    """Prices of a month of going out and back by the same rides, as classes and states of a search.

    A ride out and the same ride back cost two singles, or a return where that is less. A ticket for a day, a week or four
    weeks costs its share of a day of travel; of several that cover the same the cheapest is taken. What is held are the
    tickets bought so far; each is bought at the first ride that it is used for.

    Parameters
    ----------
    prices : TicketFares
        For a holder of the concession the way back is taken to fall into its times, unless these have an end.
    network : Network
    days_a_week : int
    """

    def __init__(self, prices: TicketFares, network: Network, *, days_a_week: int = DAYS_A_WEEK) -> None:
        if not 1 <= days_a_week <= 7:
            raise ValueError(f"a week of {days_a_week} days of travel holds no commuting")
        self.prices, self.network = prices, network
        self.parts = _WEEKS_IN_FOUR * days_a_week
        days = {"day": 1, "week": days_a_week, "four_week": self.parts}
        cheapest: dict[tuple[str, str], tuple[int, Ticket]] = {}
        for ticket in prices.tickets(tuple(days)):
            found = ticket.cents * self.parts // days[ticket.period], ticket
            scope = ticket.level, ticket.key
            cheapest[scope] = min(cheapest.get(scope, found), found)
        self.tickets = [ticket for _, ticket in cheapest.values()]
        self.ticket_cost = [cost for cost, _ in cheapest.values()]
        self._route_of = network.feed.trips["route"].to_numpy(dtype=np.int64)
        self._places = network.feed.stops[["lon", "lat"]].to_numpy(dtype=np.float64)
        self._rides: dict[int, FareRide] = {}
        self._kinds: dict[Hashable, CommuteKind | None] = {}
        times = self._concession_from_to
        self.turns_s = () if times is None else tuple(int(t) for t in times if t < np.inf)

    # --- classes of rides ------------------------------------------------------------------------------------------

    def of_route(self, route: int, board_s: int) -> CommuteKind | None:
        """The class of every ride on a route, None where the distance matters."""
        key = route, self._at_concession(board_s)
        ride = self._ride(route)
        if key not in self._kinds:
            short, endless = (self.prices.single(_of_length(ride, km, board_s)) for km in (1.0, np.inf))
            by_distance = short < NO_PRICE == endless
            self._kinds[key] = None if by_distance else self.kind_of(_of_length(ride, np.inf, board_s))
        return self._kinds[key]

    def of_ride(self, hops: range, timetable: Timetable) -> CommuteKind:
        """The class of a ride by the straight line between its ends."""
        first = hops[0]
        route = int(self._route_of[timetable.trip[first]])
        start, end = int(timetable.from_stop[first]), int(timetable.to_stop[hops[-1]])
        board_s = int(timetable.departure_s[first])
        key = route, self._at_concession(board_s), start, end
        known = self._kinds.get(key)
        if known is None:
            km = float(great_circle_m(*self._places[start], *self._places[end])) / 1000
            known = self.kind_of(_of_length(self._ride(route), km if np.isfinite(km) else np.inf, board_s))
            self._kinds[key] = known
        return known

    def of_rides(self, rides: NDArray[np.int64], timetable: Timetable) -> list[CommuteKind]:
        """``of_ride`` of many rides: columns are the hops boarded and left."""
        board, alight = rides.T
        start, end = timetable.from_stop[board], timetable.to_stop[alight]
        km = great_circle_m(*self._places[start].T, *self._places[end].T) / 1000
        km = np.where(np.isfinite(km), km, np.inf)
        route, board_s = self._route_of[timetable.trip[board]], timetable.departure_s[board]
        times = self._concession_from_to
        holds = (board_s >= times[0]) & (board_s < times[1]) if times is not None else np.zeros(len(board), np.bool_)
        _, first, number = np.unique(route * 2 + holds, return_index=True, return_inverse=True)
        found = np.empty(len(rides), dtype=object)
        for k, row in enumerate(first.tolist()):
            mine = np.flatnonzero(number.reshape(-1) == k)
            ride = _of_length(self._ride(int(route[row])), np.inf, int(board_s[row]))
            prices, place = np.unique(self.prices.singles(ride, km[mine]), return_inverse=True)
            covered = self._covered_by(ride)
            kinds = np.empty(len(prices), dtype=object)
            kinds[:] = [self._kind(float(price), ride, covered) for price in prices]
            found[mine] = kinds[place.reshape(-1)]
        return list(found)

    def kind_of(self, ride: FareRide) -> CommuteKind:
        """The class of a ride out, which is ridden back the same day."""
        return self._kind(self.prices.single(ride), ride, self._covered_by(ride))

    def _covered_by(self, ride: FareRide) -> tuple[int, ...]:
        return tuple(row for row, ticket in enumerate(self.tickets) if self.prices.covers(ticket, ride))

    def _kind(self, there: float, ride: FareRide, covered: tuple[int, ...]) -> CommuteKind:
        back = min(there, self._later_at_concession(ride))
        pair = there + back
        offer = self.prices.return_of(ride)
        if offer is not None:
            pair = min(pair, offer[2])
        return CommuteKind(None if pair == NO_PRICE else int(pair) * self.parts, covered)

    def _ride(self, route: int) -> FareRide:
        if route not in self._rides:
            self._rides[route] = ride_on_route(self.network.feed, route)
        return self._rides[route]

    @cached_property
    def _concession_from_to(self) -> tuple[float, float] | None:
        terms = self.prices.fares.concession if self.prices.concession else None
        return None if terms is None else (terms.from_, np.inf if terms.to is None else terms.to)

    def _at_concession(self, board_s: int) -> bool:
        times = self._concession_from_to
        return times is not None and times[0] <= board_s < times[1]

    def _later_at_concession(self, ride: FareRide) -> float:
        terms, times = self.prices.fares.concession, self._concession_from_to
        if terms is None or times is None or times[1] < np.inf or self.prices.stands_apart(ride.mode):
            return NO_PRICE
        return float(to_cents(terms.price))

    # --- states ----------------------------------------------------------------------------------------------------

    start: frozenset[int] = frozenset()

    def ways(self, held: Hashable, kind: Hashable) -> Iterable[Way]:
        """Free with a ticket that is held; else the price of the day, or a ticket."""
        assert isinstance(held, frozenset) and isinstance(kind, CommuteKind)
        if not held.isdisjoint(kind.covered_by):
            yield Way(held, 0)
            return
        if kind.day_cost is not None:
            yield Way(held, kind.day_cost)
        for row in kind.covered_by:
            yield Way(held | {row}, self.ticket_cost[row])

    def may_end(self, held: Hashable) -> bool:
        """Everything is paid for at once."""
        return True


def _of_length(ride: FareRide, km: float, board_s: int) -> FareRide:
    return FareRide(ride.route_id, ride.route_name, ride.agency_id, ride.agency_name, ride.mode, km=km, board_s=board_s)


def monthly_costs(
    network: Network,
    query: Query,
    walks: Walks,
    prices: TicketFares,
    *,
    cutoffs_s: Sequence[int],
    days: int = DAYS_A_MONTH,
    days_a_week: int = DAYS_A_WEEK,
    threads: int = 1,
) -> FloatArray:
    """The least that a month of commuting costs between every origin and destination.

    Formula: days * min over journeys within the cutoff, over all departures of the window, and over sets of tickets, of
    (price of the tickets a day of travel + sum over the rides that they do not cover of min(return, two singles)). A week
    ticket costs price / ``days_a_week`` a day, a four-week ticket price / (4 ``days_a_week``). The way back uses the rides
    of the way out; for given journeys see ``fares.cheapest_month``.

    Parameters
    ----------
    network : Network
    query : Query
        The window of the way out.
    walks : Walks
    prices : TicketFares
    cutoffs_s : sequence of int
        Limits of the way out in seconds, waits included.
    days : int
        Days of travel in the month.

    Returns
    -------
    float64, shape (n_origins, n_cutoffs, n_destinations)
        Money of the study for a month, whole hundredths. 0 where all the way can be walked in time; infinite where no
        journey with a price is quick enough.
    """
    if days < 1:
        raise ValueError(f"a month of {days} days of travel holds no commuting")
    fares = CommuteFares(prices, network, days_a_week=days_a_week)
    found, _ = search_labels(network, query, walks, fares, fares, cutoffs_s=cutoffs_s, threads=threads)
    # Hundredths of a month, a half rounded to the even one, as exact fractions are rounded elsewhere.
    cents = np.rint(found.astype(np.float64) * days / fares.parts)
    return np.asarray(np.where(found < NO_PRICE_CENTS, cents / 100, np.inf))


def cost_of_share(cost: ArrayLike, amounts: ArrayLike, *, share: float) -> FloatArray:
    """The least cost with which a share of all opportunities is within reach: dual access, in money.

    Formula: C_i = min {m : sum_j O_j [m_ij <= m] >= s sum_j O_j}. Unit: that of the cost. Infinite where no money brings so
    much within reach; 0 where so much can be walked to.

    Parameters
    ----------
    cost : float, shape (..., n_destinations)
        m_ij, infinite where not reached.
    amounts : float, shape (n_destinations,)
    share : float
        s, above 0 and at most 1.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share is {share}; it must be above 0 and at most 1")
    m = np.asarray(cost, dtype=np.float64)
    weight = as_amounts(amounts, m.shape[-1])
    total = weight.sum()
    if not total > 0:
        return np.full(m.shape[:-1], np.inf)
    order = np.argsort(m, axis=-1, kind="stable")
    reached = np.cumsum(weight[order], axis=-1)
    enough = reached >= share * total * (1 - 1e-12)
    at = np.argmax(enough, axis=-1)[..., None]
    found = np.take_along_axis(np.take_along_axis(m, order, axis=-1), at, axis=-1)[..., 0]
    return np.asarray(np.where(enough.any(axis=-1), found, np.inf))
