"""Hand-made feeds for the tests of scenarios: stops on a grid of kilometres, trips drawn as text."""

from __future__ import annotations

import datetime as dt
import re

import numpy as np
import pandas as pd

from community_routes.base.times import parse_time
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes

KM_LAT = 1 / 111.19508
"""Degrees of latitude in a kilometre (radius 6,371.0088 km)."""


def stop_table(rows: list[tuple[str, str, float, float]], parents: dict[str, str] | None = None) -> pd.DataFrame:
    """Stops of (id, name, km east, km north) at the equator, where a degree is as long both ways."""
    ids = [row[0] for row in rows]
    parent = [ids.index((parents or {})[stop]) if stop in (parents or {}) else -1 for stop in ids]
    return pd.DataFrame(
        {
            "stop_id": ids,
            "stop_code": "",
            "stop_name": [row[1] for row in rows],
            "lon": [row[2] * KM_LAT for row in rows],
            "lat": [row[3] * KM_LAT for row in rows],
            "location_type": np.array([1 if stop in set((parents or {}).values()) else 0 for stop in ids], np.int8),
            "parent": np.array(parent, np.int32),
            "platform_code": "",
            "wheelchair_boarding": np.zeros(len(rows), np.int8),
        }
    )


def calendar(services: dict[str, str], start: str, end: str, exceptions: list[tuple[str, str, bool]] = ()) -> Calendar:
    """Services of ``{"wk": "1111100"}``, all from start to end, and exceptions (service, date, added)."""
    ids = list(services)
    return Calendar(
        np.array(ids, object),
        np.array([[char == "1" for char in flags] for flags in services.values()], bool).reshape(-1, 7),
        np.array([start] * len(ids), "datetime64[D]"),
        np.array([end] * len(ids), "datetime64[D]"),
        np.array([ids.index(name) for name, _, _ in exceptions], np.int32),
        np.array([date for _, date, _ in exceptions], "datetime64[D]"),
        np.array([added for _, _, added in exceptions], bool),
    )


def make_feed(
    stops: list[tuple[str, str, float, float]],
    trips: list[tuple[str, str, int, str]],
    *,
    services: dict[str, str] | None = None,
    routes: list[tuple[str, str, str]] | None = None,
    exceptions: list[tuple[str, str, bool]] = (),
    frequencies: list[tuple[int, str, str, int]] = (),
    parents: dict[str, str] | None = None,
    dates: tuple[str, str] = ("2024-01-01", "2024-12-29"),
) -> Feed:
    """A feed of trips (route id, service, direction, ``"A 08:00 B 08:07 C 08:15"``), ids ``t0, t1, ...`` in order.

    ``B 08:07/08:08`` arrives at 08:07 and leaves at 08:08. ``routes`` are (id, short name, agency id). Frequencies are
    (trip, start, end, headway in seconds).
    """
    services = services or {"wk": "1111100", "sat": "0000010", "sun": "0000001"}
    table = stop_table(stops, parents)
    stop_row = {stop: row for row, stop in enumerate(table["stop_id"])}
    names = list(dict.fromkeys(trip[0] for trip in trips))
    routes = routes or [(name, name, "A") for name in names]
    route_row = {route[0]: row for row, route in enumerate(routes)}
    agencies = list(dict.fromkeys(route[2] for route in routes)) or ["A"]
    service_row = {name: row for row, name in enumerate(services)}
    stop, arrival, departure, first = [], [], [], [0]
    for _, _, _, text in trips:
        for name, times in re.findall(r"(\S+)\s+(\d\S*)", text):
            arrive, _, leave = times.partition("/")
            stop.append(stop_row[name])
            arrival.append(parse_time(arrive))
            departure.append(parse_time(leave or arrive))
        first.append(len(stop))
    n, n_trips = len(stop), len(trips)
    return Feed(
        agencies=pd.DataFrame(
            {"agency_id": agencies, "agency_name": [f"{a} Buses" for a in agencies], "agency_timezone": "UTC"}
        ),
        stops=table,
        routes=pd.DataFrame(
            {
                "route_id": [route[0] for route in routes],
                "agency": np.array([agencies.index(route[2]) for route in routes], np.int32),
                "route_short_name": [route[1] for route in routes],
                "route_long_name": "",
                "route_type": np.full(len(routes), 3, np.int32),
                "route_color": "",
            }
        ),
        trips=pd.DataFrame(
            {
                "trip_id": [f"t{k}" for k in range(n_trips)],
                "route": np.array([route_row[trip[0]] for trip in trips], np.int32),
                "service": np.array([service_row[trip[1]] for trip in trips], np.int32),
                "direction_id": np.array([trip[2] for trip in trips], np.int8),
                "trip_headsign": "",
                "trip_short_name": "",
                "block_id": "",
                "shape": np.full(n_trips, -1, np.int32),
                "wheelchair_accessible": np.zeros(n_trips, np.int8),
                "source": np.zeros(n_trips, np.int32),
            }
        ),
        calls=Calls(
            np.array(first, np.int64),
            np.array(stop, np.int32),
            np.array(arrival, np.int32),
            np.array(departure, np.int32),
            np.zeros(n, np.int8),
            np.zeros(n, np.int8),
            np.ones(n, bool),
            np.concatenate([np.arange(1, k + 1) for k in np.diff(first)]).astype(np.int32)
            if n
            else np.zeros(0, np.int32),
            np.full(n, np.nan),
        ),
        calendar=calendar(services, dates[0], dates[1], exceptions),
        frequencies=pd.DataFrame(
            {
                "trip": np.array([row[0] for row in frequencies], np.int32),
                "start_s": np.array([parse_time(row[1]) for row in frequencies], np.int32),
                "end_s": np.array([parse_time(row[2]) for row in frequencies], np.int32),
                "headway_s": np.array([row[3] for row in frequencies], np.int32),
                "exact_times": np.zeros(len(frequencies), bool),
            }
        ),
        transfers=pd.DataFrame(
            {
                **{
                    name: np.zeros(0, np.int32)
                    for name in ("from_stop", "to_stop", "from_route", "to_route", "from_trip", "to_trip")
                },
                "transfer_type": np.zeros(0, np.int8),
                "min_transfer_s": np.zeros(0, np.int32),
            }
        ),
        pathways=pd.DataFrame(
            {
                "from_stop": np.zeros(0, np.int32),
                "to_stop": np.zeros(0, np.int32),
                "metres": np.zeros(0),
                "traversal_s": np.zeros(0),
                "both_ways": np.zeros(0, bool),
                "mode": np.zeros(0, np.int8),
            }
        ),
        shapes=Shapes(np.zeros(0, object), np.zeros(1, np.int64), np.zeros(0), np.zeros(0), np.zeros(0)),
        sources=("hand.zip",),
        content_hash="hand",
    )


TUESDAY, SATURDAY, SUNDAY = dt.date(2024, 3, 5), dt.date(2024, 3, 9), dt.date(2024, 3, 10)
WEEK = {"weekday": TUESDAY, "saturday": SATURDAY, "sunday": SUNDAY}


def runs_on(feed: Feed, route_id: str, date: dt.date) -> list[str]:
    """What a rider sees: each trip of the date as ``A 08:00 B 08:07`` (seconds where not 0), in order."""
    from community_routes.base.times import format_time
    from community_routes.scenarios.edit.routes import runs_of, trips_of

    row = feed.routes["route_id"].to_list().index(route_id)
    active = feed.calendar.active(date)
    trips = trips_of(feed, [row])
    trips = trips[active[feed.trips["service"].to_numpy()[trips]]]
    runs = runs_of(feed, trips)
    found = []
    ids = feed.stops["stop_id"]

    def clock(seconds: int) -> str:
        return format_time(seconds, with_seconds=seconds % 60 > 0)

    for trip, start in zip(runs.trip.tolist(), runs.start_s.tolist(), strict=True):
        part = range(feed.calls.first[trip], feed.calls.first[trip + 1])
        shift = start - int(feed.calls.departure_s[part[0]])
        words = []
        for k in part:
            arrive, leave = int(feed.calls.arrival_s[k]) + shift, int(feed.calls.departure_s[k]) + shift
            times = clock(leave) if arrive == leave else f"{clock(arrive)}/{clock(leave)}"
            words.append(f"{ids.iat[int(feed.calls.stop[k])]} {times}")
        found.append((start, " ".join(words)))
    return [words for _, words in sorted(found)]


def same_feed(one: Feed, other: Feed) -> bool:
    """Whether two feeds hold exactly the same."""
    tables = ("agencies", "stops", "routes", "trips", "frequencies", "transfers", "pathways")
    if not all(getattr(one, name).equals(getattr(other, name)) for name in tables):
        return False
    for part in ("calls", "calendar", "shapes"):
        a, b = getattr(one, part), getattr(other, part)
        for name in a.__dataclass_fields__:
            left, right = getattr(a, name), getattr(b, name)
            if left.dtype == object or left.dtype == bool:
                if not np.array_equal(left, right):
                    return False
            elif not np.array_equal(left, right, equal_nan=True):
                return False
    return True
