"""Results appear whole or not at all: a folder is made under another name and takes its place when it is finished."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path

from community_routes.errors import UsageError
from community_routes.locking import try_lock, unlock

RUN_FILE = "run.json"
_LOCK_FILE = ".lock"


def check_replaceable(out: Path) -> None:
    """An existing folder is replaced only when it is the result of an earlier run, or empty.

    Raises
    ------
    UsageError
    """
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
    out.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(out)
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        with _held(made):
            yield made
        (made / _LOCK_FILE).unlink()
        _put_in_place(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put_in_place(made: Path, out: Path) -> None:
    """The folder that was there is gone only once the new one stands."""
    made.chmod(0o755)
    if not out.exists():
        made.replace(out)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    with _held(old):
        out.replace(old / "was")
        made.replace(out)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    with (folder / _LOCK_FILE).open("w", encoding="utf-8") as file:
        try_lock(file)
        try:
            yield
        finally:
            unlock(file)


def _remove_leftovers(out: Path) -> None:
    """Folders of ours beside ``out`` that nobody holds; one that was moved aside and not replaced is put back."""
    for left in sorted(out.parent.glob(f".{escape(out.name)}.*/{_LOCK_FILE}")):
        with left.open("a", encoding="utf-8") as file:
            if not try_lock(file):
                continue
            unlock(file)
        was = left.parent / "was"
        if was.is_dir() and not out.exists():
            was.replace(out)
        shutil.rmtree(left.parent, ignore_errors=True)
