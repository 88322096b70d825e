"""The one reader of tables of text: rows with their lines, whatever mark, encoding or packing; and why a file is none."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from community_routes.sources.text_table import NoTableError, TooLargeError, read_text_rows

TEXT = "id;name\nA;'One, two'\n\n  ;  \nB;\"two\nlines\"\nC;d;e\n"


def rows_of(path: Path) -> list[tuple[int, int, list[str]]]:
    return [(row.line, row.end, row.cells) for row in read_text_rows(path).rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["csv", "csv.gz"])
def test_rows_have_their_lines_and_may_be_of_any_width(tmp_path: Path, encoding: str, ending: str) -> None:
    """Line 3 is empty and line 4 blank; B covers lines 5 and 6; C has a cell too many, which is for others to judge."""
    path, raw = tmp_path / f"t.{ending}", TEXT.encode(encoding)
    path.write_bytes(gzip.compress(raw) if ending.endswith("gz") else raw)
    assert rows_of(path) == [
        (1, 1, ["id", "name"]),
        (2, 2, ["A", "'One, two'"]),
        (5, 6, ["B", "two\nlines"]),
        (7, 7, ["C", "d", "e"]),
    ]
    assert read_text_rows(path).not_utf8 is None


def test_what_is_not_utf8_is_read_and_its_line_told(tmp_path: Path) -> None:
    """Byte 0xe9 is an e with an accent in Windows-1252."""
    (tmp_path / "t.csv").write_bytes(b"id,name\nA,caf\xe9\n")
    text = read_text_rows(tmp_path / "t.csv")
    assert (text.rows[1].cells, text.not_utf8, text.heading) == (["A", "café"], (2, 0xE9), ["id", "name"])


@pytest.mark.parametrize(
    ("raw", "said", "row", "opened"),
    [
        (b"PK\x03\x04....", "a zip archive; unpack it", None, False),
        (b"id,name\nA,\x00\n", "bytes of zero", None, True),
        (b"\xff\xfei", "broken UTF-16", None, True),
        (b'id,name\nA,b\n"C,d\nE,f\n', "is never closed", 3, True),
    ],
)
def test_what_is_no_table_of_text(tmp_path: Path, raw: bytes, said: str, row: int | None, opened: bool) -> None:
    """Whether the file or what is in it is at fault, and the line where there is one."""
    (tmp_path / "t.csv").write_bytes(raw)
    with pytest.raises(NoTableError, match=said) as fault:
        read_text_rows(tmp_path / "t.csv")
    assert (fault.value.row, fault.value.opened) == (row, opened)


def test_an_empty_file_has_no_rows_and_a_great_one_is_refused(tmp_path: Path) -> None:
    """Six cells are one more than five."""
    (tmp_path / "none.csv").write_bytes(b"")
    assert read_text_rows(tmp_path / "none.csv").heading == []
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    with pytest.raises(TooLargeError, match="more than 5 cells"):
        read_text_rows(tmp_path / "t.csv", most_cells=5)
