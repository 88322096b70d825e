"""Stations without trains: a feed of buses alone says so, a feed with trains does not."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely

from community_routes.base.notices import Notice
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.rail import check_rail
from conftest import shared_data

TUESDAY, SUNDAY = dt.date(2024, 3, 5), dt.date(2024, 3, 10)
TABLES = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nA,A,https://example.org,Europe/London\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_type\nR,A,R,2\nB,A,B,3\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "weekdays,1,1,1,1,1,0,0,20240101,20241231\ndaily,1,1,1,1,1,1,1,20240101,20241231\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\nr1,Newtown,51.50,-3.00\nr2,Oldtown,51.60,-3.20\n"
    "b1,Newtown Rail Station,51.501,-3.00\nb2,Market,51.52,-3.02\nb3,Bridge Railway Station,51.53,-3.03\n",
    "trips.txt": "route_id,service_id,trip_id\nR,weekdays,train\nB,daily,bus\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "train,08:00:00,08:00:00,r1,1\ntrain,08:20:00,08:20:00,r2,2\n"
    "bus,08:00:00,08:00:00,b1,1\nbus,08:10:00,08:10:00,b2,2\nbus,08:15:00,08:15:00,b3,3\n",
}


def rail_notices(feed: Any, date: dt.date, area: Any, **more: Any) -> list[str]:
    notices: list[Notice] = []
    check_rail(feed, date, area, notices, **more)
    return [notice.value for notice in notices]


def test_stations_are_known_by_trains_and_by_name(tmp_path: Path) -> None:
    """Newtown has a train on Tuesday, not on Sunday; no train calls near Bridge; Oldtown lies outside the area."""
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        for name, text in TABLES.items():
            archive.writestr(name, text)
    feed = read_feed(tmp_path / "feed.zip")
    area = (-3.1, 51.4, -2.9, 51.55)
    assert rail_notices(feed, TUESDAY, area) == ["Bridge Railway Station"]
    assert rail_notices(feed, SUNDAY, area) == ["Bridge Railway Station, Newtown, Newtown Rail Station"]
    assert rail_notices(feed, TUESDAY, (-3.05, 51.4, -2.9, 51.525)) == []
    assert rail_notices(feed, SUNDAY, shapely.box(-3.3, 51.59, -3.1, 51.61)) == ["Oldtown"]
    elsewhere = gpd.GeoDataFrame(
        {"name": ["Hill", None]}, geometry=gpd.points_from_xy([-2.95, -3.0], [51.45, 51.5]), crs="EPSG:4326"
    )
    assert rail_notices(feed, TUESDAY, area, stations=elsewhere) == ["Bridge Railway Station, Hill"]


def test_newport_with_and_without_its_trains() -> None:
    """Newport's station is at 51.5888 N, 2.9984 W; the bus feed alone has no train there, both feeds together have."""
    folder = shared_data("newport_wales")
    area = (-3.0770, 51.5222, -2.9251, 51.5936)
    station = gpd.GeoDataFrame(
        {"name": ["Newport"]}, geometry=gpd.points_from_xy([-2.9984], [51.5888]), crs="EPSG:4326"
    )
    bus = read_feed(folder / "newport-20240305_bus_gtfs.zip", notices=[])
    assert rail_notices(bus, TUESDAY, area, stations=station)[0].find("Newport") >= 0
    rail = read_feed(folder / "newport-20240305_rail_gtfs.zip", notices=[])
    assert rail_notices(rail, TUESDAY, area, stations=station) == []
