"""Platforms behind entrances: reached through ``pathways.txt`` alone, in its directions, and without steps when step-free.

The street runs east from O at 0 m; the platform P lies beside it at 1,000 m, its station's entrances at 400 m (E) and
1,600 m (F). At 4.8 km/h a minute is 80 m.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from community_routes.base.notices import Notice
from community_routes.network.kept import Builder, Settings
from community_routes.network.network import build_network
from community_routes.network.streets.streets import build_streets
from community_routes.network.walks.links import (
    CrowFly,
    Ground,
    Linked,
    is_symmetric,
    link_points,
    walk_line_between,
    walks_between,
)
from community_routes.network.walks.points import Points
from community_routes.network.walks.stops import build_footpaths, link_stops
from community_routes.sources.gtfs.feed import Feed
from drawn import DATE, drawn_feed
from drawn_streets import Drawn, at

STREET = build_streets(Drawn().add_way(1, [(0, 0), (4000, 0)], highway="footway").street_map())
PLACES = {"P": 1000, "P2": 1010, "E": 400, "F": 1600, "S": 1000, "R": 4000, "hall": 700}
WALK, STAIRS, ESCALATOR, LIFT, EXIT_GATE = 1, 2, 4, 5, 7
SPEED_KMH = 4.8
Way = tuple[str, str, float, float, bool, int]


def station(*ways: Way, kinds: dict[str, int] | None = None, parents: dict[str, str] | None = None) -> Feed:
    """A train from P and one from P2 to R; S with P, P2, E and F, joined by ways (from, to, m, s, both ways, mode)."""
    inside = ["P", "P2", "E", "F", "hall"]
    feed = drawn_feed(
        "1: P 08:00  R 08:10",
        "2: P2 08:00  R 08:10",
        stations={"S": inside},
        places={name: at(x, 0) for name, x in PLACES.items()},
    )
    row = {name: number for number, name in enumerate(feed.stops["stop_id"])}
    stops = feed.stops.copy()
    for name, kind in {"E": 2, "F": 2, "hall": 3, **(kinds or {})}.items():
        stops.loc[row[name], "location_type"] = kind
    for name, parent in (parents or {}).items():
        stops.loc[row[name], "parent"] = row[parent]
    columns = {
        "from_stop": np.array([row[way[0]] for way in ways], np.int32),
        "to_stop": np.array([row[way[1]] for way in ways], np.int32),
        "metres": np.array([way[2] for way in ways], np.float64),
        "traversal_s": np.array([way[3] for way in ways], np.float64),
        "both_ways": np.array([way[4] for way in ways], bool),
        "mode": np.array([way[5] for way in ways], np.int8),
    }
    return replace(feed, stops=stops, pathways=pd.DataFrame(columns))


def both(a: str, b: str, metres: float, mode: int = WALK, seconds: float = np.nan) -> Way:
    """A way that is walked both ways."""
    return a, b, metres, seconds, True, mode


def one_way(a: str, b: str, metres: float, mode: int = WALK) -> Way:
    return a, b, metres, np.nan, False, mode


def linked(feed: Feed, ground: Ground = STREET, *, step_free: bool = False) -> Linked:
    return link_stops(feed, ground, link_m=300, speed_kmh=SPEED_KMH, step_free=step_free)


def metres(
    feed: Feed, ground: Ground = STREET, *, stop: str = "P", step_free: bool = False, origins: int = 1
) -> list[int | None]:
    """Metres from O to the platform, and back; None where there is no walk."""
    stops = linked(feed, ground, step_free=step_free)
    home = link_points(ground, Points.single(np.arange(origins), *np.array([at(0, 0)] * origins).T))
    row = feed.stops["stop_id"].tolist().index(stop)
    found: list[int | None] = []
    for start, end, a, b in ((home, stops, 0, row), (stops, home, row, 0)):
        links = walks_between(ground, start, end, limit_s=7200, speed_kmh=SPEED_KMH).of(a)
        metre = links.metres[links.to == b]
        found.append(round(metre[0]) if len(metre) else None)
        line = walk_line_between(ground, start, a, end, b)
        assert found[-1] == (None if line is None else round(line[0]))
    return found


@pytest.mark.parametrize("origins", [1, 20])
@pytest.mark.parametrize(
    ("ways", "there_and_back", "step_free"),
    [
        ([both("E", "P", 100)], [500, 500], [500, 500]),
        ([both("E", "hall", 60), both("hall", "P", 40)], [500, 500], [500, 500]),
        ([both("E", "P", 500, seconds=60)], [480, 480], [480, 480]),
        ([one_way("E", "P", 100), one_way("P", "F", 100)], [500, 1700], [500, 1700]),
        ([one_way("P", "E", 100)], [None, 500], [None, 500]),
        ([both("P", "E", 100, EXIT_GATE)], [None, 500], [None, 500]),
        ([both("E", "P", 100, STAIRS), both("F", "P", 80, LIFT)], [500, 500], [1680, 1680]),
        ([one_way("E", "P", 100, ESCALATOR), both("F", "P", 80, LIFT)], [500, 1680], [1680, 1680]),
        ([both("E", "P", 100, STAIRS)], [500, 500], [None, None]),
        ([both("E", "P2", 100)], [None, None], [None, None]),
    ],
)
def test_a_platform_is_reached_through_entrances_alone(ways, there_and_back, step_free, origins):
    """400 m to E or 1,600 m to F, and the way inside; never 1,000 m straight to P. A minute in the file counts as 80 m."""
    assert metres(station(*ways), origins=origins) == there_and_back
    assert metres(station(*ways), step_free=True, origins=origins) == step_free


def test_as_the_crow_flies_the_entrance_counts_too():
    """400 m times 1.5, and 100 m inside."""
    assert metres(station(both("E", "P", 100)), CrowFly(1.5)) == [700, 700]


def test_without_entrances_or_pathways_the_platform_is_where_it_is():
    """No pathway; no entrance; and pathways that lead to no entrance."""
    for feed in (
        station(),
        station(both("E", "P", 100), kinds={"E": 3, "F": 3}),
        station(both("P", "P2", 30)),
    ):
        assert metres(feed) == [1000, 1000]


def test_pathways_to_a_boarding_area_lead_to_its_platform():
    feed = station(both("E", "hall", 100), kinds={"hall": 4}, parents={"hall": "P"})
    assert metres(feed) == [500, 500]


def test_an_entrance_that_is_said_to_be_closed_to_wheelchairs():
    feed = station(both("E", "P", 100), both("F", "P", 80))
    stops = feed.stops.assign(wheelchair_boarding=np.where(feed.stops["stop_id"] == "E", 2, 1).astype(np.int8))
    assert metres(replace(feed, stops=stops)) == [500, 500]
    assert metres(replace(feed, stops=stops), step_free=True) == [1680, 1680]


def test_a_study_for_wheelchairs_closes_the_stairs_of_stations():
    feed = station(both("E", "P", 100, STAIRS), both("F", "P", 80, LIFT))
    platform = feed.stops["stop_id"].tolist().index("P")
    for wheelchair, entrances in ((False, 2), (True, 1)):
        settings = Settings(60, 600, SPEED_KMH, 300, "zero", 0, wheelchair)
        stops = Builder(None, feed, STREET, settings).stopping().stops
        assert (stops.points.place == platform).sum() == entrances


def footpath_metres(feed: Feed, *, step_free: bool = False) -> dict[tuple[str, str], int]:
    stops = linked(feed, step_free=step_free)
    links = build_footpaths(feed, STREET, stops, limit_s=900, speed_kmh=SPEED_KMH, step_free=step_free)
    names = feed.stops["stop_id"].to_numpy()
    rows = zip(names[links.start()], names[links.to], links.metres.tolist(), strict=True)
    return {(a, b): round(m) for a, b, m in rows if a != b}


@pytest.mark.parametrize(
    ("between", "usual", "step_free"),
    [
        ([both("P", "P2", 30)], (30, 30), (30, 30)),
        ([both("P", "P2", 30, STAIRS)], (30, 30), (200, 200)),
        ([one_way("P", "P2", 30, ESCALATOR)], (30, 200), (200, 200)),
        ([], (200, 200), (200, 200)),
    ],
)
def test_platforms_behind_entrances_are_joined_inside_or_by_the_street(between, usual, step_free):
    """The way inside, or 100 m out to E and 100 m in again; never the 10 m along the street that lie between them."""
    feed = station(both("E", "P", 100), both("E", "P2", 100), *between)
    for closed, (there, back) in ((False, usual), (True, step_free)):
        found = footpath_metres(feed, step_free=closed)
        assert (found["P", "P2"], found["P2", "P"]) == (there, back)


def test_stairs_between_platforms_are_no_straight_line_when_step_free():
    """Without entrances: the street joins P and P2; where no street is near, stairs do, and step-free nothing does."""
    feed = station(both("P", "P2", 30, STAIRS), kinds={"E": 3, "F": 3})
    far = CrowFly(area=(10, 10, 11, 11))
    for wheelchair, there in ((False, True), (True, False)):
        network = build_network(feed, far, DATE, speed_kmh=SPEED_KMH, wheelchair=wheelchair)
        assert (len(network.footpaths.to) > len(feed.stops)) == there


def told(feed: Feed, *, step_free: bool) -> Sequence[Notice]:
    notices: list[Notice] = []
    link_stops(feed, STREET, link_m=300, speed_kmh=SPEED_KMH, step_free=step_free, notices=notices)
    return notices


def test_a_platform_that_no_entrance_leads_to_is_told():
    """P2 has no pathway; P only stairs, which are closed when step-free."""
    feed = station(both("E", "P", 100, STAIRS))
    assert [(n.code, n.value) for n in told(feed, step_free=False)] == [("platform_without_way", "P2")]
    assert [(n.code, n.value) for n in told(feed, step_free=True)] == [
        ("platform_without_way", "P"),
        ("platform_without_way", "P2"),
    ]
    assert told(station(both("E", "P", 100), both("E", "P2", 100)), step_free=True) == []


def test_walks_that_differ_there_and_back_are_not_taken_for_each_other():
    assert is_symmetric(STREET, linked(station(both("E", "P", 100))))
    assert not is_symmetric(STREET, linked(station(one_way("E", "P", 100))))
