"""The house has one direction: a folder imports only from folders to its left."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "community_routes"

BASE = ["base", "errors", "notices", "times", "columns", "earth", "arrays", "kernels", "timings", "locking"]
"""What everything may import, and what imports nothing of ours but what stands to its left."""

LAYERS = ["sources", "network", "routing", "measures", "scenarios", "report"]
"""The folders, in the direction in which data moves."""

LAST = ["commands", "cli"]
"""The command line, above everything: each command, and what gathers them."""

TOP = sorted(
    {"study", "sites", "over_time", "cluster"}
    | {path.stem for path in PACKAGE.glob("[a-z]*.py")} - set(BASE) - set(LAST)
)
"""Modules above all folders but the command line; they may import everything below, and each other."""


def imported_parts(source: str, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and first name below ``community_routes`` of each of our own imports in a module of ``package``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            # `from community_routes import study` names the part only in its list of names
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "community_routes" else [module]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "community_routes" and len(parts) > 1:
                yield node.lineno, parts[1]


def level(part: str) -> int | None:
    """How far to the right a folder or module stands; None for one that the house does not know."""
    if part in BASE:
        return 0
    if part in LAYERS:
        return 1 + LAYERS.index(part)
    if part in TOP:
        return 1 + len(LAYERS)
    if part in LAST:
        return 2 + len(LAYERS) + LAST.index(part)
    return None


def complaint(where: str, part: str, source: str, package: tuple[str, ...]) -> str | None:
    """The sentence for the first import of a module that goes the wrong way, or None."""
    own = level(part)
    if own is None:
        return f"{where}: the house has no room {part!r}; the rooms are {', '.join(LAYERS)}"
    for line, other in imported_parts(source, package):
        theirs = level(other)
        if theirs is None and other.startswith("__"):
            continue
        if theirs is None:
            return f"{where} line {line}: imports community_routes.{other}, a room that the house does not have"
        if theirs > own:
            return f"{where} line {line}: {part} imports {other}, but data moves from {part} to {other}, not back"
        if own == 0 and BASE.index(other) >= BASE.index(part):
            return f"{where} line {line}: {part} imports {other}; a base module imports only those before it in {BASE}"
    return None


def modules() -> list[Path]:
    """Every module of the package but its ``__init__``, which only gathers the public names."""
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way(path: Path) -> None:
    """No module imports from a folder to its right."""
    inside = path.relative_to(PACKAGE)
    package = ("community_routes", *inside.parts[:-1])
    fault = complaint(inside.as_posix(), inside.parts[0].removesuffix(".py"), path.read_text("utf-8"), package)
    assert fault is None, fault


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_says_what_it_is_for(path: Path) -> None:
    """The first statement of every module is a docstring (an empty ``__init__`` may go without)."""
    text = path.read_text("utf-8")
    assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path.name}: says nothing of what it is for"


@pytest.mark.parametrize("name", ["matplotlib", "osmnx"])
def test_heavy_libraries_stay_in_their_room(name: str) -> None:
    """``matplotlib`` is the report's, ``osmnx`` the street reader's; nobody else pays for importing them."""
    room = {"matplotlib": "report/", "osmnx": "sources/osm"}[name]
    for path in modules():
        inside = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found: list[str] = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                found = [node.module or ""]
            if any(item.split(".")[0] == name for item in found):
                assert inside.startswith(room), f"{inside} line {node.lineno}: {name} is imported in {room} only"


@pytest.mark.parametrize(
    ("where", "source", "words"),
    [
        (
            "network/streets.py",
            "from community_routes.routing.query import Query",
            "data moves from network to routing",
        ),
        ("sources/gtfs.py", "import community_routes.study", "data moves from sources to study"),
        ("sources/gtfs.py", "from ..network import walks", "data moves from sources to network"),
        ("sources/gtfs.py", "from community_routes import cli", "data moves from sources to cli"),
        ("errors.py", "from community_routes.notices import Notice", "only those before it"),
        ("helpers/things.py", "", "no room 'helpers'"),
        ("network/walks.py", "def f():\n    from community_routes.report import page", "line 2"),
    ],
)
def test_wrong_ways_are_noticed(where: str, source: str, words: str) -> None:
    """The check itself: each of these breaks the rule and is named."""
    parts = where.split("/")
    package = ("community_routes", *parts[:-1])
    fault = complaint(where, parts[0].removesuffix(".py"), source, package)
    assert fault is not None
    assert words in fault


def test_right_ways_are_accepted() -> None:
    """Leftward imports, those within a folder, and other people's libraries are fine."""
    source = "import numpy\nfrom community_routes.sources.feed import Feed\nfrom . import walks\nfrom ..errors import FeedError"
    assert complaint("network/streets.py", "network", source, ("community_routes", "network")) is None
