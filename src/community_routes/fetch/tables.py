"""Checks the tables that were downloaded and narrows them to the neighbourhoods of an authority."""

from __future__ import annotations

import csv
import io
import lzma
import math
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from community_routes.fetch.http import (
    TABLE_LIMIT,
    BadAnswerError,
    Client,
    Kept,
    check_size,
    unusable,
    whole_number,
    with_question,
)
from community_routes.fetch.sources import Source
from community_routes.sources.headings import rows_of_text

Rows = list[dict[str, str]]
Read = TypeVar("Read")
OWN_JOBS = "name a file of your own with --jobs, or go on --without jobs"
_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, IndexError)
"""What a damaged zip makes of the standard library; names that are no text are among them."""
_CUT_AT = 25_000  # nomis gives no more rows at once, without a word

_GROUPS = ("asian", "black", "mixed", "white", "other")
_GROUP_STARTS = {"asian": "asian", "black": "black", "mixed": "mixed", "white": "white", "other ethnic": "other"}


def csv_bytes(rows: Sequence[dict[str, str]], columns: Sequence[str]) -> bytes:
    """Rows as a CSV file with these columns."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def read_rows(path: Path) -> Rows:
    """The rows of a CSV file; blanks around the headings are taken off.

    Raises
    ------
    BadAnswerError
        It is no UTF-8, has no heading, or a row has another number of cells than the heading (it was cut).
    """
    check_size(path.stat().st_size, TABLE_LIMIT, "the table")
    try:
        return list(_rows(path.read_bytes()))
    except UnicodeDecodeError:
        raise BadAnswerError("the table is not UTF-8 text") from None


def _rows(content: bytes) -> Iterator[dict[str, str]]:
    try:
        rows = rows_of_text(io.StringIO(content.decode("utf-8-sig"), newline=""))
        first = next(rows, None)
        heading = [" ".join(name.split()) for name in first.cells] if first is not None else []
        if len(heading) < 2:
            raise BadAnswerError("the table has no heading with columns")
        for row in rows:
            n = len(row.cells)
            if n == len(heading):
                yield dict(zip(heading, row.cells, strict=True))
            elif n:
                raise BadAnswerError(
                    f"line {row.end} of the table has {n} cells, the heading {len(heading)}; it was cut"
                )
    except csv.Error as wrong:
        raise BadAnswerError(f"the table cannot be read: {wrong}") from None


def is_pbf(path: Path) -> None:
    """Check that a file begins like an extract of OpenStreetMap."""
    with path.open("rb") as file:
        if b"OSMHeader" not in file.read(64):
            raise BadAnswerError("this is no OpenStreetMap extract (.osm.pbf)")


def is_zip(path: Path) -> None:
    """Check that a file is a zip, to its last byte."""
    try:
        with zipfile.ZipFile(path) as archive:
            if not archive.namelist():
                raise BadAnswerError("the zip is empty")
    except _ZIP_FAULTS:
        raise BadAnswerError("this is no zip, or a cut one") from None


def is_table(path: Path) -> None:
    """Check that a file is a CSV table with a row at least."""
    if not read_rows(path):
        raise BadAnswerError("the table has no rows")


def of_areas(
    source: Source, kept: Kept, rows: Iterable[dict[str, str]], column: str, codes: Sequence[str]
) -> dict[str, dict[str, str]]:
    """The row of each area, by its code.

    Raises
    ------
    FetchError
        An area has no row, or two.
    """
    wanted = set(codes)
    found: dict[str, dict[str, str]] = {}
    twice: set[str] = set()
    n_rows = 0
    for row in rows:
        n_rows += 1
        code = row[column].strip()
        if code in wanted:
            if code in found:
                twice.add(code)
            found[code] = row
    lost = sorted(wanted - set(found))
    if lost or twice:
        said = (
            f"{len(lost)} of the {len(wanted)} areas have no row (of {n_rows:,} that came): {_first(lost)}"
            if lost
            else f"{len(twice)} areas have two rows: {_first(sorted(twice))}"
        )
        if n_rows == _CUT_AT:
            said += f"; the service cut its answer at {_CUT_AT:,} rows"
        raise unusable(source, f"{kept.address}: {said}")
    return {code: found[code] for code in codes}


def _first(codes: Sequence[str]) -> str:
    return ", ".join(codes[:5]) + (", ..." if len(codes) > 5 else "")


def read_as(source: Source, kept: Kept, read: Callable[[Path], Read]) -> Read:
    """What a reader makes of a download; a fault names the service and its address."""
    try:
        return read(kept.path)
    except BadAnswerError as wrong:
        raise unusable(source, f"{kept.address}: {wrong}") from None


def census(client: Client, source: Source, codes: Sequence[str]) -> dict[str, dict[str, str]]:
    """The rows of one census table, by area."""
    kept = client.get(source, source.addresses, is_zip)
    rows = read_as(source, kept, _census_rows)
    return of_areas(source, kept, rows, "geography code", codes)


def _census_rows(path: Path) -> Rows:
    with zipfile.ZipFile(path) as archive:
        member = [info for info in archive.infolist() if info.filename.lower().endswith("-lsoa.csv")]
        if len(member) != 1:
            raise BadAnswerError("the zip holds no table of LSOAs (...-lsoa.csv)")
        name = member[0].filename
        check_size(member[0].file_size, TABLE_LIMIT, f"{name}, unpacked,")
        try:
            rows = list(_rows(archive.read(member[0])))
        except (*_ZIP_FAULTS, lzma.LZMAError):
            raise BadAnswerError(f"the zip is damaged at {name}") from None
    if not rows or "geography code" not in rows[0]:
        raise BadAnswerError(f"{name} has no rows with a 'geography code'")
    return rows


def census_columns(table: str, source: Source, row: dict[str, str]) -> dict[str, str]:
    """Our name -> the heading of a census table, for the columns that are used."""
    heads = {name: [part.strip() for part in name.split(";")[0].split(":")] for name in row}
    found: dict[str, str] = {}
    for name, parts in heads.items():
        words = [part.casefold() for part in parts]
        if table == "population" and words[:2] == ["residence type", "total"]:
            found["residents"] = name
        elif table == "ethnicity" and len(words) == 2 and words[0] == "ethnic group":
            key = next((ours for start, ours in _GROUP_STARTS.items() if words[1].startswith(start)), None)
            if key is not None:
                found[key] = name
        elif table == "cars" and words[0] == "number of cars or vans":
            if words[1] == "total":
                found["households"] = name
            elif words[1].startswith("no cars"):
                found["no_car"] = name
    wanted = {"population": ("residents",), "ethnicity": _GROUPS, "cars": ("households", "no_car")}[table]
    lost = [key for key in wanted if key not in found]
    if lost:
        raise unusable(source, f"{source.addresses[0]}: no column for {', '.join(lost)} among {', '.join(row)}")
    return {key: found[key] for key in wanted}


def deprivation_columns(row: dict[str, str], name: str, *, ours: bool = False) -> dict[str, str]:
    """The columns of a table of deprivation: ``code``, ``rank``, ``decile`` and, where there is one, ``income_rank``.

    Raises
    ------
    BadAnswerError
        A column is missing; with those there are.
    """
    found: dict[str, str] = {}
    whole = [head for head in row if _is_overall(head)]
    if ours and not any("rank" in head.casefold() for head in whole):  # a table of one index need not name it
        whole = list(row)
    for heading in row:
        text = heading.casefold()
        if "lsoa" in text and "name" not in text and "rank" not in text and "decile" not in text:
            found.setdefault("code", heading)
        for key in ("rank", "decile"):
            if heading in whole and key in text and "income" not in text:
                found.setdefault(key, heading)
        if text.startswith("income") and "rank" in text and "idac" not in text and "idao" not in text:
            found.setdefault("income_rank", heading)
    lost = [key for key in ("code", "rank", "decile") if key not in found]
    if lost:
        raise BadAnswerError(f"{name} has no column for {', '.join(lost)} among {', '.join(row)[:400]}")
    return found


def _is_overall(heading: str) -> bool:
    """Whether a column speaks of the whole index, not of one of its domains."""
    text = heading.casefold()
    return "index of multiple deprivation" in text or re.search(r"\b(imd|wimd)(_|\b)", text) is not None


def jobs_by_area(client: Client, source: Source) -> dict[str, str]:
    """Jobs of every MSOA, page after page until the service's own count is met."""
    found: dict[str, str] = {}
    n_rows = 0
    while True:
        part = {"RecordOffset": str(n_rows), "RecordLimit": str(source.page)}
        addresses = [with_question(address, part) for address in source.addresses]
        kept = client.get(source, addresses, is_table, most=TABLE_LIMIT)
        rows = read_as(source, kept, _jobs_rows)
        n_rows += len(rows)
        found.update((row["GEOGRAPHY_CODE"], row["OBS_VALUE"]) for row in rows)
        total = whole_number(rows[0].get("RECORD_COUNT", ""))
        if (n_rows == total) if total is not None else (len(rows) < source.page):
            break
        if total is not None and (len(rows) < source.page or n_rows > total):
            said = f"{kept.address}: {n_rows:,} rows came of the {total:,} that the service counts"
            raise unusable(source, said, instead=OWN_JOBS)
    if len(found) != n_rows:
        raise unusable(source, f"{source.addresses[0]}: {n_rows - len(found):,} areas came twice", instead=OWN_JOBS)
    return found


def _jobs_rows(path: Path) -> Rows:
    rows = read_rows(path)
    if not rows or not {"GEOGRAPHY_CODE", "OBS_VALUE"} <= set(rows[0]):
        raise BadAnswerError("the table has no rows with GEOGRAPHY_CODE and OBS_VALUE")
    for number, row in enumerate(rows, start=2):
        text = row["OBS_VALUE"]
        try:
            good = 0 <= float(text) < math.inf and "_" not in text
        except ValueError:
            good = False
        if not good:
            raise BadAnswerError(f"line {number}: {text[:40]!r} is no number of jobs")
    return rows
