"""Maps of what can be reached from a place, or from where a place can be reached, in bands of minutes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from community_routes.base.errors import UsageError, as_path
from community_routes.report import words
from community_routes.report.cells import publish
from community_routes.report.maps import geo
from community_routes.report.maps.canvas import drawing, picture_bytes
from community_routes.report.maps.matplotlib import compound_path, furnish, layer_path, new_axes, put, put_names
from community_routes.report.maps.scale import SEQUENTIAL

_MARK = "#c0156b"


def plot_isochrones(
    areas: gpd.GeoDataFrame,
    *,
    place: tuple[float, float],
    name: str,
    title: str,
    streets: gpd.GeoDataFrame | None = None,
    background: Mapping[str, gpd.GeoDataFrame] | None = None,
    credit: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw bands of minutes round a place, the nearest darkest.

    Parameters
    ----------
    areas : GeoDataFrame of limit_s, geometry
        Seconds, and the land within them (EPSG:4326); each area holds those of the limits before. Not all empty.
    place : tuple of float
        Longitude and latitude of the place.
    name : str
        Of the place, written beside it.
    title : str
        Says from or to where, when and how.
    streets : GeoDataFrame of limit_s, geometry, optional
        Stretches of street in the same bands, drawn in the areas.
    background : mapping of layer name to GeoDataFrame, optional
        As in ``Results``.
    credit : str
        Who made the data.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Raises
    ------
    UsageError
        Nothing is reached within any limit.
    """
    bands = areas.sort_values("limit_s").reset_index(drop=True)
    filled = bands[~bands.geometry.is_empty]
    if not len(filled):
        raise UsageError(
            f"nothing is reached within {_minutes(bands['limit_s'].max())} minutes of {name}; nothing to draw"
        )
    axes = new_axes(ax, (8.6, 7.4))
    frame = geo.frame_of(filled, margin=0.06)
    colors = band_colors(len(bands))
    layers = background or {}

    def ground(name: str, *, areas: bool, **style: Any) -> None:
        put(axes, layer_path(layers.get(name), frame, areas=areas), **style)

    axes.set_facecolor("#efede6")
    ground("green", areas=True, facecolor="#dbe5cc", linewidth=0)
    for color, shape in reversed(list(zip(colors, bands.geometry, strict=True))):
        put(axes, compound_path([shape], frame), facecolor=color, linewidth=0)
    ground("water", areas=True, facecolor="#9fc0d0", linewidth=0)
    ground("water", areas=False, fill=False, edgecolor="#9fc0d0", linewidth=1.0)
    ground("roads", areas=False, fill=False, edgecolor="white", linewidth=1.3, alpha=0.5)
    ground("railways", areas=False, fill=False, edgecolor="#777777", linewidth=0.8, linestyle="--")
    if streets is not None:
        lines = compound_path(geo.simple_lines(streets.geometry, frame, metres=3.0), frame)
        put(axes, lines, fill=False, edgecolor="#17212a", linewidth=0.35)
    x, y = frame.place(np.array([place]))[0]
    axes.plot(
        [x], [y], "o", markersize=8, markerfacecolor=_MARK, markeredgecolor="white", markeredgewidth=1.5, zorder=5
    )
    put_names(axes, [(name, "town", *place)], frame, above=14.0)
    furnish(axes, frame, credit)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=12, parse_math=False)
    handles = [Patch(facecolor=color, label=label) for color, label in zip(colors, band_labels(bands), strict=True)]
    axes.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(1.005, 1.0), frameon=False, fontsize=9, borderaxespad=0.0
    )
    return axes


def band_colors(n: int) -> list[str]:
    """So many colours from dark (near) to pale (far)."""
    picked = np.linspace(len(SEQUENTIAL) - 1, 1, n) if n > 1 else np.array([3.0])
    return [SEQUENTIAL[round(float(i))] for i in picked]


def band_labels(areas: gpd.GeoDataFrame) -> list[str]:
    """``up to 15 minutes``, ``15 to 30 minutes`` ..."""
    ends = [_minutes(limit) for limit in areas["limit_s"]]
    return [f"up to {ends[0]} minutes", *(f"{a} to {b} minutes" for a, b in pairwise(ends))]


def _minutes(seconds: float) -> str:
    return words.number(float(seconds) / 60)


def write_isochrones(areas: gpd.GeoDataFrame, path: str | Path, *, title: str, **choices: Any) -> Path:
    """Write bands of minutes as a picture or as shapes, by the file's ending: ``.png``, ``.svg`` or ``.geojson``.

    Parameters
    ----------
    areas : GeoDataFrame of limit_s, geometry
    path : path
    title : str
    **choices
        As for `plot_isochrones`.

    Raises
    ------
    UsageError
        Another ending, or nothing is reached.
    """
    path = as_path(path)
    ending = path.suffix.lower()
    if ending == ".geojson":
        shapes = areas.assign(minutes=areas["limit_s"] / 60, title=title)
        publish(path, (shapes.to_json(drop_id=True) + "\n").encode("utf-8"))
        return path
    if ending not in (".png", ".svg"):
        raise UsageError(
            f"{path.name}: a map of minutes is written as .png, .svg or .geojson, not {ending or 'without an ending'}"
        )
    with drawing():
        figure = Figure(figsize=(9.6, 7.2), layout="constrained", facecolor="white", dpi=160)
        plot_isochrones(areas, title=title, ax=figure.add_subplot(), **choices)
        content = picture_bytes(figure, ending.removeprefix("."))
    publish(path, content)
    return path
