"""A feed larger than the study is narrowed while it is read, and what is kept is whole."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice
from community_routes.sources.gtfs.read import read_feed
from conftest import shared_data
from feed_zip import GOOD, feed_zip
from regional import tile_feed

TUESDAY = dt.date(2024, 3, 5)


def test_trips_that_call_in_the_area_are_kept_whole(tmp_path: Path) -> None:
    """Only T2 calls at D; it keeps its call at A, outside the area. B and C serve nobody now."""
    transfers = "from_stop_id,to_stop_id,transfer_type,min_transfer_time\nA,D,2,60\nA,B,2,90\n"
    notices: list[Notice] = []
    feed = read_feed(
        feed_zip(tmp_path / "f.zip", transfers=transfers), area=(-2.965, 51.5, -2.9, 51.7), notices=notices
    )
    assert feed.trips["trip_id"].tolist() == ["T2"]
    assert feed.stops["stop_id"].tolist() == ["A", "D"]
    assert feed.calls.stop.tolist() == [0, 1]
    assert feed.transfers[["from_stop", "to_stop", "min_transfer_s"]].values.tolist() == [[0, 1, 60]]
    assert notices == []


def test_stations_and_entrances_of_kept_stops_stay(tmp_path: Path) -> None:
    """D is a platform of S, whose entrance is E; the pathway between them is renumbered."""
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "B,Bridge,51.6,-2.99,0,\nC,Castle,51.6,-2.98,0,\nA,Abbey,51.6,-3.0,0,\nE,Entrance,51.6,-2.959,2,S\n"
        "S,Station,51.6,-2.96,1,\nD,Dock,51.6,-2.96,0,S\n"
    )
    pathways = "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length\np,E,D,1,1,80\n"
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops, pathways=pathways), area=(-2.965, 51.5, -2.9, 51.7))
    assert feed.stops["stop_id"].tolist() == ["A", "E", "S", "D"]
    assert feed.stops["parent"].tolist() == [-1, 2, -1, 2]
    assert feed.pathways[["from_stop", "to_stop"]].values.tolist() == [[1, 3]]


def test_trips_of_the_dates_and_the_days_beside_them_are_kept(tmp_path: Path) -> None:
    """Tuesday wants Monday, Tuesday and Wednesday services: trips of Monday may run past midnight."""
    week = GOOD["calendar"].split("\n", 1)[0]
    names = ["sun", "mon", "tue", "wed", "thu"]
    rows = [
        (0, 0, 0, 0, 0, 0, 1),
        (1, 0, 0, 0, 0, 0, 0),
        (0, 1, 0, 0, 0, 0, 0),
        (0, 0, 1, 0, 0, 0, 0),
        (0, 0, 0, 1, 0, 0, 0),
    ]
    calendar = (
        week
        + "\n"
        + "".join(
            f"{name},{','.join(map(str, row))},20240101,20241231\n" for name, row in zip(names, rows, strict=True)
        )
    )
    trips = "route_id,service_id,trip_id\n" + "".join(f"R7,{name},T{name}\n" for name in names)
    times = (
        GOOD["stop_times"].split("\n", 1)[0]
        + "\n"
        + "".join(
            f"T{name},0{i}:00:00,0{i}:00:00,A,1\nT{name},0{i}:09:00,0{i}:09:00,B,2\n" for i, name in enumerate(names)
        )
    )
    path = feed_zip(tmp_path / "f.zip", calendar=calendar, trips=trips, stop_times=times)
    notices: list[Notice] = []
    feed = read_feed(path, dates=[TUESDAY], notices=notices)
    assert feed.trips["trip_id"].tolist() == ["Tmon", "Ttue", "Twed"]
    assert [n for n in notices if n.severity != "info"] == []
    whole = read_feed(path)
    assert len(whole.active_trips(TUESDAY)) == len(feed.active_trips(TUESDAY)) == 1


def test_nothing_in_the_area_is_an_error(tmp_path: Path) -> None:
    """The box lies in the sea; the message says what was asked for."""
    with pytest.raises(FeedError, match="area"):
        read_feed(feed_zip(tmp_path / "f.zip"), area=(-9.0, 50.0, -8.0, 51.0))


def test_clipped_real_feed_equals_the_whole_one_where_it_was_not_cut() -> None:
    """Newport: trips through the middle of the town are the same to the second, read whole or clipped."""
    path = shared_data("newport_wales") / "newport-20240305_bus_gtfs.zip"
    area = (-3.0770, 51.5222, -2.9251, 51.5936)
    whole, part = read_feed(path), read_feed(path, area=area, dates=[TUESDAY])
    lon, lat = whole.stops["lon"].to_numpy(), whole.stops["lat"].to_numpy()
    inside = (lon >= area[0]) & (lon <= area[2]) & (lat >= area[1]) & (lat <= area[3])
    touches = np.add.reduceat(inside[whole.calls.stop], whole.calls.first[:-1]) > 0
    assert part.trips["trip_id"].tolist() == whole.trips["trip_id"][touches].tolist()
    rows = np.repeat(touches, np.diff(whole.calls.first))
    assert np.array_equal(part.calls.arrival_s, whole.calls.arrival_s[rows])
    names = part.stops["stop_id"].to_numpy()[part.calls.stop]
    assert np.array_equal(names, whole.stops["stop_id"].to_numpy()[whole.calls.stop[rows]])


CHILD = """
import datetime as dt, resource, sys
from community_routes.sources.gtfs.read import read_feed
feed = read_feed(sys.argv[1], area=tuple(map(float, sys.argv[2:])), dates=[dt.date(2019, 9, 3)])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
print(len(feed.trips), len(feed.calls), int(feed.calls.arrival_s.astype("int64").sum()), int(peak))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the peak of memory is asked for in the way of Unix")
def test_region_of_ten_million_calls_is_clipped_in_little_memory(tmp_path: Path) -> None:
    """127 towns side by side: the clip is the first town, as read by itself, in less than 2 GB."""
    town = shared_data("blackburn_study") / "gtfs_blackburn_2019_reconstructed.zip"
    region = tmp_path / "region.zip"
    alone = read_feed(town, dates=[dt.date(2019, 9, 3)])
    lon, lat = alone.stops["lon"], alone.stops["lat"]
    assert lon.max() - lon.min() < 1.3
    tile_feed(town, region, tiles=127, step_lon=1.4)
    assert region.stat().st_size > 80e6
    area = [str(edge) for edge in (lon.min(), lat.min(), lon.max(), lat.max())]
    command = [sys.executable, "-c", CHILD, str(region), *area]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    trips, calls, seconds, peak_mb = map(int, out.split())
    assert 127 * 79_333 > 10_000_000
    assert (trips, calls) == (len(alone.trips), len(alone.calls))
    assert seconds == int(alone.calls.arrival_s.astype(np.int64).sum())
    assert peak_mb < 2000
