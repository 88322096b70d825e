"""Live answers: what is asked, that each equals evaluating and comparing to the last bit, and going on from one another."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import community_routes as cr
from answering import assert_as_compared
from community_routes.answers.live import Live
from community_routes.base.errors import ScenarioError, UsageError
from community_routes.evaluation import places
from community_routes.evaluation.case import Study, open_study
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.network.walks.points import Points
from community_routes.scenarios.draws import Shifts
from community_routes.scenarios.file import Scenario
from small_town import STUDY, town_study

WINDOWS = STUDY.replace("{peak: 07:00-08:00}", "{late: 20:00-21:00, peak: 07:00-08:00}").replace("[30, 60]", "[20, 30, 60]") + (
    "fares: {single: 2, day: 5, budgets: [2, 4]}\nmeasures: [default, gravity_exponential: {half_time_min: 20}]\n"
)  # fmt: skip

PLANS: dict[str, list[dict[str, object]]] = {
    "often": [{"set_headway": {"route": "L1", "weekday": {"07:00-09:00": 10}}}],
    "at_odd_times": [{"set_headway": {"route": "L2", "weekday": {"07:05-08:30": 7}}}],
    "new": [
        {
            "add_route": {
                "name": "X",
                "stops": ["S0", {"at": [20.25, 0.0], "name": "Half way"}, "S6"],
                "speed_kmh": 60,
                "service": {"weekday": {"06:00-21:30": 15}},
            }
        }
    ],
    "gone": [{"withdraw_route": {"route": "L3"}}],
    "faster": [{"change_speed": {"route": "L4", "factor": 1.5}}],
    "dwell": [
        {"extend_route": {"route": "L1", "after": "S1", "stops": ["S2"], "run_times_min": [9]}},
        {"change_dwell": {"route": "L1", "dwell_s": 30}},
    ],
    "longer": [{"extend_route": {"route": "L1", "after": "S1", "stops": ["S2"], "speed_kmh": 50}}],
    "more_stops": [{"add_stop": {"route": "L5", "stop": {"at": [20.45, 0.0], "name": "Half way"}, "after": "S4"}}],
    "fewer_stops": [
        {"extend_route": {"route": "L1", "after": "S1", "stops": ["S2"], "run_times_min": [9]}},
        {"remove_stops": {"route": "L1", "stops": ["S1"]}},
    ],
    "fare": [{"change_fare": {"single": 1}}],
    "homes": [{"add_homes": {"name": "N", "at": [20.0, 0.0], "homes": 10, "like": "P0"}}],
    "space": [{"add_space": {"name": "Hall", "at": [20.1, 0.0]}}],
    "late_only": [{"withdraw_route": {"route": "L2", "from": "20:30", "to": "21:10"}}],
}


def plan(name: str, *changes: dict[str, object]) -> Scenario:
    return Scenario.model_validate({"scenario": name, "changes": list(changes) or PLANS[name]})


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("live"), WINDOWS))


@pytest.fixture(scope="module")
def today(town: Study) -> Evaluation:
    return evaluate(town)


@pytest.fixture(scope="module")
def asked(town: Study) -> Live:
    return cr.live(town)


def test_left_out_the_headline_is_asked(asked: Live) -> None:
    """The first window of the clock, although the file has the late one first; the middle of the cutoffs 20, 30 and 60."""
    figure = asked.figure
    assert (figure.day, figure.window, figure.kind) == ("day", "peak", "shared_spaces")
    assert (figure.measure, figure.reading, figure.cutoff_min) == ("cumulative_opportunities", "mean", 30.0)


def test_today_by_hand(asked: Live) -> None:
    """Buses leave P0 at 07:00, 07:20, 07:40; a minute is needed at the stop. P1 is reached in 30 minutes at most: who leaves at
    07:00 is there at 07:30. On to P2 leaves a bus 10 minutes after, which is there 10 minutes later: 31 minutes at least, from
    07:19. So P0 itself and P1 are reached at every departure, and nothing else: 2. ``lost`` has no figure.
    """
    ids = asked.today.case.zones.table["id"].tolist()
    assert asked.today.value[ids.index("P0")] == 2.0
    assert np.isnan(asked.today.value[ids.index("lost")])
    assert asked.today.reason[ids.index("lost")] == "off_network"


@pytest.mark.parametrize("name", PLANS)
def test_an_answer_equals_evaluating(asked: Live, today: Evaluation, name: str) -> None:
    """Every kind of change."""
    assert_as_compared(asked, asked.try_scenario(plan(name)), today)


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"window": "late", "cutoff_min": 60},
        {"measure": "nearest"},
        {"measure": "isolated", "cutoff_min": 20},
        {"measure": "interval_opportunities"},
        {"measure": "service_per_hour"},
        {"measure": "affordable_opportunities_2"},
        {"measure": "gravity_exponential"},
    ],
    ids=str,
)
def test_other_figures_equal_evaluating(town: Study, today: Evaluation, choice: dict[str, object]) -> None:
    """Other windows, cutoffs and measures, today and under a proposal."""
    live = cr.live(town, **choice)  # type: ignore[arg-type]
    assert_as_compared(live, live.today, today)
    for name in ("often", "gone"):
        assert_as_compared(live, live.try_scenario(plan(name)), today)


def test_going_on_from_an_answer(asked: Live, today: Evaluation) -> None:
    """L3 withdrawn on top of more buses of L1: beside today both count, and the cost is of both routes; undone, of one again."""
    first = asked.try_scenario(plan("often"))
    second = asked.try_scenario(plan("gone"), parent=first)
    assert_as_compared(asked, second, today)
    assert second.cost is not None and set(second.cost.by_day["route"]) == {"L1", "L3"}
    third = asked.try_scenario(plan("new"), parent=second)
    fourth = asked.try_scenario(plan("fourth", {"change_speed": {"route": "X", "factor": 2}}), parent=third)
    assert_as_compared(asked, fourth, today)
    assert fourth.case.applied is not None
    assert fourth.case.applied.new_routes == ["new:X"] and fourth.case.applied.changed_routes == ["L1", "L3"]
    assert_as_compared(asked, first, today)


def test_any_case_can_be_asked(asked: Live, today: Evaluation) -> None:
    """Two minutes at the stop: who leaves P0 at 07:19, 07:39 or 07:59 comes 31 minutes later to P1. And trips moved in time."""
    strict = asked.ask(asked.today.case.with_settings(slack_s=120))
    assert strict.change[0] == pytest.approx(-3 / 60)
    often = asked.try_scenario(plan("often")).case
    later = Shifts(np.full(len(often.feed.trips), 120, np.int32), np.zeros(0, np.int32))
    drawn = asked.ask(often.with_draw(later))
    assert_as_compared(asked, drawn, today)


def test_buses_on_demand_equal_evaluating(asked: Live, today: Evaluation) -> None:
    """Their zone is a file beside the proposal's; their vehicles cost."""
    folder = asked.study.file.folder
    ring = [[19.99, -0.01], [20.11, -0.01], [20.11, 0.03], [19.99, 0.03], [19.99, -0.01]]
    zone = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (folder / "zone.geojson").write_text(json.dumps(zone), encoding="utf-8")
    (folder / "demand.yaml").write_text(
        "scenario: demand\nchanges:\n"
        "  - add_drt: {name: D, zone: zone.geojson, hours: 07:00-09:00, wait_min: 5, ride_factor: 2, vehicles: 2}\n",
        encoding="utf-8",
    )
    answer = asked.try_scenario(cr.read_scenario(folder / "demand.yaml"))
    assert answer.cost is not None and answer.persons.better > 0
    assert_as_compared(asked, answer, today)


def test_a_proposal_edited_step_by_step_equals_evaluating(
    asked: Live, today: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one draws: a zone, homes, jobs, a new route, whose stop is dragged, and back again. What stays is not walked anew."""
    ring = [[19.99, -0.01], [20.11, -0.01], [20.11, 0.03], [19.99, 0.03]]
    zone = {
        "add_drt": {"name": "D", "zone": ring, "hours": "07:00-09:00", "wait_min": 5, "ride_factor": 2, "vehicles": 2}
    }
    homes, space = PLANS["homes"][0], {"add_space": {"name": "Hall", "at": [20.1, 0.0]}}

    def route(lon: float) -> dict[str, object]:
        stops = ["S0", {"at": [lon, 0.0], "name": "Half way"}, "S6"]
        return {
            "add_route": {"name": "X", "stops": stops, "speed_kmh": 60, "service": {"weekday": {"06:00-21:30": 15}}}
        }

    linked: list[int] = []

    def spied(ground: object, points: Points, **choices: object) -> object:
        linked.append(points.n_places)
        return link(ground, points, **choices)

    link = places.link_points
    monkeypatch.setattr(places, "link_points", spied)
    drawn = [
        ([zone], None),
        ([zone, homes], (1, 0, 0)),
        ([zone, homes, space], (0, 1, 0)),
        ([zone, homes, space, route(20.25)], (0, 0, 1)),
        ([zone, homes, space, route(20.26)], (0, 0, 1)),
        ([zone, homes, space, route(20.25)], ()),
        ([zone, homes, space], ()),
        ([zone, PLANS["often"][0], homes, space], ()),
        ([homes, space, route(20.25)], None),
        ([zone, space], None),
    ]
    for changes, new in drawn:
        linked.clear()
        answer = asked.try_scenario(plan("drawn", *changes))
        assert new is None or tuple(linked) == new
        assert_as_compared(asked, answer, today)


def test_a_fault_of_a_proposal_is_said_and_nothing_is_lost(asked: Live, today: Evaluation) -> None:
    with pytest.raises(ScenarioError, match="no route"):
        asked.try_scenario(plan("wrong", {"withdraw_route": {"route": "L77"}}))
    assert_as_compared(asked, asked.try_scenario(plan("often")), today)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"day": "sunday"}, "no day sunday"),
        ({"window": "noon"}, "a window noon"),
        ({"kind": "employment"}, "no kind 'employment'; it has shared_spaces"),
        ({"measure": "joy"}, "'joy' is no measure"),
        ({"cutoff_min": 25}, "no cutoff 25; it has 20, 30, 60"),
    ],
)
def test_what_the_study_has_not_is_said(town: Study, choice: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        cr.live(town, **choice)  # type: ignore[arg-type]


def test_a_notebook_shows_the_answer(asked: Live) -> None:
    answer = asked.try_scenario(plan("often"))
    shown = answer._repr_html_()
    assert "shared_spaces" in shown and "bus-hours" in shown and "<table" in shown
    assert repr(answer).startswith("Answer(often: ")


def test_a_name_from_a_file_is_escaped(asked: Live) -> None:
    odd = Scenario.model_validate({"scenario": "odd", "title": "<b>&", "changes": PLANS["often"]})
    assert "&lt;b&gt;&amp;" in asked.try_scenario(odd)._repr_html_()


def test_the_sample_and_its_proposals() -> None:
    """Real proposals, with trips whose clock times are assumed."""
    study = open_study(cr.sample_study())
    today, live = evaluate(study), cr.live(study)
    assert live.figure.kind == "employment"
    for scenario in cr.read_scenarios([Path(path) for path in cr.sample_scenarios()], study):
        assert_as_compared(live, live.try_scenario(scenario), today)
