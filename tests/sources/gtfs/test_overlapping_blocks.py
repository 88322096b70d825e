"""Trips of one block that overlap on a date are told, with the trip that begins too early."""

from __future__ import annotations

from pathlib import Path

import pytest

from community_routes.base.notices import Notice
from community_routes.sources.gtfs.read import read_feed
from feed_zip import feed_zip

HEAD = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
WEEK = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
CALENDAR = (
    WEEK + "daily,1,1,1,1,1,1,1,20240101,20241231\nsunday,0,0,0,0,0,0,1,20240101,20241231\n"
    "saturday,0,0,0,0,0,1,0,20240101,20241231\nlater,1,1,1,1,1,1,1,20250101,20251231\n"
)


def overlaps(tmp_path: Path, trips: str, **tables: str) -> list[Notice]:
    """What is found of trips that leave at A, 20 minutes apart from 08:00 on, and reach D 30 minutes later."""
    names = [row.split(",")[2] for row in trips.split()]
    clocks = [f"08:{minute:02d}:00" if minute < 60 else f"09:{minute - 60:02d}:00" for minute in range(0, 91, 10)]
    times = "".join(
        f"{name},{clocks[2 * k]},{clocks[2 * k]},A,1\n{name},{clocks[2 * k + 3]},{clocks[2 * k + 3]},D,2\n"
        for k, name in enumerate(names)
    )
    heading = "route_id,service_id,trip_id,block_id\n"
    found: list[Notice] = []
    read_feed(
        feed_zip(tmp_path / "f.zip", trips=heading + trips, stop_times=HEAD + times, calendar=CALENDAR, **tables),
        notices=found,
    )
    return [notice for notice in found if notice.code == "block_overlap"]


def test_two_trips_at_once(tmp_path: Path) -> None:
    """T2 leaves at 08:20, T1 is on its way until 08:30; T3 leaves at 08:40, when T2 is on its way until 08:50."""
    found = overlaps(tmp_path, "R7,daily,T1,b\nR7,daily,T2,b\nR7,daily,T3,b\n")
    assert [(n.severity, n.file, n.row, n.field, n.value) for n in found] == [
        ("warning", "f.zip/trips.txt", row, "block_id", "b") for row in (3, 4)
    ]
    assert "trip 'T2' leaves at 08:20" in found[0].message
    assert "'T1'" in found[0].message
    assert "08:30" in found[0].message
    assert "2024-01-01" in found[0].message


@pytest.mark.parametrize(
    ("trips", "n"),
    [
        ("R7,daily,T1,b\nR7,daily,T2,c\n", 0),
        ("R7,daily,T1,\nR7,daily,T2,\n", 0),
        ("R7,daily,T1,b\nR7,daily,X,c\nR7,daily,T3,b\n", 0),
        ("R7,saturday,T1,b\nR7,sunday,T2,b\n", 0),
        ("R7,daily,T1,b\nR7,later,T2,b\n", 0),
        ("R7,daily,T1,b\nR7,sunday,T2,b\n", 1),
    ],
)
def test_only_one_block_on_one_date_overlaps(tmp_path: Path, trips: str, n: int) -> None:
    """Other blocks, no block, 08:00-08:30 and 08:40, weekdays or years apart: nothing; daily and Sundays share a Sunday."""
    assert len(overlaps(tmp_path, trips)) == n


def test_exceptions_make_and_unmake_a_shared_date(tmp_path: Path) -> None:
    """Saturday 2024-03-02 is added to the Sundays: then both run. Taken from both, no date is left."""
    trips = "R7,saturday,T1,b\nR7,sunday,T2,b\n"
    dates = "service_id,date,exception_type\nsunday,20240302,1\n"
    assert "2024-03-02" in overlaps(tmp_path, trips, calendar_dates=dates)[0].message
    assert overlaps(tmp_path, trips, calendar_dates=dates + "saturday,20240302,2\n") == []


def test_trips_with_headways_have_no_times_of_their_own(tmp_path: Path) -> None:
    """T1 is a template only."""
    frequencies = "trip_id,start_time,end_time,headway_secs\nT1,06:00:00,07:00:00,600\n"
    assert overlaps(tmp_path, "R7,daily,T1,b\nR7,daily,T2,b\n", frequencies=frequencies) == []
