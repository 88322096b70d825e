"""The evaluator of the benchmark of route design: published sets, a graph by hand, and a search over a graph of vehicles."""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from community_routes.planning.search import Effort, search
from conftest import shared_data


@pytest.fixture
def sets(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark's module."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    import route_sets

    return sys.modules[route_sets.__name__]


@pytest.fixture
def design(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The benchmark's runs."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    import design

    return sys.modules[design.__name__]


def instance(
    sets: ModuleType, links: dict[tuple[int, int], float], demand: dict[tuple[int, int], float], routes: int = 2
):  # type: ignore[no-untyped-def]
    """A graph of nodes 0 to the highest, both ways."""
    n = 1 + max(map(max, links))
    link_min, table = np.full((n, n), np.inf, np.float32), np.zeros((n, n), np.float32)
    for (u, v), minutes in links.items():
        link_min[u, v] = link_min[v, u] = minutes
    for (u, v), persons in demand.items():
        table[u, v] = table[v, u] = persons
    return sets.Instance("drawn", link_min, table, routes, 2, 6)


SIX = {(0, 1): 4.0, (1, 2): 3.0, (2, 3): 6.0, (1, 4): 2.0, (4, 5): 7.0, (2, 5): 1.0}
"""0 -4- 1 -3- 2 -6- 3; 1 -2- 4 -7- 5; 2 -1- 5."""


def test_six_nodes_by_hand(sets: ModuleType) -> None:
    """Routes 0-1-2-3 and 1-4-5, demand 0 to 3: 10, 0 to 5: 20, 3 to 4: 10, each way.

    0 to 3 rides 4 + 3 + 6 = 13. 0 to 5 rides 4, changes at 1 for 5, rides 2 + 7: 18. 3 to 4: 6 + 3 + 5 + 2 = 16.
    (13 x 10 + 18 x 20 + 16 x 10) / 40 = 16.25. With 2-5 as well, 0 to 5 is 7 + 5 + 1 = 13: (130 + 260 + 160) / 40 = 13.75.
    """
    problem = sets.Routes(instance(sets, SIX, {(0, 3): 10.0, (0, 5): 20.0, (3, 4): 10.0}, 3))
    two = frozenset({(0, 1, 2, 3), (1, 4, 5)})
    assert problem.times(two) == (16.25, 0.0)
    assert problem.times(two | {(2, 5)}) == (13.75, 0.0)
    assert problem.times(two) == (16.25, 0.0)
    assert problem.cost(two) == 13 + 9 + 1.0
    assert problem.quickest == pytest.approx((13 * 10 + 8 * 20 + 11 * 10) / 40)
    assert sets.faults(problem.instance, two | {(2, 5)}) == []
    assert problem.times(frozenset({(0, 1, 2, 3)}))[1] == pytest.approx(18 / 36), (
        "4 and 5 are cut off: all but 4 x 4 and 2"
    )


def by_vehicles(link: dict[tuple[int, int], float], routes: Iterable[tuple[int, ...]], n: int) -> np.ndarray:
    """Minutes between all nodes over a graph with a vertex for each route at each node: 2.5 to board, 2.5 to alight, less 5."""
    edges: list[tuple[int, int, float]] = []
    last = n
    for route in routes:
        for at, node in enumerate(route):
            edges += [(node, last + at, 2.5), (last + at, node, 2.5)]
        for at, pair in enumerate(pairwise(route)):
            edges += [(last + at, last + at + 1, link[pair]), (last + at + 1, last + at, link[pair])]
        last += len(route)
    start, end, minutes = zip(*edges, strict=True)
    times = dijkstra(csr_array((minutes, (start, end)), shape=(last, last)), indices=range(n))[:, :n] - 5.0
    np.fill_diagonal(times, 0.0)
    return times


def test_random_sets_as_a_search_over_vehicles(sets: ModuleType) -> None:
    """Sets that grow, change in one route and change in many: each time as a shortest path over vehicles."""
    chance = random.Random(3)
    for _ in range(6):
        n = chance.randint(8, 16)
        links = {(u, chance.randrange(u)): float(chance.randint(1, 9)) for u in range(1, n)}
        for _ in range(n):
            u, v = sorted(chance.sample(range(n), 2))
            links[v, u] = float(chance.randint(1, 9))
        demand = {(u, v): float(chance.randint(0, 50)) for u in range(n) for v in range(u)}
        problem = sets.Routes(instance(sets, links, demand, 5), paths=2)
        chosen = frozenset(chance.sample(problem.pool, 5))
        for _ in range(25):
            out = chance.choice(sorted(chosen))
            chosen = chosen - {out} | {chance.choice([*problem.near(out), chance.choice(problem.pool)])}
            if chance.random() < 0.2:
                chosen = frozenset(chance.sample(problem.pool, chance.randint(1, 5)))
            times = by_vehicles(problem.link, chosen, n)
            reached = np.isfinite(times)
            mean, cut_off = problem.times(chosen)
            assert cut_off == pytest.approx(1 - reached.mean())
            weights = problem.instance.demand
            assert mean == pytest.approx((np.where(reached, times, 1000.0) * weights).sum() / weights.sum())


def test_variants_follow_the_rules(sets: ModuleType) -> None:
    """Links alone, no node twice, 2 to 6 nodes, and none is the route itself."""
    problem = sets.Routes(instance(sets, SIX, {(0, 3): 1.0}))
    for route in problem.pool:
        for other in problem.near(route):
            assert other != route and other == sets.either_way(other)
            assert not [
                fault for fault in sets.faults(problem.instance, [other, other]) if "nodes without" not in fault
            ]


def test_the_shortest_set_that_connects_six_nodes(sets: ModuleType) -> None:
    """The tree 0-1, 1-2, 2-3, 1-4, 2-5 has 4 + 3 + 6 + 2 + 1 = 16 minutes; three routes can follow it and no shorter."""
    problem = sets.Short(instance(sets, SIX, {(u, v): 1.0 for u in range(6) for v in range(u)}, 3))
    found = search(problem, 100.0, effort=Effort(starts=10, nodes=0))
    assert found.best.cost == 16.0 == -problem.bound(frozenset(), (), 0.0)
    assert sets.faults(problem.instance, found.best.chosen) == []


def test_hypervolume_by_hand(design: ModuleType) -> None:
    """(2, 5) and (4, 1) from (6, 7): 4 x 2 and 2 x 6, of which 2 x 2 is both."""
    assert design.hypervolume([(2.0, 5.0), (4.0, 1.0), (5.0, 6.0), (7.0, 0.0)], (6.0, 7.0)) == 16.0


def test_published_sets_of_mandl(sets: ModuleType) -> None:
    """Minutes and lengths as their authors gave them; every set follows the rules."""
    folder = shared_data("network_design")
    mandl = sets.read_instance(folder, "mandl1", 6, 2, 8)
    problem = sets.Routes(mandl)
    text = (folder / "literature_solutions_for_mandl1_20181025.txt").read_text("utf-8")
    for title, mean, length in (
        ("Mumford (2013) 6 best passenger", 10.273, 221),
        ("Chew and Lee (2013) 6 routes passenger", 10.210, 224),
        ("Kilic and Gok (2014) 6 Lines TS", 10.289, 216),
        ("Nikolic (2013) 6 routes", 10.234, 224),
        ("Mumford (2013) 6 best operator", 13.480, 63),
    ):
        lines = text[text.index(title) :].split("\n")[2:8]
        routes = frozenset(sets.either_way([int(node) - 1 for node in line.split("-")]) for line in lines)
        found, cut_off = problem.times(routes)
        assert (round(found, 3), cut_off, problem.cost(routes)) == (mean, 0.0, length)
        assert sets.faults(mandl, routes) == []


def test_the_figures_of_the_page_are_those_of_its_routes(sets: ModuleType, design: ModuleType) -> None:
    """Every set that the page prints follows the rules, and a search over vehicles gives the minutes and length beside it."""
    folder = shared_data("network_design")
    page = (Path(design.__file__).parent / "DESIGN.md").read_text("utf-8")
    for told in design.INSTANCES.values():
        section = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
        (text,) = [part for part in section if part.startswith(f"{told.title}\n")]
        figures = re.findall(r"\*\*([\d.]+)\*\* / \*\*(\d+)\*\*", text)
        blocks = re.findall(r"```\n(.*?)\n```", text, re.DOTALL)
        assert len(figures) == len(blocks) == 2
        drawn = sets.read_instance(folder, told.files, told.routes, told.fewest, told.most)
        link = {(int(u), int(v)): float(drawn.link_min[u, v]) for u, v in np.argwhere(np.isfinite(drawn.link_min))}
        for (minutes, length), block in zip(figures, blocks, strict=True):
            routes = [tuple(int(node) - 1 for node in line.split("-")) for line in block.split("\n")]
            assert sets.faults(drawn, routes) == []
            assert sum(link[pair] for route in routes for pair in pairwise(route)) == float(length)
            times = by_vehicles(link, routes, drawn.n)
            assert f"{(times * drawn.demand).sum() / drawn.demand.sum():.3f}" == minutes, told.title
