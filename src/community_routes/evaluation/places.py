"""Places of a study on its ground: neighbourhoods, destinations and stops joined to it, the walks between, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.notices import Notice, declare
from community_routes.base.times import MINUTE
from community_routes.network.kept import Builder, Settings
from community_routes.network.store import Store
from community_routes.network.streets.streets import Streets
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.around import walks_around
from community_routes.network.walks.further import Around, WalkLimits, with_places, with_stops
from community_routes.network.walks.links import (
    CrowFly,
    Ground,
    Linked,
    is_symmetric,
    join_linked,
    link_points,
    report_other_parts,
    walks_between,
)
from community_routes.network.walks.points import Links, Points, same_places
from community_routes.routing.query import Walks
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.file import StudyFile
from community_routes.sources.study.travel import Walk

STOPS_OFF_MAP = declare(
    "stops_off_map",
    "warning",
    "A place has no stop within a walk only because the stops near it lie outside the map.",
)
OFF_NETWORK = declare(
    "off_network",
    "warning",
    "A place lies outside the streets' coverage or too far from any street; it cannot be reached.",
)
NOTHING_ON_NETWORK = declare(
    "nothing_on_network",
    "error",
    "All neighbourhoods, or all destinations, lie off the streets, so nothing can be measured.",
)
NEAR_EDGE = declare(
    "near_edge",
    "warning",
    "A place lies so near the edge of the streets' coverage that walks and stops beyond it may be missing.",
)


def lines_of(ground: Ground) -> NDArray[np.object_] | None:
    """The walkable edges as lines, or None for straight-line walking."""
    return street_lines(ground) if isinstance(ground, Streets) else None


def street_lines(streets: Streets) -> NDArray[np.object_]:
    """The walkable edges as lines, shape (n_edges,)."""
    graph = streets.graph
    owner = np.repeat(np.arange(graph.n_edges), np.diff(graph.first))
    lines: NDArray[np.object_] = shapely.linestrings(np.column_stack([graph.lon, graph.lat]), indices=owner)
    return lines


def origin_points(zones: Zones) -> Points:
    """The origins of all neighbourhoods as points to walk from, one place each."""
    origins = zones.origins
    return Points.single(origins["id"].to_numpy(object), origins["lon"].to_numpy(), origins["lat"].to_numpy())


def destination_points(opportunities: Opportunities) -> Points:
    """The destinations as places with the points at which they are entered."""
    entrances = opportunities.entrances
    return Points(
        opportunities.table["id"].to_numpy(object),
        entrances["lon"].to_numpy(np.float64),
        entrances["lat"].to_numpy(np.float64),
        entrances["place"].to_numpy(np.int32),
    )


def study_builder(file: StudyFile, feed: Feed, ground: Ground, store: Store | None = None) -> Builder:
    """What builds stops and networks with the study's settings."""
    travel = file.travel
    settings = Settings(
        slack_s=travel.slack_s,
        between_stops_s=int(travel.walk.between_stops_min * MINUTE),
        speed_kmh=travel.walk.speed_kmh,
        link_m=travel.walk.link_m,
        phase=travel.phase,
        seed=travel.seed,
        wheelchair=travel.bound,
    )
    return Builder(store, feed, ground, settings)


@dataclass(frozen=True, eq=False)
class Reached:
    """Origins and destinations joined to the ground, with the walks that begin and end their journeys."""

    origins: Linked
    destinations: Linked
    walks: Walks


def study_walks(file: StudyFile, ground: Ground, stops: Linked, origins: Points, destinations: Points) -> Reached:
    """Walks from origins to stops, from stops to destinations, and all the way, within the study's limits."""
    walk = file.travel.walk
    start = link_points(ground, origins, link_m=walk.link_m)
    end = start if destinations is origins else link_points(ground, destinations, link_m=walk.link_m)
    to_stop_s, all_the_way_s = int(walk.to_stop_min * MINUTE), int(walk.all_the_way_min * MINUTE)
    access, egress, direct = walks_around(
        ground, start, stops, end, to_stop_s=to_stop_s, all_the_way_s=all_the_way_s, speed_kmh=walk.speed_kmh
    )
    # A place is there at once whatever file it comes from, and were it off the network.
    return Reached(start, end, Walks(access, egress, direct.with_nothing(*same_places(origins, destinations))))


@dataclass(frozen=True, eq=False)
class Lean:
    """Walks between stops and of places, as far as travel times hang on them.

    Attributes
    ----------
    footpaths : Links
    reached : Reached
    stops : Linked or None
        The stops, where they are not those of the case that they were taken over from.
    """

    footpaths: Links
    reached: Reached
    stops: Linked | None = None


_Spots = tuple[tuple[str, float, float], ...]
"""Places of one point each: ids, longitudes and latitudes."""


class Further(NamedTuple):
    """Places and stops that a case has beyond those of the one that it was made from."""

    origins: _Spots = ()
    destinations: _Spots = ()
    stops: _Spots = ()

    def begins(self, other: Further) -> bool:
        """Whether the other has all of this, and perhaps more after it."""
        return all(its[: len(mine)] == mine for mine, its in zip(self, other, strict=True))

    @property
    def size(self) -> int:
        """How many there are."""
        return sum(map(len, self))


def further_places(
    now: tuple[Zones, Opportunities], before: tuple[Zones, Opportunities], stops: pd.DataFrame
) -> Further | None:
    """What has come, ``stops`` with it; None where neighbourhoods or destinations of before are others now."""
    (zones, doors), (old_zones, old_doors) = now, before
    origins = () if zones is old_zones else _added(_spots(zones.origins), _spots(old_zones.origins))
    goals = () if doors is old_doors else _added(_doors(doors), _doors(old_doors))
    if origins is None or goals is None or len(doors) - len(old_doors) != len(goals):
        return None
    return Further(origins, goals, _spots(stops.rename(columns={"stop_id": "id"})))


def _doors(opportunities: Opportunities) -> _Spots:
    doors = opportunities.entrances
    return _spots(doors.assign(id=opportunities.table["id"].to_numpy(object)[doors["place"].to_numpy()]))


def _added(spots: _Spots, before: _Spots) -> _Spots | None:
    """What came after the spots of before, one for each id; None where these are others."""
    more = spots[len(before) :]
    return more if spots[: len(before)] == before and len({one[0] for one in more}) == len(more) else None


def _spots(table: pd.DataFrame) -> _Spots:
    return tuple(zip(*(table[column].tolist() for column in ("id", "lon", "lat")), strict=True))


def lean_with(ground: Ground, walk: Walk, known: Lean, further: Further, kept: dict[Further, Lean]) -> Lean | None:
    """The lean walks of a case, with those of further places and stops.

    Parameters
    ----------
    ground : Streets or CrowFly
    walk : Walk
        Limits.
    known : Lean
        With its stops.
    further : Further
    kept : dict of Further to Lean
        What was found last, the oldest first: what of it is wanted again is not found again. It gets the result.

    Returns
    -------
    Lean or None
        None where it must be found anew.
    """
    there = max((of for of in kept if of.begins(further)), key=lambda of: of.size, default=Further())
    was = kept.get(there, known)
    if there == further:
        return was
    stops, ends, walks = was.stops, (was.reached.origins, was.reached.destinations), was.reached.walks
    assert stops is not None
    starts, goals, new = (
        link_points(ground, _points_of(spots[len(have) :]), link_m=walk.link_m)
        for spots, have in zip(further, there, strict=True)
    )
    minutes = walk.between_stops_min, walk.to_stop_min, walk.all_the_way_min
    between_s, near_s, far_s = (int(one * MINUTE) for one in minutes)
    limits = WalkLimits(between_s, near_s, far_s, walk.speed_kmh)
    around = Around(was.footpaths, walks.access, walks.egress, walks.direct)
    if starts.points.n_places or goals.points.n_places:
        around = with_places(ground, around, stops, ends, (starts, goals), limits)
        ends = join_linked(ends[0], starts), join_linked(ends[1], goals)
    if new.points.n_places:
        found = with_stops(ground, around, stops, new, ends, limits)
        if found is None:
            return None
        around, stops = found, join_linked(stops, new)
    kept[further] = Lean(around.footpaths, Reached(*ends, Walks(around.access, around.egress, around.direct)), stops)
    while len(kept) > _MOST_LEANS:
        del kept[next(iter(kept))]
    return kept[further]


def _points_of(spots: _Spots) -> Points:
    ids, lon, lat = zip(*spots, strict=True) if spots else ((), (), ())
    return Points.single(list(ids), list(lon), list(lat))


_MOST_LEANS = 8
"""So many sets of further stops and places are kept: what one draws, and a few steps back."""


def why_not(timetable: Timetable, linked: Linked, links: Links, *, leaving: bool) -> NDArray[np.object_]:
    """Why each place cannot travel: ``off_network``, ``no_service`` (no trip that day within a walk) or ""."""
    served = np.zeros(timetable.n_stops, np.bool_)
    if leaving:
        served[timetable.from_stop[timetable.board]] = True
    else:
        served[timetable.to_stop[timetable.alight]] = True
    has_service = np.bincount(links.start()[served[links.to]], minlength=links.n_from) > 0
    reason = np.where(has_service, "", "no_service").astype(object)
    reason[~linked.place_linked] = "off_network"
    return reason


def report_cut_off(
    file: StudyFile,
    stops: Linked,
    reached: Reached,
    ground: Ground,
    notices: list[Notice],
    names: tuple[str, str] = ("neighbourhoods", "destinations"),
) -> None:
    """Say which places are cut off from most streets, and which have no stop only because those near lie outside the map."""
    walk, walks, straight = file.travel.walk, reached.walks, CrowFly(1.0)
    off = stops.outside
    beyond = Points.single(stops.points.id[stops.points.place[off]], stops.points.lon[off], stops.points.lat[off])
    for what, linked, links in zip(
        names, (reached.origins, reached.destinations), (walks.access, walks.egress), strict=True
    ):
        report_other_parts(ground, linked, what, notices)
        points, alone = linked.points, np.diff(links.first) == 0
        rows = np.flatnonzero(alone[points.place] & linked.linked)
        if not len(rows) or not off.any():
            continue
        near = walks_between(
            straight,
            link_points(straight, Points.single(points.id[points.place[rows]], points.lon[rows], points.lat[rows])),
            link_points(straight, beyond),
            limit_s=int(walk.to_stop_min * MINUTE),
            speed_kmh=walk.speed_kmh,
        )
        cut = np.flatnonzero(np.diff(near.first))
        if len(cut):
            row, own = rows[cut[0]], near.of(int(cut[0]))
            stop = int(np.argmin(own.metres))
            ids = points.id[np.unique(points.place[rows[cut]])]
            message = (
                f"{len(ids)} of {len(points.id)} {what} ({', '.join(map(str, ids[:5]))}{', ...' if len(ids) > 5 else ''}) have "
                f"no stop within a walk on the map, but there is one beyond its edge: {ids[0]} lies "
                f"{linked.border_m[row]:,.0f} m from the edge and {own.metres[stop]:,.0f} m in a straight line from "
                f"{beyond.id[own.to[stop]]}, to which nobody walks; a larger extract of the map, and its area in the study "
                "file, would reach it"
            )
            notices.append(STOPS_OFF_MAP.at(field=what, value=len(ids), message=message))


def home_walks(
    file: StudyFile, ground: Ground, stops: Linked, reached: Reached, zones: Zones, opportunities: Opportunities
) -> Walks:
    """Walks of the way home: from destinations to stops, from stops to the origins, and all the way."""
    there = reached.walks
    if is_symmetric(ground, stops):
        return Walks(there.egress, there.access, there.direct.reversed(there.n_destinations))
    return study_walks(file, ground, stops, destination_points(opportunities), origin_points(zones)).walks


def zone_walks(file: StudyFile, ground: Ground, stops: Linked, zones: Zones) -> Walks:
    """Walks between the origins and each zone's own points, for measures of reaching other neighbourhoods."""
    origins = zones.origins
    own = Points(
        zones.table["id"].to_numpy(object),
        origins["lon"].to_numpy(np.float64),
        origins["lat"].to_numpy(np.float64),
        origins["zone"].to_numpy(np.int32),
    )
    return study_walks(file, ground, stops, origin_points(zones), own).walks


def report_places(file: StudyFile, ground: Ground, stops: Linked, reached: Reached, found: list[Notice]) -> None:
    """Say which neighbourhoods and destinations are off the network, cut off from most of it, or near its edge."""
    walk = file.travel.walk
    within_m = walk.to_stop_min * MINUTE * walk.speed_kmh / 3.6
    for what, linked in (("neighbourhoods", reached.origins), ("destinations", reached.destinations)):
        ids = linked.points.id
        off = ids[~linked.place_linked]
        if len(off):
            message = (
                f"{len(off)} of {len(ids)} {what} are off the network ({_some(off)}): outside the streets' coverage or too "
                "far from any street"
            )
            if len(off) == len(ids):
                box = ", ".join(f"{edge:.4f}" for edge in ground.area or ())
                message = (
                    f"all {len(ids)} {what} are off the network, so nothing can be measured; the area is ({box}): "
                    "are these the streets of this place, and do longitudes come first?"
                )
                found.append(NOTHING_ON_NETWORK.at(field=what, value=len(off), message=message))
            else:
                found.append(OFF_NETWORK.at(field=what, value=len(off), message=message))
        near = np.unique(linked.points.place[linked.linked & linked.near_edge(within_m)])
        if len(near) and file.streets.crow_fly is None:
            message = (
                f"{len(near)} of {len(ids)} {what} ({_some(ids[near])}) lie so near the edge of the streets' coverage that "
                "walks and stops beyond it may be missing"
            )
            found.append(NEAR_EDGE.at(field=what, value=len(near), message=message))
    report_cut_off(file, stops, reached, ground, found)
    report_other_parts(ground, stops, "stops", found)


def _some(ids: NDArray[Any]) -> str:
    shown = ", ".join(str(one) for one in ids[:5])
    return shown if len(ids) <= 5 else f"{shown} and {len(ids) - 5} more"


def same_stops(one: Feed, other: Feed) -> bool:
    """Whether two timetables have the same stops, row by row."""
    return one.stops is other.stops or bool(one.stops.equals(other.stops))
