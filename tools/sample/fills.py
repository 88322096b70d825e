"""How a block of town is filled with streets: terraces, semis, estates, cul-de-sacs, works, parks, a centre."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.affinity import rotate
from shapely.geometry import LineString, Point, Polygon
from shapely.ops import nearest_points, substring

from sample.ground import Geometry, bearing_deg, largest, lines_of


@dataclass(frozen=True)
class Street:
    """A street before it is joined to others: course (metres), class, homes per metre of it, and what names it."""

    line: Geometry
    highway: str
    homes_per_m: float = 0.0
    name: str = ""
    kind: str = ""
    tags: tuple[tuple[str, str], ...] = ()


def long_side_deg(area: Geometry) -> float:
    """Direction of the longer side of the smallest rectangle round an area."""
    corners = list(shapely.minimum_rotated_rectangle(area).exterior.coords)
    sides = sorted(itertools.pairwise(corners), key=lambda side: -math.dist(*side))
    return bearing_deg(*sides[0])


def grid(
    area: Geometry,
    rng: np.random.Generator,
    *,
    angle: float,
    row_m: float,
    cross_m: float,
    bend_m: float,
    keep: float,
    highway: str,
    homes: float,
    kind: str,
) -> list[Street]:
    """Rows of streets with cross streets between them; some pieces are left out, rows bend by ``bend_m``."""
    centre = area.centroid
    reach = math.hypot(area.bounds[2] - area.bounds[0], area.bounds[3] - area.bounds[1]) / 2 + row_m
    n_rows = int(2 * reach / row_m) + 1
    offsets = -reach + row_m * (np.arange(n_rows) + rng.uniform(-0.12, 0.12, n_rows))
    wave, phase = rng.uniform(520, 980), rng.uniform(0, 6.28)

    def at(u: float, v: float) -> tuple[float, float]:
        return (centre.x + u, centre.y + v + bend_m * math.sin(2 * math.pi * u / wave + phase))

    drawn: list[tuple[Geometry, float]] = []
    us = np.arange(-reach, reach + 1, 30.0)
    for v in offsets:
        drawn.append((LineString([at(float(u), float(v)) for u in us]), 1.0))
    band = 0
    while band < n_rows - 1:
        deep = int(rng.integers(2, 6))
        last = min(band + deep, n_rows - 1)
        u = -reach + rng.uniform(0, cross_m)
        while u < reach:
            if rng.random() < keep:
                drawn.append((LineString([at(float(u), float(v)) for v in offsets[band : last + 1]]), 0.45))
            u += cross_m * rng.uniform(0.8, 1.25)
        band = last
    streets: list[Street] = []
    for line, dense in drawn:
        turned = rotate(line, angle, origin=centre)
        for piece in lines_of(turned.intersection(area)):
            if piece.length > 25:
                streets.append(Street(piece, highway, homes * dense, kind=kind))
    return streets


def ring_of(area: Geometry, inset_m: float) -> Geometry | None:
    """A rounded street parallel to the edge of an area, ``inset_m`` inside; None where it does not fit."""
    inner = largest(area.buffer(-inset_m - 25).buffer(25))
    if inner is None or inner.area < 2500:
        return None
    return LineString(inner.exterior.simplify(4).coords)


def at_share(line: Geometry, share: float) -> Geometry:
    """The point at a share of a line's length, which may pass 1 on a ring."""
    return line.interpolate(share % 1.0, normalized=True)


def joins(
    ring: Geometry,
    roads: Geometry,
    rng: np.random.Generator,
    *,
    wanted: int,
    highway: str,
    homes: float,
    reach_m: float,
    kind: str = "",
) -> list[Street]:
    """Ways from a ring to the roads round it, spread, none longer than ``reach_m``."""
    found: list[Street] = []
    start = rng.random()
    for k in range(wanted * 3):
        if len(found) == wanted:
            break
        a = at_share(ring, start + k / (wanted * 3) + rng.uniform(-0.02, 0.02))
        b = nearest_points(a, roads)[1]
        if not 8 < a.distance(b) <= reach_m:
            continue
        if any(street.line.distance(a) < ring.length / (wanted * 2.5) for street in found):
            continue
        found.append(Street(LineString([a, b]), highway, homes, kind=kind))
    if not found:
        a, b = nearest_points(ring, roads)
        if 1 < a.distance(b) < 3 * reach_m:
            found.append(Street(LineString([a, b]), highway, homes, kind=kind))
    return found


def estate(area: Geometry, roads: Geometry, rng: np.random.Generator) -> list[Street]:
    """A council estate: crescents one within the other, short links between them, and footpaths that cut through."""
    rings: list[Geometry] = []
    inset = rng.uniform(48, 60)
    while (ring := ring_of(area, inset)) is not None and len(rings) < 6:
        rings.append(ring)
        inset += rng.uniform(66, 84)
    if not rings:
        return []
    streets = [Street(ring, "residential", 0.21, kind="estate") for ring in rings]
    streets += joins(rings[0], roads, rng, wanted=4, highway="residential", homes=0.1, reach_m=140, kind="estate")
    for outer, inner in itertools.pairwise(rings):
        start, n = rng.random(), max(3, round(inner.length / 260))
        for k in range(n):
            a = at_share(inner, start + (k + rng.uniform(-0.2, 0.2)) / n)
            b = nearest_points(a, outer)[1]
            kind = "residential" if k % 3 else "footway"
            streets.append(Street(LineString([a, b]), kind, 0.12 if kind == "residential" else 0.0, kind="estate"))
    streets += joins(rings[0], roads, rng, wanted=3, highway="footway", homes=0.0, reach_m=120)
    heart = Polygon(rings[-1].coords)
    if heart.area > 6000:
        a, b = at_share(rings[-1], 0.1), at_share(rings[-1], 0.57)
        streets.append(Street(LineString([a, heart.representative_point(), b]), "residential", 0.2, kind="estate"))
    return streets


def stub(base: Geometry, toward: tuple[float, float], length: float, rng: np.random.Generator) -> Geometry:
    """A cul-de-sac from a point in a direction, with a bend."""
    turn = rng.uniform(-0.5, 0.5)
    dx, dy = toward
    mid = (base.x + dx * length * 0.55, base.y + dy * length * 0.55)
    ex, ey = dx * math.cos(turn) - dy * math.sin(turn), dx * math.sin(turn) + dy * math.cos(turn)
    return LineString([(base.x, base.y), mid, (mid[0] + ex * length * 0.45, mid[1] + ey * length * 0.45)])


def cul_de_sacs(area: Geometry, roads: Geometry, rng: np.random.Generator, *, homes: float = 0.15) -> list[Street]:
    """A private estate: winding loops with cul-de-sacs to both sides, few ways in, a footpath here and there."""
    streets: list[Street] = []
    rings = [ring for inset in (82.0, 240.0, 398.0) if (ring := ring_of(area, inset)) is not None]
    if not rings:
        return []
    room = area.buffer(-14)
    taken: list[Geometry] = []
    for ring in rings:
        streets.append(Street(ring, "residential", homes, kind="close"))
        taken.append(ring)
    entries = joins(rings[0], roads, rng, wanted=3, highway="residential", homes=homes / 2, reach_m=180, kind="close")
    for outer, inner in itertools.pairwise(rings):
        for share in (rng.random(), rng.random() + 0.5):
            a = at_share(inner, share)
            entries.append(Street(LineString([a, nearest_points(a, outer)[1]]), "residential", homes / 2, kind="close"))
    streets += entries
    taken += [street.line for street in entries]
    for ring in rings:
        along = rng.uniform(20, 60)
        while along < ring.length - 20:
            here, ahead = ring.interpolate(along), ring.interpolate(along + 2)
            dx, dy = (ahead.x - here.x) / 2, (ahead.y - here.y) / 2
            for side in (1, -1):
                if rng.random() < 0.25:
                    continue
                line = stub(here, (-dy * side, dx * side), rng.uniform(48, 78), rng)
                head = substring(line, 30, line.length)
                if room.contains(line) and all(head.distance(other) > 26 for other in taken):
                    streets.append(Street(line, "residential", homes * 1.25, kind="close"))
                    taken.append(line)
                    end = Point(line.coords[-1])
                    if rng.random() < 0.3:
                        other = nearest_points(end, roads)[1]
                        if end.distance(other) < 60:
                            streets.append(Street(LineString([end, other]), "footway"))
            along += rng.uniform(58, 80)
    return streets


def centre(area: Geometry, rng: np.random.Generator) -> list[Street]:
    """Old town: small uneven blocks, a few of them for people on foot only."""
    streets = grid(
        area, rng, angle=long_side_deg(area) + rng.uniform(-9, 9), row_m=76, cross_m=95, bend_m=9, keep=0.85,
        highway="unclassified", homes=0.07, kind="centre",
    )  # fmt: skip
    return [
        Street(street.line, "pedestrian" if k % 3 == 0 else street.highway, street.homes_per_m, kind="centre")
        for k, street in enumerate(streets)
    ]


def works(area: Geometry, roads: Geometry, rng: np.random.Generator) -> list[Street]:
    """An industrial estate: one loop or spine and service roads to the yards."""
    ring = ring_of(area, 55)
    if ring is None:
        inside = area.representative_point()
        a = nearest_points(inside, roads)[1]
        return [Street(LineString([a, inside]), "service", kind="works")]
    streets = [Street(ring, "unclassified", kind="works")]
    streets += joins(ring, roads, rng, wanted=2, highway="unclassified", homes=0.0, reach_m=130, kind="works")
    heart = Polygon(ring.coords)
    for k in range(max(1, int(heart.area / 16000))):
        a = at_share(ring, (k + 0.5) / max(1, int(heart.area / 16000)) / 2)
        b = nearest_points(heart.centroid, ring)[1]
        inward = (
            LineString([a, heart.centroid]) if a.distance(b) > 30 else LineString([a, heart.representative_point()])
        )
        streets.append(Street(substring(inward, 0, inward.length * 0.45), "service", kind="works"))
    streets += joins(ring, roads, rng, wanted=2, highway="footway", homes=0.0, reach_m=110)
    return streets


def park(area: Geometry, roads: Geometry, rng: np.random.Generator) -> list[Street]:
    """A public park: a walk round it, gates on the streets, paths across."""
    ring = ring_of(area, 30)
    if ring is None:
        return []
    paths = [Street(ring, "footway", kind="park")]
    paths += joins(ring, roads, rng, wanted=5, highway="footway", homes=0.0, reach_m=90)
    middle = Polygon(ring.coords).representative_point()
    for k in range(4):
        paths.append(Street(LineString([at_share(ring, k / 4 + rng.uniform(0, 0.1)), middle]), "footway", kind="park"))
    return paths
