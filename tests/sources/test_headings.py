"""Titles above a table and notes below it are said once, with the line of the heading; a plain table is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from community_routes.base.errors import FeedError, StudyError
from community_routes.base.notices import Notice
from community_routes.sites.read import read_sites
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.places.table import Table, read_table
from community_routes.travel.matrix import read_places
from feed_zip import GOOD, feed_zip

TITLES = (
    '"TS007 - Age, by band"\n"Crown copyright"\n\n"population","All residents"\n"units","Persons"\n"date","2021"\n\n'
)
BODY = "code,persons\nW1,100\nW2,200\nW3,300\n"
NOTES = '\n"Cells were changed a little, so that nobody can be known"\n"Second note, with a comma"\n'


def table_of(tmp_path: Path, text: str) -> tuple[Table | None, list[Notice]]:
    """What is read of a text, and what is found."""
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    found: list[Notice] = []
    return read_table(path, {"file": "study.yaml", "row": 1, "field": "population"}, found), found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (TITLES + BODY + NOTES, 8),
        (TITLES.replace('","', '"\t"') + BODY.replace(",", "\t"), 8),
        ("Residents\n" + BODY, 2),
        ("Residents,\n,\n" + BODY, 3),
        ("Residents;;\n;;\n;;\ncode;men;women\nW1;1;2\nW2;;4\n", 4),
        ("Residents\n\ncode,2011,2021\nW1,1,2\n", 3),
        ("A, b, c and d\n\ncode,name\nW1,North\nW2,South\n", 3),
    ],
)
def test_titles_above_a_table(tmp_path: Path, text: str, line: int) -> None:
    """One error, at the line of the heading; as spreadsheets write them (filled up with marks) and as publishers do."""
    table, found = table_of(tmp_path, text)
    assert table is None
    assert [(n.severity, n.code, n.row) for n in found] == [("error", "heading_not_first", line)]
    assert f"line {line} (code, " in found[0].message
    assert ("the line above it" if line == 2 else f"the {line - 1} lines above it") in found[0].message
    assert ("from line 13 on" in found[0].message) == text.endswith(NOTES)


def test_titles_above_a_table_of_a_workbook(tmp_path: Path) -> None:
    """The same in the rows of a sheet, the blank ones counted; openpyxl comes with the tests or this one is left out."""
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (
        ["TS007 - Age"],
        [],
        ["units", "Persons"],
        [],
        ["code", "persons"],
        ["W1", 100],
        ["W2", 200],
        [],
        ["A note"],
    ):
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    found: list[Notice] = []
    assert read_table(tmp_path / "t.xlsx", {"file": "study.yaml", "row": 1, "field": "population"}, found) is None
    assert [(n.code, n.row) for n in found] == [("heading_not_first", 5)]
    assert (
        "line 5 (code, persons); delete the 4 lines above it and the notes below the table, from line 9 on"
        in found[0].message
    )


def test_notes_below_a_table(tmp_path: Path) -> None:
    """Two sentences under a table of four lines and a blank one: they begin in line 6, and this is said once."""
    table, found = table_of(tmp_path, BODY + NOTES)
    assert table is not None
    assert table.columns == {"code": ["W1", "W2", "W3"], "persons": ["100", "200", "300"]}
    assert [(n.code, n.row, n.message) for n in found] == [
        ("bad_row", 6, "delete the notes below the table, from line 6 on")
    ]


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        ",code,name\na,W1,North\nb,W2,South\n",
        "code,name\nW1,North\n\nW2,South\nW3,East\n",
        "code,name,note\nW1,,\nW2,South,\n",
        "code\nW1\nW2\n",
        "code,2011,2021\n\nW1,5,6\nW2,5,7\n",
    ],
)
def test_plain_tables_are_read(tmp_path: Path, text: str) -> None:
    """A heading in the first line, with blank cells, blank lines or years among its names, is the heading."""
    table, found = table_of(tmp_path, text)
    assert found == []
    assert table is not None
    assert list(table.columns) == text.split("\n", 1)[0].split(",")
    assert table.n == sum(1 for line in text.splitlines() if line) - 1


def test_commas_inside_cells_are_no_title(tmp_path: Path) -> None:
    """Numbers such as 1,200 without quotes under a good heading: each row is named, the heading is not blamed."""
    _, found = table_of(tmp_path, "code,persons\nW1,1,200\nW2,2,300\n")
    assert [(n.code, n.row) for n in found] == [("bad_row", 2), ("bad_row", 3)]


def test_titles_above_a_table_of_a_timetable(tmp_path: Path) -> None:
    """The heading of stops.txt in line 3 is one error, where three columns seemed to be missing."""
    notices: list[Notice] = []
    with pytest.raises(FeedError):
        read_feed(feed_zip(tmp_path / "bus.zip", stops=f"Stops of the valley\n\n{GOOD['stops']}"), notices=notices)
    (error,) = [n for n in notices if n.severity == "error"]
    assert (error.code, error.file, error.row) == ("heading_not_first", "bus.zip/stops.txt", 3)
    assert "delete the 2 lines above it" in error.message


def test_titles_above_places_of_a_matrix(tmp_path: Path) -> None:
    """The same for the places that a matrix begins or ends at; a table of text needs nothing of a study."""
    path = tmp_path / "from.csv"
    path.write_text("Schools\nid,lon,lat\nS1,-3,51.6\n")
    with pytest.raises(
        StudyError, match=r"from.csv row 2: the heading seems to be line 2 \(id, lon, lat\); delete the line above it"
    ):
        read_places(cast(Any, None), path)


def test_titles_above_sites(tmp_path: Path) -> None:
    """The word `longitude` in a title makes it no heading."""
    path = tmp_path / "sites.csv"
    path.write_text("Sites, with id, longitude and latitude\n\nid,lon,lat\nS1,-3,51.6\n")
    with pytest.raises(
        StudyError, match=r"sites.csv: the heading seems to be line 3 \(id, lon, lat\); delete the 2 lines above"
    ):
        read_sites(path)


def test_a_quotation_mark_that_is_never_closed(tmp_path: Path) -> None:
    """In the last column it would swallow all further rows without any having another number of cells."""
    table, found = table_of(tmp_path, 'code,name\nW1,"North\nW2,South\n')
    assert table is None
    assert [(n.code, n.row) for n in found] == [("bad_table", 2)]
    assert "before 'North' is never closed" in found[0].message
    path = tmp_path / "sites.csv"
    path.write_text('id,lon,lat,name\nS1,-3,51.6,"One\nS2,-3,51.7,Two\n')
    with pytest.raises(
        StudyError, match=r"row 2: it is no table of text: the quotation mark before 'One' is never closed"
    ):
        read_sites(path)
