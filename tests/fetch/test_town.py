"""Open data for an authority: a whole study from made-up services, and what happens when it is killed half-way."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import osmium
import pytest

from community_routes.base.errors import UsageError
from community_routes.base.files import hash_of_file
from community_routes.cli import run_command
from community_routes.fetch.town import FetchError, Options, fetch_authority
from community_routes.sources.gtfs.read import read_feed
from open_data import CODES, OLD, Answer, Services, good_services, grid, serving

NAME = "Blackburn with Darwen"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """The services, running, with nothing wrong."""
    with serving(good_services(tmp_path)) as found:
        found.sources(tmp_path / "addresses.json")
        yield found


def fetch(folder: Path, name: str = NAME, out: str = "town", **options: object) -> Path:
    """Fetch into a folder beside the file of addresses, without waiting; gives the folder."""
    given = Options(**options)  # type: ignore[arg-type]
    fetch_authority(name, folder / out, options=given, sources=folder / "addresses.json", wait=lambda seconds: None)
    return folder / out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_command_writes_a_study_that_is_checked_and_run(services: Services, tmp_path: Path) -> None:
    """`fetch`, `check` and `run` all end with 0; six areas, two kinds of places from the streets, jobs of two MSOAs."""
    out = tmp_path / "town"
    command = [
        "fetch",
        "E06000008",
        "--out",
        str(out),
        "--sources",
        str(tmp_path / "addresses.json"),
        "--cache",
        "none",
    ]
    assert run_command(command) == 0
    assert run_command(["check", str(out / "study.yaml"), "--strict"]) == 0
    results = tmp_path / "results"
    assert run_command(["run", str(out / "study.yaml"), "--out", str(results), "--no-maps"]) == 0
    access = rows(results / "access.csv")
    assert {row["neighbourhood"] for row in access} == set(CODES)
    assert {row["kind"] for row in access} >= {"employment", "shared_spaces", "jobs"}


def test_the_files_hold_what_the_services_gave(services: Services, tmp_path: Path) -> None:
    """Census and ranks are those of area k; far stops and places are cut off; every download has its sha256 and date."""
    out = fetch(tmp_path)
    assert [row["residents"] for row in rows(out / "census.csv")] == ["100", "200", "300", "400", "500", "600"]
    assert [row["no_car"] for row in rows(out / "census.csv")] == ["10", "20", "30", "40", "50", "60"]
    assert [row["white"] for row in rows(out / "census.csv")] == ["60", "120", "180", "240", "300", "360"]
    assert [(row["rank"], row["decile"]) for row in rows(out / "deprivation.csv")][2] == ("3000", "3")
    assert [row["jobs"] for row in rows(out / "jobs.csv")] == ["100", "200"]
    assert [row["ATCOCode"] for row in rows(out / "naptan.csv")] == ["2580A", "2580B", "2580C", "2580D"]
    found = rows(out / "timetable_notices.csv")
    assert ("north_west.zip/stop_times.txt", "unknown_trip") in {(row["file"], row["code"]) for row in found}
    feed = read_feed(out / "bus.zip")
    assert sorted(feed.stops["stop_id"]) == ["2580A", "2580B", "2580C", "2580D"]
    assert len(feed.trips) == 48
    assert list(feed.calendar.service_id) == ["daily"]
    assert list(feed.agencies["agency_id"]) == ["OP1"]
    assert list(feed.routes["route_short_name"]) == ["7"]
    names = [node.tags.get("name", "") for node in osmium.FileProcessor(str(out / "streets.osm.pbf"), osmium.osm.NODE)]
    assert "Central Library" in names
    assert "Elsewhere" not in names
    areas = osmium.FileProcessor(str(out / "streets.osm.pbf"), osmium.osm.RELATION)
    assert [area.tags["name"] for area in areas] == ["Queen's Park"]
    record = json.loads((out / "sources.json").read_text("utf-8"))
    assert {name: hash_of_file(out / name) for name in record["written"]} == record["written"]
    assert set(record["written"]) == {path.name for path in out.iterdir()} - {"sources.json"}
    given = {service["service"]: service for service in record["services"]}
    assert given["timetable"]["downloads"][0]["date"] == "2026-03-02"  # Last-Modified
    assert given["lookup"]["downloads"][0]["date"] == "2026-03-03"  # Date, where nothing else is said
    assert given["streets"]["downloads"][0]["address"].endswith("great-britain/england/lancashire.pbf")
    assert all(service["licence"] for service in given.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["addresses.json", "county.osm.pbf", "town"]


def test_killed_half_way_and_run_again_it_ends_with_the_same_bytes(services: Services, tmp_path: Path) -> None:
    """The process is killed while a census table hangs; the next run asks for nothing twice that it had."""
    whole = contents(fetch(tmp_path, out="whole"))
    never = threading.Event()
    services.fail("/cars", Answer(b"x", hang=never))
    services.asked.clear()
    command = [sys.executable, "-m", "community_routes.cli", "fetch", NAME, "--out", str(tmp_path / "town")]
    command += ["--sources", str(tmp_path / "addresses.json"), "--cache", "none"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    give_up = time.monotonic() + 60
    while not any("/cars" in target for target, _ in services.asked) and time.monotonic() < give_up:
        time.sleep(0.05)
    child.kill()
    child.wait()
    never.set()
    before = {target for target, _ in services.asked if "/cars" not in target}
    assert "/population" in before
    assert not (tmp_path / "town").exists()
    services.asked.clear()
    assert contents(fetch(tmp_path)) == whole
    assert before.isdisjoint(target for target, _ in services.asked)


def test_killed_while_files_are_moved_it_is_mended_by_the_next_run(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The study is new and the record still the old one's: the next run does not take that for a change by hand."""
    out = fetch(tmp_path)
    lean = {"without": frozenset({"jobs"})}
    whole = contents(fetch(tmp_path, out="whole", **lean))
    replace = Path.replace

    def replace_but_the_record(path: Path, target: Path) -> Path:
        if Path(target) == out / "sources.json":
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_but_the_record)
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, **lean)
    monkeypatch.undo()
    assert (out / "study.yaml").read_bytes() == whole["study.yaml"]
    assert (out / "sources.json").read_bytes() != whole["sources.json"]
    assert contents(fetch(tmp_path, **lean)) == whole


def test_a_failed_run_replaces_nothing_and_the_next_one_goes_on(services: Services, tmp_path: Path) -> None:
    """The timetable answers 404 in the second run: the first one's files are as they were; the third run ends well."""
    out = fetch(tmp_path)
    before = contents(out)
    services.fail("/bods/", Answer(b"gone", 404))
    with pytest.raises(FetchError, match=r"Bus Open Data Service.*bods/north_west/.*404"):
        fetch(tmp_path)
    assert contents(out) == before
    assert contents(fetch(tmp_path)) == before


def test_a_cache_spares_what_has_not_changed(services: Services, tmp_path: Path) -> None:
    """With a cache the second run asks whether the timetable changed, and writes the same files."""
    cached = {"sources": tmp_path / "addresses.json", "cache": tmp_path / "cache"}
    fetch_authority(NAME, tmp_path / "a", **cached)
    services.asked.clear()
    fetch_authority(NAME, tmp_path / "b", **cached)
    asked = dict(services.asked)
    assert "If-None-Match" in asked["/bods/north_west/"]
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_study_changed_by_hand_is_not_replaced(services: Services, tmp_path: Path) -> None:
    """Nor is a folder that holds something else; nothing is asked of any service."""
    out = fetch(tmp_path)
    study = out / "study.yaml"
    study.write_text(study.read_text("utf-8") + "# mine\n", encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("dear", encoding="utf-8")
    services.asked.clear()
    with pytest.raises(UsageError, match="was changed since it was fetched"):
        fetch(tmp_path)
    with pytest.raises(UsageError, match="did not write"):
        fetch(tmp_path, out="other")
    assert services.asked == []


def test_what_is_left_out_goes_from_the_folder_too(services: Services, tmp_path: Path) -> None:
    """Fetched again without jobs, jobs.csv is no longer there and the study does not name it."""
    out = fetch(tmp_path)
    assert (out / "jobs.csv").is_file()
    fetch(tmp_path, without=frozenset({"jobs", "naptan", "cars", "ethnicity"}))
    assert sorted(contents(out)) == [
        "bus.zip", "census.csv", "centroids.csv", "deprivation.csv", "lsoa.geojson", "sources.json", "streets.osm.pbf",
        "study.schema.json", "study.yaml", "timetable_notices.csv",
    ]  # fmt: skip
    assert run_command(["check", str(out / "study.yaml")]) == 0


def test_the_index_of_2019_comes_with_a_lookup(services: Services, tmp_path: Path) -> None:
    """Its codes are those of 2011; the study is accepted, and names the lookup."""
    out = fetch(tmp_path, imd=2019)
    assert [row["LSOA11CD"] for row in rows(out / "deprivation.csv")] == [OLD[code] for code in CODES]
    assert [row["LSOA21CD"] for row in rows(out / "lsoa_2011_to_2021.csv")] == CODES
    assert run_command(["check", str(out / "study.yaml"), "--strict"]) == 0


def test_wales_needs_a_file_of_deprivation(services: Services, tmp_path: Path) -> None:
    """The message says where it is found and how it is named; with a file of LSOAs of 2021 it is joined."""
    services.files["wales.pbf"] = services.files["great-britain/england/lancashire.pbf"]
    services.sources(tmp_path / "addresses.json", streets=f"{services.base}/{{place}}.pbf")
    services.files["bods/wales"] = services.files["bods/north_west"]
    with pytest.raises(UsageError, match=r"Wales.*gov\.wales.*--deprivation FILE"):
        fetch(tmp_path, "Newport")
    own = tmp_path / "wimd.csv"
    own.write_text("LSOA code,LSOA name,WIMD rank,WIMD decile\nW01000001,Newport 9,77,1\n", encoding="utf-8")
    out = fetch(tmp_path, "Newport", deprivation=own)
    assert rows(out / "deprivation.csv") == [{"LSOA21CD": "W01000001", "rank": "77", "decile": "1"}]
    record = json.loads((out / "sources.json").read_text("utf-8"))
    assert record["own_files"]["deprivation"] == {"file": "wimd.csv", "sha256": hash_of_file(own)}


def test_a_file_of_deprivation_by_codes_of_2011_is_joined_by_the_lookup(services: Services, tmp_path: Path) -> None:
    """Six areas of 2011 with ranks of the caller's; a file that lacks the last one is refused by its code."""
    own = tmp_path / "own.csv"
    lines = ["LSOA code,Rank,Decile", *(f"{OLD[code]},{k},1" for k, code in enumerate(CODES, start=1))]
    own.write_text("\n".join(lines[:-1]), encoding="utf-8")
    with pytest.raises(UsageError, match=rf"--deprivation own\.csv: 1 of the 6 areas .*{OLD[CODES[-1]]}"):
        fetch(tmp_path, deprivation=own)
    own.write_text("\n".join(lines), encoding="utf-8")
    out = fetch(tmp_path, deprivation=own)
    assert [row["LSOA21CD"] for row in rows(out / "lsoa_2011_to_2021.csv")] == CODES
    assert [row["rank"] for row in rows(out / "deprivation.csv")] == ["1", "2", "3", "4", "5", "6"]
    assert run_command(["check", str(out / "study.yaml")]) == 0


def test_the_callers_jobs_and_trains_are_used(services: Services, tmp_path: Path) -> None:
    """jobs.csv is the caller's; the second feed is cut to the area like the first and named in the study."""
    own = tmp_path / "own.csv"
    own.write_text("id,lon,lat,jobs\nmill,-2.49,53.745,250\n", encoding="utf-8")
    rail = tmp_path / "trains.zip"
    rail.write_bytes(services.files["bods/north_west"])
    out = fetch(tmp_path, jobs=own, rail=rail)
    assert rows(out / "jobs.csv") == [{"id": "mill", "name": "", "lon": "-2.49", "lat": "53.745", "jobs": "250"}]
    assert "timetables: [bus.zip, rail.zip]" in (out / "study.yaml").read_text("utf-8")
    assert len(read_feed(out / "rail.zip").trips) == 48
    assert not any(target.startswith("/jobs") for target, _ in services.asked)


def test_jobs_that_are_not_available_are_left_out_and_said(services: Services, tmp_path: Path) -> None:
    """The survey answers 404: the study has none, and says how to add a file."""
    services.fail("/jobs", Answer(b"no", 404), times=2)
    fetched = fetch_authority(NAME, tmp_path / "town", sources=tmp_path / "addresses.json", wait=lambda seconds: None)
    assert any("--jobs FILE" in line or "--jobs" in line for line in fetched.remarks)
    assert not (tmp_path / "town" / "jobs.csv").exists()
    assert "# jobs:" in fetched.study.read_text("utf-8")


def test_two_counties_are_joined_and_what_they_share_is_there_once(services: Services, tmp_path: Path) -> None:
    """Two extracts that overlap by four columns give the nodes and ways of one that holds all."""
    files = services.files
    files["great-britain/england/cheshire.pbf"] = grid(tmp_path / "west.osm.pbf", range(-2, 9)).read_bytes()
    files["great-britain/england/cumbria.pbf"] = grid(
        tmp_path / "east.osm.pbf", range(5, 16), places=False
    ).read_bytes()
    streets = fetch(tmp_path, counties=("cheshire", "cumbria")) / "streets.osm.pbf"
    nodes = [node.id for node in osmium.FileProcessor(str(streets), osmium.osm.NODE)]
    assert len(nodes) == len(set(nodes)) == 18 * 7 + 1
    ways = [way.id for way in osmium.FileProcessor(str(streets), osmium.osm.WAY)]
    assert len(ways) == len(set(ways)) == 7 + 18 + 1
    assert np.all(np.diff(nodes) > 0)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("Blackburn", {}, "did you mean Blackburn with Darwen"),
        ("E06999999", {}, "no authority of England or Wales"),
        (NAME, {"counties": ("lancs",)}, "--county lancs: the extracts are bedfordshire"),
        (NAME, {"region": "north"}, "--region north: the regions are east_anglia"),
        (NAME, {"imd": 2015}, "2025 and 2019"),
        (NAME, {"buffer_km": 90.0}, "0 to 50"),
        (NAME, {"without": frozenset({"streets"})}, "what can be left out is jobs"),
        (NAME, {"rail": Path("nowhere.zip")}, "--rail nowhere.zip: the file is not there"),
    ],
)
def test_wrong_wishes_are_refused(
    services: Services, tmp_path: Path, name: str, options: dict[str, object], words: str
) -> None:
    """Each with what would have been right; nothing is written, nothing is left beside the folder."""
    with pytest.raises(UsageError, match=words):
        fetch(tmp_path, name, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["addresses.json", "county.osm.pbf"]


def test_an_authority_outside_the_table_needs_its_county_and_region(services: Services, tmp_path: Path) -> None:
    """The message names both options and the choices; with them it works."""
    for feature in services.layers["lookup"][:-1]:
        feature["properties"]["LAD24NM"] = "New Council"
    with pytest.raises(UsageError, match=r"give --region and --county\. Regions: east_anglia.*Counties: bedfordshire"):
        fetch(tmp_path, "New Council")
    assert (fetch(tmp_path, "New Council", counties=("lancashire",), region="north_west") / "study.yaml").is_file()
