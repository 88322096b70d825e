"""A feed that is read holds what its tables say."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import UsageError
from community_routes.base.notices import Notice
from community_routes.base.times import HOUR, MINUTE
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.gtfs.trips import basic_route_type, mode_of
from feed_zip import GOOD, feed_zip


def test_good_feed_is_read_without_a_notice_that_matters(tmp_path: Path) -> None:
    """All tables of the good feed, by hand."""
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "bus.zip"), notices=notices)
    assert notices == []
    assert feed.stops["stop_id"].tolist() == ["A", "B", "C", "D"]
    assert feed.stops["lon"].tolist() == [-3.00, -2.99, -2.98, -2.96]
    assert feed.routes[["route_id", "agency", "route_short_name", "route_type"]].values.tolist() == [["R7", 0, "7", 3]]
    assert feed.trips["trip_id"].tolist() == ["T1", "T2"]
    assert feed.calls.first.tolist() == [0, 3, 5]
    assert feed.calls.stop.tolist() == [0, 1, 2, 0, 3]
    eight, nine = 8 * HOUR, 9 * HOUR
    assert feed.calls.arrival_s.tolist() == [eight, eight + 300, eight + 600, nine, nine + 1200]
    assert feed.calls.departure_s.tolist() == [eight, eight + 360, eight + 600, nine, nine + 1200]
    assert feed.calls.timed.all()
    assert feed.sources == ("bus.zip",)
    assert feed.active_trips(dt.date(2024, 2, 29)).tolist() == [0, 1]
    assert feed.active_trips(dt.date(2025, 1, 1)).tolist() == []


def test_ids_are_text_and_blank_cells_are_empty(tmp_path: Path) -> None:
    """007 stays 007; a column that is not there, and a blank cell, are the empty text; a blank number is its default."""
    stops = "stop_id,stop_name,stop_lat,stop_lon,stop_code\n007,,51.6,-3.0,\n7,Seven,51.6,-2.9,0070\n"
    times = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n1,8:00:00,8:00:00,007,1\n1,8:10:00,8:10:00,7,2\n"
    )
    trips = "route_id,service_id,trip_id\nR7,daily,1\n"
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops, stop_times=times, trips=trips))
    assert feed.stops["stop_id"].tolist() == ["007", "7"]
    assert feed.stops["stop_code"].tolist() == ["", "0070"]
    assert feed.stops["platform_code"].tolist() == ["", ""]
    assert feed.trips["block_id"].tolist() == [""]
    assert feed.trips["direction_id"].tolist() == [-1]
    assert np.isnan(feed.calls.distance).all()


def test_headings_and_cells_are_freed_of_marks_and_blanks(tmp_path: Path) -> None:
    """A byte-order mark, blanks and quotation marks around names and values, and Windows line ends change nothing."""
    plain = read_feed(feed_zip(tmp_path / "plain.zip"))
    stops = (
        GOOD["stops"]
        .replace("stop_id,stop_name", '\ufeff"stop_id", Stop_Name ')
        .replace("A,Abbey Road", ' A ,"Abbey Road"')
    )
    trips = GOOD["trips"].replace("\n", "\r\n").replace("daily", " daily ")
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "odd.zip", stops=stops, trips=trips), notices=notices)
    assert feed.stops.equals(plain.stops)
    assert feed.trips.equals(plain.trips)
    assert np.array_equal(feed.calls.stop, plain.calls.stop)
    assert {n.code for n in notices} == {"heading_mended"}


def test_quoted_cells_hold_commas_quotes_and_line_breaks(tmp_path: Path) -> None:
    """RFC 4180: a doubled quotation mark is one; lines after a value of two lines are still numbered as in the file."""
    stops = GOOD["stops"].replace("Abbey Road", '"Abbey ""Old"" Road,\nNorth"').replace("51.60,-2.96", "x,-2.96")
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops), notices=notices)
    assert feed.stops["stop_name"][0] == 'Abbey "Old" Road,\nNorth'
    assert feed.stops["stop_id"].tolist() == ["A", "B", "C", "D"]
    assert [(n.row, n.field, n.value) for n in notices if n.code == "not_a_number"] == [(6, "stop_lat", "x")]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\n"])
def test_line_ends_of_all_kinds(tmp_path: Path, end: str) -> None:
    """Windows, old Macintosh, and a blank line behind every row."""
    notices: list[Notice] = []
    tables = {name: text.replace("\n", end) for name, text in GOOD.items()}
    feed = read_feed(feed_zip(tmp_path / "odd.zip", **tables), notices=notices)
    plain = read_feed(feed_zip(tmp_path / "plain.zip"))
    assert feed.stops.equals(plain.stops)
    assert feed.trips.equals(plain.trips)
    assert np.array_equal(feed.calls.arrival_s, plain.calls.arrival_s)
    assert notices == []


@pytest.mark.parametrize(
    ("encoding", "row"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", 1),
        ("utf-16-le", 1),
        ("utf-16-be", 1),
        ("utf-32", 1),
        ("cp1252", 2),
    ],
)
def test_names_are_the_same_in_every_encoding(tmp_path: Path, encoding: str, row: int | None) -> None:
    """é is two bytes in UTF-8, one in Windows-1252; anything but UTF-8 is said, with or without a mark, and where.

    The first line has no accent: only a wide encoding shows there.
    """
    stops = GOOD["stops"].replace("Abbey Road", "Café Rhône")
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops.encode(encoding)), notices=notices)
    assert feed.stops["stop_name"][0] == "Café Rhône"
    assert [(n.code, n.row) for n in notices] == ([] if row is None else [("not_utf8", row)])
    assert all("save it anew as UTF-8" in n.message for n in notices)


def test_calls_are_sorted_by_sequence_and_trips_keep_their_order(tmp_path: Path) -> None:
    """Rows of two trips mixed, and in the wrong order; numbers of the sequence may jump."""
    times = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "T2,09:20:00,09:20:00,D,40\nT1,08:10:00,08:10:00,C,100\nT2,09:00:00,09:00:00,A,7\n"
        "T1,08:00:00,08:00:00,A,0\nT1,08:05:00,08:06:00,B,9\n"
    )
    feed = read_feed(feed_zip(tmp_path / "f.zip", stop_times=times))
    assert feed.calls.stop.tolist() == [0, 1, 2, 0, 3]
    assert feed.calls.sequence.tolist() == [0, 9, 100, 7, 40]


def test_times_past_midnight_and_single_times(tmp_path: Path) -> None:
    """25:10 is ten past one of the next day; where one of two times is blank it is the other."""
    times = (
        "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        "T1,,23:50:00,A,1\nT1,24:30:00,,B,2\nT1, 25:10:00,25:10:00,C,3\n"
        "T2,9:00:00,9:00:00,A,1\nT2,9:20,9:20,D,2\n"
    )
    feed = read_feed(feed_zip(tmp_path / "f.zip", stop_times=times))
    assert feed.calls.arrival_s.tolist() == [85_800, 88_200, 90_600, 32_400, 33_600]
    assert feed.calls.departure_s.tolist() == [85_800, 88_200, 90_600, 32_400, 33_600]


def test_exceptions_add_and_remove_days(tmp_path: Path) -> None:
    """Monday 6 May 2024 is taken from the daily service; a service of single dates has no week."""
    trips = "route_id,service_id,trip_id\nR7,daily,T1\nR7,fair,T2\n"
    dates = "service_id,date,exception_type\ndaily,20240506,2\nfair,20240506,1\n"
    feed = read_feed(feed_zip(tmp_path / "f.zip", trips=trips, calendar_dates=dates))
    assert feed.active_trips(dt.date(2024, 5, 5)).tolist() == [0]
    assert feed.active_trips(dt.date(2024, 5, 6)).tolist() == [1]
    assert np.isnat(feed.calendar.start).tolist() == [False, True]


def test_platforms_inherit_wheelchair_access_from_their_station(tmp_path: Path) -> None:
    """0 is unknown and asks the station; 2 is a no of its own."""
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,wheelchair_boarding\n"
        "A,Abbey,51.6,-3.00,0,S,\nB,Bridge,51.6,-2.99,0,S,2\nC,Castle,51.6,-2.98,0,,\nD,Dock,51.6,-2.97,,S,0\n"
        "S,Station,51.6,-3.00,1,,1\n"
    )
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops))
    assert feed.stops["wheelchair_boarding"].tolist() == [1, 2, 0, 1, 1]
    assert feed.stops["parent"].tolist() == [4, 4, -1, 4, -1]
    assert feed.stops["location_type"].tolist() == [0, 0, 0, 0, 1]


def test_transfers_frequencies_and_pathways(tmp_path: Path) -> None:
    """Each row by hand, with ids turned into rows."""
    transfers = (
        "from_stop_id,to_stop_id,from_route_id,to_route_id,from_trip_id,to_trip_id,transfer_type,min_transfer_time\n"
        "A,B,,,,,2,180\nB,B,R7,,,T2,1,\n,,,,T1,T2,4,\n"
    )
    frequencies = "trip_id,start_time,end_time,headway_secs,exact_times\nT2,06:00:00,09:30:00,600,1\n"
    pathways = (
        "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length,traversal_time\np,A,C,2,0,40.5,\n"
    )
    feed = read_feed(feed_zip(tmp_path / "f.zip", transfers=transfers, frequencies=frequencies, pathways=pathways))
    columns = [
        "from_stop",
        "to_stop",
        "from_route",
        "to_route",
        "from_trip",
        "to_trip",
        "transfer_type",
        "min_transfer_s",
    ]
    assert feed.transfers[columns].values.tolist() == [
        [0, 1, -1, -1, -1, -1, 2, 180],
        [1, 1, 0, -1, -1, 1, 1, -1],
        [-1, -1, -1, -1, 0, 1, 4, -1],
    ]
    assert feed.frequencies.values.tolist() == [[1, 21_600, 34_200, 600, True]]
    row = feed.pathways.iloc[0]
    assert (row["from_stop"], row["to_stop"], row["metres"], row["mode"], row["both_ways"]) == (0, 2, 40.5, 2, False)
    assert np.isnan(row["traversal_s"])


def test_fare_tables_are_kept_as_text(tmp_path: Path) -> None:
    """Also columns that nobody knows; a price keeps its two digits."""
    fares = "fare_id,price,currency_type,payment_method,transfers,note\nsingle,3.00,GBP,0,,peak only\n"
    feed = read_feed(feed_zip(tmp_path / "f.zip", fare_attributes=fares))
    assert feed.fares["fare_attributes"].to_dict("records") == [
        {
            "fare_id": "single",
            "price": "3.00",
            "currency_type": "GBP",
            "payment_method": "0",
            "transfers": "",
            "note": "peak only",
        }
    ]


def test_three_feeds_are_joined_though_the_second_has_no_shapes(tmp_path: Path) -> None:
    """The courses of the first and third, two and three points, stay with their trips."""
    paths, head = [], GOOD["stop_times"].splitlines()[0]
    for name, n_points, moved in (("a", 2, "08:00"), ("b", 0, "10:00"), ("c", 3, "12:00")):
        points = "".join(f"s{name},51.60,{-3 + i / 100},{i}\n" for i in range(n_points))
        tables = {
            "trips": f"route_id,service_id,trip_id,shape_id\nR7,daily,T{name},{f's{name}' if n_points else ''}\n",
            "stop_times": f"{head}\nT{name},{moved}:00,{moved}:00,A,1\nT{name},{moved}:30,{moved}:30,B,2\n",
        }
        if n_points:
            tables["shapes"] = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + points
        paths.append(feed_zip(tmp_path / f"{name}.zip", **tables))
    feed = read_feed(paths)
    assert feed.trips["shape"].tolist() == [0, -1, 1]
    assert feed.shapes.first.tolist() == [0, 2, 5]
    assert feed.calls.first.tolist() == [0, 2, 4, 6]


def test_joined_feeds_mark_ids_that_clash_and_only_those(tmp_path: Path) -> None:
    """Both feeds have all ids but the rail's stop X and its trip N; clashing ids get the file's stem in both."""
    bus = feed_zip(tmp_path / "bus.zip", fare_rules="fare_id,route_id\nf,R7\n")
    rail = feed_zip(
        tmp_path / "rail.zip",
        stops=GOOD["stops"].replace("D,Dock", "X,Dock"),
        stop_times=GOOD["stop_times"].replace(",D,", ",X,").replace("T2", "N"),
        trips="route_id,service_id,trip_id,block_id\nR7,daily,T1,b\nR7,daily,N,b\n",
        agency=GOOD["agency"].replace("Valley Buses", "Valley Trains"),
        fare_rules="fare_id,route_id\ng,R7\n",
    )
    feed = read_feed([bus, rail])
    assert feed.stops["stop_id"].tolist() == ["bus:A", "bus:B", "bus:C", "D", "rail:A", "rail:B", "rail:C", "X"]
    assert feed.trips["trip_id"].tolist() == ["bus:T1", "T2", "rail:T1", "N"]
    assert feed.trips["block_id"].tolist() == ["", "", "b", "b"]
    assert feed.trips["route"].tolist() == [0, 0, 1, 1]
    assert feed.trips["service"].tolist() == [0, 0, 1, 1]
    assert feed.trips["source"].tolist() == [0, 0, 1, 1]
    assert feed.routes["route_id"].tolist() == ["bus:R7", "rail:R7"]
    assert feed.routes["agency"].tolist() == [0, 1]
    assert feed.calls.stop.tolist() == [0, 1, 2, 0, 3, 4, 5, 6, 4, 7]
    assert feed.calendar.service_id.tolist() == ["bus:daily", "rail:daily"]
    assert feed.fares["fare_rules"].values.tolist() == [["f", "bus:R7"], ["g", "rail:R7"]]
    assert feed.sources == ("bus.zip", "rail.zip")


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Two files named bus.zip in two folders: the second is marked bus-2."""
    (tmp_path / "old").mkdir()
    feed = read_feed(
        [
            feed_zip(tmp_path / "bus.zip"),
            feed_zip(tmp_path / "old" / "bus.zip", agency=GOOD["agency"].replace("Valley", "Hill")),
        ]
    )
    assert feed.routes["route_id"].tolist() == ["bus:R7", "bus-2:R7"]


def test_content_hash_follows_the_bytes_that_were_read(tmp_path: Path) -> None:
    """The same bytes under two names are one hash; another minute in one call is another; so is a clip."""
    one, two = feed_zip(tmp_path / "one.zip"), feed_zip(tmp_path / "two.zip")
    other = feed_zip(tmp_path / "other.zip", stop_times=GOOD["stop_times"].replace("08:10", "08:11"))
    assert read_feed(one).content_hash == read_feed(two).content_hash
    assert read_feed(one).content_hash != read_feed(other).content_hash
    assert read_feed(one).content_hash != read_feed(one, dates=[dt.date(2024, 3, 5)]).content_hash


def test_the_dates_a_publisher_vouches_for_are_kept(tmp_path: Path) -> None:
    """feed_info.txt with an end and no beginning."""
    info = "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\nV,u,en,,20240630\n"
    assert read_feed(feed_zip(tmp_path / "f.zip", feed_info=info)).valid == ((None, dt.date(2024, 6, 30)),)


def test_extended_route_types_are_understood(tmp_path: Path) -> None:
    """700 is a bus service, 109 a suburban railway, 405 a monorail, 900 a tram; basic types stay what they are."""
    routes = GOOD["routes"].replace(",3\n", ",714\n")
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", routes=routes), notices=notices)
    assert (feed.routes["route_type"].tolist(), notices) == ([714], [])
    kinds = np.array([714, 700, 109, 405, 401, 900, 1000, 3, 0, 12, 200])
    assert basic_route_type(kinds).tolist() == [3, 3, 2, 12, 1, 0, 4, 3, 0, 12, 3]
    assert [mode_of(kind) for kind in (714, 109, 3, 900, 1102, 55)] == ["bus", "rail", "bus", "tram", "air", "other"]


def test_nothing_to_read_is_wrong_usage() -> None:
    """An empty list of timetables is no feed."""
    with pytest.raises(UsageError, match="no timetable"):
        read_feed([])


def test_minutes_are_sixty_seconds() -> None:
    """The units that the tests above rely on."""
    assert (MINUTE, HOUR) == (60, 3600)


def test_a_line_of_blanks_is_no_row(tmp_path: Path) -> None:
    """Between two rows and behind the last one lie lines of blanks: neither is a stop, a row too short, or worth a notice."""
    heading, *rows = GOOD["stops"].splitlines()
    notices: list[Notice] = []
    spaced = read_feed(
        feed_zip(tmp_path / "bus.zip", stops="\n".join([heading, rows[0], "   ", *rows[1:], " ", ""])), notices=notices
    )
    assert spaced.stops["stop_id"].tolist() == [row.partition(",")[0] for row in rows]
    assert not [notice for notice in notices if notice.file.endswith("stops.txt")]
