"""Which figures the page shows, and where each comes from: a cell of a table, named beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from community_routes.report import words
from community_routes.report.blocks import element
from community_routes.report.cells import exact_number, sorted_tables
from community_routes.report.lead import Leading, Slot, View, slot_name
from community_routes.report.results import Results

_NOISE = 1e-9


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


def figure(
    cell: Cell | None,
    unit: str = "",
    *,
    sign: bool = False,
    whole: bool = False,
    times: float = 1.0,
    digits: int | None = None,
) -> Markup:
    """A figure for people that carries its exact value and its place in the tables.

    ``times`` is for rates ("per 1,000"), ``digits`` for columns whose figures have as many decimals each.
    """
    if cell is None or not np.isfinite(cell.value):
        return Markup('<span class="none">–</span>')
    shown = words.in_unit(cell.value, unit) * times
    shown = 0.0 if abs(shown) < _NOISE else shown
    if words.is_money(unit):
        text = words.money(shown, unit[:3], sign=sign)
    else:
        text = words.count(shown) if whole else words.number(shown, sign=sign, digits=digits)
    return _sourced(cell, unit, text)


def cost_figure(cell: Cell | None, currency: str) -> Markup:
    """A cost, rounded as the sums of a model are: "about £2.1 million"; "saves about £190,000" where it is less than today."""
    if cell is None or not np.isfinite(cell.value):
        return Markup('<span class="none">–</span>')
    if cell.value == 0:
        return Markup("nothing ({})").format(_sourced(cell, "", "0"))
    start = "saves about" if cell.value < 0 else "about"
    return Markup("{} {}{}").format(start, words.money_sign(currency), _sourced(cell, "", words.about(cell.value)))


def _sourced(cell: Cell, unit: str, text: str) -> Markup:
    return element("data", text, value=exact_number(cell.value), data_from=cell.source, data_unit=unit)


def plain_figure(cell: Cell | None, unit: str = "", *, sign: bool = False, digits: int | None = None) -> str:
    """The same words without markup, for a label in a drawing."""
    if cell is None or not np.isfinite(cell.value):
        return words.MISSING
    shown = words.in_unit(cell.value, unit)
    return words.number(0.0 if abs(shown) < _NOISE else shown, sign=sign, digits=digits)


def digits_of(cells: Iterable[Cell | None], unit: str = "") -> int:
    """How many decimals the figures of one column have."""
    return words.digits_of(words.in_unit(cell.value, unit) for cell in cells if cell is not None)


class Figures:
    """The tables of some results as they are written, and quick ways to the cells that the page shows."""

    def __init__(self, results: Results) -> None:
        self.results = results
        self.tables = sorted_tables(results)
        self.zone_row = {str(zone): i for i, zone in enumerate(results.zones["id"])}
        self.leading = Leading(results)
        self.views, self.kinds = self.leading.views, self.leading.kinds
        self.all_slots, self.slots = self.leading.all_slots, self.leading.slots
        self._series = {name: self._zone_series(name) for name in ("access", "comparison")}
        self._groups, self._of_group = self._group_rows()
        self._columns: dict[tuple[str, str], NDArray[np.float64]] = {}

    def unit(self, kind: str, view: View) -> str:
        """Unit of a measure for a kind of place, as in the tables."""
        return self.leading.unit(kind, view)

    @property
    def headline_kinds(self) -> list[str]:
        """The leading kinds of place; the first is what proposals are judged by."""
        return self.leading.headline_kinds

    @property
    def headline_view(self) -> View:
        """The leading measure."""
        return self.leading.view

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
    def summary(self) -> pd.DataFrame:
        """The table that answers, see `summary.summary_table`."""
        return self.tables["summary"]

    @cached_property
    def _summary_rows(self) -> dict[tuple[str, str, str, str], int]:
        keys = zip(*(self.summary[name].astype(str) for name in ("scenario", "day", "window", "kind")), strict=True)
        return {key: row for row, key in enumerate(keys)}

    def leader(self, scenario: str) -> int | None:
        """Row of the summary that a proposal is judged by."""
        return self._leaders.get(scenario)

    @cached_property
    def _leaders(self) -> dict[str, int]:
        rows = np.flatnonzero(self.summary["leads"]).tolist()
        return dict(zip(self.summary["scenario"].iloc[rows[::-1]].astype(str), rows[::-1], strict=True))

    def told(self, column: str, scenario: str, slot: Slot | None = None, kind: str | None = None) -> Cell | None:
        """A cell of the summary: of the row that the proposal is judged by where no time of day is given; None without one."""
        if slot is None:
            row = self.leader(scenario)
        else:
            row = self._summary_rows.get((scenario, slot.day, slot.window, kind or self.headline_kinds[0]))
        if row is None:
            return None
        return Cell("summary", (row,), column, float(self.column("summary", column)[row]))

    @property
    def off_network(self) -> NDArray[np.bool_]:
        """Zones outside the streets of the study."""
        return np.asarray(self.results.zones["reason"].astype(str) == "off_network", np.bool_)

    def _zone_series(self, name: str) -> dict[tuple[object, ...], NDArray[np.int64]]:
        """Row of the table for each zone (or -1), by scenario, day, window, kind and view."""
        table = self.tables[name]
        zone = pd.Index(list(self.zone_row)).get_indexer(table["neighbourhood"].astype(str))
        return _rows_by_key(table, zone, len(self.zone_row))

    def _group_rows(self) -> tuple[dict[tuple[object, ...], NDArray[np.int64]], dict[tuple[str, str], int]]:
        """Row of the table of groups for each group (or -1), by the same; and which place each grouping and group has."""
        table = self.tables["groups"]
        number, groups = _numbered(table, ("grouping", "group"))
        of_group = {(str(grouping), str(group)): place for place, (grouping, group) in enumerate(groups)}
        return _rows_by_key(table, number, len(groups)), of_group

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
        return sorted((group for of, group in self._of_group if of == grouping), key=_natural)

    def group_cell(
        self, column: str, scenario: str, slot: Slot, kind: str, view: View, grouping: str, group: str
    ) -> Cell | None:
        """A cell of ``groups.csv``."""
        place = self._of_group.get((grouping, group))
        rows = self._groups.get(self._key(scenario, slot, kind, view))
        if place is None or rows is None or rows[place] < 0:
            return None
        row = int(rows[place])
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


_KEY = ("scenario", "day", "window", "kind", "measure", "reading", "cutoff_min")


def _rows_by_key(table: pd.DataFrame, across: NDArray[np.int64], n: int) -> dict[tuple[object, ...], NDArray[np.int64]]:
    """Rows of a table in the order of ``across``, a place from 0 to ``n`` for each row (-1 for none): -1 where there is none."""
    number, keys = _numbered(table, _KEY)
    rows = np.full((len(keys), n), -1, dtype=np.int64)
    known = across >= 0
    rows[number[known], across[known]] = np.flatnonzero(known)
    return dict(zip(keys, rows, strict=True))


def _numbered(table: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.int64], list[tuple[object, ...]]]:
    """The number of what each row says in some columns, and what the numbers stand for; None for what is missing."""
    place, coded = np.zeros(len(table), np.int64), []
    for column in columns:
        codes, values = pd.factorize(table[column])
        coded.append((codes, [*values.tolist(), None]))
        place, _ = pd.factorize(place * (len(values) + 1) + codes + 1)
    n = int(place.max(initial=-1)) + 1
    first = np.zeros(n, np.int64)
    first[place[::-1]] = np.arange(len(table))[::-1]
    return place, list(zip(*([values[code] for code in codes[first]] for codes, values in coded), strict=True))


def _natural(text: str) -> tuple[int, float, str]:
    """Numbers by size, then text."""
    return (0, float(text), "") if text.replace(".", "", 1).isdigit() else (1, 0.0, text)


_KNOWN: WeakKeyDictionary[Results, Figures] = WeakKeyDictionary()


def figures_of(results: Results) -> Figures:
    """The figures of some results, worked out once for every page, map and file that shows them."""
    if results not in _KNOWN:
        _KNOWN[results] = Figures(results)
    return _KNOWN[results]


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


def strongest(figures: Figures, scenario: str) -> tuple[Slot, str]:
    """Time of day and kind of place that a proposal is judged by; where these see no change at all, those that change most."""
    row = figures.leader(scenario)
    if row is None:
        return figures.slots[0], figures.headline_kinds[0]
    table = figures.summary
    change = table["change"].abs().where(table["scenario"] == scenario).fillna(0.0)
    if change[row] <= _NOISE and change.max() > _NOISE:
        row = int((change / table["baseline"].where(table["baseline"] > 0)).fillna(0.0).idxmax())
    return Slot(str(table["day"][row]), str(table["window"][row])), str(table["kind"][row])
