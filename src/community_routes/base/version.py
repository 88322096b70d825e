"""Which program this is: its version, and a hash over all of its code."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

try:
    __version__ = version("community-routes")
except PackageNotFoundError:  # the source folder without an installation
    __version__ = "0+unknown"


@cache
def code_hash(package: Path = _PACKAGE) -> str:
    """sha256 over every module of a package, those in its folders too.

    Whatever a result depends on is in it, so nothing that other code made is ever taken for this code's.
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        text = path.read_bytes()
        digest.update(f"\n{path.relative_to(package).as_posix()} {len(text)}\n".encode() + text)
    return digest.hexdigest()
