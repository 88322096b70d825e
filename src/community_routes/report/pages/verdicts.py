"""The answer for each proposal: one sentence with its number and interval, and all times of day below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.figures import Cell, Figures, Slot, View, figure, slot_name, strongest, when
from community_routes.report.results import BASE_GROUPS, TODAY, Results, ScenarioSummary


@dataclass(frozen=True, eq=False)
class Verdict:
    """The answer for one proposal.

    Attributes
    ----------
    scenario : ScenarioSummary
    lead : Markup
        The change for the most deprived fifth, in large figures.
    is_loss : bool
        It is a loss for them.
    lead_unit : str
        What it counts.
    sentence : Markup
        One sentence with the number and its interval.
    sure : str
        What kind of number it is.
    better, same, worse : Cell or None
        Persons.
    bar : Markup
        The three as one bar.
    floor : str
        From which change on they are counted, and how many lie below it; empty where every change counts.
    rows : tuple
        One line per day and window.
    base : dict or None
        Title of the proposal that it builds on, and the same lines against that one.
    """

    scenario: ScenarioSummary
    lead: Markup
    is_loss: bool
    lead_unit: str
    sentence: Markup
    sure: str
    better: Markup
    same: Markup
    worse: Markup
    bar: Markup
    floor: str
    rows: tuple[Mapping[str, Any], ...]
    slot: Slot
    kind: str
    base: Mapping[str, Any] | None = None


def people_of(results: Results) -> str:
    """What is counted: residents, or neighbourhoods where no population is given."""
    return "residents" if results.has_population else "neighbourhoods"


def within(view: View) -> str:
    """The view's cutoff in words; nothing where it has none."""
    return "" if view.cutoff_min is None else f"within {words.number(view.cutoff_min)} minutes"


def _lead_group(figures: Figures) -> tuple[str, str] | None:
    """The most deprived fifth where there is deprivation, else everybody where the tables have them."""
    fifths = figures.fifths()
    if fifths:
        return "local", fifths[0]
    return ("all", "all") if figures.groups_of("all") else None


def _all_zones_cell(figures: Figures, column: str, scenario: str, slot: Slot, kind: str, view: View) -> Cell | None:
    """The person-weighted mean over neighbourhoods, for a study without deprivation; a sum of many cells."""
    rows = figures.zone_rows("comparison", scenario, slot, kind, view)
    if rows is None:
        return None
    values = figures.column("comparison", column)[rows]
    persons = figures.results.zones["population"].to_numpy(dtype=np.float64)
    there = (rows >= 0) & np.isfinite(values) & (persons > 0)
    if not there.any():
        return None
    mean = float(np.average(values[there], weights=persons[there]))
    return Cell("comparison", tuple(int(row) for row in rows[there]), column, mean, is_mean=True)


def lead_cell(figures: Figures, column: str, scenario: str, slot: Slot, kind: str, view: View) -> Cell | None:
    """The headline figure: of the most deprived fifth, else of everybody."""
    lead = _lead_group(figures)
    if lead is None:
        return _all_zones_cell(figures, column, scenario, slot, kind, view)
    return figures.group_cell(column, scenario, slot, kind, view, *lead)


def _who(figures: Figures) -> str:
    people = people_of(figures.results)
    if not figures.fifths():
        return people
    return f"{people} of the most deprived fifth" if figures.results.has_population else "the most deprived fifth"


def verdict(figures: Figures, scenario: ScenarioSummary) -> Verdict:
    """The answer for one proposal, at the time of day and kind of place where it changes most, all others below it."""
    view = figures.headline_view
    slot, kind = strongest(figures, scenario.id)
    unit = figures.unit(kind, view)
    change = lead_cell(figures, "change", scenario.id, slot, kind, view)
    who = {
        name: figures.summed(f"persons_{name}", scenario.id, slot, kind, view) for name in ("better", "same", "worse")
    }
    numbers = [cell.value if cell is not None else 0.0 for cell in who.values()]
    return Verdict(
        scenario=scenario,
        lead=figure(change, unit, sign=True),
        is_loss=change is not None and (change.value < 0) != view.low_is_good and change.value != 0,
        lead_unit=counted(unit, kind),
        sentence=_sentence(figures, scenario, slot, kind, view),
        sure=_sure(figures, scenario, slot, kind, view),
        better=figure(who["better"], whole=True),
        same=figure(who["same"], whole=True),
        worse=figure(who["worse"], whole=True),
        bar=charts.people_bar(*numbers, people=people_of(figures.results)),
        floor=_floor(figures, scenario.id, slot, kind, view),
        rows=tuple(_slot_row(figures, scenario.id, s, view) for s in figures.slots),
        slot=slot,
        kind=kind,
        base=base_rows(figures, scenario, view),
    )


def _floor(figures: Figures, scenario: str, slot: Slot, kind: str, view: View) -> str:
    share = figures.results.settings.get("least_change")
    if not share or "persons_below" not in figures.tables["groups"]:
        return ""
    return words.least_change_words(
        share, figure(figures.summed("persons_below", scenario, slot, kind, view), whole=True)
    )


def base_rows(figures: Figures, scenario: ScenarioSummary, view: View) -> dict[str, Any] | None:
    """What a proposal adds to the one that it builds on, for each day, window and headline kind; None without such a one."""
    table, lead = figures.tables.get(BASE_GROUPS), _lead_group(figures)
    if table is None or lead is None:
        return None
    cutoff = table["cutoff_min"].isna() if view.cutoff_min is None else table["cutoff_min"] == view.cutoff_min
    mine = table[
        (table["scenario"] == scenario.id)
        & (table["grouping"] == lead[0])
        & (table["group"] == lead[1])
        & (table["measure"] == view.measure)
        & (table["reading"] == view.reading)
        & cutoff
    ]
    if mine.empty:
        return None
    days = list(dict.fromkeys(s.day for s in figures.slots))
    rows = []
    for slot in figures.slots:
        cells = []
        for kind in figures.headline_kinds:
            at = mine.index[(mine["day"] == slot.day) & (mine["window"] == slot.window) & (mine["kind"] == kind)]
            unit = figures.unit(kind, view)
            before, after, change = (
                Cell(BASE_GROUPS, (int(at[0]),), column, float(table[column].loc[at[0]])) if len(at) else None
                for column in ("baseline", "value", "change")
            )
            cells.append([figure(before, unit), figure(after, unit), figure(change, unit, sign=True)])
        rows.append({"name": slot_name(slot, figures.results.windows, days), "cells": cells})
    return {"title": scenario.base_title or str(mine["base"].iat[0]), "rows": rows}


def unit_note(figures: Figures, kind: str) -> str:
    """The unit of a column, where it is not a number of places."""
    shown = words.unit_name(figures.unit(kind, figures.headline_view))
    return "" if shown in ("", "places") else shown


def counted(unit: str, kind: str) -> str:
    """What a figure counts: the kind of place, with the unit where it is not a number of places."""
    shown = words.unit_name(unit)
    if shown in ("", "places", "opportunities", "count"):
        return words.kind_name(kind)
    return f"{shown} {'of' if shown == 'ha' else 'in'} {words.kind_name(kind)}"


def _sentence(figures: Figures, scenario: ScenarioSummary, slot: Slot, kind: str, view: View) -> Markup:
    """With the number and its interval; says so where nothing changes or the change cannot be told from zero."""
    days = list(dict.fromkeys(s.day for s in figures.slots))
    unit = figures.unit(kind, view)

    def cell(column: str) -> Cell | None:
        return lead_cell(figures, column, scenario.id, slot, kind, view)

    change, low, high = cell("change"), cell("low"), cell("high")
    if change is None or not np.isfinite(change.value):
        return Markup("No figure could be worked out for {}.").format(_who(figures))
    moment = words.sentence_case(when(slot, days, figures.results.windows))
    if abs(change.value) < 1e-9:
        return Markup("{}, {} reach as many {} {} as today: {}.").format(
            moment, _who(figures), counted(unit, kind), within(view), figure(cell("value"), unit)
        )
    direction = "up from" if change.value > 0 else "down from"
    sentence = Markup("{}, {} could reach {} {} {}, {} {} today").format(
        moment,
        _who(figures),
        figure(cell("value"), unit),
        counted(unit, kind),
        within(view),
        direction,
        figure(cell("baseline"), unit),
    )
    if low is not None and high is not None and low.value < high.value:
        sentence += Markup(": a change of {} (95 in 100 draws lie between {} and {})").format(
            figure(change, unit, sign=True), figure(low, unit, sign=True), figure(high, unit, sign=True)
        )
        if low.value <= 0 <= high.value:
            sentence += Markup(", which <strong>cannot be told from no change</strong>")
    else:
        sentence += Markup(": a change of {}").format(figure(change, unit, sign=True))
    return sentence + Markup(".")


def _sure(figures: Figures, scenario: ScenarioSummary, slot: Slot, kind: str, view: View) -> str:
    low = lead_cell(figures, "low", scenario.id, slot, kind, view)
    high = lead_cell(figures, "high", scenario.id, slot, kind, view)
    known = low is not None and high is not None and np.isfinite(low.value) and np.isfinite(high.value)
    if known and low is not None and high is not None and low.value < high.value:
        return "with its interval, because some departure times are assumed"
    if not scenario.is_random:
        return "exact for this timetable"
    if known:
        return "the same in every draw of the departure times that it assumes"
    return "for the departure times that the proposal assumes; --draws 200 says how much depends on them"


def assumed_times(figures: Figures) -> list[dict[str, Any]]:
    """Proposals whose departure times are partly assumed: letter, title, what is assumed, and whether it was drawn."""
    table = figures.tables["groups"]
    found = []
    for scenario in figures.results.scenarios:
        if scenario.is_random:
            mine = table[(table["scenario"] == scenario.id) & table["low"].notna()]
            letter, title = figures.results.letter(scenario.id), scenario.title
            found.append({"letter": letter, "title": title, "what": scenario.random, "drawn": bool(len(mine))})
    return found


def _slot_row(figures: Figures, scenario: str, slot: Slot, view: View) -> dict[str, Any]:
    """Today, with the proposal, and the change, for each headline kind."""
    days = list(dict.fromkeys(s.day for s in figures.slots))
    cells = []
    for kind in figures.headline_kinds:
        unit = figures.unit(kind, view)

        def cell(column: str, kind: str = kind) -> Cell | None:
            return lead_cell(figures, column, scenario, slot, kind, view)

        low, high = cell("low"), cell("high")
        cells.append(
            {
                "today": figure(cell("baseline"), unit),
                "value": figure(cell("value"), unit),
                "change": figure(cell("change"), unit, sign=True),
                "interval": Markup("{} to {}").format(figure(low, unit, sign=True), figure(high, unit, sign=True))
                if low is not None and high is not None and low.value < high.value
                else "",
            }
        )
    return {"name": slot_name(slot, figures.results.windows, days), "cells": cells}


def today_rows(figures: Figures, grouping: str = "local") -> list[dict[str, Any]]:
    """How things stand: most and least deprived fifth for each headline kind and time of day.

    ``local_income`` are fifths by the domain of income alone; empty where that is not known.
    """
    view, fifths = figures.headline_view, figures.fifths()
    days = list(dict.fromkeys(s.day for s in figures.slots))
    if not fifths or not figures.groups_of(grouping):
        return []
    rows = []
    for slot in figures.slots:
        cells = []
        for kind in figures.headline_kinds:
            unit = figures.unit(kind, view)
            ends = [
                figures.group_cell("value", TODAY, slot, kind, view, grouping, fifth)
                for fifth in (fifths[0], fifths[-1])
            ]
            cells.append([figure(cell, unit) for cell in ends])
        rows.append({"name": slot_name(slot, figures.results.windows, days), "cells": cells})
    return rows
