"""The connection scan with allowances instead of a number of rides: what a traveller may still ride and pay for.

An *allowance* (``machine.Allowances``) is a state: so many rides left and so much money, with or without some tickets.
Boarding a ride of a class leads along ways to smaller allowances. For every waiting place, allowance and destination (a lane):

    on board(c, s) = earliest arrival of staying on the vehicle, of alighting and walking to the end where a way ends there,
                     and of alighting and waiting with an allowance that is left: waiting(change, left after s)
    waiting(e, s)  = earliest arrival of on board(e, s) and waiting(next event at the same place, s)

where s is the allowance before boarding. On a *metered* run the class depends on where one alights, so that every end of
the ride is tried from each boarding. Allowances are numbered so that what is left has the smaller number: within a second
they are done in that order, and a row is final when it is read. Unlike the scan for time alone, no change is left out:
one that is useless for time may be the cheaper one. Instead, vehicles that nobody can be in and places where nobody can
wait are left out: ``catchable`` finds them by a scan in the order of time. Kernels that call each other live in this file.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel

NEVER: Final = 32767
"""No arrival, in 16-bit seconds after the first departure."""


class Access(NamedTuple):
    """How one comes from an origin to the events of waiting places: walks to stops, and places and events as in ``Connections``.

    Attributes
    ----------
    slack_s : int
        Seconds to be at a stop before a departure.
    first, to, walk_s
        Of origin ``o`` the stops ``to[first[o]:first[o + 1]]`` and the walks to them.
    """

    slack_s: int
    first: NDArray[np.int64]
    to: NDArray[np.int32]
    walk_s: NDArray[np.int32]
    place_first: NDArray[np.int64]
    place: NDArray[np.int32]
    event_first: NDArray[np.int64]
    event: NDArray[np.int32]
    event_departure_s: NDArray[np.int32]


class Vehicles(NamedTuple):
    """What moves: connections ``low`` to ``high``, latest departure first, and what each can change to.

    Attributes
    ----------
    departure_s, arrival_s, run, position, alight_stop, next_event
        As in ``Connections``.
    change_first : int64, shape (high - low + 1,)
        Events that connection ``c`` can change to: ``change_to[change_first[c - low]:change_first[c - low + 1]]``.
    change_to : int32
    run_first : int64, shape (n_runs + 1,)
        Hops of each run; ``connection_of`` says which connection a hop is.
    connection_of : int64, shape (n,)
    """

    low: int
    high: int
    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    position: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    next_event: NDArray[np.int32]
    change_first: NDArray[np.int64]
    change_to: NDArray[np.int32]
    run_first: NDArray[np.int64]
    connection_of: NDArray[np.int64]


class Hops(NamedTuple):
    """The connections of a day with their waiting places, and the changes between places (``network.changes``)."""

    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    board_place: NDArray[np.int32]
    alight_place: NDArray[np.int32]
    change_first: NDArray[np.int64]
    change_to: NDArray[np.int32]
    change_s: NDArray[np.int32]


class Moments(NamedTuple):
    """The seconds of a scan.

    Attributes
    ----------
    base_s, latest_s : int
        Row values are seconds after ``base_s``; arrivals after ``latest_s`` do not count.
    longest_s : int
        Limit of a journey. Who leaves with a connection left home no later than it does, so a row whose soonest arrival
        is farther than that from the connection's departure is of use to nobody, and ends there.
    """

    base_s: int
    latest_s: int
    longest_s: int


class Lanes(NamedTuple):
    """The walks from stops to the destinations of a block.

    Attributes
    ----------
    row : int32, shape (n_stops,)
        Row of ``walk_s`` for each stop, -1 where no lane is near.
    walk_s : int16, shape (n, n_lanes)
        NEVER where there is none.
    """

    row: NDArray[np.int32]
    walk_s: NDArray[np.int16]


class Rows(NamedTuple):
    """The rows of a scan: who can be where, and the earliest arrivals from there.

    Attributes
    ----------
    ridden : bool, shape (high - low,)
        Connections in which somebody can be; the others are passed over.
    event_row : int32, shape (high - low,)
        Row of each event in ``waiting_row``, -1 where nobody can wait.
    run_row : int32, shape (n_runs,)
        Row of each flat run in ``riding``.
    waiting_row : int32, shape (n_events, n_allowances)
        Gets the row of each event and allowance, -1 where it reaches no lane; all -1 at first.
    riding : int16, shape (n_flat_runs, n_allowances, n_lanes)
        The row of each vehicle and allowance at the hop scanned last.
    is_riding : bool, shape (n_flat_runs, n_allowances)
        Whether that row has been begun; False at first.
    waiting : int16, shape (capacity, n_lanes)
        The waiting rows.
    """

    ridden: NDArray[np.bool_]
    event_row: NDArray[np.int32]
    run_row: NDArray[np.int32]
    waiting_row: NDArray[np.int32]
    riding: NDArray[np.int16]
    is_riding: NDArray[np.bool_]
    waiting: NDArray[np.int16]


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
def catchable(hops, low, high, ready_s, boarded):  # type: ignore[no-untyped-def]
    """Which connections somebody can wait for, and in which somebody can ride: two bool arrays (high - low,).

    Neither rides nor money nor the length of a journey are limited here, so that nothing of use is left out.

    Parameters
    ----------
    hops : Hops
    low, high : int
    ready_s : int32, shape (n_places,)
        The first moment at which somebody from an origin can board at each waiting place; lowered by changes.
    boarded : bool, shape (n_runs,), False at first
    """
    caught = np.zeros(high - low, np.bool_)
    ridden = np.zeros(high - low, np.bool_)
    end = high
    while end > low:
        begin = end - 1
        while begin > low and hops.departure_s[begin - 1] == hops.departure_s[end - 1]:
            begin -= 1
        again = True
        while again:  # within a second one may change to any other vehicle of that second
            again = False
            for c in range(end - 1, begin - 1, -1):
                place = hops.board_place[c]
                if place >= 0 and not caught[c - low] and ready_s[place] <= hops.departure_s[c]:
                    caught[c - low] = True
                    boarded[hops.run[c]] = True
                if boarded[hops.run[c]] and not ridden[c - low]:
                    ridden[c - low] = True
                    again = True
                    place = hops.alight_place[c]
                    if place >= 0:
                        for change in range(hops.change_first[place], hops.change_first[place + 1]):
                            moment = hops.arrival_s[c] + hops.change_s[change]
                            if moment < ready_s[hops.change_to[change]]:
                                ready_s[hops.change_to[change]] = moment
        end = begin
    return caught, ridden


@kernel
def all_changes(hops, access, low, high, wanted):  # type: ignore[no-untyped-def]
    """For each wanted connection the first event at every waiting place that it can change to: (first, to).

    ``wanted`` is bool, shape (high - low,); the others have no changes.
    """
    first = np.zeros(high - low + 1, np.int64)
    to = np.empty(1 << 12, np.int32)
    n = 0
    for c in range(low, high):
        place = hops.alight_place[c] if wanted[c - low] else -1
        if place >= 0:
            for change in range(hops.change_first[place], hops.change_first[place + 1]):
                waiting = hops.change_to[change]
                found = first_at_or_after(
                    access.event_departure_s,
                    access.event_first[waiting],
                    access.event_first[waiting + 1],
                    hops.arrival_s[c] + hops.change_s[change],
                )
                if found < access.event_first[waiting + 1] and access.event[found] >= low:
                    if n == len(to):
                        more = np.empty(2 * n, np.int32)
                        more[:n] = to
                        to = more
                    to[n] = access.event[found]
                    n += 1
        first[c - low + 1] = n
    return first, to[:n].copy()


@kernel
def _lower(target, source):  # type: ignore[no-untyped-def]
    """The smaller of two rows, lane by lane, into the first."""
    for lane in range(len(target)):
        target[lane] = min(target[lane], source[lane])


@kernel
def _end_here(row, begun, there, way, moments, vehicles, allowances, lanes, rows):  # type: ignore[no-untyped-def]
    """Lower a row by alighting after a connection, along the ways of a ride; whether the row is begun now."""
    if vehicles.arrival_s[there] > moments.latest_s:
        return begun
    low, first, last = vehicles.low, allowances.first[way], allowances.first[way + 1]
    ends = False
    for w in range(first, last):
        ends = ends or allowances.ends[w]
    near = lanes.row[vehicles.alight_stop[there]]
    if ends and near >= 0:
        if not begun:
            row[:] = NEVER
            begun = True
        walks = lanes.walk_s[near]
        arrive = np.int16(vehicles.arrival_s[there] - moments.base_s)
        most = np.int16(NEVER - arrive)
        for lane in range(len(row)):
            row[lane] = min(row[lane], np.int16(min(walks[lane], most) + arrive))
    for w in range(first, last):
        left = allowances.left[w]
        if left == 0:
            continue
        for t in range(vehicles.change_first[there - low], vehicles.change_first[there - low + 1]):
            other = rows.waiting_row[rows.event_row[vehicles.change_to[t] - low], left]
            if other >= 0:
                if begun:
                    _lower(row, rows.waiting[other])
                else:
                    row[:] = rows.waiting[other]
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
    position, n_rows, moments, vehicles, classes, allowances, lanes, rows
):
    """Scan from a connection on, latest departure first, until done or until the waiting rows may be too few.

    Parameters
    ----------
    position : int
        Where to go on; ``vehicles.low`` at first.
    n_rows : int
        Waiting rows in use.
    moments : Moments
    vehicles : Vehicles
    classes : RunClasses
    allowances : Allowances
    lanes : Lanes
    rows : Rows

    Returns
    -------
    (position, n_rows)
    """
    low, high = vehicles.low, vehicles.high
    departure_s, run = vehicles.departure_s, vehicles.run
    waiting_row, waiting = rows.waiting_row, rows.waiting
    n_classes, n_allowances = allowances.n_classes, waiting_row.shape[1]
    while position < high:
        end = position + 1
        while end < high and departure_s[end] == departure_s[position]:
            end += 1
        if n_rows + (end - position) * n_allowances > len(waiting):
            return position, n_rows
        farthest = np.int64(departure_s[position]) - moments.base_s + moments.longest_s
        for s in range(1, n_allowances):
            for c in range(position, end):
                if not rows.ridden[c - low]:
                    continue
                r = run[c]
                e = rows.event_row[c - low]
                wait = np.int32(-1)
                if e >= 0:
                    later = vehicles.next_event[c]
                    if later >= low:
                        wait = waiting_row[rows.event_row[later - low], s]
                    waiting_row[e, s] = wait
                if classes.run_class[r] >= 0:
                    way = s * n_classes + classes.run_class[r]
                    if allowances.first[way] == allowances.first[way + 1]:
                        continue
                    on_board = rows.riding[rows.run_row[r], s]
                    begun = rows.is_riding[rows.run_row[r], s]
                    if vehicles.alight_stop[c] >= 0:
                        begun = _end_here(on_board, begun, c, way, moments, vehicles, allowances, lanes, rows)
                        rows.is_riding[rows.run_row[r], s] = begun
                    if e >= 0 and begun:
                        mine = waiting[n_rows]
                        if wait >= 0:
                            other = waiting[wait]
                            for lane in range(len(mine)):
                                mine[lane] = min(on_board[lane], other[lane])
                        else:
                            mine[:] = on_board
                        if _soonest(mine) <= farthest:
                            waiting_row[e, s] = n_rows
                            n_rows += 1
                        else:
                            waiting_row[e, s] = -1
                            rows.is_riding[rows.run_row[r], s] = False
                elif e >= 0 and classes.pair_first[r] >= 0:
                    mine = waiting[n_rows]
                    begun = wait >= 0
                    if begun:
                        mine[:] = waiting[wait]
                    start, hop = vehicles.run_first[r], vehicles.position[c]
                    n_hops = vehicles.run_first[r + 1] - start
                    changed = False
                    for j in range(hop, n_hops):
                        there = vehicles.connection_of[start + j]
                        if there < low:
                            break
                        kind = classes.pair_class[classes.pair_first[r] + hop * n_hops + j]
                        way = s * n_classes + kind
                        if (
                            kind < 0
                            or vehicles.alight_stop[there] < 0
                            or allowances.first[way] == allowances.first[way + 1]
                        ):
                            continue
                        begun = _end_here(mine, begun, there, way, moments, vehicles, allowances, lanes, rows)
                        changed = True
                    if changed and begun and _soonest(mine) <= farthest:
                        waiting_row[e, s] = n_rows
                        n_rows += 1
        position = end
    return position, n_rows


@kernel
def read_allowance(start, departures_s, moments, access, vehicles, rows, lanes, result):  # type: ignore[no-untyped-def]
    """Travel times of every origin and departure with an allowance, into ``result`` (origin, departure, destination).

    A waiting row holds all later events of its place, so that from the latest departure to the first only events that
    have just become catchable are read. Only what is reached within the limit is written.

    Parameters
    ----------
    start : int
        The allowance.
    lanes : int64, shape (n_lanes,)
        Destination of each lane.
    """
    low, n_lanes = vehicles.low, len(lanes)
    event_first, event, event_departure_s = access.event_first, access.event, access.event_departure_s
    best = np.empty(n_lanes, np.int16)
    for origin in range(result.shape[0]):
        n_places = 0
        for link in range(access.first[origin], access.first[origin + 1]):
            n_places += access.place_first[access.to[link] + 1] - access.place_first[access.to[link]]
        at = np.empty(n_places, np.int64)  # the event read last, as a place in ``event``
        i = 0
        for link in range(access.first[origin], access.first[origin + 1]):
            for p in range(access.place_first[access.to[link]], access.place_first[access.to[link] + 1]):
                at[i] = event_first[access.place[p] + 1]
                i += 1
        best[:] = NEVER
        for d in range(len(departures_s) - 1, -1, -1):
            i = 0
            for link in range(access.first[origin], access.first[origin + 1]):
                ready_s = departures_s[d] + access.walk_s[link] + access.slack_s
                for p in range(access.place_first[access.to[link]], access.place_first[access.to[link] + 1]):
                    begin = event_first[access.place[p]]
                    found = at[i]
                    if found == event_first[access.place[p] + 1]:
                        found = first_at_or_after(event_departure_s, begin, found, ready_s)
                    while found > begin and event_departure_s[found - 1] >= ready_s:
                        found -= 1
                    if found != at[i] and event[found] >= low:
                        row = rows.waiting_row[rows.event_row[event[found] - low], start]
                        if row >= 0:
                            _lower(best, rows.waiting[row])
                    at[i] = found
                    i += 1
            line = result[origin, d]
            leave = np.int16(departures_s[d] - moments.base_s)
            for lane in range(n_lanes):
                taken = np.int16(best[lane] - leave)
                if best[lane] < NEVER and taken <= moments.longest_s:
                    line[lanes[lane]] = taken
