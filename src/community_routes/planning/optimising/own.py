"""Candidates that a planner has written: scenario files, each one of them to be made as a whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from community_routes.base.errors import ScenarioError, as_paths
from community_routes.base.times import DAY
from community_routes.evaluation.case import Case
from community_routes.evaluation.proposals import read_cases
from community_routes.planning.optimising.candidates import FILES, Candidate, Claim
from community_routes.scenarios.file import Scenario

_ALWAYS = (-DAY, 10 * DAY)


def own_candidates(files: Sequence[str | Path], today: Case) -> list[Candidate]:
    """Each file as a candidate; it decides everything about the routes that it changes.

    Raises
    ------
    ScenarioError
        With the faults of all files; or a file changes more than services, or names further files.
    UsageError
        Two files hold a scenario of the same id.
    """
    paths = as_paths(files) if files else []
    return [_candidate(path, case, today) for path, case in zip(paths, read_cases(paths, today), strict=True)]


def _candidate(path: Path, case: Case, today: Case) -> Candidate:
    applied = case.applied
    assert applied is not None
    scenario = applied.scenario
    if (
        case.zones is not today.zones
        or case.opportunities is not today.opportunities
        or case.ground is not today.ground
    ):
        raise ScenarioError(
            f"{path.name}: it changes homes, places or paths; a candidate changes services only, so take these changes out "
            "(what is certain anyway belongs into the study)"
        )
    changes = tuple(change for part in scenario.chain() for change in part.changes if not change.off)
    try:
        today.with_scenario(Scenario(scenario=scenario.scenario, changes=changes))
    except ScenarioError as fault:
        raise ScenarioError(f"{path.name}: put together with others it does not apply: {fault}") from None
    routes = [*applied.changed_routes, *applied.new_routes]
    claims = [claim for route in routes for claim in (Claim(route), Claim(route, "", _ALWAYS))]
    return Candidate(scenario.scenario, FILES, scenario.name, changes, tuple(claims), f"file {scenario.scenario}")
