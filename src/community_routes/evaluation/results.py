"""Today and the proposals side by side: tables, the report, and what a notebook shows."""

from __future__ import annotations

import json
import tempfile
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from community_routes.base.columns import COMPARISON_COLUMNS, LEAST_CHANGE, TableKind
from community_routes.base.errors import UsageError, as_path
from community_routes.base.files import check_replaceable, new_folder
from community_routes.base.memory import give_back
from community_routes.base.times import MINUTE, format_window
from community_routes.base.timings import Stopwatch
from community_routes.base.version import __version__
from community_routes.evaluation.case import TODAY, Study
from community_routes.evaluation.check import notices_table
from community_routes.evaluation.cost import cost_figures, cost_tables, proposal_cost, rate_figures, rates_of
from community_routes.evaluation.differences import PAIRED, compare_figures, compare_tables, rank_proposals
from community_routes.evaluation.draws import (
    BySide,
    Intervals,
    by_side,
    intervals,
    is_random,
    randomness_of,
    with_intervals,
    with_spreads,
)
from community_routes.evaluation.evaluate import Evaluation, evaluate_case, evaluate_worst
from community_routes.evaluation.inputs import keep_inputs as keep_inputs_of
from community_routes.evaluation.map_layers import Box, route_table, stop_table, study_box, zones_of_postcodes
from community_routes.evaluation.proposals import scenario_sources
from community_routes.evaluation.views import nearest_places, sample_journeys
from community_routes.measures.equity import Equity, poverty_lines
from community_routes.measures.groups import Baseline, group_rows, window_groups
from community_routes.measures.measure import beside
from community_routes.measures.meeting import hide_together
from community_routes.report.files.tables import write_files
from community_routes.report.notebook import map_html, notebook_html, table_html
from community_routes.report.results import (
    BASE_COMPARISON,
    BASE_GROUPS,
    JourneyView,
    Results,
    ScenarioSummary,
    empty_table,
)
from community_routes.report.shapes import with_shapes
from community_routes.routing.runner import Progress, Runner
from community_routes.scenarios.change import OfRoute
from community_routes.scenarios.cost import OperatingCost
from community_routes.scenarios.file import Scenario
from community_routes.sources.study.postcodes import read_postcodes


def base_evaluations(
    proposals: Sequence[Evaluation], evaluate_one: Callable[[Scenario], Evaluation]
) -> dict[str, Evaluation]:
    """What each proposal builds on, evaluated: one of the proposals where it is among them, else evaluated now, once.

    Parameters
    ----------
    proposals : sequence of Evaluation
    evaluate_one : callable
        Evaluates a scenario on the same study.

    Returns
    -------
    dict of scenario to Evaluation
        Of the proposals with a base only.
    """
    known = {_text(scenario): side for side in proposals if (scenario := _scenario(side)) is not None}
    found: dict[str, Evaluation] = {}
    for proposal in proposals:
        scenario = _scenario(proposal)
        base = scenario.base_scenario if scenario is not None else None
        if base is None:
            continue
        if _text(base) not in known:
            known[_text(base)] = evaluate_one(base)
        found[proposal.scenario] = known[_text(base)]
    return found


def _scenario(side: Evaluation) -> Scenario | None:
    return side.applied.scenario if side.applied is not None else None


def _text(scenario: Scenario) -> tuple[str, ...]:
    """What a proposal says, with all that it builds on and where its files lie."""
    return tuple(f"{part.folder}\n{part.to_yaml()}" for part in scenario.chain())


def base_tables(
    proposals: Sequence[Evaluation], bases: Mapping[str, Evaluation], least_change: float
) -> dict[str, pd.DataFrame]:
    """Changes of zones and of groups from the proposal that each builds on; no tables where none builds on any.

    The columns are those of ``comparison.csv`` and ``groups.csv`` with ``base`` after ``scenario``. ``low`` and ``high`` are
    missing where departure times are assumed: the draws are of the change from today.
    """
    zones: list[pd.DataFrame] = []
    groups: list[pd.DataFrame] = []
    for proposal in proposals:
        base = bases.get(proposal.scenario)
        if base is None:
            continue
        parts = [
            compare_tables(base.access, proposal.access, least_change=least_change),
            group_rows(
                proposal.access,
                proposal.zones.table,
                baseline=base.access.assign(scenario=base.scenario),
                baseline_zones=base.zones.table,
                least_change=least_change,
            ),
        ]
        if is_random(proposal.case):
            parts = [with_intervals(part, None) for part in parts]
        for part, into in zip(parts, (zones, groups), strict=True):
            part.insert(1, "base", base.scenario)
            into.append(part)
    if not zones:
        return {}
    return {
        BASE_COMPARISON: pd.concat(zones, ignore_index=True),
        BASE_GROUPS: pd.concat(groups, ignore_index=True),
    }


@dataclass(frozen=True, eq=False)
class Comparison:
    """The baseline and any number of proposals, evaluated on the same study.

    Attributes
    ----------
    today : Evaluation
    proposals : tuple of Evaluation
        May be empty: then there is only today to report on.
    intervals : dict of scenario to Intervals
        Of the proposals with something random, where draws were made.
    bases : dict of scenario to Evaluation
        What a proposal builds on, of those that build on another one.
    least_change : float
        A change of at most this share of the baseline's level counts as no change where gains and losses are counted.
    worst : Comparison or None
        The same of what is known to be accessible alone, beside a step-free comparison of all that may be.
    """

    today: Evaluation
    proposals: tuple[Evaluation, ...]
    intervals: Mapping[str, Intervals] = field(default_factory=dict)
    bases: Mapping[str, Evaluation] = field(default_factory=dict)
    least_change: float = LEAST_CHANGE
    worst: Comparison | None = None

    @property
    def study(self) -> Study:
        """What was studied."""
        return self.today.study

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Today first, then the proposals in their order."""
        return (self.today, *self.proposals)

    @cached_property
    def access(self) -> pd.DataFrame:
        """Access of every zone, today and under each proposal: the columns of ``access.csv``."""
        return pd.concat([evaluation.access for evaluation in self.evaluations], ignore_index=True)

    @cached_property
    def comparison(self) -> pd.DataFrame:
        """Changes from today of every zone: the columns of ``comparison.csv``."""
        tables = []
        for proposal in self.proposals:
            spreads, sides = self._by_side[proposal.scenario], (self.today.figures, proposal.figures)
            further = spreads.of_zones(proposal.figures)
            table = compare_figures(proposal.scenario, *sides, least_change=self.least_change, further=further)
            if table is None:
                table = compare_tables(self.today.access, proposal.access, least_change=self.least_change)
                table = with_spreads(table, spreads.zones)
            if is_random(proposal.case):
                drawn = self.intervals.get(proposal.scenario)
                table = with_intervals(table, drawn.comparison if drawn is not None else None)
            tables.append(table)
        return pd.concat(tables, ignore_index=True) if tables else empty_table(COMPARISON_COLUMNS)

    @cached_property
    def _journeys(self) -> tuple[JourneyView, ...]:
        """Journeys today and under each proposal."""
        return sample_journeys(self.today, self.proposals)

    @cached_property
    def _by_side(self) -> dict[str, BySide]:
        """What is counted departure by departure."""
        return by_side(self.today, self.proposals)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Levels and changes of groups of persons: the columns of ``groups.csv``."""
        today = self.today
        equity = Equity(opportunity_totals(self.evaluations), poverty_lines(today.figures))
        tables = [self._groups_of(today), equity.rows(today.scenario, today.figures)]
        for proposal in self.proposals:
            own = [self._groups_of(proposal), equity.rows(proposal.scenario, proposal.figures, today.figures)]
            if is_random(proposal.case):
                found = self.intervals.get(proposal.scenario)
                own = [with_intervals(t, found.groups if found is not None else None) for t in own]
            tables += own
        return pd.concat(tables, ignore_index=True)

    def _groups_of(self, side: Evaluation) -> pd.DataFrame:
        """Levels of groups today, or of a proposal with their changes and spreads."""
        today, least = self.today, self.least_change
        if side is today:
            return (
                window_groups(today.scenario, today.figures)
                if today.figures
                else group_rows(today.access, today.zones.table)
            )
        spreads, before = self._by_side[side.scenario], beside(today.figures, side.figures)
        if before is not None:
            baseline = Baseline(before, today.zones.table, spreads.of_groups(side.figures))
            return window_groups(side.scenario, side.figures, baseline, least_change=least)
        access, zones = side.access, side.zones.table
        rows = group_rows(access, zones, baseline=today.access, baseline_zones=today.zones.table, least_change=least)
        return with_spreads(rows, spreads.groups)

    @cached_property
    def notices(self) -> pd.DataFrame:
        """Everything that was found: the columns of ``notices.csv``."""
        return notices_table([*self.study.notices, *(n for e in self.evaluations for n in e.notices)])

    @cached_property
    def results(self) -> Results:
        """All that the report is made from."""
        study, file = self.study, self.study.file
        box = study_box(study.zones.table.geometry)
        routes = [route_table(study.feed, file.dates, box, scenario=TODAY)]
        for proposal in self.proposals:
            applied = proposal.applied
            if applied is not None:
                wanted = {*applied.new_routes, *applied.changed_routes}
                name = proposal.scenario
                found = route_table(proposal.feed, file.dates, box, scenario=name, only=wanted, new=applied.new_routes)
                gone = set(applied.changed_routes) - set(found["route_id"])
                was = route_table(study.feed, file.dates, box, scenario=name, only=gone)
                routes += [found, was.assign(withdrawn=True)]
        return Results(
            study_id=file.study,
            title=study.title,
            zones=_zones_with_reason(self.today),
            destinations=self.today.opportunities.table,
            stops=stop_table(study.feed, file.dates, box),
            routes=_with_withdrawn(routes),
            access=self.access,
            comparison=self.comparison,
            groups=self.groups,
            notices=self.notices,
            sources=self._sources(),
            settings=printed_settings(study) | counted_from(self.least_change),
            scenarios=tuple(_summary(proposal, self.costs[proposal.scenario]) for proposal in self.proposals),
            dates=file.dates,
            version=__version__,
            invented=study.is_invented,
            mode=f"step_free_{bound}" if (bound := file.travel.bound) else "",
            worst=None if self.worst is None else self.worst.results,
            currency=study.currency,
            has_population=study.zones.has_population,
            background=study.background,
            nearest_places=nearest_places(self.evaluations),
            journeys=self._journeys,
            postcodes=self._postcodes(box),
            extra=self._extra(),
            windows={name: format_window(window.time) for name, window in file.travel.windows.items()},
        )

    def _postcodes(self, box: Box) -> dict[str, str]:
        """Where each postcode lies; nothing where the study has none."""
        spec = self.study.file.postcodes
        return {} if spec is None else zones_of_postcodes(read_postcodes(spec, box), self.study.zones.table)

    def _extra(self) -> dict[str, pd.DataFrame]:
        """Tables of potential to meet, of every evaluation together."""
        names = dict.fromkeys(name for evaluation in self.evaluations for name in evaluation.further)
        tables = {
            name: pd.concat([e.further[name] for e in self.evaluations if name in e.further], ignore_index=True)
            for name in names
        }
        if "mixing" in tables:
            tables["mixing"] = hide_together(tables["mixing"])
        tables |= base_tables(self.proposals, self.bases, self.least_change)
        tables |= cost_tables(self.costs)
        if self.proposals:
            tables[PAIRED] = pd.concat([self._by_side[p.scenario].paired for p in self.proposals], ignore_index=True)
        return {**tables, **({"ranking": self.ranking} if len(self.ranking) else {})}

    @cached_property
    def costs(self) -> dict[str, OperatingCost | None]:
        """What each proposal takes a year beside today; None where it changes no route and has no buses on demand."""
        return {proposal.scenario: proposal_cost(self.today.case, proposal.case) for proposal in self.proposals}

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """Proposals by what the most deprived fifth gains for each further bus-hour of the year.

        The gain is the change of opportunities reached within the middle cutoff, averaged over the days and windows of the
        study; columns kind, cutoff_min, then those of ``rank_proposals``. Empty with fewer than two proposals that cost.
        """
        hours = {scenario: cost.bus_hours for scenario, cost in self.costs.items() if cost is not None}
        if len(hours) < 2:
            return pd.DataFrame()
        cutoffs = self.study.file.travel.cutoffs_min
        cutoff = cutoffs[len(cutoffs) // 2]
        lead = lead_rows(self.groups)
        undrawn = {p.scenario for p in self.proposals if is_random(p.case) and p.scenario not in self.intervals}
        tables = []
        for kind in self.today.opportunities.keys:
            rows = lead[(lead["kind"] == kind) & (lead["cutoff_min"] == cutoff)]
            gains = []
            for scenario, bus_hours in hours.items():
                draws = np.zeros(0) if scenario in undrawn else None
                if scenario in self.intervals:
                    drawn = lead_rows(self.intervals[scenario].groups)
                    wanted = drawn.index[(drawn["kind"] == kind) & (drawn["cutoff_min"] == cutoff)]
                    draws = self.intervals[scenario].draws[:, wanted].mean(axis=1)
                gains.append(
                    (scenario, float(rows.loc[rows["scenario"] == scenario, "change"].mean()), bus_hours, draws)
                )
            table = rank_proposals(gains)
            table.insert(0, "kind", kind)
            table.insert(1, "cutoff_min", cutoff)
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def _scenarios(self) -> list[Scenario]:
        return [proposal.applied.scenario for proposal in self.proposals if proposal.applied is not None]

    def _sources(self) -> pd.DataFrame:
        """Every input file once: the study's, and the proposals' with those that they build on."""
        proposed = [p.applied.scenario for p in self.proposals if p.applied is not None]
        return pd.concat([self.study.sources, scenario_sources(proposed)], ignore_index=True)

    def write_report(
        self,
        out: str | Path,
        *,
        maps: bool = True,
        pdf: bool = False,
        workbook: bool = False,
        templates: str | Path | None = None,
        keep_inputs: bool | None = None,
        tables: str = TableKind.AUTO,
        stopwatch: Stopwatch | None = None,
    ) -> Path:
        """Write ``report.html`` and every table beside it into a folder, whole or not at all.

        Parameters
        ----------
        out : path
            Replaced when it is the folder of an earlier run; made when it is not there.
        maps : bool
            ``maps/*.png`` and ``maps/*.svg`` for other documents.
        pdf : bool
            ``report.pdf``; needs the extra ``pdf``.
        workbook : bool
            ``tables.xlsx``; needs the extra ``xlsx``.
        templates : path, optional
            A folder whose files stand in for the page's own: name, colours, logo, wording.
        keep_inputs : bool, optional
            Whether ``inputs/`` gets a copy of everything that the run was made from, for comparisons over time; left out,
            unless that is more than 500 MB.

        tables : ``auto``, ``csv`` or ``parquet``
            As what access, comparison and groups are written; left out, as Parquet where they have more than a million rows.

        Returns
        -------
        Path
            The report.

        Raises
        ------
        UsageError
            The folder holds something else, or an extra is missing.
        """
        watch = stopwatch or Stopwatch()
        out = as_path(out)
        check_replaceable(out)
        with watch.stage("compare"):
            _ = self._by_side, self._journeys, self.costs
            for evaluation in self.evaluations:  # all that the report needs of their networks and times is found
                evaluation.let_go()
            give_back()
            results, kind = self.results, TableKind(tables)
            if kind != results.long_tables:  # what was worked out of the results is known by them
                results = replace(results, long_tables=kind)
        with watch.stage("report"), new_folder(out) as made:
            write_files(results, made, maps=maps, pdf=pdf, workbook=workbook, templates=templates)
            keep_inputs_of(self.study, self._scenarios(), made, wanted=keep_inputs)
        return out / "report.html"

    def to_geodataframe(
        self,
        *,
        scenario: str | None = None,
        kind: str | None = None,
        window: str | None = None,
        day: str | None = None,
        cutoff_min: float | None = None,
        measure: str = "cumulative_opportunities",
        reading: str | None = "mean",
    ) -> gpd.GeoDataFrame:
        """The neighbourhoods with their shapes, today's figure, the proposal's and the change.

        As `Evaluation.to_geodataframe`; the columns are ``baseline``, ``value`` and ``change``, with what differs behind (the
        proposal, where there are several).

        Raises
        ------
        UsageError
            There is no proposal, or no figure is called so; the message says what there is.
        """
        if not self.proposals:
            raise UsageError("there is no proposal to compare: today alone is today.to_geodataframe(...)")
        asked = {
            "scenario": scenario, "kind": kind, "window": window, "day": day, "cutoff_min": cutoff_min, "measure": measure,
            "reading": reading,
        }  # fmt: skip
        return with_shapes(self.today.zones.table, self.comparison, ("baseline", "value", "change"), asked)

    def plot_map(self, *, ax: Any = None, **choices: Any) -> Any:
        """Draw one map on matplotlib axes; ``scenario``, ``change``, ``kind``, ``day``, ``window``, ``cutoff_min`` choose it."""
        from community_routes.report.maps.matplotlib import plot_map

        return plot_map(self.results, ax=ax, **choices)

    def explore(self) -> Path:
        """Write the report into a temporary folder and open it in the browser."""
        folder = Path(tempfile.mkdtemp(prefix="community-routes-")) / "report"
        page = self.write_report(folder, keep_inputs=False)
        webbrowser.open(page.as_uri())
        return page

    def __repr__(self) -> str:
        return f"Comparison({self.study.file.study}: {', '.join(e.scenario for e in self.evaluations)})"

    def _repr_html_(self) -> str:
        return table_html(self.results) + map_html(self.results)


def compare(
    today: Evaluation,
    *proposals: Evaluation,
    draws: int = 0,
    seed: int = 0,
    least_change: float = LEAST_CHANGE,
    worst: Sequence[Evaluation] = (),
    threads: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Put proposals beside today's timetable.

    Parameters
    ----------
    today : Evaluation
    *proposals : Evaluation
    draws : int
        At least 200 for intervals of proposals whose clock times are assumed; 0 leaves these out, and ``low`` and
        ``high`` of such proposals are missing then.
    seed : int
        Of the draws; the same for all proposals.
    least_change : float
        Changes of at most this share (0.01 is 1 %) of today's level count as no change where those who gain and lose are
        counted; 0 counts every change.
    worst : sequence of Evaluation, optional
        The same by the worse bound of a step-free study (``evaluate.evaluate_worst``); evaluated here where left out.
    threads : int
    progress : callable of str, optional

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        They were not evaluated on one study, or two have the same id.
    """
    check_least_change(least_change)
    for given in (today, *proposals):
        if not isinstance(given, Evaluation):
            raise UsageError(
                f"compare(today, ...) takes what `evaluate` gives, not {given!r:.60}: today = evaluate(study), and each proposal "
                "as evaluate(study, scenario)"
            )
    if today.applied is not None and proposals:
        raise UsageError(
            f"the first is the proposal {today.scenario!r}, with which others cannot be compared as with today: "
            "compare(today, ...) with today = evaluate(study)"
        )
    for proposal in proposals:
        if proposal.study is not today.study:
            raise UsageError(
                f"{proposal.scenario} was evaluated on another study than {today.scenario}; open the study once"
            )
    names = [today.scenario, *(proposal.scenario for proposal in proposals)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"the scenario {twice[0]!r} is given twice")
    found = {
        proposal.scenario: intervals(today, proposal, draws=draws, seed=seed, threads=threads, progress=progress)
        for proposal in proposals
        if draws and is_random(proposal.case)
    }
    runner = Runner.of(threads, None, today.runner.stopwatch, progress)
    bases = base_evaluations(
        proposals, lambda base: evaluate_case(today.case.with_scenario(base), runner=runner, base=today)
    )
    changes = [p.applied.scenario for p in proposals if p.applied is not None]
    lower = worst or evaluate_worst(today.case, changes, runner)
    how: dict[str, Any] = {"draws": draws, "seed": seed, "least_change": least_change, "threads": threads}
    below = compare(*lower, **how, progress=progress) if lower else None
    return Comparison(today, proposals, found, bases, least_change, below)


def check_least_change(share: float) -> None:
    """A least change must be a share of 0 to 0.5.

    Raises
    ------
    UsageError
    """
    if not 0 <= share <= 0.5:
        raise UsageError(f"a least change of {share:g}; it must be a share of 0 to 0.5")


def counted_from(least_change: float) -> dict[str, float]:
    """The setting as it is printed; nothing where every change counts."""
    return {"least_change": least_change} if least_change else {}


def printed_settings(study: Study) -> dict[str, Any]:
    """The settings behind every figure, as they are printed in results."""
    travel, streets = study.file.travel, study.file.streets
    walk = travel.walk
    settings: dict[str, Any] = {
        "service_dates": {day: date.isoformat() for day, date in study.file.dates.items()},
        "windows": {name: format_window(window.time) for name, window in travel.windows.items()},
        "departure_step_s": travel.departure_step_s,
        "cutoffs_min": list(travel.cutoffs_min),
        "max_rides": travel.max_rides,
        "max_travel_min": travel.max_travel_min,
        "walk_speed_kmh": walk.speed_kmh,
        "walk_to_stop_min": walk.to_stop_min,
        "walk_between_stops_min": walk.between_stops_min,
        "walk_all_the_way_min": walk.all_the_way_min,
        "link_m": walk.link_m,
        "slack_s": travel.slack_s,
        "percentiles": list(travel.percentiles),
        "wheelchair": travel.wheelchair,
        "frequency_phase": travel.phase,
        "seed": travel.seed,
    }
    if streets.crow_fly is not None:
        settings["walking"] = f"straight line x {streets.crow_fly.detour:g}"
    else:
        settings["walking"] = "along streets"
    if travel.step_free:
        settings["step_free"] = {
            "best": "what is not known of trips and stops counts as accessible",
            "worst": "only trips and stops known to be accessible count",
            "True": "two bounds; a figure that stands alone counts what is not known of trips and stops as accessible",
        }[str(travel.step_free)]
    if streets.area is not None:
        settings["streets_area"] = list(streets.area)
    return settings


def run_record(study: Study, command: str, settings: Mapping[str, Any], **more: Any) -> str:
    """The ``run.json`` of a command: version, settings, names and hashes of the inputs, and what more there is, keys sorted."""
    content = {
        "program": "community_routes",
        "command": command,
        "version": __version__,
        "study": study.file.study,
        "title": study.title,
        "invented": study.is_invented,
        "service_dates": {day: date.isoformat() for day, date in study.file.dates.items()},
        "settings": {**printed_settings(study), **settings},
        "inputs": study.sources[["name", "kind", "sha256"]].to_dict("records"),
        **more,
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _with_withdrawn(routes: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """All routes in one table; ``withdrawn`` says which ones a proposal takes away altogether."""
    parts = [part.assign(withdrawn=False) if "withdrawn" not in part else part for part in routes]
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs="EPSG:4326")


def _zones_with_reason(today: Evaluation) -> gpd.GeoDataFrame:
    """The neighbourhoods, with ``off_network`` where none of their origins is on the streets.

    ``near_edge`` are those from which a walk may lead out of the streets' coverage, so that they may lack what lies beyond.
    """
    table = today.zones.table
    off = np.ones(len(table), np.bool_)
    reasons = next(iter(today.origin_reason.values()))
    off[today.zones.origins["zone"].to_numpy()[reasons != "off_network"]] = False
    edge = np.zeros(len(table), np.bool_)
    if today.study.file.streets.crow_fly is None:
        walk, linked = today.study.file.travel.walk, today.reached.origins
        within_m = walk.to_stop_min * MINUTE * walk.speed_kmh / 3.6
        rows = np.unique(linked.points.place[linked.linked & linked.near_edge(within_m)])
        edge[today.zones.origins["zone"].to_numpy()[rows]] = True
    return table.assign(reason=np.where(off, "off_network", ""), near_edge=edge)


def opportunity_totals(evaluations: Sequence[Evaluation]) -> dict[str, float]:
    """The most that there is to reach of each key under any scenario: the bound of indices that all of them share."""
    totals: dict[str, float] = {}
    for evaluation in evaluations:
        amounts = evaluation.opportunities.table.groupby("key")["amount"].sum()
        for key, amount in amounts.items():
            totals[str(key)] = max(totals.get(str(key), 0.0), float(amount))
    return totals


def lead_rows(groups: pd.DataFrame) -> pd.DataFrame:
    """Rows of the most deprived fifth (of everybody where deprivation is unknown): opportunities, average departure."""
    rows = groups[(groups["measure"] == "cumulative_opportunities") & (groups["reading"] == "mean")]
    fifth = rows[(rows["grouping"] == "local") & (rows["group"] == "1")]
    return fifth if len(fifth) else rows[rows["grouping"] == "all"]


def _summary(proposal: Evaluation, cost: OperatingCost | None) -> ScenarioSummary:
    applied = proposal.applied
    if applied is None:
        raise UsageError("today's timetable is the baseline, not a proposal")
    base = applied.scenario.base_scenario
    return ScenarioSummary(
        id=proposal.scenario,
        title=proposal.title,
        effects=tuple(str(effect) for effect in applied.effects),
        notices=tuple(str(notice) for notice in applied.notices),
        cost=cost_figures(cost),
        is_random=is_random(proposal.case),
        random=tuple(randomness_of(proposal.case).words(proposal.feed)) if is_random(proposal.case) else (),
        base_title=base.name if base is not None else "",
        rates=rate_figures(rates_of(proposal.study.file, applied.scenario)),
        own_rates=bool(applied.scenario.cost is not None and applied.scenario.cost.model_fields_set),
        retimed=_routes_of(applied.scenario, RETIMES),
        withdrawn=_routes_of(applied.scenario, TAKES),
    )


RETIMES = ("set_headway", "change_speed", "change_dwell", "reroute", "extend_route", "add_stop")
"""Kinds of change after which the buses of a route run at other minutes than today."""
TAKES = ("withdraw_route", "remove_stops")
"""Kinds of change that take buses away."""


def _routes_of(scenario: Scenario, kinds: Sequence[str]) -> tuple[str, ...]:
    """Routes that a proposal, and what it builds on, changes in one of these ways, as the proposal calls them."""
    changes = [change for part in scenario.chain() for change in part.changes]
    found = (change.route for change in changes if change.kind in kinds and isinstance(change, OfRoute))
    return tuple(dict.fromkeys(found))


@notebook_html.register
def evaluation_html(found: Evaluation) -> str:
    """Today's evaluation as its own comparison; of a proposal's alone the first rows of its table."""
    if found.scenario == TODAY:
        return compare(found)._repr_html_()
    head = found.access[found.access["reading"] == "mean"].head(20)
    return f"<b>{escape(found.title)}</b>{head.to_html(index=False)}"
