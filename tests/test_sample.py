"""The sample borough is what its README says: made from its seed, small, believable, odd where real data are, and invented."""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import shapely

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
PROPOSALS = sorted((ROOT / "scenarios").glob("*.yaml"))
M_PER_DEGREE = math.radians(1) * 6_371_008.8
WALKABLE_NOT = {"motorway", "motorway_link"}


def table(name: str, feed: str = "bus") -> pd.DataFrame:
    """One table of a sample timetable, all columns as text."""
    with zipfile.ZipFile(DATA / "gtfs" / f"{feed}.zip") as archive:
        return pd.read_csv(io.BytesIO(archive.read(f"{name}.txt")), dtype=str, keep_default_na=False)


@dataclass
class Map:
    """What a PBF holds: places of nodes, tags of nodes, and ways as tags with node ids."""

    nodes: dict[int, tuple[float, float]]
    node_tags: dict[int, dict[str, str]]
    ways: list[tuple[dict[str, str], tuple[int, ...]]]


def read_map(path: Path) -> Map:
    """Read a PBF without any code of the package."""
    found = Map({}, {}, [])
    for item in osmium.FileProcessor(str(path)):
        tags = {tag.k: tag.v for tag in item.tags}
        if item.is_node():
            found.nodes[item.id] = (round(item.location.lon, 7), round(item.location.lat, 7))
            if tags:
                found.node_tags[item.id] = tags
        elif item.is_way():
            found.ways.append((tags, tuple(node.ref for node in item.nodes)))
    return found


@pytest.fixture(scope="module")
def osm() -> Map:
    """The sample's streets."""
    return read_map(DATA / "osm" / "millgate.osm.pbf")


@pytest.fixture(scope="module")
def areas() -> gpd.GeoDataFrame:
    """Neighbourhoods with their people, in metres from the middle."""
    borders = gpd.read_file(DATA / "boundaries" / "neighbourhoods.geojson")
    for name in ("population/population.csv", "deprivation/deprivation.csv", "groups/groups.csv"):
        more = pd.read_csv(DATA / name)
        borders = borders.merge(more[[c for c in more if c == "id" or c not in borders]], on="id", validate="1:1")
    flat = gpd.GeoSeries(list(shapely.transform(borders.geometry.array, metres)))
    return gpd.GeoDataFrame(pd.DataFrame(borders.drop(columns="geometry")), geometry=flat)


def metres(lonlat: np.ndarray) -> np.ndarray:
    """Degrees to metres on a plane, good to a thousandth over the borough."""
    return np.column_stack(
        [(lonlat[:, 0] + 3.75) * M_PER_DEGREE * math.cos(math.radians(53.8)), (lonlat[:, 1] - 53.8) * M_PER_DEGREE]
    )


def street_lines(osm: Map) -> list[Any]:
    """Streets that people may walk on, in metres."""
    found = []
    for tags, refs in osm.ways:
        if "highway" in tags and tags["highway"] not in WALKABLE_NOT:
            found.append(shapely.LineString(metres(np.asarray([osm.nodes[ref] for ref in refs]))))
    return found


def test_the_seed_gives_the_committed_sample(tmp_path: Path, osm: Map) -> None:
    """The generator run again writes the same tables, the same archives' members and the same map."""
    made = json.loads((DATA / "made.json").read_text("utf-8"))
    here = {
        "geos": shapely.geos_version_string,
        "numpy": ".".join(np.__version__.split(".")[:2]),
        "shapely": ".".join(shapely.__version__.split(".")[:2]),
    }
    if any(made[key] != value for key, value in here.items()):
        pytest.skip(f"the sample was made with {made}, here are {here}: geometry may differ in the last digit")
    subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_sample.py"), "--out", str(tmp_path)],
        check=True,
        capture_output=True,
    )
    written = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    kept = {path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file() and path.suffix != ".md"}
    assert set(written) == kept - {Path("study.yaml"), Path("study.schema.json")}
    for name in written:
        if name.suffix == ".zip":
            with zipfile.ZipFile(tmp_path / name) as new, zipfile.ZipFile(DATA / name) as old:
                assert {n: new.read(n) for n in new.namelist()} == {n: old.read(n) for n in old.namelist()}, name
        elif name.suffix == ".pbf":
            assert read_map(tmp_path / name) == osm
        else:
            assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name


def test_it_is_small(osm: Map) -> None:
    """Under 3 MB with the proposals, and at most 50,000 nodes."""
    files = [path for path in DATA.rglob("*") if path.is_file()] + PROPOSALS
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert len(osm.nodes) <= 50_000


def test_it_is_called_invented_everywhere() -> None:
    """READMEs, study, proposals, titles in the geo files, and the timetables' own publisher and operators say so."""
    texts = [
        path.read_text("utf-8")
        for path in (*DATA.rglob("*.md"), DATA / "study.yaml", *PROPOSALS, *DATA.rglob("*.geojson"))
    ]
    texts += [table("feed_info", feed)["feed_publisher_name"].iloc[0] for feed in ("bus", "rail")]
    texts += [name for feed in ("bus", "rail") for name in table("agency", feed)["agency_name"]]
    assert len(texts) > 15
    for text in texts:
        assert "nvented" in text, text[:80]
    header = osmium.io.Reader(str(DATA / "osm" / "millgate.osm.pbf")).header()
    assert "Invented" in header.get("generator")


def test_every_street_hangs_together(osm: Map) -> None:
    """From any walkable street one can walk to any other (union of the nodes of each way)."""
    parent: dict[int, int] = {}

    def root(node: int) -> int:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for tags, refs in osm.ways:
        if "highway" in tags and tags["highway"] not in WALKABLE_NOT:
            for ref in refs[1:]:
                parent[root(refs[0])] = root(ref)
    assert len({root(node) for node in list(parent)}) == 1


def test_streets_are_those_of_a_town(osm: Map) -> None:
    """All kinds from motorway to footpath; main streets and most residential ones have names; one-way streets exist."""
    kinds = pd.Series([tags["highway"] for tags, _ in osm.ways if "highway" in tags]).value_counts()
    for kind in (
        "motorway",
        "trunk",
        "primary",
        "secondary",
        "tertiary",
        "unclassified",
        "residential",
        "pedestrian",
        "service",
        "footway",
        "path",
        "track",
    ):
        assert kinds.get(kind, 0) >= 1, kind
    named = [
        bool(tags.get("name")) for tags, _ in osm.ways if tags.get("highway") in ("primary", "secondary", "residential")
    ]
    assert np.mean(named) > 0.9
    assert sum(tags.get("oneway") == "yes" for tags, _ in osm.ways if tags.get("highway") == "residential") >= 5
    background = {
        key for tags, _ in osm.ways for key in ("waterway", "natural", "leisure", "landuse", "railway") if key in tags
    }
    assert background == {"waterway", "natural", "leisure", "landuse", "railway"}
    assert sum("place" in tags for tags in osm.node_tags.values()) >= 20


def test_stops_are_beside_streets(osm: Map) -> None:
    """Every stop of bus and rail lies within 50 m of a street that people may walk on."""
    tree = shapely.STRtree(street_lines(osm))
    for feed in ("bus", "rail"):
        stops = table("stops", feed)
        spots = shapely.points(metres(stops[["stop_lon", "stop_lat"]].astype(float).to_numpy()))
        _, far = tree.query_nearest(spots, return_distance=True, all_matches=False)
        assert len(far) == len(stops)
        assert far.max() <= 50.0, stops.loc[int(far.argmax())].to_dict()


def test_neighbourhoods_cover_the_borough(areas: gpd.GeoDataFrame, osm: Map) -> None:
    """Valid areas without holes between them or overlaps, each with its starting point inside and near a street."""
    assert areas.geometry.is_valid.all()
    assert set(areas.geometry.geom_type) == {"Polygon"}
    union = shapely.union_all(areas.geometry.array)
    assert union.geom_type == "Polygon"
    assert areas.geometry.area.sum() == pytest.approx(union.area, rel=2e-4)
    assert 90e6 < union.area < 160e6
    centres = pd.read_csv(DATA / "boundaries" / "centroids.csv").set_index("id").loc[areas["id"]]
    spots = shapely.points(metres(centres[["lon", "lat"]].to_numpy()))
    assert shapely.dwithin(areas.geometry.array, spots, 12.0).all()
    far = shapely.STRtree(street_lines(osm)).query_nearest(spots, return_distance=True, all_matches=False)[1]
    assert far.max() < 30


def test_people_add_up(areas: gpd.GeoDataFrame) -> None:
    """About 90 neighbourhoods of about 1,500 persons, with ids and names like those of statisticians, in wards."""
    assert 80 <= len(areas) <= 100
    assert areas["id"].str.fullmatch(r"X0100\d{4}").all()
    assert areas["id"].is_unique
    assert areas["name"].str.fullmatch(r"Millgate 0\d\d[A-Z]").all()
    assert areas["name"].is_unique
    assert 12 <= areas["ward"].nunique() <= 20
    assert areas["persons"].sum() == pytest.approx(136_500, abs=60)
    assert areas["persons"].between(700, 3200).all()
    assert (areas[["aldish", "karevi", "other_groups"]].sum(axis=1) == areas["persons"]).all()


def touching(areas: gpd.GeoDataFrame) -> list[tuple[int, int]]:
    """Pairs of neighbourhoods with a common border."""
    a, b = shapely.STRtree(areas.geometry.array).query(areas.geometry.array, predicate="dwithin", distance=0.5)
    return [(i, j) for i, j in zip(a.tolist(), b.tolist(), strict=True) if i < j]


def test_deprivation_is_clustered(areas: gpd.GeoDataFrame) -> None:
    """Borders between two of the most deprived third are far more than in 2,000 random shufflings (join count)."""
    deprived = (areas["rank"].rank() <= len(areas) / 3).to_numpy()
    a, b = np.asarray(touching(areas)).T
    seen = int((deprived[a] & deprived[b]).sum())
    rng = np.random.default_rng(1)
    chance = []
    for _ in range(2000):
        shuffled = rng.permutation(deprived)
        chance.append(int((shuffled[a] & shuffled[b]).sum()))
    assert seen > max(chance)


def test_deprivation_ranks_are_those_of_a_mill_town(areas: gpd.GeoDataFrame) -> None:
    """A quarter to a half in the nation's most deprived tenth, some in the least; rank and decile agree; no rank twice."""
    assert areas["rank"].is_unique
    assert areas["rank"].between(1, 33_000).all()
    assert (areas["decile"] == (areas["rank"] - 1) * 10 // 33_000 + 1).all()
    assert 0.25 < (areas["decile"] == 1).mean() < 0.5
    assert (areas["decile"] >= 9).any()
    assert np.corrcoef(areas["rank"], areas["income_rank"])[0, 1] > 0.9


def test_communities_live_apart_but_not_wholly(areas: gpd.GeoDataFrame) -> None:
    """Index of dissimilarity of the two communities, half the sum of |a/A - k/K|: as high as in real mill towns."""
    aldish, karevi = areas["aldish"] / areas["aldish"].sum(), areas["karevi"] / areas["karevi"].sum()
    assert 0.4 < 0.5 * (aldish - karevi).abs().sum() < 0.8
    assert 0.1 < areas["karevi"].sum() / areas["persons"].sum() < 0.35


def test_fourteen_routes_two_operators_and_a_railway() -> None:
    """The size of the timetable."""
    assert len(table("routes")) == 14
    assert set(table("routes")["agency_id"]) == set(table("agency")["agency_id"]) == {"MT", "ML"}
    rail = table("stops", "rail")
    assert (rail["location_type"] == "1").sum() == 4
    assert set(table("routes", "rail")["route_type"]) == {"2"}


def test_the_timetable_is_odd_where_real_ones_are() -> None:
    """Each oddity that the README of the timetables names is there."""
    trips, calls, stops = table("trips"), table("stop_times"), table("stops")
    assert (calls["departure_time"] >= "24:00:00").any()
    first, last = (
        calls[calls["trip_id"].isin(trips.loc[trips["route_id"] == "MT9", "trip_id"])]
        .groupby("trip_id")["stop_id"]
        .agg(end)
        for end in ("first", "last")
    )
    assert (first == last).all()
    assert len(first) > 20
    assert "market" not in set(table("calendar")["service_id"])
    market = table("calendar_dates").query("service_id == 'market'")
    assert (market["exception_type"] == "1").all()
    assert set(pd.to_datetime(market["date"]).dt.day_name()) == {"Tuesday", "Friday"}
    assert set(trips.loc[trips["shape_id"] == "", "route_id"]) == {"MLM1"}
    assert set(table("frequencies")["exact_times"]) == {"0"}
    blocks = trips[trips["block_id"] != ""].groupby("block_id")["route_id"].agg(set)
    assert len(blocks) > 50
    assert (blocks == {"MT5", "MT6"}).all()
    blank = calls.loc[calls["arrival_time"] == "", "trip_id"]
    assert set(trips.set_index("trip_id").loc[blank, "route_id"].str[:2]) == {"ML"}
    assert set(stops["stop_id"]) - set(calls["stop_id"]) == {"9900MBS", "9900MCLOSED"}
    assert set(trips["wheelchair_accessible"]) == {"", "1", "2"}
    assert {"0", "1", "2"} <= set(stops["wheelchair_boarding"])
    assert set(table("calendar", "rail")["service_id"]) < set(table("calendar")["service_id"])


def test_every_kind_of_day_has_its_own_service() -> None:
    """Weekday, Saturday and Sunday differ, evenings are thinner than days, and some routes have neither evening nor Sunday."""
    trips = table("trips")
    n = trips.groupby("service_id").size()
    assert n["weekday"] > n["saturday"] > n["sunday"] > 100
    starts = table("stop_times").groupby("trip_id")["departure_time"].first().str[:2].astype(int)
    hour = trips["trip_id"].map(starts)
    weekday = trips["service_id"] == "weekday"
    assert (weekday & hour.between(8, 9)).sum() > 1.8 * (weekday & hour.between(20, 21)).sum() > 0
    assert not (trips["route_id"].isin(["ML7", "ML8"]) & ((hour >= 19) | (trips["service_id"] == "sunday"))).any()


def test_run_times_are_those_of_buses() -> None:
    """End to end 14 to 24 km/h for stopping buses, at most 30 for the express; times never fall."""
    calls = table("stop_times")
    calls = calls[(calls["arrival_time"] != "") & (calls["shape_dist_traveled"] != "")]
    h, m, s = (calls["arrival_time"].str.split(":", expand=True)[k].astype(int) for k in range(3))
    calls = calls.assign(t=h * 3600 + m * 60 + s, far=calls["shape_dist_traveled"].astype(float))
    assert (calls.groupby("trip_id")["t"].diff().dropna() >= 0).all()
    assert (calls.groupby("trip_id")["far"].diff().dropna() > 0).all()
    ends = calls.groupby("trip_id").agg(t0=("t", "first"), t1=("t", "last"), d=("far", "last"))
    speed = ends["d"] / (ends["t1"] - ends["t0"]) * 3.6
    express = speed.index.str.startswith("MLX5")
    assert speed[~express].between(14, 24).all(), speed[~express].describe()
    assert speed[express].between(18, 30).all()


def test_shapes_run_along_streets(osm: Map) -> None:
    """Every point of the drawn bus courses lies on a street (2 m)."""
    shapes = table("shapes")
    spots = shapely.points(metres(shapes[["shape_pt_lon", "shape_pt_lat"]].astype(float).to_numpy()))
    far = shapely.STRtree(street_lines(osm)).query_nearest(spots, return_distance=True, all_matches=False)[1]
    assert far.max() < 2.0


def test_destinations(areas: gpd.GeoDataFrame) -> None:
    """Employment as areas and one point with jobs, shared spaces of many kinds, all within the borough."""
    work = gpd.read_file(DATA / "destinations" / "employment.geojson")
    spaces = gpd.read_file(DATA / "destinations" / "shared_spaces.geojson")
    assert set(work.geometry.geom_type) == {"Polygon", "Point"}
    assert 25_000 < work["jobs"].sum() < 45_000
    assert (work["jobs"] > 0).all()
    assert {"library", "community_centre", "park", "market", "leisure_centre", "place_of_worship"} <= set(
        spaces["kind"]
    )
    borough = shapely.union_all(areas.geometry.array)
    for places in (work, spaces):
        assert places["id"].is_unique
        assert places.geometry.is_valid.all()
        assert all(borough.covers(shapely.transform(g, metres)) for g in places.geometry)


def test_sites_lie_within_the_borough(areas: gpd.GeoDataFrame) -> None:
    """Sites for new homes have what a batch needs; all lie in it."""
    sites = pd.read_csv(DATA / "sites" / "sites.csv")
    assert list(sites.columns) == ["id", "name", "lon", "lat", "homes", "year"]
    assert sites["id"].is_unique
    assert len(sites) >= 40
    assert (sites["homes"] > 0).all()
    borough = shapely.union_all(areas.geometry.array)
    assert shapely.covers(borough, shapely.points(metres(sites[["lon", "lat"]].to_numpy()))).all()


def test_at_least_four_proposals() -> None:
    """A cross-town link, doubled evenings, Sundays, a withdrawal, and one that builds on another."""
    assert {path.stem for path in PROPOSALS} >= {
        "cross-town-link",
        "double-evenings",
        "sunday-service",
        "withdraw-8",
        "link-and-evenings",
    }
