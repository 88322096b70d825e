"""One timetable, today's or a proposal's, evaluated: travel times for every day and window, and access from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice, declare, raise_on_errors, sort_notices
from community_routes.base.times import MINUTE
from community_routes.base.timings import Stopwatch
from community_routes.evaluation.case import (
    Reached,
    Study,
    destination_points,
    lines_of,
    origin_points,
    report_cut_off,
    study_networks,
    study_walks,
    why_not,
    window_query,
)
from community_routes.evaluation.proposals import applied_to, changed_ground
from community_routes.evaluation.reuse import same_hours, same_stops, span_searched, taken_over
from community_routes.evaluation.window import Choice, Subject, hours_needed, mixing_tables, study_choice
from community_routes.fares.feed import check_fares
from community_routes.measures.service import StopDepartures, build_departures
from community_routes.measures.shifts import Shift, shift_queries
from community_routes.network.network import Network
from community_routes.network.timetable.trips import WHOLE_DAY_S
from community_routes.network.walks.links import Ground, Linked, is_symmetric, report_other_parts
from community_routes.network.walks.points import Points
from community_routes.network.walks.stops import link_stops
from community_routes.routing.engine import Engine
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.apply import Applied
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.opportunities import Opportunities, entrances_from_streets
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.fares import Fares
from community_routes.sources.study.file import StudyFile

TODAY = "today"
Slot = tuple[str, str]
"""A day and a window."""
Progress = Callable[[str], None]

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
    median_s : dict of (day, window) to int32, shape (n_origins, n_destinations)
        Median over the departures of the travel time in seconds, UNREACHED where there is none.
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
    median_s: Mapping[Slot, NDArray[np.int32]] = field(repr=False)
    origin_reason: Mapping[str, NDArray[np.object_]] = field(repr=False)
    further: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    notices: tuple[Notice, ...] = ()

    @property
    def walks(self) -> Walks:
        """The walks that begin, end or make up journeys."""
        return self.reached.walks

    @property
    def time_s(self) -> Mapping[Slot, NDArray[np.int32]]:
        """Travel times by (day, window): int32, shape (n_origins, n_departures, n_destinations), UNREACHED where none.

        They are searched again when they are asked for, and not kept: of many neighbourhoods and places they are large.
        """
        return _Times(self)

    def times_between(self, slot: Slot, origin: int, destination: int) -> NDArray[np.int32]:
        """Travel times in seconds from one origin to one destination, shape (n_departures,), UNREACHED where none."""
        walks = self.walks
        pair = Walks(
            walks.access.of(origin),
            walks.egress.of(destination),
            walks.direct.of(origin).only_to(np.array([destination])),
        )
        times = travel_times_by_departure(self.networks[slot[0]], self.query(slot[1]), pair)
        return np.ascontiguousarray(times[0, :, 0])

    def query(self, window: str) -> Query:
        """The question asked in one window of the study."""
        return window_query(self.study.file, window)

    def __repr__(self) -> str:
        return f"Evaluation({self.scenario}: {len(self.access):,} rows of access, {', '.join(self.networks)})"

    def _repr_html_(self) -> str:
        from community_routes.report.notebook import notebook_html

        return notebook_html(self)


class _Times(Mapping[Slot, NDArray[np.int32]]):
    """Travel times of an evaluation, searched when they are asked for."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

    def __getitem__(self, slot: Slot) -> NDArray[np.int32]:
        found = self._evaluation
        if slot not in found.median_s:
            raise KeyError(slot)
        return travel_times_by_departure(found.networks[slot[0]], found.query(slot[1]), found.walks)

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._evaluation.median_s)

    def __len__(self) -> int:
        return len(self._evaluation.median_s)


def span_of(file: StudyFile, choice: Choice) -> tuple[int, int]:
    """Seconds of the service date that the study's windows and shifts can need: at least 00:00 to 30:00."""
    first, last = hours_needed(file, choice)
    return min(WHOLE_DAY_S[0], first), max(WHOLE_DAY_S[1], last)


@dataclass(frozen=True, eq=False)
class Kept:
    """What a window gave, as that of a proposal."""

    median_s: NDArray[np.int32]
    access: pd.DataFrame
    beside: list[tuple[str, pd.DataFrame]]


@dataclass(frozen=True, eq=False)
class Unchanged:
    """What of an evaluation holds for a proposal on one day: the windows and shifts in whose hours nothing is different."""

    base: Evaluation | None
    day: str
    scenario: str
    network: Network

    def _same(self, queries: list[Query]) -> Evaluation | None:
        base = self.base
        if base is None or not same_hours(base.networks[self.day], self.network, [span_searched(q) for q in queries]):
            return None
        return base

    def window(self, window: str, query: Query) -> Kept | None:
        """What a window gave, where it gives the same; None where it may not."""
        base = self._same([query])
        if base is None:
            return None
        where = {"day": self.day, "window": window}
        beside = [
            (kind, taken_over(table, self.scenario, **where))
            for kind, table in base.further.items()
            if "window" in table.columns
        ]
        return Kept(base.median_s[self.day, window], taken_over(base.access, self.scenario, **where), beside)

    def shift(self, shift: Shift, query: Query) -> tuple[pd.DataFrame, pd.DataFrame] | None:
        """What a shift gave, where it gives the same; None where it may not."""
        base = self._same(shift_queries(query, shift))
        if base is None:
            return None
        places = taken_over(base.further["shifts"], self.scenario, day=self.day, shift=shift.name)
        return taken_over(base.access, self.scenario, day=self.day, window=shift.name), places


@dataclass
class _Scores:
    """The tables of the windows and shifts searched so far, or taken over from a base that they equal."""

    subject: Subject
    tell: Progress
    tables: list[pd.DataFrame] = field(default_factory=list)
    beside: list[tuple[str, pd.DataFrame]] = field(default_factory=list)
    median_s: dict[Slot, NDArray[np.int32]] = field(default_factory=dict)

    def add_windows(self, day: str, network: Network, same: Unchanged, departures: StopDepartures) -> None:
        """Search and score every window of a day."""
        subject, watch = self.subject, self.subject.stopwatch
        for window in subject.file.windows_on(day):
            query = window_query(subject.file, window)
            with watch.stage("network"):
                kept = same.window(window, query)
            if kept is not None:
                self.median_s[day, window] = kept.median_s
                self.tables.append(kept.access)
                self.beside += kept.beside
                continue
            where = f"searching {day}, {window} ({subject.scenario})"
            self.tell(where)
            with watch.stage("routing"):
                told = partial(_tell_part, self.tell, where)
                time_s = travel_times_by_departure(
                    network, query, subject.walks, threads=subject.threads, engine=subject.engine, tell=told
                )
            with watch.stage("measures"):
                inputs = subject.inputs(network, query, day, window, time_s, departures)
                self.median_s[day, window] = inputs.median_s
                self.tables.append(subject.access_table(inputs))
                self.beside += mixing_tables(inputs, subject.zones, subject.opportunities)

    def add_shifts(self, day: str, network: Network, same: Unchanged, departures: StopDepartures) -> None:
        """Search and score every shift of a day that has a window."""
        subject, windows = self.subject, list(self.subject.file.windows_on(day))
        for shift in subject.choice.shifts if windows else ():
            query = window_query(subject.file, windows[-1])
            with subject.stopwatch.stage("network"):
                worked = same.shift(shift, query)
            if worked is None:
                self.tell(f"searching {day}, {shift.name} ({subject.scenario})")
                with subject.stopwatch.stage("measures"):
                    inputs = subject.places(day, windows[-1], query, departures)
                    worked = subject.shift_tables(network, query, inputs, shift)
            self.tables.append(worked[0])
            self.beside.append(("shifts", worked[1]))

    def further(self) -> dict[str, pd.DataFrame]:
        """The tables beside access, each kind joined."""
        kinds = dict.fromkeys(key for key, _ in self.beside)
        return {
            kind: pd.concat([table for key, table in self.beside if key == kind], ignore_index=True) for kind in kinds
        }


def evaluate(
    study: Study,
    scenario: Scenario | None = None,
    *,
    base: Evaluation | None = None,
    threads: int = 1,
    engine: Engine | None = None,
    stopwatch: Stopwatch | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate today's timetable, or a proposal's, on every day and in every window of a study.

    Parameters
    ----------
    study : Study
    scenario : Scenario, optional
        Today's timetable when left out.
    base : Evaluation, optional
        Of the same study, mostly today's: what a proposal does not touch is taken over from it. It changes no byte.
    threads : int
        Changes nothing but the time it takes.
    engine : Engine, optional
        Searches the windows block by block in the place of threads; it changes no byte.
    stopwatch : Stopwatch, optional
    progress : callable of str, optional
        Told what is being done.

    Returns
    -------
    Evaluation

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
            if opportunities is not study.opportunities or ground is not study.ground:
                opportunities = entrances_from_streets(opportunities, lines_of(ground))
        tell(f"building the network ({name})")
        choice = study_choice(file, zones)
        stops, networks = study_networks(
            file, feed, ground, span_s=span_of(file, choice), notices=found, store=study.store
        )
    with watch.stage("routing"):
        fares = applied.fares if applied is not None else file.fares
        if fares != file.fares:
            check_fares(feed, fares, found)
        if base is not None and not _same_places(base, study, feed, zones, opportunities, ground, fares):
            base = None
        reached = base.reached if base is not None else _reach(study, ground, stops, zones, opportunities)
        _report_places(study, ground, stops, reached, found)
        raise_on_errors(found, StudyError)
        subject = Subject(
            scenario=name,
            file=file,
            zones=zones,
            opportunities=opportunities,
            fares=fares,
            choice=choice,
            walks=reached.walks,
            zone_walks=zone_walks(file, ground, stops, zones),
            home_walks=home_walks(file, ground, stops, reached, zones, opportunities),
            threads=threads,
            stopwatch=watch,
            engine=engine,
            currency=study.currency,
        )
    walks = reached.walks
    scores = _Scores(subject, tell)
    for day, network in networks.items():
        subject.origin_reason[day] = why_not(network, reached.origins, walks.access, leaving=True)
        subject.destination_reason[day] = why_not(network, reached.destinations, walks.egress, leaving=False)
        same = Unchanged(base if base is not None and _same_reasons(base, day, subject) else None, day, name, network)
        with watch.stage("measures"):
            departures = build_departures(feed, network.timetable)
        scores.add_windows(day, network, same, departures)
        scores.add_shifts(day, network, same, departures)
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
        access=in_table_order(pd.concat(scores.tables, ignore_index=True)),
        further=scores.further(),
        median_s=scores.median_s,
        origin_reason=subject.origin_reason,
        notices=tuple(sort_notices(found)),
    )


def _same_places(
    base: Evaluation,
    study: Study,
    feed: Feed,
    zones: Zones,
    opportunities: Opportunities,
    ground: Ground,
    fares: Fares | None,
) -> bool:
    """Whether a proposal leaves alone all places, ways to walk and prices of another evaluation."""
    known = base.applied.fares if base.applied is not None else study.file.fares
    return (
        base.study is study
        and ground is base.ground
        and zones is base.zones
        and opportunities is base.opportunities
        and fares == known
        and same_stops(feed, base.feed)
        and feed.fares is base.feed.fares
    )


def _same_reasons(base: Evaluation, day: str, subject: Subject) -> bool:
    """Whether the same places can travel on a day."""
    reached = base.reached
    before = why_not(base.networks[day], reached.destinations, reached.walks.egress, leaving=False)
    return bool(
        (base.origin_reason[day] == subject.origin_reason[day]).all()
        and (before == subject.destination_reason[day]).all()
    )


def _reach(study: Study, ground: Ground, stops: Linked, zones: Zones, opportunities: Opportunities) -> Reached:
    return study_walks(study.file, ground, stops, origin_points(zones), destination_points(opportunities))


def _tell_part(tell: Progress, what: str, part: str) -> None:
    tell(f"{what}, {part}")


def in_table_order(access: pd.DataFrame) -> pd.DataFrame:
    """Rows of access.csv by day, window, neighbourhood, kind, measure, reading and cutoff."""
    keys = ["scenario", "day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"]
    return access.sort_values(keys, kind="stable", na_position="first", ignore_index=True)


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


def evaluate_places(study: Study, notices: list[Notice]) -> Reached:
    """Join today's places to the ground and say which are off the network or near its edge, without any search."""
    travel = study.file.travel
    stops = link_stops(
        study.feed,
        study.ground,
        link_m=travel.walk.link_m,
        speed_kmh=travel.walk.speed_kmh,
        step_free=travel.wheelchair,
        notices=notices,
    )
    ends = origin_points(study.zones), destination_points(study.opportunities)
    reached = study_walks(study.file, study.ground, stops, *ends)
    _report_places(study, study.ground, stops, reached, notices)
    return reached


def _report_places(study: Study, ground: Ground, stops: Linked, reached: Reached, found: list[Notice]) -> None:
    """Say which neighbourhoods and destinations are off the network, cut off from most of it, or near its edge."""
    walk = study.file.travel.walk
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
                box = ", ".join(f"{edge:.4f}" for edge in study.ground.area or ())
                message = (
                    f"all {len(ids)} {what} are off the network, so nothing can be measured; the area is ({box}): "
                    "are these the streets of this place, and do longitudes come first?"
                )
                found.append(NOTHING_ON_NETWORK.at(field=what, value=len(off), message=message))
            else:
                found.append(OFF_NETWORK.at(field=what, value=len(off), message=message))
        near = np.unique(linked.points.place[linked.linked & linked.near_edge(within_m)])
        if len(near) and study.street_map is not None:
            message = (
                f"{len(near)} of {len(ids)} {what} ({_some(ids[near])}) lie so near the edge of the streets' coverage that "
                "walks and stops beyond it may be missing"
            )
            found.append(NEAR_EDGE.at(field=what, value=len(near), message=message))
    report_cut_off(study, ground, stops, reached, found)
    report_other_parts(ground, stops, "stops", found)


def _some(ids: NDArray[Any]) -> str:
    shown = ", ".join(str(one) for one in ids[:5])
    return shown if len(ids) <= 5 else f"{shown} and {len(ids) - 5} more"
