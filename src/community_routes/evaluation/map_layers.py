"""Routes and stops of a timetable as lines and points for maps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.service import departures
from community_routes.sources.gtfs.trips import mode_of

if TYPE_CHECKING:  # counting runs needs no maps
    import geopandas as gpd

_SIMPLIFY_DEGREES = 0.00005
_MOST_COURSES = 12
_AROUND_A_POINT_DEGREES = 0.01
Box = tuple[float, float, float, float]


def study_box(geometry: gpd.GeoSeries, around: float = 0.15) -> Box:
    """The box of the neighbourhoods with a margin (a share of its larger side), in degrees; a kilometre round a single point."""
    west, south, east, north = (float(value) for value in geometry.total_bounds)
    margin = max(east - west, north - south) * around or _AROUND_A_POINT_DEGREES
    return west - margin, south - margin, east + margin, north + margin


def zones_of_postcodes(postcodes: pd.DataFrame, zones: gpd.GeoDataFrame) -> dict[str, str]:
    """The neighbourhood in which each postcode lies; of neighbourhoods given as points the nearest.

    Parameters
    ----------
    postcodes : DataFrame of postcode, lon, lat
    zones : GeoDataFrame of id, geometry
    """
    points, shapes = shapely.points(postcodes["lon"], postcodes["lat"]), np.asarray(zones.geometry.array, object)
    tree = shapely.STRtree(shapes)
    if np.isin(shapely.get_type_id(shapes), (3, 6)).all():
        found, zone = tree.query(points, predicate="within")
    else:
        found, zone = tree.query_nearest(points, all_matches=False)
    codes, ids = postcodes["postcode"].to_numpy(object)[found], zones["id"].to_numpy(object)[zone]
    return dict(zip(codes.tolist(), map(str, ids.tolist()), strict=True))


def trips_by_day(feed: Feed, dates: Mapping[str, dt.date]) -> dict[str, NDArray[np.int64]]:
    """Rows of the trips that run on each day of a study."""
    return {day: feed.active_trips(date) for day, date in dates.items()}


def stop_table(feed: Feed, dates: Mapping[str, dt.date], box: Box) -> gpd.GeoDataFrame:
    """Stops inside the box that are served on any day, with the departures of each day (``departures_<day>``).

    A trip of ``frequencies.txt`` counts once for each of its runs.
    """
    calls, n = feed.calls, len(feed.stops)
    runs = runs_of_trips(feed)
    last = np.zeros(len(calls), np.bool_)
    ends = calls.first[1:][np.diff(calls.first) > 0] - 1
    last[ends] = True
    boards = ~last & (calls.pickup_type != 1)
    trip = np.repeat(np.arange(len(feed.trips)), np.diff(calls.first))
    counts: dict[str, NDArray[np.float64]] = {}
    for day, trips in trips_by_day(feed, dates).items():
        active = np.zeros(len(feed.trips))
        active[trips] = runs[trips]
        counts[day] = np.bincount(calls.stop[boards], weights=active[trip[boards]], minlength=n).astype(np.float64)
    lon, lat = feed.stops["lon"].to_numpy(), feed.stops["lat"].to_numpy()
    west, south, east, north = box
    served = np.zeros(n, np.bool_)
    for count in counts.values():
        served |= count > 0
    rows = np.flatnonzero(served & (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
    import geopandas as gpd

    return gpd.GeoDataFrame(
        {
            "id": feed.stops["stop_id"].to_numpy()[rows],
            "name": feed.stops["stop_name"].to_numpy()[rows],
            **{f"departures_{day}": count[rows].astype(np.int64) for day, count in counts.items()},
        },
        geometry=shapely.points(lon[rows], lat[rows]),
        crs="EPSG:4326",
    )


def runs_of_trips(feed: Feed) -> NDArray[np.float64]:
    """How often each trip runs on a day of its service: once, or as often as its headways say."""
    runs = np.ones(len(feed.trips))
    trips = feed.frequencies["trip"].to_numpy()
    if len(trips):
        runs[trips] = 0
        np.add.at(runs, trips[departures(feed)[0]], 1)
    return runs


def route_table(
    feed: Feed,
    dates: Mapping[str, dt.date],
    box: Box,
    *,
    scenario: str,
    only: Collection[str] | None = None,
    new: Collection[str] = (),
) -> gpd.GeoDataFrame:
    """The courses of the routes that run on any day, one row each, cut to the box.

    A course is the trip's shape, or straight lines from stop to stop where it has none. Of a route with many courses
    those with most trips are drawn.

    Parameters
    ----------
    feed : Feed
    dates : mapping of day to date
    box : (west, south, east, north)
    scenario : str
        For the column of that name.
    only : collection of str, optional
        Ids of the routes wanted.
    new : collection of str
        Ids of routes that the scenario adds.
    """
    active = np.unique(np.concatenate([np.zeros(0, np.int64), *trips_by_day(feed, dates).values()]))
    route_of, shape_of = feed.trips["route"].to_numpy(), feed.trips["shape"].to_numpy()
    active = active[np.argsort(route_of[active], kind="stable")]
    routes, first = np.unique(route_of[active], return_index=True)
    told = {name: feed.routes[name].tolist() for name in _TOLD}
    courses = _Courses(feed)
    shown, points, of_line, of_route = list[int](), list[NDArray[np.float64]](), list[int](), list[int]()
    for route, trips in zip(routes.tolist(), np.split(active, first[1:]), strict=True):
        if only is not None and told["route_id"][route] not in only:
            continue
        for trip in _drawn(feed, trips, shape_of):
            line = courses.of(trip)
            if len(line) > 1:
                of_line.append(len(line))
                of_route.append(len(shown))
                points.append(line)
        if of_route and of_route[-1] == len(shown):
            shown.append(route)
    import geopandas as gpd

    geometry = np.empty(0, object)
    if shown:
        lines = shapely.linestrings(np.concatenate(points), indices=np.repeat(np.arange(len(points)), of_line))
        whole = shapely.multilinestrings(lines, indices=np.asarray(of_route))
        geometry = shapely.simplify(shapely.clip_by_rect(whole, *box), _SIMPLIFY_DEGREES)
    inside = [not empty for empty in shapely.is_empty(geometry).tolist()]
    rows = [
        {
            "scenario": scenario,
            "route_id": told["route_id"][route],
            "name": told["route_short_name"][route] or told["route_long_name"][route] or told["route_id"][route],
            "mode": mode_of(int(told["route_type"][route])),
            "color": f"#{told['route_color'][route].lower()}" if told["route_color"][route] else "",
            "new": told["route_id"][route] in new,
            "geometry": shape,
        }
        for route, shape, is_inside in zip(shown, geometry, inside, strict=True)
        if is_inside
    ]
    columns = ["scenario", "route_id", "name", "mode", "color", "new", "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(rows, columns=columns), geometry="geometry", crs="EPSG:4326")


_TOLD = ("route_id", "route_short_name", "route_long_name", "route_type", "route_color")


def _drawn(feed: Feed, trips: NDArray[np.int64], shape_of: NDArray[np.int32]) -> list[int]:
    """One trip of each course of a route, those with most trips first, as many as are drawn."""
    shaped = trips[shape_of[trips] >= 0]
    _, first_of, counts = np.unique(shape_of[shaped], return_index=True, return_counts=True)
    common = list(zip(counts.tolist(), shaped[first_of].tolist(), strict=True))
    by_stops: dict[bytes, list[int]] = {}
    for trip in trips[shape_of[trips] < 0].tolist():
        stops = feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]
        by_stops.setdefault(stops.tobytes(), []).append(trip)
    common += [(len(of_course), of_course[0]) for of_course in by_stops.values()]
    common.sort(key=lambda course: (-course[0], course[1]))
    return [trip for _, trip in common[:_MOST_COURSES]]


class _Courses:
    """The courses of a feed's trips: of a trip its shape, or the places of its stops where it has none."""

    def __init__(self, feed: Feed) -> None:
        self._feed, self._calls, self._shapes = feed, feed.calls, feed.shapes
        self._shape_of = feed.trips["shape"].to_numpy()

    @cached_property
    def _stops(self) -> NDArray[np.float64]:
        """Longitude and latitude of each stop."""
        return np.column_stack([self._feed.stops[name].to_numpy(np.float64) for name in ("lon", "lat")])

    def of(self, trip: int) -> NDArray[np.float64]:
        """Longitude and latitude of the points that are known, shape (n, 2)."""
        shape = int(self._shape_of[trip])
        if shape >= 0:
            part = slice(int(self._shapes.first[shape]), int(self._shapes.first[shape + 1]))
            points = np.column_stack((self._shapes.lon[part], self._shapes.lat[part]))
        else:
            points = self._stops[self._calls.stop[self._calls.first[trip] : self._calls.first[trip + 1]]]
        return points[np.isfinite(points).all(axis=1)]


def trip_line(feed: Feed, trip: int) -> shapely.LineString | None:
    """The course of a trip: its shape, or straight lines between its stops; None with fewer than two points."""
    points = _Courses(feed).of(trip)
    return shapely.linestrings(points) if len(points) > 1 else None
