"""One self-contained page with a map of layers that can be switched on and off; it opens without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import UsageError, as_path
from community_routes.report.cells import publish
from community_routes.report.frame import leaflet_files, page_environment, script_json, template_source

Ground = Mapping[str, tuple[str, bool, float]]
"""Colour, whether areas are filled, and width of lines in pixels of each layer of the background, the lowest first."""
PALE: Ground = {
    "green": ("#dbe5cc", True, 1.5),
    "water": ("#9fc0d0", True, 1.5),
    "roads": ("#d3cec2", True, 1.5),
    "railways": ("#9a9a9a", True, 1.5),
}
"""On white."""
ON_PAPER: Ground = {
    "green": ("#dbe5cc", True, 0.0),
    "water": ("#b9d3df", True, 1.5),
    "roads": ("#ffffff", False, 2.5),
    "railways": ("#9a9a9a", False, 1.2),
}
"""On the colour of paper."""
_SIMPLIFY_DEGREES = 0.00002


@dataclass(frozen=True, eq=False)
class Layer:
    """Shapes of one kind, drawn alike.

    Attributes
    ----------
    name : str
        In the list of layers.
    shapes : GeoDataFrame
        ``label`` (what is said of a shape that is pointed at) and geometry (EPSG:4326): areas, lines or points.
    color : str
        ``#rrggbb``, of outlines and, paler, of areas.
    fill : float
        How strongly areas are filled, 0 to 1.
    width : float
        Of lines, in pixels.
    radius : float
        Of points, in pixels.
    counted : bool
        Whether the list of layers says how many shapes there are.
    shown : bool
        Whether it is drawn when the page opens.
    """

    name: str
    shapes: gpd.GeoDataFrame
    color: str
    fill: float = 0.15
    width: float = 2.0
    radius: float = 4.0
    counted: bool = True
    shown: bool = True

    def content(self) -> dict[str, Any]:
        """For the page's script, with coordinates to about a metre."""
        return {
            "name": f"{self.name} ({len(self.shapes):,})" if self.counted else self.name,
            "color": self.color,
            "fill": self.fill,
            "width": self.width,
            "radius": self.radius,
            "shown": self.shown,
            "features": [
                {"type": "Feature", "properties": {"label": str(label)}, "geometry": shape}
                for label, shape in zip(self.shapes["label"], _geometries(self.shapes.geometry), strict=True)
                if shape is not None
            ],
        }


def write_layer_map(
    path: str | Path,
    layers: Sequence[Layer],
    *,
    title: str,
    notes: Sequence[str] = (),
    background: Mapping[str, gpd.GeoDataFrame] | None = None,
    credit: str = "",
) -> Path:
    """Write the page, whole or not at all.

    Parameters
    ----------
    path : path
        Ends in ``.html``.
    layers : sequence of Layer
        The first is drawn lowest, and the map opens where it lies.
    title : str
    notes : sequence of str
        Sentences beside the map.
    background : mapping of layer name to GeoDataFrame, optional
        Water, green, roads and railways, drawn below everything.
    credit : str
        Who made the data.

    Raises
    ------
    UsageError
        Another ending, or no layer holds a shape.
    """
    path = as_path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{path.name}: a map with layers is written as .html")
    drawn = [layer for layer in layers if len(layer.shapes)]
    if not drawn:
        raise UsageError(f"{path.name}: there is nothing to draw on a map")
    data = {
        "layers": [layer.content() for layer in drawn],
        "background": background_json(background or {}, PALE),
    }
    environment = page_environment()
    text = environment.get_template("layers.html").render(
        title=title,
        notes=list(notes),
        credit=credit,
        data=script_json(data),
        script=template_source(environment, "page.js"),
        **leaflet_files(),
    )
    publish(path, text.encode("utf-8"))
    return path


def background_json(background: Mapping[str, gpd.GeoDataFrame], ground: Ground) -> list[dict[str, Any]]:
    """What lies under a map of layers, for the page's script."""
    return [
        shapes_json(background[name].geometry, *style)
        for name, style in ground.items()
        if name in background and len(background[name])
    ]


def shapes_json(shapes: gpd.GeoSeries | NDArray[np.object_], color: str, fill: bool, width: float) -> dict[str, Any]:
    """Shapes that are drawn alike and say nothing."""
    there = [shape for shape in _geometries(shapes) if shape is not None]
    return {"color": color, "fill": fill, "width": width, "shapes": there}


def _geometries(shapes: gpd.GeoSeries | NDArray[np.object_]) -> list[dict[str, Any] | None]:
    """Shapes as GeoJSON, with coordinates to about a metre; None for none."""
    simple = shapely.simplify(np.asarray(shapes, object), _SIMPLIFY_DEGREES)
    rounded = shapely.transform(simple, lambda lonlat: np.round(lonlat, 5))
    return [None if shape is None or shape.is_empty else shapely.geometry.mapping(shape) for shape in rounded]
