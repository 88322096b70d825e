"""Makes a timetable of a whole region out of one of a town: the town again and again, side by side."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from community_routes.sources.gtfs.read import read_feed, write_feed

_IDS = {
    "stops": ("stop_id", "parent_station"),
    "routes": ("route_id",),
    "trips": ("trip_id", "route_id", "shape_id", "block_id"),
    "stop_times": ("trip_id", "stop_id"),
    "shapes": ("shape_id",),
}
"""Columns of ids that differ from tile to tile; services and agencies are shared."""


def tile_feed(town: Path, region: Path, *, tiles: int, step_lon: float) -> None:
    """Write ``tiles`` copies of a feed, each ``step_lon`` degrees east of the one before; tile 0 keeps its ids."""
    plain = region.with_suffix(".town.zip")
    write_feed(read_feed(town), plain, date_stamp=dt.date(2024, 1, 1))
    with (
        zipfile.ZipFile(plain) as source,
        zipfile.ZipFile(region, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        for name in source.namelist():
            table = name.removesuffix(".txt")
            content = source.read(name)
            if table not in _IDS:
                archive.writestr(name, content)
                continue
            rows = pacsv.read_csv(
                pa.BufferReader(content),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(content.split(b"\n", 1)[0].decode().split(","), pa.string())
                ),
            )
            info = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as file:
                file.write(",".join(rows.column_names).encode() + b"\n")
                for tile in range(tiles):
                    file.write(_tile(rows, table, tile, tile * step_lon))
    plain.unlink()


def _tile(rows: pa.Table, table: str, tile: int, east: float) -> bytes:
    if tile:
        for column in _IDS[table]:
            if column in rows.column_names:
                old = rows.column(column)
                new = pc.binary_join_element_wise(old, f"@{tile}", "")
                rows = rows.set_column(rows.column_names.index(column), column, pc.if_else(pc.equal(old, ""), "", new))
        for column in ("stop_lon", "shape_pt_lon"):
            if column in rows.column_names:
                lon = pc.add(pc.cast(rows.column(column), pa.float64()), np.float64(east))
                rows = rows.set_column(rows.column_names.index(column), column, lon)
    buffer = io.BytesIO()
    pacsv.write_csv(rows, buffer, pacsv.WriteOptions(include_header=False, quoting_style="needed"))
    return buffer.getvalue()
