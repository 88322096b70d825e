"""What is taken over from today is what a search would have found, byte by byte; and what differs is never taken over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from community_routes.base.times import HOUR
from community_routes.evaluation.case import Study, open_study, sample_scenarios, sample_study
from community_routes.evaluation.evaluate import CUBES, Evaluation, _Changed, evaluate
from community_routes.evaluation.proposals import read_scenarios
from community_routes.evaluation.search import same_hours, span_searched
from community_routes.network.network import Network, assemble_network
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from drawn import links_of
from random_networks import Case, random_case
from searching import query_of, walks_of
from small_town import STUDY, town_study

WINDOWS = STUDY.replace(
    "{peak: 07:00-08:00}", "{peak: 07:00-08:00, noon: 12:00-13:00, late: 20:00-21:00}"
) + (
    "fares: {single: 2, day: 5, budgets: [2, 4]}\n"
    "measures: [default, {shifts: {times: ['09:00-15:00', '14:00-21:00'], key: shared_spaces}}]\n"
)  # fmt: skip


def assert_same(one: Evaluation, other: Evaluation) -> None:
    """Every table and every number of two evaluations."""
    pd.testing.assert_frame_equal(one.access, other.access, check_exact=True)
    assert list(one.further) == list(other.further)
    for name, table in one.further.items():
        pd.testing.assert_frame_equal(table, other.further[name], check_exact=True)
    assert list(one.median_s) == list(other.median_s)
    for slot, times in one.median_s.items():
        assert np.array_equal(times, other.median_s[slot])
    assert one.notices == other.notices


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(town_study(tmp_path_factory.mktemp("reuse"), WINDOWS))


@pytest.fixture(scope="module")
def today(town: Study) -> Evaluation:
    return evaluate(town)


def searched(study: Study, today: Evaluation, *changes: dict[str, object]) -> list[str]:
    """What had to be searched for a proposal; its figures are those of an evaluation that takes over nothing."""
    told: list[str] = []
    plan = Scenario.model_validate({"scenario": "plan", "changes": list(changes)})
    found = evaluate(study, plan, base=today, progress=told.append)
    assert_same(found, evaluate(study, plan))
    return [
        text.removeprefix("searching day, ").split(" ")[0].rstrip(",") for text in told if text.startswith("searching")
    ]


def test_only_the_hours_of_a_change_are_searched(town: Study, today: Evaluation) -> None:
    """Buses of 11:50 to 12:50 lie in the hours of noon alone: until 08:00, and the longest journey of two hours, nothing
    differs, nor from 20:00; who starts at 09:00 has come by then and goes home after 15:00; who starts at 14:00 may come with
    them. The buses of L2 at 20:40 and 21:00 are late ones, and the way home after 21:00."""
    noon = {"set_headway": {"route": "L1", "weekday": {"11:50-12:50": 10}}}
    assert searched(town, today, noon) == ["noon", "14:00-21:00"]
    evening = {"withdraw_route": {"route": "L2", "from": "20:30", "to": "21:10"}}
    assert searched(town, today, evening) == ["late", "14:00-21:00"]
    assert searched(town, today, noon, evening) == ["noon", "late", "14:00-21:00"]


def test_everything_is_searched_where_places_or_prices_change(town: Study, today: Evaluation) -> None:
    everything = ["peak", "noon", "late", "09:00-15:00", "14:00-21:00"]
    night = {"withdraw_route": {"route": "N"}}
    assert searched(town, today, night) == ["14:00-21:00"]  # its bus of 23:50 may be somebody's way home
    for change in (
        {"add_space": {"name": "Hall", "at": [20.15, 0.0], "kind": "hall", "into": "shared_spaces"}},
        {"change_fare": {"single": 1.5}},
        {"add_homes": {"name": "New", "at": [20.25, 0.0], "homes": 10, "like": "P2"}},
    ):
        assert searched(town, today, night, change) == everything


def test_taking_over_from_nothing_changed_is_today(town: Study, today: Evaluation) -> None:
    """A proposal without changes: nothing is searched, and every table is today's under its own name."""
    nothing = Scenario(scenario="nothing", changes=[])
    told: list[str] = []
    found = evaluate(town, nothing, base=today, progress=told.append)
    assert not any(text.startswith("searching") for text in told)
    assert_same(found, evaluate(town, nothing))
    pd.testing.assert_frame_equal(found.access.assign(scenario="today"), today.access)


def network_on(case: Case, feed: Feed) -> Network:
    return assemble_network(feed, case.date, links_of(case.footpath_s), slack_s=case.slack_s, phase=case.phase)  # type: ignore[arg-type]


def moved(case: Case, seed: int) -> Feed:
    """The feed with one trip some minutes later."""
    draw = np.random.default_rng(seed)
    calls = case.feed.calls
    trip = int(draw.integers(len(case.feed.trips)))
    part = slice(int(calls.first[trip]), int(calls.first[trip + 1]))
    by_s = int(draw.choice([60, 600, 3600]))
    arrival_s, departure_s = calls.arrival_s.copy(), calls.departure_s.copy()
    arrival_s[part] += by_s
    departure_s[part] += by_s
    return replace(case.feed, calls=replace(calls, arrival_s=arrival_s, departure_s=departure_s))


def test_hours_that_are_the_same_give_the_same_times() -> None:
    """150 random networks, each with one trip moved: where the hours of a question are told to be the same, all times are, by
    departure and by arrival; that is so in a tenth of them at least, and in a quarter at least the times differ."""
    same = differ = 0
    for seed in range(150):
        case = random_case(seed)
        one, other = network_on(case, case.feed), network_on(case, moved(case, seed))
        for arrive_by in (False, True):
            query = query_of(case, arrive_by=arrive_by)
            alike = same_hours(one, other, [span_searched(query)])
            equal = np.array_equal(
                travel_times_by_departure(one, query, walks_of(case)),
                travel_times_by_departure(other, query, walks_of(case)),
            )
            assert equal or not alike, f"seed {seed}"
            same += alike
            differ += not equal
    assert same > 30 and differ > 75


def test_a_network_read_again_has_the_same_hours() -> None:
    """Also where trips stand in another order; but not where two vehicles are one, or a change takes longer."""
    case = random_case(4)
    one = network_on(case, case.feed)
    whole = [(-24 * HOUR, 48 * HOUR)]
    assert same_hours(one, network_on(case, case.feed), whole)
    slow = assemble_network(
        case.feed,
        case.date,
        links_of(case.footpath_s),
        slack_s=case.slack_s + 30,
        phase=case.phase,  # type: ignore[arg-type]
    )
    assert not same_hours(one, slow, whole)
    longer = np.where(case.footpath_s > 0, case.footpath_s + 1, case.footpath_s)
    assert not same_hours(
        one,
        assemble_network(case.feed, case.date, links_of(longer), slack_s=case.slack_s, phase=case.phase),  # type: ignore[arg-type]
        whole,
    )
    routes = replace(case.feed, routes=case.feed.routes.assign(route_type=2))
    assert not same_hours(one, network_on(case, routes), whole)


@pytest.mark.slow
def test_the_proposals_of_the_sample_are_the_same_with_and_without(tmp_path: Path) -> None:
    """Three days, three windows, budgets: five proposals; those that act in the evening leave other windows to today."""
    study = open_study(sample_study())
    today = evaluate(study)
    n_searched = 0
    for plan in read_scenarios(sample_scenarios(), study):
        told: list[str] = []
        assert_same(evaluate(study, plan, base=today, progress=told.append), evaluate(study, plan))
        n_searched += sum(text.startswith("searching") for text in told)
    assert n_searched < 5 * len(today.median_s)


def test_a_stop_that_nothing_served_before_is_walked_to(tmp_path: Path) -> None:
    """``far`` lies at the idle stop ``Idle``; a new bus leaves it every 20 minutes and is at S1 10 minutes later. Walking from
    today's walks alone, which lead to no idle stop, nobody would board it."""
    path = town_study(tmp_path, WINDOWS)
    with ZipFile(tmp_path / "bus.zip") as archive:
        tables = {name: archive.read(name) for name in archive.namelist()}
    tables["stops.txt"] = tables["stops.txt"].rstrip() + b"\nIDLE,Idle,0.02,20.1\n"
    with ZipFile(tmp_path / "bus.zip", "w") as archive:
        for name, content in tables.items():
            archive.writestr(name, content)
    study = open_study(path)
    route = {
        "name": "X", "stops": ["Idle", "Stand 1"], "both_ways": False, "run_times_min": [10],
        "service": {"weekday": {"06:00-22:00": 20}},
    }  # fmt: skip
    plan = Scenario.model_validate({"scenario": "plan", "changes": [{"add_route": route}]})
    before, found = evaluate(study), evaluate(study, plan)
    assert_same(evaluate(study, plan, base=before), found)
    zones, places = study.zones.table["id"].tolist(), study.opportunities.table["id"].tolist()
    times = [side.median_s["day", "peak"][zones.index("far"), places.index("hallP1")] for side in (before, found)]
    # On foot 2,891.1 m at 4.8 km/h. By bus 10 minutes after a wait of 1 to 20: 660, 720, ... 1,800 s, the tenth of them 1,200.
    assert times == [2169, 1200]


def test_times_are_kept_by_what_differs_from_todays(town: Study, today: Evaluation) -> None:
    """More buses at noon change few cells: whole windows and single pairs are as a search without a base finds them."""
    plan = Scenario.model_validate(
        {"scenario": "plan", "changes": [{"set_headway": {"route": "L1", "weekday": {"11:50-12:50": 10}}}]}
    )
    slot = ("day", "noon")
    before, found, alone = today.cube(slot), evaluate(town, plan, base=today), evaluate(town, plan)
    after = alone.cube(slot)
    assert 0 < np.count_nonzero(before != after) < before.size / 6
    assert isinstance(CUBES._kept[id(found.case), slot], _Changed)
    assert np.array_equal(found.cube(slot), after)
    pairs = [(a, b) for a in range(after.shape[0]) for b in range(after.shape[2])]
    assert all(np.array_equal(found.times_between(slot, *p), alone.times_between(slot, *p)) for p in pairs)
