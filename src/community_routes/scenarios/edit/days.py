"""On which dates a change acts, and how services are split between those dates and the others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.scenarios.values import KINDS_OF_DAY, free_name, nearest_name
from community_routes.sources.gtfs.feed import Calendar, days_between, weekday_of

_WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class DaySet:
    """A set of dates: those of some weekdays, but for some dates that count as another kind of day.

    Attributes
    ----------
    key : str
        As written: ``sunday``; "" for every day.
    weekdays : frozenset of int
        Monday is 0.
    added, left_out : frozenset of date
        Dates that belong to the set whatever their weekday; dates that do not. A bank holiday that the study names as
        its Sunday is a Sunday.
    """

    key: str
    weekdays: frozenset[int]
    added: frozenset[dt.date] = frozenset()
    left_out: frozenset[dt.date] = frozenset()

    @property
    def every_day(self) -> bool:
        """Whether it holds every date."""
        return len(self.weekdays) == 7 and not self.left_out

    @property
    def words(self) -> str:
        """``Sunday``, ``weekday``: as in "14 Sunday departures"."""
        if self.every_day:
            return "daily"
        return self.key.capitalize() if self.key in KINDS_OF_DAY and self.key != "weekday" else self.key

    def holds(self, dates: NDArray[np.datetime64]) -> NDArray[np.bool_]:
        """Which of the dates belong to the set."""
        days = np.asarray(dates, "datetime64[D]")
        found: NDArray[np.bool_] = np.isin(weekday_of(days), sorted(self.weekdays))
        if self.left_out:
            found &= ~np.isin(days, np.array(sorted(self.left_out), "datetime64[D]"))
        if self.added:
            found |= np.isin(days, np.array(sorted(self.added), "datetime64[D]"))
        return found

    def holds_date(self, date: dt.date) -> bool:
        """Whether one date belongs to the set."""
        return bool(self.holds(np.array([date], "datetime64[D]"))[0])

    def special(self) -> list[dt.date]:
        """The dates whose membership their weekday does not tell."""
        return sorted(self.added | self.left_out)


EVERY_DAY = DaySet("", frozenset(range(7)))


def day_set(key: str, dates: Mapping[str, dt.date]) -> DaySet:
    """The dates that a key of a scenario means in a study with these service dates.

    ``weekday`` is Monday to Friday; ``day`` is the kind of day of the study's only date; a key of the study that is no
    kind of day (``holiday``) means that date alone.

    Raises
    ------
    ValueError
        The key means nothing.
    """
    if key == "day" and "day" in dates:
        weekday = dates["day"].weekday()
        return day_set("weekday" if weekday < 5 else _WEEKDAY_NAMES[weekday].lower(), dates)
    if key in KINDS_OF_DAY:
        weekdays = KINDS_OF_DAY[key]
        own = {date for name, date in dates.items() if name == key}
        # A date that the study calls by another kind (a bank holiday as its Sunday) counts as that kind only.
        others = {
            date
            for name, date in dates.items()
            if name in KINDS_OF_DAY and date.weekday() not in KINDS_OF_DAY[name] and not KINDS_OF_DAY[name] & weekdays
        }
        return DaySet(
            key,
            weekdays,
            frozenset(date for date in own if date.weekday() not in weekdays),
            frozenset(date for date in others - own if date.weekday() in weekdays),
        )
    if key in dates:
        return DaySet(key, frozenset(), frozenset({dates[key]}))
    known = [*KINDS_OF_DAY, *dates] if "day" not in dates else [*KINDS_OF_DAY, "day"]
    near = nearest_name(key, known)
    hint = f"did you mean {near!r}?" if near else f"days are {', '.join(dict.fromkeys(known))}"
    if key == "day":
        hint = f"the study has the days {', '.join(dates)}; name one of them"
    raise ValueError(f"{key!r} is no kind of day; {hint}")


def joined_days(keys: Iterable[str] | None, dates: Mapping[str, dt.date]) -> DaySet:
    """The dates of several keys together; every day when none is given."""
    if keys is None:
        return EVERY_DAY
    parts = [day_set(key, dates) for key in keys]
    if len(parts) == 1:
        return parts[0]
    specials = {date for part in parts for date in part.special()}
    held = {date for date in specials if any(part.holds_date(date) for part in parts)}
    weekdays = frozenset().union(*(part.weekdays for part in parts))
    return DaySet(" and ".join(part.key for part in parts), weekdays, frozenset(held), frozenset(specials - held))


def active_dates(calendar: Calendar, service: int) -> NDArray[np.datetime64]:
    """Every date on which a service runs, in order, as far as dates matter (see ``days_between``)."""
    found = np.zeros(0, "datetime64[D]")
    start, end = calendar.start[service], calendar.end[service]
    if calendar.weekdays[service].any() and not (np.isnat(start) or np.isnat(end)):
        days = days_between(start, end)
        found = days[calendar.weekdays[service][weekday_of(days)]]
    own = calendar.exception_service == service
    added = calendar.exception_date[own & calendar.exception_added]
    removed = calendar.exception_date[own & ~calendar.exception_added]
    return np.setdiff1d(np.union1d(found, added), removed)


def feed_dates(calendar: Calendar) -> tuple[dt.date, dt.date] | None:
    """First and last date that the calendar covers; None when it has no service."""
    added = calendar.exception_date[calendar.exception_added]
    starts = np.concatenate([calendar.start[~np.isnat(calendar.start)], added])
    ends = np.concatenate([calendar.end[~np.isnat(calendar.end)], added])
    if not len(starts):
        return None
    return (starts.min().astype(object), ends.max().astype(object))


def nearest_day(days: DaySet, calendar: Calendar, dates: Iterable[dt.date]) -> dt.date | None:
    """The date of those days that the calendar covers, nearest to the first of ``dates`` (the later of equals)."""
    covered = feed_dates(calendar)
    if covered is None:
        return None
    every = days_between(np.datetime64(covered[0], "D"), np.datetime64(covered[1], "D"))
    hit = every[days.holds(every)]
    if not len(hit):
        return None
    about = np.datetime64(min(dates, default=covered[0]), "D")
    away = (hit - about).astype(np.int64)
    best: dt.date = hit[np.lexsort((-away, np.abs(away)))[0]].astype(object)
    return best


@dataclass
class CalendarEdit:
    """A calendar to which services are added; ``build`` gives the new one."""

    calendar: Calendar
    ids: list[str]
    weekdays: list[NDArray[np.bool_]]
    start: list[np.datetime64]
    end: list[np.datetime64]
    exceptions: list[tuple[int, np.datetime64, bool]]

    @classmethod
    def of(cls, calendar: Calendar) -> CalendarEdit:
        """Begin with a calendar as it is."""
        return cls(calendar, [], [], [], [], [])

    @property
    def n_services(self) -> int:
        """Services so far, the added ones included."""
        return len(self.calendar.service_id) + len(self.ids)

    def add(
        self,
        service_id: str,
        weekdays: Iterable[int],
        period: tuple[np.datetime64, np.datetime64],
        exceptions: Iterable[tuple[np.datetime64, bool]] = (),
    ) -> int:
        """Add a service; its row. The id gets a number when it is taken."""
        name = free_name(service_id, {*self.calendar.service_id, *self.ids})
        flags = np.zeros(7, bool)
        flags[list(weekdays)] = True
        row = self.n_services
        self.ids.append(name)
        self.weekdays.append(flags)
        self.start.append(period[0])
        self.end.append(period[1])
        self.exceptions.extend((row, date, added) for date, added in exceptions)
        return row

    def add_dates(
        self,
        service_id: str,
        weekdays: Iterable[int],
        period: tuple[np.datetime64, np.datetime64],
        dates: NDArray[np.datetime64],
    ) -> int:
        """Add a service that runs on exactly these dates, whatever of them the weekly pattern in its period does not say."""
        flags = sorted(weekdays)
        regular = np.zeros(0, "datetime64[D]")
        if flags and not np.isnat(np.array(period)).any():
            days = days_between(*period)
            regular = days[np.isin(weekday_of(days), flags)]
        exceptions = [
            *((date, True) for date in np.setdiff1d(dates, regular)),
            *((date, False) for date in np.setdiff1d(regular, dates)),
        ]
        return self.add(service_id, flags, period, exceptions)

    def build(self) -> Calendar:
        """The calendar with what was added at its end."""
        if not self.ids:
            return self.calendar
        old = self.calendar
        rows, days, added = zip(*self.exceptions, strict=True) if self.exceptions else ((), (), ())
        return Calendar(
            np.concatenate([old.service_id, np.array(self.ids, object)]),
            np.concatenate([old.weekdays, np.array(self.weekdays, bool).reshape(-1, 7)]),
            np.concatenate([old.start, np.array(self.start, "datetime64[D]")]),
            np.concatenate([old.end, np.array(self.end, "datetime64[D]")]),
            np.concatenate([old.exception_service, np.array(rows, np.int32)]),
            np.concatenate([old.exception_date, np.array(days, "datetime64[D]")]),
            np.concatenate([old.exception_added, np.array(added, bool)]),
        )


def split_service(edit: CalendarEdit, service: int, days: DaySet, prefix: str) -> tuple[int, int]:
    """Rows of the services that run on the dates of ``days`` and on the others; together they run as the old one.

    -1 stands for a part without any date; the old row itself is returned where nothing has to be split.
    """
    dates = active_dates(edit.calendar, service)
    inside = days.holds(dates)
    if inside.all():
        return (service, -1) if len(dates) else (-1, service)
    if not inside.any():
        return -1, service
    name = str(edit.calendar.service_id[service])
    key = days.key.replace(" ", "-")
    kept = days.weekdays
    return (
        _part(edit, service, f"{prefix}:{name}:{key}", kept, dates[inside]),
        _part(edit, service, f"{prefix}:{name}:not-{key}", frozenset(range(7)) - kept, dates[~inside]),
    )


def _part(edit: CalendarEdit, service: int, name: str, weekdays: frozenset[int], dates: NDArray[np.datetime64]) -> int:
    """A service that runs on exactly these dates of the old one, in the old one's weekly pattern where that fits."""
    old = edit.calendar
    flags = [day for day in range(7) if old.weekdays[service, day] and day in weekdays]
    return edit.add_dates(name, flags, (old.start[service], old.end[service]), dates)
