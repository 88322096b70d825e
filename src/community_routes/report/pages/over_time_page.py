"""The page of a comparison over time: what changed, what explains it, and each measure by deprivation fifth, in one HTML file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.cells import cell_text
from community_routes.report.figures import Cell, Slot, figure, plain_figure, when
from community_routes.report.page import page_environment, template_source
from community_routes.report.pages.over_time import OverTime, RunView, share_figure
from community_routes.report.pages.over_time_measures import measures_over_time
from community_routes.report.pages.verdicts import counted, within

_MOST_ROUTES = 40
_MOST_STOPS = 12
_NOISE = 1e-12
_PARTS = {
    "timetable": "Timetable",
    "streets": "Streets",
    "destinations": "Places to reach",
    "neighbourhoods": "Other neighbourhoods",
    "homes": "Where journeys start",
    "population": "Number of residents",
    "deprivation": "Ranks of deprivation",
    "settings": "Settings",
    "together": "Together, beyond the sum of each",
    "program": "Another version of the program",
    "change": "The whole change",
    "routes together": "Routes together",
}
_SHORT = {"routes together": "together", "together": "Together", "program": "Program"}
_WHAT = {
    "new": "new",
    "gone": "no longer runs",
    "stops": "other stops",
    "times": "other times",
    "on demand": "new, on demand",
}


def over_time_html(results: OverTime, *, templates: str | Path | None = None) -> str:
    """The page as text; it needs nothing else.

    Parameters
    ----------
    results : OverTime
    templates : path, optional
        A folder whose files stand in for those of the same name in this package.
    """
    environment = page_environment(templates)
    css = [template_source(environment, name) for name in ("page.css", "over_time.css", "brand.css")]
    return environment.get_template("over_time.html").render(
        results=results,
        css=Markup("").join(css),
        dates=[
            (run, [(words.day_name(day), words.date_text(date)) for day, date in run.dates.items()])
            for run in results.runs
        ],
        answers=[_answer(results, run) for run in results.later],
        inputs=[_inputs(results, run) for run in results.later],
        timetables=[_timetable(results, run) for run in results.later],
        reasons=[_reasons(results, run) for run in results.later],
        people=_people(results),
        measures=measures_over_time(results),
        by_fifths=bool((results.tables["over_time"]["grouping"] == "local").any()),
        neighbourhoods=_neighbourhoods(results),
        view_text=within(results.view),
        settings=_settings(results),
        tables=list(results.tables),
    )


def _people(results: OverTime) -> str:
    """``residents``, or ``neighbourhoods`` where the last run counts each as 1 because nobody said how many live there."""
    table, last = results.tables["over_time"], results.runs[-1].id
    counted_as = table.loc[(table["run"] == last) & (table["grouping"] == "all"), "persons"].max()
    own = results.tables["neighbourhoods"]
    has = own.loc[~own["reason"].str.contains(f"{last}: not_in_this_run", regex=False), "neighbourhood"].nunique()
    return "neighbourhoods" if counted_as == has else "residents"


def _lead_group(results: OverTime) -> tuple[str, str]:
    return results.groups[-1] if results.groups else ("all", "all")


def _who(results: OverTime) -> str:
    return "the most deprived fifth" if _lead_group(results)[0] == "local" else "everybody"


def strongest(results: OverTime, run: RunView) -> tuple[Slot, str] | None:
    """Where the leading group's figure moved most, as a share of what it was; the first slot where nothing moved."""
    best: tuple[float, Slot, str] | None = None
    for kind in results.kinds:
        for slot in results.slots:
            change = results.cell("change", run.id, slot, kind, results.view, _lead_group(results))
            base = results.cell("value", results.first.id, slot, kind, results.view, _lead_group(results))
            if change is not None and base is not None:
                size = abs(change.value) / max(abs(base.value), 1e-9)
                if best is None or size > best[0] + 1e-9:
                    best = (size, slot, kind)
    return None if best is None else (best[1], best[2])


def _answer(results: OverTime, run: RunView) -> dict[str, Any]:
    """The headline of a later run: the strongest change in large, all slots in a table."""
    lead = strongest(results, run)
    group = _lead_group(results)
    rows = []
    for slot in results.slots:
        cells = []
        for kind in results.kinds:
            unit = results.unit(run.id, slot, kind, results.view, group)
            old, new, change = (results.cell(c, i, slot, kind, results.view, group) for c, i in _pair(results, run))
            everybody = results.cell("change", run.id, slot, kind, results.view, ("all", "all"))
            found = [figure(old, unit), figure(new, unit), figure(change, unit, sign=True)]
            cells.append([*found, figure(everybody, unit, sign=True)] if len(results.groups) > 1 else found)
        rows.append({"name": results.slot_name(slot), "cells": cells})
    heads = [words.sentence_case(counted(_unit(results, run, kind), kind)) for kind in results.kinds]
    if lead is None:
        return {
            "run": run,
            "rows": rows,
            "heads": heads,
            "big": "",
            "unit": "",
            "sentence": "",
            "why": "",
            "loss": False,
        }
    slot, kind = lead
    unit = _unit(results, run, kind)
    change = results.cell("change", run.id, slot, kind, results.view, group)
    return {
        "run": run,
        "rows": rows,
        "heads": heads,
        "big": figure(change, unit, sign=True),
        "unit": f"{counted(unit, kind)} for {_who(results)}, {within(results.view)}",
        "sentence": _sentence(results, run, slot, kind, unit),
        "why": _because(results, run, slot, kind, unit),
        "loss": change is not None and change.value < 0,
    }


def _pair(results: OverTime, run: RunView) -> tuple[tuple[str, str], ...]:
    return ("value", results.first.id), ("value", run.id), ("change", run.id)


def _unit(results: OverTime, run: RunView, kind: str) -> str:
    return next(
        (unit for slot in results.slots if (unit := results.unit(run.id, slot, kind, results.view, ("all", "all")))), ""
    )


def _sentence(results: OverTime, run: RunView, slot: Slot, kind: str, unit: str) -> Markup:
    group = _lead_group(results)
    old, new, change = (results.cell(c, i, slot, kind, results.view, group) for c, i in _pair(results, run))
    moment = words.sentence_case(when(slot, results.days, results.windows))
    if old is None or new is None or change is None:
        return Markup("No change can be told.")
    if abs(change.value) < 1e-9:
        return Markup("{}, {} reach as many {} {} as before: {}.").format(
            moment, _who(results), counted(unit, kind), within(results.view), figure(new, unit)
        )
    share = f" ({words.percent(change.value / old.value, sign=True)})" if old.value > 0 else ""
    return Markup("{}, {} reach {} {} {}, against {} {}: a change of {}{}.").format(
        moment,
        _who(results),
        figure(new, unit),
        counted(unit, kind),
        within(results.view),
        figure(old, unit),
        _in(results.first),
        figure(change, unit, sign=True),
        share,
    )


def _in(run: RunView) -> str:
    """ "in 2023", or a name in brackets."""
    return f"in {run.label}" if run.label.isdigit() else f"before ({run.label})"


def _because(results: OverTime, run: RunView, slot: Slot, kind: str, unit: str) -> Markup:
    """What explains most of the strongest change, in a sentence or two."""
    if run.id in results.unexplained:
        return Markup("What explains the change is not known: {}.").format(results.unexplained[run.id])
    table, group = results.tables["explained"], _lead_group(results)
    mine = _why_table(table, run, slot, kind, group)
    parts = mine[(mine["of"] == "change") & (mine["change_explained"].abs() > _NOISE)]
    if not len(parts):
        return Markup("Nothing that the figure is made of changed it.")
    said = []
    for row in parts.reindex(parts["change_explained"].abs().sort_values(ascending=False, kind="stable").index).index:
        cell = Cell("explained", (int(row),), "share", float(table["share"].loc[row]))
        said.append(Markup("{} ({})").format(_PARTS[table["part"].loc[row]].lower(), share_figure(cell)))
    text = Markup("Explained by the {}.").format(_listed(said))
    routes = mine[(mine["of"] == "timetable") & (mine["part"] == "route") & (mine["change_explained"].abs() > _NOISE)]
    if len(routes):
        order = routes["change_explained"].abs().sort_values(ascending=False, kind="stable").index[:3]
        names = [
            Markup("{} ({})").format(
                table["name"].loc[row],
                figure(
                    Cell("explained", (int(row),), "change_explained", float(table["change_explained"].loc[row])),
                    unit,
                    sign=True,
                ),
            )
            for row in order
        ]
        text += Markup(" Of the routes, {} {} most.").format(
            _listed(names), "explains" if len(names) == 1 else "explain"
        )
    return text


def _listed(items: Sequence[Markup]) -> Markup:
    """a, b and c."""
    if len(items) == 1:
        return items[0]
    return Markup("{} and {}").format(Markup(", ").join(items[:-1]), items[-1])


def _why_table(table: pd.DataFrame, run: RunView, slot: Slot, kind: str, group: tuple[str, str]) -> pd.DataFrame:
    return table[
        (table["run"] == run.id)
        & (table["day"] == slot.day)
        & (table["window"] == slot.window)
        & (table["kind"] == kind)
        & (table["grouping"] == group[0])
        & (table["group"] == group[1])
    ]


def _inputs(results: OverTime, run: RunView) -> dict[str, Any]:
    """Which inputs differ, in words, and which are the same."""
    table = results.tables["inputs"]
    mine = table[(table["run"] == run.id) & (table["part"] == "input")]
    differ, same = [], []
    for role, rows in mine.groupby("role", sort=True):
        names = {what: sorted(part["name"]) for what, part in rows.groupby("difference")}
        said = _input_words(names)
        if said:
            differ.append({"role": words.sentence_case(words.plain(str(role))), "text": said})
        else:
            same.append(words.plain(str(role)))
    dates = table[(table["run"] == run.id) & (table["part"] == "service_date") & (table["difference"] != "same")]
    for row in dates.to_dict("records"):
        old = results.first.dates.get(row["name"])
        new = run.dates.get(row["name"])
        text = " instead of ".join(words.date_text(date) for date in (new, old) if date is not None)
        only = (
            ""
            if old is not None and new is not None
            else f" (only in {run.label if old is None else results.first.label})"
        )
        differ.append({"role": f"Service date, {words.day_name(row['name']).lower()}", "text": f"{text}{only}"})
    return {"run": run, "differ": differ, "same": same}


def _input_words(names: dict[str, list[str]]) -> str:
    said = []
    if changed := names.get("other content"):
        said.append(f"{words.joined(changed)}: other content")
    if renamed := names.get("other name"):
        said.append(f"{words.joined(renamed)}: the same content under another name")
    new, gone = names.get("only here", []), names.get("missing here", [])
    if new and gone:
        said.append(f"{words.joined(new)} in place of {words.joined(gone)}")
    elif new or gone:
        said.append(f"{words.joined(new)} added" if new else f"{words.joined(gone)} left out")
    return "; ".join(said)


def _timetable(results: OverTime, run: RunView) -> dict[str, Any]:
    """Routes and stops that changed, by day, from ``timetable_changes.csv``."""
    table = results.tables["timetable_changes"]
    mine = table[table["run"] == run.id]
    days = []
    for day in dict.fromkeys(mine["day"]):
        rows = mine[mine["day"] == day]
        routes = rows[rows["subject"] == "route"]
        weight = routes["departures_changed"].clip(lower=1) * routes["residents_near"].fillna(0)
        order = weight.sort_values(ascending=False, kind="stable").index
        listed = [_route(table, rows, int(row)) for row in order[:_MOST_ROUTES]]
        stops = [_stops(rows, what) for what in ("gained", "lost")]
        days.append(
            {
                "name": words.day_name(str(day)),
                "routes": listed,
                "more": max(0, len(order) - _MOST_ROUTES),
                "stops": [s for s in stops if s],
            }
        )
    return {"run": run, "days": days, "known": run.id not in results.unexplained}


def _route(table: pd.DataFrame, rows: pd.DataFrame, row: int) -> dict[str, Any]:
    own = rows[(rows["subject"] == "departures") & (rows["id"] == table["id"].loc[row])]
    periods = [f"{r['period']} {int(r['before'])} → {int(r['after'])}" for r in own.to_dict("records")]

    def cell(column: str) -> Markup:
        return figure(Cell("timetable_changes", (row,), column, float(table[column].loc[row])), whole=True)

    return {
        "name": str(table["name"].loc[row]),
        "what": _what(table.loc[row]),
        "cells": [cell("before"), cell("after"), cell("departures_changed"), cell("residents_near")],
        "periods": ", ".join(periods),
    }


def _what(row: pd.Series) -> str:
    """In which way a route differs, in words."""
    if row["change"] == "departures":
        return "more departures" if row["after"] > row["before"] else "fewer departures"
    return _WHAT.get(str(row["change"]), str(row["change"]))


def _stops(rows: pd.DataFrame, what: str) -> str:
    mine = rows[(rows["subject"] == "stop") & (rows["change"] == what)]
    if not len(mine):
        return ""
    names = [f"{name} ({stop})" for name, stop in zip(mine["name"], mine["id"], strict=True)]
    verb = "with a service that had none" if what == "gained" else "without any service left"
    more = f" and {len(names) - _MOST_STOPS} more" if len(names) > _MOST_STOPS else ""
    return f"{len(names)} {'stop' if len(names) == 1 else 'stops'} {verb}: {', '.join(names[:_MOST_STOPS])}{more}."


def _reasons(results: OverTime, run: RunView) -> dict[str, Any]:
    """The change of a later run taken apart: one block for each kind and time of day, the strongest first and in a chart."""
    lead = strongest(results, run)
    blocks, unchanged = [], []
    pairs = [(slot, kind) for kind in results.kinds for slot in results.slots]
    if lead in pairs:
        pairs.remove(lead)
        pairs.insert(0, lead)
    for slot, kind in pairs if run.id not in results.unexplained else []:
        name = f"{words.sentence_case(words.kind_name(kind))}, {results.slot_name(slot)}"
        whole = [
            results.why("change_explained", run.id, slot, kind, group, ("", "change", "")) for group in results.groups
        ]
        if all(cell is None or cell.value == 0 for cell in whole) and (slot, kind) != lead:
            unchanged.append(name)
            continue
        blocks.append({"name": name, **_block(results, run, slot, kind)})
    return {"run": run, "blocks": blocks, "unchanged": unchanged, "reason": results.unexplained.get(run.id, "")}


def _block(results: OverTime, run: RunView, slot: Slot, kind: str) -> dict[str, Any]:
    table, unit = results.tables["explained"], _unit(results, run, kind)
    mine = _why_table(table, run, slot, kind, results.groups[0])
    rows, bars = [], []
    for record in mine.to_dict("records"):
        part = (str(record["of"]), str(record["part"]), str(record["route"]))
        cells = [
            (
                results.why("change_explained", run.id, slot, kind, group, part),
                results.why("share", run.id, slot, kind, group, part),
            )
            for group in results.groups
        ]
        nothing = all(cell is None or abs(cell.value) < _NOISE for cell, _ in cells)
        if nothing and part[1] in ("together", "program", "neighbourhoods", "routes together"):
            continue
        label = _part_name(record)
        changed = results.why("departures_changed", run.id, slot, kind, results.groups[0], part)
        rows.append(
            {
                "label": label,
                "inner": part[0] == "timetable",
                "whole": part[1] == "change",
                "changed": figure(changed, whole=True) if changed is not None else "",
                "cells": [(figure(value, unit, sign=True), share_figure(share)) for value, share in cells],
            }
        )
        lead = cells[-1][0]
        if lead is not None and part[1] != "change" and not nothing:
            short = str(record["name"]) if part[0] == "timetable" and record["name"] else _SHORT.get(part[1], label)
            bars.append(_bar(short, lead, unit, inner=part[0] == "timetable"))
    title = f"What explains the change for {_who(results)}: {words.kind_name(kind)}, {results.slot_name(slot)}"
    chart = charts.change_bars(bars[:16], title=title, span=charts.span_of(bars)) if bars else ""
    return {"rows": rows, "chart": chart, "unit": counted(unit, kind)}


def _bar(label: str, cell: Cell, unit: str, *, inner: bool) -> charts.Bar:
    value = words.in_unit(cell.value, unit)
    shown = f"– {label}" if inner else label
    cut = shown if len(shown) <= 21 else f"{shown[:20]}…"
    return charts.Bar(cut, value, plain_figure(cell, unit, sign=True), cell.source, value, value)


def _part_name(record: dict[Any, Any]) -> str:
    if record["part"] == "route":
        return f"Route {record['name']}"
    return str(record["name"]).capitalize() if record["part"] == "other routes" else _PARTS[str(record["part"])]


def _neighbourhoods(results: OverTime) -> dict[str, Any] | None:
    """Every neighbourhood at the strongest slot of the last run, those that gained most first."""
    last = results.later[-1]
    lead = strongest(results, last)
    if lead is None:
        return None
    (slot, kind), view = lead, results.view
    table = results.tables["neighbourhoods"]
    mine = table[
        (table["day"] == slot.day)
        & (table["window"] == slot.window)
        & (table["kind"] == kind)
        & (table["measure"] == view.measure)
        & (table["reading"] == view.reading)
        & (table["cutoff_min"] == view.cutoff_min)
    ]
    change = mine[f"change__{last.id}"]
    order = mine.assign(_c=-change.fillna(-math.inf)).sort_values(["_c", "neighbourhood"], kind="stable").index
    unit = _unit(results, last, kind)
    columns = [f"value__{run.id}" for run in results.runs] + [f"change__{run.id}" for run in results.later]

    def shown(row: int, column: str) -> Markup:
        value = float(table[column].loc[row])
        return figure(Cell("neighbourhoods", (row,), column, value), unit, sign=column.startswith("change"))

    return {
        "title": f"{view.name}: {words.kind_name(kind)}, {results.slot_name(slot)}",
        "rows": [
            {
                "id": str(table["neighbourhood"].loc[row]),
                "name": str(table["name"].loc[row]),
                "cells": [shown(int(row), column) for column in columns],
            }
            for row in order
        ],
    }


def _settings(results: OverTime) -> list[dict[str, Any]]:
    """Every setting with its value in each run; those that differ are marked."""
    table = results.tables["inputs"]
    rows = []
    parts = table[table["part"].isin(["setting", "program"])]
    for name in dict.fromkeys(parts["name"]):
        mine = parts[parts["name"] == name].set_index("run")
        values = [cell_text(mine["content"].get(run.id, "")) for run in results.runs]
        rows.append({"name": words.setting_name(str(name)), "values": values, "differs": len(set(values)) > 1})
    return rows
