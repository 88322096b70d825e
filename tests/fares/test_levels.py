"""Levels of cost, and what a search leaves out because it is of no use or no cheaper: laws on random tables of fares."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.base.times import HOUR, UNREACHED
from community_routes.fares import levels
from community_routes.fares.by_ticket import TicketsHeld
from community_routes.fares.machine import Way, build_ways
from community_routes.fares.month import monthly_costs
from community_routes.fares.tickets import TicketFares
from community_routes.network.network import assemble_network
from community_routes.routing.query import Query, Walks
from community_routes.sources.study.fares import Fares
from drawn import DATE, drawn_feed, footpath_matrix, links_of, walks_to_stops
from paying import random_terms
from random_networks import Case, random_case
from searching import network_of, query_of, times_within_budgets, walks_of


def months(case: Case, terms: dict[str, Any], *, concession: bool = False) -> NDArray[np.float64]:
    prices = TicketFares(Fares.model_validate(terms), concession=concession)
    cutoffs = [case.max_travel_s // 3, case.max_travel_s // 2, case.max_travel_s]
    return monthly_costs(network_of(case), query_of(case), walks_of(case), prices, cutoffs_s=cutoffs)


@pytest.mark.parametrize("seed", range(24))
def test_levels_find_what_labels_find(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to four rides and every kind of ticket; few levels at once, or too many totals to list, give the same."""
    draw, case = random.Random(seed), random_case(seed)
    terms = random_terms(draw, case)
    concession = "concession" in terms
    found = months(case, terms, concession=concession)
    for name, value in (("_MOST_LEVELS", 2), ("_MOST_TOTALS", 12), ("_MOST_ALLOWANCES", 5), ("_MOST_TOTALS", -1)):
        with monkeypatch.context() as patch:
            patch.setattr(levels, name, value)
            assert np.array_equal(months(case, terms, concession=concession), found), f"{name} {value}: {terms}"


@pytest.mark.parametrize("seed", range(24))
def test_changes_that_are_left_out_are_of_no_use(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every change the search finds the same."""
    case = random_case(seed)
    prices = TicketFares(Fares.model_validate(random_terms(random.Random(seed + 100), case)))
    arguments = network_of(case), query_of(case), walks_of(case), prices, [0, 1.3, 2, 3.5, 9]
    found = times_within_budgets(*arguments)
    monkeypatch.setattr(TicketsHeld, "by_clock", True)
    assert np.array_equal(times_within_budgets(*arguments), found)


def test_a_train_is_caught_farther_on_where_that_is_cheaper() -> None:
    """Bus 1.00 to B at 08:05; the train leaves B at 08:20 and C, a walk of 300 s on, at 08:25 for Z at 08:30.

    For time it is as well to board at B; from there 22.24 km cost 2.22, from C 11.12 km 1.11. With 2.11 only C will do.
    """
    places = {"A": (0.1, 0.1), "B": (0.0, 0.0), "C": (0.1, 0.0), "Z": (0.2, 0.0)}
    feed = drawn_feed("5: A 08:00  B 08:05", "T: B 08:20  C 08:25  Z 08:30", places=places, route_types={"T": 2})
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, {("B", "C"): 300})), slack_s=0)
    access, egress = (links_of(walks_to_stops(feed, [{stop: 0}])) for stop in ("A", "Z"))
    walks = Walks(access, egress, links_of(np.array([[-1]])))
    query = Query(window_s=(8 * HOUR, 8 * HOUR + 60), max_travel_s=HOUR)
    prices = TicketFares(Fares.model_validate({"single": 1.0, "modes": {"rail": {"per_km": 0.1}}}))
    found = times_within_budgets(network, query, walks, prices, [2.1, 2.11, 3.22])
    assert found[:, 0, 0, 0].tolist() == [UNREACHED, 30 * 60, 30 * 60]
    month = monthly_costs(network, query, walks, prices, cutoffs_s=[30 * 60])
    assert month.tolist() == [[[pytest.approx(21 * 2 * 2.11)]]]


class Counter:
    """A single 2.00, a day ticket 1.80 for everything, one at 2.50 for the bus alone, and trains at 3.00 that none covers."""

    start: Hashable = ""

    def ways(self, held: Hashable, kind: Hashable) -> list[Way]:
        if kind == "train":
            return [Way(held, 300)]
        if held:
            return [Way(held, 0)]
        return [Way("", 200), Way("all", 180), Way("bus", 250)]

    def may_end(self, held: Hashable) -> bool:
        return True


def test_a_dearer_way_to_no_more_is_none() -> None:
    """Of three ways to board a bus with nothing held the ticket at 1.80 remains, which pays for all that the others pay for."""
    ways = build_ways(Counter(), ["bus", "train"], max_rides=2)
    from_nothing = {
        kind: ways.cents[ways.first[kind] : ways.first[kind + 1]].tolist() for kind in range(ways.n_classes)
    }
    assert from_nothing == {0: [180], 1: [300]}
