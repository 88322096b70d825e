"""Reads GTFS timetables: zips -> one checked :class:`Feed`, every fault found and named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.errors import FeedError, UsageError
from community_routes.notices import Notice, declare, raise_on_errors
from community_routes.sources import gtfs_calendar, gtfs_calls, gtfs_places, gtfs_trips
from community_routes.sources.feed import Calls, Feed
from community_routes.sources.gtfs_archive import Archive, hash_file, open_archive
from community_routes.sources.gtfs_findings import Findings
from community_routes.sources.gtfs_join import file_stems, join_feeds
from community_routes.sources.gtfs_tables import read_blocks
from community_routes.sources.gtfs_write import write_feed

__all__ = ["read_feed", "write_feed"]

TABLE_MISSING = declare("table_missing", "error", "A table that every feed needs is not in the zip.")
CALENDAR_MISSING = declare("calendar_missing", "error", "The zip has neither calendar.txt nor calendar_dates.txt.")
NO_TRIPS = declare("no_usable_trips", "error", "No trip of the feed can be used, so there is nothing to ride.")

_NEEDED = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")


def read_feed(paths: str | Path | Sequence[str | Path], *, notices: list[Notice] | None = None) -> Feed:
    """Read one GTFS zip, or several that are joined.

    Ids that occur in two of the feeds become ``<file stem>:<id>`` everywhere in both. Blank times between timed calls
    are filled in by ``shape_dist_traveled``, else by the distance along the drawn course, else by straight lines between
    the stops, in whole seconds. What cannot be used is left out and noted.

    Parameters
    ----------
    paths
        The zips.
    notices
        Every finding is appended here, errors too.

    Raises
    ------
    FeedError
        With every error found, after all zips were looked at.
    """
    zips = [Path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]
    if not zips:
        raise UsageError("no timetable was given")
    found: list[Notice] = []
    feeds = []
    for path in zips:
        findings = Findings()
        feed = _read_one(path, findings)
        found += findings.notices()
        if feed is not None:
            feeds.append(feed)
    if notices is not None:
        notices.extend(found)
    raise_on_errors(found, FeedError)
    return feeds[0] if len(feeds) == 1 else join_feeds(feeds, file_stems(zips))


def _read_one(path: Path, findings: Findings) -> Feed | None:
    """One feed, or ``None`` after an error (noted)."""
    archive = open_archive(path, findings)
    if archive is None:
        return None
    with archive.archive:
        return _read_tables(archive, hash_file(path), findings)


def _read_tables(archive: Archive, content_hash: str, findings: Findings) -> Feed | None:
    complete = _has_tables(archive, findings)
    agencies = gtfs_places.read_agencies(archive, findings) if "agency.txt" in archive else None
    stops = gtfs_places.read_stops(archive, findings) if "stops.txt" in archive else None
    nobody = pd.DataFrame({"agency_id": []})
    routes = (
        gtfs_trips.read_routes(archive, nobody if agencies is None else agencies, findings)
        if "routes.txt" in archive
        else None
    )
    calendar = gtfs_calendar.read_calendar(archive, findings)
    if not complete or agencies is None or stops is None or routes is None or calendar is None:
        _look_for_columns(archive, findings)
        return None
    trips = gtfs_trips.read_trips(archive, routes[1], calendar[1], findings)
    if trips is None:
        return None
    trip_table, trip_index, shape_ids = trips
    raw = gtfs_calls.read_calls(archive, trip_index, stops[1], np.ones(len(trip_table), np.bool_), findings)
    frequencies, not_running = gtfs_trips.read_frequencies(archive, trip_index, findings)
    shapes = gtfs_trips.read_shapes(archive, set(shape_ids) - {""}, findings)
    if raw is None:
        return None
    label = archive.name_of("stop_times.txt")
    ids = trip_table["trip_id"].to_numpy(dtype=object)
    gtfs_calls.order_calls(raw, label, ids, findings)
    timed = gtfs_calls.mend_calls(raw, label, ids, findings)
    gtfs_trips.join_shapes(trip_table, shape_ids, shapes, archive.name_of("trips.txt"), findings)
    calls = gtfs_calls.finish_calls(
        raw,
        timed,
        len(trip_table),
        trip_table["shape"].to_numpy(),
        stops[0]["lon"].to_numpy(),
        stops[0]["lat"].to_numpy(),
        shapes,
    )
    feed = Feed(
        agencies=agencies,
        stops=stops[0],
        routes=routes[0],
        trips=trip_table,
        calls=calls,
        calendar=calendar[0],
        frequencies=frequencies,
        transfers=gtfs_places.read_transfers(archive, stops[1], routes[1], trip_index, findings),
        pathways=gtfs_places.read_pathways(archive, stops[1], findings),
        shapes=shapes,
        fares=gtfs_trips.read_fares(archive, findings),
        sources=(archive.label,),
        content_hash=content_hash,
    )
    runs = np.diff(calls.first) >= 2
    runs[list(not_running)] = False
    _note_lost_trips(archive, ids, np.diff(calls.first), findings)
    _note_filled(archive, calls, findings)
    if not runs.any():
        message = "no trip has a route, a service and two calls with times; look at the warnings about trips and calls"
        findings.add(NO_TRIPS, archive.label, message=message)
        return None
    return feed if runs.all() else keep_trips(feed, runs)


def _has_tables(archive: Archive, findings: Findings) -> bool:
    complete = True
    for table in _NEEDED:
        if table not in archive:
            complete = False
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
    if "trips.txt" in archive:
        gtfs_trips.read_trips(archive, {}, {}, Findings())
        required = ("trip_id", "route_id", "service_id")
        next(read_blocks(archive, "trips.txt", text=(), required=required, findings=findings), None)
    if "stop_times.txt" in archive:
        next(
            read_blocks(archive, "stop_times.txt", text=(), required=gtfs_calls.REQUIRED, findings=findings),
            None,
        )


def _note_lost_trips(
    archive: Archive, ids: NDArray[np.object_], n_calls: NDArray[np.int64], findings: Findings
) -> None:
    for trip in np.flatnonzero(n_calls < 2):
        message = f"trip {ids[trip]!r} has fewer than two usable calls; it was left out"
        findings.add(
            gtfs_calls.TRIP_TOO_SHORT, archive.name_of("trips.txt"), message=message, field="trip_id", value=ids[trip]
        )


def _note_filled(archive: Archive, calls: Calls, findings: Findings) -> None:
    blank = int(np.count_nonzero(~calls.timed))
    if blank:
        message = f"{blank:,} of {len(calls):,} calls had no time; it was filled in by distance between the timed calls"
        findings.add(gtfs_calls.TIMES_FILLED, archive.name_of("stop_times.txt"), message=message, value=blank)


def keep_trips(feed: Feed, keep: NDArray[np.bool_]) -> Feed:
    """The feed with these trips only; rules for the others go, all other tables stay.

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
    from dataclasses import replace

    return replace(
        feed, trips=feed.trips[keep].reset_index(drop=True), calls=calls, frequencies=frequencies, transfers=transfers
    )
