"""The sample borough from end to end: what does not change, what does not depend on threads, and journeys that add up."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.times import UNREACHED, format_time
from community_routes.cli import run_command
from community_routes.evaluation.case import Study, chosen_query, open_study, sample_scenarios, sample_study
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.routing.journeys import journeys
from community_routes.travel.itinerary import journey
from community_routes.travel.matrix import travel_matrix
from unchanged import assert_changes_of_zero, assert_same_tables, compared_with_nothing, exported_and_read_back


@pytest.fixture(scope="module")
def study() -> Study:
    return open_study(sample_study())


@pytest.fixture(scope="module")
def today(study: Study) -> Evaluation:
    return evaluate(study)


def test_a_proposal_without_changes_changes_nothing(study: Study, today: Evaluation) -> None:
    assert_changes_of_zero(compared_with_nothing(study, today))


def test_the_timetable_written_and_read_back_changes_nothing(study: Study, today: Evaluation, tmp_path: Path) -> None:
    again = exported_and_read_back(study, tmp_path)
    assert len(again.feed.sources) == 1 < len(study.feed.sources)
    assert_same_tables(today, evaluate(again))


def test_a_journey_takes_as_long_as_its_cell(study: Study, today: Evaluation) -> None:
    """100 random pairs and departures of the morning, to the second; most of them are ridden."""
    query, network = today.query("morning_peak"), today.networks["weekday"]
    times = today.time_s["weekday", "morning_peak"]
    draw, ridden = np.random.default_rng(11), 0
    for _ in range(100):
        origin, departure, destination = (int(draw.integers(n)) for n in times.shape)
        cell = int(times[origin, departure, destination])
        moment_s = int(query.departures_s[departure])
        found = journeys(network, query, today.walks, origin, destination, moment_s)
        assert (found[0].time_s if found else UNREACHED) == cell
        ridden += bool(found and found[0].rides)
    assert ridden > 50


def test_the_command_and_the_matrix_agree(study: Study) -> None:
    """Five pairs through the public functions, each of which links its places and builds its network anew."""
    query = chosen_query(study, "evening")
    matrix = travel_matrix(study, query, "sunday", per_departure=True)
    draw = np.random.default_rng(12)
    for _ in range(5):
        origin, departure, destination = (int(draw.integers(n)) for n in matrix.time_s.shape)
        moment = format_time(int(query.departures_s[departure]))
        ends = matrix.origins[origin], matrix.destinations[destination]
        found = journey(study, *ends, depart=moment, day="sunday")
        cell = int(matrix.time_s[origin, departure, destination])
        assert (found.journeys[0].time_s if found.journeys else UNREACHED) == cell
        assert found.journeys or found.reason == matrix.reason[origin, destination]


@pytest.mark.slow
def test_one_thread_and_two_write_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for threads in ("1", "2"):
        out = tmp_path / threads
        asked = ["run", str(sample_study()), *map(str, sample_scenarios()), "--out", str(out), "--threads", threads]
        assert run_command([*asked, "--quiet", "--cache", "none" if threads == "1" else str(tmp_path / "cache")]) == 0
        files = [path for path in out.rglob("*") if path.is_file()]
        written.append({path.relative_to(out): hashlib.sha256(path.read_bytes()).hexdigest() for path in files})
    assert written[0] == written[1]
