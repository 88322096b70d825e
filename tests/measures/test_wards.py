"""Connection and isolation, and the two official forms: by hand, plain loops, laws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from community_routes.base.times import UNREACHED
from community_routes.measures.connectivity import (
    Purpose,
    connectivity_form,
    percent_of_best,
    transport_performance,
)
from community_routes.measures.decay import Exponential, Step
from community_routes.measures.reach import cumulative_opportunities, mean_over_departures
from community_routes.measures.wards import isolation, share_of_other_wards, ward_matrix

NO = UNREACHED
# Zones 0 and 1 in ward E, 2 in N, 3 in W. From 0 to N 600, W never; from 1 to N 900, W 600; W reaches nothing but itself.
TIMES = np.array([[0, 300, 600, NO], [300, 0, 900, 600], [600, 900, 0, NO], [NO, NO, NO, 0]], dtype=np.int32)
WARD = ["E", "E", "N", "W"]


def test_ward_matrix_by_hand() -> None:
    """E has 30 and 10 persons: to N within 600 s three quarters (median 600), to W one quarter (median never)."""
    found = ward_matrix(TIMES, [30, 10, 5, 5], WARD, cutoff_s=600)
    assert found.wards == ("E", "N", "W")
    assert found.share.tolist() == [[1, 0.75, 0.25], [1, 1, 0], [0, 0, 1]]
    assert found.median_s[0].tolist() == [0, 600, np.inf]
    table = found.table()
    assert table["share"].tolist() == [1, 0.75, 0.25, 1, 1, 0, 0, 0, 1]
    assert table["median_s"].isna().tolist() == [False, False, True, False, False, True, True, True, False]


def test_residents_off_the_network_are_left_out() -> None:
    found = ward_matrix(TIMES, [30, 10, 5, 5], WARD, cutoff_s=600, on_network=[True, False, True, False])
    assert found.share[0].tolist() == [1, 1, 0]
    assert np.isnan(found.share[2]).all()


def test_share_of_other_wards_by_hand() -> None:
    """Within 600 s zone 0 reaches N of N and W, zone 1 reaches W, zone 2 reaches E, zone 3 none. At 900 s zone 1 both."""
    assert share_of_other_wards(TIMES, WARD, cutoff_s=600).tolist() == [0.5, 0.5, 0.5, 0]
    assert share_of_other_wards(TIMES, WARD, cutoff_s=900).tolist() == [0.5, 1, 0.5, 0]
    assert np.isnan(share_of_other_wards(TIMES, ["E"] * 4, cutoff_s=600)).all()
    in_none = share_of_other_wards(TIMES, ["E", "E", "N", ""], cutoff_s=600)
    assert in_none.tolist() == [1, 0, 1, 0]
    two_points = share_of_other_wards(TIMES[[0, 0, 3]], WARD, cutoff_s=600, ward_of_origin=["E", "N", "W"])
    assert two_points.tolist() == [0.5, 0.5, 0]


@pytest.mark.parametrize("seed", range(4))
def test_connection_against_loops_and_laws(seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 4000, (9, 5, 9)).astype(np.int32)
    times[rng.random(times.shape) < 0.4] = NO
    ward = [str(w) for w in rng.integers(0, 4, 9)]
    persons = rng.integers(1, 100, 9)
    got = share_of_other_wards(times, ward, cutoff_s=1500)
    for i in range(9):
        for d in range(5):
            others = sorted(set(ward) - {ward[i]})
            reached = [any(times[i, d, j] <= 1500 for j in range(9) if ward[j] == w) for w in others]
            assert got[i, d] == pytest.approx(sum(reached) / len(others))
    assert mean_over_departures(got).shape == (9,)
    assert (share_of_other_wards(times, ward, cutoff_s=3000) >= got).all()
    matrix = ward_matrix(times[:, 0], persons, ward, cutoff_s=1500)
    for a, name in enumerate(matrix.wards):
        for b, other in enumerate(matrix.wards):
            rows = [i for i in range(9) if ward[i] == name]
            able = sum(persons[i] for i in rows if min(times[i, 0, j] for j in range(9) if ward[j] == other) <= 1500)
            assert matrix.share[a, b] == pytest.approx(able / sum(persons[i] for i in rows))
    order = rng.permutation(9)
    turned = ward_matrix(times[order][:, 0][:, order], persons[order], [ward[i] for i in order], cutoff_s=1500)
    assert turned.share == pytest.approx(matrix.share)


def test_isolation_by_hand() -> None:
    """Three departures: a library at 600 s, at 601 s, none; a closed one (0) next door does not help: 2/3 at 600 s."""
    cube = np.array([[[600, 5], [601, 5], [NO, 5]]], dtype=np.int32)
    assert isolation(cube, [1.0, 0.0], cutoff_s=600).tolist() == [2 / 3]
    assert isolation(cube, cutoff_s=600).tolist() == [0]
    assert isolation(np.full((1, 4, 2), NO, dtype=np.int32), cutoff_s=9000).tolist() == [1]


def test_isolation_is_one_less_those_who_reach_anything() -> None:
    rng = np.random.default_rng(2)
    cube = rng.integers(0, 4000, (8, 6, 3)).astype(np.int32)
    reaches = cumulative_opportunities(cube, [1.0, 1.0, 1.0], cutoff_s=900) > 0
    assert isolation(cube, cutoff_s=900) == pytest.approx(1 - mean_over_departures(reaches), abs=1e-15)


def test_connectivity_form_by_hand() -> None:
    """Schools at 600 and 1,200 s with half-time 10 min and returns 1, 0.5: 0.5 + 0.5 * 0.25; shop at 0 s: 1; 0.4, 0.6."""
    times = np.array([[600, 1200, 0], [NO, NO, NO]], dtype=np.int32)
    purposes = [Purpose([0, 1], Exponential(600), 0.4, [1, 0.5, 0.1]), Purpose([2], Step(300), 0.6, [1])]
    score = connectivity_form(times, purposes)
    assert score == pytest.approx([0.4 * 0.625 + 0.6, 0])
    assert percent_of_best(score) == pytest.approx([100, 0])
    assert percent_of_best([0.0, 0.0]).tolist() == [0, 0]
    with pytest.raises(ValueError, match="never rise"):
        connectivity_form(times, [Purpose([0], Step(300), 1, [0.5, 1])])


def test_laws_of_connectivity() -> None:
    """With equal returns it is gravity; another place never lowers it; the n-th adds no more than the one before."""
    rng = np.random.default_rng(4)
    times = rng.integers(0, 4000, (10, 6)).astype(np.int32)
    decay = Exponential(900)
    equal = connectivity_form(times, [Purpose(range(6), decay, 1, [1] * 6)])
    assert equal == pytest.approx(decay(times).sum(axis=1), rel=1e-12)
    falling = [1, 0.6, 0.3, 0.1]
    scores = [connectivity_form(times, [Purpose(range(n), decay, 1, falling)]) for n in range(1, 7)]
    assert all((a <= b + 1e-15).all() for a, b in itertools.pairwise(scores))


def test_transport_performance_by_hand() -> None:
    """Of 100 people within 11.25 km zone 0 reaches 60 in 45 min (its own 50 among them); zone 1 has nobody near."""
    times = np.array([[0, 2700, 2701], [NO, NO, NO], [NO, NO, 0]], dtype=np.int32)
    distance = [[0, 5, 11.25], [99, 99, 99], [20, 20, 0]]
    found = transport_performance(times, [50, 10, 40], distance)
    assert found[0] == pytest.approx(60)
    assert np.isnan(found[1])
    assert found[2] == 100
    with pytest.raises(ValueError, match="distances"):
        transport_performance(times, [1, 1, 1], [[0.0]])


@pytest.mark.parametrize("seed", range(5))
def test_official_forms_against_plain_loops(seed: int) -> None:
    """Place by place in the order of time; person by person within the radius; and what a change of names or scale does."""
    rng = np.random.default_rng(seed)
    times = np.where(rng.random((6, 6)) < 0.2, NO, rng.integers(0, 5000, (6, 6))).astype(np.int32)
    persons, distance = rng.integers(0, 90, 6), rng.uniform(0, 20, (6, 6))
    purposes = [
        Purpose([0, 2, 4], Exponential(700), 0.3, [1, 0.5, 0.2]),
        Purpose([1, 3, 5], Step(2700), 0.7, [1, 1, 0.4]),
    ]
    score = connectivity_form(times, purposes)
    performance = transport_performance(times, persons, distance)
    for i in range(6):
        total = 0.0
        for places, f, share, falling in (
            ([0, 2, 4], Exponential(700), 0.3, [1, 0.5, 0.2]),
            ([1, 3, 5], Step(2700), 0.7, [1, 1, 0.4]),
        ):
            reached = sorted(int(times[i, j]) for j in places if times[i, j] != NO)
            total += share * sum(d * float(f(np.array([t]))[0]) for d, t in zip(falling, reached, strict=False))
        assert score[i] == pytest.approx(total, rel=1e-12, abs=1e-15)
        near = sum(int(persons[j]) for j in range(6) if distance[i, j] <= 11.25)
        within = sum(int(persons[j]) for j in range(6) if times[i, j] <= 2700)
        expected = math.nan if near == 0 else 100 * within / near
        assert performance[i] == pytest.approx(expected, nan_ok=True)
    order = rng.permutation(6)
    turned = transport_performance(times[order][:, order], persons[order], distance[order][:, order])
    assert turned == pytest.approx(performance[order], nan_ok=True)
    assert transport_performance(times, 3 * persons, distance) == pytest.approx(performance, nan_ok=True)


def test_faults() -> None:
    with pytest.raises(ValueError, match="4 zones"):
        ward_matrix(TIMES[:, :3], [1] * 4, WARD, cutoff_s=600)


def test_several_origins_of_a_ward() -> None:
    """Two points of ward a (30 and 10 persons) and one of b, to two zones: a quarter of a does not reach b in 600 s."""
    times = [[0, 600], [0, 900], [600, 0]]
    found = ward_matrix(times, [30, 10, 5], ["a", "b"], cutoff_s=600, ward_of_origin=["a", "a", "b"])
    assert found.share.tolist() == [[1.0, 0.75], [1.0, 1.0]]
    assert found.median_s.tolist() == [[0.0, 600.0], [600.0, 0.0]]
    alone = ward_matrix(
        times, [30, 10, 5], ["a", "b"], cutoff_s=600, ward_of_origin=["a", "a", "b"], on_network=[False, True, True]
    )
    assert alone.share.tolist() == [[1.0, 0.0], [1.0, 1.0]]
