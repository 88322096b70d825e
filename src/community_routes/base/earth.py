"""Distances on the globe."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the earth in metres."""


def great_circle_m(lon_a: Any, lat_a: Any, lon_b: Any, lat_b: Any) -> NDArray[np.float64]:
    """Great-circle metres between points in degrees (haversine form, exact for short distances); NaN where unknown.

    Numbers and arrays are broadcast.
    """
    lat_1, lat_2 = np.radians(np.asarray(lat_a, np.float64)), np.radians(np.asarray(lat_b, np.float64))
    sin_lat = np.sin((lat_2 - lat_1) * 0.5)
    sin_lon = np.sin(np.radians(np.subtract(np.asarray(lon_b, np.float64), lon_a)) * 0.5)
    h = sin_lat**2 + np.cos(lat_1) * np.cos(lat_2) * sin_lon**2
    metres: NDArray[np.float64] = 2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(1.0, h)))
    return metres
