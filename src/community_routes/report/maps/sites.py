"""Small maps of single places: streets, stops, the walk to the nearest, and the course of a journey, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup
from numpy.typing import NDArray

from community_routes.report.maps import geo

Course = Sequence[Sequence[float]]
_WIDTH = 560.0
_METRES_A_DEGREE = 111_195.0
_SITE = "#c0156b"
MARKS = {
    "site": f'<path d="M0 -10L9 6H-9Z" fill="{_SITE}" stroke="#fff" stroke-width="2"/>',
    "entrance": f'<rect x="-4.5" y="-4.5" width="9" height="9" fill="#fff" stroke="{_SITE}" stroke-width="2.6"/>',
    "stop": '<circle r="5" fill="#fff" stroke="#08306b" stroke-width="2.6"/>',
    "place": '<path d="M0 -7L7 0L0 7L-7 0Z" fill="#5b2a86" stroke="#fff" stroke-width="1.8"/>',
}
"""What is drawn of a point, about (0, 0)."""
WALK_LINE = 'stroke="#b3401c" stroke-width="3.2" stroke-dasharray="1 5.5" stroke-linecap="round"'
RIDE_LINE = 'stroke="#00566b" stroke-width="3.6" stroke-linejoin="round"'


@dataclass(frozen=True, eq=False)
class Underlay:
    """What lies under every map of a batch, ready to be cut to the frame of each.

    Attributes
    ----------
    layers : mapping of name to object (shapely), shape (n,)
        Areas ``green``, ``water``; lines ``rivers``, ``railways``, ``streets``, ``roads``, ``borders``.
    trees : mapping of name to STRtree
        Of the same.
    """

    layers: Mapping[str, NDArray[np.object_]]
    trees: Mapping[str, shapely.STRtree]

    def within(self, name: str, frame: geo.Frame) -> NDArray[np.object_]:
        """What the frame shows of one layer, as fine as can be seen, in the order of the layer."""
        if name not in self.trees:
            return np.zeros(0, object)
        found = self.layers[name][np.sort(self.trees[name].query(frame.box))]
        cut = shapely.clip_by_rect(found, frame.west, frame.south, frame.east, frame.north)
        return np.asarray(shapely.simplify(cut, frame.metres_per_unit / 2 / _METRES_A_DEGREE), object)


def underlay(
    background: Mapping[str, gpd.GeoDataFrame], streets: NDArray[np.object_] | None, zones: gpd.GeoDataFrame
) -> Underlay:
    """What lies under maps: the background's layers, every walkable street, and the borders of neighbourhoods.

    Shapes are mended and taken apart once here, so that each map is cut out quickly.
    """
    layers = {}
    for name in ("green", "water", "railways", "roads"):
        if name in background and len(background[name]):
            parts = shapely.get_parts(shapely.make_valid(np.asarray(background[name].geometry.array, object)))
            areas = shapely.area(parts) > 0
            layers[name] = parts[areas] if name in ("green", "water") else parts[~areas]
            if name == "water":
                layers["rivers"] = parts[~areas]
    if streets is not None and len(streets):
        layers["streets"] = streets
    layers["borders"] = shapely.get_parts(shapely.boundary(np.asarray(zones.geometry.array, object)))
    return Underlay(layers, {name: shapely.STRtree(shapes) for name, shapes in layers.items()})


@dataclass(frozen=True, eq=False)
class Stretch:
    """A line on a map: a walk (dotted) or a ride, longitudes and latitudes."""

    line: Course
    walk: bool


@dataclass(frozen=True, eq=False)
class Mark:
    """A point on a map.

    Attributes
    ----------
    at : (lon, lat)
    kind : str
        ``site``, ``entrance``, ``stop`` or ``place``.
    label : str
        Written beside it; empty for none.
    """

    at: Sequence[float]
    kind: str
    label: str = ""


def small_map(
    under: Underlay,
    stretches: Sequence[Stretch],
    marks: Sequence[Mark],
    *,
    title: str,
    area: shapely.Geometry | None = None,
    least_m: float = 700.0,
) -> Markup:
    """A map that shows some lines and points with what lies around them.

    Parameters
    ----------
    under : Underlay
    stretches : sequence of Stretch
    marks : sequence of Mark
        Later ones are drawn above; labels that would overlap are left out.
    title : str
        For people who do not see it.
    area : shapely geometry, optional
        The outline of a site.
    least_m : float
        The map is at least so wide and high.
    """
    points = np.array([*(p for s in stretches for p in s.line), *(mark.at for mark in marks)], np.float64).reshape(
        -1, 2
    )
    frame = _frame(points, area, least_m)
    out = [
        Markup('<svg class="map" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">').format(
            frame.width, round(frame.height), title
        ),
        Markup('<rect width="{:g}" height="{:g}" fill="#efede6"/>').format(frame.width, round(frame.height)),
        _ground(under, frame),
    ]
    if area is not None and area.area > 0:
        out.append(
            Markup('<path d="{}" fill="{}" fill-opacity=".22" stroke="{}" stroke-width="1.5"/>').format(
                geo.svg_path([area], frame), _SITE, _SITE
            )
        )
    out += [_stretch(stretch, frame) for stretch in stretches if len(stretch.line) > 1]
    out += [_mark(mark, frame) for mark in marks]
    out += _labels(marks, frame)
    out.append(_scale_bar(frame))
    out.append(Markup("</svg>"))
    return Markup("").join(out)


def _frame(points: NDArray[np.float64], area: shapely.Geometry | None, least_m: float) -> geo.Frame:
    """The box of everything with a margin, at least so many metres wide, five wide to four high at most stretched."""
    bounds = [(*points.min(axis=0), *points.max(axis=0))] if len(points) else []
    bounds += [area.bounds] if area is not None else []
    west, south = (min(box[k] for box in bounds) for k in (0, 1))
    east, north = (max(box[k] for box in bounds) for k in (2, 3))
    stretch = float(np.cos(np.radians((south + north) / 2)))
    x, y = (west + east) / 2, (south + north) / 2
    half_x = max((east - west) * stretch * 0.58, least_m / 2 / _METRES_A_DEGREE)
    half_y = max((north - south) * 0.58, least_m / 2.6 / _METRES_A_DEGREE)
    half_x, half_y = max(half_x, half_y * 1.05), max(half_y, half_x * 0.55)
    return geo.Frame(x - half_x / stretch, y - half_y, x + half_x / stretch, y + half_y, _WIDTH)


def _ground(under: Underlay, frame: geo.Frame) -> Markup:
    wide = frame.metres_per_unit > 12  # of a whole borough, small streets are a grey mass
    styles = [
        ("green", 'fill="#dbe5cc"'),
        ("water", 'fill="#b9d3df"'),
        ("rivers", 'fill="none" stroke="#9fc0d0" stroke-width="2"'),
        ("streets", 'fill="none" stroke="#fff" stroke-width="2"'),
        ("roads", f'fill="none" stroke="{"#fff" if wide else "#fbf3dc"}" stroke-width="{2.4 if wide else 5}"'),
        ("railways", 'fill="none" stroke="#777" stroke-width="1.6" stroke-dasharray="7 4"'),
        ("borders", 'fill="none" stroke="#8b8f92" stroke-width="1" stroke-dasharray="2 4"'),
    ]
    paths = [
        (geo.svg_path(under.within(name, frame), frame), style)
        for name, style in styles
        if name != "streets" or not wide
    ]
    return Markup("").join(Markup('<path d="{}" {}/>').format(path, Markup(style)) for path, style in paths if path)


def _stretch(stretch: Stretch, frame: geo.Frame) -> Markup:
    path = geo.svg_path([shapely.LineString(stretch.line)], frame)
    under = Markup('<path d="{}" fill="none" stroke="#fff" stroke-width="6.5" stroke-opacity=".8"/>').format(path)
    style = WALK_LINE if stretch.walk else RIDE_LINE
    return under + Markup('<path d="{}" fill="none" {}/>').format(path, Markup(style))


def _mark(mark: Mark, frame: geo.Frame) -> Markup:
    x, y = frame.place(np.array([mark.at], np.float64)).round(1)[0]
    return Markup('<g transform="translate({:g} {:g})">{}</g>').format(x, y, Markup(MARKS[mark.kind]))


def _labels(marks: Sequence[Mark], frame: geo.Frame) -> list[Markup]:
    taken: list[tuple[float, float, float, float]] = []
    out = []
    for mark in marks:
        if not mark.label:
            continue
        x, y = frame.place(np.array([mark.at], np.float64))[0]
        text = mark.label if len(mark.label) <= 34 else f"{mark.label[:33]}…"
        width = 7.7 * len(text) + 6
        for left in (x + 9, x - 9 - width):
            box = (left, y - 9, left + width, y + 9)
            inside = box[0] >= 2 and box[2] <= frame.width - 2 and box[1] >= 2 and box[3] <= frame.height - 2
            if inside and not any(b[0] < box[2] and box[0] < b[2] and b[1] < box[3] and box[1] < b[3] for b in taken):
                taken.append(box)
                out.append(
                    Markup(
                        '<text x="{:g}" y="{:g}" font-size="12.5" font-weight="600" fill="#1d252c" stroke="#fff" '
                        'stroke-opacity=".9" stroke-width="3.2" paint-order="stroke" stroke-linejoin="round">{}</text>'
                    ).format(round(left + 3, 1), round(y + 4.5, 1), text)
                )
                break
    return out


def _scale_bar(frame: geo.Frame) -> Markup:
    km, length = frame.scale_bar[0], round(frame.scale_bar[1], 1)
    text = f"{km:g} km" if km >= 1 else f"{km * 1000:g} m"
    y = round(frame.height) - 12
    return Markup(
        '<g fill="none" stroke="#17212a" stroke-width="1.6"><path d="M12 {0}v6h{1}v-6"/></g>'
        '<text x="{2}" y="{3}" font-size="12" text-anchor="middle" fill="#17212a">{4}</text>'
    ).format(y - 6, length, round(12 + length / 2, 1), y - 9, text)
