"""The grid city: times by arithmetic, and opportunities worth 1, 2, 4 and 8 whose sum says who was reached."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from city import SIDE, city, minutes_from_south_west
from community_routes.base.times import HOUR, MINUTE
from community_routes.measures.reach import cumulative_opportunities
from community_routes.network.network import assemble_network
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import percentile_times, travel_times_by_departure
from drawn import DATE, footpath_matrix, links_of, walks_to_stops

CROSSINGS = [f"{i}{j}" for i in range(SIDE) for j in range(SIDE)]
PLACES, AMOUNTS = ["04", "40", "22", "44"], np.array([1.0, 2.0, 4.0, 8.0])


def times_from_south_west(places: list[str], query: Query, *, percentiles: bool = False) -> NDArray[np.int32]:
    """From beside crossing (0, 0), with 60 s of slack, to beside each place."""
    feed = city()
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, {})), slack_s=60)
    walks = Walks(
        links_of(walks_to_stops(feed, [{"00": 0}])),
        links_of(walks_to_stops(feed, [{place: 0} for place in places])),
        links_of(np.full((1, len(places)), -1)),
    )
    if percentiles:
        return percentile_times(network, query, walks)[:, 0]
    return travel_times_by_departure(network, query, walks)[0]


def test_times_of_the_city_are_arithmetic() -> None:
    """Leave 06:59, wait 60 s, ride at 07:00: one minute more than from the bus that leaves at :00, to all other crossings."""
    query = Query(window_s=(7 * HOUR - MINUTE, 7 * HOUR), max_rides=4)
    times = times_from_south_west(CROSSINGS[1:], query)[0]
    expected = [60 + 60 * minutes_from_south_west(i, j) for i in range(SIDE) for j in range(SIDE) if i or j]
    assert times.tolist() == expected


def test_each_minute_of_waiting_counts() -> None:
    """Leaving 06:50 to 06:59 the wait for the bus of 07:00 is 10 to 1 minutes."""
    times = times_from_south_west(["04"], Query(window_s=(7 * HOUR - 10 * MINUTE, 7 * HOUR)))[:, 0]
    assert times.tolist() == [60 * (wait + 8) for wait in range(10, 0, -1)]


@pytest.mark.parametrize(
    ("cutoff_min", "reached"),
    [(8, 0), (9, 1 + 2), (14, 1 + 2), (15, 1 + 2 + 4), (18, 1 + 2 + 4), (19, 1 + 2 + 4 + 8)],
)
def test_the_sum_says_who_was_reached(cutoff_min: int, reached: float) -> None:
    """From 06:59: the two near corners (1 and 2) in 9 minutes, the centre (4) in 15, the far corner (8) in 19."""
    times = times_from_south_west(PLACES, Query(window_s=(7 * HOUR - MINUTE, 7 * HOUR)))
    assert cumulative_opportunities(times, AMOUNTS, cutoff_s=cutoff_min * MINUTE)[0] == reached


def test_the_mean_over_departures_is_arithmetic() -> None:
    """In 15 minutes, leaving with 1 to 10 minutes of waiting: the near corners with 1 to 7 of waiting, the centre with 1.

    The mean of what is reached over the ten departures is 3 * 7 / 10 + 4 * 1 / 10.
    """
    times = times_from_south_west(PLACES, Query(window_s=(7 * HOUR - 10 * MINUTE, 7 * HOUR)))
    reached = cumulative_opportunities(times, AMOUNTS, cutoff_s=15 * MINUTE)
    assert reached.mean() == pytest.approx((3 * 7 + 4 * 1) / 10)


def test_percentiles_of_the_city_are_arithmetic() -> None:
    """Waits of 1 to 10 minutes: p10 is the first, p50 the fifth, p100 the tenth, to the far corner 18 minutes on."""
    query = Query(window_s=(7 * HOUR - 10 * MINUTE, 7 * HOUR), percentiles=(10, 50, 100))
    assert times_from_south_west(["44"], query, percentiles=True)[:, 0].tolist() == [60 * 19, 60 * 23, 60 * 28]


def test_rides_are_limited() -> None:
    """With one ride only the street and the avenue of the start are reached: places worth 1 and 2."""
    times = times_from_south_west(PLACES, Query(window_s=(7 * HOUR - MINUTE, 7 * HOUR), max_rides=1))
    assert cumulative_opportunities(times, AMOUNTS, cutoff_s=2 * HOUR)[0] == 3
