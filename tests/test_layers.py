"""The law of imports: a room imports only from rooms above it, a wing only from wings before it, and no files in a circle."""

from __future__ import annotations

import ast
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]


def tool() -> ModuleType:
    """The tool that draws the house: it knows the order of the rooms and reads their imports."""
    spec = spec_from_file_location("make_house", ROOT / "tools" / "make_house.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOUSE = tool()
ROOMS, WINGS, PACKAGE, MODULES, imported = HOUSE.ROOMS, HOUSE.WINGS, HOUSE.PACKAGE, HOUSE.modules(), HOUSE.imported

WIDEST = 16
"""The most modules side by side in a folder."""


def place(module: str) -> tuple[int, int | None]:
    """Where a module stands: its room, and its wing (None for a module that lies in the room itself).

    Raises
    ------
    KeyError
        The house has no such room or wing; the text says so.
    """
    room, _, rest = module.partition(".")
    if room not in ROOMS:
        raise KeyError(f"the house has no room {room!r}; give it a place in ROOMS")
    wing = rest.partition(".")[0]
    if "." not in rest and not (PACKAGE / room / wing).is_dir():
        return ROOMS.index(room), None
    if not wing:
        return ROOMS.index(room), None
    if wing not in WINGS.get(room, ()):
        raise KeyError(f"the room {room!r} has no wing {wing!r}; give it a place in WINGS")
    return ROOMS.index(room), WINGS[room].index(wing)


def complaint(module: str, source: str, known: dict[str, Path] = MODULES) -> str | None:
    """The sentence for the first import of a module that goes against the law, or None."""
    try:
        room, wing = place(module)
        for line, other in imported(module, source, known):
            if not other:
                return f"{module} line {line}: imports the package's root, which only gathers public names"
            theirs, their_wing = place(other)
            if theirs > room:
                return f"{module} line {line}: imports {other}, but data moves from {ROOMS[room]} to {ROOMS[theirs]}, not back"
            if theirs == room and wing is not None and their_wing is not None and their_wing > wing:
                order = f"the wings of {ROOMS[room]} stand in the order {WINGS[ROOMS[room]]}"
                return f"{module} line {line}: imports {other}, but {order}"
    except KeyError as wrong:
        return f"{module}: {wrong.args[0]}"
    return None


def circles(imports: dict[str, set[str]]) -> list[list[str]]:
    """The sets of modules that import each other, directly or through others (Tarjan's components of more than one)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(imports[name] & imports.keys()):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            circle = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(circle) > 1 or name in imports[name]:
                found.append(sorted(circle))

    for name in imports:
        if name not in index:
            visit(name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_one_way(module: str) -> None:
    """No module imports against the order of rooms and wings, or the package's root."""
    fault = complaint(module, MODULES[module].read_text("utf-8"))
    assert fault is None, fault


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports for type checking and within functions count too: who is in a circle can be neither read nor moved alone."""
    imports = {
        module: {other for _, other in imported(module, path.read_text("utf-8"), MODULES)}
        for module, path in MODULES.items()
    }
    assert circles(imports) == []


def test_the_root_holds_two_files() -> None:
    """The public names and the command line; everything else lies in a room."""
    assert sorted(path.name for path in PACKAGE.iterdir() if path.is_file()) == ["__init__.py", "cli.py", "py.typed"]


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES.values()}), ids=lambda path: path.name)
def test_no_folder_is_too_wide(folder: Path) -> None:
    """What lies side by side can be taken in at a glance."""
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= WIDEST


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    """The first statement of every module and room is a docstring."""
    assert ast.get_docstring(ast.parse(MODULES[module].read_text("utf-8"))), f"{module}: says nothing of what it is for"


@pytest.mark.parametrize(("library", "room"), [("matplotlib", "report/"), ("osmnx", "sources/osm/")])
def test_heavy_libraries_stay_in_their_room(library: str, room: str) -> None:
    """``matplotlib`` is the report's, ``osmnx`` the street reader's; nobody else pays for importing them."""
    for path in MODULES.values():
        inside = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            found: list[str] = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found = [node.module or ""]
            if any(name.split(".")[0] == library for name in found):
                assert inside.startswith(room), f"{inside} line {node.lineno}: {library} is imported in {room} only"


@pytest.mark.parametrize(
    ("module", "source", "words"),
    [
        ("network.network", "from community_routes.routing.query import Query", "data moves from network to routing"),
        ("sources.gtfs.read", "import community_routes.evaluation.case", "data moves from sources to evaluation"),
        ("sources.gtfs.read", "from ...network import network", "data moves from sources to network"),
        ("sources.gtfs.read", "from community_routes import cli", "data moves from sources to cli"),
        ("sources.gtfs.read", "from community_routes.sources.osm import tags", "the wings of sources"),
        ("sites.read", "from community_routes import open_study", "the package's root"),
        ("helpers.things", "", "no room 'helpers'"),
        ("network.rails.tracks", "", "no wing 'rails'"),
        ("network.store", "def f():\n    from community_routes.report.pages import report", "line 2"),
        ("base.times", "if TYPE_CHECKING:\n    from community_routes.network import store", "line 2"),
    ],
)
def test_wrong_ways_are_noticed(module: str, source: str, words: str) -> None:
    """The check itself: each of these breaks the law and is named."""
    fault = complaint(module, source)
    assert fault is not None
    assert words in fault


def test_right_ways_are_accepted() -> None:
    """Upward imports, those within a folder, from an earlier wing, and other people's libraries are fine."""
    source = "import numpy\nfrom community_routes.sources.gtfs.feed import Feed\nfrom . import store\nfrom ..base import errors"
    assert complaint("network.network", source) is None
    assert complaint("network.walks.links", "from community_routes.network.streets import graph") is None


def test_circles_are_found() -> None:
    """a and b import each other through c; d only looks on; e imports itself."""
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": {"e"}}) == [["a", "b", "c"], ["e"]]


def test_the_drawing_is_of_this_house() -> None:
    """The picture in the documents has an arc for each pair of rooms of which one uses the other, and no other arc."""
    kept = (ROOT / "docs" / "images" / "data-flow.svg").read_text("utf-8")
    arcs = {(user, used) for used, user in re.findall(r'data-from="(\w+)" data-to="(\w+)"', kept)}
    assert arcs == set(HOUSE.between_rooms()), "run python tools/make_house.py"
