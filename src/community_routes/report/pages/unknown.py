"""What is not known: how sure the figures are, notices, settings and sources."""

from __future__ import annotations

from markupsafe import Markup

from community_routes.report.blocks import (
    Block,
    Box,
    Heading,
    Items,
    Row,
    Section,
    Table,
    Td,
    Text,
    below,
    code,
    element,
)
from community_routes.report.cells import cell_text
from community_routes.report.figures import Figures
from community_routes.report.frame import settings_and_sources
from community_routes.report.pages.context import Report


def unknown(report: Report) -> Section:
    """How sure the figures are, and what was noticed."""
    results = report.results
    off = sorted(results.zones.loc[report.figures.off_network, "name"].astype(str))
    left: list[Block] = [Heading("How sure the figures are"), *_assumed(report)]
    left.append(
        Text(
            "Figures are averages over every departure of the window, walking to stops and between them included. Ranks of "
            "deprivation in England and Wales contain access to services themselves; the income domain does not."
        )
    )
    if off:
        told = (
            "<strong>{} neighbourhoods have no figures</strong> because they lie outside the streets of this study: {}."
        )
        left.append(Text(Markup(told).format(len(off), ", ".join(off))))
    if not report.on_paper:
        left += [Heading("Notices"), *notices(report.figures)]
    return Section("unknown", "What is not known", left, short="Not known")


def sources(report: Report) -> Section:
    """From which files the figures were worked out, whose they are, and with which settings."""
    found = settings_and_sources(report.results.settings, report.results.sources, hashes=not report.on_paper)
    return Section("sources", "Sources and settings", [Box(found, "source-list")], short="Sources")


def _assumed(report: Report) -> list[Block]:
    """Which proposals assume departure times, and whether these were drawn."""
    results, table = report.results, report.figures.tables["groups"]
    assumed = [scenario for scenario in results.scenarios if scenario.is_random]
    if not assumed:
        return [
            Text(
                "Nothing in this comparison is random: every change is exact for this timetable. It says what the timetable "
                "promises, not how buses run on a bad day."
            )
        ]
    drawn = {s.id for s in assumed if ((table["scenario"] == s.id) & table["low"].notna()).any()}
    items = []
    for scenario in assumed:
        what = f": {'; '.join(scenario.random)}" if scenario.random else ""
        none = "" if scenario.id in drawn else " No draws were made."
        items.append(Markup("{}{}.{}").format(report.title(scenario), what, none))
    because = Markup(
        "<strong>The departure times of some proposals are assumed</strong>, because nobody has written their timetable yet:"
    )
    found: list[Block] = [Text(because), Items(items, "plain")]
    if len(drawn) < len(assumed):
        undrawn = (
            "Without draws the changes hold for the departure times as assumed, {} and {} are empty in the tables, and nobody "
            "can say which of two proposals is better whatever their times."
        )
        found.append(Text(Markup(undrawn).format(code("low"), code("high"))))
    if drawn:
        found.append(
            Text(
                "The comparison was drawn many times over with other departure times. An interval holds 95 of 100 draws. Where "
                "it contains no change, the map is dotted and the words say so."
            )
        )
    if len(results.scenarios) > len(assumed):
        found.append(Text("The changes of the other proposals are exact for their timetables."))
    return [*found, Text("All of it says what timetables promise, not how buses run on a bad day.")]


def notices(figures: Figures) -> list[Block]:
    """One line per kind of notice: how many, and the first of them."""
    table, rows = figures.tables["notices"], []
    for (severity, name), part in table.groupby(["severity", "code"], sort=False):
        first = part.iloc[0]
        row = cell_text(first["row"])
        place = " ".join(part for part in (cell_text(first["file"]), f"row {row}" if row else "") if part)
        kind = Markup("{} {}").format(element("span", str(severity), style=f"tag {severity}"), code(str(name)))
        message = Markup("{} {}").format(str(first["message"]), below(place)) if place else str(first["message"])
        rows.append(Row(kind, [str(len(part)), Td(message, "text")]))
    if not rows:
        return [Text("None.")]
    all_of = Markup("All {} are in {}.").format(len(table), code("notices.csv"))
    return [Table("Notices", ["Kind", "How many", "First"], rows, style="fine left"), Text(all_of, "note")]
