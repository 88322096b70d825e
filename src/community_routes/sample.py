"""Where the sample borough lies: an invented town that comes with the program."""

from __future__ import annotations

from pathlib import Path

from community_routes.errors import UsageError

_PACKAGE = Path(__file__).resolve().parent


def sample_folder() -> Path:
    """The folder that holds ``data`` and ``scenarios`` of the sample: in the installed package, or in the source tree.

    Raises
    ------
    UsageError
        Neither has it.
    """
    for folder in (_PACKAGE / "sample", _PACKAGE.parents[1]):
        if (folder / "data" / "study.yaml").is_file():
            return folder
    raise UsageError("the sample borough is missing from this installation; install community-routes again")


def sample_study() -> Path:
    """The sample's study file."""
    return sample_folder() / "data" / "study.yaml"


def sample_scenarios() -> list[Path]:
    """The sample's proposals."""
    return sorted((sample_folder() / "scenarios").glob("*.yaml"))
