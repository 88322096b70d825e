"""Intervals of a proposal whose clock times are assumed, on a town whose every journey is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import UsageError
from community_routes.evaluation.case import open_study
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.evaluation.results import Comparison, compare
from community_routes.scenarios.file import Scenario
from small_town import town_study

LESS = [{"withdraw_route": {"route": "L1"}}]
HOURLY = {
    "name": "X",
    "stops": ["S5", "S6"],
    "run_times_min": [10],
    "service": {"weekday": {"06:00-12:00": 60}},
    "both_ways": False,
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Evaluation]:
    study = open_study(town_study(tmp_path_factory.mktemp("town")))
    return evaluate(study), evaluate(study, Scenario(scenario="hourly", changes=({"add_route": HOURLY},)))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def drawn(both: tuple[Evaluation, Evaluation]) -> Comparison:
    return compare(*both, draws=200)


def cell(table: pd.DataFrame, column: str, **what: object) -> float:
    rows = table
    for key, value in what.items():
        rows = rows[rows[key] == value]
    assert len(rows) == 1
    return float(rows[column].iloc[0])


def test_an_hourly_bus_is_caught_at_a_third_of_the_minutes(drawn: Comparison) -> None:
    """P5 to Hall P6 within 30 min: 10 min ride and 1 min slack leave 19 min to wait.

    Of the 60 departures, one a minute, those from 20 to 1 minutes before a bus reach it: 20 when it leaves on a full
    minute, as assumed (06:00, 07:00, ...), 19 at any other second. Of 200 phases drawn from an hour's seconds about one in
    sixty is a full minute, so both ends of the interval are 19/60.
    """
    what = {"neighbourhood": "P5", "measure": "cumulative_opportunities", "reading": "mean", "cutoff_min": 30}
    assert cell(drawn.comparison, "change", **what) == pytest.approx(20 / 60, abs=1e-12)
    assert cell(drawn.comparison, "low", **what) == pytest.approx(19 / 60, abs=1e-12)
    assert cell(drawn.comparison, "high", **what) in (pytest.approx(19 / 60), pytest.approx(20 / 60))


def test_whom_the_bus_does_not_serve_it_leaves_as_they_were(drawn: Comparison) -> None:
    """P0 is five rides away from P5: nothing changes, whatever the phase."""
    what = {"neighbourhood": "P0", "measure": "cumulative_opportunities", "reading": "mean", "cutoff_min": 30}
    assert [cell(drawn.comparison, column, **what) for column in ("change", "low", "high")] == [0.0, 0.0, 0.0]


def test_a_group_is_recomputed_in_each_draw(drawn: Comparison) -> None:
    """Eight neighbourhoods are on the network and count alike. As assumed only P5 gains: an eighth of its 20/60.

    In a draw P4 gains as well when the bus leaves soon after the one from P4 has come: from 2 minutes after it, up to
    9 of 60 departures. So the group's ends lie from an eighth of P5's to an eighth of P5's and 9/60 more, and its upper
    end, unlike that of P5 alone, lies well above the assumed change.
    """
    what = {
        "scenario": "hourly",
        "grouping": "all",
        "measure": "cumulative_opportunities",
        "reading": "mean",
        "cutoff_min": 30,
    }
    assert cell(drawn.groups, "change", **what) == pytest.approx(20 / 60 / 8, abs=1e-12)
    low, high = (cell(drawn.groups, column, **what) for column in ("low", "high"))
    assert 19 / 60 / 8 - 1e-12 <= low < high <= (20 + 9) / 60 / 8 + 1e-12
    assert high > 20 / 60 / 8 + 1e-3


def test_without_draws_the_ends_are_missing(both: tuple[Evaluation, Evaluation]) -> None:
    """Assumed clock times are random: nobody may read an interval of no width out of the table."""
    plain = compare(*both)
    assert np.isnan(plain.comparison["low"].astype(float)).all()
    assert np.isnan(plain.groups.loc[plain.groups["scenario"] == "hourly", "high"].astype(float)).all()


def test_the_same_seed_gives_the_same_interval(both: tuple[Evaluation, Evaluation], drawn: Comparison) -> None:
    again = compare(*both, draws=200, threads=2)
    pd.testing.assert_frame_equal(again.comparison, drawn.comparison)
    pd.testing.assert_frame_equal(again.groups, drawn.groups)


def test_a_few_draws_are_refused(both: tuple[Evaluation, Evaluation]) -> None:
    with pytest.raises(UsageError, match="at least 200 draws, not 50"):
        compare(*both, draws=50)


def test_the_spread_is_over_departures_and_no_interval(drawn: Comparison, both: tuple[Evaluation, Evaluation]) -> None:
    """P5 reaches Hall P6 within 30 minutes at 20 of 60 departures and not at the others: from 0 to 1, whatever is drawn.

    Everybody together gains an eighth at those departures; P0 gains at none. Today's own rows have no change to spread.
    """
    what = {"measure": "cumulative_opportunities", "reading": "mean", "cutoff_min": 30}
    for comparison in (drawn, compare(*both)):
        for zone, ends in (("P5", [0, 1]), ("P0", [0, 0])):
            cells = [
                cell(comparison.comparison, f"spread_{end}", neighbourhood=zone, **what) for end in ("low", "high")
            ]
            assert cells == ends
        group = {"scenario": "hourly", "grouping": "all", **what}
        assert [cell(comparison.groups, f"spread_{end}", **group) for end in ("low", "high")] == [0, 1 / 8]
        assert comparison.groups.loc[comparison.groups["scenario"] == "today", "spread_high"].isna().all()
    off = drawn.comparison[(drawn.comparison["neighbourhood"] == "lost") & (drawn.comparison["reading"] == "mean")]
    assert off["spread_low"].isna().all()


def test_journeys_pair_by_pair(both: tuple[Evaluation, Evaluation]) -> None:
    """From P5, P4 and P3 the new bus makes Hall P6 a journey at all 60 departures; from P2 it would need four rides.

    Nobody loses a journey or has another time for one, and the six outcomes of 7 halls and 60 departures add up to 420.
    """
    table = compare(*both).results.extra["paired"].set_index("neighbourhood")
    gained = table["gained"].to_dict()
    assert gained == {**dict.fromkeys(table.index, 0), **dict.fromkeys(("P3", "P4", "P5"), 60)}
    assert (table[["faster", "slower", "lost"]] == 0).all(axis=None)
    assert (table[["faster", "slower", "same", "gained", "lost", "never"]].sum(axis=1) == 420).all()
    assert (table["pairs"] == 420).all()
    assert table.loc["P5", "mean_change_s"] == 0 and np.isnan(table.loc["lost", "mean_change_s"])
    back = compare(both[0], evaluate(both[0].study, Scenario(scenario="less", changes=LESS))).results.extra["paired"]  # type: ignore[arg-type]
    of_p1 = back.set_index("neighbourhood").loc["P1"]
    assert of_p1["lost"] == 60 and of_p1["gained"] == 0, "without L1 nobody gets from P1 to Hall P0 any more"


def test_new_homes_and_places_are_gained_not_changed(both: tuple[Evaluation, Evaluation]) -> None:
    """A hall beside P0 is new to everybody who reaches it; homes there are a neighbourhood without a past."""
    new = [
        {"add_space": {"name": "Hall N", "at": [20.0, 0.0], "kind": "hall"}},
        {"add_homes": {"name": "Homes N", "at": [20.0, 0.0], "homes": 10, "like": "P0"}},
    ]
    study = both[0].study
    comparison = compare(both[0], evaluate(study, Scenario(scenario="new", changes=new)))  # type: ignore[arg-type]
    table = comparison.results.extra["paired"].set_index("neighbourhood")
    assert table.loc["P0", "gained"] == 60 and table.loc["P0", "same"] == both_ways(table.loc["P0"])
    homes = table.loc[[name for name in table.index if name not in set(both[0].zones.table["id"])]].iloc[0]
    assert homes["gained"] + homes["never"] == homes["pairs"] == 480
    assert comparison.comparison["spread_low"].isna().all(), "there are other neighbourhoods than today"


def both_ways(row: pd.Series) -> int:
    """Pairs with a journey on both sides."""
    return int(row["pairs"] - row["gained"] - row["lost"] - row["never"])
