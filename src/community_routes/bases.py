"""Proposals beside the proposals that they build on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from community_routes.evaluation import Evaluation
from community_routes.measures.groups import group_rows
from community_routes.report.results import BASE_COMPARISON, BASE_GROUPS
from community_routes.scenarios.compare import compare_tables
from community_routes.scenarios.scenario import Scenario
from community_routes.uncertainty import is_random, with_intervals


def base_evaluations(
    proposals: Sequence[Evaluation], evaluate_one: Callable[[Scenario], Evaluation]
) -> dict[str, Evaluation]:
    """What each proposal builds on, evaluated: one of the proposals where it is among them, else evaluated now, once.

    Parameters
    ----------
    proposals : sequence of Evaluation
    evaluate_one : callable
        Evaluates a scenario on the same study.

    Returns
    -------
    dict of scenario to Evaluation
        Of the proposals with a base only.
    """
    known = {_text(scenario): side for side in proposals if (scenario := _scenario(side)) is not None}
    found: dict[str, Evaluation] = {}
    for proposal in proposals:
        scenario = _scenario(proposal)
        base = scenario.base_scenario if scenario is not None else None
        if base is None:
            continue
        if _text(base) not in known:
            known[_text(base)] = evaluate_one(base)
        found[proposal.scenario] = known[_text(base)]
    return found


def _scenario(side: Evaluation) -> Scenario | None:
    return side.applied.scenario if side.applied is not None else None


def _text(scenario: Scenario) -> tuple[str, ...]:
    """What a proposal says, with all that it builds on and where its files lie."""
    return tuple(f"{part.folder}\n{part.to_yaml()}" for part in scenario.chain())


def base_tables(
    proposals: Sequence[Evaluation], bases: Mapping[str, Evaluation], least_change: float
) -> dict[str, pd.DataFrame]:
    """Changes of zones and of groups from the proposal that each builds on; no tables where none builds on any.

    The columns are those of ``comparison.csv`` and ``groups.csv`` with ``base`` after ``scenario``. ``low`` and ``high`` are
    missing where departure times are assumed: the draws are of the change from today.
    """
    zones: list[pd.DataFrame] = []
    groups: list[pd.DataFrame] = []
    for proposal in proposals:
        base = bases.get(proposal.scenario)
        if base is None:
            continue
        parts = [
            compare_tables(base.access, proposal.access, least_change=least_change),
            group_rows(
                proposal.access,
                proposal.zones.table,
                baseline=base.access.assign(scenario=base.scenario),
                baseline_zones=base.zones.table,
                least_change=least_change,
            ),
        ]
        if is_random(proposal):
            parts = [with_intervals(part, None) for part in parts]
        for part, into in zip(parts, (zones, groups), strict=True):
            part.insert(1, "base", base.scenario)
            into.append(part)
    if not zones:
        return {}
    return {
        BASE_COMPARISON: pd.concat(zones, ignore_index=True),
        BASE_GROUPS: pd.concat(groups, ignore_index=True),
    }
