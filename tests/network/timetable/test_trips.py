"""The timetable of a service date: which hops run when, on which run, and who may board."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from community_routes.base.notices import Notice
from community_routes.base.times import HOUR, MINUTE, parse_time
from community_routes.network.network import assemble_network
from community_routes.network.timetable.trips import (
    Timetable,
    build_timetable,
    first_in_first_out,
    numbered_by_content,
)
from community_routes.sources.gtfs.feed import Feed
from drawn import DATE, drawn_feed, footpath_matrix, links_of, travel_time_s

YESTERDAY, TODAY, TOMORROW = "2024-03-04", "2024-03-05", "2024-03-06"


def hops(table: Timetable, feed: Feed) -> list[tuple[str, int, str, int]]:
    """From stop, departure, to stop, arrival of each hop, in order of time."""
    names = feed.stops["stop_id"].to_numpy()
    rows = zip(names[table.from_stop], table.departure_s, names[table.to_stop], table.arrival_s, strict=True)
    return sorted(((a, int(d), b, int(r)) for a, d, b, r in rows), key=lambda hop: (hop[1], hop))


def at(time: str) -> int:
    return parse_time(time)


def test_a_trip_of_three_calls_is_two_hops() -> None:
    """B 08:02 to C 08:05, and, after a minute there, C 08:06 to D 08:09, of one run."""
    feed = drawn_feed("7: B 08:02  C 08:05/08:06  D 08:09")
    table = build_timetable(feed, DATE)
    assert hops(table, feed) == [("B", at("08:02"), "C", at("08:05")), ("C", at("08:06"), "D", at("08:09"))]
    assert table.n_runs == 1
    assert table.position().tolist() == [0, 1]
    assert table.call.tolist() == [0, 1]


def test_three_service_days_are_joined() -> None:
    """One service on three days: a trip at 12:00 is there once; its like of 24:30 yesterday is today's 00:30."""
    feed = drawn_feed("7 service=s: B 12:00  C 12:05", "7 service=s: B 24:30  C 24:35",
                      services={"s": [YESTERDAY, TODAY, TOMORROW]})  # fmt: skip
    table = build_timetable(feed, DATE, span_s=(0, 24 * HOUR))
    assert [hop[1] for hop in hops(table, feed)] == [at("00:30"), at("12:00")]
    whole = build_timetable(feed, DATE, span_s=(-24 * HOUR, 48 * HOUR))
    assert [hop[1] // MINUTE for hop in hops(whole, feed)] == [-12 * 60, 30, 12 * 60, 24 * 60 + 30, 36 * 60]
    assert set(whole.shift_s.tolist()) == {-24 * HOUR, 0, 24 * HOUR}


def test_the_span_keeps_what_leaves_within_it() -> None:
    """Of three hops the one that leaves before 08:05 and the one that leaves after 08:10 are left out."""
    feed = drawn_feed("7: A 08:00  B 08:05  C 08:10:01  D 08:15")
    table = build_timetable(feed, DATE, span_s=(at("08:05"), at("08:10")))
    assert hops(table, feed) == [("B", at("08:05"), "C", at("08:10:01"))]


def test_types_of_calls_are_at_the_ends_of_hops() -> None:
    """No pickup at C: the hop from C is not boarded. No drop-off at C: the hop to C is not alighted from."""
    feed = drawn_feed("7: B 08:02  C 08:05[pickup=1]  D 08:09", "8: B 09:02  C 09:05[drop_off=1]  D 09:09")
    table = build_timetable(feed, DATE)
    assert table.board.tolist() == [True, False, True, True]
    assert table.alight.tolist() == [True, True, False, True]


def test_trips_of_one_call_or_none_run_nowhere() -> None:
    """There is nothing to ride."""
    feed = drawn_feed("7: B 08:02", "7:", "7: B 08:02  C 08:05")
    assert build_timetable(feed, DATE).n_runs == 1


def test_a_day_without_service_is_an_empty_timetable() -> None:
    """No hop, no run, and a network that can be searched."""
    feed = drawn_feed("7: B 08:02  C 08:05")
    table = build_timetable(feed, dt.date(2025, 1, 1))
    assert table.n_runs == 0 and len(table.from_stop) == 0
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"C": 0}, date=dt.date(2025, 1, 1)) is None
    assert (
        travel_time_s(feed, "09:00", access={"B": 0}, egress={"C": 0}, date=dt.date(2025, 1, 1), arrive_by=True) is None
    )


def test_a_block_is_one_run() -> None:
    """Two trips of a vehicle, four hops, one run; drawn in another order than they run."""
    feed = drawn_feed("2 block=v: C 08:12  D 08:15  E 08:20", "1 block=v: A 08:00  B 08:05  C 08:10")
    table = build_timetable(feed, DATE)
    assert table.n_runs == 1
    assert table.trip.tolist() == [1, 1, 0, 0]
    assert np.all(np.diff(table.departure_s) > 0)


def test_blocks_that_cannot_be_joined_are_counted() -> None:
    """Three trips of a block: the second starts elsewhere, the third overlaps the second. Two pairs."""
    feed = drawn_feed("1 block=v: A 08:00  B 08:10", "2 block=v: X 08:12  C 08:30", "3 block=v: C 08:29  D 08:40")
    notices: list[Notice] = []
    assert build_timetable(feed, DATE, notices=notices).n_runs == 3
    (notice,) = [notice for notice in notices if notice.code == "block_not_joined"]
    assert notice.value == "2"


def test_a_vehicle_that_parts_is_a_run_for_each_way() -> None:
    """After B it goes on to C and to D: two runs, both with the hop from A to B."""
    feed = drawn_feed("1: A 08:00  B 08:10", "2: B 08:12  C 08:20", "3: B 08:12  D 08:25",
                      transfers=["B > B type=4 from_trip=T0 to_trip=T1", "B > B type=4 from_trip=T0 to_trip=T2"])  # fmt: skip
    table = build_timetable(feed, DATE)
    assert sorted(tuple(table.trip[a:b]) for a, b in zip(table.first[:-1], table.first[1:], strict=True)) == [
        (0, 1),
        (0, 2),
    ]


def test_a_sampled_phase_lies_in_the_first_headway_and_hangs_on_the_seed() -> None:
    """Headway ten minutes from 08:00: the first run leaves from 08:00:00 to 08:09:59, the others ten minutes apart."""
    feed = drawn_feed("7: A 06:00  B 06:10", frequencies=["T0 08:00-09:00 every 10"])
    first = []
    for seed in range(30):
        departures = np.sort(build_timetable(feed, DATE, phase="sampled", seed=seed).departure_s)
        again = np.sort(build_timetable(feed, DATE, phase="sampled", seed=seed).departure_s)
        assert np.array_equal(departures, again)
        assert at("08:00") <= departures[0] < at("08:10")
        assert departures[-1] < at("09:00")
        assert set(np.diff(departures).tolist()) == {600}
        first.append(int(departures[0]))
    assert len(set(first)) > 20
    assert min(first) < at("08:03") and max(first) > at("08:07")


def test_sampled_phases_leave_exact_times_alone() -> None:
    """exact_times runs at 08:00 whatever the seed."""
    feed = drawn_feed("7: A 06:00  B 06:10", frequencies=["T0 08:00-09:00 every 10 exact"])
    assert all(
        build_timetable(feed, DATE, phase="sampled", seed=seed).departure_s.min() == at("08:00") for seed in range(5)
    )


def accessible(feed: Feed, trips: list[int], stops: list[int]) -> Feed:
    """The feed with what it says about wheelchairs: 0 unknown, 1 yes, 2 no."""
    return replace(
        feed,
        trips=feed.trips.assign(wheelchair_accessible=np.array(trips, np.int8)),
        stops=feed.stops.assign(wheelchair_boarding=np.array(stops, np.int8)),
    )


@pytest.mark.parametrize(("trip", "minutes"), [(1, 9), (0, 19), (2, 19)])
def test_wheelchairs_take_trips_known_to_be_accessible(trip: int, minutes: int) -> None:
    """The 08:02 is accessible, unknown or not; the 08:12 is."""
    feed = accessible(drawn_feed("7: B 08:02  D 08:09", "7: B 08:12  D 08:19"), [trip, 1], [1, 1])
    answer = travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}, wheelchair=True)
    assert answer == minutes * MINUTE
    assert travel_time_s(feed, "08:00", access={"B": 0}, egress={"D": 0}) == 9 * MINUTE


@pytest.mark.parametrize("unknown", [0, 2])
def test_wheelchairs_use_stops_known_to_be_accessible(unknown: int) -> None:
    """Neither boarded nor left at C, but ridden through it."""
    feed = accessible(drawn_feed("7: B 08:02  C 08:05  D 08:09"), [1], [1, unknown, 1])
    walks = {"access": {"B": 0, "C": 0}, "egress": {"D": 0}}
    assert travel_time_s(feed, "08:03", wheelchair=True, **walks) is None
    assert travel_time_s(feed, "08:00", wheelchair=True, **walks) == 9 * MINUTE
    assert travel_time_s(feed, "08:00", wheelchair=True, access={"B": 0}, egress={"C": 0}) is None


def test_no_trip_of_a_chain_overtakes_another() -> None:
    """Three trips of one route, of which the last overtakes the second: it is in a chain of its own."""
    feed = drawn_feed("7: A 08:00  B 08:10  C 08:20", "7: A 08:05  B 08:25  C 08:45", "7: A 08:10  B 08:15  C 08:30")
    table = build_timetable(feed, DATE)
    chain, rank = first_in_first_out(table, np.zeros(table.n_runs, bool))
    first = table.departure_s[table.first[:-1]]
    by_time = np.argsort(first)
    chains, ranks = chain[by_time].tolist(), rank[by_time].tolist()
    assert chains[0] == chains[1] or chains[0] == chains[2]
    assert chains[1] != chains[2]
    assert ranks[0] == 0


def test_what_a_network_says_of_itself() -> None:
    """It names its date and its sizes."""
    feed = drawn_feed("7: B 08:02  C 08:05  D 08:09")
    text = repr(assemble_network(feed, DATE, links_of(footpath_matrix(feed, {}))))
    assert "2024-03-05" in text and "2 connections" in text


def test_runs_of_the_same_rows_have_the_same_number() -> None:
    """As a dictionary of their bytes numbers them: 400 runs of none to three rows of two small numbers, every tenth apart."""
    rng = np.random.default_rng(2)
    size = rng.integers(0, 4, 400)
    first = np.concatenate([[0], np.cumsum(size)])
    content = rng.integers(-1, 2, (first[-1], 2)).astype(np.int32)
    apart = np.arange(400) % 10 == 0
    first.flags.writeable = False
    known: dict[object, int] = {}
    wanted = [
        known.setdefault(run if apart[run] else content[first[run] : first[run + 1]].tobytes(), len(known))
        for run in range(400)
    ]
    assert len(known) < 300
    assert numbered_by_content(first, content, apart).tolist() == wanted
