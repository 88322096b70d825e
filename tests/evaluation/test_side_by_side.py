"""Proposals evaluated side by side: the same bytes in the same order as one after the other, and failures told in order."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from community_routes.base.errors import StudyError
from community_routes.base.kernels import compile_seconds_of_thread
from community_routes.base.timings import Stopwatch
from community_routes.evaluation.case import Case, Study, open_study
from community_routes.evaluation.evaluate import Evaluation, evaluate, evaluate_all, largest_times
from community_routes.routing.runner import Runner
from community_routes.scenarios.file import Scenario
from small_town import STUDY, town_study

PLANS = [
    Scenario.model_validate({"scenario": name, "changes": [change]})
    for name, change in {
        "often": {"set_headway": {"route": "L1", "weekday": {"07:00-09:00": 10}}},
        "gone": {"withdraw_route": {"route": "L2"}},
        "slower": {"change_speed": {"route": "L3", "factor": 0.8}},
        "later": {"set_headway": {"route": "L4", "weekday": {"19:00-21:00": 10}}},
    }.items()
]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("side"), STUDY.replace("07:00-08:00", "07:00-09:00")))


@pytest.fixture(scope="module")
def today(study: Study) -> Evaluation:
    return evaluate(study)


def cases(today: Evaluation) -> list[Case]:
    return [today.case.with_scenario(plan) for plan in PLANS]


def test_threads_change_neither_bytes_nor_order(study: Study, today: Evaluation) -> None:
    alone = [evaluate(study, plan) for plan in PLANS]
    for threads in (1, 2, 4, 9):
        found = evaluate_all(cases(today), today, Runner(threads))
        assert [each.scenario for each in found] == ["often", "gone", "slower", "later"]
        for one, other in zip(alone, found, strict=True):
            pd.testing.assert_frame_equal(one.access, other.access, check_exact=True)
    assert evaluate_all([], today, Runner(2)) == []


def test_they_are_under_way_at_once_and_say_how_many_are_done(study: Study, today: Evaluation) -> None:
    told: list[tuple[str, str]] = []
    runner = Runner(2, tell=lambda text: told.append((threading.current_thread().name, text)))
    evaluate_all(cases(today), today, runner)
    assert len({name for name, _ in told}) == 2
    assert any("(gone)" in text and "of 4 scenarios done" in text for _, text in told)


def test_the_first_failure_in_order_is_told(today: Evaluation) -> None:
    """Of two cases that fail it is the first that is told, however quick the other fails."""
    fine, wrong = cases(today)[0], []
    for name in ("slow", "quick"):
        far = replace(today.zones, origins=today.zones.origins.assign(lat=50.0))
        wrong.append(replace(today.case.with_inputs(zones=far), name=name))
    for threads in (1, 2, 4):
        told: list[str] = []
        with pytest.raises(StudyError, match="all 9 neighbourhoods are off the network"):
            evaluate_all([fine, *wrong], today, Runner(threads, tell=told.append))


def test_an_interruption_ends_all(study: Study, today: Evaluation) -> None:
    """Whoever speaks next after an interruption stops there: none of the four comes to its end."""
    ended = []

    def interrupt(text: str) -> None:
        if "searching" in text:
            raise KeyboardInterrupt
        ended.append("scenarios done" in text and ", 0 of 4" not in text)

    with pytest.raises(KeyboardInterrupt):
        evaluate_all(cases(today), today, Runner(2, tell=interrupt))
    assert not any(ended)
    assert not any(thread.name.startswith("proposal") for thread in threading.enumerate())


def test_little_memory_means_one_after_the_other(
    study: Study, today: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """9 origins, 120 departures and 7 places in two bytes: 15,120 bytes of times, held twice over."""
    assert largest_times(today) == 2 * 9 * 120 * 7 * 2
    monkeypatch.setattr("community_routes.evaluation.evaluate.MOST_AT_ONCE_BYTES", 50_000)
    names: set[str] = set()
    evaluate_all(cases(today), today, Runner(4, tell=lambda _: names.add(threading.current_thread().name)))
    assert names == {threading.current_thread().name}


def test_a_watch_of_a_thread_counts_that_thread_alone() -> None:
    """Work of another thread is not in it, its own is; what all count together is in the table of the first."""
    watch, idle = Stopwatch(), Stopwatch(of_thread=True)
    busy = Stopwatch(of_thread=True)

    def work() -> None:
        with busy.stage("routing"):
            until = time.thread_time() + 0.2
            while time.thread_time() < until:
                pass

    thread = threading.Thread(target=work)
    with idle.stage("measures"):
        thread.start()
        thread.join()
    watch.add(busy)
    watch.add(idle)
    assert watch.seconds["routing"][1] >= 0.2 > 2 * watch.seconds["measures"][1]
    assert compile_seconds_of_thread() >= 0


def test_compiling_is_counted_where_it_happens(tmp_path: Path) -> None:
    import numba as nb

    before = compile_seconds_of_thread()
    watch = Stopwatch(of_thread=True)
    with watch.stage("routing"):
        assert nb.njit(cache=False)(lambda x: x * 2 + 1)(20) == 41
    compiled = compile_seconds_of_thread() - before
    assert compiled > 0 and watch.seconds["routing"][1] < compiled
