"""Fares as the tables of a timetable state them: ``fare_attributes`` with rules, flat or zonal products of fares v2."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from community_routes.fares.machine import NO_PRICE_CENTS
from community_routes.fares.tickets import FareRide, to_cents
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.fares import POUNDS

PRICES = {"fare_attributes": "currency_type", "fare_products": "currency"}
"""The tables with prices, and the column of the currency; prices are taken from the first that has rows."""


@dataclass(frozen=True)
class FareRule:
    """A row of ``fare_rules.txt`` (rows that differ in ``contains_id`` only are one rule); "" is any."""

    route_id: str = ""
    origin_id: str = ""
    destination_id: str = ""
    contains: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GtfsFare:
    """A row of ``fare_attributes.txt`` with its rules.

    Attributes
    ----------
    fare_id : str
    cents : int
        ``NO_PRICE_CENTS`` where the fare is in another currency than the study: it is not known in the study's.
    transfers : int or None
        How many changes it allows; None for any number.
    duration_s : int or None
        Seconds from the first boarding within which later rides must be boarded; None for no end.
    agency_id : str
        "" where the feed gives none.
    rules : tuple of FareRule
        Empty: the fare holds everywhere.
    """

    fare_id: str
    cents: int
    transfers: int | None = 0
    duration_s: int | None = None
    agency_id: str = ""
    rules: tuple[FareRule, ...] = ()


# --- from the tables of a feed ---------------------------------------------------------------------------------------


def currencies_of(tables: Mapping[str, pd.DataFrame]) -> tuple[str, list[str]]:
    """The table that prices are taken from, and the currency of each of its rows, "" where none is stated."""
    for name, column in PRICES.items():
        table = tables.get(name)
        if table is not None and len(table):
            return name, _stated(table, column)
    return "", []


def main_currency(tables: Mapping[str, pd.DataFrame]) -> str:
    """The currency of most prices; of equally many, and where none is stated, pounds, else the first of the alphabet."""
    counts = Counter(currency for currency in currencies_of(tables)[1] if currency)
    return min(counts, key=lambda currency: (-counts[currency], currency != POUNDS, currency), default=POUNDS)


def _stated(table: pd.DataFrame, column: str) -> list[str]:
    if column not in table:
        return [""] * len(table)
    return [str(text).strip().upper() for text in table[column].fillna("")]


def _cents(price: object, stated: str, currency: str) -> int:
    """A price in hundredths; not known where it is in another currency. A price without a currency is in that of the others."""
    cents = to_cents(_amount(price))
    return cents if stated in ("", currency) else NO_PRICE_CENTS


def build_gtfs_fares(tables: Mapping[str, pd.DataFrame], currency: str | None = None) -> tuple[GtfsFare, ...]:
    """The fares of ``fare_attributes`` and ``fare_rules`` (tables of text, as in ``Feed.fares``).

    ``transfers``: 0, 1, 2 changes, blank for any number; ``transfer_duration``: blank for no end. A fare without rules
    holds everywhere. Prices are known in one ``currency`` (that of most of them where it is left out), so that no two
    currencies are ever added.

    Raises
    ------
    ValueError
        A price, number of transfers or duration is no number; the message names the fare.
    """
    attributes = tables.get("fare_attributes")
    if attributes is None:
        return ()
    rules = _rules_by_fare(tables.get("fare_rules"))
    agencies = attributes["agency_id"] if "agency_id" in attributes else [""] * len(attributes)
    transfers = attributes["transfers"] if "transfers" in attributes else [""] * len(attributes)
    durations = attributes["transfer_duration"] if "transfer_duration" in attributes else [""] * len(attributes)
    found, ours = [], currency or main_currency(tables)
    stated = _stated(attributes, PRICES["fare_attributes"])
    for fare_id, price, theirs, changes, duration, agency in zip(
        attributes["fare_id"], attributes["price"], stated, transfers, durations, agencies, strict=True
    ):
        try:
            found.append(
                GtfsFare(
                    str(fare_id),
                    _cents(price, theirs, ours),
                    int(changes) if str(changes).strip() else None,
                    int(duration) if str(duration).strip() else None,
                    str(agency),
                    rules.get(str(fare_id), ()),
                )
            )
        except ValueError:
            raise ValueError(
                f"fare_attributes.txt: fare {fare_id!r} has the price {price!r}, transfers {changes!r} and "
                f"transfer_duration {duration!r}; each must be a number (transfers and duration may be blank)"
            ) from None
    return tuple(found)


def _amount(text: object) -> float:
    value = float(str(text))
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{text!r} is no price")
    return value


def _rules_by_fare(table: pd.DataFrame | None) -> dict[str, tuple[FareRule, ...]]:
    if table is None:
        return {}
    columns = ["route_id", "origin_id", "destination_id", "contains_id"]
    rows = table.reindex(columns=["fare_id", *columns], fill_value="").fillna("").astype(str)
    found: dict[str, dict[tuple[str, str, str], set[str]]] = {}
    for fare, route, origin, destination, contains in rows.itertuples(index=False):
        passed = found.setdefault(fare, {}).setdefault((route, origin, destination), set())
        if contains:
            passed.add(contains)
    return {fare: tuple(FareRule(*key, frozenset(zones)) for key, zones in r.items()) for fare, r in found.items()}


@dataclass(frozen=True)
class ProductRule:
    """A row of ``fare_leg_rules.txt`` with the price of its product; ``None`` in a network or area is any other.

    In a table with ``rule_priority`` it is any at all, and of the rules that hold those of the highest priority count.
    """

    network_id: str | None
    from_area_id: str | None
    to_area_id: str | None
    cents: int
    priority: int | None = None


@dataclass(frozen=True)
class FlatProducts:
    """Products of fares v2 that price each ride alone: flat, by network, or by area. Transfer rules are not used.

    Attributes
    ----------
    rules : tuple of ProductRule
    network_of_route : dict of str to str
    areas_of_stop : dict of str to set of str
    """

    rules: tuple[ProductRule, ...]
    network_of_route: Mapping[str, str]
    areas_of_stop: Mapping[str, frozenset[str]]

    def single(self, route_id: str, from_stop: str, to_stop: str) -> int | None:
        """Cheapest price of a ride in hundredths; ``None`` where no rule holds, ``NO_PRICE_CENTS`` where only foreign ones do.

        A blank network or area in a rule holds where no other rule names it, as the specification has it.
        """
        network = self.network_of_route.get(route_id, "")
        found = [
            rule
            for rule in self.rules
            if self._holds("network_id", rule, {network})
            and self._holds("from_area_id", rule, self.areas_of_stop.get(from_stop, frozenset()))
            and self._holds("to_area_id", rule, self.areas_of_stop.get(to_stop, frozenset()))
        ]
        highest = max((rule.priority or 0 for rule in found), default=0)
        return min((rule.cents for rule in found if (rule.priority or 0) == highest), default=None)

    def _holds(self, column: str, rule: ProductRule, have: Iterable[str]) -> bool:
        wanted: str | None = getattr(rule, column)
        if wanted is not None:
            return wanted in have
        if rule.priority is not None:
            return True
        named = {getattr(rule, column) for rule in self.rules}
        return not any(item in named for item in have)


def build_flat_products(
    tables: Mapping[str, pd.DataFrame], routes: pd.DataFrame | None = None, currency: str | None = None
) -> FlatProducts | None:
    """Flat and zonal singles of ``fare_products`` and ``fare_leg_rules``; ``None`` where the feed has none.

    Of a product for several categories of riders the one for everybody (blank), else for the default category, else the
    dearest is taken: a child's price is not everybody's. Of several media the cheapest is taken. A route's network stands in
    ``route_networks``, else in the ``network_id`` of ``routes`` (``Feed.routes``). Prices are known in one ``currency``
    (that of most of them where it is left out).
    """
    products, legs = tables.get("fare_products"), tables.get("fare_leg_rules")
    if products is None or legs is None:
        return None
    price = _price_of_product(products, tables.get("rider_categories"), currency or main_currency(tables))
    columns = ["network_id", "from_area_id", "to_area_id", "fare_product_id", "rule_priority"]
    rows = legs.reindex(columns=columns, fill_value="").fillna("").astype(str)
    ranked = "rule_priority" in legs
    rules = tuple(
        ProductRule(network or None, start or None, end or None, price[product], _priority(rank) if ranked else None)
        for network, start, end, product, rank in rows.itertuples(index=False)
        if product in price
    )
    networks = [] if routes is None or "network_id" not in routes else _pairs(routes, "route_id", "network_id")
    networks += _pairs(tables.get("route_networks"), "route_id", "network_id")
    areas: dict[str, set[str]] = {}
    for stop, area in _pairs(tables.get("stop_areas"), "stop_id", "area_id"):
        areas.setdefault(stop, set()).add(area)
    return FlatProducts(rules, dict(networks), {stop: frozenset(found) for stop, found in areas.items()})


def _priority(text: str) -> int:
    """A rule's priority, 0 where it is blank."""
    try:
        return int(text or 0)
    except ValueError:
        raise ValueError(f"fare_leg_rules.txt: the rule_priority {text!r} is no whole number") from None


def _price_of_product(products: pd.DataFrame, categories: pd.DataFrame | None, currency: str) -> dict[str, int]:
    default: set[str] = set()
    if categories is not None and "is_default_fare_category" in categories:
        flagged = categories["is_default_fare_category"].astype(str) == "1"
        default = set(categories.loc[flagged, "rider_category_id"].astype(str))
    rows = products.reindex(columns=["fare_product_id", "rider_category_id", "amount"], fill_value="")
    found: dict[str, dict[int, list[int]]] = {}
    stated = _stated(products, PRICES["fare_products"])
    for (product, category, amount), theirs in zip(
        rows.fillna("").astype(str).itertuples(index=False), stated, strict=True
    ):
        rank = 0 if not category else 1 if category in default else 2
        found.setdefault(product, {}).setdefault(rank, []).append(_cents(amount, theirs, currency))
    prices: dict[str, int] = {}
    for product, by_rank in found.items():
        rank = min(by_rank)
        known = [cents for cents in by_rank[rank] if cents < NO_PRICE_CENTS] or [NO_PRICE_CENTS]
        prices[product] = min(known) if rank < 2 else max(known)
    return prices


def _pairs(table: pd.DataFrame | None, left: str, right: str) -> list[tuple[str, str]]:
    if table is None:
        return []
    return list(zip(table[left].astype(str), table[right].astype(str), strict=True))


def describe_ride(
    feed: Feed, trip: int, from_stop: int, to_stop: int, board_s: int, alight_s: int, *, km: float, mode: str
) -> FareRide:
    """A ride as its price needs it, from rows of a feed.

    Parameters
    ----------
    trip, from_stop, to_stop : int
        Rows of ``feed.trips`` (the first, where a vehicle goes on as another trip) and ``feed.stops``.
    board_s, alight_s : int
    km : float
        Distance between the stops.
    mode : str
        One of ``modes.MODES``.
    """
    routes, row = feed.routes, int(feed.trips["route"].iat[trip])
    agency = int(routes["agency"].iat[row])
    named = (str(feed.agencies[name].iat[agency]) if agency >= 0 else "" for name in ("agency_id", "agency_name"))
    zones = [str(feed.stops["zone_id"].iat[stop]) if "zone_id" in feed.stops else "" for stop in (from_stop, to_stop)]
    return FareRide(
        route_id=str(routes["route_id"].iat[row]),
        route_name=str(routes["route_short_name"].iat[row]),
        agency_id=next(named),
        agency_name=next(named),
        mode=mode,
        km=km,
        board_s=board_s,
        alight_s=alight_s,
        from_zone=zones[0],
        to_zone=zones[1],
    )
