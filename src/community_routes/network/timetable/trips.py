"""The timetable of a service date: every hop of every vehicle that a journey on that date can use."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.arrays import check_first, set_frozen, starts_of
from community_routes.base.kernels import kernel, step
from community_routes.base.notices import Notice
from community_routes.base.times import DAY, HOUR
from community_routes.network.timetable.blocks import IN_SEAT, TripEnds, joins, vehicle_runs
from community_routes.sources.gtfs.feed import Feed, Phase
from community_routes.sources.gtfs.service import departures

WHOLE_DAY_S = (-9 * HOUR, 33 * HOUR)
"""What departures and deadlines of one day need, whatever the limit of time: the longest journey before it and after it."""
ACCESSIBLE, NOT_ACCESSIBLE = 1, 2
Wheelchair = bool | Literal["best", "worst"]
"""Whether rides must be accessible without steps: no, or known to be so (True, worst), or not known not to be so (best)."""
STATION = 1


@dataclass(frozen=True, eq=False)
class Timetable:
    """Hops of vehicle runs around one service date, grouped by run in running order.

    A run is one trip, or several that a passenger may ride through in one seat. A hop goes from one call of a trip to its
    next. Times are seconds of the service date; hops of the day before and the day after are in it, moved by 24 hours.

    Attributes
    ----------
    date : date
    span_s : (int, int)
        Hops that leave before the first or after the second of these seconds are left out.
    n_stops : int
        Rows of ``Feed.stops``.
    first : int64, shape (n_runs + 1,)
        The hops of run ``r`` are ``first[r]:first[r + 1]``.
    from_stop, to_stop : int32, shape (n_hops,)
        Rows of ``Feed.stops``.
    departure_s, arrival_s : int32, shape (n_hops,)
    board, alight : bool, shape (n_hops,)
        One may board where the hop starts, alight where it ends.
    trip : int32, shape (n_hops,)
        Row of ``Feed.trips``.
    call : int32, shape (n_hops,)
        Row of ``Feed.calls`` where the hop starts; it ends at ``call + 1``.
    shift_s : int32, shape (n_hops,)
        What was added to the times of the feed (another day, a run of ``frequencies.txt``).
    """

    date: dt.date
    span_s: tuple[int, int]
    n_stops: int
    first: NDArray[np.int64]
    from_stop: NDArray[np.int32]
    to_stop: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    board: NDArray[np.bool_]
    alight: NDArray[np.bool_]
    trip: NDArray[np.int32]
    call: NDArray[np.int32]
    shift_s: NDArray[np.int32]

    def __post_init__(self) -> None:
        set_frozen(self, "first", np.int64)
        n = len(self.from_stop)
        for name in ("from_stop", "to_stop", "departure_s", "arrival_s", "trip", "call", "shift_s"):
            set_frozen(self, name, np.int32, (n,))
        set_frozen(self, "board", np.bool_, (n,))
        set_frozen(self, "alight", np.bool_, (n,))
        check_first(self.first, n, "Timetable.first")

    @property
    def n_runs(self) -> int:
        """Number of vehicle runs."""
        return len(self.first) - 1

    def run(self) -> NDArray[np.int32]:
        """The run of each hop, shape (n_hops,)."""
        return np.repeat(np.arange(self.n_runs, dtype=np.int32), np.diff(self.first))

    def position(self) -> NDArray[np.int32]:
        """The place of each hop in its run, counted from 0, shape (n_hops,)."""
        return (np.arange(len(self.from_stop)) - np.repeat(self.first[:-1], np.diff(self.first))).astype(np.int32)

    def only(self, hops: NDArray[np.int64]) -> Timetable:
        """Some of the hops (rising, those of a run one after the other), and the runs that have any."""
        count = np.bincount(self.run()[hops], minlength=self.n_runs)
        per_hop = ("from_stop", "to_stop", "departure_s", "arrival_s", "board", "alight", "trip", "call", "shift_s")
        first = starts_of(count[count > 0])
        return replace(self, first=first, **{name: getattr(self, name)[hops] for name in per_hop})


class OfDay(TypedDict, total=False):
    """What ``build_timetable`` takes by keyword, for those who pass it on."""

    phase: Phase | None
    seed: int | None
    wheelchair: Wheelchair
    span_s: tuple[int, int]
    notices: list[Notice] | None


def build_timetable(
    feed: Feed,
    date: dt.date,
    *,
    phase: Phase | None = None,
    seed: int | None = None,
    wheelchair: Wheelchair = False,
    span_s: tuple[int, int] = WHOLE_DAY_S,
    notices: list[Notice] | None = None,
) -> Timetable:
    """Join the services of the day before (-24 h), the date and the day after (+24 h) into one timetable.

    Parameters
    ----------
    feed : Feed
    date : date
        The service date from which seconds are counted.
    phase : "zero", "half" or "sampled", optional
        When the first bus of a ``frequencies.txt`` row with ``exact_times=0`` leaves: at its start, half a headway later,
        or at a random moment of the first headway drawn from ``seed``; as the feed says unless given.
    seed : int, optional
    wheelchair : bool, "best" or "worst"
        Only trips that are accessible, boarded and left at stops that are: those known to be so, with ``best`` those of which
        it is not known as well.
    span_s : (int, int)
        Seconds of the service date between which hops leave.
    notices : list of Notice, optional
        Gets what was found.
    """
    found: list[Notice] = [] if notices is None else notices
    feed = replace(feed, phase=phase or feed.phase, seed=feed.seed if seed is None else seed)
    trip, shift, day, frequent = _instances(feed, date)
    calls = feed.calls
    size = np.diff(calls.first)[trip]
    usable = size >= 2
    if wheelchair:
        usable &= is_accessible(feed.trips["wheelchair_accessible"], wheelchair)[trip]
    start_s = np.zeros(len(trip), np.int64)
    end_s = np.zeros(len(trip), np.int64)
    start_s[usable] = calls.departure_s[calls.first[trip[usable]]] + shift[usable]
    end_s[usable] = calls.arrival_s[calls.first[trip[usable] + 1] - 1] + shift[usable]
    usable &= (end_s >= span_s[0]) & (start_s <= span_s[1])
    trip, shift, day, frequent = trip[usable], shift[usable], day[usable], frequent[usable]
    runs = _runs(feed, trip, shift, day, frequent, found)
    return _lay_out(feed, date, span_s, wheelchair, trip, shift, runs)


def is_accessible(stated: pd.Series, wheelchair: Wheelchair) -> NDArray[np.bool_]:
    """Which trips or stops count as accessible without steps, by what their tables state (0 where that is not known)."""
    known = stated.to_numpy()
    counts: NDArray[np.bool_] = known != NOT_ACCESSIBLE if wheelchair == "best" else known == ACCESSIBLE
    return counts


def _instances(
    feed: Feed, date: dt.date
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Trip rows, their shifts in seconds, their days (-1, 0, 1) and whether they run by frequency."""
    by_frequency = np.unique(feed.frequencies["trip"].to_numpy()).astype(np.int64)
    starts = _frequency_shifts(feed)
    parts: list[tuple[NDArray[np.int64], NDArray[np.int64], int, bool]] = []
    for day in (-1, 0, 1):
        active = feed.active_trips(date + dt.timedelta(days=day))
        timed = active[~np.isin(active, by_frequency)]
        parts.append((timed, np.full(len(timed), day * DAY, np.int64), day, False))
        for row in active[np.isin(active, by_frequency)].tolist():
            shifts = starts[row]
            parts.append((np.full(len(shifts), row, np.int64), shifts + day * DAY, day, True))
    trip = np.concatenate([part[0] for part in parts])
    shift = np.concatenate([part[1] for part in parts])
    days = np.concatenate([np.full(len(part[0]), part[2], np.int64) for part in parts])
    frequent = np.concatenate([np.full(len(part[0]), part[3], np.bool_) for part in parts])
    return trip, shift, days, frequent


def _frequency_shifts(feed: Feed) -> dict[int, NDArray[np.int64]]:
    """For each template trip what to add to its times for each run: start, start + headway, ... < end."""
    if feed.frequencies.empty:
        return {}
    row, start = departures(feed)
    trip, calls = feed.frequencies["trip"].to_numpy()[row], feed.calls
    template_s = np.append(calls.departure_s, 0)[calls.first[trip]]  # of a trip without calls anything: it does not run
    order = np.argsort(trip, kind="stable")
    mine, first = np.unique(trip[order], return_index=True)
    parts = np.split((start - template_s)[order], first[1:])
    none = np.zeros(0, np.int64)
    return {int(one): none for one in feed.frequencies["trip"]} | dict(zip(mine.tolist(), parts, strict=False))


def _runs(
    feed: Feed,
    trip: NDArray[np.int64],
    shift: NDArray[np.int64],
    day: NDArray[np.int64],
    frequent: NDArray[np.bool_],
    notices: list[Notice],
) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """How many instances each run has, and the instances run by run; None when every instance is a run of its own."""
    in_seat = feed.transfers["transfer_type"].to_numpy() == 4
    if not in_seat.any() and not (feed.trips["block_id"].to_numpy() != "").any():
        return None
    # Trips of frequencies.txt have no clock times of their own, so a block says nothing about them.
    timed = np.flatnonzero(~frequent)
    ends = _trip_ends(feed, trip[timed], shift[timed], day[timed])
    joined = vehicle_runs(feed, ends, np.unique(trip[frequent]), notices)
    if max(map(len, joined), default=1) == 1 and len(joined) == len(trip):
        return None
    alone = np.flatnonzero(frequent)
    size = np.fromiter(map(len, joined), np.int64, len(joined))
    instance = np.fromiter(chain.from_iterable(joined), np.int64, int(size.sum()))
    return np.concatenate([size, np.ones(len(alone), np.int64)]), np.concatenate([timed[instance], alone])


def trips_ridden_through(feed: Feed, date: dt.date, of_route: NDArray[np.bool_]) -> set[tuple[int, int]]:
    """Trips of a service date and those that they go on as: rows of ``Feed.trips`` between which one may stay on board.

    Parameters
    ----------
    of_route : bool, shape (n_trips,)
        Only vehicles that run any of these trips are looked at, and trips that in-seat transfers name.
    """
    block, rules = feed.trips["block_id"], feed.transfers[feed.transfers["transfer_type"] == IN_SEAT]
    wanted = block.isin(sorted(set(block[of_route]) - {""})).to_numpy(bool, copy=True)
    wanted[[row for row in rules[["from_trip", "to_trip"]].to_numpy().ravel() if row >= 0]] = True
    if not wanted.any():
        return set()
    trip, shift, day, frequent = _instances(feed, date)
    here = wanted[trip] & ~frequent & (np.diff(feed.calls.first)[trip] >= 2)
    ends = _trip_ends(feed, trip[here], shift[here], day[here])
    following = joins(feed, ends, np.zeros(0, np.int64), [])
    return {
        (int(ends.trip[before]), int(ends.trip[after]))
        for before, afters in following.items()
        for after in afters
        if ends.day[before] == 0
    }


def _trip_ends(feed: Feed, trip: NDArray[np.int64], shift: NDArray[np.int64], day: NDArray[np.int64]) -> TripEnds:
    calls = feed.calls
    first, last = calls.first[trip], calls.first[trip + 1] - 1
    return TripEnds(
        trip=trip,
        day=day,
        first_stop=calls.stop[first],
        last_stop=calls.stop[last],
        departure_s=(calls.departure_s[first] + shift).astype(np.int32),
        arrival_s=(calls.arrival_s[last] + shift).astype(np.int32),
    )


def _lay_out(
    feed: Feed,
    date: dt.date,
    span_s: tuple[int, int],
    wheelchair: Wheelchair,
    trip: NDArray[np.int64],
    shift: NDArray[np.int64],
    runs: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
) -> Timetable:
    calls = feed.calls
    run_of = np.arange(len(trip))
    if runs is not None:
        size, instance = runs
        run_of = np.repeat(np.arange(len(size)), size)
        trip, shift = trip[instance], shift[instance]
    n_hops = calls.first[trip + 1] - calls.first[trip] - 1
    start = np.repeat(np.cumsum(n_hops) - n_hops, n_hops)
    call = np.repeat(calls.first[trip], n_hops) + np.arange(int(n_hops.sum())) - start
    hop_shift = np.repeat(shift, n_hops)
    departure = calls.departure_s[call] + hop_shift
    keep = (departure >= span_s[0]) & (departure <= span_s[1])
    call, hop_shift, departure = call[keep], hop_shift[keep], departure[keep]
    hop_run = np.repeat(run_of, n_hops)[keep]
    station = feed.stops["location_type"].to_numpy() == STATION
    board = (calls.pickup_type[call] != 1) & ~station[calls.stop[call]]
    alight = (calls.drop_off_type[call + 1] != 1) & ~station[calls.stop[call + 1]]
    if wheelchair:
        accessible = is_accessible(feed.stops["wheelchair_boarding"], wheelchair)
        board &= accessible[calls.stop[call]]
        alight &= accessible[calls.stop[call + 1]]
    sizes = np.bincount(hop_run, minlength=int(run_of[-1]) + 1 if len(run_of) else 0)
    first = starts_of(sizes[sizes > 0])
    return Timetable(
        date=date,
        span_s=span_s,
        n_stops=len(feed.stops),
        first=first,
        from_stop=calls.stop[call],
        to_stop=calls.stop[call + 1],
        departure_s=departure.astype(np.int32),
        arrival_s=(calls.arrival_s[call + 1] + hop_shift).astype(np.int32),
        board=board,
        alight=alight,
        trip=np.repeat(trip, n_hops)[keep].astype(np.int32),
        call=call.astype(np.int32),
        shift_s=hop_shift.astype(np.int32),
    )


def first_in_first_out(timetable: Timetable, apart: NDArray[np.bool_]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Sort runs into chains in which none overtakes another.

    Runs of one chain have the same hops (stops, boarding and alighting), and each is nowhere earlier than the one before
    it. Being on an earlier run of a chain, at the same hop or before, is therefore never worse.

    Parameters
    ----------
    timetable : Timetable
    apart : bool, shape (n_runs,)
        Runs that get a chain of their own because something else tells them apart.

    Returns
    -------
    chain, rank : int32, shape (n_runs,)
        Chain of each run and its place in it.
    """
    signature = np.empty((len(timetable.from_stop), 3), np.int32)
    signature[:, 0], signature[:, 1] = timetable.from_stop, timetable.to_stop
    signature[:, 2] = timetable.board * 2 + timetable.alight
    pattern = numbered_by_content(timetable.first, signature, np.array(apart, np.bool_))
    start = timetable.first[:-1]
    order = np.lexsort((timetable.arrival_s[timetable.first[1:] - 1], timetable.departure_s[start], pattern))
    return _chains(order, pattern, timetable.first, timetable.departure_s, timetable.arrival_s)  # type: ignore[no-any-return]


@kernel
def numbered_by_content(  # type: ignore[no-untyped-def]
    first: NDArray[np.int64], content: NDArray[np.int32], apart: NDArray[np.bool_]
):
    """Runs with the same rows have the same number, in the order in which each content is met first; shape (n_runs,).

    Parameters
    ----------
    first : int64, shape (n_runs + 1,)
        The rows of run ``r`` are ``first[r]:first[r + 1]``.
    content : int32, shape (n_rows, n_columns)
    apart : bool, shape (n_runs,)
        Runs that have a number of their own, whatever they do.
    """
    n, width = len(first) - 1, content.shape[1]
    size = 16
    while size < 2 * n:
        size *= 2
    seat = np.full(
        size, -1, np.int64
    )  # the first run of each content, where its sum of bits sends it or the next free one
    number = np.empty(n, np.int64)
    n_numbers = 0
    for run in range(n):
        if apart[run]:
            number[run] = n_numbers
            n_numbers += 1
            continue
        mixed = np.uint64(first[run + 1] - first[run])
        for row in range(first[run], first[run + 1]):
            for column in range(width):
                mixed = (mixed ^ np.uint64(np.uint32(content[row, column]))) * np.uint64(0x9E3779B97F4A7C15)
                mixed ^= mixed >> np.uint64(29)
        at = np.int64(mixed & np.uint64(size - 1))
        while seat[at] >= 0 and not _same_rows(first, content, seat[at], run):
            at = (at + 1) & (size - 1)
        if seat[at] < 0:
            seat[at] = run
            number[run] = n_numbers
            n_numbers += 1
        else:
            number[run] = number[seat[at]]
    return number


@step
def _same_rows(first: NDArray[np.int64], content: NDArray[np.int32], one: int, other: int) -> bool:
    if first[one + 1] - first[one] != first[other + 1] - first[other]:
        return False
    for k in range(first[one + 1] - first[one]):
        for column in range(content.shape[1]):
            if content[first[one] + k, column] != content[first[other] + k, column]:
                return False
    return True


@kernel
def _chains(order, pattern, first, departure_s, arrival_s):  # type: ignore[no-untyped-def]
    n = len(order)
    chain = np.empty(n, np.int32)
    rank = np.empty(n, np.int32)
    last = np.empty(n, np.int64)  # the newest run of each chain
    n_chains = 0
    begin = 0  # the first chain of the pattern at hand
    for i in range(n):
        run = order[i]
        if i > 0 and pattern[run] != pattern[order[i - 1]]:
            begin = n_chains
        place = n_chains
        for candidate in range(begin, n_chains):
            before = last[candidate]
            follows = True
            for hop in range(first[run + 1] - first[run]):
                a, b = first[before] + hop, first[run] + hop
                if departure_s[a] > departure_s[b] or arrival_s[a] > arrival_s[b]:
                    follows = False
                    break
            if follows:
                place = candidate
                break
        if place == n_chains:
            n_chains += 1
            rank[run] = 0
        else:
            rank[run] = rank[last[place]] + 1
        chain[run] = place
        last[place] = run
    return chain, rank
