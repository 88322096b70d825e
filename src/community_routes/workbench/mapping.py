"""What the map of the workbench shows behind proposals: streets, neighbourhoods, places, stops and routes as plain numbers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Study
from community_routes.evaluation.map_layers import Box, study_box, trip_line, trips_by_day
from community_routes.measures.groups import local_fifths
from community_routes.report.maps import geo, svg
from community_routes.scenarios.cost import PERIODS
from community_routes.scenarios.edit.routes import directions, pattern_of, route_name, runs_of
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.trips import mode_of
from community_routes.sources.osm.background import background_layers
from community_routes.sources.osm.street_map import StreetMap
from community_routes.workbench.models import (
    Feature,
    Features,
    Geometry,
    Label,
    Line,
    MapAnswer,
    Pattern,
    PlaceOnMap,
    RouteOnMap,
    Shapes,
    StopOnMap,
    StreetClass,
)

_MOST_PATTERNS = 6
_SIMPLIFY_DEGREES = 0.00003
_MOST_BACKGROUND = 4_000_000
_MAJOR_FIRST = ("motorway", "trunk", "primary", "secondary", "tertiary")
_MINOR = ("unclassified", "residential", "living_street", "pedestrian")


def map_answer(study: Study) -> MapAnswer:
    """Everything of a study that its map needs once.

    Parameters
    ----------
    study : Study
    """
    box = study_box(study.zones.table.geometry)
    frame = geo.frame_of(study.zones.table)
    layers = background_layers(study.street_map, _MOST_BACKGROUND) if study.street_map is not None else {}
    routes = routes_on_map(study.feed, study.file.dates, box=box)
    screen = geo.frame_of(study.zones.table, width=min(800.0, 640.0 * frame.width / frame.height))
    return MapAnswer(
        bounds=(frame.west, frame.south, frame.east, frame.north),
        streets=[*_streets(layers.get("roads"), frame), *_minor_streets(study.street_map, frame)],
        background={name: _shapes(layers.get(name), frame) for name in ("green", "water", "railways")},
        labels=[
            Label(name=name, kind=kind, lon=round(lon, 5), lat=round(lat, 5))
            for name, kind, lon, lat in svg.labels_in(layers.get("places"), study.zones.table, screen, letter=6.8)
        ],
        neighbourhoods=_neighbourhoods(study),
        places=places_on_map(study.opportunities.table),
        stops=_stops(study.feed, routes, box),
        routes=routes,
    )


def _streets(roads: Any, frame: geo.Frame) -> list[StreetClass]:
    """Streets by class, the most important first."""
    if roads is None or not len(roads):
        return []
    kinds = roads["kind"].astype(str)
    order = sorted(kinds.unique(), key=lambda kind: (*_MAJOR_FIRST, kind).index(kind))
    found = []
    for kind in order:
        shapes = geo.simple_lines(roads.geometry[kinds == kind], frame, metres=4.0)
        found.append(StreetClass(class_=kind, lines=[line for shape in shapes for line in lines_of(shape)]))
    return found


def _minor_streets(street_map: StreetMap | None, frame: geo.Frame) -> list[StreetClass]:
    """Streets of the classes below those of the background, along which routes are drawn when one looks closely."""
    if street_map is None:
        return []
    found = []
    for kind in _MINOR:
        rows = np.flatnonzero(street_map.highway == kind)
        if not len(rows):
            continue
        size = np.diff(street_map.first)[rows]
        at = np.repeat(street_map.first[rows] - np.cumsum(size) + size, size) + np.arange(size.sum())
        node = street_map.node[at]
        points = np.column_stack([street_map.lon[node], street_map.lat[node]])
        lines = shapely.linestrings(points, indices=np.repeat(np.arange(len(rows)), size))
        merged = shapely.line_merge(shapely.multilinestrings(lines))
        shapes = geo.simple_lines([merged], frame, metres=6.0)
        found.append(StreetClass(class_=kind, lines=[line for shape in shapes for line in lines_of(shape)]))
    return found


def _shapes(layer: Any, frame: geo.Frame) -> Shapes:
    if layer is None or not len(layer):
        return Shapes(areas=[], lines=[])
    shapes = geo.simple_lines(geo.big_enough(layer.geometry), frame)
    areas = [polygon for shape in shapes for polygon in polygons_of(shape)]
    return Shapes(areas=areas, lines=[line for shape in shapes if not polygons_of(shape) for line in lines_of(shape)])


def lines_of(shape: Any) -> list[Line]:
    """Lines and rings of a shape as ``[lon, lat]`` with five decimals."""
    return [[(lon, lat) for lat, lon in line] for line in geo.latlon_lists([shape])[0]]


def polygons_of(shape: Any) -> list[list[Line]]:
    """Polygons of a shape, each a list of rings."""
    return [[[(lon, lat) for lat, lon in ring] for ring in polygon] for polygon in geo.polygon_lists([shape])[0]]


def _neighbourhoods(study: Study) -> Features:
    """The neighbourhoods as GeoJSON; ``fifth`` is 1 for the most deprived, null where deprivation is unknown."""
    table = study.zones.table
    fifths = fifths_of(table)
    features = []
    for row, shape in enumerate(geo.simple_zones(table)):
        properties: dict[str, Any] = {
            "id": str(table["id"].iat[row]),
            "name": str(table["name"].iat[row]),
            "group": str(table["group"].iat[row]),
            "population": number(table["population"].iat[row]) if study.zones.has_population else None,
            "fifth": fifths[row],
        }
        lon, lat = geo.label_point(shape)
        properties["at"] = [round(lon, 5), round(lat, 5)]
        features.append(Feature(properties=properties, geometry=Geometry(coordinates=polygons_of(shape))))
    return Features(features=features)


def fifths_of(table: pd.DataFrame) -> list[int | None]:
    """In which local fifth most of each neighbourhood's residents are; None where its deprivation is unknown."""
    rank = table["deprivation_rank"] if table["deprivation_rank"].notna().any() else table["deprivation_decile"]
    share = local_fifths(table["population"].to_numpy(np.float64), rank.to_numpy(np.float64))
    return [int(row.argmax()) + 1 if row.any() else None for row in share]


def places_on_map(table: Any) -> list[PlaceOnMap]:
    """Destinations by their points."""
    points = table.geometry.representative_point()
    rows = zip(table["id"], table["key"], table["kind"], table["name"], points.x, points.y, strict=True)
    return [
        PlaceOnMap(
            id=str(id_),
            kind=f"{key}/{kind}" if kind else str(key),
            name=str(name or ""),
            lon=round(float(lon), 5),
            lat=round(float(lat), 5),
        )
        for id_, key, kind, name, lon, lat in rows
    ]


def _stops(feed: Feed, routes: Iterable[RouteOnMap], box: Box) -> list[StopOnMap]:
    """Stops at which the routes shown call inside the box, with the routes of each."""
    of_stop: dict[str, list[str]] = {}
    for route in routes:
        for stop in dict.fromkeys(stop for pattern in route.patterns for stop in pattern.stops):
            of_stop.setdefault(stop, []).append(route.id)
    west, south, east, north = box
    table = feed.stops
    rows = zip(
        table["stop_id"], table["stop_name"], table["lon"].to_numpy(float), table["lat"].to_numpy(float), strict=True
    )
    return [
        StopOnMap(
            id=str(id_), name=str(name or id_), lon=round(lon, 6), lat=round(lat, 6), routes=of_stop.get(str(id_), [])
        )
        for id_, name, lon, lat in rows
        if str(id_) in of_stop and west <= lon <= east and south <= lat <= north
    ]


@dataclass(frozen=True, eq=False)
class _Use:
    """Trips of some routes on the study's days, and how often each runs on all of them together."""

    trips: NDArray[np.int64]
    runs: NDArray[np.int64]

    @classmethod
    def of(cls, feed: Feed, dates: Mapping[str, dt.date], rows: NDArray[np.int64] | None) -> _Use:
        counts = np.zeros(len(feed.trips), np.int64)
        route = feed.trips["route"].to_numpy()
        for trips in trips_by_day(feed, dates).values():
            mine = trips if rows is None else trips[np.isin(route[trips], rows)]
            np.add.at(counts, runs_of(feed, mine).trip, 1)
        used = np.flatnonzero((counts > 0) & (np.diff(feed.calls.first) > 1))
        return cls(used, counts[used])


def routes_on_map(
    feed: Feed,
    dates: Mapping[str, dt.date],
    *,
    box: Box | None = None,
    only: Collection[str] | None = None,
) -> list[RouteOnMap]:
    """The routes that run on any day of a study: their patterns, and how often they run by day and period.

    Parameters
    ----------
    feed : Feed
    dates : mapping of day to date
    box : (west, south, east, north), optional
        Routes without a stop in it are left out.
    only : collection of str, optional
        Ids of the routes wanted.
    """
    rows = None if only is None else np.flatnonzero(feed.routes["route_id"].isin(list(only)).to_numpy())
    use = _Use.of(feed, dates, rows)
    if box is not None:
        use = _inside(feed, use, box)
    route_of = feed.trips["route"].to_numpy()[use.trips]
    parts = {row: np.flatnonzero(route_of == row) for row in np.unique(route_of).tolist()}
    way = np.zeros(len(use.trips), np.int8)
    for mine in parts.values():
        way[mine] = directions(feed, use.trips[mine])
    headways, ids = _headways(feed, dates, use.trips, way), feed.stops["stop_id"].to_numpy(object)
    found = []
    for row, mine in parts.items():
        info = feed.routes.iloc[row]
        agency = int(info["agency"])
        found.append(
            RouteOnMap(
                id=str(info["route_id"]),
                name=route_name(feed, row),
                long_name=str(info["route_long_name"] or ""),
                operator=str(feed.agencies["agency_name"].iat[agency]) if 0 <= agency < len(feed.agencies) else "",
                mode=mode_of(int(info["route_type"])),
                color=f"#{str(info['route_color']).lower()}" if info["route_color"] else "",
                patterns=_patterns(feed, ids, use.trips[mine], use.runs[mine], way[mine]),
                headways=headways[row],
            )
        )
    return found


def _inside(feed: Feed, use: _Use, box: Box) -> _Use:
    """Without the routes that have no stop inside the box."""
    lon, lat = feed.stops["lon"].to_numpy(float), feed.stops["lat"].to_numpy(float)
    west, south, east, north = box
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    calls = np.concatenate([[0], np.cumsum(inside[feed.calls.stop])])
    touches = calls[feed.calls.first[use.trips + 1]] > calls[feed.calls.first[use.trips]]
    route = feed.trips["route"].to_numpy()[use.trips]
    keep = np.isin(route, np.unique(route[touches]))
    return _Use(use.trips[keep], use.runs[keep])


def _patterns(
    feed: Feed, ids: NDArray[Any], trips: NDArray[np.int64], runs: NDArray[np.int64], way: NDArray[np.int8]
) -> list[Pattern]:
    """Patterns of a route: the most run of each direction first, then the others by their departures."""
    shape = feed.trips["shape"].to_numpy()
    groups: dict[tuple[int, int, bytes], list[int]] = {}
    for k, trip in enumerate(trips.tolist()):
        groups.setdefault((int(way[k]), int(shape[trip]), pattern_of(feed, trip)), []).append(k)
    rows = sorted(((int(runs[group].sum()), key[0], group[0]) for key, group in groups.items()), key=lambda r: -r[0])
    first = [next(row for row in rows if row[1] == one) for one in sorted({row[1] for row in rows})]
    first.sort(key=lambda row: -row[0])
    found = []
    for count, direction, k in [*first, *(row for row in rows if row not in first)][:_MOST_PATTERNS]:
        trip = int(trips[k])
        calls = slice(int(feed.calls.first[trip]), int(feed.calls.first[trip + 1]))
        line = trip_line(feed, trip)
        found.append(
            Pattern(
                direction=direction,
                stops=[str(one) for one in ids[feed.calls.stop[calls]]],
                line=course(line) if line is not None else [],
                trips=count,
            )
        )
    return found


def course(line: Any) -> Line:
    """A line simplified to three metres."""
    points = np.round(shapely.get_coordinates(shapely.simplify(line, _SIMPLIFY_DEGREES)), 5)
    return [(float(lon), float(lat)) for lon, lat in points]


def _headways(
    feed: Feed, dates: Mapping[str, dt.date], trips: NDArray[np.int64], ways: NDArray[np.int8]
) -> dict[int, dict[str, dict[str, float | None]]]:
    """Minutes between buses by route row, day and period: the period over the departures of the busier direction."""
    route_of, service = feed.trips["route"].to_numpy(), feed.trips["service"].to_numpy()
    way = np.zeros(len(feed.trips), np.int8)
    way[trips] = ways
    starts = [0, *(start for start, _ in list(PERIODS.values())[1:])]
    found: dict[int, dict[str, dict[str, float | None]]] = {int(row): {} for row in np.unique(route_of[trips])}
    for day, date in dates.items():
        runs = runs_of(feed, trips[feed.calendar.active(date)[service[trips]]])
        period = np.searchsorted(starts, runs.start_s, side="right") - 1
        counts = Counter(zip(route_of[runs.trip].tolist(), period.tolist(), way[runs.trip].tolist(), strict=True))
        for row, of_day in found.items():
            most = [max(counts[row, number, one] for one in (0, 1)) for number in range(len(PERIODS))]
            if any(most):
                of_day[day] = {
                    name: round(_length_min(name, number) / count, 1) if count else None
                    for number, (name, count) in enumerate(zip(PERIODS, most, strict=True))
                }
    return found


_DAY_BEGINS_MIN, _DAY_ENDS_MIN = 5 * 60, 25 * 60


def _length_min(name: str, number: int) -> float:
    """Minutes of a period; of the first those from five o'clock, of the last those until one, when buses run."""
    start, end = PERIODS[name]
    low = _DAY_BEGINS_MIN if number == 0 else start / MINUTE
    return (_DAY_ENDS_MIN if number == len(PERIODS) - 1 else end / MINUTE) - low


def run_minutes(feed: Feed, stops: list[set[int]], trips: NDArray[np.int64]) -> list[float | None]:
    """Minutes from each of some places to the next on the trip that calls at most of them in this order; the first has none.

    Parameters
    ----------
    feed : Feed
    stops : list of set of int
        Rows of the stops of each place.
    trips : int64
        Rows of the trips to look at; one for each pattern is enough.
    """
    best: list[int | None] = [None] * len(stops)
    for trip in trips.tolist():
        first, end = int(feed.calls.first[trip]), int(feed.calls.first[trip + 1])
        calls = feed.calls.stop[first:end].tolist()
        found, at = list[int | None](), 0
        for place in stops:
            hit = next((k for k in range(at, len(calls)) if calls[k] in place), None)
            found.append(None if hit is None else first + hit)
            at = at if hit is None else hit + 1
        if sum(one is not None for one in found) > sum(one is not None for one in best):
            best = found
    minutes = list[float | None]([None] * min(len(stops), 1))
    for before, after in pairwise(best):
        known = before is not None and after is not None
        run_s = int(feed.calls.arrival_s[after]) - int(feed.calls.departure_s[before]) if known else 0
        minutes.append(round(run_s / MINUTE, 2) if known else None)
    return minutes


def number(value: Any) -> float | None:
    """A finite number, or None."""
    return float(value) if value is not None and np.isfinite(value) else None


def numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Finite numbers, None for the others."""
    return [float(value) if finite else None for value, finite in zip(values, np.isfinite(values), strict=True)]
