"""Cases evaluated: travel times for every day and window that is asked for, and access from them."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.memory import give_back
from community_routes.base.notices import Notice
from community_routes.base.timings import Stopwatch
from community_routes.evaluation.case import Case, Study, window_query
from community_routes.evaluation.places import Reached, destination_points, origin_points, report_places, study_walks
from community_routes.evaluation.search import Search, Slot, mixing_tables, same_hours, span_searched, taken_over
from community_routes.evaluation.window import Choice
from community_routes.measures.measure import Measure, WindowFigures, access_table
from community_routes.measures.shifts import Shift, shift_queries
from community_routes.network.network import Network
from community_routes.network.walks.links import Ground, Linked
from community_routes.network.walks.stops import link_stops
from community_routes.report.shapes import with_shapes
from community_routes.routing.engine import Engine
from community_routes.routing.query import Query, Walks
from community_routes.routing.runner import PAIRS, Progress, Runner
from community_routes.routing.search import as_seconds
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.apply import Applied
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.places.zones import Zones

MOST_KEPT_BYTES = 128_000_000
"""Travel times that are kept for what is asked after an evaluation; what is more is searched again."""


class _Changed:
    """Travel times by the cells in which they differ from others."""

    def __init__(self, like: NDArray[np.int16], cell: NDArray[np.uint32], time_s: NDArray[np.int16]) -> None:
        self._like, self._cell, self._time_s = like, cell, time_s

    @classmethod
    def of(cls, like: NDArray[np.int16] | None, cube: NDArray[np.int16]) -> NDArray[np.int16] | _Changed:
        """The times as they need less memory: whole, or as changes of others."""
        if like is None or like.shape != cube.shape or cube.size > np.iinfo(np.uint32).max:
            return cube
        cell = np.flatnonzero(like.reshape(-1) != cube.reshape(-1)).astype(np.uint32)
        found = cls(like, cell, cube.reshape(-1)[cell])
        return found if found.nbytes < cube.nbytes // 2 else cube

    @property
    def nbytes(self) -> int:
        """Of the changes alone."""
        return self._cell.nbytes + self._time_s.nbytes

    def whole(self) -> NDArray[np.int16]:
        """All times."""
        cube = self._like.copy()
        cube.reshape(-1)[self._cell] = self._time_s
        return cube

    def between(self, origin: int, destination: int) -> NDArray[np.int16]:
        """Those of one pair, shape (n_departures,)."""
        _, n_departures, n = self._like.shape
        times = self._like[origin, :, destination].copy()
        cells = ((origin * n_departures + np.arange(n_departures)) * n + destination).astype(np.uint32)
        at = np.searchsorted(self._cell, cells)
        hit = at < len(self._cell)
        hit[hit] = self._cell[at[hit]] == cells[hit]
        times[hit] = self._time_s[at[hit]]
        return times


class Cubes:
    """Travel times of windows by the case that they were searched for, as int16, within a stated number of bytes.

    What was used longest ago gives way; what belongs to a case that nobody holds any more goes with it.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[tuple[int, Slot], NDArray[np.int16] | _Changed] = OrderedDict()
        self._lock = threading.RLock()

    def keep(self, case: Case, slot: Slot, cube: NDArray[np.int16], like: NDArray[np.int16] | None = None) -> None:
        """Keep the times of a window, where there is room for them at all; by what differs from others, where that is less."""
        if cube.nbytes > self.most_bytes:
            return
        with self._lock:
            if not any(owner == id(case) for owner, _ in self._kept):
                weakref.finalize(case, self._forget, id(case))
            self._kept[id(case), slot] = _Changed.of(like, cube)
            while sum(times.nbytes for times in self._kept.values()) > self.most_bytes:
                self._kept.popitem(last=False)

    def get(self, case: Case, slot: Slot) -> NDArray[np.int16] | None:
        """The times of a window as they are kept, or None."""
        with self._lock:
            found = self._kept.get((id(case), slot))
            if found is not None:
                self._kept.move_to_end((id(case), slot))
            return found.whole() if isinstance(found, _Changed) else found

    def between(self, case: Case, slot: Slot, origin: int, destination: int) -> NDArray[np.int16] | None:
        """The times of one pair, as ``get``: shape (n_departures,)."""
        with self._lock:
            found = self._kept.get((id(case), slot))
        if isinstance(found, _Changed):
            return found.between(origin, destination)
        return None if found is None else found[origin, :, destination]

    def let_go(self, case: Case) -> None:
        """Keep the times of a case no longer; they are searched again should anybody ask."""
        self._forget(id(case))

    def _forget(self, owner: int) -> None:
        with self._lock:
            for key in [key for key in self._kept if key[0] == owner]:
                del self._kept[key]


CUBES = Cubes(MOST_KEPT_BYTES)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A case evaluated on the days and in the windows of its study.

    Attributes
    ----------
    case : Case
        Inputs, networks and walks: ``feed``, ``zones``, ``networks`` and others of it can be asked here.
    figures : tuple of WindowFigures
        Of each window and shift, in the order of ``access.csv``.
    median_s : dict of (day, window) to int32, shape (n_origins, n_destinations)
        Median over the departures of the travel time in seconds, UNREACHED where there is none.
    further : dict of name to DataFrame
        Tables beside those of the columns of access.csv: ``mixing`` and ``exposure`` where groups are given.
    notices : tuple of Notice
    searched : dict of (day, window) to Case
        For which case a window was searched: another one where its times are the same.
    runner : Runner
        Searches times again that are asked for and were not kept.
    """

    case: Case
    figures: tuple[WindowFigures, ...] = field(repr=False)
    median_s: Mapping[Slot, NDArray[np.int32]] = field(repr=False)
    further: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False)
    notices: tuple[Notice, ...] = ()
    searched: Mapping[Slot, Case] = field(default_factory=dict, repr=False)
    runner: Runner = field(default_factory=Runner, repr=False)

    @cached_property
    def access(self) -> pd.DataFrame:
        """Access of every neighbourhood: the columns of ``access.csv``."""
        return access_table(self.scenario, self.figures)

    @property
    def study(self) -> Study:
        """What was studied."""
        return self.case.study

    @property
    def scenario(self) -> str:
        """``today`` or the proposal's id."""
        return self.case.name

    @property
    def title(self) -> str:
        """Name for people."""
        return self.case.title

    @property
    def applied(self) -> Applied | None:
        """What the proposal did; None for today."""
        return self.case.applied

    @property
    def feed(self) -> Feed:
        """The timetable, as changed by the proposal."""
        return self.case.feed

    @property
    def zones(self) -> Zones:
        """The neighbourhoods, as changed by the proposal."""
        return self.case.zones

    @property
    def opportunities(self) -> Opportunities:
        """The destinations, as changed by the proposal."""
        return self.case.opportunities

    @property
    def ground(self) -> Ground:
        """What people walk on, as changed by the proposal."""
        return self.case.ground

    @property
    def stops(self) -> Linked:
        """Stops of the feed joined to the ground."""
        return self.case.stops

    @property
    def reached(self) -> Reached:
        """Origins and destinations joined to the ground, and their walks."""
        return self.case.reached

    @property
    def networks(self) -> Mapping[str, Network]:
        """The network of each day."""
        return self.case.networks

    @property
    def origin_reason(self) -> Mapping[str, NDArray[np.object_]]:
        """By day, why each origin cannot travel: ``off_network``, ``no_service`` or ""."""
        return self.case.origin_reason

    @property
    def walks(self) -> Walks:
        """The walks that begin, end or make up journeys."""
        return self.case.walks

    @property
    def time_s(self) -> Mapping[Slot, NDArray[np.int32]]:
        """Travel times by (day, window): int32, shape (n_origins, n_departures, n_destinations), UNREACHED where none.

        Where they were too large to be kept they are searched again when they are asked for.
        """
        return _Times(self)

    def cube(self, slot: Slot) -> NDArray[np.int16]:
        """The same of one window, as a search gives them: int16, ``NEVER`` where there is no journey."""
        case = self.searched[slot]
        kept = CUBES.get(case, slot)
        if kept is not None:
            return kept
        cube = self.runner.cube(case.networks[slot[0]], self.query(slot[1]), case.walks)
        CUBES.keep(case, slot, cube)
        return cube

    def to_geodataframe(
        self,
        *,
        kind: str | None = None,
        window: str | None = None,
        day: str | None = None,
        cutoff_min: float | None = None,
        measure: str = "cumulative_opportunities",
        reading: str | None = "mean",
    ) -> gpd.GeoDataFrame:
        """The neighbourhoods with their shapes and a figure of access, ready to be drawn or joined.

        Parameters
        ----------
        kind, window, day, cutoff_min
            Which figure, as in ``access``. What is left out and differs gives a column for each (``value evening employment``).
        measure, reading
            The opportunities reached, on average over the departures, when left out.

        Returns
        -------
        GeoDataFrame
            A row for each neighbourhood: ``id, name, group, population``, deprivation where it is given, ``value`` (or a column
            for each figure), ``unit`` and ``geometry``, in EPSG:4326.

        Raises
        ------
        UsageError
            No figure is called so; the message says what there is.
        """
        asked = {
            "kind": kind, "window": window, "day": day, "cutoff_min": cutoff_min, "measure": measure, "reading": reading
        }  # fmt: skip
        return with_shapes(self.zones.table, self.access, ("value",), asked)

    def times_between(self, slot: Slot, origin: int, destination: int) -> NDArray[np.int32]:
        """Travel times in seconds from one origin to one destination, shape (n_departures,), UNREACHED where none."""
        kept = CUBES.between(self.searched[slot], slot, origin, destination)
        if kept is not None:
            return as_seconds(kept)
        walks = self.walks
        pair = Walks(
            walks.access.of(origin),
            walks.egress.of(destination),
            walks.direct.of(origin).only_to(np.array([destination])),
        )
        self.runner.stopwatch.count(PAIRS)
        times = travel_times_by_departure(self.networks[slot[0]], self.query(slot[1]), pair)
        return np.ascontiguousarray(times[0, :, 0])

    def figures_of(self, day: str, window: str) -> list[WindowFigures]:
        """The figures of one window or shift; none where it was not asked for."""
        return [part for part in self.figures if (part.day, part.window) == (day, window)]

    def let_go(self) -> None:
        """Give back the memory of networks and travel times; they are made and searched again should anybody ask."""
        for case in {id(case): case for case in (self.case, *self.searched.values())}.values():
            CUBES.let_go(case)
            case.let_go()

    def query(self, window: str) -> Query:
        """The question asked in one window of the study."""
        return window_query(self.study.file, window)

    def __repr__(self) -> str:
        rows = sum(part.value.size for part in self.figures)
        return f"Evaluation({self.scenario}: {rows:,} rows of access, {', '.join(self.networks)})"

    def _repr_html_(self) -> str:
        from community_routes.report.notebook import notebook_html

        return notebook_html(self)


class _Times(Mapping[Slot, NDArray[np.int32]]):
    """Travel times of an evaluation: kept, or searched when they are asked for."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

    def __getitem__(self, slot: Slot) -> NDArray[np.int32]:
        if slot not in self._evaluation.median_s:
            raise KeyError(slot)
        return as_seconds(self._evaluation.cube(slot))

    def __iter__(self) -> Iterator[Slot]:
        return iter(self._evaluation.median_s)

    def __len__(self) -> int:
        return len(self._evaluation.median_s)


@dataclass(frozen=True)
class Asked:
    """What is asked of cases: everything, or some windows and some measures alone.

    Attributes
    ----------
    slots : tuple of (day, window), optional
        All of the study when left out.
    measures : tuple of Measure, optional
        When left out those of the study, with its shifts and the tables of wards and of meeting.
    """

    slots: tuple[Slot, ...] | None = None
    measures: tuple[Measure, ...] | None = None

    def windows(self, case: Case, day: str) -> list[str]:
        """The windows asked of one day, in the order of the study."""
        every = list(case.file.windows_on(day))
        return every if self.slots is None else [window for window in every if (day, window) in self.slots]

    def choice(self, case: Case) -> Choice:
        """What is measured."""
        return case.choice if self.measures is None else Choice(self.measures)


EVERYTHING = Asked()


@dataclass(frozen=True, eq=False)
class _Known:
    """What of an evaluation holds for another case on one day: windows and shifts in whose hours nothing is different."""

    base: Evaluation | None
    case: Case
    day: str

    @classmethod
    def of(cls, base: Evaluation | None, case: Case, day: str) -> _Known:
        """Of a day; nothing where places, prices or settings are others, or other places can travel."""
        return cls(base if base is not None and _same_for_all(base.case, case, day) else None, case, day)

    def _same(self, queries: list[Query]) -> Evaluation | None:
        base, day = self.base, self.day
        spans = [span_searched(query) for query in queries]
        if base is None or not same_hours(base.networks[day], self.case.networks[day], spans):
            return None
        return base

    def window(self, window: str) -> Evaluation | None:
        """The evaluation whose figures of a window hold; None where they may not."""
        base = self._same([window_query(self.case.file, window)])
        return base if base is not None and (self.day, window) in base.median_s else None

    def shift(self, window: str, shift: Shift) -> Evaluation | None:
        """The evaluation whose figures of a shift hold; None where they may not."""
        base = self._same(shift_queries(window_query(self.case.file, window), shift))
        return base if base is not None and "shifts" in base.further else None


def _same_for_all(base: Case, case: Case, day: str) -> bool:
    return (
        base.study is case.study
        and case.reached is base.reached
        and case.fares == base.fares
        and case.feed.fares is base.feed.fares
        and bool((base.origin_reason[day] == case.origin_reason[day]).all())
        and bool((base.destination_reason[day] == case.destination_reason[day]).all())
    )


def _built(case: Case, asked: Asked, run: Runner) -> list[str]:
    """The days of which something is asked, their networks built."""
    with run.stage("network"):
        run.tell(f"building the network ({case.name})")
        days = [day for day in case.networks if asked.slots is None or asked.windows(case, day)]
        for day in days:
            _ = case.networks[day]
    return days


def evaluate_case(
    case: Case, asked: Asked = EVERYTHING, runner: Runner | None = None, *, base: Evaluation | None = None
) -> Evaluation:
    """Evaluate a case: search each window that is asked for once, and score it.

    Parameters
    ----------
    case : Case
    asked : Asked
    runner : Runner, optional
    base : Evaluation, optional
        Of the case that this one was made from, asked the same: what is not touched is taken over from it. It changes no byte.

    Raises
    ------
    StudyError
        Nothing can be measured, or a measure lacks what it needs.
    """
    run = runner or Runner()
    choice, days = asked.choice(case), _built(case, asked, run)
    with run.stage("routing"):
        notices = case.notices_on(days)
    search = Search(case, choice, run)
    figures: list[WindowFigures] = []
    beside: list[tuple[str, pd.DataFrame]] = []
    median_s: dict[Slot, NDArray[np.int32]] = {}
    searched: dict[Slot, Case] = {}
    for day in days:
        with run.stage("measures"):
            known = _Known.of(base, case, day)
            _ = case.departures[day]
        windows = asked.windows(case, day)
        for window in windows:
            slot = day, window
            with run.stage("network"):
                same = known.window(window)
            if same is not None:
                where = {"day": day, "window": window}
                median_s[slot], searched[slot] = same.median_s[slot], same.searched[slot]
                figures += same.figures_of(day, window)
                beside += [
                    (kind, taken_over(table, case.name, **where))
                    for kind, table in same.further.items()
                    if "window" in table.columns
                ]
                continue
            inputs = search.window(day, window)
            with run.stage("measures"):
                of_base = base.searched.get(slot) if base is not None else None
                CUBES.keep(case, slot, inputs.time_s, None if of_base is None else CUBES.get(of_base, slot))
                median_s[slot], searched[slot] = inputs.median_s, case
                figures.append(inputs.figures([c for measure in choice.measures for c in measure.take(inputs)]))
                beside += mixing_tables(inputs, case) if asked.measures is None else []
            del inputs  # its travel times, before those of the next window are searched
        for shift in choice.shifts if windows else ():
            with run.stage("network"):
                same = known.shift(windows[-1], shift)
            if same is not None:
                figures += same.figures_of(day, shift.name)
                beside.append(("shifts", taken_over(same.further["shifts"], case.name, day=day, shift=shift.name)))
                continue
            with run.stage("measures"):
                found, places = search.shift(day, shift, windows[-1])
            figures.append(found)
            beside.append(("shifts", places))
        with run.stage("network"):
            case.networks[day].let_go()
    if asked.measures is None:  # of a whole evaluation only the networks are asked for again
        case.let_go_departures()
        give_back(collect=False)
    kinds = dict.fromkeys(kind for kind, _ in beside)
    return Evaluation(
        case=case,
        figures=in_table_order(figures),
        median_s=median_s,
        further={kind: pd.concat([table for key, table in beside if key == kind], ignore_index=True) for kind in kinds},
        notices=notices,
        searched=searched,
        runner=replace(run, engine=None),
    )


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
    _check_given(study, scenario)
    runner = Runner.of(threads, engine, stopwatch, progress)
    known = base if base is not None and base.study is study else None
    case = known.case if known is not None and known.applied is None else Case.of(study)
    if scenario is None:
        return evaluate_case(case, runner=runner)
    with runner.stage("network"):
        runner.tell(f"applying {scenario.scenario}")
        proposal = case.with_scenario(scenario)
    return evaluate_case(proposal, runner=runner, base=known)


def _check_given(study: object, scenario: object) -> None:
    """Say what to pass where something else was passed."""
    if not isinstance(study, Study):
        given = f"open_study({study!r})" if isinstance(study, str) else "open_study(path)"
        raise UsageError(f"evaluate takes an opened study: evaluate({given}); it was given {study!r:.60}")
    if scenario is not None and not isinstance(scenario, Scenario):
        given = f"read_scenario({scenario!r})" if isinstance(scenario, str) else "read_scenario(path)"
        raise UsageError(
            f"evaluate takes a proposal that was read: evaluate(study, {given}); it was given {scenario!r:.60}"
        )


def in_table_order(figures: Iterable[WindowFigures]) -> tuple[WindowFigures, ...]:
    """WindowFigures as rows of access.csv stand: by day and window, in each by kind, measure, reading and cutoff, as texts."""
    found = []
    for part in sorted(figures, key=lambda part: (part.day, part.window)):
        keys = [(a.kind, a.measure, a.reading, -1.0 if a.cutoff_min is None else a.cutoff_min) for a in part.about]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        found.append(part if order == list(range(len(keys))) else part.only(np.asarray(order, np.int64)))
    return tuple(found)


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
    report_places(study.file, study.ground, stops, reached, notices)
    return reached


MOST_AT_ONCE_BYTES = 600_000_000
"""Travel times that evaluations under way may hold together; beyond it fewer go on at once."""


class _StoppedError(BaseException):
    """Another proposal failed, or the work was interrupted: nobody waits for this one any more."""


def evaluate_all(cases: Sequence[Case], base: Evaluation, runner: Runner | None = None) -> list[Evaluation]:
    """Evaluate cases, each beside the others, and take over from the one that they were made from what they do not touch.

    Parameters
    ----------
    cases : sequence of Case
    base : Evaluation
        Mostly today's.
    runner : Runner, optional
        So many cases at once as it has threads, or fewer where their travel times would need too much memory; of a single
        case so many blocks of destinations. With an engine they come one after the other.

    Returns
    -------
    list of Evaluation
        In the order of the cases.

    Raises
    ------
    StudyError
        Of the first case, in their order, that cannot be evaluated.
    """
    run = runner or Runner()
    at_once = min(run.threads, len(cases), max(1, MOST_AT_ONCE_BYTES // max(1, largest_times(base))))
    if run.engine is not None or at_once < 2:
        return [evaluate_case(case, runner=run, base=base) for case in cases]
    watches = [Stopwatch(of_thread=True) for _ in cases]
    together = _Together(run.tell, len(cases))
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="proposal")
    try:
        under_way = [
            pool.submit(
                together.run,
                partial(evaluate_case, case, runner=Runner(1, None, own, together.tell), base=base),
            )
            for case, own in zip(cases, watches, strict=True)
        ]
        # In order, so that which failure is told does not hang on the threads.
        return [one.result() for one in under_way]
    finally:
        together.stop()
        pool.shutdown(cancel_futures=True)
        for own in watches:
            run.stopwatch.add(own)


def evaluate_worst(today: Case, scenarios: Sequence[Scenario], runner: Runner | None = None) -> list[Evaluation]:
    """Today and proposals by the worse bound of a step-free study that asks for both; nothing where it does not."""
    if today.file.travel.step_free is not True:
        return []
    worst = Case.of(today.study.at_bound("worst"))
    base = evaluate_case(worst, runner=runner)
    return [base, *evaluate_all([worst.with_scenario(scenario) for scenario in scenarios], base, runner)]


def largest_times(base: Evaluation) -> int:
    """Bytes of travel times that the evaluation of one window holds: for every departure, and again for each budget."""
    file = base.study.file
    n_budgets = len(file.fares.budgets) if file.fares is not None else 0
    n_departures = max((len(base.query(window).departures_s) for _, window in base.median_s), default=1)
    pairs = max((times.size for times in base.median_s.values()), default=1)
    # Of budgets they are found in four bytes each, and then packed.
    return pairs * n_departures * (2 * 2 + n_budgets * (4 + 2))


class _Together:
    """Several pieces of work that speak through one voice, and stop together."""

    def __init__(self, tell: Progress, n: int) -> None:
        self._tell, self._n = tell, n
        self._done = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def tell(self, text: str) -> None:
        """Pass on what one of them is doing; the place where it ends when it need not go on."""
        if self._stopped.is_set():
            raise _StoppedError
        with self._lock:
            self._tell(f"{text}, {self._done} of {self._n} scenarios done")

    def run(self, work: Callable[[], Evaluation]) -> Evaluation:
        """Do one piece."""
        found = work()
        with self._lock:
            self._done += 1
        return found

    def stop(self) -> None:
        """Nobody waits for the rest."""
        self._stopped.set()
