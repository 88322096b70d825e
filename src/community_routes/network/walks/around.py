"""The walks that begin, end or make up journeys, with as few searches as the streets allow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.network.streets.streets import Streets
from community_routes.network.walks.links import (
    Ground,
    Linked,
    is_symmetric,
    join_linked,
    walks_between,
    walks_within,
)
from community_routes.network.walks.points import Links, Points


def walks_around(
    ground: Ground, start: Linked, stops: Linked, end: Linked, *, to_stop_s: int, all_the_way_s: int, speed_kmh: float
) -> tuple[Links, Links, Links]:
    """Walks from places to stops, from stops to places (grouped by place), and all the way: those of ``walks_between``.

    One search from each start finds its stops and the ends that it can walk to. Where starts and ends are the same places
    (one object), it finds the walks back from the stops as well, but for places near a way that may be walked one way only.

    Parameters
    ----------
    ground : Streets or CrowFly
        The one to which all were linked.
    start, stops, end : Linked
    to_stop_s, all_the_way_s : int
        The longest walks to or from a stop, and all the way.
    speed_kmh : float

    Returns
    -------
    access, egress, direct : Links
        As in ``Walks``.
    """
    n_stops, n_ends, same = stops.points.n_places, end.points.n_places, end is start
    # Seen from their ends, walks would be the same but for the last bit of their metres.
    shared = same and (is_symmetric(ground, stops) or (_is_two_way(stops) and _is_two_way(end) and n_ends < n_stops))
    one_way = _one_way_junctions(ground) if shared else None
    ends = join_linked(stops, end) if one_way is None else join_linked(join_linked(stops, end), one_way)
    limits_s = np.full(ends.points.n_places, to_stop_s, np.int32)
    limits_s[n_stops : n_stops + n_ends] = all_the_way_s
    leaving = walks_within(ground, start, ends, limits_s=limits_s, speed_kmh=speed_kmh)
    access, direct = leaving.to_places(0, n_stops), leaving.to_places(n_stops, n_stops + n_ends)
    if same:  # were it off the network
        own = np.arange(n_ends)
        direct = direct.with_nothing(own, own)
    if not shared:
        arriving = walks_between(ground, stops, end, limit_s=to_stop_s, speed_kmh=speed_kmh)
        return access, arriving.reversed(n_ends), direct
    if one_way is None:
        return access, access, direct
    near = np.diff(leaving.to_places(n_stops + n_ends, n_stops + n_ends + 1).first) > 0
    near[end.points.place[np.isin(end.edge, one_way.edge)]] = True
    places = np.flatnonzero(near)
    arriving = walks_between(ground, stops, _only(end, places), limit_s=to_stop_s, speed_kmh=speed_kmh)
    return access, _with_rows(access, places, arriving.reversed(len(places))), direct


def _is_two_way(linked: Linked) -> bool:
    """Whether the ways from the streets to the places and back are alike."""
    return np.array_equal(linked.arriving_m, linked.leaving_m)


def _one_way_junctions(ground: Ground) -> Linked | None:
    """One place with points at both ends of every edge that may be walked one way only; None where there is none."""
    if not isinstance(ground, Streets):
        return None
    edge = np.flatnonzero(ground.graph.flags & 3 != 3).astype(np.int32)
    if not len(edge):
        return None
    n, none = 2 * len(edge), np.zeros(2 * len(edge))
    position_m = np.concatenate([none[: len(edge)], ground.graph.edge_m[edge]])
    points = Points(np.array([""], object), none + np.nan, none + np.nan, np.zeros(n, np.int32))
    on, off = np.ones(n, np.bool_), np.zeros(n, np.bool_)
    return Linked(points, on, off, np.tile(edge, 2), position_m, none, none)


def _only(linked: Linked, places: NDArray[np.integer[Any]]) -> Linked:
    """Some of the places (rising), counted in their order."""
    points = linked.points
    rows = np.flatnonzero(np.isin(points.place, places))
    place = np.searchsorted(places, points.place[rows]).astype(np.int32)
    columns = ("linked", "outside", "edge", "position_m", "link_m", "border_m", "in_m", "out_m")
    some = {name: getattr(linked, name)[rows] for name in columns if getattr(linked, name) is not None}
    return replace(linked, points=Points(points.id[places], points.lon[rows], points.lat[rows], place), **some)


def _with_rows(links: Links, places: NDArray[np.integer[Any]], others: Links) -> Links:
    """The links with those of some places replaced by others, one group for each."""
    both = Links(
        np.concatenate([links.first, links.first[-1] + others.first[1:]]),
        np.concatenate([links.to, others.to]),
        np.concatenate([links.walk_s, others.walk_s]),
        np.concatenate([links.metres, others.metres]),
    )
    row = np.arange(links.n_from)
    row[places] = links.n_from + np.arange(len(places))
    return both.only(row)
