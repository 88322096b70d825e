"""The files of a batch of sites: tables, JSON and GeoPackage, the same bytes for the same sites and settings."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.times import format_time
from community_routes.report.cells import csv_text
from community_routes.report.files.geopackage import layers_of_columns, write_layers
from community_routes.sites.around import Around, Residents
from community_routes.sites.figures import ALL_DAY, CLOCK_TIMES, LEAVES, NAMES, NEAREST_STOP, STOPS, WHICH_STOP, Figure
from community_routes.sites.judge import Verdict, shortfall
from community_routes.sites.read import Fault, Site, place_key
from community_routes.sites.remedies import Remedies

FAILED_COLUMNS = ("line", "id", "field", "value", "reason")
JUDGED, FAILED, NO_SERVICE = "judged", "failed", "no_service"
NONE, UNKNOWN = "none", "unknown"


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
    around : Around
        The borough's medians, and those of the neighbourhoods around each site.
    residents : Residents
    remedies : Remedies
    entrances : list of float64, shape (n_entrances, 2), or None
        Of each site; None where it is on no street.
    stops_of_entrances : dict of str to float64, shape (2 n_days,)
        For each day the metres to the nearest served stop and its row, by the key of the entrance as a place; of sites with
        several entrances.
    has_service : bool, shape (n_sites,)
        Whether something leaves from a stop that can be walked to.
    stop_names, place_names : sequence of str
        By row of the feed's stops, and of the study's destinations.
    zones : GeoDataFrame
        The neighbourhoods.
    run : dict
        What ``run.json`` holds.
    stamp : date
        The date inside of files that hold one.
    worst : JudgedSites or None
        The same sites by the worse bound of a step-free study.
    """

    sites: list[Site]
    figures: tuple[Figure, ...]
    values: NDArray[np.float64]
    verdicts: tuple[Verdict, ...]
    around: Around
    residents: Residents
    remedies: Remedies
    entrances: Sequence[NDArray[np.float64] | None]
    stops_of_entrances: Mapping[str, NDArray[np.float64]]
    has_service: NDArray[np.bool_]
    stop_names: Sequence[str]
    place_names: Sequence[str]
    zones: gpd.GeoDataFrame
    run: Mapping[str, Any]
    stamp: dt.date
    worst: JudgedSites | None = None

    @property
    def faults(self) -> list[Fault]:
        """The rows of ``failed.csv``."""
        return [site.fault for site in self.sites if site.fault is not None]

    @cached_property
    def shown(self) -> dict[str, list[Any]]:
        """Every figure that is written, of all sites in their order, by its name."""
        columns = zip(self.figures, self.values.T, strict=True)
        return {
            figure.name: shown_values(self, figure, values) for figure, values in columns if figure.measure != LEAVES
        }

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Which sites could not be judged, shape (n_sites,)."""
        return np.array([site.fault is not None for site in self.sites], bool)

    def misses(self, *, required: bool) -> NDArray[np.bool_]:
        """Which judged sites miss a standard (one that is required), shape (n_sites,)."""
        found = np.zeros(len(self.sites), bool)
        for verdict in self.verdicts:
            if verdict.standard.required or not required:
                found |= ~verdict.passed
        return found & ~self.failed


def write_sites(judged: JudgedSites, folder: Path) -> None:
    """Write the tables, ``sites.json``, ``sites.gpkg`` and ``run.json`` into a folder."""
    table = sites_table(judged)
    failed = pd.DataFrame(
        [[getattr(fault, column) for column in FAILED_COLUMNS] for fault in judged.faults],
        columns=list(FAILED_COLUMNS),
        dtype=object,
    )
    medians = _medians(judged, judged.around.borough)
    borough = pd.DataFrame({"figure": list(medians), "median": pd.Series(list(medians.values()), dtype=object)})
    parts = {
        "sites": table.join(_around_columns(judged)),
        "failed": failed,
        "borough": borough,
        "entrances": entrances_table(judged),
        "residents": residents_table(judged),
    }
    if judged.worst is not None:
        parts["sites_step_free_worst"] = sites_table(judged.worst).join(_around_columns(judged.worst))
    if judged.remedies.proposals:
        parts["scenarios"] = scenarios_table(judged)
    for name, part in parts.items():
        (folder / f"{name}.csv").write_bytes(csv_text(part).encode("utf-8"))
    (folder / "sites.json").write_bytes(sites_json(judged).encode("utf-8"))
    _write_map(judged, table, folder / "sites.gpkg")
    text = json.dumps(judged.run, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / "run.json").write_bytes(text.encode("utf-8"))


def sites_table(judged: JudgedSites) -> pd.DataFrame:
    """One row for each row of the file of sites: what it is, its figures, the standards it meets, and what would help."""
    sites, failed = judged.sites, judged.failed
    points = [site.point for site in sites]
    columns: dict[str, Any] = {
        "id": [site.id for site in sites],
        "name": [site.name for site in sites],
        "lon": np.array([lon for lon, _ in points], np.float64),
        "lat": np.array([lat for _, lat in points], np.float64),
        "homes": np.array([site.homes for site in sites], np.float64),
        "status": np.where(failed, FAILED, JUDGED).astype(object),
        "reason": [_reason(judged, row) for row in range(len(sites))],
    }
    for place, figure in enumerate(judged.figures):
        if figure.measure in (*CLOCK_TIMES, *NAMES) and figure.name in judged.shown:
            columns[figure.name] = pd.Series(judged.shown[figure.name], dtype=object)
        elif figure.name in judged.shown:
            columns[figure.name] = _numbers(judged.values[:, place])
    for verdict in judged.verdicts:
        held = pd.Series([bool(value) for value in verdict.passed], dtype=object)
        columns[f"{verdict.standard.name}__pass"] = held.where(~failed, None)
        columns[f"{verdict.standard.name}__margin"] = np.where(failed, np.nan, verdict.margin)
    columns["year"] = [site.year for site in sites]
    return pd.DataFrame(columns | _help_columns(judged) | _resident_columns(judged))


def _reason(judged: JudgedSites, row: int) -> str:
    fault = judged.sites[row].fault
    return fault.reason if fault is not None else "" if judged.has_service[row] else NO_SERVICE


def _numbers(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.isfinite(values), values, np.nan)


def _help_columns(judged: JudgedSites) -> dict[str, Any]:
    """What each missed standard needs, and the cheapest of the proposals that bring it."""
    failed, columns = judged.failed, dict[str, Any]()
    for number, verdict in enumerate(judged.verdicts):
        name = verdict.standard.name
        needs = ["" if failed[row] else shortfall(verdict, row) for row in range(len(failed))]
        columns[f"{name}__needs"] = pd.Series(needs, dtype=object)
        if judged.remedies.proposals:
            best = judged.remedies.cheapest(judged.remedies.meets[:, number])
            columns[f"{name}__scenario"] = _scenario_ids(judged, best, ~verdict.passed & ~failed)
    if judged.remedies.proposals:
        best, misses = judged.remedies.cheapest(judged.remedies.mends), judged.misses(required=True)
        columns["scenario"] = _scenario_ids(judged, best, misses)
        columns["scenario_cost_per_year"] = pd.Series(
            [cost_text(judged.remedies.proposals[one].cost) if one >= 0 else None for one in best], dtype=object
        )
    return columns


def cost_text(cost: float) -> float | int | str:
    """A cost as it is written; a cost that nobody gave is said to be unknown, never 0."""
    return UNKNOWN if math.isnan(cost) else round(cost)


def _scenario_ids(judged: JudgedSites, best: NDArray[np.int64], needed: NDArray[np.bool_]) -> pd.Series:
    ids = [one.id for one in judged.remedies.proposals]
    return pd.Series(
        ["" if not wanted else ids[one] if one >= 0 else NONE for one, wanted in zip(best, needed, strict=True)],
        dtype=object,
    )


def _resident_columns(judged: JudgedSites) -> dict[str, Any]:
    """The neighbourhood of each site, how deprived it is, and how many would live at the site."""
    zone, table = judged.around.zone, judged.zones
    inside = zone >= 0
    columns: dict[str, Any] = {}
    for name, source in (("neighbourhood", "id"), ("deprivation_decile", "deprivation_decile")):
        values = table[source].to_numpy(object)
        found = [values[at] if at >= 0 else None for at in zone.tolist()]
        columns[name] = pd.Series(found, dtype=object) if source == "id" else np.array(found, np.float64)
    local = [at for at, grouping in enumerate(judged.residents.grouping) if grouping == "local"]
    share = np.nan_to_num(judged.residents.share[:, local])
    most = share.argmax(axis=1) + 1.0 if local else np.zeros(len(zone))
    columns["deprivation_fifth"] = np.where(inside & (share.sum(axis=1) > 0), most, np.nan)
    columns["potential_residents"] = judged.residents.persons
    return columns


def _around_columns(judged: JudgedSites) -> pd.DataFrame:
    """The median of the neighbourhoods around each site, for every figure that is a quantity."""
    values = judged.around.of_sites()
    return pd.DataFrame(
        {
            f"{figure.name}__around": pd.Series(shown_values(judged, figure, values[:, place]), dtype=object)
            if figure.measure in CLOCK_TIMES
            else _numbers(values[:, place])
            for place, figure in enumerate(judged.figures)
            if figure.measure not in (*NAMES, LEAVES)
        }
    )


def entrances_table(judged: JudgedSites) -> pd.DataFrame:
    """The nearest served stop of every entrance of the sites that are on the network."""
    days = list(judged.run["service_dates"])
    place_of = {figure: place for place, figure in enumerate(judged.figures)}
    own = [place_of[Figure(measure, day, ALL_DAY, STOPS)] for day in days for measure in (NEAREST_STOP, WHICH_STOP)]
    rows = []
    for row, points in enumerate(judged.entrances):
        for number, point in enumerate(points if points is not None else (), start=1):
            if points is not None and len(points) > 1:
                held = judged.stops_of_entrances[place_key(point[None])].tolist()
            else:
                held = [float(judged.values[row, place]) for place in own]
            stops = [judged.stop_names[int(stop)] if math.isfinite(stop) else None for stop in held[1::2]]
            metres = [_finite(value) for value in held[::2]]
            pairs = [value for pair in zip(stops, metres, strict=True) for value in pair]
            rows.append([judged.sites[row].id, number, float(point[0]), float(point[1]), *pairs])
    columns = [f"{measure}__{day}" for day in days for measure in ("nearest_stop", "nearest_stop_m")]
    return pd.DataFrame(rows, columns=["id", "entrance", "lon", "lat", *columns], dtype=object)


def residents_table(judged: JudgedSites) -> pd.DataFrame:
    """Potential residents of every judged site by group: fifths by deprivation, and the groups of the study."""
    residents = judged.residents
    rows = [
        [site.id, grouping, group, _finite(persons), None if math.isnan(share) else round(share, 4)]
        for site, counts, shares in zip(judged.sites, residents.count.tolist(), residents.share.tolist(), strict=True)
        if site.fault is None
        for grouping, group, persons, share in zip(residents.grouping, residents.group, counts, shares, strict=True)
        if share != 0
    ]
    return pd.DataFrame(rows, columns=["id", "grouping", "group", "persons", "share"], dtype=object)


def scenarios_table(judged: JudgedSites) -> pd.DataFrame:
    """What each proposal takes beyond today, and for how many sites it helps."""
    remedies = judged.remedies
    best = remedies.cheapest(remedies.mends)
    rows = [
        [
            *(one.id, one.title),
            *(cost_text(value) for value in (one.cost, one.bus_hours, one.km, one.peak_vehicles)),
            int(remedies.meets[row].any(axis=0).sum()),
            int(remedies.mends[row].sum()),
            int((best == row).sum()),
        ]
        for row, one in enumerate(remedies.proposals)
    ]
    names = ["cost_per_year", "bus_hours_per_year", "km_per_year", "peak_vehicles"]
    counts = ["sites_helped", "sites_mended", "sites_mended_cheapest"]
    return pd.DataFrame(rows, columns=["scenario", "title", *names, *counts], dtype=object)


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
        "borough_median": _medians(judged, judged.around.borough),
        "neighbourhoods": _neighbourhoods(judged),
        "scenarios": [
            {
                "id": one.id,
                "title": one.title,
                "cost_per_year": cost_text(one.cost),
                "bus_hours_per_year": cost_text(one.bus_hours),
            }
            for one in judged.remedies.proposals
        ],
        "failed": [{column: getattr(fault, column) for column in FAILED_COLUMNS} for fault in judged.faults],
    }
    lines = [f" {json.dumps(key)}: {_json(value)}" for key, value in sorted(head.items())]
    names, zones = list(judged.shown), judged.zones["id"].to_numpy(object)
    figures = zip(*judged.shown.values(), strict=True) if names else iter([()] * len(judged.sites))
    sites = [
        _json(_site(judged, row, dict(zip(names, values, strict=True)), zones)) for row, values in enumerate(figures)
    ]
    lines.append(' "sites": [\n  ' + ",\n  ".join(sites) + "\n ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _neighbourhoods(judged: JudgedSites) -> dict[str, Any]:
    """The neighbourhoods in which sites lie: which touch them, and the median of all of these."""
    ids, around = judged.zones["id"].to_numpy(object), judged.around
    return {
        str(ids[zone]): {
            "around": sorted(str(ids[other]) for other in around.near[zone] if other != zone),
            "median": _medians(judged, around.median[zone]),
        }
        for zone in np.unique(around.zone[around.zone >= 0]).tolist()
    }


def _site(judged: JudgedSites, row: int, figures: Mapping[str, Any], zones: NDArray[np.object_]) -> dict[str, Any]:
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
    content["figures"] = figures
    zone, tried = int(judged.around.zone[row]), judged.remedies
    content["neighbourhood"] = str(zones[zone]) if zone >= 0 else None
    content["potential_residents"] = _finite(float(judged.residents.persons[row]))
    content["standards"] = {
        v.standard.name: {
            "pass": bool(v.passed[row]),
            "margin": _finite(float(v.margin[row])),
            "needs": shortfall(v, row),
            "scenarios": [one.id for number, one in enumerate(tried.proposals) if tried.meets[number, place, row]],
        }
        for place, v in enumerate(judged.verdicts)
    }
    return content


def _medians(judged: JudgedSites, values: NDArray[np.float64]) -> dict[str, Any]:
    """Medians by the names of figures; there is none of the nearest stop or place."""
    pairs = zip(judged.figures, values.tolist(), strict=True)
    return {
        figure.name: shown_values(judged, figure, np.array([value]))[0]
        for figure, value in pairs
        if figure.measure not in (*NAMES, LEAVES)
    }


def shown_values(judged: JudgedSites, figure: Figure, values: NDArray[np.float64]) -> list[Any]:
    """A figure as it is written, of several sites: clock times and names as text, None where there is none."""
    if figure.measure in NAMES:
        names = judged.stop_names if figure.measure == WHICH_STOP else judged.place_names
        return [names[int(value)] if math.isfinite(value) else None for value in values.tolist()]
    if figure.measure in CLOCK_TIMES:
        return [format_time(int(value)) if math.isfinite(value) else None for value in values.tolist()]
    return [_finite(value) for value in values.tolist()]


def _finite(value: float) -> float | int | None:
    """A number that JSON can hold; whole ones without a point."""
    if not math.isfinite(value):
        return None
    return int(value) if value == int(value) else float(value)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))


def _write_map(judged: JudgedSites, table: pd.DataFrame, path: Path) -> None:
    """Sites with a place as points, and those given as areas once more as areas; too many figures for a layer by day."""
    placed = np.array([site.shape is not None for site in judged.sites], bool)
    plain = table.loc[placed].reset_index(drop=True)
    for name in plain.columns:
        if not pd.api.types.is_numeric_dtype(plain[name]):
            plain[name] = plain[name].map(_cell).astype(object)
    points, layers = shapely.points(plain["lon"], plain["lat"]), dict[str, gpd.GeoDataFrame]()
    day_of = {figure.name: figure.day for figure in judged.figures if figure.name in judged.shown}
    for layer, names in layers_of_columns("sites", day_of).items():
        known = set(names) | (set(plain.columns) - set(day_of) if layer == "sites" else {"id", "name"})
        columns = [column for column in plain.columns if column in known]
        layers[layer] = gpd.GeoDataFrame(plain[columns], geometry=points, crs="EPSG:4326")
    kinds = dict.fromkeys(layers, "Point") | {"site_areas": "MultiPolygon"}
    shapes = np.array([site.shape for site in judged.sites if site.shape is not None], object)
    area = np.isin(shapely.get_type_id(shapes), (3, 6)) if len(shapes) else np.zeros(0, bool)
    if area.any():
        several = [shapely.MultiPolygon([s]) if s.geom_type == "Polygon" else s for s in shapes[area]]
        areas = plain.loc[area, ["id", "name", "homes", "status", "reason"]].reset_index(drop=True)
        layers["site_areas"] = gpd.GeoDataFrame(areas, geometry=several, crs="EPSG:4326")
    write_layers(layers, path, judged.stamp, **kinds)


def _cell(value: Any) -> str | None:
    """Text of a cell that is no number: true and false in lower case, as in the tables."""
    if value is None or value is pd.NA:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
