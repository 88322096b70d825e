"""Scenario files and drafts of the workbench: one folder, names that are ids, and nothing unread is written over."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from community_routes.base.errors import ScenarioError, UsageError
from community_routes.base.files import new_file
from community_routes.base.notices import declare
from community_routes.evaluation.inputs import SCENARIO_FILE_KEYS
from community_routes.scenarios.file import Scenario
from community_routes.sources.study.nodes import tree_of
from community_routes.sources.study.yaml import MAX_BYTES
from community_routes.workbench.models import Draft, ScenarioFile

OUTSIDE = declare("outside_folder", "error", "A proposal of the workbench names a file outside its folder.")
_DRAFT = ".draft.json"
_MOST_DRAFTS = 100


class ChangedOnDiskError(UsageError):
    """The file holds something else than what the text was made from."""


class ReadOnlyError(UsageError):
    """Nothing is written by a workbench that only shows."""


def sha256(text: str) -> str:
    """Of the bytes that a text has as a file."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Folder:
    """Where the scenario files of a session lie.

    Attributes
    ----------
    path : Path
        Resolved; nothing outside it is read or written.
    given : tuple of str
        Ids of the scenarios that the command named, in their order.
    read_only : bool
    """

    path: Path
    given: tuple[str, ...] = ()
    read_only: bool = False

    @classmethod
    def of(cls, study: Path, scenarios: list[Path], *, read_only: bool = False) -> Folder:
        """The folder of the scenarios given, else that of the study file.

        Raises
        ------
        UsageError
            The scenarios lie in several folders, or are no scenario files.
        """
        folders = {path.resolve().parent for path in scenarios}
        if len(folders) > 1:
            raise UsageError("the scenarios lie in several folders; the workbench works in one")
        for path in scenarios:
            if path.suffix.lower() != ".yaml":
                raise UsageError(f"{path.name} is no scenario file (NAME.yaml)")
            if not path.is_file():
                raise UsageError(f"there is no file {path.name} in {path.parent}")
        folder = folders.pop() if folders else study.resolve().parent
        return cls(folder, tuple(dict.fromkeys(path.stem for path in scenarios)), read_only)

    def file(self, name: str) -> Path:
        """Where the file of an id lies.

        Raises
        ------
        UsageError
            What bears that name is a link to somewhere outside the folder.
        """
        path = self.path / f"{name}.yaml"
        if path.resolve().parent != self.path:
            raise UsageError(f"{path.name} is a link that leads out of the folder")
        return path

    def text(self, name: str) -> str | None:
        """What the disk holds; None where there is no such file, or it is no text."""
        try:
            with self.file(name).open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
            return raw.decode("utf-8") if len(raw) <= MAX_BYTES else None
        except (OSError, UnicodeDecodeError, UsageError):
            return None

    def scenarios(self) -> list[ScenarioFile]:
        """The scenario files of the folder: those that were given first, then the others by name."""
        names = {path.stem for path in self.path.glob("*.yaml")} - set(self.given)
        found = []
        for name in [*self.given, *sorted(names)]:
            text = self.text(name)
            head = head_of(text) if text is not None else {}
            if text is None or (name not in self.given and head.get("scenario") != name):
                continue
            file = ScenarioFile(
                id=name,
                title=head.get("title") or name,
                file=f"{name}.yaml",
                sha256=sha256(text),
                text=text,
                given=name in self.given,
            )
            found.append(file)
        return found

    def save(self, name: str, text: str, was: str | None) -> str:
        """Write a scenario file, and let go of its draft; its sha256.

        Raises
        ------
        ChangedOnDiskError
            The disk holds another content than ``was`` (None: no file).
        ReadOnlyError
            The server only shows.
        UsageError
            The file that is there is no scenario file.
        """
        self.check_writable()
        path = self.file(name)
        try:
            there = hashlib.sha256(path.read_bytes()).hexdigest()
        except FileNotFoundError:
            there = None
        if there != was and there != sha256(text):
            what = "was changed by somebody else since it was read" if was is not None else "is there already"
            what = what if there is not None else "is not there any more"
            raise ChangedOnDiskError(f"{path.name} {what}; save under another name, or read it again first")
        if there is not None and name not in self.given and "scenario" not in head_of(self.text(name) or ""):
            raise UsageError(f"{path.name} is no scenario file, so it is left alone; save under another name")
        if there != sha256(text):
            with new_file(path) as made:
                made.write_bytes(text.encode("utf-8"))
        self.drop_draft(name)
        return sha256(text)

    # -- drafts -------------------------------------------------------------------------------------------------------------

    def drafts(self) -> list[Draft]:
        """Texts that were not saved, the newest first; those that say what the disk says are none."""
        found = []
        for path in sorted(self.path.glob(f".*{_DRAFT}"))[:_MOST_DRAFTS]:
            with suppress(OSError, ValueError, KeyError, TypeError):
                if path.is_symlink() or path.stat().st_size > 4 * MAX_BYTES:
                    continue
                draft = Draft.model_validate(json.loads(path.read_text(encoding="utf-8")))
                if path == self._draft(draft.id) and self.text(draft.id) != draft.text:
                    found.append(draft)
        return sorted(found, key=lambda draft: draft.saved_at, reverse=True)

    def keep_draft(self, name: str, text: str, base_sha256: str | None) -> None:
        """Keep a text beside its file.

        Raises
        ------
        ReadOnlyError
        UsageError
            There are too many drafts.
        """
        self.check_writable()
        path = self._draft(name)
        if not path.exists() and len(list(self.path.glob(f".*{_DRAFT}"))) >= _MOST_DRAFTS:
            raise UsageError(f"there are {_MOST_DRAFTS} drafts already; save or drop some")
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        draft = Draft(id=name, text=text, base_sha256=base_sha256, saved_at=now)
        part = path.with_name(f"{path.name}.part")
        part.write_text(draft.model_dump_json(), encoding="utf-8")
        part.replace(path)

    def drop_draft(self, name: str) -> None:
        """Let go of a draft, where there is one."""
        self.check_writable()
        self._draft(name).unlink(missing_ok=True)

    def _draft(self, name: str) -> Path:
        return self.path / f".{name}{_DRAFT}"

    def check_writable(self) -> None:
        """Raise where nothing may be begun or written.

        Raises
        ------
        ReadOnlyError
        """
        if self.read_only:
            raise ReadOnlyError("this workbench only shows; it was started with --read-only")

    # -- files that a proposal names ----------------------------------------------------------------------------------------

    def check_named(self, scenario: Scenario) -> None:
        """Refuse a proposal that names a file outside the folder: a text from a browser reads nothing else of this machine.

        Raises
        ------
        ScenarioError
        """
        faults = []
        for part in scenario.chain():
            for number, path, name in named_in(part):
                if not self._inside(name):
                    message = f"{name!r} lies outside the folder of the proposals; put the file beside them"
                    faults.append(OUTSIDE.at(**part.place(number, path), value=name, message=message))
        if faults:
            raise ScenarioError("\n".join(map(str, faults)), faults)

    def _inside(self, name: str) -> bool:
        try:
            return (self.path / name).resolve().is_relative_to(self.path)
        except (OSError, ValueError):
            return False


def named_in(scenario: Scenario) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """The files that a scenario names: number of the change, path of the field, and the name."""
    for number, change in enumerate(scenario.changes):
        for kind, *path in SCENARIO_FILE_KEYS:
            value: object = change if kind == change.kind else None
            for step in path:
                value = getattr(value, step, None)
            if isinstance(value, str):
                yield number, tuple(path), value


def head_of(text: str) -> dict[str, str]:
    """The id, title and base of a scenario file's text, as far as they can be read."""
    root = tree_of(text)
    entries = root.entries if root is not None and root.entries is not None else {}
    return {key: str(node.text) for key, (_, node) in entries.items() if node.text is not None}
