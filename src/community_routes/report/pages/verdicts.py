"""The answer for each proposal: one sentence with its number and interval, and all times of day below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.blocks import (
    Block,
    Box,
    Drawn,
    Heading,
    Lead,
    Row,
    Section,
    Table,
    Td,
    Text,
    Th,
    article,
    below,
    code,
)
from community_routes.report.figures import Cell, Figures, Slot, figure, when
from community_routes.report.pages.connected import cut_off
from community_routes.report.pages.context import Report
from community_routes.report.results import BASE_GROUPS, TODAY, ScenarioSummary


def answer(report: Report) -> Section:
    """The bounds of a step-free study, a verdict for each proposal, and how things stand today."""
    found = [*bounds(report.figures), *(verdict(report, scenario) for scenario in report.results.scenarios)]
    return Section("answer", "The answer", [*found, *today(report)], short="The answer")


def times_table(
    figures: Figures, name: str, heads: Sequence[str], cells: Callable[[Slot, str], Sequence[str | Td]]
) -> Table:
    """A row for each time of day and some columns for each leading kind of place."""
    kinds = figures.headline_kinds
    over = [Th(f"{words.kind_name(kind).capitalize()}{unit_note(figures, kind)}", span=len(heads)) for kind in kinds]
    rows = [Row(figures.when(slot), [cell for kind in kinds for cell in cells(slot, kind)]) for slot in figures.slots]
    return Table(name, ["When", *([*heads] * len(kinds))], rows, over=[Th(""), *over], style="times")


def unit_note(figures: Figures, kind: str) -> str:
    """The unit of a column in brackets, where it is not a number of places."""
    shown = words.unit_name(figures.unit(kind, figures.headline_view))
    return "" if shown in ("", "places") else f" ({shown})"


def counted(unit: str, kind: str) -> str:
    """What a figure counts: the kind of place, with the unit where it is not a number of places."""
    shown = words.unit_name(unit)
    if shown in ("", "places", "opportunities", "count"):
        return words.kind_name(kind)
    return f"{shown} {'of' if shown == 'ha' else 'in'} {words.kind_name(kind)}"


def verdict(report: Report, scenario: ScenarioSummary) -> Box:
    """The answer for one proposal, at the time of day and kind of place where it changes most, all others below it."""
    figures = report.figures
    (slot, kind), view = report.strongest[scenario.id], figures.headline_view
    unit = figures.unit(kind, view)
    change = lead_cell(figures, "change", scenario.id, slot, kind)
    is_loss = change is not None and change.value != 0 and (change.value < 0) != view.low_is_good
    said: list[Block] = [Text(_sentence(figures, scenario, slot, kind), "sentence")]
    said += [_people(report, scenario.id, slot, kind)]
    said.append(Text(f"{_sure(figures, scenario, slot, kind)}.", "sure"))
    if scenario.effects:
        said.append(Text("; ".join(scenario.effects).replace("->", "→") + ".", "sure"))
    counts = Markup("{}<br>{}").format(counted(unit, kind), view.within)
    whom = "Most deprived fifth" if figures.fifths() else f"All {figures.people}"
    return article(
        report.heading(scenario),
        Lead(figure(change, unit, sign=True), counts, said, is_loss),
        Text(f"{whom}: what can be reached {view.within}, today and with the proposal", "cap"),
        times_table(
            figures,
            f"{scenario.title}: all times of day",
            ["Today", "Proposal", "Change"],
            lambda slot, kind: _compared(figures, scenario.id, slot, kind),
        ),
        *_against_base(figures, scenario),
    )


def _people(report: Report, scenario: str, slot: Slot, kind: str) -> Block:
    """Who gains, who sees no change, who loses: as a bar and in figures."""
    figures, view = report.figures, report.figures.headline_view
    cells = [figures.summed(f"persons_{name}", scenario, slot, kind, view) for name in ("better", "same", "worse")]
    better, same, worse = (figure(cell, whole=True) for cell in cells)
    share = report.results.settings.get("least_change")
    floor = more = ""
    if share and "persons_below" in figures.tables["groups"]:
        lie_below = figure(figures.summed("persons_below", scenario, slot, kind, view), whole=True)
        floor = Markup(" <span>({})</span>").format(words.least_change_words(share, lie_below))
        more = f" of more than {100 * share:g} %"
    key = Markup(
        '<p class="key"><span class="part"><span class="chip gain"></span>{} {} gain</span> '
        '<span class="part"><span class="chip same"></span>{} no change{}</span> '
        '<span class="part"><span class="chip loss"></span>{} lose</span>{}</p>'
    ).format(better, figures.people, same, more, worse, floor)
    values = [cell.value if cell is not None else 0.0 for cell in cells]
    return Drawn(charts.people_bar(*values, people=figures.people) + key)


def lead_cell(figures: Figures, column: str, scenario: str, slot: Slot, kind: str) -> Cell | None:
    """The headline figure: of the most deprived fifth, else of everybody."""
    if figures.lead is None:
        return _all_zones_cell(figures, column, scenario, slot, kind)
    return figures.lead_cell(column, scenario, slot, kind)


def _all_zones_cell(figures: Figures, column: str, scenario: str, slot: Slot, kind: str) -> Cell | None:
    """The person-weighted mean over neighbourhoods, for a study without deprivation; a sum of many cells."""
    rows = figures.zone_rows("comparison", scenario, slot, kind, figures.headline_view)
    if rows is None:
        return None
    values = figures.column("comparison", column)[rows]
    persons = figures.results.zones["population"].to_numpy(dtype=np.float64)
    there = (rows >= 0) & np.isfinite(values) & (persons > 0)
    if not there.any():
        return None
    mean = float(np.average(values[there], weights=persons[there]))
    return Cell("comparison", tuple(int(row) for row in rows[there]), column, mean, is_mean=True)


def _compared(figures: Figures, scenario: str, slot: Slot, kind: str) -> tuple[str | Td, ...]:
    """Today, with the proposal, and the change with its interval."""
    unit = figures.unit(kind, figures.headline_view)
    columns = ("baseline", "value", "change", "low", "high")
    baseline, value, change, low, high = (lead_cell(figures, name, scenario, slot, kind) for name in columns)
    told = figure(change, unit, sign=True) + interval(low, high, unit)
    return figure(baseline, unit), figure(value, unit), Td(told, "change")


def interval(low: Cell | None, high: Cell | None, unit: str, *, times: float = 1.0) -> Markup:
    """ "0.5 to 1.5" below a figure; nothing where it is exact."""
    if low is None or high is None or not low.value < high.value:
        return Markup("")
    ends = (figure(cell, unit, sign=True, times=times) for cell in (low, high))
    return below(Markup("{} to {}").format(*ends), "interval")


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

    def cells(slot: Slot, kind: str) -> tuple[str | Td, ...]:
        at = mine.index[(mine["day"] == slot.day) & (mine["window"] == slot.window) & (mine["kind"] == kind)]
        base, value, change = (
            Cell(BASE_GROUPS, (int(at[0]),), column, float(table[column].loc[at[0]])) if len(at) else None
            for column in ("baseline", "value", "change")
        )
        unit = figures.unit(kind, view)
        return figure(base, unit), figure(value, unit), Td(figure(change, unit, sign=True), "change")

    title = scenario.base_title or str(mine["base"].iat[0])
    return (
        Text(f"What it adds to the proposal that it builds on: {title}", "cap"),
        times_table(
            figures,
            f"{scenario.title}: against the proposal that it builds on",
            ["Base", "Proposal", "Change"],
            cells,
        ),
    )


def _who(figures: Figures) -> str:
    if not figures.fifths():
        return figures.people
    return (
        f"{figures.people} of the most deprived fifth" if figures.results.has_population else "the most deprived fifth"
    )


def _sentence(figures: Figures, scenario: ScenarioSummary, slot: Slot, kind: str) -> Markup:
    """With the number and its interval; says so where nothing changes or the change cannot be told from zero."""
    view = figures.headline_view
    unit = figures.unit(kind, view)
    columns = ("baseline", "value", "change", "low", "high")
    baseline, value, change, low, high = (lead_cell(figures, name, scenario.id, slot, kind) for name in columns)
    if change is None or not np.isfinite(change.value):
        return Markup("No figure could be worked out for {}.").format(_who(figures))
    moment = words.sentence_case(when(slot, figures.days, figures.results.windows))
    if abs(change.value) < 1e-9:
        return Markup("{}, {} reach as many {} {} as today: {}.").format(
            moment, _who(figures), counted(unit, kind), view.within, figure(value, unit)
        )
    sentence = Markup("{}, {} could reach {} {} {}, {} {} today: a change of {}").format(
        moment,
        _who(figures),
        figure(value, unit),
        counted(unit, kind),
        view.within,
        "up from" if change.value > 0 else "down from",
        figure(baseline, unit),
        figure(change, unit, sign=True),
    )
    if low is not None and high is not None and low.value < high.value:
        ends = (figure(cell, unit, sign=True) for cell in (low, high))
        sentence += Markup(" (95 in 100 draws lie between {} and {})").format(*ends)
        if low.value <= 0 <= high.value:
            sentence += Markup(", which <strong>cannot be told from no change</strong>")
    return sentence + Markup(".")


def _sure(figures: Figures, scenario: ScenarioSummary, slot: Slot, kind: str) -> str:
    low, high = (lead_cell(figures, name, scenario.id, slot, kind) for name in ("low", "high"))
    known = low is not None and high is not None and np.isfinite(low.value) and np.isfinite(high.value)
    if known and low is not None and high is not None and low.value < high.value:
        return "with its interval, because some departure times are assumed"
    if not scenario.is_random:
        return "exact for this timetable"
    if known:
        return "the same in every draw of the departure times that it assumes"
    return "for the departure times that the proposal assumes; --draws 200 says how much depends on them"


# --- how things stand -------------------------------------------------------------------------------------------------


def today(report: Report) -> tuple[Block, ...]:
    """Most and least deprived fifth for each leading kind and time of day; nothing where deprivation is not known."""
    figures = report.figures
    if not figures.fifths():
        return ()
    view_text = figures.headline_view.within
    told: list[Block] = [Heading("How things stand today")]
    told += [
        Text(Markup("{} {} reach {} {}.").format(count, figures.people, what, moment), "sentence")
        for count, what, moment in cut_off(figures)
    ]
    told.append(Text(f"What can be reached {view_text} on average, in the most and the least deprived fifth", "cap"))
    told.append(_ends(figures, "Today, by deprivation", ["Most deprived", "Least deprived"], "local"))
    if figures.groups_of("local_income"):
        because = "because the index of deprivation contains access to services itself"
        told.append(Text(f"The same by fifths of income alone, {because}", "cap"))
        told.append(_ends(figures, "Today, by income", ["Lowest incomes", "Highest incomes"], "local_income"))
    return (article(*told),)


def _ends(figures: Figures, name: str, heads: list[str], grouping: str) -> Table:
    """The first and the last fifth today."""
    fifths, view = figures.fifths(), figures.headline_view

    def cells(slot: Slot, kind: str) -> list[str | Td]:
        found = (
            figures.group_cell("value", TODAY, slot, kind, view, grouping, fifth) for fifth in (fifths[0], fifths[-1])
        )
        return [figure(cell, figures.unit(kind, view)) for cell in found]

    return times_table(figures, name, heads, cells)


# --- two bounds -------------------------------------------------------------------------------------------------------


def bounds(figures: Figures) -> tuple[Block, ...]:
    """Step-free figures: what is not known of trips and stops taken as accessible, and as not; nothing in another study."""
    results = figures.results
    if not results.mode:
        return ()
    rows = _bound_rows(figures)
    beside = Markup(
        "; the least, where only what is known to be accessible counts, stands beside it here and in the tables as {}"
    ).format(code("step_free_worst"))
    told = Markup("Stairs, escalators, and what is known not to be accessible are left out. {}").format(
        "Only trips and stops known to be accessible count."
        if results.mode.endswith("worst")
        else Markup(
            "Trips and stops of which it is not known are taken as accessible, so that every figure of this page is the most "
            "that can be{}."
        ).format(beside if rows else "")
    )
    found: list[Block] = [Heading("Without steps"), Text(told, "sentence")]
    if rows:
        heads = ["Today", *(scenario.title for scenario in results.scenarios)]
        text = f"What {figures.lead_name} reach {figures.headline_view.within} on average: at best, and at worst"
        found.append(Text(text, "cap"))
        found.append(
            Table(
                "Without steps, at best and at worst",
                ["What, when", *(["At best", "At worst"] * len(heads))],
                rows,
                over=[Th(""), *(Th(head, span=2) for head in heads)],
                style="times",
            )
        )
    return (article(*found),)


def _bound_rows(figures: Figures) -> list[Row]:
    results, view = figures.results, figures.headline_view
    if figures.lead is None or results.worst is None:
        return []
    others = Figures(results.worst)
    ids = (TODAY, *(scenario.id for scenario in results.scenarios))
    rows = []
    for kind in figures.headline_kinds:
        for slot in figures.slots:
            cells = []
            for scenario in ids:
                cells.append(figure(figures.lead_cell("value", scenario, slot, kind), figures.unit(kind, view)))
                worst = others.group_cell("value", scenario, slot, kind, view, *figures.lead)
                cells.append(figure(_below(worst, len(figures.tables["groups"])), figures.unit(kind, view)))
            name = f"{words.sentence_case(words.kind_name(kind))}, {figures.when(slot)}"
            rows.append(Row(f"{name}{unit_note(figures, kind)}", cells))
    return rows


def _below(cell: Cell | None, n_rows: int) -> Cell | None:
    """The cell where it is written: the worse bound stands below the rows of the better one."""
    return None if cell is None else replace(cell, rows=tuple(row + n_rows for row in cell.rows))
