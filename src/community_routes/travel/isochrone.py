"""How far one gets from a place in so many minutes, by public transport and on foot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import UsageError, as_path
from community_routes.base.files import check_file
from community_routes.base.notices import Notice
from community_routes.base.times import MINUTE, UNREACHED, format_time
from community_routes.evaluation.case import Study, chosen_day, study_query
from community_routes.network.streets.streets import Streets
from community_routes.network.walks.links import Linked, link_points, report_other_parts, walks_between
from community_routes.network.walks.points import Links, Points
from community_routes.network.walks.reach import reach_along_streets, reach_areas
from community_routes.report.maps.isochrones import band_colors, band_labels, write_isochrones
from community_routes.report.maps.layers import Layer, write_layer_map
from community_routes.routing.query import LONGEST_TRAVEL_S, Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.sources.osm.background import background_layers
from community_routes.travel.itinerary import Spot, find_spot, moment_named
from community_routes.travel.matrix import network_of, span_of_query

_ENDINGS = (".geojson", ".html", ".htm", ".png", ".svg")
_MOST_BANDS = 6
_GRID_DEGREES = 1e-8
"""A millimetre: areas are joined on a raster this fine, since outlines that nearly touch have no union otherwise."""


@dataclass(frozen=True, eq=False)
class Isochrone:
    """What can be reached from a place within each of some times, leaving at one moment.

    Attributes
    ----------
    name : str
        Of the place.
    title : str
    areas : GeoDataFrame of limit_s, geometry
        The land within each limit; each holds those of the limits before.
    streets : GeoDataFrame of limit_s, geometry, or None
        The stretches of street; None where walking is by straight line.
    stops : DataFrame of id, name, lon, lat, time_s
        Stops that are reached in a vehicle within the last limit, the first first.
    notices : tuple of Notice
        Where the place is cut off from most streets.
    """

    name: str
    title: str
    areas: gpd.GeoDataFrame
    streets: gpd.GeoDataFrame | None
    stops: pd.DataFrame
    notices: tuple[Notice, ...]
    _study: Study = field(repr=False)
    _spot: Spot = field(repr=False)

    def write(self, path: str | Path) -> Path:
        """Write a picture (``.png``, ``.svg``), shapes (``.geojson``) or a page with a map (``.html``).

        Raises
        ------
        UsageError
            Another ending, or nothing is reached.
        """
        path = check_map_ending(path)
        street_map = self._study.street_map
        background = background_layers(street_map) if street_map is not None else None
        credit = self._study.street_credit
        if path.suffix.lower() in (".html", ".htm"):
            return write_layer_map(path, self._layers(), title=self.title, background=background, credit=credit)
        if path.suffix.lower() == ".geojson":
            return write_isochrones(self.areas, path, title=self.title)
        place = float(self._spot.points.lon[0]), float(self._spot.points.lat[0])
        return write_isochrones(
            self.areas,
            path,
            title=self.title,
            place=place,
            name=self.name,
            streets=self.streets,
            background=background,
            credit=credit,
        )

    def _layers(self) -> list[Layer]:
        """Bands as rings, the widest first, so that each can be pointed at; then the stops and the place."""
        shapes, labels, colors = list(self.areas.geometry), band_labels(self.areas), band_colors(len(self.areas))
        layers = []
        for number in range(len(shapes) - 1, -1, -1):
            ring = shapes[number] if not number else shapely.difference(shapes[number], shapes[number - 1])
            if not ring.is_empty:
                frame = gpd.GeoDataFrame({"label": [labels[number]]}, geometry=[ring], crs="EPSG:4326")
                layers.append(
                    Layer(labels[number].capitalize(), frame, colors[number], fill=0.6, width=0.8, counted=False)
                )
        table = self.stops
        words = [
            f"{n} ({i}): {s / MINUTE:.0f} min"
            for i, n, s in zip(table["id"], table["name"], table["time_s"], strict=True)
        ]
        stops = gpd.GeoDataFrame(
            {"label": words}, geometry=list(shapely.points(table["lon"], table["lat"])), crs="EPSG:4326"
        )
        layers.append(Layer("Stops that vehicles serve in time", stops, "#17212a", radius=2.5))
        here = shapely.points(self._spot.points.lon[:1], self._spot.points.lat[:1])
        start = gpd.GeoDataFrame({"label": [self.name]}, geometry=list(here), crs="EPSG:4326")
        return [*layers, Layer("The place", start, "#c0156b", radius=7, counted=False)]

    def __repr__(self) -> str:
        return f"Isochrone({self.title}; {len(self.stops):,} stops that vehicles serve in time)"


def check_map_ending(path: str | Path) -> Path:
    """The path, if its ending says how a map can be written.

    Raises
    ------
    UsageError
    """
    path = as_path(path)
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"{path.name}: the ending says how it is written; use .geojson, .html, .png or .svg")
    check_file(path)
    return path


def isochrone(
    study: Study,
    place: str,
    *,
    depart: str | None = None,
    arrive: str | None = None,
    minutes: Sequence[int] = (15, 30, 45),
    day: str | None = None,
) -> Isochrone:
    """What can be reached from a place of a study by public transport and on foot, leaving at one moment.

    With ``arrive`` instead the catchment of the place: from where one can be there by a moment, leaving so many minutes
    before. The walk to or from a stop is limited like every such walk, the walk all the way like those of the study.

    Parameters
    ----------
    study : Study
    place : str
        Id, name or ``lon,lat``.
    depart, arrive : str
        When to leave, or when to be there, as in ``08:15``; one of them.
    minutes : sequence of int
        Rising limits, at most six.
    day : str, optional
        Key of ``service_date``; needed where the study has several.

    Returns
    -------
    Isochrone

    Raises
    ------
    UsageError
        The place, day, time or limits cannot be made out, or the place is off the network.
    """
    limits_s = _limits(minutes)
    moment_s = moment_named(depart, arrive)
    day, spot = chosen_day(study, day), find_spot(study, place)
    walk = study.file.travel.walk
    linked = link_points(study.ground, spot.points, link_m=walk.link_m)
    if not linked.place_linked.any():
        raise UsageError(f"{spot.name} is off the network, so nothing is reached from it (see `check`)")
    query = study_query(study.file, (moment_s, moment_s + 1), arrive_by=arrive is not None)
    query = replace(query, step_s=1, max_travel_s=limits_s[-1])
    stops, times = _times_at_stops(study, linked, query, day)
    areas, streets = _reached(study, spot, stops, times, limits_s, towards=query.arrive_by)
    way = "To" if query.arrive_by else "From"
    when = f"{'arriving by' if query.arrive_by else 'leaving at'} {format_time(moment_s, with_seconds=False)}"
    title = f"{way} {spot.name}, {day} {study.file.dates[day]}, {when}"
    if study.file.travel.step_free:
        title += ", step-free by what is known" if study.file.travel.bound == "worst" else ", step-free at best"
    if study.file.travel.step_free is True:
        known = _times_at_stops(study.at_bound("worst"), linked, query, day)[1]
        title += f" (by stops and trips known to be accessible alone {int((known != UNREACHED).sum()):,} stops)"
    notices: list[Notice] = []
    report_other_parts(study.ground, linked, "places", notices)
    return Isochrone(spot.name, title, areas, streets, _stop_table(study, times), tuple(notices), study, spot)


def _times_at_stops(study: Study, linked: Linked, query: Query, day: str) -> tuple[Linked, NDArray[np.int32]]:
    """The stops, and seconds from a place to each in a vehicle (with ``arrive_by`` from each to the place)."""
    walk = study.file.travel.walk
    stops, network = network_of(study, span_of_query(query), day)
    limit_s = int(walk.to_stop_min * MINUTE)
    if query.arrive_by:
        egress = walks_between(study.ground, stops, linked, limit_s=limit_s, speed_kmh=walk.speed_kmh).reversed(1)
        walks = Walks(_each_itself(stops.points), egress, _nothing(stops.points.n_places))
        return stops, travel_times_by_departure(network, query, walks)[:, 0, 0]
    access = walks_between(study.ground, linked, stops, limit_s=limit_s, speed_kmh=walk.speed_kmh)
    walks = Walks(access, _each_itself(stops.points), _nothing(1))
    return stops, travel_times_by_departure(network, query, walks)[0, 0]


def _limits(minutes: Sequence[int]) -> list[int]:
    limits = sorted({int(one) for one in minutes})
    longest = LONGEST_TRAVEL_S // MINUTE
    if not limits or limits[0] < 1 or limits[-1] > longest or len(limits) > _MOST_BANDS:
        raise UsageError(f"minutes are up to {_MOST_BANDS} whole numbers from 1 to {longest}, as in 15,30,45")
    return [one * MINUTE for one in limits]


def _each_itself(stops: Points) -> Links:
    """Every stop as a place that is there when the vehicle is: what is walked from it or to it is measured on the ground."""
    n = stops.n_places
    return Links(np.arange(n + 1), np.arange(n, dtype=np.int32), np.zeros(n, np.int32), np.zeros(n))


def _nothing(n_from: int) -> Links:
    """No walk all the way: those are measured on the ground too."""
    return Links(np.zeros(n_from + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))


def _reached(
    study: Study, spot: Spot, stops: Linked, times: NDArray[np.int32], limits_s: list[int], *, towards: bool
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None]:
    """Areas and streets, of walks from the place and of walks from the stops, each with its own limit on a walk."""
    walk = study.file.travel.walk
    points, beyond_m = stops.points, stops.in_m if towards else stops.out_m
    rows = np.flatnonzero(times[points.place] != UNREACHED)
    already_s = times[points.place[rows]].astype(np.float64)
    if beyond_m is not None:  # between the platform and the street
        already_s = already_s + beyond_m[rows] * 3.6 / walk.speed_kmh
    starts = (
        (np.column_stack([spot.points.lon, spot.points.lat]), np.zeros(len(spot.points.lon)), walk.all_the_way_min),
        (
            np.column_stack([points.lon[rows], points.lat[rows]]),
            already_s,
            walk.to_stop_min,
        ),
    )
    areas, streets = [], []
    for lonlat, already_s, longest_min in starts:
        if not len(lonlat):
            continue
        choices: dict[str, Any] = {"already_s": already_s, "walk_limit_s": min(longest_min * MINUTE, limits_s[-1])}
        along = None
        if isinstance(study.ground, Streets):
            along = reach_along_streets(
                study.ground, lonlat, limits_s, walk.speed_kmh, link_m=walk.link_m, towards=towards, **choices
            )
            streets.append(along)
        areas.append(reach_areas(study.ground, lonlat, limits_s, walk.speed_kmh, along=along, **choices))
    joined: list[shapely.Geometry] = []
    for same_limit in zip(*(area.geometry for area in areas), strict=True):
        parts = shapely.make_valid(np.array([*joined[-1:], *same_limit], object))
        joined.append(shapely.union_all(parts, grid_size=_GRID_DEGREES))
    whole = areas[0].assign(geometry=joined)
    if not streets:
        return whole, None
    return whole, gpd.GeoDataFrame(pd.concat(streets, ignore_index=True), crs="EPSG:4326")


def _stop_table(study: Study, times: NDArray[np.int32]) -> pd.DataFrame:
    rows = np.flatnonzero(times != UNREACHED)
    rows = rows[np.argsort(times[rows], kind="stable")]
    table = study.feed.stops.iloc[rows]
    return pd.DataFrame(
        {
            "id": table["stop_id"].to_numpy(object),
            "name": table["stop_name"].to_numpy(object),
            "lon": table["lon"].to_numpy(np.float64),
            "lat": table["lat"].to_numpy(np.float64),
            "time_s": times[rows],
        }
    )
