"""The inputs of a run, kept in its folder beside the results so that it can be run, and compared with others, years later."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML

from community_routes.base.errors import CommunityRoutesError, UsageError, is_utf8
from community_routes.evaluation.case import Study
from community_routes.scenarios.file import Scenario
from community_routes.sources.study.file import StudyFile, named_files, read_study_file
from community_routes.sources.study.nodes import Node
from community_routes.sources.study.yaml import read_yaml


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
    for event in YAML(typ="rt", pure=True).parse(text) if values else ():
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


INPUTS = "inputs"
MANIFEST = "kept.json"
MOST_BYTES = 500_000_000
"""Above this much together, inputs are kept only where that is asked for."""
_CHUNK = 1 << 20
_COMPANIONS = {".shp": (".dbf", ".shx", ".prj", ".cpg"), ".tab": (".dat", ".map", ".id", ".ind"), ".mif": (".mid",)}
"""Files that belong to one that a study names: a shapefile is read from several."""
_STUDY_KEYS = (("timetables",), ("file",), ("osm",), ("graphml",))
SCENARIO_FILE_KEYS = (("add_route", "line", "file"), ("add_drt", "zone"), ("add_path", "line"))


@dataclass(frozen=True)
class KeptFile:
    """One input in the folder of a run.

    Attributes
    ----------
    path : str
        Below ``inputs``, with forward slashes.
    name : str
        The file's name as it was given.
    role : str
        ``study``, ``timetable``, ``streets``, ``neighbourhoods``, a key of the destinations, ``scenario`` or ``scenario file``.
    sha256 : str
        Of the file as it is kept.
    original : str
        Of the file as it was read; differs from ``sha256`` where paths in it were written anew.
    size : int
        Bytes.
    """

    path: str
    name: str
    role: str
    sha256: str
    original: str
    size: int


@dataclass(frozen=True)
class Kept:
    """What was kept of the inputs of a run.

    Attributes
    ----------
    study : str
        Path of the study file below ``inputs``; empty where nothing was kept.
    scenarios : tuple of str
        Paths of the proposals' files, in the order of the run.
    files : tuple of KeptFile
    reason : str
        Why nothing was kept; empty where all was.
    """

    study: str = ""
    scenarios: tuple[str, ...] = ()
    files: tuple[KeptFile, ...] = ()
    reason: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)

    def words(self, out: Path) -> str:
        """A sentence for whoever made the run."""
        if self.reason:
            return f"inputs are not kept: {self.reason}"
        return f"inputs kept in {out / INPUTS}: {len(self.files)} files, {megabytes(self.size)}"


def megabytes(size: int) -> str:
    """``12.3 MB``; one decimal below 100."""
    number = size / 1e6
    return f"{number:.0f} MB" if number >= 100 else f"{number:.1f} MB"


@dataclass
class _Copy:
    """A file to copy, and where to."""

    source: Path
    target: str
    role: str
    content: bytes | None = None


def keep_inputs(study: Study, scenarios: Iterable[Scenario], run: Path, *, wanted: bool | None = None) -> Kept:
    """Copy everything that a run was made from into ``inputs`` in its folder.

    A file below the study file's folder keeps its place, so that the study file is copied byte for byte; one from elsewhere
    comes into ``inputs`` itself (numbered where the name is taken), and the study file names it there. Proposals lie in
    ``inputs/scenarios``. ``inputs/kept.json`` lists what was kept, or says why nothing was.

    Parameters
    ----------
    study : Study
    scenarios : iterable of Scenario
        The proposals of the run; what they build on is kept with them.
    run : path
        The run's folder.
    wanted : bool, optional
        False keeps nothing; True keeps everything; left out, everything unless it is more than 500 MB.

    Returns
    -------
    Kept
        Never raises for want of space or of a file: results are worth more than a copy of their inputs. ``reason`` tells.
    """
    if wanted is False:
        return Kept(reason="this was asked for (--no-keep-inputs)")
    folder = run / INPUTS
    try:
        kept = _keep(study, list(scenarios), folder, wanted=wanted)
    except CommunityRoutesError as wrong:
        kept = Kept(reason=str(wrong))
    except OSError as wrong:
        kept = Kept(reason=f"{wrong.strerror or wrong} ({Path(wrong.filename or '').name or 'while copying'})")
    if kept.reason:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(kept), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    except OSError as wrong:
        shutil.rmtree(folder, ignore_errors=True)
        return Kept(reason=str(wrong.strerror or wrong))
    return kept


def _keep(study: Study, scenarios: list[Scenario], folder: Path, *, wanted: bool | None) -> Kept:
    file = study.file
    if not file.path.is_file():
        raise UsageError(f"the study file {file.path.name} is not there any more")
    if file.streets.place is not None:
        raise UsageError(
            f"the streets of the place {file.streets.place!r} were downloaded and are no file of the study"
        )
    plan = _Plan({MANIFEST})
    study_path = plan.study(file)
    scenario_paths = plan.scenarios(scenarios)
    size = sum(copy.source.stat().st_size if copy.content is None else len(copy.content) for copy in plan.copies)
    if wanted is None and size > MOST_BYTES:
        raise UsageError(f"they hold {megabytes(size)}, more than {megabytes(MOST_BYTES)}; --keep-inputs keeps them")
    known = {
        (str(name), str(digest)) for name, digest in zip(study.sources["name"], study.sources["sha256"], strict=True)
    }
    names = {name for name, _ in known}
    files = []
    for copy in plan.copies:
        kept = _copied(copy, folder)
        if (
            kept.name in names
            and copy.role not in ("scenario", "scenario file", "")
            and (kept.name, kept.original) not in known
        ):
            raise UsageError(f"{kept.name} was changed while the run was going on")
        files.append(kept)
    if _masked(read_study_file(folder / study_path, [])) != _masked(file):
        raise UsageError("the study was changed after its file was read, so the file does not say what was run")
    return Kept(study_path, tuple(scenario_paths), tuple(sorted(files, key=lambda kept: kept.path)))


class _Plan:
    """Which files are copied where; no two files to one place."""

    def __init__(self, taken: set[str]) -> None:
        self.copies: list[_Copy] = []
        self._taken = {name.lower() for name in taken}
        self._place: dict[tuple[Path, str], str] = {}

    def study(self, file: StudyFile) -> str:
        """The study file and all that it names; where the study file will lie."""
        path = self._free(file.path.name)
        text = file.path.read_text(encoding="utf-8-sig")
        roles = dict(_roles(file))
        found = {scalar.at: Path(scalar.text) for scalar in file_scalars(file.path, _STUDY_KEYS)}
        changes: dict[tuple[int, int], str] = {}
        for at, given in found.items():
            source = given if given.is_absolute() else file.folder / given
            if source not in roles:
                continue
            place = self._file(source, given, roles[source], "")
            if PurePosixPath(place) != PurePosixPath(given.as_posix()):
                changes[at] = place
        inserted: dict[tuple[int, int], str] = {}
        if read_study_file(file.path, []).travel.seed != file.travel.seed:
            values, inserted = seed_edit(file.path, text, file.travel.seed)
            changes |= values
        changed = edited(text, changes, inserted)
        content = changed.encode("utf-8") if changed != text else None
        self.copies.append(_Copy(file.path, path, "study", content))
        return path

    def scenarios(self, scenarios: list[Scenario]) -> list[str]:
        """The proposals' files, with what they build on and the files that they name; where each proposal will lie."""
        folders: dict[Path | None, str] = {}
        done: dict[tuple[Path | None, str], str] = {}
        found = []
        for scenario in scenarios:
            for part in scenario.chain():
                key = (part.folder, part.scenario)
                if part.folder not in folders:
                    number = len(folders) + 1
                    folders[part.folder] = "scenarios" if number == 1 else f"scenarios-{number}"
                if key not in done:
                    done[key] = self._scenario(part, folders[part.folder])
            found.append(done[scenario.folder, scenario.scenario])
        return found

    def _scenario(self, part: Scenario, into: str) -> str:
        place = self._free(f"{into}/{part.scenario}.yaml")
        if PurePosixPath(place).stem != part.scenario:
            raise UsageError(f"the study names a file where its proposal {part.scenario} would be kept ({into})")
        if part.folder is None:  # made in Python
            self.copies.append(_Copy(Path(f"{part.scenario}.yaml"), place, "scenario", part.to_yaml().encode("utf-8")))
            return place
        path = part.folder / f"{part.scenario}.yaml"
        text = path.read_text(encoding="utf-8-sig")
        changes: dict[tuple[int, int], str] = {}
        for scalar in file_scalars(path, SCENARIO_FILE_KEYS):
            given = Path(scalar.text)
            source = given if given.is_absolute() else part.folder / given
            if not source.is_file():
                continue
            there = self._file(source, given, "scenario file", into)
            if PurePosixPath(there) != PurePosixPath(given.as_posix()):
                changes[scalar.at] = there
        changed = edited(text, changes, {})
        self.copies.append(_Copy(path, place, "scenario", changed.encode("utf-8") if changed != text else None))
        return place

    def _file(self, source: Path, given: Path, role: str, into: str) -> str:
        """Where a named file will lie, as the file that names it will say it."""
        key = (source.resolve(), into)
        wanted = (
            given.name if given.is_absolute() or ".." in given.parts else PurePosixPath(given.as_posix()).as_posix()
        )
        inside = f"{into}/" if into else ""
        known = self._place.get(key)
        if known is not None and (wanted == known or "/" not in wanted):
            return known
        place = self._free(inside + wanted)
        self.copies.append(_Copy(source, place, role))
        for ending in _COMPANIONS.get(source.suffix.lower(), ()):
            for one in (ending, ending.upper()):
                beside = source.with_suffix(one)
                if beside.is_file():
                    self.copies.append(_Copy(beside, str(PurePosixPath(place).with_suffix(one)), role))
                    break
        self._place[key] = place.removeprefix(inside)
        return self._place[key]

    def _free(self, wanted: str) -> str:
        """The place, numbered where it is taken; case counts for nothing, as on Windows."""
        path, number = PurePosixPath(wanted), 1
        while str(path).lower() in self._taken:
            number += 1
            plain = PurePosixPath(wanted)
            path = plain.with_name(f"{plain.stem}-{number}{plain.suffix}")
        self._taken.add(str(path).lower())
        return str(path)


def _roles(file: StudyFile) -> Iterator[tuple[Path, str]]:
    """Every file that a study names, with what it is for."""
    parts: list[tuple[str, Any]] = [("other", {name: getattr(file, name) for name in type(file).model_fields})]
    parts += [(key, spec) for key, spec in file.destinations.items()]
    parts += [("neighbourhoods", file.neighbourhoods), ("streets", file.streets)]
    for role, part in parts:
        for _, path in named_files(part):
            yield path, role
    for path in file.timetables:
        yield path, "timetable"


def _copied(copy: _Copy, folder: Path) -> KeptFile:
    """Copy the bytes of one file, and count and hash them on the way."""
    target = folder / copy.target
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy.content is not None:
        target.write_bytes(copy.content)
        digest = hashlib.sha256(copy.content).hexdigest()
        original = hashlib.sha256(copy.source.read_bytes()).hexdigest() if copy.source.is_file() else digest
        return KeptFile(copy.target, copy.source.name, copy.role, digest, original, len(copy.content))
    running, size = hashlib.sha256(), 0
    with copy.source.open("rb") as start, target.open("wb") as end:
        while part := start.read(_CHUNK):
            end.write(part)
            running.update(part)
            size += len(part)
    digest = running.hexdigest()
    return KeptFile(copy.target, copy.source.name, copy.role, digest, digest, size)


def _masked(value: Any) -> Any:
    """The settings of a study without the places of its files."""
    if hasattr(value, "model_dump"):
        return _masked(value.model_dump())
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return "a file" if isinstance(value, Path) else value


def listed(run: Path) -> Kept:
    """What ``kept.json`` of a run says, without a look at the files."""
    folder = run / INPUTS
    if not folder.is_dir():
        return Kept(reason="its inputs were not kept (--no-keep-inputs)")
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = tuple(KeptFile(**file) for file in content["files"])
        texts = [content["study"], content["reason"], *content["scenarios"]]
        texts += [text for file in files for text in (file.path, file.name, file.role, file.sha256, file.original)]
        named = all(isinstance(text, str) and is_utf8(text) and "\0" not in text for text in texts)
        if not named or not all(type(file.size) is int and 0 <= file.size < 1 << 53 for file in files):
            raise TypeError("a list or a number stands where a name belongs, or no size where one does")
        return Kept(content["study"], tuple(content["scenarios"]), files, content["reason"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Kept(reason=f"{INPUTS}/{MANIFEST} is missing or damaged, so nobody knows what its inputs were")


def read_kept(run: Path) -> Kept:
    """What was kept of the inputs of a run, with every file looked at again.

    Returns
    -------
    Kept
        With a ``reason`` where the inputs were not kept, or are not any more what they were.
    """
    folder, kept = run / INPUTS, listed(run)
    if kept.reason:
        return kept
    faults = [fault for file in kept.files if (fault := _fault(folder, file))]
    if kept.study not in {file.path for file in kept.files}:
        faults.append("the study file is not among the files kept")
    if faults:
        more = f", and {len(faults) - 3} more" if len(faults) > 3 else ""
        return Kept(reason=f"its kept inputs are not those that it was made from: {'; '.join(faults[:3])}{more}")
    return kept


def _fault(folder: Path, file: KeptFile) -> str:
    """What is wrong with a kept file; empty where it is as it was."""
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts or "\\" in file.path or ":" in file.path:
        return f"{file.path} lies outside the folder"
    place = folder / path
    try:
        there = place.is_file()
    except OSError:  # a name that no file can have
        there = False
    if not there:
        return f"{INPUTS}/{file.path} is missing"
    running = hashlib.sha256()
    with place.open("rb") as stream:
        while part := stream.read(_CHUNK):
            running.update(part)
    if running.hexdigest() != file.sha256:
        return f"{INPUTS}/{file.path} was changed after the run (another sha256 than in {MANIFEST})"
    return ""
