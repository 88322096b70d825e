"""A route that goes on beyond a terminus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import format_time, parse_window
from community_routes.scenarios.changes.new_route import Course, Pace, course_of, run_seconds, warn_speed
from community_routes.scenarios.edit.feed import (
    TripCalls,
    add_shape,
    edit_trips,
    shift_frequencies,
    split_days,
)
from community_routes.scenarios.edit.links import warn_of_lost_links
from community_routes.scenarios.edit.routes import runs_of, templates_on_time, trips_of
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.work import CANNOT_APPLY, NO_EFFECT, Work
from community_routes.scenarios.models import ExtendRoute
from community_routes.scenarios.values import PlaceAt
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.yaml import Step


def apply_extend(work: Work, change: ExtendRoute) -> None:
    """Let trips that end at a terminus go on, and those that start there start farther out."""
    route = work.route(change.route, change.agency)
    name = work.route_name(route)
    days = work.days(change.days, ["days"])
    new: list[tuple[PlaceAt, list[Step]]] = [(place, ["stops", k]) for k, place in enumerate(change.stops)]
    terminus, *spots = work.spots_at([(change.after, ["after"]), *new])
    here = _whole_place(work, terminus)
    feed, inside = split_days(work.feed, trips_of(work.feed, [route]), days, work.scenario.scenario)
    inside = _in_period(work, inside, change, feed)
    feed = templates_on_time(feed, inside)
    calls = feed.calls
    ends = inside[np.isin(calls.stop[calls.first[inside + 1] - 1], here)]
    starts = inside[np.isin(calls.stop[calls.first[inside]], here) & ~np.isin(inside, ends)]
    if not len(ends) and not len(starts):
        raise work.stop(
            CANNOT_APPLY,
            f"no such trip of route {name} ends or starts at {terminus.label}; its termini are {_termini(work, route)}",
            ["after"],
            str(change.after),
        )
    before = work.feed
    work.feed = feed
    pace = Pace.of(change)
    replaced: dict[int, TripCalls] = {}
    metres = 0.0
    n_before = len(work.feed.stops)
    for trips, outward in ((ends, True), (starts, False)):
        for stop, group in _by_end(work, trips, outward).items():
            course = _course(work, terminus, stop, spots, outward)
            metres = course.metres
            way = pace if outward else pace.mirrored()
            for trip in group:
                replaced[trip] = _extended(work, TripCalls.of(work.feed, trip), course, way, outward, name)
            first = TripCalls.of(work.feed, group[0])
            run_s = run_seconds(work, way, course, int(first.departure_s[0]))
            warn_speed(work, [terminus, *spots] if outward else [*spots[::-1], terminus], course.hops, run_s, ["stops"])
            _extend_shapes(work, np.array(group), course, outward)
    work.edit(frequencies=shift_frequencies(work.feed, replaced))
    work.feed = edit_trips(work.feed, replaced=replaced)
    warn_of_lost_links(work, before, route, work.dates.values())
    work.changed(route)
    work.warn_dates(days, ["days"])
    n_new = len(work.feed.stops) - n_before
    stops = f"{len(spots)} more stop{'s' if len(spots) > 1 else ''}"
    runs = f"{len(ends)} trips go on and {len(starts)} start farther out" if len(starts) else f"{len(ends)} trips go on"
    if before is work.feed:
        raise work.stop(NO_EFFECT, f"route {name} goes there already")
    work.effect(
        name,
        f"{name}: {runs}, from {terminus.label} to {spots[-1].label} ({stops}, {n_new} of them new, {metres / 1000:.1f} km)",
    )


def _whole_place(work: Work, spot: Spot) -> list[int]:
    """All stops of a place: the bus comes in at one stand and leaves from another."""
    return sorted({row for stop in spot.stops for row in work.finder.place_of(stop)})


def _in_period(work: Work, trips: NDArray[np.int64], change: ExtendRoute, feed: Feed) -> NDArray[np.int64]:
    """The trips that start in the period."""
    if change.trips == "all":
        return trips
    start, end = parse_window(change.trips)
    runs = runs_of(feed, trips)
    inside = (runs.start_s >= start) & (runs.start_s < end)
    hit = np.unique(runs.trip[inside])
    if len(np.intersect1d(hit, runs.trip[~inside])):
        raise work.stop(
            CANNOT_APPLY,
            "some trips are given by headway (frequencies.txt) and start both in and outside the period; set_headway for the "
            "period first, which makes single trips of them",
            ["trips"],
            change.trips,
        )
    return hit


def _termini(work: Work, route: int) -> str:
    """The names of the ends of a route's trips, commonest first."""
    trips = trips_of(work.feed, [route])
    calls = work.feed.calls
    ends = np.concatenate([calls.stop[calls.first[trips]], calls.stop[calls.first[trips + 1] - 1]])
    names = work.feed.stops["stop_name"].iloc[ends].value_counts()
    return ", ".join(f"{name}" for name in list(names.index)[:6])


def _by_end(work: Work, trips: NDArray[np.int64], outward: bool) -> dict[int, list[int]]:
    """The trips by the stop at which they end (or start)."""
    calls = work.feed.calls
    ends = calls.stop[calls.first[trips + 1] - 1] if outward else calls.stop[calls.first[trips]]
    groups: dict[int, list[int]] = {}
    for trip, stop in zip(trips.tolist(), ends.tolist(), strict=True):
        groups.setdefault(stop, []).append(trip)
    return groups


def _course(work: Work, terminus: Spot, stop: int, spots: Sequence[Spot], outward: bool) -> Course:
    """From the stop that the trips have to the new terminus, or back."""
    lon, lat = work.finder.lon, work.finder.lat
    fixed = Spot(terminus.label, (stop,), float(lon[stop]), float(lat[stop]), one=True)
    return course_of(work, [fixed, *spots] if outward else [*spots[::-1], fixed], ["stops"])


def _extended(work: Work, old: TripCalls, course: Course, pace: Pace, outward: bool, name: str) -> TripCalls:
    """The calls with the new ones behind them, or before them."""
    run_s = run_seconds(work, pace, course, int(old.departure_s[0]))
    steps = np.cumsum([seconds + pace.dwell_s for seconds in run_s])
    n = len(run_s)
    zero = np.zeros(n, np.int8)
    arrival, departure = old.arrival_s.copy(), old.departure_s.copy()
    if outward:
        departure[-1] = max(int(departure[-1]), int(arrival[-1]) + pace.dwell_s)
        left = int(departure[-1])
        new_arrival = left + steps - pace.dwell_s
        new_departure = new_arrival + pace.dwell_s
        new_departure[-1] = new_arrival[-1]
        pickup, drop_off = old.pickup_type.copy(), old.drop_off_type
        pickup[-1] = 0  # the old terminus is a stop on the way now
        return TripCalls(
            np.concatenate([old.stop, np.array(course.stops[1:], np.int32)]),
            np.concatenate([arrival, new_arrival]).astype(np.int32),
            np.concatenate([departure, new_departure]).astype(np.int32),
            np.concatenate([pickup, zero]),
            np.concatenate([drop_off, zero]),
        )
    arrival[0] = min(int(arrival[0]), int(departure[0]) - pace.dwell_s)
    # Backwards from the old terminus: the last new stop is left one run before the bus comes in there.
    back = np.cumsum([seconds + pace.dwell_s for seconds in reversed(run_s)])
    new_departure = (int(arrival[0]) - back + pace.dwell_s)[::-1]
    new_arrival = new_departure - pace.dwell_s
    new_arrival[0] = new_departure[0]
    if new_departure[0] < 0:
        clock = format_time(int(old.departure_s[0]), with_seconds=False)
        raise work.stop(
            CANNOT_APPLY, f"the trip of {name} at {clock} would start before its service date begins", ["trips"]
        )
    drop_off = old.drop_off_type.copy()
    drop_off[0] = 0
    return TripCalls(
        np.concatenate([np.array(course.stops[:-1], np.int32), old.stop]),
        np.concatenate([new_arrival, arrival]).astype(np.int32),
        np.concatenate([new_departure, departure]).astype(np.int32),
        np.concatenate([zero, old.pickup_type]),
        np.concatenate([zero, drop_off]),
    )


def _extend_shapes(work: Work, trips: NDArray[np.int64], course: Course, outward: bool) -> None:
    """Give the trips a drawn course that goes on along the new road; one new shape for each old one."""
    lon, lat = course.line()
    table = work.feed.trips.copy()
    shape = table["shape"].to_numpy().copy()
    for old in np.unique(shape[trips]):
        if old < 0:
            continue
        shapes = work.feed.shapes
        part = slice(int(shapes.first[old]), int(shapes.first[old + 1]))
        pieces = [(shapes.lon[part], shapes.lat[part]), (lon, lat)]
        first, second = pieces if outward else pieces[::-1]
        work.feed, row = add_shape(
            work.feed,
            f"{work.scenario.scenario}:{work.index + 1}:{shapes.shape_id[old]}:{'out' if outward else 'in'}",
            np.concatenate([first[0], second[0]]),
            np.concatenate([first[1], second[1]]),
        )
        shape[trips[shape[trips] == old]] = row
    table["shape"] = shape
    work.edit(trips=table)
