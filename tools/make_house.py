"""Draws the rooms of the package and what each takes from the others, from the imports as they are.

python tools/make_house.py [--out FILE]
"""

from __future__ import annotations

import argparse
import ast
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "community_routes"

ROOMS = [
    "base",
    "sources",
    "fetch",
    "network",
    "routing",
    "fares",
    "measures",
    "scenarios",
    "report",
    "evaluation",
    "travel",
    "answers",
    "planning",
    "over_time",
    "sites",
    "workbench",
    "commands",
    "cli",
]
"""The rooms in the direction in which data moves: each imports from those before it only."""

WINGS = {
    "sources": ["gtfs", "osm", "study", "places"],
    "network": ["streets", "walks", "timetable"],
    "routing": ["cluster"],
    "scenarios": ["edit", "changes", "conveyal"],
    "report": ["maps", "files", "pages"],
    "planning": ["optimising"],
}
"""The folders within a room, in the order in which they may use each other."""

INK, SOFT, TEAL, PAPER, PALE = "#1d2b33", "#5f6b73", "#00695c", "#fbfaf6", "#e3efec"


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Every module of the package by its dotted name below it; the package's own ``__init__`` only gathers public names."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts != ("__init__",):
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(module: str, source: str, known: dict[str, Path]) -> Iterator[tuple[int, str]]:
    """Line and dotted name below ``community_routes`` of each of a module's own imports, wherever in it they stand.

    Those for type checking and within functions count. A name that is a module is that module; the package is the empty
    name.
    """
    package = ("community_routes", *module.split(".")[:-1])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            whole = ".".join(part for part in (base, node.module or "") if part)
            each = [f"{whole}.{alias.name}" for alias in node.names]
            names = [name if name.partition(".")[2] in known else whole for name in each]
        else:
            continue
        for name in names:
            first, _, below = name.partition(".")
            if first == "community_routes":
                yield node.lineno, below


def between_rooms() -> Counter[tuple[str, str]]:
    """How many modules' imports lead from one room to another."""
    known = modules()
    found: Counter[tuple[str, str]] = Counter()
    for module, path in known.items():
        room = module.partition(".")[0]
        for other in {name for _, name in imported(module, path.read_text("utf-8"), known)}:
            if other and other.partition(".")[0] != room:
                found[room, other.partition(".")[0]] += 1
    return found


def purpose(room: str) -> str:
    """The first sentence of what a room says of itself."""
    path = PACKAGE / room / "__init__.py"
    text = ast.get_docstring(ast.parse((path if path.is_file() else PACKAGE / f"{room}.py").read_text("utf-8"))) or ""
    return " ".join(text.split()).partition(". ")[0].rstrip(".").replace("`", "")


def drawing() -> str:
    """The house as an SVG: a row for each room, an arc for what one takes from another, thicker where it is more."""
    step, left, wide, top = 50, 250, 110, 54
    height = top + step * len(ROOMS)
    middle = {room: top + step * row + 14 for row, room in enumerate(ROOMS)}
    parts = [
        "<title>The rooms of the package from the world to the command line, and what each takes from those above it</title>",
        f'<rect width="1000" height="{height}" fill="{PAPER}"/>',
        f'<text x="20" y="28" font-size="14" fill="{INK}" font-weight="bold">Each room uses only rooms above it</text>',
        f'<text x="{left + wide + 16}" y="28" font-size="12.5" fill="{SOFT}">'
        "an arc leads from what is used down to what uses it; the thicker, the more modules do</text>",
    ]
    for (user, used), n in sorted(between_rooms().items(), key=lambda item: (item[1], item[0])):
        a, b = middle[used], middle[user]
        reach = 18 + (b - a) * 0.27
        parts.append(
            f'<path data-from="{used}" data-to="{user}" '
            f'd="M{left} {a} C{left - reach:.1f} {a} {left - reach:.1f} {b} {left} {b}" fill="none" stroke="{TEAL}" '
            f'stroke-opacity="{0.12 if used == "base" else 0.4}" stroke-width="{0.6 + 0.9 * math.sqrt(n):.2f}"/>'
        )
    for room, y in middle.items():
        files = [path for name, path in modules().items() if name.partition(".")[0] == room]
        lines = sum(len(path.read_text("utf-8").splitlines()) for path in files)
        parts += [
            f'<rect x="{left}" y="{y - 15}" width="{wide}" height="30" rx="6" fill="{PALE}" stroke="{TEAL}"/>',
            f'<text x="{left + wide / 2}" y="{y + 5}" font-size="14" fill="{INK}" text-anchor="middle" '
            f'font-weight="bold">{room}</text>',
            f'<text x="{left + wide + 16}" y="{y - 2}" font-size="12.5" fill="{INK}">{escape(purpose(room))}</text>',
            f'<text x="{left + wide + 16}" y="{y + 14}" font-size="11.5" fill="{SOFT}">'
            f"{f'{round(lines, -2):,} lines' if lines >= 100 else 'one file'}"
            f"{': ' + ', '.join(WINGS[room]) if room in WINGS else ''}</text>",
        ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}" '
        'font-family="Helvetica, Arial, sans-serif" role="img">'
    )
    return "\n".join([head, *parts, "</svg>", ""])


def main() -> None:
    """Write the drawing."""
    parser = argparse.ArgumentParser(description="Draw the rooms of the package from its imports.")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images" / "data-flow.svg")
    out = parser.parse_args().out
    out.write_text(drawing(), encoding="utf-8", newline="\n")
    print(out, out.stat().st_size)


if __name__ == "__main__":
    main()
