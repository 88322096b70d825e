"""Intervals of a proposal whose clock times are assumed, on a town whose every journey is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from community_routes.comparison import Comparison, compare
from community_routes.errors import UsageError
from community_routes.evaluation import Evaluation, evaluate
from community_routes.scenarios.scenario import Scenario
from community_routes.study import open_study
from small_town import town_study

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
