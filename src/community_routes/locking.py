"""Unfinished work beside its place: held by a lock that goes with its process, however that ends, and cleared away after."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import IO

from community_routes.errors import UsageError

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
