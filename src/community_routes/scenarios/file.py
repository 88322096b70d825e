"""A proposal: its changes in order, what it builds on and its rates; read from a file or made in Python."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, PrivateAttr, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from community_routes.base.errors import ScenarioError, as_path
from community_routes.base.notices import Notice, declare, errors_in, raise_on_errors
from community_routes.scenarios.change import Change
from community_routes.scenarios.cost import Cost
from community_routes.scenarios.list import CHANGES
from community_routes.scenarios.values import Model, PlaceAt, nearest_name
from community_routes.sources.study.yaml import (
    BAD_VALUE,
    MISSING_FILE,
    UNKNOWN_KEY,
    Located,
    Node,
    Step,
    dotted,
    near_file,
    read_yaml,
    validate,
)

RESERVED = "today"

SCENARIO_NAME = declare("scenario_name", "error", "A scenario's id cannot be used, or differs from its file's name.")
BASE_CYCLE = declare("base_cycle", "error", "Scenario files build on one another in a circle.")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def change_of(value: Any) -> Change:
    """A change from itself or from what a file says, ``{"set_headway": {...}}``."""
    if isinstance(value, Change):
        return value
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError("a change is one key with its fields, as in {'set_headway': {...}}")
    kind, fields = next(iter(value.items()))
    if kind not in CHANGES:
        near = nearest_name(str(kind), CHANGES)
        raise ValueError(f"there is no change called {kind!r}" + (f"; did you mean {near!r}?" if near else ""))
    return CHANGES[kind].model_validate(fields)


class Scenario(BaseModel):
    """A proposal.

    ``Scenario(scenario="evening-link", changes=[SetHeadway(route="7", sunday={"09:00-18:00": 30})])`` in Python, or
    :func:`read_scenario` from a file; both have the same names. It is never changed: ``with_changes`` and ``on`` return
    another one.

    Attributes
    ----------
    scenario : str
        Its id, which is the file's name without ``.yaml``.
    title : str
        For people; the id when left out.
    base : str or None
        The scenario that is applied first.
    changes : tuple of Change
        In the order in which they are applied.
    cost : Cost or None
        Rates of operation.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    scenario: str
    title: str = ""
    base: str | None = None
    changes: tuple[Annotated[Change, BeforeValidator(change_of)], ...] = ()
    cost: Cost | None = None
    _located: Located | None = PrivateAttr(default=None)
    _base: Scenario | None = PrivateAttr(default=None)
    _foreign: tuple[Path, tuple[int, ...]] | None = PrivateAttr(default=None)
    _readable: _Readable | None = PrivateAttr(default=None)

    def __init__(self, /, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as fault:
            raise ScenarioError("\n".join(_sentences(str(data.get("scenario", "scenario")), fault))) from None

    @model_validator(mode="after")
    def _name(self) -> Scenario:
        fault = _fault_of_name(self.scenario)
        if fault:
            raise ValueError(fault)
        return self

    @property
    def name(self) -> str:
        """The title, or the id where there is none."""
        return self.title or self.scenario

    @property
    def path(self) -> Path | None:
        """The file it was read from; None when it was made in Python."""
        if self._located is not None:
            return self._located.path
        return self._foreign[0] if self._foreign is not None else None

    @property
    def folder(self) -> Path | None:
        """The folder against which file names in it are resolved; None when no scenario file of ours holds it."""
        return self._located.path.parent if self._located is not None else None

    @property
    def base_scenario(self) -> Scenario | None:
        """The scenario that is applied first, where there is one."""
        return self._base

    def chain(self) -> list[Scenario]:
        """The scenarios to apply, the deepest base first, this one last."""
        return [*(self._base.chain() if self._base is not None else []), self]

    def on(self, base: Scenario) -> Scenario:
        """The same proposal on top of another one."""
        if any(item.scenario == self.scenario for item in base.chain()):
            raise ScenarioError(f"{self.scenario} cannot build on {base.scenario}, which builds on it")
        made = self._with(base=base.scenario)
        made._base = base
        return made

    def with_changes(self, *changes: Change) -> Scenario:
        """The same proposal with further changes at its end."""
        return self._with(changes=(*self.changes, *changes))

    def named(self, name: str) -> Scenario:
        """The same proposal under another id, that of the file it is to be written to."""
        return self._with(scenario=name)

    def _with(self, **fields: Any) -> Scenario:
        """The same with other fields, known to be from the same file and on the same base."""
        made = Scenario(**{**{name: getattr(self, name) for name in Scenario.model_fields}, **fields})
        made._base, made._located, made._foreign = self._base, self._located, self._foreign
        return made

    @property
    def lost_names(self) -> tuple[str, ...]:
        """Of what could be read of a faulty file: names that the other changes would have given to something new."""
        return self._readable.lost_names if self._readable is not None else ()

    @property
    def unread(self) -> tuple[Unread, ...]:
        """Of what could be read of a faulty file: the other changes, as far as they name something."""
        return self._readable.unread if self._readable is not None else ()

    @property
    def modification_numbers(self) -> tuple[int, ...]:
        """Of what was read from another program's file: the number (from 0) of what each change is made of."""
        return self._foreign[1] if self._foreign is not None else ()

    def from_modifications(self, path: Path, numbers: Sequence[int]) -> Scenario:
        """The same, known to be read from another program's file, with the number (from 0) of what each change is made of."""
        made = self._with()
        made._foreign = (path, tuple(numbers))
        return made

    def place(self, change: int, path: Sequence[Step] = ()) -> dict[str, Any]:
        """``file, row, column, field`` of a part of a change, for notices; change counts from 0."""
        kind = self.changes[change].kind
        number = self._readable.numbers[change] if self._readable is not None else change
        full: list[Step] = ["changes", number, kind, *path]
        if self._foreign is not None and change < len(self._foreign[1]):
            field = dotted(["modifications", self._foreign[1][change], kind, *path])
            return {"file": self._foreign[0].name, "row": None, "column": None, "field": field}
        if self._located is None:
            return {"file": f"scenario {self.scenario}", "row": None, "column": None, "field": dotted(full)}
        # A value that is not in the file (a default) is shown at its change's key, not at the bare dash of the list.
        return self._located.place(full, of_key=not path)

    def places_of(self, change: int) -> list[tuple[int, int]]:
        """Line and column of every value of a change, and of what holds it; none where no file of ours does."""
        root = self._located.root if self._located is not None else None
        node = root.child("changes") if root is not None else None
        node = node.child(change) if node is not None else None
        return [] if node is None else list(_places(node))

    def to_yaml(self) -> str:
        """The scenario file that says the same; reading it back gives the same changes."""
        content: dict[str, Any] = {"scenario": self.scenario}
        if self.title:
            content["title"] = self.title
        if self.base:
            content["base"] = self.base
        content["changes"] = [{change.kind: _plain(change)} for change in self.changes]
        if self.cost is not None:
            content["cost"] = _plain(self.cost)
        writer = YAML()
        writer.width = 110
        writer.indent(mapping=2, sequence=4, offset=2)
        stream = StringIO()
        writer.dump(yaml_values(content), stream)
        return stream.getvalue()

    def __repr__(self) -> str:
        kinds = ", ".join(change.kind for change in self.changes) or "no changes"
        return f"Scenario({self.scenario!r}: {kinds}{f'; on {self.base}' if self.base else ''})"


def _places(node: Node) -> Iterator[tuple[int, int]]:
    yield node.line, node.column
    for key, value in (node.entries or {}).values():
        yield key.line, key.column
        yield from _places(value)
    for item in node.items or ():
        yield from _places(item)


@dataclasses.dataclass(frozen=True)
class Unread:
    """A change that could not be read: its number (from 0) and kind, and the route and places that it names all the same.

    ``place`` gives where a part of it stands, for notices.
    """

    number: int
    kind: str
    named: dict[str, object]
    place: Callable[[Sequence[Step]], dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class _Readable:
    """Of a faulty file: which of its changes could be read, names that the others give to what is new, and what these name."""

    numbers: tuple[int, ...]
    lost_names: tuple[str, ...]
    unread: tuple[Unread, ...]


class _FileHead(Model):
    """The keys at the top of a scenario file; the changes are validated one by one, each by its own model."""

    scenario: str
    title: str = ""
    base: str | None = None
    changes: list[Any]
    cost: Cost | None = None


def read_scenario(path: str | Path, *, notices: list[Notice] | None = None) -> Scenario:
    """Read a scenario file, and the files it builds on.

    Parameters
    ----------
    path : path
        ``NAME.yaml``.
    notices : list, optional
        Receives every finding, errors too.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With all faults of all the files, each with line, column, value and the nearest known name.
    """
    found: list[Notice] = []
    scenario = _read(as_path(path), found, ())
    if notices is not None:
        notices.extend(found)
    raise_on_errors(found, ScenarioError)
    assert scenario is not None
    return scenario


def read_readable(path: str | Path) -> Scenario | None:
    """Those changes of a faulty scenario file that can be read, to be tried all the same; None where its head is at fault.

    Nothing may be done with it but to look for further faults.
    """
    return _read(as_path(path), [], (), partly=True)


def read_scenario_text(
    texts: Mapping[str, str], name: str, folder: str | Path, *, notices: list[Notice] | None = None
) -> Scenario:
    """Read a scenario that is a text, saved or not; what it builds on is another text, or else a file of the folder.

    Parameters
    ----------
    texts : mapping of str to str
        Texts of scenario files by the id of the scenario.
    name : str
        Id of the scenario wanted; its text is among them, or there is such a file.
    folder : path
        Where the files would lie; names of files in them are resolved against it.
    notices : list, optional
        Receives every finding, errors too.

    Raises
    ------
    ScenarioError
        As :func:`read_scenario`.
    """
    found: list[Notice] = []
    scenario = _read(as_path(folder) / f"{name}.yaml", found, (), texts=texts)
    if notices is not None:
        notices.extend(found)
    raise_on_errors(found, ScenarioError)
    assert scenario is not None
    return scenario


def _read(
    path: Path,
    found: list[Notice],
    above: tuple[str, ...],
    *,
    partly: bool = False,
    texts: Mapping[str, str] = MappingProxyType({}),
) -> Scenario | None:
    """One file (or its text) and its bases; None when it cannot even be made in part."""
    own: list[Notice] = []
    try:
        located = read_yaml(path, own, error=ScenarioError, text=texts.get(path.stem))
    except ScenarioError:
        found.extend(own)
        return None
    head = validate(located, _FileHead, own)
    read = _read_changes(located, own)
    base: Scenario | None = None
    if head is not None:
        _check_name(located, head, path, own)
        if head.base is not None:
            base = _read_base(located, head.base, path, own, above, texts)
    found.extend(_without_echoes(own))
    if head is None or (errors_in(own) and not partly) or (head.base is not None and base is None):
        return None
    if _fault_of_name(str(head.scenario)):
        return None
    changes = tuple(change for _, change in read)
    made = Scenario(scenario=str(head.scenario), title=str(head.title), base=head.base, changes=changes, cost=head.cost)
    made._located = located
    made._base = base
    if partly:
        numbers = tuple(number for number, _ in read)
        made._readable = _Readable(
            numbers, tuple(_names_lost(located, set(numbers))), tuple(_unread(located, set(numbers)))
        )
    return made


def _names_lost(located: Located, read: set[int]) -> Iterable[str]:
    """Names that the changes which could not be read give to something new."""
    node = located.root.child("changes")
    for number, item in enumerate(node.items or [] if node is not None else []):
        for _, value in (item.entries or {}).values() if number not in read else ():
            name = value.child("name")
            if name is not None and name.text:
                yield name.text


def _unread(located: Located, read: set[int]) -> Iterable[Unread]:
    """What the changes that could not be read name: a route, and places that stand as text."""
    node = located.root.child("changes")
    for number, item in enumerate(node.items or [] if node is not None else []):
        for kind, (_, value) in (
            (item.entries or {}).items() if number not in read and len(item.entries or {}) == 1 else ()
        ):
            if kind not in CHANGES:
                continue
            named: dict[str, object] = {}
            for name, info in CHANGES[kind].model_fields.items():
                key, child = info.alias or name, value.child(info.alias or name)
                if child is None:
                    continue
                if key in ("route", "agency") and child.text:
                    named[key] = str(child.text)
                elif _holds_places(info.annotation):
                    texts = [str(one.text) for one in child.items or (child,) if one.text]
                    places = tuple(PlaceAt(text=text) for text in texts if text.strip())
                    named[key] = places if child.items is not None else places[0] if places else None
            yield Unread(number, kind, named, partial(_place_in, located, ["changes", number, kind]))


def _holds_places(annotation: Any) -> bool:
    return annotation is PlaceAt or any(map(_holds_places, get_args(annotation)))


def _place_in(located: Located, start: list[Step], path: Sequence[Step]) -> dict[str, Any]:
    return located.place([*start, *path])


def _read_changes(located: Located, found: list[Notice]) -> list[tuple[int, Change]]:
    """Each change by the model of its key, with its number in the file."""
    node = located.root.child("changes")
    changes: list[tuple[int, Change]] = []
    for number, item in enumerate(node.items or [] if node is not None else []):
        place = located.place(["changes", number])
        if item.entries is None or len(item.entries) != 1:
            said = "; each begins with its own dash and has one key, as in `- withdraw_route: {route: 7}`"
            what = f"{' and '.join(item.entries)} stand in one change" if item.entries else "this is no change"
            known = f"`{item.text}` needs its fields after a colon" if item.text in CHANGES else what
            found.append(BAD_VALUE.at(**place, value=item.text or "", message=known + said))
            continue
        kind, (_, value) = next(iter(item.entries.items()))
        if kind not in CHANGES:
            near = nearest_name(kind, CHANGES)
            hint = f"did you mean {near!r}?" if near else f"changes are {', '.join(CHANGES)}"
            found.append(UNKNOWN_KEY.at(**place, value=kind, message=f"there is no change called {kind!r}; {hint}"))
            continue
        change = _read_change(located, value, ["changes", number, kind], CHANGES[kind], found)
        if change is not None:
            changes.append((number, change))
    return changes


def _read_change(
    located: Located, node: Node, path: list[Step], model: type[Change], found: list[Notice]
) -> Change | None:
    """One change; its notices say where in the whole file it stands."""
    if node.entries is None:
        needed = [info.alias or name for name, info in model.model_fields.items() if info.is_required()]
        found.append(
            BAD_VALUE.at(
                located.file,
                row=node.line,
                column=node.column,
                field=dotted(path),
                value=node.text or "",
                message=f"{path[-1]} needs its fields, as in {{{', '.join(f'{name}: ...' for name in needed)}}}",
            )
        )
        return None
    own: list[Notice] = []
    change = validate(Located(located.file, located.path, node), model, own)
    prefix = dotted(path)
    for notice in own:
        field = f"{prefix}.{notice.field}" if notice.field else prefix
        found.append(dataclasses.replace(notice, field=field))
    return change


def _without_echoes(notices: Sequence[Notice]) -> list[Notice]:
    """Without complaints about a whole that only say again that a part of it is at fault."""
    fields = {notice.field for notice in errors_in(notices)}

    def is_echo(notice: Notice) -> bool:
        inside = (notice.field + ".", notice.field + "[")
        return notice.code == BAD_VALUE.name and any(field.startswith(inside) for field in fields)

    return [notice for notice in notices if not is_echo(notice)]


def _fault_of_name(name: str) -> str:
    if name == RESERVED:
        return f"{RESERVED!r} is the name of the baseline; choose another id"
    if not _ID.fullmatch(name):
        return f"{name!r} cannot be an id; use letters, digits, '-' and '_', at most 64 of them, as in evening-link"
    return ""


def _check_name(located: Located, head: _FileHead, path: Path, found: list[Notice]) -> None:
    place = located.place(["scenario"])
    fault = _fault_of_name(str(head.scenario))
    if fault:
        found.append(SCENARIO_NAME.at(**place, value=head.scenario, message=fault))
    elif head.scenario != path.stem:
        message = f"the id {str(head.scenario)!r} is not the file's name {path.stem!r}; make them equal"
        found.append(SCENARIO_NAME.at(**place, value=head.scenario, message=message))


def _read_base(
    located: Located, base: str, path: Path, found: list[Notice], above: tuple[str, ...], texts: Mapping[str, str]
) -> Scenario | None:
    """The scenario that this file builds on, from the same folder (or the texts)."""
    place = located.place(["base"])
    chain = (*above, path.stem)
    if not _ID.fullmatch(base):
        message = f"{base!r} is no scenario's name; write the name of a file of this folder without .yaml"
        found.append(BAD_VALUE.at(**place, value=base, message=message))
        return None
    if base in chain:
        circle = " -> ".join((*chain[chain.index(base) :], base))
        message = f"the files build on one another in a circle: {circle}; take one of the base lines out"
        found.append(BASE_CYCLE.at(**place, value=base, message=message))
        return None
    file = path.with_name(f"{base}.yaml")
    if base not in texts and not file.is_file():
        message = f"there is no file {file.name!r} in this folder{near_file(file)}"
        found.append(MISSING_FILE.at(**place, value=base, message=message))
        return None
    return _read(file, found, chain, texts=texts)


def _sentences(name: str, fault: ValidationError) -> Iterable[str]:
    for item in fault.errors(include_url=False):
        error = item.get("ctx", {}).get("error")
        said = str(error) if error is not None else item["msg"][0].lower() + item["msg"][1:]
        where = f" ({dotted(item['loc'])})" if item["loc"] else ""
        yield f"scenario {name}{where}: {said}"


def _plain(value: Any) -> Any:
    """A model as it would be written: only what was given, places and speeds in their short form."""
    if isinstance(value, BaseModel):
        given = value.model_fields_set
        if isinstance(value, PlaceAt) and value.text:
            return value.text
        names = {name: info.alias or name for name, info in type(value).model_fields.items()}
        content = {names[name]: _plain(getattr(value, name)) for name in names if name in given}
        extra: dict[str, Any] = value.model_extra or {}
        content.update({key: _plain(item) for key, item in extra.items()})
        return {key: item for key, item in content.items() if item is not None}
    if isinstance(value, Mapping):
        if set(value) == {"always"}:
            return value["always"]
        return {key: [text for text, _ in item] if key == "departures" else _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def yaml_values(value: Any) -> Any:
    """Values as YAML writes them: text in quotes where other readers would take it for a number or a clock time."""
    if isinstance(value, Mapping):
        return {str(key): yaml_values(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [yaml_values(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[-+.0-9][0-9:.eE+-]*", value):
        return DoubleQuotedScalarString(value)
    return str(value) if isinstance(value, str) else value
