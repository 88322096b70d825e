"""Where the blocks of a search are worked on: in threads of this process, or by whoever answers to the same call."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Work:
    """What is done to each block of a job: two functions of a module, which another process finds by their names.

    Attributes
    ----------
    prepare : callable
        Takes what all blocks share (plain values, arrays and types that can be packed) and gives what the blocks are worked
        on with; called once for each process.
    block : callable
        Takes what ``prepare`` gave and a block, gives the block's result. It changes nothing, so that it may be done again.
    """

    prepare: Callable[[Any], Any]
    block: Callable[[Any, Any], Any]


class Engine(Protocol):
    """Does a job block by block; which one does it changes nothing but the time."""

    @property
    def n_parts(self) -> int:
        """Blocks that a job should have at least, so that nobody stands idle."""

    def map_blocks(
        self, work: Work, shared: Any, blocks: Sequence[Any], *, tell: Callable[[str], None] | None = None
    ) -> Iterator[Any]:
        """The results of all blocks, in the order of the blocks, with a bounded number of them held at once.

        Parameters
        ----------
        work : Work
        shared : packable value
            What all blocks need.
        blocks : sequence of packable values
            Small: numbers, or arrays of a few places.
        tell : callable of str, optional
            Told how many blocks are done.
        """


@dataclass(frozen=True)
class LocalEngine:
    """Threads of this process.

    Attributes
    ----------
    threads : int
    """

    threads: int = 1

    @property
    def n_parts(self) -> int:
        """One block for each thread."""
        return max(self.threads, 1)

    def map_blocks(
        self, work: Work, shared: Any, blocks: Sequence[Any], *, tell: Callable[[str], None] | None = None
    ) -> Iterator[Any]:
        """The results in the order of the blocks; at most ``threads`` + 1 are held at once."""
        ready = work.prepare(shared)
        under_way: deque[Future[Any]] = deque()
        done = 0
        with ThreadPoolExecutor(self.n_parts) as pool:
            try:
                for block in blocks:
                    under_way.append(pool.submit(work.block, ready, block))
                    if len(under_way) > self.n_parts:  # so that the threads have work while a result is taken in
                        yield under_way.popleft().result()
                        done += 1
                        tell_blocks(tell, done, len(blocks))
                while under_way:
                    yield under_way.popleft().result()
                    done += 1
                    tell_blocks(tell, done, len(blocks))
            finally:
                for future in under_way:
                    future.cancel()


def tell_blocks(tell: Callable[[str], None] | None, done: int, total: int) -> None:
    """Say how many blocks are done."""
    if tell is not None:
        tell(f"blocks {done:,} of {total:,}")
