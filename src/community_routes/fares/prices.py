"""What the rides of a search cost: the price class of every vehicle run, or of every boarding and alighting of one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.fares.tickets import NO_PRICE, FareRide, Ticket, TicketFares, mode_of
from community_routes.network.network import Network

Choice = tuple[Ticket, ...]


@dataclass(frozen=True)
class RideClass:
    """Rides that cost the same: a single in hundredths, and under which choices of tickets they are covered."""

    cents: float
    covered: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class PricedRuns:
    """Price classes, and the class of each run (or of each boarding and alighting of a metered one).

    Attributes
    ----------
    classes : list of RideClass
    run_class : int32, shape (n_runs,)
        -1 for a metered run, and for one that was not asked about.
    pair_first : int64, shape (n_runs,)
        Of a metered run of n hops, the class of boarding hop i and alighting after hop j is
        ``pair_class[pair_first[run] + i * n + j]``.
    pair_class : int32, shape (n_pairs,)
    """

    classes: list[RideClass]
    run_class: NDArray[np.int32]
    pair_first: NDArray[np.int64]
    pair_class: NDArray[np.int32]


def price_runs(
    network: Network,
    prices: TicketFares,
    choices: Sequence[Choice],
    runs: NDArray[np.int32],
    *,
    most_cents: float = math.inf,
) -> PricedRuns:
    """The price class of every run of a search.

    A run has one class when all its boardings cost the same; it is metered when a price depends on the distance, or
    when it goes on as a trip that is priced otherwise (the ride costs what it costs where it is boarded). A fare by
    distance counts the straight line between the stops.

    Parameters
    ----------
    network : Network
    prices : TicketFares
    choices : sequence of tuple of Ticket
    runs : int32, shape (n,)
        Which runs, rising.
    most_cents : float
        What nobody spends more than: rides of a higher price are one class, as if they had none.
    """
    hops, pricer = network.timetable, _Pricer(network, prices, choices, most_cents)
    run_class = np.full(hops.n_runs, -1, np.int32)
    pair_first = np.full(hops.n_runs, -1, np.int64)
    n_hops = (hops.first[runs + 1] - hops.first[runs]).astype(np.int64)
    starts = np.cumsum(n_hops) - n_hops
    hop = np.repeat(hops.first[runs] - starts, n_hops) + np.arange(int(n_hops.sum()))
    kind, kinds = pricer.kinds(hop)
    flat = np.asarray([pricer.flat(*one) for one in kinds], dtype=np.int32)
    flat_of = flat[kind] if len(hop) else np.zeros(0, np.int32)
    least, most = (
        (np.minimum.reduceat(flat_of, starts), np.maximum.reduceat(flat_of, starts))
        if len(runs)
        else (flat_of, flat_of)
    )
    metered = (least != most) | (least < 0)
    run_class[runs[~metered]] = least[~metered]
    # Every boarding with every alighting of the metered runs, one square after the other.
    sizes = n_hops[metered]
    squares = sizes * sizes
    pair_first[runs[metered]] = np.cumsum(squares) - squares
    within = np.arange(int(squares.sum())) - np.repeat(np.cumsum(squares) - squares, squares)
    size, begin = np.repeat(sizes, squares), np.repeat(starts[metered], squares)
    board, alight = begin + within // np.maximum(size, 1), begin + within % np.maximum(size, 1)
    pair_class = np.maximum(flat_of[board], 0)
    by_distance = (flat_of[board] < 0) & (alight >= board)
    for number, one in enumerate(kinds):
        rows = np.flatnonzero(by_distance & (kind[board] == number))
        if len(rows):
            ends = hops.from_stop[hop[board[rows]]], hops.to_stop[hop[alight[rows]]]
            pair_class[rows] = pricer.metered(*one, *ends)
    return PricedRuns(
        list(pricer.classes), run_class, pair_first, pair_class if len(pair_class) else np.zeros(1, np.int32)
    )


class _Pricer:
    """Looks prices up once for each route, and once for all its distances."""

    def __init__(self, network: Network, prices: TicketFares, choices: Sequence[Choice], most_cents: float) -> None:
        self.prices, self.choices, self.most_cents = prices, choices, most_cents
        self.hops = network.timetable
        self.route = network.feed.trips["route"].to_numpy(dtype=np.int64)
        self.lon, self.lat = (network.feed.stops[name].to_numpy(np.float64) for name in ("lon", "lat"))
        self.classes: dict[RideClass, int] = {}
        self._routes = [
            network.feed.routes[name].tolist() for name in ("route_id", "route_short_name", "agency", "route_type")
        ]
        self._agencies = [network.feed.agencies[name].tolist() for name in ("agency_id", "agency_name")]
        self._terms = prices.fares.concession if prices.concession else None

    def kinds(self, hop: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[tuple[int, bool]]]:
        """What the price of boarding each hop hangs on: the number of its (route, whether the concession holds)."""
        board_s, terms = self.hops.departure_s[hop], self._terms
        holds = np.zeros(len(hop), np.bool_)
        if terms is not None:
            holds = (board_s >= terms.from_) & (board_s < (math.inf if terms.to is None else terms.to))
        values, number = np.unique(self.route[self.hops.trip[hop]] * 2 + holds, return_inverse=True)
        return number.reshape(-1), [(int(value) // 2, bool(value % 2)) for value in values]

    def ride(self, route: int, holds: bool) -> FareRide:
        """A ride on a route of unknown length, at a time when the concession holds or does not."""
        route_id, name, agency, kind = (column[route] for column in self._routes)
        agency_id, agency_name = (column[agency] if agency >= 0 else "" for column in self._agencies)
        return FareRide(
            str(route_id),
            str(name),
            str(agency_id),
            str(agency_name),
            mode_of(int(kind)),
            board_s=self._terms.from_ if holds and self._terms is not None else -1,
        )

    def flat(self, route: int, holds: bool) -> int:
        """The class of any ride on a route, or -1 where it depends on the distance."""
        ride = self.ride(route, holds)
        price = self.prices.single(ride)
        if self.prices.single(replace(ride, km=1.0)) < NO_PRICE == price:
            return -1
        return self._class_of(price, self._covered(ride))

    def metered(self, route: int, holds: bool, start: NDArray[np.int32], end: NDArray[np.int32]) -> NDArray[np.int32]:
        """The class of each ride between two stops (rows) on a route."""
        ride = self.ride(route, holds)
        km = great_circle_m(self.lon[start], self.lat[start], self.lon[end], self.lat[end]) / 1000
        prices = self.prices.singles(ride, np.where(np.isfinite(km), km, math.inf))
        covered = self._covered(ride)
        values, number = np.unique(np.where(prices > self.most_cents, NO_PRICE, prices), return_inverse=True)
        classes = np.asarray([self._class_of(float(cents), covered) for cents in values], dtype=np.int32)
        found: NDArray[np.int32] = classes[number.reshape(-1)]
        return found

    def _covered(self, ride: FareRide) -> tuple[bool, ...]:
        return tuple(any(self.prices.covers(ticket, ride) for ticket in choice) for choice in self.choices)

    def _class_of(self, cents: float, covered: tuple[bool, ...]) -> int:
        named = RideClass(NO_PRICE if cents > self.most_cents else cents, covered)
        return self.classes.setdefault(named, len(self.classes))
