"""Matrices of travel times: computed in memory for further work, or written block by block whatever their size."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import StudyError, UsageError, as_path
from community_routes.base.files import folder_beside
from community_routes.base.notices import Notice
from community_routes.base.times import HOUR
from community_routes.base.timings import Stopwatch
from community_routes.evaluation.case import Study, chosen_day, chosen_query
from community_routes.evaluation.places import (
    Reached,
    destination_points,
    origin_points,
    report_cut_off,
    street_lines,
    study_builder,
    study_walks,
    why_not,
)
from community_routes.network.network import Network
from community_routes.network.walks.links import Linked
from community_routes.network.walks.points import Points
from community_routes.routing.query import Query
from community_routes.routing.runner import Runner, Running
from community_routes.routing.travel_times import percentile_times, travel_times_by_departure
from community_routes.sources.places.opportunities import area_entrances
from community_routes.sources.places.table import (
    as_text,
    check_columns,
    in_degrees,
    read_frame_of_places,
    read_table,
)
from community_routes.travel.matrix_blocks import matrix_cells
from community_routes.travel.matrix_file import FAULTS, Layout, Spool, check_ending, write_rows


@dataclass(frozen=True, eq=False)
class Matrix:
    """Travel times between two sets of places.

    Attributes
    ----------
    layout : Layout
        Places, question, and why cells are missing.
    time_s : int32
        (n_percentiles, n_origins, n_destinations), or (n_origins, n_departures, n_destinations) with ``per_departure``;
        UNREACHED where there is none.
    worst : Matrix or None
        The worse bound, where the study asks for two of step-free figures; its rows stand below in tables.
    """

    layout: Layout
    time_s: NDArray[np.int32]
    worst: Matrix | None = None

    @property
    def origins(self) -> NDArray[np.object_]:
        """Ids of the origins."""
        return self.layout.origins

    @property
    def destinations(self) -> NDArray[np.object_]:
        """Ids of the destinations."""
        return self.layout.destinations

    @property
    def query(self) -> Query:
        """The question."""
        return self.layout.query

    @property
    def per_departure(self) -> bool:
        """Whether every departure has its own time."""
        return self.layout.per_departure

    @property
    def reason(self) -> NDArray[np.object_]:
        """Why a cell is missing where it is, shape (n_origins, n_destinations)."""
        worst = np.maximum(self.layout.origin_fault[:, None], self.layout.destination_fault[None, :])
        reasons: NDArray[np.object_] = np.array(FAULTS, object)[worst]
        return reasons

    def to_frame(self, *, reached_only: bool = False) -> pd.DataFrame:
        """The matrix as a table, one row each pair (and departure), in the columns of the file."""
        with tempfile.TemporaryDirectory() as folder:
            tables = list(self._tables(Path(folder), reached_only))
        return pa.concat_tables(tables).to_pandas() if tables else pd.DataFrame()

    def write(self, path: str | Path, *, reached_only: bool = False) -> int:
        """Write the matrix as CSV or Parquet, by the ending; whole or not at all. Returns the number of rows."""
        path = as_path(path)
        check_ending(path)
        with folder_beside(path) as folder:
            n_rows = write_rows(folder / path.name, self._tables(folder, reached_only))
            (folder / path.name).replace(path)
        return n_rows

    def _tables(self, folder: Path, reached_only: bool) -> Iterator[pa.Table]:
        spool = Spool(self.layout, folder)
        n_origins = len(self.origins)
        times = self.time_s
        if self.per_departure:
            times = times.transpose(0, 2, 1).reshape(1, n_origins, self.layout.n_columns)
        spool.add(np.arange(n_origins, dtype=np.int32), np.arange(self.layout.n_columns), times)
        spool.finish()
        yield from spool.tables(reached_only=reached_only)
        spool.close()
        if self.worst is not None:
            yield from self.worst._tables(folder, reached_only)

    def __repr__(self) -> str:
        return f"Matrix({len(self.origins):,} origins x {len(self.destinations):,} destinations, {self.query})"


def read_places(study: Study, path: str | Path) -> Points:
    """Places of a file: CSV with ``id``, ``lon``, ``lat``, or a map with an ``id``; areas are reached at their entrances.

    Raises
    ------
    StudyError
        A column is missing, an id stands twice, or a coordinate is no number.
    """
    path = as_path(path)
    if not path.is_file():
        raise UsageError(f"{path} is not there")
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _places_of_table(path)
    table = read_frame_of_places(path)
    if "id" not in table.columns:
        raise StudyError(f"{path.name}: it has no column 'id' (it has {', '.join(map(str, table.columns))})")
    if table.crs is not None:
        table = table.to_crs("EPSG:4326")
    ids = _unique(path, [as_text(value) for value in table["id"].tolist()], range(1, len(table) + 1))
    shapes = np.asarray(table.geometry.array, object)
    nowhere = np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if len(nowhere):
        raise StudyError(
            f"{path.name} row {nowhere[0] + 1}: the place {ids[nowhere[0]]!r} has no geometry, or an outline that does not close"
            f" ({len(nowhere)} such places); draw it, or take it out"
        )
    lost = np.flatnonzero(~in_degrees(shapes))
    if len(lost):
        x, y = shapely.bounds(shapes[lost[0]])[:2]
        raise StudyError(
            f"{path.name} row {lost[0] + 1}: the coordinates {x:g}, {y:g} of {ids[lost[0]]!r} are no degrees of longitude and "
            f"latitude ({len(lost)} such places); give the map its coordinate system"
        )
    lines = street_lines(study.ground) if study.street_map is not None else None  # type: ignore[arg-type]
    entrances = [shapely.get_coordinates(shape) for shape in shapes]
    areas = shapely.get_type_id(shapes) != 0
    for row, own in zip(np.flatnonzero(areas), area_entrances(shapes[areas], lines), strict=True):
        entrances[row] = own
    return Points.of_entrances(entrances, ids)


def _places_of_table(path: Path) -> Points:
    found: list[Notice] = []
    table = read_table(path, {"file": path.name}, found)
    if table is None or found:
        raise StudyError("\n".join(map(str, found)))
    check_columns(path.name, table.headings, ("id", "lon", "lat"))
    if not table.n:
        raise StudyError(f"{path.name}: it holds no place, only the heading")
    ids = _unique(path, table.columns["id"], table.row.tolist())
    cells = {name: pd.Series(table.columns[name], dtype=object) for name in ("lon", "lat")}
    lon, lat = (pd.to_numeric(column, errors="coerce").to_numpy(np.float64) for column in cells.values())
    wrong = np.flatnonzero(~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)))
    if len(wrong):
        row = int(wrong[0])
        given = ", ".join(repr(column[row]) for column in cells.values())
        raise StudyError(
            f"{path.name} row {table.row[row]}: {given} are no degrees of longitude and latitude ({len(wrong)} such rows)"
        )
    return Points.single(ids, lon, lat)


def _unique(path: Path, ids: Sequence[str], rows: Sequence[int]) -> NDArray[np.object_]:
    """The ids of the places, which stand in these rows of the file."""
    known: set[str] = set()
    for row, name in zip(rows, ids, strict=True):
        if not name.strip():
            raise StudyError(f"{path.name} row {row}: the id is blank; give every place its own")
        if name in known:
            raise StudyError(f"{path.name} row {row}: the id {name!r} stands there twice; give every place its own")
        known.add(name)
    return np.array(ids, object)


def travel_times(
    study: Study,
    *,
    origins: Points | None = None,
    destinations: Points | None = None,
    day: str | None = None,
    window: str | None = None,
    arrive_by: bool = False,
    threads: int = 1,
) -> Matrix:
    """Percentiles of travel time between places in a window of a study.

    Parameters
    ----------
    study : Study
    origins, destinations : Points, optional
        The neighbourhoods and all destinations of the study when left out.
    day : str, optional
        Key of ``service_date``; needed where the study has several.
    window : str, optional
        Name of a window, or a time such as ``14:00-15:00``; needed where the study has several.
    arrive_by : bool
        The window holds deadlines.
    threads : int
        Changes nothing but the time it takes.

    Returns
    -------
    Matrix

    Raises
    ------
    UsageError
        The day or the window cannot be made out.
    """
    query = replace(chosen_query(study, window), arrive_by=arrive_by)
    day = chosen_day(study, day)
    return travel_matrix(study, query, day, origins=origins, destinations=destinations, threads=threads)


def travel_matrix(
    study: Study,
    query: Query,
    day: str,
    *,
    origins: Points | None = None,
    destinations: Points | None = None,
    per_departure: bool = False,
    threads: int = 1,
    stopwatch: Stopwatch | None = None,
) -> Matrix:
    """Travel times between places on one day of a study.

    Parameters
    ----------
    study : Study
    query : Query
    day : str
        Key of ``service_date``.
    origins, destinations : Points, optional
        The neighbourhoods and all destinations of the study when left out. One and the same object for both makes a
        place reach itself in 0 s.
    per_departure : bool
        Every departure instead of percentiles.
    threads : int
    stopwatch : Stopwatch, optional

    Returns
    -------
    Matrix
    """
    watch = stopwatch or Stopwatch()
    found: Matrix | None = None
    for mode, bound in reversed(study.bounds()):
        with watch.stage("network"):
            stops, network = network_of(bound, span_of_query(query), day)
        with watch.stage("routing"):
            layout, reached = _ends(bound, query, stops, network, origins, destinations, per_departure)
            search = travel_times_by_departure if per_departure else percentile_times
            times = search(network, query, reached.walks, threads=threads)
            found = Matrix(replace(layout, mode=mode), times, found)
    assert found is not None
    return found


@dataclass(frozen=True)
class Written:
    """A matrix that was written: its numbers of rows, origins and destinations."""

    n_rows: int
    n_origins: int
    n_destinations: int


def write_matrix(
    study: Study,
    query: Query,
    day: str,
    path: str | Path,
    *,
    origins: Points | None = None,
    destinations: Points | None = None,
    per_departure: bool = False,
    reached_only: bool = False,
    notices: list[Notice] | None = None,
    **running: Unpack[Running],
) -> Written:
    """Write travel times between places on one day of a study, however large the matrix is.

    The same bytes as ``travel_matrix(...).write(path)``. Memory holds the walks, what can be reached up to a bound (beyond
    it, it lies in files beside ``path`` until the end), and one block of destinations with all origins for each thread.

    Parameters
    ----------
    study, query, day, origins, destinations, per_departure
        As in ``travel_matrix``.
    path : str or Path
        Ending in ``.csv`` or ``.parquet``.
    reached_only : bool
        Leave out the pairs (and departures) that are not reached.
    notices : list of Notice, optional
        Gets the places that are cut off from most streets, or from the stops near them.
    **running : threads, engine, stopwatch, progress
        As in ``evaluate``: they change no byte.

    Returns
    -------
    Written
        Number of rows, origins and destinations.

    Raises
    ------
    UsageError
        The name ends in something else.
    """
    path = as_path(path)
    check_ending(path)
    runner = Runner.of(**running)
    spools: list[Spool] = []
    with folder_beside(path) as folder:
        for mode, bound in study.bounds():
            with runner.stage("network"):
                stops, network = network_of(bound, span_of_query(query), day)
            runner.tell("searching")
            with runner.stage("routing"):
                layout, reached = _ends(bound, query, stops, network, origins, destinations, per_departure)
                if notices is not None and not spools:
                    report_cut_off(bound.file, stops, reached, bound.ground, notices, ("origins", "destinations"))
                place = folder / (mode or "every_mode")
                place.mkdir()
                spools.append(Spool(replace(layout, mode=mode), place))
                for cells in matrix_cells(
                    network, layout, reached.walks, runner.blocks, tell=lambda done: runner.tell(f"searching, {done}")
                ):
                    spools[-1].add_cells(cells)
                spools[-1].finish()
        runner.tell(f"writing {path.name}")
        with runner.stage("report"):
            tables = (table for spool in spools for table in spool.tables(reached_only=reached_only))
            n_rows = write_rows(folder / path.name, tables)
            for spool in spools:
                spool.close()
            (folder / path.name).replace(path)
    return Written(n_rows, len(layout.origins), len(layout.destinations))


def _ends(
    study: Study,
    query: Query,
    stops: Linked,
    network: Network,
    origins: Points | None,
    destinations: Points | None,
    per_departure: bool,
) -> tuple[Layout, Reached]:
    """What the rows are about, and the walks of both ends."""
    start = origins if origins is not None else origin_points(study.zones)
    end = destinations if destinations is not None else destination_points(study.opportunities)
    reached = study_walks(study.file, study.ground, stops, start, end)
    start_fault = _faults(why_not(network.timetable, reached.origins, reached.walks.access, leaving=True))
    end_fault = _faults(why_not(network.timetable, reached.destinations, reached.walks.egress, leaving=False))
    return Layout(start.id, end.id, query, start_fault, end_fault, per_departure), reached


def _faults(reason: NDArray[np.object_]) -> NDArray[np.int8]:
    """Index into ``FAULTS``: ``off_network``, ``no_service``, or what is left, ``over_time``."""
    return np.select([reason == name for name in FAULTS], list(range(len(FAULTS))), 0).astype(np.int8)


def network_of(study: Study, span_s: tuple[int, int], day: str) -> tuple[Linked, Network]:
    """Linked stops and network of one day, for the departures of a span of seconds."""
    builder = study_builder(study.file, study.feed, study.ground, study.store)
    stopping = builder.stopping()
    return stopping.stops, builder.network(study.file.dates[day], span_s, stopping.footpaths)


def span_of_query(query: Query) -> tuple[int, int]:
    """Seconds of the service date that a question can need: at least 00:00 to 30:00."""
    before = query.max_travel_s if query.arrive_by else 0
    start, end = query.window_s[0] - before, query.window_s[1] + query.max_travel_s
    return min(0, start), max(30 * HOUR, end)
