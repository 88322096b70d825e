"""Two runs or more compared: their figures, their inputs, their timetables, and what explains each change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from community_routes.base.errors import UsageError, as_path
from community_routes.base.files import check_replaceable, new_folder
from community_routes.base.version import __version__
from community_routes.evaluation.case import Study
from community_routes.over_time import tables
from community_routes.over_time.explain import EXPLAINED_COLUMNS, MOST_ROUTES, Explanation, explain
from community_routes.over_time.runs import Run, read_runs
from community_routes.report.lead import Slot
from community_routes.report.pages.over_time import OverTime, RunView, write_over_time
from community_routes.report.pages.over_time_page import over_time_html
from community_routes.report.words import joined
from community_routes.sources.study.models import day_type

CHANGES_COLUMNS = (
    "run",
    "against",
    "day",
    "subject",
    "id",
    "name",
    "change",
    "period",
    "before",
    "after",
    "departures_changed",
    "residents_near",
)
_NUMBERS = ("cutoff_min", "before", "after", "departures_changed", "residents_near", "change_explained", "share")


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Runs side by side, each measured against the first.

    Attributes
    ----------
    runs : tuple of Run
    over_time, neighbourhoods, inputs : DataFrame
        As in the files of these names.
    headline : Headline or None
    explanations : mapping of run to Explanation
        Of every run but the first.
    """

    runs: tuple[Run, ...]
    over_time: pd.DataFrame
    neighbourhoods: pd.DataFrame
    inputs: pd.DataFrame
    headline: tables.Headline | None
    explanations: Mapping[str, Explanation] = field(default_factory=dict)

    @cached_property
    def explained(self) -> pd.DataFrame:
        """What explains the change of the leading figures: the columns of ``explained.csv``."""
        return _stacked([one.table for one in self.explanations.values()], EXPLAINED_COLUMNS)

    @cached_property
    def timetable_changes(self) -> pd.DataFrame:
        """Routes, departures by period and stops that differ from the first run: ``timetable_changes.csv``."""
        parts = []
        for run, one in self.explanations.items():
            for day, diff in one.diffs.items():
                routes = diff.routes.rename(columns={"route": "id", "what": "change", "changed": "departures_changed"})
                routes["residents_near"] = [one.residents_near.get(route, np.nan) for route in routes["id"]]
                departures = diff.departures.rename(columns={"route": "id"})
                stops = diff.stops.rename(columns={"stop": "id", "what": "change"})
                for subject, table in (("route", routes), ("departures", departures), ("stop", stops)):
                    parts.append(table.assign(run=run, against=self.runs[0].id, day=day, subject=subject))
        return _stacked(parts, CHANGES_COLUMNS)

    @cached_property
    def strangers(self) -> dict[str, list[str]]:
        """Neighbourhoods of each run that not every run has."""
        own = {run.id: set(run.access["neighbourhood"]) for run in self.runs}
        common = set.intersection(*own.values())
        return {run: sorted(ids - common) for run, ids in own.items()}

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What somebody must know before believing a change; empty where the runs differ in nothing but their inputs."""
        return tuple(_remarks(self))

    @property
    def results(self) -> OverTime:
        """All that the files are made from."""
        last, lead = self.runs[-1], self.headline
        windows: dict[str, str] = {}
        for run in self.runs:
            windows.update({str(k): str(v) for k, v in dict(run.settings.get("windows") or {}).items()})
        return OverTime(
            runs=tuple(RunView(r.id, r.label, r.title, r.study_id, r.version, r.dates) for r in self.runs),
            tables={
                "over_time": self.over_time,
                "neighbourhoods": self.neighbourhoods,
                "inputs": self.inputs,
                "timetable_changes": self.timetable_changes,
                "explained": self.explained,
            },
            kinds=lead.kinds if lead is not None else (),
            cutoff_min=lead.cutoff_min if lead is not None else None,
            slots=tuple(Slot(*slot) for slot in lead.slots) if lead is not None else (),
            groups=lead.groups if lead is not None else (),
            windows=windows,
            unexplained={run: one.reason for run, one in self.explanations.items() if one.reason},
            remarks=self.remarks,
            strangers=self.strangers,
            version=__version__,
            invented=last.invented,
        )

    def write_report(self, out: str | Path, *, templates: str | Path | None = None) -> Path:
        """Write ``report.html`` and every table beside it into a folder, whole or not at all.

        Parameters
        ----------
        out : path
            Replaced when it is the result of an earlier run or comparison.
        templates : path, optional
            A folder whose files stand in for the page's own.

        Returns
        -------
        Path
            The page.

        Raises
        ------
        UsageError
            The folder holds something else, or is one of the runs compared.
        """
        out = as_path(out)
        check_out(out, self.runs)
        results = self.results
        page = over_time_html(results, templates=templates)
        with new_folder(out) as made:
            write_over_time(results, made, page)
        return out / "report.html"

    def __repr__(self) -> str:
        return f"RunComparison({', '.join(run.id for run in self.runs)}: {len(self.over_time):,} rows)"

    def _repr_html_(self) -> str:
        rows = self.explained[(self.explained["of"] != "timetable") & (self.explained["change_explained"] != 0)]
        columns = ["run", "day", "window", "kind", "group", "part", "change_explained", "share"]
        html: str = rows[columns].head(40).to_html(index=False)
        return html


def check_out(out: Path, runs: Sequence[Run]) -> None:
    """Stop before the work where the results could not be written, or would take the place of a run.

    Raises
    ------
    UsageError
    """
    check_replaceable(out)
    for run in runs:
        if out.resolve() == run.folder.resolve() or out.resolve() in run.folder.resolve().parents:
            raise UsageError(f"{out} is, or holds, the run {run.folder}; name another folder for the comparison")


def compare_runs(
    folders: Sequence[str | Path],
    *,
    labels: Sequence[str] = (),
    routes: int = MOST_ROUTES,
    threads: int = 1,
    cache: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> RunComparison:
    """Compare evaluations that were kept: another year's timetable, another date, a later population.

    Parameters
    ----------
    folders : sequence of path
        Folders that ``community-routes run`` made, two or more; the others are compared with the first.
    labels : sequence of str, optional
        Names for people, one for each run; the folders' names when left out.
    routes : int
        How many routes are put back singly, those with the most departures changed times residents within a walk of the
        route; 0 puts all back together.
    threads : int
        Changes nothing but the time it takes.
    cache : path, optional
        Where timetables and streets are kept as they were read.
    progress : callable of str, optional

    Returns
    -------
    RunComparison

    Raises
    ------
    UsageError
        A folder is no run, or the runs have nothing in common.
    """
    tell = progress or (lambda _: None)
    runs = read_runs(folders, labels)
    tell("comparing the tables")
    together = tables.over_time(runs)
    lead = tables.headline(together, runs)
    if not (together["reason"] != "not_in_this_run").groupby(_keys(together)).sum().gt(1).any():
        what = joined([run.id for run in runs])
        raise UsageError(
            f"{what} have no figure in common (day, window, kind of place, measure); they cannot be compared"
        )
    explanations = {}
    opened: dict[str, Study] = {}
    for run in runs[1:]:
        if lead is None:
            nothing = pd.DataFrame(columns=list(EXPLAINED_COLUMNS))
            explanations[run.id] = Explanation(nothing, reason="the runs have no leading figure in common")
        else:
            explanations[run.id] = explain(
                runs[0], run, lead, opened=opened, routes=routes, threads=threads, cache=cache, progress=progress
            )
    return RunComparison(tuple(runs), together, tables.neighbourhoods(runs), tables.inputs(runs), lead, explanations)


def _keys(table: pd.DataFrame) -> list[Any]:
    return [table[key].astype(str) for key in tables.GROUP_KEYS]


def _stacked(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The tables one below the other, with all the columns: numbers as floats, missing text empty."""
    filled = [part.reindex(columns=list(columns)).astype(object) for part in parts if len(part)]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns), dtype=object)
    for column in columns:
        if column in _NUMBERS:
            table[column] = pd.to_numeric(table[column]).astype("float64")
        else:
            table[column] = table[column].where(table[column].notna(), "")
    return table


def _kind_of_day(date: dt.date) -> str:
    return {"saturday": "Saturday", "sunday": "Sunday"}.get(day_type(date), "weekday")


def _remarks(comparison: RunComparison) -> list[str]:
    first, said = comparison.runs[0], []
    for run in comparison.runs[1:]:
        if run.study_id != first.study_id:
            said.append(f"{run.label} is of the study {run.study_id!r}, {first.label} of {first.study_id!r}.")
        if run.version != first.version:
            said.append(
                f"{run.label} was made by version {run.version} of the program, {first.label} by {first.version}; "
                "the part of the change that comes from that is shown apart."
            )
        before, own = first.settings, run.settings
        differ = [
            key
            for key in sorted({*before, *own})
            if tables.value_text(before.get(key)) != tables.value_text(own.get(key))
        ]
        if differ:
            pairs = [
                f"{key} {tables.value_text(own.get(key))} instead of {tables.value_text(before.get(key))}"
                for key in differ
            ]
            said.append(
                f"The settings of {run.label} and {first.label} differ, so a change may be one of method: {'; '.join(pairs)}."
            )
        for day in run.dates:
            if day in first.dates and day_type(run.dates[day]) != day_type(first.dates[day]):
                each = [f"that of {one.label} is a {_kind_of_day(one.dates[day])}" for one in (run, first)]
                said.append(
                    f"The service date {f'({day}) ' if day != 'day' else ''}is of another kind: {', '.join(each)}."
                )
        said += comparison.explanations[run.id].notes
    table = comparison.over_time
    if (table["reason"] == "other_unit").any():
        rows = table[table["reason"] == "other_unit"]
        kinds = joined(sorted(set(rows["kind"])))
        said.append(f"{kinds}: counted in another unit than in {first.label}, so no change is told.")
    lost = [f"{len(ids)} of {run}" for run, ids in comparison.strangers.items() if ids]
    if lost:
        said.append(f"Not all runs have the same neighbourhoods: {', '.join(lost)} are not in every run.")
    return said
