"""Many small pieces of work on much that is known already: in processes that are split off and share it all.

Python code runs in one thread at a time, so that threads gain little where a piece is half Python. A process that is split off
(fork) has the networks and travel times of its parent without a copy; only numbers go in, and results come out. Elsewhere
than on Linux, where splitting off is not safe beside the system's own threads, threads do the same.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from community_routes.base.errors import MachineError

Done = TypeVar("Done")
_LOOKS_EVERY_S = 1.0
_work: Callable[[int], Any]


def done_side_by_side(
    work: Callable[[int], Done], n: int, processes: int, tell: Callable[[int], None] | None = None
) -> list[Done]:
    """The results of ``work`` for the numbers from 0 to ``n``, in their order.

    A fault ends it, and so does Ctrl-C: what is under way is finished, and no process stays behind. Should this process be
    killed, those that it split off end within a second.

    Parameters
    ----------
    work : callable of int
        Whose result can be pickled; it changes nothing.
    n : int
    processes : int
        One does it all here.
    tell : callable of int, optional
        Told how many are done, from this thread.

    Raises
    ------
    MachineError
        A process was killed, as where memory runs out.
    """
    if processes < 2 or n < 2:
        found = []
        for number in range(n):
            found.append(work(number))
            if tell is not None:
                tell(number + 1)
        return found
    pool, task = _pool(work, min(processes, n))
    try:
        with warnings.catch_warnings():
            # Threads of this process stay behind: progress, and kernels that are at rest; no lock of theirs is used there.
            warnings.filterwarnings("ignore", ".*fork.*", DeprecationWarning)
            under_way = [pool.submit(task, number) for number in range(n)]
        for count, one in enumerate(as_completed(under_way), start=1):
            one.result()
            if tell is not None:
                tell(count)
        return [one.result() for one in under_way]
    except BrokenProcessPool:
        message = "a process that worked on a part was killed, perhaps for want of memory; try again with --threads 1"
        raise MachineError(message) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(work: Callable[[int], Done], processes: int) -> tuple[Executor, Callable[[int], Done]]:
    """Who does it, and what each is asked."""
    if sys.platform != "linux":
        return ThreadPoolExecutor(processes), work
    fork = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(processes, fork, initializer=_begin, initargs=(work, os.getpid())), _do


def _begin(work: Callable[[int], Any], parent: int) -> None:
    """In a process that was split off: what is asked of it, and when to end."""
    global _work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it comes to all of a terminal; the parent tells the others
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent has been killed."""
    while os.getppid() == parent:
        time.sleep(_LOOKS_EVERY_S)
    os._exit(1)


def _do(number: int) -> Any:
    return _work(number)
