"""Walks along the streets, or as the crow flies: points linked to the network, and bounded shortest walks between them."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import frozen_array, set_frozen, starts_by, starts_of
from community_routes.base.earth import EARTH_RADIUS_M, great_circle_m
from community_routes.base.notices import Notice, declare
from community_routes.network.streets.graph import BELOW
from community_routes.network.streets.index import nearest_edges
from community_routes.network.streets.paths import Spot, course, shortest_path
from community_routes.network.streets.search import Ends, Starts, reach_places
from community_routes.network.streets.streets import Streets
from community_routes.network.walks.points import Links, Points, same_places, same_spots, walk_seconds
from community_routes.sources.osm.street_map import Area

MOVED_PAST_ISLAND = declare(
    "linked_past_island",
    "info",
    "The street nearest to a place hangs together with too little to be of use; the place is linked to the next one.",
)

OTHER_PART = declare(
    "linked_to_other_part",
    "warning",
    "A place is far from the largest connected part of the streets; it is linked to another part, and cut off from the rest.",
)

_ROWS_AT_ONCE: Final = 4_000_000
"""Crow-fly pairs are found in pieces of about this many, so that memory stays bounded."""

_FEW_PAIRS: Final = 100_000
"""So many pairs are measured sooner than the tree is imported."""

_ROOM_A_JUNCTION: Final = 2
"""Links of the search's queue for each junction at first; more is taken where it is too little."""


@dataclass(frozen=True)
class CrowFly:
    """Ground without streets: a walk is the great circle times a detour.

    Attributes
    ----------
    detour : float
        At least 1.
    area : (west, south, east, north), optional
        Points outside are off the network.
    """

    detour: float = 1.3
    area: Area | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.detour) and self.detour >= 1):
            raise ValueError(f"a detour of {self.detour} is impossible: no walk is shorter than the straight line")


Ground = Streets | CrowFly


@dataclass(frozen=True, eq=False)
class Linked:
    """Points joined to the ground that people walk on.

    Attributes
    ----------
    points : Points
    linked : bool, shape (n_points,)
        False: no street within the limit, outside the area, or no coordinates.
    outside : bool, shape (n_points,)
        Outside the area that the streets cover.
    edge : int32, shape (n_points,)
        Edge of the street network; -1 where not linked or with ``CrowFly``.
    position_m : float64, shape (n_points,)
        Metres along the edge from its start.
    link_m : float64, shape (n_points,)
        Metres from the point to the edge; they count as walking. Infinite where not linked, 0 with ``CrowFly``.
    border_m : float64, shape (n_points,)
        Metres to the border of the area; infinite where there is no area.
    in_m, out_m : float64, shape (n_points,), or None
        Metres from each point on to its place, and back: from a station's entrance to the platform. They count as
        walking, and are infinite where that way is closed. None where every point is its place.
    """

    points: Points
    linked: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    edge: NDArray[np.int32]
    position_m: NDArray[np.float64]
    link_m: NDArray[np.float64]
    border_m: NDArray[np.float64]
    in_m: NDArray[np.float64] | None = None
    out_m: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        n = len(self.points.lon)
        set_frozen(self, "linked", np.bool_, (n,))
        set_frozen(self, "outside", np.bool_, (n,))
        set_frozen(self, "edge", np.int32, (n,))
        for name in ("position_m", "link_m", "border_m"):
            set_frozen(self, name, np.float64, (n,))
        for name in ("in_m", "out_m"):
            if getattr(self, name) is not None:
                set_frozen(self, name, np.float64, (n,))

    @property
    def arriving_m(self) -> NDArray[np.float64]:
        """Metres from the edge to the place."""
        return self.link_m if self.in_m is None else self.link_m + self.in_m

    @property
    def leaving_m(self) -> NDArray[np.float64]:
        """Metres from the place to the edge."""
        return self.link_m if self.out_m is None else self.link_m + self.out_m

    @property
    def left_here(self) -> NDArray[np.bool_]:
        """Linked points that are the place itself for whoever leaves it: no way inside leads from it to the street."""
        return self.linked if self.out_m is None else self.linked & (self.out_m == 0)

    @property
    def arrived_here(self) -> NDArray[np.bool_]:
        """Linked points that are the place itself for whoever comes to it."""
        return self.linked if self.in_m is None else self.linked & (self.in_m == 0)

    @property
    def place_linked(self) -> NDArray[np.bool_]:
        """Whether any point of each place is linked, shape (n_places,)."""
        return np.bincount(self.points.place[self.linked], minlength=self.points.n_places) > 0

    def near_edge(self, within_m: float) -> NDArray[np.bool_]:
        """Points inside the area and at most this far from its border: streets that they could use may be missing."""
        return ~self.outside & (self.border_m <= within_m)


def join_linked(first: Linked, second: Linked) -> Linked:
    """Two sets of places as one: those of the second come after those of the first."""
    a, b = first.points, second.points
    points = Points(
        np.concatenate([a.id, b.id]),
        np.concatenate([a.lon, b.lon]),
        np.concatenate([a.lat, b.lat]),
        np.concatenate([a.place, b.place + a.n_places]),
    )
    columns = ("linked", "outside", "edge", "position_m", "link_m", "border_m")
    joined = Linked(points, *(np.concatenate([getattr(first, name), getattr(second, name)]) for name in columns))
    if first.in_m is None and second.in_m is None:
        return joined

    def of_both(name: str) -> NDArray[np.float64]:
        parts = [(getattr(one, name), len(one.edge)) for one in (first, second)]
        return np.concatenate([np.zeros(n) if metres is None else metres for metres, n in parts])

    return replace(joined, in_m=of_both("in_m"), out_m=of_both("out_m"))


def is_symmetric(ground: Ground, stops: Linked) -> bool:
    """Whether every walk to or from the stops may be walked back the same way."""
    if not np.array_equal(stops.arriving_m, stops.leaving_m):
        return False
    return isinstance(ground, CrowFly) or bool((ground.graph.flags & 3 == 3).all())


def link_points(
    ground: Ground, points: Points, *, link_m: float = 300.0, notices: list[Notice] | None = None
) -> Linked:
    """Link each point to the nearest edge of the largest connected part within ``link_m``, else of another large part.

    Ways below ground are never linked to. A point outside the ground's area is not linked. Where a street of another part
    lies nearer, the shift is reported, and so is a link to another part.

    Parameters
    ----------
    ground : Streets or CrowFly
    points : Points
    link_m : float
        Farthest that a point may be from a street, metres; equality counts.
    notices : list of Notice, optional
        Findings are appended.

    Returns
    -------
    Linked
    """
    n = len(points.lon)
    known = np.isfinite(points.lon) & np.isfinite(points.lat)
    inside, border_m = _inside(points, ground.area)
    if isinstance(ground, CrowFly):
        linked = known & inside
        return Linked(
            points,
            linked,
            known & ~inside,
            np.full(n, -1, np.int32),
            np.zeros(n),
            np.where(linked, 0.0, np.inf),
            border_m,
        )
    edge, position, link = np.full(n, -1, np.int32), np.zeros(n), np.full(n, np.inf)
    here = np.flatnonzero(known & inside)
    for usable in (ground.main, ground.usable):
        rows = here[edge[here] < 0]
        edge[rows], position[rows], link[rows] = nearest_edges(
            ground.graph, ground.index, usable, points.lon[rows], points.lat[rows], link_m
        )
    found = Linked(points, edge >= 0, known & ~inside, edge, position, link, border_m)
    if notices is not None:
        _report_shifts(ground, found, here, link_m, notices)
        report_other_parts(ground, found, "places", notices)
    return found


def _report_shifts(
    ground: Streets, linked: Linked, rows: NDArray[np.int64], link_m: float, notices: list[Notice]
) -> None:
    points, link = linked.points, linked.link_m
    nearest = np.full(len(link), np.inf)
    above = ground.graph.flags & BELOW == 0
    nearest[rows] = nearest_edges(ground.graph, ground.index, above, points.lon[rows], points.lat[rows], link_m)[2]
    moved = np.flatnonzero(linked.linked & (link > nearest + 1.0))
    if not len(moved):
        return
    worst = moved[np.argmax(link[moved] - nearest[moved])]
    message = (
        f"{len(moved)} of {len(link)} places lie nearest to a street that hangs together with nothing and are linked to "
        f"the next one; farthest {points.id[points.place[worst]]}: {link[worst]:.0f} m instead of {nearest[worst]:.0f} m"
    )
    notices.append(MOVED_PAST_ISLAND.at(message=message, value=len(moved)))


def report_other_parts(ground: Ground, linked: Linked, what: str, notices: list[Notice]) -> None:
    """Say which places (``what`` they are) are linked to another part of the streets than the largest."""
    if isinstance(ground, CrowFly):
        return
    rows = np.flatnonzero(linked.linked)
    elsewhere = rows[~ground.main[linked.edge[rows]]]
    places = np.unique(linked.points.place[elsewhere])
    if not len(places):
        return
    graph, row = ground.graph, elsewhere[0]
    part_m = graph.component_m[graph.component[graph.edge_from[linked.edge[row]]]]
    ids = linked.points.id
    shown = ", ".join(str(one) for one in ids[places[:5]])
    message = (
        f"{len(places)} of {len(ids)} {what} ({shown}{', ...' if len(places) > 5 else ''}) are too far from the largest "
        f"connected part of the streets and are linked to another, as {ids[linked.points.place[row]]} to one of "
        f"{part_m / 1000:,.1f} km; nobody can walk from there to the rest: is a path missing in the map?"
    )
    notices.append(OTHER_PART.at(field=what, value=len(places), message=message))


def _inside(points: Points, area: Area | None) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether points lie in the area (its border included), and their metres to its border."""
    if area is None:
        return np.ones(len(points.lon), bool), np.full(len(points.lon), np.inf)
    west, south, east, north = area
    span = (east - west) % 360.0 or 360.0
    from_west = (points.lon - west) % 360.0
    from_west = np.where(from_west > 180.0 + span / 2, from_west - 360.0, from_west)
    metres_a_degree = math.radians(1.0) * EARTH_RADIUS_M
    shrink = np.cos(np.radians(points.lat)) * metres_a_degree
    to_sides = np.minimum(from_west, span - from_west) * shrink if span < 360 else np.full(len(points.lon), np.inf)
    to_ends = np.minimum(points.lat - south, north - points.lat) * metres_a_degree
    inside = (from_west >= -1e-12) & (from_west <= span + 1e-12) & (points.lat >= south) & (points.lat <= north)
    border = np.where(inside, np.minimum(to_sides, to_ends), 0.0)
    return inside, np.where(np.isfinite(points.lon) & np.isfinite(points.lat), border, np.inf)


def metres_outside(area: Area, lon: float, lat: float) -> float:
    """How far a place outside an area is from it."""
    west, south, east, north = area
    span = (east - west) % 360.0 or 360.0
    from_west = (lon - west) % 360.0
    beyond = from_west > span and from_west - span < 360.0 - from_west
    nearest = lon if from_west <= span else east if beyond else west
    edge = np.array([nearest]), np.array([min(max(lat, south), north)])
    return float(great_circle_m(np.array([lon]), np.array([lat]), *edge)[0])


def walks_between(
    ground: Ground, start: Linked, end: Linked, *, limit_s: int, speed_kmh: float, threads: int = 1
) -> Links:
    """Shortest walks from each place of ``start`` to each place of ``end`` that take at most ``limit_s``.

    The walk between two places is the shortest between any of their points: the link to the street, the way along it, the
    link from it. Two points on one edge may walk along it. ``oneway:foot`` is respected. Between linked points that are the
    same spot (``same_places``) it is 0 m. With ``start is end`` only a place to itself is, linked or not: two platforms
    drawn on one spot are still two.

    Parameters
    ----------
    ground : Streets or CrowFly
        The one to which both were linked.
    start, end : Linked
        Places as ``link_points`` linked them.
    limit_s : int
        Seconds; equality is within the limit.
    speed_kmh : float
    threads : int
        The result is the same for any number.

    Returns
    -------
    Links
        Nearest first, in whole seconds.

    Raises
    ------
    ValueError
        The speed is not positive.
    """
    limits_s = np.full(end.points.n_places, limit_s, np.int32)
    return walks_within(ground, start, end, limits_s=limits_s, speed_kmh=speed_kmh, threads=threads)


def walks_within(
    ground: Ground, start: Linked, end: Linked, *, limits_s: NDArray[np.int32], speed_kmh: float, threads: int = 1
) -> Links:
    """``walks_between`` with a limit of its own for each place of ``end``."""
    if not speed_kmh > 0:
        raise ValueError(f"a walking speed of {speed_kmh} km/h is impossible")
    limits_m = np.asarray((limits_s + 1e-6) * speed_kmh / 3.6 * (1 + 1e-12), np.float64)
    if isinstance(ground, CrowFly):
        found = _crow_fly(ground, start, end, limits_m)
    else:
        found = _along_streets(ground, start, end, limits_m, threads)
    first, to, metres = found
    links = Links(first, to, walk_seconds(metres, speed_kmh), metres)
    own = np.arange(start.points.n_places)
    same = (own, own) if start is end else same_places(start.points, end.points, start.left_here, end.arrived_here)
    links = links.with_nothing(*same)
    return links.only_those(links.walk_s <= limits_s[links.to])


Found = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]


Line = tuple[float, NDArray[np.float64], NDArray[np.float64]]


def walk_line_between(ground: Ground, start: Linked, place: int, end: Linked, other: int) -> Line | None:
    """The walk of ``walks_between`` from ``place`` of ``start`` to ``other`` of ``end``: metres and course."""
    rows = np.flatnonzero((start.points.place == place) & start.linked & np.isfinite(start.leaving_m))
    others = np.flatnonzero((end.points.place == other) & end.linked & np.isfinite(end.arriving_m))
    if not len(rows) or not len(others):
        return None
    same = same_spots(start.points, end.points, rows[start.left_here[rows]], others[end.arrived_here[others]])[0]
    if len(same) and start is not end:
        spot = same[[0, 0]]
        return 0.0, start.points.lon[spot], start.points.lat[spot]
    if isinstance(ground, CrowFly):
        i, j = (grid.ravel() for grid in np.meshgrid(rows, others, indexing="ij"))
        metres = great_circle_m(start.points.lon[i], start.points.lat[i], end.points.lon[j], end.points.lat[j])
        metres = metres * ground.detour + start.leaving_m[i] + end.arriving_m[j]
        best = int(np.argmin(metres))
        row, last, total = int(i[best]), int(j[best]), float(metres[best])
        lon, lat = np.zeros(0), np.zeros(0)
    else:
        path = shortest_path(ground.graph, _spots(start, start.leaving_m, rows), _spots(end, end.arriving_m, others))
        if path is None:
            return None
        row, last, total = int(rows[path.start]), int(others[path.end]), path.metres
        lon, lat = course(ground.graph, path.parts)
    a, b = start.points, end.points
    return total, np.concatenate([[a.lon[row]], lon, [b.lon[last]]]), np.concatenate([[a.lat[row]], lat, [b.lat[last]]])


def _spots(linked: Linked, metres: NDArray[np.float64], rows: NDArray[np.int64]) -> list[Spot]:
    return [Spot(int(linked.edge[r]), float(linked.position_m[r]), float(metres[r])) for r in rows]


# ---- along streets ---------------------------------------------------------------------------------------------------


def _along_streets(streets: Streets, start: Linked, end: Linked, limits_m: NDArray[np.float64], threads: int) -> Found:
    """One search from each place; from the ends where they are fewer, as far as the farthest limit."""
    if end.points.n_places < start.points.n_places:
        farthest_m = np.full(start.points.n_places, limits_m.max(initial=0.0))
        found = _searches(streets, end, start, farthest_m, threads, turned=True)
        return _transposed(*found, start.points.n_places)
    return _searches(streets, start, end, limits_m, threads, turned=False)


def _searches(
    streets: Streets, start: Linked, end: Linked, limits_m: NDArray[np.float64], threads: int, *, turned: bool
) -> Found:
    graph = streets.graph
    steps, edges = graph.walked(turned=turned)
    rows = _point_rows(end)[1]
    start_m, end_m = (start.arriving_m, end.leaving_m) if turned else (start.leaving_m, end.arriving_m)
    starts = Starts(*_point_rows(start), start.edge, start.position_m, frozen_array(start_m, np.float64, "start_m"))
    node_first, node_place, node_m = _by_node(streets, end, end_m, rows, edges.flags)
    end_limit_m = frozen_array(limits_m, np.float64, "limits_m")
    ends = Ends(end_limit_m, node_first, node_place, node_m, *_by_edge(streets, end, end_m, rows))
    limit_m = limits_m.max(initial=0.0)

    def search(low: int, high: int) -> Found:
        return reach_places(low, high, limit_m, steps, edges, starts, ends, _ROOM_A_JUNCTION)  # type: ignore[no-any-return]

    return _in_pieces(search, start.points.n_places, threads)


def _point_rows(linked: Linked) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Linked points of each place: ``first`` by place, and the rows of the points."""
    rows = np.flatnonzero(linked.linked).astype(np.int32)
    first = starts_by(linked.points.place[rows], linked.points.n_places)
    return first, rows


def _by_node(
    streets: Streets,
    end: Linked,
    end_m: NDArray[np.float64],
    rows: NDArray[np.int32],
    flags: NDArray[np.int8],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Ends that can be reached from each junction along their own edge: ``first`` by junction, place, metres."""
    graph = streets.graph
    edge = end.edge[rows]
    position, link = end.position_m[rows], end_m[rows]
    # a point at the very end of its edge stands on the junction, whatever the direction of the edge
    ahead = (flags[edge] & 1 > 0) | (position <= 0)
    back = (flags[edge] & 2 > 0) | (position >= graph.edge_m[edge])
    node = np.concatenate([graph.edge_from[edge][ahead], graph.edge_to[edge][back]])
    metres = np.concatenate([(position + link)[ahead], (graph.edge_m[edge] - position + link)[back]])
    place = end.points.place[np.concatenate([rows[ahead], rows[back]])]
    order = np.lexsort((place, node))
    first = starts_by(node, graph.n_nodes).astype(np.int32)
    return first, place[order], metres[order]


def _by_edge(
    streets: Streets, end: Linked, end_m: NDArray[np.float64], rows: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Ends on each edge: ``first`` by edge, place, position, link."""
    rows = rows[np.argsort(end.edge[rows], kind="stable")]
    first = starts_by(end.edge[rows], streets.graph.n_edges).astype(np.int32)
    return first, end.points.place[rows], end.position_m[rows], end_m[rows]


def _in_pieces(search: Callable[[int, int], Found], n: int, threads: int) -> Found:
    """Search from places ``low`` to ``high`` in several threads and put the pieces together in their order."""
    if threads <= 1 or n < 64:
        return search(0, n)
    bounds = np.linspace(0, n, 4 * threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        pieces = list(pool.map(search, bounds[:-1].tolist(), bounds[1:].tolist()))
    sizes = np.concatenate([np.diff(piece[0]) for piece in pieces])
    first = starts_of(sizes)
    return first, np.concatenate([piece[1] for piece in pieces]), np.concatenate([piece[2] for piece in pieces])


def _transposed(first: NDArray[np.int64], to: NDArray[np.int32], metres: NDArray[np.float64], n_to: int) -> Found:
    start = np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first))
    order = np.argsort(to, kind="stable")
    bounds = starts_by(to, n_to)
    return bounds, start[order], metres[order]


# ---- as the crow flies -----------------------------------------------------------------------------------------------


def _crow_fly(ground: CrowFly, start: Linked, end: Linked, limits_m: NDArray[np.float64]) -> Found:
    """Great circles of the pairs that a tree over points on the unit sphere finds; of few points, of all pairs."""
    from_rows, to_rows = np.flatnonzero(start.linked), np.flatnonzero(end.linked)
    n = start.points.n_places
    if not len(from_rows) or not len(to_rows):
        return np.zeros(n + 1, np.int64), np.zeros(0, np.int32), np.zeros(0)
    angle = min(limits_m.max(initial=0.0) / ground.detour / EARTH_RADIUS_M, math.pi)
    chord = 2 * math.sin(angle / 2) * (1 + 1e-9) + 1e-12
    few = len(from_rows) * len(to_rows) <= _FEW_PAIRS
    if not few:
        from scipy.spatial import KDTree  # here, because starting without it is quicker

        tree = KDTree(_on_sphere(end.points, to_rows))
    places: list[NDArray[np.int64]] = []
    shortest: list[NDArray[np.float64]] = []
    step = max(1, _ROWS_AT_ONCE // len(to_rows))
    for low in range(0, len(from_rows), step):
        rows = from_rows[low : low + step]
        if few:
            a, b = (grid.ravel() for grid in np.meshgrid(rows, to_rows, indexing="ij"))
        else:
            near = KDTree(_on_sphere(start.points, rows)).sparse_distance_matrix(tree, chord, output_type="coo_matrix")
            a, b = rows[near.row], to_rows[near.col]
        metres = ground.detour * great_circle_m(
            start.points.lon[a], start.points.lat[a], end.points.lon[b], end.points.lat[b]
        )
        metres = metres + start.leaving_m[a] + end.arriving_m[b]
        keep = metres <= limits_m[end.points.place[b]]
        pair = start.points.place[a[keep]].astype(np.int64) * end.points.n_places + end.points.place[b[keep]]
        places.append(pair)
        shortest.append(metres[keep])
    pair, metres = np.concatenate(places), np.concatenate(shortest)
    order = np.lexsort((metres, pair))
    pair, metres = pair[order], metres[order]
    fresh = np.ones(len(pair), bool)
    fresh[1:] = pair[1:] != pair[:-1]
    pair, metres = pair[fresh], metres[fresh]
    first = starts_by(pair // end.points.n_places, n)
    return first, (pair % end.points.n_places).astype(np.int32), metres


def _on_sphere(points: Points, rows: NDArray[Any]) -> NDArray[np.float64]:
    lon, lat = np.radians(points.lon[rows]), np.radians(points.lat[rows])
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
