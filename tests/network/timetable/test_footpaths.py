"""Walks between stops where no street joins them: platforms of a station, pathways.txt, and what transfers.txt offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from community_routes.network.network import build_network
from community_routes.network.walks.links import CrowFly
from community_routes.sources.gtfs.feed import Feed
from drawn import DATE, drawn_feed

ELSEWHERE = CrowFly(area=(10.0, 10.0, 11.0, 11.0))
"""Ground that none of the stops is on, so that no street walk exists."""

# 0.001 degrees of latitude are 111.195 m, times 1.3 144.55 m, at 4.8 km/h (4/3 m/s) 108.4, rounded up 109 seconds
PLACES = {"P1": (0.0, 50.0), "P2": (0.0, 50.001), "Q": (0.0, 50.002), "R": (0.0, 50.01)}
LINES = ["1: R 08:00  P1 08:10", "2: P2 08:15  R 08:25", "3: Q 08:30  R 08:40"]
STATION = {"S": ["P1", "P2"]}


def footpaths(feed: Feed, ground: CrowFly = ELSEWHERE, **options: float) -> dict[tuple[str, str], int]:
    """Seconds of the walks between different stops, by their ids."""
    links = build_network(feed, ground, DATE, **options).footpaths  # type: ignore[arg-type]
    names = feed.stops["stop_id"].to_numpy()
    rows = zip(names[links.start()], names[links.to], links.walk_s.tolist(), strict=True)
    return {(a, b): walk_s for a, b, walk_s in rows if a != b}


def with_pathways(feed: Feed, rows: Sequence[tuple[str, str, float, float, bool]]) -> Feed:
    """The feed with ways (from, to, metres, seconds, both ways)."""
    row = {name: number for number, name in enumerate(feed.stops["stop_id"])}
    columns = {
        "from_stop": np.array([row[r[0]] for r in rows], np.int32),
        "to_stop": np.array([row[r[1]] for r in rows], np.int32),
        "metres": np.array([r[2] for r in rows], np.float64),
        "traversal_s": np.array([r[3] for r in rows], np.float64),
        "both_ways": np.array([r[4] for r in rows], bool),
        "mode": np.ones(len(rows), np.int8),
    }
    return replace(feed, pathways=pd.DataFrame(columns))


def test_platforms_of_a_station_are_joined_by_the_straight_line() -> None:
    """111.195 m times 1.3 at 4.8 km/h: 109 seconds, both ways; Q, which is as near to P2, is of no station."""
    feed = drawn_feed(*LINES, stations=STATION, places=PLACES)
    assert footpaths(feed) == {("P1", "P2"): 109, ("P2", "P1"): 109}


def test_the_limit_between_stops_holds_in_stations_too() -> None:
    """A limit of 109 seconds is met, one of 108 is not."""
    feed = drawn_feed(*LINES, stations=STATION, places=PLACES)
    assert footpaths(feed, between_stops_s=109) == {("P1", "P2"): 109, ("P2", "P1"): 109}
    assert footpaths(feed, between_stops_s=108) == {}


def test_pathways_come_before_the_straight_line() -> None:
    """A way of 200 m one way is 150 s; the way back, which is not in the file, is the straight line's 109 s."""
    feed = with_pathways(drawn_feed(*LINES, stations=STATION, places=PLACES), [("P1", "P2", 200.0, np.nan, False)])
    assert footpaths(feed) == {("P1", "P2"): 150, ("P2", "P1"): 109}


def test_pathways_lead_over_nodes_that_are_no_stops() -> None:
    """80 m to the hall and 30 s up the stairs: 60 + 30 seconds, both ways; the longer way beside it is not taken."""
    drawn = drawn_feed(*LINES, stations={"S": ["P1", "P2", "hall"]}, places={**PLACES, "hall": (0.0, 50.0005)})
    ways = [("P1", "hall", 80.0, np.nan, True), ("P1", "hall", 300.0, np.nan, True), ("hall", "P2", np.nan, 30.0, True)]
    assert footpaths(with_pathways(drawn, ways)) == {("P1", "P2"): 90, ("P2", "P1"): 90}


def test_streets_come_before_pathways() -> None:
    """Where one can walk along the ground, a detour of 1 say, that walk counts: 111.195 m are 84 seconds."""
    feed = with_pathways(drawn_feed(*LINES, stations=STATION, places=PLACES), [("P1", "P2", 200.0, np.nan, True)])
    assert footpaths(feed, CrowFly(detour=1.0))["P1", "P2"] == 84


def test_timed_and_minimum_changes_can_be_walked() -> None:
    """Types 1 and 2 between P1 and Q: 222.39 m times 1.3 in 217 s, that way only; types 0 and 3 make no walk."""
    for kind, joined in ((0, False), (1, True), (2, True), (3, False)):
        feed = drawn_feed(*LINES, places=PLACES, transfers=[f"P1 > Q type={kind}"])
        assert footpaths(feed) == ({("P1", "Q"): 217} if joined else {})


def test_a_station_in_transfers_stands_for_its_platforms() -> None:
    """From the station to Q: from both of its platforms."""
    feed = drawn_feed(*LINES, stations=STATION, places=PLACES, transfers=["S > Q type=2 min=60"])
    assert footpaths(feed) == {("P1", "P2"): 109, ("P2", "P1"): 109, ("P1", "Q"): 217, ("P2", "Q"): 109}


def test_a_walk_beyond_the_limit_is_not_offered() -> None:
    """P1 to R is over a kilometre, 1,085 s: not within ten minutes, within twenty it is."""
    feed = drawn_feed(*LINES, places=PLACES, transfers=["P1 > R type=1"])
    assert footpaths(feed) == {}
    assert footpaths(feed, between_stops_s=1200) == {("P1", "R"): 1085}
