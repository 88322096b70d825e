"""The table that answers: percent, people, cost, and the row by which a proposal is judged."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from community_routes.report.figures import figures_of, strongest
from community_routes.report.lead import Slot
from community_routes.report.results import Results
from report.made_results import made_results


def with_group(results: Results, window: str, kind: str, **values: float) -> Results:
    """The results with other figures of the most deprived fifth within 45 minutes under the proposal."""
    groups = results.groups.copy()
    mine = (
        (groups["scenario"] == "proposal-1")
        & (groups["window"] == window)
        & (groups["kind"] == kind)
        & (groups["measure"] == "cumulative_opportunities")
        & (groups["cutoff_min"] == 45)
        & (groups["grouping"] == "local")
        & (groups["group"] == "1")
    )
    assert mine.sum() == 1
    groups.loc[mine, list(values)] = list(values.values())
    return dataclasses.replace(results, groups=groups)


def test_a_proposal_is_judged_where_the_fifth_changes_by_the_greatest_share() -> None:
    """4 of 100 in the morning are 4 %, 3 of 50 in the evening 6 %: the evening leads though it is less."""
    results = with_group(made_results(25), "morning_peak", "employment", baseline=100, value=104, change=4)
    results = with_group(results, "evening", "employment", baseline=50, value=53, change=3)
    table = figures_of(results).summary
    (lead,) = table[table["leads"]].to_dict("records")
    assert (lead["window"], lead["change_percent"]) == ("evening", 6.0)
    morning = table.query("scenario == 'proposal-1' and window == 'morning_peak' and kind == 'employment'")
    assert morning["change_percent"].tolist() == [4.0]


def test_all_proposals_are_judged_by_the_first_kind_of_place_and_mapped_where_they_act() -> None:
    """Nothing changes for employment: the row that leads says so, the map shows the shared spaces."""
    results = made_results(25)
    for window in ("morning_peak", "evening"):
        results = with_group(results, window, "employment", baseline=100, value=100, change=0)
    figures = figures_of(results)
    row = figures.leader("proposal-1")
    assert row is not None and figures.summary["kind"][row] == "employment" and figures.summary["change"][row] == 0
    assert strongest(figures, "proposal-1") == (Slot("day", "evening"), "shared_spaces")


def test_from_nothing_there_is_no_percent_but_it_leads() -> None:
    results = with_group(made_results(25), "morning_peak", "employment", baseline=0, value=1, change=1)
    (lead,) = figures_of(results).summary.query("leads").to_dict("records")
    assert lead["window"] == "morning_peak"
    assert np.isnan(lead["change_percent"])


def test_what_each_who_gains_costs_and_who_is_left_with_nothing() -> None:
    """312,000 a year over those who gain; 3 % of 20,000 reach nothing more than today, 600 people."""
    results = made_results(25)
    rows = results.groups.query("kind == 'employment' and cutoff_min == 45 and grouping == 'local' and group == '1'")
    rows = rows[rows["measure"] == "cumulative_opportunities"].assign(
        measure="isolated", grouping="all", group="all", unit="share", change=0.03, persons_covered=20_000.0
    )
    summary = figures_of(dataclasses.replace(results, groups=pd.concat([results.groups, rows]))).summary
    (lead,) = summary.query("leads").to_dict("records")
    assert lead["persons_left_with_nothing"] == pytest.approx(600)
    assert lead["persons_newly_reaching"] == 0
    assert lead["cost_per_person_better"] == pytest.approx(312_000 / lead["persons_better"])
    everybody = results.groups.query(
        "scenario == 'proposal-1' and window == 'evening' and kind == 'employment' and cutoff_min == 45"
        " and grouping == 'local'"
    )
    assert lead["persons_better"] == everybody["persons_better"].sum()


def test_what_saves_money_has_no_cost_for_each_who_gains() -> None:
    results = made_results(25)
    (scenario,) = results.scenarios
    saving = dataclasses.replace(scenario, cost={"cost_per_year": -5000.0})
    (lead,) = figures_of(made_results(25, scenarios=(saving,))).summary.query("leads").to_dict("records")
    assert lead["cost_per_year"] == -5000
    assert np.isnan(lead["cost_per_person_better"])
