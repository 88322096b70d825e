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

from typing import Final

import numpy as np

from community_routes.base.kernels import kernel

NEVER: Final = 32767
"""No arrival, in 16-bit seconds."""

LOOK_AHEAD_S: Final = 1800
"""How long after the last departure vehicles are looked at to tell which boardings are useless; changes no answer."""


@kernel
def _lower(target, source):  # type: ignore[no-untyped-def]
    """The smaller of two rows, lane by lane, into the first."""
    for lane in range(len(target)):
        target[lane] = min(target[lane], source[lane])


@kernel
def _begin(on_board):  # type: ignore[no-untyped-def]
    """A row that reaches nothing yet."""
    for lane in range(len(on_board)):
        on_board[lane] = NEVER


@kernel
def scan_connections(  # type: ignore[no-untyped-def]
    position,
    low,
    high,
    base_s,
    horizon_s,
    departure_s,
    arrival_s,
    run,
    alight_stop,
    is_event,
    next_event,
    is_tied,
    transfer_first,
    transfer,
    egress_row,
    egress_s,
    riding,
    is_riding,
    waiting_row,
    rows,
    n_rows,
    longest_s,
):
    """Scan connections ``position`` to ``high``, latest departure first, until done or until ``rows`` may be too few.

    A row holds all layers: lanes of one ride left, then of two, and so on. Where no connection of a second can change to
    another of that second, all layers of a connection are done at once; otherwise layer by layer.

    Parameters
    ----------
    position : int
        Where to go on; ``low`` at first.
    low, high : int
        The connections of this search.
    base_s, horizon_s : int
        Row values are seconds after ``base_s``; arrivals later than ``horizon_s`` after it do not count.
    is_tied : bool
        Connections that can change to one that leaves in the same second.
    egress_row : int32, shape (n_stops,)
        Row of ``egress_s`` for each stop, -1 where no lane is near.
    egress_s : int16, shape (n, n_lanes)
        Walk from the stop to each destination; NEVER where there is none.
    riding : int16, shape (n_runs, n_layers * n_lanes)
        The row of each vehicle at the hop scanned last.
    is_riding : bool, shape (n_runs,)
        Whether that row has been begun; False at first.
    waiting_row : int32, shape (high - low,)
        Gets the row of each event, -1 where it reaches no lane.
    rows : int16, shape (capacity, n_layers * n_lanes)
        The waiting rows.
    n_rows : int
        How many are in use.
    longest_s : int
        Limit of a journey. Who leaves with a connection left home no later than it does, so a row whose soonest arrival
        is farther than that from the connection's departure is of use to nobody, and ends there.

    Returns
    -------
    (position, n_rows)
    """
    width = riding.shape[1]
    n_lanes = egress_s.shape[1]
    n_layers = width // n_lanes
    there = np.empty(n_lanes, np.int16)
    while position < high:
        group_end = position + 1
        while group_end < high and departure_s[group_end] == departure_s[position]:
            group_end += 1
        if n_rows + group_end - position > len(rows):
            return position, n_rows
        together = True
        for c in range(position, group_end):
            if is_tied[c]:
                together = False
        if not together:
            n_rows = _open_rows(position, group_end, low, is_event, waiting_row, rows, n_rows)
        for k in range(1 if together else n_layers):
            first = 0 if together else k * n_lanes  # lanes of the layers that are done in this pass
            end = width if together else first + n_lanes
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
                        walks = egress_s[near]
                        arrive = np.int16(arrival)
                        most = np.int16(NEVER - arrival)
                        for lane in range(n_lanes):
                            there[lane] = np.int16(min(walks[lane], most) + arrive)
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
                                _lower(layers, rows[waiting_row[e], least - n_lanes : end - n_lanes])
                    is_riding[run[c]] = begun
                if is_event[c]:
                    later = next_event[c] - low
                    row = np.int32(-1)
                    if later >= 0:
                        row = waiting_row[later]
                    if not together:
                        mine = rows[waiting_row[c - low], first:end]
                        if begun:
                            _lower(mine, on_board[first:end])
                        if row >= 0:
                            _lower(mine, rows[row, first:end])
                    else:
                        if begun:
                            mine = rows[n_rows]
                            if row >= 0:
                                wait = rows[row]
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


@kernel
def _soonest(row):  # type: ignore[no-untyped-def]
    """The earliest arrival in a row."""
    soonest = np.int16(NEVER)
    for lane in range(len(row)):
        soonest = min(soonest, row[lane])
    return np.int64(soonest)


@kernel
def _open_rows(position, group_end, low, is_event, waiting_row, rows, n_rows):  # type: ignore[no-untyped-def]
    """Give every event of a group done layer by layer an empty row of its own."""
    for c in range(position, group_end):
        if is_event[c]:
            waiting_row[c - low] = n_rows
            mine = rows[n_rows]
            for lane in range(len(mine)):
                mine[lane] = NEVER
            n_rows += 1
    return n_rows


@kernel
def first_at_or_after(values, low, high, moment):  # type: ignore[no-untyped-def]
    """Bisection in rising values."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def find_boardings(  # type: ignore[no-untyped-def]
    access_first,
    access_to,
    access_s,
    base_s,
    step_s,
    n_departures,
    extra_s,
    latest_s,
    place_first,
    place,
    event_first,
    event,
    event_departure_s,
    run,
    position,
    n_runs,
):
    """For each origin the events worth reading at each departure, latest departure first.

    A waiting row holds all later events of its place, so at each departure and place only the first event that has become
    catchable is read; and not if the same vehicle can be caught at an earlier stop at that departure or a later one.

    Parameters
    ----------
    base_s, step_s, n_departures : int
        Departures are ``base_s + d * step_s``.
    extra_s : int
        Seconds to be at a stop before the event, beside the walk.
    latest_s : int
        Events after this second were not scanned.

    Returns
    -------
    first : int64, shape (n_origins + 1,)
    moment : int32, shape (n,)
        Index of the departure, falling within an origin.
    boarding : int32, shape (n,)
        The event (a connection).
    """
    n_origins = len(access_first) - 1
    first = np.zeros(n_origins + 1, np.int64)
    moment = np.empty(1 << 16, np.int32)
    boarding = np.empty(1 << 16, np.int32)
    n = 0
    earliest = np.empty(n_runs, np.int32)  # first position at which each vehicle can be caught
    seen_by = np.full(n_runs, -1, np.int32)
    bucket = np.empty(n_departures + 1, np.int64)
    span_s = (n_departures - 1) * step_s
    catch = np.empty((1 << 12, 3), np.int32)  # event, index of its last departure from the latest, place
    order = np.empty(1 << 12, np.int64)
    for origin in range(n_origins):
        n_catches = 0
        n_places = 0
        bucket[:] = 0
        for link in range(access_first[origin], access_first[origin + 1]):
            lead_s = access_s[link] + extra_s
            for j in range(place_first[access_to[link]], place_first[access_to[link] + 1]):
                n_places += 1
                end = event_first[place[j] + 1]
                after_last = 0
                for i in range(first_at_or_after(event_departure_s, event_first[place[j]], end, base_s + lead_s), end):
                    spare_s = event_departure_s[i] - lead_s - base_s
                    if event_departure_s[i] > latest_s or (spare_s > span_s + LOOK_AHEAD_S and after_last > 0):
                        break
                    if n_catches == len(catch):
                        more_catches = np.empty((2 * n_catches, 3), np.int32)
                        more_catches[:n_catches] = catch
                        catch = more_catches
                        order = np.empty(2 * n_catches, np.int64)
                    back = n_departures - 1 - min(spare_s // step_s, n_departures - 1)
                    after_last += back == 0
                    catch[n_catches, 0] = event[i]
                    catch[n_catches, 1] = back
                    catch[n_catches, 2] = n_places
                    bucket[back + 1] += 1
                    n_catches += 1
        for back in range(n_departures):
            bucket[back + 1] += bucket[back]
        for i in range(n_catches - 1, -1, -1):
            back = catch[i, 1]
            bucket[back + 1] -= 1
            order[bucket[back + 1]] = i
        if n + n_catches > len(moment):
            more = np.empty(2 * (n + n_catches), np.int32)
            more[:n] = moment[:n]
            moment = more
            more = np.empty(2 * (n + n_catches), np.int32)
            more[:n] = boarding[:n]
            boarding = more
        start = 0
        for back in range(n_departures):
            end = bucket[back + 2] if back + 2 <= n_departures else n_catches
            for x in range(start, end):
                e = catch[order[x], 0]
                r = run[e]
                if seen_by[r] != origin or position[e] < earliest[r]:
                    seen_by[r] = origin
                    earliest[r] = position[e]
            read = -1  # the place whose event has been found
            for x in range(start, end):
                e = catch[order[x], 0]
                here = catch[order[x], 2]
                last_of_place = x + 1 == end or catch[order[x + 1], 2] != here
                # At the latest departure a place is read even if all its events in the look-ahead are useless: the row
                # of the last of them stands for the later ones.
                if here != read and (earliest[run[e]] == position[e] or (back == 0 and last_of_place)):
                    moment[n] = n_departures - 1 - back
                    boarding[n] = e
                    n += 1
                    read = here
            start = end
        first[origin + 1] = n
    return first, moment[:n].copy(), boarding[:n].copy()


@kernel
def _times_of_departures(  # type: ignore[no-untyped-def]
    origin, boarding_first, moment, boarding, waiting_row, top, low, rows, offset_s, max_travel_s, walk_s, best, times
):
    """Fill ``times`` (departure, lane) with 16-bit travel times of one origin; whether any vehicle helps.

    Where none does, nothing is filled: one walks.
    """
    n_departures, n_lanes = times.shape
    any_ride = False
    at = boarding_first[origin]
    end = boarding_first[origin + 1]
    while at < end and waiting_row[boarding[at] - low] < 0:
        at += 1
    if at == end:
        return False
    for d in range(n_departures - 1, -1, -1):
        while at < end and moment[at] == d:
            row = waiting_row[boarding[at] - low]
            at += 1
            if row >= 0:
                wait = rows[row, top:]
                if any_ride:
                    for lane in range(n_lanes):
                        best[lane] = min(best[lane], wait[lane])
                else:
                    for lane in range(n_lanes):
                        best[lane] = wait[lane]
                    any_ride = True
        line = times[d]
        if any_ride:
            leave = np.int16(offset_s[d])
            limit = np.int16(max_travel_s)
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
def read_percentiles(  # type: ignore[no-untyped-def]
    origins,
    boarding_first,
    moment,
    boarding,
    waiting_row,
    top,
    low,
    rows,
    offset_s,
    max_travel_s,
    direct_first,
    direct_to,
    direct_s,
    lane_of,
    destination_of,
    comparators,
    ranks,
    result,
):
    """Percentiles of travel time of each origin to the lanes' destinations, into ``result`` (percentile, origin, destination).

    The times of all departures are sorted lane by lane with a sorting network (Batcher, 1968), a vector minimum and
    maximum for each comparator; only comparators that the ranks depend on are in the list.
    """
    n_lanes = rows.shape[1] - top
    n_used = len(destination_of)
    times = np.empty((len(offset_s), n_lanes), np.int16)
    best = np.empty(n_lanes, np.int16)
    walk_s = np.empty(n_lanes, np.int16)
    for origin in origins:
        for lane in range(n_lanes):
            walk_s[lane] = NEVER
        for link in range(direct_first[origin], direct_first[origin + 1]):
            lane = lane_of[direct_to[link]]
            if lane >= 0 and direct_s[link] <= max_travel_s:
                walk_s[lane] = direct_s[link]
        any_ride = _times_of_departures(
            origin, boarding_first, moment, boarding, waiting_row, top, low, rows, offset_s, max_travel_s, walk_s,
            best, times,
        )  # fmt: skip
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
            for lane in range(n_used):
                target[destination_of[lane]] = line[lane]


@kernel
def read_all_departures(  # type: ignore[no-untyped-def]
    origins,
    boarding_first,
    moment,
    boarding,
    waiting_row,
    top,
    low,
    rows,
    offset_s,
    max_travel_s,
    direct_first,
    direct_to,
    direct_s,
    lane_of,
    destination_of,
    first_departure,
    result,
):
    """Travel times of every departure, into ``result`` (origin, departure, destination) from ``first_departure`` on."""
    n_lanes = rows.shape[1] - top
    n_used = len(destination_of)
    n_departures = len(offset_s)
    times = np.empty((n_departures, n_lanes), np.int16)
    best = np.empty(n_lanes, np.int16)
    walk_s = np.empty(n_lanes, np.int16)
    for i in range(len(origins)):
        origin = origins[i]
        for lane in range(n_lanes):
            walk_s[lane] = NEVER
        for link in range(direct_first[origin], direct_first[origin + 1]):
            lane = lane_of[direct_to[link]]
            if lane >= 0 and direct_s[link] <= max_travel_s:
                walk_s[lane] = direct_s[link]
        any_ride = _times_of_departures(
            origin, boarding_first, moment, boarding, waiting_row, top, low, rows, offset_s, max_travel_s, walk_s,
            best, times,
        )  # fmt: skip
        for d in range(n_departures):
            target = result[i, first_departure + d]
            line = times[d] if any_ride else walk_s
            for lane in range(n_used):
                target[destination_of[lane]] = line[lane]


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
