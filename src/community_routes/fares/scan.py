"""The connection scan with allowances instead of a number of rides: what a traveller may still ride and pay for.

An *allowance* is a state: so many rides left and so much money, with or without some tickets. Boarding a ride of a price
class leads to a smaller allowance, or is not allowed. For every waiting place, allowance and destination (a lane):

    on board(c, s) = earliest arrival of staying on the vehicle, of alighting and walking to the end, and of
                     alighting and waiting with the allowance that is left: waiting(change, after(s, class of the ride))
    waiting(e, s)  = earliest arrival of on board(e, s) and waiting(next event at the same place, s)

where s is the allowance before boarding. On a *metered* run the class depends on where one alights, so that every end of
the ride is tried from each boarding. Allowances are numbered so that what is left has the smaller number: within a second
they are done in that order, and a row is final when it is read. Unlike the scan for time alone, no change is left out:
one that is useless for time may be the cheaper one. Instead, vehicles that nobody can be in and places where nobody can
wait are left out: ``catchable`` finds them by a scan in the order of time. Kernels that call each other live in this file.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from community_routes.base.kernels import kernel

NEVER: Final = 32767
"""No arrival, in 16-bit seconds after the first departure."""


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
def catchable(  # type: ignore[no-untyped-def]
    low,
    high,
    departure_s,
    arrival_s,
    run,
    board_place,
    alight_place,
    change_first,
    change_to,
    change_s,
    ready_s,
    boarded,
):
    """Which connections somebody can wait for, and in which somebody can ride: two bool arrays (high - low,).

    Neither rides nor money nor the length of a journey are limited here, so that nothing of use is left out.

    Parameters
    ----------
    ready_s : int32, shape (n_places,)
        The first moment at which somebody from an origin can board at each waiting place; lowered by changes.
    boarded : bool, shape (n_runs,), False at first
    """
    caught = np.zeros(high - low, np.bool_)
    ridden = np.zeros(high - low, np.bool_)
    end = high
    while end > low:
        begin = end - 1
        while begin > low and departure_s[begin - 1] == departure_s[end - 1]:
            begin -= 1
        again = True
        while again:  # within a second one may change to any other vehicle of that second
            again = False
            for c in range(end - 1, begin - 1, -1):
                place = board_place[c]
                if place >= 0 and not caught[c - low] and ready_s[place] <= departure_s[c]:
                    caught[c - low] = True
                    boarded[run[c]] = True
                if boarded[run[c]] and not ridden[c - low]:
                    ridden[c - low] = True
                    again = True
                    place = alight_place[c]
                    if place >= 0:
                        for change in range(change_first[place], change_first[place + 1]):
                            moment = arrival_s[c] + change_s[change]
                            if moment < ready_s[change_to[change]]:
                                ready_s[change_to[change]] = moment
        end = begin
    return caught, ridden


@kernel
def all_changes(  # type: ignore[no-untyped-def]
    low, high, arrival_s, alight_place, change_first, change_to, change_s, event_first, event, event_departure_s, wanted
):
    """For each wanted connection the first event at every waiting place that it can change to: (first, to).

    ``wanted`` is bool, shape (high - low,); the others have no changes.
    """
    first = np.zeros(high - low + 1, np.int64)
    to = np.empty(1 << 12, np.int32)
    n = 0
    for c in range(low, high):
        place = alight_place[c] if wanted[c - low] else -1
        if place >= 0:
            for change in range(change_first[place], change_first[place + 1]):
                waiting = change_to[change]
                found = first_at_or_after(
                    event_departure_s, event_first[waiting], event_first[waiting + 1], arrival_s[c] + change_s[change]
                )
                if found < event_first[waiting + 1] and event[found] >= low:
                    if n == len(to):
                        more = np.empty(2 * n, np.int32)
                        more[:n] = to
                        to = more
                    to[n] = event[found]
                    n += 1
        first[c - low + 1] = n
    return first, to[:n].copy()


@kernel
def _lower(target, source):  # type: ignore[no-untyped-def]
    """The smaller of two rows, lane by lane, into the first."""
    for lane in range(len(target)):
        target[lane] = min(target[lane], source[lane])


@kernel
def _end_here(  # type: ignore[no-untyped-def]
    row, begun, c, low, left, base_s, latest_s, arrival_s, alight_stop, changes, change_to, egress_row, egress_s, event_row,
    waiting_row, rows,
):  # fmt: skip
    """Lower a row by alighting after connection ``c`` with the allowance ``left``; whether the row is begun now."""
    if arrival_s[c] > latest_s:
        return begun
    near = egress_row[alight_stop[c]]
    if near >= 0:
        if not begun:
            row[:] = NEVER
            begun = True
        walks = egress_s[near]
        arrive = np.int16(arrival_s[c] - base_s)
        most = np.int16(NEVER - arrive)
        for lane in range(len(row)):
            row[lane] = min(row[lane], np.int16(min(walks[lane], most) + arrive))
    for t in range(changes[c - low], changes[c - low + 1]):
        other = waiting_row[event_row[change_to[t] - low], left]
        if other >= 0:
            if begun:
                _lower(row, rows[other])
            else:
                row[:] = rows[other]
                begun = True
    return begun


@kernel
def _soonest(row):  # type: ignore[no-untyped-def]
    """The earliest arrival in a row."""
    soonest = np.int16(NEVER)
    for lane in range(len(row)):
        soonest = min(soonest, row[lane])
    return np.int64(soonest)


@kernel
def scan_allowances(  # type: ignore[no-untyped-def]
    position,
    low,
    high,
    base_s,
    latest_s,
    longest_s,
    departure_s,
    arrival_s,
    run,
    place_in_run,
    alight_stop,
    next_event,
    ridden,
    event_row,
    changes,
    change_to,
    egress_row,
    egress_s,
    run_row,
    run_class,
    after,
    run_first,
    connection_of,
    pair_first,
    pair_class,
    waiting_row,
    riding,
    is_riding,
    rows,
    n_rows,
):
    """Scan connections ``position`` to ``high``, latest departure first, until done or until ``rows`` may be too few.

    Parameters
    ----------
    position : int
        Where to go on; ``low`` at first.
    base_s, latest_s : int
        Row values are seconds after ``base_s``; arrivals after ``latest_s`` do not count.
    longest_s : int
        Limit of a journey. Who leaves with a connection left home no later than it does, so a row whose soonest arrival
        is farther than that from the connection's departure is of use to nobody, and ends there.
    ridden : bool, shape (high - low,)
        Connections in which somebody can be; the others are passed over.
    event_row : int32, shape (high - low,)
        Row of each event in ``waiting_row``, -1 where nobody can wait.
    egress_row : int32, shape (n_stops,)
        Row of ``egress_s`` for each stop, -1 where no lane is near.
    egress_s : int16, shape (n, n_lanes)
        Walk from the stop to each destination; NEVER where there is none.
    run_row : int32, shape (n_runs,)
        Row of each flat run in ``riding``.
    run_class : int32, shape (n_runs,)
        Price class of each flat run, -1 for a metered one.
    after : int32, shape (n_allowances, n_classes)
        What is left after boarding; -1 where it is not allowed.
    run_first : int64, shape (n_runs + 1,)
        Hops of each run; ``connection_of`` says which connection a hop is.
    pair_first, pair_class
        As in ``fare_prices.PricedRuns``.
    waiting_row : int32, shape (n_events, n_allowances)
        Gets the row of each event and allowance, -1 where it reaches no lane; all -1 at first.
    riding : int16, shape (n_flat_runs, n_allowances, n_lanes)
        The row of each vehicle and allowance at the hop scanned last.
    is_riding : bool, shape (n_flat_runs, n_allowances)
        Whether that row has been begun; False at first.
    rows : int16, shape (capacity, n_lanes)
        The waiting rows; ``n_rows`` are in use.

    Returns
    -------
    (position, n_rows)
    """
    n_allowances = after.shape[0]
    while position < high:
        end = position + 1
        while end < high and departure_s[end] == departure_s[position]:
            end += 1
        if n_rows + (end - position) * n_allowances > len(rows):
            return position, n_rows
        farthest = np.int64(departure_s[position]) - base_s + longest_s
        for s in range(n_allowances):
            for c in range(position, end):
                if not ridden[c - low]:
                    continue
                r = run[c]
                e = event_row[c - low]
                wait = np.int32(-1)
                if e >= 0:
                    later = next_event[c]
                    if later >= low:
                        wait = waiting_row[event_row[later - low], s]
                    waiting_row[e, s] = wait
                if run_class[r] >= 0:
                    left = after[s, run_class[r]]
                    if left < 0:
                        continue
                    on_board = riding[run_row[r], s]
                    begun = is_riding[run_row[r], s]
                    if alight_stop[c] >= 0:
                        begun = _end_here(
                            on_board, begun, c, low, left, base_s, latest_s, arrival_s, alight_stop, changes, change_to,
                            egress_row, egress_s, event_row, waiting_row, rows,
                        )  # fmt: skip
                        is_riding[run_row[r], s] = begun
                    if e >= 0 and begun:
                        mine = rows[n_rows]
                        if wait >= 0:
                            other = rows[wait]
                            for lane in range(len(mine)):
                                mine[lane] = min(on_board[lane], other[lane])
                        else:
                            mine[:] = on_board
                        if _soonest(mine) <= farthest:
                            waiting_row[e, s] = n_rows
                            n_rows += 1
                        else:
                            waiting_row[e, s] = -1
                            is_riding[run_row[r], s] = False
                elif e >= 0:
                    mine = rows[n_rows]
                    begun = wait >= 0
                    if begun:
                        mine[:] = rows[wait]
                    n_hops = run_first[r + 1] - run_first[r]
                    changed = False
                    for j in range(place_in_run[c], n_hops):
                        there = connection_of[run_first[r] + j]
                        if there < low:
                            break
                        left = after[s, pair_class[pair_first[r] + place_in_run[c] * n_hops + j]]
                        if left >= 0 and alight_stop[there] >= 0:
                            begun = _end_here(
                                mine, begun, there, low, left, base_s, latest_s, arrival_s, alight_stop, changes, change_to,
                                egress_row, egress_s, event_row, waiting_row, rows,
                            )  # fmt: skip
                            changed = True
                    if changed and begun and _soonest(mine) <= farthest:
                        waiting_row[e, s] = n_rows
                        n_rows += 1
        position = end
    return position, n_rows


@kernel
def read_allowance(  # type: ignore[no-untyped-def]
    starts,
    low,
    base_s,
    departures_s,
    slack_s,
    max_travel_s,
    access_first,
    access_to,
    access_s,
    direct_first,
    direct_to,
    direct_s,
    place_first,
    place,
    event_first,
    event,
    event_departure_s,
    event_row,
    waiting_row,
    rows,
    lanes,
    lane_of,
    never,
    first_departure,
    result,
):
    """Travel times of every origin and departure with the best of some allowances, into ``result`` (o, d, destination).

    A waiting row holds all later events of its place, so that from the latest departure to the first only events that
    have just become catchable are read.
    """
    n_lanes = len(lanes)
    best = np.empty(n_lanes, np.int16)
    for origin in range(result.shape[0]):
        n_places = 0
        for link in range(access_first[origin], access_first[origin + 1]):
            n_places += place_first[access_to[link] + 1] - place_first[access_to[link]]
        at = np.empty(n_places, np.int64)  # the event read last, as a place in ``event``
        i = 0
        for link in range(access_first[origin], access_first[origin + 1]):
            for p in range(place_first[access_to[link]], place_first[access_to[link] + 1]):
                at[i] = event_first[place[p] + 1]
                i += 1
        best[:] = NEVER
        for d in range(len(departures_s) - 1, -1, -1):
            i = 0
            for link in range(access_first[origin], access_first[origin + 1]):
                ready_s = departures_s[d] + access_s[link] + slack_s
                for p in range(place_first[access_to[link]], place_first[access_to[link] + 1]):
                    begin = event_first[place[p]]
                    found = at[i]
                    if found == event_first[place[p] + 1]:
                        found = first_at_or_after(event_departure_s, begin, found, ready_s)
                    while found > begin and event_departure_s[found - 1] >= ready_s:
                        found -= 1
                    if found != at[i] and event[found] >= low:
                        for s in starts:
                            row = waiting_row[event_row[event[found] - low], s]
                            if row >= 0:
                                _lower(best, rows[row])
                    at[i] = found
                    i += 1
            line = result[origin, first_departure + d]
            leave = np.int16(departures_s[d] - base_s)
            for lane in range(n_lanes):
                taken = np.int16(best[lane] - leave)
                line[lanes[lane]] = taken if best[lane] < NEVER and taken <= max_travel_s else never
            for link in range(direct_first[origin], direct_first[origin + 1]):
                lane = lane_of[direct_to[link]]
                if lane >= 0 and direct_s[link] <= max_travel_s:
                    line[lanes[lane]] = min(line[lanes[lane]], direct_s[link])
