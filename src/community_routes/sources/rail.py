"""Warns when a study area has a railway station at which no train of the timetable calls."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.notices import Notice, declare
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.table import listed

NO_RAIL = declare(
    "no_rail",
    "warning",
    "A railway station in the area has no train in the timetable, so journeys by train are missing.",
    outcome="left out",
)

_NEAR_M = 500.0
_DEGREE_M = 111_195.0
_STATION = re.compile(r"\b(rail(way)?|train) (station|halt)\b|\brail halt\b", re.IGNORECASE)


def check_rail(
    feed: Feed,
    date: dt.date,
    area: Any,
    notices: list[Notice],
    *,
    stations: Any | None = None,
    place: dict[str, Any] | None = None,
) -> None:
    """Add ``no_rail`` when stations lie in the area and no train calls at or near (500 m) some of them on the date.

    Stations are the stops of the feed that trains serve on any date, that NaPTAN codes as rail (``9100...``) or that are called
    a railway station, and the places given.

    Parameters
    ----------
    area : (west, south, east, north) or a shapely polygon
        In degrees.
    stations : GeoDataFrame, optional
        Stations from elsewhere (``railway=station`` of OpenStreetMap), with ``name``.
    place : dict, optional
        Where the timetables are named: ``study.at("timetables")``.
    """
    shape = shapely.box(*area) if isinstance(area, tuple | list) else area
    name, lon, lat = _stations(feed, stations)
    inside = shapely.contains_xy(shape, lon, lat)
    name, lon, lat = name[inside], lon[inside], lat[inside]
    if len(name) == 0:
        return
    served = _rail_stops(feed, feed.active_trips(date))
    stop_lon, stop_lat = feed.stops["lon"].to_numpy()[served], feed.stops["lat"].to_numpy()[served]
    without = sorted({str(name[i]) for i in range(len(name)) if not _any_near(lon[i], lat[i], stop_lon, stop_lat)})
    if without:
        several = "stations in the area have" if len(without) > 1 else "station in the area has"
        message = (
            f"{len(without)} railway {several} no train on {date.isoformat()} ({listed(without)}); "
            "bus timetables hold no trains: add a rail feed to `timetables`, or journeys by train are missing"
        )
        notices.append(NO_RAIL.at(**(place or {}), value=", ".join(without)[:200], message=message))


def _is_rail(route_type: NDArray[Any]) -> NDArray[np.bool_]:
    """Railway of any kind but metro and tram: 2, and 100 to 117 of the extended types."""
    return np.asarray((route_type == 2) | ((route_type >= 100) & (route_type <= 117)), bool)


def _rail_stops(feed: Feed, trips: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the stops at which trains among the trips call."""
    if len(feed.routes) == 0 or len(trips) == 0:
        return np.zeros(0, np.int64)
    route = feed.trips["route"].to_numpy()[trips]
    rail = trips[(route >= 0) & _is_rail(feed.routes["route_type"].to_numpy())[route]]
    calls = np.zeros(len(feed.calls) + 1, np.int64)
    np.add.at(calls, feed.calls.first[rail], 1)
    np.add.at(calls, feed.calls.first[rail + 1], -1)
    return np.unique(feed.calls.stop[np.cumsum(calls[:-1]) > 0]).astype(np.int64)


def _stations(feed: Feed, stations: Any | None) -> tuple[NDArray[np.object_], NDArray[np.float64], NDArray[np.float64]]:
    """Name and place of every station known."""
    stops = feed.stops
    ids, names = stops["stop_id"].astype(str), stops["stop_name"].astype(str)
    is_station = (
        (ids.str.startswith("9100") | names.map(lambda text: bool(_STATION.search(text)))).to_numpy().astype(bool)
    )
    is_station[_rail_stops(feed, np.arange(len(feed.trips)))] = True
    # A bus stop is often named after the station beside it: it tells that there is one, within the distance that counts as near.
    rows = np.flatnonzero(is_station & np.isfinite(stops["lon"].to_numpy()) & np.isfinite(stops["lat"].to_numpy()))
    name, lon, lat = names.to_numpy()[rows], stops["lon"].to_numpy()[rows], stops["lat"].to_numpy()[rows]
    if stations is not None and len(stations):
        centre = shapely.centroid(np.asarray(stations.geometry.array, object))
        more = np.asarray([str(value or "a station") for value in stations["name"].tolist()], object)
        name, lon, lat = (
            np.append(name, more),
            np.append(lon, shapely.get_x(centre)),
            np.append(lat, shapely.get_y(centre)),
        )
    return np.asarray(name, object), np.asarray(lon, np.float64), np.asarray(lat, np.float64)


def _any_near(lon: float, lat: float, others_lon: NDArray[np.float64], others_lat: NDArray[np.float64]) -> bool:
    """Whether any of the points lies within the distance that counts as near."""
    east = (others_lon - lon) * np.cos(np.radians(lat))
    return bool(np.any(np.hypot(east, others_lat - lat) * _DEGREE_M <= _NEAR_M))
