"""Study and scenario files: YAML 1.2 in which every key and value knows its line and column.

Every scalar is kept as its source text, so ``22:00``, ``7``, ``007`` and ``1e3`` mean the same with and without quotes; what a
text means (a number, a clock time, an id) is decided by the model that the file is validated against.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from community_routes.base.errors import CommunityRoutesError, StudyError, as_path
from community_routes.base.notices import Notice, declare, raise_on_errors
from community_routes.sources.file_kinds import mistaken
from community_routes.sources.study.nodes import (
    BAD_YAML,
    DUPLICATE_KEY,
    MAX_DEPTH,
    Located,
    Node,
    Step,
    Text,
    dotted,
    resolve,
    short,
    tree_of,
)

__all__ = [
    "BAD_ENCODING",
    "BAD_VALUE",
    "BAD_YAML",
    "DUPLICATE_KEY",
    "MISSING_FILE",
    "MISSING_KEY",
    "UNKNOWN_KEY",
    "Located",
    "Node",
    "Step",
    "Text",
    "dotted",
    "known_keys",
    "near_file",
    "nearest",
    "read_yaml",
    "resolve",
    "short",
    "validate",
]

BAD_ENCODING = declare("bad_encoding", "error", "A text file is not UTF-8.")
UNKNOWN_KEY = declare("unknown_key", "error", "A key that means nothing here, most often a misspelling.")
MISSING_KEY = declare("missing_key", "error", "A key that is needed here is not there.")
BAD_VALUE = declare("bad_value", "error", "A value that cannot be used for its key.")
MISSING_FILE = declare("missing_file", "error", "A file that is named is not there.")

MAX_BYTES = 1_000_000

M = TypeVar("M", bound=BaseModel)


def read_yaml(
    path: str | Path,
    notices: list[Notice] | None = None,
    *,
    error: type[CommunityRoutesError] = StudyError,
    text: str | None = None,
) -> Located:
    """Read a YAML 1.2 file whose top is a mapping; or its ``text``, where that is not on the disk.

    Faults that leave the rest readable (a key given twice, a tag) are recorded in ``notices`` and the file is returned; with
    ``notices=None`` they are raised too.

    Raises
    ------
    CommunityRoutesError
        Of the class ``error``: the file is missing, not UTF-8, no YAML, or no mapping; the notice is in ``notices`` as well.
    """
    path = as_path(path)
    found: list[Notice] = []
    located: Located | None = None
    try:
        text = _read_text(path, found) if text is None else _checked(text, path.name, found)
        if text is not None:
            root = tree_of(text, path.name, found)
            if root is not None:
                located = Located(path.name, path, root.copied())
    finally:
        if notices is not None:
            notices.extend(found)
    if located is None or notices is None:
        raise_on_errors(found, error)
    assert located is not None
    return located


def _read_text(path: Path, found: list[Notice]) -> str | None:
    """The text of a file that must be UTF-8, or a notice."""
    file = path.name
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        found.append(MISSING_FILE.at(file, message=f"there is no file {file!r}{near_file(path)}", value=file))
        return None
    except OSError as fault:
        found.append(MISSING_FILE.at(file, message=f"cannot be read: {fault.strerror or fault}", value=file))
        return None
    mistake = mistaken(path, ("text", "json", "xml"), "a study or scenario file (YAML)")
    if mistake is not None:
        found.append(BAD_YAML.at(file, message=f"is no study or scenario file: {mistake}"))
        return None
    if len(raw) > MAX_BYTES:
        found.append(BAD_YAML.at(file, message=f"larger than {MAX_BYTES:,} bytes, so it is no study or scenario file"))
        return None
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in raw[:4]:
        found.append(BAD_ENCODING.at(file, row=1, column=1, message="is UTF-16 or UTF-32 text; save it as UTF-8"))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = raw[: fault.start].decode("utf-8", "replace")
        found.append(
            BAD_ENCODING.at(
                file,
                row=before.count("\n") + 1,
                column=len(before) - before.rfind("\n"),
                value=f"byte 0x{raw[fault.start]:02x}",
                message=f"the byte 0x{raw[fault.start]:02x} is not UTF-8; save the file as UTF-8",
            )
        )
        return None
    return _checked(text, file, found)


def _checked(text: str, file: str, found: list[Notice]) -> str | None:
    """The text, where YAML allows all its characters and it is not too long; else a notice."""
    if len(text) > MAX_BYTES:
        found.append(BAD_YAML.at(file, message=f"larger than {MAX_BYTES:,} bytes, so it is no study or scenario file"))
        return None
    for bad in re.finditer(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - text.rfind("\n", 0, bad.start())
        value = f"U+{ord(bad[0]):04X}"
        found.append(
            BAD_YAML.at(
                file, row=line, column=column, value=value, message=f"the control character {value} cannot stand here"
            )
        )
        return None
    return text


def near_file(path: Path) -> str:
    """End of a sentence about a missing file: ``; did you mean 'study.yaml'?`` where its folder holds nearly that name."""
    try:
        names = sorted(item.name for item in path.parent.iterdir()) if path.parent.is_dir() else None
    except OSError:
        names = None
    if names is None:
        return f"; the folder {path.parent.name!r} is not there either"
    near = nearest(path.name, names)
    return f"; did you mean {near!r}?" if near else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like the one given (case apart), or None when nothing is near."""
    by_lower = {str(item).lower(): str(item) for item in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "", *, before: str = "") -> str:
    """``did you mean 'bus'?`` with the known word most like the one given (after ``before``), else something else."""
    near = nearest(word, known)
    return f"{before}did you mean {near!r}?" if near else otherwise


# ---------------------------------------------------------------------------------------------------------------------------
# Validation


def validate(
    located: Located, model: type[M], notices: list[Notice], *, context: dict[str, Any] | None = None
) -> M | None:
    """Build ``model`` from the file; every fault becomes a notice with line, column, dotted key, value and the nearest key.

    The model is returned wherever one can be built: a misspelt key is read as the key it most likely means (the notice stays an
    error), a value that cannot be used is left out when it has a default. None when even that fails.

    Scalars reach the model as text. Declare ``int``, ``float``, ``bool``, ``date`` fields as usual (they are parsed); in a union
    of a number and text, the text always fits first, so give such a field a validator.
    """
    built = _Validation(located, model, notices, context).run()
    return built if isinstance(built, model) else None


@dataclass
class _Validation:
    located: Located
    model: type[BaseModel]
    notices: list[Notice]
    context: dict[str, Any] | None
    touched: set[tuple[Step, ...]] = field(default_factory=set)
    expected: set[tuple[Step, ...]] = field(default_factory=set)

    def run(self) -> Any:
        data = self.located.data()
        for _ in range(MAX_DEPTH):
            try:
                return self.model.model_validate(data, context=self.context)
            except ValidationError as fault:
                faults = self._faults(fault, data)
            if not self._mend(faults, data):
                return None
        return None

    def _faults(self, fault: ValidationError, data: Any) -> list[tuple[tuple[Step, ...], Any]]:
        """Each error with the path that the file really has; of a union's branches only the deepest are kept."""
        raw = [(self._path(item["loc"], data, item["type"]), item) for item in fault.errors(include_url=False)]
        kept = []
        for path, item in raw:
            deeper = any(len(other) > len(path) and other[: len(path)] == path for other, _ in raw)
            if deeper and (item["type"].endswith("_type") or item["type"] == "missing"):
                continue
            kept.append((path, item))
        return kept

    @staticmethod
    def _path(loc: tuple[int | str, ...], data: Any, kind: str) -> tuple[Step, ...]:
        """Steps of ``loc`` that are keys of the data (a union's branch is none); a missing key is kept as the last step."""
        path: list[Step] = []
        here = data
        for number, step in enumerate(loc):
            in_list = isinstance(here, list) and isinstance(step, int) and step < len(here)
            if in_list or (isinstance(here, Mapping) and step in here):
                here = here[step]
            elif kind == "missing" and number == len(loc) - 1:
                pass
            else:
                continue
            path.append(step)
        return tuple(path)

    def _mend(self, faults: list[tuple[tuple[Step, ...], Any]], data: Any) -> bool:
        """Record the new faults and change the data so that the rest can be checked; False when nothing could be changed."""
        merged: dict[tuple[tuple[Step, ...], str], Any] = {}
        for path, item in faults:
            group = item["type"] if item["type"] in ("extra_forbidden", "missing") else "value"
            merged.setdefault((path, group), []).append(item)
        renames = {}
        for (path, group), _ in merged.items():
            if group == "extra_forbidden":
                renames[path] = self._meant(path, data)
        taken = {(*path[:-1], name) for path, name in renames.items() if name is not None}
        changed, before = False, frozenset(self.touched)
        for (path, group), items in sorted(merged.items(), key=_deepest_first, reverse=True):
            if group == "missing":
                if path not in taken and path not in self.touched and path not in self.expected:
                    self.expected.add(path)
                    self.notices.append(self._missing(path))
                if path not in taken and len(path) > 1:  # what lacks a key is left out, so that the rest can be checked
                    self.touched.add(path[:-1])
                    changed |= _rename(data, self.located.root, path[:-1], None)
            elif group == "extra_forbidden":
                self.notices.append(self._unknown(path))
                changed |= _rename(data, self.located.root, path, renames[path])
                self.touched.add(path)
            else:
                if not path or not any(_related(path, done) for done in before):
                    self.notices.append(self._bad(path, items))
                self.touched.add(path)
                changed |= _rename(data, self.located.root, path, None)
        return changed

    def _meant(self, path: tuple[Step, ...], data: Any) -> str | None:
        """The key a misspelt one most likely means, unless that key is there as well."""
        here = data
        for step in path[:-1]:
            here = here[step]
        return nearest(str(path[-1]), [key for key in known_keys(self.model, path[:-1]) if key not in here])

    def _unknown(self, path: tuple[Step, ...]) -> Notice:
        known = known_keys(self.model, path[:-1])
        hint = did_you_mean(str(path[-1]), known, f"known here: {', '.join(known) or 'none'}")
        return UNKNOWN_KEY.at(
            **self._at(path, of_key=True), value=short(path[-1]), message=f"unknown key {short(path[-1])!r}; {hint}"
        )

    def _missing(self, path: tuple[Step, ...]) -> Notice:
        where = f" under {dotted(path[:-1])}" if len(path) > 1 else ""
        place = self._at(path[:-1], of_key=True)
        place["field"] = dotted(path)
        what = f"value number {path[-1] + 1}" if isinstance(path[-1], int) else f"the key {path[-1]!r}"
        return MISSING_KEY.at(**place, message=f"{what} is missing{where}")

    def _bad(self, path: tuple[Step, ...], items: list[Any]) -> Notice:
        said = list(dict.fromkeys(_sentence(item) for item in items))
        text = self.located.text(path)
        return BAD_VALUE.at(**self._at(path), value=short(text), message=", or ".join(said))

    def _at(self, path: tuple[Step, ...], *, of_key: bool = False) -> dict[str, Any]:
        """The place in the file; steps that were renamed on the way are looked up under the name in the file."""
        return self.located.place(path, of_key=of_key)


def _deepest_first(entry: tuple[tuple[tuple[Step, ...], str], Any]) -> list[str]:
    """Sorts backwards so that what lies inside, and later in a list, is changed before what holds it."""
    return [f"{step:09d}" if isinstance(step, int) else step for step in entry[0][0]]


def _related(one: tuple[Step, ...], other: tuple[Step, ...]) -> bool:
    """Whether one path lies inside the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _rename(data: Any, root: Node, path: tuple[Step, ...], name: str | None) -> bool:
    """Give the key at ``path`` another name, or take the value out, in the data and in the nodes; False where it is not there."""
    here, node = data, root
    if not path:
        return False
    for step in path[:-1]:
        there = (isinstance(here, dict) and step in here) or (
            isinstance(here, list) and isinstance(step, int) and step < len(here)
        )
        if not there:  # what held it was taken out already
            return False
        here = here[step]
        node = node.child(step) or Node(node.line, node.column)
    last = path[-1]
    if isinstance(here, list) and isinstance(last, int) and last < len(here):
        del here[last]
        if node.items is not None:
            node.items = node.items[:last] + node.items[last + 1 :]
        return True
    if not isinstance(here, dict) or last not in here:
        return False
    value = here.pop(last)
    if name is not None:
        here[Text(name, True)] = value
        if node.entries is not None and last in node.entries:
            node.entries[name] = node.entries[str(last)]
    return True


def known_keys(model: type[BaseModel], path: Iterable[Step]) -> list[str]:
    """The keys that may stand in the mapping at ``path`` of a model; empty where any key may."""
    here: list[Any] = [model]
    for step in path:
        here = [inner for one in here for inner in _inside(one, step)]
    names: dict[str, None] = {}
    for one in here:
        for option in _options(one):
            if isinstance(option, type) and issubclass(option, BaseModel):
                names.update(dict.fromkeys(_keys(option)))
    return list(names)


def _keys(model: type[BaseModel]) -> dict[str, Any]:
    """Key in the file -> annotation, of every field."""
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _inside(annotation: Any, step: Step) -> list[Any]:
    """The annotations of what stands under ``step`` in a value of this annotation."""
    found: list[Any] = []
    for option in _options(annotation):
        arguments = getattr(option, "__args__", ())
        origin = getattr(option, "__origin__", None)
        if isinstance(option, type) and issubclass(option, BaseModel):
            keys = _keys(option)
            if step in keys:
                found.append(keys[str(step)])
        elif origin in (list, tuple, set, frozenset) and isinstance(step, int):
            found.extend(item for item in arguments if item is not Ellipsis)
        elif origin is not None and len(arguments) == 2 and not isinstance(step, int):
            found.extend(arguments[1:])
    return found


def _options(annotation: Any) -> list[Any]:
    """The branches of a union, with ``Annotated`` taken off."""
    origin = getattr(annotation, "__origin__", None)
    if hasattr(annotation, "__metadata__"):
        return _options(origin)
    if type(annotation).__name__ in ("UnionType", "_UnionGenericAlias") or str(origin) == "typing.Union":
        return [inner for argument in annotation.__args__ for inner in _options(argument)]
    return [annotation]


_SENTENCES: dict[str, Callable[[Any], str]] = {
    "int_parsing": lambda e: f"{_shown(e)} is no whole number",
    "int_from_float": lambda e: f"{_shown(e)} is no whole number",
    "int_type": lambda e: f"a whole number is expected, not {_kind(e)}",
    "float_parsing": lambda e: f"{_shown(e)} is no number",
    "float_type": lambda e: f"a number is expected, not {_kind(e)}",
    "finite_number": lambda e: f"{_shown(e)} is no finite number",
    "bool_parsing": lambda e: f"{_shown(e)} is neither true nor false",
    "bool_type": lambda e: f"true or false is expected, not {_kind(e)}",
    "string_type": lambda e: f"a text is expected, not {_kind(e)}",
    "model_type": lambda e: f"keys with values are expected, not {_kind(e)}",
    "model_attributes_type": lambda e: f"keys with values are expected, not {_kind(e)}",
    "dict_type": lambda e: f"keys with values are expected, not {_kind(e)}",
    "mapping_type": lambda e: f"keys with values are expected, not {_kind(e)}",
    "list_type": lambda e: f"a list is expected, not {_kind(e)}",
    "tuple_type": lambda e: f"a list is expected, not {_kind(e)}",
    "greater_than": lambda e: f"{_shown(e)} must be more than {e['ctx']['gt']:g}",
    "greater_than_equal": lambda e: f"{_shown(e)} must be at least {e['ctx']['ge']:g}",
    "less_than": lambda e: f"{_shown(e)} must be less than {e['ctx']['lt']:g}",
    "less_than_equal": lambda e: f"{_shown(e)} must be at most {e['ctx']['le']:g}",
    "literal_error": lambda e: f"{_shown(e)} is not one of {e['ctx']['expected']}",
    "value_error": lambda e: str(e["ctx"]["error"]),
    "assertion_error": lambda e: str(e["ctx"]["error"]),
    "string_too_short": lambda e: "a text is expected, not nothing",
    "too_short": lambda e: f"at least {e['ctx']['min_length']} must be given",
    "too_long": lambda e: f"at most {e['ctx']['max_length']} can be given",
}


def _sentence(item: Any) -> str:
    """What a validation error says to a person."""
    made = _SENTENCES.get(item["type"])
    if made is not None:
        return made(item)
    said = str(item["msg"])
    return said[0].lower() + said[1:]


def _shown(item: Any) -> str:
    return repr(short(item["input"]))


def _kind(item: Any) -> str:
    value = item["input"]
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "keys with values"
    return "a list" if isinstance(value, list | tuple) else repr(short(value))


STUDY_SCHEMA_NAME = "study.schema.json"
SCENARIO_SCHEMA_NAME = "scenario.schema.json"


def json_schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of the files that a model describes."""
    made = model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": title}


def schema_text(schema: dict[str, Any]) -> str:
    """The schema as a file's text; the same each time."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def schema_hint(name: str = STUDY_SCHEMA_NAME) -> str:
    """The first line of a YAML file that tells editors where its schema lies (a path or an address)."""
    return f"# yaml-language-server: $schema={name}"


def quoted_text(text: str) -> str:
    """A text as it can stand in a flow mapping of YAML: in quotes where that is safer."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9 _'()/.-]*", text) and text.strip() == text:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
