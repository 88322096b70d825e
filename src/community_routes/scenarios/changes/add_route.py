"""A new route, on the roads, one way or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import shapely
from pydantic import Field, model_validator

from community_routes.base.earth import great_circle_m
from community_routes.base.times import MINUTE, format_time, parse_time, parse_window
from community_routes.network.walks.links import CrowFly
from community_routes.scenarios.changes.change_fare import merged_fares
from community_routes.scenarios.edit.course import (
    Course,
    Pace,
    RunTimes,
    calls_of,
    course_of,
    run_seconds,
    warn_speed,
)
from community_routes.scenarios.edit.days import EVERY_DAY, DaySet
from community_routes.scenarios.edit.drawn import read_shape
from community_routes.scenarios.edit.feed import (
    NewTrip,
    TripCalls,
    add_route_row,
    add_service,
    add_shape,
    edit_trips,
)
from community_routes.scenarios.edit.made import Timed
from community_routes.scenarios.edit.phase import Meet, departures_of
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.work import UNKNOWN_ROUTE, Abandoned, Work
from community_routes.scenarios.values import Clock, DayService, Model, Places, free_name, within
from community_routes.sources.study.yaml import Step

BESIDE_M = 100.0
"""A stop within this distance of a place on the line is used instead of a new one."""
ROUTE_TYPES = {"tram": 0, "metro": 1, "rail": 2, "bus": 3, "ferry": 4, "coach": 200}


class Line(Model):
    """A drawn line along which a new route stops every so often."""

    file: str
    stop_every_m: Annotated[float, within(50, 5000, "metres between stops")] = 350.0


class Vehicle(Model):
    """The vehicle of a new route."""

    seats: Annotated[int, Field(ge=1, le=2000)] = 29


@dataclass(frozen=True, eq=False)
class _Way:
    """One direction of the new route: where it goes, how fast, and its trips' common parts."""

    direction: int
    spots: Sequence[Spot]
    course: Course
    pace: Pace


@dataclass(frozen=True)
class _Day:
    """A key of the service: its dates, and where it stands in the file."""

    key: str
    days: DaySet
    path: list[Step]


class AddRoute(RunTimes):
    """A new route, on the roads, one way or both."""

    kind: ClassVar[str] = "add_route"
    example: ClassVar[str] = """
    name: X1
    stops: [$first_stop, $place, $last_stop]
    both_ways: true
    speed_kmh: 18                      # or run_times_min: [6, 9], one from each stop to the next
    dwell_s: 15
    service:
      $day: {06:00-19:00: 20, 19:00-23:00: 30}
    fare: {single: 2.00}"""

    name: str
    stops: Places | None = None
    line: Line | None = None
    both_ways: bool = True
    service: dict[str, DayService] = Field(default_factory=dict)
    departures: tuple[Clock, ...] | None = None
    phase: Meet | None = None
    fare: dict[str, Any] | None = None
    vehicle: Vehicle | None = None
    mode: Literal["bus", "tram", "rail", "metro", "ferry", "coach"] = "bus"
    agency: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> AddRoute:
        if not self.name.strip():
            raise ValueError("a new route needs a name")
        if (self.stops is None) == (self.line is None):
            raise ValueError("give stops (at least two) or line, one of them")
        if self.stops is not None and len(self.stops) < 2:
            raise ValueError(f"a route needs at least two stops; {len(self.stops)} given")
        if self.stops is not None:
            self.check_run_times(f"{len(self.stops)} stops", len(self.stops) - 1, "one from each stop to the next")
        if self.line is not None and self.run_times_min is not None:
            raise ValueError("a route along a line takes speed_kmh: its number of stops is not known beforehand")
        self.check_some_times()
        if bool(self.service) == (self.departures is not None):
            raise ValueError("give service (by day) or departures (the same every day), one of them")
        return self

    def apply(self, work: Work) -> None:
        """Put the route into the feed; later changes that name a route that failed here stay silent."""
        try:
            self._apply(work)
        except Abandoned:
            work.failed_names.add(self.name.casefold())
            raise

    def _apply(self, work: Work) -> None:
        work.free_route_name(self.name, "choose another name, or change that one with set_headway or extend_route")
        days = self._days(work)
        path: list[Step] = ["stops"] if self.stops is not None else ["line"]
        spots = work.spots(self.stops, path) if self.stops is not None else self._spots_along(work)
        both = [spots, spots[::-1]] if self.both_ways else [spots]
        courses = [course_of(work, way, path) for way in both]
        pace = Pace.of(self)
        ways = [
            _Way(number, way, course, pace if number == 0 else pace.mirrored())
            for number, (way, course) in enumerate(zip(both, courses, strict=True))
        ]
        agency = self._agency(work)
        route_id = free_name(work.part_id(self.name), set(work.feed.routes["route_id"]))
        long_name = f"{spots[0].label} - {spots[-1].label}"
        route = len(work.feed.routes)
        work.feed = add_route_row(work.feed, route_id, self.name, long_name, ROUTE_TYPES[self.mode], agency)
        for way in ways:
            self._add_direction(work, route_id, way, days)
        work.new_routes.append(route_id)
        if self.fare is not None:
            fares = merged_fares(work, {"routes": {self.name: self.fare}}, ["fare"])
            work.now = replace(work.now, fares=fares)
        for day in days:
            work.warn_dates(day.days, day.path)
        self._tell(work, route, courses[0], days)

    def _days(self, work: Work) -> list[_Day]:
        """Each key of the service with its dates; every day for plain departures."""
        if self.departures is not None:
            return [_Day("daily", EVERY_DAY, ["departures"])]
        found: list[_Day] = []
        failed = False
        for key in self.service:
            path: list[Step] = ["service", key]
            try:
                found.append(_Day(key, work.day(key, path), path))
            except Abandoned:
                failed = True
        if failed:
            raise Abandoned
        return found

    def _spots_along(self, work: Work) -> list[Spot]:
        """Places every ``stop_every_m`` along the line, its ends included, evenly spread; a fault where there is no line."""
        assert self.line is not None
        line = read_shape(work, self.line.file, ["line", "file"], "line")
        xy = shapely.get_coordinates(line)
        steps = great_circle_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
        along = np.concatenate([[0.0], np.cumsum(steps)])
        n = max(round(float(along[-1]) / self.line.stop_every_m), 1)
        at = np.linspace(0, float(along[-1]), n + 1)
        lon, lat = np.interp(at, along, xy[:, 0]), np.interp(at, along, xy[:, 1])
        finder = work.finder
        spots: list[Spot] = []
        for k, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
            row = finder.nearest_stop(x, y, BESIDE_M)
            if row is None:
                spots.append(Spot(f"{self.name} stop {k + 1}", (), x, y, new_name=f"{self.name} stop {k + 1}"))
                continue
            rows = finder.place_of(row)
            name = str(work.feed.stops["stop_name"].iat[row])
            spot = Spot(name, tuple(rows), float(finder.lon[rows].mean()), float(finder.lat[rows].mean()))
            if not spots or set(spots[-1].stops) != set(spot.stops):
                spots.append(spot)
        return spots

    def _agency(self, work: Work) -> int:
        """Row of the agency named; else of the one that runs most of the trips."""
        agencies = work.feed.agencies
        if self.agency is None:
            rows = work.feed.routes["agency"].to_numpy()
            used = rows[work.feed.trips["route"].to_numpy()] if len(work.feed.trips) else rows
            used = used[used >= 0]
            return int(np.bincount(used).argmax()) if len(used) else (0 if len(agencies) else -1)
        pairs = list(zip(agencies["agency_id"].astype(str), agencies["agency_name"].astype(str), strict=True))
        for row, pair in enumerate(pairs):
            if self.agency.casefold() in [text.casefold() for text in pair]:
                return row
        known = ", ".join(f"{agency_id} ({name})" for agency_id, name in pairs)
        message = f"there is no agency {self.agency!r}; there are {known}"
        raise work.stop(UNKNOWN_ROUTE, message, ["agency"], self.agency)

    def _add_direction(self, work: Work, route_id: str, way: _Way, days: Sequence[_Day]) -> None:
        """All trips of one direction."""
        shape = -1
        # A straight line is no course: it would pass for the length of the road.
        if work.before.roads is not None and not isinstance(work.before.roads, CrowFly):
            work.feed, shape = add_shape(work.feed, f"{route_id}:{way.direction}", *way.course.line())
        route = len(work.feed.routes) - 1
        added: list[NewTrip] = []
        timed: list[Timed] = []
        for day in days:
            service = _service(work, f"{route_id}:{day.key}", day.days)
            for window, headway, departures in self._departures(work, day.key, way):
                first = len(added)
                for depart in departures:
                    run_s = run_seconds(work, way.pace, way.course, depart)
                    if not added:
                        part = "run_times_min" if way.pace.run_s is not None else "speed_kmh"
                        warn_speed(work, way.spots, way.course.hops, run_s, [part])
                    trip_id = (
                        f"{route_id}:{way.direction}:{day.key}:{format_time(depart, with_seconds=depart % 60 > 0)}"
                    )
                    calls = calls_of(way.course, run_s, way.pace.dwell_s, depart)
                    headsign = way.spots[-1].label
                    added.append(NewTrip(trip_id, route, service, calls, way.direction, headsign=headsign, shape=shape))
                if headway:
                    key = f"{self.name}:{way.direction}:{day.key}:{window}"
                    timed.append(Timed(key, round(headway * 60), tuple(trip.trip_id for trip in added[first:])))
        work.feed = edit_trips(work.feed, added=added)
        accessible = work.feed.trips["wheelchair_accessible"].to_numpy().copy()
        accessible[len(accessible) - len(added) :] = 1  # new buses and stops are made accessible
        work.feed = replace(work.feed, trips=work.feed.trips.assign(wheelchair_accessible=accessible))
        work.timed.extend(timed)

    def _departures(self, work: Work, key: str, way: _Way) -> list[tuple[str, float, list[int]]]:
        """Window, headway (0 for given times) and departures of each period of a day."""
        if self.departures is not None:
            return [("", 0.0, sorted({parse_time(text) for text in self.departures}))]
        found: list[tuple[str, float, list[int]]] = []
        for window, value in self.service[key].items():
            if window == "departures":
                found.append(("", 0.0, [seconds for _, seconds in value]))
                continue
            phase = 0
            if self.phase is not None:
                start = parse_window(window)[0]
                run_s = run_seconds(work, way.pace, way.course, start)
                phase = self.phase.phase_s(work, calls_of(way.course, run_s, way.pace.dwell_s, start), window, value)
            found.append((window, float(value), departures_of(window, value, phase)))
        return found

    def _tell(self, work: Work, route: int, course: Course, days: Sequence[_Day]) -> None:
        """``C1: new route, 3 stops, 5.2 km, both ways; 0 -> 76 weekday departures``."""
        trips = np.flatnonzero(work.feed.trips["route"].to_numpy() == route)
        first = TripCalls.of(work.feed, int(trips[0]))
        minutes = (int(first.arrival_s[-1]) - int(first.departure_s[0])) / MINUTE
        ways = "both ways" if self.both_ways else "one way"
        told = dict.fromkeys(work.tell_departures(work.before.feed, route, day.days) for day in days)
        length = f"{len(course.stops)} stops, {course.metres / 1000:.1f} km in {minutes:.0f} min"
        work.effect(self.name, f"new route, {length}, {ways}: {', '.join(told)}")


def _service(work: Work, service_id: str, days: DaySet) -> int:
    """Row of the service of the new route on some days: one for both directions."""
    hit = np.flatnonzero(work.feed.calendar.service_id == service_id)
    if len(hit):
        return int(hit[0])
    work.feed, row = add_service(work.feed, service_id, days, work.dates.values())
    return row
