"""The files of a batch of sites: tables, JSON and GeoPackage, the same bytes for the same sites and settings."""

from __future__ import annotations

import datetime as dt
import errno
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from numpy.typing import NDArray

from community_routes.report.cells import csv_text
from community_routes.sites.figures import CLOCK_TIMES, WHICH_STOP, Figure
from community_routes.sites.judge import Verdict
from community_routes.sites.read import Fault, Site
from community_routes.times import format_time

FAILED_COLUMNS = ("line", "id", "field", "value", "reason")
JUDGED, FAILED, NO_SERVICE = "judged", "failed", "no_service"


@dataclass(frozen=True, eq=False)
class JudgedSites:
    """Everything that is written of a batch.

    Attributes
    ----------
    sites : list of Site
        Every row of the file, in its order; a fault of the network is in it by now.
    figures : tuple of Figure
    values : float64, shape (n_sites, n_figures)
        NaN for sites that failed, infinite where there is no stop, departure or journey.
    verdicts : tuple of Verdict
        Of all sites; they count only for those that were judged.
    borough : float64, shape (n_figures,)
        Of the middle resident of the borough.
    has_service : bool, shape (n_sites,)
        Whether something leaves from a stop that can be walked to.
    stop_names : sequence of str
        By row of the feed's stops.
    run : dict
        What ``run.json`` holds.
    stamp : date
        The date inside of files that hold one.
    """

    sites: list[Site]
    figures: tuple[Figure, ...]
    values: NDArray[np.float64]
    verdicts: tuple[Verdict, ...]
    borough: NDArray[np.float64]
    has_service: NDArray[np.bool_]
    stop_names: Sequence[str]
    run: Mapping[str, Any]
    stamp: dt.date

    @property
    def faults(self) -> list[Fault]:
        """The rows of ``failed.csv``."""
        return [site.fault for site in self.sites if site.fault is not None]


def write_sites(judged: JudgedSites, folder: Path) -> None:
    """Write ``sites.csv``, ``failed.csv``, ``borough.csv``, ``sites.json``, ``sites.gpkg`` and ``run.json`` into a folder."""
    table = sites_table(judged)
    failed = pd.DataFrame(
        [[getattr(fault, column) for column in FAILED_COLUMNS] for fault in judged.faults],
        columns=list(FAILED_COLUMNS),
        dtype=object,
    )
    medians = _figures(judged, judged.borough, of_borough=True)
    borough = pd.DataFrame({"figure": list(medians), "median": pd.Series(list(medians.values()), dtype=object)})
    for name, part in (("sites", table), ("failed", failed), ("borough", borough)):
        (folder / f"{name}.csv").write_bytes(csv_text(part).encode("utf-8"))
    (folder / "sites.json").write_bytes(sites_json(judged).encode("utf-8"))
    _write_map(judged, table, folder / "sites.gpkg")
    text = json.dumps(judged.run, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / "run.json").write_bytes(text.encode("utf-8"))


def sites_table(judged: JudgedSites) -> pd.DataFrame:
    """One row for each row of the file of sites: what it is, its figures, and the standards it meets."""
    sites = judged.sites
    failed = np.array([site.fault is not None for site in sites], bool)
    points = [site.point for site in sites]
    reasons = [
        site.fault.reason if site.fault is not None else "" if served else NO_SERVICE
        for site, served in zip(sites, judged.has_service, strict=True)
    ]
    columns: dict[str, Any] = {
        "id": [site.id for site in sites],
        "name": [site.name for site in sites],
        "lon": np.array([lon for lon, _ in points], np.float64),
        "lat": np.array([lat for _, lat in points], np.float64),
        "homes": np.array([site.homes for site in sites], np.float64),
        "status": np.where(failed, FAILED, JUDGED).astype(object),
        "reason": reasons,
    }
    for place, figure in enumerate(judged.figures):
        values = judged.values[:, place]
        if figure.measure in (*CLOCK_TIMES, WHICH_STOP):
            columns[figure.name] = pd.Series([_shown(judged, figure, value) for value in values], dtype=object)
        else:
            columns[figure.name] = np.where(np.isfinite(values), values, np.nan)
    for verdict in judged.verdicts:
        held = pd.Series([bool(value) for value in verdict.passed], dtype=object)
        columns[f"{verdict.standard.name}__pass"] = held.where(~failed, None)
        columns[f"{verdict.standard.name}__margin"] = np.where(failed, np.nan, verdict.margin)
    columns["year"] = [site.year for site in sites]
    return pd.DataFrame(columns)


def sites_json(judged: JudgedSites) -> str:
    """The same as JSON: the standards, the borough's medians, and one line for each site."""
    head = {
        "study": judged.run["study"],
        "service_dates": judged.run["service_dates"],
        "standards": [
            {
                "name": v.standard.name,
                "limit": v.standard.limit,
                "unit": v.standard.unit,
                "required": v.standard.required,
                "figures": [figure.name for figure in v.standard.figures],
            }
            for v in judged.verdicts
        ],
        "standards_source": judged.run["standards_source"],
        "borough_median": _figures(judged, judged.borough, of_borough=True),
        "failed": [{column: getattr(fault, column) for column in FAILED_COLUMNS} for fault in judged.faults],
    }
    lines = [f" {json.dumps(key)}: {_json(value)}" for key, value in sorted(head.items())]
    sites = [_json(_site(judged, row)) for row in range(len(judged.sites))]
    lines.append(' "sites": [\n  ' + ",\n  ".join(sites) + "\n ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _site(judged: JudgedSites, row: int) -> dict[str, Any]:
    site = judged.sites[row]
    lon, lat = site.point
    content: dict[str, Any] = {
        "id": site.id,
        "name": site.name,
        "line": site.line,
        "lon": _finite(lon),
        "lat": _finite(lat),
        "homes": _finite(site.homes),
        "year": site.year,
        "status": JUDGED if site.fault is None else FAILED,
    }
    if site.fault is not None:
        return content | {"reason": site.fault.reason}
    content["reason"] = "" if judged.has_service[row] else NO_SERVICE
    content["figures"] = _figures(judged, judged.values[row])
    content["standards"] = {
        v.standard.name: {"pass": bool(v.passed[row]), "margin": _finite(float(v.margin[row]))} for v in judged.verdicts
    }
    return content


def _figures(judged: JudgedSites, values: NDArray[np.float64], *, of_borough: bool = False) -> dict[str, Any]:
    """Figures by name; a borough has no nearest stop."""
    pairs = zip(judged.figures, values.tolist(), strict=True)
    return {f.name: _shown(judged, f, value) for f, value in pairs if not (of_borough and f.measure == WHICH_STOP)}


def _shown(judged: JudgedSites, figure: Figure, value: float) -> float | str | None:
    """A figure as it is written: clock times and stops as text, nothing where there is none."""
    if not math.isfinite(value):
        return None
    if figure.measure == WHICH_STOP:
        return judged.stop_names[int(value)]
    return format_time(int(value)) if figure.measure in CLOCK_TIMES else _finite(value)


def _finite(value: float) -> float | int | None:
    """A number that JSON can hold; whole ones without a point."""
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def _write_map(judged: JudgedSites, table: pd.DataFrame, path: Path) -> None:
    """Sites with a place as points, and those given as areas once more as areas."""
    placed = np.array([site.shape is not None for site in judged.sites], bool)
    plain = table.loc[placed].reset_index(drop=True)
    for name in plain.columns:
        if not pd.api.types.is_numeric_dtype(plain[name]):
            plain[name] = plain[name].map(_cell).astype(object)
    points = gpd.GeoDataFrame(plain, geometry=shapely.points(plain["lon"], plain["lat"]), crs="EPSG:4326")
    layers = {"sites": points}
    shapes = np.array([site.shape for site in judged.sites if site.shape is not None], object)
    area = np.isin(shapely.get_type_id(shapes), (3, 6)) if len(shapes) else np.zeros(0, bool)
    if area.any():
        several = [shapely.MultiPolygon([s]) if s.geom_type == "Polygon" else s for s in shapes[area]]
        areas = plain.loc[area, ["id", "name", "homes", "status", "reason"]].reset_index(drop=True)
        layers["site_areas"] = gpd.GeoDataFrame(areas, geometry=several, crs="EPSG:4326")
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{judged.stamp.isoformat()}T00:00:00.000Z"})
    try:
        for name, layer in layers.items():
            kind = "Point" if name == "sites" else "MultiPolygon"
            pyogrio.write_dataframe(layer, path, layer=name, driver="GPKG", append=path.exists(), geometry_type=kind)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as fault:
        raise OSError(errno.EIO, f"{path.name} cannot be written ({fault})") from fault
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _cell(value: Any) -> str | None:
    """Text of a cell that is no number: true and false in lower case, as in the tables."""
    if value is None or value is pd.NA:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
