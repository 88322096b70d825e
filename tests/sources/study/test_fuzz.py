"""Damaged study files, maps and tables end in a listed error or in a result, whatever was done to them."""

from __future__ import annotations

import json
import os
import random
import tempfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice, errors_in
from community_routes.sources.places.opportunities import entrances_from_streets, read_opportunities
from community_routes.sources.places.zones import read_zones
from community_routes.sources.study.file import StudyFile, read_study_file
from community_routes.sources.study.places import Destinations, Neighbourhoods

STUDY = (Path(__file__).resolve().parents[2] / "acceptance" / "newport" / "study.yaml").read_text(encoding="utf-8")
SPLICES = [
    "\t",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "!!set ",
    "'",
    '"',
    "\n",
    "  ",
    "~",
    "|",
    ">",
    "#",
    "%",
    "@",
]
SPLICES += ["\u0000", "\u0085", "é", "<<: *a", "---\n", "...\n", "null", "1e999", "-.inf", "07:00-07:00", "9999-99-99"]
SPLICES += ["\ufeff", "? ", ", ", "9" * 21]


@st.composite
def damaged(draw: st.DrawFn, text: str) -> bytes:
    """The text with one to five pieces cut out, doubled, replaced by a splice, or with bytes changed."""
    data = text.encode()
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, max(0, len(data) - 1)))
        end = min(len(data), start + draw(st.sampled_from([0, 1, 1, 2, 5, 20, 200])))
        kind = draw(st.sampled_from(["cut", "double", "splice", "byte"]))
        piece = {
            "cut": b"",
            "double": data[start:end] * 2,
            "splice": draw(st.sampled_from(SPLICES)).encode(),
            "byte": bytes([draw(st.integers(0, 255))]),
        }[kind]
        data = data[:start] + piece + data[end:]
    return data


def check_study(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.yaml"
        path.write_bytes(data)
        notices: list[Notice] = []
        try:
            study = read_study_file(path, notices)
        except StudyError:
            assert errors_in(notices)
        else:
            assert isinstance(study, StudyFile)
        for notice in notices:
            assert notice.file == "study.yaml" and notice.message and folder not in str(notice)
            assert (
                notice.row is None
                or 1 <= notice.row <= data.count(b"\n") + data.count(b"\r") + data.count(b"\xc2\x85") + 2
            )


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged(STUDY))
def test_damaged_study_files(data: bytes) -> None:
    check_study(data)


@pytest.mark.slow
@settings(max_examples=4000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged(STUDY))
def test_thousands_of_damaged_study_files(data: bytes) -> None:
    check_study(data)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["07:00-09:00", "2024-03-05"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)
KEYS = [
    "study",
    "title",
    "service_date",
    "streets",
    "timetables",
    "neighbourhoods",
    "destinations",
    "travel",
    "fares",
    "standards",
    "measures",
]


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from([*KEYS, "titel", "fare"]), VALUES, max_size=8))
def test_values_of_any_kind_under_every_key(data: dict[str, Any]) -> None:
    """JSON is YAML, but for its escapes of halves of characters: any value under any key is judged, not stumbled over."""
    check_study(json.dumps(data, ensure_ascii=True).encode())


def square(lon: float) -> dict[str, Any]:
    ring = [[lon, 51.5], [lon + 0.01, 51.5], [lon + 0.01, 51.51], [lon, 51.51], [lon, 51.5]]
    return {"type": "Polygon", "coordinates": [ring]}


MAP = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"id": f"E0100000{i}", "n": i, "rank": i},
                "geometry": square(-3 + 0.02 * i),
            }
            for i in range(1, 4)
        ],
    }
)
TABLE = "id,n,rank,x,y\n" + "".join(f"E0100000{i},{i},{i},{-3 + 0.02 * i},51.505\n" for i in range(1, 4))


def check_places(areas: bytes, table: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "m.geojson").write_bytes(areas)
        (folder / "t.csv").write_bytes(table)
        spec = {
            "file": "m.geojson",
            "id": "id",
            "origin_points": {"file": "t.csv", "id": "id", "lon": "x", "lat": "y"},
            "population": {"file": "t.csv", "id": "id", "column": "n"},
            "deprivation": {"file": "t.csv", "id": "id", "rank": "rank"},
            "groups": {"columns": {"a": "n", "b": "rank"}},
        }
        places = {
            "a": {"file": "m.geojson", "id": "id", "amount": "n"},
            "b": {"file": "t.csv", "id": "id", "lon": "x", "lat": "y", "same_as": "n"},
        }
        context = {"folder": folder}
        notices: list[Notice] = []
        try:
            zones = read_zones(Neighbourhoods.model_validate(spec, context=context), folder, notices)
            assert set(zones.origins["zone"]) == set(range(len(zones)))
            assert zones.origins.groupby("zone")["weight"].sum().between(0.999999, 1.000001).all()
        except StudyError:
            assert errors_in(notices)
        notices.clear()
        try:
            made = {key: Destinations.model_validate(item, context=context) for key, item in places.items()}
            found = entrances_from_streets(read_opportunities(made, folder, {}, notices))
            assert set(found.entrances["place"]) == set(range(len(found)))
            assert (found.table["amount"] >= 0).all()
        except StudyError:
            assert errors_in(notices)
        assert all(name not in str(notice) for notice in notices)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged(MAP), damaged(TABLE), st.sampled_from(["map", "table", "both"]))
def test_damaged_maps_and_tables(areas: bytes, table: bytes, which: str) -> None:
    check_places(areas if which != "table" else MAP.encode(), table if which != "map" else TABLE.encode())


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(damaged(MAP), damaged(TABLE), st.sampled_from(["map", "table", "both"]))
def test_thousands_of_damaged_maps_and_tables(areas: bytes, table: bytes, which: str) -> None:
    check_places(areas if which != "table" else MAP.encode(), table if which != "map" else TABLE.encode())


def test_a_deep_and_a_large_file_end_soon(tmp_path: Path) -> None:
    """Deep nesting, a file of five million bytes and a key of a megabyte are messages."""
    for text in ("a: " + "{b: " * 3000, "#" * 5_000_000, "a" * 1_000_000 + ": 1", "[" + "[]," * 100_000):
        path = tmp_path / "study.yaml"
        path.write_text(text, encoding="utf-8")
        notices: list[Notice] = []
        with pytest.raises(StudyError):
            read_study_file(path, notices)
        assert errors_in(notices) and max(len(str(notice)) for notice in notices) < 5_000
    assert os.path.getsize(tmp_path / "study.yaml") > 0  # noqa: PTH202 - the file is left as it was


def damaged_copies(path: Path, n: int, seed: int) -> Any:
    """The file with bytes flipped or its end cut off, n times."""
    chance = random.Random(seed)
    whole = path.read_bytes()
    for _ in range(n):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 2, 5, 20])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        path.write_bytes(bytes(data))
        yield path


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gpkg", "shp", "fgb", "parquet"])
def test_damaged_binary_maps(tmp_path: Path, kind: str) -> None:
    """Bytes flipped in formats of other libraries: a listed error, or areas that lie on the earth."""
    squares = [shapely.box(i, 51, i + 0.5, 51.5) for i in range(4)]
    frame = gpd.GeoDataFrame({"code": [f"E0100000{i}" for i in range(4)]}, geometry=squares, crs="EPSG:4326")
    path = tmp_path / f"areas.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    outcomes = set()
    for copy in damaged_copies(path, 250, seed=11):
        notices: list[Notice] = []
        try:
            zones = read_zones({"file": copy.name, "id": "code"}, tmp_path, notices)
            west, south, east, north = zones.table.total_bounds
            assert -180 <= west <= east <= 180 and -90 <= south <= north <= 90
            outcomes.add("read")
        except StudyError:
            assert errors_in(notices)
            outcomes.add("refused")
        assert all(str(tmp_path) not in str(notice) for notice in notices)
    assert outcomes == {"read", "refused"}
