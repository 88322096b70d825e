"""The search that carries what has been paid along: the cheapest way within a time, and the quickest within a budget.

From an origin and a departure, round by round of rides. Whoever waits at a place, or sits in a vehicle, has *labels*: rides
taken, what is held (a state of ``machine.FareWays``), what has been paid, and until when the fare in hand is valid. Boarding
a ride of a class leads along the ways of the state: another state, more to pay, and perhaps a new end of validity. A label is
dropped only for one that has taken no more rides, has paid no more, is valid no less long and holds the same, so that the
cheapest way is never lost. Who holds nothing may buy what anybody may buy whose rides are paid; a fare whose time is over is
nothing in hand.

Departures are done latest first, and labels stay: what a later departure reaches at no higher cost is no news, and only
news is followed. Every stretch of a vehicle's way is thus ridden once for each better label, over all departures together.
Kernels that call each other live in this file.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel, step
from community_routes.base.times import UNREACHED
from community_routes.fares.machine import FOREVER, KEEPS, NOTHING
from community_routes.fares.scan import NOBODY

_RIDES, _STATE, _CENTS, _VALID, _HOP, _NEXT, _QUEUE = 0, 1, 2, 3, 4, 5, 6
_GONE: Final = -1  # in the place of rides: a better label has taken this one's place


class Label(NamedTuple):
    """What somebody has done and holds; ``valid_s`` is 0 where nothing is held."""

    rides: int
    state: int
    cents: int
    valid_s: int


class Goal(NamedTuple):
    """What is asked: limits, and the walks from stops to the destinations (lanes), grouped by stop."""

    max_rides: int
    max_travel_s: int
    most_cents: int
    cutoffs_s: NDArray[np.int32]
    budgets: NDArray[np.int32]
    first: NDArray[np.int64]
    lane: NDArray[np.int32]
    walk_s: NDArray[np.int32]


class Answer(NamedTuple):
    """Least to pay within each cutoff (n_cutoffs, n_lanes), and seconds within each budget (n_budgets, n_lanes)."""

    cheapest: NDArray[np.int32]
    quickest: NDArray[np.int32]


@step
def first_at_or_after(values, low, high, moment):  # type: ignore[no-untyped-def]
    """Bisection in rising values."""
    while low < high:
        middle = (low + high) >> 1
        if values[middle] < moment:
            low = middle + 1
        else:
            high = middle
    return low


@step
def _label(rides, state, cents, valid_s):  # type: ignore[no-untyped-def]
    """A label of whole numbers of one width."""
    return Label(np.int64(rides), np.int64(state), np.int64(cents), np.int64(valid_s))  # type: ignore[arg-type]


@step
def _is_no_worse(old, label, paid):  # type: ignore[no-untyped-def]
    """Whether a label is needed no more beside a row of the pool: that one can do all of it, for no more."""
    if old[_RIDES] > label.rides or old[_CENTS] > label.cents or old[_VALID] < label.valid_s:
        return False
    return old[_STATE] == label.state or (label.state == NOTHING and paid[old[_STATE]])


@step
def _is_worse(old, label, paid):  # type: ignore[no-untyped-def]
    """Whether a row of the pool is needed no more beside a label."""
    if label.rides > old[_RIDES] or label.cents > old[_CENTS] or label.valid_s < old[_VALID]:
        return False
    return label.state == old[_STATE] or (old[_STATE] == NOTHING and paid[label.state])


@step
def _put(pool, n, heads, at, label, hop):  # type: ignore[no-untyped-def]
    """Add a label to a bag; the pool (larger where it was full) and its length."""
    if n == len(pool):
        more = np.empty((2 * n, 7), np.int32)
        for i in range(n):
            for k in range(7):
                more[i, k] = pool[i, k]
        pool = more
    new = pool[n]
    new[_RIDES], new[_STATE], new[_CENTS], new[_VALID] = label.rides, label.state, label.cents, label.valid_s
    new[_HOP], new[_NEXT], new[_QUEUE] = hop, heads[at], -1
    heads[at] = n
    return pool, n + 1


@step
def _wait(pool, n, waiting, queue, e, label, paid):  # type: ignore[no-untyped-def]
    """Wait at an event, and remember to go on from there, unless a label there is no worse.

    ``queue`` is int32, shape (2, max_rides + 1): the first and last of the labels with so many rides that are to be followed.
    """
    before, i = -1, waiting[e]
    while i >= 0:
        old = pool[i]
        following = old[_NEXT]
        if _is_no_worse(old, label, paid):
            return pool, n
        if _is_worse(old, label, paid):
            old[_RIDES] = _GONE
            if before < 0:
                waiting[e] = following
            else:
                pool[before, _NEXT] = following
        else:
            before = i
        i = following
    pool, n = _put(pool, n, waiting, e, label, e)
    if queue[0, label.rides] < 0:
        queue[0, label.rides] = n - 1
    else:
        pool[queue[1, label.rides], _QUEUE] = n - 1
    queue[1, label.rides] = n - 1
    return pool, n


@step
def _sit(pool, n, riding, r, hop, label, until, paid):  # type: ignore[no-untyped-def]
    """Sit in a vehicle from a hop on; also the hop, ``until`` at most, from which a label there is no worse."""
    before, i = -1, riding[r]
    while i >= 0:
        old = pool[i]
        following = old[_NEXT]
        if old[_HOP] < until and _is_no_worse(old, label, paid):
            until = old[_HOP]
            if until <= hop:
                return pool, n, hop
        if old[_HOP] >= hop and _is_worse(old, label, paid):
            if before < 0:
                riding[r] = following
            else:
                pool[before, _NEXT] = following
        else:
            before = i
        i = following
    pool, n = _put(pool, n, riding, r, label, hop)
    return pool, n, until


@step
def _pay(label, ways, w, departure_s, most_cents):  # type: ignore[no-untyped-def]
    """What is held after boarding along a way; rides -1 where it is not allowed."""
    cents = label.cents + ways.cents[w]
    valid_s = label.valid_s
    if ways.lasts_s[w] != KEEPS:
        valid_s = min(departure_s + ways.lasts_s[w], FOREVER)
    elif departure_s > valid_s:
        cents = FOREVER
    if ways.state[w] == NOTHING:
        valid_s = 0
    rides = label.rides + 1 if cents <= most_cents else _GONE
    return _label(rides, ways.state[w], cents, valid_s)


@step
def _at(label, departure_s, paid):  # type: ignore[no-untyped-def]
    """The label of who waits until a departure: a fare whose time is over is nothing in hand; rides -1 for a useless one."""
    if departure_s <= label.valid_s or label.state == NOTHING:
        return label
    return _label(label.rides if paid[label.state] else _GONE, NOTHING, label.cents, 0)


@step
def _arrive(goal, stop, taken_s, cents, answer):  # type: ignore[no-untyped-def]
    """Note every destination near a stop for what has been paid."""
    for link in range(goal.first[stop], goal.first[stop + 1]):
        all_s = taken_s + goal.walk_s[link]
        if all_s > goal.max_travel_s:
            continue
        lane = goal.lane[link]
        for k in range(len(goal.cutoffs_s)):
            if all_s <= goal.cutoffs_s[k] and cents < answer.cheapest[k, lane]:
                answer.cheapest[k, lane] = cents
        for b in range(len(goal.budgets)):
            if cents <= goal.budgets[b] and all_s < answer.quickest[b, lane]:
                answer.quickest[b, lane] = all_s


@step
def _change(pool, n, waiting, queue, vehicles, there, label, paid):  # type: ignore[no-untyped-def]
    """Wait at every place that is reached after a connection."""
    low = vehicles.low
    for t in range(vehicles.change_first[there - low], vehicles.change_last[there - low]):
        e = vehicles.change_to[t]
        then = _at(label, vehicles.departure_s[e], paid)
        if then.rides >= 0 and vehicles.waits_s[e - low] != NOBODY:
            pool, n = _wait(pool, n, waiting, queue, e - low, then, paid)
    return pool, n


@step
def _leave_home(pool, n, waiting, queue, access, origin, moment_s, vehicles, paid):  # type: ignore[no-untyped-def]
    """Wait at the first event of every place near an origin."""
    for link in range(access.first[origin], access.first[origin + 1]):
        stop = access.to[link]
        ready_s = moment_s + access.walk_s[link] + access.slack_s
        for p in range(access.place_first[stop], access.place_first[stop + 1]):
            at = access.place[p]
            end = access.event_first[at + 1]
            first = first_at_or_after(access.event_departure_s, access.event_first[at], end, ready_s)
            if first < end and access.event[first] >= vehicles.low:
                pool, n = _wait(
                    pool, n, waiting, queue, access.event[first] - vehicles.low, _label(0, NOTHING, 0, 0), paid
                )
    return pool, n


@step
def _as_later(answers, later_s, max_travel_s, d):  # type: ignore[no-untyped-def]
    """Whoever leaves earlier may wait at home for the next departure; ``answers`` (n_budgets, n_departures, n_lanes)."""
    for b in range(answers.shape[0]):
        for lane in range(answers.shape[2]):
            if answers[b, d + 1, lane] != UNREACHED:
                taken_s = answers[b, d + 1, lane] + later_s
                if taken_s <= max_travel_s:
                    answers[b, d, lane] = taken_s


@kernel
def scan_forward(  # type: ignore[no-untyped-def]
    origins, departures_s, vehicles, access, classes, ways, goal, cheapest, quickest
):  # fmt: skip
    """Fill ``cheapest`` and ``quickest`` for some origins.

    Parameters
    ----------
    origins : int64
    departures_s : int32, rising
    vehicles : Vehicles
    access : Access
    classes : RunClasses
    ways : FareWays
    goal : Goal
        Labels that have paid more than ``most_cents`` are dropped.
    cheapest : int32, shape (n_origins, n_cutoffs, n_lanes)
        Lowered to the least that is paid on a journey within each cutoff, over all departures.
    quickest : int32, shape (n_budgets, n_origins, n_departures, n_lanes)
        Lowered to the seconds of the quickest journey within each budget.
    """
    pool = np.empty((1 << 14, 7), np.int32)
    waiting = np.empty(max(vehicles.high - vehicles.low, 1), np.int32)
    riding = np.empty(len(vehicles.run_first), np.int32)
    queue = np.empty((2, goal.max_rides + 1), np.int32)
    low, paid = vehicles.low, ways.paid
    for origin in origins:
        for e in range(len(waiting)):
            waiting[e] = -1
        for r in range(len(riding)):
            riding[r] = -1
        for rides in range(goal.max_rides + 1):
            queue[0, rides] = -1
        n = np.int64(0)
        for d in range(len(departures_s) - 1, -1, -1):
            moment_s = departures_s[d]
            horizon_s = moment_s + goal.max_travel_s
            if d + 1 < len(departures_s):
                _as_later(quickest[:, origin], departures_s[d + 1] - moment_s, goal.max_travel_s, d)
            answer = Answer(cheapest[origin], quickest[:, origin, d])
            pool, n = _leave_home(pool, n, waiting, queue, access, origin, moment_s, vehicles, paid)
            for rides in range(goal.max_rides):
                may_change = rides + 1 < goal.max_rides
                while queue[0, rides] >= 0:
                    i = queue[0, rides]
                    queue[0, rides] = pool[i, _QUEUE]
                    if pool[i, _RIDES] == _GONE:
                        continue
                    c = pool[i, _HOP] + low
                    label = _label(pool[i, _RIDES], pool[i, _STATE], pool[i, _CENTS], pool[i, _VALID])
                    later = vehicles.next_event[c]
                    if later >= low and vehicles.departure_s[later] <= horizon_s:
                        then = _at(label, vehicles.departure_s[later], paid)
                        if then.rides >= 0:
                            pool, n = _wait(pool, n, waiting, queue, later - low, then, paid)
                    r, hop = vehicles.run[c], vehicles.position[c]
                    start = vehicles.run_first[r]
                    n_hops = vehicles.run_first[r + 1] - start
                    if classes.run_class[r] >= 0:
                        way = label.state * ways.n_classes + classes.run_class[r]
                        for w in range(ways.first[way], ways.first[way + 1]):
                            after = _pay(label, ways, w, vehicles.departure_s[c], goal.most_cents)
                            if after.rides < 0:
                                continue
                            pool, n, until = _sit(pool, n, riding, r, hop, after, n_hops, paid)
                            for j in range(hop, until):
                                there = vehicles.connection_of[start + j]
                                if there < low or vehicles.departure_s[there] > horizon_s:
                                    break
                                stop, arrival_s = vehicles.alight_stop[there], vehicles.arrival_s[there]
                                if stop < 0 or arrival_s > horizon_s or vehicles.rides_s[there - low] == NOBODY:
                                    continue
                                if paid[after.state]:
                                    _arrive(goal, stop, arrival_s - moment_s, after.cents, answer)
                                if may_change:
                                    pool, n = _change(pool, n, waiting, queue, vehicles, there, after, paid)
                    elif classes.pair_first[r] >= 0:
                        for j in range(hop, n_hops):
                            there = vehicles.connection_of[start + j]
                            if there < low or vehicles.departure_s[there] > horizon_s:
                                break
                            stop, arrival_s = vehicles.alight_stop[there], vehicles.arrival_s[there]
                            kind = classes.pair_class[classes.pair_first[r] + hop * n_hops + j]
                            if kind < 0 or stop < 0 or arrival_s > horizon_s or vehicles.rides_s[there - low] == NOBODY:
                                continue
                            way = label.state * ways.n_classes + kind
                            for w in range(ways.first[way], ways.first[way + 1]):
                                after = _pay(label, ways, w, vehicles.departure_s[c], goal.most_cents)
                                if after.rides < 0:
                                    continue
                                if paid[after.state]:
                                    _arrive(goal, stop, arrival_s - moment_s, after.cents, answer)
                                if may_change:
                                    pool, n = _change(pool, n, waiting, queue, vehicles, there, after, paid)
