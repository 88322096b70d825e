"""Static maps for other documents: PNG and SVG in ``maps/``, one pair of files per figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from community_routes.report import words
from community_routes.report.cells import publish
from community_routes.report.figures import Figures, figures_of, strongest
from community_routes.report.files.geopackage import unique_names
from community_routes.report.lead import Slot, slot_name
from community_routes.report.maps import svg
from community_routes.report.maps.canvas import drawing, picture_bytes
from community_routes.report.maps.description import MapView, asked_map
from community_routes.report.maps.matplotlib import credit_line, draw_map
from community_routes.report.pages.connected import STEPS, matrix_of
from community_routes.report.results import TODAY, Results

COLOURS = ("#f4ede2", "#d6e4e0", "#a5cbc6", "#2f7370", "#14514f")
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
    return picture_bytes(figure, ending, metadata={"Date": None})


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
    for (scenario, change, kind, slot), name in zip(wanted, unique_names(names, ()), strict=True):
        view = asked_map(figures, scenario, slot, kind, figures.headline_view, change=change)
        for ending in endings:
            written.append(Path(folder) / "maps" / f"{name}.{ending}")
            publish(written[-1], _png(results, view) if ending == "png" else _svg(results, sheet, view))
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


def _png(results: Results, view: MapView) -> bytes:
    """One figure, without the time of drawing in it."""
    with drawing():
        figure = Figure(figsize=(10.4, 7.2), layout="constrained", facecolor="white", dpi=_DPI)
        draw_map(results, view, figure.add_subplot())
        return picture_bytes(figure, "png")


def _svg(results: Results, sheet: svg.Sheet, view: MapView) -> bytes:
    """The same figure as a small SVG with live text."""
    return svg.sheet_map(sheet, view, credit=credit_line(results)).encode("utf-8")
