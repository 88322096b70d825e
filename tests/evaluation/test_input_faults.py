"""Odd inputs of every kind of reader: each is a message that says where and what to do, never a foreign exception."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest

import community_routes as cr
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, open_study
from community_routes.measures.equity import erreygers_index
from community_routes.over_time.runs import read_run
from community_routes.report.files import geopackage
from community_routes.sites.read import read_sites
from community_routes.travel.matrix import read_places
from feed_zip import feed_zip
from small_town import STUDY, town_study

RING = [[20.0, 0.0], [20.01, 0.0], [20.01, 0.01], [20.0, 0.0]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")), cache=None)


def map_of(path: Path, *shapes: Any, ids: tuple[Any, ...] = ("a", "b")) -> Path:
    """A map with a place of each shape."""
    features = [
        {"type": "Feature", "properties": {} if name is ... else {"id": name}, "geometry": shape}
        for name, shape in zip(ids, shapes, strict=False)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def area(*ring: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [list(ring or RING)]}


POINT = {"type": "Point", "coordinates": [20.0, 0.0]}


@pytest.mark.parametrize(
    ("shapes", "ids", "words"),
    [
        ([area(), area(*RING[:3])], ("a", "b"), "row 2: the place 'b' has no geometry, or an outline that does not close"),
        ([area(), area(*RING[:2])], ("a", "b"), "row 2"),
        ([POINT, None], ("a", "b"), "row 2"),
        ([POINT, {"type": "Polygon", "coordinates": []}], ("a", "b"), "row 2"),
        ([POINT, POINT], ("a", None), "row 2: the id is blank"),
        ([POINT, POINT], (1, ...), "row 2: the id is blank"),
        ([POINT, POINT], (1, "1"), "row 2: the id '1' stands there twice"),
        ([POINT, {"type": "Point", "coordinates": [1e300, 0.0]}], ("a", "b"), "row 2: the coordinates 1e+300, 0"),
        ([POINT, area(RING[0], [float("nan"), 0.0], *RING[2:])], ("a", "b"), "row 2: the coordinates"),
    ],
)  # fmt: skip
def test_a_map_of_places_that_cannot_be_used_says_which_row(
    study: Study, tmp_path: Path, shapes: list[Any], ids: tuple[Any, ...], words: str
) -> None:
    path = map_of(tmp_path / "places.geojson", *shapes, ids=ids)
    with pytest.raises(cr.StudyError, match=r"places\.geojson") as told:
        read_places(study, path)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,lon,lat\na,20,0,9\nb,20,0\n", "row 2: 4 cells under 3 headings"),
        ("id,lon,lat\na,20,0\nb,20\n", "row 3: 2 cells under 3 headings"),
        ("id,lon,lat\na,20,0\n\n,20,0\n", "row 4: the id is blank"),
        ("id,id,lon,lat\na,b,20,0\n", "two columns 'id'"),
        ("id,lon,lat\na,1e400,0\n", "row 2: '1e400', '0' are no degrees"),
        ("id,lon,lat\na,nan,0\n", "row 2"),
    ],
)
def test_a_table_of_places_that_cannot_be_used_says_which_row(
    study: Study, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "places.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(cr.StudyError, match=r"places\.csv") as told:
        read_places(study, path)
    assert words in str(told.value)


def test_ids_of_mixed_kinds_are_text(study: Study, tmp_path: Path) -> None:
    """A number is written without a point, beside words."""
    (tmp_path / "places.csv").write_text("id,lon,lat\n1,20,0\nx,20,0\n2.0,20,0\n", encoding="utf-8")
    assert read_places(study, tmp_path / "places.csv").id.tolist() == ["1", "x", "2.0"]
    path = map_of(tmp_path / "places.geojson", POINT, POINT, ids=(1, 2.0))
    assert read_places(study, path).id.tolist() == ["1", "2"]


@pytest.mark.parametrize("ring", [RING[:3], RING[:2], [RING[0], [float("nan"), 0.0], *RING[2:]]])
def test_a_site_whose_outline_does_not_close_fails_alone(tmp_path: Path, ring: list[Any]) -> None:
    path = map_of(tmp_path / "sites.geojson", area(), area(*ring), POINT, ids=("good", "open", "point"))
    good, wrong, point = read_sites(path)
    assert good.fault is None and point.fault is None
    assert wrong.fault is not None
    assert (wrong.fault.line, wrong.fault.id, wrong.fault.field, wrong.fault.reason) == (
        2,
        "open",
        "geometry",
        "bad_shape",
    )
    assert "does not close" in str(wrong.fault)


def test_homes_beyond_belief_are_no_number(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").write_text("id,lon,lat,homes\na,20,0,1e300\nb,20,0,40\n", encoding="utf-8")
    wrong, good = read_sites(tmp_path / "sites.csv")
    assert wrong.fault is not None and (wrong.fault.field, wrong.fault.reason) == ("homes", "bad_number")
    assert good.fault is None


AMOUNTS = STUDY.replace("name: name}", "name: name, amount: jobs}").replace(
    "name: label}",
    "name: label, population: {file: people.csv, id: id, column: n}, deprivation: {file: people.csv, id: id, rank: rank}}",
)


def with_amounts(folder: Path, jobs: Any, persons: str = "100") -> Path:
    """The town, with the same amount in every hall and the same persons in every place."""
    path = town_study(folder, AMOUNTS)
    halls = json.loads((folder / "spaces.geojson").read_text(encoding="utf-8"))
    for hall in halls["features"]:
        hall["properties"]["jobs"] = jobs
    (folder / "spaces.geojson").write_text(json.dumps(halls), encoding="utf-8")
    names = [*(f"P{number}" for number in range(7)), "far", "lost"]
    rows = [f"{name},{persons},{rank}" for rank, name in enumerate(names, start=1)]
    (folder / "people.csv").write_text("\n".join(["id,n,rank", *rows, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("jobs", [0, None])
def test_nothing_to_reach_leaves_the_index_of_equity_empty(tmp_path: Path, jobs: Any) -> None:
    """Without any opportunity nothing lies between the bounds; counts are 0, and what compares them is missing."""
    today = cr.evaluate(open_study(with_amounts(tmp_path, jobs), cache=None))
    groups = cr.compare(today).groups
    index = groups[groups["measure"] == "erreygers_index_of_cumulative_opportunities"]
    assert len(index) and index["value"].isna().all()
    counts = today.access[today.access["measure"] == "cumulative_opportunities"]["value"].dropna()
    assert len(counts) and (counts == 0).all()


def test_sums_in_another_order_lie_within_the_bounds() -> None:
    """Ten times 0.1 added one by one is a little less than 1; access of 1 is then all there is, and a tenth more is not."""
    assert erreygers_index([1, 0], [1, 1], [1, 2], lower=0, upper=sum([0.1] * 10)) == pytest.approx(-1)
    with pytest.raises(ValueError, match="outside the bounds"):
        erreygers_index([1.1, 0], [1, 1], [1, 2], lower=0, upper=1)


@pytest.mark.parametrize(
    ("jobs", "persons", "words"),
    [
        (1e300, "100", "spaces.geojson row 1 (jobs): '1e+300' is more than 1,000,000,000,000"),
        (-1, "100", "spaces.geojson row 1 (jobs): '-1' is less than 0"),
        ("many", "100", "spaces.geojson row 1 (jobs): 'many' is no number"),
        (5, "1e300", "people.csv row 2 (n): '1e300' is more than 1,000,000,000,000"),
        (5, "inf", "people.csv row 2 (n): 'inf' is no number"),
        (5, "-3", "people.csv row 2 (n): '-3' is less than 0"),
    ],
)
def test_figures_that_nothing_can_be_counted_with_are_refused(
    tmp_path: Path, jobs: Any, persons: str, words: str
) -> None:
    with pytest.raises(cr.StudyError) as told:
        open_study(with_amounts(tmp_path, jobs, persons), cache=None)
    assert words in str(told.value)


def test_a_map_without_any_usable_area_is_told(tmp_path: Path) -> None:
    """The areas' ids are all empty: no origin is left, and every row is named."""
    path = town_study(tmp_path)
    areas = json.loads((tmp_path / "areas.geojson").read_text(encoding="utf-8"))
    areas["features"] = areas["features"][:1]
    areas["features"][0]["properties"]["code"] = None
    (tmp_path / "areas.geojson").write_text(json.dumps(areas), encoding="utf-8")
    with pytest.raises(cr.StudyError, match=r"areas\.geojson row 1 \(code\): this .* has no id"):
        open_study(path, cache=None)


@pytest.mark.parametrize("given", [None, 42, object(), b"study.yaml", [[]], 3.5, True, "a\0b", "caf\udce9.yaml"])
def test_what_is_no_path_is_said_in_a_sentence(study: Study, tmp_path: Path, given: Any) -> None:
    """Wherever Python is given a path."""
    for call in (
        lambda: open_study(given),
        lambda: cr.read_feed(given, notices=[]),
        lambda: cr.read_streets(given),
        lambda: cr.read_scenario(given),
        lambda: cr.read_scenarios([given], study),
        lambda: cr.read_run(given),
        lambda: cr.compare_runs([tmp_path, given]),
        lambda: cr.assess_sites(study, given, tmp_path / "out"),
        lambda: read_places(study, given),
        lambda: cr.write_feed(study.feed, given, date_stamp=study.file.dates["day"]),
    ):
        with pytest.raises(cr.UsageError, match="path"):
            call()


@pytest.mark.skipif(sys.platform != "linux", reason="names there are bytes of any kind")
def test_names_that_are_no_utf8_are_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, name = town_study(tmp_path / "town"), os.fsdecode(b"caf\xe9")
    for asked in (["run", str(path), "--out", str(tmp_path / name)], ["check", str(tmp_path / f"{name}.yaml")]):
        assert run_command([*asked, "--quiet"]) == 2
        assert "is not UTF-8" in capsys.readouterr().err
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    assert run_command(["run", str(path), "--out", "out", "--quiet"]) == 2
    assert "lies in a folder whose name is not" in capsys.readouterr().err
    assert not any(Path.cwd().iterdir())


CAPITALS = """\
study: town
service_date: {weekday: 2024-03-05, Weekday: 2024-03-06}
streets: {crow_fly: {detour: 1.3}}
timetables: [feed.zip]
neighbourhoods: {file: homes.csv, id: id, lon: lon, lat: lat}
destinations:
  jobs: {file: first.csv, id: id, lon: lon, lat: lat}
  Jobs: {file: both.csv, id: id, lon: lon, lat: lat}
travel: {windows: {am: 08:00-08:02, AM: 08:30-08:32}}
"""


def capitals(folder: Path) -> Path:
    feed_zip(folder / "feed.zip")
    for name, rows in (
        ("homes", ["h,-3.0,51.6"]),
        ("first", ["b,-2.99,51.6"]),
        ("both", ["b,-2.99,51.6", "c,-2.98,51.6"]),
    ):
        (folder / f"{name}.csv").write_text("\n".join(["id,lon,lat", *rows, ""]), encoding="utf-8")
    (folder / "study.yaml").write_text(CAPITALS, encoding="utf-8")
    return folder / "study.yaml"


def test_names_that_differ_in_capitals_only_come_whole(tmp_path: Path) -> None:
    """Keys, days and windows: ``jobs`` holds one place, ``Jobs`` two, and each layer and column is there, once."""
    path, out = capitals(tmp_path), tmp_path / "out"
    assert run_command(["run", str(path), "--out", str(out), "--quiet"]) == 0
    assert run_command(["sites", str(path), str(tmp_path / "homes.csv"), "--out", str(tmp_path / "s"), "--quiet"]) == 0
    with sqlite3.connect(out / "results.gpkg") as database:
        names = [name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")]
        sizes = [
            database.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names if n.startswith("destinations")
        ]
        columns = [row[1] for row in database.execute("PRAGMA table_info(neighbourhoods)")]
    assert sorted(sizes) == [1, 2]
    reached = [column for column in columns if "cumulative_opportunities" in column]
    assert len(reached) == 2 * 2 * 2 == len({column.lower() for column in reached})
    table = gpd.read_file(out / "results.gpkg", layer="neighbourhoods")
    assert sorted(table[[column for column in reached if "__45" in column]].iloc[0]) == [1] * 4 + [2] * 4
    assert sorted(file.name for file in (out / "maps").glob("*.png")) == [
        "today-Jobs-weekday-am_2.png",
        "today-jobs-weekday-am.png",
    ]
    sites = gpd.read_file(tmp_path / "s" / "sites.gpkg", layer="sites")
    assert sum(column.startswith("nearest__") for column in sites.columns) == 8


def test_a_study_with_one_kind_of_place_has_its_report(tmp_path: Path) -> None:
    """Whatever the key is called: the leading figures are of that kind, and never of the stops or wards beside it."""
    path = capitals(tmp_path)
    path.write_text(CAPITALS.replace("  jobs: {file: first.csv, id: id, lon: lon, lat: lat}\n", ""), encoding="utf-8")
    assert run_command(["run", str(path), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    assert sorted(file.name for file in (tmp_path / "out" / "maps").glob("*.png")) == ["today-Jobs-weekday-am.png"]


def test_too_many_figures_of_sites_have_layers_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight columns fit into a layer here; every figure of sites.csv is in one of the layers, with the same value."""
    monkeypatch.setattr(geopackage, "_MOST_COLUMNS", 8)
    path, out = town_study(tmp_path), tmp_path / "out"
    (tmp_path / "sites.csv").write_text("id,lon,lat\nh,20.0,0.0\n", encoding="utf-8")
    assert run_command(["sites", str(path), str(tmp_path / "sites.csv"), "--out", str(out), "--quiet"]) == 0
    told = pd.read_csv(out / "sites.csv").iloc[0]
    layers = [name for name, _ in pyogrio.list_layers(out / "sites.gpkg")]
    assert layers == ["sites", "sites_day", "sites_day_2", "sites_any_day"]
    tables = [gpd.read_file(out / "sites.gpkg", layer=layer) for layer in layers]
    assert [table["id"].tolist() for table in tables] == [["h"]] * 4
    held = {column: table[column].iloc[0] for table in tables for column in table.columns if "__" in column}
    assert set(held) == {name for name in told.index if "__" in name and not name.endswith("__around")}
    assert all(held[name] == told[name] for name in held)
    assert held["nearest__day__peak__shared_spaces"] == 0 and told["first_bus__day__all_day__stops"] == "06:00:00"


def test_the_nearest_is_the_same_in_run_and_in_sites(tmp_path: Path) -> None:
    """From A ready at 08:00, 08:01 ... 08:04. To B buses at 08:02 and 08:40 take 5 minutes, to D at 08:12 and 08:50 too.

    With a minute to board, B is 7, 6, 42, 41 and 40 minutes away, D 17 to 13: the nearest 7, 6, 15, 14, 13, in the middle 13.
    The median times are 40 and 15 minutes, whose nearest is no answer.
    """
    times = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    for trip, leaves, stop in (("b1", "02", "B"), ("b2", "40", "B"), ("d1", "12", "D"), ("d2", "50", "D")):
        clock = f"08:{leaves}:00", f"08:{int(leaves) + 5:02}:00"
        times += f"{trip},{clock[0]},{clock[0]},A,1\n{trip},{clock[1]},{clock[1]},{stop},2\n"
    trips = "route_id,service_id,trip_id\n" + "".join(f"R7,daily,{trip}\n" for trip in ("b1", "b2", "d1", "d2"))
    stops = "stop_id,stop_name,stop_lat,stop_lon\nA,A,51.6,-3.0\nB,B,51.6,-2.9\nD,D,51.7,-3.0\n"
    feed_zip(tmp_path / "feed.zip", stop_times=times, trips=trips, stops=stops)
    (tmp_path / "homes.csv").write_text("id,lon,lat\nh,-3.0,51.6\n", encoding="utf-8")
    (tmp_path / "both.csv").write_text("id,lon,lat\nb,-2.9,51.6\nd,-3.0,51.7\n", encoding="utf-8")
    (tmp_path / "study.yaml").write_text(
        "study: n\nservice_date: 2024-03-05\nstreets: {crow_fly: {detour: 1.3}}\ntimetables: [feed.zip]\n"
        "neighbourhoods: {file: homes.csv, id: id, lon: lon, lat: lat}\n"
        "destinations:\n  halls: {file: both.csv, id: id, lon: lon, lat: lat}\n"
        "travel: {windows: {am: 08:00-08:05}}\n",
        encoding="utf-8",
    )
    opened = open_study(tmp_path / "study.yaml", cache=None)
    access = cr.evaluate(opened).access.query("kind == 'halls' and measure == 'nearest'").set_index("reading")["value"]
    cr.assess_sites(opened, tmp_path / "homes.csv", tmp_path / "s", pages=["none"])
    site = pd.read_csv(tmp_path / "s" / "sites.csv").iloc[0]
    assert site["nearest__day__am__halls"] == access["p50"] == 13 * 60
    assert site["nearest__day__am__halls__around"] == 13 * 60
    assert (access["p25"], access["p75"]) == (7 * 60, 14 * 60)


def test_lists_where_the_names_of_a_run_belong_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_command(["run", str(town_study(tmp_path)), "--out", str(out), "--no-maps", "--quiet"]) == 0
    whole = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert read_run(out).study_id == "town"
    row = whole["inputs"][0]
    for changed in (
        {"study": ["town"]},
        {"version": 1},
        {"title": {"en": "Town"}},
        {"title": "\ud800"},
        {"inputs": [{**row, "name": ["bus.zip"]}]},
        {"inputs": [{**row, "sha256": 5}]},
        {"inputs": ["bus.zip"]},
        {"service_dates": {"day": [2024]}},
    ):
        (out / "run.json").write_text(json.dumps({**whole, **changed}), encoding="utf-8")
        with pytest.raises(cr.UsageError, match=r"run\.json is damaged .*; run the study again"):
            read_run(out)


def test_a_wrong_column_hides_no_other(tmp_path: Path) -> None:
    """The boundaries' id, a column of residents and a table's id are wrong at once: one round tells of all three."""
    path = town_study(tmp_path)
    (tmp_path / "people.csv").write_text("area,persons\n" + "".join(f"P{k},10\n" for k in range(7)), encoding="utf-8")
    text = STUDY.replace("id: code, name", "id: coed, population: {file: people.csv, id: zzz, column: person}, name")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(cr.CommunityRoutesError) as raised:
        open_study(path, cache=None)
    said = str(raised.value)
    assert "areas.geojson has no column 'coed'; did you mean 'code'?" in said
    assert "people.csv has no column 'zzz'; it has area, persons" in said
    assert "people.csv has no column 'person'; did you mean 'persons'?" in said


def test_a_window_early_on_a_sunday_is_told_of(tmp_path: Path) -> None:
    """07:00-08:00 without days is asked for on Sunday too; with days, or on a study of a Sunday alone, nothing is said."""
    two = STUDY.replace("service_date: 2024-03-05", "service_date: {weekday: 2024-03-05, sunday: 2024-03-10}")
    days = two.replace("peak: 07:00-08:00", "peak: {time: 07:00-08:00, days: [weekday]}")
    alone = STUDY.replace("2024-03-05", "2024-03-10")
    told = []
    for number, text in enumerate((two, days, alone)):
        notices: list[Any] = []
        open_study(town_study(tmp_path / str(number), text), cache=None, notices=notices)
        told.append([n.message for n in notices if n.code == "early_on_sunday"])
    assert told[1:] == [[], []]
    assert "add `days: [weekday]` to it" in told[0][0]
