"""Each measure by deprivation fifth over time: one chart for each day and window, with the figures behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.figures import Slot, View, figure, plain_figure
from community_routes.report.line_charts import Line, axis_of, lines_over_time
from community_routes.report.pages.over_time import OverTime

_FIFTHS = ("1", "2", "3", "4", "5")
_NAMES = {"1": "1 most deprived", "2": "2", "3": "3", "4": "4", "5": "5 least deprived"}
Group = tuple[str, str]


def measures_over_time(results: OverTime) -> list[dict[str, Any]]:
    """Each measure of each kind by deprivation fifth, one chart for each time of day; the leading one first.

    Of everybody where no run knows deprivation.
    """
    table = results.tables["over_time"]
    groups = [("local", fifth) for fifth in _FIFTHS] if (table["grouping"] == "local").any() else [("all", "all")]
    wanted = (table["grouping"] == groups[0][0]) & table["group"].isin([group for _, group in groups])
    local = table[wanted & ~table["kind"].str.contains("/")]
    found = []
    for kind, view in _views(results, local):
        mine = local[(local["kind"] == kind) & (local["measure"] == view.measure) & (local["reading"] == view.reading)]
        mine = mine[mine["cutoff_min"].isna() if view.cutoff_min is None else mine["cutoff_min"] == view.cutoff_min]
        slots = _slots_of(results, mine)
        panels = [(slot, _lines(results, slot, kind, view, groups)) for slot in slots]
        panels = [
            (slot, lines) for slot, lines in panels if any(math.isfinite(v) for line in lines for v in line.values)
        ]
        if not panels:
            continue
        axis = axis_of([value for _, lines in panels for line in lines for value in line.values])
        unit = next((str(u) for u in mine["unit"] if str(u)), "")
        title = f"{view.name}: {words.kind_name(kind)}"
        found.append(
            {
                "title": title,
                "unit": words.unit_name(unit),
                "lead": view == results.view and kind in results.kinds,
                "from_zero": axis[0] <= 0,
                "charts": [_chart(results, slot, lines, title, axis, kind, view, groups) for slot, lines in panels],
            }
        )
    return sorted(found, key=lambda one: not one["lead"])


def _views(results: OverTime, local: pd.DataFrame) -> list[tuple[str, View]]:
    """Kinds and measures of these rows, in the headline reading, at the leading cutoff or the middle one."""
    keys = local[["kind", "measure", "reading", "cutoff_min"]].drop_duplicates()
    found = []
    for (kind, measure), rows in keys.groupby(["kind", "measure"], sort=True):
        readings = set(rows["reading"])
        reading = "mean" if "mean" in readings else "p50" if "p50" in readings else sorted(readings)[0]
        cutoffs = sorted(rows.loc[rows["reading"] == reading, "cutoff_min"].dropna())
        cutoff = None
        if cutoffs:
            cutoff = results.cutoff_min if results.cutoff_min in cutoffs else float(cutoffs[len(cutoffs) // 2])
        found.append((str(kind), View(str(measure), reading, cutoff)))
    order = [*results.kinds, *sorted({kind for kind, _ in found} - set(results.kinds))]
    first = {"cumulative_opportunities": 0, "nearest": 1}
    return sorted(found, key=lambda one: (first.get(one[1].measure, 2), order.index(one[0]), one[1].measure))


def _slots_of(results: OverTime, rows: pd.DataFrame) -> list[Slot]:
    found = {
        Slot(str(day), str(window)) for day, window in rows[["day", "window"]].drop_duplicates().itertuples(index=False)
    }
    days = results.days

    def order(slot: Slot) -> tuple[int, str, str]:
        return days.index(slot.day) if slot.day in days else 99, str(results.windows.get(slot.window, "")), slot.window

    return sorted(found, key=order)


def _unit(results: OverTime, slot: Slot, kind: str, view: View, group: Group) -> str:
    """The unit in the first run that has one; figures in another unit are not drawn beside it."""
    return next((unit for run in results.runs if (unit := results.unit(run.id, slot, kind, view, group))), "")


def _lines(results: OverTime, slot: Slot, kind: str, view: View, groups: Sequence[Group]) -> list[Line]:
    lines = []
    for group in groups:
        unit = _unit(results, slot, kind, view, group)
        cells = [
            results.cell("value", run.id, slot, kind, view, group)
            if results.unit(run.id, slot, kind, view, group) == unit
            else None
            for run in results.runs
        ]
        change = results.cell("change", results.runs[-1].id, slot, kind, view, group)
        lines.append(
            Line(
                f"{_NAMES.get(group[1], 'Everybody')}:",
                tuple(words.in_unit(cell.value, unit) if cell else math.nan for cell in cells),
                tuple(plain_figure(cell, unit) for cell in cells),
                tuple(cell.source if cell else "" for cell in cells),
                plain_figure(change, unit, sign=True) if change else "",
                change.source if change else "",
            )
        )
    return lines


def _chart(
    results: OverTime,
    slot: Slot,
    lines: list[Line],
    title: str,
    axis: tuple[float, float, float],
    kind: str,
    view: View,
    groups: Sequence[Group],
) -> dict[str, Any]:
    name = results.slot_name(slot)
    rows = []
    notes: dict[str, None] = {}
    for group in groups:
        cells = []
        for number, run in enumerate(results.runs):
            unit = results.unit(run.id, slot, kind, view, group)
            value = results.cell("value", run.id, slot, kind, view, group)
            persons, covered = (
                results.cell(c, run.id, slot, kind, view, group) for c in ("persons", "persons_covered")
            )
            few = persons is not None and covered is not None and covered.value < 0.8 * persons.value
            if few:
                notes["* under 80 % of the group has figures."] = None
            if unit not in ("", _unit(results, slot, kind, view, group)):
                notes[f"{run.label} counts in {words.unit_name(unit)}, so it is not drawn."] = None
            cells.append(Markup("{}{}").format(figure(value, unit), " *" if few else ""))
            if number:
                cells.append(figure(results.cell("change", run.id, slot, kind, view, group), unit, sign=True))
        label = words.group_name(*group) if group[0] == "local" else "Everybody"
        rows.append({"label": label, "cells": cells})
    return {
        "name": name,
        "svg": lines_over_time(lines, [run.label for run in results.runs], title=f"{title}, {name}", axis=axis),
        "rows": rows,
        "notes": list(notes),
    }
