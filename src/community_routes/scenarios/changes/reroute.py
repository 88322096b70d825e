"""A route that takes another way between two of its stops."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator

from community_routes.base.earth import great_circle_m
from community_routes.scenarios.change import OfRoute
from community_routes.scenarios.edit.course import (
    DWELL_S,
    Course,
    Pace,
    RunTimes,
    course_of,
    run_seconds,
    warn_speed,
)
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.trips import Line, redraw, replace_calls, section_between, select, warn_of_rest
from community_routes.scenarios.edit.work import CANNOT_APPLY, Work
from community_routes.scenarios.values import Direction, Place, PlaceAt, Places
from community_routes.sources.study.yaml import Step


class Reroute(RunTimes, OfRoute):
    """A route takes another way between two of its stops."""

    kind: ClassVar[str] = "reroute"
    example: ClassVar[str] = "{route: $route, from: $stop_a, to: $stop_b, via: [$place], speed_kmh: 18}"

    from_: Place = Field(alias="from")
    to: Place
    via: Places = ()
    direction: Direction = "both"

    @model_validator(mode="after")
    def _times(self) -> Reroute:
        self.check_run_times(f"{len(self.via)} stops on the way", len(self.via) + 1, "from stop to stop")
        return self

    def apply(self, work: Work) -> None:
        """Put the new piece between the two stops, mirrored on the way back; what comes behind it is moved in time."""
        route = work.route(self.route, self.agency)
        via: list[tuple[PlaceAt, list[Step]]] = [(place, ["via", k]) for k, place in enumerate(self.via)]
        spots = work.spots_at([(self.from_, ["from"]), *via, (self.to, ["to"])])
        ends = [spots[0], spots[-1]]
        start, end = (np.array(work.stops_of(spot)) for spot in ends)
        chosen = select(work, route, direction=self.direction)
        pace = Pace.of(self)
        courses: dict[tuple[int, int, bool], Course] = {}
        taken: dict[int, tuple[int, Course]] = {}

        def detour(trip: int, old: TripCalls) -> TripCalls | None:
            section, forward = section_between(old, start, end), True
            if section is None and self.direction == "both":
                section, forward = section_between(old, end, start), False
            if section is None:
                return None
            first, last = section
            key = (int(old.stop[first]), int(old.stop[last]), forward)
            if key not in courses:
                inner = spots[1:-1] if forward else spots[-2:0:-1]
                courses[key] = course_of(work, [work.spot_of(key[0]), *inner, work.spot_of(key[1])], ["via"])
            course = courses[key]
            if list(course.stops) == old.stop[first : last + 1].tolist():
                return None
            run_s, dwell_s = self._times_of(work, pace if forward else pace.mirrored(), course, old, section)
            taken[trip] = first, course
            return _spliced(old, section, course, run_s, dwell_s)

        def why() -> str:
            return f"no trip of route {chosen.name} goes from {ends[0].label} to {ends[1].label} another way than this"

        replaced = replace_calls(work, chosen, detour, why)
        redraw(work, {trip: taken[trip][1] for trip in replaced}, lambda old, course: _cut_in(work, old, course))
        trip = next(iter(replaced))
        first, course = taken[trip]
        way = spots if course.stops[0] in start else spots[::-1]
        warn_speed(work, way, course.hops, _run_of(replaced[trip], first, len(course.stops)), ["via"])
        names = ", ".join(spot.label for spot in spots[1:-1]) or "no stop"
        trips = warn_of_rest(work, chosen, replaced) if self.direction == "both" else f"{len(replaced)} trips"
        work.effect(chosen.name, f"{trips} go from {ends[0].label} to {ends[1].label} by {names}")

    def _times_of(
        self, work: Work, pace: Pace, course: Course, old: TripCalls, section: tuple[int, int]
    ) -> tuple[list[int], int]:
        """Run times of the new piece: as given, by the speed given, or at the speed that the old piece had."""
        if self.run_times_min is not None or self.speed_kmh is not None:
            return run_seconds(work, pace, course, int(old.departure_s[0])), pace.dwell_s
        first, last = section
        run = int((old.arrival_s[first + 1 : last + 1] - old.departure_s[first:last]).sum())
        hops = zip(old.stop[first:last].tolist(), old.stop[first + 1 : last + 1].tolist(), strict=True)
        metres = sum(work.metres_between(a, b) for a, b in hops)
        if run <= 0 or metres <= 0:
            message = "the piece that is replaced takes no time, so its speed is unknown; give speed_kmh"
            raise work.stop(CANNOT_APPLY, message, ["via"])
        dwell = self.dwell_s if self.dwell_s is not None else DWELL_S
        return [max(round(hop.metres * run / metres), 1) for hop in course.hops], dwell


def _run_of(calls: TripCalls, first: int, n: int) -> list[int]:
    """Run times of a new piece of n stops behind call ``first``, at least a second each."""
    run = calls.arrival_s[first + 1 : first + n] - calls.departure_s[first : first + n - 1]
    return [max(int(seconds), 1) for seconds in run]


def _spliced(old: TripCalls, section: tuple[int, int], course: Course, run_s: Sequence[int], dwell_s: int) -> TripCalls:
    """The calls with a new piece between two of them; the calls behind it are moved in time."""
    first, last = section
    arrival, departure = [], []
    clock = int(old.departure_s[first])
    for seconds in run_s[:-1]:
        arrival.append(clock + seconds)
        departure.append(clock + seconds + dwell_s)
        clock = departure[-1]
    later = clock + run_s[-1] - int(old.arrival_s[last])
    inner = TripCalls.plain(course.stops[1:-1], arrival, departure)
    return TripCalls.joined(old.part(slice(first + 1)), inner, old.part(slice(last, None)).shifted(later))


def _cut_in(work: Work, old: Line, course: Course) -> Line:
    """The old line with the new way cut in between where it comes nearest to the ends of the new piece."""
    a, b = (int(great_circle_m(*work.point(stop), *old).argmin()) for stop in (course.stops[0], course.stops[-1]))
    before, after = slice(a + 1), slice(max(a, b), None)
    lon, lat = (np.concatenate([own[before], new, own[after]]) for own, new in zip(old, course.line(), strict=True))
    return lon, lat
