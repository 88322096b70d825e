"""Rows of feeds: those of several are joined into one, some are kept; whatever names them follows.

An id that two of several feeds use becomes ``<file stem>:<id>`` everywhere in both. A feed is narrowed while it is read,
to the dates of a study and to trips that call in its area, or afterwards to some of its trips.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.arrays import starts_of
from community_routes.sources.gtfs.calls import RawCalls
from community_routes.sources.gtfs.columns import LEFT_OUT, index_of
from community_routes.sources.gtfs.feed import KIND_HELD, Calendar, Calls, Feed, Shapes
from community_routes.sources.gtfs.schema import FRAMES, KIND_IN_FARES, PRICED, Table
from community_routes.sources.gtfs.trips import ReadTrips

Rename = Callable[[str, Iterable[str]], list[str]]
Shift = Callable[[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True)
class Clip:
    """What is wanted of a feed.

    Attributes
    ----------
    area : (west, south, east, north) in degrees, or None
        A trip that calls at a stop in it is kept whole.
    dates : tuple of dates, or None
        A trip that runs on one of them, or the day before or after, is kept.
    """

    area: tuple[float, float, float, float] | None = None
    dates: tuple[dt.date, ...] | None = None

    @property
    def is_narrow(self) -> bool:
        """Whether anything is clipped at all."""
        return self.area is not None or self.dates is not None

    def content_hash(self, of_file: str) -> str:
        """The hash of a file, and of what was taken from it."""
        if not self.is_narrow:
            return of_file
        return hashlib.sha256(f"{of_file} {self.area} {self.dates}".encode()).hexdigest()

    def trips_on_dates(self, trips: ReadTrips, calendar: Calendar) -> ReadTrips:
        """The trips that run near one of the dates; the others count as left out."""
        if self.dates is None:
            return trips
        active = np.zeros(len(calendar.service_id), np.bool_)
        for date in self.dates:
            for days in (-1, 0, 1):
                active |= calendar.active(date + dt.timedelta(days=days))
        keep = active[trips.table["service"].to_numpy()]
        ids = trips.table["trip_id"].to_numpy(dtype=object)
        index = {**trips.index} | dict.fromkeys(ids[~keep], LEFT_OUT) | index_of(ids[keep])
        table = trips.table[keep].reset_index(drop=True)
        return ReadTrips(table, index, trips.shape_id[keep], trips.line[keep])

    def calls_in_area(self, calls: RawCalls, stops: pd.DataFrame, n_trips: int) -> None:
        """Leave only the calls of trips with one in the area, in place."""
        if self.area is None:
            return
        west, south, east, north = self.area
        lon, lat = stops["lon"].to_numpy(), stops["lat"].to_numpy()
        with np.errstate(invalid="ignore"):
            inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        touches = np.zeros(n_trips, np.bool_)
        touches[calls.trip[inside[calls.stop]]] = True
        calls.take(touches[calls.trip])

    def tables_in_use(self, feed: Feed) -> Feed:
        """The feed without the stops that none of its trips, their stations and their pathways need."""
        if not self.is_narrow:
            return feed
        keep = np.zeros(len(feed.stops), np.bool_)
        keep[feed.calls.stop] = True
        parent = feed.stops["parent"].to_numpy()
        keep[parent[keep & (parent >= 0)]] = True
        in_kept_station = (parent >= 0) & keep[parent]
        keep |= in_kept_station & (feed.stops["location_type"].to_numpy() > 1)
        return keep_rows(feed, "stop", keep)


def keep_trips(feed: Feed, keep: NDArray[np.bool_]) -> Feed:
    """The feed with these trips only; headways and transfer rules of the others go, and shapes that no trip uses now.

    Parameters
    ----------
    keep : bool, shape (n_trips,)
    """
    feed = keep_rows(feed, "trip", keep)
    return keep_rows(feed, "shape", _used(feed, "shape"))


def without_unused(feed: Feed) -> Feed:
    """The feed without routes, agencies and services that none of its trips has (a region has thousands of them).

    Where the feed has tables of fares, which may name them, its routes and agencies stay.
    """
    feed = keep_rows(feed, "service", _used(feed, "service"))
    if feed.fares:
        return feed
    feed = keep_rows(feed, "route", _used(feed, "route"))
    agencies = _used(feed, "agency")
    return keep_rows(feed, "agency", agencies) if agencies.any() else feed


def _used(feed: Feed, kind: str) -> NDArray[np.bool_]:
    """Which agencies a route has, or which routes, services or shapes a trip."""
    rows = (feed.routes if kind == "agency" else feed.trips)[kind].to_numpy()
    used = np.zeros(len(feed.ids(kind)), np.bool_)
    used[rows[rows >= 0]] = True
    return used


def keep_rows(feed: Feed, kind: str, keep: NDArray[np.bool_]) -> Feed:
    """The feed with these agencies, stops, routes, trips, services or shapes only, all others numbered anew.

    A row of another table that names one that goes, goes with it; a stop whose station goes has none.

    Parameters
    ----------
    kind : str
        ``stop``, ``trip``, ...
    keep : bool, shape (n_rows,)
    """
    if keep.all():
        return feed
    new_row = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1).astype(np.int32)
    parts: dict[str, Any] = {}
    for table in FRAMES:
        frame: pd.DataFrame = getattr(feed, table.held)
        own, columns = table.kind == kind, table.rows_of(kind)
        rows = keep if own else np.ones(len(frame), np.bool_)
        for named in () if own else [frame[column].to_numpy() for column in columns]:
            rows = rows & ((named < 0) | (new_row[named] >= 0))
        if own or columns:
            frame = frame[rows].reset_index(drop=True)
            parts[table.held] = frame.assign(**{column: new_row[frame[column].to_numpy()] for column in columns})
    if kind == "trip":
        parts["calls"] = Calls(**_groups(vars(feed.calls), keep))
    elif kind == "stop":
        parts["calls"] = replace(feed.calls, stop=new_row[feed.calls.stop])
    elif kind == "shape":
        points = {name: values for name, values in vars(feed.shapes).items() if name != "shape_id"}
        parts["shapes"] = Shapes(shape_id=feed.shapes.shape_id[keep], **_groups(points, keep))
    elif kind == "service":
        week = {name: getattr(feed.calendar, name)[keep] for name in ("service_id", "weekdays", "start", "end")}
        dated = keep[feed.calendar.exception_service]
        parts["calendar"] = Calendar(
            **week,
            exception_service=new_row[feed.calendar.exception_service[dated]],
            exception_date=feed.calendar.exception_date[dated],
            exception_added=feed.calendar.exception_added[dated],
        )
    return replace(feed, **parts)


def _groups(columns: Mapping[str, NDArray[Any]], keep: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    """Columns of rows in groups, which ``first`` marks off, with these groups only."""
    sizes = np.diff(columns["first"])
    rows = np.repeat(keep, sizes)
    first = starts_of(sizes[keep])
    return {name: first if name == "first" else values[rows] for name, values in columns.items()}


def file_stems(paths: Sequence[Path]) -> list[str]:
    """File names without their endings; a name that comes again gets a number, so that all differ."""
    stems: list[str] = []
    for path in paths:
        stem, n = path.stem, 1
        while stem in stems:
            n += 1
            stem = f"{path.stem}-{n}"
        stems.append(stem)
    return stems


def join_feeds(feeds: Sequence[Feed], stems: Sequence[str]) -> Feed:
    """One feed of several; rows of each table follow in the order of the feeds.

    Parameters
    ----------
    feeds
        At least one.
    stems
        What a clashing id is marked with, one for each feed, all different.
    """
    renames = _renames(feeds, stems)
    calendar, service_rows = _join_calendars([f.calendar for f in feeds], renames)
    first = {kind: np.cumsum([0, *(len(f.ids(kind)) for f in feeds)]) for kind in (*KIND_HELD, "shape")}
    first["source"] = np.cumsum([0, *(len(f.sources) for f in feeds)])

    rows = [
        {kind: _shift(int(starts[i])) for kind, starts in first.items()} | {"service": service_rows[i].__getitem__}
        for i in range(len(feeds))
    ]
    tables = {
        table.held: pd.concat(
            [_part(table, getattr(f, table.held), renames[i], rows[i]) for i, f in enumerate(feeds)], ignore_index=True
        )
        for table in FRAMES
    }
    source = [f.trips["source"].to_numpy() + first["source"][i] for i, f in enumerate(feeds)]
    tables["trips"]["source"] = np.concatenate(source).astype(np.int32)
    return Feed(
        calls=_join_calls([f.calls for f in feeds], first["stop"][:-1]),
        calendar=calendar,
        shapes=_join_shapes([f.shapes for f in feeds], renames),
        fares=_join_fares(feeds, renames),
        fare_rows={
            name: pd.concat([f.fare_rows[name] for f in feeds if name in f.fare_rows], ignore_index=True)
            for name in PRICED
            if any(name in f.fare_rows for f in feeds)
        },
        valid=tuple(dates for f in feeds for dates in (f.valid or ((None, None),) * len(f.sources))),
        sources=tuple(source for f in feeds for source in f.sources),
        content_hash=hashlib.sha256("\n".join([*(f.content_hash for f in feeds), *stems]).encode()).hexdigest(),
        **tables,
    )


def _shift(offset: int) -> Shift:
    return lambda rows: np.where(rows < 0, rows, rows + offset)


def _part(table: Table, frame: pd.DataFrame, rename: Rename, rows: Mapping[str, Shift]) -> pd.DataFrame:
    """The rows of one feed as they stand in the joined one: ids renamed, row numbers of each kind moved."""
    moved = {
        c.held: rows[c.of](frame[c.held].to_numpy()).astype(np.int32)
        for c in table.columns
        if c.kind == "row" and c.held in frame
    }
    return _renamed(frame, {c.held: c.of for c in table.columns if c.kind == "id"}, rename).assign(**moved)


def _renames(feeds: Sequence[Feed], stems: Sequence[str]) -> list[Rename]:
    """For each feed, what its ids of a kind become."""
    used: Counter[tuple[str, str]] = Counter()
    for feed in feeds:
        used.update(set(ids_of(feed)))
    clashing = {key for key, n in used.items() if n > 1}

    def rename_with(stem: str) -> Rename:
        def rename(kind: str, names: Iterable[str]) -> list[str]:
            return [f"{stem}:{name}" if (kind, name) in clashing else name for name in names]

        return rename

    return [rename_with(stem) for stem in stems]


def ids_of(feed: Feed) -> Iterable[tuple[str, str]]:
    """The ids of a feed, each with what it is an id of."""
    for kind in ("service", "shape"):
        yield from ((kind, name) for name in feed.ids(kind))
    frames = [({c.name: c for c in table.columns}, table.key, getattr(feed, table.held)) for table in FRAMES]
    for columns, key, frame in frames:
        for column in frame:
            if column in columns and columns[column].kind == "id":
                blank = column in key  # the lone agency may have no id
                yield from ((columns[column].of, name) for name in frame[column].unique() if name or blank)
    for table in feed.fares.values():
        for column in table:
            if column in KIND_IN_FARES:
                yield from ((KIND_IN_FARES[column], name) for name in table[column].unique() if name)


def _renamed(table: pd.DataFrame, kinds: Mapping[str, str], rename: Rename) -> pd.DataFrame:
    """The table with the ids in its columns of these kinds as they are in the joined feed."""
    ids = {c: pd.Series(rename(kind, table[c]), dtype="str") for c, kind in kinds.items() if c in table}
    return table.assign(**ids)


def _join_calls(calls: Sequence[Calls], first_stop: NDArray[np.int64]) -> Calls:
    rest = {
        name: np.concatenate([getattr(part, name) for part in calls]) for name in list(Calls.__dataclass_fields__)[2:]
    }
    stop = np.concatenate([part.stop + offset for part, offset in zip(calls, first_stop, strict=True)])
    return Calls(first=_join_first([part.first for part in calls]), stop=stop, **rest)


def _join_first(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Where the groups of several tables begin when the tables stand one behind the other; one may have no group."""
    return np.append(0, np.cumsum(np.concatenate([np.diff(first) for first in parts]))).astype(np.int64)


def _join_calendars(
    calendars: Sequence[Calendar], renames: Sequence[Rename]
) -> tuple[Calendar, list[NDArray[np.int32]]]:
    """Services with a weekly pattern first, as in a feed that is read; and the new row of each old one."""
    sizes = np.cumsum([0, *(len(c.service_id) for c in calendars)])
    start = np.concatenate([c.start for c in calendars])
    order = np.argsort(np.isnat(start), kind="stable")
    new_row = np.empty(len(order), np.int32)
    new_row[order] = np.arange(len(order), dtype=np.int32)
    ids = np.array(
        [name for c, r in zip(calendars, renames, strict=True) for name in r("service", c.service_id)], object
    )
    rows = [new_row[sizes[i] : sizes[i + 1]] for i in range(len(calendars))]
    joined = Calendar(
        ids[order],
        np.concatenate([c.weekdays for c in calendars])[order],
        start[order],
        np.concatenate([c.end for c in calendars])[order],
        np.concatenate([rows[i][c.exception_service] for i, c in enumerate(calendars)]),
        np.concatenate([c.exception_date for c in calendars]),
        np.concatenate([c.exception_added for c in calendars]),
    )
    return joined, rows


def _join_shapes(shapes: Sequence[Shapes], renames: Sequence[Rename]) -> Shapes:
    return Shapes(
        np.array([name for s, r in zip(shapes, renames, strict=True) for name in r("shape", s.shape_id)], dtype=object),
        _join_first([s.first for s in shapes]),
        np.concatenate([s.lon for s in shapes]),
        np.concatenate([s.lat for s in shapes]),
        np.concatenate([s.distance for s in shapes]),
    )


def _join_fares(feeds: Sequence[Feed], renames: Sequence[Rename]) -> dict[str, pd.DataFrame]:
    joined = {}
    for name in dict.fromkeys(name for f in feeds for name in f.fares):
        parts = []
        for feed, rename in zip(feeds, renames, strict=True):
            if name not in feed.fares:
                continue
            table = feed.fares[name]
            if name == "fare_attributes" and len(feed.agencies) == 1:
                # beside other timetables a fare of no agency would hold on all of them
                own = str(feed.agencies["agency_id"].iat[0])
                given = table["agency_id"] if "agency_id" in table else pd.Series("", index=table.index)
                table = table.assign(agency_id=given.where(given != "", own))
            parts.append(_renamed(table, KIND_IN_FARES, rename))
        joined[name] = pd.concat(parts, ignore_index=True).fillna("")
    return joined
