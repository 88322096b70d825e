"""Turns courses and headways into a GTFS timetable with the oddities that real ones have, and writes the zips."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from shapely.geometry import Point
from shapely.ops import substring

from sample import plan
from sample.buses import Course, Stop
from sample.ground import smooth_line, to_lonlat, warp, warp_points
from sample.lines import AGENCIES, BANK_HOLIDAYS, FIRST_DATE, LAST_DATE, NO_BUSES, RAIL_SERVICE, ROUTES

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


def bus_tables(stops: list[Stop], courses: list[Course]) -> dict[str, list[Row]]:
    """The tables of the bus timetable."""
    trips = all_trips(courses)
    block = blocks(trips)
    tables: dict[str, list[Row]] = defaultdict(list)
    tables["agency"] = [
        {
            "agency_id": key,
            "agency_name": name,
            "agency_url": url,
            "agency_timezone": "Europe/London",
            "agency_lang": "en",
        }
        for key, name, url in AGENCIES
    ]
    tables["feed_info"] = feed_info("Sample bus timetable")
    tables["stops"] = bus_stops(stops)
    tables["routes"] = [
        {"route_id": r.route_id, "agency_id": r.agency, "route_short_name": r.short, "route_long_name": r.long, "route_type": 3,
         "route_color": r.colour.upper(), "route_text_color": "FFFFFF"}
        for r in ROUTES
    ]  # fmt: skip
    tables["calendar"] = calendar(["weekday", "saturday", "sunday", "hopper"])
    tables["calendar_dates"] = calendar_dates(["market", "hopper"])
    for trip in trips:
        route = trip.course.route
        head = route.ends[0] if trip.course.direction else route.ends[1]
        shape = f"{route.route_id}-{'OI'[trip.course.direction]}" if route.shaped else ""
        tables["trips"].append(
            {
                "route_id": route.route_id,
                "service_id": trip.day,
                "trip_id": trip.trip_id,
                "trip_headsign": head,
                "direction_id": trip.course.direction,
                "block_id": block.get(trip.trip_id, ""),
                "shape_id": shape,
                "wheelchair_accessible": route.wheelchair or "",
            }
        )
        for k, (row, at) in enumerate(zip(trip.course.stops, call_times(trip), strict=True)):
            far = f"{trip.course.at_m[k]:.0f}" if route.shaped else ""
            tables["stop_times"].append(
                {
                    "trip_id": trip.trip_id,
                    "arrival_time": at,
                    "departure_time": at,
                    "stop_id": stops[row].stop_id,
                    "stop_sequence": k + 1,
                    "shape_dist_traveled": far,
                    "timepoint": int(k % 5 == 0),
                }
            )
        if trip.day == "hopper":
            ((start, end, headway),) = route.service["hopper"]
            tables["frequencies"].append(
                {
                    "trip_id": trip.trip_id,
                    "start_time": f"{start}:00",
                    "end_time": f"{end}:00",
                    "headway_secs": headway * 60,
                    "exact_times": 0,
                }
            )
    for course in courses:
        if course.route.shaped:
            tables["shapes"] += shape_rows(f"{course.route.route_id}-{'OI'[course.direction]}", course.xy)
    return dict(tables)


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
        rows.append(
            {
                "stop_id": stop_id,
                "stop_name": name,
                "stop_lat": f"{lat:.6f}",
                "stop_lon": f"{lon:.6f}",
                "location_type": kind,
                "parent_station": parent,
                "platform_code": platform,
                "wheelchair_boarding": wheelchair,
            }
        )
    return rows


def rail_tables() -> dict[str, list[Row]]:
    """The railway: four stations with two platforms each; ids of its services are those of the buses, as in real life."""
    line = warp(smooth_line(plan.RAILWAY))
    at = [line.project(Point(warp_points(np.asarray([xy], float))[0])) for _, _, xy in plan.STATIONS]
    tables: dict[str, list[Row]] = defaultdict(list)
    tables["agency"] = [
        {"agency_id": "HV", "agency_name": "Hask Valley Railway (invented)", "agency_url": "https://example.org/hask-valley",
         "agency_timezone": "Europe/London", "agency_lang": "en"}
    ]  # fmt: skip
    tables["feed_info"] = feed_info("Sample rail timetable")
    tables["routes"] = [
        {"route_id": "HVL", "agency_id": "HV", "route_short_name": "", "route_long_name": "Hask Valley Line", "route_type": 2,
         "route_color": "2C3E50", "route_text_color": "FFFFFF"}
    ]  # fmt: skip
    for k, (code, name, _) in enumerate(plan.STATIONS):
        for platform in ("", "1", "2"):
            spot = (
                line.interpolate(at[k])
                if not platform
                else line.offset_curve(4.0 if platform == "1" else -4.0).interpolate(at[k])
            )
            lon, lat = to_lonlat(np.asarray([[spot.x, spot.y]]))[0].tolist()
            tables["stops"].append(
                {
                    "stop_id": f"9100{code}{platform}",
                    "stop_name": f"{name} Railway Station",
                    "stop_lat": f"{lat:.6f}",
                    "stop_lon": f"{lon:.6f}",
                    "location_type": 0 if platform else 1,
                    "parent_station": f"9100{code}" if platform else "",
                    "platform_code": platform,
                    "wheelchair_boarding": 2 if code == "CLF" and platform == "2" else 1,
                }
            )
    tables["calendar"] = calendar(["weekday", "saturday", "sunday"])
    tables["calendar_dates"] = calendar_dates([])
    tables["transfers"] = [
        {"from_stop_id": f"9100MLG{a}", "to_stop_id": f"9100MLG{b}", "transfer_type": 2, "min_transfer_time": 180}
        for a, b in ("12", "21")
    ]
    # towards Hagg End the distance falls or grows with the way the line was drawn; minutes from the speed of a stopping train
    for direction in (0, 1):
        order = list(range(4)) if direction == 0 else [3, 2, 1, 0]
        xy = np.asarray(substring(line, at[order[0]], at[order[-1]]).coords)
        tables["shapes"] += shape_rows(f"HVL-{direction}", xy)
        gaps = [abs(at[b] - at[a]) for a, b in itertools.pairwise(order)]
        for day, periods in RAIL_SERVICE.items():
            starts: list[int] = []
            for start, end, headway in periods:
                t = max(minutes(start) + (18 if direction else 0), starts[-1] + headway if starts else 0)
                while t < minutes(end) + (18 if direction else 0):
                    starts.append(t)
                    t += headway
            for depart in starts:
                trip_id = f"HVL-{day[:2]}-{direction}-{depart // 60:02d}{depart % 60:02d}"
                tables["trips"].append(
                    {
                        "route_id": "HVL",
                        "service_id": day,
                        "trip_id": trip_id,
                        "trip_headsign": plan.STATIONS[order[-1]][1],
                        "direction_id": direction,
                        "shape_id": f"HVL-{direction}",
                        "wheelchair_accessible": 1,
                    }
                )
                arrive = leave = depart * 60
                far = 0.0
                for k, station in enumerate(order):
                    if k:
                        far += gaps[k - 1]
                        arrive = leave + (round(gaps[k - 1] / 56_000 * 3600 / 30) + 3) * 30
                        leave = arrive + (60 if k < 3 else 0)
                    tables["stop_times"].append(
                        {
                            "trip_id": trip_id,
                            "arrival_time": clock(arrive),
                            "departure_time": clock(leave),
                            "stop_id": f"9100{plan.STATIONS[station][0]}{direction + 1}",
                            "stop_sequence": k + 1,
                            "pickup_type": 1 if k == 3 else 0,
                            "drop_off_type": 1 if k == 0 else 0,
                            "shape_dist_traveled": f"{far:.0f}",
                        }
                    )
    return dict(tables)
