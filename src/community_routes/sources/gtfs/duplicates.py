"""Leaves out journeys that a timetable holds twice, as after a new registration: they would double a frequency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.notices import declare
from community_routes.sources.gtfs.columns import Findings
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, days_between, weekday_of
from community_routes.sources.gtfs.rows import keep_trips

DUPLICATE_JOURNEY = declare(
    "duplicate_journey",
    "warning",
    "Two trips of one route number, of one operator or in one timetable, call at the same stops at the same times on the "
    "same dates; one is kept.",
    outcome="left out",
)
JOURNEY_OF_TWO_OPERATORS = declare(
    "journey_of_two_operators",
    "warning",
    "Two operators publish the same journeys of one route number in timetables of their own; both are counted.",
)

_AT_ONCE = 256
_LISTED = 5
_TWICE = "a route registered twice, or school days and holidays not told apart?"


def leave_out_duplicates(feed: Feed, findings: Findings) -> Feed:
    """The feed in which no two trips of one route number, and of one operator or timetable, are the same journey on a date.

    Stops are the same when they lie at the same place, so that the journeys which two overlapping regional timetables
    share are found, although their stops have ids of their own. A timetable that gives one number to the buses of two
    operators tells of one bus; two timetables of two operators may each tell of its own, so both stay, with a warning.
    Trips with headways are the same journey where their headways are the same too.

    The trip with most dates is kept (the first in the feed of several). Another that runs on other dates too keeps
    those, under a service of its own; one that does not is left out.
    """
    groups = _groups_of_equal_trips(feed)
    if not groups:
        return feed
    service = feed.trips["service"].to_numpy().copy()
    source, operator = feed.trips["source"].to_numpy(), _operators(feed)
    asked = np.unique(service[[row for rows in groups for row in rows]])
    runs, days = _dates_of_services(feed.calendar, asked)
    at = {int(name): i for i, name in enumerate(asked)}
    keep = np.ones(len(feed.trips), np.bool_)
    doubled: list[tuple[int, int]] = []
    apart: list[tuple[int, int]] = []
    split: dict[tuple[int, bytes], int] = {}
    n_services = len(feed.calendar.service_id)
    for rows in groups:
        dates = {row: runs[at[int(service[row])]] for row in rows}
        before: list[int] = []
        for row in sorted(rows, key=lambda r: (-int(np.unpackbits(dates[r]).sum()), r)):
            same = [other for other in before if (dates[row] & dates[other]).any()]
            mine = [other for other in same if source[other] == source[row] or operator[other] == operator[row]]
            before.append(row)
            if not mine:
                apart += [(row, other) for other in same[:1]]
                continue
            doubled.append((row, mine[0]))
            rest = dates[row] & ~np.bitwise_or.reduce([dates[other] for other in mine])
            if rest.any():
                service[row] = split.setdefault((int(service[row]), rest.tobytes()), n_services + len(split))
            else:
                keep[row] = False
    _note(feed, doubled, keep, findings)
    _note_apart(feed, apart, findings)
    if split:
        trips = feed.trips.assign(service=service)
        feed = replace(feed, trips=trips, calendar=_with_split_services(feed.calendar, split, days))
    return feed if keep.all() else keep_trips(feed, keep)


def _note(feed: Feed, doubled: list[tuple[int, int]], kept: NDArray[np.bool_], findings: Findings) -> None:
    """Note trips and those that run in their place, a few one by one, more of them or of two operators in one sentence.

    Those that are ``kept`` have other dates too.
    """
    ids = feed.trips["trip_id"].to_numpy(dtype=object)
    for (source, own, other), pairs in _by_operators(feed, doubled).items():
        file = feed.sources[source]
        rows = [row for row, _ in pairs]
        if own == other and len(rows) <= _LISTED:
            for row in rows:
                done = "it keeps its other dates only" if kept[row] else "it was left out"
                message = (
                    f"trip {ids[row]!r} of route {_numbers(feed, [row])} is the same journey as another trip on the same "
                    f"dates ({_TWICE}); {done}, so that no bus is counted twice"
                )
                findings.add(DUPLICATE_JOURNEY, file, message=message, field="trip_id", value=ids[row])
            continue
        n, n_kept = len(rows), int(kept[rows].sum())
        done = f"{n - n_kept:,} were left out" + (f" and {n_kept:,} keep their other dates only" if n_kept else "")
        why = _TWICE if own == other else "a bus that both publish?"
        cure = "" if own == other else "; where two buses do run, they need route numbers of their own"
        message = f"{_same(feed, own, other, pairs)} ({why}); {done}, so that no bus is counted twice{cure}"
        field = "trip_id" if own == other else "agency_id"
        findings.add(DUPLICATE_JOURNEY, file, message=message, field=field, value=n, count=n)


def _note_apart(feed: Feed, pairs: list[tuple[int, int]], findings: Findings) -> None:
    """Note the journeys of two operators in two timetables, in one sentence for each pair of operators."""
    for (source, own, other), mine in _by_operators(feed, pairs).items():
        message = (
            f"{_same(feed, own, other, mine)}, which are in {feed.sources[feed.trips['source'].iat[mine[0][1]]]}; both are "
            "counted. If it is one bus that both publish, withdraw the route of one of them, or leave its timetable out"
        )
        n, file = len(mine), feed.sources[source]
        findings.add(JOURNEY_OF_TWO_OPERATORS, file, message=message, field="agency_id", value=n, count=n)


def _operators(feed: Feed) -> NDArray[np.object_]:
    """The name of the operator of each trip, shape (n_trips,); "" where there is none."""
    names = np.append(feed.agencies["agency_name"].to_numpy(dtype=object), "")
    operators: NDArray[np.object_] = names[feed.routes["agency"].to_numpy()][feed.trips["route"].to_numpy()]
    return operators


def _by_operators(feed: Feed, pairs: list[tuple[int, int]]) -> dict[tuple[int, str, str], list[tuple[int, int]]]:
    """Pairs of trips by the timetable of the first and the operators of both ("" and "" where it is the same one)."""
    source, operator = feed.trips["source"].to_numpy(), _operators(feed)
    found: dict[tuple[int, str, str], list[tuple[int, int]]] = {}
    for row, other in pairs:
        names = (operator[row], operator[other]) if operator[row] != operator[other] else ("", "")
        found.setdefault((int(source[row]), *names), []).append((row, other))
    return found


def _same(feed: Feed, own: str, other: str, pairs: list[tuple[int, int]]) -> str:
    """So many trips are the same journeys as others."""
    ids = feed.trips["trip_id"].to_numpy(dtype=object)
    whose = "" if own == other else f" of {own or 'no operator'}"
    others = "other trips" if own == other else f"trips of {other or 'no operator'}"
    return (
        f"{len(pairs):,} in all; trips of route {_numbers(feed, [row for row, _ in pairs])}{whose} are the same journeys as "
        f"{others} on the same dates, as {ids[pairs[0][0]]!r} is {ids[pairs[0][1]]!r}"
    )


def _numbers(feed: Feed, rows: list[int]) -> str:
    """The route numbers of trips, those of most trips first."""
    routes = feed.routes.iloc[feed.trips["route"].to_numpy()[rows]]
    named = routes["route_short_name"].where(routes["route_short_name"] != "", routes["route_id"])
    found = [repr(name) for name, _ in Counter(named).most_common()]
    return ", ".join(found[:4]) + (f" and {len(found) - 4:,} others" if len(found) > 4 else "")


def _groups_of_equal_trips(feed: Feed) -> list[list[int]]:
    """Trips of one route number with the same calls and headways, in groups of two or more."""
    columns = _compared(feed)
    route = feed.trips["route"].to_numpy()
    candidates = pd.DataFrame(
        {"calls": _fingerprints(feed.calls, columns), "route": _route_keys(feed)[route], "headways": _headways(feed)}
    )
    candidates = candidates[feed.trips["service"].to_numpy() >= 0]
    candidates = candidates[candidates.duplicated(keep=False)]
    groups = []
    for _, group in candidates.groupby(["route", "calls", "headways"], sort=False):
        rows = group.index.tolist()
        while len(rows) > 1:
            same = [row for row in rows if row == rows[0] or _same_calls(feed.calls, columns, rows[0], row)]
            if len(same) > 1:
                groups.append(same)
            rows = [row for row in rows if row not in set(same)]
    return groups


def _route_keys(feed: Feed) -> NDArray[np.int64]:
    """A number for each route, the same for routes that riders know by one number, or by one name where they have none."""
    short, long = (feed.routes[name].to_numpy(dtype=object) for name in ("route_short_name", "route_long_name"))
    own = feed.routes["route_id"].to_numpy(dtype=object)
    keys = [(s, "" if s else g, "" if s or g else r) for s, g, r in zip(short, long, own, strict=True)]
    codes = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    return np.array([codes[key] for key in keys], dtype=np.int64)


def _headways(feed: Feed) -> NDArray[np.uint64]:
    """A number for the headways of each trip, shape (n_trips,): the same for trips with the same, 0 for those without."""
    table = feed.frequencies
    of_trip = np.zeros(len(feed.trips), np.uint64)
    rows = _mixed([table[name].to_numpy() for name in ("start_s", "end_s", "headway_s", "exact_times")], len(table))
    np.add.at(of_trip, table["trip"].to_numpy(), rows)
    return of_trip


def _mixed(columns: Iterable[NDArray[Any]], n: int) -> NDArray[np.uint64]:
    """A number for each of n rows, the same for equal rows and hardly ever for others."""
    mixed = np.zeros(n, np.uint64)
    for values in columns:
        mixed = (mixed ^ values.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _compared(feed: Feed) -> tuple[NDArray[Any], ...]:
    """What is the same in equal calls: the place, the times (of trips with headways, since their start), the boarding."""
    calls = feed.calls
    repeated = feed.frequencies["trip"].unique()
    start = np.zeros(len(feed.trips), np.int32)
    start[repeated] = calls.departure_s[calls.first[repeated]]
    start = np.repeat(start, np.diff(calls.first))
    place = _places_of_calls(feed)
    return place, calls.arrival_s - start, calls.departure_s - start, calls.pickup_type, calls.drop_off_type


def _places_of_calls(feed: Feed) -> NDArray[np.int64]:
    """A number for the place of each call, shape (n_calls,): the same for stops within about a metre of each other."""
    lon, lat = feed.stops["lon"].to_numpy(), feed.stops["lat"].to_numpy()
    unknown = np.isnan(lon) | np.isnan(lat)
    keys = np.stack([np.round(np.nan_to_num(lon), 5), np.round(np.nan_to_num(lat), 5)], axis=1)
    _, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.reshape(-1).astype(np.int64)
    place[unknown] = -1 - np.flatnonzero(unknown)  # each of these is a place of its own
    calls: NDArray[np.int64] = place[feed.calls.stop]
    return calls


def _fingerprints(calls: Calls, columns: tuple[NDArray[Any], ...]) -> NDArray[np.uint64]:
    """A number for each trip, the same for trips with the same calls, shape (n_trips,)."""
    sizes = np.diff(calls.first)
    place = (np.arange(len(calls)) - np.repeat(calls.first[:-1], sizes)).astype(np.uint64)
    mixed = _mixed((place, *columns), len(calls))
    total = np.zeros(len(calls) + 1, np.uint64)
    np.cumsum(mixed, out=total[1:])
    return (total[calls.first[1:]] - total[calls.first[:-1]]) ^ sizes.astype(np.uint64)


def _same_calls(calls: Calls, columns: tuple[NDArray[Any], ...], a: int, b: int) -> bool:
    x, y = slice(calls.first[a], calls.first[a + 1]), slice(calls.first[b], calls.first[b + 1])
    return all(np.array_equal(column[x], column[y]) for column in columns)


def _dates_of_services(
    calendar: Calendar, asked: NDArray[np.int32]
) -> tuple[NDArray[np.uint8], NDArray[np.datetime64]]:
    """Which of the services asked for run on which days, a bit for each day, shape (n_asked, ceil(n_days / 8)); the days."""
    row_of = np.full(len(calendar.service_id), -1, np.int64)
    row_of[asked] = np.arange(len(asked))
    mine = np.flatnonzero(row_of[calendar.exception_service] >= 0)
    known = np.concatenate([calendar.start[asked], calendar.end[asked], calendar.exception_date[mine]])
    known = known[~np.isnat(known)]
    days = days_between(known.min(), known.max()) if len(known) else known
    mine = mine[np.isin(calendar.exception_date[mine], days)]
    row, offset = row_of[calendar.exception_service[mine]], np.searchsorted(days, calendar.exception_date[mine])
    packed = np.zeros((len(asked), -(-len(days) // 8)), np.uint8)
    for first in range(0, len(asked), _AT_ONCE):  # one that runs to 2099 makes rows of a hundred years
        part = asked[first : first + _AT_ONCE]
        runs = calendar.weekdays[part][:, weekday_of(days)]
        runs &= (days[None, :] >= calendar.start[part, None]) & (days[None, :] <= calendar.end[part, None])
        here = (row >= first) & (row < first + len(part))
        runs[row[here] - first, offset[here]] = calendar.exception_added[mine[here]]
        packed[first : first + len(part)] = np.packbits(runs, axis=1)
    return packed, days


def _with_split_services(
    calendar: Calendar, split: dict[tuple[int, bytes], int], days: NDArray[np.datetime64]
) -> Calendar:
    """The calendar with a service for each (service, dates left) in ``split``, in its order.

    It has a weekly pattern of the days of the week on which it mostly runs, and exceptions; the pattern of a trip that
    shares its Mondays to 2099 is not four thousand dates.
    """
    taken = set(calendar.service_id)
    names: list[str] = []
    weekdays = np.zeros((len(split), 7), np.bool_)
    period = np.full((2, len(split)), "NaT", dtype="datetime64[D]")
    service, dates, added = [calendar.exception_service], [calendar.exception_date], [calendar.exception_added]
    weekday = weekday_of(days)
    for i, ((old, rest), new) in enumerate(split.items()):
        name, k = f"{calendar.service_id[old]}~rest", 1
        while name in taken:
            k += 1
            name = f"{calendar.service_id[old]}~rest{k}"
        taken.add(name)
        names.append(name)
        runs = np.unpackbits(np.frombuffer(rest, np.uint8), count=len(days)).astype(np.bool_)
        first, last = np.flatnonzero(runs)[[0, -1]]
        inside = slice(first, last + 1)
        weekdays[i] = 2 * np.bincount(weekday[runs], minlength=7) > np.bincount(weekday[inside], minlength=7)
        if weekdays[i].any():
            period[:, i] = days[[first, last]]
        odd = np.flatnonzero(runs[inside] != weekdays[i, weekday[inside]]) + first
        service.append(np.full(len(odd), new, np.int32))
        dates.append(days[odd])
        added.append(runs[odd])
    return Calendar(
        np.concatenate([calendar.service_id, np.array(names, dtype=object)]),
        np.concatenate([calendar.weekdays, weekdays]),
        np.concatenate([calendar.start, period[0]]),
        np.concatenate([calendar.end, period[1]]),
        np.concatenate(service),
        np.concatenate(dates),
        np.concatenate(added),
    )
