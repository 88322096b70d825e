"""When the last bus of each day leaves within a walk of each neighbourhood, route by route."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Case
from community_routes.scenarios.edit.routes import runs_of, trips_of
from community_routes.sources.gtfs.feed import Feed

SLACK_S = 30 * MINUTE
"""A last bus that leaves so much earlier is still the last bus."""
NEVER_S = -(10**9)
IntArray = NDArray[np.int64]
Last = Mapping[str, IntArray]
"""By id of a route, when its last bus leaves: int64, shape (n_days, n_neighbourhoods), ``NEVER_S`` where it does not come."""


@dataclass(frozen=True, eq=False)
class LastBuses:
    """The last buses of today, to which those after a set of changes are held.

    Attributes
    ----------
    case : Case
        Today's.
    """

    case: Case

    @cached_property
    def today(self) -> Last:
        """Of every route."""
        return self.of(self.case.feed, self.case.feed.routes["route_id"].tolist())

    def of(self, feed: Feed, routes: Collection[str]) -> Last:
        """Of some routes of a timetable whose stops are today's, or these and new ones."""
        rows = np.flatnonzero(feed.routes["route_id"].isin(list(routes)).to_numpy())
        ids = feed.routes["route_id"].to_numpy(object)
        found = {str(ids[row]): np.full((len(self.case.file.dates), len(self.case.zones)), NEVER_S) for row in rows}
        for number, date in enumerate(self.case.file.dates.values()):
            active = feed.calendar.active(date)[feed.trips["service"].to_numpy()]
            for row in rows.tolist():
                trips = trips_of(feed, [row])
                runs = runs_of(feed, trips[active[trips]])
                at_stop = np.full(len(feed.stops), NEVER_S)
                for trip, start in zip(runs.trip.tolist(), runs.start_s.tolist(), strict=True):
                    own = slice(
                        int(feed.calls.first[trip]), int(feed.calls.first[trip + 1]) - 1
                    )  # none boards at the end
                    leaves = feed.calls.departure_s[own].astype(np.int64)
                    if len(leaves):
                        np.maximum.at(at_stop, feed.calls.stop[own], leaves - leaves[0] + start)
                zone, stop = self._near
                np.maximum.at(found[str(ids[row])][number], zone, at_stop[stop])
        return found

    def kept(self, changed: Last) -> bool:
        """Whether no neighbourhood's last bus leaves earlier than today, with some routes as they would be."""
        others = [last for route, last in self.today.items() if route not in changed]
        now = np.stack([self._never, *others, *changed.values()]).max(axis=0)
        before = np.stack([self._never, *self.today.values()]).max(axis=0)
        return bool((now >= before - SLACK_S).all())

    @property
    def _never(self) -> IntArray:
        return np.full((len(self.case.file.dates), len(self.case.zones)), NEVER_S)

    @cached_property
    def _near(self) -> tuple[IntArray, IntArray]:
        """Each neighbourhood with each stop within a walk of it."""
        walks = self.case.walks.access
        zone = self.case.zones.origins["zone"].to_numpy()[walks.start()]
        return zone.astype(np.int64), walks.to.astype(np.int64)
