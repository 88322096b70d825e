"""Where things are kept between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "community-routes"


def cache_folder(choice: str | None = None) -> Path | None:
    """The folder of the cache: the one named, none for ``none``, else the user's cache folder of the system."""
    if choice is not None:
        return None if choice == "none" else Path(choice)
    named = os.environ.get("COMMUNITY_ROUTES_CACHE")
    if named:
        return None if named == "none" else Path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / _NAME
