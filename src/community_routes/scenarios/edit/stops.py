"""Which stop a planner means by a name, and on which side of the road a bus calls there."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.scenarios.values import nearest_name
from community_routes.sources.gtfs.feed import Feed

ONE_PLACE_M = 250.0
"""Stops of one name within this distance (chained) are one place."""
AT_DESTINATION_M = 250.0
"""A stop within this distance of a destination serves it."""

_OF_NAMES = ("stop_name", "parent", "location_type")
_SIDE = re.compile(r"\((?:[^()]*)\)")
_STAND = re.compile(r"\b(?:stand|stop|bay|stance|platform)\s+[a-z]{0,2}\d{0,2}[a-z]?$")


@lru_cache(1 << 17)
def plain_name(name: str) -> str:
    """A stop's name without case, side of the road, stand, and doubled spaces.

    >>> plain_name("Bus Station, Blackburn Town Centre (Stand 4)")
    'bus station, blackburn town centre'
    """
    text = _SIDE.sub(" ", name.casefold()).replace("’", "'")
    text = re.sub(r"\s+", " ", text).replace(" ,", ",").strip(" ,")
    text = re.sub(r",\s*(?:opp|o/s|adj|nr|near|outside|opposite|by|at)$", "", text)
    shorter = _STAND.sub("", text).strip(" ,-")
    return shorter or text


def short_names(name: str) -> set[str]:
    """The parts of a name between commas, any of which a planner may write: the name with the locality left out."""
    parts = {part.strip() for part in plain_name(name).split(",")}
    return {part for part in parts if len(part) > 2}


@dataclass(frozen=True)
class Spot:
    """A place where a route can call: stops of one name close together, or a point where there is none yet.

    Attributes
    ----------
    label : str
        For messages.
    stops : tuple of int
        Rows of ``Feed.stops``; empty for a new stop.
    lon, lat : float
        Middle of the stops, or the point.
    new_name : str
        Name of the new stop, where there is none yet.
    one : bool
        A single stop was named by its id: both directions call there.
    where : tuple
        Path of the place within its change, for messages about a new stop.
    """

    label: str
    stops: tuple[int, ...]
    lon: float
    lat: float
    new_name: str = ""
    one: bool = False
    where: tuple[str | int, ...] = ()


@dataclass(frozen=True)
class _Candidate:
    """One of several places of the same name."""

    name: str
    stop_ids: tuple[str, ...]
    lon: float
    lat: float


class MatchError(ValueError):
    """A place was not found, or could be several."""


@dataclass(eq=False)
class StopFinder:
    """Finds places in a timetable by id or name, and in the destinations by name.

    Attributes
    ----------
    feed : Feed
    destinations : DataFrame or None
        Columns ``name, lon, lat``.
    area : (west, south, east, north) or None
        Where the study's people live: of several places of one name those in it are meant.
    like : StopFinder or None
        One of a timetable with the same stops, or the first of them: their names are not looked at again.
    """

    feed: Feed
    destinations: pd.DataFrame | None = None
    area: tuple[float, float, float, float] | None = None
    like: StopFinder | None = field(default=None, repr=False)
    _ids: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._ids = {stop: row for row, stop in enumerate(self.feed.stops["stop_id"].to_numpy(object).tolist())}

    @cached_property
    def lon(self) -> NDArray[np.float64]:
        """Longitude of each stop."""
        found: NDArray[np.float64] = self.feed.stops["lon"].to_numpy(np.float64)
        return found

    @cached_property
    def lat(self) -> NDArray[np.float64]:
        """Latitude of each stop."""
        found: NDArray[np.float64] = self.feed.stops["lat"].to_numpy(np.float64)
        return found

    @cached_property
    def _callable(self) -> NDArray[np.bool_]:
        """Stops at which a bus can call: no stations, entrances or boarding areas, and with a position."""
        kind = self.feed.stops["location_type"].to_numpy()
        found: NDArray[np.bool_] = (kind == 0) & ~np.isnan(self.lon) & ~np.isnan(self.lat)
        return found

    @cached_property
    def _used(self) -> NDArray[np.bool_]:
        flags = np.zeros(len(self.feed.stops), bool)
        flags[self.feed.calls.stop] = True
        return flags

    @cached_property
    def _n_known(self) -> int:
        """So many of the stops are those that ``like`` knows; further ones belong to no station."""
        if self.like is None:
            return 0
        mine, its = self.feed.stops, self.like.feed.stops
        n = len(its)
        if mine is its:
            return n
        same = len(mine) >= n and (mine["parent"].to_numpy()[n:] < 0).all()
        same = same and all(np.array_equal(mine[c].to_numpy()[:n], its[c].to_numpy()) for c in _OF_NAMES)
        return n if same and np.array_equal(self._callable[:n], self.like._callable) else 0

    @cached_property
    def _whole(self) -> dict[str, list[int]]:
        known = self.like._whole if self.like is not None and self._n_known else {}
        return self._by_name(lambda name: {plain_name(name)}, known)

    @cached_property
    def _parts(self) -> dict[str, list[int]]:
        known = self.like._parts if self.like is not None and self._n_known else {}
        return self._by_name(short_names, known)

    def _by_name(self, names: Callable[[str], set[str]], before: dict[str, list[int]]) -> dict[str, list[int]]:
        """Rows by name, of the known stops as before; a station stands for its platforms."""
        found, n = dict(before), self._n_known
        if n == len(self.feed.stops):
            return found
        kind = self.feed.stops["location_type"].to_numpy()
        parent = self.feed.stops["parent"].to_numpy()
        children: dict[int, list[int]] = {}
        for child in np.flatnonzero((parent >= 0) & self._callable).tolist():
            children.setdefault(int(parent[child]), []).append(child)
        for row, name in enumerate(self.feed.stops["stop_name"].to_numpy(object)[n:].tolist(), start=n):
            if kind[row] == 1:
                rows = children.get(row, [])
            else:
                rows = [row] if self._callable[row] else []
            for key in names(str(name)):
                known = found.get(key, [])
                found[key] = [*known, *(one for one in rows if one not in known)]
        return found

    def rows_of_name(self, text: str) -> list[int]:
        """All stops of a name: of the whole name, else with the locality left out, else ending a longer one."""
        key = plain_name(text)
        if "(" in text:  # a stand or side is named: "Bus Station (Stand 4)" is that stand if there is one
            names = self.feed.stops["stop_name"].str.casefold().to_numpy()
            exact = np.flatnonzero((names == text.strip().casefold()) & self._callable)
            if len(exact):
                return [int(row) for row in exact]
        if self._whole.get(key):
            return self._whole[key]
        if self._parts.get(key):
            return self._parts[key]
        # "Hospital, Blackburn" for "Blackburn, Hospital": the same parts in any order.
        wanted = short_names(text)
        if len(wanted) > 1:
            sets = [set(self._parts.get(part, ())) for part in wanted]
            return sorted(set.intersection(*sets))
        return []

    def find(self, text: str, near: tuple[float, float] | None = None, own: NDArray[np.int64] | None = None) -> Spot:
        """The place that a text means.

        Parameters
        ----------
        text : str
            Id or name of a stop, or name of a destination.
        near : (lon, lat), optional
            From where the distances of candidates are told: the place before or after on the route.
        own : int64, optional
            Rows of the stops of the route that is changed: of several places of one name that of the route is meant.

        Raises
        ------
        MatchError
            Nothing has that name, or places farther apart than 250 m have it, which the message lists.
        """
        row = self._ids.get(text)
        if row is not None:
            return self._of_id(row)
        rows = self.rows_of_name(text)
        if rows:
            used = [row for row in rows if self._used[row]]
            clusters = self._meant(self._clusters(used or rows), own)
            if len(clusters) > 1:
                raise self._ambiguous(text, clusters, near)
            return self._spot(text, clusters[0])
        found = self._destination(text, near)
        if found is not None:
            return found
        raise MatchError(self._unknown(text))

    def _meant(self, clusters: list[list[int]], of_route: NDArray[np.int64] | None) -> list[list[int]]:
        """Of several places the one of the route that is changed, else those in the study's area, where there are any."""
        own = [group for group in clusters if of_route is not None and np.isin(group, of_route).any()]
        if len(own) == 1:
            return own
        inside = [group for group in clusters if self.away_m(*self.middle(group)) == 0]
        return inside or clusters

    def middle(self, rows: Sequence[int]) -> tuple[float, float]:
        """Longitude and latitude of the middle of some stops."""
        found = list(rows)
        return float(self.lon[found].mean()), float(self.lat[found].mean())

    def away_m(self, lon: float, lat: float) -> float:
        """Metres from a point to the study's area; 0 inside, or where none is known."""
        if self.area is None:
            return 0.0
        west, south, east, north = self.area
        x, y = min(max(lon, west), east), min(max(lat, south), north)
        return 0.0 if (x, y) == (lon, lat) else float(great_circle_m(lon, lat, x, y))

    def place_of(self, stop: int) -> list[int]:
        """The stop with the others of its name within 250 m: both sides of the road, all stands."""
        names = self._whole.get(plain_name(str(self.feed.stops["stop_name"].iat[stop])), [])
        parent = int(self.feed.stops["parent"].iat[stop])
        rows = set(names) | {stop}
        if parent >= 0:
            rows |= set(np.flatnonzero(self.feed.stops["parent"].to_numpy() == parent).tolist())
        return next(group for group in self._clusters(sorted(rows)) if stop in group)

    def nearest_stop(self, lon: float, lat: float, within_m: float) -> int | None:
        """The nearest stop that is served, at most so far away; None where there is none."""
        away = great_circle_m(lon, lat, self.lon, self.lat)
        away[~(self._callable & self._used)] = np.inf
        return int(away.argmin()) if len(away) and away.min() <= within_m else None

    def _of_id(self, row: int) -> Spot:
        stops = self.feed.stops
        name, stop_id = str(stops["stop_name"].iat[row]), str(stops["stop_id"].iat[row])
        if int(stops["location_type"].iat[row]) == 1:
            children = np.flatnonzero((stops["parent"].to_numpy() == row) & self._callable)
            if len(children):
                return self._spot(name, children.tolist())
        if not self._callable[row]:
            raise MatchError(f"the stop {stop_id!r} ({name}) has no position or is no place where a bus can call")
        return Spot(f"{name} ({stop_id})", (row,), float(self.lon[row]), float(self.lat[row]), one=True)

    def _spot(self, label: str, rows: Sequence[int]) -> Spot:
        return Spot(label, tuple(rows), *self.middle(rows))

    def _clusters(self, rows: Sequence[int]) -> list[list[int]]:
        """Groups of stops joined by steps of at most 250 m, in the order of their first stop."""
        left = list(rows)
        groups: list[list[int]] = []
        while left:
            group, edge = [left[0]], [left.pop(0)]
            while edge:
                here = edge.pop()
                away = great_circle_m(self.lon[here], self.lat[here], self.lon[left], self.lat[left])
                close = [row for row, metres in zip(left, away, strict=True) if metres <= ONE_PLACE_M]
                left = [row for row in left if row not in close]
                group.extend(close)
                edge.extend(close)
            groups.append(sorted(group))
        return groups

    def _ambiguous(self, text: str, clusters: list[list[int]], near: tuple[float, float] | None) -> MatchError:
        found = []
        for group in clusters:
            spot = self._spot(text, group)
            ids = tuple(str(self.feed.stops["stop_id"].iat[row]) for row in group)
            found.append(_Candidate(str(self.feed.stops["stop_name"].iat[group[0]]), ids, spot.lon, spot.lat))
        outside = (
            ", none of them in the study's area" if self.area and all(self.away_m(c.lon, c.lat) for c in found) else ""
        )
        return _ambiguity(text, found, near, outside)

    def _destination(self, text: str, near: tuple[float, float] | None) -> Spot | None:
        """A destination of that name: the stops beside it, or a new stop where there is none."""
        if self.destinations is None or not len(self.destinations):
            return None
        names = self.destinations["name"].map(lambda name: plain_name(str(name)))
        hits = self.destinations[names == plain_name(text)].drop_duplicates(["lon", "lat"])
        if not len(hits):
            return None
        lon, lat = hits["lon"].to_numpy(np.float64), hits["lat"].to_numpy(np.float64)
        if len(hits) > 1 and great_circle_m(lon[0], lat[0], lon, lat).max() > ONE_PLACE_M:
            found = [_Candidate(str(n), (), float(x), float(y)) for n, x, y in zip(hits["name"], lon, lat, strict=True)]
            raise _ambiguity(text, found, near)
        x, y = float(lon.mean()), float(lat.mean())
        beside = self.nearest_stop(x, y, AT_DESTINATION_M)
        if beside is not None:
            return self._spot(text, self.place_of(beside))
        return Spot(text, (), x, y, new_name=str(hits["name"].iat[0]))

    def _unknown(self, text: str) -> str:
        """That nothing is called so, with the nearest name in the study's area, else the nearest of all and how far it is."""
        stops = self.feed.stops
        named = [(str(n), float(x), float(y)) for n, x, y in zip(stops["stop_name"], self.lon, self.lat, strict=True)]
        if self.destinations is not None:
            places = self.destinations
            rows = zip(places["name"], places["lon"], places["lat"], strict=True)
            named += [(str(n), float(x), float(y)) for n, x, y in rows if n]
        inside = [item for item in named if self.away_m(*item[1:]) == 0]
        near = _nearest_of(text, inside) or _nearest_of(text, named)
        if near is not None:
            name, lon, lat = near
            away = self.away_m(lon, lat)
            far = f", {_metres(away)} outside the study's area" if away else ""
            return f"no stop or destination is called {text!r}; did you mean {name!r}{far}?"
        near_id = nearest_name(text, self._ids) if any(char.isdigit() for char in text) else None
        return f"no stop or destination is called {text!r}" + (f"; did you mean {near_id!r}?" if near_id else "")

    # -- which side of the road -----------------------------------------------------------------------------------------

    @cached_property
    def _headings(self) -> NDArray[np.float64]:
        """Mean direction in which buses go at each stop, as east and north parts; zeros where none call."""
        calls = self.feed.calls
        lon, lat = self.lon[calls.stop], self.lat[calls.stop]
        n = len(calls)
        if n == 0:
            return np.zeros((len(self.feed.stops), 2))
        same = np.repeat(np.arange(len(calls.first) - 1), np.diff(calls.first))
        before = np.where(np.concatenate([[False], same[1:] == same[:-1]]), np.arange(n) - 1, np.arange(n))
        after = np.where(np.concatenate([same[1:] == same[:-1], [False]]), np.arange(n) + 1, np.arange(n))
        east = (lon[after] - lon[before]) * np.cos(np.radians(lat))
        north = lat[after] - lat[before]
        length = np.hypot(east, north)
        usable = np.isfinite(length) & (length > 0)
        scale = np.where(usable, length, 1.0)
        sums = np.zeros((len(self.feed.stops), 2))
        for part, values in enumerate((east, north)):
            sums[:, part] = np.bincount(calls.stop[usable], (values / scale)[usable], minlength=len(sums))
        size = np.hypot(sums[:, 0], sums[:, 1])
        found: NDArray[np.float64] = sums / np.where(size > 0, size, 1.0)[:, None]
        return found

    def side(self, spot: Spot, before: tuple[float, float], after: tuple[float, float]) -> tuple[int, bool]:
        """The stop of a place for a bus that comes from ``before`` and goes on to ``after`` (lon, lat).

        The stop that is served in that direction already, else the nearest on the left of travel.

        Returns
        -------
        stop : int
            Row of ``Feed.stops``.
        assumed : bool
            True when the side had to be assumed.
        """
        rows = list(spot.stops)
        if len(rows) == 1:
            return rows[0], False
        east = (after[0] - before[0]) * np.cos(np.radians(spot.lat))
        north = after[1] - before[1]
        size = float(np.hypot(east, north)) or 1.0
        way = np.array([east, north]) / size
        fit = self._headings[rows] @ way
        if fit.max() > 0.5:
            best = fit.max()
            # Several stands face the same way: the one with most calls is the usual one.
            calls = np.bincount(self.feed.calls.stop, minlength=len(self.feed.stops))
            close = [row for row, value in zip(rows, fit, strict=True) if value > best - 0.1]
            return max(close, key=lambda row: (calls[row], -row)), False
        off_east = (self.lon[rows] - spot.lon) * np.cos(np.radians(spot.lat))
        off_north = self.lat[rows] - spot.lat
        left = way[0] * off_north - way[1] * off_east
        away = np.hypot(off_east, off_north)
        order = sorted(range(len(rows)), key=lambda k: (left[k] <= 0, away[k], rows[k]))
        return rows[order[0]], True


def _nearest_of(text: str, named: Sequence[tuple[str, float, float]]) -> tuple[str, float, float] | None:
    """The place of which the name, or a part of it between commas, is most like a text, called as the text would find it."""
    whole = {plain_name(item[0]): item for item in reversed(named)}
    near = nearest_name(plain_name(text), whole)
    if near is not None:
        return whole[near]
    parts = {part: (part, *item[1:]) for item in named for part in short_names(item[0])}
    near = nearest_name(plain_name(text), parts)
    return parts[near] if near is not None else None


def _ambiguity(
    text: str, found: Sequence[_Candidate], near: tuple[float, float] | None, outside: str = ""
) -> MatchError:
    """The error that lists candidates, nearest first when something is known about where the route is."""
    from_here = near or (found[0].lon, found[0].lat)
    away = [float(great_circle_m(*from_here, item.lon, item.lat)) for item in found]
    order = sorted(range(len(found)), key=lambda k: (away[k], found[k].stop_ids))
    whence = "from the neighbouring stop of the route" if near else "from the first"
    listed = []
    for k in order[:8]:
        what = found[k].stop_ids[0] if found[k].stop_ids else f"[{found[k].lon:.5f}, {found[k].lat:.5f}]"
        listed.append(f"{what} ({found[k].name}, {_metres(away[k])})")
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    return MatchError(
        f"{text!r} could be {len(found)} places{outside}; write the id of one of them (distances {whence}): "
        f"{', '.join(listed)}{more}"
    )


def _metres(metres: float) -> str:
    return f"{metres / 1000:.1f} km" if metres >= 950 else f"{round(metres, -1):.0f} m"
