"""Walks to stops, back from them and all the way, found together: they are those of three searches."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.network.streets.streets import Streets, build_streets
from community_routes.network.walks import around, links
from community_routes.network.walks.around import walks_around
from community_routes.network.walks.links import CrowFly, Ground, Linked, link_points, walks_between
from community_routes.network.walks.points import Links, Points
from drawn_streets import at, grid_city

TO_STOP_S, ALL_THE_WAY_S = 250, 700


def places(spots: NDArray[np.float64]) -> Points:
    lon, lat = np.array([at(x, y) for x, y in spots]).T
    return Points.single(np.array([f"p{i}" for i in range(len(spots))], object), lon, lat)


def city(rng: np.random.Generator, one_way: float) -> Streets:
    """Twelve by twelve streets, of which a share may be walked one way only in their middle third."""
    drawn = grid_city(12, 12)
    for number in range(12):
        if rng.random() < one_way:
            x, y = 100.0 * rng.integers(11), 100.0 * rng.integers(11) + 50
            ends = [(x, y - 50), (x + 100, y - 50)]
            if rng.random() < 0.5:
                ends.reverse()
            drawn.add_way(1000 + number, [ends[0], (x + 50, y), ends[1]], highway="footway", oneway__foot="yes")
    return build_streets(drawn.street_map())


def three(ground: Ground, start: Linked, stops: Linked, end: Linked) -> tuple[Links, Links, Links]:
    """The walks by three searches."""
    egress = walks_between(ground, stops, end, limit_s=TO_STOP_S, speed_kmh=3.6)
    return (
        walks_between(ground, start, stops, limit_s=TO_STOP_S, speed_kmh=3.6),
        egress.reversed(end.points.n_places),
        walks_between(ground, start, end, limit_s=ALL_THE_WAY_S, speed_kmh=3.6),
    )


def assert_same(ground: Ground, start: Linked, stops: Linked, end: Linked) -> None:
    found = walks_around(ground, start, stops, end, to_stop_s=TO_STOP_S, all_the_way_s=ALL_THE_WAY_S, speed_kmh=3.6)
    for mine, other in zip(found, three(ground, start, stops, end), strict=True):
        assert mine.first.tolist() == other.first.tolist()
        assert mine.to.tolist() == other.to.tolist()
        assert mine.walk_s.tolist() == other.walk_s.tolist()
        assert mine.metres == pytest.approx(other.metres, abs=1e-9)


@pytest.mark.parametrize("one_way", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("same", [True, False])
def test_the_walks_of_three_searches(one_way: float, same: bool) -> None:
    """Random places and stops in cities with no, few and many ways that may be walked one way only."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        streets = city(rng, one_way)
        start = link_points(streets, places(rng.uniform(0, 1100, (25, 2))))
        end = start if same else link_points(streets, places(rng.uniform(0, 1100, (30, 2))))
        stops = link_points(streets, places(rng.uniform(0, 1100, (60, 2))))
        assert_same(streets, start, stops, end)


@pytest.mark.parametrize("same", [True, False])
def test_as_the_crow_flies(same: bool) -> None:
    rng, ground = np.random.default_rng(1), CrowFly()
    start = link_points(ground, places(rng.uniform(0, 2000, (25, 2))))
    end = start if same else link_points(ground, places(rng.uniform(0, 2000, (20, 2))))
    assert_same(ground, start, link_points(ground, places(rng.uniform(0, 2000, (40, 2)))), end)


@pytest.mark.parametrize("few", [True, False])
def test_few_pairs_are_all_measured_and_many_found_with_a_tree(monkeypatch: pytest.MonkeyPatch, few: bool) -> None:
    """On the equator, 1,112 m apart: 1.3 times that is 1,445.6 m, so only neighbours are within 1,500 m."""
    monkeypatch.setattr(links, "_FEW_PAIRS", 100 if few else 99)
    ground = CrowFly(1.3)
    ten = link_points(ground, Points.single(np.arange(10).astype(object), np.arange(10) * 0.01, np.zeros(10)))
    found = walks_between(ground, ten, ten, limit_s=1500, speed_kmh=3.6)
    near = [[j for j in (i - 1, i, i + 1) if 0 <= j < 10] for i in range(10)]
    assert [found.of(i).to.tolist() for i in range(10)] == near
    assert found.metres[1] == pytest.approx(1.3 * 0.01 * 111_195.08, abs=0.1)


def test_only_places_near_a_one_way_path_are_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """One path from (500, 0) to (600, 0); within 250 m of it, links to the street included, are the first two places."""
    drawn = grid_city(12, 12)
    drawn.add_way(1000, [(500, 0), (550, 50), (600, 0)], highway="footway", oneway__foot="yes")
    streets = build_streets(drawn.street_map())
    start = link_points(streets, places(np.array([(400.0, 0), (800, 0), (200, 0), (1000, 900)])))
    stops = link_points(streets, places(np.array([(510.0, 10 * i) for i in range(8)])))
    again = []

    def noted(ground: Ground, one: Linked, other: Linked, **limits: float) -> Links:
        again.append(other.points.id.tolist())
        return walks_between(ground, one, other, **limits)  # type: ignore[arg-type]

    monkeypatch.setattr(around, "walks_between", noted)
    assert_same(streets, start, stops, start)
    assert again == [["p0", "p1"]]


def test_in_the_middle_of_a_long_one_way_path() -> None:
    """A path east of 2 km, its ends out of reach: from 1,000 m one walks to the stop at 1,100 m, and nobody walks back."""
    drawn = grid_city(2, 2)
    drawn.add_way(1000, [(100, 0), (1100, -500), (2100, 0)], highway="footway", oneway__foot="yes")
    streets = build_streets(drawn.street_map())
    start = link_points(streets, places(np.array([(1060.0, -480.0)])))
    stops = link_points(streets, places(np.array([(1140.0, -480.0), (2000, 0)])))
    access, egress, _ = walks_around(
        streets, start, stops, start, to_stop_s=TO_STOP_S, all_the_way_s=ALL_THE_WAY_S, speed_kmh=3.6
    )
    assert (access.to.tolist(), egress.to.tolist()) == ([0], [])
    assert_same(streets, start, stops, start)
