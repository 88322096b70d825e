"""A lock on an open file that goes with the process that holds it, however it ends; on every system."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO

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
