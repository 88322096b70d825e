"""Routes, trips, shapes and fare tables of a feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.arrays import starts_of
from community_routes.base.notices import declare
from community_routes.sources.gtfs.blocks import read_blocks, read_optional, read_table
from community_routes.sources.gtfs.columns import LEFT_OUT, Block, Index, index_of
from community_routes.sources.gtfs.feed import Shapes
from community_routes.sources.gtfs.schema import CONTINUOUS, FARES, PRICED, ROUTES, SHAPES, TRIPS
from community_routes.sources.gtfs.zip import Archive

CONTINUOUS_IGNORED = declare(
    "continuous_ignored",
    "info",
    "Boarding or alighting between stops (continuous_pickup, continuous_drop_off) is ignored.",
)

NETWORKS_TWICE = declare(
    "networks_twice",
    "warning",
    "Networks of routes are stated in routes.txt and in route_networks.txt, which GTFS forbids; the latter holds.",
)
_EXTENDED = {
    1: 2,  # 1xx railways
    2: 3,  # 2xx coaches
    3: 2,  # 3xx suburban railways
    4: 1,  # 4xx urban railways, metros
    5: 1,  # 5xx metros
    6: 1,  # 6xx undergrounds
    7: 3,  # 7xx buses
    8: 11,  # 8xx trolleybuses
    9: 0,  # 9xx trams
    10: 4,  # 10xx water
    11: 1100,  # 11xx air has no basic type
    12: 4,  # 12xx ferries
    13: 6,  # 13xx cable cars in the air
    14: 7,  # 14xx funiculars
    15: 3,  # 15xx taxis
    16: 3,  # 16xx self-drive
    17: 3,  # 17xx miscellaneous
}


def basic_route_type(kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """The basic type (0 tram, 1 metro, 2 rail, 3 bus, 4 ferry, 5 cable tram, 6 aerial lift, 7 funicular, 11 trolleybus,
    12 monorail) that comes nearest to each type; extended types by their hundreds, air services 1100.
    """
    basic = np.asarray(kind, dtype=np.int64).copy()
    for hundreds, nearest in _EXTENDED.items():
        basic[(kind >= 100 * hundreds) & (kind < 100 * hundreds + 100)] = nearest
    basic[np.asarray(kind) == 405] = 12
    return basic


def read_routes(archive: Archive, agencies: pd.DataFrame | None) -> tuple[pd.DataFrame, Index] | None:
    """The routes in the order of the file, and the row of each id; ``None`` after an error (noted)."""
    block = read_table(archive, ROUTES)
    if block is None:
        return None
    note_continuous(block)
    rows = block.unique()
    colour = np.array([_colour(text) for text in block.strings("route_color", rows)], dtype=object)
    table = block.frame(rows, agency=_agencies(block, agencies)[rows], route_color=colour)
    return table, index_of(block.strings("route_id", rows))


def note_continuous(block: Block) -> None:
    """Note rows by which one may board or alight between stops (0, 2 and 3; 1 and blank are no)."""
    for column in CONTINUOUS:
        values = block.numbers[column]
        message = f"{column} {{value}} lets people on or off between stops; this is ignored, only stops count"
        block.note(CONTINUOUS_IGNORED, np.isin(values, (0, 2, 3)), column, message, values)


def _agencies(block: Block, agencies: pd.DataFrame | None) -> NDArray[np.int32]:
    if agencies is None:  # its absence has been noted
        return np.full(len(block), -1, np.int32)
    agency = block.look_up("agency_id", index_of(agencies["agency_id"].to_numpy()))
    if len(agencies) == 1:  # a lone agency needs no id
        agency[agency == -1] = 0
    block.fault("agency_id", agency < 0)
    return np.maximum(agency, -1)


def _colour(text: str) -> str:
    digits = text.removeprefix("#").upper()
    return digits if len(digits) == 6 and all(c in "0123456789ABCDEF" for c in digits) else ""


@dataclass(frozen=True)
class ReadTrips:
    """The trips of a feed that have a route and a service.

    Attributes
    ----------
    table : DataFrame
        ``Feed.trips``; the column ``shape`` is -1 so far.
    index : dict
        Row of each trip id; LEFT_OUT for one that was left out (and noted).
    shape_id : object (str), shape (n_trips,)
    line : int64, shape (n_trips,)
        Line in ``trips.txt``.
    """

    table: pd.DataFrame
    index: Index
    shape_id: NDArray[np.object_]
    line: NDArray[np.int64]


def read_trips(archive: Archive, routes: Index, services: Index) -> ReadTrips | None:
    """The usable trips in the order of the file; ``None`` after an error (noted)."""
    block = read_table(archive, TRIPS)
    if block is None:
        return None
    rows = block.unique()
    route, service = block.look_up("route_id", routes), block.look_up("service_id", services)
    keep = np.zeros(len(block), np.bool_)
    keep[rows] = True
    block.leave_out("route_id", route < 0, keep)
    block.leave_out("service_id", service < 0, keep)
    kept = np.flatnonzero(keep)
    index = dict.fromkeys(block.strings("trip_id", rows), LEFT_OUT) | index_of(block.strings("trip_id", kept))
    no_shape = np.full(len(kept), -1, np.int32)
    table = block.frame(kept, route=route[kept], service=service[kept], shape=no_shape)
    table["source"] = np.zeros(len(kept), np.int32)
    return ReadTrips(table, index, block.strings("shape_id", kept), block.line[kept])


def read_fares(archive: Archive, routes: pd.DataFrame) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """The fare tables as text, by name without ``.txt``, and where the rows of those with prices stand (file, row)."""
    fares, rows = {}, {}
    for table in FARES:
        block = read_optional(archive, table)
        if block is not None:
            fares[table.name] = pd.DataFrame({c: pd.Series(block.strings(c), dtype="str") for c in block.text})
            if table.name in PRICED:
                files = pd.Series([archive.findings.name_of(table.file)] * len(block), dtype="str")
                rows[table.name] = pd.DataFrame({"file": files, "row": block.line})
    named = fares.get("route_networks", ())
    if len(named) and (routes["network_id"] != "").any():
        message = (
            "routes.txt has network_id and there is a route_networks.txt, of which GTFS allows one; where both name a route's "
            "network, route_networks.txt holds; leave one of them out"
        )
        findings = archive.findings
        findings.add(NETWORKS_TWICE, "route_networks.txt", message=message, field="network_id", value=len(named))
    return fares, rows


_MODES = {
    0: "tram",
    1: "metro",
    2: "rail",
    3: "bus",
    4: "ferry",
    5: "cable tram",
    6: "cable car",
    7: "funicular",
    11: "trolleybus",
    12: "monorail",
    1100: "air",
}


def mode_of(route_type: int) -> str:
    """``bus``, ``rail`` ... of a basic or extended route type; ``other`` of an unknown one."""
    return _MODES.get(int(basic_route_type(np.array([route_type]))[0]), "other")


UNKNOWN_SHAPE = declare("unknown_shape", "warning", "A trip names a shape that is not in shapes.txt; it has none now.")
BAD_SHAPE_POINT = declare(
    "bad_shape_point",
    "warning",
    "A point of a shape has no usable place or order; it was left out.",
    outcome="left out",
)


def read_shapes(archive: Archive, used: set[str]) -> Shapes:
    """The shapes that trips use, in the order of the file, points in their order."""
    if not used or not archive.holds(SHAPES.file):
        return no_shapes()
    index: dict[str, int] = {}
    columns = ("shape_pt_lon", "shape_pt_lat", "shape_pt_sequence", "shape_dist_traveled")
    parts: list[tuple[NDArray[Any], ...]] = []
    for block in read_blocks(archive, SHAPES):
        for name in block.codes("shape_id")[0]:
            if name in used:
                index.setdefault(name, len(index))
        shape = block.look_up("shape_id", index)
        lon, lat, order, distance = (block.numbers[name] for name in columns)
        with np.errstate(invalid="ignore"):
            good = (np.abs(lat) <= 90) & (np.abs(lon) <= 180) & ~np.isnan(order)
        message = "the point has no usable place or order; it was left out of its shape"
        block.note(BAD_SHAPE_POINT, (shape >= 0) & ~good, "shape_pt_lat", message)
        keep = (shape >= 0) & good
        parts.append(tuple(values[keep] for values in (shape, order, lon, lat, distance)))
    if not parts:
        return no_shapes()
    shape, order, lon, lat, distance = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    ordered = np.all((shape[1:] > shape[:-1]) | ((shape[1:] == shape[:-1]) & (order[1:] >= order[:-1])))
    if not ordered:
        rows = np.lexsort((order, shape))
        shape, lon, lat, distance = shape[rows], lon[rows], lat[rows], distance[rows]
    count = np.bincount(shape, minlength=len(index))  # a shape without a point is none
    first = starts_of(count[count > 0])
    return Shapes(np.array(list(index), dtype=object)[count > 0], first, lon, lat, distance)


def no_shapes() -> Shapes:
    """No drawn course at all."""
    return Shapes(np.zeros(0, object), np.zeros(1, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))


def join_shapes(trips: pd.DataFrame, shape_ids: NDArray[np.object_], shapes: Shapes, archive: Archive) -> None:
    """Set the ``shape`` column, in place; a shape that is not there is noted once for each shape."""
    index = index_of(shapes.shape_id)
    rows = np.array([index.get(name, -1) for name in shape_ids], dtype=np.int32).reshape(-1)
    trips["shape"] = rows
    findings = archive.findings
    lost = dict.fromkeys(shape_ids[(rows < 0) & (shape_ids != "")])
    if lost and SHAPES.file not in archive:
        message = (
            f"trips name shapes ({len(lost):,} in all), but there is no shapes.txt; they are drawn as straight lines"
        )
        findings.add(UNKNOWN_SHAPE, TRIPS.file, message=message, field="shape_id")
        return
    for name in lost:
        message = f"shape {name!r} has no points in shapes.txt; its trips are drawn as straight lines"
        findings.add(UNKNOWN_SHAPE, TRIPS.file, message=message, field="shape_id", value=name)
