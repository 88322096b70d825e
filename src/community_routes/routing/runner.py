"""How work is done, one thing instead of four: on how many threads or by which engine, timed by what, told to whom."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from community_routes.base.timings import Stopwatch
from community_routes.network.network import Network
from community_routes.routing.engine import Engine, LocalEngine
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import cube_by_departure

Progress = Callable[[str], None]
WINDOWS, PAIRS = "windows", "pairs"


def _to_nobody(_: str) -> None:
    """Progress that nobody asked for."""


class Running(TypedDict, total=False):
    """What a public function takes by keyword to make its ``Runner`` of; progress that is left out is told to nobody."""

    threads: int
    engine: Engine | None
    stopwatch: Stopwatch | None
    progress: Progress | None


@dataclass(frozen=True)
class Runner:
    """How work is done; it changes no byte of what comes out.

    Attributes
    ----------
    threads : int
    engine : Engine or None
        Searches windows block by block in the place of threads.
    stopwatch : Stopwatch
        Counts seconds, and searches.
    tell : callable of str
        Told what is being done, from one thread at a time.
    """

    threads: int = 1
    engine: Engine | None = None
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    tell: Progress = _to_nobody

    @classmethod
    def of(
        cls,
        threads: int = 1,
        engine: Engine | None = None,
        stopwatch: Stopwatch | None = None,
        progress: Progress | None = None,
    ) -> Runner:
        """The parameters of a public function as one."""
        return cls(threads, engine, stopwatch or Stopwatch(), progress or _to_nobody)

    @property
    def blocks(self) -> Engine:
        """The engine; where there is none, the threads as one."""
        return self.engine or LocalEngine(self.threads)

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Count what happens inside as this stage."""
        return self.stopwatch.stage(name)

    def cube(self, network: Network, query: Query, walks: Walks, what: str = "") -> NDArray[np.int16]:
        """Travel times of a window, counted as a search: int16, shape (n_origins, n_departures, n_destinations)."""
        self.stopwatch.count(WINDOWS)
        return cube_by_departure(
            network,
            query,
            walks,
            threads=self.threads,
            engine=self.engine,
            tell=lambda part: self.tell(f"{what}, {part}"),
        )
