"""Fares of a timetable: rules by hand, every way to cut a journey into fares tried, and comparable states."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pandas as pd
import pytest

from community_routes.base.times import HOUR, MINUTE, UNREACHED
from community_routes.fares.products import (
    FareRule,
    GtfsFare,
    GtfsFares,
    Held,
    build_flat_products,
    build_gtfs_fares,
    describe_ride,
    no_worse,
)
from community_routes.fares.tickets import FareRide
from community_routes.measures.money import affordable_opportunities, best_time_for, cost_burden
from community_routes.measures.reach import cumulative_opportunities


def ride(route: str, minute: int, start: str = "", end: str = "", agency: str = "") -> FareRide:
    return FareRide(route, agency_id=agency, board_s=8 * HOUR + minute * MINUTE, from_zone=start, to_zone=end)


FLAT = GtfsFare("flat", 200)
HOURLY = GtfsFare("hour", 300, transfers=2, duration_s=HOUR)


def test_transfers_and_their_time() -> None:
    """Two rides: 3.00 with changes, not 4.00. The third after 61 minutes needs a new fare; the fourth ride as well."""
    fares = GtfsFares((FLAT, HOURLY))
    assert fares.cheapest([]) == 0
    assert fares.cheapest([ride("1", 0)]) == 200
    assert fares.cheapest([ride("1", 0), ride("2", 20)]) == 300
    assert fares.cheapest([ride("1", 0), ride("2", 20), ride("3", 60)]) == 300
    assert fares.cheapest([ride("1", 0), ride("2", 20), ride("3", 61)]) == 500
    assert fares.cheapest([ride(str(k), 10 * k) for k in range(4)]) == 500


def test_blank_transfers_are_any_number() -> None:
    assert GtfsFares((GtfsFare("free", 250, transfers=None),)).cheapest([ride("1", k) for k in range(6)]) == 250


def test_rules_by_route_agency_and_zone() -> None:
    """Route fare on its route only; agency fare on its agency only; 1 to 2 in zones, and 1 to 3 only as a whole."""
    by_route = GtfsFares((GtfsFare("x", 500, rules=(FareRule("X"),)), GtfsFare("a", 150, agency_id="A")))
    assert by_route.cheapest([ride("X", 0, agency="B")]) == 500
    assert by_route.cheapest([ride("Y", 0, agency="B")]) is None
    assert by_route.cheapest([ride("Y", 0, agency="A")]) == 150
    zonal = GtfsFares(
        (
            GtfsFare("near", 100, rules=(FareRule(origin_id="1", destination_id="2"),)),
            GtfsFare("far", 180, transfers=1, rules=(FareRule(origin_id="1", destination_id="3"),)),
            GtfsFare("on", 100, rules=(FareRule(origin_id="2", destination_id="3"),)),
        )
    )
    assert zonal.cheapest([ride("a", 0, "1", "2")]) == 100
    assert zonal.cheapest([ride("a", 0, "1", "2"), ride("b", 9, "2", "3")]) == 180
    assert zonal.cheapest([ride("a", 0, "3", "1")]) is None


def test_contains_means_exactly_these_zones() -> None:
    fare = GtfsFares((GtfsFare("c", 100, rules=(FareRule(contains=frozenset({"1", "2"})),)),))
    assert fare.cheapest([ride("a", 0, "1", "2")]) == 100
    assert fare.cheapest([FareRide("a", from_zone="1", to_zone="2", zones=("1", "5", "2"))]) is None


def by_cutting(fares: GtfsFares, rides: list[FareRide]) -> int | None:
    """Every way to cut the journey into stretches, each on its cheapest fare."""
    best: int | None = None
    for cuts in itertools.product([False, True], repeat=max(0, len(rides) - 1)):
        ends = [k + 1 for k, cut in enumerate(cuts) if cut] + [len(rides)]
        stretches = [rides[a:b] for a, b in zip([0, *ends], ends, strict=False)]
        prices = [min((f.cents for f in fares.fares if f.pays_for(s)), default=None) for s in stretches]
        if None not in prices:
            total = sum(p for p in prices if p is not None)
            best = total if best is None else min(best, total)
    return best


def random_fares(rng: random.Random) -> GtfsFares:
    def rule() -> FareRule:
        kind = rng.random()
        if kind < 0.5:
            return FareRule(route_id=rng.choice("AB"))
        return FareRule(origin_id=rng.choice("12"), destination_id=rng.choice("123"))

    return GtfsFares(
        tuple(
            GtfsFare(
                str(k),
                rng.randint(1, 6) * 50,
                rng.choice([0, 1, 2, None]),
                rng.choice([None, 30 * MINUTE]),
                rules=tuple(rule() for _ in range(rng.randint(0, 2))),
            )
            for k in range(4)
        )
    )


def random_journey(rng: random.Random, start: int = 0) -> list[FareRide]:
    zones = [rng.choice("123") for _ in range(5)]
    return [ride(rng.choice("ABC"), start + 15 * k, zones[k], zones[k + 1]) for k in range(rng.randint(1, 4))]


@pytest.mark.parametrize("seed", range(40))
def test_states_equal_trying_every_cut(seed: int) -> None:
    rng = random.Random(seed)
    fares, rides = random_fares(rng), random_journey(rng)
    assert fares.cheapest(rides) == by_cutting(fares, rides)


@pytest.mark.parametrize("seed", range(40))
def test_a_state_that_is_no_worse_stays_so(seed: int) -> None:
    """Whatever follows: the cheapest end from it is no dearer than from the other."""
    rng = random.Random(1000 + seed)
    fares, onward = random_fares(rng), random_journey(rng, start=60)

    def ends(state: Held) -> float:
        states = [state]
        for leg in onward:
            states = [after for before in states for after in fares.board(before, leg)]
        return min((after.cents for after in states if after.is_paid), default=float("inf"))

    states = [after for leg in (random_journey(rng)[0], random_journey(rng)[0]) for after in fares.board(Held(), leg)]
    for one, other in itertools.permutations(states, 2):
        if no_worse(one, other):
            assert ends(one) <= ends(other)


def test_a_cheaper_state_without_an_allowance_is_not_comparable() -> None:
    """2.00 with no change left against 3.00 with two: neither may be dropped."""
    flat, hour = (Held(fare.cents, fare, (ride("1", 0),)) for fare in (FLAT, HOURLY))
    assert not no_worse(flat, hour)
    assert not no_worse(hour, flat)


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
    one, two = build_gtfs_fares(tables).fares
    assert (one.cents, one.transfers, one.duration_s, one.rules) == (125, None, None, ())
    assert (two.cents, two.transfers, two.duration_s) == (200, 1, 3600)
    assert set(two.rules) == {FareRule("R"), FareRule(contains=frozenset({"1", "2"}))}
    assert build_gtfs_fares({}).cheapest([ride("1", 0)]) is None
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
    assert found.cheapest([("T", "s9", "s8"), ("U", "s9", "s8")]) == 350
    assert found.cheapest([("T", "s1", "s9")]) is None
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


def test_opportunities_within_time_and_money() -> None:
    """Places worth 1, 2, 4, 8: near and 2.00, near and 5.00, near and unknown, far and 2.00. For 3.00: 1. For all: 7."""
    times = np.array([[600, 600, 600, 6000]], dtype=np.int32)
    fares = [[2.0, 5.0, np.nan, 2.0]]
    amounts = [1.0, 2.0, 4.0, 8.0]

    def score(budget: float) -> float:
        return float(affordable_opportunities(times, fares, amounts, cutoff_s=1800, budget=budget)[0])

    assert [score(b) for b in (0, 2, 4.99, 5, np.inf)] == [0, 1, 1, 3, 7]
    assert score(np.inf) == cumulative_opportunities(times, amounts, cutoff_s=1800)[0]
    with pytest.raises(ValueError, match="budget"):
        score(-1)
    with pytest.raises(ValueError, match="shape"):
        affordable_opportunities(times, [[1.0]], amounts, cutoff_s=1800, budget=1)


def test_best_time_for_a_budget() -> None:
    """Train 20 min for 5.00, bus 50 min for 2.00, foot never: for 2.00 the bus, for all the train, for 1.00 none."""
    times, fares = [[1200, 3000, UNREACHED]], [[5.0, 2.0, np.nan]]
    found = [int(best_time_for(times, fares, budget=b, never=UNREACHED)[0]) for b in (1, 2, 5, np.inf)]
    assert found == [UNREACHED, 3000, 1200, 1200]


def test_cost_of_an_income() -> None:
    found = cost_burden([100.8, np.nan, 50], [1680, 1680, 0])
    assert found[0] == pytest.approx(0.06)
    assert np.isnan(found[1:]).all()
