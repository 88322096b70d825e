"""The search within a budget: drawn timetables by hand, a slow twin that pays ride by ride, and laws."""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.base.times import HOUR, MINUTE, UNREACHED
from community_routes.fares import search
from community_routes.fares.machine import Way, build_allowances, build_ways, totals
from community_routes.fares.tickets import FareRide, TicketFares, cheapest_journey
from community_routes.network.network import assemble_network
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.sources.study.fares import Fares
from drawn import DATE, drawn_feed, footpath_matrix, links_of, walks_to_stops
from random_networks import Case, random_case
from searching import network_of, query_of, times_of, times_within_budgets, walks_of
from slow import NEVER, SlowSearch


def priced(**fares: object) -> TicketFares:
    return TicketFares(Fares.model_validate(fares))


def minutes(prices: TicketFares, budgets: list[float], *lines: str, **feed: object) -> list[int | None]:
    """Minutes from Home (at A) at 08:00 to the place at the stop Z, for each budget; walks of 0 s, no slack."""
    timetable = drawn_feed(*lines, **feed)  # type: ignore[arg-type]
    network = assemble_network(timetable, DATE, links_of(footpath_matrix(timetable, {})), slack_s=0)
    access, egress = (links_of(walks_to_stops(timetable, [{stop: 0}])) for stop in ("A", "Z"))
    query = Query(window_s=(8 * HOUR, 8 * HOUR + 60), max_travel_s=3 * HOUR)
    times = times_within_budgets(network, query, Walks(access, egress, links_of(np.array([[-1]]))), prices, budgets)
    return [None if t == UNREACHED else int(t) // MINUTE for t in times[:, 0, 0, 0]]


QUICK_OR_CHEAP = ["1: A 08:05  M 08:15", "2: M 08:20  Z 08:30", "3: A 08:10  Z 08:50"]


def test_the_cheap_way_is_slower() -> None:
    """Two buses at 2.00 each in 30 minutes, one in 50; with 1.99 none."""
    assert minutes(priced(single=2.0), [1.99, 2, 3.99, 4, math.inf], *QUICK_OR_CHEAP) == [None, 50, 50, 30, 30]


def test_a_day_ticket_within_the_budget() -> None:
    """At 3.00 for the day three buses (25 minutes) are cheaper than two singles."""
    three = ["1: A 08:05  M 08:10", "2: M 08:11  N 08:15", "4: N 08:16  Z 08:25", *QUICK_OR_CHEAP]
    assert minutes(priced(single=2.0), [4, 6], *three) == [30, 25]
    assert minutes(priced(single=2.0, day=3.0), [2, 3], *three) == [50, 25]


def test_a_ticket_of_one_operator_and_a_single_of_another() -> None:
    """Routes 1 and 2 of A (day 3.00), route 4 of B (2.00): all three for 5.00, not for 4.99."""
    lines = ["1 agency=A: A 08:05  M 08:10", "2 agency=A: M 08:11  N 08:15", "4 agency=B: N 08:16  Z 08:25"]
    prices = priced(single=2.0, agencies={"A": {"day": 3.0}})
    assert minutes(prices, [4.99, 5, 6], *lines) == [None, 25, 25]


def test_staying_on_board_is_one_ride() -> None:
    """The vehicle of route 1 goes on as route 2: one single; and the price is that of the trip that is boarded."""
    lines = ["1 block=b: A 08:05  M 08:15", "2 block=b: M 08:16  Z 08:30"]
    assert minutes(priced(single=2.0), [2], *lines) == [30]
    other = priced(routes={"1": {"single": 1.0}, "2": {"single": 5.0}})
    assert minutes(other, [0.99, 1], *lines) == [None, 30]


def test_fares_by_distance_may_make_it_worth_to_change() -> None:
    """By train 11.12 km to M (1.11) and on by bus (1.00), or 33.36 km all the way (3.34; 3.33 in two tickets)."""
    lines = ["T: A 08:05  M 08:10  Z 08:15", "5: M 08:20  Z 08:30"]
    places = {"A": (0.0, 0.0), "M": (0.1, 0.0), "Z": (0.3, 0.0)}
    prices = priced(single=1.0, modes={"rail": {"per_km": 0.1, "minimum": 0.5}})
    options = {"places": places, "route_types": {"T": 2}}
    assert minutes(prices, [2.1, 2.11, 3.32, 3.33], *lines, **options) == [None, 30, 30, 15]


def test_boarding_a_train_later_may_be_cheaper_than_staying_in_reach() -> None:
    """Bus 1.00 beside the train to M, then the same train from M: 1.00 + 2.22 is less than 3.33 from A."""
    lines = ["5: A 08:01  M 08:09", "T: A 08:05  M 08:10  Z 08:15"]
    places = {"A": (0.0, 0.0), "M": (0.1, 0.0), "Z": (0.3, 0.0)}
    prices = priced(single=1.0, modes={"rail": {"per_km": 0.1}})
    options = {"places": places, "route_types": {"T": 2}}
    assert minutes(prices, [3.21, 3.3], *lines, **options) == [None, 15]


def test_an_unknown_fare_is_beyond_every_finite_budget() -> None:
    prices = priced(routes={"3": {"single": 2.0}})
    assert minutes(prices, [100, math.inf], *QUICK_OR_CHEAP) == [50, 30]


def test_a_cap_on_singles_of_the_study_of_an_agency_and_of_a_mode() -> None:
    """3.00 a ride capped at 2.00; agency A capped at 1.50, B not at 3.00; 11.12 km by train at 1.00 capped at 4.00."""
    assert minutes(priced(single=3.0, cap_single=2.0), [1.99, 2, 4], *QUICK_OR_CHEAP) == [None, 50, 30]
    lines = ["1 agency=A: A 08:05  M 08:15", "2 agency=B: M 08:20  Z 08:30"]
    by_agency = priced(single=3.0, agencies={"A": {"cap_single": 1.5}})
    assert minutes(by_agency, [4.49, 4.5], *lines) == [None, 30]
    train = {"places": {"A": (0.0, 0.0), "Z": (0.1, 0.0)}, "route_types": {"T": 2}}
    by_mode = priced(modes={"rail": {"per_km": 1.0, "cap_single": 4.0}})
    assert minutes(by_mode, [3.99, 4], "T: A 08:05  Z 08:15", **train) == [None, 15]


def test_a_route_an_agency_a_mode_and_the_study_in_this_order() -> None:
    """Route 1 at 1.00 though its agency asks 2.00, buses 3.00 and the study 9.00; route 2 of that agency at 2.00; 3 at 3.00."""
    prices = priced(
        single=9.0, routes={"1": {"single": 1.0}}, agencies={"A": {"single": 2.0}}, modes={"bus": {"single": 3.0}}
    )
    lines = ["1 agency=A: A 08:05  M 08:15", "2 agency=A: M 08:20  Z 08:30", "3 agency=B: A 08:10  Z 08:50"]
    assert minutes(prices, [2.99, 3], *lines) == [None, 30]
    assert minutes(prices, [2.99, 3], lines[2]) == [None, 50]


def test_concession_from_half_past_eight() -> None:
    """Free from 08:08: the 08:10 of route 3 costs nothing, the 08:05 of route 1 its single."""
    fares = Fares.model_validate({"single": 2.0, "concession": {"share": 1, "from": "08:08"}})
    assert minutes(TicketFares(fares, concession=True), [0, 2], *QUICK_OR_CHEAP) == [50, 30]
    assert minutes(TicketFares(fares), [0, 2], *QUICK_OR_CHEAP) == [None, 50]


def test_walking_is_free() -> None:
    feed = drawn_feed(*QUICK_OR_CHEAP)
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, {})), slack_s=0)
    walks = Walks(
        links_of(walks_to_stops(feed, [{"A": 0}])),
        links_of(walks_to_stops(feed, [{"Z": 0}])),
        links_of(np.array([[40 * 60]])),
    )
    query = Query(window_s=(8 * HOUR, 8 * HOUR + 60))
    times = times_within_budgets(network, query, walks, priced(single=2.0), [0, 2, 4])
    assert times[:, 0, 0, 0].tolist() == [2400, 2400, 1800]


PRICE_LISTS: list[dict[str, object]] = [
    {"single": 2.0},
    {"single": 2.0, "day": 3.5},
    {
        "single": 2.0,
        "routes": {"r0": {"single": 1.0}, "r1": {"single": 3.0, "day": 4.0}},
        "agencies": {"B": {"day": 3.0}},
    },
    {"routes": {"r0": {"single": 1.5}}, "agencies": {"A": {"day": 3.0}}},
    {"single": 1.0, "modes": {"rail": {"per_km": 0.4, "minimum": 0.8}}},
    {"single": 1.0, "agencies": {"B": {"per_km": 0.3}}},
]


def pays(case: Case, prices: TicketFares, budget: float) -> NDArray[np.int32]:
    """The slow twin with money: every boarding, every alighting of its ride, every change, and what is left to spend."""
    search: SlowSearch = case.search()
    feed = case.feed
    route = feed.trips["route"].to_numpy()
    lon, lat = np.radians(feed.stops["lon"].to_numpy()), np.radians(feed.stops["lat"].to_numpy())
    n_destinations = case.direct_s.shape[1]

    def km(a: int, b: int) -> float:
        half = math.sin((lat[b] - lat[a]) / 2) ** 2
        half += math.cos(lat[a]) * math.cos(lat[b]) * math.sin((lon[b] - lon[a]) / 2) ** 2
        return 2 * 6371.0088 * math.asin(math.sqrt(half))

    @cache
    def ride(boarding: int, alighting: int) -> FareRide:
        row = feed.routes.iloc[int(route[search.runs[int(search.board_run[boarding])].trip])]
        agency = feed.agencies.iloc[int(row["agency"])]
        return FareRide(
            row["route_id"],
            row["route_short_name"],
            agency["agency_id"],
            agency["agency_name"],
            "rail" if row["route_type"] == 2 else "bus",
            km(int(search.board_stop[boarding]), int(search.alight_stop[alighting])),
        )

    @cache
    def arrival(boarding: int, rides: tuple[FareRide, ...]) -> tuple[int, ...]:
        """Earliest arrivals of who boards here after these rides, with money for all."""
        best = [NEVER] * n_destinations
        for alighting in search.ride_to[search.ride_first[boarding] : search.ride_first[boarding + 1]].tolist():
            taken = (*rides, ride(boarding, alighting))
            if budget != math.inf:
                payment = cheapest_journey(prices, taken)
                if payment is None or payment.cents > round(budget * 100):
                    continue
            stop, here_s = int(search.alight_stop[alighting]), int(search.alight_s[alighting])
            found = [here_s + int(w) if w >= 0 else NEVER for w in case.egress_s[:, stop]]
            if len(taken) < case.max_rides:
                for change in search.change_to[
                    search.change_first[alighting] : search.change_first[alighting + 1]
                ].tolist():
                    found = [min(a, b) for a, b in zip(found, arrival(change, taken), strict=True)]
            best = [min(a, b) for a, b in zip(best, found, strict=True)]
        return tuple(best)

    answer = np.full((case.direct_s.shape[0], len(case.times_s), n_destinations), UNREACHED, np.int64)
    for (o, d, j), _ in np.ndenumerate(answer):
        depart_s = int(case.times_s[d])
        reached = [int(arrival(b, ())[j]) for b in np.flatnonzero(search.leave_by[o] >= depart_s).tolist()]
        if case.direct_s[o, j] >= 0:
            reached.append(depart_s + int(case.direct_s[o, j]))
        taken = min(reached, default=NEVER) - depart_s
        answer[o, d, j] = taken if taken <= case.max_travel_s else UNREACHED
    return answer.astype(np.int32)


def small_case(seed: int) -> Case:
    """A random network with at most two rides and three departures, so that every journey can be listed; some trains."""
    from dataclasses import replace

    case = random_case(seed)
    feed = case.feed
    routes = feed.routes.assign(route_type=[2 if n % 3 == 1 else 3 for n in range(len(feed.routes))])
    start, step = case.window_s[0], case.step_s
    return replace(
        case, feed=replace(feed, routes=routes), max_rides=min(case.max_rides, 2), window_s=(start, start + 3 * step)
    )


def compare(seed: int) -> tuple[int, int]:
    """Cells compared, and cells that a finite budget makes slower or loses."""
    case = small_case(seed)
    prices = TicketFares(Fares.model_validate(PRICE_LISTS[seed % len(PRICE_LISTS)]))
    budgets = [1.0, 2.0, 3.5, math.inf]
    found = times_within_budgets(network_of(case), query_of(case), walks_of(case), prices, budgets)
    for k, budget in enumerate(budgets):
        assert np.array_equal(found[k], pays(case, prices, budget)), f"seed {seed}, budget {budget}"
    return found[0].size, int((found[1] != found[3]).sum())


def test_equals_paying_ride_by_ride() -> None:
    """Every cell of 36 small networks, six price lists; at least a twentieth of the cells feel a budget of 2.00."""
    counts = np.array([compare(seed) for seed in range(36)]).sum(axis=0)
    assert counts[1] / counts[0] > 0.05


@pytest.mark.slow
def test_equals_paying_ride_by_ride_on_many() -> None:
    for seed in range(36, 400):
        compare(seed)


@pytest.mark.parametrize("seed", range(30))
def test_all_the_money_in_the_world_is_the_search_without_fares(seed: int) -> None:
    """To the second, with transfers, blocks, frequencies, up to four rides; and more money is never slower."""
    case = random_case(seed)
    prices = TicketFares(Fares.model_validate(PRICE_LISTS[seed % len(PRICE_LISTS)]))
    found = times_within_budgets(network_of(case), query_of(case), walks_of(case), prices, [0, 1, 2, 4, 8, math.inf])
    assert np.array_equal(found[-1], times_of(case))
    assert (np.diff(found.astype(np.int64), axis=0) <= 0).all()
    on_foot = np.where((case.direct_s >= 0) & (case.direct_s <= case.max_travel_s), case.direct_s, UNREACHED)
    if seed % len(PRICE_LISTS) != 5:  # there a ride of a few metres rounds to nothing
        assert np.array_equal(found[0], np.broadcast_to(on_foot[:, None, :], found[0].shape))


class Flat:
    """Every ride at 2.00, and nothing to hold."""

    start = ()

    def ways(self, held: Hashable, kind: Hashable) -> list[Way]:
        return [Way((), 200)]

    def may_end(self, held: Hashable) -> bool:
        return True


def test_allowances_that_permit_the_same_rides_are_one() -> None:
    """Three rides at 2.00: 6.00 and 100.00 allow the same; 4.00 two; 5.00 as 4.00. In all 3, 2, 1 and 0 rides."""
    ways = build_ways(Flat(), ["bus"], max_rides=3)
    found, starts = build_allowances(ways, [600, 10_000, 400, 500, 0], max_rides=3)
    assert starts == [3, 3, 2, 2, 0]
    assert found.n_allowances == 4
    assert found.first.tolist() == [0, 0, 1, 2, 3]
    assert found.left.tolist() == [0, 1, 2]


def test_what_journeys_can_cost_in_all() -> None:
    """None, one, two or three rides at 2.00; four sums are more than three."""
    ways = build_ways(Flat(), ["bus"], max_rides=3)
    found = totals(ways, max_rides=3, most=4)
    assert found is not None and found.tolist() == [0, 200, 400, 600]
    assert totals(ways, max_rides=3, most=3) is None


def test_a_price_beyond_every_budget_is_no_way() -> None:
    assert len(build_ways(Flat(), ["bus"], max_rides=3, most_cents=199).cents) == 0


@pytest.mark.parametrize("seed", range(6))
def test_labels_followed_from_each_origin_find_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six price lists, by distance and with tickets too, in several threads."""
    case = small_case(seed)
    arguments = network_of(case), query_of(case), walks_of(case), priced(**PRICE_LISTS[seed]), [0, 1, 2, 3.5, 9]
    backwards = times_within_budgets(*arguments, threads=2)
    monkeypatch.setattr(search, "_MOST_ALLOWANCES", -1)
    assert np.array_equal(times_within_budgets(*arguments, threads=2), backwards)


def test_only_departures_can_be_limited() -> None:
    case = random_case(0)
    with pytest.raises(ValueError, match="by departure"):
        times_within_budgets(network_of(case), query_of(case, arrive_by=True), walks_of(case), priced(single=1.0), [1])


def test_times_do_not_depend_on_other_budgets() -> None:
    case = random_case(5)
    arguments = network_of(case), query_of(case), walks_of(case), priced(single=2.0, day=3.0)
    alone = times_within_budgets(*arguments, [2.0])
    assert np.array_equal(alone[0], times_within_budgets(*arguments, [math.inf, 2.0, 5.0])[1])
    assert np.array_equal(travel_times_by_departure(*arguments[:3]), times_within_budgets(*arguments, [math.inf])[0])
