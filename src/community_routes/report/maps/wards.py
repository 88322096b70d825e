"""The matrix from ward to ward as a picture: PNG, and SVG with live text, in one layout."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path as MplPath
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Affine2D

from community_routes.report import words
from community_routes.report.figures import Figures, matrix_of
from community_routes.report.lead import slot_name
from community_routes.report.maps.canvas import picture_bytes
from community_routes.report.maps.scale import STEPS
from community_routes.report.results import TODAY

COLOURS = ("#f4ede2", "#d6e4e0", "#a5cbc6", "#2f7370", "#14514f")
_MOST_WARDS = 60
_DARK_FROM = 0.6
_NOISE = 1e-9
_INK = "#17212a"
_DPI = 160
_POINTS = 72.0
_NUMBER, _NAME, _TITLE = 7.0, 8.0, 9.5
"""Sizes of the letters in points."""
_GAP = 4.0
_LINE = 1.35


@dataclass(frozen=True)
class _Word:
    """A text around a point, in points from the upper left; ``anchor`` is ``start``, ``middle`` or ``end``."""

    text: str
    x: float
    y: float
    size: float
    anchor: str = "start"
    color: str = "#000000"
    is_upright: bool = False


@dataclass(frozen=True)
class _Drawing:
    """The picture in points: its size, the cells (left, top, colour), their side, and all words."""

    width: float
    height: float
    side: float
    cells: tuple[tuple[float, float, str], ...]
    words: tuple[_Word, ...]


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
    cutoff = words.number(figures.headline_view.cutoff_min)
    when = slot_name(slot, figures.results.windows, list(figures.results.dates))
    title = (
        f"{figures.results.title}: residents in a hundred who get from ward to ward",
        f"within {cutoff} minutes today, {when}",
    )
    drawing = _laid_out(share, title)
    return _png(drawing) if ending == "png" else _svg(drawing)


def _laid_out(share: pd.DataFrame, title: tuple[str, str]) -> _Drawing:
    """Names on the left and above, as much room as they need; square cells in the rest."""
    n, names = len(share), [str(name) for name in share.index]
    height = (2.6 + 0.36 * n) * _POINTS
    width = height + 0.8 * _POINTS
    longest = max(_width(name, _NAME) for name in names) + 2 * _GAP
    above = longest + 2 * _LINE * _TITLE + _GAP
    side = min(width - longest - _GAP, height - above - _GAP) / n
    left = longest + (width - longest - _GAP - n * side) / 2
    told = [_Word(line, left, _LINE * _TITLE * (i + 0.8), _TITLE) for i, line in enumerate(title)]
    for i, name in enumerate(names):
        middle = (i + 0.5) * side
        told.append(_Word(name, left - _GAP, above + middle, _NAME, "end"))
        told.append(_Word(name, left + middle, above - _GAP, _NAME, "start", is_upright=True))
    cells = []
    for (row, column), value in np.ndenumerate(share.to_numpy(np.float64)):
        if np.isfinite(value):
            x, y = left + column * side, above + row * side
            cells.append((x, y, COLOURS[sum(value + _NOISE >= step for step in STEPS)]))
            color = "#ffffff" if value + _NOISE >= _DARK_FROM else _INK
            told.append(_Word(words.count(100 * value), x + side / 2, y + side / 2, _NUMBER, "middle", color))
    return _Drawing(width, height, side, tuple(cells), tuple(told))


def _png(drawing: _Drawing) -> bytes:
    figure = Figure(figsize=(drawing.width / _POINTS, drawing.height / _POINTS), facecolor="white", dpi=_DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, drawing.width), ylim=(drawing.height, 0))
    square = MplPath([[0, 0], [0, 1], [1, 1], [1, 0], [0, 0]])
    cells = PathCollection(
        [square.transformed(Affine2D().scale(drawing.side, -drawing.side))],
        offsets=[cell[:2] for cell in drawing.cells],
        offset_transform=axes.transData,
        facecolors=[cell[2] for cell in drawing.cells],
        linewidths=0,
        antialiaseds=False,
    )
    texts = PathCollection(
        [_outline(w.text, w.size, w.anchor, is_upright=w.is_upright) for w in drawing.words],
        offsets=[(word.x, word.y) for word in drawing.words],
        offset_transform=axes.transData,
        facecolors=[word.color for word in drawing.words],
        linewidths=0,
    )
    for drawn in (cells, texts):
        drawn.set_transform(Affine2D().scale(1 / _POINTS) + figure.dpi_scale_trans)
        axes.add_collection(drawn, autolim=False)
    return picture_bytes(figure, "png")


def _width(text: str, size: float) -> float:
    return _span(_outline(text, size, "start", is_upright=False))[1]


@lru_cache(maxsize=256)
def _outline(text: str, size: float, anchor: str, *, is_upright: bool) -> MplPath:
    """Outlines of a text in points beside or around 0, half its capitals above and half below; turned to read upwards."""
    vertices, codes = text_to_path.get_text_path(FontProperties(family="DejaVu Sans"), text)
    path = MplPath(vertices, codes)
    path = path.transformed(Affine2D().scale(size / text_to_path.FONT_SCALE))
    first, last = _span(path)
    along = {"start": 0.0, "middle": (first + last) / 2, "end": last}[anchor]
    moved = Affine2D().translate(-along, -_CAPITAL * size / 2)
    return path.transformed(moved.rotate_deg(90) if is_upright else moved)


def _span(path: MplPath) -> tuple[float, float]:
    """Where a text begins and ends; by the points of its curves, for curves themselves are slow to measure."""
    across = np.asarray(path.vertices, np.float64)[np.asarray(path.codes) != MplPath.CLOSEPOLY, 0]
    return (float(across.min()), float(across.max())) if len(across) else (0.0, 0.0)


_CAPITAL = 0.73
"""Height of a capital letter, as a share of the size of the letters."""


def _svg(drawing: _Drawing) -> bytes:
    out = [
        Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0:g} {1:g}" width="{0:g}pt" height="{1:g}pt" '
            'font-family="DejaVu Sans, Segoe UI, Helvetica, Arial, sans-serif"><rect width="100%" height="100%" fill="#fff"/>'
        ).format(round(drawing.width, 1), round(drawing.height, 1))
    ]
    side = Markup('width="{0}" height="{0}" shape-rendering="crispEdges"').format(round(drawing.side, 2))
    for x, y, color in drawing.cells:
        out.append(Markup('<rect x="{}" y="{}" {} fill="{}"/>').format(round(x, 2), round(y, 2), side, color))
    for word in drawing.words:
        low = _CAPITAL * word.size / 2
        x, y = (word.x + low, word.y) if word.is_upright else (word.x, word.y + low)
        place = Markup('x="{}" y="{}"').format(round(x, 1), round(y, 1))
        if word.is_upright:
            place += Markup(' transform="rotate(-90 {} {})"').format(round(x, 1), round(y, 1))
        out.append(
            Markup('<text {} font-size="{:g}" text-anchor="{}" fill="{}">{}</text>').format(
                place, word.size, word.anchor, word.color, word.text
            )
        )
    return str(Markup("\n").join([*out, Markup("</svg>\n")])).encode("utf-8")
