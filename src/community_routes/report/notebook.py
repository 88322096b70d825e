"""What a notebook shows of results: a small table and a small map, as HTML without a script."""

from __future__ import annotations

import zlib
from functools import singledispatch

from markupsafe import Markup

from community_routes.report import words
from community_routes.report.figures import Figures, figure, strongest
from community_routes.report.maps import svg
from community_routes.report.maps.description import map_view
from community_routes.report.results import TODAY, Results

_CELL = Markup('<td style="text-align:right">{}</td>')
_HEAD = Markup('<th style="text-align:{}">{}</th>')


@singledispatch
def notebook_html(value: object) -> str:
    """What a notebook shows of a value; rooms further on register how their own are shown."""
    return str(Markup("<pre>{}</pre>").format(repr(value)))


def table_html(results: Results) -> str:
    """The leading figures as an HTML table: by time of day and kind, today and the change of each proposal.

    Parameters
    ----------
    results : Results

    Returns
    -------
    str
        Every name from data is escaped.
    """
    figures = Figures(results)
    view = figures.headline_view
    if figures.lead is None:
        return str(Markup("<p><strong>{}</strong>: no groups of people to compare.</p>").format(results.title))
    heads = [_HEAD.format("left", "When"), _HEAD.format("left", "What"), _HEAD.format("right", "Today")]
    heads += [_HEAD.format("right", scenario.title) for scenario in results.scenarios]
    rows = []
    for kind in figures.headline_kinds:
        unit = figures.unit(kind, view)
        name = f"{words.kind_name(kind)} ({words.unit_name(unit)})" if unit else words.kind_name(kind)
        for slot in figures.slots:
            cells = [_HEAD.format("left", figures.when(slot)), _HEAD.format("left", name)]
            cells.append(_CELL.format(figure(figures.lead_cell("value", TODAY, slot, kind), unit)))
            for scenario in results.scenarios:
                change = figures.lead_cell("change", scenario.id, slot, kind)
                cells.append(_CELL.format(figure(change, unit, sign=True)))
            rows.append(Markup("<tr>{}</tr>").format(Markup("").join(cells)))
    who = "most deprived fifth" if figures.fifths() else "everybody"
    invented = " (invented data)" if results.invented else ""
    return str(
        Markup(
            "<div><p><strong>{}</strong>{}: {}, {}, today and the change of each proposal</p>"
            "<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
        ).format(
            results.title,
            invented,
            who,
            f"{view.name[:1].lower()}{view.name[1:]}",
            Markup("").join(heads),
            Markup("").join(rows),
        )
    )


def map_html(results: Results, *, scenario: str | None = None, change: bool | None = None, width: int = 720) -> str:
    """One map as inline SVG: the change of the first proposal, or what is asked for.

    Parameters
    ----------
    results : Results
    scenario : str, optional
        ``today`` or the id of a proposal; the first proposal when left out, else today.
    change : bool, optional
        The change from today instead of the level; by default for proposals.
    width : int
        In pixels.
    """
    figures = Figures(results)
    chosen = scenario or next((s.id for s in results.scenarios), TODAY)
    is_change = chosen != TODAY if change is None else change
    lead = next((s.id for s in results.scenarios), TODAY) if chosen == TODAY else chosen
    slot, kind = strongest(figures, lead) if lead != TODAY else (figures.slots[0], figures.headline_kinds[0])
    view = map_view(figures, chosen, slot, kind, change=is_change)
    if view is None:
        return str(Markup("<p>There is no map of {} for {}.</p>").format(kind, chosen))
    # Several maps of one notebook stand on one page: ids differ by what they show.
    mark = zlib.crc32(f"{results.study_id}|{chosen}|{is_change}".encode())
    sheet = svg.sheet_of(results, prefix=f"n{mark}-")
    whose = f": {view.whose}" if view.whose else ""
    title = f"{view.title.replace(': ', ', ', 1)}. {view.name}{whose}. {view.when}"
    drawn = svg.with_symbols(svg.static_map(sheet, view, title=title), sheet.symbols)
    swatch = Markup(
        '<span style="white-space:nowrap;margin-right:12px"><span style="display:inline-block;width:18px;height:11px;'
        'background:{};border:1px solid #0003"></span> {}</span>'
    )
    legend = Markup(" ").join(
        swatch.format(c, label) for c, label in zip(view.scale.colors, view.scale.labels, strict=True)
    )
    return str(
        Markup('<div style="max-width:{}px"><p>{}</p>{}<p style="font-size:90%">{}</p></div>').format(
            int(width), title, drawn, legend
        )
    )
