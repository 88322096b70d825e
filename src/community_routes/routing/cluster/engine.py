"""Spreads the blocks of a search over the workers of a dask cluster, and lives with workers that are lost."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import re
import shutil
import socket
import tempfile
import time
import uuid
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from community_routes.base.errors import CommunityRoutesError, MachineError, UsageError
from community_routes.network.packing import Packed
from community_routes.network.store import write_mapped
from community_routes.routing.cluster import own_worker
from community_routes.routing.cluster.worker import TOKEN, Done, Job, check_worker, do_block, program_id
from community_routes.routing.engine import Work, tell_blocks

CONNECT_S = 10.0
"""A scheduler that has not answered by then is not there."""

_LOOK_S = 0.5
_GATHER_S = 120.0
_MOST_TRIES = 2
"""The scheduler itself gives a block to three more workers before it says that it was lost."""
_BLOCKS_OF_A_SLOT = 2
_LEFT_BEHIND_S = 7 * 24 * 3600
_ADDRESS = re.compile(r"((tcp|tls)://)?(\[[0-9a-fA-F:]+\]|[^\s/:\[\]]+):\d{1,5}/?")
_FOLDER = "cluster"

Tell = Callable[[str], None]


@dataclass
class _Task:
    """A block under way."""

    number: int
    future: Any
    tries: int = 1


class DaskEngine:
    """The workers of a dask cluster; close it after use, or use it in a ``with`` statement.

    What all blocks of a job share is written once into a folder that every worker maps into its memory. Blocks are tasks
    that change nothing, so a block whose worker is lost is done again by another one.

    Parameters
    ----------
    scheduler : str, optional
        Address of a scheduler that runs, as in ``tcp://10.0.0.5:8786``. Left out, workers are started on this machine and
        stopped at the end.
    folder : str or Path, optional
        A folder that all workers see under the same path; needed with ``scheduler``.
    workers : int
        Processes to start where there is no scheduler.
    tell : callable of str, optional
        Told what is being done.
    patience_s : float
        How long to wait for a worker where there is none.

    Raises
    ------
    UsageError
        The extra ``cluster`` is not installed, the address is none, or a worker does not see the folder.
    MachineError
        The scheduler does not answer, it has no workers, or one of them has another version of the program.
    """

    def __init__(
        self,
        scheduler: str | None = None,
        *,
        folder: str | Path | None = None,
        workers: int = 2,
        tell: Tell | None = None,
        patience_s: float = 60.0,
    ) -> None:
        self.processor_s = 0.0
        self._tell = tell or (lambda _: None)
        self._patience_s = patience_s
        self._cluster: Any = None
        self._client: Any = None
        self._alone_since: float | None = None
        self._jobs = 0
        self._ends = contextlib.ExitStack()
        _distributed()
        if scheduler is not None and not _ADDRESS.fullmatch(scheduler):
            raise UsageError(f"{scheduler!r} is no address of a scheduler; write it as in tcp://10.0.0.5:8786")
        if scheduler is not None and folder is None:
            raise UsageError("workers of other machines need a folder that all of them see; name one with --cache")
        try:
            self._ends.enter_context(_quiet())
            self._folder, self._token = self._make_folder(folder)
            self._connect(scheduler, workers)
            self._check_workers()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> DaskEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the cluster; workers that were started here end, and the folder of the run goes."""
        self._ends.close()

    @property
    def n_parts(self) -> int:
        """Some blocks for each thread of the workers there are now."""
        return _BLOCKS_OF_A_SLOT * self.n_threads

    @property
    def n_threads(self) -> int:
        """Threads of all workers there are now."""
        return max(1, sum(int(worker["nthreads"]) for worker in self._workers().values()))

    @property
    def n_workers(self) -> int:
        """Workers there are now."""
        return len(self._workers())

    def map_blocks(self, work: Work, shared: Any, blocks: Sequence[Any], *, tell: Tell | None = None) -> Iterator[Any]:
        """The results of all blocks in their order; those beyond a window wait at the workers or have not begun.

        Parameters
        ----------
        work : Work
        shared : packable value
            Written into the folder of the run.
        blocks : sequence of packable values
        tell : callable of str, optional
            Told how many blocks are done.

        Raises
        ------
        MachineError
            The scheduler is lost, all workers are lost and none comes back, or a block was lost with several workers.
        """
        job = self._publish(work, shared)
        under_way: deque[_Task] = deque()
        left = iter(range(len(blocks)))
        n_given, n_told = 0, 0

        def look() -> None:
            nonlocal n_told
            n_done = n_given + sum(task.future.status == "finished" for task in under_way)
            if n_done > n_told:  # a result may be lost again with its worker; what was told stays told
                n_told = n_done
                tell_blocks(tell, n_told, len(blocks))

        try:
            while True:
                for number in islice(left, max(0, _BLOCKS_OF_A_SLOT * self.n_threads + 2 - len(under_way))):
                    under_way.append(_Task(number, self._submit(job, number, blocks)))
                if not under_way:
                    return
                done = self._result(job, under_way[0], blocks, look)
                look()
                # At once: an error on the way may still hold the future, and its result would stay with the workers.
                under_way.popleft().future.release()
                n_given += 1
                self.processor_s += done.processor_s
                yield done.result
        finally:
            self._give_up(under_way)
            shutil.rmtree(self._folder / job.name, ignore_errors=True)

    def _make_folder(self, base: str | Path | None) -> tuple[Path, str]:
        """A folder for this run alone, with the token by which workers know it."""
        try:
            if base is None:
                folder = Path(self._ends.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
            else:
                above = Path(base).resolve() / _FOLDER
                folder = above / uuid.uuid4().hex
                folder.mkdir(parents=True)
                self._ends.callback(shutil.rmtree, folder, ignore_errors=True)
                _remove_left_behind(above)
            token = uuid.uuid4().hex
            (folder / TOKEN).write_text(token, encoding="utf-8")
        except OSError as wrong:
            raise UsageError(
                f"the folder for the workers cannot be made ({wrong.strerror or wrong}: {wrong.filename}); name one that "
                "can be written with --cache"
            ) from None
        return folder, token

    def _connect(self, scheduler: str | None, workers: int) -> None:
        distributed = _distributed()
        address, security = scheduler, distributed.Security()
        if scheduler is None:
            self._tell(f"starting {workers} workers")
            security = None
            address = self._ends.enter_context(
                distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    processes=True,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL,
                    preload=[own_worker.__name__],
                    memory_limit=0,  # mapped files count as memory there, and a worker would stand still for them
                )
            )
        else:
            self._tell(f"connecting to {scheduler}")
            _find_scheduler(scheduler, security)
        self._client = self._ends.enter_context(
            distributed.Client(address, timeout=CONNECT_S, set_as_default=False, security=security)
        )
        self._ends.callback(self._forget_client)
        self._wait_for_workers(scheduler)

    def _forget_client(self) -> None:
        self._client = None

    def _wait_for_workers(self, scheduler: str | None) -> None:
        if not self._workers():
            self._tell("waiting for workers")
            try:
                self._client.wait_for_workers(1, timeout=self._patience_s)
            except TimeoutError:
                raise MachineError(
                    f"the scheduler {scheduler or ''} has no workers; start some with `dask worker {scheduler or 'ADDRESS'}`"
                ) from None

    def _check_workers(self) -> None:
        """Ask every worker whether it can serve this run."""
        found = self._client.run(check_worker, str(self._folder), self._token, program_id(), on_error="return")
        for address, answer in found.items():
            if isinstance(answer, CommunityRoutesError):
                raise answer
            if isinstance(answer, Exception) and "No module named 'community_routes" in str(answer):
                raise MachineError(
                    f"the worker {address} has no community-routes; install {program_id()} there and start it again"
                )
            if isinstance(answer, Exception):
                raise MachineError(f"the worker {address} cannot be used: {type(answer).__name__}: {_short(answer)}")

    def _publish(self, work: Work, shared: Any) -> Job:
        """Write what all blocks of a job share."""
        self._jobs += 1
        name = str(self._jobs)
        try:
            write_mapped(self._folder / name, Packed(shared))
        except OSError as wrong:
            raise MachineError(
                f"{wrong.strerror or wrong} while writing for the workers into {self._folder}; --cache names another folder"
            ) from wrong
        return Job(str(self._folder), name, self._token, program_id(), work)

    def _submit(self, job: Job, number: int, blocks: Sequence[Any]) -> Any:
        key = f"community-routes-{uuid.uuid4().hex}"
        return self._client.submit(do_block, job, blocks[number], key=key, pure=False)

    def _result(self, job: Job, task: _Task, blocks: Sequence[Any], look: Callable[[], None]) -> Done:
        """Wait for the result of a block, whatever happens to the worker that has it."""
        distributed = _distributed()
        while True:
            look()
            try:
                with self._client.as_current():
                    distributed.wait(task.future, timeout=_LOOK_S)
                done: Done = task.future.result(timeout=_GATHER_S)
                self._alone_since = None
                return done
            except TimeoutError:
                self._check_alive()
            except distributed.scheduler.KilledWorker as lost:
                if task.tries == _MOST_TRIES:
                    raise MachineError(
                        f"block {task.number + 1} of {len(blocks)} was lost with a worker again and again (the last one was "
                        f"{lost.last_worker.address}); it may need more memory than a worker has"
                    ) from None
                task.tries += 1
                task.future = self._submit(job, task.number, blocks)
            except (concurrent.futures.CancelledError, asyncio.CancelledError, distributed.comm.CommClosedError):
                raise MachineError("the scheduler was lost; nothing was written, run it again") from None

    def _check_alive(self) -> None:
        """See to it that somebody is at work.

        Raises
        ------
        MachineError
        """
        if self._client.status != "running":
            raise MachineError("the scheduler was lost; nothing was written, run it again")
        if self._workers():
            self._alone_since = None
            return
        now = time.monotonic()
        self._alone_since = self._alone_since or now
        if now - self._alone_since > self._patience_s:
            raise MachineError(
                f"all workers were lost and none came back within {self._patience_s:.0f} s; start some and run it again"
            )

    def _workers(self) -> dict[str, Any]:
        if self._client is None:
            return {}
        try:
            workers: dict[str, Any] = self._client.scheduler_info(n_workers=-1)["workers"]
        except TypeError:  # before 2025 it takes no argument and tells of all
            workers = self._client.scheduler_info()["workers"]
        return workers

    def _give_up(self, under_way: deque[_Task]) -> None:
        """Take back what is not needed any more."""
        if under_way and self._client is not None:
            with contextlib.suppress(Exception):  # the scheduler may be gone, which is no news by now
                self._client.cancel([task.future for task in under_way])
                for task in under_way:
                    task.future.release()


def _distributed() -> Any:
    """dask.distributed, imported only when it is wanted."""
    try:
        import distributed
        import distributed.comm
        import distributed.scheduler
    except ImportError as wrong:
        raise UsageError(
            f"--engine dask needs dask.distributed ({wrong}); install it with `pip install 'community-routes[cluster]'`"
        ) from None
    return distributed


def _find_scheduler(address: str, security: Any) -> None:
    """See to it that a scheduler answers, before a client is made: one that finds none takes long to give up.

    Raises
    ------
    MachineError
    """
    distributed = _distributed()

    async def ask() -> str:
        arguments = security.get_connection_args("client")
        async with distributed.rpc(address, timeout=CONNECT_S, connection_args=arguments) as one:
            return str((await one.identity())["type"])

    def wait() -> str:
        return asyncio.run(asyncio.wait_for(ask(), CONNECT_S))

    host, port = address.split("://")[-1].rstrip("/").rsplit(":", 1)
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S).close()
        with concurrent.futures.ThreadPoolExecutor(
            1
        ) as pool:  # this thread may have a loop of its own, as in a notebook
            kind = pool.submit(wait).result()
    except Exception as wrong:  # what is at the other end may be anything
        raise MachineError(
            f"no scheduler answers at {address} ({_short(wrong)}); start one with `dask scheduler` and give the address that "
            "it prints"
        ) from None
    if kind != "Scheduler":
        raise MachineError(
            f"at {address} there is a {kind.lower()}, no scheduler; give the address of `dask scheduler`"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log lines and warnings of dask to itself: what matters is said in words of our own."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client", "tornado.application")]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"(distributed|tornado)(\..*)?")
        try:
            yield
        finally:
            for logger, level in before:
                logger.setLevel(level)


def _remove_left_behind(above: Path) -> None:
    """Remove the folders of runs that were killed long ago."""
    for folder in above.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - (folder / TOKEN).stat().st_mtime > _LEFT_BEHIND_S:
                shutil.rmtree(folder, ignore_errors=True)


def _short(wrong: BaseException) -> str:
    return " ".join(str(wrong).split())[:200] or type(wrong).__name__
