"""The connection scan with allowances instead of a number of rides: what a traveller may still ride and pay for.

An *allowance* (``machine.Allowances``) is a state: so many rides left and so much money, with or without some tickets.
Boarding a ride of a class leads along ways to smaller allowances. For every waiting place, allowance and destination (a lane):

    on board(c, s) = earliest arrival of staying on the vehicle, of alighting and walking to the end where a way ends there,
                     and of alighting and waiting with an allowance that is left: waiting(change, left after s)
    waiting(e, s)  = earliest arrival of on board(e, s) and waiting(next event at the same place, s)

where s is the allowance before boarding. On a *metered* run the class depends on where one alights, so that every end of
the ride is tried from each boarding. Allowances are numbered so that what is left has the smaller number: within a second
they are done in that order, and a row is final when it is read.

What is of no use within the limit of a journey, even if money and rides were no limit, is left out: ``follow`` finds that,
and the changes, by a scan in the order of time and one against it. Of changes those are left out that are useless for time
(``Connections.transfer``): the same vehicles can be boarded elsewhere, no farther on, or one stays on board of an earlier one.
On board of a vehicle whose rides all cost the same neither is dearer. Changes to places where metered vehicles can be caught,
*open* places, are all kept, and all changes where a fare ends some time after it is bought. Kernels that call each other live
in this file.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel, step
from community_routes.fares.machine import Allowances, RunClasses

NEVER: Final = 32767
"""No arrival, in 16-bit seconds after the first departure."""
NOBODY: Final = -1
"""In the place of the latest departure from home."""
UNTIMED_S: Final = 2**30
Row = NDArray[np.int16]


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
    run_first : int64, shape (n_runs + 1,)
        Hops of each run; ``connection_of`` says which connection a hop is.
    connection_of : int64, shape (n,)
    waits_s, rides_s : int32, shape (high - low,)
        The latest departure from home, in seconds after the first, of anybody who can wait for connection ``low + i``, or be in
        it; NOBODY where there is none, and where nobody gets to an end in time from there.
    change_first, change_last : int64, shape (high - low,)
        Events that connection ``low + i`` can change to: ``change_to[change_first[i]:change_last[i]]``.
    change_to : int32
    """

    low: int
    high: int
    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    position: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    next_event: NDArray[np.int32]
    run_first: NDArray[np.int64]
    connection_of: NDArray[np.int64]
    waits_s: NDArray[np.int32]
    rides_s: NDArray[np.int32]
    change_first: NDArray[np.int64]
    change_last: NDArray[np.int64]
    change_to: NDArray[np.int32]


class Hops(NamedTuple):
    """The connections ``low`` to ``high`` of a day, and the changes between places (``network.changes``).

    Attributes
    ----------
    board_place, alight_place : int32, shape (high - low,)
        Of connection ``low + i``, -1 where there is none.
    transfer_first, transfer
        The changes that are useful for time, as in ``Connections``.
    change_first, change_to, change_s
        All changes, as in ``Changes``.
    walk_s : int32, shape (n_places,)
        The shortest time from any origin to a waiting place, slack included; UNTIMED_S where there is none.
    end_s : int32, shape (n_stops,)
        The shortest walk from a stop to any destination; UNTIMED_S where there is none.
    is_open : bool, shape (n_places,)
        Waiting places to which all changes are kept.
    leads_to_open : bool, shape (n_alight_places,)
        Whether one of the changes from a place leads to one of these.
    """

    low: int
    high: int
    departure_s: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    run: NDArray[np.int32]
    next_event: NDArray[np.int32]
    alight_stop: NDArray[np.int32]
    board_place: NDArray[np.int32]
    alight_place: NDArray[np.int32]
    transfer_first: NDArray[np.int64]
    transfer: NDArray[np.int32]
    change_first: NDArray[np.int64]
    change_to: NDArray[np.int32]
    change_s: NDArray[np.int32]
    walk_s: NDArray[np.int32]
    end_s: NDArray[np.int32]
    is_open: NDArray[np.bool_]
    leads_to_open: NDArray[np.bool_]


class Moments(NamedTuple):
    """The seconds of a scan.

    Attributes
    ----------
    base_s, step_s, span_s : int
        Departures from home are each ``step_s`` from ``base_s`` until ``span_s`` after it. Row values are seconds after
        ``base_s``.
    longest_s : int
        Limit of a journey. A row whose soonest arrival is farther than that from the latest departure of anybody who can be
        there is of use to nobody, and ends there.
    """

    base_s: int
    step_s: int
    span_s: int
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
    """The rows of a scan: the earliest arrivals from where somebody can be.

    Attributes
    ----------
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

    event_row: NDArray[np.int32]
    run_row: NDArray[np.int32]
    waiting_row: NDArray[np.int32]
    riding: NDArray[np.int16]
    is_riding: NDArray[np.bool_]
    waiting: NDArray[np.int16]


class Columns(NamedTuple):
    """Where the lanes of a block are written."""

    first: int
    end: int


class Followed(NamedTuple):
    """What ``follow`` finds, as in ``Vehicles``."""

    waits_s: NDArray[np.int32]
    rides_s: NDArray[np.int32]
    change_first: NDArray[np.int64]
    change_last: NDArray[np.int64]
    change_to: NDArray[np.int32]


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


@step
def _filled(n: int, value: int) -> NDArray[np.int32]:
    values = np.empty(n, np.int32)
    for i in range(n):
        values[i] = value
    return values


@step
def _longer(values: NDArray[np.int32], n: int) -> NDArray[np.int32]:
    """Room for twice as much."""
    more = np.empty(2 * len(values), np.int32)
    for i in range(n):
        more[i] = values[i]
    return more


@step
def _collect_changes(
    c: int, hops: Hops, access: Access, n: int, to: NDArray[np.int32]
) -> tuple[int, NDArray[np.int32]]:
    """Append the changes of a connection: those useful for time, and all to open places."""
    i = c - hops.low
    for t in range(hops.transfer_first[c], hops.transfer_first[c + 1]):
        e = hops.transfer[t]
        if e >= hops.low and not hops.is_open[hops.board_place[e - hops.low]]:
            if n == len(to):
                to = _longer(to, n)
            to[n] = e
            n += 1
    if not hops.leads_to_open[hops.alight_place[i]]:
        return n, to
    for change in range(hops.change_first[hops.alight_place[i]], hops.change_first[hops.alight_place[i] + 1]):
        place = hops.change_to[change]
        if hops.is_open[place]:
            begin, end = access.event_first[place], access.event_first[place + 1]
            at = _first_at_or_after(access.event_departure_s, begin, end, hops.arrival_s[c] + hops.change_s[change])
            if at < end and access.event[at] >= hops.low:
                if n == len(to):
                    to = _longer(to, n)
                to[n] = access.event[at]
                n += 1
    return n, to


@step
def _strike_out_useless(hops: Hops, moments: Moments, n_runs: int, found: Followed) -> None:
    """Have nobody wait for or be in what leads to no destination in time, even for those who left home last."""
    low, high, departure_s = hops.low, hops.high, hops.departure_s
    waits_s, rides_s = found.waits_s, found.rides_s
    arrives_s = _filled(high - low, UNTIMED_S)  # of who waits for a connection
    on_board_s = _filled(n_runs, UNTIMED_S)
    begin = low
    while begin < high:
        end = begin + 1
        while end < high and departure_s[end] == departure_s[begin]:
            end += 1
        again = True
        while again:
            again, is_tied = False, False
            for c in range(begin, end):
                i, r = c - low, hops.run[c]
                if rides_s[i] == NOBODY:
                    continue
                soonest_s = on_board_s[r]
                if hops.alight_stop[c] >= 0:
                    soonest_s = min(soonest_s, hops.arrival_s[c] + hops.end_s[hops.alight_stop[c]])
                    for t in range(found.change_first[i], found.change_last[i]):
                        soonest_s = min(soonest_s, arrives_s[found.change_to[t] - low])
                        is_tied = is_tied or found.change_to[t] >= begin
                on_board_s[r] = soonest_s
                later = hops.next_event[c] - low
                if later >= 0:
                    soonest_s = min(soonest_s, arrives_s[later])
                if hops.board_place[i] >= 0 and soonest_s < arrives_s[i]:
                    arrives_s[i] = soonest_s
                    again = True
            again = again and is_tied
        for c in range(begin, end):
            i = c - low
            if on_board_s[hops.run[c]] - moments.base_s - rides_s[i] > moments.longest_s:
                rides_s[i] = NOBODY
            if arrives_s[i] - moments.base_s - waits_s[i] > moments.longest_s:
                waits_s[i] = NOBODY
        begin = end


@kernel
def follow(hops: Hops, access: Access, moments: Moments, n_runs: int) -> Followed:
    """Follow everybody from home through the vehicles in the order of time: who can be where, and all changes from there.

    Of all who can wait for a connection or be in it, only the latest departure from home is kept. Neither rides nor money are
    limited here, so that nothing of use is left out. Then, against the order of time, it is found where the end is too far.
    """
    low, high, departure_s = hops.low, hops.high, hops.departure_s
    n = high - low
    waits_s, rides_s, on_board_s = _filled(n, NOBODY), _filled(n, NOBODY), _filled(n_runs, NOBODY)
    first, last = np.zeros(n, np.int64), np.zeros(n, np.int64)
    to = np.empty(1 << 12, np.int32)
    n_changes = np.int64(0)
    end = high
    while end > low:
        begin = end - 1
        while begin > low and departure_s[begin - 1] == departure_s[end - 1]:
            begin -= 1
        again = True
        while again:  # within a second one may change to any other vehicle of that second
            again = False
            for c in range(end - 1, begin - 1, -1):
                i, r, place = c - low, hops.run[c], hops.board_place[c - low]
                if place >= 0:
                    ready_s = departure_s[c] - moments.base_s - hops.walk_s[place]
                    if ready_s >= 0:
                        home_s = min(ready_s // moments.step_s * moments.step_s, moments.span_s)
                        waits_s[i] = max(waits_s[i], home_s)
                    later = hops.next_event[c] - low
                    if later >= 0:
                        waits_s[later] = max(waits_s[later], waits_s[i])
                    on_board_s[r] = max(on_board_s[r], waits_s[i])
                if on_board_s[r] <= rides_s[i]:
                    continue
                if rides_s[i] == NOBODY and hops.alight_place[i] >= 0:
                    first[i] = n_changes
                    n_changes, to = _collect_changes(c, hops, access, n_changes, to)
                    last[i] = n_changes
                rides_s[i] = on_board_s[r]
                if hops.arrival_s[c] - moments.base_s - rides_s[i] > moments.longest_s:
                    continue
                for t in range(first[i], last[i]):
                    e = to[t]
                    if waits_s[e - low] < rides_s[i]:
                        waits_s[e - low] = rides_s[i]
                        again = again or e >= begin
        end = begin
    found = Followed(waits_s, rides_s, first, last, to)
    _strike_out_useless(hops, moments, n_runs, found)
    return found


@step
def _begin(row: Row) -> None:
    """A row that reaches nothing yet."""
    for lane in range(len(row)):
        row[lane] = NEVER


@step
def _copy(target: Row, source: Row) -> None:
    for lane in range(len(target)):
        target[lane] = source[lane]


@step
def _lower(target: Row, source: Row) -> None:
    """The smaller of two rows, lane by lane, into the first."""
    for lane in range(len(target)):
        target[lane] = min(target[lane], source[lane])


@step
def _end_here(
    row: Row,
    begun: bool,
    there: int,
    way: int,
    moments: Moments,
    vehicles: Vehicles,
    allowances: Allowances,
    lanes: Lanes,
    rows: Rows,
) -> bool:
    """Lower a row by alighting after a connection, along the ways of a ride; whether the row is begun now."""
    arrive_s = vehicles.arrival_s[there] - moments.base_s
    if arrive_s > moments.span_s + moments.longest_s:
        return begun
    low, first, last = vehicles.low, allowances.first[way], allowances.first[way + 1]
    ends = False
    for w in range(first, last):
        ends = ends or allowances.ends[w]
    near = lanes.row[vehicles.alight_stop[there]]
    if ends and near >= 0:
        if not begun:
            _begin(row)
            begun = True
        walks = lanes.walk_s[near]
        arrive = np.int16(arrive_s)
        most = np.int16(NEVER - arrive)
        for lane in range(len(row)):
            row[lane] = min(row[lane], np.int16(min(walks[lane], most) + arrive))
    for w in range(first, last):
        left = allowances.left[w]
        if left == 0:
            continue
        for t in range(vehicles.change_first[there - low], vehicles.change_last[there - low]):
            at = rows.event_row[vehicles.change_to[t] - low]
            if at < 0:
                continue
            other = rows.waiting_row[at, left]
            if other >= 0:
                if begun:
                    _lower(row, rows.waiting[other])
                else:
                    _copy(row, rows.waiting[other])
                    begun = True
    return begun


@step
def _soonest(row: Row) -> np.int64:
    """The earliest arrival in a row."""
    soonest = np.int16(NEVER)
    for lane in range(len(row)):
        soonest = min(soonest, row[lane])
    return np.int64(soonest)


@kernel
def scan_allowances(
    position: int,
    n_rows: int,
    moments: Moments,
    vehicles: Vehicles,
    classes: RunClasses,
    allowances: Allowances,
    lanes: Lanes,
    rows: Rows,
) -> tuple[int, int]:
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
    waits_s, rides_s, longest_s = vehicles.waits_s, vehicles.rides_s, moments.longest_s
    event_row, waiting_row, waiting = rows.event_row, rows.waiting_row, rows.waiting
    n_classes, n_allowances = allowances.n_classes, waiting_row.shape[1]
    while position < high:
        end = position + 1
        while end < high and departure_s[end] == departure_s[position]:
            end += 1
        if n_rows + (end - position) * n_allowances > len(waiting):
            return position, n_rows
        for s in range(1, n_allowances):
            for c in range(position, end):
                r, e = run[c], event_row[c - low]
                wait = np.int32(-1)
                if e >= 0:
                    later = vehicles.next_event[c]
                    if later >= low and event_row[later - low] >= 0:
                        wait = waiting_row[event_row[later - low], s]
                    waiting_row[e, s] = wait
                if rides_s[c - low] == NOBODY:
                    continue
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
                            _copy(mine, on_board)
                        soonest_s = _soonest(mine)
                        if soonest_s <= waits_s[c - low] + longest_s:
                            waiting_row[e, s] = n_rows
                            n_rows += 1
                        else:
                            waiting_row[e, s] = -1
                            if soonest_s > rides_s[c - low] + longest_s:
                                rows.is_riding[rows.run_row[r], s] = False
                elif e >= 0 and classes.pair_first[r] >= 0:
                    mine = waiting[n_rows]
                    begun = wait >= 0
                    if begun:
                        _copy(mine, waiting[wait])
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
                            or rides_s[there - low] == NOBODY
                            or vehicles.alight_stop[there] < 0
                            or allowances.first[way] == allowances.first[way + 1]
                        ):
                            continue
                        begun = _end_here(mine, begun, there, way, moments, vehicles, allowances, lanes, rows)
                        changed = True
                    if changed and begun and _soonest(mine) <= waits_s[c - low] + longest_s:
                        waiting_row[e, s] = n_rows
                        n_rows += 1
        position = end
    return position, n_rows


@kernel
def read_allowance(
    start: int,
    departures_s: NDArray[np.int32],
    moments: Moments,
    access: Access,
    vehicles: Vehicles,
    rows: Rows,
    columns: Columns,
    result: NDArray[np.int16],
) -> None:
    """Travel times of every origin and departure with an allowance, into columns of ``result`` (origin, departure, column).

    A waiting row holds all later events of its place, so that from the latest departure to the first only events that
    have just become catchable are read. NEVER is what is not reached within the limit.

    Parameters
    ----------
    start : int
        The allowance.
    """
    low = vehicles.low
    event_first, event, event_departure_s = access.event_first, access.event, access.event_departure_s
    best = np.empty(rows.waiting.shape[1], np.int16)
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
        _begin(best)
        for d in range(len(departures_s) - 1, -1, -1):
            i = 0
            for link in range(access.first[origin], access.first[origin + 1]):
                ready_s = departures_s[d] + access.walk_s[link] + access.slack_s
                for p in range(access.place_first[access.to[link]], access.place_first[access.to[link] + 1]):
                    begin = event_first[access.place[p]]
                    found = at[i]
                    if found == event_first[access.place[p] + 1]:
                        found = _first_at_or_after(event_departure_s, begin, found, ready_s)
                    while found > begin and event_departure_s[found - 1] >= ready_s:
                        found -= 1
                    if found != at[i] and event[found] >= low and rows.event_row[event[found] - low] >= 0:
                        row = rows.waiting_row[rows.event_row[event[found] - low], start]
                        if row >= 0:
                            _lower(best, rows.waiting[row])
                    at[i] = found
                    i += 1
            line = result[origin, d, columns.first : columns.end]
            leave, longest = np.int16(departures_s[d] - moments.base_s), np.int16(moments.longest_s)
            for lane in range(len(line)):
                taken = np.int16(best[lane] - leave)
                line[lane] = taken if (best[lane] < NEVER) & (taken <= longest) else np.int16(NEVER)
