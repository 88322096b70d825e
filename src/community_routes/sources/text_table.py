"""The one reader of tables of text: kind of file, packing, encoding, mark between cells, and rows with their lines."""

from __future__ import annotations

import csv
import gzip
import io
import math
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from community_routes.sources.file_kinds import mistaken
from community_routes.sources.headings import Row, rows_of_text

MAX_TABLE_BYTES = 150_000_000
_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
_CURES = {
    "zip": "unpack it and name the table; a workbook needs its own ending (.xlsx, .ods)",
    "office": "give it its own ending (.xls), or save it as CSV (UTF-8)",
    "json": "a map of places needs its own ending (.geojson); or the download brought an error",
    "gzip": "unpack it, or give it its own ending (.csv.gz)",
}


class NoTableError(Exception):
    """Why a file cannot be read as a table of text; the message goes on from the name of the file.

    Attributes
    ----------
    row : int or None
        Line of the fault.
    opened : bool
        Whether there was text to look at: without it the file itself is at fault, not what is in it.
    """

    def __init__(self, message: str, row: int | None = None, *, opened: bool = True) -> None:
        super().__init__(message)
        self.row, self.opened = row, opened


class TooLargeError(NoTableError):
    """A file or table beyond what is read."""


@dataclass(frozen=True)
class TextRows:
    """What a table of text holds.

    Attributes
    ----------
    rows : list of Row
        The first row, which should be the heading, and the others but blank ones; cells without blanks around them. A row may
        have another number of cells than the heading. Empty where the file is.
    not_utf8 : (int, int) or None
        Line and byte of the first letter that is not UTF-8; the text was then read as Windows-1252.
    """

    rows: list[Row]
    not_utf8: tuple[int, int] | None = None

    @property
    def heading(self) -> list[str]:
        """The cells of the first row."""
        return self.rows[0].cells if self.rows else []


def is_text_table(path: Path) -> bool:
    """Whether the file is a table of text (CSV, TSV), by its ending."""
    return path.name.lower().endswith(_ENDINGS)


def read_text_rows(path: Path, *, most_cells: float = math.inf) -> TextRows:
    """The rows of a table of text.

    Raises
    ------
    NoTableError
        It is another kind of file, cannot be read, is too large, is no text, or has a cell that never ends.
    """
    mistake = _why_no_table(path)
    if mistake is not None:
        raise NoTableError(f"is no table of text: {mistake}", opened=False)
    raw = _bytes_of(path)
    encoding, not_utf8 = _encoding_of(raw)
    stream = io.TextIOWrapper(io.BytesIO(raw), encoding, errors="replace", newline="")
    rows: list[Row] = []
    n_cells, line = 0, 1
    try:
        for row in rows_of_text(stream, _delimiter(stream)):
            line = row.end + 1
            if not rows or any(cell.strip() for cell in row.cells):
                rows.append(Row(row.line, row.end, [cell.strip() for cell in row.cells]))
                n_cells += len(row.cells)
            if n_cells > most_cells:
                raise TooLargeError(f"more than {most_cells:,} cells", row.line)
    except csv.Error as fault:
        raise NoTableError(f"is no table of text: {fault}", line) from None
    return TextRows(rows, not_utf8)


def _why_no_table(path: Path) -> str | None:
    """What a file is that cannot be a table of text, with the cure; None where nothing speaks against it."""
    right = ("text", "xml", "gzip") if path.name.lower().endswith(".gz") else ("text", "xml")
    return mistaken(path, right, "a table of text (CSV, UTF-8)", _CURES)


def _bytes_of(path: Path) -> bytes:
    """What a file holds, unpacked."""
    try:
        opener: Any = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rb") as stream:
            raw: bytes = stream.read(MAX_TABLE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as fault:
        said = str(getattr(fault, "strerror", None) or fault)
        raise NoTableError(f"cannot be read: {said}", opened=False) from None
    if len(raw) > MAX_TABLE_BYTES:
        raise TooLargeError(f"larger than {MAX_TABLE_BYTES:,} bytes")
    return raw


def _encoding_of(raw: bytes) -> tuple[str, tuple[int, int] | None]:
    """The encoding of a text; with line and byte of the first letter that is not UTF-8, where it is read as Windows-1252."""
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    if encoding != "utf-16" and b"\x00" in raw:
        raise NoTableError("holds bytes of zero, so it is no table of text; save it as CSV (UTF-8)")
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as fault:
        if encoding == "utf-16":
            raise NoTableError("is broken UTF-16 text; save it as CSV (UTF-8)") from None
        return "cp1252", (raw.count(b"\n", 0, fault.start) + 1, raw[fault.start])
    return encoding, None


def _delimiter(stream: io.TextIOWrapper) -> str:
    """The mark that most of the first hundred lines have; of several, the one that the first line has most often."""
    lines = list(islice(stream, 100)) or [""]
    stream.seek(0)
    return max(",;\t", key=lambda mark: (sum(mark in line for line in lines), lines[0].count(mark), mark == ","))
