"""The report as a PDF for those who want paper: the same page in its print style."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from pathlib import Path

from community_routes.base.errors import UsageError, as_path
from community_routes.report.cells import publish
from community_routes.report.page import page_html
from community_routes.report.results import Results


def write_pdf(results: Results, path: str | Path, *, templates: str | Path | None = None) -> Path:
    """Write the report as a PDF of A4 pages, with static maps in place of the interactive one.

    Parameters
    ----------
    results : Results
    path : path
    templates : path, optional
        As for `write_page`.

    Raises
    ------
    UsageError
        The extra ``pdf`` is not installed, or a library that it needs is missing on this machine.
    """
    return write_paper(page_html(results, templates=templates, on_paper=True), results.stamp, path)


def write_paper(html: str, stamp: dt.date, path: str | Path) -> Path:
    """Write a page as a PDF that is stamped with a date.

    Raises
    ------
    UsageError
        As for `write_pdf`.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise UsageError(
            f"a PDF needs weasyprint and its libraries ({error}); install it with `pip install community-routes[pdf]`, "
            "or print report.html from a browser"
        ) from None
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str((stamp.toordinal() - 719_163) * 86_400)
    try:
        content = HTML(string=html, url_fetcher=_nothing_from_outside).write_pdf(
            pdf_identifier=hashlib.sha256(html.encode("utf-8")).digest()[:16], pdf_tags=True
        )
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
    path = as_path(path)
    publish(path, content)
    return path


def _nothing_from_outside(url: str, *args: object, **options: object) -> dict[str, object]:
    """Refuse every address: the page holds all that it needs, and names in it must not load anything."""
    raise ValueError(f"the report asks for {url}, which it must not")
