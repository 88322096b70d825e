"""The one decorator for compiled loops: cached on disk where a folder is writable, compiled anew where none is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numba as nb

from community_routes.base import starting

_compile_s = [0.0]


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function of arrays and numbers with numba, without the interpreter's lock.

    Kernels that call each other must live in one file: numba's cache does not notice a change in a cached function of
    another file. Arrays that belong together come as one named tuple. For each other type of an argument (int32 or int64,
    read-only or not) a kernel is compiled anew, so callers see to it that they are always the same.
    """
    try:
        compiled = nb.njit(cache=True, nogil=True, no_cfunc_wrapper=True)(function)
    except RuntimeError:  # numba: no locator available, that is, no folder for the cache can be written
        compiled = nb.njit(cache=False, nogil=True, no_cfunc_wrapper=True)(function)
    return compiled  # type: ignore[no-any-return]


def step(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a piece of kernels of the same file: they hold it in their own compiled form, and only they can call it."""
    return nb.njit(nogil=True, no_cfunc_wrapper=True, no_cpython_wrapper=True)(function)  # type: ignore[no-any-return]


def compile_seconds() -> float:
    """Processor seconds spent compiling kernels in this process so far; what the cache holds is loaded without notice."""
    return _compile_s[0]


def compile_seconds_of_thread() -> float:
    """The same, of the thread that asks."""
    return _of_thread.seconds


class _OfThread(threading.local):
    seconds = 0.0
    started = 0.0
    depth = 0  # a kernel that calls another is compiled around it


_of_thread = _OfThread()


def _listen_to_compiler() -> None:
    from numba.core import event

    class Listener(event.Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None:
            _of_thread.depth += 1
            if _of_thread.depth == 1:
                _of_thread.started = time.thread_time()

        def on_end(self, event: Any) -> None:
            _of_thread.depth -= 1
            if _of_thread.depth > 0:
                return
            passed = time.thread_time() - _of_thread.started
            _of_thread.seconds += passed
            _compile_s[0] += passed  # one at a time: the compiler has a lock of its own

    event.register("numba:compile", Listener())


_listen_to_compiler()


def _leave_algebra_out() -> None:
    """No kernel multiplies matrices, but before the first one runs numba imports all of scipy's algebra to see whether it could.

    That takes a quarter of a second. It looks once, here, while there is none.
    """
    if "scipy.linalg" in sys.modules:
        return
    sys.modules["scipy.linalg"] = None  # type: ignore[assignment]
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        del sys.modules["scipy.linalg"]


if starting.is_own_process:
    _leave_algebra_out()
