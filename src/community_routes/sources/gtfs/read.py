"""Reads GTFS timetables: zips -> one checked :class:`Feed`, every fault found and named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.arrays import starts_by
from community_routes.base.errors import FeedError, UsageError, as_paths
from community_routes.base.files import hash_of_file
from community_routes.base.notices import Notice, declare, raise_on_errors
from community_routes.sources.gtfs import calls as gtfs_calls
from community_routes.sources.gtfs.blocks import read_blocks
from community_routes.sources.gtfs.columns import Findings, Index
from community_routes.sources.gtfs.duplicates import leave_out_duplicates
from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
from community_routes.sources.gtfs.rows import Clip, file_stems, join_feeds, keep_trips
from community_routes.sources.gtfs.schema import CALENDAR, CALENDAR_DATES, STOP_TIMES, TABLES, TRIPS
from community_routes.sources.gtfs.service import check_amount, read_calendar, read_frequencies, read_validity
from community_routes.sources.gtfs.stops import (
    check_all_places,
    read_agencies,
    read_pathways,
    read_stops,
    read_transfers,
)
from community_routes.sources.gtfs.trips import ReadTrips, join_shapes, read_fares, read_routes, read_shapes, read_trips
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
        findings = Findings(path.name)
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
        tables = _read_small_tables(archive, clip)
        if tables is None:
            return None
        feed = _read_calls(archive, tables, clip)
    return None if feed is None else replace(feed, content_hash=clip.content_hash(hash_of_file(path)))


@dataclass(frozen=True)
class _Tables:
    """The tables of a feed but for the long ones."""

    agencies: pd.DataFrame
    stops: pd.DataFrame
    stop_index: Index
    routes: pd.DataFrame
    route_index: Index
    calendar: Calendar
    trips: ReadTrips


def _read_small_tables(archive: Archive, clip: Clip) -> _Tables | None:
    complete = _has_tables(archive)
    agencies = read_agencies(archive) if "agency.txt" in archive else None
    stops = read_stops(archive) if "stops.txt" in archive else None
    if stops is not None and agencies is not None:
        check_all_places(stops[0], agencies, archive.findings)
    routes = read_routes(archive, agencies) if "routes.txt" in archive else None
    calendar = read_calendar(archive)
    refused = not complete or archive.findings.has_errors
    if refused or agencies is None or stops is None or routes is None or calendar is None:
        # The feed is refused anyway: name faults of the headings of the tables that were not read, too.
        for table in (TRIPS, STOP_TIMES):
            if table.file in archive:
                next(read_blocks(archive, table.heading_only), None)
        return None
    trips = read_trips(archive, routes[1], calendar[1])
    if trips is None:
        return None
    return _Tables(agencies, *stops, *routes, calendar[0], clip.trips_on_dates(trips, calendar[0]))


def _read_calls(archive: Archive, tables: _Tables, clip: Clip) -> Feed | None:
    """The long tables, joined to the others; ``None`` after an error (noted)."""
    trips, findings = tables.trips, archive.findings
    found = gtfs_calls.read_calls(archive, trips.index, tables.stop_index)
    frequencies, not_running = read_frequencies(archive, trips.index)
    if found is None:
        return None
    raw, flexible = found
    timed, runs = _mend(raw, flexible, tables, clip, findings)
    check_amount(frequencies, np.bincount(raw.trip, minlength=len(runs)), findings)
    runs[not_running] = False
    if not runs.any():
        _note_no_trips(clip, findings)
        return None
    fares, fare_rows = read_fares(archive, tables.routes)
    shapes = read_shapes(archive, set(trips.shape_id[runs]) - {""})
    join_shapes(trips.table, np.where(runs, trips.shape_id, ""), shapes, archive)
    calls = _finish(raw, timed, tables, shapes, findings)
    feed = Feed(
        agencies=tables.agencies,
        stops=mend_station_calls(tables.stops, calls, findings),
        routes=tables.routes,
        trips=trips.table,
        calls=calls,
        calendar=tables.calendar,
        frequencies=frequencies,
        transfers=read_transfers(archive, tables.stop_index, tables.route_index, trips.index),
        pathways=read_pathways(archive, tables.stop_index),
        shapes=shapes,
        fares=fares,
        fare_rows=fare_rows,
        sources=(findings.label,),
        valid=(read_validity(archive),),
    )
    feed = feed if runs.all() else keep_trips(feed, runs)
    if not clip.is_narrow:
        check_use(feed, findings)
        check_close_stops(feed.stops, findings)
        check_services(feed, findings)
        check_blocks(feed, trips.line[runs], findings)
    return clip.tables_in_use(feed)


def _mend(
    raw: gtfs_calls.RawCalls, flexible: NDArray[np.int32], tables: _Tables, clip: Clip, findings: Findings
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Sort and mend the calls in place; which calls are timed, and which trips have at least two calls."""
    ids = tables.trips.table["trip_id"].to_numpy(dtype=object)
    n_flexible = np.bincount(flexible, minlength=len(ids))
    never = np.bincount(raw.trip, minlength=len(ids)) == 0
    clip.calls_in_area(raw, tables.stops, len(ids))
    gtfs_calls.order_calls(raw, ids, findings)
    timed = gtfs_calls.mend_calls(raw, ids, findings)
    counts = np.bincount(raw.trip, minlength=len(ids))
    _note_flexible(n_flexible, counts, findings)
    usual = n_flexible == 0
    short = counts == 1 if clip.is_narrow else counts < 2
    for code, lost, why in (
        (gtfs_calls.TRIP_WITHOUT_CALLS, never & usual, "has no row in stop_times.txt"),
        (gtfs_calls.TRIP_TOO_SHORT, ~never & usual & short, "has fewer than two usable calls"),
    ):
        message = f"trip '{{value}}' {why}; it was left out"
        findings.rows(code, TRIPS.file, tables.trips.line[lost], message, field="trip_id", values=ids[lost])
    return timed, counts >= 2


def _finish(
    raw: gtfs_calls.RawCalls, timed: NDArray[np.bool_], tables: _Tables, shapes: Shapes, findings: Findings
) -> Calls:
    """Fill in blank times, and check the speeds that come of it."""
    trips = tables.trips.table
    places = tables.stops["lon"].to_numpy(), tables.stops["lat"].to_numpy()
    calls = _finish_calls(raw, timed, trips["shape"].to_numpy(), *places, shapes)
    blank = int(np.count_nonzero(~calls.timed))
    if blank:
        message = f"{blank:,} of {len(calls):,} calls had no time; it was filled in by distance between the timed calls"
        findings.add(gtfs_calls.TIMES_FILLED, STOP_TIMES.file, message=message, value=blank)
    route_type = tables.routes["route_type"].to_numpy()[trips["route"].to_numpy()]
    check_speeds(calls, raw.line, route_type, tables.stops, trips["trip_id"].to_numpy(dtype=object), findings)
    return calls


def _note_no_trips(clip: Clip, findings: Findings) -> None:
    if clip.is_narrow:
        message = "no trip lies in the area and runs on the dates asked for"
    else:
        message = "no trip has a route, a service and two calls with times; look at the warnings about trips and calls"
    findings.add(NO_TRIPS, "", message=message)


def _has_tables(archive: Archive) -> bool:
    findings = archive.findings
    missing = [table.file for table in TABLES.values() if table.needed and table.file not in archive]
    for file in missing:
        if not findings.has_error_in(file):  # else it is there, but cannot be read
            message = (
                f"{file} is not in {findings.label}; every GTFS feed needs it. Ask the publisher for the whole feed"
            )
            findings.add(TABLE_MISSING, file, message=message)
    dated = CALENDAR.file in archive or CALENDAR_DATES.file in archive
    if not dated:
        message = "there is neither calendar.txt nor calendar_dates.txt, so no trip has a date"
        findings.add(CALENDAR_MISSING, "", message=message)
    return dated and not missing


def _note_flexible(n_flexible: NDArray[np.int64], counts: NDArray[np.int64], findings: Findings) -> None:
    """Note once how many rows are flexible, and how many trips go with them for want of two other calls."""
    n = int(n_flexible.sum())
    if n:
        trips, lost = np.count_nonzero(n_flexible), np.count_nonzero((n_flexible > 0) & (counts < 2))
        message = (
            f"{n:,} rows of {trips:,} trips are flexible: they serve a zone, or a stop within hours instead of at a time, for "
            f"those who book. They were left out, and {lost:,} of the trips with them, which have fewer than two calls "
            "besides; add_drt in a proposal tells what such a service reaches"
        )
        findings.add(
            gtfs_calls.FLEXIBLE_SERVICE, STOP_TIMES.file, message=message, field="location_id", value=n, count=n
        )


def _finish_calls(
    calls: gtfs_calls.RawCalls,
    timed: NDArray[np.bool_],
    shape_of_trip: NDArray[np.int32],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    shapes: Shapes,
) -> Calls:
    """Fill in blank times and freeze."""
    n_trips = len(shape_of_trip)
    first = starts_by(calls.trip, n_trips)
    if not timed.all():
        from community_routes.sources.gtfs.positions import fill_gaps  # its kernel needs numba, which is slow to import

        fill_gaps(calls, first, timed, shape_of_trip, lon, lat, shapes)
    columns = {name: values for name, values in vars(calls).items() if name in Calls.__dataclass_fields__}
    return Calls(first=first, timed=timed, **columns)
