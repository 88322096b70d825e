"""Pieces of Conveyal's scenario files: ids, days, periods, stops, drawn segments, each read with its place in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.notices import Notice, declare
from community_routes.base.times import MINUTE, format_time
from community_routes.scenarios.edit.routes import trips_of
from community_routes.sources.gtfs.feed import Feed

CONVEYAL = declare("conveyal", "error", "A part of a Conveyal scenario cannot be said in a scenario of this program.")
CONVEYAL_NOTE = declare("conveyal_note", "warning", "A part of a Conveyal scenario is read in a slightly other sense.")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WrittenPlace = str | dict[str, Any]
"""A stop as it is written in a scenario file: its id, or ``at`` and ``name`` of a new one."""
DEFAULT_SPEED_KMH = 15.0
"""Of a drawn segment whose timetable gives none."""
_LEAST_SPACING_M = 25.0
_NEAR_SHARE = 0.25
"""A stop set by spacing that is nearer than this share of it to the stop at the end of a segment is left out."""


class Unreadable(Exception):  # noqa: N818 - no error of a user's: its notices are recorded already
    """A modification cannot be read; why has been recorded."""


@dataclass
class Reading:
    """A file that is being read: the modification at hand and what was found.

    Attributes
    ----------
    file : str
    feed : Feed
    number : int
        Of the modification, from 0.
    found : list of Notice
    """

    file: str
    feed: Feed
    number: int = 0
    found: list[Notice] = field(default_factory=list)

    def fault(self, message: str, part: str = "") -> Unreadable:
        """Record a fault; the exception to raise."""
        where = f"modifications[{self.number + 1}]{f'.{part}' if part else ''}"
        self.found.append(CONVEYAL.at(self.file, field=where, message=message))
        return Unreadable(message)

    def note(self, message: str, part: str = "") -> None:
        """Record a difference in meaning."""
        where = f"modifications[{self.number + 1}]{f'.{part}' if part else ''}"
        self.found.append(CONVEYAL_NOTE.at(self.file, field=where, message=message))

    def note_once(self, message: str) -> None:
        """Record a difference in meaning, unless it was said of this modification."""
        where = f"modifications[{self.number + 1}]"
        if not any(notice.field == where and notice.message == message for notice in self.found):
            self.note(message)

    def id_of(self, text: Any, table: str, column: str) -> str:
        """An id of the feed, with or without the name of a feed in front, here or there."""
        known = set(getattr(self.feed, table)[column])
        whole = str(text)
        own = whole.partition(":")[2]
        for wanted in (whole, own):
            if wanted and wanted in known:
                return wanted
        # Of several feeds an id that two of them share begins with its file's name.
        ends = sorted(name for name in known if name.endswith(f":{own or whole}"))
        if len(ends) == 1:
            return str(ends[0])
        several = f"; it may be one of {', '.join(map(str, ends))}" if ends else ""
        raise self.fault(f"there is no {column} {whole!r} in the timetable{several}")

    def routes(self, item: Mapping[str, Any]) -> list[str]:
        """The routes of a modification; single patterns and trips only where they make up whole routes.

        A trip named as a pattern stands for all trips with the same stops.
        """
        for key in ("patterns", "trips"):
            if item.get(key):
                whole = self._whole_routes([self.id_of(trip, "trips", "trip_id") for trip in item[key]])
                if whole is None:
                    raise self.fault(f"names single {key}; only whole routes can be changed, name routes instead", key)
                return whole
        given = item.get("routes") or ([item["route"]] if item.get("route") else [])
        if not given:
            raise self.fault("names no routes", "routes")
        return [self.id_of(route, "routes", "route_id") for route in given]

    def _whole_routes(self, trips: Sequence[str]) -> list[str] | None:
        """The routes all of whose patterns have a trip among these; None where one has a pattern without."""
        row_of = {trip: row for row, trip in enumerate(self.feed.trips["trip_id"])}
        rows = [row_of[trip] for trip in trips]
        named = {self._pattern(row) for row in rows}
        routes = list(dict.fromkeys(int(route) for route in self.feed.trips["route"].to_numpy()[rows]))
        every = {self._pattern(int(row)) for row in trips_of(self.feed, routes)}
        return [str(self.feed.routes["route_id"].iat[route]) for route in routes] if every <= named else None

    def _pattern(self, trip: int) -> tuple[int, bytes]:
        first = self.feed.calls.first
        stops = self.feed.calls.stop[first[trip] : first[trip + 1]]
        return int(self.feed.trips["route"].iat[trip]), stops.tobytes()

    def row(self, route: str) -> int:
        """Row of a route."""
        return int(np.flatnonzero(self.feed.routes["route_id"].to_numpy() == route)[0])


def days_of(entry: Mapping[str, Any]) -> list[str]:
    """Our keys of the days for which a timetable entry is switched on."""
    on = [day for day in _DAYS if entry.get(day)]
    if all(day in on for day in _DAYS[:5]):
        return ["weekday", *(day for day in on if day in ("saturday", "sunday"))]
    return on


def window_of(reading: Reading, entry: Mapping[str, Any]) -> tuple[str, float]:
    """Period and minutes between buses of an entry; exact times have a last bus at the end of the period too."""
    start, end, headway = (int(entry.get(key, -1)) for key in ("startTime", "endTime", "headwaySecs"))
    if start < 0 or end <= start or headway <= 0:
        raise reading.fault("an entry needs startTime, endTime after it and headwaySecs above 0", "entries")
    if entry.get("exactTimes"):
        end = start + ((end - start) // headway + 1) * headway
    return f"{clock(start)}-{clock(end)}", headway / MINUTE


def window_of_departures(reading: Reading, departures: Sequence[Any]) -> tuple[str, float]:
    """The same of single departures, where they are evenly spaced."""
    times = sorted(int(value) for value in departures)
    gaps = {b - a for a, b in pairwise(times)}
    if len(gaps) != 1 or min(gaps) <= 0:
        raise reading.fault(
            "single departures cannot be set on a route that exists unless they are evenly spaced; add them as a new route",
            "entries",
        )
    (gap,) = gaps
    return f"{clock(times[0])}-{clock(times[-1] + gap)}", gap / MINUTE


def place_of(reading: Reading, stop: Mapping[str, Any]) -> WrittenPlace:
    """A stop of the feed by its id, or a new one at coordinates."""
    if stop.get("id"):
        return reading.id_of(stop["id"], "stops", "stop_id")
    return {"at": (float(stop["lon"]), float(stop["lat"])), "name": str(stop.get("name") or "New stop")}


def dwell_of(reading: Reading, times: Sequence[Any]) -> int:
    """One standing time for all stops: the only one given, or the mean."""
    seconds = [int(value) for value in times]
    if len(set(seconds)) > 1:
        reading.note(
            f"standing times differ from stop to stop; their mean of {round(float(np.mean(seconds)))} s is used at each",
            "dwellTimes",
        )
    return round(float(np.mean(seconds))) if seconds else 0


def clock(seconds: int) -> str:
    """A time as a scenario has it, with seconds only where there are any."""
    return format_time(seconds, with_seconds=seconds % MINUTE > 0)


@dataclass(frozen=True)
class DrawnStop:
    """A stop along drawn segments.

    Attributes
    ----------
    place : str or dict
        Id of a stop, or coordinates and a name.
    metres : float
        From the start of the line.
    by_spacing : bool
        It was set by the spacing, not drawn.
    """

    place: WrittenPlace
    metres: float
    by_spacing: bool = False


@dataclass(frozen=True, eq=False)
class DrawnLine:
    """The line of drawn segments with its stops.

    Attributes
    ----------
    stops : tuple of DrawnStop
    ends_m : tuple of float
        Where each segment ends, in metres from the start of the line.
    """

    stops: tuple[DrawnStop, ...]
    ends_m: tuple[float, ...]

    def hop_seconds(self, speeds_kmh: Sequence[float]) -> list[float]:
        """Driving time from each stop to the next, at a speed for each segment (the last one given for those without)."""
        speeds = [float(value) for value in speeds_kmh] or [DEFAULT_SPEED_KMH]
        speeds += [speeds[-1]] * (len(self.ends_m) - len(speeds))
        starts = (0.0, *self.ends_m[:-1])
        found = []
        for one, other in pairwise(self.stops):
            parts = [
                max(min(other.metres, end) - max(one.metres, start), 0.0) * 3.6 / speed
                for start, end, speed in zip(starts, self.ends_m, speeds, strict=False)
            ]
            found.append(sum(parts))
        return found


def drawn_line(reading: Reading, segments: Sequence[Mapping[str, Any]]) -> DrawnLine:
    """Stops of drawn segments: at their ends where asked for, and every so many metres along them where there is a spacing.

    A stop set by spacing that comes within a quarter of it of a segment's end stop is left out, as Conveyal leaves it out.
    """
    stops: list[DrawnStop] = []
    ends: list[float] = []
    at_m = 0.0
    for number, segment in enumerate(segments):
        points = np.asarray(segment["geometry"]["coordinates"], np.float64).reshape(-1, 2)
        if number == 0 and segment.get("stopAtStart"):
            stops.append(DrawnStop(_drawn_place(reading, segment.get("fromStopId"), points[0]), 0.0))
        along = great_circle_m(points[:-1, 0], points[:-1, 1], points[1:, 0], points[1:, 1])
        metres = at_m + np.concatenate([[0.0], np.cumsum(along)])
        spacing = float(segment.get("spacing") or 0)
        if 0 < spacing < _LEAST_SPACING_M:
            raise reading.fault(f"a stop every {spacing:g} m; at least {_LEAST_SPACING_M:g} m", "segments")
        while spacing > 0 and (next_m := max((stops[-1].metres if stops else 0.0) + spacing, at_m)) < metres[-1]:
            lon, lat = (float(np.interp(next_m, metres, points[:, k])) for k in (0, 1))
            stops.append(DrawnStop(_drawn_place(reading, None, (lon, lat)), next_m, by_spacing=True))
        at_m = float(metres[-1])
        ends.append(at_m)
        if segment.get("stopAtEnd"):
            if len(stops) > 1 and stops[-1].by_spacing and at_m - stops[-1].metres < _NEAR_SHARE * spacing:
                stops.pop()
            stops.append(DrawnStop(_drawn_place(reading, segment.get("toStopId"), points[-1]), at_m))
    if len(stops) < 2:
        raise reading.fault("its segments have fewer than two stops", "segments")
    return DrawnLine(tuple(stops), tuple(ends))


def _drawn_place(reading: Reading, stop: Any, point: Sequence[float] | NDArray[np.float64]) -> WrittenPlace:
    if stop:
        return reading.id_of(stop, "stops", "stop_id")
    return {"at": (round(float(point[0]), 6), round(float(point[1]), 6)), "name": "New stop"}


def dwell_between(timetable: Mapping[str, Any], line: DrawnLine) -> list[int]:
    """Standing time at each stop of drawn segments: what is given for drawn stops, else the timetable's own."""
    given = list(timetable.get("dwellTimes") or ())
    usual = int(timetable.get("dwellTime") or 0)
    found, drawn = [], 0
    for stop in line.stops:
        own = given[drawn] if not stop.by_spacing and drawn < len(given) else None
        found.append(usual if own is None else int(own))
        drawn += not stop.by_spacing
    return found
