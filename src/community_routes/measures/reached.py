"""Measures of reach: opportunities within a time or weighted by it, and times to the nearest and to enough.

Each says what one row of travel times is worth to a kind of place (``of_rows``); ``Reach`` reads that over the departures of a
window: counts as their mean and from percentiles of travel time, times as percentiles over departures.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import MINUTE, UNREACHED
from community_routes.measures.decay import DECAYS, Decay, build_decay
from community_routes.measures.measure import (
    MEDIAN,
    MOST_EXACT,
    PLACES,
    SECONDS,
    SHARE,
    Column,
    Facts,
    Measure,
    PlacesOfKind,
    WindowInputs,
    ZoneColumn,
)
from community_routes.measures.reach import (
    first_time_with,
    mean_over_departures,
    percentile_over_departures,
    percentiles_over_departures,
    share_of_departures,
    smallest_few,
    sum_by_table,
    sum_within,
    whole_sums_within,
)
from community_routes.routing.matrices import as_cube, cutoff_seconds, in_parts
from community_routes.routing.scan import NEVER
from community_routes.routing.search import as_seconds

Cube = NDArray[np.int16]
SHARE_REACHED = Column("share_reached", "Share of departures that reach one", settings=("of",))
"""Stands beside every time: the share of departures with a journey, 0 to 1."""


class Reach(Measure):
    """A measure that follows from the travel times to each kind of place.

    A zone on the network that reaches nothing has counts of 0, and times missing with a reason; a zone off the network has
    everything missing. Several origin points of a zone: counts and shares are averaged by weight over the points on the
    network; of times the weighted median is taken, because the mean of a time and of no time is no time.

    Readings of counts: ``mean`` (over departures) and ``p<percentile>`` (from that percentile of travel time). Readings of
    times, in seconds: ``p<percentile>``, that percentile over departures of the time at each of them (to the place that is
    nearest then), with ``p50``, the headline, always among them. One kind of place under a key (``shared_spaces/library``)
    has its headline readings only: ``mean`` of counts, ``p50`` of times and the share that reaches.

    Attributes
    ----------
    cutoffs_min : tuple of float or None
    is_time : bool
        Its values are int32 seconds, ``UNREACHED`` where there is none.
    for_kinds : bool
        False where it is worked out for whole keys only.
    """

    is_time: ClassVar[bool] = False
    cutoffs_min: tuple[float | None, ...] = (None,)
    for_kinds: bool = True

    @property
    def name(self) -> str:
        """Its published name."""
        return self.columns[0].id

    def unit(self, places: PlacesOfKind) -> str:
        """Unit of its values."""
        return SECONDS if self.is_time else places.unit

    @abstractmethod
    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        """Its values for rows of times as a search gives them: int16 (n_rows, n_destinations) -> (n_rows, n_cutoffs)."""

    def by_departure(self, cube: NDArray[np.int16] | NDArray[np.int32], places: PlacesOfKind) -> NDArray[Any]:
        """At each departure: (n_origins, n_departures, n_destinations) -> (n_origins, n_departures, n_cutoffs)."""
        times = as_cube(cube)
        parts = [
            self.of_rows(part.reshape(-1, part.shape[-1]), places).reshape((*part.shape[:-1], -1))
            for part in in_parts(times)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        columns: list[ZoneColumn] = []
        for places in window.kinds:
            if places.is_whole or self.for_kinds:
                each = self.by_departure(window.time_s, places)
                columns += self._times(window, places, each) if self.is_time else self._counts(window, places, each)
        return columns

    def whole_amounts(self, places: PlacesOfKind) -> NDArray[np.int64] | None:
        """Of each destination, where the measure at a departure is the sum of these within a cutoff; None where it is not.

        Only whole numbers that add up to less than 2^53: their sum in floating point is exact, in whatever order.
        """
        return None

    def at_departures(self, window: WindowInputs, places: PlacesOfKind, cutoff_min: float | None) -> NDArray[Any]:
        """Its values for one cutoff at each departure, shape (n_origins, n_departures)."""
        alone: Any = self if cutoff_min is None else replace(self, cutoffs_min=(cutoff_min,))  # type: ignore[type-var]
        return np.ascontiguousarray(alone.by_departure(window.time_s, places)[:, :, 0])

    def headline(
        self, window: WindowInputs, places: PlacesOfKind, cutoff_min: float | None, each: NDArray[Any]
    ) -> ZoneColumn:
        """Of what ``take`` gives the headline reading alone, from the values at each departure."""
        about = (places.kind, self.name, self.unit(places))
        if self.is_time:
            values = window.median_of_zones(percentile_over_departures(each, MEDIAN))
            return ZoneColumn(values, *about, f"p{MEDIAN}", cutoff_min, reason=window.why_no_time(places))
        return ZoneColumn(window.of_zones(mean_over_departures(each)), *about, "mean", cutoff_min)

    def _counts(self, window: WindowInputs, places: PlacesOfKind, each: NDArray[Any]) -> list[ZoneColumn]:
        """Counts in each reading; only a zone off the network lacks them."""
        readings = {"mean": mean_over_departures(each.transpose(0, 2, 1))}
        for percentile, times in window.times_of_percentile.items() if places.is_whole else ():
            readings[f"p{percentile}"] = self.of_rows(as_cube(times), places)
        unit = self.unit(places)
        return [
            ZoneColumn(window.of_zones(values[:, k]), places.kind, self.name, unit, reading, cutoff)
            for reading, values in readings.items()
            for k, cutoff in enumerate(self.cutoffs_min)
        ]

    def _times(self, window: WindowInputs, places: PlacesOfKind, each: NDArray[Any]) -> list[ZoneColumn]:
        """Times in each reading, and the share of departures that reach."""
        missing = window.why_no_time(places)
        nowhere = window.off_zones | (missing == "no_destination")
        percentiles = sorted({MEDIAN, *window.percentiles}) if places.is_whole else [MEDIAN]
        columns: list[ZoneColumn] = []
        for k, cutoff in enumerate(self.cutoffs_min):
            seconds = each[:, :, k]
            for p, ranked in percentiles_over_departures(seconds, percentiles).items():
                values = window.median_of_zones(ranked)
                columns.append(
                    ZoneColumn(values, places.kind, self.name, self.unit(places), f"p{p}", cutoff, reason=missing)
                )
            share = np.where(nowhere, np.nan, window.of_zones(share_of_departures(seconds)))
            named = SHARE_REACHED.name(self.name)
            columns.append(ZoneColumn(share, places.kind, named, SHARE, cutoff_min=cutoff, reason=missing))
        return columns


@dataclass(frozen=True)
class Cumulative(Reach):
    """``reach.cumulative_opportunities`` at each cutoff."""

    names = ("cumulative_opportunities",)
    columns = (Column("cumulative_opportunities", "Places within reach"),)

    cutoffs_min: tuple[float | None, ...]

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Cumulative:
        return cls(facts.cutoffs_min)

    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        return _sums_within(times, places, places.amounts, self.cutoffs_min, places.whole_amounts)

    def whole_amounts(self, places: PlacesOfKind) -> NDArray[np.int64] | None:
        return places.whole_amounts


@dataclass(frozen=True)
class NumberOfPlaces(Reach):
    """``reach.n_places`` at each cutoff."""

    names = ("n_places",)
    columns = (Column("n_places", "Number of places"),)

    cutoffs_min: tuple[float | None, ...]

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> NumberOfPlaces:
        return cls(facts.cutoffs_min)

    def unit(self, places: PlacesOfKind) -> str:
        return PLACES

    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        one_each = (places.amounts > 0).astype(np.float64)
        return _sums_within(times, places, one_each, self.cutoffs_min, one_each.astype(np.int64))


@dataclass(frozen=True)
class Isolated(Reach):
    """1 where nothing is within each cutoff, 0 where something is: on average over departures ``wards.isolation``."""

    names = ("isolated",)
    columns = (Column("isolated", "Nothing reached", better="less"),)

    cutoffs_min: tuple[float | None, ...]
    for_kinds: bool = True

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Isolated:
        return cls(facts.cutoffs_min)

    def unit(self, places: PlacesOfKind) -> str:
        return SHARE

    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        closest: Cube = smallest_few(times, _offering(places), 1, NEVER)
        return np.asarray((closest[:, None] > _cutoffs_s(self.cutoffs_min)[None, :]).astype(np.float64))


@dataclass(frozen=True)
class Interval(Reach):
    """``reach.interval_opportunities``: the mean over the cutoffs of an interval, minute by minute."""

    names = ("interval_opportunities",)
    settings = ("from_min", "to_min")
    columns = (Column("interval_opportunities", "Reached on average within", settings=("from_min", "to_min")),)

    from_s: int = 30 * MINUTE
    to_s: int = 60 * MINUTE
    for_kinds: bool = True

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Interval:
        first, last = (_whole(settings.get(k, d), k) for k, d in (("from_min", 30), ("to_min", 60)))
        if last < first:
            raise ValueError(f"the interval from {first} to {last} minutes holds no cutoff")
        return cls(first * MINUTE, last * MINUTE)

    @property
    def name(self) -> str:
        return self.columns[0].name(self.from_s // MINUTE, self.to_s // MINUTE)

    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        cutoffs = np.arange(self.from_s, self.to_s + 1, MINUTE, dtype=np.int64)
        whole = places.whole_amounts
        if whole is not None and whole.sum() * len(cutoffs) < MOST_EXACT:  # each as often as it is within a cutoff
            often = len(cutoffs) - np.searchsorted(cutoffs, np.arange(min(self.to_s, NEVER - 1) + 1))
            total = sum_by_table(times, places.columns, places.amounts, often.astype(np.float64))
            return np.asarray(total[:, None] / len(cutoffs))
        values = np.asarray(sum_within(times, places.columns, places.amounts, -1, cutoffs))
        return np.asarray(values.sum(axis=1, keepdims=True) / len(cutoffs))


@dataclass(frozen=True)
class Gravity(Reach):
    """``reach.gravity`` with one decay, by whose own settings it is asked for."""

    names = tuple(f"gravity_{decay}" for decay in DECAYS)
    settings = None
    columns = (Column("gravity", "Opportunities weighted by time", settings=("decay",)),)

    decay: Decay

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Gravity:
        return cls(build_decay(name.removeprefix("gravity_"), settings))

    @property
    def name(self) -> str:
        return self.columns[0].name(self.decay.name)

    def unit(self, places: PlacesOfKind) -> str:
        return f"{places.unit}, weighted by time"

    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        longest = int(np.max(times, initial=0, where=times != NEVER))
        weights = self.decay.table(longest)
        return np.asarray(sum_by_table(times, places.columns, places.amounts, weights))[:, None]


@dataclass(frozen=True)
class Nearest(Reach):
    """``reach.nearest`` for the n-th place."""

    names = ("nearest",)
    settings = ("n",)
    columns = (Column("nearest", "Minutes to the nearest", better="less", settings=("n",)),)
    is_time = True

    n: int = 1

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Nearest:
        return cls(_whole(settings.get("n", 1), "n"))

    @property
    def name(self) -> str:
        return self.columns[0].name(self.n if self.n > 1 else "")

    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        return as_seconds(smallest_few(times, _offering(places), self.n, NEVER))[:, None]


@dataclass(frozen=True)
class Dual(Reach):
    """``reach.dual_access`` for one amount needed."""

    names = ("dual_access",)
    settings = ("needed",)
    columns = (Column("dual_access", "Minutes to reach enough", better="less", settings=("needed",)),)
    is_time = True

    needed: float = field(default=1.0)

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Dual:
        return cls(float(settings.get("needed", 1)))

    @property
    def name(self) -> str:
        return self.columns[0].name(float(self.needed))

    def of_rows(self, times: Cube, places: PlacesOfKind) -> NDArray[Any]:
        of_kind = np.ascontiguousarray(times[:, places.columns])
        longest = int(np.max(of_kind, initial=0, where=of_kind != NEVER))
        needed = np.full(len(times), float(self.needed))
        return np.asarray(first_time_with(of_kind, places.amounts[places.columns], needed, longest, UNREACHED))[:, None]


def _sums_within(
    times: Cube,
    places: PlacesOfKind,
    amounts: NDArray[np.float64],
    cutoffs_min: Sequence[float | None],
    whole: NDArray[np.int64] | None,
) -> NDArray[Any]:
    """Amounts (``whole`` where they are whole numbers) within each cutoff, whatever the order of the cutoffs."""
    rising, place = np.unique(_cutoffs_s(cutoffs_min), return_inverse=True)
    if whole is not None and rising.max(initial=0) < NEVER:
        found = np.asarray(whole_sums_within(times, places.columns, whole, rising))
    else:
        found = np.asarray(sum_within(times, places.columns, amounts, -1, np.minimum(rising, NEVER - 1)))
    return found if len(rising) == len(place) and (np.diff(place) > 0).all() else found[:, place]


def _offering(places: PlacesOfKind) -> NDArray[np.int64]:
    """Columns of the places of a kind that have anything to offer."""
    return np.asarray(places.columns[places.amounts[places.columns] > 0])


def _cutoffs_s(cutoffs_min: Sequence[float | None]) -> NDArray[np.int64]:
    return np.asarray([cutoff_seconds((c or 0) * MINUTE, "cutoff_min in seconds") for c in cutoffs_min], dtype=np.int64)


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or float(value) != int(float(value)) or float(value) < 1:
        raise ValueError(f"{name} is {value!r}; it must be a whole number of 1 or more")
    return int(float(value))
