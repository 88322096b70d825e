"""Shifts searched on a network: the ways there by deadline and the ways back by departure, for every workplace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from community_routes.measures.shifts import Shift, ShiftAccess, shift_access
from community_routes.network.network import Network
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure


def search_shift(
    network: Network, query: Query, there: Walks, back: Walks, shift: Shift, *, threads: int = 1
) -> ShiftAccess:
    """Which workplaces can be reached in time for a shift and left again after it.

    Parameters
    ----------
    network : Network
        Of the service date on which the shift starts; it must hold departures until two hours after a night shift.
    query : Query
        Its step and limits hold; its window does not.
    there : Walks
        From zones (origins) to workplaces (destinations).
    back : Walks
        From workplaces (origins) to zones (destinations).
    shift : Shift
    threads : int

    Returns
    -------
    ShiftAccess
    """
    windows = shift.deadline_windows()
    by_deadline = [replace(query, window_s=window, arrive_by=True) for window in windows]
    there_s = [travel_times_by_departure(network, asked, there, threads=threads) for asked in by_deadline]
    deadlines = np.concatenate([asked.departures_s for asked in by_deadline])
    after = replace(query, window_s=shift.departure_window(), arrive_by=False)
    back_s = travel_times_by_departure(network, after, back, threads=threads)
    return shift_access(np.concatenate(there_s, axis=1), deadlines, back_s)
