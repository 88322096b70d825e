"""What a month of commuting costs: the least with which enough of the jobs are within reach, paid as people pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.fares.by_ticket import TicketsHeld
from community_routes.fares.machine import NO_PRICE_CENTS
from community_routes.fares.search import cheapest_within
from community_routes.fares.tickets import NO_PRICE, FareRide, Ticket, TicketFares, to_cents
from community_routes.network.network import Network
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


class CommuteFares(TicketsHeld):
    """Prices of a month of going out and back by the same rides, in parts of a hundredth for a day of travel.

    A ride out and the same ride back cost two singles, or a return where that is less. A ticket for a day, a week or four
    weeks costs its share of a day of travel; of several that cover the same the cheapest is taken.

    Parameters
    ----------
    prices : TicketFares
        For a holder of the concession the way back is taken to fall into its times, unless these have an end.
    network : Network
    days_a_week : int

    Attributes
    ----------
    parts : int
        Parts of a hundredth.
    """

    def __init__(self, prices: TicketFares, network: Network, *, days_a_week: int = DAYS_A_WEEK) -> None:
        if not 1 <= days_a_week <= 7:
            raise ValueError(f"a week of {days_a_week} days of travel holds no commuting")
        self.parts = _WEEKS_IN_FOUR * days_a_week
        self.days = {"day": 1, "week": days_a_week, "four_week": self.parts}
        super().__init__(prices, network)

    def _offers(self) -> list[tuple[Ticket, int]]:
        cheapest: dict[tuple[str, str], tuple[int, Ticket]] = {}
        for ticket in self.prices.tickets(tuple(self.days)):
            found = ticket.cents * self.parts // self.days[ticket.period], ticket
            scope = ticket.level, ticket.key
            cheapest[scope] = min(cheapest.get(scope, found), found)
        return [(ticket, cost) for cost, ticket in cheapest.values()]

    def _ride_cost(self, single: float, ride: FareRide) -> float:
        """Out and back."""
        pair = single + min(single, self._later_at_concession(ride))
        offer = self.prices.return_of(ride)
        return self.parts * (pair if offer is None else min(pair, offer[2]))

    def _later_at_concession(self, ride: FareRide) -> float:
        terms, times = self.prices.fares.concession, self._concession_from_to
        if terms is None or times is None or times[1] < np.inf or self.prices.stands_apart(ride.mode):
            return NO_PRICE
        return float(to_cents(terms.price))


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
    found = cheapest_within(network, query, walks, fares, cutoffs_s, threads=threads)
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
