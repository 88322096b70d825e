"""The compiled loops of the search: departure profiles by a batched connection scan.

Recurrence (Dibbelt, Pajor, Strasser, Wagner, Connection Scan Algorithm, J. Exp. Algorithmics 23, 2018, profile variant).
For each connection ``c`` and number of rides still allowed ``k`` (this one included), and for each destination (a lane):

    on board(c, k) = earliest arrival of
        staying on the vehicle:             on board(next hop of the run, k)
        alighting and walking to the end:   arrival(c) + egress
        alighting and changing, k > 1:      waiting(first event reached at each waiting place, k - 1)
    waiting(e, k)  = earliest arrival of on board(e, k) and waiting(next event at the same place, k)

Connections that leave in the same second are one group, done layer by layer: all for k = 1, then all for k = 2, so that a
row of ``k - 1`` is final when it is read (zero-minute hops, no slack). Rows are 16-bit seconds from a base moment, one lane
for each destination of the block, so that the inner loops are vector minima. Kernels that call each other live in this file.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel, step
from community_routes.network.timetable.connections import ConnectionArrays
from community_routes.network.walks.points import LinkArrays

NEVER: Final = 32767
"""No arrival, in 16-bit seconds."""

LOOK_AHEAD_S: Final = 1800
"""How long after the last departure vehicles are looked at to tell which boardings are useless; changes no answer."""

Row = NDArray[np.int16]


class Hours(NamedTuple):
    """The connections of one scan, and how its rows count time.

    Attributes
    ----------
    low, high : int
        The first connection, and the one after the last.
    base_s, horizon_s : int
        Row values are seconds after ``base_s``; arrivals later than ``horizon_s`` after it do not count.
    longest_s : int
        Limit of a journey. Who leaves with a connection left home no later than it does, so a row whose soonest arrival
        is farther than that from the connection's departure is of use to nobody, and ends there.
    """

    low: int
    high: int
    base_s: int
    horizon_s: int
    longest_s: int


class Egress(NamedTuple):
    """Walks from stops to the lanes of a block.

    Attributes
    ----------
    row : int32, shape (n_stops,)
        Row of ``walk_s`` for each stop, -1 where no lane is near.
    walk_s : int16, shape (n, n_lanes)
        Walk from the stop to each destination; NEVER where there is none.
    """

    row: NDArray[np.int32]
    walk_s: NDArray[np.int16]


class Rows(NamedTuple):
    """What a scan fills. A row holds all layers: lanes of one ride left, then of two, and so on.

    Attributes
    ----------
    riding : int16, shape (n_runs, n_layers * n_lanes)
        The row of each vehicle at the hop scanned last.
    is_riding : bool, shape (n_runs,)
        Whether that row has been begun; False at first.
    waiting_row : int32, shape (high - low,)
        Gets the row of each event in ``waiting``, -1 where it reaches no lane.
    waiting : int16, shape (capacity, n_layers * n_lanes)
        The waiting rows.
    """

    riding: NDArray[np.int16]
    is_riding: NDArray[np.bool_]
    waiting_row: NDArray[np.int32]
    waiting: NDArray[np.int16]


class Departures(NamedTuple):
    """Moments at which origins are left, and which events they may catch.

    Attributes
    ----------
    base_s, step_s, n : int
        Departures are ``base_s + d * step_s``.
    extra_s : int
        Seconds to be at a stop before the event, beside the walk.
    latest_s : int
        Events after this second were not scanned.
    """

    base_s: int
    step_s: int
    n: int
    extra_s: int
    latest_s: int


class Boardings(NamedTuple):
    """For each origin the events worth reading, latest departure first.

    Attributes
    ----------
    first : int64, shape (n_origins + 1,)
    moment : int32, shape (n,)
        Index of the departure, falling within an origin.
    event : int32, shape (n,)
        A connection.
    """

    first: NDArray[np.int64]
    moment: NDArray[np.int32]
    event: NDArray[np.int32]


class Scanned(NamedTuple):
    """What a scan found, to be read by origins.

    Attributes
    ----------
    waiting_row, waiting : as in ``Rows``
    top : int
        The first lane of the layer with all rides.
    low : int
        The connection of ``waiting_row[0]``.
    offset_s : int32, shape (n_departures,)
        Departures, in seconds after the base of the rows.
    longest_s : int
        Limit of a journey.
    """

    waiting_row: NDArray[np.int32]
    waiting: NDArray[np.int16]
    top: int
    low: int
    offset_s: NDArray[np.int32]
    longest_s: int


class Lanes(NamedTuple):
    """The lanes of a block.

    Attributes
    ----------
    of : int32, shape (n_destinations,)
        Lane of each destination, -1 for those of other blocks.
    column : int32, shape (n_used,)
        Where each lane's times go in the result.
    """

    of: NDArray[np.int32]
    column: NDArray[np.int32]


@step
def _lower(target: Row, source: Row) -> None:
    """The smaller of two rows, lane by lane, into the first."""
    for lane in range(len(target)):
        target[lane] = min(target[lane], source[lane])


@step
def _begin(on_board: Row) -> None:
    """A row that reaches nothing yet."""
    for lane in range(len(on_board)):
        on_board[lane] = NEVER


@kernel
def scan_connections(
    position: int, n_rows: int, hours: Hours, connections: ConnectionArrays, egress: Egress, rows: Rows
) -> tuple[int, int]:
    """Scan the connections from ``position`` on, latest departure first, until done or until rows may be too few.

    Where no connection of a second can change to another of that second, all layers of a connection are done at once;
    otherwise layer by layer.

    Parameters
    ----------
    position : int
        Where to go on; ``hours.low`` at first.
    n_rows : int
        How many waiting rows are in use.

    Returns
    -------
    (position, n_rows)
    """
    # Named once, and all in one loop: to fetch an array from its tuple for each connection takes as long as the work.
    low, high, base_s, horizon_s, longest_s = hours
    departure_s, arrival_s, run = connections.departure_s, connections.arrival_s, connections.run
    alight_stop, next_event, is_event = connections.alight_stop, connections.next_event, connections.is_event
    is_tied, transfer_first, transfer = connections.is_tied, connections.transfer_first, connections.transfer
    egress_row, egress_s = egress
    riding, is_riding, waiting_row, waiting = rows
    width = riding.shape[1]
    n_lanes = egress_s.shape[1]
    there = np.empty(n_lanes, np.int16)
    while position < high:
        group_end = position + 1
        while group_end < high and departure_s[group_end] == departure_s[position]:
            group_end += 1
        if n_rows + group_end - position > len(waiting):
            return position, n_rows
        together = True
        for c in range(position, group_end):
            if is_tied[c]:
                together = False
        if not together:
            n_rows = _open_rows(position, group_end, n_rows, low, is_event, waiting_row, waiting)
        lanes_at_once = width if together else n_lanes
        for first in range(0, width, lanes_at_once):
            end = first + lanes_at_once
            for c in range(position, group_end):
                on_board = riding[run[c]]
                begun = is_riding[run[c]]
                stop = alight_stop[c]
                arrival = arrival_s[c] - base_s
                if stop >= 0 and arrival <= horizon_s:
                    near = egress_row[stop]
                    if near >= 0:
                        if not begun:
                            _begin(on_board)
                            begun = True
                        _walk_to_the_end(np.int16(arrival), egress_s[near], there)
                        for at in range(first, end, n_lanes):
                            _lower(on_board[at : at + n_lanes], there)
                    least = max(first, n_lanes)  # with one ride left there is no change
                    if least < end:
                        layers = on_board[least:end]
                        for t in range(transfer_first[c], transfer_first[c + 1]):
                            e = transfer[t] - low
                            if e >= 0 and waiting_row[e] >= 0:
                                if not begun:
                                    _begin(on_board)
                                    begun = True
                                _lower(layers, waiting[waiting_row[e], least - n_lanes : end - n_lanes])
                    is_riding[run[c]] = begun
                if is_event[c]:
                    later = next_event[c] - low
                    row = np.int32(-1)
                    if later >= 0:
                        row = waiting_row[later]
                    if not together:
                        mine = waiting[waiting_row[c - low], first:end]
                        if begun:
                            _lower(mine, on_board[first:end])
                        if row >= 0:
                            _lower(mine, waiting[row, first:end])
                    else:
                        if begun:
                            mine = waiting[n_rows]
                            if row >= 0:
                                wait = waiting[row]
                                for lane in range(width):
                                    mine[lane] = min(on_board[lane], wait[lane])
                            else:
                                for lane in range(width):
                                    mine[lane] = on_board[lane]
                            if _soonest(mine) - (departure_s[c] - base_s) <= longest_s:
                                row = np.int32(n_rows)
                                n_rows += 1
                            else:
                                row = np.int32(-1)
                                is_riding[run[c]] = False
                        waiting_row[c - low] = row
        position = group_end
    return position, n_rows


@step
def _walk_to_the_end(arrive: np.int16, walk_s: Row, there: Row) -> None:
    """When each lane is reached on foot by who alights at ``arrive``."""
    most = np.int16(NEVER - arrive)
    for lane in range(len(there)):
        there[lane] = np.int16(min(walk_s[lane], most) + arrive)


@step
def _soonest(row: Row) -> np.int64:
    """The earliest arrival in a row."""
    soonest = np.int16(NEVER)
    for lane in range(len(row)):
        soonest = min(soonest, row[lane])
    return np.int64(soonest)


@step
def _open_rows(
    position: int,
    group_end: int,
    n_rows: int,
    low: int,
    is_event: NDArray[np.bool_],
    waiting_row: NDArray[np.int32],
    waiting: NDArray[np.int16],
) -> int:
    """Give every event of a group done layer by layer an empty row of its own."""
    for c in range(position, group_end):
        if is_event[c]:
            waiting_row[c - low] = n_rows
            _begin(waiting[n_rows])
            n_rows += 1
    return n_rows


@step
def _first_at_or_after(values: NDArray[np.int32], low: int, high: int, moment: int) -> int:
    """Bisection in rising values."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


class _Catches(NamedTuple):
    """The events that an origin may catch, as they are found: the connection, how many departures before the latest it is
    caught with at last, and a number for its waiting place; and their ``order``, latest departure first."""

    event: NDArray[np.int32]
    back: NDArray[np.int32]
    place: NDArray[np.int32]
    order: NDArray[np.int64]


@kernel
def find_boardings(
    access: LinkArrays, connections: ConnectionArrays, n_runs: int, departures: Departures
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """For each origin the events worth reading at each departure, latest departure first: the parts of ``Boardings``.

    A waiting row holds all later events of its place, so at each departure and place only the first event that has become
    catchable is read; and not if the same vehicle can be caught at an earlier stop at that departure or a later one.
    """
    run, position = connections.run, connections.position
    n_origins = len(access.first) - 1
    first = np.zeros(n_origins + 1, np.int64)
    moment = np.empty(1 << 16, np.int32)
    boarding = np.empty(1 << 16, np.int32)
    n = np.int64(0)
    earliest = np.empty(n_runs, np.int32)  # first position at which each vehicle can be caught
    seen_by = np.empty(n_runs, np.int32)
    seen_by[:] = -1
    catches = _room_for(departures.n)
    until = np.empty(departures.n, np.int64)
    for origin in range(n_origins):
        most = _most_catches(origin, access, connections, departures)
        if most > len(catches.order):
            catches = _room_for(2 * most)
        n_catches = _catch(origin, access, connections, departures, catches)
        _sort_by_departure(n_catches, catches, until)
        if n + n_catches > len(moment):
            moment, boarding = _longer(moment, n, n + n_catches), _longer(boarding, n, n + n_catches)
        event, place, order = catches.event, catches.place, catches.order
        start = 0
        for back in range(departures.n):
            end = until[back]
            for x in range(start, end):
                e = event[order[x]]
                r = run[e]
                if seen_by[r] != origin or position[e] < earliest[r]:
                    seen_by[r] = origin
                    earliest[r] = position[e]
            read = -1  # the place whose event has been found
            for x in range(start, end):
                e = event[order[x]]
                here = place[order[x]]
                last_of_place = x + 1 == end or place[order[x + 1]] != here
                # At the latest departure a place is read even if all its events in the look-ahead are useless: the row
                # of the last of them stands for the later ones.
                if here != read and (earliest[run[e]] == position[e] or (back == 0 and last_of_place)):
                    moment[n] = departures.n - 1 - back
                    boarding[n] = e
                    n += 1
                    read = here
            start = end
        first[origin + 1] = n
    return first, moment[:n].copy(), boarding[:n].copy()


@step
def _room_for(n: int) -> _Catches:
    return _Catches(np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int64))


@step
def _longer(values: NDArray[np.int32], n: int, room: int) -> NDArray[np.int32]:
    """The first ``n`` values in an array with twice the room asked for."""
    longer = np.empty(2 * room, np.int32)
    for i in range(n):
        longer[i] = values[i]
    return longer


@step
def _most_catches(origin: int, access: LinkArrays, connections: ConnectionArrays, departures: Departures) -> int:
    """How many events ``_catch`` may find."""
    place_first, place, event_first = connections.place_first, connections.place, connections.event_first
    most = 0
    for link in range(access.first[origin], access.first[origin + 1]):
        soonest_s = departures.base_s + access.walk_s[link] + departures.extra_s
        latest_s = soonest_s + (departures.n - 1) * departures.step_s + LOOK_AHEAD_S
        for j in range(place_first[access.to[link]], place_first[access.to[link] + 1]):
            begin, end = event_first[place[j]], event_first[place[j] + 1]
            begin = _first_at_or_after(connections.event_departure_s, begin, end, soonest_s)
            most += _first_at_or_after(connections.event_departure_s, begin, end, latest_s + 1) - begin + 1
    return most


@step
def _catch(
    origin: int, access: LinkArrays, connections: ConnectionArrays, departures: Departures, catches: _Catches
) -> int:
    """Find the events that can be caught from an origin's stops; gives how many."""
    place_first, place, event_first = connections.place_first, connections.place, connections.event_first
    event, event_departure_s = connections.event, connections.event_departure_s
    last = departures.n - 1
    span_s = last * departures.step_s
    n_catches = 0
    n_places = 0
    for link in range(access.first[origin], access.first[origin + 1]):
        soonest_s = departures.base_s + access.walk_s[link] + departures.extra_s
        for j in range(place_first[access.to[link]], place_first[access.to[link] + 1]):
            n_places += 1
            end = event_first[place[j] + 1]
            after_last = 0
            for i in range(_first_at_or_after(event_departure_s, event_first[place[j]], end, soonest_s), end):
                spare_s = event_departure_s[i] - soonest_s
                if event_departure_s[i] > departures.latest_s or (spare_s > span_s + LOOK_AHEAD_S and after_last > 0):
                    break
                back = last - min(spare_s // departures.step_s, last)
                after_last += back == 0
                catches.event[n_catches] = event[i]
                catches.back[n_catches] = back
                catches.place[n_catches] = n_places
                n_catches += 1
    return n_catches


@step
def _sort_by_departure(n_catches: int, catches: _Catches, until: NDArray[np.int64]) -> None:
    """Order the catches by counting, as found within a departure; ``until`` gets where each departure's end."""
    until[:] = 0
    for i in range(n_catches):
        until[catches.back[i]] += 1
    for back in range(1, len(until)):
        until[back] += until[back - 1]
    for i in range(n_catches - 1, -1, -1):
        until[catches.back[i]] -= 1
        catches.order[until[catches.back[i]]] = i
    for back in range(len(until) - 1):
        until[back] = until[back + 1]
    until[-1] = n_catches


@step
def _walks_of(origin: int, direct: LinkArrays, lanes: Lanes, longest_s: int, walk_s: Row) -> None:
    """Seconds on foot all the way from an origin, by lane."""
    _begin(walk_s)
    for link in range(direct.first[origin], direct.first[origin + 1]):
        lane = lanes.of[direct.to[link]]
        if lane >= 0 and direct.walk_s[link] <= longest_s:
            walk_s[lane] = direct.walk_s[link]


@step
def _times_of_departures(
    origin: int, boardings: Boardings, scanned: Scanned, walk_s: Row, best: Row, times: NDArray[np.int16]
) -> bool:
    """Fill ``times`` (departure, lane) with 16-bit travel times of one origin; whether any vehicle helps.

    Where none does, nothing is filled: one walks.
    """
    moment, boarding, waiting_row, low = boardings.moment, boardings.event, scanned.waiting_row, scanned.low
    n_departures, n_lanes = times.shape
    any_ride = False
    at = boardings.first[origin]
    end = boardings.first[origin + 1]
    while at < end and waiting_row[boarding[at] - low] < 0:
        at += 1
    if at == end:
        return False
    for d in range(n_departures - 1, -1, -1):
        while at < end and moment[at] == d:
            row = waiting_row[boarding[at] - low]
            at += 1
            if row >= 0:
                wait = scanned.waiting[row, scanned.top :]
                if any_ride:
                    _lower(best, wait)
                else:
                    for lane in range(n_lanes):
                        best[lane] = wait[lane]
                    any_ride = True
        line = times[d]
        if any_ride:
            leave = np.int16(scanned.offset_s[d])
            limit = np.int16(scanned.longest_s)
            for lane in range(n_lanes):
                taken = np.int16(best[lane] - leave)
                if taken > limit:
                    taken = np.int16(NEVER)
                line[lane] = min(taken, walk_s[lane])
        else:
            for lane in range(n_lanes):
                line[lane] = walk_s[lane]
    return any_ride


@kernel
def read_percentiles(
    origins: NDArray[np.int32],
    boardings: Boardings,
    scanned: Scanned,
    direct: LinkArrays,
    lanes: Lanes,
    comparators: NDArray[np.int32],
    ranks: NDArray[np.int64],
    result: NDArray[np.int16],
) -> None:
    """Percentiles of travel time of each origin to the lanes' destinations, into ``result`` (percentile, origin, destination).

    The times of all departures are sorted lane by lane with a sorting network (Batcher, 1968), a vector minimum and
    maximum for each comparator; only comparators that the ranks depend on are in the list.
    """
    n_lanes = scanned.waiting.shape[1] - scanned.top
    column = lanes.column
    times = np.empty((len(scanned.offset_s), n_lanes), np.int16)
    best = np.empty(n_lanes, np.int16)
    walk_s = np.empty(n_lanes, np.int16)
    for origin in origins:
        _walks_of(origin, direct, lanes, scanned.longest_s, walk_s)
        any_ride = _times_of_departures(origin, boardings, scanned, walk_s, best, times)
        if any_ride:
            for i in range(len(comparators)):
                lower = times[comparators[i, 0]]
                upper = times[comparators[i, 1]]
                for lane in range(n_lanes):
                    a = lower[lane]
                    b = upper[lane]
                    lower[lane] = min(a, b)
                    upper[lane] = max(a, b)
        for p in range(len(ranks)):
            line = times[ranks[p]] if any_ride else walk_s
            target = result[p, origin]
            for lane in range(len(column)):
                target[column[lane]] = line[lane]


@kernel
def read_all_departures(
    origins: NDArray[np.int32],
    boardings: Boardings,
    scanned: Scanned,
    direct: LinkArrays,
    lanes: Lanes,
    first_departure: int,
    result: NDArray[np.int16],
) -> None:
    """Travel times of every departure, into ``result`` (origin, departure, destination) from ``first_departure`` on."""
    n_lanes = scanned.waiting.shape[1] - scanned.top
    column = lanes.column
    times = np.empty((len(scanned.offset_s), n_lanes), np.int16)
    best = np.empty(n_lanes, np.int16)
    walk_s = np.empty(n_lanes, np.int16)
    for i in range(len(origins)):
        _walks_of(origins[i], direct, lanes, scanned.longest_s, walk_s)
        any_ride = _times_of_departures(origins[i], boardings, scanned, walk_s, best, times)
        for d in range(len(times)):
            target = result[i, first_departure + d]
            line = times[d] if any_ride else walk_s
            for lane in range(len(column)):
                target[column[lane]] = line[lane]


@kernel
def read_sums(
    origins: NDArray[np.int32],
    boardings: Boardings,
    scanned: Scanned,
    direct: LinkArrays,
    lanes: Lanes,
    amount: NDArray[np.int64],
    limit_s: int,
    first_departure: int,
    result: NDArray[np.int64],
) -> None:
    """Add to ``result`` (origin, departure) the amounts of all lanes that are reached within a limit; no time is kept."""
    n_lanes = scanned.waiting.shape[1] - scanned.top
    times = np.empty((len(scanned.offset_s), n_lanes), np.int16)
    best = np.empty(n_lanes, np.int16)
    walk_s = np.empty(n_lanes, np.int16)
    limit = np.int16(limit_s)
    for origin in origins:
        _walks_of(origin, direct, lanes, scanned.longest_s, walk_s)
        any_ride = _times_of_departures(origin, boardings, scanned, walk_s, best, times)
        for d in range(len(times)):
            line = times[d] if any_ride else walk_s
            total = np.int64(0)
            for lane in range(n_lanes):
                total += amount[lane] if line[lane] <= limit else np.int64(0)
            result[origin, first_departure + d] += total


def sorting_network(n: int, ranks: list[int]) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Comparators of Batcher's odd-even merge sort for ``n`` values that the given ranks of the result depend on.

    Returns
    -------
    int32, shape (n_comparators, 2)
        Pairs (lower, upper), in order: after each, the value at ``lower`` is the smaller.
    """
    pairs: list[tuple[int, int]] = []
    size = 1
    while size < n:
        step = size
        while step >= 1:
            for j in range(step % size, n - step, 2 * step):
                for i in range(min(step, n - j - step)):
                    if (i + j) // (2 * size) == (i + j + step) // (2 * size):
                        pairs.append((i + j, i + j + step))
            step //= 2
        size *= 2
    needed = set(ranks)
    kept: list[tuple[int, int]] = []
    for lower, upper in reversed(pairs):
        if lower in needed or upper in needed:
            needed |= {lower, upper}
            kept.append((lower, upper))
    return np.array(kept[::-1], np.int32).reshape(-1, 2)
