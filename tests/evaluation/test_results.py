"""Today and proposals side by side, in tables whose figures are known, and folders that are replaced whole."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from community_routes.base.errors import UsageError
from community_routes.evaluation.case import Study, open_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.proposals import read_scenarios
from community_routes.evaluation.results import compare
from community_routes.report.page import page_html
from community_routes.scenarios.file import Scenario
from small_town import town_study
from unchanged import EMPTY, assert_same, assert_same_beside

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


def test_changes_under_the_least_that_matters_are_none(study: Study) -> None:
    """Without L1, P0 has 1 place of 2 within 30 minutes and P1 has 2 of 3: with a least change of 40 % only P0 loses."""
    today, less = evaluate(study), evaluate(study, LESS)

    def worse(least_change: float) -> tuple[set[str], float]:
        comparison = compare(today, less, least_change=least_change)
        what = [
            ("measure", "cumulative_opportunities"),
            ("reading", "mean"),
            ("kind", "shared_spaces"),
            ("cutoff_min", 30),
        ]
        zones, groups = comparison.comparison, comparison.groups
        for column, value in what:
            zones, groups = zones[zones[column] == value], groups[groups[column] == value]
        everyone = groups[(groups["scenario"] == "less") & (groups["grouping"] == "all")].iloc[0]
        assert everyone["change"] == pytest.approx(-2 / 8), "the change itself stays as it is"
        return set(zones.loc[zones["category"] == "worse", "neighbourhood"]), everyone["persons_worse"]

    assert worse(0.0) == ({"P0", "P1"}, 2)
    assert worse(0.4) == ({"P0"}, 1)
    assert worse(0.5) == (set(), 0), "equality allowed"
    with pytest.raises(UsageError, match="least change of 2"):
        compare(today, less, least_change=2)
    page = page_html(compare(today, less, least_change=0.4).results)
    assert "no change of more than 40 %" in page and "Least change that counts (share)" in page


def test_every_table_counts_gains_and_losses_by_one_rule(study: Study) -> None:
    """Neighbourhoods that the comparison calls better or worse are those that groups.csv counts, whatever the least change.

    Of counts; a time that is found or lost (gained, lost in the comparison) is better or worse than none in groups.csv.
    """
    today, less = evaluate(study), evaluate(study, LESS)
    keys = ["day", "window", "kind", "measure", "reading", "cutoff_min"]
    counts = []
    for least_change in (0.0, 0.01, 0.1, 0.4):
        comparison = compare(today, less, least_change=least_change)
        table, groups = (
            t[(t["scenario"] == "less") & (t["measure"] == "cumulative_opportunities")]
            for t in (comparison.comparison, comparison.groups)
        )
        groups = groups[groups["grouping"] == "all"]
        for name in ("better", "worse", "same"):
            mine = table.assign(hit=table["category"] == name).groupby(keys, dropna=False)["hit"].sum()
            found = groups.set_index(keys)[f"persons_{name}"]
            assert (mine.reindex(found.index) == found).all() and len(found) >= 8
        assert (groups["persons_below"] <= groups["persons_same"]).all()
        counts.append((int(groups["persons_worse"].sum()), int(groups["persons_below"].sum())))
    assert all(sum(count) == counts[0][0] for count in counts), "a loss is counted, or lies below"
    assert counts[0][1] == 0 < counts[-1][1]
    page = page_html(compare(today, less).results)
    assert "counted from a change of 1 % on" in page and "lie below it" in page
    assert "lie below it" not in page_html(compare(today, less, least_change=0).results)


def test_what_it_takes_by_day_and_period(study: Study) -> None:
    """L1 has 48 buses a day each way (06:00 to 21:40 every 20 minutes), 10 minutes each; the layover of a cycle is 5 minutes.

    A bus is in use 12.5 minutes for each run: 96 x 12.5 / 60 = 20 hours a day, two buses at once, none without the route.
    """
    extra = compare(evaluate(study), evaluate(study, LESS)).results.extra
    days = extra["operating_by_day"].set_index("day")
    assert days.loc["weekday", ["departures_today", "departures_proposal"]].tolist() == [96, 0]
    assert days.loc["weekday", ["bus_hours_today", "bus_hours_proposal"]].tolist() == [20, 0]
    assert days.loc["weekday", "cycle_min_today"] == 25
    periods = extra["operating_by_period"]
    peak = periods[(periods["day"] == "weekday") & (periods["period"] == "morning peak")].iloc[0]
    assert (peak["scenario"], peak["buses_today"], peak["buses_proposal"]) == ("less", 2, 0)
    assert "operating_by_day" not in compare(evaluate(study), evaluate(study, EMPTY)).results.extra


def test_an_empty_proposal(study: Study) -> None:
    comparison = compare(evaluate(study), evaluate(study, EMPTY))
    assert (comparison.comparison["change"].dropna() == 0).all()
    assert_same(comparison.comparison["baseline"], comparison.comparison["value"])


NEW = {
    "add_route": {
        "name": "X",
        "stops": ["S5", "S6"],
        "run_times_min": [10],
        "service": {"weekday": {"06:00-12:00": 15}},
    }
}


def test_what_was_added_and_withdrawn_leaves_no_trace(study: Study) -> None:
    """The new bus to P6 gains somebody something; withdrawn again, every table says of the proposal what it says of today."""
    today = evaluate(study)
    gone = evaluate(study, Scenario(scenario="gone", changes=[NEW, {"withdraw_route": {"route": "X"}}]))
    assert (compare(today, evaluate(study, Scenario(scenario="new", changes=[NEW]))).comparison["change"] > 0).any()
    comparison = compare(today, gone)
    assert (comparison.comparison["change"].dropna() == 0).all()
    assert_same(comparison.comparison["baseline"], comparison.comparison["value"])
    assert_same_beside(comparison)


def test_unrelated_changes_in_either_order(study: Study) -> None:
    """A new bus at one end of the town and fewer at the other: the same access, whichever is written first."""
    changes = [NEW, {"set_headway": {"route": "L1", "weekday": {"07:00-09:00": 30}}}]
    one, other = (
        evaluate(study, Scenario(scenario="both", changes=order)).access for order in (changes, changes[::-1])
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert not one["value"].equals(evaluate(study).access["value"])


def test_what_cannot_be_compared(study: Study, tmp_path: Path) -> None:
    today, less = evaluate(study), evaluate(study, LESS)
    with pytest.raises(UsageError, match="given twice"):
        compare(today, less, less)
    other = evaluate(open_study(town_study(tmp_path)), LESS)
    with pytest.raises(UsageError, match="another study"):
        compare(today, other)


def test_what_a_service_on_demand_takes_is_shown_or_said_to_be_unknown(tmp_path: Path) -> None:
    """Two vehicles 07:00-10:00 on 253 weekdays are 1,518 bus-hours; without vehicles nobody knows, and it is ranked last."""
    study = open_study(town_study(tmp_path / "town"))
    lon = [19.99, 20.11, 20.11, 19.99, 19.99]
    lat = [-0.01, -0.01, 0.01, 0.01, -0.01]
    zone = {"type": "Polygon", "coordinates": [list(zip(lon, lat, strict=True))]}
    (tmp_path / "zone.geojson").write_text(json.dumps(zone), encoding="utf-8")
    drt = "add_drt: {name: Dial, zone: zone.geojson, hours: 07:00-10:00, wait_min: 5"
    for name, more in (("known", ", vehicles: 2"), ("unknown", "")):
        text = f"scenario: {name}\nchanges:\n  - {drt}{more}}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    plans = read_scenarios([tmp_path / "unknown.yaml", tmp_path / "known.yaml"], study)
    today = evaluate(study)
    comparison = compare(today, *(evaluate(study, plan) for plan in plans))
    ranking = comparison.ranking[["scenario", "bus_hours"]].to_dict("records")
    assert [row["scenario"] for row in ranking] == ["known", "unknown"]
    assert ranking[0]["bus_hours"] == 1518 and ranking[1]["bus_hours"] != ranking[1]["bus_hours"]
    page = page_html(comparison.results)
    assert page.count('<span class="none">not known</span>') == 3, "bus-hours, kilometres and peak vehicles"
    assert "nobody knows what it takes: see what the costs assume" in page
    assert "What Dial takes and costs is not known: add_drt says no vehicles; write vehicles: N" in page


def test_a_proposal_is_also_compared_with_the_one_it_builds_on(tmp_path: Path) -> None:
    """Without L1 and without L5, on top of without L1: from today P0, P1, P4 and P5 lose a place each within 30 minutes, from
    its base only P4 and P5. The base is evaluated where it is not among the proposals.
    """
    study = open_study(town_study(tmp_path / "town"))
    (tmp_path / "less.yaml").write_text(
        "scenario: less\ntitle: No L1\nchanges:\n  - withdraw_route: {route: L1}\n", encoding="utf-8"
    )
    more = "scenario: lesser\ntitle: Neither\nbase: less\nchanges:\n  - withdraw_route: {route: L5}\n"
    (tmp_path / "lesser.yaml").write_text(more, encoding="utf-8")
    plans = read_scenarios([tmp_path / "lesser.yaml", tmp_path / "less.yaml"], study)
    today, lesser, less = evaluate(study), *(evaluate(study, plan) for plan in plans)
    alone = compare(today, lesser)
    both = compare(today, lesser, less)
    assert both.bases["lesser"] is less and list(both.bases) == ["lesser"]

    def changes(table: pd.DataFrame) -> dict[str, float]:
        rows = table[
            (table["scenario"] == "lesser")
            & (table["measure"] == "cumulative_opportunities")
            & (table["reading"] == "mean")
            & (table["kind"] == "shared_spaces")
            & (table["cutoff_min"] == 30)
        ]
        return {zone: change for zone, change in zip(rows["neighbourhood"], rows["change"], strict=True) if change < 0}

    for comparison in (alone, both):
        extra = comparison.results.extra
        assert set(extra["base_comparison"]["base"]) == {"less"}
        assert changes(comparison.comparison) == dict.fromkeys(("P0", "P1", "P4", "P5"), -1.0)
        assert changes(extra["base_comparison"]) == dict.fromkeys(("P4", "P5"), -1.0)
        groups = extra["base_groups"]
        row = groups[
            (groups["grouping"] == "all") & (groups["measure"] == "cumulative_opportunities") & (groups["reading"] == "mean")
            & (groups["kind"] == "shared_spaces") & (groups["cutoff_min"] == 30)
        ].iloc[0]  # fmt: skip
        assert row["change"] == pytest.approx(-2 / 8) and (row["persons_worse"], row["persons_same"]) == (2, 6)
    assert "What it adds to the proposal that it builds on: No L1</p>" in page_html(alone.results)
    page = page_html(both.results)
    assert "base_groups.csv" in page and "Base comparison" not in page
    assert "base_groups" not in compare(today, less).results.extra
