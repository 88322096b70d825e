"""The page of a comparison over time: what changed, what explains it, and each measure by deprivation fifth, in one HTML file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from community_routes.report import charts, words
from community_routes.report.blocks import (
    Block,
    Box,
    Fold,
    Heading,
    Items,
    Lead,
    Page,
    Pairs,
    Picture,
    Row,
    Section,
    Table,
    Td,
    Text,
    Th,
    article,
    below,
    code,
    columns,
    element,
)
from community_routes.report.cells import cell_text
from community_routes.report.figures import Cell, figure, plain_figure
from community_routes.report.frame import page_text
from community_routes.report.lead import Slot, when
from community_routes.report.pages.context import counted
from community_routes.report.pages.over_time import OverTime, RunView, share_figure
from community_routes.report.pages.over_time_measures import measures_over_time

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
    title, labels = f"{results.runs[-1].title} over time", ", ".join(run.label for run in results.later)
    files = Markup(", ").join(code(f"{name}.csv") for name in results.tables)
    made = (
        "Made with community_routes {}. The figures are rounded for reading; the exact ones are in {} beside this page."
    )
    page = Page(
        name="over-time",
        title=title,
        heading=title,
        standfirst=f"{labels} compared with {results.first.label}: what can be reached, and which of the timetable, the streets, "
        "the places and the people made the difference.",
        facts=[(run.label, _dates(run)) for run in results.runs],
        sections=[
            _answers(results),
            Section(
                "inputs",
                "What differs in the inputs",
                [_of_run(results, run, _inputs(results, run)) for run in results.later],
                short="What differs",
            ),
            Section(
                "timetable",
                "Routes that changed",
                [_of_run(results, run, _timetable(results, run)) for run in results.later],
                short="Routes",
            ),
            _reasons(results),
            measures_over_time(results, _people(results)),
            *_neighbourhoods(results),
            _unknown(results),
        ],
        footer=[Markup(made).format(results.version, files)],
        version=results.version,
        invented=results.invented,
    )
    return page_text(page, templates=templates, results=results)


def _dates(run: RunView) -> list[str]:
    several = len(run.dates) > 1
    return [
        f"{words.day_name(day)}, {words.date_text(date)}" if several else words.date_text(date)
        for day, date in run.dates.items()
    ]


def _of_run(results: OverTime, run: RunView, blocks: Sequence[Block], style: str = "gain-set") -> Box:
    """What is said of a later run."""
    return article(Heading(f"{run.label} against {results.first.label}"), *blocks, style=style)


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


def _answers(results: OverTime) -> Section:
    """What the reader must know first, then the headline of each later run."""
    remarks = [Markup("<strong>Note:</strong> {}").format(remark) for remark in results.remarks]
    found: list[Block] = [Items(remarks, "remarks")] if remarks else []
    found += [_of_run(results, run, _answer(results, run), "verdict") for run in results.later]
    return Section("answer", "The answer", found, short="The answer")


def _answer(results: OverTime, run: RunView) -> list[Block]:
    """The strongest change in large, all slots in a table."""
    lead, group, view = strongest(results, run), _lead_group(results), results.view
    if lead is None:
        told = (
            "The runs have no leading figure in common (opportunities within a cutoff, on the same day and in the same window), "
            "so no headline can be given. What they do have in common is in the charts and in {}."
        )
        return [Text(Markup(told).format(code("over_time.csv")))]
    slot, kind = lead
    unit = _unit(results, run, kind)
    change = results.cell("change", run.id, slot, kind, view, group)
    said = [
        Text(_sentence(results, run, slot, kind, unit), "sentence"),
        Text(_because(results, run, slot, kind, unit), "sure"),
    ]
    counts = f"{counted(unit, kind)} for {_who(results)}, {view.within}"
    with_all = len(results.groups) > 1
    cap = (
        f"{'Most deprived fifth: what' if with_all else 'What'} can be reached {view.within} on average over departures"
    )
    return [
        Lead(figure(change, unit, sign=True), counts, said, change is not None and change.value < 0),
        Text(cap + ("; beside it the change for everybody" if with_all else ""), "cap"),
        _all_times(results, run, with_all=with_all),
    ]


def _all_times(results: OverTime, run: RunView, *, with_all: bool) -> Table:
    """The leading group before and now, and the change for everybody beside it."""
    group, view = _lead_group(results), results.view
    rows = []
    for slot in results.slots:
        cells: list[str | Td] = []
        for kind in results.kinds:
            unit = results.unit(run.id, slot, kind, view, group)
            old, new, change = (results.cell(c, i, slot, kind, view, group) for c, i in _pair(results, run))
            cells += [Td(figure(old, unit), "from"), figure(new, unit), Td(figure(change, unit, sign=True), "change")]
            if with_all:
                everybody = results.cell("change", run.id, slot, kind, view, ("all", "all"))
                cells.append(figure(everybody, unit, sign=True))
        rows.append(Row(results.slot_name(slot), cells))
    heads = [results.first.label, run.label, "Change", *(["Everybody"] if with_all else [])]
    kinds = [words.sentence_case(counted(_unit(results, run, kind), kind)) for kind in results.kinds]
    return Table(
        f"{run.label}: all times of day",
        ["When", *(heads * len(kinds))],
        rows,
        over=[Th(""), *(Th(kind, span=len(heads)) for kind in kinds)],
        style="then-now",
    )


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
            moment, _who(results), counted(unit, kind), results.view.within, figure(new, unit)
        )
    share = f" ({words.percent(change.value / old.value, sign=True)})" if old.value > 0 else ""
    return Markup("{}, {} reach {} {} {}, against {} {}: a change of {}{}.").format(
        moment,
        _who(results),
        figure(new, unit),
        counted(unit, kind),
        results.view.within,
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


def _inputs(results: OverTime, run: RunView) -> list[Block]:
    """Which inputs differ, in words, and which are the same."""
    table = results.tables["inputs"]
    mine = table[(table["run"] == run.id) & (table["part"] == "input")]
    differ, same = [], []
    for role, rows in mine.groupby("role", sort=True):
        names = {what: sorted(part["name"]) for what, part in rows.groupby("difference")}
        said = _input_words(names)
        if said:
            differ.append((words.sentence_case(words.plain(str(role))), said))
        else:
            same.append(words.plain(str(role)))
    dates = table[(table["run"] == run.id) & (table["part"] == "service_date") & (table["difference"] != "same")]
    for row in dates.to_dict("records"):
        old = results.first.dates.get(row["name"])
        new = run.dates.get(row["name"])
        text = " instead of ".join(words.date_text(date) for date in (new, old) if date is not None)
        if old is None or new is None:
            text += f" (only in {run.label if old is None else results.first.label})"
        differ.append((f"Service date, {words.day_name(row['name']).lower()}", text))
    if not differ:
        return [Text("Nothing: every input has the same content.")]
    return [Pairs(differ), *([Text(f"The same: {', '.join(same)}.", "note")] if same else [])]


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


def _timetable(results: OverTime, run: RunView) -> list[Block]:
    """Routes and stops that changed, by day, from ``timetable_changes.csv``."""
    if run.id in results.unexplained:
        return [Text("Not known: the timetables were not kept.")]
    table = results.tables["timetable_changes"]
    mine = table[table["run"] == run.id]
    if mine.empty:
        return [Text("None: the two timetables say the same on these dates.")]
    found: list[Block] = []
    for day in dict.fromkeys(mine["day"]):
        rows, name = mine[mine["day"] == day], words.day_name(str(day))
        found += [Heading(name, 4), *_routes(results, table, rows, f"{run.label}, {name}")]
        found += [Text(said, "note") for what in ("gained", "lost") if (said := _stops(rows, what))]
    return found


def _routes(results: OverTime, table: pd.DataFrame, rows: pd.DataFrame, name: str) -> list[Block]:
    """The routes of a day that changed, those that touch most people first."""
    routes = rows[rows["subject"] == "route"]
    if routes.empty:
        return []
    weight = routes["departures_changed"].clip(lower=1) * routes["residents_near"].fillna(0)
    order = weight.sort_values(ascending=False, kind="stable").index
    heads = ["Route", "What", "Departures before", "after", "of which differ"]
    heads += [f"{_people(results).capitalize()} within a walk", "By period"]
    listed = [_route(table, rows, int(row)) for row in order[:_MOST_ROUTES]]
    found: list[Block] = [Table(f"Routes that changed: {name}", heads, listed, style="fine left changed-routes")]
    if len(order) > _MOST_ROUTES:
        more = Markup("{} more are in {}.").format(len(order) - _MOST_ROUTES, code("timetable_changes.csv"))
        found.append(Text(more, "note"))
    return found


def _route(table: pd.DataFrame, rows: pd.DataFrame, row: int) -> Row:
    own = rows[(rows["subject"] == "departures") & (rows["id"] == table["id"].loc[row])]
    periods = ", ".join(f"{r['period']} {int(r['before'])} → {int(r['after'])}" for r in own.to_dict("records"))
    columns = ("before", "after", "departures_changed", "residents_near")
    figures = (
        figure(Cell("timetable_changes", (row,), column, float(table[column].loc[row])), whole=True)
        for column in columns
    )
    return Row(str(table["name"].loc[row]), [Td(_what(table.loc[row]), "text"), *figures, Td(periods, "text")])


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


def _reasons(results: OverTime) -> Section:
    """The change of each later run taken apart."""
    told = (
        f"Each input of {results.first.label} is put back alone into the later study, and then each route of its timetable. What "
        "the figure loses by that is what the input or the route explains. Two that only help together explain more, or less, "
        "than the sum of each; that is shown as a part of its own (“together”), so that the parts always add up to the whole "
        "change. The routes' own also holds what belongs to no route, such as stops that moved."
    )
    found = [_of_run(results, run, _apart(results, run)) for run in results.later]
    return Section("why", "What explains the change", [Text(told), *found], short="What explains it")


def _apart(results: OverTime, run: RunView) -> list[Block]:
    """One block for each kind and time of day, the strongest first and in a chart."""
    if run.id in results.unexplained:
        told = "<strong>Not known:</strong> {}. The tables of the runs are compared all the same."
        return [Text(Markup(told).format(results.unexplained[run.id]))]
    lead = strongest(results, run)
    pairs = [(slot, kind) for kind in results.kinds for slot in results.slots]
    if lead in pairs:
        pairs.remove(lead)
        pairs.insert(0, lead)
    found: list[Block] = []
    unchanged = []
    for slot, kind in pairs:
        name = f"{words.sentence_case(words.kind_name(kind))}, {results.slot_name(slot)}"
        whole = [
            results.why("change_explained", run.id, slot, kind, group, ("", "change", "")) for group in results.groups
        ]
        if all(cell is None or cell.value == 0 for cell in whole) and (slot, kind) != lead:
            unchanged.append(name)
            continue
        table, chart = _parts(results, run, slot, kind, name)
        if found:
            found.append(Fold(name, [table], "further"))
            continue
        found += [Heading(name, 4), *chart, table]
    return [*found, Text(f"Nothing changed: {'; '.join(unchanged)}.", "note")] if unchanged else found


def _parts(results: OverTime, run: RunView, slot: Slot, kind: str, name: str) -> tuple[Table, list[Block]]:
    """What each part explains, as a table and as bars."""
    table, unit = results.tables["explained"], _unit(results, run, kind)
    rows, bars = [], []
    for record in _why_table(table, run, slot, kind, results.groups[0]).to_dict("records"):
        part = (str(record["of"]), str(record["part"]), str(record["route"]))
        values, shares = (
            [results.why(column, run.id, slot, kind, group, part) for group in results.groups]
            for column in ("change_explained", "share")
        )
        nothing = all(cell is None or abs(cell.value) < _NOISE for cell in values)
        if nothing and part[1] in ("together", "program", "neighbourhoods", "routes together"):
            continue
        label, inner, is_whole = _part_name(record), part[0] == "timetable", part[1] == "change"
        changed = results.why("departures_changed", run.id, slot, kind, results.groups[0], part)
        cells: list[str | Td] = []
        for value, share in zip(values, shares, strict=True):
            cells += [Td(figure(value, unit, sign=True), "change"), share_figure(share)]
        cells.append(figure(changed, whole=True) if changed is not None else "")
        rows.append(Row(label, cells, "inner" if inner else "whole" if is_whole else ""))
        if values[-1] is not None and not is_whole and not nothing:
            short = str(record["name"]) if inner and record["name"] else _SHORT.get(part[1], label)
            bars.append(_bar(short, values[-1], unit, inner=inner))
    groups = ["Most deprived fifth" if group[0] == "local" else "Everybody" for group in results.groups]
    apart = Table(
        f"What explains the change: {run.label}, {name}",
        ["Part", *(["Explains", "Share"] * len(groups)), "Departures that differ"],
        rows,
        over=[Th(""), *(Th(group, span=2) for group in groups), Th("")],
        style="fine apart",
    )
    if not bars:
        return apart, []
    title = f"What explains the change for {_who(results)}: {words.kind_name(kind)}, {results.slot_name(slot)}"
    caption = f"Change in {counted(unit, kind)}{', most deprived fifth' if len(results.groups) > 1 else ''}"
    return apart, [Picture(caption, charts.change_bars(bars[:16], title=title, beside=bars))]


def _bar(label: str, cell: Cell, unit: str, *, inner: bool) -> charts.Bar:
    value = words.in_unit(cell.value, unit)
    shown = f"– {label}" if inner else label
    cut = shown if len(shown) <= 21 else f"{shown[:20]}…"
    return charts.Bar(cut, value, plain_figure(cell, unit, sign=True), cell.source, value, value)


def _part_name(record: dict[Any, Any]) -> str:
    if record["part"] == "route":
        return f"Route {record['name']}"
    return str(record["name"]).capitalize() if record["part"] == "other routes" else _PARTS[str(record["part"])]


def _neighbourhoods(results: OverTime) -> list[Section]:
    """Every neighbourhood at the strongest slot of the last run, those that gained most first."""
    last = results.later[-1]
    lead = strongest(results, last)
    if lead is None:
        return []
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
    rows = []
    for row in order:
        ident, name = str(table["neighbourhood"].loc[row]), str(table["name"].loc[row])
        cells = [
            figure(
                Cell("neighbourhoods", (int(row),), column, float(table[column].loc[row])),
                unit,
                sign=column.startswith("change"),
            )
            for column in columns
        ]
        rows.append(Row(Markup("{}{}").format(name, below(ident if name != ident else "")), cells))
    several = len(results.later) > 1
    changes = [Markup("Change{}").format(below(run.label if several else "")) for run in results.later]
    note = Markup("{}: {}, {}. The greatest gain in {} first; every other measure is in {}.").format(
        view.name, words.kind_name(kind), results.slot_name(slot), last.label, code("neighbourhoods.csv")
    )
    listed = Table(
        "Table of neighbourhoods",
        ["Neighbourhood", *(run.label for run in results.runs), *changes],
        rows,
        style="fine",
        hidden_caption="Every neighbourhood with its figure in each run and the change against the first",
        tall=True,
    )
    return [Section("neighbourhoods", "Neighbourhoods", [Text(note, "note"), listed], short="Neighbourhoods")]


def _unknown(results: OverTime) -> Section:
    """How to read a change, and every setting with its value in each run; those that differ are marked."""
    left: list[Block] = [
        Heading("How to read a change"),
        Text(
            "Every figure is exact for its timetable: it says what was promised, not how buses ran. A change of settings is a "
            "change of method and not of the place; it is shown as a part of its own."
        ),
        Text(
            "A route is put back with its stops, times and days of before; a stop that both timetables have stays where it is "
            "now. Routes that share neither id nor name are another route."
        ),
    ]
    for run, ids in results.strangers.items():
        if ids:
            more = f" and {len(ids) - 20} more" if len(ids) > 20 else ""
            told = "<strong>Only in some runs:</strong> {} has {} neighbourhoods that not all runs have: {}{}."
            left.append(Text(Markup(told).format(run, len(ids), ", ".join(ids[:20]), more)))
    table = results.tables["inputs"]
    parts, rows = table[table["part"].isin(["setting", "program"])], []
    for name in dict.fromkeys(parts["name"]):
        mine = parts[parts["name"] == name].set_index("run")
        values = [cell_text(mine["content"].get(run.id, "")) for run in results.runs]
        differs = len(set(values)) > 1
        mark = " " + element("span", "differs", style="tag warning") if differs else ""
        heading = Markup("{}{}").format(words.setting_name(str(name)), mark)
        rows.append(Row(heading, [Td(value, "text") for value in values], "differs" if differs else ""))
    heads = ["Setting", *(run.label for run in results.runs)]
    right: list[Block] = [Heading("Settings"), Table("Settings of each run", heads, rows, style="fine left")]
    return Section("unknown", "What is not known", [columns(left, right)], short="What is not known")
