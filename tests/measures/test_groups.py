"""Groups of persons, their levels, changes and gaps, by hand; and laws of the fifths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from community_routes.measures.groups import (
    GROUP_COLUMNS,
    Baseline,
    cut_by_rank,
    group_rows,
    groupings,
    local_fifths,
    national_fifths,
    sums_over_zones,
    window_groups,
)
from community_routes.measures.list import less_is_better
from community_routes.measures.measure import REASONS, About, WindowFigures, access_table
from community_routes.measures.weighted import persons_of, weighted_mean, weighted_quantile

KEYS = {"day": "day", "window": "am", "kind": "jobs"}


def access(
    scenario: str, values: dict[str, float | None], *, measure: str = "cumulative_opportunities"
) -> pd.DataFrame:
    """One row for each zone; None is off the network, infinity a time that is not reached."""
    time = measure == "nearest"
    records = [
        {
            "scenario": scenario,
            **KEYS,
            "neighbourhood": zone,
            "measure": measure,
            "reading": "p50" if time else "mean",
            "cutoff_min": None if time else 45,
            "value": np.nan if value is None or np.isinf(value) else value,
            "unit": "seconds" if time else "jobs",
            "reason": "off_network" if value is None else "over_time" if np.isinf(value) else "",
        }
        for zone, value in values.items()
    ]
    return pd.DataFrame(records).astype({"cutoff_min": "Int64"})


def zones(population: list[float], rank: list[float], **more: object) -> pd.DataFrame:
    ids = [chr(65 + k) for k in range(len(rank))]
    return pd.DataFrame({"id": ids, "population": population, "deprivation_rank": rank, **more})


def row(table: pd.DataFrame, group: str, grouping: str = "local") -> pd.Series:
    found = table[(table["grouping"] == grouping) & (table["group"] == group)]
    assert len(found) == 1
    return found.iloc[0]


def test_boundary_zone_is_split_by_persons() -> None:
    """A has 30 of 100 persons: 20 fill the first fifth, 10 go to the second, with 10 of B's 70."""
    share = local_fifths([30, 70], [1, 2])
    expected = np.array([[20, 10, 0, 0, 0], [0, 10, 20, 20, 20]]) / np.array([[30], [70]])
    assert np.allclose(share, expected, atol=1e-15)


def test_zones_of_equal_rank_are_split_alike() -> None:
    """A and B tie on rank 1 with 60 and 20 of 100 persons: each gives a quarter to each of the first four fifths."""
    share = local_fifths([60, 20, 20], [1, 1, 2])
    assert np.allclose(share, [[0.25] * 4 + [0], [0.25] * 4 + [0], [0, 0, 0, 0, 1]], atol=1e-15)


def test_laws_of_the_fifths() -> None:
    """Each holds a fifth of the persons; rows add up to 1; order of rows, and merging equal ranks, change nothing."""
    rng = np.random.default_rng(1)
    persons, rank = rng.integers(1, 900, 60).astype(float), rng.integers(1, 40, 60).astype(float)
    share = local_fifths(persons, rank)
    assert np.allclose(share.sum(axis=1), 1, atol=1e-12)
    assert np.allclose(share.T @ persons, persons.sum() / 5, rtol=1e-12)
    order = rng.permutation(60)
    assert np.allclose(local_fifths(persons[order], rank[order]), share[order], atol=1e-12)
    ranks = np.unique(rank)
    merged = local_fifths([persons[rank == r].sum() for r in ranks], ranks)
    assert np.allclose(share, merged[np.searchsorted(ranks, rank)], atol=1e-12)


def test_zones_without_rank_or_persons() -> None:
    """No rank: in no fifth. Nobody: a whole place by rank, so that nothing is missing, and no weight."""
    share = local_fifths([50, 0, 50, 10], [1, 2, 3, np.nan])
    assert share.sum(axis=1).tolist() == [1.0, 1.0, 1.0, 0.0]
    assert (share.T @ [50, 0, 50, 10]).tolist() == [20.0] * 5
    assert local_fifths([1.0], [np.nan]).tolist() == [[0.0] * 5]


def test_one_zone_alone_is_in_every_fifth() -> None:
    assert np.allclose(local_fifths([7.0], [123.0]), 0.2, atol=1e-15)


def test_cut_by_rank_takes_any_parts() -> None:
    """The most deprived 40 % and the least deprived 10 % of 100 persons in zones of 50, 45 and 5."""
    share = cut_by_rank([50, 45, 5], [1, 2, 3], [0, 0.4, 0.9, 1])
    assert np.allclose(share.T @ [50, 45, 5], [40, 50, 10], atol=1e-12)
    assert np.allclose(share[:, 2], [0, 5 / 45, 1], atol=1e-12)


def test_national_fifths_are_pairs_of_deciles() -> None:
    share = national_fifths([1, 2, 3, 10, np.nan])
    assert share.argmax(axis=1)[:4].tolist() == [0, 0, 1, 4]
    assert share[4].sum() == 0
    with pytest.raises(ValueError, match="1 to 10"):
        national_fifths([0])


def test_levels_change_and_gap_by_hand() -> None:
    """Five zones of 10 persons, fifths A to E. A gains 20 (10 -> 30), C loses 10, E has 100 throughout."""
    table = zones([10.0] * 5, [1, 2, 3, 4, 5], group=["north", "north", "south", "south", ""])
    before = access("today", {"A": 10, "B": 20, "C": 30, "D": 40, "E": 100})
    after = access("link", {"A": 30, "B": 20, "C": 20, "D": 40, "E": 100})
    rows = group_rows(after, table, baseline=before)
    assert tuple(rows.columns) == GROUP_COLUMNS
    first = row(rows, "1")
    assert first[["persons", "value", "baseline", "change", "low", "high"]].tolist() == [10, 30, 10, 20, 20, 20]
    assert row(rows, "gap")[["value", "baseline", "change"]].tolist() == [70, 90, -20]
    everybody = row(rows, "all", "all")
    assert everybody[["value", "baseline", "change"]].tolist() == [42, 40, 2]
    assert everybody[["persons_better", "persons_worse", "persons_same"]].tolist() == [10, 10, 30]
    assert row(rows, "north", "group")["value"] == 25
    assert row(rows, "south", "group")["persons_worse"] == 10


def test_means_are_weighted_by_persons() -> None:
    """300 persons with 10 and 100 with 50: 20, not 30."""
    rows = group_rows(access("today", {"A": 10, "B": 50}), zones([300, 100], [1, 2]))
    assert row(rows, "all", "all")["value"] == 20
    assert np.isnan(row(rows, "all", "all")["change"])


def test_missing_zones_are_left_out_and_low_coverage_is_marked() -> None:
    """A (79 persons) has 10, B (21) is off the network: the mean is 10, 79 are covered, and that is under 80 %."""
    rows = group_rows(access("today", {"A": 10, "B": None}), zones([79, 21], [1, 2]))
    everybody = row(rows, "all", "all")
    assert everybody[["value", "persons", "persons_covered", "mark"]].tolist() == [10, 100, 79, "low_coverage"]
    exactly = group_rows(access("today", {"A": 10, "B": None}), zones([80, 20], [1, 2]))
    assert row(exactly, "all", "all")["mark"] == ""


def test_times_have_a_median_over_persons_with_the_unreached_last() -> None:
    """Persons 30 at 600 s, 30 at 900 s, 40 never: the median person is at 900 s; with 60 never there is no median."""
    values = {"A": 600.0, "B": 900.0, "C": np.inf}
    rows = group_rows(access("today", values, measure="nearest"), zones([30, 30, 40], [1, 2, 3]))
    everybody = row(rows, "all", "all")
    assert everybody[["value", "persons_covered"]].tolist() == [900, 100]
    rows = group_rows(access("today", values, measure="nearest"), zones([20, 20, 60], [1, 2, 3]))
    assert np.isnan(row(rows, "all", "all")["value"])
    assert row(rows, "all", "all")["persons_covered"] == 100


def test_less_time_is_better_and_a_first_journey_is_better_than_none() -> None:
    """A 600 -> 500 better, B never -> 800 better, C 700 -> never worse, D never twice the same, E off: none of them."""
    before = access("today", {"A": 600, "B": np.inf, "C": 700, "D": np.inf, "E": None}, measure="nearest")
    after = access("link", {"A": 500, "B": 800, "C": np.inf, "D": np.inf, "E": None}, measure="nearest")
    rows = group_rows(after, zones([1, 2, 4, 8, 16], [1, 2, 3, 4, 5]), baseline=before)
    everybody = row(rows, "all", "all")
    assert everybody[["persons_better", "persons_worse", "persons_same"]].tolist() == [3, 4, 8]
    assert less_is_better("nearest_2")
    assert not less_is_better("cumulative_opportunities")
    assert not less_is_better("share_reached_nearest")


def test_gains_and_losses_count_from_a_least_change_on() -> None:
    """Of today's 100: A 101.5 gains, B 100.9 and C 99.5 lie below 1 %, D 101 is just not above it, E 100 is the same.

    With 0 all but E change. From 0 the smallest gain counts (F), and so does a first journey (infinite before).
    """
    persons = [1, 2, 4, 8, 16, 32]
    today = access("today", {"A": 100, "B": 100, "C": 100, "D": 100, "E": 100, "F": 0})
    after = access("link", {"A": 101.5, "B": 100.9, "C": 99.5, "D": 101, "E": 100, "F": 0.001})
    columns = ["persons_better", "persons_worse", "persons_same", "persons_below"]
    table = zones(persons, [1, 2, 3, 4, 5, 6])
    for least, expected in ((0.01, [33, 0, 30, 14]), (0.0, [43, 4, 16, 0]), (0.02, [32, 0, 31, 15])):
        rows = group_rows(after, table, baseline=today, least_change=least)
        assert row(rows, "all", "all")[columns].tolist() == expected
        assert row(rows, "all", "all")["change"] == pytest.approx((1.5 - 0 + 2 * 0.9 - 4 * 0.5 + 8 + 32 * 0.001) / 63)
    assert row(group_rows(after, table, baseline=today), "all", "all")[columns].tolist() == [33, 0, 30, 14], (
        "1 % by itself"
    )
    times = [access(name, {"A": value}, measure="nearest") for name, value in (("today", np.inf), ("link", 7000))]
    first = group_rows(times[1], zones([5], [1]), baseline=times[0], least_change=0.5)
    assert row(first, "all", "all")[columns].tolist() == [5, 0, 0, 0]


def test_unchanged_tables_give_changes_of_exactly_zero() -> None:
    """Awkward numbers, split zones: every change is 0.0 and nobody is better or worse."""
    rng = np.random.default_rng(3)
    n = 23
    table = zones(list(rng.random(n) * 1000), list(rng.permutation(n) + 1.0), deprivation_decile=rng.integers(1, 11, n))
    values = dict(zip(table["id"], rng.random(n) / 3, strict=True))
    rows = group_rows(access("same", values), table, baseline=access("today", values))
    assert (rows["change"].dropna() == 0.0).all()
    assert rows["change"].notna().sum() >= 12
    assert (rows["persons_better"] == 0).all()
    assert (rows["persons_worse"] == 0).all()


def test_homes_that_a_proposal_adds_count_in_its_level_only() -> None:
    """Baseline 100 persons at 10 and 100 at 20: 15. With 200 more in the second zone (25 % at 10, 75 % at 20): 17.5."""
    values = {"A": 10.0, "B": 20.0}
    old, new = zones([100, 100], [1, 2]), zones([100, 300], [1, 2])
    rows = group_rows(access("homes", values), new, baseline=access("today", values), baseline_zones=old)
    assert row(rows, "all", "all")[["value", "baseline", "change"]].tolist() == [17.5, 15.0, 2.5]


def test_groupings_fall_back_on_deciles_and_leave_out_what_is_unknown() -> None:
    with_decile = pd.DataFrame({"population": [10.0, 10.0], "deprivation_decile": [1.0, 9.0]})
    assert [g.name for g in groupings(with_decile)] == ["all", "local", "national"]
    assert [g.name for g in groupings(pd.DataFrame({"population": [1.0]}))] == ["all"]


def test_the_income_domain_stands_beside_the_index() -> None:
    """By the index A is the most deprived and has 1; by income alone it is B, which has 5: gaps of 4 and -4."""
    table = zones([10.0, 10.0], [1, 2], income_rank=[2.0, 1.0])
    rows = group_rows(access("today", {"A": 1, "B": 5}), table)
    assert row(rows, "gap")["value"] == 4
    assert row(rows, "gap", "local_income")["value"] == -4


def test_order_of_rows() -> None:
    """Everybody, local, national, the study's groups; fifths in order and the gap after them."""
    table = zones([1.0, 1.0], [1, 2], deprivation_decile=[1.0, 10.0], group=["w", "w"])
    rows = group_rows(access("today", {"A": 1, "B": 2}), table)
    assert rows["grouping"].drop_duplicates().tolist() == ["all", "local", "national", "group"]
    assert rows.loc[rows["grouping"] == "local", "group"].tolist() == ["1", "2", "3", "4", "5", "gap"]


def test_faults() -> None:
    with pytest.raises(ValueError, match="'B', which the zones do not have"):
        group_rows(access("today", {"A": 1, "B": 2}), zones([1.0], [1]))
    mixed = pd.concat([access("today", {"A": 1}), access("other", {"A": 1})])
    with pytest.raises(ValueError, match="more than one scenario"):
        group_rows(access("x", {"A": 1}), zones([1.0], [1]), baseline=mixed)
    with pytest.raises(ValueError, match="persons hold"):
        persons_of([-1.0], 1)


def test_weighted_numbers_by_hand() -> None:
    """Mean of 10 (w 1) and 40 (w 3) is 32.5, missing left out; the median person of 1, 1, 2 persons is the second."""
    assert weighted_mean([[10, 40, np.nan]], [1, 3, 5]).tolist() == [32.5]
    assert np.isnan(weighted_mean([np.nan], [1]))
    assert weighted_quantile([30, 10, 20], [2, 1, 1], 0.5) == 20
    assert weighted_quantile([np.inf, 10], [3, 1]) == np.inf
    assert np.isnan(weighted_quantile([np.nan], [1]))
    with pytest.raises(ValueError, match="above 0"):
        weighted_quantile([1], [1], 0)


def test_weighted_quantile_equals_repeated_values() -> None:
    """Whole weights: the same as the nearest rank of values written out that often."""
    rng = np.random.default_rng(9)
    values, weights = rng.random(30), rng.integers(0, 6, 30)
    written = np.sort(np.repeat(values, weights))
    for percent in range(5, 101, 5):
        place = -(-percent * len(written) // 100) - 1
        assert weighted_quantile(values, weights, percent / 100) == written[place]


@pytest.mark.parametrize("n_zones", [1, 7, 8, 9, 95, 128, 129, 1700])
def test_sums_over_zones_are_those_of_numpy(n_zones: int) -> None:
    """To the last bit, so that tables stay the same whoever adds up."""
    draw = np.random.default_rng(n_zones)
    figures, persons = draw.random((5, n_zones)) * 1e5, draw.integers(0, 3000, (4, n_zones)) / 7
    wanted = np.array([(figures * of_group).sum(axis=1) for of_group in persons])
    assert sums_over_zones(figures, persons).tobytes() == wanted.tobytes()


def test_groups_of_figures_are_those_of_their_table() -> None:
    """A count and a time of four neighbourhoods today and under a proposal with new homes, by arrays and by tables."""
    more = {"name": "", "deprivation_decile": [1, 1, 2, 9], "group": ["a", "b", "a", ""]}
    before, after = (zones([100, 50, c, 10], [4, 3, 2, 1], **more) for c in (25, 40))
    about = (
        About("jobs", "cumulative_opportunities", "mean", 30, "jobs"),
        About("jobs", "nearest", "p50", None, "seconds"),
    )
    over_time = REASONS.index("over_time")
    reason = np.array([[0, 0, 0, 0], [0, over_time, 0, 0]], np.int8)
    today = [WindowFigures("day", "am", before, about, np.array([[1.0, 2, 3, 4], [60, np.nan, 80, 90]]), reason)]
    plan = [WindowFigures("day", "am", after, about, np.array([[2.0, 2, 3, 9], [60, 500, 80, 70]]), 0 * reason)]
    found = window_groups("plan", plan, Baseline(today, before))
    tables = access_table("plan", plan), access_table("today", today)
    wanted = group_rows(tables[0], after, baseline=tables[1], baseline_zones=before)
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)
    assert row(found[found["measure"] == "nearest"], "all", "all")["persons_better"] == 60
