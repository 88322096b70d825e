"""The columns of some rows of a table, checked as the schema says: what cannot be used counts as something, and is noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from community_routes.base.notices import Code, Notice, Sample, declare
from community_routes.base.times import DAY, parse_date, parse_time
from community_routes.sources.gtfs.schema import NOT_A_NUMBER, Column, Table

DUPLICATE_ID = declare(
    "duplicate_id", "warning", "An id that should be unique is in its table twice; the first row is used."
)
BLANK_ID = declare("blank_id", "warning", "A row has no id; it was left out.", outcome="left out")
DATE_MENDED = declare(
    "date_mended",
    "warning",
    "A date has marks between year, month and day; it was read all the same.",
    outcome="mended",
)

Index = Mapping[str, int]
"""Row number of each id."""
Rows = NDArray[np.bool_] | NDArray[np.int64]
"""Which rows of a block, shape (n,), or their positions in it."""
LEFT_OUT = -3
"""In an index of ids: the row is in the file but was left out, which has been noted where it matters."""
BLANK_S = -(2**31)
"""In a column of seconds: no time given."""
BROKEN_S = BLANK_S + 1
"""In a column of seconds: something that is no time."""
_MARKED_DATE = re.compile(r"(\d{4})([-./ ])(\d{2})\2(\d{2})")
_LONGEST_S = 10 * DAY
_LONGEST_MESSAGE = 800
_HOURS_TO_SECONDS = np.array([36_000, 3600, 0, 600, 60, 0, 10, 1], dtype=np.int32)


class Findings:
    """Findings of one feed, one :class:`Sample` for each kind and table.

    ``label`` is how the zip is named; a table in it is named ``bus.zip/stops.txt``. Without a label names are as given.
    """

    def __init__(self, label: str = "") -> None:
        self.label = label
        self._samples: dict[tuple[str, str], Sample] = {}

    def name_of(self, table: str) -> str:
        """How a notice names a table, or the zip itself for ""."""
        return "/".join(part for part in (self.label, table) if part)

    def add(
        self,
        code: Code,
        table: str,
        *,
        message: str,
        row: int | None = None,
        field: str = "",
        value: Any = "",
        count: int | None = None,
    ) -> None:
        """Note one finding, or ``count`` of them in one sentence."""
        file, cell = self.name_of(table), str(value)[:200]
        self._sample(code, file).add(file, message=_cut(message), row=row, field=field, value=cell, count=count)

    def rows(
        self,
        code: Code,
        table: str,
        lines: NDArray[Any] | Sequence[int],
        message: Callable[[int], str] | str,
        *,
        field: str = "",
        values: NDArray[Any] | Sequence[Any] | None = None,
    ) -> None:
        """Note one finding for each line of a table; only those that are shown are put into words.

        Parameters
        ----------
        lines
            Line of each finding, counted from 1 with the heading as line 1; 0 where it belongs to no line.
        message
            A text in which ``{value}`` stands for the value, or a function of the position of the finding in ``lines``.
        values
            What stood in the file, one for each line.
        """
        if not len(lines):
            return
        file = self.name_of(table)
        sample = self._sample(code, file)
        show = max(0, sample.keep - len(sample.found))
        for i in range(min(show, len(lines))):
            found = "" if values is None else _shown(values[i])
            text = message.format(value=found) if isinstance(message, str) else message(i)
            sample.add(file, message=_cut(text), row=int(lines[i]) or None, field=field, value=found)
        sample.count += max(0, len(lines) - show)

    def count(self, code: Code, table: str) -> int:
        """How many findings of this kind there are in the table so far."""
        sample = self._samples.get((code.name, self.name_of(table)))
        return sample.count if sample else 0

    @property
    def has_errors(self) -> bool:
        """Whether anything found so far stops the work."""
        return any(sample.code.severity == "error" for sample in self._samples.values())

    def has_error_in(self, table: str) -> bool:
        """Whether an error was found in this table."""
        file = self.name_of(table)
        return any(s.code.severity == "error" for (_, name), s in self._samples.items() if name == file)

    def notices(self) -> list[Notice]:
        """All findings, and the totals where not all are shown."""
        return [notice for sample in self._samples.values() for notice in sample.notices()]

    def _sample(self, code: Code, file: str) -> Sample:
        return self._samples.setdefault((code.name, file), Sample(code, keep=5))


@dataclass
class Block:
    """Some consecutive rows of a table.

    Attributes
    ----------
    table : Table
        What the schema says of it.
    findings : Findings
        Where faults are noted.
    line : int64, shape (n,)
        Line of each row in the file; the heading is line 1.
    text : dict of DictionaryArray
        Trimmed text by column; every column asked for is there, blank where the file has none.
    numbers : dict of float64 arrays
        NaN where blank or unreadable.
    present : frozenset of str
        The columns that the file has.
    """

    table: Table
    findings: Findings
    line: NDArray[np.int64]
    text: dict[str, pa.DictionaryArray] = field(default_factory=dict)
    numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    present: frozenset[str] = field(default_factory=frozenset)

    def __len__(self) -> int:
        return len(self.line)

    def note(
        self,
        code: Code,
        rows: Rows,
        column: str,
        message: Callable[[int], str] | str,
        values: NDArray[Any] | None = None,
    ) -> None:
        """Note one finding for each of the rows, with its cell where the column is text, or its entry in ``values``.

        A function for ``message`` gets the position among the findings.
        """
        at = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        if not len(at):
            return
        found = values[at] if values is not None else self.strings(column, at) if column in self.text else None
        self.findings.rows(code, self.table.file, self.line[at], message, field=column, values=found)

    def fault(self, column: str, rows: Rows, values: NDArray[Any] | None = None) -> None:
        """Note what the schema says of cells of the column that cannot be used."""
        fault = self.table[column].fault
        if fault is not None:
            self.note(fault.code, rows, column, fault.message, values)

    def strings(self, column: str, rows: Rows | slice = slice(None)) -> NDArray[np.object_]:
        """The text of a column, "" where blank."""
        texts, codes = self.codes(column)
        result: NDArray[np.object_] = np.array(texts or [""], dtype=object)[codes[rows]]
        return result

    def codes(self, column: str) -> tuple[list[str], NDArray[np.int32]]:
        """Distinct texts of a column (some may be equal after trimming) and the position of each row's text there."""
        array = self.text[column]
        return array.dictionary.to_pylist(), array.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)

    def look_up(self, column: str, index: Index) -> NDArray[np.int32]:
        """Row numbers of the ids in a column, shape (n,): -1 where blank, -2 where the id is unknown."""
        texts, codes = self.codes(column)
        rows = np.array([index.get(text, -2) if text else -1 for text in texts] or [-1], dtype=np.int32)
        return rows[codes]

    def leave_out(self, column: str, lost: NDArray[np.bool_], keep: NDArray[np.bool_]) -> None:
        """Keep no longer, in place, the rows whose id in the column is lost; those that still were kept are noted."""
        self.fault(column, keep & lost)
        keep &= ~lost

    def whole(self, column: str) -> NDArray[np.int64]:
        """Whole numbers of a column, shape (n,); what is blank, broken or unknown (noted) counts as the schema says.

        Values whose row is to be left out stay as they are.
        """
        kind, values = self.table[column], self.numbers[column]
        blank = np.isnan(values)
        with np.errstate(invalid="ignore"):
            broken = ~blank & ~((values == np.floor(values)) & (values >= kind.low) & (values <= kind.high))
        message = f"{column} is no whole number from {kind.low} to {kind.high}; it counts as blank"
        self.note(NOT_A_NUMBER, broken, column, message, values)
        whole = np.where(broken | blank, kind.blank, values).astype(np.int64)
        if kind.known:
            odd = ~kind.knows(whole)
            self.fault(column, odd, whole)
            if kind.instead is not None:
                whole[odd] = kind.instead
        return whole

    def floats(self, column: str) -> NDArray[np.float64]:
        """Numbers of a column, shape (n,), NaN where blank or too low (noted)."""
        low, values = self.table[column].low, self.numbers[column]
        with np.errstate(invalid="ignore"):
            below = values < low
        self.note(NOT_A_NUMBER, below, column, f"{column} is below {low}; it counts as blank", values)
        return np.where(below, np.nan, values)

    def seconds(self, column: str) -> NDArray[np.int32]:
        """Clock times of a column, shape (n,), in seconds of the service date; BLANK_S or BROKEN_S where there is none."""
        array = self.text[column]
        distinct = seconds_of(array.dictionary) if len(array.dictionary) else np.zeros(1, np.int32)
        seconds: NDArray[np.int32] = distinct[array.indices.to_numpy(zero_copy_only=False)]
        return seconds

    def dates(self, column: str, rows: NDArray[np.int64]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
        """The dates of these rows and which are dates; the others are noted and their rows are to be left out."""
        texts, codes = self.codes(column)
        days, marked = dates_of(texts or [""])
        result = days[codes][rows]
        message = f"{column} '{{value}}' is not written YYYYMMDD; it was read as year, month, day"
        self.note(DATE_MENDED, rows[marked[codes][rows]], column, message)
        lost = np.isnat(result)
        self.fault(column, rows[lost])
        return result, ~lost

    def unique(self, *, blank_allowed: bool = False) -> NDArray[np.int64]:
        """Rows whose own id is neither blank (unless allowed) nor used before."""
        column = self.table.key[0]
        ids = self.strings(column)
        keep = np.ones(len(ids), np.bool_)
        if not blank_allowed:
            keep = ids != ""
            self.note(BLANK_ID, ~keep, column, f"{column} is blank; the row was left out")
        if len(set(ids)) < len(ids):
            again = keep & pd.Series(ids).duplicated().to_numpy()
            message = f"{column} '{{value}}' is in the table already; the first row is used, this one was left out"
            self.note(DUPLICATE_ID, again, column, message)
            keep &= ~again
        return np.flatnonzero(keep)

    def frame(self, rows: Rows, **given: NDArray[Any]) -> pd.DataFrame:
        """The table of a feed with these rows: the columns given, which have its length, and the others as they are read."""
        return pd.DataFrame(
            {
                c.held: column_of(c, given[c.held] if c.held in given else self._values(c)[rows])
                for c in self.table.columns
                if c.held and c.kind != "unread"
            }
        )

    def _values(self, column: Column) -> NDArray[Any]:
        if column.kind == "whole":
            return self.whole(column.name)
        if column.kind == "flag":
            yes: NDArray[np.bool_] = self.whole(column.name) == 1
            return yes
        return self.floats(column.name) if column.kind == "number" else self.strings(column.name)


def column_of(column: Column, values: Any) -> pd.Series[Any]:
    """Values as a column of a feed holds them."""
    kinds: dict[str, Any] = {"whole": column.dtype, "flag": np.bool_, "number": np.float64, "row": np.int32}
    dtype = np.int32 if column.kind == "clock" else kinds.get(column.kind, "str")
    return pd.Series(values, dtype=dtype) if dtype == "str" else pd.Series(np.asarray(values, dtype=dtype))


def empty_frame(table: Table) -> pd.DataFrame:
    """The table of a feed without any row."""
    return pd.DataFrame({c.held: column_of(c, []) for c in table.columns if c.held and c.kind != "unread"})


def index_of(ids: NDArray[np.object_]) -> dict[str, int]:
    """Row number of each id."""
    return {name: row for row, name in enumerate(ids)}


def seconds_of(texts: pa.StringArray) -> NDArray[np.int32]:
    """Seconds of the service date of ``H:MM:SS`` or ``HH:MM:SS`` texts; BLANK_S for "", BROKEN_S for anything else.

    ``HH:MM`` and hours of three digits are read as well, one by one.
    """
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    seconds = np.full(len(texts), BROKEN_S, dtype=np.int32)
    seconds[lengths == 0] = BLANK_S
    usual = np.flatnonzero((lengths == 7) | (lengths == 8))
    if len(usual):
        seconds[usual] = _usual_seconds(pc.utf8_lpad(texts.take(pa.array(usual)), 8, padding="0"))
    for i in np.flatnonzero(seconds == BROKEN_S):
        seconds[i] = _unusual_seconds(texts[i].as_py())
    return seconds


def _usual_seconds(texts: pa.StringArray) -> NDArray[np.int32]:
    if not bool(pc.all(pc.equal(pc.binary_length(texts), 8)).as_py()):  # a character of several bytes
        return np.full(len(texts), BROKEN_S, dtype=np.int32)
    start = int(np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset])
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8, count=8 * len(texts), offset=start).reshape(-1, 8)
    digits = data.astype(np.int32) - ord("0")
    good = (data[:, 2] == ord(":")) & (data[:, 5] == ord(":")) & (digits[:, 3] <= 5) & (digits[:, 6] <= 5)
    for column in (0, 1, 3, 4, 6, 7):
        good &= (digits[:, column] >= 0) & (digits[:, column] <= 9)
    seconds = (digits @ _HOURS_TO_SECONDS).astype(np.int32)
    return np.where(good & (seconds <= _LONGEST_S), seconds, BROKEN_S).astype(np.int32)


def _unusual_seconds(text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        return BROKEN_S


def dates_of(texts: list[str]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Dates of ``YYYYMMDD`` texts (NaT where blank or broken), and which are written with marks between, as 2024-03-05."""
    days = np.full(len(texts), np.datetime64("NaT", "D"), dtype="datetime64[D]")
    marked = np.zeros(len(texts), np.bool_)
    for i, text in enumerate(texts):
        try:
            days[i] = np.datetime64(parse_date(_MARKED_DATE.sub(r"\1\3\4", text)), "D")
        except ValueError:
            continue
        marked[i] = len(text) != 8
    return days, marked


def _cut(text: str) -> str:
    """A message without the rest of a name that somebody made a book of."""
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} ..."


def _shown(value: Any) -> str:
    """A value as a person would write it; whole numbers without a decimal point, long texts cut."""
    return (f"{value:.10g}" if isinstance(value, float) else str(value))[:200]
