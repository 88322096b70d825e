"""What it costs to travel: a month of commuting by deprivation, and what a fare buys."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.measures.list import column_of
from community_routes.measures.money import BURDEN, COST, NEAREST_FOR, REACHED_FOR
from community_routes.report import words
from community_routes.report.blocks import Band, Block, Fold, Heading, Row, Section, Table, Td, Text, below, element
from community_routes.report.figures import Cell, Figures, figure
from community_routes.report.lead import Slot, View
from community_routes.report.pages.context import Report
from community_routes.report.results import TODAY

_OTHER = ("fare", "cost", "burden", "monthly", "budget", "ticket")
_PARTS = {"50": "half", "25": "a quarter", "75": "three quarters", "100": "all"}
_SMALL = 0.05


def money(report: Report) -> Section | None:
    """A month of commuting, what a fare buys, and further measures of cost; None where nothing of money was worked out."""
    told_months = months(report)
    found = [*told_months, *buys(report, letters=not told_months), *others(report)]
    return Section("money", "What it costs to travel", found) if found else None


# --- a month of commuting --------------------------------------------------------------------------------------------


def months(report: Report) -> list[Block]:
    """One part for each time of day at which people set out to work, within the middle cutoff."""
    figures = report.figures
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
    slots = [slot for slot in figures.all_slots if (slot.day, slot.window) in there]
    parts = [_month(report, slot, kind, view, is_only=len(slots) == 1) for slot in slots]
    later = [block for part in parts[1:] for block in part]
    return [*parts[0], *([Fold("The same at other times", later, "further")] if later else [])]


def _month(report: Report, slot: Slot, kind: str, view: View, *, is_only: bool) -> list[Block]:
    figures, results = report.figures, report.results
    about, people = COST.read(view.measure) or {}, figures.people
    share = "_".join(filter(None, about.values()))
    burden = View(BURDEN.name(*about.values()), view.reading, view.cutoff_min)
    has_income = figures.zone_rows("access", TODAY, slot, kind, burden) is not None
    rows, others_counted = [], False
    for who in [*(("local", fifth) for fifth in figures.fifths()), ("all", "all")]:
        cost, covered, persons = (
            figures.group_cell(column, TODAY, slot, kind, view, *who)
            for column in ("value", "persons_covered", "persons")
        )
        cells: list[str | Td] = [figure(cost, _unit(figures))]
        if has_income:
            cells.append(figure(figures.group_cell("value", TODAY, slot, kind, burden, *who), "share"))
        for scenario in results.scenarios:
            others, text = _change(figures, scenario.id, slot, kind, view, who, covered)
            others_counted |= others
            cells.append(Td(text, "change"))
        cells += [figure(covered, whole=True), figure(persons, whole=True)]
        rows.append(Row("Everybody" if who[0] == "all" else words.group_name(*who), cells))
    name = figures.when(slot)
    who_pay = Markup("; ").join(
        Markup("{} {} {}").format(count, people, text) for count, text in who_pays(figures, slot, kind, view)
    )
    goal = goal_words(share, kind, figures.unit(kind, figures.headline_view))
    letters = [
        Markup("Change with {}").format(element("span", results.letter(s.id), style="letter"))
        for s in results.scenarios
    ]
    heads = ["Who", "A month, today", *(["Share of income (%)"] if has_income else []), *letters]
    return [
        Heading("A month of commuting" if is_only else f"A month of commuting: {name}"),
        Text(Markup("To have {} {}, {}.").format(goal, view.within, who_pay), "sentence"),
        Text(_month_note(figures, name if is_only else "", others_counted=others_counted), "note"),
        *report.letters(),
        Table(f"Table: a month of commuting, {name}", [*heads, f"{people.capitalize()} in the average", "of"], rows),
    ]


def _month_note(figures: Figures, best_moment: str, *, others_counted: bool) -> str:
    said = [
        "What a resident must pay at least in a month of working days there and back, by singles, returns or tickets for a day, "
        "a week or four weeks, whichever is cheapest; those who can walk count with "
        f"{words.money_sign(figures.results.currency)}0."
    ]
    said += [f"Setting out at the best moment: {best_moment}."] if best_moment else []
    said.append(
        "Residents who cannot get so far have no price and are in no average. A ride whose fare is not known is never counted "
        "as free."
    )
    if others_counted:
        said.append(
            "Where a proposal changes how many can get there, that number stands in place of a change in cost, because the "
            "averages are not of the same residents."
        )
    return " ".join(said)


def _unit(figures: Figures) -> str:
    return f"{figures.results.currency} per month"


def _change(
    figures: Figures, scenario: str, slot: Slot, kind: str, view: View, who: tuple[str, str], covered: Cell | None
) -> tuple[bool, Markup]:
    """The change of a group's cost; where other residents can get there than today (True), how many instead.

    The means are then not of the same residents: who loses a costly way falls out of the mean and lowers it.
    """
    now = figures.group_cell("persons_covered", scenario, slot, kind, view, *who)
    if now is not None and covered is not None and abs(now.value - covered.value) >= 1:
        style = "gain-text" if now.value > covered.value else "loss-text"
        return True, element("b", figure(now, whole=True), style=style) + below("get there")
    cell = figures.group_cell("change", scenario, slot, kind, view, *who)
    return False, figure(cell, _unit(figures), sign=True)


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


def buys(report: Report, *, letters: bool) -> list[Block]:
    """What is reached for each budget beside what is reached at any price, and the minutes to the nearest."""
    figures, currency = report.figures, report.results.currency
    measures = figures.tables["access"]["measure"].astype(str).unique()
    asked = (REACHED_FOR.read(name) for name in measures)
    budgets = sorted((about["budget"] for about in asked if about is not None), key=float)
    if figures.lead is None or not budgets:
        return []
    cutoff = figures.headline_view.cutoff_min
    reached = [
        View("cumulative_opportunities", "mean", cutoff),
        *(View(REACHED_FOR.name(b), "mean", cutoff) for b in budgets),
    ]
    nearest = [View("nearest", "p50", None), *(View(NEAREST_FOR.name(b), "p50", None) for b in budgets)]
    rows: list[Row | Band] = []
    for kind in figures.headline_kinds:
        for views in (reached, nearest):
            if views is nearest and not _differs(report, kind, views):
                continue
            unit = figures.unit(kind, views[0])
            what = "minutes to the nearest" if views is nearest else f"reached within {words.number(cutoff)} minutes"
            shown = "" if views is nearest else words.unit_name(unit)
            name = f"{words.sentence_case(words.kind_name(kind))}: {what}"
            rows.append(Band(name + (f" ({shown})" if shown not in ("", "places") else "")))
            rows += [
                Row(figures.when(slot), [_with_changes(report, slot, kind, view, unit) for view in views])
                for slot in figures.slots
            ]
    more = ", and what the proposals add or take" if report.results.scenarios else ""
    note = f"What {figures.lead_name} reach today for one journey at a price, on average over all departures{more}."
    heads = ["When", "At any price", *(f"For {words.money(float(b), currency)} or less" for b in budgets)]
    return [
        Heading("What a fare buys"),
        Text(note, "note"),
        *(report.letters() if letters else []),
        Table("Table: what a fare buys", heads, rows),
    ]


def _differs(report: Report, kind: str, views: list[View]) -> bool:
    """Whether some budget makes the nearest place farther, today or under a proposal."""
    for scenario in (TODAY, *(scenario.id for scenario in report.results.scenarios)):
        for slot in report.figures.slots:
            cells = [report.figures.lead_cell("value", scenario, slot, kind, view) for view in views]
            values = [cell.value for cell in cells if cell is not None]
            if any(not np.isclose(value, values[0], equal_nan=True) for value in values[1:]):
                return True
    return False


def _with_changes(report: Report, slot: Slot, kind: str, view: View, unit: str) -> Markup:
    figures = report.figures
    told = figure(figures.lead_cell("value", TODAY, slot, kind, view), unit)
    for scenario in report.results.scenarios:
        cell = figures.lead_cell("change", scenario.id, slot, kind, view)
        if cell is not None and abs(words.in_unit(cell.value, unit)) >= _SMALL:
            gain = (cell.value > 0) != view.low_is_good
            told += report.moved(report.results.letter(scenario.id), figure(cell, unit, sign=True), gain=gain)
    return told


# --- other measures of money -----------------------------------------------------------------------------------------


def others(report: Report) -> list[Block]:
    """Any further measure of cost, today and under each proposal."""
    figures, results = report.figures, report.results
    access = figures.tables["access"]
    wanted = [
        measure
        for measure in access["measure"].unique()
        if any(word in measure for word in _OTHER) and not measure.startswith(("commuting_", "nearest_"))
    ]
    mine = access[access["measure"].isin(wanted)]
    if figures.lead is None or mine.empty:
        return []
    ids = [TODAY, *(scenario.id for scenario in results.scenarios)]
    rows = []
    for kind, measure, reading, cutoff in (
        mine[["kind", "measure", "reading", "cutoff_min"]].drop_duplicates().itertuples(index=False)
    ):
        view = View(str(measure), str(reading), None if pd.isna(cutoff) else float(cutoff), results.currency)
        unit = figures.unit(str(kind), view)
        name = f"{words.sentence_case(words.kind_name(str(kind)))}: {view.name} ({words.unit_name(unit)})"
        for slot in figures.slots:
            cells = [figures.lead_cell("value", scenario, slot, str(kind), view) for scenario in ids]
            if any(cell is not None and np.isfinite(cell.value) for cell in cells):
                heading = Markup("{}{}").format(name, below(figures.when(slot)))
                rows.append(Row(heading, [figure(cell, unit) for cell in cells]))
    heads = ["What, when", "Today", *(f"Proposal {results.letter(s.id)}" for s in results.scenarios)]
    return [Table("Table: other costs", heads, rows)] if rows else []
