"""Which figures the page shows, and where each comes from: a cell of a table, named beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from community_routes.measures.list import less_is_better
from community_routes.report import words
from community_routes.report.cells import exact_number, sorted_tables
from community_routes.report.results import TODAY, Results
from community_routes.sources.study.fares import POUNDS

_NOISE = 1e-9
HEADLINE_KINDS = ("employment", "shared_spaces")


@dataclass(frozen=True)
class View:
    """One way to look at reach: a measure with its reading and cutoff."""

    measure: str
    reading: str
    cutoff_min: float | None
    currency: str = field(default=POUNDS, compare=False)

    @property
    def low_is_good(self) -> bool:
        """Less is better: a time, a cost, a share of people left out."""
        return less_is_better(self.measure)

    @property
    def name(self) -> str:
        """In words, without the kind of place."""
        return words.view_name(self.measure, self.reading, self.cutoff_min, self.currency)

    @property
    def within(self) -> str:
        """The cutoff in words; nothing where it has none."""
        return "" if self.cutoff_min is None else f"within {words.number(self.cutoff_min)} minutes"


@dataclass(frozen=True)
class Slot:
    """A day and a window."""

    day: str
    window: str


@dataclass(frozen=True, eq=False)
class Cell:
    """Cells of one table, by their rows, whose sum is a figure; or their mean, weighted by persons."""

    table: str
    rows: tuple[int, ...]
    column: str
    value: float
    is_mean: bool = False

    @property
    def source(self) -> str:
        """``groups.csv:12+15:persons_better``: the file, its lines (the heading is line 1) and the column."""
        how = ":mean" if self.is_mean else ""
        return f"{self.table}.csv:{'+'.join(str(row + 2) for row in self.rows)}:{self.column}{how}"


def figure(cell: Cell | None, unit: str = "", *, sign: bool = False, whole: bool = False, times: float = 1.0) -> Markup:
    """A figure for people that carries its exact value and its place in the tables; ``times`` is for rates ("per 1,000")."""
    if cell is None or not np.isfinite(cell.value):
        return Markup('<span class="none">–</span>')
    shown = words.in_unit(cell.value, unit) * times
    shown = 0.0 if abs(shown) < _NOISE else shown
    if words.is_money(unit):
        text = words.money(shown, unit[:3], sign=sign)
    else:
        text = words.count(shown) if whole else words.number(shown, sign=sign)
    return Markup('<data value="{}" data-from="{}" data-unit="{}">{}</data>').format(
        exact_number(cell.value), cell.source, unit, text
    )


def plain_figure(cell: Cell | None, unit: str = "", *, sign: bool = False) -> str:
    """The same words without markup, for a label in a drawing."""
    if cell is None or not np.isfinite(cell.value):
        return words.MISSING
    shown = words.in_unit(cell.value, unit)
    return words.number(0.0 if abs(shown) < _NOISE else shown, sign=sign)


class Figures:
    """The tables of some results as they are written, and quick ways to the cells that the page shows."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.tables = sorted_tables(results)
        self.zone_row = {str(zone): i for i, zone in enumerate(results.zones["id"])}
        self.views = headline_views(self.tables["access"], results.currency)
        self.kinds = _kinds(self.tables["access"], results)
        self._units = _units(self.tables["access"])
        self.all_slots = _slots(self.tables["access"], results)
        self.slots = self._headline_slots()
        self._series = {name: self._zone_series(name) for name in ("access", "comparison")}
        self._groups = self._group_rows()
        self._columns: dict[tuple[str, str], NDArray[np.float64]] = {}

    def unit(self, kind: str, view: View) -> str:
        """Unit of a measure for a kind of place, as in the tables."""
        return self._units.get((kind, view.measure), "")

    def _headline_slots(self) -> list[Slot]:
        """Where the leading figure was worked out: shifts and whole days have measures of their own."""
        access, view = self.tables["access"], self.headline_view
        mine = access[
            (access["measure"] == view.measure)
            & (access["reading"] == view.reading)
            & access["kind"].isin(self.headline_kinds)
        ]
        return _slots(mine, self.results) or self.all_slots

    @property
    def headline_kinds(self) -> list[str]:
        """Employment zones and shared spaces where the study has them, else the first two kinds that the leading figure is of."""
        found = [kind for kind in HEADLINE_KINDS if kind in self.kinds]
        leading = self.headline_view.measure
        return found or [kind for kind in self.kinds if "/" not in kind and (kind, leading) in self._units][:2]

    @property
    def headline_view(self) -> View:
        """Places reached on average within the middle cutoff, else the first view there is."""
        reached = [v for v in self.views if v.measure == "cumulative_opportunities" and v.reading == "mean"]
        return reached[len(reached) // 2] if reached else self.views[0]

    @property
    def days(self) -> list[str]:
        """Days of the leading figure, in the study's order."""
        return list(dict.fromkeys(slot.day for slot in self.slots))

    def when(self, slot: Slot) -> str:
        """ "Weekday, evening, 18:00–22:00"."""
        return slot_name(slot, self.results.windows, self.days)

    @property
    def people(self) -> str:
        """What is counted: residents, or neighbourhoods where no population is given."""
        return "residents" if self.results.has_population else "neighbourhoods"

    @cached_property
    def lead(self) -> tuple[str, str] | None:
        """Grouping and group of the leading figure: the most deprived fifth, else everybody where ``groups.csv`` has them."""
        fifths = self.fifths()
        if fifths:
            return "local", fifths[0]
        return ("all", "all") if self.groups_of("all") else None

    @property
    def lead_name(self) -> str:
        """The leading group in words."""
        return "the most deprived fifth" if self.fifths() else f"all {self.people}"

    def lead_cell(self, column: str, scenario: str, slot: Slot, kind: str, view: View | None = None) -> Cell | None:
        """A cell of the leading group; None where there is none."""
        return (
            self.group_cell(column, scenario, slot, kind, view or self.headline_view, *self.lead) if self.lead else None
        )

    @property
    def off_network(self) -> NDArray[np.bool_]:
        """Zones outside the streets of the study."""
        return np.asarray(self.results.zones["reason"].astype(str) == "off_network", np.bool_)

    def _zone_series(self, name: str) -> dict[tuple[object, ...], NDArray[np.int64]]:
        """Row of the table for each zone (or -1), by scenario, day, window, kind and view."""
        table = self.tables[name]
        keys = ["scenario", "day", "window", "kind", "measure", "reading", "cutoff_min"]
        if not len(table):
            return {}
        number = table.groupby(keys, dropna=False, sort=False).ngroup().to_numpy()
        zone = pd.Index(list(self.zone_row)).get_indexer(table["neighbourhood"].astype(str))
        rows = np.full((int(number.max()) + 1, len(self.zone_row)), -1, dtype=np.int64)
        known = zone >= 0
        rows[number[known], zone[known]] = np.flatnonzero(known)
        _, first = np.unique(number, return_index=True)
        names = table[keys].iloc[first].itertuples(index=False, name=None)
        return {_plain_key(key): rows[i] for i, key in enumerate(names)}

    def _group_rows(self) -> dict[tuple[object, ...], int]:
        table = self.tables["groups"]
        columns = ["scenario", "day", "window", "kind", "measure", "reading", "cutoff_min", "grouping", "group"]
        parts = [table[column].astype(object).tolist() for column in columns]
        return {
            (*key[:6], None if pd.isna(key[6]) else float(key[6]), str(key[7]), str(key[8])): row
            for row, key in enumerate(zip(*parts, strict=True))
        }

    def _key(self, scenario: str, slot: Slot, kind: str, view: View) -> tuple[object, ...]:
        return (scenario, slot.day, slot.window, kind, view.measure, view.reading, view.cutoff_min)

    def zone_rows(self, table: str, scenario: str, slot: Slot, kind: str, view: View) -> NDArray[np.int64] | None:
        """Row of ``access`` or ``comparison`` per zone, -1 where there is none; None where nothing was measured."""
        return self._series[table].get(self._key(scenario, slot, kind, view))

    def zone_values(
        self, table: str, column: str, scenario: str, slot: Slot, kind: str, view: View
    ) -> NDArray[np.float64] | None:
        """A column per zone in the unit in which it is shown, NaN where missing, noise below 1e-9 taken out."""
        rows = self.zone_rows(table, scenario, slot, kind, view)
        if rows is None:
            return None
        values = self.column(table, column)[rows]
        values = np.where(rows < 0, np.nan, values) * words.in_unit(1.0, self.unit(kind, view))
        return np.where(np.abs(values) < _NOISE, 0.0, values)

    def column(self, table: str, column: str) -> NDArray[np.float64]:
        """A column of a table as numbers."""
        if (table, column) not in self._columns:
            numbers = pd.to_numeric(self.tables[table][column], errors="coerce").to_numpy(dtype=np.float64)
            self._columns[table, column] = numbers
        return self._columns[table, column]

    def zone_cell(
        self, table: str, column: str, scenario: str, slot: Slot, kind: str, view: View, zone: int
    ) -> Cell | None:
        """The cell of one zone."""
        rows = self.zone_rows(table, scenario, slot, kind, view)
        if rows is None or rows[zone] < 0:
            return None
        row = int(rows[zone])
        return Cell(table, (row,), column, float(self.column(table, column)[row]))

    def groups_of(self, grouping: str) -> list[str]:
        """Names of the groups of a grouping, in order."""
        table = self.tables["groups"]
        return sorted(table.loc[table["grouping"] == grouping, "group"].astype(str).unique(), key=_natural)

    def group_cell(
        self, column: str, scenario: str, slot: Slot, kind: str, view: View, grouping: str, group: str
    ) -> Cell | None:
        """A cell of ``groups.csv``."""
        row = self._groups.get((*self._key(scenario, slot, kind, view), grouping, group))
        if row is None:
            return None
        return Cell("groups", (row,), column, float(self.column("groups", column)[row]))

    def fifths(self) -> list[str]:
        """The deprivation fifths, most deprived first; empty without deprivation."""
        return [group for group in self.groups_of("local") if words.group_name("local", group).endswith("fifth")]

    def summed(self, column: str, scenario: str, slot: Slot, kind: str, view: View) -> Cell | None:
        """A count of persons over everybody: the row that says so, else all fifths, else the study's own groups."""
        for grouping, groups in (("all", ["all"]), ("local", self.fifths()), ("group", self.groups_of("group"))):
            cells = [self.group_cell(column, scenario, slot, kind, view, grouping, group) for group in groups]
            there = [cell for cell in cells if cell is not None]
            if there:
                total = float(sum(cell.value for cell in there))
                return Cell("groups", tuple(row for cell in there for row in cell.rows), column, total)
        return None

    def is_unsure(self, scenario: str, slot: Slot, kind: str, view: View) -> NDArray[np.bool_] | None:
        """Zones whose change has an interval that holds zero (and is an interval at all)."""
        low = self.zone_values("comparison", "low", scenario, slot, kind, view)
        high = self.zone_values("comparison", "high", scenario, slot, kind, view)
        if low is None or high is None:
            return None
        return np.asarray((low < high) & (low <= 0) & (high >= 0))


def _plain_key(key: Any) -> tuple[object, ...]:
    *text, cutoff = key
    return (*text, None if pd.isna(cutoff) else float(cutoff))


def _natural(text: str) -> tuple[int, float, str]:
    """Numbers by size, then text."""
    return (0, float(text), "") if text.replace(".", "", 1).isdigit() else (1, 0.0, text)


def headline_views(access: pd.DataFrame, currency: str = POUNDS) -> list[View]:
    """The headline reading of each measure: the mean, or the median for measures without one; reach first."""
    columns = ["measure", "reading", "cutoff_min"]
    found = access[columns].drop_duplicates()
    with_mean = set(found.loc[found["reading"] == "mean", "measure"])
    views = [
        View(str(m), str(r), None if pd.isna(c) else float(c), currency)
        for m, r, c in found.itertuples(index=False)
        if r == "mean" or (m not in with_mean and r in ("p50", "best"))
    ]
    order = {"cumulative_opportunities": 0, "nearest": 1}
    return sorted(set(views), key=lambda v: (order.get(v.measure, 2), v.measure, v.cutoff_min or 0.0))


def _units(access: pd.DataFrame) -> dict[tuple[str, str], str]:
    found = access[["kind", "measure", "unit"]].drop_duplicates()
    return {(str(k), str(m)): "" if pd.isna(u) else str(u) for k, m, u in found.itertuples(index=False)}


def _kinds(access: pd.DataFrame, results: Results) -> list[str]:
    """Headline kinds first, then the other keys in the study's order, each followed by its own kinds."""
    there = [str(kind) for kind in access["kind"].unique()]
    keys = list(dict.fromkeys([*HEADLINE_KINDS, *map(str, results.destinations["key"].unique()), *sorted(there)]))
    rank = {key: i for i, key in enumerate(keys)}
    return sorted(there, key=lambda kind: (rank[kind.partition("/")[0]] if "/" in kind else rank[kind], kind))


def _slots(access: pd.DataFrame, results: Results) -> list[Slot]:
    """Days in the study's order, windows by their time of day where it is known."""
    days = list(results.dates)
    windows = list(results.windows)
    found = {Slot(str(d), str(w)) for d, w in access[["day", "window"]].drop_duplicates().itertuples(index=False)}

    def order(slot: Slot) -> tuple[Any, ...]:
        day = days.index(slot.day) if slot.day in days else len(days)
        times = str(results.windows.get(slot.window, ""))
        return (day, times, windows.index(slot.window) if slot.window in windows else 99, slot.day, slot.window)

    return sorted(found, key=order)


def slot_name(slot: Slot, windows: Mapping[str, str], days: Sequence[str]) -> str:
    """ "Weekday, evening, 18:00–22:00"; the day is left out where the study has one."""
    window = words.window_name(slot.window, windows)
    return window if len(days) < 2 else f"{words.day_name(slot.day)}, {window[:1].lower()}{window[1:]}"


def when(slot: Slot, days: Sequence[str], windows: Mapping[str, str]) -> str:
    """The slot inside a sentence: "in the evening on a Sunday", "between 11:00 and 15:00 on a Saturday"."""
    day = "" if len(days) < 2 else words.on_day(slot.day)
    window, times = words.plain(slot.window), str(windows.get(slot.window, slot.window))
    if any(window.endswith(word) for word in ("morning", "afternoon", "evening", "night", "peak")):
        start = f"in the {window}"
    else:
        start = f"between {times.replace('-', ' and ')}" if "-" in times else f"in the window “{window}”"
    return f"{start} {day}".strip()


def strongest(figures: Figures, scenario: str) -> tuple[Slot, str]:
    """The slot and headline kind where the proposal moves most, as a share of today's figure over all neighbourhoods.

    Where it moves nothing, the first slot and kind.
    """
    view = figures.headline_view
    population = figures.results.zones["population"].to_numpy(dtype=np.float64)
    best: tuple[float, Slot, str] | None = None
    for kind in figures.headline_kinds:
        for slot in figures.slots:
            change = figures.zone_values("comparison", "change", scenario, slot, kind, view)
            today = figures.zone_values("access", "value", TODAY, slot, kind, view)
            if change is None or today is None:
                continue
            size = float(np.nansum(np.abs(change) * population))
            size /= max(float(np.nansum(np.abs(today) * population)), _NOISE)
            if best is None or size > best[0] + _NOISE:
                best = (size, slot, kind)
    if best is None:
        return figures.slots[0], figures.headline_kinds[0]
    return best[1], best[2]
