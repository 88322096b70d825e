"""What can be reached: opportunities within a time, weighted by time, the nearest, and the time to reach enough.

Times are whole seconds with ``times.UNREACHED`` where there is no journey, and destinations lie along the last axis:
(n_origins, n_destinations) for a percentile of travel time, (n_origins, n_departures, n_destinations) for every
departure of a window. A limit is met when ``t <= limit``. A zone on the network that reaches nothing scores 0 where
opportunities are counted and is ``UNREACHED`` where times are; whether a zone is on the network is not known here.

Two readings of a window are different things, and both are offered:

- *mean over departures*: the measure at each departure, then ``mean_over_departures`` ("on average over the window");
- *a percentile of travel time*: ``percentile_times`` first, then the measure ("within 45 minutes on most departures").

Times (``nearest``, ``dual_access``) are read at each departure and then as ``percentile_over_departures``: the place that is
nearest may change from minute to minute, and the nearest of median times is the time of none of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.base.kernels import kernel
from community_routes.base.times import MINUTE, UNREACHED
from community_routes.measures.decay import Decay
from community_routes.routing.matrices import AT_ONCE, LONGEST_S, as_amounts, as_floats, as_times, cutoff_seconds
from community_routes.routing.scan import sorting_network
from community_routes.routing.search import as_seconds

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.int32]
Array = Any


@kernel
def sum_within(time_s: Array, columns: Array, amounts: Array, above_s: int, cutoffs_s: Array) -> Array:
    """For each row and cutoff, the sum of amounts of the columns with ``above_s < time <= cutoff``, added in their order.

    ``time_s`` int16 or int32 (n_rows, n_destinations), ``columns`` int64, ``amounts`` float64 (n_destinations,),
    ``cutoffs_s`` int64, rising; gives float64 (n_rows, n_cutoffs).
    """
    n = cutoffs_s.shape[0]
    out = np.zeros((time_s.shape[0], n), dtype=np.float64)
    if n == 0:
        return out
    longest = cutoffs_s[n - 1]
    first_met = np.searchsorted(cutoffs_s, np.arange(longest + 1))
    for row in range(time_s.shape[0]):
        totals = out[row]
        for column in columns:
            time = time_s[row, column]
            if above_s < time <= longest:
                amount = amounts[column]
                for k in range(first_met[time], n):
                    totals[k] += amount
    return out


@kernel
def whole_sums_within(time_s: Array, columns: Array, amounts: Array, cutoffs_s: Array) -> Array:
    """``sum_within`` of whole amounts (int64), whose sums are exact in any order: each time adds to one band between cutoffs.

    ``time_s`` is int16, ``cutoffs_s`` lie below ``NEVER``.
    """
    n = cutoffs_s.shape[0]
    out = np.empty((time_s.shape[0], n), dtype=np.float64)
    band_of = np.searchsorted(cutoffs_s, np.arange(32768)).astype(np.int16)
    bands = np.empty(n + 1, np.int64)
    for row in range(time_s.shape[0]):
        bands[:] = 0
        for column in columns:
            bands[band_of[time_s[row, column]]] += amounts[column]
        total = 0
        for k in range(n):
            total += bands[k]
            out[row, k] = total
    return out


@kernel
def sum_by_table(time_s: Array, columns: Array, amounts: Array, weight: Array) -> Array:
    """For each row, the sum of ``amounts * weight[time]``; a time beyond the table weighs nothing."""
    n_rows, beyond = time_s.shape[0], weight.shape[0]
    out = np.empty(n_rows, dtype=np.float64)
    weights = np.zeros(beyond + 1)
    weights[:beyond] = weight
    for row in range(0, n_rows - 3, 4):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for column in columns:
            amount = amounts[column]
            a += amount * weights[min(time_s[row, column], beyond)]
            b += amount * weights[min(time_s[row + 1, column], beyond)]
            c += amount * weights[min(time_s[row + 2, column], beyond)]
            d += amount * weights[min(time_s[row + 3, column], beyond)]
        out[row], out[row + 1], out[row + 2], out[row + 3] = a, b, c, d
    for row in range(n_rows - n_rows % 4, n_rows):
        total = 0.0
        for column in columns:
            total += amounts[column] * weights[min(time_s[row, column], beyond)]
        out[row] = total
    return out


@kernel
def ranked_times(cube: Array, comparators: Array, ranks: Array) -> Array:
    """Travel times of some ranks over the departures: int16 (n_origins, n_departures, n) -> (n_ranks, n_origins, n).

    The departures of an origin are sorted for all destinations at once by a sorting network (``routing.scan``).
    """
    n_origins, n_departures, n = cube.shape
    out = np.empty((ranks.shape[0], n_origins, n), np.int16)
    times = np.empty((n_departures, n), np.int16)
    for origin in range(n_origins):
        for d in range(n_departures):
            for column in range(n):
                times[d, column] = cube[origin, d, column]
        for i in range(comparators.shape[0]):
            lower = times[comparators[i, 0]]
            upper = times[comparators[i, 1]]
            for column in range(n):
                a = lower[column]
                b = upper[column]
                lower[column] = min(a, b)
                upper[column] = max(a, b)
        for k in range(ranks.shape[0]):
            for column in range(n):
                out[k, origin, column] = times[ranks[k], column]
    return out


@kernel
def departures_within(cube: Array, columns: Array, cutoff_s: int) -> Array:
    """At how many departures each of some destinations is within a time, int64 (n_origins, n_columns).

    ``cube`` int16 (n_origins, n_departures, n_destinations), ``cutoff_s`` below ``NEVER``.
    """
    counts = np.zeros((cube.shape[0], columns.shape[0]), np.int64)
    for origin in range(cube.shape[0]):
        for d in range(cube.shape[1]):
            for k in range(columns.shape[0]):
                counts[origin, k] += cube[origin, d, columns[k]] <= cutoff_s
    return counts


@kernel
def nearest_of_groups(cube: Array, group: Array, n_groups: int, never: int) -> Array:
    """Time to the nearest destination of each group (-1 for one in none): int16 (n_origins, n_departures, n_groups)."""
    n_origins, n_departures, n = cube.shape
    out = np.full((n_origins, n_departures, n_groups), never, np.int16)
    for origin in range(n_origins):
        for d in range(n_departures):
            for column in range(n):
                k = group[column]
                if k >= 0 and cube[origin, d, column] < out[origin, d, k]:
                    out[origin, d, k] = cube[origin, d, column]
    return out


@kernel
def first_time_with(time_s: Array, amounts: Array, needed: Array, longest_s: int, never: int) -> Array:
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
def smallest_few(time_s: Array, columns: Array, n: int, never: int) -> Array:
    """For each row, the n-th smallest time among the columns, ``never`` when there are fewer reached; dtype of the times."""
    out = np.empty(time_s.shape[0], dtype=time_s.dtype)
    best = np.empty(n, dtype=time_s.dtype)
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


def cumulative_opportunities(time_s: ArrayLike, amounts: ArrayLike, *, cutoff_s: float) -> FloatArray:
    """Opportunities reached within a time.

    Formula: A_i = sum_j O_j [t_ij <= c]. Unit: that of the amounts. A zone that reaches nothing scores 0.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
        Travel times in seconds.
    amounts : float, shape (n_destinations,)
        Opportunities at each destination.
    cutoff_s : float
        The limit in seconds; a journey of exactly the limit counts.

    Returns
    -------
    float64, shape (...,)

    References
    ----------
    Hansen, W. G. (1959). How accessibility shapes land use. Journal of the American Institute of Planners 25, 73-76.
    """
    return _sums(time_s, amounts, -1, [cutoff_seconds(cutoff_s)])[..., 0]


def opportunities_between(time_s: ArrayLike, amounts: ArrayLike, *, above_s: float, up_to_s: float) -> FloatArray:
    """Opportunities in a band of time: A_i = sum_j O_j [a < t_ij <= b], so that neighbouring bands add up.

    Unit: that of the amounts; 0 for a zone that reaches nothing in the band. The first band begins with
    ``above_s=-1``, because a place may be 0 seconds away.
    """
    lower = -1 if above_s < 0 else cutoff_seconds(above_s, "above_s")
    upper = cutoff_seconds(up_to_s, "up_to_s")
    if upper <= lower:
        raise ValueError(f"the band ends ({up_to_s} s) before it begins ({above_s} s)")
    return _sums(time_s, amounts, lower, [upper])[..., 0]


def interval_opportunities(
    time_s: ArrayLike,
    amounts: ArrayLike,
    *,
    from_s: float,
    to_s: float,
    step_s: float = MINUTE,
    summary: Literal["mean", "median"] = "mean",
) -> FloatArray:
    """Cumulative opportunities summed up over an interval of cutoffs, so that no single cutoff decides.

    Formula: the mean (or median) of A_i(c) over c = a, a + step, ..., at most b. Unit: that of the amounts; 0 for a
    zone that reaches nothing.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
    amounts : float, shape (n_destinations,)
    from_s, to_s : float
        First and last cutoff in seconds.
    step_s : float
        Seconds between two cutoffs.
    summary : "mean" or "median"
        Of an even number of cutoffs the median is the mean of the middle two.
    """
    first, last, step = cutoff_seconds(from_s, "from_s"), cutoff_seconds(to_s, "to_s"), int(step_s)
    if step <= 0 or last < first:
        raise ValueError(f"no cutoffs lie between {from_s} s and {to_s} s in steps of {step_s} s")
    values = _sums(time_s, amounts, -1, list(range(first, last + 1, step)))
    result: FloatArray = np.median(values, axis=-1) if summary == "median" else values.sum(axis=-1) / values.shape[-1]
    return result


def gravity(time_s: ArrayLike, amounts: ArrayLike, decay: Decay) -> FloatArray:
    """Opportunities weighted by their travel time.

    Formula: A_i = sum_j O_j f(t_ij) with a decay of ``measures.decay``: f(0) = 1, never rising. Unit: that of the
    amounts ("as many as if so many were next door"). A zone that reaches nothing scores 0.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
    amounts : float, shape (n_destinations,)
    decay : Decay

    Returns
    -------
    float64, shape (...,)

    References
    ----------
    Hansen, W. G. (1959). How accessibility shapes land use. Journal of the American Institute of Planners 25, 73-76.
    """
    times = as_times(time_s)
    weights = decay.table(_longest(times))
    values = as_amounts(amounts, times.shape[-1])
    total: FloatArray = sum_by_table(_rows(times), _all(times), values, weights).reshape(times.shape[:-1])
    return total


def n_places(time_s: ArrayLike, amounts: ArrayLike | None = None, *, cutoff_s: float) -> FloatArray:
    """Number of distinct places with anything to offer within a time.

    Formula: N_i = sum_j [O_j > 0] [t_ij <= c] (every j where no amounts are given). Unit: places. A zone that reaches
    nothing scores 0.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
        Travel times in seconds.
    amounts : float, shape (n_destinations,), optional
    cutoff_s : float
        The limit in seconds; a journey of exactly the limit counts.

    Returns
    -------
    float64, shape (...,)
    """
    times = as_times(time_s)
    return cumulative_opportunities(times, _offers(amounts, times.shape[-1]).astype(np.float64), cutoff_s=cutoff_s)


def nearest(time_s: ArrayLike, n: int = 1, amounts: ArrayLike | None = None) -> TimeArray:
    """Time to the nearest (or n-th nearest) place that has anything to offer.

    Formula: the n-th smallest t_ij over j with O_j > 0 (every j where no amounts are given). Unit: seconds.
    ``UNREACHED`` where fewer than n places are reached; never 0.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
    n : int
        1 for the nearest, 2 for the second nearest, ...
    amounts : float, shape (n_destinations,), optional

    Returns
    -------
    int32, shape (...,)
    """
    if n < 1:
        raise ValueError(f"n is {n}; the nearest place is number 1")
    times = as_times(time_s)
    columns = np.flatnonzero(_offers(amounts, times.shape[-1]))
    best: TimeArray = smallest_few(_rows(times), columns, n, UNREACHED).reshape(times.shape[:-1])
    return best


def dual_access(time_s: ArrayLike, amounts: ArrayLike, needed: ArrayLike) -> TimeArray:
    """Time by which enough opportunities are reached.

    Formula: D_i(K) = min {t : sum_j O_j [t_ij <= t] >= K}. Unit: seconds. ``UNREACHED`` where it never comes to K;
    0 where nothing is needed. With K the persons of the zone it is the balancing time.

    Parameters
    ----------
    time_s : int32, shape (..., n_destinations)
    amounts : float, shape (n_destinations,)
    needed : float, a number or shape (n_origins,)
        K, for all origins or for each (the first axis of the times).

    Returns
    -------
    int32, shape (...,)
    """
    times = as_times(time_s)
    values = as_amounts(amounts, times.shape[-1])
    wanted = np.asarray(needed, dtype=np.float64)
    if not np.isfinite(wanted).all() or (wanted < 0).any():
        raise ValueError("needed holds a negative, infinite or missing number; nothing needed is 0")
    lead = wanted if wanted.ndim == 0 else wanted.reshape(wanted.shape + (1,) * (times.ndim - 1 - wanted.ndim))
    per_row = np.ascontiguousarray(np.broadcast_to(lead, times.shape[:-1])).reshape(-1)
    found: TimeArray = first_time_with(_rows(times), values, per_row, _longest(times), UNREACHED)
    return found.reshape(times.shape[:-1])


def mean_over_departures(values: ArrayLike) -> FloatArray:
    """Mean over the last axis, the departures: (n_origins, n_departures) -> (n_origins,).

    Whole seconds count as times: with one ``UNREACHED`` departure their mean is infinite, because a mean over the
    departures that happen to reach would make the worst service look best.
    """
    floats = np.ascontiguousarray(as_floats(values))
    mean: FloatArray = floats.sum(axis=-1) / floats.shape[-1]
    return mean


def share_of_departures(time_s: ArrayLike) -> FloatArray:
    """Share of departures (the last axis) at which there is a journey: 0 to 1."""
    reached = np.asarray(time_s) != UNREACHED
    share: FloatArray = reached.sum(axis=-1) / reached.shape[-1]
    return share


def percentile_over_departures(values: Any, percentile: int) -> Any:
    """A percentile over the last axis, the departures, by nearest rank: an actual value, never one between two.

    Index ceil(p/100 n) counted from 1 in rising order, ``UNREACHED`` and infinity last. The dtype is kept.
    """
    given = np.asarray(values)
    rank = nearest_rank(given.shape[-1], percentile)
    return np.partition(given, rank, axis=-1)[..., rank]


def percentiles_over_departures(values: NDArray[Any], percentiles: Sequence[int]) -> dict[int, NDArray[Any]]:
    """``percentile_over_departures`` of several percentiles, put in order once."""
    ranked = np.sort(values, axis=-1)
    return {p: ranked[..., nearest_rank(values.shape[-1], p)] for p in percentiles}


def percentile_times(time_s: ArrayLike, percentile: int) -> TimeArray:
    """A percentile of travel time over departures: (n_origins, n_departures, n_destinations) -> (n_origins, n_destinations).

    Nearest rank, ``UNREACHED`` last, so the 75th percentile is reached only if three departures in four have a journey.
    """
    times = as_times(time_s)
    if times.ndim != 3:
        raise ValueError(f"percentile_times needs (origins, departures, destinations), not the shape {times.shape}")
    rank = nearest_rank(times.shape[1], percentile)
    found = np.empty((times.shape[0], times.shape[2]), np.int32)
    at_once = max(1, AT_ONCE // max(1, times.shape[1] * times.shape[2]))
    for start in range(0, times.shape[0], at_once):
        swapped = np.ascontiguousarray(times[start : start + at_once].transpose(0, 2, 1))
        swapped.partition(rank, axis=-1)
        found[start : start + at_once] = swapped[..., rank]
    return found


def percentiles_of_cube(cube: NDArray[np.int16], percentiles: Iterable[int]) -> dict[int, TimeArray]:
    """``percentile_times`` of several percentiles together, of the times of a window as a search gives them."""
    asked = sorted(set(percentiles))
    if not asked:
        return {}
    ranks = tuple(nearest_rank(cube.shape[1], percentile) for percentile in asked)
    found = ranked_times(cube, _comparators(cube.shape[1], ranks), np.asarray(ranks, np.int64))
    return {percentile: as_seconds(times) for percentile, times in zip(asked, found, strict=True)}


@lru_cache(maxsize=32)
def _comparators(n: int, ranks: tuple[int, ...]) -> NDArray[np.int32]:
    return sorting_network(n, list(ranks))


def nearest_rank(n: int, percentile: int) -> int:
    """Place (from 0) of a percentile among n sorted values: ceil(p/100 n) - 1.

    Raises
    ------
    ValueError
        The percentile is no whole number above 0 and at most 100, or there are no values.
    """
    if percentile != int(percentile) or not 0 < percentile <= 100:
        raise ValueError(f"the percentile {percentile} is not a whole number above 0 and at most 100")
    if n < 1:
        raise ValueError("there is no departure to take a percentile of")
    return -(-int(percentile) * n // 100) - 1


def zone_average(values: ArrayLike, zone: ArrayLike, weight: ArrayLike, n_zones: int) -> FloatArray:
    """Access of zones from the access of their origin points, by the points' weights.

    Formula: A_z = sum_{p in z} w_p A_p / sum_{p in z} w_p over points with a value. A zone whose points all lack one
    is missing. It is for access, not for travel times: averaged times say nothing of what is within a cutoff.

    Parameters
    ----------
    values : float, shape (n_points, ...)
        NaN where a point is not on the network.
    zone : int, shape (n_points,)
    weight : float, shape (n_points,)
        Where all points of a zone weigh 0 they count alike.
    n_zones : int

    Returns
    -------
    float64, shape (n_zones, ...)
    """
    x = np.asarray(values, dtype=np.float64)
    rows = np.asarray(zone, dtype=np.int64)
    flat = x.reshape(len(rows), math.prod(x.shape[1:]))
    weights = _even_where_zero(rows, np.asarray(weight, dtype=np.float64), n_zones)
    if len(rows) and np.bincount(rows).max() == 1:  # one point in each zone, the common case: its value is the zone's
        alone = np.full((n_zones, flat.shape[1]), np.nan)
        alone[rows] = flat
        return alone.reshape((n_zones, *x.shape[1:]))
    present = ~np.isnan(flat)
    w = weights[:, None] * present
    total = np.zeros((n_zones, flat.shape[1]))
    np.add.at(total, rows, w)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = w / total[rows]
    parts = np.where(present & (share > 0), share * np.where(present, flat, 0.0), 0.0)
    result = np.zeros((n_zones, flat.shape[1]))
    np.add.at(result, rows, parts)
    result[total == 0] = np.nan
    return result.reshape((n_zones, *x.shape[1:]))


def _even_where_zero(zone: NDArray[np.int64], weight: FloatArray, n_zones: int) -> FloatArray:
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("the weights of origin points must be 0 or more")
    total = np.bincount(zone, weights=weight, minlength=n_zones)
    return np.where(total[zone] == 0, 1.0, weight)


def _sums(time_s: ArrayLike, amounts: ArrayLike, above_s: int, cutoffs_s: list[int]) -> FloatArray:
    times = as_times(time_s)
    values = as_amounts(amounts, times.shape[-1])
    total: FloatArray = sum_within(_rows(times), _all(times), values, above_s, np.asarray(cutoffs_s, dtype=np.int64))
    return total.reshape((*times.shape[:-1], len(cutoffs_s)))


def _rows(times: TimeArray) -> TimeArray:
    return times.reshape(math.prod(times.shape[:-1]), times.shape[-1])


def _all(times: TimeArray) -> NDArray[np.int64]:
    return np.arange(times.shape[-1], dtype=np.int64)


def _offers(amounts: ArrayLike | None, n_destinations: int) -> NDArray[np.bool_]:
    return np.ones(n_destinations, dtype=bool) if amounts is None else as_amounts(amounts, n_destinations) > 0


def _longest(times: TimeArray) -> int:
    longest = int(np.max(times, initial=0, where=times != UNREACHED))
    if longest > LONGEST_S:
        raise ValueError(f"a travel time is {longest} s, more than ten days; are the times in seconds?")
    return longest
