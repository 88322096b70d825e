"""``calendar.txt`` and ``calendar_dates.txt`` -> on which dates each service runs."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.notices import declare
from community_routes.sources.gtfs.blocks import read_optional, read_table
from community_routes.sources.gtfs.columns import (
    BLANK_S,
    BROKEN_S,
    LEFT_OUT,
    Block,
    Findings,
    Index,
    dates_of,
    empty_frame,
    index_of,
)
from community_routes.sources.gtfs.feed import Calendar, Feed
from community_routes.sources.gtfs.rows import file_stems
from community_routes.sources.gtfs.schema import CALENDAR, CALENDAR_DATES, DAYS, FEED_INFO, FREQUENCIES
from community_routes.sources.gtfs.zip import Archive

NO_EXCEPTIONS = declare("no_exceptions", "info", "calendar_dates.txt holds no usable row; holidays are not told apart.")
DATES_REVERSED = declare(
    "dates_reversed",
    "warning",
    "A service ends before it starts, so its weekly pattern never runs.",
    outcome="left out",
)
DUPLICATE_EXCEPTION = declare(
    "duplicate_exception", "warning", "A service has two exceptions on one date; the first is used."
)

_Weeks: TypeAlias = tuple[NDArray[np.object_], NDArray[np.bool_], NDArray[np.datetime64], NDArray[np.datetime64]]
"""Service ids, weekdays, first and last dates."""
_Exceptions: TypeAlias = tuple[NDArray[np.int32], NDArray[np.datetime64], NDArray[np.bool_]]
"""Rows of services, dates, and whether they are added."""


def read_validity(archive: Archive) -> tuple[dt.date | None, dt.date | None]:
    """First and last date that the publisher vouches for (``feed_info.txt``); ``None`` where it does not say."""
    block = read_optional(archive, FEED_INFO)
    if block is None or not len(block):
        return None, None
    first, last = dates_of([block.strings(column)[0] for column in FEED_INFO.text])[0]
    return (None if np.isnat(first) else first.astype(dt.date)), (None if np.isnat(last) else last.astype(dt.date))


def read_calendar(archive: Archive) -> tuple[Calendar, Index] | None:
    """Weekly patterns and exceptions, and the row of each service id; ``None`` after a fault."""
    no_dates = np.zeros(0, "datetime64[D]")
    weekly: _Weeks | None = (np.zeros(0, object), np.zeros((0, 7), np.bool_), no_dates, no_dates)
    if CALENDAR.file in archive:
        weekly = _read_weeks(archive)
    extra: _Exceptions | None = (np.zeros(0, np.int32), no_dates, np.zeros(0, np.bool_))
    index = index_of(weekly[0]) if weekly is not None else {}
    if archive.holds(CALENDAR_DATES.file):
        extra = _read_exceptions(archive, index)
    if weekly is None or extra is None:
        return None
    service_id, weekdays, start, end = weekly
    if CALENDAR_DATES.file in archive and len(extra[0]) == 0:
        message = "calendar_dates.txt holds no exception, so holidays run as any other day"
        archive.findings.add(NO_EXCEPTIONS, CALENDAR_DATES.file, message=message)
    more = len(index) - len(service_id)
    no_week = np.full(more, "NaT", dtype="datetime64[D]")
    calendar = Calendar(
        np.array(list(index), dtype=object),
        np.concatenate([weekdays, np.zeros((more, 7), np.bool_)]),
        np.concatenate([start, no_week]),
        np.concatenate([end, no_week]),
        *extra,
    )
    return calendar, index


def _read_weeks(archive: Archive) -> _Weeks | None:
    block = read_table(archive, CALENDAR)
    if block is None:
        return None
    rows = block.unique()
    start, keep_start = block.dates("start_date", rows)
    end, keep_end = block.dates("end_date", rows)
    keep = keep_start & keep_end
    back = np.flatnonzero(keep & (end < start))

    def message(i: int) -> str:
        return f"the service ends on {end[back[i]]}, before it starts on {start[back[i]]}; it never runs"

    block.findings.rows(
        DATES_REVERSED, CALENDAR.file, block.line[rows[back]], message, field="end_date", values=end[back]
    )
    days = np.stack([block.whole(day)[rows] == 1 for day in DAYS], axis=1)
    return block.strings("service_id", rows)[keep], days[keep], start[keep], end[keep]


def _read_exceptions(archive: Archive, index: dict[str, int]) -> _Exceptions | None:
    """Exceptions; services that have nothing else are added to ``index``."""
    block = read_table(archive, CALENDAR_DATES)
    if block is None:
        return None
    date, keep = block.dates("date", np.arange(len(block)))
    kind = block.whole("exception_type")
    ids = block.strings("service_id")
    keep &= CALENDAR_DATES["exception_type"].knows(kind) & (ids != "")
    for name in dict.fromkeys(ids[keep]):
        index.setdefault(name, len(index))
    service = np.array([index.get(name, -1) for name in ids], dtype=np.int32).reshape(-1)
    at = np.flatnonzero(keep)
    again = at[pd.DataFrame({"service": service[at], "date": date[at]}).duplicated().to_numpy()]
    message = "the service has an exception on this date already; the first is used, this row was left out"
    block.note(DUPLICATE_EXCEPTION, again, "date", message, date)
    keep[again] = False
    return service[keep], date[keep], kind[keep] == 1


def entries_of(feed: Feed) -> pd.DataFrame:
    """The headway services, with ``origin_s`` and ``entry``.

    ``origin_s`` is where the raster of the whole entry begins; the departures of a row are those between ``start_s`` and
    ``end_s``. ``entry`` names the row as published: file, trip and start. A table without these columns is as published.
    """
    table = feed.frequencies
    if "entry" in table:
        return table
    trip, start = table["trip"].to_numpy(), table["start_s"].to_numpy()
    # A join marks an id that two files use with the file: a timetable beside it gives an entry no other name.
    files = [f"{stem}:" for stem in file_stems([Path(name) for name in feed.sources])] + [""]
    of_trip = zip(feed.trips["source"].to_numpy()[trip], feed.trips["trip_id"].to_numpy()[trip], start, strict=True)
    names = [f"{files[source]}{trip_id.removeprefix(files[source])}:{second}" for source, trip_id, second in of_trip]
    return table.assign(origin_s=start, entry=pd.Series(names, dtype="str"))


def phases_s(feed: Feed) -> NDArray[np.int64]:
    """How long after its start the first bus of each entry leaves, by ``Feed.phase``; shape (n_frequencies,)."""
    table = entries_of(feed)
    headway = table["headway_s"].to_numpy(np.int64)
    if feed.phase == "zero":
        return np.zeros(len(table), np.int64)
    phase = headway // 2
    if feed.phase == "sampled":
        drawn = [hashlib.blake2b(f"{feed.seed}:{entry}".encode(), digest_size=6).digest() for entry in table["entry"]]
        phase = np.array([int.from_bytes(number, "little") for number in drawn], np.int64) % headway
    return np.where(table["exact_times"].to_numpy(bool), 0, phase)


def first_departures(feed: Feed) -> NDArray[np.int64]:
    """When the first bus of each row leaves; at its ``end_s`` or later where it has none. Shape (n_frequencies,)."""
    table = entries_of(feed)
    start, headway = table["start_s"].to_numpy(np.int64), table["headway_s"].to_numpy(np.int64)
    first: NDArray[np.int64] = table["origin_s"].to_numpy(np.int64) + phases_s(feed)
    first += -(np.minimum(first - start, 0) // headway) * headway  # the first of the raster within the row
    return first


def departures(feed: Feed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every departure of the headway services: its row of ``Feed.frequencies`` and its second, by row and time."""
    table, first = feed.frequencies, first_departures(feed)
    headway = table["headway_s"].to_numpy(np.int64)
    count = np.maximum(-((first - table["end_s"].to_numpy(np.int64)) // headway), 0)
    row = np.repeat(np.arange(len(table)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, first[row] + within * headway[row]


def left_of(covered: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """What is left of a period; ``covered`` is sorted and nothing in it overlaps."""
    free = []
    for a, b in covered:
        if b <= start or a >= end:
            continue
        if a > start:
            free.append((start, a))
        start = b
    if start < end:
        free.append((start, end))
    return free


def without_periods(feed: Feed, trips: NDArray[np.int64], periods: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """The headway services without the departures of some trips in some periods.

    What is left of an entry keeps the departures that it had, whatever its phase.
    """
    hit = np.isin(feed.frequencies["trip"].to_numpy(), trips)
    if not hit.any():
        return feed.frequencies
    table, covered = entries_of(feed), sorted(periods)
    rows = list(zip(hit.tolist(), table["start_s"].tolist(), table["end_s"].tolist(), strict=True))
    pieces = [
        (row, *piece)
        for row, (mine, start, end) in enumerate(rows)
        for piece in (left_of(covered, start, end) if mine else [(start, end)])
    ]
    row, start, end = np.array(pieces, np.int32).reshape(-1, 3).T
    return table.iloc[row].reset_index(drop=True).assign(start_s=start, end_s=end)


BAD_FREQUENCY = declare(
    "bad_frequency",
    "warning",
    "A frequency has no usable trip, times or headway (5 seconds at least); it was left out.",
    outcome="left out",
)
SHORT_HEADWAY = declare(
    "short_headway", "warning", "A headway is under a minute; headway_secs are seconds, not minutes."
)
ABSURD_HEADWAYS = declare(
    "absurd_headways", "error", "The headways of a feed make more departures than any timetable has."
)
OVERLAPPING_FREQUENCIES = declare(
    "overlapping_frequencies",
    "warning",
    "Two frequencies of one trip cover the same time; departures of the later row in that time were left out.",
    outcome="left out",
)

_SHORTEST_S = 5
MOST_CALLS = 50_000_000
"""Most calls that all headways of a feed may make in a day (those of a city of ten million make about ten million)."""
_SHORT_S = 60


def read_frequencies(archive: Archive, trips: Index) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Headway periods, and the trips all of whose periods were left out (they must not run as they stand)."""
    block = read_optional(archive, FREQUENCIES)
    if block is None or not len(block):
        return empty_frame(FREQUENCIES), np.zeros(0, np.int64)
    trip, headway = block.look_up("trip_id", trips), block.whole("headway_secs")
    start, end = block.seconds("start_time"), block.seconds("end_time")
    good = _usable(block, trip, start, end, headway)
    table = block.frame(good, trip=trip[good], start_s=start[good], end_s=end[good], headway_s=headway[good])
    lost = np.setdiff1d(trip[~good & (trip >= 0)], trip[good]).astype(np.int64)
    message = "the headway is {value} seconds; were minutes meant?"
    block.note(SHORT_HEADWAY, good & (headway < _SHORT_S), "headway_secs", message, headway)
    return _apart(table, block.line[good], block.findings), lost


def check_amount(table: pd.DataFrame, n_calls: NDArray[np.int64], findings: Findings) -> None:
    """Refuse headways that would fill the memory of any machine once each departure is laid out.

    Parameters
    ----------
    n_calls : int64, shape (n_trips,)
        Calls of each trip.
    """
    span = table["end_s"].to_numpy(np.int64) - table["start_s"].to_numpy(np.int64)
    departures = -(-span // table["headway_s"].to_numpy(np.int64))
    calls = departures * n_calls[table["trip"].to_numpy()]
    if int(calls.sum()) > MOST_CALLS:
        row = int(np.argmax(calls))
        message = (
            f"the headways make {int(calls.sum()):,} calls a day, more than the {MOST_CALLS:,} of any timetable; one row alone "
            f"makes {int(departures[row]):,} departures, every {table['headway_s'].iat[row]} seconds. Are minutes meant?"
        )
        shortest = table["headway_s"].iat[row]
        findings.add(ABSURD_HEADWAYS, FREQUENCIES.file, message=message, field="headway_secs", value=shortest)


def _usable(
    block: Block, trip: NDArray[np.int32], start: NDArray[np.int32], end: NDArray[np.int32], headway: NDArray[np.int64]
) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = trip != LEFT_OUT  # why the trip was left out has been noted
    checks: tuple[tuple[NDArray[np.bool_], str, str], ...] = (
        (trip < 0, "trip_id", "the trip is not in trips.txt"),
        ((start == BLANK_S) | (start == BROKEN_S), "start_time", "it is no clock time"),
        ((end == BLANK_S) | (end == BROKEN_S), "end_time", "it is no clock time"),
        (end <= start, "end_time", "it is not after start_time"),
        (headway < _SHORTEST_S, "headway_secs", "a headway needs at least 5 seconds; minutes are no seconds"),
    )
    for wrong, column, why in checks:
        message = f"{column} is '{{value}}': {why}; the row was left out"
        block.note(BAD_FREQUENCY, good & wrong, column, message, headway if column == "headway_secs" else None)
        good &= ~wrong
    return good


def _apart(table: pd.DataFrame, line: NDArray[np.int64], findings: Findings) -> pd.DataFrame:
    """Cut from each row the time that earlier rows of the trip cover; the departures that are left keep their times."""
    order = np.lexsort((table["start_s"], table["trip"]))
    trip, start, end = (table[name].to_numpy()[order] for name in ("trip", "start_s", "end_s"))
    overlapping = set(trip[1:][(trip[1:] == trip[:-1]) & (start[1:] < end[:-1])].tolist())
    if not overlapping:
        return table
    pieces: list[tuple[int, int, int]] = []  # row, start, end
    covered: dict[int, list[tuple[int, int]]] = {}
    for row, (t, begin, finish, headway) in enumerate(
        zip(table["trip"], table["start_s"], table["end_s"], table["headway_s"], strict=True)
    ):
        if t not in overlapping:
            pieces.append((row, begin, finish))
            continue
        free = left_of(covered.setdefault(t, []), begin, finish)
        if free != [(begin, finish)]:
            message = "earlier rows of this trip cover a part of this time; its departures in that part were left out"
            at = int(line[row])
            findings.add(OVERLAPPING_FREQUENCIES, FREQUENCIES.file, message=message, row=at, field="start_time")
        for gap_start, gap_end in free:
            first = begin + -(-(gap_start - begin) // headway) * headway
            if first < gap_end:
                pieces.append((row, first, gap_end))
        covered[t] = _merged([*covered[t], (begin, finish)])
    rows = np.array([piece[0] for piece in pieces], np.int64)
    apart = table.iloc[rows].reset_index(drop=True)
    apart["start_s"] = np.array([piece[1] for piece in pieces], np.int32)
    apart["end_s"] = np.array([piece[2] for piece in pieces], np.int32)
    return apart


def _merged(periods: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for a, b in sorted(periods):
        if merged and a <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(b, merged[-1][1])
        else:
            merged.append((a, b))
    return merged
