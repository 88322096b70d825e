"""A route that goes on beyond a terminus."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from community_routes.base.times import format_time, parse_window
from community_routes.scenarios.change import OfRoute
from community_routes.scenarios.edit.course import Course, Pace, RunTimes, course_of, run_seconds, warn_speed
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.routes import trips_of
from community_routes.scenarios.edit.trips import Line, put_calls, redraw, select
from community_routes.scenarios.edit.work import CANNOT_APPLY, Work
from community_routes.scenarios.values import Place, PlaceAt, Places, Words, check_window
from community_routes.sources.study.yaml import Step


class ExtendRoute(RunTimes, OfRoute):
    """A route goes on beyond one of its termini."""

    kind: ClassVar[str] = "extend_route"
    example: ClassVar[str] = (
        "{route: $route, after: $last_stop, stops: [{at: $here, name: New stop}], run_times_min: [5], trips: all}"
    )

    after: Place
    stops: Places = Field(min_length=1)
    trips: str = "all"
    days: Words | None = None

    @model_validator(mode="after")
    def _complete(self) -> ExtendRoute:
        if self.trips != "all":
            check_window(self.trips)
        self.check_run_times(f"{len(self.stops)} new stops", len(self.stops), "the first from the old terminus")
        self.check_some_times()
        return self

    def apply(self, work: Work) -> None:
        """Let trips that end at a terminus go on, and those that start there start farther out."""
        route = work.route(self.route, self.agency)
        name = work.route_name(route)
        days = work.days(self.days, ["days"])
        new: list[tuple[PlaceAt, list[Step]]] = [(place, ["stops", k]) for k, place in enumerate(self.stops)]
        terminus, *spots = work.spots_at([(self.after, ["after"]), *new])
        here = work.stops_of(terminus)
        period = parse_window(self.trips) if self.trips != "all" else None
        chosen = select(work, route, days=days, period=period, path=["trips"], value=self.trips)
        calls, trips = chosen.feed.calls, chosen.trips
        last, first = calls.stop[calls.first[trips + 1] - 1], calls.stop[calls.first[trips]]
        ends = np.isin(last, here)
        starts = np.isin(first, here) & ~ends
        if not (ends | starts).any():
            raise work.stop(
                CANNOT_APPLY,
                f"no such trip of route {name} ends or starts at {terminus.label}; its termini are {_termini(work, route)}",
                ["after"],
                str(self.after),
            )
        before = work.feed
        work.feed = chosen.feed
        replaced: dict[int, TripCalls] = {}
        metres = 0.0
        for mine, at, outward in ((ends, last, True), (starts, first, False)):
            way = [terminus, *spots] if outward else [*spots[::-1], terminus]
            pace = Pace.of(self) if outward else Pace.of(self).mirrored()
            for stop in dict.fromkeys(at[mine].tolist()):
                fixed = work.spot_of(stop, terminus.label)
                course = course_of(work, [fixed, *way[1:]] if outward else [*way[:-1], fixed], ["stops"])
                metres = course.metres
                group = trips[mine & (at == stop)]
                for trip in group.tolist():
                    replaced[trip] = _extended(work, TripCalls.of(work.feed, trip), course, pace, outward, name)
                run_s = run_seconds(work, pace, course, int(calls.departure_s[calls.first[group[0]]]))
                warn_speed(work, way, course.hops, run_s, ["stops"])
                _draw_on(work, group, course, outward)
        made = len(work.feed.stops) - len(before.stops)
        put_calls(work, route, before, work.feed, replaced)
        work.warn_dates(days, ["days"])
        n, farther = int(ends.sum()), int(starts.sum())
        runs = f"{n} trips go on and {farther} start farther out" if farther else f"{n} trips go on"
        length = f"{len(spots)} more stop{'s' if len(spots) > 1 else ''}, {made} of them new, {metres / 1000:.1f} km"
        work.effect(name, f"{runs}, from {terminus.label} to {spots[-1].label} ({length})")


def _termini(work: Work, route: int) -> str:
    """The names of the ends of a route's trips, commonest first."""
    trips = trips_of(work.feed, [route])
    calls = work.feed.calls
    ends = np.concatenate([calls.stop[calls.first[trips]], calls.stop[calls.first[trips + 1] - 1]])
    names = work.feed.stops["stop_name"].iloc[ends].value_counts()
    return ", ".join(f"{name}" for name in list(names.index)[:6])


def _extended(work: Work, old: TripCalls, course: Course, pace: Pace, outward: bool, name: str) -> TripCalls:
    """The calls with the new ones behind them, or before them."""
    run_s = run_seconds(work, pace, course, int(old.departure_s[0]))
    old = old.part(np.arange(len(old)))  # a copy: its end is changed below
    if outward:
        old.departure_s[-1] = max(int(old.departure_s[-1]), int(old.arrival_s[-1]) + pace.dwell_s)
        old.pickup_type[-1] = 0  # the old terminus is a stop on the way now
        arrival = int(old.departure_s[-1]) + np.cumsum([seconds + pace.dwell_s for seconds in run_s]) - pace.dwell_s
        departure = arrival + pace.dwell_s
        departure[-1] = arrival[-1]
        return TripCalls.joined(old, TripCalls.plain(course.stops[1:], arrival, departure))
    clock = format_time(int(old.departure_s[0]), with_seconds=False)
    old.arrival_s[0] = min(int(old.arrival_s[0]), int(old.departure_s[0]) - pace.dwell_s)
    old.drop_off_type[0] = 0
    # Backwards from the old terminus: the last new stop is left one run before the bus comes in there.
    back = np.cumsum([seconds + pace.dwell_s for seconds in reversed(run_s)])
    departure = (int(old.arrival_s[0]) - back + pace.dwell_s)[::-1]
    arrival = departure - pace.dwell_s
    arrival[0] = departure[0]
    if departure[0] < 0:
        raise work.stop(
            CANNOT_APPLY, f"the trip of {name} at {clock} would start before its service date begins", ["trips"]
        )
    return TripCalls.joined(TripCalls.plain(course.stops[:-1], arrival, departure), old)


def _draw_on(work: Work, trips: NDArray[np.int64], course: Course, outward: bool) -> None:
    """Drawn courses that go on along the new road."""
    shape = work.feed.trips["shape"].to_numpy()

    def longer(old: Line, new: Course) -> Line:
        first, second = (old, new.line()) if outward else (new.line(), old)
        return np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])

    in_order = sorted(trips.tolist(), key=lambda trip: int(shape[trip]))
    redraw(work, dict.fromkeys(in_order, course), longer, "out" if outward else "in")
