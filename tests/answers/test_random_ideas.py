"""Small random networks and random changes of all kinds: a live answer is what evaluating the case anew says, to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import community_routes as cr
from community_routes.answers.answer import Answer
from community_routes.answers.live import Live
from community_routes.base.errors import ScenarioError
from community_routes.evaluation.case import Study
from community_routes.evaluation.evaluate import Asked, evaluate_case
from community_routes.measures.groups import group_rows
from community_routes.measures.reached import Cumulative, Nearest
from community_routes.scenarios.file import Scenario
from random_ideas import ideas, square_study, study_of_seed

N_QUICK, N_ALL = 40, 2000


@pytest.fixture(scope="module")
def square(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return square_study(tmp_path_factory.mktemp("square"))


def assert_as_evaluated(live: Live, answer: Answer) -> None:
    """Values, reasons, times and groups of a case that is evaluated by itself."""
    measure = Cumulative((10.0, 25.0)) if live.figure.measure == "cumulative_opportunities" else Nearest()
    asked = Asked((live.figure.slot,), (measure,))
    found = evaluate_case(replace(answer.case, parent=None), asked)
    today = evaluate_case(replace(live.today.case, parent=None), asked)
    rows, before = (side.access[live.figure.of(side.access)] for side in (found, today))
    mine = rows.set_index("neighbourhood").reindex(found.zones.table["id"])
    np.testing.assert_array_equal(answer.value, mine["value"].to_numpy(float))
    assert answer.reason.tolist() == mine["reason"].tolist()
    np.testing.assert_array_equal(live.times(answer), found.time_s[live.figure.slot])
    groups = group_rows(rows, found.zones.table, baseline=before, baseline_zones=today.zones.table)
    random = answer.case.applied is not None and bool(answer.case.applied.timed)
    groups = groups.drop(columns=["low", "high"] if random else [])
    pd.testing.assert_frame_equal(answer.groups[groups.columns], groups, check_exact=True, check_dtype=False)


def check(square: Study, seeds: range) -> int:
    """Two ideas, one on top of the other, and one beside them, on the network of each seed; how many could be applied."""
    n = 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        study = study_of_seed(square, seed)
        live = cr.live(study, measure=str(rng.choice(["cumulative_opportunities", "nearest"])))
        parent, made = live.today, ideas(study, rng)
        for step in range(3):
            try:
                answer = live.try_scenario(
                    Scenario.model_validate({"scenario": f"i{step}", "changes": [next(made)]}), parent
                )
            except ScenarioError:
                continue
            try:
                assert_as_evaluated(live, answer)
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}, step {step}: {wrong}") from None
            parent = answer if step == 0 else live.today
            n += 1
    return n


@pytest.mark.parametrize("block", range(0, N_QUICK, 20))
def test_random_ideas_are_answered_as_evaluated(square: Study, block: int) -> None:
    assert check(square, range(block, block + 20)) > 15


@pytest.mark.slow
@pytest.mark.parametrize("block", range(N_QUICK, N_ALL, 97))
def test_many_random_ideas_are_answered_as_evaluated(square: Study, block: int) -> None:
    assert check(square, range(block, min(block + 97, N_ALL))) > 60
