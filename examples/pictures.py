"""What the examples share: where pictures go, and a plain map of neighbourhoods."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt


def folder() -> Path:
    """The folder named on the command line, else ``out/examples``."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("out/examples")
    path.mkdir(parents=True, exist_ok=True)
    return path


def save(figure: Any, name: str, out: Path) -> Path:
    """Write a figure and say where it is."""
    path = out / f"{name}.png"
    figure.savefig(path, dpi=110, bbox_inches="tight")
    plt.close(figure)
    print(path)
    return path


def map_of(zones: Any, values: Any, title: str, name: str, out: Path, *, colours: str = "YlGnBu") -> Path:
    """Neighbourhoods coloured by a value; those without one are grey."""
    figure, axes = plt.subplots(figsize=(7, 7))
    table = zones.table.assign(value=values)
    table.plot(
        "value",
        ax=axes,
        cmap=colours,
        legend=True,
        edgecolor="white",
        linewidth=0.4,
        missing_kwds={"color": "lightgrey"},
    )
    axes.set_title(f"{title}\nInvented sample borough")
    axes.set_axis_off()
    axes.set_aspect(1.7)
    return save(figure, name, out)
