"""Reads clock times and dates of whole columns at once: distinct texts are parsed, not rows."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from community_routes.times import DAY, parse_date, parse_time

BLANK_S = -(2**31)
"""In a column of seconds: no time given."""
BROKEN_S = BLANK_S + 1
"""In a column of seconds: something that is no time."""
_MARKED_DATE = re.compile(r"(\d{4})([-./ ])(\d{2})\2(\d{2})")
_LONGEST_S = 10 * DAY
_HOURS_TO_SECONDS = np.array([36_000, 3600, 0, 600, 60, 0, 10, 1], dtype=np.int32)


def seconds_of(texts: pa.StringArray) -> NDArray[np.int32]:
    """Seconds of the service date of ``H:MM:SS`` or ``HH:MM:SS`` texts; BLANK_S for "", BROKEN_S for anything else.

    ``HH:MM`` and hours of three digits are read as well, one by one.
    """
    lengths = pc.binary_length(texts).to_numpy(zero_copy_only=False)
    seconds = np.full(len(texts), BROKEN_S, dtype=np.int32)
    seconds[lengths == 0] = BLANK_S
    usual = np.flatnonzero((lengths == 7) | (lengths == 8))
    if len(usual):
        seconds[usual] = _usual_seconds(pc.utf8_lpad(texts.take(pa.array(usual)), 8, padding="0"))
    for i in np.flatnonzero(seconds == BROKEN_S):
        seconds[i] = _unusual_seconds(texts[i].as_py())
    return seconds


def _usual_seconds(texts: pa.StringArray) -> NDArray[np.int32]:
    if not bool(pc.all(pc.equal(pc.binary_length(texts), 8)).as_py()):  # a character of several bytes
        return np.full(len(texts), BROKEN_S, dtype=np.int32)
    start = int(np.frombuffer(texts.buffers()[1], dtype=np.int32)[texts.offset])
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8, count=8 * len(texts), offset=start).reshape(-1, 8)
    digits = data.astype(np.int32) - ord("0")
    good = (data[:, 2] == ord(":")) & (data[:, 5] == ord(":")) & (digits[:, 3] <= 5) & (digits[:, 6] <= 5)
    for column in (0, 1, 3, 4, 6, 7):
        good &= (digits[:, column] >= 0) & (digits[:, column] <= 9)
    seconds = (digits @ _HOURS_TO_SECONDS).astype(np.int32)
    return np.where(good & (seconds <= _LONGEST_S), seconds, BROKEN_S).astype(np.int32)


def _unusual_seconds(text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        return BROKEN_S


def dates_of(texts: list[str]) -> tuple[NDArray[np.datetime64], NDArray[np.bool_]]:
    """Dates of ``YYYYMMDD`` texts (NaT where blank or broken), and which are written with marks between, as 2024-03-05."""
    days = np.full(len(texts), np.datetime64("NaT", "D"), dtype="datetime64[D]")
    marked = np.zeros(len(texts), np.bool_)
    for i, text in enumerate(texts):
        try:
            days[i] = np.datetime64(parse_date(_MARKED_DATE.sub(r"\1\3\4", text)), "D")
        except ValueError:
            continue
        marked[i] = len(text) != 8
    return days, marked
