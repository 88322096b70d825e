"""A month of commuting: drawn timetables by hand, a slow twin that prices every journey as a month, and laws."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from community_routes.base.times import HOUR, MINUTE
from community_routes.fares import levels
from community_routes.fares.month import CommuteFares, cost_of_share, monthly_costs
from community_routes.fares.tickets import FareRide, TicketFares, cheapest_month
from community_routes.network.network import assemble_network
from community_routes.routing.query import Query, Walks
from community_routes.sources.study.fares import Fares
from drawn import DATE, drawn_feed, footpath_matrix, links_of, walks_to_stops
from paying import Journeys, random_terms, small_case
from random_networks import random_case
from searching import network_of, query_of, times_of, walks_of


def priced(**fares: object) -> TicketFares:
    return TicketFares(Fares.model_validate(fares))


def months(
    prices: TicketFares, cutoffs_min: list[int], *lines: str, walk_s: int = -1, start: str = "", **choices: Any
) -> list[float]:
    """Cost of a month from Home (at A) to the place at the stop Z within each cutoff, leaving from 08:00 until 08:10."""
    feed = drawn_feed(*lines, **choices.pop("feed", {}))
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, {})), slack_s=0)
    access, egress = (links_of(walks_to_stops(feed, [{stop: 0}])) for stop in ("A", "Z"))
    query = Query(window_s=(8 * HOUR, 8 * HOUR + 600), max_travel_s=3 * HOUR)
    walks = Walks(access, egress, links_of(np.array([[walk_s]])))
    found = monthly_costs(network, query, walks, prices, cutoffs_s=[c * MINUTE for c in cutoffs_min], **choices)
    return [float(value) for value in found[0, :, 0]]


QUICK_OR_CHEAP = ["1: A 08:05  M 08:15", "2: M 08:20  Z 08:30", "3: A 08:10  Z 08:50"]


def test_the_cheap_way_takes_longer() -> None:
    """Leaving at 08:05: two buses at 2.00 take 25 minutes, 21 x 2 x 4.00; leaving at 08:09 one takes 41, 21 x 2 x 2.00."""
    assert months(priced(single=2.0), [24, 25, 40, 41], *QUICK_OR_CHEAP) == [math.inf, 168.0, 168.0, 84.0]


@pytest.mark.parametrize(
    ("fares", "quick", "cheap"),
    [
        ({"return": 3.5}, 147.0, 73.5),  # 21 x 2 x 3.50; 21 x 3.50
        ({"day": 5.0}, 105.0, 84.0),  # 21 x 5.00; the two singles of the one bus cost less
        ({"week": 18.0}, 75.6, 75.6),  # 21 x 18.00 / 5
        ({"four_week": 60.0}, 63.0, 63.0),  # 21 x 60.00 / 20
        ({"cap_single": 1.5}, 126.0, 63.0),  # 21 x 4 x 1.50; 21 x 2 x 1.50
        ({"day": 3.9, "week": 20.0}, 81.9, 81.9),  # the day ticket is cheaper than a fifth of the week's 20.00
    ],
)
def test_each_ticket(fares: dict[str, float], quick: float, cheap: float) -> None:
    assert months(priced(single=2.0, **fares), [25, 41], *QUICK_OR_CHEAP) == [quick, cheap]


def test_ticket_of_one_operator_beside_singles_of_another() -> None:
    """Bus of A (week 10.00: 2.00 a day) and bus of B (1.20 a single: 2.40 a day): 21 x 4.40; all operators 24.00: 21 x 4.80."""
    lines = ["1 agency=A: A 08:05  M 08:15", "2 agency=B: M 08:20  Z 08:30"]
    one = {"agencies": {"A": {"single": 2.0, "week": 10.0}, "B": {"single": 1.2}}}
    assert months(priced(**one), [30], *lines) == [92.4]
    assert months(priced(**one, single=2.0, week=24.0), [30], *lines) == [92.4]
    assert months(priced(**one, single=2.0, week=21.0), [30], *lines) == [88.2]


def test_days_of_travel() -> None:
    """Four days a week, 17 in the month: 17 x 18.00 / 4."""
    assert months(priced(single=9.0, week=18.0), [30], *QUICK_OR_CHEAP, days=17, days_a_week=4) == [76.5]


def test_trains_stand_apart() -> None:
    """11.12 km at 0.25 are 2.78 (2.50 at least), twice a day; the bus's week ticket does not pay for it."""
    places = {"A": (0.0, 0.0), "Z": (0.1, 0.0)}
    prices = priced(single=1.0, week=5.0, modes={"rail": {"per_km": 0.25, "minimum": 2.5}})
    feed = {"places": places, "route_types": {"T": 2}}
    assert months(prices, [30], "T: A 08:05  Z 08:15", feed=feed) == [pytest.approx(21 * 2 * 2.78)]
    with_season = priced(single=1.0, modes={"rail": {"per_km": 0.25, "minimum": 2.5, "week": 20.0}})
    assert months(with_season, [30], "T: A 08:05  Z 08:15", feed=feed) == [84.0]


def test_the_concession_holds_on_the_way_back_at_least() -> None:
    """From 09:30 free: out 2.00 before it, back free. Until 10:00 only: neither. From 08:00: both free."""
    for terms, cost in (
        ({"from": "09:30"}, 42.0),
        ({"from": "09:30", "to": "10:00"}, 84.0),
        ({"from": "08:00"}, 0.0),
    ):
        fares = Fares.model_validate({"single": 2.0, "concession": {"share": 0.2, **terms}})
        assert months(TicketFares(fares, concession=True), [60], "3: A 08:10  Z 08:50") == [cost]
        assert months(TicketFares(fares), [60], "3: A 08:10  Z 08:50") == [84.0]


def test_walking_is_free_and_an_unknown_fare_is_no_way() -> None:
    assert months(priced(single=2.0), [30, 40], *QUICK_OR_CHEAP, walk_s=40 * MINUTE) == [168.0, 0.0]
    assert months(priced(routes={"3": {"single": 2.0}}), [30, 60], *QUICK_OR_CHEAP) == [math.inf, 84.0]
    assert months(priced(routes={"1": {"single": 2.0}}), [60], *QUICK_OR_CHEAP) == [math.inf]


def test_a_vehicle_that_goes_on_is_one_ride_of_the_route_boarded() -> None:
    lines = ["1 block=b: A 08:05  M 08:15", "2 block=b: M 08:16  Z 08:30"]
    prices = priced(routes={"1": {"single": 1.0}, "2": {"single": 5.0}})
    assert months(prices, [30], *lines) == [42.0]


def test_boarding_a_train_later_may_be_cheaper() -> None:
    """Bus 1.00 beside the train to M, then that train from M (2.22): 6.44 a day; by train alone 2 x 3.33 in two tickets."""
    lines = ["5: A 08:01  M 08:09", "T: A 08:05  M 08:10  Z 08:15"]
    places = {"A": (0.0, 0.0), "M": (0.1, 0.0), "Z": (0.3, 0.0)}
    prices = priced(single=1.0, modes={"rail": {"per_km": 0.1}})
    feed = {"places": places, "route_types": {"T": 2}}
    assert months(prices, [11, 15], *lines, feed=feed) == [pytest.approx(21 * 6.66), pytest.approx(21 * 6.44)]


PRICE_LISTS: list[dict[str, object]] = [
    {"single": 2.0},
    {"single": 2.0, "return": 3.0, "day": 5.0},
    {
        "single": 2.0,
        "routes": {"r0": {"single": 1.0}, "r1": {"single": 3.0, "day": 4.0}},
        "agencies": {"B": {"week": 15}},
    },
    {"routes": {"r0": {"single": 1.5, "return": 2.0}}, "agencies": {"A": {"day": 3.0, "four_week": 40}}},
    {"single": 1.0, "week": 9.0, "modes": {"rail": {"per_km": 0.4, "minimum": 0.8, "week": 30}}},
    {"single": 1.0, "agencies": {"B": {"per_km": 0.3, "return": 2.5}}, "concession": {"share": 0.1, "from": "08:10"}},
]


def compare(seed: int, terms: dict[str, object] | None = None) -> tuple[int, int]:
    """Cells compared, and cells in which a journey must be paid for."""
    case = small_case(seed)
    fares = Fares.model_validate(PRICE_LISTS[seed % len(PRICE_LISTS)] if terms is None else terms)
    prices, listed = TicketFares(fares), Journeys(case)
    cutoffs = [case.max_travel_s // 3, case.max_travel_s // 2, case.max_travel_s]
    found = monthly_costs(network_of(case), query_of(case), walks_of(case), prices, cutoffs_s=cutoffs)

    @cache
    def month(rides: tuple[FareRide, ...]) -> float:
        payment = cheapest_month(prices, rides, rides[::-1])
        return math.inf if payment is None else payment.cents / 100

    expected = np.full(found.shape, math.inf)
    for origin, _, place in np.ndindex(found.shape):
        for departure, depart_s in enumerate(case.times_s.tolist()):
            for taken in listed.to(origin, departure, place):
                cost = month(tuple(listed.rides(taken)))
                for k, cutoff in enumerate(cutoffs):
                    if taken.arrive_s - depart_s <= cutoff:
                        expected[origin, k, place] = min(expected[origin, k, place], cost)
    assert np.array_equal(found, expected), f"seed {seed}"
    return found.size, int((np.isfinite(found) & (found > 0)).sum())


def test_equals_pricing_every_journey() -> None:
    """Every cell of 24 small networks, six price lists; in a tenth of the cells at least something must be paid."""
    counts = np.array([compare(seed) for seed in range(24)]).sum(axis=0)
    assert counts[1] / counts[0] > 0.1


@pytest.mark.slow
def test_equals_pricing_every_journey_on_many() -> None:
    for seed in range(24, 200):
        compare(seed)


def test_levels_find_what_every_journey_costs() -> None:
    """Random tables of fares against pricing each journey of 24 small networks."""
    for seed in range(24):
        compare(seed, random_terms(random.Random(seed), small_case(seed)))


@pytest.mark.slow
def test_levels_find_what_every_journey_costs_on_many() -> None:
    for seed in range(24, 300):
        compare(seed, random_terms(random.Random(seed), small_case(seed)))


@pytest.mark.parametrize("seed", range(12))
def test_laws(seed: int) -> None:
    """Later or with a further ticket never dearer; prices twice as high cost twice as much; threads decide nothing."""
    case = random_case(seed)
    arguments = network_of(case), query_of(case), walks_of(case)
    cutoffs = [case.max_travel_s // 2, case.max_travel_s]
    plain = monthly_costs(*arguments, priced(single=2.0), cutoffs_s=cutoffs)
    assert (plain[:, 1] <= plain[:, 0]).all()
    assert (monthly_costs(*arguments, priced(single=2.0, day=3.0), cutoffs_s=cutoffs) <= plain).all()
    assert np.array_equal(monthly_costs(*arguments, priced(single=4.0), cutoffs_s=cutoffs, threads=2), 2 * plain)
    fewer = replace(query_of(case), max_rides=max(case.max_rides - 1, 0))
    assert (monthly_costs(arguments[0], fewer, arguments[2], priced(single=2.0), cutoffs_s=cutoffs) >= plain).all()
    # where every ride has a price, money reaches what time reaches: at some departure within the cutoff
    soonest = times_of(case).min(axis=1)
    for k, cutoff in enumerate(cutoffs):
        assert np.array_equal(np.isfinite(plain[:, k]), soonest <= cutoff)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_from_each_origin_finds_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by each total that a journey can cost, also with fares by distance and tickets of operators."""
    case = small_case(seed, n_departures=5)
    prices = TicketFares(Fares.model_validate(PRICE_LISTS[seed]))
    arguments = network_of(case), query_of(case), walks_of(case), prices
    cutoffs = [case.max_travel_s // 2, case.max_travel_s]
    monkeypatch.setattr(levels, "_MOST_TOTALS", 10_000)
    by_totals = monthly_costs(*arguments, cutoffs_s=cutoffs)
    monkeypatch.setattr(levels, "_MOST_TOTALS", -1)
    assert np.array_equal(monthly_costs(*arguments, cutoffs_s=cutoffs), by_totals)


def test_the_least_cost_of_a_share() -> None:
    """Of 10 jobs 2 are free, 3 more cost 40, 5 more 70: a fifth costs 0, more than it 40, more than half 70."""
    cost, jobs = [[40.0, 0.0, 70.0]], [3, 2, 5]
    shares = {0.2: 0.0, 0.21: 40.0, 0.5: 40.0, 0.51: 70.0, 1.0: 70.0}
    for share, expected in shares.items():
        assert cost_of_share(cost, jobs, share=share).tolist() == [expected]
    assert cost_of_share([[math.inf, 0.0, 70.0]], jobs, share=0.8).tolist() == [math.inf]
    assert cost_of_share(cost, [0, 0, 0], share=0.5).tolist() == [math.inf]
    for wrong in (0.0, 1.1, math.nan):
        with pytest.raises(ValueError, match="share"):
            cost_of_share(cost, jobs, share=wrong)


def test_the_least_cost_of_a_share_against_its_definition() -> None:
    """Against trying every cost that occurs; a place split in two changes nothing; twice the cost is twice the answer."""
    draw = np.random.default_rng(5)
    for _ in range(200):
        cost = draw.choice([0.0, 20.0, 40.0, 63.0, math.inf], size=7)
        jobs, share = draw.integers(0, 9, size=7) + (np.arange(7) == 0), float(draw.uniform(0.05, 1))
        tried = [m for m in sorted(set(cost[np.isfinite(cost)])) if jobs[cost <= m].sum() >= share * jobs.sum()]
        found = cost_of_share(cost, jobs, share=share)
        assert float(found) == (tried[0] if tried else math.inf)
        assert float(cost_of_share(2 * cost, jobs, share=share)) == 2 * float(found)
        split = np.append(jobs[:-1], [jobs[-1] / 2, jobs[-1] / 2])
        assert float(cost_of_share(np.append(cost, cost[-1]), split, share=share)) == float(found)


def test_a_month_and_a_week_need_days() -> None:
    case = random_case(1)
    arguments = network_of(case), query_of(case), walks_of(case), priced(single=1.0)
    with pytest.raises(ValueError, match="no commuting"):
        monthly_costs(*arguments, cutoffs_s=[60], days=0)
    with pytest.raises(ValueError, match="no commuting"):
        CommuteFares(priced(single=1.0), arguments[0], days_a_week=8)
