"""Routes, trips and fare tables of a feed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.notices import declare
from community_routes.sources.gtfs.blocks import LEFT_OUT, Block, read_table
from community_routes.sources.gtfs.findings import Findings
from community_routes.sources.gtfs.stops import Index, index_of, text_column, unique_rows
from community_routes.sources.gtfs.zip import Archive

UNKNOWN_AGENCY = declare(
    "unknown_agency", "warning", "A route names an agency that is not in agency.txt; it has none now."
)
UNKNOWN_ROUTE_TYPE = declare(
    "unknown_route_type", "warning", "route_type is neither basic nor extended; the route counts as bus."
)
TRIP_WITHOUT_ROUTE = declare(
    "trip_without_route",
    "warning",
    "A trip names a route that is not in routes.txt; it was left out.",
    outcome="left out",
)
TRIP_WITHOUT_SERVICE = declare(
    "trip_without_service",
    "warning",
    "A trip names a service without any date; it never runs and was left out.",
    outcome="left out",
)

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
CONTINUOUS = ("continuous_pickup", "continuous_drop_off")
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
PRICED = ("fare_attributes", "fare_products")
_BUS = 3
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


def known_route_type(kind: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Basic (0 to 7, 11, 12) and extended types (100 to 1799, the hierarchical vehicle types of European feeds)."""
    basic: NDArray[np.bool_] = ((kind >= 0) & (kind <= 7)) | (kind == 11) | (kind == 12)
    return basic | ((kind >= 100) & (kind < 1800))


def basic_route_type(kind: NDArray[np.int64]) -> NDArray[np.int64]:
    """The basic type (0 tram, 1 metro, 2 rail, 3 bus, 4 ferry, 5 cable tram, 6 aerial lift, 7 funicular, 11 trolleybus,
    12 monorail) that comes nearest to each type; extended types by their hundreds, air services 1100.
    """
    basic = np.asarray(kind, dtype=np.int64).copy()
    for hundreds, nearest in _EXTENDED.items():
        basic[(kind >= 100 * hundreds) & (kind < 100 * hundreds + 100)] = nearest
    basic[np.asarray(kind) == 405] = 12
    return basic


def read_routes(
    archive: Archive, agencies: pd.DataFrame | None, findings: Findings
) -> tuple[pd.DataFrame, Index] | None:
    """The routes in the order of the file, and the row of each id."""
    texts = ("route_id", "agency_id", "route_short_name", "route_long_name", "route_color", "network_id")
    block = read_table(
        archive,
        "routes.txt",
        text=texts,
        numbers=("route_type", *CONTINUOUS),
        required=("route_id", "route_type"),
        findings=findings,
    )
    if block is None:
        return None
    note_continuous(block, findings)
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
            "network_id": text_column(block.strings("network_id")[rows]),
        }
    )
    return table, index_of(ids)


def note_continuous(block: Block, findings: Findings) -> None:
    """Note rows by which one may board or alight between stops (0, 2 and 3; 1 and blank are no)."""
    for column in CONTINUOUS:
        at = np.flatnonzero(np.isin(block.numbers[column], (0, 2, 3)))
        message = f"{column} {{value}} lets people on or off between stops; this is ignored, only stops count"
        findings.rows(
            CONTINUOUS_IGNORED, block.label, block.line[at], message, field=column, values=block.numbers[column][at]
        )


def _agencies(block: Block, agencies: pd.DataFrame | None, findings: Findings) -> NDArray[np.int32]:
    if agencies is None:  # its absence has been noted
        return np.full(len(block), -1, np.int32)
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


def read_trips(
    archive: Archive,
    routes: Mapping[str, int],
    services: Mapping[str, int],
    findings: Findings,
) -> ReadTrips | None:
    """The usable trips in the order of the file; ``None`` after an error (noted)."""
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
    for found, column, code, where in (
        (route, "route_id", TRIP_WITHOUT_ROUTE, "routes.txt"),
        (service, "service_id", TRIP_WITHOUT_SERVICE, "calendar.txt and calendar_dates.txt"),
    ):
        at = np.flatnonzero(keep & (found < 0))
        message = f"the trip's {column} '{{value}}' is not in {where}; the trip was left out"
        findings.rows(code, block.label, block.line[at], message, field=column, values=block.strings(column)[at])
        keep[at] = False
    all_ids = block.strings("trip_id")
    kept = np.flatnonzero(keep)
    index = dict.fromkeys(all_ids[rows], LEFT_OUT) | index_of(all_ids[kept])
    direction = block.integers("direction_id", -1, findings, low=0, high=1)
    wheelchair = block.integers("wheelchair_accessible", 0, findings, low=0, high=2)
    table = pd.DataFrame(
        {
            "trip_id": text_column(all_ids[kept]),
            "route": route[kept],
            "service": service[kept],
            "direction_id": direction[kept].astype(np.int8),
            "trip_headsign": text_column(block.strings("trip_headsign")[kept]),
            "trip_short_name": text_column(block.strings("trip_short_name")[kept]),
            "block_id": text_column(block.strings("block_id")[kept]),
            "shape": np.full(len(kept), -1, np.int32),
            "wheelchair_accessible": wheelchair[kept].astype(np.int8),
            "source": np.zeros(len(kept), np.int32),
        }
    )
    return ReadTrips(table, index, block.strings("shape_id")[kept], block.line[kept])


def read_fares(
    archive: Archive, routes: pd.DataFrame, findings: Findings
) -> tuple[dict[str, pd.DataFrame], dict[str, pd.DataFrame]]:
    """The fare tables as text, by name without ``.txt``, and where the rows of those with prices stand (file, row)."""
    fares, rows = {}, {}
    for name in FARE_TABLES:
        table = f"{name}.txt"
        if table not in archive or not archive.members[table].file_size:
            continue
        block = read_table(archive, table, text=(), every_column=True, findings=findings)
        if block is not None:
            fares[name] = pd.DataFrame({column: text_column(block.strings(column)) for column in block.text})
            if name in PRICED:
                label = text_column(np.full(len(block), block.label, object))
                rows[name] = pd.DataFrame({"file": label, "row": block.line})
    named = fares.get("route_networks", ())
    if len(named) and (routes["network_id"] != "").any():
        message = (
            "routes.txt has network_id and there is a route_networks.txt, of which GTFS allows one; where both name a route's "
            "network, route_networks.txt holds; leave one of them out"
        )
        label = archive.name_of("route_networks.txt")
        findings.add(NETWORKS_TWICE, label, message=message, field="network_id", value=len(named))
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
