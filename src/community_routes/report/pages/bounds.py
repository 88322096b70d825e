"""Step-free figures as two bounds: what is not known of trips and stops taken as accessible, and as not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from markupsafe import Markup

from community_routes.report import words
from community_routes.report.figures import Figures, Slot, View, figure, slot_name
from community_routes.report.pages.sections import days_of, lead_of
from community_routes.report.results import TODAY


def bounds(figures: Figures) -> dict[str, Any] | None:
    """The leading figures of today and of each proposal at best and at worst; None where they are not bounds."""
    results = figures.results
    if not results.mode:
        return None
    lead, view, others = lead_of(figures), figures.headline_view, None
    if results.worst is not None:
        others = Figures(results.worst)
    rows = []
    for kind in figures.headline_kinds if lead is not None and others is not None else ():
        assert lead is not None and others is not None
        for slot in figures.slots:
            pairs = [
                (
                    _cell(figures, scenario, slot, kind, view, lead),
                    _cell(others, scenario, slot, kind, view, lead, below=len(figures.tables["groups"])),
                )
                for scenario in (TODAY, *(scenario.id for scenario in results.scenarios))
            ]
            name = f"{words.sentence_case(words.kind_name(kind))}, {slot_name(slot, results.windows, days_of(figures))}"
            rows.append({"name": name, "unit": words.unit_name(figures.unit(kind, view)), "pairs": pairs})
    return {
        "known_only": results.mode.endswith("worst"),
        "heads": ["Today", *(scenario.title for scenario in results.scenarios)],
        "rows": rows,
    }


def _cell(
    figures: Figures, scenario: str, slot: Slot, kind: str, view: View, lead: tuple[str, str], *, below: int = 0
) -> Markup:
    cell = figures.group_cell("value", scenario, slot, kind, view, *lead)
    if cell is not None and below:
        cell = replace(cell, rows=tuple(row + below for row in cell.rows))
    return figure(cell, figures.unit(kind, view))
