"""Shifts by drawn timetables: deadlines and departures in minutes, and a journey-by-journey twin."""

from __future__ import annotations

import numpy as np
import pytest

from community_routes.base.times import HOUR, MINUTE, UNREACHED, parse_window
from community_routes.measures.shifts import USUAL_SHIFTS, Shift, ShiftAccess, arrives_in_time, gets_home

EARLY = Shift(6 * HOUR, 14 * HOUR)


def deadlines(shift: Shift) -> np.ndarray:  # type: ignore[type-arg]
    return np.concatenate([np.arange(*window, 60) for window in shift.deadline_windows()])


def arrive_by(journeys: list[tuple[int, int]], times_at: np.ndarray, limit_s: int = 2 * HOUR) -> list[int]:  # type: ignore[type-arg]
    """Deadline minus latest departure of (depart, arrive) journeys, as an arrive-by search gives it."""
    found = []
    for deadline in times_at.tolist():
        best = max((depart for depart, arrive in journeys if arrive <= deadline), default=None)
        found.append(UNREACHED if best is None or deadline - best > limit_s else deadline - best)
    return found


def there(journeys: list[tuple[int, int]], shift: Shift = EARLY) -> bool:
    at = deadlines(shift)
    times = np.array(arrive_by(journeys, at), dtype=np.int32)[None, :, None]
    return bool(arrives_in_time(times, at)[0, 0])


def test_windows_of_a_shift() -> None:
    """05:00 to 05:55 for a start at 06:00, and one second before; home from 14:00 to 15:00, both ends in."""
    at = deadlines(EARLY)
    assert at[0] == 5 * HOUR - 1
    assert at[1] == 5 * HOUR
    assert at[-1] == 5 * HOUR + 55 * MINUTE
    home = np.arange(*EARLY.departure_window(), 60)
    assert (home[0], home[-1]) == (14 * HOUR, 15 * HOUR)


@pytest.mark.parametrize(
    ("minute", "expected"), [(-61, False), (-60, True), (-30, True), (-5, True), (-4, False), (10, False)]
)
def test_arrival_from_60_to_5_minutes_before(minute: int, expected: bool) -> None:
    """A single bus that takes 20 minutes, arriving so many minutes around the start."""
    arrive = 6 * HOUR + minute * MINUTE
    assert there([(arrive - 20 * MINUTE, arrive)]) is expected


def test_arriving_too_early_and_waiting_is_not_enough() -> None:
    """The only bus arrives 04:30: within the limit of time it still has to wait until 05:00, which does not count."""
    assert not there([(4 * HOUR, 4 * HOUR + 30 * MINUTE)])
    assert there([(4 * HOUR, 4 * HOUR + 30 * MINUTE), (5 * HOUR, 5 * HOUR + 10 * MINUTE)])


def test_the_limit_of_time_holds() -> None:
    """A journey of 2 h arrives 05:00 exactly: allowed; of 2 h and a minute: not."""
    assert there([(3 * HOUR, 5 * HOUR)])
    assert not there([(3 * HOUR - MINUTE, 5 * HOUR)])


@pytest.mark.parametrize("seed", range(20))
def test_against_journeys_one_by_one(seed: int) -> None:
    """Buses that do not overtake: feasible when one arrives within the interval and takes at most two hours."""
    rng = np.random.default_rng(seed)
    departs = np.sort(rng.integers(2 * HOUR, 6 * HOUR, 3)) // 60 * 60
    arrives = np.sort(departs + rng.integers(10, 150, 3) * 60)
    journeys = list(zip(departs.tolist(), arrives.tolist(), strict=True))
    best = {}
    for depart, arrive in journeys:
        best[arrive] = max(depart, best.get(arrive, 0))
    expected = any(
        5 * HOUR <= arrive <= 5 * HOUR + 55 * MINUTE
        and arrive - depart <= 2 * HOUR
        and not any(d >= depart and a < arrive for a, d in best.items())
        for arrive, depart in best.items()
    )
    assert there(journeys) is expected


def test_home_by_any_departure_after_the_end() -> None:
    times = np.array([[[UNREACHED, 60], [UNREACHED, UNREACHED]]], dtype=np.int32)
    assert gets_home(times).tolist() == [[False], [True]]


def test_a_night_shift_ends_on_the_next_date() -> None:
    """22:00-06:00 is 22:00 to 30:00, and home from 30:00."""
    night = Shift(*parse_window(USUAL_SHIFTS[2]))
    assert (night.start_s, night.end_s, night.name) == (22 * HOUR, 30 * HOUR, "22:00-30:00")
    assert night.departure_window()[0] == 30 * HOUR
    assert there([(21 * HOUR, 21 * HOUR + 30 * MINUTE)], night)
    with pytest.raises(ValueError, match="past 24 h"):
        Shift(22 * HOUR, 6 * HOUR)


def test_which_way_is_missing_and_shares() -> None:
    """Zones of 60 and 40 persons, places of 10 and 30 jobs: zone 0 can work at both, zone 1 nowhere."""
    access = ShiftAccess(np.array([[True, True], [True, False]]), np.array([[True, True], [False, False]]))
    assert access.missing().tolist() == [["", ""], ["back", "there and back"]]
    assert access.share_of_jobs([10, 30]).tolist() == [1.0, 0.0]
    assert access.share_of_residents([60, 40]).tolist() == [0.6, 0.6]
    only_there = ShiftAccess(np.array([[True]]), np.array([[False]]))
    assert only_there.missing().tolist() == [["back"]]
    assert ShiftAccess(np.array([[False]]), np.array([[True]])).missing().tolist() == [["there"]]
    assert np.isnan(only_there.share_of_jobs([0])).all()
    assert np.isnan(only_there.share_of_residents([0])).all()


def test_more_service_never_takes_a_shift_away() -> None:
    """Reached earlier or more often, a place stays feasible; and both ways are put together zone by place."""
    at = deadlines(EARLY)
    few = np.array(arrive_by([(5 * HOUR, 5 * HOUR + 600)], at), dtype=np.int32)
    more = np.array(arrive_by([(5 * HOUR, 5 * HOUR + 600), (5 * HOUR + 900, 5 * HOUR + 1500)], at), dtype=np.int32)
    cube = np.stack([few, more, np.full(len(at), UNREACHED)]).astype(np.int32)[:, :, None]
    back = np.array([[[600, UNREACHED, 600]]], dtype=np.int32)
    assert ShiftAccess(arrives_in_time(cube, at), gets_home(back)).feasible[:, 0].tolist() == [True, False, False]
    assert arrives_in_time(cube, at)[:, 0].tolist() == [True, True, False]


def test_faults() -> None:
    with pytest.raises(ValueError, match="3 deadlines"):
        arrives_in_time(np.zeros((1, 2, 1), dtype=np.int32), [1, 2, 3])
    with pytest.raises(ValueError, match="rise"):
        arrives_in_time(np.zeros((1, 2, 1), dtype=np.int32), [2, 2])
    with pytest.raises(ValueError, match="places, departures, zones"):
        gets_home(np.zeros((1, 2), dtype=np.int32))
    with pytest.raises(ValueError, match="the ways back"):
        ShiftAccess(np.array([[True]]), np.array([[True, False]]))
