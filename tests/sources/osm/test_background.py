"""The map's background and places asked for by tags, from drawn files of known content."""

from __future__ import annotations

import geopandas as gpd
import pytest
import shapely

from community_routes.sources.osm.background import _repaired, background_layers
from community_routes.sources.osm.read import read_streets
from community_routes.sources.osm.street_map import StreetMap
from drawn_streets import METRES_A_DEGREE, Drawn, at, grid_city

BOX = (*at(-500, -500), *at(1500, 1500))


def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
    """Corners of a square in metres, the first again at the end."""
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]


def square_metres(shape: shapely.Geometry) -> float:
    return shape.area * METRES_A_DEGREE**2


@pytest.fixture
def valley(tmp_path) -> StreetMap:
    """A pond of 100 m in a park of 400 m, a lake ring in two pieces with an island, a railway, a river, a town."""
    drawn = grid_city(3, 2, tags={"highway": "secondary", "name": "High Street"})
    drawn.add_way(10, square(0, 0, 400), leisure="park", name="The Green")
    drawn.add_way(11, square(100, 100, 100), natural="water")
    drawn.add_way(12, [(600, 600), (800, 600), (800, 800)], source="piece")
    drawn.ways[12] = (drawn.ways[12][0], {})
    drawn.add_way(13, [(800, 800), (600, 800), (600, 600)], note="piece")
    drawn.ways[13] = (drawn.ways[13][0], {})
    drawn.add_way(14, square(650, 650, 50), landuse="grass")
    drawn.relations[7] = ([(12, "outer"), (13, "outer"), (14, "inner")], {"type": "multipolygon", "natural": "water"})
    drawn.add_way(15, [(-2000, 50), (3000, 50)], railway="rail")
    drawn.add_way(16, [(0, 900), (500, 900), (0, 900.0)], waterway="river", name="Irwell")
    drawn.nodes[900] = (300.0, 300.0)
    drawn.tagged[900] = {"place": "town", "name": "Milltown"}
    drawn.nodes[901] = (310.0, 300.0)
    drawn.tagged[901] = {"place": "town"}
    drawn.nodes[902] = (320.0, 300.0)
    drawn.tagged[902] = {"amenity": "library", "name": "Old Library"}
    drawn.add_way(17, square(1000, 0, 50), amenity="community_centre", building="yes")
    drawn.add_way(18, [(1000, 500), (1100, 500)], amenity="marketplace")
    drawn.relations[8] = ([(17, "outer"), (99, "outer")], {"type": "multipolygon", "amenity": "library"})
    asked = {
        "shared": {"amenity": ["library", "community_centre", "marketplace"]},
        "parks": {"leisure": ["*"]},
        "none": {"shop": ["mall"]},
    }
    return read_streets(drawn.write(tmp_path / "valley.osm.pbf", box=BOX), places=asked)


def test_full_layers_hold_what_was_drawn(valley):
    """Pond 10,000 m2; lake 40,000 less an island of 2,500 m2; the river is a line though it comes back on itself."""
    layers = valley.background
    water = layers["water"].sort_values("kind")
    areas = water[water.geometry.geom_type != "LineString"]
    assert sorted(square_metres(shape) for shape in areas.geometry) == pytest.approx([10_000, 37_500], rel=1e-3)
    assert list(water[water.geometry.geom_type == "LineString"]["name"]) == ["Irwell"]
    assert [square_metres(shape) for shape in layers["green"].geometry] == pytest.approx([160_000, 2_500], rel=1e-3)
    assert list(layers["railways"]["kind"]) == ["railway=rail"]
    assert list(layers["places"]["name"]) == ["Milltown"]
    assert set(layers["roads"]["kind"]) == {"secondary"} and len(layers["roads"]) == 5
    assert all(str(table.crs) == "EPSG:4326" for table in layers.values())


def test_places_asked_for_by_tags(valley):
    """The library is a point, the centre a polygon of 2,500 m2, the market the middle of its line; a key without any
    place has an empty table."""
    shared = valley.places["shared"].set_index("id")
    assert list(shared.index) == ["node/902", "relation/8", "way/17", "way/18"]
    assert shared["kind"].to_dict() == {
        "node/902": "amenity=library",
        "relation/8": "amenity=library",
        "way/17": "amenity=community_centre",
        "way/18": "amenity=marketplace",
    }
    assert shared.loc["node/902", "name"] == "Old Library"
    assert square_metres(shared.loc["way/17", "geometry"]) == pytest.approx(2_500, rel=1e-3)
    middle = shared.loc["way/18", "geometry"]
    assert (middle.x, middle.y) == pytest.approx(at(1050, 500), abs=1e-7)
    assert list(valley.places["parks"]["id"]) == ["way/10"]
    assert len(valley.places["none"]) == 0
    assert list(valley.places["none"].columns) == ["id", "name", "kind", "geometry"]


def test_small_layers_are_clipped_and_joined(valley):
    """The railway of 5 km is cut to the 2 km of the area; park and grass are one shape of 162,500 m2."""
    layers = background_layers(valley)
    assert shapely.length(layers["railways"].geometry[0]) * METRES_A_DEGREE == pytest.approx(2000, abs=2)
    assert square_metres(layers["green"].geometry[0]) == pytest.approx(162_500, rel=0.01)
    roads = shapely.length(layers["roads"].geometry[0]) * METRES_A_DEGREE
    assert roads == pytest.approx(700, abs=3)


def test_background_fits_into_the_bytes_given(tmp_path):
    """A wiggling river of 4,000 points and 900 ponds: whatever the limit, the tables are no larger."""
    drawn = grid_city(30, 30, tags={"highway": "tertiary"})
    drawn.add_way(500, [(i * 1.0, 1000 + 9.0 * (i % 2)) for i in range(1400)], waterway="river")
    for i in range(400):
        drawn.add_way(1000 + i, square(70.0 * (i % 20), 60.0 * (i // 20), 20.0 + i % 7), natural="water")
    streets = read_streets(drawn.write(tmp_path / "a.osm.pbf", box=BOX))
    sizes = []
    for limit in (400_000, 60_000, 20_000, 5_000, 500):
        layers = background_layers(streets, limit)
        sizes.append(sum(len(table.to_json()) for table in layers.values() if len(table)))
        assert sizes[-1] <= limit + 200
        assert list(layers) == ["water", "green", "railways", "roads", "places"]
    assert sizes[0] > 60_000


def test_no_background_is_no_fault():
    layers = background_layers(Drawn().add_way(1, [(0, 0), (100, 0)], highway="path").street_map())
    assert [len(table) for table in layers.values()] == [0, 0, 0, 0, 0]


def test_areas_that_cross_themselves_are_repaired_once(valley):
    """A bow tie is two triangles of a quarter each: all layers are valid, so that no map needs to repair them."""
    crossing = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    square = shapely.box(0, 0, 1, 1)
    table = gpd.GeoDataFrame({"kind": ["green", "green"]}, geometry=[crossing, square], crs="EPSG:4326")
    found = _repaired(table)
    assert found.geometry.is_valid.all()
    assert found.geometry[0].area == pytest.approx(0.5)
    assert found.geometry[1].equals_exact(square)
    assert all(layer.geometry.is_valid.all() for layer in background_layers(valley).values())
