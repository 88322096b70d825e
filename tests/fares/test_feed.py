"""The timetable's own fares in the search: by hand, against every journey priced one by one, and in a study."""

from __future__ import annotations

import math
import random
import zipfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice
from community_routes.base.times import UNREACHED
from community_routes.evaluation.case import open_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.fares import levels, search
from community_routes.fares.feed import (
    FeedPrices,
    feed_prices,
    has_feed_fares,
    monthly_feed_costs,
)
from community_routes.fares.products import build_gtfs_fares
from community_routes.fares.tickets import FareRide
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.rows import join_feeds
from community_routes.sources.study.fares import Fares
from drawn import drawn_feed
from paying import Journeys, by_cutting, small_case
from priced import QUICK_OR_CHEAP, attributes, minutes, table, with_fares
from random_networks import Case
from searching import network_of, query_of, times_within_feed_budgets, walks_of
from slow import joined_runs
from small_town import STUDY, town_study

NO = UNREACHED


def test_a_fare_for_each_ride() -> None:
    flat = {"fare_attributes": attributes("f,2.00,GBP,0,0,,")}
    assert minutes(flat, [1.99, 2, 3.99, 4], *QUICK_OR_CHEAP) == [None, 50, 50, 30]


def test_changes_within_their_time() -> None:
    """3.00 with a change within 15 minutes of boarding at 08:05: boarding at 08:20 is just in time, with 14 it is not."""
    for seconds, quick in ((900, [None, 30]), (899, [None, None])):
        fares = {"fare_attributes": attributes(f"f,3.00,GBP,0,1,{seconds},")}
        assert minutes(fares, [2.99, 3], *QUICK_OR_CHEAP[:2]) == quick
    assert minutes({"fare_attributes": attributes("f,3.00,GBP,0,1,899,")}, [5.99, 6], *QUICK_OR_CHEAP[:2]) == [None, 30]
    assert minutes({"fare_attributes": attributes("f,3.00,GBP,0,,,")}, [3], *QUICK_OR_CHEAP[:2]) == [30]


def test_fares_of_routes_and_agencies() -> None:
    """Route 3 alone for 1.00; agency B's rides for 1.50 each."""
    by_route = {
        "fare_attributes": attributes("f,1.00,GBP,0,0,,", "g,2.50,GBP,0,0,,"),
        "fare_rules": table("fare_id,route_id", "f,3", "g,1", "g,2"),
    }
    assert minutes(by_route, [0.99, 1, 4.99, 5], *QUICK_OR_CHEAP) == [None, 50, 50, 30]
    lines = ["1 agency=A: A 08:05  M 08:15", "2 agency=B: M 08:20  Z 08:30"]
    by_agency = {"fare_attributes": attributes("a,1.00,GBP,0,0,,A", "b,1.50,GBP,0,0,,B")}
    assert minutes(by_agency, [2.49, 2.5], *lines) == [None, 30]
    assert minutes({"fare_attributes": attributes("a,1.00,GBP,0,0,,A")}, [100], *lines) == [None]


ZONES = {"A": "1", "M": "2", "Z": "3"}


def test_fares_by_zone_need_their_last_ride() -> None:
    """1 to 3 for 3.00 with a change, 1 to 2 for 2.00: with 2.99 one gets to M and no farther; by 3 through no zone between."""
    fares = {
        "fare_attributes": attributes("near,2.00,GBP,0,0,,", "far,3.00,GBP,0,1,,"),
        "fare_rules": table("fare_id,origin_id,destination_id", "near,1,2", "far,1,3"),
    }
    assert minutes(fares, [2, 2.99, 3], *QUICK_OR_CHEAP[:2], zones=ZONES) == [None, None, 30]
    assert minutes(fares, [2.99, 3], *QUICK_OR_CHEAP, zones=ZONES) == [None, 30]


def test_zones_passed_on_the_way_count() -> None:
    """One bus through zones 1, 2 and 3: a fare that contains 1 and 3 does not hold, one of all three does."""
    line = "1: A 08:05  M 08:15  Z 08:30"
    for zones_of_fare, found in ((("1", "3"), None), (("1", "2", "3"), 30)):
        fares = {
            "fare_attributes": attributes("f,3.00,GBP,0,0,,"),
            "fare_rules": table("fare_id,contains_id", *(f"f,{zone}" for zone in zones_of_fare)),
        }
        assert minutes(fares, [3], line, zones=ZONES) == [found]


def test_products_of_fares_v2() -> None:
    """Network n (routes 1 and 2) 2.50 a ride, route 3 (no network) 1.00; by area A to Z 4.00 and A to M 1.00, M to Z 1.20."""
    products = table("fare_product_id,amount,currency", "p,2.50,GBP", "q,1.00,GBP", "r,4.00,GBP", "s,1.20,GBP")
    flat = {
        "fare_products": products,
        "fare_leg_rules": table("network_id,from_area_id,to_area_id,fare_product_id", "n,,,p", ",,,q"),
        "route_networks": table("network_id,route_id", "n,1", "n,2"),
    }
    assert minutes(flat, [0.99, 1, 4.99, 5], *QUICK_OR_CHEAP) == [None, 50, 50, 30]
    by_area = {
        "fare_products": products,
        "fare_leg_rules": table("from_area_id,to_area_id,fare_product_id", "a,z,r", "a,m,q", "m,z,s"),
        "stop_areas": table("area_id,stop_id", "a,A", "m,M", "z,Z"),
    }
    assert minutes(by_area, [2.19, 2.2, 4], *QUICK_OR_CHEAP) == [None, 30, 30]
    assert minutes(by_area, [3.99, 4], QUICK_OR_CHEAP[2]) == [None, 50]


def test_prices_of_the_study_stand_in() -> None:
    """The feed's 2.00 a ride; route 3 at 0.50 by the study; a general single only where the feed says nothing."""
    flat = {"fare_attributes": attributes("f,2.00,GBP,0,0,,")}
    own = {"gtfs": True, "routes": {"3": {"single": 0.5}}, "single": 9.0}
    assert minutes(flat, [0.49, 0.5, 4], *QUICK_OR_CHEAP, study=own) == [None, 50, 30]
    only_one = {"fare_attributes": attributes("f,2.00,GBP,0,0,,"), "fare_rules": table("fare_id,route_id", "f,1")}
    filled = {"gtfs": True, "single": 1.5}
    assert minutes(only_one, [3.49, 3.5], *QUICK_OR_CHEAP[:2], study=filled) == [None, 30]
    assert minutes(only_one, [99], *QUICK_OR_CHEAP[:2]) == [None]
    by_distance = {"gtfs": True, "modes": {"bus": {"per_km": 1.0, "minimum": 7.0}}}
    assert minutes(flat, [6.99, 7], "3: A 08:10  Z 08:50", study=by_distance) in ([None, 50], [None, None])


# --- every journey, one by one ---------------------------------------------------------------------------------------


def random_fares(draw: random.Random, feed: Feed) -> dict[str, pd.DataFrame]:
    """Two to four fares with changes, times, agencies, and rules by route and zone."""
    rows, rules = [], []
    routes, agencies = feed.routes["route_id"].tolist(), feed.agencies["agency_id"].tolist()
    for n in range(draw.randint(2, 4)):
        price = draw.choice(["1.00", "1.50", "2.20", "3.00"])
        seconds = draw.choice(["", "", "300", "900"])
        agency = draw.choice(["", "", *agencies])
        rows.append(f"f{n},{price},GBP,0,{draw.choice(['0', '1', ''])},{seconds},{agency}")
        kind = draw.choice(["all", "all", "route", "zones", "contains"])
        if kind == "route":
            rules += [f"f{n},{route},,," for route in draw.sample(routes, min(2, len(routes)))]
        elif kind == "zones":
            rules += [f"f{n},,{draw.choice('12')},{draw.choice(['1', '2', ''])}," for _ in range(2)]
        elif kind == "contains":
            rules += [f"f{n},,,,{zone}" for zone in draw.sample("12", draw.randint(1, 2))]
    heading = "fare_id,route_id,origin_id,destination_id,contains_id"
    return {"fare_attributes": attributes(*rows), **({"fare_rules": table(heading, *rules)} if rules else {})}


class Priced(Journeys):
    """Journeys whose rides know the zones that they pass."""

    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.joined = joined_runs(case.feed, self.search.runs)
        self.zone = case.feed.stops["zone_id"].tolist()

    def stops(self, boarding: int, alighting: int) -> list[int]:
        search, calls = self.search, self.case.feed.calls
        start, end = int(search.board_run[boarding]), int(search.alight_run[alighting])
        paths, found = [[start]], [start]
        while paths:
            path = paths.pop(0)
            if path[-1] == end:
                found = path
                break
            paths += [[*path, run] for run in self.joined.get(path[-1], []) if run not in path]
        stops: list[int] = []
        for run in found:
            trip = search.runs[run].trip
            first, last = int(calls.first[trip]), int(calls.first[trip + 1])
            low = int(search.board_position[boarding]) if run == start else 0
            high = int(search.alight_position[alighting]) if run == end else last - first - 1
            stops += calls.stop[first + low : first + high + 1].tolist()
        return stops

    def _ride(self, boarding: int, alighting: int) -> FareRide:
        from dataclasses import replace

        stops = self.stops(boarding, alighting)
        zones = tuple(dict.fromkeys(self.zone[stop] for stop in stops))
        return replace(
            super()._ride(boarding, alighting),
            from_zone=self.zone[stops[0]],
            to_zone=self.zone[stops[-1]],
            zones=tuple(zone for zone in zones if zone),
        )


def priced_case(seed: int) -> tuple[Case, random.Random]:
    from dataclasses import replace

    draw, case = random.Random(seed), small_case(seed)
    feed = case.feed
    feed = replace(
        feed, stops=feed.stops.assign(zone_id=[draw.choice(["1", "2", "2", ""]) for _ in range(len(feed.stops))])
    )
    return replace(case, feed=replace(feed, fares=random_fares(draw, feed))), draw


def compare(seed: int) -> tuple[int, int]:
    """Cells compared, and cells that a budget makes slower or loses."""
    case, _ = priced_case(seed)
    listed, fares = Priced(case), build_gtfs_fares(case.feed.fares)
    budgets = [1.0, 2.5, 4.0, 50.0]
    network, query, walks = network_of(case), query_of(case), walks_of(case)
    prices = FeedPrices(case.feed)
    found = times_within_feed_budgets(network, query, walks, prices, budgets)

    @cache
    def cost(rides: tuple[FareRide, ...]) -> float:
        cents = by_cutting(fares, rides)
        return math.inf if cents is None else cents / 100

    expected = np.full(found.shape, NO, np.int64)
    cheapest = np.full((walks.n_origins, 1, walks.n_destinations), math.inf)
    for origin, departure, place in np.ndindex(found.shape[1:]):
        depart_s = int(case.times_s[departure])
        for taken in listed.to(origin, departure, place):
            price = cost(tuple(listed.rides(taken)))
            cheapest[origin, 0, place] = min(cheapest[origin, 0, place], price)
            for b, budget in enumerate(budgets):
                if price <= budget:
                    cell = origin, departure, place
                    expected[(b, *cell)] = min(expected[(b, *cell)], taken.arrive_s - depart_s)
    assert np.array_equal(found, expected), f"seed {seed}"
    months = monthly_feed_costs(network, query, walks, prices, cutoffs_s=[case.max_travel_s], days=1)
    assert np.allclose(months, 2 * cheapest), f"seed {seed}"
    return found[0].size, int((found[0] != found[3]).sum())


def test_equals_pricing_every_journey() -> None:
    """Every cell of 25 small networks with random fares; at least a twentieth of the cells feel the smallest budget.

    In network 299 a zero-minute ride leads to a vehicle that leaves in the same second.
    """
    counts = np.array([compare(seed) for seed in (*range(24), 299)]).sum(axis=0)
    assert counts[1] / counts[0] > 0.05


@pytest.mark.slow
def test_equals_pricing_every_journey_on_many() -> None:
    for seed in range(24, 400):
        compare(seed)


def test_both_searches_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing ends by the clock the scan from the destinations and the one from the origins find the same."""
    for seed in range(12):
        case, _ = priced_case(seed)
        case.feed.fares["fare_attributes"]["transfer_duration"] = ""
        arguments = network_of(case), query_of(case), walks_of(case), FeedPrices(case.feed), [1.0, 2.5, 50.0]
        backwards = times_within_feed_budgets(*arguments)
        with monkeypatch.context() as patch:
            patch.setattr(search, "_MOST_ALLOWANCES", -1)
            assert np.array_equal(backwards, times_within_feed_budgets(*arguments))
        assert np.array_equal(backwards, times_within_feed_budgets(*arguments, threads=2))


@pytest.mark.parametrize("seed", range(12))
def test_levels_of_the_timetables_fares(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes on one fare, zones and agencies: where no fare ends by the clock, levels find what labels find."""
    case, _ = priced_case(seed)
    case.feed.fares["fare_attributes"]["transfer_duration"] = ""
    cutoffs = [case.max_travel_s // 2, case.max_travel_s]
    arguments = network_of(case), query_of(case), walks_of(case), FeedPrices(case.feed)
    found = monthly_feed_costs(*arguments, cutoffs_s=cutoffs, days=1)
    monkeypatch.setattr(levels, "_MOST_TOTALS", -1)
    assert np.array_equal(monthly_feed_costs(*arguments, cutoffs_s=cutoffs, days=1), found)


def test_a_traced_journey_costs_what_its_rides_cost() -> None:
    """Against every way to cut the same rides, for every rides of two that random networks have."""
    tried = 0
    for seed in range(20):
        case, _ = priced_case(seed)
        listed, fares, prices = Priced(case), build_gtfs_fares(case.feed.fares), FeedPrices(case.feed)
        rides = [(b, int(a)) for b in range(min(12, len(listed.search.board_s))) for a in _alightings(listed, b)[:2]]
        route = case.feed.trips["route"].to_numpy()
        for pair in pairwise(rides):
            kinds = [
                (prices.kind_of(int(route[listed.search.runs[int(listed.search.board_run[b])].trip]), listed.stops(b, a)),
                 int(listed.search.board_s[b]))
                for b, a in pair
            ]  # fmt: skip
            assert prices.cheapest(kinds) == by_cutting(fares, [listed.ride(b, a) for b, a in pair])
            tried += 1
    assert tried > 200


def _alightings(listed: Priced, boarding: int) -> list[int]:
    first = listed.search.ride_first
    found: list[int] = listed.search.ride_to[first[boarding] : first[boarding + 1]].tolist()
    return found


# --- in a study ------------------------------------------------------------------------------------------------------


def test_when_the_timetables_fares_are_used() -> None:
    feed = with_fares(drawn_feed(*QUICK_OR_CHEAP), {"fare_attributes": attributes("f,2.00,GBP,0,0,,")})
    bare = drawn_feed(*QUICK_OR_CHEAP)
    assert has_feed_fares(feed)
    assert not has_feed_fares(bare)
    notices: list[Notice] = []

    def used(fares: dict[str, Any] | None, feed: Feed = feed) -> bool:
        return feed_prices(feed, None if fares is None else Fares.model_validate(fares), notices) is not None

    assert [used(None), used({"budgets": [2]}), used({"gtfs": True, "single": 3})] == [True, True, True]
    assert [used({"single": 3}), used({"gtfs": False}), used(None, bare), used({"day": 3})] == [False] * 4
    assert not notices
    assert not used({"gtfs": True}, bare)
    assert [notice.code for notice in notices] == ["fares_missing"]
    with pytest.raises(ValueError, match=r"single prices beside it, not tickets \(day, A: week, concession\)"):
        Fares.model_validate({"gtfs": True, "day": 4, "agencies": {"A": {"week": 9}}, "concession": {"share": 0.1}})


@pytest.mark.parametrize(
    ("fares", "said"),
    [
        ({"fare_attributes": attributes("f,dear,GBP,0,0,,")}, "'dear'"),
        (
            {
                "fare_products": table("fare_product_id,amount,currency", "p,2.50,GBP"),
                "fare_leg_rules": table("network_id,fare_product_id", ",p"),
                "fare_transfer_rules": table("from_leg_group_id,fare_transfer_type", "a,0"),
            },
            "fare_transfer_rules.txt",
        ),
        (
            {
                "fare_products": table("fare_product_id,amount,currency", "p,2.50,GBP"),
                "fare_leg_rules": table("network_id,from_timeframe_group_id,fare_product_id", ",peak,p"),
            },
            "by time of day",
        ),
    ],
)
def test_rules_that_cannot_be_followed_leave_fares_unknown(fares: dict[str, pd.DataFrame], said: str) -> None:
    notices: list[Notice] = []
    assert feed_prices(with_fares(drawn_feed(*QUICK_OR_CHEAP), fares), None, notices) is None
    assert [notice.code for notice in notices] == ["fares_not_searched"]
    assert said in str(notices[0])


def test_products_alone_are_priced_ride_by_ride() -> None:
    """2.50 and 1.00."""
    fares = {
        "fare_products": table("fare_product_id,amount,currency", "p,2.50,GBP", "q,1.00,GBP"),
        "fare_leg_rules": table("network_id,fare_product_id", "n,p", ",q"),
        "route_networks": table("network_id,route_id", "n,1"),
    }
    feed = with_fares(drawn_feed(*QUICK_OR_CHEAP), fares)
    prices = FeedPrices(feed)
    route = {name: row for row, name in enumerate(feed.routes["route_id"])}
    kinds = [(prices.kind_of(route[name], [0, 1]), 0) for name in ("1", "2")]
    assert prices.cheapest(kinds) == 350


TOWN = """\
measures: [affordability, {commuting_cost: {key: shared_spaces, share: 0.25}}, {commuting_cost: {key: shared_spaces}}]
fares:
"""


def test_a_study_with_the_fares_of_its_timetable(tmp_path: Path) -> None:
    """2.00 with one change within the hour. From P0 a bus leaves after 1 to 20 minutes (w): P1 after w + 10, P2 after w + 30,
    P3 after w + 50, so within the hour at half of the departures. 2.00 pay for P0 to P2, 5.00 for P3 as well: 3 and 3.5.

    A quarter of the seven places (two) within 30 minutes: 21 x 2 x 2.00; half (four) within 60: 21 x 2 x 4.00. A single of 1.00
    on L1 is paid apart from the feed's fare for L2 and L3: 3.00 to P3, 21 x 2 x 3.00.
    """
    own_price = ", gtfs: true, routes: {L1: {single: 1}}"
    for more, half, within in ((", gtfs: true", 168.0, 3.0), ("", 168.0, 3.0), (own_price, 126.0, 2.0)):
        folder = tmp_path / str(len(more))
        path = town_study(folder, STUDY + TOWN.rstrip() + f" {{budgets: [2, 5]{more}}}\n")
        with zipfile.ZipFile(folder / "bus.zip", "a") as archive:
            archive.writestr("fare_attributes.txt", attributes("f,2.00,GBP,0,1,3600,").to_csv(index=False))
        access = evaluate(open_study(path)).access.query("neighbourhood == 'P0' and reading in ('mean', 'best')")
        found = access.set_index(["measure", "cutoff_min"])["value"]
        assert found["affordable_opportunities_2", 60] == within
        assert found["affordable_opportunities_5", 60] == 3.5
        assert found["commuting_cost_25", 30] == (84.0 if within == 3 else 42.0)
        assert found["commuting_cost_50", 60] == half
    asked = town_study(tmp_path / "none", STUDY + "fares: {gtfs: true}\n")
    with pytest.raises(StudyError, match="none of them has fare_attributes"):
        open_study(asked)


def test_fares_of_one_timetable_do_not_hold_on_another() -> None:
    """Two feeds of one agency each, the first with a fare of no agency: joined, it is that agency's."""
    first = with_fares(
        drawn_feed("1 agency=A: A 08:05  M 08:15"), {"fare_attributes": table("fare_id,price", "f,2.00")}
    )
    second = drawn_feed("2 agency=B: M 08:20  Z 08:30")
    joined = join_feeds([first, second], ["one", "two"])
    assert joined.fares["fare_attributes"]["agency_id"].tolist() == [first.agencies["agency_id"].iat[0]]
    prices, route = FeedPrices(joined), {name: row for row, name in enumerate(joined.routes["route_short_name"])}
    found = [prices.cheapest([(prices.kind_of(route[name], [0, 1]), 0)]) for name in ("1", "2")]
    assert found == [200, None]
