"""The connection scan with allowances instead of a number of rides: what a traveller may still ride and pay for.

An *allowance* is a state: so many rides left and so much money, with or without some tickets. Boarding a ride of a price
class leads to a smaller allowance, or is not allowed. For every waiting place, allowance and destination (a lane):

    on board(c, s) = earliest arrival of staying on the vehicle, of alighting and walking to the end, and of
                     alighting and waiting with the allowance that is left: waiting(change, after(s, class of the ride))
    waiting(e, s)  = earliest arrival of on board(e, s) and waiting(next event at the same place, s)

where s is the allowance before boarding. On a *metered* run the class depends on where one alights, so that every end of
the ride is tried from each boarding. Allowances are numbered so that what is left has the smaller number: within a second
they are done in that order, and a row is final when it is read. Unlike the scan for time alone, no change is left out:
one that is useless for time may be the cheaper one. Kernels that call each other live in this file.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from community_routes.kernels import kernel

NEVER: Final = 2**30


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
def all_changes(  # type: ignore[no-untyped-def]
    low, high, arrival_s, alight_place, change_first, change_to, change_s, event_first, event, event_departure_s
):
    """For each connection the first event at every waiting place that it can change to: (first, to)."""
    first = np.zeros(high - low + 1, np.int64)
    to = np.empty(1 << 12, np.int32)
    n = 0
    for c in range(low, high):
        place = alight_place[c]
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
def _end_here(  # type: ignore[no-untyped-def]
    row, c, low, left, arrival_s, alight_stop, changes, change_to, egress_row, egress_s, event_row, waiting, reaches
):
    """Lower a row by alighting after connection ``c`` with the allowance ``left``; whether anything was reached."""
    any_lane = False
    near = egress_row[alight_stop[c]]
    if near >= 0:
        for lane in range(len(row)):
            if egress_s[near, lane] < NEVER:
                row[lane] = min(row[lane], arrival_s[c] + egress_s[near, lane])
        any_lane = True
    for t in range(changes[c - low], changes[c - low + 1]):
        e = event_row[change_to[t] - low]
        if reaches[e, left]:
            other = waiting[e, left]
            for lane in range(len(row)):
                row[lane] = min(row[lane], other[lane])
            any_lane = True
    return any_lane


@kernel
def scan_allowances(  # type: ignore[no-untyped-def]
    low,
    high,
    departure_s,
    arrival_s,
    run,
    position,
    alight_stop,
    next_event,
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
    waiting,
    reaches,
    riding,
):
    """Scan connections ``low`` to ``high``, latest departure first, and fill the waiting rows.

    Parameters
    ----------
    event_row : int32, shape (high - low,)
        Row of each event in ``waiting``, -1 where a connection is none.
    run_row : int32, shape (n_runs,)
        Row of each flat run in ``riding``.
    run_class : int32, shape (n_runs,)
        Price class of each flat run, -1 for a metered one.
    after : int32, shape (n_allowances, n_classes)
        What is left after boarding; -1 where it is not allowed.
    run_first : int64, shape (n_runs + 1,)
        Hops of each run; ``connection_of`` says which connection a hop is.
    pair_first, pair_class
        For a metered run of n hops, the class of boarding hop i and alighting after hop j is
        ``pair_class[pair_first[run] + i * n + j]``.
    waiting : int32, shape (n_events, n_allowances, n_lanes), NEVER at first
    reaches : bool, shape (n_events, n_allowances), False at first
    riding : int32, shape (n_flat_runs, n_allowances, n_lanes), NEVER at first
    """
    n_allowances = after.shape[0]
    begin = low
    while begin < high:
        end = begin + 1
        while end < high and departure_s[end] == departure_s[begin]:
            end += 1
        for s in range(n_allowances):
            for c in range(begin, end):
                r = run[c]
                e = event_row[c - low]
                if e >= 0:
                    mine = waiting[e, s]
                    later = next_event[c]
                    if later >= low:
                        row = event_row[later - low]
                        if reaches[row, s]:
                            mine[:] = waiting[row, s]
                            reaches[e, s] = True
                if run_class[r] >= 0:
                    left = after[s, run_class[r]]
                    if left < 0:
                        continue
                    on_board = riding[run_row[r], s]
                    if alight_stop[c] >= 0:
                        _end_here(
                            on_board, c, low, left, arrival_s, alight_stop, changes, change_to, egress_row, egress_s,
                            event_row, waiting, reaches,
                        )  # fmt: skip
                    if e >= 0:
                        for lane in range(len(on_board)):
                            if on_board[lane] < mine[lane]:
                                mine[lane] = on_board[lane]
                                reaches[e, s] = True
                elif e >= 0:
                    n_hops = run_first[r + 1] - run_first[r]
                    for j in range(position[c], n_hops):
                        there = connection_of[run_first[r] + j]
                        if there < low:
                            break
                        left = after[s, pair_class[pair_first[r] + position[c] * n_hops + j]]
                        if left >= 0 and alight_stop[there] >= 0:
                            found = _end_here(
                                mine, there, low, left, arrival_s, alight_stop, changes, change_to, egress_row, egress_s,
                                event_row, waiting, reaches,
                            )  # fmt: skip
                            if found:
                                reaches[e, s] = True
        begin = end


@kernel
def read_allowance(  # type: ignore[no-untyped-def]
    starts,
    low,
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
    waiting,
    reaches,
    lane_of,
    never,
    result,
):
    """Travel times of every origin and departure with the best of some allowances, into ``result`` (o, d, lane)."""
    n_lanes = waiting.shape[2]
    best = np.empty(n_lanes, np.int32)
    for origin in range(result.shape[0]):
        for d in range(len(departures_s)):
            best[:] = NEVER
            for link in range(access_first[origin], access_first[origin + 1]):
                stop = access_to[link]
                ready_s = departures_s[d] + access_s[link] + slack_s
                for p in range(place_first[stop], place_first[stop + 1]):
                    at = place[p]
                    found = first_at_or_after(event_departure_s, event_first[at], event_first[at + 1], ready_s)
                    if found == event_first[at + 1] or event[found] < low:
                        continue
                    row = event_row[event[found] - low]
                    for s in starts:
                        if reaches[row, s]:
                            other = waiting[row, s]
                            for lane in range(n_lanes):
                                best[lane] = min(best[lane], other[lane])
            line = result[origin, d]
            for lane in range(n_lanes):
                taken = best[lane] - departures_s[d]
                line[lane] = taken if best[lane] < NEVER and taken <= max_travel_s else never
            for link in range(direct_first[origin], direct_first[origin + 1]):
                lane = lane_of[direct_to[link]]
                if lane >= 0 and direct_s[link] <= max_travel_s:
                    line[lane] = min(line[lane], direct_s[link])
