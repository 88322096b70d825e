"""An exported timetable holds what its files held: tables and columns that nobody here reads, blank times, all ids."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from community_routes.scenarios.edit.feed import NewTrip, TripCalls, copy_trips, edit_trips
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.originals import export_feed, with_originals
from community_routes.sources.gtfs.read import read_feed
from conftest import shared_data
from feed_zip import GOOD, feed_zip
from sources.gtfs.test_write import assert_same

STAMP = dt.date(2024, 3, 5)
MORE: dict[str, str | bytes | None] = {
    "agency": (
        "agency_id,agency_name,agency_url,agency_timezone,agency_lang,agency_phone\n"
        "OP1,Valley Buses,https://example.org,Europe/London,en,01633\n"
    ),
    "stops": (
        'stop_id,stop_name,stop_lat,stop_lon,stop_desc,level_id\nA,Abbey,51.60,-3.00,"by the gate, north",L0\n'
        "B,Bridge,51.60,-2.99,,\nC,Castle,51.60,-2.98,,L1\nD,Dock,51.60,-2.96,,\n"
    ),
    "routes": ("route_id,agency_id,route_short_name,route_type,route_text_color,network_id\nR7,OP1,7,3,FFFFFF,town\n"),
    "trips": "route_id,service_id,trip_id,bikes_allowed\nR7,daily,T1,1\nR7,daily,T2,2\n",
    "stop_times": (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence,stop_headsign,timepoint\n"
        "T1,08:00:00,08:00:00,A,10,Castle,1\nT1,,,B,20,Castle,\nT1,08:10:00,08:10:00,C,30,,1\n"
        "T2,09:00:00,09:00:00,A,1,Dock,0\nT2,09:20:00,09:20:00,D,2,,1\n"
    ),
    "calendar": GOOD["calendar"]
    .replace("end_date\ndaily", "end_date,note\ndaily")
    .replace("1231\n", "1231,all year\n"),
    "pathways": "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,stair_count\nup,A,B,2,1,12\n",
    "feed_info": (
        "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\nV,https://example.org,en,20240101,20240630\n"
    ),
    "levels": "level_id,level_index\nL0,0\nL1,1\n",
    "attributions": "attribution_id,trip_id,organization_name\n1,T1,One\n2,T2,Two\n3,,All\n",
    "translations": (
        "table_name,field_name,language,translation,record_id\n"
        "trips,trip_headsign,cy,Doc,T2\nstops,stop_name,cy,Pont,B\n"
    ),
    "vehicles": "stop_id,bays\nA,2\n",
}


def rows_of(path: Path, table: str) -> list[dict[str, str]]:
    """The rows of a table in a zip."""
    with zipfile.ZipFile(path) as archive:
        return list(csv.DictReader(io.StringIO(archive.read(f"{table}.txt").decode())))


def exported(tmp_path: Path, before: Feed, after: Feed, *files: Path) -> tuple[Path, list[str]]:
    """The zip that is written, and what was left out."""
    out = tmp_path / "out.zip"
    return out, export_feed(after, before, files, out, date_stamp=STAMP)


def test_what_is_not_touched_comes_out_as_it_went_in(tmp_path: Path) -> None:
    """Every cell of every table that went in is there, the blank time of T1 at B too, and nothing is left out."""
    file = feed_zip(tmp_path / "bus.zip", **MORE)
    before = read_feed(file)
    out, said = exported(tmp_path, before, with_originals(before), file)
    for table in {*GOOD, *MORE}:
        found = rows_of(out, table)
        wanted = rows_of(file, table)
        assert [{column: row[column] for column in wanted[0]} for row in found] == [
            {c: f"{float(v):g}" if c in {"stop_lat", "stop_lon"} else v for c, v in row.items()} for row in wanted
        ]
    assert said == []
    assert_same(before, read_feed(out))
    assert not read_feed(out).calls.timed[1]


def test_rows_about_removed_trips_go(tmp_path: Path) -> None:
    """Without T2 its attribution and its translation go, with a word; the others stay."""
    file = feed_zip(tmp_path / "bus.zip", **MORE)
    before = read_feed(file)
    out, said = exported(tmp_path, before, edit_trips(with_originals(before), remove=[1]), file)
    assert [row["attribution_id"] for row in rows_of(out, "attributions")] == ["1", "3"]
    assert [row["record_id"] for row in rows_of(out, "translations")] == ["B"]
    assert [row["timepoint"] for row in rows_of(out, "stop_times")] == ["1", "", "1"]
    assert said == [
        f"bus.zip/{table}.txt: 1 of {n} rows are left out; what they are about is gone"
        for table, n in (("attributions", 3), ("translations", 2))
    ]


def test_a_part_of_a_region_keeps_its_columns(tmp_path: Path) -> None:
    """Around D only T2 calls, at A and D: the rows about T1, and about stop B, are those of somewhere else."""
    file = feed_zip(tmp_path / "region.zip", **MORE)
    part = read_feed(file, area=(-2.965, 51.5, -2.955, 51.7))
    out, _ = exported(tmp_path, part, with_originals(part), file)
    assert [(row["trip_id"], row["bikes_allowed"]) for row in rows_of(out, "trips")] == [("T2", "2")]
    assert [(row["stop_id"], row["level_id"]) for row in rows_of(out, "stops")] == [("A", "L0"), ("D", "")]
    assert [row["attribution_id"] for row in rows_of(out, "attributions")] == ["2", "3"]
    assert [row["record_id"] for row in rows_of(out, "translations")] == ["T2"]
    assert rows_of(out, "vehicles") == [{"stop_id": "A", "bays": "2"}]


def test_copies_take_the_columns_of_their_trip(tmp_path: Path) -> None:
    """A copy of T1 an hour later has its bikes, headsign and translation; its filled time at B is an approximate one.

    A trip made from nothing has blank cells.
    """
    file = feed_zip(tmp_path / "bus.zip", **MORE)
    before = read_feed(file)
    feed, rows = copy_trips(with_originals(before), np.array([0, 1]), [0, 0], "~x")
    feed = edit_trips(feed, replaced={int(rows[0]): TripCalls.of(feed, int(rows[0])).shifted(3600)})
    new = NewTrip("new", 0, 0, TripCalls.plain([0, 3], [36000, 37000], [36000, 37000]))
    out, _ = exported(tmp_path, before, edit_trips(feed, added=[new]), file)
    assert {row["trip_id"]: row["bikes_allowed"] for row in rows_of(out, "trips")} == {
        "T1": "1", "T2": "2", "T1~x": "1", "T2~x": "2", "new": "",
    }  # fmt: skip
    calls = [tuple(row.values()) for row in rows_of(out, "stop_times") if row["trip_id"] == "T1~x"]
    assert [(c[1], c[-2], c[-1]) for c in calls] == [
        ("09:00:00", "Castle", "1"), ("09:05:00", "Castle", "0"), ("09:10:00", "", "1"),
    ]  # fmt: skip
    assert [row["record_id"] for row in rows_of(out, "translations")] == ["T2", "T2~x", "B"]


def test_joined_files_keep_their_ids_apart(tmp_path: Path) -> None:
    """Both files use every id; the levels of rail are those of its stops, and every route keeps its network."""
    other = {
        name: content.replace("L0", "L9").replace("OP1,7,3,FFFFFF,town", "OP1,8,2,,land")
        for name, content in MORE.items()
        if isinstance(content, str)
    }
    files = [feed_zip(tmp_path / "bus.zip", **MORE), feed_zip(tmp_path / "rail.zip", **other)]
    before = read_feed(files)
    out, said = exported(tmp_path, before, with_originals(before), *files)
    stops = {row["stop_id"]: row["level_id"] for row in rows_of(out, "stops")}
    assert (stops["bus:A"], stops["rail:A"], stops["rail:C"]) == ("L0", "L9", "rail:L1")
    assert {row["level_id"] for row in rows_of(out, "levels")} == {"L0", "L9", "bus:L1", "rail:L1"}
    assert {row["route_id"]: row["network_id"] for row in rows_of(out, "routes")} == {
        "bus:R7": "town",
        "rail:R7": "land",
    }
    assert [row["trip_id"] for row in rows_of(out, "attributions")] == [
        "bus:T1",
        "bus:T2",
        "",
        "rail:T1",
        "rail:T2",
        "",
    ]
    assert [row["record_id"] for row in rows_of(out, "translations")] == ["bus:T2", "bus:B", "rail:T2", "rail:B"]
    assert len(rows_of(out, "feed_info")) == 1
    assert said == ["feed_info.txt of rail.zip is left out: a timetable has only one"]
    assert_same(before, read_feed(out))


def test_nobody_vouches_for_the_dates_of_another_file(tmp_path: Path) -> None:
    """Both begin on 1 January 2024; bus is good until 30 June, and rail says nothing in a table without a row."""
    heading = "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\n"
    for info in (heading, heading + "R,https://example.org,en,20240101,20240331\n"):
        files = [
            feed_zip(tmp_path / "bus.zip", **MORE),
            feed_zip(tmp_path / "rail.zip", routes=GOOD["routes"].replace(",7,", ",8,"), feed_info=info),
        ]
        before = read_feed(files)
        out, said = exported(tmp_path, before, with_originals(before), *files)
        (row,) = rows_of(out, "feed_info")
        assert (row["feed_publisher_name"], row["feed_end_date"]) == ("V", "")
        assert row["feed_start_date"] == ("" if info == heading else "20240101")
        assert any("feed_end_date is left out" in text for text in said)


def test_files_that_are_no_tables_go_along(tmp_path: Path) -> None:
    """A map of flexible areas and a note, whose commas are no columns, are the same bytes, and nothing is said of them."""
    note = "Times\nare local, and so on, and on\n"
    file = feed_zip(tmp_path / "bus.zip", readme=note)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("locations.geojson", b'{"type": "FeatureCollection",\r\n"features": []}')
    before = read_feed(file)
    out, said = exported(tmp_path, before, with_originals(before), file)
    assert said == []
    with zipfile.ZipFile(out) as archive:
        assert archive.read("readme.txt").decode() == note
        assert archive.read("locations.geojson") == b'{"type": "FeatureCollection",\r\n"features": []}'


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    """A trip of a single call is left out when it is read, and so are its call and a shape that no trip uses."""
    tables = {
        "trips": GOOD["trips"] + "R7,daily,T3\n",
        "stop_times": GOOD["stop_times"] + "T3,10:00:00,10:00:00,A,1\n",
        "shapes": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\ns,51.6,-3,1\ns,51.6,-2.9,2\n",
    }
    file = feed_zip(tmp_path / "bus.zip", **tables)
    before = read_feed(file)
    _, said = exported(tmp_path, before, with_originals(before), file)
    assert said == [
        "trips.txt of bus.zip: 1 of 3 rows are left out; they could not be used (`check` says why)",
        "stop_times.txt of bus.zip: 1 of 6 rows are left out; they could not be used (`check` says why)",
        "bus.zip/shapes.txt: 1 of 1 shapes are left out; no trip uses them",
    ]


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        pytest.param(
            "newport_wales", ["newport-20240305_bus_gtfs.zip", "newport-20240305_rail_gtfs.zip"], marks=pytest.mark.slow
        ),
        ("kuopio", ["gtfs_kuopio_finland.zip"]),
    ],
)
def test_real_timetables_come_back(tmp_path: Path, folder: str, names: list[str]) -> None:
    """The same tables and calls, to the last bit, and every column that went in."""
    files = [shared_data(folder) / name for name in names]
    before = read_feed(files)
    out, _ = exported(tmp_path, before, with_originals(before), *files)
    assert_same(before, read_feed(out))
    with zipfile.ZipFile(out) as written:
        for file in files:
            with zipfile.ZipFile(file) as archive:
                for table in set(archive.namelist()) & set(written.namelist()):
                    columns = archive.open(table).readline().decode("utf-8-sig").strip().replace('"', "").split(",")
                    assert set(columns) <= set(written.open(table).readline().decode().strip().split(",")), table
                gone = set(archive.namelist()) - set(written.namelist())  # a table that is empty is not written
                assert {table for table in gone if len(archive.read(table).splitlines()) > 1} == set()


def test_a_feed_is_the_same_but_for_its_mark(tmp_path: Path) -> None:
    """The mark is a column of trips, and nothing else is copied."""
    feed = read_feed(feed_zip(tmp_path / "f.zip"))
    marked = with_originals(feed)
    assert_same(feed, replace(marked, trips=marked.trips.drop(columns="original")))
    assert marked.calls is feed.calls
