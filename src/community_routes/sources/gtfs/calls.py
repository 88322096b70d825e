"""``stop_times.txt`` -> the calls of all trips: sorted, joined to trips and stops, checked, blank times filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.notices import Code, declare
from community_routes.base.times import format_time
from community_routes.sources.gtfs.blocks import BLANK_S, BROKEN_S, LEFT_OUT, Block, read_blocks, seconds_of
from community_routes.sources.gtfs.feed import Calls, Shapes
from community_routes.sources.gtfs.findings import Findings
from community_routes.sources.gtfs.trips import CONTINUOUS, note_continuous
from community_routes.sources.gtfs.zip import Archive

UNKNOWN_TRIP = declare(
    "unknown_trip", "warning", "A row names a trip that is not in trips.txt; it was left out.", outcome="left out"
)
UNKNOWN_STOP = declare(
    "unknown_stop", "warning", "A row names a stop that is not in stops.txt; it was left out.", outcome="left out"
)
BROKEN_TIME = declare(
    "broken_time", "warning", "A cell that should hold a clock time does not; it counts as blank.", outcome="left out"
)
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
UNKNOWN_BOARDING = declare("unknown_boarding", "warning", "pickup_type or drop_off_type is not 0 to 3; it counts as 0.")

_ZONES = ("location_id", "location_group_id")
_WINDOWS = tuple(f"{end}_pickup_{drop}_window" for end in ("start", "end") for drop in ("drop_off", "dropoff"))
_TEXT = ("trip_id", "arrival_time", "departure_time", "stop_id", *_ZONES, *_WINDOWS)
_NUMBERS = ("stop_sequence", "pickup_type", "drop_off_type", "shape_dist_traveled", *CONTINUOUS)
REQUIRED = ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time")


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


def read_calls(
    archive: Archive,
    trip_index: Mapping[str, int],
    stop_index: Mapping[str, int],
    findings: Findings,
) -> tuple[RawCalls, NDArray[np.int32]] | None:
    """The calls of the trips in the index, and the trip of each flexible row; ``None`` after a fault (noted as an error)."""
    parts: list[RawCalls] = []
    flexible: list[NDArray[np.int32]] = []
    blocks = read_blocks(archive, "stop_times.txt", text=_TEXT, numbers=_NUMBERS, required=REQUIRED, findings=findings)
    for block in blocks:
        parts.append(_usable_rows(block, trip_index, stop_index, flexible, findings))
    if not parts or findings.has_error_in(archive.name_of("stop_times.txt")):
        return None
    if len(parts) == 1:
        return parts[0], flexible[0]
    columns = {}
    for name in list(vars(parts[0])):
        columns[name] = np.concatenate([getattr(part, name) for part in parts])
        for part in parts:
            setattr(part, name, None)
    return RawCalls(**columns), np.concatenate(flexible)


def _usable_rows(
    block: Block,
    trip_index: Mapping[str, int],
    stop_index: Mapping[str, int],
    flexible: list[NDArray[np.int32]],
    findings: Findings,
) -> RawCalls:
    trip = block.look_up("trip_id", trip_index)
    stop = block.look_up("stop_id", stop_index)
    keep = trip >= 0
    _note_dangling(UNKNOWN_TRIP, block, "trip_id", np.flatnonzero(~keep & (trip != LEFT_OUT)), findings)
    by_zone = keep & _is_flexible(block, stop)
    flexible.append(trip[by_zone])
    keep &= ~by_zone
    _note_dangling(UNKNOWN_STOP, block, "stop_id", np.flatnonzero(keep & (stop < 0)), findings)
    sequence = block.integers("stop_sequence", -1, findings, low=0)
    lost = np.flatnonzero(keep & (sequence < 0))
    findings.rows(
        BROKEN_SEQUENCE,
        block.label,
        block.line[lost],
        "the call has no usable stop_sequence; it was left out",
        field="stop_sequence",
    )
    note_continuous(block, findings)
    keep &= (stop >= 0) & (sequence >= 0)
    rows = RawCalls(
        block.line,
        trip,
        stop,
        _times(block, "arrival_time", findings),
        _times(block, "departure_time", findings),
        sequence.astype(np.int32),
        _boarding(block, "pickup_type", findings),
        _boarding(block, "drop_off_type", findings),
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

    zone, window = given(*_ZONES), given(*_WINDOWS)
    if not zone.any() and not window.any():
        return zone
    return (zone & (stop < 0)) | (window & ((stop < 0) | ~given("arrival_time", "departure_time")))


def _note_dangling(code: Code, block: Block, column: str, at: NDArray[np.int64], findings: Findings) -> None:
    if len(at):
        table = "trips.txt" if column == "trip_id" else "stops.txt"
        message = f"{column} '{{value}}' is not in {table}; the row was left out"
        findings.rows(code, block.label, block.line[at], message, field=column, values=block.strings(column)[at])


def _times(block: Block, column: str, findings: Findings) -> NDArray[np.int32]:
    array = block.text[column]
    distinct = seconds_of(array.dictionary) if len(array.dictionary) else np.zeros(1, np.int32)
    codes = array.indices.to_numpy(zero_copy_only=False)
    seconds: NDArray[np.int32] = distinct[codes]
    if (distinct == BROKEN_S).any():
        at = np.flatnonzero(seconds == BROKEN_S)
        message = f"{column} is no clock time (HH:MM:SS); it counts as blank"
        findings.rows(BROKEN_TIME, block.label, block.line[at], message, field=column, values=block.strings(column)[at])
        seconds[at] = BLANK_S
    return seconds


def _boarding(block: Block, column: str, findings: Findings) -> NDArray[np.int8]:
    values = block.integers(column, 0, findings)
    wrong = (values < 0) | (values > 3)
    if wrong.any():
        at = np.flatnonzero(wrong)
        message = f"{column} is none of 0, 1, 2, 3; it counts as 0 (allowed)"
        findings.rows(UNKNOWN_BOARDING, block.label, block.line[at], message, field=column, values=values[at])
        values[at] = 0
    return values.astype(np.int8)


def order_calls(calls: RawCalls, label: str, trip_ids: NDArray[np.object_], findings: Findings) -> None:
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
                label,
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


def mend_calls(calls: RawCalls, label: str, trip_ids: NDArray[np.object_], findings: Findings) -> NDArray[np.bool_]:
    """Make every trip begin and end with a timed call and never go back in time, in place.

    Returns
    -------
    bool, shape (n_calls,)
        Which calls are timed.
    """
    calls.arrival_s = np.where(calls.arrival_s == BLANK_S, calls.departure_s, calls.arrival_s)
    calls.departure_s = np.where(calls.departure_s == BLANK_S, calls.arrival_s, calls.departure_s)
    _cut_untimed_ends(calls, label, trip_ids, findings)
    _leave_out_backward(calls, label, trip_ids, findings)
    count = np.bincount(calls.trip, minlength=len(trip_ids))
    short = count[calls.trip] < 2
    if short.any():
        calls.take(~short)
    timed: NDArray[np.bool_] = calls.arrival_s != BLANK_S
    return timed


def _cut_untimed_ends(calls: RawCalls, label: str, trip_ids: NDArray[np.object_], findings: Findings) -> None:
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
            label,
            calls.line[at],
            lambda i: (
                f"trip {trip_ids[calls.trip[at[i]]]!r} has no time here nor beyond, so this call was left out; the first "
                "and last call of a trip need arrival_time and departure_time"
            ),
            field="arrival_time",
        )
        calls.take(~outside)


def _leave_out_backward(calls: RawCalls, label: str, trip_ids: NDArray[np.object_], findings: Findings) -> None:
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
        label,
        calls.line[at[wrong]],
        message,
        field="arrival_time",
        values=[format_time(int(s)) for s in arrival[wrong[:10]]],
    )
    bad = np.zeros(len(trip_ids), np.bool_)
    bad[trip[wrong]] = True
    calls.take(~bad[calls.trip])


def finish_calls(
    calls: RawCalls,
    timed: NDArray[np.bool_],
    n_trips: int,
    shape_of_trip: NDArray[np.int32],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    shapes: Shapes,
) -> Calls:
    """Fill in blank times and freeze."""
    first = np.zeros(n_trips + 1, dtype=np.int64)
    np.cumsum(np.bincount(calls.trip, minlength=n_trips), out=first[1:])
    if not timed.all():
        from community_routes.sources.gtfs.positions import fill_gaps  # its kernel needs numba, which is slow to import

        fill_gaps(
            first,
            calls.arrival_s,
            calls.departure_s,
            timed,
            calls.stop,
            calls.distance,
            shape_of_trip,
            lon,
            lat,
            shapes,
        )
    return Calls(
        first,
        calls.stop,
        calls.arrival_s,
        calls.departure_s,
        calls.pickup_type,
        calls.drop_off_type,
        timed,
        calls.sequence,
        calls.distance,
    )
