"""A network built from another one like it is, byte by byte, the one that is built from nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from community_routes.network.network import Network, assemble_network
from community_routes.network.store import fingerprint
from community_routes.network.timetable import connections as reducing
from community_routes.network.walks.points import Links
from community_routes.scenarios.edit.feed import NewTrip, TripCalls, add_stops, edit_trips
from community_routes.sources.gtfs.feed import Feed
from drawn import links_of
from random_networks import Case, random_case


def built(case: Case, feed: Feed, known: Network | None = None) -> Network:
    footpaths = links_of(case.footpath_s)
    if len(feed.stops) > footpaths.n_from:  # new stops are near nothing
        first = np.append(footpaths.first, [footpaths.first[-1]] * (len(feed.stops) - footpaths.n_from))
        footpaths = Links(first, footpaths.to, footpaths.walk_s, footpaths.metres)
    return assemble_network(feed, case.date, footpaths, slack_s=case.slack_s, phase=case.phase, known=known)


def edited(feed: Feed, rng: np.random.Generator) -> Feed:
    """Some trips gone, some later, some copied to other minutes, at times with a new last stop."""
    n = len(feed.trips)
    some = rng.permutation(n)
    gone, moved, copied = some[: rng.integers(0, 3)], some[3 : 3 + rng.integers(0, 3)], some[6 : 6 + rng.integers(0, 3)]
    if rng.random() < 0.3:
        feed = add_stops(feed, ["new"], ["New"], [0.0], [0.0])
    later = {int(row): TripCalls.of(feed, int(row)).shifted(60 * int(rng.integers(-2, 3))) for row in moved}
    added = []
    for row in copied.tolist():
        calls = TripCalls.of(feed, row).shifted(60 * int(rng.integers(-10, 11)))
        if len(calls) and rng.random() < 0.3 and feed.stops["stop_id"].iat[-1] == "new":
            stop = calls.stop.copy()
            stop[-1] = len(feed.stops) - 1
            calls = replace(calls, stop=stop)
        trips = feed.trips
        added.append(NewTrip(f"n{row}", int(trips["route"].iat[row]), int(trips["service"].iat[row]), calls, like=row))
    return edit_trips(feed, remove=gone, replaced=later, added=added)


@pytest.mark.parametrize("seeds", [range(block, block + 25) for block in range(0, 200, 25)], ids=str)
def test_a_renewed_network_is_the_one_built_from_nothing(seeds: range) -> None:
    """Random networks with rules, stations, headways and blocks, and random edits, twice on top of each other."""
    for seed in seeds:
        case, rng = random_case(seed), np.random.default_rng(seed)
        known, feed = built(case, case.feed), case.feed
        for _ in range(2):
            feed = edited(feed, rng)
            renewed, anew = built(case, feed, known), built(case, feed)
            for part in ("timetable", "changes", "connections", "apart"):
                assert fingerprint(getattr(renewed, part)) == fingerprint(getattr(anew, part)), f"seed {seed}: {part}"
            known = renewed


def test_what_is_alike_is_not_reduced_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged timetable has nothing to reduce; with a trip gone less than everything."""
    wanted: list[np.ndarray] = []

    def spied(hops: object, which: np.ndarray, *rest: object) -> object:
        wanted.append(which)
        return reduce(hops, which, *rest)

    reduce = reducing._reduce_changes
    case = random_case(3)
    known = built(case, case.feed)
    monkeypatch.setattr(reducing, "_reduce_changes", spied)
    built(case, case.feed, known)
    assert not wanted[-1].any()
    built(case, edit_trips(case.feed, remove=[0]), known)
    assert 0 < wanted[-1].sum() < len(wanted[-1])
