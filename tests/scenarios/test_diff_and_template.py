"""The difference of two timetables in words, and the template of a new scenario."""

from __future__ import annotations

import dataclasses

import pytest

from community_routes.base.errors import ScenarioError
from community_routes.scenarios.apply import apply_scenario
from community_routes.scenarios.diff import diff_feeds
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario, read_scenario
from community_routes.scenarios.template import new_scenario_template
from community_routes.sources.gtfs.feed import Feed
from scenarios.hand_feed import WEEK, make_feed

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 1, 0), ("C", "Cedar: Way", 2, 0), ("D", "Dale Lane", 3, 1)]


def town() -> Feed:
    trips = [("7", "wk", 0, f"A {hour:02}:00 B {hour:02}:05 C {hour:02}:10") for hour in range(6, 10)]
    trips += [("9", "wk", 0, "C 08:00 D 08:10"), ("9", "sun", 0, "C 10:00 D 10:10")]
    return make_feed(STOPS, trips)


def changed(*changes: object) -> Feed:
    return apply_scenario(Scenario(scenario="plan", changes=changes), Setting(town(), WEEK)).feed


def test_departures_by_period():
    """07:00-09:30 is the morning peak: three departures (07, 08, 09) become every 30 min from 07 to 09 and the one at 09:00."""
    diff = diff_feeds(town(), changed({"set_headway": {"route": "7", "weekday": {"07:00-09:00": 30}}}), WEEK)
    assert diff.words() == ["weekday: 7 4 -> 6 departures (morning peak 3 -> 5)"]
    assert diff.departures[["period", "before", "after"]].to_numpy().tolist() == [["morning peak", 3, 5]]


def test_new_and_withdrawn_routes_and_stops():
    after = changed(
        {"withdraw_route": {"route": "9", "days": ["sunday"]}},
        {
            "add_route": {
                "name": "X",
                "stops": ["A", {"at": [0.05, 0], "name": "Far"}],
                "run_times_min": [9],
                "service": {"sunday": ["09:00"]},
            }
        },
    )
    assert diff_feeds(town(), after, WEEK).words() == [
        "Sunday: 9 no longer runs, it had 1 departures",
        "Sunday: X is new, 2 departures",
        "Sunday: 2 stops with a service that had none: Alder Street (A), Far (plan:1)",
        "Sunday: 2 stops without any service left: Cedar: Way (C), Dale Lane (D)",
    ]


def test_other_stops_and_other_times():
    slower = changed({"change_speed": {"route": "7", "factor": 0.5}})
    assert diff_feeds(town(), slower, WEEK).words() == ["weekday: 7 runs at other times, 4 departures as before"]
    express = changed({"remove_stops": {"route": "7", "stops": ["B"]}})
    said = "weekday: 7 calls at other stops, 4 departures as before: less often at Birch Road (B, 4 -> 0)"
    assert diff_feeds(town(), express, WEEK).words()[0] == said


def test_same_feed_has_no_difference():
    diff = diff_feeds(town(), town(), WEEK)
    assert diff.empty
    assert diff.words() == ["the two timetables are the same on these dates"]


def test_other_years_ids_are_matched_by_name():
    """All route ids differ, as in another year's feed: the short names say which is which."""
    feed = town()
    routes = feed.routes.assign(route_id=["2025-a", "2025-b"])
    assert diff_feeds(feed, dataclasses.replace(feed, routes=routes), WEEK).empty


def test_template_reads_as_it_stands_and_every_comment_is_a_valid_change(tmp_path):
    """With `changes: []` it changes nothing; with each commented line in place of the [] it is read without a fault."""
    text = new_scenario_template("my-plan", town(), WEEK)
    path = tmp_path / "my-plan.yaml"
    path.write_text(text, encoding="utf-8")
    assert read_scenario(path).changes == ()
    lines = text.splitlines()
    single = [
        line.replace("  # - ", "  - ", 1)
        for line in lines
        if line.startswith("  # - ") and line.endswith(("}", "bus lane", "buses"))
    ]
    start = next(k for k, line in enumerate(lines) if line.startswith("  # - add_route"))
    route = ["  - add_route:", *(line.replace("  #", "  ", 1) for line in lines[start + 1 : start + 9])]
    cost = [line.removeprefix("# ") for line in lines if line.startswith("# cost:")]
    whole = ["scenario: my-plan", "changes:", *single, *route, *cost]
    path.write_text("\n".join(whole) + "\n", encoding="utf-8")
    kinds = [change.kind for change in read_scenario(path).changes]
    assert sorted(kinds) == sorted(
        [
            "set_headway", "withdraw_route", "change_speed", "change_dwell", "extend_route", "reroute", "add_stop",
            "remove_stops", "add_drt", "add_path", "close_path", "change_fare", "add_homes", "add_jobs", "add_space",
            "add_route",
        ]
    )  # fmt: skip


def test_template_with_a_name_that_cannot_be():
    with pytest.raises(ScenarioError, match="name of the baseline"):
        new_scenario_template("today", town(), WEEK)
