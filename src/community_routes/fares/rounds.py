"""The cheapest ways of a whole window, round by round of rides, where nothing that is held ever ends.

What is held is a state (``label_search.FareWays``) and what has been paid a number, so that one array says the least that has
been paid at every waiting place and in every vehicle, for each number of rides and each state. Departures are done latest
first and the array stays: where a later departure has come for as little, there is nothing new, and only what is new is
followed. Every stretch of a vehicle's way is thus ridden once for each lower price, over all departures together. Where fares
end by the clock, ``fare_labels`` searches. Kernels that call each other live in this file.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from community_routes.base.kernels import kernel
from community_routes.base.times import UNREACHED

NEVER_PAID: Final = 2**30


@kernel
def _first_at_or_after(values, low, high, moment):  # type: ignore[no-untyped-def]
    """Bisection in rising values."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _arrive(  # type: ignore[no-untyped-def]
    stop,
    arrival_s,
    cents,
    moment_s,
    max_travel_s,
    egress_first,
    egress_lane,
    egress_s,
    cutoffs_s,
    budgets,
    cheapest,
    quickest,
):
    """Note every destination near a stop for what has been paid."""
    for link in range(egress_first[stop], egress_first[stop + 1]):
        taken_s = arrival_s + egress_s[link] - moment_s
        if taken_s > max_travel_s:
            continue
        lane = egress_lane[link]
        for k in range(len(cutoffs_s)):
            if taken_s <= cutoffs_s[k] and cents < cheapest[k, lane]:
                cheapest[k, lane] = cents
        for b in range(len(budgets)):
            if cents <= budgets[b] and taken_s < quickest[b, lane]:
                quickest[b, lane] = taken_s


@kernel
def _wait(waiting, queue, n, e, rides, state, cents):  # type: ignore[no-untyped-def]
    """Wait at an event for less than anybody before, and remember it; the queue (larger where it was full), its length."""
    for fewer in range(rides + 1):
        if waiting[e, fewer, state] <= cents:
            return queue, n
    waiting[e, rides, state] = cents
    if n == len(queue):
        more = np.empty((2 * n, 3), np.int32)
        more[:n] = queue
        queue = more
    queue[n, 0], queue[n, 1], queue[n, 2] = e, state, cents
    return queue, n + 1


@kernel
def scan_rounds(  # type: ignore[no-untyped-def]
    origins,
    departures_s,
    slack_s,
    max_travel_s,
    low,
    high,
    access_first,
    access_to,
    access_s,
    place_first,
    place,
    event_first,
    event,
    event_departure_s,
    departure_s,
    arrival_s,
    run,
    position,
    alight_stop,
    next_event,
    changes,
    change_to,
    run_first,
    connection_of,
    run_class,
    pair_first,
    pair_class,
    n_classes,
    way_first,
    way_state,
    way_cents,
    paid,
    max_rides,
    most_cents,
    egress_first,
    egress_lane,
    egress_s,
    cutoffs_s,
    budgets,
    cheapest,
    quickest,
):
    """Fill ``cheapest`` and ``quickest`` for some origins; arguments as of ``fare_labels.scan_labels``."""
    n_states = len(paid)
    waiting = np.empty((max(high - low, 1), max(max_rides, 1), n_states), np.int32)
    riding = np.empty(waiting.shape, np.int32)
    now, then = np.empty((1 << 10, 3), np.int32), np.empty((1 << 10, 3), np.int32)
    nothing = np.empty((0, 0), np.int32)
    for origin in origins:
        waiting[:] = NEVER_PAID
        riding[:] = NEVER_PAID
        for d in range(len(departures_s) - 1, -1, -1):
            moment_s = departures_s[d]
            horizon_s = moment_s + max_travel_s
            if d + 1 < len(departures_s):
                later_s = departures_s[d + 1] - moment_s
                for b in range(len(budgets)):
                    for lane in range(quickest.shape[3]):
                        if quickest[b, origin, d + 1, lane] != UNREACHED:
                            taken_s = quickest[b, origin, d + 1, lane] + later_s
                            if taken_s <= max_travel_s:
                                quickest[b, origin, d, lane] = taken_s
            lines = quickest[:, origin, d] if len(budgets) else nothing
            n_now = 0
            for link in range(access_first[origin], access_first[origin + 1]):
                stop = access_to[link]
                ready_s = moment_s + access_s[link] + slack_s
                for p in range(place_first[stop], place_first[stop + 1]):
                    at = place[p]
                    first = _first_at_or_after(event_departure_s, event_first[at], event_first[at + 1], ready_s)
                    if first < event_first[at + 1] and event[first] >= low and event_departure_s[first] <= horizon_s:
                        now, n_now = _wait(waiting, now, n_now, event[first] - low, 0, 0, 0)
            for rides in range(max_rides):
                n_then = 0
                i = 0
                while i < n_now:
                    e, state, cents = now[i, 0], now[i, 1], now[i, 2]
                    i += 1
                    if waiting[e, rides, state] < cents:
                        continue
                    c = e + low
                    later = next_event[c]
                    if later >= low and departure_s[later] <= horizon_s:
                        now, n_now = _wait(waiting, now, n_now, later - low, rides, state, cents)
                    r = run[c]
                    n_hops = run_first[r + 1] - run_first[r]
                    by_pair = run_class[r] < 0
                    if by_pair and pair_first[r] < 0:
                        continue
                    kind = run_class[r]
                    n_ways = 1
                    if not by_pair:
                        begin = way_first[state * n_classes + kind]
                        n_ways = way_first[state * n_classes + kind + 1] - begin
                    for option in range(n_ways):
                        held, total = state, cents
                        if not by_pair:
                            held = way_state[begin + option]
                            total = cents + way_cents[begin + option]
                            if total > most_cents:
                                continue
                        for j in range(position[c], n_hops):
                            there = connection_of[run_first[r] + j]
                            if there < low or departure_s[there] > horizon_s:
                                break
                            if not by_pair:
                                if riding[there - low, rides, held] <= total:
                                    break
                                riding[there - low, rides, held] = total
                            if alight_stop[there] < 0 or arrival_s[there] > horizon_s:
                                continue
                            first_way, last_way = 0, 1
                            if by_pair:
                                kind = pair_class[pair_first[r] + position[c] * n_hops + j]
                                if kind < 0:
                                    continue
                                first_way = way_first[state * n_classes + kind]
                                last_way = way_first[state * n_classes + kind + 1]
                            for w in range(first_way, last_way):
                                if by_pair:
                                    held, total = way_state[w], cents + way_cents[w]
                                    if total > most_cents:
                                        continue
                                if paid[held]:
                                    _arrive(
                                        alight_stop[there], arrival_s[there], total, moment_s, max_travel_s, egress_first,
                                        egress_lane, egress_s, cutoffs_s, budgets, cheapest[origin], lines,
                                    )  # fmt: skip
                                if rides + 1 < max_rides:
                                    for t in range(changes[there - low], changes[there - low + 1]):
                                        then, n_then = _wait(
                                            waiting, then, n_then, change_to[t] - low, rides + 1, held, total
                                        )
                now, then = then, now
                n_now = n_then
