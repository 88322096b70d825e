"""What is costly to make, kept between runs: one folder of memory-mapped arrays for each key, checked when it is read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.notices import Notice
from community_routes.base.version import __version__, code_hash
from community_routes.network.packing import Packed, UnpackableError, unpack

FORMAT = 1
"""Raised when the layout of the files changes."""

MOST_BYTES = 5_000_000_000
"""What is kept in all; beyond it, what was used longest ago goes."""

_LIST = "entry.json"
_PART_AGE_S = 24 * 3600
Made = TypeVar("Made")


class Store:
    """A folder of kept values.

    Whatever goes wrong with the folder (it cannot be written, the disk is full, a file is damaged) means that a value is
    made again, never a failure. Several processes may use one folder: a value appears whole or not at all, and who comes
    second leaves the first one's in place.

    Parameters
    ----------
    folder : Path
        Made when something is first kept.
    most_bytes : int
        Size of all files together.
    """

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    def load(self, key: str) -> Any:
        """The value kept under a key, its arrays mapped from their files, or None."""
        entry = self.folder / key
        if not (entry / _LIST).is_file():
            return None
        try:
            value = read_mapped(entry)
        except (OSError, ValueError):
            shutil.rmtree(entry, ignore_errors=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(entry / _LIST)  # the moment of its last use
        return value

    def save(self, key: str, value: object) -> bool:
        """Keep a value under a key; whether it is kept now."""
        part = self.folder / f".{uuid.uuid4().hex}.part"
        try:
            packed = Packed(value)
            if sum(array.nbytes for array in packed.arrays) > self.most_bytes:
                return False
            write_mapped(part, packed)
            with contextlib.suppress(OSError):  # another process was quicker; its value is as good
                part.rename(self.folder / key)
            self._make_room(key)
        except (OSError, UnpackableError):
            return False
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return True

    def get(self, key: str, make: Callable[[list[Notice]], Made], notices: list[Notice] | None = None) -> Made:
        """The value kept under a key, or a new one that is kept from now on; ``notices`` gets what making it found."""
        held = self.load(key)
        if held is None:
            found: list[Notice] = []
            try:
                held = make(found), found
            finally:
                if notices is not None and held is None:  # it failed: what was found says why
                    notices.extend(found)
            self.save(key, held)
        if notices is not None:
            notices.extend(held[1])
        value: Made = held[0]
        return value

    def _make_room(self, newest: str) -> None:
        """Remove what was used longest ago until the rest fits, and what broken-off runs left behind."""
        entries: list[tuple[float, int, Path]] = []
        for entry in self.folder.iterdir():
            with contextlib.suppress(OSError):
                if entry.suffix == ".part":
                    if time.time() - entry.stat().st_mtime > _PART_AGE_S:
                        shutil.rmtree(entry, ignore_errors=True)
                    continue
                size = sum(file.stat().st_size for file in entry.iterdir())
                used = (entry / _LIST).stat().st_mtime if entry.name != newest else float("inf")
                entries.append((used, size, entry))
        entries.sort(key=lambda one: (one[0], one[2].name))
        total = sum(size for _, size, _ in entries)
        for _, size, entry in entries:
            if total <= self.most_bytes or entry.name == newest:
                break
            shutil.rmtree(entry, ignore_errors=True)
            total -= size


def write_mapped(folder: Path, packed: Packed) -> None:
    """Write a packed value into a new folder; the list that makes it whole comes last.

    Raises
    ------
    OSError
    """
    folder.mkdir(parents=True)
    files = [_write(folder / f"{i}.npy", array) for i, array in enumerate(packed.arrays)]
    body = json.dumps({"files": files, "tree": packed.tree}, separators=(",", ":"))
    (folder / _LIST).write_text(f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}", "utf-8")


def read_mapped(folder: Path) -> Any:
    """The value that was written into a folder, its arrays mapped from their files and checked.

    Raises
    ------
    OSError
        A file is not there or cannot be read.
    ValueError
        It is not what was written.
    """
    digest, _, body = (folder / _LIST).read_text("utf-8").partition("\n")
    if hashlib.sha256(body.encode()).hexdigest() != digest:
        raise ValueError(f"{_LIST} is damaged")
    try:
        listed = json.loads(body)
        arrays = [_mapped(folder / f"{i}.npy", *known) for i, known in enumerate(listed["files"])]
        return unpack(listed["tree"], arrays)
    except (KeyError, TypeError, IndexError, EOFError) as wrong:
        raise ValueError(f"it is no value of ours ({type(wrong).__name__}: {wrong})") from None


def _write(path: Path, array: NDArray[Any]) -> tuple[int, int]:
    """Write one array; bytes of the file and their check sum."""
    np.save(path, array, allow_pickle=False)
    return path.stat().st_size, _check_sum(path)


def _check_sum(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total = zlib.crc32(block, total)
    return total


def _mapped(path: Path, size: int, check_sum: int) -> NDArray[Any]:
    """An array mapped from its file.

    Raises
    ------
    ValueError, OSError
        The file is not the one that was written.
    """
    if path.stat().st_size != size or _check_sum(path) != check_sum:
        raise ValueError(f"{path.name} is damaged")
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)


def key_of(kind: str, *parts: object) -> str:
    """The key of a value of some kind that is made from these parts (numbers, text, dates and sequences of them).

    Every version of the program has its own keys, so that no run ever gets what other code made.
    """
    program = (FORMAT, code_hash(), __version__, np.__version__, pd.__version__)
    return hashlib.sha256(repr((program, kind, parts)).encode()).hexdigest()


def fingerprint(*values: object) -> str:
    """sha256 over the content of values that can be packed.

    Raises
    ------
    UnpackableError
        One cannot.
    """
    packed = Packed(values)
    digest = hashlib.sha256(json.dumps(packed.tree, default=str).encode())
    for array in packed.arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.view(np.uint8).data if array.size else b"")
    return digest.hexdigest()
