"""A route that no longer runs, or not on some days and hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import DAY
from community_routes.scenarios.change import Selected
from community_routes.scenarios.edit.feed import NewTrip, edit_trips, split_days
from community_routes.scenarios.edit.routes import runs_of, trips_of
from community_routes.scenarios.edit.work import NO_EFFECT, Work
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.service import without_periods

ALWAYS = (-DAY, 10 * DAY)


class WithdrawRoute(Selected):
    """A route no longer runs, or not on some days or hours."""

    kind: ClassVar[str] = "withdraw_route"
    example: ClassVar[str] = '{route: $route, days: [$last_day], from: "20:00"}'

    def apply(self, work: Work) -> None:
        """Take trips of the route out."""
        route = work.route(self.route, self.agency)
        days = work.days(self.days, ["days"])
        period = self.period_s()
        before = work.feed
        name = work.route_name(route)
        feed, inside = split_days(before, trips_of(before, [route]), days, work.here.scenario)
        if not len(runs_of(feed, inside).within(period)):
            when = "" if days.every_day else f" on a {days.words}"
            hours = "" if period is None else f" from {self.from_ or 'the first bus'} to {self.to or 'the last bus'}"
            raise work.stop(NO_EFFECT, f"route {name} has no departure{when}{hours}, so there is nothing to withdraw")
        work.feed = remove_runs(feed, inside, [period or ALWAYS])
        work.changed(route)
        work.warn_dates(days, ["days"])
        work.effect(name, work.tell_departures(before, route, days))


def remove_runs(
    feed: Feed, trips: NDArray[np.int64], periods: Sequence[tuple[int, int]], added: Sequence[NewTrip] = ()
) -> Feed:
    """The feed without the starts of the trips in some periods; a trip given by headway keeps its other starts."""
    table = without_periods(feed, trips, periods)
    by_headway = np.isin(trips, feed.frequencies["trip"].to_numpy())
    emptied = trips[by_headway & ~np.isin(trips, table["trip"].to_numpy())]
    runs = runs_of(feed, trips[~by_headway])
    gone = np.any([(runs.start_s >= start) & (runs.start_s < end) for start, end in periods], axis=0)
    return edit_trips(
        replace(feed, frequencies=table), remove=np.union1d(emptied, runs.trip[gone]).astype(np.int64), added=added
    )
