"""What a command says while it works: progress for a person, JSON lines for a log, nothing in a pipe."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console as Terminal
from rich.text import Text

from community_routes.base.notices import CODES, SEVERITIES, Notice, total
from community_routes.base.timings import Stopwatch

# Control characters but line breaks and tabs, and the marks that turn or isolate the reading direction.
_UNSEEN = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]")
_NUMBERS = re.compile(r"\d[\d,]*")
_LOG_EVERY_S = 10.0
OUTCOMES = {
    0: "done",
    1: "input_faults",
    2: "wrong_usage",
    3: "done_in_part",
    4: "standard_missed",
    5: "machine_failed",
    130: "interrupted",
}
"""What each exit code means, as the log says it."""
_ROOM = 25
"""Letters of a message that say what it is about."""
_DONE_WITH_FINDINGS = (3, 4)
_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


@dataclass
class Console:
    """Speaks to whoever started the command.

    Results go to standard output; progress, notices and faults to standard error. ``quiet`` leaves only results and
    faults. With ``log_json`` standard error holds one JSON object a line. ``expected_s`` is how long the whole work took last
    time, where that is known.
    """

    quiet: bool = False
    log_json: bool = False
    stopwatch: Stopwatch = field(default_factory=Stopwatch)
    expected_s: float | None = None
    _started: float = field(default_factory=time.perf_counter)
    _logged: tuple[str, float] = ("", 0.0)
    _status: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        self.err = Terminal(stderr=True, highlight=False, soft_wrap=True)
        self.out = Terminal(highlight=False, soft_wrap=True)

    def log(self, event: str, message: str, *, level: str = "info", code: str = "", **fields: Any) -> None:
        """One line of the JSON log; nothing without ``log_json``.

        Parameters
        ----------
        event : str
            ``progress``, ``notice``, ``remark``, ``fault`` or ``end``.
        message : str
            For people.
        level : str
            ``info``, ``warning`` or ``error``.
        code : str
            For programs: of a notice its code, of a fault and of the end one of ``OUTCOMES``, else the event.
        **fields
            Whatever else belongs to the event.
        """
        if self.log_json:
            moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
            passed = round(time.perf_counter() - self._started, 3)
            line = {"time": moment, "seconds": passed, "level": level, "event": event, "code": code or event}
            text = json.dumps({**line, "message": message, **fields}, ensure_ascii=False, default=str)
            print(text, file=sys.stderr, flush=True)

    def progress(self, text: str) -> None:
        """What is being done now; the log leaves out what differs from the line before in numbers only, for a while."""
        kind, now = _NUMBERS.sub("#", text), time.perf_counter()
        if kind != self._logged[0] or now - self._logged[1] >= _LOG_EVERY_S:
            self._logged = kind, now
            self.log("progress", text)
        if self._status is not None:
            self._status(text)

    @contextmanager
    def working(self, text: str) -> Iterator[None]:
        """Show progress on a terminal while the work lasts; say nothing in a pipe."""
        if self.quiet or self.log_json or not self.err.is_terminal:
            self.progress(text)
            yield
            return
        clock = _Clock(self, text)
        with self.err.status(clock):
            self._status = clock.now
            try:
                yield
            finally:
                self._status = None

    def passed_s(self) -> float:
        """Seconds since the command began."""
        return time.perf_counter() - self._started

    def say(self, text: str) -> None:
        """A result: always printed."""
        self.out.print(shown(text), markup=False)

    def data(self, text: str) -> None:
        """A result for a program, such as JSON, printed as it is."""
        print(text)

    def remark(self, text: str) -> None:
        """For people: left out when quiet."""
        self.log("remark", text)
        if not self.quiet and not self.log_json:
            self.err.print(shown(text), markup=False)

    def fault(self, text: str, exit_code: int = 1) -> None:
        """What went wrong: always printed."""
        self.log("fault", text, level="error", code=_outcome(exit_code))
        if not self.log_json:
            self.err.print("error: ", style="bold red", end="")
            self.err.print(shown(text), markup=False)

    def end(self, exit_code: int) -> None:
        """The last line of the log: how the command ended."""
        level = "info" if exit_code == 0 else "warning" if exit_code in _DONE_WITH_FINDINGS else "error"
        code = _outcome(exit_code)
        self.log("end", code.replace("_", " "), level=level, code=code, exit=exit_code)

    @contextmanager
    def libraries_heard(self) -> Iterator[None]:
        """With ``log_json``, what libraries warn of becomes lines of the log, so that every line is JSON."""
        if not self.log_json:
            yield
            return
        handler = _Lines(self)
        logging.getLogger().addHandler(handler)
        with warnings.catch_warnings():
            warnings.showwarning = lambda text, kind, *_, **__: self.log(
                "remark", str(text), level="warning", code=kind.__name__
            )
            try:
                yield
            finally:
                logging.getLogger().removeHandler(handler)

    def log_notices(self, notices: list[Notice]) -> None:
        """Every notice as a line of the JSON log."""
        for notice in notices:
            self.log("notice", notice.message, level=notice.severity, code=notice.code, place=notice.place)

    def notices(self, notices: list[Notice], *, most: int = 12, where: str = "") -> None:
        """A line for each kind of notice with its count and an example, the worst first; ``where`` says where all are.

        Of one severity, what was left as it is comes before what was mended or left out: somebody may have to act on it.

        Of kinds of mere information as many have a line as make ``most`` with the worse ones, which all have one.
        """
        self.log_notices(notices)
        if self.quiet or self.log_json or not notices:
            return
        kinds: dict[tuple[int, str], list[Notice]] = {}
        for notice in notices:
            kinds.setdefault((SEVERITIES.index(notice.severity), notice.code), []).append(notice)
        ordered = sorted(
            kinds.items(), key=lambda item: (item[0][0], _is_settled(item[0][1]), -total(item[1]), item[0][1])
        )
        worse = sum(rank < SEVERITIES.index("info") for rank, _ in kinds)
        for (rank, code), found in ordered[: max(most, worse)]:
            example = next((notice for notice in found if not notice.is_sum), found[0])
            head = f"{SEVERITIES[rank]} {code} ({total(found):,}): "
            said = _within(example, self.err.width - len(head))
            self.err.print(Text(head, _COLOURS[SEVERITIES[rank]]) + Text(shown(said)))
        left = len(kinds) - max(most, worse)
        more = f"{left} more {'kind' if left == 1 else 'kinds'} of information" if left > 0 else ""
        if more or where:
            self.err.print("; ".join(part for part in (more, f"all in {where}" if where else "") if part), markup=False)

    def write_timings(self, path: Path | None) -> None:
        """Write the seconds of each stage, where asked for."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.stopwatch.json(), encoding="utf-8")


def _is_settled(code: str) -> bool:
    """Whether what a notice tells of was mended or left out by the program."""
    return code in CODES and CODES[code].outcome != "kept"


def _outcome(exit_code: int) -> str:
    return OUTCOMES.get(exit_code, f"exit_{exit_code}")


class _Clock:
    """What is being done, with a clock that goes on between two messages, and what is left of the time of the last run."""

    def __init__(self, console: Console, text: str) -> None:
        self._console, self._text = console, text

    def now(self, text: str) -> None:
        """Say what is being done from now on."""
        self._text = text

    def __rich__(self) -> Text:
        passed, whole = self._console.passed_s(), self._console.expected_s
        left = f", about {whole - passed:.0f} s left" if whole is not None and whole > passed else ""
        return Text(shown(self._text)) + Text(f" ({passed:.0f} s{left})", "dim")


class _Lines(logging.Handler):
    """Log records of libraries as lines of our log."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        self._console.log("remark", record.getMessage(), level=level, code=record.name)


def shown(text: str) -> str:
    """Text in which no name from a file can move the cursor, colour the terminal or turn the reading direction."""
    return _UNSEEN.sub("\ufffd", text)


def _within(notice: Notice, width: int) -> str:
    """As much of a notice as one line holds, ended between words; the place only where it leaves room for the message."""
    places = [place for place in (notice.place, notice.file) if place and len(place) + _ROOM <= width]
    text = f"{places[0]}: {notice.message}" if places else notice.message
    if len(text) <= width:
        return text
    cut = text.rfind(" ", 0, width - 1)
    return f"{text[: max(cut, 0)].rstrip(',;:')} \u2026".lstrip()
