"""What a journey costs as people pay: singles, returns and tickets of a study's fares.

Money is whole hundredths (pence) inside. Prices are looked up from the most specific to the most general: the route,
the agency, the mode, the study. A mode with a price of its own **stands apart**: the study's general prices, tickets,
caps and concession do not hold on it (a bus ticket does not pay for a train). Where a ride has no price the journey's
fare is unknown (``None``), never 0.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.sources.study.fares import Fare, Fares

FloatArray = NDArray[np.float64]
NO_PRICE = math.inf
_PERIODS = ("day", "week", "four_week")
_WEEKS_IN_FOUR = 4


@dataclass(frozen=True)
class FareRide:
    """A ride as far as its price goes; staying on board from trip to trip is one ride.

    Attributes
    ----------
    route_id, route_name : str
        A study may price a route by either.
    agency_id, agency_name : str
    mode : str
        One of ``modes.MODES``.
    km : float
        Distance between the stops, for fares by distance; infinite where unknown, so that such a fare is unknown.
    board_s, alight_s : int
        Seconds of the service date.
    from_zone, to_zone : str
        Fare zones (or areas) of the stops; "" where there is none.
    zones : tuple of str
        Fare zones that the ride passes, both ends included.
    """

    route_id: str
    route_name: str = ""
    agency_id: str = ""
    agency_name: str = ""
    mode: str = "bus"
    km: float = math.inf
    board_s: int = 0
    alight_s: int = 0
    from_zone: str = ""
    to_zone: str = ""
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Ticket:
    """A ticket for a period that covers every ride of a level: the study, a mode, an agency or a route.

    Attributes
    ----------
    period : "day", "week" or "four_week"
    level : "general", "modes", "agencies" or "routes"
    key : str
        Which mode, agency or route; "" for the study.
    cents : int
    """

    period: str
    level: str
    key: str
    cents: int

    @property
    def name(self) -> str:
        """``day``, ``week of agencies A`` ..."""
        return self.period if self.level == "general" else f"{self.period} of {self.level} {self.key}"


@dataclass(frozen=True)
class Payment:
    """The cheapest way to pay, and what is bought.

    Attributes
    ----------
    cents : int
    items : tuple of (str, int, int)
        Name of each ticket, how many, and the price of all of them in hundredths; in a month, of the month.
    """

    cents: int
    items: tuple[tuple[str, int, int], ...]


def to_cents(money: float) -> int:
    """Whole hundredths of an amount of money."""
    return round(money * 100)


@dataclass(frozen=True)
class TicketFares:
    """The fares of a study as prices of rides and tickets.

    Parameters
    ----------
    fares : Fares
        As read from the study file.
    concession : bool
        Prices for a holder of the concession: at most its price while it holds.
    """

    fares: Fares
    concession: bool = False

    # --- prices ---------------------------------------------------------------------------------------------------

    def levels(self, ride: FareRide) -> list[tuple[str, str, Fare]]:
        """The price lists that hold for a ride, the most specific first, as (level, key, prices)."""
        found: list[tuple[str, str, Fare]] = []
        for level, keys in (
            ("routes", (ride.route_id, ride.route_name)),
            ("agencies", (ride.agency_id, ride.agency_name)),
            ("modes", (ride.mode,)),
        ):
            prices: dict[str, Fare] = getattr(self.fares, level)
            found += [(level, key, prices[key]) for key in dict.fromkeys(keys) if key in prices][:1]
        if not self.stands_apart(ride.mode):
            found.append(("general", "", self.fares))
        return found

    def named(self, ride: FareRide) -> FareRide:
        """The ride with those of its names alone that some price list has: many routes are one."""
        fares = self.fares
        return FareRide(
            route_id=next((name for name in (ride.route_id, ride.route_name) if name in fares.routes), ""),
            agency_id=next((name for name in (ride.agency_id, ride.agency_name) if name in fares.agencies), ""),
            mode=ride.mode if ride.mode in fares.modes else "",
        )

    def stands_apart(self, mode: str) -> bool:
        """Whether a mode has a price of its own, so that general prices do not hold on it."""
        own = self.fares.modes.get(mode)
        return own is not None and (own.single is not None or own.per_km is not None)

    def single(self, ride: FareRide) -> float:
        """Price of a ride alone in hundredths, infinite where there is none; capped by ``cap_single``."""
        levels = self.levels(ride)
        price = next((cents for _, _, fare in levels if (cents := _single_of(fare, ride)) is not None), NO_PRICE)
        cap = next((fare.cap_single for _, _, fare in levels if fare.cap_single is not None), None)
        if cap is not None:
            price = min(price, float(to_cents(cap))) if price < NO_PRICE else price
        return min(price, self._concession_cents(ride))

    def singles(self, ride: FareRide, km: FloatArray) -> FloatArray:
        """``single`` of a ride for each of many distances (infinite where unknown), all else being the same."""
        levels = self.levels(ride)
        lists = (fare for _, _, fare in levels if fare.single is not None or fare.per_km is not None)
        fare = next(lists, None)
        if fare is None or fare.single is not None or fare.per_km is None:
            return np.full(len(km), self.single(ride))
        known = np.isfinite(km)
        by_distance = np.rint(fare.per_km * np.where(known, km, 0.0) * 100)
        prices = np.where(known, np.maximum(by_distance, to_cents(fare.minimum or 0.0)), NO_PRICE)
        cap = next((fare.cap_single for _, _, fare in levels if fare.cap_single is not None), None)
        if cap is not None:
            prices = np.where(known, np.minimum(prices, to_cents(cap)), NO_PRICE)
        return np.asarray(np.minimum(prices, self._concession_cents(ride)))

    def _concession_cents(self, ride: FareRide) -> float:
        terms = self.fares.concession
        if not self.concession or terms is None or self.stands_apart(ride.mode):
            return NO_PRICE
        holds = ride.board_s >= terms.from_ and (terms.to is None or ride.board_s < terms.to)
        return float(to_cents(terms.price)) if holds else NO_PRICE

    def return_of(self, ride: FareRide) -> tuple[str, str, int] | None:
        """Level, key and price of the return ticket that a ride out can share with a ride back."""
        for level, key, fare in self.levels(ride):
            if fare.return_ is not None:
                return level, key, to_cents(fare.return_)
        return None

    def covers(self, ticket: Ticket, ride: FareRide) -> bool:
        """Whether a ticket pays for a ride."""
        return any((level, key) == (ticket.level, ticket.key) for level, key, _ in self.levels(ride))

    def tickets(self, periods: Iterable[str] = ("day",)) -> list[Ticket]:
        """Every ticket for these periods that the study has."""
        lists = [("general", "", self.fares)]
        for level in ("modes", "agencies", "routes"):
            lists += [(level, key, fare) for key, fare in sorted(getattr(self.fares, level).items())]
        return [
            Ticket(period, level, key, to_cents(price))
            for period in periods
            for level, key, fare in lists
            if (price := getattr(fare, period)) is not None
        ]


# --- the cheapest way to pay ---------------------------------------------------------------------------------------


def cheapest_journey(prices: TicketFares, rides: Sequence[FareRide]) -> Payment | None:
    """The cheapest way to pay for one journey: singles, or day tickets that cover some or all of its rides.

    Parameters
    ----------
    prices : TicketFares
    rides : sequence of FareRide
        In order; none (all the way on foot) costs 0.

    Returns
    -------
    Payment or None
        ``None`` where a ride has no price.
    """
    return _cheapest(prices, list(rides), [], ["day"], days=1, days_a_week=1)


def cheapest_day(prices: TicketFares, out: Sequence[FareRide], back: Sequence[FareRide]) -> Payment | None:
    """The cheapest way to pay for a day out and back: singles, returns, day tickets, and any mixture of them.

    A return ticket pays for one ride out and one ride back that have it from the same price list (the study's, or that
    of one mode, agency or route).
    """
    return _cheapest(prices, list(out), list(back), ["day"], days=1, days_a_week=1)


def cheapest_month(
    prices: TicketFares, out: Sequence[FareRide], back: Sequence[FareRide], *, days: int = 21, days_a_week: int = 5
) -> Payment | None:
    """The cheapest way to pay for a month of commuting: any mixture of singles, returns, day, week and four-week tickets.

    Formula: days * min over choices of tickets of (price of the tickets per day of travel + singles and returns of the
    rides that they do not cover); a week ticket costs price / days_a_week per day, a four-week ticket
    price / (4 days_a_week). Rounded once, to whole hundredths, at the end.

    Parameters
    ----------
    days : int
        Days of travel in the month.
    days_a_week : int
        Days of travel in a week.
    """
    if days < 1 or not 1 <= days_a_week <= 7:
        raise ValueError(f"a month of {days} days of travel, {days_a_week} a week, holds no commuting")
    return _cheapest(prices, list(out), list(back), list(_PERIODS), days=days, days_a_week=days_a_week)


def burden(cents: int | None, income: float | None) -> float | None:
    """Cost as a share of an income of the same period: 0.1 is a tenth of it; ``None`` where either is unknown."""
    if cents is None or income is None:
        return None
    if not income > 0:
        raise ValueError(f"the income is {income}; it must be above 0")
    return cents / 100 / income


def _single_of(fare: Fare, ride: FareRide) -> float | None:
    """The single of one price list, or None where it has none."""
    if fare.single is not None:
        return float(to_cents(fare.single))
    if fare.per_km is None:
        return None
    if not math.isfinite(ride.km):
        return NO_PRICE
    return float(max(to_cents(fare.per_km * ride.km), to_cents(fare.minimum or 0.0)))


def _cheapest(
    prices: TicketFares,
    out: list[FareRide],
    back: list[FareRide],
    periods: list[str],
    *,
    days: int,
    days_a_week: int,
) -> Payment | None:
    rides = out + back
    useful = [t for t in prices.tickets(periods) if any(prices.covers(t, ride) for ride in rides)]
    days_of = {"day": 1, "week": days_a_week, "four_week": _WEEKS_IN_FOUR * days_a_week}
    best: tuple[Fraction, int, tuple[Ticket, ...], tuple[tuple[str, int, int], ...]] | None = None
    for n in range(min(len(useful), len(rides)) + 1):
        for choice in itertools.combinations(useful, n):
            loose = _pay_loose(prices, *([r for r in way if not _paid(prices, choice, r)] for way in (out, back)))
            if loose is None:
                continue
            a_day = sum((Fraction(t.cents, days_of[t.period]) for t in choice), Fraction(sum(i[2] for i in loose)))
            if best is None or (a_day, n, choice) < best[:3]:
                best = (a_day, n, choice, loose)
    if best is None:
        return None
    a_day, _, choice, loose = best
    items = [
        (t.name, math.ceil(days / days_of[t.period]), round(Fraction(t.cents * days, days_of[t.period])))
        for t in choice
    ]
    items += [(name, count * days, cents * days) for name, count, cents in loose]
    return Payment(round(a_day * days), tuple(items))


def _paid(prices: TicketFares, choice: tuple[Ticket, ...], ride: FareRide) -> bool:
    return any(prices.covers(ticket, ride) for ticket in choice)


def _pay_loose(
    prices: TicketFares, out: list[FareRide], back: list[FareRide]
) -> tuple[tuple[str, int, int], ...] | None:
    """Singles and returns for rides without a ticket: (name, how many, price of all); None where one has no price."""
    pairs: dict[tuple[str, str, int], tuple[list[float], list[float]]] = {}
    alone: list[float] = []
    for way, rides in enumerate((out, back)):
        for ride in rides:
            scope = prices.return_of(ride)
            if scope is None:
                alone.append(prices.single(ride))
            else:
                pairs.setdefault(scope, ([], []))[way].append(prices.single(ride))
    returns: list[tuple[str, int, int]] = []
    for (level, key, cents), (there, home) in sorted(pairs.items()):
        there.sort(reverse=True)
        home.sort(reverse=True)
        # the dearest with the dearest: what pairs save only falls
        count = sum(1 for a, b in zip(there, home, strict=False) if a + b > cents)
        alone += there[count:] + home[count:]
        if count:
            name = "return" if level == "general" else f"return of {level} {key}"
            returns.append((name, count, count * cents))
    if NO_PRICE in alone:
        return None
    singles = [("single", len(alone), int(sum(alone)))] if alone else []
    return (*returns, *singles)


MODES = ("bus", "coach", "tram", "metro", "rail", "ferry", "other")

_BASIC = {0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry", 5: "tram", 11: "bus", 12: "metro"}
_HUNDREDS = {
    1: "rail",
    2: "coach",
    3: "rail",
    4: "metro",
    5: "metro",
    6: "metro",
    7: "bus",
    8: "bus",
    9: "tram",
    10: "ferry",
    12: "ferry",
}


def mode_of(route_type: int) -> str:
    """One of ``MODES`` for a basic (0 to 12) or extended (100 to 1700) GTFS route type."""
    if route_type < 100:
        return _BASIC.get(route_type, "other")
    return _HUNDREDS.get(route_type // 100, "other")


def modes_of(route_types: ArrayLike) -> NDArray[np.int8]:
    """Place in ``MODES`` of each route type."""
    types = np.asarray(route_types, dtype=np.int64)
    values, place = np.unique(types, return_inverse=True)
    codes = np.asarray([MODES.index(mode_of(int(value))) for value in values], dtype=np.int8)
    return codes[place] if len(values) else np.zeros(0, dtype=np.int8)
