"""Means, quantiles and shares in which every number counts by the persons behind it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
_TINY = 1e-12  # of the total weight: what rounding of a sum of weights may do to a quantile


def persons_of(weights: ArrayLike, n: int) -> FloatArray:
    """Persons as floats: ``n`` numbers, none negative, none missing.

    Raises
    ------
    ValueError
        They are not.
    """
    persons = np.asarray(weights, dtype=np.float64)
    if persons.shape != (n,):
        raise ValueError(f"persons have the shape {persons.shape}, not ({n},)")
    if not np.isfinite(persons).all() or (persons < 0).any():
        raise ValueError("persons hold a negative, infinite or missing number; write 0 where nobody lives")
    return persons


def weighted_mean(values: ArrayLike, weights: ArrayLike) -> FloatArray:
    """Mean over the last axis; missing values are left out together with their weight.

    Formula: sum_i w_i x_i / sum_i w_i over i with x_i present. Missing (NaN) where nothing with a weight is present;
    infinite where something with a weight is infinite.

    Parameters
    ----------
    values : float, shape (..., n)
    weights : float, shape (n,) or (..., n)

    Returns
    -------
    float64, shape (...,)
    """
    x = np.asarray(values, dtype=np.float64)
    w = np.broadcast_to(np.asarray(weights, dtype=np.float64), x.shape)
    counts = ~np.isnan(x) & (w > 0)
    total = np.where(counts, w, 0.0).sum(axis=-1)
    # by shares, so that a value that stands alone comes out to the bit
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(counts, w, 0.0) / total[..., None]
        parts = np.where(counts, share * x, 0.0)
        mean: FloatArray = np.where(total > 0, parts.sum(axis=-1), np.nan)
    return mean


def weighted_quantile(values: ArrayLike, weights: ArrayLike, share: float = 0.5) -> float:
    """The smallest value that at least ``share`` of the weight does not exceed (nearest rank, infinity last).

    Missing values are left out together with their weight; NaN when no weight is left.
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; it lies above 0 and at most at 1")
    x, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    counts = ~np.isnan(x) & (w > 0)
    if not counts.any():
        return float("nan")
    order = np.argsort(x[counts], kind="stable")
    up_to = np.cumsum(w[counts][order])
    place = int(np.searchsorted(up_to, share * up_to[-1] * (1 - _TINY), side="left"))
    return float(x[counts][order][min(place, len(order) - 1)])


def weighted_quantiles(values: ArrayLike, weights: ArrayLike, share: float = 0.5) -> FloatArray:
    """``weighted_quantile`` of many rows of values under many rows of weights, each row of values sorted once.

    Parameters
    ----------
    values : float, shape (n_rows, n)
    weights : float, shape (n_groups, n)
        None negative.
    share : float

    Returns
    -------
    float64, shape (n_groups, n_rows)
    """
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}; it lies above 0 and at most 1")
    x, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    order = np.argsort(x, axis=1, kind="stable")
    ranked = np.take_along_axis(x, order, axis=1)
    found = np.full((len(w), len(x)), np.nan)
    for group, each in enumerate(w):
        # What weighs nothing adds nothing, to the bit: it can stay among the others.
        up_to = np.cumsum(np.where(np.isnan(ranked), 0.0, each[order]), axis=1)
        if up_to.size:
            enough = up_to >= share * up_to[:, -1:] * (1 - _TINY)
            at = np.argmax(enough, axis=1)
            found[group] = np.where(up_to[:, -1] > 0, ranked[np.arange(len(x)), at], np.nan)
    return found
