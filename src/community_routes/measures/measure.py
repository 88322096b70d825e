"""Compiled sums over destinations, always in the order of the destinations, so that equal inputs give equal bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from community_routes.base.kernels import kernel
from community_routes.base.times import MINUTE, UNREACHED
from community_routes.measures.decay import Decay, build_decay
from community_routes.routing.matrices import cutoff_seconds

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


TimeArray = NDArray[np.int32]
SECONDS = "seconds"
PLACES = "places"
SHARE = "share"


@dataclass(frozen=True, eq=False)
class PlacesOfKind:
    """The destinations of one kind: their columns in the travel times, their amounts, and the unit of an amount."""

    kind: str
    columns: NDArray[np.int64]
    amounts: NDArray[np.float64]
    unit: str


class AccessMeasure(Protocol):
    """A measure of reach for the tables.

    ``of_rows`` takes times as int32 (n_rows, n_destinations) and gives (n_rows, n_cutoffs): float64, or int32 seconds
    where ``is_time``. One with ``for_kinds`` False is worked out for whole keys only, not for each kind of place under them.
    """

    @property
    def name(self) -> str: ...
    @property
    def is_time(self) -> bool: ...
    @property
    def cutoffs_min(self) -> tuple[float | None, ...]: ...
    def unit(self, places: PlacesOfKind) -> str: ...
    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]: ...


def by_departure(measure: AccessMeasure, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
    """The measure at each departure: times (n_origins, n_departures, n_destinations) -> (n_origins, n_departures, n_cutoffs)."""
    rows = measure.of_rows(times.reshape(-1, times.shape[-1]), places)
    return rows.reshape((*times.shape[:-1], -1))


def _cutoffs_s(cutoffs_min: Sequence[float | None]) -> NDArray[np.int64]:
    return np.asarray([cutoff_seconds((c or 0) * MINUTE, "cutoff_min in seconds") for c in cutoffs_min], dtype=np.int64)


@dataclass(frozen=True)
class Cumulative:
    """``reach.cumulative_opportunities`` at each cutoff."""

    cutoffs_min: tuple[float | None, ...]
    name: str = "cumulative_opportunities"
    is_time: bool = False

    def unit(self, places: PlacesOfKind) -> str:
        return places.unit

    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
        return np.asarray(sum_within(times, places.columns, places.amounts, -1, _cutoffs_s(self.cutoffs_min)))


@dataclass(frozen=True)
class NumberOfPlaces:
    """``reach.n_places`` at each cutoff."""

    cutoffs_min: tuple[float | None, ...]
    name: str = "n_places"
    is_time: bool = False

    def unit(self, places: PlacesOfKind) -> str:
        return PLACES

    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
        one_each = (places.amounts > 0).astype(np.float64)
        return np.asarray(sum_within(times, places.columns, one_each, -1, _cutoffs_s(self.cutoffs_min)))


@dataclass(frozen=True)
class Isolated:
    """1 where nothing is within each cutoff, 0 where something is: on average over departures ``connection.isolation``."""

    cutoffs_min: tuple[float | None, ...]
    name: str = "isolated"
    is_time: bool = False
    for_kinds: bool = True

    def unit(self, places: PlacesOfKind) -> str:
        return SHARE

    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
        offering = places.columns[places.amounts[places.columns] > 0]
        closest = np.asarray(smallest_few(times, offering, 1, UNREACHED))
        return (closest[:, None] > _cutoffs_s(self.cutoffs_min)[None, :]).astype(np.float64)


@dataclass(frozen=True)
class Interval:
    """``reach.interval_opportunities``: the mean over the cutoffs of an interval, minute by minute."""

    from_s: int
    to_s: int
    is_time: bool = False
    cutoffs_min: tuple[float | None, ...] = (None,)
    for_kinds: bool = True

    @property
    def name(self) -> str:
        return f"interval_opportunities_{self.from_s // MINUTE}_{self.to_s // MINUTE}"

    def unit(self, places: PlacesOfKind) -> str:
        return places.unit

    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
        cutoffs = np.arange(self.from_s, self.to_s + 1, MINUTE, dtype=np.int64)
        values = np.asarray(sum_within(times, places.columns, places.amounts, -1, cutoffs))
        return np.asarray(values.sum(axis=1, keepdims=True) / len(cutoffs))


@dataclass(frozen=True)
class Gravity:
    """``reach.gravity`` with one decay."""

    decay: Decay
    is_time: bool = False
    cutoffs_min: tuple[float | None, ...] = (None,)

    @property
    def name(self) -> str:
        return f"gravity_{self.decay.name}"

    def unit(self, places: PlacesOfKind) -> str:
        return f"{places.unit}, weighted by time"

    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
        longest = int(np.max(times, initial=0, where=times != UNREACHED))
        weights = self.decay.table(longest)
        return np.asarray(sum_by_table(times, places.columns, places.amounts, weights))[:, None]


@dataclass(frozen=True)
class Nearest:
    """``reach.nearest`` for the n-th place."""

    n: int = 1
    is_time: bool = True
    cutoffs_min: tuple[float | None, ...] = (None,)

    @property
    def name(self) -> str:
        return "nearest" if self.n == 1 else f"nearest_{self.n}"

    def unit(self, places: PlacesOfKind) -> str:
        return SECONDS

    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
        offering = places.columns[places.amounts[places.columns] > 0]
        return np.asarray(smallest_few(times, offering, self.n, UNREACHED))[:, None]


@dataclass(frozen=True)
class Dual:
    """``reach.dual_access`` for one amount needed."""

    needed: float
    is_time: bool = True
    cutoffs_min: tuple[float | None, ...] = (None,)

    @property
    def name(self) -> str:
        return f"dual_access_{self.needed:g}"

    def unit(self, places: PlacesOfKind) -> str:
        return SECONDS

    def of_rows(self, times: TimeArray, places: PlacesOfKind) -> NDArray[Any]:
        of_kind = np.ascontiguousarray(times[:, places.columns])
        longest = int(np.max(of_kind, initial=0, where=of_kind != UNREACHED))
        needed = np.full(len(times), float(self.needed))
        return np.asarray(first_time_with(of_kind, places.amounts[places.columns], needed, longest, UNREACHED))[:, None]


def default_measures(cutoffs_min: Sequence[float]) -> tuple[AccessMeasure, ...]:
    """What a study scores when it chooses nothing.

    Opportunities within each cutoff, and the nearest; for whole keys also who has nothing within a cutoff, and the mean over
    the cutoffs from 30 to 60 minutes, so that no single cutoff decides.
    """
    cutoffs = tuple(cutoffs_min)
    interval = Interval(30 * MINUTE, 60 * MINUTE, for_kinds=False)
    return (Cumulative(cutoffs), Nearest(), Isolated(cutoffs, for_kinds=False), interval)


def build_access_measure(name: str, settings: Mapping[str, Any], cutoffs_min: Sequence[float]) -> AccessMeasure:
    """A measure of reach by its name in a study file.

    ``cumulative_opportunities``, ``n_places``, ``isolated`` (at the study's cutoffs), ``interval_opportunities``
    (``from_min``, ``to_min``), ``nearest`` (``n``), ``dual_access`` (``needed``), ``gravity_exponential``
    (``half_time_min``) and the other decays by their own settings.

    Raises
    ------
    ValueError
        The name or a setting is unknown; the message names what is allowed.
    """
    if name.startswith("gravity_"):
        return Gravity(build_decay(name.removeprefix("gravity_"), settings))
    if name not in REACH:
        known = ", ".join(sorted(REACH))
        raise ValueError(f"{name!r} is no measure of reach; write one of {known}, gravity_<decay>")
    allowed, build = REACH[name]
    if extra := set(settings) - allowed:
        raise ValueError(f"{name} has no setting {sorted(extra)}; it takes {sorted(allowed) or 'none'}")
    return build(settings, tuple(cutoffs_min))


def _interval(settings: Mapping[str, Any], _: tuple[float, ...]) -> AccessMeasure:
    first, last = (_whole(settings.get(k, d), k) for k, d in (("from_min", 30), ("to_min", 60)))
    if last < first:
        raise ValueError(f"the interval from {first} to {last} minutes holds no cutoff")
    return Interval(first * MINUTE, last * MINUTE)


Builder = Callable[[Mapping[str, Any], tuple[float, ...]], AccessMeasure]
REACH: dict[str, tuple[frozenset[str], Builder]] = {
    "cumulative_opportunities": (frozenset(), lambda _, cutoffs: Cumulative(cutoffs)),
    "n_places": (frozenset(), lambda _, cutoffs: NumberOfPlaces(cutoffs)),
    "isolated": (frozenset(), lambda _, cutoffs: Isolated(cutoffs)),
    "interval_opportunities": (frozenset({"from_min", "to_min"}), _interval),
    "nearest": (frozenset({"n"}), lambda settings, _: Nearest(_whole(settings.get("n", 1), "n"))),
    "dual_access": (frozenset({"needed"}), lambda settings, _: Dual(float(settings.get("needed", 1)))),
}
"""Measures of reach by the name in a study file: the settings each takes, and how it is built of them and the cutoffs."""


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or float(value) != int(float(value)) or float(value) < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 or more")
    return int(float(value))
