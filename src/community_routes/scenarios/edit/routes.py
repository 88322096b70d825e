"""The trips of a route as a planner sees them: which way they go, when they start, and which patterns they follow."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from community_routes.scenarios.edit.stops import plain_name
from community_routes.scenarios.values import nearest_name
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.service import departures

_SUFFIX = re.compile(r"(.+?)-\d+")


class RouteMatchError(ValueError):
    """No route, or more than one, has the name."""


def find_route(feed: Feed, name: str, agency: str | None = None) -> int:
    """Row of the route that a planner means by an id or a short name.

    By ``route_id``, then ``route_short_name``, then the short name without a publisher's suffix (``2-29`` is the 2), then the
    long name; ``agency`` (id or name) settles a clash.

    Raises
    ------
    RouteMatchError
        None, or several; the message lists what could be meant.
    """
    routes = feed.routes
    short = routes["route_short_name"].astype(str)
    bare = short.map(lambda text: match[1] if (match := _SUFFIX.fullmatch(text)) else text)
    for names in (routes["route_id"].astype(str), short, bare, routes["route_long_name"].astype(str)):
        rows = np.flatnonzero(names.str.casefold().to_numpy() == name.casefold())
        if len(rows):
            break
    else:
        near = nearest_name(name, [*short, *routes["route_id"].astype(str)])
        hint = f"; did you mean {near!r}?" if near else ""
        raise RouteMatchError(f"there is no route {name!r} in the timetable{hint}")
    if agency is not None:
        kept = [int(row) for row in rows if agency.casefold() in _agency_names(feed, int(row))]
        if not kept:
            theirs = ", ".join(dict.fromkeys(_agency(feed, int(row)) for row in rows))
            raise RouteMatchError(f"route {name!r} is not run by {agency!r}; it is run by {theirs}")
        rows = np.array(kept)
    if len(rows) > 1:
        listed = "; ".join(describe_route(feed, int(row)) for row in rows[:8])
        agencies = {_agency(feed, int(row)) for row in rows}
        one = str(routes["route_id"].iat[rows[0]])
        or_agency = ", or add `agency`" if len(agencies) == len(rows) else ""
        cure = f"write the id of one as the route, as in `route: {one}`{or_agency}"
        raise RouteMatchError(f"{len(rows)} routes are called {name!r}; {cure}: {listed}")
    return int(rows[0])


def also_called(feed: Feed, name: str, route: int) -> list[int]:
    """Other routes whose short name is the id by which a route was found."""
    if str(feed.routes["route_id"].iat[route]).casefold() != name.casefold():
        return []
    short = feed.routes["route_short_name"].astype(str)
    bare = short.map(lambda text: match[1] if (match := _SUFFIX.fullmatch(text)) else text)
    if name.casefold() in (short.iat[route].casefold(), bare.iat[route].casefold()):
        return []
    return [int(row) for row in np.flatnonzero(bare.str.casefold().to_numpy() == name.casefold()) if row != route]


def _agency(feed: Feed, route: int) -> str:
    row = int(feed.routes["agency"].iat[route])
    return str(feed.agencies["agency_name"].iat[row]) if 0 <= row < len(feed.agencies) else "an unnamed agency"


def _agency_names(feed: Feed, route: int) -> set[str]:
    row = int(feed.routes["agency"].iat[route])
    if not 0 <= row < len(feed.agencies):
        return set()
    agency = feed.agencies.iloc[row]
    return {str(agency["agency_id"]).casefold(), str(agency["agency_name"]).casefold()}


def describe_route(feed: Feed, route: int) -> str:
    """``16397 (7, Newport Bus, Bus Station - Ringland, 44 trips)``."""
    row = feed.routes.iloc[route]
    trips = trips_of(feed, [route])
    ends = ""
    if len(trips):
        calls = feed.calls
        part = calls.stop[calls.first[trips[0]] : calls.first[trips[0] + 1]]
        names = feed.stops["stop_name"]
        ends = f", {names.iat[int(part[0])]} - {names.iat[int(part[-1])]}"
    count = "1 trip" if len(trips) == 1 else f"{len(trips)} trips"
    return f"{row['route_id']} ({route_name(feed, route)}, {_agency(feed, route)}{ends}, {count})"


def route_name(feed: Feed, route: int) -> str:
    """What riders call it: the short name, else the long name, else the id."""
    row = feed.routes.iloc[route]
    return str(row["route_short_name"] or row["route_long_name"] or row["route_id"])


def stop_name(feed: Feed, stop: int) -> str:
    """What riders call it, else its id."""
    return str(feed.stops["stop_name"].iat[stop] or feed.stops["stop_id"].iat[stop])


def trips_of(feed: Feed, routes: Sequence[int]) -> NDArray[np.int64]:
    """Rows of the trips of routes that call anywhere at all."""
    hit = np.isin(feed.trips["route"].to_numpy(), np.asarray(routes)) & (np.diff(feed.calls.first) > 0)
    return np.flatnonzero(hit & (feed.trips["service"].to_numpy() >= 0))


def stops_of_route(feed: Feed, route: int) -> NDArray[np.int64]:
    """Rows of the stops at which a route calls on any date."""
    calls = np.repeat(feed.trips["route"].to_numpy() == route, np.diff(feed.calls.first))
    return np.unique(feed.calls.stop[calls]).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Runs:
    """When trips start; a trip given by ``frequencies.txt`` starts many times.

    Attributes
    ----------
    trip : int64, shape (n_runs,)
        Row of ``Feed.trips``.
    start_s : int64, shape (n_runs,)
        Departure from the first stop.
    frequency : int64, shape (n_runs,)
        Row of ``Feed.frequencies``, -1 for an ordinary trip.
    """

    trip: NDArray[np.int64]
    start_s: NDArray[np.int64]
    frequency: NDArray[np.int64]

    def within(self, period_s: tuple[int, int] | None) -> Runs:
        """Those that start in the period, its end excluded."""
        if period_s is None:
            return self
        return self.where((self.start_s >= period_s[0]) & (self.start_s < period_s[1]))

    def where(self, keep: NDArray[np.bool_]) -> Runs:
        """Some of them."""
        return Runs(self.trip[keep], self.start_s[keep], self.frequency[keep])

    def __len__(self) -> int:
        return len(self.trip)


def runs_of(feed: Feed, trips: NDArray[np.int64]) -> Runs:
    """Every start of the trips, in the order of trips and time."""
    template = feed.frequencies["trip"].to_numpy()
    by_frequency = np.isin(trips, template)
    plain = trips[~by_frequency]
    parts_trip, parts_start = [plain], [feed.calls.departure_s[feed.calls.first[plain]].astype(np.int64)]
    parts_row = [np.full(len(plain), -1, np.int64)]
    if by_frequency.any():
        row, start_s = departures(feed)
        hit = np.isin(template[row], trips)
        parts_trip.append(template[row[hit]].astype(np.int64))
        parts_start.append(start_s[hit])
        parts_row.append(row[hit])
    trip, start, frequency = (np.concatenate(parts) for parts in (parts_trip, parts_start, parts_row))
    order = np.lexsort((start, trip))
    return Runs(trip[order], start[order], frequency[order])


def templates_on_time(feed: Feed, trips: NDArray[np.int64]) -> Feed:
    """The feed in which headway trips have the clock times of their first bus, so that a change can judge by the clock.

    Nothing runs otherwise than before: of a template only the differences between its times count.
    """
    runs = runs_of(feed, trips)
    runs = runs.where(runs.frequency >= 0)
    if not len(runs):
        return feed
    trip, first = np.unique(runs.trip, return_index=True)
    later = np.zeros(len(feed.trips), np.int32)
    later[trip] = runs.start_s[first] - feed.calls.departure_s[feed.calls.first[trip]]
    moved = np.repeat(later, np.diff(feed.calls.first))
    arrival_s, departure_s = feed.calls.arrival_s + moved, feed.calls.departure_s + moved
    return replace(feed, calls=replace(feed.calls, arrival_s=arrival_s, departure_s=departure_s))


def departures_on(feed: Feed, route: int, date: dt.date) -> int:
    """How many times a route leaves its first stops on a date, both directions together."""
    active = feed.calendar.active(date)
    trips = trips_of(feed, [route])
    service = feed.trips["service"].to_numpy()[trips]
    return len(runs_of(feed, trips[active[service]]))


def pattern_of(feed: Feed, trip: int) -> bytes:
    """The stops of a trip in order, as a key."""
    calls = feed.calls
    return calls.stop[calls.first[trip] : calls.first[trip + 1]].tobytes()


def directions(feed: Feed, trips: NDArray[np.int64]) -> NDArray[np.int8]:
    """Which way each trip of one route goes, 0 or 1: ``direction_id``, or told from the order of its stops where blank.

    The blank ones are compared with the pattern of most trips: a pattern that passes the places they share in the opposite
    order, or goes the opposite way where they share none, is direction 1. Stops of one name are one place, since the two
    sides of a road are different stops.
    """
    given: NDArray[np.int8] = feed.trips["direction_id"].to_numpy()[trips].astype(np.int8)
    if not (given < 0).any():
        return given
    by_pattern: dict[bytes, list[int]] = {}
    for k, trip in enumerate(trips.tolist()):
        by_pattern.setdefault(pattern_of(feed, trip), []).append(k)
    order = sorted(by_pattern, key=lambda key: (-len(by_pattern[key]), by_pattern[key][0]))
    known = {key: given[by_pattern[key][0]] for key in order if given[by_pattern[key][0]] >= 0}
    seeds = [key for key in order if key in known][:1] or order[:1]
    seed, seed_way = seeds[0], known.get(seeds[0], np.int8(0))
    found: NDArray[np.int8] = given.copy()
    called = np.unique(np.concatenate([np.frombuffer(key, np.int32) for key in by_pattern]))
    names = dict(zip(called.tolist(), map(plain_name, feed.stops["stop_name"].iloc[called].astype(str)), strict=True))
    for key, members in by_pattern.items():
        blank = [k for k in members if given[k] < 0]
        same = _same_way(feed, names, np.frombuffer(seed, np.int32), np.frombuffer(key, np.int32))
        way = seed_way if same else 1 - seed_way
        found[blank] = way
    return found


def _same_way(feed: Feed, names: Mapping[int, str], one: NDArray[np.int32], other: NDArray[np.int32]) -> bool:
    at = {names[stop]: k for k, stop in reversed(list(enumerate(one.tolist())))}
    shared = [at[name] for stop in other.tolist() if (name := names[stop]) in at]
    steps = np.sign(np.diff(shared)).sum() if len(shared) > 1 else 0
    if steps != 0:
        return bool(steps > 0)
    lon, lat = feed.stops["lon"].to_numpy(), feed.stops["lat"].to_numpy()
    a = (lon[one[-1]] - lon[one[0]], lat[one[-1]] - lat[one[0]])
    b = (lon[other[-1]] - lon[other[0]], lat[other[-1]] - lat[other[0]])
    return bool(a[0] * b[0] + a[1] * b[1] >= 0)
