"""Areas that are not drawn as areas should be: mended where they can be, with a notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.notices import Notice, Sample, declare
from community_routes.sources.table_file import NO_GEOMETRY, Table

POLYGON_MENDED = declare("polygon_mended", "warning", "An area crosses itself or is drawn wrongly; it was mended.")
WRONG_GEOMETRY = declare("wrong_geometry", "error", "A place is neither an area nor a point.")

_POINT, _POLYGON, _MULTIPOINT, _MULTIPOLYGON, _COLLECTION = 0, 3, 4, 6, 7


def mended(shapes: NDArray[np.object_], ids: Sequence[str], table: Table, found: list[Notice]) -> NDArray[np.object_]:
    """Valid points, polygons and multipolygons of any shapes, shape (n,); what cannot be mended stays and is an error.

    Of a collection only its areas are kept, of several points their centre.
    """
    out = np.asarray(shapes, object).copy()
    bad, wrong, nothing = Sample(POLYGON_MENDED), Sample(WRONG_GEOMETRY), Sample(NO_GEOMETRY)
    for i in np.flatnonzero(~shapely.is_valid(out)).tolist():
        reason = shapely.is_valid_reason(out[i]).split("[")[0].strip().lower()
        before = shapely.area(out[i])
        out[i] = shapely.make_valid(out[i])
        message = f"{ids[i]} is drawn wrongly ({reason}) and was mended"
        if before > 0 and abs(shapely.area(_areas(out[i])) / before - 1) > 0.01:
            message += f"; its area changed by {shapely.area(_areas(out[i])) / before - 1:+.0%}"
        bad.add(table.file, row=int(table.row[i]), value=ids[i], message=message)
    kinds = shapely.get_type_id(out)
    for i in np.flatnonzero(kinds == _MULTIPOINT).tolist():
        out[i] = shapely.centroid(out[i])
    for i in np.flatnonzero(kinds == _COLLECTION).tolist():
        out[i] = _areas(out[i])
    for i, kind in enumerate(shapely.get_type_id(out)):
        row = int(table.row[i])
        if shapely.is_empty(out[i]) or (kind in (_POLYGON, _MULTIPOLYGON) and shapely.area(out[i]) == 0):
            nothing.add(
                table.file, row=row, value=ids[i], message=f"{ids[i]} covers no area; draw it again or take it out"
            )
        elif kind not in (_POINT, _POLYGON, _MULTIPOLYGON):
            name = shapely.from_wkt("POINT (0 0)").geom_type if kind < 0 else out[i].geom_type
            message = f"{ids[i]} is a {name}; an area or a point is expected"
            wrong.add(table.file, row=row, value=ids[i], message=message)
    for sample in (bad, wrong, nothing):
        found.extend(sample.notices())
    return out


def _areas(shape: Any) -> Any:
    """Only the areas of a shape, as one polygon or multipolygon."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(shape)) if part.geom_type == "Polygon"]
    if not parts and shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    return shapely.union_all(parts) if len(parts) != 1 else parts[0]
