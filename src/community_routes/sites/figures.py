"""The figures of development sites: stops and service near them, times to the nearest of each kind, access by cutoff."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import StudyError, UsageError
from community_routes.base.kernels import kernel
from community_routes.base.notices import Notice
from community_routes.base.times import MINUTE, UNREACHED
from community_routes.evaluation.case import Study, window_query
from community_routes.evaluation.places import destination_points, origin_points, study_networks
from community_routes.evaluation.window import Choice, span_of
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
from community_routes.network.network import Network
from community_routes.network.store import fingerprint
from community_routes.network.streets.streets import Streets
from community_routes.network.walks.links import (
    Linked,
    join_linked,
    link_points,
    report_other_parts,
    walks_between,
)
from community_routes.network.walks.points import Links, Points
from community_routes.routing.engine import Engine, LocalEngine, Work
from community_routes.routing.query import Walks
from community_routes.routing.search import Search
from community_routes.routing.travel_times import times_of_block
from community_routes.sites.periods import service_windows
from community_routes.sources.study.fares import Standards
from community_routes.travel.itinerary import Spot, find_spot

FORMAT = 6
"""Raised when figures are worked out otherwise than before, so that what was kept is not used."""

STOPS, ALL_DAY = "stops", "all_day"
ANY_DAY, ANY_TIME = "any_day", "any_time"
NEAREST_STOP, WHICH_STOP, FIRST, LAST = "nearest_stop_m", "nearest_stop", "first_bus", "last_bus"
PER_HOUR, PTAL, NEAREST, REACHED = "service_per_hour", "ptal_form_index", "nearest", "cumulative_opportunities"
WHICH_PLACE, LEAVES, TIME_TO = "nearest_place", "leaves_for_nearest", "time_to"
NEAREST_ON_FOOT, REACHED_ON_FOOT = "nearest_on_foot", "cumulative_opportunities_on_foot"
CLOCK_TIMES = (FIRST, LAST, LEAVES)
MOST_PARTS = 40
NAMES = (WHICH_STOP, WHICH_PLACE)
"""Figures that are the row of a stop or of a destination."""
_FARTHEST_M = max(*REACH_M.values(), NEAR_M)
"""Of the stops near a site that any measure looks at."""
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


def figures_of_study(study: Study, parts: Sequence[str] | None = None) -> tuple[Figure, ...]:
    """The figures of every site, in the order of their columns; ``parts`` are those of ``parts_of_study`` when left out."""
    file = study.file
    single = parts_of_study(study) if parts is None else parts
    found: list[Figure] = []
    for day in file.dates:
        found += [Figure(measure, day, ALL_DAY, STOPS) for measure in (NEAREST_STOP, WHICH_STOP, FIRST, LAST)]
        for window in service_windows(file, day):
            found += [Figure(measure, day, window, STOPS) for measure in (PER_HOUR, PTAL)]
        for window in file.windows_on(day):
            for kind in kinds_of_study(study):
                found += [Figure(measure, day, window, kind) for measure in (NEAREST, WHICH_PLACE, LEAVES)]
                found += [Figure(REACHED, day, window, kind, f"{cutoff:g}") for cutoff in file.travel.cutoffs_min]
            found += [Figure(measure, day, window, part) for part in single for measure in (NEAREST, WHICH_PLACE)]
            found += [Figure(TIME_TO, day, window, name) for name in file.sites.named_places]
    found += [Figure(NEAREST_ON_FOOT, ANY_DAY, ANY_TIME, kind) for kind in (*kinds_of_study(study), *single)]
    for kind in kinds_of_study(study):
        found += [Figure(REACHED_ON_FOOT, ANY_DAY, ANY_TIME, kind, f"{c:g}") for c in file.travel.cutoffs_min]
    return tuple(found)


def kinds_of_study(study: Study) -> tuple[str, ...]:
    """The keys of the destinations, and ``key/kind`` where a standard names one."""
    asked = study.file.standards.within_min if study.file.standards is not None else {}
    kinds = dict.fromkeys([*study.file.destinations, *asked])
    return tuple(kind for kind in kinds if kind not in study.file.sites.named_places)


def parts_of_study(study: Study) -> tuple[str, ...]:
    """Every kind of place of the destinations that have several, as ``key/kind``: of these only the nearest is told.

    A column that names more than 40 kinds is no list of kinds, and is left alone.
    """
    table = study.opportunities.table
    found: list[str] = []
    for key in study.file.destinations:
        names = sorted({str(name) for name in table.loc[table["key"] == key, "kind"] if name})
        found += [f"{key}/{name}" for name in names] if 1 < len(names) <= MOST_PARTS else []
    known = kinds_of_study(study)
    return tuple(part for part in found if part not in known)


Named = Mapping[str, Spot]


def named_places(study: Study) -> Named:
    """The places to which the study asks the time, by the name that it gives them.

    Raises
    ------
    StudyError
        Some cannot be found; with all of them.
    """
    found: dict[str, Spot] = {}
    faults = []
    for name, text in study.file.sites.named_places.items():
        try:
            found[name] = find_spot(study, text)
        except UsageError as wrong:
            faults.append(f"{study.file.path.name} (sites.named_places.{name}): {wrong}")
    if faults:
        raise StudyError("\n".join(faults))
    return found


def settings_key(study: Study, named: Named | None = None, parts: Sequence[str] | None = None) -> str:
    """Hash of everything that the figures of a place depend on, the place itself apart; file names are not in it."""
    file, ground = study.file, study.ground
    spots = named if named is not None else named_places(study)
    table = study.opportunities.table
    standards = file.standards or Standards()
    settings = {
        "format": FORMAT,
        "dates": {day: date.isoformat() for day, date in file.dates.items()},
        "travel": file.travel.model_dump(mode="json"),
        "figures": [figure.name for figure in figures_of_study(study, parts)],
        "service_windows": {day: service_windows(file, day) for day in file.dates},
        "farthest_stop_m": max(_FARTHEST_M, standards.stop_within_m or 0.0),
        "timetable": study.feed.content_hash,
        "ground": ground.content_hash if isinstance(ground, Streets) else repr(ground),
    }
    places = study.opportunities.entrances
    return fingerprint(
        json.dumps(settings, sort_keys=True),
        table["key"].to_numpy(object), table["kind"].to_numpy(object), table["amount"].to_numpy(np.float64),
        *(places[name].to_numpy() for name in ("place", "lon", "lat")),
        *(coordinate for spot in spots.values() for coordinate in (spot.points.lon, spot.points.lat)),
    )[:32]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Scene:
    """A study, ready to have any number of places judged in it.

    Attributes
    ----------
    study : Study
    figures : tuple of Figure
    parts : tuple of str
        Kinds of place, as ``key/kind``, of which the nearest is told.
    stops, destinations : Linked
        After the destinations of the study come the named places.
    egress : Links
        From destinations to stops.
    networks : dict of day to Network
    departures : dict of day to StopDepartures
    """

    study: Study
    figures: tuple[Figure, ...]
    parts: tuple[str, ...]
    stops: Linked
    destinations: Linked
    egress: Links
    networks: Mapping[str, Network]
    departures: Mapping[str, StopDepartures]

    @cached_property
    def kinds(self) -> NDArray[np.bool_]:
        """Which destinations count for each kind, part and named place, shape (all of these, n_destinations).

        Of a kind, those that have anything to offer.
        """
        names, named = (*kinds_of_study(self.study), *self.parts), tuple(self.study.file.sites.named_places)
        amounts = self.study.opportunities.table["amount"].to_numpy(np.float64)
        held = np.zeros((len(names) + len(named), len(amounts) + len(named)), np.bool_)
        for row, kind in enumerate(names):
            held[row, self.study.opportunities.rows_of(kind)] = True
        held[:, : len(amounts)] &= amounts > 0
        held[len(names) :, len(amounts) :] = np.eye(len(named), dtype=np.bool_)
        return held


def build_scene(study: Study, named: Named | None = None, parts: Sequence[str] | None = None) -> Scene:
    """Networks of all days of a study, and its destinations and named places joined to them.

    Parameters
    ----------
    study : Study
    named : mapping of str to Spot, optional
        Of ``named_places``.
    parts : sequence of str, optional
        Of ``parts_of_study``; under a proposal those of today, so that the figures are the same.
    """
    file, walk = study.file, study.file.travel.walk
    spots = named if named is not None else named_places(study)
    stopping, networks = study_networks(
        file, study.feed, study.ground, span_s=span_of(file, Choice()), store=study.store
    )
    stops = stopping.stops
    ends = link_points(study.ground, _ends(study, spots), link_m=walk.link_m)
    limit_s = int(walk.to_stop_min * MINUTE)
    arriving = walks_between(study.ground, stops, ends, limit_s=limit_s, speed_kmh=walk.speed_kmh)
    return Scene(
        study,
        figures_of_study(study, parts),
        parts_of_study(study) if parts is None else tuple(parts),
        stops,
        ends,
        arriving.reversed(ends.points.n_places),
        networks,
        {day: build_departures(study.feed, network.timetable) for day, network in networks.items()},
    )


def _ends(study: Study, named: Named) -> Points:
    """The destinations of a study, and the named places after them."""
    places = destination_points(study.opportunities)
    spots = [spot.points for spot in named.values()]
    owner = [np.full(len(points.lon), places.n_places + row, np.int32) for row, points in enumerate(spots)]
    return Points(
        np.concatenate([places.id, np.array(list(named), object)]),
        np.concatenate([places.lon, *(points.lon for points in spots)]),
        np.concatenate([places.lat, *(points.lat for points in spots)]),
        np.concatenate([places.place, *owner]),
    )


def figures_of_places(scene: Scene, points: Points, *, threads: int = 1) -> FloatArray:
    """Every figure of some places, with one search for each day and window.

    Distances in metres, times in seconds (clock times in seconds of the service date), infinite where there is none; the
    nearest stop as its row in the feed, the nearest place as its row among the destinations. What is counted or averaged
    is exact; metres are rounded to a tenth and the service figures to four decimals, beyond what anybody can know of a
    walk. A place has the same figures whichever others are asked about with it.

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
    return next(figures_of_blocks(scene, [points], LocalEngine(threads)))


def figures_of_blocks(scene: Scene, blocks: Sequence[Points], engine: Engine) -> Iterator[FloatArray]:
    """``figures_of_places`` of some blocks of places, one after the other.

    Parameters
    ----------
    scene : Scene
    blocks : sequence of Points
    engine : Engine
        Searches every block in every window, each by itself; it changes nothing but the time.
    """
    asked = [(day, window) for day in scene.networks for window in scene.study.file.windows_on(day)]
    tasks = _Tasks(scene, blocks, len(asked))
    found = engine.map_blocks(WINDOWS, _shared(scene, asked), tasks)
    for number in range(len(blocks)):
        near, walks = tasks.walks(number)
        values = _figures_on_foot(scene, walks.direct)
        for day, departures in scene.departures.items():
            values |= _figures_of_day(scene, near, departures, day)
        for when in asked:
            values |= zip(_figures_in_window(scene, *when), next(found), strict=True)
        tasks.forget(number)
        yield np.column_stack([values[figure] for figure in scene.figures])


class _Tasks(Sequence[tuple[int, Links, Links]]):
    """Every block of places in every window, with its walks to stops and to destinations.

    The walks of a block are found when its first window is asked for, and kept until the block is done.
    """

    def __init__(self, scene: Scene, blocks: Sequence[Points], n_windows: int) -> None:
        self._scene, self._blocks, self._n_windows = scene, blocks, n_windows
        self._walks: dict[int, tuple[Links, Walks]] = {}

    def __len__(self) -> int:
        return len(self._blocks) * self._n_windows

    def __getitem__(self, number: Any) -> Any:
        block, window = divmod(number, self._n_windows)
        _, walks = self.walks(block)
        return window, walks.access, walks.direct

    def walks(self, block: int) -> tuple[Links, Walks]:
        """Of ``walks_of_places``."""
        if block not in self._walks:
            self._walks[block] = walks_of_places(self._scene, self._blocks[block])
        return self._walks[block]

    def forget(self, block: int) -> None:
        """The block is done."""
        del self._walks[block]


def _shared(scene: Scene, asked: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the search of any block needs, ready to be packed."""
    file = scene.study.file
    outlines = {day: network.outline() for day, network in scene.networks.items()}
    kinds = kinds_of_study(scene.study)
    return {
        "windows": [(outlines[day], window_query(file, window)) for day, window in asked],
        "egress": scene.egress,
        "kinds": _lists(scene.kinds),
        "n_parts": len(scene.parts),
        "limits_s": np.array([int(cutoff * MINUTE) for cutoff in file.travel.cutoffs_min], np.int32),
        "amounts": scene.study.opportunities.table["amount"].to_numpy(np.float64),
        "rows": [scene.study.opportunities.rows_of(kind) for kind in kinds],
    }


def _figures_in_window(scene: Scene, day: str, window: str) -> list[Figure]:
    """What ``_search_window`` finds, in its order."""
    file = scene.study.file
    found = [Figure(TIME_TO, day, window, name) for name in file.sites.named_places]
    for kind in kinds_of_study(scene.study):
        found += [Figure(measure, day, window, kind) for measure in (NEAREST, WHICH_PLACE, LEAVES)]
        found += [Figure(REACHED, day, window, kind, f"{cutoff:g}") for cutoff in file.travel.cutoffs_min]
    found += [Figure(measure, day, window, part) for part in scene.parts for measure in (NEAREST, WHICH_PLACE)]
    return found


def _lists(held: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int32], int]:
    """The kinds of each destination one after the other, where those of each begin, and how many kinds there are."""
    destination, kind = np.nonzero(held.T)
    first = np.zeros(held.shape[1] + 1, np.int64)
    np.cumsum(np.bincount(destination, minlength=held.shape[1]), out=first[1:])
    return first, kind.astype(np.int32), len(held)


def walks_of_places(scene: Scene, points: Points) -> tuple[Links, Walks]:
    """Walks to stops as far as any figure needs them, and those that begin and end journeys."""
    file, ground = scene.study.file, scene.study.ground
    walk = file.travel.walk
    start = link_points(ground, points, link_m=walk.link_m)
    to_stop_s, all_the_way_s = int(walk.to_stop_min * MINUTE), int(walk.all_the_way_min * MINUTE)
    wanted_m = (file.standards.stop_within_m if file.standards is not None else None) or 0.0
    farthest_s = math.ceil(max(_FARTHEST_M, wanted_m) * 3.6 / walk.speed_kmh)
    n_stops = scene.stops.points.n_places
    leaving = walks_between(
        ground, start, join_linked(scene.stops, scene.destinations),
        limit_s=max(to_stop_s, all_the_way_s, farthest_s), speed_kmh=walk.speed_kmh,
    )  # fmt: skip
    near = leaving.to_places(0, n_stops)
    direct = leaving.to_places(n_stops, n_stops + scene.destinations.points.n_places).within(all_the_way_s)
    return near, Walks(near.within(to_stop_s), scene.egress, direct)


def stops_of_entrances(scene: Scene, points: Points) -> FloatArray:
    """Walk to the nearest stop that is served, and which that is, of each place and day; shape (n_places, 2 n_days)."""
    near, _ = walks_of_places(scene, points)
    found = [_nearest_served(scene, near, departures) for departures in scene.departures.values()]
    return np.column_stack([column for pair in found for column in pair])


def _nearest_served(scene: Scene, near: Links, departures: StopDepartures) -> tuple[FloatArray, FloatArray]:
    """Metres to the nearest stop of each place at which something can be boarded that day, and its row."""
    served = np.zeros(scene.stops.points.n_places, np.bool_)
    served[departures.within(TRAFFIC_DAY_S).stop] = True
    keep = served[near.to]
    start, stop, walk_m = near.start()[keep], near.to[keep], np.round(near.metres[keep], 1)
    order = np.lexsort((stop, walk_m, start))  # the first row of a place is its nearest stop, of two alike the first
    place, first = np.unique(start[order], return_index=True)
    metres, which = np.full(near.n_from, np.inf), np.full(near.n_from, np.inf)
    metres[place], which[place] = walk_m[order][first], stop[order][first]
    return metres, which


def _figures_on_foot(scene: Scene, direct: Links) -> dict[Figure, FloatArray]:
    """Time to the nearest of each kind, and what is reached within each cutoff, walking all the way."""
    start, cutoffs = direct.start(), scene.study.file.travel.cutoffs_min
    amounts = np.zeros(scene.destinations.points.n_places)
    table = scene.study.opportunities.table
    amounts[: len(table)] = table["amount"].to_numpy(np.float64)
    values: dict[Figure, FloatArray] = {}
    for row, kind in enumerate((*kinds_of_study(scene.study), *scene.parts)):
        counts = scene.kinds[row][direct.to]
        soonest = np.full(direct.n_from, np.inf)
        np.minimum.at(soonest, start[counts], direct.walk_s[counts])
        values[Figure(NEAREST_ON_FOOT, ANY_DAY, ANY_TIME, kind)] = soonest
        for cutoff in cutoffs if kind not in scene.parts else ():
            there = counts & (direct.walk_s <= int(cutoff * MINUTE))
            reached = np.bincount(start[there], weights=amounts[direct.to[there]], minlength=direct.n_from).astype(
                np.float64
            )
            values[Figure(REACHED_ON_FOOT, ANY_DAY, ANY_TIME, kind, f"{cutoff:g}")] = reached
    return values


def _figures_of_day(scene: Scene, near: Links, departures: StopDepartures, day: str) -> dict[Figure, FloatArray]:
    """The nearest stop that is served, the first and last departure, and service by window."""
    metres, which = _nearest_served(scene, near, departures)
    values = {Figure(NEAREST_STOP, day, ALL_DAY, STOPS): metres, Figure(WHICH_STOP, day, ALL_DAY, STOPS): which}
    for measure, seconds in zip((FIRST, LAST), first_and_last(near, departures), strict=True):
        values[Figure(measure, day, ALL_DAY, STOPS)] = _or_infinite(seconds)
    for name, window_s in service_windows(scene.study.file, day).items():
        per_hour = service_per_hour(near, departures, window_s)
        values[Figure(PER_HOUR, day, name, STOPS)] = np.round(per_hour, 4)
        values[Figure(PTAL, day, name, STOPS)] = np.round(ptal_form_index(near, departures, window_s), 4)
    return values


def _search_window(shared: Mapping[str, Any], task: tuple[int, Links, Links]) -> list[FloatArray]:
    """Median time to the nearest of each kind, and what is reached within each cutoff on average over departures."""
    number, access, direct = task
    outline, query = shared["windows"][number]
    walks = Walks(access, shared["egress"], direct)
    (first, kind_of, n_all), limits_s, amounts = shared["kinds"], shared["limits_s"], shared["amounts"]
    n_departures, n_names, n_parts = len(query.departures_s), len(shared["rows"]), shared["n_parts"]
    best: NDArray[np.int32] = np.full((n_all, walks.n_origins, n_departures), UNREACHED, np.int32)
    which = np.full(best.shape, -1, np.int32)
    counts = np.zeros((walks.n_origins, walks.n_destinations, len(limits_s)), np.int32)
    search = Search(outline.connections, outline, query, walks)
    for lanes in range(len(search.lane_blocks())):
        for block in times_of_block(search, lanes):
            _take_in(
                block.time_s, block.origins, block.departures, block.destinations, first, kind_of, limits_s, best, which,
                counts,
            )  # fmt: skip
    medians = [percentile_over_departures(of_kind, 50) for of_kind in best]
    values = [_or_infinite(median) for median in medians[n_names + n_parts :]]
    for row in range(n_names + n_parts):
        values.append(_or_infinite(medians[row]))
        # The first departure that takes just the median, and the place that is nearest then.
        at = np.argmax(best[row] == medians[row][:, None], axis=1)
        missing, every = medians[row] == UNREACHED, np.arange(walks.n_origins)
        values.append(np.where(missing, np.inf, which[row, every, at].astype(np.float64)))
        if row >= n_names:
            continue
        values.append(np.where(missing, np.inf, query.departures_s[at].astype(np.float64)))
        columns = shared["rows"][row]
        for place in range(len(limits_s)):
            # One row at a time in one order: the sum of a site does not depend on its neighbours in the block.
            offered = np.ascontiguousarray(counts[:, columns, place] * amounts[columns])
            values.append(offered.sum(axis=1) / n_departures)
    return values


def _as_it_is(shared: Mapping[str, Any]) -> Mapping[str, Any]:
    return shared


WINDOWS = Work(_as_it_is, _search_window)


def _or_infinite(seconds: NDArray[np.int32]) -> FloatArray:
    return np.where(seconds == UNREACHED, np.inf, seconds.astype(np.float64))


@kernel
def _take_in(  # type: ignore[no-untyped-def]
    time_s, origins, departures, destinations, first, kind_of, limits_s, best, which, counts
):
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
                for at in range(first[destination], first[destination + 1]):
                    kind = kind_of[at]
                    soonest = best[kind, origin, departure]
                    # Of places that are as near, the first of the file: whatever the order of the blocks.
                    if taken < soonest or (taken == soonest and destination < which[kind, origin, departure]):
                        best[kind, origin, departure] = taken
                        which[kind, origin, departure] = destination


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


def on_network(study: Study, points: Points, notices: list[Notice] | None = None) -> NDArray[np.bool_]:
    """Whether each place is within reach of a street, shape (n_places,); ``notices`` gets those that are cut off."""
    if not points.n_places:
        return np.zeros(0, np.bool_)
    linked = link_points(study.ground, points, link_m=study.file.travel.walk.link_m)
    if notices is not None:
        report_other_parts(study.ground, linked, "sites", notices)
    return linked.place_linked
