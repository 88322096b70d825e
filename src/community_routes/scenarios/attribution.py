"""Routes of a timetable put back as they were in an earlier one, so that it can be told what each of them changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.network.timetable.blocks import IN_SEAT
from community_routes.network.timetable.trips import trips_ridden_through
from community_routes.scenarios.diff import route_keys
from community_routes.scenarios.edit.days import CalendarEdit
from community_routes.scenarios.edit.feed import NewTrip, TripCalls, edit_trips, with_rows
from community_routes.scenarios.edit.routes import trips_of
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.service import entries_of

BACK = "put-back:"
"""Before the ids of what is put back where the later timetable has another thing of that id."""
SAME_STOP_M = 200.0
"""Two stops of one id are the same stop up to this distance; some publishers number all stops anew."""


def put_back(
    after: Feed,
    before: Feed,
    routes: Iterable[str],
    dates: Mapping[str, dt.date],
    before_dates: Mapping[str, dt.date] | None = None,
) -> Feed:
    """The later timetable with some routes as they were in the earlier one, on the study's dates.

    Parameters
    ----------
    after, before : Feed
    routes : iterable of str
        Keys of routes as in :func:`~community_routes.scenarios.diff.diff_feeds`; a route that the earlier timetable does
        not have is taken out, one that only the earlier has is put in.
    dates : mapping of str to date
        Of the later timetable. On other dates the routes do not run at all.
    before_dates : mapping, optional
        The earlier timetable's dates under the same keys, where they differ.
    """
    wanted = set(routes)
    keys_after, keys_before = route_keys(after, before), route_keys(before, after)
    gone = trips_of(after, [row for row, key in enumerate(keys_after) if key in wanted])
    feed = edit_trips(after, remove=gone)
    rows = [row for row, key in enumerate(keys_before) if key in wanted]
    feed, route_row = _with_routes(feed, before, rows, keys_before, keys_after)
    trips = trips_of(before, rows)
    feed, stop_row = _with_stops(feed, before, trips)
    edit = CalendarEdit.of(feed.calendar)
    nat = np.datetime64("NaT", "D")
    added: list[NewTrip] = []
    copied: list[int] = []
    links: list[dict[str, int]] = []
    known = {trip_id: row for row, trip_id in enumerate(feed.trips["trip_id"])}
    ids = before.trips["trip_id"].to_numpy()
    for key, date in dates.items():
        day = (before_dates or dates).get(key, date)
        active = before.calendar.active(day)[before.trips["service"].to_numpy()[trips]]
        service = edit.add(f"{BACK}{key}", (), (nat, nat), [(np.datetime64(date, "D"), True)])
        row_of = {row: known[trip_id] for row, trip_id in enumerate(ids) if trip_id in known}
        put = {trip: len(feed.trips) + len(copied) + k for k, trip in enumerate(trips[active].tolist())}
        links += _links(before, day, put, row_of, stop_row)
        for trip in put:
            calls = TripCalls.of(before, trip)
            added.append(
                NewTrip(
                    f"{BACK}{key}:{before.trips['trip_id'].iat[trip]}",
                    route_row[int(before.trips["route"].iat[trip])],
                    service,
                    replace(calls, stop=stop_row[calls.stop].astype(np.int32)),
                    int(before.trips["direction_id"].iat[trip]),
                )
            )
            copied.append(trip)
    n = len(feed.trips)
    feed = edit_trips(replace(feed, calendar=edit.build()), added=added)
    if links:
        feed = replace(feed, transfers=with_rows(feed.transfers, pd.DataFrame(links)))
    feed = _with_frequencies(_with_columns(feed, before, copied, n), before, copied, n)
    return replace(
        feed,
        content_hash=f"{after.content_hash}:{sorted(wanted)}:{before.content_hash}",
    )


def _links(
    before: Feed, day: dt.date, put: dict[int, int], row_of: dict[int, int], stop_row: NDArray[np.int64]
) -> list[dict[str, int]]:
    """Rules of ``transfers.txt`` for the trips put back on a date, and the through buses between them and trips that stayed.

    A trip that stayed is known by its id; a rule that names something else that is gone acts on nothing.
    """
    rules = before.transfers.to_dict("records")
    blank = dict.fromkeys(before.transfers.columns, -1)
    of_route = np.zeros(len(before.trips), np.bool_)
    of_route[list(put)] = True
    through = trips_ridden_through(before, day, of_route)
    rules += [blank | {"from_trip": a, "to_trip": b, "transfer_type": IN_SEAT} for a, b in through]
    found = []
    now = row_of | put | {-1: -1}
    for rule in rules:
        pair = {side: now.get(rule[side]) for side in ("from_trip", "to_trip")}
        stops = {side: int(stop_row[rule[side]]) if rule[side] >= 0 else -1 for side in ("from_stop", "to_stop")}
        lost = any(rule[side] >= 0 > stops[side] for side in stops) or rule["from_route"] >= 0 or rule["to_route"] >= 0
        if {rule["from_trip"], rule["to_trip"]} & set(put) and None not in pair.values() and not lost:
            found.append(rule | pair | stops)
    return found


def _with_routes(
    feed: Feed, before: Feed, rows: list[int], keys_before: list[str], keys_after: list[str]
) -> tuple[Feed, dict[int, int]]:
    """The feed with the routes that it lacks, and its row for each of the earlier ones."""
    known = {key: row for row, key in enumerate(keys_after)}
    found: dict[int, int] = {}
    new: list[dict[Any, Any]] = []
    for row in rows:
        if keys_before[row] in known:
            found[row] = known[keys_before[row]]
            continue
        found[row] = len(feed.routes) + len(new)
        content = before.routes.iloc[row].to_dict()
        new.append({**content, "route_id": f"{BACK}{content['route_id']}", "agency": 0 if len(feed.agencies) else -1})
    if not new:
        return feed, found
    table = pd.DataFrame(new).reindex(columns=feed.routes.columns).fillna("")
    return replace(feed, routes=with_rows(feed.routes, table)), found


def with_stops_of(feed: Feed, other: Feed) -> Feed:
    """The timetable with every stop that trips of another one call at; where both have a stop it stays where it is.

    A stop of the same id that is more than 200 m away is another stop.
    """
    return _with_stops(feed, other, np.arange(len(other.trips)))[0]


def stops_of_routes(feed: Feed, before: Feed) -> dict[str, NDArray[np.int64]]:
    """Rows of the feed's stops at which each route calls, or called before; the feed has every stop of both.

    Routes are known by the keys of :func:`~community_routes.scenarios.diff.diff_feeds`.
    """
    found: dict[str, list[NDArray[np.int64]]] = {}
    for one, keys, row_of in (
        (feed, route_keys(feed, before), np.arange(len(feed.stops))),
        (before, route_keys(before, feed), _same_stops(feed, before)),
    ):
        route = np.repeat(one.trips["route"].to_numpy(np.int64), np.diff(one.calls.first))
        pairs = np.unique(route * len(one.stops) + one.calls.stop)
        starts = np.searchsorted(pairs, np.arange(len(keys) + 1) * len(one.stops))
        for number, key in enumerate(keys):
            stops = row_of[pairs[starts[number] : starts[number + 1]] % len(one.stops)]
            found.setdefault(key, []).append(stops[stops >= 0])
    return {key: np.unique(np.concatenate(parts)) for key, parts in found.items()}


def _with_stops(feed: Feed, before: Feed, trips: NDArray[np.int64]) -> tuple[Feed, NDArray[np.int64]]:
    """The feed with the stops that it lacks, and its row for each of the earlier ones (-1 where it is not needed)."""
    used = np.zeros(len(before.stops), bool)
    for trip in trips:
        used[before.calls.stop[before.calls.first[trip] : before.calls.first[trip + 1]]] = True
    rows, taken = _same_stops(feed, before), set(feed.stops["stop_id"])
    rows[~used] = -1
    new: list[dict[Any, Any]] = []
    for row in np.flatnonzero(used & (rows < 0)).tolist():
        stop = str(before.stops["stop_id"].iat[row])
        rows[row] = len(feed.stops) + len(new)
        while stop in taken:
            stop = f"{BACK}{stop}"
        taken.add(stop)
        new.append({**before.stops.iloc[row].to_dict(), "stop_id": stop, "parent": -1})
    if not new:
        return feed, rows
    table = pd.DataFrame(new).reindex(columns=feed.stops.columns).fillna("")
    return replace(feed, stops=with_rows(feed.stops, table)), rows


def _same_stops(feed: Feed, before: Feed) -> NDArray[np.int64]:
    """Row of the feed of each earlier stop that it has as well, under the same id and not far from there; else -1.

    A stop that was put back before has its earlier id with a mark.
    """
    known = pd.Index(feed.stops["stop_id"].astype(str))
    ids = before.stops["stop_id"].astype(str)
    own, theirs = (
        [table[name].to_numpy(np.float64) for name in ("lon", "lat")] for table in (feed.stops, before.stops)
    )
    found = np.full(len(ids), -1, np.int64)
    for names in (ids, BACK + ids):
        there = known.get_indexer(names)
        moved_m = great_circle_m(theirs[0], theirs[1], own[0][there], own[1][there])
        near = (there >= 0) & ~(moved_m > SAME_STOP_M)
        found = np.where((found < 0) & near, there, found)
    return found


def _with_columns(feed: Feed, before: Feed, copied: list[int], first_row: int) -> Feed:
    """The feed whose put-back trips carry what else is known of them: wheelchair access, and the vehicle that goes on."""
    if not copied:
        return feed
    trips = feed.trips.copy()
    rows = trips.index[first_row:]
    for column in ("trip_headsign", "trip_short_name", "wheelchair_accessible"):
        if column in trips.columns and column in before.trips.columns:
            trips.loc[rows, column] = before.trips[column].to_numpy()[copied]
    blocks = [f"{BACK}{block}" if block else "" for block in before.trips["block_id"].to_numpy()[copied]]
    trips.loc[rows, "block_id"] = blocks
    return replace(feed, trips=trips.astype(feed.trips.dtypes.to_dict()))


def _with_frequencies(feed: Feed, before: Feed, copied: list[int], first_row: int) -> Feed:
    """The headway services of the trips put back."""
    published = entries_of(before)
    given = set(published["trip"])
    mine = [
        published[published["trip"] == trip].assign(trip=first_row + k)
        for k, trip in enumerate(copied)
        if trip in given
    ]
    return replace(feed, frequencies=with_rows(entries_of(feed), *mine)) if mine else feed
