"""The services of a timetable that can be taken away one at a time: a route, or a route in one period of one kind of day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from community_routes.base.errors import UsageError
from community_routes.base.times import DAY, HOUR, format_time, format_window, parse_window
from community_routes.fares.tickets import MODES, modes_of
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute
from community_routes.scenarios.cost import PERIODS, Cost
from community_routes.scenarios.edit.routes import route_name, runs_of, trips_of
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.models import day_type

ALL_WEEK = "all week"
_EVER = (-DAY, 3 * DAY)
_WEEKDAY = {
    "early": (5 * HOUR, PERIODS["early"][1]),
    "morning peak": PERIODS["morning peak"],
    "daytime": PERIODS["daytime"],
    "afternoon peak": PERIODS["afternoon peak"],
    "evening": PERIODS["evening"],
}
"""Periods of a weekday: the first begins with the day's first bus, the last ends with its last, whatever is measured."""
_OTHER_DAYS = {"saturday": (8 * HOUR, 20 * HOUR), "sunday": (9 * HOUR, 19 * HOUR)}


@dataclass(frozen=True)
class Period:
    """Some hours of one day of a study: what leaves in them is taken away, and what is lost is measured in them.

    Attributes
    ----------
    name : str
        ``weekday evening``.
    day : str
        Of the study.
    starts_s : (int, int)
        Trips that start from the first second until before the other are taken away.
    window_s : (int, int)
        Departures of travellers in which access is measured.
    """

    name: str
    day: str
    starts_s: tuple[int, int]
    window_s: tuple[int, int]

    @property
    def window(self) -> str:
        """Name of its window in tables."""
        return self.name.replace(" ", "_")

    @property
    def hours(self) -> dict[str, str]:
        """``from`` and ``to`` of the change; an end that is open is left out."""
        ends = {"from": self.starts_s[0], "to": self.starts_s[1]}
        open_ends = {"from": _EVER[0], "to": _EVER[1]}
        return {key: format_time(s, with_seconds=False) for key, s in ends.items() if s != open_ends[key]}


def usual_periods(dates: Mapping[str, dt.date]) -> list[Period]:
    """Early, morning peak, daytime, afternoon peak and evening of weekdays; Saturdays and Sundays whole.

    The first period of a weekday holds everything before its end, and the last everything after its start, so that each
    departure of a day is in one of them.
    """
    found: list[Period] = []
    for day, date in dates.items():
        kind = day_type(date)
        if kind != "weekday":
            found.append(Period(day if day == kind else f"{day} {kind}", day, _EVER, _OTHER_DAYS[kind]))
            continue
        for name, window_s in _WEEKDAY.items():
            starts_s = (
                _EVER[0] if name == "early" else window_s[0],
                _EVER[1] if name == "evening" else window_s[1],
            )
            found.append(Period(_named(name, day), day, starts_s, window_s))
    return found


def _named(hours: str, day: str) -> str:
    """The hours with their day, but for the only day of a study."""
    return hours if day == "day" else f"{day} {hours}"


def asked_periods(texts: Sequence[str], dates: Mapping[str, dt.date]) -> list[Period]:
    """Periods as they are written on a command line: ``07:00-09:00`` on every day, or ``saturday=10:00-16:00``.

    Raises
    ------
    UsageError
        A day or a time means nothing, or a period stands there twice.
    """
    found: dict[str, Period] = {}
    for text in texts:
        day, _, time = text.rpartition("=")
        if day and day not in dates:
            raise UsageError(f"the period {text!r} names {day!r}, which is no day of the study ({', '.join(dates)})")
        try:
            hours = parse_window(time)
        except ValueError as wrong:
            raise UsageError(f"{text!r} is no period such as 07:00-09:00 or saturday=10:00-16:00: {wrong}") from None
        for own in [day] if day else dates:
            name = _named(format_window(hours), own)
            if name in found:
                raise UsageError(f"the period {name!r} is given twice")
            found[name] = Period(name, own, hours, hours)
    return list(found.values())


@dataclass(frozen=True)
class Service:
    """A route in a period, or a route as a whole.

    Attributes
    ----------
    number : int
        From 0, in the order of the table.
    route : int
        Row of ``Feed.routes``.
    route_id, name, operator, mode : str
    period : Period or None
        None for the whole route.
    departures : int
        Starts of trips on the day of the period; on all days of the study together for the whole route.
    """

    number: int
    route: int
    route_id: str
    name: str
    operator: str
    mode: str
    period: Period | None
    departures: int

    @property
    def when(self) -> str:
        """Name of its period, or ``all week``."""
        return ALL_WEEK if self.period is None else self.period.name

    @property
    def id(self) -> str:
        """``8@weekday_evening``."""
        return f"{self.route_id}@{self.when}".replace(" ", "_")

    def change(self) -> WithdrawRoute:
        """The change of a proposal that takes it away."""
        fields: dict[str, object] = {"route": self.route_id}
        if self.period is not None:
            fields |= {"days": [self.period.day], **self.period.hours}
        return WithdrawRoute.model_validate(fields)

    def scenario(self, cost: Cost | None) -> Scenario:
        """The proposal that takes it away and changes nothing else."""
        title = f"Without {self.name}, {self.when}"
        return Scenario(scenario=f"without-{self.number:04}", title=title, changes=(self.change(),), cost=cost)


def services_of(feed: Feed, dates: Mapping[str, dt.date], periods: Sequence[Period]) -> list[Service]:
    """Every route that starts a trip on a day of the study: as a whole, and in each period in which it starts one.

    Routes in the order of the timetable; a route that runs only in one period of all stands there as a whole as well.
    """
    found: list[Service] = []
    modes = modes_of(feed.routes["route_type"].to_numpy())
    route_of = feed.trips["route"].to_numpy()
    on_day = {day: feed.calendar.active(date)[feed.trips["service"].to_numpy()] for day, date in dates.items()}
    for route in np.unique(route_of).tolist():
        trips = trips_of(feed, [route])
        starts = {day: runs_of(feed, trips[active[trips]]) for day, active in on_day.items()}
        n_all = sum(len(runs) for runs in starts.values())
        if not n_all:
            continue
        agency = int(feed.routes["agency"].iat[route])
        named = feed.agencies["agency_name"]
        about = (
            route,
            str(feed.routes["route_id"].iat[route]),
            route_name(feed, route),
            str(named.iat[agency]) if 0 <= agency < len(named) else "",
            MODES[int(modes[route])],
        )
        found.append(Service(len(found), *about, None, n_all))
        for period in periods:
            n = len(starts[period.day].within(period.starts_s))
            if n:
                found.append(Service(len(found), *about, period, n))
    return found
