"""The one decorator for compiled loops: cached on disk where a folder is writable, compiled anew where none is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numba as nb

_compile_s = [0.0]


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers with numba, without the interpreter's lock.

    Kernels that call each other must live in one file: numba's cache does not notice a change in a cached function of
    another file.
    """
    try:
        compiled = nb.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # numba: no locator available, that is, no folder for the cache can be written
        compiled = nb.njit(cache=False, nogil=True)(function)
    return compiled  # type: ignore[no-any-return]


def compile_seconds() -> float:
    """Processor seconds spent compiling kernels (or loading them from the cache) in this process so far."""
    return _compile_s[0]


def _listen_to_compiler() -> None:
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            self.started = time.process_time()

        def on_end(self, event: Any) -> None:
            _compile_s[0] += time.process_time() - self.started

    event.register("numba:compile", Listener())


_listen_to_compiler()
