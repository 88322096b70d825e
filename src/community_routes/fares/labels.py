"""The search that carries what has been paid along: the cheapest way within a time, and the quickest within a budget.

From an origin and a departure the connections are scanned in the order of time. Whoever waits at a place, or sits in a
vehicle, has *labels*: rides taken, what is held (a state of ``FareWays``), what has been paid, and until when the fare in
hand is valid. Boarding a ride of a class leads along the ways of the state: another state, more to pay, and perhaps a new
end of validity. A label is dropped only for one of the same state that has taken no more rides, has paid no more and is
valid no less long, so that the cheapest way is never lost.

Departures are done latest first, and labels stay: what a later departure reaches at no higher cost is no news, and only
news is followed. Kernels that call each other live in this file.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from community_routes.base.kernels import kernel
from community_routes.base.times import UNREACHED

NO_PRICE_CENTS: Final = 2**30
FOREVER: Final = 2**30
KEEPS: Final = -1
"""As the duration of a way: the fare in hand goes on, and must still be valid."""
_RIDES, _STATE, _CENTS, _VALID, _HOP, _NEXT = 0, 1, 2, 3, 4, 5


@kernel
def _add(pool, n, head, at, rides, state, cents, valid_s, hop):  # type: ignore[no-untyped-def]
    """Put a label into a bag unless one there is no worse; the pool (larger where it was full) and its length.

    The newest label of a bag comes first. In a vehicle a label boarded at an earlier hop has more stops to alight at.
    """
    before, i = -1, head[at]
    while i >= 0:
        old = pool[i]
        following = old[_NEXT]
        if old[_STATE] == state:
            if old[_RIDES] <= rides and old[_CENTS] <= cents and old[_VALID] >= valid_s and old[_HOP] <= hop:
                return pool, n
            if rides <= old[_RIDES] and cents <= old[_CENTS] and valid_s >= old[_VALID] and hop <= old[_HOP]:
                if before < 0:
                    head[at] = following
                else:
                    pool[before, _NEXT] = following
                i = following
                continue
        before, i = i, following
    if n == len(pool):
        more = np.empty((2 * n, 6), np.int32)
        more[:n] = pool
        pool = more
    label = pool[n]
    label[_RIDES], label[_STATE], label[_CENTS], label[_VALID] = rides, state, cents, valid_s
    label[_HOP], label[_NEXT] = hop, head[at]
    head[at] = n
    return pool, n + 1


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
def _boardings(  # type: ignore[no-untyped-def]
    ready_s, low, access_first, access_to, access_s, place_first, place, event_first, event, event_departure_s, found
):
    """The first event at every waiting place near an origin, for one departure; how many."""
    n = 0
    for link in range(access_first, len(access_to)):
        stop = access_to[link]
        for p in range(place_first[stop], place_first[stop + 1]):
            at = place[p]
            first = _first_at_or_after(
                event_departure_s, event_first[at], event_first[at + 1], ready_s + access_s[link]
            )
            e = event[first] if first < event_first[at + 1] else -1
            if n < len(found):
                found[n] = e if e >= low else -1
            n += 1
    return n


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
def scan_labels(  # type: ignore[no-untyped-def]
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
    is_event,
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
    way_lasts,
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
    """Fill ``cheapest`` and ``quickest`` for some origins.

    Parameters
    ----------
    low, high : int
        Connections of the search, latest first.
    changes, change_to
        Events that each connection changes to (``fare_scan.all_changes``).
    run_class, pair_first, pair_class
        As in ``fare_scan.scan_allowances``; a class of -1 cannot be paid for.
    way_first : int64, shape (n_states * n_classes + 1,)
        Ways from a state by a class of rides; ``way_state``, ``way_cents``, ``way_lasts`` of each.
    paid : bool, shape (n_states,)
        Whether a journey may end in the state.
    most_cents : int
        Labels that have paid more are dropped.
    cheapest : int32, shape (n_origins, n_cutoffs, n_lanes)
        Lowered to the least that is paid on a journey within each cutoff, over all departures.
    quickest : int32, shape (n_budgets, n_origins, n_departures, n_lanes)
        Lowered to the seconds of the quickest journey within each budget.
    """
    pool = np.empty((1 << 14, 6), np.int32)
    waiting = np.full(max(high - low, 1), -1, np.int32)
    riding = np.full(len(run_first), -1, np.int32)
    n_moments = len(departures_s)
    nothing = np.empty((0, 0), np.int32)
    for origin in origins:
        start, end = access_first[origin], access_first[origin + 1]
        n_places = 0
        for link in range(start, end):
            n_places += place_first[access_to[link] + 1] - place_first[access_to[link]]
        found = np.full(n_places, -1, np.int32)
        near_to, near_s = access_to[:end], access_s[:end]
        waiting[:] = -1
        riding[:] = -1
        n = 0
        for d in range(n_moments - 1, -1, -1):
            moment_s = departures_s[d]
            if d + 1 < n_moments:
                later_s = departures_s[d + 1] - moment_s
                for b in range(len(budgets)):
                    for lane in range(quickest.shape[3]):
                        if quickest[b, origin, d + 1, lane] != UNREACHED:
                            taken_s = quickest[b, origin, d + 1, lane] + later_s
                            if taken_s <= max_travel_s:
                                quickest[b, origin, d, lane] = taken_s
            _boardings(
                moment_s + slack_s, low, start, near_to, near_s, place_first, place, event_first, event,
                event_departure_s, found,
            )  # fmt: skip
            news, begin = n, -1
            for i in range(n_places):
                if found[i] >= 0:
                    at = n
                    pool, n = _add(pool, n, waiting, found[i] - low, 0, 0, 0, FOREVER, 0)
                    if n > at:
                        begin = max(begin, found[i])
            lines = quickest[:, origin, d] if len(budgets) else nothing
            while begin >= 0 and begin + 1 < high and departure_s[begin + 1] == departure_s[begin]:
                begin += 1  # one may change to any other vehicle of that second
            while begin >= low:
                if departure_s[begin] > moment_s + max_travel_s:
                    break
                until = begin - 1
                while until >= low and departure_s[until] == departure_s[begin]:
                    until -= 1
                for rides in range(max_rides):
                    for c in range(begin, until, -1):
                        r = run[c]
                        if is_event[c]:
                            i = waiting[c - low]
                            later = next_event[c]
                            n_hops = run_first[r + 1] - run_first[r]
                            while i >= news:
                                following = pool[i, _NEXT]
                                if pool[i, _RIDES] == rides:
                                    state, cents, valid_s = pool[i, _STATE], pool[i, _CENTS], pool[i, _VALID]
                                    if later >= low:
                                        pool, n = _add(pool, n, waiting, later - low, rides, state, cents, valid_s, 0)
                                    if run_class[r] >= 0:
                                        way = state * n_classes + run_class[r]
                                        for w in range(way_first[way], way_first[way + 1]):
                                            if way_lasts[w] == KEEPS:
                                                if departure_s[c] > valid_s:
                                                    continue
                                                until_s = valid_s
                                            else:
                                                until_s = min(departure_s[c] + way_lasts[w], FOREVER)
                                            total = cents + way_cents[w]
                                            if total <= most_cents:
                                                pool, n = _add(
                                                    pool,
                                                    n,
                                                    riding,
                                                    r,
                                                    rides + 1,
                                                    way_state[w],
                                                    total,
                                                    until_s,
                                                    position[c],
                                                )
                                    elif pair_first[r] >= 0:
                                        for j in range(position[c], n_hops):
                                            there = connection_of[run_first[r] + j]
                                            if there < low or arrival_s[there] > moment_s + max_travel_s:
                                                break
                                            kind = pair_class[pair_first[r] + position[c] * n_hops + j]
                                            if kind < 0 or alight_stop[there] < 0:
                                                continue
                                            way = state * n_classes + kind
                                            for w in range(way_first[way], way_first[way + 1]):
                                                if way_lasts[w] == KEEPS:
                                                    if departure_s[c] > valid_s:
                                                        continue
                                                    until_s = valid_s
                                                else:
                                                    until_s = min(departure_s[c] + way_lasts[w], FOREVER)
                                                total = cents + way_cents[w]
                                                if total > most_cents:
                                                    continue
                                                if paid[way_state[w]]:
                                                    _arrive(
                                                        alight_stop[there], arrival_s[there], total, moment_s, max_travel_s,
                                                        egress_first, egress_lane, egress_s, cutoffs_s, budgets,
                                                        cheapest[origin], lines,
                                                    )  # fmt: skip
                                                if rides + 1 < max_rides:
                                                    for t in range(changes[there - low], changes[there - low + 1]):
                                                        pool, n = _add(
                                                            pool, n, waiting, change_to[t] - low, rides + 1, way_state[w],
                                                            total, until_s, 0,
                                                        )  # fmt: skip
                                i = following
                        if alight_stop[c] >= 0 and run_class[r] >= 0:
                            i = riding[r]
                            while i >= news:
                                following = pool[i, _NEXT]
                                if pool[i, _RIDES] == rides + 1:
                                    state, cents, valid_s = pool[i, _STATE], pool[i, _CENTS], pool[i, _VALID]
                                    if paid[state]:
                                        _arrive(
                                            alight_stop[c], arrival_s[c], cents, moment_s, max_travel_s, egress_first,
                                            egress_lane, egress_s, cutoffs_s, budgets, cheapest[origin], lines,
                                        )  # fmt: skip
                                    if rides + 1 < max_rides:
                                        for t in range(changes[c - low], changes[c - low + 1]):
                                            pool, n = _add(
                                                pool,
                                                n,
                                                waiting,
                                                change_to[t] - low,
                                                rides + 1,
                                                state,
                                                cents,
                                                valid_s,
                                                0,
                                            )
                                i = following
                begin = until
