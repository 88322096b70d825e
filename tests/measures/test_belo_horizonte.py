"""The measures on Belo Horizonte against the figures printed in the documentation of the R package ``accessibility``.

Travel times there are in minutes with one decimal or whole; they become whole seconds here, which changes none of the
printed digits. Where that package does otherwise on purpose (see docs/measures.md) the test says how much.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from community_routes.base.times import MINUTE, UNREACHED
from community_routes.measures import reach
from community_routes.measures.competition import balanced_catchment, spatial_availability, two_step_catchment
from community_routes.measures.decay import Exponential, Step
from community_routes.measures.equity import (
    concentration_index,
    erreygers_index,
    gini_index,
    palma_ratio,
    poverty_of_access,
    theil_decomposition,
    theil_index,
)
from conftest import shared_data

FIRST = [f"89a881a5{end}" for end in ("a2bffff", "a2fffff", "a67ffff", "a6bffff", "a6fffff", "b03ffff")]
OTHERS = [f"89a88c{end}" for end in ("db57bffff", "db597ffff", "db5b3ffff", "db5cfffff", "d909bffff", "d90b7ffff")]


class City:
    def __init__(self) -> None:
        folder = shared_data("belo_horizonte")
        self.land = pd.read_csv(folder / "land_use_data.csv.gz")
        pairs = pd.read_csv(folder / "travel_matrix.csv.gz")
        ids = pd.Index(self.land["id"])
        self.rows = {name: ids.get_loc(name) for name in [*FIRST, *OTHERS]}
        self.times = np.full((len(ids), len(ids)), UNREACHED, np.int32)
        seconds = np.rint(pairs["travel_time"] * MINUTE).astype(np.int32)
        self.times[ids.get_indexer(pairs["from_id"]), ids.get_indexer(pairs["to_id"])] = seconds

    def column(self, name: str) -> NDArray[np.float64]:
        return self.land[name].to_numpy(dtype=float)

    def at(self, values: NDArray[np.float64], names: list[str]) -> list[float]:
        return [float(values[self.rows[name]]) for name in names]


@pytest.fixture(scope="module")
def city() -> City:
    return City()


def test_reach(city: City) -> None:
    """Jobs in 30 min, nearest school, balancing time in whole minutes, jobs over 40 to 60 min, gravity to schools."""
    jobs, schools, people = (city.column(name) for name in ("jobs", "schools", "population"))
    within = reach.cumulative_opportunities(city.times, jobs, cutoff_s=1800)
    assert city.at(within, FIRST) == [14561, 29452, 16647, 10700, 6669, 37029]
    closest = reach.nearest(city.times, 1, schools) / 60
    assert city.at(closest, FIRST) == [29, 24, 28, 33, 32, 17]
    balance = np.ceil(reach.dual_access(city.times, jobs, people) / 60)
    assert city.at(balance, FIRST) == [15, 13, 23, 7, 10, 6]
    interval = reach.interval_opportunities(city.times, jobs, from_s=2400, to_s=3600)
    assert np.floor(city.at(interval, OTHERS)).tolist() == [311965, 249416, 302515, 373386, 308429, 344118]
    weighted = reach.gravity(city.times, schools, Exponential.from_rate(0.2))
    printed = [0.03041853, 1.15549493, 0.56519126, 0.19852152, 0.41378042, 0.95737555]
    assert city.at(weighted, OTHERS) == pytest.approx(printed, abs=5e-9)


def test_competition(city: City) -> None:
    jobs, people = city.column("jobs"), city.column("population")
    two = two_step_catchment(city.times, jobs, people, Step(3000)).access
    printed = [0.4278111, 0.3863614, 0.4501725, 0.5366707, 0.4280401, 0.5176583]
    assert city.at(two, OTHERS) == pytest.approx(printed, abs=5e-8)
    balanced = balanced_catchment(city.times, jobs, people, Exponential.from_rate(0.5)).access
    printed = [0.10280082, 0.30930287, 0.07288551, 0.09759117, 0.07390234, 1.22525579]
    assert city.at(balanced, OTHERS) == pytest.approx(printed, abs=5e-9)
    share = spatial_availability(city.times, jobs, people, Exponential.from_rate(0.1)).access
    printed = [186.0876, 140.0738, 736.5830, 900.9284, 0.0, 204.7962]
    assert city.at(share, OTHERS) == pytest.approx(printed, abs=5e-5)


def test_equity(city: City) -> None:
    """Gini, Theil and its parts, and poverty to all printed digits."""
    people = city.column("population")
    within = reach.cumulative_opportunities(city.times, city.column("jobs"), cutoff_s=1800)
    assert gini_index(within, people) == pytest.approx(0.4715251, abs=5e-8)
    assert theil_index(within, people) == pytest.approx(0.3616631, abs=5e-8)
    decile = ["" if np.isnan(value) else f"{value:02.0f}" for value in city.column("income_decile")]
    theil = theil_decomposition(within, people, decile)
    assert (theil.between, theil.within) == pytest.approx((0.1280753, 0.2335878), abs=5e-8)
    assert theil.groups["within"].iloc[[0, 9]].tolist() == pytest.approx([0.009181454, 0.028840780], abs=5e-10)
    poverty = [poverty_of_access(within, people, line=95368, order=order) for order in (0, 1, 2)]
    assert poverty == pytest.approx([0.5745378, 0.3277383, 0.2218769], abs=5e-8)


def test_equity_where_it_differs_on_purpose(city: City) -> None:
    """Palma splits the boundary zones (printed 3.800465 with whole ones). Equal incomes share a rank: broken by the order
    of rows the corrected index is the printed 0.3346494, by the reversed order it is another."""
    people, income = city.column("population"), city.column("income_per_capita")
    within = reach.cumulative_opportunities(city.times, city.column("jobs"), cutoff_s=1800)
    assert palma_ratio(within, people, income).ratio == pytest.approx(3.800465, rel=0.01)

    def corrected(rank: NDArray[np.float64]) -> float:
        return erreygers_index(within, people, rank, lower=within.min(), upper=within.max())

    known = np.flatnonzero(~np.isnan(income))
    by_row, reversed_rows = np.full(len(income), np.nan), np.full(len(income), np.nan)
    by_row[known[np.argsort(income[known], kind="stable")]] = np.arange(len(known))
    reversed_rows[known[::-1][np.argsort(income[known][::-1], kind="stable")]] = np.arange(len(known))
    assert corrected(by_row) == pytest.approx(0.3346494, abs=5e-8)
    ends = sorted([corrected(by_row), corrected(reversed_rows)])
    assert ends[0] < corrected(income) < ends[1]
    assert concentration_index(within, people, income) > 0
