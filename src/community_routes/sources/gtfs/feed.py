"""What a timetable holds once it is read: GTFS tables joined by row numbers instead of ids."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.arrays import check_first, set_frozen
from community_routes.base.times import FIRST_DATE, LAST_DATE
from community_routes.sources.gtfs.schema import FRAMES

Phase = Literal["zero", "half", "sampled"]
KIND_HELD = {table.kind: table.held for table in FRAMES if table.kind}


@dataclass(frozen=True, eq=False)
class Calls:
    """The calls of all trips (``stop_times.txt``), grouped by trip, in the order of ``stop_sequence``.

    Attributes
    ----------
    first : int64, shape (n_trips + 1,)
        The calls of trip ``t`` are ``first[t]:first[t + 1]``; a trip may have none.
    stop : int32, shape (n_calls,)
        Row in ``Feed.stops``.
    arrival_s, departure_s : int32, shape (n_calls,)
        Seconds of the service date; blank times are filled in already (see ``timed``). Within a trip they never fall:
        ``arrival_s[i] <= departure_s[i] <= arrival_s[i + 1]``.
    pickup_type, drop_off_type : int8, shape (n_calls,)
        0 to 3 as in GTFS; blank is 0.
    timed : bool, shape (n_calls,)
        False where the file gave no time and it was interpolated.
    sequence : int32, shape (n_calls,)
        ``stop_sequence`` as in the file.
    distance : float64, shape (n_calls,)
        ``shape_dist_traveled`` as in the file; NaN where not given.
    """

    first: NDArray[np.int64]
    stop: NDArray[np.int32]
    arrival_s: NDArray[np.int32]
    departure_s: NDArray[np.int32]
    pickup_type: NDArray[np.int8]
    drop_off_type: NDArray[np.int8]
    timed: NDArray[np.bool_]
    sequence: NDArray[np.int32]
    distance: NDArray[np.float64]

    def __post_init__(self) -> None:
        set_frozen(self, "first", np.int64)
        n = len(self.stop)
        for name, dtype in [
            ("stop", np.int32),
            ("arrival_s", np.int32),
            ("departure_s", np.int32),
            ("pickup_type", np.int8),
            ("drop_off_type", np.int8),
            ("timed", np.bool_),
            ("sequence", np.int32),
            ("distance", np.float64),
        ]:
            set_frozen(self, name, dtype, (n,))
        check_first(self.first, n, "Calls.first")

    def __len__(self) -> int:
        return len(self.stop)


@dataclass(frozen=True, eq=False)
class Calendar:
    """On which dates each service runs (``calendar.txt`` and ``calendar_dates.txt``).

    Attributes
    ----------
    service_id : object (str), shape (n_services,)
    weekdays : bool, shape (n_services, 7)
        Monday first; all False for a service that is given by dates only.
    start, end : datetime64[D], shape (n_services,)
        First and last date of the weekly pattern, both included; NaT where there is none.
    exception_service : int32, shape (n_exceptions,)
    exception_date : datetime64[D], shape (n_exceptions,)
    exception_added : bool, shape (n_exceptions,)
        True: runs on that date as well; False: does not run on it.
    """

    service_id: NDArray[np.object_]
    weekdays: NDArray[np.bool_]
    start: NDArray[np.datetime64]
    end: NDArray[np.datetime64]
    exception_service: NDArray[np.int32]
    exception_date: NDArray[np.datetime64]
    exception_added: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.service_id)
        set_frozen(self, "service_id", np.object_)
        set_frozen(self, "weekdays", np.bool_, (n, 7))
        set_frozen(self, "start", "datetime64[D]", (n,))
        set_frozen(self, "end", "datetime64[D]", (n,))
        m = len(self.exception_service)
        set_frozen(self, "exception_service", np.int32, (m,))
        set_frozen(self, "exception_date", "datetime64[D]", (m,))
        set_frozen(self, "exception_added", np.bool_, (m,))

    def active(self, date: dt.date) -> NDArray[np.bool_]:
        """Which services run on the date, shape (n_services,)."""
        day = np.datetime64(date, "D")
        runs: NDArray[np.bool_] = self.weekdays[:, date.weekday()] & (self.start <= day) & (day <= self.end)
        today = self.exception_date == day
        runs[self.exception_service[today & self.exception_added]] = True
        runs[self.exception_service[today & ~self.exception_added]] = False
        return runs


def days_between(start: np.datetime64, end: np.datetime64) -> NDArray[np.datetime64]:
    """Every date from ``start`` to ``end`` that matters to a study: those that it may have, and the days beside them.

    So an open calendar (to 99991231) costs no more than a century of days, and cuts nothing that somebody asks for.
    """
    one = np.timedelta64(1, "D")
    first, last = np.datetime64(FIRST_DATE, "D") - one, np.datetime64(LAST_DATE, "D") + one
    days: NDArray[np.datetime64] = np.arange(max(start, first), min(end, last) + one)
    return days


def weekday_of(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Weekday of each date, Monday is 0 (1970-01-01 was a Thursday)."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


@dataclass(frozen=True, eq=False)
class Shapes:
    """The drawn courses of trips (``shapes.txt``), points grouped by shape in their order.

    Attributes
    ----------
    shape_id : object (str), shape (n_shapes,)
    first : int64, shape (n_shapes + 1,)
    lon, lat : float64, shape (n_points,)
        Degrees, WGS 84.
    distance : float64, shape (n_points,)
        ``shape_dist_traveled``, NaN where not given.
    """

    shape_id: NDArray[np.object_]
    first: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    distance: NDArray[np.float64]

    def __post_init__(self) -> None:
        set_frozen(self, "shape_id", np.object_)
        set_frozen(self, "first", np.int64, (len(self.shape_id) + 1,))
        n = len(self.lon)
        for name in ("lon", "lat", "distance"):
            set_frozen(self, name, np.float64, (n,))
        check_first(self.first, n, "Shapes.first")


@dataclass(frozen=True, eq=False)
class Feed:
    """One timetable, or several joined: the tables of GTFS with ids turned into row numbers.

    Every column named after a table (``stop``, ``route``, ``trip``, ...) is a row number there, -1 for none. Tables have
    a plain index 0, 1, 2, ...; nobody changes one in place (a scenario returns a new feed). Text columns hold ``str``,
    "" where blank. A fault that drops a row has been reported by then.

    Attributes
    ----------
    agencies : DataFrame
        agency_id, agency_name, agency_timezone
    stops : DataFrame
        stop_id, stop_code, stop_name, lon, lat (float64, NaN where unknown), location_type (int8), parent (int32),
        platform_code, wheelchair_boarding (int8: 0 unknown, 1 yes, 2 no; inherited from the parent where 0)
    routes : DataFrame
        route_id, agency (int32), route_short_name, route_long_name, route_type (int32), route_color (6 hex digits or ""),
        network_id
    trips : DataFrame
        trip_id, route (int32), service (int32), direction_id (int8, -1 blank), trip_headsign, trip_short_name, block_id,
        shape (int32), wheelchair_accessible (int8), source (int32: row in ``sources``)
    calls : Calls
        Grouped by the rows of ``trips``.
    calendar : Calendar
    frequencies : DataFrame
        trip (int32), start_s, end_s, headway_s (int32), exact_times (bool); of rows that a change has touched also
        origin_s (int32) and entry (see ``sources.headways``)
    transfers : DataFrame
        from_stop, to_stop, from_route, to_route, from_trip, to_trip (int32, -1 any), transfer_type (int8),
        min_transfer_s (int32, -1 blank)
    pathways : DataFrame
        from_stop, to_stop (int32), metres (float64, NaN), traversal_s (float64, NaN), both_ways (bool), mode (int8)
    shapes : Shapes
    fares : dict of DataFrame
        The fare tables as text, by file name without ``.txt``.
    fare_rows : dict of DataFrame
        file, row: where each row of a table with prices stands, for notices; empty in a feed made in memory.
    sources : tuple of str
        File names that were joined.
    valid : tuple of (date or None, date or None)
        For each source, the first and last date that its publisher vouches for (``feed_info.txt``), where known.
    content_hash : str
        sha256 over the bytes that were read; of a changed feed, over what it was made from.
    phase : "zero", "half" or "sampled"
        When the first bus of a ``frequencies.txt`` row with ``exact_times=0`` leaves, as the study says: at its start, half a
        headway later, or at a random moment of the first headway.
    seed : int
        What a sampled phase is drawn from, with the row's file, trip and start.
    """

    agencies: pd.DataFrame
    stops: pd.DataFrame
    routes: pd.DataFrame
    trips: pd.DataFrame
    calls: Calls
    calendar: Calendar
    frequencies: pd.DataFrame
    transfers: pd.DataFrame
    pathways: pd.DataFrame
    shapes: Shapes
    fares: dict[str, pd.DataFrame] = field(default_factory=dict)
    fare_rows: dict[str, pd.DataFrame] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    content_hash: str = ""
    valid: tuple[tuple[dt.date | None, dt.date | None], ...] = ()
    phase: Phase = "zero"
    seed: int = 0

    def __post_init__(self) -> None:
        if len(self.calls.first) != len(self.trips) + 1:
            raise ValueError(f"{len(self.calls.first) - 1} groups of calls for {len(self.trips)} trips")

    def ids(self, kind: str) -> NDArray[np.object_]:
        """The ids of its agencies, stops, routes, trips, services or shapes, by their rows; ``kind`` is in the singular."""
        if kind in ("service", "shape"):
            return self.calendar.service_id if kind == "service" else self.shapes.shape_id
        table: pd.DataFrame = getattr(self, KIND_HELD[kind])
        ids: NDArray[np.object_] = table[f"{kind}_id"].to_numpy(dtype=object)
        return ids

    def active_trips(self, date: dt.date) -> NDArray[np.int64]:
        """Rows of the trips whose service runs on the date."""
        active = self.calendar.active(date)
        service: NDArray[Any] = self.trips["service"].to_numpy()
        return np.flatnonzero((service >= 0) & active[service]) if len(active) else np.zeros(0, np.int64)

    def __repr__(self) -> str:
        return (
            f"Feed({', '.join(self.sources) or 'made in memory'}: {len(self.routes)} routes, {len(self.trips):,} trips, "
            f"{len(self.calls):,} calls, {len(self.stops):,} stops)"
        )
