"""Every example runs on the sample and ends in a picture; the README of the examples names each."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
QUICK = {"reach_map": {}, "one_journey": {}, "fifty_headways": {"headways": (10, 30)}}
SLOW = {
    "sunday_gap": {},
    "two_headways": {},
    "early_shift": {},
    "affordable_reach": {},
    "meeting_places": {},
    "one_site": {},
}
HELPERS = {"pictures"}


@pytest.mark.parametrize(
    ("name", "settings"), [*QUICK.items(), *(pytest.param(*item, marks=pytest.mark.slow) for item in SLOW.items())]
)
def test_an_example_ends_in_a_picture(
    name: str, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs from beginning to end and writes one PNG of more than an empty page."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    path = importlib.import_module(name).main(tmp_path, **settings)
    assert path == tmp_path / f"{name}.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5_000


def test_every_example_is_named_and_run() -> None:
    """The scripts in the folder are those of the README and of this test."""
    scripts = {path.stem for path in EXAMPLES.glob("*.py")} - HELPERS
    assert scripts == QUICK.keys() | SLOW.keys()
    text = (EXAMPLES / "README.md").read_text("utf-8")
    assert {name for name in scripts if f"`{name}.py`" not in text} == set()
