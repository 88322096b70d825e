"""Drawn timetables with fare tables, and how long journeys take within budgets of their prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from community_routes.base.times import HOUR, MINUTE, UNREACHED
from community_routes.fares.feed import FeedPrices
from community_routes.network.network import assemble_network
from community_routes.routing.journeys import journeys
from community_routes.routing.query import Query, Walks
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.fares import Fares
from drawn import DATE, drawn_feed, footpath_matrix, links_of, walks_to_stops
from searching import times_within_feed_budgets

NO = UNREACHED


def table(heading: str, *rows: str) -> pd.DataFrame:
    return pd.DataFrame([row.split(",") for row in rows], columns=heading.split(","), dtype=str)


def attributes(*rows: str) -> pd.DataFrame:
    return table("fare_id,price,currency_type,payment_method,transfers,transfer_duration,agency_id", *rows)


def with_fares(feed: Feed, fares: dict[str, pd.DataFrame], zones: dict[str, str] | None = None) -> Feed:
    stops = feed.stops
    if zones is not None:
        stops = stops.assign(zone_id=[zones.get(stop, "") for stop in stops["stop_id"]])
    return replace(feed, fares=fares, stops=stops)


def minutes(
    fares: dict[str, pd.DataFrame],
    budgets: list[float],
    *lines: str,
    zones: dict[str, str] | None = None,
    study: dict[str, Any] | None = None,
) -> list[int | None]:
    """Minutes from Home (at A) at 08:00 to the place at the stop Z, for each budget; walks of 0 s, no slack."""
    feed = with_fares(drawn_feed(*lines), fares, zones)
    network = assemble_network(feed, DATE, links_of(footpath_matrix(feed, {})), slack_s=0)
    access, egress = (links_of(walks_to_stops(feed, [{stop: 0}])) for stop in ("A", "Z"))
    walks = Walks(access, egress, links_of(np.array([[-1]])))
    query = Query(window_s=(8 * HOUR, 8 * HOUR + 60), max_travel_s=3 * HOUR)
    prices = FeedPrices(feed, None if study is None else Fares.model_validate(study))
    times = times_within_feed_budgets(network, query, walks, prices, budgets)[:, 0, 0, 0].tolist()
    traced = journeys(network, query, walks, 0, 0, 8 * HOUR)
    for journey in traced:  # a journey costs what the search says: within its price it is found, below it is not
        cents = prices.journey_cents(journey)
        if cents is not None:
            around = [cents / 100, max(0.0, (cents - 1) / 100)]
            with_it, without = times_within_feed_budgets(network, query, walks, prices, around)[:, 0, 0, 0].tolist()
            assert with_it <= journey.time_s
            assert cents == 0 or without > traced[0].time_s or without == NO or journey is not traced[0]
    return [None if t == NO else int(t) // MINUTE for t in times]


QUICK_OR_CHEAP = ["1: A 08:05  M 08:15", "2: M 08:20  Z 08:30", "3: A 08:10  Z 08:50"]
