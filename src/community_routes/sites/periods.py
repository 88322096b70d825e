"""The times of day in which the service near a site is counted: the windows of the study, and those that standards name."""

from __future__ import annotations

from community_routes.base.errors import StudyError
from community_routes.base.times import HOUR, format_window
from community_routes.sources.study.file import StudyFile
from community_routes.sources.study.models import day_type
from community_routes.sources.study.yaml import did_you_mean

KNOWN_PERIODS = {"day": (7 * HOUR, 19 * HOUR), "evening": (19 * HOUR, 23 * HOUR)}
"""What a standard may name where the study has no window of that name."""

When = tuple[str, str]


def service_windows(file: StudyFile, day: str) -> dict[str, tuple[int, int]]:
    """The times of one day of the study in which departures are counted, by name: its windows, then what standards add."""
    found = {name: window.time for name, window in file.windows_on(day).items()}
    asked = file.standards.departures_per_hour if file.standards is not None else {}
    for period in asked:
        for at, name in _added(file, period):
            if at == day:
                found.setdefault(name, KNOWN_PERIODS[name])
    return found


def leading_window(file: StudyFile) -> When:
    """The day and the window that come first in the study file.

    Raises
    ------
    StudyError
        No window runs on any day.
    """
    for window in file.travel.windows:
        for day in file.dates:
            if window in file.windows_on(day):
                return day, window
    raise StudyError(f"{file.path.name}: no window of the study runs on any of its days, so no standard can be judged")


def times_of_period(file: StudyFile, period: str) -> list[When]:
    """Days and windows that a period of ``departures_per_hour`` names.

    A window (on every day on which it runs), a day (in all its windows), or both as ``day_window``. Where the study has no
    such window, ``day`` is 07:00 to 19:00 and ``evening`` 19:00 to 23:00, on every day, or with a day in front. ``weekday``,
    ``saturday`` and ``sunday`` that are no keys of ``service_date`` mean the days of that kind.

    Raises
    ------
    StudyError
        The study has nothing of that name.
    """
    found = _windows_named(file, period) or _added(file, period)
    if found:
        return found
    every = [(day, window) for day in file.dates for window in file.windows_on(day)]
    known = dict.fromkeys([w for _, w in every] + list(file.dates) + ["_".join(when) for when in every])
    kind = period.partition("_")[0]
    added = [f"{day}_{name}" for day in file.dates for name in KNOWN_PERIODS]
    hint = did_you_mean(period, [*known, *added], f"they are {', '.join(known)}")
    if kind in ("weekday", "saturday", "sunday") and not any(kind in _names_of(file, day) for day in file.dates):
        hint = f"the study has no {kind}: give service_date the date of one, as `{kind}`"
    builtin = ", ".join(f"{name} ({format_window(window)})" for name, window in KNOWN_PERIODS.items())
    raise StudyError(
        f"{file.path.name} (standards.departures_per_hour): {period!r} is no window or day of the study; {hint} "
        f"(also {builtin}, alone or after a day and _)"
    )


def _names_of(file: StudyFile, day: str) -> set[str]:
    """What a day may be called: its key, and its kind where no key is called so."""
    kind = day_type(file.dates[day])
    return {day} if kind in file.dates else {day, kind}


def _windows_named(file: StudyFile, period: str) -> list[When]:
    return [
        (day, window)
        for day in file.dates
        for window in file.windows_on(day)
        if period == window or any(period in (name, f"{name}_{window}") for name in _names_of(file, day))
    ]


def _added(file: StudyFile, period: str) -> list[When]:
    """Days and times of day that a period names where the study has no window for it."""
    if _windows_named(file, period):
        return []
    found = []
    for day in file.dates:
        names = _names_of(file, day)
        found += [(day, name) for name in KNOWN_PERIODS if period == name or period in {f"{n}_{name}" for n in names}]
        if period in names:
            found.append((day, "day"))
    return list(dict.fromkeys(found))
