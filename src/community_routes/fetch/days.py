"""Which dates of a timetable stand for an ordinary weekday, Saturday and Sunday."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from community_routes.sources.checks import ServiceDays, count_trips, usual_date
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.dates import HOME, bank_holiday, school_holiday
from community_routes.sources.study.models import DAY_TYPES, day_type

_BUSY = 0.95
"""Of the busiest weekday's trips: a date with as many is as good, so that Friday's night buses do not decide."""
_OFTEN = (1, 2, 3, 0, 4)
"""Weekdays in the order in which they are taken for an ordinary one: Tuesday first."""
_MANY, _FEW, _WEEKS = 1.35, 0.75, 8


class Days(NamedTuple):
    """The dates by kind of day, and what to know of them."""

    dates: dict[str, dt.date]
    remarks: tuple[str, ...] = ()


def ordinary_days(feed: Feed, country: str = HOME) -> Days:
    """The busiest ordinary weekday that all timetables of a feed hold in common, with a Saturday and a Sunday near it.

    Ordinary is a date that is no holiday (of the country; school holidays where they are known) and on which about as many
    trips run as on that day of the week in the weeks around; where there is none, holidays count as well. A Saturday or
    Sunday is left out where none is served, and where the timetable was cut to the trips of one weekday: then no service of
    it runs at weekends only, and what is left of the weekend is less than all of it.

    Raises
    ------
    FeedError
        No trip ever runs.
    """
    usual_date(feed)  # raises where no trip ever runs
    days = count_trips(feed)
    common = _in_common(feed, days)
    weekdays = [date for date in common if day_type(date) == "weekday"]
    pool = [date for date in weekdays if _is_calm(date, country) and _is_usual(days, date)]
    pool = pool or [date for date in weekdays if _is_usual(days, date)] or weekdays
    if not pool:
        chosen = max(common, key=days.on)
        return Days({day_type(chosen): chosen})
    most = max(map(days.on, pool))
    busy = [date for date in pool if days.on(date) >= _BUSY * most]
    middle = busy[len(busy) // 2]
    weekday = min(busy, key=lambda date: (_OFTEN.index(date.weekday()), abs(date - middle), date))
    dates: dict[str, dt.date] = {"weekday": weekday}
    remarks: list[str] = []
    if not _is_calm(weekday, country):
        remarks.append(f"{weekday} is a holiday, but the timetable holds no ordinary weekday")
    missing: list[str] = []
    cut: list[str] = []
    for kind in DAY_TYPES[1:]:
        served = [date for date in common if day_type(date) == kind]
        if not served:
            missing.append(kind.capitalize())
        elif _is_cut(feed) and days.on(_nearest(served, weekday)) < days.on(weekday):
            cut.append(f"{kind.capitalize()}s")
        else:
            calm = [date for date in served if bank_holiday(date, country) is None and _is_usual(days, date)]
            dates[kind] = _nearest(calm or served, weekday)
    if missing:
        remarks.append(f"no {' and no '.join(missing)} has service in all the timetables, so the study has none")
    if cut:
        remarks.append(
            f"{' and '.join(cut)} are left out: no trip runs at weekends only, so the timetable seems to have been cut to a "
            "weekday's trips"
        )
    return Days(dates, tuple(remarks))


def _in_common(feed: Feed, days: ServiceDays) -> list[dt.date]:
    """The dates on which as many of the timetables as possible have a trip."""
    parts = [count_trips(feed, i) for i in range(len(feed.sources))] if len(feed.sources) > 1 else [days]
    dates = [days.date(int(i)) for i in np.flatnonzero(days.trips)]
    served = [sum(part.on(date) > 0 for part in parts) for date in dates]
    return [date for date, n in zip(dates, served, strict=True) if n == max(served)]


def _is_calm(date: dt.date, country: str) -> bool:
    return bank_holiday(date, country) is None and school_holiday(date, country) is None


def _is_usual(days: ServiceDays, date: dt.date) -> bool:
    """Whether about as many trips run as on that day of the week around: two timetables that overlap for a week do not."""
    others = days.same_weekday(date, _WEEKS)
    others = others[others > 0]
    return len(others) < 2 or _FEW * float(np.median(others)) <= days.on(date) <= _MANY * float(np.median(others))


def _is_cut(feed: Feed) -> bool:
    """Whether no service runs at weekends only, by the days of the week or by single dates."""
    calendar = feed.calendar
    on = calendar.weekdays.astype(bool)
    weekend = on[:, 5:].any(axis=1) & ~on[:, :5].any(axis=1)
    added = calendar.exception_service[np.asarray(calendar.exception_added, bool)]
    by_date = np.zeros(len(on), bool)
    by_date[added] = True
    return not bool((weekend | (by_date & ~on.any(axis=1))).any())


def _nearest(dates: list[dt.date], date: dt.date) -> dt.date:
    """The one within six days after a date; else the one nearest to it."""
    week = dt.timedelta(days=6)
    return min(dates, key=lambda one: (not date <= one <= date + week, abs(one - date)))
