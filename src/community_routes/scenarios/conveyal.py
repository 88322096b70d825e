"""Scenario files of Conveyal Analysis (R5) as scenarios of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from community_routes.errors import ScenarioError
from community_routes.notices import Notice, declare, raise_on_errors
from community_routes.scenarios.changes import (
    AddRoute,
    Change,
    ChangeDwell,
    ChangeSpeed,
    RemoveStops,
    Reroute,
    SetHeadway,
    WithdrawRoute,
)
from community_routes.scenarios.changes_routes import directions, runs_of, trips_of
from community_routes.scenarios.changes_values import KINDS_OF_DAY
from community_routes.scenarios.scenario import Scenario
from community_routes.sources.feed import Feed
from community_routes.times import DAY, MINUTE, format_time, parse_window

CONVEYAL = declare("conveyal", "error", "A part of a Conveyal scenario cannot be said in a scenario of this program.")
CONVEYAL_NOTE = declare("conveyal_note", "warning", "A part of a Conveyal scenario is read in a slightly other sense.")
MAX_BYTES = 20_000_000
_NEVER_S = 4 * DAY
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MODES = {0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry"}


def read_conveyal(path: str | Path, feed: Feed, *, notices: list[Notice] | None = None) -> Scenario:
    """Read a Conveyal scenario (JSON with ``modifications``) as a scenario.

    ``add-trips``, ``remove-trips`` (of routes), ``reroute`` (between two stops), ``adjust-frequency``, ``adjust-speed``,
    ``adjust-dwell-time`` and ``remove-stops`` are understood. Ids may have the feed's id and a colon in front.

    Parameters
    ----------
    path : path
    feed : Feed
        The timetable that the scenario is about: which way a template trip goes, and what runs outside new periods, is not in
        the file.
    notices : list, optional
        Receives every finding.

    Raises
    ------
    ScenarioError
        The file is no such scenario, or holds what cannot be said; all of it at once.
    """
    path = Path(path)
    reading = _Reading(path.name, feed)
    content = _content(path)
    changes: list[Change] = []
    for number, item in enumerate(content["modifications"]):
        reading.number = number
        if not isinstance(item, Mapping):
            reading.fault("this is no modification")
            continue
        kind = str(item.get("type", ""))
        read = _READERS.get(kind)
        if read is None:
            reading.fault(f"modifications of the type {kind!r} cannot be read; {', '.join(_READERS)} can", "type")
            continue
        try:
            changes.extend(read(reading, item))
        except _Unreadable:
            continue
        except ValidationError as fault:
            for error in fault.errors(include_url=False):
                cause = error.get("ctx", {}).get("error")
                reading.fault(f"{kind}: {cause or error['msg']}")
        except (KeyError, TypeError, ValueError) as fault:
            reading.fault(
                f"{kind}: {type(fault).__name__}: {fault}; a field is missing or of another kind than expected"
            )
    if notices is not None:
        notices.extend(reading.found)
    raise_on_errors(reading.found, ScenarioError)
    name = "".join(char if char.isalnum() or char in "-_" else "-" for char in path.stem).strip("-_") or "conveyal"
    title = str(content.get("description") or content.get("name") or path.stem)
    return Scenario(scenario=name[:64], title=title, changes=tuple(changes))


def _content(path: Path) -> Mapping[str, Any]:
    """The JSON object with its list of modifications."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ScenarioError(f"{path.name}: larger than {MAX_BYTES:,} bytes, so it is no scenario")
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise ScenarioError(f"{path.name}: cannot be read: {fault.strerror or fault}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as fault:
        raise ScenarioError(f"{path.name}: is no JSON in UTF-8: {fault}") from None
    inner = content.get("scenario", content) if isinstance(content, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(inner.get("modifications"), list):
        raise ScenarioError(f"{path.name}: has no list of modifications, so it is no Conveyal scenario")
    return inner


class _Unreadable(Exception):  # noqa: N818 - no error of a user's: its notices are recorded already
    """A modification cannot be read; why has been recorded."""


@dataclass
class _Reading:
    file: str
    feed: Feed
    number: int = 0
    found: list[Notice] = field(default_factory=list)

    def fault(self, message: str, part: str = "") -> _Unreadable:
        """Record a fault; the exception to raise."""
        where = f"modifications[{self.number + 1}]{f'.{part}' if part else ''}"
        self.found.append(CONVEYAL.at(self.file, field=where, message=message))
        return _Unreadable(message)

    def note(self, message: str, part: str = "") -> None:
        """Record a difference in meaning."""
        where = f"modifications[{self.number + 1}]{f'.{part}' if part else ''}"
        self.found.append(CONVEYAL_NOTE.at(self.file, field=where, message=message))

    def id_of(self, text: Any, table: str, column: str) -> str:
        """An id of the feed, with or without the feed's id in front."""
        known = set(getattr(self.feed, table)[column])
        whole = str(text)
        for wanted in (whole, whole.partition(":")[2]):
            if wanted and wanted in known:
                return wanted
        raise self.fault(f"there is no {column} {whole!r} in the timetable")

    def routes(self, item: Mapping[str, Any]) -> list[str]:
        """The routes of a modification; single trips and patterns cannot be named in a scenario of ours."""
        for key in ("patterns", "trips"):
            if item.get(key):
                raise self.fault(f"names single {key}; only whole routes can be changed, name routes instead", key)
        given = item.get("routes") or ([item["route"]] if item.get("route") else [])
        if not given:
            raise self.fault("names no routes", "routes")
        return [self.id_of(route, "routes", "route_id") for route in given]

    def row(self, route: str) -> int:
        """Row of a route."""
        return int(np.flatnonzero(self.feed.routes["route_id"].to_numpy() == route)[0])


def _days(entry: Mapping[str, Any]) -> list[str]:
    """Our keys of the days for which a timetable entry is switched on."""
    on = [day for day in _DAYS if entry.get(day)]
    if all(day in on for day in _DAYS[:5]):
        return ["weekday", *(day for day in on if day in ("saturday", "sunday"))]
    return on


def _window(reading: _Reading, entry: Mapping[str, Any]) -> tuple[str, float]:
    """Period and minutes between buses of an entry."""
    start, end, headway = (int(entry.get(key, -1)) for key in ("startTime", "endTime", "headwaySecs"))
    if start < 0 or end <= start or headway <= 0:
        raise reading.fault("an entry needs startTime, endTime after it and headwaySecs above 0", "entries")
    return f"{_clock(start)}-{_clock(end)}", headway / MINUTE


def _place(reading: _Reading, stop: Mapping[str, Any]) -> Any:
    """A stop of the feed by its id, or a new one at coordinates."""
    if stop.get("id"):
        return reading.id_of(stop["id"], "stops", "stop_id")
    return {"at": (float(stop["lon"]), float(stop["lat"])), "name": str(stop.get("name") or "New stop")}


def _dwell(reading: _Reading, times: Sequence[Any]) -> int:
    """One standing time for all stops: the only one given, or the mean."""
    seconds = [int(value) for value in times]
    if len(set(seconds)) > 1:
        reading.note(
            f"standing times differ from stop to stop; their mean of {round(float(np.mean(seconds)))} s is used at each",
            "dwellTimes",
        )
    return round(float(np.mean(seconds))) if seconds else 0


def _add_trips(reading: _Reading, item: Mapping[str, Any]) -> list[Change]:
    """A new route; entries of different run times become routes of their own."""
    stops = [_place(reading, stop) for stop in item["stops"]]
    name = str(item.get("comment") or item.get("name") or f"New {reading.number + 1}")
    groups: dict[tuple[tuple[int, ...], tuple[int, ...]], dict[str, dict[str, Any]]] = {}
    for entry in item["frequencies"]:
        hops = tuple(int(value) for value in entry["hopTimes"])
        dwell = tuple(int(value) for value in entry["dwellTimes"])
        service = groups.setdefault((hops, dwell), {})
        days = _days(entry)
        if not days:
            raise reading.fault("an entry runs on no day", "frequencies")
        if entry.get("phaseFromTimetable"):
            reading.note(
                "phasing from another timetable is left out; write phase: {meet: ROUTE at STOP} where it matters",
                "frequencies",
            )
        for day in days:
            periods = service.setdefault(day, {})
            if entry.get("firstDepartures") is not None:
                times = [format_time(int(value)) for value in entry["firstDepartures"]]
                periods["departures"] = [*periods.get("departures", []), *times]
            else:
                window, headway = _window(reading, entry)
                periods[window] = headway
    reading.note(
        "buses of a headway leave at the start of the period here; there they leave at random within the headway"
    )
    made: list[Change] = []
    for number, ((hops, dwell), service) in enumerate(groups.items()):
        content = {
            "name": name if number == 0 else f"{name} {number + 1}",
            "stops": stops,
            "both_ways": bool(item.get("bidirectional", True)),
            "run_times_min": [max(hop, 1) / MINUTE for hop in hops],
            "dwell_s": _dwell(reading, dwell[1:-1]),
            "service": service,
            "mode": _MODES.get(int(item.get("mode", 3)), "bus"),
        }
        made.append(AddRoute.model_validate(content))
    return made


def _remove_trips(reading: _Reading, item: Mapping[str, Any]) -> list[Change]:
    return [WithdrawRoute(route=route) for route in reading.routes(item)]


def _adjust_frequency(reading: _Reading, item: Mapping[str, Any]) -> list[Change]:
    """New periods for the direction of each template trip; then what runs outside them goes, unless it is retained."""
    route = reading.routes(item)[0]
    row = reading.row(route)
    trips = trips_of(reading.feed, [row])
    ways = dict(
        zip(reading.feed.trips["trip_id"].to_numpy()[trips], directions(reading.feed, trips).tolist(), strict=True)
    )
    service: dict[int, dict[str, dict[str, float]]] = {}
    for entry in item["entries"]:
        if entry.get("firstDepartures") is not None:
            raise reading.fault(
                "single departures cannot be set on a route that exists; add them as a new route", "entries"
            )
        source = reading.id_of(entry["sourceTrip"], "trips", "trip_id")
        if source not in ways:
            raise reading.fault(f"the trip {source!r} is none of the route {route!r}", "entries")
        window, headway = _window(reading, entry)
        for day in _days(entry):
            service.setdefault(int(ways[source]), {}).setdefault(day, {})[window] = headway
    reading.note(
        "each new trip copies the stops and run times that most trips of the period have, not those of one template trip"
    )
    made: list[Change] = [
        SetHeadway.model_validate({"route": route, "direction": way, "service": by_day})
        for way, by_day in sorted(service.items())
    ]
    if not item.get("retainTripsOutsideFrequencyEntries", False):
        made.extend(_outside(reading, route, row, service))
    return made


def _outside(
    reading: _Reading, route: str, row: int, service: Mapping[int, Mapping[str, Mapping[str, float]]]
) -> list[Change]:
    """Withdrawals of what the route runs outside the new periods, both directions together."""
    covered: dict[str, set[tuple[int, int]]] = {}
    for days in service.values():
        for day, periods in days.items():
            covered.setdefault(day, set()).update(parse_window(window) for window in periods)
    if any(set(map(parse_window, days.get(day, {}))) != covered[day] for days in service.values() for day in covered):
        message = "the two directions have different periods; what runs outside the periods of both is withdrawn"
        reading.note(message, "entries")
    runs = runs_of(reading.feed, trips_of(reading.feed, [row]))
    weekdays = reading.feed.calendar.weekdays[reading.feed.trips["service"].to_numpy()[runs.trip]]
    made: list[Change] = []
    for day in ("weekday", "saturday", "sunday"):
        starts = runs.start_s[weekdays[:, sorted(KINDS_OF_DAY[day])].any(axis=1)]
        low = 0
        for start, end in [*sorted(covered.get(day, ())), (_NEVER_S, _NEVER_S)]:
            if ((starts >= low) & (starts < start)).any():
                content = {"route": route, "days": [day], "from": _clock(low), "to": _clock(start)}
                made.append(WithdrawRoute.model_validate(content))
            low = max(low, end)
    return made


def _clock(seconds: int) -> str:
    return format_time(seconds, with_seconds=seconds % MINUTE > 0)


def _adjust_speed(reading: _Reading, item: Mapping[str, Any]) -> list[Change]:
    """Another speed on whole routes, or on single hops in their direction."""
    if item.get("scaleDwells"):
        reading.note("standing times stay as they are; change_dwell changes them", "scaleDwells")
    factor = float(item["scale"])
    made: list[Change] = []
    for route in reading.routes(item):
        if not item.get("hops"):
            made.append(ChangeSpeed(route=route, factor=factor))
        for hop in item.get("hops") or ():
            a, b = (reading.id_of(stop, "stops", "stop_id") for stop in hop)
            way = _way_of(reading, route, a, b)
            if way is not None:
                content = {"route": route, "factor": factor, "between": [a, b], "direction": way}
                made.append(ChangeSpeed.model_validate(content))
    if not made:
        raise reading.fault("none of its routes goes along its hops", "hops")
    return made


def _way_of(reading: _Reading, route: str, a: str, b: str) -> int | None:
    """The direction in which a route goes from one stop straight to another."""
    feed = reading.feed
    ids = feed.stops["stop_id"].to_numpy()
    trips = trips_of(feed, [reading.row(route)])
    for trip, way in zip(trips.tolist(), directions(feed, trips).tolist(), strict=True):
        stops = ids[feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]].tolist()
        if any(pair == (a, b) for pair in pairwise(stops)):
            return int(way)
    return None


def _adjust_dwell(reading: _Reading, item: Mapping[str, Any]) -> list[Change]:
    stops = [reading.id_of(stop, "stops", "stop_id") for stop in item.get("stops") or ()]
    seconds = int(item.get("dwellSecs", -1))
    value: dict[str, Any] = {"dwell_s": seconds} if seconds >= 0 else {"factor": float(item["scale"])}
    return [
        ChangeDwell.model_validate({"route": route, "stops": stops or None, **value}) for route in reading.routes(item)
    ]


def _remove_stops(reading: _Reading, item: Mapping[str, Any]) -> list[Change]:
    stops = [reading.id_of(stop, "stops", "stop_id") for stop in item["stops"]]
    saves = int(item.get("secondsSavedAtEachStop", 0))
    reading.note("the standing time at a stop that is passed is not saved by itself; saves_s can hold it", "stops")
    return [
        RemoveStops.model_validate({"route": route, "stops": stops, "saves_s": saves}) for route in reading.routes(item)
    ]


def _reroute(reading: _Reading, item: Mapping[str, Any]) -> list[Change]:
    """Another way between two stops, in the direction in which the route has them."""
    if not (item.get("fromStop") and item.get("toStop")):
        raise reading.fault(
            "a reroute without fromStop or toStop cuts the route; use extend_route or remove_stops", "fromStop"
        )
    a, b = (reading.id_of(item[key], "stops", "stop_id") for key in ("fromStop", "toStop"))
    via = tuple(_place(reading, stop) for stop in item.get("stops") or ())
    hops = tuple(max(int(value), 1) / MINUTE for value in item["hopTimes"])
    dwell = _dwell(reading, list(item.get("dwellTimes") or ())[1:-1])
    made: list[Change] = []
    for route in reading.routes(item):
        way = _direction_between(reading, route, a, b)
        if way is None:
            raise reading.fault(f"the route {route!r} does not go from {a!r} to {b!r}", "fromStop")
        content = {
            "route": route,
            "from": a,
            "to": b,
            "via": via,
            "run_times_min": hops,
            "dwell_s": dwell,
            "direction": way,
        }
        made.append(Reroute.model_validate(content))
    return made


def _direction_between(reading: _Reading, route: str, a: str, b: str) -> int | None:
    """The direction in which a route calls at one stop and later at another."""
    feed = reading.feed
    ids = feed.stops["stop_id"].to_numpy()
    trips = trips_of(feed, [reading.row(route)])
    for trip, way in zip(trips.tolist(), directions(feed, trips).tolist(), strict=True):
        stops = ids[feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]].tolist()
        if a in stops and b in stops[stops.index(a) + 1 :]:
            return int(way)
    return None


_READERS: dict[str, Callable[[_Reading, Mapping[str, Any]], list[Change]]] = {
    "add-trips": _add_trips,
    "remove-trips": _remove_trips,
    "reroute": _reroute,
    "adjust-frequency": _adjust_frequency,
    "adjust-speed": _adjust_speed,
    "adjust-dwell-time": _adjust_dwell,
    "remove-stops": _remove_stops,
}
