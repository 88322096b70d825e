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
    route_of, shape_of = feed.trips["route"].to_numpy(), feed.trips["shape"].to_numpy()
    rows, ids = [], feed.routes["route_id"].to_numpy()
    for route in np.unique(route_of[active]).tolist():
        if only is not None and ids[route] not in only:
            continue
        info = feed.routes.iloc[route]
        lines = _courses(feed, active[route_of[active] == route], shape_of)
        geometry = shapely.clip_by_rect(shapely.multilinestrings(lines), *box) if lines else None
        if geometry is None or geometry.is_empty:
            continue
        rows.append(
            {
                "scenario": scenario,
                "route_id": info["route_id"],
                "name": route_name(feed, route),
                "mode": mode_of(int(info["route_type"])),
                "color": f"#{info['route_color'].lower()}" if info["route_color"] else "",
                "new": info["route_id"] in new,
                "geometry": shapely.simplify(geometry, _SIMPLIFY_DEGREES),
            }
        )
    columns = ["scenario", "route_id", "name", "mode", "color", "new", "geometry"]
    table = pd.DataFrame(rows, columns=columns)
    import geopandas as gpd

    return gpd.GeoDataFrame(table, geometry="geometry", crs="EPSG:4326")


def _courses(feed: Feed, trips: NDArray[np.int64], shape_of: NDArray[np.int32]) -> list[shapely.LineString]:
    shaped = trips[shape_of[trips] >= 0]
    _, first_of, counts = np.unique(shape_of[shaped], return_index=True, return_counts=True)
    common = list(zip(counts.tolist(), shaped[first_of].tolist(), strict=True))
    by_stops: dict[bytes, list[int]] = {}
    for trip in trips[shape_of[trips] < 0].tolist():
        stops = feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]
        by_stops.setdefault(stops.tobytes(), []).append(trip)
    common += [(len(of_course), of_course[0]) for of_course in by_stops.values()]
    common.sort(key=lambda course: (-course[0], course[1]))
    lines = [
        _shape_line(feed, int(shape_of[trip])) if shape_of[trip] >= 0 else _stop_line(feed, trip)
        for _, trip in common[:_MOST_COURSES]
    ]
    return [line for line in lines if line is not None]


def trip_line(feed: Feed, trip: int) -> shapely.LineString | None:
    """The course of a trip: its shape, or straight lines between its stops; None with fewer than two points."""
    shape = int(feed.trips["shape"].iat[trip])
    return _shape_line(feed, shape) if shape >= 0 else _stop_line(feed, trip)


def _shape_line(feed: Feed, shape: int) -> shapely.LineString | None:
    part = slice(int(feed.shapes.first[shape]), int(feed.shapes.first[shape + 1]))
    return _line(feed.shapes.lon[part], feed.shapes.lat[part])


def _stop_line(feed: Feed, trip: int) -> shapely.LineString | None:
    stops = feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]
    return _line(feed.stops["lon"].to_numpy()[stops], feed.stops["lat"].to_numpy()[stops])


def _line(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> shapely.LineString | None:
    known = np.isfinite(lon) & np.isfinite(lat)
    if known.sum() < 2:
        return None
    return shapely.linestrings(lon[known], lat[known])
