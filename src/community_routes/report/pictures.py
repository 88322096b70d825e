"""Static maps for other documents: PNG and SVG in ``maps/``, one pair of files per figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.path import Path as MplPath
from matplotlib.textpath import TextPath, text_to_path
from matplotlib.transforms import Affine2D, Bbox
from numpy.typing import NDArray

from community_routes.report import words
from community_routes.report.cells import publish
from community_routes.report.figures import Figures, figures_of, strongest
from community_routes.report.files.geopackage import unique_names
from community_routes.report.lead import Slot, slot_name
from community_routes.report.maps import svg
from community_routes.report.maps.canvas import Pixels, drawing, picture_bytes, pixels_of
from community_routes.report.maps.description import MapView, asked_map
from community_routes.report.maps.matplotlib import (
    credit_line,
    draw_below,
    draw_lines,
    draw_names,
    draw_new_routes,
    draw_words,
    draw_zones,
)
from community_routes.report.pages.connected import STEPS, matrix_of
from community_routes.report.results import TODAY, Results

COLOURS = ("#f4ede2", "#d6e4e0", "#a5cbc6", "#2f7370", "#14514f")
_MOST_WARDS = 60
_DARK_FROM = 0.6
_INK = "#17212a"
_DPI = 160


def ward_picture(figures: Figures, ending: str) -> bytes | None:
    """Today's matrix at the first time of day as PNG or SVG; None where there is none.

    Wards on the left lead to wards above; a cell says how many in a hundred residents get there. Neither file holds the time
    of drawing. The caller sets fonts and keeps other threads out.
    """
    slot = figures.slots[0]
    table = matrix_of(figures, TODAY, slot)
    if table is None:
        return None
    share = table.pivot_table(index="from_group", columns="to_group", values="share", aggfunc="first")
    share = share.reindex(index=share.index.union(share.columns), columns=share.index.union(share.columns))
    there = share.index[share.notna().any(axis=1)]
    share = share.loc[there, there]
    if not 2 <= len(share) <= _MOST_WARDS:
        return None
    figure = _drawn(share, figures, slot_name(slot, figures.results.windows, list(figures.results.dates)))
    return picture_bytes(figure, ending, metadata={"Date": None})


def _drawn(share: pd.DataFrame, figures: Figures, when: str) -> Figure:
    n, values = len(share), share.to_numpy(dtype=np.float64)
    size = 2.6 + 0.36 * n
    figure = Figure(figsize=(size + 0.8, size), layout="constrained", facecolor="white", dpi=_DPI)
    axes = figure.add_subplot()
    colours = BoundaryNorm([0.0, *STEPS, 1.0 + 1e-9], len(COLOURS))
    axes.imshow(np.ma.masked_invalid(values), cmap=ListedColormap(list(COLOURS)), norm=colours)
    _write_numbers(axes, values)
    axes.set_xticks(range(n), list(share.columns), rotation=90, fontsize=8)
    axes.set_yticks(range(n), list(share.index), fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    cutoff = words.number(figures.headline_view.cutoff_min)
    title = f"{figures.results.title}: residents in a hundred who get from ward to ward\nwithin {cutoff} minutes today, {when}"
    axes.set_title(title, fontsize=9.5, loc="left")
    return figure


def _write_numbers(axes: Axes, values: NDArray[np.float64]) -> None:
    """A number in each cell, hundreds of them: each different one is put into outlines once, and all are one artist."""
    rows, columns = np.nonzero(np.isfinite(values))
    texts = [words.count(100 * value) for value in values[rows, columns]]
    outlines = {text: _centred(text) for text in dict.fromkeys(texts)}
    numbers = PathCollection(
        [outlines[text] for text in texts],
        offsets=np.column_stack([columns, rows]),
        offset_transform=axes.transData,
        facecolors=["white" if value + 1e-9 >= _DARK_FROM else _INK for value in values[rows, columns]],
        linewidths=0,
    )
    numbers.set_transform(Affine2D().scale(1 / 72) + axes.figure.dpi_scale_trans)
    axes.add_collection(numbers, autolim=False)


@lru_cache
def _centred(text: str) -> MplPath:
    """Outlines of a text of 7 points around its middle."""
    path = TextPath((0, 0), text, size=7)
    box = path.get_extents()
    return path.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))


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
        with drawing(live_text=False):
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
    """PNG maps of one size: what is the same on several of them is drawn once, as an image.

    Attributes
    ----------
    results : Results
    room : Bbox
        Of the map in the figure, beside the widest legend.
    below, lines, names : uint8, shape (height, width, 4)
        What lies under the neighbourhoods, on them, and above all.
    new_routes : dict of scenario to the like
    """

    results: Results
    room: Bbox
    below: NDArray[np.uint8]
    lines: NDArray[np.uint8]
    names: NDArray[np.uint8]
    new_routes: dict[str, NDArray[np.uint8]] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Results, views: Sequence[MapView]) -> _Sheets:
        """For these maps."""
        with drawing():
            room = _room(results, views)
            below = _layer(room, partial(draw_below, results=results), facecolor="white")
            lines, names = (_layer(room, partial(draw, results=results)) for draw in (draw_lines, draw_names))
            return cls(results, room, below, lines, names)

    def png(self, view: MapView) -> bytes:
        """One map, without the time of drawing in it."""
        with drawing():
            figure, axes = _figure(self.room)
            draw_zones(axes, self.results, view)
            draw_words(axes, self.results, view)
            if view.scenario not in self.new_routes:
                draw = partial(draw_new_routes, results=self.results, scenario=view.scenario)
                self.new_routes[view.scenario] = _layer(self.room, draw)
            figure.add_artist(Pixels(self.below, zorder=-1))
            for image in (self.lines, self.new_routes[view.scenario], self.names):
                figure.add_artist(Pixels(image, zorder=1))
            return picture_bytes(figure, "png")


def _figure(room: Bbox | None, facecolor: str = "none") -> tuple[Figure, Axes]:
    """A figure of the size of all maps, with axes where the map lies; anywhere until that is known."""
    figure = Figure(figsize=(10.4, 7.2), facecolor=facecolor, dpi=_DPI)
    axes = figure.add_subplot() if room is None else figure.add_axes(room.bounds)
    axes.set_facecolor("none")
    return figure, axes


def _room(results: Results, views: Sequence[MapView]) -> Bbox:
    """Where the map lies in every figure: the layout of the one with the longest words in its legend."""
    widest = max(views, key=_longest_words)
    figure, axes = _figure(None)
    draw_words(axes, results, widest)
    draw_names(axes, results)
    FigureCanvasAgg(figure)
    ConstrainedLayoutEngine().execute(figure)
    return axes.get_position(original=True)


def _longest_words(view: MapView) -> float:
    labels = [*view.scale.labels, *(mark.label for mark in view.marks)]
    return max(text_to_path.get_text_width_height_descent(label, FontProperties(), False)[0] for label in labels)


def _layer(room: Bbox, draw: Callable[[Axes], None], facecolor: str = "none") -> NDArray[np.uint8]:
    """One layer alone, see-through where nothing is drawn."""
    figure, axes = _figure(room, facecolor)
    draw(axes)
    return pixels_of(figure)


def _svg(results: Results, sheet: svg.Sheet, view: MapView) -> bytes:
    """The same figure as a small SVG with live text."""
    return svg.sheet_map(sheet, view, credit=credit_line(results)).encode("utf-8")
