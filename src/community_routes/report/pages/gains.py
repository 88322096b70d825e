"""Who gains: people and deprivation fifths, each proposal where it is judged; all times of day and wards for its detail."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    below,
    code,
    hidden,
)
from community_routes.report.figures import Figures, figure, plain_figure
from community_routes.report.lead import Slot
from community_routes.report.pages.answer import judged
from community_routes.report.pages.context import Report, counted
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
    """Who gains and loses with each proposal, and the change by fifth where each is judged; None without proposals."""
    figures, results = report.figures, report.results
    if not results.scenarios:
        return None
    kind = figures.headline_kinds[0]
    name = counted(figures.unit(kind, figures.headline_view), kind)
    shown: list[Block] = []
    unchanged: list[Markup | str] = []
    where = {one.scenario.id: one.slot for one in judged(figures)}
    lines = {
        scenario.id: [_line(figures, scenario.id, where[scenario.id], kind, fifth) for fifth in figures.fifths()]
        for scenario in results.scenarios
    }
    beside = [line.bar for mine in lines.values() for line in mine]
    for scenario in results.scenarios:
        slot, mine = where[scenario.id], lines[scenario.id]
        people = _people(report, scenario.id)
        if not mine or not _moves(mine):
            unchanged.append(report.title(scenario))
            if not mine:
                shown.append(Box([Heading(report.title(scenario), 3), people], "chart"))
            continue
        title = f"Change in {name} {figures.headline_view.within}, {figures.when(slot)}"
        caption = Markup("{}{}").format(report.title(scenario), below(figures.when(slot)))
        drawing = charts.change_bars([line.bar for line in mine], title=title, beside=beside)
        shown.append(Picture(caption, people.markup + drawing, [], f"who-gains-{scenario.id}"))
    note = f"Bars on top: all {figures.people} who gain, see no change that counts, and lose. "
    if figures.fifths():
        note += (
            f"Below, the average change in {name} {figures.headline_view.within}, by fifths of this study's {figures.people} "
            "by deprivation rank; all charts have one scale."
        )
    else:
        note += "The study gives no deprivation, so there are no fifths to compare."
    found: list[Block] = [Text(note, "note"), Box(shown, "charts c3")]
    if any(line.bar.note for mine in lines.values() for line in mine):
        found.append(Text("* under 80 % of the fifth has figures.", "note"))
    if unchanged and figures.fifths():
        found.append(Text(Markup("No fifth sees a change with {}.").format(Markup("; ").join(unchanged)), "note"))
    return Section("gains", "Who gains", found, short="Who gains")


def _people(report: Report, scenario: str) -> Drawn:
    """Who gains, who sees no change, who loses: as a bar and in figures."""
    figures = report.figures
    cells = [figures.told(f"persons_{name}", scenario) for name in ("better", "same", "worse")]
    better, same, worse = (figure(cell, whole=True) for cell in cells)
    share = figures.results.settings.get("least_change")
    more = f" of more than {100 * share:g} %" if share else ""
    key = Markup(
        '<p class="key"><span class="part"><span class="chip gain"></span>{} gain</span> '
        '<span class="part"><span class="chip same"></span>{} no change{}</span> '
        '<span class="part"><span class="chip loss"></span>{} lose</span></p>'
    ).format(better, same, more, worse)
    values = [cell.value if cell is not None else 0.0 for cell in cells]
    return Drawn(charts.people_bar(*values, people=figures.people) + key)


def by_fifth(figures: Figures, scenario: ScenarioSummary, kind: str) -> list[Block]:
    view = figures.headline_view
    name = counted(figures.unit(kind, view), kind)
    lines = {
        slot: [_line(figures, scenario.id, slot, kind, fifth) for fifth in figures.fifths()] for slot in figures.slots
    }
    beside = [line.bar for slot in lines for line in lines[slot]]
    pictures: list[Block] = []
    unchanged = []
    for slot, mine in lines.items():
        when = figures.when(slot)
        if not _moves(mine):
            unchanged.append(when)
            continue
        drawing = charts.change_bars(
            [line.bar for line in mine], title=f"Change in {name} {view.within}, {when}", beside=beside
        )
        behind = f"{scenario.title}, {name}, {when}"
        pictures.append(Picture(when, drawing, [_behind(figures, behind, mine)]))
    windows = max(sum(slot.day == day for slot in figures.slots) for day in figures.days)
    found: list[Block] = [Heading(words.sentence_case(name)), Box(pictures, f"charts c{min(windows, 3)}")]
    return [*found, Text(f"No group sees a change: {'; '.join(unchanged)}.", "note")] if unchanged else found


def _moves(lines: Sequence[_Line]) -> bool:
    """Whether any group sees a change, or may see one in some draw."""
    return any(line.bar.value != 0 or line.bar.low < line.bar.high for line in lines)


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
    when, half = figures.when(slot), -(-len(bars) // 2)
    title = f"Change in {words.kind_name(kind)} by ward or group, {when}"
    drawn = (charts.change_bars(part, title=title, beside=bars) for part in (bars[:half], bars[half:]) if part)
    note = Markup("{}, {}, {}.").format(words.sentence_case(words.kind_name(kind)), when, figures.headline_view.within)
    if left_out > 0:
        note += Markup(" The {} in the middle are in {}.").format(left_out, code("groups.csv"))
    boxes = Box([Box([Drawn(drawing)], "chart") for drawing in drawn], "charts c2")
    summary = Markup("By ward or group{}").format(hidden(f": {scenario.title}"))
    return [Fold(summary, [Text(note, "note"), boxes], "wards")]
