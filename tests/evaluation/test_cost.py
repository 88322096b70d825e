"""Rates of the study for all proposals, and a proposal's own in their place."""

from __future__ import annotations

from pathlib import Path

from community_routes.evaluation.cost import rate_figures, rates_of
from community_routes.scenarios.file import Scenario
from community_routes.sources.study.file import read_study_file
from small_town import STUDY, town_study

COSTS = "costs: {per_bus_hour: 48, per_km: 1.10, days: {weekday: 250}}\n"


def plan(**cost: float) -> Scenario:
    return Scenario(scenario="plan", **({"cost": cost} if cost else {}))


def test_a_proposal_has_the_rates_of_the_study_but_for_its_own(tmp_path: Path) -> None:
    file = read_study_file(town_study(tmp_path, STUDY + COSTS))
    rates = rates_of(file, plan())
    assert rates is not None
    assert (rates.per_bus_hour, rates.per_km, rates.days) == (48, 1.10, {"weekday": 250})
    own = rates_of(file, plan(per_bus_hour=52))
    assert own is not None
    assert (own.per_bus_hour, own.per_km, own.days) == (52, 1.10, {"weekday": 250})
    assert rate_figures(own) == {"per_bus_hour": 52, "per_km": 1.10}


def test_without_rates_nothing_is_costed(tmp_path: Path) -> None:
    file = read_study_file(town_study(tmp_path))
    assert rates_of(file, plan()) is None
    assert rate_figures(None) == {}
    own = rates_of(file, plan(per_km=2))
    assert own is not None and (own.per_km, own.days["sunday"]) == (2, 60)
