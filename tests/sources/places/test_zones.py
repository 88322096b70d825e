"""Neighbourhoods: joins with their counts, origins, groups, and every fault named."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice
from community_routes.sources.places.zones import Zones, read_zones
from community_routes.sources.study.file import read_study_file
from community_routes.sources.study.places import Neighbourhoods
from conftest import shared_data

CODES = [f"E010000{i:02d}" for i in range(1, 21)]


def square(lon: float, lat: float, side: float = 0.01) -> dict[str, Any]:
    ring = [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def write_areas(
    folder: Path,
    codes: Sequence[str] = CODES,
    name: str = "areas.geojson",
    *,
    shapes: Any = None,
    **columns: Sequence[Any],
) -> Path:
    """One square for each code, in a row from west to east: the i-th has its south-west corner at (-3 + 0.02 i, 51.5)."""
    features = []
    for i, code in enumerate(codes):
        properties = {"code": code, **{key: values[i] for key, values in columns.items()}}
        geometry = shapes[i] if shapes is not None else square(-3 + 0.02 * i, 51.5)
        features.append({"type": "Feature", "properties": properties, "geometry": geometry})
    path = folder / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def write_table(folder: Path, name: str, heading: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    with (folder / name).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([heading, *rows])
    return folder / name


def zones_of(folder: Path, **spec: Any) -> tuple[Zones | None, list[Notice]]:
    notices: list[Notice] = []
    made = Neighbourhoods.model_validate({"file": "areas.geojson", "id": "code", **spec}, context={"folder": folder})
    try:
        return read_zones(made, folder, notices), notices
    except StudyError:
        return None, notices


def codes_of(notices: Sequence[Notice]) -> list[str]:
    return sorted(notice.code for notice in notices if notice.severity != "info")


def test_an_area_alone_starts_inside_itself_and_counts_one(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES[:3])
    zones, notices = zones_of(tmp_path)
    assert zones is not None and codes_of(notices) == []
    assert zones.table["id"].tolist() == CODES[:3] == zones.table["name"].tolist()
    assert zones.table["population"].tolist() == [1.0, 1.0, 1.0] and not zones.has_population
    assert zones.table["deprivation_rank"].isna().all() and zones.groups is None
    assert zones.origins["zone"].tolist() == [0, 1, 2] and zones.origins["weight"].tolist() == [1.0, 1.0, 1.0]
    assert zones.origins["lat"].between(51.5, 51.51).all()
    assert np.allclose(zones.origins["lon"], [-2.995, -2.975, -2.955])


def test_population_deprivation_and_groups_are_joined_by_code(tmp_path: Path) -> None:
    """Groups 30 and 10 of a neighbourhood of 100 are 75 and 25 persons; the table's order does not matter."""
    write_areas(tmp_path, CODES[:2], title=["North", "South"], ward=["W1", "W2"])
    heading = ["lsoa", "people", "rank", "decile", "a", "b", "c"]
    write_table(tmp_path, "t.csv", heading, [[CODES[1], "1,200", 7, 3, 0, 5, 5], [CODES[0], 100, 2, 1, 30, 4, 6]])
    zones, notices = zones_of(
        tmp_path,
        name="title",
        group="ward",
        population={"file": "t.csv", "id": "lsoa", "column": "people"},
        deprivation={"file": "t.csv", "id": "lsoa", "rank": "rank", "decile": "decile"},
        groups={"file": "t.csv", "id": "lsoa", "columns": {"one": "a", "two": ["b", "c"]}},
    )
    assert zones is not None and codes_of(notices) == []
    assert zones.table[["name", "group"]].to_numpy().tolist() == [["North", "W1"], ["South", "W2"]]
    assert zones.table["population"].tolist() == [100.0, 1200.0]
    assert zones.table["deprivation_rank"].tolist() == [2.0, 7.0]
    assert zones.table["deprivation_decile"].tolist() == [1.0, 3.0]
    assert zones.groups is not None
    assert zones.groups["one"].tolist() == [75.0, 0.0] and zones.groups["two"].tolist() == [25.0, 1200.0]
    said = [notice.message for notice in notices if notice.code == "rows_joined"]
    assert said == ["2 of 2 neighbourhoods have a row in t.csv, and 2 of its 2 rows were used"] * 3


def test_without_a_file_the_columns_are_those_of_the_areas(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES[:2], people=[10, 20], rank=[2, 1], x=[-2.99, -2.97], y=[51.505, 51.505])
    zones, notices = zones_of(
        tmp_path, population={"column": "people"}, deprivation={"rank": "rank"}, origin_points={"lon": "x", "lat": "y"}
    )
    assert zones is not None and codes_of(notices) == []
    assert zones.table["population"].tolist() == [10.0, 20.0] and zones.table["deprivation_rank"].tolist() == [2.0, 1.0]
    assert zones.origins["lon"].tolist() == [-2.99, -2.97]


def test_several_origins_share_their_zone_by_weight(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES[:2])
    rows = [[CODES[1], -2.975, 51.505, 30], [CODES[0], -2.995, 51.505, 5], [CODES[1], -2.972, 51.505, 10]]
    write_table(tmp_path, "p.csv", ["code", "x", "y", "homes"], rows)
    points = {"file": "p.csv", "id": "code", "lon": "x", "lat": "y"}
    zones, notices = zones_of(tmp_path, origin_points={**points, "weight": "homes"})
    assert zones is not None and codes_of(notices) == []
    assert zones.origins.to_numpy().tolist() == [
        [0, CODES[0], -2.995, 51.505, 1.0],
        [1, f"{CODES[1]}#1", -2.975, 51.505, 0.75],
        [1, f"{CODES[1]}#2", -2.972, 51.505, 0.25],
    ]
    zones, notices = zones_of(tmp_path, origin_points=points)
    assert zones is None, "without a weight, two points of one area are a mistake"
    assert [(n.code, n.row, n.value) for n in notices if n.severity == "error"] == [("duplicate_place_id", 4, CODES[1])]


def test_a_join_below_95_percent_is_an_error_that_lists_both_sides(tmp_path: Path) -> None:
    """18 of 20 is 90 %; 19 of 20 is 95 %, which is enough and a warning."""
    write_areas(tmp_path)
    spec = {"file": "t.csv", "id": "code", "column": "people"}
    write_table(tmp_path, "t.csv", ["code", "people"], [[code, 5] for code in [*CODES[:18], "X1", "X2"]])
    zones, notices = zones_of(tmp_path, population=spec)
    assert zones is None
    (fault,) = [notice for notice in notices if notice.severity == "error"]
    assert fault.code == "join_failed"
    assert fault.message == (
        "18 of 20 neighbourhoods have a row in t.csv, and 18 of its 20 rows were used (at least 95% are needed); "
        f"without a row: {CODES[18]}, {CODES[19]}; rows left over: X1, X2"
    )
    write_table(tmp_path, "t.csv", ["code", "people"], [[code, 5] for code in CODES[:19]])
    zones, notices = zones_of(tmp_path, population=spec)
    assert zones is not None and zones.table["population"].tolist() == [5.0] * 19 + [0.0]
    assert codes_of(notices) == ["nobody_lives_there", "population_unknown", "rows_unmatched"]


def test_a_wrong_column_is_named_at_its_line_with_the_nearest(tmp_path: Path) -> None:
    write_areas(tmp_path)
    write_table(tmp_path, "t.csv", ["code", "total_usual_residents"], [[code, 5] for code in CODES])
    for name in ("bus.zip", "work.geojson"):
        (tmp_path / name).touch()
    (tmp_path / "study.yaml").write_text(
        "study: x\nservice_date: 2024-03-05\nstreets: {crow_fly: {}}\ntimetables: bus.zip\n"
        "destinations: {jobs: {file: work.geojson, id: id}}\n"
        "neighbourhoods:\n  file: areas.geojson\n  id: code\n"
        "  population: {file: t.csv, id: code, column: total_usual_resident}\n"
        "  deprivation: {file: t.csv, id: code, rank: IMD}\n",
        encoding="utf-8",
    )
    study = read_study_file(tmp_path / "study.yaml")
    notices: list[Notice] = []
    with pytest.raises(StudyError):
        read_zones(study.neighbourhoods, study.folder, notices)
    found = [n for n in notices if n.severity == "error"]
    assert [(n.code, n.file, n.row, n.column, n.field, n.value) for n in found] == [
        ("unknown_column", "study.yaml", 9, 47, "neighbourhoods.population.column", "total_usual_resident"),
        ("unknown_column", "study.yaml", 10, 46, "neighbourhoods.deprivation.rank", "IMD"),
    ]
    assert found[0].message == "t.csv has no column 'total_usual_resident'; did you mean 'total_usual_residents'?"
    assert found[1].message == "t.csv has no column 'IMD'; it has code, total_usual_residents"


def test_faulty_rows_are_named(tmp_path: Path) -> None:
    """A code twice, a blank code, a word for a number, a negative one, a decile of 11 and a row too short, all at once."""
    write_areas(tmp_path, [*CODES[:18], CODES[0], ""])
    rows = [[code, 5, 1] for code in CODES[:18]]
    rows[2][1], rows[3][1], rows[4][2] = "many", "-4", "11"
    write_table(tmp_path, "t.csv", ["code", "people", "decile"], [*rows, ["E01999999", 4]])
    zones, notices = zones_of(
        tmp_path,
        population={"file": "t.csv", "id": "code", "column": "people"},
        deprivation={"file": "t.csv", "id": "code", "decile": "decile"},
    )
    assert zones is None
    assert sorted({(n.code, n.file, n.row, n.value) for n in notices if n.severity == "error"}, key=str) == [
        ("bad_decile", "t.csv", 6, "11"),
        ("bad_number", "t.csv", 4, "many"),
        ("bad_number", "t.csv", 5, "-4"),
        ("bad_row", "t.csv", 20, ""),
        ("blank_place_id", "areas.geojson", 20, ""),
        ("duplicate_place_id", "areas.geojson", 19, CODES[0]),
    ]


def test_a_polygon_that_crosses_itself_is_mended(tmp_path: Path) -> None:
    """A bow tie of two triangles, each a quarter of the square around it."""
    tie = {"type": "Polygon", "coordinates": [[[0, 51], [0.01, 51.01], [0.01, 51], [0, 51.01], [0, 51]]]}
    write_areas(tmp_path, CODES[:2], shapes=[tie, square(0.02, 51)])
    zones, notices = zones_of(tmp_path)
    assert zones is not None and codes_of(notices) == ["polygon_mended"]
    assert zones.table.geometry.is_valid.all()
    assert np.isclose(zones.table.geometry.iloc[0].area, 0.5 * 0.01 * 0.01)


def test_a_line_and_an_area_of_nothing_are_errors(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": [[0, 51], [0.01, 51]]}
    flat = {"type": "Polygon", "coordinates": [[[0, 51], [0.01, 51], [0, 51], [0, 51]]]}
    write_areas(tmp_path, CODES[:3], shapes=[line, flat, None])
    zones, notices = zones_of(tmp_path)
    assert zones is None
    found = {(n.code, n.row) for n in notices if n.severity == "error"}
    assert ("wrong_geometry", 1) in found and ("no_geometry", 3) in found
    assert any(row == 2 for _, row in found)


def test_metres_of_the_british_grid_need_their_name(tmp_path: Path) -> None:
    """Easting 330,000 and northing 188,000 is near Newport; without `crs` they are no degrees."""
    shape = {
        "type": "Polygon",
        "coordinates": [[[330000, 188000], [331000, 188000], [331000, 189000], [330000, 188000]]],
    }
    write_areas(tmp_path, CODES[:1], shapes=[shape])
    zones, notices = zones_of(tmp_path)
    assert zones is None and "add `crs: EPSG:27700`" in notices[0].message
    for crs in ("EPSG:27700", "27700"):
        zones, notices = zones_of(tmp_path, crs=crs)
        assert zones is not None and codes_of(notices) == []
        assert zones.origins["lon"].between(-3.02, -2.98).all() and zones.origins["lat"].between(51.58, 51.60).all()
    zones, notices = zones_of(tmp_path, crs="EPSG:nonsense")
    assert zones is None and codes_of(notices) == ["no_crs"]


def test_origins_elsewhere_are_noticed(tmp_path: Path) -> None:
    """One point 0.005 degrees of latitude north of its square is 556 m outside; all of them swapped is an error."""
    write_areas(tmp_path, CODES[:3])
    rows = [[CODES[0], -2.995, 51.515], [CODES[1], -2.975, 51.505], [CODES[2], -2.955, 51.505]]
    write_table(tmp_path, "p.csv", ["code", "x", "y"], rows)
    zones, notices = zones_of(tmp_path, origin_points={"file": "p.csv", "id": "code", "lon": "x", "lat": "y"})
    assert zones is not None
    (notice,) = [n for n in notices if n.code == "origin_outside"]
    assert "556 m outside" in notice.message and notice.value == CODES[0]
    zones, notices = zones_of(tmp_path, origin_points={"file": "p.csv", "id": "code", "lon": "y", "lat": "x"})
    assert zones is None
    (fault,) = [n for n in notices if n.severity == "error"]
    assert fault.code == "origin_far" and "'lon' and 'lat' are swapped" in fault.message


def test_deprivation_upside_down_is_suspected(tmp_path: Path) -> None:
    """Ranks 1, 2, 3, 4 with deciles 10, 8, 5, 1 run in opposite directions; one pair out of step is named."""
    deprivation = {"rank": "rank", "decile": "decile"}
    write_areas(tmp_path, CODES[:4], rank=[1, 2, 3, 4], decile=[10, 8, 5, 1])
    _, notices = zones_of(tmp_path, deprivation=deprivation)
    assert codes_of(notices) == ["decile_direction"]
    write_areas(tmp_path, CODES[:4], rank=[1, 2, 3, 4], decile=[1, 2, 1, 3])
    _, notices = zones_of(tmp_path, deprivation=deprivation)
    assert [(n.code, n.value) for n in notices if n.severity == "warning"] == [("decile_beside_rank", CODES[2])]
    name = "Decile (10 is the most deprived)"
    write_areas(tmp_path, CODES[:2], **{name: [1, 2]})
    _, notices = zones_of(tmp_path, deprivation={"decile": name})
    assert codes_of(notices) == ["decile_direction"]


def test_ranks_of_two_nations_are_not_one_ranking(tmp_path: Path) -> None:
    write_areas(tmp_path, [*CODES[:2], "W01000001"], rank=[1, 2, 3])
    _, notices = zones_of(tmp_path, deprivation={"rank": "rank"})
    assert codes_of(notices) == ["ranks_of_two_nations"]
    assert "2 neighbourhoods of England and 1 of Wales" in notices[-1].message


def test_nobody_anywhere_is_an_error(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES[:2], people=[0, 0])
    zones, notices = zones_of(tmp_path, population={"column": "people"})
    assert zones is None and codes_of(notices) == ["no_people_at_all"]


CODES_11 = [*CODES[:8], "E01009901", "E01009902"]
CODES_21 = [*CODES[:8], "E01035001", "E01035002", "E01035003"]


def test_codes_of_2011_and_2021_are_recognised_both_ways(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES_11)
    write_table(tmp_path, "t.csv", ["code", "people"], [[code, 5] for code in CODES_21])
    spec = {"file": "t.csv", "id": "code", "column": "people"}
    zones, notices = zones_of(tmp_path, population=spec)
    assert zones is None
    assert "the neighbourhoods have codes of 2011 and the table those of 2021 (3 are new)" in notices[-1].message
    write_areas(tmp_path, CODES_21)
    write_table(tmp_path, "t.csv", ["code", "people"], [[code, 5] for code in CODES_11])
    zones, notices = zones_of(tmp_path, population=spec)
    assert zones is None
    assert (
        "the neighbourhoods have codes of 2021 (3 of these are new) and the table those of 2011" in notices[-1].message
    )


def test_a_lookup_adds_split_areas_and_shares_merged_ones(tmp_path: Path) -> None:
    """E01009901 was split in two (7 and 8 persons: 15 in all); E01009902 is the new ...003 alone.

    The other way, the 40 persons of ...901 are shared by homes, 1 to 3, and its rank is that of both.
    """
    lookup = [[code, code, 1] for code in CODES[:8]]
    lookup += [["E01009901", "E01035001", 1], ["E01009901", "E01035002", 3], ["E01009902", "E01035003", 1]]
    write_table(tmp_path, "l.csv", ["old", "new", "homes"], lookup)
    write_areas(tmp_path, CODES_11)
    write_table(
        tmp_path,
        "t.csv",
        ["code", "people"],
        [*([code, 5] for code in CODES[:8]), *zip(CODES_21[8:], [7, 8, 9], strict=True)],
    )
    spec = {"file": "t.csv", "id": "code", "column": "people", "lookup": {"file": "l.csv", "from": "new", "to": "old"}}
    zones, notices = zones_of(tmp_path, population=spec)
    assert zones is not None and codes_of(notices) == []
    assert zones.table["population"].tolist() == [5.0] * 8 + [15.0, 9.0]
    write_areas(tmp_path, CODES_21)
    rows = [*([code, 5, i + 1] for i, code in enumerate(CODES[:8])), ["E01009901", 40, 9], ["E01009902", 3, 10]]
    write_table(tmp_path, "t.csv", ["code", "people", "rank"], rows)
    to_new = {"file": "t.csv", "id": "code", "lookup": {"file": "l.csv", "from": "old", "to": "new", "weight": "homes"}}
    zones, notices = zones_of(
        tmp_path, population={**to_new, "column": "people"}, deprivation={**to_new, "rank": "rank"}
    )
    assert zones is not None and codes_of(notices) == []
    assert zones.table["population"].tolist() == [5.0] * 8 + [10.0, 30.0, 3.0]
    assert zones.table["deprivation_rank"].tolist() == [*range(1, 9), 9.0, 9.0, 10.0]


def test_rows_that_a_lookup_brings_home_are_not_called_unused(tmp_path: Path) -> None:
    """All three rows are used though no place has the codes of two; X9 alone, which the lookup leads to nobody, is not."""
    write_areas(tmp_path, CODES_11[7:9])
    lookup = [["E01035001", CODES_11[8]], ["E01035002", CODES_11[8]], ["X9", "elsewhere"]]
    write_table(tmp_path, "l.csv", ["new", "old"], lookup)
    spec = {"file": "t.csv", "id": "code", "column": "people", "lookup": {"file": "l.csv", "from": "new", "to": "old"}}
    rows = [[CODES_11[7], 5], ["E01035001", 7], ["E01035002", 8]]
    both = "2 of 2 neighbourhoods have a row in t.csv, and 3 of its"
    for more, said in (([], f"{both} 3 rows were used"), ([["X9", 1]], f"{both} 4 rows were used; not used: X9")):
        write_table(tmp_path, "t.csv", ["code", "people"], [*rows, *more])
        _, notices = zones_of(tmp_path, population=spec)
        assert [n.message for n in notices if n.code == "rows_joined"] == [said]


def test_other_kinds_of_areas_and_changed_codes_are_explained(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES[:4])
    spec = {"file": "t.csv", "id": "code", "column": "people"}
    write_table(tmp_path, "t.csv", ["code", "people"], [[f"E0200000{i}", 5] for i in range(4)])
    _, notices = zones_of(tmp_path, population=spec)
    assert (
        "are lower super output areas (LSOA), the table holds middle super output areas (MSOA)" in notices[-1].message
    )
    write_table(tmp_path, "t.csv", ["code", "people"], [[code.lower(), 5] for code in CODES[:4]])
    _, notices = zones_of(tmp_path, population=spec)
    assert "4 of them differ only in capitals" in notices[-1].message


def test_newport_and_blackburn_read_whole() -> None:
    """Totals from the files themselves: 95 areas with 159,611 residents, 91 with 150,030; 23 of Newport's are in decile 1."""
    here = Path(__file__).resolve().parents[2] / "acceptance"
    shared_data("newport_wales")
    study = read_study_file(here / "newport" / "study.yaml")
    zones = read_zones(study.neighbourhoods, study.folder)
    assert (len(zones), len(zones.origins), zones.table["population"].sum()) == (95, 95, 159_611)
    assert (zones.table["deprivation_decile"] == 1).sum() == 23
    assert zones.table["group"].nunique() == 20 and zones.table["income_rank"].notna().all()
    assert zones.groups is not None and np.allclose(zones.groups.sum(axis=1), zones.table["population"])
    shared_data("blackburn_study")
    study = read_study_file(here / "blackburn" / "study.yaml")
    zones = read_zones(study.neighbourhoods, study.folder)
    assert (len(zones), zones.table["population"].sum()) == (91, 150_030)
    assert list(study.windows_on("sunday")) == ["daytime"]
    assert zones.table["group"].nunique() == 17, "the wards of Blackburn with Darwen"
    given = zones.table.set_index("id")[["deprivation_rank", "deprivation_decile"]]
    beside = gpd.read_file(study.neighbourhoods.file).set_index("lsoa11cd")[["imd2019_rank", "imd2019_decile"]]
    assert np.array_equal(given.to_numpy(), beside.loc[given.index].to_numpy()), "two copies of the index agree"


def test_newport_with_a_table_of_2021_is_explained_and_mended_by_the_lookup() -> None:
    """Five areas of 2011 were split in 2021: 90 of 95 match, 94.7 %. With the lookup nobody is lost: 159,611 residents."""
    folder = shared_data("newport_wales")
    spec = {
        "file": "lsoa11_W06000022.geojson",
        "id": "LSOA11CD",
        "population": {
            "file": "population_age_lsoa21_census2021.csv",
            "id": "lsoa21_code",
            "column": "total_usual_residents",
        },
    }
    notices: list[Notice] = []
    with pytest.raises(StudyError, match="codes of 2011 and the table those of 2021"):
        read_zones(Neighbourhoods.model_validate(spec, context={"folder": folder}), folder, notices)
    spec["population"] |= {"lookup": {"file": "lookup_lsoa11_lsoa21.csv", "from": "lsoa21_code", "to": "lsoa11_code"}}  # type: ignore[operator]
    zones = read_zones(Neighbourhoods.model_validate(spec, context={"folder": folder}), folder)
    assert zones.table["population"].sum() == 159_611


def test_the_larger_area_may_come_from_a_table_and_the_income_rank_beside_the_rank(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES[:2])
    write_table(tmp_path, "w.csv", ["lsoa", "ward", "r", "i"], [[CODES[1], "South", 1, 8], [CODES[0], "North", 2, 9]])
    beside = {"file": "w.csv", "id": "lsoa"}
    zones, notices = zones_of(
        tmp_path, group={**beside, "column": "ward"}, deprivation={**beside, "rank": "r", "income_rank": "i"}
    )
    assert zones is not None and codes_of(notices) == []
    assert zones.table["group"].tolist() == ["North", "South"]
    assert zones.table["income_rank"].tolist() == [9.0, 8.0]
    _, notices = zones_of(tmp_path, group={**beside, "column": "wrad"})
    assert "did you mean 'ward'?" in notices[-1].message


def test_zones_from_a_dict_and_in_a_notebook(tmp_path: Path) -> None:
    write_areas(tmp_path, CODES[:2], title=["<b>", "South"])
    zones = read_zones({"file": "areas.geojson", "id": "code", "name": "title"}, tmp_path)
    assert repr(zones) == "Zones(2 neighbourhoods, 2 origins, population not given)"
    shown = zones._repr_html_()
    assert "Zones(2 neighbourhoods" in shown and "&lt;b&gt;" in shown and "<b>" not in shown
    with pytest.raises(StudyError, match="idd"):
        read_zones({"file": "areas.geojson", "idd": "code"}, tmp_path)


def test_tables_as_councils_save_them(tmp_path: Path) -> None:
    """Semicolons, tabs, UTF-16, Windows letters, packed; a heading twice is a fault only when it is asked for."""
    write_areas(tmp_path, ["Caffè", "b"])
    spec = {"file": "t.csv", "id": "code", "column": "n"}
    text = "code;n;n2\r\nCaffè;1;\r\n\r\n;;\r\nb;2;\r\n"
    for data, warning in [
        (text.encode("utf-8-sig"), []),
        (text.encode("utf-16"), []),
        (text.replace(";", "\t").encode(), []),
        (text.encode("cp1252"), ["table_not_utf8"]),
    ]:
        (tmp_path / "t.csv").write_bytes(data)
        zones, notices = zones_of(tmp_path, population=spec)
        assert zones is not None and zones.table["population"].tolist() == [1.0, 2.0]
        assert codes_of(notices) == warning
    with gzip.open(tmp_path / "t.csv.gz", "wb") as stream:
        stream.write(text.encode())
    zones, _ = zones_of(tmp_path, population={**spec, "file": "t.csv.gz"})
    assert zones is not None
    (tmp_path / "t.csv").write_text("code,n,n\nCaffè,1,2\nb,1,2\n", encoding="utf-8")
    zones, notices = zones_of(tmp_path, population=spec)
    assert zones is None and "t.csv has two columns 'n'" in notices[-1].message
    for broken in (b"", b"\x1f\x8b broken", b"a\x00b", b'code,n\n"' + b"x" * 200_000):
        (tmp_path / "t.csv").write_bytes(broken)
        (tmp_path / "t.csv.gz").write_bytes(broken)
        for name in ("t.csv", "t.csv.gz"):
            zones, notices = zones_of(tmp_path, population={**spec, "file": name})
            assert zones is None and codes_of(notices), (broken[:10], name)


def test_income_of_a_year_is_twelve_months_and_what_is_unknown_is_told(tmp_path: Path) -> None:
    """24,000 a year are 2,000 a month; 0 is no income; 300 a week are 300 x 52/12 = 1,300 a month."""
    write_areas(tmp_path, CODES[:3])
    (tmp_path / "i.csv").write_text(f"code,net\n{CODES[0]},24000\n{CODES[1]},0\n{CODES[2]},300\n", encoding="utf-8")
    zones, notices = zones_of(tmp_path, income={"file": "i.csv", "id": "code", "column": "net"})
    assert zones is not None and codes_of(notices) == ["income_unknown"]
    assert zones.table["income_per_month"].tolist()[::2] == [2000.0, 25.0]
    assert np.isnan(zones.table["income_per_month"].iat[1])
    weekly, _ = zones_of(tmp_path, income={"file": "i.csv", "id": "code", "column": "net", "per": "week"})
    assert weekly is not None and weekly.table["income_per_month"].iat[2] == 1300.0
