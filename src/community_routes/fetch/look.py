"""What files of one's own are: looked into with the readers that a study uses, so that what is found can be read again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pyogrio
import shapely

from community_routes.base.errors import CommunityRoutesError, UsageError, as_path
from community_routes.base.notices import Notice, counted
from community_routes.fetch.study import EMPLOYMENT_TAGS, SHARED_TAGS
from community_routes.sources.file_kinds import kind_of, names_in_zip
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.osm.read import COVERAGE_BY_NODES, read_graphml, read_streets
from community_routes.sources.osm.street_map import StreetMap
from community_routes.sources.places.coordinates import Coordinates, coordinates_of
from community_routes.sources.places.table import BAD_COORDINATES, NO_CRS, Table, read_map, read_table
from community_routes.sources.study.places import Destinations
from community_routes.sources.text_table import is_text_table

Kind = Literal["streets", "timetable", "areas", "points", "table", ""]

_PASSED_OVER = (
    ".md", ".yaml", ".yml", ".html", ".pdf", ".py", ".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qmd", ".xml", ".schema.json"
)  # fmt: skip
"""Endings of what lies beside data, and of the parts of a shapefile."""
_BRITISH = "EPSG:27700"
_POLYGONS = (3, 6)
_MOSTLY = 0.8


@dataclass(frozen=True, eq=False)
class Look:
    """What one file is, or one layer or sheet of it.

    Attributes
    ----------
    path : Path
    kind : str
        ``streets``, ``timetable``, ``areas`` (a map of polygons), ``points`` (a map or table of points), ``table``; "" for
        what a study cannot use.
    what : str
        Words that go on from the name of the file, as in "a timetable of 5 routes".
    layer : str or None
        The layer of a map of several, or the sheet of a workbook of several.
    table : Table or None
        Columns of a map or table; with its places where it has any.
    coordinates : Coordinates or None
        The columns of coordinates of a table of points.
    crs : str or None
        What a map has to be told about its coordinates.
    feed, street_map
        Of a timetable, and of streets.
    sure_of_area : bool
        Whether a street file says itself what it covers.
    """

    path: Path
    kind: Kind
    what: str
    layer: str | None = None
    table: Table | None = None
    coordinates: Coordinates | None = None
    crs: str | None = None
    feed: Feed | None = None
    street_map: StreetMap | None = None
    sure_of_area: bool = True

    @property
    def name(self) -> str:
        """The file, with its layer."""
        return self.path.name + (f" ({self.layer})" if self.layer else "")

    @property
    def columns(self) -> dict[str, list[str]]:
        """Cells by column; none where the file is no table."""
        return self.table.columns if self.table is not None else {}

    def places(self) -> np.ndarray:
        """A point in each place, degrees, float64, shape (n, 2); nothing in a file without places."""
        if self.table is None or self.table.geometry is None:
            return np.zeros((0, 2))
        return np.asarray(shapely.get_coordinates(shapely.centroid(self.table.geometry)), np.float64)


def files_of(given: Iterable[str | Path]) -> list[Path]:
    """The files given, and those in folders given, each once; what cannot be data is left out of folders.

    Raises
    ------
    UsageError
        A file is not there.
    """
    found: dict[Path, None] = {}
    for path in map(as_path, given):
        if path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
            found |= dict.fromkeys(one for one in inside if not one.name.lower().endswith(_PASSED_OVER))
        elif path.is_file():
            found[path] = None
        else:
            raise UsageError(f"there is no file or folder {path}")
    return list(found)


def look_at(path: Path) -> list[Look]:
    """What a file is: one answer, or one for each layer or sheet."""
    names = {Path(name).name for name in names_in_zip(path)} if path.suffix.lower() == ".zip" else set()
    if {"stop_times.txt", "trips.txt"} <= names:
        return [_timetable(path)]
    if kind_of(path).name == "pbf" or path.suffix.lower() in (".pbf", ".graphml"):
        return [_streets(path)]
    if is_text_table(path):
        found: list[Notice] = []
        return [_table(path, read_table(path, {}, found), None, found)]
    try:
        layers = pyogrio.list_layers(path) if path.suffix.lower() != ".parquet" else [(None, "Unknown")]
    except Exception:  # the drivers of many formats raise errors of many kinds
        return [Look(path, "", f"no file of a kind that a study reads ({kind_of(path).what or 'unknown'})")]
    several = len(layers) > 1
    return [_layer(path, str(name) if several else None, geometry is not None) for name, geometry in layers]


def _timetable(path: Path) -> Look:
    try:
        feed = read_feed(path, notices=[])
    except CommunityRoutesError as wrong:
        return Look(path, "", f"a timetable that cannot be used: {_first_line(wrong)}")
    what = f"a timetable of {counted(len(feed.routes), 'route')} and {counted(len(feed.trips), 'trip')}"
    return Look(path, "timetable", what, feed=feed)


def _streets(path: Path) -> Look:
    found: list[Notice] = []
    asked = {"employment": EMPLOYMENT_TAGS, "shared_spaces": SHARED_TAGS}
    try:
        if path.suffix.lower() == ".graphml":
            street_map = read_graphml(path, notices=found)
        else:
            street_map = read_streets(path, places=asked, notices=found)
    except CommunityRoutesError as wrong:
        return Look(path, "", f"streets that cannot be used: {_first_line(wrong)}")
    sure = not any(notice.code == COVERAGE_BY_NODES.name for notice in found)
    return Look(
        path, "streets", f"streets, {counted(len(street_map.way_id), 'way')}", street_map=street_map, sure_of_area=sure
    )


def _table(path: Path, table: Table | None, layer: str | None, found: list[Notice]) -> Look:
    """A table of text or a sheet; with its points where it has columns of coordinates."""
    if table is None or table.n == 0 or len(table.columns) < 2:
        why = next((notice.message for notice in found if notice.severity == "error"), "it holds no table")
        return Look(path, "", f"a table that cannot be used: {why}", layer)
    look = Look(path, "table", f"a table of {counted(table.n, 'row')}", layer, table)
    where = coordinates_of(table.columns)
    if where is None or layer is not None:
        return look
    said: list[Notice] = []
    spec = Destinations(file=path, id=where.lon, lon=where.lon, lat=where.lat, crs=where.crs)
    placed = read_map(path, spec, said)
    if placed is None or placed.n == 0:
        return look
    return replace(
        look, kind="points", what=f"a table of {counted(placed.n, 'point')}", table=placed, coordinates=where
    )


def _layer(path: Path, layer: str | None, drawn: bool) -> Look:
    found: list[Notice] = []
    if not drawn:
        return _table(path, read_table(path, {}, found, layer), layer, found)
    crs = None
    table = read_map(path, Destinations(file=path, id="?", layer=layer), found)
    if table is None and any(notice.code in (NO_CRS.name, BAD_COORDINATES.name) for notice in found):
        crs = _BRITISH
        table = read_map(path, Destinations(file=path, id="?", layer=layer, crs=crs), found)
    if table is None or table.n == 0 or table.geometry is None:
        why = next((notice.message for notice in found if notice.severity == "error"), "it holds no places")
        return Look(path, "", f"a map that cannot be used: {why}", layer)
    areas = float(np.isin(shapely.get_type_id(table.geometry), _POLYGONS).mean()) >= _MOSTLY
    what = f"a map of {counted(table.n, 'area' if areas else 'place')}"
    return Look(path, "areas" if areas else "points", what, layer, table, crs=crs)


def _first_line(wrong: Exception) -> str:
    return re.split(r"\n", str(wrong))[0][:200]
