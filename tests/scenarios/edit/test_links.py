"""Through buses and held changes: new trips keep those of the trips that they replace, and what is lost is said."""

from __future__ import annotations

import pytest

from community_routes.base.notices import Notice
from community_routes.base.times import MINUTE
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.attribution import put_back
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from drawn import DATE, drawn_feed, travel_time_s

# the 7 is in B at 08:20 and 09:20; five minutes of slack miss the 8 that leaves two minutes later
LINES = [
    "7 trip=a1: A 08:00  B 08:20",
    "8 trip=b1: B 08:22  Z 08:40",
    "7 trip=a2: A 09:00  B 09:20",
    "8 trip=b2: B 09:22  Z 09:40",
]
HELD = ["B > B type=1 from_trip=a1 to_trip=b1", "B > B type=1 from_trip=a2 to_trip=b2"]
IN_SEAT = [rule.replace("type=1", "type=4") for rule in HELD]


def town(kind: str, lines: list[str] = LINES) -> Feed:
    """Each 7 and the 8 behind it are one vehicle by block or by type 4, or the 8 waits (type 1)."""
    if kind == "block":
        return drawn_feed(*(line.replace(" trip=", f" block=v{n // 2} trip=") for n, line in enumerate(lines)))
    return drawn_feed(*lines, transfers=IN_SEAT if kind == "in-seat" else HELD)


def apply(feed: Feed, **change: object) -> Applied:
    return apply_scenario(Scenario(scenario="plan", changes=[change]), Setting(feed, {"weekday": DATE}))


def lost(done: Applied) -> list[Notice]:
    return [notice for notice in done.notices if notice.code == "through_connections_lost"]


def to_z(feed: Feed, leave: str) -> int | None:
    """Minutes from A to Z with five minutes of slack."""
    found = travel_time_s(feed, leave, access={"A": 0}, egress={"Z": 0}, slack_s=300)
    return None if found is None else found // MINUTE


@pytest.mark.parametrize("kind", ["block", "in-seat", "timed"])
def test_new_trips_at_the_old_times_go_on_as_before(kind: str) -> None:
    """The 7 every half an hour: the 08:00 and the 09:00 still reach Z 40 minutes later; from the 08:30 one waits for 09:22."""
    feed = town(kind)
    done = apply(feed, set_headway={"route": "7", "weekday": {"08:00-10:00": 30}})
    assert [to_z(feed, at) for at in ("07:55", "08:55")] == [45, 45]
    assert [to_z(done.feed, at) for at in ("07:55", "08:25", "08:55")] == [45, 75, 45]
    assert not lost(done)


@pytest.mark.parametrize("kind", ["block", "in-seat"])
def test_a_through_bus_is_kept_by_the_nearest_trip_in_time_for_it(kind: str) -> None:
    """From 07:45 hourly, in B at 08:05 and 09:05: they go on as the 08:22 and the 09:22 (17 minutes later), one ride."""
    done = apply(town(kind), set_headway={"route": "7", "weekday": {"07:45-09:45": 60}})
    assert not lost(done)
    walks = {"access": {"A": 0}, "egress": {"Z": 0}, "max_rides": 1}
    assert travel_time_s(done.feed, "07:45", **walks) == 55 * MINUTE
    assert travel_time_s(done.feed, "08:45", **walks) == 55 * MINUTE


@pytest.mark.parametrize("kind", ["block", "in-seat", "timed"])
def test_what_no_new_trip_meets_is_counted(kind: str) -> None:
    """Every four hours from 08:00: the 08:00 goes on as it did, and nobody comes for the 8 that the 09:00 went on as."""
    (notice,) = lost(apply(town(kind), set_headway={"route": "7", "weekday": {"08:00-10:00": 240}}))
    assert (notice.severity, notice.value) == ("warning", "1")
    assert "a2 to b2" in notice.message


@pytest.mark.parametrize(("kind", "count"), [("block", "2"), ("in-seat", "1")])
def test_how_long_a_kept_through_bus_may_stand(kind: str, count: str) -> None:
    """One bus at 07:00, in B at 07:20: an hour and two minutes before the 08:22 is too long for a block, not for type 4."""
    (notice,) = lost(apply(town(kind), set_headway={"route": "7", "weekday": {"07:00-10:00": 240}}))
    assert notice.value == count


@pytest.mark.parametrize("kind", ["block", "in-seat", "timed"])
@pytest.mark.parametrize(
    "change",
    [
        {"change_speed": {"route": "7", "factor": 0.5}},
        {"extend_route": {"route": "7", "after": "B", "stops": ["C"], "run_times_min": [10]}},
    ],
)
def test_a_change_that_parts_trips_says_so(kind: str, change: dict[str, object]) -> None:
    """Twice as slow, the 7 is in B 18 minutes after its 8 has left; extended to C, it goes there (a held change at B stays)."""
    stays = kind == "timed" and "extend_route" in change
    feed = town(kind, [*LINES, "9: C 12:00  A 12:30"])
    assert [notice.value for notice in lost(apply(feed, **change))] == ([] if stays else ["2"])
    assert not lost(apply(feed, change_speed={"route": "7", "factor": 1.1}))


def test_a_route_that_turns_into_itself_keeps_its_turns() -> None:
    """Out 08:00 and back 08:20 in one vehicle; more buses each way, and the new 08:00 is the new 08:20 back."""
    lines = ["7 block=v trip=out: A 08:00  B 08:20", "7 block=v trip=back: B 08:20  C 08:30  A 08:40",
             "7 block=w trip=out2: A 09:00  B 09:20", "7 block=w trip=back2: B 09:20  C 09:30  A 09:40"]  # fmt: skip
    done = apply(
        drawn_feed(*lines),
        set_headway={"route": "7", "weekday": {"08:00-08:20": 20, "08:20-09:00": 40, "09:00-10:00": 20}},
    )
    walks = {"access": {"A": 0}, "egress": {"C": 0}, "max_rides": 1}
    assert travel_time_s(done.feed, "08:00", **walks) == 30 * MINUTE


def test_one_sided_rules_hold_for_new_trips() -> None:
    """Whoever comes on the 08:00 may change at B to any 8 without slack, and so may whoever comes on the new 08:00."""
    feed = drawn_feed(*LINES, transfers=["B > B type=1 from_trip=a1 to_route=8"])
    done = apply(feed, set_headway={"route": "7", "weekday": {"08:00-10:00": 30}})
    assert to_z(done.feed, "07:55") == 45


def test_withdrawing_a_trip_loses_it_and_nothing_else() -> None:
    """Nobody is told that the withdrawn bus does not go on."""
    assert not lost(apply(town("block"), withdraw_route={"route": "7", "from": "08:00", "to": "08:30"}))


@pytest.mark.parametrize("kind", ["block", "in-seat", "timed"])
def test_a_route_that_is_put_back_goes_on_as_it_did(kind: str) -> None:
    """The 7 was moved to 08:05 and 09:05 later; put back, its 08:00 reaches Z with the 8 that stayed, 45 minutes after 07:55."""
    before = town(kind)
    after = drawn_feed(
        *(line if line[0] == "8" else line.replace(":00 ", ":05 ").replace(":20", ":25") for line in LINES)
    )
    assert to_z(after, "07:55") == 105
    assert to_z(put_back(after, before, ["7"], {"weekday": DATE}), "07:55") == 45


def test_a_bus_that_parts_in_two_does_so_still() -> None:
    """Coupled trains from A part in B, to Z and to Y; so do those of the new 08:00, and no other."""
    lines = [*LINES[:2], "9 trip=c1: B 08:23  Y 08:35"]
    feed = drawn_feed(*lines, transfers=[IN_SEAT[0], "B > B type=4 from_trip=a1 to_trip=c1"])
    done = apply(feed, set_headway={"route": "7", "weekday": {"07:40-08:20": 20}})
    assert not lost(done)
    for stop, time_s in (("Z", 40 * MINUTE), ("Y", 35 * MINUTE)):
        assert travel_time_s(done.feed, "08:00", access={"A": 0}, egress={stop: 0}, max_rides=1) == time_s
