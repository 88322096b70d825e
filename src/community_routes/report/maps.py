"""Static maps for other documents: PNG and SVG in ``maps/``, one pair of files per figure."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from community_routes.errors import UsageError
from community_routes.report import drawing, mapdata
from community_routes.report.cells import publish
from community_routes.report.figures import Figures, Slot, strongest
from community_routes.report.geopackage import unique_names
from community_routes.report.heat import ward_picture
from community_routes.report.plots import credit_line, draw_map, map_title
from community_routes.report.results import TODAY, Results

_DPI = 160
_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "hatch.linewidth": 0.7,
}
_LOCK = threading.Lock()


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
    figures = Figures(results)
    sheet = drawing.sheet_of(results, prefix="m-", width=760.0)
    written: list[Path] = []
    wanted, names = list(wanted_maps(figures)), []
    for scenario, change, kind, slot in wanted:
        shown = "change" if change else "today" if scenario == TODAY else "with"
        parts = (
            [shown, kind, slot.day, slot.window] if shown == "today" else [scenario, shown, kind, slot.day, slot.window]
        )
        names.append("-".join(_file_part(part) for part in parts))
    for (scenario, change, kind, slot), name in zip(wanted, unique_names(names, ()), strict=True):
        for ending in endings:
            written.append(Path(folder) / "maps" / f"{name}.{ending}")
            if ending == "png":
                publish(written[-1], _png(figures, scenario, change, kind, slot))
            else:
                publish(written[-1], _svg(figures, sheet, scenario, change, kind, slot))
    for ending in endings:
        with _LOCK, matplotlib.rc_context({**_SETTINGS, "svg.hashsalt": "community_routes"}):
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


def _png(figures: Figures, scenario: str, change: bool, kind: str, slot: Slot) -> bytes:
    """One figure, without the time of drawing in it."""
    with _LOCK, matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(10.4, 7.2), layout="constrained", facecolor="white", dpi=_DPI)
        draw_map(figures, scenario, change, kind, slot.day, slot.window, None, figure.add_subplot())
        content = io.BytesIO()
        FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    return content.getvalue()


def _svg(figures: Figures, sheet: drawing.Sheet, scenario: str, change: bool, kind: str, slot: Slot) -> bytes:
    """The same figure as a small SVG with live text."""
    results, view = figures.results, figures.headline_view
    pair = mapdata.scales(figures, kind, view)
    table, column = ("comparison", "change") if change else ("access", "value")
    values = figures.zone_values(table, column, scenario, slot, kind, view)
    if pair is None or values is None:
        raise UsageError(f"there is no {column} of {kind!r} for {scenario!r} on {slot.day}, {slot.window}")
    scale = pair[1] if change else pair[0]
    off = (results.zones["reason"].astype(str) == "off_network").to_numpy()
    unsure = figures.is_unsure(scenario, slot, kind, view) if change else None
    title, line = map_title(figures, scenario, change, slot, kind, view)
    drawn = drawing.static_map(
        sheet, values, scale, title=f"{title}. {line}", off=off, scenario=scenario, unsure=unsure
    )
    marks = [("url(#m-off)", "outside the streets of this study")] if off.any() else []
    if unsure is not None and unsure.any():
        marks.append(("url(#m-unsure)", "cannot be told from no change"))
    if scenario != TODAY:
        marks.append((drawing.NEW_ROUTE, "new or changed route"))
    text = drawing.sheet_map(
        sheet,
        drawn,
        title=title,
        lines=tuple(line.split("\n")),
        scale=scale,
        marks=tuple(marks),
        credit=credit_line(results),
    )
    return text.encode("utf-8")
