"""Many proposals evaluated side by side on one baseline: the same figures in the same order, whatever the threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from community_routes.base.timings import Stopwatch
from community_routes.evaluation.case import Study
from community_routes.evaluation.evaluate import Evaluation, Progress, evaluate
from community_routes.routing.engine import Engine
from community_routes.scenarios.file import Scenario

MOST_BYTES = 600_000_000
"""Travel times that evaluations under way may hold together; beyond it fewer go on at once."""


class _StoppedError(BaseException):
    """Another proposal failed, or the work was interrupted: nobody waits for this one any more."""


def evaluate_all(
    study: Study,
    scenarios: Sequence[Scenario],
    *,
    base: Evaluation,
    threads: int = 1,
    engine: Engine | None = None,
    stopwatch: Stopwatch | None = None,
    progress: Progress | None = None,
) -> list[Evaluation]:
    """Evaluate proposals, each beside the others, and take over from the baseline what they do not touch.

    Parameters
    ----------
    study : Study
    scenarios : sequence of Scenario
    base : Evaluation
        Today's.
    threads : int
        So many proposals at once, or fewer where their travel times would need too much memory; of a single proposal so
        many blocks of destinations. It changes no byte.
    engine : Engine, optional
        Searches in the place of threads; the proposals come one after the other then.
    stopwatch : Stopwatch, optional
    progress : callable of str, optional
        Told what is being done, from one thread at a time.

    Returns
    -------
    list of Evaluation
        In the order of the scenarios.

    Raises
    ------
    ScenarioError
        Of the first proposal, in their order, that cannot be evaluated.
    """
    watch = stopwatch or Stopwatch()
    tell = progress or (lambda _: None)
    at_once = min(threads, len(scenarios), max(1, MOST_BYTES // max(1, largest_times(base))))
    if engine is not None or at_once < 2:
        one = partial(evaluate, base=base, threads=threads, engine=engine, stopwatch=watch, progress=tell)
        return [one(study, scenario) for scenario in scenarios]
    watches = [Stopwatch(of_thread=True) for _ in scenarios]
    together = _Together(tell, len(scenarios))
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="proposal")
    try:
        under_way = [
            pool.submit(together.run, partial(evaluate, study, each, base=base, stopwatch=own, progress=together.tell))
            for each, own in zip(scenarios, watches, strict=True)
        ]
        # In order, so that which failure is told does not hang on the threads.
        return [one.result() for one in under_way]
    finally:
        together.stop()
        pool.shutdown(cancel_futures=True)
        for own in watches:
            watch.add(own)


def evaluate_worst(study: Study, scenarios: Sequence[Scenario], **how: Any) -> list[Evaluation]:
    """Today and proposals by the worse bound of a step-free study that asks for both; nothing where it does not.

    ``how`` are the threads, engine, stopwatch and progress of ``evaluate_all``.
    """
    if study.file.travel.step_free is not True:
        return []
    bound = study.at_bound("worst")
    today = evaluate(bound, **how)
    return [today, *evaluate_all(bound, scenarios, base=today, **how)]


def largest_times(base: Evaluation) -> int:
    """Bytes of travel times that the evaluation of one window holds: for every departure, and again for each budget."""
    file = base.study.file
    n_budgets = len(file.fares.budgets) if file.fares is not None else 0
    n_departures = max((len(base.query(window).departures_s) for _, window in base.median_s), default=1)
    pairs = max((times.size for times in base.median_s.values()), default=1)
    return 2 * int(np.dtype(np.int32).itemsize) * pairs * n_departures * (1 + n_budgets)


class _Together:
    """Several pieces of work that speak through one voice, and stop together."""

    def __init__(self, tell: Progress, n: int) -> None:
        self._tell, self._n = tell, n
        self._done = 0
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def tell(self, text: str) -> None:
        """Pass on what one of them is doing; the place where it ends when it need not go on."""
        if self._stopped.is_set():
            raise _StoppedError
        with self._lock:
            self._tell(f"{text}, {self._done} of {self._n} scenarios done")

    def run(self, work: Callable[[], Evaluation]) -> Evaluation:
        """Do one piece."""
        found = work()
        with self._lock:
            self._done += 1
        return found

    def stop(self) -> None:
        """Nobody waits for the rest."""
        self._stopped.set()
