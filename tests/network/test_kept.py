"""Timetables, streets and networks kept between runs: known by their content and by every option, whatever they are called."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from community_routes.base.notices import Notice
from community_routes.cli import run_command
from community_routes.evaluation.case import open_study, sample_study
from community_routes.network.kept import (
    Builder,
    Settings,
    keep_background,
    keep_read,
    keep_roads,
    keep_streets,
    open_store,
)
from community_routes.network.network import Network
from community_routes.network.packing import Packed
from community_routes.network.store import Store, fingerprint
from community_routes.network.walks.links import CrowFly, Ground, Linked
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import percentile_times
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.osm.background import background_layers
from drawn import DATE, drawn_feed
from drawn_streets import at, grid_city
from feed_zip import GOOD, feed_zip

OPTIONS = {
    "slack_s": 60,
    "between_stops_s": 1800,
    "speed_kmh": 4.8,
    "link_m": 300.0,
    "phase": "zero",
    "seed": 0,
    "wheelchair": False,
    "span_s": (0, 30 * 3600),
}


def parts(network: Network) -> str:
    return fingerprint(network.timetable, network.changes, network.connections, network.footpaths, network.apart)


def feed(minute: int = 10, **options: Any) -> Feed:
    lines = f"7: A 08:00  B 08:{minute}", "8: B 08:20  C 08:30"
    return drawn_feed(*lines, frequencies=["T1 08:00-10:00 every 20"], **options)


def kept_networks(
    store: Store | None,
    feed: Feed,
    ground: Ground,
    dates: dict[str, dt.date],
    *,
    span_s: tuple[int, int],
    **settings: Any,
) -> tuple[Linked, dict[str, Network]]:
    """Stops and the network of each date, as a study builds them."""
    builder = Builder(store, feed, ground, Settings(**settings))
    stopping = builder.stopping()
    return stopping.stops, {day: builder.network(date, span_s, stopping.footpaths) for day, date in dates.items()}


def count_networks(folder: Path) -> int:
    return sum(1 for entry in (folder / "kept").iterdir() if entry.name[0] != ".")


def read_kept(folder: Path, path: Path, found: list[Notice]) -> Feed:
    return keep_read(open_store(folder), "feed", [path], "", lambda n: read_feed(path, notices=n), found)


def test_a_timetable_is_read_once_and_its_notices_told_twice(tmp_path):
    """A blank time gives a notice or not; either way the second list equals the first, and the feeds are one and the same."""
    path = feed_zip(tmp_path / "bus.zip", stops=GOOD["stops"] + "E,Elm Row,,\n")
    first: list[Notice] = []
    second: list[Notice] = []
    one, two = read_kept(tmp_path / "cache", path, first), read_kept(tmp_path / "cache", path, second)
    assert fingerprint(one) == fingerprint(two)
    assert first == second
    assert first


def test_a_changed_timetable_of_the_same_name_and_time_is_read_anew(tmp_path):
    """T2 reaches D at 09:20, after the change at 09:25; the file keeps its name, its size and its date."""
    path = feed_zip(tmp_path / "bus.zip", calendar=GOOD["calendar"])
    before = read_kept(tmp_path / "cache", path, [])
    stat = path.stat()
    feed_zip(path, stop_times=GOOD["stop_times"].replace("09:20:00,09:20:00", "09:25:00,09:25:00"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = read_kept(tmp_path / "cache", path, [])
    assert [int(f.calls.arrival_s[-1]) for f in (before, after)] == [9 * 3600 + 20 * 60, 9 * 3600 + 25 * 60]


def test_a_kept_network_is_the_one_that_was_built(tmp_path):
    """And it answers the same: A to C, 08:00 on the 7 to 08:10, then the 8 at 08:20 to 08:30."""
    store = open_store(tmp_path)
    built = kept_networks(None, feed(), CrowFly(), {"day": DATE}, **OPTIONS)[1]["day"]
    kept_networks(store, feed(), CrowFly(), {"day": DATE}, **OPTIONS)
    kept = kept_networks(store, feed(), CrowFly(), {"day": DATE}, **OPTIONS)[1]["day"]
    assert parts(kept) == parts(built)
    stops = [kept_networks(s, feed(), CrowFly(), {"day": DATE}, **OPTIONS)[0] for s in (None, store)]
    assert fingerprint(stops[0]) == fingerprint(stops[1])
    at_stops = built.footpaths.within(0)
    walks = Walks(at_stops, at_stops, at_stops)
    query = Query(window_s=(8 * 3600 - 60, 8 * 3600), step_s=60, percentiles=(50,))
    times = [percentile_times(network, query, walks) for network in (built, kept)]
    assert times[0].tolist() == times[1].tolist()
    assert times[1][0, 0, 2] == 31 * 60


@pytest.mark.parametrize(
    "changed",
    [
        {"slack_s": 61},
        {"between_stops_s": 1801},
        {"speed_kmh": 4.9},
        {"link_m": 301.0},
        {"phase": "half"},
        {"seed": 1},
        {"wheelchair": True},
        {"span_s": (0, 29 * 3600)},
    ],
    ids=lambda option: next(iter(option)),
)
def test_every_option_tells_networks_apart(tmp_path, changed):
    """With another option the network is what is built without any cache, not what was kept."""
    store = open_store(tmp_path)
    kept_networks(store, feed(), CrowFly(), {"day": DATE}, **OPTIONS)
    n = count_networks(tmp_path)
    other = kept_networks(store, feed(), CrowFly(), {"day": DATE}, **(OPTIONS | changed))[1]["day"]
    fresh = kept_networks(None, feed(), CrowFly(), {"day": DATE}, **(OPTIONS | changed))[1]["day"]
    assert parts(other) == parts(fresh)
    assert count_networks(tmp_path) > n


def test_date_ground_and_timetable_tell_networks_apart(tmp_path):
    store = open_store(tmp_path)
    maps = [
        replace(grid_city(6, n, block_m=block).street_map(), content_hash=f"{n}")
        for n, block in ((2, 100.0), (3, 110.0))
    ]
    streets = [keep_streets(store, street_map, wheelchair=False) for street_map in maps]
    cases = [
        (feed(), CrowFly(), DATE),
        (feed(11), CrowFly(), DATE),
        (feed(), CrowFly(1.4), DATE),
        (feed(), CrowFly(1.3, (-1.0, 49.0, 1.0, 51.0)), DATE),
        (feed(), CrowFly(), DATE + dt.timedelta(days=1)),
        *((feed(places={"A": at(0, 0), "B": at(250, 0), "C": at(250, 100)}), ground, DATE) for ground in streets),
    ]
    assert len({parts(kept_networks(None, *case[:2], {"day": case[2]}, **OPTIONS)[1]["day"]) for case in cases}) == 6
    for _ in range(2):
        for case_feed, ground, date in cases:
            kept = kept_networks(store, case_feed, ground, {"day": date}, **OPTIONS)[1]["day"]
            fresh = kept_networks(None, case_feed, ground, {"day": date}, **OPTIONS)[1]["day"]
            assert parts(kept) == parts(fresh)
            assert kept.timetable.date == date


def test_a_name_that_network_building_does_not_read_changes_only_the_feed(tmp_path):
    """The network holds the timetable it was asked with, not the one with which it was kept."""
    store = open_store(tmp_path)
    one, two = feed(), feed()
    kept_networks(store, one, CrowFly(), {"day": DATE}, **OPTIONS)
    assert kept_networks(store, two, CrowFly(), {"day": DATE}, **OPTIONS)[1]["day"].feed is two


def test_streets_come_back(tmp_path):
    store = open_store(tmp_path)
    street_map = grid_city(4, 3).street_map()
    first = keep_streets(store, street_map, wheelchair=False)
    second = keep_streets(store, street_map, wheelchair=False)
    assert Packed(first).tree == Packed(second).tree
    assert fingerprint(first) == fingerprint(second)
    assert count_networks(tmp_path) == (1 if street_map.content_hash else 0)


def test_roads_come_back(tmp_path, monkeypatch):
    """The second time they are not built, and the way of a bus along them is the same."""
    store = open_store(tmp_path)
    street_map = replace(grid_city(4, 3).street_map(), content_hash="a city")
    first = keep_roads(store, street_map)
    monkeypatch.setattr("community_routes.network.kept.build_roads", None)
    assert fingerprint(keep_roads(store, street_map)) == fingerprint(first)
    assert first.graph.n_edges > 0


def test_the_background_of_maps_comes_back(tmp_path, monkeypatch):
    """The second time it is not drawn: the same layers, words and shapes, empty layers too."""
    store = open_store(tmp_path)
    drawn = grid_city(3, 2, tags={"highway": "secondary", "name": "High Street"})
    drawn.add_way(10, [(0, 0), (400, 0), (400, 400), (0, 400), (0, 0)], leisure="park", name="The Green")
    street_map = replace(drawn.street_map(), content_hash="a town")
    first = background_layers(street_map)
    assert [len(first[name]) > 0 for name in ("roads", "railways")] == [True, False]
    keep_background(store, street_map)
    monkeypatch.setattr("community_routes.sources.osm.background.background_layers", None)
    second = keep_background(store, street_map)
    assert list(second) == list(first)
    for name, layer in first.items():
        pd.testing.assert_frame_equal(second[name][["kind", "name"]], pd.DataFrame(layer[["kind", "name"]]))
        assert list(second[name].to_wkb()["geometry"]) == list(layer.to_wkb()["geometry"])
        assert second[name].crs == layer.crs


def test_a_second_run_reads_and_builds_nothing(tmp_path, monkeypatch):
    """After one matrix of the sample borough, neither timetables nor streets nor networks are made; the bytes are the same."""
    asked = [
        "matrix",
        str(sample_study()),
        "--day",
        "weekday",
        "--window",
        "08:00-08:05",
        "--cache",
        str(tmp_path / "c"),
    ]
    assert run_command([*asked, "--out", str(tmp_path / "first.csv"), "--quiet"]) == 0

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("made again")

    for name in (
        "evaluation.case.read_feed",
        "evaluation.case.read_streets",
        "network.kept.build_streets",
        "network.kept.link_stops",
    ):
        monkeypatch.setattr(f"community_routes.{name}", refuse)
    for name in ("network.kept.build_footpaths", "network.kept.assemble_network"):
        monkeypatch.setattr(f"community_routes.{name}", refuse)
    assert run_command([*asked, "--out", str(tmp_path / "second.csv"), "--quiet"]) == 0
    assert (tmp_path / "first.csv").read_bytes() == (tmp_path / "second.csv").read_bytes()
    with pytest.raises(AssertionError, match="made again"):
        open_study(sample_study(), cache=tmp_path / "another")
