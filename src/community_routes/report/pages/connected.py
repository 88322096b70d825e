"""How the borough hangs together: who has nothing within reach, and from which ward one gets to which."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Block, Heading, Row, Section, Table, Td, Text, Th, code, element, lettered
from community_routes.report.figures import Cell, Figures, Slot, View, figure, when
from community_routes.report.pages.context import Report
from community_routes.report.results import TODAY

STEPS = (0.2, 0.4, 0.6, 0.8)
"""Shares at which the shade of a cell changes."""
_MOST_WARDS = 40
_MOST_PAIRS = 8
_NOISE = 1e-9


def connected(report: Report) -> Section | None:
    """Who reaches nothing, and which ward reaches which; None where neither was worked out."""
    found = [*isolation(report), *ward_matrix(report)]
    return Section("connected", "Connected and cut off", found, short="Connections") if found else None


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


def cut_off(figures: Figures) -> list[tuple[Markup, str, str]]:
    """For each headline kind that somebody does not reach at all: how many, what, and at the worst time of day when."""
    view, told = View("isolated", "mean", figures.headline_view.cutoff_min), []
    for kind in figures.headline_kinds:
        worst: tuple[float, Slot, Cell, float] | None = None
        for slot in figures.slots:
            share = figures.group_cell("value", TODAY, slot, kind, view, "all", "all")
            covered = figures.group_cell("persons_covered", TODAY, slot, kind, view, "all", "all")
            if share is None or covered is None or not share.value * covered.value >= 1:
                continue
            if worst is None or share.value > worst[0] + _NOISE:
                worst = share.value, slot, share, covered.value
        if worst is not None:
            moment = when(worst[1], figures.days, figures.results.windows)
            count = figure(worst[2], whole=True, times=worst[3])
            told.append((count, f"no {words.kind_name(kind)} within {words.number(view.cutoff_min)} minutes", moment))
    return told


def matrix_of(figures: Figures, scenario: str, slot: Slot) -> pd.DataFrame | None:
    """Rows of ``ward_matrix.csv`` of a scenario at one time of day, within the middle cutoff; None where there are none."""
    table = figures.tables.get("ward_matrix")
    wanted = {"scenario", "day", "window", "from_group", "to_group", "cutoff_min", "share"}
    if table is None or not wanted <= set(table.columns):
        return None
    mine = table[
        (table["scenario"] == scenario)
        & (table["day"] == slot.day)
        & (table["window"] == slot.window)
        & (pd.to_numeric(table["cutoff_min"]) == figures.headline_view.cutoff_min)
    ]
    return mine if len(mine) else None


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
    letter = report.results.letter(scenario) if report.has_letters else ""
    found: list[Block] = [
        Heading(lettered(letter, "What the proposal changes most"), 4),
        Table("Table: changes from ward to ward", ["From and to", "Today (%)", "Proposal (%)"], rows),
    ]
    left = len(moved) - _MOST_PAIRS
    if left > 0:
        found.append(Text(Markup("{} more pairs change; all are in {}.").format(left, code("ward_matrix.csv")), "note"))
    return found
