"""``stop_times.txt`` -> the calls of all trips: sorted, joined to trips and stops, checked, blank times filled in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.notices import declare
from community_routes.base.times import format_time
from community_routes.sources.gtfs.blocks import read_blocks
from community_routes.sources.gtfs.columns import BLANK_S, BROKEN_S, LEFT_OUT, Block, Findings, Index
from community_routes.sources.gtfs.schema import STOP_TIMES, WINDOWS, ZONES
from community_routes.sources.gtfs.trips import note_continuous
from community_routes.sources.gtfs.zip import Archive

BROKEN_SEQUENCE = declare(
    "broken_sequence", "warning", "A call has no usable stop_sequence; the call was left out.", outcome="left out"
)
DUPLICATE_CALL = declare("duplicate_call", "warning", "A trip has two calls with one stop_sequence; the first is used.")
UNTIMED_END = declare(
    "untimed_end",
    "warning",
    "The first or last calls of a trip have no time, so nobody knows them; they were left out.",
    outcome="left out",
)
TIME_BACKWARDS = declare(
    "time_backwards",
    "warning",
    "A trip arrives before it left the stop before, or leaves before it arrives; it was left out.",
    outcome="left out",
)
TRIP_TOO_SHORT = declare(
    "trip_too_short", "warning", "A trip has fewer than two usable calls; it was left out.", outcome="left out"
)
TRIP_WITHOUT_CALLS = declare(
    "trip_without_calls",
    "warning",
    "A trip of trips.txt has no row in stop_times.txt; it was left out.",
    outcome="left out",
)
TIMES_FILLED = declare(
    "times_filled", "info", "Calls without a time got one by their distance between the timed calls.", outcome="mended"
)
FLEXIBLE_SERVICE = declare(
    "flexible_service",
    "warning",
    "Rows of stop_times.txt serve a zone, or a stop at any time within hours, for those who book; they were left out.",
    outcome="left out",
)


@dataclass
class RawCalls:
    """Rows of ``stop_times.txt``, one array for each column, shape (n,); times may be BLANK_S."""

    line: NDArray[np.int64]
    trip: NDArray[np.int32]
    stop: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    sequence: NDArray[np.int32]
    pickup_type: NDArray[np.int8]
    drop_off_type: NDArray[np.int8]
    distance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.trip)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> None:
        """Keep these rows, in this order, one column after the other so that a long table is never held twice."""
        for name in vars(self):
            setattr(self, name, getattr(self, name)[rows])


def read_calls(archive: Archive, trip_index: Index, stop_index: Index) -> tuple[RawCalls, NDArray[np.int32]] | None:
    """The calls of the trips in the index, and the trip of each flexible row; ``None`` after a fault (noted as an error)."""
    parts: list[RawCalls] = []
    flexible: list[NDArray[np.int32]] = []
    for block in read_blocks(archive, STOP_TIMES):
        parts.append(_usable_rows(block, trip_index, stop_index, flexible))
    if not parts or archive.findings.has_error_in(STOP_TIMES.file):
        return None
    if len(parts) == 1:
        return parts[0], flexible[0]
    columns = {}
    for name in list(vars(parts[0])):
        columns[name] = np.concatenate([getattr(part, name) for part in parts])
        for part in parts:
            setattr(part, name, None)
    return RawCalls(**columns), np.concatenate(flexible)


def _usable_rows(block: Block, trip_index: Index, stop_index: Index, flexible: list[NDArray[np.int32]]) -> RawCalls:
    trip = block.look_up("trip_id", trip_index)
    stop = block.look_up("stop_id", stop_index)
    keep = trip != LEFT_OUT
    block.leave_out("trip_id", trip < 0, keep)
    by_zone = keep & _is_flexible(block, stop)
    flexible.append(trip[by_zone])
    keep &= ~by_zone
    sequence = block.whole("stop_sequence")
    message = "the call has no usable stop_sequence; it was left out"
    block.note(BROKEN_SEQUENCE, keep & (sequence < 0), "stop_sequence", message)
    block.leave_out("stop_id", stop < 0, keep)
    note_continuous(block)
    keep &= sequence >= 0
    rows = RawCalls(
        block.line,
        trip,
        stop,
        _times(block, "arrival_time"),
        _times(block, "departure_time"),
        sequence.astype(np.int32),
        block.whole("pickup_type").astype(np.int8),
        block.whole("drop_off_type").astype(np.int8),
        block.numbers["shape_dist_traveled"],
    )
    if not keep.all():
        rows.take(keep)
    return rows


def _is_flexible(block: Block, stop: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which rows are of GTFS-Flex, shape (n,): a zone in place of a stop, or hours in place of times."""

    def given(*columns: str) -> NDArray[np.bool_]:
        cells = [block.strings(column) != "" for column in columns if column in block.present]
        return np.any(cells, axis=0) if cells else np.zeros(len(block), np.bool_)

    zone, window = given(*ZONES), given(*WINDOWS)
    if not zone.any() and not window.any():
        return zone
    return (zone & (stop < 0)) | (window & ((stop < 0) | ~given("arrival_time", "departure_time")))


def _times(block: Block, column: str) -> NDArray[np.int32]:
    seconds = block.seconds(column)
    broken = seconds == BROKEN_S
    block.fault(column, broken)
    seconds[broken] = BLANK_S
    return seconds


def order_calls(calls: RawCalls, trip_ids: NDArray[np.object_], findings: Findings) -> None:
    """Sort by trip and ``stop_sequence``, in place, and leave out calls that repeat one."""
    key = calls.trip.astype(np.int64) << 32 | calls.sequence
    if not bool(np.all(key[1:] > key[:-1])):
        order = np.argsort(key, kind="stable")
        calls.take(order)
        key = key[order]
        again = np.flatnonzero(key[1:] == key[:-1]) + 1
        if len(again):
            findings.rows(
                DUPLICATE_CALL,
                STOP_TIMES.file,
                calls.line[again],
                lambda i: (
                    f"trip {trip_ids[calls.trip[again[i]]]!r} has this stop_sequence already; the row was left out"
                ),
                field="stop_sequence",
                values=calls.sequence[again],
            )
            keep = np.ones(len(key), np.bool_)
            keep[again] = False
            calls.take(keep)


def mend_calls(calls: RawCalls, trip_ids: NDArray[np.object_], findings: Findings) -> NDArray[np.bool_]:
    """Make every trip begin and end with a timed call and never go back in time, in place.

    Returns
    -------
    bool, shape (n_calls,)
        Which calls are timed.
    """
    calls.arrival_s = np.where(calls.arrival_s == BLANK_S, calls.departure_s, calls.arrival_s)
    calls.departure_s = np.where(calls.departure_s == BLANK_S, calls.arrival_s, calls.departure_s)
    _cut_untimed_ends(calls, trip_ids, findings)
    _leave_out_backward(calls, trip_ids, findings)
    count = np.bincount(calls.trip, minlength=len(trip_ids))
    short = count[calls.trip] < 2
    if short.any():
        calls.take(~short)
    timed: NDArray[np.bool_] = calls.arrival_s != BLANK_S
    return timed


def _cut_untimed_ends(calls: RawCalls, trip_ids: NDArray[np.object_], findings: Findings) -> None:
    timed = calls.arrival_s != BLANK_S
    if timed.all():
        return
    position = np.arange(len(calls))
    first_timed = np.full(len(trip_ids), len(calls), dtype=np.int64)
    last_timed = np.full(len(trip_ids), -1, dtype=np.int64)
    np.minimum.at(first_timed, calls.trip[timed], position[timed])
    np.maximum.at(last_timed, calls.trip[timed], position[timed])
    outside = (position < first_timed[calls.trip]) | (position > last_timed[calls.trip])
    if outside.any():
        at = np.flatnonzero(outside)
        findings.rows(
            UNTIMED_END,
            STOP_TIMES.file,
            calls.line[at],
            lambda i: (
                f"trip {trip_ids[calls.trip[at[i]]]!r} has no time here nor beyond, so this call was left out; the first "
                "and last call of a trip need arrival_time and departure_time"
            ),
            field="arrival_time",
        )
        calls.take(~outside)


def _leave_out_backward(calls: RawCalls, trip_ids: NDArray[np.object_], findings: Findings) -> None:
    """Leave out trips whose times fall. The reference asks for times that grow; which of the two is wrong nobody knows."""
    at = np.flatnonzero(calls.arrival_s != BLANK_S)
    trip, arrival, departure = calls.trip[at], calls.arrival_s[at], calls.departure_s[at]
    early = np.zeros(len(at), np.bool_)
    early[1:] = (trip[1:] == trip[:-1]) & (arrival[1:] < departure[:-1])
    leaves_early = departure < arrival
    wrong = np.flatnonzero(early | leaves_early)
    if not len(wrong):
        return

    def message(i: int) -> str:
        k = wrong[i]
        name = trip_ids[trip[k]]
        if leaves_early[k]:
            what = (
                f"trip {name!r} leaves at {format_time(departure[k])}, before it arrives at {format_time(arrival[k])}"
            )
        else:
            what = (
                f"trip {name!r} arrives at {format_time(arrival[k])}, before it left the last stop at "
                f"{format_time(departure[k - 1])}"
            )
        return f"{what}; the trip was left out. Times after midnight go on past 24:00:00"

    findings.rows(
        TIME_BACKWARDS,
        STOP_TIMES.file,
        calls.line[at[wrong]],
        message,
        field="arrival_time",
        values=[format_time(int(s)) for s in arrival[wrong[:10]]],
    )
    bad = np.zeros(len(trip_ids), np.bool_)
    bad[trip[wrong]] = True
    calls.take(~bad[calls.trip])
