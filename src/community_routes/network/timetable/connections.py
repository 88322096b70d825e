"""The timetable in the order of the scan, with every useful change found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import check_first, set_frozen
from community_routes.base.kernels import kernel
from community_routes.network.timetable.changes import Changes
from community_routes.network.timetable.trips import Timetable, first_in_first_out


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
    """

    hop: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    position: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    next_event: NDArray[np.int32]
    is_event: NDArray[np.bool_]
    event_first: NDArray[np.int64]
    event: NDArray[np.int32]
    event_departure_s: NDArray[np.int32]
    place_first: NDArray[np.int64]
    place: NDArray[np.int32]
    transfer_first: NDArray[np.int64]
    transfer: NDArray[np.int32]

    def __post_init__(self) -> None:
        n = len(self.hop)
        for name in ("hop", "departure_s", "arrival_s", "run", "position", "alight_stop", "next_event"):
            set_frozen(self, name, np.int32, (n,))
        set_frozen(self, "is_event", np.bool_, (n,))
        for name in ("event_first", "place_first", "transfer_first"):
            set_frozen(self, name, np.int64)
        for name in ("event", "event_departure_s", "place", "transfer"):
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

    @property
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


def build_connections(timetable: Timetable, changes: Changes, apart: NDArray[np.bool_]) -> Connections:
    """Sort the hops for the scan, find the events of every waiting place, and reduce the changes.

    Parameters
    ----------
    timetable : Timetable
    changes : Changes
        For the same timetable.
    apart : bool, shape (n_runs,)
        Runs that rules treat differently from others with the same stops, so that neither stands in for the other.
    """
    position_of, run_of = timetable.position(), timetable.run()
    order = np.lexsort((-position_of, -timetable.departure_s)).astype(np.int32)
    run, position = run_of[order], position_of[order]
    departure_s, arrival_s = timetable.departure_s[order], timetable.arrival_s[order]
    alight_place, board_place = changes.alight_place[order], changes.board_place[order]
    n_places = len(changes.board_stop)
    event, event_first, next_event = _events(board_place, n_places)
    chain, rank = first_in_first_out(timetable, apart)
    by_chain = _by_chain(event, board_place, chain[run], rank[run], position, n_places)
    transfer_first, transfer = _reduce_changes(
        arrival_s,
        alight_place,
        chain[run],
        rank[run],
        position,
        int(chain.max()) + 1 if len(chain) else 0,
        changes.first,
        changes.to,
        changes.change_s,
        event_first,
        event,
        departure_s[event],
        *by_chain,
        departure_s,
    )
    place = np.argsort(changes.board_stop, kind="stable").astype(np.int32)
    place_first = np.searchsorted(changes.board_stop[place], np.arange(timetable.n_stops + 1)).astype(np.int64)
    return Connections(
        hop=order,
        departure_s=departure_s,
        arrival_s=arrival_s,
        run=run,
        position=position,
        alight_stop=np.where(alight_place >= 0, changes.alight_stop[alight_place], -1),
        next_event=next_event,
        is_event=board_place >= 0,
        event_first=event_first,
        event=event,
        event_departure_s=departure_s[event],
        place_first=place_first,
        place=place,
        transfer_first=transfer_first,
        transfer=transfer,
    )


def _events(
    board_place: NDArray[np.int32], n_places: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """Events by place, earliest first; where each place's begin; the event that follows each at its place."""
    boarded = np.flatnonzero(board_place >= 0)
    event = boarded[np.lexsort((-boarded, board_place[boarded]))].astype(np.int32)
    event_first = np.searchsorted(board_place[event], np.arange(n_places + 1)).astype(np.int64)
    next_event = np.full(len(board_place), -1, np.int32)
    if len(event):
        same = board_place[event[:-1]] == board_place[event[1:]]
        next_event[event[:-1][same]] = event[1:][same]
    return event, event_first, next_event


def _by_chain(
    event: NDArray[np.int32],
    board_place: NDArray[np.int32],
    chain: NDArray[np.int32],
    rank: NDArray[np.int32],
    position: NDArray[np.int32],
    n_places: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]:
    """Events grouped by place, chain and position, in the order of rank.

    Returns where each place's groups begin, where each group's events begin, and the events.
    """
    order = np.lexsort((rank[event], position[event], chain[event], board_place[event]))
    events = event[order]
    keys = np.stack([board_place[events], chain[events], position[events]])
    new = np.ones(len(events), np.bool_)
    if len(events):
        new[1:] = np.any(keys[:, 1:] != keys[:, :-1], axis=0)
    starts = np.flatnonzero(new)
    group_first = np.append(starts, len(events)).astype(np.int64)
    place_groups = np.searchsorted(keys[0, starts], np.arange(n_places + 1)).astype(np.int64)
    return place_groups, group_first, events


@kernel
def _first_from(values, low, high, at, moment):  # type: ignore[no-untyped-def]
    """The first of rising values that is at a moment or after it, looked for from a place where it may well be."""
    while at > low and values[at - 1] >= moment:
        at -= 1
    while at < high and values[at] < moment:
        at += 1
    return at


@kernel
def _reduce_changes(  # type: ignore[no-untyped-def]
    arrival_s,
    alight_place,
    chain,
    rank,
    position,
    n_chains,
    change_first,
    change_to,
    change_s,
    event_first,
    event,
    event_departure_s,
    place_groups,
    group_first,
    group_event,
    departure_s,
):
    """For each connection the first events that it can change to, without those that others make useless.

    A change leads to a first vehicle of each chain at each position. It is useless if the same chain is reached elsewhere
    by a vehicle of the same or an earlier rank at the same or an earlier position, or by staying on board. Connections
    come in the order of time, so that what the one before found at a place lies next to what this one finds.
    """
    n = len(arrival_s)
    first = np.zeros(n + 1, np.int64)
    kept = np.empty(1 << 16, np.int32)
    n_kept = 0
    longest = 0
    slot = np.zeros(len(change_first), np.int64)  # where the groups that a place changes to begin in ``found_at``
    for place in range(len(change_first) - 1):
        size = 0
        for change in range(change_first[place], change_first[place + 1]):
            size += place_groups[change_to[change] + 1] - place_groups[change_to[change]]
        longest = max(longest, size)
        slot[place + 1] = slot[place] + size
    found_at = np.empty(slot[-1], np.int64)
    event_at = np.empty(len(change_to), np.int64)
    for place in range(len(change_first) - 1):
        i = slot[place]
        for change in range(change_first[place], change_first[place + 1]):
            event_at[change] = event_first[change_to[change] + 1]
            for group in range(place_groups[change_to[change]], place_groups[change_to[change] + 1]):
                found_at[i] = group_first[group + 1]
                i += 1
    head = np.full(n_chains, -1, np.int32)
    after = np.empty(longest, np.int32)
    c_chain = np.empty(longest, np.int32)
    c_rank = np.empty(longest, np.int32)
    c_position = np.empty(longest, np.int32)
    c_change = np.empty(longest, np.int64)
    group_departure_s, group_rank = departure_s[group_event], rank[group_event]
    # All events of a group are of one chain and position.
    group_chain, group_position = chain[group_event[group_first[:-1]]], position[group_event[group_first[:-1]]]
    for c in range(n):
        place = alight_place[c]
        n_reached = 0
        if place >= 0:
            i = slot[place] - 1
            for change in range(change_first[place], change_first[place + 1]):
                ready_s = arrival_s[c] + change_s[change]
                waiting = change_to[change]
                for group in range(place_groups[waiting], place_groups[waiting + 1]):
                    i += 1
                    found = _first_from(
                        group_departure_s, group_first[group], group_first[group + 1], found_at[i], ready_s
                    )
                    found_at[i] = found
                    if found == group_first[group + 1]:
                        continue
                    its_chain, its_rank, its_position = group_chain[group], group_rank[found], group_position[group]
                    if its_chain == chain[c] and its_position > position[c] and its_rank >= rank[c]:
                        continue  # stay on board instead
                    useless = False
                    other = head[its_chain]
                    while other >= 0:
                        if c_rank[other] <= its_rank and c_position[other] <= its_position:
                            useless = True
                            break
                        other = after[other]
                    if useless:
                        continue
                    c_chain[n_reached], c_rank[n_reached] = its_chain, its_rank
                    c_position[n_reached], c_change[n_reached] = its_position, change
                    after[n_reached] = head[its_chain]
                    head[its_chain] = n_reached
                    n_reached += 1
            last_change = np.int64(-1)
            for i in range(n_reached):
                if c_change[i] == last_change:
                    continue  # this change is kept already
                useless = False
                other = head[c_chain[i]]
                while other >= 0:
                    if other != i and c_rank[other] <= c_rank[i] and c_position[other] <= c_position[i]:
                        useless = True
                        break
                    other = after[other]
                if useless:
                    continue
                last_change = c_change[i]
                waiting = change_to[last_change]
                found = _first_from(
                    event_departure_s,
                    event_first[waiting],
                    event_first[waiting + 1],
                    event_at[last_change],
                    arrival_s[c] + change_s[last_change],
                )
                event_at[last_change] = found
                if n_kept == len(kept):
                    larger = np.empty(2 * len(kept), np.int32)
                    larger[:n_kept] = kept
                    kept = larger
                kept[n_kept] = event[found]
                n_kept += 1
            for i in range(n_reached):
                head[c_chain[i]] = -1
        first[c + 1] = n_kept
    return first, kept[:n_kept].copy()
