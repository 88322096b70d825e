"""The proposals side by side: what each changes, what it takes, and what a further bus-hour brings."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.blocks import (
    Block,
    Box,
    Fold,
    Heading,
    Items,
    Picture,
    Row,
    Section,
    Table,
    Td,
    Text,
    below,
    element,
    hidden,
    lettered,
)
from community_routes.report.figures import Cell, Figures, cost_figure, digits_of, figure, plain_figure
from community_routes.report.lead import Slot
from community_routes.report.pages.answer import interval, undrawn_proposals
from community_routes.report.pages.context import Report, counted
from community_routes.report.results import MISSING_COST, Results

_ITEMS = {
    "bus_hours_per_year": "Further bus-hours a year",
    "km_per_year": "Further bus-kilometres a year",
    "peak_vehicles_per_year": "Further buses at the busiest time",
    "cost_per_year": "Further cost a year",
}


def options(report: Report) -> Section | None:
    """One picture of each time of day and kind of place, the cost beside them; the figures and the ranking behind it."""
    figures, results = report.figures, report.results
    if not results.scenarios:
        return None
    found: list[Block] = []
    zero: list[str] = []
    pictures = [one for kind in figures.headline_kinds for one in _multiples(report, kind, zero)]
    pictures += _costs(report) if pictures else []
    found.append(Box(pictures, "multiples"))
    whom = figures.lead_name
    note = (
        f"Change in % of what {whom} {'reaches' if figures.fifths() else 'reach'} today {figures.headline_view.within}."
    )
    if zero:
        note += f" Where no proposal changes anything, nothing is drawn: {'; '.join(zero)}."
    found = [Text(note, "note"), *report.letters(), *found, *_behind(report)]
    return Section("options", "When each proposal acts", found, short="Times of day")


def _multiples(report: Report, kind: str, zero: list[str]) -> list[Block]:
    """Charts for a kind of place, one for each time of day at which anything changes, all of one scale."""
    figures = report.figures
    name = counted("", kind)
    bars = {slot: [_bar(report, s.id, slot, kind) for s in report.results.scenarios] for slot in figures.slots}
    beside = [bar for mine in bars.values() for bar in mine]
    pictures: list[Block] = []
    for slot, mine in bars.items():
        when = figures.when(slot)
        if not any(bar.value != 0 for bar in mine):
            zero.append(f"{name}, {when[:1].lower()}{when[1:]}")
            continue
        drawing = charts.small_bars(mine, title=f"Change in {name}, %, {when}", beside=beside)
        caption = Markup("{}{}").format(words.sentence_case(name), below(when))
        pictures.append(Picture(caption, drawing, name=f"change-{kind}-{slot.day}-{slot.window}"))
    return pictures


def _bar(report: Report, scenario: str, slot: Slot, kind: str) -> charts.Bar:
    """A proposal at one time of day: the change for the leading group in a hundred of today's figure."""
    figures = report.figures
    share = figures.told("change_percent", scenario, slot, kind)
    value = share.value if share is not None else np.nan
    text = plain_figure(share, sign=True, digits=1)
    letter = report.results.letter(scenario) if report.has_letters else ""
    source = share.source if share is not None else ""
    return charts.Bar(letter, value, text, source, value, value, good=not figures.headline_view.low_is_good)


def _costs(report: Report) -> list[Block]:
    """The further cost of a year beside the charts of change."""
    figures, results = report.figures, report.results
    bars = []
    for scenario in results.scenarios:
        cell = figures.told("cost_per_year", scenario.id)
        value = cell.value if cell is not None else np.nan
        letter = results.letter(scenario.id) if report.has_letters else ""
        text, source = words.MISSING, ""
        if cell is not None and np.isfinite(value):
            text = ("\u2212" if value < 0 else "") + words.about(value)
            source = cell.source
        bars.append(charts.Bar(letter, value, text, source, value, value, neutral=True))
    if not any(np.isfinite(bar.value) for bar in bars):
        return []
    sign = words.money_sign(results.currency).rstrip()
    drawing = charts.small_bars(bars, title=f"Further cost a year, about, {sign}", beside=bars)
    caption = Markup("{}{}").format("Further cost a year", below(f"about, {sign}"))
    return [Picture(caption, drawing, name="cost")]


def _behind(report: Report) -> list[Block]:
    """All figures of the picture, what the proposals take to run, and what a further bus-hour brings."""
    figures, results = report.figures, report.results
    costs = cost_rows(figures)
    if figures.lead is None or (len(results.scenarios) < 2 and not costs):
        return []
    note = (
        f"Change for {figures.lead_name}, {figures.headline_view.within}. The greatest gain of each row is marked; it does not "
        "say what it costs."
    )
    heads = [lettered(results.letter(s.id), element("span", s.title, style="long")) for s in results.scenarios]
    found: list[Block] = [
        Text(note, "note"),
        *report.letters(only_narrow=True),
        Table(
            "Table: the options side by side",
            ["What, when", *heads],
            [*_change_rows(figures), *costs],
            style="side-by-side",
        ),
        *ranking(figures),
    ]
    assumed = assumptions(results)
    if assumed:
        found += [Heading("What the costs assume"), Items(assumed, "plain")]
    return [Fold("Figures, costs and what a further bus-hour brings", found)]


def _change_rows(figures: Figures) -> list[Row]:
    view, rows = figures.headline_view, []
    scenarios = figures.results.scenarios
    for kind in figures.headline_kinds:
        unit = figures.unit(kind, view)
        shown = words.unit_name(unit)
        name = words.sentence_case(words.kind_name(kind)) + (f" ({shown})" if shown != "places" else "")
        every = [figures.lead_cell("change", s.id, slot, kind) for slot in figures.slots for s in scenarios]
        digits = digits_of(every, unit)
        for slot in figures.slots:
            cells = [figures.lead_cell("change", s.id, slot, kind) for s in scenarios]
            best = _best([cell.value if cell else np.nan for cell in cells], low_is_good=view.low_is_good)
            told = [
                Td(figure(cell, unit, sign=True, digits=digits) + hidden(" (greatest gain)"), "change best")
                if place == best
                else Td(figure(cell, unit, sign=True, digits=digits), "change")
                for place, cell in enumerate(cells)
            ]
            rows.append(Row(Markup("{}{}").format(name, below(figures.when(slot))), told))
    return rows


def _best(values: list[float], *, low_is_good: bool) -> int:
    """Place of the greatest gain, -1 where nobody gains or two gain the same."""
    gains = [-value if low_is_good else value for value in values]
    gains = [gain if np.isfinite(gain) else -np.inf for gain in gains]
    top = max(gains)
    return gains.index(top) if top > 1e-9 and sum(abs(gain - top) < 1e-9 for gain in gains) == 1 else -1


def cost_rows(figures: Figures) -> list[Row]:
    """Numbers of ``costs.csv`` against the proposals; empty where no cost was worked out."""
    table = figures.tables.get("costs")
    if table is None:
        return []
    rows: list[Row] = []
    for item in dict.fromkeys(table["item"].astype(str)):
        mine = table[table["item"] == item]
        if mine["value"].map(lambda value: isinstance(value, str)).any():
            continue
        cells = []
        for scenario in figures.results.scenarios:
            found = mine.index[mine["scenario"] == scenario.id]
            if MISSING_COST in (scenario.cost or {}):
                cells.append(element("span", "not known", style="none"))
                continue
            value = float(mine["value"].loc[found[0]]) if len(found) else float("nan")
            cell = Cell("costs", (int(found[0]) if len(found) else 0,), "value", value)
            cells.append(cost_figure(cell, figures.results.currency) if item == "cost_per_year" else _amount(cell))
        name = _ITEMS.get(item, words.sentence_case(words.plain(item)))
        rows.append(Row(name, cells, style="" if rows else "first-cost"))
    return rows


def _amount(cell: Cell) -> Markup:
    """Bus-hours, kilometres and buses as whole numbers from 10 on."""
    return figure(cell, whole=abs(cell.value) >= 10, sign=abs(cell.value) < 10)


def assumptions(results: Results) -> list[str]:
    """What the costs assume, each sentence once with the letters of the proposals that it holds for."""
    found: dict[str, list[str]] = {}
    for scenario in results.scenarios:
        for value in (scenario.cost or {}).values():
            if isinstance(value, str):
                found.setdefault(value, []).append(results.letter(scenario.id))
    everyone = len(results.scenarios)
    return [
        words.sentence_case(text) + ("." if len(letters) == everyone else f" ({', '.join(letters)}).")
        for text, letters in found.items()
    ]


def has_ranking(figures: Figures) -> bool:
    """Whether ``ranking.csv`` can be told."""
    table = figures.tables.get("ranking")
    wanted = {"kind", "rank", "scenario", "gain", "bus_hours", "gain_per_bus_hour", "same_as_next"}
    return table is not None and wanted <= set(table.columns) and len(table) > 0


def ranking(figures: Figures) -> list[Block]:
    """The proposals in the order of ``ranking.csv``, by kind: what a thousand further bus-hours bring."""
    if not has_ranking(figures):
        return []
    table = figures.tables["ranking"]
    gain = "gains" if figures.fifths() else "gain"
    note = (
        f"In order of what {figures.lead_name} {gain} for a thousand further bus-hours a year, {figures.headline_view.within}, "
        "averaged over the days and times of the study. What saves bus-hours and still gains comes first. Below a figure stands "
        "the interval of 95 in 100 draws; whether two proposals can be told apart is judged by the difference between them in "
        "the same draws."
    )
    if undrawn_proposals(figures):
        note += " Where departure times are assumed and were not drawn, nobody knows."
    found: list[Block] = [Heading("What a further bus-hour brings"), Text(note, "note")]
    for kind in dict.fromkeys(table["kind"].astype(str)):
        unit = figures.unit(kind, figures.headline_view)
        mine = table.index[table["kind"].astype(str) == kind]
        rows = [_ranked(figures, table, int(row), unit, is_last=row == mine[-1]) for row in mine]
        name, shown = words.sentence_case(words.kind_name(kind)), words.unit_name(unit)
        heads = [name + (f" ({shown})" if shown != "places" else "")]
        heads += ["Gain", "Further bus-hours a year", "Gain for a thousand"]
        found.append(Table(f"Table: what a further bus-hour brings, {name}", heads, rows, style="ranked"))
    return found


def _ranked(figures: Figures, table: pd.DataFrame, row: int, unit: str, *, is_last: bool) -> Row:
    scenario, same = str(table["scenario"].loc[row]), table["same_as_next"].loc[row]
    names = ("gain", "bus_hours", "gain_per_bus_hour", "low_per_bus_hour", "high_per_bus_hour")
    gain, hours, rate, low, high = (
        Cell("ranking", (row,), name, float(pd.to_numeric(table[name].loc[row])) if name in table.columns else np.nan)
        for name in names
    )
    notes = []
    if hours.value <= 0:
        notes.append("needs no further bus-hours" if hours.value == 0 else "saves bus-hours")
    if not np.isfinite(hours.value):
        notes.append("nobody knows what it takes: see what the costs assume")
    elif not is_last and pd.isna(same):
        notes.append("not known whether it can be told apart from the next")
    elif not is_last and bool(same):
        notes.append("cannot be told apart from the next")
    if low.value < high.value and not low.value <= rate.value <= high.value:
        how = "less" if rate.value < low.value else "more"
        notes.append(f"the departure times as assumed bring {how} than nearly all that were drawn")
    results = figures.results
    told = figure(rate, unit, sign=True, times=1000.0) + interval(low, high, unit, times=1000.0)
    return Row(
        lettered(results.letter(scenario), results.scenario_title(scenario)) + below("; ".join(notes)),
        [figure(gain, unit, sign=True), figure(hours, whole=True), Td(told, "change")],
    )
