"""A plain textbook RAPTOR, one departure at a time: the baseline that the scan is measured against and held to.

Delling, Pajor, Werneck: Round-Based Public Transit Routing, ALENEX 2012, Algorithm 1, without range queries, with the rules of
a journey here: slack at every boarding, a walk between stops only directly after a ride. Trips of one sequence of stops in
which none overtakes are a route. It knows a feed and walks, and nothing of the library's network and search; blocks and
transfers.txt are beyond it and refused.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import DAY, UNREACHED
from community_routes.network.walks.points import Links
from community_routes.sources.gtfs.feed import Feed

FAR = 2**30


@dataclass(frozen=True, eq=False)
class Routes:
    """The routes of a timetable in RAPTOR's sense, and which of them serve a stop.

    Attributes
    ----------
    stop_first : int64, shape (n_routes + 1,)
        The stops of route ``r`` are ``stop[stop_first[r]:stop_first[r + 1]]``.
    stop : int32
    board, alight : bool
        Like ``stop``: whether its trips let passengers on and off there.
    trips : int32, shape (n_routes,)
        Number of trips, which are in order of time.
    time_first : int64, shape (n_routes,)
        Where the times of its first trip begin; those of the others follow, one for each stop.
    arrival_s, departure_s : int32
    serving_first : int64, shape (n_stops + 1,)
        The routes at stop ``s`` are ``serving[serving_first[s]:serving_first[s + 1]]``.
    serving, serving_position : int32
    """

    stop_first: NDArray[np.int64]
    stop: NDArray[np.int32]
    board: NDArray[np.bool_]
    alight: NDArray[np.bool_]
    trips: NDArray[np.int32]
    time_first: NDArray[np.int64]
    arrival_s: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    serving_first: NDArray[np.int64]
    serving: NDArray[np.int32]
    serving_position: NDArray[np.int32]


def build_routes(feed: Feed, date: dt.date) -> Routes:
    """Sort the trips of the day before, the day and the day after into routes in which none overtakes another.

    Raises
    ------
    ValueError
        The feed has blocks or rules in transfers.txt that the textbook does not know.
    """
    if (feed.trips["block_id"] != "").any() or (feed.transfers["transfer_type"] != 0).any():
        raise ValueError("a textbook RAPTOR knows neither blocks nor transfers.txt")
    calls = feed.calls
    repeats = defaultdict(list)
    for row in feed.frequencies.to_dict("records"):
        repeats[int(row["trip"])].append(range(row["start_s"], row["end_s"], row["headway_s"]))
    station = feed.stops["location_type"].to_numpy() == 1
    same: dict[tuple[bytes, ...], list[tuple[NDArray[Any], NDArray[Any]]]] = defaultdict(list)
    for day in (-1, 0, 1):
        for trip in feed.active_trips(date + dt.timedelta(days=day)).tolist():
            part = slice(int(calls.first[trip]), int(calls.first[trip + 1]))
            if part.stop - part.start < 2:
                continue
            stop = calls.stop[part]
            board = (calls.pickup_type[part] != 1) & ~station[stop]
            alight = (calls.drop_off_type[part] != 1) & ~station[stop]
            key = (stop.tobytes(), board.tobytes(), alight.tobytes())
            shifts = [0]
            if trip in repeats:
                shifts = [start - int(calls.departure_s[part.start]) for period in repeats[trip] for start in period]
            for shift in shifts:
                by_s = shift + day * DAY
                same[key].append((calls.arrival_s[part] + by_s, calls.departure_s[part] + by_s))
    return _lay_out(same, len(feed.stops))


def _lay_out(same: dict[tuple[bytes, ...], list[tuple[NDArray[Any], NDArray[Any]]]], n_stops: int) -> Routes:
    keys: list[tuple[bytes, ...]] = []
    members: list[list[tuple[NDArray[Any], NDArray[Any]]]] = []
    for key, trips in same.items():
        chains: list[list[tuple[NDArray[Any], NDArray[Any]]]] = []
        for times in sorted(trips, key=lambda t: (t[1][0], t[0][-1])):
            for chain in chains:
                if np.all(chain[-1][0] <= times[0]) and np.all(chain[-1][1] <= times[1]):
                    chain.append(times)
                    break
            else:
                chains.append([times])
        keys += [key] * len(chains)
        members += chains
    stops = [np.frombuffer(key[0], np.int32) for key in keys]
    sizes = np.array([len(s) for s in stops], np.int64)
    stop = np.concatenate([*stops, np.zeros(0, np.int32)])
    counts = np.array([len(chain) for chain in members], np.int32)
    route = np.repeat(np.arange(len(keys), dtype=np.int32), sizes)
    stop_first = np.concatenate([[0], np.cumsum(sizes)])
    order = np.argsort(stop, kind="stable")
    none = np.zeros(0, np.int32)
    return Routes(
        stop_first=stop_first,
        stop=stop,
        board=np.concatenate([*(np.frombuffer(key[1], np.bool_) for key in keys), none.astype(bool)]),
        alight=np.concatenate([*(np.frombuffer(key[2], np.bool_) for key in keys), none.astype(bool)]),
        trips=counts,
        time_first=np.cumsum(sizes * counts) - sizes * counts,
        arrival_s=np.concatenate([none, *(times[0] for chain in members for times in chain)]).astype(np.int32),
        departure_s=np.concatenate([none, *(times[1] for chain in members for times in chain)]).astype(np.int32),
        serving_first=np.searchsorted(stop[order], np.arange(n_stops + 1)).astype(np.int64),
        serving=route[order],
        serving_position=(np.arange(len(stop)) - stop_first[route])[order].astype(np.int32),
    )


def raptor_times(
    routes: Routes,
    footpaths: Links,
    access: Links,
    egress: Links,
    direct: Links,
    origins: NDArray[np.int64],
    departures_s: NDArray[np.int32],
    *,
    slack_s: int,
    max_rides: int,
    max_travel_s: int,
) -> NDArray[np.int32]:
    """Travel times of each origin and departure, one after the other, to all destinations.

    Parameters
    ----------
    routes : Routes
    footpaths, access, egress, direct : Links
        Stops to stops, origins to stops, destinations to stops (the walk from the stop), origins to destinations.
    origins : int, shape (n,)
        Which rows of ``access``.
    departures_s : int32, shape (n_departures,)
    slack_s, max_rides, max_travel_s : int

    Returns
    -------
    int32, shape (n, n_departures, n_destinations)
        Seconds, UNREACHED where none.
    """
    n_stops = len(routes.serving_first) - 1
    result = np.full((len(origins), len(departures_s), egress.n_from), UNREACHED, np.int32)
    state = _State(n_stops, len(routes.trips))
    for i, origin in enumerate(np.asarray(origins).tolist()):
        near = slice(int(access.first[origin]), int(access.first[origin + 1]))
        walk = slice(int(direct.first[origin]), int(direct.first[origin + 1]))
        for d, depart_s in enumerate(np.asarray(departures_s).tolist()):
            search(
                routes.stop_first, routes.stop, routes.board, routes.alight, routes.trips, routes.time_first,
                routes.arrival_s, routes.departure_s, routes.serving_first, routes.serving, routes.serving_position,
                footpaths.first, footpaths.to, footpaths.walk_s, access.to[near], access.walk_s[near],
                depart_s, slack_s, max_rides, depart_s + max_travel_s,
                state.in_vehicle, state.ready, state.ready_next, state.marked, state.alighted, state.board_at,
            )  # fmt: skip
            read_destinations(
                state.in_vehicle, egress.first, egress.to, egress.walk_s, direct.to[walk], direct.walk_s[walk], depart_s,
                max_travel_s, result[i, d],
            )  # fmt: skip
    return result


class _State:
    """Labels of one search, allocated once."""

    def __init__(self, n_stops: int, n_routes: int) -> None:
        self.in_vehicle = np.empty(n_stops, np.int32)
        self.ready = np.empty(n_stops, np.int32)
        self.ready_next = np.empty(n_stops, np.int32)
        self.marked = np.empty(n_stops, np.bool_)
        self.alighted = np.empty(n_stops, np.bool_)
        self.board_at = np.empty(n_routes, np.int32)


@nb.njit(cache=True, nogil=True)
def search(  # type: ignore[no-untyped-def]
    stop_first, stop, board, alight, trips, time_first, arrival_s, departure_s, serving_first, serving, serving_position,
    path_first, path_to, path_s, access_to, access_s, depart_s, slack_s, max_rides, latest_s,
    in_vehicle, ready, ready_next, marked, alighted, board_at,
):  # fmt: skip
    """Fill ``in_vehicle`` with the earliest arrival at each stop by a vehicle, within a number of rides."""
    in_vehicle[:] = FAR  # arrived by vehicle: may walk on
    ready[:] = FAR  # at the stop, however one came, with the rides of the round before
    marked[:] = False
    for i in range(len(access_to)):
        ready[access_to[i]] = min(ready[access_to[i]], depart_s + access_s[i])
        marked[access_to[i]] = True
    for _ in range(max_rides):
        board_at[:] = FAR
        for s in range(len(marked)):
            if marked[s]:
                marked[s] = False
                for i in range(serving_first[s], serving_first[s + 1]):
                    board_at[serving[i]] = min(board_at[serving[i]], serving_position[i])
        ready_next[:] = ready
        alighted[:] = False
        for route in range(len(board_at)):
            if board_at[route] < FAR:
                _ride(
                    stop[stop_first[route] : stop_first[route + 1]], board[stop_first[route] : stop_first[route + 1]],
                    alight[stop_first[route] : stop_first[route + 1]], board_at[route], trips[route], time_first[route],
                    arrival_s, departure_s, slack_s, latest_s, ready, in_vehicle, alighted,
                )  # fmt: skip
        some = False
        for s in range(len(alighted)):
            if alighted[s]:
                if in_vehicle[s] < ready_next[s]:
                    ready_next[s] = in_vehicle[s]
                    marked[s] = some = True
                for i in range(path_first[s], path_first[s + 1]):
                    there_s = in_vehicle[s] + path_s[i]
                    if there_s < ready_next[path_to[i]]:
                        ready_next[path_to[i]] = there_s
                        marked[path_to[i]] = some = True
        ready[:] = ready_next
        if not some:
            break


@nb.njit(cache=True, nogil=True)
def _ride(  # type: ignore[no-untyped-def]
    stop,
    board,
    alight,
    start,
    n_trips,
    time_first,
    arrival_s,
    departure_s,
    slack_s,
    latest_s,
    ready,
    in_vehicle,
    alighted,
):
    """Follow a route from the first stop where it may be boarded, always on the earliest trip."""
    n, trip = len(stop), n_trips
    for position in range(start, n):
        s = stop[position]
        if trip < n_trips and alight[position]:
            here_s = arrival_s[time_first + trip * n + position]
            if here_s < in_vehicle[s] and here_s <= latest_s:
                in_vehicle[s] = here_s
                alighted[s] = True
        if position < n - 1 and board[position] and ready[s] < FAR:
            low, high = 0, trip
            while low < high:  # first trip, of those before the one ridden, that leaves in time
                middle = (low + high) // 2
                if departure_s[time_first + middle * n + position] >= ready[s] + slack_s:
                    high = middle
                else:
                    low = middle + 1
            trip = low


@nb.njit(cache=True, nogil=True)
def read_destinations(  # type: ignore[no-untyped-def]
    in_vehicle, egress_first, egress_to, egress_s, direct_to, direct_s, depart_s, max_travel_s, result
):
    """Travel time to each destination: by the best last stop, or walking all the way."""
    for destination in range(len(egress_first) - 1):
        best = FAR
        for i in range(egress_first[destination], egress_first[destination + 1]):
            best = min(best, in_vehicle[egress_to[i]] + egress_s[i])
        if best - depart_s <= max_travel_s:
            result[destination] = best - depart_s
    for i in range(len(direct_to)):
        if direct_s[i] <= max_travel_s:
            result[direct_to[i]] = min(result[direct_to[i]], direct_s[i])
