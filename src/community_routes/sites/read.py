"""Reads a file of development sites: every row is a site or a named fault, and no row is lost."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import StudyError, UsageError, as_path
from community_routes.network.walks.points import Points
from community_routes.sources.headings import titles_above
from community_routes.sources.places.opportunities import area_entrances
from community_routes.sources.places.table import as_text, check_columns, read_frame_of_places
from community_routes.sources.study.models import MOST
from community_routes.sources.text_table import NoTableError, TooLargeError, is_text_table, read_text_rows

NEEDED = ("id", "lon", "lat")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_POLYGONS = ("Polygon", "MultiPolygon")
MOST_ENTRANCES = 30
"""Of one site; an area has no more either."""


@dataclass(frozen=True)
class Fault:
    """Why a site cannot be judged: a row of ``failed.csv``.

    Attributes
    ----------
    line : int
        Line of the table (the heading is line 1), or number of the feature (from 1) of a map.
    id, field, value : str
    reason : str
        ``no_coordinates``, ``bad_number``, ``bad_entrances``, ``blank_id``, ``duplicate_id``, ``bad_row``, ``bad_shape`` or
        ``off_network``.
    """

    line: int
    id: str
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line} ({self.field or 'row'}): {self.id!r} {_MEANING[self.reason]}, {self.value!r}"


_MEANING = {
    "no_coordinates": "has no place; give lon and lat in degrees",
    "bad_number": "has no usable number there",
    "bad_entrances": "has entrances that are no `lon lat; lon lat` in degrees",
    "blank_id": "a site without an id; give each its own",
    "duplicate_id": "stands there more than once; which is meant cannot be known",
    "bad_row": "has another number of cells than the heading; a comma inside a cell needs quotes",
    "bad_shape": "is no point and no area, or its outline does not close",
    "off_network": "lies outside the streets' coverage or too far from any street",
}


def meaning_of(reason: str) -> str:
    """What a reason of ``failed.csv`` says of a site."""
    return _MEANING[reason]


@dataclass(frozen=True, eq=False)
class Site:
    """One row of the file: a site, and what is wrong with it where something is.

    Attributes
    ----------
    line : int
    id, name, year : str
    homes : float
        NaN where not given.
    shape : shapely geometry or None
        EPSG:4326; a point, points (its entrances) or an area.
    fault : Fault or None
    entrances : float64, shape (n_entrances, 2), or None
        Longitudes and latitudes where they were given; else the shape tells.
    """

    line: int
    id: str
    name: str
    homes: float
    year: str
    shape: Any
    fault: Fault | None
    entrances: NDArray[np.float64] | None = None

    @property
    def point(self) -> tuple[float, float]:
        """Longitude and latitude of a point that stands for the site; NaN where it has none."""
        if self.shape is None:
            return math.nan, math.nan
        inside = shapely.point_on_surface(self.shape)
        return float(inside.x), float(inside.y)


def read_sites(path: str | Path) -> list[Site]:
    """Every row of a file of sites, in its order, with its fault where it has one.

    Parameters
    ----------
    path : str or Path
        A table of text with ``id``, ``lon``, ``lat`` and, where known, ``name``, ``homes``, ``year``, ``entrances``
        (``lon lat; lon lat``); or a map of points or areas with an ``id``.

    Raises
    ------
    UsageError
        The file is not there.
    StudyError
        It cannot be read at all, has no column that is needed, or holds no site.
    """
    path = as_path(path)
    if not path.is_file():
        raise UsageError(f"{path} is not there; name a CSV with id, lon, lat, or a map of points or areas with an id")
    sites = list(_sites_of_table(path) if is_text_table(path) else _sites_of_map(path))
    if not sites:
        raise StudyError(f"{path.name}: it holds no site, only the heading")
    times = Counter(site.id for site in sites if site.id)
    return [
        replace(site, fault=Fault(site.line, site.id, "id", site.id, "duplicate_id")) if times[site.id] > 1 else site
        for site in sites
    ]


def _sites_of_table(path: Path) -> Iterator[Site]:
    try:
        text = read_text_rows(path)
    except NoTableError as fault:
        where = f"{path.name} row {fault.row}" if fault.row is not None else path.name
        cure = "; split it into several files" if isinstance(fault, TooLargeError) else ""
        raise StudyError(f"{where}: it {fault}{cure}") from None
    if text.not_utf8 is not None:
        raise StudyError(f"{path.name} row {text.not_utf8[0]}: it is not UTF-8; save it as CSV (UTF-8)")
    if (titles := titles_above(text.rows, NEEDED)) is not None:
        raise StudyError(f"{path.name}: {titles}")
    if text.rows:
        names = [name.lower() for name in text.heading]
        check_columns(path.name, names, NEEDED, ("name", "homes", "year", "entrances"))
        for row in text.rows[1:]:
            yield _site_of_cells(row.line, names, row.cells)


def _site_of_cells(line: int, names: list[str], cells: list[str]) -> Site:
    if len(cells) != len(names):
        found = dict(zip(names, cells, strict=False))
        counted = f"{len(cells)} cells, {len(names)} headings"
        ident = _clean(found.get("id", ""))
        return Site(line, ident, "", math.nan, "", None, Fault(line, ident, "", counted, "bad_row"))
    found = dict(zip(names, cells, strict=True))
    shape: Any = None
    fault: Fault | None = None
    name = _clean(found["id"])
    numbers = {field: _degrees(found[field], limit) for field, limit in (("lon", 180.0), ("lat", 90.0))}
    wrong = [field for field, value in numbers.items() if math.isnan(value)]
    if wrong:
        reason = "bad_number" if found[wrong[0]] else "no_coordinates"
        fault = Fault(line, name, wrong[0], found[wrong[0]], reason)
    else:
        shape = shapely.Point(numbers["lon"], numbers["lat"])
    return _with_rest(line, found, shape, fault)


def _sites_of_map(path: Path) -> Iterator[Site]:
    table = read_frame_of_places(path)
    columns = {str(name).lower(): name for name in table.columns}
    if "id" not in columns:
        raise StudyError(f"{path.name}: it is no map with a column 'id' (it has {', '.join(columns)})")
    if table.crs is None:
        raise StudyError(f"{path.name}: it does not say in which coordinates it is; give the map a coordinate system")
    shapes = table.geometry.to_crs("EPSG:4326")
    for row, given in enumerate(shapes.array):
        cells = {key: as_text(table[name].iloc[row]) for key, name in columns.items() if name != table.geometry.name}
        shape = _usable(given)
        fault = None
        if shape is None:
            kind, reason = ("", "no_coordinates") if given is None else (given.geom_type, "bad_shape")
            if given is not None and given.is_empty:
                kind = "an outline that cannot be drawn"
            fault = Fault(row + 1, _clean(cells["id"]), "geometry", kind, reason)
        yield _with_rest(row + 1, cells, shape, fault)


def _usable(shape: Any) -> Any:
    """The shape on the plane, mended where its outline crosses itself; None where it is no point and no area."""
    if shape is None or shape.is_empty or not np.isfinite(shapely.get_coordinates(shape)).all():
        return None
    flat = shapely.force_2d(shape)
    mended = flat if flat.is_valid else shapely.make_valid(flat)
    return mended if mended.geom_type in (*_POLYGONS, "Point", "MultiPoint") else None


def _with_rest(line: int, cells: dict[str, str], shape: Any, fault: Fault | None) -> Site:
    """A site with its words and numbers; a blank id or impossible homes are faults where nothing is wrong before them."""
    ident, homes = _clean(cells["id"]), math.nan
    if not ident:
        fault = Fault(line, "", "id", "", "blank_id")
    given = cells.get("homes", "")
    if given:
        homes = _number(given)
        if not 0 <= homes <= MOST:
            homes, fault = math.nan, fault or Fault(line, ident, "homes", given, "bad_number")
    written = cells.get("entrances", "")
    entrances = _entrances(written)
    if written and entrances is None:
        fault = fault or Fault(line, ident, "entrances", _clean(written), "bad_entrances")
    return Site(
        line, ident, _clean(cells.get("name", "")), homes, _clean(cells.get("year", "")), shape, fault, entrances
    )


def _entrances(text: str) -> NDArray[np.float64] | None:
    """``lon lat; lon lat`` as points, each once and in their order; None where it is nothing of the kind."""
    points: dict[tuple[float, float], None] = {}
    for pair in text.split(";"):
        numbers = pair.replace(",", " ").split()
        if not numbers:
            continue
        if len(numbers) != len(("lon", "lat")):
            return None
        point = _degrees(numbers[0], 180.0), _degrees(numbers[1], 90.0)
        if math.isnan(point[0]) or math.isnan(point[1]):
            return None
        points[point] = None
    return np.array(list(points), np.float64) if 0 < len(points) <= MOST_ENTRANCES else None


def _clean(text: str) -> str:
    """The text on one line: control characters, which no table or page shows, are blanks."""
    return _CONTROL.sub(" ", text).strip()


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _degrees(text: str, limit: float) -> float:
    value = _number(text)
    return value if abs(value) <= limit else math.nan


def site_points(sites: list[Site], street_lines: NDArray[np.object_] | None) -> list[NDArray[np.float64]]:
    """The points at which each site is entered: longitudes and latitudes, shape (n_entrances, 2).

    Those that are given count; else a point is its own entrance, and an area has those of a destination: where walkable
    streets cross its boundary.
    """
    shapes = np.array([site.shape for site in sites], object)
    given = [site.entrances for site in sites]
    areas = np.array([s.geom_type in _POLYGONS and own is None for s, own in zip(shapes, given, strict=True)], bool)
    points = [
        own if own is not None else np.empty((0, 2)) if area else shapely.get_coordinates(shape)
        for shape, area, own in zip(shapes, areas, given, strict=True)
    ]
    for row, own in zip(np.flatnonzero(areas), area_entrances(shapes[areas], street_lines), strict=True):
        points[row] = own
    return points


points_of = Points.of_entrances
"""What the other modules of this room call it by."""


def place_key(points: NDArray[np.float64]) -> str:
    """Name of a place by where it is: equal for the same entrances, whatever the site is called."""
    return hashlib.sha256(np.ascontiguousarray(points, "<f8").tobytes()).hexdigest()[:32]
