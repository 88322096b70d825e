"""Areas reached by bus and on foot: circles of known size in the small town, and what the matrix says in the sample."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely

from community_routes.base.errors import UsageError
from community_routes.base.times import HOUR, MINUTE
from community_routes.cli import run_command
from community_routes.evaluation.case import chosen_query, open_study, sample_study
from community_routes.evaluation.places import origin_points
from community_routes.network.walks.links import link_points
from community_routes.travel.isochrone import isochrone
from community_routes.travel.itinerary import journey
from community_routes.travel.matrix import travel_matrix
from feed_zip import feed_zip
from small_town import town_study

METRES_A_DEGREE = 111_195.08


def test_circles_round_the_start_and_where_the_bus_is(tmp_path: Path) -> None:
    """Leave P0 at 08:15. Within 10 minutes 800 m are walked, 615.4 m in a straight line with the detour of 1.3. The bus is
    at P1 at 08:30, after 15 minutes: within 30 it leaves 15 minutes, so 923.1 m round P1 and 1,846.2 m round P0. The
    buses of 08:40 are at P2 and back at P0 at 08:50: within 45 minutes that leaves 10 minutes, so 615.4 m round P2; the
    walk from P1 is limited to 20 minutes, so 1,230.8 m.
    """
    study = open_study(town_study(tmp_path))
    found = isochrone(study, "P0", depart="08:15", minutes=(10, 30, 45))
    expected = ((615.4,), (1846.2, 923.1), (2769.2, 1230.8, 615.4))
    for area, radii in zip(found.areas.geometry, expected, strict=True):
        parts = sorted(shapely.get_parts(area), key=lambda part: part.centroid.x)
        assert len(parts) == len(radii)
        for number, (part, radius) in enumerate(zip(parts, radii, strict=True)):
            west, south, east, north = part.bounds
            assert (west + east) / 2 == pytest.approx(20 + number / 10, abs=1e-4)
            assert (east - west) / 2 * METRES_A_DEGREE == pytest.approx(radius, rel=0.005)
            assert (north - south) / 2 * METRES_A_DEGREE == pytest.approx(radius, rel=0.005)
    assert found.stops[["id", "time_s"]].to_numpy().tolist() == [["S1", 900], ["S0", 2100], ["S2", 2100]]
    assert found.streets is None


def test_who_leaves_a_station_begins_at_its_entrance(tmp_path: Path) -> None:
    """The entrance of the station at P1 lies 0.005 degrees east, 240 m (180 s) of pathway from the platform. Leave P0 at
    08:15; the bus is at P1 at 08:30. Within 30 minutes that leaves 12 minutes, so 738.5 m in a straight line round the
    entrance; to the hall at P1 are 556 m, times 1.3, and 240 m: 962.7 m in 723 s.
    """
    path = town_study(tmp_path)
    with zipfile.ZipFile(tmp_path / "bus.zip") as archive:
        tables = {Path(name).stem: archive.read(name).decode() for name in archive.namelist()}
    rows = [line.split(",") for line in tables["stops"].splitlines()]
    stops = [[*row, *(("0", "ST") if row[0] == "S1" else ("0", ""))] for row in rows[1:]]
    stops += [["ST", "Station", "0", "20.1", "1", ""], ["EN", "Entrance", "0", "20.105", "2", "ST"]]
    heading = [*rows[0], "location_type", "parent_station"]
    assert heading[:4] == ["stop_id", "stop_name", "stop_lat", "stop_lon"]
    tables["stops"] = "\n".join(",".join(row) for row in [heading, *stops])
    tables["pathways"] = "pathway_id,from_stop_id,to_stop_id,pathway_mode,is_bidirectional,length\np,EN,S1,1,1,240\n"
    feed_zip(tmp_path / "bus.zip", **tables)
    study = open_study(path)
    found = isochrone(study, "P0", depart="08:15", minutes=(10, 30))
    part = max(shapely.get_parts(found.areas.geometry.iloc[1]), key=lambda part: part.centroid.x)
    west, _south, east, _north = part.bounds
    assert (west + east) / 2 == pytest.approx(20.105, abs=1e-4)
    assert (east - west) / 2 * METRES_A_DEGREE == pytest.approx(738.5, rel=0.005)
    there = journey(study, "P0", "hallP1", depart="08:15").journeys[0]
    assert there.arrive_s == 8 * HOUR + 30 * MINUTE + 723


def test_whoever_the_matrix_reaches_is_in_the_area() -> None:
    """Neighbourhoods of the sample whose start lies within 30 m of a street: reached in time by the matrix, they are in."""
    study = open_study(sample_study())
    query = chosen_query(study, "07:30-07:31")
    zones = origin_points(study.zones)
    times = travel_matrix(study, query, "weekday", destinations=zones, per_departure=True).time_s[:, 0]
    beside = link_points(study.ground, zones, link_m=study.file.travel.walk.link_m).link_m <= 30
    inside_at_all = 0
    for row in (4, 40, 70):
        found = isochrone(study, str(zones.id[row]), depart="07:30", minutes=(20, 40), day="weekday")
        for limit, area in zip((20, 40), found.areas.geometry, strict=True):
            inside = shapely.contains_xy(area, zones.lon, zones.lat)
            due = beside & (times[row] <= limit * MINUTE)
            assert inside[due].all()
            inside_at_all += int(due.sum())
        assert found.areas.geometry.iloc[1].contains(found.areas.geometry.iloc[0].buffer(-1e-6))
    assert inside_at_all > 40
    assert np.isfinite(found.stops["lon"]).all()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(town_study(tmp_path / "town"))
    for ending in ("geojson", "html", "png", "svg"):
        out = tmp_path / f"reach.{ending}"
        assert run_command(["isochrone", study, "P0", "--depart", "08:15", "--out", str(out), "--quiet"]) == 0
        assert out.stat().st_size > 500
    shapes = json.loads((tmp_path / "reach.geojson").read_text(encoding="utf-8"))
    assert [feature["properties"]["minutes"] for feature in shapes["features"]] == [15, 30, 45]
    capsys.readouterr()
    for wrong in (
        ["P0", "--depart", "08:15", "--out", str(tmp_path / "r.pdf")],
        ["P0", "--depart", "soon", "--out", str(tmp_path / "r.png")],
        ["P0", "--depart", "08:15", "--minutes", "15,x", "--out", str(tmp_path / "r.png")],
        ["P0", "--depart", "08:15", "--minutes", "0,15", "--out", str(tmp_path / "r.png")],
        ["lost", "--depart", "08:15", "--out", str(tmp_path / "r.png")],
        ["Nowhere", "--depart", "08:15", "--out", str(tmp_path / "r.png")],
    ):
        assert run_command(["isochrone", study, *wrong]) == 2
        assert capsys.readouterr().err
    assert not (tmp_path / "r.png").exists()


def test_limits_that_make_no_sense(tmp_path: Path) -> None:
    study = open_study(town_study(tmp_path))
    for minutes in ((), (0,), (-5, 10), (501,), tuple(range(1, 9))):
        with pytest.raises(UsageError, match="minutes are up to"):
            isochrone(study, "P0", depart="08:15", minutes=minutes)


def test_whoever_arrives_in_time_is_in_the_catchment() -> None:
    """From the neighbourhoods of the sample to one of them by 09:00: who can by the matrix is in, and not everybody is."""
    study = open_study(sample_study())
    query = replace(chosen_query(study, "09:00-09:01"), arrive_by=True)
    zones = origin_points(study.zones)
    times = travel_matrix(study, query, "weekday", destinations=zones, per_departure=True).time_s[:, 0]
    beside = link_points(study.ground, zones, link_m=study.file.travel.walk.link_m).link_m <= 30
    inside_at_all = 0
    for row in (4, 40, 70):
        found = isochrone(study, str(zones.id[row]), arrive="09:00", minutes=(20, 40), day="weekday")
        assert found.title.startswith("To ") and found.title.endswith("arriving by 09:00")
        for limit, area in zip((20, 40), found.areas.geometry, strict=True):
            inside = shapely.contains_xy(area, zones.lon, zones.lat)
            due = beside & (times[:, row] <= limit * MINUTE)
            assert inside[due].all()
            assert not inside[times[:, row] > (limit + 10) * MINUTE].any()
            inside_at_all += int(due.sum())
    assert inside_at_all > 40


def test_leaving_or_arriving_but_not_both(tmp_path: Path) -> None:
    study = open_study(town_study(tmp_path / "town"))
    for when in ({}, {"depart": "08:00", "arrive": "09:00"}):
        with pytest.raises(UsageError, match="say when"):
            isochrone(study, "P1", **when)
