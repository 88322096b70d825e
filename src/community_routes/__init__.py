"""How well deprived neighbourhoods reach employment zones and shared spaces, and what a proposed route would change."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("community-routes")
except PackageNotFoundError:  # the source folder without an installation
    __version__ = "0+unknown"
