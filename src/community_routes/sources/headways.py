"""When the services of ``frequencies.txt`` leave: the phase of each, and every departure.

An *entry* is a row as it was published. Whatever becomes of it (two pieces around hours without a bus, a copy for Sundays, a
route that starts farther out, another id beside a second timetable), it stays that entry: its pieces leave on the raster of
the whole, and what is random about it is drawn from its own name, so that a change elsewhere cannot move it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.sources.feed import Feed
from community_routes.sources.gtfs_join import file_stems


def entries_of(feed: Feed) -> pd.DataFrame:
    """The headway services, with ``origin_s`` and ``entry``.

    ``origin_s`` is where the raster of the whole entry begins; the departures of a row are those between ``start_s`` and
    ``end_s``. ``entry`` names the row as published: file, trip and start. A table without these columns is as published.
    """
    table = feed.frequencies
    if "entry" in table:
        return table
    trip, start = table["trip"].to_numpy(), table["start_s"].to_numpy()
    # A join marks an id that two files use with the file: a timetable beside it gives an entry no other name.
    files = [f"{stem}:" for stem in file_stems([Path(name) for name in feed.sources])] + [""]
    of_trip = zip(feed.trips["source"].to_numpy()[trip], feed.trips["trip_id"].to_numpy()[trip], start, strict=True)
    names = [f"{files[source]}{trip_id.removeprefix(files[source])}:{second}" for source, trip_id, second in of_trip]
    return table.assign(origin_s=start, entry=pd.Series(names, dtype="str"))


def phases_s(feed: Feed) -> NDArray[np.int64]:
    """How long after its start the first bus of each entry leaves, by ``Feed.phase``; shape (n_frequencies,)."""
    table = entries_of(feed)
    headway = table["headway_s"].to_numpy(np.int64)
    if feed.phase == "zero":
        return np.zeros(len(table), np.int64)
    phase = headway // 2
    if feed.phase == "sampled":
        drawn = [hashlib.blake2b(f"{feed.seed}:{entry}".encode(), digest_size=6).digest() for entry in table["entry"]]
        phase = np.array([int.from_bytes(number, "little") for number in drawn], np.int64) % headway
    return np.where(table["exact_times"].to_numpy(bool), 0, phase)


def first_departures(feed: Feed) -> NDArray[np.int64]:
    """When the first bus of each row leaves; at its ``end_s`` or later where it has none. Shape (n_frequencies,)."""
    table = entries_of(feed)
    start, headway = table["start_s"].to_numpy(np.int64), table["headway_s"].to_numpy(np.int64)
    first: NDArray[np.int64] = table["origin_s"].to_numpy(np.int64) + phases_s(feed)
    first += -(np.minimum(first - start, 0) // headway) * headway  # the first of the raster within the row
    return first


def departures(feed: Feed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every departure of the headway services: its row of ``Feed.frequencies`` and its second, by row and time."""
    table, first = feed.frequencies, first_departures(feed)
    headway = table["headway_s"].to_numpy(np.int64)
    count = np.maximum(-((first - table["end_s"].to_numpy(np.int64)) // headway), 0)
    row = np.repeat(np.arange(len(table)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, first[row] + within * headway[row]


def left_of(covered: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """What is left of a period; ``covered`` is sorted and nothing in it overlaps."""
    free = []
    for a, b in covered:
        if b <= start or a >= end:
            continue
        if a > start:
            free.append((start, a))
        start = b
    if start < end:
        free.append((start, end))
    return free


def without_periods(feed: Feed, trips: NDArray[np.int64], periods: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """The headway services without the departures of some trips in some periods.

    What is left of an entry keeps the departures that it had, whatever its phase.
    """
    hit = np.isin(feed.frequencies["trip"].to_numpy(), trips)
    if not hit.any():
        return feed.frequencies
    table, covered = entries_of(feed), sorted(periods)
    rows = list(zip(hit.tolist(), table["start_s"].tolist(), table["end_s"].tolist(), strict=True))
    pieces = [
        (row, *piece)
        for row, (mine, start, end) in enumerate(rows)
        for piece in (left_of(covered, start, end) if mine else [(start, end)])
    ]
    row, start, end = np.array(pieces, np.int32).reshape(-1, 3).T
    return table.iloc[row].reset_index(drop=True).assign(start_s=start, end_s=end)
