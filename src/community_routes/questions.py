"""What a study asks: its questions, the network that they are put to, and the walks at both ends of a journey."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.cache import keep_networks
from community_routes.errors import UsageError
from community_routes.network.network import Network
from community_routes.network.points import Links, Points, same_places
from community_routes.network.store import Store
from community_routes.network.walks import (
    CrowFly,
    Ground,
    Linked,
    is_symmetric,
    join_linked,
    link_points,
    report_other_parts,
    walks_between,
)
from community_routes.notices import Notice, declare
from community_routes.routing.query import Query, Walks
from community_routes.sources.feed import Feed
from community_routes.sources.study_file import StudyFile
from community_routes.study import Study
from community_routes.times import MINUTE, parse_window

STOPS_OFF_MAP = declare(
    "stops_off_map",
    "warning",
    "A place has no stop within a walk only because the stops near it lie outside the map.",
)


def study_query(file: StudyFile, window_s: tuple[int, int], *, arrive_by: bool = False) -> Query:
    """A question with the settings of a study."""
    travel = file.travel
    return Query(
        window_s=window_s,
        step_s=travel.departure_step_s,
        max_rides=travel.max_rides,
        max_travel_s=travel.max_travel_min * MINUTE,
        percentiles=travel.percentiles,
        arrive_by=arrive_by,
    )


def window_query(file: StudyFile, window: str) -> Query:
    """The question that a window of a study asks."""
    return study_query(file, file.travel.windows[window].time)


def chosen_day(study: Study, day: str | None) -> str:
    """The day that is meant: the one named, or the only one.

    Raises
    ------
    UsageError
        There are several, or none of that name.
    """
    dates = study.file.dates
    if day is None and len(dates) > 1:
        raise UsageError(f"the study has several days; choose one with --day ({', '.join(dates)})")
    if day is not None and day not in dates:
        raise UsageError(f"{day!r} is no day of the study ({', '.join(dates)})")
    return day if day is not None else next(iter(dates))


def chosen_query(study: Study, window: str | None) -> Query:
    """The question of a window: one of the study by name, the only one, or a time such as ``14:00-15:00``.

    Raises
    ------
    UsageError
        There are several, or it is neither a name nor a time.
    """
    windows = study.file.travel.windows
    if window is None and len(windows) > 1:
        raise UsageError(
            f"the study has several windows; choose one with --window ({', '.join(windows)}, or 14:00-15:00)"
        )
    if window is None or window in windows:
        return window_query(study.file, window if window is not None else next(iter(windows)))
    try:
        return study_query(study.file, parse_window(window))
    except ValueError as wrong:
        raise UsageError(f"{window!r} is no window of the study ({', '.join(windows)}): {wrong}") from None


def study_networks(
    file: StudyFile,
    feed: Feed,
    ground: Ground,
    *,
    span_s: tuple[int, int],
    days: Collection[str] | None = None,
    notices: list[Notice] | None = None,
    store: Store | None = None,
) -> tuple[Linked, dict[str, Network]]:
    """The stops joined to the ground, and the network of each day of a study (or of ``days``), with the study's settings."""
    travel = file.travel
    return keep_networks(
        store,
        feed,
        ground,
        {day: date for day, date in file.dates.items() if days is None or day in days},
        slack_s=travel.slack_s,
        between_stops_s=int(travel.walk.between_stops_min * MINUTE),
        speed_kmh=travel.walk.speed_kmh,
        link_m=travel.walk.link_m,
        phase=travel.phase,
        seed=travel.seed,
        wheelchair=travel.bound,
        span_s=span_s,
        notices=notices,
    )


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
    n_stops = stops.points.n_places
    # One search from each origin finds its stops and the destinations that it can walk to.
    leaving = walks_between(
        ground, start, join_linked(stops, end), limit_s=max(to_stop_s, all_the_way_s), speed_kmh=walk.speed_kmh
    )
    access = leaving.to_places(0, n_stops).within(to_stop_s)
    direct = leaving.to_places(n_stops, n_stops + destinations.n_places).within(all_the_way_s)
    if end is start and is_symmetric(ground, stops):
        egress = access
    else:
        arriving = walks_between(ground, stops, end, limit_s=to_stop_s, speed_kmh=walk.speed_kmh)
        egress = arriving.reversed(destinations.n_places)
    # A place is there at once whatever file it comes from, and were it off the network.
    return Reached(start, end, Walks(access, egress, direct.with_nothing(*same_places(origins, destinations))))


def why_not(network: Network, linked: Linked, links: Links, *, leaving: bool) -> NDArray[np.object_]:
    """Why each place cannot travel: ``off_network``, ``no_service`` (no trip that day within a walk) or ""."""
    timetable = network.timetable
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
    study: Study,
    ground: Ground,
    stops: Linked,
    reached: Reached,
    notices: list[Notice],
    names: tuple[str, str] = ("neighbourhoods", "destinations"),
) -> None:
    """Say which places are cut off from most streets, and which have no stop only because those near lie outside the map."""
    walk, walks, straight = study.file.travel.walk, reached.walks, CrowFly(1.0)
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
