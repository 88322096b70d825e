"""One place in two files: no time from it to itself, in every command, and no walk over the street and back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from community_routes.cli import run_command
from community_routes.evaluation.case import open_study
from community_routes.evaluation.evaluate import evaluate
from drawn_streets import METRES_A_DEGREE, at, grid_city
from feed_zip import feed_zip

STUDY = """\
study: town
service_date: 2024-03-05
streets: {osm: town.osm.pbf}
timetables: [bus.zip]
neighbourhoods: {file: areas.geojson, id: id, origin_points: {file: homes.csv, id: id, lon: lon, lat: lat}}
destinations: {halls: {file: halls.geojson, id: id}}
travel: {windows: {w: 08:00-08:02}, cutoffs_min: [30]}
"""
HOMES = {"home": (50, -48), "other": (450, 30)}
"""Metres east and north in a grid of streets 100 m apart: the hall stands where home is, 48 m off the street."""


def spot(x_m: float, y_m: float) -> tuple[float, float]:
    """Ten degrees east of where grids are drawn: a stop at (0, 0) counts as one without coordinates."""
    return at(x_m + 10 * METRES_A_DEGREE, y_m)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("same")
    city = grid_city(6, 6)
    city.nodes = {node: (x + 10 * METRES_A_DEGREE, y) for node, (x, y) in city.nodes.items()}
    city.write(folder / "town.osm.pbf", box=(*spot(-500, -500), *spot(1500, 1500)))
    stops = [
        f"{stop},{stop},{spot(*place)[1]},{spot(*place)[0]}" for stop, place in (("A", (50, -48)), ("B", (500, 500)))
    ]
    feed_zip(
        folder / "bus.zip",
        stops="stop_id,stop_name,stop_lat,stop_lon\n" + "\n".join(stops) + "\n",
        trips="route_id,service_id,trip_id\nR7,daily,T1\n",
        stop_times=(
            "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT1,08:02:00,08:02:00,A,1\nT1,08:04:00,08:04:00,B,2\n"
        ),
    )
    ring = [(-20, -20), (20, -20), (20, 20), (-20, 20), (-20, -20)]
    areas = [
        {
            "type": "Feature",
            "properties": {"id": name},
            "geometry": {"type": "Polygon", "coordinates": [[spot(x + dx, y + dy) for dx, dy in ring]]},
        }
        for name, (x, y) in HOMES.items()
    ]
    hall = {
        "type": "Feature",
        "properties": {"id": "hall"},
        "geometry": {"type": "Point", "coordinates": spot(50, -48)},
    }
    for name, features in (("areas", areas), ("halls", [hall])):
        (folder / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    rows = [f"{name},{spot(*place)[0]:.7f},{spot(*place)[1]:.7f}" for name, place in HOMES.items()]
    (folder / "homes.csv").write_text("id,lon,lat\n" + "\n".join(rows) + "\nfar,19.0,0.0\n")
    (folder / "copy.csv").write_text((folder / "homes.csv").read_text())
    (folder / "study.yaml").write_text(STUDY)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("to", ["homes.csv", "copy.csv"])
def test_matrix(folder: Path, tmp_path: Path, to: str) -> None:
    """0 s from each place to itself, were it off the network, from one file and from two.

    From home to other it is 48 m to the street, 400 m along it and 30 m from it: 478 m at 4.8 km/h are 358.5 s.
    """
    asked = ["matrix", str(folder / "study.yaml"), "--from", str(folder / "homes.csv"), "--to", str(folder / to)]
    assert run_command([*asked, "--percentiles", "50", "--out", str(tmp_path / "m.csv"), "--quiet"]) == 0
    found = {(row["origin"], row["destination"]): (row["p50"], row["reason"]) for row in rows(tmp_path / "m.csv")}
    assert [found[name, name] for name in ("home", "other", "far")] == [("0", "")] * 3
    assert found["home", "other"] == ("359", "")
    assert found["home", "far"] == ("", "off_network")


def test_run(folder: Path) -> None:
    """The hall is 0 s from home, whose point has seven decimals in the table and all of them in the map."""
    times = evaluate(open_study(folder / "study.yaml")).time_s["day", "w"]
    assert times[0, :, 0].tolist() == [0, 0]
    assert times[1, :, 0].tolist() == [359, 359]


def test_sites(folder: Path, tmp_path: Path) -> None:
    lon, lat = spot(50, -48)
    (tmp_path / "sites.csv").write_text(f"id,lon,lat\nA,{lon:.6f},{lat:.6f}\n")
    asked = [
        "sites",
        str(folder / "study.yaml"),
        str(tmp_path / "sites.csv"),
        "--out",
        str(tmp_path / "out"),
        "--quiet",
    ]
    assert run_command([*asked, "--pages", "none"]) == 0
    (row,) = rows(tmp_path / "out" / "sites.csv")
    assert row["nearest__day__w__halls"] == "0"
    assert row["nearest_on_foot__any_day__any_time__halls"] == "0"
    assert float(row["nearest_stop_m__day__all_day__stops"]) == 0


def test_a_stop_is_a_place_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From stop A at 08:01 the bus of 08:02 is caught with its minute of slack: nobody walks 48 m to the street and back."""
    asked = ["journey", str(folder / "study.yaml"), "A", "B", "--depart", "08:01", "--json", "--quiet"]
    assert run_command(asked) == 0
    (first, *_) = json.loads(capsys.readouterr().out)["journeys"]
    assert (first["rides"], first["time_s"], first["walk_m"]) == (1, 180, 0)
