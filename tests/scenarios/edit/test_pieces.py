"""The pieces that changes are made of: dates of a service, departures at a headway, calls cut and joined, trips taken out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from community_routes.scenarios.edit.days import CalendarEdit, active_dates
from community_routes.scenarios.edit.feed import NewTrip, TripCalls, edit_trips
from community_routes.scenarios.edit.phase import departures_of
from community_routes.scenarios.edit.trips import section_between, select
from community_routes.scenarios.edit.work import Here, Setting, Work
from community_routes.scenarios.values import free_name
from scenarios.hand_feed import SUNDAY, TUESDAY, WEEK, make_feed, runs_on

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 1, 0), ("C", "Cedar Way", 2, 0)]
TRIPS = [
    ("7", "wk", 0, "A 07:00 B 07:10 C 07:20"),
    ("7", "wk", 1, "C 08:00 B 08:10 A 08:20"),
    ("9", "wk", 0, "A 00:00 C 00:20"),
]


def test_a_service_runs_on_exactly_its_dates():
    """Sundays of March 2024 (3, 10, 17, 24, 31) without the 17th and with Monday the 18th."""
    edit = CalendarEdit.of(make_feed(STOPS, TRIPS).calendar)
    days = [f"2024-03-{day:02}" for day in (3, 10, 18, 24, 31)]
    period = (np.datetime64("2024-03-01"), np.datetime64("2024-03-31"))
    row = edit.add_dates("wk", {6}, period, np.array(days, "datetime64[D]"))
    calendar = edit.build()
    assert calendar.service_id[row] == "wk-2", "the id is taken"
    assert active_dates(calendar, row).astype(str).tolist() == days
    assert calendar.exception_added.tolist() == [True, False]
    assert calendar.active(dt.date(2024, 3, 18))[row] and not calendar.active(dt.date(2024, 3, 17))[row]


@pytest.mark.parametrize(
    ("window", "headway_min", "phase_s", "minutes"),
    [
        ("07:00-08:00", 20, 0, [0, 20, 40]),
        ("07:00-08:00", 20, 300, [5, 25, 45]),
        ("07:00-08:01", 20, 0, [0, 20, 40, 60]),
        ("07:00-07:10", 7.5, 0, [0, 7.5]),
        ("07:00-07:10", 20, 600, []),
    ],
)
def test_departures_begin_in_the_period(window: str, headway_min: float, phase_s: int, minutes: list[float]) -> None:
    """The first at its start plus the phase, none at its end or later."""
    assert departures_of(window, headway_min, phase_s) == [7 * 3600 + round(60 * minute) for minute in minutes]


def test_calls_are_cut_moved_and_joined():
    """A as it is, B and C ten minutes later: the bus stands no longer, it drives longer."""
    feed = make_feed(STOPS, TRIPS)
    old = TripCalls.of(feed, 0)
    new = TripCalls.joined(old.part(slice(1)), old.part(slice(1, None)).shifted(600))
    assert runs_on(edit_trips(feed, replaced={0: new}), "7", TUESDAY)[0] == "A 07:00 B 07:20 C 07:30"
    assert old.same_as(TripCalls.of(feed, 0)) and not old.same_as(new)
    assert new.stop.dtype == np.int32 and new.pickup_type.dtype == np.int8


def test_what_names_a_trip_that_is_taken_out_goes_with_it():
    """Of two headway services the one of the third trip stays, and says that its trip is the second now; ids stay apart."""
    feed = make_feed(STOPS, TRIPS, frequencies=[(0, "07:00", "08:00", 600), (2, "09:00", "10:00", 1200)])
    twin = NewTrip("t1", 1, 0, TripCalls.plain([0, 2], [0, 60], [0, 60]))
    found = edit_trips(feed, remove=[0], added=[twin])
    assert found.trips["trip_id"].tolist() == ["t1", "t2", "t1-2"]
    assert found.frequencies["trip"].tolist() == [1]
    assert found.frequencies.dtypes.to_dict() == feed.frequencies.dtypes.to_dict()
    assert len(feed.trips) == 3, "what came in is as it was"


def test_trips_are_chosen_by_direction_and_hour():
    """Of two trips the one back at 08:00; none on Sunday, when the 7 does not run."""
    work = Work(Setting(make_feed(STOPS, TRIPS), WEEK))
    work.here = Here("plan", 1, "withdraw_route", None, lambda path: {"file": "plan.yaml"})
    assert select(work, 0).trips.tolist() == [0, 1]
    assert select(work, 0, direction="1").trips.tolist() == [1]
    assert select(work, 0, period=(8 * 3600, 9 * 3600)).trips.tolist() == [1]
    assert runs_on(work.feed, "7", SUNDAY) == []


def test_a_section_is_the_last_pass_before_the_end():
    """A bus that comes by A twice before it is in C goes from the second time; against its way there is no section."""
    feed = make_feed(STOPS, [("7", "wk", 0, "A 07:00 B 07:10 A 07:20 C 07:30")])
    calls, a, c = TripCalls.of(feed, 0), np.array([0]), np.array([2])
    assert section_between(calls, a, c) == (2, 3)
    assert section_between(calls, c, a) is None


def test_a_name_that_is_taken_gets_a_number():
    assert [free_name("X", taken) for taken in ((), {"X"}, {"X", "X-2"}, {"X-2"})] == ["X", "X-2", "X-3", "X"]
