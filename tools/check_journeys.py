"""Check ten journeys through Newport against the rows of the feeds, and write what was checked into docs/journeys-checked.md.

The program finds the journeys and the matrix. Everything else here is independent of it: the rows are read from the zips
with `csv` and `zipfile`, and every sum is done again.

    python tools/check_journeys.py          # writes the page; ends with 1 when anything does not agree
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import sys
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
STUDY = ROOT / "tests" / "acceptance" / "newport" / "study.yaml"
PAGE = ROOT / "docs" / "journeys-checked.md"
DATA = ROOT.parent / "shared" / "data" / "newport_wales"
FEEDS = ("newport-20240305_bus_gtfs.zip", "newport-20240305_rail_gtfs.zip")
DATE = dt.date(2024, 3, 5)
SPEED_KMH, SLACK_S, MAX_RIDES, MAX_TRAVEL_S = 4.8, 60, 3, 7200
TO_STOP_S, BETWEEN_S, ALL_THE_WAY_S = 1200, 600, 3600

JOURNEYS = (
    ("W01001659", "node/518753165", "07:17"),
    ("W01001603", "way/363227766", "07:54"),
    ("W01001693", "node/9174796993", "08:57"),
    ("W01001659", "way/365382614", "08:50"),
    ("W01001672", "way/759239132", "08:34"),
    ("W01001607", "way/926336208", "08:53"),
    ("W01001691", "way/259940271", "07:39"),
    ("W01001608", "way/1015132225", "08:36"),
    ("W01001667", "way/367346330", "07:35"),
    ("-2.99900,51.58900", "-3.04100,51.58050", "08:10"),
)


class RawFeeds:
    """The rows that the journeys name, as they stand in the zips."""

    def __init__(self) -> None:
        self.trips: dict[str, dict[str, str]] = {}
        self.routes: dict[str, dict[str, str]] = {}
        self.calendar: dict[str, dict[str, str]] = {}
        self.exceptions: dict[tuple[str, str], str] = {}
        self.files: dict[str, str] = {}
        for name in FEEDS:
            for row in rows(name, "trips.txt"):
                self.trips[row["trip_id"]] = row
                self.files[row["trip_id"]] = name
            self.routes |= {row["route_id"]: row for row in rows(name, "routes.txt")}
            self.calendar |= {row["service_id"]: row for row in rows(name, "calendar.txt")}
            for row in rows(name, "calendar_dates.txt"):
                self.exceptions[row["service_id"], row["date"]] = row["exception_type"]

    def calls(self, wanted: set[str]) -> dict[str, list[dict[str, str]]]:
        """The rows of stop_times.txt of some trips, in the order of their sequence."""
        found: dict[str, list[dict[str, str]]] = {trip: [] for trip in wanted}
        for name in FEEDS:
            for number, row in enumerate(rows(name, "stop_times.txt"), start=2):
                if row["trip_id"] in found:
                    found[row["trip_id"]].append({**row, "line": str(number)})
        return {trip: sorted(calls, key=lambda row: int(row["stop_sequence"])) for trip, calls in found.items()}

    def runs(self, service: str, date: dt.date) -> bool:
        """Whether a service runs on a date."""
        said = self.exceptions.get((service, f"{date:%Y%m%d}"))
        if said is not None:
            return said == "1"
        week = self.calendar.get(service)
        return week is not None and (
            week[f"{date:%A}".lower()] == "1" and week["start_date"] <= f"{date:%Y%m%d}" <= week["end_date"]
        )


def rows(feed: str, table: str) -> Iterator[dict[str, str]]:
    """The rows of a table of a zip."""
    with zipfile.ZipFile(DATA / feed) as archive, archive.open(table) as raw:
        yield from csv.DictReader(io.TextIOWrapper(raw, encoding="utf-8-sig", newline=""))


def seconds(clock: str) -> int:
    """Of ``HH:MM:SS``."""
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def length_m(line: list[list[float]]) -> float:
    """Of a course, on a ball of 6,371,008.8 m."""
    total = 0.0
    for (lon_a, lat_a), (lon_b, lat_b) in pairwise(line):
        a, b, d = math.radians(lat_a), math.radians(lat_b), math.radians(lon_b - lon_a)
        h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(d / 2) ** 2
        total += 2 * 6_371_008.8 * math.asin(math.sqrt(h))
    return total


class Check:
    """Collects what does not agree, and the lines of the page."""

    def __init__(self, feeds: RawFeeds) -> None:
        self.feeds = feeds
        self.wrong: list[str] = []
        self.checked = 0
        self.lines: list[str] = []

    def same(self, what: str, here: object, there: object) -> None:
        """Two things that must be equal."""
        self.checked += 1
        if here != there:
            self.wrong.append(f"{what}: {here!r} in the journey, {there!r} by hand")

    def journey(self, number: int, told: dict[str, Any], cell_s: int, calls: dict[str, list[dict[str, str]]]) -> None:
        """Every leg of the first journey that the program gives, and their sum."""
        first = told["journeys"][0]
        here = f"journey {number}"
        now = seconds(first["depart"])
        on_foot = waits = ridden = 0
        self.lines += ["", f"## {number}. {told['from']} to {told['to']}, leaving at {first['depart']}", ""]
        self.lines += ["| from | to | by | what the data say |", "|---|---|---|---|"]
        legs = first["legs"]
        for place, leg in enumerate(legs):
            start, end = seconds(leg["depart"]), seconds(leg["arrive"])
            if leg["mode"] == "walk":
                limit = ALL_THE_WAY_S if len(legs) == 1 else TO_STOP_S if place in (0, len(legs) - 1) else BETWEEN_S
                self.walk(f"{here}, walk {place + 1}", leg, now, limit)
                on_foot += end - start
            else:
                waits += start - now
                self.same(f"{here}, leg {place + 1}: slack kept", start - now >= SLACK_S, True)
                self.same(f"{here}, leg {place + 1}: wait", leg["wait_s"], start - now)
                self.ride(f"{here}, leg {place + 1}", leg, calls)
                ridden += end - start
            now = end
        total = on_foot + waits + ridden
        self.same(f"{here}: sum and cell of the matrix", total, cell_s)
        self.same(f"{here}: travel time", first["time_s"], total)
        self.same(f"{here}: arrival", seconds(first["arrive"]), now)
        rides = sum(leg["mode"] != "walk" for leg in legs)
        self.same(f"{here}: within the limits", rides <= MAX_RIDES and total <= MAX_TRAVEL_S, True)
        self.lines += [
            "",
            f"On foot {on_foot:,} s + waiting {waits:,} s + riding {ridden:,} s = **{total:,} s**; the cell of the matrix for "
            f"{first['depart']} says {cell_s:,} s.",
        ]

    def walk(self, here: str, leg: dict[str, Any], now: int, limit_s: int) -> None:
        """A walk begins when the leg before ends, and takes as long as its course is long."""
        start, end, metres = seconds(leg["depart"]), seconds(leg["arrive"]), float(leg["metres"])
        self.same(f"{here}: begins at once", start, now)
        # Metres are printed to a tenth, which is worth 0.075 s: one of two seconds is right.
        fits = {math.ceil((metres + half) * 3.6 / SPEED_KMH - 1e-6) for half in (-0.05, 0.0, 0.05)}
        self.same(f"{here}: seconds of {metres} m", end - start in fits, True)
        self.same(f"{here}: within {limit_s} s", end - start <= limit_s, True)
        course = length_m(leg["line"])
        self.same(f"{here}: length of its course", abs(course - metres) <= 0.5 + 0.002 * metres, True)
        if metres:
            self.lines.append(
                f"| {leg['depart']} {leg['from']} | {leg['arrive']} {leg['to']} | on foot | {metres:,.1f} m x 0.75 s = "
                f"{end - start} s; its course through {len(leg['line'])} points measures {course:,.1f} m |"
            )

    def ride(self, here: str, leg: dict[str, Any], calls: dict[str, list[dict[str, str]]]) -> None:
        """A ride is in stop_times.txt with its stops and times, and its service runs on the date."""
        said = []
        stops: list[str] = []
        for number, trip in enumerate(leg["trips"]):
            row, own = self.feeds.trips[trip], calls[trip]
            route = self.feeds.routes[row["route_id"]]
            name = route["route_short_name"] or route["route_long_name"] or row["route_id"]
            self.same(f"{here}: runs on the date", self.feeds.runs(row["service_id"], DATE), True)
            if not number:
                self.same(f"{here}: route", leg["route"], name)
            board = next(
                (
                    i
                    for i, c in enumerate(own)
                    if c["stop_id"] == leg["from_stop"] and c["departure_time"] == leg["depart"]
                ),
                0,
            )
            last = len(leg["trips"]) - 1
            leave = next(
                (
                    i
                    for i, c in enumerate(own)
                    if c["stop_id"] == leg["to_stop"] and c["arrival_time"] == leg["arrive"] and i > board
                ),
                len(own) - 1,
            )
            board, leave = (0 if number else board), (leave if number == last else len(own) - 1)
            if not number:
                self.same(f"{here}: departure in row {own[board]['line']}", leg["depart"], own[board]["departure_time"])
                self.same(f"{here}: boards at", leg["from_stop"], own[board]["stop_id"])
                self.same(f"{here}: boarding is allowed", own[board].get("pickup_type", "0") != "1", True)
            if number == last:
                self.same(f"{here}: arrival in row {own[leave]['line']}", leg["arrive"], own[leave]["arrival_time"])
                self.same(f"{here}: leaves at", leg["to_stop"], own[leave]["stop_id"])
                self.same(f"{here}: alighting is allowed", own[leave].get("drop_off_type", "0") != "1", True)
            stops += [call["stop_id"] for call in own[board : leave + 1]][1 if number else 0 :]
            said.append(
                f"`{self.feeds.files[trip]}`, trip `{trip}`: row {own[board]['line']} of stop_times.txt leaves "
                f"`{own[board]['stop_id']}` at {own[board]['departure_time']}, row {own[leave]['line']} is at "
                f"`{own[leave]['stop_id']}` at {own[leave]['arrival_time']}; service `{row['service_id']}` runs on {DATE}"
            )
        self.same(f"{here}: every stop on the way", leg["stops"], stops)
        self.lines.append(
            f"| {leg['depart']} {leg['from']} | {leg['arrive']} {leg['to']} | {leg['mode']} {leg['route']}, after waiting "
            f"{leg['wait_s']} s | {'; then '.join(said)} |"
        )


def ask() -> tuple[list[dict[str, Any]], list[int]]:
    """The journeys, and the cells of a matrix that was computed for all of them at once."""
    import numpy as np

    from community_routes.evaluation.case import open_study, study_query
    from community_routes.network.walks.points import Points
    from community_routes.travel.itinerary import find_spot, journey
    from community_routes.travel.matrix import travel_matrix

    study = open_study(STUDY)
    told = [journey(study, a, b, depart=moment).to_dict() for a, b, moment in JOURNEYS]
    ends = [[find_spot(study, pair[side]).points for pair in JOURNEYS] for side in (0, 1)]
    joined = [
        Points(
            np.array([str(i) for i in range(len(side))], object),
            np.concatenate([points.lon for points in side]),
            np.concatenate([points.lat for points in side]),
            np.concatenate([np.full(len(points.lon), i, np.int32) for i, points in enumerate(side)]),
        )
        for side in ends
    ]
    query = study_query(study.file, (7 * 3600, 9 * 3600))
    matrix = travel_matrix(study, query, "day", origins=joined[0], destinations=joined[1], per_departure=True)
    departures = query.departures_s.tolist()
    cells = [
        int(matrix.time_s[i, departures.index(seconds(f"{moment}:00")), i]) for i, (_, _, moment) in enumerate(JOURNEYS)
    ]
    return told, cells


def main() -> int:
    """Check all of them, write the page, and say what does not agree."""
    told, cells = ask()
    feeds = RawFeeds()
    trips = {trip for one in told for leg in one["journeys"][0]["legs"] for trip in leg.get("trips", ())}
    calls = feeds.calls(trips)
    check = Check(feeds)
    for number, (one, cell_s) in enumerate(zip(told, cells, strict=True), start=1):
        check.journey(number, one, cell_s, calls)
    verdict = "All of them agree." if not check.wrong else "**They do not all agree**: " + "; ".join(check.wrong) + "."
    head = [
        "# Ten journeys checked against the timetable",
        "",
        "Ten journeys through Newport on Tuesday 5 March 2024, as `community-routes journey` prints them, each beside the rows",
        "of the feeds that it rests on. `tools/check_journeys.py` found the journeys with the program, read the rows with only",
        "Python's `csv` and `zipfile`, did every sum again, and wrote this page; run it to check again. It looks at each",
        "boarding and alighting (stop, time, whether boarding is allowed there), each stop on the way, the days of the service,",
        "the slack of 60 s before each boarding, the length of each walk's course (by its own measure of the ball) and its",
        "seconds at 4.8 km/h (0.75 s a metre, rounded up), the limits, and that walks, waits and rides add up to the cell of the",
        "matrix, which was computed for all ten at once.",
        "",
        f"{check.checked} comparisons. {verdict}",
    ]
    PAGE.write_text("\n".join([*head, *check.lines]) + "\n", encoding="utf-8")
    for line in check.wrong:
        print(line, file=sys.stderr)
    print(f"{PAGE.relative_to(ROOT)}: {check.checked} comparisons, {len(check.wrong)} differ")
    return 1 if check.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
