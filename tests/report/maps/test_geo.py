"""Shapes taken apart for maps, all at once: the same as one by one, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import GeometryCollection, LineString, MultiLineString, MultiPolygon, Point, Polygon

from community_routes.report.maps import geo
from community_routes.report.maps.leaflet import for_people
from community_routes.report.words import rounded, rounded_all

SQUARE = Polygon([(0, 0), (0, 4), (4, 4), (4, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]])
SHAPES = [
    Point(1, 2),
    LineString([(0, 0), (1, 2), (1.000001, 2.000001), (3, 3)]),
    SQUARE,
    Polygon(),
    LineString(),
    GeometryCollection([LineString([(5, 5), (6, 6)]), Point(0, 0), MultiPolygon([SQUARE, shapely.box(7, 7, 8, 8)])]),
    MultiLineString([[(0, 1), (0, 2)], [(1, 1), (1, 2)]]),
]


def test_lines_and_rings_of_each_shape() -> None:
    """Latitude first, points within a metre of the last left out, holes after their outline, points left out."""
    found = geo.latlon_lists(SHAPES)
    assert [len(lines) for lines in found] == [0, 1, 2, 0, 0, 4, 2]
    assert found[1] == [[[0.0, 0.0], [2.0, 1.0], [3.0, 3.0]]]
    assert found[2][1] == [[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 1.0], [1.0, 1.0]]
    assert found[5][0] == [[5.0, 5.0], [6.0, 6.0]]
    assert found[6] == [[[1.0, 0.0], [2.0, 0.0]], [[1.0, 1.0], [2.0, 1.0]]]
    assert geo.latlon_lists([]) == []


def test_polygons_of_each_shape_with_their_holes() -> None:
    found = geo.polygon_lists(SHAPES)
    assert [[len(polygon) for polygon in of_shape] for of_shape in found] == [[], [], [2], [], [], [2, 1], []]
    assert found[5][0] == found[2][0]


def test_shapes_together_are_as_each_alone() -> None:
    assert geo.latlon_lists(SHAPES) == [geo.latlon_lists([shape])[0] for shape in SHAPES]
    assert geo.polygon_lists(SHAPES) == [geo.polygon_lists([shape])[0] for shape in SHAPES]


def test_a_street_is_drawn_once_whichever_way_it_is_run_and_long_hops_are_left_out() -> None:
    """One degree is 111 km: of the second line 0 to 0.01 and 0.2 to 0.21 are left, and its hop of 0.19 degrees is none of it."""
    there = LineString([(0, 0), (0, 0.01), (0.01, 0.01)])
    hop = LineString([(1, 0), (1, 0.01), (1, 0.2), (1, 0.21)])
    lone = LineString([(2, 0), (2, 0.5), (2, 1.0)])
    found = geo.pieces_of([MultiLineString([there, hop]), shapely.reverse(there), lone, Point(0, 0)])
    assert sorted(piece.wkt for piece in found) == [
        "LINESTRING (0 0, 0 0.01, 0.01 0.01)",
        "LINESTRING (1 0, 1 0.01)",
        "LINESTRING (1 0.2, 1 0.21)",
    ]
    assert len(geo.pieces_of([])) == 0


@pytest.mark.parametrize("scale", [0.001, 1.0, 20.0, 1e4])
def test_all_at_once_are_rounded_as_one_by_one(scale: float) -> None:
    """Random numbers, and halves in all places, which the exact decimals decide (0.145 is a little more than 0.145)."""
    draw = np.random.default_rng(8)
    halves = np.arange(-4000, 4000) / np.where(np.arange(8000) % 2, 200.0, 20.0)
    values = np.r_[draw.normal(0, scale, 2000), halves, 0.0, -0.0, 99.95, 99.949999, 0.995, 1e15 + 0.5]
    found = rounded_all(values)
    assert found.tolist() == [rounded(float(value)) for value in values]
    assert not np.signbit(found[found == 0]).any()


def test_numbers_for_the_script() -> None:
    """Whole ones as integers, nothing for what is missing, and never zero for what is not."""
    found = for_people(np.array([3.0, 2.54, np.nan, np.inf, 1e-7, -1e-7, 0.0, 123.4]))
    assert found == [3, 2.5, None, None, 0.001, -0.001, 0, 123]
    assert [type(value) for value in found[:2]] == [int, float]
