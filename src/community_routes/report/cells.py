"""Cells and rows of the tables: exact numbers, safe text, one order, files that appear whole."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from community_routes.base.columns import ACCESS_COLUMNS, COMPARISON_COLUMNS, GROUPS_COLUMNS, NOTICES_COLUMNS
from community_routes.base.errors import UsageError
from community_routes.base.files import new_file
from community_routes.base.notices import SEVERITIES
from community_routes.base.order import in_order
from community_routes.base.times import format_time
from community_routes.report.results import JOURNEY_COLUMNS, Results
from community_routes.report.summary import summary_table

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ROWS_AT_ONCE = 1 << 16
_ROWS_OF_ONE_TEXT = 8
"""How many rows there must be on average of a text that two columns make, for them to be put together once."""
_TEXT = partial(pa.scalar, type=pa.large_string())
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


def csv_text(table: pd.DataFrame) -> str:
    """The table as RFC 4180: commas, CRLF, quotes where a cell holds a comma, a quote or a line end."""
    return b"".join(csv_parts(table)).decode("utf-8")


def csv_parts(table: pd.DataFrame) -> Iterator[bytes]:
    """The same in UTF-8, in pieces of so many rows that a large table is never held as text."""
    yield (",".join(_quoted(str(name)) for name in table.columns) + "\r\n").encode("utf-8")
    for start in range(0, len(table) if len(table.columns) else 0, _ROWS_AT_ONCE):
        rows = table.iloc[start : start + _ROWS_AT_ONCE]
        *cells, last = (piece.texts.take(pa.array(piece.place)) for piece in _pieces(rows))
        ended = pc.binary_join_element_wise(last, _TEXT("\r\n"), _TEXT(""))
        joined = pc.binary_join_element_wise(*cells, ended, _TEXT(","))
        # What stands behind one another in memory is the text itself.
        ends = np.frombuffer(joined.buffers()[1], np.int64)
        yield joined.buffers()[2][: int(ends[len(rows)])].to_pybytes()


class _Cells(NamedTuple):
    """The cells of one column, or of several with the commas between them: the different texts, and that of each row."""

    texts: pa.Array
    place: NDArray[np.int64]


def _pieces(rows: pd.DataFrame) -> list[_Cells]:
    """The cells of all columns; neighbours that say the same few things together are one piece."""
    found: list[_Cells] = []
    most = len(rows) // _ROWS_OF_ONE_TEXT
    for k in range(len(rows.columns)):
        cells = _column_cells(rows.iloc[:, k])
        if found and len(found[-1].texts) <= most and len(cells.texts) <= most:
            n = len(cells.texts)
            place, pairs = pd.factorize(found[-1].place * n + cells.place)
            if len(pairs) <= most:
                both = (found[-1].texts.take(pa.array(pairs // n)), cells.texts.take(pa.array(pairs % n)))
                found[-1] = _Cells(pc.binary_join_element_wise(*both, _TEXT(",")), place)
                continue
        found.append(cells)
    return found


def _column_cells(column: pd.Series) -> _Cells:
    """All cells of a column, quoted where they must be; each different one is looked at once."""
    try:
        values = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # several kinds of value in one column
        return _cells_one_by_one(column)
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    values = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    kind = values.dictionary.type
    if pa.types.is_floating(kind):
        return _placed(values.indices, _number_texts(values.dictionary.to_numpy().astype(np.float64)))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return _placed(values.indices, values.dictionary.cast(pa.large_string()))
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return _cells_one_by_one(column)
    return _placed(values.indices, _words([safe_text(text) for text in values.dictionary.to_pylist()]))


def _placed(indices: pa.Array, texts: pa.Array) -> _Cells:
    """Cells by their places among the texts; empty where there is none."""
    if not indices.null_count:
        return _Cells(texts, indices.to_numpy().astype(np.int64))
    place = indices.fill_null(len(texts)).to_numpy().astype(np.int64)
    return _Cells(pa.concat_arrays([texts, _words([""])]), place)


def _words(texts: list[str]) -> pa.Array:
    return pa.array([_quoted(text) for text in texts], pa.large_string())


def _cells_one_by_one(column: pd.Series) -> _Cells:
    """The same of values of any kind."""
    encoded = _words([cell_text(value) for value in column.astype(object)]).dictionary_encode()
    return _placed(encoded.indices, encoded.dictionary)


def _number_texts(distinct: NDArray[np.float64]) -> pa.Array:
    """``exact_number`` of each value: whole ones as integers, and by Python where Arrow would write an exponent elsewhere."""
    size = np.abs(distinct)
    whole = (distinct == np.rint(distinct)) & (size < 2**53)
    odd = ~whole & ~((size >= 1e-4) & (size < 1e9))
    integers = pa.array(np.where(whole, distinct, 0).astype(np.int64)).cast(pa.large_string())
    texts = pc.if_else(pa.array(whole), integers, pa.array(distinct).cast(pa.large_string()))
    by_hand = _words([exact_number(value) for value in distinct[odd].tolist()])
    return pc.replace_with_mask(texts, pa.array(odd), by_hand)


def _quoted(cell: str) -> str:
    if any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _sorted(table: pd.DataFrame, keys: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """The named columns, sorted by the keys (numbers as numbers, the rest as text), other columns after them."""
    rest = [column for column in table.columns if column not in columns]
    return in_order(with_numeric_cutoff(table[[*columns, *rest]]), keys)


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


def publish(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Write the file, all of it or piece by piece, beside its place and rename it: it appears whole or not at all."""
    with new_file(path) as beside, beside.open("wb") as file:
        file.writelines([content] if isinstance(content, bytes) else content)
