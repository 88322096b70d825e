"""Parts of the page beyond the headline: options side by side, wards, shared spaces, money, journeys, further tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.cells import cell_text
from community_routes.report.figures import Cell, Figures, Slot, View, figure, plain_figure, slot_name
from community_routes.report.results import TODAY, JourneyView, ScenarioSummary

_MOST_WARDS = 24
_MOST_ROWS = 30
_MONEY = ("fare", "afford", "cost", "burden", "monthly", "budget", "ticket")
_TITLES = {
    "shared_spaces": "Who could meet where",
    "mixing": "Who could meet where: potential to meet",
    "exposure": "Exposure of one group to another through shared spaces",
    "affordability": "What journeys cost",
    "ranking": "The options in order",
    "operating_cost": "What it takes to run",
    "last_home": "Last journey home",
}


def lead_of(figures: Figures) -> tuple[str, str] | None:
    """The most deprived fifth, else everybody, as far as ``groups.csv`` has them."""
    fifths = figures.fifths()
    if fifths:
        return "local", fifths[0]
    return ("all", "all") if figures.groups_of("all") else None


def days_of(figures: Figures) -> list[str]:
    """Days in the study's order."""
    return list(dict.fromkeys(slot.day for slot in figures.slots))


def options(figures: Figures) -> dict[str, Any] | None:
    """All proposals side by side: the change for the leading group, by kind and time of day, and what each costs."""
    results, lead, view = figures.results, lead_of(figures), figures.headline_view
    costs = cost_rows(figures)
    if not results.scenarios or lead is None or (len(results.scenarios) < 2 and not costs):
        return None
    rows = []
    for kind in figures.headline_kinds:
        unit = figures.unit(kind, view)
        for slot in figures.slots:
            cells = [figures.group_cell("change", s.id, slot, kind, view, *lead) for s in results.scenarios]
            values = [cell.value if cell is not None else np.nan for cell in cells]
            best = _best(values, low_is_good=view.low_is_good)
            rows.append(
                {
                    "kind": words.sentence_case(words.kind_name(kind)),
                    "unit": words.unit_name(unit),
                    "slot": slot_name(slot, results.windows, days_of(figures)),
                    "cells": [(figure(cell, unit, sign=True), i == best) for i, cell in enumerate(cells)],
                }
            )
    return {"titles": [(results.letter(s.id), s.title) for s in results.scenarios], "rows": rows, "costs": costs}


def _best(values: list[float], *, low_is_good: bool) -> int:
    """Place of the greatest gain, -1 where nobody gains or two gain the same."""
    gains = [-value if low_is_good else value for value in values]
    gains = [gain if np.isfinite(gain) else -np.inf for gain in gains]
    top = max(gains)
    return gains.index(top) if top > 1e-9 and sum(abs(gain - top) < 1e-9 for gain in gains) == 1 else -1


def cost_rows(figures: Figures) -> list[dict[str, Any]]:
    """Items of ``costs.csv`` against the proposals; empty where no cost was worked out."""
    table = figures.tables.get("costs")
    if table is None:
        return []
    rows = []
    ids = [scenario.id for scenario in figures.results.scenarios]
    for item in dict.fromkeys(table["item"].astype(str)):
        cells = []
        for scenario in ids:
            found = np.flatnonzero(((table["scenario"] == scenario) & (table["item"] == item)).to_numpy())
            cells.append(_cost_cell(table, int(found[0])) if len(found) else Markup("–"))
        rows.append({"name": words.sentence_case(words.plain(item)), "cells": cells})
    return rows


def _cost_cell(table: pd.DataFrame, row: int) -> Markup:
    value = table["value"].iloc[row]
    if isinstance(value, str):
        return Markup("{}").format(value)
    return figure(Cell("costs", (row,), "value", float(value)))


def wards(figures: Figures, scenario: ScenarioSummary, slot: Slot, kind: str) -> dict[str, Any] | None:
    """The change by the study's own groups at one time of day, greatest first; the ends where there are very many."""
    view, unit = figures.headline_view, figures.unit(kind, figures.headline_view)
    lines = []
    for group in figures.groups_of("group"):
        cell = figures.group_cell("change", scenario.id, slot, kind, view, "group", group)
        if cell is None or not np.isfinite(cell.value):
            continue
        low, high = (figures.group_cell(c, scenario.id, slot, kind, view, "group", group) for c in ("low", "high"))
        lines.append(
            charts.Bar(
                label=group if len(group) <= 22 else group[:21] + "…",
                value=words.in_unit(cell.value, unit),
                text=plain_figure(cell, unit, sign=True),
                source=cell.source,
                low=words.in_unit(low.value, unit) if low else np.nan,
                high=words.in_unit(high.value, unit) if high else np.nan,
                good=not view.low_is_good,
            )
        )
    if not lines:
        return None
    lines.sort(key=lambda bar: (-bar.value, bar.label))
    left_out = max(0, len(lines) - _MOST_WARDS)
    if left_out:
        lines = [*lines[: _MOST_WARDS // 2], *lines[-_MOST_WARDS // 2 :]]
    name = slot_name(slot, figures.results.windows, days_of(figures))
    title = f"Change in {words.kind_name(kind)} by ward or group, {name}"
    half = -(-len(lines) // 2)
    span = charts.span_of(lines)
    return {
        "title": f"{words.sentence_case(words.kind_name(kind))}, {name}",
        "charts": [charts.change_bars(part, title=title, span=span) for part in (lines[:half], lines[half:]) if part],
        "left_out": left_out,
    }


def spaces(figures: Figures) -> dict[str, Any] | None:
    """What the leading group reaches of each kind of shared space by time of day, and the change of each proposal."""
    results, lead, view = figures.results, lead_of(figures), figures.headline_view
    kinds = [kind for kind in figures.kinds if kind.startswith("shared_spaces")]
    if lead is None or not kinds:
        return None
    rows = []
    for kind in kinds:
        unit = figures.unit(kind, view)
        cells = []
        for slot in figures.slots:
            today = figures.group_cell("value", TODAY, slot, kind, view, *lead)
            changes = [
                (results.letter(s.id), figures.group_cell("change", s.id, slot, kind, view, *lead))
                for s in results.scenarios
            ]
            moved = [(letter, cell) for letter, cell in changes if cell is not None and abs(cell.value) >= 0.05]
            cells.append(
                {
                    "today": figure(today, unit),
                    "moved": [
                        {"letter": letter, "text": figure(cell, unit, sign=True), "gain": cell.value > 0}
                        for letter, cell in moved
                    ],
                }
            )
        rows.append(
            {"name": words.sentence_case(words.part_name(kind.partition("/")[2]) or "all kinds"), "cells": cells}
        )
    return {"slots": [slot_name(s, results.windows, days_of(figures)) for s in figures.slots], "rows": rows}


def money(figures: Figures) -> dict[str, Any] | None:
    """Measures of cost and of reach within a budget, for the leading group; None where nothing was worked out."""
    results, lead = figures.results, lead_of(figures)
    access = figures.tables["access"]
    mine = access[access["measure"].astype(str).map(lambda m: any(word in m for word in _MONEY))]
    if lead is None or mine.empty:
        return None
    keys = mine[["kind", "measure", "reading", "cutoff_min"]].drop_duplicates()
    ids = [(TODAY, "Today"), *((s.id, s.title) for s in results.scenarios)]
    rows = []
    for kind, measure, reading, cutoff in keys.itertuples(index=False):
        view = View(str(measure), str(reading), None if pd.isna(cutoff) else float(cutoff))
        unit = figures.unit(str(kind), view)
        for slot in figures.slots:
            cells = [figures.group_cell("value", scenario, slot, str(kind), view, *lead) for scenario, _ in ids]
            if any(cell is not None and np.isfinite(cell.value) for cell in cells):
                rows.append(
                    {
                        "name": f"{words.sentence_case(words.kind_name(str(kind)))}: {view.name}",
                        "unit": words.unit_name(unit),
                        "slot": slot_name(slot, results.windows, days_of(figures)),
                        "cells": [figure(cell, unit) for cell in cells],
                    }
                )
    return {"titles": [title for _, title in ids], "rows": rows} if rows else None


def extra_tables(figures: Figures) -> list[dict[str, Any]]:
    """Further tables of the results, with their first rows."""
    out = []
    for name in sorted(figures.results.extra):
        table = figures.tables[name]
        rows = []
        for row in range(min(len(table), _MOST_ROWS)):
            rows.append([_plain_cell(name, table, row, str(column)) for column in table.columns])
        out.append(
            {
                "name": name,
                "title": _TITLES.get(name, words.sentence_case(words.plain(name))),
                "heads": [words.sentence_case(words.plain(str(column))) for column in table.columns],
                "rows": rows,
                "left_out": max(0, len(table) - _MOST_ROWS),
            }
        )
    return out


def _plain_cell(name: str, table: pd.DataFrame, row: int, column: str) -> tuple[Markup, bool]:
    """A cell and whether it is a number."""
    value = table[column].iloc[row]
    if isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_):
        return figure(Cell(name, (row,), column, float(value))), True
    return Markup("{}").format(str(value) if isinstance(value, str) else cell_text(value)), False


def journey_pairs(figures: Figures) -> list[dict[str, Any]]:
    """Sample journeys, the same question today and with each proposal, on one scale of time."""
    results = figures.results
    names = {str(zone): str(name) for zone, name in zip(results.zones["id"], results.zones["name"], strict=True)}
    pairs: dict[tuple[str, int, str, str], list[JourneyView]] = {}
    for view in results.journeys:
        pairs.setdefault((view.day, view.depart_s, view.zone, view.destination), []).append(view)
    out = []
    for (day, depart, zone, destination), views in pairs.items():
        ordered = sorted(views, key=lambda view: _order(figures, view.scenario))
        end = max([leg.arrive_s for view in ordered for leg in view.legs], default=depart + 3600)
        out.append(
            {
                "title": f"{names.get(zone, zone)} to {destination}",
                "when": f"Ready to leave at {words.clock(depart)}{f' {words.on_day(day)}' if words.on_day(day) else ''}",
                "lines": [_journey(results.scenario_title(view.scenario), view, depart, end) for view in ordered],
            }
        )
    return out


def _order(figures: Figures, scenario: str) -> int:
    ids = [TODAY, *(s.id for s in figures.results.scenarios)]
    return ids.index(scenario) if scenario in ids else len(ids)


def _journey(title: str, view: JourneyView, depart_s: int, end_s: int) -> dict[str, Any]:
    """One line of a pair: how long it takes, its legs drawn and in words."""
    if not view.legs:
        return {"title": title, "reason": words.REASONS.get(view.reason, view.reason or "no journey"), "legs": []}
    minutes = (view.legs[-1].arrive_s - depart_s) / 60
    rides = sum(leg.mode != "walk" for leg in view.legs)
    facts = [f"{words.number(round(minutes))} minutes", f"arrives {words.clock(view.legs[-1].arrive_s)}"]
    facts.append("on foot" if not rides else "no change" if rides == 1 else f"{rides - 1} change{'s' * (rides > 2)}")
    facts += [f"£{view.fare:.2f}"] if view.fare is not None else []
    facts += [f"last journey home {words.clock(view.last_home_s)}"] if view.last_home_s is not None else []
    return {
        "title": title,
        "reason": "",
        "facts": facts,
        "svg": charts.journey_bar(view, depart_s, end_s, title=f"{title}: {', '.join(facts)}"),
        "legs": [_leg(leg) for leg in view.legs],
    }


def _leg(leg: Any) -> Mapping[str, str]:
    minutes = max(1, round((leg.arrive_s - leg.depart_s) / 60))
    how = "Walk" if leg.mode == "walk" else f"{words.sentence_case(leg.mode)} {leg.route}".strip()
    wait = f", after a wait of {round(leg.wait_s / 60)} min" if leg.wait_s >= 30 else ""
    return {
        "time": f"{words.clock(leg.depart_s)}",
        "text": f"{how}: {leg.start} to {leg.end}, {minutes} min{wait}",
    }
