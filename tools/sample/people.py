"""Who lives where: neighbourhoods that follow streets, their people, deprivation and communities; all of it invented."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from sample import plan
from sample.ground import Geometry, largest, lines_of, lonlat_geometry, polygons_of, to_lonlat, warp, warp_points
from sample.streets import DRIVABLE, Network
from sample.town import Town

PERSONS = 136_500
NEIGHBOURHOODS = 93
SMALLEST = 800
NATION = 33_000
PER_HOME = 2.42


@dataclass(frozen=True)
class Homes:
    """Homes as points beside their streets: place (metres), persons, and the kind of street."""

    xy: NDArray[np.float64]
    persons: NDArray[np.float64]
    kind: NDArray[np.object_]


def place_homes(network: Network) -> Homes:
    """Homes every 20 m, on both sides of each street in turn, scaled to the borough's population."""
    at: list[tuple[float, float]] = []
    weight: list[float] = []
    kind: list[str] = []
    for edge in network.edges:
        street = network.streets[edge.street]
        if street.homes_per_m <= 0:
            continue
        n = max(1, round(edge.line.length / 20))
        for k in range(n):
            share = (k + 0.5) / n
            a = edge.line.interpolate(share, normalized=True)
            b = edge.line.interpolate(min(share + 0.001, 1), normalized=True)
            run = max(math.hypot(b.x - a.x, b.y - a.y), 1e-9)
            side = 14.0 if k % 2 else -14.0
            at.append((a.x - (b.y - a.y) / run * side, a.y + (b.x - a.x) / run * side))
            weight.append(street.homes_per_m * edge.line.length / n)
            kind.append(street.kind)
    persons = np.asarray(weight)
    return Homes(np.round(np.asarray(at), 2), persons * PERSONS / persons.sum(), np.asarray(kind, dtype=object))


def even_groups(
    xy: NDArray[np.float64], weight: NDArray[np.float64], n: int, seed: int, *, stride_m: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres and lifts of ``n`` groups of about equal weight (a power diagram, moved until it is even)."""
    rng = np.random.default_rng(seed)
    cell, back = np.unique(np.round(xy / stride_m), axis=0, return_inverse=True)
    weight = np.asarray(np.bincount(back.ravel(), weight, len(cell)), dtype=np.float64)
    xy = cell * stride_m
    centres = xy[rng.choice(len(xy), n, replace=False, p=weight / weight.sum())].copy()
    lift = np.zeros(n)
    target = weight.sum() / n
    for step in range(160):
        group = nearest_group(xy, centres, lift)
        total = np.maximum(np.bincount(group, weight, n), 1e-9)
        mean = np.column_stack([np.bincount(group, weight * xy[:, k], n) / total for k in (0, 1)])
        seen = total > 1e-6
        centres[seen] += (mean[seen] - centres[seen]) * (0.5 if step < 110 else 0.1)
        lift += np.clip((target - total) / target, -0.6, 0.6) * (stride_m**2 if step < 110 else (stride_m / 2) ** 2)
    return np.round(centres, 1), np.round(lift, 0)


def nearest_group(
    xy: NDArray[np.float64], centres: NDArray[np.float64], lift: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Group of each point: least squared distance less the group's lift."""
    dx, dy = xy[:, :1] - centres[:, 0], xy[:, 1:] - centres[:, 1]
    power = dx * dx + dy * dy - lift
    group: NDArray[np.int64] = power.argmin(axis=1)
    return group


def street_faces(town: Town, network: Network) -> list[Geometry]:
    """The land between streets, waters and railway, which together is the borough."""
    outline = warp(town.outline)
    lines = [edge.line for edge in network.edges if network.streets[edge.street].highway in DRIVABLE]
    waters = [warp(line) for key in ("river", "railway", "brook") for line in lines_of(town.barriers[key])]
    noded = shapely.union_all([*lines, *waters, *lines_of(outline.boundary)], grid_size=0.1)
    faces = polygons_of(shapely.polygonize(lines_of(noded)))
    return [face for face in faces if outline.contains(face.representative_point())]


def draw_neighbourhoods(town: Town, network: Network, homes: Homes) -> list[Geometry]:
    """About 90 areas of equal population whose borders run along streets; together they cover the borough."""
    centres, lift = even_groups(homes.xy, homes.persons, NEIGHBOURHOODS, plan.SEED + 1, stride_m=90.0)
    faces = street_faces(town, network)
    tree = shapely.STRtree(faces)
    spot, face = tree.query(shapely.points(homes.xy), predicate="within")
    weight = np.asarray(np.bincount(face, homes.persons[spot], len(faces)), dtype=np.float64)
    middle = shapely.get_coordinates(shapely.centroid(np.asarray(faces, dtype=object)))
    for k in (0, 1):
        moved = np.bincount(face, homes.persons[spot] * homes.xy[spot, k], len(faces))
        middle[weight > 0, k] = moved[weight > 0] / weight[weight > 0]
    group = in_one_piece(faces, nearest_group(np.round(middle, 1), centres, lift), weight)
    areas = [shapely.union_all([faces[k] for k in np.flatnonzero(group == g)]) for g in sorted(set(group.tolist()))]
    return list(shapely.coverage_simplify([area for area in areas if not area.is_empty], 7.0))


def in_one_piece(faces: list[Geometry], group: NDArray[np.int64], weight: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give outlying pieces of a group to the neighbour with the longest common border."""
    tree = shapely.STRtree(faces)
    a, b = tree.query(faces, predicate="intersects")
    border: dict[int, list[tuple[int, float]]] = {k: [] for k in range(len(faces))}
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        if i < j:
            common = faces[i].boundary.intersection(faces[j].boundary).length
            if common > 0.5:
                border[i].append((j, common))
                border[j].append((i, common))
    group = group.copy()
    for _ in range(12):
        total = np.bincount(group, weight, NEIGHBOURHOODS)
        small = [g for g in sorted(set(group.tolist())) if total[g] < SMALLEST]
        if small:
            join_smallest(min(small, key=lambda g: (total[g], g)), group, border)
        piece = pieces_of(group, border)
        size = np.bincount(piece, weight + 1e-3)
        best: dict[int, tuple[float, int]] = {}
        for p, g in sorted(set(zip(piece.tolist(), group.tolist(), strict=True))):
            best[g] = max(best.get(g, (-1.0, -1)), (float(size[p]), p))
        stray = [k for k in range(len(faces)) if best[int(group[k])][1] != piece[k]]
        if not stray and not small:
            break
        for p in sorted({int(piece[k]) for k in stray}):
            touch: dict[int, float] = {}
            members = np.flatnonzero(piece == p)
            for k in members.tolist():
                for j, common in border[k]:
                    if piece[j] != p:
                        touch[int(group[j])] = touch.get(int(group[j]), 0.0) + common
            if touch:
                group[members] = max(sorted(touch), key=lambda g: touch[g])
    return group


def join_smallest(small: int, group: NDArray[np.int64], border: dict[int, list[tuple[int, float]]]) -> None:
    """Hand a group that has too few people to the neighbour with which it shares most border."""
    touch: dict[int, float] = {}
    for k in np.flatnonzero(group == small).tolist():
        for j, common in border[k]:
            if group[j] != small:
                touch[int(group[j])] = touch.get(int(group[j]), 0.0) + common
    if touch:
        group[group == small] = max(sorted(touch), key=lambda g: touch[g])


def pieces_of(group: NDArray[np.int64], border: dict[int, list[tuple[int, float]]]) -> NDArray[np.int64]:
    """Number of the connected piece that each face belongs to."""
    piece = np.full(len(group), -1)
    for start in range(len(group)):
        if piece[start] >= 0:
            continue
        piece[start] = start
        waiting = [start]
        while waiting:
            k = waiting.pop()
            for j, _ in border[k]:
                if piece[j] < 0 and group[j] == group[k]:
                    piece[j] = start
                    waiting.append(j)
    return piece


def ward_names(centres: NDArray[np.float64], named: NDArray[np.int64], n: int) -> list[str]:
    """A name for each ward from the place nearest to it, each place once."""
    places = [(name, warp_points(np.asarray([at], float))[0]) for kind, name, at in plan.PLACES if kind != "hamlet"]
    names = [""] * n
    pairs = []
    for w in range(n):
        middle = centres[named == w].mean(axis=0)
        pairs += [(float(np.hypot(*(middle - at))), w, name) for name, at in places]
    for _, w, name in sorted(pairs):
        if not names[w] and name not in names:
            names[w] = name
    return names


def smooth_noise(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """A gentle surface between about -1 and 1: places close to each other are alike."""
    x, y = xy[:, 0], xy[:, 1]
    wave: NDArray[np.float64] = 0.6 * np.sin(x / 900 + 1.1) * np.cos(y / 1300) + 0.4 * np.sin((x - y) / 1700 + 0.4)
    return wave


def make_people(town: Town, network: Network) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Neighbourhoods with every column about their people, and their population-weighted centroids.

    Returns
    -------
    areas : GeoDataFrame in metres
        id, name, ward, persons, households, rank, decile, income_rank, aldish, karevi, other_groups, geometry.
    centres : DataFrame
        id, lon, lat of the home nearest to the mean of all homes.
    """
    homes = place_homes(network)
    areas = draw_neighbourhoods(town, network, homes)
    tree = shapely.STRtree(areas)
    found = tree.query_nearest(shapely.points(homes.xy), all_matches=False)
    where = np.empty(len(homes.xy), int)
    where[found[0]] = found[1]
    n = len(areas)
    persons = np.bincount(where, homes.persons, n)
    middle = np.column_stack([np.bincount(where, homes.persons * homes.xy[:, k], n) / persons for k in (0, 1)])
    ones = np.ones(n)
    middle_group = nearest_group(middle, *even_groups(middle, ones, 17, plan.SEED + 2, stride_m=400.0))
    ward = nearest_group(middle, *even_groups(middle, ones, 16, plan.SEED + 3, stride_m=400.0))
    # numbered from the north, as statisticians do
    order = sorted(range(17), key=lambda g: -middle[middle_group == g, 1].mean() if (middle_group == g).any() else 1e9)
    number = {g: k + 1 for k, g in enumerate(order)}
    names = ward_names(middle, ward, 16)
    rows = sorted(range(n), key=lambda k: (number[int(middle_group[k])], -middle[k, 1]))
    letter: dict[int, int] = {}
    table: list[dict[str, Any]] = []
    rng = np.random.default_rng(plan.SEED + 4)
    share = {kind: np.bincount(where, homes.persons * (homes.kind == kind), n) / persons for kind in set(homes.kind)}
    score = deprivation_score(share, middle, rng)
    rank, income = national_rank(score, rng), national_rank(score + rng.normal(0, 0.22, n), rng)
    karevi, other = community_shares(share, middle, rng)
    for k in rows:
        g = number[int(middle_group[k])]
        letter[g] = letter.get(g, -1) + 1
        total = round(float(persons[k]))
        a, b = round(total * karevi[k]), round(total * other[k])
        table.append({
            "id": f"X{1_000_001 + len(table):08d}", "name": f"{plan.BOROUGH} {g:03d}{chr(65 + letter[g])}",
            "ward": names[int(ward[k])], "persons": total, "households": round(total / PER_HOME),
            "rank": int(rank[k]), "decile": (int(rank[k]) - 1) * 10 // NATION + 1, "income_rank": int(income[k]),
            "aldish": total - a - b, "karevi": a, "other_groups": b, "geometry": areas[k],
        })  # fmt: skip
    centres = []
    for k, row in zip(rows, table, strict=True):
        mine = np.flatnonzero(where == k)
        nearest = mine[np.hypot(*(homes.xy[mine] - middle[k]).T).argmin()]
        lon, lat = to_lonlat(homes.xy[[nearest]])[0]
        centres.append({"id": row["id"], "lon": lon, "lat": lat})
    return gpd.GeoDataFrame(table, geometry="geometry"), pd.DataFrame(centres)


def deprivation_score(
    share: dict[str, NDArray[np.float64]], middle: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """High where people have least: old terraces inside, estates outside, and what is near them."""
    zero = np.zeros(len(middle))
    town = np.hypot(middle[:, 0], middle[:, 1])
    score = 5.0 * share.get("estate", zero) + 1.7 * share.get("terrace", zero) * np.exp(-((town / 2600) ** 2))
    score += 1.1 * share.get("terrace", zero) + 1.0 * share.get("centre", zero)
    score -= 0.9 * share.get("close", zero) + 1.1 * share.get("village", zero) + 0.9 * share.get("field", zero)
    noisy: NDArray[np.float64] = score + 0.55 * smooth_noise(middle) + rng.normal(0, 0.28, len(middle))
    return noisy


def national_rank(score: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Rank in an invented nation (1 the most deprived), as skewed as a mill town's: a third in the first tenth."""
    place = (np.argsort(np.argsort(-score)) + 0.5) / len(score)
    rank = np.unique(np.round(NATION * 0.985 * place**2.15).astype(int) + 40)
    while len(rank) < len(score):  # two of the first may have met in one rank
        rank = np.unique(np.append(rank, rank[-1] + int(rng.integers(3, 60))))
    ranked: NDArray[np.int64] = np.sort(rank)[np.argsort(np.argsort(-score))]
    return ranked


def community_shares(
    share: dict[str, NDArray[np.float64]], middle: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the invented Karevi community, which settled in terraces north and east of the centre, and of others."""
    n = len(middle)
    near = np.exp(-((np.hypot(middle[:, 0], middle[:, 1]) / 2100) ** 2))
    toward = np.cos(np.arctan2(middle[:, 1], middle[:, 0]) - math.radians(55))
    second = np.exp(-((np.hypot(middle[:, 0] - plan.OVERDALE[0], middle[:, 1] - plan.OVERDALE[1]) / 500) ** 2))
    terrace = share.get("terrace", np.zeros(n))
    odds = -3.9 + 3.1 * terrace * near + 3.0 * toward * near + 1.6 * near + 1.4 * second + rng.normal(0, 0.35, n)
    karevi = 0.9 / (1 + np.exp(-odds))
    other = np.clip(0.035 + 0.06 * near + rng.normal(0, 0.012, n), 0.012, 0.14)
    return karevi, other


def to_file_geometry(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The neighbourhoods in longitude and latitude, each one valid polygon."""
    geometry = [lonlat_geometry(largest(area)) for area in areas.geometry]
    return areas.set_geometry(gpd.GeoSeries(geometry, index=areas.index, crs="EPSG:4326"))
