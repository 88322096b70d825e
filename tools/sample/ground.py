"""Geometry of the sample: smooth courses, the warp that takes the ruler out of the drawing, and longitude and latitude."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon

from sample.plan import ORIGIN, Line

Geometry = Any
EARTH_M = 6_371_008.8

# wave length (m), height (m), direction (degrees), phase of x and of y; together they bend every straight line a little
WAVES = [(2900, 60, 25, 0.3, 1.9), (1500, 34, 110, 2.2, 0.4), (820, 19, 65, 4.1, 3.0), (430, 7, 155, 1.2, 5.2)]


def smooth(points: Line, *, closed: bool = False, step_m: float = 40.0) -> NDArray[np.float64]:
    """A Catmull-Rom curve through the points, as coordinates about ``step_m`` apart."""
    p = np.asarray(points, dtype=float)
    if len(p) < 3 and not closed:
        return p
    if closed:
        p = np.vstack([p[-1], p, p[0], p[1]])
    else:
        p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out: list[NDArray[np.float64]] = []
    for a, b, c, d in zip(p[:-3], p[1:-2], p[2:-1], p[3:], strict=True):
        n = max(2, round(float(np.hypot(*(c - b))) / step_m))
        t = np.linspace(0, 1, n, endpoint=False)[:, None]
        out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    curve = np.vstack([*out, p[-2][None, :]])
    # Hermite polynomials leave 1e-13 crumbs that differ between machines; a centimetre is enough.
    rounded: NDArray[np.float64] = np.asarray(np.round(curve, 2), dtype=np.float64)
    return rounded


def smooth_line(points: Line) -> Geometry:
    """The smooth course as a line."""
    return LineString(smooth(points))


def smooth_area(points: Line) -> Geometry:
    """The smooth outline as a polygon."""
    return Polygon(smooth(points, closed=True)).buffer(0)


def warp_points(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move points by the sum of the waves; neighbouring points move alike, so nothing is torn."""
    x, y = xy[:, 0], xy[:, 1]
    dx, dy = np.zeros_like(x), np.zeros_like(y)
    for length, height, direction, phase_x, phase_y in WAVES:
        angle = math.radians(direction)
        along = (x * math.cos(angle) + y * math.sin(angle)) * 2 * math.pi / length
        dx += height * np.sin(along + phase_x)
        dy += height * np.sin(along * 1.07 + phase_y)
    moved: NDArray[np.float64] = np.asarray(np.round(np.column_stack([x + dx, y + dy]), 2), dtype=np.float64)
    return moved


def warp(geometry: Geometry, *, step_m: float = 35.0) -> Geometry:
    """Warp a geometry, with points added so that long sides bend too."""
    return shapely.transform(shapely.segmentize(geometry, step_m), warp_points)


def to_lonlat(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from the market to longitude and latitude, to 6 decimals (0.1 m), on a plane that touches there."""
    lon0, lat0 = ORIGIN
    lat = lat0 + np.degrees(xy[:, 1] / EARTH_M)
    lon = lon0 + np.degrees(xy[:, 0] / (EARTH_M * math.cos(math.radians(lat0))))
    lonlat: NDArray[np.float64] = np.asarray(np.round(np.column_stack([lon, lat]), 6), dtype=np.float64)
    return lonlat


def lonlat_geometry(geometry: Geometry) -> Geometry:
    """A geometry in metres as one in longitude and latitude."""
    return shapely.transform(geometry, to_lonlat)


def lines_of(geometry: Geometry) -> list[Geometry]:
    """The plain lines in any geometry."""
    parts = shapely.get_parts(geometry, return_index=False)
    found: list[Geometry] = []
    for part in parts:
        if part.geom_type in ("LineString", "LinearRing") and part.length > 0:
            found.append(LineString(part.coords))
        elif part.geom_type.startswith(("Multi", "Geometry")):
            found.extend(lines_of(part))
    return found


def polygons_of(geometry: Geometry) -> list[Geometry]:
    """The plain polygons in any geometry, largest first."""
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" and part.area > 0]
    return sorted(parts, key=lambda part: (-part.area, part.centroid.x, part.centroid.y))


def largest(geometry: Geometry) -> Geometry | None:
    """The largest polygon in a geometry; None where there is none."""
    found = polygons_of(geometry)
    return found[0] if found else None


def built_edge(x: float, y: float, radius: float, wander: float, seed: int) -> Geometry:
    """A round town whose edge wanders."""
    rng = np.random.default_rng(seed)
    around = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    edge = np.ones_like(around)
    for k in (2, 3, 5, 7):
        edge += wander / k**0.5 * rng.uniform(0.4, 1) * np.sin(k * around + rng.uniform(0, 6.28))
    xy = np.column_stack([x + radius * edge * np.cos(around), y + radius * edge * np.sin(around)])
    return smooth_area([(float(a), float(b)) for a, b in np.round(xy, 1)])


def bearing_deg(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Direction from a to b in degrees, 0 to the east, counter-clockwise."""
    return math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
