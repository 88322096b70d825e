"""Clock times that meet another route: by how much a headway's departures are put off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from community_routes.base.times import parse_window
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.routes import RouteMatchError, find_route, runs_of, trips_of
from community_routes.scenarios.edit.stops import MatchError
from community_routes.scenarios.models import Meet
from community_routes.sources.gtfs.feed import Feed

if TYPE_CHECKING:
    from community_routes.scenarios.edit.work import Work


def phase_s(work: Work, meet: Meet, feed: Feed, calls: TripCalls, window: str, headway_min: float) -> int:
    """Seconds (0 to the headway) after the period's start at which the first bus leaves.

    Chosen so that the bus leaves the meeting stop ``wait_min`` after the other route comes in there, or as soon after that
    as can be: the sum of the waits beyond it, over all the other route's arrivals in the period, is smallest (the earliest
    of equals). A route that does not call at the meeting place cannot meet anything there.

    Raises
    ------
    Abandoned
        The route or the stop is not known, or one of the two routes does not call there; recorded with the change.
    """
    from community_routes.scenarios.edit.work import CANNOT_APPLY, UNKNOWN_PLACE, UNKNOWN_ROUTE

    path = ["phase", "meet"]
    route_text, _, stop_text = (part.strip() for part in meet.meet.partition(" at "))
    try:
        route = find_route(feed, route_text)
    except RouteMatchError as fault:
        raise work.stop(UNKNOWN_ROUTE, str(fault), path, meet.meet) from None
    try:
        spot = work.finder.find(stop_text)
    except MatchError as fault:
        raise work.stop(UNKNOWN_PLACE, str(fault), path, meet.meet) from None
    there = sorted({row for stop in spot.stops for row in work.finder.place_of(stop)})
    mine = np.flatnonzero(np.isin(calls.stop, there))
    if not len(mine):
        raise work.stop(
            CANNOT_APPLY, f"the route does not call at {stop_text}, so it can meet nothing there", path, meet.meet
        )
    offset = int(calls.departure_s[mine[0]] - calls.departure_s[0])
    start, end = parse_window(window)
    arrivals = _arrivals(feed, route, there)
    wanted = arrivals + round(meet.wait_min * 60) - offset
    wanted = np.unique(wanted[(wanted >= start) & (wanted < end)])
    if not len(wanted):
        raise work.stop(
            CANNOT_APPLY, f"route {route_text} does not come in at {stop_text} in the period {window}", path, meet.meet
        )
    step = round(headway_min * 60)
    candidates = np.unique((wanted - start) % step)
    waits = [int(((phase - (wanted - start)) % step).sum()) for phase in candidates]
    return int(candidates[int(np.argmin(waits))])


def _arrivals(feed: Feed, route: int, stops: list[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """All times at which trips of a route arrive at any of the stops."""
    found = []
    runs = runs_of(feed, trips_of(feed, [route]))
    for trip, start in zip(runs.trip.tolist(), runs.start_s.tolist(), strict=True):
        calls = TripCalls.of(feed, trip)
        hit = np.flatnonzero(np.isin(calls.stop, stops))
        found.extend((calls.arrival_s[hit].astype(np.int64) - int(calls.departure_s[0]) + start).tolist())
    return np.array(found, np.int64)
