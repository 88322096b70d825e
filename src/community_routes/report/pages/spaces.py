"""Shared spaces through the week, and who could meet whom in them."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Block, Heading, Row, Section, Table, Text, below
from community_routes.report.figures import Cell, Slot, figure
from community_routes.report.pages.context import Report
from community_routes.report.results import TODAY

_LEAST = 0.05


def spaces(report: Report) -> Section | None:
    """What the leading group reaches of each kind of shared space by time of day, and the change of each proposal."""
    figures = report.figures
    kinds = [kind for kind in figures.kinds if kind.startswith("shared_spaces")]
    if figures.lead is None or not kinds:
        return None
    rows = []
    for kind in kinds:
        name = words.sentence_case(words.part_name(kind.partition("/")[2]) or "all kinds")
        rows.append(Row(name, [_with_changes(report, slot, kind) for slot in figures.slots]))
    more = f", and what the proposals add or take (changes of {_LEAST:g} and more)" if report.results.scenarios else ""
    note = f"How many {figures.lead_name} can reach on average {figures.headline_view.within} today{more}."
    heads = ["Kind", *(figures.when(slot) for slot in figures.slots)]
    found: list[Block] = [
        Text(note, "note"),
        *report.letters(),
        Table("Table: shared spaces through the week", heads, rows),
        *meeting(report, report.start[0]),
        Text("Reach is a potential to meet, not a count of people who do.", "note"),
    ]
    return Section("spaces", "Shared spaces through the week", found, short="Shared spaces")


def _with_changes(report: Report, slot: Slot, kind: str) -> Markup:
    figures = report.figures
    unit = figures.unit(kind, figures.headline_view)
    told = figure(figures.lead_cell("value", TODAY, slot, kind), unit)
    for scenario in report.results.scenarios:
        cell = figures.lead_cell("change", scenario.id, slot, kind)
        if cell is not None and abs(cell.value) >= _LEAST:
            text = figure(cell, unit, sign=True)
            told += report.moved(report.results.letter(scenario.id), text, gain=cell.value > 0)
    return told


def meeting(report: Report, slot: Slot) -> list[Block]:
    """How far the people met through shared spaces are of one's own group, against where people live; from ``exposure``."""
    table = report.figures.tables.get("exposure")
    wanted = {"scenario", "day", "window", "group", "other", "via_places", "at_home"}
    if table is None or not wanted <= set(table.columns):
        return []
    mine = table[(table["group"] == table["other"]) & (table["day"] == slot.day) & (table["window"] == slot.window)]
    if "key" in table.columns:
        mine = mine[mine["key"] == "shared_spaces"]
    ids = [TODAY, *(s.id for s in report.results.scenarios)]
    rows = []
    for group in dict.fromkeys(mine["group"].astype(str)):
        own = mine[mine["group"].astype(str) == group]
        cells = [_share(own, TODAY, "at_home"), *(_share(own, scenario, "via_places") for scenario in ids)]
        rows.append(Row(words.sentence_case(words.plain(group)), [figure(cell, "share") for cell in cells]))
    if not rows:
        return []
    titles = [words.sentence_case(report.short_title(scenario)) for scenario in ids]
    heads = ["Group", "Where they live", *(Markup("In shared spaces{}").format(below(title)) for title in titles)]
    note = (
        "Of the people whom a resident could meet, how many in a hundred are of the resident's own group: at home, and in the "
        f"shared spaces within reach ({report.figures.when(slot)})."
    )
    return [Heading("Who could meet whom"), Text(note, "note"), Table("Table: who could meet whom", heads, rows)]


def _share(table: pd.DataFrame, scenario: str, column: str) -> Cell | None:
    found = table.index[table["scenario"] == scenario]
    return Cell("exposure", (int(found[0]),), column, float(table[column].loc[found[0]])) if len(found) else None
