"""Cells and rows of the tables: exact numbers, safe text, one order, files that appear whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from community_routes.base.columns import ACCESS_COLUMNS, COMPARISON_COLUMNS, GROUPS_COLUMNS, NOTICES_COLUMNS
from community_routes.base.errors import UsageError
from community_routes.base.files import new_file
from community_routes.base.notices import SEVERITIES
from community_routes.base.times import format_time
from community_routes.report.results import JOURNEY_COLUMNS, Results
from community_routes.report.summary import summary_table

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_OF_ANY_MODE = ("costs", "operating_")
_KEYS = {
    "access": ("scenario", "day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"),
    "groups": ("scenario", "day", "window", "grouping", "group", "kind", "measure", "reading", "cutoff_min"),
}


def safe_text(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would take it for a formula."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def exact_number(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point; empty when missing."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value))


def cell_text(value: object) -> str:
    """One cell of a table: exact for numbers, safe for text, empty for what is missing."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return exact_number(float(value))
    return safe_text(str(value))


def _column_cells(column: pd.Series) -> list[str]:
    """All cells of a column, quoted where they must be; each distinct value is put into words once."""
    codes, distinct = pd.factorize(column.astype(object), use_na_sentinel=False)
    texts = np.array([_quoted(cell_text(value)) for value in distinct], dtype=object)
    return list(texts[codes]) if len(codes) else []


def csv_text(table: pd.DataFrame) -> str:
    """The table as RFC 4180: commas, CRLF, quotes where a cell holds a comma, a quote or a line end."""
    columns = [[_quoted(str(name)), *_column_cells(table[name])] for name in table.columns]
    return "\r\n".join(map(",".join, zip(*columns, strict=True))) + "\r\n"


def _quoted(cell: str) -> str:
    if any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _sorted(table: pd.DataFrame, keys: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """The named columns, sorted by the keys (numbers as numbers, the rest as text), other columns after them."""
    rest = [column for column in table.columns if column not in columns]
    chosen = with_numeric_cutoff(table[[*columns, *rest]])
    order = pd.DataFrame(
        {
            key: pd.to_numeric(chosen[key], errors="coerce").astype(float)
            if key in ("cutoff_min", "row")
            else chosen[key].fillna("").astype(str)
            for key in keys
        }
    )
    ordered = order.sort_values(list(keys), kind="stable", na_position="first").index
    return chosen.loc[ordered].reset_index(drop=True)


def with_numeric_cutoff(table: pd.DataFrame) -> pd.DataFrame:
    """The table with ``cutoff_min`` as numbers, NaN where a measure has none, however that was written before."""
    if "cutoff_min" not in table.columns:
        return table
    return table.assign(cutoff_min=pd.to_numeric(table["cutoff_min"], errors="coerce").astype("float64"))


_SORTED: WeakKeyDictionary[Results, dict[str, pd.DataFrame]] = WeakKeyDictionary()


def sorted_tables(results: Results) -> dict[str, pd.DataFrame]:
    """The tables as they are written, by name without ``.csv``: row ``i`` is line ``i + 2`` of its file (see `written_tables`).

    Worked out once for the same results; not to be changed.
    """
    if results not in _SORTED:
        _SORTED[results] = _sort_tables(results)
    return _SORTED[results]


def written_tables(results: Results) -> dict[str, pd.DataFrame]:
    """The tables exactly as they are written: of two bounds the rows of the worse below all others."""
    tables = sorted_tables(results)
    below = {} if results.worst is None else sorted_tables(results.worst)

    def is_bound(table: pd.DataFrame) -> bool:
        return "mode" in table and bool((table["mode"] == results.mode).all())

    found = {
        name: pd.concat([table, below[name]], ignore_index=True) if name in below and is_bound(table) else table
        for name, table in tables.items()
    }
    return found | {name: table for name, table in below.items() if name not in tables}


def _sort_tables(results: Results) -> dict[str, pd.DataFrame]:
    notices = results.notices.reset_index(drop=True).assign(
        _order=lambda t: t["severity"].map({name: i for i, name in enumerate(SEVERITIES)}).fillna(len(SEVERITIES))
    )
    notices["_order"] = notices["_order"].astype(int).astype(str)
    keys = ("_order", "file", "row", "field", "code", "value", "message")
    tables = {
        "access": _sorted(results.access.reset_index(drop=True), _KEYS["access"], ACCESS_COLUMNS),
        "comparison": _sorted(results.comparison.reset_index(drop=True), _KEYS["access"], COMPARISON_COLUMNS),
        "groups": _sorted(results.groups.reset_index(drop=True), _KEYS["groups"], GROUPS_COLUMNS),
        "notices": _sorted(notices, keys, NOTICES_COLUMNS).drop(columns="_order"),
    }
    if len(results.nearest_places):
        nearest = results.nearest_places
        tables["nearest_places"] = nearest.sort_values(
            ["scenario", "day", "window", "neighbourhood", "rank"], kind="stable"
        ).reset_index(drop=True)
    tables = {"summary": summary_table(results, tables["groups"]), **tables}
    costs = _cost_table(results)
    if len(costs):
        tables["costs"] = costs
    if results.journeys:
        tables["journeys"] = _journey_table(results)
    for name, table in sorted(results.extra.items()):
        if name in tables:
            raise UsageError(f"the extra table {name!r} has the name of another table")
        tables[name] = table.reset_index(drop=True)
    if results.mode:
        for name in tables.keys() - {"notices"}:
            if {"scenario", "mode"} & set(tables[name]) == {"scenario"} and not name.startswith(_OF_ANY_MODE):
                tables[name] = tables[name].copy()
                tables[name].insert(list(tables[name]).index("scenario") + 1, "mode", results.mode)
    return tables


def _journey_table(results: Results) -> pd.DataFrame:
    """The sample journeys, one leg a row; a journey that is not there has one row with its reason."""
    rows: list[tuple[object, ...]] = []
    for view in results.journeys:
        start = (view.scenario, view.day, format_time(view.depart_s), view.zone, view.destination)
        home = "" if view.last_home_s is None else format_time(view.last_home_s)
        fare = np.nan if view.fare is None else view.fare
        for number, leg in enumerate(view.legs, start=1):
            times = (format_time(leg.depart_s), format_time(leg.arrive_s), leg.wait_s)
            rows.append((*start, number, leg.mode, leg.route, leg.start, leg.end, *times, fare, home, ""))
        if not view.legs:
            rows.append((*start, 0, "", "", "", "", "", "", 0, fare, home, view.reason))
    return pd.DataFrame(rows, columns=list(JOURNEY_COLUMNS))


def _cost_table(results: Results) -> pd.DataFrame:
    """What each proposal takes and costs, one item a row."""
    rows = [(s.id, str(item), value) for s in results.scenarios for item, value in (s.cost or {}).items()]
    return pd.DataFrame(rows, columns=["scenario", "item", "value"]).astype({"value": object})


def publish(path: Path, content: bytes) -> None:
    """Write the file beside its place and rename it, so that it appears whole or not at all."""
    with new_file(path) as beside:
        beside.write_bytes(content)
