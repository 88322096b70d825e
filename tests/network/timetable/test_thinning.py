"""Changes that others make useless are dropped for large searches: which ones, by hand; and that no time changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from community_routes.base.times import DAY, HOUR, format_time
from community_routes.network.network import Network, assemble_network
from community_routes.routing.query import Query, Walks
from community_routes.routing.search import Search, needed_s
from community_routes.routing.travel_times import WORTH_THINNING, percentile_times, search_of
from drawn import drawn_feed, footpath_matrix, links_of
from random_networks import DATE, random_case
from searching import network_of, query_of, walks_of


def changes_of(
    *lines: str, between: tuple[int, int] = (0, DAY), footpaths: dict[tuple[str, str], int] | None = None
) -> set[str]:
    """The changes that stay, as "stop and time of arrival > stop and time of departure"."""
    feed = drawn_feed(*lines)
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, footpaths or {})), slack_s=60)
    c, stops = network.thinned_between(*between), feed.stops["stop_id"].to_numpy()
    hops = network.timetable
    return {
        f"{stops[hops.to_stop[c.hop[one]]]} {format_time(int(c.arrival_s[one]))[:5]} > "
        f"{stops[hops.from_stop[c.hop[other]]]} {format_time(int(c.departure_s[other]))[:5]}"
        for one in range(len(c))
        for other in c.transfer[c.transfer_first[one] : c.transfer_first[one + 1]]
    }


MAIN = "1: A 08:00  B 08:10  C 08:20  D 08:30"


def test_a_change_to_a_slower_vehicle_goes() -> None:
    """Route 2 is at C at 08:25 and D at 08:35; whoever stays on board is there five minutes before."""
    assert changes_of(MAIN, "2: B 08:15  C 08:25  D 08:35") == set()


def test_a_change_that_is_earlier_somewhere_stays() -> None:
    """Route 2 is at D at 08:29, a minute before; of the ways to catch it only that at B exists."""
    assert changes_of(MAIN, "2: B 08:15  D 08:29") == {"B 08:10 > B 08:15"}


def test_of_two_changes_to_a_place_the_one_that_gains_nothing_goes() -> None:
    """Routes 2 (from B) and 3 (from C) lead to E: 3 is there at 08:40, 2 only at 08:41, so the change at C is enough.

    Were 2 there at 08:39, both would stay: the hops are looked at from the end of the run, the later first.
    """
    assert changes_of(MAIN, "2: B 08:15  E 08:41", "3: C 08:25  E 08:40") == {"C 08:20 > C 08:25"}
    both = {"B 08:10 > B 08:15", "C 08:20 > C 08:25"}
    assert changes_of(MAIN, "2: B 08:15  E 08:39", "3: C 08:25  E 08:40") == both


def test_a_place_stays_for_a_later_vehicle_there() -> None:
    """At B route 2 leads to C only, too late to be of use; but route 3 behind it at the same stop leads to F."""
    assert changes_of(MAIN, "2: B 08:15  C 08:25", "3: B 08:45  F 08:55") == {"B 08:10 > B 08:15"}


def test_an_earlier_vehicle_of_the_own_line_counts_from_where_it_is_caught() -> None:
    """From B one walks to E, where the vehicle 22 minutes ahead is caught: F at 08:28. From A one walks to D and catches it
    there: it is at E at 08:18, which the change at B does not give."""
    line = ("1: S 07:38  A 07:43  B 07:48  C 07:58  D 08:08  E 08:18  F 08:28",
            "1: S 08:00  A 08:05  B 08:10  C 08:20  D 08:30  E 08:40  F 08:50")  # fmt: skip
    walks = {("B", "E"): 120, ("A", "D"): 60}
    assert changes_of(*line, footpaths=walks) == {"B 08:10 > E 08:18", "A 08:05 > D 08:08"}


def test_a_run_cut_by_the_hours_keeps_its_positions() -> None:
    """From R one catches the first vehicle of line 2 at Z, from Q the second at Y: only that one is at Z, at 08:19, for whoever
    leaves at Q. The hours asked for begin when the first has left X."""
    lines = ("1: P 08:00  Q 08:05  R 08:10", "2: W 07:41  X 07:45  Y 07:59  Z 08:12  V 08:20",
             "2: W 08:01  X 08:05  Y 08:09  Z 08:19  V 08:27")  # fmt: skip
    walks = {("R", "Z"): 30, ("Q", "Y"): 60}
    kept = changes_of(*lines, footpaths=walks, between=(8 * HOUR - 600, 9 * HOUR))
    assert kept == {"R 08:10 > Z 08:12", "Q 08:05 > Y 08:09"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_that_leave_in_one_second_the_faster_counts(order: tuple[int, int]) -> None:
    """Staying on board one is at D at 08:26; of two at B at 08:15 one is there at 08:25, one at 08:28."""
    pair = ("2: B 08:15  D 08:25", "2: B 08:15  D 08:28")
    assert changes_of("1: A 08:00  B 08:10  D 08:26", *(pair[i] for i in order)) == {"B 08:10 > B 08:15"}


def test_hours_asked_for() -> None:
    """Between 08:00 and 08:14 nobody boards at 08:15."""
    lines = (MAIN, "2: B 08:15  D 08:29")
    assert changes_of(*lines, between=(8 * HOUR, 8 * HOUR + 14 * 60)) == set()
    assert changes_of(*lines, between=(8 * HOUR, 8 * HOUR + 15 * 60)) == {"B 08:10 > B 08:15"}


def both_ways(network: Network, query: Query, walks: Walks) -> tuple[Search, Search]:
    """A search with all changes, and one with those that stay."""
    hours, backwards = needed_s(query), query.arrive_by
    asked = walks.mirrored() if backwards else walks
    every = network.backwards if backwards else network.connections
    few = network.thinned_between(*hours, backwards=backwards)
    return Search(every, network, query, asked), Search(few, network, query, asked)


@pytest.mark.parametrize("arrive_by", [False, True])
def test_every_time_is_the_same_for_each_number_of_rides(arrive_by: bool) -> None:
    """300 random networks, every departure (or deadline), up to as many rides as the question allows."""
    fewer = 0
    for seed in range(300):
        case = random_case(seed)
        network, walks = network_of(case), walks_of(case)
        for rides in range(1, case.max_rides + 1):
            query = query_of(replace(case, max_rides=rides), arrive_by=arrive_by)
            every, few = both_ways(network, query, walks)
            assert np.array_equal(every.cube(1), few.cube(1)), f"seed {seed}, {rides} rides"
        fewer += len(few.connections.transfer) < len(every.connections.transfer)
    assert fewer >= 250


def test_a_search_for_many_places_takes_the_few() -> None:
    """The same four destinations again and again: from a thousand on the search goes by the changes that stay."""
    case = random_case(7)
    network, query, walks = network_of(case), query_of(case), walks_of(case)
    times = percentile_times(network, query, walks)
    again = -(-WORTH_THINNING // walks.n_destinations)
    many = np.tile(np.arange(walks.n_destinations), again)
    to_all = walks.direct.reversed(walks.n_destinations).only(many).reversed(walks.n_origins)
    wide = Walks(walks.access, walks.egress.only(many), to_all)
    assert search_of(network, query, walks).connections is network.connections
    assert search_of(network, query, wide).connections is network.thinned_between(*needed_s(query))
    assert np.array_equal(percentile_times(network, query, wide), times[:, :, many])
