"""What the search with labels needs: ways of paying as a machine of states, classes of rides, and the arrays of a network."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED
from community_routes.fares.labels import FOREVER, NO_PRICE_CENTS, scan_labels
from community_routes.fares.rounds import scan_rounds
from community_routes.fares.scan import all_changes, catchable
from community_routes.network.network import Network
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks

NO_CLASS = -1
_UNTIMED_S = 2**30
_MOST_STATES = 64  # more than these are rarely held at one place, and are kept in lists
_MOST_BYTES = 300_000_000  # of the rounds' arrays, in each thread


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
    """How rides of classes are paid for. A state is whatever is hashable; the journey begins in ``start``."""

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

    def of_ride(self, hops: range, timetable: Timetable) -> Hashable:
        """The class of a ride over these hops of the timetable."""


class TooManyStatesError(ValueError):
    """The fares need more states than a search can hold."""


@dataclass(frozen=True, eq=False)
class FareWays:
    """A machine of states for ``fare_labels.scan_labels``: see there for the arrays."""

    n_classes: int
    first: NDArray[np.int64]
    state: NDArray[np.int32]
    cents: NDArray[np.int32]
    lasts_s: NDArray[np.int32]
    paid: NDArray[np.bool_]


def build_ways(payer: Payer, kinds: Sequence[Hashable], *, max_rides: int, most_states: int = 4000) -> FareWays:
    """Every state that so many rides can lead to, and the ways between them.

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
            found = list(payer.ways(states[here], kind)) if rides[here] < max_rides else []
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


@dataclass(frozen=True, eq=False)
class RunKinds:
    """The class of every run of a search, or of each boarding and alighting of a run where the ends matter.

    Attributes
    ----------
    kinds : list of Hashable
        Classes by number.
    run_class : int32, shape (n_runs,)
        -1 where the ends matter.
    pair_first : int64, shape (n_runs,)
        Where the pairs of such a run begin, -1 for others.
    pair_class : int32
        Of a run of n hops, boarding hop i and alighting after hop j: ``pair_class[pair_first + i * n + j]``.
    """

    kinds: list[Hashable]
    run_class: NDArray[np.int32]
    pair_first: NDArray[np.int64]
    pair_class: NDArray[np.int32]


def _of_rides(kinds: RideKinds, rides: Sequence[tuple[int, int]], timetable: Timetable) -> list[Hashable]:
    """The class of each ride, from boarding one hop to alighting after another; at once where the kinds can."""
    at_once = getattr(kinds, "of_rides", None)
    if at_once is not None and rides:
        found: list[Hashable] = at_once(np.asarray(rides, dtype=np.int64), timetable)
        return found
    return [kinds.of_ride(range(i, j + 1), timetable) for i, j in rides]


def classify_runs(network: Network, kinds: RideKinds, runs: NDArray[np.int32]) -> RunKinds:
    """Classes of the rides on some runs.

    A run has one class when all its boardings have the same; else each boarding and alighting has its own (a ride counts
    as one of the route that is boarded, where a vehicle goes on as another trip).
    """
    hops = network.timetable
    route = network.feed.trips["route"].to_numpy(dtype=np.int64)[hops.trip]
    number: dict[Hashable, int] = {}
    run_class = np.full(hops.n_runs, -1, np.int32)
    pair_first = np.full(hops.n_runs, -1, np.int64)
    pairs: list[int] = []
    known: dict[Hashable, int] = {}  # runs of one pattern share their pairs
    for run in runs.tolist():
        part = range(int(hops.first[run]), int(hops.first[run + 1]))
        times_s = hops.departure_s[part.start], hops.departure_s[part.stop - 1]
        is_one = (route[part.start : part.stop] == route[part.start]).all()
        if is_one and bisect_right(kinds.turns_s, times_s[0]) == bisect_right(kinds.turns_s, times_s[1]):
            of_route = [kinds.of_route(int(route[part.start]), int(times_s[0]))] * len(part)
        else:
            of_route = [kinds.of_route(int(route[h]), int(hops.departure_s[h])) for h in part]
        if None not in of_route and len(set(of_route)) == 1:
            run_class[run] = number.setdefault(of_route[0], len(number))
            continue
        stops = hops.from_stop[part.start : part.stop].tobytes(), hops.to_stop[part.start : part.stop].tobytes()
        pattern = (stops, tuple(route[part.start : part.stop].tolist()), tuple(of_route))
        if pattern not in known:
            known[pattern] = len(pairs)
            by_ends = [(i, j) for i in part for j in part if j >= i and of_route[i - part.start] is None]
            of_ends = dict(zip(by_ends, _of_rides(kinds, by_ends, hops), strict=True))
            for i in part:
                for j in part:
                    of_pair = of_ends.get((i, j), of_route[i - part.start]) if j >= i else None
                    pairs.append(-1 if of_pair is None else number.setdefault(of_pair, len(number)))
        pair_first[run] = known[pattern]
    return RunKinds(list(number), run_class, pair_first, np.asarray(pairs or [NO_CLASS], dtype=np.int32))


def search_labels(
    network: Network,
    query: Query,
    walks: Walks,
    payer: Payer,
    kinds: RideKinds,
    *,
    cutoffs_s: Sequence[int] = (),
    budgets: Sequence[int] = (),
    threads: int = 1,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The least to pay within each cutoff, and the quickest journey within each budget.

    Parameters
    ----------
    network : Network
    query : Query
        Not arrive-by.
    walks : Walks
    payer : Payer
    kinds : RideKinds
    cutoffs_s : sequence of int
        Seconds.
    budgets : sequence of int
        Hundredths.
    threads : int

    Returns
    -------
    cheapest : int32, shape (n_origins, n_cutoffs, n_destinations)
        Over all departures; ``NO_PRICE_CENTS`` where no journey with a price is quick enough. Walking all the way is free.
    quickest : int32, shape (n_budgets, n_origins, n_departures, n_destinations)
        Seconds; UNREACHED where no budget pays for a journey.

    Raises
    ------
    TooManyStatesError
    """
    if query.arrive_by:
        raise ValueError("fares are searched by departure, not by arrival")
    moments, n_lanes = query.departures_s, walks.n_destinations
    longest_s = query.max_travel_s if budgets else min(query.max_travel_s, max(cutoffs_s, default=0))
    cheapest = np.full((walks.n_origins, len(cutoffs_s), n_lanes), NO_PRICE_CENTS, np.int32)
    quickest = np.full((len(budgets), walks.n_origins, len(moments), n_lanes), UNREACHED, np.int32)
    c, hops = network.connections, network.timetable
    low, high = c.slice_between(int(moments[0]), int(moments[-1]) + longest_s)
    between = network.changes
    board_place, alight_place = between.board_place[c.hop], between.alight_place[c.hop]
    _, ridden = catchable(
        low, high, c.departure_s, c.arrival_s, c.run, board_place, alight_place, between.first, between.to,
        between.change_s, first_moments(network, walks, int(moments[0])), np.zeros(hops.n_runs, np.bool_),
    )  # fmt: skip
    found = classify_runs(network, kinds, np.unique(c.run[low:high][ridden]))
    ways = build_ways(payer, found.kinds, max_rides=query.max_rides)
    changes, change_to = all_changes(
        low, high, c.arrival_s, alight_place, between.first, between.to, between.change_s, c.event_first, c.event,
        c.event_departure_s, ridden,
    )  # fmt: skip
    connection_of = np.empty(len(c.hop), np.int64)
    connection_of[c.hop] = np.arange(len(c.hop))
    egress = by_stop(walks.egress, len(c.place_first) - 1)

    n_bytes = 8 * (high - low) * query.max_rides * len(ways.paid)
    by_clock = bool((ways.lasts_s != FOREVER).any()) or len(ways.paid) > _MOST_STATES or n_bytes > _MOST_BYTES

    def scan(origins: NDArray[np.int64]) -> None:
        question = origins, moments, network.slack_s, longest_s, low, high
        places = (
            walks.access.first, walks.access.to, walks.access.walk_s, c.place_first, c.place, c.event_first, c.event,
            c.event_departure_s, c.departure_s, c.arrival_s, c.run, c.position, c.alight_stop,
        )  # fmt: skip
        rides = (
            c.next_event, changes, change_to, hops.first, connection_of, found.run_class, found.pair_first,
            found.pair_class, ways.n_classes, ways.first, ways.state, ways.cents,
        )  # fmt: skip
        ends = (
            ways.paid, query.max_rides, max(budgets) if budgets else NO_PRICE_CENTS - 1, *egress,
            np.asarray(cutoffs_s, np.int32), np.asarray(budgets, np.int32), cheapest, quickest,
        )  # fmt: skip
        if by_clock:
            scan_labels(*question, *places, c.is_event, *rides, ways.lasts_s, *ends)
        else:
            scan_rounds(*question, *places, *rides, *ends)

    origins = np.arange(walks.n_origins)
    if threads > 1 and len(origins) > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(scan, np.array_split(origins, min(4 * threads, len(origins)))))
    else:
        scan(origins)
    _walk_all_the_way(walks.direct, query.max_travel_s, cutoffs_s, cheapest, quickest)
    return cheapest, quickest


def first_moments(network: Network, walks: Walks, earliest_s: int) -> NDArray[np.int32]:
    """The first moment at which somebody from an origin can board at each waiting place, leaving at a moment or later."""
    c, access = network.connections, walks.access
    at_stop = np.full(len(c.place_first) - 1, _UNTIMED_S, np.int32)
    np.minimum.at(at_stop, access.to, earliest_s + access.walk_s + network.slack_s)
    ready_s = np.full(len(c.event_first) - 1, _UNTIMED_S, np.int32)
    ready_s[c.place] = np.repeat(at_stop, np.diff(c.place_first))
    return ready_s


def by_stop(egress: Links, n_stops: int) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Walks from stops to destinations, grouped by stop: first, destination, seconds."""
    order = np.argsort(egress.to, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(egress.to, minlength=n_stops))]).astype(np.int64)
    return first, egress.start()[order].astype(np.int32), egress.walk_s[order].astype(np.int32)


def _walk_all_the_way(
    direct: Links, max_travel_s: int, cutoffs_s: Sequence[int], cheapest: NDArray[np.int32], quickest: NDArray[np.int32]
) -> None:
    start, to, walk_s = direct.start(), direct.to, direct.walk_s
    for k, cutoff_s in enumerate(cutoffs_s):
        near = walk_s <= min(cutoff_s, max_travel_s)
        cheapest[start[near], k, to[near]] = 0
    near = walk_s <= max_travel_s
    for times in quickest:
        for origin, place, seconds in zip(start[near].tolist(), to[near].tolist(), walk_s[near].tolist(), strict=True):
            times[origin, :, place] = np.minimum(times[origin, :, place], seconds)
