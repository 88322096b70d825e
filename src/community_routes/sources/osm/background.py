"""The map's background made small: clipped to the area, simplified, and joined, until it fits into so many bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.earth import EARTH_RADIUS_M
from community_routes.sources.osm.street_map import LAYERS

if TYPE_CHECKING:
    from community_routes.sources.osm.street_map import StreetMap

_METRES_A_DEGREE: Final = math.radians(1.0) * EARTH_RADIUS_M
_TOLERANCES_M: Final = (3.0, 6.0, 12.0, 25.0, 50.0, 100.0, 200.0, 400.0)
_DECIMALS: Final = 5  # about a metre

# Up to which tolerance (how coarse a map) each class of road and of settlement is still shown.
_ROAD_UNTIL_M: Final = {"motorway": 1e9, "trunk": 1e9, "primary": 200.0, "secondary": 50.0, "tertiary": 12.0}
_NAME_UNTIL_M: Final = {
    "city": 1e9,
    "town": 1e9,
    "village": 100.0,
    "suburb": 50.0,
    "quarter": 25.0,
    "neighbourhood": 12.0,
    "hamlet": 12.0,
}
# What goes first where even the coarsest map is too large.
_LEAST_NEEDED: Final = ("green", "railways", "water", "roads", "places")


def background_layers(street_map: StreetMap, max_bytes: int = 400_000) -> dict[str, gpd.GeoDataFrame]:
    """Water, green, railways, main roads and place names for drawing under a map.

    Areas of one layer are joined (they have no names any more); lines of one kind are joined end to end; all is clipped to
    the area of the streets and simplified by as many metres as it takes. Coordinates have five decimals; where the area
    crosses longitude 180 they run on beyond it.

    Parameters
    ----------
    street_map : StreetMap
    max_bytes : int
        What the tables may take together as GeoJSON.

    Returns
    -------
    dict of layer to GeoDataFrame
        "water", "green", "railways", "roads", "places", each with kind, name and valid geometry (EPSG:4326), perhaps empty.
    """
    plane = _Plane(street_map.area)
    flat = {layer: plane.flatten(table) for layer, table in street_map.background.items()}
    layers: dict[str, gpd.GeoDataFrame] = {}
    for tolerance_m in _TOLERANCES_M:
        layers = {layer: plane.restore(_coarsened(layer, flat[layer], tolerance_m)) for layer in LAYERS}
        if _size(layers) <= max_bytes:
            break
    else:
        for layer in _LEAST_NEEDED:
            layers[layer] = layers[layer].iloc[:0]
            if _size(layers) <= max_bytes:
                break
    return {layer: _repaired(table) for layer, table in layers.items()}


def _repaired(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Areas that cross themselves since they were rounded made valid: once, not by every map that is drawn of them."""
    shapes = table.geometry.to_numpy().copy()
    wrong = (shapely.get_dimensions(shapes) == 2) & ~shapely.is_valid(shapes)
    shapes[wrong] = shapely.make_valid(shapes[wrong])
    return table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=table.crs))


class _Plane:
    """Metres east and north of the middle of an area, and back."""

    def __init__(self, area: tuple[float, float, float, float]) -> None:
        west, south, east, north = area
        span = (east - west) % 360.0 or 360.0
        self.centre = (west + span / 2, (south + north) / 2)
        self.scale = (max(0.01, math.cos(math.radians(self.centre[1]))) * _METRES_A_DEGREE, _METRES_A_DEGREE)
        half = (span / 2 * self.scale[0], (north - south) / 2 * self.scale[1])
        self.box = (-half[0], -half[1], half[0], half[1])

    def flatten(self, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Geometry in metres, clipped to the area; what lies outside is left out."""

        def to_metres(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            east = (xy[:, 0] - self.centre[0] + 180.0) % 360.0 - 180.0
            return np.column_stack([east * self.scale[0], (xy[:, 1] - self.centre[1]) * self.scale[1]])

        shapes = shapely.clip_by_rect(shapely.transform(table.geometry.to_numpy(), to_metres), *self.box)
        return _replaced(table, shapes)

    def restore(self, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Geometry in degrees, rounded."""

        def to_degrees(xy: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.round(xy / self.scale + self.centre, _DECIMALS)

        restored = _replaced(table, shapely.transform(table.geometry.to_numpy(), to_degrees))
        return restored.set_crs("EPSG:4326", allow_override=True)


def _replaced(table: gpd.GeoDataFrame, shapes: NDArray[Any]) -> gpd.GeoDataFrame:
    """The table with other shapes, without rows that have none left."""
    keep = ~(shapely.is_empty(shapes) | shapely.is_missing(shapes))
    kept = table[["kind", "name"]][keep].reset_index(drop=True)
    return gpd.GeoDataFrame(kept, geometry=shapes[keep])


def _coarsened(layer: str, table: gpd.GeoDataFrame, tolerance_m: float) -> gpd.GeoDataFrame:
    """A layer simplified by so many metres; what would be hardly a dot is left out."""
    if layer == "places":
        return table[table["kind"].map(_until(_NAME_UNTIL_M, "place=")) >= tolerance_m]
    if layer == "roads":
        kind = table["kind"].str.removesuffix("_link")
        shown = kind.map(_until(_ROAD_UNTIL_M, "")) >= tolerance_m
        return _joined_lines(kind[shown], table.geometry[shown], tolerance_m)
    dimension = shapely.get_dimensions(table.geometry.to_numpy())
    lines = _joined_lines(table["kind"][dimension == 1], table.geometry[dimension == 1], tolerance_m)
    areas = _joined_areas(layer, table.geometry[dimension == 2].to_numpy(), tolerance_m)
    return gpd.GeoDataFrame(
        {"kind": [*areas["kind"], *lines["kind"]], "name": [*areas["name"], *lines["name"]]},
        geometry=[*areas.geometry, *lines.geometry],
    )


def _until(limits: dict[str, float], prefix: str) -> Callable[[str], float]:
    return lambda kind: limits.get(kind.removeprefix(prefix), 0.0)


def _joined_lines(kind: Any, shapes: Any, tolerance_m: float) -> gpd.GeoDataFrame:
    """Lines of each kind joined end to end, short loose ends left out."""
    kinds, geometry = [], []
    for name in sorted(set(kind)):
        merged = shapely.line_merge(shapely.union_all(shapes[kind == name].to_numpy()))
        parts = shapely.get_parts(shapely.simplify(merged, tolerance_m))
        parts = parts[(shapely.get_dimensions(parts) == 1) & (shapely.length(parts) >= 4 * tolerance_m)]
        if len(parts):
            kinds.append(name)
            geometry.append(shapely.MultiLineString(list(parts)))
    return gpd.GeoDataFrame({"kind": kinds, "name": [""] * len(kinds)}, geometry=geometry)


def _joined_areas(layer: str, shapes: NDArray[Any], tolerance_m: float) -> gpd.GeoDataFrame:
    """All areas of a layer as one shape, simplified, without specks and pinholes."""
    speck = (4 * tolerance_m) ** 2
    large = shapes[shapely.area(shapes) >= speck / 4]
    merged = shapely.simplify(shapely.union_all(shapely.make_valid(large)), tolerance_m) if len(large) else None
    parts = [] if merged is None else [p for p in shapely.get_parts(merged) if p.geom_type == "Polygon"]
    parts = [_without_pinholes(part, speck) for part in parts if part.area >= speck]
    rows = 1 if parts else 0
    geometry = [shapely.MultiPolygon(parts)] if parts else []
    return gpd.GeoDataFrame({"kind": [layer] * rows, "name": [""] * rows}, geometry=geometry)


def _without_pinholes(part: Any, speck: float) -> Any:
    holes = [ring for ring in part.interiors if shapely.Polygon(ring).area >= speck]
    return part if len(holes) == len(part.interiors) else shapely.Polygon(part.exterior, holes)


def _size(layers: dict[str, gpd.GeoDataFrame]) -> int:
    return sum(len(table.to_json(drop_id=True).encode()) for table in layers.values() if len(table))
