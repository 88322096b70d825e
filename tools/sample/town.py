"""From the drawn plan to blocks of town with a use each, and to all streets of the borough, not yet joined."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import LineString, Point, box
from shapely.ops import nearest_points

from sample import fills, plan
from sample.fills import Street
from sample.ground import Geometry, built_edge, largest, lines_of, polygons_of, smooth_area, smooth_line

BARRIER_M = {"river": 26.0, "brook": 14.0, "canal": 18.0, "railway": 20.0}
BLOCK_M2 = 260_000.0


@dataclass
class Block:
    """A block of town between main roads: its use, its place inside waters and railway, and what it is called."""

    use: str
    area: Geometry
    name: str = ""
    jobs: int = 0


@dataclass
class Town:
    """The plan as geometry, in metres and before the warp."""

    outline: Geometry
    built: Geometry
    barriers: dict[str, Geometry]
    blocks: list[Block] = field(default_factory=list)
    streets: list[Street] = field(default_factory=list)


def main_roads() -> list[Street]:
    """The drawn roads, with a few homes along those in town."""
    homes = {"primary": 0.05, "secondary": 0.05, "tertiary": 0.09, "unclassified": 0.006}
    found = []
    for road in plan.ROADS:
        tags = [(key, value) for key, value in (("ref", road.ref), ("maxspeed", road.maxspeed)) if value]
        found.append(
            Street(smooth_line(road.course), road.highway, homes.get(road.highway, 0.0), road.name, "main", tuple(tags))
        )
    network = shapely.union_all([street.line for street in found if street.highway != "service"])
    return [tied(street, network) if street.highway == "service" else street for street in found]


def tied(street: Street, network: Geometry) -> Street:
    """A short road with its outer end pulled to the road network; its inner end is the bus station's."""
    ends = [Point(street.line.coords[0]), Point(street.line.coords[-1])]
    outer = max((0, 1), key=lambda k: math.dist(ends[k].coords[0], plan.BUS_STATION))
    course = list(street.line.coords)
    course[-outer] = nearest_points(ends[outer], network)[1].coords[0]
    return Street(LineString(course), street.highway, 0.0, street.name, street.kind, street.tags)


def split(area: Geometry, rng: np.random.Generator, cuts: list[Geometry]) -> list[Geometry]:
    """Halve an area across its long side until it is a block; the cuts become local through roads."""
    if area.area < BLOCK_M2 * rng.uniform(0.75, 1.3):
        return [area]
    angle = math.radians(fills.long_side_deg(area) + 90 + rng.uniform(-14, 14))
    middle = area.centroid
    dx, dy = math.cos(angle) * 6000, math.sin(angle) * 6000
    bow = rng.uniform(-60, 60)
    along = np.linspace(-1, 1, 81)
    side = bow * (1 - (along * 6000 / 500) ** 2).clip(-3, 1)
    cut = LineString(
        np.column_stack([middle.x + dx * along - dy / 6000 * side, middle.y + dy * along + dx / 6000 * side]).round(2)
    )
    pieces = polygons_of(shapely.ops.split(area, cut)) if cut.crosses(area) else [area]
    if len(pieces) < 2:
        return [area]
    cuts.extend(line for line in lines_of(cut.intersection(area)) if line.length > 60)
    return [part for piece in pieces for part in split(piece, rng, cuts)]


def use_of(area: Geometry, rng: np.random.Generator) -> str:
    """What stands on a block, from where it lies: old towns inside, rings of estates outside."""
    at = area.centroid
    town = math.hypot(at.x, at.y)
    second = math.hypot(at.x - plan.OVERDALE[0], at.y - plan.OVERDALE[1])
    if town < 330 or second < 190:
        return "centre"
    if town < 1330 or second < 520:
        return "terrace"
    if town < 1850:
        return "terrace" if at.y > -300 and at.x > -300 and rng.random() < 0.7 else "semi"
    if town < 3500:
        return "semi" if rng.random() < 0.45 else "close"
    if second < 1500:
        return "semi" if rng.random() < 0.4 else "close"
    return "village" if rng.random() < 0.6 else "close"


def lay_blocks(town: Town, roads: list[Street], rng: np.random.Generator) -> list[Street]:
    """Cut the built-up land into blocks, give each a use; returns the local through roads between blocks."""
    barriers = [line for geometry in town.barriers.values() for line in lines_of(geometry)]
    edges = [*lines_of(town.built.boundary), *(street.line for street in roads), *barriers]
    noded = shapely.union_all([shapely.set_precision(line, 0.1) for line in edges], grid_size=0.1)
    cells = [
        cell
        for cell in polygons_of(shapely.polygonize(lines_of(noded)))
        if town.built.contains(cell.representative_point())
    ]
    cuts: list[Geometry] = []
    water = shapely.union_all([town.barriers[key].buffer(BARRIER_M[key]) for key in town.barriers])
    for cell in cells:
        for part in split(cell, rng, cuts):
            dry = largest(part.difference(water))
            if dry is not None and dry.area > 3000:
                town.blocks.append(Block(use_of(part, rng), dry))
    for block in town.blocks:
        if block.area.distance(Point(plan.JUNCTION)) < 420:
            block.use = "works"
    for use, name, at, jobs in named_sites():
        block = min(town.blocks, key=lambda block: (block.area.distance(Point(at)), -block.area.area))
        if use == "estate" and block.use not in ("semi", "close", "terrace"):
            continue
        block.use, block.name, block.jobs = use, name, jobs
    for name, at in plan.ESTATES:
        for block in town.blocks:
            if block.use in ("semi", "close") and block.area.distance(Point(at)) < 170 and math.hypot(*at) > 1500:
                block.use, block.name = "estate", name
    return [
        Street(piece, "tertiary" if line.length > 420 else "residential", 0.16, kind="through")
        for line in cuts
        for piece in lines_of(line.difference(water))
        if piece.length > 40
    ]


def named_sites() -> list[tuple[str, str, tuple[float, float], int]]:
    """Blocks whose use is drawn: use, name, a point inside, jobs."""
    sites: list[tuple[str, str, tuple[float, float], int]] = []
    sites += [("estate", name, at, 0) for name, at in plan.ESTATES]
    sites += [("works", name, at, jobs) for name, at, jobs in plan.WORKS]
    sites += [("park", name, at, 0) for name, at in plan.PARKS]
    sites += [("retail", *plan.RETAIL), ("hospital", *plan.HOSPITAL), ("college", *plan.COLLEGE)]
    return sites


def fill(block: Block, roads: Geometry, rng: np.random.Generator) -> list[Street]:
    """The streets of one block."""
    area = block.area
    near = roads.intersection(area.buffer(200))
    if near.is_empty:
        return []
    long_side = fills.long_side_deg(area)
    match block.use:
        case "centre":
            return fills.centre(area, rng)
        case "terrace":
            return fills.grid(
                area, rng, angle=long_side + rng.choice([0, 0, 90]) + rng.uniform(-6, 6), row_m=rng.uniform(50, 58),
                cross_m=rng.uniform(120, 165), bend_m=2.5, keep=0.88, highway="residential", homes=0.36, kind="terrace",
            )  # fmt: skip
        case "semi" | "village":
            return fills.grid(
                area, rng, angle=long_side + rng.uniform(-12, 12), row_m=rng.uniform(76, 92),
                cross_m=rng.uniform(170, 230), bend_m=rng.uniform(14, 34), keep=0.78, highway="residential",
                homes=0.17 if block.use == "semi" else 0.12, kind=block.use,
            )  # fmt: skip
        case "estate":
            return fills.estate(area, near, rng)
        case "close":
            return fills.cul_de_sacs(area, near, rng)
        case "park":
            return fills.park(area, near, rng)
        case _:
            return fills.works(area, near, rng)


def towpath(town: Town) -> list[Street]:
    """The path beside the canal."""
    side = town.barriers["canal"].parallel_offset(9, "left")
    return [Street(line, "path", 0.0, "Canal towpath", "path") for line in lines_of(side)]


def station_paths(roads: Geometry) -> list[Street]:
    """A path from each railway station to the nearest road that can be reached."""
    found = []
    for _, name, at in plan.STATIONS:
        spot = Point(at)
        found.append(
            Street(
                LineString([spot, nearest_points(spot, roads)[1]]), "footway", 0.0, f"{name} station approach", "path"
            )
        )
    return found


def field_paths(town: Town, roads: Geometry, rng: np.random.Generator) -> list[Street]:
    """Public footpaths and farm tracks over the hills, from one lane or town edge to another."""
    open_land = town.outline.difference(town.built.buffer(60))
    west, south, east, north = town.outline.bounds
    found: list[Street] = []
    for k in range(900):
        if len(found) == 75:
            break
        spot = Point(rng.uniform(west, east), rng.uniform(south, north))
        if not open_land.contains(spot):
            continue
        a = nearest_points(spot, roads)[1]
        away = 2 * math.pi * rng.random()
        far = Point(spot.x + 700 * math.cos(away), spot.y + 700 * math.sin(away))
        b = nearest_points(far, roads)[1]
        if a.distance(b) < 250 or spot.distance(a) > 1300:
            continue
        if a.distance(b) < 0.75 * (a.distance(spot) + spot.distance(b)):
            continue
        bent = LineString([a, spot, b]).intersection(town.outline)
        for line in lines_of(bent)[:1]:
            found.append(Street(line, "track" if k % 5 == 0 else "path", 0.004 if k % 5 == 0 else 0.0, kind="field"))
    return found


def draw_town() -> Town:
    """Everything up to, but not including, the joining of streets at their crossings."""
    rng = np.random.default_rng(plan.SEED)
    outline = smooth_area(plan.OUTLINE)
    built = shapely.union_all([built_edge(*disc, seed=plan.SEED + k) for k, disc in enumerate(plan.BUILT)])
    frame = box(-6900, -9650, 6900, 5500)
    barriers = {
        "river": smooth_line(plan.RIVER).intersection(frame),
        "brook": smooth_line(plan.BROOK).intersection(frame),
        "canal": smooth_line(plan.CANAL).intersection(frame),
        "railway": smooth_line(plan.RAILWAY).intersection(frame),
    }
    town = Town(outline, built.intersection(outline), barriers)
    roads = main_roads()
    through = lay_blocks(town, roads, rng)
    shared = [*roads, *through]
    network = shapely.union_all([street.line for street in shared])
    local = [street for block in town.blocks for street in fill(block, network, rng)]
    homes_near = shapely.union_all([street.line for street in [*shared, *local] if street.highway != "footway"])
    paths = [*towpath(town), *station_paths(homes_near), *field_paths(town, network, rng)]
    fence = outline.buffer(140)
    for street in [*shared, *local, *paths]:
        for line in lines_of(street.line.intersection(fence)):
            town.streets.append(Street(line, street.highway, street.homes_per_m, street.name, street.kind, street.tags))
    return town
