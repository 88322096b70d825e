"""Compiled sums over destinations, always in the order of the destinations, so that equal inputs give equal bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from community_routes.kernels import kernel

IntArray = Any
FloatArray = Any


@kernel
def sum_within(
    time_s: IntArray, columns: IntArray, amounts: FloatArray, above_s: int, cutoffs_s: IntArray
) -> FloatArray:
    """For each row and cutoff, the sum of amounts of the columns with ``above_s < time <= cutoff``.

    ``time_s`` int32 (n_rows, n_destinations), ``columns`` int64, ``amounts`` float64 (n_destinations,),
    ``cutoffs_s`` int64; gives float64 (n_rows, n_cutoffs).
    """
    out = np.zeros((time_s.shape[0], cutoffs_s.shape[0]), dtype=np.float64)
    for row in range(time_s.shape[0]):
        totals = out[row]
        for column in columns:
            time = time_s[row, column]
            if time > above_s:
                for k in range(cutoffs_s.shape[0]):
                    if time <= cutoffs_s[k]:
                        totals[k] += amounts[column]
    return out


@kernel
def sum_by_table(time_s: IntArray, columns: IntArray, amounts: FloatArray, weight: FloatArray) -> FloatArray:
    """For each row, the sum of ``amounts * weight[time]``; a time beyond the table weighs nothing."""
    out = np.zeros(time_s.shape[0], dtype=np.float64)
    for row in range(time_s.shape[0]):
        total = 0.0
        for column in columns:
            time = time_s[row, column]
            if time < weight.shape[0]:
                total += amounts[column] * weight[time]
        out[row] = total
    return out


@kernel
def first_time_with(time_s: IntArray, amounts: FloatArray, needed: FloatArray, longest_s: int, never: int) -> IntArray:
    """For each row, the first second by which the amounts reached add up to what is needed.

    Halving over whole seconds: the sum in the order of the destinations never falls when the time grows, also in
    floating point, so that the answer agrees to the bit with the sum within that time.
    """
    out = np.empty(time_s.shape[0], dtype=np.int32)
    for row in range(time_s.shape[0]):
        low, high = 0, longest_s + 1
        while low < high:
            middle = (low + high) // 2
            total = 0.0
            for column in range(time_s.shape[1]):
                if time_s[row, column] <= middle:
                    total += amounts[column]
            if total >= needed[row]:
                high = middle
            else:
                low = middle + 1
        out[row] = low if low <= longest_s else never
    return out


@kernel
def smallest_few(time_s: IntArray, columns: IntArray, n: int, never: int) -> IntArray:
    """For each row, the n-th smallest time among the columns, ``never`` when there are fewer reached."""
    out = np.empty(time_s.shape[0], dtype=np.int32)
    best = np.empty(n, dtype=np.int32)
    for row in range(time_s.shape[0]):
        best[:] = never
        for column in columns:
            time = time_s[row, column]
            if time < best[n - 1]:
                place = n - 1
                while place > 0 and best[place - 1] > time:
                    best[place] = best[place - 1]
                    place -= 1
                best[place] = time
        out[row] = best[n - 1]
    return out
