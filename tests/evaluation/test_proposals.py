"""Scenario files read for a study: every fault of every file at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from community_routes.base.errors import ScenarioError, UsageError
from community_routes.base.notices import Notice
from community_routes.evaluation.case import Study, open_study
from community_routes.evaluation.proposals import read_scenarios, scenario_sources
from small_town import town_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")))


def faults(folder: Path, study: Study, **files: str) -> list[str]:
    """What is said of these files."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(f"scenario: {name}\n{text}", encoding="utf-8")
    found: list[Notice] = []
    with pytest.raises(ScenarioError):
        read_scenarios([folder / f"{name}.yaml" for name in files], study, notices=found)
    return [str(notice) for notice in found if notice.severity == "error"]


def test_a_misspelt_key_hides_no_unknown_route(tmp_path: Path, study: Study) -> None:
    """The second change cannot be read; the first and third name a route and a stop that are not there, each at its place.

    The fourth names the route that the fifth would have made, and the sixth would do nothing: neither is a fault by itself.
    """
    text = """\
changes:
  - withdraw_route: {route: L9}
  - set_headway: {rout: L1, weekday: {07:00-09:00: 10}}
  - extend_route: {route: L1, after: Stand 0, stops: [Stnad 3], run_times_min: [5]}
  - change_speed: {route: New, factor: 1.5}
  - add_route: {name: New, stops: [Stand 0, Stand 2], speed_kmh: fast, departures: ["07:00"]}
  - withdraw_route: {route: L2, days: [weekday], from: "03:00", to: "04:00"}
"""
    said = faults(tmp_path, study, plan=text)
    assert said == [
        "plan.yaml line 4, column 19 (changes[2].set_headway.rout): unknown key 'rout'; did you mean 'route'?",
        "plan.yaml line 7, column 66 (changes[5].add_route.speed_kmh): 'fast' is no number; write kilometres an hour",
        "plan.yaml line 3, column 29 (changes[1].withdraw_route.route): there is no route 'L9' in the timetable; did you mean "
        "'L5'?",
        "plan.yaml line 5, column 55 (changes[3].extend_route.stops[1]): no stop or destination is called 'Stnad 3'; did you "
        "mean 'Stand 3'?",
    ]


def test_faults_of_several_files(tmp_path: Path, study: Study) -> None:
    said = faults(tmp_path, study, one="changes:\n  - withdraw_route: {route: L9}\n", two="changs: []\n")
    assert [text.partition(" ")[0] for text in said] == ["one.yaml", "two.yaml"]


def test_the_files_behind_proposals(tmp_path: Path, study: Study) -> None:
    """Two proposals on one base: three files, each once; what was made in Python has none."""
    (tmp_path / "base.yaml").write_text("scenario: base\nchanges: []\n", encoding="utf-8")
    for name in ("one", "two"):
        text = f"scenario: {name}\nbase: base\nchanges:\n  - withdraw_route: {{route: L1}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    plans = read_scenarios([tmp_path / "one.yaml", tmp_path / "two.yaml"], study)
    table = scenario_sources([*plans, plans[0].named("copy").model_copy()])
    assert table["name"].tolist() == ["base.yaml", "one.yaml", "two.yaml"]
    assert set(table["kind"]) == {"scenario"} and table["sha256"].str.fullmatch("[0-9a-f]{64}").all()
    with pytest.raises(UsageError, match="given twice"):
        read_scenarios([tmp_path / "one.yaml", tmp_path / "one.yaml"], study)


def test_a_conveyal_scenario_needs_a_study(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text('{"modifications": []}', encoding="utf-8")
    with pytest.raises(UsageError, match=r"plan\.json: a Conveyal scenario can only be read for a study"):
        read_scenarios([tmp_path / "plan.json"])


def test_a_change_with_two_faults_tells_both(tmp_path: Path, study: Study) -> None:
    """A wrong route does not hide a wrong stop of the same change, nor a value that cannot be read what the change names."""
    text = """\
changes:
  - extend_route: {route: L9, after: Stnad 0, stops: [Stand 3], run_times_min: [5]}
  - reroute: {route: L8, from: Stand 0, to: Stnad 1, via: [Stand 2], speed_kmh: fast}
"""
    said = [text.partition(": ")[0] for text in faults(tmp_path, study, plan=text)]
    assert said == [
        "plan.yaml line 4, column 81 (changes[2].reroute.speed_kmh)",
        "plan.yaml line 3, column 27 (changes[1].extend_route.route)",
        "plan.yaml line 3, column 38 (changes[1].extend_route.after)",
        "plan.yaml line 4, column 22 (changes[2].reroute.route)",
        "plan.yaml line 4, column 45 (changes[2].reroute.to)",
    ]


def test_a_proposal_outside_every_window_is_told_of(tmp_path: Path, study: Study) -> None:
    """The window is 07:00-08:00. New buses of 20:05 to 20:55, under way for 10 minutes, meet it nowhere; one at 06:56 does."""
    found: list[Notice] = []
    for name, period in (("late", "20:00-21:00"), ("early", "06:51-06:59")):
        text = f"scenario: {name}\nchanges:\n  - set_headway: {{route: L1, weekday: {{{period}: 5}}}}\n"
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    read_scenarios([tmp_path / "late.yaml", tmp_path / "early.yaml"], study, notices=found)
    said = [str(notice) for notice in found if notice.code == "outside_windows"]
    assert len(said) == 1
    assert said[0].startswith(
        "late.yaml (travel.windows): the buses that it changes on weekday run from 20:05 to 21:05"
    )
    assert "(peak 07:00-08:00)" in said[0]
