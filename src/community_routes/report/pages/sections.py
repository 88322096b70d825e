"""Parts of the page beyond the headline: options side by side, wards, shared spaces, money, journeys, further tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.cells import cell_text
from community_routes.report.figures import Cell, Figures, Slot, figure, plain_figure, slot_name
from community_routes.report.results import (
    BASE_COMPARISON,
    BASE_GROUPS,
    MISSING_COST,
    TODAY,
    JourneyView,
    ScenarioSummary,
)

_MOST_WARDS = 24
_MOST_ROWS = 12
_ITEMS = {
    "bus_hours_per_year": "Further bus-hours a year",
    "km_per_year": "Further bus-kilometres a year",
    "peak_vehicles_per_year": "Further buses at the busiest time",
    "cost_per_year": "Further cost a year",
}
_TITLES = {
    "shared_spaces": "Who could meet where",
    "mixing": "Who could meet where: potential to meet",
    "exposure": "Exposure of one group to another through shared spaces",
    "affordability": "What journeys cost",
    "ranking": "The options in order",
    "paired": "Journeys that change, each against the same journey today",
    "operating_by_day": "What it takes to run: routes by kind of day, today and with the proposal",
    "operating_by_period": "What it takes to run: buses in use at once by period of the day",
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
    return {
        "titles": [(results.letter(s.id), s.title) for s in results.scenarios],
        "rows": rows,
        "costs": costs,
        "assumptions": assumptions(figures),
        "ranking": ranking(figures),
    }


def _best(values: list[float], *, low_is_good: bool) -> int:
    """Place of the greatest gain, -1 where nobody gains or two gain the same."""
    gains = [-value if low_is_good else value for value in values]
    gains = [gain if np.isfinite(gain) else -np.inf for gain in gains]
    top = max(gains)
    return gains.index(top) if top > 1e-9 and sum(abs(gain - top) < 1e-9 for gain in gains) == 1 else -1


def ranking(figures: Figures) -> list[dict[str, Any]]:
    """The proposals in the order of ``ranking.csv``, by kind: what a thousand further bus-hours bring."""
    table = figures.tables.get("ranking")
    wanted = {"kind", "rank", "scenario", "gain", "bus_hours", "gain_per_bus_hour", "same_as_next"}
    if table is None or not wanted <= set(table.columns):
        return []
    blocks = []
    for kind in dict.fromkeys(table["kind"].astype(str)):
        unit = figures.unit(kind, figures.headline_view)
        mine = table.index[table["kind"].astype(str) == kind]
        rows = [_ranked(figures, table, int(row), unit, is_last=row == mine[-1]) for row in mine]
        blocks.append({"name": words.sentence_case(words.kind_name(kind)), "unit": words.unit_name(unit), "rows": rows})
    return blocks


def _ranked(figures: Figures, table: pd.DataFrame, row: int, unit: str, *, is_last: bool) -> dict[str, Any]:
    scenario, same = str(table["scenario"].loc[row]), table["same_as_next"].loc[row]
    names = ("gain", "bus_hours", "gain_per_bus_hour", "low_per_bus_hour", "high_per_bus_hour")
    gain, hours, rate, low, high = (
        Cell("ranking", (row,), name, float(pd.to_numeric(table[name].loc[row])) if name in table.columns else np.nan)
        for name in names
    )
    notes = []
    if hours.value <= 0:
        notes.append("needs no further bus-hours" if hours.value == 0 else "saves bus-hours")
    if not np.isfinite(hours.value):
        notes.append("nobody knows what it takes: see what the costs assume")
    elif not is_last and pd.isna(same):
        notes.append(
            "not known whether it can be told apart from the next: departure times are assumed and --draws 200 was not given"
        )
    elif not is_last and bool(same):
        notes.append("cannot be told apart from the next")
    if low.value < high.value and not low.value <= rate.value <= high.value:
        how = "less" if rate.value < low.value else "more"
        notes.append(f"the departure times as assumed bring {how} than nearly all that were drawn")
    note = "; ".join(notes)
    return {
        "letter": figures.results.letter(scenario),
        "title": figures.results.scenario_title(scenario),
        "gain": figure(gain, unit, sign=True),
        "hours": figure(hours, whole=True),
        "rate": figure(rate, unit, sign=True, times=1000.0),
        "interval": Markup("{} to {}").format(
            figure(low, unit, sign=True, times=1000.0), figure(high, unit, sign=True, times=1000.0)
        )
        if low.value < high.value
        else "",
        "note": note,
    }


def cost_rows(figures: Figures) -> list[dict[str, Any]]:
    """Numbers of ``costs.csv`` against the proposals; empty where no cost was worked out."""
    table = figures.tables.get("costs")
    if table is None:
        return []
    rows = []
    for item in dict.fromkeys(table["item"].astype(str)):
        mine = table[table["item"] == item]
        if mine["value"].map(lambda value: isinstance(value, str)).any():
            continue
        cells = []
        for scenario in figures.results.scenarios:
            found = mine.index[mine["scenario"] == scenario.id]
            if MISSING_COST in (scenario.cost or {}):
                cells.append(Markup('<span class="none">not known</span>'))
                continue
            value = float(mine["value"].loc[found[0]]) if len(found) else float("nan")
            cells.append(figure(Cell("costs", (int(found[0]) if len(found) else 0,), "value", value)))
        name = _ITEMS.get(item, words.sentence_case(words.plain(item)))
        if item == "cost_per_year":
            name = f"{name}, {words.money_sign(figures.results.currency).rstrip()}"
        rows.append({"name": name, "cells": cells})
    return rows


def assumptions(figures: Figures) -> list[dict[str, str]]:
    """What the costs assume, each sentence once with the letters of the proposals that it holds for."""
    results = figures.results
    found: dict[str, list[str]] = {}
    for scenario in results.scenarios:
        for value in (scenario.cost or {}).values():
            if isinstance(value, str):
                found.setdefault(value, []).append(results.letter(scenario.id))
    everyone = len(results.scenarios)
    return [
        {"text": words.sentence_case(text), "letters": "" if len(letters) == everyone else ", ".join(letters)}
        for text, letters in found.items()
    ]


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


def meeting(figures: Figures, slot: Slot) -> dict[str, Any] | None:
    """How far the people met through shared spaces are of one's own group, against where people live; from ``exposure``."""
    table = figures.tables.get("exposure")
    wanted = {"scenario", "day", "window", "group", "other", "via_places", "at_home"}
    if table is None or not wanted <= set(table.columns):
        return None
    mine = table[(table["group"] == table["other"]) & (table["day"] == slot.day) & (table["window"] == slot.window)]
    if "key" in table.columns:
        mine = mine[mine["key"] == "shared_spaces"]
    ids = [TODAY, *(s.id for s in figures.results.scenarios)]
    rows = []
    for group in dict.fromkeys(mine["group"].astype(str)):
        of_group = mine[mine["group"].astype(str) == group]
        at_home = _share(of_group, TODAY, "at_home")
        cells = [at_home, *(_share(of_group, scenario, "via_places") for scenario in ids)]
        rows.append(
            {"name": words.sentence_case(words.plain(group)), "cells": [figure(cell, "share") for cell in cells]}
        )
    heads = ["Today", *(_short_title(figures, scenario) for scenario in ids[1:])]
    name = slot_name(slot, figures.results.windows, days_of(figures))
    return {"slot": name, "heads": [words.sentence_case(head) for head in heads], "rows": rows} if rows else None


def _share(table: pd.DataFrame, scenario: str, column: str) -> Cell | None:
    found = table.index[table["scenario"] == scenario]
    return Cell("exposure", (int(found[0]),), column, float(table[column].loc[found[0]])) if len(found) else None


def extra_tables(figures: Figures) -> list[dict[str, Any]]:
    """Further tables of the results, with their first rows."""
    out = []
    told = {"ward_matrix", BASE_COMPARISON, BASE_GROUPS} | ({"ranking"} if ranking(figures) else set())
    for name in sorted(set(figures.results.extra) - told):
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
    places = _nameless_places(figures)
    pairs: dict[tuple[str, int, str, str], list[JourneyView]] = {}
    for view in results.journeys:
        pairs.setdefault((view.day, view.depart_s, view.zone, view.destination), []).append(view)
    out = []
    for (day, depart, zone, destination), views in pairs.items():
        ordered = sorted(views, key=lambda view: _order(figures, view.scenario))
        end = max([leg.arrive_s for view in ordered for leg in view.legs], default=depart + 3600)
        out.append(
            {
                "title": f"{names.get(zone, zone)} to {places.get(destination, destination)}",
                "when": f"Ready to leave at {words.clock(depart)}{f' {words.on_day(day)}' if words.on_day(day) else ''}",
                "lines": _different(figures, ordered, depart, end),
            }
        )
    return out


def _nameless_places(figures: Figures) -> dict[str, str]:
    """What a place without a name is called instead of its id: its kind."""
    table = figures.results.destinations
    found = {}
    for place, name, key, kind in zip(table["id"], table["name"], table["key"], table["kind"], strict=True):
        if pd.isna(name) or not str(name):
            what = (
                words.part_name(str(kind))
                if not pd.isna(kind) and str(kind)
                else words.kind_name(str(key)).removesuffix("s")
            )
            found[str(place)] = f"{what} without a name"
    return found


def _different(figures: Figures, views: list[JourneyView], depart: int, end: int) -> list[dict[str, Any]]:
    """The journeys of one question that differ, each under the names of all scenarios that give it."""
    results = figures.results
    alike: dict[tuple[object, ...], list[JourneyView]] = {}
    for view in views:
        legs = tuple((leg.mode, leg.route, leg.start, leg.end, leg.depart_s, leg.arrive_s) for leg in view.legs)
        alike.setdefault((legs, view.fare, view.last_home_s, view.reason), []).append(view)
    lines = []
    for same in alike.values():
        names = [_short_title(figures, view.scenario) for view in same]
        lines.append(
            _journey(
                words.joined(names) if len(results.scenarios) > 1 else " and ".join(names),
                same[0],
                depart,
                end,
                results.currency,
            )
        )
    return lines


def _short_title(figures: Figures, scenario: str) -> str:
    """ "Today", "proposal A"; the title where there is one proposal."""
    results = figures.results
    if scenario == TODAY or len(results.scenarios) == 1:
        return results.scenario_title(scenario)
    return f"proposal {results.letter(scenario)}"


def _order(figures: Figures, scenario: str) -> int:
    ids = [TODAY, *(s.id for s in figures.results.scenarios)]
    return ids.index(scenario) if scenario in ids else len(ids)


def _journey(title: str, view: JourneyView, depart_s: int, end_s: int, currency: str) -> dict[str, Any]:
    """One line of a pair: how long it takes, its legs drawn and in words."""
    if not view.legs:
        title = words.sentence_case(title)
        return {"title": title, "reason": words.REASONS.get(view.reason, view.reason or "no journey"), "legs": []}
    title = words.sentence_case(title)
    minutes = (view.legs[-1].arrive_s - depart_s) / 60
    rides = sum(leg.mode != "walk" for leg in view.legs)
    facts = [f"{words.number(round(minutes))} minutes", f"arrives {words.clock(view.legs[-1].arrive_s)}"]
    facts.append("on foot" if not rides else "no change" if rides == 1 else f"{rides - 1} change{'s' * (rides > 2)}")
    facts += [words.money(view.fare, currency)] if view.fare is not None else []
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
