"""The least to pay, by levels of cost.

A *level* is a total that a journey may cost: one scan says which destinations each of some levels reaches in time. The few
smallest totals and all the money come first. For the pairs that lie between two levels the totals between are tried, a few at
once, with the origins and destinations that are left, until none lies between. Three or four levels mostly decide everything,
however many totals there are.

Where fares end by the clock there are no levels; then, and for the pairs that are left where there are too many totals or
allowances (many prices by distance), labels are followed from each origin (``forward``), to the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from community_routes.fares.machine import NO_PRICE_CENTS, FareWays, build_allowances, build_ways, totals
from community_routes.fares.span import Sought, Span
from community_routes.network.walks.points import Links

_MOST_TOTALS = 5000
_MOST_ALLOWANCES = 1000
_MOST_LEVELS = 8
_FIRST_LEVELS = 3
_EVERYTHING = NO_PRICE_CENTS - 1
"""More than any journey costs, so that whatever has a price is paid for."""


def least_to_pay(span: Span, limits_s: Sequence[int]) -> NDArray[np.int32]:
    """Least to pay within each limit, shape (n_origins, n_limits, n_destinations); NO_PRICE_CENTS where nothing is enough.

    Raises
    ------
    TooManyStatesError
    """
    limits = np.asarray(limits_s, np.int32)
    found = np.full((span.walks.n_origins, len(limits), span.walks.n_destinations), NO_PRICE_CENTS, np.int32)
    for k, limit_s in enumerate(limits_s):
        start, to, _ = on_foot(span.walks.direct, limit_s)
        found[start, k, to] = 0
    levels = _Levels(span, limits, found)
    if levels.ways.by_clock:
        levels.follow()
    elif levels.begin() and levels.open.any():
        origins, destinations = (np.flatnonzero(levels.open.any(axis=axes)) for axes in ((1, 2), (0, 1)))
        some = np.ix_(origins, np.arange(len(limits)), destinations)
        rest = _Levels(span.only(origins, destinations), limits, found[some], levels.low[some])
        if not rest.search():
            rest.follow()
        found[some] = rest.found
    elif levels.open.any():
        levels.follow()
    return found


class _Levels:
    """The least to pay, between the highest level known not to be enough (``low``) and the lowest known to be (``found``).

    Parameters
    ----------
    span : Span
    limits_s : int32, shape (n_limits,)
    found : int32, shape (n_origins, n_limits, n_destinations)
        0 where nothing need be paid, else NO_PRICE_CENTS; lowered.
    low : int32, optional
        In the shape of ``found``.
    """

    def __init__(
        self, span: Span, limits_s: NDArray[np.int32], found: NDArray[np.int32], low: NDArray[np.int32] | None = None
    ) -> None:
        self.span, self.limits_s, self.found = span, limits_s, found
        self.ways: FareWays = build_ways(span.fares, span.kinds, max_rides=span.query.max_rides)
        at_first = self.ways.cents[: self.ways.first[self.ways.n_classes]]
        nothing = -1 if (at_first == 0).any() else 0  # whether rides that cost nothing are to be tried
        self.low = np.where(found > 0, nothing, 0).astype(np.int32) if low is None else low
        paid = self.ways.cents[self.ways.cents > 0]
        self.cheapest, self.dearest = int(paid.min(initial=_EVERYTHING)), int(paid.max(initial=0))

    @property
    def open(self) -> NDArray[np.bool_]:
        """The pairs and limits whose answer is not known."""
        return self.low < self.found

    def begin(self) -> bool:
        """Try all totals where they are few, else the smallest and the largest; False where there are too many."""
        sums = self._totals()
        levels = sums
        if sums is None:
            few = self._totals(2 * self.cheapest)
            if few is None:
                return False
            sums = np.append(few, [_EVERYTHING - 1, _EVERYTHING])  # between these may lie others
        if levels is None or len(levels) > _MOST_LEVELS:
            levels = np.append(sums[: min(_FIRST_LEVELS + 1, len(sums) - 2)], sums[-1])
        if not self._try(levels):
            return False
        self.low[self.low == sums[-1]] = NO_PRICE_CENTS
        self._between(sums)
        return True

    def search(self) -> bool:
        """Try levels until no pair is open; False where there are too many totals or allowances."""
        sums = self._totals()
        if sums is None:
            doubled = [self.cheapest << n for n in range(1, _MOST_LEVELS + 1)]
            self._try(np.asarray([level for level in doubled if level < self.dearest * self.span.query.max_rides]))
            sums = self._totals(int(self.found.max(where=self.open, initial=0)))
            if sums is None:
                return False
        while len(between := self._between(sums)):
            chosen = (
                len(between) ** (np.arange(_MOST_LEVELS) / _MOST_LEVELS) - 1
            )  # closer together where little is paid
            if not self._try(sums[between[np.unique(chosen.astype(np.int64))]]):
                return False
        return True

    def follow(self) -> None:
        """Follow labels from each origin for what is open."""
        most = int(self.found.max(where=self.open, initial=0))
        self.found[self.open] = NO_PRICE_CENTS
        nothing = np.empty((0, self.found.shape[0], 0, self.found.shape[2]), np.int32)
        limits = tuple(self.limits_s.tolist())
        self.span.follow_labels(self.ways, Sought(self.found, nothing, limits, (), min(most, _EVERYTHING)))

    def _totals(self, most_cents: int = _EVERYTHING) -> NDArray[np.int64] | None:
        return totals(self.ways, max_rides=self.span.query.max_rides, most=_MOST_TOTALS, most_cents=most_cents)

    def _between(self, sums: NDArray[np.int64]) -> NDArray[np.int64]:
        """Close the pairs between whose levels lies one total, and say which totals (places) are left to be tried."""
        at = self.open
        first = np.searchsorted(sums, self.low[at], "right")
        last = np.searchsorted(sums, self.found[at], "right") - 1
        self.found[at] = sums[last]
        self.low[at] = np.where(first == last, sums[last], self.low[at])
        wanted = np.zeros(len(sums) + 1, np.int64)
        np.add.at(wanted, first, 1)
        np.add.at(wanted, last, -1)
        return np.flatnonzero(np.cumsum(wanted) > 0)

    def _try(self, levels: NDArray[np.int64]) -> bool:
        """Scan with these levels; False where that would take too many allowances."""
        levels = levels[levels > self.low.min(initial=0)]
        if not len(levels):
            return True
        allowances, starts = build_allowances(self.ways, levels.tolist(), max_rides=self.span.query.max_rides)
        if allowances.n_allowances > _MOST_ALLOWANCES:
            return False
        for cents, taken_s in zip(levels.tolist(), self.span.soonest(allowances, starts), strict=True):
            enough = taken_s[:, None, :] <= self.limits_s[:, None]
            self.found[enough] = np.minimum(self.found[enough], cents)
            self.low[~enough] = np.maximum(self.low[~enough], cents)
        return True


def on_foot(direct: Links, longest_s: int) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Origin, destination and seconds of the walks all the way within a limit."""
    near = direct.walk_s <= longest_s
    return direct.start()[near], direct.to[near], direct.walk_s[near]
