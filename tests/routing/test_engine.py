"""Blocks by threads of this process: in order, few at once, stopped by a fault, and counted."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from community_routes.base.errors import StudyError
from community_routes.routing.engine import LocalEngine, Work


def test_results_are_in_order_whoever_is_first() -> None:
    """Later blocks are done sooner; two and more threads work at the same time."""
    at_once, most, lock = [0], [0], threading.Lock()

    def square(factor: int, block: int) -> int:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.01 * (4 - block % 4))
        with lock:
            at_once[0] -= 1
        return factor * block * block

    work = Work(lambda shared: shared + 1, square)
    assert list(LocalEngine(3).map_blocks(work, 1, range(12))) == [2 * n * n for n in range(12)]
    assert most[0] == 3
    assert list(LocalEngine(0).map_blocks(work, 1, [])) == []


def test_blocks_are_asked_for_one_by_one() -> None:
    """A result is taken before the block after the next is looked at, so that blocks may be made as they are needed."""
    looked: list[int] = []

    class Blocks(list[int]):
        def __iter__(self) -> Any:
            for block in range(10):
                looked.append(block)
                yield block

    results = LocalEngine(2).map_blocks(Work(lambda _: None, lambda _, block: block), None, Blocks(range(10)))
    assert next(results) == 0
    assert looked == [0, 1, 2]
    assert list(results) == list(range(1, 10))


def test_a_fault_ends_the_job() -> None:
    done: list[int] = []

    def refuse(_: Any, block: int) -> int:
        if block == 2:
            raise StudyError("block 2 is wrong")
        time.sleep(0.01)
        done.append(block)
        return block

    with pytest.raises(StudyError, match="block 2 is wrong"):
        list(LocalEngine(1).map_blocks(Work(lambda _: None, refuse), None, range(50)))
    assert set(done) <= {0, 1, 3, 4}


def test_progress_counts_to_the_end() -> None:
    told: list[str] = []
    work = Work(lambda _: None, lambda _, block: block)
    assert len(list(LocalEngine(2).map_blocks(work, None, range(1_200), tell=told.append))) == 1_200
    assert (told[0], told[-1]) == ("blocks 1 of 1,200", "blocks 1,200 of 1,200")
    assert len(told) == 1_200
