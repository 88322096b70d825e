"""Operating cost of three proposals worked by hand, and the counting of buses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.cost import Cost, OperatingCost, most_at_once, operating_cost, trip_metres
from community_routes.scenarios.edit.days import day_set
from community_routes.scenarios.edit.made import DrtZone
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed, Shapes
from scenarios.hand_feed import KM_LAT, WEEK, make_feed

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 10, 0), ("C", "Cedar Way", 0, 5)]
RATES = Cost(
    per_bus_hour=40, per_km=1, per_peak_vehicle_year=10_000, days={"weekday": 250, "saturday": 50, "sunday": 60}
)


def town() -> Feed:
    """The 7 runs A to B in 25 min at 08:00 and 09:00 and back in 25 min at 08:30 and 09:30, on weekdays."""
    trips = [("7", "wk", 0, f"A {hour:02}:00 B {hour:02}:25") for hour in (8, 9)]
    trips += [("7", "wk", 1, f"B {hour:02}:30 A {hour:02}:55") for hour in (8, 9)]
    return make_feed(STOPS, trips)


def cost_of(*changes: object) -> OperatingCost:
    feed = town()
    done: Applied = apply_scenario(Scenario(scenario="plan", changes=changes), Setting(feed, WEEK))
    return operating_cost(feed, done.feed, [*done.changed_routes, *done.new_routes], WEEK, RATES)


def test_doubled_frequency():
    """08:00-10:00 every 30 min each way, 4 + 4 trips of 25 min instead of 2 + 2.

    Cycle: 25 + 25 = 50 min, layover max(5, 5) = 5, half after each trip: 27.5 min a trip.
    Today 4 x 27.5 = 110 min; proposal 8 x 27.5 = 220 min; a year 250 x 110 / 60 = 458.33 bus-hours more.
    A trip is 10 km x 1.3 = 13 km: 4 more x 13 x 250 = 13,000 km.
    In use: today one bus (08:00-08:27:30, 08:30-08:57:30, ...); proposal two (both ends leave at :00 and :30).
    Cost 458.33 x 40 + 13,000 + 10,000 = 41,333.
    """
    found = cost_of({"set_headway": {"route": "7", "weekday": {"08:00-10:00": 30}}})
    day = found.by_day.set_index("day").loc["weekday"]
    assert (day["cycle_min_today"], day["cycle_min_proposal"]) == (55, 55)
    assert (day["buses_today"], day["buses_proposal"]) == (1, 2)
    assert found.year["change"].to_dict() == pytest.approx(
        {"bus_hours": 458.3333, "km": 13_000, "peak_vehicles": 1, "cost": 41_333.33}, rel=1e-6
    )
    assert found.bus_hours == pytest.approx(458.3333)


@pytest.mark.parametrize(("end_km", "metres"), [(4, 10_000), (10, 10_000), (12, 12_000)])
def test_a_course_that_ends_early_makes_no_trip_shorter(end_km: float, metres: float) -> None:
    """A to B is 10 km; the course is drawn for 4 of them, all of them, or on to a turning place 2 km behind B."""
    shape = Shapes(
        np.array(["s"], object), np.array([0, 2]), np.array([0, end_km * KM_LAT]), np.zeros(2), np.full(2, np.nan)
    )
    feed = make_feed(STOPS, [("7", "wk", 0, "A 08:00 B 08:25")])
    feed = replace(feed, shapes=shape, trips=feed.trips.assign(shape=np.zeros(1, np.int32)))
    assert trip_metres(feed, np.array([0])) == pytest.approx([metres], rel=1e-4)


def test_new_sunday_route_one_way():
    """A to C, 5 km x 1.3 = 6.5 km at 13 km/h: 30 min; hourly 10:00-14:00 on Sundays, one way: 4 trips.

    Layover max(3, 5) = 5 min after each trip: 4 x 35 = 140 min a Sunday, x 60 / 60 = 140 bus-hours a year;
    4 x 6.5 x 60 = 1,560 km; one bus. Cost 140 x 40 + 1,560 + 10,000 = 17,160.
    """
    route = {
        "name": "S",
        "stops": ["A", "C"],
        "speed_kmh": 13,
        "both_ways": False,
        "service": {"sunday": {"10:00-14:00": 60}},
    }
    found = cost_of({"add_route": route})
    assert found.year["change"].to_dict() == pytest.approx(
        {"bus_hours": 140, "km": 1_560, "peak_vehicles": 1, "cost": 17_160}, rel=1e-3
    )
    assert found.year.loc["bus_hours", "today"] == 0


def test_withdrawn_trips_are_savings():
    """Without the 09:00 and 09:30: 2 x 27.5 min x 250 / 60 = 229.17 bus-hours and 2 x 13 x 250 = 6,500 km less; the bus stays.

    Saved: 229.17 x 40 + 6,500 = 15,667.
    """
    found = cost_of({"withdraw_route": {"route": "7", "from": "09:00"}})
    assert found.year["change"].to_dict() == pytest.approx(
        {"bus_hours": -229.1667, "km": -6_500, "peak_vehicles": 0, "cost": -15_666.67}, rel=1e-6
    )
    assert found.words() == [
        "saves 229 bus-hours a year",
        "saves 6,500 bus-kilometres a year",
        "no more peak vehicles",
        "saves 15,667 of cost a year",
    ]


def test_adding_up_in_another_order_is_no_change():
    """The same three trips in the opposite order: a sum of kilometres may differ in its last digit, and nothing has changed.

    A stop that is moved by a metre is a change: 1.3 m x 250 weekdays.
    """
    seen = set()
    for east in np.linspace(1, 9, 41):
        stops = [*STOPS, ("D", "Dale Lane", float(east), 0)]
        trips = [
            ("7", "wk", 0, "A 08:00 B 08:25"),
            ("7", "wk", 0, "A 09:00 D 09:10"),
            ("7", "wk", 0, "A 10:00 C 10:20"),
        ]
        found = operating_cost(make_feed(stops, trips), make_feed(stops, trips[::-1]), ["7"], WEEK, RATES)
        seen.add(found.year.loc["km", "proposal"] == found.year.loc["km", "today"])
        assert found.year["change"].to_dict() == {"bus_hours": 0, "km": 0, "peak_vehicles": 0, "cost": 0}
    assert seen == {True, False}
    moved = make_feed([*STOPS, ("D", "Dale Lane", float(east) + 0.001, 0)], trips)
    found = operating_cost(make_feed(stops, trips), moved, ["7"], WEEK, RATES)
    assert found.year.loc["km", "change"] == pytest.approx(0.325, rel=1e-3)


def test_dead_running_only_where_given():
    """A tenth more of hours and kilometres: 4 more trips a day are 110 min x 1.1."""
    feed = town()
    plan = Scenario(scenario="plan", changes=[{"set_headway": {"route": "7", "weekday": {"08:00-10:00": 30}}}])
    after = apply_scenario(plan, Setting(feed, WEEK)).feed
    found = operating_cost(feed, after, ["7"], WEEK, RATES.model_copy(update={"dead_share": 0.1}))
    assert found.year.loc["bus_hours", "change"] == pytest.approx(458.3333 * 1.1, rel=1e-5)
    assert any("dead running: 10 %" in line for line in found.assumptions)


def test_without_rates_there_is_no_cost_and_assumptions_are_said():
    feed = town()
    found = operating_cost(feed, feed, ["7"], WEEK)
    assert math.isnan(found.year.loc["cost", "change"])
    text = "\n".join(found.assumptions)
    for said in (
        "layover: the larger of 10 %",
        "5 minutes",
        "dead running: none",
        "peak vehicles",
        "no rates",
        "253 days",
    ):
        assert said in text


def zone(vehicles: int | None, km: float | None = None) -> DrtZone:
    """Buses on demand 07:00-19:00 on weekdays."""
    days = day_set("weekday", WEEK)
    window = (7 * 3600, 19 * 3600)
    return DrtZone("Dial", window, "plan:Dial", days, vehicles, 25.0 if km is None else km, km is None)


def test_vehicles_on_demand_are_paid_for_all_their_hours():
    """3 vehicles x 12 hours x 250 weekdays = 9,000 bus-hours; each drives 20 km an hour: 180,000 km; 3 vehicles.

    Cost 9,000 x 40 + 180,000 x 1 + 3 x 10,000 = 570,000. Nothing on Saturdays and Sundays.
    """
    feed = town()
    found = operating_cost(feed, feed, [], WEEK, RATES, drt=[zone(3, 20)])
    assert found.year["change"].to_dict() == {"bus_hours": 9_000, "km": 180_000, "peak_vehicles": 3, "cost": 570_000}
    assert found.by_day.set_index("day")["bus_hours_proposal"].to_dict() == {"weekday": 36, "saturday": 0, "sunday": 0}
    assert any("Dial: 3 vehicles for all of 07:00-19:00 (weekday)" in line for line in found.assumptions)


def test_kilometres_on_demand_are_driven_without_a_break_where_nothing_is_said():
    """One vehicle, 25 km/h x 12 hours x 250 days = 75,000 km; beside one bus of route 7 it is a second vehicle."""
    feed = town()
    found = operating_cost(feed, feed, ["7"], WEEK, RATES, drt=[zone(1)])
    assert found.year.loc["km", "change"] == 75_000
    assert found.year.loc["peak_vehicles"].to_dict() == {"today": 1, "proposal": 2, "change": 1}
    assert any("driving 25 km an hour, its speed without a break" in line for line in found.assumptions)


def test_without_vehicles_the_cost_is_missing_with_a_reason_and_never_0():
    """Also where another route's part could be told: half an answer would look like a whole one."""
    feed = town()
    found = operating_cost(feed, feed, ["7"], WEEK, RATES, drt=[zone(None)])
    assert found.year["change"].isna().all() and found.year["proposal"].isna().all()
    assert found.year.loc["bus_hours", "today"] == pytest.approx(250 * 110 / 60 * 1)
    assert math.isnan(found.bus_hours)
    assert found.by_period["buses_proposal"].isna().all()
    assert found.missing.startswith(
        "what Dial takes and costs is not known: add_drt says no vehicles; write vehicles: N"
    )
    assert found.words() == [found.missing]


def test_buses_by_period():
    """Two buses from 08:00 to 10:00 fall into the morning peak until 09:30 and into the daytime after it."""
    periods = cost_of({"set_headway": {"route": "7", "weekday": {"08:00-10:00": 30}}}).by_period
    weekday = periods[periods["day"] == "weekday"].set_index("period")["buses_proposal"]
    assert weekday.to_dict() == {
        "early": 0,
        "morning peak": 2,
        "daytime": 2,
        "afternoon peak": 0,
        "evening": 0,
        "night": 0,
    }


def test_most_at_once():
    """Free at 10 and needed at 10 is one bus; 0-10, 5-15, 9-11 overlap three times at 9."""
    assert most_at_once(np.array([0.0, 10.0]), np.array([10.0, 20.0])) == 1
    assert most_at_once(np.array([0.0, 5.0, 9.0]), np.array([10.0, 15.0, 11.0])) == 3
    assert most_at_once(np.array([0.0, 5.0, 9.0]), np.array([10.0, 15.0, 11.0]), (12, 20)) == 1
    assert most_at_once(np.zeros(0), np.zeros(0)) == 0
