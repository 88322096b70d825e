"""Figures of matplotlib as files that are the same on every run."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

_LOCK = threading.Lock()
_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "hatch.linewidth": 0.7,
    "svg.hashsalt": "community_routes",
}
_NAMELESS: Mapping[str, None] = {"Date": None, "Creator": None}


@contextmanager
def drawing(*, live_text: bool = True) -> Iterator[None]:
    """Matplotlib in the fonts of the report, for one thread at a time; ``live_text`` keeps text as text in SVG."""
    with _LOCK, matplotlib.rc_context({**_SETTINGS, "svg.fonttype": "none" if live_text else "path"}):
        yield


def picture_bytes(figure: Figure, ending: str, *, metadata: Mapping[str, None] = _NAMELESS) -> bytes:
    """The figure as ``png`` or ``svg``, without the time of drawing; within `drawing`."""
    content = io.BytesIO()
    if ending == "png":
        FigureCanvasAgg(figure).print_png(content, metadata={"Software": None})
    else:
        FigureCanvasSVG(figure).print_svg(content, metadata=dict(metadata))
    return content.getvalue()
