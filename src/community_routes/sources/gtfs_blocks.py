"""Checks that no vehicle runs two trips at once: trips of one block must not overlap on a date."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.notices import declare
from community_routes.sources.feed import Calendar, Feed
from community_routes.sources.gtfs_findings import Findings
from community_routes.times import format_time

BLOCK_OVERLAP = declare(
    "block_overlap",
    "warning",
    "Two trips of one block overlap on the same date, though a block is what one vehicle runs; nobody stays on board.",
)

_A_YEAR = 372
"""Days of two weekly patterns that are compared: after a year they repeat."""


def check_blocks(feed: Feed, line: NDArray[np.int64], label: str, findings: Findings) -> None:
    """Note each trip that leaves before another trip of its agency and block has ended, with a date of both.

    Trips with headways have no times of their own.

    Parameters
    ----------
    line : int64, shape (n_trips,)
        Line of each trip in ``trips.txt``.
    """
    trips, calls = feed.trips, feed.calls
    block = trips["block_id"].to_numpy(dtype=object)
    usable = (block != "") & (np.diff(calls.first) > 0)
    usable[feed.frequencies["trip"].to_numpy()] = False
    rows = np.flatnonzero(usable)
    start, end = calls.departure_s[calls.first[rows]], calls.arrival_s[calls.first[rows + 1] - 1]
    agency = feed.routes["agency"].to_numpy()[trips["route"].to_numpy()[rows]]
    group = pd.DataFrame({"agency": agency, "block": block[rows]}).groupby(["agency", "block"]).ngroup().to_numpy()
    order = np.lexsort((start, group))
    rows, start, end, group = rows[order], start[order], end[order], group[order]
    service = trips["service"].to_numpy()[rows]
    shared: dict[tuple[int, int], np.datetime64 | None] = {}
    ids = trips["trip_id"].to_numpy(dtype=object)
    found: dict[int, tuple[int, np.datetime64]] = {}
    first = np.arange(len(rows))
    lag = 0
    while len(first):
        lag += 1
        first = first[first + lag < len(rows)]
        first = first[(group[first + lag] == group[first]) & (start[first + lag] < end[first])]
        for a, b in zip(first.tolist(), (first + lag).tolist(), strict=True):
            pair = (int(service[a]), int(service[b]))
            if pair not in shared:
                shared[pair] = _shared_date(feed.calendar, *pair)
            date = shared[pair]
            if date is not None:
                found.setdefault(b, (a, date))

    late = sorted(found, key=lambda b: int(line[rows[b]]))

    def message(i: int) -> str:
        b = late[i]
        a, date = found[b]
        return (
            f"trip {ids[rows[b]]!r} leaves at {format_time(int(start[b]))}, when trip {ids[rows[a]]!r} of the same block "
            f"{block[rows[b]]!r} is on its way until {format_time(int(end[a]))}, both on {date}; one vehicle cannot run both, "
            "so nobody stays on board from one to the other. Correct the block_id or the times"
        )

    at = rows[np.array(late, dtype=np.int64)]
    findings.rows(BLOCK_OVERLAP, label, line[at], message, field="block_id", values=block[at])


def _shared_date(calendar: Calendar, a: int, b: int) -> np.datetime64 | None:
    """A date on which both services run; None where there is none."""
    start, end = max(calendar.start[a], calendar.start[b]), min(calendar.end[a], calendar.end[b])
    n_days = 0 if np.isnat(start) or np.isnat(end) else int((end - start).astype(np.int64)) + 1
    of_both = np.isin(calendar.exception_service, (a, b)) & calendar.exception_added
    days = np.concatenate([start + np.arange(min(max(n_days, 0), _A_YEAR)), calendar.exception_date[of_both]])
    both = days[_runs_on(calendar, a, days) & _runs_on(calendar, b, days)]
    return both.min() if len(both) else None


def _runs_on(calendar: Calendar, service: int, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    weekday = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    runs: NDArray[np.bool_] = calendar.weekdays[service][weekday]
    runs &= (calendar.start[service] <= days) & (days <= calendar.end[service])
    mine = calendar.exception_service == service
    dates, added = calendar.exception_date[mine], calendar.exception_added[mine]
    return (runs | np.isin(days, dates[added])) & ~np.isin(days, dates[~added])
