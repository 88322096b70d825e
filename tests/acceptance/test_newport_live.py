"""Live answers on Newport: its proposals, and one of each kind beside them, equal evaluating and comparing to the last bit."""

from __future__ import annotations

from pathlib import Path

import pytest

import community_routes as cr
from answering import assert_as_compared
from community_routes.evaluation.evaluate import evaluate
from conftest import shared_data

HERE = Path(__file__).parent / "newport"

pytestmark = pytest.mark.slow


def test_proposals_of_newport_are_answered_as_compared() -> None:
    """A bus lane, a new route with new stops, doubled routes, an evening service, and one route's buses for another."""
    shared_data("newport_wales")
    study = cr.open_study(HERE / "study.yaml")
    today, live = evaluate(study), cr.live(study)
    answer = live.today
    assert_as_compared(live, answer, today)
    for scenario in cr.read_scenarios(sorted((HERE / "scenarios").glob("*.yaml")), study):
        answer = live.try_scenario(scenario)
        assert_as_compared(live, answer, today)
    on_top = live.try_scenario(
        cr.Scenario.model_validate({"scenario": "gone", "changes": [{"withdraw_route": {"route": "6"}}]}), parent=answer
    )
    assert_as_compared(live, on_top, today)
