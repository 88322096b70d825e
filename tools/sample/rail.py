"""The railway of the invented borough: four stations with two platforms each, stopping trains both ways."""

from __future__ import annotations

import itertools

import numpy as np
from shapely.geometry import Point
from shapely.ops import substring

from sample import plan
from sample.ground import Geometry, smooth_line, to_lonlat, warp, warp_points
from sample.lines import RAIL_SERVICE
from sample.timetable import (
    AGENCY,
    ROUTE,
    STOP,
    TRIP,
    Row,
    calendar,
    calendar_dates,
    clock,
    feed_info,
    minutes,
    row_of,
    shape_rows,
)

LINE = "HVL"
CALL = "trip_id arrival_time departure_time stop_id stop_sequence pickup_type drop_off_type shape_dist_traveled"
TRANSFER = "from_stop_id to_stop_id transfer_type min_transfer_time"
SPEED_M_PER_H = 56_000
BACK_SHIFT_MIN = 18


def rail_tables() -> dict[str, list[Row]]:
    """The tables of the rail timetable; ids of its services are those of the buses, as in real life."""
    line = warp(smooth_line(plan.RAILWAY))
    at = [line.project(Point(warp_points(np.asarray([xy], float))[0])) for _, _, xy in plan.STATIONS]
    tables: dict[str, list[Row]] = {
        "agency": [
            row_of(
                AGENCY,
                "HV",
                "Hask Valley Railway (invented)",
                "https://example.org/hask-valley",
                "Europe/London",
                "en",
            )
        ],
        "feed_info": feed_info("Sample rail timetable"),
        "routes": [row_of(ROUTE, LINE, "HV", "", "Hask Valley Line", 2, "2C3E50", "FFFFFF")],
        "stops": stations(line, at),
        "calendar": calendar(["weekday", "saturday", "sunday"]),
        "calendar_dates": calendar_dates([]),
        "transfers": [row_of(TRANSFER, f"9100MLG{a}", f"9100MLG{b}", 2, 180) for a, b in ("12", "21")],
        "trips": [],
        "stop_times": [],
        "shapes": [],
    }
    for direction in (0, 1):
        order = [0, 1, 2, 3] if direction == 0 else [3, 2, 1, 0]
        xy = np.asarray(substring(line, at[order[0]], at[order[-1]]).coords)
        tables["shapes"] += shape_rows(f"{LINE}-{direction}", xy)
        gaps = [abs(at[b] - at[a]) for a, b in itertools.pairwise(order)]
        head = plan.STATIONS[order[-1]][1]
        for day in RAIL_SERVICE:
            for depart in departures(day, direction):
                trip_id = f"{LINE}-{day[:2]}-{direction}-{depart // 60:02d}{depart % 60:02d}"
                tables["trips"].append(row_of(TRIP, LINE, day, trip_id, head, direction, "", f"{LINE}-{direction}", 1))
                tables["stop_times"] += calls(trip_id, depart, direction, order, gaps)
    return tables


def stations(line: Geometry, at: list[float]) -> list[Row]:
    """Stations, each above its two platforms, four metres to the sides of the line."""
    rows = []
    for (code, name, _), along in zip(plan.STATIONS, at, strict=True):
        for platform, side in (("", 0.0), ("1", 4.0), ("2", -4.0)):
            spot = (line.offset_curve(side) if side else line).interpolate(along)
            lon, lat = to_lonlat(np.asarray([[spot.x, spot.y]]))[0].tolist()
            parent = f"9100{code}" if platform else ""
            steps = 2 if code == "CLF" and platform == "2" else 1  # no lift to the far platform of the last village
            place = (f"{lat:.6f}", f"{lon:.6f}", 0 if platform else 1, parent, platform, steps)
            rows.append(row_of(STOP, f"9100{code}{platform}", f"{name} Railway Station", *place))
    return rows


def departures(day: str, direction: int) -> list[int]:
    """Minutes of departure from the first station."""
    shift = BACK_SHIFT_MIN if direction else 0
    found: list[int] = []
    for start, end, headway in RAIL_SERVICE[day]:
        at = max(minutes(start) + shift, found[-1] + headway if found else 0)
        while at < minutes(end) + shift:
            found.append(at)
            at += headway
    return found


def calls(trip_id: str, depart: int, direction: int, order: list[int], gaps: list[float]) -> list[Row]:
    """The calls of a train: half minutes from its speed, one minute at each station between."""
    rows = []
    arrive = leave = depart * 60
    far = 0.0
    for k, station in enumerate(order):
        if k:
            far += gaps[k - 1]
            arrive = leave + (round(gaps[k - 1] / SPEED_M_PER_H * 3600 / 30) + 3) * 30
            leave = arrive + (60 if k < 3 else 0)
        stop_id = f"9100{plan.STATIONS[station][0]}{direction + 1}"
        no_pickup, no_drop_off = int(k == 3), int(k == 0)
        rows.append(
            row_of(CALL, trip_id, clock(arrive), clock(leave), stop_id, k + 1, no_pickup, no_drop_off, f"{far:.0f}")
        )
    return rows
