"""What runs today as a planner names it: routes with their stops and times by pattern, and stops with their routes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.notices import counted
from community_routes.base.times import MINUTE, format_time
from community_routes.evaluation.case import Study
from community_routes.scenarios.edit.routes import (
    RouteMatchError,
    directions,
    find_route,
    pattern_of,
    route_name,
    runs_of,
    trips_of,
)
from community_routes.scenarios.edit.stops import StopFinder, plain_name
from community_routes.scenarios.edit.work import area_of
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.trips import mode_of

_FIRST, _BETWEEN, _LAST = "┌", "├", "└"
_MOST = 40


def list_routes(study: Study, *, everywhere: bool = False) -> pd.DataFrame:
    """The routes that call in the study's area, or all of them: one row each, those with most departures first.

    Returns
    -------
    DataFrame
        ``route`` (what riders call it), ``route_id``, ``agency``, ``mode``, ``from``, ``to`` (the ends of its commonest
        pattern), and a column of departures for each day of the study.
    """
    feed = study.feed
    route_of = feed.trips["route"].to_numpy()
    rows = np.arange(len(feed.routes))
    if not everywhere:
        calls = np.repeat(route_of, np.diff(feed.calls.first))
        rows = np.unique(calls[inside(study)[feed.calls.stop]])
    counts = {day: _departures(feed, date) for day, date in study.file.dates.items()}
    ends = _ends(feed)
    names, agencies = feed.stops["stop_name"].to_numpy(), feed.agencies["agency_name"].to_numpy()
    table = pd.DataFrame(
        {
            "route": [route_name(feed, row) for row in rows.tolist()],
            "route_id": feed.routes["route_id"].to_numpy()[rows],
            "agency": [
                str(agencies[a]) if 0 <= a < len(agencies) else "" for a in feed.routes["agency"].to_numpy()[rows]
            ],
            "mode": [mode_of(int(kind)) for kind in feed.routes["route_type"].to_numpy()[rows]],
            "from": [str(names[ends[row][0]]) if row in ends else "" for row in rows.tolist()],
            "to": [str(names[ends[row][1]]) if row in ends else "" for row in rows.tolist()],
            **{day: count[rows] for day, count in counts.items()},
        }
    )
    busiest = table[list(counts)].sum(axis=1)
    return table.iloc[np.lexsort((table["route_id"], -busiest))].reset_index(drop=True)


def list_stops(study: Study, text: str = "", *, everywhere: bool = False) -> pd.DataFrame:
    """The stops in the study's area, or all of them, whose id or name holds a text: with their routes, and departures a day.

    Returns
    -------
    DataFrame
        ``stop_id, stop_name, lon, lat, routes`` (what riders call them, in one text), and a column of calls for each day.
    """
    feed = study.feed
    wanted = plain_name(text)
    named = zip(feed.stops["stop_id"].astype(str), feed.stops["stop_name"].astype(str), strict=True)
    hit = np.array([wanted in plain_name(name) or text.casefold() in stop.casefold() for stop, name in named], np.bool_)
    hit &= np.bincount(feed.calls.stop, minlength=len(feed.stops)) > 0
    if not everywhere:
        hit &= inside(study)
    trip = np.repeat(np.arange(len(feed.trips)), np.diff(feed.calls.first))
    called = pd.DataFrame({"stop": feed.calls.stop, "route": feed.trips["route"].to_numpy()[trip]}).drop_duplicates()
    called = called[hit[called["stop"].to_numpy()]]
    names = {row: route_name(feed, row) for row in called["route"].unique().tolist()}
    by_stop = called.groupby("stop")["route"].agg(
        lambda own: ", ".join(sorted({names[row] for row in own}, key=_natural))
    )
    rows = np.flatnonzero(hit)
    table = feed.stops.iloc[rows][["stop_id", "stop_name", "lon", "lat"]].reset_index(drop=True)
    table["routes"] = by_stop.reindex(rows).fillna("").to_numpy()
    for day, date in study.file.dates.items():
        table[day] = _calls(feed, date)[rows]
    return table.sort_values(["stop_name", "stop_id"], ignore_index=True)


@dataclass(frozen=True, eq=False)
class RouteLines:
    """The patterns of a route on a day: which stops in which order, how often, and when.

    Attributes
    ----------
    title : str
    table : DataFrame
        ``pattern`` (from 1, the commonest first), ``direction`` (0 or 1), ``departures``, ``sequence`` (from 1), ``stop_id``,
        ``stop_name``, ``minutes`` from the first stop (of the pattern's first run), ``first`` and ``last`` (clock times of the
        first and the last run).
    """

    title: str
    table: pd.DataFrame

    def text(self) -> str:
        """A line diagram of each pattern, with clock times of the first and the last run."""
        lines = [self.title]
        for (pattern, departures), own in self.table.groupby(["pattern", "departures"], sort=False):
            lines += [
                "",
                f"Pattern {pattern}, direction {own['direction'].iat[0]}: {counted(int(departures), 'departure')}",
            ]
            width = max(len(name) for name in own["stop_name"])
            last = len(own) - 1
            for k, row in enumerate(own.to_dict("records")):
                mark = _FIRST if k == 0 else _LAST if k == last else _BETWEEN
                later = f"{row['minutes']:>4} min" if k else " " * 8
                lines.append(
                    f"  {mark}─ {row['stop_name']:<{width}}  {row['first']}  {row['last']}  {later}  {row['stop_id']}"
                )
        return "\n".join(lines)


def route_lines(study: Study, name: str, day: str, *, agency: str | None = None) -> RouteLines:
    """The stops of a route in order, and when it calls there, by pattern.

    Parameters
    ----------
    study : Study
    name : str
        What riders call it, or its id.
    day : str
        A day of the study.
    agency : str, optional
        Settles a clash of names.

    Raises
    ------
    UsageError
        No route is called so, or several are; or it does not run on that day.
    """
    feed, date = study.feed, study.file.dates[day]
    try:
        route = find_route(feed, name, agency)
    except RouteMatchError as wrong:
        raise UsageError(str(wrong).replace("the route, as in `route: ", "ROUTE, as in `")) from None
    everything = trips_of(feed, [route])
    way = dict(zip(everything.tolist(), directions(feed, everything).tolist(), strict=True))
    trips = np.intersect1d(everything, feed.active_trips(date))
    if not len(trips):
        raise UsageError(f"route {name!r} does not run on {day} ({date})")
    runs = runs_of(feed, trips)
    by_pattern: dict[tuple[int, bytes], list[tuple[int, int]]] = {}
    for trip, start in sorted(zip(runs.trip.tolist(), runs.start_s.tolist(), strict=True), key=lambda run: run[1]):
        by_pattern.setdefault((way[trip], pattern_of(feed, trip)), []).append((trip, start))
    ordered = sorted(by_pattern.items(), key=lambda item: (-len(item[1]), item[1][0][1]))
    parts = [_pattern(feed, k, direction, found) for k, ((direction, _), found) in enumerate(ordered, start=1)]
    row = feed.routes.iloc[route]
    agency_row = int(row["agency"])
    run_by = f", {feed.agencies['agency_name'].iat[agency_row]}" if 0 <= agency_row < len(feed.agencies) else ""
    title = (
        f"Route {route_name(feed, route)} ({row['route_id']}{run_by}) on {day}, {date:%A} {date}: "
        f"{counted(len(runs), 'departure')} in {counted(len(ordered), 'pattern')}"
    )
    return RouteLines(title, pd.concat(parts, ignore_index=True))


def _pattern(feed: Feed, number: int, direction: int, runs: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """The rows of one pattern; ``runs`` are (trip, start in seconds), the first of the day first."""
    calls, stops = feed.calls, feed.stops
    own = slice(int(calls.first[runs[0][0]]), int(calls.first[runs[0][0] + 1]))
    rows = calls.stop[own]
    clocks = [_clocks(feed, trip, start) for trip, start in (runs[0], runs[-1])]
    return pd.DataFrame(
        {
            "pattern": number,
            "direction": direction,
            "departures": len(runs),
            "sequence": np.arange(1, len(rows) + 1),
            "stop_id": stops["stop_id"].to_numpy()[rows],
            "stop_name": stops["stop_name"].to_numpy()[rows],
            "minutes": (clocks[0] - clocks[0][0]) // MINUTE,
            "first": [format_time(int(at), with_seconds=False) for at in clocks[0]],
            "last": [format_time(int(at), with_seconds=False) for at in clocks[1]],
        }
    )


def _clocks(feed: Feed, trip: int, start_s: int) -> NDArray[np.int64]:
    """Departures of a run from its stops, at the last one the arrival, in seconds of the service date."""
    own = slice(int(feed.calls.first[trip]), int(feed.calls.first[trip + 1]))
    clock = feed.calls.departure_s[own].astype(np.int64)
    clock[-1] = feed.calls.arrival_s[own][-1]
    return clock - int(feed.calls.departure_s[own][0]) + start_s


def inside(study: Study) -> NDArray[np.bool_]:
    """Whether each stop lies in the box round the neighbourhoods, or a little outside."""
    finder = StopFinder(study.feed, area=area_of(study.zones))
    points = zip(finder.lon.tolist(), finder.lat.tolist(), strict=True)
    return np.array([bool(np.isfinite(x)) and finder.away_m(x, y) == 0 for x, y in points], np.bool_)


def _departures(feed: Feed, date: dt.date) -> NDArray[np.int64]:
    """Departures of each route from its first stops on a date."""
    trips = trips_of(feed, np.arange(len(feed.routes)).tolist())
    runs = runs_of(feed, np.intersect1d(trips, feed.active_trips(date)))
    return np.bincount(feed.trips["route"].to_numpy()[runs.trip], minlength=len(feed.routes)).astype(np.int64)


def _calls(feed: Feed, date: dt.date) -> NDArray[np.int64]:
    """Calls at each stop on a date."""
    trips = trips_of(feed, np.arange(len(feed.routes)).tolist())
    runs = np.bincount(runs_of(feed, np.intersect1d(trips, feed.active_trips(date))).trip, minlength=len(feed.trips))
    weight = np.repeat(runs, np.diff(feed.calls.first))
    return np.bincount(feed.calls.stop, weight, minlength=len(feed.stops)).astype(np.int64)


def _ends(feed: Feed) -> dict[int, tuple[int, int]]:
    """First and last stop of the commonest pair of ends of each route that has trips."""
    trips = trips_of(feed, np.arange(len(feed.routes)).tolist())
    calls = feed.calls
    table = pd.DataFrame(
        {
            "route": feed.trips["route"].to_numpy()[trips],
            "from": calls.stop[calls.first[trips]],
            "to": calls.stop[calls.first[trips + 1] - 1],
        }
    )
    counts = table.value_counts(["route", "from", "to"]).reset_index()
    usual = counts.drop_duplicates("route")
    return {
        int(route): (int(a), int(b)) for route, a, b in zip(usual["route"], usual["from"], usual["to"], strict=True)
    }


def _natural(name: str) -> tuple[int, str]:
    """Sorts 2 before 10."""
    digits = "".join(char for char in name if char.isdigit())
    return (int(digits[:9]) if digits and name[0].isdigit() else 10**9, name)


def table_text(table: pd.DataFrame, width: int) -> str:
    """A table for the terminal: names cut where they are long, numbers to the right."""
    if table.empty:
        return "nothing is called so in the study's area (--all looks everywhere)"
    shown = table.astype(str)
    most = max(_MOST, width // 4)
    shown = shown.map(lambda cell: cell if len(cell) <= most else f"{cell[: most - 1]}…")
    wide = {name: max(len(str(name)), int(shown[name].str.len().max())) for name in shown.columns}
    numeric = {name for name in table.columns if pd.api.types.is_numeric_dtype(table[name])}

    def line(cells: Sequence[str]) -> str:
        parts = (
            f"{c:>{wide[n]}}" if n in numeric else f"{c:<{wide[n]}}" for n, c in zip(shown.columns, cells, strict=True)
        )
        return "  ".join(parts).rstrip()

    return "\n".join(
        [line(list(map(str, shown.columns))), *(line(row) for row in shown.itertuples(index=False, name=None))]
    )
