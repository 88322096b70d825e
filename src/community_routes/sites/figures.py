"""The figures of development sites: stops and service near them, times to the nearest of each kind, access by cutoff."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from community_routes.evaluation import span_of
from community_routes.kernels import kernel
from community_routes.measures.reach import percentile_over_departures
from community_routes.measures.service import (
    NEAR_M,
    REACH_M,
    TRAFFIC_DAY_S,
    StopDepartures,
    build_departures,
    first_and_last,
    ptal_form_index,
    service_per_hour,
)
from community_routes.measuring import Choice
from community_routes.network.network import Network
from community_routes.network.points import Links, Points
from community_routes.network.store import fingerprint
from community_routes.network.streets import Streets
from community_routes.network.walks import Linked, join_linked, link_points, walks_between
from community_routes.questions import study_networks, window_query
from community_routes.routing.query import Walks
from community_routes.routing.travel_times import times_in_blocks
from community_routes.sources.study_fares import Standards
from community_routes.study import Study, destination_points, origin_points
from community_routes.times import MINUTE, UNREACHED

FORMAT = 2
"""Raised when figures are worked out otherwise than before, so that what was kept is not used."""

STOPS, ALL_DAY = "stops", "all_day"
NEAREST_STOP, WHICH_STOP, FIRST, LAST = "nearest_stop_m", "nearest_stop", "first_bus", "last_bus"
PER_HOUR, PTAL, NEAREST, REACHED = "service_per_hour", "ptal_form_index", "nearest", "cumulative_opportunities"
CLOCK_TIMES = (FIRST, LAST)
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One figure of a site: what is measured, when, of what, and within how many minutes ("" where none applies)."""

    measure: str
    day: str
    window: str
    kind: str
    cutoff: str = ""

    @property
    def name(self) -> str:
        """``measure__day__window__kind__cutoff``, without the last where there is none."""
        parts = (self.measure, self.day, self.window, self.kind, self.cutoff)
        return "__".join(part for part in parts if part)


def figures_of_study(study: Study) -> tuple[Figure, ...]:
    """The figures of every site, in the order of their columns."""
    file = study.file
    found: list[Figure] = []
    for day in file.dates:
        found += [Figure(measure, day, ALL_DAY, STOPS) for measure in (NEAREST_STOP, WHICH_STOP, FIRST, LAST)]
        for window in file.windows_on(day):
            found += [Figure(measure, day, window, STOPS) for measure in (PER_HOUR, PTAL)]
            for kind in kinds_of_study(study):
                found.append(Figure(NEAREST, day, window, kind))
                found += [Figure(REACHED, day, window, kind, f"{cutoff:g}") for cutoff in file.travel.cutoffs_min]
    return tuple(found)


def kinds_of_study(study: Study) -> tuple[str, ...]:
    """The keys of the destinations, and ``key/kind`` where a standard names one."""
    asked = study.file.standards.within_min if study.file.standards is not None else {}
    return tuple(dict.fromkeys([*study.file.destinations, *asked]))


def settings_key(study: Study) -> str:
    """Hash of everything that the figures of a place depend on, the place itself apart; file names are not in it."""
    file, ground = study.file, study.ground
    table = study.opportunities.table
    standards = file.standards or Standards()
    settings = {
        "format": FORMAT,
        "dates": {day: date.isoformat() for day, date in file.dates.items()},
        "travel": file.travel.model_dump(mode="json"),
        "figures": [figure.name for figure in figures_of_study(study)],
        "farthest_stop_m": standards.stop_within_m or 0,
        "timetable": study.feed.content_hash,
        "ground": ground.content_hash if isinstance(ground, Streets) else repr(ground),
    }
    places = study.opportunities.entrances
    return fingerprint(
        json.dumps(settings, sort_keys=True),
        table["key"].to_numpy(object), table["kind"].to_numpy(object), table["amount"].to_numpy(np.float64),
        *(places[name].to_numpy() for name in ("place", "lon", "lat")),
    )[:32]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Scene:
    """A study, ready to have any number of places judged in it.

    Attributes
    ----------
    study : Study
    figures : tuple of Figure
    stops, destinations : Linked
    egress : Links
        From destinations to stops.
    networks : dict of day to Network
    departures : dict of day to StopDepartures
    """

    study: Study
    figures: tuple[Figure, ...]
    stops: Linked
    destinations: Linked
    egress: Links
    networks: Mapping[str, Network]
    departures: Mapping[str, StopDepartures]

    @cached_property
    def kinds(self) -> NDArray[np.bool_]:
        """Which destinations count for each kind, shape (n_kinds, n_destinations): those that have anything to offer."""
        names, table = kinds_of_study(self.study), self.study.opportunities.table
        held = np.zeros((len(names), len(table)), np.bool_)
        for row, kind in enumerate(names):
            held[row, self.study.opportunities.rows_of(kind)] = True
        return np.asarray(held & (table["amount"].to_numpy(np.float64) > 0))


def build_scene(study: Study) -> Scene:
    """Networks of all days of a study, and its destinations joined to them."""
    file, walk = study.file, study.file.travel.walk
    stops, networks = study_networks(
        file, study.feed, study.ground, span_s=span_of(file, Choice((), ())), store=study.store
    )
    ends = link_points(study.ground, destination_points(study.opportunities), link_m=walk.link_m)
    limit_s = int(walk.to_stop_min * MINUTE)
    arriving = walks_between(study.ground, stops, ends, limit_s=limit_s, speed_kmh=walk.speed_kmh)
    return Scene(
        study,
        figures_of_study(study),
        stops,
        ends,
        arriving.reversed(ends.points.n_places),
        networks,
        {day: build_departures(study.feed, network.timetable) for day, network in networks.items()},
    )


def figures_of_places(scene: Scene, points: Points, *, threads: int = 1) -> FloatArray:
    """Every figure of some places, with one search for each day and window.

    Distances in metres, times in seconds (clock times in seconds of the service date), infinite where there is none; the
    nearest stop as its row in the feed. What
    is counted or averaged is exact; metres are rounded to a tenth and the service figures to four decimals, beyond what
    anybody can know of a walk.

    Parameters
    ----------
    scene : Scene
    points : Points
        All of them on the network.
    threads : int
        Changes nothing but the time it takes.

    Returns
    -------
    float64, shape (n_places, n_figures)
    """
    near, walks = _walks(scene, points)
    values: dict[Figure, FloatArray] = {}
    for day, departures in scene.departures.items():
        values |= _figures_of_day(scene, near, departures, day)
    asked = [(day, window) for day in scene.networks for window in scene.study.file.windows_on(day)]
    with ThreadPoolExecutor(max(1, min(threads, len(asked)))) as pool:
        for found in pool.map(lambda when: _figures_of_window(scene, walks, *when), asked):
            values |= found
    return np.column_stack([values[figure] for figure in scene.figures])


def _walks(scene: Scene, points: Points) -> tuple[Links, Walks]:
    """Walks to stops as far as any figure needs them, and those that begin and end journeys."""
    file, ground = scene.study.file, scene.study.ground
    walk = file.travel.walk
    start = link_points(ground, points, link_m=walk.link_m)
    to_stop_s, all_the_way_s = int(walk.to_stop_min * MINUTE), int(walk.all_the_way_min * MINUTE)
    wanted_m = (file.standards.stop_within_m if file.standards is not None else None) or 0.0
    farthest_s = math.ceil(max(*REACH_M.values(), NEAR_M, wanted_m) * 3.6 / walk.speed_kmh)
    n_stops = scene.stops.points.n_places
    leaving = walks_between(
        ground, start, join_linked(scene.stops, scene.destinations),
        limit_s=max(to_stop_s, all_the_way_s, farthest_s), speed_kmh=walk.speed_kmh,
    )  # fmt: skip
    near = leaving.to_places(0, n_stops)
    direct = leaving.to_places(n_stops, n_stops + scene.destinations.points.n_places).within(all_the_way_s)
    return near, Walks(near.within(to_stop_s), scene.egress, direct)


def _figures_of_day(scene: Scene, near: Links, departures: StopDepartures, day: str) -> dict[Figure, FloatArray]:
    """The nearest stop that is served, the first and last departure, and service by window."""
    served = np.zeros(scene.stops.points.n_places, np.bool_)
    served[departures.within(TRAFFIC_DAY_S).stop] = True
    keep = served[near.to]
    start, stop, walk_m = near.start()[keep], near.to[keep], np.round(near.metres[keep], 1)
    order = np.lexsort((stop, walk_m, start))  # the first row of a place is its nearest stop, of two alike the first
    place, first = np.unique(start[order], return_index=True)
    metres, which = np.full(near.n_from, np.inf), np.full(near.n_from, np.inf)
    metres[place], which[place] = walk_m[order][first], stop[order][first]
    values = {Figure(NEAREST_STOP, day, ALL_DAY, STOPS): metres, Figure(WHICH_STOP, day, ALL_DAY, STOPS): which}
    for measure, seconds in zip((FIRST, LAST), first_and_last(near, departures), strict=True):
        values[Figure(measure, day, ALL_DAY, STOPS)] = _or_infinite(seconds)
    for name, window in scene.study.file.windows_on(day).items():
        per_hour = service_per_hour(near, departures, window.time)
        values[Figure(PER_HOUR, day, name, STOPS)] = np.round(per_hour, 4)
        values[Figure(PTAL, day, name, STOPS)] = np.round(ptal_form_index(near, departures, window.time), 4)
    return values


def _figures_of_window(scene: Scene, walks: Walks, day: str, window: str) -> dict[Figure, FloatArray]:
    """Median time to the nearest of each kind, and what is reached within each cutoff on average over departures."""
    file = scene.study.file
    query, names = window_query(file, window), kinds_of_study(scene.study)
    n_departures, cutoffs = len(query.departures_s), file.travel.cutoffs_min
    limits_s = np.array([int(cutoff * MINUTE) for cutoff in cutoffs], np.int32)
    best = np.full((walks.n_origins, n_departures, len(names)), UNREACHED, np.int32)
    counts = np.zeros((walks.n_origins, walks.n_destinations, len(cutoffs)), np.int32)
    for block in times_in_blocks(scene.networks[day], query, walks):
        _take_in(block.time_s, block.origins, block.departures, block.destinations, scene.kinds, limits_s, best, counts)
    amounts = scene.study.opportunities.table["amount"].to_numpy(np.float64)
    values: dict[Figure, FloatArray] = {}
    for row, kind in enumerate(names):
        middle = percentile_over_departures(np.ascontiguousarray(best[:, :, row]), 50)
        values[Figure(NEAREST, day, window, kind)] = _or_infinite(middle)
        columns = scene.study.opportunities.rows_of(kind)
        for place, cutoff in enumerate(cutoffs):
            # One row at a time in one order: the sum of a site does not depend on its neighbours in the block.
            parts = np.ascontiguousarray(counts[:, columns, place] * amounts[columns])
            values[Figure(REACHED, day, window, kind, f"{cutoff:g}")] = parts.sum(axis=1) / n_departures
    return values


def _or_infinite(seconds: NDArray[np.int32]) -> FloatArray:
    return np.where(seconds == UNREACHED, np.inf, seconds.astype(np.float64))


@kernel
def _take_in(time_s, origins, departures, destinations, kinds, limits_s, best, counts):  # type: ignore[no-untyped-def]
    """Add a block of travel times to the times to the nearest of each kind and to the departures within each limit."""
    for i in range(len(origins)):
        origin = origins[i]
        for j in range(len(departures)):
            departure = departures[j]
            for k in range(len(destinations)):
                taken = time_s[i, j, k]
                if taken == UNREACHED:
                    continue
                destination = destinations[k]
                for limit in range(len(limits_s)):
                    if taken <= limits_s[limit]:
                        counts[origin, destination, limit] += 1
                for kind in range(len(kinds)):
                    if kinds[kind, destination] and taken < best[origin, departure, kind]:
                        best[origin, departure, kind] = taken


def origins_of_borough(study: Study) -> tuple[list[NDArray[np.float64]], FloatArray]:
    """Points of the neighbourhoods' origins, and the persons whom each stands for."""
    zones = study.zones
    points = origin_points(zones)
    zone = zones.origins["zone"].to_numpy(np.int64)
    weight = zones.origins["weight"].to_numpy(np.float64)
    total = np.bincount(zone, weights=weight, minlength=len(zones.table))[zone]
    count = np.bincount(zone, minlength=len(zones.table))[zone]
    share = np.where(total > 0, weight / np.where(total > 0, total, 1.0), 1.0 / count)
    places = [np.array([[lon, lat]]) for lon, lat in zip(points.lon, points.lat, strict=True)]
    return places, zones.table["population"].to_numpy(np.float64)[zone] * share


def on_network(study: Study, points: Points) -> NDArray[np.bool_]:
    """Whether each place is within reach of a street, shape (n_places,)."""
    if not points.n_places:
        return np.zeros(0, np.bool_)
    return link_points(study.ground, points, link_m=study.file.travel.walk.link_m).place_linked
