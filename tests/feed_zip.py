"""Writes small GTFS zips for tests: a good feed, of which a test changes what it is about."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

GOOD: Mapping[str, str] = {
    "agency": "agency_id,agency_name,agency_url,agency_timezone\nOP1,Valley Buses,https://example.org,Europe/London\n",
    "stops": (
        "stop_id,stop_name,stop_lat,stop_lon\n"
        "A,Abbey Road,51.60,-3.00\n"
        "B,Bridge Street,51.60,-2.99\n"
        "C,Castle Square,51.60,-2.98\n"
        "D,Dock Gate,51.60,-2.96\n"
    ),
    "routes": "route_id,agency_id,route_short_name,route_long_name,route_type\nR7,OP1,7,Abbey - Dock,3\n",
    "trips": "route_id,service_id,trip_id\nR7,daily,T1\nR7,daily,T2\n",
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "T1,08:00:00,08:00:00,A,1\n"
        "T1,08:05:00,08:06:00,B,2\n"
        "T1,08:10:00,08:10:00,C,3\n"
        "T2,09:00:00,09:00:00,A,1\n"
        "T2,09:20:00,09:20:00,D,2\n"
    ),
    "calendar": (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,1,1,1,1,1,1,20240101,20241231\n"
    ),
}
"""Four stops in a row to the east, 0.01 or 0.02 degrees apart; T1 calls at three of them, T2 runs from end to end."""

DATED = (1980, 1, 1, 0, 0, 0)


def feed_zip(path: Path, **tables: str | bytes | None) -> Path:
    """Write the good feed with the tables given put in their place, or left out (``None``)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**GOOD, **tables}.items():
            if content is not None:
                archive.writestr(zipfile.ZipInfo(f"{name}.txt", DATED), content)
    return path
