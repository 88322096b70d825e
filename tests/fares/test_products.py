"""Fares of a timetable: rules by hand, every way to cut a journey into fares tried, and the tables read."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from community_routes.base.times import HOUR, MINUTE
from community_routes.fares.feed import FeedPrices, FeedRide
from community_routes.fares.products import (
    FareRule,
    GtfsFare,
    build_flat_products,
    build_gtfs_fares,
    describe_ride,
)
from community_routes.fares.tickets import FareRide
from community_routes.measures.money import cost_burden
from drawn import drawn_feed
from paying import by_cutting


def ride(route: str, minute: int, start: str = "", end: str = "", agency: str = "") -> FareRide:
    return FareRide(route, agency_id=agency, board_s=8 * HOUR + minute * MINUTE, from_zone=start, to_zone=end)


def cheapest(fares: Sequence[GtfsFare], rides: Sequence[FareRide]) -> int | None:
    """What these rides cost with these fares, paid as they go."""
    prices = FeedPrices(drawn_feed("1: A 08:05  M 08:15"))
    prices.fares = tuple(fares)
    return prices.cheapest((kind_of(ride), ride.board_s) for ride in rides)


def kind_of(ride: FareRide) -> FeedRide:
    zones = frozenset(ride.zones or (ride.from_zone, ride.to_zone)) - {""}
    return FeedRide(ride.agency_id, ride.route_id, ride.from_zone, ride.to_zone, zones)


FLAT = GtfsFare("flat", 200)
HOURLY = GtfsFare("hour", 300, transfers=2, duration_s=HOUR)


def test_transfers_and_their_time() -> None:
    """Two rides: 3.00 with changes, not 4.00. The third after 61 minutes needs a new fare; the fourth ride as well."""
    fares = (FLAT, HOURLY)
    assert cheapest(fares, []) == 0
    assert cheapest(fares, [ride("1", 0)]) == 200
    assert cheapest(fares, [ride("1", 0), ride("2", 20)]) == 300
    assert cheapest(fares, [ride("1", 0), ride("2", 20), ride("3", 60)]) == 300
    assert cheapest(fares, [ride("1", 0), ride("2", 20), ride("3", 61)]) == 500
    assert cheapest(fares, [ride(str(k), 10 * k) for k in range(4)]) == 500


def test_blank_transfers_are_any_number() -> None:
    assert cheapest([GtfsFare("free", 250, transfers=None)], [ride("1", k) for k in range(6)]) == 250


def test_rules_by_route_agency_and_zone() -> None:
    """Route fare on its route only; agency fare on its agency only; 1 to 2 in zones, and 1 to 3 only as a whole."""
    by_route = (GtfsFare("x", 500, rules=(FareRule("X"),)), GtfsFare("a", 150, agency_id="A"))
    assert cheapest(by_route, [ride("X", 0, agency="B")]) == 500
    assert cheapest(by_route, [ride("Y", 0, agency="B")]) is None
    assert cheapest(by_route, [ride("Y", 0, agency="A")]) == 150
    zonal = (
        GtfsFare("near", 100, rules=(FareRule(origin_id="1", destination_id="2"),)),
        GtfsFare("far", 180, transfers=1, rules=(FareRule(origin_id="1", destination_id="3"),)),
        GtfsFare("on", 100, rules=(FareRule(origin_id="2", destination_id="3"),)),
    )
    assert cheapest(zonal, [ride("a", 0, "1", "2")]) == 100
    assert cheapest(zonal, [ride("a", 0, "1", "2"), ride("b", 9, "2", "3")]) == 180
    assert cheapest(zonal, [ride("a", 0, "3", "1")]) is None


def test_contains_means_exactly_these_zones() -> None:
    fare = [GtfsFare("c", 100, rules=(FareRule(contains=frozenset({"1", "2"})),))]
    assert cheapest(fare, [ride("a", 0, "1", "2")]) == 100
    assert cheapest(fare, [FareRide("a", from_zone="1", to_zone="2", zones=("1", "5", "2"))]) is None


def random_fares(rng: random.Random) -> tuple[GtfsFare, ...]:
    def rule() -> FareRule:
        kind = rng.random()
        if kind < 0.5:
            return FareRule(route_id=rng.choice("AB"))
        return FareRule(origin_id=rng.choice("12"), destination_id=rng.choice("123"))

    return tuple(
        GtfsFare(
            str(k),
            rng.randint(1, 6) * 50,
            rng.choice([0, 1, 2, None]),
            rng.choice([None, 30 * MINUTE]),
            rules=tuple(rule() for _ in range(rng.randint(0, 2))),
        )
        for k in range(4)
    )


def random_journey(rng: random.Random) -> list[FareRide]:
    zones = [rng.choice("123") for _ in range(5)]
    return [ride(rng.choice("ABC"), 15 * k, zones[k], zones[k + 1]) for k in range(rng.randint(1, 4))]


@pytest.mark.parametrize("seed", range(40))
def test_states_equal_trying_every_cut(seed: int) -> None:
    rng = random.Random(seed)
    fares, rides = random_fares(rng), random_journey(rng)
    assert cheapest(fares, rides) == by_cutting(fares, rides)


def test_reading_the_tables() -> None:
    """Blank transfers any number, blank duration no end, rows that differ in contains_id are one rule."""
    tables = {
        "fare_attributes": pd.DataFrame(
            {"fare_id": ["p", "q"], "price": ["1.25", "2"], "transfers": ["", "1"], "transfer_duration": ["", "3600"]}
        ),
        "fare_rules": pd.DataFrame(
            {"fare_id": ["q", "q", "q"], "route_id": ["R", "", ""], "contains_id": ["", "1", "2"]}
        ),
    }
    one, two = build_gtfs_fares(tables)
    assert (one.cents, one.transfers, one.duration_s, one.rules) == (125, None, None, ())
    assert (two.cents, two.transfers, two.duration_s) == (200, 1, 3600)
    assert set(two.rules) == {FareRule("R"), FareRule(contains=frozenset({"1", "2"}))}
    assert build_gtfs_fares({}) == ()
    tables["fare_attributes"]["price"] = ["-1", "2"]
    with pytest.raises(ValueError, match="fare 'p' has the price '-1'"):
        build_gtfs_fares(tables)


def test_flat_and_zonal_products() -> None:
    """Town network 1.50; elsewhere 2.00, but 3.00 from area x to y; the child's price is not taken, the card's is."""
    tables = {
        "fare_products": pd.DataFrame(
            {
                "fare_product_id": ["town", "town", "else", "else", "xy"],
                "rider_category_id": ["", "child", "adult", "child", ""],
                "amount": ["1.50", "0.50", "2.00", "1.00", "3.00"],
            }
        ),
        "rider_categories": pd.DataFrame(
            {"rider_category_id": ["adult", "child"], "is_default_fare_category": ["1", "0"]}
        ),
        "fare_leg_rules": pd.DataFrame(
            {
                "network_id": ["N", "", ""],
                "from_area_id": ["", "", "x"],
                "to_area_id": ["", "", "y"],
                "fare_product_id": ["town", "else", "xy"],
            }
        ),
        "route_networks": pd.DataFrame({"network_id": ["N"], "route_id": ["T"]}),
        "stop_areas": pd.DataFrame({"area_id": ["x", "y"], "stop_id": ["s1", "s2"]}),
    }
    found = build_flat_products(tables)
    assert found is not None
    assert found.single("T", "s9", "s8") == 150
    assert found.single("U", "s9", "s8") == 200
    assert found.single("U", "s1", "s2") == 300
    assert found.single("T", "s1", "s9") is None
    assert build_flat_products({}) is None
    dearest = {**tables, "rider_categories": None}
    del dearest["rider_categories"]
    plain = build_flat_products(dearest)
    assert plain is not None
    assert plain.single("U", "s9", "s8") == 200


def test_a_ride_described_from_a_feed() -> None:
    class Small:
        trips = pd.DataFrame({"route": [0]})
        routes = pd.DataFrame({"route_id": ["r"], "route_short_name": ["7"], "agency": [0]})
        agencies = pd.DataFrame({"agency_id": ["A"], "agency_name": ["Able"]})
        stops = pd.DataFrame({"zone_id": ["1", "2"]})

    found = describe_ride(Small(), 0, 0, 1, 100, 200, km=2.5, mode="bus")  # type: ignore[arg-type]
    assert found == FareRide("r", "7", "A", "Able", "bus", 2.5, 100, 200, "1", "2")


def test_cost_of_an_income() -> None:
    found = cost_burden([100.8, np.nan, 50], [1680, 1680, 0])
    assert found[0] == pytest.approx(0.06)
    assert np.isnan(found[1:]).all()
