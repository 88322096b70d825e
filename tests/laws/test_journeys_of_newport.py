"""Journeys through Newport, whose buses and trains have blocks, stations and transfers: each adds up to its matrix cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from community_routes.base.times import HOUR, UNREACHED
from community_routes.network.network import Network
from community_routes.network.streets.streets import build_streets
from community_routes.routing.journeys import Journey, Ride, Walk, journeys
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from conftest import shared_data

pytestmark = pytest.mark.slow

QUERY = Query(window_s=(7 * HOUR, 9 * HOUR), step_s=420)


@pytest.fixture(scope="module")
def newport() -> Iterator[tuple[Network, Walks, Any]]:
    """The network, the walks of 12 neighbourhoods to 40 destinations, and the settings."""
    shared_data("newport_wales")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
        import workloads

        work = workloads.WORKLOADS["newport"]
        feed, ground = work.read_timetable(), build_streets(work.read_streets())
        origins, destinations = work.places()
        walks = work.walks(feed, ground, origins=origins, destinations=destinations)
        draw = np.random.default_rng(5)
        linked = np.flatnonzero(np.diff(walks.access.first) > 0)
        start, end = draw.permutation(linked)[:12], draw.permutation(destinations.n_places)[:40]
        few = Walks(
            workloads.some_of(walks.access, start),
            workloads.some_of(walks.egress, end),
            workloads.only_to(workloads.some_of(walks.direct, start), end, destinations.n_places),
        )
        yield work.network(feed, ground), few, work


@pytest.mark.parametrize("arrive_by", [False, True], ids=["leaving", "arriving"])
def test_a_journey_is_its_cell_leg_by_leg(newport: tuple[Network, Walks, Any], arrive_by: bool) -> None:
    """300 random pairs and departures: the time of the cell, and legs that the feed and the walks bear out."""
    network, walks, work = newport
    query = replace(QUERY, arrive_by=arrive_by)
    times = travel_times_by_departure(network, query, walks)
    draw, ridden = np.random.default_rng(7), 0
    for _ in range(300):
        origin, number, destination = (int(draw.integers(n)) for n in times.shape)
        moment_s = int(query.departures_s[number])
        found = journeys(network, query, walks, origin, destination, moment_s)
        cell = int(times[origin, number, destination])
        if cell == UNREACHED:
            assert found == []
            continue
        taken = moment_s - found[0].depart_s if arrive_by else found[0].time_s
        assert taken == cell
        for journey in found:
            check(journey, network, walks, origin, destination, work.slack_s)
            ridden += len(journey.rides)
    assert ridden > 200


def check(journey: Journey, network: Network, walks: Walks, origin: int, destination: int, slack_s: int) -> None:
    """Times add up, walks are among those given, and every call is in the feed at that stop and time."""
    legs = journey.legs
    assert legs[0].depart_s == journey.depart_s and legs[-1].arrive_s == journey.arrive_s
    for before, after in pairwise(legs):
        assert before.to_stop == after.from_stop
        assert not (isinstance(before, Walk) and isinstance(after, Walk))
        assert after.depart_s >= before.arrive_s
    for number, leg in enumerate(legs):
        if isinstance(leg, Ride):
            check_ride(leg, network)
            if number == 1:
                assert leg.depart_s >= legs[0].arrive_s + slack_s
        else:
            check_walk(leg, network, walks, origin, destination)


def check_ride(ride: Ride, network: Network) -> None:
    """Board, ride through every call, and alight, as the feed says."""
    calls, shift = network.feed.calls, ride.depart_s - int(network.feed.calls.departure_s[ride.calls[0]])
    assert shift % (24 * HOUR) == 0
    assert calls.stop[ride.calls[0]] == ride.from_stop and calls.stop[ride.calls[-1] + 1] == ride.to_stop
    assert calls.arrival_s[ride.calls[-1] + 1] + shift == ride.arrive_s
    assert calls.pickup_type[ride.calls[0]] != 1 and calls.drop_off_type[ride.calls[-1] + 1] != 1
    trips = np.searchsorted(calls.first, np.array(ride.calls), "right") - 1
    assert tuple(dict.fromkeys(trips.tolist())) == ride.trips
    if len(ride.trips) == 1:
        assert np.all(np.diff(ride.calls) == 1)


def check_walk(leg: Walk, network: Network, walks: Walks, origin: int, destination: int) -> None:
    """The walk is in the list of walks between its ends, with its seconds and metres."""
    if leg.from_stop < 0 and leg.to_stop < 0:
        links, start, end = walks.direct, origin, destination
    elif leg.from_stop < 0:
        links, start, end = walks.access, origin, leg.to_stop
    elif leg.to_stop < 0:
        links, start, end = walks.egress, destination, leg.from_stop
    else:
        links, start, end = network.footpaths, leg.from_stop, leg.to_stop
    part = slice(int(links.first[start]), int(links.first[start + 1]))
    at = part.start + int(np.flatnonzero(links.to[part] == end)[0])
    assert leg.arrive_s - leg.depart_s == links.walk_s[at]
    assert leg.metres == pytest.approx(float(links.metres[at]))
