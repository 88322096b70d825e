"""What a search has found out already, on disk as it goes, so that one that was killed goes on from there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO

from community_routes.base.errors import MachineError, UsageError
from community_routes.base.files import try_lock

ENDING = ".search"


class Journal:
    """Figures by their keys, a line of JSON for each, written as they come in; a line that was cut short is not read.

    Parameters
    ----------
    path : Path or None
        Of the file; None keeps nothing.
    of : str
        Fingerprint of everything that the figures hang on: those of another one are thrown away.
    """

    def __init__(self, path: Path | None, of: str) -> None:
        self.known: dict[str, list[float]] = {}
        self._file: IO[str] | None = None
        self.path = path
        if path is None:
            return
        head = json.dumps({"of": of})
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a+", encoding="utf-8")
        if not try_lock(self._file):
            self._file.close()
            raise UsageError(
                f"another run is at work on {path.with_suffix('').name}; wait for it, or name another folder"
            )
        self._file.seek(0)
        lines = self._file.read().split("\n")
        if lines[0] == head:
            for line in lines[1:]:
                self._read(line)
        self._file.seek(0)
        self._file.truncate()
        self._write("\n".join([head, *(_line(key, figures) for key, figures in self.known.items())]))

    def _read(self, line: str) -> None:
        try:
            key, *figures = json.loads(line)
        except ValueError:  # the run was killed while it wrote this
            return
        self.known[key] = [float(figure) for figure in figures]

    def __getitem__(self, key: str) -> list[float] | None:
        """What was found out, or None."""
        return self.known.get(key)

    def __setitem__(self, key: str, figures: list[float]) -> None:
        self.known[key] = figures
        if self._file is not None:
            self._write(_line(key, figures))

    def _write(self, text: str) -> None:
        assert self._file is not None
        try:
            self._file.write(text + "\n")
            self._file.flush()
        except OSError as fault:
            raise MachineError(
                f"{fault.strerror or fault} while writing {self.path}; the same command goes on from there"
            ) from fault

    def close(self, *, done: bool = False) -> None:
        """Let go of the file; it goes away when all is done."""
        if self._file is None or self.path is None:
            return
        if done:
            self.path.unlink(missing_ok=True)
        self._file.close()
        self._file = None


def _line(key: str, figures: list[float]) -> str:
    """Numbers in full: what is read again is the same to the last bit."""
    return json.dumps([key, *(repr(figure) for figure in figures)])


def journal_beside(out: Path) -> Path:
    """Where the search for a folder of results is kept while it is under way."""
    return out.with_name(f"{out.name}{ENDING}")


def is_cut(path: Path) -> bool:
    """Whether a search was left half done there."""
    return path.is_file() and path.stat().st_size > 0
