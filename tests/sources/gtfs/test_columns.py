"""Columns are checked as the schema says: what counts as what, and which rows are named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from community_routes.sources.gtfs.columns import LEFT_OUT, Block, Findings
from community_routes.sources.gtfs.schema import PATHWAYS, STOP_TIMES, STOPS, TRANSFERS, TRIPS, Table


def block_of(table: Table, **columns: list[str] | list[float]) -> Block:
    """Rows from line 2 on with these columns."""
    n = len(next(iter(columns.values())))
    text = {
        name: pa.array(cells, pa.string()).dictionary_encode() for name, cells in columns.items() if name in table.text
    }
    numbers = {name: np.array(cells, float) for name, cells in columns.items() if name in table.numbers}
    return Block(table, Findings("f.zip"), np.arange(2, n + 2), text, numbers, frozenset(columns))


def found(block: Block) -> list[tuple[str, int | None, str, str]]:
    """Code, line, column and value of what was noted."""
    return [(n.code, n.row, n.field, n.value) for n in block.findings.notices()]


def test_unknown_code_counts_as_the_schema_says() -> None:
    """Blank is 0 without a word; 1.5 is broken, so blank; 9 is whole but unknown, so 0 as well."""
    block = block_of(STOPS, location_type=[1, np.nan, 1.5, 9])
    assert block.whole("location_type").tolist() == [1, 0, 0, 0]
    assert found(block) == [
        ("not_a_number", 4, "location_type", "1.5"),
        ("unknown_location_type", 5, "location_type", "9"),
    ]


def test_value_whose_row_goes_stays_as_it_is() -> None:
    """So that the reader of the table can leave the row out."""
    block = block_of(TRANSFERS, transfer_type=[0, 6])
    assert block.whole("transfer_type").tolist() == [0, 6]
    assert found(block) == [("unknown_transfer_type", 3, "transfer_type", "6")]


def test_number_beyond_the_range_is_blank() -> None:
    """A direction is 0, 1 or -1 for none; a length is not below 0."""
    assert block_of(TRIPS, direction_id=[0, 1, 2, np.nan]).whole("direction_id").tolist() == [0, 1, -1, -1]
    block = block_of(PATHWAYS, length=[0.0, -0.5, np.nan])
    np.testing.assert_array_equal(block.floats("length"), [0.0, np.nan, np.nan])
    assert found(block) == [("not_a_number", 3, "length", "-0.5")]


def test_only_rows_that_still_are_kept_are_named() -> None:
    """One was left out before; of a trip that was left out itself nothing is said again."""
    block = block_of(STOP_TIMES, trip_id=["T1", "X", "Y", "T2"])
    trip = block.look_up("trip_id", {"T1": 0, "T2": LEFT_OUT})
    assert trip.tolist() == [0, -2, -2, LEFT_OUT]
    keep = np.array([True, True, False, True]) & (trip != LEFT_OUT)
    block.leave_out("trip_id", trip < 0, keep)
    assert keep.tolist() == [True, False, False, False]
    assert found(block) == [("unknown_trip", 3, "trip_id", "X")]


def test_own_ids_are_unique() -> None:
    """The first row with an id is used; blank ids only where one may be blank."""
    block = block_of(STOPS, stop_id=["A", "", "B", "A"])
    assert block.unique().tolist() == [0, 2]
    assert found(block) == [("blank_id", 3, "stop_id", ""), ("duplicate_id", 5, "stop_id", "A")]
    assert block_of(STOPS, stop_id=["A", "", "B"]).unique(blank_allowed=True).tolist() == [0, 1, 2]


def test_frame_holds_what_is_given_and_reads_the_rest() -> None:
    """Of rows 0 and 2: ends as row numbers, the mode as it is read, a flag as a truth value."""
    numbers = {
        "pathway_mode": [1, 2, 3],
        "is_bidirectional": [0, 1, np.nan],
        "length": [9, 8, 7],
        "traversal_time": [1, 2, 3],
    }
    block = block_of(PATHWAYS, from_stop_id=["A", "B", "C"], to_stop_id=["B", "C", "A"], **numbers)
    frame = block.frame(np.array([0, 2]), from_stop=np.array([0, 2]), to_stop=np.array([1, 0]))
    assert list(frame) == ["from_stop", "to_stop", "mode", "both_ways", "metres", "traversal_s"]
    assert frame["mode"].tolist() == [1, 3]
    assert frame["both_ways"].tolist() == [False, True]
    assert [str(dtype) for dtype in frame.dtypes] == ["int32", "int32", "int8", "bool", "float64", "float64"]
