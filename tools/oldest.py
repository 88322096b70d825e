"""Prints what holds every dependency at the oldest version that pyproject.toml declares, for ``make test-oldest``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_MINIMUM = re.compile(r"([A-Za-z0-9_.-]+)>=([0-9.]+)")


def oldest() -> list[str]:
    """``name==version`` for each dependency of the project and of its tests.

    Raises
    ------
    ValueError
        A dependency declares no oldest version.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    found = []
    for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        match = _MINIMUM.fullmatch(text)
        if match is None:
            raise ValueError(f"pyproject.toml: {text!r} declares no oldest version; write NAME>=VERSION")
        found.append(f"{match[1]}=={match[2]}")
    return sorted(found, key=str.casefold)


if __name__ == "__main__":
    print("\n".join(oldest()))
