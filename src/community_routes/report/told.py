"""What each proposal does for the most deprived fifth, in one line for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from community_routes.report.results import MISSING_COST, Results, ScenarioSummary
from community_routes.report.words import (
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

_HEADLINE = "cumulative_opportunities"
_LEAST = 0.0005
_MILLION, _EXACT = 999_500, 10_000


def told(results: Results) -> Iterator[str]:
    """A line for each proposal: the change of the study's first kind of place within the middle cutoff, where it is largest.

    The figures are those of ``groups.csv`` and ``costs.csv``: the change for the most deprived fifth (for everybody where no
    deprivation is given), the residents who gain and lose at that time of day, bus-hours and cost of a year. No line where the
    study does not count what is reached.
    """
    groups = results.groups
    kinds = list(pd.unique(results.destinations["key"]))
    rows = groups[(groups["measure"] == _HEADLINE) & (groups["reading"] == "mean")]
    if rows.empty:
        return
    cutoffs = np.sort(rows["cutoff_min"].unique())
    rows = rows[(rows["cutoff_min"] == cutoffs[len(cutoffs) // 2]) & (rows["kind"] == kinds[0])]
    everybody = rows[rows["grouping"] == "all"]
    fifth = rows[(rows["grouping"] == "local") & (rows["group"] == "1")]
    who, led = ("most deprived fifth", fifth) if len(fifth) else ("everybody", everybody)
    for proposal in results.scenarios:
        own = led[(led["scenario"] == proposal.id) & led["change"].notna()]
        if own.empty:
            yield f"{proposal.id}: no change can be told"
            continue
        top = own.loc[own["change"].abs().idxmax()]
        then = everybody[
            (everybody["scenario"] == proposal.id)
            & (everybody["day"] == top["day"])
            & (everybody["window"] == top["window"])
        ]
        yield f"{proposal.id}: {_change(who, top)}{_people(then)}{_cost(proposal, results.currency)}"


def _change(who: str, row: pd.Series[Any]) -> str:
    """``most deprived fifth: +387 jobs (+1.5 %) within 45 minutes, morning peak on a weekday``."""
    if row["change"] == 0:
        return f"{who}: no change"
    base = float(row["baseline"])
    share = f" ({_share(float(row['change']) / base)})" if base else ""
    what = unit_name(str(row["unit"])) or kind_name(str(row["kind"]))
    size = number(in_unit(float(row["change"]), str(row["unit"])), sign=True)
    when = f"{window_name(str(row['window']), {}).lower()} {on_day(str(row['day']))}".strip()
    return f"{who}: {size} {what}{share} within {row['cutoff_min']:g} minutes, {when}"


def _share(share: float) -> str:
    """``+1.5 %``; what rounds to nothing is not called nothing."""
    return percent(share, sign=True) if abs(share) >= _LEAST else "under 0.1\u202f%"


def _people(rows: pd.DataFrame) -> str:
    """``; 27,852 residents gain, 12 lose``."""
    if rows.empty:
        return ""
    better, worse = float(rows["persons_better"].iat[0]), float(rows["persons_worse"].iat[0])
    return "" if np.isnan(better) else f"; {count(better)} residents gain, {count(worse)} lose"


def _cost(proposal: ScenarioSummary, currency: str) -> str:
    """``; +27,222 bus-hours and about £2.1 million a year``; nothing where it takes none, or nobody can tell."""
    cost = proposal.cost
    if cost is None or MISSING_COST in cost:
        return ""
    paid = cost.get("cost_per_year")
    money = "" if paid is None or np.isnan(paid) else f" and {_about(float(paid), currency)}"
    return f"; {number(float(cost['bus_hours_per_year']), sign=True)} bus-hours{money} a year"


def _about(value: float, currency: str) -> str:
    """An amount as costs are known: ``about £2.1 million``, ``about £331,000``."""
    mark, size = "\u2212" if value < 0 else "", abs(value)
    text = f"{size / 1e6:.1f} million" if size >= _MILLION else f"{round(size, -3 if size >= _EXACT else 0):,.0f}"
    return f"about {mark}{money_sign(currency)}{text}"
