"""The ward-to-ward matrix as a picture for other documents."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from community_routes.report import words
from community_routes.report.connected import STEPS, matrix_of
from community_routes.report.figures import Figures, slot_name
from community_routes.report.results import TODAY

COLOURS = ("#f4ede2", "#d6e4e0", "#a5cbc6", "#3f8a86", "#14514f")
_MOST_WARDS = 60
_DARK_FROM = 0.6
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
    content = io.BytesIO()
    if ending == "png":
        FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    else:
        FigureCanvasSVG(figure).print_svg(content, metadata={"Date": None})
    return content.getvalue()


def _drawn(share: pd.DataFrame, figures: Figures, when: str) -> Figure:
    n, values = len(share), share.to_numpy(dtype=np.float64)
    size = 2.6 + 0.36 * n
    figure = Figure(figsize=(size + 0.8, size), layout="constrained", facecolor="white", dpi=_DPI)
    axes = figure.add_subplot()
    colours = BoundaryNorm([0.0, *STEPS, 1.0 + 1e-9], len(COLOURS))
    axes.imshow(np.ma.masked_invalid(values), cmap=ListedColormap(list(COLOURS)), norm=colours)
    for row in range(n):
        for column in range(n):
            if np.isfinite(values[row, column]):
                ink = "white" if values[row, column] + 1e-9 >= _DARK_FROM else "#17212a"
                text = words.count(100 * values[row, column])
                axes.text(column, row, text, ha="center", va="center", fontsize=7, color=ink)
    axes.set_xticks(range(n), list(share.columns), rotation=90, fontsize=8)
    axes.set_yticks(range(n), list(share.index), fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    cutoff = words.number(figures.headline_view.cutoff_min)
    title = f"{figures.results.title}: residents in a hundred who get from ward to ward\nwithin {cutoff} minutes today, {when}"
    axes.set_title(title, fontsize=9.5, loc="left")
    return figure
