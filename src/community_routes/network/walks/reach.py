"""What part of the streets can be reached on foot by when: stretches of streets by bands of time, and the land beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from community_routes.base.earth import EARTH_RADIUS_M
from community_routes.network.streets.graph import StreetGraph, wrapped
from community_routes.network.streets.paths import Part, course
from community_routes.network.streets.search import Spots, earliest_times
from community_routes.network.streets.streets import Streets
from community_routes.network.walks.links import CrowFly, Ground, Linked, link_points
from community_routes.network.walks.points import Points

_METRES_A_DEGREE: Final = math.radians(1.0) * EARTH_RADIUS_M
_BESIDE_M: Final = 60.0
"""How far from a reached street the land counts as reached, when an area is drawn."""


class _Stretches(NamedTuple):
    """Pieces of edges between two places whose times are known: the whole edge, or between spots on it."""

    edge: NDArray[np.int64]
    low_m: NDArray[np.float64]
    high_m: NDArray[np.float64]
    low_s: NDArray[np.float64]
    high_s: NDArray[np.float64]
    low_left_m: NDArray[np.float64]
    high_left_m: NDArray[np.float64]


def reach_along_streets(
    streets: Streets,
    lonlat: ArrayLike,
    limits_s: Sequence[int],
    speed_kmh: float,
    *,
    already_s: ArrayLike | None = None,
    walk_limit_s: float | None = None,
    link_m: float = 300.0,
    towards: bool = False,
) -> gpd.GeoDataFrame:
    """Stretches of street reached within each limit and not within the one before.

    Parameters
    ----------
    streets : Streets
    lonlat : (lon, lat) or array of shape (n, 2)
        Where the walks begin: one place, or many (the stops where one alights).
    limits_s : sequence of int
        Limits in seconds, rising.
    speed_kmh : float
    already_s : float or array of shape (n,), optional
        Seconds that have passed when each walk begins; 0 when left out. What is infinite or NaN is left out.
    walk_limit_s : float, optional
        The longest walk from any place; the last limit when left out.
    link_m : float
        As in ``link_points``: the walk to the street counts.
    towards : bool
        Walks end at the places instead of beginning there (only ``oneway:foot`` makes a difference).

    Returns
    -------
    GeoDataFrame
        ``limit_s`` and a MultiLineString for each limit, in their order (EPSG:4326); the line is empty where nothing more
        is reached. Where walks from several places meet on a street, the earlier counts; close to the limit of a single
        walk a stretch between two junctions may be drawn shorter than it could be.

    Raises
    ------
    ValueError
        Limits do not rise or are below zero, or the speed is not positive.
    """
    limits = _checked_limits(limits_s, speed_kmh)
    points, begin_s = _starts(lonlat, already_s)
    linked = link_points(streets, points, link_m=link_m)
    rows = np.flatnonzero(linked.linked & np.isfinite(begin_s))
    second_a_metre = 3.6 / speed_kmh
    walk_m = (limits[-1] if walk_limit_s is None else walk_limit_s) / second_a_metre
    spots = Spots(linked.edge[rows], linked.position_m[rows], linked.link_m[rows], begin_s[rows])
    graph = streets.graph
    steps, edges = graph.walked(turned=towards)
    node_s, left_m = earliest_times(steps, edges, spots, second_a_metre, walk_m, limits[-1])
    stretches = _stretches(graph, edges.flags, node_s, left_m, linked, rows, begin_s, second_a_metre, walk_m)
    lines = _bands(graph, stretches, limits, second_a_metre)
    return gpd.GeoDataFrame({"limit_s": limits.astype(np.int64)}, geometry=lines, crs="EPSG:4326")


def _checked_limits(limits_s: Sequence[int], speed_kmh: float) -> NDArray[np.float64]:
    limits = np.asarray(limits_s, np.float64).reshape(-1)
    if not len(limits) or limits[0] < 0 or bool(np.any(np.diff(limits) <= 0)):
        raise ValueError(f"limits must be seconds that rise, not {list(limits_s)}")
    if not speed_kmh > 0:
        raise ValueError(f"a walking speed of {speed_kmh} km/h is impossible")
    return limits


def _starts(lonlat: ArrayLike, already_s: ArrayLike | None) -> tuple[Points, NDArray[np.float64]]:
    places = np.asarray(lonlat, np.float64).reshape(-1, 2)
    begin_s = np.broadcast_to(np.asarray(0.0 if already_s is None else already_s, np.float64), (len(places),))
    return Points.single(np.arange(len(places)).astype(object), places[:, 0], places[:, 1]), begin_s


def _stretches(
    graph: StreetGraph,
    flags: NDArray[np.int8],
    node_s: NDArray[np.float64],
    left_m: NDArray[np.float64],
    linked: Linked,
    rows: NDArray[np.int64],
    begin_s: NDArray[np.float64],
    second_a_metre: float,
    walk_m: float,
) -> _Stretches:
    """Edges of which an end is reached, cut at the spots where walks begin; a closed direction is never entered."""
    ahead, back = flags & 1 > 0, flags & 2 > 0
    low_s = np.where(ahead, node_s[graph.edge_from], np.inf)
    high_s = np.where(back, node_s[graph.edge_to], np.inf)
    cut = np.zeros(graph.n_edges, bool)
    cut[linked.edge[rows]] = True
    whole = np.flatnonzero((np.isfinite(low_s) | np.isfinite(high_s)) & ~cut)
    plain = _Stretches(
        whole,
        np.zeros(len(whole)),
        graph.edge_m[whole],
        low_s[whole],
        high_s[whole],
        left_m[graph.edge_from[whole]],
        left_m[graph.edge_to[whole]],
    )
    pieces: list[tuple[float, ...]] = []
    by_edge: dict[int, list[tuple[float, float, float]]] = {}
    for row in rows:
        spot_s = float(begin_s[row] + linked.link_m[row] * second_a_metre)
        spot = (float(linked.position_m[row]), spot_s, float(walk_m - linked.link_m[row]))
        by_edge.setdefault(int(linked.edge[row]), []).append(spot)
    for edge, spots in sorted(by_edge.items()):
        a, b = int(graph.edge_from[edge]), int(graph.edge_to[edge])
        ends = [
            (0.0, float(node_s[a]), float(left_m[a])),
            (float(graph.edge_m[edge]), float(node_s[b]), float(left_m[b])),
        ]
        pieces.extend(_cut_edge(edge, [ends[0], *sorted(spots), ends[1]], ahead[edge], back[edge], second_a_metre))
    if not pieces:
        return plain
    cut_up = np.array(pieces).T
    return _Stretches(*(np.concatenate([p, c.astype(p.dtype)]) for p, c in zip(plain, cut_up, strict=True)))


def _cut_edge(
    edge: int, places: list[tuple[float, float, float]], ahead: bool, back: bool, second_a_metre: float
) -> list[tuple[float, ...]]:
    """Stretches between places (position, seconds, metres left) along an edge; who passes a place first sets its time."""
    forward, backward = list(places), list(places)
    for i in range(1, len(places)):
        forward[i] = _earlier(places[i], forward[i - 1], second_a_metre)
        backward[-1 - i] = _earlier(places[-1 - i], backward[-i], second_a_metre)
    found: list[tuple[float, ...]] = []
    for i in range(len(places) - 1):
        low, high = forward[i], backward[i + 1]
        low_s, high_s = low[1] if ahead else math.inf, high[1] if back else math.inf
        if places[i + 1][0] > places[i][0] and (math.isfinite(low_s) or math.isfinite(high_s)):
            found.append((edge, places[i][0], places[i + 1][0], low_s, high_s, low[2], high[2]))
    return found


def _earlier(
    own: tuple[float, float, float], other: tuple[float, float, float], second_a_metre: float
) -> tuple[float, float, float]:
    """The time and reach at a place: its own, or those of who comes along from the other place, if that is earlier."""
    metres = abs(own[0] - other[0])
    passed_s = other[1] + metres * second_a_metre
    return (own[0], passed_s, other[2] - metres) if metres <= other[2] and passed_s < own[1] else own


def _bands(
    graph: StreetGraph, found: _Stretches, limits: NDArray[np.float64], second_a_metre: float
) -> list[shapely.MultiLineString]:
    """For each limit the lines of what is reached by then and was not before."""
    x_low, x_high = found.low_m.copy(), found.high_m.copy()  # between them lies what no limit so far reaches
    bands = []
    for limit in limits:
        a = np.clip(np.minimum((limit - found.low_s) / second_a_metre, found.low_left_m), 0, None)
        b = np.clip(np.minimum((limit - found.high_s) / second_a_metre, found.high_left_m), 0, None)
        low = np.maximum(x_low, np.minimum(found.low_m + a, found.high_m))
        high = np.minimum(x_high, np.maximum(found.high_m - b, found.low_m))
        met = low >= high
        low[met] = high[met] = x_high[met]
        bands.append(
            _lines(graph, np.tile(found.edge, 2), np.concatenate([x_low, high]), np.concatenate([low, x_high]))
        )
        x_low, x_high = low, high
    return bands


def _lines(
    graph: StreetGraph, edge: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> shapely.MultiLineString:
    """Stretches of edges as one shape; those shorter than a centimetre are left out."""
    some = high - low > 0.01
    edge, low, high = edge[some], low[some], high[some]
    whole = (low <= 0) & (high >= graph.edge_m[edge])
    size = np.diff(graph.first)[edge[whole]]
    vertex = (
        np.repeat(graph.first[edge[whole]] - np.concatenate([[0], np.cumsum(size)[:-1]]), size) if len(size) else size
    )
    vertex = vertex + np.arange(len(vertex))
    xy = np.column_stack([graph.lon[vertex], graph.lat[vertex]])
    lines: list[Any] = list(shapely.linestrings(xy, indices=np.repeat(np.arange(len(size)), size)))
    for e, a, b in zip(edge[~whole].tolist(), low[~whole].tolist(), high[~whole].tolist(), strict=True):
        lon, lat = course(graph, [Part(e, a, b)])
        if len(lon) > 1:
            lines.append(shapely.LineString(np.column_stack([lon, lat])))
    return shapely.MultiLineString(lines)


def reach_areas(
    ground: Ground,
    lonlat: ArrayLike,
    limits_s: Sequence[int],
    speed_kmh: float,
    *,
    already_s: ArrayLike | None = None,
    walk_limit_s: float | None = None,
    beside_m: float = _BESIDE_M,
    along: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """The land within each limit, as areas that hold those of the limits before.

    Along streets it is what lies within ``beside_m`` of a street that ``reach_along_streets`` gives; as the crow flies,
    circles. Arguments are those of ``reach_along_streets``; ``along`` is what that gave, where that is known.

    Returns
    -------
    GeoDataFrame
        ``limit_s`` and a polygon or multipolygon, perhaps empty, for each limit (EPSG:4326).
    """
    limits = _checked_limits(limits_s, speed_kmh)
    centre = np.nanmean(np.asarray(lonlat, np.float64).reshape(-1, 2), axis=0)
    scale = np.array([max(0.01, math.cos(math.radians(centre[1]))) * _METRES_A_DEGREE, _METRES_A_DEGREE])

    def flat(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([wrapped(xy[:, 0], centre[0]) * scale[0], (xy[:, 1] - centre[1]) * scale[1]])

    if isinstance(ground, CrowFly):
        discs = _discs(ground, flat, lonlat, limits, speed_kmh, already_s, walk_limit_s)
    else:
        lines = along
        if lines is None:
            choices: dict[str, Any] = {"already_s": already_s, "walk_limit_s": walk_limit_s}
            lines = reach_along_streets(ground, lonlat, limits_s, speed_kmh, **choices)
        discs = [_beside(shapely.transform(line, flat), beside_m) for line in lines.geometry]
    areas, so_far = [], shapely.Polygon()
    for disc in discs:
        so_far = shapely.union(so_far, disc)
        smooth = shapely.simplify(so_far, beside_m / 20)
        areas.append(shapely.transform(smooth, lambda xy: np.round(xy / scale + centre, 6)))
    return gpd.GeoDataFrame({"limit_s": limits.astype(np.int64)}, geometry=areas, crs="EPSG:4326")


def _beside(lines: Any, beside_m: float) -> Any:
    """The land within so many metres of lines. Each is widened by itself: all at once takes sixty times as long."""
    parts = shapely.simplify(shapely.get_parts(lines), beside_m / 10)
    return shapely.union_all(shapely.buffer(parts, beside_m, quad_segs=3))


def _discs(
    ground: CrowFly,
    flat: Any,
    lonlat: ArrayLike,
    limits: NDArray[np.float64],
    speed_kmh: float,
    already_s: ArrayLike | None,
    walk_limit_s: float | None,
) -> list[Any]:
    """For each limit the circles round the places, in metres of the plane."""
    points, begin_s = _starts(lonlat, already_s)
    linked = link_points(ground, points)
    rows = np.flatnonzero(linked.linked & np.isfinite(begin_s))
    middle = shapely.points(flat(np.column_stack([points.lon[rows], points.lat[rows]])))
    most = limits[-1] if walk_limit_s is None else walk_limit_s
    discs = []
    for limit in limits:
        walk_s = np.minimum(limit - begin_s[rows], most)
        radius = walk_s * speed_kmh / 3.6 / ground.detour
        discs.append(shapely.union_all(shapely.buffer(middle[walk_s > 0], radius[walk_s > 0], quad_segs=16)))
    return discs
