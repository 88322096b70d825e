"""Ways of paying as a machine of states, classes of rides, and what a budget allows: the tables that both searches read."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from community_routes.network.network import Network
from community_routes.network.timetable.trips import Timetable

NO_PRICE_CENTS: Final = 2**30
FOREVER: Final = 2**30
KEEPS: Final = -1
"""As the duration of a way: the fare in hand goes on, and must still be valid."""
NOTHING: Final = 0
"""The number of the state in which a journey begins."""
_MOST_PAIRS_OF_WAYS: Final = 1_000_000
_MOST_SUMS: Final = 1_000_000


@dataclass(frozen=True)
class Way:
    """One way to pay for a ride.

    Attributes
    ----------
    held : Hashable
        What is held afterwards.
    cents : int
        What is paid now.
    lasts_s : int
        Seconds from this boarding during which a fare bought now is valid; ``FOREVER`` for no end, ``KEEPS`` where the fare
        in hand goes on and must still be valid.
    """

    held: Hashable
    cents: int
    lasts_s: int = FOREVER


class Payer(Protocol):
    """How rides of classes are paid for. A state is whatever is hashable; the journey begins in ``start``, with nothing held.

    Whoever holds something, and may end, can pay for any rides to come at no more than who holds nothing; a fare whose time
    is over is as nothing held.
    """

    @property
    def start(self) -> Hashable: ...
    def ways(self, held: Hashable, kind: Hashable) -> Iterable[Way]: ...
    def may_end(self, held: Hashable) -> bool: ...


class RideKinds(Protocol):
    """The class of each ride, as far as its price goes.

    Attributes
    ----------
    turns_s : tuple of int
        Seconds of the service date, rising, at which classes change.
    by_clock : bool
        Whether some fare may end some time after it is bought.
    """

    @property
    def turns_s(self) -> tuple[int, ...]: ...
    @property
    def by_clock(self) -> bool: ...

    def of_route(self, route: int, board_s: int) -> Hashable | None:
        """The class of every ride on a route (a row of the feed's routes) that is boarded then; None where ends matter."""

    def of_rides(self, rides: NDArray[np.int64], timetable: Timetable) -> tuple[NDArray[np.int64], list[Hashable]]:
        """The class of each ride, from boarding one hop of the timetable to alighting after another: shape (n, 2).

        Each as its place in the list of classes that comes second.
        """


class Fares(Payer, RideKinds, Protocol):
    """Prices that can be searched: classes of rides, and how they are paid for."""


class TooManyStatesError(ValueError):
    """The fares need more states than a search can hold."""


class FareWays(NamedTuple):
    """A machine of states.

    Attributes
    ----------
    n_classes : int
    first : int64, shape (n_states * n_classes + 1,)
        Ways from a state ``s`` by a ride of class ``c``: from ``first[s * n_classes + c]`` to the next.
    state, cents, lasts_s : int32, shape (n_ways,)
        As of ``Way``.
    paid : bool, shape (n_states,)
        Whether a journey may end in the state.
    """

    n_classes: int
    first: NDArray[np.int64]
    state: NDArray[np.int32]
    cents: NDArray[np.int32]
    lasts_s: NDArray[np.int32]
    paid: NDArray[np.bool_]

    @property
    def by_clock(self) -> bool:
        """Whether a fare ends some time after it is bought."""
        return bool((self.lasts_s != FOREVER).any())


def build_ways(
    payer: Payer,
    kinds: Sequence[Hashable],
    *,
    max_rides: int,
    most_cents: int = NO_PRICE_CENTS - 1,
    most_states: int = 4000,
) -> FareWays:
    """Every state that so many rides can lead to, and the ways between them that cost no more than ``most_cents``.

    Raises
    ------
    TooManyStatesError
        There are more than ``most_states``.
    """
    states, rides = [payer.start], [0]
    number: dict[Hashable, int] = {payer.start: 0}
    ways: list[list[Way]] = []  # of each state and class, state by state
    here = 0
    while here < len(states):
        for kind in kinds:
            may = payer.ways(states[here], kind) if rides[here] < max_rides else ()
            found = [way for way in may if way.cents <= most_cents]
            ways.append(found)
            for way in found:
                if way.held not in number:
                    number[way.held] = len(states)
                    states.append(way.held)
                    rides.append(rides[here] + 1)
        if len(states) > most_states:
            raise TooManyStatesError(f"the fares have more than {most_states:,} states for {max_rides} rides")
        here += 1
    flat = [way for found in ways for way in found]
    built = FareWays(
        n_classes=len(kinds),
        first=np.concatenate([[0], np.cumsum([len(found) for found in ways])]).astype(np.int64),
        state=np.asarray([number[way.held] for way in flat], dtype=np.int32),
        cents=np.asarray([way.cents for way in flat], dtype=np.int32),
        lasts_s=np.asarray([way.lasts_s for way in flat], dtype=np.int32),
        paid=np.asarray([payer.may_end(held) for held in states], dtype=np.bool_),
    )
    return built if built.by_clock else _only_needed(built)


def _only_needed(ways: FareWays) -> FareWays:
    """Without the ways beside which another one costs no more and leads to a state that is no worse.

    A state is no worse than another where every way of the other has one by the same class, for no more, to a state that is no
    worse: the largest such relation (a simulation) is what remains when pairs that fail are struck out again and again.
    """
    n_states, n_ways = len(ways.paid), len(ways.state)
    start = np.repeat(np.arange(len(ways.first) - 1), np.diff(ways.first))
    held, kind = np.divmod(start, max(ways.n_classes, 1))
    order = np.lexsort((ways.cents, kind))  # by class: each way with those of its class that cost no more
    size = np.bincount(kind, minlength=1)
    if int((size * size).sum()) > _MOST_PAIRS_OF_WAYS or n_states * n_ways > _MOST_PAIRS_OF_WAYS:
        return ways
    of_class = np.repeat(size, size)
    one = np.repeat(order, of_class)
    within = np.arange(len(one)) - np.repeat(np.cumsum(of_class) - of_class, of_class)
    other = order[np.repeat(np.repeat(np.cumsum(size) - size, size), of_class) + within]
    cheap = ways.cents[other] <= ways.cents[one]
    one, other = one[cheap], other[cheap]
    no_worse = ways.paid[:, None] >= ways.paid[None, :]  # the first than the second
    while True:
        has = np.zeros((n_states, n_ways), np.bool_)
        fits = no_worse[ways.state[other], ways.state[one]]
        has[held[other[fits]], one[fits]] = True
        lacks = np.zeros((n_states, n_states), np.bool_)
        by_state, way = np.nonzero(~has)
        lacks[by_state, held[way]] = True
        if not (no_worse & lacks).any():
            break
        no_worse &= ~lacks
    same = (ways.cents[other] == ways.cents[one]) & no_worse[ways.state[one], ways.state[other]]
    drops = fits & (held[other] == held[one]) & (~same | (other < one))
    kept = np.ones(n_ways, np.bool_)
    kept[one[drops]] = False
    first = np.concatenate([[0], np.cumsum(kept)])[ways.first].astype(np.int64)
    return ways._replace(first=first, state=ways.state[kept], cents=ways.cents[kept], lasts_s=ways.lasts_s[kept])


# --- classes of rides -------------------------------------------------------------------------------------------------


class RunClasses(NamedTuple):
    """The class of every run of a search, or of each boarding and alighting of a run where the ends matter.

    Attributes
    ----------
    run_class : int32, shape (n_runs,)
        -1 where the ends matter, and for a run that was not asked about.
    pair_first : int64, shape (n_runs,)
        Where the pairs of a run begin whose ends matter, -1 for others.
    pair_class : int32
        Of a run of n hops, boarding hop i and alighting after hop j: ``pair_class[pair_first + i * n + j]``.
    """

    run_class: NDArray[np.int32]
    pair_first: NDArray[np.int64]
    pair_class: NDArray[np.int32]


class Rides:
    """The rides on some runs, by class: first those of whole runs, then those that hang on both ends.

    A run has one class when all its boardings have the same; else each boarding and alighting has its own (a ride counts
    as one of the route that is boarded, where a vehicle goes on as another trip), and the run is *metered*.

    Parameters
    ----------
    network : Network
    fares : RideKinds
    runs : int64, rising

    Attributes
    ----------
    run_class : int32, shape (n_runs,)
        As of ``RunClasses``.
    metered : bool, shape (n_runs,)
    """

    def __init__(self, network: Network, fares: RideKinds, runs: NDArray[np.int64]) -> None:
        self.hops, self.fares, self.runs = network.timetable, fares, runs
        self._number: dict[Hashable, int] = {}
        self.run_class = np.full(self.hops.n_runs, -1, np.int32)
        self.metered = np.zeros(self.hops.n_runs, np.bool_)
        self._size = (self.hops.first[runs + 1] - self.hops.first[runs]).astype(np.int64)
        self._start = np.cumsum(self._size) - self._size
        self._hop = np.arange(int(self._size.sum())) + np.repeat(self.hops.first[runs] - self._start, self._size)
        if len(runs):
            self._classify_boardings(network.feed.trips["route"].to_numpy(dtype=np.int64))

    @property
    def kinds(self) -> list[Hashable]:
        """The kind of each class."""
        return list(self._number)

    def _classify_boardings(self, route_of: NDArray[np.int64]) -> None:
        """The class of every ride from each hop, -1 where its end matters; and what that says of runs."""
        board_s = self.hops.departure_s[self._hop]
        route = route_of[self.hops.trip[self._hop]]
        turn = np.searchsorted(np.asarray(self.fares.turns_s, np.int64), board_s, "right")
        self._key = route * (len(self.fares.turns_s) + 1) + turn
        _, first, number = np.unique(self._key, return_index=True, return_inverse=True)
        kinds = [self.fares.of_route(r, s) for r, s in zip(route[first].tolist(), board_s[first].tolist(), strict=True)]
        self._of_hop = self._numbers(kinds)[number.reshape(-1)]
        lowest, highest = (edge.reduceat(self._of_hop, self._start) for edge in (np.minimum, np.maximum))
        flat = (lowest == highest) & (lowest >= 0)
        self.run_class[self.runs[flat]] = lowest[flat]
        self.metered[self.runs[~flat]] = True

    def _numbers(self, kinds: Iterable[Hashable | None]) -> NDArray[np.int64]:
        found = (-1 if kind is None else self._number.setdefault(kind, len(self._number)) for kind in kinds)
        return np.asarray(list(found), dtype=np.int64)

    def classes(self, boards: NDArray[np.bool_], leaves: NDArray[np.bool_]) -> RunClasses:
        """The classes of all rides; those on metered runs between stops where one can board and leave (n_stops,) only."""
        pair_first = np.full(self.hops.n_runs, -1, np.int64)
        known: dict[bytes, int] = {}  # runs of one pattern share their pairs
        n_pairs = 0
        at, board, alight = ([np.empty(0, np.int64)] for _ in range(3))
        for run in np.flatnonzero(self.metered[self.runs]).tolist():
            n, start = int(self._size[run]), int(self._start[run])
            part = slice(start, start + n)
            hop = self._hop[part]
            stops = self.hops.from_stop[hop], self.hops.to_stop[hop]
            pattern = b"".join((stops[0].tobytes(), stops[1].tobytes(), self._key[part].tobytes()))
            if pattern not in known:
                known[pattern] = n_pairs
                i, j = np.nonzero(np.triu(boards[stops[0]][:, None] & leaves[stops[1]]))
                at.append(n_pairs + i * n + j)
                board.append(start + i)
                alight.append(start + j)
                n_pairs += n * n
            pair_first[self.runs[run]] = known[pattern]
        return RunClasses(
            self.run_class, pair_first, self._of_pairs(n_pairs, *map(np.concatenate, (at, board, alight)))
        )

    def _of_pairs(
        self, n: int, at: NDArray[np.int64], board: NDArray[np.int64], alight: NDArray[np.int64]
    ) -> NDArray[np.int32]:
        found = np.full(n + 1, -1, np.int32)
        if len(at):
            kind = self._of_hop[board]
            is_open = kind < 0
            rides = self._hop[np.column_stack([board, alight])[is_open]]
            if len(rides):
                number, kinds = self.fares.of_rides(rides, self.hops)
                kind[is_open] = self._numbers(kinds)[number]
            found[at] = kind
        return found


# --- what a budget allows ---------------------------------------------------------------------------------------------


class Allowances(NamedTuple):
    """What may still be ridden, as a machine of states.

    Attributes
    ----------
    n_classes : int
    first : int64, shape (n_allowances * n_classes + 1,)
        Ways from an allowance ``s`` by a ride of class ``c``: from ``first[s * n_classes + c]`` to the next.
    left : int32, shape (n_ways,)
        The allowance that is left, always of a smaller number; 0 allows no ride.
    ends : bool, shape (n_ways,)
        Whether a journey may end with the ride.
    """

    n_classes: int
    first: NDArray[np.int64]
    left: NDArray[np.int32]
    ends: NDArray[np.bool_]

    @property
    def n_allowances(self) -> int:
        """Number of states."""
        return (len(self.first) - 1) // max(self.n_classes, 1)


def build_allowances(ways: FareWays, budgets: Sequence[int], *, max_rides: int) -> tuple[Allowances, list[int]]:
    """The smallest machine that tells apart what some budgets allow, and the allowance of each budget.

    Two allowances that permit the same sequences of classes are one, whatever is held and however much money is left. There
    must be no fares that end by the clock.

    Parameters
    ----------
    ways : FareWays
    budgets : sequence of int
        Hundredths.
    max_rides : int
    """
    number: dict[tuple[tuple[int, int, bool], ...], int] = {(): 0}
    known: dict[tuple[int, int, int], int] = {}
    options = _options(ways)
    prices = [[price for price, *_ in found] for found in options]
    dearest = int(ways.cents.max(initial=0))

    def allowance(held: int, rides: int, cents: int) -> int:
        if rides == 0:
            return 0
        key = held, rides, min(cents, rides * dearest)  # more than that pays for nothing more
        if key not in known:
            cents = key[2]
            left = {
                (kind, allowance(state, rides - 1, cents - price), paid)
                for price, kind, state, paid in options[held][: bisect_right(prices[held], cents)]
            }
            known[key] = number.setdefault(tuple(sorted(left)), len(number))
        return known[key]

    starts = [allowance(NOTHING, max_rides, cents) for cents in budgets]
    n_classes = max(ways.n_classes, 1)
    rows = [(s * n_classes + kind, left, paid) for shape, s in number.items() for kind, left, paid in shape]
    at, left, ends = np.asarray(rows, dtype=np.int64).reshape(-1, 3).T
    first = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=len(number) * n_classes))]).astype(np.int64)
    return Allowances(n_classes, first, left.astype(np.int32), ends.astype(np.bool_)), starts


def totals(
    ways: FareWays, *, max_rides: int, most: int, most_cents: int = NO_PRICE_CENTS - 1
) -> NDArray[np.int64] | None:
    """What journeys of so many rides can cost in all, rising, up to ``most_cents``; None where there are more than ``most``."""
    steps = [
        np.unique(np.asarray([(state, price) for price, _, state, _ in found]).reshape(-1, 2), axis=0)
        for found in _options(ways)
    ]
    under_way, found = {NOTHING: np.zeros(1, np.int64)}, np.zeros(1, np.int64)
    for _ in range(max_rides):
        after: dict[int, list[NDArray[np.int64]]] = {}
        for held, cents in under_way.items():
            for state in np.unique(steps[held][:, 0]).tolist():
                prices = steps[held][steps[held][:, 0] == state, 1]
                if len(cents) * len(prices) > _MOST_SUMS:
                    return None
                sums = np.unique(np.add.outer(cents, prices))
                after.setdefault(state, []).append(sums[sums <= most_cents])
        under_way = {state: np.unique(np.concatenate(sums)) for state, sums in after.items()}
        found = np.unique(np.concatenate([found, *(sums for held, sums in under_way.items() if ways.paid[held])]))
        if len(found) > most:
            return None
    return found


def _options(ways: FareWays) -> list[list[tuple[int, int, int, bool]]]:
    """From each state the ways out of it, the cheapest first: price, class, state afterwards, and whether one may end there."""
    n_ways = np.diff(ways.first)
    start = np.repeat(np.arange(len(n_ways)), n_ways)
    found: list[list[tuple[int, int, int, bool]]] = [[] for _ in ways.paid]
    columns = start.tolist(), ways.cents.tolist(), ways.state.tolist()
    for at, price, state in zip(*columns, strict=True):
        held, kind = divmod(at, ways.n_classes)
        found[held].append((price, kind, state, bool(ways.paid[state])))
    for options in found:
        options.sort()
    return found
