"""Bank holidays and usual school holidays of England and Wales, by rule, and what they mean for a service date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from community_routes.base.notices import Notice, declare
from community_routes.sources.study.models import DAY_TYPES, day_type

BANK_HOLIDAY = declare(
    "bank_holiday",
    "warning",
    "The service date is a bank holiday in England and Wales, when buses run as on Sundays or not at all.",
)
SCHOOL_HOLIDAY = declare(
    "school_holiday",
    "warning",
    "The service date lies in the usual school holidays of England and Wales, when some buses do not run.",
)
DAY_OF_ANOTHER_KIND = declare(
    "day_of_another_kind", "warning", "A day called weekday, saturday or sunday has a date that is another kind of day."
)

_ONE_DAY: Final = dt.timedelta(days=1)
_MONDAY, _FRIDAY, _SATURDAY, _SUNDAY = 0, 4, 5, 6

# Days proclaimed once, and the years in which a Monday of May was moved.
_PROCLAIMED = {
    dt.date(1999, 12, 31): "the millennium",
    dt.date(2002, 6, 3): "the Golden Jubilee",
    dt.date(2011, 4, 29): "the royal wedding",
    dt.date(2012, 6, 5): "the Diamond Jubilee",
    dt.date(2022, 6, 3): "the Platinum Jubilee",
    dt.date(2022, 9, 19): "the state funeral of Queen Elizabeth II",
    dt.date(2023, 5, 8): "the coronation of King Charles III",
}
_EARLY_MAY_MOVED = {1995: dt.date(1995, 5, 8), 2020: dt.date(2020, 5, 8)}
_SPRING_MOVED = {2002: dt.date(2002, 6, 4), 2012: dt.date(2012, 6, 4), 2022: dt.date(2022, 6, 2)}


def easter_sunday(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar, by the rule of Meeus, Jones and Butcher.

    Source: J. Meeus, Astronomical Algorithms (1991), chapter 8.
    """
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> Mapping[dt.date, str]:
    """The bank (public) holidays of England and Wales in a year, with their names, by date.

    A holiday that falls on a weekend is given on the next weekday that is none. Rules as since 1978 (Banking and Financial
    Dealings Act 1971 and yearly proclamations), with the days proclaimed once up to 2023.
    """
    easter = easter_sunday(year)
    found = {
        easter - 2 * _ONE_DAY: "Good Friday",
        easter + _ONE_DAY: "Easter Monday",
        _EARLY_MAY_MOVED.get(year, _first(year, 5, _MONDAY)): "the early May bank holiday",
        _SPRING_MOVED.get(year, _last(year, 5, _MONDAY)): "the spring bank holiday",
        _last(year, 8, _MONDAY): "the summer bank holiday",
    }
    for date, name in ((dt.date(year, 1, 1), "New Year's Day"), (dt.date(year, 12, 25), "Christmas Day")):
        found[date] = name
    found[dt.date(year, 12, 26)] = "Boxing Day"
    for date in (dt.date(year, 1, 1), dt.date(year, 12, 25), dt.date(year, 12, 26)):
        if date.weekday() >= _SATURDAY:
            substitute = date
            while substitute.weekday() >= _SATURDAY or substitute in found:
                substitute += _ONE_DAY
            found[substitute] = f"the substitute for {found[date]}"
    found.update({date: f"the bank holiday for {name}" for date, name in _PROCLAIMED.items() if date.year == year})
    return MappingProxyType(dict(sorted(found.items())))


def _first(year: int, month: int, weekday: int) -> dt.date:
    """The first such weekday of a month."""
    start = dt.date(year, month, 1)
    return start + (weekday - start.weekday()) % 7 * _ONE_DAY


def _last(year: int, month: int, weekday: int) -> dt.date:
    """The last such weekday of a month."""
    end = dt.date(year + month // 12, month % 12 + 1, 1) - _ONE_DAY
    return end - (end.weekday() - weekday) % 7 * _ONE_DAY


def school_holidays(year: int) -> Mapping[str, tuple[dt.date, dt.date]]:
    """First and last day of the usual school holidays that begin in a year; councils set their own, mostly within a week.

    Half terms are the Monday-to-Friday week whose Monday lies in 12-18 February, is the last of May, or lies in 22-28 October;
    Easter the two weeks around Easter Sunday; summer from the Saturday after 19 July to the end of August; Christmas from
    22 December to 2 January.
    """
    easter = easter_sunday(year)

    def week(monday: dt.date) -> tuple[dt.date, dt.date]:
        return monday, monday + 4 * _ONE_DAY

    february, october = dt.date(year, 2, 12), dt.date(year, 10, 22)
    saturday = dt.date(year, 7, 20)
    return {
        "the February half term": week(february + (-february.weekday()) % 7 * _ONE_DAY),
        "the Easter holidays": (easter - 6 * _ONE_DAY, easter + 5 * _ONE_DAY),
        "the May half term": week(_last(year, 5, _MONDAY)),
        "the summer holidays": (saturday + (_SATURDAY - saturday.weekday()) % 7 * _ONE_DAY, dt.date(year, 8, 31)),
        "the October half term": week(october + (-october.weekday()) % 7 * _ONE_DAY),
        "the Christmas holidays": (dt.date(year, 12, 22), dt.date(year + 1, 1, 2)),
    }


def bank_holiday(date: dt.date) -> str | None:
    """Name of the bank holiday on a date, or None."""
    return bank_holidays(date.year).get(date)


def school_holiday(date: dt.date) -> str | None:
    """Name of the usual school holidays in which a date lies, or None; weekends within them are part of them."""
    for year in (date.year - 1, date.year):
        for name, (first, last) in school_holidays(year).items():
            if first <= date <= last:
                return name
    return None


def ordinary_date_near(date: dt.date) -> dt.date:
    """The nearest date on the same day of the week that is no bank or usual school holiday; the later of two as near."""
    for weeks in range(1, 53):
        for other in (date + weeks * 7 * _ONE_DAY, date - weeks * 7 * _ONE_DAY):
            if bank_holiday(other) is None and school_holiday(other) is None:
                return other
    return date


def check_dates(dates: Mapping[str, dt.date], notices: list[Notice], *, place: Mapping[str, Any] | None = None) -> None:
    """Warn of service dates that are holidays, or that are another kind of day than they are called.

    Parameters
    ----------
    dates : mapping of day to date
        The study's ``dates``.
    place : mapping, optional
        Where they are written: ``study.at("dates")``.
    """
    at = dict(place or {})
    base = str(at.get("field", "") or "service_date")
    for day, date in dates.items():
        at["field"] = base if day == "day" else f"{base}.{day}"
        shown = f"{date:%A} {date.isoformat()}"
        kind = day_type(date)
        if day in DAY_TYPES and kind != day:
            message = f"{day!r} is {shown}, a {kind}; give it the date of a {day}"
            notices.append(DAY_OF_ANOTHER_KIND.at(**at, value=date.isoformat(), message=message))
        bank, school = bank_holiday(date), school_holiday(date)
        instead = f"take {ordinary_date_near(date).isoformat()} unless this day is meant"
        if bank is not None:
            message = f"{shown} is {bank} in England and Wales, when buses run as on Sundays or not at all; {instead}"
            notices.append(BANK_HOLIDAY.at(**at, value=date.isoformat(), message=message))
        elif school is not None and kind == "weekday":
            message = f"{shown} lies in {school} as most schools have them, when some buses do not run; {instead}"
            notices.append(SCHOOL_HOLIDAY.at(**at, value=date.isoformat(), message=message))
