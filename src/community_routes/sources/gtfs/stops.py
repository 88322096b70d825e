"""Agencies, stops, transfers and pathways of a feed: ids become row numbers, wheelchair access passes to platforms."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.notices import declare
from community_routes.sources.gtfs.blocks import read_optional, read_table
from community_routes.sources.gtfs.columns import LEFT_OUT, Block, Findings, Index, empty_frame, index_of
from community_routes.sources.gtfs.schema import AGENCY, PATHWAYS, STOPS, TRANSFERS
from community_routes.sources.gtfs.zip import Archive

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
MINIMUM_TIME_MISSING = declare(
    "minimum_time_missing", "warning", "A transfer of type 2 has no min_transfer_time; it counts as 0 seconds."
)

_NEAR_ZERO = 0.5
_GRID_ORIGIN = 49.7668, -7.5572
"""Latitude and longitude of easting 0, northing 0 of the British national grid."""
_NEAR_GRID = 0.005
_SAME_REGION = 3.0
_BRITAIN = -9.0, 49.5, 2.5, 61.5
_BRITISH_ZONES = ("Europe/London", "Europe/Belfast", "Europe/Jersey", "Europe/Guernsey", "Europe/Isle_of_Man", "GB")


def read_agencies(archive: Archive) -> pd.DataFrame | None:
    """The agencies in the order of the file; ``None`` after an error (noted)."""
    block = read_table(archive, AGENCY)
    return None if block is None else block.frame(block.unique(blank_allowed=True))


def read_stops(archive: Archive) -> tuple[pd.DataFrame, Index] | None:
    """The stops in the order of the file, and the row of each id; ``None`` after an error (noted)."""
    block = read_table(archive, STOPS)
    if block is None:
        return None
    rows = block.unique()
    index = index_of(block.strings("stop_id", rows))
    kind = block.whole("location_type")[rows]
    parent = _parents(block, rows, kind, index)
    wheelchair = block.whole("wheelchair_boarding")[rows]
    inherits = (wheelchair == 0) & (parent >= 0)
    wheelchair[inherits] = wheelchair[parent[inherits]]
    lon, lat = _places(block, rows, kind)
    _place_at_parents(block, rows, parent, lon, lat)
    table = block.frame(rows, lon=lon, lat=lat, location_type=kind, parent=parent, wheelchair_boarding=wheelchair)
    return table, index


def _parents(block: Block, rows: NDArray[np.int64], kind: NDArray[np.int64], index: Index) -> NDArray[np.int32]:
    parent = block.look_up("parent_station", index)[rows]
    lost = (parent == -2) | (parent == np.arange(len(rows)))
    block.fault("parent_station", rows[lost])
    parent[lost] = -1
    # A station has no parent, a boarding area belongs to a platform, everything else to a station: no circles.
    needed = np.select([kind == 1, kind == 4], [-1, 0], 1)
    wrong = (parent >= 0) & (kind[parent] != needed)
    message = "parent_station '{value}' is not a place that this location_type can belong to; it was ignored"
    block.note(WRONG_PARENT, rows[wrong], "parent_station", message)
    parent[wrong] = -1
    return parent


def _places(
    block: Block, rows: NDArray[np.int64], kind: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude, NaN where they are missing or cannot be the stop's place (noted)."""
    lon, lat = block.numbers["stop_lon"][rows].copy(), block.numbers["stop_lat"][rows].copy()
    ids = block.strings("stop_id", rows)
    unusable = np.isnan(lon) | np.isnan(lat)
    missing = np.flatnonzero(unusable & (kind <= 2))

    def no_place(i: int) -> str:
        cure = "unless its station has, nobody can walk to it. Trips still pass through it"
        return f"stop {ids[missing[i]]!r} has no coordinates; {cure}"

    block.note(STOP_WITHOUT_PLACE, rows[missing], "stop_lat", no_place)
    for wrong, what in _impossible_places(lon, lat):
        _note_places(block, rows, np.flatnonzero(wrong & ~unusable), what)
        unusable |= wrong
    lon[unusable] = np.nan
    lat[unusable] = np.nan
    return lon, lat


def _note_places(block: Block, rows: NDArray[np.int64], at: NDArray[np.int64], what: str) -> None:
    """Note the stops at these positions of the rows."""
    lon, lat = block.numbers["stop_lon"], block.numbers["stop_lat"]
    ids = block.strings("stop_id", rows[at])

    def message(i: int) -> str:
        row = rows[at[i]]
        return (
            f"stop {ids[i]!r} lies at {lat[row]:.9g}, {lon[row]:.9g}: {what}. Its place counts as unknown; "
            "unless its station has one, nobody can walk to it. Trips still pass through it"
        )

    block.note(IMPOSSIBLE_PLACE, rows[at], "stop_lat", message, lat)


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
    block: Block,
    rows: NDArray[np.int64],
    parent: NDArray[np.int32],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> None:
    """Put stops without a place where the station is that they belong to, in place; twice, for areas of platforms."""
    ids = block.strings("stop_id")
    for _ in range(2):
        at = np.flatnonzero(np.isnan(lon) & (parent >= 0))
        at = at[~np.isnan(lon[parent[at]])]
        lon[at], lat[at] = lon[parent[at]], lat[parent[at]]
        message = "stop '{value}' has no usable coordinates; it was put where its station is"
        block.note(PLACE_OF_STATION, rows[at], "stop_lat", message, ids)


def check_all_places(stops: pd.DataFrame, agencies: pd.DataFrame, findings: Findings) -> None:
    """Note a feed in which no stop has a place, or whose columns of latitude and longitude are swapped."""
    lon, lat = stops["lon"].to_numpy(), stops["lat"].to_numpy()
    known = ~np.isnan(lon)
    if not known.any():
        message = (
            "no stop has usable coordinates, so nobody can walk to any; stop_lat and stop_lon are degrees (WGS 84)"
        )
        findings.add(NO_PLACES, STOPS.file, message=message, field="stop_lat")
        return
    west, south, east, north = _BRITAIN
    swapped = (lat[known] >= west) & (lat[known] <= east) & (lon[known] >= south) & (lon[known] <= north)
    if agencies["agency_timezone"].isin(_BRITISH_ZONES).all() and swapped.mean() > 0.5:
        message = "the stops lie in Great Britain only when stop_lat and stop_lon are swapped; correct the headings"
        findings.add(PLACES_SWAPPED, STOPS.file, message=message, field="stop_lat", value=f"{lat[known][0]:.9g}")


def read_transfers(archive: Archive, stops: Index, routes: Index, trips: Index) -> pd.DataFrame:
    """Rules for changing; those that name something unknown are left out."""
    block = read_optional(archive, TRANSFERS)
    if block is None:
        return empty_frame(TRANSFERS)
    kind = block.whole("transfer_type")
    named: dict[str, NDArray[np.int32]] = {}
    keep = np.ones(len(block), np.bool_)
    for of, index in (("stop", stops), ("route", routes), ("trip", trips)):
        for column in (f"from_{of}", f"to_{of}"):
            named[column] = rows = block.look_up(f"{column}_id", index)
            keep &= rows != LEFT_OUT
            # A pair of stops is needed unless the rule joins two trips (types 4 and 5).
            lost = (rows == -2) | ((rows == -1) & (kind < 4) & (of == "stop"))
            block.leave_out(f"{column}_id", lost, keep)
    keep &= TRANSFERS["transfer_type"].knows(kind)
    minimum = block.whole("min_transfer_time")
    missing = keep & (kind == 2) & (minimum < 0)
    message = "the transfer needs a minimum time, but none is given; it counts as 0 seconds"
    block.note(MINIMUM_TIME_MISSING, missing, "min_transfer_time", message)
    minimum[missing] = 0
    ends = {name: values[keep] for name, values in named.items()}
    return block.frame(keep, **ends, transfer_type=kind[keep], min_transfer_s=minimum[keep])


def read_pathways(archive: Archive, stops: Index) -> pd.DataFrame:
    """Ways within stations."""
    block = read_optional(archive, PATHWAYS)
    if block is None:
        return empty_frame(PATHWAYS)
    keep = np.ones(len(block), np.bool_)
    ends = {end: block.look_up(f"{end}_id", stops) for end in ("from_stop", "to_stop")}
    for end, rows in ends.items():
        block.leave_out(f"{end}_id", rows < 0, keep)
    return block.frame(keep, **{end: rows[keep] for end, rows in ends.items()})
