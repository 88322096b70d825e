"""What is random in a comparison, and draws of it: assumed clock times, phases of headway services, delays.

A draw moves trips in time. The random numbers hang on what a trip is (its route, period or id), not on its place in a table, so
that today and every proposal are moved alike where they share trips (common random numbers), whatever else they change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.scenarios.edit.feed import COPY_MARK
from community_routes.scenarios.edit.made import Timed
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.service import entries_of

_MASK = np.uint64(0xFFFFFFFFFFFFFFFF)


@dataclass(frozen=True)
class Delays:
    """How late trips run: one delay for the whole of a trip, drawn anew in each draw.

    Attributes
    ----------
    kind : str
        ``exponential`` (of this mean), ``uniform`` (0 to twice the mean) or ``normal`` (cut off at 0).
    mean_s : float
    sd_s : float
        Of ``normal`` only.
    """

    kind: Literal["exponential", "uniform", "normal"] = "exponential"
    mean_s: float = 60.0
    sd_s: float = 30.0

    def __post_init__(self) -> None:
        if not (0 <= self.mean_s <= 7200 and 0 <= self.sd_s <= 7200):
            raise UsageError(f"delays of mean {self.mean_s} s and spread {self.sd_s} s; both must be 0 to 7200 s")

    def of(self, uniform: NDArray[np.float64]) -> NDArray[np.int64]:
        """Delays in whole seconds of numbers spread evenly over 0 to 1."""
        if self.kind == "exponential":
            found = -self.mean_s * np.log1p(-np.minimum(uniform, 1 - 1e-12))
        elif self.kind == "uniform":
            found = uniform * 2 * self.mean_s
        else:
            at = NormalDist(self.mean_s, self.sd_s) if self.sd_s > 0 else None
            found = np.array([at.inv_cdf(min(max(u, 1e-9), 1 - 1e-9)) if at else self.mean_s for u in uniform.ravel()])
            found = found.reshape(uniform.shape)
        return np.maximum(np.round(found), 0).astype(np.int64)

    def words(self) -> str:
        """``delays: exponential, mean 60 s``."""
        spread = f", spread {self.sd_s:g} s, none below 0" if self.kind == "normal" else ""
        return f"delays of whole trips: {self.kind}, mean {self.mean_s:g} s{spread}"


@dataclass(frozen=True, eq=False)
class Randomness:
    """What is random in a timetable.

    Attributes
    ----------
    timed : tuple of Timed
        Groups of trips whose clock times a proposal assumes (``Applied.timed``; today has none).
    phases : bool
        Whether services of ``frequencies.txt`` with ``exact_times=0`` start anywhere within their headway.
    delays : Delays or None
    """

    timed: tuple[Timed, ...] = ()
    phases: bool = True
    delays: Delays | None = None

    def nothing(self, feed: Feed) -> bool:
        """Whether nothing is random, so that a comparison is exact for its timetable."""
        table = feed.frequencies
        headway = self.phases and bool(len(table)) and not bool(table["exact_times"].all())
        return not self.timed and not headway and self.delays is None

    def words(self, feed: Feed) -> list[str]:
        """What is random, for the report."""
        said = []
        if self.timed:
            n = sum(len(group.trip_ids) for group in self.timed)
            said.append(f"assumed clock times of the proposal: {n} trips, each group moved by 0 to its headway")
        table = feed.frequencies
        if self.phases and len(table) and not table["exact_times"].all():
            said.append(f"phase of {int((~table['exact_times']).sum())} headway services")
        if self.delays is not None:
            said.append(self.delays.words())
        return said or ["nothing: exact for this timetable"]


@dataclass(frozen=True, eq=False)
class Shifts:
    """One draw.

    Attributes
    ----------
    trip_s : int32, shape (n_trips,)
        By how many seconds each trip is later.
    frequency_s : int32, shape (n_frequencies,)
        By how many seconds the first start of each headway service is later, in addition.
    """

    trip_s: NDArray[np.int32]
    frequency_s: NDArray[np.int32]


def hashes_of(keys: Sequence[str]) -> NDArray[np.uint64]:
    """What stands for each key in :func:`uniform_numbers`."""
    return np.array([_hash(key) for key in keys], np.uint64)


def uniform_numbers(hashes: NDArray[np.uint64], draw: int, seed: int) -> NDArray[np.float64]:
    """A number from 0 to 1 for each hash of a key, the same for the same key, draw and seed."""
    with np.errstate(over="ignore"):
        mixed = _mix(hashes + _mix(np.array([_hash(f"{seed}:{draw}")], np.uint64)))
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finishing step of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    value = (value + np.uint64(0x9E3779B97F4A7C15)) & _MASK
    value = ((value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)) & _MASK
    value = ((value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)) & _MASK
    return value ^ (value >> np.uint64(31))


def scenario_draws(feed: Feed, randomness: Randomness, n: int, seed: int = 0) -> Iterator[Shifts]:
    """Draws of what is random in a timetable.

    Parameters
    ----------
    feed : Feed
        Today's or a proposal's.
    randomness : Randomness
        Made with ``timed=tuple(applied.timed)`` for a proposal; the other fields alike for all that are compared.
    n : int
        How many; an interval needs at least 200.
    seed : int
        The same for all that are compared.

    Yields
    ------
    Shifts
        To be given to :func:`shifted_feed`, whose result is searched like any feed.
    """
    ids = feed.trips["trip_id"].to_list()
    row_of = {trip: row for row, trip in enumerate(ids)}
    groups = [
        (group, np.array([row_of[trip] for trip in group.trip_ids if trip in row_of])) for group in randomness.timed
    ]
    groups = [(group, rows) for group, rows in groups if len(rows)]
    table = entries_of(feed)
    loose = randomness.phases & ~table["exact_times"].to_numpy(bool)
    roots = [trip.partition(COPY_MARK)[0] for trip in ids]
    service_keys = hashes_of([f"phase:{entry}" for entry in table["entry"]])
    headway = table["headway_s"].to_numpy(np.float64)
    delay_keys = hashes_of([f"delay:{trip}" for trip in roots] if randomness.delays is not None else [])
    group_keys = hashes_of([f"timed:{group.key}" for group, _ in groups])
    for draw in range(n):
        trip_s = np.zeros(len(ids), np.int64)
        shares = uniform_numbers(group_keys, draw, seed)
        for (group, rows), share in zip(groups, shares, strict=True):
            trip_s[rows] += int(share * group.headway_s)
        frequency_s = np.floor(uniform_numbers(service_keys, draw, seed) * headway)
        if randomness.delays is not None:
            trip_s += randomness.delays.of(uniform_numbers(delay_keys, draw, seed))
        yield Shifts(trip_s.astype(np.int32), np.where(loose, frequency_s, 0).astype(np.int32))


def shifted_feed(feed: Feed, shifts: Shifts) -> Feed:
    """The timetable of one draw: every call of a trip later by its shift, every headway service starting later by its own.

    A headway service keeps its end, so a start that would come at or after it is left out, as with any phase.
    """
    later = np.repeat(shifts.trip_s, np.diff(feed.calls.first))
    calls = replace(
        feed.calls,
        arrival_s=feed.calls.arrival_s + later,
        departure_s=feed.calls.departure_s + later,
    )
    table = feed.frequencies
    if len(table):
        table = entries_of(feed)
        of_trip = shifts.trip_s[table["trip"].to_numpy()]
        moved = {name: table[name].to_numpy() + of_trip for name in ("start_s", "end_s")}
        origin = table["origin_s"].to_numpy() + of_trip + shifts.frequency_s
        # The phase is drawn already: the search must not add another.
        table = table.assign(**moved, origin_s=origin, exact_times=True)
    return replace(feed, calls=calls, frequencies=table)
