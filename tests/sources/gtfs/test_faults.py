"""Every fault in a table is named by file, row and field, and what was done about it is what the feed shows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from feed_zip import GOOD, feed_zip

Finding = tuple[str, str, str, int | None, str]


@dataclass(frozen=True)
class Fault:
    """A change to the good feed and what must be said about it: (severity, code, table, row, field)."""

    name: str
    findings: list[Finding]
    tables: dict[str, str | bytes | None] = field(default_factory=dict)


def changed(table: str, old: str, new: str) -> dict[str, str | bytes | None]:
    """One text of a table of the good feed replaced once."""
    assert old in GOOD[table]
    return {table: GOOD[table].replace(old, new, 1)}


def added(table: str, row: str) -> dict[str, str | bytes | None]:
    """A row more at the end of a table of the good feed."""
    return {table: f"{GOOD[table]}{row}\n"}


SERVICE = "service_id,date,exception_type\n"
FREQUENCY = "trip_id,start_time,end_time,headway_secs\n"
TRANSFER = "from_stop_id,to_stop_id,transfer_type,min_transfer_time\n"

MENDED = [
    Fault(
        "a column twice: the first is read",
        [("warning", "column_twice", "stops.txt", 1, "stop_name")],
        changed("stops", "stop_lon\n", "stop_lon,stop_name\n")
        | {
            "stops": "\n".join(f"{r},{'stop_name' if not i else 'x'}" for i, r in enumerate(GOOD["stops"].splitlines()))
        },
    ),
    Fault(
        "a stop twice: the first is used",
        [("warning", "duplicate_id", "stops.txt", 6, "stop_id")],
        added("stops", "A,Elsewhere,51.0,-3.5"),
    ),
    Fault(
        "a trip twice: the first is used",
        [("warning", "duplicate_id", "trips.txt", 4, "trip_id")],
        added("trips", "R7,daily,T1"),
    ),
    Fault("a row without an id", [("warning", "blank_id", "stops.txt", 6, "stop_id")], added("stops", ",No,51.6,-3.0")),
    Fault(
        "a row with cells missing",
        [("warning", "row_too_short", "routes.txt", 3, "")],
        {
            "routes": "route_id,agency_id,route_short_name,route_type,route_long_name,route_color\n"
            "R7,OP1,7,3,Abbey - Dock,\nR7B,OP1,7B,3\n",
            "trips": "route_id,service_id,trip_id\nR7,daily,T1\nR7B,daily,T2\n",
        },
    ),
    Fault(
        "a row with a comma too many",
        [("warning", "row_too_long", "stops.txt", 6, "")],
        added("stops", "E,East, Gate,51.6,-2.9"),
    ),
    Fault(
        "NUL characters",
        [("warning", "nul_bytes", "stops.txt", 3, "")],
        {"stops": GOOD["stops"].replace("Bridge", "Bri\0dge")},
    ),
    Fault(
        "a number that is none",
        [("warning", "not_a_number", "stop_times.txt", 2, "pickup_type")],
        {
            "stop_times": "\n".join(
                row + (",pickup_type" if i == 0 else ",yes" if i == 1 else ",")
                for i, row in enumerate(GOOD["stop_times"].splitlines())
            )
        },
    ),
    Fault(
        "infinity is no distance",
        [("warning", "not_a_number", "stop_times.txt", 2, "shape_dist_traveled")],
        {
            "stop_times": "\n".join(
                row + (",shape_dist_traveled" if i == 0 else ",inf" if i == 1 else ",")
                for i, row in enumerate(GOOD["stop_times"].splitlines())
            )
        },
    ),
    Fault(
        "no agency of that id",
        [("warning", "unknown_agency", "routes.txt", 2, "agency_id")],
        changed("routes", "OP1", "OP2"),
    ),
    Fault(
        "no route type of that number",
        [("warning", "unknown_route_type", "routes.txt", 2, "route_type")],
        changed("routes", ",3\n", ",99\n"),
    ),
    Fault(
        "a parent that is no stop",
        [("warning", "unknown_parent", "stops.txt", 2, "parent_station")],
        {
            "stops": "stop_id,stop_lat,stop_lon,parent_station\nA,51.6,-3,X\nB,51.6,-2.99,\nC,51.6,-2.98,\nD,51.6,-2.96,\n"
        },
    ),
    Fault(
        "a parent that is itself a stop, in a circle",
        [
            ("warning", "wrong_parent", "stops.txt", 2, "parent_station"),
            ("warning", "wrong_parent", "stops.txt", 3, "parent_station"),
        ],
        {
            "stops": "stop_id,stop_lat,stop_lon,parent_station\nA,51.6,-3,B\nB,51.6,-2.99,A\nC,51.6,-2.98,\nD,51.6,-2.96,\n"
        },
    ),
    Fault(
        "a kind of place that is none",
        [("warning", "unknown_location_type", "stops.txt", 2, "location_type")],
        {
            "stops": "stop_id,stop_lat,stop_lon,location_type\nA,51.6,-3,9\nB,51.6,-2.99,\nC,51.6,-2.98,\nD,51.6,-2.96,\n"
        },
    ),
    Fault(
        "a trip of no route",
        [("warning", "trip_without_route", "trips.txt", 4, "route_id")],
        added("trips", "R9,daily,T3"),
    ),
    Fault(
        "a trip of no service",
        [("warning", "trip_without_service", "trips.txt", 4, "service_id")],
        added("trips", "R7,never,T3"),
    ),
    Fault(
        "a trip without calls",
        [("warning", "trip_without_calls", "trips.txt", 4, "trip_id")],
        added("trips", "R7,daily,T3"),
    ),
    Fault(
        "a trip with one call",
        [("warning", "trip_too_short", "trips.txt", 4, "trip_id")],
        added("trips", "R7,daily,T3") | added("stop_times", "T3,10:00:00,10:00:00,A,1"),
    ),
    Fault(
        "a shape that is not there",
        [("warning", "unknown_shape", "trips.txt", None, "shape_id")],
        {"trips": "route_id,service_id,trip_id,shape_id\nR7,daily,T1,\nR7,daily,T2,s\n"},
    ),
    Fault(
        "a call of no trip",
        [("warning", "unknown_trip", "stop_times.txt", 7, "trip_id")],
        added("stop_times", "T9,10:00:00,10:00:00,A,1"),
    ),
    Fault(
        "a call at no stop",
        [("warning", "unknown_stop", "stop_times.txt", 7, "stop_id")],
        added("stop_times", "T1,08:20:00,08:20:00,X,4"),
    ),
    Fault(
        "a call without a place in the order",
        [("warning", "broken_sequence", "stop_times.txt", 7, "stop_sequence")],
        added("stop_times", "T1,08:20:00,08:20:00,D,"),
    ),
    Fault(
        "two calls with one place in the order",
        [("warning", "duplicate_call", "stop_times.txt", 7, "stop_sequence")],
        added("stop_times", "T1,08:20:00,08:20:00,D,3"),
    ),
    Fault(
        "a time of 61 minutes",
        [
            ("warning", "broken_time", "stop_times.txt", 3, "arrival_time"),
        ],
        changed("stop_times", "08:05:00", "08:61:00"),
    ),
    Fault(
        "a trip whose last call has no time",
        [("warning", "untimed_end", "stop_times.txt", 7, "arrival_time")],
        added("stop_times", "T1,,,D,4"),
    ),
    Fault(
        "boarding of an unknown kind",
        [("warning", "unknown_boarding", "stop_times.txt", 2, "pickup_type")],
        {
            "stop_times": "\n".join(
                row + (",pickup_type" if i == 0 else ",7" if i == 1 else ",")
                for i, row in enumerate(GOOD["stop_times"].splitlines())
            )
        },
    ),
    Fault(
        "a date with hyphens",
        [("warning", "date_mended", "calendar.txt", 2, "start_date")],
        changed("calendar", "20240101", "2024-01-01"),
    ),
    Fault(
        "a date that is none",
        [("warning", "bad_date", "calendar.txt", 3, "end_date")],
        added("calendar", "other,1,1,1,1,1,1,1,20240101,20240230"),
    ),
    Fault(
        "a season that ends before it starts",
        [("warning", "dates_reversed", "calendar.txt", 3, "end_date")],
        added("calendar", "other,1,1,1,1,1,1,1,20240601,20240501"),
    ),
    Fault(
        "an exception that neither adds nor removes",
        [
            ("warning", "bad_exception", "calendar_dates.txt", 2, "exception_type"),
        ],
        {"calendar_dates": SERVICE + "daily,20240506,3\ndaily,20240507,2\n"},
    ),
    Fault(
        "an exception on a date that is none",
        [("warning", "bad_date", "calendar_dates.txt", 2, "date")],
        {"calendar_dates": SERVICE + "daily,6 May,2\ndaily,20240507,2\n"},
    ),
    Fault(
        "two exceptions on one date",
        [("warning", "duplicate_exception", "calendar_dates.txt", 3, "date")],
        {"calendar_dates": SERVICE + "daily,20240506,2\ndaily,20240506,1\n"},
    ),
    Fault(
        "a headway under a minute",
        [("warning", "short_headway", "frequencies.txt", 2, "headway_secs")],
        {"frequencies": FREQUENCY + "T2,06:00:00,07:00:00,10\n"},
    ),
    Fault(
        "a transfer to no stop",
        [("warning", "transfer_to_nowhere", "transfers.txt", 2, "to_stop_id")],
        {"transfers": TRANSFER + "A,X,2,60\nA,B,2,60\n"},
    ),
    Fault(
        "a transfer without a stop",
        [("warning", "transfer_to_nowhere", "transfers.txt", 2, "from_stop_id")],
        {"transfers": TRANSFER + ",B,2,60\nA,B,2,60\n"},
    ),
    Fault(
        "a transfer of an unknown kind",
        [("warning", "unknown_transfer_type", "transfers.txt", 2, "transfer_type")],
        {"transfers": TRANSFER + "A,B,8,60\n"},
    ),
    Fault(
        "a minimum time that is missing",
        [("warning", "minimum_time_missing", "transfers.txt", 2, "min_transfer_time")],
        {"transfers": TRANSFER + "A,B,2,\n"},
    ),
    Fault(
        "a pathway to no stop",
        [("warning", "pathway_to_nowhere", "pathways.txt", 2, "to_stop_id")],
        {"pathways": "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional\np,A,X,1,1\n"},
    ),
    Fault(
        "a bus that flies: 2.77 km in a minute, and a minute allowed for rounding, are 83 km/h; 11 km would be 332",
        [("warning", "impossible_speed", "stop_times.txt", 4, "arrival_time")],
        changed("stops", "51.60,-2.98", "51.70,-2.98")
        | changed("stop_times", "08:10:00,08:10:00", "08:07:00,08:07:00"),
    ),
    Fault(
        "a time zone that is none",
        [("warning", "time_zone_names", "agency.txt", None, "agency_timezone")],
        changed("agency", "Europe/London", "Europe/Blackburn"),
    ),
]


@pytest.mark.parametrize("fault", MENDED, ids=lambda fault: fault.name)
def test_mended_fault_is_named(tmp_path: Path, fault: Fault) -> None:
    """The feed is read; the findings (without infos) are these and no others."""
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", **fault.tables), notices=notices)
    assert findings_of(notices) == fault.findings
    assert all(n.message for n in notices)
    assert feed.trips["trip_id"].tolist()[:1] == ["T1"]
    check_calls(feed)


def findings_of(notices: list[Notice]) -> list[Finding]:
    """Warnings and errors by severity, code, table, row and field."""
    return [
        (n.severity, n.code, n.file.removeprefix("f.zip").removeprefix("/"), n.row, n.field)
        for n in notices
        if n.severity != "info"
    ]


def check_calls(feed: Feed) -> None:
    """Within a trip times never fall, and every trip has two calls."""
    calls = feed.calls
    assert (np.diff(calls.first) >= 2).all()
    assert (calls.departure_s >= calls.arrival_s).all()
    same = np.repeat(np.arange(len(feed.trips)), np.diff(calls.first))
    follows = same[1:] == same[:-1]
    assert (calls.arrival_s[1:] >= calls.departure_s[:-1])[follows].all()


REFUSED = [
    Fault(f"no {name}.txt", [("error", "table_missing", f"{name}.txt", None, "")], {name: None})
    for name in ("agency", "stops", "routes", "trips", "stop_times")
] + [
    Fault("no calendar", [("error", "calendar_missing", "", None, "")], {"calendar": None}),
    Fault("an empty table", [("error", "table_empty", "agency.txt", None, "")], {"agency": ""}),
    Fault(
        "a column missing",
        [("error", "column_missing", "stops.txt", None, "stop_lat")],
        changed("stops", "stop_lat", "latitude"),
    ),
    Fault(
        "a weekday missing",
        [("error", "column_missing", "calendar.txt", None, "thursday")],
        changed("calendar", "thursday", "thor"),
    ),
    Fault(
        "columns missing in several tables are named together",
        [
            ("error", "column_missing", "stops.txt", None, "stop_lon"),
            ("error", "column_missing", "trips.txt", None, "service_id"),
            ("error", "column_missing", "stop_times.txt", None, "stop_sequence"),
        ],
        changed("stops", "stop_lon", "x")
        | changed("trips", "service_id", "x")
        | changed("stop_times", "stop_sequence", "x"),
    ),
    Fault(
        "a quotation mark that is never closed",
        [("error", "row_endless", "stops.txt", 2, "")],
        {"stops": GOOD["stops"].replace("Abbey Road", '"Abbey Road' + "x" * 200_000)},
    ),
    Fault(
        "no stop has a place: metres of the British grid",
        [
            ("warning", "impossible_place", "stops.txt", 2, "stop_lat"),
            ("error", "no_stop_places", "stops.txt", None, "stop_lat"),
        ],
        {"stops": "stop_id,stop_lat,stop_lon\nA,331000,187000\n"},
    ),
    Fault(
        "latitude and longitude swapped in all of a British feed",
        [("error", "places_swapped", "stops.txt", None, "stop_lat")],
        changed("stops", "stop_lat,stop_lon", "stop_lon,stop_lat"),
    ),
]


@pytest.mark.parametrize("fault", REFUSED, ids=lambda fault: fault.name)
def test_refused_feed_says_why(tmp_path: Path, fault: Fault) -> None:
    """The findings are these and no others; the error holds the same text."""
    notices: list[Notice] = []
    with pytest.raises(FeedError) as error:
        read_feed(feed_zip(tmp_path / "f.zip", **fault.tables), notices=notices)
    assert findings_of(notices) == fault.findings
    for notice in notices:
        if notice.severity == "error":
            assert str(notice) in str(error.value)
    assert error.value.exit_code == 1


def test_faults_of_several_feeds_are_raised_together(tmp_path: Path) -> None:
    """One error with what is wrong in both."""
    a, b = feed_zip(tmp_path / "a.zip", stops=None), feed_zip(tmp_path / "b.zip", trips=None)
    with pytest.raises(FeedError, match=r"(?s)a\.zip/stops\.txt.*b\.zip/trips\.txt"):
        read_feed([a, b])


@pytest.mark.parametrize(
    "times",
    [
        "T1,08:00:00,08:00:00,A,1\nT1,07:59:00,08:06:00,B,2\nT1,08:10:00,08:10:00,C,3\n",
        "T1,08:00:00,08:00:00,A,1\nT1,08:05:00,08:04:00,B,2\nT1,08:10:00,08:10:00,C,3\n",
        "T1,23:59:00,23:59:00,A,1\nT1,00:05:00,00:05:00,B,2\n",
    ],
    ids=["arrives before it left", "leaves before it arrives", "midnight written as 00"],
)
def test_trip_that_goes_back_in_time_is_left_out(tmp_path: Path, times: str) -> None:
    """The reference wants times that grow along a trip; which one is wrong nobody knows, so the trip does not run."""
    head, rest = GOOD["stop_times"].split("\n", 1)
    second = "".join(row + "\n" for row in rest.splitlines() if row.startswith("T2"))
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", stop_times=f"{head}\n{times}{second}"), notices=notices)
    assert feed.trips["trip_id"].tolist() == ["T2"]
    assert [(n.code, n.row) for n in notices if n.severity == "warning"] == [
        ("time_backwards", 3),
        ("trip_too_short", 2),
    ]


def test_frequencies_that_cannot_run_take_their_trip_with_them(tmp_path: Path) -> None:
    """A headway of 0 has no end; the template trip must not run in its place at its own times."""
    for row in ("T2,06:00:00,07:00:00,0", "T2,07:00:00,06:00:00,600", "T2,06:00,late,600", "T2,06:00:00,07:00:00,-60"):
        notices: list[Notice] = []
        feed = read_feed(feed_zip(tmp_path / "f.zip", frequencies=f"{FREQUENCY}{row}\n"), notices=notices)
        assert [(n.code, n.row) for n in notices] == [("bad_frequency", 2), ("unused_stops", None)]
        assert feed.trips["trip_id"].tolist() == ["T1"]
        assert len(feed.frequencies) == 0


def test_headways_that_would_fill_the_memory_are_refused(tmp_path: Path) -> None:
    """400 trips of 2 calls, every 5 seconds for ten days: 172,800 departures each, 138 million calls."""
    names = [f"F{i}" for i in range(400)]
    notices: list[Notice] = []
    with pytest.raises(FeedError, match="138,240,000 calls a day"):
        read_feed(
            feed_zip(
                tmp_path / "f.zip",
                trips=GOOD["trips"] + "".join(f"R7,daily,{name}\n" for name in names),
                stop_times=GOOD["stop_times"]
                + "".join(f"{n},1:00:00,1:00:00,A,1\n{n},1:10:00,1:10:00,B,2\n" for n in names),
                frequencies=FREQUENCY + "".join(f"{name},00:00:00,240:00:00,5\n" for name in names),
            ),
            notices=notices,
        )
    assert [n.code for n in notices if n.severity == "error"] == ["absurd_headways"]


def test_overlapping_frequencies_run_once(tmp_path: Path) -> None:
    """06:00-08:00 every 30 min and 07:15-09:00 every 20 min: of the second only 08:15, 08:35, 08:55 are left."""
    rows = "T2,06:00:00,08:00:00,1800\nT2,07:15:00,09:00:00,1200\nT2,06:00:00,08:00:00,1800\n"
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", frequencies=FREQUENCY + rows), notices=notices)
    hours = feed.frequencies[["start_s", "end_s", "headway_s"]] / 60
    assert hours.values.tolist() == [[360, 480, 30], [495, 540, 20]]
    assert [(n.code, n.row) for n in notices] == [("overlapping_frequencies", 3), ("overlapping_frequencies", 4)]


@pytest.mark.parametrize(
    ("lat", "lon", "what"),
    [
        ("", "", "no coordinates"),
        ("0", "0", "unknown place"),
        ("49.766132", "-7.555903", "origin of the British grid"),
        ("-2.96", "51.60", "swapped"),
        ("331000", "187000", "metres"),
        ("95", "-3", "no degrees"),
    ],
)
def test_stop_at_an_impossible_place_has_none(tmp_path: Path, lat: str, lon: str, what: str) -> None:
    """Its place is unknown, the trips through it stay, and the row is named."""
    stops = GOOD["stops"].replace("51.60,-2.96", f"{lat},{lon}")
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops), notices=notices)
    assert [(n.row, n.field) for n in notices] == [(5, "stop_lat")]
    assert what in notices[0].message
    assert np.isnan(feed.stops["lon"].to_numpy()).tolist() == [False, False, False, True]
    assert len(feed.trips) == 2


def test_platform_without_coordinates_is_put_at_its_station(tmp_path: Path) -> None:
    """D belongs to the station S at 51.61, -2.95; B has none and stays unknown."""
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "A,Abbey,51.6,-3.00,0,\nB,Bridge,,,0,\nC,Castle,51.6,-2.98,0,\nD,Dock,0,0,0,S\nS,Station,51.61,-2.95,1,\n"
    )
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops), notices=notices)
    assert feed.stops["lat"].tolist()[3:] == [51.61, 51.61]
    assert np.isnan(feed.stops["lon"].to_numpy()).tolist() == [False, True, False, False, False]
    found = {(n.code, n.row) for n in notices}
    assert found >= {("stop_without_place", 3), ("impossible_place", 5), ("place_of_station", 5)}


def test_trip_of_many_short_hops_in_no_time_flies(tmp_path: Path) -> None:
    """Three hops of 0.7, 0.7 and 1.4 km in 10 s: 143 km/h with the minute for rounding, though no hop is over 84."""
    times = GOOD["stop_times"] + "".join(
        f"T3,10:00:{s:02d},10:00:{s:02d},{stop},{i}\n"
        for i, (s, stop) in enumerate(zip((0, 0, 0, 10), "ABCD", strict=True))
    )
    notices: list[Notice] = []
    feed = read_feed(
        feed_zip(tmp_path / "f.zip", stop_times=times, trips=GOOD["trips"] + "R7,daily,T3\n"), notices=notices
    )
    assert [(n.code, n.row) for n in notices] == [("impossible_speed", 10)]
    assert len(feed.trips) == 3


def test_calls_after_two_days_are_said_to_be_lost(tmp_path: Path) -> None:
    """47:59 is still found on the day after; 48:00 is not."""
    for hour, expected in (("47:59", []), ("48:00", [("beyond_two_days", "48:00:00")])):
        times = GOOD["stop_times"].replace("T2,09:20:00,09:20:00", f"T2,{hour}:00,{hour}:00")
        notices: list[Notice] = []
        read_feed(feed_zip(tmp_path / "f.zip", stop_times=times), notices=notices)
        assert [(n.code, n.value) for n in notices] == expected


def test_names_of_endless_length_are_cut_in_messages(tmp_path: Path) -> None:
    """An id of 20,000 letters in a row that names a trip which is not there."""
    notices: list[Notice] = []
    read_feed(
        feed_zip(tmp_path / "f.zip", **added("stop_times", f"{'x' * 20_000},1:00:00,1:00:00,A,1")), notices=notices
    )
    assert [n.code for n in notices] == ["unknown_trip"]
    assert len(str(notices[0])) < 1000


def test_route_without_any_name_goes_by_its_id(tmp_path: Path) -> None:
    """An info: nothing about a journey depends on it."""
    routes = "route_id,agency_id,route_short_name,route_long_name,route_type\nR7,OP1,,,3\n"
    notices: list[Notice] = []
    read_feed(feed_zip(tmp_path / "f.zip", routes=routes), notices=notices)
    assert [(n.severity, n.code, n.value) for n in notices] == [("info", "route_without_name", "R7")]


def test_service_without_a_day_is_named(tmp_path: Path) -> None:
    """No weekday, and an exception that only takes a day away."""
    tables: dict[str, str | bytes | None] = {
        "calendar": GOOD["calendar"] + "ghost,0,0,0,0,0,0,0,20240101,20241231\n",
        "calendar_dates": SERVICE + "ghost,20240506,2\n",
        "trips": "route_id,service_id,trip_id\nR7,daily,T1\nR7,ghost,T2\n",
    }
    notices: list[Notice] = []
    read_feed(feed_zip(tmp_path / "f.zip", **tables), notices=notices)
    assert [(n.severity, n.code, n.value) for n in notices] == [("warning", "service_never_runs", "ghost")]


def test_calls_at_a_station_without_platforms_count_as_calls_at_a_stop(tmp_path: Path) -> None:
    """D is a station without platforms; S has one, so that nobody can board at S itself, and this is said."""
    stops = (
        "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station\n"
        "A,Abbey,51.6,-3.00,0,\nB,Bridge,51.6,-2.99,0,C\nC,Castle,51.6,-2.98,1,\nD,Dock,51.6,-2.96,1,\n"
    )
    notices: list[Notice] = []
    feed = read_feed(feed_zip(tmp_path / "f.zip", stops=stops), notices=notices)
    assert feed.stops["location_type"].tolist() == [0, 0, 1, 0]
    assert [(n.code, n.value) for n in notices] == [("call_at_station", "C"), ("call_at_station", "D")]


def two_registrations(first: str, second: str) -> dict[str, str | bytes | None]:
    """Route 7 twice, with the same trip in each, under services that run from 1 January to the dates given."""
    head, rest = GOOD["stop_times"].split("\n", 1)
    same = "".join(row + "\n" for row in rest.splitlines() if row.startswith("T1"))
    week = GOOD["calendar"].split("\n", 1)[0]
    return {
        "routes": GOOD["routes"] + "R7new,OP1,7,Abbey - Dock,3\n",
        "trips": "route_id,service_id,trip_id\nR7,old,T1\nR7new,new,T1new\n",
        "stop_times": f"{head}\n{same}{same.replace('T1,', 'T1new,')}",
        "calendar": f"{week}\nold,1,1,1,1,1,1,1,{first}\nnew,1,1,1,1,1,1,1,{second}\n",
    }


def test_journey_registered_twice_runs_once_a_day(tmp_path: Path) -> None:
    """The old registration runs to 30 June, the new one from 1 June to 30 September: in June the bus runs once."""
    notices: list[Notice] = []
    tables = two_registrations("20240101,20240630", "20240601,20240930")
    feed = read_feed(feed_zip(tmp_path / "f.zip", **tables), notices=notices)
    counts = [len(feed.active_trips(dt.date(2024, month, 15))) for month in (1, 6, 7, 10)]
    assert counts == [1, 1, 1, 0]
    assert len(feed.active_trips(dt.date(2024, 6, 30))) == 1
    assert [n.code for n in notices if n.severity == "warning"] == ["duplicate_journey"]


def test_journey_within_another_registration_is_left_out(tmp_path: Path) -> None:
    """All dates of the new one are dates of the old one."""
    tables = two_registrations("20240101,20241231", "20240601,20240930")
    feed = read_feed(feed_zip(tmp_path / "f.zip", **tables))
    assert feed.trips["trip_id"].tolist() == ["T1"]


def test_registrations_one_after_the_other_are_no_duplicates(tmp_path: Path) -> None:
    """No date is in both."""
    notices: list[Notice] = []
    tables = two_registrations("20240101,20240531", "20240601,20240930")
    feed = read_feed(feed_zip(tmp_path / "f.zip", **tables), notices=notices)
    assert feed.trips["trip_id"].tolist() == ["T1", "T1new"]
    assert [n for n in notices if n.severity == "warning"] == []


def test_journey_in_two_overlapping_regions_runs_once(tmp_path: Path) -> None:
    """The files of two regions both hold route 7, with stops of the same ids; the second has a route 9 of its own."""
    north = feed_zip(tmp_path / "north.zip")
    south = feed_zip(
        tmp_path / "south.zip",
        routes=GOOD["routes"] + "R9,OP1,9,,3\n",
        trips=GOOD["trips"] + "R9,daily,T9\n",
        stop_times=GOOD["stop_times"] + "T9,08:00:00,08:00:00,A,1\nT9,08:07:00,08:07:00,B,2\n",
    )
    notices: list[Notice] = []
    feed = read_feed([north, south], notices=notices)
    assert feed.trips["trip_id"].tolist() == ["north:T1", "north:T2", "T9"]
    assert [(n.file, n.value) for n in notices if n.code == "duplicate_journey"] == [
        ("south.zip", "south:T1"),
        ("south.zip", "south:T2"),
    ]


def test_same_times_of_another_operator_or_number_are_no_duplicates(tmp_path: Path) -> None:
    """Two operators may race each other on one road."""
    tables = two_registrations("20240101,20241231", "20240101,20241231")
    tables["routes"] = str(tables["routes"]).replace("R7new,OP1,7", "R7new,OP1,8")
    assert len(read_feed(feed_zip(tmp_path / "f.zip", **tables)).trips) == 2


def test_boarding_between_stops_is_ignored_and_said(tmp_path: Path) -> None:
    """The route lets people hail the bus; 1 is the reference's word for no."""
    routes = GOOD["routes"].replace("\n", ",continuous_pickup,continuous_drop_off\n", 1).replace(",3\n", ",3,0,1\n")
    notices: list[Notice] = []
    read_feed(feed_zip(tmp_path / "f.zip", routes=routes), notices=notices)
    assert [(n.severity, n.code, n.row, n.field) for n in notices] == [
        ("info", "continuous_ignored", 2, "continuous_pickup")
    ]


FLEXIBLE_ROWS = {
    "F1": ",,,,zone,,1,07:00:00,19:00:00\n,,,,zone,,2,07:00:00,19:00:00\n",  # all of it within a zone
    "F2": ",,,,,group,1,07:00:00,19:00:00\n,09:00:00,09:00:00,D,,,2,,\n",  # from a group of stops to a timed call
    "F3": ",,,A,,,1,07:00:00,19:00:00\n,,,B,,,2,07:00:00,19:00:00\n",  # between stops at any time within hours
    "F4": ",,,zone,,,1,07:00:00,19:00:00\n,,,zone,,,2,07:00:00,19:00:00\n",  # a zone named as a stop, as drafts had it
    "F5": ",08:00:00,08:00:00,A,,,1,,\n,,,,zone,,2,08:00:00,08:20:00\n,08:30:00,08:30:00,B,,,3,,\n",  # a detour on the way
}


def flexible_feed(folder: Path, *names: str) -> tuple[Feed, list[Notice]]:
    """The good feed and these flexible trips."""
    head, rest = GOOD["stop_times"].split("\n", 1)
    columns = "trip_id,arrival_time,departure_time,stop_id,location_id,location_group_id,stop_sequence,"
    times = columns + "start_pickup_drop_off_window,end_pickup_drop_off_window\n"
    for row in rest.splitlines():
        trip, arrival, departure, stop, order = row.split(",")
        times += f"{trip},{arrival},{departure},{stop},,,{order},,\n"
    times += "".join(name + row + "\n" for name in names for row in FLEXIBLE_ROWS[name].splitlines())
    assert head.split(",")[3] == "stop_id"
    trips = GOOD["trips"] + "".join(f"R7,daily,{name}\n" for name in names)
    notices: list[Notice] = []
    feed = read_feed(feed_zip(folder / "f.zip", stop_times=times, trips=trips), notices=notices)
    return feed, [n for n in notices if n.severity != "info"]


@pytest.mark.parametrize(
    ("names", "rows", "lost", "left"),
    [
        (("F1",), 2, 1, ["T1", "T2"]),
        (("F2",), 1, 1, ["T1", "T2"]),
        (("F3",), 2, 1, ["T1", "T2"]),
        (("F4",), 2, 1, ["T1", "T2"]),
        (("F5",), 1, 0, ["T1", "T2", "F5"]),
        (tuple(FLEXIBLE_ROWS), 8, 4, ["T1", "T2", "F5"]),
    ],
)
def test_flexible_rows_are_called_flexible_once(
    tmp_path: Path, names: tuple[str, ...], rows: int, lost: int, left: list[str]
) -> None:
    """Nobody's stop ids are wrong and no trip is too short: one notice counts rows, their trips, and those that went."""
    feed, notices = flexible_feed(tmp_path, *names)
    assert feed.trips["trip_id"].tolist() == left
    assert np.diff(feed.calls.first).tolist() == [3, 2, 2][: len(left)]
    assert [(n.code, n.value) for n in notices] == [("flexible_service", str(rows))]
    assert f"{rows:,} rows of {len(names)} trips are flexible" in notices[0].message
    assert f"{lost} of the trips with them" in notices[0].message


def test_a_row_without_a_stop_and_a_zone_is_still_a_fault(tmp_path: Path) -> None:
    """Blank stop_id and blank zone: the row names nothing; columns of zones that are empty are no flexible service."""
    _, notices = flexible_feed(tmp_path)
    assert notices == []
    times = (
        GOOD["stop_times"]
        .replace("08:06:00,B,2", "08:06:00,,2")
        .replace("\n", ",\n")
        .replace("sequence,", "sequence,location_id")
    )
    notices = []
    read_feed(feed_zip(tmp_path / "f.zip", stop_times=times), notices=notices)
    assert [n.code for n in notices if n.severity == "warning"] == ["unknown_stop"]


def test_feeds_of_different_clocks_are_not_joined(tmp_path: Path) -> None:
    """London and Paris are an hour apart; London and Jersey are not, which is only a warning."""
    london = feed_zip(tmp_path / "a.zip")
    jersey = feed_zip(tmp_path / "b.zip", agency=GOOD["agency"].replace("London", "Jersey"))
    paris = feed_zip(tmp_path / "c.zip", agency=GOOD["agency"].replace("London", "Paris"))
    notices: list[Notice] = []
    read_feed([london, jersey], notices=notices)
    assert [n.code for n in notices if n.code.startswith("time_zone")] == ["time_zone_names"]
    with pytest.raises(
        FeedError, match=r"c\.zip/agency\.txt.*'Europe/Paris' has other clock times than 'Europe/London'"
    ):
        read_feed([london, paris])


def test_thousands_of_faults_are_counted_and_a_few_shown(tmp_path: Path) -> None:
    """3,000 calls at unknown stops: five are shown, and one line says how many there are."""
    rows = "".join(f"T1,09:{i // 60 % 60:02d}:{i % 60:02d},09:59:59,X{i},{i + 4}\n" for i in range(3000))
    notices: list[Notice] = []
    read_feed(feed_zip(tmp_path / "f.zip", stop_times=GOOD["stop_times"] + rows), notices=notices)
    shown = [n for n in notices if n.code == "unknown_stop"]
    assert [n.row for n in shown] == [7, 8, 9, 10, 11, None]
    assert shown[-1].message.startswith("3000 in all")
