"""Where people go: works, town centres and shared spaces of the invented borough, and what else its map shows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import LineString, Point

from sample import plan
from sample.ground import (
    Geometry,
    largest,
    lines_of,
    lonlat_geometry,
    smooth_area,
    smooth_line,
    to_lonlat,
    warp,
    warp_points,
)
from sample.streets import Network
from sample.town import Town

# kind, OSM tag, name, near which drawn point
SPACES: list[tuple[str, str, str, tuple[float, float]]] = [
    ("library", "amenity=library", "Millgate Central Library", (110, 190)),
    ("library", "amenity=library", "Overdale Library", (1820, -5950)),
    ("library", "amenity=library", "Roman Bank Library", (-1750, -1750)),
    ("library", "amenity=library", "Brunswick Library", (-560, 1010)),
    ("library", "amenity=library", "Mill Hill Library", (960, -6450)),
    ("community_centre", "amenity=community_centre", "Audley Community Hub", (860, 760)),
    ("community_centre", "amenity=community_centre", "Brunswick Neighbourhood Centre", (-720, 1010)),
    ("community_centre", "amenity=community_centre", "Shadbrook Community Centre", (2750, 180)),
    ("community_centre", "amenity=community_centre", "Roman Bank Centre", (-2000, -1850)),
    ("community_centre", "amenity=community_centre", "Mill Brow Tenants' Hall", (-2150, 1750)),
    ("community_centre", "amenity=community_centre", "Highercroft Community House", (330, -2560)),
    ("community_centre", "amenity=community_centre", "Whitebrook Hall", (1850, 1980)),
    ("community_centre", "amenity=community_centre", "Hollin Bank Institute", (-250, -1300)),
    ("community_centre", "amenity=community_centre", "Withinshaw Village Hall", (4600, -2350)),
    ("community_centre", "amenity=community_centre", "Hagg End Village Hall", (-4650, 2400)),
    ("community_centre", "amenity=community_centre", "Spring Heights Centre", (2650, -6250)),
    ("community_centre", "amenity=community_centre", "Nab Reading Room", (1000, -3500)),
    ("community_centre", "amenity=community_centre", "Cloughfoot Institute", (2420, -7850)),
    ("market", "amenity=marketplace", "Millgate Market Hall", (40, -60)),
    ("market", "amenity=marketplace", "Overdale Market", (1900, -6120)),
    ("leisure_centre", "leisure=sports_centre", "Millgate Baths", (-480, -120)),
    ("leisure_centre", "leisure=sports_centre", "Parkway Leisure Centre", (1350, -1650)),
    ("leisure_centre", "leisure=sports_centre", "Overdale Leisure Centre", (2180, -5750)),
    ("museum", "tourism=museum", "Museum of the Loom", (240, 120)),
    ("place_of_worship", "amenity=place_of_worship", "Parish Church of the Weavers", (130, 70)),
    ("place_of_worship", "amenity=place_of_worship", "Audley Prayer Hall", (760, 900)),
    ("place_of_worship", "amenity=place_of_worship", "Brunswick Prayer Hall", (-380, 1090)),
    ("place_of_worship", "amenity=place_of_worship", "Northgate Prayer Hall", (190, 900)),
    ("place_of_worship", "amenity=place_of_worship", "Stonerake Road Prayer Hall", (1000, 640)),
    ("place_of_worship", "amenity=place_of_worship", "Queen's Park Temple", (1080, 180)),
    ("place_of_worship", "amenity=place_of_worship", "Hollin Bank Chapel", (-450, -1150)),
    ("place_of_worship", "amenity=place_of_worship", "Westholme Chapel", (-1700, -200)),
    ("place_of_worship", "amenity=place_of_worship", "Bolder Lane Chapel", (-900, -1700)),
    ("place_of_worship", "amenity=place_of_worship", "Shadbrook Church", (2580, -60)),
    ("place_of_worship", "amenity=place_of_worship", "Roman Bank Church", (-2100, -1400)),
    ("place_of_worship", "amenity=place_of_worship", "Mill Brow Church", (-1850, 2000)),
    ("place_of_worship", "amenity=place_of_worship", "Moorgate Chapel", (120, 2600)),
    ("place_of_worship", "amenity=place_of_worship", "Overdale Parish Church", (2000, -5960)),
    ("place_of_worship", "amenity=place_of_worship", "Overdale Prayer Hall", (1640, -6180)),
    ("place_of_worship", "amenity=place_of_worship", "Withinshaw Church", (4500, -2330)),
    ("place_of_worship", "amenity=place_of_worship", "Hagg End Chapel", (-4780, 2330)),
    ("place_of_worship", "amenity=place_of_worship", "Cloughfoot Church", (2350, -7930)),
    ("", "shop=supermarket", "Tentercroft Superstore", (1900, 620)),
    ("", "shop=supermarket", "Westgate Foods", (-560, 140)),
    ("", "shop=supermarket", "Audley Cash and Carry", (1150, 750)),
    ("", "shop=supermarket", "Roman Bank Stores", (-1850, -1650)),
    ("", "shop=supermarket", "Overdale Co-operative", (1820, -6200)),
    ("", "shop=supermarket", "Moorgate Foods", (180, 2300)),
    ("", "shop=supermarket", "Highercroft Stores", (820, -2350)),
    ("", "shop=supermarket", "Nab Stores", (1100, -3600)),
    ("", "amenity=doctors", "Northgate Surgery", (250, 700)),
    ("", "amenity=doctors", "Roman Bank Health Centre", (-1800, -1900)),
    ("", "amenity=doctors", "Shadbrook Surgery", (2480, 180)),
    ("", "amenity=doctors", "Overdale Health Centre", (1720, -5900)),
    ("", "amenity=doctors", "Hollin Bank Surgery", (-500, -1000)),
    ("", "amenity=doctors", "Mill Brow Surgery", (-1750, 1850)),
    ("", "amenity=doctors", "Highercroft Surgery", (900, -2500)),
]


@dataclass(frozen=True)
class Feature:
    """Something on the map: OSM tags, and a point, line or polygon in metres after the warp."""

    tags: dict[str, str]
    geometry: Geometry


def beside_street(at: tuple[float, float], network: Network, tree: shapely.STRtree) -> Geometry:
    """A point 16 m from the street nearest to a drawn point."""
    spot = Point(warp_points(np.asarray([at], float))[0])
    line = network.edges[int(tree.nearest(spot))].line
    foot = line.interpolate(line.project(spot))
    away = math.hypot(spot.x - foot.x, spot.y - foot.y)
    if away < 1:
        return Point(round(foot.x + 11, 2), round(foot.y + 11, 2))
    return Point(round(foot.x + (spot.x - foot.x) / away * 16, 2), round(foot.y + (spot.y - foot.y) / away * 16, 2))


def spaces(network: Network) -> list[tuple[str, Feature]]:
    """The places of the list with their kind, each beside a street."""
    edges = [
        edge.line if network.streets[edge.street].highway not in ("path", "track") else Point(1e6, 1e6)
        for edge in network.edges
    ]
    tree = shapely.STRtree(edges)
    found = []
    for kind, tag, name, at in SPACES:
        key, value = tag.split("=")
        found.append((kind, Feature({key: value, "name": name}, beside_street(at, network, tree))))
    return found


def sites(town: Town, use: str) -> list[tuple[str, int, Geometry]]:
    """Named blocks of one use: name, jobs, and their land in metres after the warp."""
    names = sorted({block.name for block in town.blocks if block.use == use and block.name})
    found = []
    for name in names:
        mine = [block for block in town.blocks if block.use == use and block.name == name]
        if name == "Junction 5 Business Park":
            mine += [block for block in town.blocks if block.use == use and not block.name]
        land = largest(shapely.union_all([block.area.buffer(9) for block in mine]).buffer(-14))
        if land is not None:
            found.append((name, sum(block.jobs for block in mine), warp(land.simplify(2))))
    return found


def centre_of(at: tuple[float, float], radius: float) -> Geometry:
    """The land of a town centre."""
    return warp(Point(at).buffer(radius, quad_segs=6))


def employment(town: Town) -> gpd.GeoDataFrame:
    """Employment zones with jobs, in longitude and latitude; the hospital is a point, the others are areas."""
    zones = [("industrial", *site) for site in sites(town, "works")]
    zones += [("retail", *site) for site in sites(town, "retail")]
    zones.append(("town_centre", "Millgate town centre", 8200, centre_of(plan.MARKET, 330)))
    zones.append(("town_centre", "Overdale town centre", 1900, centre_of(plan.OVERDALE, 190)))
    zones += [("hospital", name, jobs, land.representative_point()) for name, jobs, land in sites(town, "hospital")]
    zones += [("education", *site) for site in sites(town, "college")]
    rows = [
        {"id": f"E{k + 1:02d}", "name": name, "kind": kind, "jobs": jobs, "geometry": lonlat_geometry(land)}
        for k, (kind, name, jobs, land) in enumerate(zones)
    ]
    return gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:4326")


def shared_spaces(town: Town, network: Network) -> gpd.GeoDataFrame:
    """Shared spaces with their kind: points, and the parks and the college as areas."""
    rows = [
        {"name": feature.tags["name"], "kind": kind, "geometry": lonlat_geometry(feature.geometry)}
        for kind, feature in spaces(network)
        if kind
    ]
    rows += [{"name": name, "kind": "park", "geometry": lonlat_geometry(land)} for name, _, land in sites(town, "park")]
    rows += [
        {"name": name, "kind": "college", "geometry": lonlat_geometry(land)} for name, _, land in sites(town, "college")
    ]
    table = [{"id": f"S{k + 1:03d}", **row} for k, row in enumerate(rows)]
    return gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")


def scenery(town: Town) -> list[Feature]:
    """Everything on the map but streets: waters, railway, land, places."""
    found: list[Feature] = []
    for key, tags, half in [
        ("river", {"waterway": "river", "name": "River Hask"}, 9.0),
        ("brook", {"waterway": "stream", "name": "Withy Brook"}, 0.0),
        ("canal", {"waterway": "canal", "name": "Millgate and Port Canal"}, 5.0),
        ("railway", {"railway": "rail", "name": "Hask Valley Line"}, 0.0),
    ]:
        for line in lines_of(town.barriers[key]):
            course = shapely.simplify(warp(line), 1.5)
            found.append(Feature(tags, course))
            if half:
                found.append(
                    Feature(
                        {"natural": "water", "water": key, "name": tags["name"]}, course.buffer(half, cap_style="flat")
                    )
                )
    land = {
        "park": {"leisure": "park"},
        "works": {"landuse": "industrial"},
        "retail": {"landuse": "retail"},
        "hospital": {"amenity": "hospital"},
        "college": {"amenity": "college"},
    }
    for use, tags in land.items():
        found += [Feature({**tags, "name": name}, area) for name, _, area in sites(town, use)]
    for names, tags in [
        (plan.MOORS, {"natural": "heath"}),
        (plan.WOODS, {"natural": "wood"}),
        (plan.WATERS, {"natural": "water"}),
    ]:
        for name, course in names:
            area = smooth_area(course).difference(town.built.buffer(20)).intersection(town.outline)
            found.append(Feature({**tags, "name": name}, warp(largest(area)).simplify(3)))
    for name, _, area in sites(town, "park"):
        if area.area > 60_000:
            pond = area.centroid.buffer(24, quad_segs=4)
            found.append(Feature({"natural": "water", "water": "pond", "name": f"{name} pond"}, pond))
    for part in shapely.get_parts(town.built):
        if part.geom_type == "Polygon":
            found.append(Feature({"landuse": "residential"}, warp(part.simplify(8)).simplify(6)))
    for kind, name, at in plan.PLACES:
        found.append(Feature({"place": kind, "name": name}, Point(warp_points(np.asarray([at], float))[0])))
    return found


def motorway(network: Network) -> list[Feature]:
    """Two carriageways and the slip roads of junction 5; they cross the other roads on bridges."""
    course = warp(smooth_line(plan.MOTORWAY))
    end = Point(warp_points(np.asarray([(4250.0, 3350.0)]))[0])
    middle = course.project(end)
    found = []
    for side in (11.0, -11.0):
        lane = shapely.simplify(course.offset_curve(side), 1.0)
        # the carriageway to the east is the southern one: traffic keeps left
        ahead = lane if side > 0 else shapely.reverse(lane)
        off, on = (
            course.interpolate(middle - math.copysign(420, side)),
            course.interpolate(middle + math.copysign(420, side)),
        )
        stops = sorted(ahead.project(spot) for spot in (off, on))
        cut = shapely.line_locate_point(ahead, [Point(c) for c in ahead.coords]).tolist()
        xy = sorted([*zip(cut, ahead.coords, strict=True), *((s, ahead.interpolate(s).coords[0]) for s in stops)])
        found.append(
            Feature(
                {"highway": "motorway", "ref": "M95", "oneway": "yes", "maxspeed": "70 mph"},
                LineString([c for _, c in xy]),
            )
        )
        leave, enter = (ahead.interpolate(s).coords[0] for s in stops)
        for slip in ([leave, end.coords[0]], [end.coords[0], enter]):
            found.append(Feature({"highway": "motorway_link", "oneway": "yes"}, LineString(slip)))
    return found


def stations() -> list[tuple[str, Geometry]]:
    """Name and place of the railway stations, on the line."""
    line = warp(smooth_line(plan.RAILWAY))
    spots = warp_points(np.asarray([at for _, _, at in plan.STATIONS], float))
    return [
        (name, line.interpolate(line.project(Point(spot))))
        for (_, name, _), spot in zip(plan.STATIONS, spots, strict=True)
    ]


def development_sites(town: Town) -> pd.DataFrame:
    """Invented sites for new homes: fields at the edge of town, old works inside it, and one far out on the moor."""
    rng = np.random.default_rng(plan.SEED + 9)
    edge = largest(town.built)
    assert edge is not None
    rows: list[dict[str, Any]] = []
    for k in range(30):
        at = edge.exterior.interpolate((k + rng.uniform(0.1, 0.9)) / 30, normalized=True)
        rows.append({"xy": (at.x, at.y), "name": "Land at the edge of", "homes": int(rng.integers(4, 60)) * 10})
    for x, y in rng.normal(0, 900, (8, 2)).round(1).tolist():
        rows.append({"xy": (x, y), "name": "Former works in", "homes": int(rng.integers(2, 16)) * 10})
    for x, y in (np.asarray(plan.OVERDALE) + rng.normal(0, 500, (4, 2)).round(1)).tolist():
        rows.append({"xy": (x, y), "name": "Infill in", "homes": int(rng.integers(1, 9)) * 10})
    rows.append({"xy": (5150.0, -4550.0), "name": "Quarry by", "homes": 120})
    spots = warp_points(np.asarray([row["xy"] for row in rows], float))
    named = [(name, Point(warp_points(np.asarray([at], float))[0])) for _, name, at in plan.PLACES]
    lonlat = to_lonlat(spots).tolist()
    table = []
    for k, (row, spot, (lon, lat)) in enumerate(zip(rows, spots, lonlat, strict=True)):
        near = min(named, key=lambda item: item[1].distance(Point(spot)))[0]
        table.append(
            {
                "id": f"D{k + 1:02d}",
                "name": f"{row['name']} {near} ({k + 1})",
                "lon": lon,
                "lat": lat,
                "homes": row["homes"],
                "year": 2027 + k % 6,
            }
        )
    return pd.DataFrame(table)
