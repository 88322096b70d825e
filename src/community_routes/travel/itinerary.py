"""One journey between two named places, leg by leg, or why there is none."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.notices import Notice, counted
from community_routes.base.times import MINUTE, format_time, parse_time
from community_routes.evaluation.case import Case, Study, chosen_day, study_query
from community_routes.evaluation.places import destination_points, study_walks
from community_routes.network.network import Network
from community_routes.network.walks.links import (
    Linked,
    link_points,
    metres_outside,
    report_other_parts,
    walk_line_between,
)
from community_routes.network.walks.points import Points
from community_routes.routing.explain import explain, span_to_explain
from community_routes.routing.journeys import Journey, Ride, Walk, journeys
from community_routes.routing.query import Query, Walks
from community_routes.scenarios.edit.routes import route_name
from community_routes.sources.gtfs.trips import mode_of
from community_routes.sources.study.yaml import did_you_mean
from community_routes.travel.matrix import network_of, span_of_query

_COORDINATES = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*")
_ONE_PLACE_DEGREES = 0.004
_LONGEST_SHOWN = 80


@dataclass(frozen=True, eq=False)
class Spot:
    """A place that a journey starts from or goes to: what it is called, and its points."""

    name: str
    points: Points


def find_spot(study: Study, text: str) -> Spot:
    """The place meant by an id, a name or ``lon,lat``: of a neighbourhood, a destination or a stop, in this order.

    Raises
    ------
    UsageError
        Nothing or more than one thing is called that.
    """
    pair = _COORDINATES.fullmatch(text)
    if pair is not None:
        lon, lat = float(pair[1]), float(pair[2])
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            raise UsageError(f"{text!r} is no longitude and latitude in degrees (longitude comes first)")
        return Spot(f"{lon:.5f},{lat:.5f}", Points.single([text.strip()], [lon], [lat]))
    wanted = text.strip().casefold()
    spots = [*_zones(study), *_destinations(study), *_stops(study)]
    for key in ("id", "name"):
        found = [spot for spot in spots if getattr(spot, key).casefold() == wanted and getattr(spot, key)]
        if found:
            return _only_one(text, found)
    shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    hint = did_you_mean(shown, [spot.name for spot in spots] + [spot.id for spot in spots], before="; ")
    raise UsageError(f"nothing in the study is called {shown!r}{hint} (give an id, a name, or lon,lat)")


@dataclass(frozen=True, eq=False)
class _Candidate:
    id: str
    name: str
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    what: str


def _only_one(text: str, found: list[_Candidate]) -> Spot:
    first = found[0]
    same = [c for c in found if c.what == first.what]
    lon, lat = np.concatenate([c.lon for c in same]), np.concatenate([c.lat for c in same])
    spread = max(float(np.ptp(lon)), float(np.ptp(lat))) if len(lon) else 0.0
    if len(same) > 1 and spread > _ONE_PLACE_DEGREES:
        listed = "; ".join(f"{c.id} at {c.lon[0]:.4f},{c.lat[0]:.4f}" for c in same[:8])
        raise UsageError(f"{len(same)} {first.what}s are called {text!r}: {listed}; give the id")
    points = Points(np.array([first.id], object), lon, lat, np.zeros(len(lon), np.int32))
    return Spot(first.name or first.id, points)


def _zones(study: Study) -> Iterable[_Candidate]:
    """A neighbourhood starts at its first origin, the one with the largest weight."""
    origins = study.zones.origins.sort_values(["zone", "weight"], ascending=[True, False], kind="stable")
    first = origins.drop_duplicates("zone")
    table = study.zones.table
    for zone, lon, lat in zip(first["zone"], first["lon"], first["lat"], strict=True):
        yield _Candidate(
            table["id"].iat[zone], table["name"].iat[zone], np.array([lon]), np.array([lat]), "neighbourhood"
        )


def _destinations(study: Study) -> Iterable[_Candidate]:
    points, table = destination_points(study.opportunities), study.opportunities.table
    first = np.searchsorted(points.place, np.arange(len(table) + 1))
    for row, (place_id, name) in enumerate(zip(table["id"], table["name"], strict=True)):
        part = slice(int(first[row]), int(first[row + 1]))
        yield _Candidate(place_id, name, points.lon[part], points.lat[part], "destination")


def _stops(study: Study) -> Iterable[_Candidate]:
    stops = study.feed.stops
    for stop_id, name, lon, lat in zip(stops["stop_id"], stops["stop_name"], stops["lon"], stops["lat"], strict=True):
        if np.isfinite(lon) and np.isfinite(lat):
            yield _Candidate(stop_id, name, np.array([lon]), np.array([lat]), "stop")


@dataclass(frozen=True, eq=False)
class Itinerary:
    """The answer to one question of a journey.

    Attributes
    ----------
    origin, destination : str
    day : str
    query : Query
    moment_s : int
        Departure, or deadline for ``query.arrive_by``.
    journeys : list of Journey
        By arrival; the first is that of the matrix. Empty when there is none.
    reason, message : str
        Why there is none.
    notices : tuple of Notice
        Ends that are cut off from most streets.
    worst : Itinerary or None
        The same where only what is known to be accessible counts, of a study that asks for both bounds of step-free travel.
    """

    origin: str
    destination: str
    day: str
    query: Query
    moment_s: int
    journeys: list[Journey]
    reason: str
    message: str
    notices: tuple[Notice, ...]
    _study: Study = field(repr=False)
    _network: Network | None = field(repr=False)
    _linked: tuple[Linked, Linked, Linked] | None = field(repr=False)
    worst: Itinerary | None = field(default=None, repr=False)

    def text(self) -> str:
        """For a terminal: the legs of every journey, or the reason."""
        verb = "arriving by" if self.query.arrive_by else "leaving at"
        head = f"{self.origin} to {self.destination}, {self.day}, {verb} {format_time(self.moment_s)}"
        bound = [self._bound_text()] if self._study.file.travel.step_free else []
        if not self.journeys:
            return "\n\n".join([f"{head}\nno journey ({self.reason}): {self.message}", *bound])
        blocks = [self._journey_text(journey) for journey in self.journeys]
        return "\n\n".join([head, *blocks, *bound])

    def _bound_text(self) -> str:
        """Which bound of step-free travel this is, and what the other would be."""
        if self._study.file.travel.bound == "worst":
            return "step-free: only trips and stops known to be accessible count"
        said = "step-free: trips and stops of which it is not known count as accessible"
        if self.worst is None:
            return said
        known = (
            f"{_minutes(self.worst.journeys[0].time_s)}, {counted(len(self.worst.journeys[0].rides), 'ride')}"
            if self.worst.journeys
            else f"no journey ({self.worst.reason})"
        )
        return f"{said}; by those known to be accessible alone: {known}"

    def _journey_text(self, journey: Journey) -> str:
        waits = sum(ride.wait_s for ride in journey.rides)
        head = (
            f"{format_time(journey.depart_s)} - {format_time(journey.arrive_s)}   {_minutes(journey.time_s)}, "
            f"{counted(len(journey.rides), 'ride')}, {_minutes(journey.walk_s)} on foot, {_minutes(waits)} waiting"
        )
        return "\n".join([head, *(f"  {line}" for leg in journey.legs for line in self._leg_lines(leg))])

    def _leg_lines(self, leg: Walk | Ride) -> list[str]:
        if isinstance(leg, Walk):
            if leg.arrive_s == leg.depart_s:
                return []
            where = (
                f"walk {leg.metres:,.0f} m ({_minutes(leg.arrive_s - leg.depart_s)}) to {self._end_name(leg.to_stop)}"
            )
            return [f"{format_time(leg.depart_s)}  {where}"]
        names = self._ride_names(leg)
        return [
            f"{format_time(leg.depart_s)}  {names['mode']} {names['route']} from {self._end_name(leg.from_stop)}"
            f"{names['towards']}, after waiting {_minutes(leg.wait_s)}",
            f"{format_time(leg.arrive_s)}  leave it at {self._end_name(leg.to_stop)} ({counted(len(leg.calls), 'stop')} on)",
        ]

    def _ride_names(self, ride: Ride) -> dict[str, str]:
        feed = self._study.feed
        trip = feed.trips.iloc[ride.trips[0]]
        route = int(trip["route"])
        towards = f" towards {trip['trip_headsign']}" if trip["trip_headsign"] else ""
        mode = mode_of(int(feed.routes["route_type"].iat[route]))
        return {"mode": mode, "route": route_name(feed, route), "towards": towards}

    def _end_name(self, stop: int, end: str | None = None) -> str:
        if stop < 0:
            return self.destination if end is None else end
        row = self._study.feed.stops.iloc[stop]
        return f"{row['stop_name']} ({row['stop_id']})" if row["stop_name"] else str(row["stop_id"])

    def to_dict(self) -> dict[str, Any]:
        """Everything, with the courses of walks along streets, for ``--json``."""
        return {
            **({"step_free": self._study.file.travel.bound} if self._study.file.travel.step_free else {}),
            **({"step_free_worst": self.worst.to_dict()} if self.worst is not None else {}),
            "from": self.origin,
            "to": self.destination,
            "day": self.day,
            "arrive_by" if self.query.arrive_by else "depart": format_time(self.moment_s),
            "reason": self.reason,
            "message": self.message,
            "journeys": [
                {
                    "depart": format_time(journey.depart_s),
                    "arrive": format_time(journey.arrive_s),
                    "time_s": journey.time_s,
                    "rides": len(journey.rides),
                    "walk_s": journey.walk_s,
                    "walk_m": round(sum(leg.metres for leg in journey.legs if isinstance(leg, Walk)), 1),
                    "legs": [self._leg_dict(leg) for leg in journey.legs],
                }
                for journey in self.journeys
            ],
        }

    def json(self) -> str:
        """``to_dict`` as text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def _leg_dict(self, leg: Walk | Ride) -> dict[str, Any]:
        feed = self._study.feed
        times = {"depart": format_time(leg.depart_s), "arrive": format_time(leg.arrive_s)}

        def stop_id(stop: int) -> str:
            return str(feed.stops["stop_id"].iat[stop]) if stop >= 0 else ""

        if isinstance(leg, Walk):
            return {
                "mode": "walk",
                **times,
                "from": self._end_name(leg.from_stop, self.origin),
                "to": self._end_name(leg.to_stop),
                "from_stop": stop_id(leg.from_stop),
                "to_stop": stop_id(leg.to_stop),
                "metres": round(leg.metres, 1),
                "line": self._walk_line(leg),
            }
        names = self._ride_names(leg)
        return {
            "mode": names["mode"],
            "route": names["route"],
            "route_id": feed.routes["route_id"].iat[int(feed.trips["route"].iat[leg.trips[0]])],
            "trips": [feed.trips["trip_id"].iat[trip] for trip in leg.trips],
            "headsign": feed.trips["trip_headsign"].iat[leg.trips[0]],
            **times,
            "wait_s": leg.wait_s,
            "from": self._end_name(leg.from_stop),
            "to": self._end_name(leg.to_stop),
            "from_stop": stop_id(leg.from_stop),
            "to_stop": stop_id(leg.to_stop),
            "stops": [stop_id(int(feed.calls.stop[call])) for call in (*leg.calls, leg.calls[-1] + 1)],
        }

    def _walk_line(self, leg: Walk) -> list[list[float]]:
        if self._linked is None:
            return []
        start, stops, end = self._linked
        a = (start, 0) if leg.from_stop < 0 else (stops, leg.from_stop)
        b = (end, 0) if leg.to_stop < 0 else (stops, leg.to_stop)
        line = walk_line_between(self._study.ground, *a, *b)
        if line is None:
            return []
        return [[round(float(x), 6), round(float(y), 6)] for x, y in zip(line[1], line[2], strict=True)]

    def __repr__(self) -> str:
        return self.text()


def find_journeys(
    study: Study,
    origin: Spot,
    destination: Spot,
    query: Query,
    day: str,
    moment_s: int,
    built: tuple[Linked, Network] | None = None,
) -> Itinerary:
    """The Pareto journeys (by arrival and rides) between two places, or why there is none.

    Parameters
    ----------
    study : Study
    origin, destination : Spot
    query : Query
        Its limits hold; its window is the moment.
    day : str
        Key of ``service_date``.
    moment_s : int
        Departure, or deadline for ``query.arrive_by``, in seconds of the service date.
    built : (Linked, Network), optional
        Stops and network of the day, where they are there already and wide enough.
    """
    query = replace(query, window_s=(moment_s, moment_s + 1), step_s=1)
    stops, network = built or network_of(study, span_of_query(query), day)
    walk = study.file.travel.walk

    def walks_within(to_stop_s: int) -> Walks:
        wider = Case.of(study).with_settings(to_stop_min=to_stop_s / MINUTE).file
        return study_walks(wider, study.ground, stops, origin.points, destination.points).walks

    limit_s = int(walk.to_stop_min * MINUTE)
    reached = study_walks(study.file, study.ground, stops, origin.points, destination.points)
    ends = (reached.origins, stops, reached.destinations)
    found = journeys(network, query, reached.walks, 0, 0, moment_s)
    reason = message = ""
    for spot, link in ((origin, reached.origins), (destination, reached.destinations)):
        if not found and not reason and not link.place_linked.any():
            reason, message = "off_network", _off_network(study, spot, link)
    if not found and not reason:
        refusal = explain(
            network_of(study, span_to_explain(moment_s), day)[1],
            query,
            walks_within,
            moment_s,
            to_stop_s=limit_s,
            speed_kmh=walk.speed_kmh,
            places=(_place(origin), _place(destination)),
            off_map=lambda stop: _off_map(study, stops, stop),
        )
        reason, message = refusal.reason, refusal.message
    notices: list[Notice] = []
    for what, link in (("origins", reached.origins), ("destinations", reached.destinations)):
        report_other_parts(study.ground, link, what, notices)
    return Itinerary(
        origin.name,
        destination.name,
        day,
        query,
        moment_s,
        found,
        reason,
        message,
        tuple(notices),
        study,
        network,
        ends,
    )


def journey(
    study: Study,
    origin: str,
    destination: str,
    *,
    depart: str | None = None,
    arrive: str | None = None,
    day: str | None = None,
) -> Itinerary:
    """Journeys between two places of a study, leg by leg, or why there is none.

    Parameters
    ----------
    study : Study
    origin, destination : str
        Ids, names or ``lon,lat``.
    depart, arrive : str
        When to leave, or when to be there, as in ``08:15``; one of them.
    day : str, optional
        Key of ``service_date``; needed where the study has several.

    Returns
    -------
    Itinerary
        Without journeys it says why there is none.

    Raises
    ------
    UsageError
        A place, the day or the time cannot be made out.
    """
    moment_s = moment_named(depart, arrive)
    query = study_query(study.file, (moment_s, moment_s + 1), arrive_by=arrive is not None)
    spots = find_spot(study, origin), find_spot(study, destination)
    asked = (*spots, query, chosen_day(study, day), moment_s)
    found = find_journeys(study, *asked)
    if study.file.travel.step_free is True:
        return replace(found, worst=find_journeys(study.at_bound("worst"), *asked))
    return found


def moment_named(depart: str | None, arrive: str | None) -> int:
    """The second of the service date at which somebody leaves, or has to be there; one of them.

    Raises
    ------
    UsageError
    """
    if (depart is None) == (arrive is None):
        raise UsageError("say when: depart 08:15, or arrive 09:00")
    try:
        return parse_time(depart if depart is not None else arrive or "")
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None


def _place(spot: Spot) -> tuple[float, float]:
    return float(spot.points.lon[0]), float(spot.points.lat[0])


def _outside(study: Study, lon: float, lat: float) -> str:
    """How far outside the map a place is, and the cure."""
    area = study.ground.area or (-180.0, -90.0, 180.0, 90.0)
    box = ", ".join(f"{edge:.4f}" for edge in area)
    return (
        f"{metres_outside(area, lon, lat):,.0f} m outside the streets' area ({box}); a larger extract of the map, and its "
        "area in the study file, would reach it"
    )


def _off_map(study: Study, stops: Linked, stop: int) -> str:
    """Why nobody walks to a stop: it lies outside the map, or no street is near it."""
    rows = np.flatnonzero(stops.points.place == stop)
    if not len(rows) or stops.linked[rows].any():
        return ""
    if stops.outside[rows].all():
        return f"it lies {_outside(study, float(stops.points.lon[rows[0]]), float(stops.points.lat[rows[0]]))}"
    return f"no street of the map is within {study.file.travel.walk.link_m:g} m of it (walk.link_m)"


def _off_network(study: Study, spot: Spot, linked: Linked) -> str:
    """How far a place is from the nearest street, or from the area that the streets cover, and what would help."""
    if linked.outside.all():
        return f"{spot.name} lies {_outside(study, *_place(spot))}"
    limit = study.file.travel.walk.link_m
    wider = link_points(study.ground, spot.points, link_m=5000.0)
    near = float(np.min(wider.link_m))
    if np.isfinite(near):
        return (
            f"the nearest street of {spot.name} is {near:,.0f} m away, limit {limit:g} m "
            f"(walk.link_m: {math.ceil(near)} would reach it)"
        )
    return f"no street within 5,000 m of {spot.name}, limit {limit:g} m (walk.link_m)"


def _minutes(seconds: int) -> str:
    minutes, rest = divmod(int(seconds), MINUTE)
    return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
