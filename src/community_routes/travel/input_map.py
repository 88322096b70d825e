"""The inputs of a study on one map: what was read, where it lies, and which places nobody can get to."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.evaluation.case import Study
from community_routes.evaluation.map_layers import route_table, stop_table, study_box
from community_routes.evaluation.places import Reached
from community_routes.report.maps.layers import Layer, write_layer_map

_COLORS = ("#6a3d9a", "#b15928", "#1b7837", "#a6761d", "#8c510a", "#01665e")
_RED = "#c0156b"


def write_input_map(path: str | Path, study: Study, reached: Reached) -> Path:
    """Write the stops, routes, neighbourhoods, destinations and off-network places of a study as one HTML page.

    Parameters
    ----------
    path : path
    study : Study
    reached : Reached
        Which places are on the network.
    """
    box = study_box(study.zones.table.geometry)
    off_origin = ~reached.origins.place_linked
    off_place = ~reached.destinations.place_linked
    layers = [
        *_area_layers(study),
        *_route_layers(study, box),
        _stop_layer(study, box),
        *_destination_layers(study, off_place),
    ]
    layers += [_off_layer(study, reached, off_origin, off_place)]
    dates = ", ".join(f"{day} {date}" for day, date in study.file.dates.items())
    notes = [
        f"Service: {dates}",
        f"{int(off_origin.sum())} of {len(off_origin)} starting points and {int(off_place.sum())} of {len(off_place)} "
        "destinations are off the network: nobody can leave from or get to them in this study",
        "Courses are straight from stop to stop where the timetable gives none",
        "Point at a shape to see what it is; switch layers on and off at the top right",
    ]
    return write_layer_map(
        path,
        layers,
        title=f"{study.title}: what was read",
        notes=notes,
        background=study.background or None,
        credit=f"Streets and background: {study.street_credit}" if study.street_credit else "",
    )


def _frame(labels: list[str], shapes: NDArray[np.object_]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"label": labels}, geometry=list(shapes), crs="EPSG:4326")


def _area_layers(study: Study) -> list[Layer]:
    table = study.zones.table
    words = [f"{name} ({id})" if name != id else str(id) for id, name in zip(table["id"], table["name"], strict=True)]
    if study.zones.has_population:
        words = [f"{word}: {persons:,.0f} residents" for word, persons in zip(words, table["population"], strict=True)]
    layers = [Layer("Neighbourhoods", _frame(words, np.asarray(table.geometry.array)), "#52606d", fill=0.06, width=1.2)]
    if study.ground.area is not None:
        area = np.array([shapely.box(*study.ground.area).boundary], object)
        layers.append(
            Layer(
                "Area that the streets cover",
                _frame(["Area that the streets cover"], area),
                "#111111",
                width=2,
                counted=False,
            )
        )
    return layers


def _route_layers(study: Study, box: tuple[float, float, float, float]) -> list[Layer]:
    routes = route_table(study.feed, study.file.dates, box, scenario="today")
    words = np.array(
        [f"{mode} {name} ({id})" for mode, name, id in routes[["mode", "name", "route_id"]].to_numpy()], object
    )
    is_rail = routes["mode"].to_numpy() == "rail"
    shapes = np.asarray(routes.geometry.array)
    return [
        Layer("Railways in service", _frame(words[is_rail].tolist(), shapes[is_rail]), "#3b3b3b", width=2.2),
        Layer("Routes", _frame(words[~is_rail].tolist(), shapes[~is_rail]), "#4a90c8", width=1.4),
    ]


def _stop_layer(study: Study, box: tuple[float, float, float, float]) -> Layer:
    stops = stop_table(study.feed, study.file.dates, box)
    days = list(study.file.dates)
    words = []
    for stop_id, name, *counts in stops.drop(columns="geometry").itertuples(index=False):
        served = zip(days, counts, strict=True)
        said = [f"{count:,} departures" + (f" on {day}" if len(days) > 1 else "") for day, count in served]
        words.append(f"{name} ({stop_id}): {', '.join(said)}")
    return Layer("Stops with service", _frame(words, np.asarray(stops.geometry.array)), "#08306b", radius=2.5)


def _destination_layers(study: Study, off: NDArray[np.bool_]) -> list[Layer]:
    table = study.opportunities.table
    layers = []
    for number, key in enumerate(study.file.destinations):
        rows = np.flatnonzero(table["key"].to_numpy() == key)
        words = [
            f"{table['name'].iat[row] or table['id'].iat[row]} ({key}{'/' + kind if kind else ''})"
            f"{': off the network' if off[row] else ''}"
            for row, kind in zip(rows, table["kind"].iloc[rows], strict=True)
        ]
        shapes = np.asarray(table.geometry.array)[rows]
        name = key.replace("_", " ").capitalize()
        layers.append(
            Layer(name, _frame(words, shapes), _COLORS[number % len(_COLORS)], fill=0.4, width=1.2, radius=4.5)
        )
    return layers


def _off_layer(study: Study, reached: Reached, origins: NDArray[np.bool_], places: NDArray[np.bool_]) -> Layer:
    """Starting points and destinations that nobody can leave from or get to, one mark each."""
    names, lon, lat = [], [], []
    for points, off, what in (
        (reached.origins.points, origins, "start of "),
        (reached.destinations.points, places, "destination "),
    ):
        for row in np.flatnonzero(off).tolist():
            point = int(np.flatnonzero(points.place == row)[0])
            names.append(f"Off the network: {what}{points.id[row]}")
            lon.append(float(points.lon[point]))
            lat.append(float(points.lat[point]))
    return Layer("Off the network", _frame(names, np.asarray(shapely.points(lon, lat))), _RED, radius=5)
