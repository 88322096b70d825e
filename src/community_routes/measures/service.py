"""Service near home: how often something leaves within a walk, how early and late, and the index of PTAL's form.

A departure counts at a stop when it can be boarded there. Distances are walks along the streets, in metres. A zone near
no stop scores 0 departures; its first and last bus are ``UNREACHED``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.arrays import set_frozen
from community_routes.base.times import HOUR, UNREACHED
from community_routes.fares.tickets import MODES, modes_of
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.points import Links
from community_routes.sources.gtfs.feed import Feed

FloatArray = NDArray[np.float64]
NEAR_M = 400.0
TRAFFIC_DAY_S = (4 * HOUR, 28 * HOUR)


@dataclass(frozen=True, eq=False)
class StopDepartures:
    """Departures that can be boarded, of one day.

    Attributes
    ----------
    stop, route : int32, shape (n,)
        Rows of ``Feed.stops`` and ``Feed.routes``.
    direction : int8, shape (n,)
        ``direction_id``, -1 where the feed has none.
    run : int64, shape (n,)
        The same number for all departures of one vehicle journey.
    mode : int8, shape (n,)
        Place in ``modes.MODES``.
    departure_s : int32, shape (n,)
        Seconds of the service date.
    """

    stop: NDArray[np.int32]
    route: NDArray[np.int32]
    direction: NDArray[np.int8]
    run: NDArray[np.int64]
    mode: NDArray[np.int8]
    departure_s: NDArray[np.int32]

    def __post_init__(self) -> None:
        n = len(self.stop)
        for name, dtype in (("stop", np.int32), ("route", np.int32), ("direction", np.int8), ("run", np.int64)):
            set_frozen(self, name, dtype, (n,))
        set_frozen(self, "mode", np.int8, (n,))
        set_frozen(self, "departure_s", np.int32, (n,))

    def within(self, window_s: tuple[int, int]) -> StopDepartures:
        """Departures from the start of a window until before its end."""
        keep = (self.departure_s >= window_s[0]) & (self.departure_s < window_s[1])
        names = ("stop", "route", "direction", "run", "mode", "departure_s")
        return StopDepartures(*(getattr(self, name)[keep] for name in names))


_NONE = np.zeros(0, np.int32)
NO_DEPARTURES = StopDepartures(_NONE, _NONE, np.zeros(0, np.int8), np.zeros(0, np.int64), np.zeros(0, np.int8), _NONE)
"""Of a day on which nothing runs."""


def build_departures(feed: Feed, timetable: Timetable) -> StopDepartures:
    """Every departure of a timetable that can be boarded; trips of the day before and after stand at their own times."""
    board = np.flatnonzero(timetable.board)
    trip = timetable.trip[board]
    route = feed.trips["route"].to_numpy(dtype=np.int32)[trip]
    return StopDepartures(
        timetable.from_stop[board],
        route,
        feed.trips["direction_id"].to_numpy(dtype=np.int8)[trip],
        timetable.run()[board].astype(np.int64),
        modes_of(feed.routes["route_type"].to_numpy())[route],
        timetable.departure_s[board],
    )


def departures_per_hour(departures: StopDepartures, n_stops: int, window_s: tuple[int, int]) -> FloatArray:
    """Departures an hour at each stop in a period, shape (n_stops,)."""
    hours = _hours(window_s)
    return np.bincount(departures.within(window_s).stop, minlength=n_stops) / hours


def near_frequent_stop(
    walks: Links,
    departures: StopDepartures,
    window_s: tuple[int, int],
    *,
    per_hour: float = 1.0,
    within_m: float = NEAR_M,
) -> NDArray[np.bool_]:
    """Whether a place is within a walk of **one** stop with at least so many departures an hour in a period.

    Formula: any_s [d_is <= m and n_s / hours >= f]. A distance of exactly ``within_m`` counts.

    Parameters
    ----------
    walks : Links
        From places (origins) to stops.
    departures : StopDepartures
    window_s : (int, int)
    per_hour : float
    within_m : float

    Returns
    -------
    bool, shape (n_places,)
    """
    start, stop, _ = _near(walks, within_m)
    n_stops = int(max(walks.to.max(initial=-1), departures.stop.max(initial=-1))) + 1
    frequent = departures_per_hour(departures, n_stops, window_s) >= per_hour
    return np.bincount(start[frequent[stop]], minlength=walks.n_from) > 0


def service_per_hour(
    walks: Links, departures: StopDepartures, window_s: tuple[int, int], *, within_m: float = NEAR_M
) -> FloatArray:
    """Vehicles an hour that can be boarded within a walk, each counted once however many stops it calls at.

    Formula: |{runs that leave a stop s with d_is <= m in the period}| / hours. Unit: departures per hour; 0 for none.

    Returns
    -------
    float64, shape (n_places,)
    """
    place, row, within = _departures_near(walks, departures.within(window_s), within_m)
    n_runs = int(within.run.max(initial=0)) + 1
    found = np.unique(place * np.int64(n_runs) + within.run[row]) // n_runs
    return np.bincount(found, minlength=walks.n_from) / _hours(window_s)


def first_and_last(
    walks: Links,
    departures: StopDepartures,
    *,
    within_m: float = NEAR_M,
    day_s: tuple[int, int] = TRAFFIC_DAY_S,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """First and last departure within a walk, of a traffic day from 04:00 until before 04:00 of the next.

    A bus at 00:20 is thus the last of the evening before, not the first of the day. ``UNREACHED`` where there is none.

    Returns
    -------
    first, last : int32, shape (n_places,)
        Seconds of the service date.
    """
    place, row, within = _departures_near(walks, departures.within(day_s), within_m)
    first, last = np.full(walks.n_from, UNREACHED, np.int32), np.full(walks.n_from, -1, np.int32)
    np.minimum.at(first, place, within.departure_s[row])
    np.maximum.at(last, place, within.departure_s[row])
    last[first == UNREACHED] = UNREACHED
    return first, last


# --- the index of PTAL's form ------------------------------------------------------------------------------------

WALK_M_PER_MIN = 80.0
REACH_M = {"bus": 640.0, "coach": 640.0, "tram": 960.0, "metro": 960.0, "rail": 960.0}
RELIABILITY_MIN = {"bus": 2.0, "coach": 2.0, "tram": 2.0, "metro": 0.75, "rail": 0.75}
MORNING_S = (8 * HOUR + 900, 9 * HOUR + 900)
EVENING_S = (20 * HOUR + 900, 21 * HOUR + 900)
_BANDS = ((0.0, "0"), (2.5, "1a"), (5.0, "1b"), (10.0, "2"), (15.0, "3"), (20.0, "4"), (25.0, "5"), (40.0, "6a"))
_TOP_BAND = "6b"


def ptal_form_index(walks: Links, departures: StopDepartures, window_s: tuple[int, int] = MORNING_S) -> FloatArray:
    """Access index of PTAL's form: how soon and how reliably something can be boarded.

    For each route, at the nearest stop where it can be boarded and in its busier direction: walk = metres / 80 a
    minute; scheduled wait = 30 / departures an hour; reliability 2 minutes (bus, coach, tram) or 0.75 (rail, metro);
    EDF = 30 / (walk + wait + reliability). Index of a mode = best EDF + half of the others; index = sum over modes
    (coaches count among buses). Walks of more than 640 m to a bus or 960 m to rail, metro and tram do not count.

    Unit: equivalent doorstep departures per hour. A place near nothing scores 0. Take the morning (08:15-09:15, the
    period of TfL), the evening (``EVENING_S``) or the same of a Sunday by the departures and the window given; TfL has
    no evening or Sunday level. It is PTAL's *form*: a town's levels are low everywhere, so show the index.

    Parameters
    ----------
    walks : Links
        From places to stops; walks of 960 m must be in it.
    departures : StopDepartures
    window_s : (int, int)

    Returns
    -------
    float64, shape (n_places,)
    """
    reach = np.asarray([REACH_M.get(mode, 0.0) for mode in MODES])
    reliability = np.asarray([RELIABILITY_MIN.get(mode, 0.0) for mode in MODES])
    place, metres, served = _frequencies_near(walks, departures.within(window_s), float(reach.max()))
    keep = (metres <= reach[served["mode"]]) & (reach[served["mode"]] > 0)
    place, metres, served = place[keep], metres[keep], {name: column[keep] for name, column in served.items()}
    # nearest stop in each direction, then the busier direction; the nearer one when they are alike
    route, direction, count = served["route"], served["direction"], served["count"]
    order = np.lexsort((served["stop"], metres, direction, route, place))
    order = order[_is_first(place[order], route[order], direction[order])]
    order = order[np.lexsort((metres[order], -count[order], route[order], place[order]))]
    order = order[_is_first(place[order], route[order])]
    per_hour = count[order] / _hours(window_s)
    access_min = metres[order] / WALK_M_PER_MIN + 30 / per_hour + reliability[served["mode"][order]]
    group = np.where(served["mode"] == MODES.index("coach"), MODES.index("bus"), served["mode"])[order]
    by_mode = pd.Series(30 / access_min).groupby(place[order].astype(np.int64) * len(MODES) + group)
    index = (by_mode.sum() + by_mode.max()) / 2
    result = np.zeros(walks.n_from)
    np.add.at(result, index.index.to_numpy() // len(MODES), index.to_numpy())
    return result


def _is_first(*keys: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether any of some sorted keys differs from the row before."""
    found = np.ones(len(keys[0]), np.bool_)
    found[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return found


def ptal_form_band(index: ArrayLike) -> list[str]:
    """Bands of an index: 0; 1a up to 2.5, 1b 5, 2 10, 3 15, 4 20, 5 25, 6a 40 (each included), 6b above."""
    limits = [limit for limit, _ in _BANDS]
    names = [name for _, name in _BANDS] + [_TOP_BAND]
    return [names[place] for place in np.searchsorted(limits, np.asarray(index, dtype=np.float64), side="left")]


def _hours(window_s: tuple[int, int]) -> float:
    if window_s[1] <= window_s[0]:
        raise ValueError(f"the period {window_s} ends before it begins")
    return (window_s[1] - window_s[0]) / HOUR


def _near(walks: Links, within_m: float) -> tuple[NDArray[np.int32], NDArray[np.int32], FloatArray]:
    """Places, stops and metres of the walks of at most so many metres."""
    keep = walks.metres <= within_m
    return walks.start()[keep], walks.to[keep], walks.metres[keep]


def _departures_near(
    walks: Links, departures: StopDepartures, within_m: float
) -> tuple[NDArray[np.int32], NDArray[np.int64], StopDepartures]:
    """Place and row of every departure of every stop within a walk, and the departures."""
    start, stop, _ = _near(walks, within_m)
    at, row = _of_stops(stop, departures.stop)
    return start[at], row, departures


def _of_stops(stop: NDArray[np.int32], of_row: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each stop in turn all rows that have it: which one of the stops, and the row."""
    order = np.argsort(of_row, kind="stable")
    n_stops = int(max(stop.max(initial=-1), of_row.max(initial=-1))) + 1
    count = np.bincount(of_row, minlength=n_stops)
    first = np.cumsum(count) - count
    at = np.repeat(np.arange(len(stop)), count[stop])
    offset = np.arange(len(at)) - np.repeat(np.cumsum(count[stop]) - count[stop], count[stop])
    return at, order[np.repeat(first[stop], count[stop]) + offset]


def _frequencies_near(
    walks: Links, departures: StopDepartures, within_m: float
) -> tuple[NDArray[np.int32], FloatArray, dict[str, NDArray[Any]]]:
    """Place and metres, and stop, route, direction, mode and count of departures, for every stop within a walk."""
    start, stop, metres = _near(walks, within_m)
    names = ("mode", "direction", "route", "stop")
    order = np.lexsort([getattr(departures, name) for name in names])
    columns = {name: getattr(departures, name)[order] for name in names}
    first = np.flatnonzero(_is_first(*columns.values()))
    served = {name: column[first] for name, column in columns.items()}
    served["count"] = np.diff(np.append(first, len(order)))
    at, row = _of_stops(stop, served["stop"])
    return start[at], metres[at], {name: column[row] for name, column in served.items()}
