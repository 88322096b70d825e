"""The field's route design: sets of routes over a graph of links, judged by the mean travel time of all demand.

The rules are Mumford's (CEC 2013): everyone takes the quickest way over the routes, minutes in the vehicle plus 5 for each
transfer, no waiting; routes run both ways and never repeat a node; all nodes are connected. `Routes` is such an instance as a
problem for the library's search: a candidate is a route, its cost its length, a set's value minus its mean travel time.
"""

from __future__ import annotations

import csv
import heapq
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path

import numba as nb
import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import minimum_spanning_tree

TRANSFER_MIN = 5.0
UNREACHED_MIN = 1000.0
"""Minutes that count for a pair of nodes that no routes connect, so that a search prefers what connects more."""

KNOWN = 200_000
"""Routes whose arrays are remembered."""

Route = tuple[int, ...]
"""Nodes in order, of the two directions the one whose first node is the lower."""
Times = NDArray[np.float32]


def either_way(nodes: Sequence[int]) -> Route:
    """A route as it is told: both directions are one."""
    return tuple(nodes) if nodes[0] < nodes[-1] else tuple(reversed(nodes))


@dataclass(frozen=True, eq=False)
class Instance:
    """A graph, its demand and how many routes of how many nodes it is to have.

    Attributes
    ----------
    link_min : float32, shape (n, n)
        Minutes of the link; inf where there is none.
    demand : float32, shape (n, n)
        Travellers between each pair.
    """

    name: str
    link_min: Times
    demand: Times
    routes: int
    fewest: int
    most: int

    @property
    def n(self) -> int:
        return len(self.link_min)


def read_instance(folder: Path, name: str, routes: int, fewest: int, most: int) -> Instance:
    """The instance of three files, whose nodes count from 1."""

    def rows(kind: str) -> list[list[str]]:
        with (folder / f"{name}_{kind}.txt").open(encoding="utf-8") as file:
            return list(csv.reader(file))[1:]

    n = len(rows("nodes"))
    link_min = np.full((n, n), np.inf, np.float32)
    demand = np.zeros((n, n), np.float32)
    for table, kind in ((link_min, "links"), (demand, "demand")):
        for start, end, amount in rows(kind):
            table[int(start) - 1, int(end) - 1] = float(amount)
    return Instance(name, link_min, demand, routes, fewest, most)


@nb.njit(cache=True, fastmath=True, nogil=True)
def _quicker_over(times, pivots):
    """Let every pair change at each of the nodes given: with all nodes, the quickest of all ways (Floyd and Warshall)."""
    n = len(times)
    for k in pivots:
        over = times[k]
        for i in range(n):
            so_far = times[i, k] + TRANSFER_MIN
            if so_far < UNREACHED_MIN:
                row = times[i]
                for j in range(n):
                    way = so_far + over[j]
                    row[j] = way if way < row[j] else row[j]


@nb.njit(cache=True, nogil=True)
def _ride(times, nodes, minutes):
    """Let every pair of nodes on a route ride it."""
    for a in range(len(nodes)):
        for b in range(a):
            ride = minutes[a] - minutes[b]
            if ride < times[nodes[a], nodes[b]]:
                times[nodes[a], nodes[b]] = ride
                times[nodes[b], nodes[a]] = ride


@nb.njit(cache=True, nogil=True)
def _mean(times, demand):
    """Mean minutes over demand, and the share of pairs of nodes that nothing connects."""
    total, persons, cut_off = 0.0, 0.0, 0
    n = len(times)
    for i in range(n):
        for j in range(n):
            total += demand[i, j] * np.float64(times[i, j])
            persons += demand[i, j]
            cut_off += times[i, j] >= UNREACHED_MIN
    return total / persons, cut_off / (n * n)


@nb.njit(cache=True, nogil=True)
def _mean_with(times, nodes, minutes, demand, out):
    """The same with one route more.

    ``times`` knows every way over the others, so a new way changes vehicles at nodes of the new route only.
    """
    out[:] = times
    _ride(out, nodes, minutes)
    _quicker_over(out, nodes)
    return _mean(out, demand)


class Routes:
    """An instance as a problem for `community_routes.planning.search`.

    Cost is the length of a set whose routes that are still missing are the shortest there are, so that a budget leaves room
    for the number of routes that the instance asks for.
    """

    def __init__(self, instance: Instance, *, paths: int = 3, variants: int = 60, seed: int = 0) -> None:
        self.instance, self.variants, self.seed = instance, variants, seed
        finite = np.isfinite(instance.link_min)
        self.beside = [[int(v) for v in np.flatnonzero(row)] for row in finite]
        self.link = {
            (u, v): float(instance.link_min[u, v])
            for u, v in zip(*map(np.ndarray.tolist, np.nonzero(finite)), strict=True)
        }
        self.known: dict[Route, tuple[float, NDArray[np.int64], Times]] = {}
        self.everywhere = np.arange(instance.n)
        self._rest: frozenset[Route] = frozenset()
        self._rest_times = self._nothing()
        self._last: frozenset[Route] = frozenset()
        self._out = self._nothing()
        self._times_near = 0
        self.pool = self._drawn(paths)
        self.shortest = min(self.length(route) for route in self.pool)

    # What the search asks.

    def candidates(self) -> Sequence[Route]:
        """Shortest and varied paths between all pairs, those with the most demand along them first."""
        return self.pool

    def cost(self, chosen: frozenset[Route]) -> float:
        """Length of all routes, each missing one counted as the shortest."""
        return sum([self._known(route)[0] for route in chosen]) + (self.instance.routes - len(chosen)) * self.shortest

    def allowed(self, chosen: frozenset[Route]) -> bool:
        """At most so many routes."""
        return len(chosen) <= self.instance.routes

    def value(self, chosen: frozenset[Route]) -> float:
        """Minus the mean minutes, less 1,000 for the share of pairs that nothing connects."""
        mean, cut_off = self.times(chosen)
        return -mean - UNREACHED_MIN * cut_off

    def bound(self, chosen: frozenset[Route], open_: Sequence[Route], budget: float) -> float:
        """Nobody is quicker than over the links without a transfer, whatever the routes."""
        return -self.quickest

    def near(self, route: Route) -> Sequence[Route]:
        """Variants of a route: shorter, longer, shifted, with another course in the middle, or with another end."""
        self._times_near += 1
        chance = random.Random(f"{route} {self._times_near} {self.seed}")
        found: dict[Route, None] = {}
        for nodes in self._variants(route, chance):
            if self.instance.fewest <= len(nodes) <= self.instance.most and len(set(nodes)) == len(nodes):
                found[either_way(nodes)] = None
        found.pop(route, None)
        return list(found)

    # What a set of routes is worth.

    def _nothing(self) -> Times:
        times = np.full((self.instance.n, self.instance.n), UNREACHED_MIN, np.float32)
        np.fill_diagonal(times, 0.0)
        return times

    def length(self, route: Route) -> float:
        """Minutes from end to end."""
        return self._known(route)[0]

    def _known(self, route: Route) -> tuple[float, NDArray[np.int64], Times]:
        """A route's length, its nodes, and the minutes to each from the first."""
        known = self.known.get(route)
        if known is None:
            minutes = list(accumulate((self.link[pair] for pair in pairwise(route)), initial=0.0))
            if len(self.known) > KNOWN:
                self.known.clear()
            known = self.known[route] = (minutes[-1], np.array(route), np.array(minutes, np.float32))
        return known

    def all_times(self, chosen: Iterable[Route]) -> Times:
        """Minutes between all pairs of nodes over the routes, from nothing."""
        times = self._nothing()
        for route in chosen:
            _ride(times, *self._known(route)[1:])
        _quicker_over(times, self.everywhere)
        return times

    def times(self, chosen: frozenset[Route]) -> tuple[float, float]:
        """Mean minutes over demand and the share of pairs cut off.

        Sets that are asked one after the other mostly differ in one route: the times over the others are kept.
        """
        if not (len(chosen) == len(self._rest) + 1 and self._rest <= chosen):
            new = chosen - self._last
            self._last = chosen
            if len(new) != 1:
                return _mean(self.all_times(chosen), self.instance.demand)
            self._rest = chosen - new
            self._rest_times = self.all_times(self._rest)
        self._last = chosen
        (route,) = chosen - self._rest
        return _mean_with(self._rest_times, *self._known(route)[1:], self.instance.demand, self._out)

    @cached_property
    def quickest(self) -> float:
        """Mean minutes of all demand over the links, without a transfer: no set of routes is quicker."""
        times = np.array(self.instance.link_min, np.float64)
        np.fill_diagonal(times, 0.0)
        for k in self.everywhere:
            times = np.minimum(times, times[:, k : k + 1] + times[k : k + 1])
        return float((times * self.instance.demand).sum() / self.instance.demand.sum())

    # Where routes come from.

    def path(
        self, start: int, end: int, barred: Iterable[int] = (), weight: dict[tuple[int, int], float] | None = None
    ) -> list[int]:
        """The shortest path that avoids some nodes, or [] (Dijkstra; of equals the one by lower nodes)."""
        weight = weight or self.link
        done = set(barred)
        queue: list[tuple[float, list[int]]] = [(0.0, [start])]
        while queue:
            far, nodes = heapq.heappop(queue)
            here = nodes[-1]
            if here == end:
                return nodes
            if here in done:
                continue
            done.add(here)
            for other in self.beside[here]:
                if other not in done:
                    heapq.heappush(queue, (far + weight[here, other], [*nodes, other]))
        return []

    def _drawn(self, paths: int) -> list[Route]:
        """Paths between all pairs: the shortest, then with links weighted by chance; short ones lengthened, long ones cut.

        With them the shortest routes from each node.
        """
        instance, chance = self.instance, random.Random(self.seed)
        found: dict[Route, None] = {}
        for turn in range(paths):
            weight = {pair: far * (1 if turn == 0 else chance.uniform(0.6, 1.4)) for pair, far in self.link.items()}
            for start in range(instance.n):
                for end in range(start):
                    nodes = self.path(start, end, (), weight)[: instance.most]
                    while 0 < len(nodes) < instance.fewest:
                        nodes = self._longer(nodes, chance)
                    if nodes:
                        found[either_way(nodes)] = None
        for start in range(instance.n):
            found.update(dict.fromkeys(self._short(start)))
        return sorted(found, key=lambda route: (-self._along(route), route))

    def _short(self, start: int) -> list[Route]:
        """The shortest routes of the fewest nodes from a node, of those met when the 200 shortest are made longer in turn."""
        paths: list[tuple[float, list[int]]] = [(0.0, [start])]
        for _ in range(self.instance.fewest - 1):
            paths = sorted(
                (far + self.link[nodes[-1], v], [*nodes, v])
                for far, nodes in paths
                for v in self.beside[nodes[-1]]
                if v not in nodes
            )[:200]
        return [either_way(nodes) for _, nodes in paths[:2]]

    def _along(self, route: Route) -> float:
        nodes = np.array(route)
        return float(self.instance.demand[np.ix_(nodes, nodes)].sum())

    def _longer(self, nodes: list[int], chance: random.Random) -> list[int]:
        """A node more at one end; [] where neither end goes on."""
        ends = [(nodes[0], 0), (nodes[-1], 1)]
        further = [(v, last) for end, last in ends for v in self.beside[end] if v not in nodes]
        if not further:
            return []
        node, last = chance.choice(further)
        return [*nodes, node] if last else [node, *nodes]

    def _variants(self, route: Route, chance: random.Random) -> Iterable[list[int]]:
        nodes = list(route)
        on = set(route)
        for way in (nodes, nodes[::-1]):
            for cut in (1, 2, 3):
                yield way[cut:]
            for other in self.beside[way[-1]]:
                if other not in on:
                    yield [*way, other]
                    yield [*way[1:], other]
                    for more in self.beside[other]:
                        if more not in on:
                            yield [*way, other, more]
        for at, (u, v) in enumerate(pairwise(nodes)):
            for w in self.beside[u]:
                if w in on:
                    continue
                if v in self.beside[w]:
                    yield [*nodes[: at + 1], w, *nodes[at + 1 :]]
                if at + 2 < len(nodes) and nodes[at + 2] in self.beside[w]:
                    yield [*nodes[: at + 1], w, *nodes[at + 2 :]]
            if at + 2 < len(nodes) and nodes[at + 2] in self.beside[u]:
                yield [*nodes[: at + 1], *nodes[at + 2 :]]
        for _ in range(self.variants):
            way = nodes if chance.random() < 0.5 else nodes[::-1]
            if chance.random() < 0.5:
                # Another end: from somewhere on the route to any node.
                kept = way[: chance.randrange(1, len(way))]
                end = chance.randrange(self.instance.n)
                if end not in kept:
                    yield kept[:-1] + self.path(kept[-1], end, kept[:-1])
            else:
                # By another node between two of its own.
                a, b = sorted(chance.sample(range(len(way)), 2))
                kept = way[: a + 1] + way[b:]
                by = chance.randrange(self.instance.n)
                if by not in kept:
                    first = self.path(way[a], by, set(kept) - {way[a]})
                    second = self.path(by, way[b], (set(kept) | set(first)) - {by, way[b]}) if first else []
                    if second:
                        yield way[:a] + first + second[1:] + way[b + 1 :]


class Short(Routes):
    """The operator's end: the shortest set of routes that connects all nodes, of equals the quickest."""

    def value(self, chosen: frozenset[Route]) -> float:
        """Minus the length; what cuts nodes off is worse than any length."""
        mean, cut_off = self.times(chosen)
        return -self.cost(chosen) - mean / UNREACHED_MIN - 100 * UNREACHED_MIN * cut_off

    def bound(self, chosen: frozenset[Route], open_: Sequence[Route], budget: float) -> float:
        """All nodes are connected by a tree at least."""
        return -float(minimum_spanning_tree(np.nan_to_num(self.instance.link_min, posinf=0.0)).sum())


def faults(instance: Instance, chosen: Iterable[Route]) -> list[str]:
    """What is against the rules in a set of routes, told for people; nothing where it may be."""
    routes = list(chosen)
    told = []
    if len(routes) != instance.routes:
        told.append(f"{len(routes)} routes instead of {instance.routes}")
    for route in routes:
        if not instance.fewest <= len(route) <= instance.most:
            told.append(f"{len(route)} nodes on {route}")
        if len(set(route)) < len(route):
            told.append(f"a node twice on {route}")
        if not all(np.isfinite(instance.link_min[pair]) for pair in pairwise(route)):
            told.append(f"a step that is no link on {route}")
    missing = set(range(instance.n)).difference(*routes)
    if missing:
        told.append(f"nodes without a route: {sorted(missing)}")
    return told
