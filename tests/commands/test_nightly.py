"""The nightly job of the examples: its script on the sample and with every exit code, and the container file's commands."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from community_routes.evaluation.case import sample_study

ROOT = Path(__file__).resolve().parents[2]
NIGHTLY = ROOT / "examples" / "nightly"
SCRIPT = NIGHTLY / "nightly.sh"
NIGHT = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z")
needs_sh = pytest.mark.skipif(shutil.which("sh") is None, reason="there is no POSIX shell here")


def night(results: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """One night, with the settings that a crontab gives."""
    given = {
        "STUDY": str(sample_study()),
        "SITES": "sites.csv",
        "RESULTS": str(results),
        "RETRY_S": "0",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    environment = {**os.environ, **given, **settings}
    return subprocess.run(["sh", str(SCRIPT)], env=environment, capture_output=True, text=True, check=False)


def nights(results: Path) -> list[str]:
    return sorted(path.name for path in results.iterdir() if NIGHT.fullmatch(path.name))


def a_program(folder: Path, *lines: str) -> str:
    """A program that stands in for ours: it notes what it was asked, logs and says a line, and does the lines."""
    path = folder / "program"
    words = ['echo "$@" >> asked.txt', 'while [ "$1" != --out ]; do shift; done', "out=$2", *lines]
    path.write_text("\n".join(["#!/bin/sh", f"cd {shlex.quote(str(folder))}", *words]) + "\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def fault(message: str) -> str:
    line = json.dumps({"level": "error", "event": "fault", "code": "x", "message": message})
    return f"echo {shlex.quote(line)} >&2"


@needs_sh
def test_a_night_on_the_sample(tmp_path: Path) -> None:
    """Two sites of the sample and one without coordinates: done in part or a standard missed, and all of it kept."""
    with (ROOT / "data" / "sites" / "sites.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:2]
    rows.append({**rows[0], "id": "nowhere", "lon": "", "lat": ""})
    sites, results = tmp_path / "new sites.csv", tmp_path / "nightly results"
    with sites.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = night(results, SITES=str(sites), OPTIONS="--pages none --threads 1")
    assert done.stderr == ""
    assert done.returncode in (3, 4)
    (name,) = nights(results)
    words = {3: "done in part (3)", 4: "a standard is missed (4)"}[done.returncode]
    assert done.stdout.startswith(f"{name} {words}: 2 sites judged, ")
    assert done.stdout == (results / "history.txt").read_text("utf-8")
    kept = results / name
    assert sorted(path.name for path in kept.iterdir()) == sorted(path.name for path in (results / "current").iterdir())
    assert "nowhere" in (kept / "failed.csv").read_text("utf-8")
    lines = [json.loads(line) for line in (results / "logs" / f"{name}.jsonl").read_text("utf-8").splitlines()]
    assert all({"time", "level", "message", "code"} <= line.keys() for line in lines)
    assert (lines[-1]["event"], lines[-1]["exit"]) == ("end", done.returncode)
    assert lines[-1]["code"] == {3: "done_in_part", 4: "standard_missed"}[done.returncode]


@needs_sh
@pytest.mark.parametrize(
    ("code", "words", "has_result"),
    [
        (0, "done", True),
        (1, "input faults", False),
        (2, "wrong usage", False),
        (3, "done in part", True),
        (4, "a standard is missed", True),
        (130, "interrupted", False),
        (139, "ended with 139", False),
    ],
)
def test_what_each_exit_code_leaves(tmp_path: Path, code: int, words: str, has_result: bool) -> None:
    """A result is kept for 0, 3 and 4; else the last fault of the log is told. The code is handed on."""
    told = "said by the program" if has_result else "what was wrong"
    does = ['mkdir -p "$out"', 'echo x > "$out/sites.csv"', "echo said by the program", "echo more"]
    program = a_program(tmp_path, *does, fault("an older fault"), fault("what was wrong"), f"exit {code}")
    done = night(tmp_path / "results", PROGRAM=program, OPTIONS="--threads 3")
    assert done.returncode == code
    line = done.stdout.strip()
    assert NIGHT.sub("NIGHT", line) == f"NIGHT {words} ({code}): {told}"
    assert len(nights(tmp_path / "results")) == int(has_result)
    asked = (tmp_path / "asked.txt").read_text("utf-8").split()
    assert asked[0] == "sites" and {"--require-pass", "--log-json"} < set(asked) and asked[-2:] == ["--threads", "3"]
    assert sorted(path.name for path in (tmp_path / "results").iterdir() if path.name.startswith(".")) in (
        [],
        [".lock"],
    )


@needs_sh
def test_a_failure_of_the_machine_is_tried_once_more(tmp_path: Path) -> None:
    """The first attempt ends with 5 and the second with 0; where the second fails as well, the night has failed."""
    program = a_program(
        tmp_path,
        'mkdir -p "$out"',
        fault("disk full"),
        "test -e tried && { echo fine; exit 0; }",
        "touch tried",
        "exit 5",
    )
    done = night(tmp_path / "results", PROGRAM=program)
    assert (done.returncode, done.stdout.split(" ", 1)[1]) == (0, "done (0): fine\n")
    assert len((tmp_path / "asked.txt").read_text("utf-8").splitlines()) == 2
    program = a_program(tmp_path, fault("disk full"), "exit 5")
    done = night(tmp_path / "others", PROGRAM=program)
    assert (done.returncode, done.stdout.split(" ", 1)[1]) == (5, "the machine failed (5): disk full\n")
    assert len((tmp_path / "asked.txt").read_text("utf-8").splitlines()) == 4


@needs_sh
def test_old_nights_go_and_other_files_stay(tmp_path: Path) -> None:
    """Of three nights and the one that runs, the newest two stay; so do the folders of others."""
    results = tmp_path / "results"
    for day in ("2020-01-01", "2020-01-02", "2020-01-03"):
        (results / f"{day}T013000Z").mkdir(parents=True)
        (results / "logs").mkdir(exist_ok=True)
        (results / "logs" / f"{day}T013000Z.jsonl").write_text("{}", "utf-8")
    (results / "2020 report").mkdir()
    done = night(results, PROGRAM=a_program(tmp_path, 'mkdir -p "$out"', "echo ok"), KEEP="2")
    assert done.returncode == 0
    assert len(nights(results)) == 2
    assert nights(results)[0] == "2020-01-03T013000Z"
    assert len(list((results / "logs").iterdir())) == 2
    assert (results / "2020 report").is_dir()


@needs_sh
@pytest.mark.skipif(shutil.which("flock") is None, reason="there is no flock here")
def test_one_night_at_a_time(tmp_path: Path) -> None:
    """While a slow night runs, the next one leaves with 75 and touches nothing; killed, it holds no lock."""
    results = tmp_path / "results"
    program = a_program(tmp_path, "touch begun", "exec sleep 60")
    given = {**os.environ, "STUDY": "s", "SITES": "s", "RESULTS": str(results), "PROGRAM": program}
    slow = subprocess.Popen(["sh", str(SCRIPT)], env=given, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 30
        while not (tmp_path / "begun").exists() and time.monotonic() < until:
            time.sleep(0.02)
        done = night(results, PROGRAM=a_program(tmp_path, "echo never"))
        assert done.returncode == 75
        assert "busy (75): another run is still at work" in done.stdout
        assert not (results / "history.txt").exists()
    finally:
        os.killpg(slow.pid, 9)
        slow.wait()
    assert night(results, PROGRAM=a_program(tmp_path, 'mkdir -p "$out"', "echo ok")).returncode == 0


@needs_sh
def test_settings_that_are_missing_are_named(tmp_path: Path) -> None:
    done = night(tmp_path / "results", SITES="")
    assert done.returncode != 0
    assert "name the list of sites" in done.stderr


def test_the_crontab_gives_what_the_script_needs() -> None:
    """Every setting without a default, a command with five fields of time before it, nothing that names a password."""
    lines = [line for line in (NIGHTLY / "crontab").read_text("utf-8").splitlines() if not line.startswith("#")]
    settings = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]+=", line))
    assert {"STUDY", "SITES", "RESULTS", "PATH"} <= settings.keys()
    (job,) = [line for line in lines if not re.match(r"[A-Z]+=", line)]
    assert re.fullmatch(r"\d+ \d+ \* \* [\d-]+ \S+/nightly\.sh", job)


# The container file.


def instructions() -> list[tuple[str, str]]:
    """Instruction and rest of every line that is one."""
    lines = (NIGHTLY / "Containerfile").read_text("utf-8").splitlines()
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines if line and not line.startswith("#")]


def test_the_container_runs_as_an_ordinary_user_and_holds_no_secret() -> None:
    """The last word on the user is a number that is not root's; what is copied exists; no data, no password."""
    found = instructions()
    users = [rest for name, rest in found if name == "USER"]
    assert users == ["10001"]
    order = [name for name, _ in found]
    assert order.index("USER") < order.index("ENTRYPOINT") and "RUN" not in order[order.index("USER") :]
    assert all(rest.startswith("docker.io/library/python:3.12-slim") for name, rest in found if name == "FROM")
    copied = [rest.split()[:-1] for name, rest in found if name == "COPY" and "--from" not in rest]
    sources = [part for parts in copied for part in parts if not part.startswith("--")]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    text = (NIGHTLY / "Containerfile").read_text("utf-8")
    assert not re.search(r"password|token|_key|secret\w*=", text, re.IGNORECASE)


@pytest.mark.slow
@needs_sh
def test_the_commands_of_the_container_file_run(tmp_path: Path) -> None:
    """As a script: what is copied is enough to build the wheel; it installs; the entry point judges the sample's sites.

    Without a container engine: ``useradd`` is left out, and the dependencies are those installed here.
    """
    build, home = tmp_path / "build", tmp_path / "home"
    build.mkdir()
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    python = home / "bin" / "python"
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([python, "-c", find], capture_output=True, text=True, check=True).stdout.strip()
    here = subprocess.run([sys.executable, "-c", find], capture_output=True, text=True, check=True).stdout.strip()
    path = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": ""}
    n_run = 0
    for name, rest in instructions():
        if name == "COPY" and "--from" not in rest and "nightly.sh" not in rest:
            *sources, target = rest.split()
            for source in sources:
                to = build / target / (Path(source).name if len(sources) > 1 else "")
                shutil.copytree(ROOT / source, to) if (ROOT / source).is_dir() else shutil.copy(ROOT / source, to)
        elif name == "COPY" and "--from=build" in rest:
            shutil.copytree(build / "wheels", tmp_path / "wheels")
        elif name == "RUN" and not rest.startswith("useradd"):
            command = rest.replace("/tmp/wheels", str(tmp_path / "wheels"))
            alone = {"PIP_NO_DEPS": "1"} if command.startswith("pip install") else {}
            subprocess.run(
                ["sh", "-c", command], cwd=build, env={**environment, **alone}, check=True, capture_output=True
            )
            n_run += 1
    assert n_run == 2
    (Path(packages) / "here.pth").write_text(here, encoding="utf-8")
    given = dict(part.split("=", 1) for name, rest in instructions() if name == "ENV" for part in rest.split())
    settings = {name: value.replace("/planning", str(tmp_path / "planning")) for name, value in given.items()}
    (tmp_path / "planning").mkdir()
    shutil.copy(ROOT / "data" / "sites" / "sites.csv", settings["SITES"])
    environment |= {**settings, "STUDY": str(sample_study()), "OPTIONS": "--pages none"}
    (entry,) = [json.loads(rest) for name, rest in instructions() if name == "ENTRYPOINT"]
    assert entry == [SCRIPT.name]
    where = subprocess.run(
        [python, "-c", "import community_routes; print(community_routes.__file__)"],
        env=environment, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(packages)
    done = subprocess.run(
        ["sh", str(SCRIPT)], env=environment, cwd=tmp_path / "planning", capture_output=True, text=True
    )
    assert done.returncode in (0, 3, 4), done.stdout + done.stderr
    (name,) = nights(Path(settings["RESULTS"]))
    assert (Path(settings["RESULTS"]) / name / "sites.csv").is_file()
    assert any(Path(settings["NUMBA_CACHE_DIR"]).rglob("*.nbi"))
