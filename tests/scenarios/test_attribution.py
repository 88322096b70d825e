"""Routes put back as they were, and what each of them changed."""

from __future__ import annotations

import dataclasses
import datetime as dt

from community_routes.scenarios.apply import apply_scenario
from community_routes.scenarios.attribution import put_back, with_stops_of
from community_routes.scenarios.diff import route_keys
from community_routes.scenarios.edit.routes import departures_on
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from scenarios.hand_feed import TUESDAY, WEEK, make_feed, runs_on

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 1, 0), ("C", "Cedar Way", 2, 0)]


def last_year() -> Feed:
    trips = [("7", "wk", 0, f"A {hour:02}:00 B {hour:02}:05") for hour in (7, 8, 9)]
    trips += [("9", "wk", 0, "B 08:00 C 08:10"), ("5", "wk", 0, "A 07:00 C 07:20")]
    return make_feed(STOPS, trips, frequencies=[(4, "07:00", "08:00", 1200)])


def this_year() -> Feed:
    """The 7 every half hour, no 9, a new X; the 5 stays."""
    changes = [
        {"set_headway": {"route": "7", "weekday": {"07:00-10:00": 30}}},
        {"withdraw_route": {"route": "9"}},
        {
            "add_route": {
                "name": "X",
                "stops": ["A", "C"],
                "run_times_min": [9],
                "departures": ["07:00"],
                "both_ways": False,
            }
        },
    ]
    return apply_scenario(Scenario(scenario="plan", changes=changes), Setting(last_year(), WEEK)).feed


def test_a_route_put_back_is_as_it_was_and_the_others_stay():
    after, before = this_year(), last_year()
    feed = put_back(after, before, ["7"], {"weekday": TUESDAY})
    assert runs_on(feed, "7", TUESDAY) == runs_on(before, "7", TUESDAY)
    assert runs_on(feed, "9", TUESDAY) == []
    assert runs_on(feed, "plan:X", TUESDAY) == runs_on(after, "plan:X", TUESDAY)


def test_everything_put_back_is_last_year():
    feed = put_back(this_year(), last_year(), ["7", "9", "5", "plan:X"], {"weekday": TUESDAY})
    for route in ("7", "9", "5"):
        assert runs_on(feed, route, TUESDAY) == runs_on(last_year(), route, TUESDAY)
    assert runs_on(feed, "plan:X", TUESDAY) == []


def test_a_lost_route_and_stop_of_another_year_come_back():
    """Last year's feed has other ids, another date and a stop D that is gone; the 9 went there."""
    stops = [*STOPS, ("D", "Dale Lane", 3, 0)]
    old = make_feed(
        stops,
        [("7", "wk", 0, "A 07:00 B 07:05"), ("9", "wk", 0, "B 08:00 D 08:10")],
        dates=("2023-01-01", "2023-12-31"),
    )
    old = dataclasses.replace(old, routes=old.routes.assign(route_id=["y1", "y2"]))
    new = make_feed(STOPS, [("7", "wk", 0, "A 07:00 B 07:05"), ("8", "wk", 0, "A 07:00 C 07:05")])
    day = {"weekday": dt.date(2023, 3, 7)}
    feed = put_back(new, old, ["A Buses: 9"], {"weekday": TUESDAY}, day)
    assert runs_on(feed, "put-back:y2", TUESDAY) == ["B 08:00 D 08:10"]
    assert len(feed.stops) == 4


def test_ids_that_were_given_anew_are_no_sameness():
    """This year's publisher numbers routes and stops anew: id 7 is the old 9, and stop A lies where C was, 2 km away.

    Routes go by operator and number, and the 9 comes back to where it called before.
    """
    old = make_feed(STOPS, [("7", "wk", 0, "A 07:00 B 07:05"), ("9", "wk", 0, "B 08:00 C 08:10")])
    moved = [("C", "Alder Street", 0, 0), ("B", "Birch Road", 1, 0), ("A", "Cedar Way", 2, 0)]
    new = make_feed(moved, [("7", "wk", 0, "C 07:00 B 07:05"), ("9", "wk", 0, "B 08:00 C 08:10")])
    new = dataclasses.replace(new, routes=new.routes.assign(route_id=["9", "7"]))
    assert route_keys(old, new) == ["A Buses: 7", "A Buses: 9"]
    day = {"weekday": TUESDAY}
    feed = put_back(new, old, ["A Buses: 9"], day)
    assert feed.stops["stop_id"].tolist() == ["C", "B", "A", "put-back:C"]
    assert feed.stops["lon"].iat[3] == old.stops["lon"].iat[2] == new.stops["lon"].iat[2]
    again = put_back(with_stops_of(feed, old), old, ["A Buses: 9"], day)
    assert again.stops["stop_id"].tolist() == ["C", "B", "A", "put-back:C", "put-back:A"], (
        "what is there is not added twice"
    )


def test_each_route_put_back_takes_its_part_away():
    """The 7 has 3 departures more than last year, the 9 one less, the X one more; together 3."""
    now, before, day = this_year(), last_year(), {"weekday": TUESDAY}

    def departures(feed: Feed) -> int:
        return sum(departures_on(feed, route, TUESDAY) for route in range(len(feed.routes)))

    parts = {route: departures(now) - departures(put_back(now, before, [route], day)) for route in ("7", "9", "plan:X")}
    assert parts == {"7": 3, "9": -1, "plan:X": 1}
    assert sum(parts.values()) == departures(now) - departures(before)
