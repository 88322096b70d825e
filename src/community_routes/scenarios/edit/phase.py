"""Departures at a headway, and by how much they are put off to meet another route."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from community_routes.base.times import parse_window
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.routes import RouteMatchError, find_route, runs_of, trips_of
from community_routes.scenarios.edit.stops import MatchError
from community_routes.scenarios.edit.work import CANNOT_APPLY, UNKNOWN_PLACE, UNKNOWN_ROUTE, Work
from community_routes.scenarios.values import Model, within
from community_routes.sources.gtfs.feed import Feed


def departures_of(window: str, headway_min: float, phase: int = 0) -> list[int]:
    """Departures of one period: from <= t < to, first at ``from`` plus the phase."""
    start, end = parse_window(window)
    step = headway_min * 60
    count = int(np.ceil((end - start - phase) / step - 1e-9))
    return [start + phase + round(k * step) for k in range(max(count, 0))]


class Meet(Model):
    """Clock times set so that the bus leaves a stop ``wait_min`` after another route has come in there."""

    meet: str
    wait_min: Annotated[float, within(0, 120, "minutes, 0 to 120")] = 5.0

    @model_validator(mode="after")
    def _route_at_stop(self) -> Meet:
        route, at, stop = self.meet.partition(" at ")
        if not (route.strip() and at and stop.strip()):
            raise ValueError(f"{self.meet!r} names no route and stop; write ROUTE at STOP, as in 6A at Hospital")
        return self

    def phase_s(self, work: Work, calls: TripCalls, window: str, headway_min: float) -> int:
        """Seconds (0 to the headway) after the period's start at which the first bus leaves.

        Chosen so that the bus leaves the meeting stop ``wait_min`` after the other route comes in there, or as soon after that
        as can be: the sum of the waits beyond it, over all the other route's arrivals in the period, is smallest (the earliest
        of equals). A route that does not call at the meeting place cannot meet anything there.

        Raises
        ------
        Abandoned
            The route or the stop is not known, or one of the two routes does not call there; recorded with the change.
        """
        path = ["phase", "meet"]
        route_text, _, stop_text = (part.strip() for part in self.meet.partition(" at "))
        try:
            route = find_route(work.feed, route_text)
        except RouteMatchError as fault:
            raise work.stop(UNKNOWN_ROUTE, str(fault), path, self.meet) from None
        try:
            spot = work.finder.find(stop_text, own=work.own_stops)
        except MatchError as fault:
            raise work.stop(UNKNOWN_PLACE, str(fault), path, self.meet) from None
        there = work.stops_of(spot)
        mine = np.flatnonzero(np.isin(calls.stop, there))
        if not len(mine):
            raise work.stop(
                CANNOT_APPLY, f"the route does not call at {stop_text}, so it can meet nothing there", path, self.meet
            )
        offset = int(calls.departure_s[mine[0]] - calls.departure_s[0])
        start, end = parse_window(window)
        arrivals = _arrivals(work.feed, route, there)
        wanted = arrivals + round(self.wait_min * 60) - offset
        wanted = np.unique(wanted[(wanted >= start) & (wanted < end)])
        if not len(wanted):
            raise work.stop(
                CANNOT_APPLY,
                f"route {route_text} does not come in at {stop_text} in the period {window}",
                path,
                self.meet,
            )
        step = round(headway_min * 60)
        candidates = np.unique((wanted - start) % step)
        waits = [int(((phase - (wanted - start)) % step).sum()) for phase in candidates]
        return int(candidates[int(np.argmin(waits))])


def _arrivals(feed: Feed, route: int, stops: list[int]) -> NDArray[np.int64]:
    """All times at which trips of a route arrive at any of the stops."""
    found = []
    runs = runs_of(feed, trips_of(feed, [route]))
    for trip, start in zip(runs.trip.tolist(), runs.start_s.tolist(), strict=True):
        calls = TripCalls.of(feed, trip)
        hit = np.flatnonzero(np.isin(calls.stop, stops))
        found.extend((calls.arrival_s[hit].astype(np.int64) - int(calls.departure_s[0]) + start).tolist())
    return np.array(found, np.int64)
