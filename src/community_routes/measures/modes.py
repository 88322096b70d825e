"""The kind of vehicle behind a GTFS route type, in the words that fares and reports use."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MODES = ("bus", "coach", "tram", "metro", "rail", "ferry", "other")

_BASIC = {0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry", 5: "tram", 11: "bus", 12: "metro"}
_HUNDREDS = {
    1: "rail",
    2: "coach",
    3: "rail",
    4: "metro",
    5: "metro",
    6: "metro",
    7: "bus",
    8: "bus",
    9: "tram",
    10: "ferry",
    12: "ferry",
}


def mode_of(route_type: int) -> str:
    """One of ``MODES`` for a basic (0 to 12) or extended (100 to 1700) GTFS route type."""
    if route_type < 100:
        return _BASIC.get(route_type, "other")
    return _HUNDREDS.get(route_type // 100, "other")


def modes_of(route_types: ArrayLike) -> NDArray[np.int8]:
    """Place in ``MODES`` of each route type."""
    types = np.asarray(route_types, dtype=np.int64)
    values, place = np.unique(types, return_inverse=True)
    codes = np.asarray([MODES.index(mode_of(int(value))) for value in values], dtype=np.int8)
    return codes[place] if len(values) else np.zeros(0, dtype=np.int8)
