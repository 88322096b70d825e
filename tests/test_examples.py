"""Every example runs on the sample and ends in a picture; the README of the examples names each."""

from __future__ import annotations

import ast
import importlib
import json
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
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


def notebook_tool() -> ModuleType:
    spec = spec_from_file_location("make_notebook", EXAMPLES.parent / "tools" / "make_notebook.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tutorial_is_what_its_tool_writes() -> None:
    """The notebook is up to date, and no cell holds an output."""
    tool = notebook_tool()
    assert tool.PAGE.read_text("utf-8") == tool.notebook(tool.TEXT), "run python tools/make_notebook.py"
    cells = json.loads(tool.PAGE.read_text("utf-8"))["cells"]
    assert {cell["cell_type"] for cell in cells} == {"markdown", "code"}
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.slow
def test_the_cells_of_the_tutorial_run_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a notebook runs them: in one namespace, and the last line of a cell that is an expression is shown."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    shown = []
    for cell in json.loads((EXAMPLES / "tutorial.ipynb").read_text("utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, "tutorial.ipynb", "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "tutorial.ipynb", "eval"), names)
            shown.append(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
    assert (tmp_path / "out" / "tutorial" / "report.html").is_file()
    assert len(names["fifth"]) == 4 and names["fifth"]["change"].notna().all()
    assert names["change"]["change"].max() > 0
    assert len(shown) == 9
