"""Destinations: files of every kind, amounts, places of several rows, and the points at which they are entered."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
import shapely.geometry

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice
from community_routes.sources.places.opportunities import (
    MAX_ENTRANCES,
    Opportunities,
    check_places,
    entrances_from_streets,
    polygons_without_entrances,
    read_opportunities,
    spread_points,
)
from community_routes.sources.places.zones import read_zones
from community_routes.sources.study.file import read_study_file
from community_routes.sources.study.places import Destinations, Neighbourhoods
from conftest import shared_data

POINT = {"type": "Point", "coordinates": [-3.0, 51.5]}
BOX = {"type": "Polygon", "coordinates": [[[0, 51], [0.01, 51], [0.01, 51.01], [0, 51.01], [0, 51]]]}


def write_places(folder: Path, rows: Sequence[tuple[Mapping[str, Any], Any]], name: str = "places.geojson") -> None:
    features = [{"type": "Feature", "properties": dict(columns), "geometry": geometry} for columns, geometry in rows]
    (folder / name).write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def write_table(folder: Path, name: str, rows: Sequence[Sequence[object]]) -> None:
    with (folder / name).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)


def read(
    folder: Path, specs: Mapping[str, Mapping[str, Any]], osm: Any = None
) -> tuple[Opportunities | None, list[Notice]]:
    notices: list[Notice] = []
    made = {key: Destinations.model_validate(spec, context={"folder": folder}) for key, spec in specs.items()}
    try:
        return read_opportunities(made, folder, osm, notices), notices
    except StudyError:
        return None, notices


def codes_of(notices: Sequence[Notice]) -> list[str]:
    return sorted(notice.code for notice in notices if notice.severity != "info")


def test_places_of_two_keys_in_the_order_of_the_study(tmp_path: Path) -> None:
    write_places(tmp_path, [({"id": "w2", "m2": 300}, BOX), ({"id": 7, "m2": "1,500"}, POINT)], "work.geojson")
    write_places(tmp_path, [({"id": 7, "n": "Library", "k": "library"}, POINT)], "spaces.geojson")
    found, notices = read(
        tmp_path,
        {
            "employment": {"file": "work.geojson", "id": "id", "amount": "m2"},
            "spaces": {"file": "spaces.geojson", "id": "id", "name": "n", "kind": "k", "amount": 2},
        },
    )
    assert found is not None and codes_of(notices) == []
    table = found.table.drop(columns="geometry")
    assert table[["key", "id", "name", "kind", "amount"]].to_numpy().tolist() == [
        ["employment", "w2", "", "", 300.0],
        ["employment", "7", "", "", 1500.0],
        ["spaces", "7", "Library", "library", 2.0],
    ]
    assert found.keys == ["employment", "spaces"]
    assert found.rows_of("employment").tolist() == [0, 1]
    assert found.rows_of("spaces/library").tolist() == [2] and found.rows_of("spaces/park").tolist() == []
    assert found.entrances.to_numpy().tolist() == [[1, -3.0, 51.5], [2, -3.0, 51.5]], "a point is its own entrance"
    assert polygons_without_entrances(found).tolist() == [0]


def test_a_table_with_longitude_and_latitude(tmp_path: Path) -> None:
    write_table(tmp_path, "p.csv", [["id", "x", "y"], ["007", -3, 51.5], ["7", -3.1, 51.6]])
    found, notices = read(tmp_path, {"a": {"file": "p.csv", "id": "id", "lon": "x", "lat": "y"}})
    assert found is not None and notices == []
    assert found.table["id"].tolist() == ["007", "7"]
    assert found.entrances[["lon", "lat"]].to_numpy().tolist() == [[-3.0, 51.5], [-3.1, 51.6]]
    _, notices = read(tmp_path, {"a": {"file": "p.csv", "id": "id"}})
    assert "name its columns of coordinates with 'lon' and 'lat'" in notices[0].message


def test_grid_metres_in_a_table(tmp_path: Path) -> None:
    """Newport Castle is near easting 331,180, northing 188,450: 51.5911 N, 2.9948 W to about 20 m."""
    write_table(tmp_path, "p.csv", [["id", "e", "n"], ["castle", "331,180", 188450]])
    spec = {"file": "p.csv", "id": "id", "lon": "e", "lat": "n"}
    found, notices = read(tmp_path, {"a": spec})
    assert found is None and "add `crs: EPSG:27700`" in notices[0].message
    found, notices = read(tmp_path, {"a": {**spec, "crs": "EPSG:27700"}})
    assert found is not None and codes_of(notices) == []
    assert np.allclose(found.entrances[["lon", "lat"]].to_numpy(), [[-2.9948, 51.5911]], atol=5e-4)


@pytest.mark.parametrize("kind", ["gpkg", "shp", "topojson", "fgb", "geojson", "parquet"])
def test_every_common_kind_of_map(tmp_path: Path, kind: str) -> None:
    """The same two squares of the British grid, written in each format, come back in degrees at the same place."""
    squares = [shapely.box(330000, 188000, 330100, 188100), shapely.box(331000, 188000, 331200, 188100)]
    frame = gpd.GeoDataFrame({"code": ["a", "b"], "jobs": [5, 6]}, geometry=squares, crs="EPSG:27700")
    expected = shapely.get_coordinates(shapely.centroid(frame.to_crs("EPSG:4326").geometry.array))
    path = tmp_path / f"map.{kind}"
    if kind == "topojson":
        path.write_text(topojson_of(frame.to_crs("EPSG:4326")), encoding="utf-8")
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    found, notices = read(tmp_path, {"a": {"file": path.name, "id": "code", "amount": "jobs"}})
    assert found is not None, notices
    assert codes_of(notices) == (["crs_assumed"] if kind == "topojson" else [])
    table = found.table.sort_values("id")  # one of the formats stores its features by place
    assert table["id"].tolist() == ["a", "b"] and table["amount"].tolist() == [5.0, 6.0]
    assert np.allclose(shapely.get_coordinates(shapely.centroid(table.geometry.array)), expected, atol=1e-6)


def topojson_of(frame: gpd.GeoDataFrame) -> str:
    """A TopoJSON text in which each polygon is one arc, coordinates written out."""
    arcs = [[list(point) for point in shape.exterior.coords] for shape in frame.geometry]
    shapes = [
        {"type": "Polygon", "arcs": [[i]], "properties": {"code": row.code, "jobs": row.jobs}}
        for i, row in enumerate(frame.itertuples())
    ]
    return json.dumps(
        {"type": "Topology", "objects": {"x": {"type": "GeometryCollection", "geometries": shapes}}, "arcs": arcs}
    )


def test_a_file_of_several_layers_wants_one_named(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"code": ["a"]}, geometry=[shapely.Point(-3, 51.5)], crs="EPSG:4326")
    frame.to_file(tmp_path / "m.gpkg", layer="parks")
    frame.to_file(tmp_path / "m.gpkg", layer="halls")
    spec = {"file": "m.gpkg", "id": "code"}
    _, notices = read(tmp_path, {"a": spec})
    assert "has several layers (parks, halls)" in notices[0].message
    _, notices = read(tmp_path, {"a": {**spec, "layer": "park"}})
    assert "did you mean 'parks'?" in notices[0].message
    found, notices = read(tmp_path, {"a": {**spec, "layer": "parks"}})
    assert found is not None and notices == []


def test_rows_of_one_place_are_joined(tmp_path: Path) -> None:
    """b names a, c names b: one place with the largest amount; d and e share a label; f names nobody."""
    rows = [("a", "", 1), ("b", "a", 5), ("c", "b", 2), ("d", "hub", 1), ("e", "hub", 1), ("f", "gone", 1)]
    write_table(
        tmp_path, "p.csv", [["id", "same", "n", "x", "y"], *([*row, -3 + i / 100, 51.5] for i, row in enumerate(rows))]
    )
    spec = {"file": "p.csv", "id": "id", "lon": "x", "lat": "y", "same_as": "same", "amount": "n"}
    found, notices = read(tmp_path, {"a": spec})
    assert found is not None
    assert found.table["id"].tolist() == ["a", "d", "f"] and found.table["amount"].tolist() == [5.0, 1.0, 1.0]
    assert found.entrances["place"].tolist() == [0, 0, 0, 1, 1, 2]
    assert found.entrances["lon"].round(2).tolist() == [-3.0, -2.99, -2.98, -2.97, -2.96, -2.95]
    assert [(n.code, n.row, n.value) for n in notices if n.severity == "warning"] == [("same_as_unknown", 7, "gone")]


def test_given_entrances_belong_to_their_place(tmp_path: Path) -> None:
    """The area has two gates, the point keeps itself; a gate 0.01 degrees of latitude away (1.1 km) is noticed."""
    write_places(tmp_path, [({"id": "park"}, BOX), ({"id": "hall"}, POINT)])
    spec = {"file": "places.geojson", "id": "id", "entrances": {"file": "e.csv", "id": "of", "lon": "x", "lat": "y"}}
    write_table(tmp_path, "e.csv", [["of", "x", "y"], ["park", 0, 51.005], ["park", 0.01, 51.005]])
    found, notices = read(tmp_path, {"a": spec})
    assert found is not None and codes_of(notices) == []
    assert found.entrances.to_numpy().tolist() == [[0, 0.0, 51.005], [0, 0.01, 51.005], [1, -3.0, 51.5]]
    assert polygons_without_entrances(found).tolist() == []
    write_table(tmp_path, "e.csv", [["of", "x", "y"], ["park", 0, 51.02]])
    _, notices = read(tmp_path, {"a": spec})
    assert codes_of(notices) == ["entrance_far"]
    write_table(tmp_path, "e.csv", [["of", "x", "y"], ["prak", 0, 51.005]])
    found, notices = read(tmp_path, {"a": spec})
    assert found is None and codes_of(notices) == ["join_failed"]


def test_areas_are_entered_where_streets_cross_their_boundary(tmp_path: Path) -> None:
    """One street crosses west to east (two gates), one ends inside (one gate), one passes outside (none)."""
    write_places(tmp_path, [({"id": "park"}, BOX), ({"id": "hall"}, POINT)])
    found, _ = read(tmp_path, {"a": {"file": "places.geojson", "id": "id"}})
    assert found is not None
    streets = gpd.GeoDataFrame(
        geometry=[
            shapely.LineString([(-0.01, 51.002), (0.02, 51.002)]),
            shapely.LineString([(0.005, 51.02), (0.005, 51.005)]),
            shapely.LineString([(-0.01, 51.05), (0.02, 51.05)]),
        ],
        crs="EPSG:4326",
    )
    entered = entrances_from_streets(found, streets)
    assert entered.entrances.round(6).to_numpy().tolist() == [
        [0, 0.0, 51.002],
        [0, 0.005, 51.01],
        [0, 0.01, 51.002],
        [1, -3.0, 51.5],
    ]
    alone = entrances_from_streets(found, None).entrances
    assert alone["place"].tolist() == [0, 1]
    assert shapely.geometry.shape(BOX).contains(shapely.Point(alone["lon"][0], alone["lat"][0]))


def test_many_crossings_are_thinned_to_the_spread_ones(tmp_path: Path) -> None:
    """100 streets cross the southern side; 30 gates remain, the westernmost and easternmost among them."""
    write_places(tmp_path, [({"id": "park"}, BOX)])
    found, _ = read(tmp_path, {"a": {"file": "places.geojson", "id": "id"}})
    assert found is not None
    xs = np.linspace(0.0001, 0.0099, 100)
    streets = gpd.GeoSeries([shapely.LineString([(x, 50.9), (x, 51.005)]) for x in xs], crs="EPSG:4326")
    gates = entrances_from_streets(found, streets).entrances
    assert len(gates) == MAX_ENTRANCES
    assert np.isclose(gates["lon"].min(), xs[0], atol=1e-6) and np.isclose(gates["lon"].max(), xs[-1], atol=1e-6)
    assert np.diff(np.sort(gates["lon"])).max() < 3 * (xs[-1] - xs[0]) / MAX_ENTRANCES


def test_the_order_of_crossings_does_not_matter() -> None:
    points = np.random.default_rng(5).random((200, 2))
    shuffled = np.random.default_rng(6).permutation(points)
    assert np.array_equal(spread_points(points, 30), spread_points(shuffled, 30))


def test_places_of_the_streets_file(tmp_path: Path) -> None:
    places = gpd.GeoDataFrame(
        {"id": ["way/1", "node/2"], "name": [None, "Hall"], "kind": ["library", "townhall"]},
        geometry=[shapely.geometry.shape(BOX), shapely.Point(-3, 51.5)],
        crs="EPSG:4326",
    )
    specs = {"spaces": {"osm": {"amenity": ["library", "townhall"]}}, "none": {"osm": {"shop": "mall"}, "amount": 3}}
    found, notices = read(tmp_path, specs, {"spaces": places})
    assert found is not None and codes_of(notices) == ["no_osm_places"]
    assert found.table[["id", "name", "kind", "amount"]].to_numpy().tolist() == [
        ["way/1", "", "library", 1.0],
        ["node/2", "Hall", "townhall", 1.0],
    ]


def test_odd_places_are_noticed(tmp_path: Path) -> None:
    """An amount left out, one that is a word, overlapping areas, an empty file, a missing file: all are listed at once."""
    half = {"type": "Polygon", "coordinates": [[[0.005, 51], [0.02, 51], [0.02, 51.01], [0.005, 51.01], [0.005, 51]]]}
    write_places(tmp_path, [({"id": "a", "n": ""}, BOX), ({"id": "b", "n": "5"}, half)])
    found, notices = read(tmp_path, {"x": {"file": "places.geojson", "id": "id", "amount": "n"}})
    assert found is not None and found.table["amount"].tolist() == [0.0, 5.0]
    assert sorted(n.code for n in notices) == ["amount_unknown", "places_overlap"]
    write_places(tmp_path, [({"id": "a", "n": "much"}, BOX)])
    write_places(tmp_path, [], "empty.geojson")
    found, notices = read(
        tmp_path,
        {
            "x": {"file": "places.geojson", "id": "id", "amount": "n"},
            "y": {"file": "empty.geojson", "id": "id"},
            "z": {"file": "plaecs.geojson", "id": "id"},
        },
    )
    assert found is None
    errors = {n.code for n in notices if n.severity == "error"}
    assert {"bad_number", "missing_file"} <= errors and len(errors) == 3
    assert any("did you mean 'places.geojson'?" in n.message for n in notices)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"type": "FeatureCollection"}', b"\x00\x01\x02", b"[1, 2]", b'{"type": "Topology"}']
)
def test_a_broken_map_is_a_message(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.geojson").write_bytes(content)
    found, notices = read(tmp_path, {"x": {"file": "broken.geojson", "id": "id"}})
    assert found is None and codes_of(notices)
    assert all(str(tmp_path) not in str(notice) for notice in notices), "no path of this machine in a message"


def test_newport_and_blackburn_read_whole() -> None:
    """Counts from the description of the data: 105 and 124 places, 76 of the latter areas; 48 rows that are 45 places."""
    here = Path(__file__).resolve().parents[2] / "acceptance"
    shared_data("newport_wales")
    study = read_study_file(here / "newport" / "study.yaml")
    found = read_opportunities(study.destinations, study.folder)
    assert [len(found.rows_of(key)) for key in found.keys] == [105, 124]
    assert len(polygons_without_entrances(found)) == 105 + 76
    assert len(found.rows_of("shared_spaces/amenity=library")) == 6
    shared_data("blackburn_study")
    study = read_study_file(here / "blackburn" / "study.yaml")
    found = read_opportunities(study.destinations, study.folder)
    assert [len(found.rows_of(key)) for key in found.keys] == [16, 45]


def test_places_on_the_other_side_of_the_earth_are_noticed(tmp_path: Path) -> None:
    """Longitude 51.5 and latitude -3 is off Africa: swapped."""
    write_places(
        tmp_path,
        [({"id": "area"}, {"type": "Polygon", "coordinates": [[[-3, 51.5], [-2.9, 51.5], [-2.9, 51.6], [-3, 51.5]]]})],
    )
    zones = read_zones(
        Neighbourhoods.model_validate({"file": "places.geojson", "id": "id"}, context={"folder": tmp_path}), tmp_path
    )
    write_table(tmp_path, "p.csv", [["id", "x", "y"], ["here", -3, 51.5], ["there", 51.5, -3]])
    found, _ = read(tmp_path, {"a": {"file": "p.csv", "id": "id", "lon": "x", "lat": "y"}})
    assert found is not None
    notices: list[Notice] = []
    check_places(found, zones, notices)
    assert [(n.code, n.field) for n in notices] == [("places_far", "destinations.a")]
    assert notices[0].message.startswith("1 of 2 places of 'a' lie over 100 km") and notices[0].message.endswith(
        "swapped"
    )


def test_a_zipped_shapefile_and_a_workbook(tmp_path: Path) -> None:
    """A shapefile as it is usually handed on, and a sheet of a workbook joined to it."""
    frame = gpd.GeoDataFrame(
        {"code": ["a", "b"]}, geometry=[shapely.box(0, 51, 1, 52), shapely.box(1, 51, 2, 52)], crs="EPSG:4326"
    )
    (tmp_path / "parts").mkdir()
    frame.to_file(tmp_path / "parts" / "areas.shp")
    with zipfile.ZipFile(tmp_path / "areas.zip", "w") as archive:
        for part in (tmp_path / "parts").iterdir():
            archive.write(part, part.name)
    people = gpd.GeoDataFrame({"code": ["b", "a"], "n": [7, 5]}, geometry=[None, None])
    people.drop(columns="geometry").pipe(pyogrio.write_dataframe, tmp_path / "people.xlsx", driver="XLSX")
    spec = {"file": "areas.zip", "id": "code", "population": {"file": "people.xlsx", "id": "code", "column": "n"}}
    zones = read_zones(Neighbourhoods.model_validate(spec, context={"folder": tmp_path}), tmp_path)
    assert zones.table["population"].tolist() == [5.0, 7.0]


def test_entrances_of_places_of_the_streets_file(tmp_path: Path) -> None:
    places = gpd.GeoDataFrame(
        {"id": ["way/1"], "name": [""], "kind": ["park"]}, geometry=[shapely.geometry.shape(BOX)], crs="EPSG:4326"
    )
    write_table(tmp_path, "e.csv", [["of", "x", "y"], ["way/1", 0, 51.005]])
    spec = {"osm": {"leisure": "park"}, "entrances": {"file": "e.csv", "id": "of", "lon": "x", "lat": "y"}}
    found, notices = read(tmp_path, {"a": spec}, {"a": places})
    assert found is not None and codes_of(notices) == []
    assert found.entrances.to_numpy().tolist() == [[0, 0.0, 51.005]]
