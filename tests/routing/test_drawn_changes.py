"""Changes on drawn timetables: walks between stops and every rule of transfers.txt."""

from __future__ import annotations

import pytest

from community_routes.base.times import MINUTE
from drawn import drawn_feed, travel_time_s

# route 1 arrives at B 08:10; from B (or C, a walk away) route 2 leaves each five minutes and takes ten minutes to Z
INTO_B = "1: A 08:00  B 08:10"
FROM_B = [f"2: B 08:{minute:02d}  Z 08:{minute + 10}" for minute in range(10, 45, 5)]
FROM_C = [f"2: C 08:{minute:02d}  Z 08:{minute + 10}" for minute in range(10, 45, 5)]


def minutes(*lines: str, transfers: list[str] | None = None, **options: object) -> int | None:
    """Minutes after 08:00 at which one is at Z who leaves A at 07:30."""
    stations = options.pop("stations", None)
    feed = drawn_feed(*lines, transfers=transfers or [], stations=stations)  # type: ignore[arg-type]
    answer = travel_time_s(feed, "07:30", access={"A": 0}, egress={"Z": 0}, **options)  # type: ignore[arg-type]
    return None if answer is None else answer // MINUTE - 30


def test_change_after_a_walk() -> None:
    """At B 08:10, walk 240 s to C, slack 60 s: the 08:15 is caught (25 minutes); with 241 s the 08:20 (30)."""
    assert minutes(INTO_B, *FROM_C, footpaths={("B", "C"): 240}, slack_s=60) == 25
    assert minutes(INTO_B, *FROM_C, footpaths={("B", "C"): 241}, slack_s=60) == 30


def test_walks_between_stops_are_not_joined() -> None:
    """B to X and X to C are walks, B to C is not: no change, for a walk follows only a ride."""
    assert (
        minutes(INTO_B, *FROM_C, footpaths={("B", "X"): 60, ("X", "C"): 60, ("A", "X"): 60}, stations={"S": ["X"]})
        is None
    )


def test_no_walk_between_stops_before_the_first_ride() -> None:
    """The origin reaches A alone; that C is a minute from A helps only who alights at A."""
    assert minutes(*FROM_C, "9: A 09:00  Q 09:01", footpaths={("A", "C"): 60}) is None


def test_no_walk_between_stops_before_the_last_walk() -> None:
    """From B one walks to the destination in 20 minutes; B to Z by the footpath and on would be two walks."""
    feed = drawn_feed(INTO_B, "9: Z 09:30  A 09:40")
    walks = {"access": {"A": 0}, "egress": {"B": 1200, "Z": 0}}
    assert travel_time_s(feed, "08:00", footpaths={("B", "Z"): 60}, **walks) == 30 * MINUTE  # type: ignore[arg-type]


def test_a_walk_goes_the_way_it_is_given() -> None:
    """A walk from C to B is none from B to C."""
    assert minutes(INTO_B, *FROM_C, footpaths={("C", "B"): 60}) is None


def test_a_stop_to_itself_is_no_walk() -> None:
    """B 08:10 to B 08:10 without slack: 20 minutes."""
    assert minutes(INTO_B, *FROM_B) == 20


@pytest.mark.parametrize("kind", [0, 4, 5])
def test_type_0_adds_nothing(kind: int) -> None:
    """A recommended change, and rules about staying in the seat, leave slack as it is: 300 s of slack need the 08:15."""
    assert minutes(INTO_B, *FROM_B, transfers=[f"B > B type={kind}"], slack_s=300) == 25


def test_type_1_needs_no_slack() -> None:
    """At B 08:20, ten minutes of slack mean the 08:30 (40 minutes), a timed transfer the 08:20 (30)."""
    lines = ["1: A 08:10  B 08:20", *FROM_B]
    assert minutes(*lines, slack_s=600) == 40
    assert minutes(*lines, slack_s=600, transfers=["B > B type=1"]) == 30


def test_type_1_still_takes_the_walk() -> None:
    """At B 08:20, 240 s to C: timed means the 08:25 (35 minutes); untimed with ten minutes of slack the 08:35 (45)."""
    lines = ["1: A 08:10  B 08:20", *FROM_C]
    assert minutes(*lines, footpaths={("B", "C"): 240}, slack_s=600, transfers=["B > C type=1"]) == 35
    assert minutes(*lines, footpaths={("B", "C"): 240}, slack_s=600) == 45


@pytest.mark.parametrize(
    ("least_s", "slack_s", "answer"),
    [(0, 0, 25), (300, 0, 25), (301, 0, 30), (600, 0, 30), (60, 60, 25), (60, 61, 30), (480, 60, 30)],
)
def test_type_2_takes_the_longer_of_walk_with_slack_and_minimum(least_s: int, slack_s: int, answer: int) -> None:
    """B 08:10, 240 s to C: max(240 + slack, minimum) of at most 300 s catches the 08:15, at most 600 s the 08:20."""
    rule = [f"B > C type=2 min={least_s}"]
    assert minutes(INTO_B, *FROM_C, footpaths={("B", "C"): 240}, slack_s=slack_s, transfers=rule) == answer


def test_type_2_holds_at_one_stop() -> None:
    """Seven minutes at B at least: the 08:20 (30 minutes)."""
    assert minutes(INTO_B, *FROM_B, transfers=["B > B type=2 min=420"]) == 30


def test_type_3_forbids_the_change() -> None:
    """B to C is forbidden, so what is left is the trip through to D and the change there: D 08:20, Z 08:50."""
    lines = ["1: A 08:00  B 08:10  D 08:20", *FROM_C, "3: D 08:30  Z 08:50"]
    assert minutes(*lines, footpaths={("B", "C"): 60}) == 25
    assert minutes(*lines, footpaths={("B", "C"): 60}, transfers=["B > C type=3"]) == 50


def test_type_3_forbids_the_change_at_one_stop() -> None:
    """No change from B to B; the way over C, five minutes on foot, is another pair."""
    lines = [INTO_B, *FROM_B, "2: C 08:40  Z 08:50"]
    assert minutes(*lines, footpaths={("B", "C"): 300}, transfers=["B > B type=3"]) == 50


def test_type_3_does_not_forbid_the_first_boarding() -> None:
    """Who starts at A boards at A, whatever the rule says about changes there."""
    assert minutes("1: A 08:00  Z 08:10", transfers=["A > A type=3"]) == 10


def test_a_rule_of_a_station_holds_for_its_platforms() -> None:
    """Three minutes between platforms on foot, ten by the rule of the station: the 08:20 instead of the 08:15."""
    lines = ["1: A 08:00  P1 08:10", *[line.replace("B", "P2") for line in FROM_B]]
    options = {"footpaths": {("P1", "P2"): 180}, "stations": {"S": ["P1", "P2"]}}
    assert minutes(*lines, **options) == 25
    assert minutes(*lines, transfers=["S > S type=2 min=600"], **options) == 30
    assert minutes(*lines, transfers=["S > P2 type=2 min=900"], **options) == 35


def test_a_rule_of_a_station_holds_at_one_platform() -> None:
    """Within the station nobody changes, not even at one platform."""
    lines = ["1: A 08:00  P1 08:10", *[line.replace("B", "P1") for line in FROM_B]]
    assert minutes(*lines, transfers=["S > S type=3"], stations={"S": ["P1", "P2"]}) is None


def test_a_stop_is_more_specific_than_its_station() -> None:
    """Forbidden in the station, timed between these platforms; and the other way round."""
    lines = ["1: A 08:00  P1 08:10", *[line.replace("B", "P2") for line in FROM_B]]
    options = {"footpaths": {("P1", "P2"): 300}, "stations": {"S": ["P1", "P2"]}}
    assert minutes(*lines, transfers=["S > S type=3", "P1 > P2 type=1"], **options) == 25
    assert minutes(*lines, transfers=["P1 > P2 type=3", "S > S type=1"], **options) is None
    assert minutes(*lines, transfers=["S > S type=3", "S > P2 type=1"], **options) == 25


def test_a_rule_between_routes_acts_on_these_routes() -> None:
    """Route 1 to route 2 needs twenty minutes (08:30, 40); route 3 from B at 08:12 is not meant (Z 08:27)."""
    rule = ["B > B type=2 min=1200 from_route=1 to_route=2"]
    assert minutes(INTO_B, *FROM_B, transfers=rule) == 40
    assert minutes(INTO_B, *FROM_B, "3: B 08:12  Z 08:27", transfers=rule) == 27
    assert minutes("9: A 08:00  B 08:10", *FROM_B, "1: Q 08:00  W 08:01", transfers=rule) == 20


def test_a_rule_to_a_trip_acts_on_this_trip() -> None:
    """The 08:10 is not to be changed to; the 08:15 is (25 minutes)."""
    lines = [INTO_B, "2 trip=early: B 08:10  Z 08:20", "2 trip=late: B 08:15  Z 08:25"]
    assert minutes(*lines) == 20
    assert minutes(*lines, transfers=["B > B type=3 to_trip=early"]) == 25
    assert minutes(*lines, transfers=["B > B type=3 to_trip=late"]) == 20


def test_a_timed_trip_waits_only_for_the_one_it_meets() -> None:
    """Slack of five minutes; the 08:10 is timed with the 1 alone, so the 1 catches it (20), the 9 takes the 08:15 (25)."""
    lines = ["2 trip=early: B 08:10  Z 08:20", "2: B 08:15  Z 08:25"]
    rule = ["B > B type=1 from_trip=meets to_trip=early"]
    one, nine = "1 trip=meets: A 08:05  B 08:10", "9 trip=meets: Q 08:00  W 08:10"
    assert minutes(one, *lines, transfers=rule, slack_s=300) == 20
    assert minutes(nine, "9: A 08:05  B 08:10", *lines, transfers=rule, slack_s=300) == 25


def test_a_trip_is_more_specific_than_a_route_and_a_route_than_a_stop() -> None:
    """Forbidden at B, but ten minutes between routes 1 and 2 (30), but to the trip of 08:10 it is timed (20)."""
    lines = [INTO_B, "2 trip=early: B 08:10  Z 08:20", *FROM_B[1:]]
    forbidden, routes, trip = (
        "B > B type=3",
        "B > B type=2 min=600 from_route=1 to_route=2",
        "B > B type=1 to_trip=early",
    )
    assert minutes(*lines, transfers=[forbidden]) is None
    assert minutes(*lines, transfers=[forbidden, routes]) == 30
    assert minutes(*lines, transfers=[trip, forbidden, routes]) == 20


def test_a_route_at_a_station_is_more_specific_than_a_stop() -> None:
    """The rule between the platforms forbids; the one of the route at the station, which is more specific, allows (25)."""
    lines = ["1: A 08:00  P1 08:10", *[line.replace("B", "P2") for line in FROM_B]]
    options = {"footpaths": {("P1", "P2"): 300}, "stations": {"S": ["P1", "P2"]}}
    assert minutes(*lines, transfers=["P1 > P2 type=3", "S > S type=1 to_route=2"], **options) == 25


def test_type_0_of_a_trip_lifts_what_is_forbidden_at_the_stop() -> None:
    """Forbidden at B, recommended to the 08:15: with slack 60 s it is caught (25)."""
    lines = [INTO_B, "2: B 08:10  Z 08:20", "2 trip=T: B 08:15  Z 08:25", "2: B 08:20  Z 08:30"]
    assert minutes(*lines, transfers=["B > B type=3", "B > B type=0 to_trip=T"], slack_s=60) == 25


def test_a_rule_of_a_trip_holds_at_its_stop_only() -> None:
    """The 1 calls at B and C, from each of which a trip of the 2 leaves; forbidden is the change at B alone."""
    lines = ["1: A 08:00  B 08:10  C 08:12", "2: B 08:10  Z 08:20", "3: C 08:15  Z 08:40"]
    assert minutes(*lines) == 20
    assert minutes(*lines, transfers=["B > B type=3 from_trip=T0"]) == 40
    assert minutes(*lines, transfers=["C > C type=3 from_trip=T0"]) == 20


def test_a_rule_without_a_walk_makes_no_change() -> None:
    """Timed between B and C, but nobody can walk there: no journey."""
    assert minutes(INTO_B, *FROM_C, transfers=["B > C type=1"]) is None


def test_walks_of_no_seconds_between_stops() -> None:
    """B and C are one kerb: 0 s, without slack the 08:10 is caught; the walk is still one, so no second one follows."""
    assert minutes(INTO_B, *FROM_C, footpaths={("B", "C"): 0}) == 20
    assert minutes(INTO_B, *FROM_C, footpaths={("B", "X"): 0, ("X", "C"): 0}, stations={"S": ["X"]}) is None
