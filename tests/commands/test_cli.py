"""Commands as people type them: exit codes, what is printed, what is written, and what is left alone."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from community_routes import __version__
from community_routes.cli import main, run_command
from small_town import PLACES, SHOPS, STUDY, town_study

SEVERAL = STUDY.replace("service_date: 2024-03-05", "service_date: {weekday: 2024-03-05, sunday: 2024-03-10}").replace(
    "windows: {peak: 07:00-08:00}", "windows: {peak: 07:00-07:10, night: 23:30-00:30}"
)
NEW_ROUTE = """\
scenario: link
title: A link past all stops
changes:
  - add_route:
      name: X
      stops: [S0, S4]
      run_times_min: [50]
      service: {weekday: {07:00-09:00: 30}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town, and in it the study with several days and windows, and a scenario."""
    folder = tmp_path_factory.mktemp("town")
    town_study(folder)
    (folder / "several.yaml").write_text(SEVERAL, encoding="utf-8")
    (folder / "link.yaml").write_text(NEW_ROUTE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def study(folder: Path) -> str:
    return str(folder / "study.yaml")


@pytest.fixture(scope="module")
def results(folder: Path) -> Path:
    """A finished run of the town with a scenario."""
    out = folder / "finished"
    assert (
        run_command(["run", str(folder / "study.yaml"), str(folder / "link.yaml"), "--out", str(out), "--no-maps"]) == 0
    )
    return out


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def command(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Start the program as a process of its own; ``code`` runs in it first."""
    start = f"import sys; from community_routes.cli import main\n{code}\nsys.argv = {['community-routes', *arguments]!r}\nmain()"
    return subprocess.run(
        [sys.executable, "-c", start], capture_output=True, text=True, encoding="utf-8", timeout=120, check=False
    )


# --- run -------------------------------------------------------------------------------------------------------------


def test_a_run_writes_the_fixed_files_and_columns(results: Path) -> None:
    there = {path.name for path in results.iterdir()}
    assert {
        "report.html",
        "results.gpkg",
        "run.json",
        "access.csv",
        "comparison.csv",
        "groups.csv",
        "notices.csv",
    } <= there
    key = "scenario,day,window,neighbourhood,name,population,deprivation_decile,kind,measure,reading,cutoff_min"
    heads = {
        "access": f"{key},value,unit,reason",
        "comparison": f"{key},unit,reason,baseline,value,change,low,high",
        "groups": "scenario,day,window,grouping,group,kind,measure,reading,cutoff_min,persons,persons_covered,value,unit,"
        "baseline,change,low,high,persons_better,persons_worse,persons_same",
        "notices": "severity,code,file,row,field,value,message",
    }
    for name, head in heads.items():
        first = (results / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
        assert set(head.split(",")) <= set(first), name
    made = json.loads((results / "run.json").read_text(encoding="utf-8"))
    assert made["version"] == __version__
    here = (results / "run.json").read_text(encoding="utf-8") + (results / "notices.csv").read_text(encoding="utf-8")
    assert str(results.parent) not in here, "no output holds an absolute path"


def test_the_new_link_by_hand(results: Path) -> None:
    """X leaves P0 at 07:00, 07:30, 08:00 and is at P4 50 minutes later. Of the 60 departures from 07:00 to 07:59 those of
    07:20 to 07:29 reach the bus of 07:30 and P4 by 08:20, within 60 minutes; those of 07:50 to 07:59 that of 08:00. So
    P0 gains 20/60 of a place within 60 minutes (P4 took four rides before), and nothing within 30."""
    table = [
        row
        for row in rows(results / "comparison.csv")
        if (row["neighbourhood"], row["kind"], row["measure"], row["reading"])
        == ("P0", "shared_spaces", "cumulative_opportunities", "mean")
    ]
    assert {row["cutoff_min"]: round(float(row["change"]), 9) for row in table} == {"30": 0, "60": round(1 / 3, 9)}


def test_no_line_of_the_results_tells_the_number_of_threads(folder: Path, results: Path) -> None:
    for threads in ("1", "2"):
        out = folder / f"threads{threads}"
        asked = ["run", str(folder / "study.yaml"), str(folder / "link.yaml"), "--out", str(out), "--threads", threads]
        assert run_command([*asked, "--no-maps", "--quiet"]) == 0
        assert digests(out) == digests(results)


def test_a_folder_that_is_not_ours_is_left_alone(
    study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs = tmp_path / "holiday"
    theirs.mkdir()
    (theirs / "photo.jpg").write_bytes(b"beach")
    for content in (None, "not json", "[]", '{"program": "another"}', '{"version": "1"}'):
        if content is not None:
            (theirs / "run.json").write_text(content, encoding="utf-8")
        before = digests(theirs)
        assert run_command(["run", study, "--out", str(theirs)]) == 2
        assert digests(theirs) == before and [path.name for path in tmp_path.iterdir()] == ["holiday"]
        assert "not the result of an earlier run" in capsys.readouterr().err
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert run_command(["run", study, "--out", str(tmp_path / "file")]) == 2
    assert run_command(["run", study, "--out", str(tmp_path / "file" / "below")]) == 2


def test_an_earlier_run_is_replaced_whole(folder: Path, results: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["run", str(folder / "study.yaml"), "--out", str(out), "--no-maps", "--quiet"]
    assert run_command([*asked[:2], str(folder / "link.yaml"), *asked[2:]]) == 0
    (out / "mine.txt").write_text("a note", encoding="utf-8")
    assert run_command(asked) == 0
    assert not (out / "mine.txt").exists()
    assert {row["scenario"] for row in rows(out / "access.csv")} == {"today"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing is left beside it"


def test_an_interrupted_run_leaves_the_earlier_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    asked = ["run", str(folder / "study.yaml"), "--out", str(out), "--no-maps", "--quiet"]

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("community_routes.report.files.tables.write_tables", interrupted)
        assert run_command(asked) == 130
        assert list(tmp_path.iterdir()) == []
        assert "interrupted" in capsys.readouterr().err
    assert run_command(asked) == 0
    whole = digests(out)
    with monkeypatch.context() as patch:
        patch.setattr("community_routes.report.files.tables.write_tables", interrupted)
        assert run_command(asked) == 130
    assert digests(out) == whole and [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_the_machines_fault(study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "report.html")

    def memory(*_: object, **__: object) -> None:
        raise MemoryError

    for failure in (full, memory):
        monkeypatch.setattr("community_routes.report.files.tables.write_tables", failure)
        assert run_command(["run", study, "--out", str(tmp_path / "out"), "--no-maps"]) == 5
        assert list(tmp_path.iterdir()) == []


def test_a_fault_of_the_program_is_a_message(
    study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("community_routes.report.files.tables.write_tables", wrong)
    assert run_command(["run", study, "--out", str(tmp_path / "out"), "--no-maps"]) == 5
    said = capsys.readouterr().err
    assert "Traceback" not in said and "ZeroDivisionError" in said and "fault of the program" in said


@pytest.mark.slow
def test_a_killed_process_leaves_no_half_folder(folder: Path, tmp_path: Path) -> None:
    """Killed between the page and the tables (nothing can be tidied then); the next run gives the same bytes."""
    out = tmp_path / "out"
    asked = ("run", str(folder / "study.yaml"), "--out", str(out), "--quiet")
    kill = "import os, community_routes.report.files.tables as c\nc.write_tables = lambda *_, **__: os._exit(9)"
    assert command(*asked, code=kill).returncode == 9
    assert not out.exists()
    again = command(*asked)
    assert again.returncode == 0 and again.stdout == f"report: {out / 'report.html'}\n"
    other = tmp_path / "other"
    assert run_command([*asked[:2], "--out", str(other), "--quiet"]) == 0
    assert digests(out) == digests(other)


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        (["matrix", "STUDY", "--out", "m.csv"], "community_routes.travel.matrix.write_rows"),
        (["export-gtfs", "STUDY", "SCENARIO", "changed.zip"], "zipfile.ZipFile.writestr"),
        (["isochrone", "STUDY", "P0", "--depart", "08:15", "--out", "map.geojson"], "pathlib.Path.replace"),
        (["schema", "study", "--out", "study.json"], "pathlib.Path.replace"),
        (["new-scenario", "STUDY", "plan", "--out", "plan.yaml"], "pathlib.Path.replace"),
    ],
)
def test_a_killed_process_leaves_no_half_file_for_ever(
    folder: Path, tmp_path: Path, asked: list[str], where: str
) -> None:
    """Killed while it writes, a command leaves something hidden, which the same command removes the next time."""
    names = {"STUDY": str(folder / "study.yaml"), "SCENARIO": str(folder / "link.yaml")}
    arguments = [names.get(word, str(tmp_path / word) if re.search(r"\.\w+$", word) else word) for word in asked]
    module, name = where.rsplit(".", 1)
    kill = f"import os, pkgutil, signal\nowner = pkgutil.resolve_name({module!r})\n"
    kill += f"setattr(owner, {name!r}, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))"
    assert command(*arguments, code=kill).returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    assert command(*arguments).returncode == 0
    there = sorted(path.name for path in tmp_path.iterdir())
    assert there and not [name for name in there if name.startswith(".")]


def test_the_seconds_of_the_stages_add_up(study: str, tmp_path: Path) -> None:
    """To the processor time of the whole process, as the process itself reads it at its end."""
    timings, out = tmp_path / "timings.json", tmp_path / "out"
    tell = "import atexit, time\natexit.register(lambda: print('whole', time.process_time()))"
    done = command("run", study, "--out", str(out), "--timings", str(timings), "--quiet", code=tell)
    assert done.returncode == 0
    whole = float(done.stdout.split("whole")[1])
    stages = json.loads(timings.read_text(encoding="utf-8"))
    assert stages.pop("searches")["windows"] > 0
    assert list(stages) == ["read", "network", "routing", "measures", "compare", "report", "compile", "other"]
    assert all(set(stage) == {"wall_s", "processor_s", "peak_mb"} for stage in stages.values())
    total = sum(stage["processor_s"] for stage in stages.values())
    assert abs(total - whole) <= 0.05 * whole
    assert stages["report"]["processor_s"] > 0 and stages["read"]["processor_s"] > 0


def test_quiet_and_the_log(study: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "m.csv")
    assert run_command(["matrix", study, "--out", out, "--quiet"]) == 0
    told = capfd.readouterr()
    assert told.err == "" and told.out == f"{out}: 63 rows, 9 origins to 7 destinations\n"
    assert run_command(["check", study, "--log-json"]) == 0
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {"progress", "notice"} <= {event["event"] for event in events}
    assert all({"time", "seconds", "event"} <= set(event) for event in events)
    assert run_command(["matrix", str(tmp_path / "gone.yaml"), "--out", out, "--log-json"]) == 1
    (fault,) = [json.loads(line) for line in capfd.readouterr().err.splitlines() if '"fault"' in line]
    assert "gone.yaml" in fault["message"]


# --- wrong usage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["run", "study.yaml"],
        ["fly"],
        ["run", "study.yaml", "--out", "x", "--speed", "5"],
        ["matrix", "study.yaml", "--out", "x.xlsx"],
        ["matrix", "study.yaml", "--out", "x.csv", "--percentiles", "25", "--per-departure"],
        ["run", "study.yaml", "--out", "x", "--threads", "0"],
        ["run", "study.yaml", "--out", "x", "--seed", "-1"],
        ["run", "bus.zip", "--out", "x"],
        ["run", "study.yaml", "--out", "x", "--timings", "."],
        ["export-gtfs", "study.yaml", "link.yaml", "feed.txt"],
        ["isochrone", "study.yaml", "P0", "--depart", "08:15", "--out", "x.pdf"],
        ["run", "study.yaml", "--out", "."],
        ["demo", "--out", "."],
        ["sweep", "study.yaml", "link.yaml", "--out", ".."],
        ["sites", "study.yaml", "sites.csv", "--out", "."],
        ["matrix", "study.yaml", "--out", "/"],
    ],
)
def test_wrong_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(arguments) == 2
    assert capsys.readouterr().err


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["run", "--version"], ["check", "--version"]):
        assert run_command(arguments) == 0
        assert capsys.readouterr().out == f"community-routes {__version__}\n"
    assert run_command(["--help"]) == 0
    listed = capsys.readouterr().out
    for name in ("demo", "run", "check", "matrix", "journey", "export-gtfs"):
        assert name in listed, name
        assert run_command([name, "--help"]) == 0
        help_text = capsys.readouterr().out
        for option in ("--threads", "--seed", "--cache", "--quiet", "--log-json", "--timings"):
            assert option in help_text, (name, option)


# --- faults of a study -----------------------------------------------------------------------------------------------


def faulty(folder: Path) -> Path:
    """A wrong column, a missing file, a date without service and a misspelt key."""
    text = STUDY.replace("2024-03-05", "2031-03-05").replace("name: label", "name: lable")
    text = text.replace("file: spaces.geojson", "file: spases.geojson").replace("cutoffs_min", "cutofs_min")
    return town_study(folder, text)


def test_four_faults_in_one_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = faulty(tmp_path / "town")
    before = sorted(tmp_path.rglob("*"))
    for name in ("run", "check"):
        out = ["--out", str(tmp_path / "out")] if name == "run" else []
        assert run_command([name, str(path), *out, "--quiet"]) == 1
        told = capsys.readouterr()
        said = " ".join((told.err if name == "run" else told.out).split())
        parts = said.split("study.yaml line")[1:]
        assert len(parts) == 4
        for place, hint in (
            (" 3, column 15 (service_date)", "2024-12-31"),
            (" 6, column 55 (neighbourhoods.name)", "did you mean 'label'?"),
            (" 8, column 25 (destinations.shared_spaces.file)", "did you mean 'spaces.geojson'?"),
            (" 11, column 3 (travel.cutofs_min)", "did you mean 'cutoffs_min'?"),
        ):
            (part,) = [part for part in parts if part.startswith(place)]
            assert hint in part
        assert sorted(tmp_path.rglob("*")) == before, "nothing was written"


def test_check_writes_the_notices_of_a_study_with_faults(tmp_path: Path) -> None:
    path = faulty(tmp_path / "town")
    assert run_command(["check", str(path), "--out", str(tmp_path / "out"), "--quiet"]) == 1
    found = [row for row in rows(tmp_path / "out" / "notices.csv") if row["severity"] == "error"]
    assert {row["code"] for row in found} == {"no_service_on_date", "unknown_column", "missing_file", "unknown_key"}
    assert {row["row"] for row in found} == {"3", "6", "8", "11"}


def test_one_of_two_timetables_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The other is read all the same, so that its lack of service on the date is told in the same go."""
    text = STUDY.replace("[bus.zip]", "[bus.zip, rail.zip]").replace("2024-03-05", "2031-03-05")
    assert run_command(["check", str(town_study(tmp_path, text)), "--quiet"]) == 1
    said = capsys.readouterr().out
    assert "rail.zip" in said and "2024-12-31" in said


def test_strict_makes_warnings_errors(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The neighbourhood that lies outside the study's area is a warning."""
    assert run_command(["check", study, "--quiet"]) == 0
    assert run_command(["check", study, "--quiet", "--strict"]) == 1
    assert "off_network" in capsys.readouterr().out


# --- matrix ----------------------------------------------------------------------------------------------------------


def test_a_matrix_has_a_row_for_every_pair(study: str, tmp_path: Path) -> None:
    """P0 to P1 over 07:00-07:59: leaving at :00 to :19 (of 20 minutes) the slack of 60 s leaves the bus of the same or
    the next sailing, so times run from 11 to 30 minutes, each minute equally often: the median is 20 minutes."""
    out = tmp_path / "m.csv"
    assert run_command(["matrix", study, "--out", str(out), "--percentiles", "100,50,1", "--quiet"]) == 0
    table = rows(out)
    assert list(table[0]) == ["origin", "destination", "p1", "p50", "p100", "reason"]
    assert len(table) == len(PLACES) * len(SHOPS)
    cell = {(row["origin"], row["destination"]): row for row in table}
    assert [cell["P0", "hallP1"][name] for name in ("p1", "p50", "p100")] == ["660", "1200", "1800"]
    assert [cell["P0", "hallP0"][name] for name in ("p1", "p50", "p100")] == ["0", "0", "0"]
    assert cell["P0", "hallP4"]["reason"] == "over_time" and cell["P0", "hallP4"]["p50"] == ""
    assert cell["far", "hallP2"]["reason"] == "no_service"
    assert cell["far", "hallP1"]["p50"] == "2169", "walking all the way"
    assert {row["reason"] for row in table if row["origin"] == "lost"} == {"off_network"}
    assert run_command(["matrix", study, "--out", str(out), "--reached-only", "--quiet"]) == 0
    assert all(row["p50"] for row in rows(out)) and 0 < len(rows(out)) < len(table)


def test_a_matrix_of_departures_and_of_deadlines(study: str, tmp_path: Path) -> None:
    out = tmp_path / "d.parquet"
    asked = ["matrix", study, "--out", str(out), "--per-departure", "--window", "07:15-07:25", "--quiet"]
    assert run_command(asked) == 0
    table = parquet.read_table(out).to_pandas()
    assert list(table.columns) == ["origin", "destination", "departure", "time_s", "reason"]
    assert len(table) == 10 * len(PLACES) * len(SHOPS)
    pair = table[(table["origin"] == "P0") & (table["destination"] == "hallP1")]
    # 07:15 to 07:19 catch the bus of 07:20 (07:30 there); from 07:20 on it is that of 07:40 (07:50 there).
    expected = {f"07:{minute}:00": ((30 if minute < 20 else 50) - minute) * 60 for minute in range(15, 25)}
    assert dict(zip(pair["departure"], pair["time_s"].astype(int), strict=True)) == expected
    asked = ["matrix", study, "--out", str(out), "--per-departure", "--arrive-by", "--window", "07:28-07:32", "--quiet"]
    assert run_command(asked) == 0
    table = parquet.read_table(out).to_pandas()
    pair = table[(table["origin"] == "P0") & (table["destination"] == "hallP1")]
    # By 07:28 and 07:29 one must take the bus of 07:00, left for at 06:59; from 07:30 on that of 07:20.
    assert dict(zip(pair["deadline"], pair["time_s"].astype(int), strict=True)) == {
        "07:28:00": 29 * 60,
        "07:29:00": 30 * 60,
        "07:30:00": 11 * 60,
        "07:31:00": 12 * 60,
    }


def test_a_matrix_between_places_of_files(study: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text('id,lon,lat\n007,20.0,0.0\n"=1+1",20.1,0.0\n', encoding="utf-8")
    (tmp_path / "b.csv").write_text("﻿id;lon;lat\nö <b>;20.1;0.0\n", encoding="utf-8")
    out = tmp_path / "m.csv"
    ends = ["--from", str(tmp_path / "a.csv"), "--to", str(tmp_path / "b.csv")]
    assert run_command(["matrix", study, "--out", str(out), *ends, "--quiet"]) == 0
    assert [(row["origin"], row["destination"], row["p50"]) for row in rows(out)] == [
        ("007", "ö <b>", "1200"),
        ("=1+1", "ö <b>", "0"),
    ]
    for text, words in (
        ("id,lon,lat\na,0.0,51.5\na,0,0\n", "stands there twice"),
        ("id,lon,lat\na,west,51.5\n", "row 2"),
        ("id,lon,lat\na,51.5,\n", "row 2"),
        ("name,lon,lat\na,1,2\n", "no column 'id'"),
        ("id,lon,lat\n ,1,2\n", "row 2: the id is blank"),
        ("", "a.csv"),
        ("id,lon,lat\n", "a.csv"),
    ):
        (tmp_path / "a.csv").write_text(text, encoding="utf-8")
        assert run_command(["matrix", study, "--out", str(tmp_path / "n.csv"), *ends, "--quiet"]) == 1
        assert words in capsys.readouterr().err
        assert not (tmp_path / "n.csv").exists()
    assert run_command(["matrix", study, "--out", str(out), "--from", str(tmp_path / "gone.csv")]) == 2


def test_day_and_window_are_asked_for_only_where_there_are_several(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several, out = str(folder / "several.yaml"), str(tmp_path / "m.csv")
    for arguments, words in (
        ([], "--window (peak, night, or 14:00-15:00)"),
        (["--window", "peak"], "--day (weekday, sunday)"),
        (["--window", "peak", "--day", "monday"], "'monday' is no day of the study"),
        (["--window", "dawn", "--day", "sunday"], "'dawn' is no window of the study"),
        (["--window", "08:00-08:00", "--day", "sunday"], "08:00-08:00"),
    ):
        assert run_command(["matrix", several, "--out", out, *arguments, "--quiet"]) == 2
        assert words in capsys.readouterr().err
    assert run_command(["matrix", several, "--out", out, "--window", "night", "--day", "sunday", "--quiet"]) == 0


def test_a_window_past_midnight_has_two_spellings(folder: Path, tmp_path: Path) -> None:
    """23:30-00:30 and 23:30-24:30 mean the same; the night bus of 24:50 is caught from 23:50 on."""
    written = []
    for number, window in enumerate(("23:30-00:30", "23:30-24:30")):
        out = tmp_path / f"{number}.csv"
        asked = ["matrix", str(folder / "study.yaml"), "--out", str(out), "--per-departure", "--window", window]
        assert run_command([*asked, "--quiet"]) == 0
        written.append(out.read_bytes())
    assert written[0] == written[1]
    pair = [row for row in rows(tmp_path / "0.csv") if row["origin"] == "P0" and row["destination"] == "hallP1"]
    assert len(pair) == 60
    assert [pair[minute]["departure"] for minute in (0, 59)] == ["23:30:00", "24:29:00"]
    times = np.array([int(row["time_s"]) for row in pair])
    arrivals = np.where(np.arange(60) < 20, 24 * 3600, 25 * 3600)
    assert (times == arrivals - (23.5 * 3600 + 60 * np.arange(60))).all()


# --- journey ---------------------------------------------------------------------------------------------------------


def test_a_journey_as_text_and_as_data(study: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["journey", study, "P0", "Hall P1", "--depart", "08:15", "--quiet"]
    assert run_command(asked) == 0
    assert "08:20:00  bus L1 from Stand 0 (S0)" in capsys.readouterr().out
    assert run_command([*asked, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["journeys"][0]["time_s"] == 900 and data["reason"] == ""
    assert run_command(["journey", study, "P0", "hallP4", "--depart", "08:15", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["journeys"] == [] and data["reason"] == "over_time" and "limit 3" in data["message"]
    assert run_command(["journey", study, "P0", "hallP4"]) == 2
    assert run_command(["journey", study, "P0", "[/bold]nowhere", "--depart", "08:15"]) == 2


def test_no_name_reaches_the_terminal_as_a_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A title that would clear the screen and turn the reading direction is shown with marks in place of that."""
    text = STUDY.replace("title: Seven places in a row", 'title: "A\\u001b[2Jb\\u202Ec [bold]d"')
    assert run_command(["check", str(town_study(tmp_path, text))]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said and "\u202e" not in said and "A\ufffd[2Jb\ufffdc [bold]d (town)" in said


def test_places_with_a_minus_sign(
    study: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``-2.45,53.74`` begins like an option and is a place all the same, here one that is off the network."""
    given = ["community-routes", "journey", study, "-2.45,53.74", "-2.5,-53.7", "--depart", "08:15"]
    monkeypatch.setattr(sys, "argv", given)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "-2.45000,53.74000 to -2.50000,-53.70000" in capsys.readouterr().out


# --- the timetable ---------------------------------------------------------------------------------------------------


def test_an_exported_timetable_is_whole_and_the_same_each_time(folder: Path, tmp_path: Path) -> None:
    made = []
    for name in ("a.zip", "b.zip"):
        asked = ["export-gtfs", str(folder / "study.yaml"), str(folder / "link.yaml"), str(tmp_path / name)]
        assert run_command([*asked, "--quiet"]) == 0
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    assert run_command(["check", str(tmp_path / "a.zip"), "--quiet"]) == 0


@pytest.fixture(autouse=True)
def _no_colours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wide and plain, whatever the terminal of whoever runs the tests."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    assert os.environ["COLUMNS"] == "200"
    yield


# --- further commands ------------------------------------------------------------------------------------------------


def test_a_scenario_to_start_from(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = str(folder / "study.yaml")
    out = tmp_path / "my-idea.yaml"
    assert run_command(["new-scenario", study, "my-idea", "--out", str(out), "--quiet"]) == 0
    assert run_command(["check", study, str(out), "--quiet"]) == 0
    assert "0 changes can be made" in capsys.readouterr().out
    before = out.read_bytes()
    assert run_command(["new-scenario", study, "my-idea", "--out", str(out)]) == 2
    assert run_command(["new-scenario", study, "other", "--out", str(out)]) == 2
    assert out.read_bytes() == before
    assert run_command(["new-scenario", study, "../../x", "--out", str(tmp_path / "x.yaml")]) == 2
    assert run_command(["diff", study, str(out), "--quiet"]) == 0
    assert "the two timetables are the same" in capsys.readouterr().out
    assert run_command(["diff", study, str(folder / "link.yaml"), "--quiet"]) == 0
    assert "X is new, 8 departures" in capsys.readouterr().out


def test_the_doctor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run_command(["doctor", "--quiet", "--cache", str(tmp_path / "cache")]) == 0
    said = capsys.readouterr().out
    assert "everything works" in said and "which adds up" in said and f"community-routes  {__version__}" in said
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert run_command(["doctor", "--quiet", "--cache", str(tmp_path / "file")]) == 5
    assert "PROBLEM  cache" in capsys.readouterr().out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_can_be_had(shell: str) -> None:
    """What the shells ask for: a script, and the commands that begin with some letters."""
    environment = {**os.environ, "_COMMUNITY_ROUTES_COMPLETE": f"source_{shell}"}
    start = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'community-routes'; from community_routes.cli import main; main()",
    ]
    done = subprocess.run(
        start, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False, env=environment
    )
    assert done.returncode == 0 and "community-routes" in done.stdout, done.stderr


def test_the_page_of_commands_names_each_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\| `community-routes ([a-z-]+)", page, re.MULTILINE))
    assert run_command(["--help"]) == 0
    listed = set(re.findall(r"^│ ([a-z][a-z-]+) {2,}", capsys.readouterr().out, re.MULTILINE))
    assert named >= {"run", "check", "isochrone"} and named <= listed | {"demo"}
    assert listed - {"sites", "fetch"} <= named


def test_an_interruption_while_something_is_cleared_away_is_not_lost() -> None:
    """Python drops what is raised in ``__del__``; Ctrl-C at such a moment still ends the program, with 130."""
    start = (
        "import signal, time; from community_routes import cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # what runs in the background ignores it
        "class Cleared:\n"
        "    def __del__(self): raise KeyboardInterrupt\n"
        "def slow(words):\n"
        "    try:\n"
        "        Cleared(); time.sleep(20)\n"
        "        return 0\n"
        "    except KeyboardInterrupt:\n"
        "        return 130\n"
        "cli.run_command = slow\n"
        "cli.main()"
    )
    assert subprocess.run([sys.executable, "-c", start], check=False).returncode == 130
