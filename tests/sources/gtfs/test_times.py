"""Blank times lie between their neighbours in proportion to the way, never to the number of stops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from community_routes.base.earth import great_circle_m
from community_routes.base.notices import Notice
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.positions import positions_along, straight_positions
from community_routes.sources.gtfs.read import read_feed
from conftest import shared_data
from feed_zip import GOOD, feed_zip

HEAD = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,shape_dist_traveled\n"


def read_times(tmp_path: Path, times: str, **tables: str) -> Feed:
    """A feed with these stop times of the trip T1."""
    trips = tables.pop("trips", "route_id,service_id,trip_id\nR7,daily,T1\n")
    return read_feed(feed_zip(tmp_path / "f.zip", stop_times=HEAD + times, trips=trips, **tables))


def seconds_after_eight(feed: Feed) -> list[int]:
    """Arrivals counted from 08:00."""
    return (feed.calls.arrival_s - 8 * 3600).tolist()


def test_given_distances_come_first(tmp_path: Path) -> None:
    """A 0, B 1, C 9, D 10 of a unit in 1000 s: 100 and 900 s, whatever the map says."""
    feed = read_times(tmp_path, "T1,8:00:00,8:00:00,A,1,0\nT1,,,B,2,1\nT1,,,C,3,9\nT1,8:16:40,8:16:40,D,4,10\n")
    assert seconds_after_eight(feed) == [0, 100, 900, 1000]
    assert feed.calls.timed.tolist() == [True, False, False, True]


def test_straight_lines_without_distances_and_shape(tmp_path: Path) -> None:
    """A to D are 0.04 degrees: B after 1/4 and C after 1/2 of 800 s, not after a third and two thirds."""
    feed = read_times(tmp_path, "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,,,C,3,\nT1,8:13:20,8:13:20,D,4,\n")
    assert seconds_after_eight(feed) == [0, 200, 400, 800]


def test_the_drawn_course_comes_before_straight_lines(tmp_path: Path) -> None:
    """Between A and B the course goes 0.01 degrees of longitude west and back: A to B is 3 units, B to C 1."""
    shapes = (
        "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n"
        "s,51.60,-3.00,1\ns,51.60,-3.01,2\ns,51.60,-2.99,3\ns,51.60,-2.98,4\n"
    )
    feed = read_times(
        tmp_path,
        "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,8:06:40,8:06:40,C,3,\n",
        shapes=shapes,
        trips="route_id,service_id,trip_id,shape_id\nR7,daily,T1,s\n",
    )
    assert seconds_after_eight(feed) == [0, 300, 400]


DRAWN_TRIP = "route_id,service_id,trip_id,shape_id\nR7,daily,T1,s\n"


def drawn(*points: tuple[float, float]) -> str:
    """``shapes.txt`` with a course through these (lon, lat)."""
    rows = (f"s,{lat},{lon},{i}\n" for i, (lon, lat) in enumerate(points))
    return "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + "".join(rows)


def along(*lon: float) -> str:
    """A course on the parallel of the stops."""
    return drawn(*((x, 51.60) for x in lon))


@pytest.mark.parametrize(
    "shapes",
    [
        along(-3.00, -2.99, -2.98),
        along(-3.00, -2.985),
        along(-2.99, -2.98, -2.96),
        along(-2.99, -2.98),
        along(-2.96, -2.98, -2.99, -3.00),
        along(-2.96, -3.00),
        along(-2.98, -2.98),
        along(-2.80, -2.70, -2.80),
        drawn((-3.00, 51.60), (-2.96, 51.60), (-2.96, 51.70), (-3.00, 51.70), (-3.00, 51.60)),
    ],
    ids=[
        "ends at C",
        "ends between B and C",
        "begins at B",
        "begins and ends on the way",
        "runs the wrong way",
        "runs the wrong way in one piece",
        "is one point",
        "passes no stop",
        "is a loop that goes on",
    ],
)
def test_a_course_counts_only_where_it_passes_the_stops(tmp_path: Path, shapes: str) -> None:
    """A, B, C, D lie 1, 1 and 2 units apart on a straight road: 200, 400 and 800 of 800 s, whatever is drawn of it."""
    times = "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,,,C,3,\nT1,8:13:20,8:13:20,D,4,\n"
    feed = read_times(tmp_path, times, shapes=shapes, trips=DRAWN_TRIP)
    assert seconds_after_eight(feed) == [0, 200, 400, 800]


@pytest.mark.parametrize("shapes", [along(-3.00, -2.98), along(-3.00, -2.98, -3.00)], ids=["out", "out and back"])
def test_the_way_back_takes_as_long_as_the_way_out(tmp_path: Path, shapes: str) -> None:
    """A B C B A in 800 s, every hop 1 unit: C after 400 s, also where only the way out is drawn."""
    times = "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,,,C,3,\nT1,,,B,4,\nT1,8:13:20,8:13:20,A,5,\n"
    feed = read_times(tmp_path, times, shapes=shapes, trips=DRAWN_TRIP)
    assert seconds_after_eight(feed) == [0, 200, 400, 600, 800]


def test_beyond_the_end_of_a_course_straight_lines_are_added_to_it(tmp_path: Path) -> None:
    """To B the course makes a detour and is 3 units long; it ends there, and C is 1 unit on: 300 of 400 s."""
    times = "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,8:06:40,8:06:40,C,3,\n"
    feed = read_times(tmp_path, times, shapes=along(-3.00, -3.01, -2.99), trips=DRAWN_TRIP)
    assert seconds_after_eight(feed) == [0, 300, 400]


def test_a_stop_far_from_the_course_is_reached_by_straight_lines(tmp_path: Path) -> None:
    """B lies 0.3 degrees north of a straight course from A to C: half of the time there, half back."""
    stops = GOOD["stops"].replace("51.60,-2.99", "51.90,-2.99")
    times = "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,8:20:00,8:20:00,C,3,\n"
    feed = read_times(tmp_path, times, shapes=along(-3.00, -2.98), trips=DRAWN_TRIP, stops=stops)
    assert seconds_after_eight(feed) == [0, 600, 1200]


@pytest.mark.parametrize(
    "distances", [(0, 1, 2, 2), (0, 0, 1, 3), (5, 5, 6, 8)], ids=["ends early", "late", "late, not 0"]
)
@pytest.mark.parametrize("shapes", [None, along(-3.00, -2.96)], ids=["no course", "a course"])
def test_a_given_distance_that_stands_still_is_no_way_of_no_length(
    tmp_path: Path, distances: tuple[int, ...], shapes: str | None
) -> None:
    """The hops are 1, 1 and 2 units, one of them not counted: 200, 400 and 800 of 800 s as in the places themselves."""
    a, b, c, d = distances
    times = f"T1,8:00:00,8:00:00,A,1,{a}\nT1,,,B,2,{b}\nT1,,,C,3,{c}\nT1,8:13:20,8:13:20,D,4,{d}\n"
    feed = read_times(tmp_path, times, **({"shapes": shapes, "trips": DRAWN_TRIP} if shapes else {}))
    assert seconds_after_eight(feed) == [0, 200, 400, 800]


def test_a_bus_of_porto_alegre_takes_its_time_to_the_last_stop() -> None:
    """The course of route T9 ends 6 km before the last call of its trips, which no bus makes at more than 100 km/h."""
    feed = read_feed(shared_data("porto_alegre") / "poa_eptc.zip")
    route = feed.routes["route_short_name"].to_numpy()[feed.trips["route"].to_numpy()]
    last = feed.calls.first[1:][route == "T9"] - 1
    seconds = feed.calls.arrival_s[last] - feed.calls.departure_s[last - 1]
    lon, lat = (feed.stops[name].to_numpy()[feed.calls.stop] for name in ("lon", "lat"))
    metres = great_circle_m(lon[last - 1], lat[last - 1], lon[last], lat[last])
    assert len(last) and metres.max() > 6000
    assert (metres * 3.6 <= 100 * (seconds + 1)).all()


def test_a_stop_far_off_the_course_pulls_no_other_stop_away() -> None:
    """A line of 3 km to the east; stops at 0, 1 and 2 km, and a last one 6 km back: it is taken to be at the end."""
    x, y = np.array([0.0, 1000.0, 2000.0, 3000.0]), np.zeros(4)
    position = np.empty(4)
    positions_along(x, y, np.array([0.0, 1000.0, 2000.0, -4000.0]), np.full(4, 20.0), position)
    assert position.tolist()[:3] == [0.0, 1000.0, 2000.0]
    assert position[3] >= 2000.0


def test_distances_that_fall_or_are_missing_are_not_used(tmp_path: Path) -> None:
    """One gap with a distance missing falls back to straight lines; the other has its distances and uses them."""
    feed = read_times(
        tmp_path,
        "T1,8:00:00,8:00:00,A,1,0\nT1,,,B,2,\nT1,8:06:40,8:06:40,C,3,10\nT1,,,D,4,19\nT1,8:08:20,8:08:20,C,5,20\n",
    )
    assert seconds_after_eight(feed) == [0, 200, 400, 490, 500]


def test_the_gap_starts_at_the_departure_and_ends_at_the_arrival(tmp_path: Path) -> None:
    """Stands at A until 08:02, arrives at C at 08:06 and leaves at 08:10: B is half-way of the four minutes."""
    feed = read_times(tmp_path, "T1,8:00:00,8:02:00,A,1,\nT1,,,B,2,\nT1,8:06:00,8:10:00,C,3,\n")
    assert seconds_after_eight(feed) == [0, 240, 360]
    assert (feed.calls.departure_s - 8 * 3600).tolist() == [120, 240, 600]


def test_halves_of_seconds_round_up(tmp_path: Path) -> None:
    """Half of 5 s is 3 s."""
    feed = read_times(tmp_path, "T1,8:00:00,8:00:00,A,1,0\nT1,,,B,2,1\nT1,8:00:05,8:00:05,C,3,2\n")
    assert seconds_after_eight(feed) == [0, 3, 5]


def test_a_gap_without_length_arrives_when_it_left(tmp_path: Path) -> None:
    """Three calls at one stop: there is no way to share, and counting calls is not allowed."""
    feed = read_times(tmp_path, "T1,8:00:00,8:00:00,A,1,\nT1,,,A,2,\nT1,,,A,3,\nT1,8:09:00,8:09:00,A,4,\n")
    assert seconds_after_eight(feed) == [0, 0, 0, 540]


def test_a_loop_is_followed_all_the_way_round(tmp_path: Path) -> None:
    """A square of four equal sides from A back to A: the corners are reached after quarters of the time."""
    side = 0.01
    wide = side / np.cos(np.radians(51.605))
    corners = [(51.60, 0.0), (51.61, 0.0), (51.61, wide), (51.60, wide)]
    stops = "stop_id,stop_name,stop_lat,stop_lon\n" + "".join(
        f"{name},{name},{lat},{lon:.9f}\n" for name, (lat, lon) in zip("ABCD", corners, strict=True)
    )
    shapes = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\n" + "".join(
        f"s,{lat},{lon:.9f},{i}\n" for i, (lat, lon) in enumerate([*corners, corners[0]])
    )
    feed = read_times(
        tmp_path,
        "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,,,C,3,\nT1,,,D,4,\nT1,8:40:00,8:40:00,A,5,\n",
        stops=stops,
        shapes=shapes,
        trips="route_id,service_id,trip_id,shape_id\nR7,daily,T1,s\n",
    )
    assert np.abs(np.array(seconds_after_eight(feed)) - [0, 600, 1200, 1800, 2400]).max() <= 1


def test_the_number_of_filled_calls_is_said(tmp_path: Path) -> None:
    """Two of four."""
    times = HEAD + "T1,8:00:00,8:00:00,A,1,\nT1,,,B,2,\nT1,,,C,3,\nT1,8:13:20,8:13:20,D,4,\n"
    notices: list[Notice] = []
    trips = GOOD["trips"].replace("R7,daily,T2\n", "")
    read_feed(feed_zip(tmp_path / "f.zip", stop_times=times, trips=trips), notices=notices)
    assert [(n.severity, n.code, n.value) for n in notices if n.code == "times_filled"] == [
        ("info", "times_filled", "2")
    ]


def test_great_circle_of_known_length() -> None:
    """One degree along a meridian of a ball of 6,371,008.8 m is 111,195.08 m; a quarter of the equator 10,007,557.2 m."""
    zero = np.zeros(2)
    metres = great_circle_m(zero, zero, np.array([0.0, 90.0]), np.array([1.0, 0.0]))
    assert metres == pytest.approx([111_195.08, 10_007_557.2], abs=0.1)


def test_a_stop_without_a_place_counts_as_where_the_last_one_was() -> None:
    """Known, unknown, known: no metres to the unknown one, all of them to the next."""
    steps = straight_positions(np.array([0.0, np.nan, 0.0]), np.array([0.0, np.nan, 1.0]))
    assert steps == pytest.approx([0, 0, 111_195.08], abs=0.1)


def brute_force(x: np.ndarray, y: np.ndarray, px: np.ndarray, py: np.ndarray) -> float:
    """Least sum of squared distances over all ways to give stops segments that never go back, by trying them all."""

    def cost(i: int, j: int) -> float:
        d = np.array([x[j + 1] - x[j], y[j + 1] - y[j]])
        p = np.array([px[i] - x[j], py[i] - y[j]])
        t = min(1.0, max(0.0, float(p @ d) / float(d @ d))) if float(d @ d) > 0 else 0.0
        return float(((p - t * d) ** 2).sum())

    def best(i: int, j: int) -> float:
        if i == len(px):
            return 0.0
        return min(cost(i, k) + best(i + 1, k) for k in range(j, len(x) - 1))

    return best(0, 0)


@given(
    st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=2, max_size=6),
    st.lists(st.tuples(st.integers(-20, 20), st.integers(-20, 20)), min_size=1, max_size=5),
)
def test_positions_never_fall_and_lie_on_the_cheapest_course(
    line: list[tuple[int, int]], stops: list[tuple[int, int]]
) -> None:
    """Against trying every way: positions are within the line's length, never fall, and no stop is farther than needed."""
    x, y = (np.array(values, dtype=float) for values in zip(*line, strict=True))
    px, py = (np.array(values, dtype=float) for values in zip(*stops, strict=True))
    position = np.empty(len(px))
    positions_along(x, y, px, py, position)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    assert (np.diff(position) >= 0).all()
    assert position.min() >= 0
    assert position.max() <= along[-1] + 1e-9
    reached = sum((np.interp(position, along, x) - px) ** 2 + (np.interp(position, along, y) - py) ** 2)
    if len(np.unique(along)) < len(along):
        return  # a point of the line twice: a position there has two names
    least = brute_force(x, y, px, py)
    assert reached >= least - 1e-6
    # Only a stop that was raised to the one before it, on a segment of both, may lie farther off than in the least sum.
    assert reached <= least + 1e-6 or (np.diff(position) == 0).any()
