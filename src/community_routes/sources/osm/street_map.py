"""What a street file holds once it is read: ways as flat arrays, the map's background, and places asked for by tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.arrays import check_first, set_frozen

Area = tuple[float, float, float, float]
"""West, south, east, north in degrees; west is greater than east where the area crosses longitude 180."""

POINT: Final = 0
LINE: Final = 1
RING: Final = 2
"""A closed way that is a polygon by itself."""
OUTER: Final = 3
INNER: Final = 4
"""Pieces of the outer and inner rings of a multipolygon: those with one ``group`` belong together."""


@dataclass(frozen=True, eq=False)
class Features:
    """Drawn things of the map's background and places asked for by tags, as they stand in the file.

    Attributes
    ----------
    layer : object (str), shape (n_features,)
        "water", "green", "railways" or "places" (names of settlements) of the background, or "@" and the key of places
        asked for by tags.
    osm_id : object (str), shape (n_features,)
        ``node/12``, ``way/34`` or ``relation/56``.
    kind, name : object (str), shape (n_features,)
        The tag that put it there (``natural=water``), and its name ("" where none).
    shape : int8, shape (n_features,)
        ``POINT``, ``LINE``, ``RING``, ``OUTER`` or ``INNER``.
    group : int32, shape (n_features,)
        Pieces of one multipolygon have the same number; -1 for all others.
    first : int64, shape (n_features + 1,)
        The coordinates of feature ``i`` are ``first[i]:first[i + 1]``.
    lon, lat : float64, shape (n_coordinates,)
        Degrees, WGS 84.
    """

    layer: NDArray[np.object_]
    osm_id: NDArray[np.object_]
    kind: NDArray[np.object_]
    name: NDArray[np.object_]
    shape: NDArray[np.int8]
    group: NDArray[np.int32]
    first: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]

    def __post_init__(self) -> None:
        n = len(self.layer)
        for name in ("layer", "osm_id", "kind", "name"):
            set_frozen(self, name, np.object_, (n,))
        set_frozen(self, "shape", np.int8, (n,))
        set_frozen(self, "group", np.int32, (n,))
        set_frozen(self, "first", np.int64, (n + 1,))
        m = len(self.lon)
        set_frozen(self, "lon", np.float64, (m,))
        set_frozen(self, "lat", np.float64, (m,))
        check_first(self.first, m, "Features.first")

    def __len__(self) -> int:
        return len(self.layer)

    @staticmethod
    def none() -> Features:
        """No feature at all."""
        empty: NDArray[np.float64] = np.zeros(0)
        text = np.zeros(0, object)
        return Features(
            text, text, text, text, np.zeros(0, np.int8), np.zeros(0, np.int32), np.zeros(1, np.int64), empty, empty
        )


@dataclass(frozen=True, eq=False)
class StreetMap:
    """The ways of a street file that people walk or buses drive along, before they are made into networks.

    A way that leaves the file's data in between (its nodes are missing there) stands here in parts with one ``way_id``.

    Attributes
    ----------
    node_id : int64, shape (n_nodes,)
        OpenStreetMap's number of each node.
    lon, lat : float64, shape (n_nodes,)
        Degrees, WGS 84.
    way_id : int64, shape (n_ways,)
        OpenStreetMap's number of each way.
    first : int64, shape (n_ways + 1,)
        The nodes of way ``i`` are ``node[first[i]:first[i + 1]]``, at least two.
    node : int32
        Rows of the nodes along the ways; never the same twice running.
    highway : object (str), shape (n_ways,)
        Value of ``highway``; of a way without it the value that let it in (``platform``, ``pier``).
    name : object (str), shape (n_ways,)
        ``name``, else ``ref``, else "".
    walk, drive : int8, shape (n_ways,)
        Directions open to people on foot and to buses: bit 1 along the nodes, bit 2 against them.
    steps : bool, shape (n_ways,)
        A flight of steps.
    below : bool, shape (n_ways,)
        A tunnel, or below ground; none of them when left out.
    area : (west, south, east, north)
        The part of the world that the streets cover. A place outside is off the network.
    features : Features
        Background and places asked for by tags.
    places_asked : dict of key to dict of tag to values
        What was asked for by tags, so that a key without any place still has its (empty) table.
    content_hash : str
        sha256 over the bytes that were read and the area and tags asked for.
    source : str
        Name of the file, or of the place.
    """

    node_id: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    way_id: NDArray[np.int64]
    first: NDArray[np.int64]
    node: NDArray[np.int32]
    highway: NDArray[np.object_]
    name: NDArray[np.object_]
    walk: NDArray[np.int8]
    drive: NDArray[np.int8]
    steps: NDArray[np.bool_]
    area: Area
    features: Features = field(default_factory=Features.none)
    places_asked: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    content_hash: str = ""
    source: str = ""
    below: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        n, w = len(self.node_id), len(self.way_id)
        set_frozen(self, "node_id", np.int64)
        set_frozen(self, "lon", np.float64, (n,))
        set_frozen(self, "lat", np.float64, (n,))
        set_frozen(self, "way_id", np.int64)
        set_frozen(self, "first", np.int64, (w + 1,))
        set_frozen(self, "node", np.int32)
        set_frozen(self, "highway", np.object_, (w,))
        set_frozen(self, "name", np.object_, (w,))
        set_frozen(self, "walk", np.int8, (w,))
        set_frozen(self, "drive", np.int8, (w,))
        set_frozen(self, "steps", np.bool_, (w,))
        if not len(self.below):
            object.__setattr__(self, "below", np.zeros(w, np.bool_))
        set_frozen(self, "below", np.bool_, (w,))
        check_first(self.first, len(self.node), "StreetMap.first")
        if len(self.node) and (self.node.min() < 0 or self.node.max() >= n):
            raise ValueError("StreetMap.node must be row numbers of the nodes")

    @property
    def n_ways(self) -> int:
        """Number of ways (parts of one way counted apart)."""
        return len(self.way_id)

    @cached_property
    def background(self) -> dict[str, gpd.GeoDataFrame]:
        """Water, green, railways, roads and place names in full detail (EPSG:4326); see ``background_layers``."""

        layers: dict[str, gpd.GeoDataFrame] = full_layers(self)
        return layers

    @cached_property
    def places(self) -> dict[str, gpd.GeoDataFrame]:
        """Places asked for by tags: a table with id, name, kind and geometry for each key."""

        tables: dict[str, gpd.GeoDataFrame] = place_tables(self)
        return tables

    def __repr__(self) -> str:
        west, south, east, north = self.area
        return (
            f"StreetMap({self.source or 'made in memory'}: {self.n_ways:,} ways, {len(self.node_id):,} nodes, "
            f"{west:.4f} to {east:.4f} E, {south:.4f} to {north:.4f} N)"
        )


def box_of(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Area:
    """The smallest box around points; one that crosses longitude 180 where that is the smaller (west > east then)."""
    order = np.sort(np.asarray(lon))
    gap = np.diff(order)
    around = order[0] + 360 - order[-1]
    south, north = float(np.min(lat)), float(np.max(lat))
    if len(gap) and gap.max() > around:
        widest = int(np.argmax(gap))
        return float(order[widest + 1]), south, float(order[widest]), north
    return float(order[0]), south, float(order[-1]), north


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
