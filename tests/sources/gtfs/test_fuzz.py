"""Whatever a feed holds, reading it ends in a listed error or in a feed that keeps its promises."""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice
from community_routes.sources.checks import check_service, count_trips
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed, write_feed
from feed_zip import GOOD, feed_zip

RICH: dict[str, str] = {
    **GOOD,
    "stops": (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding\n"
        "A,Abbey,51.60,-3.00,0,S,\nB,Bridge,51.60,-2.99,0,,1\nC,Castle,51.60,-2.98,,,2\nD,Dock,51.60,-2.96,0,,\n"
        "S,Station,51.60,-3.00,1,,1\n"
    ),
    "routes": "route_id,agency_id,route_short_name,route_type\nR7,OP1,7,3\nR8,OP1,7,700\n",
    "trips": (
        "route_id,service_id,trip_id,direction_id,block_id,shape_id\n"
        "R7,daily,T1,0,b,s\nR7,fair,T2,1,b,\nR8,daily,T3,,,\nR8,fair,T4,,,s\n"
    ),
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type,shape_dist_traveled\n"
        "T1,08:00:00,08:00:00,A,1,0,0,0\nT1,,,B,2,,,1.5\nT1,08:10:00,08:10:00,C,3,,1,3\n"
        "T2,09:00:00,09:00:00,A,1,,,\nT2,09:20:00,09:20:00,D,2,,,\n"
        "T3,08:00:00,08:00:00,A,1,0,0,\nT3,08:10:00,08:12:00,C,2,,1,\nT3,08:20:00,08:20:00,D,3,,1,\n"
        "T4,08:00:00,08:00:00,A,1,0,0,\nT4,,,B,2,,1,\nT4,,,C,3,,1,\nT4,08:20:00,08:20:00,D,4,,1,\n"
    ),
    "calendar_dates": "service_id,date,exception_type\ndaily,20240506,2\nfair,20240506,1\n",
    "frequencies": (
        "trip_id,start_time,end_time,headway_secs,exact_times\nT3,06:00:00,09:00:00,600,0\nT3,09:00:00,10:00:00,900,1\n"
    ),
    "transfers": "from_stop_id,to_stop_id,from_trip_id,to_trip_id,transfer_type,min_transfer_time\nA,B,,,2,60\n,,T1,T2,4,\n",
    "pathways": "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length\np,A,S,1,1,20\n",
    "shapes": (
        "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence,shape_dist_traveled\n"
        "s,51.6,-3,1,0\ns,51.61,-2.985,2,\ns,51.6,-2.96,3,9\n"
    ),
    "feed_info": "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\nV,u,en,20240101,20241231\n",
    "fare_attributes": "fare_id,price,currency_type,payment_method,transfers\nsingle,3.00,GBP,0,\n",
}
"""A feed with something of everything that is read."""

NASTY = [
    "", " ", "0", "-1", "1", "2", "7", "999", "1e308", "-1e308", "1e999", "nan", "inf", "99999999999999999999", "0.5", "-0",
    "25:61:00", "99:99:99", "24:00:00", "08:05:00", "8:5", "-08:00:00", "240:00:00", "241:00:00", "08:00:00 AM", "٠٨:٠٠:٠٠",
    "20240230", "00000000", "99991231", "20240101", "2024-05-06", "06/05/2024", "A", "S", "T1", "X", "R7", "daily", "fair",
    '"', '""', '"a', 'a"b', ",", ",,,", "\n", "\r", "\r\n", "\x00", "\x1a", "é", "\ufeff", "\u2028", "💥", "=cmd()", "{0}",
    "{value}", "%s", "x" * 5000, "../../x", "<script>", "null", "None", "True", "90", "91", "180", "181", "51.6",
    "-3.0", "331000",
]  # fmt: skip


def mutate_cells(tables: dict[str, str], chance: random.Random) -> dict[str, str]:
    """One to four changes: a cell, a heading, a row twice, a row gone, rows mixed, a table cut short."""
    mutated = dict(tables)
    for _ in range(chance.randint(1, 4)):
        table = chance.choice(sorted(mutated))
        rows = mutated[table].split("\n")
        at = chance.randrange(len(rows))
        kind = chance.randrange(10)
        if kind < 6:
            cells = rows[at].split(",")
            cells[chance.randrange(len(cells))] = chance.choice(NASTY)
            rows[at] = ",".join(cells)
        elif kind == 6:
            rows.insert(at, rows[chance.randrange(len(rows))])
        elif kind == 7:
            del rows[at]
        elif kind == 8:
            body = rows[1:]
            chance.shuffle(body)
            rows = [*rows[:1], *body]
        else:
            rows = rows[:at]
        mutated[table] = "\n".join(rows)
        if chance.random() < 0.03:
            del mutated[table]
    return mutated


def flip_bytes(data: bytes, chance: random.Random) -> bytes:
    """One to eight bytes changed, or a piece cut out, doubled or lost at the end."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    kind = chance.randrange(6)
    a, b = sorted((chance.randrange(len(damaged)), chance.randrange(len(damaged))))
    if kind == 0:
        del damaged[a:b]
    elif kind == 1:
        damaged[a:a] = damaged[a:b]
    elif kind == 2:
        del damaged[b:]
    return bytes(damaged)


def read_or_refuse(path: Path) -> Feed | None:
    """The feed, which must keep its promises, or ``None`` where it was refused with a list of errors."""
    notices: list[Notice] = []
    try:
        feed = read_feed(path, notices=notices)
    except FeedError as error:
        assert str(error)
        assert any(n.severity == "error" for n in notices)
        return None
    assert not any(n.severity == "error" for n in notices)
    for notice in notices:
        assert notice.message
        assert notice.file.startswith(path.name)
    check_promises(feed)
    return feed


def check_promises(feed: Feed) -> None:
    """What every feed promises: rows that exist, times that never fall, two calls in each trip, headways above 0."""
    calls, n_stops, n_trips = feed.calls, len(feed.stops), len(feed.trips)
    assert n_trips >= 1
    assert (np.diff(calls.first) >= 2).all()
    assert ((calls.stop >= 0) & (calls.stop < n_stops)).all()
    trip = np.repeat(np.arange(n_trips), np.diff(calls.first))
    assert (calls.arrival_s <= calls.departure_s).all()
    assert (calls.departure_s[:-1] <= calls.arrival_s[1:])[trip[1:] == trip[:-1]].all()
    assert (calls.arrival_s >= 0).all()
    assert np.isin(calls.pickup_type, [0, 1, 2, 3]).all()
    rows = {"route": len(feed.routes), "service": len(feed.calendar.service_id)}
    for column, size in rows.items():
        assert feed.trips[column].between(0, size - 1).all()
    assert feed.trips["shape"].between(-1, len(feed.shapes.shape_id) - 1).all()
    assert feed.stops["parent"].between(-1, n_stops - 1).all()
    assert feed.stops["lat"].dropna().between(-90, 90).all()
    assert feed.stops["lon"].dropna().between(-180, 180).all()
    assert feed.stops["stop_id"].is_unique
    assert feed.trips["trip_id"].is_unique
    assert feed.frequencies["trip"].between(0, n_trips - 1).all()
    assert (feed.frequencies["headway_s"] >= 5).all()
    assert (feed.frequencies["start_s"] < feed.frequencies["end_s"]).all()
    for column, size in (("from_stop", n_stops), ("to_stop", n_stops), ("from_trip", n_trips), ("to_trip", n_trips)):
        assert feed.transfers[column].between(-1, size - 1).all()
    assert feed.pathways["from_stop"].between(0, n_stops - 1).all()


def try_cells(tmp_path: Path, seeds: range) -> tuple[int, int]:
    """How many mutated feeds were read, and how many refused."""
    outcomes = [0, 0]
    for seed in seeds:
        chance = random.Random(seed)
        tables = mutate_cells(RICH, chance)
        left_out = dict.fromkeys(set(GOOD) - set(tables))
        path = feed_zip(tmp_path / "f.zip", **left_out, **{k: v.encode("utf-8", "replace") for k, v in tables.items()})
        feed = read_or_refuse(path)
        outcomes[feed is None] += 1
        if feed is not None:
            count_trips(feed)
            check_service(feed, dt.date(2024, 5, 6), [])
            if seed % 10 == 0:
                write_feed(feed, tmp_path / "out.zip", date_stamp=dt.date(2024, 5, 6))
                again = read_or_refuse(tmp_path / "out.zip")
                assert again is not None
                assert np.array_equal(again.calls.arrival_s, feed.calls.arrival_s)
    return outcomes[0], outcomes[1]


def try_bytes(tmp_path: Path, seeds: range) -> tuple[int, int]:
    """The same for damaged bytes: of the whole zip, or of one table before it is packed, where no checksum tells."""
    outcomes = [0, 0]
    whole = feed_zip(tmp_path / "whole.zip", **RICH).read_bytes()
    path = tmp_path / "damaged.zip"
    for seed in seeds:
        chance = random.Random(seed)
        if seed % 2:
            path.write_bytes(flip_bytes(whole, chance))
        else:
            table = chance.choice(sorted(RICH))
            feed_zip(path, **{**RICH, table: flip_bytes(RICH[table].encode(), chance)})
        outcomes[read_or_refuse(path) is None] += 1
    return outcomes[0], outcomes[1]


def test_mutated_cells_end_in_a_feed_or_an_error(tmp_path: Path) -> None:
    """Both happen, so that both are tried."""
    read, refused = try_cells(tmp_path, range(120))
    assert read > 50
    assert refused > 5


def test_damaged_zips_end_in_a_feed_or_an_error(tmp_path: Path) -> None:
    """Both happen, so that both are tried."""
    read, refused = try_bytes(tmp_path, range(120))
    assert read > 20
    assert refused > 40


CHILD = """
import faulthandler, resource, sys
faulthandler.enable()
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
import test_fuzz as fuzz
for try_all, first, last in ((fuzz.try_cells, 1_000, 3_000), (fuzz.try_bytes, 1_000, 3_000)):
    read = refused = 0
    for seed in range(first, last):
        print("seed", seed, flush=True)
        one, other = try_all(Path(sys.argv[3]), range(seed, seed + 1))
        read, refused = read + one, refused + other
    print("outcome", read, refused, flush=True)
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the peak of memory is asked for in the way of Unix")
def test_thousands_of_mutations(tmp_path: Path) -> None:
    """Four thousand, in a process of their own: one that crashed or hung would leave its seed as the last line."""
    here = Path(__file__).resolve().parent
    command = [sys.executable, "-c", CHILD, str(here), str(here.parents[1]), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"{lines[-1:]}: {done.stderr[-2000:]}"
    outcomes = [[int(n) for n in line.split()[1:]] for line in lines if line.startswith("outcome")]
    assert len(outcomes) == 2
    assert min(min(pair) for pair in outcomes) > 100
    assert int(lines[-1].split()[1]) < 1000
