"""Service dates and frequencies on drawn timetables: yesterday's late trips, tomorrow's early ones, headways and phases."""

from __future__ import annotations

import datetime as dt

import pytest

from community_routes.base.times import HOUR, MINUTE
from drawn import DATE, drawn_feed, travel_time_s

YESTERDAY, TODAY, TOMORROW = "2024-03-04", "2024-03-05", "2024-03-06"
WALKS = {"access": {"A": 0}, "egress": {"B": 0}}


def test_late_trips_of_the_day_before() -> None:
    """Yesterday's 24:30 is today's 00:30; when only today has the service, it is tomorrow's."""
    line = "7 service=s: A 24:30  B 24:40"
    assert travel_time_s(drawn_feed(line, services={"s": [YESTERDAY]}), "00:10", **WALKS) == 30 * MINUTE
    assert travel_time_s(drawn_feed(line, services={"s": [TODAY]}), "00:10", **WALKS) is None
    assert travel_time_s(drawn_feed(line, services={"s": [TODAY]}), "24:10", **WALKS) == 30 * MINUTE


def test_early_trips_of_the_day_after() -> None:
    """From 23:50 on, tomorrow's 00:15 is the 24:15: 35 minutes to 24:25."""
    line = "7 service=s: A 00:15  B 00:25"
    assert travel_time_s(drawn_feed(line, services={"s": [TOMORROW]}), "23:50", **WALKS) == 35 * MINUTE
    assert travel_time_s(drawn_feed(line, services={"s": [TODAY]}), "23:50", **WALKS) is None


def test_change_between_service_dates() -> None:
    """Today's 23:50 to C 24:05, tomorrow's 00:06 from C to B 00:20: 30 minutes from 23:50."""
    lines = ["7 service=s: A 23:50  C 24:05", "8 service=t: C 00:06  B 00:20"]
    feed = drawn_feed(*lines, services={"s": [TODAY], "t": [TOMORROW]})
    assert travel_time_s(feed, "23:50", slack_s=0, **WALKS) == 30 * MINUTE


def test_trips_that_go_on_for_more_than_a_day() -> None:
    """Yesterday's 23:00 train is at A at 32:10, which is today's 08:10."""
    feed = drawn_feed("7 service=s: Q 23:00  A 32:10  B 32:30", services={"s": [YESTERDAY]})
    assert travel_time_s(feed, "08:00", **WALKS) == 30 * MINUTE


@pytest.mark.parametrize(
    ("dates", "runs"),
    [
        ("1 2024-03-01 2024-03-31", True),  # Tuesdays in March
        ("0 2024-03-01 2024-03-31", False),  # Mondays
        ("1 2024-03-05 2024-03-05", True),  # the first and the last date are both in it
        ("1 2024-03-06 2024-03-31", False),
        ([TODAY], True),
        (["2024-03-12"], False),
    ],
)
def test_weekdays_season_and_dates(dates: str | list[str], runs: bool) -> None:
    """The trip of 08:10 runs or does not run on Tuesday 5 March 2024."""
    feed = drawn_feed("7 service=s: A 08:10  B 08:20", services={"s": dates})
    assert travel_time_s(feed, "08:00", **WALKS) == (20 * MINUTE if runs else None)


@pytest.mark.parametrize("date", [dt.date(2024, 3, 31), dt.date(2024, 10, 27)])
def test_days_on_which_the_clocks_change(date: dt.date) -> None:
    """Times count from noon minus 12 hours: 08:10 to 08:20 is ten minutes on every day, and 25:10 is 24 hours after 01:10."""
    before, after = date - dt.timedelta(days=1), date + dt.timedelta(days=1)
    feed = drawn_feed("7 service=s: A 08:10  B 08:20", services={"s": [date]})
    assert travel_time_s(feed, "08:00", date=date, **WALKS) == 20 * MINUTE
    late = drawn_feed("7 service=s: A 25:10  B 25:20", services={"s": [before]})
    assert travel_time_s(late, "01:00", date=date, **WALKS) == 20 * MINUTE
    early = drawn_feed("7 service=s: A 01:10  B 01:20", services={"s": [after]})
    assert travel_time_s(early, "25:00", date=date, **WALKS) == 20 * MINUTE


def every_ten(*, exact: bool = False) -> object:
    """Ten minutes' ride, as drawn 06:00 from A, repeated each ten minutes from 08:00 until before 09:00."""
    return drawn_feed("7: A 06:00  B 06:10", frequencies=[f"T0 08:00-09:00 every 10{' exact' * exact}"])


@pytest.mark.parametrize(
    ("leave", "phase", "answer"),
    [
        ("08:00", "zero", 10),  # the first run is at the start
        ("08:01", "zero", 19),
        ("08:50", "zero", 10),  # the last one before the end
        ("08:51", "zero", None),  # none at 09:00
        ("06:00", "zero", 130),  # the template itself does not run
        ("08:00", "half", 15),
        ("08:55", "half", 10),
        ("08:56", "half", None),
    ],
)
def test_runs_of_a_headway(leave: str, phase: str, answer: int | None) -> None:
    """Runs at 08:00, 08:10 ... 08:50, or at 08:05 ... 08:55 with half a headway of phase."""
    expected = None if answer is None else answer * MINUTE
    assert travel_time_s(every_ten(), leave, phase=phase, max_travel_s=3 * HOUR, **WALKS) == expected  # type: ignore[arg-type]


def test_exact_times_have_no_phase() -> None:
    """With exact_times the run of 08:00 leaves at 08:00, whatever the phase."""
    assert travel_time_s(every_ten(exact=True), "08:00", phase="half", **WALKS) == 10 * MINUTE  # type: ignore[arg-type]


def test_half_of_an_odd_headway_is_rounded_down() -> None:
    """Headway 2.25 minutes = 135 s: the first run leaves 67 s after 08:00 and takes 60 s."""
    feed = drawn_feed("7: A 06:00  B 06:01", frequencies=["T0 08:00-09:00 every 2.25"])
    assert travel_time_s(feed, "08:00", phase="half", **WALKS) == 127


def test_a_headway_counts_from_the_departure_of_the_first_call() -> None:
    """The template stands at A from 05:58 to 06:00: the run of 08:00 leaves A at 08:00."""
    feed = drawn_feed("7: A 05:58/06:00  B 06:10", frequencies=["T0 08:00-09:00 every 10"])
    assert travel_time_s(feed, "08:00", **WALKS) == 10 * MINUTE


def test_several_periods_of_one_trip() -> None:
    """Each 30 minutes from 08:00, each 10 from 09:00: from 08:31 the 09:00, from 09:01 the 09:10."""
    feed = drawn_feed("7: A 00:00  B 00:10", frequencies=["T0 08:00-09:00 every 30", "T0 09:00-10:00 every 10"])
    assert travel_time_s(feed, "08:31", **WALKS) == 39 * MINUTE
    assert travel_time_s(feed, "09:01", **WALKS) == 19 * MINUTE


def test_headways_of_the_day_before() -> None:
    """Yesterday each ten minutes from 24:00 until 25:00: today at 00:35 the run of 00:40."""
    feed = drawn_feed(
        "7 service=s: A 06:00  B 06:10", frequencies=["T0 24:00-25:00 every 10"], services={"s": [YESTERDAY]}
    )
    assert travel_time_s(feed, "00:35", **WALKS) == 15 * MINUTE


def test_runs_of_a_headway_join_no_block() -> None:
    """The block says that T0 goes on as T1; its runs by headway are nobody's predecessor, so it takes two rides."""
    feed = drawn_feed(
        "7 block=v: A 06:00  C 06:10", "8 block=v: C 08:10  B 08:20", frequencies=["T0 08:00-08:10 every 10"]
    )
    assert travel_time_s(feed, "08:00", max_rides=1, **WALKS) is None
    assert travel_time_s(feed, "08:00", max_rides=2, **WALKS) == 20 * MINUTE


def test_a_rule_that_names_the_template_holds_for_its_runs() -> None:
    """Forbidden from T0: none of its runs may be changed from."""
    lines = ["7: A 06:00  C 06:10", "8: C 08:10  B 08:20"]
    frequencies = ["T0 08:00-08:10 every 10"]
    feed = drawn_feed(*lines, frequencies=frequencies, transfers=["C > C type=3 from_trip=T0"])
    assert travel_time_s(drawn_feed(*lines, frequencies=frequencies), "08:00", **WALKS) == 20 * MINUTE
    assert travel_time_s(feed, "08:00", **WALKS) is None


def test_date_of_the_drawn_timetables() -> None:
    """The tests above count on a Tuesday."""
    assert DATE.weekday() == 1 and str(DATE) == TODAY
