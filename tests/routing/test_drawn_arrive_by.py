"""Arrive-by on drawn timetables: the latest departure that meets a deadline."""

from __future__ import annotations

import pytest

from community_routes.base.times import MINUTE
from drawn import drawn_feed, travel_time_s

BUSES = [f"7: B 08:{minute:02d}  C 08:{minute + 3:02d}  D 08:{minute + 7:02d}" for minute in (2, 12, 22)]
WALKS = {"access": {"B": 60}, "egress": {"D": 120}}


@pytest.mark.parametrize(
    ("deadline", "leaves_before_s"),
    [
        ("08:11", 10 * MINUTE),  # the 08:02, left for at 08:01; D 08:09, there 08:11
        ("08:20", 19 * MINUTE),  # still the 08:02
        ("08:21", 10 * MINUTE),  # the 08:12
        ("08:10", None),
    ],
)
def test_latest_departure(deadline: str, leaves_before_s: int | None) -> None:
    """Leave 60 s before a bus, arrive 120 s after it is at D."""
    assert travel_time_s(drawn_feed(*BUSES), deadline, arrive_by=True, **WALKS) == leaves_before_s


def test_slack_is_at_the_boarding() -> None:
    """With 60 s of slack one leaves at 08:00 for the 08:02; the end of the journey needs none."""
    assert travel_time_s(drawn_feed(*BUSES), "08:11", arrive_by=True, slack_s=60, **WALKS) == 11 * MINUTE


def test_slack_and_minimum_time_are_at_the_change() -> None:
    """D 08:09, minimum 11 minutes: the 08:20 to Z 08:30. Of the buses to D that of 08:02 is the last in time."""
    rules = ["D > D type=2 min=660"]
    feed = drawn_feed(*BUSES, "8: D 08:18  Z 08:28", "8: D 08:20  Z 08:30", transfers=rules)
    options = {"access": {"B": 60}, "egress": {"Z": 0}, "slack_s": 60}
    assert travel_time_s(feed, "08:30", arrive_by=True, **options) == 30 * MINUTE
    assert travel_time_s(feed, "08:28", arrive_by=True, **options) is None


def test_walking_all_the_way() -> None:
    """Ten minutes on foot to meet 08:20 beat the bus of 08:02, left for at 08:01."""
    assert travel_time_s(drawn_feed(*BUSES), "08:20", arrive_by=True, direct=600, **WALKS) == 10 * MINUTE


def test_the_limit_of_time_is_met_exactly() -> None:
    """19 minutes before the deadline: a limit of 19 minutes allows it."""
    feed = drawn_feed(*BUSES)
    assert travel_time_s(feed, "08:20", arrive_by=True, max_travel_s=19 * MINUTE, **WALKS) == 19 * MINUTE
    assert travel_time_s(feed, "08:20", arrive_by=True, max_travel_s=19 * MINUTE - 1, **WALKS) is None


def test_dwell_and_types_are_mirrored() -> None:
    """At C from 08:05 to 08:08, where nobody boards: B 08:02 is the way to D, and C is reached at 08:05."""
    feed = drawn_feed("7: B 08:02  C 08:05/08:08[pickup=1]  D 08:11")
    assert travel_time_s(feed, "08:11", arrive_by=True, access={"B": 0, "C": 0}, egress={"D": 0}) == 9 * MINUTE
    assert travel_time_s(feed, "08:05", arrive_by=True, access={"B": 0}, egress={"C": 0}) == 3 * MINUTE
    assert travel_time_s(feed, "08:04", arrive_by=True, access={"B": 0}, egress={"C": 0}) is None


def test_block_is_one_ride_backwards_too() -> None:
    """A 08:00, on board through B 08:10-08:11 to Z 08:20: one ride, leaving at 08:00."""
    feed = drawn_feed("1 block=v: A 08:00  B 08:10", "2 block=v: B 08:11  Z 08:20")
    options = {"access": {"A": 0}, "egress": {"Z": 0}, "max_rides": 1}
    assert travel_time_s(feed, "08:20", arrive_by=True, **options) == 20 * MINUTE


def test_walk_between_stops_follows_a_ride_only() -> None:
    """B to C on foot comes after the first ride and before the second; it is no way into the first or out of the last."""
    lines = ["1: A 08:00  B 08:10", "2: C 08:15  Z 08:25"]
    options = {"access": {"A": 0}, "egress": {"Z": 0}, "footpaths": {("B", "C"): 240, ("X", "A"): 0, ("Z", "Y"): 0}}
    feed = drawn_feed(*lines, stops=["X", "Y"])
    assert travel_time_s(feed, "08:25", arrive_by=True, **options) == 25 * MINUTE
    assert travel_time_s(feed, "08:25", arrive_by=True, **(options | {"access": {"X": 0}})) is None
    assert travel_time_s(feed, "08:25", arrive_by=True, **(options | {"egress": {"Y": 0}})) is None


def test_a_deadline_after_midnight() -> None:
    """To be there at 00:05 one takes yesterday's 23:40 from B and leaves 23:39, 26 minutes before."""
    feed = drawn_feed("7 service=s: B 23:40  D 24:00", services={"s": ["2024-03-04"]})
    assert travel_time_s(feed, "00:05", arrive_by=True, **WALKS) == 26 * MINUTE


def test_a_chain_of_changes_within_one_second() -> None:
    """Three buses of no minutes at 08:02:00 meet the deadline of 08:02:00, with three rides and not with two."""
    feed = drawn_feed("3: C 08:02  D 08:02", "1: A 08:02  B 08:02", "2: B 08:02  C 08:02")
    options = {"access": {"A": 0}, "egress": {"D": 0}}
    assert travel_time_s(feed, "08:02", arrive_by=True, max_rides=3, **options) == 0
    assert travel_time_s(feed, "08:02", arrive_by=True, max_rides=2, **options) is None
