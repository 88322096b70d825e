"""The timetable's own fares as ways to pay in a search and for a traced journey, with prices of the study in their place.

A ride is paid for, the first that holds: by a price that the study states for its route, agency or mode; by the fares of
``fare_attributes`` (with their changes, times and zones), or by the products of fares v2 (each ride alone); by the study's
general single. Zones that a ride passes are those of all stops at which the vehicle calls on the way, both ends included.
"""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.notices import Notice, declare, errors_in
from community_routes.fares.journeys import rides_on_routes
from community_routes.fares.machine import FOREVER, KEEPS, NO_PRICE_CENTS, Way
from community_routes.fares.products import (
    PRICES,
    FareRule,
    GtfsFare,
    build_flat_products,
    build_gtfs_fares,
    currencies_of,
    main_currency,
)
from community_routes.fares.search import cheapest_within, quickest_within
from community_routes.fares.tickets import NO_PRICE, FareRide, TicketFares
from community_routes.network.network import Network
from community_routes.network.timetable.trips import Timetable
from community_routes.routing.journeys import Journey, Ride
from community_routes.routing.query import Query, Walks
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.fares import POUNDS, Fares

NOTHING_HELD = ()
FARES_NOT_SEARCHED = declare(
    "fares_not_searched",
    "warning",
    "The timetable's fares have rules that are not searched here, so they are not used and fares are unknown.",
)
FARES_MISSING = declare(
    "fares_missing", "error", "The study asks for the timetable's own fares, but no timetable has any."
)
FARES_OF_ANOTHER_CURRENCY = declare(
    "fares_of_another_currency",
    "warning",
    "Fares of the timetable are in another currency than the study; they are not known, and never added to others.",
)
CURRENCIES_MEET = declare(
    "currencies_meet",
    "error",
    "The study's money and the timetable's fares are in different currencies, so that they cannot be added.",
)
EVERY_FARE_UNKNOWN = declare(
    "every_fare_unknown",
    "warning",
    "No ride of the timetable has a known fare, so that every figure of money counts walking alone.",
)


class FeedRide(NamedTuple):
    """What the price of a ride hangs on; a field that decides nothing in this timetable is left empty.

    ``cents`` is a price of its own (``NO_PRICE_CENTS`` where that is not known), None where the fares of ``fare_attributes``
    are to be asked, ``general`` what is paid where none of them holds; ``passed`` are fare zones.
    """

    agency: str = ""
    route: str = ""
    start: str = ""
    end: str = ""
    passed: frozenset[str] = frozenset()
    cents: int | None = None
    general: int | None = None


class Held(NamedTuple):
    """A fare in hand: which, how many rides on it (as far as that counts), and what its zones need to know of them."""

    fare: int
    rides: int
    route: str = ""
    start: str = ""
    end: str = ""
    passed: frozenset[str] = frozenset()


class FeedPrices:
    """Fares of a feed: the class of each ride, and the states of a journey that is paid for as it goes.

    Parameters
    ----------
    feed : Feed
    study : Fares or None
        Prices of the study that stand in for the feed's by route, agency and mode, and its general single.

    Attributes
    ----------
    cannot : str
        Why these fares must not be used, in words; "" where they can be.
    """

    turns_s: tuple[int, ...] = ()
    start: Hashable = NOTHING_HELD

    def __init__(self, feed: Feed, study: Fares | None = None) -> None:
        self.feed = feed
        currency = money_of(feed, study)
        self.fares: tuple[GtfsFare, ...] = build_gtfs_fares(feed.fares, currency)
        self.products = None if self.fares else build_flat_products(feed.fares, feed.routes, currency)
        self.cannot = "" if self.products is None else _unused_rules(feed)
        self.study = TicketFares(study or Fares())
        rules = [rule for fare in self.fares for rule in fare.rules]
        self.by_clock = any(fare.duration_s is not None for fare in self.fares)
        self._by_zone = any(_zonal(rule) for rule in rules)
        self._by_area = self.products is not None and any(r.from_area_id or r.to_area_id for r in self.products.rules)
        self._routes = {rule.route_id for rule in rules}
        self._agencies = {fare.agency_id for fare in self.fares}
        stops = feed.stops
        self._zone = stops["zone_id"].astype(str).tolist() if "zone_id" in stops else [""] * len(stops)
        self._stop_id = stops["stop_id"].astype(str).tolist()
        self._places = stops[["lon", "lat"]].to_numpy(dtype=np.float64)
        self._route_of = feed.trips["route"].to_numpy(dtype=np.int64)
        self._ridden = rides_on_routes(feed)

    # --- classes of rides ------------------------------------------------------------------------------------------

    def of_route(self, route: int, board_s: int) -> FeedRide | None:
        """The class of every ride on a route, None where it hangs on the stops."""
        own = self._own_price(route, np.inf)
        if own is None and (self._by_zone or self._by_area):
            return None
        if own == NO_PRICE and self._own_price(route, 1.0) != NO_PRICE:
            return None
        return self._kind(route, own, ())

    def of_rides(self, rides: NDArray[np.int64], timetable: Timetable) -> tuple[NDArray[np.int64], list[Hashable]]:
        """The class of each ride; columns are the hops boarded and left."""
        route = self._route_of[timetable.trip[rides[:, 0]]].tolist()
        from_stop, to_stop = timetable.from_stop, timetable.to_stop
        kinds: dict[Hashable, int] = {}
        found = [
            kinds.setdefault(
                self.kind_of(of, [*from_stop[board : alight + 1].tolist(), *to_stop[board : alight + 1].tolist()]),
                len(kinds),
            )
            for of, (board, alight) in zip(route, rides.tolist(), strict=True)
        ]
        return np.asarray(found, np.int64), list(kinds)

    def kind_of(self, route: int, stops: Sequence[int]) -> FeedRide:
        """The class of a ride on a route (a row) that calls at stops (rows), the first and the last included."""
        km = float(great_circle_m(*self._places[stops[0]], *self._places[stops[-1]])) / 1000
        return self._kind(route, self._own_price(route, km if np.isfinite(km) else np.inf), stops)

    def _own_price(self, route: int, km: float) -> float | None:
        """What the study states for the route, agency or mode; None where it states nothing."""
        ride = self._ridden[route]
        levels = self.study.levels(ride)
        if not any(level != "general" and _has_price(fare) for level, _, fare in levels):
            return None
        named = FareRide(ride.route_id, ride.route_name, ride.agency_id, ride.agency_name, ride.mode, km=km)
        return self.study.single(named)

    def _kind(self, route: int, own: float | None, stops: Sequence[int]) -> FeedRide:
        ride = self._ridden[route]
        general = None
        if not self.study.stands_apart(ride.mode) and _has_price(self.study.fares):
            price = self.study.single(FareRide("", mode=ride.mode, km=np.inf))
            general = None if price == NO_PRICE else int(price)
        if own is not None:
            return FeedRide(cents=NO_PRICE_CENTS if own == NO_PRICE else int(own))
        if self.products is not None:
            ends = (self._stop_id[stops[0]], self._stop_id[stops[-1]]) if self._by_area else ("", "")
            price_of = self.products.single(ride.route_id, *ends)
            found = general if price_of is None else price_of
            return FeedRide(cents=NO_PRICE_CENTS if found is None else found)
        named = FeedRide(
            agency=ride.agency_id if ride.agency_id in self._agencies or self._agencies - {""} else "",
            route=ride.route_id if ride.route_id in self._routes else "",
            general=general,
        )
        if not self._by_zone:
            return named
        zones = [self._zone[stop] for stop in stops]
        return named._replace(start=zones[0], end=zones[-1], passed=frozenset(zones) - {""})

    # --- states ----------------------------------------------------------------------------------------------------

    def ways(self, held: Hashable, kind: Hashable) -> Iterable[Way]:
        """On the fare in hand where that is allowed, and on each new fare."""
        assert isinstance(kind, FeedRide)
        if isinstance(held, Held):
            fare = self.fares[held.fare]
            allowed = fare.transfers is None or held.rides <= fare.transfers
            if allowed and kind.cents is None and _holds(fare, kind):
                yield Way(self._after(held.fare, kind, held), 0, FOREVER if fare.duration_s is None else KEEPS)
        if not self.may_end(held):
            return
        if kind.cents is not None:
            if kind.cents < NO_PRICE_CENTS:
                yield Way(NOTHING_HELD, kind.cents)
            return
        any_holds = False
        for row, fare in enumerate(self.fares):
            if not _holds(fare, kind):
                continue
            any_holds = True
            if fare.cents >= NO_PRICE_CENTS:
                continue
            lasts_s = FOREVER if fare.duration_s is None else fare.duration_s
            yield Way(self._after(row, kind, None), fare.cents, lasts_s)
        if not any_holds and kind.general is not None:
            yield Way(NOTHING_HELD, kind.general)

    def _after(self, row: int, kind: FeedRide, held: Held | None) -> Held:
        fare = self.fares[row]
        rides = 1 if held is None else held.rides + 1
        if fare.transfers is None:
            rides = 1
        if not any(_zonal(rule) for rule in fare.rules):
            return Held(row, rides)
        first = (kind.route, kind.start) if held is None else (held.route, held.start)
        passed = (kind.passed | {kind.start, kind.end}) - {""}
        return Held(row, rides, *first, kind.end, passed if held is None else held.passed | passed)

    def may_end(self, held: Hashable) -> bool:
        """Whether what is in hand pays for its rides; a fare for zones may need one ride more."""
        if not isinstance(held, Held):
            return True
        rules = self.fares[held.fare].rules
        if not any(_zonal(rule) for rule in rules):
            return True
        return any(
            rule.route_id in ("", held.route)
            and rule.origin_id in ("", held.start)
            and rule.destination_id in ("", held.end)
            and (not rule.contains or rule.contains == held.passed)
            for rule in rules
        )

    def price_any(self, routes: Iterable[int]) -> bool:
        """Whether a ride on one of these routes (rows), from any stop to any later one, has a price by itself."""
        wanted, calls = dict.fromkeys(routes), self.feed.calls
        asked: set[tuple[int, tuple[int, ...]]] = set()
        for trip, route in enumerate(self._route_of.tolist()):
            if route not in wanted:
                continue
            flat = self.of_route(route, 0)
            stops = () if flat is not None else tuple(calls.stop[calls.first[trip] : calls.first[trip + 1]].tolist())
            if (route, stops) in asked:
                continue
            asked.add((route, stops))
            ends = itertools.combinations(range(len(stops)), 2)
            kinds = [flat] if flat is not None else (self.kind_of(route, stops[i : j + 1]) for i, j in ends)
            if any(self.cheapest([(kind, 0)]) is not None for kind in kinds):
                return True
        return False

    # --- a traced journey --------------------------------------------------------------------------------------------

    def journey_cents(self, journey: Journey) -> int | None:
        """The cheapest way to pay for a journey in hundredths; None where it has no price."""
        return self.cheapest([(self.kind_of(*self._of_leg(ride)), ride.depart_s) for ride in journey.rides])

    def _of_leg(self, ride: Ride) -> tuple[int, list[int]]:
        stops = self.feed.calls.stop[[call + end for end in (0, 1) for call in ride.calls]].tolist()
        return int(self._route_of[ride.trips[0]]), stops

    def cheapest(self, rides: Iterable[tuple[FeedRide, int]]) -> int | None:
        """The cheapest way to pay for rides of classes boarded at moments; None where there is none."""
        least: dict[tuple[Hashable, int], int] = {(NOTHING_HELD, FOREVER): 0}
        for kind, board_s in rides:
            after: dict[tuple[Hashable, int], int] = {}
            for (held, valid_s), cents in least.items():
                for way in self.ways(held, kind):
                    if way.lasts_s == KEEPS and board_s > valid_s:
                        continue
                    until_s = valid_s if way.lasts_s == KEEPS else min(board_s + way.lasts_s, FOREVER)
                    key = way.held, until_s
                    after[key] = min(after.get(key, cents + way.cents), cents + way.cents)
            least = after
        return min((cents for (held, _), cents in least.items() if self.may_end(held)), default=None)


# --- in a study --------------------------------------------------------------------------------------------------------


def has_feed_fares(feed: Feed) -> bool:
    """Whether a feed says what rides cost."""
    tables = {name for name, table in feed.fares.items() if len(table)}
    return "fare_attributes" in tables or {"fare_products", "fare_leg_rules"} <= tables


def uses_feed_fares(feed: Feed, study: Fares | None) -> bool:
    """Whether the timetable's own fares hold: the study says ``gtfs: true``, or states no price of its own."""
    wanted = study is None or study.gtfs or (study.gtfs is None and not study.has_prices)
    return bool(wanted and has_feed_fares(feed))


def money_of(feed: Feed, study: Fares | None) -> str:
    """The currency of a study: the one that it states, pounds beside prices of its own, else that of the timetable's fares."""
    if study is not None and study.currency is not None:
        return study.currency
    if not uses_feed_fares(feed, study) or (study is not None and study.has_prices):
        return POUNDS
    return main_currency(feed.fares)


def feed_prices(feed: Feed, study: Fares | None, notices: list[Notice]) -> FeedPrices | None:
    """The prices of a timetable where a study uses them; None where the study's own are used, or nothing can be.

    Rules that cannot be followed are a notice, and then no fare is known: a price without them would be wrong. Prices in
    another currency than the study's (``money_of``) are not known.
    """
    if not uses_feed_fares(feed, study):
        if study is not None and study.gtfs:
            message = "`gtfs: true` asks for the fares of the timetables, but none of them has fare_attributes or fare_products"
            notices.append(FARES_MISSING.at(**study.at("gtfs"), message=message))
        return None
    try:
        prices = FeedPrices(feed, study)
        fault = prices.cannot
    except ValueError as error:
        prices, fault = None, str(error)
    if fault:
        notices.append(FARES_NOT_SEARCHED.at(message=f"the timetable's fares are not used: {fault}"))
        return None
    return prices


def check_fares(feed: Feed, study: Fares | None, notices: list[Notice]) -> None:
    """Say what of the timetable's fares cannot be used, which prices are in another currency, and whether no fare is known."""
    found: list[Notice] = []
    prices = feed_prices(feed, study, found)
    if prices is not None:
        found += _other_currencies(feed, study)
    notices += found
    if study is None or (prices is None and found) or errors_in(found):
        return
    routes = np.unique(feed.trips["route"].to_numpy(dtype=np.int64)).tolist()
    own = TicketFares(study)
    known = _is_any_priced(own, feed, routes) if prices is None else prices.price_any(routes)
    if not known:
        message = (
            f"no ride on any of the {len(routes)} routes has a fare that is known in {money_of(feed, study)}, so what is "
            "reached for a budget is what can be walked to; state prices under `fares`, or mend the fares of the timetable"
        )
        notices.append(EVERY_FARE_UNKNOWN.at(**study.at(""), message=message))


def _is_any_priced(own: TicketFares, feed: Feed, routes: Iterable[int]) -> bool:
    tickets, rides = own.tickets(("day", "week", "four_week")), rides_on_routes(feed)
    ridden = (replace(rides[route], km=1.0) for route in routes)
    return any(own.single(ride) < NO_PRICE or any(own.covers(ticket, ride) for ticket in tickets) for ride in ridden)


def _other_currencies(feed: Feed, study: Fares | None) -> list[Notice]:
    """A notice for each file and currency that is not the study's; an error where nothing is in the study's."""
    ours = money_of(feed, study)
    name, stated = currencies_of(feed.fares)
    unstated = pd.DataFrame({"file": f"{name}.txt", "row": np.arange(len(stated)) + 2})
    rows = feed.fare_rows.get(name, unstated).assign(currency=stated)
    odd = rows[~rows["currency"].isin(["", ours])]
    if study is not None and len(odd) and len(odd) == len(rows):
        theirs = " and ".join(sorted(set(odd["currency"])))
        message = (
            f"the study's money is {ours}, but the fares of the timetable are in {theirs}; say `currency: {theirs.split()[0]}` "
            "where the study's prices and budgets are so, or `gtfs: false` to use the study's prices alone"
        )
        return [CURRENCIES_MEET.at(**study.at("currency"), value=ours, message=message)]
    found = []
    for (file, currency), mine in odd.groupby(["file", "currency"], sort=True):
        lines = ", ".join(str(row) for row in mine["row"][:5]) + (" ..." if len(mine) > 5 else "")
        message = (
            f"of {len(rows)} fares {len(mine)} (row{'s' * (len(mine) > 1)} {lines}) count in {currency}, this study in {ours}: "
            "they are not known, never added, and rides without another fare are in no budget; "
            f"`currency: {currency}` under `fares` counts in {currency} instead"
        )
        notice = FARES_OF_ANOTHER_CURRENCY.at(
            str(file), row=int(mine["row"].iloc[0]), field=PRICES[name], value=currency, message=message
        )
        found.append(notice)
    return found


def times_within_feed_budgets(
    network: Network, query: Query, walks: Walks, prices: FeedPrices, budgets: Sequence[float], *, threads: int = 1
) -> NDArray[np.int16]:
    """``by_ticket.times_within_budgets`` with the timetable's fares, in the same shape.

    Raises
    ------
    machine.TooManyStatesError
    """
    cents = [round(budget * 100) for budget in budgets]
    return quickest_within(network, query, walks, prices, cents, threads=threads)


def monthly_feed_costs(
    network: Network,
    query: Query,
    walks: Walks,
    prices: FeedPrices,
    *,
    cutoffs_s: Sequence[int],
    days: int,
    threads: int = 1,
) -> NDArray[np.float64]:
    """``month.monthly_costs`` with the timetable's fares, which are paid every day: days * 2 * the fare of the way out."""
    cheapest = cheapest_within(network, query, walks, prices, cutoffs_s, threads=threads)
    return np.asarray(np.where(cheapest < NO_PRICE_CENTS, cheapest.astype(np.float64) * (2 * days) / 100, np.inf))


def _zonal(rule: FareRule) -> bool:
    return bool(rule.origin_id or rule.destination_id or rule.contains)


def _unused_rules(feed: Feed) -> str:
    """What the products of fares v2 need that is not followed here."""
    for table, what in (
        ("fare_transfer_rules", "what changes cost"),
        ("fare_leg_join_rules", "which rides count as one"),
    ):
        if len(feed.fares.get(table, ())):
            return f"{table}.txt says {what}, which is not followed"
    legs = feed.fares["fare_leg_rules"]
    for column in ("from_timeframe_group_id", "to_timeframe_group_id"):
        if column in legs and (legs[column].fillna("") != "").any():
            return f"fare_leg_rules.txt has prices by time of day ({column}), which are not followed"
    blank = "network_id" not in legs or (legs["network_id"].fillna("") == "").any()
    if len(feed.sources) > 1 and blank:
        return "a fare_leg_rules.txt without network_id would hold on the routes of the other timetables too"
    return ""


def _holds(fare: GtfsFare, kind: FeedRide) -> bool:
    if fare.agency_id and kind.agency and fare.agency_id != kind.agency:
        return False
    return not fare.rules or any(rule.route_id in ("", kind.route) for rule in fare.rules)


def _has_price(fare: object) -> bool:
    return getattr(fare, "single", None) is not None or getattr(fare, "per_km", None) is not None
