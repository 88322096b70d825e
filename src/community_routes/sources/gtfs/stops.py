"""Agencies, stops, transfers and pathways of a feed: ids become row numbers, wheelchair access passes to platforms."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.notices import Code, declare
from community_routes.sources.gtfs.blocks import LEFT_OUT, NOT_A_NUMBER, Block, read_table
from community_routes.sources.gtfs.findings import Findings, first_of_each
from community_routes.sources.gtfs.zip import Archive

DUPLICATE_ID = declare(
    "duplicate_id", "warning", "An id that should be unique is in its table twice; the first row is used."
)
BLANK_ID = declare("blank_id", "warning", "A row has no id; it was left out.", outcome="left out")
STOP_WITHOUT_PLACE = declare(
    "stop_without_place", "warning", "A stop has no usable coordinates; nobody can walk to it."
)
IMPOSSIBLE_PLACE = declare(
    "impossible_place",
    "warning",
    "A stop cannot lie where its coordinates say; its place counts as unknown.",
    outcome="left out",
)
PLACE_OF_STATION = declare(
    "place_of_station", "info", "A stop without usable coordinates was put where its station is.", outcome="mended"
)
NO_PLACES = declare("no_stop_places", "error", "No stop of the feed has usable coordinates.")
PLACES_SWAPPED = declare("places_swapped", "error", "Latitude and longitude are swapped in the whole table of stops.")
WRONG_PARENT = declare(
    "wrong_parent", "warning", "parent_station is not of the kind that the stop needs; it was ignored."
)
UNKNOWN_PARENT = declare("unknown_parent", "warning", "parent_station is not a stop of the feed; it was ignored.")
UNKNOWN_LOCATION_TYPE = declare(
    "unknown_location_type", "warning", "location_type is not 0 to 4; it counts as 0, a stop."
)
TRANSFER_TO_NOWHERE = declare(
    "transfer_to_nowhere",
    "warning",
    "A transfer names a stop, route or trip that is not in the feed; it was left out.",
    outcome="left out",
)
UNKNOWN_TRANSFER_TYPE = declare(
    "unknown_transfer_type", "warning", "transfer_type is not 0 to 5; the transfer was left out.", outcome="left out"
)
MINIMUM_TIME_MISSING = declare(
    "minimum_time_missing", "warning", "A transfer of type 2 has no min_transfer_time; it counts as 0 seconds."
)
PATHWAY_TO_NOWHERE = declare(
    "pathway_to_nowhere",
    "warning",
    "A pathway names a stop that is not in the feed; it was left out.",
    outcome="left out",
)

Index = dict[str, int]

_NEAR_ZERO = 0.5
_GRID_ORIGIN = 49.7668, -7.5572
"""Latitude and longitude of easting 0, northing 0 of the British national grid."""
_NEAR_GRID = 0.005
_SAME_REGION = 3.0
_BRITAIN = -9.0, 49.5, 2.5, 61.5
_BRITISH_ZONES = ("Europe/London", "Europe/Belfast", "Europe/Jersey", "Europe/Guernsey", "Europe/Isle_of_Man", "GB")


def unique_rows(block: Block, column: str, findings: Findings, *, blank_allowed: bool = False) -> NDArray[np.int64]:
    """Rows whose id is neither blank (unless allowed) nor used before."""
    ids = block.strings(column)
    keep = np.ones(len(ids), np.bool_)
    if not blank_allowed:
        blank = np.flatnonzero(ids == "")
        findings.rows(
            BLANK_ID, block.label, block.line[blank], f"{column} is blank; the row was left out", field=column
        )
        keep[blank] = False
    if len(set(ids)) < len(ids):
        codes, _ = pd.factorize(ids)
        again = np.flatnonzero(keep & ~first_of_each(codes))
        findings.rows(
            DUPLICATE_ID,
            block.label,
            block.line[again],
            f"{column} '{{value}}' is in the table already; the first row is used, this one was left out",
            field=column,
            values=ids[again],
        )
        keep[again] = False
    return np.flatnonzero(keep)


def index_of(ids: NDArray[np.object_]) -> Index:
    """Row number of each id."""
    return {name: row for row, name in enumerate(ids)}


def read_agencies(archive: Archive, findings: Findings) -> pd.DataFrame | None:
    """agency_id, agency_name, agency_timezone, agency_url."""
    columns = ("agency_id", "agency_name", "agency_timezone", "agency_url")
    block = read_table(
        archive, "agency.txt", text=columns, required=("agency_name", "agency_timezone"), findings=findings
    )
    if block is None:
        return None
    rows = unique_rows(block, "agency_id", findings, blank_allowed=True)
    return pd.DataFrame({column: text_column(block.strings(column)[rows]) for column in columns})


def text_column(values: NDArray[np.object_]) -> pd.Series:
    """A column of ``str``, also when it is empty."""
    return pd.Series(values, dtype="str")


def read_stops(archive: Archive, findings: Findings) -> tuple[pd.DataFrame, Index] | None:
    """The stops in the order of the file, and the row of each id."""
    texts = ("stop_id", "stop_code", "stop_name", "parent_station", "platform_code", "zone_id")
    numbers = ("stop_lat", "stop_lon", "location_type", "wheelchair_boarding")
    block = read_table(
        archive,
        "stops.txt",
        text=texts,
        numbers=numbers,
        required=("stop_id", "stop_lat", "stop_lon"),
        findings=findings,
    )
    if block is None:
        return None
    rows = unique_rows(block, "stop_id", findings)
    ids = block.strings("stop_id")[rows]
    index = index_of(ids)
    kind = block.integers("location_type", 0, findings)
    odd = np.flatnonzero((kind < 0) | (kind > 4))
    findings.rows(
        UNKNOWN_LOCATION_TYPE,
        block.label,
        block.line[odd],
        "location_type is not 0 to 4; it counts as 0, a stop",
        field="location_type",
        values=kind[odd],
    )
    kind[odd] = 0
    parent = _parents(block, rows, kind[rows], index, findings)
    wheelchair = block.integers("wheelchair_boarding", 0, findings)[rows]
    wheelchair[(wheelchair < 0) | (wheelchair > 2)] = 0
    inherits = (wheelchair == 0) & (parent >= 0)
    wheelchair[inherits] = wheelchair[parent[inherits]]
    lon, lat = _places(block, rows, kind[rows], findings)
    _place_at_parents(lon, lat, parent, block.line[rows], ids, block.label, findings)
    table = pd.DataFrame(
        {
            "stop_id": text_column(ids),
            "stop_code": text_column(block.strings("stop_code")[rows]),
            "stop_name": text_column(block.strings("stop_name")[rows]),
            "lon": lon,
            "lat": lat,
            "location_type": kind[rows].astype(np.int8),
            "parent": parent,
            "platform_code": text_column(block.strings("platform_code")[rows]),
            "wheelchair_boarding": wheelchair.astype(np.int8),
            "zone_id": text_column(block.strings("zone_id")[rows]),
        }
    )
    return table, index


def _parents(
    block: Block, rows: NDArray[np.int64], kind: NDArray[np.int64], index: Index, findings: Findings
) -> NDArray[np.int32]:
    parent = block.look_up("parent_station", index)[rows]
    own = parent == np.arange(len(rows))
    lost = np.flatnonzero((parent == -2) | own)
    names = block.strings("parent_station")[rows]
    findings.rows(
        UNKNOWN_PARENT,
        block.label,
        block.line[rows][lost],
        "parent_station '{value}' is no other stop of the feed; the stop is treated as one without a station",
        field="parent_station",
        values=names[lost],
    )
    parent[lost] = -1
    # A station has no parent, a boarding area belongs to a platform, everything else to a station: no circles.
    needed = np.select([kind == 1, kind == 4], [-1, 0], 1)
    wrong = np.flatnonzero((parent >= 0) & (kind[parent] != needed))
    findings.rows(
        WRONG_PARENT,
        block.label,
        block.line[rows][wrong],
        "parent_station '{value}' is not a place that this location_type can belong to; it was ignored",
        field="parent_station",
        values=names[wrong],
    )
    parent[wrong] = -1
    return parent


def _places(
    block: Block, rows: NDArray[np.int64], kind: NDArray[np.int64], findings: Findings
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude, NaN where they are missing or cannot be the stop's place (noted)."""
    lon, lat = block.numbers["stop_lon"][rows].copy(), block.numbers["stop_lat"][rows].copy()
    lines, ids = block.line[rows], block.strings("stop_id")[rows]
    missing = np.isnan(lon) | np.isnan(lat)
    at = np.flatnonzero(missing & (kind <= 2))
    findings.rows(
        STOP_WITHOUT_PLACE,
        block.label,
        lines[at],
        lambda i: (
            f"stop {ids[at[i]]!r} has no coordinates; unless its station has, nobody can walk to it. Trips still pass through it"
        ),
        field="stop_lat",
    )
    unusable = missing.copy()
    for wrong, what in _impossible_places(lon, lat):
        at = np.flatnonzero(wrong & ~unusable)
        _note_places(at, what, lines, ids, lon, lat, block.label, findings)
        unusable |= wrong
    lon[unusable] = np.nan
    lat[unusable] = np.nan
    return lon, lat


def _impossible_places(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[tuple[NDArray[np.bool_], str]]:
    """Which stops cannot lie where they are said to, and why."""
    with np.errstate(invalid="ignore"):
        in_metres = (np.abs(lat) > 180) | (np.abs(lon) > 180)
        outside = ~in_metres & (np.abs(lat) > 90)
        zero = (np.abs(lat) < _NEAR_ZERO) & (np.abs(lon) < _NEAR_ZERO)
        grid = (np.abs(lat - _GRID_ORIGIN[0]) < _NEAR_GRID) & (np.abs(lon - _GRID_ORIGIN[1]) < _NEAR_GRID)
        good = ~(in_metres | outside | zero | grid) & ~np.isnan(lat) & ~np.isnan(lon)
        swapped = np.zeros(len(lon), np.bool_)
        if good.any():
            x, y = float(np.median(lon[good])), float(np.median(lat[good]))
            swapped = good & (np.abs(lat - x) < _SAME_REGION) & (np.abs(lon - y) < _SAME_REGION)
            swapped &= abs(x - y) > 2 * _SAME_REGION
    return [
        (in_metres, "metres of a map grid instead of degrees; convert them"),
        (outside, "no degrees of latitude and longitude; perhaps they are swapped"),
        (zero, "0 degrees north and east, which stands for an unknown place"),
        (grid, "the origin of the British grid, which stands for an unknown place"),
        (swapped, "latitude and longitude swapped, compared with the other stops"),
    ]


def _place_at_parents(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    parent: NDArray[np.int32],
    lines: NDArray[np.int64],
    ids: NDArray[np.object_],
    label: str,
    findings: Findings,
) -> None:
    """Put stops without a place where the station is that they belong to, in place; twice, for areas of platforms."""
    for _ in range(2):
        at = np.flatnonzero(np.isnan(lon) & (parent >= 0))
        at = at[~np.isnan(lon[parent[at]])]
        lon[at], lat[at] = lon[parent[at]], lat[parent[at]]
        findings.rows(
            PLACE_OF_STATION,
            label,
            lines[at],
            "stop '{value}' has no usable coordinates; it was put where its station is",
            field="stop_lat",
            values=ids[at],
        )


def _note_places(
    at: NDArray[np.int64],
    what: str,
    lines: NDArray[np.int64],
    ids: NDArray[np.object_],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    label: str,
    findings: Findings,
) -> None:
    findings.rows(
        IMPOSSIBLE_PLACE,
        label,
        lines[at],
        lambda i: (
            f"stop {ids[at[i]]!r} lies at {lat[at[i]]:.9g}, {lon[at[i]]:.9g}: {what}. Its place counts as unknown; "
            "unless its station has one, nobody can walk to it. Trips still pass through it"
        ),
        field="stop_lat",
        values=lat[at],
    )


def check_all_places(stops: pd.DataFrame, agencies: pd.DataFrame, archive: Archive, findings: Findings) -> None:
    """Note a feed in which no stop has a place, or whose columns of latitude and longitude are swapped."""
    label = archive.name_of("stops.txt")
    lon, lat = stops["lon"].to_numpy(), stops["lat"].to_numpy()
    known = ~np.isnan(lon)
    if not known.any():
        message = (
            "no stop has usable coordinates, so nobody can walk to any; stop_lat and stop_lon are degrees (WGS 84)"
        )
        findings.add(NO_PLACES, label, message=message, field="stop_lat")
        return
    west, south, east, north = _BRITAIN
    swapped = (lat[known] >= west) & (lat[known] <= east) & (lon[known] >= south) & (lon[known] <= north)
    if agencies["agency_timezone"].isin(_BRITISH_ZONES).all() and swapped.mean() > 0.5:
        message = "the stops lie in Great Britain only when stop_lat and stop_lon are swapped; correct the headings"
        findings.add(PLACES_SWAPPED, label, message=message, field="stop_lat", value=f"{lat[known][0]:.9g}")


def read_transfers(
    archive: Archive, stops: Index, routes: Mapping[str, int], trips: Mapping[str, int], findings: Findings
) -> pd.DataFrame:
    """Rules for changing; those that name something unknown are left out."""
    texts = ("from_stop_id", "to_stop_id", "from_route_id", "to_route_id", "from_trip_id", "to_trip_id")
    numbers = ("transfer_type", "min_transfer_time")
    block = _optional(archive, "transfers.txt", texts, numbers, findings)
    if block is None:
        return empty_transfers()
    kind = block.integers("transfer_type", 0, findings)
    columns = {
        name: block.look_up(f"{name}_id", index)
        for name, index in (
            ("from_stop", stops),
            ("to_stop", stops),
            ("from_route", routes),
            ("to_route", routes),
            ("from_trip", trips),
            ("to_trip", trips),
        )
    }
    keep = np.ones(len(block), np.bool_)
    for name, values in columns.items():
        keep &= values != LEFT_OUT
        # A pair of stops is needed unless the rule joins two trips (types 4 and 5).
        blank = (values == -1) & (kind < 4) & name.endswith("stop")
        _note_lost(TRANSFER_TO_NOWHERE, block, f"{name}_id", (values == -2) | blank, keep, findings)
    odd = np.flatnonzero((kind < 0) | (kind > 5))
    findings.rows(
        UNKNOWN_TRANSFER_TYPE,
        block.label,
        block.line[odd],
        "transfer_type is not 0 to 5; the transfer was left out",
        field="transfer_type",
        values=kind[odd],
    )
    keep[odd] = False
    minimum = block.integers("min_transfer_time", -1, findings, low=0, high=86_400)
    blank_minimum = np.flatnonzero(keep & (kind == 2) & (minimum < 0))
    findings.rows(
        MINIMUM_TIME_MISSING,
        block.label,
        block.line[blank_minimum],
        "the transfer needs a minimum time, but none is given; it counts as 0 seconds",
        field="min_transfer_time",
    )
    minimum[blank_minimum] = 0
    table = pd.DataFrame(columns)
    table["transfer_type"] = kind.clip(0, 5).astype(np.int8)
    table["min_transfer_s"] = minimum.astype(np.int32)
    return table[keep].reset_index(drop=True)


def _note_lost(
    code: Code, block: Block, column: str, lost: NDArray[np.bool_], keep: NDArray[np.bool_], findings: Findings
) -> None:
    at = np.flatnonzero(keep & lost)
    if len(at):
        findings.rows(
            code,
            block.label,
            block.line[at],
            f"{column} '{{value}}' is not in the feed; the row was left out",
            field=column,
            values=block.strings(column)[at],
        )
        keep[at] = False


def empty_transfers() -> pd.DataFrame:
    """No rule at all."""
    rows = ("from_stop", "to_stop", "from_route", "to_route", "from_trip", "to_trip")
    table = pd.DataFrame({name: np.zeros(0, np.int32) for name in rows})
    return table.assign(transfer_type=np.zeros(0, np.int8), min_transfer_s=np.zeros(0, np.int32))


def read_pathways(archive: Archive, stops: Index, findings: Findings) -> pd.DataFrame:
    """Ways within stations."""
    numbers = ("pathway_mode", "is_bidirectional", "length", "traversal_time")
    block = _optional(archive, "pathways.txt", ("from_stop_id", "to_stop_id"), numbers, findings)
    if block is None:
        return empty_pathways()
    from_stop, to_stop = block.look_up("from_stop_id", stops), block.look_up("to_stop_id", stops)
    keep = np.ones(len(block), np.bool_)
    _note_lost(PATHWAY_TO_NOWHERE, block, "from_stop_id", from_stop < 0, keep, findings)
    _note_lost(PATHWAY_TO_NOWHERE, block, "to_stop_id", to_stop < 0, keep, findings)
    mode = block.integers("pathway_mode", 1, findings, low=0, high=127)
    table = pd.DataFrame(
        {
            "from_stop": from_stop,
            "to_stop": to_stop,
            "metres": _not_negative(block, "length", findings),
            "traversal_s": _not_negative(block, "traversal_time", findings),
            "both_ways": block.integers("is_bidirectional", 1, findings) == 1,
            "mode": mode.astype(np.int8),
        }
    )
    return table[keep].reset_index(drop=True)


def _not_negative(block: Block, column: str, findings: Findings) -> NDArray[np.float64]:
    values = block.numbers[column].copy()
    with np.errstate(invalid="ignore"):
        at = np.flatnonzero(values < 0)
    findings.rows(
        NOT_A_NUMBER,
        block.label,
        block.line[at],
        f"{column} is below 0; it counts as blank",
        field=column,
        values=values[at],
    )
    values[at] = np.nan
    return values


def empty_pathways() -> pd.DataFrame:
    """No pathway at all."""
    return pd.DataFrame(
        {
            "from_stop": np.zeros(0, np.int32),
            "to_stop": np.zeros(0, np.int32),
            "metres": np.zeros(0),
            "traversal_s": np.zeros(0),
            "both_ways": np.zeros(0, np.bool_),
            "mode": np.zeros(0, np.int8),
        }
    )


def _optional(
    archive: Archive, table: str, text: tuple[str, ...], numbers: tuple[str, ...], findings: Findings
) -> Block | None:
    """A table that a feed may lack; an empty file counts as absent."""
    if table not in archive or not archive.members[table].file_size:
        return None
    return read_table(archive, table, text=text, numbers=numbers, findings=findings)
