"""An evaluation of the small town, whose figures are known, and what depends on nothing but its inputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from community_routes.base.errors import ScenarioError, UsageError
from community_routes.base.times import HOUR, MINUTE, UNREACHED
from community_routes.evaluation.case import Study, chosen_day, chosen_query, open_study
from community_routes.evaluation.evaluate import Evaluation, evaluate
from community_routes.scenarios.file import Scenario
from small_town import STUDY, town_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def today(study: Study) -> Evaluation:
    return evaluate(study)


def test_times_of_every_departure(today: Evaluation) -> None:
    """P0 to P1: the bus of 07:20 for departures 07:00 to 07:19 and so on; to P2 20 minutes more; P4 needs four rides."""
    times = today.time_s["day", "peak"]
    assert times.shape == (9, 60, 7) and times.dtype == np.int32
    minute = np.arange(60)
    to_p1 = (minute // 20 + 1) * 20 + 10 - minute
    assert (times[0, :, 1] == to_p1 * MINUTE).all()
    assert (times[0, :, 2] == (to_p1 + 20) * MINUTE).all()
    assert (times[0, :, 4] == UNREACHED).all()
    assert (times[0, :, 0] == 0).all()
    assert (times[8] == UNREACHED).all(), "lost is off the network"


def test_times_are_searched_again_when_they_are_asked_for(today: Evaluation) -> None:
    """One pair's times are its cells of the whole, and the median kept is their median: the 30th of 60 in rank."""
    times = today.time_s["day", "peak"]
    assert list(today.time_s) == list(today.median_s) == [("day", "peak")] and len(today.time_s) == 1
    assert (today.median_s["day", "peak"] == np.sort(times, axis=1)[:, 29, :]).all()
    for origin in range(9):
        for destination in range(7):
            found = today.times_between(("day", "peak"), origin, destination)
            assert (found == times[origin, :, destination]).all()
    with pytest.raises(KeyError):
        today.time_s["day", "night"]


def test_what_is_reached_within_a_cutoff(today: Evaluation) -> None:
    """Within 30 minutes P0 always reaches P0 and P1 (at most 30 minutes), never P2 (at least 31): 2. P3 has both
    neighbours: 3. ``far`` walks to P1 in 36:09 minutes: 0 within 30, and 1 within 60, as no bus is near. ``lost`` has no
    figure."""
    table = today.access
    own = table[
        (table["measure"] == "cumulative_opportunities")
        & (table["reading"] == "mean")
        & (table["kind"] == "shared_spaces")
    ]
    value = {(row.neighbourhood, int(row.cutoff_min)): row.value for row in own.itertuples()}
    assert [value[name, 30] for name in ("P0", "P1", "P3", "far")] == [2, 3, 3, 0]
    assert value["far", 60] == 1
    assert np.isnan(value["lost", 30])
    assert set(own.loc[own["neighbourhood"] == "lost", "reason"]) == {"off_network"}


def test_threads_change_nothing(study: Study, today: Evaluation) -> None:
    again = evaluate(study, threads=2)
    assert again.access.equals(today.access)
    assert (again.time_s["day", "peak"] == today.time_s["day", "peak"]).all()


def test_a_proposal_that_would_change_nothing_is_refused(study: Study) -> None:
    wrong = Scenario.model_validate({"scenario": "x", "changes": [{"withdraw_route": {"route": "L9"}}]})
    with pytest.raises(ScenarioError, match="L9"):
        evaluate(study, wrong)


def test_a_withdrawn_route_takes_away_what_it_gave(study: Study, today: Evaluation) -> None:
    """Without L1 nobody gets from P0 to P1 or back; the rest stays to the second."""
    gone = Scenario.model_validate({"scenario": "x", "changes": [{"withdraw_route": {"route": "L1"}}]})
    times, before = evaluate(study, gone).time_s["day", "peak"], today.time_s["day", "peak"]
    assert (times[0, :, 1:] == UNREACHED).all() and (times[1:7, :, 0] == UNREACHED).all()
    assert (times[1:7, :, 1:] == before[1:7, :, 1:]).all()


def test_days_and_windows(study: Study, tmp_path: Path) -> None:
    assert chosen_day(study, None) == "day" and chosen_query(study, None).window_s == (7 * HOUR, 8 * HOUR)
    assert chosen_query(study, "23:00-01:30").window_s == (23 * HOUR, 25 * HOUR + 30 * MINUTE)
    text = STUDY.replace("service_date: 2024-03-05", "service_date: {weekday: 2024-03-05, sunday: 2024-03-10}")
    text = text.replace("{peak: 07:00-08:00}", "{peak: {time: 07:00-08:00, days: [weekday]}, late: 23:30-00:30}")
    several = open_study(town_study(tmp_path, text))
    with pytest.raises(UsageError, match="several days"):
        chosen_day(several, None)
    found = evaluate(several)
    assert list(found.time_s) == [("weekday", "peak"), ("weekday", "late"), ("sunday", "late")]
    late = found.time_s["sunday", "late"][0, :, 1]
    # 23:30 to 23:49 take the bus of 23:50, the others that of 24:50.
    minute = np.arange(60)
    assert (late == np.where(minute < 20, 30 - minute, 90 - minute) * MINUTE).all()


def test_shifts_at_both_ends_of_the_day(tmp_path: Path) -> None:
    """Long journeys reach beyond 33:00 after a night shift, and beyond -9:00 before one that begins at midnight.

    From P0 the halls P0 to P3 are reached by 21:50 with up to three rides, and left again from 06:00 on: 4 of 7. Before
    midnight nothing arrives between 23:00 and 23:55; only the hall at P0 can be walked to.
    """
    shifts = 'measures: [{shifts: {times: ["22:00-06:00", "00:00-08:00"], key: shared_spaces}}]\n'
    found = evaluate(open_study(town_study(tmp_path, f"{STUDY}  max_travel_min: 480\n{shifts}"))).access
    own = found[(found["measure"] == "share_of_jobs") & (found["neighbourhood"] == "P0")].set_index("window")["value"]
    assert own.to_dict() == pytest.approx({"22:00-30:00": 4 / 7, "00:00-08:00": 1 / 7}, abs=1e-6)


def test_settings_are_those_of_the_study(study: Study) -> None:
    travel = study.file.travel.model_copy(update={"max_rides": 4})
    wider = replace(study, file=study.file.model_copy(update={"travel": travel}))
    assert (evaluate(wider).time_s["day", "peak"][0, :, 4] != UNREACHED).all()
