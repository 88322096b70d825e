"""What a proposal costs to run: buses, bus-hours and kilometres by day and year, against today, with every assumption."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from community_routes.base.earth import great_circle_m
from community_routes.base.times import DAY, HOUR, MINUTE, format_window
from community_routes.scenarios.edit.days import day_set, nearest_day
from community_routes.scenarios.edit.made import DrtZone
from community_routes.scenarios.edit.routes import directions, route_name, runs_of, trips_of
from community_routes.scenarios.values import Amount, Model, within
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.positions import way_positions

_NOISE = 1e-12
DETOUR = 1.3
"""Road length over straight line for trips without a drawn course."""
PERIODS: dict[str, tuple[int, int]] = {
    "early": (0, 7 * HOUR),
    "morning peak": (7 * HOUR, 9 * HOUR + 30 * MINUTE),
    "daytime": (9 * HOUR + 30 * MINUTE, 15 * HOUR),
    "afternoon peak": (15 * HOUR, 18 * HOUR + 30 * MINUTE),
    "evening": (18 * HOUR + 30 * MINUTE, 23 * HOUR),
    "night": (23 * HOUR, 2 * DAY),
}
"""Periods of the day for which the buses in use are told."""


class Cost(Model):
    """Rates of operation, in the planner's currency; what is not given is not counted.

    ``days`` are the days of a year of each kind. Layover is the larger of ``layover_share`` of the cycle and
    ``layover_min`` minutes.
    """

    per_bus_hour: Amount = 0.0
    per_km: Amount = 0.0
    per_peak_vehicle_year: Amount = 0.0
    dead_share: Annotated[float, within(0, 2, "a share, 0 to 2")] = 0.0
    days: dict[str, Amount] = Field(default_factory=lambda: {"weekday": 253.0, "saturday": 52.0, "sunday": 60.0})
    layover_share: Annotated[float, within(0, 1, "a share, 0 to 1")] = 0.10
    layover_min: Annotated[float, within(0, 60, "minutes, 0 to 60")] = 5.0


@dataclass(frozen=True, eq=False)
class RouteDay:
    """A route on one date.

    Attributes
    ----------
    departures : int
    run_s : float
        Seconds from first departure to last arrival, all trips together.
    layover_s : float
        Seconds of layover after all trips together.
    metres : float
        In service, all trips together.
    cycle_s : float
        Mean run out + mean run back + layover of both; of the one direction where the route has only one.
    start_s, end_s : float64, shape (departures,)
        When a bus is in use: from the departure to the arrival plus layover.
    """

    departures: int
    run_s: float
    layover_s: float
    metres: float
    cycle_s: float
    start_s: NDArray[np.float64]
    end_s: NDArray[np.float64]


_NOTHING = RouteDay(0, 0.0, 0.0, 0.0, 0.0, np.zeros(0), np.zeros(0))


def route_day(feed: Feed, route_id: str, date: dt.date, cost: Cost) -> RouteDay:
    """What a route takes on a date; nothing where it does not run.

    Layover of a cycle is the larger of ``layover_share`` of its run times and ``layover_min`` minutes; each of the two trips of
    a cycle has half of it.
    """
    return _RouteTrips.of(feed, route_id).on(feed, date, cost)


@dataclass(frozen=True, eq=False)
class _RouteTrips:
    """The trips of a route on any date: rows of ``Feed.trips``, which way they go, seconds from first call to last, length."""

    trips: NDArray[np.int64]
    way: NDArray[np.int8]
    duration_s: NDArray[np.float64]
    metres: NDArray[np.float64]

    @classmethod
    def of(cls, feed: Feed, route_id: str) -> _RouteTrips:
        """As they are known of a timetable; of today's they are asked for with every proposal."""
        known = _KNOWN.setdefault(feed, {})
        if route_id not in known:
            trips = trips_of(feed, np.flatnonzero(feed.routes["route_id"].to_numpy() == route_id).tolist())
            calls = feed.calls
            seconds = calls.arrival_s[calls.first[trips + 1] - 1] - calls.departure_s[calls.first[trips]]
            way = directions(feed, trips) if len(trips) else np.zeros(0, np.int8)
            known[route_id] = cls(trips, way, seconds.astype(np.float64), trip_metres(feed, trips))
        return known[route_id]

    def on(self, feed: Feed, date: dt.date, cost: Cost) -> RouteDay:
        """What they take on a date."""
        running = feed.calendar.active(date)[feed.trips["service"].to_numpy()[self.trips]]
        if not running.any():
            return _NOTHING
        trips = self.trips[running]
        runs = runs_of(feed, trips)
        at = np.searchsorted(trips, runs.trip)
        run_s, run_way = self.duration_s[running][at], self.way[running][at]
        means = [float(run_s[run_way == one].mean()) for one in (0, 1) if (run_way == one).any()]
        layover = max(cost.layover_share * sum(means), cost.layover_min * MINUTE)
        each = layover / len(means)
        start = runs.start_s.astype(np.float64)
        return RouteDay(
            len(runs),
            float(run_s.sum()),
            each * len(runs),
            float(self.metres[running][at].sum()),
            sum(means) + layover,
            start,
            start + run_s + each,
        )


_KNOWN: WeakKeyDictionary[Feed, dict[str, _RouteTrips]] = WeakKeyDictionary()


def trip_metres(feed: Feed, trips: NDArray[np.int64]) -> NDArray[np.float64]:
    """Length of each trip: of its drawn course, else straight lines between its stops times 1.3.

    A course that leaves out a part of the way, as one that ends before the last stop, counts as what it draws and straight
    lines between the other stops, where that is longer.
    """
    lon, lat = feed.stops["lon"].to_numpy(np.float64), feed.stops["lat"].to_numpy(np.float64)
    shape = feed.trips["shape"].to_numpy()
    shapes = feed.shapes
    known: dict[bytes, float] = {}
    found = np.zeros(len(trips))
    for k, trip in enumerate(trips.tolist()):
        row = int(shape[trip])
        part = slice(int(shapes.first[row]), int(shapes.first[row + 1])) if row >= 0 else slice(0, 0)
        stops = feed.calls.stop[feed.calls.first[trip] : feed.calls.first[trip + 1]]
        key = f"{row}".encode() + stops.tobytes()
        if key not in known:
            if part.stop - part.start > 1:
                x, y, factor = shapes.lon[part], shapes.lat[part], 1.0
            else:
                x, y, factor = lon[stops], lat[stops], DETOUR
            metres = float(np.nansum(great_circle_m(x[:-1], y[:-1], x[1:], y[1:]))) * factor
            way, in_part = way_positions(lon[stops], lat[stops], shapes, row)
            known[key] = max(metres, float(way[-1] - way[0])) if in_part else metres
        found[k] = known[key]
    return found


def most_at_once(
    start_s: NDArray[np.float64], end_s: NDArray[np.float64], within_s: tuple[float, float] | None = None
) -> int:
    """The largest number of intervals ``start <= t < end`` that hold the same moment, anywhere or within a period."""
    if within_s is not None:
        hit = (start_s < within_s[1]) & (end_s > within_s[0])
        start_s, end_s = np.maximum(start_s[hit], within_s[0]), np.minimum(end_s[hit], within_s[1])
    if not len(start_s):
        return 0
    moments = np.concatenate([start_s, end_s])
    step = np.concatenate([np.ones(len(start_s)), -np.ones(len(end_s))])
    # A bus that comes free in the second in which another is needed is that other one.
    order = np.lexsort((step, moments))
    return int(np.cumsum(step[order]).max())


@dataclass(frozen=True, eq=False)
class OperatingCost:
    """What a proposal takes and costs a year, today, proposed and the difference.

    Attributes
    ----------
    by_day : DataFrame
        ``day, date, route, name``, then ``departures, cycle_min, bus_hours, km, buses`` for ``_today`` and ``_proposal``.
    by_period : DataFrame
        ``day, period, buses_today, buses_proposal``: buses in use at once by the routes that change.
    year : DataFrame
        Index ``bus_hours, km, peak_vehicles, cost``; columns ``today, proposal, change``. ``cost`` is NaN without rates, and
        everything of the proposal is NaN where ``missing`` says why.
    assumptions : tuple of str
    missing : str
        Why nobody can tell what the proposal takes; empty where it can be told.
    used : Used or None
        From what the figures of the year are added up.
    """

    by_day: pd.DataFrame
    by_period: pd.DataFrame
    year: pd.DataFrame
    assumptions: tuple[str, ...] = field(default=())
    missing: str = ""
    used: Used | None = field(default=None, repr=False)

    @property
    def bus_hours(self) -> float:
        """Further bus-hours a year; negative where the proposal saves, NaN where ``missing`` says why."""
        return float(self.year.loc["bus_hours", "change"])

    def words(self) -> list[str]:
        """``1,200 more bus-hours a year``, ``saves 3 peak vehicles``, ... and what they cost."""
        names = {"bus_hours": "bus-hours", "km": "bus-kilometres", "peak_vehicles": "peak vehicles", "cost": "cost"}
        said = [self.missing] if self.missing else []
        for key, name in names.items():
            change = float(self.year.loc[key, "change"])
            if np.isnan(change):
                continue
            amount = f"{abs(change):,.0f}"
            a_year = "" if key == "peak_vehicles" else " a year"
            if change > 0:
                said.append(f"{name} {amount} more{a_year}" if key == "cost" else f"{amount} more {name}{a_year}")
            elif change < 0:
                said.append(f"saves {amount} of {name}{a_year}" if key == "cost" else f"saves {amount} {name}{a_year}")
            else:
                said.append(f"no more {name}{a_year}")
        return said


def operating_cost(
    today: Feed,
    proposal: Feed,
    routes: Sequence[str],
    dates: Mapping[str, dt.date],
    cost: Cost | None = None,
    drt: Sequence[DrtZone] = (),
) -> OperatingCost:
    """What the routes that a proposal changes take, before and after, and its buses on demand.

    A vehicle on demand is paid for all hours of its service. Where a zone says no ``vehicles``, what the proposal takes is
    missing with a reason, never 0.

    Parameters
    ----------
    today, proposal : Feed
    routes : sequence of str
        Ids of changed and new routes (``Applied.changed_routes + Applied.new_routes``).
    dates : mapping of str to date
        The study's service dates; another kind of day of ``cost.days`` is taken from the timetable's nearest such date.
    cost : Cost, optional
        Rates; without them only quantities are told.
    drt : sequence of DrtZone, optional
        Buses on demand of the proposal (``Applied.drt``).
    """
    rates = cost or Cost()
    days, assumptions = _days(proposal, dates, rates)
    factor = 1 + rates.dead_share
    uses = {
        key: (
            *(_route_use(today, proposal, route, date, rates) for route in routes),
            *(_demand_use(zone, date, factor) for zone in drt),
        )
        for key, (date, _) in days.items()
    }
    rows, periods = [], []
    for key, (date, _) in days.items():
        for use in uses[key]:
            row: dict[str, object] = {"day": key, "date": str(date), "route": use.route, "name": use.name}
            for which, figures in (("today", use.figures_today), ("proposal", use.figures)):
                row |= {f"{name}_{which}": value for name, value in figures.items()}
            rows.append(row)
        joined = {"today": _joined([use.today for use in uses[key]])}
        joined["proposal"] = _joined([use.proposal for use in uses[key]])
        for period, window in PERIODS.items():
            counts = {f"buses_{which}": most_at_once(*found, window) for which, found in joined.items()}
            periods.append({"day": key, "period": period, **counts})
    missing = _not_known(drt)
    table = pd.DataFrame(periods)
    if missing:
        table["buses_proposal"] = float("nan")
    used = Used(uses, {key: a_year for key, (_, a_year) in days.items()}, rates, cost is not None, bool(missing))
    year = pd.DataFrame({which: used.year(which) for which in ("today", "proposal")})
    year["change"] = pd.Series(used.change())
    said = (*assumptions, *_assumptions(rates, cost is not None), *_demand_assumptions(drt))
    return OperatingCost(pd.DataFrame(rows), table, year, said, missing, used)


@dataclass(frozen=True, eq=False)
class Used:
    """What routes and zones of buses on demand take on each kind of day, as the figures of a year are added up from it.

    Attributes
    ----------
    uses : dict of day to tuple
        What each route and zone takes on a date.
    days : dict of day to float
        How many such days a year has.
    rates : Cost
    is_priced : bool
        Whether rates were given.
    is_missing : bool
        What the proposal takes cannot be told.
    """

    uses: Mapping[str, tuple[_Use, ...]]
    days: Mapping[str, float]
    rates: Cost
    is_priced: bool
    is_missing: bool = False

    def beside(self, others: Sequence[Used]) -> Used:
        """The same and what other routes take: peak vehicles are those of all of them at once."""
        uses = {
            key: (*mine, *(use for other in others for use in other.uses.get(key, ())))
            for key, mine in self.uses.items()
        }
        return replace(self, uses=uses, is_missing=any(used.is_missing for used in (self, *others)))

    def year(self, which: Literal["today", "proposal"]) -> dict[str, float]:
        """``bus_hours, km, peak_vehicles, cost`` of a year."""
        total = dict.fromkeys(("bus_hours", "km", "peak_vehicles"), 0.0)
        now = which == "today"
        for key, a_year in self.days.items():
            for use in self.uses[key]:
                figures = use.figures_today if now else use.figures
                for name in ("bus_hours", "km"):
                    total[name] += figures[name] * a_year
            start, end = _joined([use.today if now else use.proposal for use in self.uses[key]])
            total["peak_vehicles"] = max(total["peak_vehicles"], most_at_once(start, end))
        if self.is_missing and not now:
            total = dict.fromkeys(total, float("nan"))
        return total | {"cost": _price(total, self.rates, self.rates if self.is_priced else None)}

    def change(self) -> dict[str, float]:
        """What a year of the proposal takes beyond one of today."""
        before, after = self.year("today"), self.year("proposal")
        # What adding up in another order does to a sum is no change.
        return {
            name: 0.0
            if abs(after[name] - before[name]) <= _NOISE * max(abs(before[name]), abs(after[name]))
            else after[name] - before[name]
            for name in before
        }


@dataclass(frozen=True, eq=False)
class _Use:
    """What a route or a zone of buses on demand takes on a date, today and proposed: its buses, and its columns of ``by_day``."""

    route: str
    name: str
    today: RouteDay
    proposal: RouteDay
    figures_today: dict[str, float]
    figures: dict[str, float]


def _route_use(today: Feed, proposal: Feed, route: str, date: dt.date, rates: Cost) -> _Use:
    old, new = (route_day(feed, route, date, rates) for feed in (today, proposal))
    factor = 1 + rates.dead_share
    return _Use(route, _name(today, proposal, route), old, new, _figures(old, factor), _figures(new, factor))


def _figures(day: RouteDay, factor: float) -> dict[str, float]:
    return {
        "departures": day.departures,
        "cycle_min": day.cycle_s / MINUTE,
        "bus_hours": (day.run_s + day.layover_s) / HOUR * factor,
        "km": day.metres / 1000 * factor,
        "buses": most_at_once(day.start_s, day.end_s),
    }


def _demand_use(zone: DrtZone, date: dt.date, factor: float) -> _Use:
    """Vehicles on demand on a date: each from the first hour of the service to the last."""
    n = (zone.vehicles or 0) if zone.days.holds_date(date) else 0
    start, end = (np.full(n, float(moment)) for moment in zone.window_s)
    hours = n * zone.hours * factor if zone.vehicles is not None else float("nan")
    none = {"departures": 0, "cycle_min": float("nan"), "bus_hours": 0.0, "km": 0.0, "buses": 0}
    figures = none | {"bus_hours": hours, "km": hours * zone.km_per_vehicle_hour, "buses": n + 0 * hours}
    return _Use(zone.route_id, zone.name, _NOTHING, replace(_NOTHING, start_s=start, end_s=end), none, figures)


def _not_known(drt: Sequence[DrtZone]) -> str:
    """Why it cannot be told what buses on demand take; empty where it can."""
    names = [zone.name for zone in drt if zone.vehicles is None]
    if not names:
        return ""
    return (
        f"what {', '.join(names)} takes and costs is not known: add_drt says no vehicles; write vehicles: N, the number on the "
        "road for all of its hours"
    )


def _demand_assumptions(drt: Sequence[DrtZone]) -> list[str]:
    said = []
    for zone in drt:
        if zone.vehicles is None:
            said.append(_not_known([zone]))
            continue
        km = f"{zone.km_per_vehicle_hour:g} km an hour" + (", its speed without a break" if zone.assumed_km else "")
        said.append(
            f"{zone.name}: {zone.vehicles} vehicle{'' if zone.vehicles == 1 else 's'} for all of {format_window(zone.window_s)} "
            f"({zone.days.words}), however many ride, each driving {km}; no layover beyond these hours"
        )
    return said


def _joined(days: Sequence[RouteDay]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    start = [day.start_s for day in days]
    end = [day.end_s for day in days]
    return (np.concatenate(start), np.concatenate(end)) if days else (np.zeros(0), np.zeros(0))


def _price(total: Mapping[str, float], rates: Cost, given: Cost | None) -> float:
    if given is None:
        return float("nan")
    return (
        total["bus_hours"] * rates.per_bus_hour
        + total["km"] * rates.per_km
        + total["peak_vehicles"] * rates.per_peak_vehicle_year
    )


def _name(today: Feed, proposal: Feed, route: str) -> str:
    for feed in (proposal, today):
        rows = np.flatnonzero(feed.routes["route_id"].to_numpy() == route)
        if len(rows):
            return route_name(feed, int(rows[0]))
    return route


def _days(feed: Feed, dates: Mapping[str, dt.date], rates: Cost) -> tuple[dict[str, tuple[dt.date, float]], list[str]]:
    """The date that stands for each kind of day, and how many such days a year has."""
    found: dict[str, tuple[dt.date, float]] = {}
    said: list[str] = []
    for key, a_year in rates.days.items():
        try:
            wanted = day_set(key, dates)
        except ValueError:
            said.append(f"{key}: no kind of day, its {a_year:g} days a year are not counted")
            continue
        mine = [date for date in dates.values() if wanted.holds_date(date)]
        other = nearest_day(wanted, feed.calendar, dates.values())
        if not mine and other is not None:
            mine = [other]
        if not mine:
            said.append(f"{key}: the timetable has no such day, its {a_year:g} days a year are not counted")
            continue
        found[key] = (mine[0], float(a_year))
        said.append(f"{key}: {a_year:g} days a year, each like {mine[0]}")
    return found, said


def _assumptions(rates: Cost, priced: bool) -> list[str]:
    share = f"{rates.layover_share * 100:g} %"
    said = [
        f"layover: the larger of {share} of the run out and back and {rates.layover_min:g} minutes, half of it after each trip "
        "(all of it on a route that runs one way)",
        "a bus is in use from its departure until its layover ends; one that comes free can take any next trip of the routes "
        "that change, and those of other routes are not counted",
        "peak vehicles: the most in use at once on any of these days",
        f"dead running: {rates.dead_share * 100:g} % of bus-hours and kilometres"
        if rates.dead_share
        else "dead running: none given, none counted",
        f"kilometres: along the drawn course of a trip, else straight lines between stops x {DETOUR:g}",
        "periods: " + ", ".join(f"{name} {format_window(window)}" for name, window in PERIODS.items()),
    ]
    if priced:
        said.append(
            f"rates: {rates.per_bus_hour:g} a bus-hour, {rates.per_km:g} a kilometre, {rates.per_peak_vehicle_year:g} a peak "
            "vehicle and year; whatever a rate of 0 stands for is not in the cost"
        )
    else:
        said.append("no rates are given, so there is no cost")
    return said
