"""Matrices of travel times, written row by row as CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import shapely
from numpy.typing import NDArray

from community_routes.errors import StudyError, UsageError
from community_routes.evaluation import Reached, chosen_day, chosen_query, study_networks, study_walks, why_not
from community_routes.network.network import Network
from community_routes.network.points import Points
from community_routes.network.walks import Linked
from community_routes.routing.query import Query
from community_routes.routing.travel_times import percentile_times, travel_times_by_departure
from community_routes.sources.opportunities import Opportunities, entrances_from_streets
from community_routes.study import Study, destination_points, origin_points, street_lines
from community_routes.times import UNREACHED, format_time
from community_routes.timings import Stopwatch

_ROWS_AT_ONCE = 2_000_000
_ENDINGS = (".csv", ".parquet")


@dataclass(frozen=True, eq=False)
class Matrix:
    """Travel times between two sets of places.

    Attributes
    ----------
    origins, destinations : object (str) arrays
        Ids.
    query : Query
    time_s : int32
        (n_percentiles, n_origins, n_destinations), or (n_origins, n_departures, n_destinations) with ``per_departure``;
        UNREACHED where there is none.
    reason : object (str), shape (n_origins, n_destinations)
        Why a cell is missing where it is.
    per_departure : bool
    """

    origins: NDArray[np.object_]
    destinations: NDArray[np.object_]
    query: Query
    time_s: NDArray[np.int32]
    reason: NDArray[np.object_]
    per_departure: bool = False

    def to_frame(self, *, reached_only: bool = False) -> pd.DataFrame:
        """The matrix as a table, one row each pair (and departure), in the columns of the file."""
        tables = list(self._tables(reached_only))
        return pa.concat_tables(tables).to_pandas() if tables else pd.DataFrame()

    def _tables(self, reached_only: bool) -> Iterator[pa.Table]:
        per_row = self.time_s.shape[1] * len(self.destinations) if self.per_departure else len(self.destinations)
        step = max(1, _ROWS_AT_ONCE // max(per_row, 1))
        for start in range(0, len(self.origins), step):
            rows = np.arange(start, min(start + step, len(self.origins)))
            yield (
                self._departure_table(rows, reached_only)
                if self.per_departure
                else self._percentile_table(rows, reached_only)
            )

    def _percentile_table(self, rows: NDArray[np.int64], reached_only: bool) -> pa.Table:
        times = self.time_s[:, rows].reshape(len(self.query.percentiles), -1)
        keep = (times != UNREACHED).any(axis=0) if reached_only else np.ones(times.shape[1], np.bool_)
        origin = np.repeat(rows, len(self.destinations))[keep]
        destination = np.tile(np.arange(len(self.destinations)), len(rows))[keep]
        times = times[:, keep]
        gone = times == UNREACHED
        reason = np.where(gone.any(axis=0), self.reason[origin, destination], "")
        columns: dict[str, Any] = {"origin": self._ids(self.origins, origin)}
        columns["destination"] = self._ids(self.destinations, destination)
        for number, percentile in enumerate(self.query.percentiles):
            columns[f"p{percentile}"] = pa.array(times[number], pa.int32(), mask=gone[number])
        columns["reason"] = pa.array(reason, pa.string())
        return pa.table(columns)

    def _departure_table(self, rows: NDArray[np.int64], reached_only: bool) -> pa.Table:
        n_departures, n_destinations = self.time_s.shape[1], len(self.destinations)
        times = self.time_s[rows].transpose(0, 2, 1).reshape(-1)
        keep = times != UNREACHED if reached_only else np.ones(len(times), np.bool_)
        cell = np.flatnonzero(keep)
        origin = rows[cell // (n_departures * n_destinations)]
        destination = cell // n_departures % n_destinations
        moments = pa.array([format_time(int(moment)) for moment in self.query.departures_s])
        times = times[keep]
        gone = times == UNREACHED
        return pa.table(
            {
                "origin": self._ids(self.origins, origin),
                "destination": self._ids(self.destinations, destination),
                "deadline" if self.query.arrive_by else "departure": moments.take(pa.array(cell % n_departures)),
                "time_s": pa.array(times, pa.int32(), mask=gone),
                "reason": pa.array(np.where(gone, self.reason[origin, destination], ""), pa.string()),
            }
        )

    @staticmethod
    def _ids(ids: NDArray[np.object_], rows: NDArray[np.int64]) -> pa.Array:
        return pa.array(ids.tolist(), pa.string()).take(pa.array(rows))

    def write(self, path: str | Path, *, reached_only: bool = False) -> int:
        """Write the matrix as CSV or Parquet, by the ending; whole or not at all. Returns the number of rows."""
        path = Path(path)
        check_ending(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        n_rows = 0
        writer: _Writer | None = None
        try:
            for table in self._tables(reached_only):
                writer = writer or _writer(beside, path.suffix, table.schema)
                writer.write_table(table)
                n_rows += table.num_rows
            if writer is None:
                raise UsageError("there is nothing to write: no origin or no destination")
            writer.close()
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return n_rows

    def __repr__(self) -> str:
        return f"Matrix({len(self.origins):,} origins x {len(self.destinations):,} destinations, {self.query})"


class _Writer(Protocol):
    def write_table(self, table: pa.Table) -> None: ...
    def close(self) -> None: ...


def check_ending(path: Path) -> None:
    """Only CSV and Parquet can be written.

    Raises
    ------
    UsageError
    """
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(f"{path.name}: the ending says how it is written; use .csv or .parquet")


def _writer(path: Path, ending: str, schema: pa.Schema) -> Any:
    if ending.lower() == ".parquet":
        return pa_parquet.ParquetWriter(path, schema, compression="zstd")
    return pa_csv.CSVWriter(path, schema, write_options=pa_csv.WriteOptions(quoting_style="needed"))


def read_places(study: Study, path: str | Path) -> Points:
    """Places of a file: CSV with ``id``, ``lon``, ``lat``, or a map with an ``id``; areas are reached at their entrances.

    Raises
    ------
    StudyError
        A column is missing, an id stands twice, or a coordinate is no number.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"{path} is not there")
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _places_of_table(path)
    table = gpd.read_file(path)
    if "id" not in table.columns:
        raise StudyError(f"{path.name}: it has no column 'id' (it has {', '.join(map(str, table.columns))})")
    if table.crs is not None:
        table = table.to_crs("EPSG:4326")
    ids = _unique(path, table["id"].astype(str))
    shapes = np.asarray(table.geometry.array, object)
    is_point = shapely.get_type_id(shapes) == 0
    frame = gpd.GeoDataFrame(
        {"key": "", "id": ids, "name": "", "kind": "", "amount": 1.0}, geometry=shapes, crs="EPSG:4326"
    )
    own = np.flatnonzero(is_point)
    entrances = pd.DataFrame(
        {"place": own.astype(np.int32), "lon": shapely.get_x(shapes[own]), "lat": shapely.get_y(shapes[own])}
    )
    lines = street_lines(study.ground) if study.street_map is not None else None  # type: ignore[arg-type]
    return destination_points(entrances_from_streets(Opportunities(frame, entrances), lines))


def _places_of_table(path: Path) -> Points:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", sep=None, engine="python")
    except (ValueError, UnicodeDecodeError) as fault:
        raise StudyError(f"{path.name}: it cannot be read as a table ({fault})") from None
    missing = [name for name in ("id", "lon", "lat") if name not in table.columns]
    if missing:
        raise StudyError(f"{path.name}: it has no column {missing[0]!r} (it has {', '.join(map(str, table.columns))})")
    ids = _unique(path, table["id"])
    lon, lat = (pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64) for name in ("lon", "lat"))
    wrong = np.flatnonzero(~((np.abs(lon) <= 180) & (np.abs(lat) <= 90)))
    if len(wrong):
        row = int(wrong[0])
        raise StudyError(
            f"{path.name} row {row + 2}: {table['lon'][row]!r}, {table['lat'][row]!r} are no degrees of longitude and latitude"
            f" ({len(wrong)} such rows)"
        )
    return Points.single(ids, lon, lat)


def _unique(path: Path, ids: Any) -> NDArray[np.object_]:
    twice = ids[ids.duplicated()]
    if len(twice):
        raise StudyError(f"{path.name} row {int(twice.index[0]) + 2}: the id {twice.iloc[0]!r} stands there twice")
    result: NDArray[np.object_] = ids.to_numpy(object)
    return result


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
    """
    watch = stopwatch or Stopwatch()
    with watch.stage("network"):
        stops, networks = network_of(study, query, day)
    with watch.stage("routing"):
        return _search(study, query, stops, networks[day], origins, destinations, per_departure, threads)


def _search(
    study: Study,
    query: Query,
    stops: Linked,
    network: Network,
    origins: Points | None,
    destinations: Points | None,
    per_departure: bool,
    threads: int,
) -> Matrix:
    start = origins if origins is not None else origin_points(study.zones)
    end = destinations if destinations is not None else destination_points(study.opportunities)
    reached = study_walks(study.file, study.ground, stops, start, end)
    if per_departure:
        times = travel_times_by_departure(network, query, reached.walks, threads=threads)
    else:
        times = percentile_times(network, query, reached.walks, threads=threads)
    return Matrix(start.id, end.id, query, times, reasons(network, reached), per_departure)


def network_of(study: Study, query: Query, day: str) -> tuple[Linked, dict[str, Network]]:
    """Linked stops and network of one day, wide enough for a question."""
    before = query.max_travel_s if query.arrive_by else 0
    start, end = query.window_s[0] - before, query.window_s[1] + query.max_travel_s
    span_s = (min(0, start), max(30 * 3600, end))
    return study_networks(study.file, study.feed, study.ground, span_s=span_s, days=[day], store=study.store)


def reasons(network: Network, reached: Reached) -> NDArray[np.object_]:
    """Why a cell is missing if it is: ``off_network``, ``no_service`` or ``over_time``, the first that holds."""
    start = why_not(network, reached.origins, reached.walks.access, leaving=True)
    end = why_not(network, reached.destinations, reached.walks.egress, leaving=False)
    words = np.array(["over_time", "no_service", "off_network"], object)
    severity = [np.select([ends == words[2], ends == words[1]], [2, 1], 0) for ends in (start, end)]
    worst: NDArray[np.object_] = words[np.maximum(severity[0][:, None], severity[1][None, :])]
    return worst
