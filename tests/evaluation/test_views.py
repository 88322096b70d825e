"""The sample journeys of a report: they change, and the last one home is of the same service date."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from community_routes.base.times import parse_time
from community_routes.evaluation.case import open_study
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.evaluation.views import _most_changed, sample_journeys
from community_routes.report.results import JourneyView
from community_routes.scenarios.file import Scenario
from feed_zip import feed_zip
from small_town import STUDY, town_study

SUNDAY = STUDY.replace("2024-03-05", "2024-03-03").replace("peak: 07:00-08:00", "late_morning: 10:00-11:00")
STOPS = "stop_id,stop_name,stop_lat,stop_lon\nS0,Stand 0,0.0,20.0\nS1,Stand 1,0.0,20.1\n"
WEEK = "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
OUT = ["sun 0 1 10:00", "sun 0 1 12:00", "mon 0 1 05:00"]
MORE = {"add_route": {"name": "X", "stops": ["S0", "S1"], "both_ways": False, "run_times_min": [10]}}
ADDED = {"add_route": {**MORE["add_route"], "service": {"sunday": {"departures": ["10:15"]}}}}


def sunday_journeys(
    folder: Path, buses: list[str], change: dict[str, Any], headways: str = ""
) -> tuple[JourneyView, ...]:
    """Journeys on a Sunday of buses like ``sun 0 1 10:00``: service, from, to (ten minutes later), departure."""
    trips, calls = "route_id,service_id,trip_id\n", "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    for number, bus in enumerate(buses):
        service, start, end, clock = bus.split()
        hour, minute = clock.split(":")
        later = f"{int(hour) + (int(minute) + 10) // 60:02}:{(int(minute) + 10) % 60:02}"
        trips += f"L1,{service},T{number}\n"
        calls += f"T{number},{clock}:00,{clock}:00,S{start},1\nT{number},{later}:00,{later}:00,S{end},2\n"
    study = town_study(folder, SUNDAY)
    feed_zip(
        folder / "bus.zip",
        stops=STOPS,
        routes="route_id,agency_id,route_short_name,route_type\nL1,OP1,L1,3\n",
        trips=trips,
        stop_times=calls,
        calendar=f"{WEEK}sun,0,0,0,0,0,0,1,20240101,20241231\nmon,1,0,0,0,0,0,0,20240101,20241231\n",
        frequencies=headways or None,
    )
    opened = open_study(study)
    today = evaluate(opened)
    return sample_journeys(
        today, [evaluate(opened, Scenario.model_validate({"scenario": "plan", "changes": [change]}))]
    )


def test_a_journey_is_shown_at_a_departure_that_changes(tmp_path: Path) -> None:
    """The bus of 10:15 takes the 15 departures from 10:00 to 10:14 out of 60; at most of them nothing changes.

    Without it whoever leaves after 10:00 takes the bus of 12:00, within 120 minutes from 10:10 on. Of the 15, in order of
    what they save (10 that had no journey save most), the middle one leaves at 10:02 or so.
    """
    today, plan = sunday_journeys(tmp_path, [*OUT, "sun 1 0 18:00"], ADDED)
    assert (today.zone, today.destination, today.depart_s) == ("P0", "Hall P1", plan.depart_s)
    assert parse_time("10:00") <= today.depart_s <= parse_time("10:14")
    assert [leg.route for leg in plan.legs if leg.mode == "bus"] == ["X"] and plan.legs[-1].arrive_s == parse_time(
        "10:25"
    )
    assert today.legs != plan.legs


def test_a_journey_that_gets_worse_is_shown(tmp_path: Path) -> None:
    """Without the bus of 12:00 nobody gets from P0 to P1 between 10:00 and 11:00."""
    change = {"withdraw_route": {"route": "L1", "days": ["sunday"], "from": "11:30", "to": "12:30"}}
    today, plan = sunday_journeys(tmp_path, [*OUT, "sun 1 0 18:00"], change)
    assert (today.zone, today.destination) == ("P0", "Hall P1")
    assert today.legs[-1].arrive_s == parse_time("12:10") and plan.legs == ()


@pytest.mark.parametrize(
    ("back", "headways", "last"),
    [
        (["sun 1 0 18:00", "mon 1 0 05:02"], "", "17:55"),
        (["sun 1 0 18:00", "mon 1 0 03:50"], "", "17:55"),
        (["sun 1 0 18:00", "sun 1 0 25:30", "mon 1 0 05:02"], "", "25:25"),
        (["mon 1 0 05:02"], "", None),
        # The fourth bus is the template of a headway: each 20 minutes from 16:00, the last at 17:40; on Monday from 05:00.
        (["sun 1 0 00:00", "mon 1 0 00:00"], "T3,16:00:00,18:00:00,1200\nT4,05:00:00,07:00:00,1200\n", "17:35"),
    ],
)
def test_the_last_journey_home_waits_for_no_bus_of_the_next_day(
    tmp_path: Path, back: list[str], headways: str, last: str | None
) -> None:
    """Leaving in steps of five minutes and a minute before the bus: 17:55 for the bus of 18:00, whatever runs on Monday."""
    headways = headways and f"trip_id,start_time,end_time,headway_secs\n{headways}"
    views = sunday_journeys(tmp_path, [*OUT, *back], ADDED, headways)
    assert len(views) == 2
    found = {view.last_home_s for view in views if view.legs}
    assert found == {parse_time(last) if last else None}


def test_a_journey_of_many_people_is_shown_first() -> None:
    """Person-seconds times those of the place: P0 to A saves 600 s for 100, P1 to A 300 s for 500, P0 to B 900 s for 100.

    A has 60,000 + 150,000 = 210,000 and B 90,000. So P1 to A counts 150,000 x 210,000, which is the most; P0 to A counts
    60,000 x 210,000 = 1.26e10 and P0 to B 90,000 x 90,000 = 0.81e10: of P0 the way to A is shown, though that to B saves more.
    """
    slot = ("day", "peak")
    zones = SimpleNamespace(
        origins=pd.DataFrame({"zone": [0, 1]}),
        table=pd.DataFrame({"population": [100.0, 500.0], "deprivation_rank": [float("nan")] * 2}),
    )
    before = np.full((2, 2), 3600, np.int32)
    after = np.array([[3000, 2700], [3300, 3600]], np.int32)
    today, proposal = (SimpleNamespace(zones=zones, median_s={slot: times}) for times in (before, after))
    assert _most_changed(cast(Evaluation, today), cast(Evaluation, proposal), slot, 3) == [(1, 0), (0, 0)]
