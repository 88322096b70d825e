"""Asks the library what the slow twin is asked: a case of random networks, through its public functions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.fares import by_ticket, feed
from community_routes.network.network import Network, assemble_network
from community_routes.routing.query import Query, Walks
from community_routes.routing.search import as_seconds
from community_routes.routing.travel_times import travel_times_by_departure
from drawn import links_of
from random_networks import Case


def network_of(case: Case) -> Network:
    """The timetable and footpaths of a case."""
    return assemble_network(
        case.feed,
        case.date,
        links_of(case.footpath_s),
        slack_s=case.slack_s,
        phase=case.phase,  # type: ignore[arg-type]
    )


def query_of(case: Case, *, arrive_by: bool = False) -> Query:
    """The question of a case."""
    return Query(
        window_s=case.window_s,
        step_s=case.step_s,
        max_rides=case.max_rides,
        max_travel_s=case.max_travel_s,
        arrive_by=arrive_by,
    )


def walks_of(case: Case) -> Walks:
    """The walks at the ends of a case."""
    return Walks(links_of(case.access_s), links_of(case.egress_s), links_of(case.direct_s))


def times_of(case: Case, *, arrive_by: bool = False, threads: int = 1, **changes: Any) -> NDArray[np.int32]:
    """Travel times by the library, shape (n_origins, n_times, n_destinations); ``changes`` are to the case."""
    case = replace(case, **changes)
    return travel_times_by_departure(
        network_of(case), query_of(case, arrive_by=arrive_by), walks_of(case), threads=threads
    )


def times_within_budgets(*arguments: Any, **choices: Any) -> NDArray[np.int32]:
    """The library's times within budgets of tickets, as int32 with UNREACHED."""
    return as_seconds(by_ticket.times_within_budgets(*arguments, **choices))


def times_within_feed_budgets(*arguments: Any, **choices: Any) -> NDArray[np.int32]:
    """The same with a timetable's own fares."""
    return as_seconds(feed.times_within_feed_budgets(*arguments, **choices))
