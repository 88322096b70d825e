"""What every measure asks of the times and amounts it is given, and how minutes become whole seconds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import DAY, UNREACHED
from community_routes.routing.scan import NEVER
from community_routes.routing.search import as_seconds

LONGEST_S = 10 * DAY
AT_ONCE = 1 << 24
"""Travel times that are worked on at once."""


def as_times(time_s: Any) -> NDArray[np.int32]:
    """Travel times as a C-ordered int32 array with the destinations along the last axis; int16 is read as that of a search.

    Raises
    ------
    ValueError
        They are not whole seconds, a time is negative, or there is no axis of destinations.
    """
    given = np.asarray(time_s)
    if given.dtype.kind not in "iu":
        raise ValueError("travel times must be whole seconds (int32)")
    if given.ndim == 0:
        raise ValueError("travel times need an axis of destinations")
    if given.dtype == np.int16:
        given = as_seconds(given)
    times = np.ascontiguousarray(given, dtype=np.int32)
    if times.size and times.min() < 0:
        raise ValueError("a travel time is negative; where there is no journey, write times.UNREACHED")
    return times


def as_cube(time_s: Any) -> NDArray[np.int16]:
    """Travel times of a window in two bytes each, as a search gives them: ``NEVER`` where there is no journey.

    Raises
    ------
    ValueError
        They are no whole seconds, or a time is longer than nine hours.
    """
    given = np.asarray(time_s)
    if given.dtype == np.int16:
        return np.ascontiguousarray(given)
    times = as_times(given)
    if times.size and ((times >= NEVER) & (times != UNREACHED)).any():
        raise ValueError(f"a travel time of a window is {NEVER} s or longer; are the times in seconds?")
    return np.minimum(times, NEVER).astype(np.int16)


def in_parts(cube: NDArray[np.int16]) -> Iterator[NDArray[np.int16]]:
    """So many origins (the first axis) of a window's times at a time that what is made of a part stays small."""
    at_once = max(1, AT_ONCE // max(1, cube.shape[1] * cube.shape[2]))
    for start in range(0, max(1, len(cube)), at_once):
        yield cube[start : start + at_once]


def as_amounts(amounts: Any, n_destinations: int, name: str = "amounts") -> NDArray[np.float64]:
    """One amount (not negative, not missing) for each destination.

    Raises
    ------
    ValueError
        The number differs, or an amount is negative, infinite or missing.
    """
    values = np.ascontiguousarray(amounts, dtype=np.float64)
    if values.shape != (n_destinations,):
        raise ValueError(f"{name} has the shape {values.shape}, but there are {n_destinations} of them to give")
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"{name} holds a negative, infinite or missing value; every one must be 0 or more")
    return values


def as_floats(values: Any) -> NDArray[np.float64]:
    """Values as floats; whole seconds that are ``UNREACHED`` become infinite."""
    given = np.asarray(values)
    floats = given.astype(np.float64)
    if given.dtype.kind in "iu":
        floats[given == UNREACHED] = np.inf
    return floats


def cutoff_seconds(cutoff_s: float, name: str = "cutoff_s") -> int:
    """A limit in whole seconds; a fraction is cut off, which changes nothing because times are whole.

    Raises
    ------
    ValueError
        It is negative or longer than ten days.
    """
    if not 0 <= cutoff_s <= LONGEST_S:
        raise ValueError(f"{name} is {cutoff_s}; a limit lies between 0 seconds and ten days")
    return int(cutoff_s)
