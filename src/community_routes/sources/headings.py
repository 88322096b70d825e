"""Rows of a table of text with their lines, and the heading that stands below lines of titles, as publishers write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from community_routes.base.notices import declare

HEADING_LOWER = declare(
    "heading_not_first", "error", "Lines of titles stand above the heading of a table; they have to be deleted."
)

_MOST_TITLES = 100
_END = "\x03 end of the table \x03"
"""A last line that is no row of its own only where a cell is still open."""
_NUMBER = re.compile(r"[-+£$€]?\d[\d,. ]*%?")
_YEAR = re.compile(r"(1[89]|20)\d\d")


@dataclass(frozen=True)
class Row:
    """A row of a table of text: the first and the last of its lines, and its cells."""

    line: int
    end: int
    cells: list[str]

    @property
    def filled(self) -> list[str]:
        """The cells without the blank ones at the end."""
        n = len(self.cells)
        while n and not self.cells[n - 1]:
            n -= 1
        return self.cells[:n]


class UnclosedQuoteError(csv.Error):
    """A quotation mark opens a cell that no other one closes; ``line`` and ``column`` (from 0) are where."""

    def __init__(self, line: int, column: int, cell: str) -> None:
        shown = cell.strip().split("\n")[0][:40]
        super().__init__(
            f"the quotation mark before {shown!r} is never closed, so that all behind it is one cell; close it, or take it out"
        )
        self.line, self.column = line, column


def rows_of_text(lines: Iterable[str], delimiter: str = ",") -> Iterator[Row]:
    """The rows of a table, the blank ones too (without cells); lines are counted from 1.

    Raises
    ------
    csv.Error
        A cell is longer than the csv module allows, or never ends.
    """
    line = 1
    reader = csv.reader(chain(lines, [_END]), delimiter=delimiter)
    for cells in reader:
        if cells == [_END]:
            return
        if cells and cells[-1].endswith(_END):
            raise UnclosedQuoteError(line, len(cells) - 1, cells[-1].removesuffix(_END))
        yield Row(line, reader.line_num, cells)
        line = reader.line_num + 1


def heading_below(line: int, names: Sequence[str], notes: Sequence[Row] = ()) -> str:
    """What is wrong, and the cure."""
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    above = "the line above it" if line == 2 else f"the {line - 1} lines above it"
    below = f" and {notes_from(notes)}" if notes else ""
    return f"the heading seems to be line {line} ({shown}); delete {above}{below}"


def notes_from(notes: Sequence[Row]) -> str:
    """``the notes below the table, from line 14 on``."""
    return f"the notes below the table, from line {notes[0].line} on"


def needed_heading(text: str, needed: Collection[str], delimiters: str = ",;\t") -> tuple[int, list[str]] | None:
    """The first line that has all the names that a heading needs, and its names; None where none has."""
    for number, line in enumerate(islice(text.splitlines(), _MOST_TITLES), start=1):
        for mark in delimiters:
            try:
                names = [cell.strip() for cell in next(csv.reader([line], delimiter=mark), [])]
            except csv.Error:
                continue
            if {name.lower() for name in names}.issuperset(needed):
                return number, names
    return None


def titles_above(rows: Sequence[Row], needed: Collection[str]) -> str | None:
    """What to say of a table of which a lower row than the first has the names that a heading needs; else None."""
    for row in rows[:_MOST_TITLES]:
        if {cell.lower() for cell in row.cells}.issuperset(needed):
            return None if row is rows[0] else heading_below(row.line, row.cells)
    return None


def lower_heading(rows: Sequence[Row]) -> tuple[int, int] | None:
    """Position of the row that seems to be the heading, and of the row behind its table; None where it is the first.

    A heading has several names, all different and none a number, and rows of as many cells follow it without a gap; of
    several such tables in a file the longest is meant. The first row is only taken for a title where it cannot be a
    heading: it holds one cell at the left, or another number of cells with a blank line below.
    """
    at, best, longest = 0, (0, 1), 1
    while at < min(len(rows), _MOST_TITLES):
        end = at + 1
        if _may_be_heading(rows[at]):
            width = len(rows[at].cells)
            while end < len(rows) and len(rows[end].cells) == width and rows[end].line == rows[end - 1].end + 1:
                end += 1
            if end - at >= max(longest, 2):
                best, longest = (at, end), end - at
        at = end
    at, end = best
    if at == 0:
        return None
    title = len(rows[0].filled) == 1
    differs = len(rows[0].cells) != len(rows[at].cells)
    gap = any(rows[i + 1].line > rows[i].end + 1 for i in range(at))
    has_numbers = any(_is_number(cell) for row in rows[at + 1 : end] for cell in row.cells)
    return best if (title and (differs or gap or has_numbers)) or (differs and gap) else None


def notes_below(rows: Iterable[Row]) -> list[Row]:
    """These rows where each is a sentence in the first column; none where one of them is anything else."""
    notes = list(rows)
    return notes if all(len(row.filled) == 1 for row in notes) else []


def _may_be_heading(row: Row) -> bool:
    names = row.filled
    different = len(names) > 1 and "" not in names and len(set(names)) == len(names)
    return different and not any(_is_number(name) and not _YEAR.fullmatch(name) for name in names)


def _is_number(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None
