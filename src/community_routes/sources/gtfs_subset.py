"""A feed with a part of its trips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from community_routes.sources.feed import Calls, Feed, Shapes


def keep_trips(feed: Feed, keep: NDArray[np.bool_]) -> Feed:
    """The feed with these trips only; headways and transfer rules of the others go, and shapes that no trip uses now.

    Parameters
    ----------
    keep : bool, shape (n_trips,)
    """
    new_row = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
    sizes = np.diff(feed.calls.first)
    rows = np.repeat(keep, sizes)
    first = np.concatenate([[0], np.cumsum(sizes[keep])]).astype(np.int64)
    calls = Calls(first, *(getattr(feed.calls, name)[rows] for name in list(Calls.__dataclass_fields__)[1:]))
    frequencies = feed.frequencies[keep[feed.frequencies["trip"].to_numpy()]].reset_index(drop=True)
    frequencies["trip"] = new_row[frequencies["trip"].to_numpy()]
    transfers = feed.transfers
    for column in ("from_trip", "to_trip"):
        named = transfers[column].to_numpy()
        transfers = transfers[(named < 0) | keep[named]].reset_index(drop=True)
        named = transfers[column].to_numpy()
        transfers[column] = np.where(named < 0, -1, new_row[named]).astype(np.int32)
    trips = feed.trips[keep].reset_index(drop=True)
    shapes, trips["shape"] = _used_shapes(feed.shapes, trips["shape"].to_numpy())
    return replace(feed, trips=trips, calls=calls, frequencies=frequencies, transfers=transfers, shapes=shapes)


def _used_shapes(shapes: Shapes, shape_of_trip: NDArray[np.int32]) -> tuple[Shapes, NDArray[np.int32]]:
    """The shapes that are used, and their new rows by trip."""
    used = np.zeros(len(shapes.shape_id), np.bool_)
    used[shape_of_trip[shape_of_trip >= 0]] = True
    if used.all():
        return shapes, shape_of_trip
    sizes = np.diff(shapes.first)
    points = np.repeat(used, sizes)
    first = np.concatenate([[0], np.cumsum(sizes[used])]).astype(np.int64)
    kept = Shapes(shapes.shape_id[used], first, shapes.lon[points], shapes.lat[points], shapes.distance[points])
    new_row = np.append(np.where(used, np.cumsum(used) - 1, -1), -1).astype(np.int32)
    return kept, new_row[shape_of_trip]
