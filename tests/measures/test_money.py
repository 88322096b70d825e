"""A month of commuting in the tables: two neighbourhoods by hand, reasons, incomes, groups, and a study with a change of fare."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import StudyError
from community_routes.base.times import HOUR, UNREACHED
from community_routes.evaluation.case import open_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.results import compare
from community_routes.fares.month import Commute
from community_routes.measures.groups import group_rows
from community_routes.measures.list import build_measure, less_is_better
from community_routes.measures.measure import Facts, Measure, WindowInputs
from community_routes.measures.money import Commuting
from community_routes.measures.service import StopDepartures
from community_routes.network.walks.points import Links
from community_routes.scenarios.file import read_scenario
from community_routes.sources.study.fares import Fares
from small_town import STUDY, town_study

NO, INF = UNREACHED, math.inf
ZONES = pd.DataFrame(
    {
        "id": ["A", "B", "C"],
        "name": ["Abbey", "Bank", "Croft"],
        "group": "",
        "population": [100.0, 300.0, 50.0],
        "deprivation_rank": [1.0, 2.0, 3.0],
        "deprivation_decile": [1.0, 5.0, 9.0],
    }
)
PLACES = pd.DataFrame({"key": ["jobs", "jobs", "spaces"], "kind": "", "amount": [40.0, 30.0, 1.0]})
# A walks to the 40 and has no way to the 30; B pays 40.00 a month for the 40, and only an unpriced train goes to the 30.
TIMES = np.array([[[600, NO, 600]], [[600, 600, 600]], [[NO, NO, NO]]], dtype=np.int32)
COST = np.array([[[0.0, INF]], [[40.0, INF]], [[INF, INF]]])


def rows(share: float, income: float | None = None, cost: Any = COST, **zones: list[float]) -> pd.DataFrame:
    nothing = np.empty(0, np.int64)
    inputs = WindowInputs(
        scenario="today",
        day="day",
        window="am",
        window_s=(8 * HOUR, 9 * HOUR),
        zones=ZONES.assign(**zones),
        origins=pd.DataFrame({"zone": [0, 1, 2], "weight": [1.0, 1.0, 1.0]}),
        destinations=PLACES,
        time_s=TIMES,
        origin_reason=["", "", "off_network"],
        access_walks=Links([0, 0, 0, 0], nothing, nothing, nothing),  # type: ignore[arg-type]
        departures=StopDepartures(nothing, nothing, nothing, nothing, nothing, nothing),  # type: ignore[arg-type]
        cutoffs_min=(10.0,),
        cost_of_commute={Commute("jobs"): np.asarray(cost)},
    )
    return rows_of(Commuting(Commute("jobs"), share, income), inputs)


def rows_of(measure: Measure, known: WindowInputs) -> pd.DataFrame:
    return known.table(measure.take(known))


def told(table: pd.DataFrame, measure: str) -> list[object]:
    mine = table[table["measure"] == measure]
    assert mine["neighbourhood"].tolist() == ["A", "B", "C"]
    return [value if reason == "" else reason for value, reason in zip(mine["value"], mine["reason"], strict=True)]


def test_half_of_the_jobs() -> None:
    """35 of 70 jobs: A walks to 40 of them, B pays 40.00. Three fifths (42): A has no journey to more, B none with a price."""
    half = rows(0.5)
    assert told(half, "commuting_cost_50") == [0.0, 40.0, "off_network"]
    assert half[["kind", "reading", "cutoff_min", "unit"]].drop_duplicates().to_numpy().tolist() == [
        ["jobs", "best", 10, "GBP per month"]
    ]
    assert told(rows(0.6), "commuting_cost_60") == ["over_time", "over_fare", "off_network"]
    assert set(half["measure"]) == {"commuting_cost_50"}  # no income, no share of it and no row about it


def test_share_of_an_income() -> None:
    """40.00 of 1,600 are 2.5 %; of A's own 2,000 its 0; where B has none of its own the stated one is taken, else missing."""
    assert told(rows(0.5, 1600.0), "commuting_burden_50") == [0.0, 0.025, "off_network"]
    own = {"income_per_month": [2000.0, 800.0, 900.0]}
    assert told(rows(0.5, 1600.0, **own), "commuting_burden_50") == [0.0, 0.05, "off_network"]
    gap = {"income_per_month": [2000.0, math.nan, 900.0]}
    assert told(rows(0.5, 1600.0, **gap), "commuting_burden_50") == [0.0, 0.025, "off_network"]
    assert told(rows(0.5, **gap), "commuting_burden_50") == [0.0, "income_unknown", "off_network"]
    assert told(rows(0.6, **gap), "commuting_burden_60") == ["over_time", "over_fare", "off_network"]


def test_groups_and_a_first_journey() -> None:
    """(100 x 0 + 300 x 40)/400 = 30; three fifths of the jobs cost nobody anything today, and A 60.00 with a proposal."""
    everybody = group_rows(rows(0.5), ZONES).query("grouping == 'all'")
    assert everybody["value"].tolist() == [30.0]
    assert everybody["persons_covered"].tolist() == [400.0]
    proposal = rows(0.6, cost=[[[0.0, 60.0]], [[40.0, INF]], [[INF, INF]]]).assign(scenario="bus")
    change = group_rows(proposal, ZONES, baseline=rows(0.6)).query("grouping == 'all'").iloc[0]
    assert (change["value"], change["persons_covered"]) == (60.0, 100.0)
    assert (change["persons_better"], change["persons_worse"], change["persons_same"]) == (100.0, 0.0, 300.0)
    assert less_is_better("commuting_cost_50")
    assert less_is_better("commuting_burden_50")


def test_windows_without_a_way_to_work_have_no_rows() -> None:
    assert rows_of(Commuting(Commute("spaces")), _only_jobs()).empty


def _only_jobs() -> WindowInputs:
    nothing = np.empty(0, np.int64)
    departures = StopDepartures(nothing, nothing, nothing, nothing, nothing, nothing)  # type: ignore[arg-type]
    walks = Links([0, 0, 0, 0], nothing, nothing, nothing)  # type: ignore[arg-type]
    origins = pd.DataFrame({"zone": [0, 1, 2], "weight": 1.0})
    place = "today", "day", "pm", (18 * HOUR, 19 * HOUR), ZONES, origins, PLACES, TIMES, ["", "", ""]
    return WindowInputs(*place, walks, departures, (10.0,), cost_of_commute={Commute("jobs"): COST})


def test_by_name() -> None:
    facts = Facts((10.0,), ("employment", "shops"), Fares.model_validate({"single": 2.0}))
    asked = {"key": "shops", "share": 0.25, "days": 12, "days_a_week": 3}
    assert build_measure("commuting_cost", asked, facts) == Commuting(Commute("shops", 12, 3), 0.25)
    for wrong in ({"share": 0}, {"share": 1.5}, {"days": 0}, {"days_a_week": 8}, {"month": 1}):
        with pytest.raises(ValueError, match="commuting_cost"):
            build_measure("commuting_cost", wrong, facts)


TOWN = (
    STUDY
    + """\
fares: {single: 2.00, week: 20.00, income_per_month: 1680}
measures: [{commuting_cost: {key: shared_spaces, share: 0.5}}, {commuting_cost: {key: shared_spaces, share: 0.25}}]
"""
)
CHEAPER = "scenario: cheaper\ntitle: Singles at 1.00\nchanges:\n  - change_fare: {single: 1.00}\n"


def test_a_study_and_a_change_of_fare(tmp_path: Path) -> None:
    """From P0, leaving at 07:19: P1 after 11 minutes, P2 after 31, P3 after 51; an hour reaches four of seven places.

    A quarter (two places) within 30 minutes is one bus: 21 x 2 x 2.00 = 84.00, with the week 21 x 20.00/5 = 84.00 too, and
    42.00 with singles at 1.00. Half (four places) within 60 minutes are three buses: 84.00 by the week ticket, then as
    before, because six singles at 1.00 are 126.00. P1 reaches P0, P2 and P3 by at most two buses. Nobody reaches four in 30.
    """
    study = open_study(town_study(tmp_path, TOWN))
    (tmp_path / "cheaper.yaml").write_text(CHEAPER, encoding="utf-8")
    today = evaluate(study)
    cheaper = evaluate(study, read_scenario(tmp_path / "cheaper.yaml"))
    found = {}
    for evaluation in (today, cheaper):
        table = evaluation.access.set_index(["neighbourhood", "measure", "cutoff_min"])
        cells = [("P0", "25", 30), ("P0", "50", 60), ("P1", "50", 60), ("P0", "50", 30), ("lost", "25", 60)]
        found[evaluation.scenario] = [
            table.loc[(zone, f"commuting_cost_{share}", cutoff), ["value", "reason"]].tolist()
            for zone, share, cutoff in cells
        ]
    missing = [[pytest.approx(math.nan, nan_ok=True), reason] for reason in ("over_time", "off_network")]
    assert found["today"] == [[84.0, ""], [84.0, ""], [84.0, ""], *missing]
    assert found["cheaper"] == [[42.0, ""], [84.0, ""], [84.0, ""], *missing]
    burden = today.access.set_index(["neighbourhood", "measure", "cutoff_min"]).loc[("P0", "commuting_burden_25", 30)]
    assert (burden["value"], burden["unit"]) == (0.05, "share")
    both = compare(today, cheaper)
    change = both.comparison.set_index(["neighbourhood", "measure", "cutoff_min"])
    assert change.loc[("P0", "commuting_cost_25", 30), ["baseline", "value", "change", "low"]].tolist() == [
        84.0, 42.0, -42.0, -42.0,
    ]  # fmt: skip
    everybody = both.groups.query("measure == 'commuting_cost_25' and scenario == 'cheaper' and cutoff_min == 30")
    assert everybody.loc[everybody["grouping"] == "all", "persons_better"].item() > 0
    assert everybody.loc[everybody["grouping"] == "all", "persons_worse"].item() == 0


def test_holders_of_the_concession_have_figures_of_their_own(tmp_path: Path) -> None:
    """Free from 08:01: the way out by 08:00 costs 2.00, the way back nothing: 42.00 instead of 84.00 for a quarter."""
    chosen = "measures: [{commuting_cost: {key: shared_spaces, share: 0.25}}, %s]\n"
    own = chosen % "{commuting_cost: {key: shared_spaces, share: 0.25, concession: true}}"
    fares = 'fares: {single: 2.00, concession: {share: 0.2, from: "08:01"}}\n'
    access = evaluate(open_study(town_study(tmp_path / "one", STUDY + fares + own))).access
    found = access.set_index(["neighbourhood", "measure", "cutoff_min"])["value"]
    assert found["P0", "commuting_cost_25", 30] == 84.0
    assert found["P0", "commuting_cost_25_concession", 30] == 42.0
    none = open_study(town_study(tmp_path / "none", STUDY + "fares: {single: 2.00}\n" + own))
    with pytest.raises(StudyError, match="needs `concession`"):
        evaluate(none)


def test_without_fares_it_is_off_and_asked_for_it_is_an_error(tmp_path: Path) -> None:
    plain = evaluate(open_study(town_study(tmp_path / "plain")))
    assert not plain.access["measure"].str.startswith("commuting").any()
    asked = open_study(town_study(tmp_path / "asked", STUDY + "measures: [{commuting_cost: {key: shared_spaces}}]\n"))
    with pytest.raises(StudyError, match="needs `fares`"):
        evaluate(asked)
    unknown = open_study(town_study(tmp_path / "jobs", STUDY + "fares: {single: 2}\nmeasures: [commuting_cost]\n"))
    with pytest.raises(StudyError, match="'employment' is no key of destinations"):
        evaluate(unknown)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("affordability", "needs `fares` with `budgets`"),
        ("share_of_other_wards", "needs neighbourhoods with a `group`"),
    ],
)
def test_what_a_study_lacks_for_a_measure_is_said(chosen: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=said):
        evaluate(open_study(town_study(tmp_path, STUDY + f"measures: [{chosen}]\n")))


def test_a_second_point_of_a_zone_counts_by_its_weight() -> None:
    """Costs of 0 and 40 at points that weigh 1 and 3: the weighted median is 40."""
    inputs = replace(
        _only_jobs(),
        origins=pd.DataFrame({"zone": [0, 0, 1], "weight": [1.0, 3.0, 1.0]}),
        zones=ZONES.iloc[:2],
        time_s=TIMES[[0, 1, 1]],
        cost_of_commute={Commute("jobs"): COST[[0, 1, 1]]},
    )
    assert rows_of(Commuting(Commute("jobs")), inputs)["value"].tolist() == [40.0, 40.0]
