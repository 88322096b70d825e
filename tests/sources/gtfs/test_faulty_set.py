"""Feeds with known faults: what each one is expected to give, argued from the GTFS reference.

The reference (gtfs.org, Schedule Reference) is quoted by its sections: *Dataset files* says which files a feed must
have, *Document conventions* what a required field and a primary key are, *Field types* how values are written, and
*Dataset publishing guidelines and file requirements* how files are packed and encoded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice
from community_routes.sources.gtfs.read import read_feed
from conftest import shared_data

Found = tuple[str, str, int | None]


@dataclass(frozen=True)
class Expected:
    """Outcome, the notices that must be there (code, table, row), trips that can be used, and why.

    ``only`` says that no other warning or error may be there; ``infos`` must be there as well.
    """

    feed: str
    outcome: str
    found: list[Found]
    trips: int
    why: str
    only: bool = True
    infos: list[Found] = field(default_factory=list)


GOOD = "fine"
WARNED = "warnings"
REFUSED = "error"

SHORT_ROWS = "row_too_short"

TABLE = [
    Expected("transitfeed__good_feed", GOOD, [], 11, "Without fault."),
    Expected(
        "gtfs-lib__fake-agency",
        WARNED,
        [("unknown_parent", "stops.txt", 6)],
        3,
        "No error. stops.txt: parent_station is a foreign ID referencing stops.stop_id; row 6 names 'bad_stop_id_ref', a stop "
        "that no trip needs a station for.",
    ),
    Expected(
        "transitfeed__utf8bom", GOOD, [], 11, "File requirements: files may begin with the UTF-8 byte-order mark."
    ),
    Expected(
        "transitfeed__unknown_file",
        GOOD,
        [],
        11,
        "Document conventions: files that are not in the reference may be in a feed. frecuencias.txt is one (an info).",
        infos=[("unknown_file", "transitfeed__unknown_file.zip", None)],
    ),
    Expected(
        "transitfeed__only_calendar_dates",
        GOOD,
        [],
        11,
        "Dataset files: calendar.txt may be left out when all dates are in calendar_dates.txt.",
    ),
    Expected(
        "transitfeed__unused_stop",
        GOOD,
        [],
        11,
        "No rule forbids a stop that no trip calls at (an info says that it is there).",
        infos=[("unused_stops", "stops.txt", None)],
    ),
    Expected(
        "transitfeed__same_short_long_name",
        GOOD,
        [],
        11,
        "Only advice: a long name should differ from the short one. It says nothing about a journey.",
    ),
    Expected(
        "gtfs-lib__fake-agency-interpolated-stop-times",
        WARNED,
        [("unknown_shape", "trips.txt", None)],
        1,
        "Blank times between timepoints are allowed. trips.shape_id is a foreign ID, but there is no shapes.txt.",
        infos=[("times_filled", "stop_times.txt", None)],
    ),
    Expected("gtfs-lib__fake-agency-mtc-long-fields", GOOD, [], 3, "Field types: text has no longest length."),
    Expected(
        "gtfs-lib__fake-agency-overlapping-trips",
        WARNED,
        [
            ("block_overlap", "trips.txt", 3),
            ("overlapping_frequencies", "frequencies.txt", 3),
            ("overlapping_frequencies", "frequencies.txt", 4),
            ("overlapping_frequencies", "frequencies.txt", 6),
        ],
        3,
        "frequencies.txt: periods of one trip may meet but a later row that covers the time of an earlier one would run "
        "departures twice: rows 3, 4 and 6 do. (Row 5 begins where row 4 ends.) The trips of block BLOCK_1 both leave at 07:00.",
    ),
    Expected(
        "gtfs-lib__fake-ferry-blank-pickups",
        GOOD,
        [],
        2,
        "pickup_type, drop_off_type: blank is 0, a scheduled stop.",
    ),
    Expected(
        "gtfs-lib__tri-delta-fare-rules",
        GOOD,
        [],
        1,
        "A byte-order mark, Windows line ends and fares by route are all allowed.",
    ),
    Expected(
        "gtfs-lib__VTA-gtfs-multiple-trips",
        WARNED,
        [
            ("unknown_parent", "stops.txt", 28),
            ("trip_without_route", "trips.txt", 4),
            ("trip_without_route", "trips.txt", 5),
            ("trip_without_route", "trips.txt", 6),
            ("trip_without_route", "trips.txt", 7),
            ("unknown_shape", "trips.txt", None),
        ],
        2,
        "trips.route_id is a foreign ID and required: routes 22 and 23 are not in routes.txt, so trips 3 to 6 belong to nothing. "
        "The others run.",
    ),
    Expected(
        "onebusaway__turlock-fares-v2",
        WARNED,
        [("unknown_shape", "trips.txt", None), ("trip_without_calls", "trips.txt", None)],
        7,
        "A cut-down feed: 663 of 670 trips have no row in stop_times.txt, and there are no shapes; neither breaks the others.",
        only=False,
    ),
    Expected(
        "transitfeed__bad_date_format",
        WARNED,
        [("date_mended", "calendar.txt", 2), ("date_mended", "calendar_dates.txt", 2)],
        11,
        "Field types: a date is written YYYYMMDD. 2007.01.01 and 2007-06-04 are not, but can mean one day only.",
    ),
    Expected(
        "transitfeed__contains_null",
        WARNED,
        [("nul_bytes", "stops.txt", 9), (SHORT_ROWS, "stops.txt", 2)],
        11,
        "File requirements: text is UTF-8 and must hold no control characters. Rows are short as well; the missing cells are of "
        "optional columns.",
        only=False,
    ),
    Expected(
        "transitfeed__missing_row_cells",
        WARNED,
        [(SHORT_ROWS, "routes.txt", 4)],
        11,
        "File requirements: every row has the fields of the heading. Only route_url, which is optional, is missing.",
    ),
    Expected(
        "transitfeed__missing_endpoint_times",
        WARNED,
        [
            ("untimed_end", "stop_times.txt", 16),
            ("untimed_end", "stop_times.txt", 21),
            ("trip_too_short", "trips.txt", 3),
            ("trip_too_short", "trips.txt", 8),
        ],
        9,
        "arrival_time and departure_time are required for the first and last stop of a trip. AB2 has no first, BFC2 no last "
        "time; with one call left neither can run.",
    ),
    Expected(
        "transitfeed__invalid_agency_ids",
        WARNED,
        [("unknown_agency", "routes.txt", 4)],
        11,
        "routes.agency_id is required when there are several agencies; row 4 leaves it blank. The route runs all the same.",
    ),
    Expected(
        "transitfeed__duplicate_stop",
        WARNED,
        [(SHORT_ROWS, "stops.txt", 5)],
        11,
        "FROG and BULLFROG are one place under two ids. No rule forbids it and a journey is the same from both, so it is an "
        "info. (Rows are short as well.)",
        only=False,
        infos=[("close_stops", "stops.txt", None)],
    ),
    Expected(
        "transitfeed__empty_file",
        REFUSED,
        [("table_empty", "agency.txt", None)],
        0,
        "Dataset files: agency.txt is required; it is empty.",
        only=False,
    ),
    Expected(
        "transitfeed__missing_agency",
        REFUSED,
        [("table_missing", "agency.txt", None)],
        0,
        "Dataset files: agency.txt is required.",
        only=False,
    ),
    Expected(
        "transitfeed__missing_column",
        REFUSED,
        [("column_missing", "agency.txt", None)],
        0,
        "agency.txt: agency_name is required.",
        only=False,
    ),
    Expected(
        "transitfeed__missing_stops",
        REFUSED,
        [("table_missing", "stops.txt", None)],
        0,
        "Dataset files: stops.txt is required unless zones of demand-responsive services stand for it; there are none.",
        only=False,
    ),
    Expected(
        "transitfeed__missing_weekday_column",
        REFUSED,
        [("column_missing", "calendar.txt", None)],
        0,
        "calendar.txt: all seven weekdays are required; nobody knows whether buses run on a Thursday.",
        only=False,
    ),
    Expected(
        "transitfeed__unknown_format",
        REFUSED,
        [("not_a_zip", "", None)],
        0,
        "Dataset publishing: a feed is a zip of text files; this is not a zip.",
    ),
    Expected(
        "onebusaway__badagency",
        REFUSED,
        [
            ("table_missing", "routes.txt", None),
            ("table_missing", "stop_times.txt", None),
            ("table_missing", "stops.txt", None),
            ("table_missing", "trips.txt", None),
            ("calendar_missing", "", None),
            ("column_missing", "agency.txt", None),
        ],
        0,
        "Dataset files: nothing but an agency without its time zone.",
    ),
]


@pytest.mark.parametrize("expected", TABLE, ids=lambda e: e.feed)
def test_faulty_feed_gives_what_the_reference_asks_for(expected: Expected) -> None:
    """The outcome, the notices with their rows, and the trips that are left."""
    path = shared_data("gtfs_faulty") / f"{expected.feed}.zip"
    notices: list[Notice] = []
    try:
        trips = len(read_feed(path, notices=notices).trips)
        outcome = WARNED if any(n.severity == "warning" for n in notices) else GOOD
    except FeedError as error:
        assert str(error)
        trips, outcome = 0, REFUSED
    found = [(n.code, n.file.removeprefix(path.name).removeprefix("/"), n.row) for n in notices if n.severity != "info"]
    assert outcome == expected.outcome, expected.why
    assert trips == expected.trips, expected.why
    if expected.only:
        assert sorted(found, key=str) == sorted(expected.found, key=str), expected.why
    else:
        assert set(expected.found) <= set(found), expected.why
    infos = [(n.code, n.file.removeprefix(f"{path.name}/"), n.row) for n in notices if n.severity == "info"]
    assert set(expected.infos) <= set(infos), expected.why


def test_every_faulty_feed_has_its_line() -> None:
    """No feed of the set is left out of the table."""
    names = {path.stem for path in shared_data("gtfs_faulty").glob("*.zip")}
    assert names == {expected.feed for expected in TABLE}
