"""Where the seconds of a run went, stage by stage, in processor time that adds up to the process's own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STAGES = ("read", "network", "routing", "measures", "compare", "report", "compile", "other")


def _compiled(*, of_thread: bool = False) -> float:
    """Processor seconds spent compiling; none where no kernel was wanted, and then numba is not even imported."""
    kernels = sys.modules.get("community_routes.base.kernels")
    if kernels is None:
        return 0.0
    return float(kernels.compile_seconds_of_thread() if of_thread else kernels.compile_seconds())


def peak_megabytes() -> float:
    """Largest memory this process has held so far, in millions of bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak * (1 if sys.platform == "darwin" else 1024) / 1e6)


@dataclass
class Stopwatch:
    """Adds up wall and processor seconds by stage; time inside an inner stage is not counted again in the outer one.

    Compiling kernels (not loading them from the cache) is a stage of its own, wherever it happens. What no stage claims
    is ``other``: starting Python, imports, printing.

    Work that goes on side by side has a watch for each thread (``of_thread``), which counts what that thread does alone;
    they are added to the first when all is done. Wall seconds of stages then add up to more than has passed.
    """

    of_thread: bool = False
    seconds: dict[str, list[float]] = field(default_factory=dict)
    searches: dict[str, int] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)
    _stack: list[list[float]] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside as this stage."""
        clock = time.thread_time if self.of_thread else time.process_time
        wall, processor, compiled = time.perf_counter(), clock(), _compiled(of_thread=self.of_thread)
        self._stack.append([0.0, 0.0, 0.0])
        try:
            yield
        finally:
            inner = self._stack.pop()
            wall = time.perf_counter() - wall
            processor = clock() - processor
            compiled = _compiled(of_thread=self.of_thread) - compiled
            mine = self.seconds.setdefault(name, [0.0, 0.0, 0.0])
            mine[0] += wall - inner[0]
            mine[1] += processor - inner[1] - (compiled - inner[2])
            mine[2] = peak_megabytes()
            if self._stack:
                outer = self._stack[-1]
                outer[0] += wall
                outer[1] += processor
                outer[2] += compiled

    def count(self, what: str) -> None:
        """Count a search: of a window, from all origins to all destinations, or of one pair."""
        self.searches[what] = self.searches.get(what, 0) + 1

    def add(self, other: Stopwatch) -> None:
        """Count what another watch has counted."""
        for name, (wall, processor, peak) in other.seconds.items():
            mine = self.seconds.setdefault(name, [0.0, 0.0, 0.0])
            mine[0] += wall
            mine[1] += processor
            mine[2] = max(mine[2], peak)
        for what, n in other.searches.items():
            self.searches[what] = self.searches.get(what, 0) + n

    def table(self) -> dict[str, dict[str, float]]:
        """``{"read": {"wall_s": ..., "processor_s": ..., "peak_mb": ...}, ...}`` for every stage."""
        rows = {name: self.seconds.get(name, [0.0, 0.0, 0.0]) for name in STAGES[:-2]}
        compiled = _compiled()
        known_wall = sum(row[0] for row in rows.values())
        known = sum(row[1] for row in rows.values()) + compiled
        rows["compile"] = [compiled, compiled, peak_megabytes()]
        wall = time.perf_counter() - self.started - known_wall
        rows["other"] = [max(wall, 0.0), max(time.process_time() - known, 0.0), peak_megabytes()]
        return {
            name: {"wall_s": round(row[0], 3), "processor_s": round(row[1], 3), "peak_mb": round(row[2], 1)}
            for name, row in rows.items()
        }

    def json(self) -> str:
        """The table as a JSON text; beside the stages ``searches``, how many of windows were made."""
        return json.dumps({**self.table(), "searches": self.searches}, indent=2) + "\n"
