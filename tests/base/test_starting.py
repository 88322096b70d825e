"""Ctrl-C from the first moment on: one line, exit 130, no traceback, however far the program has come."""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from community_routes.base.starting import keep_all, work_begins
from small_town import town_study

WORDS = "interrupted; nothing that was unfinished was written"
# What the installed script does; the byte says that Python itself, of whose own start nobody can take Ctrl-C, is up.
START = "import os, sys; from community_routes.cli import main; os.write(1, b'.'); sys.exit(main())"


def interrupted_after(seconds: float, arguments: list[str]) -> tuple[int, str]:
    """Exit code and standard error of a command that gets SIGINT so long after its start."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background ignores it
    )
    assert process.stdout is not None and process.stdout.read(1) == b"."
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1].decode()
    return process.returncode, told


@pytest.mark.parametrize("seconds", [0.005, 0.05, 0.2, 0.5, 0.8])
def test_ctrl_c_while_libraries_are_imported(seconds: float, tmp_path: Path) -> None:
    """A run of a town takes over a second; every line of the log is JSON."""
    arguments = ["run", str(town_study(tmp_path)), "--out", str(tmp_path / "out"), "--no-maps"]
    assert interrupted_after(seconds, arguments) == (130, f"error: {WORDS}\n")
    code, told = interrupted_after(seconds, [*arguments, "--log-json"])
    lines = [json.loads(line) for line in told.splitlines() if '"progress"' not in line]
    assert code == 130 and [(line["event"], line["code"]) for line in lines] == [
        ("fault", "interrupted"),
        ("end", "interrupted"),
    ]
    assert lines[0]["message"] == WORDS and lines[1]["exit"] == 130
    assert all({"time", "seconds", "level"} <= set(line) for line in lines)
    assert not list(tmp_path.glob("*out*"))


def test_garbage_is_looked_for_when_work_begins() -> None:
    """A ring of two lists goes once work has begun, not before; what was there by then is not looked at any more."""
    assert gc.isenabled()
    try:
        keep_all()
        assert not gc.isenabled()
        work_begins()
        assert gc.isenabled() and gc.get_freeze_count() > 0
        ring: list[object] = []
        ring.append(ring)
        del ring
        assert gc.collect() > 0
        frozen = gc.get_freeze_count()
        work_begins()
        assert gc.get_freeze_count() == frozen
    finally:
        gc.enable()
        gc.unfreeze()


@pytest.mark.slow
def test_ctrl_c_at_many_moments(tmp_path: Path) -> None:
    """Until the command is done on its own, which then ends with 0; never a traceback, never two lines."""
    arguments = ["run", str(town_study(tmp_path)), "--out", str(tmp_path / "out"), "--no-maps", "--quiet"]
    for moment in range(60):
        code, told = interrupted_after(0.01 + moment * 0.06, arguments)
        assert (code, told) in ((130, f"error: {WORDS}\n"), (0, "")), moment


def test_what_is_ignored_stays_ignored() -> None:
    """Behind `&` a shell lets a command ignore Ctrl-C."""
    ignored = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); {START}"
    started = [sys.executable, "-c", ignored, "--version"]
    process = subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.read(1) == b"."
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1] == b"" and process.returncode == 0


def test_whoever_imports_the_program_keeps_ctrl_c() -> None:
    """In a notebook it interrupts the cell, also after a command was run there."""
    code = (
        "import signal, community_routes.cli as cli; cli.run_command(['--version']); "
        "print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    )
    prepared = f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler); {code}"
    done = subprocess.run([sys.executable, "-c", prepared], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "True"
