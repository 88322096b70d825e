"""The map's background and places asked for by tags, as tables of shapes drawn from what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.sources.osm_map import INNER, LINE, OUTER, POINT, RING, Features

if TYPE_CHECKING:
    from community_routes.sources.osm_map import StreetMap

LAYERS: Final = ("water", "green", "railways", "roads", "places")
_CRS: Final = "EPSG:4326"
_MAIN_ROADS: Final = frozenset(
    {"motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary", "tertiary"}
)


def full_layers(street_map: StreetMap) -> dict[str, gpd.GeoDataFrame]:
    """Water, green, railways, main roads and place names in full detail: kind, name and geometry (EPSG:4326)."""
    features = street_map.features
    layers = {layer: _table(features, layer)[["kind", "name", "geometry"]] for layer in LAYERS if layer != "roads"}
    layers["roads"] = _roads(street_map)
    return {layer: layers[layer] for layer in LAYERS}


def place_tables(street_map: StreetMap) -> dict[str, gpd.GeoDataFrame]:
    """Places asked for by tags: id, name, kind and geometry, a table for each key, rows by id."""
    tables = {}
    for key in street_map.places_asked:
        table = _table(street_map.features, f"@{key}")[["id", "name", "kind", "geometry"]]
        # a place is a point or an area; an open way (a row of stalls) stands as the point in its middle
        shapes = table.geometry.to_numpy().copy()
        lines = shapely.get_type_id(shapes) == shapely.GeometryType.LINESTRING
        shapes[lines] = shapely.line_interpolate_point(shapes[lines], 0.5, normalized=True)
        table = table.set_geometry(gpd.GeoSeries(shapes, table.index, crs=_CRS))
        tables[key] = table.sort_values("id", kind="stable", ignore_index=True)
    return tables


def _roads(street_map: StreetMap) -> gpd.GeoDataFrame:
    main = np.array([kind in _MAIN_ROADS for kind in street_map.highway], bool)
    size = np.diff(street_map.first)
    node = street_map.node[np.repeat(main, size)]
    way = np.repeat(np.arange(int(main.sum())), size[main])
    lines = shapely.linestrings(np.column_stack([street_map.lon[node], street_map.lat[node]]), indices=way)
    columns = {"kind": street_map.highway[main], "name": street_map.name[main]}
    return gpd.GeoDataFrame(columns, geometry=lines, crs=_CRS)


def _table(features: Features, layer: str) -> gpd.GeoDataFrame:
    """Every thing of a layer as one row, in the order of the file; what gives no valid shape is left out."""
    rows = np.flatnonzero(features.layer == layer)
    simple = [int(row) for row in rows if features.shape[row] in (POINT, LINE, RING)]
    shapes: list[tuple[int, Any]] = [(row, _simple_shape(features, row)) for row in simple]
    pieces = rows[np.isin(features.shape[rows], (OUTER, INNER))]
    for group in np.unique(features.group[pieces]):
        members = pieces[features.group[pieces] == group]
        shapes.append((int(members[0]), _multipolygon(features, members)))
    shapes = sorted((row, shape) for row, shape in shapes if shape is not None and not shape.is_empty)
    order = np.array([row for row, _shape in shapes], np.int64)
    columns = {"id": features.osm_id[order], "kind": features.kind[order], "name": features.name[order]}
    return gpd.GeoDataFrame(columns, geometry=[shape for _row, shape in shapes], crs=_CRS)


def _coordinates(features: Features, row: int) -> NDArray[np.float64]:
    piece = slice(int(features.first[row]), int(features.first[row + 1]))
    return np.column_stack([features.lon[piece], features.lat[piece]])


def _simple_shape(features: Features, row: int) -> Any:
    xy = _coordinates(features, row)
    if features.shape[row] == POINT:
        return shapely.Point(xy[0]) if len(xy) else None
    if features.shape[row] == RING and len(xy) >= 4:
        return _valid_area(shapely.Polygon(xy))
    return shapely.LineString(xy) if len(xy) >= 2 else None


def _multipolygon(features: Features, members: NDArray[np.int64]) -> Any:
    """Outer rings joined from their pieces, less the inner ones; rings that stay open are left out."""
    outer = _rings(features, members[features.shape[members] == OUTER])
    if outer is None:
        return None
    inner = _rings(features, members[features.shape[members] == INNER])
    return outer if inner is None else _valid_area(shapely.difference(outer, inner))


def _rings(features: Features, members: NDArray[np.int64]) -> Any:
    lines = [shapely.LineString(xy) for row in members if len(xy := _coordinates(features, int(row))) >= 2]
    if not lines:
        return None
    closed = [shapely.Polygon(line) for line in lines if line.is_closed and len(line.coords) >= 4]
    joined = shapely.polygonize([line for line in lines if not line.is_closed])
    areas = [area for area in map(_valid_area, [*closed, *joined.geoms]) if area is not None]
    return shapely.union_all(areas) if areas else None


def _valid_area(shape: Any) -> Any:
    """The area of a polygon, mended where it crosses itself; None where nothing is left."""
    if not shape.is_valid:
        shape = shapely.make_valid(shape)
    if shape.geom_type == "GeometryCollection":
        shape = shapely.union_all([part for part in shape.geoms if part.geom_type in ("Polygon", "MultiPolygon")])
    return shape if shape.geom_type in ("Polygon", "MultiPolygon") and not shape.is_empty else None
