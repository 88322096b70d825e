"""Full reports and searches for better headways: in a process of their own, with their progress, and ended when asked."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from community_routes.base.errors import UsageError
from community_routes.planning.optimising.design import OPTIMISED
from community_routes.scenarios.file import Scenario
from community_routes.workbench.files import named_in
from community_routes.workbench.models import JobState

_MOST_JOBS = 10
_STEPS = 12
"""Progress is told in steps of work, of which a run with one proposal has about so many."""


@dataclass
class _Job:
    """A run under way or done."""

    folder: Path
    process: subprocess.Popen[str]
    name: str
    limit_s: float | None = None
    began: float = field(default_factory=time.monotonic)
    stage: str = "starting"
    said: int = 0
    fault: str = ""
    stopped: bool = False

    @property
    def page(self) -> Path:
        """Where its report will be."""
        return self.folder / "out" / self.name

    @property
    def progress(self) -> float:
        """From 0 to 1: of the steps of a run, or of the time that a search may take."""
        share = self.said / _STEPS if self.limit_s is None else (time.monotonic() - self.began) / self.limit_s
        return min(share, 0.95)

    @property
    def found(self) -> str | None:
        """The text of the proposal that a search found."""
        path = self.folder / "out" / f"{OPTIMISED}.yaml"
        return path.read_text("utf-8") if path.is_file() else None


@dataclass
class Jobs:
    """The full reports and searches of a session; they lie in a temporary folder and go with it.

    Attributes
    ----------
    study : Path
        The study file.
    arguments : sequence of str
        Further words of the command line (``--cache``, ``--threads``).
    """

    study: Path
    arguments: Sequence[str] = ()
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _folder: tempfile.TemporaryDirectory[str] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, scenarios: Sequence[Scenario], texts: Mapping[str, str]) -> str:
        """Run the main job with proposals; the number of the job.

        Parameters
        ----------
        scenarios : sequence of Scenario
            As they were read, so that there are no faults in them.
        texts : mapping of id to text
            Their files, and those of what they build on.

        Raises
        ------
        UsageError
            Another report is being made, or there were too many.
        """

        def command(folder: Path) -> list[str]:
            paths = _written(folder / "scenarios", scenarios, texts)
            return ["run", str(self.study), *map(str, paths), "--no-keep-inputs"]

        return self._begin(command, "report.html")

    def better(self, options: Sequence[str], minutes: float) -> str:
        """Look for better changes for so many minutes at most; the number of the job.

        Parameters
        ----------
        options : sequence of str
            Of the command ``optimise``: budget, aim and what may be chosen.
        minutes : float

        Raises
        ------
        UsageError
            Another job is under way.
        """
        words = ["optimise", str(self.study), f"--minutes={minutes}", *options]
        return self._begin(lambda _: words, "optimise.html", 60 * minutes)

    def _begin(self, command: Callable[[Path], list[str]], page: str, limit_s: float | None = None) -> str:
        with self._lock:
            if any(job.process.poll() is None for job in self._jobs.values()):
                raise UsageError("a report or a search is being made already; wait for it, or stop it")
            if len(self._jobs) >= _MOST_JOBS:
                oldest = next(iter(self._jobs))
                shutil.rmtree(self._jobs.pop(oldest).folder, ignore_errors=True)
            if self._folder is None:
                self._folder = tempfile.TemporaryDirectory(prefix="community-routes-")
            number = secrets.token_urlsafe(16)
            folder = Path(self._folder.name) / number
            folder.mkdir()
            words = [*command(folder), "--out", str(folder / "out"), "--log-json", *self.arguments]
            process = subprocess.Popen(
                [sys.executable, "-m", "community_routes.cli", *words],
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, encoding="utf-8",
            )  # fmt: skip
            job = self._jobs[number] = _Job(folder, process, page, limit_s)
        threading.Thread(target=_listen, args=(job,), name="report", daemon=True).start()
        return number

    def state(self, number: str) -> JobState:
        """How far a job is.

        Raises
        ------
        KeyError
            There is no such job.
        """
        job = self._jobs[number]
        code = job.process.poll()
        state: Literal["running", "done", "failed", "stopped"]
        state = "running" if code is None else "done" if code == 0 and job.page.is_file() else "failed"
        if job.stopped:
            state = "stopped"
        progress = 1.0 if state == "done" else job.progress
        url = f"/report/{number}/report.html" if state == "done" else None
        message = job.fault if state == "failed" else ""
        text = job.found if state == "done" else None
        return JobState(state=state, progress=progress, stage=job.stage, url=url, message=message, text=text)

    def stop(self, number: str) -> None:
        """End a job; one that has ended stays as it is.

        Raises
        ------
        KeyError
        """
        job = self._jobs[number]
        if job.process.poll() is None:
            job.stopped = True
            job.process.terminate()

    def page(self, number: str) -> Path:
        """The report of a job.

        Raises
        ------
        KeyError
            There is no such job, or no report of it.
        """
        page = self._jobs[number].page
        if not page.is_file():
            raise KeyError(number)
        return page

    def close(self) -> None:
        """End what is under way, and remove what was made."""
        for job in self._jobs.values():
            if job.process.poll() is None:
                job.process.terminate()
        for job in self._jobs.values():
            try:
                job.process.wait(5)
            except subprocess.TimeoutExpired:
                job.process.kill()
        if self._folder is not None:
            self._folder.cleanup()


def _listen(job: _Job) -> None:
    """Follow the log of a run until it ends."""
    assert job.process.stderr is not None
    with job.process.stderr as lines:
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                continue
            if said.get("event") == "progress":
                job.stage = str(said.get("message", ""))
                job.said += 1
            elif said.get("event") == "fault":
                job.fault = str(said.get("message", ""))


def _written(folder: Path, scenarios: Sequence[Scenario], texts: Mapping[str, str]) -> list[Path]:
    """The texts as files in a new folder, with the files that they name beside them; where the proposals lie."""
    folder.mkdir(parents=True)
    for scenario in scenarios:
        for part in scenario.chain():
            (folder / f"{part.scenario}.yaml").write_text(texts[part.scenario], encoding="utf-8")
            for _, _, name in named_in(part):
                source, target = (part.folder or folder) / name, folder / name
                if source.is_file() and not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    for one in source.parent.glob(f"{source.stem}.*"):
                        shutil.copyfile(one, target.with_name(one.name))
    return [folder / f"{scenario.scenario}.yaml" for scenario in scenarios]
