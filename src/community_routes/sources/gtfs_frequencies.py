"""``frequencies.txt`` -> headway periods of trips, none of which covers the time of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.notices import declare
from community_routes.sources.gtfs_archive import Archive
from community_routes.sources.gtfs_findings import Findings
from community_routes.sources.gtfs_tables import LEFT_OUT, Block, read_table
from community_routes.sources.gtfs_values import BLANK_S, BROKEN_S, seconds_of
from community_routes.sources.headways import left_of

BAD_FREQUENCY = declare(
    "bad_frequency",
    "warning",
    "A frequency has no usable trip, times or headway (5 seconds at least); it was left out.",
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
)

_SHORTEST_S = 5
MOST_CALLS = 50_000_000
"""Most calls that all headways of a feed may make in a day (those of a city of ten million make about ten million)."""
_SHORT_S = 60


def no_frequencies() -> pd.DataFrame:
    """No headway period at all."""
    table = pd.DataFrame({name: np.zeros(0, np.int32) for name in ("trip", "start_s", "end_s", "headway_s")})
    return table.assign(exact_times=np.zeros(0, np.bool_))


def read_frequencies(
    archive: Archive, trips: Mapping[str, int], findings: Findings
) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Headway periods, and the trips all of whose periods were left out (they must not run as they stand)."""
    nobody = np.zeros(0, np.int64)
    if "frequencies.txt" not in archive or not archive.members["frequencies.txt"].file_size:
        return no_frequencies(), nobody
    block = read_table(
        archive,
        "frequencies.txt",
        text=("trip_id", "start_time", "end_time"),
        numbers=("headway_secs", "exact_times"),
        required=("trip_id", "start_time", "end_time", "headway_secs"),
        findings=findings,
    )
    if block is None or not len(block):
        return no_frequencies(), nobody
    trip = block.look_up("trip_id", trips)
    start, end = _clock(block, "start_time"), _clock(block, "end_time")
    headway = block.integers("headway_secs", 0, findings)
    good = _usable(block, trip, start, end, headway, findings)
    table = pd.DataFrame(
        {
            "trip": trip,
            "start_s": start,
            "end_s": end,
            "headway_s": headway.astype(np.int32),
            "exact_times": block.integers("exact_times", 0, findings, low=0, high=1) == 1,
        }
    )
    lost = np.setdiff1d(trip[~good & (trip >= 0)], trip[good]).astype(np.int64)
    at = np.flatnonzero(good & (headway < _SHORT_S))
    message = "the headway is {value} seconds; were minutes meant?"
    findings.rows(SHORT_HEADWAY, block.label, block.line[at], message, field="headway_secs", values=headway[at])
    return _apart(table[good].reset_index(drop=True), block.line[good], block.label, findings), lost


def check_amount(table: pd.DataFrame, n_calls: NDArray[np.int64], label: str, findings: Findings) -> None:
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
        findings.add(ABSURD_HEADWAYS, label, message=message, field="headway_secs", value=table["headway_s"].iat[row])


def _clock(block: Block, column: str) -> NDArray[np.int32]:
    _, codes = block.codes(column)
    seconds: NDArray[np.int32] = seconds_of(block.text[column].dictionary)[codes]
    return seconds


def _usable(
    block: Block,
    trip: NDArray[np.int32],
    start: NDArray[np.int32],
    end: NDArray[np.int32],
    headway: NDArray[np.int64],
    findings: Findings,
) -> NDArray[np.bool_]:
    good: NDArray[np.bool_] = trip != LEFT_OUT  # why the trip was left out has been noted
    checks: tuple[tuple[NDArray[np.bool_], str, NDArray[Any], str], ...] = (
        (trip < 0, "trip_id", block.strings("trip_id"), "the trip is not in trips.txt"),
        ((start == BLANK_S) | (start == BROKEN_S), "start_time", block.strings("start_time"), "it is no clock time"),
        ((end == BLANK_S) | (end == BROKEN_S), "end_time", block.strings("end_time"), "it is no clock time"),
        (end <= start, "end_time", block.strings("end_time"), "it is not after start_time"),
        (headway < _SHORTEST_S, "headway_secs", headway, "a headway needs at least 5 seconds; minutes are no seconds"),
    )
    for wrong, column, cells, why in checks:
        at = np.flatnonzero(good & wrong)
        message = f"{column} is '{{value}}': {why}; the row was left out"
        findings.rows(BAD_FREQUENCY, block.label, block.line[at], message, field=column, values=cells[at])
        good[at] = False
    return good


def _apart(table: pd.DataFrame, line: NDArray[np.int64], label: str, findings: Findings) -> pd.DataFrame:
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
            findings.add(OVERLAPPING_FREQUENCIES, label, message=message, row=int(line[row]), field="start_time")
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
