"""Tables and maps beside the timetable: CSV or any file of areas or points, with columns found by name."""

from __future__ import annotations

import html
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice, Sample, declare
from community_routes.sources.file_kinds import mistaken
from community_routes.sources.headings import (
    HEADING_LOWER,
    Row,
    heading_below,
    lower_heading,
    notes_below,
    notes_from,
)
from community_routes.sources.places.coordinates import LAT, LON, Coordinates, coordinates_of, named
from community_routes.sources.study.models import MOST, Spec
from community_routes.sources.study.places import Destinations, EntrancesSpec, Neighbourhoods, OriginPointsSpec
from community_routes.sources.study.yaml import MISSING_FILE, did_you_mean, near_file, nearest
from community_routes.sources.text_table import NoTableError, TooLargeError, is_text_table, read_text_rows

UNKNOWN_COLUMN = declare("unknown_column", "error", "A column that the study file names is not in the table.")
BAD_TABLE = declare("bad_table", "error", "A table or map that cannot be read.")
BAD_ROW = declare("bad_row", "error", "A row with more or fewer cells than the heading.")
BAD_NUMBER = declare("bad_number", "error", "A cell that should hold a number does not.")
BLANK_ID = declare("blank_place_id", "error", "A row has no id, so nothing can be joined to it.")
DUPLICATE_ID = declare("duplicate_place_id", "error", "Two rows have the same id; which one is meant cannot be known.")
NOT_UTF8 = declare(
    "table_not_utf8",
    "warning",
    "A table is not UTF-8; it was read as Windows-1252, which may spoil letters with accents.",
)
CRS_ASSUMED = declare(
    "crs_assumed", "warning", "A map does not say what its coordinates are; degrees (WGS 84) were assumed."
)
NO_CRS = declare("no_crs", "error", "A map does not say what its coordinates are, and they are no degrees.")
BAD_COORDINATES = declare("bad_coordinates", "error", "Coordinates that lie nowhere on earth.")
MAP_ODDITY = declare(
    "map_oddity", "warning", "Something in a map was not as its format asks for; it was read as well as possible."
)
NO_GEOMETRY = declare("no_geometry", "error", "A row of a map has no place.")

MAX_CELLS = 8_000_000
MapSpec = Neighbourhoods | Destinations | OriginPointsSpec | EntrancesSpec
"""The parts of a study that name a map."""
_UNNAMED = re.compile(r"Field\d+")
_NO_PLACE = (
    "this row has no place, or an outline that cannot be drawn (a ring of two points, or whose last point is not its first); "
    "give it coordinates or take it out"
)
_AGAIN = " (again, column "


@dataclass(frozen=True, eq=False)
class Table:
    """A table of text, with the line in the file of each row, and a geometry of each row where the file is a map.

    Attributes
    ----------
    file : str
        Name for messages.
    columns : dict of str to list of str
        Cells, stripped of blanks around them; an empty text where there is none.
    row : int64, shape (n,)
        Line of the file (the heading is line 1), or number of the feature (from 1) of a map.
    geometry : object (shapely), shape (n,), or None
        EPSG:4326, two-dimensional; None where the file is no map.
    """

    file: str
    columns: dict[str, list[str]]
    row: NDArray[np.int64]
    geometry: NDArray[np.object_] | None = None

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.row)

    @property
    def headings(self) -> list[str]:
        """The names of the columns as they stand in the file, where one may stand twice."""
        return [name.partition(_AGAIN)[0] for name in self.columns]

    def sample(self, rows: Sequence[int] | NDArray[Any]) -> str:
        """``rows 3, 7, 9 and 4 more`` for a message."""
        return "rows " + listed([str(self.row[i]) for i in rows])


def table_html(owner: object, frame: Any, most: int = 8) -> str:
    """What a notebook shows: one line about the whole, and the first rows without their geometry."""
    head = frame.drop(columns="geometry", errors="ignore").head(most)
    return f"<p>{html.escape(repr(owner))}</p>{pd.DataFrame(head).to_html(border=0, na_rep='')}"


def listed(items: Sequence[str], most: int = 8) -> str:
    """``a, b, c and 4 more``."""
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"


def missing(path: Path, place: dict[str, Any], found: list[Notice]) -> bool:
    """Whether a file is not there; says so once."""
    if path.is_file():
        return False
    if not any(notice.code == MISSING_FILE.name and notice.value == path.name for notice in found):
        message = f"the file {path.name!r} is not there{near_file(path)}"
        found.append(MISSING_FILE.at(**place, value=path.name, message=message))
    return True


def read_table(path: Path, place: dict[str, Any], found: list[Notice], layer: str | None = None) -> Table | None:
    """A table of any kind (``layer``: the sheet of a workbook); None with notices when it cannot be read."""
    if missing(path, place, found):
        return None
    if is_text_table(path):
        return _read_text_table(path, place, found)
    frame = _read_frame(path, layer, place, found)
    if frame is None:
        return None
    columns = _text_columns(frame)
    if all(_UNNAMED.fullmatch(name) for name in columns):  # of a sheet whose first row is no heading
        cells = enumerate(zip(*columns.values(), strict=True), start=1)
        if _report_titles(path.name, [Row(line, line, list(row)) for line, row in cells if any(row)], found):
            return None
    return Table(path.name, columns, np.arange(1, len(frame) + 1))


def _report_titles(file: str, rows: Sequence[Row], found: list[Notice]) -> bool:
    """Whether titles stand above the heading; says so once."""
    if (below := lower_heading(rows)) is None:
        return False
    heading = rows[below[0]]
    message = heading_below(heading.line, heading.filled, notes_below(rows[below[1] :]))
    found.append(HEADING_LOWER.at(file, row=heading.line, message=message))
    return True


_MAP_CURES = {
    **dict.fromkeys(("gzip", "bzip2", "xz", "7z", "rar", "tar"), "unpack it and name what it holds"),
    "text": "a table of text needs its own ending (.csv); or the download brought an error",
}


def why_no_map(path: Path, fault: Exception) -> str:
    """Why a map or table could not be read: what the file is where its reader cannot tell, else what the reader says."""
    said = " ".join(str(fault).replace(str(path), path.name).split())[:300]
    if "not recognized" not in said:
        return said
    return mistaken(path, (), "a map (GeoJSON, GeoPackage, shapefile) or a table", _MAP_CURES) or said


def _read_text_table(path: Path, place: dict[str, Any], found: list[Notice]) -> Table | None:
    name = path.name
    try:
        text = read_text_rows(path, most_cells=MAX_CELLS)
    except NoTableError as fault:
        cure = "; keep only the rows and columns of the study" if isinstance(fault, TooLargeError) else ""
        notice = (
            BAD_TABLE.at(name, row=fault.row, message=f"{fault}{cure}")
            if fault.opened
            else BAD_TABLE.at(**place, value=name, message=f"{name} {fault}")
        )
        found.append(notice)
        return None
    if text.not_utf8 is not None:
        line, byte = text.not_utf8
        message = "is not UTF-8 and was read as Windows-1252; save it as CSV (UTF-8) to be sure of letters with accents"
        found.append(NOT_UTF8.at(name, row=line, value=f"byte 0x{byte:02x}", message=message))
    rows, names = text.rows, text.heading
    if _report_titles(name, rows, found):
        return None
    good = [row for row in rows[1:] if len(row.cells) == len(names)]
    _report_bad_rows(name, rows, len(names), found)
    if not any(names):
        found.append(BAD_TABLE.at(name, row=1, message="the table is empty; a heading and rows are expected"))
        return None
    columns: dict[str, list[str]] = {}
    for number, heading in enumerate(names):
        # A heading given twice is only a fault when it is asked for: then its cells are ambiguous.
        unique = heading if heading not in columns else f"{heading}{_AGAIN}{number + 1})"
        columns[unique] = [row.cells[number] for row in good]
    return Table(name, columns, np.asarray([row.line for row in good], np.int64))


def _report_bad_rows(file: str, rows: Sequence[Row], width: int, found: list[Notice]) -> None:
    """Rows with more or fewer cells than the heading; sentences below the table are told once."""
    last = max((i for i, row in enumerate(rows) if len(row.cells) == width), default=0)
    notes = notes_below(rows[last + 1 :]) if width > 1 else []
    bad = Sample(BAD_ROW)
    for row in rows[: len(rows) - len(notes)]:
        if len(row.cells) != width:
            message = f"{len(row.cells)} cells under {width} headings; a comma inside a cell needs quotes around it"
            bad.add(file, row=row.line, message=message)
    if notes:
        bad.add(file, row=notes[0].line, message=f"delete {notes_from(notes)}")
    found.extend(bad.notices())


def read_map(path: Path, spec: MapSpec, found: list[Notice]) -> Table | None:
    """A map (areas or points): any file that geopandas reads, or a table of text with ``lon`` and ``lat``.

    ``spec`` gives ``layer`` (where it may), ``crs``, ``lon``, ``lat``, and the place of each for messages.
    """
    place = spec.at("file")
    if missing(path, place, found):
        return None
    if is_text_table(path) or spec.lon is not None:
        table = read_table(path, place, found)
        return None if table is None else _with_points(table, spec, found)
    layer = spec.layer if isinstance(spec, Neighbourhoods | Destinations) else None
    frame = _read_frame(path, layer, place, found)
    if frame is None:
        return None
    if not isinstance(frame, gpd.GeoDataFrame):
        message = f"{path.name} holds no places on a map; a map is expected, or a table with 'lon' and 'lat'"
        found.append(BAD_TABLE.at(**place, value=path.name, message=message))
        return None
    table = Table(path.name, _text_columns(frame.drop(columns=frame.geometry.name)), np.arange(1, len(frame) + 1))
    return _placed(table, frame.geometry.array, frame.crs, spec, found)


def _read_frame(path: Path, layer: str | None, place: dict[str, Any], found: list[Notice]) -> Any:
    """What geopandas makes of the file; None with a notice that gives its reason."""
    name = path.name
    with warnings.catch_warnings(record=True) as said_beside:
        warnings.simplefilter("always")
        try:
            frame = _open_frame(path, layer, place, found)
        except Exception as fault:  # the drivers of many formats raise errors of many kinds
            message = f"{name} cannot be read as a map or table: {why_no_map(path, fault)}"
            found.append(BAD_TABLE.at(**place, value=name, message=message))
            return None
    for said in dict.fromkeys(str(warning.message) for warning in said_beside):
        found.append(MAP_ODDITY.at(name, message=f"while reading: {said.replace(str(path), name)}"[:300]))
    return frame


def _open_frame(path: Path, layer: str | None, place: dict[str, Any], found: list[Notice]) -> Any:
    """The layer asked for, or the only one; None with a notice when it is not clear which is meant."""
    name = path.name
    if path.suffix.lower() == ".parquet":
        return _read_parquet(path)
    with path.open("rb") as stream:
        if b"<OGRVRTDataSource" in stream.read(4096):
            raise ValueError("a virtual map leads to other files; name the map itself")
    layers = [str(item[0]) for item in pyogrio.list_layers(path)]
    if layer is not None and layer not in layers:
        hint = did_you_mean(layer, layers, f"; it has {listed(layers)}", before="; ")
        found.append(BAD_TABLE.at(**place, value=layer, message=f"{name} has no layer {layer!r}{hint}"))
        return None
    if layer is None and len(layers) > 1:
        message = f"{name} has several layers ({listed(layers)}); name one with 'layer'"
        found.append(BAD_TABLE.at(**place, value=name, message=message))
        return None
    return _read_layer(path, layer or layers[0])


def _read_layer(path: Path, layer: str) -> Any:
    """One layer as the driver gives it: cells as they stand, without guessing that a text of digits is a number."""
    meta, _, outlines, cells = pyogrio.raw.read(path, layer=layer)
    frame = pd.DataFrame(
        {str(name): pd.Series(list(column), dtype=object) for name, column in zip(meta["fields"], cells, strict=True)}
    )
    if outlines is None:
        return frame
    # An outline that cannot be made at all (a ring of two points, or one that does not close) is empty; its row is reported.
    shapes = shapely.from_wkb(outlines, on_invalid="ignore")
    shapes[shapely.is_missing(shapes) & ~pd.isna(outlines)] = shapely.GeometryCollection()
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=meta["crs"])


def read_frame_of_places(path: Path) -> Any:
    """The first layer of a map, as a GeoDataFrame with cells as they stand; a shape is None where there is none, and empty
    where an outline cannot be made.

    Raises
    ------
    StudyError
        It cannot be read, or is no map.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            layer = None if path.suffix.lower() == ".parquet" else str(pyogrio.list_layers(path)[0][0])
            frame = _open_frame(path, layer, {}, [])
        except Exception as fault:  # the drivers of many formats raise errors of many kinds
            raise StudyError(f"{path.name}: it cannot be read as a map: {why_no_map(path, fault)}") from None
    if not isinstance(frame, gpd.GeoDataFrame):
        raise StudyError(f"{path.name}: it holds no places on a map; save a table of places as CSV with id, lon, lat")
    return frame


def _read_parquet(path: Path) -> Any:
    """A GeoParquet file, or a plain Parquet table."""
    try:
        return gpd.read_parquet(path)
    except ValueError:
        return pd.read_parquet(path)


def _with_points(table: Table, spec: MapSpec, found: list[Notice]) -> Table | None:
    """The table with a point in each row, from its two columns of coordinates."""
    columns: list[str | None]
    if spec.lon is None:
        where = coordinates_of(table.columns)
        if where is None or where.crs is not None:
            message = (
                f"{table.file} is a table; name its columns of coordinates with 'lon' and 'lat'{_in_metres(where)}"
            )
            found.append(BAD_TABLE.at(**spec.at("file"), value=table.file, message=message))
            return None
        columns = [where.lon, where.lat]
    else:
        columns = [find_column(table, spec, key, found) for key in ("lon", "lat")]
    if None in columns:
        return None
    rows = np.arange(table.n)
    x, y = (numbers(table, str(name), rows, found, minimum=None) for name in columns)
    blank = np.flatnonzero(np.isnan(x) | np.isnan(y))
    _report_no_place(table, blank, found)
    keep = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    table = take(table, keep)
    return _placed(table, shapely.points(x[keep], y[keep]), None, spec, found)


def _in_metres(where: Coordinates | None) -> str:
    return f": `lon: {where.lon}, lat: {where.lat}, crs: {where.crs}`" if where is not None else ""


def _report_no_place(table: Table, rows: NDArray[Any], found: list[Notice]) -> None:
    sample = Sample(NO_GEOMETRY)
    for i in rows:
        sample.add(table.file, row=int(table.row[i]), message=_NO_PLACE)
    found.extend(sample.notices())


def take(table: Table, rows: NDArray[Any]) -> Table:
    """Only these rows."""
    columns = {name: [cells[i] for i in rows] for name, cells in table.columns.items()}
    geometry = None if table.geometry is None else table.geometry[rows]
    return Table(table.file, columns, table.row[rows], geometry)


def _placed(table: Table, geometry: Any, crs: Any, spec: MapSpec, found: list[Notice]) -> Table | None:
    """The table with its geometry in degrees; None where it cannot be known what the coordinates are."""
    series = gpd.GeoSeries(shapely.force_2d(np.asarray(geometry, object)))
    empty = np.asarray(series.isna() | series.is_empty)
    _report_no_place(table, np.flatnonzero(empty), found)
    keep = np.flatnonzero(~empty)
    table, series = take(table, keep), series.iloc[keep].reset_index(drop=True)
    stated = spec.crs
    bounds = series.total_bounds if len(series) else np.array([0.0, 0.0, 0.0, 0.0])
    if stated is None and crs is None:
        if not _in_degrees(bounds):
            found.append(NO_CRS.at(**spec.at("file"), value=table.file, message=_no_crs(table.file, bounds)))
            return None
        if spec.lon is None:  # columns called lon and lat are degrees by name
            message = f"{table.file} does not say what its coordinates are; degrees (WGS 84) were assumed; add `crs:` to be sure"
            found.append(CRS_ASSUMED.at(**spec.at("file"), value=table.file, message=message))
        crs = "EPSG:4326"
    try:
        code = f"EPSG:{stated}" if stated is not None and str(stated).isdigit() else stated
        series = series.set_crs(code or crs, allow_override=True).to_crs("EPSG:4326")
    except Exception as fault:  # the projection library's own errors are of many kinds
        said = " ".join(str(fault).split())[:200]
        found.append(
            NO_CRS.at(**spec.at("crs"), value=stated or "", message=f"{stated or crs} is no coordinate system: {said}")
        )
        return None
    impossible = _report_impossible(table, series, found)
    if impossible:
        return None
    return Table(table.file, table.columns, table.row, np.asarray(series.array, object))


def _in_degrees(bounds: NDArray[np.float64]) -> bool:
    west, south, east, north = bounds
    return bool(np.all(np.isfinite(bounds))) and west >= -180 and east <= 180 and south >= -90 and north <= 90


def in_degrees(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Whether each shape lies on earth in degrees, every corner of it, shape (n,)."""
    corners, owner = shapely.get_coordinates(shapes, return_index=True)
    inside = np.ones(len(shapes), bool)
    inside[owner[~(np.abs(corners) <= [180.0, 90.0]).all(axis=1)]] = False
    return inside


def _looks_british(x: float, y: float) -> bool:
    """Whether a pair could be an easting and northing of the British National Grid, in metres."""
    return 1_000 < x < 700_000 and 1_000 < y < 1_300_000


def _no_crs(file: str, bounds: NDArray[np.float64]) -> str:
    hint = "; they look like the British National Grid: add `crs: EPSG:27700`" if _looks_british(*bounds[:2]) else ""
    box = ", ".join(f"{value:g}" for value in bounds)
    return f"{file} does not say what its coordinates are, and they ({box}) are no degrees{hint or '; add `crs:`'}"


def _report_impossible(table: Table, series: Any, found: list[Notice]) -> bool:
    """Rows whose coordinates are no degrees, or not even numbers; whether there were any."""
    sample = Sample(BAD_COORDINATES, keep=3)
    shapes = np.asarray(series.array, object)
    for i in np.flatnonzero(~in_degrees(shapes)):
        x, y = next(pair for pair in shapely.get_coordinates(shapes[i]).tolist() if not _in_degrees(np.array(pair * 2)))
        hint = "; it looks like the British National Grid: add `crs: EPSG:27700`" if _looks_british(x, y) else ""
        message = f"the coordinates ({x:g}, {y:g}) lie nowhere on earth in degrees{hint}"
        sample.add(table.file, row=int(table.row[i]), value=f"{x:g}, {y:g}", message=message)
    found.extend(sample.notices())
    return sample.count > 0


def _text_columns(frame: Any) -> dict[str, list[str]]:
    return {str(name): [as_text(value) for value in frame[name].tolist()] for name in frame.columns}


def as_text(value: Any) -> str:
    """A cell as text: nothing is empty, a whole number has no point (ids read as 7.0 are 7)."""
    if (
        value is None
        or value is np.nan
        or (isinstance(value, float) and np.isnan(value))
        or str(value) in ("<NA>", "NaT")
    ):
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).strip()


def check_columns(file: str, headings: Sequence[str], needed: Sequence[str], known: Sequence[str] = ()) -> None:
    """A table has the columns that are needed, and neither these nor others that are known twice.

    Raises
    ------
    StudyError
    """
    for name in needed:
        if name not in headings:
            raise StudyError(f"{file}: it has no column {name!r} (it has {', '.join(headings) or 'none'})")
    for name in (*needed, *known):
        if headings.count(name) > 1:
            raise StudyError(f"{file}: it has two columns {name!r}; rename one of them")


def find_column(table: Table, spec: Spec, key: str, found: list[Notice], name: str | None = None) -> str | None:
    """The column that the study names under ``key`` (or ``name`` itself); without it an error, and None.

    Of an id or a coordinate it is the nearest column then: with it the reading goes on, to find the faults behind this one.
    """
    wanted = name if name is not None else getattr(spec, key)
    place = spec.at(key)
    if wanted in table.columns:
        if table.headings.count(wanted) > 1:
            message = f"{table.file} has two columns {wanted!r}; rename one of them"
            found.append(UNKNOWN_COLUMN.at(**place, value=wanted, message=message))
            return None
        return str(wanted)
    near = nearest(str(wanted), table.columns) or (named(table.columns, _SAME_AS[key]) if key in _SAME_AS else None)
    hint = f"; did you mean {near!r}?" if near else f"; it has {listed(list(table.columns), 12) or 'none'}"
    found.append(UNKNOWN_COLUMN.at(**place, value=wanted, message=f"{table.file} has no column {wanted!r}{hint}"))
    return near if key in _GO_ON else None


_GO_ON = ("id", "from_", "to", "lon", "lat")
"""Keys whose column opens the way to further faults; those of figures lead to none."""
_SAME_AS = {"lon": LON, "lat": LAT}
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")


def numbers(
    table: Table, column: str, rows: NDArray[Any], found: list[Notice], *, minimum: float | None = 0.0
) -> NDArray[np.float64]:
    """The numbers in some rows of a column, float64, shape (len(rows),); NaN where the cell is empty, or bad with a notice.

    ``1,234`` is one thousand two hundred and thirty-four.
    """
    cells = table.columns[column]
    values = np.full(len(rows), np.nan)
    bad = Sample(BAD_NUMBER)
    low = -MOST if minimum is None else minimum
    for i, row in enumerate(rows):
        text = cells[row]
        if not text:
            continue
        try:
            value = float(text.replace(",", "") if _THOUSANDS.fullmatch(text) else text)
        except ValueError:
            value = np.nan
        if not low <= value <= MOST:
            beyond = f"is less than {low:g}" if value < low else f"is more than {MOST:,.0f}"
            what = beyond if np.isfinite(value) else "is no number"
            bad.add(table.file, row=int(table.row[row]), field=column, value=text, message=f"{text!r} {what}")
        else:
            values[i] = value
    found.extend(bad.notices())
    return values


def unique_ids(table: Table, column: str, found: list[Notice], what: str) -> dict[str, int]:
    """Row of each id; blank and repeated ids are errors that name their rows."""
    blank, twice = Sample(BLANK_ID), Sample(DUPLICATE_ID)
    first: dict[str, int] = {}
    for i, code in enumerate(table.columns[column]):
        row = int(table.row[i])
        if not code:
            blank.add(table.file, row=row, field=column, message=f"this {what} has no id")
        elif code in first:
            message = f"the id {code!r} stands in row {table.row[first[code]]} as well; keep one of them"
            twice.add(table.file, row=row, field=column, value=code, message=message)
        else:
            first[code] = i
    found.extend(blank.notices())
    found.extend(twice.notices())
    return first
