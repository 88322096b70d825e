"""The pages that benchmarks write: a section for each study, of which those that were not measured anew stay as they were."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path


def conditions(runs: int, load: tuple[float, float]) -> str:
    """Where and how a section was measured."""
    said = (
        f"Medians of {runs} runs; {os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}, "
        f"{platform.system()}; {load[0]:.1f} processes wanted a processor when it began, {load[1]:.1f} when it ended."
    )
    return said + (" The machine was busy, so seconds are higher than on an idle one." if max(load) > 1.5 else "")


def busy() -> float:
    """One-minute mean of processes that want a processor; 0 where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)


def write_page(path: Path, head: Sequence[str], sections: Mapping[str, Sequence[str]]) -> None:
    """Write a page; a section of the page as it is whose title was not measured now is kept, in its place."""
    before = path.read_text("utf-8") if path.is_file() else ""
    kept = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", before, re.MULTILINE | re.DOTALL))
    lines = list(head)
    for title in dict.fromkeys([*kept, *sections]):
        body = "\n".join(sections[title]) if title in sections else kept[title].strip("\n")
        lines += ["", f"## {title}", "", body]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(path)
