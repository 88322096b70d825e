"""Shapes for the page: simplified, cut to the frame, as SVG paths and as short lists for the map's script."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

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
    return list(shapely.simplify(cut_to(shapes, frame), metres / 111_000))


def cut_to(shapes: Iterable[shapely.Geometry], frame: Frame) -> NDArray[np.object_]:
    """Shapes cut to the frame; those left empty are empty."""
    array = np.array(list(shapes), dtype=object)
    # Clipping keeps a line that crosses itself in one piece; an intersection would cut it at every crossing.
    lines = np.isin(shapely.get_type_id(array), (1, 2, 5))
    box = (frame.west, frame.south, frame.east, frame.north)
    cut = np.empty(len(array), dtype=object)
    cut[lines] = shapely.clip_by_rect(array[lines], *box)
    areas = array[~lines]
    wrong = ~shapely.is_valid(areas)
    areas[wrong] = shapely.make_valid(areas[wrong])
    cut[~lines] = shapely.intersection(areas, frame.box)
    return cut


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
    return joined_lines(simple_lines(pieces_of(shapes, longest_hop_m=longest_hop_m), frame, metres=metres))


def joined_lines(shapes: Iterable[shapely.Geometry]) -> shapely.Geometry:
    """All lines of some shapes as one."""
    return shapely.MultiLineString(list(_single_lines(shapes)))


def pieces_of(shapes: Iterable[shapely.Geometry], *, longest_hop_m: float = 2_500.0) -> NDArray[np.object_]:
    """The different lines of many routes, whichever way they run, in pieces between their long straight hops."""
    lines = _single_lines(shapes)
    both = zip(shapely.to_wkb(lines).tolist(), shapely.to_wkb(shapely.reverse(lines)).tolist(), strict=True)
    different = np.array(sorted({min(ways) for ways in both}), dtype=object)
    points, line = shapely.get_coordinates(shapely.from_wkb(different), return_index=True)
    if not len(points):
        return np.empty(0, dtype=object)
    begins = np.r_[True, line[1:] != line[:-1]]
    at = points[np.flatnonzero(begins)[line], 1]  # a line is measured where it begins
    steps = np.diff(points, axis=0) * np.column_stack([np.cos(np.radians(at[1:])), np.ones(len(at) - 1)])
    begins[1:] |= np.hypot(*steps.T) * 111_195 > longest_hop_m
    piece = np.cumsum(begins) - 1
    kept = (np.bincount(piece) > 1)[piece]
    _, piece = np.unique(piece[kept], return_inverse=True)
    found: NDArray[np.object_] = shapely.linestrings(points[kept], indices=piece)
    return found


def _single_lines(shapes: Iterable[shapely.Geometry]) -> NDArray[np.object_]:
    parts, _ = _parts(shapes)
    found: NDArray[np.object_] = parts[(shapely.get_type_id(parts) == 1) & ~shapely.is_empty(parts)]
    return found


def _parts(shapes: Iterable[shapely.Geometry]) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Single geometries, those inside collections of collections too, and the shape that each belongs to."""
    parts, owner = shapely.get_parts(np.array(list(shapes), dtype=object), return_index=True)
    while bool((shapely.get_type_id(parts) > 3).any()):
        parts, inner = shapely.get_parts(parts, return_index=True)
        owner = owner[inner]
    return parts, owner


class Rings(NamedTuple):
    """Every line and ring of some shapes, in their order; points are left out.

    Attributes
    ----------
    points : float64, shape (n, 2)
    ring : int64, shape (n,)
        Which line or ring each point is of.
    part, shape : int64, shape (n_rings,)
        Which polygon (or line) each is of, numbered through all shapes, and which shape.
    is_area : bool, shape (n_rings,)
        Rings of a polygon.
    """

    points: NDArray[np.float64]
    ring: NDArray[np.int64]
    part: NDArray[np.int64]
    shape: NDArray[np.int64]
    is_area: NDArray[np.bool_]


def rings_of(shapes: Iterable[shapely.Geometry]) -> Rings:
    """Coordinates of every line or ring of some shapes."""
    parts, owner = _parts(shapes)
    kind = shapely.get_type_id(parts)
    areas, lines = np.flatnonzero(kind == 3), np.flatnonzero(((kind == 1) | (kind == 2)) & ~shapely.is_empty(parts))
    outlines, of = shapely.get_rings(parts[areas], return_index=True)
    part = np.concatenate([areas[of], lines])
    order = np.argsort(part, kind="stable")
    points, ring = shapely.get_coordinates(np.concatenate([outlines, parts[lines]])[order], return_index=True)
    return Rings(points, ring, part[order], owner[part[order]], (kind == 3)[part[order]])


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


Ring = list[list[float]]


def latlon_lists(shapes: Iterable[shapely.Geometry]) -> list[list[Ring]]:
    """Of each shape its rings or lines as ``[lat, lon]`` pairs with five decimals (a metre), as the map's script wants them."""
    shapes = list(shapes)
    found: list[list[Ring]] = [[] for _ in shapes]
    rings = rings_of(shapes)
    for shape, line in zip(rings.shape.tolist(), _latlon(rings), strict=True):
        found[shape].append(line)
    return found


def polygon_lists(shapes: Iterable[shapely.Geometry]) -> list[list[list[Ring]]]:
    """Of each shape its polygons, each a list of rings of ``[lat, lon]``."""
    shapes = list(shapes)
    found: list[list[list[Ring]]] = [[] for _ in shapes]
    rings, last = rings_of(shapes), -1
    several = zip(rings.shape.tolist(), rings.part.tolist(), rings.is_area.tolist(), _latlon(rings), strict=True)
    for shape, part, is_area, line in several:
        if is_area and part != last:
            found[shape].append([])
        if is_area:
            found[shape][-1].append(line)
        last = part
    return found


def _latlon(rings: Rings) -> list[Ring]:
    """Each ring without points that lie on the one before."""
    points = np.round(rings.points[:, ::-1], 5)
    kept = np.r_[True, (rings.ring[1:] != rings.ring[:-1]) | np.any(points[1:] != points[:-1], axis=1)][: len(points)]
    texts = points[kept].tolist()
    ends = np.cumsum(np.bincount(rings.ring[kept], minlength=len(rings.part))).tolist()
    return [texts[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def label_point(shape: shapely.Geometry) -> tuple[float, float]:
    """Longitude and latitude of a point inside the shape."""
    inside = shape if shape.geom_type == "Point" else shape.representative_point()
    return float(inside.x), float(inside.y)
