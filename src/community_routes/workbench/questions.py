"""Single questions about a proposal beside today: a neighbourhood, a journey, an isochrone, times to everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.answers.live import Live
from community_routes.base.errors import CommunityRoutesError, UsageError
from community_routes.base.times import HOUR, MINUTE, UNREACHED, format_time, parse_time
from community_routes.evaluation.case import TODAY, Case, study_query, window_query
from community_routes.evaluation.places import destination_points, study_walks
from community_routes.evaluation.search import Search
from community_routes.measures.measure import ZoneColumn
from community_routes.measures.reach import percentile_times
from community_routes.network.walks.points import Points
from community_routes.report import words
from community_routes.routing.matrices import as_cube
from community_routes.routing.runner import Runner
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.edit.street_map import END_M, NewPath, joins_of
from community_routes.travel.itinerary import Itinerary, Spot, find_journeys
from community_routes.workbench import models as m
from community_routes.workbench.answering import faults_of
from community_routes.workbench.catalogue import unit_of
from community_routes.workbench.desk import Desk, NotReadyError
from community_routes.workbench.mapping import fifths_of, number, polygons_of

_N_NEAREST = 3
_BUILT_UNTIL_S = 30 * HOUR
_HEADLINE_READINGS = ("mean", "p50", "best")


def _sides(desk: Desk, asked: m.Question) -> tuple[Live, Case, Case | None, list[m.Fault]]:
    """Today's case and the proposal's; without the latter, why."""
    live = desk.live(asked.choice)
    if asked.scenario == TODAY:
        return live, live.today.case, None, []
    try:
        answer = desk.answer(asked.files, asked.scenario, asked.choice)
    except (NotReadyError, UsageError):
        raise
    except CommunityRoutesError as wrong:
        faults = faults_of(wrong.notices) or [m.Fault(kind="scenario", message=str(wrong))]
        return live, live.today.case, None, faults
    return live, live.today.case, answer.case, []


# -- journeys ---------------------------------------------------------------------------------------------------------------


def journey_answer(desk: Desk, asked: m.JourneyQuestion) -> m.TwoJourneys:
    """A journey today and with the proposal.

    Raises
    ------
    UsageError
        An end or the time cannot be made out.
    """
    live, today, proposal, _ = _sides(desk, asked)
    try:
        moment_s = parse_time(asked.time)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    found = []
    for case in (today, proposal):
        if case is None:
            found.append(list[m.JourneyAnswer]())
            continue
        ends = _spot(case, asked.origin), _spot(case, asked.destination)
        found.append([_journey(case, *ends, live.figure.day, moment_s, arrive_by=asked.arrive_by)])
    return m.TwoJourneys(today=found[0], value=found[1])


def _spot(case: Case, end: m.Spot) -> Spot:
    """The place that an end of a journey means."""
    given = [name for name in ("stop", "neighbourhood", "place") if getattr(end, name) is not None]
    is_point = end.lon is not None and end.lat is not None
    if len(given) + is_point != 1 or (end.lon is None) != (end.lat is None):
        raise UsageError("an end is lon and lat, or stop, or neighbourhood, or place; one of them")
    if end.lon is not None and end.lat is not None:
        point = Points.single(["point"], [end.lon], [end.lat])
        return Spot(f"{end.lat:.5f}, {end.lon:.5f}", point)
    kind, text = given[0], str(getattr(end, given[0]))
    found = {"stop": _stop, "neighbourhood": _zone, "place": _destination}[kind](case, text)
    if found is None:
        raise UsageError(f"there is no {kind} {text!r}")
    return found


def _stop(case: Case, stop: str) -> Spot | None:
    table = case.feed.stops
    rows = np.flatnonzero((table["stop_id"].astype(str) == stop).to_numpy())
    if not len(rows):
        return None
    row = int(rows[0])
    point = Points.single([stop], [float(table["lon"].iat[row])], [float(table["lat"].iat[row])])
    return Spot(str(table["stop_name"].iat[row] or stop), point)


def _zone(case: Case, zone: str) -> Spot | None:
    """A neighbourhood, from its origin with most weight."""
    rows = _origins(case, zone)
    if not len(rows):
        return None
    origin = case.zones.origins.iloc[int(rows[0])]
    name = str(case.zones.table["name"].iat[int(origin["zone"])])
    return Spot(name or zone, Points.single([zone], [float(origin["lon"])], [float(origin["lat"])]))


def _destination(case: Case, place: str) -> Spot | None:
    """A destination, with all its entrances."""
    table, points = case.opportunities.table, destination_points(case.opportunities)
    rows = np.flatnonzero((table["id"].astype(str) == place).to_numpy())
    if not len(rows):
        return None
    mine = points.place == int(rows[0])
    own = Points(np.array([place], object), points.lon[mine], points.lat[mine], np.zeros(int(mine.sum()), np.int32))
    return Spot(str(table["name"].iat[int(rows[0])] or place), own)


def _journey(
    case: Case, origin: Spot, destination: Spot, day: str, moment_s: int, *, arrive_by: bool = False, to: str = ""
) -> m.JourneyAnswer:
    study = case.as_study()
    query = study_query(study.file, (moment_s, moment_s + 1), arrive_by=arrive_by)
    fits = moment_s + query.max_travel_s <= _BUILT_UNTIL_S and moment_s - query.max_travel_s * arrive_by >= 0
    built = (case.stops, case.networks[day]) if fits else None
    found = find_journeys(study, origin, destination, query, day, moment_s, built)
    return _journey_model(case, found, to)


def _journey_model(case: Case, found: Itinerary, to: str) -> m.JourneyAnswer:
    told = found.to_dict()
    best = told["journeys"][0] if told["journeys"] else None
    why, _, needed = found.message.partition("; ") if best is None else ("", "", "")
    return m.JourneyAnswer(
        to=to,
        name=found.destination,
        minutes=None if best is None else round(best["time_s"] / MINUTE, 1),
        departure="" if best is None else best["depart"],
        arrival="" if best is None else best["arrive"],
        legs=[] if best is None else [_leg(case, leg) for leg in best["legs"]],
        why=why,
        needed=needed,
    )


def _leg(case: Case, leg: dict[str, Any]) -> m.Leg:
    line = leg.get("line") or _stop_points(case, leg.get("stops", ()))
    told = {"from": leg["from"], "to": leg["to"], "departure": leg["depart"], "arrival": leg["arrive"]}
    return m.Leg.model_validate({"mode": leg["mode"], "route": leg.get("route", ""), "line": line, **told})


def _stop_points(case: Case, ids: Iterable[str]) -> list[tuple[float, float]]:
    stops = case.feed.stops
    rows = pd.Index(stops["stop_id"].astype(str)).get_indexer(list(ids))
    points = zip(stops["lon"].to_numpy(float)[rows], stops["lat"].to_numpy(float)[rows], strict=True)
    return [(round(float(lon), 6), round(float(lat), 6)) for lon, lat in points]


# -- a neighbourhood --------------------------------------------------------------------------------------------------------


def neighbourhood_answer(desk: Desk, asked: m.NeighbourhoodQuestion) -> m.NeighbourhoodAnswer:
    """A neighbourhood's figures in the window of the choice, and its journeys.

    Journeys leave at the departure of the window whose time today is the median, and are to the nearest three places of the
    chosen kind with the proposal, or to those named.

    Raises
    ------
    UsageError
        There is no such neighbourhood or place.
    """
    live, today, proposal, faults = _sides(desk, asked)
    case = proposal or today
    table = case.zones.table
    rows = np.flatnonzero((table["id"].astype(str) == asked.id).to_numpy())
    if not len(rows):
        raise UsageError(f"there is no neighbourhood {asked.id!r}")
    row = int(rows[0])
    sides = [(one, _times(desk, live, asked, one)) for one in (today, proposal) if one is not None]
    figures = [_figures_of_zone(one, live, times, asked.id) for one, times in sides]
    origin = int(_origins(case, asked.id)[0])
    places = _places(case, live, sides[-1][1][origin], asked.places)
    at_s = _usual_departure(case, live, sides[-1][1][origin], places)
    journeys = [
        [_journey_to(one, live, asked.id, str(case.opportunities.table["id"].iat[place]), at_s) for place in places]
        for one, _ in sides
    ]
    return m.NeighbourhoodAnswer(
        id=asked.id,
        name=str(table["name"].iat[row]),
        population=number(table["population"].iat[row]) if case.zones.has_population else None,
        fifth=fifths_of(table)[row],
        figures=_beside(figures[0], figures[-1] if proposal is not None else None),
        journeys=m.TwoJourneys(today=journeys[0], value=journeys[1] if proposal is not None else []),
        faults=faults,
    )


def _times(desk: Desk, live: Live, asked: m.Question, case: Case) -> NDArray[np.int32]:
    """Travel times of the choice's window, shape (n_origins, n_departures, n_destinations)."""
    if case is live.today.case:
        return live.times(live.today)
    return live.times(desk.answer(asked.files, asked.scenario, asked.choice))


def _origins(case: Case, zone: str) -> NDArray[np.int64]:
    """Rows of a neighbourhood's origins, the one with most weight first; none where the case has no such neighbourhood."""
    rows = np.flatnonzero((case.zones.table["id"].astype(str) == zone).to_numpy())
    mine = np.flatnonzero(np.isin(case.zones.origins["zone"].to_numpy(), rows))
    weight = case.zones.origins["weight"].to_numpy(np.float64)[mine]
    return mine[np.argsort(-weight, kind="stable")]


def _figures_of_zone(
    case: Case, live: Live, times: NDArray[np.int32], zone: str
) -> dict[tuple[str, str, str, float | None], tuple[float | None, str]]:
    """The figures of a neighbourhood that need nothing but travel times, in their headline reading, with their units."""
    day, window = live.figure.slot
    query = window_query(case.file, window)
    inputs = replace(Search(case, case.choice, Runner()).before_search(day, window, query), time_s=as_cube(times))
    rows = np.flatnonzero((case.zones.table["id"].astype(str) == zone).to_numpy())
    if not len(rows):
        return {}
    columns = [column for measure in case.choice.measures if not measure.needs for column in measure.take(inputs)]
    return {
        (one.kind, one.measure, one.reading, one.cutoff_min): (number(np.asarray(one.values)[rows[0]]), one.unit)
        for one in _headline(columns)
    }


def _headline(columns: list[ZoneColumn]) -> list[ZoneColumn]:
    """Of each measure and kind the reading that stands for it, in the order of tables."""
    there = {(one.kind, one.measure): set[str]() for one in columns}
    for one in columns:
        there[one.kind, one.measure].add(one.reading)
    chosen = {
        key: next((reading for reading in _HEADLINE_READINGS if reading in readings), min(readings))
        for key, readings in there.items()
    }
    kept = [one for one in columns if one.reading == chosen[one.kind, one.measure]]
    return sorted(kept, key=lambda one: one.place)


def _beside(
    today: dict[tuple[str, str, str, float | None], tuple[float | None, str]],
    proposal: dict[tuple[str, str, str, float | None], tuple[float | None, str]] | None,
) -> list[m.NeighbourhoodFigure]:
    found = []
    for key in dict.fromkeys([*today, *(proposal or {})]):
        kind, measure, reading, cutoff = key
        before, unit = today.get(key, (None, ""))
        after, unit = (proposal or today).get(key, (None, unit))
        change = after - before if before is not None and after is not None else None
        found.append(
            m.NeighbourhoodFigure(
                kind=kind,
                measure=measure,
                label=words.view_name(measure, reading, cutoff),
                reading=reading,
                cutoff_min=cutoff,
                today=before,
                value=after,
                change=change,
                unit=unit_of(unit),
            )
        )
    return found


def _places(case: Case, live: Live, times: NDArray[np.int32], wanted: list[str] | None) -> list[int]:
    """Rows of the destinations asked for, else of the nearest of the chosen kind by their median time."""
    table = case.opportunities.table
    if wanted is not None:
        ids = {str(one): row for row, one in enumerate(table["id"])}
        if missing := [one for one in wanted if one not in ids]:
            raise UsageError(f"there is no place {missing[0]!r}")
        return [ids[one] for one in wanted]
    key, _, part = live.figure.kind.partition("/")
    rows = np.flatnonzero(((table["key"] == key) & ((table["kind"] == part) if part else True)).to_numpy())
    median = percentile_times(times[None, :, :], 50)[0][rows] if len(rows) else np.zeros(0)
    return [int(row) for row in rows[np.argsort(median, kind="stable")][:_N_NEAREST]]


def _usual_departure(case: Case, live: Live, times: NDArray[np.int32], places: list[int]) -> int:
    """The departure of the window with the median time to the first place; the first where that is never reached."""
    departures = window_query(case.file, live.figure.window).departures_s
    if not places:
        return int(departures[0])
    order = np.argsort(times[:, places[0]], kind="stable")
    return int(departures[order[(len(order) - 1) // 2]])


def _journey_to(case: Case, live: Live, zone: str, place: str, moment_s: int) -> m.JourneyAnswer:
    ends = _zone(case, zone), _destination(case, place)
    if ends[0] is None or ends[1] is None:
        nothing = dict.fromkeys(("departure", "arrival", "needed"), "")
        return m.JourneyAnswer(to=place, name=place, minutes=None, legs=[], why="it is not there today", **nothing)
    return _journey(case, ends[0], ends[1], live.figure.day, moment_s, to=place)


# -- an isochrone -----------------------------------------------------------------------------------------------------------


def isochrone_answer(desk: Desk, asked: m.IsochroneQuestion) -> m.IsochroneAnswer:
    """How far one gets from a point when the window of the choice begins.

    Raises
    ------
    UsageError
        The point is off the network, or the limits cannot be.
    """
    live, today, proposal, faults = _sides(desk, asked)
    sides = [today] if proposal is None else [today, proposal]
    with ThreadPoolExecutor(len(sides)) as pool:  # the areas are joined without the interpreter's lock
        found = list(pool.map(lambda case: _reach(case, live, asked), sides))
    return m.IsochroneAnswer(today=found[0], value=found[1] if proposal is not None else None, faults=faults)


def _reach(case: Case, live: Live, asked: m.IsochroneQuestion) -> m.Reach:
    from community_routes.travel.isochrone import (
        isochrone,
    )  # a library for pictures comes with it, and the start need not wait

    day, window = live.figure.slot
    departure = format_time(case.file.travel.windows[window].start_s)
    point = f"{asked.lon:.7f},{asked.lat:.7f}"
    found = isochrone(case.as_study(), point, depart=departure, minutes=asked.minutes, day=day)
    widest = found.areas.geometry.iloc[-1]
    origins, table = case.zones.origins, case.opportunities.table
    inside = shapely.contains_xy(widest, origins["lon"].to_numpy(float), origins["lat"].to_numpy(float))
    population = case.zones.table["population"].to_numpy(float)[origins["zone"].to_numpy()]
    persons = float((population * origins["weight"].to_numpy(float))[inside].sum())
    points = table.geometry.representative_point()
    there = shapely.contains_xy(widest, points.x.to_numpy(float), points.y.to_numpy(float))
    amounts = table["amount"].where(pd.Series(there, index=table.index), 0.0).groupby(table["key"].astype(str)).sum()
    return m.Reach(
        areas=_area_features(found.areas),
        persons=persons,
        amounts={str(key): float(amount) for key, amount in amounts.items()},
    )


def _area_features(areas: gpd.GeoDataFrame) -> m.Features:
    features = [
        m.Feature(properties={"minutes": int(limit) // MINUTE}, geometry=m.Geometry(coordinates=polygons_of(shape)))
        for limit, shape in zip(areas["limit_s"], areas.geometry, strict=True)
    ]
    return m.Features(features=features)


# -- a street ---------------------------------------------------------------------------------------------------------------


def way_answer(desk: Desk, asked: m.WayQuestion) -> m.WayAnswer:
    """The walkable street or path of today's map nearest to a point, within the distance at which a new path would join it.

    Raises
    ------
    UsageError
        There is none, or walking follows the straight line.
    """
    street_map = desk.study.street_map
    if street_map is None:
        raise UsageError("walking follows the straight line in this study, so there is no path to close")
    found = joins_of(street_map, NewPath("", np.array([asked.lon]), np.array([asked.lat])))
    if not found:
        raise UsageError(f"no street or path lies within {END_M:.0f} m of this point; look closer and click again")
    way = found[0].way
    return m.WayAnswer(
        osm_way=int(street_map.way_id[way]), name=str(street_map.name[way] or ""), metres=round(found[0].metres, 1)
    )


# -- times to everywhere ----------------------------------------------------------------------------------------------------


def matrix_answer(desk: Desk, asked: m.MatrixQuestion) -> m.MatrixAnswer:
    """Median minutes over the departures of the choice's window from a place to every neighbourhood and destination.

    Raises
    ------
    UsageError
        The place cannot be made out.
    """
    live, today, proposal, faults = _sides(desk, asked)
    rows = [_row(case, live, asked.origin) if case is not None else ({}, {}) for case in (today, proposal)]
    zones, places = (
        [
            m.Minutes(id=one, today=rows[0][part].get(one), value=rows[1][part].get(one))
            for one in dict.fromkeys([*rows[0][part], *rows[1][part]])
        ]
        for part in (0, 1)
    )
    return m.MatrixAnswer(neighbourhoods=zones, places=places, faults=faults)


def _row(case: Case, live: Live, end: m.Spot) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Minutes by id of neighbourhood (its nearest origin) and of destination."""
    day, window = live.figure.slot
    places, origins = destination_points(case.opportunities), case.zones.origins
    zones = Points(
        case.zones.table["id"].to_numpy(object),
        origins["lon"].to_numpy(np.float64),
        origins["lat"].to_numpy(np.float64),
        origins["zone"].to_numpy(np.int32),
    )
    both = Points(
        np.concatenate([zones.id, places.id]),
        np.concatenate([zones.lon, places.lon]),
        np.concatenate([zones.lat, places.lat]),
        np.concatenate([zones.place, places.place + zones.n_places]).astype(np.int32),
    )
    walks = study_walks(case.file, case.ground, case.stops, _spot(case, end).points, both).walks
    times = travel_times_by_departure(case.networks[day], window_query(case.file, window), walks)
    median = percentile_times(times, 50)[0]
    minutes = [None if one == UNREACHED else round(int(one) / MINUTE, 1) for one in median]
    ids = [str(one) for one in both.id]
    n = zones.n_places
    return dict(zip(ids[:n], minutes[:n], strict=True)), dict(zip(ids[n:], minutes[n:], strict=True))
