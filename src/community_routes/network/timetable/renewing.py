"""Connections of a timetable that differs from another one in a few vehicles: what both have alike is not found again.

The changes after a connection hang on three things alone: the changes that lead from the place where one alights, the events
of the waiting places that these lead to, and which of their vehicles stand in for one another (chains and ranks, which hang on
the vehicles of one pattern alone). A place is *untouched* where its events are, in their order, those of vehicles that both
timetables have, and of patterns all of whose vehicles both have, with the same chains and ranks. Where a connection of a
vehicle that both have alights at a place whose changes are the same and lead to untouched places alone, the reduction reads
the same numbers and keeps the same changes, whatever the chains are numbered: of two candidates one is useless by their rank and
position in one chain, and what is kept is the set of those that none makes useless, in the order of the changes. All other
connections are reduced anew. Nothing is assumed of how the timetables came about.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import frozen_array
from community_routes.network.timetable.changes import Changes
from community_routes.network.timetable.connections import Connections, Known
from community_routes.network.timetable.trips import Timetable, first_in_first_out, numbered_by_content


@dataclass(frozen=True, eq=False)
class Base:
    """A timetable whose changes are reduced, for others like it.

    Attributes
    ----------
    timetable : Timetable
    changes : Changes
    connections : Connections
    apart : bool, shape (n_runs,)
    """

    timetable: Timetable
    changes: Changes
    connections: Connections
    apart: NDArray[np.bool_]

    @cached_property
    def content(self) -> NDArray[np.int32]:
        """What each hop does, shape (n_hops, 7)."""
        return _content(self.timetable, self.changes, self.apart)


def known_changes(base: Base, timetable: Timetable, changes: Changes, apart: NDArray[np.bool_]) -> Known | None:
    """What of the changes of a base holds for another timetable; None where nothing may.

    Parameters
    ----------
    base : Base
    timetable : Timetable
    changes : Changes
    apart : bool, shape (n_runs,)
        As in ``build_connections``, for which the result is.
    """
    before = base.changes
    for name in ("alight_stop", "board_stop"):
        old, new = getattr(before, name), getattr(changes, name)
        if not np.array_equal(old, new[: len(old)]):  # further places may come after those of before
            return None
    was = matched_runs(base, timetable, changes, apart)
    hop_was = _matched_hops(was, base.timetable, timetable)
    chains = first_in_first_out(timetable, apart)
    n_places = len(changes.board_stop)
    touched = np.zeros(n_places, np.bool_)
    for times, places, odd in (
        (timetable, changes.board_place, ~_same_chains(was, base, *chains)),
        (base.timetable, before.board_place, None),
    ):
        if odd is None:
            stays = np.zeros(times.n_runs, np.bool_)
            stays[was[was >= 0]] = True
            odd = ~stays
        place = places[np.repeat(odd, np.diff(times.first))]
        touched[place[place >= 0]] = True
    return Known(base.connections, hop_was, touched, _other_changes(before, changes), *chains)


def matched_runs(base: Base, timetable: Timetable, changes: Changes, apart: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The run of a base that does the very same as each run, -1 where there is none; each is taken once, in order."""
    n, before = base.timetable.n_runs, base.timetable.first
    first = frozen_array(np.concatenate([before, before[-1] + timetable.first[1:]]), np.int64, "first")
    content = np.concatenate([base.content, _content(timetable, changes, apart)])
    number = numbered_by_content(first, content, np.zeros(len(first) - 1, np.bool_))
    size = int(number.max(initial=0)) + 1
    old, new = (_nth_of_its_number(part) * size + part for part in (number[:n], number[n:]))
    order = np.argsort(old, kind="stable")
    at = np.searchsorted(old[order], new)
    there = at < n
    there[there] = old[order[at[there]]] == new[there]
    found = np.full(len(new), -1, np.int64)
    found[there] = order[at[there]]
    return found


def _nth_of_its_number(number: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of the same number stand before each."""
    order = np.argsort(number, kind="stable")
    in_order = number[order]
    found = np.empty(len(number), np.int64)
    found[order] = np.arange(len(number)) - np.searchsorted(in_order, in_order)
    return found


def _content(timetable: Timetable, changes: Changes, apart: NDArray[np.bool_]) -> NDArray[np.int32]:
    """What each hop does: stops, times and places, and whether its run stands apart."""
    columns = (
        timetable.from_stop,
        timetable.to_stop,
        timetable.departure_s,
        timetable.arrival_s,
        changes.board_place,
        changes.alight_place,
        np.repeat(apart, np.diff(timetable.first)),
    )
    return np.column_stack(columns).astype(np.int32)


def _matched_hops(was: NDArray[np.int64], base: Timetable, timetable: Timetable) -> NDArray[np.int64]:
    """The hop of the base for each hop of a matched run, else -1."""
    sizes = np.diff(timetable.first)
    start = np.repeat(np.where(was >= 0, base.first[np.maximum(was, 0)], 0), sizes)
    return np.where(np.repeat(was >= 0, sizes), start + timetable.position(), -1)


def _same_chains(
    was: NDArray[np.int64], base: Base, chain: NDArray[np.int32], rank: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Runs that are matched, in a chain all of whose runs are, with the ranks that those of one chain of the base have."""
    old_chain, old_rank = base.connections.chain, base.connections.rank
    matched = was >= 0
    fits = matched & (rank == old_rank[np.maximum(was, 0)])
    n = int(chain.max(initial=-1)) + 1
    to = np.full(n, -1, np.int64)
    to[chain[matched]] = old_chain[was[matched]]  # any of them: the others are compared with it
    fits &= to[chain] == old_chain[np.maximum(was, 0)]
    whole = np.bincount(chain[~fits], minlength=n) == 0
    # As many runs in both: none of the base's chain has gone.
    size, old_size = np.bincount(chain, minlength=n), np.bincount(old_chain, minlength=int(to.max(initial=0)) + 1)
    whole &= (to >= 0) & (size == old_size[np.maximum(to, 0)])
    found: NDArray[np.bool_] = whole[chain]
    return found


def _other_changes(before: Changes, after: Changes) -> NDArray[np.bool_]:
    """Alighting places whose changes are not the same as before, shape (n_alight_places,)."""
    size, old_size = np.diff(after.first), np.zeros(len(after.alight_stop), np.int64)
    old_size[: len(before.alight_stop)] = np.diff(before.first)
    other: NDArray[np.bool_] = size != old_size
    alike = ~other
    rows = np.flatnonzero(np.repeat(alike, size))
    old_rows = np.flatnonzero(np.repeat(alike, old_size))
    differs = (after.to[rows] != before.to[old_rows]) | (after.change_s[rows] != before.change_s[old_rows])
    other[np.repeat(np.arange(len(size)), size)[rows[differs]]] = True
    return other
