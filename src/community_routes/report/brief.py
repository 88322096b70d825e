"""One A4 page to hand round: the verdict, each proposal in a row, and one map."""

from __future__ import annotations

from pathlib import Path

from community_routes.base.errors import as_path
from community_routes.report import words
from community_routes.report.blocks import Block, Box, Page, Section, Text
from community_routes.report.cells import publish
from community_routes.report.figures import figures_of
from community_routes.report.frame import credit_words, page_text
from community_routes.report.pages import answer
from community_routes.report.pages.context import Report
from community_routes.report.pages.maps import one_map
from community_routes.report.pages.today import sentences as today_sentences
from community_routes.report.results import TODAY, Results


def write_brief(results: Results, path: str | Path, *, templates: str | Path | None = None) -> Path:
    """Write the page as one HTML file that needs nothing else; printed it is one side of A4.

    Parameters
    ----------
    results : Results
    path : path
    templates : path, optional
        As for the report.
    """
    path = as_path(path)
    publish(path, brief_html(results, templates=templates).encode("utf-8"))
    return path


def brief_html(results: Results, *, templates: str | Path | None = None) -> str:
    """The page as text."""
    return page_text(brief_page(Report(figures_of(results), on_paper=True)), templates=templates, results=results)


def brief_page(report: Report) -> Page:
    """The verdict on the left, the map of the leading proposal on the right, all proposals below; today without any."""
    results, figures = report.results, report.figures
    said: list[Block] = [Text(sentence, "sentence small") for sentence in today_sentences(figures)]
    lead: list[Block] = []
    below: list[Block] = []
    shown = one_map(report, TODAY, *report.first)
    if results.scenarios:
        first, *more = answer.sentences(report)
        lead = [Text(first, "sentence verdict-lead")]
        said = [*(Text(sentence, "sentence small") for sentence in more), *said[:1]]
        best = answer.judged(figures)[0].scenario.id
        slot, kind = report.strongest[best]
        shown = one_map(report, best, slot, kind, change=True)
        below = [answer.table(report), *answer.notes(report)]
    blocks = [*lead, Box([Box(said), Box(shown, "today-map", "figure")], "today-body"), *below]
    dates = ", ".join(words.date_text(date) for date in results.dates.values())
    return Page(
        name="brief",
        title=f"{results.title}: the verdict on one page",
        heading=results.title,
        standfirst=f"What the proposals would change. Timetable of {dates}."
        if results.scenarios
        else f"Timetable of {dates}.",
        version=results.version,
        sections=[Section("answer", "The verdict" if results.scenarios else "How things stand today", blocks)],
        footer=["Every figure, and what is not known: report.html.", *credit_words(results.sources)],
        invented=results.invented,
        has_contents=False,
        on_paper=True,
    )
