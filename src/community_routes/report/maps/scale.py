"""Classes and colours of a map: one scale for today and every proposal, one about zero for the change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from community_routes.report.words import MINUS, number

# ColorBrewer YlGnBu (sequential) and BrBG (diverging): told apart with every common kind of colour blindness.
SEQUENTIAL = ("#ffffd9", "#d6efb3", "#8fd3ba", "#41a9c1", "#2a6cae", "#1c2f7c")
LOSSES = ("#8c510a", "#cf9f4f", "#f2dfb4")
GAINS = ("#bfe6df", "#4ba79c", "#01554b")
NO_CHANGE = "#f4f3ef"
_N_CLASSES = 6
STEPS = (0.2, 0.4, 0.6, 0.8)
"""Shares at which the shade of a cell from ward to ward changes."""


@dataclass(frozen=True)
class Scale:
    """Classes with a colour each; class ``i`` holds ``breaks[i - 1] <= value < breaks[i]``.

    Attributes
    ----------
    breaks : tuple of float
        Inner limits, rising; one fewer than the colours.
    colors : tuple of str
        ``#rrggbb``.
    labels : tuple of str
        What the legend says of each class.
    """

    breaks: tuple[float, ...]
    colors: tuple[str, ...]
    labels: tuple[str, ...]

    def color(self, value: float) -> str:
        """Colour of a value that is not missing."""
        return self.colors[int(np.searchsorted(self.breaks, value, side="right"))]


def nice(value: float) -> float:
    """The number with one or two leading digits (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8) nearest to a positive value."""
    power = 10.0 ** np.floor(np.log10(value))
    steps = np.array([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])
    return float(np.round(steps[np.argmin(np.abs(steps - value / power))] * power, 10))


def sequential_scale(values: NDArray[np.float64], *, low_is_good: bool = False) -> Scale:
    """Six classes or fewer, about equally full, with limits that are easy to read; dark is good."""
    there = values[np.isfinite(values)]
    found = np.quantile(there[there > 0], np.arange(1, _N_CLASSES) / _N_CLASSES) if np.any(there > 0) else np.empty(0)
    limits = sorted({nice(value) for value in found})
    breaks = tuple(limit for limit in limits if there.min() < limit <= there.max())
    picked = np.linspace(0, _N_CLASSES - 1, len(breaks) + 1).round().astype(int)
    colors = [SEQUENTIAL[i] for i in picked] if len(breaks) else [SEQUENTIAL[2]]
    if low_is_good:
        colors = colors[::-1]
    return Scale(breaks, tuple(colors), _range_labels(breaks))


def _range_labels(breaks: Sequence[float]) -> tuple[str, ...]:
    if not breaks:
        return ("all",)
    inner = [f"{number(a)} to {number(b)}" for a, b in pairwise(breaks)]
    return (f"under {number(breaks[0])}", *inner, f"{number(breaks[-1])} and more")


def change_scale(values: NDArray[np.float64], *, low_is_good: bool = False) -> Scale:
    """Seven classes about zero, the same size on both sides: three losses, no change, three gains."""
    sizes = np.abs(values[np.isfinite(values) & (np.abs(values) > 1e-9)])
    if len(sizes):
        top = max(float(np.quantile(sizes, 0.95)), 0.02)
        limits = sorted({nice(top / 4), nice(top / 1.6)})
    else:
        limits = [1.0, 2.0]
    if len(limits) == 1:
        limits = [limits[0] / 2, limits[0]]
    a, b = limits
    tiny = 1e-9
    breaks = (-b, -a, -tiny, tiny, a, b)
    colors = (*LOSSES, NO_CHANGE, *GAINS)
    if low_is_good:
        colors = colors[::-1]
    low, high = number(a), number(b)
    labels = (
        f"{MINUS}{high} or beyond",
        f"{MINUS}{low} to {MINUS}{high}",
        f"0 to {MINUS}{low}",
        "no change",
        f"0 to +{low}",
        f"+{low} to +{high}",
        f"+{high} and more",
    )
    return Scale(breaks, colors, labels)
