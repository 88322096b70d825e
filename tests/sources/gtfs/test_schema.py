"""What is declared of the tables hangs together, and the documentation says the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from community_routes.sources.gtfs.columns import empty_frame
from community_routes.sources.gtfs.feed import KIND_HELD
from community_routes.sources.gtfs.schema import FARES, FRAMES, KIND_OF_ID, ROUTES, STOP_TIMES, STOPS, TABLES, Table

DOCS = Path(__file__).resolve().parents[3] / "docs" / "timetables.md"


def used_rows() -> list[str]:
    """The rows of the table in the documentation: files with one use share a row, the tables of fares have one."""
    files: dict[str, list[str]] = {}
    for table in TABLES.values():
        if table.use:
            name = "fare tables" if table.fare else table.file
            files[table.use] = list(dict.fromkeys([*files.get(table.use, []), name]))
    return [f"| {', '.join(names)} | {use} |" for use, names in files.items()]


def test_documentation_says_what_each_table_is_used_for() -> None:
    """Row for row."""
    assert "\n".join(["| file | what for |", "|---|---|", *used_rows()]) + "\n\n" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_table_is_declared_whole(table: Table) -> None:
    """Names are there once, keys are columns, row numbers are of something that a feed holds."""
    names = [c.name for c in table.columns]
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)
    for column in table.columns:
        assert column.kind != "row" or column.of in {*KIND_HELD, "service", "shape"}
        assert column.kind != "id" or column.of
        assert column.fault is None or column.name in column.fault.message


def test_kind_of_an_id_is_one_in_all_tables() -> None:
    """Else a column of a table that is only copied would not be known by its name."""
    kinds = {(c.name, c.of) for table in TABLES.values() for c in table.columns if c.of}
    assert len(kinds) == len(KIND_OF_ID)
    assert KIND_OF_ID["parent_station"] == "stop"
    assert KIND_OF_ID["to_timeframe_group_id"] == KIND_OF_ID["timeframe_group_id"]
    assert {c.of for table in FARES for c in table.columns if c.name in ("origin_id", "contains_id")} == {"zone"}


def test_columns_are_read_as_text_or_as_numbers() -> None:
    """A time is text until it is parsed; booking rules are known and not read."""
    assert STOPS.numbers == ("stop_lat", "stop_lon", "location_type", "wheelchair_boarding")
    assert STOPS.required == ("stop_id", "stop_lat", "stop_lon")
    assert "arrival_time" in STOP_TIMES.text
    assert "pickup_booking_rule_id" not in STOP_TIMES.text + STOP_TIMES.numbers
    assert STOPS.heading_only.text == STOPS.heading_only.numbers == ()
    assert STOPS.heading_only.required == STOPS.required


def test_route_types_that_mean_something() -> None:
    """Basic 0 to 7, 11, 12, extended 100 to 1799; where nothing is declared every number does."""
    kinds = np.array([-1, 0, 7, 8, 11, 12, 13, 99, 100, 1799, 1800])
    assert ROUTES["route_type"].knows(kinds).tolist() == [
        False,
        True,
        True,
        False,
        True,
        True,
        False,
        False,
        True,
        True,
        False,
    ]
    assert STOP_TIMES["stop_sequence"].knows(kinds).all()


@pytest.mark.parametrize("table", FRAMES, ids=lambda table: table.name)
def test_empty_table_has_the_columns_and_types_of_the_feed(table: Table) -> None:
    """So that a feed without a file is joined with one that has it."""
    frame = empty_frame(table)
    assert len(frame) == 0
    assert {f"{end}_{kind}" for kind in KIND_HELD for end in ("from", "to")} >= {
        c for c in frame if c.startswith("from_")
    }
    assert all(frame[name].dtype == np.int32 for kind in KIND_HELD for name in table.rows_of(kind))
