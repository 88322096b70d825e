"""add_route, set_headway, withdraw_route and extend_route on timetables small enough to work out by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from community_routes.base.errors import ScenarioError
from community_routes.scenarios.apply import apply_scenario
from community_routes.scenarios.changes.add_route import AddRoute
from community_routes.scenarios.changes.extend_route import ExtendRoute
from community_routes.scenarios.changes.set_headway import SetHeadway
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute
from community_routes.scenarios.edit.routes import departures_on
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from scenarios.hand_feed import SATURDAY, SUNDAY, TUESDAY, WEEK, make_feed, runs_on, same_feed

SUNDAYS = {2023: dt.date(2023, 3, 5), 2024: dt.date(2024, 3, 10), 2060: dt.date(2060, 3, 7)}
STOPS = [
    ("A", "Alder Street", 0, 0),
    ("B", "Birch Road", 1, 0),
    ("C", "Cedar Way", 2, 0),
    ("D", "Dale Lane", 3, 1),
    ("E1", "Elm Park (opp)", 4, 0.02),
    ("E2", "Elm Park (o/s)", 4, -0.02),
    ("F1", "High Street", 6, 0),
    ("F2", "High Street", 9, 0),
]


def town() -> object:
    """The 7 hourly both ways on weekdays, twice on Sundays; the 9 all week in one service."""
    trips = []
    for hour in range(7, 11):
        trips.append(("7", "wk", 0, f"A {hour:02}:00 B {hour:02}:05/{hour:02}:06 C {hour:02}:10"))
        trips.append(("7", "wk", 1, f"C {hour:02}:30 B {hour:02}:35 A {hour:02}:40"))
    trips.append(("7", "sun", 0, "A 10:00 B 10:04 C 10:08"))
    trips.append(("9", "all", 0, "C 08:00 D 08:10"))
    trips.append(("9", "all", 0, "C 18:00 D 18:12"))
    services = {"wk": "1111100", "sun": "0000001", "all": "1111111"}
    return make_feed(STOPS, trips, services=services)


def apply(*changes: object, feed: object = None, dates: dict[str, dt.date] | None = None) -> object:
    setting = Setting(feed or town(), dates or WEEK)
    return apply_scenario(Scenario(scenario="plan", changes=changes), setting)


def test_headway_replaces_the_departures_of_the_period_only():
    """09:00-11:00 every 30 min out: 09:00 09:30 10:00 10:30; the way back the same; 07 and 08 stay; run times 5+1+4 min."""
    done = apply(SetHeadway(route="7", weekday={"09:00-11:00": 30}))
    runs = runs_on(done.feed, "7", TUESDAY)
    assert [text for text in runs if text.startswith("A")] == [
        "A 07:00 B 07:05/07:06 C 07:10",
        "A 08:00 B 08:05/08:06 C 08:10",
        "A 09:00 B 09:05/09:06 C 09:10",
        "A 09:30 B 09:35/09:36 C 09:40",
        "A 10:00 B 10:05/10:06 C 10:10",
        "A 10:30 B 10:35/10:36 C 10:40",
    ]
    assert [text[:7] for text in runs if text.startswith("C")] == [
        "C 07:30",
        "C 08:30",
        "C 09:00",
        "C 09:30",
        "C 10:00",
        "C 10:30",
    ]
    assert str(done.effects[0]) == "7: 8 -> 12 weekday departures"
    assert runs_on(done.feed, "7", SUNDAY) == ["A 10:00 B 10:04 C 10:08"]


def test_headway_on_a_day_without_that_direction_copies_another_day():
    """Sundays have no bus back: the weekday one nearest in time (C 10:30, 5 + 5 min) is copied at 10:00 and 11:00."""
    done = apply(SetHeadway(route="7", sunday={"10:00-12:00": 60}))
    assert runs_on(done.feed, "7", SUNDAY) == [
        "A 10:00 B 10:04 C 10:08",
        "C 10:00 B 10:05 A 10:10",
        "A 11:00 B 11:04 C 11:08",
        "C 11:00 B 11:05 A 11:10",
    ]
    assert str(done.effects[0]) == "7: 1 -> 4 Sunday departures"
    assert runs_on(done.feed, "7", TUESDAY) == runs_on(town(), "7", TUESDAY)


def test_headway_on_a_day_without_any_service_copies_another_day():
    """No 7 on Saturdays: hourly 08:00-10:00 both ways makes four, with the run times of the weekday buses nearest in time."""
    done = apply(SetHeadway(route="7", saturday={"08:00-10:00": 60}))
    assert runs_on(done.feed, "7", SATURDAY) == [
        "A 08:00 B 08:05/08:06 C 08:10",
        "C 08:00 B 08:05 A 08:10",
        "A 09:00 B 09:05/09:06 C 09:10",
        "C 09:00 B 09:05 A 09:10",
    ]
    assert str(done.effects[0]) == "7: 0 -> 4 Saturday departures"


def test_headway_of_one_kind_of_day_splits_a_service_that_runs_on_others():
    """The 9 runs daily at 08:00 and 18:00; on Sundays it becomes hourly 08:00-10:00, and is as before otherwise."""
    done = apply(SetHeadway(route="9", sunday={"08:00-10:00": 60}))
    assert runs_on(done.feed, "9", SUNDAY) == ["C 08:00 D 08:10", "C 09:00 D 09:10", "C 18:00 D 18:12"]
    for day in range(4, 10):
        assert runs_on(done.feed, "9", dt.date(2024, 3, day)) == ["C 08:00 D 08:10", "C 18:00 D 18:12"]


def test_bank_holiday_that_the_study_calls_its_sunday_is_one():
    """Monday 2024-04-01 is the study's sunday: a change of Sundays acts on it, one of weekdays does not."""
    dates = {"weekday": TUESDAY, "sunday": dt.date(2024, 4, 1)}
    holiday, other_monday = dates["sunday"], dt.date(2024, 4, 8)
    sundays = apply(WithdrawRoute(route="9", days=["sunday"]), dates=dates)
    assert runs_on(sundays.feed, "9", holiday) == []
    assert len(runs_on(sundays.feed, "9", other_monday)) == 2
    weekdays = apply(WithdrawRoute(route="9", days=["weekday"]), dates=dates)
    assert len(runs_on(weekdays.feed, "9", holiday)) == 2
    assert runs_on(weekdays.feed, "9", other_monday) == []


def test_headway_of_a_frequency_service_keeps_the_starts_outside_the_period():
    """Every 20 min from 07:00 to 10:00; 08:00-09:00 becomes every 30: 07:00 07:20 07:40, 08:00 08:30, 09:00 09:20 09:40."""
    feed = make_feed(STOPS, [("5", "wk", 0, "A 00:00 B 00:05")], frequencies=[(0, "07:00", "10:00", 1200)])
    done = apply(SetHeadway(route="5", weekday={"08:00-09:00": 30}), feed=feed)
    starts = [text.split()[1] for text in runs_on(done.feed, "5", TUESDAY)]
    assert starts == ["07:00", "07:20", "07:40", "08:00", "08:30", "09:00", "09:20", "09:40"]


def test_stops_of_rarer_patterns_that_are_lost_are_named():
    """Two trips A B C and one A D C in the hour; every 30 min the new ones go by B, and D has no bus of the route left."""
    trips = [
        ("7", "wk", 0, f"A 08:{minute} {by} 08:{minute + 5} C 08:{minute + 9}")
        for minute, by in [(10, "B"), (20, "B"), (30, "D")]
    ]
    done = apply(SetHeadway(route="7", weekday={"08:00-09:00": 30}), feed=make_feed(STOPS, trips))
    assert [notice.code for notice in done.notices] == ["stops_lost"]
    assert "no longer calls at Dale Lane (D)" in done.notices[0].message


def test_same_headway_again_is_an_error():
    """The new timetable is the old one: 07:00 to 10:00 hourly out; back it is half past, so only direction 0 is asked for."""
    with pytest.raises(ScenarioError, match="route 7 runs exactly so already"):
        apply(SetHeadway(route="7", weekday={"07:00-11:00": 60}, direction=0))


def test_directions_are_told_from_the_stops_where_the_feed_has_none():
    """Without direction_id, every 30 min for two hours still means four buses each way."""
    trips = [("7", "wk", -1, "A 07:00 B 07:05 C 07:10"), ("7", "wk", -1, "C 07:30 B 07:35 A 07:40")]
    done = apply(SetHeadway(route="7", weekday={"07:00-09:00": 30}), feed=make_feed(STOPS, trips))
    starts = [text[:7] for text in runs_on(done.feed, "7", TUESDAY)]
    assert sorted(starts) == [f"{stop} {clock}" for stop in "AC" for clock in ("07:00", "07:30", "08:00", "08:30")]


def test_withdraw_by_hours_and_days():
    """From 08:00 to 10:00 on weekdays goes: out 08:00, 09:00 and back 08:30, 09:30; eight become four."""
    done = apply(WithdrawRoute(route="7", days=["weekday"], **{"from": "08:00", "to": "10:00"}))
    assert [text[:7] for text in runs_on(done.feed, "7", TUESDAY)] == ["A 07:00", "C 07:30", "A 10:00", "C 10:30"]
    assert str(done.effects[0]) == "7: 8 -> 4 weekday departures"
    assert len(runs_on(done.feed, "7", SUNDAY)) == 1


def test_new_route_by_given_run_times():
    """Three stops, 6 and 4 minutes; back in 4 and 6; every 30 min from 07:00 to 08:00; the stops on their sides."""
    done = apply(
        AddRoute(
            name="X",
            stops=["Alder Street", "C", {"at": [0.036, 0.0], "name": "New stop"}],
            run_times_min=[6, 4],
            service={"weekday": {"07:00-08:00": 30}, "sunday": ["09:15"]},
        )
    )
    route = done.new_routes[0]
    assert route == "plan:X"
    assert runs_on(done.feed, route, TUESDAY) == [
        "A 07:00 C 07:06 plan:1 07:10",
        "plan:1 07:00 C 07:04 A 07:10",
        "A 07:30 C 07:36 plan:1 07:40",
        "plan:1 07:30 C 07:34 A 07:40",
    ]
    assert len(runs_on(done.feed, route, SUNDAY)) == 2
    assert "0 -> 4 weekday departures, 0 -> 2 Sunday departures" in str(done.effects[0])
    assert done.feed.stops["stop_name"].iat[-1] == "New stop"


def test_new_route_by_speed():
    """A to B to C: 1 km each by straight line, 1.3 km by road; at 18 km/h 260 s each, and 20 s at B."""
    done = apply(
        AddRoute(name="X", stops=["A", "B", "C"], speed_kmh=18, dwell_s=20, both_ways=False, departures=["07:00"])
    )
    assert runs_on(done.feed, "plan:X", TUESDAY) == ["A 07:00 B 07:04:20/07:04:40 C 07:09"]


def test_new_route_speed_by_period():
    """1.3 km at 13 km/h is 6 min before 09:00, at 26 km/h 3 min after."""
    change = AddRoute(
        name="X",
        stops=["A", "B"],
        speed_kmh={"07:00-09:00": 13, "09:00-12:00": 26},
        both_ways=False,
        departures=["08:00", "10:00"],
    )
    assert runs_on(apply(change).feed, "plan:X", TUESDAY) == ["A 08:00 B 08:06", "A 10:00 B 10:03"]


def test_side_of_the_road_is_the_left_of_travel_where_nobody_serves_it():
    """Eastbound the left is north (E1), westbound south (E2); each is reported as an assumption."""
    done = apply(
        AddRoute(name="X", stops=["C", "Elm Park", {"at": [0.06, 0], "name": "Z"}], speed_kmh=20, departures=["07:00"])
    )
    out, back = sorted(runs_on(done.feed, "plan:X", TUESDAY))
    assert " E1 " in out
    assert " E2 " in back
    assert [notice.code for notice in done.notices] == ["kerb_assumed", "kerb_assumed"]


def test_side_of_the_road_follows_the_service_that_is_there():
    """A bus calls eastbound at the southern stop (a one-way system): an eastbound new route calls there too."""
    feed = make_feed(STOPS, [("7", "wk", 0, "C 07:00 E2 07:05 F1 07:10")])
    change = AddRoute(name="X", stops=["A", "Elm Park", "F1"], speed_kmh=20, departures=["07:00"], both_ways=False)
    done = apply(change, feed=feed)
    assert " E2 " in runs_on(done.feed, "plan:X", TUESDAY)[0]
    assert done.notices == []


def test_extension_goes_on_and_comes_back():
    """From C on to D in 5 min: out trips reach D at :15; back trips leave D 5 min before they left C."""
    done = apply(ExtendRoute(route="7", after="Cedar Way", stops=["D"], run_times_min=[5], days=["weekday"]))
    assert runs_on(done.feed, "7", TUESDAY)[:2] == [
        "A 07:00 B 07:05/07:06 C 07:10 D 07:15",
        "D 07:25 C 07:30 B 07:35 A 07:40",
    ]
    assert runs_on(done.feed, "7", SUNDAY) == ["A 10:00 B 10:04 C 10:08"]


def test_extension_in_a_period_only():
    """Only departures from 09:00 to 11:00 go on; a dwell of 30 s at the old terminus."""
    change = ExtendRoute(route="7", after="C", stops=["D"], run_times_min=[5], dwell_s=30, trips="09:00-11:00")
    runs = runs_on(apply(change).feed, "7", TUESDAY)
    assert runs[0] == "A 07:00 B 07:05/07:06 C 07:10"
    assert "A 09:00 B 09:05/09:06 C 09:10/09:10:30 D 09:15:30" in runs


def test_extension_elsewhere_than_at_a_terminus_names_the_termini():
    with pytest.raises(ScenarioError, match=r"its termini are .*Alder Street"):
        apply(ExtendRoute(route="7", after="Birch Road", stops=["D"], run_times_min=[5]))


@pytest.mark.parametrize("agency", ["Y", "y buses"])
def test_agency_settles_a_clash_in_either_way_of_writing(agency):
    """Two operators have a 5; {route: 5, agency: Y} beside the other fields, or as the route itself."""
    trips = [("x5", "wk", 0, "A 08:00 B 08:05"), ("y5", "wk", 0, "A 09:00 B 09:05")]
    feed = make_feed(STOPS, trips, routes=[("x5", "5", "X"), ("y5", "5-123", "Y")])
    beside = apply({"withdraw_route": {"route": "y5", "agency": agency}}, feed=feed)
    within = apply(
        {
            "extend_route": {
                "route": {"route": "5-123", "agency": agency},
                "after": "B",
                "stops": ["C"],
                "run_times_min": [3],
            }
        },
        feed=feed,
    )
    assert runs_on(beside.feed, "y5", TUESDAY) == []
    assert runs_on(within.feed, "y5", TUESDAY) == ["A 09:00 B 09:05 C 09:08"]
    assert runs_on(within.feed, "x5", TUESDAY) == ["A 08:00 B 08:05"]


def test_all_faults_at_once():
    """A misspelt route, an ambiguous stop and a stop that is not there: three sentences, and nothing returned."""
    with pytest.raises(ScenarioError) as caught:
        apply(
            WithdrawRoute(route="77"),
            AddRoute(name="X", stops=["Alder Street", "High Street", "Ceder Way"], speed_kmh=20, departures=["07:00"]),
            SetHeadway(route="X", weekday={"07:00-08:00": 10}),
        )
    text = str(caught.value)
    assert "there is no route '77' in the timetable; did you mean '7'?" in text
    assert "'High Street' could be 2 places" in text
    assert "F1 (High Street, 6.0 km), F2 (High Street, 9.0 km)" in text
    assert "no stop or destination is called 'Ceder Way'; did you mean 'Cedar Way'?" in text
    assert len(caught.value.notices) == 3


def test_a_later_change_can_name_a_new_route():
    done = apply(
        AddRoute(name="X", stops=["A", "B"], run_times_min=[4], service={"weekday": {"07:00-09:00": 60}}),
        SetHeadway(route="X", weekday={"08:00-09:00": 15}),
    )
    starts = {text[:7] for text in runs_on(done.feed, "plan:X", TUESDAY) if text.startswith("A")}
    assert starts == {"A 07:00", "A 08:00", "A 08:15", "A 08:30", "A 08:45"}


def test_change_on_none_of_the_dates_names_the_date_to_add():
    """The study has a Tuesday only: the first Sunday after it is 2024-03-10."""
    done = apply(WithdrawRoute(route="7", days=["sunday"]), dates={"day": TUESDAY})
    assert [notice.code for notice in done.notices] == ["not_on_these_dates"]
    assert "add sunday: 2024-03-10 to service_date" in done.notices[0].message


def test_day_is_the_kind_of_the_only_date():
    """`day` of a study of one Tuesday acts on all weekdays."""
    done = apply(SetHeadway(route="9", day={"08:00-10:00": 30}), dates={"day": TUESDAY})
    assert len(runs_on(done.feed, "9", dt.date(2024, 3, 7))) == 5
    assert len(runs_on(done.feed, "9", SUNDAY)) == 2


def test_empty_scenario_is_the_same_feed():
    feed = town()
    assert apply_scenario(Scenario(scenario="plan", changes=[]), Setting(feed, WEEK)).feed is feed


def test_withdrawing_what_was_added_restores_the_feed():
    feed = town()
    stops = ["A", {"at": [0.01, 0.01], "name": "New"}]
    done = apply(
        AddRoute(name="X", stops=stops, run_times_min=[4], service={"sunday": {"07:00-09:00": 60}}),
        WithdrawRoute(route="X"),
        feed=feed,
    )
    assert same_feed(done.feed, feed)


def test_unrelated_changes_in_any_order_give_the_same_departures():
    changes = [
        SetHeadway(route="7", weekday={"09:00-11:00": 20}),
        WithdrawRoute(route="9", days=["sunday"]),
        AddRoute(name="X", stops=["A", "D"], run_times_min=[9], departures=["08:00", "12:00"]),
    ]
    seen = []
    for order in (changes, changes[::-1], [changes[1], changes[0], changes[2]]):
        feed = apply(*order).feed
        seen.append([runs_on(feed, route, date) for route in ("7", "9", "plan:X") for date in WEEK.values()])
    assert seen[0] == seen[1] == seen[2]


def test_the_feed_passed_in_is_never_changed():
    feed, copy = town(), town()
    apply(
        SetHeadway(route="9", sunday={"08:00-10:00": 20}),
        ExtendRoute(route="7", after="C", stops=["D"], run_times_min=[5]),
        feed=feed,
    )
    assert same_feed(feed, copy)


@pytest.mark.parametrize("period", [("2024-01-01", "2024-12-29"), ("0001-01-01", "9999-12-31")])
def test_split_keeps_every_date_of_the_year(period):
    """Whatever is split, the dates on which the 9 does not change have the departures they had, over the whole year.

    So it is with a calendar that never began and never ends; and no part of it begins later or ends sooner.
    """
    feed = make_feed(
        STOPS,
        [("9", "all", 0, "C 08:00 D 08:10")],
        services={"all": "1111111"},
        exceptions=[("all", "2024-03-29", False), ("all", "2024-12-30", True)],
        dates=period,
    )
    done = apply(SetHeadway(route="9", saturday={"08:00-10:00": 30}), feed=feed)
    for day in np.arange("2023-12-30", "2025-01-04", dtype="datetime64[D]"):
        date = day.astype(object)
        before, after = departures_on(feed, 0, date), departures_on(done.feed, 0, date)
        assert after == (4 if date.weekday() == 5 and before else before), date
    assert {str(day) for day in done.feed.calendar.start} == {period[0]}
    assert {str(day) for day in done.feed.calendar.end} == {period[1]}
    assert len(done.feed.calendar.exception_date) < 10


def test_headway_beside_an_old_service_runs_while_the_open_one_does():
    """The 7 ran on Sundays from year 1 to 2023, and runs at another time since 2024: half-hourly is 4 in two hours, always."""
    feed = make_feed(
        STOPS,
        [("7", "sun", 0, "A 10:00 B 10:04"), ("7", "old", 0, "A 10:10 B 10:14")],
        services={"sun": "0000001", "old": "0000001"},
    )
    calendar = feed.calendar
    ends = np.array(["9999-12-31", "2023-12-31"], "datetime64[D]")
    starts = np.array(["2024-01-01", "0001-01-01"], "datetime64[D]")
    feed = replace(feed, calendar=replace(calendar, start=starts, end=ends))
    done = apply(SetHeadway(route="7", sunday={"10:00-12:00": 30}), feed=feed)
    on = {year: departures_on(done.feed, 0, date) for year, date in SUNDAYS.items()}
    assert on == {2023: 4, 2024: 4, 2060: 4}


def test_a_change_that_is_off_is_not_applied():
    """The 9 stays; the effect says so; the feed, with its hash, is that of a proposal without the change."""
    off = WithdrawRoute(route="9", off=True)
    on = SetHeadway(route="7", weekday={"09:00-11:00": 30})
    alone, both = apply(on), apply(off, on)
    assert departures_on(both.feed, 1, TUESDAY) == 2
    assert both.effects[0].text == "withdraw_route: switched off (off: true), so it was not applied"
    assert [effect.change for effect in both.effects] == [1, 2]
    assert both.feed.content_hash == alone.feed.content_hash
    assert same_feed(both.feed, alone.feed)
    nothing = apply(off)
    assert nothing.feed.content_hash == town().content_hash


def test_what_is_off_may_name_what_is_not_there():
    """Form is checked, names of the study are not: a route that is gone does not stop the others."""
    done = apply(WithdrawRoute(route="no such route", off=True))
    assert done.notices == []
