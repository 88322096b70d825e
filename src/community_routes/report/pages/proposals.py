"""Each proposal in detail: what it does, every time of day, every group, and what it takes to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from community_routes.report.blocks import Block, Fold, Items, Section, Table, Td, Text
from community_routes.report.figures import Cell, Figures, digits_of, figure
from community_routes.report.lead import Slot
from community_routes.report.pages.answer import interval, undrawn_proposals
from community_routes.report.pages.context import Report, times_table
from community_routes.report.pages.gains import by_fifth, wards
from community_routes.report.results import BASE_GROUPS, ScenarioSummary

_LEVELS = ("baseline", "value", "change", "change_percent", "low", "high")


def proposals(report: Report) -> Section | None:
    """A fold for each proposal; None without any."""
    if not report.results.scenarios:
        return None
    found = [Fold(report.title(one), detail(report, one), "proposal") for one in report.results.scenarios]
    title = "The proposal in detail" if len(found) == 1 else "Proposal by proposal"
    return Section("proposals", title, found, short="In detail")


def detail(report: Report, scenario: ScenarioSummary) -> list[Block]:
    """What is behind the row of a proposal in the verdict."""
    figures = report.figures
    whom = "The most deprived fifth" if figures.fifths() else f"All {figures.people}"
    found: list[Block] = []
    if scenario.effects:
        found.append(Items([effect.replace("->", "→") for effect in scenario.effects], "plain"))
    found.append(Text(f"{_sure(figures, scenario)}.", "sure"))
    found.append(
        Text(f"{whom}: what can be reached {figures.headline_view.within}, today and with the proposal", "cap")
    )
    found.append(
        _times(
            figures,
            f"{scenario.title}: all times of day",
            ["Today", "Proposal", "Change", "%"],
            lambda column, slot, kind: figures.told(column, scenario.id, slot, kind),
        )
    )
    found += _against_base(figures, scenario)
    found += [block for kind in figures.headline_kinds for block in by_fifth(figures, scenario, kind)]
    return [*found, *wards(report, scenario)]


def _sure(figures: Figures, scenario: ScenarioSummary) -> str:
    if not scenario.is_random:
        return "Exact for this timetable"
    if scenario in undrawn_proposals(figures):
        return "For the departure times that the proposal assumes"
    mine = figures.summary[figures.summary["scenario"] == scenario.id]
    if (mine["low"] < mine["high"]).any():
        return "With intervals, because some departure times are assumed"
    return "The same in every draw of the departure times that it assumes"


def _times(figures: Figures, name: str, heads: Sequence[str], cell: Callable[[str, Slot, str], Cell | None]) -> Table:
    """Today or the base, the proposal, the change with its interval and, with four headings, in a hundred."""
    view = figures.headline_view

    def at(column: str, kind: str) -> list[Cell | None]:
        return [cell(column, slot, kind) for slot in figures.slots]

    levels = {
        k: digits_of([*at("baseline", k), *at("value", k)], figures.unit(k, view)) for k in figures.headline_kinds
    }
    moves = {k: digits_of(at("change", k), figures.unit(k, view)) for k in figures.headline_kinds}

    def cells(slot: Slot, kind: str) -> list[str | Td]:
        unit = figures.unit(kind, view)
        found = {column: cell(column, slot, kind) for column in _LEVELS}
        change = figure(found["change"], unit, sign=True, digits=moves[kind])
        told: list[str | Td] = [figure(found[column], unit, digits=levels[kind]) for column in ("baseline", "value")]
        told.append(Td(change + interval(found["low"], found["high"], unit), "change"))
        return [*told, figure(found["change_percent"], sign=True, digits=1)] if len(heads) > 3 else told

    return times_table(figures, name, heads, cells)


def _against_base(figures: Figures, scenario: ScenarioSummary) -> tuple[Block, ...]:
    """What a proposal adds to the one that it builds on; nothing without such a one."""
    table, view = figures.tables.get(BASE_GROUPS), figures.headline_view
    if table is None or figures.lead is None:
        return ()
    cutoff = table["cutoff_min"].isna() if view.cutoff_min is None else table["cutoff_min"] == view.cutoff_min
    keys = ("scenario", "grouping", "group", "measure", "reading")
    wanted = (scenario.id, *figures.lead, view.measure, view.reading)
    mine = table[cutoff & np.logical_and.reduce([table[key] == value for key, value in zip(keys, wanted, strict=True)])]
    if mine.empty:
        return ()

    def cell(column: str, slot: Slot, kind: str) -> Cell | None:
        at = mine.index[(mine["day"] == slot.day) & (mine["window"] == slot.window) & (mine["kind"] == kind)]
        known = len(at) and column in ("baseline", "value", "change")
        return Cell(BASE_GROUPS, (int(at[0]),), column, float(table[column].loc[at[0]])) if known else None

    title = scenario.base_title or str(mine["base"].iat[0])
    return (
        Text(f"What it adds to the proposal that it builds on: {title}", "cap"),
        _times(
            figures, f"{scenario.title}: against the proposal that it builds on", ["Base", "Proposal", "Change"], cell
        ),
    )
