"""Who gains: the change by deprivation fifth in charts with their figures, and by the study's own groups."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.blocks import (
    Block,
    Box,
    Drawn,
    Fold,
    Heading,
    Picture,
    Row,
    Section,
    Table,
    Text,
    article,
    code,
    hidden,
)
from community_routes.report.figures import Figures, Slot, figure, plain_figure
from community_routes.report.pages.context import Report
from community_routes.report.pages.verdicts import counted
from community_routes.report.results import ScenarioSummary

_MOST_WARDS = 24
_COVERED = 0.8
_COLUMNS = (
    ("persons", True),
    ("persons_covered", True),
    ("baseline", False),
    ("value", False),
    ("change", False),
    ("low", False),
    ("high", False),
    ("persons_better", True),
    ("persons_worse", True),
    ("persons_same", True),
)


def gains(report: Report) -> Section | None:
    """Charts of the change of each proposal; None without proposals."""
    figures = report.figures
    if not report.results.scenarios:
        return None
    note = (
        f"Fifths of this study's {figures.people} by deprivation rank. Average change {figures.headline_view.within}; all "
        "charts of one row have one scale."
    )
    found = [_gains(report, scenario) for scenario in report.results.scenarios]
    return Section("gains", "Who gains", [Text(note, "note"), *found], short="Who gains")


def _gains(report: Report, scenario: ScenarioSummary) -> Box:
    """Charts by fifth for every leading kind and time of day, then wards."""
    figures = report.figures
    if figures.fifths():
        told = [block for kind in figures.headline_kinds for block in _by_fifth(figures, scenario, kind)]
    else:
        told = [Text("The study gives no deprivation, so there are no fifths to compare.")]
    return article(report.heading(scenario), *told, *wards(report, scenario), style="gain-set")


def _by_fifth(figures: Figures, scenario: ScenarioSummary, kind: str) -> list[Block]:
    view = figures.headline_view
    name = counted(figures.unit(kind, view), kind)
    lines = {
        slot: [_line(figures, scenario.id, slot, kind, fifth) for fifth in figures.fifths()] for slot in figures.slots
    }
    span = charts.span_of([line.bar for slot in lines for line in lines[slot]])
    pictures: list[Block] = []
    unchanged = []
    for slot, mine in lines.items():
        when = figures.when(slot)
        if all(line.bar.value == 0 and line.bar.low == line.bar.high for line in mine):
            unchanged.append(when)
            continue
        drawing = charts.change_bars(
            [line.bar for line in mine], title=f"Change in {name} {view.within}, {when}", span=span
        )
        behind = f"{scenario.title}, {name}, {when}"
        pictures.append(Picture(when, drawing, [_behind(figures, behind, mine)]))
    windows = max(sum(slot.day == day for slot in figures.slots) for day in figures.days)
    found: list[Block] = [Heading(name.capitalize(), 4), Box(pictures, f"charts c{min(windows, 3)}")]
    return [*found, Text(f"No group sees a change: {'; '.join(unchanged)}.", "note")] if unchanged else found


def _behind(figures: Figures, name: str, lines: list[_Line]) -> Fold:
    """The figures behind a chart."""
    people = figures.people.capitalize()
    heads = ["With figures", "Today", "Proposal", "Change", "Low", "High", "Better", "Worse", "Same"]
    rows = [Row(line.bar.label, line.cells) for line in lines]
    told: list[Block] = [Table(f"Figures: {name}", ["Group", people, *heads], rows, style="fine")]
    if any(line.bar.note for line in lines):
        told.append(Text("* under 80 % of the group has figures.", "note"))
    return Fold(Markup("Figures{}").format(hidden(f" behind the chart: {name}")), told)


@dataclass(frozen=True)
class _Line:
    """One group: its bar, and its cells of the table behind the chart."""

    bar: charts.Bar
    cells: tuple[Markup, ...]


def _line(figures: Figures, scenario: str, slot: Slot, kind: str, group: str) -> _Line:
    view = figures.headline_view
    unit = figures.unit(kind, view)
    found = {name: figures.group_cell(name, scenario, slot, kind, view, "local", group) for name, _ in _COLUMNS}
    persons, covered = found["persons"], found["persons_covered"]
    share = covered.value / persons.value if persons and covered and persons.value > 0 else math.nan
    note = f"{words.percent(share)} of them covered" if share < _COVERED else ""
    label = words.group_name("local", group) + (" *" if note else "")
    signed = ("change", "low", "high")
    cells = (
        figure(found[name], whole=True) if whole else figure(found[name], unit, sign=name in signed)
        for name, whole in _COLUMNS
    )
    return _Line(_bar(figures, (scenario, slot, kind), "local", group, label, note), tuple(cells))


def _bar(
    figures: Figures, where: tuple[str, Slot, str], grouping: str, group: str, label: str, note: str = ""
) -> charts.Bar:
    """The change of a group of people as a bar."""
    view = figures.headline_view
    unit = figures.unit(where[2], view)
    change, low, high = (
        figures.group_cell(column, *where, view, grouping, group) for column in ("change", "low", "high")
    )
    value, least, most = (words.in_unit(cell.value, unit) if cell else math.nan for cell in (change, low, high))
    return charts.Bar(
        label=label,
        value=value,
        text=plain_figure(change, unit, sign=True),
        source=change.source if change else "",
        low=least,
        high=most,
        good=not view.low_is_good,
        note=note,
    )


def wards(report: Report, scenario: ScenarioSummary) -> list[Block]:
    """The change by the study's own groups at one time of day, greatest first; the ends where there are very many."""
    figures, (slot, kind) = report.figures, report.strongest[scenario.id]
    bars = [
        _bar(figures, (scenario.id, slot, kind), "group", group, group if len(group) <= 22 else group[:21] + "…")
        for group in figures.groups_of("group")
    ]
    bars = sorted((bar for bar in bars if np.isfinite(bar.value)), key=lambda bar: (-bar.value, bar.label))
    if not bars:
        return []
    left_out = len(bars) - _MOST_WARDS
    if left_out > 0:
        bars = [*bars[: _MOST_WARDS // 2], *bars[-_MOST_WARDS // 2 :]]
    when, half, span = figures.when(slot), -(-len(bars) // 2), charts.span_of(bars)
    title = f"Change in {words.kind_name(kind)} by ward or group, {when}"
    drawn = (charts.change_bars(part, title=title, span=span) for part in (bars[:half], bars[half:]) if part)
    note = Markup("{}, {}, {}.").format(words.sentence_case(words.kind_name(kind)), when, figures.headline_view.within)
    if left_out > 0:
        note += Markup(" The {} in the middle are in {}.").format(left_out, code("groups.csv"))
    boxes = Box([Box([Drawn(drawing)], "chart") for drawing in drawn], "charts c2")
    summary = Markup("By ward or group{}").format(hidden(f": {scenario.title}"))
    return [Fold(summary, [Text(note, "note"), boxes], "wards")]
