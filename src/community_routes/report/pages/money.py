"""What it costs to travel: a month of commuting by deprivation, and what a fare buys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.measures.list import column_of
from community_routes.measures.money import BURDEN, COST, NEAREST_FOR, REACHED_FOR
from community_routes.report import words
from community_routes.report.figures import Cell, Figures, Slot, View, figure, slot_name
from community_routes.report.results import TODAY

_OTHER = ("fare", "cost", "burden", "monthly", "budget", "ticket")
_PARTS = {"50": "half", "25": "a quarter", "75": "three quarters", "100": "all"}
_SMALL = 0.05


def money(figures: Figures, lead: tuple[str, str] | None) -> dict[str, Any] | None:
    """The parts of the section, for a leading group where one must do; None where nothing of money was worked out."""
    found = {"months": months(figures), "buys": buys(figures, lead), "others": others(figures, lead)}
    return {**found, "nothing": f"{words.money_sign(figures.results.currency)}0"} if any(found.values()) else None


def _titles(figures: Figures) -> list[tuple[str, str]]:
    return [(scenario.id, figures.results.letter(scenario.id)) for scenario in figures.results.scenarios]


def _unit(figures: Figures) -> str:
    return f"{figures.results.currency} per month"


def _days(figures: Figures) -> list[str]:
    return list(dict.fromkeys(slot.day for slot in figures.slots))


# --- a month of commuting --------------------------------------------------------------------------------------------


def months(figures: Figures) -> list[dict[str, Any]]:
    """One part for each time of day at which people set out to work, within the middle cutoff."""
    access = figures.tables["access"]
    costs = [name for name in access["measure"].astype(str).unique() if column_of(name) is COST]
    mine = access[access["measure"].isin(costs) & (access["scenario"] == TODAY)]
    if mine.empty:
        return []
    first = mine.iloc[0]
    kind, measure, cutoff = str(first["kind"]), str(first["measure"]), figures.headline_view.cutoff_min
    mine = mine[(mine["kind"] == kind) & (mine["measure"] == measure)]
    if not (mine["cutoff_min"] == cutoff).any():
        cutoff = float(mine["cutoff_min"].iloc[0])
    view = View(measure, str(first["reading"]), cutoff)
    there = set(mine[["day", "window"]].drop_duplicates().itertuples(index=False, name=None))
    return [_month(figures, slot, kind, view) for slot in figures.all_slots if (slot.day, slot.window) in there]


def _month(figures: Figures, slot: Slot, kind: str, view: View) -> dict[str, Any]:
    about = COST.read(view.measure) or {}
    burden = View(BURDEN.name(*about.values()), view.reading, view.cutoff_min)
    groups = [("local", fifth) for fifth in figures.fifths()] + [("all", "all")]
    has_income = figures.zone_rows("access", TODAY, slot, kind, burden) is not None
    rows: list[dict[str, Any]] = []
    for grouping, group in groups:
        cells = {
            column: figures.group_cell(column, TODAY, slot, kind, view, grouping, group)
            for column in ("value", "persons_covered", "persons")
        }
        rows.append(
            {
                "name": "Everybody" if grouping == "all" else words.group_name(grouping, group),
                "cost": figure(cells["value"], _unit(figures)),
                "share": figure(figures.group_cell("value", TODAY, slot, kind, burden, grouping, group), "share"),
                "covered": figure(cells["persons_covered"], whole=True),
                "persons": figure(cells["persons"], whole=True),
                "changes": [
                    _change(figures, scenario, slot, kind, view, (grouping, group), cells["persons_covered"])
                    for scenario, _ in _titles(figures)
                ],
            }
        )
    return {
        "slot": slot_name(slot, figures.results.windows, _days(figures)),
        "goal": goal_words("_".join(filter(None, about.values())), kind, figures.unit(kind, figures.headline_view)),
        "within": "" if view.cutoff_min is None else f"within {words.number(view.cutoff_min)} minutes",
        "who": who_pays(figures, slot, kind, view),
        "letters": [letter for _, letter in _titles(figures)],
        "has_income": has_income,
        "others_counted": any(change["covered"] for row in rows for change in row["changes"]),
        "rows": rows,
    }


def _change(
    figures: Figures, scenario: str, slot: Slot, kind: str, view: View, who: tuple[str, str], covered: Cell | None
) -> dict[str, Any]:
    """The change of a group's cost; where other residents can get there than today, how many instead.

    The means are then not of the same residents: who loses a costly way falls out of the mean and lowers it.
    """
    now = figures.group_cell("persons_covered", scenario, slot, kind, view, *who)
    if now is not None and covered is not None and abs(now.value - covered.value) >= 1:
        return {"money": None, "covered": figure(now, whole=True), "gain": now.value > covered.value}
    cell = figures.group_cell("change", scenario, slot, kind, view, *who)
    return {"money": figure(cell, _unit(figures), sign=True), "covered": None, "gain": False}


def goal_words(share: str, kind: str, unit: str) -> str:
    """ "half of the jobs in employment zones", "half of the area of all employment zones", "a quarter of all markets"."""
    part, shown = _PARTS.get(share, f"{share} %"), words.unit_name(unit)
    if shown == "ha":
        return f"{part} of the area of all {words.kind_name(kind)}"
    if shown in ("weight", "size"):
        return f"{part} of all {words.kind_name(kind)}, by their size"
    if shown in ("", "places", "amount", "opportunities", "count"):
        return f"{part} of all {words.kind_name(kind)}"
    return f"{part} of the {shown} in {words.kind_name(kind)}"


def who_pays(figures: Figures, slot: Slot, kind: str, view: View) -> list[tuple[Markup, str]]:
    """How many residents walk, pay, cannot at any price, only by rides without a known fare, or have no figure."""
    rows = figures.zone_rows("access", TODAY, slot, kind, view)
    if rows is None:
        return []
    table = figures.tables["access"].iloc[rows[rows >= 0]]
    value, reason = table["value"].to_numpy(dtype=np.float64), table["reason"].astype(str).to_numpy()
    persons = figures.column("access", "population")
    parts = (
        (value == 0, "need not pay: they can walk"),
        (value > 0, "must pay"),
        (reason == "over_time", "cannot, whatever they pay"),
        (reason == "over_fare", "could only with a ride whose fare is not known"),
        (reason == "off_network", "live outside the streets of this study"),
    )
    told = []
    for which, text in parts:
        lines = rows[rows >= 0][which]
        if len(lines) and persons[lines].sum() > 0:
            cell = Cell("access", tuple(int(line) for line in lines), "population", float(persons[lines].sum()))
            told.append((figure(cell, whole=True), text))
    return told


# --- what a fare buys ------------------------------------------------------------------------------------------------


def buys(figures: Figures, lead: tuple[str, str] | None) -> dict[str, Any] | None:
    """What is reached for each budget beside what is reached at any price, and the minutes to the nearest."""
    measures = figures.tables["access"]["measure"].astype(str).unique()
    asked = (REACHED_FOR.read(name) for name in measures)
    budgets = sorted((about["budget"] for about in asked if about is not None), key=float)
    if lead is None or not budgets:
        return None
    cutoff = figures.headline_view.cutoff_min
    reached = [
        View("cumulative_opportunities", "mean", cutoff),
        *(View(REACHED_FOR.name(b), "mean", cutoff) for b in budgets),
    ]
    nearest = [View("nearest", "p50", None), *(View(NEAREST_FOR.name(b), "p50", None) for b in budgets)]
    blocks = []
    for kind in figures.headline_kinds:
        for views in (reached, nearest):
            unit = figures.unit(kind, views[0])
            rows = [
                {
                    "slot": slot_name(slot, figures.results.windows, _days(figures)),
                    "cells": [_with_changes(figures, slot, kind, view, unit, lead) for view in views],
                }
                for slot in figures.slots
            ]
            if views is nearest and not _differs(figures, kind, views, lead):
                continue
            what = "Minutes to the nearest" if views is nearest else f"Reached within {words.number(cutoff)} minutes"
            shown = "" if views is nearest else words.unit_name(unit)
            name = f"{words.sentence_case(words.kind_name(kind))}: {what.lower()}"
            blocks.append({"name": name + (f" ({shown})" if shown not in ("", "places") else ""), "rows": rows})
    currency = figures.results.currency
    return {
        "heads": ["At any price", *(f"For {words.money(float(b), currency)} or less" for b in budgets)],
        "blocks": blocks,
    }


def _differs(figures: Figures, kind: str, views: list[View], lead: tuple[str, str]) -> bool:
    """Whether some budget makes the nearest place farther, today or under a proposal."""
    for scenario in (TODAY, *(scenario for scenario, _ in _titles(figures))):
        for slot in figures.slots:
            cells = [figures.group_cell("value", scenario, slot, kind, view, *lead) for view in views]
            values = [cell.value for cell in cells if cell is not None]
            if any(not np.isclose(value, values[0], equal_nan=True) for value in values[1:]):
                return True
    return False


def _with_changes(
    figures: Figures, slot: Slot, kind: str, view: View, unit: str, lead: tuple[str, str]
) -> dict[str, Any]:
    moved = []
    for scenario, letter in _titles(figures):
        cell = figures.group_cell("change", scenario, slot, kind, view, *lead)
        if cell is not None and abs(words.in_unit(cell.value, unit)) >= _SMALL:
            gain = (cell.value > 0) != view.low_is_good
            moved.append({"letter": letter, "text": figure(cell, unit, sign=True), "gain": gain})
    return {"today": figure(figures.group_cell("value", TODAY, slot, kind, view, *lead), unit), "moved": moved}


# --- other measures of money -----------------------------------------------------------------------------------------


def others(figures: Figures, lead: tuple[str, str] | None) -> dict[str, Any] | None:
    """Any further measure of cost, today and under each proposal."""
    access = figures.tables["access"]
    told = access["measure"].astype(str)
    mine = access[
        told.map(lambda m: any(word in m for word in _OTHER)) & ~told.str.startswith(("commuting_", "nearest_"))
    ]
    if lead is None or mine.empty:
        return None
    ids = [TODAY, *(scenario for scenario, _ in _titles(figures))]
    rows = []
    for kind, measure, reading, cutoff in (
        mine[["kind", "measure", "reading", "cutoff_min"]].drop_duplicates().itertuples(index=False)
    ):
        view = View(str(measure), str(reading), None if pd.isna(cutoff) else float(cutoff), figures.results.currency)
        unit = figures.unit(str(kind), view)
        for slot in figures.slots:
            cells = [figures.group_cell("value", scenario, slot, str(kind), view, *lead) for scenario in ids]
            if any(cell is not None and np.isfinite(cell.value) for cell in cells):
                rows.append(
                    {
                        "name": f"{words.sentence_case(words.kind_name(str(kind)))}: {view.name}",
                        "unit": words.unit_name(unit),
                        "slot": slot_name(slot, figures.results.windows, _days(figures)),
                        "cells": [figure(cell, unit) for cell in cells],
                    }
                )
    heads = ["Today", *(f"Proposal {letter}" for _, letter in _titles(figures))]
    return {"heads": heads, "rows": rows} if rows else None
