"""Which vehicles anybody needs: without all the others every travel time of a search stays as it is.

A search is a table of rows: what one reaches who waits at a place from an event on, with so many rides left, a lane for each
destination. The row of an event is the smaller one of what its vehicle reaches and of the row of the event that follows at its
place. A vehicle is *needed* where at one of its events the first is smaller than the second, in a lane and with a number of
rides left with which somebody waits there who left an origin late enough for the journey to be within the limit.

Without vehicles that are not needed no time changes. Take the events from the last one back. Where an event's vehicle goes, its
row becomes that of the event that follows, which in every lane that counts it was already. Where it stays, its row is made from
those of later events, and whoever reads a row in some lane counts no more of it than somebody who left home as late as the
latest reader of the rows that this one is made from: a journey that is too long for who left latest is too long for all.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel, step
from community_routes.network.timetable.connections import ConnectionArrays
from community_routes.routing.scan import NEVER, Boardings, Scanned
from community_routes.routing.search import Search

_NOBODY = -(2**31)


def needed_runs(search: Search) -> NDArray[np.bool_]:
    """Vehicle runs without which some travel time of a search could differ, shape (n_runs,)."""
    arrays = search.connections.arrays
    found = np.zeros(search.connections.n_runs, np.bool_)
    for span in search.spans:
        for block in search.lane_blocks():
            scanned = search.scan(span, block)
            left_s = _last_left(arrays, span.boardings, scanned, span.high, search.n_layers, len(found))
            _mark(arrays, scanned, left_s, search.n_lanes, found)
    return found


@kernel
def _last_left(
    connections: ConnectionArrays, boardings: Boardings, scanned: Scanned, high: int, n_layers: int, n_runs: int
) -> NDArray[np.int32]:
    """When those left home at the latest who wait from an event on, by rides left: (high - low, n_layers), ``_NOBODY`` for none.

    In seconds of the rows. From the earliest event on: who waits may wait longer, or board, ride and change. Changes within
    one second may lead to an event that was looked at before, so that it is looked at as often as there are rides.
    """
    low = scanned.low
    left_s = np.full((high - low, n_layers), _NOBODY, np.int32)
    for at in range(len(boardings.event)):
        event = boardings.event[at] - low
        left_s[event, n_layers - 1] = max(left_s[event, n_layers - 1], scanned.offset_s[boardings.moment[at]])
    riding_s = np.full((n_runs, n_layers), _NOBODY, np.int32)
    departure_s = connections.departure_s
    end = high
    while end > low:
        begin = end - 1
        tied = connections.is_tied[begin]
        while begin > low and departure_s[begin - 1] == departure_s[end - 1]:
            begin -= 1
            tied |= connections.is_tied[begin]
        for _ in range(n_layers if tied else 1):
            for c in range(end - 1, begin - 1, -1):
                _pass_on(c, low, connections, left_s, riding_s)
        end = begin
    return left_s


@step
def _pass_on(
    c: int, low: int, connections: ConnectionArrays, left_s: NDArray[np.int32], riding_s: NDArray[np.int32]
) -> None:
    """Who waits for a connection boards it or waits on; who sits in it changes."""
    run, following = connections.run[c], connections.next_event[c] - low
    for layer in range(left_s.shape[1]):
        if connections.is_event[c]:
            riding_s[run, layer] = max(riding_s[run, layer], left_s[c - low, layer])
            if following >= 0:
                left_s[following, layer] = max(left_s[following, layer], left_s[c - low, layer])
        if layer > 0 and connections.alight_stop[c] >= 0 and riding_s[run, layer] > _NOBODY:
            for t in range(connections.transfer_first[c], connections.transfer_first[c + 1]):
                event = connections.transfer[t] - low
                if event >= 0:
                    left_s[event, layer - 1] = max(left_s[event, layer - 1], riding_s[run, layer])


@kernel
def _mark(
    connections: ConnectionArrays, scanned: Scanned, left_s: NDArray[np.int32], n_lanes: int, found: NDArray[np.bool_]
) -> None:
    """Mark the runs with an event whose row is smaller, in a lane that counts, than that of the event that follows."""
    low, waiting = scanned.low, scanned.waiting
    for event in range(len(left_s)):
        row, following = scanned.waiting_row[event], connections.next_event[event + low] - low
        if row < 0 or found[connections.run[event + low]]:
            continue
        later = scanned.waiting_row[following] if following >= 0 else np.int32(-1)
        for layer in range(left_s.shape[1]):
            if left_s[event, layer] == _NOBODY:
                continue
            latest = min(left_s[event, layer] + scanned.longest_s, NEVER - 1)
            for lane in range(layer * n_lanes, (layer + 1) * n_lanes):
                if waiting[row, lane] <= latest and (later < 0 or waiting[row, lane] < waiting[later, lane]):
                    found[connections.run[event + low]] = True
