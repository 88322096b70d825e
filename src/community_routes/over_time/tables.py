"""What several runs say of the same things, in one table each: groups, neighbourhoods, inputs and settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.over_time.runs import Run
from community_routes.report.lead import HEADLINE_KINDS

MEASURE, READING = "cumulative_opportunities", "mean"
GROUP_KEYS = ("day", "window", "grouping", "group", "kind", "measure", "reading", "cutoff_min")
ZONE_KEYS = ("day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min")
OVER_TIME_COLUMNS = (
    "run",
    "label",
    "date",
    *GROUP_KEYS,
    "persons",
    "persons_covered",
    "value",
    "unit",
    "change",
    "reason",
)
INPUTS_COLUMNS = ("run", "part", "role", "name", "content", "difference")
_NONE = -1.0
"""Stands for an empty cutoff in keys, where NaN would equal nothing."""


@dataclass(frozen=True)
class Headline:
    """What the comparison leads with: the figures whose change is taken apart.

    Attributes
    ----------
    kinds : tuple of str
        Keys of the destinations.
    cutoff_min : float
        The middle one of those that all runs have.
    slots : tuple of (day, window)
    groups : tuple of (grouping, group)
        Everybody, and the most deprived fifth where deprivation is known in all runs.
    """

    kinds: tuple[str, ...]
    cutoff_min: float
    slots: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, str], ...]


def over_time(runs: Sequence[Run]) -> pd.DataFrame:
    """Every figure of a group in every run, one below the other; the columns of ``over_time.csv``.

    ``change`` is against the first run. ``reason`` says why a figure or its change is missing: ``not_in_this_run`` (it was
    not measured there), ``no_value`` (it was, and nobody has one), ``not_in_the_first`` and ``other_unit`` (no change
    can be told).
    """
    tables = [_keyed(run.groups, GROUP_KEYS, run) for run in runs]
    index = _union(tables)
    first = tables[0].reindex(index)
    parts = []
    for run, table in zip(runs, tables, strict=True):
        own = table.reindex(index)
        there = index.isin(table.index)
        value, base = own["value"].to_numpy(np.float64), first["value"].to_numpy(np.float64)
        units = _text(own["unit"]), _text(first["unit"])
        part = index.to_frame(index=False)
        part["run"], part["label"] = run.id, run.label
        part["date"] = [str(run.dates.get(day, "")) for day in part["day"]]
        for column in ("persons", "persons_covered"):
            part[column] = own[column].to_numpy(np.float64)
        part["value"], part["unit"] = value, units[0]
        part["change"] = np.where(units[0] == units[1], _change(base, value), np.nan)
        part["reason"] = np.select(
            [~there, np.isnan(value), np.isnan(base), units[0] != units[1]],
            ["not_in_this_run", "no_value", "not_in_the_first", "other_unit"],
            "",
        )
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    number = np.tile(np.arange(len(index)), len(runs))
    table = table.iloc[np.argsort(number, kind="stable")].reset_index(drop=True)
    return _without_mark(table)[list(OVER_TIME_COLUMNS)]


def neighbourhoods(runs: Sequence[Run]) -> pd.DataFrame:
    """Every figure of a neighbourhood in every run, side by side; the columns of ``neighbourhoods.csv``.

    ``value__RUN`` for each run, ``change__RUN`` against the first for each of the others. Neighbourhoods are the same
    where their ids are; ``reason`` says in which run a figure is missing, and why.
    """
    tables = [_keyed(run.access, ZONE_KEYS, run) for run in runs]
    index = _union(tables)
    table = index.to_frame(index=False)
    names = {}
    for run in reversed(runs):
        names.update(dict(zip(run.access["neighbourhood"], run.access["name"], strict=True)))
    table.insert(table.columns.get_loc("neighbourhood") + 1, "name", table["neighbourhood"].map(names))
    aligned = [one.reindex(index) for one in tables]
    units = [_text(one["unit"]) for one in aligned]
    known = units[0].copy()
    for unit in units[1:]:
        known = np.where(known == "", unit, known)
    table["unit"] = known
    values = [one["value"].to_numpy(np.float64) for one in aligned]
    for run, value in zip(runs, values, strict=True):
        table[f"value__{run.id}"] = value
    for run, value, unit in list(zip(runs, values, units, strict=True))[1:]:
        table[f"change__{run.id}"] = np.where(unit == units[0], _change(values[0], value), np.nan)
    said = np.full(len(index), "", object)
    for run, one, value, raw in zip(runs, aligned, values, tables, strict=True):
        reason = np.where(index.isin(raw.index), _text(one["reason"]), "not_in_this_run")
        words = np.array([f"{run.id}: {text or 'no_value'}" for text in reason], object)
        joined = np.where(said == "", words, said + "; " + words)
        said = np.where(np.isnan(value), joined, said)
    table["reason"] = said
    return _without_mark(table)


def headline(table: pd.DataFrame, runs: Sequence[Run]) -> Headline | None:
    """What is leading in all runs; None where they have no figure of this kind in common."""
    rows = table[(table["measure"] == MEASURE) & (table["reading"] == READING) & ~table["kind"].str.contains("/")]
    rows = rows[rows["reason"] != "not_in_this_run"]
    whole = rows[rows["grouping"] == "all"]
    in_all = whole.groupby(["day", "window", "kind", "cutoff_min"])["run"].nunique() == len(runs)
    keys = in_all[in_all].reset_index()
    if not len(keys):
        return None
    kinds = list(dict.fromkeys(keys["kind"]))
    kinds = [kind for kind in HEADLINE_KINDS if kind in kinds] or kinds[:2]
    keys = keys[keys["kind"].isin(kinds)]
    cutoffs = sorted(set(keys["cutoff_min"]))
    cutoff = cutoffs[len(cutoffs) // 2]
    found = set(keys.loc[keys["cutoff_min"] == cutoff, ["day", "window"]].itertuples(index=False, name=None))
    groups = [("all", "all")]
    fifth = rows[(rows["grouping"] == "local") & (rows["group"] == "1")]
    if fifth["run"].nunique() == len(runs):
        groups.append(("local", "1"))
    days, windows = list(runs[-1].dates), runs[-1].settings.get("windows", {})
    slots = sorted(
        found, key=lambda slot: (days.index(slot[0]) if slot[0] in days else 99, str(windows.get(slot[1])), slot)
    )
    return Headline(tuple(kinds), float(cutoff), tuple(slots), tuple(groups))


def inputs(runs: Sequence[Run]) -> pd.DataFrame:
    """Every input and setting of every run; the columns of ``inputs.csv``.

    ``difference`` is against the first run: ``same``, ``other content`` (under the same name), ``other name`` (with the
    same content), ``only here``, ``missing here`` (the first has it), or ``other value`` of a setting.
    """
    rows: list[dict[str, Any]] = []
    for run in runs:
        rows += _input_rows(runs[0], run)
        rows += _setting_rows(runs[0], run)
    return pd.DataFrame(rows, columns=list(INPUTS_COLUMNS))


def _input_rows(first: Run, run: Run) -> list[dict[str, Any]]:
    before = {(role, name): digest for role, name, digest in first.inputs}
    digests = {(role, digest) for role, _, digest in first.inputs}
    own = {(role, name): digest for role, name, digest in run.inputs}
    own_digests = {(role, digest) for role, _, digest in run.inputs}
    rows = []
    for (role, name), digest in own.items():
        if (role, name) in before:
            what = "same" if before[role, name] == digest else "other content"
        else:
            what = "other name" if (role, digest) in digests else "only here"
        rows.append({"run": run.id, "part": "input", "role": role, "name": name, "content": digest, "difference": what})
    for (role, name), digest in before.items():
        if (role, name) not in own and (role, digest) not in own_digests:
            gone = {
                "run": run.id,
                "part": "input",
                "role": role,
                "name": name,
                "content": "",
                "difference": "missing here",
            }
            rows.append(gone)
    return sorted(rows, key=lambda row: (row["role"], row["name"]))


def _setting_rows(first: Run, run: Run) -> list[dict[str, Any]]:
    pairs = []
    for part, of in (("service_date", _dates), ("setting", _settings), ("program", _program)):
        before, own = of(first), of(run)
        pairs += [(part, name, before.get(name), own.get(name)) for name in sorted({*before, *own})]
    rows = []
    for part, name, old, new in pairs:
        what = (
            "same" if old == new else "only here" if old is None else "missing here" if new is None else "other value"
        )
        rows.append({"run": run.id, "part": part, "role": "", "name": name, "content": new or "", "difference": what})
    return rows


def _dates(run: Run) -> dict[str, str]:
    return {day: str(date) for day, date in run.dates.items()}


def _settings(run: Run) -> dict[str, str]:
    return {name: value_text(value) for name, value in run.settings.items()}


def _program(run: Run) -> dict[str, str]:
    return {"study": run.study_id, "version": run.version}


def value_text(value: Any) -> str:
    """A setting as one text, the same for the same value."""
    return value if isinstance(value, str) else json.dumps(_plain(value), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """60 and 60.0 are the same setting."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _keyed(table: pd.DataFrame, keys: Sequence[str], run: Run) -> pd.DataFrame:
    """The table indexed by what its rows are about."""
    made = table.assign(cutoff_min=table["cutoff_min"].fillna(_NONE))
    for key in keys:
        if key != "cutoff_min":
            made[key] = made[key].astype(object)
    made = made.set_index(list(keys))
    twice = made.index.duplicated()
    if twice.any():
        what = dict(zip(keys, made.index[twice][0], strict=True))
        raise UsageError(f"{run.folder}: a table has two rows about {what}; it was changed after the run")
    return made


def _union(tables: Sequence[pd.DataFrame]) -> pd.MultiIndex:
    index = tables[0].index
    for table in tables[1:]:
        index = index.union(table.index, sort=False)
    found: pd.MultiIndex = index.sortlevel()[0]
    return found


def _change(base: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """NaN where either is missing; equal values have a change of exactly 0."""
    with np.errstate(invalid="ignore"):
        change: NDArray[np.float64] = np.where(base == value, 0.0, value - base)
    return change


def _text(column: pd.Series) -> NDArray[Any]:
    found: NDArray[Any] = column.astype(object).where(column.notna(), "").to_numpy(object)
    return found


def _without_mark(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(cutoff_min=table["cutoff_min"].where(table["cutoff_min"] != _NONE))
