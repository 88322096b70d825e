"""The results as layers of one GeoPackage, with the report's figures and colours."""

from __future__ import annotations

import datetime as dt
import errno
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from community_routes.base.errors import as_path
from community_routes.report.cells import exact_number, sorted_tables, with_numeric_cutoff
from community_routes.report.figures import figures_of
from community_routes.report.files.qgis import add_styles
from community_routes.report.lead import View, headline_views
from community_routes.report.results import TODAY, Results

_MOST_COLUMNS = 1500
"""Figures of one layer; SQLite allows 2,000 columns of a table."""
_OURS = ("fid", "geom")
_GDAL = threading.Lock()


def unique_names(names: Iterable[str], taken: Iterable[str] = _OURS) -> list[str]:
    """Names of layers, or of the columns of one, each with a number behind it where it differs from others in capitals only.

    SQLite tells names apart without regard to capitals.
    """
    known, found = {name.casefold() for name in taken}, []
    for name in names:
        unique, number = name, 2
        while unique.casefold() in known:
            unique, number = f"{name}_{number}", number + 1
        known.add(unique.casefold())
        found.append(unique)
    return found


def layers_of_columns(name: str, group_of: Mapping[str, str]) -> dict[str, list[str]]:
    """Which layers hold which columns, so that none is left out: one layer for all as long as there are at most 1,500.

    Parameters
    ----------
    name : str
        Of the layer; where there are more it has none of them, and those of each group have their own.
    group_of : mapping of str to str
        Of each column the group, which is the end of its layer's name. A group of more than 1,500 goes on in numbered ones.
    """
    if len(group_of) <= _MOST_COLUMNS:
        return {name: list(group_of)}
    found: dict[str, list[str]] = {name: []}
    for group in dict.fromkeys(group_of.values()):
        columns = [column for column, own in group_of.items() if own == group]
        for first in range(0, len(columns), _MOST_COLUMNS):
            layer = unique_names([f"{name}_{group}"], found)[0]
            found[layer] = columns[first : first + _MOST_COLUMNS]
    return found


def zone_layers(results: Results) -> dict[str, gpd.GeoDataFrame]:
    """The neighbourhoods with their leading figures, for a map in another program.

    ``neighbourhoods`` has today's, ``neighbourhoods_<scenario>`` those of a proposal and the changes. A column is named
    ``scenario__day__window__kind__measure__cutoff``, with ``change__`` in front for a change; those of a layer that do not fit
    are in numbered ones.
    """
    zones = results.zones.set_index("id", drop=False)
    columns: dict[str, pd.Series] = {}
    layer_of: dict[str, str] = {}
    keys = ["scenario", "day", "window", "kind", "measure", "cutoff_min"]
    lead = figures_of(results).headline_view
    for table, column, prefix in zip(_headlines(results), ("value", "change"), ("", "change__"), strict=True):
        for key, part in _leading(table, lead).groupby(keys, dropna=False, sort=True):
            name = prefix + "__".join(str(item) for item in key[:-1])
            name += "" if pd.isna(key[-1]) else f"__{exact_number(float(key[-1]))}"
            if name in columns:  # names of other parts that hold the joining mark themselves
                name = unique_names([name], columns)[0]
            columns[name] = part.set_index("neighbourhood")[column].reindex(zones.index)
            layer_of[name] = "" if key[0] == TODAY else str(key[0])
    made: dict[str, gpd.GeoDataFrame] = {}
    for group in dict.fromkeys(["", *layer_of.values()]):
        own = [name for name, layer in layer_of.items() if layer == group]
        title = f"neighbourhoods_{group}" if group else "neighbourhoods"
        for first in range(0, max(len(own), 1), _MOST_COLUMNS):
            figures = pd.DataFrame({n: columns[n] for n in own[first : first + _MOST_COLUMNS]}, index=zones.index)
            table = pd.concat([zones.drop(columns="geometry"), figures], axis=1).reset_index(drop=True)
            layer = unique_names([title], made)[0]
            made[layer] = gpd.GeoDataFrame(table, geometry=list(zones.geometry), crs="EPSG:4326")
    return made


def long_figures(results: Results) -> pd.DataFrame:
    """Every headline figure of whole kinds of place, one a row, with its change: to be joined by ``neighbourhood``."""
    keys = ["scenario", "day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"]
    levels, changes = _headlines(results)
    both = levels[[*keys, "value", "unit"]].merge(changes[[*keys, "change"]], on=keys, how="left")
    return both.sort_values(keys, kind="stable", ignore_index=True)


_HEADLINES: WeakKeyDictionary[Results, tuple[pd.DataFrame, pd.DataFrame]] = WeakKeyDictionary()


def _headlines(results: Results) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The headline figures of the tables of levels and of changes; found once for the same results."""
    if results not in _HEADLINES:
        _HEADLINES[results] = _headline(results.access), _headline(results.comparison)
    return _HEADLINES[results]


def _headline(table: pd.DataFrame) -> pd.DataFrame:
    """Places reached on average, and the median time to the nearest, of whole kinds of destination; of a study that measures
    neither, every measure's own headline."""
    reached = (table["measure"] == "cumulative_opportunities") & (table["reading"] == "mean")
    nearest = (table["measure"] == "nearest") & (table["reading"] == "p50")
    kinds = table["kind"].unique()
    whole = table["kind"].isin([kind for kind in kinds if "/" not in str(kind)])
    if (whole & (reached | nearest)).any():
        return with_numeric_cutoff(table[whole & (reached | nearest)])
    whole = with_numeric_cutoff(table[whole])
    headline = {(view.measure, view.reading) for view in headline_views(whole)}
    own = [pair in headline for pair in zip(whole["measure"], whole["reading"], strict=True)]
    return whole[np.array(own, bool)]


def _leading(table: pd.DataFrame, view: View) -> pd.DataFrame:
    """Rows of the leading measure within its cutoff."""
    cutoff = table["cutoff_min"].isna() if view.cutoff_min is None else table["cutoff_min"] == view.cutoff_min
    return table[cutoff & (table["measure"] == view.measure) & (table["reading"] == view.reading)]


def write_geopackage(results: Results, path: str | Path) -> Path:
    """Write the results as layers and tables; dates inside are the service date.

    Layers: neighbourhoods today and under each proposal, destinations, stops and routes. Tables: ``summary`` and ``figures``.
    """
    path = as_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    of_zones = zone_layers(results)
    layers: dict[str, pd.DataFrame] = dict(of_zones)
    for key, part in results.destinations.groupby("key", sort=True):
        layers[f"destinations_{key}"] = part
    layers |= {"stops": results.stops, "routes": results.routes}
    layers |= {"summary": sorted_tables(results)["summary"], "figures": long_figures(results)}
    layers = {name: layer for name, layer in layers.items() if len(layer)}
    names = dict(zip(layers, unique_names(layers, ("layer_styles",)), strict=True))
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as beside:
        made = Path(beside) / path.name
        write_layers({names[name]: _storable(layer) for name, layer in layers.items()}, made, results.stamp)
        stored = {
            column: (names[layer], name)
            for layer, table in of_zones.items()
            if layer in names
            for column, name in zip(table.columns, unique_names(table.columns), strict=True)
            if "__" in column
        }
        add_styles(made, results, stored, set(names.values()))
        made.replace(path)
    return path


def write_layers(layers: Mapping[str, pd.DataFrame], path: Path, stamp: dt.date, **geometry_type: str) -> None:
    """Write layers into a GeoPackage with GDAL's clock set to a date.

    Parameters
    ----------
    layers : mapping of str to DataFrame
        By name, with shapes or without; two columns of one may differ in capitals only.
    path : Path
    stamp : date
    **geometry_type : str
        Of a layer by its name; otherwise that of its shapes.

    Raises
    ------
    OSError
        It cannot be written.
    """
    with _GDAL:
        before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
        # The file takes its place when it is whole: until then nobody needs each layer of it to be safe on the disk.
        moment = {"OGR_CURRENT_DATE": f"{stamp.isoformat()}T00:00:00.000Z", "OGR_SQLITE_SYNCHRONOUS": "OFF"}
        pyogrio.set_gdal_config_options(moment)
        try:
            for name, layer in layers.items():
                named = layer.set_axis(unique_names(layer.columns), axis=1)
                kind = geometry_type.get(name)
                pyogrio.write_dataframe(
                    named, path, layer=name, driver="GPKG", append=path.exists(), geometry_type=kind
                )
        except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as fault:
            raise OSError(errno.EIO, f"{path.name} cannot be written ({fault})") from fault
        finally:
            pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before, "OGR_SQLITE_SYNCHRONOUS": None})


def _storable(layer: pd.DataFrame) -> pd.DataFrame:
    """Columns of plain text and numbers, whatever pandas type they had."""
    frame = layer.reset_index(drop=True).copy()
    for name in frame.columns:
        column = frame[name]
        if isinstance(column.dtype, pd.StringDtype):
            frame[name] = pd.Series(column.to_numpy(object, na_value=None), dtype=object)
        elif name != "geometry" and not pd.api.types.is_numeric_dtype(column):
            texts = [
                None if is_missing else str(value) for value, is_missing in zip(column, column.isna(), strict=True)
            ]
            frame[name] = pd.Series(texts, dtype=object)
    return frame.set_crs("EPSG:4326", allow_override=True) if isinstance(frame, gpd.GeoDataFrame) else frame
