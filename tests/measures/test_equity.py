"""Equity: arithmetic by hand, persons written out one by one as the independent implementation, laws, and traps."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.measures.equity import (
    concentration_index,
    erreygers_index,
    gain_shares,
    gini_index,
    mean_absolute_difference,
    palma_ratio,
    poverty_of_access,
    theil_decomposition,
    theil_index,
)

Floats = NDArray[np.float64]


def borough(seed: int, n: int = 12) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Access with zeros and ties, whole persons, ranks with ties."""
    rng = np.random.default_rng(seed)
    return np.rint(rng.random(n) * 8) * 5.0, rng.integers(1, 9, n), rng.integers(1, 7, n).astype(float)


def one_by_one(x: Floats, persons: NDArray[np.int64]) -> Floats:
    return np.repeat(x, persons)


# --- concentration -----------------------------------------------------------------------------------------------


def test_concentration_by_hand() -> None:
    """Two equal zones, 10 for the more deprived and 30: mu 20, ranks 1/4 and 3/4, C = 2/20 * (-10*-1/4 + 10*1/4)/2."""
    assert concentration_index([10, 30], [5, 5], [1, 2]) == pytest.approx(0.25, abs=1e-15)
    assert concentration_index([30, 10], [5, 5], [1, 2]) == pytest.approx(-0.25, abs=1e-15)


def test_ties_in_deprivation_do_not_depend_on_the_order_of_rows() -> None:
    """10 and 50 tie, then 30: broken by row order the index is 0.148 or -0.148; by mean rank it is 0."""
    assert concentration_index([10, 50, 30], [1, 1, 1], [1, 1, 2]) == pytest.approx(0, abs=1e-15)
    assert concentration_index([50, 10, 30], [1, 1, 1], [1, 1, 2]) == pytest.approx(0, abs=1e-15)
    assert concentration_index([10, 50, 30], [1, 1, 1], [1, 2, 3]) == pytest.approx(0.148, abs=5e-4)
    assert concentration_index([50, 10, 30], [1, 1, 1], [1, 2, 3]) == pytest.approx(-0.148, abs=5e-4)


@pytest.mark.parametrize("seed", range(6))
def test_concentration_equals_twice_the_covariance_of_persons(seed: int) -> None:
    """C = 2 cov(x, R) / mu over persons written out one by one, with R the mean rank of equal ranks."""
    x, persons, rank = borough(seed)
    each, ranks = one_by_one(x, persons), one_by_one(rank, persons)
    n = len(each)
    mean_rank = np.array([((ranks < r).sum() + (ranks == r).sum() / 2) / n for r in ranks])
    expected = 2 * np.mean((each - each.mean()) * (mean_rank - mean_rank.mean())) / each.mean()
    assert concentration_index(x, persons, rank) == pytest.approx(expected, abs=1e-13)


def test_laws_of_concentration() -> None:
    """Bounds, scale, relabelling, a split zone, merged ties, the mirror image, all equal, one alone, nobody."""
    x, persons, rank = borough(1)
    c = concentration_index(x, persons, rank)
    assert -1 < c < 1
    assert concentration_index(x * 7, persons, rank) == pytest.approx(c, abs=1e-14)
    order = np.random.default_rng(0).permutation(len(x))
    assert concentration_index(x[order], persons[order], rank[order]) == pytest.approx(c, abs=1e-14)
    split = concentration_index(
        np.append(x, x[0]), np.append(persons - np.eye(12, dtype=int)[0], 1), np.append(rank, rank[0])
    )
    assert split == pytest.approx(c, abs=1e-14)
    assert concentration_index(x, persons, -rank) == pytest.approx(-c, abs=1e-14)
    assert concentration_index([4, 4, 4], [1, 2, 3], [1, 2, 3]) == pytest.approx(0, abs=1e-15)
    assert concentration_index([4], [9], [1]) == 0
    assert math.isnan(concentration_index([0, 0], [1, 1], [1, 2]))
    with_empty = concentration_index(np.append(x, 999.0), np.append(persons, 0), np.append(rank, 1.0))
    assert with_empty == pytest.approx(c, abs=1e-14)


def test_erreygers_has_the_bounds_that_it_is_given() -> None:
    """E = 4 mu C / (b - a): 4 * 20 * 0.25 / 100 = 0.2; the range of the data would have given 4 * 20 * 0.25 / 20 = 1."""
    assert erreygers_index([10, 30], [5, 5], [1, 2], lower=0, upper=100) == pytest.approx(0.2, abs=1e-15)
    assert erreygers_index([0, 0], [5, 5], [1, 2], lower=0, upper=100) == 0
    with pytest.raises(ValueError, match="outside the bounds"):
        erreygers_index([10, 30], [5, 5], [1, 2], lower=0, upper=29)
    with pytest.raises(ValueError, match="nothing between"):
        erreygers_index([10], [5], [1], lower=3, upper=3)


def test_erreygers_mirrors_shortfall() -> None:
    """Of what is lacking (b - x) it has the same size and the other sign, which the plain index has not."""
    x, persons, rank = borough(3)
    e = erreygers_index(x, persons, rank, lower=0, upper=50)
    assert erreygers_index(50 - x, persons, rank, lower=0, upper=50) == pytest.approx(-e, abs=1e-14)


# --- Palma and the gap -------------------------------------------------------------------------------------------


def test_palma_splits_the_boundary_zones() -> None:
    """50 persons at 10, 40 at 20, 10 at 60 (from most to least deprived): 60 over (40 * 10)/40 = 6."""
    found = palma_ratio([10, 20, 60], [50, 40, 10], [1, 2, 3])
    assert (found.ratio, found.least_deprived_tenth, found.most_deprived_two_fifths) == pytest.approx((6, 60, 10))
    moved = palma_ratio([10, 20, 60], [30, 65, 5], [1, 2, 3])
    assert moved.most_deprived_two_fifths == pytest.approx((30 * 10 + 10 * 20) / 40)
    assert moved.least_deprived_tenth == pytest.approx((5 * 20 + 5 * 60) / 10)


def test_palma_by_decile_only_is_not_missing() -> None:
    """Deciles as the rank, nobody strictly above the cut at 90 %: the tie is split alike, and the ratio is a number."""
    x = np.array([10.0, 20, 30, 40])
    found = palma_ratio(x, [25, 25, 25, 25], [1, 1, 2, 2])
    assert found.most_deprived_two_fifths == pytest.approx(15)
    assert found.least_deprived_tenth == pytest.approx(35)


def test_palma_of_nothing_is_missing_and_of_equals_is_one() -> None:
    assert math.isnan(palma_ratio([0, 5], [50, 50], [1, 2]).ratio)
    assert palma_ratio([7, 7, 7], [1, 2, 3], [1, 2, 3]).ratio == pytest.approx(1)
    assert palma_ratio([7], [3], [1]).ratio == pytest.approx(1)


@pytest.mark.parametrize("seed", range(4))
def test_palma_equals_persons_in_a_row(seed: int) -> None:
    """Distinct ranks and persons in tens, so that the cuts fall between persons who can be counted."""
    rng = np.random.default_rng(seed)
    x, persons, rank = rng.random(9), rng.integers(1, 9, 9) * 10, rng.permutation(9).astype(float)
    order = np.argsort(rank)
    row = np.repeat(x[order], persons[order])
    n = len(row)
    found = palma_ratio(x, persons, rank)
    assert found.most_deprived_two_fifths == pytest.approx(row[: n * 2 // 5].mean(), rel=1e-12)
    assert found.least_deprived_tenth == pytest.approx(row[n - n // 10 :].mean(), rel=1e-12)


# --- Gini and Theil ----------------------------------------------------------------------------------------------


def test_gini_by_hand() -> None:
    """One person with all of four: 3/4. Mean absolute difference: 2 * 1 * 3 of 16 ordered pairs differ by 8."""
    assert gini_index([0, 0, 0, 8], [1, 1, 1, 1]) == pytest.approx(0.75, abs=1e-15)
    assert mean_absolute_difference([0, 0, 0, 8], [1, 1, 1, 1]) == pytest.approx(3, abs=1e-14)
    assert math.isnan(gini_index([0, 0], [1, 1]))
    assert mean_absolute_difference([0, 0], [1, 1]) == 0
    assert gini_index([5, 5, 5], [1, 2, 3]) == pytest.approx(0, abs=1e-15)
    assert gini_index([5], [3]) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_gini_equals_all_pairs_of_persons(seed: int) -> None:
    x, persons, _ = borough(seed)
    each = one_by_one(x, persons)
    difference = np.abs(each[:, None] - each[None, :]).mean()
    assert mean_absolute_difference(x, persons) == pytest.approx(difference, rel=1e-12)
    assert gini_index(x, persons) == pytest.approx(difference / (2 * each.mean()), rel=1e-12)


def test_theil_counts_those_who_reach_nothing() -> None:
    """Half of the persons have all: T = 1/2 * 2 ln 2 = ln 2. Left out, the zeros would give 0."""
    assert theil_index([0, 10], [1, 1]) == pytest.approx(math.log(2), abs=1e-15)
    # 0, 1, 3: with 0 ln 0 = 0 it is 0.651; without the person who has nothing, but the old mean, half as much again
    expected = (0 + 0.75 * math.log(0.75) + 2.25 * math.log(2.25)) / 3
    assert theil_index([0, 1, 3], [1, 1, 1]) == pytest.approx(expected, abs=1e-15)
    assert math.isnan(theil_index([0, 0], [1, 1]))
    assert theil_index([3, 3], [1, 5]) == pytest.approx(0, abs=1e-15)
    assert theil_index([3], [4]) == 0


@pytest.mark.parametrize("seed", range(6))
def test_theil_splits_exactly(seed: int) -> None:
    """Within and between add up to the index over persons one by one, with a group that reaches nothing."""
    x, persons, _ = borough(seed)
    group = [("north", "south", "west")[k % 3] for k in range(12)]
    x[2::3] = 0
    found = theil_decomposition(x, persons, group)
    each = one_by_one(x, persons)
    ratio = each[each > 0] / each.mean()
    assert found.total == pytest.approx((ratio * np.log(ratio)).sum() / len(each), abs=1e-12)
    assert found.within + found.between == pytest.approx(theil_index(x, persons), abs=1e-12)
    west = found.groups.set_index("group").loc["west"]
    assert west[["access_share", "within", "between"]].tolist() == [0, 0, 0]


def test_theil_between_by_hand() -> None:
    """Groups equal inside, halves with 10 and 30: shares 1/4 and 3/4 of the access, all of T is between."""
    found = theil_decomposition([10, 10, 30, 30], [1, 1, 1, 1], ["a", "a", "b", "b"])
    assert found.within == pytest.approx(0, abs=1e-15)
    assert found.between == pytest.approx(0.25 * math.log(0.5) + 0.75 * math.log(1.5), abs=1e-15)
    assert math.isnan(theil_decomposition([0, 0], [1, 1], ["a", "b"]).total)
    assert theil_decomposition([1, 1, 9], [1, 1, 9], ["a", "b", ""]).total == pytest.approx(0, abs=1e-15)


def test_laws_of_inequality() -> None:
    """Scale, names and a split zone change nothing; a gift from one who has more to one who has less lowers both."""
    x, persons, _ = borough(2)
    for index in (gini_index, theil_index):
        value = index(x, persons)
        assert index(3 * x, persons) == pytest.approx(value, rel=1e-12)
        assert index(x[::-1], persons[::-1]) == pytest.approx(value, rel=1e-12)
        assert index(
            np.append(x, x[3]), np.append(np.where(np.arange(12) == 3, persons / 2, persons), persons[3] / 2)
        ) == (pytest.approx(value, rel=1e-12))
        assert index(np.append(x, 77.0), np.append(persons, 0)) == pytest.approx(value, rel=1e-12)
        assert index(np.append(x, np.nan), np.append(persons, 9)) == pytest.approx(value, rel=1e-12)
    for a, b in itertools.pairwise(([0, 10.0], [2, 8.0], [4, 6.0], [5, 5.0])):
        assert gini_index(a, [1, 1]) > gini_index(b, [1, 1])
        assert theil_index(a, [1, 1]) > theil_index(b, [1, 1])


# --- poverty and gains -------------------------------------------------------------------------------------------


def test_poverty_by_hand() -> None:
    """Line 10: half at 5, a quarter at 0, a quarter at exactly 10 (not poor): 3/4; 1/4 + 1/4; 1/8 + 1/4."""
    x, w = [5, 0, 10], [2, 1, 1]
    assert [poverty_of_access(x, w, line=10, order=k) for k in (0, 1, 2)] == pytest.approx([0.75, 0.5, 0.375])


def test_poverty_of_times() -> None:
    """Over 30 min is poor: half at 45 min is short by a half; the unreached needs a cap (120 min: short by 3)."""
    x, w = [2700, 1800, np.inf], [2, 1, 1]
    assert poverty_of_access(x, w, line=1800, less_is_better=True) == 0.75
    capped = poverty_of_access(x, w, line=1800, order=1, less_is_better=True, cap=7200)
    assert capped == pytest.approx(0.5 * 0.5 + 0.25 * 3)
    with pytest.raises(ValueError, match="give a cap"):
        poverty_of_access(x, w, line=1800, order=1, less_is_better=True)
    with pytest.raises(ValueError, match="order"):
        poverty_of_access(x, w, line=1800, order=3)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_poverty_adds_up_over_groups(order: int) -> None:
    """By shares of persons; deeper orders are never more than shallower ones; a higher line finds no fewer."""
    x, persons, _ = borough(4)
    first, second = slice(0, 5), slice(5, 12)
    total = poverty_of_access(x, persons, line=20, order=order)
    parts = [poverty_of_access(x[part], persons[part], line=20, order=order) for part in (first, second)]
    shares = np.array([persons[first].sum(), persons[second].sum()]) / persons.sum()
    assert total == pytest.approx(float(shares @ parts), abs=1e-14)
    assert total <= poverty_of_access(x, persons, line=20, order=0)
    assert total <= poverty_of_access(x, persons, line=30, order=order)


def test_gains_and_losses_apart() -> None:
    """Gains 10 * 2 and 30 * 1, a loss of 5 * 4 in the second group: 40 % and 60 % of the gain, all of the loss."""
    share = np.array([[1.0, 0], [0, 1], [0, 1], [1, 0]])
    found = gain_shares([2.0, 1.0, -4.0, np.nan], [10, 30, 5, 50], share)
    assert found["gain_share"].tolist() == pytest.approx([0.4, 0.6])
    assert found["loss_share"].tolist() == [0, 1]
    assert found["persons_share"].tolist() == pytest.approx([10 / 45, 35 / 45])
    assert gain_shares([0.0], [1], [[1.0]])["gain_share"].isna().all()


def test_access_out_of_range_is_refused() -> None:
    for bad in ([-1.0, 2.0], [np.inf, 2.0]):
        with pytest.raises(ValueError, match="0 or more and finite"):
            gini_index(bad, [1, 1])
