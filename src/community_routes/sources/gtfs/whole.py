"""Checks of a whole timetable: what is written correctly but cannot be, or would mislead."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.earth import EARTH_RADIUS_M, great_circle_m
from community_routes.base.notices import declare
from community_routes.base.times import DAY, format_time
from community_routes.sources.gtfs.columns import Findings
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, weekday_of
from community_routes.sources.gtfs.trips import basic_route_type

IMPOSSIBLE_SPEED = declare(
    "impossible_speed", "warning", "A trip would have to go faster between two stops than its kind of vehicle can."
)
CALL_AT_STATION = declare(
    "call_at_station", "warning", "A trip calls at a station, entrance or other place that is no stop or platform."
)
UNUSED_STOPS = declare("unused_stops", "info", "Stops and stations that no trip calls at; nobody can board there.")
ARRANGED_BOARDING = declare(
    "arranged_boarding", "info", "Calls where boarding or alighting must be arranged; they count as ordinary calls."
)
MIXED_TIME_ZONES = declare(
    "mixed_time_zones",
    "error",
    "Agencies have different clock times, so their timetables cannot be joined as they are.",
)
TIME_ZONE_NAMES = declare(
    "time_zone_names", "warning", "Agencies name different time zones with the same clock time, or one that is unknown."
)
CLOSE_STOPS = declare("close_stops", "info", "Stops at almost one place; one stop may be in the feed under two ids.")
SERVICE_NEVER_RUNS = declare(
    "service_never_runs", "warning", "A service has no day on which it runs; its trips never run.", outcome="left out"
)
ROUTE_WITHOUT_NAME = declare(
    "route_without_name", "info", "A route has neither a short nor a long name; it is called by its id."
)
BEYOND_TWO_DAYS = declare(
    "beyond_two_days", "warning", "Calls lie two days or more after the service date began; no search finds them."
)
UNUSED_ROUTES = declare("unused_routes", "info", "Routes without a usable trip.")

_KMH = {0: 100, 1: 150, 2: 400, 3: 130, 4: 120, 5: 50, 6: 60, 7: 60, 11: 130, 12: 150, 1100: 1200}
"""Faster than any scheduled vehicle of the basic type, with the stops' distance as the crow flies."""
_ROUNDED_S = 60
_CLOSE_M = 2.0


def check_speeds(
    calls: Calls,
    line: NDArray[np.int64],
    route_type_of_trip: NDArray[np.int64],
    stops: pd.DataFrame,
    trip_ids: NDArray[np.object_],
    findings: Findings,
) -> None:
    """Note hops, and whole trips, that no vehicle makes, allowing a minute because times are often whole minutes."""
    if len(calls) < 2:
        return
    trip = np.repeat(np.arange(len(trip_ids)), np.diff(calls.first))
    lon, lat = stops["lon"].to_numpy(), stops["lat"].to_numpy()
    a, b = calls.stop[:-1], calls.stop[1:]
    limits = np.array([_KMH.get(int(kind), max(_KMH.values())) for kind in basic_route_type(route_type_of_trip)])
    metres = great_circle_m(lon[a], lat[a], lon[b], lat[b])
    inside = trip[1:] == trip[:-1]
    metres = np.where(inside & ~np.isnan(metres), metres, 0.0)
    seconds = calls.arrival_s[1:].astype(np.int64) - calls.departure_s[:-1] + _ROUNDED_S
    wrong = np.flatnonzero(inside & (metres * 3.6 > limits[trip[1:]] * seconds))

    def message(i: int) -> str:
        k = wrong[i]
        return (
            f"trip {trip_ids[trip[k]]!r} goes {metres[k] / 1000:.1f} km from {stops['stop_name'].iat[a[k]]!r} to "
            f"{stops['stop_name'].iat[b[k]]!r} between {format_time(calls.departure_s[k])} and "
            f"{format_time(calls.arrival_s[k + 1])}; a time, a stop's place or the route_type is wrong. It was kept"
        )

    findings.rows(IMPOSSIBLE_SPEED, "stop_times.txt", line[wrong + 1], message, field="arrival_time")
    # Many short hops of no minutes at all, each within the rounding, make a trip that flies.
    runs = np.flatnonzero(np.diff(calls.first) >= 2)
    start, end = calls.first[runs], calls.first[runs + 1] - 1
    way = np.concatenate([[0.0], np.cumsum(metres)])
    length = way[end] - way[start]
    lasts = calls.arrival_s[end].astype(np.int64) - calls.departure_s[start] + _ROUNDED_S
    flying = np.flatnonzero((length * 3.6 > limits[runs] * lasts) & ~np.isin(runs, trip[wrong]))
    findings.rows(
        IMPOSSIBLE_SPEED,
        "stop_times.txt",
        line[end[flying]],
        lambda i: (
            f"trip {trip_ids[runs[flying[i]]]!r} makes {length[flying[i]] / 1000:.1f} km from stop to stop in "
            f"{int(lasts[flying[i]]) - _ROUNDED_S} s; its times are wrong. It was kept"
        ),
        field="arrival_time",
    )


def mend_station_calls(feed_stops: pd.DataFrame, calls: Calls, findings: Findings) -> pd.DataFrame:
    """Stops in which stations that trips call at, and that have no platforms, count as stops."""
    kind = feed_stops["location_type"].to_numpy()
    served = np.unique(calls.stop)
    odd = served[kind[served] != 0]
    if not len(odd):
        return feed_stops
    has_platforms = np.isin(odd, feed_stops["parent"].to_numpy())
    mended = feed_stops.copy()
    for stop, station_with_platforms in zip(odd.tolist(), has_platforms.tolist(), strict=True):
        name = feed_stops["stop_id"].iat[stop]
        if station_with_platforms:
            done = "nobody can board there. Name one of its platforms instead"
        else:
            done = "it counts as a stop"
            mended.loc[stop, "location_type"] = 0
        message = f"trips call at {name!r}, whose location_type {kind[stop]} is no stop or platform; {done}"
        findings.add(CALL_AT_STATION, "stop_times.txt", message=message, field="stop_id", value=name)
    return mended


def check_use(feed: Feed, findings: Findings) -> None:
    """Note stops and routes that nothing serves, and calls that must be arranged."""
    needed = np.zeros(len(feed.stops), np.bool_)
    needed[feed.calls.stop] = True
    parent = feed.stops["parent"].to_numpy()
    needed[parent[needed & (parent >= 0)]] = True
    needed |= (parent >= 0) & needed[parent]  # entrances and platforms of a station in use
    idle = feed.stops[~needed]
    if len(idle):
        message = f"{len(idle):,} of {len(feed.stops):,} stops and stations are served by no trip"
        if idle["lat"].notna().any():
            lat, lon = idle["lat"], idle["lon"]
            message += (
                f"; they lie between latitude {lat.min():.2f} and {lat.max():.2f}, "
                f"longitude {lon.min():.2f} and {lon.max():.2f}"
            )
        findings.add(UNUSED_STOPS, "stops.txt", message=message, value=len(idle))
    with_trip = np.zeros(len(feed.routes), np.bool_)
    with_trip[feed.trips["route"].to_numpy()] = True
    if not with_trip.all():
        names = feed.routes["route_short_name"].where(feed.routes["route_short_name"] != "", feed.routes["route_id"])
        listed = ", ".join(names[~with_trip].head(5))
        count = int(np.count_nonzero(~with_trip))
        more = " and others" if count > 5 else ""
        message = f"{count:,} of {len(feed.routes):,} routes have no usable trip: {listed}{more}"
        findings.add(UNUSED_ROUTES, "routes.txt", message=message, value=count)
    _check_names(feed, findings)
    late = np.flatnonzero(feed.calls.arrival_s >= 2 * DAY)
    if len(late):
        clock = format_time(int(feed.calls.arrival_s.max()))
        message = (
            f"{len(late):,} calls lie at 48:00:00 or later (the last at {clock}); a date knows the trips of itself, the "
            "day before and the day after, so these are not found"
        )
        findings.add(BEYOND_TWO_DAYS, "stop_times.txt", message=message, field="arrival_time", value=clock)
    arranged = int(np.count_nonzero((feed.calls.pickup_type >= 2) | (feed.calls.drop_off_type >= 2)))
    if arranged:
        message = f"{arranged:,} calls need a phone call or a word with the driver; they count as ordinary calls"
        findings.add(ARRANGED_BOARDING, "stop_times.txt", message=message, value=arranged)


def _check_names(feed: Feed, findings: Findings) -> None:
    nameless = np.flatnonzero((feed.routes["route_short_name"] == "") & (feed.routes["route_long_name"] == ""))
    ids = feed.routes["route_id"].to_numpy(dtype=object)[nameless]
    message = "route '{value}' has neither a short nor a long name; it is called by its id"
    lines = np.zeros(len(nameless), np.int64)
    findings.rows(ROUTE_WITHOUT_NAME, "routes.txt", lines, message, field="route_short_name", values=ids)


def check_services(feed: Feed, findings: Findings) -> None:
    """Note services that trips name but that have no day at all."""
    calendar = feed.calendar
    runs = calendar.weekdays.any(axis=1) & (calendar.end >= calendar.start)
    runs[calendar.exception_service[calendar.exception_added]] = True
    trips = np.bincount(feed.trips["service"].to_numpy(), minlength=len(runs))
    idle = np.flatnonzero(~runs & (trips > 0))
    findings.rows(
        SERVICE_NEVER_RUNS,
        "calendar.txt",
        np.zeros(len(idle), np.int64),
        lambda i: f"service {calendar.service_id[idle[i]]!r} has no day, so its {trips[idle[i]]:,} trips never run",
        field="service_id",
        values=calendar.service_id[idle],
    )


def check_close_stops(stops: pd.DataFrame, findings: Findings) -> None:
    """Note stops so near to one another that one place may have been entered twice (they share a square of 2 m)."""
    lon, lat = stops["lon"].to_numpy(), stops["lat"].to_numpy()
    at = np.flatnonzero((stops["location_type"].to_numpy() == 0) & ~np.isnan(lon))
    if len(at) < 2:
        return
    north = np.radians(lat[at]) * EARTH_RADIUS_M / _CLOSE_M
    east = np.radians(lon[at]) * EARTH_RADIUS_M * np.cos(np.radians(np.mean(lat[at]))) / _CLOSE_M
    close = np.zeros(len(at), np.bool_)
    for shift_x, shift_y in ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5)):  # near pairs may lie across a side
        square = np.floor(east + shift_x).astype(np.int64) << 32 ^ np.floor(north + shift_y).astype(np.int64)
        _, which, count = np.unique(square, return_inverse=True, return_counts=True)
        close |= count[which] > 1
    if close.any():
        names = ", ".join(repr(name) for name in stops["stop_id"].to_numpy(dtype=object)[at[close]][:4])
        message = (
            f"{int(close.sum()):,} stops lie within about {_CLOSE_M:g} m of another, among them {names}; all are used"
        )
        findings.add(CLOSE_STOPS, "stops.txt", message=message, field="stop_lat", value=int(close.sum()))


def check_time_zones(feeds: Sequence[Feed], findings: Findings) -> None:
    """Note agencies whose clocks differ, in one feed or between feeds; times of a journey must be of one clock."""
    zones: dict[str, str] = {}
    for feed in feeds:
        for name in feed.agencies["agency_timezone"]:
            zones.setdefault(name, feed.sources[0])
    clocks = {name: _clock_of(name) for name in zones}
    first = next(iter(zones), "")
    for name, source in zones.items():
        file = f"{source}/agency.txt"
        if clocks[name] is None:
            message = f"the time zone {name!r} is unknown; times are taken as local times of the place"
            findings.add(TIME_ZONE_NAMES, file, message=message, field="agency_timezone", value=name)
        elif name != first and clocks[first] is not None and clocks[name] != clocks[first]:
            message = (
                f"the time zone {name!r} has other clock times than {first!r} ({zones[first]}); one timetable of both "
                "would be wrong. Leave one of them out, or have its times converted"
            )
            findings.add(MIXED_TIME_ZONES, file, message=message, field="agency_timezone", value=name)
        elif name != first:
            message = f"the time zone {name!r} is not {first!r}, but its clock is the same; times are used as they are"
            findings.add(TIME_ZONE_NAMES, file, message=message, field="agency_timezone", value=name)


def _clock_of(name: str) -> tuple[dt.timedelta | None, ...] | None:
    """Offsets from UTC in the winter and summer of a year; ``None`` for a name that is no time zone."""
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
    return tuple(dt.datetime(2024, month, 15, 12, tzinfo=zone).utcoffset() for month in (1, 7))


BLOCK_OVERLAP = declare(
    "block_overlap",
    "warning",
    "Two trips of one block overlap on the same date, though a block is what one vehicle runs; nobody stays on board.",
)

_A_YEAR = 372
"""Days of two weekly patterns that are compared: after a year they repeat."""


def check_blocks(feed: Feed, line: NDArray[np.int64], findings: Findings) -> None:
    """Note each trip that leaves before another trip of its agency and block has ended, with a date of both.

    Trips with headways have no times of their own.

    Parameters
    ----------
    line : int64, shape (n_trips,)
        Line of each trip in ``trips.txt``.
    """
    trips, calls = feed.trips, feed.calls
    block = trips["block_id"].to_numpy(dtype=object)
    usable = (block != "") & (np.diff(calls.first) > 0)
    usable[feed.frequencies["trip"].to_numpy()] = False
    rows = np.flatnonzero(usable)
    start, end = calls.departure_s[calls.first[rows]], calls.arrival_s[calls.first[rows + 1] - 1]
    agency = feed.routes["agency"].to_numpy()[trips["route"].to_numpy()[rows]]
    group = pd.DataFrame({"agency": agency, "block": block[rows]}).groupby(["agency", "block"]).ngroup().to_numpy()
    order = np.lexsort((start, group))
    rows, start, end, group = rows[order], start[order], end[order], group[order]
    service = trips["service"].to_numpy()[rows]
    shared: dict[tuple[int, int], np.datetime64 | None] = {}
    ids = trips["trip_id"].to_numpy(dtype=object)
    found: dict[int, tuple[int, np.datetime64]] = {}
    first = np.arange(len(rows))
    lag = 0
    while len(first):
        lag += 1
        first = first[first + lag < len(rows)]
        first = first[(group[first + lag] == group[first]) & (start[first + lag] < end[first])]
        for a, b in zip(first.tolist(), (first + lag).tolist(), strict=True):
            pair = (int(service[a]), int(service[b]))
            if pair not in shared:
                shared[pair] = _shared_date(feed.calendar, *pair)
            date = shared[pair]
            if date is not None:
                found.setdefault(b, (a, date))

    late = sorted(found, key=lambda b: int(line[rows[b]]))

    def message(i: int) -> str:
        b = late[i]
        a, date = found[b]
        return (
            f"trip {ids[rows[b]]!r} leaves at {format_time(int(start[b]))}, when trip {ids[rows[a]]!r} of the same block "
            f"{block[rows[b]]!r} is on its way until {format_time(int(end[a]))}, both on {date}; one vehicle cannot run both, "
            "so nobody stays on board from one to the other. Correct the block_id or the times"
        )

    at = rows[np.array(late, dtype=np.int64)]
    findings.rows(BLOCK_OVERLAP, "trips.txt", line[at], message, field="block_id", values=block[at])


def _shared_date(calendar: Calendar, a: int, b: int) -> np.datetime64 | None:
    """A date on which both services run; None where there is none."""
    start, end = max(calendar.start[a], calendar.start[b]), min(calendar.end[a], calendar.end[b])
    n_days = 0 if np.isnat(start) or np.isnat(end) else int((end - start).astype(np.int64)) + 1
    of_both = np.isin(calendar.exception_service, (a, b)) & calendar.exception_added
    days = np.concatenate([start + np.arange(min(max(n_days, 0), _A_YEAR)), calendar.exception_date[of_both]])
    both = days[_runs_on(calendar, a, days) & _runs_on(calendar, b, days)]
    return both.min() if len(both) else None


def _runs_on(calendar: Calendar, service: int, days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    runs: NDArray[np.bool_] = calendar.weekdays[service][weekday_of(days)]
    runs &= (calendar.start[service] <= days) & (days <= calendar.end[service])
    mine = calendar.exception_service == service
    dates, added = calendar.exception_date[mine], calendar.exception_added[mine]
    return (runs | np.isin(days, dates[added])) & ~np.isin(days, dates[~added])
