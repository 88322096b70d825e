"""Every neighbourhood with its figures, and the further tables of the results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import (
    Block,
    Drawn,
    Fold,
    Row,
    Section,
    Table,
    Td,
    Text,
    Th,
    below,
    code,
    element,
    lettered,
)
from community_routes.report.cells import cell_text
from community_routes.report.figures import Cell, Figures, figure
from community_routes.report.pages.context import Report
from community_routes.report.pages.options import has_ranking
from community_routes.report.results import BASE_COMPARISON, BASE_GROUPS, TODAY, Results

_MOST_ROWS = 12
_TITLES = {
    "shared_spaces": "Who could meet where",
    "mixing": "Who could meet where: potential to meet",
    "exposure": "Exposure of one group to another through shared spaces",
    "affordability": "What journeys cost",
    "ranking": "The options in order",
    "paired": "Journeys that change, each against the same journey today",
    "operating_by_day": "What it takes to run: routes by kind of day, today and with the proposal",
    "operating_by_period": "What it takes to run: buses in use at once by period of the day",
    "last_home": "Last journey home",
}


def neighbourhoods(report: Report) -> Section:
    """Most deprived first: the figure today and the change of each proposal."""
    figures, results = report.figures, report.results
    slot, kind = report.start
    given, has_groups = deprivation_column(results), bool((results.zones["group"].fillna("").astype(str) != "").any())
    heads = [Th("Neighbourhood", sort="text")]
    heads += [Th("Group", "spare", sort="text")] if has_groups else []
    heads.append(Th("Residents" if results.has_population else "Weight", "spare", sort="number"))
    if given:
        name = Markup("Depri&shy;vation {}").format("decile" if given == "deprivation_decile" else "rank")
        heads.append(Th(name + below("1 most deprived"), sort="number"))
    heads.append(Th("Today", sort="number"))
    for scenario in results.scenarios:
        title = element("span", scenario.title, style="long")
        letter = results.letter(scenario.id) if report.has_letters else ""
        heads.append(Th(lettered(letter, title) + below("change"), "of-proposal", sort="number"))
    order = np.argsort(pd.to_numeric(results.zones["deprivation_rank"], errors="coerce").fillna(np.inf), kind="stable")
    first = " Most deprived first." if given else ""
    note = f"{figures.headline_view.name}: {words.kind_name(kind)}, {figures.when(slot)}.{first}"
    table = Table(
        "Table of neighbourhoods",
        heads,
        [_row(report, int(zone), given, has_groups=has_groups) for zone in order],
        style="sortable",
        id="zones",
        hidden_caption="Every neighbourhood with its figure today and the change of each proposal",
        tall=True,
    )
    about = Drawn(element("p", note, style="note", id="zones-about"))
    found: list[Block] = [about, *report.letters(only_narrow=True), table]
    return Section("neighbourhoods", "Neighbourhoods", found, short="Neighbourhoods")


def _row(report: Report, index: int, given: str, *, has_groups: bool) -> Row:
    figures, (slot, kind), zone = report.figures, report.start, report.results.zones.iloc[index]
    view = figures.headline_view
    unit = figures.unit(kind, view)
    cells: list[str | Td] = []
    if has_groups:
        cells.append(Td("" if pd.isna(zone["group"]) else str(zone["group"]), "text spare"))
    cells.append(Td(_whole(zone["population"]), "spare"))
    cells += [_whole(zone[given])] if given else []
    if str(zone["reason"]):
        why = words.REASONS.get(str(zone["reason"]), str(zone["reason"]))
        cells.append(Td(why, "reason", 1 + len(report.results.scenarios)))
    else:
        cells.append(figure(figures.zone_cell("access", "value", TODAY, slot, kind, view, index), unit))
        for scenario in report.results.scenarios:
            change = figures.zone_cell("comparison", "change", scenario.id, slot, kind, view, index)
            cells.append(Td(figure(change, unit, sign=True), "change"))
    return Row(element("a", str(zone["name"]), href="#maps", style="zone-link"), cells, zone=index)


def deprivation_column(results: Results) -> str:
    """What the table of neighbourhoods says of deprivation: the decile, else the rank, "" where neither is given."""
    given = ("deprivation_decile", "deprivation_rank")
    return next((column for column in given if results.zones[column].notna().any()), "")


def _whole(value: Any) -> str:
    return "" if pd.isna(value) else words.count(float(value))


def further_tables(report: Report) -> Section | None:
    """Further tables of the results, with their first rows; None without any."""
    figures = report.figures
    told = {"ward_matrix", BASE_COMPARISON, BASE_GROUPS} | ({"ranking"} if has_ranking(figures) else set())
    found = [_further(figures, name) for name in sorted(set(report.results.extra) - told - {"summary"})]
    return Section("further", "Further tables", found) if found else None


def _further(figures: Figures, name: str) -> Fold:
    table = figures.tables[name]
    title = _TITLES.get(name, words.sentence_case(words.plain(name)))
    first = table.head(_MOST_ROWS)
    columns = [
        [_plain_cell(name, row, str(column), value) for row, value in enumerate(first[column].to_numpy(object))]
        for column in table.columns
    ]
    rows = [Row(None, cells) for cells in zip(*columns, strict=True)]
    heads = [words.sentence_case(words.plain(str(column))) for column in table.columns]
    found: list[Table | Text] = [Table(title, heads, rows, style="fine")]
    if len(table) > _MOST_ROWS:
        more = Markup("{} more rows are in {}.").format(len(table) - _MOST_ROWS, code(f"{name}.csv"))
        found.append(Text(more, "note"))
    return Fold(element("h3", title), found, "further")


def _plain_cell(name: str, row: int, column: str, value: object) -> str | Td:
    if isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_):
        return figure(Cell(name, (row,), column, float(value)))
    return Td(value if isinstance(value, str) else cell_text(value), "text")
