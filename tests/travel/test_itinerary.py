"""Journeys told leg by leg, places found by what people call them, and reasons that name the limit and the cure."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from community_routes.base.errors import UsageError
from community_routes.base.notices import Notice
from community_routes.base.times import HOUR
from community_routes.evaluation.case import Study, open_study, sample_study, study_query
from community_routes.evaluation.evaluate import evaluate_places
from community_routes.network.walks.links import link_points
from community_routes.network.walks.points import Points
from community_routes.travel.itinerary import find_spot, journey
from small_town import STUDY, town_study


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")))


def test_two_changes_of_ten_minutes(town: Study) -> None:
    """Leave P0 at 08:15: L1 08:20-08:30, L2 08:40-08:50, L3 09:00-09:10, so 55 minutes, of which 25 waiting."""
    found = journey(town, "P0", "Hall P3", depart="08:15")
    (only,) = found.journeys
    assert only.time_s == 55 * 60 and only.walk_s == 0
    assert [(ride.depart_s - 8 * HOUR, ride.wait_s) for ride in only.rides] == [(1200, 300), (2400, 600), (3600, 600)]
    told = found.text()
    assert "08:15:00 - 09:10:00   55 min, 3 rides, 0 min on foot, 25 min waiting" in told
    assert "08:40:00  bus L2 from Stand 1 (S1), after waiting 10 min" in told


def test_the_legs_as_a_table_of_data(town: Study) -> None:
    data = journey(town, "far", "hallP1", depart="08:15").to_dict()
    (walk,) = data["journeys"][0]["legs"]
    assert data["journeys"][0]["time_s"] == 2169, "2,891.1 m at 4.8 km/h are 2,168.3 s"
    assert (walk["mode"], walk["metres"]) == ("walk", 2891.1)
    assert walk["line"][0] == [20.1, 0.02] and walk["line"][-1] == [20.1, 0.0]
    data = journey(town, "P0", "hallP1", depart="08:15").to_dict()
    ride = data["journeys"][0]["legs"][1]
    assert ride["trips"] == ["L1-30000-out"] and ride["stops"] == ["S0", "S1"] and ride["route_id"] == "L1"


@pytest.mark.parametrize(
    ("origin", "destination", "when", "reason", "words"),
    [
        ("P0", "hallP4", "08:15", "over_time", ("needs 4 rides, limit 3", "max_rides: 4")),
        ("P0", "hallP6", "07:45", "over_time", ("takes 195 min, limit 120 min", "max_travel_min: 195")),
        ("P0", "hallP3", "21:45", "over_time", ("last departure 20:59", "this one is 21:45")),
        ("P0", "hallP6", "08:00", "over_time", ("last departure 07:59 without limits on rides and time",)),
        ("P0", "hallP2", "00:30", "over_time", ("first departure 04:30", "this one is 00:30")),
        ("far", "hallP2", "08:00", "no_service", ("2,891 m (Stand 1), limit 1,600 m", "walk.to_stop_min: 37")),
        ("20.05,0", "hallP2", "08:00", "no_service", ("nearest 5,560 m away in a straight line", "limit 1,600 m")),
        ("lost", "hallP2", "08:00", "off_network", ("Place lost lies 444,780 m outside", "larger extract")),
    ],
)
def test_the_first_limit_that_binds(
    town: Study, origin: str, destination: str, when: str, reason: str, words: tuple[str, ...]
) -> None:
    """Each number by hand: three rides from P0 arrive at P3; SLOW takes 180 min after 15 of waiting; the last L1 with two
    changes leaves at 21:00 (61 s earlier one must be there: 20:59); two hours before L2 arrives at 06:30 is 04:30."""
    found = journey(town, origin, destination, depart=when)
    assert not found.journeys and found.reason == reason
    for word in words:
        assert word in found.message


@pytest.mark.parametrize("when", ["21:41", "22:15", "23:59"])
def test_the_reason_late_in_the_evening(town: Study, when: str) -> None:
    """P6 is reached by SLOW alone, in three hours: the last departure of the day for it is 07:59, whatever the hour."""
    found = journey(town, "P0", "hallP6", depart=when)
    assert (found.reason, found.journeys) == ("over_time", [])
    assert found.message == (
        f"last departure 07:59 without limits on rides and time, and this one is {when}; leave by 07:59; at every time it "
        "takes more rides or longer than the limits"
    )
    assert found.to_dict()["message"] == found.message
    # At 3 in the morning the next SLOW, of 32:00, is at P6 at 35:00: in 480 minutes.
    early = journey(town, "P0", "hallP6", depart="27:00")
    assert early.message == "takes 480 min, limit 120 min (max_travel_min: 480 would allow it)"


@pytest.mark.parametrize("when", ["00:30", "05:00", "08:19"])
def test_the_reason_of_a_deadline_early_in_the_morning(town: Study, when: str) -> None:
    """SLOW is at P6 at 11:00, too long a ride at any time, and nothing is there sooner on that day or in the night before."""
    found = journey(town, "P0", "hallP6", arrive=when)
    assert found.reason == "over_time"
    assert found.message.startswith(
        f"the earliest arrival without limits on rides and time is 11:00, and the deadline {when}; at every time"
    )


def test_a_place_to_itself_takes_no_time_even_off_the_map(town: Study) -> None:
    """Whatever it is called: by its id, as the hall that stands there, by its coordinates; lost lies off the map."""
    for origin, destination in (("P1", "P1"), ("P1", "hallP1"), ("20.1,0", "S1"), ("lost", "20.3,5.0")):
        (only,) = journey(town, origin, destination, depart="08:15").journeys
        assert (only.time_s, only.rides) == (0, ())


def test_a_stop_beyond_the_edge_of_the_map_is_named(tmp_path: Path) -> None:
    """The map begins at 20.103 degrees, 333.6 m east of S1; 20.106 is 667.2 m from S1, and 10.4 km from S2 at 20.2.

    With the edge at 20.115, the place 20.116 is 1,779 m from S1, too far to walk: no larger map would help.
    """
    text = STUDY.replace("[19, -1, 22, 1]", "[20.103, -1, 22, 1]")
    found = journey(open_study(town_study(tmp_path / "near", text)), "20.106,0", "hallP3", depart="08:15")
    assert found.reason == "no_service"
    assert found.message == (
        "nearest served stop of the origin 667 m away in a straight line (Stand 1), limit 1,600 m (walk.to_stop_min), but "
        "nobody walks to it: it lies 334 m outside the streets' area (20.1030, -1.0000, 22.0000, 1.0000); a larger extract "
        "of the map, and its area in the study file, would reach it"
    )
    text = STUDY.replace("[19, -1, 22, 1]", "[20.115, -1, 22, 1]")
    found = journey(open_study(town_study(tmp_path / "far", text)), "20.116,0", "hallP3", depart="08:15")
    assert found.reason == "no_service" and "larger extract" not in found.message
    assert "nearest 1,779 m away in a straight line, Stand 1" in found.message


def test_places_without_a_stop_on_the_map_are_counted(tmp_path: Path) -> None:
    """South of 0.01 degrees there is no map: far, 1,112 m inside, is 2,224 m from S1, within a walk of 40 minutes (3,200 m)."""
    text = STUDY.replace("[19, -1, 22, 1]", "[19, 0.01, 22, 1]") + "  walk: {to_stop_min: 40}\n"
    notices: list[Notice] = []
    evaluate_places(open_study(town_study(tmp_path, text)), notices)
    (notice,) = [notice for notice in notices if notice.code == "stops_off_map"]
    assert (notice.field, notice.value) == ("neighbourhoods", "1")
    assert "1 of 9 neighbourhoods (far) have no stop within a walk on the map" in notice.message
    assert "far lies 1,112 m from the edge and 2,224 m in a straight line from S1" in notice.message


def test_a_deadline_before_the_first_bus(town: Study) -> None:
    """L1 arrives at 06:10 and L2, boarded at 06:20, at 06:30: no journey is there sooner."""
    found = journey(town, "P0", "hallP2", arrive="06:10")
    assert found.message == "the earliest arrival within the limits is 06:30, and the deadline 06:10"
    assert journey(town, "P0", "hallP2", arrive="06:30").journeys[0].arrive_s == 6 * HOUR + 1800


def test_what_the_message_promises_holds(tmp_path: Path, town: Study) -> None:
    """The limits that the messages name as sufficient are, and one less is not."""
    for rides, there in ((4, True), (3, False)):
        folder = tmp_path / f"rides{rides}"
        wider = open_study(town_study(folder, f"{STUDY}  max_rides: {rides}\n"))
        assert bool(journey(wider, "P0", "hallP4", depart="08:15").journeys) is there
    for minutes, there in ((37, True), (36, False)):
        folder = tmp_path / f"walk{minutes}"
        wider = open_study(town_study(folder, f"{STUDY}  walk: {{to_stop_min: {minutes}}}\n"))
        assert bool(journey(wider, "far", "hallP2", depart="08:00").journeys) is there
    assert journey(town, "P0", "hallP3", depart="20:59").journeys
    assert not journey(town, "P0", "hallP3", depart="21:00").journeys


def test_past_midnight(town: Study) -> None:
    """The night bus of 24:50 is found at 24:30 of its service date, and that of 23:50 from 23:30 on."""
    assert journey(town, "P0", "hallP1", depart="24:30").journeys[0].arrive_s == 25 * HOUR
    assert journey(town, "P0", "hallP1", depart="23:30").journeys[0].arrive_s == 24 * HOUR
    # Half past midnight of the date itself belongs to the night of the day before, whose bus left at 24:50 of that day.
    assert journey(town, "P0", "hallP1", depart="00:30").journeys[0].arrive_s == 1 * HOUR


def test_places_by_what_they_are_called(town: Study) -> None:
    assert find_spot(town, "place p3").name == "Place P3"
    assert find_spot(town, "HALLp3").points.lon.tolist() == [20.3]
    assert find_spot(town, "Stand 4").points.id.tolist() == ["S4"]
    assert find_spot(town, " -2.45 , 53.74 ").points.lon.tolist() == [-2.45]
    with pytest.raises(UsageError, match="did you mean 'Hall P3'"):
        find_spot(town, "Hal P3")
    with pytest.raises(UsageError, match="longitude comes first"):
        find_spot(town, "20.1,95.0")
    for hostile in ("", "   ", "[bold]", "a" * 5000, "\x00", "'; drop", "1e5,2", "nan,nan", ","):
        with pytest.raises(UsageError):
            find_spot(town, hostile)


def test_a_time_is_needed_and_only_one(town: Study) -> None:
    for times in ({}, {"depart": "08:00", "arrive": "09:00"}, {"depart": "8 o'clock"}, {"depart": "08:60"}):
        with pytest.raises(UsageError):
            journey(town, "P0", "hallP1", **times)


def test_a_place_too_far_from_any_street() -> None:
    """In the sample a point on the moor is off the network; with the metres of the message as ``link_m`` it is on it."""
    study = open_study(sample_study())
    found = journey(study, "-3.64418,53.84481", "X01000001", depart="08:15", day="weekday")
    assert found.reason == "off_network"
    said = re.search(r"is ([\d,]+) m away, limit 300 m \(walk.link_m: (\d+) would reach it\)", found.message)
    assert said is not None
    spot = Points.single(["moor"], [-3.64418], [53.84481])
    for link_m, there in ((int(said[2]), True), (int(said[2]) - 1, False)):
        assert link_points(study.ground, spot, link_m=link_m).place_linked.all() == there


def test_every_pareto_journey_is_later_with_fewer_rides() -> None:
    study = open_study(sample_study())
    zones = study.zones.table["id"].tolist()
    several = 0
    for origin, destination in zip(zones[:40], zones[-40:], strict=True):
        found = journey(study, origin, destination, depart="08:10", day="weekday")
        rides = [len(one.rides) for one in found.journeys]
        arrivals = [one.arrive_s for one in found.journeys]
        assert arrivals == sorted(set(arrivals)) and rides == sorted(set(rides), reverse=True)
        firsts = [ride for one in found.journeys for ride in one.rides[:1]]
        assert all(ride.wait_s >= study.file.travel.slack_s for ride in firsts)
        several += len(rides) > 1
    assert several >= 3
    assert study_query(study.file, (0, 1)).max_rides == 3
