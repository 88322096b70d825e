"""The search equals a textbook RAPTOR to the second: on random networks it knows the rules of, and on Porto Alegre."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from community_routes.network.network import build_network
from community_routes.network.points import Links, Points
from community_routes.network.streets import build_streets
from community_routes.network.walks import link_points, walks_between
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.sources.gtfs import read_feed
from community_routes.sources.osm import read_streets
from community_routes.times import HOUR, UNREACHED
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
def test_porto_alegre_equals_the_textbook(raptor: ModuleType) -> None:
    """20 origins to 1,227 destinations, 60 departures, buses and trains of a Monday: every cell to the second."""
    folder, date = shared_data("porto_alegre"), dt.date(2019, 5, 13)
    feed = read_feed([folder / "poa_eptc.zip", folder / "poa_trensurb.zip"])
    ground = build_streets(read_streets(folder / "poa_osm.pbf"))
    network = build_network(feed, ground, date, slack_s=60, between_stops_s=1_000, speed_kmh=3.6)
    table = pd.read_csv(folder / "poa_hexgrid.csv")
    hexagons = link_points(ground, Points.single(table["id"], table["lon"], table["lat"]))
    some = np.linspace(0, len(table) - 1, 20).astype(int)
    origins = link_points(ground, Points.single(table["id"][some], table["lon"][some], table["lat"][some]))
    stops = link_points(ground, Points.single(feed.stops["stop_id"], feed.stops["lon"], feed.stops["lat"]))
    walks = Walks(
        walks_between(ground, origins, stops, limit_s=2_000, speed_kmh=3.6),
        walks_between(ground, stops, hexagons, limit_s=2_000, speed_kmh=3.6).reversed(len(table)),
        walks_between(ground, origins, hexagons, limit_s=3_600, speed_kmh=3.6),
    )
    query = Query(window_s=(14 * HOUR, 15 * HOUR))
    times = travel_times_by_departure(network, query, walks)
    baseline = raptor.raptor_times(
        raptor.build_routes(feed, date), network.footpaths, *_links(walks), np.arange(20), query.departures_s,
        slack_s=60, max_rides=3, max_travel_s=7_200,
    )  # fmt: skip
    assert times.shape == (20, 60, 1_227)
    assert np.array_equal(times, baseline)
    assert np.count_nonzero(times < UNREACHED) > 0.8 * times.size


def _links(walks: Walks) -> tuple[Links, Links, Links]:
    return walks.access, walks.egress, walks.direct
