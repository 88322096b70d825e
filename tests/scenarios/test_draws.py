"""Draws of assumed clock times, phases and delays: reproducible, common to all proposals, and intervals that cover."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from community_routes.base.times import HOUR, UNREACHED
from community_routes.evaluation.differences import interval
from community_routes.evaluation.draws import Searched, window_draws
from community_routes.network.network import assemble_network
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.draws import (
    Delays,
    Randomness,
    hashes_of,
    scenario_draws,
    shifted_feed,
    uniform_numbers,
)
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from scenarios.hand_feed import TUESDAY, WEEK, make_feed, runs_on, same_feed

STOPS = [("A", "Alder Street", 0, 0), ("B", "Birch Road", 5, 0), ("C", "Cedar Way", 0, 5)]


def town() -> Feed:
    """The 7 at a headway of 20 minutes without clock times (07:00-10:00), and the 9 by the clock."""
    trips = [("7", "wk", 0, "A 00:00 B 00:10"), ("9", "wk", 0, "A 08:00 C 08:10"), ("9", "wk", 0, "A 09:00 C 09:10")]
    return make_feed(STOPS, trips, frequencies=[(0, "07:00", "10:00", 1200)])


def proposal() -> Applied:
    change = {"set_headway": {"route": "9", "weekday": {"07:00-10:00": 30}}}
    return apply_scenario(Scenario(scenario="plan", changes=[change]), Setting(town(), WEEK))


def test_numbers_hang_on_key_draw_and_seed():
    keys = hashes_of(["a", "b", "c"])
    one = uniform_numbers(keys, 5, 1)
    assert uniform_numbers(hashes_of(["c", "a"]), 5, 1).tolist() == [one[2], one[0]]
    assert not np.isin(one, uniform_numbers(keys, 6, 1)).any()
    assert not np.isin(one, uniform_numbers(keys, 5, 2)).any()


def test_numbers_are_spread_evenly():
    """20,000 numbers: mean 1/2 and variance 1/12 within four standard errors (0.0082, 0.0021); two keys are uncorrelated."""
    numbers = np.array([uniform_numbers(hashes_of(["a", "b"]), draw, 0) for draw in range(10_000)])
    assert abs(numbers.mean() - 0.5) < 0.0082
    assert abs(numbers.var() - 1 / 12) < 0.0021
    assert abs(np.corrcoef(numbers.T)[0, 1]) < 0.04


def test_assumed_clock_times_move_within_their_headway():
    """The new 9 leaves at 07:00 + s, 07:30 + s, ... with the same 0 <= s < 30 min for all of a draw; the rest stays."""
    done = proposal()
    randomness = Randomness(tuple(done.timed), phases=False)
    seen = set()
    for shifts in scenario_draws(done.feed, randomness, 20, seed=3):
        feed = shifted_feed(done.feed, shifts)
        starts = [int(feed.calls.departure_s[feed.calls.first[k]]) for k in np.flatnonzero(feed.trips["route"] == 1)]
        offset = starts[0] - 7 * HOUR
        assert starts == [7 * HOUR + offset + k * 1800 for k in range(6)]
        assert 0 <= offset < 1800
        seen.add(offset)
    assert len(seen) > 15


def test_phase_of_a_headway_service_is_the_same_today_and_proposed():
    """The 7 is in both timetables: in each draw its phase is one and the same."""
    done = proposal()
    today = scenario_draws(town(), Randomness(), 10, seed=9)
    after = scenario_draws(done.feed, Randomness(tuple(done.timed)), 10, seed=9)
    for one, other in zip(today, after, strict=True):
        assert one.frequency_s.tolist() == other.frequency_s.tolist()
        assert runs_on(shifted_feed(town(), one), "7", TUESDAY) == runs_on(shifted_feed(done.feed, other), "7", TUESDAY)


def test_delays_hang_on_the_trip():
    """Trips that both timetables have are as late in both; an exponential delay of mean 60 s has that mean."""
    done = apply_scenario(
        Scenario(scenario="plan", changes=[{"withdraw_route": {"route": "7"}}]), Setting(town(), WEEK)
    )
    randomness = Randomness(phases=False, delays=Delays("exponential", 60))
    late = {trip: row for row, trip in enumerate(town().trips["trip_id"])}
    all_s = []
    for one, other in zip(
        scenario_draws(town(), randomness, 500), scenario_draws(done.feed, randomness, 500), strict=True
    ):
        for row, trip in enumerate(done.feed.trips["trip_id"]):
            assert one.trip_s[late[trip]] == other.trip_s[row]
        all_s.extend(one.trip_s.tolist())
    assert abs(np.mean(all_s) - 60) < 4 * 60 / np.sqrt(len(all_s))


def test_a_trip_copied_for_some_days_is_as_late_as_it_was():
    """The 9 runs daily; with other Sundays its Sunday trips are copies, and as late as the trip of the week in each draw."""
    feed = make_feed(
        STOPS, [("9", "all", 0, "A 08:00 C 08:10"), ("9", "all", 0, "A 12:00 C 12:10")], services={"all": "1111111"}
    )
    change = {"change_speed": {"route": "9", "factor": 0.5, "days": ["sunday"]}}
    done = apply_scenario(Scenario(scenario="plan", changes=[change]), Setting(feed, WEEK)).feed
    ids = done.trips["trip_id"].to_list()
    assert ids == ["t0", "t1", "t0~sunday", "t1~sunday"]
    for shifts in scenario_draws(done, Randomness(delays=Delays()), 5):
        assert shifts.trip_s[2:].tolist() == shifts.trip_s[:2].tolist()


@pytest.mark.parametrize(("kind", "mean", "spread"), [("uniform", 60, 60 / np.sqrt(3)), ("normal", 100, 10)])
def test_delay_distributions(kind, mean, spread):
    """Mean and standard deviation over even numbers: uniform over 0 to 120 has 60 and 34.6; normal those it is given."""
    delays = Delays(kind, mean, 10).of((np.arange(10_000) + 0.5) / 10_000)
    assert delays.mean() == pytest.approx(mean, rel=0.01)
    assert delays.std() == pytest.approx(spread, rel=0.01)


def test_nothing_random_is_exact():
    feed = make_feed(STOPS, [("9", "wk", 0, "A 08:00 C 08:10")])
    assert Randomness().nothing(feed)
    assert Randomness().words(feed) == ["nothing: exact for this timetable"]
    assert not Randomness().nothing(town())
    assert not Randomness(delays=Delays()).nothing(feed)
    for shifts in scenario_draws(feed, Randomness(), 3):
        assert same_feed(shifted_feed(feed, shifts), feed)


def links(starts: list[list[tuple[int, int]]]) -> Links:
    first = np.cumsum([0, *(len(group) for group in starts)])
    flat = [item for group in starts for item in group]
    walk_s = np.array([seconds for _, seconds in flat], np.int32)
    return Links(first, np.array([to for to, _ in flat], np.int32), walk_s, walk_s.astype(float))


def mean_minutes(feed: Feed) -> float:
    """Mean travel time from A to B and C over the departures of 08:00 to 08:30, by the search."""
    nothing = links([[], [], []])
    network = assemble_network(feed, TUESDAY, nothing)
    walks = Walks(links([[(0, 0)]]), links([[(1, 0)], [(2, 0)]]), links([[]]))
    query = Query(window_s=(8 * HOUR, 8 * HOUR + 1800), step_s=300, max_travel_s=2 * HOUR)
    times = travel_times_by_departure(network, query, walks)
    assert not (times == UNREACHED).any()
    return float(times.mean() / 60)


def mean_wait_minutes(feed: Feed) -> float:
    """Mean wait for the 9 at A over the minutes of 08:00 to 09:00."""
    rows = np.flatnonzero(feed.trips["route"] == 1)
    starts = np.sort(feed.calls.departure_s[feed.calls.first[rows]])
    minutes = 8 * HOUR + 60 * np.arange(60)
    following = np.searchsorted(starts, minutes)
    return float((starts[np.minimum(following, len(starts) - 1)] - minutes).clip(min=0).mean() / 60)


def coverage(statistic: Callable[[Feed], float], delays: Delays, n_truths: int, seeds: tuple[int, ...]) -> float:
    """How often the change that one draw brings lies in the interval of 200 other draws."""
    today, done = town(), proposal()

    def changes(n: int, seed: int) -> np.ndarray:
        before = scenario_draws(today, Randomness(delays=delays), n, seed)
        after = scenario_draws(done.feed, Randomness(tuple(done.timed), delays=delays), n, seed)
        pairs = zip(before, after, strict=True)
        return np.array([statistic(shifted_feed(done.feed, b)) - statistic(shifted_feed(today, a)) for a, b in pairs])

    truths = changes(n_truths, seed=11)
    assert truths.std() > 1
    held = []
    for seed in seeds:
        low, high = interval(changes(200, seed).reshape(-1, 1))
        held.append(((truths >= low[0]) & (truths <= high[0])).mean())
    return float(np.mean(held))


def test_interval_of_a_wait_covers_the_truth():
    """Random are the clock times of the proposed 9 and exponential delays; four intervals against 400 truths."""
    assert 0.92 <= coverage(mean_wait_minutes, Delays("exponential", 120), 400, (21, 22, 23, 24)) <= 0.98


@pytest.mark.slow
def test_interval_of_travel_times_covers_the_truth():
    """The same by the search itself, with the phase of the 7 as well; three intervals against 300 truths."""
    assert 0.92 <= coverage(mean_minutes, Delays("exponential", 120), 300, (21, 22, 23)) <= 0.98


def searched(feed: Feed) -> Searched:
    """From A to B and C, whose figures are the mean minutes to each."""
    walks = Walks(links([[(0, 0)]]), links([[(1, 0)], [(2, 0)]]), links([[]]))
    return Searched(feed, links([[], [], []]), walks, lambda times: times.mean(axis=(0, 1)) / 60)


def test_draws_of_a_window_are_those_of_the_whole_day():
    """Only the hops of the window are searched, and draw by draw the figures are those of the whole timetable."""
    today, done = town(), proposal()
    randomness = Randomness(tuple(done.timed), delays=Delays("uniform", 90))
    query = Query(window_s=(8 * HOUR, 8 * HOUR + 1800), step_s=300, max_travel_s=2 * HOUR)
    one, other = searched(today), searched(done.feed)
    found = window_draws(one, other, TUESDAY, query, randomness, n=6, seed=4)
    before = scenario_draws(today, Randomness(delays=randomness.delays), 6, 4)
    after = scenario_draws(done.feed, randomness, 6, 4)
    for row, a, b in zip(found, before, after, strict=True):
        figures = []
        for side, shifts in ((one, a), (other, b)):
            network = assemble_network(shifted_feed(side.feed, shifts), TUESDAY, side.footpaths)
            figures.append(side.figures(travel_times_by_departure(network, query, side.walks)))
        assert row.tolist() == (figures[1] - figures[0]).tolist()


def test_a_window_in_which_nothing_is_random_is_searched_once():
    """The new clock times are from 07:00 to 10:00: from 13:00 on all draws are equal; at 08:00 they are not."""
    feed = make_feed(STOPS, [("9", "wk", 0, f"A {hour:02}:00 C {hour:02}:10") for hour in range(7, 18)])
    change = {"set_headway": {"route": "9", "weekday": {"07:00-10:00": 30}}}
    done = apply_scenario(Scenario(scenario="plan", changes=[change]), Setting(feed, WEEK))
    randomness = Randomness(tuple(done.timed))
    walks = Walks(links([[(0, 0)]]), links([[(2, 0)]]), links([[]]))
    seen = []

    def figures(times: np.ndarray) -> np.ndarray:
        seen.append(times)
        return times.mean(axis=(0, 1))

    one, other = (Searched(each, links([[], [], []]), walks, figures) for each in (feed, done.feed))
    late = Query(window_s=(13 * HOUR, 14 * HOUR), step_s=600, max_travel_s=HOUR)
    assert (window_draws(one, other, TUESDAY, late, randomness, n=8) == 0).all()
    assert len(seen) == 2
    early = Query(window_s=(8 * HOUR, 9 * HOUR), step_s=600, max_travel_s=HOUR)
    assert len(np.unique(window_draws(one, other, TUESDAY, early, randomness, n=8))) > 4
    assert len(seen) == 2 + 1 + 8
