"""Joins several timetables into one; an id that two of them use becomes ``<file stem>:<id>`` everywhere in both."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.sources.gtfs.feed import Calendar, Calls, Feed, Shapes
from community_routes.sources.gtfs.trips import PRICED

FARE_KIND = {
    "agency_id": "agency",
    "route_id": "route",
    "stop_id": "stop",
    "service_id": "service",
    "fare_id": "fare",
    "origin_id": "zone",
    "destination_id": "zone",
    "contains_id": "zone",
    "fare_media_id": "fare_media",
    "fare_product_id": "fare_product",
    "rider_category_id": "rider_category",
    "leg_group_id": "leg_group",
    "from_leg_group_id": "leg_group",
    "to_leg_group_id": "leg_group",
    "timeframe_group_id": "timeframe",
    "from_timeframe_group_id": "timeframe",
    "to_timeframe_group_id": "timeframe",
    "area_id": "area",
    "from_area_id": "area",
    "to_area_id": "area",
    "network_id": "network",
    "from_network_id": "network",
    "to_network_id": "network",
}
"""What the ids in the columns of fare tables are ids of."""

Rename = Callable[[str, Iterable[str]], list[str]]


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
    offsets = {
        name: np.concatenate([[0], np.cumsum([len(getattr(f, name)) for f in feeds])[:-1]])
        for name in ("agencies", "stops", "routes", "trips")
    }
    shape_offset = np.concatenate([[0], np.cumsum([len(f.shapes.shape_id) for f in feeds])[:-1]])
    shifts = [
        {
            "agency": _shift(offsets["agencies"][i]),
            "parent": _shift(offsets["stops"][i]),
            "from_stop": _shift(offsets["stops"][i]),
            "to_stop": _shift(offsets["stops"][i]),
            "route": _shift(offsets["routes"][i]),
            "from_route": _shift(offsets["routes"][i]),
            "to_route": _shift(offsets["routes"][i]),
            "trip": _shift(offsets["trips"][i]),
            "from_trip": _shift(offsets["trips"][i]),
            "to_trip": _shift(offsets["trips"][i]),
            "shape": _shift(shape_offset[i]),
            "service": service_rows[i].__getitem__,
            "source": _shift(sum(len(f.sources) for f in feeds[:i])),
        }
        for i in range(len(feeds))
    ]
    ids = {
        "agencies": {"agency_id": "agency"},
        "stops": {"stop_id": "stop", "zone_id": "zone"},
        "routes": {"route_id": "route", "network_id": "network"},
        "trips": {"trip_id": "trip", "block_id": "block"},
    }
    tables = {
        name: pd.concat(
            [_joined_part(getattr(f, name), ids.get(name, {}), renames[i], shifts[i]) for i, f in enumerate(feeds)],
            ignore_index=True,
        )
        for name in ("agencies", "stops", "routes", "trips", "frequencies", "transfers", "pathways")
    }
    return Feed(
        calls=_join_calls([f.calls for f in feeds], offsets["stops"]),
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
    columns: list[tuple[str, Iterable[str]]] = [
        ("agency", feed.agencies["agency_id"]),
        ("stop", feed.stops["stop_id"]),
        ("route", feed.routes["route_id"]),
        ("trip", feed.trips["trip_id"]),
        ("service", feed.calendar.service_id),
        ("shape", feed.shapes.shape_id),
        ("block", (b for b in feed.trips["block_id"].unique() if b)),
    ]
    if "zone_id" in feed.stops:
        columns.append(("zone", (z for z in feed.stops["zone_id"].unique() if z)))
    if "network_id" in feed.routes:
        columns.append(("network", (n for n in feed.routes["network_id"].unique() if n)))
    for table in feed.fares.values():
        columns += [
            (FARE_KIND[column], (v for v in table[column].unique() if v)) for column in table if column in FARE_KIND
        ]
    for kind, names in columns:
        for name in names:
            yield kind, name


def _shift(offset: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    return lambda rows: np.where(rows < 0, rows, rows + offset)


def _joined_part(
    table: pd.DataFrame, ids: dict[str, str], rename: Rename, shifts: dict[str, Callable[[NDArray[Any]], NDArray[Any]]]
) -> pd.DataFrame:
    part = table.copy()
    for column, kind in ids.items():
        if column in part:
            part[column] = pd.Series(rename(kind, part[column]), dtype="str")
    for column, shift in shifts.items():
        if column in part:
            part[column] = shift(part[column].to_numpy()).astype(np.int32)
    return part


def _join_calls(calls: Sequence[Calls], stop_offset: NDArray[np.int64]) -> Calls:
    rest = {
        name: np.concatenate([getattr(part, name) for part in calls]) for name in list(Calls.__dataclass_fields__)[2:]
    }
    stop = np.concatenate([part.stop + offset for part, offset in zip(calls, stop_offset, strict=True)])
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
            kinds = {column: FARE_KIND[column] for column in table if column in FARE_KIND}
            parts.append(_joined_part(table, kinds, rename, {}))
        joined[name] = pd.concat(parts, ignore_index=True).fillna("")
    return joined
