"""Small random networks, from a seed, that exercise every rule of a journey; and copies with one rule switched off.

Clock times lie on a coarse raster and slack is often nothing, so that ties, zero-minute hops and changes that just succeed
or just fail are the normal case.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import DAY, HOUR
from community_routes.sources.gtfs.feed import Calendar, Feed
from drawn import calls_of, feed_of
from slow import NO_WALK, SlowSearch

DATE = dt.date(2024, 3, 5)
DAY_BEFORE, DAY_AFTER = DATE - dt.timedelta(days=1), DATE + dt.timedelta(days=1)
N_DEPARTURES = 10


@dataclass(frozen=True)
class Case:
    """A timetable, the walks around it and a question; matrices of walks hold ``NO_WALK`` where there is none.

    Attributes
    ----------
    footpath_s : int64, shape (n_stops, n_stops)
    access_s : int64, shape (n_origins, n_stops)
    egress_s : int64, shape (n_destinations, n_stops)
    direct_s : int64, shape (n_origins, n_destinations)
    """

    feed: Feed
    footpath_s: NDArray[np.int64]
    access_s: NDArray[np.int64]
    egress_s: NDArray[np.int64]
    direct_s: NDArray[np.int64]
    window_s: tuple[int, int]
    step_s: int
    slack_s: int
    max_rides: int
    max_travel_s: int
    phase: str
    date: dt.date = DATE

    @property
    def times_s(self) -> NDArray[np.int64]:
        """The departures, or deadlines, of the window."""
        return np.arange(*self.window_s, self.step_s)

    def search(self, *, arrive_by: bool = False) -> SlowSearch:
        """The slow twin on this case."""
        start, end = self.window_s
        between = (start - self.max_travel_s, end) if arrive_by else (start, end + self.max_travel_s)
        return SlowSearch(
            self.feed,
            self.date,
            self.footpath_s,
            self.access_s,
            self.egress_s,
            self.direct_s,
            between_s=between,
            slack_s=self.slack_s,
            max_rides=self.max_rides,
            phase=self.phase,
        )

    def slow_times(self, *, arrive_by: bool = False, rides: int | None = None) -> NDArray[np.int32]:
        """Travel times by the slow twin, shape (n_origins, n_times, n_destinations)."""
        return self.search(arrive_by=arrive_by).travel_times(
            self.times_s,
            rides=self.max_rides if rides is None else rides,
            max_travel_s=self.max_travel_s,
            arrive_by=arrive_by,
        )


def random_case(seed: int) -> Case:
    """The network of a seed: up to 12 stops, up to 40 trips, ten departures."""
    return _Draw(seed).case()


class _Draw:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def one_of(self, *values: int) -> int:
        return int(values[self.rng.integers(len(values))])

    def case(self) -> Case:
        self.start_s = self.one_of(8 * HOUR, 8 * HOUR, 8 * HOUR, 300, 23 * HOUR + 1800)
        step_s = self.one_of(60, 60, 30, 90, 120)
        self.window_s = (self.start_s, self.start_s + N_DEPARTURES * step_s)
        self.stops()
        self.timetable()
        calendar = self.calendar()
        frequencies = self.frequencies()
        transfers = self.transfers()
        feed = feed_of(
            stops=self.stop_rows,
            routes=[{"route_id": f"r{n}", "route_short_name": f"r{n}", "agency": a} for n, a in enumerate(self.agency)],
            trips=self.trip_rows,
            calls=self.calls,
            calendar=calendar,
            frequencies=frequencies,
            transfers=transfers,
            agencies=("A", "B"),
            sources=("one.zip", "two.zip"),
        )
        return Case(
            feed,
            self.footpath_s,
            *self.ends(),
            window_s=self.window_s,
            step_s=step_s,
            slack_s=self.one_of(0, 0, 60, 60, 90, 120),
            max_rides=self.one_of(1, 2, 2, 3, 3, 4),
            max_travel_s=self.one_of(1800, 2700, 3600, 3600, 5400),
            phase="half" if self.chance(0.4) else "zero",
        )

    def stops(self) -> None:
        """Stops in a square, some of them two platforms of a station, and walks between near ones."""
        n_stations = self.one_of(0, 1, 1, 2)
        n_platforms = self.one_of(7, 8, 9, 10, 12 - n_stations)
        n = self.n_stops = n_platforms + n_stations
        place = self.rng.integers(0, 900, (n, 2))
        parent = [-1] * n
        for station in range(n_stations):
            for platform in (2 * station, 2 * station + 1):
                parent[platform] = n_platforms + station
            place[2 * station + 1] = place[2 * station] + 40
        self.platforms = list(range(n_platforms))
        self.parent = parent
        self.stop_rows: list[dict[str, Any]] = [
            {
                "stop_id": f"s{stop}",
                "parent": parent[stop],
                "location_type": int(stop >= n_platforms),
                "lon": place[stop, 0] / 111_195,
                "lat": place[stop, 1] / 111_195,
            }
            for stop in range(n)
        ]
        apart = np.abs(place[:, None] - place[None, :]).sum(axis=2) // 30 * 30
        walk = np.where(apart <= self.one_of(120, 240, 240, 300), apart, NO_WALK)
        walk[self.rng.random((n, n)) < 0.1] = NO_WALK
        walk[n_platforms:] = NO_WALK
        walk[:, n_platforms:] = NO_WALK
        np.fill_diagonal(walk, 0)
        self.footpath_s = walk.astype(np.int64)

    def timetable(self) -> None:
        """Routes, each with trips of its own speed that leave around the window, and vehicles that go on to other trips."""
        n_routes = self.one_of(4, 5, 6, 7)
        self.agency = self.rng.integers(0, 2, n_routes).tolist()
        self.trip_rows: list[dict[str, Any]] = []
        self.calls: list[list[tuple[int, int, int, int, int]]] = []
        self.with_types = self.chance(0.4)
        self.with_dwell = self.chance(0.4)
        ends: list[int] = []
        for route in range(n_routes):
            pattern = self.pattern(ends)
            ends.append(pattern[-1])
            hops = self.rng.choice([0, 60, 60, 120, 120, 180, 240, 300], len(pattern))
            n_trips = int(self.rng.integers(2, 40 // n_routes + 1))
            for leave_s in self.rng.integers(-10, 45, n_trips) * 60 + self.start_s:
                factor = self.one_of(1, 1, 1, 2)
                self.add_trip(route, pattern, hops * factor, int(leave_s))
        self.blocks()

    def pattern(self, ends: list[int]) -> list[int]:
        """Stops of a route: often from where another one ends, sometimes with a stop twice."""
        n = self.one_of(2, 3, 3, 3, 4)
        stops = self.rng.permutation(self.platforms)[:n].tolist()
        if ends and self.chance(0.6):
            start = ends[self.rng.integers(len(ends))]
            siblings = [
                s for s in self.platforms if self.parent[s] >= 0 and self.parent[s] == self.parent[start] and s != start
            ]
            if siblings and self.chance(0.4):
                start = siblings[0]
            stops = [start, *(stop for stop in stops if stop != start)][:n]
        if self.chance(0.3):
            stops.insert(int(self.rng.integers(2, len(stops) + 1)), stops[0])
        elif self.chance(0.15):
            again = int(self.rng.integers(len(stops)))
            stops.insert(int(self.rng.integers(again + 1, len(stops) + 1)), stops[again])
        return stops

    def add_trip(self, route: int, pattern: list[int], hops: NDArray[np.int64], leave_s: int) -> None:
        now, calls = leave_s, []
        for position, stop in enumerate(pattern):
            arrival = now
            if self.with_dwell and 0 < position < len(pattern) - 1 and self.chance(0.4):
                now += 60
            pickup = drop_off = 0
            if self.with_types:
                pickup, drop_off = (self.one_of(1, 2, 3) if self.chance(0.2) else 0 for _ in range(2))
            calls.append((stop, arrival, now, pickup, drop_off))
            now += int(hops[position])
        self.calls.append(calls)
        self.trip_rows.append({"trip_id": f"t{len(self.trip_rows)}", "route": route, "service": 0, "source": 0})

    def blocks(self) -> None:
        """Vehicles: each takes a trip, then mostly one that starts near where it ends, at times one that does not fit."""
        if not self.chance(0.7):
            return
        two_feeds = self.chance(0.5)
        free = set(range(len(self.calls)))
        for number in range(self.one_of(3, 6, 9, 12)):
            if not free:
                break
            trip = self.one_of(*free)
            for _ in range(self.one_of(2, 2, 3)):
                free.discard(trip)
                self.trip_rows[trip]["block_id"] = f"b{number}"
                if two_feeds and self.chance(0.3):
                    self.trip_rows[trip]["source"] = 1
                stop, ends_s = self.calls[trip][-1][:2]
                fitting = [
                    t for t in free if self.one_place(self.calls[t][0][0], stop) and self.calls[t][0][2] >= ends_s
                ]
                if self.chance(0.1):
                    fitting = list(free)
                if not fitting:
                    break
                trip = min(fitting, key=lambda t: (self.calls[t][0][2], t))
                if self.chance(0.6) and self.one_place(self.calls[trip][0][0], stop):
                    self.shift(trip, ends_s - self.calls[trip][0][2] + self.one_of(0, 0, 60, 180))
                if self.chance(0.8):
                    self.agency[self.trip_rows[trip]["route"]] = 0

    def one_place(self, one: int, other: int) -> bool:
        return one == other or (self.parent[one] >= 0 and self.parent[one] == self.parent[other])

    def calendar(self) -> Calendar:
        """Service 0 runs on the day, 1 the day before and the day, 2 the day and the day after, 3 and 4 by exceptions."""
        weekdays = np.zeros((5, 7), bool)
        season = np.array([[DATE] * 5, [DATE] * 5], "datetime64[D]")
        weekdays[0, DATE.weekday()] = True
        weekdays[1] = weekdays[2] = weekdays[3] = True
        season[0, 1], season[1, 2] = DAY_BEFORE, DAY_AFTER
        season[:, 4] = np.datetime64("NaT", "D")
        exceptions = [(3, DATE, False), (4, DATE, True), (1, DAY_BEFORE, True), (4, DAY_AFTER, True)]
        if self.chance(0.8):
            for trip, row in enumerate(self.trip_rows):
                row["service"] = self.one_of(0, 0, 0, 0, 1, 2, 3, 4)
                if row["service"] in (1, 2) and self.start_s != 8 * HOUR and self.chance(0.5):
                    self.shift(trip, DAY if row["service"] == 1 else -DAY)
        return Calendar(
            np.array([f"c{n}" for n in range(5)], object),
            weekdays,
            season[0],
            season[1],
            np.array([service for service, _, _ in exceptions], np.int32),
            np.array([date for _, date, _ in exceptions], "datetime64[D]"),
            np.array([added for _, _, added in exceptions]),
        )

    def shift(self, trip: int, by_s: int) -> None:
        moved = [
            (stop, arrival + by_s, departure + by_s, *types) for stop, arrival, departure, *types in self.calls[trip]
        ]
        if moved[0][1] >= 0:
            self.calls[trip] = moved  # type: ignore[assignment]

    def frequencies(self) -> list[dict[str, Any]]:
        if not self.chance(0.4):
            return []
        rows = []
        for trip in self.rng.permutation(len(self.calls))[: self.one_of(1, 2, 3, 6)]:
            start = max(self.start_s + 60 * int(self.rng.integers(-5, 20)), 0)
            end = start + 60 * int(self.rng.integers(5, 30))
            headway = self.one_of(240, 300, 330, 600)
            rows.append(
                {"trip": trip, "start_s": start, "end_s": end, "headway_s": headway, "exact_times": self.chance(0.3)}
            )
        return rows

    def transfers(self) -> list[dict[str, int]]:
        """Rules between stops that can be walked between; with routes and trips that call there; and in-seat rules."""
        if not self.chance(0.75):
            return []
        rows: list[dict[str, int]] = []
        taken: set[tuple[tuple[str, int], ...]] = set()
        callers: dict[int, list[tuple[int, int, int]]] = {}
        for trip, calls in enumerate(self.calls):
            for stop, arrival, departure, *_ in calls:
                callers.setdefault(stop, []).append((trip, arrival, departure))
        served = sorted(callers)
        for _ in range(self.one_of(4, 8, 16, 24)):
            from_ = self.one_of(*served)
            to = self.one_of(*(stop for stop in served if self.footpath_s[from_, stop] >= 0))
            before, arrival, _ = callers[from_][self.rng.integers(len(callers[from_]))]
            soon = [trip for trip, _, departure in callers[to] if 0 <= departure - arrival <= 900]
            after = self.one_of(*(soon or [callers[to][0][0]]))
            level = self.one_of(0, 0, 1, 2)
            self.add_rule(rows, taken, (from_, to), (before, after), level)
            if level == 0 and self.chance(0.7):
                self.add_rule(rows, taken, (from_, to), (before, after), self.one_of(1, 2))
        return rows + self.in_seat_rules()

    def add_rule(
        self, rows: list[Any], taken: set[Any], stops: tuple[int, int], trips: tuple[int, int], level: int
    ) -> None:
        """A rule of a change, which at level 1 may name routes and at level 2 trips; never two that are equally specific."""
        row = {"transfer_type": self.one_of(0, 1, 1, 2, 2, 3, 3)}
        for end, stop, trip in zip(("from", "to"), stops, trips, strict=True):
            row[f"{end}_stop"] = stop
            if level == 1 and self.chance(0.7):
                row[f"{end}_route"] = self.trip_rows[trip]["route"]
            elif level == 2 and self.chance(0.7):
                row[f"{end}_trip"] = trip
            if self.parent[stop] >= 0 and self.chance(0.5):
                row[f"{end}_stop"] = self.parent[stop]
        if row["transfer_type"] == 2:
            row["min_transfer_s"] = self.one_of(-1, 0, 120, 300, 420)
        key = tuple(
            sorted((name, value) for name, value in row.items() if name not in ("transfer_type", "min_transfer_s"))
        )
        if key not in taken:
            taken.add(key)
            rows.append(row)

    def in_seat_rules(self) -> list[dict[str, int]]:
        """Mostly trips that fit one rule or the other; some start close by, much later, on the date after, or do not fit."""
        rows = []
        for before, calls in enumerate(self.calls):
            for after, later in enumerate(self.calls):
                gap = later[0][2] - calls[-1][1]
                if before == after:
                    continue
                if not self.one_place(calls[-1][0], later[0][0]) or not 0 <= gap <= HOUR:
                    if self.chance(0.03 if -900 <= gap % DAY <= HOUR else 0.002):
                        rows.append({"from_trip": before, "to_trip": after, "transfer_type": 4})
                    continue
                named = {"from_stop": calls[-1][0], "to_stop": later[0][0], "from_trip": before, "to_trip": after}
                block = self.trip_rows[before].get("block_id", "")
                if block and block == self.trip_rows[after].get("block_id", ""):
                    if self.chance(0.5):
                        rows.append({**named, "transfer_type": 5})
                elif self.chance(0.06):
                    rows.append({**named, "transfer_type": 4})
        return rows

    def ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Walks from three origins to stops, from stops to four destinations, and all the way."""
        n_origins, n_destinations = 3, 4
        starts = [call[0] for calls in self.calls for call in calls[:-1]]
        finishes = [call[0] for calls in self.calls for call in calls[1:]]
        access = np.full((n_origins, self.n_stops), NO_WALK, np.int64)
        egress = np.full((n_destinations, self.n_stops), NO_WALK, np.int64)
        for matrix, stops in ((access, starts), (egress, finishes)):
            for row in matrix:
                for stop in self.rng.choice(stops, self.one_of(1, 1, 2)):
                    row[stop] = 30 * int(self.rng.integers(0, 8))
        direct = self.rng.integers(20, 60, (n_origins, n_destinations)) * 60
        direct[self.rng.random(direct.shape) < 0.8] = NO_WALK
        return access, egress, direct.astype(np.int64)


RULES = (
    "pickup_drop_off", "blocks", "block_owners", "siblings", "timed", "minimum_times", "forbidden", "in_seat", "not_in_seat",
    "rules_of_trips_and_routes", "rules_of_stations", "type_0", "frequencies", "half_phase", "days_before_and_after",
    "exception_dates", "overtaking", "loops", "zero_minute_hops", "dwell", "slack", "footpaths", "one_walk_between_rides",
    "limit_on_rides", "limit_on_time",
)  # fmt: skip


def without(case: Case, rule: str) -> Case:
    """A copy of the case in which one rule has nothing to act on."""
    if rule == "slack":
        return replace(case, slack_s=0)
    if rule == "half_phase":
        return replace(case, phase="zero")
    if rule == "limit_on_rides":
        return replace(case, max_rides=8)
    if rule == "limit_on_time":
        return replace(case, max_travel_s=4 * HOUR)
    if rule == "footpaths":
        return replace(case, footpath_s=np.where(np.eye(len(case.footpath_s), dtype=bool), 0, NO_WALK))
    if rule == "one_walk_between_rides":
        return replace(case, footpath_s=_walks_joined(case.footpath_s))
    return replace(case, feed=_feed_without(case.feed, rule))


def _walks_joined(walk_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """Walks of any number of footpaths, one after the other."""
    far = 10**9
    walk = np.where(walk_s >= 0, walk_s, far)
    for over in range(len(walk)):
        walk = np.minimum(walk, walk[:, over, None] + walk[None, over, :])
    return np.where(walk < far, walk, NO_WALK)


def _feed_without(feed: Feed, rule: str) -> Feed:
    calls, calendar, transfers = feed.calls, feed.calendar, feed.transfers
    nowhere = np.zeros(len(calls), np.int8)
    kind = transfers["transfer_type"]
    named = {"timed": 1, "minimum_times": 2, "forbidden": 3, "in_seat": 4, "not_in_seat": 5, "type_0": 0}
    if rule in named:
        return replace(feed, transfers=transfers[kind != named[rule]].reset_index(drop=True))
    if rule == "rules_of_trips_and_routes":
        specific = (transfers[["from_route", "to_route", "from_trip", "to_trip"]] >= 0).any(axis=1) & (kind < 4)
        return replace(feed, transfers=transfers[~specific].reset_index(drop=True))
    if rule == "rules_of_stations":
        station = feed.stops["location_type"].to_numpy() == 1
        vague = station[transfers["from_stop"]] | station[transfers["to_stop"]]
        return replace(feed, transfers=transfers[~vague].reset_index(drop=True))
    if rule == "pickup_drop_off":
        return replace(feed, calls=replace(calls, pickup_type=nowhere, drop_off_type=nowhere))
    if rule == "blocks":
        return replace(feed, trips=feed.trips.assign(block_id=""))
    if rule == "block_owners":
        return replace(feed, trips=feed.trips.assign(source=np.int32(0)), routes=feed.routes.assign(agency=np.int32(0)))
    if rule == "siblings":
        return replace(feed, stops=feed.stops.assign(parent=np.int32(-1)))
    if rule == "frequencies":
        return replace(feed, frequencies=feed.frequencies.iloc[:0])
    if rule == "days_before_and_after":
        only = calendar.active(DATE)
        return replace(feed, calendar=_on_dates(calendar, only))
    if rule == "exception_dates":
        none = np.zeros(0, np.int32)
        return replace(
            feed,
            calendar=replace(
                calendar,
                exception_service=none,
                exception_date=none.astype("datetime64[D]"),
                exception_added=none.astype(bool),
            ),
        )
    changes = {"overtaking": _no_overtaking, "loops": _no_loops, "zero_minute_hops": _no_zero_hops, "dwell": _no_dwell}
    lists = [
        list(zip(*(column[a:b].tolist() for column in _call_columns(feed)), strict=True))
        for a, b in zip(calls.first[:-1], calls.first[1:], strict=True)
    ]
    return replace(feed, calls=calls_of(changes[rule](feed, lists)))


def _call_columns(feed: Feed) -> tuple[NDArray[Any], ...]:
    calls = feed.calls
    return calls.stop, calls.arrival_s, calls.departure_s, calls.pickup_type, calls.drop_off_type


def _on_dates(calendar: Calendar, runs: NDArray[np.bool_]) -> Calendar:
    n = len(runs)
    nat = np.full(n, np.datetime64("NaT", "D"), "datetime64[D]")
    rows = np.flatnonzero(runs).astype(np.int32)
    days = np.full(len(rows), np.datetime64(DATE, "D"))
    return Calendar(calendar.service_id, np.zeros((n, 7), bool), nat, nat, rows, days, np.ones(len(rows), bool))


def _no_overtaking(feed: Feed, lists: list[Any]) -> list[Any]:
    """Trips of a route all as fast as its first one."""
    route, pace, slowed = feed.trips["route"].tolist(), {}, []
    for trip, calls in enumerate(lists):
        model = pace.setdefault(route[trip], calls)
        later = calls[0][2] - model[0][2]
        slowed.append(
            [(stop, m[1] + later, m[2] + later, *types) for (stop, _, _, *types), m in zip(calls, model, strict=True)]
        )
    return slowed


def _no_loops(feed: Feed, lists: list[Any]) -> list[Any]:
    """A trip does not call again where it has been."""
    return [[c for n, c in enumerate(calls) if c[0] not in {before[0] for before in calls[:n]}] for calls in lists]


def _no_zero_hops(feed: Feed, lists: list[Any]) -> list[Any]:
    """A second for each hop that takes none."""
    out = []
    for calls in lists:
        later, moved, left = 0, [], None
        for stop, arrival, departure, *types in calls:
            later += int(left is not None and arrival == left)
            left = departure
            moved.append((stop, arrival + later, departure + later, *types))
        out.append(moved)
    return out


def _no_dwell(feed: Feed, lists: list[Any]) -> list[Any]:
    """A trip leaves when it arrives."""
    return [[(stop, arrival, arrival, *types) for stop, arrival, _, *types in calls] for calls in lists]
