"""Searches by arrival need a few hours of the day: those of mirrored time give what the whole day gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from community_routes.network.network import Network
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import percentile_times, travel_times_by_departure
from random_networks import random_case
from searching import network_of, query_of, walks_of


def whole_day(network: Network) -> Network:
    """The same network with all its mirrored connections at hand."""
    copy = replace(network)
    assert len(copy.backwards) == len(copy.connections)
    return copy


def narrow(seed: int) -> tuple[Network, Query, Walks]:
    """A random network, its questions by arrival cut down to two deadlines and 20 minutes, so that a part is enough."""
    case = random_case(seed)
    start, step = case.window_s[0], case.step_s
    small = replace(case, window_s=(start, start + 2 * step), max_travel_s=min(case.max_travel_s, 1200))
    return network_of(case), query_of(small, arrive_by=True), walks_of(case)


@pytest.mark.parametrize("seed", range(40))
def test_a_stretch_of_the_day_gives_the_same_times(seed: int) -> None:
    network, query, walks = narrow(seed)
    found = travel_times_by_departure(network, query, walks)
    whole = whole_day(network)
    assert np.array_equal(found, travel_times_by_departure(whole, query, walks))
    assert np.array_equal(percentile_times(network, query, walks), percentile_times(whole, query, walks))


def test_stretches_are_parts() -> None:
    """At least a quarter of the random networks are searched in a part of their day, and its hops are those of the whole."""
    parts = 0
    for seed in range(40):
        network, query, walks = narrow(seed)
        travel_times_by_departure(network, query, walks)
        for (start_s, end_s), part in network._parts.items():
            parts += 1
            whole = network.backwards
            inside = (-whole.departure_s >= start_s) & (-whole.departure_s <= end_s)
            assert sorted(part.hop.tolist()) == sorted(whole.hop[inside].tolist())
            again = network.backwards_between(start_s, end_s)
            assert again is whole
    assert parts >= 10


def test_a_stretch_serves_what_lies_within() -> None:
    network, query, _ = narrow(3)
    first_s = int(query.departures_s[0])
    once = network.backwards_between(first_s - 600, first_s)
    assert network.backwards_between(first_s - 300, first_s - 60) is once
