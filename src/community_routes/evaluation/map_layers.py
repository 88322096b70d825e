"""Routes and stops of a timetable as lines and points for maps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.scenarios.edit.routes import route_name
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
    route_of, ids = feed.trips["route"].to_numpy()[active], feed.routes["route_id"].to_numpy(object)
    by_route = np.argsort(route_of, kind="stable")
    routes, starts = np.unique(route_of[by_route], return_index=True)
    courses = _Courses(feed)
    lines: list[shapely.LineString] = []
    drawn: list[int] = []
    for route, trips in zip(routes.tolist(), np.split(active[by_route], starts[1:]), strict=True):
        if only is None or ids[route] in only:
            found = courses.of(trips)
            lines += found
            drawn += [route] * len(found)
    rows, of_row = np.unique(np.array(drawn, np.int64), return_inverse=True)
    shapes = (
        shapely.clip_by_rect(shapely.multilinestrings(lines, indices=of_row), *box) if lines else np.zeros(0, object)
    )
    inside = ~shapely.is_empty(shapes)
    told = feed.routes.iloc[rows[inside]]
    table = pd.DataFrame(
        {
            "scenario": scenario,
            "route_id": ids[rows[inside]].tolist(),
            "name": [route_name(feed, route) for route in rows[inside].tolist()],
            "mode": [mode_of(kind) for kind in told["route_type"].tolist()],
            "color": [f"#{color.lower()}" if color else "" for color in told["route_color"].tolist()],
            "new": [route in new for route in ids[rows[inside]]],
            "geometry": shapely.simplify(shapes[inside], _SIMPLIFY_DEGREES),
        }
    )
    import geopandas as gpd

    # Without rows there is nothing to tell the kinds of the columns by, and those of others with rows must not follow it.
    return gpd.GeoDataFrame(table if len(table) else table.astype(object), geometry="geometry", crs="EPSG:4326")


class _Courses:
    """The courses of trips as lines."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.shape_of = feed.trips["shape"].to_numpy()
        self.lon, self.lat = (feed.stops[name].to_numpy(np.float64) for name in ("lon", "lat"))

    def of(self, trips: NDArray[np.int64]) -> list[shapely.LineString]:
        """The different ones of some trips, those of most trips first, as many as are drawn."""
        shaped = trips[self.shape_of[trips] >= 0]
        _, first_of, counts = np.unique(self.shape_of[shaped], return_index=True, return_counts=True)
        common = list(zip(counts.tolist(), shaped[first_of].tolist(), strict=True))
        by_stops: dict[bytes, list[int]] = {}
        for trip in trips[self.shape_of[trips] < 0].tolist():
            by_stops.setdefault(self._stops(trip).tobytes(), []).append(trip)
        common += [(len(of_course), of_course[0]) for of_course in by_stops.values()]
        common.sort(key=lambda course: (-course[0], course[1]))
        lines = [self.line(trip) for _, trip in common[:_MOST_COURSES]]
        return [line for line in lines if line is not None]

    def line(self, trip: int) -> shapely.LineString | None:
        """The course of a trip: its shape, or straight lines between its stops; None with fewer than two points."""
        shape, shapes = int(self.shape_of[trip]), self.feed.shapes
        if shape >= 0:
            part = slice(int(shapes.first[shape]), int(shapes.first[shape + 1]))
            lon, lat = shapes.lon[part], shapes.lat[part]
        else:
            stops = self._stops(trip)
            lon, lat = self.lon[stops], self.lat[stops]
        known = np.isfinite(lon) & np.isfinite(lat)
        return shapely.linestrings(lon[known], lat[known]) if known.sum() > 1 else None

    def _stops(self, trip: int) -> NDArray[np.int32]:
        calls = self.feed.calls
        return calls.stop[calls.first[trip] : calls.first[trip + 1]]


def trip_line(feed: Feed, trip: int) -> shapely.LineString | None:
    """The course of a trip: its shape, or straight lines between its stops; None with fewer than two points."""
    return _Courses(feed).line(trip)
