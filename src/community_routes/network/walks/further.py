"""Walks of stops, origins and destinations that come to those known already: nothing between known places is found again.

Walks between two places hang on these two alone, so that those of the known places stay. A walk may be measured from its other
end than when all are found together: its metres then differ by rounding (1e-12 of them at most), which whole seconds, rounded up
with a millionth of a second to spare, do not show.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from community_routes.base.arrays import starts_by
from community_routes.network.walks.links import Ground, Linked, join_linked, walks_between
from community_routes.network.walks.points import Links, same_places


class Around(NamedTuple):
    """Walks between stops, from origins to them, of destinations to the stops from which one walks there, and all the way."""

    footpaths: Links
    access: Links
    egress: Links
    direct: Links


class WalkLimits(NamedTuple):
    """How long people walk between stops, to them and all the way, in seconds, and how fast."""

    between_stops_s: int
    to_stop_s: int
    all_the_way_s: int
    speed_kmh: float


def with_stops(
    ground: Ground, known: Around, stops: Linked, new: Linked, ends: tuple[Linked, Linked], limits: WalkLimits
) -> Around | None:
    """The walks with those of further stops, which are numbered after the known ones.

    Parameters
    ----------
    ground : Streets or CrowFly
    known : Around
    stops : Linked
        The known ones.
    new : Linked
        The further ones.
    ends : (Linked, Linked)
        Origins and destinations.
    limits : WalkLimits

    Returns
    -------
    Around or None
        None where a new stop stands on the very spot of another: two platforms drawn on one spot are still two.
    """
    n, n_new = stops.points.n_places, new.points.n_places
    for others in (stops, new):
        if len(same_places(new.points, others.points)[0]) > (n_new if others is new else 0):
            return None
    speed = limits.speed_kmh
    between_s, near_s = limits.between_stops_s, limits.to_stop_s
    out, back, own = (
        walks_between(ground, *pair, limit_s=between_s, speed_kmh=speed)
        for pair in ((new, stops), (stops, new), (new, new))
    )
    to_new = _joined(known.footpaths, _moved(back, 0, n), n)
    footpaths = _joined(_with_rows(to_new, n_new), _joined(_moved(out, n, 0), _moved(own, n, n), n + n_new), n + n_new)
    origins, destinations = ends
    leaving = walks_between(ground, origins, new, limit_s=near_s, speed_kmh=speed)
    access = _joined(known.access, _moved(leaving, 0, n), known.access.n_from)
    arriving = walks_between(ground, new, destinations, limit_s=near_s, speed_kmh=speed).reversed(
        destinations.points.n_places
    )
    egress = _joined(known.egress, _moved(arriving, 0, n), known.egress.n_from)
    return Around(footpaths, access, egress, known.direct)


def with_places(
    ground: Ground,
    known: Around,
    stops: Linked,
    ends: tuple[Linked, Linked],
    new: tuple[Linked, Linked],
    limits: WalkLimits,
) -> Around:
    """The walks with those of further origins and destinations, which are numbered after the known ones.

    Parameters
    ----------
    ground : Streets or CrowFly
    known : Around
    stops : Linked
    ends : (Linked, Linked)
        The known origins and destinations.
    new : (Linked, Linked)
        The further ones; either may be none.
    limits : WalkLimits
    """
    (origins, destinations), (starts, goals) = ends, new
    near_s, far_s, speed = limits.to_stop_s, limits.all_the_way_s, limits.speed_kmh
    access, egress, direct = known.access, known.egress, known.direct
    if goals.points.n_places:
        arriving = walks_between(ground, stops, goals, limit_s=near_s, speed_kmh=speed)
        egress = _stacked(egress, arriving.reversed(goals.points.n_places))
        there = walks_between(ground, origins, goals, limit_s=far_s, speed_kmh=speed)
        direct = _joined(direct, _moved(there, 0, destinations.points.n_places), direct.n_from)
    goals = join_linked(destinations, goals)
    if starts.points.n_places:
        access = _stacked(access, walks_between(ground, starts, stops, limit_s=near_s, speed_kmh=speed))
        direct = _stacked(direct, walks_between(ground, starts, goals, limit_s=far_s, speed_kmh=speed))
    # A place is there at once, were it off the network.
    direct = direct.with_nothing(*same_places(join_linked(origins, starts).points, goals.points))
    return Around(known.footpaths, access, egress, direct)


def _stacked(one: Links, other: Links) -> Links:
    """The links of some starts, and those of further ones after them."""
    walk_s, metres, to = (
        np.concatenate([getattr(part, n) for part in (one, other)]) for n in ("walk_s", "metres", "to")
    )
    return Links(np.concatenate([one.first, one.first[-1] + other.first[1:]]), to, walk_s, metres)


def _moved(links: Links, starts: int, ends: int) -> Links:
    """The links with starts and ends numbered from other numbers on."""
    first = np.concatenate([np.zeros(starts, np.int64), links.first])
    return Links(first, links.to + np.int32(ends), links.walk_s, links.metres)


def _with_rows(links: Links, n: int) -> Links:
    """With ``n`` further starts that lead nowhere."""
    return Links(np.append(links.first, np.full(n, links.first[-1])), links.to, links.walk_s, links.metres)


def _joined(one: Links, other: Links, n_from: int) -> Links:
    """Two sets of links with different ends as one."""
    start = np.concatenate([one.start(), other.start()])
    to = np.concatenate([one.to, other.to])
    order = np.lexsort((to, start))
    first = starts_by(start, n_from)
    walk_s, metres = (np.concatenate([getattr(part, name) for part in (one, other)]) for name in ("walk_s", "metres"))
    return Links(first, to[order], walk_s[order], metres[order])
