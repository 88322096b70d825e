"""What holds for every scenario, on small random towns, by the search itself."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from community_routes.base.times import HOUR, UNREACHED, format_time
from community_routes.network.network import assemble_network
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.apply import apply_scenario
from community_routes.scenarios.diff import diff_feeds
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.gtfs.write import write_feed
from scenarios.hand_feed import TUESDAY, WEEK, make_feed, same_feed

N_STOPS = 8


def random_town(seed: int) -> Feed:
    """Eight stops within 4 km, away from 0, 0, and three routes both ways, hourly or half-hourly from 07:00 to 10:00."""
    rng = np.random.default_rng(seed)
    stops = [(f"S{k}", f"Place {chr(65 + k)}", *(300 + rng.uniform(0, 4, 2).round(3))) for k in range(N_STOPS)]
    trips = []
    for route in range(3):
        along = rng.permutation(N_STOPS)[: int(rng.integers(3, 6))]
        run = rng.integers(2, 9, len(along) - 1) * 60
        for way, (order, times) in enumerate([(along, run), (along[::-1], run[::-1])]):
            for start in range(7 * HOUR + int(rng.integers(0, 30)) * 60, 10 * HOUR, int(rng.choice([1800, 3600]))):
                at = start + np.concatenate([[0], np.cumsum(times)])
                text = " ".join(f"S{s} {format_time(int(t))}" for s, t in zip(order, at, strict=True))
                trips.append((f"r{route}", "wk", way, text))
    return make_feed(stops, trips)


def times(feed: Feed, date: dt.date = TUESDAY) -> np.ndarray:
    """From each of the eight places to each other, every ten minutes of 07:00 to 09:00; nobody walks."""
    n = len(feed.stops)
    here = Links(np.arange(N_STOPS + 1), np.arange(N_STOPS), np.zeros(N_STOPS, np.int32), np.zeros(N_STOPS))
    nobody = Links(np.zeros(N_STOPS + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    network = assemble_network(
        feed, date, Links(np.zeros(n + 1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    )
    query = Query(window_s=(7 * HOUR, 9 * HOUR), step_s=600, max_rides=3, max_travel_s=3 * HOUR)
    return travel_times_by_departure(network, query, Walks(here, here, nobody))


def plan(feed: Feed, *changes: object) -> Feed:
    return apply_scenario(Scenario(scenario="plan", changes=changes), Setting(feed, WEEK)).feed


NEW = {
    "add_route": {
        "name": "X",
        "stops": ["S0", "S3", "S6", "S1"],
        "speed_kmh": 30,
        "service": {"weekday": {"06:30-10:00": 15}},
    }
}


@pytest.mark.parametrize("seed", range(12))
def test_an_added_service_slows_nobody(seed):
    """And somebody gains: four places get a bus every 15 minutes where there were two an hour at best."""
    feed = random_town(seed)
    before, after = times(feed), times(plan(feed, NEW))
    assert (after <= before).all()
    assert (after < before).any()
    assert (after != UNREACHED).mean() > 0.4


@pytest.mark.parametrize("seed", range(6))
def test_a_withdrawn_addition_restores_the_timetable(seed):
    feed = random_town(seed)
    assert same_feed(plan(feed, NEW, {"withdraw_route": {"route": "X"}}), feed)


@pytest.mark.parametrize("seed", range(6))
def test_unrelated_changes_in_any_order_give_the_same_times(seed):
    changes = [
        NEW,
        {"set_headway": {"route": "r0", "weekday": {"07:00-09:00": 20}}},
        {"change_speed": {"route": "r1", "factor": 1.25}},
        {"withdraw_route": {"route": "r2", "from": "08:30", "to": "09:00"}},
    ]
    feed = random_town(seed)
    seen = []
    for order in (changes, changes[::-1], [changes[2], changes[0], changes[3], changes[1]]):
        kept = []
        for change in order:  # a town where the third route has no bus then must not spoil the law
            try:
                plan(feed, change)
            except Exception as fault:
                assert "no departure" in str(fault)
                continue
            kept.append(change)
        seen.append(times(plan(feed, *kept)))
    assert np.array_equal(seen[0], seen[1])
    assert np.array_equal(seen[0], seen[2])


@pytest.mark.parametrize("seed", range(4))
def test_a_written_proposal_reads_back_the_same(tmp_path, seed):
    """GTFS and back: no difference in words, and every travel time the same to the second."""
    after = plan(random_town(seed), NEW, {"set_headway": {"route": "r0", "saturday": {"07:00-09:00": 20}}})
    write_feed(after, tmp_path / "plan.zip", date_stamp=TUESDAY)
    again = read_feed(tmp_path / "plan.zip")
    assert diff_feeds(after, again, WEEK).empty
    order = [again.stops["stop_id"].to_list().index(stop) for stop in after.stops["stop_id"]]
    assert order == list(range(len(order)))
    for date in WEEK.values():
        assert np.array_equal(times(after, date), times(again, date))


def test_the_hash_says_what_a_feed_was_made_from():
    """The same changes give the same hash, others another one, none the old one."""
    feed = random_town(1)
    slower = {"change_speed": {"route": "r1", "factor": 0.9}}
    assert plan(feed, NEW).content_hash == plan(feed, NEW).content_hash
    assert len({plan(feed, NEW).content_hash, plan(feed, slower).content_hash, plan(feed).content_hash}) == 3
    assert plan(feed).content_hash == feed.content_hash
    assert plan(dataclasses.replace(feed, content_hash="other"), NEW).content_hash != plan(feed, NEW).content_hash
