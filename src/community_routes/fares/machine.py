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
    """

    turns_s: tuple[int, ...]

    def of_route(self, route: int, board_s: int) -> Hashable | None:
        """The class of every ride on a route (a row of the feed's routes) that is boarded then; None where ends matter."""

    def of_rides(self, rides: NDArray[np.int64], timetable: Timetable) -> Sequence[Hashable]:
        """The class of each ride, from boarding one hop of the timetable to alighting after another: shape (n, 2)."""


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
    return FareWays(
        n_classes=len(kinds),
        first=np.concatenate([[0], np.cumsum([len(found) for found in ways])]).astype(np.int64),
        state=np.asarray([number[way.held] for way in flat], dtype=np.int32),
        cents=np.asarray([way.cents for way in flat], dtype=np.int32),
        lasts_s=np.asarray([way.lasts_s for way in flat], dtype=np.int32),
        paid=np.asarray([payer.may_end(held) for held in states], dtype=np.bool_),
    )


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


def classify_runs(network: Network, kinds: RideKinds, runs: NDArray[np.int32]) -> tuple[RunClasses, list[Hashable]]:
    """Classes of the rides on some runs, and the kind of each class.

    A run has one class when all its boardings have the same; else each boarding and alighting has its own (a ride counts
    as one of the route that is boarded, where a vehicle goes on as another trip).
    """
    hops = network.timetable
    route = network.feed.trips["route"].to_numpy(dtype=np.int64)[hops.trip]
    number: dict[Hashable, int] = {}
    run_class = np.full(hops.n_runs, -1, np.int32)
    pair_first = np.full(hops.n_runs, -1, np.int64)
    pairs: list[NDArray[np.int32]] = []
    known: dict[Hashable, int] = {}  # runs of one pattern share their pairs
    n_pairs = 0
    for run in runs.tolist():
        part = range(int(hops.first[run]), int(hops.first[run + 1]))
        of_boarding = _by_boarding(kinds, route[part.start : part.stop], hops.departure_s[part.start : part.stop])
        if None not in of_boarding and len(set(of_boarding)) == 1:
            run_class[run] = number.setdefault(of_boarding[0], len(number))
            continue
        stops = hops.from_stop[part.start : part.stop].tobytes(), hops.to_stop[part.start : part.stop].tobytes()
        pattern = stops, route[part.start : part.stop].tobytes(), tuple(of_boarding)
        if pattern not in known:
            known[pattern] = n_pairs
            pairs.append(_by_ends(kinds, of_boarding, part.start, hops, number))
            n_pairs += len(part) ** 2
        pair_first[run] = known[pattern]
    return RunClasses(run_class, pair_first, np.concatenate([*pairs, np.full(1, -1, np.int32)])), list(number)


def _by_boarding(kinds: RideKinds, route: NDArray[np.int64], board_s: NDArray[np.int32]) -> list[Hashable | None]:
    """The class of a ride from each hop of a run, None where its end matters."""
    first_s, last_s = int(board_s[0]), int(board_s[-1])
    if (route == route[0]).all() and bisect_right(kinds.turns_s, first_s) == bisect_right(kinds.turns_s, last_s):
        return [kinds.of_route(int(route[0]), first_s)] * len(route)
    return [kinds.of_route(r, s) for r, s in zip(route.tolist(), board_s.tolist(), strict=True)]


def _by_ends(
    kinds: RideKinds, of_boarding: list[Hashable | None], start: int, hops: Timetable, number: dict[Hashable, int]
) -> NDArray[np.int32]:
    """The class of each boarding and alighting of a run that begins with a hop, one row after the other; -1 backwards."""
    square = np.full((len(of_boarding), len(of_boarding)), -1, np.int32)
    board, alight = np.triu_indices(len(of_boarding))
    open_end = np.asarray([kind is None for kind in of_boarding])[board]
    rides = np.column_stack([board, alight])[open_end]
    found = iter(kinds.of_rides(rides + start, hops) if len(rides) else ())
    of_pair = (next(found) if is_open else of_boarding[i] for i, is_open in zip(board.tolist(), open_end, strict=True))
    square[board, alight] = [number.setdefault(kind, len(number)) for kind in of_pair]
    return square.reshape(-1)


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

    def allowance(held: int, rides: int, cents: int) -> int:
        if rides == 0:
            return 0
        key = held, rides, cents
        if key not in known:
            left = {
                (kind, allowance(state, rides - 1, cents - price), paid)
                for price, kind, state, paid in options[held]
                if price <= cents
            }
            known[key] = number.setdefault(tuple(sorted(left)), len(number))
        return known[key]

    starts = [allowance(NOTHING, max_rides, cents) for cents in budgets]
    n_classes = max(ways.n_classes, 1)
    rows = [(s * n_classes + kind, left, paid) for shape, s in number.items() for kind, left, paid in shape]
    at, left, ends = np.asarray(rows, dtype=np.int64).reshape(-1, 3).T
    first = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=len(number) * n_classes))]).astype(np.int64)
    return Allowances(n_classes, first, left.astype(np.int32), ends.astype(np.bool_)), starts


def totals(ways: FareWays, *, max_rides: int, most: int) -> list[int] | None:
    """What journeys of so many rides can cost in all, rising; None where there are more than ``most`` sums."""
    options = [sorted({(price, state) for price, _, state, _ in found}) for found in _options(ways)]
    under_way, found = {(NOTHING, 0)}, {0}
    for _ in range(max_rides):
        under_way = {(state, cents + price) for held, cents in under_way for price, state in options[held]}
        found |= {cents for held, cents in under_way if ways.paid[held]}
        if len(found) > most or len(under_way) > most * len(ways.paid):
            return None
    return sorted(found)


def _options(ways: FareWays) -> list[list[tuple[int, int, int, bool]]]:
    """From each state the ways out of it: price, class, state afterwards, and whether one may end there."""
    n_ways = np.diff(ways.first)
    start = np.repeat(np.arange(len(n_ways)), n_ways)
    found: list[list[tuple[int, int, int, bool]]] = [[] for _ in ways.paid]
    columns = start.tolist(), ways.cents.tolist(), ways.state.tolist()
    for at, price, state in zip(*columns, strict=True):
        held, kind = divmod(at, ways.n_classes)
        found[held].append((price, kind, state, bool(ways.paid[state])))
    return found
