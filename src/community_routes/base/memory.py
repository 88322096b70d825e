"""Memory that was let go, given back to the system."""

from __future__ import annotations

import contextlib
import ctypes
import gc

import pyarrow as pa


def give_back(*, collect: bool = True) -> None:
    """Return what nobody uses any more to the system, before other work takes as much again.

    Freed arrays of a few megabytes and columns of text otherwise stay with the program, between those that are in use.

    Parameters
    ----------
    collect : bool
        Whether to look for objects that hold one another as well, which takes some hundredths of a second.
    """
    if collect:
        gc.collect()
    pa.default_memory_pool().release_unused()
    with contextlib.suppress(OSError, AttributeError):  # only where the C library is glibc
        ctypes.CDLL(None).malloc_trim(0)
