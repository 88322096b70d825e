"""Who works on the blocks of a search, from ``--engine`` and ``--scheduler``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from community_routes.base.errors import UsageError
from community_routes.commands.console import Console
from community_routes.commands.options import Common, EngineKind
from community_routes.routing.engine import Engine


def check_engine(kind: EngineKind, scheduler: str | None, cache: str | None) -> None:
    """See to it that the options fit each other, before anything is read.

    Raises
    ------
    UsageError
    """
    if kind is EngineKind.LOCAL and scheduler is not None:
        raise UsageError(f"--scheduler {scheduler} is for the workers of a cluster; write --engine dask as well")
    if kind is EngineKind.DASK and scheduler is not None and cache == "none":
        raise UsageError("workers of other machines need a folder that all of them see; name one with --cache")


@contextmanager
def engine_of(console: Console, kind: EngineKind, scheduler: str | None, common: Common) -> Iterator[Engine | None]:
    """The engine that was asked for, None for threads of this process; the cluster is let go of at the end."""
    if kind is EngineKind.LOCAL:
        yield None
        return
    from community_routes.network.kept import cache_folder
    from community_routes.routing.cluster.engine import DaskEngine

    folder = cache_folder(common.cache) if scheduler is not None else None
    with DaskEngine(scheduler, folder=folder, workers=common.threads, tell=console.progress) as engine:
        n_workers, n_threads = engine.n_workers, engine.n_threads
        console.remark(
            f"searching with {n_workers} worker{'s' * (n_workers != 1)} of {n_threads} thread{'s' * (n_threads != 1)} in all"
        )
        yield engine
        console.remark(f"the workers took {engine.processor_s:.1f} seconds of their processors")
