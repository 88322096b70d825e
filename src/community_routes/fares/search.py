"""Searches that know what each ride costs and what is held: the quickest within a budget, the cheapest within a time.

Prices are a machine of states (``machine``). Where no fare ends by the clock a budget is an allowance of rides, and one scan
backwards from the destinations answers all budgets, origins and departures at once (``scan``); the least to pay is found by
levels of cost (``levels``), which are budgets too. Else, or where there are too many allowances, labels are followed from each
origin (``forward``). All are exact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED
from community_routes.fares.levels import least_to_pay, on_foot
from community_routes.fares.machine import Fares, build_allowances, build_ways
from community_routes.fares.span import Sought, Span
from community_routes.network.network import Network
from community_routes.routing.matrices import as_cube
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import cube_by_departure

LONGEST_SPAN_S = 32_000
"""First departure to last useful arrival in one scan: what 16 bits hold."""

_MOST_ALLOWANCES = 1000


def quickest_within(
    network: Network, query: Query, walks: Walks, fares: Fares, budgets: Sequence[float], *, threads: int = 1
) -> NDArray[np.int16]:
    """Travel time of every origin, departure and destination for each budget.

    Parameters
    ----------
    network : Network
    query : Query
        Not arrive-by.
    walks : Walks
    fares : Fares
    budgets : sequence of float
        Whole hundredths; an infinite one pays for every ride, also one without a price.
    threads : int
        Changes nothing but the time it takes.

    Returns
    -------
    int16, shape (n_budgets, n_origins, n_departures, n_destinations)
        Seconds; NEVER where the budget pays for no journey within the limits. Walking all the way is free.

    Raises
    ------
    TooManyStatesError
    """
    finite = [int(b) for b in budgets if b < math.inf]
    parts = [_quickest(span, finite) for span in _spans(network, query, walks, fares, threads)]
    found = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
    start, to, walk_s = on_foot(walks.direct, query.max_travel_s)
    found[:, start, :, to] = np.minimum(found[:, start, :, to], walk_s.astype(np.int16)[:, None, None])
    if len(finite) == len(budgets):
        return found
    free = cube_by_departure(network, query, walks, threads=threads)
    known = iter(found)
    return np.stack([next(known) if b < math.inf else free for b in budgets])


def cheapest_within(
    network: Network, query: Query, walks: Walks, fares: Fares, cutoffs_s: Sequence[int], *, threads: int = 1
) -> NDArray[np.int32]:
    """The least to pay for a journey within each cutoff, over all departures.

    Returns
    -------
    int32, shape (n_origins, n_cutoffs, n_destinations)
        Hundredths; ``NO_PRICE_CENTS`` where no journey with a price is quick enough. Walking all the way is free.

    Raises
    ------
    TooManyStatesError
    """
    limits_s = [min(cutoff_s, query.max_travel_s) for cutoff_s in cutoffs_s]
    shorter = replace(query, max_travel_s=max(limits_s, default=query.max_travel_s))
    spans = _spans(network, shorter, walks, fares, threads)
    return np.asarray(np.min([least_to_pay(span, limits_s) for span in spans], axis=0))


def _spans(network: Network, query: Query, walks: Walks, fares: Fares, threads: int) -> list[Span]:
    """Consecutive departures that one scan can answer."""
    if query.arrive_by:
        raise ValueError("fares are searched by departure, not by arrival")
    moments, spans, start = query.departures_s, list[Span](), 0
    while start < len(moments):
        end = int(np.searchsorted(moments, int(moments[start]) + LONGEST_SPAN_S - query.max_travel_s, "right"))
        spans.append(Span(network, query, walks, fares, slice(start, end), threads=threads))
        start = end
    return spans


def _quickest(span: Span, budgets: Sequence[int]) -> NDArray[np.int16]:
    """Seconds within each budget (hundredths), shape (n_budgets, n_origins, n_departures, n_destinations)."""
    most, max_rides = max(budgets, default=0), span.query.max_rides
    ways = build_ways(span.fares, span.kinds, max_rides=max_rides, most_cents=most)
    if not ways.by_clock:
        allowances, starts = build_allowances(ways, budgets, max_rides=max_rides)
        if allowances.n_allowances <= _MOST_ALLOWANCES:
            return span.quickest(allowances, starts)
    shape = len(budgets), span.walks.n_origins, len(span.moments), span.walks.n_destinations
    found = np.full(shape, UNREACHED, np.int32)
    nothing = np.empty((shape[1], 0, shape[3]), np.int32)
    span.follow_labels(ways, Sought(nothing, found, (), tuple(budgets), most))
    return as_cube(found)
