"""Changes thinned out for many searches: those that lead nowhere earlier than another change of the same vehicle go.

The reduction of trip-based routing (Witt, *Trip-based public transit routing*, ESA 2015), with labels that are arrivals *in a
vehicle*, by the place where one alights: all that one may do from there (limited walks, rules of ``transfers.txt``) hangs on
the place and the moment alone, so that every answer stays as it was, for every number of rides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel, step
from community_routes.network.timetable.connections import Connections

_NEVER: Final = np.int32(2**31 - 1)


class _Hops(NamedTuple):
    """The connections at hand, run by run in running order.

    Attributes
    ----------
    first : int64, shape (n_runs + 1,)
    connection : int32, shape (n,)
        Connection of each hop, counted from the first at hand.
    place, arrival_s : int32, shape (n,)
        Where one alights, -1 for nowhere, and when.
    run, position : int32, shape (n,)
    chain, rank : int32, shape (n_runs,)
    """

    first: NDArray[np.int64]
    connection: NDArray[np.int32]
    place: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    position: NDArray[np.int32]
    chain: NDArray[np.int32]
    rank: NDArray[np.int32]


class _Ahead(NamedTuple):
    """Where one boards who waits at a place from an event on: the first hop of each chain and position.

    Attributes
    ----------
    first : int64, shape (n + 1,)
        Those from connection ``c`` on are ``hop[first[c]:first[c + 1]]``; none where it is no event.
    hop : int32
    """

    first: NDArray[np.int64]
    hop: NDArray[np.int32]


def thinned(connections: Connections, start_s: int, end_s: int) -> Connections:
    """The connections for searches between two seconds, without changes that others make useless in every way.

    A change goes when all places to which its vehicles lead are reached as early by staying on board, or by a change that
    stays at the same or a later hop. Searches find the same times; journeys of the same times may change elsewhere.

    Parameters
    ----------
    connections : Connections
    start_s, end_s : int
        Connections that leave earlier or later have no changes then.
    """
    c = connections
    low, high = c.slice_between(start_s, end_s)
    run, position = c.run[low:high], c.position[low:high]
    order = np.lexsort((position, run)).astype(np.int32)
    hops = _Hops(
        first=np.searchsorted(run[order], np.arange(c.n_runs + 1)).astype(np.int64),
        connection=order,
        place=c.alight_place[low:high][order],
        arrival_s=c.arrival_s[low:high][order],
        run=run[order],
        position=position[order],
        chain=c.chain,
        rank=c.rank,
    )
    n_places, n_chains = (int(numbers.max(initial=-1)) + 1 for numbers in (c.alight_place, c.chain))
    changes_first = c.transfer_first[low : high + 1]
    stays = _thin(low, changes_first, c.transfer, c.event_first, c.event, hops, n_places, n_chains)
    here = slice(int(changes_first[0]), int(changes_first[-1]))
    first = np.zeros(len(c) + 1, np.int64)
    first[low : high + 1] = np.concatenate([[0], np.cumsum(stays)])[changes_first - here.start]
    first[high + 1 :] = first[high]
    return replace(c, transfer_first=first, transfer=c.transfer[here][stays])


@kernel
def _thin(
    low: int,
    changes_first: NDArray[np.int64],
    transfer: NDArray[np.int32],
    event_first: NDArray[np.int64],
    event: NDArray[np.int32],
    hops: _Hops,
    n_places: int,
    n_chains: int,
) -> NDArray[np.bool_]:
    """Which changes of the connections at hand stay.

    Each run is followed from its end. ``label`` holds the earliest arrival at each place of all that its changes so far lead
    to. Of each chain it is remembered from which position on which rank has been looked at: later ones are no earlier there.
    """
    first, connection, place, arrival_s, run, position, chain, rank = hops
    ahead = _all_ahead(low, event_first, event, hops)
    stays = np.zeros(changes_first[-1] - changes_first[0], np.bool_)
    label = np.empty(n_places, np.int32)
    for at in range(n_places):
        label[at] = _NEVER
    labelled = np.empty(n_places, np.int32)
    seen_by = np.empty(n_chains, np.int32)
    for one in range(n_chains):
        seen_by[one] = -1
    seen_rank = np.empty(n_chains, np.int32)
    seen_position = np.empty(n_chains, np.int32)
    for r in range(len(first) - 1):
        n_labelled = 0
        mine = chain[r]
        seen_by[mine], seen_rank[mine] = r, rank[r]
        for h in range(first[r + 1] - 1, first[r] - 1, -1):
            if seen_rank[mine] == rank[r]:  # else an earlier one of its chain has been caught
                seen_position[mine] = position[h]
            at = place[h]
            if at < 0:
                continue
            if arrival_s[h] < label[at]:
                if label[at] == _NEVER:
                    labelled[n_labelled] = at
                    n_labelled += 1
                label[at] = arrival_s[h]
            for t in range(changes_first[connection[h]], changes_first[connection[h] + 1]):
                e = transfer[t] - low
                if e < 0:
                    continue  # it leaves too late
                for i in range(ahead.first[e], ahead.first[e + 1]):
                    begin = ahead.hop[i]
                    end = first[run[begin] + 1]
                    its_chain, its_rank = chain[run[begin]], rank[run[begin]]
                    if seen_by[its_chain] == r and seen_rank[its_chain] <= its_rank:
                        end = min(end, begin + seen_position[its_chain] - position[begin])
                        if end <= begin:
                            continue
                    if seen_by[its_chain] != r or seen_rank[its_chain] >= its_rank:
                        seen_by[its_chain], seen_rank[its_chain] = r, its_rank
                        seen_position[its_chain] = position[begin]
                    for x in range(begin, end):
                        there = place[x]
                        if there >= 0 and arrival_s[x] < label[there]:
                            if label[there] == _NEVER:
                                labelled[n_labelled] = there
                                n_labelled += 1
                            label[there] = arrival_s[x]
                            stays[t - changes_first[0]] = True
        for i in range(n_labelled):
            label[labelled[i]] = _NEVER
    return stays


@step
def _all_ahead(low: int, event_first: NDArray[np.int64], event: NDArray[np.int32], hops: _Hops) -> _Ahead:
    """At each place from the last event back, each takes the seat of its chain and position."""
    n = len(hops.connection)
    own = np.empty(n, np.int32)
    for h in range(n):
        own[hops.connection[h]] = h
    seat = np.empty(n, np.int32)
    first = np.zeros(n + 1, np.int64)
    most = 0
    for waiting in range(len(event_first) - 1):
        most = max(most, event_first[waiting + 1] - event_first[waiting])
    taken = np.empty(most, np.int32)
    for waiting in range(len(event_first) - 1):
        n_seats = 0
        for i in range(event_first[waiting + 1] - 1, event_first[waiting] - 1, -1):
            c = event[i] - low
            if 0 <= c < n:
                h = own[c]
                s = 0
                while s < n_seats and (
                    hops.position[taken[s]] != hops.position[h]
                    or hops.chain[hops.run[taken[s]]] != hops.chain[hops.run[h]]
                ):
                    s += 1
                if s == n_seats:
                    taken[s] = h
                    n_seats += 1
                seat[c] = s
                first[c + 1] = n_seats
    for c in range(n):
        first[c + 1] += first[c]
    hop = np.empty(first[n], np.int32)
    for waiting in range(len(event_first) - 1):
        later, n_seats = 0, 0
        for i in range(event_first[waiting + 1] - 1, event_first[waiting] - 1, -1):
            c = event[i] - low
            if 0 <= c < n:
                for s in range(n_seats):
                    hop[first[c] + s] = hop[later + s]
                later = first[c]
                its = later + seat[c]
                # Of those of a chain that leave in the same second the one of the lowest rank is ahead.
                if seat[c] == n_seats or hops.rank[hops.run[own[c]]] < hops.rank[hops.run[hop[its]]]:
                    hop[its] = own[c]
                n_seats = first[c + 1] - later
    return _Ahead(first, hop)
