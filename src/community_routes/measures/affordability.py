"""What can be reached within a budget of time and of money, and what a way to work costs of an income."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.measures.matrices import as_amounts, as_times, cutoff_seconds

FloatArray = NDArray[np.float64]


def affordable_opportunities(
    time_s: ArrayLike, fare: ArrayLike, amounts: ArrayLike, *, cutoff_s: float, budget: float
) -> FloatArray:
    """Opportunities reached within a time and for a fare.

    Formula: A_i(c, B) = sum_j O_j [t_ij <= c and fare_ij <= B]. Unit: that of the amounts. A zone that reaches nothing
    scores 0. An unknown fare (NaN) is above every finite budget and within the infinite one, which gives exactly the
    cumulative opportunities without fares.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
    fare : float, the same shape
        Money; NaN where unknown.
    amounts : float, shape (n_destinations,)
    cutoff_s : float
    budget : float
        Money; infinite for no limit.
    """
    times = as_times(time_s)
    money = np.asarray(fare, dtype=np.float64)
    if money.shape != times.shape:
        raise ValueError(f"fares have the shape {money.shape}, times {times.shape}")
    if np.isnan(budget) or budget < 0:
        raise ValueError(f"the budget is {budget}; it must be 0 or more")
    within = times <= cutoff_seconds(cutoff_s)
    if budget != np.inf:
        within &= money <= budget
    return np.asarray((within * as_amounts(amounts, times.shape[-1])).sum(axis=-1))


def best_time_for(time_s: ArrayLike, fare: ArrayLike, *, budget: float, never: int) -> NDArray[np.int32]:
    """Shortest time over journeys that a budget allows: the last axis holds the journeys of one pair.

    Parameters
    ----------
    time_s : int32, shape (..., n_journeys)
        Journeys from the quickest and dearest to the slowest and cheapest, in any order.
    fare : float, the same shape
    budget : float
    never : int
        What to give where the budget allows none (``times.UNREACHED``).
    """
    times = as_times(time_s)
    money = np.asarray(fare, dtype=np.float64)
    allowed = np.ones(times.shape, dtype=bool) if budget == np.inf else money <= budget
    return np.asarray(np.min(np.where(allowed, times, never), axis=-1, initial=never), dtype=np.int32)


def cost_burden(monthly_cost: ArrayLike, monthly_income: ArrayLike) -> FloatArray:
    """Cost of commuting as a share of income: cost / income, NaN where either is unknown or the income is 0."""
    cost, income = np.asarray(monthly_cost, dtype=np.float64), np.asarray(monthly_income, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(income > 0, cost / income, np.nan))
