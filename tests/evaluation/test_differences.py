"""The comparison of two access tables: change, what came and went, intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import UsageError
from community_routes.evaluation.differences import (
    COLUMNS,
    can_be_told_apart,
    compare_figures,
    compare_tables,
    count_outcomes,
    interval,
    rank_proposals,
    shares_of_settings,
    spread,
)
from community_routes.measures.measure import REASONS, About, WindowFigures, access_table
from community_routes.routing.scan import NEVER


def access(scenario: str, values: dict[str, float], measure: str = "cumulative_opportunities") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "scenario": scenario,
            "day": "weekday",
            "window": "evening",
            "neighbourhood": list(values),
            "name": [f"The {zone}" for zone in values],
            "population": 100.0,
            "deprivation_decile": 1,
            "kind": "employment",
            "measure": measure,
            "reading": "mean",
            "cutoff_min": 45,
            "value": list(values.values()),
            "unit": "jobs",
            "reason": ["over_time" if np.isnan(value) else "" for value in values.values()],
        }
    )


def test_change_and_categories():
    """Five zones: +5, -2, 0, came, went; and one that was and is missing."""
    nan = np.nan
    before = access("today", {"a": 10, "b": 10, "c": 10, "d": nan, "e": 4, "f": nan})
    after = access("plan", {"a": 15, "b": 8, "c": 10, "d": 3, "e": nan, "f": nan})
    table = compare_tables(before, after).set_index("neighbourhood")
    assert list(compare_tables(before, after).columns) == list(COLUMNS)
    assert table["category"].to_dict() == {
        "a": "better",
        "b": "worse",
        "c": "same",
        "d": "gained",
        "e": "lost",
        "f": "missing",
    }
    assert table["change"].dropna().to_dict() == {"a": 5.0, "b": -2.0, "c": 0.0}
    assert table["low"].equals(table["change"])
    assert table["high"].equals(table["change"])
    assert table["scenario"].unique().tolist() == ["plan"]
    assert table.loc[["d", "e", "f"], "reason"].tolist() == ["over_time"] * 3


def test_less_time_is_better():
    before = access("today", {"a": 30.0, "b": 30.0}, "nearest")
    after = access("plan", {"a": 20.0, "b": 40.0}, "nearest")
    assert compare_tables(before, after)["category"].tolist() == ["better", "worse"]


def test_floor_that_matters():
    """A change of 2 does not matter where the floor is 2; one of 3 does."""
    table = compare_tables(access("today", {"a": 1, "b": 1}), access("plan", {"a": 3, "b": 4}), floor=2)
    assert table["category"].tolist() == ["same", "better"]


def test_rows_of_one_table_only_stay():
    """The proposal has a new neighbourhood, the baseline one that is gone."""
    table = compare_tables(access("today", {"a": 1, "old": 2}), access("plan", {"a": 1, "new": 3}))
    assert table.set_index("neighbourhood")["category"].to_dict() == {"a": "same", "new": "gained", "old": "lost"}


def test_same_table_changes_nothing():
    table = access("today", {"a": 1.1, "b": np.inf, "c": np.nan})
    compared = compare_tables(table, table)
    assert compared["change"].fillna(0).tolist() == [0, 0, 0]
    assert compared["category"].tolist() == ["same", "same", "missing"]


def test_same_row_twice_is_an_error():
    table = access("today", {"a": 1})
    with pytest.raises(UsageError, match="two rows about"):
        compare_tables(pd.concat([table, table]), table)


def test_interval_is_of_the_change_not_of_the_values():
    """Both tables go up and down together (common random numbers); their difference is always 3."""
    draws = [(access("today", {"a": 10 + k % 7}), access("plan", {"a": 13 + k % 7})) for k in range(200)]
    table = compare_tables(access("today", {"a": 12}), access("plan", {"a": 15}), draws=draws)
    assert (table["low"].item(), table["high"].item()) == (3, 3)


def test_interval_of_known_draws():
    """1001 draws 0..1000: 2.5 % of 1000 is 25, 97.5 % is 975."""
    low, high = interval(np.arange(1001.0).reshape(-1, 1))
    assert (low[0], high[0]) == (25, 975)
    with pytest.raises(UsageError, match="at least 200"):
        interval(np.zeros((199, 1)))


def test_cannot_be_told_apart():
    assert not can_be_told_apart(np.linspace(-1, 5, 500))
    assert can_be_told_apart(np.linspace(0.1, 5, 500))


def test_spread_over_departures():
    """Changes -1, 0, ..., 19 over 21 departures: the 5th percentile is 0, the 95th 18; a departure without both is left out."""
    before = np.zeros((2, 22))
    after = np.vstack([np.append(np.arange(-1.0, 20), np.nan), np.full(22, np.nan)])
    low, high = spread(before, after)
    assert (low[0], high[0]) == (0, 18)
    assert np.isnan(low[1])


def test_shares_of_settings():
    """Six settings, one without a value: better in two of five, the same (within 0.5) in one, worse in two."""
    one = np.array([3.0, 4.0, 1.0, 1.0, 2.0, np.nan])
    other = np.array([1.0, 1.0, 2.0, 3.0, 1.8, 1.0])
    assert shares_of_settings(one, other, floor=0.5) == {"better": 0.4, "same": 0.2, "worse": 0.4, "settings": 5}


def test_ranking_by_gain_per_bus_hour():
    """30/10 beats 40/20; a gain that saves bus-hours comes before both; a loss that saves them comes last."""
    table = rank_proposals(
        [("a", 40, 20, None), ("b", 30, 10, None), ("saves", 5, -10, None), ("cut", -50, -100, None)]
    )
    assert table["scenario"].tolist() == ["saves", "b", "a", "cut"]
    assert table["gain_per_bus_hour"].iloc[1:3].tolist() == [3, 2]


def test_what_takes_nobody_knows_how_much_comes_last():
    """Neither a gain per bus-hour nor a place that could be told apart from the one before it."""
    table = rank_proposals([("demand", 900, np.nan, None), ("a", 40, 20, None), ("cut", -50, -100, None)])
    assert table["scenario"].tolist() == ["a", "cut", "demand"]
    assert table["gain_per_bus_hour"].isna().tolist() == [False, True, True]
    assert table["same_as_next"].isna().tolist() == [False, True, False]


def test_ranking_says_what_cannot_be_told_apart():
    """Two proposals whose difference per hour goes from -1 to 1 over the draws are the same; a third is far behind."""
    wobble = np.linspace(-1, 1, 300)
    table = rank_proposals(
        [("a", 100, 10, 100 + 10 * wobble), ("b", 99, 10, np.full(300, 99.0)), ("c", 1, 10, np.ones(300))]
    )
    assert table["same_as_next"].tolist() == [True, False, False]


def test_an_exact_proposal_beside_a_drawn_one():
    """Ten for an hour, exactly, lies within 9 to 11 and cannot be told from it; 12 for an hour lies outside."""
    draws = 100 + 10 * np.linspace(-1, 1, 300)
    table = rank_proposals([("drawn", 100.5, 10, draws), ("exact", 100, 10, None)])
    assert table["same_as_next"].tolist() == [True, False]
    assert rank_proposals([("exact", 120, 10, None), ("drawn", 100, 10, draws)])["same_as_next"].tolist() == [
        False,
        False,
    ]
    ends = table.set_index("scenario")[["low_per_bus_hour", "high_per_bus_hour"]]
    assert ends.loc["exact"].tolist() == [10, 10]
    assert ends.loc["drawn"].tolist() == pytest.approx([9.05, 10.95])


def test_what_saves_hours_is_told_from_what_costs_by_the_sign_of_its_gain():
    """A gain that saves hours beats any; one whose draws go from -1 to 3 may be a loss."""
    sure, unsure = np.linspace(1, 3, 300), np.linspace(-1, 3, 300)
    for draws, same in ((sure, False), (unsure, True), (None, False)):
        table = rank_proposals([("pays", 50, 10, None), ("saves", 1, -5, draws)])
        assert table["scenario"].tolist() == ["saves", "pays"]
        assert table["same_as_next"].tolist() == [same, False]
        assert table["low_per_bus_hour"].isna().tolist() == [True, False]


def test_without_draws_only_the_neighbours_of_a_random_proposal_are_unknown():
    """The two exact ones are told apart; whoever stands beside the one that was not drawn is not."""
    table = rank_proposals([("a", 50, 10, None), ("b", 40, 10, None), ("loose", 30, 10, np.zeros(0))])
    assert table["same_as_next"].tolist()[0] is False
    assert table["same_as_next"].isna().tolist() == [False, True, False]
    assert table["low_per_bus_hour"].isna().tolist() == [False, False, True]


def test_outcomes_are_counted_pair_by_pair() -> None:
    """One origin, two departures, three places of kinds 0, 0, 1.

    At the first departure place 0 is 60 s faster, place 1 gained, place 2 lost; at the second place 0 is 20 s slower, place 1
    the same, place 2 never there. Changes of kind 0: -60 + 20 + 0; of kind 1 none.
    """
    before = np.array([[[100, NEVER, 50], [100, 70, NEVER]]], np.int16)
    after = np.array([[[40, 10, NEVER], [120, 70, NEVER]]], np.int16)
    counts, change = count_outcomes(before, after, np.array([0, 0, 1]), 2, NEVER)
    assert counts.tolist() == [[[1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]]]
    assert change.tolist() == [[-40, 0]]


def figures(zones: pd.DataFrame, *rows: list[float]) -> list[WindowFigures]:
    """One window with opportunities in two readings and a time; what is missing is off the network."""
    count, value = "cumulative_opportunities", np.array(rows)
    about = (
        About("employment", count, "mean", 45, "jobs"),
        About("employment", count, "p50", 45, "jobs"),
        About("employment", "nearest", "p50", None, "seconds"),
    )
    reason = np.where(np.isnan(value), REASONS.index("off_network"), 0).astype(np.int8)
    return [WindowFigures("weekday", "evening", zones, about, value, reason)]


def test_figures_compare_as_their_tables() -> None:
    """Zones in no order of their ids, one that only the proposal has, and one that has lost its figures: by the arrays as by
    the tables, cell by cell; the proposal knows no name for B, which today's says."""
    old = pd.DataFrame(
        {"id": ["C", "B"], "name": ["Croft", "Bank"], "population": [5.0, 7.0], "deprivation_decile": [1, 2]}
    )
    new = pd.DataFrame(
        {
            "id": ["B", "D", "C"],
            "name": [None, "Dene", "Croft"],
            "population": [7.0, 1.0, 5.0],
            "deprivation_decile": [2, 1, 1],
        }
    )
    before = figures(old, [3.0, 10.0], [0.0, 10.0], [600.0, 900.0])
    after = figures(new, [10.0, 4.0, np.nan], [12.0, 0.0, np.nan], [840.0, 60.0, np.nan])
    made = compare_figures("plan", before, after)
    assert made is not None
    tables = access_table("today", before), access_table("plan", after)
    pd.testing.assert_frame_equal(made, compare_tables(*tables), check_exact=True, check_dtype=False)
    cells = made.set_index(["neighbourhood", "measure", "reading"])
    assert cells.loc[("B", "nearest", "p50"), ["change", "category"]].tolist() == [-60, "better"]
    assert cells.loc[("C", "nearest", "p50"), ["reason", "category"]].tolist() == ["off_network", "lost"]
    assert cells.loc[("D", "nearest", "p50"), ["reason", "category"]].tolist() == ["", "gained"]
    assert set(cells.loc["B", "name"]) == {"Bank"}
    assert compare_figures("plan", after, before) is None, "a neighbourhood of the baseline is not there"
