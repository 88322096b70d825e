"""A batch of development sites: read, judged block by block so that nothing is lost, and written at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import StudyError, as_path
from community_routes.base.files import check_replaceable
from community_routes.base.notices import Notice
from community_routes.base.times import MINUTE
from community_routes.base.timings import Stopwatch
from community_routes.evaluation.case import Study
from community_routes.network.walks.points import Points
from community_routes.routing.engine import Engine, LocalEngine
from community_routes.scenarios.file import Scenario
from community_routes.sites.around import look_around, residents_of_sites
from community_routes.sites.detail import notes_of_places
from community_routes.sites.figures import (
    NEAREST_STOP,
    Scene,
    build_scene,
    figures_of_blocks,
    settings_key,
    stops_of_entrances,
)
from community_routes.sites.judge import Verdict, judge
from community_routes.sites.pages import pages_wanted, write_pages
from community_routes.sites.prepare import FAILED, NONE, Batch, prepare_batch
from community_routes.sites.read import points_of
from community_routes.sites.remedies import Remedies, find_remedies, no_remedies
from community_routes.sites.tables import JudgedSites, write_sites
from community_routes.sites.work_folder import Notes, Records, WorkFolder, is_finished

BLOCK = 1000
"""Places of one record: what a run that is killed may lose."""

PAGES_AT_ONCE = 50
"""Sites of whose pages a run that is killed may lose what it found out."""

DONE_IN_PART, STANDARD_MISSED = 3, 4
"""Exit codes of the command."""

FloatArray = NDArray[np.float64]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What came of a batch.

    Attributes
    ----------
    n_sites, n_failed : int
        Rows of the file, and those that could not be judged.
    n_missing : int
        Judged sites that miss a standard which is required.
    n_pages, n_without_page : int
        Pages of single sites, and sites of which one was asked for that have none: they could not be judged, or there
        were too many.
    notices : tuple of Notice
    n_missing_at_worst : int or None
        As ``n_missing`` by the worse bound of a step-free study.
    """

    n_sites: int
    n_failed: int
    n_missing: int
    n_pages: int = 0
    n_without_page: int = 0
    notices: tuple[Notice, ...] = ()
    n_missing_at_worst: int | None = None

    def exit_code(self, *, require_pass: bool = False) -> int:
        """4 when a standard that is required is missed (where asked for), 3 when some sites failed, else 0."""
        if require_pass and self.n_missing:
            return STANDARD_MISSED
        return DONE_IN_PART if self.n_failed else 0

    def __str__(self) -> str:
        failed = f"; {self.n_failed:,} could not be (failed.csv says why)" if self.n_failed else ""
        worst = self.n_missing_at_worst
        also = "" if worst is None else f" ({worst:,} by stops and trips known to be accessible alone)"
        return (
            f"{self.n_sites - self.n_failed:,} sites judged, {self.n_missing:,} miss a required standard{also}{failed}"
        )


@dataclass(frozen=True)
class Status:
    """How far a batch is.

    Attributes
    ----------
    n_sites, n_failed : int
        Rows of the file, and those that cannot be judged.
    n_done : int
        Sites whose figures are there.
    finished : bool
        Whether the result of exactly these inputs and settings is written.
    """

    n_sites: int
    n_failed: int
    n_done: int
    finished: bool

    def __str__(self) -> str:
        end = "the result is written" if self.finished else "the result is not written yet"
        to_do = self.n_sites - self.n_failed
        return f"{self.n_done:,} of {to_do:,} sites are judged, {self.n_failed:,} cannot be; {end}"


def assess_sites(
    study: Study,
    path: str | Path,
    out: str | Path,
    *,
    scenarios: Sequence[Scenario] = (),
    pages: Sequence[str] = (FAILED,),
    strict: bool = False,
    threads: int = 1,
    engine: Engine | None = None,
    block: int = BLOCK,
    stopwatch: Stopwatch | None = None,
    progress: Tell | None = None,
) -> Outcome:
    """Judge every site of a file and write the result into a folder.

    What is finished is kept beside the folder; the same call after a run that was killed does what is missing and writes the
    same bytes as one that was not.

    Parameters
    ----------
    study : Study
    path : str or Path
        CSV with ``id``, ``lon``, ``lat`` and, where known, ``name``, ``homes``, ``year``, ``entrances``; or a map of points
        or areas with an ``id``.
    out : str or Path
        Folder for the result; an earlier result is replaced.
    scenarios : sequence of Scenario
        Proposals that are tried on the sites that miss a standard.
    pages : sequence of str
        Sites that get a page: ``failed`` (those that miss a standard, at most 200), ``all``, ``none``, or ids.
    strict : bool
        Judge nothing when a site has a fault.
    threads, block : int
        Threads of the search, and places of one record; they change nothing but the time and what is lost by a kill.
    engine : Engine, optional
        Searches in the place of threads of this process; it changes no byte.
    stopwatch : Stopwatch, optional
    progress : callable of str, optional
        Told what is being done.

    Returns
    -------
    Outcome
        How many sites were judged, could not be judged, and miss a standard.

    Raises
    ------
    StudyError
        The file cannot be read, a standard names what the study does not have, or ``strict`` and a site has a fault.
    ScenarioError
        A proposal cannot be applied to the study.
    UsageError
        The folder holds something else, or another run is at work on it.
    MachineError
        The disk is full or cannot be written.
    """
    out, watch, tell = as_path(out), stopwatch or Stopwatch(), progress or (lambda _: None)
    check_replaceable(out)
    with watch.stage("read"):
        batch = prepare_batch(study, as_path(path), scenarios, pages)
    if strict and batch.faults:
        raise StudyError(
            f"{batch.file_name}: {len(batch.faults)} of {len(batch.sites)} sites cannot be judged, so none was\n"
            + "\n".join(map(str, batch.faults))
        )
    work = WorkFolder(out)
    with work.locked():
        run = _Run(batch, work, engine or LocalEngine(threads), block, watch, tell)
        judged = run.judged()
        wanted = pages_wanted(judged, batch.pages)
        notes = run.find_notes([batch.key_of_site[row] for row in wanted.rows])
        tell(f"writing {out.name}")
        with watch.stage("report"):

            def write(folder: Path) -> None:
                write_sites(judged, folder)
                if batch.pages != (NONE,):
                    write_pages(judged, batch, wanted, notes, folder, tell)

            work.publish(write, run.settings_in_use)
    return Outcome(
        len(batch.sites),
        len(batch.faults),
        int(judged.misses(required=True).sum()),
        len(wanted.rows),
        wanted.n_left_out,
        batch.notices,
        None if judged.worst is None else int(judged.worst.misses(required=True).sum()),
    )


def sites_status(
    study: Study,
    path: str | Path,
    out: str | Path,
    *,
    scenarios: Sequence[Scenario] = (),
    pages: Sequence[str] = (FAILED,),
) -> Status:
    """How far a batch is, whether a run is at work on it or not; nothing is changed."""
    batch, out = prepare_batch(study, as_path(path), scenarios, pages), as_path(out)
    done = WorkFolder(out).records(batch.settings, len(batch.figures)).load()
    keys = [key for key in batch.key_of_site if key]
    return Status(
        len(batch.sites), len(batch.faults), sum(key in done for key in keys), is_finished(out, batch.fingerprint)
    )


class _Ground:
    """A study in which places are judged; its network is built when something is missing, and once."""

    def __init__(self, study: Study, batch: Batch, watch: Stopwatch, tell: Tell) -> None:
        self.study, self.batch, self.watch, self.tell = study, batch, watch, tell
        self._scene: Scene | None = None

    @property
    def scene(self) -> Scene:
        """Ready to be asked."""
        if self._scene is None:
            self.tell("building the network")
            with self.watch.stage("network"):
                self._scene = build_scene(self.study, self.batch.named, self.batch.parts)
        return self._scene


class _Run:
    """One run of a batch: what is kept already, and what has to be found out."""

    def __init__(
        self, batch: Batch, work: WorkFolder, engine: Engine, block: int, watch: Stopwatch, tell: Tell
    ) -> None:
        self.batch, self.work = batch, work
        self.engine, self.block, self.watch, self.tell = engine, block, watch, tell
        self.today = _Ground(batch.study, batch, watch, tell)
        self.entrances = f"{batch.settings}-entrances"
        self.settings_in_use = {batch.settings, self.entrances, *(one.settings for one in batch.proposals)}

    def judged(self) -> JudgedSites:
        """Everything that is written, as figures and verdicts; of a step-free study by both bounds."""
        batch = self.batch
        found = self._judged(batch.settings, self.today)
        if batch.study.file.travel.step_free is not True:
            return replace(found, remedies=self._remedies(found.verdicts))
        study = batch.study.at_bound("worst")
        settings = settings_key(study, batch.named, batch.parts)
        self.settings_in_use.add(settings)
        worst = self._judged(settings, _Ground(study, batch, self.watch, self.tell))
        return replace(found, remedies=self._remedies(found.verdicts), worst=worst)

    def _judged(self, settings: str, ground: _Ground) -> JudgedSites:
        """Figures and verdicts in one state of the study, without what would help."""
        batch, study = self.batch, ground.study
        done = self._figures(settings, ground, batch.places, "judging places")
        values, origins = self._rows(batch.key_of_site, done), self._rows(batch.key_of_origin, done)
        verdicts = judge(batch.standards, batch.figures, values)
        places = np.array([site.point for site in batch.sites], np.float64).reshape(-1, 2)
        around = look_around(study.zones, places, origins, batch.persons)
        homes = [site.homes for site in batch.sites]
        walk, stops = study.file.travel.walk, study.feed.stops[["stop_id", "stop_name"]]
        stop_m = values[:, [place for place, figure in enumerate(batch.figures) if figure.measure == NEAREST_STOP]]
        farthest_m = walk.to_stop_min * MINUTE * walk.speed_kmh / 3.6
        table = study.opportunities.table
        return JudgedSites(
            sites=batch.sites,
            figures=batch.figures,
            values=values,
            verdicts=verdicts,
            around=around,
            residents=residents_of_sites(study.zones, around.zone, homes, study.file.sites.persons_per_home),
            remedies=no_remedies(len(verdicts), len(batch.sites)),
            entrances=[batch.places[key] if key else None for key in batch.key_of_site],
            stops_of_entrances=self._stops_of_entrances(),
            has_service=np.asarray((stop_m <= farthest_m).any(axis=1)),
            stop_names=[f"{name} ({ident})" for ident, name in stops.to_numpy().tolist()],
            place_names=[str(name or ident) for ident, name in table[["id", "name"]].to_numpy().tolist()],
            zones=study.zones.table,
            run=batch.run(),
            stamp=min(study.file.dates.values()),
        )

    def find_notes(self, keys: Sequence[str]) -> Notes:
        """See to it that what pages say of places beyond their figures is kept, place by place."""
        notes = self.work.notes(self.batch.settings)
        missing = [key for key in dict.fromkeys(keys) if notes.load(key) is None]
        values = self.work.records(self.batch.settings, self._width).load() if missing else {}
        for low in range(0, len(missing), PAGES_AT_ONCE):
            part = missing[low : low + PAGES_AT_ONCE]
            self.tell(f"looking at sites for their pages: {len(keys) - len(missing) + low:,} of {len(keys):,} are done")
            scene = self.today.scene
            with self.watch.stage("routing"):
                made = notes_of_places(
                    scene, points_of([self.batch.places[key] for key in part]), np.array([values[key] for key in part])
                )
            for key, note in zip(part, made, strict=True):
                notes.save(key, note)
        return notes

    @property
    def _width(self) -> int:
        return len(self.batch.figures)

    def _rows(self, keys: Sequence[str], done: Mapping[str, FloatArray]) -> FloatArray:
        nothing = np.full(self._width, np.nan)
        return np.array([done.get(key, nothing) if key else nothing for key in keys]).reshape(len(keys), self._width)

    def _figures(
        self, settings: str, ground: _Ground, places: Mapping[str, FloatArray], what: str
    ) -> dict[str, FloatArray]:
        """The figures of places in one state of the study."""

        def find(blocks: Sequence[Points]) -> Iterator[FloatArray]:
            return figures_of_blocks(ground.scene, blocks, self.engine)

        return self._complete(self.work.records(settings, self._width), places, what, find)

    def _stops_of_entrances(self) -> dict[str, FloatArray]:
        def find(blocks: Sequence[Points]) -> Iterator[FloatArray]:
            scene = self.today.scene
            return (stops_of_entrances(scene, points) for points in blocks)

        records = self.work.records(self.entrances, 2 * len(self.batch.study.file.dates))
        return self._complete(records, self.batch.entrances, "looking at entrances", find)

    def _complete(
        self,
        records: Records,
        places: Mapping[str, FloatArray],
        what: str,
        find: Callable[[Sequence[Points]], Iterator[FloatArray]],
    ) -> dict[str, FloatArray]:
        """What is kept of every place, and the missing ones block by block, each kept when it is done."""
        done = records.load()
        missing = [key for key in places if key not in done]
        if not missing:
            return done
        blocks = [missing[low : low + self.block] for low in range(0, len(missing), self.block)]
        found = find([points_of([places[key] for key in keys]) for keys in blocks])
        for keys in blocks:
            n_done = sum(key in done for key in places)
            self.tell(f"{what}: {n_done:,} of {len(places):,} are done")
            with self.watch.stage("routing"):
                values = next(found)
            records.save(keys, values)
            done.update(zip(keys, values, strict=True))
        return done

    def _remedies(self, today: Sequence[Verdict]) -> Remedies:
        """What the proposals would do for the sites that miss a standard; the others are not tried."""
        batch = self.batch
        if not batch.proposals or not today:
            return no_remedies(len(today), len(batch.sites))
        misses = np.any([~verdict.passed for verdict in today], axis=0).tolist()
        tried = [key if missed else "" for key, missed in zip(batch.key_of_site, misses, strict=True)]
        places = {key: batch.places[key] for key in tried if key}
        then = []
        for proposal in batch.proposals:
            ground = _Ground(proposal.study, batch, self.watch, self.tell)
            done = self._figures(proposal.settings, ground, places, f"trying {proposal.id}")
            then.append(judge(batch.standards, batch.figures, self._rows(tried, done)))
        return find_remedies(batch.proposals, today, then)
