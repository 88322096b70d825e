"""The columns of a table in which the coordinates of its places stand, by the names that publishers give them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_BRITISH = "EPSG:27700"
LON = ("lon", "lng", "long", "longitude", "x lon", "stop lon")
LAT = ("lat", "latitude", "y lat", "stop lat")
_EAST, _NORTH = ("easting", "eastings", "x", "bng e", "oseast1m"), ("northing", "northings", "y", "bng n", "osnrth1m")
_SOME = 0.02


class Coordinates(NamedTuple):
    """The columns of the places of a table, and the system of coordinates where they are no degrees."""

    lon: str
    lat: str
    crs: str | None = None


def words(heading: str) -> str:
    """A heading in small letters, its words apart: ``WhiteBrit`` and ``white_brit`` are ``white brit``."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", heading)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", apart.lower()).split())


def named(columns: Iterable[str], wanted: Sequence[str]) -> str | None:
    """The column with one of some headings, the first of them that is there."""
    by_words = {words(name): name for name in reversed(list(columns))}
    return next((by_words[one] for one in wanted if one in by_words), None)


def figures(cells: Sequence[str]) -> NDArray[np.float64]:
    """The cells as numbers; NaN where one is none, float64, shape (n,)."""
    found = np.full(len(cells), np.nan)
    for i, cell in enumerate(cells):
        try:
            found[i] = float(cell.replace(",", ""))
        except ValueError:
            continue
    return found


def is_numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds a number in all but a few of its rows."""
    return len(cells) > 0 and float(np.isnan(figures(cells)).mean()) <= _SOME


def coordinates_of(columns: Mapping[str, Sequence[str]]) -> Coordinates | None:
    """The columns of a table's places: degrees, or metres of the British National Grid; None without."""
    for lon, lat, crs, limit in ((LON, LAT, None, (180.0, 90.0)), (_EAST, _NORTH, _BRITISH, (700_000.0, 1_300_000.0))):
        x, y = named(columns, lon), named(columns, lat)
        if x is None or y is None or not (is_numeric(columns[x]) and is_numeric(columns[y])):
            continue
        if np.nanmax(np.abs(figures(columns[x]))) <= limit[0] and np.nanmax(np.abs(figures(columns[y]))) <= limit[1]:
            return Coordinates(x, y, crs)
    return None
