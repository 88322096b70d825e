"""The table that answers: for each proposal and time of day what the leading group gains, who gains and loses, and the cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from community_routes.report.lead import Leading, Slot, View
from community_routes.report.results import TODAY, Results, ScenarioSummary

SUMMARY_COLUMNS = (
    "scenario",
    "title",
    "leads",
    "day",
    "window",
    "kind",
    "measure",
    "reading",
    "cutoff_min",
    "unit",
    "grouping",
    "group",
    "persons",
    "persons_covered",
    "baseline",
    "value",
    "change",
    "change_percent",
    "low",
    "high",
    "persons_better",
    "persons_worse",
    "persons_same",
    "persons_below",
    "persons_left_with_nothing",
    "persons_newly_reaching",
    "cost_per_year",
    "own_rates",
    "cost_per_person_better",
)
_LEVELS = ("persons", "persons_covered", "baseline", "value", "change", "low", "high")
_COUNTED = ("persons_better", "persons_worse", "persons_same", "persons_below")
_NOISE = 1e-9
_Row = Mapping[str, Any]
_Key = tuple[str, str, str, str, str, str]


def summary_table(results: Results, groups: pd.DataFrame) -> pd.DataFrame:
    """One row for each proposal, kind of place that leads and time of day, and for today's levels.

    ``change_percent`` is the change in a hundred of today's figure of the group (missing where that is 0).
    ``persons_better`` and the others count everybody, not the group alone. ``persons_left_with_nothing`` is by how many
    more reach no place of the kind at all than today, ``persons_newly_reaching`` by how many fewer.
    ``cost_per_person_better`` is the further cost of a year for each who gains, missing where nobody does or it costs
    nothing more. ``leads`` marks the row of each proposal that it is judged by: the first kind of place, at the time of
    day when the group's figure changes by the greatest share.

    Parameters
    ----------
    results : Results
    groups : DataFrame
        The table of groups.csv.
    """
    leading = Leading(results)
    rows = _rows_of(groups, leading)
    who = _leading_group(rows)
    found: list[dict[str, Any]] = []
    for scenario in (None, *results.scenarios):
        mine = [
            _summed_up(results, leading, rows, who, scenario, slot, kind)
            for kind in leading.headline_kinds
            for slot in leading.slots
        ]
        if scenario is not None:
            mine[_leader([row for row in mine if row["kind"] == leading.headline_kinds[0]])]["leads"] = True
        found += mine
    return pd.DataFrame(found, columns=list(SUMMARY_COLUMNS)).astype({"leads": bool})


def _rows_of(groups: pd.DataFrame, leading: Leading) -> dict[_Key, _Row]:
    """Rows of the leading measure, and of who reaches nothing at all: by scenario, day, window, kind, measure and group."""
    view = leading.view
    cutoff = groups["cutoff_min"].isna() if view.cutoff_min is None else groups["cutoff_min"] == view.cutoff_min
    chosen = groups[
        cutoff
        & (groups["reading"] == view.reading)
        & groups["measure"].isin([view.measure, "isolated"])
        & groups["kind"].isin(leading.headline_kinds)
        & groups["grouping"].isin(["all", "local"])
    ]
    return {
        (r["scenario"], r["day"], r["window"], r["kind"], r["measure"], f"{r['grouping']} {r['group']}"): r
        for r in chosen.to_dict("records")
    }


def _leading_group(rows: Mapping[_Key, _Row]) -> str:
    """``local 1`` where there are fifths, else ``all all``."""
    fifths = sorted({key[-1] for key in rows if key[-1].startswith("local") and not key[-1].endswith("gap")})
    return fifths[0] if fifths else "all all"


def _summed_up(
    results: Results,
    leading: Leading,
    rows: Mapping[_Key, _Row],
    who: str,
    scenario: ScenarioSummary | None,
    slot: Slot,
    kind: str,
) -> dict[str, Any]:
    """One row: of today without a scenario."""
    view, name = leading.view, TODAY if scenario is None else scenario.id
    where = (name, slot.day, slot.window, kind)
    grouping, _, group = who.partition(" ")
    row: dict[str, Any] = {
        "scenario": name,
        "title": results.scenario_title(name),
        "leads": False,
        "day": slot.day,
        "window": slot.window,
        "kind": kind,
        "measure": view.measure,
        "reading": view.reading,
        "cutoff_min": np.nan if view.cutoff_min is None else view.cutoff_min,
        "unit": leading.unit(kind, view),
        "grouping": grouping,
        "group": group,
    }
    known = rows.get((*where, view.measure, who))
    row |= {c: known[c] for c in _LEVELS} if known is not None else _average(results, where, view)
    if scenario is None:
        row |= dict.fromkeys(("baseline", "change", "low", "high"), np.nan)
        return row
    if known is not None and row["baseline"] > 0:
        row["change_percent"] = 100 * row["change"] / row["baseline"]
    row |= _counted(rows, where, view)
    cost = (scenario.cost or {}).get("cost_per_year", np.nan)
    row["cost_per_year"] = float(cost)
    row["own_rates"] = scenario.own_rates
    if row["persons_better"] > 0 and row["cost_per_year"] > 0:
        row["cost_per_person_better"] = row["cost_per_year"] / row["persons_better"]
    return row


def _counted(rows: Mapping[_Key, _Row], where: tuple[str, str, str, str], view: View) -> dict[str, float]:
    """How many gain, lose and are left with nothing, of everybody."""
    found = rows.get((*where, view.measure, "all all"))
    parts = [found] if found is not None else []
    if not parts:
        fifths = [key for key in rows if key[:5] == (*where, view.measure) and not key[-1].endswith("gap")]
        parts = [rows[key] for key in fifths]
    told = {c: sum(float(part.get(c, np.nan)) for part in parts) if parts else np.nan for c in _COUNTED}
    nothing = rows.get((*where, "isolated", "all all"))
    more = np.nan if nothing is None else float(nothing["change"]) * float(nothing["persons_covered"])
    # The greater of a number that is missing and 0 is missing too.
    return told | {
        "persons_left_with_nothing": float(np.maximum(more, 0.0)),
        "persons_newly_reaching": float(np.maximum(-more, 0.0)),
    }


def _average(results: Results, where: tuple[str, str, str, str], view: View) -> dict[str, float]:
    """Mean over the neighbourhoods weighted by persons, where the table of groups has nobody of the kind."""
    scenario, day, window, kind = where
    table = results.access if scenario == TODAY else results.comparison
    cutoff = table["cutoff_min"].isna() if view.cutoff_min is None else table["cutoff_min"] == view.cutoff_min
    mine = table[
        cutoff
        & (table["scenario"] == scenario)
        & (table["day"] == day)
        & (table["window"] == window)
        & (table["kind"] == kind)
        & (table["measure"] == view.measure)
        & (table["reading"] == view.reading)
    ]
    persons = mine["population"].to_numpy(np.float64)
    there = mine["value"].notna().to_numpy() & (persons > 0)
    found = {"persons": float(np.nansum(persons)), "persons_covered": float(persons[there].sum())}
    for column in ("baseline", "value", "change", "low", "high"):
        values = mine[column].to_numpy(np.float64)[there] if column in mine else np.zeros(0)
        found[column] = float(np.average(values, weights=persons[there])) if len(values) and there.any() else np.nan
    return found


def _leader(rows: list[dict[str, Any]]) -> int:
    """Place of the row whose figure changes by the greatest share; of two the first, and the first where none changes."""

    def share(row: Mapping[str, Any]) -> float:
        change = abs(float(row["change"]))
        if not change > _NOISE:
            return 0.0
        base = float(row["baseline"])
        return change / base if base > 0 else np.inf

    shares = [share(row) for row in rows]
    best = max(shares)
    return next(place for place, found in enumerate(shares) if found >= best * (1 - _NOISE))
