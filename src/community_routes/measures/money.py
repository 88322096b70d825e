"""Measures of money as rows of the tables: what a budget reaches, and what a month of commuting costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE
from community_routes.fares.month import Commute, cost_of_share
from community_routes.measures.measure import (
    BUDGETS,
    MEDIAN,
    SECONDS,
    SHARE,
    Column,
    Facts,
    Measure,
    Need,
    PlacesOfKind,
    WindowInputs,
    ZoneColumn,
)
from community_routes.measures.reach import mean_over_departures, percentile_over_departures
from community_routes.measures.reached import Cumulative, Nearest

FloatArray = NDArray[np.float64]


def cost_burden(monthly_cost: ArrayLike, monthly_income: ArrayLike) -> FloatArray:
    """Cost of commuting as a share of income: cost / income, NaN where either is unknown or the income is 0."""
    cost, income = np.asarray(monthly_cost, dtype=np.float64), np.asarray(monthly_income, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(income > 0, cost / income, np.nan))


BEST = "best"
REACHED_FOR = Column("affordable_opportunities", "Reached", settings=("budget",))
NEAREST_FOR = Column("nearest_affordable", "Minutes to the nearest", "less", ("budget",))


@dataclass(frozen=True)
class Affordability(Measure):
    """Opportunities within each cutoff and budget on average over departures, and the time to the nearest.

    Formula: A_i(c, B) = sum_j O_j [t_ij(B) <= c], with the times t_ij(B) within the budget B; a fare that is not known is
    above every finite budget.

    The latter in seconds, the median over departures of the nearest at each; missing as ``over_fare`` where only the budget is
    in the way.
    """

    names = ("affordability",)
    columns = (REACHED_FOR, NEAREST_FOR)

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Affordability:
        if facts.fares is None or not facts.fares.budgets:
            raise ValueError("affordability needs `fares` with `budgets` in the study file")
        return cls()

    @property
    def needs(self) -> tuple[Need, ...]:
        return (BUDGETS,)

    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        if not window.times_of_budget:
            raise ValueError("affordability needs `fares` with `budgets` in the study file")
        found: list[ZoneColumn] = []
        for places in window.whole_keys:
            each = {
                budget: tuple(one.by_departure(times, places) for one in (Cumulative(window.cutoffs_min), Nearest()))
                for budget, times in sorted(window.times_of_budget.items())
            }
            found += self._of_places(window, places, Nearest().by_departure(window.time_s, places), each)
        return found

    @staticmethod
    def _of_places(
        window: WindowInputs,
        places: PlacesOfKind,
        free: NDArray[Any],
        each: Mapping[float, Sequence[NDArray[Any]]],
    ) -> Iterator[ZoneColumn]:
        """Of one kind, from the nearest at each departure whatever it costs, and from what each budget reaches and how soon."""

        def median(nearest: NDArray[Any]) -> FloatArray:
            return window.median_of_zones(percentile_over_departures(nearest[:, :, 0], MEDIAN))

        reason = np.where(
            window.off_zones, "off_network", np.where(np.isfinite(median(free)), "over_fare", "over_time")
        )
        for budget, (reached, nearest) in each.items():
            for k, cutoff in enumerate(window.cutoffs_min):
                values = window.of_zones(mean_over_departures(reached[:, :, k]))
                named = REACHED_FOR.name(float(budget))
                yield ZoneColumn(values, places.kind, named, places.unit, cutoff_min=cutoff)
            named = NEAREST_FOR.name(float(budget))
            yield ZoneColumn(median(nearest), places.kind, named, SECONDS, f"p{MEDIAN}", reason=reason)


COST = Column("commuting_cost", "Cost of commuting a month", "less", ("share", "holder"), endless=True)
BURDEN = Column("commuting_burden", "Cost of commuting, share of income", "less", ("share", "holder"), endless=True)


@dataclass(frozen=True)
class Commuting(Measure):
    """What a month of commuting costs, and its share of an income: ``commuting_cost_50``, ``commuting_burden_50`` for half of
    the jobs.

    The least with which ``share`` of all opportunities of ``key`` are within each cutoff (``commuting.cost_of_share``), leaving
    at the best departure of the window: reading ``best``. Of a zone with several points the weighted median. Missing as
    ``over_time`` where no money brings so much within reach, as ``over_fare`` where only rides without a price do, as
    ``income_unknown`` where there is nothing to be a share of.
    """

    names = ("commuting_cost",)
    settings = ("key", "share", "days", "days_a_week", "concession")
    columns = (COST, BURDEN)

    commute: Commute = field(default_factory=Commute)
    share: float = 0.5
    income_per_month: float | None = None

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Commuting:
        given = settings
        share, days, week = float(given.get("share", 0.5)), int(given.get("days", 21)), int(given.get("days_a_week", 5))
        if not 0 < share <= 1 or days < 1 or not 1 <= week <= 7:
            raise ValueError(
                f"commuting_cost takes a share above 0 up to 1, days from 1 and days_a_week from 1 to 7: {dict(given)}"
            )
        commute = Commute(str(given.get("key", "employment")), days, week, bool(given.get("concession", False)))
        if facts.fares is None:
            raise ValueError("commuting_cost needs `fares` in the study file")
        if commute.concession and facts.fares.concession is None:
            raise ValueError("commuting_cost with `concession: true` needs `concession` in the fares of the study file")
        if commute.key not in facts.keys:
            raise ValueError(f"{commute.key!r} is no key of destinations ({', '.join(facts.keys)})")
        return cls(commute, share, facts.fares.income_per_month)

    @property
    def needs(self) -> tuple[Need, ...]:
        return (self.commute,)

    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        cost, kind = window.cost_of_commute.get(self.commute), self.commute.key
        if cost is None:
            return []
        mine = np.flatnonzero((window.destinations["key"] == kind).to_numpy())
        amounts = window.destinations["amount"].to_numpy(dtype=np.float64)[mine]
        soonest_s = window.time_s.min(axis=1)[:, mine]
        off, income = window.off_zones, window.income(self.income_per_month)
        about = 100 * self.share, "concession" if self.commute.concession else ""
        found: list[ZoneColumn] = []
        for k, cutoff in enumerate(window.cutoffs_min):
            least = window.middle_of_zones(cost_of_share(cost[:, k], amounts, share=self.share))
            in_time = np.where(soonest_s <= cutoff * MINUTE, 0.0, np.inf)
            anyhow = window.middle_of_zones(cost_of_share(in_time, amounts, share=self.share))
            why = np.where(off, "off_network", np.where(np.isfinite(anyhow), "over_fare", "over_time"))
            money = f"{window.currency} per month"
            found.append(ZoneColumn(least, kind, COST.name(*about), money, BEST, cutoff, reason=why))
            if income is not None:
                unknown = np.where(off | ~np.isfinite(least), why, "income_unknown")
                burden = cost_burden(least, income)
                found.append(ZoneColumn(burden, kind, BURDEN.name(*about), SHARE, BEST, cutoff, reason=unknown))
        return found
