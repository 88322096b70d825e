"""Maps of what can be reached from a place, or from where a place can be reached, in bands of minutes."""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch

from community_routes.base.errors import UsageError, as_path
from community_routes.report import words
from community_routes.report.cells import publish
from community_routes.report.maps import geo
from community_routes.report.maps.matplotlib import compound_path, furnish, new_axes, put_names
from community_routes.report.maps.scale import SEQUENTIAL

_LOCK = threading.Lock()
_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "svg.fonttype": "none",
    "svg.hashsalt": "community_routes",
}
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
    axes.set_facecolor("#efede6")
    _layer(axes, layers, "green", frame, areas=True, facecolor="#dbe5cc", linewidth=0)
    for color, shape in reversed(list(zip(colors, bands.geometry, strict=True))):
        _draw(axes, [shape], frame, facecolor=color, linewidth=0)
    _layer(axes, layers, "water", frame, areas=True, facecolor="#9fc0d0", linewidth=0)
    _layer(axes, layers, "water", frame, areas=False, fill=False, edgecolor="#9fc0d0", linewidth=1.0)
    _layer(axes, layers, "roads", frame, areas=False, fill=False, edgecolor="white", linewidth=1.3, alpha=0.5)
    _layer(axes, layers, "railways", frame, areas=False, fill=False, edgecolor="#777777", linewidth=0.8, linestyle="--")
    if streets is not None:
        _draw(
            axes,
            geo.simple_lines(streets.geometry, frame, metres=3.0),
            frame,
            fill=False,
            edgecolor="#17212a",
            linewidth=0.35,
        )
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


def _layer(
    axes: Axes, layers: Mapping[str, gpd.GeoDataFrame], name: str, frame: geo.Frame, *, areas: bool, **style: Any
) -> None:
    layer = layers.get(name)
    if layer is not None and len(layer):
        shapes = geo.simple_lines(geo.big_enough(layer.geometry), frame, metres=frame.metres_per_unit / 2)
        _draw(axes, [shape for shape in shapes if (shape.area > 0) == areas], frame, **style)


def _draw(axes: Axes, shapes: list[Any], frame: geo.Frame, **style: Any) -> None:
    path = compound_path(shapes, frame)
    if path is not None:
        axes.add_artist(PathPatch(path, **style))


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
    content = io.BytesIO()
    with _LOCK, matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(9.6, 7.2), layout="constrained", facecolor="white", dpi=160)
        plot_isochrones(areas, title=title, ax=figure.add_subplot(), **choices)
        if ending == ".png":
            FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
        else:
            FigureCanvasSVG(figure).print_svg(content, metadata={"Date": None, "Creator": None})
    publish(path, content.getvalue())
    return path
