"""Narrows a feed while it is read: to the dates of a study, and to trips that call in its area."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.sources.gtfs.blocks import LEFT_OUT
from community_routes.sources.gtfs.calls import RawCalls
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
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
        index = trips.index | dict.fromkeys(ids[~keep], LEFT_OUT) | {name: row for row, name in enumerate(ids[keep])}
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
        new_row = np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1).astype(np.int32)
        stops = feed.stops[keep].reset_index(drop=True)
        stops["parent"] = new_row[stops["parent"].to_numpy()]
        return replace(
            feed,
            stops=stops,
            calls=replace(feed.calls, stop=new_row[feed.calls.stop]),
            transfers=_renumbered(feed.transfers, keep, new_row),
            pathways=_renumbered(feed.pathways, keep, new_row),
        )


def _renumbered(table: pd.DataFrame, keep: NDArray[np.bool_], new_row: NDArray[np.int32]) -> pd.DataFrame:
    """Rules between stops that are kept (or between any, where none is named)."""
    a, b = table["from_stop"].to_numpy(), table["to_stop"].to_numpy()
    table = table[((a < 0) | keep[a]) & ((b < 0) | keep[b])].reset_index(drop=True)
    for column in ("from_stop", "to_stop"):
        table[column] = new_row[table[column].to_numpy()]
    return table


def keep_trips(feed: Feed, keep: NDArray[np.bool_]) -> Feed:
    """The feed with these trips only; headways and transfer rules of the others go, and shapes that no trip uses now.

    Parameters
    ----------
    keep : bool, shape (n_trips,)
    """
    new_row = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    sizes = np.diff(feed.calls.first)
    rows = np.repeat(keep, sizes)
    first = np.concatenate([[0], np.cumsum(sizes[keep])]).astype(np.int64)
    calls = Calls(first, *(getattr(feed.calls, name)[rows] for name in list(Calls.__dataclass_fields__)[1:]))
    frequencies = feed.frequencies[keep[feed.frequencies["trip"].to_numpy()]].reset_index(drop=True)
    frequencies["trip"] = new_row[frequencies["trip"].to_numpy()]
    transfers = feed.transfers
    for column in ("from_trip", "to_trip"):
        named = transfers[column].to_numpy()
        transfers = transfers[(named < 0) | keep[named]].reset_index(drop=True)
        named = transfers[column].to_numpy()
        transfers[column] = np.where(named < 0, -1, new_row[named]).astype(np.int32)
    trips = feed.trips[keep].reset_index(drop=True)
    shapes, trips["shape"] = _used_shapes(feed.shapes, trips["shape"].to_numpy())
    return replace(feed, trips=trips, calls=calls, frequencies=frequencies, transfers=transfers, shapes=shapes)


def _used_shapes(shapes: Shapes, shape_of_trip: NDArray[np.int32]) -> tuple[Shapes, NDArray[np.int32]]:
    """The shapes that are used, and their new rows by trip."""
    used = np.zeros(len(shapes.shape_id), np.bool_)
    used[shape_of_trip[shape_of_trip >= 0]] = True
    if used.all():
        return shapes, shape_of_trip
    sizes = np.diff(shapes.first)
    points = np.repeat(used, sizes)
    first = np.concatenate([[0], np.cumsum(sizes[used])]).astype(np.int64)
    kept = Shapes(shapes.shape_id[used], first, shapes.lon[points], shapes.lat[points], shapes.distance[points])
    new_row = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)
    return kept, new_row[shape_of_trip]


def without_unused(feed: Feed) -> Feed:
    """The feed without routes, agencies and services that none of its trips has (a region has thousands of them).

    Where the feed has tables of fares, which may name them, its routes and agencies stay.
    """
    feed = _used_services(feed)
    if feed.fares:
        return feed
    keep, new_row = _used(feed.trips["route"].to_numpy(), len(feed.routes))
    trips = feed.trips.copy()
    trips["route"] = new_row[trips["route"].to_numpy()]
    transfers = feed.transfers
    for column in ("from_route", "to_route"):
        named = transfers[column].to_numpy()
        transfers = transfers[(named < 0) | keep[named]].reset_index(drop=True)
        named = transfers[column].to_numpy()
        transfers[column] = np.where(named < 0, -1, new_row[named]).astype(np.int32)
    routes = feed.routes[keep].reset_index(drop=True)
    agency, new_agency = _used(routes["agency"].to_numpy(), len(feed.agencies))
    if agency.any():
        routes["agency"] = new_agency[routes["agency"].to_numpy()]
        feed = replace(feed, agencies=feed.agencies[agency].reset_index(drop=True))
    return replace(feed, trips=trips, routes=routes, transfers=transfers)


def _used_services(feed: Feed) -> Feed:
    calendar = feed.calendar
    keep, new_row = _used(feed.trips["service"].to_numpy(), len(calendar.service_id))
    dated = keep[calendar.exception_service]
    kept = Calendar(
        calendar.service_id[keep],
        calendar.weekdays[keep],
        calendar.start[keep],
        calendar.end[keep],
        new_row[calendar.exception_service[dated]],
        calendar.exception_date[dated],
        calendar.exception_added[dated],
    )
    trips = feed.trips.copy()
    trips["service"] = new_row[trips["service"].to_numpy()]
    return replace(feed, trips=trips, calendar=kept)


def _used(rows: NDArray[np.int32], n: int) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which of n rows are named, and their new numbers (-1, and for -1, where there is none)."""
    keep = np.zeros(n, np.bool_)
    keep[rows[rows >= 0]] = True
    return keep, np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1).astype(np.int32)
