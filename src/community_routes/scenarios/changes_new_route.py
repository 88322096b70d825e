"""A new route: its stops on the right side of the road, its course, its run times and its departures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from community_routes.scenarios.changes import AddRoute, RunTimes
from community_routes.scenarios.changes_days import EVERY_DAY, DaySet
from community_routes.scenarios.changes_feed import NewTrip, TripCalls, add_route_row, add_shape, edit_trips
from community_routes.scenarios.changes_line import spots_along
from community_routes.scenarios.changes_phase import phase_s
from community_routes.scenarios.changes_places import merged_fares
from community_routes.scenarios.changes_timetable import Timed, departures_of, new_service
from community_routes.scenarios.changes_work import (
    CANNOT_APPLY,
    ODD_SPEED,
    UNKNOWN_ROUTE,
    Abandoned,
    Effect,
    Hop,
    Work,
)
from community_routes.scenarios.stops_matching import Spot
from community_routes.sources.feed import Feed
from community_routes.sources.yaml_file import Step
from community_routes.times import MINUTE, format_time, parse_time, parse_window

ROUTE_TYPES = {"tram": 0, "metro": 1, "rail": 2, "bus": 3, "ferry": 4, "coach": 200}
DWELL_S = 15
"""Seconds at a stop where run times come from a speed and nothing else is said."""


@dataclass(frozen=True, eq=False)
class Course:
    """One direction of a new piece of route.

    Attributes
    ----------
    stops : tuple of int
        Rows of ``Feed.stops``.
    hops : tuple of Hop
        The road from each stop to the next, stops minus 1.
    """

    stops: tuple[int, ...]
    hops: tuple[Hop, ...]

    @property
    def metres(self) -> float:
        """Length along the road."""
        return sum(hop.metres for hop in self.hops)

    def line(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The course as one line, lon and lat."""
        if not self.hops:
            return np.zeros(0), np.zeros(0)
        return np.concatenate([hop.lon for hop in self.hops]), np.concatenate([hop.lat for hop in self.hops])


def course_of(work: Work, spots: Sequence[Spot], path: Sequence[Step]) -> Course:
    """Stops and roads of one direction, or every fault of it."""
    stops = choose_stops(work, spots, path)
    lon, lat = work.finder.lon, work.finder.lat
    hops: list[Hop] = []
    failed = False
    for k, (a, b) in enumerate(pairwise(stops)):
        words = f"{spots[k].label} to {spots[k + 1].label}"
        if a == b:
            work.note(
                CANNOT_APPLY, f"{words}: a bus cannot go from a stop to itself; take one of them out", path, words
            )
            failed = True
            continue
        try:
            hops.append(work.hop((float(lon[a]), float(lat[a])), (float(lon[b]), float(lat[b])), path, words))
        except Abandoned:
            failed = True
    if failed:
        raise Abandoned
    return Course(tuple(stops), tuple(hops))


def choose_stops(work: Work, spots: Sequence[Spot], path: Sequence[Step]) -> list[int]:
    """The stop of each place on the side of the road for this direction; new stops are made."""
    rows = []
    for k, spot in enumerate(spots):
        if not spot.stops:
            rows.append(work.make_stop(spot, path))
            continue
        before = spots[k - 1] if k > 0 else spot
        after = spots[k + 1] if k + 1 < len(spots) else spot
        row, assumed = work.finder.side(spot, (before.lon, before.lat), (after.lon, after.lat))
        if assumed:
            work.note_kerb(spot, row, after.label if after is not spot else spot.label, path)
        rows.append(row)
    return rows


@dataclass(frozen=True, eq=False)
class Pace:
    """How run times of a course are made: given from stop to stop, or a speed by time of day."""

    run_s: tuple[int, ...] | None
    speeds: Mapping[str, float]
    dwell_s: int

    @classmethod
    def of(cls, change: RunTimes) -> Pace:
        """As the change says; dwell is 15 s with a speed, and part of given run times, unless it is said."""
        given = change.run_times_min
        dwell = change.dwell_s if change.dwell_s is not None else (0 if given is not None else DWELL_S)
        run_s = tuple(round(minutes * MINUTE) for minutes in given) if given is not None else None
        return cls(run_s, change.speed_kmh or {}, dwell)

    def mirrored(self) -> Pace:
        """The same the other way."""
        return replace(self, run_s=None if self.run_s is None else self.run_s[::-1])

    def speed_at(self, depart_s: int) -> float:
        """Speed for a departure in km/h.

        Raises
        ------
        KeyError
            No period of the speeds holds the departure.
        """
        if "always" in self.speeds:
            return self.speeds["always"]
        for window, speed in self.speeds.items():
            start, end = parse_window(window)
            if start <= depart_s < end:
                return speed
        raise KeyError(depart_s)

    def seconds(self, hops: Sequence[Hop], depart_s: int) -> list[int]:
        """Run time of each hop for a departure, at least a second."""
        if self.run_s is not None:
            return list(self.run_s)
        speed = self.speed_at(depart_s)
        return [max(round(hop.metres * 3.6 / speed), 1) for hop in hops]


def calls_of(course: Course, run_s: Sequence[int], dwell_s: int, depart_s: int) -> TripCalls:
    """Calls of a trip that leaves the first stop at ``depart_s``."""
    arrival, departure = [depart_s], [depart_s]
    for k, seconds in enumerate(run_s):
        arrival.append(departure[-1] + seconds)
        last = k == len(run_s) - 1
        departure.append(arrival[-1] + (0 if last else dwell_s))
    return TripCalls.plain(course.stops, arrival, departure)


def warn_speed(
    work: Work, spots: Sequence[Spot], hops: Sequence[Hop], run_s: Sequence[int], path: Sequence[Step]
) -> None:
    """Warn of hops under 6 or over 60 km/h, all in one notice."""
    odd = []
    for k, (hop, seconds) in enumerate(zip(hops, run_s, strict=True)):
        speed = hop.metres * 3.6 / seconds
        if speed < 6 or speed > 60:
            words = f"{spots[k].label} to {spots[k + 1].label}"
            odd.append(f"{words}: {hop.metres:,.0f} m in {seconds / 60:.1f} min is {speed:.0f} km/h")
    if odd:
        work.note(ODD_SPEED, f"{'; '.join(odd)}; under 6 or over 60 km/h is unusual, check the run times", path)


def apply_add_route(work: Work, change: AddRoute) -> None:
    """Put a new route into the feed."""
    try:
        _add_route(work, change)
    except Abandoned:
        work.failed_names.add(change.name.casefold())
        raise


def _add_route(work: Work, change: AddRoute) -> None:
    names = {str(name).casefold() for name in [*work.feed.routes["route_id"], *work.feed.routes["route_short_name"]]}
    if change.name.casefold() in names:
        raise work.stop(
            UNKNOWN_ROUTE,
            f"there is a route {change.name!r} already; choose another name, or change that one with set_headway or extend_route",
            ["name"],
            change.name,
        )
    days = _days_of(work, change)
    path: list[Step] = ["stops"] if change.stops is not None else ["line"]
    spots = work.spots(change.stops, path) if change.stops is not None else spots_along(work, change)
    ways = [spots, spots[::-1]] if change.both_ways else [spots]
    courses = [course_of(work, way, path) for way in ways]
    paces = [Pace.of(change), Pace.of(change).mirrored()][: len(ways)]
    agency = _agency(work, change)
    route_id = _free_id(work, f"{work.scenario.scenario}:{change.name}")
    long_name = f"{spots[0].label} - {spots[-1].label}"
    before = work.feed
    work.feed = add_route_row(work.feed, route_id, change.name, long_name, ROUTE_TYPES[change.mode], agency)
    route = len(before.routes)
    for direction, (course, pace) in enumerate(zip(courses, paces, strict=True)):
        _add_direction(work, change, route, direction, (course, pace, ways[direction]), days)
    work.new_routes.append(route_id)
    if change.fare is not None:
        work.fares = merged_fares(work, {"routes": {change.name: change.fare}}, ["fare"])
    if change.vehicle is not None:
        work.vehicles[route_id] = change.vehicle
    for _, day_set, place in days:
        work.warn_dates(day_set, place)
    _tell(work, change, route, courses, [day_set for _, day_set, _ in days])


def _days_of(work: Work, change: AddRoute) -> list[tuple[str, DaySet, list[Step]]]:
    """Each key of the service with its dates; every day for plain departures."""
    if change.departures is not None:
        return [("daily", EVERY_DAY, ["departures"])]
    found: list[tuple[str, DaySet, list[Step]]] = []
    failed = False
    for key in change.service:
        try:
            found.append((key, work.day(key, ["service", key]), ["service", key]))
        except Abandoned:
            failed = True
    if failed:
        raise Abandoned
    return found


def _agency(work: Work, change: AddRoute) -> int:
    """Row of the agency named; else of the one that runs most of the trips."""
    agencies = work.feed.agencies
    if change.agency is None:
        rows = work.feed.routes["agency"].to_numpy()
        used = rows[work.feed.trips["route"].to_numpy()] if len(work.feed.trips) else rows
        used = used[used >= 0]
        return int(np.bincount(used).argmax()) if len(used) else (0 if len(agencies) else -1)
    wanted = change.agency.casefold()
    for row in range(len(agencies)):
        if wanted in (str(agencies["agency_id"].iat[row]).casefold(), str(agencies["agency_name"].iat[row]).casefold()):
            return row
    known = ", ".join(f"{i} ({n})" for i, n in zip(agencies["agency_id"], agencies["agency_name"], strict=True))
    message = f"there is no agency {change.agency!r}; there are {known}"
    raise work.stop(UNKNOWN_ROUTE, message, ["agency"], change.agency)


def _free_id(work: Work, wanted: str) -> str:
    taken, name, number = set(work.feed.routes["route_id"]), wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def _add_direction(
    work: Work,
    change: AddRoute,
    route: int,
    direction: int,
    way: tuple[Course, Pace, Sequence[Spot]],
    days: Sequence[tuple[str, DaySet, list[Step]]],
) -> None:
    """All trips of one direction."""
    course, pace, spots = way
    route_id = str(work.feed.routes["route_id"].iat[route])
    shape = -1
    if work.has_roads:  # a straight line is no course: it would pass for the length of the road
        work.feed, shape = add_shape(work.feed, f"{route_id}:{direction}", *course.line())
    added: list[NewTrip] = []
    timed: list[Timed] = []
    warned = False
    for key, day_set, path in days:
        work.feed, service = _service(work, f"{route_id}:{key}", day_set)
        for window, headway, departures in _departures(work, change, key, course, pace, path):
            ids = []
            for depart in departures:
                run_s = run_seconds(work, pace, course, depart)
                if not warned:
                    warn_speed(
                        work, spots, course.hops, run_s, ["run_times_min" if pace.run_s is not None else "speed_kmh"]
                    )
                    warned = True
                trip_id = f"{route_id}:{direction}:{key}:{format_time(depart, with_seconds=depart % 60 > 0)}"
                ids.append(trip_id)
                calls = calls_of(course, run_s, pace.dwell_s, depart)
                added.append(
                    NewTrip(trip_id, route, service, calls, direction, -1, headsign=spots[-1].label, shape=shape)
                )
            if headway:
                timed.append(Timed(f"{change.name}:{direction}:{key}:{window}", round(headway * 60), tuple(ids)))
    work.feed = edit_trips(work.feed, added=added)
    table = work.feed.trips.copy()
    wheelchair = table["wheelchair_accessible"].to_numpy().copy()
    wheelchair[len(table) - len(added) :] = 1  # new buses and stops are made accessible
    table["wheelchair_accessible"] = wheelchair
    work.edit(trips=table)
    work.timed.extend(timed)


def _service(work: Work, service_id: str, days: DaySet) -> tuple[Feed, int]:
    """The service of a new route on some days: one for both directions."""
    ids = work.feed.calendar.service_id
    hit = np.flatnonzero(ids == service_id)
    if len(hit):
        return work.feed, int(hit[0])
    return new_service(work, work.feed, service_id, days)


def _departures(
    work: Work, change: AddRoute, key: str, course: Course, pace: Pace, path: Sequence[Step]
) -> list[tuple[str, float, list[int]]]:
    """Window, headway (0 for given times) and departures of each period of a day."""
    if change.departures is not None:
        return [("", 0.0, sorted({parse_time(text) for text in change.departures}))]
    found: list[tuple[str, float, list[int]]] = []
    for window, value in change.service[key].items():
        if window == "departures":
            found.append(("", 0.0, [seconds for _, seconds in value]))
            continue
        phase = 0
        if change.phase is not None:
            start = parse_window(window)[0]
            calls = calls_of(course, run_seconds(work, pace, course, start), pace.dwell_s, start)
            phase = phase_s(work, change.phase, work.feed, calls, window, value)
        found.append((window, float(value), departures_of(window, value, phase)))
    return found


def run_seconds(work: Work, pace: Pace, course: Course, depart: int) -> list[int]:
    """Run time of each hop for a departure; a fault where no period of the speeds holds it."""
    try:
        return pace.seconds(course.hops, depart)
    except KeyError:
        clock = format_time(depart, with_seconds=False)
        message = f"no period of speed_kmh holds the departure at {clock}; add one, or give one speed for all day"
        raise work.stop(CANNOT_APPLY, message, ["speed_kmh"], clock) from None


def _tell(work: Work, change: AddRoute, route: int, courses: Sequence[Course], days: Sequence[DaySet]) -> None:
    """``C1: new route, 3 stops, 5.2 km, both ways; 0 -> 76 weekday departures``."""
    trips = np.flatnonzero(work.feed.trips["route"].to_numpy() == route)
    first = TripCalls.of(work.feed, int(trips[0]))
    minutes = (int(first.arrival_s[-1]) - int(first.departure_s[0])) / MINUTE
    ways = "both ways" if change.both_ways else "one way"
    told: dict[str, None] = {}
    for day_set in days:
        told[work.tell_departures(work.setting.feed, route, day_set)] = None
    text = (
        f"{change.name}: new route, {len(courses[0].stops)} stops, {courses[0].metres / 1000:.1f} km in {minutes:.0f} min, "
        f"{ways}: {', '.join(told)}"
    )
    work.effects.append(Effect(work.scenario.scenario, work.index + 1, change.kind, change.name, text))
