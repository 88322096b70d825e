"""Scenario files: what is read, what it says back, and that names that look like numbers stay names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from community_routes.base.errors import ScenarioError
from community_routes.base.notices import Notice
from community_routes.scenarios.changes.add_route import AddRoute
from community_routes.scenarios.changes.set_headway import SetHeadway
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute
from community_routes.scenarios.file import Scenario, read_scenario, read_scenario_text
from community_routes.scenarios.list import CHANGES

WHOLE = """\
scenario: evening-link
title: Evening link
changes:
  - add_route:
      name: C1
      stops: [Shadsworth Centre, {at: [-2.4521, 53.7472], name: New stop}, 007]
      both_ways: true
      run_times_min: [6, 4]
      service:
        weekday:  {05:30-07:00: 30, 07:00-19:00: 15, 19:00-23:30: 30}
        sunday:   {departures: [22:00, "05:45"]}
      fare: {single: 2.00}
  - set_headway: {route: 7, sunday: {09:00-18:00: 30}}
  - withdraw_route: {route: 007, from: 22:00, to: "25:30"}
cost: {per_bus_hour: 48, per_km: 1.10, per_peak_vehicle_year: 32000, dead_share: 0.08, days: {weekday: 253, saturday: 52}}
"""


def write(folder: Path, text: str, name: str = "evening-link") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_times_and_names_without_quotes_are_their_text(tmp_path):
    """22:00 is a clock time, 7 and 007 are two different routes."""
    scenario = read_scenario(write(tmp_path, WHOLE))
    new, headway, withdrawn = scenario.changes
    assert isinstance(new, AddRoute)
    assert new.stops[2].text == "007"
    assert new.service["sunday"]["departures"] == (("05:45", 20_700), ("22:00", 79_200))
    assert isinstance(headway, SetHeadway)
    assert headway.route == "7"
    assert isinstance(withdrawn, WithdrawRoute)
    assert withdrawn.route == "007"
    assert withdrawn.period_s() == (79_200, 91_800)
    assert scenario.cost.per_bus_hour == 48


def test_written_and_read_again_is_the_same(tmp_path):
    scenario = read_scenario(write(tmp_path, WHOLE))
    again = read_scenario(write(tmp_path, scenario.to_yaml()))
    assert again.changes == scenario.changes
    assert again.cost == scenario.cost
    assert '"007"' in scenario.to_yaml()


def test_python_and_yaml_say_the_same(tmp_path):
    made = Scenario(
        scenario="plan",
        title="A plan",
        changes=[
            SetHeadway(route="7", sunday={"09:00-18:00": 30}),
            {"withdraw_route": {"route": 9, "days": ["sunday"]}},
        ],
    )
    read = read_scenario(write(tmp_path, made.to_yaml(), "plan"))
    assert read.changes == made.changes


def test_faults_in_python_are_sentences():
    with pytest.raises(ScenarioError, match="scenario today: 'today' is the name of the baseline"):
        Scenario(scenario="today")
    with pytest.raises(ScenarioError, match="0 is outside 1 to 240"):
        Scenario(scenario="x", changes=[{"set_headway": {"route": "7", "sunday": {"09:00-18:00": 0}}}])


def test_all_faults_of_a_file_at_once(tmp_path):
    """Four slips in one file, each with its line and column."""
    text = """\
scenario: evening-link
changes:
  - set_headway: {rout: 7, sunday: {09:00-18:00: 30}}
  - withdraw_rout: {route: 9}
  - add_route: {name: X, stops: [A, B], run_times_min: [4, 5], departures: ["07:00"]}
  - set_headway: {route: 9, sunday: {18:00-18:00: 0}}
"""
    found: list[Notice] = []
    with pytest.raises(ScenarioError):
        read_scenario(write(tmp_path, text), notices=found)
    assert [(notice.row, notice.column) for notice in found] == [(3, 19), (4, 5), (5, 16), (6, 51)]
    said = [notice.message for notice in found]
    assert said[0] == "unknown key 'rout'; did you mean 'route'?"
    assert said[1] == "there is no change called 'withdraw_rout'; did you mean 'withdraw_route'?"
    assert said[2] == "2 stops need 1 run_times_min, one from each stop to the next; 2 given"


def test_base_files_are_read_first(tmp_path):
    write(tmp_path, "scenario: base\nchanges: []\n", "base")
    scenario = read_scenario(write(tmp_path, "scenario: top\nbase: base\nchanges: []\n", "top"))
    assert [part.scenario for part in scenario.chain()] == ["base", "top"]


def test_base_files_in_a_circle(tmp_path):
    write(tmp_path, "scenario: one\nbase: two\nchanges: []\n", "one")
    write(tmp_path, "scenario: two\nbase: three\nchanges: []\n", "two")
    write(tmp_path, "scenario: three\nbase: one\nchanges: []\n", "three")
    with pytest.raises(ScenarioError, match="in a circle: one -> two -> three -> one"):
        read_scenario(tmp_path / "one.yaml")


EXAMPLES = [
    text
    for text in re.findall(
        r"^```yaml\n(.*?)^```",
        (Path(__file__).resolve().parents[2] / "docs" / "proposals.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    if text.startswith("scenario:")
]


@pytest.mark.parametrize("text", EXAMPLES, ids=[text.split()[1] for text in EXAMPLES])
def test_every_kind_of_change_is_printed_back(tmp_path, text):
    """The examples of the page on proposals hold every change: printed as YAML and read again they are equal."""
    name = text.split()[1]
    scenario = read_scenario(write(tmp_path, text, name))
    again = read_scenario(write(tmp_path, scenario.to_yaml(), name))
    assert again.changes == scenario.changes and again.title == scenario.title and again.cost == scenario.cost
    in_python = Scenario(scenario=name, title=scenario.title, changes=scenario.changes, cost=scenario.cost)
    assert in_python.to_yaml() == scenario.to_yaml()


def test_changed_in_a_loop(tmp_path):
    """Each headway is a proposal of its own; the one it was made from stays as it was, and files are still found beside it."""
    first = read_scenario(write(tmp_path, "scenario: plan\nchanges:\n  - withdraw_route: {route: 9}\n", "plan"))
    made = [
        first.with_changes(SetHeadway(route="7", weekday={"07:00-09:00": headway})).named(f"every-{headway}")
        for headway in (10, 15, 20)
    ]
    assert [plan.scenario for plan in made] == ["every-10", "every-15", "every-20"]
    assert [plan.changes[-1].by_day()["weekday"]["07:00-09:00"] for plan in made] == [10, 15, 20]
    assert len(first.changes) == 1 and all(plan.folder == tmp_path for plan in made)
    for plan in made:
        (tmp_path / f"{plan.scenario}.yaml").write_text(plan.to_yaml(), encoding="utf-8")
        assert read_scenario(tmp_path / f"{plan.scenario}.yaml").changes == plan.changes


def test_a_text_is_read_as_its_file_would_be(tmp_path):
    """Unsaved texts: the same changes, the same places of faults, a base from the texts before one from the disk."""
    saved = read_scenario(write(tmp_path, WHOLE))
    unsaved = read_scenario_text({"evening-link": WHOLE}, "evening-link", tmp_path / "nowhere")
    assert unsaved.changes == saved.changes
    assert unsaved.cost == saved.cost
    assert unsaved.folder == tmp_path / "nowhere"
    write(tmp_path, "scenario: below\ntitle: On the disk\nchanges: []\n", "below")
    texts = {"top": "scenario: top\nbase: below\nchanges: []\n"}
    assert read_scenario_text(texts, "top", tmp_path).base_scenario.title == "On the disk"
    texts["below"] = "scenario: below\ntitle: Only a text\nchanges: []\n"
    assert read_scenario_text(texts, "top", tmp_path).base_scenario.title == "Only a text"


def test_faults_of_a_text_have_their_places(tmp_path):
    """Line 4, column 5 names the misspelt change; a control character and a circle of texts are refused like in files."""
    notices: list[Notice] = []
    with pytest.raises(ScenarioError, match="did you mean 'withdraw_route'"):
        text = "scenario: a\ntitle: A\nchanges:\n  - withdraw_rout: {route: 7}\n"
        read_scenario_text({"a": text}, "a", tmp_path, notices=notices)
    assert [(n.file, n.row, n.column) for n in notices] == [("a.yaml", 4, 5)]
    with pytest.raises(ScenarioError, match="control character U\\+0007"):
        read_scenario_text({"a": "scenario: a\a\nchanges: []\n"}, "a", tmp_path)
    with pytest.raises(ScenarioError, match="in a circle: a -> b -> a"):
        circle = {one: f"scenario: {one}\nbase: {other}\nchanges: []\n" for one, other in ("ab", "ba")}
        read_scenario_text(circle, "a", tmp_path)
    with pytest.raises(ScenarioError, match=r"there is no file 'a\.yaml'"):
        read_scenario_text({}, "a", tmp_path)


@pytest.mark.parametrize("kind", CHANGES)
def test_every_change_can_be_switched_off(tmp_path, kind):
    """``off`` is a field of each; to_yaml keeps it; a word that is neither true nor false is a fault at its place."""
    assert "off" in CHANGES[kind].model_fields
    text = f"scenario: evening-link\nchanges:\n  - {kind}:\n      off: perhaps\n"
    with pytest.raises(ScenarioError, match=rf"line 4, column 12 \(changes\[1\]\.{kind}\.off\)"):
        read_scenario(write(tmp_path, text))
