"""Access of neighbourhoods worked out again from the raw files, with csv, zipfile, osmium and a plain search round by round.

Nothing of the program's network, routing or measures is used. Two things are taken from it: which tags let people walk and
lie below ground, and the points at which the outline of a destination is entered; both have tests of their own.
"""

from __future__ import annotations

import csv
import heapq
import io
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
import osmium

from community_routes.sources.osm.tags import is_below, walk_flags

EARTH_M = 6_371_008.8
DAY_S = 86_400
NEVER = 1_000_000_000
SPEED_KMH = 4.8
SLACK_S, RIDES, LONGEST_S = 60, 3, 7200
TO_STOP_S, BETWEEN_STOPS_S, ALL_THE_WAY_S, LINK_M = 1200, 600, 3600, 300.0
LEAST_COMPONENT_M = 2000.0
_CELLS = 200  # a degree


def table(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def zipped(path: Path, name: str) -> list[dict[str, str]]:
    """Rows of a table in a zip; none where it lacks the table."""
    with zipfile.ZipFile(path) as archive:
        if name not in archive.namelist():
            return []
        with archive.open(name) as raw:
            return list(csv.DictReader(io.TextIOWrapper(raw, "utf-8-sig")))


def metres_between(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great circle."""
    (lon1, lat1), (lon2, lat2) = a, b
    half = math.sin(math.radians(lat2 - lat1) / 2) ** 2
    half += math.cos(math.radians(lat1)) * math.cos(math.radians(lat2)) * math.sin(math.radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_M * math.asin(math.sqrt(half))


def walk_s(metres: float) -> int:
    """Seconds on foot, rounded up."""
    return math.ceil(metres * 3.6 / SPEED_KMH - 1e-6)


@dataclass(frozen=True)
class Link:
    """A point joined to a piece of street: metres to it, the piece, and how far along it (0 to 1)."""

    metres: float
    piece: int
    along: float


class Streets:
    """Walkable pieces between the nodes of the map, with the shortest walks over them."""

    def __init__(self, path: Path, box: tuple[float, float, float, float]) -> None:
        self.box = box
        self.at: dict[int, tuple[float, float]] = {}
        self.pieces: list[tuple[int, int, float, int]] = []
        self.below: set[int] = set()
        self.main: set[int] = set()
        self.next: dict[int, list[tuple[int, float]]] = defaultdict(list)
        streets = self

        class Ways(osmium.SimpleHandler):
            def way(self, way: Any) -> None:
                tags, first = dict(way.tags), len(streets.pieces)
                if flags := walk_flags(tags):
                    streets._add([(n.ref, n.lon, n.lat) if n.location.valid() else None for n in way.nodes], flags)
                if is_below(tags):
                    streets.below.update(range(first, len(streets.pieces)))

        Ways().apply_file(str(path), locations=True)
        self._drop_small()

    def _add(self, nodes: Sequence[tuple[int, float, float] | None], flags: int) -> None:
        before: int | None = None
        for node in nodes:
            if node is None:
                before = None
                continue
            here = node[0]
            self.at[here] = node[1:]
            if before is not None and before != here:
                metres = metres_between(self.at[before], self.at[here])
                if flags & 1:
                    self.next[before].append((here, metres))
                if flags & 2:
                    self.next[here].append((before, metres))
                self.pieces.append((before, here, metres, flags))
            before = here

    def _drop_small(self) -> None:
        """Points are joined to large connected parts above ground only; the pieces of those go into a grid."""
        parent = {node: node for node in self.at}

        def root(node: int) -> int:
            while parent[node] != node:
                parent[node] = parent[parent[node]]
                node = parent[node]
            return node

        for a, b, _, _ in self.pieces:
            parent[root(a)] = root(b)
        length: dict[int, float] = defaultdict(float)
        for a, _, metres, _ in self.pieces:
            length[root(a)] += metres
        largest = max(length, key=lambda part: length[part])
        self.grid: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, (a, b, _, _) in enumerate(self.pieces):
            if length[root(a)] < LEAST_COMPONENT_M or number in self.below:
                continue
            if root(a) == largest:
                self.main.add(number)
            (x0, x1), (y0, y1) = (sorted(math.floor(self.at[n][k] * _CELLS) for n in (a, b)) for k in (0, 1))
            for x in range(x0, x1 + 1):
                for y in range(y0, y1 + 1):
                    self.grid[x, y].append(number)

    def link(self, lon: float, lat: float) -> Link | None:
        """The nearest piece within 300 m, of the largest part if any is so near; None outside the area or far from any."""
        west, south, east, north = self.box
        if not (west <= lon <= east and south <= lat <= north):
            return None
        degree = math.pi / 180 * EARTH_M
        squeeze = math.cos(math.radians(lat))
        best: Link | None = None
        x, y = math.floor(lon * _CELLS), math.floor(lat * _CELLS)
        near = {piece for dx in (-1, 0, 1) for dy in (-1, 0, 1) for piece in self.grid[x + dx, y + dy]}
        for piece in [*sorted(near & self.main), *sorted(near - self.main)]:
            if best is not None and best.piece in self.main and piece not in self.main:
                break
            (ax, ay), (bx, by) = (
                ((self.at[n][0] - lon) * degree * squeeze, (self.at[n][1] - lat) * degree)
                for n in self.pieces[piece][:2]
            )
            whole = (bx - ax) ** 2 + (by - ay) ** 2
            along = max(0.0, min(1.0, -(ax * (bx - ax) + ay * (by - ay)) / whole)) if whole else 0.0
            metres = math.hypot(ax + along * (bx - ax), ay + along * (by - ay))
            if metres <= LINK_M and (best is None or metres < best.metres):
                best = Link(metres, piece, along)
        return best

    def walks(self, start: Link, limit_s: int, ends: Mapping[Any, Link]) -> dict[Any, int]:
        """Seconds from one joined point to others within a limit."""
        a, b, metres, flags = self.pieces[start.piece]
        queue = [(start.metres + start.along * metres, a)] if flags & 2 else []
        queue += [(start.metres + (1 - start.along) * metres, b)] if flags & 1 else []
        heapq.heapify(queue)
        reached: dict[int, float] = {}
        while queue:
            so_far, node = heapq.heappop(queue)
            if node in reached:
                continue
            if so_far > limit_s * SPEED_KMH / 3.6 + 1:
                break
            reached[node] = so_far
            for other, more in self.next[node]:
                if other not in reached:
                    heapq.heappush(queue, (so_far + more, other))
        found = {}
        for key, end in ends.items():
            a, b, metres, flags = self.pieces[end.piece]
            ways = [math.inf]
            if a in reached and flags & 1:
                ways.append(reached[a] + end.along * metres + end.metres)
            if b in reached and flags & 2:
                ways.append(reached[b] + (1 - end.along) * metres + end.metres)
            if end.piece == start.piece:
                ways.append(start.metres + end.metres + abs(end.along - start.along) * metres)
            if min(ways) < math.inf and walk_s(min(ways)) <= limit_s:
                found[key] = walk_s(min(ways))
        return found


def seconds(text: str) -> int:
    """``25:10:00`` as seconds."""
    hours, minutes, rest = text.strip().split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


@dataclass
class Timetable:
    """Stops, and every run of a date and of the days around it: calls as (arrival, departure, stop, board, alight)."""

    stops: dict[str, tuple[float, float]] = field(default_factory=dict)
    runs: list[list[tuple[int, int, str, bool, bool]]] = field(default_factory=list)

    def read(self, path: Path, mark: str, date: str, weekday: str) -> None:
        """Add a feed; ``mark`` keeps the stops of feeds apart."""
        running = self._running(path, date, weekday)
        agency = {row["route_id"]: row.get("agency_id") or "" for row in zipped(path, "routes.txt")}
        trips = {row["trip_id"]: row for row in zipped(path, "trips.txt")}
        for row in zipped(path, "stops.txt"):
            if row.get("stop_lon"):
                self.stops[mark + row["stop_id"]] = (float(row["stop_lon"]), float(row["stop_lat"]))
        calls: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in zipped(path, "stop_times.txt"):
            calls[row["trip_id"]].append(row)
        for shift in (-1, 0, 1):
            blocks: dict[Any, list[list[tuple[int, int, str, bool, bool]]]] = defaultdict(list)
            for trip, rows in calls.items():
                row = trips[trip]
                if running.get((row["service_id"], shift)):
                    key = (agency.get(row["route_id"], ""), row["block_id"]) if row.get("block_id") else trip
                    blocks[key].append(self._run(rows, mark, shift))
            for runs in blocks.values():
                self.runs += joined_runs(sorted(runs, key=lambda run: (run[0][1], run[-1][0])))

    @staticmethod
    def _running(path: Path, date: str, weekday: str) -> dict[tuple[str, int], bool]:
        """Which services run the day before (-1), on the day (0) and the day after (1)."""
        week = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
        found: dict[tuple[str, int], bool] = {}
        for shift in (-1, 0, 1):
            day, name = str(int(date) + shift), week[(week.index(weekday) + shift) % 7]
            for row in zipped(path, "calendar.txt"):
                found[row["service_id"], shift] = row[name] == "1" and row["start_date"] <= day <= row["end_date"]
            for row in zipped(path, "calendar_dates.txt"):
                if row["date"] == day:
                    found[row["service_id"], shift] = row["exception_type"] == "1"
        return found

    @staticmethod
    def _run(rows: list[dict[str, str]], mark: str, shift: int) -> list[tuple[int, int, str, bool, bool]]:
        rows = sorted(rows, key=lambda row: int(row["stop_sequence"]))
        last = len(rows) - 1
        return [
            (
                seconds(row["arrival_time"]) + shift * DAY_S,
                seconds(row["departure_time"]) + shift * DAY_S,
                mark + row["stop_id"],
                number < last and row.get("pickup_type") != "1",
                number > 0 and row.get("drop_off_type") != "1",
            )
            for number, row in enumerate(rows)
        ]


def joined_runs(runs: list[Any]) -> list[Any]:
    """Runs of one vehicle one after the other, where the next starts at the stop where the last ended within the hour."""
    found: list[Any] = []
    for run in runs:
        if found and found[-1][-1][2] == run[0][2] and 0 <= run[0][1] - found[-1][-1][0] <= 3600:
            found[-1] = found[-1] + run
        else:
            found.append(run)
    return found


@nb.njit
def _ride(reach, first, stop, arrive, leave, board, alight, foot_first, foot_to, foot_s, rides, slack):  # type: ignore[no-untyped-def]
    """Earliest arrival in a vehicle at each stop with so many rides: every run is ridden once in each round."""
    by_vehicle = np.full(len(reach), NEVER)
    ready = reach
    after = np.full(len(reach), NEVER)
    for _ in range(rides):
        come = np.full(len(reach), NEVER)
        for run in range(len(first) - 1):
            on = False
            for call in range(first[run], first[run + 1]):
                if on and alight[call] and arrive[call] < come[stop[call]]:
                    come[stop[call]] = arrive[call]
                if not on and board[call] and ready[stop[call]] + slack <= leave[call]:
                    on = True
        for here in range(len(reach)):
            if come[here] < NEVER:
                by_vehicle[here] = min(by_vehicle[here], come[here])
                after[here] = min(after[here], come[here])
                for k in range(foot_first[here], foot_first[here + 1]):
                    after[foot_to[k]] = min(after[foot_to[k]], come[here] + foot_s[k])
        ready = after.copy()
    return by_vehicle


@nb.njit
def _end(by_vehicle, direct, end_first, end_to, end_s, start):  # type: ignore[no-untyped-def]
    """Seconds to each place: all the way on foot, or from the stop where one leaves a vehicle."""
    found = direct.copy()
    for here in range(len(by_vehicle)):
        if by_vehicle[here] < NEVER:
            for k in range(end_first[here], end_first[here + 1]):
                found[end_to[k]] = min(found[end_to[k]], by_vehicle[here] + end_s[k] - start)
    return found


def rows_by(n: int, links: Iterable[tuple[int, int, int]]) -> tuple[Any, Any, Any]:
    """(from, to, seconds) grouped by where they start."""
    ordered = sorted(links)
    first = np.searchsorted([link[0] for link in ordered], np.arange(n + 1))
    to, cost = (np.array([link[k] for link in ordered], np.int64) for k in (1, 2))
    return first, to, cost


@dataclass
class Town:
    """Streets, neighbourhoods' origins and destinations; timetables are put to it one after the other."""

    streets: Streets
    origins: dict[str, tuple[float, float]]
    doors: list[tuple[int, float, float]]
    n_places: int

    def __post_init__(self) -> None:
        self.ends = {k: link for k, (_, lon, lat) in enumerate(self.doors) if (link := self.streets.link(lon, lat))}
        self._from_stop: dict[tuple[float, float], dict[int, int]] = {}

    def places_near(self, link: Link, limit_s: int) -> dict[int, int]:
        """Seconds on foot to each place, by its nearest door."""
        found: dict[int, int] = {}
        for door, cost in self.streets.walks(link, limit_s, self.ends).items():
            place = self.doors[door][0]
            found[place] = min(found.get(place, NEVER), cost)
        return found

    def reached(
        self, timetable: Timetable, zones: Sequence[str], departures: Sequence[int]
    ) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
        """Seconds from each zone at each departure to each place, shape (n_departures, n_places); NEVER beyond the limit."""
        latest = max(departures) + LONGEST_S
        runs = [run for run in timetable.runs if run[-1][0] >= min(departures) and run[0][1] <= latest]
        names = sorted({call[2] for run in runs for call in run})
        row = {name: k for k, name in enumerate(names)}
        calls = [call for run in runs for call in run]
        first = np.concatenate([[0], np.cumsum([len(run) for run in runs])])
        arrive, leave = (np.array([call[k] for call in calls], np.int64) for k in (0, 1))
        stop = np.array([row[call[2]] for call in calls], np.int64)
        board, alight = (np.array([call[k] for call in calls], np.bool_) for k in (3, 4))
        links = {name: link for name in names if (link := self.streets.link(*timetable.stops[name]))}
        feet, ends = [], []
        for name, link in links.items():
            walks = self.streets.walks(link, BETWEEN_STOPS_S, links)
            feet += [(row[name], row[other], cost) for other, cost in walks.items()]
            at = timetable.stops[name]
            if at not in self._from_stop:
                self._from_stop[at] = self.places_near(link, TO_STOP_S)
            ends += [(row[name], place, cost) for place, cost in self._from_stop[at].items()]
        foot, end = rows_by(len(names), feet), rows_by(len(names), ends)
        found = {}
        for zone in zones:
            link = self.streets.link(*self.origins[zone])
            if link is None:
                continue
            direct = np.full(self.n_places, NEVER)
            for place, cost in self.places_near(link, ALL_THE_WAY_S).items():
                direct[place] = cost
            access = self.streets.walks(link, TO_STOP_S, links)
            times = []
            for start in departures:
                reach = np.full(len(names), NEVER)
                for name, cost in access.items():
                    reach[row[name]] = start + cost
                by_vehicle = _ride(reach, first, stop, arrive, leave, board, alight, *foot, RIDES, SLACK_S)
                times.append(_end(by_vehicle, direct, *end, start))
            array = np.array(times)
            found[zone] = np.where(array <= LONGEST_S, array, NEVER)
        return found


def most_deprived_fifth(rank: Mapping[str, float], persons: Mapping[str, float]) -> dict[str, float]:
    """Persons of each zone who are in the most deprived fifth; the zone at the border gives a part of its own."""
    left = sum(persons.values()) / 5
    found: dict[str, float] = {}
    for zone in sorted(rank, key=lambda zone: rank[zone]):
        taken = min(left, persons[zone])
        if taken <= 0:
            break
        found[zone] = taken
        left -= taken
    return found
