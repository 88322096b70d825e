"""Points on the ground, and walks from one set of them to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.arrays import check_first, set_frozen


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
        first = np.zeros(n_to + 1, np.int64)
        np.cumsum(np.bincount(self.to, minlength=n_to), out=first[1:])
        return Links(first, start[order], self.walk_s[order], self.metres[order])

    def of(self, place: int) -> Links:
        """Only the walks that leave one place, as links from a set of that place alone."""
        part = slice(int(self.first[place]), int(self.first[place + 1]))
        first = np.array([0, part.stop - part.start], np.int64)
        return Links(first, self.to[part], self.walk_s[part], self.metres[part])

    def only(self, places: NDArray[np.integer[Any]]) -> Links:
        """Only the walks that leave some places, counted in their order."""
        sizes = self.first[places + 1] - self.first[places]
        first = np.zeros(len(places) + 1, np.int64)
        np.cumsum(sizes, out=first[1:])
        rows = np.arange(first[-1]) + np.repeat(self.first[places] - first[:-1], sizes)
        return Links(first, self.to[rows], self.walk_s[rows], self.metres[rows])

    def only_to(self, places: NDArray[np.integer[Any]]) -> Links:
        """Only the walks that reach some places (in rising order), counted in their order."""
        row = np.full(max(int(self.to.max(initial=-1)), int(places.max(initial=-1))) + 1, -1, np.int32)
        row[places] = np.arange(len(places))
        keep = row[self.to] >= 0
        first = np.zeros(len(self.first), np.int64)
        np.cumsum(np.bincount(self.start()[keep], minlength=self.n_from), out=first[1:])
        return Links(first, row[self.to][keep], self.walk_s[keep], self.metres[keep])

    def to_places(self, low: int, high: int) -> Links:
        """Only the walks to the places ``low`` to ``high`` (excluded), which are counted from ``low`` then."""
        keep = (self.to >= low) & (self.to < high)
        first = np.zeros(len(self.first), np.int64)
        np.cumsum(np.bincount(self.start()[keep], minlength=self.n_from), out=first[1:])
        return Links(first, self.to[keep] - low, self.walk_s[keep], self.metres[keep])

    def with_self(self) -> Links:
        """With a walk of 0 s from every place to itself, for links from one set of places to the same."""
        start = self.start()
        other = start != self.to
        own = np.arange(self.n_from, dtype=np.int32)
        nothing = np.zeros(self.n_from)
        starts, ends = np.concatenate([start[other], own]), np.concatenate([self.to[other], own])
        order = np.lexsort((ends, starts))
        first = np.zeros(len(self.first), np.int64)
        np.cumsum(np.bincount(starts, minlength=self.n_from), out=first[1:])
        walk_s = np.concatenate([self.walk_s[other], nothing.astype(np.int32)])
        return Links(first, ends[order], walk_s[order], np.concatenate([self.metres[other], nothing])[order])

    def within(self, limit_s: int) -> Links:
        """Only the walks of at most ``limit_s`` seconds."""
        keep = self.walk_s <= limit_s
        first = np.zeros(len(self.first), np.int64)
        np.cumsum(np.bincount(self.start()[keep], minlength=self.n_from), out=first[1:])
        return Links(first, self.to[keep], self.walk_s[keep], self.metres[keep])


def walk_seconds(metres: NDArray[np.float64], speed_kmh: float) -> NDArray[np.int32]:
    """Whole seconds of a walk, rounded up: ``ceil(metres * 3.6 / speed_kmh - 1e-6)``."""
    return np.ceil(np.asarray(metres, np.float64) * 3.6 / speed_kmh - 1e-6).astype(np.int32)
