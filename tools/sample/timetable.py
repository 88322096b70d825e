"""Turns courses and headways into a GTFS timetable with the oddities that real ones have, and writes the zips."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sample import plan
from sample.buses import Course, Stop
from sample.ground import to_lonlat, warp_points
from sample.lines import AGENCIES, BANK_HOLIDAYS, FIRST_DATE, LAST_DATE, NO_BUSES, ROUTES

Row = dict[str, object]
INBOUND_SHIFT_MIN = 7
VERSION = "sample-1"


@dataclass(frozen=True)
class Trip:
    """One run: its course, kind of day and departure in minutes."""

    course: Course
    day: str
    depart_min: int

    @property
    def trip_id(self) -> str:
        """Route, day, direction and time of departure."""
        hour, minute = divmod(self.depart_min, 60)
        return f"{self.course.route.route_id}-{self.day[:2]}-{'OI'[self.course.direction]}-{hour:02d}{minute:02d}"


def minutes(clock: str) -> int:
    """``07:05`` as minutes."""
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def clock(seconds: float) -> str:
    """Seconds as ``HH:MM:SS``, past 24 where need be."""
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def slower(depart_min: int, day: str) -> float:
    """How much longer the same way takes than at a quiet hour."""
    if day in ("weekday", "market", "hopper") and (430 <= depart_min < 555 or 930 <= depart_min < 1080):
        return 1.18
    if depart_min < 400 or depart_min >= 1170:
        return 0.9
    return 0.95 if day == "sunday" else 1.03


def departures(course: Course, day: str) -> list[int]:
    """Minutes of departure from the first stop."""
    found: list[int] = []
    for start, end, headway in course.route.service.get(day, []):
        shift = INBOUND_SHIFT_MIN if course.direction == 1 else 0
        at = max(minutes(start) + shift, found[-1] + headway if found else 0)
        while at < minutes(end) + shift:
            found.append(at)
            at += headway
    return found


def all_trips(courses: list[Course]) -> list[Trip]:
    """Every trip of every kind of day; a route with headways only runs one template each way."""
    found = []
    for course in courses:
        for day in course.route.service:
            times = departures(course, day)
            found += [Trip(course, day, at) for at in (times[:1] if day == "hopper" else times)]
    return found


def call_times(trip: Trip) -> list[str]:
    """Times at the stops: whole minutes, or only at timing points where the operator publishes no more."""
    factor = slower(trip.depart_min, trip.day)
    n = len(trip.course.stops)
    out = []
    for k, run in enumerate(trip.course.run_s):
        at = trip.depart_min * 60 + run * factor
        timed = not trip.course.route.timing or k in (0, n - 1) or k % 5 == 0
        out.append(clock(at // 60 * 60) if timed else "")
    return out


def blocks(trips: list[Trip]) -> dict[str, str]:
    """Buses that arrive as a 5 and go on as a 6, or the other way round: trip and block."""
    found: dict[str, str] = {}
    for day in ("weekday", "saturday", "sunday"):
        for arrives, leaves in (("MT5", "MT6"), ("MT6", "MT5")):
            incoming = [t for t in trips if (t.course.route.route_id, t.day, t.course.direction) == (arrives, day, 1)]
            outgoing = [t for t in trips if (t.course.route.route_id, t.day, t.course.direction) == (leaves, day, 0)]
            for trip in incoming:
                end = trip.depart_min + trip.course.run_s[-1] * slower(trip.depart_min, day) / 60
                after = [t for t in outgoing if end + 1 <= t.depart_min <= end + 14 and t.trip_id not in found]
                if after and trip.trip_id not in found:
                    block = f"{arrives[2:]}{leaves[2:]}-{day[:2]}-{len(found) // 2:03d}"
                    found[trip.trip_id] = found[after[0].trip_id] = block
    return found


def table(rows: list[Row]) -> str:
    """Rows as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_zip(path: Path, tables: dict[str, list[Row]]) -> None:
    """Write a GTFS zip with fixed dates inside."""
    path.unlink(missing_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(tables):
            info = zipfile.ZipInfo(f"{name}.txt", (2026, 3, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, table(tables[name]).encode(), compresslevel=9)


def feed_info(publisher: str) -> list[Row]:
    """Says, in the timetable itself, that it is invented."""
    return [
        {
            "feed_publisher_name": f"{publisher} - {plan.NOTE}", "feed_publisher_url": "https://example.org/invented",
            "feed_lang": "en-GB", "feed_start_date": FIRST_DATE.replace("-", ""), "feed_end_date": LAST_DATE.replace("-", ""),
            "feed_version": VERSION,
        }
    ]  # fmt: skip


def calendar(days: list[str]) -> list[Row]:
    """Weekly patterns of the kinds of day that have one."""
    runs = {"weekday": "1111100", "saturday": "0000010", "sunday": "0000001", "hopper": "1111110"}
    names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    dates = {"start_date": FIRST_DATE.replace("-", ""), "end_date": LAST_DATE.replace("-", "")}
    return [{"service_id": day, **dict(zip(names, runs[day], strict=True)), **dates} for day in days]


def calendar_dates(days: list[str]) -> list[Row]:
    """Bank holidays run as Sundays, and the market bus on market days only (it has no weekly pattern)."""
    rows: list[Row] = []
    for day in BANK_HOLIDAYS:
        date = dt.date.fromisoformat(day)
        usual = "saturday" if date.weekday() == 5 else "weekday"
        rows.append({"service_id": usual, "date": f"{date:%Y%m%d}", "exception_type": 2})
        if "hopper" in days:
            rows.append({"service_id": "hopper", "date": f"{date:%Y%m%d}", "exception_type": 2})
        if day not in NO_BUSES:
            rows.append({"service_id": "sunday", "date": f"{date:%Y%m%d}", "exception_type": 1})
    if "market" in days:
        date = dt.date.fromisoformat(FIRST_DATE)
        while date <= dt.date.fromisoformat(LAST_DATE):
            if date.weekday() in (1, 4) and date.isoformat() not in BANK_HOLIDAYS:
                rows.append({"service_id": "market", "date": f"{date:%Y%m%d}", "exception_type": 1})
            date += dt.timedelta(days=1)
    return rows


def row_of(columns: str, *values: object) -> Row:
    """A row from the names of its columns, in one string, and their values."""
    return dict(zip(columns.split(), values, strict=True))


AGENCY = "agency_id agency_name agency_url agency_timezone agency_lang"
ROUTE = "route_id agency_id route_short_name route_long_name route_type route_color route_text_color"
TRIP = "route_id service_id trip_id trip_headsign direction_id block_id shape_id wheelchair_accessible"
CALL = "trip_id arrival_time departure_time stop_id stop_sequence shape_dist_traveled timepoint"
FREQUENCY = "trip_id start_time end_time headway_secs exact_times"
STOP = "stop_id stop_name stop_lat stop_lon location_type parent_station platform_code wheelchair_boarding"


def bus_tables(stops: list[Stop], courses: list[Course]) -> dict[str, list[Row]]:
    """The tables of the bus timetable."""
    trips = all_trips(courses)
    block = blocks(trips)
    hopper = [trip for trip in trips if trip.day == "hopper"]
    return {
        "agency": [row_of(AGENCY, *agency, "Europe/London", "en") for agency in AGENCIES],
        "feed_info": feed_info("Sample bus timetable"),
        "stops": bus_stops(stops),
        "routes": [row_of(ROUTE, r.route_id, r.agency, r.short, r.long, 3, r.colour.upper(), "FFFFFF") for r in ROUTES],
        "calendar": calendar(["weekday", "saturday", "sunday", "hopper"]),
        "calendar_dates": calendar_dates(["market", "hopper"]),
        "trips": [bus_trip(trip, block) for trip in trips],
        "stop_times": [call for trip in trips for call in bus_calls(trip, stops)],
        "frequencies": [frequency(trip) for trip in hopper],
        "shapes": [row for course in courses if course.route.shaped for row in shape_rows(shape_id(course), course.xy)],
    }


def shape_id(course: Course) -> str:
    """Id of a drawn course; blank where the route has none."""
    return f"{course.route.route_id}-{'OI'[course.direction]}" if course.route.shaped else ""


def bus_trip(trip: Trip, block: dict[str, str]) -> Row:
    """A row of trips.txt."""
    course, route = trip.course, trip.course.route
    head = route.ends[0] if course.direction else route.ends[1]
    known = route.wheelchair or ""
    here = block.get(trip.trip_id, "")
    return row_of(TRIP, route.route_id, trip.day, trip.trip_id, head, course.direction, here, shape_id(course), known)


def bus_calls(trip: Trip, stops: list[Stop]) -> list[Row]:
    """The rows of stop_times.txt of a trip."""
    course = trip.course
    rows = []
    for k, (stop, at) in enumerate(zip(course.stops, call_times(trip), strict=True)):
        far = f"{course.at_m[k]:.0f}" if course.route.shaped else ""
        rows.append(row_of(CALL, trip.trip_id, at, at, stops[stop].stop_id, k + 1, far, int(k % 5 == 0)))
    return rows


def frequency(trip: Trip) -> Row:
    """A row of frequencies.txt: every so many minutes, at no fixed minute."""
    ((start, end, headway),) = trip.course.route.service[trip.day]
    return row_of(FREQUENCY, trip.trip_id, f"{start}:00", f"{end}:00", headway * 60, 0)


def shape_rows(shape_id: str, xy: np.ndarray) -> list[Row]:
    """A drawn course with its distance in metres."""
    far = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy, axis=0).T))])
    return [
        {
            "shape_id": shape_id,
            "shape_pt_lat": f"{lat:.6f}",
            "shape_pt_lon": f"{lon:.6f}",
            "shape_pt_sequence": k + 1,
            "shape_dist_traveled": f"{m:.0f}",
        }
        for k, ((lon, lat), m) in enumerate(zip(to_lonlat(xy).tolist(), far.tolist(), strict=True))
    ]


def bus_stops(stops: list[Stop]) -> list[Row]:
    """Stops, the bus station above its stands, and one stop that no bus serves any more."""
    rows: list[Row] = []
    stands = [stop for stop in stops if stop.name == "Millgate Bus Station"]
    middle = np.asarray([stop.xy for stop in stands]).mean(axis=0)
    closed = warp_points(np.asarray([[-1520.0, -4470.0]]))[0]
    listed = [("9900MBS", "Millgate Bus Station", middle, 1, "", "", 1)]
    for stop in stops:
        parent = "9900MBS" if stop in stands else ""
        listed.append((stop.stop_id, stop.name, np.asarray(stop.xy), 0, parent, stop.platform, stop.wheelchair))
    listed.append(("9900MCLOSED", "Top Lane Quarry", closed, 0, "", "", 0))
    for stop_id, name, xy, kind, parent, platform, wheelchair in listed:
        lon, lat = to_lonlat(np.asarray([xy]))[0].tolist()
        rows.append(row_of(STOP, stop_id, name, f"{lat:.6f}", f"{lon:.6f}", kind, parent, platform, wheelchair))
    return rows
