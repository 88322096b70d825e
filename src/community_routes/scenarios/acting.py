"""Whether a proposal acts at a time of day that the study looks at."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.notices import Notice, declare
from community_routes.base.times import format_time, format_window
from community_routes.scenarios.edit.routes import pattern_of, runs_of, trips_of
from community_routes.scenarios.edit.work import day_words
from community_routes.sources.gtfs.feed import Feed

OUTSIDE_WINDOWS = declare(
    "outside_windows", "warning", "A proposal changes buses at no time of day at which the study looks at that day."
)

Window = tuple[str, tuple[int, int]]
"""Name, and start and end in seconds of the service date."""


def check_acting(
    before: Feed,
    after: Feed,
    routes: Sequence[str],
    dates: Mapping[str, dt.date],
    windows: Mapping[str, Sequence[Window]],
) -> Iterator[Notice]:
    """Warn for each day on which a proposal changes buses, all of them outside the windows of that day.

    A day without windows is told of only where the proposal acts in no window of another day.

    Parameters
    ----------
    before, after : Feed
    routes : sequence of str
        Ids of the routes that are new or changed.
    dates : mapping of day to date
    windows : mapping of day to its windows
    """
    changed = {day: _changed_runs(before, after, routes, date) for day, date in dates.items()}
    seen = {day: any(_meets(runs, window) for window in windows[day]) for day, runs in changed.items()}
    for day, runs in changed.items():
        if not len(runs.start_s) or seen[day] or (not windows[day] and any(seen.values())):
            continue
        first, last = int(runs.start_s.min()), int(runs.end_s.max())
        clock = f"{format_time(first, with_seconds=False)} to {format_time(last, with_seconds=False)}"
        asked = ", ".join(f"{name} {format_window(time)}" for name, time in windows[day]) or "none"
        hour = f"{first // 3600:02d}:00-{-(-last // 3600):02d}:00"
        message = (
            f"the buses that it changes on {day_words(day, dates[day])} run from {clock}, outside the windows of that day "
            f"({asked}), so hardly any figure shows it; add a window to `travel`, as in "
            f"`{day}_service: {{time: {hour}, days: [{day}]}}`"
        )
        yield OUTSIDE_WINDOWS.at(field="travel.windows", value=day, message=message)


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs of some routes on a date: a number for the same route, stops and duration, and the first departure and last arrival.

    Attributes
    ----------
    kind, start_s, end_s : int64, shape (n_runs,)
    """

    kind: NDArray[np.int64]
    start_s: NDArray[np.int64]
    end_s: NDArray[np.int64]


def _changed_runs(before: Feed, after: Feed, routes: Sequence[str], date: dt.date) -> _Runs:
    """The runs of some routes on a date that are in one timetable only."""
    kinds: dict[tuple[str, bytes, int], int] = {}
    both = [_runs(feed, routes, date, kinds) for feed in (before, after)]
    joined = _Runs(*(np.concatenate([getattr(runs, name) for runs in both]) for name in ("kind", "start_s", "end_s")))
    start_s = joined.start_s - joined.start_s.min(initial=0)
    keys = joined.kind * (int(start_s.max(initial=0)) + 1) + start_s
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    n_old = len(both[0].kind)
    old, new = (np.bincount(part, minlength=len(first)) for part in (number[:n_old], number[n_old:]))
    other = first[old != new]
    return _Runs(joined.kind[other], joined.start_s[other], joined.end_s[other])


def _runs(feed: Feed, routes: Sequence[str], date: dt.date, kinds: dict[tuple[str, bytes, int], int]) -> _Runs:
    """As ``_changed_runs``; ``kinds`` gets the numbers."""
    rows = np.flatnonzero(feed.routes["route_id"].isin(list(routes)).to_numpy())
    trips = np.intersect1d(trips_of(feed, rows.tolist()), feed.active_trips(date))
    runs, calls = runs_of(feed, trips), feed.calls
    ids = feed.routes["route_id"].to_numpy()[feed.trips["route"].to_numpy()[trips]]
    lasts = (calls.arrival_s[calls.first[trips + 1] - 1] - calls.departure_s[calls.first[trips]]).astype(np.int64)
    named = zip(ids.tolist(), (pattern_of(feed, trip) for trip in trips.tolist()), lasts.tolist(), strict=True)
    kind = np.fromiter((kinds.setdefault(one, len(kinds)) for one in named), np.int64, len(trips))
    at = np.searchsorted(trips, runs.trip)
    return _Runs(kind[at], runs.start_s, runs.start_s + lasts[at])


def _meets(runs: _Runs, window: Window) -> bool:
    start, end = window[1]
    return bool(((runs.start_s < end) & (runs.end_s > start)).any())
