"""Figures of matplotlib as files that are the same on every run."""

from __future__ import annotations

import io
import struct
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

_LOCK = threading.Lock()
_SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "hatch.linewidth": 0.7,
    "svg.fonttype": "none",
    "svg.hashsalt": "community_routes",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Matplotlib in the fonts of the report, for one thread at a time; text stays text in SVG."""
    with _LOCK, matplotlib.rc_context(_SETTINGS):
        yield


def picture_bytes(figure: Figure, ending: str) -> bytes:
    """The figure as ``png`` or ``svg``, without the time of drawing; within `drawing`."""
    if ending == "png":
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return png_bytes(np.asarray(canvas.buffer_rgba()), figure.dpi)
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # most pictures are pixels

    content = io.BytesIO()
    FigureCanvasSVG(figure).print_svg(content, metadata={"Date": None, "Creator": None})
    return content.getvalue()


def png_bytes(pixels: NDArray[np.uint8], dots_per_inch: float) -> bytes:
    """Pixels, shape (height, width, 4), as a PNG file; without the alpha channel where nothing is see-through.

    Rows are packed as they are. The filters that libraries try on each row help photographs; flat colours come out larger
    with them, in three times the seconds.
    """
    height, width, _ = pixels.shape
    opaque = bool((pixels[..., 3] == 255).all())
    depth = 3 if opaque else 4
    rows = np.zeros((height, 1 + width * depth), np.uint8)
    for channel in range(depth):
        rows[:, 1 + channel :: depth] = pixels[..., channel]
    a_metre = round(dots_per_inch / 0.0254)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2 if opaque else 6, 0, 0, 0)),
        (b"pHYs", struct.pack(">IIB", a_metre, a_metre, 1)),
        (b"IDAT", zlib.compress(rows.data, 1)),
        (b"IEND", b""),
    )
    told = (
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part)) for name, part in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(told)


@dataclass(frozen=True, eq=False)
class Layer:
    """What was drawn before, in the box that holds all of it.

    Attributes
    ----------
    left, bottom : int
        Of the box in the picture, in pixels.
    pixels : uint8, shape (height, width, 4)
        The lowest row first.
    """

    left: int
    bottom: int
    pixels: NDArray[np.uint8]


class Layered:
    """Pictures of one size on one pair of axes, laid together from layers: what several of them show is drawn once.

    Within `drawing`.
    """

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._figure: Figure = axes.get_figure(root=True)  # type: ignore[assignment]
        FigureCanvasAgg(self._figure)

    def make_room(self, draw: Callable[[Axes], None]) -> None:
        """Give the axes their place beside what is drawn around them."""
        draw(self._axes)
        ConstrainedLayoutEngine().execute(self._figure)
        self._empty()

    def layer(self, draw: Callable[[Axes], None], facecolor: str = "none") -> Layer:
        """One layer alone, see-through where nothing is drawn."""
        self._figure.set_facecolor(facecolor)
        pixels = self.pixels([draw])[::-1]
        self._figure.set_facecolor("none")
        seen = pixels[..., 3] > 0
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        if not len(rows):
            return Layer(0, 0, pixels[:0])
        box = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Layer(int(columns[0]), int(rows[0]), np.ascontiguousarray(box))

    def pixels(self, parts: Iterable[Layer | Callable[[Axes], None]]) -> NDArray[np.uint8]:
        """Layers one over the other, those given as functions drawn now: shape (height, width, 4)."""
        width, height = self._figure.canvas.get_width_height()
        renderer = RendererAgg(width, height, self._figure.dpi)
        settings = renderer.new_gc()
        for part in parts:
            if isinstance(part, Layer):
                if part.pixels.size:
                    renderer.draw_image(settings, part.left, part.bottom, part.pixels)
            else:
                part(self._axes)
                self._figure.draw(renderer)
                self._empty()
        return np.asarray(renderer.buffer_rgba())

    def _empty(self) -> None:
        axes = self._axes
        for artist in (*axes.artists, *axes.patches, *axes.lines, *axes.texts, axes.get_legend()):
            if artist is not None:
                artist.remove()
        axes.set_title("", loc="left")
        axes.set_facecolor("none")
