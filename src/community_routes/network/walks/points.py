"""Points on the ground, and walks from one set of them to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import arrays_of, check_first, set_frozen, starts_by, starts_of


@dataclass(frozen=True, eq=False)
class Points:
    """Places as points: origins, destinations or stops. A place may have several points (its entrances).

    Attributes
    ----------
    id : object (str), shape (n_places,)
        Id of each place.
    lon, lat : float64, shape (n_points,)
        Degrees, WGS 84; NaN where unknown.
    place : int32, shape (n_points,)
        The place (row of ``id``) to which each point belongs, never falling; ``arange`` when each has one point.
    """

    id: NDArray[np.object_]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    place: NDArray[np.int32]

    def __post_init__(self) -> None:
        set_frozen(self, "id", np.object_)
        n = len(self.lon)
        set_frozen(self, "lon", np.float64, (n,))
        set_frozen(self, "lat", np.float64, (n,))
        set_frozen(self, "place", np.int32, (n,))
        if n and (self.place[0] < 0 or self.place[-1] >= len(self.id) or bool(np.any(np.diff(self.place) < 0))):
            raise ValueError("Points.place must be row numbers of the places, in order")

    @property
    def n_places(self) -> int:
        """Number of places."""
        return len(self.id)

    @staticmethod
    def single(ids: object, lon: object, lat: object) -> Points:
        """One point for each place."""
        lon_ = np.asarray(lon, np.float64)
        return Points(np.asarray(ids, object), lon_, np.asarray(lat, np.float64), np.arange(len(lon_), dtype=np.int32))

    @staticmethod
    def of_entrances(
        places: Sequence[NDArray[np.float64]], ids: Sequence[str] | NDArray[np.object_] | None = None
    ) -> Points:
        """Places with their entrances, longitudes and latitudes (n, 2) each; numbered where they have no ids."""
        owner = np.repeat(np.arange(len(places), dtype=np.int32), [len(place) for place in places])
        both = np.concatenate([np.empty((0, 2)), *places])
        names = [str(i) for i in range(len(places))] if ids is None else ids
        return Points(np.array(names, object), both[:, 0], both[:, 1], owner)


class LinkArrays(NamedTuple):
    """What kernels read of ``Links``, where each array is described."""

    first: NDArray[np.int64]
    to: NDArray[np.int32]
    walk_s: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Links:
    """Walks from one set of places to another, grouped by start, in the order of ``to``.

    Attributes
    ----------
    first : int64, shape (n_from + 1,)
        The links that leave place ``i`` are ``first[i]:first[i + 1]``.
    to : int32, shape (n_links,)
        Index of the place reached; rising within a group, no place twice.
    walk_s : int32, shape (n_links,)
        Walking time in seconds, ``ceil(metres * 3.6 / speed_kmh - 1e-6)``.
    metres : float64, shape (n_links,)
        Walking distance, the links to the street included.
    """

    first: NDArray[np.int64]
    to: NDArray[np.int32]
    walk_s: NDArray[np.int32]
    metres: NDArray[np.float64]

    def __post_init__(self) -> None:
        set_frozen(self, "first", np.int64)
        n = len(self.to)
        set_frozen(self, "to", np.int32, (n,))
        set_frozen(self, "walk_s", np.int32, (n,))
        set_frozen(self, "metres", np.float64, (n,))
        check_first(self.first, n, "Links.first")

    @cached_property
    def arrays(self) -> LinkArrays:
        """The links as kernels take them."""
        return arrays_of(self, LinkArrays)

    @property
    def n_from(self) -> int:
        """Number of places that links may leave."""
        return len(self.first) - 1

    def start(self) -> NDArray[np.int32]:
        """The place that each link leaves, shape (n_links,)."""
        return np.repeat(np.arange(self.n_from, dtype=np.int32), np.diff(self.first))

    def reversed(self, n_to: int) -> Links:
        """The same walks seen from their ends: grouped by ``to``, of which there are ``n_to``."""
        start = self.start()
        order = np.lexsort((start, self.to))
        first = starts_by(self.to, n_to)
        return Links(first, start[order], self.walk_s[order], self.metres[order])

    def of(self, place: int) -> Links:
        """Only the walks that leave one place, as links from a set of that place alone."""
        part = slice(int(self.first[place]), int(self.first[place + 1]))
        first = np.array([0, part.stop - part.start], np.int64)
        return Links(first, self.to[part], self.walk_s[part], self.metres[part])

    def only(self, places: NDArray[np.integer[Any]]) -> Links:
        """Only the walks that leave some places, counted in their order."""
        sizes = self.first[places + 1] - self.first[places]
        first = starts_of(sizes)
        rows = np.arange(first[-1]) + np.repeat(self.first[places] - first[:-1], sizes)
        return Links(first, self.to[rows], self.walk_s[rows], self.metres[rows])

    def only_to(self, places: NDArray[np.integer[Any]]) -> Links:
        """Only the walks that reach some places (in rising order), counted in their order."""
        row = np.full(max(int(self.to.max(initial=-1)), int(places.max(initial=-1))) + 1, -1, np.int32)
        row[places] = np.arange(len(places))
        keep = row[self.to] >= 0
        first = starts_by(self.start()[keep], self.n_from)
        return Links(first, row[self.to][keep], self.walk_s[keep], self.metres[keep])

    def to_places(self, low: int, high: int) -> Links:
        """Only the walks to the places ``low`` to ``high`` (excluded), which are counted from ``low`` then."""
        some = self.only_those((self.to >= low) & (self.to < high))
        return Links(some.first, some.to - low, some.walk_s, some.metres)

    def with_nothing(self, starts: NDArray[np.integer[Any]], ends: NDArray[np.integer[Any]]) -> Links:
        """With walks of 0 s from some places to others (each pair once), added where there is no walk."""
        if not len(starts):
            return self
        n = max(int(self.to.max(initial=-1)), int(ends.max())) + 1
        pair = self.start().astype(np.int64) * n + self.to
        same = np.sort(starts.astype(np.int64) * n + ends)
        at = np.searchsorted(pair, same)
        new = np.ones(len(same), bool)
        new[at < len(pair)] = pair[at[at < len(pair)]] != same[at < len(pair)]
        walk_s, metres = self.walk_s.copy(), self.metres.copy()
        walk_s[at[~new]], metres[at[~new]] = 0, 0.0
        first = self.first + np.searchsorted(same[new], np.arange(self.n_from + 1) * n)
        at, same = at[new], same[new]
        return Links(first, np.insert(self.to, at, same % n), np.insert(walk_s, at, 0), np.insert(metres, at, 0.0))

    def within(self, limit_s: int) -> Links:
        """Only the walks of at most ``limit_s`` seconds."""
        return self.only_those(self.walk_s <= limit_s)

    def only_those(self, keep: NDArray[np.bool_]) -> Links:
        """Only some of the walks."""
        if keep.all():
            return self
        first = np.concatenate([[0], np.cumsum(keep)])[self.first]
        return Links(first, self.to[keep], self.walk_s[keep], self.metres[keep])


def walk_seconds(metres: NDArray[np.float64], speed_kmh: float) -> NDArray[np.int32]:
    """Whole seconds of a walk, rounded up: ``ceil(metres * 3.6 / speed_kmh - 1e-6)``."""
    return np.ceil(np.asarray(metres, np.float64) * 3.6 / speed_kmh - 1e-6).astype(np.int32)


_SPOTS_A_DEGREE = 1_000_000


def same_spots(
    start: Points, end: Points, rows: NDArray[np.integer[Any]], others: NDArray[np.integer[Any]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of points, one of ``rows`` of the start and one of ``others`` of the end, that are the same spot.

    What makes a spot are its coordinates to six decimals (a tenth of a metre), not its id: one place may be called
    differently in two files, and rounded differently.
    """
    a, b = _spot_number(start, rows), _spot_number(end, others)
    order = np.argsort(b, kind="stable")
    low, high = (np.searchsorted(b[order], a, side) for side in ("left", "right"))
    size = np.where(a >= 0, high - low, 0)
    which = np.repeat(low - np.cumsum(size) + size, size) + np.arange(size.sum())
    return np.repeat(rows, size).astype(np.int64), others[order[which]].astype(np.int64)


def _spot_number(points: Points, rows: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """A number for each spot; -1 where the coordinates are unknown."""
    lon, lat = points.lon[rows], points.lat[rows]
    known = np.isfinite(lon) & np.isfinite(lat)
    x, y = (np.rint(np.where(known, degrees, 0.0) * _SPOTS_A_DEGREE).astype(np.int64) for degrees in (lon, lat))
    number = x % (360 * _SPOTS_A_DEGREE) * (360 * _SPOTS_A_DEGREE) + y + 90 * _SPOTS_A_DEGREE
    return np.where(known, number, -1)


def same_places(
    start: Points, end: Points, starts: NDArray[np.bool_] | None = None, ends: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a place of the start and one of the end that have a point in the same spot (see ``same_spots``).

    ``starts`` and ``ends`` say which points count; all when left out.
    """
    rows, others = (
        np.flatnonzero(np.ones(len(p.lon), bool) if k is None else k) for p, k in ((start, starts), (end, ends))
    )
    a, b = same_spots(start, end, rows, others)
    pair = np.unique(start.place[a].astype(np.int64) * end.n_places + end.place[b])
    return pair // max(1, end.n_places), pair % max(1, end.n_places)
