"""Figures of matplotlib as files that are the same on every run."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

_LOCK = threading.Lock()
_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "hatch.linewidth": 0.7,
    "svg.hashsalt": "community_routes",
}
_PACKING = 3
"""Half the seconds of the usual 6, for a tenth more bytes."""
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
        packing = {"compress_level": _PACKING}
        FigureCanvasAgg(figure).print_png(content, metadata={"Software": None}, pil_kwargs=packing)
    else:
        FigureCanvasSVG(figure).print_svg(content, metadata=dict(metadata))
    return content.getvalue()


def pixels_of(figure: Figure) -> NDArray[np.uint8]:
    """What is drawn in a figure, shape (height, width, 4), the lowest row first; within `drawing`."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[::-1])


class Pixels(Artist):
    """What was drawn before, laid over a figure of the same size as it is: `figimage` would sample it anew each time."""

    def __init__(self, pixels: NDArray[np.uint8], zorder: float) -> None:
        super().__init__()
        self.set_zorder(zorder)
        self._pixels = pixels

    def draw(self, renderer: RendererBase) -> None:
        """Onto the whole figure."""
        settings = renderer.new_gc()
        renderer.draw_image(settings, 0, 0, self._pixels)
        settings.restore()
