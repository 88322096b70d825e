"""Editing a timetable without touching it: every function returns a new feed that shares what did not change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.scenarios.edit.days import CalendarEdit, DaySet, feed_dates, split_service
from community_routes.scenarios.values import free_name
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
from community_routes.sources.gtfs.service import entries_of

COPY_MARK = "~"
"""Between the id of a trip and the kind of day for which it was copied; a copy is as late as its trip in draws."""
_TRIP_FIELDS = ("stop", "arrival_s", "departure_s", "pickup_type", "drop_off_type")
_CALL_FIELDS = (*_TRIP_FIELDS, "timed", "sequence", "distance")


@dataclass(frozen=True, eq=False)
class TripCalls:
    """The calls of one trip: arrays of one length, as in :class:`Calls`.

    Attributes
    ----------
    stop : int32
        Row in ``Feed.stops``.
    arrival_s, departure_s : int32
        Seconds of the service date.
    pickup_type, drop_off_type : int8
    """

    stop: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    pickup_type: NDArray[np.int8]
    drop_off_type: NDArray[np.int8]

    @classmethod
    def of(cls, feed: Feed, trip: int) -> TripCalls:
        """Those of a trip of a feed."""
        part = slice(int(feed.calls.first[trip]), int(feed.calls.first[trip + 1]))
        return cls(*(getattr(feed.calls, name)[part] for name in _TRIP_FIELDS))

    @classmethod
    def plain(cls, stop: ArrayLike, arrival_s: ArrayLike, departure_s: ArrayLike) -> TripCalls:
        """Calls where everybody may board and alight."""
        stops, arrival, departure = (np.asarray(column, np.int32) for column in (stop, arrival_s, departure_s))
        zero = np.zeros(len(stops), np.int8)
        return cls(stops, arrival, departure, zero, zero)

    @classmethod
    def joined(cls, *parts: TripCalls) -> TripCalls:
        """The calls of several parts one after the other."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in _TRIP_FIELDS))

    def part(self, rows: slice | NDArray[np.int64]) -> TripCalls:
        """Some of the calls."""
        return TripCalls(*(getattr(self, name)[rows] for name in _TRIP_FIELDS))

    def shifted(self, seconds: int | NDArray[np.int64]) -> TripCalls:
        """The same calls, later by so many seconds, all alike or each by its own."""
        later = np.asarray(seconds, np.int32)
        return replace(self, arrival_s=self.arrival_s + later, departure_s=self.departure_s + later)

    def __len__(self) -> int:
        return len(self.stop)

    def key(self) -> tuple[bytes, ...]:
        """What is the same for calls that are the same."""
        return tuple(getattr(self, name).tobytes() for name in _TRIP_FIELDS)

    def same_as(self, other: TripCalls) -> bool:
        """Whether every call is the same."""
        return self.key() == other.key()


@dataclass(frozen=True, eq=False)
class NewTrip:
    """A trip to add.

    Attributes
    ----------
    trip_id : str
        Gets a number when it is taken.
    route, service : int
        Rows of the feed.
    calls : TripCalls
    direction : int
        0, 1 or -1.
    like : int
        Trip whose other columns it takes (headsign, wheelchair access, source); -1 for none.
    headsign : str or None
        None keeps that of ``like``.
    shape : int
        Row of the shapes; -1 for none.
    keep_block : bool
        Whether it takes the ``block_id`` of ``like`` as well.
    """

    trip_id: str
    route: int
    service: int
    calls: TripCalls
    direction: int = -1
    like: int = -1
    headsign: str | None = None
    shape: int = -1
    keep_block: bool = False


def with_rows(table: pd.DataFrame, *rows: pd.DataFrame) -> pd.DataFrame:
    """The table with further rows at its end, every column of the kind that it was."""
    return pd.concat([table, *rows], ignore_index=True).astype(table.dtypes.to_dict())


def add_headways(feed: Feed, rows: pd.DataFrame) -> Feed:
    """The feed with further services by headway, each an entry of its own, whether entries are named by now or not."""
    table = feed.frequencies
    named = entries_of(replace(feed, frequencies=rows)) if "entry" in table else rows
    return replace(feed, frequencies=with_rows(table, named))


def edit_trips(
    feed: Feed,
    *,
    remove: NDArray[np.int64] | Sequence[int] = (),
    replaced: Mapping[int, TripCalls] | None = None,
    added: Sequence[NewTrip] = (),
) -> Feed:
    """The feed without some trips, with other calls for some, and with new trips at its end.

    What refers to a removed trip (frequencies, transfer rules) goes with it. A replaced trip keeps its shape only if the
    caller leaves it; its distances along the shape are blank, since they are no longer known.
    """
    replaced = replaced or {}
    if not len(remove) and not replaced and not added:
        return feed
    n = len(feed.trips)
    keep = np.ones(n, bool)
    keep[np.asarray(remove, np.int64)] = False
    rows = np.flatnonzero(keep)
    pool_of = {row: k for k, row in enumerate(replaced)}
    pool = [*replaced.values(), *(trip.calls for trip in added)]
    pool_first = len(feed.calls) + np.concatenate([[0], np.cumsum([len(calls) for calls in pool], dtype=np.int64)])
    start = feed.calls.first[rows].copy()
    length = np.diff(feed.calls.first)[rows]
    for row, k in pool_of.items():
        if keep[row]:
            at = np.searchsorted(rows, row)
            start[at], length[at] = pool_first[k], len(replaced[row])
    start = np.concatenate([start, pool_first[len(replaced) : -1]]).astype(np.int64)
    length = np.concatenate([length, [len(trip.calls) for trip in added]]).astype(np.int64)
    everything = _extended(feed.calls, pool)
    if replaced or len(rows) < n:
        calls = _gather(everything, start, length)
    else:  # what comes stands behind the rest already
        calls = Calls(np.concatenate([[0], np.cumsum(length)]).astype(np.int64), **everything)
    trips = feed.trips if len(rows) == n else feed.trips.iloc[rows].reset_index(drop=True)
    if added:
        trips = with_rows(trips, _trip_rows(feed, added))
    new_row = np.full(n, -1, np.int64)
    new_row[rows] = np.arange(len(rows))
    return replace(
        feed,
        trips=trips,
        calls=calls,
        frequencies=_renumbered(feed.frequencies, ["trip"], new_row),
        transfers=_renumbered(feed.transfers, ["from_trip", "to_trip"], new_row),
    )


def _extended(calls: Calls, pool: Sequence[TripCalls]) -> dict[str, NDArray[Any]]:
    """All columns of the calls, with those of the pool behind them."""
    columns: dict[str, list[NDArray[Any]]] = {name: [getattr(calls, name)] for name in _CALL_FIELDS}
    for part in pool:
        n = len(part)
        for name in _TRIP_FIELDS:
            columns[name].append(getattr(part, name))
        columns["timed"].append(np.ones(n, bool))
        columns["sequence"].append(np.arange(1, n + 1, dtype=np.int32))
        columns["distance"].append(np.full(n, np.nan))
    return {name: np.concatenate(parts) for name, parts in columns.items()}


def _gather(columns: Mapping[str, NDArray[Any]], start: NDArray[np.int64], length: NDArray[np.int64]) -> Calls:
    """Calls made of runs of rows."""
    first = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    take = np.repeat(start - first[:-1], length) + np.arange(first[-1])
    return Calls(first, **{name: column[take] for name, column in columns.items()})


def _trip_rows(feed: Feed, added: Sequence[NewTrip]) -> pd.DataFrame:
    """Rows of ``trips`` for new trips."""
    taken = set(feed.trips["trip_id"].to_numpy(object).tolist())
    names = []
    for trip in added:
        names.append(free_name(trip.trip_id, taken))
        taken.add(names[-1])
    like = np.array([trip.like for trip in added], np.int64)
    blank: dict[str, Any] = {
        "trip_headsign": "",
        "trip_short_name": "",
        "block_id": "",
        "wheelchair_accessible": 0,
        "source": 0 if feed.sources else -1,
    }
    content: dict[str, Any] = {}
    models, at = feed.trips.iloc[like[like >= 0]], np.cumsum(like >= 0) - 1
    for column in feed.trips.columns:
        own = models[column].to_numpy()
        content[column] = [own[at[k]] if row >= 0 else blank.get(column, "") for k, row in enumerate(like)]
    content["trip_id"] = names
    content["route"] = [trip.route for trip in added]
    content["service"] = [trip.service for trip in added]
    content["direction_id"] = [trip.direction for trip in added]
    content["shape"] = [trip.shape for trip in added]
    content["trip_headsign"] = [
        content["trip_headsign"][k] if trip.headsign is None else trip.headsign for k, trip in enumerate(added)
    ]
    content["block_id"] = [content["block_id"][k] if trip.keep_block else "" for k, trip in enumerate(added)]
    return pd.DataFrame(content)


def _mapped(table: pd.DataFrame, columns: Sequence[str], new_row: NDArray[np.int64]) -> pd.DataFrame:
    """The table with new numbers of rows in some columns; -1 stays."""
    if not len(table):
        return table
    made = {}
    for column in columns:
        old = table[column].to_numpy()
        made[column] = np.where(old >= 0, new_row[np.maximum(old, 0)], -1).astype(old.dtype)
    return table.assign(**made)


def _renumbered(table: pd.DataFrame, columns: Sequence[str], new_row: NDArray[np.int64]) -> pd.DataFrame:
    """The rows whose trips are still there, with the new numbers of those trips."""
    if not len(table):
        return table
    made = _mapped(table, columns, new_row)
    keep = np.ones(len(table), bool)
    for column in columns:
        keep &= (table[column].to_numpy() < 0) | (made[column].to_numpy() >= 0)
    return made if keep.all() else made[keep].reset_index(drop=True)


def split_days(feed: Feed, trips: NDArray[np.int64], days: DaySet, prefix: str) -> tuple[Feed, NDArray[np.int64]]:
    """Make each of the trips run either on dates of ``days`` or on others; and the rows of the former.

    A trip whose service runs on both kinds of date keeps its id on the other dates; a copy, with its frequencies and
    transfer rules, runs on the dates of ``days``.
    """
    if days.every_day or not len(trips):
        return feed, trips
    edit = CalendarEdit.of(feed.calendar)
    service = feed.trips["service"].to_numpy()
    parts = {int(s): split_service(edit, int(s), days, prefix) for s in np.unique(service[trips]) if s >= 0}
    inside = np.array([t for t in trips if parts[int(service[t])][1] == -1], np.int64)
    torn = np.array([t for t in trips if -1 not in parts[int(service[t])]], np.int64)
    if not len(torn):
        return feed, inside
    feed = replace(feed, calendar=edit.build())
    moved = feed.trips.copy()
    new_service = service.copy()
    new_service[torn] = [parts[int(service[t])][1] for t in torn]
    moved["service"] = new_service
    feed = replace(feed, trips=moved)
    feed, copies = copy_trips(
        feed, torn, [parts[int(service[t])][0] for t in torn], f"{COPY_MARK}{days.key.replace(' ', '-')}"
    )
    return feed, np.concatenate([inside, copies])


def copy_trips(
    feed: Feed, trips: NDArray[np.int64], services: Sequence[int], suffix: str
) -> tuple[Feed, NDArray[np.int64]]:
    """Copies of trips in other services at the end of the feed, and their rows."""
    table = feed.trips
    added = [
        NewTrip(
            f"{table['trip_id'].iat[t]}{suffix}",
            int(table["route"].iat[t]),
            service,
            TripCalls.of(feed, int(t)),
            int(table["direction_id"].iat[t]),
            int(t),
            shape=int(table["shape"].iat[t]),
            keep_block=True,
        )
        for t, service in zip(trips.tolist(), services, strict=True)
    ]
    n = len(feed.trips)
    feed = edit_trips(feed, added=added)
    rows = np.arange(n, n + len(added))
    copy_of = dict(zip(trips.tolist(), rows.tolist(), strict=True))
    return (
        replace(
            feed,
            frequencies=_with_copies(entries_of(feed), ["trip"], copy_of),
            transfers=_with_copies(feed.transfers, ["from_trip", "to_trip"], copy_of),
        ),
        rows,
    )


def _with_copies(table: pd.DataFrame, columns: Sequence[str], copy_of: Mapping[int, int]) -> pd.DataFrame:
    """The table with its rows about copied trips repeated for the copies."""
    if not len(table):
        return table
    parts = [table]
    for column in columns:
        # Each column in turn over all rows so far, so that a rule between two copied trips holds for every pairing.
        so_far = pd.concat(parts, ignore_index=True)
        hit = so_far[column].isin(list(copy_of)).to_numpy()
        if hit.any():
            copies = so_far[hit].copy()
            copies[column] = copies[column].map(copy_of).astype(table[column].dtype)
            parts.append(copies)
    return with_rows(*parts)


def shift_frequencies(feed: Feed, replaced: Mapping[int, TripCalls]) -> pd.DataFrame:
    """Frequencies of trips that get other calls: they start as much earlier or later as the first departure moves."""
    if not np.isin(feed.frequencies["trip"].to_numpy(), list(replaced)).any():
        return feed.frequencies
    table = entries_of(feed)
    trips = table["trip"].to_numpy()
    first = feed.calls.departure_s[feed.calls.first[trips]]
    moved = [
        int(replaced[trip].departure_s[0]) - old if trip in replaced else 0
        for trip, old in zip(trips.tolist(), first.tolist(), strict=True)
    ]
    shift = np.array(moved, np.int32)
    return table.assign(**{name: table[name] + shift for name in ("origin_s", "start_s", "end_s")})


def add_stops(feed: Feed, ids: Sequence[str], names: Sequence[str], lon: Sequence[float], lat: Sequence[float]) -> Feed:
    """The feed with further stops, accessible like most new ones, at its end."""
    if not ids:
        return feed
    blank: dict[str, Any] = {"location_type": 0, "parent": -1, "wheelchair_boarding": 1}
    rows = pd.DataFrame({column: [blank.get(column, "")] * len(ids) for column in feed.stops.columns})
    rows["stop_id"], rows["stop_name"], rows["lon"], rows["lat"] = list(ids), list(names), list(lon), list(lat)
    return replace(feed, stops=with_rows(feed.stops, rows))


def add_route_row(feed: Feed, route_id: str, name: str, long_name: str, route_type: int, agency: int) -> Feed:
    """The feed with one more route at its end."""
    content: dict[str, Any] = dict.fromkeys(feed.routes.columns, "")
    content.update(
        route_id=route_id, agency=agency, route_short_name=name, route_long_name=long_name, route_type=route_type
    )
    return replace(feed, routes=with_rows(feed.routes, pd.DataFrame([content])))


def add_service(feed: Feed, service_id: str, days: DaySet, dates: Iterable[dt.date]) -> tuple[Feed, int]:
    """The feed with a service on all of those days that the timetable or ``dates`` (the study's) cover, and its row."""
    known = [*(feed_dates(feed.calendar) or ()), *dates]
    start, end = np.datetime64(min(known), "D"), np.datetime64(max(known), "D")
    edit = CalendarEdit.of(feed.calendar)
    exceptions = [(np.datetime64(date, "D"), date in days.added) for date in days.special()]
    row = edit.add(service_id, days.weekdays, (start, end), exceptions)
    return replace(feed, calendar=edit.build()), row


def add_shape(feed: Feed, shape_id: str, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> tuple[Feed, int]:
    """The feed with one more drawn course, and its row."""
    old = feed.shapes
    shapes = Shapes(
        np.concatenate([old.shape_id, np.array([shape_id], object)]),
        np.concatenate([old.first, [old.first[-1] + len(lon)]]),
        np.concatenate([old.lon, lon]),
        np.concatenate([old.lat, lat]),
        np.concatenate([old.distance, np.full(len(lon), np.nan)]),
    )
    return replace(feed, shapes=shapes), len(old.shape_id)


def without_leftovers(feed: Feed, before: Feed) -> Feed:
    """Without stops, routes, services and shapes that were added after ``before`` and that nothing uses any more.

    So withdrawing what was added gives back the feed as it was.
    """
    feed = _without_stops(feed, len(before.stops))
    feed = _without_routes(feed, len(before.routes))
    feed = _without_services(feed, len(before.calendar.service_id))
    return _without_shapes(feed, len(before.shapes.shape_id))


def _unused(n: int, n_before: int, *used: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of n rows were added after the first ``n_before`` and are not among those used (-1 is none)."""
    flags = np.arange(n) >= n_before
    for rows in used:
        flags[rows[rows >= 0]] = False
    return flags


def _numbers(unused: NDArray[np.bool_]) -> NDArray[np.int64]:
    """New row numbers of what stays."""
    return np.where(unused, -1, np.cumsum(~unused) - 1)


def _without_stops(feed: Feed, n_before: int) -> Feed:
    ends = ["from_stop", "to_stop"]
    unused = _unused(len(feed.stops), n_before, feed.calls.stop, feed.transfers[ends].to_numpy(np.int64))
    if not unused.any():
        return feed
    new_row = _numbers(unused)
    return replace(
        feed,
        stops=_mapped(feed.stops[~unused].reset_index(drop=True), ["parent"], new_row),
        calls=replace(feed.calls, stop=new_row[feed.calls.stop].astype(np.int32)),
        transfers=_mapped(feed.transfers, ends, new_row),
        pathways=_mapped(feed.pathways, ends, new_row),
    )


def _without_routes(feed: Feed, n_before: int) -> Feed:
    unused = _unused(len(feed.routes), n_before, feed.trips["route"].to_numpy())
    if not unused.any():
        return feed
    new_row = _numbers(unused)
    return replace(
        feed,
        routes=feed.routes[~unused].reset_index(drop=True),
        trips=_mapped(feed.trips, ["route"], new_row),
        transfers=_mapped(feed.transfers, ["from_route", "to_route"], new_row),
    )


def _without_services(feed: Feed, n_before: int) -> Feed:
    calendar = feed.calendar
    unused = _unused(len(calendar.service_id), n_before, feed.trips["service"].to_numpy())
    if not unused.any():
        return feed
    new_row = _numbers(unused)
    kept = ~unused[calendar.exception_service]
    return replace(
        feed,
        trips=_mapped(feed.trips, ["service"], new_row),
        calendar=Calendar(
            calendar.service_id[~unused],
            calendar.weekdays[~unused],
            calendar.start[~unused],
            calendar.end[~unused],
            new_row[calendar.exception_service[kept]].astype(np.int32),
            calendar.exception_date[kept],
            calendar.exception_added[kept],
        ),
    )


def _without_shapes(feed: Feed, n_before: int) -> Feed:
    shapes = feed.shapes
    unused = _unused(len(shapes.shape_id), n_before, feed.trips["shape"].to_numpy())
    if not unused.any():
        return feed
    length = np.diff(shapes.first)
    kept = np.repeat(~unused, length)
    return replace(
        feed,
        trips=_mapped(feed.trips, ["shape"], _numbers(unused)),
        shapes=Shapes(
            shapes.shape_id[~unused],
            np.concatenate([[0], np.cumsum(length[~unused])]).astype(np.int64),
            shapes.lon[kept],
            shapes.lat[kept],
            shapes.distance[kept],
        ),
    )
