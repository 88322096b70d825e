"""Tables come out of the zip block by block, whatever is odd about their bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from community_routes.base.notices import Notice
from community_routes.sources.gtfs import blocks as gtfs_tables
from community_routes.sources.gtfs.blocks import read_blocks
from community_routes.sources.gtfs.columns import BROKEN_S, Block, Findings, seconds_of
from community_routes.sources.gtfs.schema import STOPS, Table
from community_routes.sources.gtfs.zip import open_archive
from feed_zip import feed_zip

SOME = Table("stops", tuple(STOPS[name] for name in ("stop_id", "stop_name", "stop_lat")))
HEAD = "stop_id,stop_name,stop_lat,stop_lon\n"


def stops_of(path: Path, content: str | bytes, block_bytes: int = 64) -> tuple[list[Block], list[Notice]]:
    """The blocks of stops.txt with this content, and what was found."""
    findings = Findings("f.zip")
    archive = open_archive(feed_zip(path / "f.zip", stops=content), findings)
    assert archive is not None
    with archive.archive:
        blocks = list(read_blocks(archive, SOME, block_bytes=block_bytes))
    return blocks, findings.notices()


def ids(blocks: list[Block]) -> list[str]:
    """The column stop_id of all blocks."""
    return [name for block in blocks for name in block.strings("stop_id")]


def names(blocks: list[Block]) -> list[str]:
    """The column stop_name of all blocks."""
    return [name for block in blocks for name in block.strings("stop_name")]


def test_windows_text_after_many_blocks_of_plain_text(tmp_path: Path) -> None:
    """The first letter that is no UTF-8 comes late; what was read before it stays, what comes after it is read as well."""
    rows = [f"S{i},{'Café' if i >= 30 else 'Plain'},51.{i:02d},-3" for i in range(40)]
    blocks, notices = stops_of(tmp_path, (HEAD + "\n".join(rows) + "\n").encode("cp1252"))
    assert ids(blocks) == [f"S{i}" for i in range(40)]
    assert names(blocks) == ["Plain"] * 30 + ["Café"] * 10
    assert [n.code for n in notices] == ["not_utf8"]


def test_file_that_ends_inside_a_character(tmp_path: Path) -> None:
    """Half of an é at the very end is a replacement mark, not a crash."""
    content = (HEAD + "A,Abbey,51.6,-3\nB,Café").encode()[:-1]
    blocks, notices = stops_of(tmp_path, content)
    assert ids(blocks) == ["A", "B"]
    assert names(blocks)[1].startswith("Caf")
    assert [n.code for n in notices] == ["row_too_short"]


def test_lone_quotation_mark_inside_a_cell_opens_nothing(tmp_path: Path) -> None:
    """As in 6\" Pipe Lane: 3,000 rows after it are rows."""
    rows = "".join(f"S{i},{'6' + chr(34) + ' Pipe Lane' if i == 5 else 'Plain'},51.5,-3\n" for i in range(3000))
    blocks, notices = stops_of(tmp_path, HEAD + rows, block_bytes=4096)
    assert ids(blocks) == [f"S{i}" for i in range(3000)]
    assert names(blocks)[5] == '6" Pipe Lane'
    assert notices == []


def test_row_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With blocks of 64 and rows of 256 bytes at most, a name of 2,000 letters is no row of a table."""
    monkeypatch.setattr(gtfs_tables, "BLOCK_BYTES", 64)
    monkeypatch.setattr(gtfs_tables, "_LONGEST_ROW", 256)
    blocks, notices = stops_of(tmp_path, HEAD + "A," + "x" * 2000)
    assert [n.code for n in notices] == ["row_endless"]
    assert len(ids(blocks)) == 0


def test_heading_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for a heading."""
    monkeypatch.setattr(gtfs_tables, "_LONGEST_ROW", 256)
    blocks, notices = stops_of(tmp_path, "stop_id," + "x" * 2000)
    assert [(n.code, n.row) for n in notices] == [("row_endless", 1)]
    assert blocks == []


def test_heading_with_a_cell_of_a_book(tmp_path: Path) -> None:
    """A heading cell longer than any reader of tables takes."""
    _, notices = stops_of(tmp_path, 'stop_id,"' + "x" * 200_000 + '"\nA,b\n', block_bytes=2**20)
    assert [(n.code, n.row) for n in notices] == [("row_endless", 1)]


def test_blank_lines_before_the_heading(tmp_path: Path) -> None:
    """The lines are still counted as in the file."""
    blocks, notices = stops_of(tmp_path, "\n\n" + HEAD + "A,Abbey,north,-3\n", block_bytes=4096)
    assert ids(blocks) == ["A"]
    assert [(n.code, n.row) for n in notices] == [("not_a_number", 4)]
    assert np.isnan(blocks[0].numbers["stop_lat"]).all()


def test_times_with_letters_of_several_bytes() -> None:
    """Eight bytes that are not eight characters are no clock time."""
    texts = pa.array(["0é:00:0", "08:00:00", "1:02:03", "", "8:5", "08:60:00", "240:00:00", "240:00:01"])
    expected = [BROKEN_S, 28_800, 3_723, -(2**31), BROKEN_S, BROKEN_S, 864_000, BROKEN_S]
    assert seconds_of(texts).tolist() == expected


def test_blocks_of_a_long_table_are_cut_between_rows(tmp_path: Path) -> None:
    """Blocks of 64 bytes: rows, quoted line breaks and characters of several bytes straddle them, and nothing is lost."""
    rows = (f'S{i},"Caf\u00e9 \U0001f68c\nno. {i}, ""north""",51.{i:03d},-3.0\n' for i in range(40))
    blocks, found = stops_of(tmp_path, HEAD + "".join(rows))
    assert len(blocks) > 10
    assert [name for b in blocks for name in b.strings("stop_id")] == [f"S{i}" for i in range(40)]
    names = [name for b in blocks for name in b.strings("stop_name")]
    assert names == [f'Caf\u00e9 \U0001f68c\nno. {i}, "north"' for i in range(40)]
    assert np.concatenate([b.numbers["stop_lat"] for b in blocks]).tolist() == [float(f"51.{i:03d}") for i in range(40)]
    assert [int(line) for b in blocks for line in b.line] == [2 + 2 * i for i in range(40)]
    assert found == []


@pytest.mark.parametrize(
    ("content", "row", "field"),
    [
        (HEAD + 'A,"Abbey,51,-3\nB,Bridge,51,-3\n', 2, "stop_name"),
        (HEAD + 'A,Abbey,51,-3\nB,"Bridge, ""Old"",51,-3\n', 3, "stop_name"),
        ('stop_id,stop_lat,stop_lon,stop_name\nA,51,-3,"Abbey\n', 2, "stop_name"),
        ('stop_id,"stop_name,stop_lat,stop_lon\nA,Abbey,51,-3\n', 1, ""),
        (HEAD + f"A,{'x' * 1_000_000},51,-3\nB,Bridge,51,-3\n", 2, "stop_name"),
        (f'{HEAD}A,Abbey,51,-3\nB,"{"x" * 1_000_000}",51,-3\n', 3, "stop_name"),
        (f"{HEAD.strip()},stop_desc\nA,Abbey,51,-3,{'x' * 200_000}\n", 2, "stop_desc"),
    ],
)
def test_cells_without_end_are_refused(tmp_path: Path, content: str, row: int, field: str) -> None:
    """A quotation mark that nothing closes, in any place, and a value of a megabyte, also in a column that is not read."""
    _, notices = stops_of(tmp_path, content, block_bytes=2**22)
    assert [(n.severity, n.code, n.row, n.field) for n in notices] == [("error", "row_endless", row, field)]


def test_rows_between_two_lone_quotation_marks(tmp_path: Path) -> None:
    """Marks before Abbey and before Dock make one value of three rows: it is named, where it begins and where it ends."""
    rows = 'A,"Abbey,51,-3\nB,Bridge,51,-3\nC,"Castle,51,-3\nD,Dock,51,-3\n'
    _, notices = stops_of(tmp_path, HEAD + rows, block_bytes=2**22)
    (found,) = [n for n in notices if n.code == "rows_in_value"]
    assert (found.severity, found.row, found.field) == ("warning", 2, "stop_name")
    assert "line 4" in found.message


def test_a_quotation_mark_inside_a_cell_opens_nothing(tmp_path: Path) -> None:
    """As in `Bridge 5" north`."""
    blocks, notices = stops_of(tmp_path, HEAD + 'A,Bridge 5" north,51,-3\n')
    assert names(blocks) == ['Bridge 5" north']
    assert notices == []
