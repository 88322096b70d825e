"""Reach: hand-made cities, plain loops as the independent implementation, and laws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.base.times import MINUTE, UNREACHED
from community_routes.measures import reach
from community_routes.measures.decay import (
    Exponential,
    Gaussian,
    InversePower,
    Linear,
    Logistic,
    Step,
    Stepped,
)
from community_routes.routing.matrices import as_cube, as_times
from community_routes.routing.scan import NEVER

NO = UNREACHED
AMOUNTS = np.array([1.0, 2.0, 4.0, 8.0])  # a sum says exactly which were reached


def random_times(seed: int, shape: tuple[int, ...] = (7, 11, 13)) -> NDArray[np.int32]:
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 5400, shape).astype(np.int32)
    times[rng.random(shape) < 0.3] = UNREACHED
    return times


def test_cumulative_names_the_places_by_their_sum() -> None:
    """Within 1,800 s: places 1 and 4 (1 + 8 = 9); the place at exactly 1,800 s counts, the one at 1,801 s does not."""
    times = np.array([[600, 1801, NO, 1800]], dtype=np.int32)
    assert reach.cumulative_opportunities(times, AMOUNTS, cutoff_s=1800).tolist() == [9.0]


def test_a_zone_that_reaches_nothing_scores_zero() -> None:
    times = np.full((1, 4), NO, dtype=np.int32)
    assert reach.cumulative_opportunities(times, AMOUNTS, cutoff_s=7200).tolist() == [0.0]
    assert reach.gravity(times, AMOUNTS, Exponential(1200)).tolist() == [0.0]
    assert reach.n_places(times, AMOUNTS, cutoff_s=7200).tolist() == [0.0]
    assert reach.nearest(times).tolist() == [NO]


def test_bands_add_up_to_the_whole() -> None:
    """0-15, 15-30 and 30-60 minutes hold what is within 60 minutes, a place at 0 s and at each edge once."""
    times = np.array([[0, 900, 1800, 3600]], dtype=np.int32)
    bands = [
        reach.opportunities_between(times, AMOUNTS, above_s=a, up_to_s=b)[0]
        for a, b in ((-1, 900), (900, 1800), (1800, 3600))
    ]
    assert bands == [3.0, 4.0, 8.0]


def test_interval_is_the_mean_over_its_cutoffs() -> None:
    """Cutoffs 10, 11, 12 minutes reach 1, 3 and 3: mean 7/3, median 3."""
    times = np.array([[600, 630, 2000, NO]], dtype=np.int32)
    interval = {"from_s": 600, "to_s": 720}
    assert reach.interval_opportunities(times, AMOUNTS, **interval)[0] == pytest.approx(7 / 3, rel=1e-15)
    assert reach.interval_opportunities(times, AMOUNTS, **interval, summary="median")[0] == 3.0


def test_gravity_by_hand() -> None:
    """Half-time 20 min: the place at 0 counts whole (also with the inverse power), at 20 half, at 40 a quarter."""
    times = np.array([[0, 1200, 2400, NO]], dtype=np.int32)
    assert reach.gravity(times, AMOUNTS, Exponential(1200))[0] == pytest.approx(1 + 1 + 1, rel=1e-14)
    assert reach.gravity(np.zeros((1, 4), dtype=np.int32), AMOUNTS, InversePower(2))[0] == 15.0


def test_nearest_skips_places_with_nothing_to_offer() -> None:
    times = np.array([[100, 200, 300, NO]], dtype=np.int32)
    amounts = [0.0, 5.0, 5.0, 5.0]
    assert [reach.nearest(times, n, amounts)[0] for n in (1, 2, 3)] == [200, 300, NO]
    assert reach.nearest(times)[0] == 100


def test_dual_access_by_hand() -> None:
    """7 are needed: 4 at 300 s, 2 more at 600 s, 1 more at 900 s makes exactly 7 ("as many as", not "more than")."""
    times = np.array([[900, 600, 300, 4000]], dtype=np.int32)
    assert reach.dual_access(times, AMOUNTS, 7).tolist() == [900]
    assert reach.dual_access(times, AMOUNTS, 8).tolist() == [4000]
    assert reach.dual_access(times, AMOUNTS, 0).tolist() == [0]


def test_dual_access_never_reached_is_not_zero() -> None:
    times = np.array([[10, NO, NO, NO]], dtype=np.int32)
    assert reach.dual_access(times, AMOUNTS, 2).tolist() == [NO]
    assert reach.dual_access(times, AMOUNTS, 16).tolist() == [NO]


def test_dual_access_with_an_amount_for_each_origin() -> None:
    """Balancing time: each zone needs as many as its persons; the zone with nobody needs none."""
    times = np.array([[60, 120, NO, NO], [60, 120, NO, NO], [60, NO, NO, NO]], dtype=np.int32)
    assert reach.dual_access(times, AMOUNTS, [3, 0, 2]).tolist() == [120, 0, NO]
    cube = np.repeat(times[:, None, :], 2, axis=1)
    assert reach.dual_access(cube, AMOUNTS, [3, 0, 2]).tolist() == [[120, 120], [0, 0], [NO, NO]]


DECAYS = [Step(1800), Linear(3000), Exponential(900), InversePower(1), Logistic(1500, 500), Gaussian(700)]


@pytest.mark.parametrize("decay", [*DECAYS, Stepped([600, 1800], [1, 0.4])], ids=lambda decay: decay.name)
def test_gravity_equals_a_plain_sum(decay: object) -> None:
    times, amounts = random_times(1), np.random.default_rng(2).random(13) * 50
    weights = decay(times)  # type: ignore[operator]
    assert np.allclose(reach.gravity(times, amounts, decay), (weights * amounts).sum(axis=-1), rtol=1e-13)  # type: ignore[arg-type]


def test_counts_equal_plain_loops() -> None:
    """Every origin and departure, by Python's own sums and sorting."""
    times, amounts = random_times(3), np.random.default_rng(4).random(13) * 50
    cumulative = reach.cumulative_opportunities(times, amounts, cutoff_s=2000)
    third = reach.nearest(times, 3)
    enough = reach.dual_access(times, amounts, 120.0)
    for o, d in np.ndindex(7, 11):
        row = times[o, d]
        total = 0.0
        for time, amount in zip(row, amounts, strict=True):
            total += amount if time <= 2000 else 0.0
        assert cumulative[o, d] == total
        assert third[o, d] == sorted(row.tolist())[2]
        reached = sorted((int(t), a) for t, a in zip(row, amounts, strict=True) if t != NO)
        within = next((t for k, (t, _) in enumerate(reached) if sum(a for _, a in reached[: k + 1]) >= 120.0), NO)
        assert enough[o, d] == within


def test_dual_is_the_inverse_of_cumulative_to_the_second() -> None:
    """What is reached by D is enough, and one second earlier it is not, also for amounts that do not add up exactly."""
    times = random_times(5, (40, 30))
    amounts = np.full(30, 0.1)
    needed = 0.1 * 7
    found = reach.dual_access(times, amounts, needed)
    for row in range(40):
        if found[row] != NO:
            cutoff = int(found[row])
            assert reach.cumulative_opportunities(times[row], amounts, cutoff_s=cutoff) >= needed
            assert reach.cumulative_opportunities(times[row], amounts, cutoff_s=max(0, cutoff - 1)) < needed
        else:
            assert reach.cumulative_opportunities(times[row], amounts, cutoff_s=7200) < needed


def test_laws_of_reach() -> None:
    """Longer cutoffs reach more; scale, order and a split place change nothing; a faster city is nowhere worse."""
    times, amounts = random_times(6), np.arange(13.0)
    values = [reach.cumulative_opportunities(times, amounts, cutoff_s=c) for c in (0, 900, 1800, 5400)]
    assert all((a <= b).all() for a, b in itertools.pairwise(values))
    assert (values[-1] <= amounts.sum()).all()
    assert np.array_equal(reach.cumulative_opportunities(times, amounts * 4, cutoff_s=1800), values[2] * 4)
    order = np.random.default_rng(0).permutation(13)
    assert np.array_equal(reach.cumulative_opportunities(times[..., order], amounts[order], cutoff_s=1800), values[2])
    split = np.concatenate([times, times[..., -1:]], axis=-1)
    halves = np.concatenate([amounts[:-1], [5.0, 7.0]])
    assert np.array_equal(reach.cumulative_opportunities(split, halves, cutoff_s=1800), values[2])
    faster = np.where(times == NO, NO, times // 2).astype(np.int32)
    assert (reach.gravity(faster, amounts, Exponential(900)) >= reach.gravity(times, amounts, Exponential(900))).all()
    assert (reach.nearest(faster) <= reach.nearest(times)).all()


def test_interval_equals_the_mean_of_single_cutoffs() -> None:
    times, amounts = random_times(7), np.arange(13.0)
    single = [reach.cumulative_opportunities(times, amounts, cutoff_s=m * MINUTE) for m in range(30, 61)]
    got = reach.interval_opportunities(times, amounts, from_s=30 * MINUTE, to_s=60 * MINUTE)
    assert np.allclose(got, np.mean(single, axis=0), rtol=1e-13)
    middle = reach.interval_opportunities(times, amounts, from_s=30 * MINUTE, to_s=60 * MINUTE, summary="median")
    assert np.array_equal(middle, np.median(single, axis=0))


def test_percentiles_are_by_nearest_rank() -> None:
    """Of 4 departures the 25th, 50th, 51st and 75th percentile are the 1st, 2nd, 3rd and 3rd; the unreached is last."""
    cube = np.array([[[30], [10], [NO], [20]]], dtype=np.int32)
    assert [int(reach.percentile_times(cube, p)[0, 0]) for p in (25, 50, 51, 75, 76)] == [10, 20, 30, 30, NO]
    assert reach.percentile_over_departures(cube[:, :, 0], 50).tolist() == [20]


@pytest.mark.parametrize("n", [1, 2, 7, 120, 240])
def test_nearest_rank_is_the_smallest_value_with_enough_at_or_below(n: int) -> None:
    for p in range(1, 101):
        place = next(k for k in range(n) if (k + 1) * 100 >= p * n)
        assert reach.nearest_rank(n, p) == place == math.ceil(p * n / 100 - 1e-12) - 1


def test_the_two_readings_differ() -> None:
    """Two departures, two places that take turns: on average one place is reached, by the median (1st of 2) both."""
    cube = np.array([[[600, 3000], [3000, 600]]], dtype=np.int32)
    per_departure = reach.cumulative_opportunities(cube, [1.0, 1.0], cutoff_s=1800)
    assert reach.mean_over_departures(per_departure).tolist() == [1.0]
    from_median = reach.cumulative_opportunities(reach.percentile_times(cube, 50), [1.0, 1.0], cutoff_s=1800)
    assert from_median.tolist() == [2.0]


def test_mean_time_needs_every_departure() -> None:
    times = np.array([[100, 200], [100, NO]], dtype=np.int32)
    assert reach.mean_over_departures(times).tolist() == [150.0, np.inf]
    assert reach.share_of_departures(times).tolist() == [1.0, 0.5]


def test_zone_average_weighs_origin_points() -> None:
    """10 households with access 100 and 30 with 20: (1000 + 600) / 40 = 40; a point off the network is left out."""
    values = np.array([100.0, 20.0, 7.0, np.nan, np.nan])
    got = reach.zone_average(values, [0, 0, 1, 1, 2], [10, 30, 3, 5, 1], 4)
    assert got[:2].tolist() == [40.0, 7.0]
    assert np.isnan(got[2:]).all()


def test_zone_average_of_one_point_is_its_value_to_the_bit() -> None:
    values = np.array([[0.1 + 0.2, np.inf]])
    assert np.array_equal(reach.zone_average(values, [0], [0.3], 1), values)
    assert reach.zone_average([3.0, 5.0], [0, 0], [0, 0], 1).tolist() == [4.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: reach.nearest(np.array([[1.5]])), "whole seconds"),
        (lambda: reach.nearest(np.array([[-1]])), "negative"),
        (lambda: reach.nearest(np.array([[1]]), 0), "number 1"),
        (lambda: reach.cumulative_opportunities([[1, 2]], [1.0], cutoff_s=5), "2 of them"),
        (lambda: reach.cumulative_opportunities([[1, 2]], [1.0, np.nan], cutoff_s=5), "missing"),
        (lambda: reach.cumulative_opportunities([[1, 2]], [1.0, 1.0], cutoff_s=-5), "between 0 seconds"),
        (lambda: reach.opportunities_between([[1]], [1.0], above_s=9, up_to_s=9), "before it begins"),
        (lambda: reach.interval_opportunities([[1]], [1.0], from_s=9, to_s=8), "no cutoffs"),
        (lambda: reach.dual_access([[1]], [1.0], np.inf), "needed"),
        (lambda: reach.percentile_times(np.zeros((2, 2), dtype=np.int32), 50), "origins, departures"),
        (lambda: reach.nearest_rank(4, 0), "percentile"),
        (lambda: reach.gravity([[2**30]], [1.0], Step(60)), "ten days"),
        (lambda: reach.zone_average([1.0], [0], [-1], 1), "weights"),
    ],
)
def test_what_cannot_be_measured_is_refused(call: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        call()  # type: ignore[operator]


def test_percentiles_do_not_depend_on_how_many_origins_are_sorted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven origins one by one, in twos and all together: each time the rank of a plain sort."""
    times = np.random.default_rng(5).integers(0, 9000, (7, 12, 5)).astype(np.int32)
    for cells in (1, 2 * 12 * 5, 1 << 24):
        monkeypatch.setattr("community_routes.measures.reach.AT_ONCE", cells)
        assert (reach.percentile_times(times, 75) == np.sort(times, axis=1)[:, 8, :]).all()


def test_percentiles_of_a_cube_are_those_of_sorted_departures() -> None:
    """Odd, even and single numbers of departures, whole seconds of two bytes: the rank of a plain sort, NEVER last."""
    draw = np.random.default_rng(11)
    for n_departures in (1, 2, 7, 60, 61):
        cube = draw.integers(0, 7200, (3, n_departures, 5)).astype(np.int16)
        cube[draw.random(cube.shape) < 0.3] = NEVER
        in_order = np.sort(cube, axis=1).astype(np.int64)
        for percentile, found in reach.percentiles_of_cube(cube, (5, 50, 75, 100)).items():
            ranked = in_order[:, -(-percentile * n_departures // 100) - 1]
            assert (found == np.where(ranked == NEVER, UNREACHED, ranked)).all()
    assert reach.percentiles_of_cube(cube, ()) == {}


def test_times_in_two_bytes_say_the_same() -> None:
    """What a search gives is read by every function as seconds with UNREACHED; what does not fit is refused."""
    times = np.array([[[0, 59, UNREACHED], [7200, UNREACHED, 30]]], np.int32)
    cube = as_cube(times)
    assert cube.tolist() == [[[0, 59, NEVER], [7200, NEVER, 30]]]
    assert (as_times(cube) == times).all()
    assert as_cube(cube) is cube or (as_cube(cube) == cube).all()
    assert reach.nearest(cube, 3).tolist() == reach.nearest(times, 3).tolist() == [[UNREACHED, UNREACHED]]
    with pytest.raises(ValueError, match="32767 s or longer"):
        as_cube(np.array([NEVER], np.int32))


def test_departures_within_a_time_and_the_nearest_of_groups() -> None:
    """Two departures to three places in groups 0, 1, 0: within 100 s the first twice, the second once, the third never."""
    cube = np.array([[[100, 101, NEVER], [40, 100, 300]]], np.int16)
    assert reach.departures_within(cube, np.array([0, 1, 2]), 100).tolist() == [[2, 1, 0]]
    assert reach.departures_within(cube, np.array([2]), NEVER - 1).tolist() == [[1]]
    assert reach.nearest_of_groups(cube, np.array([0, 1, 0]), 2, NEVER).tolist() == [[[100, 101], [40, 100]]]
    assert reach.nearest_of_groups(cube, np.array([-1, 0, 0]), 1, NEVER).tolist() == [[[101], [100]]]
