"""Narrows a feed while it is read: to the dates of a study, and to trips that call in its area."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.sources.gtfs.calls import RawCalls
from community_routes.sources.gtfs.columns import LEFT_OUT, index_of
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
from community_routes.sources.gtfs.schema import FRAMES
from community_routes.sources.gtfs.trips import ReadTrips


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
    first = np.concatenate([[0], np.cumsum(sizes[keep])]).astype(np.int64)
    return {name: first if name == "first" else values[rows] for name, values in columns.items()}
