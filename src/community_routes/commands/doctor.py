"""Whether this installation works: versions, threads, the cache, and a journey whose time is known beforehand."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import numba

from community_routes.base.errors import CommunityRoutesError
from community_routes.base.timings import peak_megabytes
from community_routes.base.version import __version__
from community_routes.evaluation.case import open_study, sample_study
from community_routes.travel.itinerary import journey

_PACKAGES = (
    "numpy",
    "numba",
    "scipy",
    "pandas",
    "pyarrow",
    "geopandas",
    "shapely",
    "osmium",
    "pyogrio",
    "matplotlib",
    "pydantic",
    "typer",
)
_OPTIONAL = ("openpyxl", "weasyprint", "distributed")
_SELF_TEST = ("X01000001", "X01000002", "08:15", "weekday")


@dataclass(frozen=True)
class Finding:
    """One line of the examination: what was looked at, what was found, and whether it is as it should be."""

    what: str
    found: str
    good: bool = True


def examine(cache: Path | None) -> list[Finding]:
    """Look at everything the program needs.

    Parameters
    ----------
    cache : Path, optional
        The folder of the cache; None where it is switched off.
    """
    findings = [
        Finding("community-routes", __version__),
        Finding(
            "Python",
            f"{platform.python_version()} on {platform.system()} {platform.machine()}",
            sys.version_info >= (3, 11),
        ),
        Finding("threads", f"{os.cpu_count() or 1} cores, {numba.config.NUMBA_NUM_THREADS} for compiled loops"),
        *(_package(name) for name in _PACKAGES),
        *(_optional(name) for name in _OPTIONAL),
        _cache(cache),
    ]
    return [*findings, _self_test(), Finding("memory", f"{peak_megabytes():,.0f} MB at most in this process")]


def _package(name: str) -> Finding:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Finding(name, f"missing; install it with: python -m pip install {name}", good=False)
    oldest = oldest_versions().get(name.casefold(), "")
    if _numbers(found) < _numbers(oldest):
        cure = f'python -m pip install --upgrade "{name}>={oldest}"'
        return Finding(name, f"{found} is older than {oldest}, the oldest that works; {cure}", good=False)
    return Finding(name, found)


def oldest_versions() -> dict[str, str]:
    """The oldest version of each dependency that this program declares, by its name in small letters."""
    try:
        declared = requires("community-routes") or []
    except PackageNotFoundError:  # the source folder without an installation
        declared = []
    matches = (re.match(r"([\w.-]+)>=([\d.]+)(?!.*extra ==)", text) for text in declared)
    return {match[1].casefold(): match[2] for match in matches if match}


def _numbers(text: str) -> tuple[int, ...]:
    """``2.1.0`` as (2, 1, 0), to be compared."""
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0]))


def _optional(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "not installed (only needed for its own kind of file or for several machines)")


def _cache(folder: Path | None) -> Finding:
    if folder is None:
        return Finding("cache", "switched off: every run reads its inputs anew")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            size = _bytes_in(str(folder))
    except OSError as wrong:
        return Finding(
            "cache", f"{folder} cannot be written ({wrong.strerror}); choose another with --cache", good=False
        )
    return Finding("cache", f"{folder}, {size / 1e6:,.0f} MB")


def _bytes_in(folder: str) -> int:
    """Bytes of all files under a folder, links not followed; a cache holds tens of thousands."""
    size = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                size += _bytes_in(entry.path)
            else:
                size += entry.stat(follow_symlinks=False).st_size
    return size


def _self_test() -> Finding:
    """Read the sample borough and find a journey: street file, timetable, search and kernels all take part."""
    origin, destination, depart, day = _SELF_TEST
    try:
        study = open_study(sample_study())
        found = journey(study, origin, destination, depart=depart, day=day)
    except (CommunityRoutesError, OSError, ImportError) as wrong:
        return Finding("self-test", f"failed: {wrong}", good=False)
    if not found.journeys:
        return Finding("self-test", f"failed: no journey through the sample borough ({found.message})", good=False)
    first = found.journeys[0]
    adds_up = (
        sum(leg.arrive_s - leg.depart_s for leg in first.legs) + sum(ride.wait_s for ride in first.rides)
        == first.time_s
    )
    said = f"read the sample borough, found a journey of {first.time_s} s, which adds up"
    return Finding("self-test", said if adds_up else "failed: a journey does not add up", good=adds_up)


def told(findings: Sequence[Finding]) -> str:
    """The findings as lines for a terminal."""
    width = max(len(finding.what) for finding in findings)
    lines = [
        f"{'ok     ' if finding.good else 'PROBLEM'}  {finding.what.ljust(width)}  {finding.found}"
        for finding in findings
    ]
    bad = sum(not finding.good for finding in findings)
    return "\n".join([*lines, "", "everything works" if not bad else f"{bad} of {len(findings)} points need attention"])
