"""The results as layers of one GeoPackage, with the report's figures and colours."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from community_routes.report.cells import exact_number, with_numeric_cutoff
from community_routes.report.qgis import add_styles
from community_routes.report.results import Results

_MOST_COLUMNS = 1500  # SQLite allows 2,000
_GDAL = threading.Lock()


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
    """Write with GDAL's clock set to the service date, then add the styles."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{results.stamp.isoformat()}T00:00:00.000Z"})
    try:
        for name, layer in layers.items():
            pyogrio.write_dataframe(_storable(layer), path, layer=name, driver="GPKG", append=path.exists())
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
    add_styles(path, results, layers["neighbourhoods"].columns, set(layers))


def _storable(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns of plain text and numbers, whatever pandas type they had."""
    frame = layer.reset_index(drop=True).copy()
    for name in frame.columns.drop("geometry"):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
            frame[name] = frame[name].map(lambda value: None if value is None else str(value))
    return frame.set_crs("EPSG:4326", allow_override=True)
