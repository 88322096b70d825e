"""A proposal's text changed as a person would change it: one change at a time, every other line and comment as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice, raise_on_errors
from community_routes.scenarios.file import yaml_values
from community_routes.sources.study.nodes import Node, tree_of

MOST_CHANGES = 200
"""A proposal with more changes is no plan that anybody drew."""
_FLOW_UP_TO = 90
_LIST, _EMPTY = "changes", "changes: []"

Fields = dict[str, JsonValue]
Place = Annotated[int, Field(ge=0, lt=MOST_CHANGES)]


class Head(BaseModel):
    """What stands beside the changes; a key that is not given stays, null takes it out."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scenario: Annotated[str, Field(max_length=64)] | None = None
    title: Annotated[str, Field(max_length=300)] | None = None
    base: Annotated[str, Field(max_length=64)] | None = None
    cost: Fields | None = None


class Edit(BaseModel):
    """One change of a text.

    Attributes
    ----------
    op : str
        ``add`` a change (before ``index``, else at the end), ``set`` another in its place, ``remove`` it, ``move`` it so that it
        stands at ``to``, switch it ``off`` or ``on``, or change keys of the ``head``.
    index, to : int, optional
        Places in the list of changes, from 0.
    change : {kind: fields}, optional
        As it would stand in the file.
    head : Head, optional
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    op: Literal["add", "set", "remove", "move", "off", "on", "head"]
    index: Place | None = None
    to: Place | None = None
    change: Annotated[dict[str, Fields], Field(min_length=1, max_length=1)] | None = None
    head: Head | None = None


def edited(text: str, edit: Edit) -> str:
    """The text with one edit: the lines of the other changes, and all comments, stay as they are.

    Raises
    ------
    ScenarioError
        The text is no YAML (with the notices of the reader), there is no such change, or something that the edit needs is not
        given.
    """
    ending = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n").removeprefix("\ufeff")
    before = _data(plain)
    parts = _Parts.of(plain)
    if edit.op == "head":
        made = _with_head(plain, before, _given(edit.head, "head"))
    else:
        _change_list(parts, before, edit)
        made = parts.text()
    _check(made, _expected(before, edit))
    return made.replace("\n", ending)


def n_changes(text: str) -> int:
    """How many changes a text lists; 0 where it cannot be read."""
    root = tree_of(text)
    node = root.child(_LIST) if root is not None else None
    return len(node.items or []) if node is not None else 0


@dataclass
class _Parts:
    """The lines of a text: before the list of changes, of each change (comments right above it are its own), and after."""

    head: list[str]
    items: list[list[str]] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)
    indent: int = 2

    @classmethod
    def of(cls, text: str) -> _Parts:
        root = _root(text)
        lines = text.split("\n")
        if lines[-1] == "":
            lines.pop()
        entry = (root.entries or {}).get(_LIST)
        if entry is None:
            return cls([*lines, f"{_LIST}:"])
        key, value = entry
        after = [other.line for other, _ in (root.entries or {}).values() if other.line > key.line]
        end = _with_comments_above(lines, min(after) - 1, key.line) if after else len(lines)
        head, body = lines[: key.line], lines[key.line : end]
        if not value.items:
            head[-1] = re.sub(r"^changes\s*:\s*(\[\s*\]|null|~)?", f"{_LIST}:", head[-1])
            return cls(head, [], body + lines[end:])
        dash = lines[value.items[0].line - 1].find("-")
        if value.items[0].line == key.line or not lines[value.items[0].line - 1].lstrip().startswith("- "):
            # A list in brackets: each change comes to stand on lines of its own.
            head[-1] = f"{_LIST}:"
            return cls(head, [_block(item, 2) for item in _resolved(value.data())], lines[end:])
        starts = [item.line - 1 for item in value.items]
        tops = [starts[0]] + [_with_comments_above(lines, start, previous + 1) for previous, start in pairwise(starts)]
        tops[0] = _with_comments_above(lines, starts[0], key.line)
        chunks = [lines[top:stop] for top, stop in zip(tops, [*tops[1:], end], strict=True)]
        tail: list[str] = []
        while len(chunks[-1]) > 1 and _is_loose(chunks[-1][-1], dash):
            tail.insert(0, chunks[-1].pop())
        return cls(lines[: tops[0]], chunks, tail + lines[end:], dash)

    def text(self) -> str:
        """All lines again."""
        head = list(self.head)
        if not self.items:
            at = next(n for n, line in enumerate(head) if re.match(rf"{_LIST}\s*:", line))
            head[at] = re.sub(r"^changes\s*:", _EMPTY, head[at])
        lines = [*head, *(line for item in self.items for line in item), *self.tail]
        return "\n".join(lines) + "\n"


def _with_comments_above(lines: list[str], start: int, first: int) -> int:
    """The line (from 0) where what starts at ``start`` begins with the comments right above it, not before ``first``."""
    while start > first and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start


def _is_loose(line: str, dash: int) -> bool:
    """Whether a line behind the last change belongs to no change: blank, or a comment further left than its dash."""
    said = line.strip()
    return not said or (said.startswith("#") and len(line) - len(line.lstrip()) < dash)


def _change_list(parts: _Parts, before: Mapping[str, Any], edit: Edit) -> None:
    """Put the edit into the lines of the list."""
    n = len(parts.items)
    if edit.op == "add":
        if n >= MOST_CHANGES:
            raise ScenarioError(f"a proposal has at most {MOST_CHANGES} changes here; take one out first")
        at = n if edit.index is None else min(edit.index, n)
        parts.items.insert(at, _block(_given(edit.change, "change"), parts.indent))
        return
    index = _given(edit.index, "index")
    if index >= n:
        raise ScenarioError(f"there is no change number {index + 1}; the text has {n}")
    if edit.op == "remove":
        del parts.items[index]
    elif edit.op == "move":
        to = _given(edit.to, "to")
        if to >= n:
            raise ScenarioError(f"there is no place number {to + 1} among {n} changes")
        parts.items.insert(to, parts.items.pop(index))
    else:
        wanted = _wanted(before[_LIST][index], edit)
        parts.items[index] = _item_with(parts.items[index], parts.indent, wanted)


def _wanted(change: Any, edit: Edit) -> dict[str, Any]:
    """The change as it is to be after ``set``, ``off`` or ``on``."""
    if edit.op == "set":
        return dict(_given(edit.change, "change"))
    if not isinstance(change, Mapping) or len(change) != 1 or not isinstance(next(iter(change.values())), Mapping):
        raise ScenarioError("this change cannot be switched, for it has a fault; mend its text first")
    kind, fields = next(iter(change.items()))
    switched = {key: value for key, value in fields.items() if key != "off"}
    return {kind: {**switched, "off": True} if edit.op == "off" else switched}


def _expected(before: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """What the edited text must say."""
    after = dict(before)
    if edit.op == "head":
        given = _given(edit.head, "head").model_dump(exclude_unset=True)
        after |= given
        return {key: value for key, value in after.items() if not (key in given and value is None)}
    changes = list(after.get(_LIST) or [])
    if edit.op == "add":
        changes.insert(len(changes) if edit.index is None else edit.index, edit.change)
    elif edit.op == "remove":
        del changes[edit.index or 0]
    elif edit.op == "move":
        changes.insert(edit.to or 0, changes.pop(edit.index or 0))
    else:
        changes[edit.index or 0] = _wanted(changes[edit.index or 0], edit)
    return {**after, _LIST: changes}


def _check(made: str, expected: Mapping[str, Any]) -> None:
    """A text that does not say what was meant never leaves: anchors and texts over several lines may go beyond this editor."""
    try:
        fits = _same(_data(made), expected)
    except ScenarioError:
        fits = False
    if not fits:
        raise ScenarioError("the file is written in a way that cannot be changed from the map; change its text instead")


def _same(one: Any, other: Any) -> bool:
    """Whether two values say the same in a scenario file, where a number and its text are one."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, Mapping | list | tuple) or isinstance(other, Mapping | list | tuple):
        return False
    return _said(one) == _said(other)


def _said(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    try:
        return f"{float(text):.12g}" if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?(e-?\d+)?", text, re.I) else text
    except ValueError:
        return text


# ---------------------------------------------------------------------------------------------------------------------------
# YAML


def _root(text: str) -> Node:
    found: list[Notice] = []
    root = tree_of(text, "text", found)
    raise_on_errors(found, ScenarioError)
    if root is None or root.entries is None:
        raise ScenarioError("the text has no keys with values at its top")
    return root


def _data(text: str) -> dict[str, Any]:
    found: dict[str, Any] = _root(text).data()
    return found


def _resolved(value: Any) -> Any:
    from community_routes.sources.study.yaml import resolve

    return resolve(value)


def _given(value: Any, name: str) -> Any:
    if value is None:
        raise ScenarioError(f"the edit needs {name!r}")
    return value


def _writer() -> YAML:
    yaml = YAML()
    yaml.width = 4096  # a line that the writer would break is left to whoever wrote it
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(value: Any, yaml: YAML | None = None) -> list[str]:
    stream = StringIO()
    (yaml or _writer()).dump(value, stream)
    return stream.getvalue().rstrip("\n").split("\n")


def _block(change: Mapping[str, Any], indent: int) -> list[str]:
    """The lines of a new change, its dash at a column."""
    return _under_dash(_dumped(_styled(yaml_values(change), 0)), indent)


def _under_dash(lines: list[str], indent: int) -> list[str]:
    blank = " " * indent
    return [f"{blank}{'- ' if n == 0 else '  '}{line}".rstrip() for n, line in enumerate(lines)]


def _styled(value: Any, depth: int) -> Any:
    """What fits on a line stands on one, in brackets; the rest in lines below each other."""
    if not isinstance(value, Mapping | list):
        return value
    made: CommentedMap | CommentedSeq
    if isinstance(value, Mapping):
        made = CommentedMap({key: _styled(item, depth + 1) for key, item in value.items()})
    else:
        made = CommentedSeq([_styled(item, depth + 1) for item in value])
    if depth and len(str(value)) <= _FLOW_UP_TO:
        made.fa.set_flow_style()
    else:
        made.fa.set_block_style()
    return made


def _item_with(lines: list[str], indent: int, wanted: Mapping[str, Any]) -> list[str]:
    """The lines of a change made to say what is wanted; what is the same in it keeps its form and comments."""
    end = len(lines)
    while not lines[end - 1].strip():
        end -= 1
    if end < len(lines):
        return [*_item_with(lines[:end], indent, wanted), *lines[end:]]
    first = next(n for n, line in enumerate(lines) if line.lstrip().startswith("- "))
    inner = [" " * (indent + 1) + lines[first].lstrip()[1:], *lines[first + 1 :]]
    column = len(inner[0]) - len(inner[0].lstrip())
    block = "\n".join(line[column:] if not line[:column].strip() else line.lstrip() for line in inner) + "\n"
    made = _merged_text(block, wanted)
    if made is None:
        return [*lines[:first], *_block(wanted, indent)]
    gap = " " * (column - indent - 1)
    return [
        *lines[:first],
        *(f"{' ' * indent}-{gap}{line}" if n == 0 else f"{' ' * column}{line}".rstrip() for n, line in enumerate(made)),
    ]


def _merged_text(block: str, wanted: Mapping[str, Any]) -> list[str] | None:
    """The lines of a mapping's text with other values; None where it holds another kind of change, or is too odd to keep."""
    yaml = _writer()
    try:
        old = yaml.load(block)
    except YAMLError:
        return None
    if not isinstance(old, CommentedMap) or not old.keys() & wanted.keys():
        return None
    yaml.map_indent = _indent_of(old)
    _merge(old, wanted)
    return _dumped(old, yaml)


def _indent_of(block: CommentedMap) -> int:
    """Columns from a key to the keys below it, as the text has it."""
    for key, value in block.items():
        if isinstance(value, CommentedMap) and not value.fa.flow_style() and value:
            return max(int(value.lc.col) - int(block.lc.key(key)[1]), 1)
    return 2


def _merge(old: CommentedMap, wanted: Mapping[str, Any]) -> None:
    """Change what differs and nothing else."""
    names = {str(key): key for key in old}
    for name in names.keys() - wanted.keys():
        del old[names[name]]
    for name, value in wanted.items():
        key = names.get(name, name)
        have = old.get(key)
        if isinstance(have, CommentedMap) and isinstance(value, Mapping):
            _merge(have, value)
        elif key not in old or not _same(have, value):
            old[key] = _styled(yaml_values(value), 1)


def _with_head(text: str, before: Mapping[str, Any], head: Head) -> str:
    """The text with other keys at its top."""
    for name, value in head.model_dump(exclude_unset=True).items():
        root, lines = _root(text), text.rstrip("\n").split("\n")
        entry = (root.entries or {}).get(name)
        if entry is None:
            if value is None:
                continue
            at = _place_of_key(root, lines, name)
            lines[at:at] = _dumped(_styled(yaml_values({name: value}), 0))
        else:
            start = entry[0].line - 1
            later = [key.line - 1 for key, _ in (root.entries or {}).values() if key.line - 1 > start]
            stop = _with_comments_above(lines, min(later), start + 1) if later else len(lines)
            while stop > start + 1 and _is_loose(lines[stop - 1], 1):
                stop -= 1
            made = None if value is None else _merged_text("\n".join(lines[start:stop]) + "\n", {name: value})
            lines[start:stop] = [] if value is None else made or _dumped(_styled(yaml_values({name: value}), 0))
        text = "\n".join(lines) + "\n"
    return text


def _place_of_key(root: Node, lines: list[str], name: str) -> int:
    """The line (from 0) before which a new key comes: the head in its usual order, cost at the end."""
    order = ("scenario", "title", "base")
    entries = root.entries or {}
    if name in order:
        before = [entries[key][0].line for key in order[: order.index(name)] if key in entries]
        return max(before, default=0)
    return len(lines)
