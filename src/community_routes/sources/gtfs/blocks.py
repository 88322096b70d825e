"""Parses the tables of a feed from the zip, block by block: text as dictionaries, numbers as floats, faults by line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from community_routes.base.notices import Code, declare
from community_routes.sources.gtfs.columns import Block, Findings
from community_routes.sources.gtfs.schema import NOT_A_NUMBER, Table
from community_routes.sources.gtfs.zip import Archive, TableUnreadableError
from community_routes.sources.headings import (
    HEADING_LOWER,
    Row,
    UnclosedQuoteError,
    heading_below,
    needed_heading,
    rows_of_text,
)

BLOCK_BYTES = 32 * 2**20
_ARROW_BLOCK = 16 * 2**20
_WORTH_THREADS = 2**20
_LONGEST_ROW = 2**20
_LONGEST_VALUE = 2**17
"""As in the csv module, so that a table is refused whichever way it is read."""
_MOST_LINES_IN_A_ROW = 1000
_FIRST_LINE = 2
_FIRST_LETTERS = 16
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")

TABLE_EMPTY = declare("table_empty", "error", "A table that is needed has no heading line.")
COLUMN_MISSING = declare("column_missing", "error", "A column that is needed is not in the table.")
COLUMN_TWICE = declare("column_twice", "warning", "A column is in the heading twice; the first one is read.")
HEADING_MENDED = declare(
    "heading_mended", "info", "A heading had blanks, capitals or quotes that do not belong there.", outcome="mended"
)
NOT_UTF8 = declare(
    "not_utf8", "warning", "A table is not UTF-8; it was read in another encoding, and names may look wrong."
)
NUL_BYTES = declare("nul_bytes", "warning", "A table holds NUL characters; they were taken out.", outcome="mended")
ROW_TOO_SHORT = declare(
    "row_too_short", "warning", "A row has fewer cells than the heading; the missing ones are blank."
)
ROW_TOO_LONG = declare(
    "row_too_long", "warning", "A row has more cells than the heading; it was left out.", outcome="left out"
)
ROW_ENDLESS = declare(
    "row_endless", "error", "A quotation mark that is never closed, or a row of more than 131,072 characters."
)
SWALLOWED_ROWS = declare(
    "rows_in_value", "warning", "A value of several lines looks like rows of the table: a quotation mark is missing."
)


@dataclass(frozen=True)
class _Layout:
    """How the rows of a table are read: the names in its heading ("" for those that are not), and what is wanted of them."""

    table: Table
    header: list[str]
    text: tuple[str, ...]
    numbers: tuple[str, ...]
    findings: Findings

    @property
    def place(self) -> dict[str, int]:
        """The position of each column in a row."""
        return {name: i for i, name in enumerate(self.header) if name}

    def block(self, line: NDArray[np.int64]) -> Block:
        """Rows on these lines, without their columns."""
        return Block(self.table, self.findings, line, present=frozenset(self.place))

    def note(self, code: Code, message: str, row: int, *, field: str = "", value: str = "") -> None:
        """Note a finding on a line."""
        self.findings.add(code, self.table.file, message=message, row=row, field=field, value=value)


def read_blocks(archive: Archive, table: Table, *, block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Read the columns that the schema names, block by block.

    At least one block comes, unless a fault stops the table; such a fault is noted as an error and ends the blocks.
    """
    findings, file = archive.findings, table.file
    layout: _Layout | None = None
    line = _FIRST_LINE
    try:
        for piece in _whole_rows(_as_utf8(archive.chunks(file, block_bytes), file, findings), file, findings):
            body = piece
            if layout is None:
                header, body, line = _heading(piece, file, findings)
                if not _has_columns(table, header, body, line, findings):
                    return
                text = tuple(h for h in dict.fromkeys(header) if h) if table.every_column else table.text
                layout = _Layout(table, header, text, table.numbers, findings)
            block, lines = _parse(body, line, layout)
            line += lines
            yield block
    except TableUnreadableError:
        return
    if layout is None:
        findings.add(TABLE_EMPTY, file, message=f"{file} is empty; its first line should name the columns")


def _has_columns(table: Table, header: list[str], body: bytes, line: int, findings: Findings) -> bool:
    """Whether no column is missing that is needed (noted)."""
    missing = [column for column in table.required if column not in header]
    # The heading may be among the lines behind the one that was read as such.
    below = "\n" + body[:_LONGEST_ROW].decode("utf-8", errors="replace")
    lower = needed_heading(below, table.required, ",") if missing else None
    if lower is not None:
        row = lower[0] + line - 2  # counted from the line behind the heading that was read
        findings.add(HEADING_LOWER, table.file, message=heading_below(row, lower[1]), row=row)
        return False
    for column in missing:
        message = f"there is no column {column}; the table has {', '.join(h for h in header if h) or 'no columns'}"
        findings.add(COLUMN_MISSING, table.file, message=message, field=column)
    return not missing


def read_table(archive: Archive, table: Table) -> Block | None:
    """Read a whole table; ``None`` when a fault stops it (noted as an error)."""

    def faults() -> int:
        codes = (TABLE_EMPTY, COLUMN_MISSING, HEADING_LOWER, ROW_ENDLESS)
        return sum(archive.findings.count(code, table.file) for code in codes)

    before = faults()
    blocks = list(read_blocks(archive, table))
    if not blocks or faults() > before:
        return None
    first = blocks[0]
    return (
        first
        if len(blocks) == 1
        else replace(
            first,
            line=np.concatenate([b.line for b in blocks]),
            text={name: _one_chunk(pa.chunked_array([b.text[name] for b in blocks])) for name in first.text},
            numbers={name: np.concatenate([b.numbers[name] for b in blocks]) for name in first.numbers},
        )
    )


def read_optional(archive: Archive, table: Table) -> Block | None:
    """A table that a feed may lack; ``None`` where it does, and after a fault (noted as an error)."""
    return read_table(archive, table) if archive.holds(table.file) else None


def _as_utf8(chunks: Iterator[bytes], file: str, findings: Findings) -> Iterator[bytes]:
    """The same text as UTF-8 without a byte-order mark and without NULs."""
    decoder: codecs.IncrementalDecoder | None = None
    tail = b""
    line = 1
    for n, chunk in enumerate(chunks):
        if n == 0:
            if (wide := _wide_encoding(chunk)) is not None:
                decoder = codecs.getincrementaldecoder(wide)(errors="replace")
                _note_encoding(file, wide.upper(), 1, findings)
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        if decoder is None:
            whole, rest = _cut_between_characters(tail + chunk)
            fault = None if whole.isascii() else _first_not_utf8(whole)
            if fault is None:
                tail = rest
                line += whole.count(b"\n")
                yield _without_nuls(whole, file, findings)
                continue
            decoder = codecs.getincrementaldecoder("cp1252")(errors="replace")
            _note_encoding(file, "Windows-1252", line + whole.count(b"\n", 0, fault), findings)
            chunk, tail = whole + rest, b""
        text = decoder.decode(chunk).removeprefix("\ufeff" if n == 0 else "")
        yield _without_nuls(text.encode("utf-8"), file, findings)
    if decoder is not None:
        yield decoder.decode(b"", final=True).encode("utf-8")
    elif tail:
        yield tail.decode("utf-8", errors="replace").encode("utf-8")


def _wide_encoding(beginning: bytes) -> str | None:
    """UTF-16 or UTF-32, told by the mark at the beginning, or by the NUL in every other byte of its first letters."""
    if beginning.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first = beginning[:_FIRST_LETTERS]
    for at, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(first) == _FIRST_LETTERS and not any(first[at::2]) and all(first[1 - at :: 2]):
            return name
    return None


def _cut_between_characters(data: bytes) -> tuple[bytes, bytes]:
    """Split off the beginning of a character of several bytes that the next chunk completes."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            needs = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return (data[:-back], data[-back:]) if needs > back else (data, b"")
    return data, b""


def _first_not_utf8(data: bytes) -> int | None:
    """Position of the first byte that is no UTF-8; None where all is."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as fault:
        return fault.start
    return None


def _note_encoding(file: str, name: str, row: int, findings: Findings) -> None:
    message = (
        f"the table is not UTF-8, as GTFS asks; it was read as {name}. Check that names with accents look right, and save it "
        "anew as UTF-8: other programs refuse it or read other names"
    )
    findings.add(NOT_UTF8, file, message=message, row=row, value=name)


def _without_nuls(data: bytes, file: str, findings: Findings) -> bytes:
    if b"\0" not in data:
        return data
    at = data.index(b"\0")
    message = "the table holds NUL characters, which no text should; they were taken out"
    if not findings.count(NUL_BYTES, file):
        findings.add(NUL_BYTES, file, message=message, row=data.count(b"\n", 0, at) + 1)
    return data.replace(b"\0", b"")


def _whole_rows(pieces: Iterator[bytes], file: str, findings: Findings) -> Iterator[bytes]:
    """The same bytes cut at ends of rows only (a line break between quotation marks ends no row)."""
    rest = b""
    line = 1
    for piece in pieces:
        data = rest + piece
        cut = _end_of_rows(data)
        if cut == 0 and len(data) > BLOCK_BYTES + _LONGEST_ROW:
            _note_endless(file, findings, row=line)
            raise TableUnreadableError
        if cut:
            line += data.count(b"\n", 0, cut)
            yield data[:cut]
        rest = data[cut:]
    if rest.strip():
        yield rest


def _end_of_rows(data: bytes) -> int:
    """Position behind the last line break outside quotation marks; 0 when there is none."""
    cut = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, cut)
    for _ in range(_MOST_LINES_IN_A_ROW):
        if cut == 0 or quotes % 2 == 0:
            return cut
        before = data.rfind(b"\n", 0, cut - 1) + 1
        quotes -= data.count(b'"', before, cut)
        cut = before
    # No cell has so many lines: a lone quotation mark stands somewhere inside a cell, where it opens nothing.
    return data.rfind(b"\n") + 1


def _note_endless(file: str, findings: Findings, row: int | None = None) -> None:
    message = (
        f"a quotation mark is never closed, or a value has more than {_LONGEST_VALUE:,} characters, so that the table cannot be "
        "split into rows; close the quotation mark or shorten the value"
    )
    findings.add(ROW_ENDLESS, file, message=message, row=row)


def _heading(piece: bytes, file: str, findings: Findings) -> tuple[list[str], bytes, int]:
    """Column names, the bytes behind the heading, and the line of the first row."""
    skipped = 0
    while True:
        lf, cr = piece.find(b"\n"), piece.find(b"\r")
        end = lf + 1 if lf >= 0 and not 0 <= cr < lf - 1 else cr + 1 if cr >= 0 else len(piece)
        heading, piece = piece[:end], piece[end:]
        if heading.strip() or not piece:
            break
        skipped += 1
    if len(heading) > _LONGEST_ROW:
        _note_endless(file, findings, row=1)
        raise TableUnreadableError
    try:
        raw = next((row.cells for row in rows_of_text([heading.decode("utf-8", errors="replace").strip("\r\n")])), [])
    except csv.Error as fault:
        if isinstance(fault, UnclosedQuoteError):
            findings.add(ROW_ENDLESS, file, message=str(fault), row=1 + skipped)
        else:
            _note_endless(file, findings, row=1)
        raise TableUnreadableError from fault
    names: list[str] = []
    for cell in raw:
        name = cell.replace("\ufeff", "").strip().strip('"').strip().lower()
        if name != cell:
            message = f"the heading {cell!r} is read as {name}"
            findings.add(HEADING_MENDED, file, message=message, row=1 + skipped, value=cell)
        if name and name in names:
            message = f"the column {name} is in the heading twice; the first one is read"
            findings.add(COLUMN_TWICE, file, message=message, row=1 + skipped, field=name)
            name = ""
        names.append(name)
    return names, piece, _FIRST_LINE + skipped


def _parse(body: bytes, line: int, layout: _Layout) -> tuple[Block, int]:
    """Rows of a block, and how many lines they take."""
    lines = body.count(b"\n") + (not body.endswith(b"\n") and bool(body))
    # A quotation mark that is never closed leaves an odd number of them, which Arrow may read without a word.
    parsed = None if body.count(b'"') % 2 else _parse_fast(body, lines, layout)
    if parsed is None:
        return _parse_row_by_row(body, line, layout), lines
    n, header = len(parsed), layout.header
    block = layout.block(np.arange(line, line + n, dtype=np.int64))
    block.text = {name: _one_chunk(parsed.column(name) if name in header else _blank(n)) for name in layout.text}
    block.numbers = {
        name: parsed.column(name).to_numpy() if name in header else np.full(n, np.nan) for name in layout.numbers
    }
    _note_long_row(body, line, layout)
    return block, lines


def _parse_fast(body: bytes, lines: int, layout: _Layout) -> pa.Table | None:
    """The rows by Arrow; ``None`` where a row or number is broken, or lines and rows differ in number."""
    text, numbers = ([name for name in names if name in layout.header] for names in (layout.text, layout.numbers))
    if not body:
        return pa.table({n: _blank(0) for n in text} | {n: pa.array([], pa.float64()) for n in numbers})
    # Arrow needs distinct names for the columns that nobody asks for.
    names = [name or f"#{i}" for i, name in enumerate(layout.header)]
    kinds = dict.fromkeys(text, pa.dictionary(pa.int32(), pa.string())) | dict.fromkeys(numbers, pa.float64())
    try:
        parsed = pacsv.read_csv(
            pa.BufferReader(body),
            read_options=pacsv.ReadOptions(
                column_names=names, block_size=_ARROW_BLOCK, use_threads=len(body) > _WORTH_THREADS
            ),
            parse_options=pacsv.ParseOptions(newlines_in_values=b'"' in body, ignore_empty_lines=True),
            convert_options=pacsv.ConvertOptions(
                column_types=kinds,
                include_columns=[n for n in names if n in kinds],
                null_values=[""],
                strings_can_be_null=False,
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None
    floats = (parsed.column(name).drop_null().to_numpy() for name in numbers)
    if len(parsed) != lines or not all(np.isfinite(values).all() for values in floats):
        return None
    return parsed


def _parse_row_by_row(body: bytes, line: int, layout: _Layout) -> Block:
    """The rows by the csv module, which says where each one stands; mends what can be mended, notes what cannot."""
    header, place = layout.header, layout.place
    cells: dict[str, list[str]] = {name: [] for name in (*layout.text, *layout.numbers)}
    at: list[int] = []
    begins = line
    try:
        for found in rows_of_text(io.StringIO(body.decode("utf-8", errors="replace"), newline="")):
            row, start, begins = found.cells, line + found.line - 1, line + found.end
            if not row or (len(row) == 1 and not row[0].strip() and len(header) > 1):
                continue
            if found.end > found.line:
                _note_swallowed_rows(found, start, layout)
            if len(row) < len(header):
                message = f"the row has {len(row)} cells, the heading {len(header)}; the missing cells count as blank"
                layout.note(ROW_TOO_SHORT, message, start)
                row = row + [""] * (len(header) - len(row))
            elif any(cell.strip() for cell in row[len(header) :]):
                message = (
                    f"the row has {len(row)} cells, the heading {len(header)}; the row was left out, as its cells may "
                    "have shifted. A comma inside a value must stand in quotation marks"
                )
                layout.note(ROW_TOO_LONG, message, start)
                continue
            at.append(start)
            for name, column in cells.items():
                column.append(row[place[name]].strip() if name in place else "")
    except UnclosedQuoteError as fault:
        field = header[fault.column] if fault.column < len(header) else ""
        layout.note(ROW_ENDLESS, str(fault), line + fault.line - 1, field=field)
        raise TableUnreadableError from fault
    except csv.Error as fault:
        _note_endless(layout.table.file, layout.findings, row=begins)
        raise TableUnreadableError from fault
    block = layout.block(np.array(at, dtype=np.int64))
    block.text = {name: _one_chunk(pa.array(cells[name], pa.string()).dictionary_encode()) for name in layout.text}
    block.numbers = {name: _numbers(cells[name], name, block) for name in layout.numbers}
    return block


def _note_swallowed_rows(row: Row, line: int, layout: _Layout) -> None:
    """Note cells of several lines with as many commas as a row has: two lone quotation marks with rows between them."""
    for name, cell in zip(layout.header, row.cells, strict=False):
        if len(cell.splitlines()) > 1 and cell.count(",") >= len(layout.header) - 1:
            message = (
                f"the value goes on to line {line + row.end - row.line} and looks like rows of the table; a quotation mark is "
                "missing or one too many. These rows are lost until it is corrected"
            )
            layout.note(SWALLOWED_ROWS, message, line, field=name, value=cell)


def _note_long_row(body: bytes, line: int, layout: _Layout) -> None:
    """Refuse a table with a row that no other program reads.

    Raises
    ------
    TableUnreadableError
    """
    begin = 0
    while len(body) - begin > _LONGEST_VALUE:
        last = max(body.rfind(mark, begin, begin + _LONGEST_VALUE + 1) for mark in (b"\n", b"\r"))
        if last < 0:
            break
        begin = last + 1
    else:
        return
    end = min(at for mark in (b"\n", b"\r") if (at := body.find(mark, begin)) >= 0 or (at := len(body)))
    cells = body[begin:end].split(b",")
    longest = max(range(len(cells)), key=lambda i: len(cells[i]))
    message = (
        f"the row has {end - begin:,} characters, where no program expects more than {_LONGEST_VALUE:,}; shorten the value, "
        "or look for a quotation mark or line break that is missing"
    )
    field = layout.header[longest] if longest < len(layout.header) else ""
    row = line + body.count(b"\n", 0, begin)
    layout.note(ROW_ENDLESS, message, row, field=field, value=cells[longest].decode(errors="replace"))
    raise TableUnreadableError


def _numbers(cells: Sequence[str], name: str, block: Block) -> NDArray[np.float64]:
    values = np.full(len(cells), np.nan)
    wrong = []
    for i, cell in enumerate(cells):
        if _NUMBER.fullmatch(cell) and np.isfinite(number := float(cell)):
            values[i] = number
        elif cell:
            wrong.append(i)
    if wrong:
        said = np.array(cells, dtype=object)
        block.note(NOT_A_NUMBER, np.array(wrong), name, f"{name} is no number; it counts as blank", said)
    return values


def _blank(n: int) -> pa.ChunkedArray:
    indices = pa.array(np.zeros(n, np.int32))
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, pa.array([""], pa.string()))])


def _one_chunk(array: pa.ChunkedArray | pa.DictionaryArray) -> pa.DictionaryArray:
    """One dictionary for the whole column, its texts trimmed."""
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    return pa.DictionaryArray.from_arrays(array.indices, pc.utf8_trim_whitespace(array.dictionary))
