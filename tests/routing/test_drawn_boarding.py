"""Boarding, riding and alighting on drawn timetables: departures, slack, limits, types of calls, loops, overtaking."""

from __future__ import annotations

import pytest

from community_routes.base.times import HOUR, MINUTE
from drawn import drawn_feed, travel_time_s

BUS = "7: B 08:02  C 08:05  D 08:09"


def test_walk_ride_walk() -> None:
    """Leave 08:00, walk 60 s to B, ride B 08:02 to D 08:09, walk 120 s: 11 minutes."""
    assert travel_time_s(drawn_feed(BUS), "08:00", access={"B": 60}, egress={"D": 120}) == 11 * MINUTE


def test_the_wait_for_the_first_bus_counts() -> None:
    """Leave 07:30, the bus arrives 08:09: 39 minutes."""
    assert travel_time_s(drawn_feed(BUS), "07:30", access={"B": 0}, egress={"D": 0}) == 39 * MINUTE


def test_slack_holds_for_the_first_boarding() -> None:
    """At B at 08:01:00 with a slack of 60 s the bus of 08:02:00 is caught; with 61 s the one of 08:12 (19 minutes)."""
    feed = drawn_feed(BUS, "7: B 08:12  D 08:19")
    walks = {"access": {"B": 60}, "egress": {"D": 0}}
    assert travel_time_s(feed, "08:00", slack_s=60, **walks) == 9 * MINUTE
    assert travel_time_s(feed, "08:00", slack_s=61, **walks) == 19 * MINUTE
    assert travel_time_s(feed, "08:00:01", slack_s=60, **walks) == 19 * MINUTE - 1


def test_slack_holds_for_a_change() -> None:
    """Arrive at C 08:05; slack 60 s reaches the 08:06 (E 08:10), slack 61 s only the 08:16 (E 08:20)."""
    feed = drawn_feed(BUS, "8: C 08:06  E 08:10", "8: C 08:16  E 08:20")
    walks = {"access": {"B": 0}, "egress": {"E": 0}}
    assert travel_time_s(feed, "08:00", slack_s=60, **walks) == 10 * MINUTE
    assert travel_time_s(feed, "08:00", slack_s=61, **walks) == 20 * MINUTE


def test_without_slack_a_bus_is_caught_in_the_second_it_leaves() -> None:
    """Arrive C 08:05:00, board C 08:05:00, E 08:08; a second later it has gone."""
    feed = drawn_feed(BUS, "8: C 08:05  E 08:08")
    assert travel_time_s(feed, "08:02", access={"B": 0}, egress={"E": 0}) == 6 * MINUTE
    late = drawn_feed("7: B 08:02  C 08:05:01", "8: C 08:05  E 08:08")
    assert travel_time_s(late, "08:02", access={"B": 0}, egress={"E": 0}) is None


def test_walking_all_the_way_wins_when_it_is_quicker() -> None:
    """The bus takes 9 minutes from 08:00; a walk of 8 minutes wins, one of 10 does not."""
    feed = drawn_feed(BUS)
    walks = {"access": {"B": 0}, "egress": {"D": 0}}
    assert travel_time_s(feed, "08:00", direct=8 * MINUTE, **walks) == 8 * MINUTE
    assert travel_time_s(feed, "08:00", direct=10 * MINUTE, **walks) == 9 * MINUTE


def test_walking_all_the_way_counts_no_ride() -> None:
    """With no ride allowed only the walk of 20 minutes is left."""
    feed = drawn_feed(BUS)
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}, direct=1200, max_rides=0) == 1200


def test_a_walk_to_a_stop_and_on_is_no_journey() -> None:
    """60 s from the origin to X, 60 s from X to the destination, but no ride between: only the bus counts, 9 minutes."""
    feed = drawn_feed(BUS, stops=["X"])
    walks = {"access": {"B": 0, "X": 60}, "egress": {"D": 0, "X": 60}}
    assert travel_time_s(feed, "08:00", **walks) == 9 * MINUTE


@pytest.mark.parametrize(("limit_s", "answer"), [(11 * MINUTE, 11 * MINUTE), (11 * MINUTE - 1, None)])
def test_the_limit_of_time_may_be_met_exactly(limit_s: int, answer: int | None) -> None:
    """The journey takes 11 minutes: the limit of 11 minutes allows it, a second less does not."""
    feed = drawn_feed(BUS)
    assert travel_time_s(feed, "08:00", access={"B": 60}, egress={"D": 120}, max_travel_s=limit_s) == answer


@pytest.mark.parametrize(("rides", "answer"), [(1, 60 * MINUTE), (2, 30 * MINUTE), (3, 12 * MINUTE)])
def test_the_limit_of_rides(rides: int, answer: int) -> None:
    """One ride arrives 09:00, two 08:30, three 08:12."""
    feed = drawn_feed(
        "1: A 08:00  B 08:03",
        "2: B 08:04  C 08:07",
        "3: C 08:08  Z 08:12",
        "4: B 08:10  Z 08:30",
        "5: A 08:05  Z 09:00",
    )
    assert travel_time_s(feed, "08:00", access={"A": 0}, egress={"Z": 0}, max_rides=rides) == answer


def test_no_boarding_where_pickup_is_forbidden() -> None:
    """The 08:02 picks up nobody at B; the 08:12 does, and arrives 08:19."""
    feed = drawn_feed("7: B 08:02[pickup=1]  D 08:09", "7: B 08:12  D 08:19")
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}) == 19 * MINUTE


def test_no_alighting_where_drop_off_is_forbidden() -> None:
    """The bus sets nobody down at C 08:05; D 08:09 and a walk of 10 minutes back is left."""
    feed = drawn_feed("7: B 08:02  C 08:05[drop_off=1]  D 08:09")
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"C": 0, "D": 600}) == 19 * MINUTE


@pytest.mark.parametrize("kind", [0, 2, 3])
def test_by_phone_or_with_the_driver_is_allowed(kind: int) -> None:
    """Types 0, 2 and 3 board at B 08:02 and alight at D 08:09."""
    feed = drawn_feed(f"7: B 08:02[pickup={kind}]  D 08:09[drop_off={kind}]")
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}) == 9 * MINUTE


def test_a_forbidden_pickup_does_not_stop_who_sits_inside() -> None:
    """Nobody boards or alights at C, but who boarded at B rides through to D."""
    feed = drawn_feed("7: B 08:02  C 08:05[pickup=1][drop_off=1]  D 08:09")
    assert travel_time_s(feed, "08:00", access={"B": 0, "C": 0}, egress={"C": 0, "D": 0}) == 9 * MINUTE


def test_first_call_is_not_alighted_at_nor_the_last_boarded() -> None:
    """Nothing happens between one stop and itself: no ride from B to B, none from D to D."""
    feed = drawn_feed(BUS)
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"B": 0}) is None
    assert travel_time_s(feed, "08:00", access={"D": 0}, egress={"D": 0}) is None


def test_stations_are_not_boarded() -> None:
    """A trip that calls at the station itself cannot be boarded there; the one from its platform, ten minutes later, can."""
    feed = drawn_feed("7: S 08:02  D 08:09", "7: S1 08:12  D 08:19", stations={"S": ["S1"]})
    assert travel_time_s(feed, "08:00", access={"S": 0, "S1": 0}, egress={"D": 0}) == 19 * MINUTE


def test_dwell_is_between_arrival_and_departure() -> None:
    """At C from 08:05 to 08:08: who alights is there at 08:05, who boards needs to be there only by 08:08."""
    feed = drawn_feed("7: B 08:02  C 08:05/08:08  D 08:11")
    assert travel_time_s(feed, "08:02", access={"B": 0}, egress={"C": 0}) == 3 * MINUTE
    assert travel_time_s(feed, "08:02", access={"C": 6 * MINUTE}, egress={"D": 0}) == 9 * MINUTE


def test_a_later_trip_overtakes() -> None:
    """The 08:02 arrives 08:30, the express of 08:10 arrives 08:20: taking the later one is right."""
    feed = drawn_feed("7: B 08:02  C 08:15  D 08:30", "7: B 08:10  C 08:14  D 08:20")
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}) == 20 * MINUTE


def test_change_to_the_trip_that_overtakes() -> None:
    """From B 08:02 one is at C 08:15, where the express has left at 08:14; staying on means D 08:30."""
    feed = drawn_feed("7: B 08:02  C 08:15  D 08:30", "7: A 08:10  C 08:14  D 08:20")
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}) == 30 * MINUTE


def test_loop_is_boarded_at_each_of_its_calls() -> None:
    """A loop calls at B at 08:00 and 08:20 and goes on to D 08:25: from 08:05 the second call at B is boarded."""
    loop = drawn_feed("7: B 08:00  C 08:10  B 08:20  D 08:25")
    assert travel_time_s(loop, "08:05", access={"B": 0}, egress={"D": 0}) == 20 * MINUTE
    assert travel_time_s(loop, "07:55", access={"B": 0}, egress={"D": 0}) == 30 * MINUTE


def test_loop_is_alighted_at_its_first_call_there() -> None:
    """B 08:00, C 08:10, D 08:15, C 08:20: one is at C at 08:10."""
    loop = drawn_feed("7: B 08:00  C 08:10  D 08:15  C 08:20")
    assert travel_time_s(loop, "08:00", access={"B": 0}, egress={"C": 0}) == 10 * MINUTE


def test_round_trip_to_where_it_started() -> None:
    """A loop B 08:00 ... B 08:20 is a ride from B to B (of use to nobody, but a ride): 20 minutes."""
    loop = drawn_feed("7: B 08:00  C 08:10  B 08:20")
    assert travel_time_s(loop, "08:00", access={"B": 0}, egress={"B": 0}) == 20 * MINUTE


def test_the_same_stop_twice_running() -> None:
    """Two calls at C in a row, 08:05 and 08:07: alighted at 08:05, boarded still at 08:07."""
    feed = drawn_feed("7: B 08:02  C 08:05  C 08:07  D 08:10")
    assert travel_time_s(feed, "08:02", access={"B": 0}, egress={"C": 0}) == 3 * MINUTE
    assert travel_time_s(feed, "08:06", access={"C": 60}, egress={"D": 0}) == 4 * MINUTE


def test_hops_of_no_minutes() -> None:
    """B, C and D all at 08:02: each of the three is reached within the second, by one ride."""
    feed = drawn_feed("7: B 08:02  C 08:02  D 08:02")
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}, max_rides=1) == 2 * MINUTE
    assert travel_time_s(feed, "08:00", access={"C": 0}, egress={"D": 0}, max_rides=1) == 2 * MINUTE


def test_a_chain_of_changes_within_one_second() -> None:
    """Four buses of no minutes, drawn in an unhelpful order, are all ridden at 08:02:00; with three rides D is the end."""
    feed = drawn_feed("3: C 08:02  D 08:02", "1: A 08:02  B 08:02", "4: D 08:02  E 08:02", "2: B 08:02  C 08:02")
    assert travel_time_s(feed, "08:00", access={"A": 0}, egress={"E": 0}, max_rides=4) == 2 * MINUTE
    assert travel_time_s(feed, "08:00", access={"A": 0}, egress={"E": 0}, max_rides=3) is None
    assert travel_time_s(feed, "08:00", access={"A": 0}, egress={"D": 0}, max_rides=3) == 2 * MINUTE


def test_a_long_journey_does_not_overflow() -> None:
    """08:00 to 16:15 by two trains: eight hours and a quarter, as long as 16-bit seconds allow."""
    feed = drawn_feed("1: A 08:00  B 12:00", "2: B 12:30  C 16:15")
    answer = travel_time_s(feed, "08:00", access={"A": 0}, egress={"C": 0}, max_travel_s=30_000)
    assert answer == 8 * HOUR + 15 * MINUTE


def test_the_better_of_two_stops_at_each_end() -> None:
    """Walk 5 minutes to C for 08:05 and alight at D 08:09 with 4 minutes to walk, or E 08:12 with none: 12 minutes."""
    feed = drawn_feed("7: B 08:02  C 08:05  D 08:09  E 08:12")
    assert travel_time_s(feed, "08:00", access={"B": 180, "C": 300}, egress={"D": 240, "E": 0}) == 12 * MINUTE


def test_no_service_no_journey() -> None:
    """A trip of another date only is not ridden."""
    feed = drawn_feed("7 service=other: B 08:02  D 08:09", "8: X 08:00  Y 08:01", services={"other": ["2024-04-01"]})
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}) is None
