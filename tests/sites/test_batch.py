"""Batches of development sites: every row is accounted for, figures agree with the main job, and a kill loses nothing."""

from __future__ import annotations

import csv
import errno
import json
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from community_routes.base.errors import MachineError, UsageError
from community_routes.base.times import HOUR, UNREACHED
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, open_study, sample_study
from community_routes.evaluation.evaluate import evaluate
from community_routes.evaluation.places import origin_points
from community_routes.measures.reach import nearest, percentile_over_departures
from community_routes.network.streets.streets import Streets
from community_routes.sites import assess_sites, batch, sites_status
from community_routes.sites import work_folder as sites_store
from community_routes.sites.work_folder import WorkFolder
from conftest import shared_data

N_SITES = 500
FORMULA = '=HYPERLINK("http://example.org","<b>click</b>")'
NEWPORT = (
    "newport-2023-06-13.osm.pbf",
    "newport-20240305_bus_gtfs.zip",
    "newport-20240305_rail_gtfs.zip",
    "lsoa11_W06000022.geojson",
    "employment_areas.geojson",
    "shared_spaces.geojson",
)
NEWPORT_STUDY = """
study: newport
service_date: 2024-03-05
streets: {{osm: {}, area: [-3.0770, 51.5222, -2.9251, 51.5936]}}
timetables: [{}, {}]
neighbourhoods: {{file: {}, id: LSOA11CD, name: LSOA11NM}}
destinations:
  employment: {{file: {}, id: osm_id, name: name, amount: area_m2}}
  shared_spaces: {{file: {}, id: osm_id, name: name, kind: kind}}
standards: {{stop_within_m: 400, departures_per_hour: {{morning_peak: 2}}, employment_within_min: 45}}
"""
TABLES = ("sites", "failed", "borough", "entrances", "residents")
PAGES = ("S040", "S100", "S010")
"""Of these the last could not be judged, and gets none."""
FILES = {
    *(f"{name}.csv" for name in TABLES), "sites.json", "sites.gpkg", "run.json", "report.html", "pages/S040.html",
    "pages/S100.html",
}  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is kept between the runs of these tests: the timetable and the networks."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def study(cache: Path) -> Study:
    return open_study(sample_study(), cache=cache)


@pytest.fixture(scope="module")
def sites_file(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """500 sites on streets of the sample: one without coordinates, one in the sea, one id twice, one hostile name."""
    assert isinstance(study.ground, Streets)
    graph, draw = study.ground.graph, np.random.default_rng(4)
    south, north = study.zones.table.total_bounds[[1, 3]]
    on_street = [
        (lon, lat)
        for lon, lat in sorted(set(zip(graph.lon.round(6).tolist(), graph.lat.round(6).tolist(), strict=True)))
        if south < lat < north and study.ground.area[0] < lon < study.ground.area[2]
    ]
    rows = []
    for number, place in enumerate(draw.choice(len(on_street), N_SITES, replace=False)):
        lon, lat = on_street[place]
        rows.append([f"S{number:03d}", f"{lon:.6f}", f"{lat:.6f}", f"Site {number}", str(number + 1), "2031"])
    rows[10][1] = rows[10][2] = ""
    rows[20][1:3] = ["-30", "40"]
    rows[31][0] = rows[30][0]
    rows[40][3] = FORMULA
    return write_rows(tmp_path_factory.mktemp("sites") / "sites.csv", rows)


def write_rows(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "lon", "lat", "name", "homes", "year"], *rows])
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def unbroken(study: Study, sites_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of one run from beginning to end."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    assess_sites(study, sites_file, out, pages=PAGES)
    return contents(out)


def test_every_row_is_judged_or_named_with_its_fault(
    sites_file: Path, tmp_path: Path, unbroken: dict[str, bytes], cache: Path
) -> None:
    """Four rows fail (line = row + 2), 496 are judged, the command ends with 3, and a name is never a formula."""
    out = tmp_path / "out"
    asked = ["sites", str(sample_study()), str(sites_file), "--out", str(out), "--quiet", "--cache", str(cache)]
    assert run_command([*asked, *(word for page in PAGES for word in ("--pages", page))]) == 3
    assert contents(out) == unbroken
    failed = [tuple(row.values()) for row in read_rows(out / "failed.csv")]
    assert failed == [
        ("12", "S010", "lon", "", "no_coordinates"),
        ("22", "S020", "lon", "lon -30.000000 lat 40.000000", "off_network"),
        ("32", "S030", "id", "S030", "duplicate_id"),
        ("33", "S030", "id", "S030", "duplicate_id"),
    ]
    rows = read_rows(out / "sites.csv")
    assert [row["id"] for row in rows] == [f"S{n - (n == 31):03d}" for n in range(N_SITES)]
    assert sum(row["status"] == "judged" for row in rows) == N_SITES - 4
    assert rows[40]["name"] == "'" + FORMULA and rows[40]["homes"] == "41"
    told = json.loads((out / "sites.json").read_text("utf-8"))
    assert told["sites"][40]["name"] == FORMULA and len(told["failed"]) == 4
    figure = "cumulative_opportunities__weekday__morning_peak__employment__60"  # 0 where nothing is reached
    assert all((row[figure] == "") == (row["status"] == "failed") for row in rows)
    assert list(rows[0])[:7] == ["id", "name", "lon", "lat", "homes", "status", "reason"]
    layer = gpd.read_file(out / "sites.gpkg", layer="sites")
    assert len(layer) == N_SITES - 1 and layer.crs.to_epsg() == 4326


def test_strict_judges_nothing_and_lists_all_faults(
    sites_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["sites", str(sample_study()), str(sites_file), "--out", str(out), "--strict", "--quiet"]
    assert run_command(asked) == 1
    said = capsys.readouterr().err
    assert all(f"line {line} " in said for line in (12, 22, 32, 33)) and "4 of 500" in said
    assert list(tmp_path.iterdir()) == []


def test_sites_where_neighbourhoods_are_have_the_figures_of_the_main_job(study: Study, tmp_path: Path) -> None:
    """Every origin of the sample as a site: counts and service are those of access.csv, which come another way.

    The time to the nearest is the median over departures of ``reach.nearest`` in the cube of the main job.
    """
    origins = origin_points(study.zones)
    places = zip(origins.id, origins.lon.tolist(), origins.lat.tolist(), strict=True)
    rows = [[ident, repr(lon), repr(lat), "", "", ""] for ident, lon, lat in places]
    assess_sites(study, write_rows(tmp_path / "origins.csv", rows), tmp_path / "out", pages=["none"])
    written = read_rows(tmp_path / "out" / "sites.csv")
    found, today = {row["id"]: row for row in written}, evaluate(study)
    readings = {"cumulative_opportunities": "mean", "service_per_hour": "mean", "ptal_form_index": "mean"}
    compared = dict.fromkeys(readings, 0)
    for row in today.access[today.access["measure"].isin(readings)].itertuples():
        if "/" in row.kind or row.reading != readings[row.measure]:
            continue
        cutoff = f"__{float(row.cutoff_min):g}" if row.measure == "cumulative_opportunities" else ""
        value = found[row.neighbourhood][f"{row.measure}__{row.day}__{row.window}__{row.kind}{cutoff}"]
        assert (float(value) if value else np.nan) == pytest.approx(row.value, nan_ok=True, abs=6e-5)
        compared[row.measure] += 1
    assert min(compared.values()) >= len(rows)
    for day, network in today.networks.items():
        departs = network.timetable.departure_s[network.timetable.board]
        traffic_day = (departs >= 4 * HOUR) & (departs < 28 * HOUR)
        served = np.isin(today.walks.access.to, network.timetable.from_stop[network.timetable.board][traffic_day])
        for place, row in enumerate(written):
            links = today.walks.access.of(place)
            known = served[today.walks.access.first[place] : today.walks.access.first[place + 1]]
            if known.any():
                metres, stop = min(zip(links.metres[known].round(1).tolist(), links.to[known].tolist(), strict=True))
                ident = study.feed.stops["stop_id"][stop]
                assert float(row[f"nearest_stop_m__{day}__all_day__stops"]) == metres
                assert row[f"nearest_stop__{day}__all_day__stops"].endswith(f"({ident})")
    for (day, window), time_s in today.time_s.items():
        for key in study.opportunities.keys:
            table, columns = study.opportunities.table, study.opportunities.rows_of(key)
            offered = table["amount"].to_numpy(np.float64)[columns]
            by_departure = nearest(np.ascontiguousarray(time_s[:, :, columns]), 1, offered)
            middle = percentile_over_departures(by_departure, 50).tolist()
            shown = [row[f"nearest__{day}__{window}__{key}"] for row in written]
            assert shown == ["" if seconds == UNREACHED else str(seconds) for seconds in middle]


def test_blocks_and_threads_change_no_byte(
    study: Study, sites_file: Path, tmp_path: Path, unbroken: dict[str, bytes]
) -> None:
    assess_sites(study, sites_file, tmp_path / "out", block=137, threads=2, pages=PAGES)
    assert contents(tmp_path / "out") == unbroken and set(unbroken) == FILES


def test_figures_keep_to_one_another(unbroken: dict[str, bytes]) -> None:
    """With public transport one is never slower than on foot and never reaches less; any place is as near as the nearest kind.

    Of 496 sites, in every window of every day, for jobs, shared spaces and shops, and each kind of shared space.
    """
    rows = [row for row in csv.DictReader(unbroken["sites.csv"].decode().splitlines()) if row["status"] == "judged"]
    compared = {"on foot": 0, "reached": 0, "kind": 0}

    def value(row: dict[str, str], name: str, missing: float) -> float:
        return float(row[name]) if row[name] else missing

    for name in rows[0]:
        measure, day, window, kind, cutoff, *_ = [*name.split("__"), "", "", "", ""]
        if name.endswith("__around"):
            continue
        for row in rows:
            if measure == "nearest":
                on_foot = value(row, f"nearest_on_foot__any_day__any_time__{kind}", np.inf)
                assert value(row, name, np.inf) <= on_foot
                compared["on foot"] += np.isfinite(on_foot)
                if "/" in kind:
                    assert value(row, name.replace(kind, kind.partition("/")[0]), np.inf) <= value(row, name, np.inf)
                    assert (row[name] == "") == (row[f"nearest_place__{day}__{window}__{kind}"] == "")
                    compared["kind"] += 1
            elif measure == "cumulative_opportunities":
                on_foot = float(row[f"cumulative_opportunities_on_foot__any_day__any_time__{kind}__{cutoff}"])
                assert float(row[name]) >= on_foot * (1 - 1e-12)
                compared["reached"] += on_foot > 0
    assert min(compared.values()) > 1000


def test_nothing_that_is_written_tells_where_or_how_long(unbroken: dict[str, bytes], sites_file: Path) -> None:
    for name, content in unbroken.items():
        assert str(sites_file.parent).encode() not in content, name
        assert b"wall_s" not in content and b"threads" not in content


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Gets the number of places of every block that is judged from now on."""
    sizes: list[int] = []
    real = batch.figures_of_blocks

    def count(scene: Any, blocks: Any, engine: Any) -> Any:
        for points, values in zip(blocks, real(scene, blocks, engine), strict=True):
            sizes.append(points.n_places)
            yield values

    monkeypatch.setattr(batch, "figures_of_blocks", count)
    return sizes


def test_a_full_disk_keeps_what_is_done(
    study: Study, sites_file: Path, tmp_path: Path, unbroken: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two records of 100 places fit; the run ends with 5, goes on from there, and ends with the same bytes."""
    real, written = sites_store._write_through, []

    def fill(path: Path, content: bytes) -> None:
        if len(written) == 2:
            path.write_bytes(content[:100])
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        real(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(sites_store, "_write_through", fill)
        with pytest.raises(MachineError, match="what is finished is kept") as full:
            assess_sites(study, sites_file, tmp_path / "out", block=100, pages=PAGES)
    assert full.value.exit_code == 5 and not (tmp_path / "out").exists()
    assert not list((tmp_path / "out.work").rglob("*.part"))
    how_far = sites_status(study, sites_file, tmp_path / "out")
    assert (how_far.n_sites, how_far.n_failed, how_far.n_done, how_far.finished) == (500, 4, 200, False)
    sizes = counted(monkeypatch)
    assess_sites(study, sites_file, tmp_path / "out", block=100, pages=PAGES)
    assert contents(tmp_path / "out") == unbroken
    assert sum(sizes) == 296 + len(study.zones.origins)
    assert sites_status(study, sites_file, tmp_path / "out", pages=PAGES).finished


def test_a_changed_row_is_judged_and_only_that(
    study: Study, sites_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new name costs nothing; a new place costs one; both end as if they had been there from the start."""
    own = Path(shutil.copy(sites_file, tmp_path / "sites.csv"))
    assess_sites(study, own, tmp_path / "out", pages=["none"])
    rows = [list(row.values()) for row in read_rows(own)]
    rows[7][3], rows[8][2] = "Renamed", f"{float(rows[8][2]) + 0.0002:.6f}"
    write_rows(own, rows)
    sizes = counted(monkeypatch)
    assess_sites(study, own, tmp_path / "out", pages=["none"])
    assert sizes == [1]
    assess_sites(study, own, tmp_path / "anew", pages=["none"])
    assert contents(tmp_path / "out") == contents(tmp_path / "anew")
    assert read_rows(tmp_path / "out" / "sites.csv")[7]["name"] == "Renamed"


def test_a_damaged_record_is_made_again(
    study: Study, sites_file: Path, tmp_path: Path, unbroken: dict[str, bytes]
) -> None:
    assess_sites(study, sites_file, tmp_path / "out", block=200, pages=PAGES)
    records = sorted((tmp_path / "out.work").rglob("*.npz"))
    records[0].write_bytes(records[0].read_bytes()[:50])
    (tmp_path / "out" / "sites.csv").write_text("lost", encoding="utf-8")
    assess_sites(study, sites_file, tmp_path / "out", block=200, pages=PAGES)
    assert contents(tmp_path / "out") == unbroken


def test_two_runs_do_not_share_a_folder(
    study: Study, sites_file: Path, tmp_path: Path, unbroken: dict[str, bytes]
) -> None:
    """While one is at work the other stops with a message; a lock file that a killed run left behind stops nobody."""
    out = tmp_path / "out"
    work = WorkFolder(out)
    with work.locked(), pytest.raises(UsageError, match=r"another run \(process \d+ on .*\) is at work on"):
        assess_sites(study, sites_file, out)
    (tmp_path / "out.work" / "sites.lock").write_text("process 999999 on elsewhere", encoding="utf-8")
    assess_sites(study, sites_file, out, pages=PAGES)
    assert contents(out) == unbroken


def test_a_kill_between_the_two_moves_of_a_publication_loses_nothing(
    study: Study, sites_file: Path, tmp_path: Path, unbroken: dict[str, bytes]
) -> None:
    """The old result stands aside and the new one is half there: the next run puts both right."""
    out, work = tmp_path / "out", tmp_path / "out.work"
    for folder in (work / "old", work / "made"):
        folder.mkdir(parents=True)
    (work / "sites.lock").touch()
    for name, content in unbroken.items():
        (work / "old" / name).parent.mkdir(exist_ok=True)
        (work / "old" / name).write_bytes(content)
    (work / "made" / "sites.csv").write_text("half", encoding="utf-8")
    assess_sites(study, sites_file, out, pages=PAGES)
    assert contents(out) == unbroken and not (work / "old").exists() and not (work / "made").exists()


def test_folders_of_others_are_left_alone(study: Study, sites_file: Path, tmp_path: Path) -> None:
    for name in ("out", "out.work"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "theirs.txt").write_text("mine", encoding="utf-8")
        with pytest.raises(UsageError, match=r"theirs|something else|not the result"):
            assess_sites(study, sites_file, tmp_path / "out")
        assert [path.name for path in (tmp_path / name).iterdir()] == ["theirs.txt"]
        shutil.rmtree(tmp_path / name)


def test_a_missed_standard_ends_with_4_where_asked(study: Study, tmp_path: Path) -> None:
    """A remote site that fails by far: without the option the batch is done (0), with it the exit is 4."""
    lon, lat = study.ground.graph.lon, study.ground.graph.lat  # type: ignore[union-attr]
    far = int(np.argmin(lat))
    file = write_rows(tmp_path / "one.csv", [["A", repr(float(lon[far])), repr(float(lat[far])), "", "", ""]])
    asked = ["sites", str(sample_study()), str(file), "--out", str(tmp_path / "out"), "--quiet"]
    code = run_command(asked)
    (row,) = read_rows(tmp_path / "out" / "sites.csv")
    misses = any(row[name] == "false" for name in row if name.endswith("__pass"))
    assert row["status"] == "judged" and misses and code == 0
    assert run_command([*asked, "--require-pass"]) == 4
    assert run_command([*asked, "--pages", "all", "--pages", "A"]) == 2
    assert run_command([*asked, "--pages", "B"]) == 2


def test_an_area_is_left_through_its_entrances(study: Study, tmp_path: Path) -> None:
    """An area around a site is at most as far from the stop as its middle, and a map says what it cannot use."""
    origins = origin_points(study.zones)
    middle = shapely.Point(origins.lon[0], origins.lat[0])
    shapes = [middle, middle.buffer(0.003), None, shapely.LineString([(0, 0), (1, 1)])]
    table = gpd.GeoDataFrame({"id": ["p", "a", "n", "l"], "homes": [1, 2, 3, 4]}, geometry=shapes, crs="EPSG:4326")
    table.to_file(tmp_path / "sites.gpkg", layer="sites")
    outcome = assess_sites(study, tmp_path / "sites.gpkg", tmp_path / "out")
    assert (outcome.n_sites, outcome.n_failed) == (4, 2)
    point, area, *_ = read_rows(tmp_path / "out" / "sites.csv")
    name = "nearest_stop_m__weekday__all_day__stops"
    assert float(area[name]) < float(point[name])
    failed = [(row["line"], row["id"], row["reason"]) for row in read_rows(tmp_path / "out" / "failed.csv")]
    assert failed == [("3", "n", "no_coordinates"), ("4", "l", "bad_shape")]
    assert len(gpd.read_file(tmp_path / "out" / "sites.gpkg", layer="site_areas")) == 1


def start_and_kill(sites_file: Path, out: Path, cache: Path, moments: list[int]) -> None:
    """Start the command and kill it at each moment: so many records are finished by then, and up to 50 ms more."""
    asked = [sys.executable, "-m", "community_routes.cli", "sites", str(sample_study()), str(sites_file)]
    asked += ["--out", str(out), "--block", "50", "--threads", "1", "--cache", str(cache), "--quiet"]
    asked += [word for page in PAGES for word in ("--pages", page)]
    draw = random.Random(len(moments))
    for records in moments:
        process = subprocess.Popen(asked, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and len(list(out.parent.glob("out.work/*/*.npz"))) < records:
            time.sleep(0.002)
        time.sleep(draw.random() * 0.05)
        process.kill()
        process.communicate()


def test_killed_twice_it_ends_with_the_same_bytes(
    study: Study, sites_file: Path, cache: Path, tmp_path: Path, unbroken: dict[str, bytes]
) -> None:
    """Of 12 records some are there after the first kill, more after the second, all at the end."""
    out = tmp_path / "out"
    moments = sorted(random.Random(8).sample(range(1, 9), 2))
    start_and_kill(sites_file, out, cache, moments)
    held = sites_status(study, sites_file, out)
    assert moments[-1] * 50 <= held.n_done < 496 and not held.finished
    assess_sites(study, sites_file, out, pages=PAGES)
    assert contents(out) == unbroken


@pytest.mark.slow
def test_killed_at_twenty_moments_it_ends_with_the_same_bytes(
    study: Study, sites_file: Path, cache: Path, tmp_path: Path, unbroken: dict[str, bytes]
) -> None:
    """From before the first record to while the result is written, and once it is there."""
    draw = random.Random(20)
    start_and_kill(sites_file, tmp_path / "out", cache, sorted(draw.randint(0, 13) for _ in range(20)))
    assess_sites(study, sites_file, tmp_path / "out", pages=PAGES)
    assert contents(tmp_path / "out") == unbroken


@pytest.mark.slow
def test_killed_at_twenty_moments_with_proposals_and_pages_it_ends_with_the_same_bytes(
    cache: Path, tmp_path: Path
) -> None:
    """The sites of the sample, two proposals, a page for each: killed while judging, trying, looking at sites, writing.

    A moment is a number of files that are kept, and up to half a second more; 21 blocks of 10 places and 42 sites are kept
    in all.
    """
    folder = sample_study().parent
    asked = [
        sys.executable,
        "-m",
        "community_routes.cli",
        "sites",
        str(sample_study()),
        str(folder / "sites/sites.csv"),
    ]
    asked += [str(folder.parent / "scenarios" / f"{name}.yaml") for name in ("double-evenings", "sunday-service")]
    asked += ["--block", "10", "--threads", "1", "--cache", str(cache), "--quiet", "--pages", "all", "--out"]
    assert subprocess.run([*asked, str(tmp_path / "whole")], stderr=subprocess.PIPE).returncode == 3
    draw = random.Random(21)
    for files in sorted(draw.randint(0, 70) for _ in range(20)):
        process = subprocess.Popen([*asked, str(tmp_path / "out")], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and len(list(tmp_path.glob("out.work/*/**/*.*"))) < files:
            time.sleep(0.002)
        time.sleep(draw.random() * 0.5)
        process.kill()
        process.communicate()
    assert subprocess.run([*asked, str(tmp_path / "out")], stderr=subprocess.PIPE).returncode == 3
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert len(list((tmp_path / "out" / "pages").iterdir())) == 42


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
def test_a_file_that_cannot_grow_ends_with_5_and_leaves_what_is_done(study: Study, cache: Path, tmp_path: Path) -> None:
    """No file may grow beyond 200 kB: records are smaller, sites.json is not. Nothing half-written is left."""
    folder = sample_study().parent
    asked = ["sites", str(sample_study()), str(folder / "sites/sites.csv"), "--out", str(tmp_path / "out")]
    asked += ["--cache", str(cache), "--quiet", "--pages", "none", "--block", "10"]
    limit = (
        "import resource, signal, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000));"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "from community_routes.cli import run_command; sys.exit(run_command(sys.argv[1:]))"
    )
    done = subprocess.run([sys.executable, "-c", limit, *asked], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 5 and "what is finished is kept" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.work" / "made").exists()
    how_far = sites_status(study, folder / "sites/sites.csv", tmp_path / "out", pages=["none"])
    assert how_far.n_done == 42 and not how_far.finished
    assert run_command(asked) == 3 and (tmp_path / "out" / "sites.json").is_file()


@pytest.mark.slow
def test_ten_thousand_sites_in_newport(tmp_path: Path) -> None:
    """Random places of a box, half of it town: every one is accounted for, and fifty have the same figures alone."""
    folder = shared_data("newport_wales")
    study = tmp_path / "newport.yaml"
    files = {name: json.dumps(str(folder / name)) for name in NEWPORT}
    study.write_text(NEWPORT_STUDY.format(*files.values()), encoding="utf-8")
    draw = np.random.default_rng(5)
    lon, lat = draw.uniform(-3.04, -2.95, 10_000).tolist(), draw.uniform(51.56, 51.592, 10_000).tolist()
    rows = [[f"N{i:05d}", f"{x:.6f}", f"{y:.6f}", "", "", ""] for i, (x, y) in enumerate(zip(lon, lat, strict=True))]
    opened = open_study(study)
    outcome = assess_sites(opened, write_rows(tmp_path / "all.csv", rows), tmp_path / "all", pages=["none"])
    written = read_rows(tmp_path / "all" / "sites.csv")
    assert outcome.n_sites == len(written) == 10_000 and outcome.n_failed < 1_000
    some = sorted(draw.choice(10_000, 50, replace=False).tolist())
    assess_sites(opened, write_rows(tmp_path / "some.csv", [rows[i] for i in some]), tmp_path / "some", pages=["none"])
    assert read_rows(tmp_path / "some" / "sites.csv") == [written[i] for i in some]
