"""Laws that hold for every network, whatever its answers are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.times import HOUR, UNREACHED
from community_routes.network.network import Network
from community_routes.routing.engine import LocalEngine
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import percentile_times, times_in_blocks, travel_times_by_departure
from community_routes.sources.gtfs.feed import Calls, Feed
from community_routes.travel.matrix_blocks import matrix_cells
from community_routes.travel.matrix_file import Layout
from drawn import links_of
from random_networks import Case, random_case
from searching import network_of, query_of, times_of, walks_of

SEEDS = range(50_000, 50_025)
BOTH = pytest.mark.parametrize("arrive_by", [False, True], ids=["leaving", "arriving"])


@BOTH
def test_an_added_trip_slows_nobody(arrive_by: bool) -> None:
    """Five trips that no block holds are taken out: no cell is earlier without them, and some are later."""
    later = 0
    for seed in SEEDS:
        case = random_case(seed)
        free = np.flatnonzero(case.feed.trips["block_id"].to_numpy() == "")
        gone = np.random.default_rng(seed).permutation(free)[:5]
        service = case.feed.trips["service"].to_numpy().copy()
        service[gone] = -1
        fewer = replace(case, feed=replace(case.feed, trips=case.feed.trips.assign(service=service)))
        with_trips, without = times_of(case, arrive_by=arrive_by), times_of(fewer, arrive_by=arrive_by)
        assert np.all(with_trips <= without)
        later += int(np.count_nonzero(with_trips < without))
    assert later > 0


@BOTH
def test_more_rides_and_more_time_slow_nobody(arrive_by: bool) -> None:
    """One ride more, or ten minutes more: no cell is later, and none that is within the shorter limit changes."""
    for seed in SEEDS:
        case = random_case(seed)
        times = times_of(case, arrive_by=arrive_by)
        assert np.all(times_of(case, arrive_by=arrive_by, max_rides=case.max_rides + 1) <= times)
        longer = times_of(case, arrive_by=arrive_by, max_travel_s=case.max_travel_s + 600)
        assert np.array_equal(np.where(longer <= case.max_travel_s, longer, UNREACHED), times)


def test_less_slack_slows_nobody() -> None:
    """A minute of slack less makes no cell later."""
    for seed in SEEDS:
        case = replace(random_case(seed), slack_s=90)
        assert np.all(times_of(case, slack_s=30) <= times_of(case))


def test_leaving_later_arrives_no_earlier() -> None:
    """From one departure to a later one the arrival never falls, as far as the limit of time lets both arrive."""
    for seed in SEEDS:
        case = random_case(seed)
        times = times_of(case)
        both = (times[:, 1:] != UNREACHED) & (times[:, :-1] != UNREACHED)
        arrival = times.astype(np.int64) + case.times_s[None, :, None]
        assert np.all((np.diff(arrival, axis=1) >= 0) | ~both)


@BOTH
def test_a_shift_of_all_times_shifts_all_answers(arrive_by: bool) -> None:
    """Timetable and window 3,661 s later: the same travel times."""
    by_s = 3_661
    for seed in SEEDS:
        case = random_case(seed)
        calls, rows = case.feed.calls, case.feed.frequencies
        feed = replace(
            case.feed,
            calls=replace(calls, arrival_s=calls.arrival_s + by_s, departure_s=calls.departure_s + by_s),
            frequencies=rows.assign(start_s=rows["start_s"] + by_s, end_s=rows["end_s"] + by_s),
        )
        window = (case.window_s[0] + by_s, case.window_s[1] + by_s)
        moved = times_of(case, arrive_by=arrive_by, feed=feed, window_s=window)
        assert np.array_equal(times_of(case, arrive_by=arrive_by), moved)


@BOTH
def test_the_order_of_rows_and_the_names_change_nothing(arrive_by: bool) -> None:
    """Stops, trips, origins and destinations in another order and under other names: the same answers, in that order."""
    for seed in SEEDS:
        case = random_case(seed)
        if _equal_in_a_block(case.feed):
            continue
        draw = np.random.default_rng(seed)
        stops, trips = draw.permutation(len(case.feed.stops)), draw.permutation(len(case.feed.trips))
        origins, destinations = draw.permutation(len(case.access_s)), draw.permutation(len(case.egress_s))
        turned = replace(
            case,
            feed=_reordered(case.feed, stops, trips),
            footpath_s=case.footpath_s[np.ix_(stops, stops)],
            access_s=case.access_s[np.ix_(origins, stops)],
            egress_s=case.egress_s[np.ix_(destinations, stops)],
            direct_s=case.direct_s[np.ix_(origins, destinations)],
        )
        times = times_of(case, arrive_by=arrive_by)
        assert np.array_equal(times[origins][:, :, destinations], times_of(turned, arrive_by=arrive_by))


def _equal_in_a_block(feed: Feed) -> bool:
    """Whether two trips of a block leave and arrive alike, so that only their rows put them in order."""
    first = feed.calls.first
    ends = feed.trips[["block_id"]].assign(
        leaves=feed.calls.departure_s[first[:-1]], arrives=feed.calls.arrival_s[first[1:] - 1]
    )
    return bool(ends[ends["block_id"] != ""].duplicated().any())


def _reordered(feed: Feed, stops: NDArray[np.int64], trips: NDArray[np.int64]) -> Feed:
    new_stop, new_trip = np.append(np.argsort(stops), -1), np.append(np.argsort(trips), -1)
    calls = feed.calls
    rows = np.concatenate([np.arange(calls.first[trip], calls.first[trip + 1]) for trip in trips])
    sizes = np.diff(calls.first)[trips]
    names = ("arrival_s", "departure_s", "pickup_type", "drop_off_type", "timed", "sequence", "distance")
    transfers = feed.transfers.assign(
        **{f"{end}_stop": new_stop[feed.transfers[f"{end}_stop"]].astype(np.int32) for end in ("from", "to")},
        **{f"{end}_trip": new_trip[feed.transfers[f"{end}_trip"]].astype(np.int32) for end in ("from", "to")},
    )
    table = feed.stops.iloc[stops].reset_index(drop=True)
    return replace(
        feed,
        stops=table.assign(
            parent=new_stop[table["parent"]].astype(np.int32), stop_id=[f"other {n}" for n in range(len(stops))]
        ),
        trips=feed.trips.iloc[trips].reset_index(drop=True).assign(trip_id=[f"run {n}" for n in range(len(trips))]),
        calls=Calls(
            first=np.concatenate([[0], np.cumsum(sizes)]),
            stop=new_stop[calls.stop[rows]].astype(np.int32),
            **{name: getattr(calls, name)[rows] for name in names},
        ),
        frequencies=feed.frequencies.assign(trip=new_trip[feed.frequencies["trip"]].astype(np.int32)),
        transfers=transfers,
    )


@BOTH
def test_a_window_of_one_departure_is_the_single_search(arrive_by: bool) -> None:
    """Each departure asked alone answers as it does within its window."""
    for seed in SEEDS[:20]:
        case = random_case(seed)
        network, walks = network_of(case), walks_of(case)
        times = travel_times_by_departure(network, query_of(case, arrive_by=arrive_by), walks)
        for number, time_s in enumerate(case.times_s.tolist()):
            query = replace(query_of(case, arrive_by=arrive_by), window_s=(time_s, time_s + 1), step_s=1)
            assert np.array_equal(travel_times_by_departure(network, query, walks)[:, 0], times[:, number])


def crowd(seed: int) -> tuple[Case, Walks]:
    """A case with 600 destinations and 90 origins, more than one block of either: those of the case, some seconds apart."""
    case = random_case(seed)
    draw = np.random.default_rng(seed)

    def many(matrix: NDArray[np.int64], times: int) -> NDArray[np.int64]:
        tiled = np.tile(matrix, (times, 1))
        return np.where(tiled >= 0, tiled + draw.integers(0, 300, tiled.shape), tiled)

    case = replace(
        case,
        access_s=many(case.access_s, 30),
        egress_s=many(case.egress_s, 150),
        direct_s=np.where(draw.random((90, 600)) < 0.05, draw.integers(60, 3_000, (90, 600)), -1),
    )
    return case, Walks(links_of(case.access_s), links_of(case.egress_s), links_of(case.direct_s))


@BOTH
def test_threads_and_blocks_change_nothing(arrive_by: bool) -> None:
    """Many destinations by one thread, by two, and in small blocks: the same bytes, equal to the slow twin."""
    for seed in (50_100, 50_101):
        case, walks = crowd(seed)
        network, query = network_of(case), query_of(case, arrive_by=arrive_by)
        times = travel_times_by_departure(network, query, walks, threads=1)
        assert times.tobytes() == travel_times_by_departure(network, query, walks, threads=2).tobytes()
        assert np.array_equal(times, case.slow_times(arrive_by=arrive_by))
        seen = np.zeros(times.shape, np.int8)
        for block in times_in_blocks(network, query, walks, origins_at_once=7, lanes=16):
            cells = np.ix_(block.origins, block.departures, block.destinations)
            seen[cells] += 1
            assert np.array_equal(block.time_s, times[cells])
        assert np.all(seen == 1)
        ranked = percentile_times(network, query, walks)
        assert np.array_equal(put_together(network, query, walks, per_departure=False), ranked)
        by_departure = put_together(network, query, walks, per_departure=True).reshape(
            times.shape[0], -1, times.shape[1]
        )
        assert np.array_equal(by_departure.transpose(0, 2, 1), times)


def put_together(network: Network, query: Query, walks: Walks, *, per_departure: bool) -> NDArray[np.int32]:
    """A matrix from what is reached of its blocks, (n_values, n_origins, n_columns); no cell may come twice."""
    ends = [np.array([str(place) for place in range(n)], object) for n in (walks.n_origins, walks.n_destinations)]
    plan = Layout(*ends, query, *(np.zeros(len(end), np.int8) for end in ends), per_departure)
    times = np.full((plan.n_values, walks.n_origins, plan.n_columns), UNREACHED, np.int32)
    for found in matrix_cells(network, plan, walks, LocalEngine(2), lanes=32):
        for cells in found:
            origin = np.repeat(cells.origins, np.diff(cells.first))
            assert (times[:, origin, cells.columns] == UNREACHED).all()
            times[:, origin, cells.columns] = np.where(cells.values < 0, UNREACHED, cells.values.astype(np.int32)).T
    return times


@BOTH
def test_percentiles_are_nearest_ranks(arrive_by: bool) -> None:
    """Of 10 departures p50 is the 5th time, p51 the 6th, p1 the 1st, p100 the 10th; unreached last; never falling with p."""
    percentiles = (1, 10, 11, 25, 50, 51, 75, 99, 100)
    ranks = [0, 0, 1, 2, 4, 5, 7, 9, 9]
    for seed in SEEDS:
        case = random_case(seed)
        query = replace(query_of(case, arrive_by=arrive_by), percentiles=percentiles)
        network, walks = network_of(case), walks_of(case)
        found = percentile_times(network, query, walks)
        times = np.sort(travel_times_by_departure(network, query, walks), axis=1)
        assert np.array_equal(found, times[:, ranks, :].transpose(1, 0, 2))
        assert np.all(np.diff(found.astype(np.int64), axis=0) >= 0)
        assert found.tobytes() == percentile_times(network, query, walks, threads=2).tobytes()


def test_arriving_and_leaving_agree() -> None:
    """Who leaves at the latest departure meets the deadline; who leaves one second later does not."""
    tried = 0
    for seed in SEEDS:
        case = random_case(seed)
        network, walks = network_of(case), walks_of(case)
        times = travel_times_by_departure(network, query_of(case, arrive_by=True), walks)
        latest = np.where(times == UNREACHED, -1, case.times_s[None, :, None] - times)
        for leave_s in np.unique(latest[times != UNREACHED]).tolist():
            query = replace(query_of(case), window_s=(leave_s, leave_s + 2), step_s=1, max_travel_s=3 * HOUR)
            taken = travel_times_by_departure(network, query, walks)
            for origin, deadline, destination in np.argwhere((latest == leave_s) & (times != UNREACHED)):
                in_time = case.times_s[deadline] - leave_s
                assert taken[origin, 0, destination] <= in_time
                assert taken[origin, 1, destination] > in_time - 1
                tried += 1
    assert tried > 500


@BOTH
def test_windows_longer_than_16_bits_of_seconds(arrive_by: bool) -> None:
    """A window of a whole day, in steps of 1,000 s, equals the slow twin, as do its percentiles."""
    for seed in SEEDS[:8]:
        case = replace(_spread_over_the_day(random_case(seed), seed), window_s=(0, 24 * HOUR), step_s=1_000)
        network, query, walks = network_of(case), query_of(case, arrive_by=arrive_by), walks_of(case)
        times = travel_times_by_departure(network, query, walks)
        assert np.array_equal(times, case.slow_times(arrive_by=arrive_by))
        ranks = [-(-p * times.shape[1] // 100) - 1 for p in query.percentiles]
        assert np.array_equal(
            percentile_times(network, query, walks), np.sort(times, axis=1)[:, ranks].transpose(1, 0, 2)
        )


@BOTH
def test_journeys_as_long_as_16_bits_allow(arrive_by: bool) -> None:
    """Up to 30,000 s on the way, over half a day of departures, with walks of an hour at both ends: equal to the slow twin."""
    far = 0
    for seed in SEEDS[:8]:
        case = _spread_over_the_day(random_case(seed), seed)
        case = replace(
            case,
            window_s=(0, 12 * HOUR),
            step_s=2_500,
            max_travel_s=30_000,
            max_rides=4,
            access_s=np.where(case.access_s >= 0, case.access_s * 10, -1),
            egress_s=np.where(case.egress_s >= 0, case.egress_s * 16, -1),
        )
        times = times_of(case, arrive_by=arrive_by)
        assert np.array_equal(times, case.slow_times(arrive_by=arrive_by))
        far += int(np.count_nonzero((times > 20_000) & (times < UNREACHED)))
    assert far > 50


def _spread_over_the_day(case: Case, seed: int) -> Case:
    """Each trip moved by whole hours to some time of the day."""
    calls = case.feed.calls
    by_s = np.random.default_rng(seed).integers(-7, 15, len(case.feed.trips)) * HOUR
    by_s = np.maximum(by_s, -(calls.arrival_s[calls.first[:-1]] // HOUR) * HOUR)
    later = np.repeat(by_s, np.diff(calls.first))
    return replace(
        case,
        feed=replace(
            case.feed, calls=replace(calls, arrival_s=calls.arrival_s + later, departure_s=calls.departure_s + later)
        ),
    )


@pytest.mark.parametrize(
    "question",
    [
        {"window_s": (32 * HOUR, 33 * HOUR), "max_travel_s": 2 * HOUR},
        {"window_s": (-8 * HOUR, HOUR), "max_travel_s": 2 * HOUR, "arrive_by": True},
    ],
)
def test_hours_that_the_network_does_not_hold_are_refused(question: dict[str, Any]) -> None:
    """A search beyond the hours of the network says so, instead of finding nothing."""
    case = random_case(0)
    with pytest.raises(UsageError, match="span_s"):
        travel_times_by_departure(network_of(case), Query(**question), walks_of(case))
