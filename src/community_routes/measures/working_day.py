"""Shifts searched on a network: the ways there by deadline and the ways back by departure, for every workplace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.measures.choose import SHARE
from community_routes.measures.further import WindowInputs
from community_routes.measures.shifts import Shift, ShiftAccess, arrives_in_time, gets_home
from community_routes.network.network import Network
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import reduced_by_departure


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
    *by_deadline, after = shift_queries(query, shift)
    deadlines = np.concatenate([asked.departures_s for asked in by_deadline])
    return ShiftAccess(
        reduced_by_departure(
            network, by_deadline, there, lambda times: arrives_in_time(times, deadlines), threads=threads
        ),
        reduced_by_departure(network, [after], back, lambda times: gets_home(times).T, threads=threads).T,
    )


def shift_queries(query: Query, shift: Shift) -> list[Query]:
    """What a shift asks: its windows of deadlines, and last its window of departures home."""
    by_deadline = [replace(query, window_s=window, arrive_by=True) for window in shift.deadline_windows()]
    return [*by_deadline, replace(query, window_s=shift.departure_window(), arrive_by=False)]


def shift_tables(
    inputs: WindowInputs, access: ShiftAccess, rows: NDArray[np.int64], shift: Shift
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What a shift's feasibility says of neighbourhoods and of workplaces.

    Parameters
    ----------
    inputs : WindowInputs
        Of any window of the day; its travel times are not used.
    access : ShiftAccess
        Rows are origins, columns the destinations of ``rows``.
    rows : int64, shape (n_places,)
        Which destinations; all of one key.
    shift : Shift

    Returns
    -------
    access : DataFrame
        Rows of access.csv, the shift as the window: ``share_of_jobs``, the share of the key's amounts that can be worked.
    places : DataFrame
        scenario, day, shift, key, id, name, residents, share_of_residents and the shares whose way there, way back or
        both are missing, of the residents on the network; in order of id.
    """
    places = inputs.destinations.iloc[rows].reset_index(drop=True)
    amounts = places["amount"].to_numpy(dtype=np.float64)
    named = replace(inputs, window=shift.name)
    what = {"kind": str(places["key"].iloc[0]), "measure": "share_of_jobs", "unit": SHARE}
    of_zones = named.rows(inputs.of_zones(access.share_of_jobs(amounts)), **what)
    persons = inputs.persons_of_origins() * inputs.on_network
    total = persons.sum()
    missing = access.missing()

    def share(fits: NDArray[np.bool_]) -> NDArray[np.float64]:
        able = np.where(fits, persons[:, None], 0.0).sum(axis=0)
        return np.asarray(able / total if total > 0 else np.full(len(places), np.nan))

    table = pd.DataFrame(
        {
            "scenario": inputs.scenario,
            "day": inputs.day,
            "shift": shift.name,
            "key": places["key"],
            "id": places["id"],
            "name": places["name"],
            "residents": total,
            "share_of_residents": share(access.feasible),
            "missing_there": share(missing == "there"),
            "missing_back": share(missing == "back"),
            "missing_both": share(missing == "there and back"),
        }
    )
    return of_zones, table.sort_values("id", kind="stable", ignore_index=True)
