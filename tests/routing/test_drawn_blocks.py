"""Staying on board on drawn timetables: blocks, in-seat transfers, and what parts two trips."""

from __future__ import annotations

import datetime as dt

import pytest

from community_routes.base.notices import Notice
from community_routes.base.times import MINUTE
from community_routes.network.timetable.trips import build_timetable
from drawn import DATE, drawn_feed, travel_time_s

# the vehicle arrives at B 08:10 and goes on from there at 08:11; a slack of five minutes makes a change miss it
FIRST, SECOND, NEXT = "1 block=v: A 08:00  B 08:10", "2 block=v: B 08:11  Z 08:20", "2: B 08:31  Z 08:40"


def minutes(*lines: str, transfers: list[str] | None = None, **options: object) -> int | None:
    """Minutes from A at 07:55 to Z, with five minutes of slack."""
    stations = options.pop("stations", None)
    feed = drawn_feed(*lines, transfers=transfers or [], stations=stations)  # type: ignore[arg-type]
    walks: dict[str, object] = {"access": {"A": 0}, "egress": {"Z": 0}, "slack_s": 300}
    answer = travel_time_s(feed, "07:55", **(walks | options))  # type: ignore[arg-type]
    return None if answer is None else answer // MINUTE


def test_staying_on_board_needs_no_slack() -> None:
    """In the block one arrives 08:20 (25 minutes); without it the change waits for the 08:31 (45)."""
    assert minutes(FIRST, SECOND, NEXT) == 25
    assert minutes(FIRST.replace(" block=v", ""), SECOND, NEXT) == 45


def test_staying_on_board_is_the_same_ride() -> None:
    """Through three trips of a vehicle with one ride."""
    third = "3 block=v: Z 08:20  Y 08:30"
    assert minutes(FIRST, SECOND, third, max_rides=1) == 25
    assert minutes(FIRST, SECOND, third, max_rides=1, egress={"Y": 0}) == 35


def test_the_end_of_the_first_trip_is_alighted_at() -> None:
    """Who stays on board may as well leave at B 08:10."""
    assert minutes(FIRST, SECOND, egress={"B": 0}) == 15


def test_the_order_of_rows_is_not_the_order_of_a_block() -> None:
    """Drawn the other way round, the earlier trip still goes first."""
    assert minutes(SECOND, FIRST, NEXT) == 25


@pytest.mark.parametrize(("leaves", "answer"), [("08:10", 84), ("09:10", 84), ("09:11", None)])
def test_up_to_an_hour_between_the_trips(leaves: str, answer: int | None) -> None:
    """Z is reached at 09:19 by one ride when the second trip leaves within 60 minutes, equality included."""
    assert minutes(FIRST, f"2 block=v: B {leaves}  Z 09:19", max_rides=1) == answer


def test_trips_that_overlap_are_not_joined() -> None:
    """The second leaves B at 08:09, before the first arrives 08:10."""
    assert minutes(FIRST, "2 block=v: B 08:09  Z 08:20", max_rides=1) is None


def test_trips_that_start_elsewhere_are_not_joined() -> None:
    """The second starts at C, however near."""
    assert minutes(FIRST, "2 block=v: C 08:11  Z 08:20", footpaths={("B", "C"): 30}, max_rides=1) is None


def test_a_sibling_platform_is_the_same_place() -> None:
    """From platform B1 to B2 of one station the vehicle moves; from B1 to a stop of another station it is not believed."""
    first, second = "1 block=v: A 08:00  B1 08:10", "2 block=v: B2 08:11  Z 08:20"
    assert minutes(first, second, stations={"B": ["B1", "B2"]}, max_rides=1) == 25
    assert minutes(first, second, stations={"B": ["B1"], "C": ["B2"]}, max_rides=1) is None


def test_only_neighbours_in_a_block_are_joined() -> None:
    """A trip X to Y lies between the two: they are not joined."""
    assert minutes(FIRST, "5 block=v: X 08:10  Y 08:10:30", SECOND, max_rides=1) is None


@pytest.mark.parametrize("other", ["agency=other", "source=other", "service=weekend"])
def test_blocks_of_others_are_not_ours(other: str) -> None:
    """The same block_id at another agency, in another feed, or on another date."""
    second = SECOND.replace("block=v", f"block=v {other}")
    feed = drawn_feed(FIRST, second, services={"weekend": ["2024-03-04", "2024-03-06"]})
    assert travel_time_s(feed, "07:55", access={"A": 0}, egress={"Z": 0}, max_rides=1) is None


def test_another_service_of_the_same_date_is_joined() -> None:
    """Two services that both run on the date are one vehicle."""
    feed = drawn_feed(FIRST, SECOND.replace("block=v", "block=v service=too"), services={"too": ["2024-03-05"]})
    assert travel_time_s(feed, "07:55", access={"A": 0}, egress={"Z": 0}, max_rides=1) == 25 * MINUTE


def test_type_4_joins_two_trips() -> None:
    """No block, but an in-seat transfer: 25 minutes by one ride; between the wrong trips it does nothing."""
    lines = ["1 trip=one: A 08:00  B 08:10", "2 trip=two: B 08:11  Z 08:20", "2 trip=soon: B 08:09  Z 08:20"]
    rule = "B > B type=4 from_trip=one to_trip={}"
    assert minutes(*lines, transfers=[rule.format("two")], max_rides=1) == 25
    assert minutes(*lines, transfers=[rule.format("soon")], max_rides=1) is None
    assert minutes(*lines, max_rides=1) is None


@pytest.mark.parametrize(("leaves", "answer"), [("08:10", 200), ("11:10", 200), ("11:10:01", None), ("08:09:59", None)])
def test_type_4_waits_up_to_three_hours(leaves: str, answer: int | None) -> None:
    """In B at 08:10; Z is reached at 11:15, 200 minutes after 07:55, when the second leaves 0 to 180 minutes later."""
    lines = ["1 trip=one: A 08:00  B 08:10", f"2 trip=two: B {leaves}  Z 11:15"]
    rule = "B > B type=4 from_trip=one to_trip=two"
    assert minutes(*lines, transfers=[rule], max_rides=1, max_travel_s=4 * 3600) == answer


@pytest.mark.parametrize(("metres", "answer"), [(60, 25), (499, 25), (501, None)])
def test_type_4_reaches_500_metres(metres: int, answer: int | None) -> None:
    """The second starts north of where the first ends (6,371,008.8 m x pi / 180 = 111,195 m a degree); nobody can walk there."""
    lines = ["1 trip=one: A 08:00  B 08:10", "2 trip=two: C 08:11  Z 08:20"]
    places = {"B": (0.0, 50.0), "C": (0.0, 50.0 + metres / 111_195.08)}
    feed = drawn_feed(*lines, places=places, transfers=["B > C type=4 from_trip=one to_trip=two"])
    found = travel_time_s(feed, "07:55", access={"A": 0}, egress={"Z": 0}, slack_s=300, max_rides=1)
    assert found == (None if answer is None else answer * MINUTE)


@pytest.mark.parametrize(("served", "answer"), [("2024-03-05", 35), ("2024-03-04", None)])
def test_type_4_goes_on_with_the_next_service_date(served: str, answer: int | None) -> None:
    """Today's 23:50 is in B at 24:05 and goes on as tomorrow's 00:10 (24:10): Z at 24:20 is 35 minutes; not as today's 00:10."""
    lines = ["1 trip=one: A 23:50  B 24:05", "2 trip=two service=s: B 00:10  Z 00:20"]
    tomorrow = str(dt.date.fromisoformat(served) + dt.timedelta(days=1))
    feed = drawn_feed(*lines, services={"s": [tomorrow]}, transfers=["B > B type=4 from_trip=one to_trip=two"])
    found = travel_time_s(feed, "23:45", access={"A": 0}, egress={"Z": 0}, slack_s=300, max_rides=1)
    assert found == (None if answer is None else answer * MINUTE)


def test_what_type_4_cannot_join_is_counted() -> None:
    """Of five pairs that run, one is joined; three do not fit (early, late, far), one runs by headway; one names no trip.

    A pair that runs on no date at hand and one that type 5 parts are not counted, and a pair of a block that only type 4 joins
    (70 minutes) is none that is lost.
    """
    lines = ["1 trip=a block=v: A 08:00  B 08:10", "2 trip=b block=v: B 09:20  Z 09:30", "2 trip=early: B 08:05  Z 08:20",
             "2 trip=late: B 11:11  Z 11:20", "2 trip=far: C 08:20  Z 08:30", "2 trip=often: B 08:00  Z 08:10",
             "2 trip=never service=s: B 08:10  Z 08:20", "2 trip=parted: B 08:12  Z 08:30"]  # fmt: skip
    rules = [
        f"B > B type=4 from_trip=a to_trip={to}" for to in ("b", "early", "late", "far", "often", "never", "parted")
    ]
    feed = drawn_feed(
        *lines,
        services={"s": ["2024-07-01"]},
        frequencies=["often 08:00-09:00 every 10"],
        transfers=[*rules, "B > B type=5 from_trip=a to_trip=parted", "B > B type=4 from_trip=a"],
    )
    notices: list[Notice] = []
    assert build_timetable(feed, DATE, notices=notices).n_runs == 6 + 5
    (notice,) = notices
    assert (notice.code, notice.value) == ("in_seat_not_joined", "5")
    assert "a to early" in notice.message


def test_a_vehicle_that_parts_in_two() -> None:
    """Coupled trains: those from A are in B at 08:10 and go on to Z (08:20) and to Y (08:25), each the same ride."""
    lines = ["1 trip=one: A 08:00  B 08:10", "2 trip=two: B 08:11  Z 08:20", "3 trip=three: B 08:12  Y 08:25"]
    rules = ["B > B type=4 from_trip=one to_trip=two", "B > B type=4 from_trip=one to_trip=three"]
    assert minutes(*lines, transfers=rules, max_rides=1) == 25
    assert minutes(*lines, transfers=rules, max_rides=1, egress={"Y": 0}) == 30


def test_two_vehicles_that_become_one() -> None:
    """Trips from A and from Q are coupled in B to the one to Z."""
    lines = ["1 trip=one: A 08:00  B 08:10", "2 trip=two: Q 08:01  B 08:09", "3 trip=three: B 08:11  Z 08:20"]
    rules = ["B > B type=4 from_trip=one to_trip=three", "B > B type=4 from_trip=two to_trip=three"]
    assert minutes(*lines, transfers=rules, max_rides=1) == 25
    assert minutes(*lines, transfers=rules, max_rides=1, access={"Q": 0}) == 25


def test_type_5_parts_a_block() -> None:
    """Everybody out at B: the change with slack waits for the 08:31 (45 minutes)."""
    lines = [FIRST.replace("1 ", "1 trip=one ", 1), SECOND.replace("2 ", "2 trip=two ", 1), NEXT]
    assert minutes(*lines) == 25
    assert minutes(*lines, transfers=["B > B type=5 from_trip=one to_trip=two"]) == 45


def test_who_stays_on_board_was_on_the_second_trip() -> None:
    """Forbidden is the change from route 1 to route 3 at Z; who comes on board the second trip, of route 2, may change."""
    lines = [FIRST, SECOND, "3: Z 08:30  Y 08:40"]
    options = {"egress": {"Y": 0}}
    assert minutes(*lines, transfers=["Z > Z type=3 from_route=1 to_route=3"], **options) == 45
    assert minutes(*lines, transfers=["Z > Z type=3 from_route=2 to_route=3"], **options) is None


def test_first_call_of_the_second_trip_is_not_alighted_at() -> None:
    """At platform B1 one may not get off, and the second trip's first call, at B2, is nobody's way out."""
    first, second = "1 block=v: A 08:00  B1 08:10[drop_off=1]", "2 block=v: B2 08:11  Z 08:20"
    stations = {"B": ["B1", "B2"]}
    assert minutes(first, second, stations=stations, egress={"B1": 0, "B2": 0}) is None
    assert minutes(first, second, stations=stations, max_rides=1) == 25


def test_a_block_past_midnight_of_the_day_before() -> None:
    """Yesterday's vehicle: A 24:10 to B 24:20, B 24:21 to Z 24:30; today at 00:05 it is 25 minutes, one ride."""
    lines = ["1 block=v service=s: A 24:10  B 24:20", "2 block=v service=s: B 24:21  Z 24:30"]
    feed = drawn_feed(*lines, services={"s": ["2024-03-04"]})
    assert travel_time_s(feed, "00:05", access={"A": 0}, egress={"Z": 0}, max_rides=1) == 25 * MINUTE
