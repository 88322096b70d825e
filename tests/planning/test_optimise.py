"""The best set of changes within a budget: costs and gains by hand, the best of all sets, files, floors, and faults."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import CommunityRoutesError, ScenarioError, UsageError
from community_routes.cli import run_command
from community_routes.evaluation.case import Case, Study, open_study
from community_routes.evaluation.cost import proposal_cost
from community_routes.evaluation.evaluate import evaluate_case
from community_routes.evaluation.results import compare
from community_routes.planning.optimising.aim import Aim, Objective
from community_routes.planning.optimising.candidates import Claim, Timetabled, routes_near
from community_routes.planning.optimising.design import Design, composed
from community_routes.planning.optimising.journal import Journal
from community_routes.planning.optimising.last_buses import NEVER_S, SLACK_S, LastBuses
from community_routes.planning.optimising.limits import Budget, Floors
from community_routes.planning.optimising.optimise import Among, Optimised, Searching, optimise
from community_routes.scenarios.file import read_scenario
from small_town import STUDY, town_study

HEADWAYS = Among(routes=("L1", "L2", "L3"), kinds=("headways",))
ONE_TO_TEN_H = 7 * 2 * 12.5 / 60 * 253
"""Hours of a route every 10 and not every 20 minutes from 07:00 to 09:30: 15 and not 8 starts each way, each 10 minutes and half
of a layover of 5 minutes, on 253 weekdays."""
COSTED = STUDY + "costs: {per_bus_hour: 40, per_peak_vehicle_year: 10000}\n"
GROUPED = STUDY.replace(
    "neighbourhoods: {file: areas.geojson, id: code, name: label}",
    "neighbourhoods: {file: areas.geojson, id: code, name: label, deprivation: {file: rank.csv, id: code, rank: rank}}",
)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def found(town: Study) -> Optimised:
    return optimise(town, bus_hours=1.01 * ONE_TO_TEN_H, among=HEADWAYS)


def design(study: Study, budget: float, floors: Floors = Floors(), kinds: tuple[str, ...] = ("headways",)) -> Design:  # noqa: B008
    objective = Objective.of(study, Aim())
    routes = tuple(routes_near(objective.case, ("L1", "L2", "L3")))
    made = Timetabled(objective.case, routes, tuple(objective.slots), objective.longest_min)
    return Design.made(objective, made.all(kinds), Budget("bus_hours", budget), floors, Journal(None, ""))


def test_what_a_change_takes(town: Study, found: Optimised) -> None:
    """Hours by hand. Shares add up, and the last gain of a change is what the set lacks without it."""
    problem = design(town, np.inf)
    ten = frozenset(one for one in problem.pool if one.id == "L1@morning_peak=10")
    assert problem.cost(ten) == pytest.approx(ONE_TO_TEN_H)
    changes, best = found.changes, found.found.best
    assert len(changes) == len(best.chosen) > 1 and found.cost is not None
    assert changes["share_of_gain"].sum() == pytest.approx(1.0)
    assert changes["bus_hours"].sum() == pytest.approx(found.cost.bus_hours)
    same = {one.id: one for one in problem.pool}
    chosen = [same[one.id] for one in best.chosen]
    for number, row in changes.iterrows():
        rest = frozenset(one for one in chosen if one is not chosen[number])
        assert row["gain_last"] == best.value - problem.value(rest)
        assert row["gain_alone"] == problem.value(frozenset((chosen[number],))) - found.found.nothing


def test_headways_by_hand(town: Study) -> None:
    """Today 8 starts each way from 07:00 to 09:30: every 15, 12 and 10 minutes are more, every 20 minutes what runs today.

    The window ends at 08:00, and what counts ends an hour later; a bus takes 10 minutes: what starts from 06:50 to 09:00 counts.
    """
    ids = [one.id for one in design(town, np.inf).pool if one.id.startswith("L2@")]
    early, peak = "L2@early", "L2@morning_peak"
    # From 05:00 to 07:00 three start each way: four from every 30 minutes on.
    assert ids == [*(f"{early}={h}" for h in (30, 20, 15, 12, 10)), *(f"{peak}={h}" for h in (15, 12, 10))]


def test_the_best_of_all_sets(town: Study) -> None:
    """Every set of headways of three routes in the peak, valued one by one: none within the budget is better."""
    for budget in (400.0, 900.0, 1500.0):
        result = optimise(town, bus_hours=budget, among=HEADWAYS)
        problem = design(town, budget)
        levels = [
            [
                None,
                *(
                    one
                    for one in problem.pool
                    if one.id in {c.id for c in result.candidates} and one.id.startswith(route)
                ),
            ]
            for route in ("L1@morning", "L2@morning", "L3@morning", "L1@early", "L2@early", "L3@early")
        ]
        best = -np.inf
        for chosen in itertools.product(*levels):
            members = frozenset(one for one in chosen if one is not None)
            if problem.cost(members) <= budget:
                best = max(best, problem.value(members))
        assert result.found.best.value == best


def test_a_set_costs_what_its_proposal_costs(town: Study) -> None:
    """Routes by themselves and added up, or all in one proposal: the same hours, kilometres and peak vehicles."""
    problem = design(town, np.inf, kinds=("headways", "cuts", "spans"))
    chance = np.random.default_rng(1)
    for _ in range(12):
        chosen = frozenset(chance.choice(np.asarray(problem.pool, object), 3, replace=False).tolist())
        if not problem.allowed(chosen):
            continue
        case = problem.objective.case
        cost = proposal_cost(case, case.with_scenario(composed(problem.ordered(chosen))))
        assert cost is not None
        year = problem.year(chosen)
        for key in ("bus_hours", "km", "peak_vehicles"):
            assert year[key] == pytest.approx(float(cost.year.loc[key, "change"]), abs=1e-6)


def test_the_file_says_what_run_says(found: Optimised, town: Study, tmp_path: Path) -> None:
    """The proposal as it is written, read and evaluated: the level of everybody to the last digit."""
    found.write(tmp_path / "out")
    text = (tmp_path / "out" / "optimised.yaml").read_text(encoding="utf-8")
    assert text.startswith("# Found by community-routes") and "candidates" in text
    case = Case.of(town)
    today = evaluate_case(case)
    groups = compare(
        today, evaluate_case(case.with_scenario(read_scenario(tmp_path / "out" / "optimised.yaml")))
    ).groups
    figure = found.objective.figure
    mine = groups[figure.of(groups) & (groups["grouping"] == "all") & (groups["scenario"] == "optimised")]
    assert float(mine["value"].iloc[0]) == found.found.best.value
    assert float(mine["baseline"].iloc[0]) == found.found.nothing
    frontier = pd.read_csv(tmp_path / "out" / "frontier.csv")
    assert frontier["value"].is_monotonic_increasing and frontier["spent"].is_monotonic_increasing
    assert frontier["value"].iloc[-1] == found.found.best.value
    assert (frontier["spent"] <= 1.01 * ONE_TO_TEN_H + 1e-6).all()
    page = (tmp_path / "out" / "optimise.html").read_text(encoding="utf-8")
    assert "What to do" in page and "nan" not in page.lower().replace("nand", "")


def test_the_same_bytes_again(town: Study, tmp_path: Path) -> None:
    for name in ("one", "two"):
        optimise(town, bus_hours=900, among=HEADWAYS).write(tmp_path / name)
    assert {p.name: p.read_bytes() for p in (tmp_path / "one").iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "two").iterdir()
    }


def test_a_search_that_was_killed_goes_on(tmp_path: Path) -> None:
    """Killed with SIGKILL when it has found out some figures, and run again: the bytes of a search that nobody killed."""
    study = town_study(tmp_path / "town")
    asked = [
        "optimise", str(study), "--bus-hours", "900", "--routes", "L1,L2,L3", "--kinds-of-change", "headways", "--quiet",
        "--threads", "1", "--out",
    ]  # fmt: skip
    assert run_command([*asked, str(tmp_path / "whole")]) == 0
    out, kept = tmp_path / "out", tmp_path / "out.search"
    command = [sys.executable, "-m", "community_routes.cli", *asked, str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            if kept.is_file() and kept.read_bytes().count(b"\n") > 4:
                break
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    assert kept.is_file() and not out.exists()
    known = kept.read_text(encoding="utf-8")
    kept.write_text(known + '["cut sho', encoding="utf-8")  # a line that was being written
    assert run_command([*asked, str(out)]) == 0
    assert not kept.exists()
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "whole").iterdir()
    }


def test_what_was_found_out_of_something_else_is_not_used(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a.search", "one")
    journal["x"] = [1 / 3, float("-inf")]
    journal.close()
    again = Journal(tmp_path / "a.search", "one")
    assert again["x"] == [1 / 3, float("-inf")]
    with pytest.raises(UsageError, match="another run is at work"):
        Journal(tmp_path / "a.search", "one")
    again.close()
    assert Journal(tmp_path / "a.search", "two")["x"] is None


def test_moving_service_about_adds_none(town: Study) -> None:
    """With a budget of 0 there are cuts to pay with, and nothing is spent."""
    result = optimise(town, bus_hours=0, among=Among(routes=("L1",), kinds=("spans", "cuts")))
    assert "cuts" in {candidate.kind for candidate in result.candidates}
    assert result.found.best.cost <= 1e-9
    assert result.cost is None or result.cost.bus_hours <= 1e-6


def test_floors(town: Study) -> None:
    """All residents may lose nothing: of the cuts none is made that takes anything from them on average."""
    problem = design(town, 0.0, Floors(no_group_loses=0.0), kinds=("cuts",))
    cut = next(one for one in problem.pool if one.id == "L2@morning_peak=none")
    assert problem.value(frozenset((cut,))) == -np.inf
    allowed = design(town, 0.0, Floors(no_group_loses=100.0), kinds=("cuts",))
    same = next(one for one in allowed.pool if one.id == cut.id)
    assert -np.inf < allowed.value(frozenset((same,))) < allowed.value(frozenset())
    two = frozenset(design(town, 0.0, Floors(at_most=1)).pool[:1])
    assert len(two) == 1
    few = design(town, 0.0, Floors(at_most=1))
    l1, l2 = (next(one for one in few.pool if one.id == f"{name}@morning_peak=10") for name in ("L1", "L2"))
    assert few.allowed(frozenset((l1,))) and not few.allowed(frozenset((l1, l2)))


def test_last_buses_are_kept(town: Study) -> None:
    """L5 alone comes to P5, last at 21:40; at P2 and P3 those of L2 and L4 leave as late as those of L3."""
    objective = Objective.of(town, Aim(windows=("peak",)))
    last = LastBuses(objective.case)
    zone = town.zones.table["id"].tolist().index
    assert last.today["L5"][0, zone("P5")] == 21 * 3600 + 40 * 60
    assert last.today["L5"][0, zone("P1")] == NEVER_S == last.today["N"][0, zone("P1")]
    assert last.today["N"][0, zone("P0")] == 89_400
    none = np.full((1, len(town.zones)), NEVER_S)
    assert last.kept({}) and last.kept({"L3": none}) and not last.kept({"L5": none})
    early = last.today["L5"] - SLACK_S
    assert last.kept({"L5": early}) and not last.kept({"L5": early - 1})
    assert not last.kept({"L2": none, "L3": none})
    kept = design(town, 0.0, Floors(keep_last_buses=True), kinds=("cuts",))
    pool = {one.id: one for one in kept.pool}
    assert kept.allowed(frozenset((pool["L2@morning_peak=none"],)))
    assert "L2@evening=none" not in pool  # its hours are not looked at


def test_two_headways_of_one_period_clash(town: Study) -> None:
    problem = design(town, np.inf)
    pool = {one.id: one for one in problem.pool}
    assert not problem.allowed(frozenset((pool["L1@morning_peak=10"], pool["L1@morning_peak=15"])))
    assert problem.allowed(frozenset((pool["L1@morning_peak=10"], pool["L1@early=15"], pool["L2@morning_peak=15"])))
    assert [one.id for one in problem.near(pool["L1@morning_peak=12"])] == ["L1@morning_peak=15", "L1@morning_peak=10"]
    assert Claim("1", "", (0, 10)).clashes(Claim("1", "saturday", (9, 20)))
    assert not Claim("1", "sunday", (0, 10)).clashes(Claim("1", "saturday", (0, 10)))
    assert not Claim("1").clashes(Claim("1", "", (0, 10)))


def test_files_of_the_planner(town: Study, tmp_path: Path) -> None:
    """Each file is one candidate, made as a whole or not at all; the better for the hours is chosen."""
    for name, routes in (("often", ("L1", "L2", "L3")), ("seldom", ("SLOW",))):
        lines = [f"  - set_headway: {{route: {route}, weekday: {{07:00-09:30: 15}}}}\n" for route in routes]
        (tmp_path / f"{name}.yaml").write_text(f"scenario: {name}\nchanges:\n{''.join(lines)}", encoding="utf-8")
    files = (tmp_path / "often.yaml", tmp_path / "seldom.yaml")
    result = optimise(town, bus_hours=1.01 * ONE_TO_TEN_H, among=Among(kinds=(), files=files))
    assert [candidate.id for candidate in result.found.best.chosen] == ["often"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("changes:\n  - set_headway: {route: L9, weekday: {07:00-09:30: 10}}\n", "L9"),
        ("changes:\n  - add_space: {name: Park, at: [20.1, 0.0]}\n", "changes services only"),
    ],
)
def test_a_candidate_that_does_not_apply(town: Study, tmp_path: Path, text: str, said: str) -> None:
    """Its file, what is wrong and the cure."""
    (tmp_path / "own.yaml").write_text(f"scenario: own\n{text}", encoding="utf-8")
    with pytest.raises(ScenarioError, match=said) as fault:
        optimise(town, bus_hours=100, among=Among(kinds=(), files=(tmp_path / "own.yaml",)))
    assert "own.yaml" in str(fault.value)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"bus_hours": -1}, "below zero"),
        ({}, "give one budget"),
        ({"bus_hours": 1, "buses": 1}, "bus-hours and buses given"),
        ({"cost": 100}, "rates"),
        ({"bus_hours": 100, "aim": Aim(group="nobody")}, "no group 'nobody'"),
        ({"bus_hours": 100, "aim": Aim(windows=("noon",))}, "no window 'noon'"),
        ({"bus_hours": 100, "among": Among(routes=("L9",))}, "no route 'L9'"),
        ({"bus_hours": 100, "among": Among(kinds=("magic",))}, "no kind of change 'magic'"),
        ({"bus_hours": 100, "among": Among(kinds=())}, "nothing to choose from"),
        ({"bus_hours": 0.5, "among": HEADWAYS}, "nothing to choose from"),
    ],
)
def test_what_cannot_be_asked(town: Study, asked: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        optimise(town, **asked)  # type: ignore[arg-type]


def test_a_floor_that_today_breaks(town: Study) -> None:
    with pytest.raises(UsageError, match="broken today already"):
        optimise(town, bus_hours=900, floors=Floors(no_group_below=1e9), among=HEADWAYS)
    for wrong in ({"no_group_loses": -1.0}, {"at_most": 0}):
        with pytest.raises(UsageError):
            Floors(**wrong)  # type: ignore[arg-type]


def test_budgets_in_money_and_buses(tmp_path: Path) -> None:
    """Forty an hour and 10,000 for a peak vehicle: 738 hours and two more vehicles of L3 every 10 minutes."""
    study = open_study(town_study(tmp_path, COSTED))
    vehicles = optimise(study, buses=2, among=Among(routes=("L3",), kinds=("headways",)))
    row = vehicles.changes.iloc[0]
    assert row["cost"] == pytest.approx(40 * row["bus_hours"] + 10_000 * row["buses"])
    money = optimise(study, cost=row["cost"] + 1, among=Among(routes=("L3",), kinds=("headways",)))
    assert money.found.best.cost <= row["cost"] + 1


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, out = town_study(tmp_path / "town"), tmp_path / "out"
    asked = [
        "optimise",
        str(study),
        "--bus-hours",
        "900",
        "--routes",
        "L1,L3",
        "--kinds-of-change",
        "headways",
        "--quiet",
    ]
    assert run_command([*asked, "--out", str(out), "--no-group-loses", "2%", "--window", "peak", "--minutes", "5"]) == 0
    assert "all residents" in capsys.readouterr().out
    names = {path.name for path in out.iterdir()}
    assert {"optimise.html", "optimised.yaml", "changes.csv", "frontier.csv", "candidates.csv", "run.json"} <= names
    content = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert content["command"] == "optimise" and content["settings"]["no_group_loses_percent"] == 2.0
    assert run_command([*asked, "--out", str(out), "--no-group-loses", "few"]) == 2
    assert run_command([*asked[:3], "-5", "--out", str(out)]) == 2


def test_a_search_cut_short_says_so(town: Study) -> None:
    result = optimise(town, bus_hours=900, among=HEADWAYS, searching=Searching(minutes=0))
    assert not result.found.finished and result.found.best.value >= result.found.nothing
    assert isinstance(result.text(), str) and not isinstance(result, CommunityRoutesError)
