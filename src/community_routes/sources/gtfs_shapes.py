"""``shapes.txt`` -> the drawn courses of trips."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.notices import declare
from community_routes.sources.feed import Shapes
from community_routes.sources.gtfs_archive import Archive
from community_routes.sources.gtfs_findings import Findings
from community_routes.sources.gtfs_places import Index, index_of
from community_routes.sources.gtfs_tables import read_blocks

UNKNOWN_SHAPE = declare("unknown_shape", "warning", "A trip names a shape that is not in shapes.txt; it has none now.")
BAD_SHAPE_POINT = declare(
    "bad_shape_point", "warning", "A point of a shape has no usable place or order; it was left out."
)


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
    trips: pd.DataFrame, shape_ids: NDArray[np.object_], shapes: Shapes, archive: Archive, findings: Findings
) -> None:
    """Set the ``shape`` column, in place; a shape that is not there is noted once for each shape."""
    index = index_of(shapes.shape_id)
    rows = np.array([index.get(name, -1) for name in shape_ids], dtype=np.int32).reshape(-1)
    trips["shape"] = rows
    label = archive.name_of("trips.txt")
    lost = dict.fromkeys(shape_ids[(rows < 0) & (shape_ids != "")])
    if lost and "shapes.txt" not in archive:
        message = (
            f"trips name shapes ({len(lost):,} in all), but there is no shapes.txt; they are drawn as straight lines"
        )
        findings.add(UNKNOWN_SHAPE, label, message=message, field="shape_id")
        return
    for name in lost:
        message = f"shape {name!r} has no points in shapes.txt; its trips are drawn as straight lines"
        findings.add(UNKNOWN_SHAPE, label, message=message, field="shape_id", value=name)
