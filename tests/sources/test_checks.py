"""Is there service on the date of a study, is it usual, and does the timetable reach beyond midnight?"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community_routes.base.errors import FeedError
from community_routes.base.notices import Notice
from community_routes.sources.checks import check_service, count_trips, service_dates, usual_date
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from conftest import shared_data
from feed_zip import GOOD, feed_zip

WEEK = GOOD["calendar"].split("\n", 1)[0]


def feed_with(folder: Path, calendar: str, dates: str = "", **tables: str) -> Feed:
    """T1 runs under the service one, T2 under two."""
    trips = "route_id,service_id,trip_id\nR7,one,T1\nR7,two,T2\n"
    exceptions = f"service_id,date,exception_type\n{dates}"
    return read_feed(
        feed_zip(folder / "bus.zip", trips=trips, calendar=f"{WEEK}\n{calendar}", calendar_dates=exceptions, **tables)
    )


def checked(feed: Feed, date: dt.date, **choices: int) -> list[Notice]:
    """What is said about a date."""
    notices: list[Notice] = []
    check_service(feed, date, notices, **choices)
    return notices


def test_trips_are_counted_by_date(tmp_path: Path) -> None:
    """One on weekdays of 2024, two on Saturdays; 6 May taken from one, given to two."""
    feed = feed_with(
        tmp_path,
        "one,1,1,1,1,1,0,0,20240101,20241231\ntwo,0,0,0,0,0,1,0,20240101,20240630\n",
        "one,20240506,2\ntwo,20240506,1\ntwo,20240511,2\n",
    )
    days = count_trips(feed)
    on = {
        date: days.on(dt.date.fromisoformat(date)) for date in ("2024-05-03", "2024-05-04", "2024-05-05", "2024-05-06")
    }
    assert on == {"2024-05-03": 1, "2024-05-04": 1, "2024-05-05": 0, "2024-05-06": 1}
    assert days.on(dt.date(2024, 5, 11)) == 0
    assert service_dates(feed) == (dt.date(2024, 1, 1), dt.date(2024, 12, 31))


def test_headways_count_each_departure(tmp_path: Path) -> None:
    """06:00-08:00 every 30 min are four departures (08:00 is not one)."""
    frequencies = "trip_id,start_time,end_time,headway_secs\nT2,06:00:00,08:00:00,1800\n"
    feed = feed_with(
        tmp_path,
        "one,1,1,1,1,1,1,1,20240101,20241231\ntwo,1,1,1,1,1,1,1,20240101,20241231\n",
        frequencies=frequencies,
    )
    assert count_trips(feed).on(dt.date(2024, 3, 5)) == 1 + 4


def test_no_service_names_the_period_and_the_nearest_such_day(tmp_path: Path) -> None:
    """Wednesday 1 January 2025 is after the last Tuesday of service; the nearest Wednesday is 18 December."""
    feed = feed_with(
        tmp_path,
        "one,0,0,1,0,0,0,0,20240103,20241218\ntwo,0,1,0,0,0,0,0,20240103,20241224\n",
    )
    notices = checked(feed, dt.date(2025, 1, 1))
    assert [(n.severity, n.code, n.value) for n in notices] == [("error", "no_service_on_date", "2025-01-01")]
    for part in (
        "Wednesday 2025-01-01",
        "from 2024-01-03 to 2024-12-24",
        "nearest Wednesday with service is 2024-12-18",
    ):
        assert part in notices[0].message


def test_no_such_weekday_is_said(tmp_path: Path) -> None:
    """Nothing ever runs on a Sunday."""
    feed = feed_with(tmp_path, "one,1,1,1,1,1,0,0,20240101,20241231\ntwo,1,0,0,0,0,0,0,20240101,20241231\n")
    assert "no Sunday has service" in checked(feed, dt.date(2024, 3, 3))[0].message


def test_last_day_matters_only_after_midnight(tmp_path: Path) -> None:
    """On 31 December nobody knows the trips of 1 January; a window that ends at 20:00 needs none of them."""
    feed = feed_with(tmp_path, "one,1,1,1,1,1,1,1,20240101,20241231\ntwo,1,1,1,1,1,1,1,20240101,20241231\n")
    assert [n.code for n in checked(feed, dt.date(2024, 12, 31))] == ["next_day_unknown"]
    assert checked(feed, dt.date(2024, 12, 31), until_s=20 * 3600) == []
    assert checked(feed, dt.date(2024, 12, 30)) == []


def test_unusual_amount_of_service(tmp_path: Path) -> None:
    """Two trips on every Monday but 6 May, which has one: half is unusual; the week after is not."""
    feed = feed_with(
        tmp_path, "one,1,1,1,1,1,1,1,20240101,20241231\ntwo,1,1,1,1,1,1,1,20240101,20241231\n", "two,20240506,2\n"
    )
    notices = checked(feed, dt.date(2024, 5, 6))
    assert [(n.severity, n.code) for n in notices] == [("warning", "unusual_service")]
    assert "1 trips run on Monday 2024-05-06, but 2 on the usual Monday" in notices[0].message
    assert checked(feed, dt.date(2024, 5, 13)) == []


def test_each_of_several_timetables_is_checked(tmp_path: Path) -> None:
    """The second one ended in June; in July the other still runs, so it is a warning and names the file."""
    bus = feed_zip(tmp_path / "bus.zip")
    rail = feed_zip(
        tmp_path / "rail.zip",
        calendar=GOOD["calendar"].replace("20241231", "20240630"),
        agency=GOOD["agency"].replace("Buses", "Trains"),
    )
    notices = checked(read_feed([bus, rail]), dt.date(2024, 7, 16))
    assert [(n.severity, n.code, n.file) for n in notices] == [("warning", "feed_without_service", "rail.zip")]


def test_date_outside_what_the_publisher_vouches_for(tmp_path: Path) -> None:
    """The calendar runs to December, feed_info.txt to June."""
    info = "feed_publisher_name,feed_publisher_url,feed_lang,feed_start_date,feed_end_date\nV,u,en,20240101,20240630\n"
    feed = read_feed(feed_zip(tmp_path / "f.zip", feed_info=info))
    assert [n.code for n in checked(feed, dt.date(2024, 7, 16))] == ["outside_feed_dates"]
    assert checked(feed, dt.date(2024, 6, 30)) == []


def test_usual_date_is_a_tuesday_in_the_middle_that_is_no_holiday(tmp_path: Path) -> None:
    """Nine Tuesdays from 5 March to 30 April 2024; the fifth, 2 April, has one trip of two, so the next to it is taken."""
    week = "one,1,1,1,1,1,1,1,20240305,20240430\ntwo,1,1,1,1,1,1,1,20240305,20240430\n"
    assert usual_date(feed_with(tmp_path, week)) == dt.date(2024, 4, 2)
    assert usual_date(feed_with(tmp_path, week, "two,20240402,2\n")) in {dt.date(2024, 3, 26), dt.date(2024, 4, 9)}


def test_usual_date_of_a_weekend_service_is_a_day_with_service(tmp_path: Path) -> None:
    """No Tuesday has a trip."""
    feed = feed_with(tmp_path, "one,0,0,0,0,0,1,0,20240301,20240430\ntwo,0,0,0,0,0,1,0,20240301,20240430\n")
    assert usual_date(feed) == dt.date(2024, 3, 30)


def test_service_that_never_runs_has_no_dates(tmp_path: Path) -> None:
    """All days are 0."""
    feed = feed_with(tmp_path, "one,0,0,0,0,0,0,0,20240101,20241231\ntwo,0,0,0,0,0,0,0,20240101,20241231\n")
    with pytest.raises(FeedError, match="no trip"):
        service_dates(feed)
    assert "on any date" in checked(feed, dt.date(2024, 3, 5))[0].message


FAR = [
    ("20240101", "21991231"),
    ("20240101", "29991231"),
    ("20240101", "99991231"),
    ("18000101", "20301231"),
    ("00010101", "20301231"),
    ("00010101", "99991231"),
]


def dashed(text: str) -> str:
    """20240101 as 2024-01-01."""
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


@pytest.mark.parametrize(("start", "end"), FAR)
def test_a_calendar_that_never_ends_or_never_began_serves_its_dates(tmp_path: Path, start: str, end: str) -> None:
    """One trip every day of a time that holds 5 March 2024, and another on the Mondays of 2023, of which none is told."""
    feed = feed_with(tmp_path, f"one,1,1,1,1,1,1,1,{start},{end}\ntwo,1,0,0,0,0,0,0,20230101,20231231\n")
    days = count_trips(feed)
    assert [days.on(dt.date(*date)) for date in ((2024, 3, 5), (2024, 12, 30), (2030, 1, 6))] == [1, 1, 1]
    assert days.on(dt.date(2023, 3, 6)) == 1 + (start < "2023")
    first = min(dashed(start), "2023-01-02")
    assert [date.isoformat() for date in service_dates(feed)] == [first, dashed(end)]
    assert checked(feed, dt.date(2024, 3, 5)) == []
    assert usual_date(feed).year in range(2022, 2031)


def test_the_last_day_of_an_old_service_is_none_of_an_open_one(tmp_path: Path) -> None:
    """The one that ends at the end of 2023 says nothing of 2024: the day after its last is known, and so is 2040."""
    feed = feed_with(tmp_path, "one,1,1,1,1,1,0,0,20240101,99991231\ntwo,1,1,1,1,1,1,1,20230101,20231231\n")
    assert checked(feed, dt.date(2023, 12, 31)) == []
    assert checked(feed, dt.date(2040, 3, 6)) == []
    (notice,) = checked(feed, dt.date(2024, 3, 10))
    assert "from 2023-01-01 to 9999-12-31; the nearest Sunday with service is 2023-12-31" in notice.message


def test_unusual_service_is_seen_in_an_open_calendar(tmp_path: Path) -> None:
    """Two trips on every Monday for ever but 6 May 2024, which has one."""
    week = "one,1,1,1,1,1,1,1,00010101,99991231\ntwo,1,1,1,1,1,1,1,00010101,99991231\n"
    feed = feed_with(tmp_path, week, "two,20240506,2\n")
    assert [n.code for n in checked(feed, dt.date(2024, 5, 6))] == ["unusual_service"]
    assert checked(feed, dt.date(2024, 5, 13)) == []


rows = st.tuples(st.tuples(*[st.booleans()] * 7), st.integers(0, 40), st.integers(0, 40))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.tuples(rows, rows),
    st.lists(st.tuples(st.sampled_from(["one", "two"]), st.integers(0, 45), st.booleans()), max_size=8),
)
def test_counts_equal_the_active_trips_of_every_date(
    tmp_path: Path,
    services: tuple[tuple[tuple[bool, ...], int, int], ...],
    exceptions: list[tuple[str, int, bool]],
) -> None:
    """Against asking the calendar date by date, for random weeks and exceptions."""
    day = dt.date(2024, 2, 20)
    lines = [
        ",".join(
            [name, *(str(int(d)) for d in days), *(f"{day + dt.timedelta(n):%Y%m%d}" for n in (start, start + length))]
        )
        for name, (days, start, length) in zip(("one", "two"), services, strict=True)
    ]
    dates = "".join(f"{name},{day + dt.timedelta(n):%Y%m%d},{1 if more else 2}\n" for name, n, more in exceptions)
    feed = feed_with(tmp_path, "\n".join(lines) + "\n", dates)
    counts = count_trips(feed)
    for n in range(-2, 90):
        date = day + dt.timedelta(n)
        assert counts.on(date) == len(feed.active_trips(date)), date


def test_real_feeds_say_what_their_publishers_say() -> None:
    """Porto Alegre: 1 May is a holiday with Sunday service on its buses; Newport runs from 11 December 2023 on."""
    folder = shared_data("porto_alegre")
    feed = read_feed([folder / "poa_eptc.zip", folder / "poa_trensurb.zip"])
    notices = checked(feed, dt.date(2019, 5, 1))
    assert [(n.code, n.file) for n in notices] == [("unusual_service", "poa_eptc.zip")]
    assert checked(feed, dt.date(2019, 5, 13)) == []
    assert np.array_equal(feed.active_trips(dt.date(2020, 5, 13)), [])
