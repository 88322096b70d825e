"""Loaded by workers that were started here: Ctrl-C is for the process that started them, which then ends them."""

from __future__ import annotations

import signal
from typing import Any


def dask_setup(_: Any) -> None:
    """Leave interruptions to the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
