"""A timetable of a region narrowed to a box: its trips there, and only the routes, agencies and services of these."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from community_routes.sources.feed import Calendar, Feed


def without_unused(feed: Feed) -> Feed:
    """The feed without routes, agencies and services that none of its trips has (a region has thousands of them).

    Where the feed has tables of fares, which may name them, its routes and agencies stay.
    """
    feed = _used_services(feed)
    if feed.fares:
        return feed
    keep, new_row = _used(feed.trips["route"].to_numpy(), len(feed.routes))
    trips = feed.trips.copy()
    trips["route"] = new_row[trips["route"].to_numpy()]
    transfers = feed.transfers
    for column in ("from_route", "to_route"):
        named = transfers[column].to_numpy()
        transfers = transfers[(named < 0) | keep[named]].reset_index(drop=True)
        named = transfers[column].to_numpy()
        transfers[column] = np.where(named < 0, -1, new_row[named]).astype(np.int32)
    routes = feed.routes[keep].reset_index(drop=True)
    agency, new_agency = _used(routes["agency"].to_numpy(), len(feed.agencies))
    if agency.any():
        routes["agency"] = new_agency[routes["agency"].to_numpy()]
        feed = replace(feed, agencies=feed.agencies[agency].reset_index(drop=True))
    return replace(feed, trips=trips, routes=routes, transfers=transfers)


def _used_services(feed: Feed) -> Feed:
    calendar = feed.calendar
    keep, new_row = _used(feed.trips["service"].to_numpy(), len(calendar.service_id))
    dated = keep[calendar.exception_service]
    kept = Calendar(
        calendar.service_id[keep],
        calendar.weekdays[keep],
        calendar.start[keep],
        calendar.end[keep],
        new_row[calendar.exception_service[dated]],
        calendar.exception_date[dated],
        calendar.exception_added[dated],
    )
    trips = feed.trips.copy()
    trips["service"] = new_row[trips["service"].to_numpy()]
    return replace(feed, trips=trips, calendar=kept)


def _used(rows: NDArray[np.int32], n: int) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which of n rows are named, and their new numbers (-1, and for -1, where there is none)."""
    keep = np.zeros(n, np.bool_)
    keep[rows[rows >= 0]] = True
    return keep, np.append(np.where(keep, np.cumsum(keep) - 1, -1), -1).astype(np.int32)
