"""A batch of development sites: read, judged block by block so that nothing is lost, and written at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes import __version__
from community_routes.comparison import printed_settings
from community_routes.errors import StudyError
from community_routes.measures.weighted import weighted_quantile
from community_routes.network.store import fingerprint
from community_routes.publishing import check_replaceable
from community_routes.sites.figures import (
    NEAREST_STOP,
    Figure,
    build_scene,
    figures_of_places,
    figures_of_study,
    on_network,
    origins_of_borough,
    settings_key,
)
from community_routes.sites.files import JudgedSites, write_sites
from community_routes.sites.judge import Standard, check_kinds, judge, standards_of_study
from community_routes.sites.read import Fault, Site, place_key, points_of, read_sites, site_points
from community_routes.sites.store import WorkFolder, is_finished
from community_routes.study import Study, lines_of
from community_routes.times import MINUTE
from community_routes.timings import Stopwatch

BLOCK = 1000
"""Places of one record: what a run that is killed may lose."""

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
    """

    n_sites: int
    n_failed: int
    n_missing: int

    def exit_code(self, *, require_pass: bool = False) -> int:
        """4 when a standard that is required is missed (where asked for), 3 when some sites failed, else 0."""
        if require_pass and self.n_missing:
            return STANDARD_MISSED
        return DONE_IN_PART if self.n_failed else 0

    def __str__(self) -> str:
        failed = f"; {self.n_failed:,} could not be (failed.csv says why)" if self.n_failed else ""
        return f"{self.n_sites - self.n_failed:,} sites judged, {self.n_missing:,} miss a required standard{failed}"


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


@dataclass(frozen=True, eq=False)
class _Batch:
    """Sites, where they are, and what is to be found out."""

    study: Study
    sites: list[Site]
    file_name: str
    file_sha256: str
    standards: tuple[Standard, ...]
    figures: tuple[Figure, ...]
    settings: str
    places: dict[str, NDArray[np.float64]]
    key_of_site: list[str]
    key_of_origin: list[str]
    persons: FloatArray

    @property
    def faults(self) -> list[Fault]:
        return [site.fault for site in self.sites if site.fault is not None]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all that the result depends on."""
        study, origins = self.study, self.study.zones
        given = study.file.standards.model_dump(mode="json") if study.file.standards is not None else None
        head = {
            "version": __version__,
            "study": study.file.study,
            "settings": self.settings,
            "sites": [self.file_name, self.file_sha256],
            "standards": given,
            "printed": printed_settings(study),
            "sources": study.sources[["name", "sha256"]].to_numpy().tolist(),
        }
        return fingerprint(json.dumps(head, sort_keys=True, default=str), self.persons, len(origins))


def assess_sites(
    study: Study,
    path: str | Path,
    out: str | Path,
    *,
    strict: bool = False,
    threads: int = 1,
    block: int = BLOCK,
    stopwatch: Stopwatch | None = None,
    progress: Callable[[str], None] | None = None,
) -> Outcome:
    """Judge every site of a file and write the result into a folder.

    What is finished is kept beside the folder; the same call after a run that was killed does what is missing and writes the
    same bytes as one that was not.

    Parameters
    ----------
    study : Study
    path : str or Path
        CSV with ``id``, ``lon``, ``lat`` and, where known, ``name``, ``homes``, ``year``; or a map of points or areas with an
        ``id``.
    out : str or Path
        Folder for the result; an earlier result is replaced.
    strict : bool
        Judge nothing when a site has a fault.
    threads, block : int
        Threads of the search, and places of one record; they change nothing but the time and what is lost by a kill.
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
    UsageError
        The folder holds something else, or another run is at work on it.
    MachineError
        The disk is full or cannot be written.
    """
    out, watch, tell = Path(out), stopwatch or Stopwatch(), progress or (lambda _: None)
    check_replaceable(out)
    with watch.stage("read"):
        batch = _prepare(study, Path(path))
    if strict and batch.faults:
        raise StudyError(
            f"{batch.file_name}: {len(batch.faults)} of {len(batch.sites)} sites cannot be judged, so none was\n"
            + "\n".join(map(str, batch.faults))
        )
    work = WorkFolder(out, batch.settings, len(batch.figures))
    with work.locked():
        done = _all_figures(batch, work, threads, block, watch, tell)
        tell(f"writing {out.name}")
        with watch.stage("report"):
            judged = _judged(batch, done)
            work.publish(lambda folder: write_sites(judged, folder))
    return Outcome(len(batch.sites), len(batch.faults), _missing(judged))


def sites_status(study: Study, path: str | Path, out: str | Path) -> Status:
    """How far a batch is, whether a run is at work on it or not; nothing is changed."""
    batch, out = _prepare(study, Path(path)), Path(out)
    done = WorkFolder(out, batch.settings, len(batch.figures)).load()
    keys = [key for key in batch.key_of_site if key]
    return Status(
        len(batch.sites), len(batch.faults), sum(key in done for key in keys), is_finished(out, batch.fingerprint)
    )


def _prepare(study: Study, path: Path) -> _Batch:
    """Read the sites, find out which lie on the network, and what is asked of them."""
    standards = standards_of_study(study.file)
    check_kinds(study.file, study.opportunities)
    sites = read_sites(path)
    usable = [row for row, site in enumerate(sites) if site.fault is None]
    lines = lines_of(study.ground) if any(sites[row].shape.geom_type.endswith("Polygon") for row in usable) else None
    points = site_points([sites[row] for row in usable], lines)
    there = on_network(study, points_of(points))
    key_of_site = [""] * len(sites)
    places: dict[str, NDArray[np.float64]] = {}
    for row, place, linked in zip(usable, points, there.tolist(), strict=True):
        site = sites[row]
        if linked:
            key_of_site[row] = place_key(place)
            places[key_of_site[row]] = place
        else:
            lon, lat = site.point
            fault = Fault(site.line, site.id, "lon", f"lon {lon:.6f} lat {lat:.6f}", "off_network")
            sites[row] = replace(site, fault=fault)
    origins, persons = origins_of_borough(study)
    linked_origins = on_network(study, points_of(origins)).tolist()
    key_of_origin = [place_key(place) if on else "" for place, on in zip(origins, linked_origins, strict=True)]
    places |= {key: place for key, place in zip(key_of_origin, origins, strict=True) if key}
    return _Batch(
        study, sites, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), standards, figures_of_study(study),
        settings_key(study), places, key_of_site, key_of_origin, persons,
    )  # fmt: skip


def _all_figures(
    batch: _Batch, work: WorkFolder, threads: int, block: int, watch: Stopwatch, tell: Callable[[str], None]
) -> dict[str, FloatArray]:
    """The figures of every place: those that are kept, and the missing ones block by block, each kept when it is done."""
    done = work.load()
    missing = [key for key in batch.places if key not in done]
    if not missing:
        return done
    tell("building the network")
    with watch.stage("network"):
        scene = build_scene(batch.study)
    for low in range(0, len(missing), block):
        keys = missing[low : low + block]
        tell(f"judging places: {len(batch.places) - len(missing) + low:,} of {len(batch.places):,} are done")
        with watch.stage("routing"):
            values = figures_of_places(scene, points_of([batch.places[key] for key in keys]), threads=threads)
        work.save(keys, values)
        done.update(zip(keys, values, strict=True))
    return done


def _judged(batch: _Batch, done: dict[str, FloatArray]) -> JudgedSites:
    nothing = np.full(len(batch.figures), np.nan)

    def rows(keys: list[str]) -> FloatArray:
        return np.array([done[key] if key else nothing for key in keys]).reshape(len(keys), len(batch.figures))

    values, of_origins = rows(batch.key_of_site), rows(batch.key_of_origin)
    borough = np.array([weighted_quantile(column, batch.persons) for column in of_origins.T])
    walk, study_stops = batch.study.file.travel.walk, batch.study.feed.stops[["stop_id", "stop_name"]]
    stop_m = values[:, [place for place, figure in enumerate(batch.figures) if figure.measure == NEAREST_STOP]]
    farthest_m = walk.to_stop_min * MINUTE * walk.speed_kmh / 3.6
    return JudgedSites(
        sites=batch.sites,
        figures=batch.figures,
        values=values,
        verdicts=judge(batch.standards, batch.figures, values),
        borough=borough,
        has_service=np.asarray((stop_m <= farthest_m).any(axis=1)),
        stop_names=[f"{name} ({ident})" for ident, name in study_stops.to_numpy().tolist()],
        run=_run(batch),
        stamp=min(batch.study.file.dates.values()),
    )


def _run(batch: _Batch) -> dict[str, Any]:
    study = batch.study
    return {
        "program": "community_routes",
        "command": "sites",
        "version": __version__,
        "study": study.file.study,
        "title": study.title,
        "service_dates": {day: date.isoformat() for day, date in study.file.dates.items()},
        "settings": printed_settings(study),
        "standards_source": study.file.standards.source if study.file.standards is not None else None,
        "inputs": [
            {"name": batch.file_name, "kind": "sites", "sha256": batch.file_sha256},
            *study.sources[["name", "kind", "sha256"]].to_dict("records"),
        ],
        "inputs_sha256": batch.fingerprint,
        "counts": {"sites": len(batch.sites), "failed": len(batch.faults)},
    }


def _missing(judged: JudgedSites) -> int:
    """Judged sites that miss a required standard."""
    was_judged = np.array([site.fault is None for site in judged.sites], bool)
    misses = np.zeros(len(was_judged), bool)
    for verdict in judged.verdicts:
        if verdict.standard.required:
            misses |= was_judged & ~verdict.passed
    return int(misses.sum())
