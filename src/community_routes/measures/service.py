"""Service near home: how often something leaves within a walk, how early and late, and the index of PTAL's form.

A departure counts at a stop when it can be boarded there. Distances are walks along the streets, in metres. A zone near
no stop scores 0 departures; its first and last bus are ``UNREACHED``.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    near = _departures_near(walks, departures.within(window_s), within_m)
    found = near.drop_duplicates(["place", "run"])["place"].to_numpy()
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
    near = _departures_near(walks, departures.within(day_s), within_m).groupby("place")["departure_s"]
    first, last = (np.full(walks.n_from, UNREACHED, dtype=np.int32) for _ in range(2))
    for result, found in ((first, near.min()), (last, near.max())):
        result[found.index.to_numpy()] = found.to_numpy()
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
    near = _frequencies_near(walks, departures.within(window_s), float(reach.max()))
    near = near[(near["metres"] <= reach[near["mode"]]).to_numpy() & (reach[near["mode"]] > 0)]
    # nearest stop in each direction, then the busier direction; the nearer one when they are alike
    near = near.sort_values(["place", "route", "direction", "metres", "stop"], kind="stable")
    near = near.drop_duplicates(["place", "route", "direction"])
    near = near.sort_values(["place", "route", "count", "metres"], ascending=[True, True, False, True], kind="stable")
    near = near.drop_duplicates(["place", "route"])
    per_hour = near["count"].to_numpy() / _hours(window_s)
    access_min = near["metres"].to_numpy() / WALK_M_PER_MIN + 30 / per_hour + reliability[near["mode"]]
    group = near["mode"].replace({MODES.index("coach"): MODES.index("bus")})
    edf = pd.DataFrame({"place": near["place"].to_numpy(), "mode": group.to_numpy(), "edf": 30 / access_min})
    by_mode = edf.groupby(["place", "mode"])["edf"].agg(["max", "sum"])
    index = (by_mode["sum"] + by_mode["max"]) / 2
    result = np.zeros(walks.n_from)
    np.add.at(result, index.index.get_level_values("place").to_numpy(), index.to_numpy())
    return result


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


def _departures_near(walks: Links, departures: StopDepartures, within_m: float) -> pd.DataFrame:
    """place, run, departure_s of every departure of every stop within a walk."""
    start, stop, _ = _near(walks, within_m)
    order = np.argsort(departures.stop, kind="stable")
    n_stops = int(max(stop.max(initial=-1), departures.stop.max(initial=-1))) + 1
    count = np.bincount(departures.stop, minlength=n_stops)
    first = np.cumsum(count) - count
    place = np.repeat(start, count[stop])
    ends = np.cumsum(count[stop])
    offset = np.arange(len(place)) - np.repeat(ends - count[stop], count[stop])
    row = order[np.repeat(first[stop], count[stop]) + offset]
    return pd.DataFrame({"place": place, "run": departures.run[row], "departure_s": departures.departure_s[row]})


def _frequencies_near(walks: Links, departures: StopDepartures, within_m: float) -> pd.DataFrame:
    """place, stop, metres, route, direction, mode and count of departures for every stop within a walk."""
    start, stop, metres = _near(walks, within_m)
    near = pd.DataFrame({"place": start, "stop": stop, "metres": metres})
    columns = ["stop", "route", "direction", "mode"]
    served = pd.DataFrame({name: getattr(departures, name) for name in columns})
    counts = served.groupby(columns, sort=True).size().rename("count").reset_index()
    return near.merge(counts, on="stop", how="inner")
