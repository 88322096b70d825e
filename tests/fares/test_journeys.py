"""The price of traced journeys on a drawn timetable."""

from __future__ import annotations

import math

import numpy as np

from community_routes.base.times import HOUR, MINUTE
from community_routes.fares.journeys import journey_fare, rides_of, straight_km
from community_routes.fares.tickets import TicketFares, cheapest_month
from community_routes.network.network import assemble_network
from community_routes.routing.journeys import journeys
from community_routes.routing.query import Query, Walks
from community_routes.sources.study.fares import Fares
from drawn import DATE, drawn_feed, footpath_matrix, links_of, walks_to_stops
from searching import times_within_budgets

FEED = drawn_feed(
    "1: A 08:05  M 08:15",
    "T: M 08:20  Z 08:30",
    "3: A 08:10  Z 08:50",
    route_types={"T": 2},
    places={"A": (0.0, 0.0), "M": (0.1, 0.0), "Z": (0.3, 0.0)},
)
PRICES = TicketFares(Fares.model_validate({"single": 2.0, "week": 15.0, "modes": {"rail": {"per_km": 0.2}}}))
NETWORK = assemble_network(FEED, DATE, links_of(footpath_matrix(FEED, {})), slack_s=0)
WALKS = Walks(
    links_of(walks_to_stops(FEED, [{"A": 0}])), links_of(walks_to_stops(FEED, [{"Z": 0}])), links_of(np.array([[-1]]))
)
QUERY = Query(window_s=(8 * HOUR, 8 * HOUR + 60))


def test_distance_between_stops() -> None:
    """0.2 degrees on the equator are 0.2 / 360 of its circle of 2 pi 6,371.0088 km."""
    assert math.isclose(straight_km(FEED, 1, 2), 2 * math.pi * 6371.0088 * 0.2 / 360, rel_tol=1e-9)


def test_the_quick_and_the_cheap_journey() -> None:
    """Bus and train in 30 minutes: 2.00 + 22.24 km at 0.20 = 4.45, 6.45. Bus all the way in 50 minutes: 2.00."""
    quick, cheap = journeys(NETWORK, QUERY, WALKS, 0, 0, 8 * HOUR)
    assert [ride.mode for ride in rides_of(FEED, quick)] == ["bus", "rail"]
    paid = [journey_fare(PRICES, FEED, journey) for journey in (quick, cheap)]
    assert [payment.cents for payment in paid if payment] == [645, 200]
    no_prices = TicketFares(Fares.model_validate({"routes": {"9": {"single": 1.0}}}))
    assert journey_fare(no_prices, FEED, quick) is None


def test_a_journey_agrees_with_the_search_within_its_price() -> None:
    """For exactly 6.45 the search finds the quick journey, for a penny less the cheap one."""
    times = times_within_budgets(NETWORK, QUERY, WALKS, PRICES, [6.45, 6.44, 1.99])
    assert times[:2, 0, 0, 0].tolist() == [30 * MINUTE, 50 * MINUTE]


def test_a_month_of_commuting() -> None:
    """The bus out and (as priced) back: 4.00 a day or 15.00 a week: 21 days at 3.00."""
    _, cheap = journeys(NETWORK, QUERY, WALKS, 0, 0, 8 * HOUR)
    rides = rides_of(FEED, cheap)
    month = cheapest_month(PRICES, rides, rides)
    assert month is not None
    assert month.cents == 6300
