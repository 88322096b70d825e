"""The inputs of a run in its folder: the same bytes, the same results, and a word when they are not what they were."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

import community_routes.evaluation.inputs as kept_module
from community_routes.base.errors import UsageError
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, open_study
from community_routes.evaluation.inputs import keep_inputs, listed, read_kept
from community_routes.evaluation.proposals import read_scenarios
from community_routes.over_time.runs import read_run
from community_routes.scenarios.file import Scenario
from community_routes.sources.study.file import read_study_file
from small_town import town_study

LESS = "scenario: less\nchanges:\n  - withdraw_route: {route: L1}\n"
LINE = '{"type": "LineString", "coordinates": [[20.0, 0.0], [20.1, 0.0]]}'
OUTSIDE = """\
# A comment that stays.
study: town
service_date: 2024-03-05
streets: {crow_fly: {detour: 1.3}, area: [19, -1, 22, 1]}
timetables: [../north/bus.zip, ../south/bus.zip, "%s"]
neighbourhoods: {file: &areas ../north/areas.geojson, id: code, name: label}
destinations:
  shared_spaces: {file: own/spaces.geojson, id: id, name: ../north/areas.geojson}
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_run_of_the_kept_inputs_is_the_same_run(tmp_path: Path) -> None:
    """Every file of the second folder, the page and the kept inputs included, has the bytes of the first."""
    study = town_study(tmp_path / "town")
    (tmp_path / "less.yaml").write_text(LESS, encoding="utf-8")
    first, second = tmp_path / "first", tmp_path / "second"
    assert run_command(["run", str(study), str(tmp_path / "less.yaml"), "--out", str(first), "--quiet"]) == 0
    inputs = first / "inputs"
    assert (inputs / "study.yaml").read_bytes() == study.read_bytes()
    again = ["run", str(inputs / "study.yaml"), str(inputs / "scenarios" / "less.yaml"), "--out", str(second)]
    assert run_command([*again, "--quiet"]) == 0
    assert contents(first) == contents(second)
    # A run may be replaced by one of its own inputs.
    assert run_command([*again[:-1], str(first), "--quiet"]) == 0
    assert contents(first) == contents(second)


def test_files_from_elsewhere_come_together_under_their_names(tmp_path: Path) -> None:
    """Three timetables called bus.zip, one by an absolute path; a column that is called like a file stays as it is."""
    for name in ("north", "south", "far"):
        town_study(tmp_path / name)
    home = tmp_path / "home"
    town_study(home / "own")
    (home / "study.yaml").write_text(OUTSIDE % (tmp_path / "far" / "bus.zip"), encoding="utf-8")
    study = open_study(town_study(tmp_path / "plain"))
    file = read_study_file(home / "study.yaml")
    found = keep_inputs(dataclasses.replace(study, file=file, sources=study.sources[:0]), [], tmp_path / "run")
    assert found.reason == ""
    text = (tmp_path / "run" / "inputs" / "study.yaml").read_text(encoding="utf-8")
    assert text == (
        (OUTSIDE % "X")
        .replace("[../north/bus.zip, ../south/bus.zip,", '["bus.zip", "bus-2.zip",')
        .replace('"X"', '"bus-3.zip"')
        .replace("&areas ../north/areas.geojson", '&areas "areas.geojson"')
    )
    assert {file.path: file.role for file in found.files} == {
        "areas.geojson": "neighbourhoods",
        "bus.zip": "timetable",
        "bus-2.zip": "timetable",
        "bus-3.zip": "timetable",
        "own/spaces.geojson": "shared_spaces",
        "study.yaml": "study",
    }
    assert str(tmp_path) not in text + (tmp_path / "run" / "inputs" / "kept.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("travel", "kept"),
    [
        ("", "travel: {seed: 7}\n"),
        ("travel: {slack_s: 30, max_rides: 2}\n", "travel: {seed: 7, slack_s: 30, max_rides: 2}\n"),
        ("travel:\n    slack_s: 30  # half\n", "travel:\n    seed: 7\n    slack_s: 30  # half\n"),
        ("travel: {seed: 3, slack_s: 30}\n", 'travel: {seed: "7", slack_s: 30}\n'),
    ],
)
def test_the_seed_of_the_command_line_is_kept(tmp_path: Path, travel: str, kept: str) -> None:
    path = town_study(tmp_path / "town")
    text = path.read_text(encoding="utf-8").partition("travel:")[0]
    path.write_text(text + travel, encoding="utf-8")
    study = open_study(path)
    seeded = study.file.model_copy(update={"travel": study.file.travel.model_copy(update={"seed": 7})})
    assert keep_inputs(dataclasses.replace(study, file=seeded), [], tmp_path / "run").reason == ""
    copy = tmp_path / "run" / "inputs" / "study.yaml"
    assert copy.read_text(encoding="utf-8") == text + kept
    assert read_study_file(copy).travel.seed == 7


def test_proposals_come_with_what_they_build_on_and_name(tmp_path: Path) -> None:
    """Two folders hold another `less`; one proposal builds on it, and one names a drawn line outside its folder."""
    study = open_study(town_study(tmp_path / "town"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "less.yaml").write_text(LESS.replace("L1", "L1" if name == "a" else "L2"), encoding="utf-8")
    (tmp_path / "a" / "more.yaml").write_text(
        "scenario: more\nbase: less\nchanges:\n  - withdraw_route: {route: L3}\n", encoding="utf-8"
    )
    (tmp_path / "line.geojson").write_text(LINE, encoding="utf-8")
    (tmp_path / "b" / "path.yaml").write_text(
        "scenario: path\nchanges:\n  - add_path: {name: Lane, line: ../line.geojson}\n", encoding="utf-8"
    )
    scenarios = read_scenarios([tmp_path / "a" / "more.yaml", tmp_path / "b" / "path.yaml"])
    found = keep_inputs(study, scenarios, tmp_path / "run")
    inputs = tmp_path / "run" / "inputs"
    assert found.scenarios == ("scenarios/more.yaml", "scenarios-2/path.yaml")
    assert [file.path for file in found.files if file.role.startswith("scenario")] == [
        "scenarios-2/line.geojson",
        "scenarios-2/path.yaml",
        "scenarios/less.yaml",
        "scenarios/more.yaml",
    ]
    assert 'line: "line.geojson"' in (inputs / "scenarios-2" / "path.yaml").read_text(encoding="utf-8")
    assert [s.scenario for s in read_scenarios([inputs / path for path in found.scenarios])] == ["more", "path"]


def test_a_shapefile_comes_with_its_companions(tmp_path: Path) -> None:
    import geopandas as gpd

    path = town_study(tmp_path / "town")
    gpd.read_file(tmp_path / "town" / "areas.geojson").to_file(tmp_path / "town" / "areas.shp")
    path.write_text(path.read_text(encoding="utf-8").replace("areas.geojson", "areas.shp"), encoding="utf-8")
    assert keep_inputs(open_study(path), [], tmp_path / "run").reason == ""
    kept = open_study(tmp_path / "run" / "inputs" / "study.yaml")
    assert len(kept.zones) == 9
    assert {file.path for file in read_kept(tmp_path / "run").files} >= {
        "areas.shp",
        "areas.dbf",
        "areas.shx",
        "areas.prj",
    }


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(town_study(tmp_path / "town"))


def test_large_inputs_are_kept_only_when_asked_for(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_module, "MOST_BYTES", 1000)
    left = keep_inputs(study, [], tmp_path / "large")
    assert "more than 0.0 MB; --keep-inputs keeps them" in left.reason
    assert [path.name for path in (tmp_path / "large" / "inputs").iterdir()] == ["kept.json"]
    assert read_kept(tmp_path / "large") == left
    assert keep_inputs(study, [], tmp_path / "asked", wanted=True).reason == ""
    assert "asked for" in keep_inputs(study, [], tmp_path / "none", wanted=False).reason
    assert not (tmp_path / "none").exists()


def test_a_full_disk_costs_the_copies_and_not_the_results(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(copy: object, folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder / "bus.zip"))

    monkeypatch.setattr(kept_module, "_copied", full)
    found = keep_inputs(study, [], tmp_path / "run")
    assert found.words(tmp_path) == "inputs are not kept: No space left on device (bus.zip)"
    assert listed(tmp_path / "run").reason == found.reason


def test_what_changes_during_the_run_is_not_kept(study: Study, tmp_path: Path) -> None:
    """The results are of a timetable that is not there any more; a copy of the other one would be a lie."""
    (tmp_path / "town" / "bus.zip").write_bytes(b"another one")
    assert "bus.zip was changed while the run was going on" in keep_inputs(study, [], tmp_path / "run").reason


def test_a_study_changed_in_python_is_not_kept(study: Study, tmp_path: Path) -> None:
    travel = study.file.travel.model_copy(update={"slack_s": 5})
    changed = dataclasses.replace(study, file=study.file.model_copy(update={"travel": travel}))
    assert "changed after its file was read" in keep_inputs(changed, [], tmp_path / "run").reason


def test_a_proposal_made_in_python_is_written_out(study: Study, tmp_path: Path) -> None:
    less = Scenario.model_validate({"scenario": "less", "changes": [{"withdraw_route": {"route": "L1"}}]})
    found = keep_inputs(study, [less], tmp_path / "run")
    (again,) = read_scenarios([tmp_path / "run" / "inputs" / path for path in found.scenarios])
    assert again.changes == less.changes


def test_inputs_edited_or_lost_afterwards_are_noticed(study: Study, tmp_path: Path) -> None:
    keep_inputs(study, [], tmp_path / "run")
    inputs = tmp_path / "run" / "inputs"
    whole = (inputs / "kept.json").read_text(encoding="utf-8")
    assert read_kept(tmp_path / "run").reason == ""
    (inputs / "bus.zip").write_bytes(b"edited")
    assert (
        "inputs/bus.zip was changed after the run (another sha256 than in kept.json)"
        in read_kept(tmp_path / "run").reason
    )
    (inputs / "bus.zip").unlink()
    assert "inputs/bus.zip is missing" in read_kept(tmp_path / "run").reason
    for path in ("../../secret", "/etc/hostname", "C:\\x"):
        content = json.loads(whole)
        content["files"][1]["path"] = path
        (inputs / "kept.json").write_text(json.dumps(content), encoding="utf-8")
        assert "lies outside the folder" in read_kept(tmp_path / "run").reason
    for damaged in ("", "[]", "{}", '{"files": [{"path": 1}]}', "[" * 5000):
        (inputs / "kept.json").write_text(damaged, encoding="utf-8")
        assert "missing or damaged" in read_kept(tmp_path / "run").reason
    content = json.loads(whole)
    file = content["files"][1]
    for changed in (
        {"scenarios": [1]},
        {"study": ["study.yaml"]},
        {"reason": None},
        *(
            {"files": [{**file, part: wrong}]}
            for part in ("path", "name", "role", "sha256")
            for wrong in ([], 5, "a\0b")
        ),
        *({"files": [{**file, "size": wrong}]} for wrong in (None, "1", -1, 10**40, True)),
    ):
        (inputs / "kept.json").write_text(json.dumps({**content, **changed}), encoding="utf-8")
        assert "missing or damaged" in read_kept(tmp_path / "run").reason
    (inputs / "kept.json").write_text(
        json.dumps({**content, "files": [{**file, "path": "A" * 5000}]}), encoding="utf-8"
    )
    assert "is missing" in read_kept(tmp_path / "run").reason
    assert "were not kept" in read_kept(tmp_path / "elsewhere").reason


def test_the_command_says_what_it_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, out = town_study(tmp_path / "town"), tmp_path / "out"
    assert run_command(["run", str(study), "--out", str(out), "--no-maps"]) == 0
    assert f"inputs kept in {out / 'inputs'}: 4 files, 0.1 MB" in " ".join(capsys.readouterr().err.split())
    assert read_run(out).open_study().file.study == "town"
    assert run_command(["run", str(study), "--out", str(out), "--no-maps", "--no-keep-inputs"]) == 0
    assert not (out / "inputs").exists()
    with pytest.raises(UsageError, match="--no-keep-inputs"):
        read_run(out).open_study()
