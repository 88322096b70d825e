"""The page of notices says what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

TOOL = Path(__file__).resolve().parents[1] / "tools" / "make_notices_doc.py"


def tool() -> ModuleType:
    """The tool as a module; its folder is no package."""
    spec = importlib.util.spec_from_file_location("make_notices_doc", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_up_to_date() -> None:
    """The committed page is what the tool writes now."""
    made = tool()
    assert made.PAGE.read_text(encoding="utf-8") == made.page(), "run python tools/make_notices_doc.py"


def test_every_code_is_told_once_in_a_sentence() -> None:
    """Names are lower case words, meanings are sentences on one line that fit a table."""
    for code in tool().declared_codes():
        assert code.name.replace("_", "").isalnum(), code
        assert code.name == code.name.lower(), code
        assert code.meaning.endswith("."), code
        assert "\n" not in code.meaning, code
        assert "|" not in code.meaning, code


def test_what_is_said_to_be_left_out_is_declared_so() -> None:
    """`check` lists what was left out by what the codes declare, which their sentences must not contradict."""
    for code in tool().declared_codes():
        if code.severity != "error" and "left out" in code.meaning:
            assert code.outcome == "left out", code
        if "was mended" in code.meaning:
            assert code.outcome == "mended", code
