"""The report as a PDF: pages, no address outside, the same bytes every time."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from community_routes.report.files.pdf import write_pdf
from community_routes.report.page import page_html
from report.made_results import made_results

pytest.importorskip("weasyprint", exc_type=Exception)


@pytest.mark.slow
def test_a_pdf_is_the_same_every_time_and_stamped_with_the_service_date(tmp_path: Path) -> None:
    first = write_pdf(made_results(25), tmp_path / "a.pdf").read_bytes()
    assert first == write_pdf(made_results(25), tmp_path / "b.pdf").read_bytes()
    assert first.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", first)) >= 1 or b"/ObjStm" in first


def test_on_paper_there_is_no_script_and_every_map_stands_for_itself() -> None:
    """Each drawing that refers to a symbol holds it."""
    html = page_html(made_results(25), on_paper=True)
    assert "<script" not in html
    maps = re.findall(r'<svg class="map".*?</svg>', html, flags=re.S)
    assert len(maps) == 2
    for drawn in maps:
        for name in re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', drawn):
            assert f'id="{name[0] or name[1]}"' in drawn
