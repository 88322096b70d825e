"""Work in processes that are split off: results in order, faults, and no process that stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from community_routes.base.errors import MachineError, UsageError
from community_routes.base.processes import done_side_by_side

linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are split off on Linux alone")
PATIENCE_S = 30.0

SLOW = """
import os, signal, sys, time
from community_routes.base.processes import done_side_by_side
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it
def work(number):
    print(os.getpid(), flush=True)
    time.sleep(0.3)
    return number
try:
    done_side_by_side(work, 1000, 2)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("processes", [1, 3])
def test_results_stand_in_the_order_of_the_numbers(processes: int) -> None:
    told: list[int] = []
    known = list(range(40))[::-1]  # seen by a process that is split off, without being packed
    assert done_side_by_side(lambda number: known[number] ** 2, 40, processes, told.append) == [n * n for n in known]
    assert told == list(range(1, 41))


def test_each_process_does_a_part() -> None:
    def work(_: int) -> int:
        time.sleep(0.02)
        return os.getpid()

    assert os.getpid() in set(done_side_by_side(work, 4, 1))
    if sys.platform == "linux":
        found = set(done_side_by_side(work, 40, 2))
        assert len(found) == 2 and os.getpid() not in found


@pytest.mark.parametrize("processes", [1, 2])
def test_a_fault_of_one_is_the_fault_of_all(processes: int) -> None:
    def work(number: int) -> int:
        if number == 3:
            raise UsageError("the third cannot be taken away")
        return number

    with pytest.raises(UsageError, match="the third cannot be taken away"):
        done_side_by_side(work, 100, processes)


@linux
def test_a_process_that_is_killed_is_said() -> None:
    def work(number: int) -> int:
        if number == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(MachineError, match="--threads 1"):
        done_side_by_side(work, 20, 2)


@linux
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_process_stays_behind(end: signal.Signals) -> None:
    """Ctrl-C goes to the whole group of the terminal; a kill to the first process alone."""
    with subprocess.Popen(
        [sys.executable, "-c", SLOW], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as started:
        assert started.stdout is not None
        pids: set[int] = set()
        while len(pids) < 2:
            pids.add(int(started.stdout.readline()))
        if end == signal.SIGINT:
            os.killpg(started.pid, end)
        else:
            os.kill(started.pid, end)
        assert started.wait(PATIENCE_S) == (130 if end == signal.SIGINT else -signal.SIGKILL)
    until = time.monotonic() + PATIENCE_S
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < until, "a process stayed behind"
        time.sleep(0.05)
