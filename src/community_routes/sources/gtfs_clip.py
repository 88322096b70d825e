"""Narrows a feed while it is read: to the dates of a study, and to trips that call in its area."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.sources.feed import Calendar, Feed
from community_routes.sources.gtfs_calls import RawCalls
from community_routes.sources.gtfs_tables import LEFT_OUT
from community_routes.sources.gtfs_trips import ReadTrips


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
