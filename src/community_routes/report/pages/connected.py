"""How the borough hangs together: who has nothing within reach, and from which ward one gets to which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.figures import Cell, Figures, Slot, View, figure, slot_name, when
from community_routes.report.results import TODAY

STEPS = (0.2, 0.4, 0.6, 0.8)
"""Shares at which the shade of a cell changes."""
_MOST_WARDS = 40
_MOST_PAIRS = 8
_NOISE = 1e-9


def connected(figures: Figures) -> dict[str, Any] | None:
    """The parts of the section; None where neither was worked out."""
    found = {"isolation": isolation(figures), "wards": ward_matrix(figures)}
    return found if any(found.values()) else None


def isolation(figures: Figures) -> dict[str, Any] | None:
    """Residents on the network who reach nothing of a kind within the middle cutoff, on average over departures."""
    view = View("isolated", "mean", figures.headline_view.cutoff_min)
    kinds = [kind for kind in figures.headline_kinds if figures.unit(kind, view)]
    if not kinds:
        return None
    rows = []
    for slot in figures.slots:
        cells = []
        for kind in kinds:
            covered = figures.group_cell("persons_covered", TODAY, slot, kind, view, "all", "all")
            share = figures.group_cell("value", TODAY, slot, kind, view, "all", "all")
            persons = covered.value if covered is not None else float("nan")
            moved = [
                (letter, figures.group_cell("change", scenario, slot, kind, view, "all", "all"))
                for scenario, letter in ((s.id, figures.results.letter(s.id)) for s in figures.results.scenarios)
            ]
            cells.append(
                {
                    "count": figure(share, whole=True, times=persons),
                    "share": figure(share, "share"),
                    "moved": [
                        {"letter": letter, "text": figure(cell, times=persons, sign=True), "gain": cell.value < 0}
                        for letter, cell in moved
                        if cell is not None and abs(cell.value * persons) >= 1
                    ],
                }
            )
        rows.append({"name": slot_name(slot, figures.results.windows, _days(figures)), "cells": cells})
    return {"kinds": [words.kind_name(kind) for kind in kinds], "cutoff": words.number(view.cutoff_min), "rows": rows}


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
            moment = when(worst[1], _days(figures), figures.results.windows)
            count = figure(worst[2], whole=True, times=worst[3])
            told.append((count, f"no {words.kind_name(kind)} within {words.number(view.cutoff_min)} minutes", moment))
    return told


def _days(figures: Figures) -> list[str]:
    return list(dict.fromkeys(slot.day for slot in figures.slots))


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


def ward_matrix(figures: Figures) -> dict[str, Any] | None:
    """Ward to ward at the first time of day: the share of residents who get there, and what proposals change most."""
    slot = figures.slots[0]
    table = matrix_of(figures, TODAY, slot)
    if table is None:
        return None
    off = [str(name) for name, part in table.groupby("from_group", sort=True) if part["share"].isna().all()]
    names = [name for name in dict.fromkeys(table["from_group"].astype(str)) if name not in off]
    if not 2 <= len(names) <= _MOST_WARDS:
        return None
    place = {
        (str(a), str(b)): (int(row), float(share))
        for row, a, b, share in zip(table.index, table["from_group"], table["to_group"], table["share"], strict=True)
    }
    rows = []
    for start in names:
        cells = []
        for end in names:
            row, share = place[start, end]
            cell = Cell("ward_matrix", (row,), "share", share)
            cells.append({"shade": shade(share), "text": figure(cell, "share", whole=True)})
        rows.append({"name": start, "cells": cells})
    return {
        "slot": slot_name(slot, figures.results.windows, _days(figures)),
        "cutoff": words.number(figures.headline_view.cutoff_min),
        "names": names,
        "rows": rows,
        "off": off,
        "changes": [part for part in (_changes(figures, s.id, slot, place) for s in figures.results.scenarios) if part],
    }


def shade(share: float) -> str:
    """The class of a cell: ``heat-0`` to ``heat-4``, ``heat-none`` where nobody is on the network."""
    if not np.isfinite(share):
        return "heat-none"
    return f"heat-{sum(share + _NOISE >= step for step in STEPS)}"


def _changes(
    figures: Figures, scenario: str, slot: Slot, today: dict[tuple[str, str], tuple[int, float]]
) -> dict[str, Any] | None:
    """The pairs of wards that a proposal brings closer or takes apart most."""
    table = matrix_of(figures, scenario, slot)
    if table is None:
        return None
    moved = []
    for row, start, end, share in zip(table.index, table["from_group"], table["to_group"], table["share"], strict=True):
        before = today.get((str(start), str(end)))
        if before is not None and abs(float(share) - before[1]) > _NOISE:
            moved.append((float(share) - before[1], str(start), str(end), before, (int(row), float(share))))
    moved.sort(key=lambda item: (-abs(item[0]), item[1], item[2]))
    rows = [
        {
            "pair": f"{start} → {end}",
            "gain": change > 0,
            "cells": [figure(Cell("ward_matrix", (row,), "share", share), "share") for row, share in (before, after)],
        }
        for change, start, end, before, after in moved[:_MOST_PAIRS]
    ]
    left = max(0, len(moved) - _MOST_PAIRS)
    return {"letter": figures.results.letter(scenario), "rows": rows, "left_out": left} if rows else None
