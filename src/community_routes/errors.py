"""Faults that stop the work, each with the exit code of the command line."""

from __future__ import annotations

from collections.abc import Iterable


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
