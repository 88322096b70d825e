"""Writes docs/notices.md: every kind of notice that the program can give, one line each, from the code itself."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

import community_routes
from community_routes.base.notices import CODES, Code

PAGE = Path(__file__).resolve().parents[1] / "docs" / "notices.md"

HEAD = """# Notices

Everything the program can find in its inputs. Each finding has one of these codes, in `notices.csv`, in the report and in
the output of `community-routes check`; the codes stay the same from version to version. An **error** stops the work; a
**warning** is recorded, and the message says what was done; an **info** is for the record. What a warning or an info speaks
of is **kept** as it is, is **mended** and counts, or is **left out**; `check` lists what was left out.

This page is made from the code by `python tools/make_notices_doc.py`.
"""

SECTIONS = {
    "error": "Errors",
    "warning": "Warnings",
    "info": "Infos",
}


def declared_codes() -> list[Code]:
    """All kinds of notices that the modules of the package declare, by name."""
    for module in pkgutil.walk_packages(community_routes.__path__, "community_routes."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return sorted(CODES.values(), key=lambda code: code.name)


def page() -> str:
    """The text of the page."""
    codes = declared_codes()
    parts = [HEAD]
    for severity, title in SECTIONS.items():
        stops = severity == "error"
        head = ["| code | meaning |", "|---|---|"] if stops else ["| code | meaning | it is |", "|---|---|---|"]
        rows = [
            f"| `{code.name}` | {code.meaning} |" + ("" if stops else f" {code.outcome} |")
            for code in codes
            if code.severity == severity
        ]
        parts.append("\n".join([f"## {title}", "", *head, *rows]) + "\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page beside the other documents."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    print(f"{PAGE.relative_to(PAGE.parents[1])}: {len(declared_codes())} codes")


if __name__ == "__main__":
    main()
