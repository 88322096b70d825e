"""The slow twin: an obviously right search of a small timetable, independent of the network and routing it is compared with.

It lists every *boarding* (a run at a call where one may get on) and every *alighting* (a run at a call where one may get
off) of the three service days, writes down which alightings each boarding rides to and which boardings each alighting may
change to, and follows those two lists once per ride. No order of scanning, no dominance, no profile: nothing to get wrong
by being quick. It knows the types of a feed and of times, and plain matrices of walks; nothing else of the library.

How it reads the rules of a journey where they leave room:

1. A change goes from one call, where the traveller alights, to one call, where they board: at the same stop (0 s) or by one
   walk of ``footpath_s``. Where the matrix has no walk there is no change, whatever transfers.txt says.
2. Slack is for every boarding, the first one from the origin included; only a timed transfer (type 1) goes without.
   transfers.txt says nothing about the first boarding and the last alighting.
3. The rule of a change is the one that names most trips; among these most routes; among these most of the two stops
   themselves (2 for a stop, 1 for its station, 0 for neither named, added over both ends); the first in the file if still
   equal. A side that names a trip is not counted for its route again, but both must fit.
4. A winning rule of type 0 is an ordinary change, even where a vaguer rule forbids it. Types 4 and 5 are no rules of a change.
5. Type 2 without a time is an ordinary change. A rule from a station to itself includes the change at one platform.
6. A block is put in order by the first departure, then the last arrival, then the row of the trip; only neighbours in that
   order are joined: from the last arrival to the next first departure it is 0 to 3,600 s, at one stop or at two children of
   one station.
7. Type 4 joins the two trips it names, whatever their blocks, beside the join by block: on one service date, or where the
   second runs on the date after; 0 to 10,800 s from the last arrival to the first departure, at one stop, at two children of
   one station, or at most 500 m apart as the crow flies. Type 5 parts the two trips it names.
8. Runs of frequencies.txt are joined to nothing (nobody can say which run follows which).
9. A run of frequencies.txt leaves its first call at the time given; the others keep their distance to that. ``phase: half``
   adds half of the headway, rounded down, where exact_times is 0, and the departures still lie before the end.
10. On board across a join, the last call of the first trip may be alighted at, the first call of the next one not.
11. A call at a station (location_type 1) is neither boarded nor alighted at.
12. Arrive-by: the answer is the deadline minus the latest second of departure, and the limit of total time is on that figure.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import DAY, HOUR, UNREACHED
from community_routes.sources.gtfs.feed import Feed

NEVER = 2**40
"""An arrival that does not happen; larger than all times, and safe to add to."""

NO_WALK = -1
"""In a matrix of walks: none."""


@dataclass(frozen=True)
class Run:
    """A trip on one service date, or one run of a trip of frequencies.txt."""

    trip: int
    day: int
    repeats: bool
    arrival_s: NDArray[np.int64]
    departure_s: NDArray[np.int64]


def runs_of(feed: Feed, date: dt.date, phase: str) -> list[Run]:
    """All runs of the day before, the day and the day after, in seconds of the day."""
    repeats = defaultdict(list)
    for row in feed.frequencies.to_dict("records"):
        repeats[int(row["trip"])].append(row)
    services = feed.trips["service"].to_numpy()
    runs = []
    for day in (-1, 0, 1):
        active = services_on(feed, date + dt.timedelta(days=day))
        for trip in range(len(feed.trips)):
            calls = slice(int(feed.calls.first[trip]), int(feed.calls.first[trip + 1]))
            if int(services[trip]) not in active or calls.stop - calls.start < 2:
                continue
            arrival = feed.calls.arrival_s[calls].astype(np.int64) + day * DAY
            departure = feed.calls.departure_s[calls].astype(np.int64) + day * DAY
            if trip not in repeats:
                runs.append(Run(trip, day, False, arrival, departure))
            for row in repeats.get(trip, []):
                half = row["headway_s"] // 2 if phase == "half" and not row["exact_times"] else 0
                for start in range(row["start_s"] + half, row["end_s"], row["headway_s"]):
                    later = start + day * DAY - departure[0]
                    runs.append(Run(trip, day, True, arrival + later, departure + later))
    return runs


def services_on(feed: Feed, date: dt.date) -> set[int]:
    """Rows of the services that run on a date."""
    calendar, day = feed.calendar, np.datetime64(date, "D")
    running = set()
    for service in range(len(calendar.service_id)):
        in_season = bool(calendar.start[service] <= day <= calendar.end[service])
        if in_season and calendar.weekdays[service, date.weekday()]:
            running.add(service)
    for service, when, added in zip(
        calendar.exception_service, calendar.exception_date, calendar.exception_added, strict=True
    ):
        if when == day:
            (running.add if added else running.discard)(int(service))
    return running


def joined_runs(feed: Feed, runs: list[Run]) -> dict[int, list[int]]:
    """For each run the runs on which one stays on board after its last call."""
    parts, in_seat = set(), set()
    for row in feed.transfers.to_dict("records"):
        if row["from_trip"] >= 0 and row["to_trip"] >= 0:
            pair = (int(row["from_trip"]), int(row["to_trip"]))
            if row["transfer_type"] == 4:
                in_seat.add(pair)
            elif row["transfer_type"] == 5:
                parts.add(pair)
    stop, parent = feed.calls.stop, feed.stops["parent"].to_numpy()

    def fits(before: int, after: int, longest_s: int = HOUR, farthest_m: float = -1.0) -> bool:
        end = int(stop[feed.calls.first[runs[before].trip + 1] - 1])
        start = int(stop[feed.calls.first[runs[after].trip]])
        one_place = end == start or (parent[end] >= 0 and parent[end] == parent[start])
        gap = runs[after].departure_s[0] - runs[before].arrival_s[-1]
        return bool((one_place or apart_m(feed, end, start) <= farthest_m) and 0 <= gap <= longest_s)

    blocks, by_trip = defaultdict(list), {}
    agency = feed.routes["agency"].to_numpy()
    trips = feed.trips[["source", "route", "block_id"]].to_dict("records")
    for number, run in enumerate(runs):
        if not run.repeats:
            by_trip[run.trip, run.day] = number
            row = trips[run.trip]
            if row["block_id"]:
                blocks[row["source"], int(agency[row["route"]]), row["block_id"], run.day].append(number)
    joined: dict[int, list[int]] = defaultdict(list)
    for members in blocks.values():
        members.sort(key=lambda n: (runs[n].departure_s[0], runs[n].arrival_s[-1], runs[n].trip))
        for before, after in pairwise(members):
            if fits(before, after) and (runs[before].trip, runs[after].trip) not in parts:
                joined[before].append(after)
    for (trip, day), before in by_trip.items():
        for first, second in in_seat - parts:
            for later in (day, day + 1):
                after = by_trip.get((second, later), before)
                is_new = trip == first and after != before and after not in joined[before]
                if is_new and fits(before, after, 3 * HOUR, 500.0):
                    joined[before].append(after)
    return joined


def apart_m(feed: Feed, one: int, other: int) -> float:
    """Metres between two stops on a sphere of 6,371,008.8 m, by the chord between them."""
    lon, lat = np.radians(feed.stops[["lon", "lat"]].to_numpy(float)[[one, other]]).T
    x, y, z = np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)
    chord = np.sqrt(np.diff(x) ** 2 + np.diff(y) ** 2 + np.diff(z) ** 2)
    return float(2 * 6_371_008.8 * np.arcsin(chord / 2)[0])


class SlowSearch:
    """Every journey between some origins and destinations of a small timetable.

    Parameters
    ----------
    feed : Feed
    date : date
        The service date.
    footpath_s : int, shape (n_stops, n_stops)
        Walks between stops, ``NO_WALK`` where there is none.
    access_s : int, shape (n_origins, n_stops)
    egress_s : int, shape (n_destinations, n_stops)
        Walks from each stop to each destination.
    direct_s : int, shape (n_origins, n_destinations)
    between_s : tuple of int
        Nothing that leaves before the first or arrives after the second second is of interest.
    slack_s, max_rides, phase
        As in a study.
    """

    def __init__(
        self,
        feed: Feed,
        date: dt.date,
        footpath_s: NDArray[np.int64],
        access_s: NDArray[np.int64],
        egress_s: NDArray[np.int64],
        direct_s: NDArray[np.int64],
        *,
        between_s: tuple[int, int],
        slack_s: int = 60,
        max_rides: int = 3,
        phase: str = "zero",
    ) -> None:
        self.feed, self.slack_s, self.direct_s = feed, slack_s, np.asarray(direct_s, np.int64)
        self.footpath_s = np.array(footpath_s, np.int64)
        np.fill_diagonal(self.footpath_s, 0)
        self.runs = runs_of(feed, date, phase)
        self._list_events(*between_s)
        self._list_rides()
        self.change_first, self.change_to = self._list_changes()
        egress = np.asarray(egress_s, np.int64)[:, self.alight_stop].T
        straight = np.where(egress >= 0, self.alight_s[:, None] + egress, NEVER)
        self.arrival_by_rides = []
        """For 1, 2, ... rides: earliest arrival, shape (n_boardings, n_destinations), of who boards there."""
        after_change = np.full_like(straight, NEVER)
        for _ in range(max_rides):
            from_alighting = np.minimum(straight, after_change)
            on_board = least(self.ride_first, self.ride_to, from_alighting)
            self.arrival_by_rides.append(on_board)
            after_change = least(self.change_first, self.change_to, on_board)
        access = np.asarray(access_s, np.int64)[:, self.board_stop]
        self.leave_by = np.where(access >= 0, self.board_s - slack_s - access, -NEVER)
        """Latest second at which one leaves the origin and still boards there, shape (n_origins, n_boardings)."""

    def _list_events(self, earliest_s: int, latest_s: int) -> None:
        calls, station = self.feed.calls, self.feed.stops["location_type"].to_numpy() == 1
        board, alight = [], []
        for number, run in enumerate(self.runs):
            first, n = int(calls.first[run.trip]), len(run.arrival_s)
            for position in range(n):
                stop = int(calls.stop[first + position])
                may_board = position < n - 1 and calls.pickup_type[first + position] != 1 and not station[stop]
                may_alight = position > 0 and calls.drop_off_type[first + position] != 1 and not station[stop]
                if may_board and run.departure_s[position] >= earliest_s:
                    board.append((number, position, stop, run.departure_s[position]))
                if may_alight and run.arrival_s[position] <= latest_s:
                    alight.append((number, position, stop, run.arrival_s[position]))
        boards, alights = np.array(board, np.int64).reshape(-1, 4), np.array(alight, np.int64).reshape(-1, 4)
        self.board_run, self.board_position, self.board_stop, self.board_s = boards.T
        self.alight_run, self.alight_position, self.alight_stop, self.alight_s = alights.T

    def _list_rides(self) -> None:
        """Each boarding rides to the later alightings of its run and to all of the runs joined behind it."""
        joined = joined_runs(self.feed, self.runs)
        by_run = defaultdict(list)
        for event, run in enumerate(self.alight_run.tolist()):
            by_run[run].append(event)
        position = self.alight_position.tolist()
        first, to = [0], []
        for run, start in zip(self.board_run.tolist(), self.board_position.tolist(), strict=True):
            to += [event for event in by_run[run] if position[event] > start]
            seen, waiting = {run}, list(joined.get(run, []))
            while waiting:
                following = waiting.pop()
                if following not in seen:
                    seen.add(following)
                    to += by_run[following]
                    waiting += joined.get(following, [])
            first.append(len(to))
        self.ride_first, self.ride_to = np.array(first), np.array(to, np.int64)

    def _list_changes(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """From each alighting the boardings to which one may change."""
        walk = self.footpath_s[self.alight_stop[:, None], self.board_stop[None, :]]
        needed = walk + self.slack_s
        forbidden = walk < 0
        for row, from_, to in self._rules():
            cells = np.ix_(from_, to)
            kind, least_s = row["transfer_type"], max(row["min_transfer_s"], 0)
            ordinary = walk[cells] + self.slack_s
            needed[cells] = {1: walk[cells], 2: np.maximum(ordinary, least_s)}.get(kind, ordinary)
            forbidden[cells] = (walk[cells] < 0) | (kind == 3)
        possible = ~forbidden & (self.board_s[None, :] >= self.alight_s[:, None] + needed)
        start, to = np.nonzero(possible)
        return np.searchsorted(start, np.arange(len(self.alight_s) + 1)), to

    def _rules(self) -> list[tuple[dict[str, int], NDArray[np.int64], NDArray[np.int64]]]:
        """The rules of a change, the least specific first, with the alightings and the boardings that they fit."""
        parent = self.feed.stops["parent"].to_numpy()
        trip = np.array([run.trip for run in self.runs], np.int64)
        route = self.feed.trips["route"].to_numpy()
        ends = {
            "from": (self.alight_stop, trip[self.alight_run]),
            "to": (self.board_stop, trip[self.board_run]),
        }
        ranked = []
        for number, row in enumerate(self.feed.transfers.to_dict("records")):
            if row["transfer_type"] > 3:
                continue
            trips = routes = stops = 0
            fitting = []
            for end, (stop, on_trip) in ends.items():
                fits = np.ones(len(stop), bool)
                named = row[f"{end}_stop"]
                if named >= 0:
                    fits &= (stop == named) | (parent[stop] == named)
                    stops += 1 if self.feed.stops["location_type"].iat[named] == 1 else 2
                if row[f"{end}_route"] >= 0:
                    fits &= route[on_trip] == row[f"{end}_route"]
                    routes += row[f"{end}_trip"] < 0
                if row[f"{end}_trip"] >= 0:
                    fits &= on_trip == row[f"{end}_trip"]
                    trips += 1
                fitting.append(np.flatnonzero(fits))
            ranked.append(((trips, routes, stops, -number), (row, *fitting)))
        ranked.sort(key=lambda entry: entry[0])
        return [rule for _, rule in ranked]

    def earliest_arrival(self, depart_s: int, rides: int) -> NDArray[np.int64]:
        """Earliest arrivals of those who leave at a second, ``NEVER`` where none; shape (n_origins, n_destinations)."""
        arrival = np.where(self.direct_s >= 0, depart_s + self.direct_s, NEVER)
        if rides and len(self.board_s):
            on_board = np.min(self.arrival_by_rides[:rides], axis=0)
            for origin, leave_by in enumerate(self.leave_by):
                arrival[origin] = np.minimum(arrival[origin], on_board[leave_by >= depart_s].min(axis=0, initial=NEVER))
        return arrival

    def latest_departure(self, deadline_s: int, rides: int) -> NDArray[np.int64]:
        """Latest departures of those who arrive by a second, ``-NEVER`` where none; shape (n_origins, n_destinations)."""
        departure = np.where(self.direct_s >= 0, deadline_s - self.direct_s, -NEVER)
        if rides and len(self.board_s):
            in_time = np.min(self.arrival_by_rides[:rides], axis=0) <= deadline_s
            for origin, leave_by in enumerate(self.leave_by):
                latest = np.where(in_time, leave_by[:, None], -NEVER).max(axis=0)
                departure[origin] = np.maximum(departure[origin], latest)
        return departure

    def travel_times(
        self, times_s: NDArray[np.int64], *, rides: int, max_travel_s: int, arrive_by: bool = False
    ) -> NDArray[np.int32]:
        """Seconds of travel, UNREACHED where none; shape (n_origins, n_times, n_destinations)."""
        layers = []
        for time_s in np.asarray(times_s).tolist():
            if arrive_by:
                taken = time_s - self.latest_departure(time_s, rides)
            else:
                taken = self.earliest_arrival(time_s, rides) - time_s
            layers.append(np.where(taken <= max_travel_s, taken, UNREACHED))
        return np.stack(layers, axis=1).astype(np.int32)


def least(first: NDArray[np.int64], to: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each group ``to[first[i]:first[i + 1]]`` the smallest of the rows of ``values``, ``NEVER`` for an empty one."""
    answer = np.full((len(first) - 1, values.shape[1]), NEVER, np.int64)
    filled = np.flatnonzero(np.diff(first) > 0)
    if len(filled):
        answer[filled] = np.minimum.reduceat(values[to], first[:-1][filled], axis=0)
    return answer
