"""The overview of a batch: how many sites meet the standards, and a map and a table of all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import (
    Block,
    Drawn,
    Page,
    Row,
    Section,
    Table,
    Td,
    Text,
    Th,
    below,
    code,
    element,
    hidden,
)
from community_routes.report.frame import page_text
from community_routes.report.maps.geo import simple_zones
from community_routes.report.maps.layers import ON_PAPER, background_json, shapes_json
from community_routes.sites.page_words import Wording, captioned, credit_words, money
from community_routes.sites.read import meaning_of
from community_routes.sites.tables import JudgedSites, cost_text

_FIRST_ROWS = 100
_VERDICTS = (("pass", "meets all standards"), ("miss", "misses a standard"), ("failed", "could not be judged"))
Column = Mapping[str, str]
"""Heading ``name``, ``kind`` (``text``, ``number`` or ``mark``) and ``unit`` of a column of the table of sites."""


def overview_html(
    wording: Wording, paths: Mapping[int, str], notes: Sequence[str], background: Mapping[str, Any]
) -> str:
    """The overview as text; its table works without a script as far as it goes.

    Parameters
    ----------
    wording : Wording
    paths : mapping of int to str
        Where the page of a site lies, for the sites that have one.
    notes : sequence of str
        What must be said beside what it always says.
    background : mapping of layer name to GeoDataFrame
    """
    study, judged = wording.study, wording.judged
    columns, rows = _columns(wording), _rows(judged, paths)
    n = len(judged.failed)
    facts = [
        ("Sites", [words.count(n)]),
        ("Judged", [words.count(n - judged.failed.sum())]),
        ("Pages", [words.count(len(paths))]),
    ]
    facts += [(words.day_name(day), [words.date_text(date)]) for day, date in study.file.dates.items()]
    data = {
        "columns": columns,
        "rows": rows,
        "background": [
            *background_json(background, ON_PAPER),
            shapes_json(shapely.boundary(simple_zones(study.zones.table)), "#8b8f92", False, 0.8),
        ],
        "box": _box(judged),
    }
    files = (code("sites.csv"), code("sites.gpkg"), credit_words(study))
    page = Page(
        name="sites",
        title=f"{study.title}: development sites",
        heading=f"{study.title}: development sites",
        standfirst="Which sites are well connected on foot and by public transport, judged against the standards of the study.",
        facts=facts,
        sections=[
            _answer(wording),
            _map(),
            _all(columns, rows),
            *_proposals(wording),
            *_failed(judged),
            Section("notes", "Notes", [Text(note) for note in _notes(judged, notes)], short="Notes"),
        ],
        footer=[
            Markup("Made with community_routes {}. The exact figures are in {}, the map in {}.{}").format(
                judged.run["version"], *files
            )
        ],
        data=data,
        version=judged.run["version"],
        invented=study.is_invented,
    )
    return page_text(page)


def _answer(wording: Wording) -> Section:
    judged = wording.judged
    found: list[Block] = [Text(_verdict(judged), "sentence")]
    if judged.verdicts:
        found.append(_standards(judged, wording))
        source = judged.run["standards_source"]
        found += [Text(f"Standards: {source}", "note")] if source else []
    return Section("answer", "The answer", found, short="The answer")


def _map() -> Section:
    key = Markup("").join(
        element("li", element("span", style=f"dot {style}") + f" {text}") for style, text in _VERDICTS
    )
    stage = Markup(
        '<div id="map" class="sites-map" role="region" aria-label="Map of the sites; every site is in the table below" '
        'tabindex="0"></div>\n<p class="note" id="chosen" aria-live="polite">Choose a site on the map, or in the table with its '
        "button “Map”.</p>"
    )
    found = [Drawn(element("ul", key, style="map-key")), Drawn(stage)]
    return Section("on-map", "Map", found, short="Map", style="js-only")


def _all(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Section:
    """The table of sites with the choices of what it shows; the script shows the rest of a long one."""
    marks = Markup("").join(
        element("option", f"misses: {column['name']}", value=place)
        for place, column in enumerate(columns)
        if column["kind"] == "mark"
    )
    controls = Markup(
        '<form id="controls" class="controls js-only" aria-label="Which sites are shown">\n'
        '<label for="f-text">Find<input id="f-text" type="search" autocomplete="off" spellcheck="false"></label>\n'
        '<label for="f-verdict">Result<select id="f-verdict"><option value="">all sites</option><option value="0">meet all '
        'standards</option><option value="1">miss a standard</option><option value="2">could not be judged</option></select>'
        '</label>\n<label for="f-standard">Standard<select id="f-standard"><option value="">any</option>{}</select></label>\n'
        "</form>"
    ).format(marks)
    first = rows[:_FIRST_ROWS]
    more = Markup(", the first {} shown; all are in {}").format(len(first), code("sites.csv"))
    count = Markup('<p class="note" id="count" role="status">{} sites{}</p>').format(
        len(rows), more if len(rows) > len(first) else ""
    )
    heads = [
        Th(Markup("{}{}").format(column["name"], below(column["unit"])), "" if column["kind"] == "number" else "text")
        for column in columns
    ]
    table = Table(
        "Table of sites",
        [*heads, Th(hidden("Show on the map"), "js-only")],
        [_site_row(columns, row) for row in first],
        style="sortable sites-table",
        id="sites",
        hidden_caption="Every site with its result for each standard",
    )
    pager = Markup(
        '<div class="pager js-only" id="pager"><button type="button" id="p-back">Previous</button><span id="p-where"></span>'
        '<button type="button" id="p-on">Next</button></div>'
    )
    return Section("all", "All sites", [Drawn(controls), Drawn(count), table, Drawn(pager)], short="All sites")


def _site_row(columns: Sequence[Column], row: Sequence[Any]) -> Row:
    name, page = element("bdi", row[0]), row[len(columns)]
    cells = [_site_cell(column["kind"], cell) for column, cell in zip(columns[1:], row[1:], strict=False)]
    return Row(element("a", name, href=page) if page else name, [*cells, Td("", "js-only")])


def _site_cell(kind: str, cell: Any) -> str | Td:
    if kind == "number":
        return "" if cell is None else f"{cell:,g}"
    if kind == "text":
        return Td(element("bdi", cell), "text")
    if isinstance(cell, str):
        return Td(cell, "text")
    if cell is None:
        return Td(element("span", "✗ none", style="mark miss"), "text")
    sign = "+" if cell > 0 else words.MINUS if cell < 0 else ""
    told = f"{'✓' if cell >= 0 else '✗'} {sign}{abs(cell):g}"
    return Td(element("span", told, style=f"mark {'pass' if cell >= 0 else 'miss'}"), "text")


def _columns(wording: Wording) -> list[Column]:
    kinds = {"Site": "text", "Name": "text", "Homes": "number", "Neighbourhood": "text", "Result": "text"}
    columns: list[Column] = [{"name": name, "kind": kind, "unit": ""} for name, kind in kinds.items()]
    for verdict in wording.judged.verdicts:
        name, unit = wording.short(verdict.standard)
        columns.append({"name": name, "kind": "mark", "unit": unit})
    if wording.judged.remedies.proposals:
        columns.append({"name": "Cheapest proposal that brings all", "kind": "text", "unit": ""})
    return columns


def _proposals(wording: Wording) -> list[Section]:
    if not wording.judged.remedies.proposals:
        return []
    note = (
        "Tried on the sites that miss a standard. The cost is that of running them beyond today; where a proposal says no rates, "
        "or changes no route, it is not known and is never taken for nothing."
    )
    found: list[Block] = [_scenarios(wording), Text(note, "note")]
    return [Section("scenarios", "Proposals that would help", found, short="Proposals")]


def _failed(judged: JudgedSites) -> list[Section]:
    if not judged.faults:
        return []
    rows = [(f.id or "(no id)", str(f.line), meaning_of(f.reason), f.value) for f in judged.faults[:MOST_FAULTS]]
    table = captioned("Why, and the cure", ("Site", "Line", "What is wrong", "Given"), rows, (2, 3))
    return [Section("failed", "Sites that could not be judged", [table], short="Not judged")]


MOST_FAULTS = 500
"""Sites that could not be judged, in the overview; all are in ``failed.csv``."""


def _verdict(judged: JudgedSites) -> str:
    failed, misses = judged.failed, judged.misses(required=False)
    n = len(failed)
    n_judged, n_missed = int(n - failed.sum()), int(misses.sum())
    left = f" {words.count(failed.sum())} could not be judged." if failed.any() else ""
    if not judged.verdicts:
        return f"{words.count(n_judged)} sites have their figures; the study sets no standards.{left}"
    meet = "meets" if n_judged - n_missed == 1 else "meet"
    return (
        f"{words.count(n_judged - n_missed)} of {words.count(n_judged)} sites {meet} all standards, {words.count(n_missed)} "
        f"{'misses' if n_missed == 1 else 'miss'} at least one.{left}"
    )


def _standards(judged: JudgedSites, wording: Wording) -> Table:
    rows = []
    judged_rows = ~judged.failed
    for number, verdict in enumerate(judged.verdicts):
        missed = judged_rows & ~verdict.passed
        cells = [
            wording.asked(verdict.standard),
            words.count((judged_rows & verdict.passed).sum()),
            words.count(missed.sum()),
        ]
        if judged.remedies.proposals:
            cells.append(words.count((judged.remedies.meets[:, number].any(axis=0) & missed).sum()))
        rows.append(tuple(cells))
    heads = ("Standard", "Sites that meet it", "Sites that miss it")
    extra = ("of these, a proposal brings it to",) if judged.remedies.proposals else ()
    return captioned("The standards", (*heads, *extra), rows)


def _rows(judged: JudgedSites, paths: Mapping[int, str]) -> list[list[Any]]:
    """Cells, page, latitude, longitude and verdict of each site."""
    failed, misses = judged.failed, judged.misses(required=False)
    zone = judged.around.zone
    zone_names = [str(name or ident) for ident, name in judged.zones[["id", "name"]].to_numpy().tolist()]
    best = judged.remedies.cheapest(judged.remedies.mends)
    required = judged.misses(required=True)
    rows: list[list[Any]] = []
    for row, site in enumerate(judged.sites):
        lon, lat = site.point
        verdict = 2 if failed[row] else int(misses[row])
        homes = None if math.isnan(site.homes) else site.homes
        result = (
            "could not be judged"
            if failed[row]
            else "misses a standard"
            if misses[row]
            else "meets all"
            if judged.verdicts
            else "judged"
        )
        cells: list[Any] = [site.id, site.name, homes, zone_names[zone[row]] if zone[row] >= 0 else "", result]
        for v in judged.verdicts:
            margin = float(v.margin[row])
            cells.append("" if failed[row] else None if math.isnan(margin) else _tenth(margin))
        if judged.remedies.proposals:
            one = int(best[row])
            cells.append(
                "" if not required[row] else judged.remedies.proposals[one].title if one >= 0 else "none of those tried"
            )
        place = [None, None] if math.isnan(lon) else [round(lat, 6), round(lon, 6)]
        rows.append([*cells, paths.get(row, ""), *place, verdict])
    return rows


def _tenth(margin: float) -> float:
    """To a tenth, away from 0, so that a standard that is missed by little is still seen to be missed."""
    return math.copysign(math.ceil(abs(margin) * 10 - 1e-6) / 10, margin) if margin else 0.0


def _scenarios(wording: Wording) -> Table:
    remedies = wording.judged.remedies
    best = remedies.cheapest(remedies.mends)
    rows = [
        (
            one.title,
            money(one.cost, wording.study.currency),
            str(cost_text(one.bus_hours)) if math.isnan(one.bus_hours) else words.count(one.bus_hours),
            words.count(remedies.meets[row].any(axis=0).sum()),
            words.count(remedies.mends[row].sum()),
            words.count((best == row).sum()),
        )
        for row, one in enumerate(remedies.proposals)
    ]
    heads = (
        "Proposal",
        "Cost",
        "Bus-hours a year",
        "Brings a standard to",
        "Brings all that are required to",
        "and is the cheapest for",
    )
    return captioned("What each proposal takes beyond today, and for how many sites it helps", heads, rows, (1,))


def _box(judged: JudgedSites) -> list[list[float]]:
    """What the map opens with: the sites that were judged, or the borough where there are none."""
    points = np.array([site.point for site in judged.sites if site.fault is None], np.float64).reshape(-1, 2)
    west, south, east, north = judged.zones.total_bounds
    if len(points):
        (west, south), (east, north) = points.min(axis=0) - 0.003, points.max(axis=0) + 0.003
    return [[round(float(south), 5), round(float(west), 5)], [round(float(north), 5), round(float(east), 5)]]


def _notes(judged: JudgedSites, more: Sequence[str]) -> tuple[str, ...]:
    notes = [
        "A result is what the timetable promises on the days above. Times are medians over the departures of a window; a limit "
        "that is just met is met.",
        *more,
    ]
    if len(judged.faults) > MOST_FAULTS:
        notes.append(
            f"{words.count(len(judged.faults) - MOST_FAULTS)} more sites could not be judged; failed.csv has all."
        )
    return tuple(notes)
