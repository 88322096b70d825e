"""The log for programs: one JSON object a line whatever happens, and a last line that says how the command ended."""

from __future__ import annotations

import json
import logging
import warnings
from pathlib import Path
from typing import Any

import pytest

from community_routes.cli import run_command
from community_routes.commands.console import Console
from small_town import town_study


def logged(capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Every line of standard error, each of which must be an object with a time, a level, a code and a message."""
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    for line in lines:
        assert line["level"] in ("info", "warning", "error")
        assert line["time"].endswith("+00:00")
        assert line["code"] and isinstance(line["message"], str)
    return lines


def outcome(lines: list[dict[str, Any]]) -> tuple[str, str, int]:
    end = lines[-1]
    assert end["event"] == "end"
    assert sum(line["event"] == "end" for line in lines) == 1
    return end["level"], end["code"], end["exit"]


def test_a_command_that_succeeds(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The town's matrix: what is done, the study's notices, and the end."""
    study = str(town_study(tmp_path))
    assert run_command(["matrix", study, "--out", str(tmp_path / "m.csv"), "--log-json"]) == 0
    lines = logged(capfd)
    assert outcome(lines) == ("info", "done", 0)
    assert {line["event"] for line in lines} == {"progress", "end"}
    assert run_command(["check", study, "--log-json"]) == 0
    lines = logged(capfd)
    notice = next(line for line in lines if line["event"] == "notice" and line["level"] == "warning")
    assert notice["code"] == "off_network"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["matrix", "gone.yaml", "--out", "m.csv"], 1, "input_faults"),
        (["matrix", "study.yaml", "--out", "m.txt"], 2, "wrong_usage"),
        (["matrix", "study.yaml", "--speed", "5"], 2, "wrong_usage"),
        (["matrix"], 2, "wrong_usage"),
        (["fly"], 2, "wrong_usage"),
        (
            ["matrix", "study.yaml", "--out", "m.csv", "--engine", "dask", "--scheduler", "localhost:9"],
            5,
            "machine_failed",
        ),
    ],
)
def test_a_command_that_fails(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    """A fault with the same code as the end, and nothing that is no JSON."""
    if "dask" in arguments:
        pytest.importorskip("distributed", reason="dask.distributed is not installed (the extra cluster)")
        arguments = [*arguments, "--cache", str(tmp_path / "cache")]
    monkeypatch.chdir(tmp_path)
    town_study(tmp_path)
    assert run_command([*arguments, "--log-json"]) == code
    lines = logged(capfd)
    assert outcome(lines) == ("error", said, code)
    (fault,) = [line for line in lines if line["event"] == "fault"]
    assert (fault["level"], fault["code"]) == ("error", said)


def test_what_libraries_say_is_json_as_well(capfd: pytest.CaptureFixture[str]) -> None:
    """A warning and a log record of somebody else's, while a command runs; afterwards all is as before."""
    console, show = Console(log_json=True), warnings.showwarning
    with console.libraries_heard():
        warnings.warn("a column has\ntwo types", FutureWarning, stacklevel=1)
        logging.getLogger("somebody").warning("slow %d", 7)
        logging.getLogger("somebody").info("not of interest")
    assert warnings.showwarning is show
    lines = logged(capfd)
    assert [(line["level"], line["code"], line["message"]) for line in lines] == [
        ("warning", "FutureWarning", "a column has\ntwo types"),
        ("warning", "somebody", "slow 7"),
    ]


def test_progress_that_only_counts_is_logged_now_and_then(capfd: pytest.CaptureFixture[str]) -> None:
    """A hundred blocks in no time are one line, and what comes after them another; so are the next hundred."""
    console = Console(log_json=True)
    for what in ("searching", "judging"):
        for number in range(100):
            console.progress(f"{what}, blocks {number} of 1,000")
    assert [line["message"] for line in logged(capfd)] == ["searching, blocks 0 of 1,000", "judging, blocks 0 of 1,000"]


def test_a_person_sees_every_step_and_no_json(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run_command(["matrix", str(tmp_path / "gone.yaml"), "--out", str(tmp_path / "m.csv")]) == 1
    assert capfd.readouterr().err.startswith("error: ")
