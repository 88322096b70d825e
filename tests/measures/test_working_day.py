"""Shifts on drawn timetables: which bus makes which shift possible."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from community_routes.base.times import HOUR
from community_routes.measures.measure import WindowInputs, access_table
from community_routes.measures.service import StopDepartures
from community_routes.measures.shifts import Shift, ShiftAccess, search_shift, shift_tables
from community_routes.network.network import assemble_network
from community_routes.routing.query import Query, Walks
from drawn import DATE, drawn_feed, footpath_matrix, links_of, walks_to_stops

HOME, WORK = [{"Home": 60}, {"Hill": 60}], [{"Work": 120}]
EARLY, LATE, NIGHT = Shift(6 * HOUR, 14 * HOUR), Shift(14 * HOUR, 22 * HOUR), Shift(22 * HOUR, 30 * HOUR)
EVERY_DAY = "0123456 2024-01-01 2024-12-31"


def ways(*lines: str, shift: Shift) -> list[str]:
    """What is missing from each of two neighbourhoods (Home, Hill) for a workplace two minutes from the stop Work."""
    feed = drawn_feed(*lines, stops=["Home", "Hill", "Work"], services={"daily": EVERY_DAY})
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, {})), slack_s=0)
    homes, works = links_of(walks_to_stops(feed, HOME)), links_of(walks_to_stops(feed, WORK))
    nowhere = np.full((2, 1), -1)
    there = Walks(homes, works, links_of(nowhere))
    back = Walks(works, homes, links_of(nowhere.T))
    found = search_shift(network, Query(window_s=(0, 60)), there, back, shift)
    return [str(text) for text in found.missing()[:, 0]]


def test_both_ways_by_one_bus_each() -> None:
    """There 05:53, the latest that counts is 05:55; home by the 14:10. Nothing runs to the Hill."""
    lines = ["7: Home 05:20  Work 05:51", "7: Work 14:10  Home 14:40"]
    assert ways(*lines, shift=EARLY) == ["", "there and back"]


@pytest.mark.parametrize(("arrives", "missing"), [("05:53", ""), ("05:54", "there"), ("04:58", ""), ("04:57", "there")])
def test_the_interval_of_arrival_holds_to_the_minute(arrives: str, missing: str) -> None:
    """With two minutes' walk: at the stop from 04:58 to 05:53."""
    lines = [f"7: Home 04:30  Work {arrives}", "7: Work 14:10  Home 14:40"]
    assert ways(*lines, shift=EARLY)[0] == missing


def test_the_last_bus_home_leaves_too_early() -> None:
    """The 21:50 leaves before the shift ends; so does the Hill's only bus."""
    lines = ["7: Home 13:20  Work 13:45", "7: Work 21:50  Home 22:10", "8: Hill 13:20  Work 13:40"]
    assert ways(*lines, shift=LATE) == ["back", "back"]


def test_a_night_shift_ends_with_the_first_bus_of_the_next_date() -> None:
    """Home at 06:20 of the next service date, which the timetable of the day holds at 30:20."""
    lines = ["7: Home 21:10  Work 21:40", "7: Work 06:20  Home 06:50"]
    assert ways(*lines, shift=NIGHT)[0] == ""
    assert ways(lines[0], shift=NIGHT)[0] == "back"


def test_what_a_shift_says_of_neighbourhoods_and_workplaces() -> None:
    """A (60 on the network) works at both places, B (40) at the smaller, C is off the network: 1, 1/4, missing."""
    nothing = np.zeros(0, dtype=np.int32)
    inputs = WindowInputs(
        scenario="today",
        day="day",
        window="am",
        window_s=(0, 60),
        zones=pd.DataFrame(
            {"id": ["A", "B", "C"], "name": "", "population": [60.0, 40.0, 9.0], "deprivation_decile": [1.0, 2.0, 3.0]}
        ),
        origins=pd.DataFrame({"zone": [0, 1, 2], "weight": 1.0}),
        destinations=pd.DataFrame(
            {
                "key": "employment",
                "kind": "",
                "id": ["x", "p2", "p1"],
                "name": ["X", "Two", "One"],
                "amount": [9, 30, 10],
            }
        ),
        time_s=np.zeros((3, 1, 3), dtype=np.int32),
        origin_reason=["", "", "off_network"],
        access_walks=links_of(np.full((3, 1), -1)),
        departures=StopDepartures(*[nothing] * 6),  # type: ignore[arg-type]
        cutoffs_min=(45,),
    )
    there = np.array([[True, True], [True, True], [False, False]])
    back = np.array([[True, True], [False, True], [False, False]])
    figures, places = shift_tables(inputs, ShiftAccess(there, back), np.array([1, 2]), EARLY)
    zones = access_table("today", [figures])
    assert zones["value"].tolist()[:2] == [1.0, 0.25]
    assert zones["reason"].tolist() == ["", "", "off_network"]
    assert zones["window"].unique().tolist() == ["06:00-14:00"]
    assert places["id"].tolist() == ["p1", "p2"]
    assert places["share_of_residents"].tolist() == [1.0, 0.6]
    assert places["missing_back"].tolist() == [0.0, 0.4]
    assert places["residents"].tolist() == [100, 100]
