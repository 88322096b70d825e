"""Whether a proposal acts at a time of day that the study looks at."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

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
Run = tuple[str, bytes, int, int]
"""Route, stops, departure from the first and arrival at the last, in seconds of the service date."""


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
    seen = {day: any(_meets(run, w) for run in runs for w in windows[day]) for day, runs in changed.items()}
    for day, runs in changed.items():
        if not runs or seen[day] or (not windows[day] and any(seen.values())):
            continue
        first, last = min(run[2] for run in runs), max(run[3] for run in runs)
        clock = f"{format_time(first, with_seconds=False)} to {format_time(last, with_seconds=False)}"
        asked = ", ".join(f"{name} {format_window(time)}" for name, time in windows[day]) or "none"
        hour = f"{first // 3600:02d}:00-{-(-last // 3600):02d}:00"
        message = (
            f"the buses that it changes on {day_words(day, dates[day])} run from {clock}, outside the windows of that day "
            f"({asked}), so hardly any figure shows it; add a window to `travel`, as in "
            f"`{day}_service: {{time: {hour}, days: [{day}]}}`"
        )
        yield OUTSIDE_WINDOWS.at(field="travel.windows", value=day, message=message)


def _changed_runs(before: Feed, after: Feed, routes: Sequence[str], date: dt.date) -> list[Run]:
    """The runs of some routes on a date that are in one timetable only."""
    old, new = Counter(_runs(before, routes, date)), Counter(_runs(after, routes, date))
    return [*(old - new), *(new - old)]


def _runs(feed: Feed, routes: Sequence[str], date: dt.date) -> Iterator[Run]:
    rows = np.flatnonzero(feed.routes["route_id"].isin(list(routes)).to_numpy())
    trips = np.intersect1d(trips_of(feed, rows.tolist()), feed.active_trips(date))
    runs, calls = runs_of(feed, trips), feed.calls
    ids = feed.routes["route_id"].to_numpy()[feed.trips["route"].to_numpy()]
    for trip, start in zip(runs.trip.tolist(), runs.start_s.tolist(), strict=True):
        own = slice(int(calls.first[trip]), int(calls.first[trip + 1]))
        lasts = int(calls.arrival_s[own][-1] - calls.departure_s[own][0])
        yield str(ids[trip]), pattern_of(feed, trip), start, start + lasts


def _meets(run: Run, window: Window) -> bool:
    start, end = window[1]
    return run[2] < end and run[3] > start
