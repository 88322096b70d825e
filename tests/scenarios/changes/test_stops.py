"""change_speed, reroute, add_stop and remove_stops, each worked out by hand."""

from __future__ import annotations

import pytest

from community_routes.base.errors import ScenarioError
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.changes.pace import ChangeSpeed
from community_routes.scenarios.changes.reroute import Reroute
from community_routes.scenarios.changes.stops import AddStop, RemoveStops, _with_stop
from community_routes.scenarios.edit.feed import TripCalls, edit_trips
from community_routes.scenarios.edit.work import Setting, Work
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from scenarios.hand_feed import SUNDAY, TUESDAY, WEEK, make_feed, runs_on

STOPS = [
    ("A", "Alder Street", 0, 0),
    ("B", "Birch Road", 1, 0),
    ("C", "Cedar Way", 2, 0),
    ("D", "Dale Lane", 3, 0),
    ("N", "North Hill", 1.5, 1),
    ("M", "Mid Lane", 1.5, 0),
]


def town(frequencies: list[tuple[int, str, str, int]] = ()) -> Feed:
    """The 7, out and back; 1 minute of standing at B on the way out."""
    return make_feed(
        STOPS,
        [
            ("7", "daily", 0, "A 08:00 B 08:06/08:07 C 08:13 D 08:19"),
            ("7", "daily", 1, "D 09:00 C 09:06 B 09:12 A 09:18"),
        ],
        services={"daily": "1111111"},
        frequencies=frequencies,
    )


def apply(*changes: object, feed: Feed | None = None) -> Applied:
    return apply_scenario(Scenario(scenario="plan", changes=changes), Setting(feed or town(), WEEK))


def runs(done: Applied, date: object = TUESDAY) -> list[str]:
    return runs_on(done.feed, "7", date)


def test_slower_keeps_standing_time():
    """Half the speed: 6 min become 12; the minute at B stays a minute."""
    done = apply(ChangeSpeed(route="7", factor=0.5))
    assert runs(done) == ["A 08:00 B 08:12/08:13 C 08:25 D 08:37", "D 09:00 C 09:12 B 09:24 A 09:36"]
    assert str(done.effects[0]) == "7: 2 trips x 0.5 speed, mean 18.5 -> 36.5 min"


def test_faster_between_two_stops_on_sundays_only():
    """Twice the speed between B and C: 6 min become 3, both ways; Tuesday stays."""
    done = apply(ChangeSpeed(route="7", factor=2, between=["Birch Road", "Cedar Way"], days=["sunday"]))
    assert runs(done, SUNDAY) == ["A 08:00 B 08:06/08:07 C 08:10 D 08:16", "D 09:00 C 09:06 B 09:09 A 09:15"]
    assert runs(done) == runs_on(town(), "7", TUESDAY)


def test_speed_factor_one_changes_nothing():
    with pytest.raises(ScenarioError, match="no trip of route 7 meant here changes its run times"):
        apply(ChangeSpeed(route="7", factor=1))


def test_reroute_with_given_run_times_is_mirrored():
    """From B by North Hill to C in 4 + 5 min with 15 s there (no dwell given with run times: none), 5 + 4 on the way back."""
    done = apply(Reroute(route="7", **{"from": "B"}, to="C", via=["North Hill"], run_times_min=[4, 5]))
    assert runs(done) == [
        "A 08:00 B 08:06/08:07 N 08:11 C 08:16 D 08:22",
        "D 09:00 C 09:06 N 09:11 B 09:15 A 09:21",
    ]


def test_reroute_at_the_speed_it_had():
    """B to C: 1 km in 6 min. By North Hill sqrt(0.5^2 + 1) = 1.118 km twice: 402.5 s each (402), 15 s of standing."""
    done = apply(Reroute(route="7", **{"from": "B"}, to="C", via=["N"], direction=0))
    assert runs(done)[0] == "A 08:00 B 08:06/08:07 N 08:13:42/08:13:57 C 08:20:39 D 08:26:39"
    assert runs(done)[1] == "D 09:00 C 09:06 B 09:12 A 09:18"


def test_reroute_without_stops_on_the_way_is_an_express():
    """From A to C without B: 2 km at the speed it had, 12 min driving for 2 km, so 12 min; the standing is saved."""
    done = apply(Reroute(route="7", **{"from": "A"}, to="C"))
    assert runs(done) == ["A 08:00 C 08:12 D 08:18", "D 09:00 C 09:06 A 09:18"]


def test_reroute_the_same_way_is_an_error():
    with pytest.raises(ScenarioError, match=r"goes from Alder .* another way than this"):
        apply(Reroute(route="7", **{"from": "Alder Street"}, to="C", via=["B"]))


def test_added_stop_on_the_way_costs_its_standing_time():
    """Mid Lane halves B to C: 3 min, 15 s, 3 min; on the way back too, though there it comes before B."""
    done = apply(AddStop(route="7", stop="Mid Lane", after="Birch Road"))
    assert runs(done) == [
        "A 08:00 B 08:06/08:07 M 08:10/08:10:15 C 08:13:15 D 08:19:15",
        "D 09:00 C 09:06 M 09:09/09:09:15 B 09:12:15 A 09:18:15",
    ]
    assert "2 trips call at Mid Lane as well (15 s longer)" in str(done.effects[0])


@pytest.mark.parametrize(
    ("metres", "dwell_s", "clock"),
    [((2, 1, 1), 0, "08:03"), ((1000, 400, 400), 15, "08:02:24/08:02:39"), ((2, 1, 1), 2, "08:03/08:03:02")],
)
def test_a_bus_with_time_to_spare_is_never_earlier_behind_a_new_stop(
    metres: tuple[float, float, float], dwell_s: int, clock: str
) -> None:
    """A to B takes 6:01 for so many metres; to M and from M to B it is half as far, or two fifths.

    Half is 180.5 s, driven in 180: without standing the bus would be in B after 360 s, a second early; two fifths are 144 s, and
    with 15 s of standing it would be there after 303 s. B stays 08:06:01. With 2 s of standing it is a second late.
    """
    feed = make_feed(STOPS, [("7", "wk", 0, "A 08:00 B 08:06:01 C 08:12")])
    work = Work(Setting(feed, WEEK))
    a, b, m = (work.point(stop) for stop in (0, 1, 5))
    work.road_metres = dict(zip([(a, b), (a, m), (m, b)], metres, strict=True))
    feed = edit_trips(feed, replaced={0: _with_stop(work, TripCalls.of(feed, 0), 0, 5, dwell_s)})
    later = dwell_s == 2
    b_and_c = "B 08:06:02 C 08:12:01" if later else "B 08:06:01 C 08:12"
    assert runs_on(feed, "7", TUESDAY) == [f"A 08:00 M {clock} {b_and_c}"]


def test_added_stop_in_one_direction():
    done = apply(AddStop(route="7", stop={"at": [0.0135, 0.0], "name": "New"}, after="B", direction=0, dwell_s=20))
    assert " plan:1 " in runs(done)[0]
    assert runs(done)[1] == "D 09:00 C 09:06 B 09:12 A 09:18"


def test_added_stop_that_is_served_already():
    with pytest.raises(ScenarioError, match=r"route 7 calls at C.* there already"):
        apply(AddStop(route="7", stop="C", after="Birch Road"))


def test_added_stop_after_the_terminus():
    with pytest.raises(ScenarioError, match="beyond a terminus use extend_route"):
        apply(AddStop(route="7", stop="N", after="D", direction=0))


def test_removed_stop_saves_time_from_there_on():
    """Without B and 45 s saved: C and D come 45 s earlier."""
    done = apply(RemoveStops(route="7", stops=["Birch Road"], saves_s=45, direction=0))
    assert runs(done)[0] == "A 08:00 C 08:12:15 D 08:18:15"


def test_removed_first_stop_starts_later_at_the_next():
    """Without A the trip starts at B at 08:07 (its arrival stays 08:06 in the table, and nobody is on board yet)."""
    done = apply(RemoveStops(route="7", stops=["A"], saves_s=45, direction=0))
    assert runs(done)[0] == "B 08:06/08:07 C 08:13 D 08:19"


def test_removed_stops_cannot_save_more_than_the_run():
    """A to D in 19 min; three quarters of an hour saved would arrive before leaving: a second of run time is left."""
    done = apply(RemoveStops(route="7", stops=["B", "C"], saves_s=1800, direction=0))
    assert runs(done)[0] == "A 08:00 D 08:00:01"


def test_two_stops_of_the_same_minute_stay_so():
    """Without B 45 s are saved from C on; D, which the table gives in the same minute, comes no second later than C."""
    feed = make_feed(STOPS, [("7", "wk", 0, "A 08:00 B 08:06 C 08:12 D 08:12 N 08:18")])
    done = apply(RemoveStops(route="7", stops=["B"], saves_s=45), feed=feed)
    assert runs(done) == ["A 08:00 C 08:11:15 D 08:11:15 N 08:17:15"]


def test_removing_all_but_one_stop_is_an_error():
    with pytest.raises(ScenarioError, match="fewer than two stops; use withdraw_route"):
        apply(RemoveStops(route="7", stops=["A", "B", "C"]))


def test_frequencies_start_later_with_their_trip():
    """Every 10 min from A at 08:00; without A the same buses leave B every 10 min from 08:07."""
    feed = town(frequencies=[(0, "08:00", "08:30", 600)])
    done = apply(RemoveStops(route="7", stops=["A"], direction=0), feed=feed)
    assert [text.split(" C")[0] for text in runs(done)][:3] == ["B 08:06/08:07", "B 08:16/08:17", "B 08:26/08:27"]


def test_several_faults_of_one_change():
    """Both places are misspelt, and both are said, each with its field."""
    with pytest.raises(ScenarioError) as caught:
        apply(AddStop(route="7", stop="Mid Lain", after="Birch Rode"))
    assert [notice.field for notice in caught.value.notices] == [
        "changes[1].add_stop.after",
        "changes[1].add_stop.stop",
    ]


def test_a_reroute_of_one_direction_only_is_told_of():
    """The way back calls at stops of its own (B2, C2, far from the others): one of two trips is changed, and this is said."""
    stops = [*STOPS, ("B2", "Birch Back", 1, 2), ("C2", "Cedar Back", 2, 2)]
    trips = [
        ("7", "daily", 0, "A 08:00 B 08:07 C 08:13 D 08:19"),
        ("7", "daily", 1, "D 09:00 C2 09:06 B2 09:12 A 09:18"),
    ]
    feed = make_feed(stops, trips, services={"daily": "1111111"})
    done = apply(Reroute(route="7", **{"from": "B"}, to="C", via=["North Hill"], run_times_min=[4, 5]), feed=feed)
    assert str(done.effects[0]).startswith("7: 1 of 2 trips go from")
    (notice,) = (notice for notice in done.notices if notice.code == "part_of_route")
    assert "those the other way (Dale Lane to Alder Street, 1 trips) stay as they are" in notice.message
    assert "`direction: 0` if one direction is meant" in notice.message
    one = apply(
        Reroute(route="7", **{"from": "B"}, to="C", via=["North Hill"], run_times_min=[4, 5], direction="0"), feed=feed
    )
    assert not [notice for notice in one.notices if notice.code == "part_of_route"]
