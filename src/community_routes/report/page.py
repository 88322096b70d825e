"""One page for everybody: verdicts, maps, who gains, every neighbourhood, and what is not known, in one HTML file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from community_routes.base.errors import as_path
from community_routes.report import words
from community_routes.report.blocks import Page, Section, code
from community_routes.report.cells import publish
from community_routes.report.figures import Figures, figures_of
from community_routes.report.frame import credit_words, page_text
from community_routes.report.maps import leaflet, svg
from community_routes.report.pages.answer import answer
from community_routes.report.pages.connected import connected, spaces
from community_routes.report.pages.context import Report
from community_routes.report.pages.gains import gains
from community_routes.report.pages.journeys import journeys
from community_routes.report.pages.maps import maps
from community_routes.report.pages.money import money
from community_routes.report.pages.neighbourhoods import further_tables, neighbourhoods
from community_routes.report.pages.options import options
from community_routes.report.pages.proposals import proposals
from community_routes.report.pages.today import today
from community_routes.report.pages.unknown import sources, unknown
from community_routes.report.results import Results

SECTIONS: list[Callable[[Report], Section | None]] = [
    today,
    answer,
    options,
    maps,
    gains,
    journeys,
    proposals,
    neighbourhoods,
    spaces,
    connected,
    money,
    unknown,
    sources,
    further_tables,
]
"""The sections of the report in their order; one that has nothing to say gives None."""
APPENDIX = frozenset([neighbourhoods, spaces, connected, money, unknown, sources, further_tables])
"""What is looked up: each is closed until its heading is chosen."""
ON_SCREEN = frozenset([proposals, neighbourhoods, spaces, connected, money, further_tables])
"""What paper leaves to the page and the tables."""


def write_page(results: Results, path: str | Path, *, templates: str | Path | None = None) -> Path:
    """Write the report as one HTML file that needs nothing else.

    Parameters
    ----------
    results : Results
    path : path
        Of the file to write.
    templates : path, optional
        A folder whose files stand in for those of the same name in this package (``page.html``, ``page.css``,
        ``identity.html`` ...), or for a section (``answer.html``).

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
    report = Report(figures_of(results), on_paper)
    return page_text(report_page(report), templates=templates, results=results)


def report_page(report: Report) -> Page:
    """The report as sections of blocks."""
    results, figures = report.results, report.figures
    off = int(figures.off_network.sum())
    without = f", of which {off:,} without figures" if off else ""
    n_proposals = len(results.scenarios)
    return Page(
        name="report",
        title=f"{results.title}: reach of jobs and shared spaces",
        heading=results.title,
        standfirst=_standfirst(figures),
        facts=[
            *((words.day_name(day), [words.date_text(date)]) for day, date in results.dates.items()),
            ("Neighbourhoods", [f"{len(results.zones):,}{without}"]),
            ("Proposals", [str(n_proposals or "none")]),
        ],
        sections=_sections(report),
        footer=[_made_with(results, list(figures.tables)), *credit_words(results.sources)],
        symbols="" if report.on_paper else report.sheet.symbols + svg.HATCHES.format("h-"),
        data=None if report.on_paper else leaflet.map_content(figures, report.start),
        on_paper=report.on_paper,
        version=results.version,
        invented=results.invented,
    )


def _sections(report: Report) -> list[Section]:
    """All sections; those of the appendix closed on a screen, where they can be opened."""
    found = []
    for make in SECTIONS:
        section = None if report.on_paper and make in ON_SCREEN else make(report)
        if section is not None:
            found.append(replace(section, folded=not report.on_paper and make in APPENDIX))
    return found


def _standfirst(figures: Figures) -> str:
    kinds = " and ".join(words.kind_name(kind) for kind in figures.headline_kinds)
    n = len(figures.results.scenarios)
    would = f", and what would {'the proposal' if n == 1 else 'each proposal'} change" if n else ""
    return f"How well can each neighbourhood reach {kinds} on foot and by public transport{would}?"


def _made_with(results: Results, tables: Sequence[str]) -> Markup:
    told = "Made with community_routes {}. The figures are rounded for reading; the exact ones are in {} beside this page, the "
    files = Markup(", ").join(code(results.file_of(name)) for name in tables)
    return Markup(told + "layers in {}.").format(results.version, files, code("results.gpkg"))
