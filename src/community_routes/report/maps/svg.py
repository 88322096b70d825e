"""Static maps as SVG: the fallback without a script, the print, and the files in ``maps/``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup, escape

from community_routes.report.maps import geo
from community_routes.report.maps.description import NEW_ROUTE, MapView, routes_of
from community_routes.report.maps.ground import ground_of
from community_routes.report.results import TODAY, Results

HATCHES = Markup(
    '<pattern id="{0}off" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="7" height="7" fill="#e9e7e1"/><path d="M0 0V7" stroke="#8b8f92" stroke-width="2.4"/></pattern>'
    '<pattern id="{0}unsure" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<circle cx="2" cy="2" r="1.1" fill="#3b4147" fill-opacity=".75"/></pattern>'
    '<pattern id="{0}green" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<path d="M1 3.4l1-2 1 2" fill="none" stroke="#2f6a37" stroke-width=".7" stroke-opacity=".7"/></pattern>'
)


@dataclass(frozen=True, eq=False)
class Sheet:
    """What all static maps of a report share.

    Attributes
    ----------
    frame : Frame
    symbols : Markup
        SVG ``<g>`` and ``<path>`` elements with ids, drawn through ``<use>``.
    new_routes, gone_routes : mapping of scenario to path
        The routes of each proposal that are new or changed, and those that are withdrawn.
    zones : tuple of str
        Path of each neighbourhood.
    prefix : str
        In front of every id.
    """

    frame: geo.Frame
    symbols: Markup
    new_routes: Mapping[str, str]
    gone_routes: Mapping[str, str]
    zones: tuple[str, ...]
    prefix: str


_SHEETS: WeakKeyDictionary[Results, dict[tuple[str, float], Sheet]] = WeakKeyDictionary()


def sheet_of(results: Results, *, prefix: str = "s-", width: float = 600.0) -> Sheet:
    """Draw what does not change from map to map; once for the same results."""
    drawn = _SHEETS.setdefault(results, {})
    if (prefix, width) not in drawn:
        drawn[prefix, width] = _drawn(results, prefix, width)
    return drawn[prefix, width]


def _drawn(results: Results, prefix: str, width: float) -> Sheet:
    frame = geo.frame_of(results.zones, width=width)
    zones = tuple(geo.svg_path([shape], frame) for shape in geo.simple_zones(results.zones))
    symbols = [HATCHES.format(prefix)]
    green, water = (_layer_path(results, name, frame, areas=True) for name in ("green", "water"))
    symbols.append(Markup('<g id="{}under">{}</g>').format(prefix, _background(frame, green, water)))
    symbols.extend(Markup('<path id="{}z{}" d="{}"/>').format(prefix, i, path) for i, path in enumerate(zones))
    symbols.append(Markup('<g id="{}over">{}</g>').format(prefix, _overlay(results, frame, prefix, green, water)))
    symbols.append(Markup('<g id="{}names">{}</g>').format(prefix, Markup("").join(_place_names(results, frame))))
    new, gone = (
        {
            scenario.id: _joined_path(routes_of(results, scenario.id, withdrawn=gone).geometry, frame, areas=False)
            for scenario in results.scenarios
        }
        for gone in (False, True)
    )
    return Sheet(frame, Markup("").join(symbols), new, gone, zones, prefix)


def _joined_path(shapes: Iterable[shapely.Geometry], frame: geo.Frame, *, areas: bool) -> str:
    """One path of all the areas or of all the lines, as fine as can be seen on the sheet."""
    found = geo.simple_lines(geo.big_enough(shapes), frame, metres=frame.metres_per_unit / 2)
    return geo.svg_path([shape for shape in found if (shape.area > 0) == areas], frame)


def _layer_path(results: Results, name: str, frame: geo.Frame, *, areas: bool) -> str:
    """A layer of the background as one path; empty where there is none."""
    found = ground_of(results).layer(name, frame.metres_per_unit / 2)
    return geo.svg_path([shape for shape in found if (shape.area > 0) == areas], frame)


def _styled(path: str, style: str) -> Markup:
    """A path drawn in a style; nothing where there is none."""
    return Markup('<path d="{}" {}/>').format(path, Markup(style)) if path else Markup("")


def _background(frame: geo.Frame, green: str, water: str) -> Markup:
    """Paper, green and water below the neighbourhoods, pale, so that the figures stay in front."""
    paper = Markup('<rect width="{:g}" height="{:g}" fill="#efede6"/>').format(frame.width, round(frame.height))
    return Markup("").join(
        [
            paper,
            _styled(green, 'fill="#dbe5cc"'),
            _styled(water, 'fill="#b9d3df"'),
        ]
    )


def _overlay(results: Results, frame: geo.Frame, prefix: str, green: str, water: str) -> Markup:
    """Green and water seen through, roads, railways, today's routes and the places to reach, above the neighbourhoods."""
    thin = 'fill="none" stroke="{}" stroke-width="{}"'
    out = [
        _styled(green, f'fill="url(#{escape(prefix)}green)"'),
        _styled(water, 'fill="#7fa9bd" fill-opacity=".55"'),
    ]
    for name, style in (
        ("water", thin.format("#7fa9bd", 1.2)),
        ("roads", thin.format("#fff", 1.8) + ' stroke-opacity=".5"'),
        ("railways", thin.format("#777", 1.2) + ' stroke-dasharray="6 4"'),
    ):
        out.append(_styled(_layer_path(results, name, frame, areas=False), style))
    if (results.routes["scenario"] == TODAY).any():
        path = geo.svg_path([ground_of(results).network(frame.metres_per_unit / 2)], frame)
        out.append(
            Markup('<path d="{}" fill="none" stroke="#2b3238" stroke-opacity=".5" stroke-width=".9"/>').format(path)
        )
    outlines = _joined_path(results.destinations.geometry, frame, areas=True)
    out.append(Markup('<path d="{}" fill="none" stroke="#6a3d9a" stroke-width=".8"/>').format(outlines))
    points = [shape for shape in results.destinations.geometry if shape is not None and shape.geom_type == "Point"]
    for x, y in frame.place(shapely.get_coordinates(points)).round(1) if points else ():
        if 0 <= x <= frame.width and 0 <= y <= frame.height:
            out.append(
                Markup('<circle cx="{:g}" cy="{:g}" r="1.7" fill="#fff" stroke="#17212a" stroke-width=".9"/>').format(
                    x, y
                )
            )
    return Markup("").join(out)


def place_labels(results: Results, frame: geo.Frame, *, letter: float = 5.9) -> list[tuple[str, str, float, float]]:
    """Name, kind, longitude, latitude of places whose names do not overlap on the sheet, bigger places first.

    ``letter`` is the width of a small letter in units of the sheet.
    """
    return labels_in(results.background.get("places"), results.zones, frame, letter=letter)


def labels_in(
    layer: gpd.GeoDataFrame | None, zones: gpd.GeoDataFrame, frame: geo.Frame, *, letter: float
) -> list[tuple[str, str, float, float]]:
    """As ``place_labels``, of a layer of places (kind, name, geometry); of wards where there is none."""
    if layer is None or not len(layer):
        layer = _group_places(zones)
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
        half = letter * (1.3 if rank < 2 else 1.0) * len(name) / 2 + letter / 2
        box = (x - half, y - 1.5 * letter, x + half, y + 1.5 * letter)
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
        # A white edge first and the name on it: not every program knows in which order to paint the two of one text.
        text = Markup('<text x="{}" y="{}" text-anchor="middle" font-size="{}" font-weight="{}" {}>{}</text>')
        edge = Markup(
            'fill="none" stroke="#fff" stroke-opacity=".85" stroke-width="2.6" stroke-linejoin="round" aria-hidden="true"'
        )
        where = (round(x, 1), round(y + 4, 1), 13 if big else 10.5, 600 if big else 500)
        out += [text.format(*where, edge, name), text.format(*where, Markup('fill="#1d252c"'), name)]
    return out


def static_map(sheet: Sheet, view: MapView, *, title: str) -> Markup:
    """One map as SVG that refers to the sheet's symbols.

    Parameters
    ----------
    sheet : Sheet
    view : MapView
    title : str
        Says what it shows, for those who do not see it.
    """
    frame, p = sheet.frame, sheet.prefix
    out = [
        Markup('<svg class="map" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}">').format(
            frame.width, round(frame.height), title
        ),
        Markup('<use href="#{}under"/><g stroke="#fff" stroke-width=".8" stroke-linejoin="round">').format(p),
    ]
    for i, (value, hatched, dotted) in enumerate(zip(view.values, view.hatched, view.dotted, strict=True)):
        paint = f"url(#{p}off)" if hatched else view.scale.color(value)
        out.append(Markup('<use href="#{}z{}" fill="{}"/>').format(p, i, paint))
        if dotted:
            out.append(Markup('<use href="#{}z{}" fill="url(#{}unsure)"/>').format(p, i, p))
    out.append(Markup('</g><use href="#{}over"/>').format(p))
    for paths, dashes in ((sheet.new_routes, ""), (sheet.gone_routes, "7 6")):
        if path := paths.get(view.scenario, ""):
            out.append(
                Markup(
                    '<g fill="none" stroke-linejoin="round" stroke-linecap="{2}"><path d="{0}" stroke="#fff" '
                    'stroke-width="6"/><path d="{0}" stroke="{1}" stroke-width="3.2"{3}/></g>'
                ).format(
                    path,
                    NEW_ROUTE,
                    "butt" if dashes else "round",
                    Markup(' stroke-dasharray="{}"').format(dashes) if dashes else "",
                )
            )
    out.append(Markup('<use href="#{}names"/></svg>').format(p))
    return Markup("").join(out)


def with_symbols(drawn: Markup, symbols: Markup) -> Markup:
    """The map with the symbols that it refers to inside it, for programs that look nowhere else."""
    opening, _, rest = drawn.partition(Markup(">"))
    return opening + Markup("><defs>") + symbols + Markup("</defs>") + rest


def sheet_map(sheet: Sheet, view: MapView, *, credit: str) -> str:
    """One map as an SVG file of its own: title, map, legend, scale bar, north and credit.

    Parameters
    ----------
    sheet : Sheet
        Whose symbols the map refers to; they are put into the file.
    view : MapView
    credit : str
        Who made the data.
    """
    frame, left, top = sheet.frame, 14.0, 34.0 + 17.0 * len(view.lines)
    marks = [*zip(view.scale.colors, view.scale.labels, strict=True)]
    marks += [(mark.color or f"url(#{sheet.prefix}{mark.pattern})", mark.label) for mark in view.marks]
    width, height = frame.width + 250, top + max(frame.height, 22.0 * len(marks)) + 30
    height += 12 * credit.count("\n")
    out = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" '
            'font-family="Segoe UI, Helvetica, Arial, DejaVu Sans, sans-serif" fill="#17212a">'
            '<rect width="100%" height="100%" fill="#fff"/><defs>{2}</defs>'
        ).format(round(width), round(height), sheet.symbols),
        Markup('<text x="{}" y="24" font-size="18" font-weight="700">{}</text>').format(left, view.title),
    ]
    for i, line in enumerate(view.lines):
        out.append(
            Markup('<text x="{}" y="{}" font-size="12" fill="#505c66">{}</text>').format(left, 43 + 17 * i, line)
        )
    below = "\n".join(view.lines)
    drawn = static_map(sheet, view, title=f"{view.title}. {below}")
    out.append(
        Markup('<svg x="{}" y="{}" width="{:g}" height="{:g}">{}</svg>').format(
            left, top, frame.width, round(frame.height), drawn
        )
    )
    out.append(_furniture(frame, left, top))
    out.append(_legend(marks, left + frame.width + 14, top))
    for i, line in enumerate(credit.splitlines()):
        out.append(
            Markup('<text x="{}" y="{}" font-size="9" fill="#505c66">{}</text>').format(
                left, round(top + frame.height + 16 + 12 * i), line
            )
        )
    out.append(Markup("</svg>\n"))
    return str(Markup("").join(out))


def _furniture(frame: geo.Frame, left: float, top: float) -> Markup:
    """Scale bar at the lower left, north at the upper right."""
    km, length = frame.scale_bar[0], round(frame.scale_bar[1], 1)
    x, y, north = left + 14, round(top + frame.height - 14, 1), left + frame.width - 22
    return Markup(
        '<g fill="none" stroke="#17212a" stroke-width="1.4"><path d="M{0} {1}v6h{2}v-6"/>'
        '<path d="M{3} {4}v-24m-5 8l5-9l5 9"/></g>'
        '<g font-size="11" text-anchor="middle"><text x="{5}" y="{6}">{7:g} km</text>'
        '<text x="{3}" y="{8}" font-weight="700">N</text></g>'
    ).format(x, y - 6, length, north, top + 36, x + length / 2, y - 10, km, top + 50)


def _legend(rows: list[tuple[str, str]], x: float, top: float) -> Markup:
    """A box and a label for each class and mark."""
    out = []
    for i, (paint, label) in enumerate(rows):
        out.append(
            Markup(
                '<rect x="{}" y="{}" width="22" height="14" fill="{}" stroke="#000" stroke-opacity=".2"/>'
                '<text x="{}" y="{}" font-size="12">{}</text>'
            ).format(x, top + 22 * i, paint, x + 30, top + 22 * i + 11.5, label)
        )
    return Markup("").join(out)
