"""One page for everybody: verdicts, maps, who gains, every neighbourhood, and what is not known, in one HTML file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup

from community_routes.base.errors import as_path
from community_routes.report import charts, words
from community_routes.report.cells import cell_text, exact_number, publish
from community_routes.report.figures import Cell, Figures, Slot, View, figure, plain_figure, slot_name
from community_routes.report.maps import leaflet as mapdata
from community_routes.report.maps import svg as drawing
from community_routes.report.maps.scale import Scale
from community_routes.report.pages import connected, money, sections
from community_routes.report.pages.bounds import bounds
from community_routes.report.pages.verdicts import (
    Verdict,
    assumed_times,
    counted,
    people_of,
    today_rows,
    unit_note,
    verdict,
    within,
)
from community_routes.report.results import TODAY, Results, ScenarioSummary

_OSM_CREDIT = "© OpenStreetMap contributors"


def write_page(results: Results, path: str | Path, *, templates: str | Path | None = None) -> Path:
    """Write the report as one HTML file that needs nothing else.

    Parameters
    ----------
    results : Results
    path : path
        Of the file to write.
    templates : path, optional
        A folder whose files stand in for those of the same name in this package (``page.html``, ``page.css``,
        ``words.html`` ...).

    Returns
    -------
    Path
        The file written.
    """
    path = as_path(path)
    publish(path, page_html(results, templates=templates).encode("utf-8"))
    return path


def page_html(results: Results, *, templates: str | Path | None = None, on_paper: bool = False) -> str:
    """The page as text; see `write_page`. On paper it has no script, and every drawing stands for itself."""
    figures = Figures(results)
    environment = page_environment(templates)
    return environment.get_template("page.html").render(_content(figures, environment, on_paper))


def page_environment(templates: str | Path | None) -> jinja2.Environment:
    """Where the templates are read from: a folder of the council's own before ours."""
    loaders: list[jinja2.BaseLoader] = [jinja2.PackageLoader("community_routes.report", "templates")]
    if templates is not None:
        loaders.insert(0, jinja2.FileSystemLoader(str(templates)))
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def template_source(environment: jinja2.Environment, name: str) -> Markup:
    """A file of the template folder as it stands: ours or the council's own, never data."""
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, name)[0])


@cache
def leaflet(name: str) -> str:
    """``leaflet.js`` or ``leaflet.css`` of the installed package, without references to further files."""
    from xstatic.pkg import leaflet as package

    text = (Path(package.BASE_DIR) / name).read_text(encoding="utf-8")
    text = re.sub(r"//# sourceMappingURL=\S+", "", text)
    return re.sub(r"url\((?!#)[^)]*\)", "none", text) if name.endswith(".css") else text


def _content(figures: Figures, environment: jinja2.Environment, on_paper: bool) -> dict[str, Any]:
    results = figures.results
    sheet = drawing.sheet_of(results)
    verdicts = [verdict(figures, scenario) for scenario in results.scenarios]
    days = list(dict.fromkeys(slot.day for slot in figures.slots))
    off = results.zones["reason"].astype(str) == "off_network"
    return {
        "results": results,
        "on_paper": on_paper,
        "people": people_of(results),
        "dates": [(words.day_name(day), words.date_text(date)) for day, date in results.dates.items()],
        "verdicts": verdicts,
        "bounds": bounds(figures),
        "today": today_rows(figures),
        "today_by_income": today_rows(figures, "local_income"),
        "headline_kinds": [(kind, words.kind_name(kind), unit_note(figures, kind)) for kind in figures.headline_kinds],
        "view": figures.headline_view,
        "view_text": within(figures.headline_view),
        "symbols": sheet.symbols,
        "static_maps": [static_maps(figures, sheet, item) for item in verdicts] or [today_map(figures, sheet)],
        "gains": [gains(figures, scenario) for scenario in results.scenarios],
        "options": sections.options(figures),
        "wards": [sections.wards(figures, v.scenario, v.slot, v.kind) for v in verdicts],
        "deprivation_column": deprivation_column(results),
        "has_groups": bool((results.zones["group"].fillna("").astype(str) != "").any()),
        "spaces": sections.spaces(figures),
        "meeting": sections.meeting(figures, _table_slot(figures, verdicts)[0]),
        "money": money.money(figures, sections.lead_of(figures)),
        "cut_off": connected.cut_off(figures),
        "connected": connected.connected(figures),
        "journeys": sections.journey_pairs(figures),
        "extras": sections.extra_tables(figures),
        "lead_name": "the most deprived fifth" if figures.fifths() else f"all {people_of(results)}",
        "neighbourhoods": neighbourhood_rows(figures, verdicts),
        "table_slot": slot_name(_table_slot(figures, verdicts)[0], results.windows, days),
        "table_kind": words.kind_name(_table_slot(figures, verdicts)[1]),
        "off_network": sorted(results.zones.loc[off, "name"].astype(str)),
        "notices": notice_rows(figures),
        "n_notices": len(results.notices),
        "sources": results.sources.fillna("").astype(str).to_dict("records"),
        "credits": credits(results),
        "assumed": assumed_times(figures),
        "data": "" if on_paper else mapdata.script_json(mapdata.map_content(figures, _table_slot(figures, verdicts))),
        "leaflet_js": Markup(leaflet("leaflet.js").replace("</", "<\\/")),
        "leaflet_css": Markup(leaflet("leaflet.css")),
        "css": template_source(environment, "page.css") + template_source(environment, "brand.css"),
        "js": template_source(environment, "page.js"),
        "tables": list(figures.tables),
        "hatches": drawing.HATCHES.format("h-"),
        "with_symbols": drawing.with_symbols,
        "new_route": drawing.NEW_ROUTE,
        "setting_rows": [(words.setting_name(str(k)), _setting(v)) for k, v in results.settings.items()],
    }


def _setting(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{words.plain(str(key))} {_setting(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_setting, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return exact_number(value) if isinstance(value, float) else str(value)


def credits(results: Results) -> list[str]:
    """Who made the data, once each; OpenStreetMap first where it was used."""
    found = list(dict.fromkeys(str(credit) for credit in results.sources["credit"].fillna("") if str(credit)))
    return sorted(found, key=lambda text: (_OSM_CREDIT not in text, found.index(text)))


def _off(figures: Figures) -> Any:
    return (figures.results.zones["reason"].astype(str) == "off_network").to_numpy()


def today_map(figures: Figures, sheet: drawing.Sheet) -> dict[str, Any]:
    """The one map of a study without proposals."""
    return _maps(figures, sheet, None, figures.slots[0], figures.headline_kinds[0])


def static_maps(figures: Figures, sheet: drawing.Sheet, item: Verdict) -> dict[str, Any]:
    """Today, with the proposal and the change, where the proposal changes most."""
    return _maps(figures, sheet, item.scenario, item.slot, item.kind)


def _maps(
    figures: Figures, sheet: drawing.Sheet, scenario: ScenarioSummary | None, slot: Slot, kind: str
) -> dict[str, Any]:
    view = figures.headline_view
    results = figures.results
    days = list(dict.fromkeys(s.day for s in figures.slots))
    pair = mapdata.scales(figures, kind, view)
    title = f"{words.sentence_case(words.kind_name(kind))} reached {within(view)}".strip()
    place = slot_name(slot, results.windows, days)
    maps: list[dict[str, Any]] = []
    if pair is not None:
        wanted: list[tuple[str, str, str, str, Scale]] = [("Today", "access", "value", TODAY, pair[0])]
        if scenario is not None:
            wanted.append(("With the proposal", "access", "value", scenario.id, pair[0]))
            wanted.append(("Change", "comparison", "change", scenario.id, pair[1]))
        for name, table, column, which, scale in wanted:
            values = figures.zone_values(table, column, which, slot, kind, view)
            if values is None:
                continue
            unsure = figures.is_unsure(which, slot, kind, view) if table == "comparison" else None
            spoken = f"Map: {title}, {place}. {name}. {_spread(values)}"
            svg = drawing.static_map(
                sheet, values, scale, title=spoken, off=_off(figures), scenario=which, unsure=unsure
            )
            maps.append({"name": name, "svg": svg, "scale": scale, "unsure": unsure is not None and bool(unsure.any())})
    return {
        "title": title,
        "proposal": scenario.title if scenario is not None else "",
        "slot": place,
        "unit": words.unit_name(figures.unit(kind, view)),
        "maps": maps,
    }


def _spread(values: Any) -> str:
    there = values[np.isfinite(values)]
    if not len(there):
        return "No neighbourhood has a figure."
    return f"From {words.number(float(there.min()))} to {words.number(float(there.max()))}."


def gains(figures: Figures, scenario: ScenarioSummary) -> dict[str, Any]:
    """Charts of the change by deprivation fifth for every headline kind and time of day, with their tables."""
    view, fifths = figures.headline_view, figures.fifths()
    days = list(dict.fromkeys(s.day for s in figures.slots))
    kinds = []
    for kind in figures.headline_kinds:
        panels = []
        for slot in figures.slots:
            cells = [_group_line(figures, scenario.id, slot, kind, view, "local", fifth) for fifth in fifths]
            panels.append((slot, cells))
        bars = [line["bar"] for _, lines in panels for line in lines]
        span = charts.span_of(bars)
        charts_made = []
        unchanged = []
        for slot, lines in panels:
            name = slot_name(slot, figures.results.windows, days)
            if all(line["bar"].value == 0 and line["bar"].low == line["bar"].high for line in lines):
                unchanged.append(name)
                continue
            title = f"Change in {counted(figures.unit(kind, view), kind)} {within(view)}, {name}"
            charts_made.append(
                {
                    "name": name,
                    "svg": charts.change_bars([line["bar"] for line in lines], title=title, span=span),
                    "lines": lines,
                }
            )
        kinds.append({"name": counted(figures.unit(kind, view), kind), "charts": charts_made, "unchanged": unchanged})
    windows = max(sum(slot.day == day for slot in figures.slots) for day in days)
    return {"scenario": scenario, "kinds": kinds if fifths else [], "columns": min(windows, 3)}


def _group_line(
    figures: Figures, scenario: str, slot: Slot, kind: str, view: View, grouping: str, group: str
) -> dict[str, Any]:
    """One group: its bar, and its line of the table behind the chart."""
    unit = figures.unit(kind, view)

    def cell(column: str) -> Cell | None:
        return figures.group_cell(column, scenario, slot, kind, view, grouping, group)

    change, low, high = cell("change"), cell("low"), cell("high")
    persons, covered = cell("persons"), cell("persons_covered")
    share = covered.value / persons.value if persons and covered and persons.value > 0 else float("nan")
    label = words.group_name(grouping, group)
    nothing = float("nan")
    note = f"{words.percent(share)} of them covered" if share < 0.8 else ""
    bar = charts.Bar(
        label=label + (" *" if note else ""),
        value=words.in_unit(change.value, unit) if change else nothing,
        text=plain_figure(change, unit, sign=True),
        source=change.source if change else "",
        low=words.in_unit(low.value, unit) if low else nothing,
        high=words.in_unit(high.value, unit) if high else nothing,
        good=not view.low_is_good,
        note=note,
    )
    return {
        "label": label,
        "bar": bar,
        "low_cover": note,
        "cells": [
            figure(persons, whole=True),
            figure(covered, whole=True),
            figure(cell("baseline"), unit),
            figure(cell("value"), unit),
            figure(change, unit, sign=True),
            figure(low, unit, sign=True),
            figure(high, unit, sign=True),
            figure(cell("persons_better"), whole=True),
            figure(cell("persons_worse"), whole=True),
            figure(cell("persons_same"), whole=True),
        ],
    }


def _table_slot(figures: Figures, verdicts: list[Verdict]) -> tuple[Slot, str]:
    """Time of day and kind of the table of neighbourhoods: those of the first verdict."""
    return (verdicts[0].slot, verdicts[0].kind) if verdicts else (figures.slots[0], figures.headline_kinds[0])


def neighbourhood_rows(figures: Figures, verdicts: list[Verdict]) -> list[dict[str, Any]]:
    """Every neighbourhood, most deprived first: its figure today and the change of each proposal."""
    view = figures.headline_view
    slot, kind = _table_slot(figures, verdicts)
    unit = figures.unit(kind, view)
    zones = figures.results.zones
    given = deprivation_column(figures.results)
    order = np.argsort(pd.to_numeric(zones["deprivation_rank"], errors="coerce").fillna(np.inf), kind="stable")
    rows = []
    for i in order:
        zone = zones.iloc[int(i)]
        today = figures.zone_cell("access", "value", TODAY, slot, kind, view, int(i))
        rows.append(
            {
                "index": int(i),
                "name": str(zone["name"]),
                "id": str(zone["id"]),
                "group": "" if pd.isna(zone["group"]) else str(zone["group"]),
                "persons": "" if pd.isna(zone["population"]) else words.count(float(zone["population"])),
                "deprivation": _whole(zone[given]) if given else "",
                "reason": words.REASONS.get(str(zone["reason"]), str(zone["reason"])),
                "today": figure(today, unit),
                "changes": [
                    figure(figures.zone_cell("comparison", "change", s.id, slot, kind, view, int(i)), unit, sign=True)
                    for s in figures.results.scenarios
                ],
            }
        )
    return rows


def deprivation_column(results: Results) -> str:
    """What the table of neighbourhoods says of deprivation: the decile, else the rank, "" where neither is given."""
    given = ("deprivation_decile", "deprivation_rank")
    return next((column for column in given if results.zones[column].notna().any()), "")


def _whole(value: Any) -> str:
    return "" if pd.isna(value) else words.count(float(value))


def notice_rows(figures: Figures) -> list[dict[str, Any]]:
    """One line per kind of notice: how many, and the first of them."""
    table = figures.tables["notices"]
    rows = []
    for (severity, code), part in table.groupby(["severity", "code"], sort=False):
        first = part.iloc[0]
        row = cell_text(first["row"])
        place = " ".join(part for part in (cell_text(first["file"]), f"row {row}" if row else "") if part)
        rows.append(
            {
                "severity": str(severity),
                "code": str(code),
                "count": len(part),
                "place": place,
                "message": str(first["message"]),
            }
        )
    return rows
