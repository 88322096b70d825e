"""What a worker does: see to it that program and folder are those of the client, then work on a block."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numba
import numpy as np

from community_routes.base.errors import MachineError, UsageError
from community_routes.base.version import __version__, code_hash
from community_routes.network.store import read_mapped
from community_routes.routing.engine import Work

TOKEN = "run.txt"
"""The file by which a worker knows that it sees the folder of the client and no other one of that name."""

_VISIBLE_S = 5.0
"""Network folders may show a new file some seconds late."""

_READY_KEPT = 2


@dataclass(frozen=True)
class Job:
    """What a block is worked on with, small enough to go with every task.

    Attributes
    ----------
    folder : str
        Folder of the run, which all machines see under this name.
    name : str
        Folder in it of what all blocks share.
    token : str
        Content of the file ``TOKEN`` of the folder.
    program : str
        ``program_id()`` of the client.
    work : Work
    """

    folder: str
    name: str
    token: str
    program: str
    work: Work


@dataclass(frozen=True)
class Done:
    """The result of a block, and the processor seconds that it took."""

    result: Any
    processor_s: float


def do_block(job: Job, block: Any) -> Done:
    """Work on a block.

    Raises
    ------
    MachineError
        The program is another one than the client's, or the memory does not suffice.
    UsageError
        The folder of the run cannot be seen.
    """
    from distributed import get_worker

    started, who = time.thread_time(), str(get_worker().address)
    check_program(job.program, who)
    try:
        result = job.work.block(_ready(job, who), block)
    except MemoryError:
        raise MachineError(
            f"the worker {who} ran out of memory; give it more, fewer threads, or blocks of fewer places"
        ) from None
    return Done(result, time.thread_time() - started)


def check_worker(folder: str, token: str, program: str, dask_worker: Any = None) -> None:
    """See to it that a worker, which dask gives, can serve a run.

    Raises
    ------
    MachineError, UsageError
        As ``check_program`` and ``check_folder``.
    """
    check_program(program, dask_worker.address)
    check_folder(folder, token, dask_worker.address)


@cache
def program_id() -> str:
    """Versions of this program, numba and numpy, and a hash over the program's modules: what results depend on."""
    return (
        f"community-routes {__version__} (code {code_hash()[:12]}), numba {numba.__version__}, numpy {np.__version__}"
    )


def check_program(program: str, who: str) -> None:
    """See to it that this worker runs the client's program.

    Raises
    ------
    MachineError
    """
    if program_id() != program:
        raise MachineError(
            f"the worker {who} has {program_id()}, this machine has {program}; install the same on all, for "
            "results do not depend on who worked them out, and start the worker again"
        )


def check_folder(folder: str, token: str, who: str) -> None:
    """See to it that this worker sees the client's folder.

    Raises
    ------
    UsageError
    """
    until = time.monotonic() + _VISIBLE_S
    while True:
        try:
            found = (Path(folder) / TOKEN).read_text("utf-8")
        except OSError as wrong:
            found, reason = None, wrong.strerror or str(wrong)
        if found == token:
            return
        if time.monotonic() > until:
            break
        time.sleep(0.2)
    what = f"does not see the folder {folder} ({reason})" if found is None else f"sees another folder at {folder}"
    raise UsageError(f"the worker {who} {what}; name a folder that every machine sees under the same path with --cache")


_kept: OrderedDict[tuple[str, str], Any] = OrderedDict()
_lock = threading.Lock()


def _ready(job: Job, who: str) -> Any:
    """What the blocks of a job are worked on with, prepared once by each process."""
    key = (job.folder, job.name)
    with _lock:
        if key not in _kept:
            check_folder(job.folder, job.token, who)
            try:
                shared = read_mapped(Path(job.folder) / job.name)
            except (OSError, ValueError) as wrong:
                raise MachineError(f"the worker {who} cannot read {Path(job.folder) / job.name}: {wrong}") from None
            _kept[key] = job.work.prepare(shared)
            while len(_kept) > _READY_KEPT:
                _kept.popitem(last=False)
        return _kept[key]
