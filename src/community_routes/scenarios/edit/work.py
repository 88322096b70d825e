"""The state while a scenario is applied: the feed so far, what was found, what was done, and where names are looked up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.notices import Code, Notice, declare
from community_routes.network.streets.roads import RoadPath, Roads, road_path
from community_routes.network.walks.links import CrowFly, Ground, link_points
from community_routes.network.walks.points import Points
from community_routes.scenarios.edit.days import EVERY_DAY, DaySet, day_set, joined_days, nearest_day
from community_routes.scenarios.edit.feed import add_stops
from community_routes.scenarios.edit.made import DrtZone, Effect, Timed
from community_routes.scenarios.edit.routes import (
    RouteMatchError,
    also_called,
    departures_on,
    describe_route,
    find_route,
    route_name,
    stops_of_route,
)
from community_routes.scenarios.edit.stops import MatchError, Spot, StopFinder, plain_name
from community_routes.scenarios.values import PlaceAt, free_name
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.osm.street_map import StreetMap
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.fares import Fares
from community_routes.sources.study.yaml import Step

UNKNOWN_ROUTE = declare(
    "scenario_route", "error", "A route of a scenario is not in the timetable, or several are called so."
)
ROUTE_BY_ID = declare(
    "route_by_id", "warning", "A route was named by its id, and riders call another route by the same name."
)
UNKNOWN_PLACE = declare("scenario_place", "error", "A place of a scenario is not known, or could be several places.")
FAR_PLACE = declare(
    "scenario_place_far", "warning", "A place of a scenario lies far outside the study's neighbourhoods."
)
UNKNOWN_DAY = declare("scenario_day", "error", "A day of a scenario is no kind of day.")
NO_EFFECT = declare("no_effect", "error", "A change finds nothing to change, or changes it to the same.")
PART_OF_ROUTE = declare(
    "part_of_route", "warning", "A change meant for both directions of a route changes the trips of one direction only."
)
NO_ROAD = declare("no_road_path", "error", "A new piece of route has no road path under three times the straight line.")
CANNOT_APPLY = declare("cannot_apply", "error", "A change does not fit what it is to change.")
NOT_ON_THESE_DATES = declare(
    "not_on_these_dates", "warning", "A change acts on none of the study's service dates, so no result shows it."
)
KERB_ASSUMED = declare(
    "kerb_assumed", "warning", "No bus serves a place in that direction yet; the stop on the left of travel was taken."
)
ODD_SPEED = declare("odd_speed", "warning", "A new piece of route is slower than 6 or faster than 60 km/h.")
LOST_STOPS = declare(
    "stops_lost",
    "warning",
    "A new headway replaces trips of rarer patterns, so the route no longer calls at some stops.",
)
LOST_LINKS = declare(
    "through_connections_lost",
    "warning",
    "Trips go on as others no longer, or a change that was held is missed: the trips that a change moves or puts in their place "
    "do not fit.",
)
NEW_STOP_OFF_NETWORK = declare(
    "new_stop_off_network", "error", "A new stop lies where nobody can walk to it: too far from any street."
)

DEFAULT_DETOUR = 1.3
LONGEST_DETOUR = 3.0
_MARGIN_DEG = 0.01
FAR_M = 5_000
"""Metres from the box round the neighbourhoods beyond which a place is hardly the one that is meant."""


class Abandoned(Exception):  # noqa: N818 - no error of a user's: its notices are recorded already
    """A change cannot be applied; why has been recorded."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What a scenario is applied to.

    Attributes
    ----------
    feed : Feed
        Today's timetable; it is never changed.
    dates : mapping of str to date
        The study's service dates by key.
    roads : Roads, CrowFly or None
        On what new routes run; None is straight line times 1.3.
    ground : Streets, CrowFly or None
        On what people walk; None leaves unchecked whether a new stop can be walked to.
    zones : Zones or None
    opportunities : Opportunities or None
    fares : Fares or None
    street_map : StreetMap or None
        What ``ground`` was built from, for new and closed paths; None with straight-line walking.
    """

    feed: Feed
    dates: Mapping[str, dt.date]
    roads: Roads | CrowFly | None = None
    ground: Ground | None = None
    zones: Zones | None = None
    opportunities: Opportunities | None = None
    fares: Fares | None = None
    street_map: StreetMap | None = None

    @cached_property
    def finder(self) -> StopFinder:
        """Looks up its stops; found once, however many proposals are applied to it."""
        return StopFinder(self.feed, destination_points(self.opportunities), area_of(self.zones))

    def finder_in(self, feed: Feed, opportunities: Opportunities | None) -> StopFinder:
        """Looks up the stops of a timetable made of this one, and its destinations."""
        mine = self.finder
        same = opportunities is self.opportunities
        places = mine.destinations if same else destination_points(opportunities)
        return StopFinder(feed, places, mine.area, like=mine)


@dataclass(frozen=True, eq=False)
class Hop:
    """The road from one stop to the next."""

    metres: float
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]


@dataclass(frozen=True)
class Here:
    """The change that is being applied.

    Attributes
    ----------
    scenario : str
        Id of the scenario that holds it.
    number : int
        From 1.
    kind : str
        ``set_headway``, ...
    folder : Path or None
        Against which its file names are resolved.
    place : callable
        ``file, row, column, field`` of a part of it, for notices.
    """

    scenario: str
    number: int
    kind: str
    folder: Path | None
    place: Callable[[Sequence[Step]], dict[str, Any]]


@dataclass
class Work:
    """The state while changes are applied one after another.

    Attributes
    ----------
    before : Setting
        What the scenario is applied to.
    now : Setting
        What the changes so far have made of it.
    here : Here
        The change at hand.
    """

    before: Setting
    now: Setting = field(init=False)
    here: Here = field(init=False)
    found: list[Notice] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    new_routes: list[str] = field(default_factory=list)
    changed_routes: list[str] = field(default_factory=list)
    drt: list[DrtZone] = field(default_factory=list)
    timed: list[Timed] = field(default_factory=list)
    new_stop_rows: dict[tuple[float, float, str], int] = field(default_factory=dict)
    failed_names: set[str] = field(default_factory=set)
    road_metres: dict[tuple[tuple[float, float], tuple[float, float]], float] = field(default_factory=dict)
    own_stops: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    _finder: StopFinder | None = None

    def __post_init__(self) -> None:
        self.now = self.before

    @property
    def feed(self) -> Feed:
        """The timetable as it is now."""
        return self.now.feed

    @feed.setter
    def feed(self, feed: Feed) -> None:
        self.now = replace(self.now, feed=feed)

    @property
    def dates(self) -> Mapping[str, dt.date]:
        """The study's service dates."""
        return self.before.dates

    def copied(self) -> Work:
        """The same state, which goes its own way from here on."""
        other = copy(self)
        for name in ("found", "effects", "new_routes", "changed_routes", "drt", "timed", "failed_names"):
            setattr(other, name, copy(getattr(self, name)))
        other.new_stop_rows, other.road_metres = dict(self.new_stop_rows), dict(self.road_metres)
        return other

    @contextmanager
    def undone_if_abandoned(self, named: Mapping[str, object]) -> Iterator[None]:
        """What a change did before its fault is undone, so that later changes are checked against a whole feed.

        What it would have looked up afterwards, of the fields ``named``, is looked up all the same.
        """
        now, rows, timed = self.now, dict(self.new_stop_rows), list(self.timed)
        try:
            yield
        except Abandoned:
            self.now, self.new_stop_rows, self.timed = now, rows, timed
            self.look_up(named)

    def look_up(self, named: Mapping[str, object]) -> None:
        """Note the faults of the route and the places that a change names, each place in the file once."""
        told = {(notice.file, notice.row, notice.column) for notice in self.found}
        before = len(self.found)
        route, agency = named.get("route"), named.get("agency")
        with suppress(Abandoned):
            if isinstance(route, str):
                self.route(route, agency if isinstance(agency, str) else None)
        for key, value in named.items():
            places: list[tuple[PlaceAt, list[Step]]] = [(value, [key])] if isinstance(value, PlaceAt) else []
            if isinstance(value, tuple):
                places = [(item, [key, k]) for k, item in enumerate(value) if isinstance(item, PlaceAt)]
            for place, path in places:
                with suppress(Abandoned):
                    self.spot(place, path)
        own = self.found[before:]
        self.found[before:] = [notice for notice in own if (notice.file, notice.row, notice.column) not in told]

    def part_id(self, *names: object) -> str:
        """An id that says which scenario made a part of the timetable: ``evening-link:X1:0``."""
        return ":".join(map(str, (self.here.scenario, *names)))

    def free_id(self, taken: Collection[str], name: str) -> str:
        """``<scenario>:<name>`` with what an id can hold, and a number where it is taken."""
        return free_name(self.part_id("-".join(plain_name(name).split()) or "place"), taken)

    # -- findings -------------------------------------------------------------------------------------------------------

    def note(self, code: Code, message: str, path: Sequence[Step] = (), value: object = "") -> None:
        """Record a finding at a part of the change."""
        self.found.append(code.at(**self.here.place(path), message=message, value=value))

    def stop(self, code: Code, message: str, path: Sequence[Step] = (), value: object = "") -> Abandoned:
        """Record a fault; the exception to raise."""
        self.note(code, message, path, value)
        return Abandoned(message)

    def effect(self, subject: str, text: str) -> None:
        """Record what the change did to a route, path or place."""
        here = self.here
        self.effects.append(Effect(here.scenario, here.number, here.kind, f"{subject}: {text}"))

    def changed(self, route: int) -> None:
        """Remember that a route is not as it was."""
        name = str(self.feed.routes["route_id"].iat[route])
        if name not in self.changed_routes and name not in self.new_routes:
            self.changed_routes.append(name)

    # -- looking up -----------------------------------------------------------------------------------------------------

    @property
    def finder(self) -> StopFinder:
        """Looks up stops of the feed as it is now."""
        if self._finder is None or self._finder.feed.stops is not self.feed.stops:
            as_before = self.feed is self.before.feed and self.now.opportunities is self.before.opportunities
            self._finder = self.before.finder if as_before else self.before.finder_in(self.feed, self.now.opportunities)
        return self._finder

    def route(self, name: str, agency: str | None) -> int:
        """Row of a route, or a fault."""
        if name.casefold() in self.failed_names:
            raise Abandoned(name)  # it is new in this scenario, and what is wrong with it has been said
        self.own_stops = np.zeros(0, np.int64)
        try:
            route = find_route(self.feed, name, agency)
            self.own_stops = stops_of_route(self.feed, route)
            others = also_called(self.feed, name, route)
            if others:
                theirs = "; ".join(describe_route(self.feed, other) for other in others[:4])
                mine = describe_route(self.feed, route)
                message = f"{name!r} is the id of {mine}; for another route so called write its id: {theirs}"
                self.note(ROUTE_BY_ID, message, ["route"], name)
            return route
        except RouteMatchError as fault:
            raise self.stop(UNKNOWN_ROUTE, str(fault), ["route"], name) from None

    def spot(self, place: PlaceAt, path: Sequence[Step], near: tuple[float, float] | None = None) -> Spot:
        """A place, or a fault."""
        if place.at is not None:
            lon, lat = float(place.at[0]), float(place.at[1])
            return Spot(str(place), (), lon, lat, new_name=place.name or "New stop", where=tuple(path))
        try:
            spot = self.finder.find(place.text.strip(), near, self.own_stops)
        except MatchError as fault:
            raise self.stop(UNKNOWN_PLACE, str(fault), path, place.text) from None
        away = self.finder.away_m(spot.lon, spot.lat)
        if away > FAR_M and not np.isin(spot.stops, self.own_stops).any():
            message = f"{spot.label} lies {away / 1000:.0f} km outside the box round the neighbourhoods; is another place meant?"
            self.note(FAR_PLACE, message, path, place.text)
        return spot

    def spots(self, places: Sequence[PlaceAt], path: Sequence[Step]) -> list[Spot]:
        """Several places of one list, all their faults at once."""
        return self.spots_at([(place, [*path, k]) for k, place in enumerate(places)])

    def spots_at(self, places: Sequence[tuple[PlaceAt, Sequence[Step]]]) -> list[Spot]:
        """Several places, each with the part of the change where it stands; all their faults at once."""
        found: list[Spot | None] = []
        for k, (place, path) in enumerate(places):
            near = next(((s.lon, s.lat) for s in reversed(found) if s is not None), None)
            try:
                found.append(self.spot(place, path, near or self._next_known([item for item, _ in places[k + 1 :]])))
            except Abandoned:
                found.append(None)
        if any(spot is None for spot in found):
            raise Abandoned
        return [spot for spot in found if spot is not None]

    def _next_known(self, places: Sequence[PlaceAt]) -> tuple[float, float] | None:
        """Where the next place is that can be found, to tell distances from."""
        for place in places:
            if place.at is not None:
                return (float(place.at[0]), float(place.at[1]))
            try:
                spot = self.finder.find(place.text.strip(), own=self.own_stops)
            except MatchError:
                continue
            return (spot.lon, spot.lat)
        return None

    def free_route_name(self, name: str, cure: str) -> None:
        """A fault where a route of that name is there already."""
        routes = self.feed.routes
        if name.casefold() in {str(known).casefold() for known in [*routes["route_id"], *routes["route_short_name"]]}:
            raise self.stop(UNKNOWN_ROUTE, f"there is a route {name!r} already; {cure}", ["name"], name)

    def stops_of(self, spot: Spot) -> list[int]:
        """All stops of a place: of a stop named by its id that one and the others of its name close by."""
        return sorted({row for stop in spot.stops for row in self.finder.place_of(stop)})

    def spot_of(self, stop: int, label: str | None = None) -> Spot:
        """One stop and no other as a place."""
        name = str(self.feed.stops["stop_name"].iat[stop]) if label is None else label
        return Spot(name, (stop,), *self.point(stop), one=True)

    def point(self, stop: int) -> tuple[float, float]:
        """Longitude and latitude of a stop."""
        return float(self.finder.lon[stop]), float(self.finder.lat[stop])

    def days(self, keys: Sequence[str] | None, path: Sequence[Step]) -> DaySet:
        """The dates of some kinds of day, or a fault."""
        if keys is None:
            return EVERY_DAY
        for k, key in enumerate(keys):
            self.day(key, [*path, k])
        return joined_days(keys, self.dates)

    def day(self, key: str, path: Sequence[Step]) -> DaySet:
        """The dates of one kind of day, or a fault."""
        try:
            return day_set(key, self.dates)
        except ValueError as fault:
            raise self.stop(UNKNOWN_DAY, str(fault), path, key) from None

    # -- roads and stops ------------------------------------------------------------------------------------------------

    def hop(self, a: tuple[float, float], b: tuple[float, float], path: Sequence[Step], words: str) -> Hop:
        """The road between two points, or a fault where it is three times the straight line or longer."""
        straight = float(great_circle_m(*a, *b))
        metres, lon, lat = road_between(self.before.roads, a, b)
        if metres is None or (straight > 0 and metres >= LONGEST_DETOUR * straight):
            found = "there is none" if metres is None else f"the shortest is {metres:,.0f} m"
            raise self.stop(
                NO_ROAD,
                f"no road from {words} under three times the straight line of {straight:,.0f} m: {found}; "
                "move the stop, name one on the way, or take another street",
                path,
            )
        # The links from the stops to the road are not part of it: no bus goes shorter than the straight line.
        return Hop(max(metres, straight), lon, lat)

    def make_stop(self, spot: Spot, path: Sequence[Step]) -> int:
        """Row of the new stop at a point; made once for a point and name."""
        key = (spot.lon, spot.lat, spot.new_name)
        row = self.new_stop_rows.get(key)
        if row is not None:
            return row
        self._check_reachable(spot, spot.where or path)
        taken = set(self.feed.stops["stop_id"])
        number = len(self.new_stop_rows) + 1
        while self.part_id(number) in taken:
            number += 1
        self.feed = add_stops(self.feed, [self.part_id(number)], [spot.new_name], [spot.lon], [spot.lat])
        self.new_stop_rows[key] = len(self.feed.stops) - 1
        return self.new_stop_rows[key]

    def metres_between(self, a: int, b: int) -> float:
        """Metres by road from stop to stop, the straight line times 1.3 where no road is known."""
        here, there = self.point(a), self.point(b)
        if (here, there) not in self.road_metres:
            metres = road_between(self.before.roads, here, there)[0]
            self.road_metres[here, there] = straight_m(here, there) if metres is None else metres
        return self.road_metres[here, there]

    def _check_reachable(self, spot: Spot, path: Sequence[Step]) -> None:
        """A new stop must have a street beside it; a stop in the sea is a slip of the pen."""
        ground = self.before.ground
        lon, lat = self.finder.lon, self.finder.lat
        swapped = great_circle_m(spot.lat, spot.lon, lon, lat) if abs(spot.lon) <= 90 else np.array([np.inf])
        hint = "; longitude comes first in [lon, lat]" if len(lon) and np.nanmin(swapped) < 20_000 else ""
        if ground is None or isinstance(ground, CrowFly):
            away = np.nanmin(great_circle_m(spot.lon, spot.lat, lon, lat)) if len(lon) else 0.0
            if away > 100_000:
                message = (
                    f"[{spot.lon:g}, {spot.lat:g}] is {away / 1000:,.0f} km from every stop of the timetable{hint}"
                )
                raise self.stop(NEW_STOP_OFF_NETWORK, message, path)
            return
        linked = link_points(ground, Points.single([spot.new_name], [spot.lon], [spot.lat]))
        if not bool(linked.linked[0]):
            message = (
                f"nobody can walk to a stop at [{spot.lon:g}, {spot.lat:g}]: no street within 300 m, or outside the map"
                f"{hint or '; move it to a street'}"
            )
            raise self.stop(NEW_STOP_OFF_NETWORK, message, path)

    def note_kerb(self, spot: Spot, row: int, towards: str, path: Sequence[Step]) -> None:
        """Report that the side of the road was assumed."""
        stop = self.feed.stops.iloc[row]
        self.note(
            KERB_ASSUMED,
            f"no bus calls at {spot.label} towards {towards} yet; {stop['stop_id']} ({stop['stop_name']}) on the left of "
            "travel was taken; write an id to choose",
            path,
            stop["stop_id"],
        )

    # -- telling --------------------------------------------------------------------------------------------------------

    def dates_in(self, days: DaySet) -> list[tuple[str, dt.date]]:
        """The study's dates of those days; else the nearest such date of the timetable."""
        mine = [(key, date) for key, date in self.dates.items() if days.holds_date(date)]
        if mine:
            return mine
        other = nearest_day(days, self.feed.calendar, self.dates.values())
        return [(days.key, other)] if other is not None else []

    def warn_dates(self, days: DaySet, path: Sequence[Step] = ()) -> None:
        """Warn where a change acts on none of the study's dates, naming the date to add."""
        if any(days.holds_date(date) for date in self.dates.values()):
            return
        after = max(self.dates.values()) if self.dates else dt.date(2000, 1, 1)
        candidates = np.arange(np.datetime64(after, "D"), np.datetime64(after, "D") + np.timedelta64(28, "D"))
        hit = candidates[days.holds(candidates)]
        key = days.key.split(" ")[0]
        cure = f"add {key}: {hit[0]} to service_date" if len(hit) else f"add a {key} to service_date"
        dates = ", ".join(f"{name} {date}" for name, date in self.dates.items())
        self.note(
            NOT_ON_THESE_DATES, f"acts on no service date of the study ({dates}); {cure} to see it", path, days.key
        )

    def tell_departures(self, before: Feed, route: int, days: DaySet) -> str:
        """``14 -> 27 Sunday departures`` for each of the study's dates on which the number differs (else all of them)."""
        parts = []
        for key, date in self.dates_in(days):
            # The route may be new, and then it had no row before.
            old = departures_on(before, route, date) if route < len(before.routes) else 0
            new = departures_on(self.feed, route, date)
            words = day_words(key, date) if not days.every_day or key in self.dates else "daily"
            parts.append((old, new, f"{old} -> {new} {words} departures"))
        parts = [part for part in parts if part[0] != part[1]] or parts
        return ", ".join(part[2] for part in parts) or "on no date of the timetable"

    def route_name(self, route: int) -> str:
        """What riders call a route."""
        return route_name(self.feed, route)


def area_of(zones: Zones | None) -> tuple[float, float, float, float] | None:
    """The box round the neighbourhoods, and a little more on each side; None without any."""
    if zones is None or not len(zones):
        return None
    west, south, east, north = (float(edge) for edge in zones.table.total_bounds)
    return west - _MARGIN_DEG, south - _MARGIN_DEG, east + _MARGIN_DEG, north + _MARGIN_DEG


def day_words(key: str, date: dt.date) -> str:
    """``Sunday`` or ``weekday`` of a key of the study; ``day`` is told by its weekday."""
    if key in ("day", ""):
        return "weekday" if date.weekday() < 5 else date.strftime("%A")
    return key if key == "weekday" else key.capitalize() if date.strftime("%A").lower() == key else key


def straight_m(a: tuple[float, float], b: tuple[float, float], detour: float = DEFAULT_DETOUR) -> float:
    """Metres of the straight line between two points times a detour."""
    return float(great_circle_m(*a, *b)) * detour


def road_between(
    roads: Roads | CrowFly | None, a: tuple[float, float], b: tuple[float, float]
) -> tuple[float | None, NDArray[np.float64], NDArray[np.float64]]:
    """Metres and course of the road from a to b; straight line times a detour where there are no roads."""
    if roads is None or isinstance(roads, CrowFly):
        detour = roads.detour if roads is not None else DEFAULT_DETOUR
        return straight_m(a, b, detour), np.array([a[0], b[0]]), np.array([a[1], b[1]])
    # Of a route that is dragged over the map most of the way stays where it was.
    known = _KNOWN_ROADS.setdefault(roads, {})
    if (a, b) not in known:
        if len(known) >= _MOST_KNOWN_ROADS:
            known.clear()
        known[a, b] = road_path(roads, a, b)
    found = known[a, b]
    if found is None:
        return None, np.zeros(0), np.zeros(0)
    return float(found.metres), np.asarray(found.lon, np.float64), np.asarray(found.lat, np.float64)


_MOST_KNOWN_ROADS = 5_000
_KNOWN_ROADS: WeakKeyDictionary[Roads, dict[tuple[tuple[float, float], tuple[float, float]], RoadPath | None]] = (
    WeakKeyDictionary()
)


def destination_points(opportunities: Opportunities | None) -> pd.DataFrame | None:
    """Names and points of the destinations, where there are any: ``name, lon, lat``."""
    if opportunities is None:
        return None
    table = opportunities.table
    point = table.geometry.representative_point()
    made = pd.DataFrame(
        {"name": table["name"].astype(str).to_numpy(), "lon": point.x.to_numpy(), "lat": point.y.to_numpy()}
    )
    return made[made["name"].str.strip() != ""].reset_index(drop=True)
