"""Trials on Newport: its proposals, headways and withdrawals, and sets of them, equal live answers to the last bit."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import community_routes as cr
from community_routes.answers.trials import Patch, Trials
from community_routes.scenarios.file import Scenario
from conftest import shared_data

HERE = Path(__file__).parent / "newport"

pytestmark = pytest.mark.slow


def plan(name: str, *changes: dict[str, object]) -> Scenario:
    return Scenario.model_validate({"scenario": name, "changes": list(changes)})


def test_proposals_of_newport_are_valued_as_tried() -> None:
    """Each by itself; every two that may be put together, a new route with new stops among them; and all headways at once."""
    shared_data("newport_wales")
    study = cr.open_study(HERE / "study.yaml")
    live = cr.live(study)
    trials = Trials(live)
    patches = [trials.patch(one) for one in cr.read_scenarios(sorted((HERE / "scenarios").glob("*.yaml")), study)]
    often = [
        trials.patch(plan(f"often{k}", {"set_headway": {"route": route, "weekday": {"07:00-19:00": headway}}}))
        for k, (route, headway) in enumerate([("46137", 10), ("7019", 12), ("5815", 15), ("7830", 20), ("6282", 30)])
    ]
    patches += [*often, trials.patch(plan("gone", {"withdraw_route": {"route": "7982"}}))]
    assert all(patch.by_rows for patch in patches)
    sets: list[tuple[Patch, ...]] = [(patch,) for patch in patches]
    sets += [some for some in combinations(patches, 2) if trials.together(some)][::3]
    assert trials.together(often)
    sets.append(tuple(often))
    for some in sets:
        changes = tuple(change for patch in some for change in patch.scenario.changes)
        tried = live.try_scenario(Scenario(scenario="all", changes=changes)).value
        found = trials.value(some)
        np.testing.assert_array_equal(found, tried)
        counts = ~np.isnan(found)
        assert (trials.relaxed(some)[counts] >= found[counts]).all()
