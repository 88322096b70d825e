"""Reads GTFS timetables: zips -> one checked :class:`Feed`, every fault found and named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import FeedError, UsageError, as_paths
from community_routes.base.files import hash_of_file
from community_routes.base.notices import Notice, declare, raise_on_errors
from community_routes.sources.gtfs import (
    calls as gtfs_calls,
)
from community_routes.sources.gtfs import (
    positions,
)
from community_routes.sources.gtfs import (
    service as gtfs_calendar,
)
from community_routes.sources.gtfs import (
    stops as gtfs_places,
)
from community_routes.sources.gtfs import (
    trips as gtfs_trips,
)
from community_routes.sources.gtfs.blocks import read_blocks
from community_routes.sources.gtfs.duplicates import leave_out_duplicates
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
from community_routes.sources.gtfs.findings import Findings
from community_routes.sources.gtfs.join import file_stems, join_feeds
from community_routes.sources.gtfs.service import check_amount, read_frequencies
from community_routes.sources.gtfs.subset import Clip, keep_trips
from community_routes.sources.gtfs.whole import (
    check_blocks,
    check_close_stops,
    check_services,
    check_speeds,
    check_time_zones,
    check_use,
    mend_station_calls,
)
from community_routes.sources.gtfs.write import write_feed
from community_routes.sources.gtfs.zip import Archive, open_archive

__all__ = ["read_feed", "write_feed"]

TABLE_MISSING = declare("table_missing", "error", "A table that every feed needs is not in the zip.")
CALENDAR_MISSING = declare("calendar_missing", "error", "The zip has neither calendar.txt nor calendar_dates.txt.")
NO_TRIPS = declare("no_usable_trips", "error", "No trip of the feed can be used, so there is nothing to ride.")

_NEEDED = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")


def read_feed(
    paths: str | Path | Sequence[str | Path],
    *,
    notices: list[Notice] | None = None,
    area: tuple[float, float, float, float] | None = None,
    dates: Sequence[dt.date] | None = None,
) -> Feed:
    """Read one GTFS zip, or several that are joined.

    Ids that occur in two of the feeds become ``<file stem>:<id>`` everywhere in both. Blank times between timed calls
    are filled in by ``shape_dist_traveled``, else by the distance along the drawn course where it passes the stops and by
    straight lines elsewhere, in whole seconds. What cannot be used is left out and noted.

    Parameters
    ----------
    paths
        The zips.
    notices
        Every finding is appended here, errors too.
    area : (west, south, east, north)
        In degrees. Of a feed that is larger than the study, only trips that call at a stop in the area are kept, whole,
        and only the stops of these trips.
    dates
        Only trips that run on one of these service dates, or on the day before or after, are kept.

    Returns
    -------
    Feed

    Raises
    ------
    FeedError
        With every error found, after all zips were looked at.
    """
    zips = as_paths(paths)
    if not zips:
        raise UsageError("no timetable was given")
    clip = Clip(area, tuple(dates) if dates is not None else None)
    found: list[Notice] = []
    feeds = []
    for path in zips:
        findings = Findings()
        feed = _read_one(path, clip, findings)
        found += findings.notices()
        if feed is not None:
            feeds.append(feed)
    across = Findings()
    check_time_zones(feeds, across)
    joined = None
    if len(feeds) == len(zips):
        joined = feeds[0] if len(feeds) == 1 else join_feeds(feeds, file_stems(zips))
        joined = leave_out_duplicates(joined, across)
    found += across.notices()
    if notices is not None:
        notices.extend(found)
    raise_on_errors(found, FeedError)
    if joined is None:  # a feed is missing only after an error
        raise FeedError("a timetable could not be read")
    return joined


def _read_one(path: Path, clip: Clip, findings: Findings) -> Feed | None:
    """One feed, or ``None`` after an error (noted)."""
    archive = open_archive(path, findings)
    if archive is None:
        return None
    with archive.archive:
        tables = _read_small_tables(archive, clip, findings)
        if tables is None:
            return None
        feed = _read_calls(archive, tables, clip, findings)
    return None if feed is None else replace(feed, content_hash=clip.content_hash(hash_of_file(path)))


@dataclass(frozen=True)
class _Tables:
    """The tables of a feed but for the long ones."""

    agencies: pd.DataFrame
    stops: pd.DataFrame
    stop_index: gtfs_places.Index
    routes: pd.DataFrame
    route_index: gtfs_places.Index
    calendar: Calendar
    trips: gtfs_trips.ReadTrips


def _read_small_tables(archive: Archive, clip: Clip, findings: Findings) -> _Tables | None:
    complete = _has_tables(archive, findings)
    agencies = gtfs_places.read_agencies(archive, findings) if "agency.txt" in archive else None
    stops = gtfs_places.read_stops(archive, findings) if "stops.txt" in archive else None
    if stops is not None and agencies is not None:
        gtfs_places.check_all_places(stops[0], agencies, archive, findings)
    routes = gtfs_trips.read_routes(archive, agencies, findings) if "routes.txt" in archive else None
    calendar = gtfs_calendar.read_calendar(archive, findings)
    refused = not complete or findings.has_errors
    if refused or agencies is None or stops is None or routes is None or calendar is None:
        _look_for_columns(archive, findings)
        return None
    trips = gtfs_trips.read_trips(archive, routes[1], calendar[1], findings)
    if trips is None:
        return None
    return _Tables(agencies, *stops, *routes, calendar[0], clip.trips_on_dates(trips, calendar[0]))


def _read_calls(archive: Archive, tables: _Tables, clip: Clip, findings: Findings) -> Feed | None:
    """The long tables, joined to the others; ``None`` after an error (noted)."""
    trips = tables.trips
    found = gtfs_calls.read_calls(archive, trips.index, tables.stop_index, findings)
    frequencies, not_running = read_frequencies(archive, trips.index, findings)
    if found is None:
        return None
    raw, flexible = found
    timed, runs = _mend(raw, flexible, archive, tables, clip, findings)
    check_amount(frequencies, np.bincount(raw.trip, minlength=len(runs)), archive.name_of("frequencies.txt"), findings)
    runs[not_running] = False
    if not runs.any():
        _note_no_trips(archive, clip, findings)
        return None
    fares, fare_rows = gtfs_trips.read_fares(archive, tables.routes, findings)
    shapes = positions.read_shapes(archive, set(trips.shape_id[runs]) - {""}, findings)
    positions.join_shapes(trips.table, np.where(runs, trips.shape_id, ""), shapes, archive, findings)
    calls = _finish(raw, timed, archive, tables, shapes, findings)
    feed = Feed(
        agencies=tables.agencies,
        stops=mend_station_calls(tables.stops, calls, archive.name_of("stop_times.txt"), findings),
        routes=tables.routes,
        trips=trips.table,
        calls=calls,
        calendar=tables.calendar,
        frequencies=frequencies,
        transfers=gtfs_places.read_transfers(archive, tables.stop_index, tables.route_index, trips.index, findings),
        pathways=gtfs_places.read_pathways(archive, tables.stop_index, findings),
        shapes=shapes,
        fares=fares,
        fare_rows=fare_rows,
        sources=(archive.label,),
        valid=(gtfs_calendar.read_validity(archive, findings),),
    )
    feed = feed if runs.all() else keep_trips(feed, runs)
    if not clip.is_narrow:
        check_use(feed, archive.label, findings)
        check_close_stops(feed.stops, archive.label, findings)
        check_services(feed, archive.label, findings)
        check_blocks(feed, trips.line[runs], archive.name_of("trips.txt"), findings)
    return clip.tables_in_use(feed)


def _mend(
    raw: gtfs_calls.RawCalls,
    flexible: NDArray[np.int32],
    archive: Archive,
    tables: _Tables,
    clip: Clip,
    findings: Findings,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Sort and mend the calls in place; which calls are timed, and which trips have at least two calls."""
    label = archive.name_of("stop_times.txt")
    ids = tables.trips.table["trip_id"].to_numpy(dtype=object)
    n_flexible = np.bincount(flexible, minlength=len(ids))
    never = np.bincount(raw.trip, minlength=len(ids)) == 0
    clip.calls_in_area(raw, tables.stops, len(ids))
    gtfs_calls.order_calls(raw, label, ids, findings)
    timed = gtfs_calls.mend_calls(raw, label, ids, findings)
    counts = np.bincount(raw.trip, minlength=len(ids))
    _note_flexible(archive, n_flexible, counts, findings)
    usual = n_flexible == 0
    _note_lost_trips(archive, tables.trips, np.where(usual, counts, 2), never & usual, clip, findings)
    return timed, counts >= 2


def _finish(
    raw: gtfs_calls.RawCalls,
    timed: NDArray[np.bool_],
    archive: Archive,
    tables: _Tables,
    shapes: Shapes,
    findings: Findings,
) -> Calls:
    """Fill in blank times, and check the speeds that come of it."""
    trips = tables.trips.table
    shape = trips["shape"].to_numpy()
    places = tables.stops["lon"].to_numpy(), tables.stops["lat"].to_numpy()
    calls = gtfs_calls.finish_calls(raw, timed, len(trips), shape, *places, shapes)
    _note_filled(archive, calls, findings)
    route_type = tables.routes["route_type"].to_numpy()[trips["route"].to_numpy()]
    ids = trips["trip_id"].to_numpy(dtype=object)
    check_speeds(calls, raw.line, route_type, tables.stops, ids, archive.name_of("stop_times.txt"), findings)
    return calls


def _note_no_trips(archive: Archive, clip: Clip, findings: Findings) -> None:
    if clip.is_narrow:
        message = "no trip lies in the area and runs on the dates asked for"
    else:
        message = "no trip has a route, a service and two calls with times; look at the warnings about trips and calls"
    findings.add(NO_TRIPS, archive.label, message=message)


def _has_tables(archive: Archive, findings: Findings) -> bool:
    complete = True
    for table in _NEEDED:
        if table not in archive:
            complete = False
            if findings.has_error_in(archive.name_of(table)):  # it is there, but cannot be read
                continue
            message = (
                f"{table} is not in {archive.label}; every GTFS feed needs it. Ask the publisher for the whole feed"
            )
            findings.add(TABLE_MISSING, archive.name_of(table), message=message)
    if "calendar.txt" not in archive and "calendar_dates.txt" not in archive:
        complete = False
        message = "there is neither calendar.txt nor calendar_dates.txt, so no trip has a date"
        findings.add(CALENDAR_MISSING, archive.label, message=message)
    return complete


def _look_for_columns(archive: Archive, findings: Findings) -> None:
    """Where the feed is refused anyway: name faults of the headings of the tables that were not read, too."""
    for table, required in (
        ("trips.txt", ("trip_id", "route_id", "service_id")),
        ("stop_times.txt", gtfs_calls.REQUIRED),
    ):
        if table in archive:
            next(read_blocks(archive, table, text=(), required=required, findings=findings), None)


def _note_lost_trips(
    archive: Archive,
    trips: gtfs_trips.ReadTrips,
    counts: NDArray[np.int64],
    never: NDArray[np.bool_],
    clip: Clip,
    findings: Findings,
) -> None:
    """Note trips with fewer than two calls; those without any in the file are of their own kind."""
    label = archive.name_of("trips.txt")
    ids = trips.table["trip_id"].to_numpy(dtype=object)
    at = np.flatnonzero(never)
    message = "trip '{value}' has no row in stop_times.txt; it was left out"
    findings.rows(gtfs_calls.TRIP_WITHOUT_CALLS, label, trips.line[at], message, field="trip_id", values=ids[at])
    short = counts == 1 if clip.is_narrow else counts < 2
    at = np.flatnonzero(~never & short)
    message = "trip '{value}' has fewer than two usable calls; it was left out"
    findings.rows(gtfs_calls.TRIP_TOO_SHORT, label, trips.line[at], message, field="trip_id", values=ids[at])


def _note_flexible(
    archive: Archive, n_flexible: NDArray[np.int64], counts: NDArray[np.int64], findings: Findings
) -> None:
    """Note once how many rows are flexible, and how many trips go with them for want of two other calls."""
    n = int(n_flexible.sum())
    if n:
        trips, lost = np.count_nonzero(n_flexible), np.count_nonzero((n_flexible > 0) & (counts < 2))
        message = (
            f"{n:,} rows of {trips:,} trips are flexible: they serve a zone, or a stop within hours instead of at a time, for "
            f"those who book. They were left out, and {lost:,} of the trips with them, which have fewer than two calls "
            "besides; add_drt in a proposal tells what such a service reaches"
        )
        label = archive.name_of("stop_times.txt")
        findings.add(gtfs_calls.FLEXIBLE_SERVICE, label, message=message, field="location_id", value=n)


def _note_filled(archive: Archive, calls: Calls, findings: Findings) -> None:
    blank = int(np.count_nonzero(~calls.timed))
    if blank:
        message = f"{blank:,} of {len(calls):,} calls had no time; it was filled in by distance between the timed calls"
        findings.add(gtfs_calls.TIMES_FILLED, archive.name_of("stop_times.txt"), message=message, value=blank)
