"""Two scores that official statistics use, in their form: connectivity with diminishing returns, and transport performance.

The first has local parameters and must not be printed as the score of the Department for Transport.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE
from community_routes.measures.decay import Decay
from community_routes.routing.matrices import as_amounts, as_times, cutoff_seconds

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Purpose:
    """One purpose of travel in a connectivity score.

    Attributes
    ----------
    columns : sequence of int
        Its places among the destinations.
    decay : Decay
        How a place counts by its travel time.
    weight : float
        The purpose's share of travel.
    returns : sequence of float
        How much the nearest, second nearest, ... place adds; never rising; places after the last add nothing.
    """

    columns: Sequence[int]
    decay: Decay
    weight: float
    returns: Sequence[float]


def connectivity_form(time_s: ArrayLike, purposes: Sequence[Purpose]) -> FloatArray:
    """Connectivity in the form of the Department for Transport's metric of 2025, with local parameters.

    Formula: S_i = sum_q omega_q sum_r delta_q(r) f_q(t_i,(r)), t_i,(r) the time to the r-th nearest place of purpose q.
    Unit: none; ``percent_of_best`` puts the best zone at 100. A zone that reaches nothing scores 0. The published
    metric is experimental, and its parameters are its own: this is its form only.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
    purposes : sequence of Purpose
    """
    times = as_times(time_s)
    score = np.zeros(times.shape[:-1])
    for purpose in purposes:
        returns = np.asarray(purpose.returns, dtype=np.float64)
        if purpose.weight < 0 or (returns < 0).any() or (np.diff(returns) > 0).any():
            raise ValueError("weights must be 0 or more, and returns of further places never rise")
        columns = np.asarray(purpose.columns, dtype=np.int64)
        n = min(len(columns), len(returns))
        closest = np.sort(times[..., columns], axis=-1)[..., :n]
        score += purpose.weight * (purpose.decay(closest) * returns[:n]).sum(axis=-1)
    return score


def percent_of_best(score: ArrayLike) -> FloatArray:
    """Scores with the best at 100; the middle zone is not at 50. All 0 stay 0."""
    x = np.asarray(score, dtype=np.float64)
    best = np.nanmax(x, initial=0.0)
    return np.asarray(100 * x / best if best > 0 else x * 0.0)


def transport_performance(
    time_s: ArrayLike,
    persons: ArrayLike,
    distance_km: ArrayLike,
    *,
    cutoff_s: float = 45 * MINUTE,
    radius_km: float = 11.25,
) -> FloatArray:
    """People who can be reached in 45 minutes for every 100 people who live within 11.25 km.

    Formula: 100 sum_j P_j [t_ij <= c] / sum_j P_j [d_ij <= r] (European Commission and Office for National Statistics,
    transport performance). Unit: per cent; may pass 100 where fast services reach beyond the radius. A zone that
    reaches nobody scores 0; missing (NaN) where nobody lives within the radius.

    Parameters
    ----------
    time_s : int32, shape (n_zones, n_zones)
    persons : float, shape (n_zones,)
    distance_km : float, shape (n_zones, n_zones)
        Straight-line distance.
    """
    times = as_times(time_s)
    people = as_amounts(persons, times.shape[-1], "persons")
    distance = np.asarray(distance_km, dtype=np.float64)
    if distance.shape != times.shape:
        raise ValueError(f"distances have the shape {distance.shape}, times {times.shape}")
    reached = np.where(times <= cutoff_seconds(cutoff_s), people, 0.0).sum(axis=-1)
    near = np.where(distance <= radius_km, people, 0.0).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(near > 0, 100 * reached / near, np.nan))
