"""The search equals the slow twin, to the second, on random small networks; and these networks exercise every rule."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED
from random_networks import RULES, Case, random_case, without
from searching import times_of

N_DEFAULT, N_SLOW = 1_000, 10_000


def differences(seeds: range, *, arrive_by: bool = False) -> list[int]:
    """The seeds whose networks the search and the slow twin answer differently anywhere."""
    return [seed for seed in seeds if differs(random_case(seed), arrive_by=arrive_by)]


def differs(case: Case, *, arrive_by: bool = False) -> bool:
    """Whether any cell of any departure differs."""
    return not np.array_equal(times_of(case, arrive_by=arrive_by), case.slow_times(arrive_by=arrive_by))


def test_leaving_equals_the_slow_twin() -> None:
    """All departures of 1,000 networks."""
    assert differences(range(N_DEFAULT)) == []


def test_arriving_equals_the_slow_twin() -> None:
    """All deadlines of 300 networks."""
    assert differences(range(N_DEFAULT, N_DEFAULT + 300), arrive_by=True) == []


@pytest.mark.slow
def test_leaving_equals_the_slow_twin_on_many() -> None:
    """All departures of 10,000 other networks."""
    assert differences(range(100_000, 100_000 + N_SLOW)) == []


@pytest.mark.slow
def test_arriving_equals_the_slow_twin_on_many() -> None:
    """All deadlines of 10,000 other networks."""
    assert differences(range(200_000, 200_000 + N_SLOW), arrive_by=True) == []


def test_the_networks_need_vehicles_and_changes() -> None:
    """Of the cells of 300 networks at least 40 % are reached by transit, and 15 % best by two rides or more."""
    cells = transit = two_rides = 0
    for seed in range(300):
        case = random_case(seed)
        search = case.search()
        none, one, all_ = (
            search.travel_times(case.times_s, rides=rides, max_travel_s=case.max_travel_s)
            for rides in (0, 1, case.max_rides)
        )
        cells += all_.size
        transit += np.count_nonzero(all_ < none)
        two_rides += np.count_nonzero(all_ < one)
        assert all_.max() <= case.max_travel_s or all_.max() == UNREACHED
    assert transit >= 0.40 * cells
    assert two_rides >= 0.15 * cells


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_matters(rule: str) -> None:
    """Switched off in a copy of the input, a rule changes answers of the slow twin in 5 % of the networks, a rare one in 1 %."""
    seeds = range(200 if rule in RARE else 100)
    changed = sum(not np.array_equal(answers(seed), without(network(seed), rule).slow_times()) for seed in seeds)
    assert changed >= (0.01 if rule in RARE else 0.05) * len(seeds)


network = functools.cache(random_case)


@functools.cache
def answers(seed: int) -> NDArray[np.int32]:
    """What the slow twin says of a network as it is."""
    return network(seed).slow_times()


RARE = (
    "blocks",
    "block_owners",
    "siblings",
    "in_seat",
    "not_in_seat",
    "timed",
    "minimum_times",
    "rules_of_stations",
    "type_0",
)
