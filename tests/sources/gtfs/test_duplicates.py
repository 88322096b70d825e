"""Whatever registrations overlap, every journey runs once on each date on which it ran at all."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community_routes.base.notices import Notice, total
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed, write_feed
from conftest import shared_data
from feed_zip import GOOD, feed_zip

FIRST = dt.date(2024, 2, 20)
DAYS = 40

registration = st.tuples(
    st.lists(st.booleans(), min_size=7, max_size=7),
    st.integers(0, DAYS - 5),
    st.integers(0, DAYS),
    st.lists(st.tuples(st.integers(0, DAYS), st.booleans()), max_size=3, unique_by=lambda e: e[0]),
    st.booleans(),
)
"""Weekdays, first day, length, exceptions, and whether it is the other journey (a minute later)."""

Registration = tuple[list[bool], int, int, list[tuple[int, bool]], bool]


def runs_on(entry: Registration, n: int) -> bool:
    """Whether a registration runs on the n-th day, straight from its definition."""
    weekdays, start, length, exceptions, _ = entry
    for day, added in exceptions:
        if day == n:
            return added
    return start <= n <= start + length and weekdays[(FIRST + dt.timedelta(n)).weekday()]


def written(folder: Path, entries: list[Registration]) -> Path:
    """A feed with one trip for each registration of route 7."""
    head = GOOD["calendar"].split("\n", 1)[0]
    calendar, dates, trips, times = [head], ["service_id,date,exception_type"], ["route_id,service_id,trip_id"], []
    for i, (weekdays, start, length, exceptions, other) in enumerate(entries):
        period = ",".join(f"{FIRST + dt.timedelta(n):%Y%m%d}" for n in (start, start + length))
        calendar.append(f"s{i},{','.join(str(int(day)) for day in weekdays)},{period}")
        dates += [f"s{i},{FIRST + dt.timedelta(n):%Y%m%d},{1 if added else 2}" for n, added in exceptions]
        trips.append(f"R7,s{i},T{i}")
        times += [f"T{i},08:0{int(other)}:00,08:0{int(other)}:00,A,1", f"T{i},08:10:00,08:10:00,B,2"]
    return feed_zip(
        folder / "f.zip",
        calendar="\n".join(calendar) + "\n",
        calendar_dates="\n".join(dates) + "\n",
        trips="\n".join(trips) + "\n",
        stop_times="\n".join([GOOD["stop_times"].split("\n", 1)[0], *times]) + "\n",
    )


def departures(feed: Feed, date: dt.date) -> list[int]:
    """First departures of the trips of a date, in order."""
    return sorted(feed.calls.departure_s[feed.calls.first[feed.active_trips(date)]].tolist())


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(registration, min_size=2, max_size=5))
def test_each_journey_runs_once_on_its_dates(tmp_path: Path, entries: list[Registration]) -> None:
    """Against the definition of every registration, day by day; and again from what is written out."""
    feed = read_feed(written(tmp_path, entries))
    write_feed(feed, tmp_path / "out.zip", date_stamp=FIRST)
    again = read_feed(tmp_path / "out.zip")
    for n in range(-1, 2 * DAYS + 1):
        running = {entry[4] for entry in entries if runs_on(entry, n)}
        expected = sorted(8 * 3600 + 60 * int(other) for other in running)
        assert departures(feed, FIRST + dt.timedelta(n)) == expected
        assert departures(again, FIRST + dt.timedelta(n)) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # date: buses at 08:00 of two registrations of one journey
        (("18000101", "99991231"), ("20240101", "20240630"), {"2024-03-05": 1, "2024-08-06": 1, "2090-01-02": 1}),
        (("20100101", "20211231"), ("20100101", "20991231"), {"2015-03-05": 1, "2022-03-05": 1, "2098-12-31": 1}),
        (("20050101", "20051231"), ("20050601", "99991231"), {"2005-03-05": 1, "2005-07-05": 1, "2024-03-05": 1}),
        (("20240101", "99991231"), ("20230101", "29991231"), {"2023-03-05": 1, "2024-03-05": 1, "2100-12-31": 1}),
    ],
)
def test_registrations_without_an_end_run_once_for_as_long(
    tmp_path: Path, first: tuple[str, str], second: tuple[str, str], expected: dict[str, int]
) -> None:
    """The two run every day from one date to another; on each date asked for one of them runs, or both."""
    calendar = GOOD["calendar"].split("\n", 1)[0] + "\n"
    calendar += "".join(f"s{i},1,1,1,1,1,1,1,{','.join(period)}\n" for i, period in enumerate((first, second)))
    times = "".join(f"T{i},08:00:00,08:00:00,A,1\nT{i},08:10:00,08:10:00,B,2\n" for i in range(2))
    feed = read_feed(
        feed_zip(
            tmp_path / "f.zip",
            calendar=calendar,
            trips="route_id,service_id,trip_id\nR7,s0,T0\nR7,s1,T1\n",
            stop_times=GOOD["stop_times"].split("\n", 1)[0] + "\n" + times,
        )
    )
    assert {date: len(departures(feed, dt.date.fromisoformat(date))) for date in expected} == expected
    assert len(feed.calendar.exception_date) < 400  # a pattern to 2099, not its thirty thousand dates


TWO_OPERATORS = {
    "agency": GOOD["agency"] + "OP2,Hill Buses,https://example.org,Europe/London\n",
    "routes": GOOD["routes"] + "R7x,OP2,7,Abbey - Dock,3\n",
    "trips": GOOD["trips"] + "R7x,daily,X1\nR7x,daily,X2\n",
    "stop_times": GOOD["stop_times"] + GOOD["stop_times"].split("\n", 1)[1].replace("T1,", "X1,").replace("T2,", "X2,"),
}
"""Route 7 as in the good feed, and all of it once more under another operator."""


def left_of(folder: Path, **tables: str) -> tuple[list[str], list[Notice]]:
    """Trips that are left, and what is said of those that are not."""
    notices: list[Notice] = []
    feed = read_feed(feed_zip(folder / "f.zip", **{**TWO_OPERATORS, **tables}), notices=notices)
    return feed.trips["trip_id"].tolist(), [n for n in notices if n.code == "duplicate_journey"]


def test_a_bus_that_two_operators_publish_runs_once(tmp_path: Path) -> None:
    """Two trips each; two are left, and one notice counts the two and names both operators."""
    trips, (notice,) = left_of(tmp_path)
    assert trips == ["T1", "T2"]
    assert (notice.severity, notice.file, notice.value, total([notice])) == ("warning", "f.zip", "2", 2)
    assert "trips of route '7' of Hill Buses are the same journeys as trips of Valley Buses" in notice.message


def test_two_operators_in_timetables_of_their_own_are_both_counted_and_told(tmp_path: Path) -> None:
    """Each vouches for its own bus; a third file that repeats the second operator's is a copy of that, and goes."""
    own = feed_zip(tmp_path / "valley.zip")
    hill = feed_zip(tmp_path / "hill.zip", agency=GOOD["agency"].replace("Valley", "Hill"))
    copy = feed_zip(tmp_path / "copy.zip", agency=GOOD["agency"].replace("Valley", "Hill"))
    notices: list[Notice] = []
    feed = read_feed([own, hill, copy], notices=notices)
    assert feed.trips["trip_id"].tolist() == ["valley:T1", "valley:T2", "hill:T1", "hill:T2"]
    told = [n for n in notices if n.severity == "warning"]
    assert [(n.code, n.file, n.value) for n in told] == [
        ("duplicate_journey", "copy.zip", "copy:T1"),
        ("duplicate_journey", "copy.zip", "copy:T2"),
        ("journey_of_two_operators", "hill.zip", "2"),
    ]
    assert "of Hill Buses are the same journeys as trips of Valley Buses" in told[2].message
    assert "in valley.zip; both are counted" in told[2].message


def test_another_number_or_minute_or_date_of_another_operator_is_another_bus(tmp_path: Path) -> None:
    """Number 8; a minute later; on Sundays only: each time X1 runs beside T1, or on the dates when T1 does not."""
    number = TWO_OPERATORS["routes"].replace("OP2,7", "OP2,8")
    assert left_of(tmp_path, routes=number) == (["T1", "T2", "X1", "X2"], [])
    later = TWO_OPERATORS["stop_times"].replace("X1,08:00:00,08:00:00", "X1,08:01:00,08:01:00")
    assert left_of(tmp_path, stop_times=later)[0] == ["T1", "T2", "X1"]
    week = (
        GOOD["calendar"].split("\n", 1)[0]
        + "\ndaily,1,1,1,1,1,1,0,20240101,20241231\nsun,0,0,0,0,0,0,1,20240101,20241231\n"
    )
    trips = TWO_OPERATORS["trips"].replace("R7x,daily,X1", "R7x,sun,X1")
    assert left_of(tmp_path, calendar=week, trips=trips)[0] == ["T1", "T2", "X1"]


def test_a_route_without_a_number_is_known_by_its_name(tmp_path: Path) -> None:
    """Both are called Abbey - Dock; with a name of its own the second operator's is another bus."""
    routes = TWO_OPERATORS["routes"].replace("OP1,7,", "OP1,,").replace("OP2,7,", "OP2,,")
    assert left_of(tmp_path, routes=routes)[0] == ["T1", "T2"]
    other = routes.replace("R7x,OP2,,Abbey - Dock", "R7x,OP2,,Hill Express")
    assert left_of(tmp_path, routes=other)[0] == ["T1", "T2", "X1", "X2"]


def test_headways_of_two_operators_count_once_where_they_are_the_same(tmp_path: Path) -> None:
    """Every 10 minutes from 6 to 9 under both, templates an hour apart: 18 departures. Every 15 under one: both run."""
    head = "trip_id,start_time,end_time,headway_secs\nT1,06:00:00,09:00:00,600\n"
    rows = TWO_OPERATORS["stop_times"].splitlines(keepends=True)
    times = "".join(row.replace(",08:", ",09:") if row.startswith("X1") else row for row in rows)
    trips, (notice,) = left_of(tmp_path, stop_times=times, frequencies=head + "X1,06:00:00,09:00:00,600\n")
    assert trips == ["T1", "T2"] and notice.value == "2"
    trips, _ = left_of(tmp_path, stop_times=times, frequencies=head + "X1,06:00:00,09:00:00,900\n")
    assert trips == ["T1", "T2", "X1"]
    trips, _ = left_of(tmp_path, frequencies=head)
    assert trips == ["T1", "T2", "X1"], "a trip that repeats is no trip that runs once"


def test_many_doubles_are_one_notice_with_their_number(tmp_path: Path) -> None:
    """Seven trips of one operator, each under two registrations: one line that counts seven, not seven lines."""
    head = GOOD["stop_times"].split("\n", 1)[0] + "\n"
    names = [f"{kind}{i}" for kind in "TX" for i in range(7)]
    times = "".join(f"{n},08:0{n[1]}:00,08:0{n[1]}:00,A,1\n{n},08:10:00,08:10:00,B,2\n" for n in names)
    trips = "route_id,service_id,trip_id\n" + "".join(f"R7,daily,{n}\n" for n in names)
    left, (notice,) = left_of(tmp_path, routes=GOOD["routes"], trips=trips, stop_times=head + times)
    assert left == names[:7]
    assert total([notice]) == 7 and "7 were left out" in notice.message


def test_no_two_buses_of_a_route_are_the_same_in_newport() -> None:
    """On 5 March 2024 no operator runs one number twice with the same calls; one trip keeps its other dates only."""
    feed = read_feed(shared_data("newport_wales") / "newport-20240305_bus_gtfs.zip")
    trips = feed.active_trips(dt.date(2024, 3, 5))
    route = feed.trips["route"].to_numpy()[trips]
    agency = feed.routes["agency"].to_numpy()[route]
    number = feed.routes["route_short_name"].to_numpy(dtype=object)[route]
    journeys = []
    for t, a, n in zip(trips, agency, number, strict=True):
        calls = slice(feed.calls.first[t], feed.calls.first[t + 1])
        columns = (feed.calls.stop, feed.calls.arrival_s, feed.calls.departure_s, feed.calls.pickup_type)
        journeys.append((int(a), n, *(column[calls].tobytes() for column in (*columns, feed.calls.drop_off_type))))
    assert len(set(journeys)) == len(journeys) == 5_067
    assert len(feed.trips) == 5_068
