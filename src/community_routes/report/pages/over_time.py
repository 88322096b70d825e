"""What a comparison over time is made of, the files it is written to, and quick ways to the cells that its page shows."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from community_routes.base.errors import as_path
from community_routes.report import words
from community_routes.report.cells import csv_text, exact_number, publish
from community_routes.report.figures import Cell
from community_routes.report.lead import Slot, View, slot_name

_GROUP_KEYS = ("run", "day", "window", "grouping", "group", "kind", "measure", "reading", "cutoff_min")
_WHY_KEYS = ("run", "day", "window", "kind", "grouping", "group", "of", "part", "route")


@dataclass(frozen=True)
class RunView:
    """What a page says of one run.

    Attributes
    ----------
    id, label : str
        As in the tables.
    title, study, version : str
    dates : mapping of day to date
    """

    id: str
    label: str
    title: str
    study: str
    version: str
    dates: Mapping[str, dt.date]


@dataclass(frozen=True, eq=False)
class OverTime:
    """All that the page and the files of a comparison over time are made from.

    Attributes
    ----------
    runs : tuple of RunView
        The first is what the others are measured against.
    tables : mapping of name to DataFrame
        ``over_time``, ``neighbourhoods``, ``inputs``, ``timetable_changes`` and ``explained``, as they are written: row ``i``
        is line ``i + 2`` of its file.
    kinds : tuple of str
        Leading kinds of places; empty where the runs have none in common.
    cutoff_min : float or None
    slots : tuple of Slot
        Days and windows of the leading figures.
    groups : tuple of (grouping, group)
        Everybody, and the most deprived fifth where it is known.
    windows : mapping of name to text
    unexplained : mapping of run to text
        Why the change of a run could not be taken apart.
    remarks : tuple of str
        What the reader must know before believing a change.
    strangers : mapping of run to list of str
        Neighbourhoods that not every run has.
    version : str
        Of the library.
    invented : bool
    """

    runs: tuple[RunView, ...]
    tables: Mapping[str, pd.DataFrame]
    kinds: tuple[str, ...]
    cutoff_min: float | None
    slots: tuple[Slot, ...]
    groups: tuple[tuple[str, str], ...]
    windows: Mapping[str, str]
    version: str
    unexplained: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    strangers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    invented: bool = False

    @property
    def first(self) -> RunView:
        """The run that the others are measured against."""
        return self.runs[0]

    @property
    def later(self) -> tuple[RunView, ...]:
        """All runs but the first."""
        return self.runs[1:]

    @property
    def view(self) -> View:
        """The leading way to look at reach."""
        return View("cumulative_opportunities", "mean", self.cutoff_min)

    @property
    def days(self) -> list[str]:
        """Days of any run, in order of date."""
        return list(dict.fromkeys(day for run in self.runs for day in run.dates))

    def slot_name(self, slot: Slot) -> str:
        """ "Weekday, evening, 18:00-22:00" for people."""
        return slot_name(slot, self.windows, self.days)

    @cached_property
    def _group_rows(self) -> dict[tuple[object, ...], int]:
        return _index(self.tables["over_time"], _GROUP_KEYS)

    @cached_property
    def _why_rows(self) -> dict[tuple[object, ...], int]:
        return _index(self.tables["explained"], _WHY_KEYS)

    def cell(self, column: str, run: str, slot: Slot, kind: str, view: View, group: tuple[str, str]) -> Cell | None:
        """A cell of ``over_time.csv``; None where there is none or it is empty."""
        key = (run, slot.day, slot.window, *group, kind, view.measure, view.reading, view.cutoff_min)
        return self._cell("over_time", column, self._group_rows.get(key))

    def why(
        self, column: str, run: str, slot: Slot, kind: str, group: tuple[str, str], part: tuple[str, str, str]
    ) -> Cell | None:
        """A cell of ``explained.csv``; ``part`` is ``of, part, route``."""
        return self._cell("explained", column, self._why_rows.get((run, slot.day, slot.window, kind, *group, *part)))

    def unit(self, run: str, slot: Slot, kind: str, view: View, group: tuple[str, str]) -> str:
        """Unit of a row of ``over_time.csv``."""
        key = (run, slot.day, slot.window, *group, kind, view.measure, view.reading, view.cutoff_min)
        row = self._group_rows.get(key)
        return "" if row is None else str(self.tables["over_time"]["unit"].iat[row])

    def _cell(self, table: str, column: str, row: int | None) -> Cell | None:
        if row is None:
            return None
        value = float(self.tables[table][column].iat[row])
        return Cell(table, (row,), column, value) if math.isfinite(value) else None


def _index(table: pd.DataFrame, keys: Sequence[str]) -> dict[tuple[object, ...], int]:
    columns: list[list[Any]] = []
    for key in keys:
        if key == "cutoff_min":
            columns.append([None if pd.isna(value) else float(value) for value in table[key]])
        else:
            columns.append([str(value) for value in table[key]])
    return {key: row for row, key in enumerate(zip(*columns, strict=True))}


def share_figure(cell: Cell | None) -> Markup:
    """A share of the change in per cent, with its place in the tables."""
    if cell is None:
        return Markup('<span class="none">–</span>')
    return Markup('<data value="{}" data-from="{}" data-unit="share">{}</data>').format(
        exact_number(cell.value), cell.source, words.percent(cell.value)
    )


def write_over_time(results: OverTime, folder: str | Path, page: str) -> list[Path]:
    """Write the tables, ``run.json`` and the page; the same results give the same bytes."""
    place = as_path(folder)
    written = [place / f"{name}.csv" for name in results.tables]
    for path, table in zip(written, results.tables.values(), strict=True):
        publish(path, csv_text(table).encode("utf-8"))
    content = {
        "program": "community_routes",
        "command": "compare",
        "version": results.version,
        "runs": [
            {
                "id": run.id,
                "label": run.label,
                "study": run.study,
                "title": run.title,
                "version": run.version,
                "service_dates": {day: date.isoformat() for day, date in run.dates.items()},
            }
            for run in results.runs
        ],
        "remarks": list(results.remarks),
        "counts": {"rows": {name: len(table) for name, table in results.tables.items()}},
    }
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    for name, data in (("run.json", text), ("report.html", page)):
        written.append(place / name)
        publish(written[-1], data.encode("utf-8"))
    return written


def as_text(value: Any) -> str:
    """A cell as text, empty where it is missing."""
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value)
