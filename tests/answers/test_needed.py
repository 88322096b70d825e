"""Vehicles that nobody needs: all travel times stay as they are without any of them."""

from __future__ import annotations

import numpy as np
import pytest

from community_routes.answers.needed import needed_runs
from community_routes.answers.rows import Scanned
from community_routes.routing.search import Search
from random_networks import random_case
from searching import network_of, query_of, walks_of


def without(search: Search, gone: np.ndarray) -> Search:
    """The same search where nobody alights from some vehicles."""
    arrays = search.connections.arrays
    alight_stop = np.where(gone[arrays.run], np.int32(-1), arrays.alight_stop)
    alight_stop.flags.writeable = False
    return search.on(
        Scanned(arrays._replace(alight_stop=alight_stop), search.connections.n_runs), search.walks, search.spans
    )


def searched(seed: int) -> Search:
    case = random_case(seed)
    network = network_of(case)
    return Search(network.connections, network, query_of(case), walks_of(case))


def check(seeds: range) -> tuple[int, int]:
    """Without all that nobody needs, and without any one vehicle: how many are needed, and how many anybody misses by itself."""
    n_needed = n_missed = 0
    for seed in seeds:
        search = searched(seed)
        needed, today = needed_runs(search), search.cube(1)
        assert np.array_equal(without(search, ~needed).cube(1), today), f"seed {seed}"
        for run in range(len(needed)):
            missed = not np.array_equal(without(search, np.arange(len(needed)) == run).cube(1), today)
            assert needed[run] or not missed, f"seed {seed}, run {run}"
            n_missed += missed
        n_needed += int(needed.sum())
    return n_needed, n_missed


def test_no_time_changes_without_those_that_nobody_needs() -> None:
    """Those that are needed and not missed by themselves are of use where another is gone as well, or between departures."""
    needed, missed = check(range(60))
    assert missed > 100 and missed > 0.4 * needed


@pytest.mark.slow
@pytest.mark.parametrize("block", range(60, 2000, 194))
def test_no_time_of_many_changes_without_those_that_nobody_needs(block: int) -> None:
    check(range(block, block + 194))
