"""A new route: its stops on the right side of the road, its course, its run times and its departures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.errors import StudyError
from community_routes.base.times import MINUTE, format_time, parse_time, parse_window
from community_routes.scenarios.changes.headway import Timed, departures_of, new_service
from community_routes.scenarios.changes.land_use import merged_fares
from community_routes.scenarios.changes.phase import phase_s
from community_routes.scenarios.edit.days import EVERY_DAY, DaySet
from community_routes.scenarios.edit.feed import NewTrip, TripCalls, add_route_row, add_shape, edit_trips
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.work import (
    CANNOT_APPLY,
    ODD_SPEED,
    UNKNOWN_ROUTE,
    Abandoned,
    Effect,
    Hop,
    Work,
)
from community_routes.scenarios.models import AddRoute, RunTimes
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.table import read_frame_of_places
from community_routes.sources.study.yaml import Step

if TYPE_CHECKING:
    from community_routes.scenarios.edit.work import Work


BESIDE_M = 100.0
"""A stop within this distance of a place on the line is used instead of a new one."""


def spots_along(work: Work, change: AddRoute) -> list[Spot]:
    """Places every ``stop_every_m`` along the line, its ends included, evenly spread.

    Raises
    ------
    Abandoned
        The file cannot be read or holds no line; recorded with the change.
    """
    assert change.line is not None
    line = read_shape(work, change.line.file, ["line", "file"], "line")
    xy = shapely.get_coordinates(line)
    steps = great_circle_m(xy[:-1, 0], xy[:-1, 1], xy[1:, 0], xy[1:, 1])
    along = np.concatenate([[0.0], np.cumsum(steps)])
    n = max(round(float(along[-1]) / change.line.stop_every_m), 1)
    at = np.linspace(0, float(along[-1]), n + 1)
    lon, lat = np.interp(at, along, xy[:, 0]), np.interp(at, along, xy[:, 1])
    finder = work.finder
    spots: list[Spot] = []
    for k, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True)):
        row = finder.nearest_stop(x, y, BESIDE_M)
        if row is None:
            spots.append(Spot(f"{change.name} stop {k + 1}", (), x, y, new_name=f"{change.name} stop {k + 1}"))
            continue
        rows = finder.place_of(row)
        name = str(work.feed.stops["stop_name"].iat[row])
        spot = Spot(name, tuple(rows), float(finder.lon[rows].mean()), float(finder.lat[rows].mean()))
        if not spots or set(spots[-1].stops) != set(spot.stops):
            spots.append(spot)
    return spots


def read_shape(work: Work, file: str, path: list[str | int], want: str) -> Any:
    """The geometry of a file beside the scenario: a ``line`` or a ``zone`` (polygon), in longitude and latitude."""
    from community_routes.scenarios.edit.work import CANNOT_APPLY

    folder = work.scenario.folder or Path()
    name = Path(file)
    # Looked for first: the reader would also take an address on the network for a file.
    if not (folder / name).is_file():
        message = f"the {want} {name.name!r} cannot be read: there is no such file beside the scenario"
        raise work.stop(CANNOT_APPLY, message, path, file)
    try:
        table = read_frame_of_places(folder / name)
    except StudyError as fault:
        raise work.stop(CANNOT_APPLY, f"the {want} {name.name!r} cannot be read: {fault}", path, file) from None
    if table.crs is not None:
        table = table.to_crs(4326)
    wanted = ("LineString", "MultiLineString") if want == "line" else ("Polygon", "MultiPolygon")
    shapes = table.geometry[table.geometry.geom_type.isin(wanted)]
    if not len(shapes):
        kinds = ", ".join(sorted(set(table.geometry.geom_type.dropna()))) or "nothing"
        raise work.stop(CANNOT_APPLY, f"{name.name!r} holds {kinds}, but a {want} is needed", path, file)
    if want == "zone":
        return shapely.union_all(shapely.make_valid(shapes.to_numpy()))
    merged = shapely.line_merge(shapely.union_all(shapes.to_numpy()))
    if merged.geom_type != "LineString":
        raise work.stop(CANNOT_APPLY, f"the lines of {name.name!r} do not join into one; draw one line", path, file)
    return merged if len(shapes) > 1 or shapes.iloc[0].geom_type != "LineString" else shapes.iloc[0]


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
