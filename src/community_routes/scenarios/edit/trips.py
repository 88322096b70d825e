"""Trips of a route that a change acts on, and other calls and courses for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from community_routes.scenarios.edit.course import Course
from community_routes.scenarios.edit.days import EVERY_DAY, DaySet
from community_routes.scenarios.edit.feed import TripCalls, add_shape, edit_trips, shift_frequencies, split_days
from community_routes.scenarios.edit.links import warn_of_lost_links
from community_routes.scenarios.edit.routes import directions, runs_of, templates_on_time, trips_of
from community_routes.scenarios.edit.work import CANNOT_APPLY, NO_EFFECT, PART_OF_ROUTE, Work
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.yaml import Step

Line = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Longitudes and latitudes of a drawn course."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Trips of a route that a change acts on, in a feed where they run on those days only.

    Attributes
    ----------
    route : int
        Row of the feed.
    name : str
        What riders call it.
    feed : Feed
    trips : int64
        Rows of its trips.
    """

    route: int
    name: str
    feed: Feed
    trips: NDArray[np.int64]


def select(
    work: Work,
    route: int,
    *,
    days: DaySet = EVERY_DAY,
    period: tuple[int, int] | None = None,
    direction: str = "both",
    path: Sequence[Step] = (),
    value: str = "",
) -> Selection:
    """The trips of a route on some days, in some hours (written as ``value`` at ``path``) and in one direction or both."""
    feed, trips = split_days(work.feed, trips_of(work.feed, [route]), days, work.here.scenario)
    if direction != "both":
        everything = trips_of(feed, [route])
        way = directions(feed, everything)
        trips = trips[way[np.searchsorted(everything, trips)] == int(direction)]
    if period is not None:
        runs = runs_of(feed, trips)
        inside = (runs.start_s >= period[0]) & (runs.start_s < period[1])
        trips = np.unique(runs.trip[inside])
        if len(np.intersect1d(trips, runs.trip[~inside])):
            message = (
                "some trips are given by headway (frequencies.txt) and start both in and outside the period; set_headway "
                "for the period first, which makes single trips of them"
            )
            raise work.stop(CANNOT_APPLY, message, path, value)
    return Selection(route, work.route_name(route), templates_on_time(feed, trips), trips)


def replace_calls(
    work: Work, chosen: Selection, change: Callable[[int, TripCalls], TripCalls | None], nothing: Callable[[], str]
) -> dict[int, TripCalls]:
    """Give each trip the calls that ``change`` makes of its own (None: it stays); a fault where none differs."""
    replaced: dict[int, TripCalls] = {}
    for trip in chosen.trips.tolist():
        old = TripCalls.of(chosen.feed, trip)
        new = change(trip, old)
        if new is not None and not new.same_as(old):
            replaced[trip] = new
    if not replaced:
        raise work.stop(NO_EFFECT, nothing())
    # New stops were made in the feed of the work meanwhile; the split trips are in the selection's.
    put_calls(work, chosen.route, work.feed, replace(chosen.feed, stops=work.feed.stops), replaced)
    return replaced


def warn_of_rest(work: Work, chosen: Selection, replaced: Mapping[int, TripCalls]) -> str:
    """Warn where a change meant for both directions left one as it was; ``13 of 26 trips`` for the effect."""
    n = len(chosen.trips)
    if len(replaced) == n:
        return f"{n} trips"
    way = directions(chosen.feed, chosen.trips)
    changed = np.isin(chosen.trips, list(replaced))
    for one in (0, 1):
        mine = way == one
        if mine.any() and not changed[mine].any():
            calls, names = chosen.feed.calls, chosen.feed.stops["stop_name"]
            trip = int(chosen.trips[mine][0])
            ends = (int(calls.stop[calls.first[trip]]), int(calls.stop[calls.first[trip + 1] - 1]))
            towards = " to ".join(str(names.iat[stop]) for stop in ends)
            other = f"({towards}, {int(mine.sum())} trips)"
            message = (
                f"{len(replaced)} of {n} trips of route {chosen.name} are changed; those the other way {other} stay as they "
                "are, as they do not call at these stops: add a change with the stops of that direction, or write "
                f"`direction: {1 - one}` if one direction is meant"
            )
            work.note(PART_OF_ROUTE, message)
    return f"{len(replaced)} of {n} trips"


def put_calls(work: Work, route: int, before: Feed, feed: Feed, replaced: Mapping[int, TripCalls]) -> None:
    """The feed with other calls for some trips of a route is the timetable now; warns of through connections that are lost."""
    feed = replace(feed, frequencies=shift_frequencies(feed, replaced))
    work.feed = edit_trips(feed, replaced=replaced)
    warn_of_lost_links(work, before, route, work.dates.values())
    work.changed(route)


def redraw(work: Work, courses: Mapping[int, Course], draw: Callable[[Line, Course], Line], name: str = "") -> None:
    """Give trips that have a drawn course another one; one new shape for each old one and each new piece of route.

    Parameters
    ----------
    courses : mapping of int to Course
        The new piece of each trip.
    draw : callable
        The new line from the old one and the new piece.
    name : str
        End of the new shapes' ids; their number where left out.
    """
    shape = work.feed.trips["shape"].to_numpy().copy()
    made: dict[tuple[int, int], int] = {}
    for trip, course in courses.items():
        old = int(shape[trip])
        if old < 0:
            continue
        key = (old, id(course))
        if key not in made:
            shapes = work.feed.shapes
            part = slice(int(shapes.first[old]), int(shapes.first[old + 1]))
            line = draw((shapes.lon[part], shapes.lat[part]), course)
            shape_id = work.part_id(work.here.number, shapes.shape_id[old], name or len(made))
            work.feed, made[key] = add_shape(work.feed, shape_id, *line)
        shape[trip] = made[key]
    work.feed = replace(work.feed, trips=work.feed.trips.assign(shape=shape))


def section_between(calls: TripCalls, a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[int, int] | None:
    """Calls at which a trip passes first a place and then another, each given by all its stops."""
    starts, ends = np.flatnonzero(np.isin(calls.stop, a)), np.flatnonzero(np.isin(calls.stop, b))
    for end in ends:
        before = starts[starts < end]
        if len(before):
            return int(before[-1]), int(end)
    return None
