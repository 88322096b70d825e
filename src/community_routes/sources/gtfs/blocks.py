"""Parses the tables of a feed from the zip, block by block: text as dictionaries, numbers as floats, faults by line."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from community_routes.base.notices import declare
from community_routes.base.times import DAY, parse_date, parse_time
from community_routes.sources.gtfs.findings import Findings
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
LEFT_OUT = -3
"""In an index of ids: the row is in the file but was left out, which has been noted where it matters."""
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
NOT_A_NUMBER = declare(
    "not_a_number", "warning", "A cell that should hold a number does not; it counts as blank.", outcome="left out"
)


@dataclass
class Block:
    """Some consecutive rows of a table.

    Attributes
    ----------
    label : str
        Name of the table in notices.
    line : int64, shape (n,)
        Line of each row in the file; the heading is line 1.
    text : dict of DictionaryArray
        Trimmed text by column; every column asked for is there, blank where the file has none.
    numbers : dict of float64 arrays
        NaN where blank or unreadable.
    present : frozenset of str
        The columns that the file has.
    """

    label: str
    line: NDArray[np.int64]
    text: dict[str, pa.DictionaryArray]
    numbers: dict[str, NDArray[np.float64]]
    present: frozenset[str] = field(default_factory=frozenset)

    def __len__(self) -> int:
        return len(self.line)

    def strings(self, column: str) -> NDArray[np.object_]:
        """The text of a column, shape (n,), "" where blank."""
        array = self.text[column]
        values = np.array(array.dictionary.to_pylist() or [""], dtype=object)
        result: NDArray[np.object_] = values[array.indices.to_numpy(zero_copy_only=False)] if len(array) else values[:0]
        return result

    def codes(self, column: str) -> tuple[list[str], NDArray[np.int32]]:
        """Distinct texts of a column (some may be equal after trimming) and the position of each row's text there."""
        array = self.text[column]
        return array.dictionary.to_pylist(), array.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)

    def look_up(self, column: str, index: Mapping[str, int]) -> NDArray[np.int32]:
        """Row numbers of the ids in a column, shape (n,): -1 where blank, -2 where the id is unknown."""
        values, codes = self.codes(column)
        rows = np.array([index.get(v, -2) if v else -1 for v in values] or [-1], dtype=np.int32)
        return rows[codes]

    def integers(
        self, column: str, default: int, findings: Findings, *, low: int = -(2**31), high: int = 2**31 - 1
    ) -> NDArray[np.int64]:
        """Whole numbers of a column, shape (n,); blank, broken or out of range (noted) is the default."""
        values = self.numbers[column]
        with np.errstate(invalid="ignore"):
            wrong = ~np.isnan(values) & ~((values == np.floor(values)) & (values >= low) & (values <= high))
        if wrong.any():
            at = np.flatnonzero(wrong)
            findings.rows(
                NOT_A_NUMBER,
                self.label,
                self.line[at],
                f"{column} is no whole number from {low} to {high}; it counts as blank",
                field=column,
                values=values[at],
            )
        return np.where(wrong | np.isnan(values), default, values).astype(np.int64)


def read_blocks(
    archive: Archive,
    table: str,
    *,
    text: Sequence[str],
    numbers: Sequence[str] = (),
    required: Sequence[str] = (),
    every_column: bool = False,
    findings: Findings,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[Block]:
    """Read the columns asked for, block by block.

    At least one block comes, unless a fault stops the table; such a fault is noted as an error and ends the blocks.
    With ``every_column`` all columns come as text.
    """
    label = archive.name_of(table)
    pieces = _whole_rows(_as_utf8(archive.chunks(table, block_bytes, findings), label, findings), label, findings)
    header: list[str] | None = None
    line = _FIRST_LINE
    try:
        for piece in pieces:
            body = piece
            if header is None:
                header, body, line = _heading(piece, label, findings)
                missing = [c for c in required if c not in header]
                lower = _heading_in(body, required) if missing else None
                if lower is not None:
                    row = lower[0] + line - 2  # counted from the line behind the heading that was read
                    findings.add(HEADING_LOWER, label, message=heading_below(row, lower[1]), row=row)
                    return
                for column in missing:
                    message = f"there is no column {column}; the table has {', '.join(h for h in header if h) or 'no columns'}"
                    findings.add(COLUMN_MISSING, label, message=message, field=column)
                if missing:
                    return
                if every_column:
                    text = [h for h in dict.fromkeys(header) if h]
            block, lines = _parse(body, header, text, numbers, label, line, findings)
            line += lines
            yield block
    except TableUnreadableError:
        return
    if header is None:
        findings.add(TABLE_EMPTY, label, message=f"{table} is empty; its first line should name the columns")


def read_table(
    archive: Archive,
    table: str,
    *,
    text: Sequence[str],
    numbers: Sequence[str] = (),
    required: Sequence[str] = (),
    every_column: bool = False,
    findings: Findings,
) -> Block | None:
    """Read a whole table; ``None`` when a fault stops it (noted as an error)."""
    faults = (TABLE_EMPTY, COLUMN_MISSING, HEADING_LOWER, ROW_ENDLESS)
    before = sum(findings.count(code, archive.name_of(table)) for code in faults)
    blocks = list(
        read_blocks(
            archive,
            table,
            text=text,
            numbers=numbers,
            required=required,
            every_column=every_column,
            findings=findings,
        )
    )
    if not blocks or sum(findings.count(code, archive.name_of(table)) for code in faults) > before:
        return None
    if len(blocks) == 1:
        return blocks[0]
    joined = {
        name: pa.chunked_array([b.text[name] for b in blocks]).unify_dictionaries().combine_chunks()
        for name in blocks[0].text
    }
    return Block(
        blocks[0].label,
        np.concatenate([b.line for b in blocks]),
        {name: _one_chunk(array) for name, array in joined.items()},
        {name: np.concatenate([b.numbers[name] for b in blocks]) for name in blocks[0].numbers},
        blocks[0].present,
    )


def _as_utf8(chunks: Iterator[bytes], label: str, findings: Findings) -> Iterator[bytes]:
    """The same text as UTF-8 without a byte-order mark and without NULs."""
    decoder: codecs.IncrementalDecoder | None = None
    tail = b""
    line = 1
    for n, chunk in enumerate(chunks):
        if n == 0:
            if (wide := _wide_encoding(chunk)) is not None:
                decoder = codecs.getincrementaldecoder(wide)(errors="replace")
                _note_encoding(label, wide.upper(), 1, findings)
            chunk = chunk.removeprefix(codecs.BOM_UTF8)
        if decoder is None:
            whole, rest = _cut_between_characters(tail + chunk)
            fault = None if whole.isascii() else _first_not_utf8(whole)
            if fault is None:
                tail = rest
                line += whole.count(b"\n")
                yield _without_nuls(whole, label, findings)
                continue
            decoder = codecs.getincrementaldecoder("cp1252")(errors="replace")
            _note_encoding(label, "Windows-1252", line + whole.count(b"\n", 0, fault), findings)
            chunk, tail = whole + rest, b""
        text = decoder.decode(chunk).removeprefix("\ufeff" if n == 0 else "")
        yield _without_nuls(text.encode("utf-8"), label, findings)
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


def _note_encoding(label: str, name: str, row: int, findings: Findings) -> None:
    message = (
        f"the table is not UTF-8, as GTFS asks; it was read as {name}. Check that names with accents look right, and save it "
        "anew as UTF-8: other programs refuse it or read other names"
    )
    findings.add(NOT_UTF8, label, message=message, row=row, value=name)


def _without_nuls(data: bytes, label: str, findings: Findings) -> bytes:
    if b"\0" not in data:
        return data
    at = data.index(b"\0")
    message = "the table holds NUL characters, which no text should; they were taken out"
    if not findings.count(NUL_BYTES, label):
        findings.add(NUL_BYTES, label, message=message, row=data.count(b"\n", 0, at) + 1)
    return data.replace(b"\0", b"")


def _whole_rows(pieces: Iterator[bytes], label: str, findings: Findings) -> Iterator[bytes]:
    """The same bytes cut at ends of rows only (a line break between quotation marks ends no row)."""
    rest = b""
    line = 1
    for piece in pieces:
        data = rest + piece
        cut = _end_of_rows(data)
        if cut == 0 and len(data) > BLOCK_BYTES + _LONGEST_ROW:
            _note_endless(label, findings, row=line)
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


def _note_endless(label: str, findings: Findings, row: int | None = None) -> None:
    message = (
        f"a quotation mark is never closed, or a value has more than {_LONGEST_VALUE:,} characters, so that the table cannot be "
        "split into rows; close the quotation mark or shorten the value"
    )
    findings.add(ROW_ENDLESS, label, message=message, row=row)


def _heading(piece: bytes, label: str, findings: Findings) -> tuple[list[str], bytes, int]:
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
        _note_endless(label, findings, row=1)
        raise TableUnreadableError
    try:
        raw = next((row.cells for row in rows_of_text([heading.decode("utf-8", errors="replace").strip("\r\n")])), [])
    except csv.Error as fault:
        if isinstance(fault, UnclosedQuoteError):
            findings.add(ROW_ENDLESS, label, message=str(fault), row=1 + skipped)
        else:
            _note_endless(label, findings, row=1)
        raise TableUnreadableError from fault
    names: list[str] = []
    for cell in raw:
        name = cell.replace("\ufeff", "").strip().strip('"').strip().lower()
        if name != cell:
            message = f"the heading {cell!r} is read as {name}"
            findings.add(HEADING_MENDED, label, message=message, row=1 + skipped, value=cell)
        if name and name in names:
            message = f"the column {name} is in the heading twice; the first one is read"
            findings.add(COLUMN_TWICE, label, message=message, row=1 + skipped, field=name)
            name = ""
        names.append(name)
    return names, piece, _FIRST_LINE + skipped


def _heading_in(body: bytes, required: Sequence[str]) -> tuple[int, list[str]] | None:
    """The heading among the lines behind the one that was read as such, counted from 2 on."""
    return needed_heading("\n" + body[:_LONGEST_ROW].decode("utf-8", errors="replace"), required, ",")


def _parse(
    body: bytes,
    header: Sequence[str],
    text: Sequence[str],
    numbers: Sequence[str],
    label: str,
    line: int,
    findings: Findings,
) -> tuple[Block, int]:
    """Rows of a block, and how many lines they take."""
    lines = body.count(b"\n") + (not body.endswith(b"\n") and bool(body))
    # A quotation mark that is never closed leaves an odd number of them, which Arrow may read without a word.
    parsed = None if body.count(b'"') % 2 else _parse_fast(body, header, text, numbers, lines)
    if parsed is None:
        return _parse_row_by_row(body, header, text, numbers, label, line, findings), lines
    block = Block(label, np.arange(line, line + len(parsed), dtype=np.int64), {}, {}, frozenset(h for h in header if h))
    for name in text:
        block.text[name] = _one_chunk(parsed.column(f"{name}") if name in header else _blank(len(parsed)))
    for name in numbers:
        if name in header:
            values = parsed.column(name).to_numpy()
            block.numbers[name] = values
        else:
            block.numbers[name] = np.full(len(parsed), np.nan)
    _note_long_row(block, body, header, line, findings)
    return block, lines


def _parse_fast(
    body: bytes, header: Sequence[str], text: Sequence[str], numbers: Sequence[str], lines: int
) -> pa.Table | None:
    """The rows by Arrow; ``None`` where a row or number is broken, or lines and rows differ in number."""
    if not body:
        return pa.table(
            {n: _blank(0) for n in text if n in header}
            | {n: pa.array([], pa.float64()) for n in numbers if n in header}
        )
    # Arrow needs distinct names for the columns that nobody asks for.
    names = [name or f"#{i}" for i, name in enumerate(header)]
    kinds = {name: pa.dictionary(pa.int32(), pa.string()) for name in text}
    kinds |= {name: pa.float64() for name in numbers}
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
    floats = (parsed.column(name).drop_null().to_numpy() for name in numbers if name in header)
    if len(parsed) != lines or not all(np.isfinite(values).all() for values in floats):
        return None
    return parsed


def _parse_row_by_row(
    body: bytes,
    header: Sequence[str],
    text: Sequence[str],
    numbers: Sequence[str],
    label: str,
    line: int,
    findings: Findings,
) -> Block:
    """The rows by the csv module, which says where each one stands; mends what can be mended, notes what cannot."""
    place = {name: i for i, name in enumerate(header) if name}
    cells: dict[str, list[str]] = {name: [] for name in (*text, *numbers)}
    at: list[int] = []
    begins = line
    try:
        for found in rows_of_text(io.StringIO(body.decode("utf-8", errors="replace"), newline="")):
            row, start, begins = found.cells, line + found.line - 1, line + found.end
            if not row or (len(row) == 1 and not row[0].strip() and len(header) > 1):
                continue
            if found.end > found.line:
                _note_swallowed_rows(found, header, start, label, findings)
            if len(row) < len(header):
                message = f"the row has {len(row)} cells, the heading {len(header)}; the missing cells count as blank"
                findings.add(ROW_TOO_SHORT, label, message=message, row=start)
                row = row + [""] * (len(header) - len(row))
            elif any(cell.strip() for cell in row[len(header) :]):
                message = (
                    f"the row has {len(row)} cells, the heading {len(header)}; the row was left out, as its cells may "
                    "have shifted. A comma inside a value must stand in quotation marks"
                )
                findings.add(ROW_TOO_LONG, label, message=message, row=start)
                continue
            at.append(start)
            for name, column in cells.items():
                column.append(row[place[name]].strip() if name in place else "")
    except UnclosedQuoteError as fault:
        field = header[fault.column] if fault.column < len(header) else ""
        findings.add(ROW_ENDLESS, label, message=str(fault), row=line + fault.line - 1, field=field)
        raise TableUnreadableError from fault
    except csv.Error as fault:
        _note_endless(label, findings, row=begins)
        raise TableUnreadableError from fault
    block = Block(label, np.array(at, dtype=np.int64), {}, {}, frozenset(place))
    block.text = {name: _one_chunk(pa.array(cells[name], pa.string()).dictionary_encode()) for name in text}
    block.numbers = {name: _numbers(cells[name], name, block, findings) for name in numbers}
    return block


def _note_swallowed_rows(row: Row, header: Sequence[str], line: int, label: str, findings: Findings) -> None:
    """Note cells of several lines with as many commas as a row has: two lone quotation marks with rows between them."""
    for name, cell in zip(header, row.cells, strict=False):
        if len(cell.splitlines()) > 1 and cell.count(",") >= len(header) - 1:
            message = (
                f"the value goes on to line {line + row.end - row.line} and looks like rows of the table; a quotation mark is "
                "missing or one too many. These rows are lost until it is corrected"
            )
            findings.add(SWALLOWED_ROWS, label, message=message, row=line, field=name, value=cell)


def _note_long_row(block: Block, body: bytes, header: Sequence[str], line: int, findings: Findings) -> None:
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
    field = header[longest] if longest < len(header) else ""
    row = line + body.count(b"\n", 0, begin)
    findings.add(
        ROW_ENDLESS, block.label, message=message, row=row, field=field, value=cells[longest].decode(errors="replace")
    )
    raise TableUnreadableError


def _numbers(cells: Sequence[str], name: str, block: Block, findings: Findings) -> NDArray[np.float64]:
    values = np.full(len(cells), np.nan)
    wrong = []
    for i, cell in enumerate(cells):
        if _NUMBER.fullmatch(cell) and np.isfinite(number := float(cell)):
            values[i] = number
        elif cell:
            wrong.append(i)
    if wrong:
        message = f"{name} is no number; it counts as blank"
        lines = block.line[np.array(wrong)]
        findings.rows(NOT_A_NUMBER, block.label, lines, message, field=name, values=[cells[i] for i in wrong])
    return values


def _blank(n: int) -> pa.ChunkedArray:
    indices = pa.array(np.zeros(n, np.int32))
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, pa.array([""], pa.string()))])


def _one_chunk(array: Any) -> pa.DictionaryArray:
    """One dictionary for the whole column, its texts trimmed."""
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    return pa.DictionaryArray.from_arrays(array.indices, pc.utf8_trim_whitespace(array.dictionary))


BLANK_S = -(2**31)
"""In a column of seconds: no time given."""
BROKEN_S = BLANK_S + 1
"""In a column of seconds: something that is no time."""
_MARKED_DATE = re.compile(r"(\d{4})([-./ ])(\d{2})\2(\d{2})")
_LONGEST_S = 10 * DAY
_HOURS_TO_SECONDS = np.array([36_000, 3600, 0, 600, 60, 0, 10, 1], dtype=np.int32)


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
