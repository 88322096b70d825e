"""Today's connections of one window with vehicles taken away and put in: searched at once, without a network of their own.

What a search finds of these rows is what it finds of the network that is built from the changed timetable, to the last second.

*Taken away.* A connection of a vehicle that is gone stays in its place, and nobody alights from it. It reaches nothing then, so
its event passes on the row of the event that follows at its place, and whoever changes or boards there has all later vehicles, as
if it were not there. The changes that today's reduction left out stay useless: it left out the change to a place P' because each
vehicle V' that it leads to can be boarded elsewhere, at a place P that stays, no later on its way. That was judged by the first
vehicle V of a chain in which none overtakes: V leaves P when one is there already, and so does V', which comes no earlier; so V'
is boarded at P whether V runs or not. Or V' was useless because one sits in a vehicle of its chain that is no later: if that is
gone, nobody sits in it. By the same argument what an origin reads of the events near it stays enough: an event is passed over
where an earlier one of its place has been read, which passes it on, or where the same vehicle is caught elsewhere.

*Put in.* New connections are merged into the order of the scan, their events into those of their places. Their changes, and
those that lead to a place where one of them may be boarded, come from the network of the change by itself, reduced there by
chains of old and new vehicles; all others hold, since a new vehicle makes no change useless that was of use without it. With
several changes, each leads its vehicles to those of the others by every walk.

Two things are asked for: walks between old places are what they were, and rules of ``transfers.txt`` that name a trip or a route,
which make places of their own, are there only where nothing is put in. Where that does not hold there is no ``Difference``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import arrays_of
from community_routes.base.kernels import kernel, step
from community_routes.evaluation.case import Case
from community_routes.evaluation.search import changes_between
from community_routes.network.network import Network
from community_routes.network.timetable.changes import ChangeArrays, Changes, build_changes, named_trips
from community_routes.network.timetable.connections import ConnectionArrays, Connections, build_connections
from community_routes.network.timetable.renewing import known_changes, matched_runs
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.points import Links
from community_routes.routing.query import Walks
from community_routes.sources.gtfs.feed import Feed


class Added(NamedTuple):
    """Vehicles put in: their connections in the order of the scan, and changes from and to them.

    A connection that is meant is one of today where the number is 0 or more, else ``~number`` of these.

    Attributes
    ----------
    departure_s, arrival_s, run, position : int32, shape (n,)
        Runs counted from 0.
    alight_stop, board_stop : int32, shape (n,)
        Rows of the changed ``Feed.stops``; -1 where one may not.
    transfer_first : int64, shape (n + 1,)
    transfer : int32
        Changes after each.
    start, end : int32, shape (n_further,)
        Further changes after connections of today, which lead to places where new vehicles are boarded.
    """

    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    position: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    board_stop: NDArray[np.int32]
    transfer_first: NDArray[np.int64]
    transfer: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Difference:
    """How a case's rows differ from today's.

    Attributes
    ----------
    gone : int64, shape (n_gone,)
        Vehicle runs of today's network that it has not.
    added : Added or None
        What it has instead or beside.
    walks : Walks
        Of the case: the very same as today's where there are no new stops.
    feed, footpaths : Feed, Links
        Of the case, for walks from its new vehicles to others'.
    """

    gone: NDArray[np.int64]
    added: Added | None
    walks: Walks
    feed: Feed = field(repr=False)
    footpaths: Links = field(repr=False)
    slack_s: int = 0

    @cached_property
    def changes(self) -> Changes:
        """Changes between all stops, whatever calls there."""
        n = len(self.feed.stops)
        stop, none, all_ = np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.ones(n, np.bool_)
        first = np.arange(n + 1)
        everywhere = Timetable(dt.date.min, (0, 0), n, first, stop, stop, none, none, all_, all_, none, none, none)
        return build_changes(self.feed, everywhere, self.footpaths, slack_s=self.slack_s)


@dataclass(frozen=True, eq=False)
class Scanned:
    """Rows to be scanned."""

    arrays: ConnectionArrays
    n_runs: int

    def slice_between(self, start_s: int, end_s: int) -> tuple[int, int]:
        """As of ``Connections``."""
        ascending = self.arrays.departure_s[::-1]
        n = len(ascending)
        return n - int(np.searchsorted(ascending, end_s, "right")), n - int(np.searchsorted(ascending, start_s, "left"))


@dataclass(frozen=True, eq=False)
class Rows:
    """Today's rows in the hours of a window, from which others are made.

    Attributes
    ----------
    case : Case
        Today.
    day : str
    network : Network
        Of these hours.
    """

    case: Case
    day: str
    network: Network

    @classmethod
    def of(cls, case: Case, day: str, span_s: tuple[int, int]) -> Rows:
        """Today's rows for the departures of a span of seconds."""
        return cls(case, day, case.network_between(day, span_s))

    @property
    def walks(self) -> Walks:
        """Today's."""
        return self.case.lean.reached.walks

    def difference(self, case: Case) -> Difference | None:
        """What a case takes away and puts in; None where it differs by more than vehicles and stops.

        Parameters
        ----------
        case : Case
            Made from today's.
        """
        today = self.case
        if not (
            case.zones is today.zones and case.opportunities is today.opportunities and case.file is today.file
        ) or not _same_ends(case, today):
            return None
        base, lean = self.network.base, case.lean
        timetable = case.timetable_between(self.day, self.network.span_s)
        changes = build_changes(case.feed, timetable, lean.footpaths, slack_s=self.network.slack_s)
        for name in ("alight_stop", "board_stop"):
            if not np.array_equal(
                getattr(base.changes, name), getattr(changes, name)[: len(getattr(base.changes, name))]
            ):
                return None
        named = named_trips(case.feed)
        apart = np.zeros(timetable.n_runs, np.bool_)
        apart[np.unique(timetable.run()[named[timetable.trip]])] = True
        was = matched_runs(base, timetable, changes, apart)
        new = was < 0
        if (new.any() and (named.any() or base.apart.any())) or not self._same_changes(timetable, changes, ~new):
            return None
        stays = np.zeros(base.timetable.n_runs, np.bool_)
        stays[was[~new]] = True
        gone, walks = np.flatnonzero(~stays), lean.reached.walks
        added = None
        if new.any():
            known = known_changes(base, timetable, changes, apart)
            added = _added(self.network, build_connections(timetable, changes, apart, known), changes, was)
        return Difference(gone, added, walks, case.feed, lean.footpaths, self.network.slack_s)

    def _same_changes(self, timetable: Timetable, changes: Changes, old: NDArray[np.bool_]) -> bool:
        """Whether the changes between the places of the old vehicles of a timetable are today's."""
        hops = np.repeat(old, np.diff(timetable.first))
        places = np.unique(changes.alight_place[hops]), np.unique(changes.board_place[hops])
        mine, its = changes_between(self.network.changes, *places), changes_between(changes, *places)
        return all(np.array_equal(mine[k], its[k]) for k in range(3))

    def with_(self, differences: Sequence[Difference], *, relaxed: bool = False) -> Scanned:
        """The rows with differences that may stand together; ``relaxed`` takes nothing away.

        Parameters
        ----------
        differences : sequence of Difference
        relaxed : bool
        """
        network = self.network
        arrays, n_runs = network.connections.arrays, network.connections.n_runs
        gone = np.zeros(n_runs + 1, np.bool_)
        for one in () if relaxed else differences:
            gone[one.gone] = True
        if gone.any():
            arrays = arrays._replace(alight_stop=_fixed(np.where(gone[arrays.run], np.int32(-1), arrays.alight_stop)))
        parts = [one for one in differences if one.added is not None]
        if not parts:
            return Scanned(arrays, n_runs)
        added = _together(parts)
        n_stops = max(len(one.feed.stops) for one in parts)
        merged = _merged(arrays, self._board_stop, added, n_stops)
        return Scanned(ConnectionArrays(*map(_fixed, merged)), n_runs + int(added.run.max()) + 1)

    @cached_property
    def _board_stop(self) -> NDArray[np.int32]:
        """Where each connection of today is boarded, -1 for nowhere, without places of their own."""
        return np.asarray(self.network.changes.board_place[self.network.connections.hop])


def _fixed(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def _same_ends(case: Case, today: Case) -> bool:
    """Whether origins, destinations and the ways between them on foot are today's: stops at most come to them."""
    mine, its = case.lean.reached, today.lean.reached
    return mine is its or (
        mine.origins is its.origins and mine.destinations is its.destinations and mine.walks.direct is its.walks.direct
    )


def _added(network: Network, connections: Connections, changes: Changes, was: NDArray[np.int64]) -> Added:
    """The new vehicles of connections whose runs are those of today's (``was``) but for some."""
    c, base = connections, network.base
    new = was < 0
    is_new = new[c.run]
    rows = np.flatnonzero(is_new)
    at_hop = np.empty(len(base.connections), np.int64)
    at_hop[base.connections.hop] = np.arange(len(at_hop))
    code = np.empty(len(c), np.int64)
    code[~is_new] = at_hop[base.timetable.first[was[c.run[~is_new]]] + c.position[~is_new]]
    code[rows] = ~np.arange(len(rows))
    board = changes.board_place[c.hop]
    touched = np.zeros(len(changes.board_stop), np.bool_)
    touched[board[rows][board[rows] >= 0]] = True
    sizes = np.diff(c.transfer_first)
    start = np.repeat(np.arange(len(c)), sizes)
    own = is_new[start]
    further = ~own & touched[board[c.transfer]]
    pair = code[start[further]], code[c.transfer[further]]
    known = np.repeat(np.arange(len(base.connections)), np.diff(base.connections.transfer_first))
    size = np.int64(len(base.connections))
    twice = (pair[1] >= 0) & np.isin(pair[0] * size + pair[1], known * size + base.connections.transfer)
    return Added(
        departure_s=c.departure_s[rows],
        arrival_s=c.arrival_s[rows],
        run=(np.cumsum(new) - 1)[c.run[rows]].astype(np.int32),
        position=c.position[rows],
        alight_stop=c.alight_stop[rows],
        board_stop=board[rows],
        transfer_first=np.concatenate([[0], np.cumsum(sizes[rows])]),
        transfer=code[c.transfer[own]].astype(np.int32),
        start=pair[0][~twice].astype(np.int32),
        end=pair[1][~twice].astype(np.int32),
    )


def _together(parts: Sequence[Difference]) -> Added:
    """The new vehicles of several differences as those of one."""
    all_added = [one.added for one in parts if one.added is not None]
    if len(all_added) == 1:
        return all_added[0]
    sizes = [len(one.run) for one in all_added]
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    runs_before = np.concatenate([[0], np.cumsum([int(one.run.max()) + 1 for one in all_added])[:-1]])
    columns = {
        name: np.concatenate([getattr(one, name) for one in all_added])
        for name in ("departure_s", "arrival_s", "position", "alight_stop", "board_stop")
    }
    order = np.lexsort((-columns["position"], -columns["departure_s"]))
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))

    def placed(codes: NDArray[np.int32], at: int) -> NDArray[np.int32]:
        return np.where(codes >= 0, codes, ~place[np.where(codes < 0, ~codes, 0) + at]).astype(np.int32)

    start = [
        np.repeat(place[at : at + n], np.diff(one.transfer_first))
        for one, at, n in zip(all_added, before, sizes, strict=True)
    ]
    end = [placed(one.transfer, at) for one, at in zip(all_added, before, strict=True)]
    owner = np.repeat(np.arange(len(sizes)), sizes)[order]
    mine = {name: np.ascontiguousarray(values[order]) for name, values in columns.items()}
    # By every walk: from the stops of whichever of two has new ones.
    changes = max(parts, key=lambda one: len(one.feed.stops)).changes
    across = _across(
        owner,
        mine["arrival_s"],
        mine["alight_stop"],
        mine["board_stop"],
        mine["departure_s"],
        arrays_of(changes, ChangeArrays),
    )
    starts, ends = np.concatenate([*start, across[0]]), np.concatenate([*end, ~across[1]])
    by_start = np.argsort(starts, kind="stable")
    return Added(
        **mine,
        run=np.concatenate([one.run + at for one, at in zip(all_added, runs_before, strict=True)])[order].astype(
            np.int32
        ),
        transfer_first=np.searchsorted(starts[by_start], np.arange(len(order) + 1)).astype(np.int64),
        transfer=ends[by_start].astype(np.int32),
        start=np.concatenate([one.start for one in all_added]),
        end=np.concatenate([placed(one.end, at) for one, at in zip(all_added, before, strict=True)]),
    )


@kernel
def _across(
    owner: NDArray[np.int64],
    arrival_s: NDArray[np.int32],
    alight_stop: NDArray[np.int32],
    board_stop: NDArray[np.int32],
    departure_s: NDArray[np.int32],
    changes: ChangeArrays,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of new connections of different owners: after the one, by each walk, the other is the first that can be boarded.

    Whoever waits for that one has all later ones of its stop as well.
    """
    n = len(owner)
    first = np.zeros(len(changes.first) + 1, np.int64)
    for c in range(n):
        if board_stop[c] >= 0:
            first[board_stop[c] + 1] += 1
    for stop in range(len(first) - 1):
        first[stop + 1] += first[stop]
    event, until = np.empty(first[-1], np.int64), first[1:].copy()
    for c in range(n):  # latest first
        if board_stop[c] >= 0:
            until[board_stop[c]] -= 1
            event[until[board_stop[c]]] = c
    start, end, k = np.empty(1 << 12, np.int64), np.empty(1 << 12, np.int64), 0
    for c in range(n):
        stop = alight_stop[c]
        if stop < 0:
            continue
        for change in range(changes.first[stop], changes.first[stop + 1]):
            to, ready_s = changes.to[change], arrival_s[c] + changes.change_s[change]
            low, high = first[to], first[to + 1]
            while low < high:
                middle = (low + high) >> 1
                if departure_s[event[middle]] < ready_s:
                    low = middle + 1
                else:
                    high = middle
            while low < first[to + 1] and owner[event[low]] == owner[c]:
                low += 1
            if low == first[to + 1]:
                continue
            if k == len(start):
                start, end = _longer(start), _longer(end)
            start[k], end[k] = c, event[low]
            k += 1
    return start[:k].copy(), end[:k].copy()


@step
def _longer(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """The values in an array of twice the room."""
    longer = np.empty(2 * len(values), np.int64)
    for i in range(len(values)):
        longer[i] = values[i]
    return longer


@kernel
def _merged(today: ConnectionArrays, board_stop: NDArray[np.int32], added: Added, n_stops: int) -> ConnectionArrays:
    """Today's connections and new ones in one order, with the events of each stop and all changes."""
    n_old, n_new = len(today.run), len(added.run)
    n = n_old + n_new
    old_at, new_at = _places(today, added)
    departure_s, arrival_s = np.empty(n, np.int32), np.empty(n, np.int32)
    run, position = np.empty(n, np.int32), np.empty(n, np.int32)
    alight_stop, is_event = np.empty(n, np.int32), np.empty(n, np.bool_)
    board = np.empty(n, np.int32)
    most = np.int32(-1)
    for i in range(n_old):
        most = max(most, today.run[i])
        at = old_at[i]
        departure_s[at], arrival_s[at] = today.departure_s[i], today.arrival_s[i]
        run[at], position[at] = today.run[i], today.position[i]
        alight_stop[at], is_event[at], board[at] = today.alight_stop[i], today.is_event[i], board_stop[i]
    for i in range(n_new):
        at = new_at[i]
        departure_s[at], arrival_s[at] = added.departure_s[i], added.arrival_s[i]
        run[at], position[at] = np.int32(most + 1 + added.run[i]), added.position[i]
        alight_stop[at], is_event[at], board[at] = added.alight_stop[i], added.board_stop[i] >= 0, added.board_stop[i]
    event_first, event, event_departure_s, next_event = _events(board, departure_s, n_stops)
    ahead = _ahead(event_first, event, event_departure_s, n)
    transfer_first, transfer = _transfers(today, added, old_at, new_at, ahead)
    is_tied = np.zeros(n, np.bool_)
    for c in range(n):
        for t in range(transfer_first[c], transfer_first[c + 1]):
            if departure_s[transfer[t]] == departure_s[c]:
                is_tied[c] = True
    place_first, place = np.empty(n_stops + 1, np.int64), np.empty(n_stops, np.int32)
    for stop in range(n_stops):
        place_first[stop], place[stop] = stop, stop
    place_first[n_stops] = n_stops
    return ConnectionArrays(
        departure_s,
        arrival_s,
        run,
        position,
        alight_stop,
        next_event,
        is_event,
        is_tied,
        event_first,
        event,
        event_departure_s,
        place_first,
        place,
        transfer_first,
        transfer,
    )


@step
def _places(today: ConnectionArrays, added: Added) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Where each old and each new connection stands among all: latest first, of one second the later hop first."""
    n_old, n_new = len(today.run), len(added.run)
    old_at, new_at = np.empty(n_old, np.int32), np.empty(n_new, np.int32)
    i, j = 0, 0
    while i < n_old or j < n_new:
        take_old = j == n_new
        if not take_old and i < n_old:
            take_old = today.departure_s[i] > added.departure_s[j] or (
                today.departure_s[i] == added.departure_s[j] and today.position[i] >= added.position[j]
            )
        if take_old:
            old_at[i] = i + j
            i += 1
        else:
            new_at[j] = i + j
            j += 1
    return old_at, new_at


@step
def _events(
    board: NDArray[np.int32], departure_s: NDArray[np.int32], n_stops: int
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """The events of each stop, earliest first, and the event that follows each at its stop."""
    first = np.zeros(n_stops + 1, np.int64)
    for c in range(len(board)):
        if board[c] >= 0:
            first[board[c] + 1] += 1
    for stop in range(n_stops):
        first[stop + 1] += first[stop]
    event, event_departure_s = np.empty(first[n_stops], np.int32), np.empty(first[n_stops], np.int32)
    next_event = np.empty(len(board), np.int32)
    until = first[1:].copy()
    for c in range(len(board)):
        next_event[c] = -1
        stop = board[c]
        if stop >= 0:
            if until[stop] < first[stop + 1]:
                next_event[c] = event[until[stop]]
            until[stop] -= 1
            event[until[stop]] = c
            event_departure_s[until[stop]] = departure_s[c]
    return first, event, event_departure_s, next_event


@step
def _ahead(
    first: NDArray[np.int64], event: NDArray[np.int32], event_departure_s: NDArray[np.int32], n: int
) -> NDArray[np.int32]:
    """Of each event the first one of its stop that leaves in the same second."""
    found = np.empty(n, np.int32)
    for stop in range(len(first) - 1):
        for i in range(first[stop], first[stop + 1]):
            same = i > first[stop] and event_departure_s[i] == event_departure_s[i - 1]
            found[event[i]] = found[event[i - 1]] if same else event[i]
    return found


@step
def _transfers(
    today: ConnectionArrays,
    added: Added,
    old_at: NDArray[np.int32],
    new_at: NDArray[np.int32],
    ahead: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The changes after each connection: those of today and of the new ones, and the further ones of today's.

    Which of several events of one second comes first may be another one than where a change was found: it leads to
    whichever does.
    """
    n_old, n_new = len(old_at), len(new_at)
    first = np.zeros(n_old + n_new + 1, np.int64)
    for i in range(n_old):
        first[old_at[i] + 1] = today.transfer_first[i + 1] - today.transfer_first[i]
    for i in range(n_new):
        first[new_at[i] + 1] = added.transfer_first[i + 1] - added.transfer_first[i]
    for k in range(len(added.start)):
        first[old_at[added.start[k]] + 1] += 1
    for c in range(n_old + n_new):
        first[c + 1] += first[c]
    transfer = np.empty(first[n_old + n_new], np.int32)
    filled = first[:-1].copy()
    for i in range(n_old):
        at = filled[old_at[i]]
        for t in range(today.transfer_first[i], today.transfer_first[i + 1]):
            transfer[at] = ahead[old_at[today.transfer[t]]]
            at += 1
        filled[old_at[i]] = at
    for i in range(n_new):
        at = filled[new_at[i]]
        for t in range(added.transfer_first[i], added.transfer_first[i + 1]):
            transfer[at] = ahead[_placed(added.transfer[t], old_at, new_at)]
            at += 1
    for k in range(len(added.start)):
        c = old_at[added.start[k]]
        transfer[filled[c]] = ahead[_placed(added.end[k], old_at, new_at)]
        filled[c] += 1
    return first, transfer


@step
def _placed(code: int, old_at: NDArray[np.int32], new_at: NDArray[np.int32]) -> int:
    """Where a connection stands that is meant by a number."""
    return int(old_at[code] if code >= 0 else new_at[~code])
