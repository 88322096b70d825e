"""Bank holidays of a country, usual school holidays of England and Wales, and what they mean for a service date."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from dateutil.easter import easter

from community_routes.base.notices import Notice, declare
from community_routes.sources.study.models import DAY_TYPES, day_type

BANK_HOLIDAY = declare(
    "bank_holiday",
    "warning",
    "The service date is a bank (public) holiday of the timetable's country, when buses run as on Sundays or not at all.",
)
SCHOOL_HOLIDAY = declare(
    "school_holiday",
    "warning",
    "The service date lies in the usual school holidays of England and Wales, when some buses do not run.",
)
DAY_OF_ANOTHER_KIND = declare(
    "day_of_another_kind", "warning", "A day called weekday, saturday or sunday has a date that is another kind of day."
)

HOME: Final = "GB"
"""The country whose usual school holidays are known: England and Wales stand for it."""
_HOME_ZONE: Final = "Europe/London"
_ONE_DAY: Final = dt.timedelta(days=1)
_SATURDAY: Final = 5

_NAMES: Final = {
    "May Day": "the early May bank holiday",
    "Spring Bank Holiday": "the spring bank holiday",
    "Late Summer Bank Holiday": "the summer bank holiday",
}
_EVERY_YEAR: Final = ("New Year's Day", "Good Friday", "Easter Monday", "Christmas Day", "Boxing Day")
_GIVEN_LATER: Final = " (observed)"


@lru_cache(maxsize=1)
def _countries() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Code of the country by time zone, and name by code, as the time zone database of the machine or of Python lists them."""
    tables = []
    for file, key, value in (("zone.tab", 2, 0), ("iso3166.tab", 0, 1)):
        lines = [line for line in _zone_table(file).splitlines() if line and not line.startswith("#")]
        tables.append(MappingProxyType({row[key]: row[value] for row in (line.split("\t") for line in lines)}))
    return tables[0], tables[1]


def _zone_table(file: str) -> str:
    """A table of the time zone database; empty where neither the machine nor Python has one."""
    for folder in (
        *map(Path, zoneinfo.TZPATH),
        *([resources.files("tzdata") / "zoneinfo"] if find_spec("tzdata") else []),
    ):
        if (folder / file).is_file():
            return (folder / file).read_text("utf-8")
    return ""


def country_of(timezones: Iterable[str]) -> str:
    """Code of the country (ISO 3166) in which a timetable's time zones lie; "" where none tells, or several do.

    A timetable without any is taken for one of Great Britain, as its other settings are.
    """
    given = {zone for zone in timezones if zone}
    if given <= {_HOME_ZONE}:
        return HOME
    found = {_countries()[0].get(zone, "") for zone in given}
    return found.pop() if len(found) == 1 else ""


def country_name(country: str) -> str:
    """How a sentence calls a country."""
    return "England and Wales" if country == HOME else _countries()[1].get(country, country)


@lru_cache(maxsize=64)
def bank_holidays(year: int, country: str = HOME) -> Mapping[dt.date, str]:
    """The bank (public) holidays of a country in a year, with their names, by date; none of a country that is not known.

    Those of ``GB`` are of England and Wales: as proclaimed so far, and by rule for the years to come (Banking and Financial
    Dealings Act 1971). A holiday that falls on a weekend is given on the next weekday that is none: both days are listed.
    """
    import holidays  # a tenth of a second, which most commands need not spend

    if country == HOME:
        found = holidays.country_holidays(HOME, subdiv="ENG", years=year)
        return MappingProxyType({date: _named(name) for date, name in sorted(found.items())})
    if country not in holidays.list_supported_countries():
        return MappingProxyType({})
    abroad = holidays.country_holidays(country, years=year, language="en_US")
    return MappingProxyType(dict(sorted(abroad.items())))


def _named(name: str) -> str:
    """How a sentence calls a holiday; what is not of every year was proclaimed for something once."""
    day = name.removesuffix(_GIVEN_LATER)
    if day != name:
        return f"the substitute for {day}"
    return _NAMES.get(name) or (name if name in _EVERY_YEAR else f"the bank holiday for the {name}")


def _last_monday_of_may(year: int) -> dt.date:
    end = dt.date(year, 5, 31)
    return end - end.weekday() * _ONE_DAY


def school_holidays(year: int) -> Mapping[str, tuple[dt.date, dt.date]]:
    """First and last day of the usual school holidays that begin in a year; councils set their own, mostly within a week.

    Half terms are the Monday-to-Friday week whose Monday lies in 12-18 February, is the last of May, or lies in 22-28 October;
    Easter the two weeks around Easter Sunday; summer from the Saturday after 19 July to the end of August; Christmas from
    22 December to 2 January.
    """
    easter_sunday = easter(year)

    def week(monday: dt.date) -> tuple[dt.date, dt.date]:
        return monday, monday + 4 * _ONE_DAY

    february, october = dt.date(year, 2, 12), dt.date(year, 10, 22)
    saturday = dt.date(year, 7, 20)
    return {
        "the February half term": week(february + (-february.weekday()) % 7 * _ONE_DAY),
        "the Easter holidays": (easter_sunday - 6 * _ONE_DAY, easter_sunday + 5 * _ONE_DAY),
        "the May half term": week(_last_monday_of_may(year)),
        "the summer holidays": (saturday + (_SATURDAY - saturday.weekday()) % 7 * _ONE_DAY, dt.date(year, 8, 31)),
        "the October half term": week(october + (-october.weekday()) % 7 * _ONE_DAY),
        "the Christmas holidays": (dt.date(year, 12, 22), dt.date(year + 1, 1, 2)),
    }


def bank_holiday(date: dt.date, country: str = HOME) -> str | None:
    """Name of the bank holiday on a date, or None."""
    return bank_holidays(date.year, country).get(date)


def school_holiday(date: dt.date, country: str = HOME) -> str | None:
    """Name of the usual school holidays in which a date lies, or None; weekends within them are part of them.

    Those of other countries than ``GB`` are not known.
    """
    if country != HOME:
        return None
    for year in (date.year - 1, date.year):
        for name, (first, last) in school_holidays(year).items():
            if first <= date <= last:
                return name
    return None


def ordinary_date_near(date: dt.date, country: str = HOME) -> dt.date:
    """The nearest date on the same day of the week that is no bank or usual school holiday; the later of two as near."""
    for weeks in range(1, 53):
        for other in (date + weeks * 7 * _ONE_DAY, date - weeks * 7 * _ONE_DAY):
            if bank_holiday(other, country) is None and school_holiday(other, country) is None:
                return other
    return date


def check_dates(
    dates: Mapping[str, dt.date],
    notices: list[Notice],
    *,
    place: Mapping[str, Any] | None = None,
    country: str = HOME,
) -> None:
    """Warn of service dates that are holidays, or that are another kind of day than they are called.

    Parameters
    ----------
    dates : mapping of day to date
        The study's ``dates``.
    place : mapping, optional
        Where they are written: ``study.at("dates")``.
    country : str
        Whose holidays count; see `country_of`.
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
        bank, school = bank_holiday(date, country), school_holiday(date, country)
        instead = f"take {ordinary_date_near(date, country).isoformat()} unless this day is meant"
        if bank is not None:
            message = (
                f"{shown} is {bank} in {country_name(country)}, when buses run as on Sundays or not at all; {instead}"
            )
            notices.append(BANK_HOLIDAY.at(**at, value=date.isoformat(), message=message))
        elif school is not None and kind == "weekday":
            message = f"{shown} lies in {school} as most schools have them, when some buses do not run; {instead}"
            notices.append(SCHOOL_HOLIDAY.at(**at, value=date.isoformat(), message=message))
