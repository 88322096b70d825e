"""Further measures as rows of the tables: two zones by hand, and agreement with the functions behind them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from community_routes.base.columns import ACCESS_COLUMNS
from community_routes.base.times import HOUR, UNREACHED
from community_routes.evaluation.differences import compare_tables
from community_routes.fares.tickets import MODES
from community_routes.measures import equity
from community_routes.measures.competition import Competition
from community_routes.measures.decay import Exponential, Step
from community_routes.measures.equity import Equity, poverty_lines
from community_routes.measures.groups import GROUP_COLUMNS, group_rows
from community_routes.measures.list import MEASURES, build_measure, column_of, default_measures, less_is_better
from community_routes.measures.measure import (
    Column,
    Facts,
    Measure,
    WindowFigures,
    WindowInputs,
    ZoneColumn,
    access_table,
)
from community_routes.measures.meeting import visitors_in_window
from community_routes.measures.money import Affordability
from community_routes.measures.nearby import Service
from community_routes.measures.reached import Reach
from community_routes.measures.service import StopDepartures
from community_routes.measures.wards import OtherWards, ward_table
from community_routes.network.walks.points import Links
from community_routes.sources.study.fares import Fares

NO = UNREACHED
ZONES = pd.DataFrame(
    {
        "id": ["A", "B", "C"],
        "name": ["Abbey", "Bank", "Croft"],
        "group": ["north", "south", "south"],
        "population": [100.0, 300.0, 50.0],
        "deprivation_rank": [1.0, 2.0, 3.0],
        "deprivation_decile": [1.0, 5.0, 9.0],
    }
)
# A has two origin points, the second off the network; C is off it altogether.
ORIGINS = pd.DataFrame({"zone": [0, 0, 1, 2], "weight": [3.0, 1.0, 1.0, 1.0]})
PLACES = pd.DataFrame({"key": ["jobs", "jobs", "spaces"], "kind": ["", "", "library"], "amount": [40.0, 30.0, 1.0]})
TIMES = np.array([[[600, NO, 600]], [[NO, NO, NO]], [[600, 600, 600]], [[NO, NO, NO]]], dtype=np.int32)


def inputs(**changes: object) -> WindowInputs:
    metres = np.array([100.0, 400.0, 500.0])
    given: dict[str, object] = {
        "scenario": "today",
        "day": "day",
        "window": "am",
        "window_s": (8 * HOUR, 10 * HOUR),
        "zones": ZONES,
        "origins": ORIGINS,
        "destinations": PLACES,
        "time_s": TIMES,
        "origin_reason": ["", "off_network", "", "off_network"],
        "access_walks": Links([0, 1, 1, 3, 3], [0, 0, 1], [75, 300, 375], metres),  # type: ignore[arg-type]
        "departures": StopDepartures(
            [0, 0, 1],
            [0, 0, 1],
            [0, 0, 0],
            [1, 2, 3],
            [MODES.index("bus")] * 3,
            [8 * HOUR, 9 * HOUR, 9 * HOUR],  # type: ignore[arg-type]
        ),
        "cutoffs_min": (10.0,),
        **changes,
    }
    return WindowInputs(**given)  # type: ignore[arg-type]


def rows_of(measure: Measure, known: WindowInputs) -> pd.DataFrame:
    return known.table(measure.take(known))


def values(table: pd.DataFrame, measure: str, kind: str | None = None) -> list[float]:
    rows = table[(table["measure"] == measure) & ((table["kind"] == kind) if kind else True)]
    assert rows["neighbourhood"].tolist() == ["A", "B", "C"]
    return [round(v, 12) for v in rows["value"].tolist()]


def test_competition_by_hand() -> None:
    """A's linked point has 75 persons, B 300: R = 40/375 and 30/300; A gets the first, B both. C is off the network."""
    table = rows_of(Competition("two_step_catchment", Step(900)), inputs())
    assert tuple(table.columns) == ACCESS_COLUMNS
    found = values(table, "two_step_catchment", "jobs")
    assert found[:2] == pytest.approx([40 / 375, 40 / 375 + 0.1])
    assert math.isnan(found[2])
    assert table.loc[table["neighbourhood"] == "C", "reason"].unique().tolist() == ["off_network"]
    assert table["kind"].unique().tolist() == ["jobs", "spaces"]
    per_head = values(rows_of(Competition("spatial_availability", Step(900)), inputs()), "spatial_availability", "jobs")
    assert per_head[:2] == pytest.approx([40 / 375, 40 / 375 + 0.1])


def test_service_by_hand() -> None:
    """Two hours: A has two departures at 100 m, B the same two at 400 m (the stop at 500 m is too far): 1 an hour."""
    table = rows_of(Service(per_hour=1.0), inputs())
    assert values(table, "service_per_hour")[:2] == [1.0, 1.0]
    assert values(table, "near_frequent_stop")[:2] == [1.0, 1.0]
    assert values(rows_of(Service(per_hour=2.0), inputs()), "near_frequent_stop")[:2] == [0.0, 0.0]
    index = values(table, "ptal_form_index")
    assert index[0] == pytest.approx(30 / (100 / 80 + 30 + 2))
    assert index[1] == pytest.approx(30 / (5 + 30 + 2) + 0.5 * 30 / (500 / 80 + 60 + 2))
    assert table["kind"].unique().tolist() == ["stops"]


def test_a_table_of_figures_is_in_order_and_says_why_figures_are_missing() -> None:
    """Zones by id, under each the columns by name; a missing value has a stated reason, and a value has none."""
    known = inputs(zones=ZONES.iloc[::-1])
    nan = [2.0, np.nan, 1.0]
    table = known.table([ZoneColumn(nan, "stops", "b", "x"), ZoneColumn([1.0, 2.0, 3.0], "stops", "a", "x")])
    assert table["neighbourhood"].tolist() == ["A", "A", "B", "B", "C", "C"]
    assert table["measure"].tolist() == ["a", "b"] * 3
    assert table["value"].tolist()[0] == 3.0
    assert table["reason"].tolist() == ["", "", "", "off_network", "", ""]
    with pytest.raises(ValueError, match="no stated reason"):
        known.table([ZoneColumn(nan, "stops", "b", "x", reason="")])
    with pytest.raises(ValueError, match="3 zones"):
        known.table([ZoneColumn([2.5], "stops", "b", "x")])


def test_rows_feed_the_groups() -> None:
    """Share of residents near a frequent stop: A and B of those covered, all of them; C's 50 are not covered."""
    rows = group_rows(rows_of(Service(), inputs()), ZONES)
    everybody = rows[(rows["grouping"] == "all") & (rows["measure"] == "near_frequent_stop")].iloc[0]
    assert (everybody["value"], everybody["persons"], everybody["persons_covered"]) == (1.0, 450.0, 400.0)


def test_other_wards_by_hand() -> None:
    """Two wards: A (north) reaches B of the south at one departure of two; B reaches none."""
    between = np.full((4, 2, 3), NO, dtype=np.int32)
    between[0, 0, 1] = 600
    table = rows_of(OtherWards(), inputs(zone_time_s=between))
    assert values(table, "share_of_other_wards")[:2] == [0.5, 0.0]
    assert table["cutoff_min"].unique().tolist() == [10]
    with pytest.raises(ValueError, match="times between zones"):
        rows_of(OtherWards(), inputs())


def test_affordability_by_hand() -> None:
    """For 2.00 B reaches the first place only, in 15 minutes instead of 10, and A nothing; for 5.00 all as without fares."""
    poor = np.full_like(TIMES, NO)
    poor[2, 0, 0] = 900
    table = rows_of(Affordability(), inputs(times_of_budget={5.0: TIMES, 2.0: poor}, cutoffs_min=(10.0, 15.0)))
    tight = table[table["measure"] == "affordable_opportunities_2"]
    jobs = tight[tight["kind"] == "jobs"]
    assert jobs["cutoff_min"].tolist() == [10, 15, 10, 15, 10, 15]
    assert jobs["value"].tolist()[:4] == [0, 0, 0, 40]
    assert values(table[table["cutoff_min"] == 10], "affordable_opportunities_5", "jobs")[:2] == [40, 70]
    nearest = table[(table["measure"] == "nearest_affordable_2") & (table["kind"] == "jobs")]
    assert nearest["reason"].tolist() == ["over_fare", "", "off_network"]
    assert nearest["value"].tolist()[1] == 900
    with pytest.raises(ValueError, match="budgets"):
        rows_of(Affordability(), inputs())


def test_the_nearest_affordable_is_the_median_of_the_nearest_at_each_departure() -> None:
    """Two shared spaces taking turns for B: nearest 300, 400 and 500 s, median 400; the median times are 900 and 500 s."""
    turns = np.full((4, 3, 3), NO, dtype=np.int32)
    turns[2] = [[NO, 300, 800], [NO, 900, 400], [NO, 1000, 500]]
    places = pd.DataFrame({"key": ["jobs", "spaces", "spaces"], "kind": "", "amount": [1.0, 1.0, 1.0]})
    table = rows_of(Affordability(), inputs(destinations=places, time_s=turns, times_of_budget={2.0: turns}))
    assert values(table, "nearest_affordable_2", "spaces")[1] == 400


def test_building_by_name() -> None:
    facts = Facts((10.0,), n_wards=2)
    assert build_measure("two_step_catchment", {}, facts) == Competition("two_step_catchment", Step(2700))
    decay = {"decay": "exponential", "half_time_min": 15}
    assert build_measure("spatial_availability", decay, facts) == Competition("spatial_availability", Exponential(900))
    assert build_measure("service", {"per_hour": 4}, facts) == Service(400, 4)
    assert build_measure("share_of_other_wards", {}, facts) == OtherWards()
    for name, settings, said in (
        ("ptal", {}, "no measure; write one of affordability, balanced_catchment"),
        ("service", {"metres": 4}, "no setting"),
        ("two_step_catchment", {"metres": 4}, "no setting"),
        ("affordability", {}, "needs `fares` with `budgets`"),
    ):
        with pytest.raises(ValueError, match=said):
            build_measure(name, settings, facts)


def test_what_is_measured_where_nothing_is_chosen() -> None:
    """More is measured where the study says more: wards, budgets, fares with places of work."""

    def names(facts: Facts) -> list[str]:
        return [measure.names[0] for measure in default_measures(facts)]

    always = ["cumulative_opportunities", "nearest", "isolated", "interval_opportunities", "service"]
    assert names(Facts((30.0,))) == always
    fares = Fares.model_validate({"single": 2.0, "budgets": [4]})
    everything = [*always, "share_of_other_wards", "affordability", "commuting_cost"]
    assert names(Facts((30.0,), ("employment",), fares, 2)) == everything


def test_columns_say_what_their_names_mean() -> None:
    """Every measure declares which way is better, and the settings in a published name; an unknown one is of more."""
    for name in ("nearest", "nearest_2", "nearest_affordable_2.5", "dual_access_5", "commuting_cost_50", "isolated"):
        assert less_is_better(name)
    for name in ("cumulative_opportunities", "share_reached_nearest", "affordable_opportunities_2", "made_up"):
        assert not less_is_better(name)
    assert column_of("nearest_affordable_2.5").read("nearest_affordable_2.5") == {"budget": "2.5"}
    assert column_of("commuting_cost_50_concession").read("commuting_cost_50_concession") == {
        "share": "50", "holder": "concession",
    }  # fmt: skip
    assert column_of("commuting_burden_50").endless


@dataclass(frozen=True)
class Tedium(Reach):
    """The longest journey among the places within each cutoff, in seconds: a measure of which less is better."""

    names = ("tedium",)
    columns = (Column("tedium", "Longest journey", better="less"),)

    cutoffs_min: tuple[float | None, ...]

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Tedium:
        return cls(facts.cutoffs_min)

    def of_rows(self, times: Any, places: Any) -> Any:
        within = [np.where(times <= 60 * (cutoff or 0), times, 0) for cutoff in self.cutoffs_min]
        return np.stack([each[:, places.columns].max(axis=1, initial=0) for each in within], axis=1).astype(float)


@dataclass(frozen=True)
class Crowd(Measure):
    """Persons for each place of a key: a measure of the window as a whole, of which less is better."""

    names = ("crowd",)
    settings = ("of",)
    columns = (Column("crowd", "Persons for each place", better="less", settings=("of",)),)

    key: str

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Crowd:
        return cls(str(settings["of"]))

    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        n = int((window.destinations["key"] == self.key).sum())
        return [
            ZoneColumn(window.zones["population"] / n, self.key, self.columns[0].name(self.key), "persons per place")
        ]


def test_a_measure_is_added_from_outside_by_one_class_and_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A's longest journey falls from 600 to 300 s, and half as many persons share a place: both are gains, not losses."""
    monkeypatch.setattr("community_routes.measures.list.MEASURES", [*MEASURES, Tedium, Crowd])
    facts = Facts((10.0,))
    chosen = [build_measure("tedium", {}, facts), build_measure("crowd", {"of": "jobs"}, facts)]
    assert chosen == [Tedium((10.0,)), Crowd("jobs")]
    quick = np.where(TIMES == 600, 300, TIMES).astype(np.int32)
    more = pd.concat([PLACES, PLACES.iloc[:2]], ignore_index=True)
    wide = np.concatenate([quick, quick[:, :, :2]], axis=2)
    before, after = inputs(), inputs(scenario="link", time_s=wide, destinations=more)
    tables = [known.table([c for measure in chosen for c in measure.take(known)]) for known in (before, after)]
    assert tables[1][tables[1]["measure"] == "crowd_jobs"]["value"].tolist() == [25.0, 75.0, 12.5]
    groups = group_rows(tables[1], ZONES, baseline=tables[0])
    everybody = groups[(groups["grouping"] == "all") & (groups["kind"] == "jobs") & (groups["reading"] == "mean")]
    by_measure = everybody.set_index("measure")[["persons_better", "persons_worse"]].to_numpy().tolist()
    assert by_measure == [[450.0, 0.0], [400.0, 0.0]]
    assert less_is_better("tedium") and less_is_better("crowd_jobs")
    categories = compare_tables(*tables).set_index(["measure", "neighbourhood", "kind", "reading"])["category"]
    assert categories["tedium", "A", "jobs", "mean"] == "better"
    assert categories["crowd_jobs", "B", "jobs", "mean"] == "better"


def counts(cube: NDArray[np.int32], cutoffs: tuple[float, ...] = (10,)) -> list[WindowFigures]:
    """Figures of the default measures of reach."""
    known = inputs(time_s=cube, cutoffs_min=cutoffs)
    chosen = default_measures(Facts(cutoffs))[:4]
    return [known.figures([column for measure in chosen for column in measure.take(known)])]


def test_equity_of_a_table_and_its_change() -> None:
    """Jobs 40 and 70 for 100 and 300 persons, then 70 and 70: the indices of the functions, and 0 after."""
    better = TIMES.copy()
    better[0, 0, 1] = 600
    today, link = counts(TIMES), counts(better)
    lines = poverty_lines(today)
    assert lines["day", "am", "jobs", "cumulative_opportunities", 10] == pytest.approx(0.6 * 70)
    rows = Equity({"jobs": 70.0, "spaces": 1.0}, lines).rows("link", link, today)
    assert tuple(rows.columns) == GROUP_COLUMNS
    jobs = rows[rows["kind"] == "jobs"].set_index("measure")
    x, w, rank = [40.0, 70.0], [100, 300], [1, 2]
    gini = jobs.loc["gini_index_of_cumulative_opportunities"]
    assert (gini["baseline"], gini["value"]) == pytest.approx((equity.gini_index(x, w), 0))
    assert gini["change"] == gini["low"] == gini["high"] == gini["value"] - gini["baseline"]
    erreygers = jobs.loc["erreygers_index_of_cumulative_opportunities", "baseline"]
    assert erreygers == pytest.approx(equity.erreygers_index(x, w, rank, lower=0, upper=70))
    poverty = jobs.loc["poverty_of_access_of_cumulative_opportunities"]
    assert (poverty["baseline"], poverty["value"]) == (0.25, 0)
    assert gini["persons_covered"] == 400
    assert gini["mark"] == ""
    same = Equity({"jobs": 70.0}).rows("today", today, today)
    assert (same["change"] == 0).all()


def test_visitors_in_a_window() -> None:
    """The linked point of A and the one of B reach the library: all of A and B could come, nobody of C."""
    persons = pd.DataFrame({"x": [60.0, 100.0, 25.0], "y": [40.0, 200.0, 25.0]})
    found = visitors_in_window(inputs(), persons, np.array([2]), cutoff_min=10)
    assert found.count[:, 0].tolist() == [160, 240]
    assert found.unable.tolist() == [25, 25]


def test_ward_to_ward_by_hand() -> None:
    """North is A (its linked point 75 of 100 persons), south B and C (C off the network); median of 500, 700, 900 is 700.

    Within 10 minutes nobody of the north reaches the south, within 15 all who are on the network; B walks to itself.
    """
    times = np.full((4, 3, 3), NO, dtype=np.int32)
    times[0] = [[0, 500, NO], [0, 900, NO], [0, 700, NO]]
    times[2] = [[1000, 0, NO]] * 3
    table = ward_table(inputs(zone_time_s=times, cutoffs_min=(10.0, 15.0)))
    assert table is not None
    assert list(table.columns) == [
        "scenario", "day", "window", "from_group", "to_group", "cutoff_min", "persons", "share", "unit", "median_s", "reading",
        "reason",
    ]  # fmt: skip
    rows = table[["from_group", "to_group", "cutoff_min", "persons", "share", "median_s"]].to_numpy().tolist()
    assert rows[:4] == [
        ["north", "north", 10.0, 100.0, 1.0, 0.0],
        ["north", "north", 15.0, 100.0, 1.0, 0.0],
        ["north", "south", 10.0, 100.0, 0.0, 700.0],
        ["north", "south", 15.0, 100.0, 1.0, 700.0],
    ]
    assert [row[4:] for row in rows[4:]] == [[0.0, 1000.0], [0.0, 1000.0], [1.0, 0.0], [1.0, 0.0]]
    times[0] = [[0, 500, 800], [0, 900, 600], [0, 950, 700]]  # nearest 500, 600, 700; median times 900 and 700
    turns = ward_table(inputs(zone_time_s=times, cutoffs_min=(10.0,)))
    assert turns is not None
    assert turns[["share", "median_s"]].to_numpy().tolist()[1] == [1.0, 600.0]
    assert ward_table(inputs()) is None


def test_isolation_stands_in_the_default_tables() -> None:
    """A and B have jobs within 10 minutes at the one departure; of libraries alone nothing more is said than reach."""
    table = access_table("today", counts(TIMES, (5, 10)))
    told = table[(table["measure"] == "isolated") & (table["reading"] == "mean") & (table["kind"] == "jobs")]
    assert told["value"].tolist()[:4] == [1.0, 0.0, 1.0, 0.0]
    assert not (table["kind"].str.contains("/") & table["measure"].str.startswith(("isolated", "interval"))).any()
