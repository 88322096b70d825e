"""Static maps for other documents: PNG and SVG in ``maps/``, one pair of files per figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from community_routes.report.cells import publish
from community_routes.report.figures import Figures, figures_of, strongest
from community_routes.report.files.geopackage import unique_names
from community_routes.report.lead import Slot
from community_routes.report.maps import svg
from community_routes.report.maps.canvas import Layer, Layered, drawing, png_bytes
from community_routes.report.maps.description import MapView, Mark, asked_map
from community_routes.report.maps.matplotlib import (
    credit_line,
    draw_below,
    draw_legend,
    draw_lines,
    draw_names,
    draw_new_routes,
    draw_title,
    draw_zones,
    fit_map,
    put_credit,
)
from community_routes.report.maps.scale import Scale
from community_routes.report.maps.wards import ward_picture
from community_routes.report.results import TODAY, Results

_DPI = 160


def write_maps(results: Results, folder: str | Path, *, endings: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Draw today, each proposal and its change, where and when it changes most, with scale bar, north and credit.

    Parameters
    ----------
    results : Results
    folder : path
        The files go into ``maps`` in it: ``<scenario>-<today|with|change>-<kind>-<day>-<window>.png`` and ``.svg``, and
        ``ward-matrix.png`` and ``.svg`` where wards are compared.
    endings : sequence of "png", "svg"
        Which kinds of picture.

    Returns
    -------
    list of Path
    """
    figures = figures_of(results)
    sheet = svg.sheet_of(results, prefix="m-", width=760.0)
    written: list[Path] = []
    wanted, names = list(wanted_maps(figures)), []
    for scenario, change, kind, slot in wanted:
        shown = "change" if change else "today" if scenario == TODAY else "with"
        parts = [shown, kind, slot.day, slot.window]
        names.append("-".join(_file_part(part) for part in (parts if shown == "today" else [scenario, *parts])))
    views = [
        asked_map(figures, scenario, slot, kind, figures.headline_view, change=change)
        for scenario, change, kind, slot in wanted
    ]
    sheets = _Sheets.of(results, views) if views and "png" in endings else None
    for view, name in zip(views, unique_names(names, ()), strict=True):
        for ending in endings:
            written.append(Path(folder) / "maps" / f"{name}.{ending}")
            publish(written[-1], _svg(results, sheet, view) if sheets is None or ending == "svg" else sheets.png(view))
    for ending in endings:
        with drawing():
            picture = ward_picture(figures, ending)
        if picture is not None:
            written.append(Path(folder) / "maps" / f"ward-matrix.{ending}")
            publish(written[-1], picture)
    return written


def wanted_maps(figures: Figures) -> list[tuple[str, bool, str, Slot]]:
    """Scenario, whether its change, kind and slot of each map; without proposals today's first slot."""
    wanted: dict[tuple[str, bool, str, Slot], None] = {}
    for scenario in figures.results.scenarios:
        slot, kind = strongest(figures, scenario.id)
        wanted |= {(TODAY, False, kind, slot): None, (scenario.id, False, kind, slot): None}
        wanted[scenario.id, True, kind, slot] = None
    if not figures.results.scenarios:
        wanted |= {(TODAY, False, kind, figures.slots[0]): None for kind in figures.headline_kinds}
    return list(wanted)


def _file_part(text: str) -> str:
    """Letters, digits, hyphens and underscores only: names from data never become paths."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-") or "x"


@dataclass(frozen=True, eq=False)
class _Sheets:
    """PNG maps of one size: what is the same on several of them is drawn once.

    Attributes
    ----------
    results : Results
    layered : Layered
    below, lines, names : Layer
        What lies under the neighbourhoods, on them, and above all.
    new_routes : dict of scenario to Layer
    legends : dict of scale and marks to Layer
    """

    results: Results
    layered: Layered
    below: Layer
    lines: Layer
    names: Layer
    new_routes: dict[str, Layer] = field(default_factory=dict)
    legends: dict[tuple[Scale, tuple[Mark, ...]], Layer] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Results, views: Sequence[MapView]) -> _Sheets:
        """For these maps."""
        with drawing():
            layered = Layered(Figure(figsize=(10.4, 7.2), facecolor="none", dpi=_DPI).add_subplot())
            layered.make_room(partial(_draw_around, results=results, view=max(views, key=_longest_words)))
            below = layered.layer(partial(draw_below, results=results), facecolor="white")
            lines, names = (layered.layer(partial(draw, results=results)) for draw in (draw_lines, draw_names))
            return cls(results, layered, below, lines, names)

    def png(self, view: MapView) -> bytes:
        """One map, without the time of drawing in it."""
        with drawing():
            if view.scenario not in self.new_routes:
                routes = partial(draw_new_routes, results=self.results, scenario=view.scenario)
                self.new_routes[view.scenario] = self.layered.layer(routes)
            told = view.scale, tuple(view.marks)
            if told not in self.legends:
                self.legends[told] = self.layered.layer(partial(draw_legend, results=self.results, view=view))
            parts = (
                self.below,
                partial(draw_zones, results=self.results, view=view),
                self.lines,
                self.new_routes[view.scenario],
                self.names,
                self.legends[told],
                partial(draw_title, view=view),
            )
            return png_bytes(self.layered.pixels(parts), _DPI)


def _draw_around(axes: Axes, results: Results, view: MapView) -> None:
    """What stands around the map."""
    fit_map(axes, results)
    draw_title(axes, view)
    draw_legend(axes, results, view)
    put_credit(axes, credit_line(results))


def _longest_words(view: MapView) -> float:
    labels = [*view.scale.labels, *(mark.label for mark in view.marks)]
    return max(text_to_path.get_text_width_height_descent(label, FontProperties(), False)[0] for label in labels)


def _svg(results: Results, sheet: svg.Sheet, view: MapView) -> bytes:
    """The same figure as a small SVG with live text."""
    return svg.sheet_map(sheet, view, credit=credit_line(results)).encode("utf-8")
