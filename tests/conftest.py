"""What all tests share: where the optional real data lies, and how its absence is shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ["COMMUNITY_ROUTES_CACHE"] = "none"  # nothing is left in the cache of whoever runs the tests

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """Folder of a real data set, or a visible skip where it is absent."""
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"real data set {name!r} is not beside the project (../shared/data/{name})")
    return folder
