"""The figures of development sites: stops and service near them, times to the nearest of each kind, access by cutoff."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import starts_by
from community_routes.base.errors import StudyError, UsageError
from community_routes.base.kernels import kernel
from community_routes.base.notices import Notice
from community_routes.base.times import MINUTE, UNREACHED
from community_routes.evaluation.case import Case, Study, window_query
from community_routes.evaluation.places import destination_points, origin_points
from community_routes.measures.reach import percentile_over_departures
from community_routes.measures.service import (
    NEAR_M,
    REACH_M,
    TRAFFIC_DAY_S,
    StopDepartures,
    first_and_last,
    ptal_form_index,
    service_per_hour,
)
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
from community_routes.routing.engine import Engine, Work
from community_routes.routing.query import Walks
from community_routes.routing.runner import Runner
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


def figures_of_study(study: Study, parts: Sequence[str]) -> tuple[Figure, ...]:
    """The figures of every site, in the order of their columns, with the nearest of each of ``parts``."""
    file = study.file
    found: list[Figure] = []
    for day in file.dates:
        found += [Figure(measure, day, ALL_DAY, STOPS) for measure in (NEAREST_STOP, WHICH_STOP, FIRST, LAST)]
        for window in service_windows(file, day):
            found += [Figure(measure, day, window, STOPS) for measure in (PER_HOUR, PTAL)]
        for window in file.windows_on(day):
            found += _figures_in_window(study, parts, day, window)
    found += [Figure(NEAREST_ON_FOOT, ANY_DAY, ANY_TIME, kind) for kind in (*kinds_of_study(study), *parts)]
    for kind in kinds_of_study(study):
        found += [Figure(REACHED_ON_FOOT, ANY_DAY, ANY_TIME, kind, f"{c:g}") for c in file.travel.cutoffs_min]
    return tuple(found)


def _figures_in_window(study: Study, parts: Sequence[str], day: str, window: str) -> list[Figure]:
    """What ``_search_window`` finds, in its order."""
    found: list[Figure] = []
    for kind in kinds_of_study(study):
        found += [Figure(measure, day, window, kind) for measure in (NEAREST, WHICH_PLACE, LEAVES)]
        found += [Figure(REACHED, day, window, kind, f"{cutoff:g}") for cutoff in study.file.travel.cutoffs_min]
    found += [Figure(measure, day, window, part) for part in parts for measure in (NEAREST, WHICH_PLACE)]
    return found + [Figure(TIME_TO, day, window, name) for name in study.file.sites.named_places]


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


@dataclass(frozen=True, eq=False)
class Scene:
    """A case, ready to have any number of places judged in it; its network is built when it is first asked for.

    Attributes
    ----------
    case : Case
    named : mapping of str to Spot
        Of ``named_places``.
    parts : tuple of str
        Kinds of place, as ``key/kind``, of which the nearest is told; under a proposal those of today, so that the figures
        are the same.
    """

    case: Case
    named: Named
    parts: tuple[str, ...]

    @classmethod
    def of(cls, study: Study) -> Scene:
        """A study as it is; what it measures of neighbourhoods (and shifts of the night with it) is not asked of sites."""
        return cls(Case.of(study).with_settings(measures=()), named_places(study), parts_of_study(study))

    def at_bound(self, bound: Literal["best", "worst"]) -> Scene:
        """The same with one of the bounds of step-free figures alone."""
        return replace(self, case=Case.of(self.case.study.at_bound(bound)))

    @cached_property
    def figures(self) -> tuple[Figure, ...]:
        """What is told of every place."""
        return figures_of_study(self.case.study, self.parts)

    @cached_property
    def settings(self) -> str:
        """Hash of everything that the figures of a place depend on, the place itself apart; file names are not in it."""
        case, file = self.case, self.case.file
        table, places = case.opportunities.table, case.opportunities.entrances
        standards = file.standards or Standards()
        settings = {
            "format": FORMAT,
            "dates": {day: date.isoformat() for day, date in file.dates.items()},
            "travel": file.travel.model_dump(mode="json"),
            "figures": [figure.name for figure in self.figures],
            "service_windows": {day: service_windows(file, day) for day in file.dates},
            "farthest_stop_m": max(_FARTHEST_M, standards.stop_within_m or 0.0),
            "timetable": case.feed.content_hash,
            "ground": case.ground.content_hash if isinstance(case.ground, Streets) else repr(case.ground),
        }
        return fingerprint(
            json.dumps(settings, sort_keys=True),
            table["key"].to_numpy(object), table["kind"].to_numpy(object), table["amount"].to_numpy(np.float64),
            *(places[name].to_numpy() for name in ("place", "lon", "lat")),
            *(coordinate for spot in self.named.values() for coordinate in (spot.points.lon, spot.points.lat)),
        )[:32]  # fmt: skip

    @cached_property
    def kinds(self) -> NDArray[np.bool_]:
        """Which destinations count for each kind, part and named place, shape (all of these, n_destinations).

        Of a kind, those that have anything to offer.
        """
        places, names, n_named = (
            self.case.opportunities,
            (*kinds_of_study(self.case.study), *self.parts),
            len(self.named),
        )
        amounts = places.table["amount"].to_numpy(np.float64)
        held = np.zeros((len(names) + n_named, len(amounts) + n_named), np.bool_)
        for row, kind in enumerate(names):
            held[row, places.rows_of(kind)] = True
        held[:, : len(amounts)] &= amounts > 0
        held[len(names) :, len(amounts) :] = np.eye(n_named, dtype=np.bool_)
        return held

    @cached_property
    def destinations(self) -> Linked:
        """The destinations of the study, and the named places after them, joined to the ground."""
        places, spots = destination_points(self.case.opportunities), [spot.points for spot in self.named.values()]
        owner = [np.full(len(points.lon), places.n_places + row, np.int32) for row, points in enumerate(spots)]
        points = Points(
            np.concatenate([places.id, np.array(list(self.named), object)]),
            np.concatenate([places.lon, *(points.lon for points in spots)]),
            np.concatenate([places.lat, *(points.lat for points in spots)]),
            np.concatenate([places.place, *owner]),
        )
        return link_points(self.case.ground, points, link_m=self.case.file.travel.walk.link_m)

    @cached_property
    def egress(self) -> Links:
        """From destinations to stops."""
        case, walk, ends = self.case, self.case.file.travel.walk, self.destinations
        limit_s = int(walk.to_stop_min * MINUTE)
        arriving = walks_between(case.ground, case.stops, ends, limit_s=limit_s, speed_kmh=walk.speed_kmh)
        return arriving.reversed(ends.points.n_places)

    def built(self, runner: Runner) -> Scene:
        """The same with its network built, which is told and timed."""
        if "egress" not in self.__dict__:
            runner.tell("building the network")
            with runner.stage("network"):
                for day in self.case.networks:
                    _ = self.case.departures[day]
                _ = self.egress
        return self


def figures_of_blocks(scene: Scene, blocks: Sequence[Points], engine: Engine) -> Iterator[FloatArray]:
    """Every figure of some blocks of places, one after the other, with one search for each block, day and window.

    Distances in metres, times in seconds (clock times in seconds of the service date), infinite where there is none; the
    nearest stop as its row in the feed, the nearest place as its row among the destinations. What is counted or averaged
    is exact; metres are rounded to a tenth and the service figures to four decimals, beyond what anybody can know of a
    walk. A place has the same figures whichever others are asked about with it.

    Parameters
    ----------
    scene : Scene
    blocks : sequence of Points
        All of them on the network.
    engine : Engine
        Searches every block in every window, each by itself; it changes nothing but the time.

    Yields
    ------
    float64, shape (n_places, n_figures)
    """
    asked = [(day, window) for day in scene.case.networks for window in scene.case.file.windows_on(day)]
    tasks = _Tasks(scene, blocks, len(asked))
    found = engine.map_blocks(WINDOWS, _shared(scene, asked), tasks)
    for number in range(len(blocks)):
        near, walks = tasks.walks(number)
        values = _figures_on_foot(scene, walks.direct)
        for day, departures in scene.case.departures.items():
            values |= _figures_of_day(scene, near, departures, day)
        for when in asked:
            values |= zip(_figures_in_window(scene.case.study, scene.parts, *when), next(found), strict=True)
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
    file = scene.case.file
    outlines = {day: network.outline() for day, network in scene.case.networks.items()}
    kinds = kinds_of_study(scene.case.study)
    return {
        "windows": [(outlines[day], window_query(file, window)) for day, window in asked],
        "egress": scene.egress,
        "wanted": tuple(_wanted(scene.kinds, [int(cutoff * MINUTE) for cutoff in file.travel.cutoffs_min])),
        "n_all": len(scene.kinds),
        "n_parts": len(scene.parts),
        "amounts": scene.case.opportunities.table["amount"].to_numpy(np.float64),
        "rows": [scene.case.opportunities.rows_of(kind) for kind in kinds],
    }


class _Wanted(NamedTuple):
    """The kinds of destination ``i`` are ``kind_of[first[i]:first[i + 1]]``; ``limits_s`` are those within which are counted."""

    first: NDArray[np.int64]
    kind_of: NDArray[np.int32]
    limits_s: NDArray[np.int32]


class _Found(NamedTuple):
    """Seconds to the nearest of each kind and which that is, (n_kinds, n_places, n_departures); departures within limits."""

    best: NDArray[np.int32]
    which: NDArray[np.int32]
    counts: NDArray[np.int32]


def _wanted(held: NDArray[np.bool_], limits_s: list[int]) -> _Wanted:
    destination, kind = np.nonzero(held.T)
    first = starts_by(destination, held.shape[1])
    return _Wanted(first, kind.astype(np.int32), np.array(limits_s, np.int32))


def walks_of_places(scene: Scene, points: Points) -> tuple[Links, Walks]:
    """Walks to stops as far as any figure needs them, and those that begin and end journeys."""
    file, ground = scene.case.file, scene.case.ground
    walk = file.travel.walk
    start = link_points(ground, points, link_m=walk.link_m)
    to_stop_s, all_the_way_s = int(walk.to_stop_min * MINUTE), int(walk.all_the_way_min * MINUTE)
    wanted_m = (file.standards.stop_within_m if file.standards is not None else None) or 0.0
    farthest_s = math.ceil(max(_FARTHEST_M, wanted_m) * 3.6 / walk.speed_kmh)
    n_stops = scene.case.stops.points.n_places
    leaving = walks_between(
        ground, start, join_linked(scene.case.stops, scene.destinations),
        limit_s=max(to_stop_s, all_the_way_s, farthest_s), speed_kmh=walk.speed_kmh,
    )  # fmt: skip
    near = leaving.to_places(0, n_stops)
    direct = leaving.to_places(n_stops, n_stops + scene.destinations.points.n_places).within(all_the_way_s)
    return near, Walks(near.within(to_stop_s), scene.egress, direct)


def stops_of_entrances(scene: Scene, points: Points) -> FloatArray:
    """Walk to the nearest stop that is served, and which that is, of each place and day; shape (n_places, 2 n_days)."""
    near, _ = walks_of_places(scene, points)
    found = [_nearest_served(scene, near, departures) for departures in scene.case.departures.values()]
    return np.column_stack([column for pair in found for column in pair])


def _nearest_served(scene: Scene, near: Links, departures: StopDepartures) -> tuple[FloatArray, FloatArray]:
    """Metres to the nearest stop of each place at which something can be boarded that day, and its row."""
    served = np.zeros(scene.case.stops.points.n_places, np.bool_)
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
    start, cutoffs = direct.start(), scene.case.file.travel.cutoffs_min
    amounts = np.zeros(scene.destinations.points.n_places)
    table = scene.case.opportunities.table
    amounts[: len(table)] = table["amount"].to_numpy(np.float64)
    values: dict[Figure, FloatArray] = {}
    for row, kind in enumerate((*kinds_of_study(scene.case.study), *scene.parts)):
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
    for name, window_s in service_windows(scene.case.file, day).items():
        per_hour = service_per_hour(near, departures, window_s)
        values[Figure(PER_HOUR, day, name, STOPS)] = np.round(per_hour, 4)
        values[Figure(PTAL, day, name, STOPS)] = np.round(ptal_form_index(near, departures, window_s), 4)
    return values


def _search_window(shared: Mapping[str, Any], task: tuple[int, Links, Links]) -> list[FloatArray]:
    """Median time to the nearest of each kind, and what is reached within each cutoff on average over departures."""
    number, access, direct = task
    outline, query = shared["windows"][number]
    walks = Walks(access, shared["egress"], direct)
    wanted, amounts, n_names = shared["wanted"], shared["amounts"], len(shared["rows"])
    n_departures, n_single = len(query.departures_s), n_names + shared["n_parts"]
    best: NDArray[np.int32] = np.full((shared["n_all"], walks.n_origins, n_departures), UNREACHED, np.int32)
    counts = np.zeros((walks.n_origins, walks.n_destinations, len(wanted.limits_s)), np.int32)
    found = _Found(best, np.full(best.shape, -1, np.int32), counts)
    search = Search(outline.connections, outline, query, walks)
    for lanes in range(len(search.lane_blocks())):
        for block in times_of_block(search, lanes):
            _take_in(block.time_s, block.origins, block.departures, block.destinations, wanted, found)
    medians = [percentile_over_departures(of_kind, 50) for of_kind in best]
    values: list[FloatArray] = []
    for row in range(n_single):
        values.append(_or_infinite(medians[row]))
        # The first departure that takes just the median, and the place that is nearest then.
        at = np.argmax(best[row] == medians[row][:, None], axis=1)
        missing, every = medians[row] == UNREACHED, np.arange(walks.n_origins)
        values.append(np.where(missing, np.inf, found.which[row, every, at].astype(np.float64)))
        if row >= n_names:
            continue
        values.append(np.where(missing, np.inf, query.departures_s[at].astype(np.float64)))
        columns = shared["rows"][row]
        for place in range(len(wanted.limits_s)):
            # One row at a time in one order: the sum of a site does not depend on its neighbours in the block.
            offered = np.ascontiguousarray(counts[:, columns, place] * amounts[columns])
            values.append(offered.sum(axis=1) / n_departures)
    return values + [_or_infinite(median) for median in medians[n_single:]]


def _prepared(shared: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**shared, "wanted": _Wanted(*shared["wanted"])}


WINDOWS = Work(_prepared, _search_window)


def _or_infinite(seconds: NDArray[np.int32]) -> FloatArray:
    return np.where(seconds == UNREACHED, np.inf, seconds.astype(np.float64))


@kernel
def _take_in(time_s, origins, departures, destinations, wanted, found):  # type: ignore[no-untyped-def]
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
                for limit in range(len(wanted.limits_s)):
                    if taken <= wanted.limits_s[limit]:
                        found.counts[origin, destination, limit] += 1
                for at in range(wanted.first[destination], wanted.first[destination + 1]):
                    kind = wanted.kind_of[at]
                    soonest = found.best[kind, origin, departure]
                    # Of places that are as near, the first of the file: whatever the order of the blocks.
                    if taken < soonest or (taken == soonest and destination < found.which[kind, origin, departure]):
                        found.best[kind, origin, departure] = taken
                        found.which[kind, origin, departure] = destination


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
