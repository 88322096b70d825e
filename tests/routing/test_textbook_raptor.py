"""The search equals a textbook RAPTOR to the second: on random networks whose rules it knows, and on real timetables."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from community_routes.base.times import UNREACHED
from community_routes.network.streets.streets import build_streets
from community_routes.routing.query import Walks
from community_routes.routing.travel_times import travel_times_by_departure
from conftest import shared_data
from drawn import drawn_feed
from random_networks import Case, random_case, without
from searching import network_of, query_of, walks_of


@pytest.fixture
def raptor(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The baseline of the benchmarks."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "benchmarks"))
    import raptor

    return sys.modules[raptor.__name__]


def plain(seed: int) -> Case:
    """A random network without blocks and transfers.txt, which the textbook does not know."""
    case = without(replace(random_case(seed), phase="zero"), "blocks")
    return replace(case, feed=replace(case.feed, transfers=case.feed.transfers.iloc[:0]))


def test_search_raptor_and_slow_twin_agree_on_random_networks(raptor: ModuleType) -> None:
    """Three programs, one answer, on 60 networks."""
    for seed in range(70_000, 70_060):
        case = plain(seed)
        network, query, walks = network_of(case), query_of(case), walks_of(case)
        baseline = raptor.raptor_times(
            raptor.build_routes(case.feed, case.date), network.footpaths, walks.access, walks.egress, walks.direct,
            np.arange(walks.n_origins), query.departures_s,
            slack_s=case.slack_s, max_rides=case.max_rides, max_travel_s=case.max_travel_s,
        )  # fmt: skip
        assert np.array_equal(baseline, case.slow_times())
        assert np.array_equal(baseline, travel_times_by_departure(network, query, walks))


def test_the_textbook_refuses_what_it_does_not_know(raptor: ModuleType) -> None:
    """A block, or a rule that changes a change, is no work for the baseline."""
    with pytest.raises(ValueError, match="blocks"):
        raptor.build_routes(drawn_feed("7 block=v: A 08:00  B 08:10"), dt.date(2024, 3, 5))
    with pytest.raises(ValueError, match="transfers"):
        raptor.build_routes(drawn_feed("7: A 08:00  B 08:10", transfers=["B > B type=3"]), dt.date(2024, 3, 5))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "n_origins"), [("porto_alegre", 20), ("porto_alegre_saturday", 10), ("newport", 20), ("sample", 20)]
)
def test_real_timetables_equal_the_textbook(raptor: ModuleType, name: str, n_origins: int) -> None:
    """All departures and destinations, every cell to the second, without the blocks and rules that the textbook lacks."""
    import workloads

    work = workloads.WORKLOADS[name]
    if not work.folder.is_dir():
        shared_data(work.folder.name)
    feed = work.read_timetable()
    feed = replace(feed, trips=feed.trips.assign(block_id=""), transfers=feed.transfers.iloc[:0])
    ground = build_streets(work.read_streets())
    network = work.network(feed, ground)
    origins, destinations = work.places()
    walks = work.walks(feed, ground, origins=origins, destinations=destinations)
    some = np.linspace(0, origins.n_places - 1, n_origins).astype(int)
    walks = Walks(workloads.some_of(walks.access, some), walks.egress, workloads.some_of(walks.direct, some))
    times = travel_times_by_departure(network, work.query, walks)
    baseline = raptor.raptor_times(
        raptor.build_routes(feed, work.date), network.footpaths, walks.access, walks.egress, walks.direct,
        np.arange(n_origins), work.query.departures_s,
        slack_s=work.slack_s, max_rides=work.query.max_rides, max_travel_s=work.query.max_travel_s,
    )  # fmt: skip
    assert times.shape == (n_origins, len(work.query.departures_s), destinations.n_places)
    assert np.array_equal(times, baseline)
    assert np.count_nonzero(times < UNREACHED) > 0.15 * times.size
