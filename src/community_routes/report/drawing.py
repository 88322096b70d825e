"""Static maps as SVG: the fallback without a script, the print, and the files in ``maps/``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

from community_routes.report import geo
from community_routes.report.results import TODAY, Results
from community_routes.report.scale import Scale

_SYMBOL_STYLE = {
    "water": 'fill="#b9d3df" stroke="none"',
    "green": 'fill="#dbe5cc" stroke="none"',
    "railways": 'fill="none" stroke="#8d8d8d" stroke-width="1.4" stroke-dasharray="7 4"',
    "roads": 'fill="none" stroke="#c9c3b6" stroke-width="2.2"',
}
HATCHES = Markup(
    '<pattern id="{0}off" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="7" height="7" fill="#e9e7e1"/><path d="M0 0V7" stroke="#8b8f92" stroke-width="2.4"/></pattern>'
    '<pattern id="{0}unsure" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<circle cx="2" cy="2" r="1.1" fill="#3b4147" fill-opacity=".75"/></pattern>'
    '<pattern id="{0}green" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<path d="M1 3.4l1-2 1 2" fill="none" stroke="#2f6a37" stroke-width=".7" stroke-opacity=".7"/></pattern>'
)
NEW_ROUTE = "#c0156b"


@dataclass(frozen=True, eq=False)
class Sheet:
    """What all static maps of a report share.

    Attributes
    ----------
    frame : Frame
    symbols : Markup
        SVG ``<g>`` and ``<path>`` elements with ids, drawn through ``<use>``.
    new_routes : mapping of scenario to path
        The routes of each proposal that are new or changed.
    zones : tuple of str
        Path of each neighbourhood.
    prefix : str
        In front of every id.
    """

    frame: geo.Frame
    symbols: Markup
    new_routes: Mapping[str, str]
    zones: tuple[str, ...]
    prefix: str


def sheet_of(results: Results, *, prefix: str = "s-", width: float = 600.0) -> Sheet:
    """Draw what does not change from map to map."""
    frame = geo.frame_of(results.zones, width=width)
    zones = tuple(geo.svg_path(shape, frame) for shape in geo.simple_zones(results.zones))
    symbols = [HATCHES.format(prefix)]
    symbols.append(Markup('<g id="{}under">{}</g>').format(prefix, _background(results, frame)))
    symbols.extend(Markup('<path id="{}z{}" d="{}"/>').format(prefix, i, path) for i, path in enumerate(zones))
    symbols.append(Markup('<g id="{}over">{}</g>').format(prefix, _overlay(results, frame, prefix)))
    new = {
        scenario.id: _joined_path(results.routes[results.routes["scenario"] == scenario.id].geometry, frame)
        for scenario in results.scenarios
    }
    return Sheet(frame, Markup("").join(symbols), new, zones, prefix)


def _joined_path(shapes: Iterable[shapely.Geometry], frame: geo.Frame) -> str:
    """One path of all the shapes, as fine as can be seen on the sheet."""
    found = geo.simple_lines(geo.big_enough(shapes), frame, metres=frame.metres_per_unit / 2)
    return "".join(geo.svg_path(shape, frame) for shape in found)


def _background(results: Results, frame: geo.Frame) -> Markup:
    """Water and green below the neighbourhoods, pale, so that the figures stay in front."""
    out = []
    for name in ("green", "water"):
        layer = results.background.get(name)
        if layer is not None and len(layer):
            path = _joined_path(layer.geometry, frame)
            out.append(Markup('<path d="{}" {}/>').format(path, Markup(_SYMBOL_STYLE[name])))
    return Markup("").join(out)


def _overlay(results: Results, frame: geo.Frame, prefix: str) -> Markup:
    """Green and rivers seen through, railways, today's routes and names of places, above the neighbourhoods."""
    out = []
    green = results.background.get("green")
    if green is not None and len(green):
        out.append(Markup('<path d="{}" fill="url(#{}green)"/>').format(_joined_path(green.geometry, frame), prefix))
    water = results.background.get("water")
    if water is not None and len(water):
        path = _joined_path(water.geometry, frame)
        out.append(Markup('<path d="{}" fill="#7fa9bd" fill-opacity=".55"/>').format(path))
    railways = results.background.get("railways")
    if railways is not None and len(railways):
        out.append(Markup('<path d="{}" {}/>').format(_joined_path(railways.geometry, frame), _style("railways")))
    today = results.routes[results.routes["scenario"] == TODAY]
    if len(today):
        path = geo.svg_path(geo.network_of(today.geometry, frame, metres=frame.metres_per_unit / 2), frame)
        out.append(
            Markup('<path d="{}" fill="none" stroke="#3c434a" stroke-opacity=".55" stroke-width="1"/>').format(path)
        )
    out.extend(_place_names(results, frame))
    return Markup("").join(out)


def _style(name: str) -> Markup:
    return Markup(_SYMBOL_STYLE[name])


def place_labels(results: Results, frame: geo.Frame) -> list[tuple[str, str, float, float]]:
    """Name, kind, longitude, latitude of places whose names do not overlap on the sheet, bigger places first."""
    layer = results.background.get("places")
    if layer is None or not len(layer):
        layer = _group_places(results.zones)
    order = {"city": 0, "town": 1, "suburb": 2, "village": 2, "ward": 2, "neighbourhood": 4}
    rows = sorted(
        (order.get(str(row.kind), 3), str(row.name_), str(row.kind), *geo.label_point(row.geometry))
        for row in layer.rename(columns={"name": "name_"}).itertuples()
        if row.name_ and row.geometry is not None and not row.geometry.is_empty
    )
    taken: list[tuple[float, float, float, float]] = []
    chosen = []
    for rank, name, kind, lon, lat in rows:
        if rank > 3 or not (frame.west < lon < frame.east and frame.south < lat < frame.north):
            continue
        x, y = frame.place(np.array([[lon, lat]]))[0]
        half = 0.0048 * frame.width * (2.4 if rank < 2 else 2.0) * len(name) / 2 + 4
        box = (x - half, y - 9, x + half, y + 9)
        outside = box[0] < 0 or box[2] > frame.width or box[1] < 0 or box[3] > frame.height
        if not outside and not any(_overlaps(box, other) for other in taken):
            taken.append(box)
            chosen.append((name, kind, lon, lat))
    return chosen


def _group_places(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Names of wards in their middle, where the study has wards and the streets give no names."""
    named = zones[zones["group"].astype(str) != ""]
    if not len(named):
        return gpd.GeoDataFrame({"name": [], "kind": []}, geometry=[], crs="EPSG:4326")
    parts = named.dissolve("group")
    return gpd.GeoDataFrame(
        {"name": parts.index.astype(str), "kind": "ward"},
        geometry=list(parts.geometry.representative_point()),
        crs="EPSG:4326",
    )


def _overlaps(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _place_names(results: Results, frame: geo.Frame) -> list[Markup]:
    out = []
    for name, kind, lon, lat in place_labels(results, frame):
        x, y = frame.place(np.array([[lon, lat]]))[0]
        big = kind in ("city", "town")
        out.append(
            Markup(
                '<text x="{}" y="{}" text-anchor="middle" font-size="{}" font-weight="{}" fill="#1d252c" '
                'stroke="#fff" stroke-opacity=".85" stroke-width="2.6" paint-order="stroke" '
                'stroke-linejoin="round">{}</text>'
            ).format(round(x, 1), round(y + 4, 1), 13 if big else 10.5, 600 if big else 500, name)
        )
    return out


def static_map(
    sheet: Sheet,
    values: NDArray[np.float64],
    scale: Scale,
    *,
    title: str,
    off: NDArray[np.bool_],
    scenario: str = TODAY,
    unsure: NDArray[np.bool_] | None = None,
) -> Markup:
    """One map as SVG that refers to the sheet's symbols.

    Parameters
    ----------
    sheet : Sheet
    values : float64, shape (n_zones,)
        In the unit of the scale; NaN has no colour.
    scale : Scale
    title : str
        Says what it shows, for those who do not see it.
    off : bool, shape (n_zones,)
        Neighbourhoods off the network, hatched.
    scenario : str
        Whose new routes are drawn.
    unsure : bool, shape (n_zones,), optional
        Neighbourhoods whose change cannot be told from zero, dotted.
    """
    frame, p = sheet.frame, sheet.prefix
    out = [
        Markup('<svg class="map" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">').format(
            frame.width, round(frame.height), title
        ),
        Markup('<use href="#{}under"/><g stroke="#fff" stroke-width=".8" stroke-linejoin="round">').format(p),
    ]
    for i, value in enumerate(values):
        if off[i] or not np.isfinite(value):
            paint = f"url(#{p}off)"
        else:
            paint = scale.color(value)
        out.append(Markup('<use href="#{}z{}" fill="{}"/>').format(p, i, paint))
        if unsure is not None and unsure[i] and np.isfinite(value):
            out.append(Markup('<use href="#{}z{}" fill="url(#{}unsure)"/>').format(p, i, p))
    out.append(Markup('</g><use href="#{}over"/>').format(p))
    path = sheet.new_routes.get(scenario, "")
    if path:
        out.append(
            Markup(
                '<g fill="none" stroke-linejoin="round" stroke-linecap="round"><path d="{0}" stroke="#fff" '
                'stroke-width="6"/><path d="{0}" stroke="{1}" stroke-width="3.2"/></g>'
            ).format(path, NEW_ROUTE)
        )
    out.append(Markup("</svg>"))
    return Markup("").join(out)
