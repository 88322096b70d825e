"""Today and proposals side by side, in tables whose figures are known, and folders that are replaced whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from community_routes.comparison import compare
from community_routes.errors import UsageError
from community_routes.evaluation import evaluate
from community_routes.scenarios.scenario import Scenario
from community_routes.study import Study, open_study
from small_town import town_study
from unchanged import EMPTY, assert_same

LESS = Scenario.model_validate({"scenario": "less", "changes": [{"withdraw_route": {"route": "L1"}}]})


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")))


def test_losses_by_hand(study: Study) -> None:
    """Without L1, P0 loses P1 and P1 loses P0 within 30 minutes, one place each; everybody else keeps what they had."""
    comparison = compare(evaluate(study), evaluate(study, LESS))
    table = comparison.comparison
    own = table[
        (table["measure"] == "cumulative_opportunities")
        & (table["reading"] == "mean")
        & (table["kind"] == "shared_spaces")
        & (table["cutoff_min"] == 30)
    ].set_index("neighbourhood")
    assert own["change"].dropna().to_dict() == {
        **dict.fromkeys(("P0", "P1"), -1.0),
        **dict.fromkeys(("P2", "P3", "P4", "P5", "P6", "far"), 0.0),
    }
    assert_same(own["low"], own["change"])
    assert_same(own["high"], own["change"])
    groups = comparison.groups
    everyone = groups[
        (groups["scenario"] == "less")
        & (groups["grouping"] == "all")
        & (groups["measure"] == "cumulative_opportunities")
        & (groups["reading"] == "mean")
        & (groups["kind"] == "shared_spaces")
        & (groups["cutoff_min"] == 30)
    ]
    (row,) = everyone.to_dict("records")
    assert (row["persons_worse"], row["persons_better"], row["persons_same"]) == (2, 0, 6)
    assert row["change"] == pytest.approx(-2 / 8), "eight neighbourhoods have a figure"


def test_an_empty_proposal(study: Study) -> None:
    comparison = compare(evaluate(study), evaluate(study, EMPTY))
    assert (comparison.comparison["change"].dropna() == 0).all()
    assert_same(comparison.comparison["baseline"], comparison.comparison["value"])


def test_what_cannot_be_compared(study: Study, tmp_path: Path) -> None:
    today, less = evaluate(study), evaluate(study, LESS)
    with pytest.raises(UsageError, match="given twice"):
        compare(today, less, less)
    other = evaluate(open_study(town_study(tmp_path)), LESS)
    with pytest.raises(UsageError, match="another study"):
        compare(today, other)
