"""Shapes for the page: simplified, cut to the frame, as SVG paths and as short lists for the map's script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.earth import EARTH_RADIUS_M

_MOST_POINTS = 16_000


@dataclass(frozen=True)
class Frame:
    """The part of the world that a map shows, and where its points lie on a sheet ``width`` units wide.

    Spherical Mercator, which keeps shapes and is what the interactive map uses.

    Attributes
    ----------
    west, south, east, north : float
        Degrees.
    width : float
        Of the sheet, in its own units.
    """

    west: float
    south: float
    east: float
    north: float
    width: float = 1000.0

    @property
    def scale(self) -> float:
        """Units of the sheet per radian of longitude."""
        return float(self.width / np.radians(self.east - self.west))

    @property
    def height(self) -> float:
        """Of the sheet, in its own units."""
        return self.scale * float(_mercator(self.north) - _mercator(self.south))

    @property
    def metres_per_unit(self) -> float:
        """On the ground, in the middle of the map."""
        return EARTH_RADIUS_M * float(np.cos(np.radians((self.south + self.north) / 2))) / self.scale

    @property
    def scale_bar(self) -> tuple[float, float]:
        """The greatest of 0.1, 0.2, 0.5, 1, 2 ... km that is at most a fifth of the width, and its length on the sheet."""
        most = self.width * self.metres_per_unit / 5000
        power = 10.0 ** np.floor(np.log10(most))
        km = float(max(step * power for step in (1, 2, 5) if step * power <= most * (1 + 1e-9)))
        return km, km * 1000 / self.metres_per_unit

    def place(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sheet coordinates (y downwards) of degrees, shape (n, 2)."""
        x = (np.radians(lonlat[:, 0]) - np.radians(self.west)) * self.scale
        y = (_mercator(self.north) - _mercator(lonlat[:, 1])) * self.scale
        return np.column_stack([x, y])

    @property
    def box(self) -> shapely.Geometry:
        """The frame as a polygon, in degrees."""
        return shapely.box(self.west, self.south, self.east, self.north)


def _mercator(lat: NDArray[np.float64] | float) -> NDArray[np.float64]:
    return np.asarray(np.log(np.tan(np.pi / 4 + np.radians(lat) / 2)))


def frame_of(zones: gpd.GeoDataFrame, *, margin: float = 0.02, width: float = 1000.0) -> Frame:
    """The frame that holds all neighbourhoods with a margin, no narrower than half its height and no flatter than a third."""
    w, s, e, n = (float(x) for x in zones.total_bounds)
    stretch = 1 / np.cos(np.radians((s + n) / 2))
    across, up = max(e - w, 1e-3), max((n - s) * stretch, 1e-3)
    across_wanted, up_wanted = max(across, up / 2), max(up, across / 3)
    dx = (across_wanted - across) / 2 + margin * across_wanted
    dy = ((up_wanted - up) / 2 + margin * up_wanted) / stretch
    return Frame(w - dx, s - dy, e + dx, n + dy, width)


def simple_zones(zones: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Polygons with fewer points where there are very many; shared borders stay shared. Points become discs."""
    shapes = discs(np.asarray(zones.geometry.array, dtype=object))
    points = int(shapely.get_num_coordinates(shapes).sum())
    if points <= _MOST_POINTS:
        return shapes
    coarse = shapes
    for metres in (5, 10, 20, 40, 80, 160):
        tolerance = metres / 111_000
        if bool(shapely.coverage_is_valid(shapes)):
            coarse = shapely.coverage_simplify(shapes, tolerance)
        else:
            coarse = shapely.simplify(shapes, tolerance)
        if int(shapely.get_num_coordinates(coarse).sum()) <= _MOST_POINTS:
            break
    return np.asarray(coarse, dtype=object)


def discs(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """The shapes with a disc for each point, so large that neighbours hardly touch: 0.45 of the usual way to the next one."""
    points = np.isin(shapely.get_type_id(shapes), (0, 4))
    if not points.any():
        return shapes
    at = shapely.centroid(shapes[points])
    lat = float(np.mean(shapely.get_y(at)))
    stretch = float(np.cos(np.radians(lat)))
    flat = shapely.points(shapely.get_x(at) * stretch, shapely.get_y(at))
    apart = np.zeros(0)
    if len(flat) > 1:
        _, apart = shapely.STRtree(flat).query_nearest(flat, exclusive=True, return_distance=True, all_matches=False)
    apart = apart[apart > 0]
    radius = 0.45 * float(np.median(apart)) if len(apart) else 0.003
    round_ = shapely.transform(shapely.buffer(flat, radius, quad_segs=6), lambda xy: xy / [stretch, 1.0])
    found = shapes.copy()
    found[points] = round_
    return found


def simple_lines(shapes: Iterable[shapely.Geometry], frame: Frame, *, metres: float = 8.0) -> list[shapely.Geometry]:
    """Shapes cut to the frame and simplified by so many metres; those left empty are empty, so that rows still match."""
    array = np.array(list(shapes), dtype=object)
    if not len(array):
        return []
    # Clipping keeps a line that crosses itself in one piece; an intersection would cut it at every crossing.
    lines = np.isin(shapely.get_type_id(array), (1, 2, 5))
    box = (frame.west, frame.south, frame.east, frame.north)
    cut = np.empty(len(array), dtype=object)
    cut[lines] = shapely.clip_by_rect(array[lines], *box)
    areas = array[~lines]
    wrong = ~shapely.is_valid(areas)
    areas[wrong] = shapely.make_valid(areas[wrong])
    cut[~lines] = shapely.intersection(areas, frame.box)
    return list(shapely.simplify(cut, metres / 111_000))


def big_enough(shapes: Iterable[shapely.Geometry], *, hectares: float = 1.5) -> list[shapely.Geometry]:
    """The shapes without areas too small to be seen on the map of a town; lines are kept."""
    found = []
    for shape in shapes:
        if shape is None or shape.is_empty:
            continue
        size = shape.area * 111.195**2 * 100 * float(np.cos(np.radians(shape.bounds[1])))
        if shape.area == 0 or size >= hectares:
            found.append(shape)
    return found


def network_of(
    shapes: Iterable[shapely.Geometry], frame: Frame, *, metres: float = 12.0, longest_hop_m: float = 2_500.0
) -> shapely.Geometry:
    """Many routes as one drawing, in which the same piece of street is drawn once.

    Straight pieces longer than ``longest_hop_m`` are left out: they join two stops of a route whose path is not known.
    """
    lines = sorted({_forward(line) for shape in shapes for line in _single_lines(shape)})
    pieces = [piece for line in lines for piece in _without_hops(shapely.from_wkb(line), longest_hop_m)]
    found = simple_lines(map(shapely.LineString, pieces), frame, metres=metres)
    return shapely.MultiLineString([line for shape in found for line in _single_lines(shape)])


def _single_lines(shape: shapely.Geometry) -> list[shapely.Geometry]:
    return [part for part in _parts(shape) if part.geom_type == "LineString"]


def _forward(line: shapely.Geometry) -> bytes:
    """The line's bytes, the same for both directions."""
    return min(bytes(shapely.to_wkb(line)), bytes(shapely.to_wkb(shapely.reverse(line))))


def _without_hops(line: shapely.Geometry, longest_hop_m: float) -> list[NDArray[np.float64]]:
    """The pieces of a line between its long straight hops."""
    points = shapely.get_coordinates(line)
    steps = np.diff(points, axis=0) * [np.cos(np.radians(points[0, 1])), 1.0]
    far = np.flatnonzero(np.hypot(*steps.T) * 111_195 > longest_hop_m)
    return [piece for piece in np.split(points, far + 1) if len(piece) > 1]


def rings(shape: shapely.Geometry) -> list[NDArray[np.float64]]:
    """Coordinates of every line or ring of a geometry, shape (n, 2) each; points are left out."""
    found = []
    for part in _parts(shape):
        if part.geom_type == "Polygon":
            found.append(shapely.get_coordinates(part.exterior))
            found.extend(shapely.get_coordinates(ring) for ring in part.interiors)
        elif part.geom_type in ("LineString", "LinearRing"):
            found.append(shapely.get_coordinates(part))
    return [ring for ring in found if len(ring) > 1]


def _parts(shape: shapely.Geometry | None) -> list[shapely.Geometry]:
    """Single geometries, those inside collections of collections too."""
    if shape is None or shape.is_empty:
        return []
    if not hasattr(shape, "geoms"):
        return [shape]
    return [part for child in shape.geoms for part in _parts(child)]


def svg_path(shapes: Iterable[shapely.Geometry] | NDArray[np.object_], frame: Frame) -> str:
    """The ``d`` of an SVG path of many lines and areas, with one decimal, each point written as the step from the one before.

    Single points are left out.
    """
    parts = shapely.get_parts(shapely.get_parts(np.array([*shapes], object)))
    kinds = shapely.get_type_id(parts)
    pieces = []
    for part in np.split(parts, np.flatnonzero(np.diff(kinds == 3)) + 1) if len(parts) else ():
        is_area = shapely.get_type_id(part[0]) == 3
        lines = shapely.get_rings(part) if is_area else part[np.isin(shapely.get_type_id(part), (1, 2))]
        pieces.append(_steps(lines, frame, "z" if is_area else ""))
    return "".join(pieces)


def _steps(lines: NDArray[np.object_], frame: Frame, end: str) -> str:
    """Lines or rings as parts of a path."""
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    if not len(coordinates):
        return ""
    points = np.round(frame.place(coordinates) * 10).astype(np.int64)
    begins = np.r_[True, owner[1:] != owner[:-1]]
    kept = begins | np.r_[True, np.any(points[1:] != points[:-1], axis=1)]
    points, begins = points[kept], begins[kept]
    # A line begins where it stands, a step counts from the point before.
    steps = np.where(begins[:, None], points, points - np.roll(points, 1, axis=0)) / 10
    texts = [f"{x:.10g} {y:.10g}" for x, y in steps.tolist()]
    out = []
    starts = np.flatnonzero(begins).tolist()
    for start, stop in zip(starts, [*starts[1:], len(texts)], strict=True):
        if stop - start > 1:
            out.append(f"M{texts[start]}l{' '.join(texts[start + 1 : stop])}{end}")
    return "".join(out)


def latlon_lists(shape: shapely.Geometry) -> list[list[list[float]]]:
    """Rings or lines as ``[lat, lon]`` pairs with five decimals (a metre), as the map's script wants them."""
    found = []
    for ring in rings(shape):
        points = np.round(ring[:, ::-1], 5)
        keep = np.r_[True, np.any(np.diff(points, axis=0) != 0, axis=1)]
        found.append([[float(a), float(b)] for a, b in points[keep]])
    return found


def polygon_lists(shape: shapely.Geometry) -> list[list[list[list[float]]]]:
    """Polygons, each a list of rings of ``[lat, lon]``."""
    return [latlon_lists(part) for part in _parts(shape) if part.geom_type == "Polygon"]


def label_point(shape: shapely.Geometry) -> tuple[float, float]:
    """Longitude and latitude of a point inside the shape."""
    inside = shape if shape.geom_type == "Point" else shape.representative_point()
    return float(inside.x), float(inside.y)
