"""What the page of a site says beyond its figures: stops and routes near it, the walk to the nearest, and journeys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.evaluation.case import window_query
from community_routes.evaluation.views import leg_view
from community_routes.measures.service import NEAR_M, TRAFFIC_DAY_S, StopDepartures
from community_routes.network.walks.links import Linked, link_points, walk_line_between
from community_routes.network.walks.points import Links, Points
from community_routes.report import words
from community_routes.routing.journeys import Ride, Walk, journeys
from community_routes.routing.query import Walks
from community_routes.scenarios.edit.routes import route_name, stop_name
from community_routes.sites.figures import LEAVES, WHICH_PLACE, Figure, Scene, walks_of_places
from community_routes.sites.periods import leading_window
from community_routes.sources.gtfs.trips import mode_of

_MOST_STOPS = 12
_MOST_ROUTES = 40
FloatArray = NDArray[np.float64]
Note = dict[str, Any]


def notes_of_places(scene: Scene, points: Points, values: FloatArray) -> list[Note]:
    """What pages say of some places, ready to be kept as JSON; a place has the same whichever others are asked about.

    Parameters
    ----------
    scene : Scene
    points : Points
        All of them on the network.
    values : float64, shape (n_places, n_figures)
        Of ``figures_of_blocks``.

    Returns
    -------
    list of dict
        ``entrances`` (lon, lat, whether a street is near), ``stops`` (name, id, lon, lat, metres, departures by day),
        ``walk`` (stop, metres, line), ``routes`` (mode, name, stop, metres, departures by day) within 400 m, and
        ``journeys`` to the nearest place of each key of destinations, on the first day and in the first window.
    """
    near, walks = walks_of_places(scene, points)
    start = link_points(scene.case.ground, points, link_m=scene.case.file.travel.walk.link_m)
    traffic = {day: departures.within(TRAFFIC_DAY_S) for day, departures in scene.case.departures.items()}
    return [
        {
            "entrances": _entrances(start, place),
            "stops": (stops := _stops(scene, near.of(place), traffic)),
            "walk": _walk(scene, start, place, stops),
            "routes": _routes(scene, near.of(place), traffic),
            "journeys": _journeys(scene, start, walks, place, values[place]),
        }
        for place in range(points.n_places)
    ]


def place_title(table: Any, row: int) -> str:
    """What a destination is called on a page: its name, or its kind where it has none."""
    info = table.iloc[row]
    if info["name"]:
        return str(info["name"])
    what = words.part_name(str(info["kind"])) if info["kind"] else words.kind_name(str(info["key"])).removesuffix("s")
    return f"{what} without a name"


def _entrances(start: Linked, place: int) -> list[list[Any]]:
    rows = np.flatnonzero(start.points.place == place)
    lon, lat = start.points.lon[rows].tolist(), start.points.lat[rows].tolist()
    return [[*_rounded(x, y), bool(on)] for x, y, on in zip(lon, lat, start.linked[rows], strict=True)]


def _rounded(lon: float, lat: float) -> list[float]:
    return [round(float(lon), 6), round(float(lat), 6)]


def _stops(scene: Scene, near: Links, traffic: Mapping[str, StopDepartures]) -> list[Note]:
    """The nearest stops that are served on any day, nearest first."""
    n_stops = scene.case.stops.points.n_places
    counts = {day: np.bincount(departures.stop, minlength=n_stops) for day, departures in traffic.items()}
    served = np.sum([counts[day] for day in counts], axis=0)[near.to] > 0
    metres, stop = np.round(near.metres[served], 1), near.to[served]
    table = scene.case.feed.stops
    found = []
    for row in np.lexsort((stop, metres))[:_MOST_STOPS].tolist():
        at = int(stop[row])
        info = table.iloc[at]
        found.append(
            {
                "row": at,
                "name": stop_name(scene.case.feed, at),
                "id": str(info["stop_id"]),
                "at": _rounded(info["lon"], info["lat"]),
                "metres": float(metres[row]),
                "departures": {day: int(count[at]) for day, count in counts.items()},
            }
        )
    return found


def _walk(scene: Scene, start: Linked, place: int, stops: list[Note]) -> Note | None:
    """The way to the nearest stop along the streets."""
    if not stops:
        return None
    line = walk_line_between(scene.case.ground, start, place, scene.case.stops, stops[0]["row"])
    if line is None:
        return None
    return {"stop": stops[0]["name"], "metres": stops[0]["metres"], "line": _line(line[1], line[2])}


def _line(lon: Any, lat: Any) -> list[list[float]]:
    return [_rounded(x, y) for x, y in zip(lon, lat, strict=True)]


def _routes(scene: Scene, near: Links, traffic: Mapping[str, StopDepartures]) -> list[Note]:
    """Routes that can be boarded within 400 m: the nearest stop of each, and its departures that day, each vehicle once."""
    feed = scene.case.feed
    reach = near.metres <= NEAR_M
    metres = np.full(scene.case.stops.points.n_places, np.inf)
    metres[near.to[reach]] = near.metres[reach]
    best: dict[int, tuple[float, int]] = {}
    counts: dict[int, dict[str, int]] = {}
    for day, departures in traffic.items():
        here = np.isfinite(metres[departures.stop])
        route, stop, run = departures.route[here], departures.stop[here], departures.run[here]
        for one in np.unique(route).tolist():
            mine = route == one
            counts.setdefault(one, {})[day] = len(np.unique(run[mine]))
            nearest = min((round(float(metres[at]), 1), at) for at in np.unique(stop[mine]).tolist())
            best[one] = min(best.get(one, nearest), nearest)
    found: list[Note] = []
    for one, (distance, at) in best.items():
        found.append(
            {
                "mode": mode_of(int(feed.routes["route_type"].iat[one])),
                "name": route_name(feed, one),
                "stop": stop_name(feed, at),
                "metres": distance,
                "departures": {day: counts[one].get(day, 0) for day in traffic},
            }
        )
    return sorted(found, key=lambda note: (-max(note["departures"].values()), note["name"], note["mode"]))[
        :_MOST_ROUTES
    ]


def _journeys(scene: Scene, start: Linked, walks: Walks, place: int, values: FloatArray) -> list[Note]:
    """A journey to the nearest place of each key at the departure that takes just the median time."""
    case = scene.case
    day, window = leading_window(case.file)
    column = {figure: row for row, figure in enumerate(scene.figures)}
    query = window_query(case.file, window)
    found: list[Note] = []
    for kind in case.file.destinations:
        which, leaves = (values[column[Figure(measure, day, window, kind)]] for measure in (WHICH_PLACE, LEAVES))
        if not np.isfinite(which):
            found.append({"kind": kind, "day": day, "legs": []})
            continue
        destination = int(which)
        name = place_title(case.opportunities.table, destination)
        journey = journeys(case.networks[day], query, walks, place, destination, int(leaves))[0]
        legs = [leg for leg in journey.legs if leg.arrive_s > leg.depart_s]
        found.append(
            {
                "kind": kind,
                "day": day,
                "to": name,
                "depart_s": int(leaves),
                "arrive_s": int(journey.arrive_s),
                "legs": [_leg(scene, start, leg, place, destination, name) for leg in legs],
            }
        )
    return found


def _leg(scene: Scene, start: Linked, leg: Walk | Ride, place: int, destination: int, name: str) -> Note:
    view = leg_view(scene.case, leg, (start, place, "the site"), (scene.destinations, destination, name))
    ends = {"mode": view.mode, "route": view.route, "start": view.start, "end": view.end}
    times = {"depart_s": int(view.depart_s), "arrive_s": int(view.arrive_s), "wait_s": int(view.wait_s)}
    return {**ends, **times, "line": _line(view.lon, view.lat)}
