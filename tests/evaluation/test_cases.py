"""A case shares with the one it was made from whatever its change does not touch, and is asked for as little as is wanted."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pandas as pd
import pytest

from community_routes.base.errors import UsageError
from community_routes.base.times import UNREACHED
from community_routes.evaluation import evaluate as evaluating
from community_routes.evaluation.case import Case, Study, open_study
from community_routes.evaluation.evaluate import Asked, Cubes, Evaluation, evaluate, evaluate_case
from community_routes.evaluation.results import compare
from community_routes.measures.reached import Cumulative, Nearest
from community_routes.network.network import Network, assemble_network
from community_routes.network.store import fingerprint
from community_routes.network.walks.points import Points
from community_routes.routing.runner import Runner
from community_routes.scenarios.draws import Shifts
from community_routes.scenarios.file import Scenario
from small_town import STUDY, town_study

WINDOWS = STUDY.replace("{peak: 07:00-08:00}", "{peak: 07:00-08:00, late: 20:00-21:00}")
OFTEN = Scenario.model_validate(
    {"scenario": "often", "changes": [{"set_headway": {"route": "L1", "weekday": {"07:00-09:00": 10}}}]}
)
HOMES = Scenario.model_validate(
    {"scenario": "homes", "changes": [{"add_homes": {"name": "N", "at": [20.0, 0.0], "homes": 10, "like": "P0"}}]}
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("cases"), WINDOWS))


@pytest.fixture(scope="module")
def today(study: Study) -> Evaluation:
    return evaluate(study)


def test_a_proposal_of_buses_shares_stops_and_walks(today: Evaluation) -> None:
    """More buses of L1: the same stops, footpaths, walks and places; the network is another."""
    case = today.case.with_scenario(OFTEN)
    assert case.stops is today.case.stops
    assert case.footpaths is today.case.footpaths
    assert case.reached is today.case.reached
    assert case.zones is today.zones and case.opportunities is today.opportunities
    assert case.networks["day"] is not today.networks["day"]


def test_homes_and_settings_share_the_network(today: Evaluation) -> None:
    """New homes leave buses and stops alone; so do other cutoffs, and the walks as well; a walking speed does not."""
    homes = today.case.with_scenario(HOMES)
    assert homes.networks["day"] is today.networks["day"]
    assert homes.reached is not today.case.reached
    cutoffs = today.case.with_settings(cutoffs_min=(20,))
    assert cutoffs.networks["day"] is today.networks["day"] and cutoffs.reached is today.case.reached
    slower = today.case.with_settings(speed_kmh=3.0)
    assert slower.reached is not today.case.reached
    assert slower.file.travel.walk.speed_kmh == 3.0 != today.study.file.travel.walk.speed_kmh


def test_settings_by_which_inputs_are_read_are_refused(today: Evaluation) -> None:
    for name, said in (("seed", "open the study with another study file"), ("colour", "no setting of travel")):
        with pytest.raises(UsageError, match=said):
            today.case.with_settings(**{name: 1})


def test_a_draw_moves_trips_and_nothing_else(today: Evaluation) -> None:
    """All trips two minutes later: the same walks between stops, found without building another network."""
    n = len(today.feed.trips)
    drawn = today.case.with_draw(Shifts(np.full(n, 120, np.int32), np.zeros(len(today.feed.frequencies), np.int32)))
    assert drawn.footpaths is today.case.footpaths
    assert (drawn.feed.calls.departure_s - today.feed.calls.departure_s == 120).all()


def test_other_origins_have_the_figures_of_neighbourhoods_there(today: Evaluation) -> None:
    """Asked from the points of the neighbourhoods themselves, a site has the figures of each neighbourhood."""
    origins = today.zones.origins
    points = Points.single(
        origins["id"].to_numpy(object), origins["lon"].to_numpy(np.float64), origins["lat"].to_numpy(np.float64)
    )
    asked = Asked(measures=(Cumulative((30.0,)),))
    found = evaluate_case(today.case.with_origins(points), asked)
    same = evaluate_case(today.case, asked)
    columns = ["day", "window", "neighbourhood", "kind", "reading", "value", "reason"]
    one, other = (each.access[columns].sort_values(columns[:5], ignore_index=True) for each in (found, same))
    pd.testing.assert_series_equal(one["value"], other["value"])


def test_one_window_and_one_measure_cost_one_search(today: Evaluation) -> None:
    """What is asked alone is searched alone, and its figures are those of an evaluation of everything."""
    runner = Runner()
    asked = Asked(slots=(("day", "late"),), measures=(Nearest(),))
    found = evaluate_case(today.case.with_scenario(OFTEN), asked, runner)
    assert runner.stopwatch.searches == {"windows": 1}
    whole = evaluate(today.study, OFTEN).access
    mine = whole[(whole["window"] == "late") & whole["measure"].isin(["nearest", "share_reached_nearest"])]
    pd.testing.assert_frame_equal(found.access, mine.reset_index(drop=True))


def test_each_window_is_searched_once_for_each_case(study: Study) -> None:
    """Two windows of today, one of a proposal that leaves the late one alone; comparing them and showing it searches no more."""
    runner = Runner()
    today = evaluate_case(Case.of(study), runner=runner)
    searches = runner.stopwatch.searches
    assert searches["windows"] == 2
    often = evaluate_case(today.case.with_scenario(OFTEN), runner=runner, base=today)
    assert searches["windows"] == 3
    assert often.searched["day", "late"] is today.case
    comparison = compare(today, often)
    assert len(comparison.results.extra["paired"]) and len(comparison.groups)
    assert searches["windows"] == 3


def test_times_are_kept_within_their_bytes_and_searched_again_beyond(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room for one window of the two (9 origins, 60 departures, 7 places, 2 bytes each): the older gives way."""
    monkeypatch.setattr(evaluating, "CUBES", Cubes(9 * 60 * 7 * 2))
    runner = Runner()
    today = evaluate_case(Case.of(study), runner=runner)
    kept = today.time_s["day", "late"]
    assert runner.stopwatch.searches["windows"] == 2
    again = today.time_s["day", "peak"]
    assert runner.stopwatch.searches["windows"] == 3
    assert (kept == UNREACHED).any() and again.dtype == np.int32
    assert (np.sort(again, axis=1)[:, 29, :] == today.median_s["day", "peak"]).all()
    today.let_go()
    assert (today.time_s["day", "peak"] == again).all()
    assert runner.stopwatch.searches["windows"] == 4, "what was let go is searched again"
    monkeypatch.setattr(evaluating, "CUBES", Cubes(10))
    assert (today.time_s["day", "late"] == kept).all()


def test_networks_that_are_let_go_hold_no_memory_and_come_back(study: Study) -> None:
    """Nothing refers to the network of today or of a proposal after it; made again both give the times of before."""
    today = evaluate_case(Case.of(study))
    often = evaluate_case(today.case.with_scenario(OFTEN), base=today)
    peak = ("day", "peak")
    times = [evaluation.time_s[peak] for evaluation in (today, often)]
    networks = [weakref.ref(evaluation.networks["day"]) for evaluation in (today, often)]
    assert all(network() is not None for network in networks)
    often.let_go()
    today.let_go()
    gc.collect()
    assert [network() for network in networks] == [None, None]
    for evaluation, before in zip((today, often), times, strict=True):
        assert (evaluation.time_s[peak] == before).all()


def test_the_network_of_a_proposal_is_renewed_from_that_of_today(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """Today's is what it is built from, where that is built already; bytes are those of a network built from nothing."""
    given: list[Network | None] = []

    def spy(*arguments: Any, known: Network | None = None, **named: Any) -> Network:
        given.append(known)
        return assemble_network(*arguments, known=known, **named)

    monkeypatch.setattr("community_routes.network.kept.assemble_network", spy)
    alone = Case.of(study).with_scenario(OFTEN).networks["day"]
    today = Case.of(study)
    built = today.networks["day"]
    renewed = today.with_scenario(OFTEN).networks["day"]
    assert [known is built for known in given] == [False, False, True]
    assert given[0] is None and given[1] is None
    for part in ("timetable", "changes", "connections", "apart"):
        assert fingerprint(getattr(renewed, part)) == fingerprint(getattr(alone, part)), part
