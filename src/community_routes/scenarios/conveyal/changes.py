"""Each kind of Conveyal's modifications as changes of ours, as they would be written in a scenario file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from community_routes.base.times import DAY, MINUTE, parse_window
from community_routes.scenarios.conveyal.parts import (
    Reading,
    WrittenPlace,
    clock,
    days_of,
    drawn_line,
    dwell_between,
    dwell_of,
    place_of,
    window_of,
    window_of_departures,
)
from community_routes.scenarios.edit.routes import directions, runs_of, trips_of
from community_routes.scenarios.values import KINDS_OF_DAY

Written = dict[str, dict[str, Any]]
"""A change as it is written in a scenario file: its key and its fields."""
_NEVER_S = 4 * DAY
_MODES = {0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry"}


@dataclass
class _Service:
    """What runs with the same times between the same stops."""

    stops: list[WrittenPlace]
    hop_s: list[float]
    dwell_s: list[int]
    service: dict[str, dict[str, Any]] = field(default_factory=dict)


def _add_trips(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    """A new route; entries of different run times become routes of their own."""
    stops = [place_of(reading, stop) for stop in item["stops"]]
    groups: dict[Any, _Service] = {}
    for entry in item["frequencies"]:
        hops, dwell = ([int(value) for value in entry[key]] for key in ("hopTimes", "dwellTimes"))
        group = groups.setdefault((*hops, -1, *dwell), _Service(stops, [float(hop) for hop in hops], dwell))
        _add_service(reading, group, entry, "frequencies")
    return _new_routes(reading, item, item.get("mode", 3), list(groups.values()))


def _add_trip_pattern(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    """The same, drawn: stops along segments, run times from a speed for each."""
    line = drawn_line(reading, item["segments"])
    groups: dict[Any, _Service] = {}
    for entry in item["timetables"]:
        hops, dwell = line.hop_seconds(entry.get("segmentSpeeds") or ()), dwell_between(entry, line)
        group = groups.setdefault((*hops, -1, *dwell), _Service([stop.place for stop in line.stops], hops, dwell))
        _add_service(reading, group, entry, "timetables")
    reading.note("run times follow the drawn line and its speeds, rounded to whole seconds at the end only", "segments")
    return _new_routes(
        reading, item, item.get("transitMode") if item.get("transitMode") is not None else 3, list(groups.values())
    )


def _add_service(reading: Reading, group: _Service, entry: Mapping[str, Any], part: str) -> None:
    """Periods or departures of an entry, on each of its days."""
    days = days_of(entry)
    if not days:
        raise reading.fault("an entry runs on no day", part)
    if entry.get("phaseFromTimetable"):
        message = "phasing from another timetable is left out; write phase: {meet: ROUTE at STOP} where it matters"
        reading.note(message, part)
    for day in days:
        periods = group.service.setdefault(day, {})
        if entry.get("firstDepartures") is not None:
            times = [clock(int(value)) for value in entry["firstDepartures"]]
            periods["departures"] = [*periods.get("departures", []), *times]
        else:
            window, headway = window_of(reading, entry)
            periods[window] = headway
            if not entry.get("exactTimes"):
                reading.note_once(
                    "buses of a headway leave at the start of the period here; there they leave at random within the headway"
                )


def _new_routes(reading: Reading, item: Mapping[str, Any], mode: Any, groups: Sequence[_Service]) -> list[Written]:
    name = str(item.get("comment") or item.get("name") or f"New {reading.number + 1}")
    if int(mode) not in _MODES:
        reading.note(f"a route of type {mode} is taken for a bus", "mode")
    made: list[Written] = []
    for number, group in enumerate(groups):
        content = {
            "name": name if number == 0 else f"{name} {number + 1}",
            "stops": group.stops,
            "both_ways": bool(item.get("bidirectional", True)),
            "run_times_min": [round(max(hop, 1)) / MINUTE for hop in group.hop_s],
            "dwell_s": dwell_of(reading, group.dwell_s[1:-1]),
            "service": group.service,
            "mode": _MODES.get(int(mode), "bus"),
        }
        made.append({"add_route": content})
    return made


def _remove_trips(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    return [{"withdraw_route": {"route": route}} for route in reading.routes(item)]


def _adjust_frequency(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    """New periods for the direction of each template trip; then what runs outside them goes, unless it is retained."""
    route = reading.routes(item)[0]
    row = reading.row(route)
    trips = trips_of(reading.feed, [row])
    ways = dict(
        zip(reading.feed.trips["trip_id"].to_numpy()[trips], directions(reading.feed, trips).tolist(), strict=True)
    )
    service: dict[int, dict[str, dict[str, float]]] = {}
    for entry in item["entries"]:
        source = reading.id_of(entry["sourceTrip"], "trips", "trip_id")
        if source not in ways:
            raise reading.fault(f"the trip {source!r} is none of the route {route!r}", "entries")
        if entry.get("firstDepartures") is not None:
            window, headway = window_of_departures(reading, entry["firstDepartures"])
        else:
            window, headway = window_of(reading, entry)
        for day in days_of(entry):
            service.setdefault(int(ways[source]), {}).setdefault(day, {})[window] = headway
    reading.note(
        "each new trip copies the stops and run times that most trips of the period have, not those of one template trip"
    )
    made: list[Written] = [
        {"set_headway": {"route": route, "direction": way, "service": by_day}}
        for way, by_day in sorted(service.items())
    ]
    if not item.get("retainTripsOutsideFrequencyEntries", False):
        made.extend(_outside(reading, route, row, service))
    return made


def _outside(
    reading: Reading, route: str, row: int, service: Mapping[int, Mapping[str, Mapping[str, float]]]
) -> list[Written]:
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
    made: list[Written] = []
    for day in ("weekday", "saturday", "sunday"):
        starts = runs.start_s[weekdays[:, sorted(KINDS_OF_DAY[day])].any(axis=1)]
        low = 0
        for start, end in [*sorted(covered.get(day, ())), (_NEVER_S, _NEVER_S)]:
            if ((starts >= low) & (starts < start)).any():
                content = {"route": route, "days": [day], "from": clock(low), "to": clock(start)}
                made.append({"withdraw_route": content})
            low = max(low, end)
    return made


def _adjust_speed(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    """Another speed on whole routes, or on single hops in their direction."""
    factor = float(item["scale"])
    made: list[Written] = []
    for route in reading.routes(item):
        if not item.get("hops"):
            made.append({"change_speed": {"route": route, "factor": factor}})
            if item.get("scaleDwells") and _stands(reading, route):
                made.append({"change_dwell": {"route": route, "factor": 1 / factor}})
        elif item.get("scaleDwells"):
            reading.note("standing times stay as they are; change_dwell changes them", "scaleDwells")
        for hop in item.get("hops") or ():
            a, b = (reading.id_of(stop, "stops", "stop_id") for stop in hop)
            way = _way_of(reading, route, _next_to(a, b))
            if way is not None:
                content = {"route": route, "factor": factor, "between": [a, b], "direction": way}
                made.append({"change_speed": content})
    if not made:
        raise reading.fault("none of its routes goes along its hops", "hops")
    return made


def _stands(reading: Reading, route: str) -> bool:
    """Whether a route stands at any stop on its way, as far as the timetable tells."""
    feed = reading.feed
    first = feed.calls.first
    parts = [slice(int(first[trip]), int(first[trip + 1])) for trip in trips_of(feed, [reading.row(route)])]
    return any((feed.calls.departure_s[part] > feed.calls.arrival_s[part]).any() for part in parts)


def _next_to(a: str, b: str) -> Callable[[list[str]], bool]:
    """Whether some stops lead from one straight to another."""
    return lambda stops: (a, b) in pairwise(stops)


def _way_of(reading: Reading, route: str, fits: Callable[[list[str]], bool]) -> int | None:
    """The direction of the first trip of a route whose stops fit; None where none does."""
    feed = reading.feed
    ids = feed.stops["stop_id"].to_numpy()
    trips = trips_of(feed, [reading.row(route)])
    for trip, way in zip(trips.tolist(), directions(feed, trips).tolist(), strict=True):
        if fits(ids[feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]].tolist()):
            return int(way)
    return None


def _adjust_dwell(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    stops = [reading.id_of(stop, "stops", "stop_id") for stop in item.get("stops") or ()]
    if "value" in item:  # as drawn: ``scale`` says what the value is
        value: dict[str, Any] = {"factor" if item.get("scale") else "dwell_s": item["value"]}
    else:
        seconds = int(item.get("dwellSecs", -1))
        value = {"dwell_s": seconds} if seconds >= 0 else {"factor": float(item["scale"])}
    return [{"change_dwell": {"route": route, "stops": stops or None, **value}} for route in reading.routes(item)]


def _remove_stops(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    stops = [reading.id_of(stop, "stops", "stop_id") for stop in item["stops"]]
    saves = int(item.get("secondsSavedAtEachStop", 0))
    reading.note("the standing time at a stop that is passed is not saved by itself; saves_s can hold it", "stops")
    return [{"remove_stops": {"route": route, "stops": stops, "saves_s": saves}} for route in reading.routes(item)]


def _reroute(reading: Reading, item: Mapping[str, Any]) -> list[Written]:
    """Another way between two stops, in the direction in which the route has them."""
    if not (item.get("fromStop") and item.get("toStop")):
        raise reading.fault(
            "a reroute without fromStop or toStop cuts the route; use extend_route or remove_stops", "fromStop"
        )
    a, b = (reading.id_of(item[key], "stops", "stop_id") for key in ("fromStop", "toStop"))
    via, hop_s, dwell_s = _new_way(reading, item)
    hops = tuple(round(max(value, 1)) / MINUTE for value in hop_s)
    dwell = dwell_of(reading, dwell_s)
    made: list[Written] = []
    for route in reading.routes(item):
        way = _way_of(reading, route, lambda stops: a in stops and b in stops[stops.index(a) + 1 :])
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
        made.append({"reroute": content})
    return made


def _new_way(reading: Reading, item: Mapping[str, Any]) -> tuple[list[WrittenPlace], list[float], list[int]]:
    """New stops of a reroute, the driving times from stop to stop, and the standing times at the new ones."""
    if item.get("segments"):
        line = drawn_line(reading, item["segments"])
        reading.note(
            "run times follow the drawn line and its speeds, rounded to whole seconds at the end only", "segments"
        )
        hops = line.hop_seconds(item.get("segmentSpeeds") or ())
        return [stop.place for stop in line.stops[1:-1]], hops, dwell_between(item, line)[1:-1]
    via = [place_of(reading, stop) for stop in item.get("stops") or ()]
    dwell = [int(value) for value in item.get("dwellTimes") or ()]
    # The standing times may be those of the new stops alone, or of both ends too.
    dwell = dwell if len(dwell) <= len(via) else dwell[1:-1]
    return via, [float(value) for value in item["hopTimes"]], dwell


READERS: dict[str, Callable[[Reading, Mapping[str, Any]], list[Written]]] = {
    "add-trips": _add_trips,
    "add-trip-pattern": _add_trip_pattern,
    "remove-trips": _remove_trips,
    "reroute": _reroute,
    "add-stops": _reroute,
    "adjust-frequency": _adjust_frequency,
    "convert-to-frequency": _adjust_frequency,
    "adjust-speed": _adjust_speed,
    "adjust-dwell-time": _adjust_dwell,
    "remove-stops": _remove_stops,
}
"""What can be read, as the scenario of a search names it and as the drawing page does."""
CURES = {
    "add-streets": "draw each new way as a line and write add_path",
    "modify-streets": "write close_path with the number of the way",
    "road-congestion": "cars are not searched here; change_speed slows buses down",
    "pickup-delay": "a service on demand is add_drt, with its zone, wait and vehicles",
    "pickup-wait-times": "a service on demand is add_drt, with its zone, wait and vehicles",
    "set-fare-calculator": "fares stand under `fares` in the study file; change_fare changes them",
    "transfer-rule": "rules for changing are read from transfers.txt of the timetable",
    "select-link": "it asks a question about results and changes nothing",
    "custom": "nobody but its author knows what it means",
}
"""What cannot be read, and what to write instead."""
