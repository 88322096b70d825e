"""The maps of the report: one that answers, and one of today, of each proposal and of its change for those without a script."""

from __future__ import annotations

from markupsafe import Markup

from community_routes.report import words
from community_routes.report.blocks import Block, Box, Drawn, Section, Text, element
from community_routes.report.figures import Slot
from community_routes.report.maps import svg
from community_routes.report.maps.description import MapView, map_view
from community_routes.report.pages.context import Report
from community_routes.report.results import TODAY, ScenarioSummary

_MODES = (("today", "Today"), ("with", "Proposal"), ("change", "Change"))
_PICKS = (("scenario", "Proposal"), ("kind", "Places"), ("day", "Day"), ("window", "Time of day"), ("view", "Measure"))


def maps(report: Report) -> Section:
    """The interactive map, and the same as pictures."""
    results, off = report.results, int(report.figures.off_network.sum())
    found: list[Block] = [] if report.on_paper else [Drawn(_explorer(bool(results.scenarios)))]
    sheets = [_sheet(report, scenario, *report.strongest[scenario.id]) for scenario in results.scenarios]
    found.append(Box(sheets or [_sheet(report, None, *report.start)], "static-maps"))
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
        '<label>Neighbourhood <select id="s-zone"><option value="">none chosen</option></select></label>\n</form>\n'
        '<div class="stage">\n'
        '<div id="map" role="application" '
        'aria-label="Map of neighbourhoods; the same figures are in the table of neighbourhoods"></div>\n'
        '<div class="side" tabindex="0" role="region" aria-label="Legend and figures">'
        '<div id="legend" class="legend"></div><div id="card" class="card" aria-live="polite"></div></div>\n</div>\n'
        '<p id="map-title" class="map-title" aria-live="polite"></p>\n</div>'
    ).format("" if has_proposals else Markup(" hidden"), radios, selects)


def _sheet(report: Report, scenario: ScenarioSummary | None, slot: Slot, kind: str) -> Block:
    """Today, with the proposal and the change, at one time of day."""
    figures = report.figures
    title = f"{words.sentence_case(words.kind_name(kind))} reached {figures.headline_view.within}".strip()
    unit = words.unit_name(figures.unit(kind, figures.headline_view))
    caption = Markup("<figcaption><strong>{}</strong>{}, {}{}</figcaption>").format(
        title,
        f" ({unit})" if unit else "",
        figures.when(slot),
        f". Proposal: {scenario.title}" if scenario is not None else "",
    )
    wanted = [(TODAY, False), *([] if scenario is None else [(scenario.id, False), (scenario.id, True)])]
    views = [map_view(figures, which, slot, kind, change=change) for which, change in wanted]
    triple = Box([_one(report, view, title) for view in views if view is not None], "triple")
    return Box([Drawn(caption), triple], "sheet", "figure")


def _one(report: Report, view: MapView, title: str) -> Box:
    """One map with its legend."""
    drawing = svg.static_map(report.sheet, view, title=f"Map: {title}, {view.when}. {view.name}. {view.spread}")
    if report.on_paper:
        drawing = svg.with_symbols(drawing, report.sheet.symbols)
    boxes = [
        Markup('<span class="swatch" style="background:{}"></span>{}').format(color, label)
        for color, label in zip(view.scale.colors, view.scale.labels, strict=True)
    ]
    for mark in view.marks:
        boxes.append(_swatch(mark.pattern, mark.color, on_paper=report.on_paper) + mark.label)
    items = Markup("").join(element("li", box) for box in boxes)
    return Box([Text(view.name, "map-name"), Drawn(drawing), Drawn(element("ul", items, style="legend-row"))], "one")


def _swatch(pattern: str, color: str, *, on_paper: bool) -> Markup:
    """What stands before the words of a mark: a hatching, or a line."""
    if not pattern:
        return Markup('<span class="swatch line" style="background:{}"></span>').format(color)
    shapes = Markup("<defs>{}</defs>").format(svg.HATCHES.format("h-")) if on_paper else Markup("")
    return Markup(
        '<svg class="swatch" viewBox="0 0 24 15" aria-hidden="true">{}<rect width="24" height="15" fill="url(#h-{})"/></svg>'
    ).format(shapes, pattern)
