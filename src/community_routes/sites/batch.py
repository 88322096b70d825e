"""A batch of development sites: read, judged block by block so that nothing is lost, and written at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import StudyError, as_path
from community_routes.base.files import check_replaceable
from community_routes.base.notices import Notice
from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Study
from community_routes.network.walks.points import Points
from community_routes.routing.runner import Runner, Running
from community_routes.scenarios.file import Scenario
from community_routes.sites.around import look_around, residents_of_sites
from community_routes.sites.detail import notes_of_places
from community_routes.sites.figures import NEAREST_STOP, Scene, figures_of_blocks, stops_of_entrances
from community_routes.sites.judge import Verdict, judge
from community_routes.sites.pages import Wanted, pages_wanted, write_pages
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
    block: int = BLOCK,
    **running: Unpack[Running],
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
    block : int
        Places of one record: what is lost by a kill.
    **running : threads, engine, stopwatch, progress
        As in ``evaluate``: they change no byte.

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
    out, runner = as_path(out), Runner.of(**running)
    check_replaceable(out)
    with runner.stage("read"):
        batch = prepare_batch(study, as_path(path), scenarios, pages)
    if strict and batch.faults:
        raise StudyError(
            f"{batch.file_name}: {len(batch.faults)} of {len(batch.sites)} sites cannot be judged, so none was\n"
            + "\n".join(map(str, batch.faults))
        )
    work = WorkFolder(out)
    with work.locked():
        run = _Run(batch, work, runner, block)
        judged = run.judged()
        wanted = pages_wanted(judged, batch.pages)
        notes = run.find_notes([batch.key_of_site[row] for row in wanted.rows])
        runner.tell(f"writing {out.name}")
        with runner.stage("report"):
            work.publish(partial(run.write, judged, wanted, notes), run.settings_in_use)
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
    done = WorkFolder(out).records(batch.today.settings, len(batch.today.figures)).load()
    keys = [key for key in batch.key_of_site if key]
    return Status(
        len(batch.sites), len(batch.faults), sum(key in done for key in keys), is_finished(out, batch.fingerprint)
    )


class _Run:
    """One run of a batch: what is kept already, and what has to be found out."""

    def __init__(self, batch: Batch, work: WorkFolder, runner: Runner, block: int) -> None:
        self.batch, self.work, self.runner, self.block = batch, work, runner, block
        self.entrances = f"{batch.today.settings}-entrances"
        self.settings_in_use = {batch.today.settings, self.entrances, *(one.settings for one in batch.proposals)}

    def judged(self) -> JudgedSites:
        """Everything that is written, as figures and verdicts; of a step-free study by both bounds."""
        today = self.batch.today
        found = self._judged(today)
        if today.case.file.travel.step_free is not True:
            return replace(found, remedies=self._remedies(found.verdicts))
        at_worst = today.at_bound("worst")
        self.settings_in_use.add(at_worst.settings)
        worst = self._judged(at_worst)
        return replace(found, remedies=self._remedies(found.verdicts), worst=worst)

    def _judged(self, scene: Scene) -> JudgedSites:
        """Figures and verdicts in one state of the study, without what would help."""
        batch, study = self.batch, scene.case.study
        done = self._figures(scene.settings, scene, batch.places, "judging places")
        values, origins = self._rows(batch.key_of_site, done), self._rows(batch.key_of_origin, done)
        verdicts = judge(batch.standards, scene.figures, values)
        places = np.array([site.point for site in batch.sites], np.float64).reshape(-1, 2)
        around = look_around(study.zones, places, origins, batch.persons)
        homes = [site.homes for site in batch.sites]
        walk, stops = study.file.travel.walk, study.feed.stops[["stop_id", "stop_name"]]
        stop_m = values[:, [place for place, figure in enumerate(scene.figures) if figure.measure == NEAREST_STOP]]
        farthest_m = walk.to_stop_min * MINUTE * walk.speed_kmh / 3.6
        table = study.opportunities.table
        return JudgedSites(
            sites=batch.sites,
            figures=scene.figures,
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

    def write(self, judged: JudgedSites, wanted: Wanted, notes: Notes, folder: Path) -> None:
        """Write everything into a folder."""
        write_sites(judged, folder)
        if self.batch.pages != (NONE,):
            write_pages(judged, self.batch, wanted, notes, folder, self.runner.tell)

    def find_notes(self, keys: Sequence[str]) -> Notes:
        """See to it that what pages say of places beyond their figures is kept, place by place."""
        notes = self.work.notes(self.batch.today.settings)
        missing = [key for key in dict.fromkeys(keys) if notes.load(key) is None]
        values = self.work.records(self.batch.today.settings, self._width).load() if missing else {}
        for low in range(0, len(missing), PAGES_AT_ONCE):
            part = missing[low : low + PAGES_AT_ONCE]
            self.runner.tell(
                f"looking at sites for their pages: {len(keys) - len(missing) + low:,} of {len(keys):,} are done"
            )
            scene = self.batch.today.built(self.runner)
            with self.runner.stage("routing"):
                made = notes_of_places(
                    scene, points_of([self.batch.places[key] for key in part]), np.array([values[key] for key in part])
                )
            for key, note in zip(part, made, strict=True):
                notes.save(key, note)
        return notes

    @property
    def _width(self) -> int:
        return len(self.batch.today.figures)

    def _rows(self, keys: Sequence[str], done: Mapping[str, FloatArray]) -> FloatArray:
        nothing = np.full(self._width, np.nan)
        return np.array([done.get(key, nothing) if key else nothing for key in keys]).reshape(len(keys), self._width)

    def _figures(
        self, settings: str, scene: Scene, places: Mapping[str, FloatArray], what: str
    ) -> dict[str, FloatArray]:
        """The figures of places in one state of the study."""

        def find(blocks: Sequence[Points]) -> Iterator[FloatArray]:
            return figures_of_blocks(scene.built(self.runner), blocks, self.runner.blocks)

        return self._complete(self.work.records(settings, self._width), places, what, find)

    def _stops_of_entrances(self) -> dict[str, FloatArray]:
        def find(blocks: Sequence[Points]) -> Iterator[FloatArray]:
            scene = self.batch.today.built(self.runner)
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
            self.runner.tell(f"{what}: {n_done:,} of {len(places):,} are done")
            with self.runner.stage("routing"):
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
            done = self._figures(proposal.settings, proposal.scene, places, f"trying {proposal.id}")
            then.append(judge(batch.standards, batch.today.figures, self._rows(tried, done)))
            proposal.scene.case.let_go()
        return find_remedies(batch.proposals, today, then)
