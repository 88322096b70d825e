"""The folder of a run read back: its settings, its tables, and the study it was made from where that was kept."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from community_routes.base.columns import ACCESS_COLUMNS, GROUPS_COLUMNS
from community_routes.base.errors import UsageError, as_path, as_paths
from community_routes.base.files import RUN_FILE
from community_routes.base.times import parse_date
from community_routes.evaluation.case import Study, open_study
from community_routes.evaluation.inputs import INPUTS, Kept, read_kept

TODAY = "today"
_NEEDED = ("version", "study", "service_dates", "settings", "inputs")
_NUMBERS = ("cutoff_min", "value", "persons", "persons_covered", "population", "deprivation_decile")


@dataclass(frozen=True, eq=False)
class Run:
    """An evaluation that was kept in a folder.

    Attributes
    ----------
    folder : Path
    id : str
        Name in tables: the folder's name, numbered where two runs share it.
    label : str
        Name for people.
    content : mapping
        What ``run.json`` says.
    kept : Kept
        Its inputs, looked at again; ``kept.reason`` says why they cannot be used.
    """

    folder: Path
    id: str
    label: str
    content: Mapping[str, Any]
    kept: Kept = field(repr=False)

    @property
    def version(self) -> str:
        """Version of the program that made it."""
        return str(self.content["version"])

    @property
    def study_id(self) -> str:
        """Id of the study file."""
        return str(self.content["study"])

    @property
    def title(self) -> str:
        """Title of the study."""
        return str(self.content.get("title") or self.study_id)

    @property
    def invented(self) -> bool:
        """Whether it is of the sample borough."""
        return bool(self.content.get("invented"))

    @property
    def dates(self) -> dict[str, dt.date]:
        """Service dates by day, in order of date."""
        found = {str(day): parse_date(str(date)) for day, date in self.content["service_dates"].items()}
        return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))

    @property
    def settings(self) -> dict[str, Any]:
        """The settings behind its figures of the timetable as it was, without the service dates."""
        others = ("service_dates", "least_change")
        return {key: value for key, value in self.content["settings"].items() if key not in others}

    @property
    def inputs(self) -> list[tuple[str, str, str]]:
        """Role, name and sha256 of each input but the proposals."""
        rows = [(str(row["kind"]), str(row["name"]), str(row["sha256"])) for row in self.content["inputs"]]
        return sorted(row for row in rows if row[0] != "scenario")

    @cached_property
    def access(self) -> pd.DataFrame:
        """Rows of ``access.csv`` about the timetable as it was, without proposals."""
        return _table(self.folder, "access", ACCESS_COLUMNS)

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Rows of ``groups.csv`` about the timetable as it was."""
        return _table(self.folder, "groups", GROUPS_COLUMNS)

    def open_study(self, *, cache: str | Path | None = None) -> Study:
        """The study as it was kept.

        Raises
        ------
        UsageError
            Its inputs were not kept, or were changed since.
        """
        if self.kept.reason:
            raise UsageError(f"{self.id}: {self.kept.reason}")
        return open_study(self.folder / INPUTS / self.kept.study, cache=cache)

    def __repr__(self) -> str:
        dates = ", ".join(f"{day} {date}" for day, date in self.dates.items())
        return f"Run({self.id}: {self.study_id}, {dates}; {'without inputs' if self.kept.reason else 'inputs kept'})"


def read_run(folder: str | Path) -> Run:
    """Read the folder of a run.

    Parameters
    ----------
    folder : path
        What ``community-routes run`` or ``Comparison.write_report`` made.

    Returns
    -------
    Run

    Raises
    ------
    UsageError
        It is not the folder of a run, or its tables cannot be read.
    """
    folder = as_path(folder)
    if folder.is_file():
        raise UsageError(f"{folder} is a file; name the folder that a run wrote its results into")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    content = _content(folder)
    kept = read_kept(folder)
    if not kept.reason:
        kept = _against(kept, content)
    name = folder.resolve().name
    return Run(folder, name, name, content, kept)


def read_runs(folders: Sequence[str | Path], labels: Sequence[str] = ()) -> list[Run]:
    """Two runs or more, each with a name of its own.

    Parameters
    ----------
    folders : sequence of path
        In the order in which they are compared; the first is what the others are measured against.
    labels : sequence of str, optional
        Names for people, one for each; the folders' names when left out.

    Raises
    ------
    UsageError
    """
    places = as_paths(folders)
    if len(places) < 2:
        raise UsageError("name at least two folders of runs to compare")
    if labels and len(labels) != len(places):
        raise UsageError(f"{len(labels)} labels are given for {len(places)} runs; give one for each, or none")
    if len(set(labels)) < len(labels) or any(not label.strip() for label in labels):
        raise UsageError("each run needs a label of its own")
    runs: list[Run] = []
    for number, folder in enumerate(places):
        run = read_run(folder)
        taken, name, again = {known.id for known in runs}, run.id, 1
        while name in taken:
            again += 1
            name = f"{run.id}-{again}"
        runs.append(replace(run, id=name, label=labels[number] if labels else name))
    return runs


def _content(folder: Path) -> dict[str, Any]:
    """What ``run.json`` says, once it is sure that the folder is that of a run."""
    path = folder / RUN_FILE
    if not path.is_file():
        raise UsageError(f"{folder} is not the result of a run (no {RUN_FILE} in it)")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise UsageError(f"{folder}: {RUN_FILE} cannot be read; run the study again") from None
    if not isinstance(content, dict) or content.get("program") != "community_routes":
        raise UsageError(f"{folder} is not the result of a run (its {RUN_FILE} is not ours)")
    if content.get("command", "run") != "run":
        raise UsageError(f"{folder} is the result of `{content['command']}`; name folders that `run` made")
    lacking = [key for key in _NEEDED if key not in content]
    shaped = isinstance(content.get("settings"), dict) and isinstance(content.get("service_dates"), dict)
    if lacking or not shaped or not isinstance(content.get("inputs"), list):
        what = f"lacks {', '.join(lacking)}" if lacking else "has another form"
        raise UsageError(f"{folder}: {RUN_FILE} {what}; it is from another version of the program: run the study again")
    try:
        for date in content["service_dates"].values():
            parse_date(str(date))
        rows = [row[key] for row in content["inputs"] for key in ("kind", "name", "sha256")]
        for text in (content["version"], content["study"], content.get("title") or "", *rows):
            if not isinstance(text, str):
                raise TypeError(f"{text!r} stands where a name belongs")
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, TypeError, KeyError) as wrong:
        raise UsageError(f"{folder}: {RUN_FILE} is damaged ({wrong}); run the study again") from None
    return content


def _against(kept: Kept, content: Mapping[str, Any]) -> Kept:
    """The kept inputs, unless they are of another run than ``run.json`` is."""
    said = {(str(row["name"]), str(row["sha256"])) for row in content["inputs"] if row["kind"] != "scenario"}
    there = {(file.name, file.original) for file in kept.files}
    missing = sorted(name for name, _ in said - there)
    if missing:
        return replace(kept, reason=f"the kept {', '.join(missing[:3])} is not what {RUN_FILE} says (another sha256)")
    return kept


def _read(path: Path) -> pd.DataFrame:
    """A table as it was written, its text without gaps."""
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    table = pd.read_parquet(path)
    for column in table.columns:
        if not pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].fillna("").astype("str")
    return table


def _table(folder: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """A table of a run as text and numbers, without the rows of proposals and of the worse of two bounds."""
    path = folder / f"{name}.parquet"
    path = path if path.is_file() else folder / f"{name}.csv"
    try:
        table = _read(path)
    except (OSError, ValueError) as wrong:
        what = "is missing" if isinstance(wrong, FileNotFoundError) else f"cannot be read ({wrong})"
        raise UsageError(f"{path.parent}: {path.name} {what}; run the study again") from None
    lacking = [column for column in columns if column not in table.columns]
    if lacking:
        raise UsageError(f"{path.parent}: {path.name} lacks the column {', '.join(lacking)}; run the study again")
    table = table[table["scenario"] == TODAY].reset_index(drop=True)
    if "mode" in table.columns:  # of two bounds the better one comes first
        table = table[table["mode"] == table["mode"].min()].reset_index(drop=True).drop(columns="mode")
    for column in _NUMBERS:
        if column in table.columns and pd.api.types.is_numeric_dtype(table[column]):
            table[column] = table[column].astype("float64")
        elif column in table.columns:
            numbers = pd.to_numeric(table[column].replace("", None), errors="coerce").astype("float64")
            if (numbers.isna() & (table[column] != "")).any():
                bad = table.index[numbers.isna() & (table[column] != "")][0]
                raise UsageError(
                    f"{path.parent}: {path.name} has {table[column].iat[bad]!r} as {column}; it was changed after the run"
                )
            table[column] = numbers
    return table.drop(columns="scenario")
