"""``calendar.txt`` and ``calendar_dates.txt`` -> on which dates each service runs."""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from community_routes.notices import declare
from community_routes.sources.feed import Calendar
from community_routes.sources.gtfs_archive import Archive
from community_routes.sources.gtfs_findings import Findings
from community_routes.sources.gtfs_places import Index, index_of, unique_rows
from community_routes.sources.gtfs_tables import Block, read_table
from community_routes.sources.gtfs_values import dates_of

DATE_MENDED = declare(
    "date_mended", "warning", "A date has marks between year, month and day; it was read all the same."
)
NO_EXCEPTIONS = declare("no_exceptions", "info", "calendar_dates.txt holds no usable row; holidays are not told apart.")
BAD_DATE = declare("bad_date", "warning", "A cell that should hold a date (YYYYMMDD) does not; the row was left out.")
DATES_REVERSED = declare(
    "dates_reversed", "warning", "A service ends before it starts, so its weekly pattern never runs."
)
BAD_EXCEPTION = declare("bad_exception", "warning", "exception_type is neither 1 nor 2; the row was left out.")
DUPLICATE_EXCEPTION = declare(
    "duplicate_exception", "warning", "A service has two exceptions on one date; the first is used."
)

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_Weeks: TypeAlias = tuple[NDArray[np.object_], NDArray[np.bool_], NDArray[np.datetime64], NDArray[np.datetime64]]
"""Service ids, weekdays, first and last dates."""
_Exceptions: TypeAlias = tuple[NDArray[np.int32], NDArray[np.datetime64], NDArray[np.bool_]]
"""Rows of services, dates, and whether they are added."""


def read_validity(archive: Archive, findings: Findings) -> tuple[dt.date | None, dt.date | None]:
    """First and last date that the publisher vouches for (``feed_info.txt``); ``None`` where it does not say."""
    if "feed_info.txt" not in archive or not archive.members["feed_info.txt"].file_size:
        return None, None
    columns = ("feed_start_date", "feed_end_date")
    block = read_table(archive, "feed_info.txt", text=columns, findings=findings)
    if block is None or not len(block):
        return None, None
    first, last = (dates_of([block.strings(column)[0]])[0][0] for column in columns)
    return (None if np.isnat(first) else first.astype(dt.date)), (None if np.isnat(last) else last.astype(dt.date))


def read_calendar(archive: Archive, findings: Findings) -> tuple[Calendar, Index] | None:
    """Weekly patterns and exceptions, and the row of each service id; ``None`` after a fault."""
    no_dates = np.zeros(0, "datetime64[D]")
    weekly: _Weeks | None = (np.zeros(0, object), np.zeros((0, 7), np.bool_), no_dates, no_dates)
    if "calendar.txt" in archive:
        weekly = _read_weeks(archive, findings)
    extra: _Exceptions | None = (np.zeros(0, np.int32), no_dates, np.zeros(0, np.bool_))
    index = index_of(weekly[0]) if weekly is not None else {}
    if "calendar_dates.txt" in archive and archive.members["calendar_dates.txt"].file_size:
        extra = _read_exceptions(archive, index, findings)
    if weekly is None or extra is None:
        return None
    service_id, weekdays, start, end = weekly
    if "calendar_dates.txt" in archive and len(extra[0]) == 0:
        message = "calendar_dates.txt holds no exception, so holidays run as any other day"
        findings.add(NO_EXCEPTIONS, archive.name_of("calendar_dates.txt"), message=message)
    more = len(index) - len(service_id)
    calendar = Calendar(
        np.array(list(index), dtype=object),
        np.concatenate([weekdays, np.zeros((more, 7), np.bool_)]),
        np.concatenate([start, np.full(more, "NaT", dtype="datetime64[D]")]),
        np.concatenate([end, np.full(more, "NaT", dtype="datetime64[D]")]),
        *extra,
    )
    return calendar, index


def _read_weeks(archive: Archive, findings: Findings) -> _Weeks | None:
    texts = ("service_id", "start_date", "end_date")
    block = read_table(
        archive,
        "calendar.txt",
        text=texts,
        numbers=DAYS,
        required=("service_id", *DAYS, "start_date", "end_date"),
        findings=findings,
    )
    if block is None:
        return None
    rows = unique_rows(block, "service_id", findings)
    start, keep_start = _dates(block, "start_date", rows, findings)
    end, keep_end = _dates(block, "end_date", rows, findings)
    keep = keep_start & keep_end
    reversed_dates = np.flatnonzero(keep & (end < start))
    findings.rows(
        DATES_REVERSED,
        block.label,
        block.line[rows[reversed_dates]],
        lambda i: (
            f"the service ends on {end[reversed_dates[i]]}, before it starts on {start[reversed_dates[i]]}; it never runs"
        ),
        field="end_date",
        values=end[reversed_dates],
    )
    days = np.stack([block.integers(day, 0, findings, low=0, high=1)[rows] == 1 for day in DAYS], axis=1)
    ids = block.strings("service_id")[rows]
    return ids[keep], days[keep], start[keep], end[keep]


def _dates(
    block: Block, column: str, rows: NDArray[np.int64], findings: Findings
) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """The dates of a column and which are dates; the others are noted and their rows are to be left out."""
    values, codes = block.codes(column)
    days, marked = dates_of(values or [""])
    result = days[codes][rows]
    mended = rows[marked[codes][rows]]
    findings.rows(
        DATE_MENDED,
        block.label,
        block.line[mended],
        f"{column} '{{value}}' is not written YYYYMMDD; it was read as year, month, day",
        field=column,
        values=block.strings(column)[mended],
    )
    lost = np.flatnonzero(np.isnat(result))
    findings.rows(
        BAD_DATE,
        block.label,
        block.line[rows[lost]],
        f"{column} is no date written YYYYMMDD; the row was left out",
        field=column,
        values=block.strings(column)[rows[lost]],
    )
    return result, ~np.isnat(result)


def _read_exceptions(archive: Archive, index: Index, findings: Findings) -> _Exceptions | None:
    """Exceptions; services that have nothing else are added to ``index``."""
    block = read_table(
        archive,
        "calendar_dates.txt",
        text=("service_id", "date"),
        numbers=("exception_type",),
        required=("service_id", "date", "exception_type"),
        findings=findings,
    )
    if block is None:
        return None
    everything = np.arange(len(block))
    date, keep = _dates(block, "date", everything, findings)
    kind = block.integers("exception_type", 0, findings)
    odd = np.flatnonzero((kind != 1) & (kind != 2))
    findings.rows(
        BAD_EXCEPTION,
        block.label,
        block.line[odd],
        "exception_type is not 1 (runs) or 2 (does not run); the row was left out",
        field="exception_type",
        values=kind[odd],
    )
    keep[odd] = False
    ids = block.strings("service_id")
    keep &= ids != ""
    for name in dict.fromkeys(ids[keep]):
        index.setdefault(name, len(index))
    service = np.array([index.get(name, -1) for name in ids], dtype=np.int32).reshape(-1)
    keep = _first_exceptions(block, service, date, keep, findings)
    return service[keep], date[keep], kind[keep] == 1


def _first_exceptions(
    block: Block, service: NDArray[np.int32], date: NDArray[np.datetime64], keep: NDArray[np.bool_], findings: Findings
) -> NDArray[np.bool_]:
    at = np.flatnonzero(keep)
    key = service[at].astype(np.int64) << 32 | (date[at].astype(np.int64) & 0xFFFFFFFF)
    _, first = np.unique(key, return_index=True)
    again = np.setdiff1d(np.arange(len(at)), first)
    findings.rows(
        DUPLICATE_EXCEPTION,
        block.label,
        block.line[at[again]],
        "the service has an exception on this date already; the first is used, this row was left out",
        field="date",
        values=date[at[again]],
    )
    result = keep.copy()
    result[at[again]] = False
    return result
