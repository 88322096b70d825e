"""What a traced journey costs."""

from __future__ import annotations

import math

import numpy as np

from community_routes.base.earth import great_circle_m
from community_routes.fares.products import describe_ride
from community_routes.fares.tickets import FareRide, Payment, TicketFares, cheapest_journey, mode_of
from community_routes.routing.journeys import Journey
from community_routes.sources.gtfs.feed import Feed


def straight_km(feed: Feed, start: int, end: int) -> float:
    """Great-circle distance between two stops (rows) in kilometres; infinite where a place is unknown."""
    lon, lat = (feed.stops[name].to_numpy(np.float64) for name in ("lon", "lat"))
    km = float(great_circle_m(lon[start], lat[start], lon[end], lat[end])) / 1000
    return km if math.isfinite(km) else math.inf


def rides_on_routes(feed: Feed) -> list[FareRide]:
    """For each route (row) a ride on it, of unknown length."""
    routes, agencies = feed.routes, feed.agencies
    nobody = [("", "")]
    named = [*zip(agencies["agency_id"].astype(str), agencies["agency_name"].astype(str), strict=True), *nobody]
    return [
        FareRide(route_id, name, *named[agency if agency >= 0 else -1], mode_of(kind))
        for route_id, name, agency, kind in zip(
            routes["route_id"].astype(str).tolist(),
            routes["route_short_name"].astype(str).tolist(),
            routes["agency"].to_numpy(dtype=np.int64).tolist(),
            routes["route_type"].to_numpy(dtype=np.int64).tolist(),
            strict=True,
        )
    ]


def rides_of(feed: Feed, journey: Journey) -> list[FareRide]:
    """The rides of a journey as their prices need them; a vehicle that goes on as another trip is one ride of the first."""
    route_of = feed.trips["route"].to_numpy(dtype=np.int64)
    types = feed.routes["route_type"].to_numpy(dtype=np.int64)
    return [
        describe_ride(
            feed,
            ride.trips[0],
            ride.from_stop,
            ride.to_stop,
            ride.depart_s,
            ride.arrive_s,
            km=straight_km(feed, ride.from_stop, ride.to_stop),
            mode=mode_of(int(types[route_of[ride.trips[0]]])),
        )
        for ride in journey.rides
    ]


def journey_fare(prices: TicketFares, feed: Feed, journey: Journey) -> Payment | None:
    """The cheapest way to pay for a journey; ``None`` where a ride has no price. All the way on foot costs 0."""
    return cheapest_journey(prices, rides_of(feed, journey))
