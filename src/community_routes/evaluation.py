"""One timetable, today's or a proposal's, evaluated: travel times for every day and window, and access from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.errors import ScenarioError, StudyError, UsageError
from community_routes.measures.choose import AccessMeasure, build_access_measure, default_measures
from community_routes.measures.further import (
    FURTHER,
    FurtherMeasure,
    OtherWards,
    WindowInputs,
    build_further,
    visitors_in_window,
)
from community_routes.measures.mixing import exposure_table, mixing_table
from community_routes.measures.service import build_departures
from community_routes.measures.summary import access_rows
from community_routes.network.network import Network, assemble_network
from community_routes.network.points import Links, Points
from community_routes.network.stop_walks import build_footpaths, stop_points
from community_routes.network.streets import build_streets
from community_routes.network.timetable import WHOLE_DAY_S
from community_routes.network.walks import Ground, Linked, is_symmetric, join_linked, link_points, walks_between
from community_routes.notices import Notice, declare, raise_on_errors, sort_notices
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.changes_apply import Applied, apply_scenario
from community_routes.scenarios.changes_work import Setting
from community_routes.scenarios.scenario import Scenario
from community_routes.sources.feed import Feed
from community_routes.sources.opportunities import Opportunities, entrances_from_streets
from community_routes.sources.study_file import StudyFile
from community_routes.sources.yaml_file import BAD_VALUE
from community_routes.sources.zones import Zones
from community_routes.study import Study, destination_points, lines_of, origin_points
from community_routes.times import MINUTE, parse_window
from community_routes.timings import Stopwatch

TODAY = "today"
Progress = Callable[[str], None]

OFF_NETWORK = declare(
    "off_network",
    "warning",
    "A place lies outside the streets' coverage or too far from any street; it cannot be reached.",
)
NEAR_EDGE = declare(
    "near_edge",
    "warning",
    "A place lies so near the edge of the streets' coverage that walks and stops beyond it may be missing.",
)


@dataclass(frozen=True, eq=False)
class Reached:
    """Origins and destinations joined to the ground, with the walks that begin and end their journeys."""

    origins: Linked
    destinations: Linked
    walks: Walks


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A timetable evaluated on the days and in the windows of a study.

    Attributes
    ----------
    study : Study
    scenario : str
        ``today`` or the proposal's id.
    title : str
    applied : Applied or None
        What the proposal did; None for today.
    feed, zones, opportunities
        As changed by the proposal.
    ground : Streets or CrowFly
        What people walk on, as changed by the proposal.
    stops : Linked
        Stops of the feed joined to the ground.
    reached : Reached
        Origins and destinations joined to the ground, and their walks.
    networks : dict of day to Network
    access : DataFrame
        The columns of ``access.csv``.
    time_s : dict of (day, window) to int32, shape (n_origins, n_departures, n_destinations)
        Travel times in seconds, UNREACHED where there is none.
    further : dict of name to DataFrame
        Tables beside those of the columns of access.csv: ``mixing`` and ``exposure`` where groups are given.
    origin_reason : dict of day to object (str), shape (n_origins,)
        Why an origin cannot travel: ``off_network``, ``no_service`` or "".
    notices : tuple of Notice
    """

    study: Study
    scenario: str
    title: str
    applied: Applied | None
    feed: Feed
    zones: Zones
    opportunities: Opportunities
    ground: Ground
    stops: Linked
    reached: Reached
    networks: Mapping[str, Network]
    access: pd.DataFrame
    time_s: Mapping[tuple[str, str], NDArray[np.int32]] = field(repr=False)
    origin_reason: Mapping[str, NDArray[np.object_]] = field(repr=False)
    further: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    notices: tuple[Notice, ...] = ()

    @property
    def walks(self) -> Walks:
        """The walks that begin, end or make up journeys."""
        return self.reached.walks

    def query(self, window: str) -> Query:
        """The question asked in one window of the study."""
        return window_query(self.study.file, window)

    def __repr__(self) -> str:
        return f"Evaluation({self.scenario}: {len(self.access):,} rows of access, {', '.join(self.networks)})"

    def _repr_html_(self) -> str:
        head = self.access[(self.access["reading"] == "mean")].head(20)
        return f"<b>{self.title}</b>{head.to_html(index=False)}"


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


def span_of(file: StudyFile) -> tuple[int, int]:
    """Seconds of the service date that the study's windows can need: at least 00:00 to 30:00."""
    travel = file.travel
    longest = travel.max_travel_min * MINUTE
    starts = [window.start_s for window in travel.windows.values()]
    ends = [window.end_s for window in travel.windows.values()]
    return min(WHOLE_DAY_S[0], *starts), max(WHOLE_DAY_S[1], *(end + longest for end in ends))


def study_networks(
    file: StudyFile,
    feed: Feed,
    ground: Ground,
    *,
    span_s: tuple[int, int] | None = None,
    days: Collection[str] | None = None,
    notices: list[Notice] | None = None,
) -> tuple[Linked, dict[str, Network]]:
    """The stops joined to the ground, and the network of each day of a study (or of ``days``), with the study's settings."""
    travel = file.travel
    stops = link_points(ground, stop_points(feed), link_m=travel.walk.link_m)
    limit_s = int(travel.walk.between_stops_min * MINUTE)
    footpaths = build_footpaths(feed, ground, stops, limit_s=limit_s, speed_kmh=travel.walk.speed_kmh)
    networks = {
        day: assemble_network(
            feed,
            date,
            footpaths,
            slack_s=travel.slack_s,
            phase=travel.phase,
            seed=travel.seed,
            wheelchair=travel.wheelchair,
            span_s=span_s or span_of(file),
            notices=notices,
        )
        for day, date in file.dates.items()
        if days is None or day in days
    }
    return stops, networks


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
    if end is start and is_symmetric(ground):
        egress = access
    else:
        arriving = walks_between(ground, stops, end, limit_s=to_stop_s, speed_kmh=walk.speed_kmh)
        egress = arriving.reversed(destinations.n_places)
    return Reached(start, end, Walks(access, egress, direct.with_self() if end is start else direct))


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


def evaluate(
    study: Study,
    scenario: Scenario | None = None,
    *,
    threads: int = 1,
    stopwatch: Stopwatch | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate today's timetable, or a proposal's, on every day and in every window of a study.

    Parameters
    ----------
    study : Study
    scenario : Scenario, optional
        Today's timetable when left out.
    threads : int
        Changes nothing but the time it takes.
    stopwatch : Stopwatch, optional
    progress : callable of str, optional
        Told what is being done.

    Raises
    ------
    ScenarioError
        The proposal cannot be applied to this study, or would change nothing.
    """
    watch = stopwatch or Stopwatch()
    tell = progress or (lambda _: None)
    file, found = study.file, list[Notice]()
    name = scenario.scenario if scenario is not None else TODAY
    with watch.stage("network"):
        applied = None
        feed, zones, opportunities, ground = study.feed, study.zones, study.opportunities, study.ground
        if scenario is not None:
            tell(f"applying {name}")
            applied = applied_to(study, scenario, found)
            feed, zones, opportunities = applied.feed, applied.zones, applied.opportunities
            ground = changed_ground(study, applied)
            opportunities = entrances_from_streets(opportunities, lines_of(ground))
        tell(f"building the network ({name})")
        stops, networks = study_networks(file, feed, ground, notices=found)
    with watch.stage("routing"):
        reached = study_walks(file, ground, stops, origin_points(zones), destination_points(opportunities))
        _report_places(study, reached, found)
        between_zones = zone_walks(file, ground, stops, zones)
    walks, (measures, further) = reached.walks, study_measures(file, zones)
    tables: list[pd.DataFrame] = []
    mixing: list[tuple[str, pd.DataFrame]] = []
    time_s: dict[tuple[str, str], NDArray[np.int32]] = {}
    origin_reason: dict[str, NDArray[np.object_]] = {}
    for day, network in networks.items():
        origin_reason[day] = why_not(network, reached.origins, walks.access, leaving=True)
        destination_reason = why_not(network, reached.destinations, walks.egress, leaving=False)
        with watch.stage("measures"):
            departures = build_departures(feed, network.timetable)
        for window in file.windows_on(day):
            tell(f"searching {day}, {window} ({name})")
            with watch.stage("routing"):
                query = window_query(file, window)
                times = travel_times_by_departure(network, query, walks, threads=threads)
                zone_times = None
                if any(isinstance(measure, OtherWards) for measure in further):
                    zone_times = travel_times_by_departure(network, query, between_zones, threads=threads)
            with watch.stage("measures"):
                time_s[day, window] = times
                tables.append(
                    access_rows(
                        zones.table,
                        zones.origins,
                        opportunities.table,
                        times,
                        scenario=name,
                        day=day,
                        window=window,
                        cutoffs_min=file.travel.cutoffs_min,
                        percentiles=file.travel.percentiles,
                        origin_reason=origin_reason[day].tolist(),
                        destination_reason=destination_reason.tolist(),
                        units=amount_units(file),
                        keys=list(file.destinations),
                        measures=measures,
                    )
                )
                inputs = WindowInputs(
                    scenario=name,
                    day=day,
                    window=window,
                    window_s=query.window_s,
                    zones=zones.table,
                    origins=zones.origins,
                    destinations=opportunities.table,
                    time_s=times,
                    origin_reason=origin_reason[day].tolist(),
                    access_walks=walks.access,
                    departures=departures,
                    cutoffs_min=file.travel.cutoffs_min,
                    units=amount_units(file),
                    zone_time_s=zone_times,
                )
                tables += [measure.access_rows(inputs) for measure in further]
                mixing += mixing_tables(inputs, zones, opportunities)
    return Evaluation(
        study=study,
        scenario=name,
        title=scenario.name if scenario is not None else "Today",
        applied=applied,
        feed=feed,
        zones=zones,
        opportunities=opportunities,
        ground=ground,
        stops=stops,
        reached=reached,
        networks=networks,
        access=in_table_order(pd.concat(tables, ignore_index=True)),
        further={
            kind: pd.concat([table for key, table in mixing if key == kind], ignore_index=True)
            for kind in dict.fromkeys(key for key, _ in mixing)
        },
        time_s=time_s,
        origin_reason=origin_reason,
        notices=tuple(sort_notices(found)),
    )


def applied_to(study: Study, scenario: Scenario, notices: list[Notice]) -> Applied:
    """A proposal applied to a study; done once for each study and scenario, however often it is asked for.

    Raises
    ------
    ScenarioError
    """
    kept = study.applied.get(id(scenario))
    if kept is None or kept[0] is not scenario:
        found: list[Notice] = []
        try:
            kept = (scenario, apply_scenario(scenario, setting_of(study), notices=found), found)
        except ScenarioError:
            notices.extend(found)
            raise
        study.applied[id(scenario)] = kept
    notices.extend(kept[2])
    return kept[1]


def in_table_order(access: pd.DataFrame) -> pd.DataFrame:
    """Rows of access.csv by day, window, neighbourhood, kind, measure, reading and cutoff."""
    keys = ["scenario", "day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"]
    return access.sort_values(keys, kind="stable", na_position="first", ignore_index=True)


def setting_of(study: Study) -> Setting:
    """What a proposal is applied to."""
    return Setting(
        feed=study.feed,
        dates=dict(study.file.dates),
        roads=study.roads,
        ground=study.ground,
        zones=study.zones,
        opportunities=study.opportunities,
        fares=study.file.fares,
        street_map=study.street_map,
    )


def study_measures(file: StudyFile, zones: Zones) -> tuple[tuple[AccessMeasure, ...], tuple[FurtherMeasure, ...]]:
    """The measures that a study chooses, or those computed when it chooses none: of reach, and further ones.

    Without a choice: cumulative opportunities, the nearest place, service near home, and with two wards or more the share
    of the other wards.

    Raises
    ------
    StudyError
        A name or a setting is unknown.
    """
    if file.measures is None:
        wards = {group for group in zones.table["group"] if group}
        further = [
            build_further("service", {}),
            *([build_further("share_of_other_wards", {})] if len(wards) > 1 else []),
        ]
        return default_measures(file.travel.cutoffs_min), tuple(further)
    chosen: list[AccessMeasure] = []
    beyond: list[FurtherMeasure] = []
    faults: list[Notice] = []
    for choice in file.measures:
        try:
            if choice.name in FURTHER:
                beyond.append(build_further(choice.name, choice.settings))
            else:
                chosen.append(build_access_measure(choice.name, choice.settings, file.travel.cutoffs_min))
        except ValueError as fault:
            message = f"{fault} (or one of {', '.join(FURTHER)})"
            faults.append(BAD_VALUE.at(**choice.at("name"), value=choice.name, message=message))
    raise_on_errors(faults, StudyError)
    return tuple(chosen), tuple(beyond)


def changed_ground(study: Study, applied: Applied) -> Ground:
    """What people walk on under a proposal: other streets where it opens or closes a way."""
    if applied.street_map is None:
        return study.ground
    return build_streets(applied.street_map, wheelchair=study.file.travel.wheelchair)


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


def mixing_tables(inputs: WindowInputs, zones: Zones, opportunities: Opportunities) -> list[tuple[str, pd.DataFrame]]:
    """Potential to meet in one window, where groups are known: who could come to each place, and exposure through them."""
    if zones.groups is None or inputs.destinations.empty:
        return []
    cutoff = sorted(inputs.cutoffs_min)[len(inputs.cutoffs_min) // 2]
    persons, where = zones.groups, {"scenario": inputs.scenario, "day": inputs.day, "window": inputs.window}
    total = persons.sum().to_numpy(np.float64)
    found: list[tuple[str, pd.DataFrame]] = []
    for key in opportunities.keys:
        rows = opportunities.rows_of(key)
        visitors = visitors_in_window(inputs, persons, rows, cutoff_min=cutoff)
        places = opportunities.table.iloc[rows][["key", "id", "name", "kind"]].reset_index(drop=True)
        tables = {
            "mixing": mixing_table(visitors, places, (total / total.sum()).tolist()),
            "exposure": exposure_table(visitors, persons).assign(key=key),
        }
        for name, table in tables.items():
            for place, (column, value) in enumerate({**where, "cutoff_min": cutoff}.items()):
                table.insert(place, column, value)
            found.append((name, table))
    return found


def amount_units(file: StudyFile) -> dict[str, str]:
    """Unit of each key's amounts: the name of the column they come from."""
    return {key: spec.amount for key, spec in file.destinations.items() if isinstance(spec.amount, str)}


def evaluate_places(study: Study, notices: list[Notice]) -> Reached:
    """Join today's places to the ground and say which are off the network or near its edge, without any search."""
    stops = link_points(study.ground, stop_points(study.feed), link_m=study.file.travel.walk.link_m)
    ends = origin_points(study.zones), destination_points(study.opportunities)
    reached = study_walks(study.file, study.ground, stops, *ends)
    _report_places(study, reached, notices)
    return reached


def _report_places(study: Study, reached: Reached, found: list[Notice]) -> None:
    """Say which neighbourhoods and destinations are off the network or near its edge."""
    walk = study.file.travel.walk
    within_m = walk.to_stop_min * MINUTE * walk.speed_kmh / 3.6
    for what, linked in (("neighbourhoods", reached.origins), ("destinations", reached.destinations)):
        ids = linked.points.id
        off = ids[~linked.place_linked]
        if len(off):
            message = f"{len(off)} of {len(ids)} {what} are off the network ({_some(off)}); {OFF_NETWORK.meaning}"
            found.append(OFF_NETWORK.at(field=what, value=len(off), message=message))
        near = np.unique(linked.points.place[linked.linked & linked.near_edge(within_m)])
        if len(near) and study.street_map is not None:
            message = f"{len(near)} of {len(ids)} {what} ({_some(ids[near])}); {NEAR_EDGE.meaning}"
            found.append(NEAR_EDGE.at(field=what, value=len(near), message=message))


def _some(ids: NDArray[Any]) -> str:
    shown = ", ".join(str(one) for one in ids[:5])
    return shown if len(ids) <= 5 else f"{shown} and {len(ids) - 5} more"
