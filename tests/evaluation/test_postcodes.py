"""Postcodes lead to neighbourhoods: those in the box of the study, in the area where they lie."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from community_routes.base.errors import StudyError
from community_routes.evaluation.map_layers import zones_of_postcodes
from community_routes.sources.study.postcodes import Postcodes, read_postcodes

TABLE = "pcds,long,lat\nAB1 2cd,0.5,0.5\nAB1 2CE,1.5,0.5\nZZ9 9ZZ,9,9\nAB1 2CF,2.5,0.5\n"
BOX = (0.0, 0.0, 3.0, 1.0)


def read(folder: Path, text: str = TABLE, **columns: str) -> dict[str, tuple[float, float]]:
    (folder / "codes.csv").write_text(text, encoding="utf-8")
    table = read_postcodes(Postcodes(file=folder / "codes.csv", **columns), BOX)
    return {row.postcode: (row.lon, row.lat) for row in table.itertuples()}


def test_postcodes_inside_the_box_are_read_without_spaces(tmp_path: Path) -> None:
    assert read(tmp_path) == {"AB12CD": (0.5, 0.5), "AB12CE": (1.5, 0.5), "AB12CF": (2.5, 0.5)}
    named = read(tmp_path, "code,x,y\nA 1,1,1\n", postcode="code", lon="x", lat="y")
    assert named == {"A1": (1.0, 1.0)}
    with pytest.raises(StudyError, match=r"codes\.csv has no column 'pcds'; it has code, long, lat"):
        read(tmp_path, "code,long,lat\nA,1,1\n")


def test_a_postcode_belongs_to_the_area_in_which_it_lies_or_to_the_nearest_point(tmp_path: Path) -> None:
    """Of two unit squares the third postcode is in neither; of points in their middles the second is its nearest."""
    (tmp_path / "codes.csv").write_text(TABLE, encoding="utf-8")
    codes = read_postcodes(Postcodes(file=tmp_path / "codes.csv"), BOX)
    squares = gpd.GeoDataFrame({"id": ["L", "R"]}, geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    assert zones_of_postcodes(codes, squares) == {"AB12CD": "L", "AB12CE": "R"}
    points = squares.set_geometry(squares.geometry.centroid)
    assert zones_of_postcodes(codes, points) == {"AB12CD": "L", "AB12CE": "R", "AB12CF": "R"}
