"""The maps of the report: one that answers, and one of each change for those without a script."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Block, Box, Drawn, Section, Text, below, element
from community_routes.report.lead import Slot
from community_routes.report.maps import svg
from community_routes.report.maps.description import MapView, Mark, map_view
from community_routes.report.pages.context import Report, counted

_MODES = (("today", "Today"), ("with", "Proposal"), ("change", "Change"))
_PICKS = (("scenario", "Proposal"), ("kind", "Places"), ("day", "Day"), ("window", "Time of day"), ("view", "Measure"))


def maps(report: Report) -> Section:
    """The interactive map, and the change of each proposal as a picture for those without a script, and for paper."""
    results, off = report.results, int(report.figures.off_network.sum())
    found: list[Block] = [] if report.on_paper else [Drawn(_explorer(bool(results.scenarios)))]
    sheets = []
    for scenario in results.scenarios:
        slot, kind = report.strongest[scenario.id]
        sheets.append(Box(one_map(report, scenario.id, slot, kind, change=True), "one", "figure"))
    found.append(Box([Box(sheets, "triple")], "static-maps"))
    if off:
        note = (
            f"{off:,} of {len(results.zones):,} neighbourhoods are hatched: they lie outside the streets of this study, so "
            "nothing could be worked out for them. They are not zero."
        )
        found.append(Text(note, "note"))
    return Section("maps", "Maps", found, short="Maps")


def _explorer(has_proposals: bool) -> Markup:
    """What the script fills: choices, map, legend, and the card of a neighbourhood."""
    modes = _MODES if has_proposals else _MODES[:1]
    radios = Markup("").join(
        Markup('<label><input type="radio" name="mode" value="{}"{}><span>{}</span></label>').format(
            mode, Markup(" checked") if mode == modes[-1][0] else "", name
        )
        for mode, name in modes
    )
    selects = Markup("").join(
        Markup('<label>{} <select id="s-{}"></select></label>').format(name, pick)
        for pick, name in (_PICKS if has_proposals else _PICKS[1:])
    )
    return Markup(
        '<div class="explorer js-only" id="explorer">\n'
        '<form class="controls" id="controls" aria-label="What the map shows">\n'
        '<fieldset class="segments"{}><legend>Show</legend>{}</fieldset>\n{}'
        '<label>Neighbourhood <select id="s-zone"><option value="">none chosen</option></select></label>\n'
        '<label>Place, stop or postcode <input id="s-find" type="search" list="places-known" autocomplete="off"></label>'
        '<datalist id="places-known"></datalist>\n</form>\n'
        '<div class="stage">\n'
        '<div id="map" role="application" '
        'aria-label="Map of neighbourhoods; the same figures are in the table of neighbourhoods"></div>\n'
        '<div class="side" tabindex="0" role="region" aria-label="Legend and figures">'
        '<div id="legend" class="legend"></div><div id="card" class="card" aria-live="polite"></div></div>\n</div>\n'
        '<p class="map-foot"><span id="map-title" class="map-title" aria-live="polite"></span> '
        '<button type="button" id="copy-link" class="link-button">Copy a link to this map</button> '
        '<span id="found" role="status"></span></p>\n</div>'
    ).format("" if has_proposals else Markup(" hidden"), radios, selects)


def one_map(report: Report, scenario: str, slot: Slot, kind: str, *, change: bool = False) -> list[Block]:
    """A map with its title above and its legend below; nothing where nothing was measured."""
    view = map_view(report.figures, scenario, slot, kind, change=change)
    if view is None:
        return []
    within = report.figures.headline_view.within
    name = report.title_of(scenario) if change else "Today"
    what = f"{words.sentence_case(counted(report.figures.unit(kind, report.figures.headline_view), kind))} {within}. {view.when}."
    caption = element("figcaption", Markup("<strong>{}</strong> {}").format(name, below(what)))
    drawing = svg.static_map(report.sheet, view, title=f"Map: {what} {view.name}. {view.spread}")
    if report.on_paper:
        drawing = svg.with_symbols(drawing, report.sheet.symbols)
    return [Drawn(caption), Drawn(drawing), legend_row(view, change=change, on_paper=report.on_paper)]


def legend_row(view: MapView, *, change: bool, on_paper: bool = False) -> Drawn:
    """The classes and marks of a map in a row; of a change only the classes that are there."""
    there = view.values[np.isfinite(view.values) & ~view.hatched]
    used = {view.scale.color(value) for value in there.tolist()} if change else set(view.scale.colors)
    boxes = [
        Markup('<span class="swatch" style="background:{}"></span>{}').format(color, label)
        for color, label in zip(view.scale.colors, view.scale.labels, strict=True)
        if color in used
    ]
    for mark in view.marks:
        boxes.append(_swatch(mark, on_paper=on_paper) + mark.label)
    items = Markup("").join(element("li", box) for box in boxes)
    return Drawn(element("ul", items, style="legend-row"))


def _swatch(mark: Mark, *, on_paper: bool) -> Markup:
    """What stands before the words of a mark: a hatching, or a line."""
    if not mark.pattern:
        style = "swatch line dashed" if mark.dashed else "swatch line"
        return Markup('<span class="{}" style="{}:{}"></span>').format(
            style, "border-color" if mark.dashed else "background", mark.color
        )
    shapes = Markup("<defs>{}</defs>").format(svg.HATCHES.format("h-")) if on_paper else Markup("")
    return Markup(
        '<svg class="swatch" viewBox="0 0 24 15" aria-hidden="true">{}<rect width="24" height="15" fill="url(#h-{})"/></svg>'
    ).format(shapes, mark.pattern)
