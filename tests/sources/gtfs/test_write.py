"""A feed that is written reads back the same, and the same feed is always the same bytes."""

from __future__ import annotations

import datetime as dt
import zipfile
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice
from community_routes.sources.gtfs.feed import Calls, Feed
from community_routes.sources.gtfs.read import read_feed, write_feed
from community_routes.sources.gtfs.rows import keep_trips
from conftest import shared_data
from feed_zip import GOOD, feed_zip

STAMP = dt.date(2024, 3, 5)
TABLES = ("agencies", "stops", "routes", "trips", "frequencies", "transfers", "pathways")

FULL: dict[str, str | bytes | None] = {
    "stops": (
        "stop_id,stop_code,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding,platform_code,zone_id\n"
        'A,a1,"Abbey ""Old"" Road, north",51.600001234567,-3.00,0,S,1,2,Z1\n'
        "B,,Bridge,51.6,-2.99,0,,2,,\nC,,Castle,,,0,,0,,\nD,,Dôck,51.6,-2.96,0,S,,,\nS,,Station,51.6,-3.0,1,,1,,\n"
    ),
    "routes": "route_id,agency_id,route_short_name,route_long_name,route_type,route_color\nR7,OP1,7,,714,00ff00\n",
    "trips": (
        "route_id,service_id,trip_id,trip_headsign,trip_short_name,direction_id,block_id,shape_id,wheelchair_accessible\n"
        'R7,daily,T1,"Castle, via Bridge",x,1,b7,s,1\nR7,fair,T2,,,,,,2\n'
    ),
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type,shape_dist_traveled\n"
        "T1,23:50:01,23:50:01,A,5,0,1,0\nT1,,,B,6,2,3,0.125\nT1,25:10:10,25:10:10,C,9,1,0,\n"
        "T2,09:00:00,09:00:30,A,1,0,0,\nT2,09:20:00,09:20:00,D,2,,,\n"
    ),
    "calendar_dates": "service_id,date,exception_type\ndaily,20240506,2\nfair,20240506,1\nfair,20240507,1\n",
    "frequencies": "trip_id,start_time,end_time,headway_secs,exact_times\nT2,06:00:00,09:30:00,600,1\n",
    "transfers": "from_stop_id,to_stop_id,from_trip_id,to_trip_id,transfer_type,min_transfer_time\nA,B,T1,,2,90\n,,T1,T2,4,\n",
    "pathways": "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length,traversal_time\np,A,D,2,1,40.5,30\n",
    "shapes": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\ns,51.6,-3,4,0\ns,51.6,-2.98,9,2.5\n",
    "fare_attributes": 'fare_id,price,note\nsingle,3.00,"a ""fair"" price, really"\n',
}


def assert_same(a: Feed, b: Feed) -> None:
    """All that a journey depends on is equal, to the last bit."""
    for name in TABLES:
        left, right = getattr(a, name), getattr(b, name)
        if name == "trips":
            left, right = left.drop(columns="source"), right.drop(columns="source")
        pd.testing.assert_frame_equal(left, right, obj=name)
    for part in ("calls", "calendar", "shapes"):
        for item in fields(getattr(a, part)):
            if item.name == "timed":
                continue
            x, y = getattr(getattr(a, part), item.name), getattr(getattr(b, part), item.name)
            np.testing.assert_array_equal(x, y, err_msg=f"{part}.{item.name}")
    assert a.fares.keys() == b.fares.keys()
    for name, table in a.fares.items():
        pd.testing.assert_frame_equal(table, b.fares[name], obj=name)


def test_every_column_comes_back(tmp_path: Path) -> None:
    """A feed with something in every column: quotes, accents, blanks, a filled time, exceptions without a week."""
    feed = read_feed(feed_zip(tmp_path / "f.zip", **FULL))
    write_feed(feed, tmp_path / "out.zip", date_stamp=STAMP)
    notices: list[Notice] = []
    back = read_feed(tmp_path / "out.zip", notices=notices)
    assert_same(feed, back)
    assert feed.calls.timed.tolist() == [True, False, True, True, True]
    assert back.calls.timed.all()
    assert [n for n in notices if n.severity == "error"] == []


def test_same_feed_same_bytes(tmp_path: Path) -> None:
    """Written twice, and written from what was read back; the date in the zip is the one asked for."""
    feed = read_feed(feed_zip(tmp_path / "f.zip", **FULL))
    for name in ("one", "two"):
        write_feed(feed, tmp_path / f"{name}.zip", date_stamp=STAMP)
    write_feed(read_feed(tmp_path / "one.zip"), tmp_path / "three.zip", date_stamp=STAMP)
    contents = {(tmp_path / f"{name}.zip").read_bytes() for name in ("one", "two", "three")}
    assert len(contents) == 1
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2024, 3, 5, 0, 0, 0)}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """A time before the service date cannot be written: what was there stays, and nothing half-written is left."""
    feed = read_feed(feed_zip(tmp_path / "f.zip"))
    path = tmp_path / "out.zip"
    path.write_bytes(b"before")
    calls = replace(feed.calls, arrival_s=feed.calls.arrival_s - 30_000, departure_s=feed.calls.departure_s - 30_000)
    with pytest.raises(FeedError, match="before the service date"):
        write_feed(replace(feed, calls=calls), path, date_stamp=STAMP)
    assert path.read_bytes() == b"before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.zip", "out.zip"]


def test_joined_feeds_come_back_as_one(tmp_path: Path) -> None:
    """Two feeds with clashing ids, one of them with a service of single dates."""
    one = feed_zip(tmp_path / "one.zip", **FULL)
    two = feed_zip(tmp_path / "two.zip", agency=GOOD["agency"].replace("Valley", "Hill"))
    feed = read_feed([one, two])
    write_feed(feed, tmp_path / "out.zip", date_stamp=STAMP)
    assert_same(feed, read_feed(tmp_path / "out.zip"))


def test_trips_left_out_take_their_rules_with_them(tmp_path: Path) -> None:
    """Without T1 its transfer rules and its shape go; T2 moves up to row 0 and keeps its headway."""
    feed = keep_trips(read_feed(feed_zip(tmp_path / "f.zip", **FULL)), np.array([False, True]))
    assert feed.trips["trip_id"].tolist() == ["T2"]
    assert feed.calls.first.tolist() == [0, 2]
    assert feed.frequencies["trip"].tolist() == [0]
    assert len(feed.transfers) == 0
    assert len(feed.shapes.shape_id) == 0
    assert isinstance(feed.calls, Calls)


REAL = [
    ("newport_wales", ["newport-20240305_bus_gtfs.zip", "newport-20240305_rail_gtfs.zip"]),
    ("chester", ["chester-20230816-small_gtfs.zip"]),
    ("porto_alegre", ["poa_eptc.zip", "poa_trensurb.zip"]),
    ("kuopio", ["gtfs_kuopio_finland.zip"]),
    ("blackburn_study", ["gtfs_blackburn_2019_reconstructed.zip"]),
    ("greater_manchester", ["gm-rail-gtfs.zip"]),
]


@pytest.mark.parametrize(("folder", "files"), REAL, ids=[folder for folder, _ in REAL])
def test_real_feeds_come_back(tmp_path: Path, folder: str, files: list[str]) -> None:
    """Every table and call of a real timetable, mended where it had to be, is the same after writing and reading."""
    feed = read_feed([shared_data(folder) / name for name in files])
    write_feed(feed, tmp_path / "out.zip", date_stamp=STAMP)
    notices: list[Notice] = []
    assert_same(feed, read_feed(tmp_path / "out.zip", notices=notices))
    assert {n.code for n in notices if n.severity != "info"} <= {
        "impossible_speed",
        "unknown_agency",
        "stop_without_place",
    }
