"""The results as files for other programs: CSV tables, the GeoPackage, and ``run.json``."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from community_routes.errors import UsageError
from community_routes.report.results import (
    ACCESS_COLUMNS,
    COMPARISON_COLUMNS,
    GROUPS_COLUMNS,
    NOTICES_COLUMNS,
    TODAY,
    Results,
)

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SEVERITIES = ("error", "warning", "info")
_KEYS = {
    "access": ("scenario", "day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"),
    "groups": ("scenario", "day", "window", "grouping", "group", "kind", "measure", "reading", "cutoff_min"),
}
_MOST_COLUMNS = 1500  # SQLite allows 2,000
_GDAL = threading.Lock()


def safe_text(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would take it for a formula."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def exact_number(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point; empty when missing."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == int(value) and abs(value) < 2**53:
        return str(int(value))
    return repr(float(value))


def cell_text(value: object) -> str:
    """One cell of a table: exact for numbers, safe for text, empty for what is missing."""
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return exact_number(float(value))
    return safe_text(str(value))


def _column_cells(column: pd.Series) -> list[str]:
    """All cells of a column, quoted where they must be; each distinct value is put into words once."""
    codes, distinct = pd.factorize(column.astype(object), use_na_sentinel=False)
    texts = np.array([_quoted(cell_text(value)) for value in distinct], dtype=object)
    return list(texts[codes]) if len(codes) else []


def csv_text(table: pd.DataFrame) -> str:
    """The table as RFC 4180: commas, CRLF, quotes where a cell holds a comma, a quote or a line end."""
    columns = [[_quoted(str(name)), *_column_cells(table[name])] for name in table.columns]
    return "\r\n".join(map(",".join, zip(*columns, strict=True))) + "\r\n"


def _quoted(cell: str) -> str:
    if any(mark in cell for mark in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _sorted(table: pd.DataFrame, keys: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """The named columns, sorted by the keys (numbers as numbers, the rest as text), other columns after them."""
    rest = [column for column in table.columns if column not in columns]
    chosen = with_numeric_cutoff(table[[*columns, *rest]])
    order = pd.DataFrame(
        {
            key: pd.to_numeric(chosen[key], errors="coerce").astype(float)
            if key in ("cutoff_min", "row")
            else chosen[key].fillna("").astype(str)
            for key in keys
        }
    )
    ordered = order.sort_values(list(keys), kind="stable", na_position="first").index
    return chosen.loc[ordered].reset_index(drop=True)


def with_numeric_cutoff(table: pd.DataFrame) -> pd.DataFrame:
    """The table with ``cutoff_min`` as numbers, NaN where a measure has none, however that was written before."""
    if "cutoff_min" not in table.columns:
        return table
    return table.assign(cutoff_min=pd.to_numeric(table["cutoff_min"], errors="coerce").astype("float64"))


_SORTED: WeakKeyDictionary[Results, dict[str, pd.DataFrame]] = WeakKeyDictionary()


def sorted_tables(results: Results) -> dict[str, pd.DataFrame]:
    """The tables exactly as they are written, by name without ``.csv``: row ``i`` is line ``i + 2`` of its file.

    Worked out once for the same results; not to be changed.
    """
    if results not in _SORTED:
        _SORTED[results] = _sort_tables(results)
    return _SORTED[results]


def _sort_tables(results: Results) -> dict[str, pd.DataFrame]:
    notices = results.notices.reset_index(drop=True).assign(
        _order=lambda t: t["severity"].map({name: i for i, name in enumerate(_SEVERITIES)}).fillna(len(_SEVERITIES))
    )
    notices["_order"] = notices["_order"].astype(int).astype(str)
    keys = ("_order", "file", "row", "field", "code", "value", "message")
    tables = {
        "access": _sorted(results.access.reset_index(drop=True), _KEYS["access"], ACCESS_COLUMNS),
        "comparison": _sorted(results.comparison.reset_index(drop=True), _KEYS["access"], COMPARISON_COLUMNS),
        "groups": _sorted(results.groups.reset_index(drop=True), _KEYS["groups"], GROUPS_COLUMNS),
        "notices": _sorted(notices, keys, NOTICES_COLUMNS).drop(columns="_order"),
    }
    if len(results.nearest_places):
        nearest = results.nearest_places
        tables["nearest_places"] = nearest.sort_values(
            ["scenario", "day", "window", "neighbourhood", "rank"], kind="stable"
        ).reset_index(drop=True)
    for name, table in sorted(results.extra.items()):
        if name in tables:
            raise UsageError(f"the extra table {name!r} has the name of another table")
        tables[name] = table.reset_index(drop=True)
    return tables


def publish(path: Path, content: bytes) -> None:
    """Write the file beside its place and rename it, so that it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_tables(results: Results, folder: str | Path) -> list[Path]:
    """Write the CSV tables, ``results.gpkg`` and ``run.json`` into a folder; the same results give the same bytes.

    Parameters
    ----------
    results : Results
    folder : path
        Made when it is not there.

    Returns
    -------
    list of Path
        The files written.
    """
    place = Path(folder)
    written: list[Path] = []
    tables = sorted_tables(results)
    for name, table in tables.items():
        written.append(place / f"{name}.csv")
        publish(written[-1], csv_text(table).encode("utf-8"))
    written.append(write_geopackage(results, place / "results.gpkg"))
    written.append(place / "run.json")
    publish(written[-1], run_json(results).encode("utf-8"))
    return written


def run_json(results: Results) -> str:
    """Version, settings, names and hashes of the inputs, and counts, with sorted keys."""
    content = {
        "program": "community_routes",
        "version": results.version,
        "study": results.study_id,
        "title": results.title,
        "invented": results.invented,
        "service_dates": {day: date.isoformat() for day, date in results.dates.items()},
        "settings": {str(key): _plain(value) for key, value in results.settings.items()},
        "scenarios": [{"id": s.id, "title": s.title, "effects": list(s.effects)} for s in results.scenarios],
        "inputs": [
            {"name": str(row.name_), "kind": str(row.kind), "sha256": str(row.sha256)}
            for row in results.sources.rename(columns={"name": "name_"}).itertuples()
        ],
        "counts": {
            "neighbourhoods": len(results.zones),
            "neighbourhoods_off_network": int((results.zones["reason"] == "off_network").sum()),
            "destinations": len(results.destinations),
            "stops": len(results.stops),
            "routes": len(results.routes),
            "rows": {name: len(table) for name, table in sorted_tables(results).items()},
            "notices": {name: int((results.notices["severity"] == name).sum()) for name in _SEVERITIES},
        },
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _plain(value: Any) -> Any:
    """A value that JSON can hold; what it cannot becomes its text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return str(value)


def zone_layer(results: Results) -> gpd.GeoDataFrame:
    """The neighbourhoods with their headline figures as columns, for a map in another program.

    A column is named ``scenario__day__window__kind__measure__cutoff``, with ``change__`` in front for a change.
    """
    zones = results.zones.set_index("id", drop=False)
    columns: dict[str, pd.Series] = {}
    keys = ["scenario", "day", "window", "kind", "measure", "cutoff_min"]
    for table, column, prefix in ((results.access, "value", ""), (results.comparison, "change", "change__")):
        for key, part in _headline(with_numeric_cutoff(table)).groupby(keys, dropna=False, sort=True):
            name = prefix + "__".join(str(item) for item in key[:-1])
            name += "" if pd.isna(key[-1]) else f"__{exact_number(float(key[-1]))}"
            columns[name] = part.set_index("neighbourhood")[column].reindex(zones.index)
    figures = pd.DataFrame(dict(list(columns.items())[:_MOST_COLUMNS]), index=zones.index)
    layer = pd.concat([zones.drop(columns="geometry"), figures], axis=1).reset_index(drop=True)
    return gpd.GeoDataFrame(layer, geometry=list(zones.geometry), crs="EPSG:4326")


def _headline(table: pd.DataFrame) -> pd.DataFrame:
    """Places reached on average, and the median time to the nearest, of whole kinds of destination."""
    reached = (table["measure"] == "cumulative_opportunities") & (table["reading"] == "mean")
    nearest = (table["measure"] == "nearest") & (table["reading"] == "p50")
    return table[(reached | nearest) & ~table["kind"].str.contains("/", regex=False)]


def write_geopackage(results: Results, path: str | Path) -> Path:
    """Write neighbourhoods, destinations, stops and routes as layers; dates inside are the service date."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    layers: dict[str, gpd.GeoDataFrame] = {"neighbourhoods": zone_layer(results)}
    for key, part in results.destinations.groupby("key", sort=True):
        layers[f"destinations_{key}"] = part
    layers |= {"stops": results.stops, "routes": results.routes}
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as beside:
        made = Path(beside) / path.name
        with _GDAL:
            _write_layers({name: layer for name, layer in layers.items() if len(layer)}, made, results)
        made.replace(path)
    return path


def _write_layers(layers: dict[str, gpd.GeoDataFrame], path: Path, results: Results) -> None:
    """Write with GDAL's clock set to the service date, then take the free pages out of the file."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{results.stamp.isoformat()}T00:00:00.000Z"})
    try:
        for name, layer in layers.items():
            pyogrio.write_dataframe(_storable(layer), path, layer=name, driver="GPKG", append=path.exists())
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA journal_mode = DELETE")
    database.close()


def _storable(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns of plain text and numbers, whatever pandas type they had."""
    frame = layer.reset_index(drop=True).copy()
    for name in frame.columns.drop("geometry"):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
            frame[name] = frame[name].map(lambda value: None if value is None else str(value))
    return frame.set_crs("EPSG:4326", allow_override=True)


def scenario_ids(results: Results) -> list[str]:
    """``today``, then the proposals in their order."""
    return [TODAY, *(scenario.id for scenario in results.scenarios)]
