"""What the proposals of a comparison take and cost: figures for the report, and tables by day and by period of the day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from community_routes.evaluation.case import Case
from community_routes.report.results import MISSING_COST
from community_routes.scenarios.cost import Cost, OperatingCost, operating_cost
from community_routes.scenarios.file import Scenario
from community_routes.sources.study.file import StudyFile

BY_DAY, BY_PERIOD = "operating_by_day", "operating_by_period"


def proposal_cost(today: Case, proposal: Case) -> OperatingCost | None:
    """What a proposal takes a year beside today; None where it changes no route and has no buses on demand."""
    applied = proposal.applied
    if applied is None or not (applied.changed_routes or applied.new_routes or applied.drt):
        return None
    routes = [*applied.changed_routes, *applied.new_routes]
    dates, rates = today.file.dates, rates_of(today.file, applied.scenario)
    return operating_cost(today.feed, proposal.feed, routes, dates, rates, drt=applied.drt)


def rates_of(file: StudyFile, scenario: Scenario) -> Cost | None:
    """The rates of a proposal: its own where it states them, those of the study for the rest; None where neither has any."""
    given = [part.model_dump(exclude_unset=True) for part in (file.costs, scenario.cost) if part is not None]
    if not given:
        return None
    return Cost(**{key: value for part in given for key, value in part.items()})


def rate_figures(rates: Cost | None) -> dict[str, float]:
    """What a bus-hour, a kilometre and a bus for a year cost, of what is not 0."""
    names = ("per_bus_hour", "per_km", "per_peak_vehicle_year")
    return {} if rates is None else {name: value for name in names if (value := getattr(rates, name))}


def cost_figures(cost: OperatingCost | None) -> dict[str, Any] | None:
    """Further bus-hours, kilometres, buses and cost of a year, why they are missing, and every assumption."""
    if cost is None:
        return None
    figures: dict[str, Any] = {
        f"{item}_per_year": float(row["change"]) for item, row in cost.year.iterrows() if np.isfinite(row["change"])
    }
    if cost.missing:
        figures[MISSING_COST] = cost.missing
    for number, assumption in enumerate(cost.assumptions, start=1):
        figures[f"assumption_{number}"] = assumption
    return figures


def cost_tables(costs: Mapping[str, OperatingCost | None]) -> dict[str, pd.DataFrame]:
    """Departures, cycle, bus-hours, kilometres and buses of each route by kind of day, and buses in use by period of the day.

    Parameters
    ----------
    costs : mapping of scenario to OperatingCost

    Returns
    -------
    dict of name to DataFrame
        ``scenario``, then the columns of ``OperatingCost.by_day`` and ``by_period``; nothing where nothing costs.
    """
    known = {scenario: cost for scenario, cost in costs.items() if cost is not None}
    if not known:
        return {}
    found = {}
    for name in ("by_day", "by_period"):
        parts = []
        for scenario, cost in known.items():
            part: pd.DataFrame = getattr(cost, name).copy()
            part.insert(0, "scenario", scenario)
            parts.append(part)
        found[BY_DAY if name == "by_day" else BY_PERIOD] = pd.concat(parts, ignore_index=True)
    return found
