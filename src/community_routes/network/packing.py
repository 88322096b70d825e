"""Our frozen types as plain arrays and JSON, and back: what is needed to keep them in files without running anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from community_routes.base.notices import Notice
from community_routes.network.streets.graph import StreetGraph
from community_routes.network.streets.index import EdgeIndex
from community_routes.network.streets.roads import Roads
from community_routes.network.streets.streets import Streets
from community_routes.network.timetable.changes import Changes
from community_routes.network.timetable.connections import Connections
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.links import Linked
from community_routes.network.walks.points import Links, Points
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
from community_routes.sources.osm.street_map import Features, StreetMap

Kind = TypeVar("Kind", bound=type)

TYPES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        Calendar,
        Calls,
        Changes,
        Connections,
        EdgeIndex,
        Features,
        Feed,
        Linked,
        Links,
        Notice,
        Points,
        Roads,
        Shapes,
        StreetGraph,
        StreetMap,
        Streets,
        Timetable,
    )
}
"""The types that can be packed, beside numbers, text, dates, ranges, tables, lists, tuples and dictionaries of them."""


def packable(kind: Kind) -> Kind:
    """Decorator of a dataclass of a folder farther right that can be packed as well."""
    TYPES[kind.__name__] = kind
    return kind


class UnpackableError(Exception):
    """A value that cannot be kept, and why."""


class Packed:
    """A value taken apart: a tree of plain values, with the arrays it refers to by number.

    Attributes
    ----------
    arrays : list of arrays
        Numbers, truth values, dates or bytes; no objects.
    tree : JSON value
    """

    def __init__(self, value: object) -> None:
        self.arrays: list[NDArray[Any]] = []
        self._known: dict[int, dict[str, Any]] = {}
        self._held: list[object] = []
        self.tree = self._pack(value)

    def _pack(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, pd.DataFrame):
            return self._frame(value)
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return {"date": value.isoformat()}
        if isinstance(value, slice):
            return {"slice": [value.start, value.stop]}
        if isinstance(value, tuple | list):
            return {type(value).__name__: [self._pack(item) for item in value]}
        if isinstance(value, dict):
            return {"dict": [[self._pack(key), self._pack(item)] for key, item in value.items()]}
        if is_dataclass(value) and TYPES.get(type(value).__name__) is type(value):
            parts = {field.name: self._pack(getattr(value, field.name)) for field in fields(value) if field.init}
            return {"type": type(value).__name__, "fields": parts}
        raise UnpackableError(f"{type(value).__name__} cannot be kept")

    def _array(self, array: NDArray[Any]) -> dict[str, Any]:
        known = self._known.get(id(array))
        if known is None:
            known = {"text": self._text(array)} if array.dtype == object else {"array": self._add(array)}
            self._known[id(array)] = known
            self._held.append(array)  # so that its id stays its own
        return known

    def _add(self, array: NDArray[Any]) -> int:
        self.arrays.append(np.ascontiguousarray(array))
        return len(self.arrays) - 1

    def _text(self, values: Any) -> list[int]:
        """Text as bytes and where each begins."""
        try:
            joined = pa.array(np.asarray(values, object), pa.large_string(), from_pandas=False)
        except (pa.ArrowException, UnicodeEncodeError) as wrong:
            raise UnpackableError(str(wrong)) from None
        if joined.null_count:
            raise UnpackableError("text with gaps")
        _, offsets, content = joined.buffers()
        n = len(joined)
        first = np.frombuffer(offsets, np.int64)[: n + 1] if n else np.zeros(1, np.int64)
        text = np.frombuffer(content, np.uint8)[: int(first[-1])] if content is not None else np.zeros(0, np.uint8)
        return [self._add(first), self._add(text)]

    def _frame(self, table: pd.DataFrame) -> dict[str, Any]:
        if not (isinstance(table.index, pd.RangeIndex) and table.index.equals(pd.RangeIndex(len(table)))):
            raise UnpackableError("a table whose rows have names")
        columns = []
        for name, column in table.items():
            if not isinstance(name, str):
                raise UnpackableError("a column that is not named by text")
            is_text = column.dtype == object or isinstance(column.dtype, pd.StringDtype)
            packed = {"text": self._text(column.to_numpy(object))} if is_text else self._numbers(column)
            columns.append([name, str(column.dtype), packed])
        return {"frame": columns, "rows": len(table)}

    def _numbers(self, column: pd.Series[Any]) -> dict[str, Any]:
        if not isinstance(column.dtype, np.dtype):
            raise UnpackableError(f"a column of {column.dtype}")
        return {"array": self._add(column.to_numpy())}


def unpack(tree: Any, arrays: Sequence[NDArray[Any]]) -> Any:
    """The value that was packed.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError
        It is none.
    """
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return arrays[tree["array"]]
    if "text" in tree:
        return _text(tree["text"], arrays)
    if "type" in tree:
        parts = {name: unpack(part, arrays) for name, part in tree["fields"].items()}
        return TYPES[tree["type"]](**parts)
    if "frame" in tree:
        return _frame(tree, arrays)
    if "date" in tree:
        return dt.date.fromisoformat(tree["date"])
    if "slice" in tree:
        return slice(*tree["slice"])
    if "tuple" in tree:
        return tuple(unpack(item, arrays) for item in tree["tuple"])
    if "list" in tree:
        return [unpack(item, arrays) for item in tree["list"]]
    return {unpack(key, arrays): unpack(item, arrays) for key, item in tree["dict"]}


def _text(numbers: list[int], arrays: Sequence[NDArray[Any]]) -> NDArray[np.object_]:
    first, text = (arrays[number] for number in numbers)
    if len(first) == 1:
        return np.zeros(0, object)
    joined = pa.LargeStringArray.from_buffers(len(first) - 1, pa.py_buffer(first), pa.py_buffer(text))
    joined.validate(full=True)
    values: NDArray[np.object_] = joined.to_numpy(zero_copy_only=False)
    return values


def _frame(tree: dict[str, Any], arrays: Sequence[NDArray[Any]]) -> pd.DataFrame:
    columns = {}
    for name, dtype, packed in tree["frame"]:
        values = unpack(packed, arrays)
        columns[name] = pd.Series(values, dtype=dtype if "text" in packed else values.dtype)
    table = pd.DataFrame(columns, index=pd.RangeIndex(tree["rows"]))
    table.columns = pd.Index(list(columns), dtype=table.columns.dtype)
    return table
