"""Figures of a window searched again for each draw of what is random, so that a change gets an interval."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.network.network import assemble_network
from community_routes.network.points import Links
from community_routes.network.timetable import Wheelchair
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.draws import Randomness, scenario_draws, shifted_feed
from community_routes.sources.feed import Feed

Figures = Callable[[NDArray[np.int32]], NDArray[np.float64]]
"""Figures, shape (k,), of travel times, shape (n_origins, n_departures, n_destinations)."""


@dataclass(frozen=True, eq=False)
class Searched:
    """Today or a proposal, with everything that a draw does not change.

    Attributes
    ----------
    feed : Feed
    footpaths : Links
        Between the stops of the feed.
    walks : Walks
    figures : callable
        The same k figures of both sides: access of each zone and measure, of groups, whatever is compared.
    """

    feed: Feed
    footpaths: Links
    walks: Walks
    figures: Figures


def span_of_query(query: Query) -> tuple[int, int]:
    """Seconds of the service date within which a vehicle can matter to a window."""
    start, end = query.window_s
    if query.arrive_by:
        return start - query.max_travel_s, end
    return start, end + query.max_travel_s


def is_touched(feed: Feed, randomness: Randomness, span_s: tuple[int, int]) -> bool:
    """Whether anything that is random runs within a span; a window for which nothing does is exact."""
    if randomness.delays is not None:
        return True
    table = feed.frequencies
    if randomness.phases and len(table):
        loose = table[~table["exact_times"].to_numpy(bool)]
        length = _duration_s(feed)[loose["trip"].to_numpy(np.int64)]
        if ((loose["start_s"] <= span_s[1]) & (loose["end_s"] + length >= span_s[0])).any():
            return True
    row = {trip: k for k, trip in enumerate(feed.trips["trip_id"])}
    for group in randomness.timed:
        trips = [row[trip] for trip in group.trip_ids if trip in row]
        if not trips:
            continue
        starts = feed.calls.departure_s[feed.calls.first[trips]]
        if ((starts <= span_s[1]) & (starts + _duration_s(feed)[trips] + group.headway_s >= span_s[0])).any():
            return True
    return False


def _duration_s(feed: Feed) -> NDArray[np.int64]:
    """Seconds that each trip takes, shape (n_trips,); 0 for one without calls."""
    first = feed.calls.first
    found = np.zeros(len(first) - 1, np.int64)
    some = np.diff(first) > 0
    found[some] = feed.calls.arrival_s[first[1:][some] - 1] - feed.calls.departure_s[first[:-1][some]]
    return found


def window_draws(
    today: Searched,
    proposal: Searched,
    date: dt.date,
    query: Query,
    randomness: Randomness,
    *,
    slack_s: int = 60,
    wheelchair: Wheelchair = False,
    n: int = 200,
    seed: int = 0,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """The change of the figures of one window in each draw, today and proposal drawn alike; shape (n, k).

    Give it to :func:`~community_routes.scenarios.compare.interval` for ``low`` and ``high``. Where nothing random runs in the
    window all rows are equal, and only one search of each side is made.

    Parameters
    ----------
    today, proposal : Searched
    date : date
    query : Query
    randomness : Randomness
        Of the proposal (``Randomness(tuple(applied.timed), ...)``); today has the same phases and delays.
    slack_s, wheelchair
        As in the study.
    n : int
        At least 200 for an interval.
    seed, threads : int
    progress : callable of (done, n), optional
    """
    span_s = span_of_query(query)

    def figures(side: Searched, feed: Feed) -> NDArray[np.float64]:
        network = assemble_network(feed, date, side.footpaths, slack_s=slack_s, wheelchair=wheelchair, span_s=span_s)
        times = travel_times_by_departure(network, query, side.walks, threads=threads)
        return np.asarray(side.figures(times), np.float64)

    of_today = Randomness((), randomness.phases, randomness.delays)
    # The timetable of the day before and of the day after run as well: their seconds are a day off.
    spans = [(span_s[0] + shift, span_s[1] + shift) for shift in (-86_400, 0, 86_400)]
    fixed = [
        None if any(is_touched(side.feed, chance, span) for span in spans) else figures(side, side.feed)
        for side, chance in ((today, of_today), (proposal, randomness))
    ]
    found = []
    draws = zip(
        scenario_draws(today.feed, of_today, n, seed), scenario_draws(proposal.feed, randomness, n, seed), strict=True
    )
    for number, (before, after) in enumerate(draws):
        old = fixed[0] if fixed[0] is not None else figures(today, shifted_feed(today.feed, before))
        new = fixed[1] if fixed[1] is not None else figures(proposal, shifted_feed(proposal.feed, after))
        found.append(new - old)
        if progress is not None:
            progress(number + 1, n)
    return np.array(found).reshape(n, -1)
