"""What each proposal does for the most deprived fifth, in one line for the terminal: the rows that lead the page's verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from community_routes.report.figures import figures_of
from community_routes.report.results import MISSING_COST, Results, ScenarioSummary
from community_routes.report.words import (
    MINUS,
    about,
    count,
    in_unit,
    kind_name,
    money_sign,
    number,
    on_day,
    percent,
    unit_name,
    window_name,
)

_LEAST = 0.05


def told(results: Results) -> Iterator[str]:
    """A line for each proposal: its row of ``summary.csv`` that leads, so that the terminal and the page say the same.

    The change for the most deprived fifth (for everybody where no deprivation is given), the residents who gain and lose at that
    time of day, bus-hours and cost of a year. No line where nothing that leads is measured.
    """
    summary = figures_of(results).summary
    for proposal in results.scenarios:
        lead = summary[summary["leads"] & (summary["scenario"] == proposal.id)]
        if lead.empty:
            continue
        row = lead.iloc[0]
        if np.isnan(row["change"]):
            yield f"{proposal.id}: no change can be told"
            continue
        yield f"{proposal.id}: {_change(row)}{_people(row)}{_cost(proposal, results.currency)}"


def _change(row: pd.Series[Any]) -> str:
    """``most deprived fifth: +387 jobs (+1.5 %) within 45 minutes, morning peak on a weekday``."""
    who = "everybody" if row["grouping"] == "all" else "most deprived fifth"
    if row["change"] == 0:
        return f"{who}: no change"
    share = "" if np.isnan(row["change_percent"]) else f" ({_share(float(row['change_percent']))})"
    what = unit_name(str(row["unit"])) or kind_name(str(row["kind"]))
    size = number(in_unit(float(row["change"]), str(row["unit"])), sign=True)
    within = "" if np.isnan(row["cutoff_min"]) else f" within {row['cutoff_min']:g} minutes"
    when = f"{window_name(str(row['window']), {}).lower()} {on_day(str(row['day']))}".strip()
    return f"{who}: {size} {what}{share}{within}, {when}"


def _share(share: float) -> str:
    """``+1.5 %``; what rounds to nothing is not called nothing."""
    return percent(share / 100, sign=True) if abs(share) >= _LEAST else "under 0.1\u202f%"


def _people(row: pd.Series[Any]) -> str:
    """``; 27,852 residents gain, 12 lose``."""
    if np.isnan(row["persons_better"]):
        return ""
    return f"; {count(float(row['persons_better']))} residents gain, {count(float(row['persons_worse']))} lose"


def _cost(proposal: ScenarioSummary, currency: str) -> str:
    """``; +27,222 bus-hours and about £2.1 million a year``; nothing where it takes none, or nobody can tell."""
    cost = proposal.cost
    if cost is None or MISSING_COST in cost:
        return ""
    paid = cost.get("cost_per_year")
    money = "" if paid is None or np.isnan(paid) else f" and {_amount(float(paid), currency)}"
    return f"; {number(float(cost['bus_hours_per_year']), sign=True)} bus-hours{money} a year"


def _amount(value: float, currency: str) -> str:
    """An amount as costs are known: ``about £2.1 million``, ``about −£331,000``."""
    return f"about {MINUS if value < 0 else ''}{money_sign(currency)}{about(value)}"
