"""How the borough hangs together: who has nothing within reach, and from which ward one gets to which."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import (
    Block,
    Heading,
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
from community_routes.report.figures import Cell, figure, matrix_of
from community_routes.report.lead import Slot, View
from community_routes.report.maps.scale import STEPS
from community_routes.report.pages.context import Report
from community_routes.report.results import TODAY

_MOST_WARDS = 40
_MOST_PAIRS = 8
_LEAST = 0.05
_NOISE = 1e-9


def connected(report: Report) -> Section | None:
    """Who reaches nothing, and which ward reaches which; None where neither was worked out."""
    found = [*isolation(report), *ward_matrix(report)]
    return Section("connected", "Connected and cut off", found) if found else None


def isolation(report: Report) -> list[Block]:
    """Residents on the network who reach nothing of a kind within the middle cutoff, on average over departures."""
    figures = report.figures
    view = View("isolated", "mean", figures.headline_view.cutoff_min)
    kinds = [kind for kind in figures.headline_kinds if figures.unit(kind, view)]
    if not kinds:
        return []
    heads = ["When", *(head for kind in kinds for head in (f"No {words.kind_name(kind)}", "%"))]
    rows = [
        Row(figures.when(slot), [c for kind in kinds for c in _isolated(report, slot, kind, view)])
        for slot in figures.slots
    ]
    note = (
        f"{figures.people.capitalize()} who reach no place at all {view.within}, of those whose neighbourhood is on the "
        "streets of this study; on average over all departures."
    )
    return [Text(note, "note"), Table("Table: who reaches nothing", heads, rows)]


def _isolated(report: Report, slot: Slot, kind: str, view: View) -> tuple[Markup, Markup]:
    """How many, with the changes of the proposals by a person or more, and their share."""
    figures = report.figures
    covered = figures.group_cell("persons_covered", TODAY, slot, kind, view, "all", "all")
    share = figures.group_cell("value", TODAY, slot, kind, view, "all", "all")
    persons = covered.value if covered is not None else float("nan")
    count = figure(share, whole=True, times=persons)
    for scenario in report.results.scenarios:
        change = figures.group_cell("change", scenario.id, slot, kind, view, "all", "all")
        if change is not None and abs(change.value * persons) >= 1:
            text = figure(change, times=persons, sign=True)
            count += report.moved(report.results.letter(scenario.id), text, gain=change.value < 0)
    return count, figure(share, "share")


def ward_matrix(report: Report) -> list[Block]:
    """Ward to ward at the first time of day: the share of residents who get there, and what proposals change most."""
    figures = report.figures
    slot = figures.slots[0]
    table = matrix_of(figures, TODAY, slot)
    if table is None:
        return []
    off = [str(name) for name, part in table.groupby("from_group", sort=True) if part["share"].isna().all()]
    names = [name for name in dict.fromkeys(table["from_group"].astype(str)) if name not in off]
    if not 2 <= len(names) <= _MOST_WARDS:
        return []
    place = {
        (str(a), str(b)): (int(row), float(share))
        for row, a, b, share in zip(table.index, table["from_group"], table["to_group"], table["share"], strict=True)
    }
    rows = [
        Row(start, [Td(_shared(place[start, end], whole=True), shade(place[start, end][1])) for end in names])
        for start in names
    ]
    note = (
        "How many in a hundred residents of the ward on the left reach some neighbourhood of the ward above "
        f"{figures.headline_view.within}, on the median departure ({figures.when(slot)})."
    )
    if off:
        note += f" No figures, because nobody there is on the streets of this study: {', '.join(off)}."
    heads: list[str | Th] = ["From", *(Th(element("span", name), "upright") for name in names)]
    return [
        Heading("From ward to ward"),
        Text(note, "note"),
        Table("Table: from ward to ward", heads, rows, style="heat"),
        *(block for scenario in report.results.scenarios for block in _changes(report, scenario.id, slot, place)),
    ]


def _shared(found: tuple[int, float], *, whole: bool = False) -> Markup:
    return figure(Cell("ward_matrix", (found[0],), "share", found[1]), "share", whole=whole)


def shade(share: float) -> str:
    """The class of a cell: ``heat-0`` to ``heat-4``, ``heat-none`` where nobody is on the network."""
    if not np.isfinite(share):
        return "heat-none"
    return f"heat-{sum(share + _NOISE >= step for step in STEPS)}"


def _changes(report: Report, scenario: str, slot: Slot, today: dict[tuple[str, str], tuple[int, float]]) -> list[Block]:
    """The pairs of wards that a proposal brings closer or takes apart most."""
    table = matrix_of(report.figures, scenario, slot)
    if table is None:
        return []
    moved = []
    for row, start, end, share in zip(table.index, table["from_group"], table["to_group"], table["share"], strict=True):
        before = today.get((str(start), str(end)))
        if before is not None and abs(float(share) - before[1]) > _NOISE:
            moved.append((float(share) - before[1], str(start), str(end), before, (int(row), float(share))))
    moved.sort(key=lambda item: (-abs(item[0]), item[1], item[2]))
    if not moved:
        return []
    rows = [
        Row(f"{start} → {end}", [_shared(before), Td(_shared(after), "gain-text" if change > 0 else "loss-text")])
        for change, start, end, before, after in moved[:_MOST_PAIRS]
    ]
    letter, title = (
        report.results.letter(scenario) if report.has_letters else "",
        report.results.scenario_title(scenario),
    )
    found: list[Block] = [
        Heading(lettered(letter, "What the proposal changes most"), 4),
        Table(
            f"Table: changes from ward to ward, {title}",
            ["From and to", "Today (%)", "Proposal (%)"],
            rows,
        ),
    ]
    left = len(moved) - _MOST_PAIRS
    if left > 0:
        found.append(Text(Markup("{} more pairs change; all are in {}.").format(left, code("ward_matrix.csv")), "note"))
    return found


# --- shared spaces ---------------------------------------------------------------------------------------------------


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
    return Section("spaces", "Shared spaces through the week", found)


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
