"""Results appear whole or not at all: a folder is made under another name and takes its place when it is finished.

And what a file holds is known by its hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import IO

from community_routes.base.errors import UsageError

LOCK_FILE = ".lock"
_LOCKED_BYTE = 1 << 20  # beyond the text of the file, which others may read while it is locked

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: IO[str]) -> bool:
        """Lock an open file for this process alone; False where another holds it."""
        os.lseek(file.fileno(), _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def unlock(file: IO[str]) -> None:
        """Let go of a locked file."""
        os.lseek(file.fileno(), _LOCKED_BYTE, os.SEEK_SET)
        with suppress(OSError):
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def try_lock(file: IO[str]) -> bool:
        """Lock an open file for this process alone; False where another holds it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def unlock(file: IO[str]) -> None:
        """Let go of a locked file."""
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)


def hidden_folder(path: Path) -> Path:
    """A new hidden folder beside ``path``; what killed processes left there of the same name is removed first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    return Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder, so that no other process takes it for a leftover."""
    with (folder / LOCK_FILE).open("w", encoding="utf-8") as file:
        try_lock(file)
        try:
            yield
        finally:
            unlock(file)


def _remove_leftovers(path: Path) -> None:
    """Folders of ours beside ``path`` that nobody holds; one that was moved aside and not replaced is put back."""
    for left in sorted(path.parent.glob(f".{escape(path.name)}.*/{LOCK_FILE}")):
        with left.open("a", encoding="utf-8") as file:
            if not try_lock(file):
                continue
            unlock(file)
        was = left.parent / "was"
        if was.is_dir() and not path.exists():
            was.replace(path)
        shutil.rmtree(left.parent, ignore_errors=True)


def check_file(path: Path) -> None:
    """What is written as a file must not be the name of a folder.

    Raises
    ------
    UsageError
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")


@contextmanager
def folder_beside(path: Path) -> Iterator[Path]:
    """A held folder for unfinished work on the disk on which a file is to be; it goes away whatever happens."""
    made = hidden_folder(path)
    try:
        with held(made):
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Where to write a file, which takes its place when the block ends without an error: it appears whole or not at all.

    Raises
    ------
    UsageError
        There is a folder of that name.
    """
    check_file(path)
    with folder_beside(path) as made:
        yield made / path.name
        (made / path.name).replace(path)


def hash_of_file(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal.

    Raises
    ------
    OSError
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
