"""Scenario files read together, so that the faults of all of them are reported at once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pandas as pd

from community_routes.base.errors import CommunityRoutesError, ScenarioError, UsageError, as_paths
from community_routes.base.notices import Notice, raise_on_errors
from community_routes.evaluation.case import Case, Study, setting_of
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.conveyal.read import read_conveyal
from community_routes.scenarios.edit.work import (
    NEW_STOP_OFF_NETWORK,
    NO_ROAD,
    UNKNOWN_DAY,
    UNKNOWN_PLACE,
    UNKNOWN_ROUTE,
)
from community_routes.scenarios.file import Scenario, read_readable, read_scenario
from community_routes.sources.gtfs.originals import export_feed, with_originals

CONVEYAL_ENDING = ".json"
_ALWAYS_FAULTS = {code.name for code in (UNKNOWN_ROUTE, UNKNOWN_PLACE, UNKNOWN_DAY, NO_ROAD, NEW_STOP_OFF_NETWORK)}


def read_scenarios(
    paths: Sequence[str | Path], study: Study | None = None, *, notices: list[Notice] | None = None
) -> list[Scenario]:
    """Read scenario files; with a study, also try each on it.

    A file that ends in ``.json`` is read as a scenario of Conveyal Analysis, which needs the study's timetable.

    Parameters
    ----------
    paths : sequence of path
    study : Study, optional
        What the changes are tried on, so that an unknown route of any file is found before long work begins.
    notices : list of Notice, optional
        Gets everything that was found, errors included.

    Returns
    -------
    list of Scenario
        In the order of the files.

    Raises
    ------
    ScenarioError
        With the faults of all files.
    UsageError
        Two files hold a scenario of the same id, or a Conveyal scenario is read without a study.
    """
    today = Case.of(study) if study is not None else None
    return [scenario for scenario, _ in _read_all(paths, today, notices)]


def read_cases(paths: Sequence[str | Path], today: Case) -> list[Case]:
    """Read scenario files and apply each to today; as ``read_scenarios`` of a study."""
    return [case for _, case in _read_all(paths, today, None) if case is not None]


def _read_all(
    paths: Sequence[str | Path], today: Case | None, notices: list[Notice] | None
) -> list[tuple[Scenario, Case | None]]:
    found: list[Notice] = []
    read: list[tuple[Scenario, Case | None]] = []
    for path in as_paths(paths):
        try:
            scenario = _read(path, today.study if today is not None else None, found)
            read.append((scenario, today.with_scenario(scenario, notices=found) if today is not None else None))
        except CommunityRoutesError as wrong:
            if not wrong.notices:
                raise
            if today is not None and path.suffix.lower() != CONVEYAL_ENDING:
                found += _further_faults(path, today, found)
    if notices is not None:
        notices.extend(found)
    raise_on_errors(found, ScenarioError)
    names = [scenario.scenario for scenario, _ in read]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"the scenario {twice[0]!r} is given twice")
    return read


def _further_faults(path: Path, today: Case, known: list[Notice]) -> list[Notice]:
    """What the study has against those changes of a faulty file that can be read: routes, places and days it does not know.

    What hangs on the other changes (nothing left to change, a part that does not fit) is not said.
    """
    readable = read_readable(path)
    if readable is None:
        return []
    own: list[Notice] = []
    with suppress(ScenarioError):
        apply_scenario(readable, today.setting, notices=own)
    said = {(notice.file, notice.row, notice.column, notice.message) for notice in known}
    return [
        notice
        for notice in own
        if notice.code in _ALWAYS_FAULTS and (notice.file, notice.row, notice.column, notice.message) not in said
    ]


def _read(path: Path, study: Study | None, found: list[Notice]) -> Scenario:
    if path.suffix.lower() != CONVEYAL_ENDING:
        return read_scenario(path, notices=found)
    if study is None:
        raise UsageError(f"{path.name}: a Conveyal scenario can only be read for a study, whose routes it names")
    return read_conveyal(path, study.feed, notices=found)


def applied_to(study: Study, scenario: Scenario, notices: list[Notice]) -> Applied:
    """A proposal applied to a study.

    Raises
    ------
    ScenarioError
    """
    return apply_scenario(scenario, setting_of(study), notices=notices)


def export_timetable(study: Study, scenario: Scenario, file: Path) -> tuple[Applied, list[str]]:
    """Write the timetable as a scenario changes it, as a GTFS zip; what it does not touch comes out as it went in.

    Returns
    -------
    Applied
    list of str
        What of the original files could not be kept.

    Raises
    ------
    ScenarioError
    """
    applied = applied_to(replace(study, feed=with_originals(study.feed)), scenario, [])
    stamp = min(study.file.dates.values())
    return applied, export_feed(applied.feed, study.feed, study.file.timetables, file, date_stamp=stamp)


def scenario_sources(scenarios: Sequence[Scenario]) -> pd.DataFrame:
    """The files that scenarios were read from, and those that they build on, with the sha256 of their bytes.

    Columns name, kind (``scenario``), sha256, credit; one row for each file. What was made in Python has none.
    """
    rows: dict[Path, dict[str, str]] = {}
    for scenario in scenarios:
        for part in scenario.chain():
            if part.path is not None:
                digest = hashlib.sha256(part.path.read_bytes()).hexdigest()
                rows[part.path.resolve()] = {
                    "name": part.path.name,
                    "kind": "scenario",
                    "sha256": digest,
                    "credit": "",
                }
    return pd.DataFrame(list(rows.values()), columns=["name", "kind", "sha256", "credit"])
