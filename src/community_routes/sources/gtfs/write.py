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
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from community_routes.base.errors import FeedError, as_path
from community_routes.base.files import new_file
from community_routes.base.times import format_time
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.rows import keep_trips
from community_routes.sources.gtfs.schema import AGENCY, DAYS, FRAMES, PATHWAYS, ROUTES, TABLES, Column, Table
from community_routes.sources.gtfs.service import entries_of, first_departures, phases_s

_URL = "https://example.org"
_EARLIEST = dt.date(1980, 1, 1)
_ALWAYS = {"calendar", *(table.name for table in TABLES.values() if table.needed)}
"""Tables that are written though they are empty."""


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
    held = {table.name: dict(getattr(feed, table.held)) for table in FRAMES} | _arrays(feed)
    tables = {table.name: _columns(feed, table, held[table.name]) for table in TABLES.values() if table.name in held}
    tables |= {name: dict(table) for name, table in sorted(feed.fares.items())}
    return {
        name: columns for name, columns in tables.items() if name in _ALWAYS or len(next(iter(columns.values()), ()))
    }


def _arrays(feed: Feed) -> dict[str, dict[str, Any]]:
    """What stands in arrays, as tables whose columns are named as in the schema."""
    calls, calendar, shapes = feed.calls, feed.calendar, feed.shapes
    weeks = np.flatnonzero(~np.isnat(calendar.start))
    sizes = np.diff(shapes.first)
    shape = np.repeat(np.arange(len(sizes)), sizes)
    return {
        "stop_times": {**vars(calls), "trip": np.repeat(np.arange(len(feed.trips)), np.diff(calls.first))},
        "calendar": {
            "service_id": calendar.service_id[weeks],
            **dict(zip(DAYS, calendar.weekdays[weeks].T, strict=True)),
            "start": calendar.start[weeks],
            "end": calendar.end[weeks],
        },
        "calendar_dates": {
            "service": calendar.exception_service,
            "date": calendar.exception_date,
            "kind": np.where(calendar.exception_added, 1, 2),
        },
        "shapes": {
            **vars(shapes),
            "shape": shape,
            "sequence": np.arange(len(shape)) - np.repeat(shapes.first[:-1], sizes) + 1,
        },
    }


def _columns(feed: Feed, table: Table, held: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a table in the order of the schema, as they are written."""
    if table is PATHWAYS:
        held = {**held, "pathway_id": [f"P{row + 1}" for row in range(len(feed.pathways))]}
    blank = [""] * len(next(iter(held.values()), ()))  # for a column that a table made in memory lacks
    columns = {c.name: _cells(feed, c, held.get(c.held, blank)) for c in table.columns if c.held}
    if table is AGENCY:
        columns["agency_url"] = pa.array([url or _URL for url in columns["agency_url"].to_pylist()], pa.string())
    if table is ROUTES and not any(columns["network_id"].to_pylist()):
        del columns["network_id"]
    return columns


def _cells(feed: Feed, column: Column, values: Any) -> Any:
    """A column of a feed as it is written."""
    if column.kind in ("text", "id", "unread"):
        return pa.array(np.asarray(values, dtype=object), pa.string())
    if column.kind == "row":
        return _named(feed.ids(column.of), values)
    if column.kind == "flag":
        return np.asarray(values).astype(np.int8)
    if column.kind == "clock":
        return _clock(np.asarray(values))
    if column.kind == "date":
        return pa.array([str(day).replace("-", "") for day in values], pa.string())
    return _blank_below_zero(values) if column.blank < 0 and column.kind == "whole" else values


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


def _blank_below_zero(values: Any) -> pa.Array:
    numbers = np.asarray(values)
    return pa.array(numbers, mask=numbers < 0)


def _clock(seconds: NDArray[Any]) -> pa.Array:
    distinct, codes = np.unique(seconds, return_inverse=True)
    if len(distinct) and distinct[0] < 0:
        raise FeedError(f"a time of {format_time(int(distinct[0]))} cannot be written; it lies before the service date")
    return pa.array([format_time(int(s)) for s in distinct], pa.string()).take(pa.array(codes.ravel()))


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
