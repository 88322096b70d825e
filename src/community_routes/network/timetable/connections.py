"""The timetable in the order of the scan, with every useful change found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import arrays_of, check_first, set_frozen
from community_routes.base.kernels import kernel, step
from community_routes.network.timetable.changes import ChangeArrays, Changes
from community_routes.network.timetable.trips import Timetable, first_in_first_out


class ConnectionArrays(NamedTuple):
    """What kernels read of ``Connections``, where each array is described."""

    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    position: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    next_event: NDArray[np.int32]
    is_event: NDArray[np.bool_]
    is_tied: NDArray[np.bool_]
    event_first: NDArray[np.int64]
    event: NDArray[np.int32]
    event_departure_s: NDArray[np.int32]
    place_first: NDArray[np.int64]
    place: NDArray[np.int32]
    transfer_first: NDArray[np.int64]
    transfer: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Connections:
    """Hops of the timetable, latest departure first; of one vehicle in one second, the later hop first.

    An *event* is a connection that may be boarded. At each waiting place the events stand in the order of departure, so
    that the first one at or after a moment is found by bisection; of several in one second it is the one scanned last.

    Attributes
    ----------
    hop : int32, shape (n,)
        Hop of the timetable.
    departure_s, arrival_s : int32, shape (n,)
    run, position : int32, shape (n,)
        Vehicle run, and the place of the hop in it.
    alight_stop : int32, shape (n,)
        Row of ``Feed.stops`` where one may alight, -1 where not.
    alight_place : int32, shape (n,)
        Place of ``Changes`` where one may alight, -1 where not.
    next_event : int32, shape (n,)
        The event that follows at the same waiting place (it leaves in the same second or later), -1 for none or where
        the connection is no event itself.
    is_event : bool, shape (n,)
    event_first : int64, shape (n_places + 1,)
        Events of place ``p`` are ``event[event_first[p]:event_first[p + 1]]``, earliest departure first.
    event : int32, shape (n_events,)
    event_departure_s : int32, shape (n_events,)
    place_first : int64, shape (n_stops + 1,)
        Waiting places of stop ``s`` are ``place[place_first[s]:place_first[s + 1]]``.
    place : int32, shape (n_places,)
    transfer_first : int64, shape (n + 1,)
        Changes after connection ``c`` are ``transfer_first[c]:transfer_first[c + 1]``.
    transfer : int32, shape (n_transfers,)
        The first event that may be boarded at a waiting place; whoever waits there has all later ones too. Changes that
        another one makes useless (the same vehicle or an earlier one of its chain, boarded no later) are left out.
    chain, rank : int32, shape (n_runs,)
        As ``first_in_first_out`` sorts the runs.
    """

    hop: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    position: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    alight_place: NDArray[np.int32]
    next_event: NDArray[np.int32]
    is_event: NDArray[np.bool_]
    event_first: NDArray[np.int64]
    event: NDArray[np.int32]
    event_departure_s: NDArray[np.int32]
    place_first: NDArray[np.int64]
    place: NDArray[np.int32]
    transfer_first: NDArray[np.int64]
    transfer: NDArray[np.int32]
    chain: NDArray[np.int32]
    rank: NDArray[np.int32]

    def __post_init__(self) -> None:
        n = len(self.hop)
        for name in ("hop", "departure_s", "arrival_s", "run", "position", "alight_stop", "alight_place", "next_event"):
            set_frozen(self, name, np.int32, (n,))
        set_frozen(self, "is_event", np.bool_, (n,))
        for name in ("event_first", "place_first", "transfer_first"):
            set_frozen(self, name, np.int64)
        for name in ("event", "event_departure_s", "place", "transfer", "chain", "rank"):
            set_frozen(self, name, np.int32)
        check_first(self.event_first, len(self.event), "Connections.event_first")
        check_first(self.place_first, len(self.place), "Connections.place_first")
        check_first(self.transfer_first, len(self.transfer), "Connections.transfer_first")

    def __len__(self) -> int:
        return len(self.hop)

    @cached_property
    def is_tied(self) -> NDArray[np.bool_]:
        """Connections that can change to one that leaves in the same second, shape (n,)."""
        same = self.departure_s[self.transfer] == np.repeat(self.departure_s, np.diff(self.transfer_first))
        tied = np.zeros(len(self), np.bool_)
        tied[np.repeat(np.arange(len(self)), np.diff(self.transfer_first))[same]] = True
        tied.flags.writeable = False
        return tied

    @cached_property
    def arrays(self) -> ConnectionArrays:
        """The connections as kernels take them."""
        return arrays_of(self, ConnectionArrays)

    @cached_property
    def n_runs(self) -> int:
        """Number of vehicle runs."""
        return int(self.run.max()) + 1 if len(self.run) else 0

    def slice_between(self, start_s: int, end_s: int) -> tuple[int, int]:
        """Connections that leave at ``start_s`` or later and at ``end_s`` or earlier, as a range."""
        ascending = self.departure_s[::-1]
        n = len(ascending)
        return n - int(np.searchsorted(ascending, end_s, "right")), n - int(np.searchsorted(ascending, start_s, "left"))


def mirrored(timetable: Timetable) -> Timetable:
    """The timetable with time running backwards: second ``t`` becomes ``-t``, vehicles run from their end to their start."""
    order = np.arange(len(timetable.from_stop))[::-1]
    first = len(timetable.from_stop) - timetable.first[::-1]
    return Timetable(
        date=timetable.date,
        span_s=(-timetable.span_s[1], -timetable.span_s[0]),
        n_stops=timetable.n_stops,
        first=first,
        from_stop=timetable.to_stop[order],
        to_stop=timetable.from_stop[order],
        departure_s=-timetable.arrival_s[order],
        arrival_s=-timetable.departure_s[order],
        board=timetable.alight[order],
        alight=timetable.board[order],
        trip=timetable.trip[order],
        call=timetable.call[order],
        shift_s=timetable.shift_s[order],
    )


class Known(NamedTuple):
    """Connections of another timetable, and where their changes may hold.

    Attributes
    ----------
    connections : Connections
    hop : int64, shape (n_hops,)
        Of each hop the one of the other timetable that is the same, -1 for none.
    touched : bool, shape (n_places,)
        Waiting places with a vehicle that the other timetable has not, or that stands in for others there.
    other_changes : bool, shape (n_alight_places,)
        Alighting places from which other changes lead.
    chain, rank : int32, shape (n_runs,)
        ``first_in_first_out`` of this timetable, which is known then.
    """

    connections: Connections
    hop: NDArray[np.int64]
    touched: NDArray[np.bool_]
    other_changes: NDArray[np.bool_]
    chain: NDArray[np.int32]
    rank: NDArray[np.int32]


def build_connections(
    timetable: Timetable, changes: Changes, apart: NDArray[np.bool_], known: Known | None = None
) -> Connections:
    """Sort the hops for the scan, find the events of every waiting place, and reduce the changes.

    Parameters
    ----------
    timetable : Timetable
    changes : Changes
        For the same timetable.
    apart : bool, shape (n_runs,)
        Runs that rules treat differently from others with the same stops, so that neither stands in for the other.
    known : Known, optional
        Of a timetable like this one (``renewing.known_changes``): changes that hold are taken from it. It changes no byte.
    """
    position_of, run_of = timetable.position(), timetable.run()
    latest_first = timetable.departure_s.astype(np.int64) * (int(position_of.max(initial=0)) + 1) + position_of
    order = _stable_order(latest_first.max(initial=0) - latest_first).astype(np.int32)
    run, position = run_of[order], position_of[order]
    departure_s, arrival_s = timetable.departure_s[order], timetable.arrival_s[order]
    alight_place, board_place = changes.alight_place[order], changes.board_place[order]
    n_places = len(changes.board_stop)
    event, event_first, next_event = _events(board_place, n_places)
    chain, rank = first_in_first_out(timetable, apart) if known is None else (known.chain, known.rank)
    hops = _Hops(departure_s, arrival_s, alight_place, chain[run], rank[run], position)
    was = _was(known, order) if known is not None else np.full(len(order), -1, np.int64)
    held = _held(known, was, alight_place, (event_first, event), changes) if known is not None else was
    transfer_first, transfer = _reduce_changes(
        hops,
        held < 0,
        int(chain.max()) + 1 if len(chain) else 0,
        arrays_of(changes, ChangeArrays),
        _Events(event_first, event, departure_s[event]),
        _groups(event, board_place, hops, n_places),
    )
    if known is not None:
        transfer_first, transfer = _with_held(known, was, held, transfer_first, transfer)
    place = np.argsort(changes.board_stop, kind="stable").astype(np.int32)
    place_first = np.searchsorted(changes.board_stop[place], np.arange(timetable.n_stops + 1)).astype(np.int64)
    return Connections(
        hop=order,
        departure_s=departure_s,
        arrival_s=arrival_s,
        run=run,
        position=position,
        alight_stop=np.where(alight_place >= 0, changes.alight_stop[alight_place], -1),
        alight_place=alight_place,
        next_event=next_event,
        is_event=board_place >= 0,
        event_first=event_first,
        event=event,
        event_departure_s=departure_s[event],
        place_first=place_first,
        place=place,
        transfer_first=transfer_first,
        transfer=transfer,
        chain=chain,
        rank=rank,
    )


def _was(known: Known, order: NDArray[np.int32]) -> NDArray[np.int64]:
    """For each connection the known one that is the same, -1 for none."""
    at_hop = np.empty(len(known.connections), np.int64)
    at_hop[known.connections.hop] = np.arange(len(at_hop))
    hop = known.hop[order]
    return np.where(hop >= 0, at_hop[np.maximum(hop, 0)], -1)


def _held(
    known: Known,
    was: NDArray[np.int64],
    alight_place: NDArray[np.int32],
    events: tuple[NDArray[np.int64], NDArray[np.int32]],
    changes: Changes,
) -> NDArray[np.int64]:
    """For each connection the known one whose changes it has, -1 where they are to be reduced."""
    c = known.connections
    first, event = events
    n, old_n = np.diff(first), np.zeros(len(first) - 1, np.int64)
    old_n[: len(c.event_first) - 1] = np.diff(c.event_first)
    touched = known.touched | (n != old_n)
    place = np.repeat(np.arange(len(n)), n)
    alike = ~touched[place]
    old = c.event[np.repeat(~touched, old_n)]
    touched[place[alike][was[event[alike]] != old]] = True  # in another order
    leads = np.concatenate([[0], np.cumsum(touched[changes.to])])[changes.first]
    anew = known.other_changes | (np.diff(leads) > 0)
    return np.where((alight_place >= 0) & anew[np.maximum(alight_place, 0)], -1, was)


def _with_held(
    known: Known,
    was: NDArray[np.int64],
    held: NDArray[np.int64],
    first: NDArray[np.int64],
    transfer: NDArray[np.int32],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The changes that were reduced, and those that hold, in one."""
    c = known.connections
    new_of = np.full(len(c), -1, np.int64)
    new_of[was[was >= 0]] = np.flatnonzero(was >= 0)
    known_first = c.transfer_first
    old_size = np.where(held >= 0, known_first[np.maximum(held, 0) + 1] - known_first[np.maximum(held, 0)], 0)
    size = np.where(held >= 0, old_size, np.diff(first))
    both = np.zeros(len(first), np.int64)
    np.cumsum(size, out=both[1:])
    merged = np.empty(both[-1], np.int32)
    is_held = np.repeat(held >= 0, size)
    merged[~is_held] = transfer
    rows = np.arange(int(old_size.sum())) + np.repeat(
        known_first[np.maximum(held, 0)] - (np.cumsum(old_size) - old_size), old_size
    )
    merged[is_held] = new_of[c.transfer[rows]]
    return both, merged


def _events(
    board_place: NDArray[np.int32], n_places: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Events by place, earliest first; where each place's begin; the event that follows each at its place."""
    boarded = np.flatnonzero(board_place >= 0)
    latest = boarded[::-1]
    event = latest[_stable_order(board_place[latest])].astype(np.int32)
    event_first = np.searchsorted(board_place[event], np.arange(n_places + 1)).astype(np.int64)
    next_event = np.full(len(board_place), -1, np.int32)
    if len(event):
        same = board_place[event[:-1]] == board_place[event[1:]]
        next_event[event[:-1][same]] = event[1:][same]
    return event, event_first, next_event


class _Hops(NamedTuple):
    """The connections as their changes are reduced: with the chain of their vehicle and its rank in it."""

    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    alight_place: NDArray[np.int32]
    chain: NDArray[np.int32]
    rank: NDArray[np.int32]
    position: NDArray[np.int32]


class _Events(NamedTuple):
    """The events of each place, earliest first."""

    first: NDArray[np.int64]
    event: NDArray[np.int32]
    departure_s: NDArray[np.int32]


class _Groups(NamedTuple):
    """Events of one place, chain and position, in the order of rank.

    Attributes
    ----------
    place_first : int64, shape (n_places + 1,)
        Groups of each place.
    chain, position : int32, shape (n_groups,)
    first : int64, shape (n_groups + 1,)
        Members of each group.
    departure_s, rank : int32, shape (n_events,)
        Of the members.
    """

    place_first: NDArray[np.int64]
    chain: NDArray[np.int32]
    position: NDArray[np.int32]
    first: NDArray[np.int64]
    departure_s: NDArray[np.int32]
    rank: NDArray[np.int32]


def _groups(event: NDArray[np.int32], board_place: NDArray[np.int32], hops: _Hops, n_places: int) -> _Groups:
    chain, rank, position = hops.chain[event], hops.rank[event], hops.position[event]
    order = _sorted_by(board_place[event], chain, position, rank)
    keys = np.stack([board_place[event], chain, position])[:, order]
    new = np.ones(len(event), np.bool_)
    new[1:] = np.any(keys[:, 1:] != keys[:, :-1], axis=0)
    starts = np.flatnonzero(new)
    return _Groups(
        place_first=np.searchsorted(keys[0, starts], np.arange(n_places + 1)).astype(np.int64),
        chain=keys[1, starts],
        position=keys[2, starts],
        first=np.append(starts, len(event)).astype(np.int64),
        departure_s=hops.departure_s[event[order]],
        rank=rank[order],
    )


def _sorted_by(*keys: NDArray[np.int32]) -> NDArray[np.int64]:
    """The order of rows by several keys of 0 and more, the first one first; one number for all of them is sorted sooner."""
    together = np.zeros(len(keys[0]), np.int64)
    most = 1
    for key in keys:
        size = int(key.max(initial=0)) + 1
        most *= size
        together = together * size + key
    if most >= 1 << 62:
        return np.lexsort(keys[::-1])
    return _stable_order(together)


def _stable_order(keys: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """The order of numbers of 0 and more, equal ones as they stand; with their places in them they are sorted sooner."""
    n = len(keys)
    if int(keys.max(initial=0)) >= (1 << 62) // max(n, 1):
        return np.argsort(keys, kind="stable")
    return np.argsort(keys.astype(np.int64) * n + np.arange(n))


class _Found(NamedTuple):
    """Where the last connection that alights at a place found each of its changes: the next one begins to look there.

    Attributes
    ----------
    slot : int64, shape (n_alight_places + 1,)
        Where the groups that a place changes to begin in ``member``.
    member : int64
        By alighting place, change and group.
    event : int64, shape (n_changes,)
    """

    slot: NDArray[np.int64]
    member: NDArray[np.int64]
    event: NDArray[np.int64]


class _Candidates(NamedTuple):
    """The changes of one connection that are not useless so far, those of one chain as a list.

    Attributes
    ----------
    head : int32, shape (n_chains,)
        The newest of each chain, -1 for none.
    after, chain, rank, position : int32, shape (most candidates,)
        The one before it, and what it reaches.
    change : int64
        The change that leads there.
    """

    head: NDArray[np.int32]
    after: NDArray[np.int32]
    chain: NDArray[np.int32]
    rank: NDArray[np.int32]
    position: NDArray[np.int32]
    change: NDArray[np.int64]


@step
def _first_from(values: NDArray[np.int32], low: int, high: int, at: int, moment: int) -> int:
    """The first of rising values that is at a moment or after it, looked for from a place where it may well be."""
    while at > low and values[at - 1] >= moment:
        at -= 1
    while at < high and values[at] < moment:
        at += 1
    return at


@kernel
def _reduce_changes(
    hops: _Hops, wanted: NDArray[np.bool_], n_chains: int, changes: ChangeArrays, events: _Events, groups: _Groups
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """For each connection that is wanted the first events that it can change to, without those that others make useless.

    A change leads to a first vehicle of each chain at each position. It is useless if the same chain is reached elsewhere
    by a vehicle of the same or an earlier rank at the same or an earlier position, or by staying on board. Connections
    come in the order of time, so that what the one before found at a place lies next to what this one finds.
    """
    n = len(hops.arrival_s)
    first = np.zeros(n + 1, np.int64)
    kept = np.empty(1 << 16, np.int32)
    n_kept = 0
    found, most = _nothing_found(changes, events, groups)
    candidates = _no_candidates(n_chains, most)
    for c in range(n):
        if wanted[c] and hops.alight_place[c] >= 0:
            n_candidates = _collect(c, hops, changes, groups, found, candidates)
            if n_kept + n_candidates > len(kept):
                longer = np.empty(2 * (n_kept + n_candidates), np.int32)
                for i in range(n_kept):
                    longer[i] = kept[i]
                kept = longer
            last_change = np.int64(-1)
            for i in range(n_candidates):
                change = candidates.change[i]
                if change == last_change or _is_useless(
                    candidates, candidates.chain[i], candidates.rank[i], candidates.position[i], i
                ):
                    continue
                last_change = change
                low, high = events.first[changes.to[change]], events.first[changes.to[change] + 1]
                ready_s = hops.arrival_s[c] + changes.change_s[change]
                found.event[change] = _first_from(events.departure_s, low, high, found.event[change], ready_s)
                kept[n_kept] = events.event[found.event[change]]
                n_kept += 1
            for i in range(n_candidates):
                candidates.head[candidates.chain[i]] = -1
        first[c + 1] = n_kept
    return first, kept[:n_kept].copy()


@step
def _nothing_found(changes: ChangeArrays, events: _Events, groups: _Groups) -> tuple[_Found, int]:
    """To begin with, each change looks from the end of its place; and the most groups that any place changes to."""
    most = 0
    slot = np.zeros(len(changes.first), np.int64)
    for place in range(len(changes.first) - 1):
        size = 0
        for change in range(changes.first[place], changes.first[place + 1]):
            size += groups.place_first[changes.to[change] + 1] - groups.place_first[changes.to[change]]
        most = max(most, size)
        slot[place + 1] = slot[place] + size
    found = _Found(slot, np.empty(slot[-1], np.int64), np.empty(len(changes.to), np.int64))
    i = 0
    for change in range(len(changes.to)):
        waiting = changes.to[change]
        found.event[change] = events.first[waiting + 1]
        for group in range(groups.place_first[waiting], groups.place_first[waiting + 1]):
            found.member[i] = groups.first[group + 1]
            i += 1
    return found, most


@step
def _no_candidates(n_chains: int, most: int) -> _Candidates:
    head = np.empty(n_chains, np.int32)
    for chain in range(n_chains):
        head[chain] = -1
    of_each = np.empty((4, most), np.int32)
    return _Candidates(head, of_each[0], of_each[1], of_each[2], of_each[3], np.empty(most, np.int64))


@step
def _collect(
    c: int, hops: _Hops, changes: ChangeArrays, groups: _Groups, found: _Found, candidates: _Candidates
) -> int:
    """The changes of a connection that neither staying on board nor one collected before makes useless; their number."""
    place = hops.alight_place[c]
    chain, rank, position = hops.chain[c], hops.rank[c], hops.position[c]
    n = 0
    i = found.slot[place] - 1
    for change in range(changes.first[place], changes.first[place + 1]):
        ready_s = hops.arrival_s[c] + changes.change_s[change]
        waiting = changes.to[change]
        for group in range(groups.place_first[waiting], groups.place_first[waiting + 1]):
            i += 1
            end = groups.first[group + 1]
            member = _first_from(groups.departure_s, groups.first[group], end, found.member[i], ready_s)
            found.member[i] = member
            if member == end:
                continue
            its_chain, its_rank, its_position = groups.chain[group], groups.rank[member], groups.position[group]
            if its_chain == chain and its_position > position and its_rank >= rank:
                continue  # stay on board instead
            if _is_useless(candidates, its_chain, its_rank, its_position, n):
                continue
            candidates.chain[n], candidates.rank[n] = its_chain, its_rank
            candidates.position[n], candidates.change[n] = its_position, change
            candidates.after[n] = candidates.head[its_chain]
            candidates.head[its_chain] = n
            n += 1
    return n


@step
def _is_useless(candidates: _Candidates, chain: int, rank: int, position: int, itself: int) -> bool:
    """Whether another candidate reaches the same chain no later and no farther on."""
    other = candidates.head[chain]
    while other >= 0:
        if other != itself and candidates.rank[other] <= rank and candidates.position[other] <= position:
            return True
        other = candidates.after[other]
    return False
