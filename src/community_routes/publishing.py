"""Results appear whole or not at all: a folder is made under another name and takes its place when it is finished."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from community_routes.errors import UsageError
from community_routes.locking import LOCK_FILE, held, hidden_folder

RUN_FILE = "run.json"


def check_replaceable(out: Path) -> None:
    """An existing folder is replaced only when it is the result of an earlier run, or empty; and it must be able to go.

    Raises
    ------
    UsageError
    """
    whole, here = Path(os.path.realpath(out)), Path.cwd()
    if whole == here or whole in here.parents:
        what = "is the folder in which you work" if whole == here else f"holds the folder in which you work ({here})"
        raise UsageError(
            f"{out} {what}, and a result takes the place of its whole folder; name another, such as --out results"
        )
    if os.path.ismount(whole):
        raise UsageError(f"{out} is where a disk or volume is mounted, which cannot be replaced; name a folder in it")
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder with --out")
    if any(out.iterdir()) and not is_run(out):
        raise UsageError(
            f"{out} exists and is not the result of an earlier run (no {RUN_FILE} of ours in it); name another folder"
        )


def is_run(folder: Path) -> bool:
    """Whether a folder holds the result of an earlier run: a ``run.json`` of ours."""
    try:
        content = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("program") == "community_routes"


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A hidden folder beside ``out`` to write into, which takes its place when the block ends without an error.

    What an earlier run left behind when it was killed is removed first; the folder of a run that is still at work is
    locked, and left alone.

    Raises
    ------
    UsageError
        ``out`` exists and is not the result of an earlier run.
    """
    check_replaceable(out)
    made = hidden_folder(out)
    try:
        with held(made):
            yield made
        (made / LOCK_FILE).unlink()
        _put_in_place(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put_in_place(made: Path, out: Path) -> None:
    """The folder that was there is gone only once the new one stands."""
    made.chmod(0o755)
    if not out.exists():
        made.replace(out)
        return
    old = hidden_folder(out)
    with held(old):
        out.replace(old / "was")
        made.replace(out)
    shutil.rmtree(old, ignore_errors=True)
