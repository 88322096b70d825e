"""Scenario files read together, so that the faults of all of them are reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from community_routes.errors import CommunityRoutesError, ScenarioError, UsageError
from community_routes.evaluation import applied_to
from community_routes.notices import Notice, raise_on_errors
from community_routes.scenarios.scenario import Scenario, read_scenario
from community_routes.study import Study


def read_scenarios(
    paths: Sequence[str | Path], study: Study | None = None, *, notices: list[Notice] | None = None
) -> list[Scenario]:
    """Read scenario files; with a study, also try each on it.

    Parameters
    ----------
    paths : sequence of path
    study : Study, optional
        What the changes are tried on, so that an unknown route of any file is found before long work begins.
    notices : list of Notice, optional
        Gets everything that was found, errors included.

    Raises
    ------
    ScenarioError
        With the faults of all files.
    UsageError
        Two files hold a scenario of the same id.
    """
    found: list[Notice] = []
    scenarios: list[Scenario] = []
    for path in paths:
        try:
            scenario = read_scenario(path, notices=found)
            if study is not None:
                applied_to(study, scenario, found)
            scenarios.append(scenario)
        except CommunityRoutesError as wrong:
            if not wrong.notices:
                raise
    if notices is not None:
        notices.extend(found)
    raise_on_errors(found, ScenarioError)
    names = [scenario.scenario for scenario in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"the scenario {twice[0]!r} is given twice")
    return scenarios
