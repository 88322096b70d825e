"""The working day: can one arrive by the start of a shift and get home after its end, and which way is missing.

There: some journey arrives from 60 to 5 minutes before the start. Back: some journey leaves from 0 to 60 minutes after
the end. Both within the limits of the search, both ends of each interval included. A night shift ends on the next
service date: its end is past 24:00 (``times.parse_window("22:00-06:00")`` is 22:00 to 30:00).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE, UNREACHED, format_window
from community_routes.measures.list import SHARE_OF_JOBS
from community_routes.measures.measure import SHARE, WindowFigures, WindowInputs, ZoneColumn
from community_routes.measures.weighted import persons_of
from community_routes.network.network import Network
from community_routes.routing.matrices import as_amounts, as_times
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import reduced_by_departure

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
EARLIEST_BEFORE_S: Final = 60 * MINUTE
LATEST_BEFORE_S: Final = 5 * MINUTE
LATEST_AFTER_S: Final = 60 * MINUTE
USUAL_SHIFTS: Final = ("06:00-14:00", "14:00-22:00", "22:00-06:00")


@dataclass(frozen=True)
class Shift:
    """A shift in seconds of the service date on which it starts; the end is later than the start."""

    start_s: int
    end_s: int

    def __post_init__(self) -> None:
        if self.end_s <= self.start_s:
            raise ValueError(
                f"the shift {self.start_s} to {self.end_s} s ends before it starts; a night's end is past 24 h"
            )

    @property
    def name(self) -> str:
        """``22:00-30:00``."""
        return format_window((self.start_s, self.end_s))

    def deadline_windows(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Windows of deadlines for the way there: one second before the interval, and the interval.

        Searched with ``arrive_by`` and joined in this order, they tell a journey that arrives in the interval from one
        that arrives too early and waits.
        """
        first, last = self.start_s - EARLIEST_BEFORE_S, self.start_s - LATEST_BEFORE_S
        return (first - 1, first), (first, last + 1)

    def departure_window(self) -> tuple[int, int]:
        """Window of departures for the way back."""
        return self.end_s, self.end_s + LATEST_AFTER_S + 1


@dataclass(frozen=True, eq=False)
class ShiftAccess:
    """Which workplaces of a shift can be reached and left again from each zone.

    Attributes
    ----------
    there, back : bool, shape (n_zones, n_places)
    """

    there: BoolArray
    back: BoolArray

    def __post_init__(self) -> None:
        if self.there.shape != self.back.shape:
            raise ValueError(f"the ways there have the shape {self.there.shape}, the ways back {self.back.shape}")

    @property
    def feasible(self) -> BoolArray:
        """Both ways."""
        return self.there & self.back

    def missing(self) -> NDArray[np.object_]:
        """``""``, ``there``, ``back`` or ``there and back`` for each zone and place."""
        names = np.asarray(["", "there", "back", "there and back"], dtype=object)
        return np.asarray(names[(~self.there).astype(np.int8) + 2 * (~self.back).astype(np.int8)])

    def share_of_jobs(self, jobs: ArrayLike) -> FloatArray:
        """For each zone, the share of all jobs that can be worked in this shift: 0 to 1; NaN when there are no jobs."""
        amounts = as_amounts(jobs, self.there.shape[1], "jobs")
        total = amounts.sum()
        reached: FloatArray = np.where(self.feasible, amounts, 0.0).sum(axis=1)
        return reached / total if total > 0 else np.full(len(reached), np.nan)

    def share_of_residents(self, persons: ArrayLike) -> FloatArray:
        """For each place, the share of all residents who could work there in this shift; NaN when nobody lives."""
        people = persons_of(persons, self.there.shape[0])
        total = people.sum()
        able: FloatArray = np.where(self.feasible, people[:, None], 0.0).sum(axis=0)
        return able / total if total > 0 else np.full(len(able), np.nan)


def arrives_in_time(time_s: ArrayLike, deadlines_s: ArrayLike) -> BoolArray:
    """Whether some journey arrives between the first deadline (not included) and the last (included).

    Formula: with d(D) = D - t(D) the latest departure for a deadline, some D_k (k > 0) is reached with
    d(D_k) > d(D_{k-1}): leaving later became possible, so that journey arrives after D_{k-1}. A journey that arrives
    before all of them and then waits has the same departure for each, and does not count.

    Parameters
    ----------
    time_s : int32, shape (n_zones, n_deadlines, n_places)
        Deadline minus latest departure, of an arrive-by search.
    deadlines_s : int, shape (n_deadlines,)
        Rising; as ``Shift.deadline_windows`` gives them.

    Returns
    -------
    bool, shape (n_zones, n_places)
    """
    times = as_times(time_s)
    deadlines = np.asarray(deadlines_s, dtype=np.int64)
    if times.ndim != 3 or times.shape[1] != len(deadlines):
        raise ValueError(f"times have the shape {times.shape}, not (zones, {len(deadlines)} deadlines, places)")
    if (np.diff(deadlines) <= 0).any():
        raise ValueError("the deadlines must rise")
    leave = deadlines.astype(np.int32)[None, :, None] - times
    leave[times == UNREACHED] = np.iinfo(np.int32).min
    return np.asarray((leave[:, 1:] > leave[:, :-1]).any(axis=1))


def gets_home(time_s: ArrayLike) -> BoolArray:
    """Whether some departure after the end of the shift gets home within the limits.

    Parameters
    ----------
    time_s : int32, shape (n_places, n_departures, n_zones)
        From workplaces to zones, for the departures of ``Shift.departure_window``.

    Returns
    -------
    bool, shape (n_zones, n_places)
    """
    times = as_times(time_s)
    if times.ndim != 3:
        raise ValueError(f"times have the shape {times.shape}, not (places, departures, zones)")
    return np.ascontiguousarray((times != UNREACHED).any(axis=1).T)


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
) -> tuple[WindowFigures, pd.DataFrame]:
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
    figures : WindowFigures
        The shift as the window: ``share_of_jobs``, the share of the key's amounts that can be worked.
    places : DataFrame
        scenario, day, shift, key, id, name, residents, share_of_residents and the shares whose way there, way back or
        both are missing, of the residents on the network; in order of id.
    """
    places = inputs.destinations.iloc[rows].reset_index(drop=True)
    amounts = places["amount"].to_numpy(dtype=np.float64)
    named = replace(inputs, window=shift.name)
    able = inputs.of_zones(access.share_of_jobs(amounts))
    of_zones = named.figures([ZoneColumn(able, str(places["key"].iloc[0]), SHARE_OF_JOBS.id, SHARE)])
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
