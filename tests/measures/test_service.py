"""Service near home on a drawn street: distances and departures by hand, plain loops, and laws."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from community_routes.base.times import HOUR, MINUTE, UNREACHED
from community_routes.fares.tickets import MODES, mode_of, modes_of
from community_routes.measures.service import (
    EVENING_S,
    MORNING_S,
    StopDepartures,
    build_departures,
    departures_per_hour,
    first_and_last,
    near_frequent_stop,
    ptal_form_band,
    ptal_form_index,
    service_per_hour,
)
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.points import Links, walk_seconds

BUS, RAIL = MODES.index("bus"), MODES.index("rail")


def walks(*rows: dict[int, float]) -> Links:
    """One dict of stop -> metres for each place."""
    pairs = [(stop, metres) for row in rows for stop, metres in sorted(row.items())]
    metres = np.array([m for _, m in pairs], dtype=float)
    first = np.cumsum([0, *(len(row) for row in rows)])
    return Links(first, np.array([s for s, _ in pairs], dtype=np.int32), walk_seconds(metres, 4.8), metres)


def departures(*rows: tuple[int, int, int, int, int, float]) -> StopDepartures:
    """Rows of stop, route, direction, run, mode, hour of the day."""
    stop, route, direction, run, mode, hour = zip(*rows, strict=True)
    return StopDepartures(stop, route, direction, run, mode, np.rint(np.array(hour) * HOUR))  # type: ignore[arg-type]


HOURLY = departures(*[(0, 0, 0, hour, BUS, hour) for hour in range(6, 24)])
EIGHT_TO_TEN = (8 * HOUR, 10 * HOUR)


def test_per_hour_at_a_stop_counts_the_start_of_the_period_not_its_end() -> None:
    """08:00 and 09:00 lie in 08:00-10:00, 10:00 does not: one an hour."""
    assert departures_per_hour(HOURLY, 2, EIGHT_TO_TEN).tolist() == [1.0, 0.0]


def test_near_a_frequent_stop() -> None:
    """400 m counts, 401 m does not; two an hour are not there; two stops with one an hour each are not one with two."""
    both = walks({0: 400.0}, {0: 401.0}, {})
    assert near_frequent_stop(both, HOURLY, EIGHT_TO_TEN).tolist() == [True, False, False]
    assert near_frequent_stop(both, HOURLY, EIGHT_TO_TEN, within_m=500).tolist() == [True, True, False]
    assert near_frequent_stop(both, HOURLY, EIGHT_TO_TEN, per_hour=2).tolist() == [False, False, False]
    two = departures((0, 0, 0, 1, BUS, 8), (1, 1, 0, 2, BUS, 8))
    assert near_frequent_stop(walks({0: 10, 1: 10}), two, (8 * HOUR, 9 * HOUR), per_hour=2).tolist() == [False]


def test_service_per_hour_counts_a_vehicle_once() -> None:
    """One bus calls at both near stops, another at one of them: 2 vehicles in 2 hours; the far stop adds nothing."""
    calls = departures((0, 0, 0, 1, BUS, 8.0), (1, 0, 0, 1, BUS, 8.1), (1, 1, 0, 2, BUS, 9.0), (2, 2, 0, 3, BUS, 9.0))
    assert service_per_hour(walks({0: 50, 1: 300, 2: 401}, {}), calls, EIGHT_TO_TEN).tolist() == [1.0, 0.0]


def test_first_and_last_bus_of_a_traffic_day() -> None:
    """00:20 (24:20) is the last of the evening; a bus at 00:20 of the same date belongs to the evening before."""
    calls = departures(*[(0, 0, 0, k, BUS, hour) for k, hour in enumerate([0.3333, 5.5, 23, 24.3333, 28])])
    first, last = first_and_last(walks({0: 100}, {0: 500}), calls)
    assert first.tolist() == [5 * HOUR + 30 * MINUTE, UNREACHED]
    assert last.tolist() == [24 * HOUR + 20 * MINUTE, UNREACHED]


def every(
    minutes: float, stop: int, route: int, direction: int, mode: int
) -> list[tuple[int, int, int, int, int, float]]:
    """Departures through the morning hour."""
    count = round(60 / minutes)
    return [(stop, route, direction, 1000 * route + 100 * direction + k, mode, 8.25 + k / count) for k in range(count)]


def test_ptal_form_by_hand() -> None:
    """Bus every 10 min at 320 m: 4 + 5 + 2 = 11 min, EDF 30/11. Bus every 20 min at 80 m: 1 + 10 + 2 = 13, half counts.

    Train twice an hour at 960 m: 12 + 15 + 0.75 = 27.75. Index 30/11 + 15/13 + 30/27.75 = 4.962..., band 1b.
    """
    calls = departures(*every(10, 0, 0, 0, BUS), *every(20, 1, 1, 0, BUS), *every(30, 2, 2, 0, RAIL))
    index = ptal_form_index(walks({0: 320, 1: 80, 2: 960}, {0: 641, 2: 961}), calls)
    assert index[0] == pytest.approx(30 / 11 + 15 / 13 + 30 / 27.75, rel=1e-12)
    assert index[1] == 0
    assert ptal_form_band(index) == ["1b", "0"]


def test_ptal_form_takes_each_route_once_at_its_nearest_stop_in_its_busier_direction() -> None:
    """Out every 30 min at 80 m, back every 10 min at 160 m: the busier is taken, 2 + 5 + 2 = 9; the farther stop is not."""
    calls = departures(*every(30, 0, 0, 0, BUS), *every(10, 1, 0, 1, BUS), *every(10, 2, 0, 1, BUS))
    assert ptal_form_index(walks({0: 80, 1: 160, 2: 400}), calls)[0] == pytest.approx(30 / 9, rel=1e-12)


def test_ptal_form_in_the_evening_is_its_own() -> None:
    calls = departures(*every(10, 0, 0, 0, BUS), (0, 0, 0, 9, BUS, 20.5))
    place = walks({0: 320})
    assert ptal_form_index(place, calls, EVENING_S)[0] == pytest.approx(30 / (4 + 30 + 2), rel=1e-12)
    assert ptal_form_index(place, calls, MORNING_S)[0] > ptal_form_index(place, calls, EVENING_S)[0]


def test_bands_hold_their_upper_limit() -> None:
    values = [0, 0.01, 2.5, 2.51, 5, 10, 15, 20, 25, 40, 40.01]
    assert ptal_form_band(values) == ["0", "1a", "1a", "1b", "1b", "2", "3", "4", "5", "6a", "6b"]


def random_town(seed: int) -> tuple[Links, StopDepartures]:
    rng = np.random.default_rng(seed)
    rows = [{int(s): float(rng.integers(10, 1200)) for s in rng.choice(12, 5, replace=False)} for _ in range(6)]
    calls = [
        (
            int(rng.integers(12)),
            int(r),
            int(rng.integers(2)),
            int(rng.integers(60)),
            [BUS, RAIL][r % 2],
            7 + 3 * rng.random(),
        )
        for r in rng.integers(0, 6, 200)
    ]
    return walks(*rows), departures(*calls)


@pytest.mark.parametrize("seed", range(4))
def test_against_plain_loops(seed: int) -> None:
    links, calls = random_town(seed)
    window = (8 * HOUR, 9 * HOUR)
    rows = list(zip(calls.stop, calls.route, calls.direction, calls.run, calls.departure_s, strict=True))
    for place in range(6):
        part = slice(links.first[place], links.first[place + 1])
        near = dict(zip(links.to[part].tolist(), links.metres[part].tolist(), strict=True))
        runs = {n for s, _, _, n, t in rows if near.get(s, 9e9) <= 400 and window[0] <= t < window[1]}
        assert service_per_hour(links, calls, window)[place] == len(runs)
        doors: dict[int, list[float]] = {BUS: [], RAIL: []}
        for route in range(6):
            mode = [BUS, RAIL][route % 2]
            best: tuple[float, float] | None = None
            for direction in (0, 1):
                served = {
                    s: sum(
                        1
                        for q in rows
                        if q[0] == s and q[1] == route and q[2] == direction and window[0] <= q[4] < window[1]
                    )
                    for s, metres in near.items()
                    if metres <= (640 if mode == BUS else 960)
                }
                served = {s: n for s, n in served.items() if n}
                if served:
                    stop = min(served, key=lambda s: (near[s], s))
                    found = (-served[stop], near[stop])
                    best = found if best is None else min(best, found)
            if best:
                doors[mode].append(30 / (best[1] / 80 + 30 / -best[0] + (2 if mode == BUS else 0.75)))
        expected = sum((max(d) + sum(d)) / 2 for d in doors.values() if d)
        assert ptal_form_index(links, calls, window)[place] == pytest.approx(expected, rel=1e-12)


def test_laws_of_service() -> None:
    """More buses, or a shorter walk, serve nobody worse; the order of departures changes nothing."""
    links, calls = random_town(9)
    window = (7 * HOUR, 10 * HOUR)
    index = ptal_form_index(links, calls, window)
    nearer = Links(links.first, links.to, links.walk_s, links.metres * 0.9)
    assert (service_per_hour(nearer, calls, window) >= service_per_hour(links, calls, window)).all()
    order = np.random.default_rng(0).permutation(len(calls.stop))
    names = ("stop", "route", "direction", "run", "mode", "departure_s")
    turned = StopDepartures(*(getattr(calls, name)[order] for name in names))
    assert np.array_equal(ptal_form_index(links, turned, window), index)
    twice = StopDepartures(*(np.concatenate([getattr(calls, name)] * 2) for name in names))
    assert (ptal_form_index(links, twice, window) >= index).all()


def test_departures_of_a_timetable() -> None:
    """Two hops of a rail trip, boarding forbidden at the second stop: one departure."""
    table = Timetable(
        date=dt.date(2024, 3, 5),
        span_s=(0, 100_000),
        n_stops=3,
        first=[0, 2],
        from_stop=[0, 1],
        to_stop=[1, 2],
        departure_s=[30_000, 30_300],
        arrival_s=[30_240, 30_600],
        board=[True, False],
        alight=[True, True],
        trip=[0, 0],
        call=[0, 1],
        shift_s=[0, 0],
    )  # type: ignore[arg-type]

    class OneTrip:
        trips = pd.DataFrame({"route": [0], "direction_id": [1]})
        routes = pd.DataFrame({"route_type": [2]})

    found = build_departures(OneTrip(), table)  # type: ignore[arg-type]
    assert (found.stop.tolist(), found.departure_s.tolist(), found.direction.tolist()) == ([0], [30_000], [1])
    assert MODES[found.mode[0]] == "rail"


def test_modes_of_basic_and_extended_route_types() -> None:
    types = [0, 1, 2, 3, 4, 11, 109, 200, 401, 715, 900, 1200, 1300, 7]
    names = [
        "tram",
        "metro",
        "rail",
        "bus",
        "ferry",
        "bus",
        "rail",
        "coach",
        "metro",
        "bus",
        "tram",
        "ferry",
        "other",
        "other",
    ]
    assert [mode_of(t) for t in types] == names
    assert [MODES[code] for code in modes_of(types)] == names
