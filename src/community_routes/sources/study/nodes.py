"""The values of a YAML file with their places, made from the parser's events without recursion, tags or unbounded aliases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from community_routes.base.notices import Notice, declare

BAD_YAML = declare("bad_yaml", "error", "A study or scenario file is not YAML, or uses YAML that is not allowed here.")
DUPLICATE_KEY = declare("duplicate_key", "error", "A key is given twice in one place; only one of them can be meant.")

MAX_DEPTH = 40
MAX_NODES = 20_000

Step = str | int


class Text(str):
    """The source text of a scalar; ``plain`` tells whether it stood without quotes.

    It is a ``str``: equal to, and hashed as, the text alone.
    """

    plain: bool

    def __new__(cls, text: str, plain: bool = False) -> Text:
        """Keep the text and whether it was plain."""
        made = super().__new__(cls, text)
        made.plain = plain
        return made

    def resolved(self) -> object:
        """What a plain scalar is by the core schema of YAML 1.2: a bool, int or float; else the text."""
        if not self.plain:
            return str(self)
        if self in ("true", "True", "TRUE", "false", "False", "FALSE"):
            return self.lower() == "true"
        if re.fullmatch(r"[-+]?(0|[1-9][0-9]*)", self):
            return int(self)
        if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?", self) and not re.match(
            r"[-+]?0[0-9]", self
        ):
            return float(self)
        return str(self)


def resolve(value: Any) -> Any:
    """Numbers and truth values in place of plain scalars, all the way down; for settings whose meaning is open."""
    if isinstance(value, Text):
        return value.resolved()
    if isinstance(value, Mapping):
        return {str(key): resolve(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(item) for item in value]
    return value


@dataclass(eq=False)
class Node:
    """One value of the file, with its place (line and column from 1); ``size`` counts the values in it."""

    line: int
    column: int
    text: Text | None = None
    entries: dict[str, tuple[Node, Node]] | None = None
    items: list[Node] | None = None
    size: int = 1

    def data(self) -> Any:
        """Plain dicts, lists, ``Text`` and None of this value."""
        if self.entries is not None:
            return {Text(key, True): value.data() for key, (_, value) in self.entries.items()}
        if self.items is not None:
            return [item.data() for item in self.items]
        if self.text is None or (self.text.plain and self.text in ("", "~", "null", "Null", "NULL")):
            return None
        return self.text

    def copied(self) -> Node:
        """The same value, to be changed: what is inside is copied as well."""
        entries, items = self.entries, self.items
        return Node(
            self.line,
            self.column,
            self.text,
            None
            if entries is None
            else {name: (key.copied(), value.copied()) for name, (key, value) in entries.items()},
            None if items is None else [item.copied() for item in items],
            self.size,
        )

    def child(self, step: Step) -> Node | None:
        """The value under a key or at a place in a list."""
        if self.entries is not None and str(step) in self.entries:
            return self.entries[str(step)][1]
        if self.items is not None and isinstance(step, int) and 0 <= step < len(self.items):
            return self.items[step]
        return None


def short(value: object, most: int = 80) -> str:
    """A text for a message, cut where it is very long."""
    text = str(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def dotted(path: Iterable[Step]) -> str:
    """``travel.windows.evening`` or ``changes[2].add_route`` of a path; places in lists count from 1 for people."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f"{'.' if text else ''}{short(step)}"
    return text


@dataclass(frozen=True, eq=False)
class Located:
    """A YAML file as read: its name, where it lies, and its values with their places.

    Attributes
    ----------
    file : str
        Name for messages.
    path : Path
        The file.
    root : Node
        The mapping at the top.
    """

    file: str
    path: Path
    root: Node

    def data(self) -> dict[str, Any]:
        """The whole file as plain dicts, lists, ``Text`` (a ``str``) and None."""
        found: dict[str, Any] = self.root.data()
        return found

    def place(self, path: Iterable[Step] = (), *, of_key: bool = False) -> dict[str, Any]:
        """``file``, ``row``, ``column`` and ``field`` of a value (or of its key), ready for ``CODE.at(**place, ...)``.

        Steps that the file does not hold are left out, so that the place of a missing key is that of its mapping.
        """
        node, mark, known = self.root, self.root, []
        for step in path:
            found = node.child(step)
            if found is None:
                break
            mark = node.entries[str(step)][0] if of_key and node.entries is not None else found
            node = found
            known.append(step)
        return {"file": self.file, "row": mark.line, "column": mark.column, "field": dotted(known)}

    def text(self, path: Iterable[Step]) -> str:
        """The source text of a scalar; empty for anything else."""
        node: Node | None = self.root
        for step in path:
            node = node.child(step) if node is not None else None
        return str(node.text) if node is not None and node.text is not None else ""


@dataclass
class _Open:
    """A mapping or list that is still being read."""

    node: Node
    anchor: str | None
    key: Node | None = None


@dataclass
class TreeBuilder:
    """Makes nodes of the parser's events, without recursion, tags or unbounded aliases."""

    file: str
    found: list[Notice]
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, Node] = field(default_factory=dict)
    nodes: int = 0
    root: Node | None = None
    documents: int = 0
    _stop: bool = False

    def build(self, text: str) -> Node | None:
        """The mapping at the top, or None with a notice."""
        try:
            for event in self._events(text):
                self._take(event)
                if self._stop:
                    return None
        except MarkedYAMLError as fault:
            self._fault_of_parser(fault, text)
            return None
        except YAMLError as fault:
            self.found.append(BAD_YAML.at(self.file, message=" ".join(str(fault).split())))
            return None
        if self.root is None:
            self.found.append(BAD_YAML.at(self.file, row=1, column=1, message="the file is empty"))
            return None
        if self.root.entries is None:
            self._fault(self.root, "keys with values (`study: name` on the first line) are expected at the top")
            return None
        return self.root

    def _events(self, text: str) -> Iterator[Any]:
        return iter(YAML(typ="rt", pure=True).parse(text))

    def _fault(self, node: Node, message: str, value: str = "") -> None:
        self.found.append(BAD_YAML.at(self.file, row=node.line, column=node.column, value=value, message=message))

    def _fault_of_parser(self, fault: MarkedYAMLError, text: str) -> None:
        mark = fault.problem_mark or fault.context_mark
        line, column = (mark.line, mark.column) if mark is not None else (0, 0)
        lines = text.splitlines()
        here = lines[line] if line < len(lines) else ""
        message = _plain_words(str(fault.problem or fault.context or "this is not YAML"))
        empty = _empty_list_before(lines[:line]) if here.lstrip().startswith("- ") else ""
        if empty:
            message = f"`{empty}: []` says that the list is empty, but a list follows; write `{empty}:` without the []"
        elif "'\\t'" in message or (here[:column].strip(" ") == "" and "\t" in here[: column + 1]):
            message = "a tab cannot indent in YAML; use spaces"
        elif fault.context and fault.context_mark is not None and fault.context_mark.line != line:
            message += f" ({fault.context}, which began at line {fault.context_mark.line + 1})"
        self.found.append(
            BAD_YAML.at(self.file, row=line + 1, column=column + 1, value=here.strip()[:80], message=message)
        )

    def _take(self, event: Any) -> None:
        kind = type(event).__name__
        mark = event.start_mark
        node = Node(mark.line + 1, mark.column + 1) if mark is not None else Node(1, 1)
        if kind == "DocumentStartEvent":
            self.documents += 1
            if self.documents == 2:
                self._fault(node, "a second document (`---`) cannot stand in the file")
                self._stop = True
            return
        if kind in ("MappingEndEvent", "SequenceEndEvent"):
            done = self.stack.pop()
            if done.anchor:
                self.anchors[done.anchor] = done.node
            self._add(done.node)
            return
        if kind not in ("ScalarEvent", "AliasEvent", "MappingStartEvent", "SequenceStartEvent"):
            return
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self._fault(node, f"more than {MAX_NODES:,} values; no study or scenario file is that large")
            self._stop = True
            return
        if kind == "AliasEvent":
            self._alias(event.anchor, node)
            return
        self._check_tag(event, node)
        if kind == "ScalarEvent":
            node.text = Text(event.value, event.style is None)
            if event.anchor:
                self.anchors[event.anchor] = node
            self._add(node)
            return
        if len(self.stack) >= MAX_DEPTH:
            self._fault(node, f"more than {MAX_DEPTH} levels within each other")
            self._stop = True
            return
        if kind == "MappingStartEvent":
            node.entries = {}
        else:
            node.items = []
        self.stack.append(_Open(node, event.anchor))

    def _check_tag(self, event: Any, node: Node) -> None:
        tag = getattr(event, "tag", None) or getattr(event, "ctag", None)
        if tag is not None and str(tag) not in ("", "!", "tag:yaml.org,2002:str", "None"):
            self._fault(node, "tags (`!...`) cannot be used here; write the value alone", value=str(tag))

    def _alias(self, anchor: str, node: Node) -> None:
        target = self.anchors.get(anchor)
        if target is None:
            inside = any(item.anchor == anchor for item in self.stack)
            why = "stands inside itself" if inside else "is not given above"
            self._fault(node, f"the anchor &{anchor} {why}", value=f"*{anchor}")
            self._stop = True
            return
        self.nodes += target.size
        if self.nodes > MAX_NODES:
            self._fault(node, f"the aliases stand for more than {MAX_NODES:,} values", value=f"*{anchor}")
            self._stop = True
            return
        self._add(target)

    def _add(self, node: Node) -> None:
        if not self.stack:
            self.root = self.root or node
            return
        owner = self.stack[-1]
        owner.node.size += node.size
        if owner.node.items is not None:
            owner.node.items.append(node)
            return
        assert owner.node.entries is not None
        if owner.key is None:
            owner.key = node
            return
        key, owner.key = owner.key, None
        self._enter(owner.node.entries, key, node)

    def _enter(self, entries: dict[str, tuple[Node, Node]], key: Node, value: Node) -> None:
        if key.text is None:
            self._fault(key, "a key must be one word or number, not a list or mapping")
            return
        name = str(key.text)
        if name == "<<" and key.text.plain:
            self._fault(key, "`<<` (merging) is not part of YAML 1.2; write the keys out", value=name)
            return
        if name in entries:
            first = entries[name][0].line
            path = [
                str(item.key.text) for item in self.stack[:-1] if item.key is not None and item.key.text is not None
            ]
            self.found.append(
                DUPLICATE_KEY.at(
                    self.file,
                    row=key.line,
                    column=key.column,
                    field=dotted([*path, name]),
                    value=short(name),
                    message=f"the key {short(name)!r} is given twice (first in line {first}); keep one of them",
                )
            )
            return
        entries[name] = (key, value)


def tree_of(text: str, file: str = "", found: list[Notice] | None = None) -> Node | None:
    """The mapping at the top of a text, or None with a notice; who edits a text asks for the tree of the same one again.

    Nobody may change it.

    Parameters
    ----------
    text : str
    file : str
        Name for messages.
    found : list, optional
        Gets what is wrong.
    """
    root = _faultless(text)
    return root if root is not None else TreeBuilder(file, [] if found is None else found).build(text)


@lru_cache(8)
def _faultless(text: str) -> Node | None:
    found: list[Notice] = []
    root = TreeBuilder("", found).build(text)
    return None if found else root


def _plain_words(problem: str) -> str:
    """The parser's complaint, with a hint for the commonest slips."""
    if "mapping values are not allowed here" in problem:
        return "a second `: ` in one line; put the value in quotes, or the key on a line of its own"
    if "could not find expected ':'" in problem:
        return "a `:` and a space are missing after the key"
    if "found character" in problem and ("'@'" in problem or "'`'" in problem or "'%'" in problem):
        return f"{problem}; put the value in quotes"
    if "unexpected end of stream" in problem:
        return "the file ends inside a quoted text; a closing quote is missing"
    return problem


def _empty_list_before(lines: Sequence[str]) -> str:
    """The key to which the last line that is neither blank nor a comment gives an empty list; else nothing."""
    spoken = (line for line in reversed(lines) if line.strip() and not line.lstrip().startswith("#"))
    found = re.match(r"\s*(\w+): *\[ *\] *(#.*)?$", next(spoken, ""))
    return found[1] if found else ""
