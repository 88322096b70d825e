"""Maps and bars as matplotlib axes, for notebooks and for the files in ``maps/``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from textwrap import wrap
from typing import Any
from weakref import WeakKeyDictionary

import geopandas as gpd
import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path as MplPath
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.report.figures import Figures, strongest
from community_routes.report.lead import Slot, View
from community_routes.report.maps import geo, svg
from community_routes.report.maps.description import NEW_ROUTE, MapView, asked_map, routes_of
from community_routes.report.maps.ground import ground_of
from community_routes.report.results import TODAY, Results

_INK = "#17212a"
_PATTERNS: dict[str, dict[str, Any]] = {
    "off": {"facecolor": "#e9e7e1", "hatch": "////", "edgecolor": "#9a9c9c"},
    "unsure": {"facecolor": "white", "hatch": "....", "edgecolor": "#3b4147"},
}
_DOT: dict[str, Any] = {
    "linestyle": "",
    "marker": "o",
    "markersize": 2.8,
    "markerfacecolor": "white",
    "markeredgecolor": _INK,
    "markeredgewidth": 0.7,
}


def plot_map(
    results: Results,
    *,
    scenario: str = TODAY,
    change: bool = False,
    kind: str | None = None,
    day: str | None = None,
    window: str | None = None,
    cutoff_min: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one map: what each neighbourhood reaches today or with a proposal, or what the proposal changes.

    Parameters
    ----------
    results : Results
    scenario : str
        ``today`` or the id of a proposal.
    change : bool
        The change from today instead of the level; needs a proposal.
    kind, day, window, cutoff_min : optional
        What is shown; left out, what the report leads with for this proposal.
    ax : Axes, optional
        Where to draw; a new figure when left out.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        There is no such scenario or figure.
    """
    figures = Figures(results)
    slot, kind, view = _chosen(figures, scenario, kind, day, window, cutoff_min)
    return draw_map(results, asked_map(figures, scenario, slot, kind, view, change=change), ax)


def draw_map(results: Results, view: MapView, ax: Axes | None = None) -> Axes:
    """Draw a map of neighbourhoods on axes, new ones where none are given."""
    axes = new_axes(ax, (8.6, 7.4))
    draw_below(axes, results)
    draw_zones(axes, results, view)
    draw_lines(axes, results)
    draw_new_routes(axes, results, view.scenario)
    draw_names(axes, results)
    draw_title(axes, view)
    draw_legend(axes, results, view)
    return axes


def draw_below(axes: Axes, results: Results) -> None:
    """What lies under the neighbourhoods: land, green, water."""
    ground = _ground_of(results)
    axes.set_facecolor("#efede6")
    put(axes, ground.green, facecolor="#dbe5cc", linewidth=0)
    put(axes, ground.water, facecolor="#b9d3df", linewidth=0)
    fit(axes, ground.frame)


def draw_zones(axes: Axes, results: Results, view: MapView) -> None:
    """Coloured, hatched where there is no figure, dotted where the change cannot be told from zero: one path for each look."""
    ground = _ground_of(results)
    looks: dict[str, list[MplPath]] = {}
    for path, value, hatched, dotted in zip(ground.zones, view.values, view.hatched, view.dotted, strict=True):
        if path is not None:
            looks.setdefault("off" if hatched else view.scale.color(value), []).append(path)
            if dotted:
                looks.setdefault("unsure", []).append(path)
    for look in sorted(looks, key=lambda look: look == "unsure"):  # dots above the colours
        style = (
            {**_PATTERNS[look], "facecolor": "none"} if look == "unsure" else _PATTERNS.get(look, {"facecolor": look})
        )
        put(axes, MplPath.make_compound_path(*looks[look]), **style, linewidth=0)
    fit(axes, ground.frame)


def draw_lines(axes: Axes, results: Results) -> None:
    """What lies on the neighbourhoods: their edges, water seen through, railways, today's routes, areas to reach."""
    ground = _ground_of(results)
    edges = [path for path in ground.zones if path is not None]
    put(axes, MplPath.make_compound_path(*edges), fill=False, edgecolor="white", linewidth=0.5)
    put(axes, ground.water, facecolor="#7fa9bd", alpha=0.55, linewidth=0)
    put(axes, ground.rivers, fill=False, edgecolor="#7fa9bd", linewidth=1.0)
    put(axes, ground.roads, fill=False, edgecolor="white", linewidth=1.3, alpha=0.5)
    put(axes, ground.railways, fill=False, edgecolor="#777777", linewidth=0.8, linestyle=(0, (5, 3)))
    put(axes, ground.routes, fill=False, edgecolor="#2b3238", linewidth=0.6, alpha=0.6)
    put(axes, ground.outlines, fill=False, edgecolor="#6a3d9a", linewidth=0.6)
    fit(axes, ground.frame)


def draw_new_routes(axes: Axes, results: Results, scenario: str) -> None:
    """The new, changed and (dashed) withdrawn routes of a proposal."""
    frame = _ground_of(results).frame
    if scenario != TODAY:
        for withdrawn in (False, True):
            mine = routes_of(results, scenario, withdrawn=withdrawn)
            drawn = compound_path(geo.simple_lines(mine.geometry, frame), frame)
            style = (0, (3, 2)) if withdrawn else "solid"
            put(axes, drawn, fill=False, edgecolor="white", linewidth=4.2, capstyle="round")
            put(axes, drawn, fill=False, edgecolor=NEW_ROUTE, linewidth=2.2, capstyle="butt", linestyle=style)
    fit(axes, frame)


def draw_names(axes: Axes, results: Results) -> None:
    """Places to reach and names, above all else, with scale bar, north and credit."""
    ground = _ground_of(results)
    axes.plot(ground.dots[:, 0], ground.dots[:, 1], **_DOT)
    put_names(axes, ground.names, ground.frame)
    furnish(axes, ground.frame, credit_line(results))


def draw_title(axes: Axes, view: MapView) -> None:
    """Title, and below it whose map it is and when."""
    line = "\n".join(view.lines)
    axes.set_title(view.title, loc="left", fontsize=13, fontweight="bold", color=_INK, pad=32, parse_math=False)
    axes.text(0, 1.01, line, transform=axes.transAxes, fontsize=9, va="bottom", color="#505c66", parse_math=False)


def new_axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes given, or those of a new figure."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    axes: Axes = pyplot.subplots(figsize=size, layout="constrained")[1]
    return axes


def _chosen(
    figures: Figures, scenario: str, kind: str | None, day: str | None, window: str | None, cutoff_min: float | None
) -> tuple[Slot, str, View]:
    """The slot, kind and view asked for, else what the report leads with; stops when there is none such."""
    known = [TODAY, *(s.id for s in figures.results.scenarios)]
    if scenario not in known:
        raise UsageError(f"there is no scenario {scenario!r}; there are {', '.join(known)}")
    lead = next((s.id for s in figures.results.scenarios), TODAY) if scenario == TODAY else scenario
    slot, lead_kind = strongest(figures, lead) if lead != TODAY else (figures.slots[0], figures.headline_kinds[0])
    slots = [s for s in figures.slots if day in (None, s.day) and window in (None, s.window)]
    if not slots:
        raise UsageError(f"there is no window {window!r} on the day {day!r} in these results")
    view = figures.headline_view
    if cutoff_min is not None:
        view = View(view.measure, view.reading, float(cutoff_min))
    return slot if slot in slots else slots[0], kind or lead_kind, view


@dataclass(frozen=True, eq=False)
class _Ground:
    """What does not change from map to map, as paths on the sheet; None where there is nothing to draw."""

    frame: geo.Frame
    zones: tuple[MplPath | None, ...]
    green: MplPath | None
    water: MplPath | None
    rivers: MplPath | None
    roads: MplPath | None
    railways: MplPath | None
    routes: MplPath | None
    outlines: MplPath | None
    dots: NDArray[np.float64]
    names: tuple[tuple[str, str, float, float], ...]


_GROUND: WeakKeyDictionary[Results, _Ground] = WeakKeyDictionary()


def _ground_of(results: Results) -> _Ground:
    """Worked out once for the same results."""
    if results not in _GROUND:
        frame = geo.frame_of(results.zones)
        places = geo.simple_lines(results.destinations.geometry, frame)
        points = [geo.label_point(shape) for shape in places if not shape.is_empty and shape.area == 0]
        seen, ground = frame.metres_per_unit / 2, ground_of(results)

        def layer(name: str, *, areas: bool) -> MplPath | None:
            return compound_path([s for s in ground.layer(name, seen) if (s.area > 0) == areas], frame)

        _GROUND[results] = _Ground(
            frame=frame,
            zones=tuple(compound_path([shape], frame) for shape in geo.simple_zones(results.zones)),
            green=layer("green", areas=True),
            water=layer("water", areas=True),
            rivers=layer("water", areas=False),
            roads=layer("roads", areas=False),
            railways=layer("railways", areas=False),
            routes=compound_path([ground.network(seen)], frame),
            outlines=compound_path([shape for shape in places if shape.area > 0], frame),
            dots=frame.place(np.array(points)) if points else np.empty((0, 2)),
            names=tuple(svg.place_labels(results, frame, letter=8.2)),
        )
    return _GROUND[results]


def compound_path(shapes: Iterable[shapely.Geometry], frame: geo.Frame) -> MplPath | None:
    """All rings and lines as one compound path, so that what lies twice on one place is not drawn twice."""
    shapes = list(shapes)
    rings = geo.rings_of(shapes)
    if not len(rings.points):
        return None
    begins = np.r_[True, rings.ring[1:] != rings.ring[:-1]]
    closed = (shapely.area(np.array(shapes, object)) > 0)[rings.shape[rings.ring]]
    codes = np.full(len(begins), MplPath.LINETO)
    codes[np.r_[begins[1:], True] & closed] = MplPath.CLOSEPOLY
    codes[begins] = MplPath.MOVETO
    return MplPath(np.round(frame.place(rings.points), 1), codes)


def layer_path(layer: gpd.GeoDataFrame | None, frame: geo.Frame, *, areas: bool) -> MplPath | None:
    """The areas or the lines of a layer of the background."""
    if layer is None or not len(layer):
        return None
    shapes = geo.simple_lines(geo.big_enough(layer.geometry), frame, metres=frame.metres_per_unit / 2)
    return compound_path([shape for shape in shapes if (shape.area > 0) == areas], frame)


def put(axes: Axes, path: MplPath | None, **style: Any) -> None:
    """Add a path; nothing where there is none."""
    if path is not None:
        # As a patch it would be measured, hop by hop, for limits that are set by hand: more work than drawing it.
        axes.add_artist(PathPatch(path, **style))


def put_names(
    axes: Axes, names: Iterable[tuple[str, str, float, float]], frame: geo.Frame, *, above: float = 0.0
) -> None:
    """Write names (name, kind, longitude, latitude) with a white edge, so many units above their points."""
    from matplotlib.patheffects import withStroke

    for name, kind, lon, lat in names:
        x, y = frame.place(np.array([[lon, lat]]))[0]
        big = kind in ("city", "town")
        axes.text(
            x,
            y - above,
            name,
            ha="center",
            va="center",
            fontsize=9 if big else 7,
            fontweight="bold" if big else "normal",
            color=_INK,
            path_effects=[withStroke(linewidth=2, foreground="white", alpha=0.85)],
            clip_on=True,
            parse_math=False,
        )


def fit_map(axes: Axes, results: Results) -> None:
    """The limits of a map of the neighbourhoods."""
    fit(axes, _ground_of(results).frame)


def fit(axes: Axes, frame: geo.Frame) -> None:
    """The limits of a map, and nothing of a plot around it."""
    axes.set_xlim(0, frame.width)
    axes.set_ylim(frame.height, 0)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def furnish(axes: Axes, frame: geo.Frame, credit: str) -> None:
    """Limits, scale bar, north arrow, credit."""
    fit(axes, frame)
    km, length = frame.scale_bar
    x, y = frame.width * 0.03, frame.height - frame.width * 0.035
    axes.plot([x, x, x + length, x + length], [y - 7, y, y, y - 7], color=_INK, linewidth=1.2, solid_joinstyle="miter")
    axes.text(x + length / 2, y - 5, f"{km:g} km", ha="center", va="bottom", fontsize=8, color=_INK)
    top = frame.width * 0.09
    east = frame.width * 0.965
    axes.annotate(
        "N",
        xy=(east, top - 62),
        xytext=(east, top),
        ha="center",
        va="center",
        fontsize=10,
        fontweight="bold",
        color=_INK,
        arrowprops={"arrowstyle": "-|>", "color": _INK, "linewidth": 1.2},
    )
    put_credit(axes, credit)


def put_credit(axes: Axes, credit: str) -> None:
    """Who made the data, below the map."""
    axes.text(
        1.0,
        -0.012,
        credit,
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=6.5,
        color="#505c66",
        parse_math=False,
    )


_CREDIT_LETTERS = 150


def credit_line(results: Results) -> str:
    """Who made the data and the map, in one line."""
    found = list(dict.fromkeys(str(credit) for credit in results.sources["credit"].fillna("") if str(credit)))
    invented = ["Invented data"] if results.invented else []
    # Of several publishers each has lines of its own, no longer than a map is wide.
    told = " · ".join([*invented, *found, f"community_routes {results.version}"])
    return "\n".join(wrap(told, _CREDIT_LETTERS))


def draw_legend(axes: Axes, results: Results, view: MapView) -> None:
    """Classes and patterns, places and routes."""
    ground = _ground_of(results)
    handles: list[Any] = [
        Patch(facecolor=color, edgecolor="#00000030", label=label)
        for color, label in zip(view.scale.colors, view.scale.labels, strict=True)
    ]
    handles += [Patch(**_PATTERNS[mark.pattern], label=mark.label) for mark in view.marks if mark.pattern]
    if len(ground.dots):
        handles.append(Line2D([], [], **_DOT, label="place to reach"))
    if ground.outlines is not None:
        handles.append(Patch(facecolor="none", edgecolor="#6a3d9a", label="area to reach"))
    handles.append(Line2D([], [], color="#2b3238", linewidth=0.8, label="route today"))
    handles += [
        Line2D([], [], color=mark.color, linewidth=2.4, linestyle=":" if mark.dashed else "-", label=mark.label)
        for mark in view.marks
        if not mark.pattern
    ]
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.005, 1.0),
        frameon=False,
        fontsize=8,
        handlelength=1.6,
        borderaxespad=0.0,
    )
