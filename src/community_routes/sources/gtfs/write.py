"""Writes a feed as a GTFS zip that reads back the same; the same feed and date always give the same bytes."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from community_routes.base.errors import FeedError, as_path
from community_routes.base.files import new_file
from community_routes.base.times import format_time
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.service import entries_of, first_departures, phases_s
from community_routes.sources.gtfs.subset import keep_trips

_URL = "https://example.org"
_EARLIEST = dt.date(1980, 1, 1)


def write_feed(feed: Feed, path: Path, *, date_stamp: dt.date) -> None:
    """Write a feed as a zip, whole or not at all.

    Times that were filled in are written out like the others. Rows keep their order, so the file reads back to the same
    tables.

    Parameters
    ----------
    feed
        Any feed, also one that a scenario changed.
    path
        Where to; a file there is replaced.
    date_stamp
        The date of the files inside the zip, so that the bytes do not depend on the clock.

    Raises
    ------
    FeedError
        A time lies before the service date began; GTFS cannot say that.
    """
    write_zip(
        ((f"{name}.txt", csv_of(columns)) for name, columns in tables_of(feed).items()), path, date_stamp=date_stamp
    )


def write_zip(files: Iterable[tuple[str, bytes]], path: Path, *, date_stamp: dt.date) -> None:
    """Write files under their names as a zip, whole or not at all."""
    path = as_path(path)
    stamp = max(date_stamp, _EARLIEST)
    with new_file(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name, (stamp.year, stamp.month, stamp.day, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3  # the same on every system
            archive.writestr(info, content)


def tables_of(feed: Feed) -> dict[str, dict[str, Any]]:
    """The tables of GTFS, by name without ``.txt``, and their columns; without those that would be empty."""
    feed = _with_whole_entries(feed)
    tables = {
        "agency": _agencies(feed),
        "stops": _stops(feed),
        "routes": _routes(feed),
        "trips": _trips(feed),
        "stop_times": _calls(feed),
        "calendar": _weeks(feed),
        "calendar_dates": _exceptions(feed),
        "frequencies": _frequencies(feed),
        "transfers": _transfers(feed),
        "pathways": _pathways(feed),
        "shapes": _shapes(feed),
        **{name: {column: table[column] for column in table} for name, table in sorted(feed.fares.items())},
    }
    needed = {"agency", "stops", "routes", "trips", "stop_times", "calendar"}
    return {
        name: columns for name, columns in tables.items() if name in needed or len(next(iter(columns.values()), ()))
    }


def csv_of(columns: Mapping[str, Any]) -> bytes:
    """A table as CSV; missing numbers are blank."""
    buffer = io.BytesIO()
    buffer.write((",".join(columns) + "\n").encode())
    arrays = []
    for values in columns.values():
        if isinstance(values, pa.Array):
            arrays.append(values)
        else:
            arrays.append(pa.array(np.asarray(values), from_pandas=True))
    table = pa.table(arrays, names=[str(i) for i in range(len(arrays))])
    if len(table):
        pacsv.write_csv(table, buffer, pacsv.WriteOptions(include_header=False, quoting_style="needed"))
    return buffer.getvalue()


def _named(ids: Any, rows: Any) -> pa.Array:
    """The ids of rows; blank for -1."""
    names = pa.array([*ids, ""], pa.string())
    rows = np.asarray(rows, dtype=np.int64)
    return names.take(pa.array(np.where(rows < 0, len(names) - 1, rows)))


def _text(table: pd.DataFrame, column: str) -> pa.Array:
    """A text column, blank where a table made in memory lacks it."""
    if column not in table:
        return pa.array([""] * len(table), pa.string())
    return pa.array(table[column].to_numpy(dtype=object), pa.string())


def _blank_below_zero(values: Any) -> pa.Array:
    numbers = np.asarray(values)
    return pa.array(numbers, mask=numbers < 0)


def _clock(seconds: NDArray[Any]) -> pa.Array:
    distinct, codes = np.unique(seconds, return_inverse=True)
    if len(distinct) and distinct[0] < 0:
        raise FeedError(f"a time of {format_time(int(distinct[0]))} cannot be written; it lies before the service date")
    return pa.array([format_time(int(s)) for s in distinct], pa.string()).take(pa.array(codes.ravel()))


def _day(dates: NDArray[np.datetime64]) -> pa.Array:
    return pa.array([str(day).replace("-", "") for day in dates], pa.string())


def _agencies(feed: Feed) -> dict[str, Any]:
    table = feed.agencies
    urls = table["agency_url"].to_numpy(dtype=object) if "agency_url" in table else np.full(len(table), "", object)
    return {
        "agency_id": _text(table, "agency_id"),
        "agency_name": _text(table, "agency_name"),
        "agency_url": pa.array([url or _URL for url in urls], pa.string()),
        "agency_timezone": _text(table, "agency_timezone"),
    }


def _stops(feed: Feed) -> dict[str, Any]:
    table = feed.stops
    return {
        "stop_id": _text(table, "stop_id"),
        "stop_code": _text(table, "stop_code"),
        "stop_name": _text(table, "stop_name"),
        "stop_lat": table["lat"],
        "stop_lon": table["lon"],
        "zone_id": _text(table, "zone_id"),
        "location_type": table["location_type"],
        "parent_station": _named(table["stop_id"], table["parent"]),
        "wheelchair_boarding": table["wheelchair_boarding"],
        "platform_code": _text(table, "platform_code"),
    }


def _routes(feed: Feed) -> dict[str, Any]:
    table = feed.routes
    return {
        "route_id": _text(table, "route_id"),
        "agency_id": _named(feed.agencies["agency_id"], table["agency"]),
        "route_short_name": _text(table, "route_short_name"),
        "route_long_name": _text(table, "route_long_name"),
        "route_type": table["route_type"],
        "route_color": _text(table, "route_color"),
        **({"network_id": networks} if any((networks := _text(table, "network_id")).to_pylist()) else {}),
    }


def _trips(feed: Feed) -> dict[str, Any]:
    table = feed.trips
    return {
        "route_id": _named(feed.routes["route_id"], table["route"]),
        "service_id": _named(feed.calendar.service_id, table["service"]),
        "trip_id": _text(table, "trip_id"),
        "trip_headsign": _text(table, "trip_headsign"),
        "trip_short_name": _text(table, "trip_short_name"),
        "direction_id": _blank_below_zero(table["direction_id"]),
        "block_id": _text(table, "block_id"),
        "shape_id": _named(feed.shapes.shape_id, table["shape"]),
        "wheelchair_accessible": table["wheelchair_accessible"],
    }


def _calls(feed: Feed) -> dict[str, Any]:
    calls = feed.calls
    trip = np.repeat(np.arange(len(feed.trips)), np.diff(calls.first))
    return {
        "trip_id": _named(feed.trips["trip_id"], trip),
        "arrival_time": _clock(calls.arrival_s),
        "departure_time": _clock(calls.departure_s),
        "stop_id": _named(feed.stops["stop_id"], calls.stop),
        "stop_sequence": calls.sequence,
        "pickup_type": calls.pickup_type,
        "drop_off_type": calls.drop_off_type,
        "shape_dist_traveled": calls.distance,
    }


def _weeks(feed: Feed) -> dict[str, Any]:
    calendar = feed.calendar
    rows = np.flatnonzero(~np.isnat(calendar.start))
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return {
        "service_id": pa.array(calendar.service_id[rows], pa.string()),
        **{day: calendar.weekdays[rows, i].astype(np.int8) for i, day in enumerate(days)},
        "start_date": _day(calendar.start[rows]),
        "end_date": _day(calendar.end[rows]),
    }


def _exceptions(feed: Feed) -> dict[str, Any]:
    calendar = feed.calendar
    return {
        "service_id": _named(calendar.service_id, calendar.exception_service),
        "date": _day(calendar.exception_date),
        "exception_type": np.where(calendar.exception_added, 1, 2),
    }


def _with_whole_entries(feed: Feed) -> Feed:
    """The feed whose cut headway services begin where they leave at the same times by the same phase; without empty ones."""
    table = entries_of(feed)
    cut = (table["start_s"] > table["origin_s"]).to_numpy()
    if not cut.any():
        return feed
    start = np.where(cut, first_departures(feed) - phases_s(feed), table["start_s"])
    kept = start < table["end_s"].to_numpy()
    runs = np.ones(len(feed.trips), np.bool_)
    runs[table["trip"]] = False
    runs[table["trip"][kept]] = True
    table = table.assign(start_s=start)[kept].reset_index(drop=True)
    return keep_trips(replace(feed, frequencies=table), runs)


def _frequencies(feed: Feed) -> dict[str, Any]:
    table = feed.frequencies
    return {
        "trip_id": _named(feed.trips["trip_id"], table["trip"]),
        "start_time": _clock(table["start_s"].to_numpy()),
        "end_time": _clock(table["end_s"].to_numpy()),
        "headway_secs": table["headway_s"],
        "exact_times": table["exact_times"].astype(np.int8),
    }


def _transfers(feed: Feed) -> dict[str, Any]:
    table = feed.transfers
    ids = {"stop": feed.stops["stop_id"], "route": feed.routes["route_id"], "trip": feed.trips["trip_id"]}
    columns = {f"{end}_{kind}_id": _named(ids[kind], table[f"{end}_{kind}"]) for kind in ids for end in ("from", "to")}
    return {
        **columns,
        "transfer_type": table["transfer_type"],
        "min_transfer_time": _blank_below_zero(table["min_transfer_s"]),
    }


def _pathways(feed: Feed) -> dict[str, Any]:
    table = feed.pathways
    return {
        "pathway_id": pa.array([f"P{row + 1}" for row in range(len(table))], pa.string()),
        "from_stop_id": _named(feed.stops["stop_id"], table["from_stop"]),
        "to_stop_id": _named(feed.stops["stop_id"], table["to_stop"]),
        "pathway_mode": table["mode"],
        "is_bidirectional": table["both_ways"].astype(np.int8),
        "length": table["metres"],
        "traversal_time": table["traversal_s"],
    }


def _shapes(feed: Feed) -> dict[str, Any]:
    shapes = feed.shapes
    sizes = np.diff(shapes.first)
    shape = np.repeat(np.arange(len(sizes)), sizes)
    return {
        "shape_id": _named(shapes.shape_id, shape),
        "shape_pt_lat": shapes.lat,
        "shape_pt_lon": shapes.lon,
        "shape_pt_sequence": np.arange(len(shape)) - np.repeat(shapes.first[:-1], sizes) + 1,
        "shape_dist_traveled": shapes.distance,
    }
