"""The line that the terminal shows for each proposal: its figures are cells of the tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from community_routes.base.errors import UsageError
from community_routes.evaluation.case import Study, open_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.results import compare
from community_routes.report.figures import figures_of
from community_routes.report.told import _amount, _share, told
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute
from community_routes.scenarios.file import Scenario
from small_town import STUDY, town_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    text = STUDY.replace("cutoffs_min: [30, 60]", "cutoffs_min: [15]")
    return open_study(town_study(tmp_path_factory.mktemp("town"), text), cache=None)


def test_a_line_for_each_proposal(study: Study) -> None:
    """Without L1 and N nobody gets from P0 to P1 or back within 15 minutes: the line's change is that of groups.csv.

    P0 and P1 lose a place each on the departures on which the bus took no longer; the others (and the far one, which walks to
    P1) lose nothing: 2 of 9 neighbourhoods, each counted 1, and nobody gains.
    """
    today = evaluate(study)
    gone = Scenario(scenario="gone", changes=[WithdrawRoute(route="L1"), WithdrawRoute(route="N")])
    both = compare(today, evaluate(study, gone))
    (line,) = told(both.results)
    rows = both.groups.query("scenario == 'gone' and measure == 'cumulative_opportunities' and reading == 'mean'")
    rows = rows[rows["grouping"] == "all"]
    change = float(rows["change"].iat[0])
    assert change < 0
    assert line.startswith(f"gone: everybody: \u2212{abs(change):.2f} places")
    assert "; 0 residents gain, 2 lose; " in line
    assert "bus-hours a year" in line
    leads = figures_of(both.results).summary.query("leads").iloc[0]
    assert (leads["scenario"], leads["change"]) == ("gone", change)  # what the page is judged by


def test_amounts_and_shares_as_they_are_known() -> None:
    """2,078,741 is about 2.1 million, 331,278 about 331,000, 612 stays; a change of 0.03 % is not called 0 %."""
    told_as = [_amount(value, "GBP") for value in (2_078_741, -331_278, 612)]
    assert told_as == ["about £2.1 million", "about \u2212£331,000", "about £612"]
    assert _share(0.03) == "under 0.1\u202f%"
    assert _share(1.54) == "+1.5\u202f%"


def test_misuse_in_python_says_what_to_pass(study: Study, tmp_path: Path) -> None:
    """A path in the place of a study or a proposal, and a proposal in the place of today."""
    with pytest.raises(UsageError, match=r"evaluate\(open_study\('data/study.yaml'\)\)"):
        evaluate("data/study.yaml")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"read_scenario\('x.yaml'\)"):
        evaluate(study, "x.yaml")  # type: ignore[arg-type]
    one, two = (
        evaluate(study, Scenario(scenario=name, changes=[WithdrawRoute(route="L1")])) for name in ("one", "two")
    )
    with pytest.raises(UsageError, match=r"the first is the proposal 'one'.*today"):
        compare(one, two)
    with pytest.raises(UsageError, match=r"compare\(today, \.\.\.\) takes what `evaluate` gives"):
        compare(study, one)  # type: ignore[arg-type]


def test_figures_with_shapes(study: Study) -> None:
    """A row for each neighbourhood with its area; the value is the cell of access, and what is open names the columns."""
    today = evaluate(study)
    found = today.to_geodataframe(kind="shared_spaces", window="peak", cutoff_min=15)
    assert found.geometry.name == "geometry"
    assert found["id"].tolist() == study.zones.table["id"].tolist()
    cells = today.access.query("measure == 'cumulative_opportunities' and reading == 'mean' and cutoff_min == 15")
    cells = cells.query("kind == 'shared_spaces' and window == 'peak'").set_index("neighbourhood")["value"]
    assert found.set_index("id")["value"].to_dict() == pytest.approx(cells.to_dict(), nan_ok=True)
    both = compare(today, evaluate(study, Scenario(scenario="gone", changes=[WithdrawRoute(route="L1")])))
    wide = both.to_geodataframe(kind="shared_spaces")
    assert {"baseline", "value", "change"} <= set(wide.columns)
    assert (wide["value"] - wide["baseline"]).tolist() == pytest.approx(wide["change"].tolist(), nan_ok=True)
    readings = today.to_geodataframe(kind="shared_spaces", reading=None)
    assert {"value mean", "value p50"} <= set(readings.columns)
    with pytest.raises(UsageError, match="kind='shared_space': no figure has that; did you mean 'shared_spaces'"):
        today.to_geodataframe(kind="shared_space")
    with pytest.raises(UsageError, match="there is no proposal"):
        compare(today).to_geodataframe()
