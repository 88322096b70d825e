"""Measures of money as rows of the tables: what a budget reaches, and what a month of commuting costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE
from community_routes.fares.month import Commute, cost_of_share
from community_routes.measures.access import kinds_of_places
from community_routes.measures.measure import SECONDS, SHARE, Cumulative, Nearest, PlacesOfKind, by_departure
from community_routes.measures.reach import mean_over_departures, percentile_over_departures
from community_routes.measures.window import WindowInputs, ZoneColumn

FloatArray = NDArray[np.float64]


def cost_burden(monthly_cost: ArrayLike, monthly_income: ArrayLike) -> FloatArray:
    """Cost of commuting as a share of income: cost / income, NaN where either is unknown or the income is 0."""
    cost, income = np.asarray(monthly_cost, dtype=np.float64), np.asarray(monthly_income, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(income > 0, cost / income, np.nan))


MEDIAN = 50
BEST = "best"


@dataclass(frozen=True)
class Affordability:
    """Opportunities within each cutoff and budget on average over departures, and the time to the nearest.

    Formula: A_i(c, B) = sum_j O_j [t_ij(B) <= c], with the times t_ij(B) within the budget; a fare that is not known is above
    every finite budget. Measures ``affordable_opportunities_<budget>`` and ``nearest_affordable_<budget>`` (seconds, the median
    over departures of the nearest at each; missing as ``over_fare`` where only the budget is in the way).
    """

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame:
        if not inputs.times_of_budget:
            raise ValueError("affordability needs `fares` with `budgets` in the study file")
        off = np.isnan(inputs.of_zones(np.zeros(len(inputs.origins))))
        columns: list[ZoneColumn] = []
        of_budget = sorted(inputs.times_of_budget.items())
        for places in kinds_of_places(inputs.destinations, units=inputs.units):
            if "/" in places.kind:
                continue
            free = self._nearest(inputs, inputs.time_s, places)
            reason = np.where(off, "off_network", np.where(np.isfinite(free), "over_fare", "over_time")).tolist()
            for budget, times in of_budget:
                columns += self._reached(inputs, places, times, f"{budget:g}")
                closest = self._nearest(inputs, times, places)
                name = f"nearest_affordable_{budget:g}"
                columns.append(ZoneColumn(closest, places.kind, name, SECONDS, reading=f"p{MEDIAN}", reason=reason))
        return inputs.table(columns)

    @staticmethod
    def _nearest(inputs: WindowInputs, times: NDArray[np.int32], places: PlacesOfKind) -> NDArray[np.float64]:
        seconds = by_departure(Nearest(), times, places)[:, :, 0]
        return inputs.median_of_zones(percentile_over_departures(seconds, MEDIAN))

    @staticmethod
    def _reached(
        inputs: WindowInputs, places: PlacesOfKind, times: NDArray[np.int32], name: str
    ) -> Iterable[ZoneColumn]:
        each = by_departure(Cumulative(inputs.cutoffs_min), times, places)
        for k, cutoff in enumerate(inputs.cutoffs_min):
            values = inputs.of_zones(mean_over_departures(each[:, :, k]))
            measure_name = f"affordable_opportunities_{name}"
            yield ZoneColumn(values, places.kind, measure_name, places.unit, cutoff_min=cutoff)


@dataclass(frozen=True)
class Commuting:
    """What a month of commuting costs, and its share of an income: ``commuting_cost_50``, ``commuting_burden_50`` for half of
    the jobs.

    The least with which ``share`` of all opportunities of ``key`` are within each cutoff (``commuting.cost_of_share``), leaving
    at the best departure of the window: reading ``best``. Of a zone with several points the weighted median. Missing as
    ``over_time`` where no money brings so much within reach, as ``over_fare`` where only rides without a price do, as
    ``income_unknown`` where there is nothing to be a share of.
    """

    commute: Commute = field(default_factory=Commute)
    share: float = 0.5
    income_per_month: float | None = None

    @property
    def key(self) -> str:
        """Key of the destinations."""
        return self.commute.key

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame:
        cost, money = inputs.cost_of_commute.get(self.commute), f"{inputs.currency} per month"
        if cost is None:
            none = np.zeros(len(inputs.zones))
            return inputs.rows(none, kind=self.key, measure="commuting_cost", unit=money).iloc[:0]
        mine = np.flatnonzero((inputs.destinations["key"] == self.key).to_numpy())
        amounts = inputs.destinations["amount"].to_numpy(dtype=np.float64)[mine]
        off = np.isnan(inputs.of_zones(np.zeros(len(inputs.origins))))
        income = inputs.income(self.income_per_month)
        ending = f"{100 * self.share:g}" + ("_concession" if self.commute.concession else "")
        tables = []
        for k, cutoff in enumerate(inputs.cutoffs_min):
            least = inputs.middle_of_zones(cost_of_share(cost[:, k], amounts, share=self.share))
            in_time = np.where(inputs.time_s[:, :, mine].min(axis=1) <= cutoff * MINUTE, 0.0, np.inf)
            anyhow = inputs.middle_of_zones(cost_of_share(in_time, amounts, share=self.share))
            why = np.where(off, "off_network", np.where(np.isfinite(anyhow), "over_fare", "over_time"))
            what = {"kind": self.key, "cutoff_min": cutoff, "reading": BEST}
            named = {"measure": f"commuting_cost_{ending}", "unit": money}
            tables.append(inputs.rows(least, reason=why.tolist(), **what, **named))
            if income is not None:
                unknown = np.where(off | ~np.isfinite(least), why, "income_unknown")
                named = {"measure": f"commuting_burden_{ending}", "unit": SHARE}
                tables.append(inputs.rows(cost_burden(least, income), reason=unknown.tolist(), **what, **named))
        return pd.concat(tables, ignore_index=True)
