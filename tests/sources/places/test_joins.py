"""Rows of a table by the codes of places: who found whom, what is shared out, and why codes do not match."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely

from community_routes.base.notices import Notice
from community_routes.sources.places.joins import explain_codes, match_rows, mended
from community_routes.sources.places.table import Table

PLACES = ["A", "B", "C"]


def table(codes: list[str]) -> Table:
    return Table("t.csv", {"code": codes}, np.arange(2, len(codes) + 2))


def matched(codes: list[str], **more: object) -> tuple[object, list[Notice]]:
    found: list[Notice] = []
    return match_rows(PLACES, "areas", table(codes), "code", {"file": "s.yaml"}, found, **more), found  # type: ignore[arg-type]


def test_rows_come_in_the_order_of_the_places() -> None:
    """C stands in row 0, A in row 1, B in row 3; X is nobody's."""
    matches, (said,) = matched(["C", "A", "X", "B"])
    assert matches.place.tolist() == [0, 1, 2] and matches.row.tolist() == [1, 3, 0]  # type: ignore[attr-defined]
    assert said.code == "rows_joined"
    assert said.message == "3 of 3 areas have a row in t.csv, and 3 of its 4 rows were used; not used: X"


def test_a_lookup_shares_out_and_adds_up() -> None:
    """Old areas of 100 and 30: the first goes to A and B by 3 to 1, the second to B and C by halves: 75, 25 + 15, 15."""
    lookup = {"old1": {"A": 0.75, "B": 0.25}, "old2": {"B": 0.5, "C": 0.5}}
    matches, found = matched(["old1", "old2"], lookup=lookup)
    assert matches.summed(np.array([100.0, 30.0])[matches.row], 3).tolist() == [75.0, 40.0, 15.0]  # type: ignore[attr-defined]
    assert matches.averaged(np.array([8.0, 4.0])[matches.row], 3).tolist() == [8.0, 6.0, 4.0]  # type: ignore[attr-defined]
    assert [n.code for n in found] == ["rows_joined", "split_by_lookup"]


def test_a_code_that_stands_twice_and_too_few_rows() -> None:
    """The second row of A is line 3, the first line 2; C has none, and two of three are fewer than 95 %."""
    matches, found = matched(["A", "A", "B"])
    assert matches is None
    assert [(n.code, n.row) for n in found] == [("duplicate_place_id", 3), ("join_failed", None)]
    assert "stands in row 2 as well" in found[0].message and "without a row: C" in found[1].message
    matches, found = matched(["A", "A", "B", "C"], several=True)
    assert matches is not None and matches.counts(3).tolist() == [2, 1, 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("here", "there", "why"),
    [
        (["E01000001"], ["E02000001"], "lower super output areas .* middle super"),
        (["E01000001", "E01000002"], ["E01000001", "E01033769"], "codes of 2011 and the table those of 2021"),
        (["E01000001", "E01033769"], ["E01000001", "E01000002"], "codes of 2021 .* the table those of 2011"),
        (["007", "b"], ["7", "B "], "2 of them differ only in capitals"),
        (["x"], ["y"], "^$"),
    ],
)
def test_why_codes_do_not_match(here: list[str], there: list[str], why: str) -> None:
    """The last code of the census of 2011 was E01033768."""
    assert re.search(why, explain_codes(here, there, sorted(set(here) - set(there))))


def test_areas_that_cross_themselves_are_mended() -> None:
    """A bow tie becomes two triangles; a line is no place; a point stays."""
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    shapes = np.array([bow, shapely.LineString([(0, 0), (1, 1)]), shapely.Point(1, 2)], object)
    found: list[Notice] = []
    out = mended(shapes, ["bow", "line", "point"], table(["bow", "line", "point"]), found)
    assert shapely.area(out[0]) == 0.5 and out[2].equals(shapely.Point(1, 2))
    assert [(n.code, n.row, n.value) for n in found] == [("polygon_mended", 2, "bow"), ("wrong_geometry", 3, "line")]
