"""Each measure by deprivation fifth over time: one chart for each day and window, with the figures behind it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Block, Box, Fold, Picture, Row, Section, Table, Text, below, element, hidden
from community_routes.report.figures import figure, plain_figure
from community_routes.report.lead import Slot, View
from community_routes.report.line_charts import Line, axis_of, lines_over_time
from community_routes.report.pages.over_time import OverTime

_FIFTHS = ("1", "2", "3", "4", "5")
_NAMES = {"1": "1 most deprived", "2": "2", "3": "3", "4": "4", "5": "5 least deprived"}
Group = tuple[str, str]


def measures_over_time(results: OverTime, people: str) -> Section:
    """Each measure of each kind by deprivation fifth, one chart for each time of day; the leading one first.

    Of everybody where no run knows deprivation.
    """
    table = results.tables["over_time"]
    by_fifths = bool((table["grouping"] == "local").any())
    groups = [("local", fifth) for fifth in _FIFTHS] if by_fifths else [("all", "all")]
    wanted = (table["grouping"] == groups[0][0]) & table["group"].isin([group for _, group in groups])
    local = table[wanted & ~table["kind"].str.contains("/")]
    measures = [fold for kind, view in _views(results, local) for fold in _measure(results, local, kind, view, groups)]
    measures.sort(key=lambda fold: not fold.is_open)
    whom = (
        f"Fifths of the {people} of each run by deprivation rank: where ranks or numbers of {people} differ between runs, so do "
        "the fifths."
        if by_fifths
        else "No run knows how deprived its neighbourhoods are, so everybody is shown."
    )
    note = Text(f"{whom} All charts of one measure have one scale.", "note")
    return Section(
        "measures",
        f"Each measure {'by deprivation fifth' if by_fifths else 'over time'}",
        [note, *measures] if measures else [Text("No run has a figure of a whole kind of place.")],
        short="By deprivation" if by_fifths else "Measures",
    )


def _measure(results: OverTime, local: pd.DataFrame, kind: str, view: View, groups: Sequence[Group]) -> list[Fold]:
    """The charts of one measure; nothing where it has no figure."""
    mine = local[(local["kind"] == kind) & (local["measure"] == view.measure) & (local["reading"] == view.reading)]
    mine = mine[mine["cutoff_min"].isna() if view.cutoff_min is None else mine["cutoff_min"] == view.cutoff_min]
    lines = {slot: _lines(results, slot, kind, view, groups) for slot in _slots_of(results, mine)}
    values = {slot: [value for line in found for value in line.values] for slot, found in lines.items()}
    slots = [slot for slot in lines if any(map(math.isfinite, values[slot]))]
    if not slots:
        return []
    axis = axis_of([value for slot in slots for value in values[slot]])
    title, charts = f"{view.name}: {words.kind_name(kind)}", []
    for slot in slots:
        name = results.slot_name(slot)
        moments = [run.label for run in results.runs]
        drawing = lines_over_time(lines[slot], moments, title=f"{title}, {name}", axis=axis)
        charts.append(Picture(name, drawing, [_behind(results, slot, kind, view, groups, f"{title}, {name}")]))
    unit = words.unit_name(next((str(u) for u in mine["unit"] if str(u)), ""))
    shown = below("" if unit in ("", "places") else unit)
    summary = Markup("{} {}").format(element("h3", title), shown) if shown else element("h3", title)
    told: list[Block] = [] if axis[0] <= 0 else [Text("The axis does not begin at 0.", "note")]
    leads = view == results.view and kind in results.kinds
    return [Fold(summary, [*told, Box(charts, "over-charts")], "measure", is_open=leads)]


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


def _behind(results: OverTime, slot: Slot, kind: str, view: View, groups: Sequence[Group], name: str) -> Fold:
    """The figures behind a chart."""
    rows = []
    notes: dict[str, None] = {}
    for group in groups:
        cells: list[str] = []
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
            cells.append(figure(value, unit) + (" *" if few else ""))
            if number:
                cells.append(figure(results.cell("change", run.id, slot, kind, view, group), unit, sign=True))
        rows.append(Row(words.group_name(*group) if group[0] == "local" else "Everybody", cells))
    later = [head for run in results.later for head in (run.label, "Change")]
    table = Table(f"Figures: {name}", ["Group", results.first.label, *later], rows, style="fine")
    summary = Markup("Figures{}").format(hidden(f" behind the chart: {name}"))
    return Fold(summary, [table, *(Text(note, "note") for note in notes)])
