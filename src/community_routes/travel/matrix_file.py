"""Rows of a matrix file: travel times that arrive in blocks of any order, put in the order of origins, and written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.files import check_file
from community_routes.base.times import UNREACHED, format_time
from community_routes.routing.query import Query

FAULTS = ("over_time", "no_service", "off_network")
"""Why a cell is missing: the last of these that holds for its origin or its destination."""

_ENDINGS = (".csv", ".parquet")
_ROWS_AT_ONCE = 2_000_000
_CELLS_AT_ONCE = 4_000_000
_MEMORY = 1 << 28
_MISSING = -1


def check_ending(path: Path) -> None:
    """Only CSV and Parquet can be written, and no folder.

    Raises
    ------
    UsageError
    """
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"{path.name}: the ending says how it is written; use .csv or .parquet")
    check_file(path)


@dataclass(frozen=True, eq=False)
class Layout:
    """What the rows of a matrix file are about.

    A *column* is a destination, or with ``per_departure`` a destination and a departure (destination times the number of
    departures, plus departure). It has one value for each percentile, or just one.

    Attributes
    ----------
    origins, destinations : object (str) arrays
        Ids.
    query : Query
    origin_fault, destination_fault : int8 arrays
        Index into ``FAULTS`` for each origin and each destination.
    per_departure : bool
    mode : str
        A column after the destination where it is not empty.
    """

    origins: NDArray[np.object_]
    destinations: NDArray[np.object_]
    query: Query
    origin_fault: NDArray[np.int8]
    destination_fault: NDArray[np.int8]
    per_departure: bool = False
    mode: str = ""

    @property
    def n_columns(self) -> int:
        """Columns of each origin."""
        return len(self.destinations) * (len(self.query.departures_s) if self.per_departure else 1)

    @property
    def n_values(self) -> int:
        """Values of each column."""
        return 1 if self.per_departure else len(self.query.percentiles)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Ranges of origins that are written together: of bounded size, and the same whatever is reached."""
        step = max(1, _ROWS_AT_ONCE // max(self.n_columns, 1))
        for low in range(0, len(self.origins) if self.n_columns else 0, step):
            yield low, min(low + step, len(self.origins))

    def table(self, origin: NDArray[np.int64], column: NDArray[np.int64], values: NDArray[np.int16]) -> pa.Table:
        """The rows of a file.

        Parameters
        ----------
        origin, column : int64, shape (n,)
        values : int16 or int32, shape (n, n_values)
            Seconds, negative where there is none.
        """
        gone = values < 0
        n_departures = len(self.query.departures_s) if self.per_departure else 1
        destination = column // n_departures
        start, end, moments, reasons = self._words
        columns = {"origin": start.take(pa.array(origin)), "destination": end.take(pa.array(destination))}
        if self.mode:
            columns["mode"] = pa.array([self.mode] * len(origin), pa.string())
        if self.per_departure:
            columns["deadline" if self.query.arrive_by else "departure"] = moments.take(pa.array(column % n_departures))
            names = ["time_s"]
        else:
            names = [f"p{percentile}" for percentile in self.query.percentiles]
        for number, name in enumerate(names):
            columns[name] = pa.array(values[:, number].astype(np.int32), mask=np.ascontiguousarray(gone[:, number]))
        fault = np.maximum(self.origin_fault[origin], self.destination_fault[destination]) + 1
        columns["reason"] = reasons.take(pa.array(np.where(gone.any(axis=1), fault, 0)))
        return pa.table(columns)

    @cached_property
    def _words(self) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
        """Ids of origins and destinations, departures, reasons."""
        departures = [format_time(int(moment)) for moment in self.query.departures_s]
        words = (self.origins.tolist(), self.destinations.tolist(), departures, ["", *FAULTS])
        start, end, moments, reasons = (pa.array(part, pa.string()) for part in words)
        return start, end, moments, reasons


@dataclass(frozen=True, eq=False)
class Cells:
    """What is reached of a block: the cells of ``origins[i]`` are ``first[i]:first[i + 1]``.

    Attributes
    ----------
    origins : int32, shape (n,)
        Rising.
    first : int64, shape (n + 1,)
    columns : int32 or int64, shape (n_cells,)
    values : int16, shape (n_cells, n_values)
        Seconds, negative where there is none.
    """

    origins: NDArray[np.int32]
    first: NDArray[np.int64]
    columns: NDArray[Any]
    values: NDArray[np.int16]


def reached_cells(
    origins: NDArray[np.int32], columns: NDArray[Any], values: NDArray[Any], nothing: int
) -> Iterator[Cells]:
    """The cells of a block that have a value, some origins at a time.

    Parameters
    ----------
    origins : int32, shape (n,)
    columns : int32 or int64, shape (m,)
    values : int16 or int32, shape (n_values, n, m)
        Seconds.
    nothing : int
        What stands where there is none.
    """
    if (origins[1:] < origins[:-1]).any():
        order = np.argsort(origins)
        origins, values = origins[order], values[:, order]
    step = max(1, _CELLS_AT_ONCE // max(len(columns), 1))
    for low in range(0, len(origins), step):
        part = values[:, low : low + step]
        reached = part[0] != nothing
        for more in part[1:]:
            reached |= more != nothing
        row, column = np.nonzero(reached)
        cells = part[:, row, column].T
        cells[cells == nothing] = _MISSING
        first = np.concatenate([[0], np.cumsum(np.count_nonzero(reached, axis=1))])
        yield Cells(origins[low : low + step], first, columns[column], cells.astype(np.int16, order="C"))


@dataclass(frozen=True, eq=False)
class _Segment:
    """Where the rows of one block lie in a spool: those of ``origins[i]`` are ``first[i]:first[i + 1]``."""

    origins: NDArray[np.int64]
    first: NDArray[np.int64]


class Spool:
    """Reached cells of a matrix, taken in block by block and given out origin by origin.

    What is reached is held in memory up to a bound and in files of a folder beyond it, so that a matrix may be far larger
    than memory. Beside them stand the rows of one block and of one piece of origins.

    Parameters
    ----------
    layout : Layout
    folder : Path
        For the files; it exists.
    memory : int
        Bytes held before files are used.
    """

    def __init__(self, layout: Layout, folder: Path, *, memory: int = _MEMORY) -> None:
        self.layout = layout
        self._folder = folder
        self._memory = memory
        self._segments: list[_Segment] = []
        self._held: list[tuple[NDArray[np.int64], NDArray[np.int16]]] = []
        self._files: tuple[BinaryIO, BinaryIO] | None = None
        self._mapped: tuple[NDArray[np.int64], NDArray[np.int16]] | None = None
        self._n = 0

    def add(self, origins: NDArray[np.int32], columns: NDArray[np.int64], values: NDArray[np.int32]) -> None:
        """Take in a block.

        Parameters
        ----------
        origins : int32, shape (n,)
        columns : int64, shape (m,)
        values : int32, shape (n_values, n, m)
            Seconds; UNREACHED where there is none. Cells without any value are not kept.
        """
        self.add_cells(reached_cells(origins, columns, values, UNREACHED))

    def add_cells(self, found: Iterable[Cells]) -> None:
        """Take in what is reached of a block."""
        for cells in found:
            self._segments.append(_Segment(cells.origins.astype(np.int64), cells.first + self._n))
            self._append(cells.columns.astype(np.int64), cells.values)

    def _append(self, columns: NDArray[np.int64], values: NDArray[np.int16]) -> None:
        self._n += len(columns)
        self._held.append((columns, values))
        if self._files is None and self._n * (8 + 2 * self.layout.n_values) > self._memory:
            self._files = (self._folder / "columns").open("wb"), (self._folder / "values").open("wb")
        if self._files is not None:
            for file, part in zip(self._files, zip(*self._held, strict=True), strict=True):
                for array in part:
                    array.tofile(file)
            self._held = []

    def finish(self) -> None:
        """No more blocks come."""
        n_values = self.layout.n_values
        if self._files is None:
            columns = [part[0] for part in self._held] or [np.zeros(0, np.int64)]
            values = [part[1] for part in self._held] or [np.zeros((0, n_values), np.int16)]
            self._mapped = np.concatenate(columns), np.concatenate(values)
        else:
            for file in self._files:
                file.close()
            self._mapped = (
                np.memmap(self._folder / "columns", np.int64, "r", shape=(self._n,)),
                np.memmap(self._folder / "values", np.int16, "r", shape=(self._n, n_values)),
            )
        self._held = []

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files or ():
            file.close()
        self._mapped = None

    def tables(self, *, reached_only: bool) -> Iterator[pa.Table]:
        """The rows in the order of origins and columns, piece by piece; without ``reached_only`` every cell has its row."""
        for low, high in self.layout.pieces():
            origin, column, values = self._reached(low, high)
            if reached_only:
                order = np.lexsort((column, origin))
                yield self.layout.table(origin[order], column[order], values[order])
            else:
                n_columns = self.layout.n_columns
                every = np.full((high - low, n_columns, self.layout.n_values), _MISSING, np.int16)
                every[origin - low, column] = values
                rows = np.repeat(np.arange(low, high), n_columns)
                yield self.layout.table(
                    rows, np.tile(np.arange(n_columns), high - low), every.reshape(-1, self.layout.n_values)
                )

    def _reached(self, low: int, high: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
        """Reached cells of origins ``low`` to ``high`` (excluded): origin, column, values."""
        if self._mapped is None:
            raise AssertionError("the spool is not finished")
        parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]] = []
        for segment in self._segments:
            a, b = np.searchsorted(segment.origins, (low, high))
            start, end = segment.first[a], segment.first[b]
            if start < end:
                origin = np.repeat(segment.origins[a:b], np.diff(segment.first[a : b + 1]))
                parts.append((origin, self._mapped[0][start:end], self._mapped[1][start:end]))
        if not parts:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, self.layout.n_values), np.int16)
        origin, column, values = (np.concatenate(list(part)) for part in zip(*parts, strict=True))
        return origin, column, values


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


def write_rows(path: Path, tables: Iterable[pa.Table]) -> int:
    """Write tables one behind the other as CSV or Parquet, by the ending. Returns the number of rows.

    Raises
    ------
    UsageError
        There is no table.
    """
    n_rows = 0
    writer: _Writer | None = None
    try:
        for table in tables:
            writer = writer or _writer(path, table.schema)
            writer.write_table(table)
            n_rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise UsageError("there is nothing to write: no origin or no destination")
    return n_rows


def _writer(path: Path, schema: pa.Schema) -> Any:
    if path.suffix.lower() == ".parquet":
        return pa_parquet.ParquetWriter(path, schema, compression="zstd")
    return pa_csv.CSVWriter(path, schema, write_options=pa_csv.WriteOptions(quoting_style="needed"))
