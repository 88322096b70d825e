"""Each change of a proposal with what it did and where it lies, told from the text and from the timetable that it made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pydantic import BaseModel

from community_routes.base.notices import Notice
from community_routes.evaluation.case import Case
from community_routes.scenarios.change import Change, OfRoute
from community_routes.scenarios.edit.routes import RouteMatchError, find_route, trips_of
from community_routes.scenarios.edit.stops import MatchError, Spot, StopFinder
from community_routes.scenarios.file import Scenario
from community_routes.scenarios.values import PlaceAt
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.nodes import tree_of
from community_routes.sources.study.yaml import resolve
from community_routes.workbench.mapping import routes_on_map, run_minutes
from community_routes.workbench.models import ChangeAnswer, ChangePoint, ChangeStop, Line, RouteOnMap

_WAY = ("stops", "via")
"""Fields that hold the places of a course, in order."""


def changes_in(text: str) -> list[ChangeAnswer]:
    """The changes of a text as they are written, without effects: what is shown of a proposal with faults."""
    return list(_written_in(text))


@lru_cache(64)
def _written_in(text: str) -> tuple[ChangeAnswer, ...]:
    root = tree_of(text)
    node = root.child("changes") if root is not None else None
    found = []
    for index, item in enumerate(node.items or [] if node is not None else []):
        entries = item.entries or {}
        kind, value = next(((kind, value) for kind, (_, value) in entries.items()), ("", item))
        fields = resolve(value.data()) if value.entries is not None else {}
        off = fields.get("off") is True
        found.append(
            ChangeAnswer(
                index=index,
                kind=kind,
                off=off,
                line=item.line,
                sentence=f"{kind} {_short(fields)}".strip(),
                fields=fields,
                effects=[],
                warnings=[],
                lines=[],
                stops=[],
                points=[],
                routes=[],
            )
        )
    return tuple(found)


def _short(fields: Mapping[str, Any]) -> str:
    """The fields of a change on a line: ``route 7, weekday 07:00-19:00 15``."""
    said = []
    for key, value in fields.items():
        if key == "off":
            continue
        if isinstance(value, Mapping):
            said.append(f"{key} {_short(value)}")
        elif isinstance(value, list):
            said.append(f"{key} {', '.join(_name(one) for one in value)}")
        else:
            said.append(f"{key} {value}")
    text = "; ".join(said)
    return text if len(text) <= 160 else f"{text[:157]}..."


def _name(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("at") or "")
    return str(value)


def drawn(
    text: str, scenario: Scenario, case: Case, warnings: Sequence[Notice]
) -> tuple[list[ChangeAnswer], list[RouteOnMap]]:
    """The changes of a proposal with their effects, warnings, lines, stops and points; and its new and changed routes.

    Parameters
    ----------
    text : str
        Of the scenario's own file.
    scenario : Scenario
    case : Case
        The proposal applied.
    warnings : sequence of Notice
        What was found when it was applied.
    """
    places = _Places(case)
    ids = [_route_id(change, case.feed) for change in scenario.changes]
    applied = case.applied
    touched = [*applied.new_routes, *applied.changed_routes] if applied is not None else []
    running = _routes_of({*touched, *(one for one in ids if one is not None)}, case)
    routes = running | _gone({one for one in ids if one is not None} - running.keys(), case)
    new = _new_routes(scenario, case, routes)
    found = []
    for answer, change, route_id in zip(changes_in(text), scenario.changes, ids, strict=True):
        mine = [routes[one] for one in (route_id, new.get(answer.index)) if one in routes]
        place = f"changes[{answer.index + 1}]."
        own = [
            one
            for one in warnings
            if f"{one.field}.".startswith(place) and one.file in ("", f"{scenario.scenario}.yaml")
        ]
        effects = [
            effect.text
            for effect in (applied.effects if applied is not None else ())
            if effect.scenario == scenario.scenario and effect.change == answer.index + 1
        ]
        shown = answer.model_copy(
            update={
                "effects": effects,
                "warnings": [one.message for one in own],
                "sentence": "; ".join(effects) if effects and not change.off else answer.sentence,
                "stops": places.course(change, mine),
                "points": places.points(change),
                "lines": places.lines(change, scenario, mine),
                "routes": [route.id for route in mine],
            }
        )
        found.append(shown)
    made_by = {route: index for index, route in new.items()}
    return found, [running[one].model_copy(update={"change": made_by.get(one)}) for one in touched if one in running]


def _routes_of(names: set[str], case: Case) -> dict[str, RouteOnMap]:
    """Routes as they are after the proposal, those that still run."""
    return {route.id: route for route in routes_on_map(case.feed, case.file.dates, only=names)}


def _gone(names: set[str], case: Case) -> dict[str, RouteOnMap]:
    """Routes that run no more, as they were before the proposal."""
    return _routes_of(names, case.parent) if names and case.parent is not None else {}


def _new_routes(scenario: Scenario, case: Case, routes: Mapping[str, RouteOnMap]) -> dict[int, str]:
    """The id of the route that each ``add_route`` of the scenario made, by the number of the change."""
    new = [routes[one] for one in (case.applied.new_routes if case.applied is not None else ()) if one in routes]
    found = dict[int, str]()
    for index, change in enumerate(scenario.changes):
        if change.kind == "add_route" and not change.off:
            called = [route.id for route in new if route.name == getattr(change, "name", None)]
            if called:
                found[index] = called[-1]
    return found


def _route_id(change: Change, feed: Feed) -> str | None:
    """The id of the route that a change names; None where it names none, or nobody knows it."""
    if not isinstance(change, OfRoute):
        return None
    ids = feed.routes["route_id"].to_numpy(object)
    rows = np.flatnonzero(ids == change.route)
    if len(rows) != 1:  # by its name, for which all names must be looked at
        rows = np.flatnonzero(feed.routes["route_short_name"].to_numpy(object) == change.route)
    if len(rows) == 1:
        return str(ids[rows[0]])
    with suppress(RouteMatchError):
        return str(ids[find_route(feed, change.route, change.agency)])
    return None


class _Places:
    """Looks up places of changes on a timetable."""

    def __init__(self, case: Case) -> None:
        self._case = case

    @cached_property
    def _finder(self) -> StopFinder:
        case = self._case
        setting = (case.parent or case).setting
        return setting.finder_in(case.feed, case.opportunities)

    def spot(self, place: PlaceAt) -> Spot | None:
        """Where a place is; None where nobody knows."""
        if place.at is not None:
            lon, lat = place.at
            return Spot(str(place), tuple(self._at(lon, lat, place.name)), float(lon), float(lat))
        with suppress(MatchError):
            return self._finder.find(place.text.strip())
        return None

    def _at(self, lon: float, lat: float, name: str) -> list[int]:
        """Rows of the stops that a proposal made at a point."""
        finder = self._finder
        hits = np.flatnonzero((np.abs(finder.lon - lon) < 1e-7) & (np.abs(finder.lat - lat) < 1e-7))
        return [int(row) for row in hits if not name or self._case.feed.stops["stop_name"].iat[int(row)] == name]

    def course(self, change: Change, routes: Sequence[RouteOnMap]) -> list[ChangeStop]:
        """The places of a course in the order of the file; of a route along a line the stops that it came to have."""
        places = next((value for name in _WAY if (value := getattr(change, name, None))), ())
        if change.kind == "remove_stops" or not all(isinstance(place, PlaceAt) for place in places):
            return []
        if not places:
            along = routes[0].patterns[:1] if change.kind == "add_route" and routes else []
            names = [stop for pattern in along for stop in pattern.stops]
            rows = pd.Index(self._case.feed.stops["stop_id"].astype(str)).get_indexer(names) if names else ()
            spots: list[Spot | None] = [self._of_row(int(row)) for row in rows]
        else:
            spots, names = [self.spot(place) for place in places], [place.text for place in places]
        if not spots:
            return []
        minutes = self._minutes(spots, routes)
        return [
            ChangeStop(id=name, name=self._name(spot), lon=spot.lon, lat=spot.lat, minutes=run)
            for spot, name, run in zip(spots, names, minutes, strict=True)
            if spot is not None
        ]

    def _name(self, spot: Spot) -> str:
        """What riders call a place: a stop by its name alone."""
        return str(self._case.feed.stops["stop_name"].iat[spot.stops[0]]) if spot.stops else spot.label

    def _of_row(self, row: int) -> Spot:
        name = str(self._case.feed.stops["stop_name"].iat[row])
        return Spot(name, (row,), float(self._finder.lon[row]), float(self._finder.lat[row]))

    def _minutes(self, spots: Sequence[Spot | None], routes: Sequence[RouteOnMap]) -> list[float | None]:
        feed = self._case.feed
        rows = [
            {other for stop in spot.stops for other in self._finder.place_of(stop)} if spot is not None else set()
            for spot in spots
        ]
        ids = {route.id for route in routes}
        trips = trips_of(feed, np.flatnonzero(feed.routes["route_id"].isin(ids).to_numpy()).tolist())
        _, first = np.unique(
            np.array([hash(feed.calls.stop[feed.calls.first[t] : feed.calls.first[t + 1]].tobytes()) for t in trips]),
            return_index=True,
        )
        return run_minutes(feed, rows, trips[np.sort(first)])

    def points(self, change: Change) -> list[ChangePoint]:
        """Single places of a change: a stop, a terminus, new homes."""
        found = []
        for field, place in _single_places(change):
            spot = self.spot(place)
            if spot is not None:
                found.append(ChangePoint(field=field, name=self._name(spot), lon=spot.lon, lat=spot.lat))
        at = getattr(change, "at", None)
        if isinstance(at, tuple):
            found.append(ChangePoint(field="at", name=str(getattr(change, "name", "")), lon=at[0], lat=at[1]))
        return found

    def lines(self, change: Change, scenario: Scenario, routes: Sequence[RouteOnMap]) -> list[Line]:
        """The courses of a route, a drawn path, the edge of a zone, a closed way."""
        if routes:
            by_way = {pattern.direction: pattern.line for pattern in reversed(routes[0].patterns)}
            return [by_way[way] for way in sorted(by_way) if by_way[way]]
        if change.kind == "close_path":
            return self._way(int(getattr(change, "osm_way", 0)))
        drawn = getattr(change, "line", None) or getattr(change, "zone", None)
        if isinstance(drawn, list | tuple):
            points = [(float(point[0]), float(point[1])) for point in drawn]
            return [[*points, points[0]] if change.kind == "add_drt" else points]
        if isinstance(drawn, str) and scenario.folder is not None:
            return _drawn_in_file(scenario, drawn)
        return []

    def _way(self, osm_way: int) -> list[Line]:
        street_map = self._case.study.street_map
        if street_map is None:
            return []
        found = []
        for row in np.flatnonzero(street_map.way_id == osm_way).tolist():
            part = street_map.node[int(street_map.first[row]) : int(street_map.first[row + 1])]
            found.append(list(zip(street_map.lon[part].tolist(), street_map.lat[part].tolist(), strict=True)))
        return found


def _drawn_in_file(scenario: Scenario, name: str) -> list[Line]:
    """Lines and edges of the shapes in a file beside the scenario."""
    from community_routes.base.errors import CommunityRoutesError
    from community_routes.sources.places.table import read_frame_of_places

    assert scenario.folder is not None
    try:
        table = read_frame_of_places(scenario.folder / name)
    except CommunityRoutesError:
        return []
    table = table.to_crs(4326) if table.crs is not None else table
    lines = shapely.get_parts(
        shapely.boundary(table.geometry[table.geometry.geom_type.str.contains("Polygon")].to_numpy())
    )
    drawn = [*lines, *shapely.get_parts(table.geometry[table.geometry.geom_type.str.contains("Line")].to_numpy())]
    return [[(float(x), float(y)) for x, y in shapely.get_coordinates(line)] for line in drawn]


def _single_places(change: BaseModel) -> Iterator[tuple[str, PlaceAt]]:
    """Fields of a change that hold one place, by their names in the file."""
    for name, info in type(change).model_fields.items():
        value = getattr(change, name)
        if isinstance(value, PlaceAt):
            yield info.alias or name, value
        elif isinstance(value, tuple) and name not in _WAY and all(isinstance(one, PlaceAt) for one in value):
            for number, one in enumerate(value):
                yield f"{info.alias or name}[{number + 1}]", one
    if getattr(change, "kind", "") == "remove_stops":
        stops = getattr(change, "stops", ())
        for number, one in enumerate(stops if isinstance(stops, tuple) else ()):
            if isinstance(one, PlaceAt):
                yield f"stops[{number + 1}]", one
