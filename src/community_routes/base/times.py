"""Whole seconds of the service date, dates, windows, and the one sentinel for "no journey"."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400

FIRST_DATE: Final = dt.date(1990, 1, 1)
LAST_DATE: Final = dt.date(2100, 12, 31)
"""The dates that a study may have. A calendar may run from year 1 to 9999, which says no more than "always"."""

UNREACHED: Final = 2**31 - 1
"""Travel time in seconds where there is no journey within the limits (int32). Test for it before any subtraction."""

_TIME = re.compile(r"\s*(\d{1,3}):([0-5]\d)(?::([0-5]\d))?\s*")
_LONGEST_S: Final = 10 * DAY


def parse_time(text: str) -> int:
    """Seconds of the service date of ``HH:MM`` or ``HH:MM:SS``; 25:10:00 is 90,600.

    Raises
    ------
    ValueError
        The text is no clock time, or is beyond ten days.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no time of day; write HH:MM or HH:MM:SS, as in 07:30")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    total = hours * HOUR + minutes * MINUTE + seconds
    if total > _LONGEST_S:
        raise ValueError(f"{text!r} is more than ten days after the service date began")
    return total


def format_time(seconds: int, *, with_seconds: bool = True) -> str:
    """``HH:MM:SS`` (or ``HH:MM``) of seconds of the service date; hours go on past 24; before it, a minus sign."""
    sign, rest = ("-", -int(seconds)) if seconds < 0 else ("", int(seconds))
    text = f"{sign}{rest // HOUR:02d}:{rest % HOUR // MINUTE:02d}"
    return f"{text}:{rest % MINUTE:02d}" if with_seconds else text


def parse_window(text: str) -> tuple[int, int]:
    """Start and end in seconds of ``07:00-09:00``; an end at or before the start lies on the next day.

    ``23:00-25:30`` and ``23:00-01:30`` mean the same.

    Raises
    ------
    ValueError
        It is not two clock times joined by a hyphen, or start and end are equal, or it is longer than a day.
    """
    parts = re.split(r"\s*[-–]\s*", text.strip())
    if len(parts) != 2:
        raise ValueError(f"{text!r} is no window; write START-END, as in 07:00-09:00")
    start, end = (parse_time(part) for part in parts)
    if start == end:
        raise ValueError(f"the window {text!r} starts and ends at the same time, so it holds no departure")
    if end < start:
        end += DAY
    if end <= start or end - start > DAY:
        raise ValueError(f"the window {text!r} is longer than a day")
    return start, end


def format_window(window_s: tuple[int, int]) -> str:
    """``07:00-09:00`` of a start and an end in seconds."""
    return f"{format_time(window_s[0], with_seconds=False)}-{format_time(window_s[1], with_seconds=False)}"


def parse_date(text: str) -> dt.date:
    """A date written ``2024-03-05`` or ``20240305``.

    Raises
    ------
    ValueError
        It is no such date.
    """
    compact = text.strip()
    if re.fullmatch(r"\d{8}", compact):
        compact = f"{compact[:4]}-{compact[4:6]}-{compact[6:]}"
    try:
        return dt.date.fromisoformat(compact)
    except ValueError:
        raise ValueError(f"{text!r} is no date; write YYYY-MM-DD, as in 2024-03-05") from None
