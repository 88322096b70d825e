"""Routes, services, trips, frequencies, shapes and fare tables of a feed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.notices import declare
from community_routes.sources.feed import Shapes
from community_routes.sources.gtfs_archive import Archive
from community_routes.sources.gtfs_findings import Findings
from community_routes.sources.gtfs_places import Index, index_of, text_column, unique_rows
from community_routes.sources.gtfs_tables import Block, read_blocks, read_table
from community_routes.sources.gtfs_values import BLANK_S, BROKEN_S, seconds_of

UNKNOWN_AGENCY = declare(
    "unknown_agency", "warning", "A route names an agency that is not in agency.txt; it has none now."
)
UNKNOWN_ROUTE_TYPE = declare(
    "unknown_route_type", "warning", "route_type is neither basic nor extended; the route counts as bus."
)
TRIP_WITHOUT_ROUTE = declare(
    "trip_without_route", "warning", "A trip names a route that is not in routes.txt; it was left out."
)
TRIP_WITHOUT_SERVICE = declare(
    "trip_without_service", "warning", "A trip names a service without any date; it never runs and was left out."
)
UNKNOWN_SHAPE = declare("unknown_shape", "warning", "A trip names a shape that is not in shapes.txt; it has none now.")
BAD_FREQUENCY = declare(
    "bad_frequency", "warning", "A frequency has no usable times or no headway of at least a second; it was left out."
)
BAD_SHAPE_POINT = declare(
    "bad_shape_point", "warning", "A point of a shape has no usable place or order; it was left out."
)

FARE_TABLES = (
    "fare_attributes",
    "fare_rules",
    "fare_media",
    "fare_products",
    "fare_leg_rules",
    "fare_leg_join_rules",
    "fare_transfer_rules",
    "rider_categories",
    "timeframes",
    "areas",
    "stop_areas",
    "networks",
    "route_networks",
)
_BUS = 3


def known_route_type(kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Basic (0 to 7, 11, 12) and extended types (100 to 1799, the hierarchical vehicle types of European feeds)."""
    basic: NDArray[np.bool_] = ((kind >= 0) & (kind <= 7)) | (kind == 11) | (kind == 12)
    return basic | ((kind >= 100) & (kind < 1800))


def read_routes(archive: Archive, agencies: pd.DataFrame, findings: Findings) -> tuple[pd.DataFrame, Index] | None:
    """The routes in the order of the file, and the row of each id."""
    texts = ("route_id", "agency_id", "route_short_name", "route_long_name", "route_color")
    block = read_table(
        archive,
        "routes.txt",
        text=texts,
        numbers=("route_type",),
        required=("route_id", "route_type"),
        findings=findings,
    )
    if block is None:
        return None
    rows = unique_rows(block, "route_id", findings)
    kind = block.integers("route_type", -1, findings)
    odd = np.flatnonzero(~known_route_type(kind))
    findings.rows(
        UNKNOWN_ROUTE_TYPE,
        block.label,
        block.line[odd],
        "route_type is not in the GTFS reference; the route counts as bus",
        field="route_type",
        values=kind[odd],
    )
    kind[odd] = _BUS
    ids = block.strings("route_id")[rows]
    colour = np.array([_colour(c) for c in block.strings("route_color")[rows]], dtype=object)
    table = pd.DataFrame(
        {
            "route_id": text_column(ids),
            "agency": _agencies(block, agencies, findings)[rows],
            "route_short_name": text_column(block.strings("route_short_name")[rows]),
            "route_long_name": text_column(block.strings("route_long_name")[rows]),
            "route_type": kind[rows].astype(np.int32),
            "route_color": text_column(colour),
        }
    )
    return table, index_of(ids)


def _agencies(block: Block, agencies: pd.DataFrame, findings: Findings) -> NDArray[np.int32]:
    agency = block.look_up("agency_id", index_of(agencies["agency_id"].to_numpy()))
    if len(agencies) == 1:  # a lone agency needs no id
        agency[agency == -1] = 0
    lost = np.flatnonzero(agency < 0)
    findings.rows(
        UNKNOWN_AGENCY,
        block.label,
        block.line[lost],
        "agency_id '{value}' is not in agency.txt; the route counts as one without an agency",
        field="agency_id",
        values=block.strings("agency_id")[lost],
    )
    agency[lost] = -1
    return agency


def _colour(text: str) -> str:
    digits = text.removeprefix("#").upper()
    return digits if len(digits) == 6 and all(c in "0123456789ABCDEF" for c in digits) else ""


def read_trips(
    archive: Archive,
    routes: Mapping[str, int],
    services: Mapping[str, int],
    findings: Findings,
) -> tuple[pd.DataFrame, Index, NDArray[np.object_]] | None:
    """Trips that have a route and a service, the row of each id, and the shape id of each."""
    texts = ("trip_id", "route_id", "service_id", "trip_headsign", "trip_short_name", "block_id", "shape_id")
    block = read_table(
        archive,
        "trips.txt",
        text=texts,
        numbers=("direction_id", "wheelchair_accessible"),
        required=("trip_id", "route_id", "service_id"),
        findings=findings,
    )
    if block is None:
        return None
    rows = unique_rows(block, "trip_id", findings)
    route, service = block.look_up("route_id", routes), block.look_up("service_id", services)
    keep = np.zeros(len(block), np.bool_)
    keep[rows] = True
    for values, column, code, where in (
        (route, "route_id", TRIP_WITHOUT_ROUTE, "routes.txt"),
        (service, "service_id", TRIP_WITHOUT_SERVICE, "calendar.txt and calendar_dates.txt"),
    ):
        at = np.flatnonzero(keep & (values < 0))
        message = f"the trip's {column} is not in {where}; the trip was left out"
        findings.rows(code, block.label, block.line[at], message, field=column, values=block.strings(column)[at])
        keep[at] = False
    rows = np.flatnonzero(keep)
    direction = block.integers("direction_id", -1, findings, low=0, high=1)
    wheelchair = block.integers("wheelchair_accessible", 0, findings, low=0, high=2)
    ids = block.strings("trip_id")[rows]
    table = pd.DataFrame(
        {
            "trip_id": text_column(ids),
            "route": route[rows],
            "service": service[rows],
            "direction_id": direction[rows].astype(np.int8),
            "trip_headsign": text_column(block.strings("trip_headsign")[rows]),
            "trip_short_name": text_column(block.strings("trip_short_name")[rows]),
            "block_id": text_column(block.strings("block_id")[rows]),
            "shape": np.full(len(rows), -1, np.int32),
            "wheelchair_accessible": wheelchair[rows].astype(np.int8),
            "source": np.zeros(len(rows), np.int32),
        }
    )
    return table, index_of(ids), block.strings("shape_id")[rows]


def read_frequencies(archive: Archive, trips: Mapping[str, int], findings: Findings) -> tuple[pd.DataFrame, set[int]]:
    """Headway periods, and the trips all of whose periods were left out (they must not run as they stand)."""
    empty = pd.DataFrame({name: np.zeros(0, np.int32) for name in ("trip", "start_s", "end_s", "headway_s")})
    empty["exact_times"] = np.zeros(0, np.bool_)
    if "frequencies.txt" not in archive or not archive.members["frequencies.txt"].file_size:
        return empty, set()
    block = read_table(
        archive,
        "frequencies.txt",
        text=("trip_id", "start_time", "end_time"),
        numbers=("headway_secs", "exact_times"),
        required=("trip_id", "start_time", "end_time", "headway_secs"),
        findings=findings,
    )
    if block is None or not len(block):
        return empty, set()
    trip = block.look_up("trip_id", trips)
    start = seconds_of(block.text["start_time"].dictionary)[block.codes("start_time")[1]]
    end = seconds_of(block.text["end_time"].dictionary)[block.codes("end_time")[1]]
    headway = block.integers("headway_secs", 0, findings)
    good = np.ones(len(block), np.bool_)
    for wrong, column, why in (
        (trip < 0, "trip_id", "the trip is not in trips.txt"),
        ((start == BLANK_S) | (start == BROKEN_S), "start_time", "start_time is no clock time"),
        ((end == BLANK_S) | (end == BROKEN_S), "end_time", "end_time is no clock time"),
        (end <= start, "end_time", "end_time is not after start_time"),
        (headway <= 0, "headway_secs", "the headway is not above 0 seconds, so the number of trips has no limit"),
    ):
        at = np.flatnonzero(good & wrong)
        cells = block.strings(column) if column in block.text else headway
        message = f"{why}; the row was left out"
        findings.rows(BAD_FREQUENCY, block.label, block.line[at], message, field=column, values=cells[at])
        good[at] = False
    lost = set(trip[~good & (trip >= 0)].tolist()) - set(trip[good].tolist())
    table = pd.DataFrame(
        {
            "trip": trip,
            "start_s": start,
            "end_s": end,
            "headway_s": headway.astype(np.int32),
            "exact_times": block.integers("exact_times", 0, findings, low=0, high=1) == 1,
        }
    )
    return table[good].reset_index(drop=True), lost


def read_shapes(archive: Archive, used: set[str], findings: Findings) -> Shapes:
    """The shapes that trips use, in the order of the file, points in their order."""
    if "shapes.txt" not in archive or not archive.members["shapes.txt"].file_size or not used:
        return no_shapes()
    index: Index = {}
    columns = ("shape_pt_lon", "shape_pt_lat", "shape_pt_sequence", "shape_dist_traveled")
    parts: list[tuple[NDArray[Any], ...]] = []
    blocks = read_blocks(
        archive,
        "shapes.txt",
        text=("shape_id",),
        numbers=columns,
        required=("shape_id", *columns[:3]),
        findings=findings,
    )
    for block in blocks:
        for name in block.codes("shape_id")[0]:
            if name in used:
                index.setdefault(name, len(index))
        shape = block.look_up("shape_id", index)
        lon, lat, order, distance = (block.numbers[name] for name in columns)
        with np.errstate(invalid="ignore"):
            good = (np.abs(lat) <= 90) & (np.abs(lon) <= 180) & ~np.isnan(order)
        at = np.flatnonzero((shape >= 0) & ~good)
        message = "the point has no usable place or order; it was left out of its shape"
        findings.rows(BAD_SHAPE_POINT, block.label, block.line[at], message, field="shape_pt_lat")
        keep = (shape >= 0) & good
        parts.append(tuple(values[keep] for values in (shape, order, lon, lat, distance)))
    if not parts:
        return no_shapes()
    shape, order, lon, lat, distance = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    ordered = np.all((shape[1:] > shape[:-1]) | ((shape[1:] == shape[:-1]) & (order[1:] >= order[:-1])))
    if not ordered:
        rows = np.lexsort((order, shape))
        shape, lon, lat, distance = shape[rows], lon[rows], lat[rows], distance[rows]
    return _kept_shapes(list(index), shape, lon, lat, distance)


def _kept_shapes(
    ids: list[str],
    shape: NDArray[np.int32],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    distance: NDArray[np.float64],
) -> Shapes:
    """Shapes with at least one point, renumbered."""
    count = np.bincount(shape, minlength=len(ids))
    first = np.concatenate([[0], np.cumsum(count[count > 0])]).astype(np.int64)
    return Shapes(np.array(ids, dtype=object)[count > 0], first, lon, lat, distance)


def no_shapes() -> Shapes:
    """No drawn course at all."""
    return Shapes(np.zeros(0, object), np.zeros(1, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))


def join_shapes(
    trips: pd.DataFrame, shape_ids: NDArray[np.object_], shapes: Shapes, label: str, findings: Findings
) -> None:
    """Set the ``shape`` column, in place; a shape that is not there is noted once for each shape."""
    index = index_of(shapes.shape_id)
    rows = np.array([index.get(name, -1) for name in shape_ids], dtype=np.int32).reshape(-1)
    trips["shape"] = rows
    for name in dict.fromkeys(shape_ids[(rows < 0) & (shape_ids != "")]):
        message = f"shape {name!r} has no points in shapes.txt; its trips are drawn as straight lines"
        findings.add(UNKNOWN_SHAPE, label, message=message, field="shape_id", value=name)


def read_fares(archive: Archive, findings: Findings) -> dict[str, pd.DataFrame]:
    """The fare tables as text, by name without ``.txt``."""
    fares = {}
    for name in FARE_TABLES:
        table = f"{name}.txt"
        if table not in archive or not archive.members[table].file_size:
            continue
        block = read_table(archive, table, text=(), every_column=True, findings=findings)
        if block is not None:
            fares[name] = pd.DataFrame({column: text_column(block.strings(column)) for column in block.text})
    return fares
