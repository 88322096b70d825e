"""The workbook: a sheet per table, exact numbers, no formula from data, the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from community_routes.report.files.workbook import write_workbook
from community_routes.report.results import Results
from report.made_results import made_results

openpyxl = pytest.importorskip("openpyxl")


def small(**changes: Any) -> Results:
    """Two tables of a few rows, so that writing takes no time."""
    results = made_results(25, proposals=0)
    fewer = {
        "access": results.access.head(40),
        "groups": results.groups.head(20),
        "nearest_places": results.nearest_places[:0],
    }
    return made_results(25, proposals=0, **{**fewer, **changes})


def test_every_table_has_its_sheet_and_its_numbers(tmp_path: Path) -> None:
    results = small()
    book = openpyxl.load_workbook(write_workbook(results, tmp_path / "t.xlsx"))
    assert book.sheetnames == [
        "summary",
        "settings",
        "access",
        "comparison",
        "groups",
        "notices",
        "journeys",
        "sources",
    ]
    rows = list(book["access"].values)
    values = [row[rows[0].index("value")] for row in rows[1:]]
    wanted = results.access["value"].tolist()
    assert sorted(v for v in values if v is not None) == pytest.approx(sorted(v for v in wanted if v == v), rel=1e-15)
    assert len(rows) == 41


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """Names that begin as formulas do come back as text behind an apostrophe; no cell has the type of a formula."""
    access = small().access.assign(name="=cmd()|' /C calc'!A0", reason="+1", unit="@x")
    path = write_workbook(small(access=access, title="=1+1\x07"), tmp_path / "t.xlsx")
    book = openpyxl.load_workbook(path)
    for sheet in book:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
    names = {row[4] for row in book["access"].iter_rows(min_row=2, values_only=True)}
    assert names == {"'=cmd()|' /C calc'!A0"}


def test_the_workbook_is_the_same_every_time(tmp_path: Path) -> None:
    first = write_workbook(small(), tmp_path / "a.xlsx").read_bytes()
    assert first == write_workbook(small(), tmp_path / "b.xlsx").read_bytes()
    properties = openpyxl.load_workbook(tmp_path / "a.xlsx").properties
    assert properties.modified.isoformat() == "2024-03-05T00:00:00"
    assert properties.created == properties.modified


def test_missing_numbers_are_empty_cells(tmp_path: Path) -> None:
    access = small().access.assign(value=float("nan"), cutoff_min=pd.array([None] * 40, dtype="Int64"))
    book = openpyxl.load_workbook(write_workbook(small(access=access), tmp_path / "t.xlsx"))
    rows = list(book["access"].values)
    assert {row[rows[0].index("value")] for row in rows[1:]} == {None}
