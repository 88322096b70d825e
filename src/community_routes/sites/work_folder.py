"""Keeps the finished part of a batch: records that appear whole, one run at a time, a result that replaces the old at once."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import socket
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import MachineError, UsageError
from community_routes.base.files import try_lock, unlock

LOCK_FILE = "sites.lock"
FloatArray = NDArray[np.float64]


class WorkFolder:
    """The folder beside a result in which a batch keeps what is done.

    Records are kept under the hash of everything they depend on, so that a changed input starts anew and an unchanged one
    goes on. A record is written under another name and renamed: it is there whole or not at all.

    Parameters
    ----------
    out : Path
        Folder of the result; the work lies beside it, in ``<name>.work``.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out.with_name(f"{out.name}.work")

    def records(self, settings: str, n_figures: int) -> Records:
        """The figures of places that depend on some settings (and on where the place is), so many of each."""
        return Records(self, settings, n_figures)

    def notes(self, settings: str) -> Notes:
        """What the pages say of single places beyond their figures."""
        return Notes(self, settings)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The folder for this run alone.

        The system holds the lock and lets go of it when the process ends, however it ends: no lock is left behind.

        Raises
        ------
        UsageError
            Another run is at work there, or the folder is not one of ours.
        """
        if self.folder.exists() and not (self.folder / LOCK_FILE).is_file() and any(self.folder.iterdir()):
            raise UsageError(f"{self.folder} is needed for unfinished work and holds something else; move it away")
        with self.kept():
            self.folder.mkdir(parents=True, exist_ok=True)
            file = (self.folder / LOCK_FILE).open("a+", encoding="utf-8")
        with file:
            if not try_lock(file):
                file.seek(0)
                raise UsageError(
                    f"another run ({file.read().strip() or 'just begun'}) is at work on {self.out}; wait until it is "
                    "finished, or name another folder with --out"
                )
            with suppress(OSError):  # on a full disk the lock holds all the same
                file.truncate(0)
                file.write(f"process {os.getpid()} on {socket.gethostname()}")
                file.flush()
            try:
                self._tidy()
                yield
            finally:
                with suppress(OSError):
                    file.truncate(0)
                unlock(file)

    def _tidy(self) -> None:
        """Remove what a run that was killed had begun and not finished."""
        if not self.out.exists() and (self.folder / "old").is_dir():  # killed between the two moves of a publication
            (self.folder / "old").replace(self.out)
        for left in [self.folder / "made", self.folder / "old"]:
            shutil.rmtree(left, ignore_errors=True)
        for part in self.folder.rglob("*.part"):
            part.unlink(missing_ok=True)

    def publish(self, write: Callable[[Path], None], keep: Collection[str]) -> None:
        """Write the result into a new folder and put it in the place of the old one.

        Parameters
        ----------
        write : callable of Path
            Writes the result into an empty folder.
        keep : collection of str
            Settings of the records that stay; others are of inputs that are no more, and go.

        Raises
        ------
        MachineError
            The disk is full or cannot be written; the old result stays, and what is done is kept.
        """
        made, old = self.folder / "made", self.folder / "old"
        with self.kept():
            try:
                made.mkdir()
                write(made)
                if self.out.exists():
                    self.out.replace(old)
                made.replace(self.out)
            finally:
                shutil.rmtree(made, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
        for other in self.folder.iterdir():
            if other.is_dir() and other.name not in keep:
                shutil.rmtree(other, ignore_errors=True)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Around all writing: a fault of the disk says that what is finished is kept."""
        try:
            yield
        except OSError as fault:
            raise MachineError(
                f"{fault.strerror or fault} while writing beside {self.out}; what is finished is kept, and the same "
                "command goes on from there"
            ) from fault

    def save(self, path: Path, content: bytes) -> None:
        """Write a record beside its place and rename it.

        Raises
        ------
        MachineError
            The disk is full or cannot be written; what was kept before stays.
        """
        with self.kept():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            try:
                _write_through(part, content)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)


class Records:
    """Figures of places, a block of places in each file."""

    def __init__(self, work: WorkFolder, settings: str, n_figures: int) -> None:
        self.work = work
        self.folder = work.folder / settings
        self.n_figures = n_figures

    def load(self) -> dict[str, FloatArray]:
        """The figures of every place that is done, by the key of the place; a damaged record counts as not there."""
        done: dict[str, FloatArray] = {}
        for path in sorted(self.folder.glob("*.npz")):
            try:
                with np.load(path, allow_pickle=False) as held:
                    keys, values = held["keys"], held["values"]
            except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                continue
            if values.shape == (len(keys), self.n_figures) and _record_name(keys.tolist()) == path.name:
                done.update(zip(keys.tolist(), values, strict=True))
        return done

    def save(self, keys: list[str], values: FloatArray) -> None:
        """Keep the figures of a block of places."""
        content = io.BytesIO()
        np.savez(content, keys=np.array(keys), values=values)
        self.work.save(self.folder / _record_name(keys), content.getvalue())


class Notes:
    """What pages say of single places, a file for each; a damaged one counts as not there."""

    def __init__(self, work: WorkFolder, settings: str) -> None:
        self.work = work
        self.folder = work.folder / settings / "pages"

    def load(self, key: str) -> dict[str, Any] | None:
        """What is known of a place, or None."""
        try:
            digest, _, body = (self.folder / f"{key}.json").read_text("utf-8").partition("\n")
        except (OSError, ValueError):
            return None
        if hashlib.sha256(body.encode()).hexdigest() != digest:
            return None
        content: dict[str, Any] = json.loads(body)
        return content

    def save(self, key: str, content: dict[str, Any]) -> None:
        """Keep what was found out about a place."""
        body = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
        self.work.save(self.folder / f"{key}.json", f"{hashlib.sha256(body.encode()).hexdigest()}\n{body}".encode())


def is_finished(out: Path, fingerprint: str) -> bool:
    """Whether the folder holds the result of exactly these inputs and settings."""
    try:
        content = json.loads((out / "run.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("inputs_sha256") == fingerprint


def _record_name(keys: list[str]) -> str:
    return f"{hashlib.sha256(chr(10).join(keys).encode()).hexdigest()[:32]}.npz"


def _write_through(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
