"""Faults that stop the work, each with the exit code of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


class CommunityRoutesError(Exception):
    """Anything this library raises on purpose; ``str()`` of it is a message for people.

    Attributes
    ----------
    exit_code : int
        What the command line ends with.
    notices : tuple
        The notices behind the error, where there are any; all of them, not only the first.
    """

    exit_code = 1

    def __init__(self, message: str, notices: Iterable[object] = ()) -> None:
        super().__init__(message)
        self.notices = tuple(notices)


class FeedError(CommunityRoutesError):
    """A timetable that cannot be used."""


class StreetsError(CommunityRoutesError):
    """A street file that cannot be used."""


class StudyError(CommunityRoutesError):
    """A study file, or a file that it names, that cannot be used."""


class ScenarioError(CommunityRoutesError):
    """A proposal that cannot be read, resolved or applied, or that would change nothing."""


class UsageError(CommunityRoutesError):
    """The command or function was called in a way that cannot work."""

    exit_code = 2


class MachineError(CommunityRoutesError):
    """The machine failed (disk, memory); what was finished is kept."""

    exit_code = 5


def as_path(given: object) -> Path:
    """A path from outside, which every file that is written and every library that reads or writes one can hold.

    Raises
    ------
    UsageError
        It is no path, or its name (with the working folder, which stands before it) is not UTF-8.
    """
    if not isinstance(given, str | os.PathLike) or not isinstance(os.fspath(given), str):
        raise UsageError(
            f"{given!r} is no path but {type(given).__name__}; give the name of a file or folder as text or Path"
        )
    path = Path(given)
    if "\0" in str(path):
        raise UsageError(f"the path {str(path)!r} holds a zero byte, which no file's name can; write it without")
    if not is_utf8(str(path if path.is_absolute() else Path.cwd() / path)):
        raise UsageError(
            f"the path {str(path)!r} is not UTF-8, or lies in a folder whose name is not; rename it, or work where all names are"
        )
    return path


def as_paths(given: object) -> list[Path]:
    """One path from outside, or several."""
    return [
        as_path(path) for path in (given if isinstance(given, Iterable) and not isinstance(given, str) else [given])
    ]


def is_utf8(text: str) -> bool:
    """Whether a text from the system or an input can be written as UTF-8: bytes of another encoding cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
