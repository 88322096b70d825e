"""What differs between two timetables, in words: routes, departures by period, stops gained and lost."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.scenarios.cost import PERIODS
from community_routes.scenarios.edit.made import ON_DEMAND
from community_routes.scenarios.edit.routes import Runs, route_name, runs_of, trips_of
from community_routes.scenarios.edit.work import day_words
from community_routes.sources.gtfs.feed import Feed

_MOST = 8


@dataclass(frozen=True, eq=False)
class FeedDiff:
    """The difference between two timetables on some dates.

    Attributes
    ----------
    departures : DataFrame
        ``day, route, name, period, before, after``: departures from first stops, only rows that differ.
    routes : DataFrame
        ``day, route, name, what, before, after, changed``; ``what`` is ``new`` (departures from 0), ``gone`` (to 0),
        ``departures``, ``stops`` (other patterns, as many departures), ``times`` (the same stops at other times) or
        ``on demand`` (the rides of a zone, which are not counted). Counts are departures; ``changed`` are those of one
        timetable that the other has not with the same stops and times, whichever are more.
    stops : DataFrame
        ``day, stop, name, what, before, after``: stops ``gained`` (served after only) and ``lost``; counts of calls.
    calls : dict of (day, route) to str
        Of a route with other stops: at which it calls now, and at which no longer, in words.
    """

    departures: pd.DataFrame
    routes: pd.DataFrame
    stops: pd.DataFrame
    calls: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether the two say the same on these dates."""
        return not (len(self.departures) or len(self.routes) or len(self.stops))

    def words(self) -> list[str]:
        """Sentences for people, by day and route."""
        said: list[str] = []
        for day in dict.fromkeys([*self.routes["day"], *self.stops["day"]]):
            for row in self.routes[self.routes["day"] == day].to_dict("records"):
                said.append(self._route(day, row))
            for what in ("gained", "lost"):
                rows = self.stops[(self.stops["day"] == day) & (self.stops["what"] == what)]
                if len(rows):
                    names = [f"{name} ({stop})" for name, stop in zip(rows["name"], rows["stop"], strict=True)]
                    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
                    plural = "stop" if len(names) == 1 else "stops"
                    verb = "with a service that had none" if what == "gained" else "without any service left"
                    said.append(f"{day}: {len(names)} {plural} {verb}: {', '.join(names[:12])}{more}")
        return said or ["the two timetables are the same on these dates"]

    def _route(self, day: str, row: Mapping[str, object]) -> str:
        label, before, after = row["name"], row["before"], row["after"]
        if row["what"] == "on demand":
            return f"{day}: {label} is new, on demand"
        if row["what"] == "new":
            text = f"{day}: {label} is new, {after} departures"
        elif row["what"] == "gone":
            text = f"{day}: {label} no longer runs, it had {before} departures"
        elif row["what"] == "departures":
            text = f"{day}: {label} {before} -> {after} departures"
        elif row["what"] == "stops":
            which = self.calls.get((day, str(row["route"])), "")
            text = f"{day}: {label} calls at other stops, {after} departures as before{which}"
        else:
            text = f"{day}: {label} runs at other times, {after} departures as before"
        mine = self.departures[(self.departures["day"] == day) & (self.departures["route"] == row["route"])]
        parts = [f"{r['period']} {r['before']} -> {r['after']}" for r in mine.to_dict("records")]
        return f"{text} ({', '.join(parts)})" if parts and row["what"] == "departures" else text


def diff_feeds(
    before: Feed, after: Feed, dates: Mapping[str, dt.date], after_dates: Mapping[str, dt.date] | None = None
) -> FeedDiff:
    """Compare two timetables on a study's dates.

    Routes are the same where their ids are; where the two share fewer than half of the ids, or most shared ids are of routes
    with other names (another year, another publisher), where the agency's name and the short name are.

    Parameters
    ----------
    before, after : Feed
    dates : mapping of str to date
    after_dates : mapping, optional
        Other dates for the second one, under the same keys.
    """
    by_id = _share_ids(before, after)
    departures, routes, stops = [], [], []
    calls: dict[tuple[str, str], str] = {}
    for key, date in dates.items():
        day = day_words(key, date)
        other = (after_dates or dates).get(key, date)
        old, new = _day(before, date, by_id), _day(after, other, by_id)
        for route in sorted({*old.runs, *new.runs}):
            name = new.names.get(route) or old.names[route]
            a, b = old.runs.get(route), new.runs.get(route)
            what = _what(a, b)
            if what is None:
                continue
            if what == "new" and route in new.on_demand:
                counts = {"before": 0, "after": 0, "changed": 0}
                routes.append({"day": day, "route": route, "name": name, "what": "on demand", **counts})
                continue
            if what == "stops" and a is not None and b is not None:
                calls[day, route] = _other_calls(a, b, old.stop_names | new.stop_names)
            n_a, n_b = len(a.starts) if a else 0, len(b.starts) if b else 0
            counts = {"before": n_a, "after": n_b, "changed": _n_changed(a, b)}
            routes.append({"day": day, "route": route, "name": name, "what": what, **counts})
            for period, window in PERIODS.items():
                n_a, n_b = _count(a, window), _count(b, window)
                if n_a != n_b:
                    row = {"day": day, "route": route, "name": name, "period": period}
                    departures.append({**row, "before": n_a, "after": n_b})
        for stop in sorted({*old.calls, *new.calls}):
            n_a, n_b = old.calls.get(stop, 0), new.calls.get(stop, 0)
            if (n_a == 0) != (n_b == 0):
                name = new.stop_names.get(stop) or old.stop_names[stop]
                what = "gained" if n_b else "lost"
                stops.append({"day": day, "stop": stop, "name": name, "what": what, "before": n_a, "after": n_b})
    return FeedDiff(
        pd.DataFrame(departures, columns=["day", "route", "name", "period", "before", "after"]),
        pd.DataFrame(routes, columns=["day", "route", "name", "what", "before", "after", "changed"]),
        pd.DataFrame(stops, columns=["day", "stop", "name", "what", "before", "after"]),
        calls,
    )


@dataclass(frozen=True, eq=False)
class _RouteRuns:
    """The departures of a route on a date, and what its trips look like."""

    starts: NDArray[np.int64]
    runs: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]

    @property
    def patterns(self) -> list[tuple[str, ...]]:
        return sorted(stops for stops, _ in self.runs)


@dataclass(frozen=True, eq=False)
class _Day:
    runs: dict[str, _RouteRuns]
    names: dict[str, str]
    calls: dict[str, int]
    stop_names: dict[str, str]
    on_demand: set[str]


def _share_ids(before: Feed, after: Feed) -> bool:
    """Whether ids say which routes are the same: half of them are shared, and mean what riders call the same route.

    Some publishers number all routes anew in each export, so that equal ids mean nothing.
    """
    names = [
        {str(key): route_name(feed, row) for row, key in enumerate(feed.routes["route_id"])} for feed in (before, after)
    ]
    shared = names[0].keys() & names[1].keys()
    least = min(len(names[0]), len(names[1]))
    same = sum(names[0][key] == names[1][key] for key in shared)
    return not least or (2 * len(shared) >= least and 2 * same >= len(shared))


def route_keys(feed: Feed, other: Feed) -> list[str]:
    """By what each route of a timetable is known when it is compared with another one."""
    by_id = _share_ids(feed, other)
    return [_route_key(feed, row, by_id) for row in range(len(feed.routes))]


def _route_key(feed: Feed, row: int, by_id: bool) -> str:
    if by_id:
        return str(feed.routes["route_id"].iat[row])
    agency = int(feed.routes["agency"].iat[row])
    name = str(feed.agencies["agency_name"].iat[agency]) if 0 <= agency < len(feed.agencies) else ""
    return f"{name}: {route_name(feed, row)}"


def _day(feed: Feed, date: dt.date, by_id: bool) -> _Day:
    """Everything that runs on a date, by route."""
    active = feed.calendar.active(date)
    trips = trips_of(feed, np.arange(len(feed.routes)).tolist())
    trips = trips[active[feed.trips["service"].to_numpy()[trips]]]
    runs = runs_of(feed, trips)
    route = feed.trips["route"].to_numpy()[runs.trip]
    ids = feed.stops["stop_id"].to_numpy()
    groups: dict[str, list[int]] = {}
    names: dict[str, str] = {}
    for row in np.unique(route):
        key = _route_key(feed, int(row), by_id)
        groups.setdefault(key, []).extend(np.flatnonzero(route == row).tolist())
        names[key] = route_name(feed, int(row))
    found = {key: _look(feed, runs, np.array(rows), ids) for key, rows in groups.items()}
    n_calls = np.zeros(len(feed.stops), np.int64)
    for trip, times in zip(*np.unique(runs.trip, return_counts=True), strict=True):
        np.add.at(n_calls, feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]], times)
    served = np.flatnonzero(n_calls)
    stop_names = {str(ids[row]): str(feed.stops["stop_name"].iat[row]) for row in served.tolist()}
    on_demand = {
        _route_key(feed, int(row), by_id) for row in np.unique(route) if feed.routes["route_type"].iat[row] == ON_DEMAND
    }
    return _Day(found, names, {str(ids[row]): int(n_calls[row]) for row in served.tolist()}, stop_names, on_demand)


def _look(feed: Feed, runs: Runs, rows: NDArray[np.int64], ids: NDArray[np.object_]) -> _RouteRuns:
    patterns, times = [], []
    for k in rows:
        trip = int(runs.trip[k])
        part = slice(int(feed.calls.first[trip]), int(feed.calls.first[trip + 1]))
        patterns.append(tuple(str(stop) for stop in ids[feed.calls.stop[part]]))
        start = int(feed.calls.departure_s[part.start])
        shift = int(runs.start_s[k]) - start
        times.append((*(feed.calls.arrival_s[part] + shift).tolist(), *(feed.calls.departure_s[part] + shift).tolist()))
    return _RouteRuns(runs.start_s[rows], tuple(sorted(zip(patterns, times, strict=True))))


def _what(before: _RouteRuns | None, after: _RouteRuns | None) -> str | None:
    """In which way a route differs; None where it does not."""
    if before is None:
        return "new"
    if after is None:
        return "gone"
    if len(before.starts) != len(after.starts):
        return "departures"
    if before.patterns != after.patterns:
        return "stops"
    return "times" if before.runs != after.runs else None


def _other_calls(before: _RouteRuns, after: _RouteRuns, names: Mapping[str, str]) -> str:
    """``: more often at North Hill (N, 0 -> 4); less often at Birch Road (B, 4 -> 0)``: departures that call there."""
    was, now = (Counter(stop for stops in one.patterns for stop in dict.fromkeys(stops)) for one in (before, after))
    parts = []
    for said, rarer, oftener in (("more often at", was, now), ("less often at", now, was)):
        stops = [stop for stop in oftener if oftener[stop] > rarer[stop]]
        shown = [f"{names[stop]} ({stop}, {was[stop]} -> {now[stop]})" for stop in stops[:_MOST]]
        if stops:
            parts.append(f"{said} {', '.join(shown)}{f' and {len(stops) - _MOST} more' if len(stops) > _MOST else ''}")
    return f": {'; '.join(parts)}" if parts else ", in another order"


def _n_changed(before: _RouteRuns | None, after: _RouteRuns | None) -> int:
    """Departures of the timetable with more of them that the other has not, stop by stop and minute by minute."""
    old, new = (Counter(one.runs if one is not None else ()) for one in (before, after))
    return max((old - new).total(), (new - old).total())


def _count(one: _RouteRuns | None, window: tuple[int, int]) -> int:
    return int(((one.starts >= window[0]) & (one.starts < window[1])).sum()) if one is not None else 0
