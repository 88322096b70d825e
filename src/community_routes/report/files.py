"""Everything that a run leaves behind, written into one folder."""

from __future__ import annotations

from pathlib import Path

from community_routes.errors import as_path
from community_routes.report.maps import write_maps
from community_routes.report.page import write_page
from community_routes.report.pdf import write_pdf
from community_routes.report.results import Results
from community_routes.report.tables import write_tables
from community_routes.report.workbook import write_workbook


def write_files(
    results: Results,
    folder: str | Path,
    *,
    maps: bool = True,
    workbook: bool = False,
    pdf: bool = False,
    templates: str | Path | None = None,
) -> list[Path]:
    """Write the page and the tables, and what else is asked for.

    Parameters
    ----------
    results : Results
    folder : path
        Made when it is not there.
    maps : bool
        ``maps/*.png`` and ``maps/*.svg``.
    workbook : bool
        ``tables.xlsx``; needs the extra ``xlsx``.
    pdf : bool
        ``report.pdf``; needs the extra ``pdf``.
    templates : path, optional
        A folder whose files stand in for the page's own.

    Returns
    -------
    list of Path
        All files written, the page first.

    Raises
    ------
    UsageError
        An extra is missing. Nothing has been written then but in the folder, which the caller makes whole or not at all.
    """
    place = as_path(folder)
    written = [write_page(results, place / "report.html", templates=templates), *write_tables(results, place)]
    written += write_maps(results, place) if maps else []
    written += [write_workbook(results, place / "tables.xlsx")] if workbook else []
    written += [write_pdf(results, place / "report.pdf", templates=templates)] if pdf else []
    return written
