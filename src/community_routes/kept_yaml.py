"""Changes a few values in the text of a YAML file and leaves every other character, comments included, as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from community_routes.sources.yaml_file import read_yaml
from community_routes.sources.yaml_nodes import Node


@dataclass(frozen=True)
class Scalar:
    """A value that names a file: its text, and its line and column from 1."""

    text: str
    at: tuple[int, int]


def file_scalars(path: Path, keys: Sequence[tuple[str, ...]]) -> list[Scalar]:
    """The values under these keys, wherever in the file they stand; places in lists do not count as keys."""
    root = read_yaml(path, []).root
    found = [
        Scalar(str(node.text).strip(), (node.line, node.column))
        for steps, node in _scalars(root, ())
        if any(steps[-len(key) :] == key for key in keys)
    ]
    return sorted(found, key=lambda scalar: scalar.at)


def _scalars(node: Node, steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    for key, (_, value) in (node.entries or {}).items():
        yield from _scalars(value, (*steps, str(key)))
    for item in node.items or ():
        yield from _scalars(item, steps)
    if node.text is not None:
        yield steps, node


def seed_edit(path: Path, text: str, seed: int) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], str]]:
    """What to change, and what to insert, so that the text of a study file has another ``travel.seed``; see `edited`."""
    travel = read_yaml(path, []).root.child("travel")
    if travel is None or not travel.entries:
        return {}, {(text.count("\n") + 2, 1): f"travel: {{seed: {seed}}}\n"}
    known = travel.child("seed")
    if known is not None:
        return {(known.line, known.column): str(seed)}, {}
    first = next(iter(travel.entries.values()))[0]
    in_braces = text.split("\n")[travel.line - 1][travel.column - 1 :].startswith("{")
    end = ", " if in_braces else "\n" + " " * (first.column - 1)
    return {}, {(first.line, first.column): f"seed: {seed}{end}"}


def edited(text: str, values: Mapping[tuple[int, int], str], inserted: Mapping[tuple[int, int], str]) -> str:
    """The text with other values in double quotes at some places, and with text inserted at others.

    Places are lines and columns from 1; a line after the last stands for the end of the text.
    """
    edits: list[tuple[int, int, str]] = []
    for event in YAML(typ="rt", pure=True).parse(text):
        mark = event.start_mark
        if type(event).__name__ != "ScalarEvent" or mark is None:
            continue
        new = values.get((mark.line + 1, mark.column + 1))
        if new is not None:
            anchor = f"&{event.anchor} " if event.anchor else ""
            edits.append((mark.index, event.end_mark.index, anchor + json.dumps(new, ensure_ascii=False)))
    lines = text.split("\n")
    for (line, column), new in inserted.items():
        if line > len(lines):
            edits.append((len(text), len(text), ("" if text.endswith("\n") else "\n") + new))
        else:
            start = sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
            edits.append((start, start, new))
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
