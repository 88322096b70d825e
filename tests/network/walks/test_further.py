"""Walks with stops and places that come later are those that are found with all of them at once."""

from __future__ import annotations

import numpy as np
import pytest

from community_routes.network.streets.streets import build_streets
from community_routes.network.walks.further import Around, WalkLimits, with_places, with_stops
from community_routes.network.walks.links import CrowFly, Ground, Linked, link_points, walks_between
from community_routes.network.walks.points import Links, Points
from drawn_streets import METRES_A_DEGREE, grid_city

LIMITS = WalkLimits(between_stops_s=180, to_stop_s=300, all_the_way_s=600, speed_kmh=4.8)
GRID = build_streets(grid_city(12, 12).street_map())


def linked(ground: Ground, name: str, places: np.ndarray) -> Linked:
    ids = [f"{name}{number}" for number in range(len(places))]
    return link_points(ground, Points.single(ids, places[:, 0] / METRES_A_DEGREE, places[:, 1] / METRES_A_DEGREE))


def around(ground: Ground, stops: Linked, ends: tuple[Linked, Linked]) -> Around:
    """All at once."""
    speed = LIMITS.speed_kmh
    footpaths = walks_between(ground, stops, stops, limit_s=LIMITS.between_stops_s, speed_kmh=speed)
    access = walks_between(ground, ends[0], stops, limit_s=LIMITS.to_stop_s, speed_kmh=speed)
    arriving = walks_between(ground, stops, ends[1], limit_s=LIMITS.to_stop_s, speed_kmh=speed)
    direct = walks_between(ground, *ends, limit_s=LIMITS.all_the_way_s, speed_kmh=speed)
    return Around(footpaths, access, arriving.reversed(ends[1].points.n_places), direct)


def assert_same(one: Links, other: Links) -> None:
    assert one.first.tolist() == other.first.tolist()
    assert one.to.tolist() == other.to.tolist()
    assert one.walk_s.tolist() == other.walk_s.tolist()
    np.testing.assert_allclose(one.metres, other.metres, rtol=1e-12)


@pytest.mark.parametrize("ground", [CrowFly(1.3), GRID], ids=["crow", "streets"])
def test_walks_with_new_stops_are_those_of_all_stops(ground: Ground) -> None:
    """Forty stops and three more, twenty origins and ten destinations, in a city of 1.1 km."""
    rng = np.random.default_rng(4)
    places = {name: rng.uniform(0, 1100, (n, 2)) for name, n in (("s", 43), ("o", 20), ("d", 10))}
    stops, new = linked(ground, "s", places["s"][:40]), linked(ground, "n", places["s"][40:])
    ends = linked(ground, "o", places["o"]), linked(ground, "d", places["d"])
    found = with_stops(ground, around(ground, stops, ends), stops, new, ends, LIMITS)
    whole = around(ground, linked(ground, "s", places["s"]), ends)
    assert found is not None
    for mine, theirs in zip(found, whole, strict=True):
        assert_same(mine, theirs)
    assert len(whole.footpaths.to) > len(around(ground, stops, ends).footpaths.to)


@pytest.mark.parametrize("ground", [CrowFly(1.3), GRID], ids=["crow", "streets"])
@pytest.mark.parametrize("n_new", [(0, 3), (4, 0), (4, 3)], ids=["destinations", "origins", "both"])
def test_walks_with_new_places_are_those_of_all_places(ground: Ground, n_new: tuple[int, int]) -> None:
    """Thirty stops; up to four origins more than twenty and three destinations more than ten, one of them where an origin is."""
    rng = np.random.default_rng(5)
    places = {name: rng.uniform(0, 1100, (n, 2)) for name, n in (("s", 30), ("o", 20 + n_new[0]), ("d", 10 + n_new[1]))}
    places["d"][-1] = places["o"][3]
    stops = linked(ground, "s", places["s"])
    ends = linked(ground, "o", places["o"][:20]), linked(ground, "d", places["d"][:10])
    new = linked(ground, "p", places["o"][20:]), linked(ground, "q", places["d"][10:])
    found = with_places(ground, around(ground, stops, ends), stops, ends, new, LIMITS)
    whole = around(ground, stops, (linked(ground, "o", places["o"]), linked(ground, "d", places["d"])))
    for mine, theirs in zip(found, whole, strict=True):
        assert_same(mine, theirs)
    assert len(whole.direct.to) > len(around(ground, stops, ends).direct.to)


def test_a_new_stop_on_the_spot_of_another_is_told() -> None:
    """Two platforms drawn on one spot are still two, which walks from one set to another do not know."""
    ground = CrowFly(1.3)
    spots = np.array([[0.0, 0.0], [50.0, 0.0]])
    stops, ends = linked(ground, "s", spots), (linked(ground, "o", spots), linked(ground, "d", spots))
    known = around(ground, stops, ends)
    assert with_stops(ground, known, stops, linked(ground, "n", spots[1:]), ends, LIMITS) is None
    twice = np.array([[90.0, 0.0], [90.0, 0.0]])
    assert with_stops(ground, known, stops, linked(ground, "n", twice), ends, LIMITS) is None
