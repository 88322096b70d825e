"""A journey is the matrix cell told leg by leg: its time is the cell's, and each of its legs can be done."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from community_routes.base.times import UNREACHED
from community_routes.routing.journeys import Journey, Ride, journeys
from community_routes.routing.travel_times import travel_times_by_departure
from random_networks import Case, random_case
from searching import network_of, query_of, walks_of
from slow import NEVER, SlowSearch

SEEDS = range(60_000, 60_030)


def test_journeys_add_up_to_the_matrix() -> None:
    """Every pair and every second departure of 30 networks: the cell, the arrivals by number of rides, and every leg."""
    traced = 0
    for seed in SEEDS:
        case = random_case(seed)
        network, query, walks, search = network_of(case), query_of(case), walks_of(case), case.search()
        times = travel_times_by_departure(network, query, walks)
        for origin, destination in np.ndindex(len(case.access_s), len(case.egress_s)):
            for number in range(0, len(case.times_s), 2):
                depart_s = int(case.times_s[number])
                found = journeys(network, query, walks, origin, destination, depart_s)
                cell = times[origin, number, destination]
                assert (found[0].time_s if found else UNREACHED) == cell
                assert [(j.arrive_s, len(j.rides)) for j in found] == _pareto(
                    search, case, depart_s, origin, destination
                )
                for journey in found:
                    assert journey.depart_s == depart_s
                    check_legs(journey, search, case, origin, destination)
                    traced += len(journey.rides)
    assert traced > 1_000


def test_journeys_by_a_deadline_add_up_to_the_matrix() -> None:
    """The first journey leaves as late as the cell says and is there by the deadline."""
    traced = 0
    for seed in SEEDS[:15]:
        case = random_case(seed)
        network, query, walks = network_of(case), query_of(case, arrive_by=True), walks_of(case)
        search = case.search(arrive_by=True)
        times = travel_times_by_departure(network, query, walks)
        for origin, destination in np.ndindex(len(case.access_s), len(case.egress_s)):
            for number in range(0, len(case.times_s), 3):
                deadline_s = int(case.times_s[number])
                found = journeys(network, query, walks, origin, destination, deadline_s)
                cell = times[origin, number, destination]
                assert (deadline_s - found[0].depart_s if found else UNREACHED) == cell
                for journey in found:
                    assert journey.arrive_s <= deadline_s
                    check_legs(journey, search, case, origin, destination)
                    traced += 1
    assert traced > 150


def _pareto(search: SlowSearch, case: Case, depart_s: int, origin: int, destination: int) -> list[tuple[int, int]]:
    """Arrival and rides of the journeys that none is better than in both, the earliest first."""
    best: list[tuple[int, int]] = []
    for rides in range(case.max_rides + 1):
        arrival = int(search.earliest_arrival(depart_s, rides)[origin, destination])
        if arrival - depart_s <= case.max_travel_s and arrival < min((a for a, _ in best), default=NEVER):
            best.append((arrival, rides))
    return best[::-1]


def check_legs(journey: Journey, search: SlowSearch, case: Case, origin: int, destination: int) -> None:
    """Each leg starts where and when the one before ends, and the slow twin knows each ride and each change."""
    assert journey.legs[0].from_stop == -1 and journey.legs[-1].to_stop == -1
    assert journey.legs[0].depart_s == journey.depart_s
    assert journey.legs[-1].arrive_s == journey.arrive_s
    for before, after in pairwise(journey.legs):
        assert before.to_stop == after.from_stop
        assert before.arrive_s <= after.depart_s
        if isinstance(after, Ride):
            assert after.wait_s == after.depart_s - before.arrive_s
    if not journey.rides:
        assert len(journey.legs) == 1
        assert journey.time_s == case.direct_s[origin, destination]
        return
    assert len(journey.rides) <= case.max_rides
    boarded = [_boardings(ride, search) for ride in journey.rides]
    left = [_alightings(ride, search) for ride in journey.rides]
    for boardings, alightings in zip(boarded, left, strict=True):
        assert any(_leads(search.ride_first, search.ride_to, b, alightings) for b in boardings)
    for alightings, boardings in zip(left[:-1], boarded[1:], strict=True):
        assert any(_leads(search.change_first, search.change_to, a, boardings) for a in alightings)
    assert any(search.leave_by[origin, b] >= journey.depart_s for b in boarded[0])
    walk_s = case.egress_s[destination, journey.rides[-1].to_stop]
    assert walk_s >= 0 and journey.rides[-1].arrive_s + walk_s == journey.arrive_s


def _boardings(ride: Ride, search: SlowSearch) -> list[int]:
    position = ride.calls[0] - int(search.feed.calls.first[ride.trips[0]])
    fits = (search.board_position == position) & (search.board_s == ride.depart_s)
    fits &= search.board_stop == ride.from_stop
    return [b for b in np.flatnonzero(fits).tolist() if search.runs[search.board_run[b]].trip == ride.trips[0]]


def _alightings(ride: Ride, search: SlowSearch) -> list[int]:
    position = ride.calls[-1] + 1 - int(search.feed.calls.first[ride.trips[-1]])
    fits = (search.alight_position == position) & (search.alight_s == ride.arrive_s)
    fits &= search.alight_stop == ride.to_stop
    return [a for a in np.flatnonzero(fits).tolist() if search.runs[search.alight_run[a]].trip == ride.trips[-1]]


def _leads(first: np.ndarray, to: np.ndarray, start: int, ends: list[int]) -> bool:
    return not set(ends).isdisjoint(to[first[start] : first[start + 1]].tolist())
