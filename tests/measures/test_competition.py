"""Competition: a town of two zones by hand, plain loops, and what each measure conserves."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED
from community_routes.measures.competition import balanced_catchment, spatial_availability, two_step_catchment
from community_routes.measures.decay import Decay, Exponential, Linear, Step

NO = UNREACHED
# Zone 0 (100 persons) reaches place 0 only; zone 1 (300 persons) reaches both.
TIMES = np.array([[600, NO], [600, 600]], dtype=np.int32)
SUPPLY, DEMAND = [40.0, 30.0], [100.0, 300.0]
ALL = [two_step_catchment, balanced_catchment, spatial_availability]


def town(seed: int) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 4000, (17, 23)).astype(np.int32)
    times[rng.random(times.shape) < 0.4] = UNREACHED
    return times, rng.random(23) * 100, rng.integers(0, 500, 17).astype(float)


def test_two_step_by_hand() -> None:
    """R = 40/400 = 0.1 and 30/300 = 0.1; zone 0 gets 0.1, zone 1 gets 0.2; 100 * 0.1 + 300 * 0.2 = 70 = 40 + 30."""
    found = two_step_catchment(TIMES, SUPPLY, DEMAND, Step(900))
    assert found.per_destination.tolist() == pytest.approx([0.1, 0.1])
    assert found.access.tolist() == pytest.approx([0.1, 0.2])
    assert not found.stranded.any()


def test_balanced_by_hand() -> None:
    """Zone 1 splits its demand: 100 + 150 want place 0, 150 place 1; R = 0.16, 0.2; A = 0.16/2, 0.16/2 + 0.2."""
    found = balanced_catchment(TIMES, SUPPLY, DEMAND, Step(900))
    assert found.per_destination.tolist() == pytest.approx([0.16, 0.2])
    assert found.access.tolist() == pytest.approx([0.08, 0.28])


def test_spatial_availability_by_hand() -> None:
    """Of the 40 a quarter goes to zone 0; zone 1 has 30 + 30. With alpha 2: 40 * 1/10 and 40 * 9/10 + 30."""
    assert spatial_availability(TIMES, SUPPLY, DEMAND, Step(900)).access.tolist() == pytest.approx([10, 60])
    assert spatial_availability(TIMES, SUPPLY, DEMAND, Step(900), alpha=2).access.tolist() == pytest.approx([4, 66])


@pytest.mark.parametrize("decay", [Step(1500), Exponential(600), Linear(2500)], ids=lambda d: d.name)
@pytest.mark.parametrize("seed", range(5))
def test_conservation(seed: int, decay: Decay) -> None:
    """What is shared out is what there was to share, to 1e-9."""
    times, supply, demand = town(seed)
    f = decay(times)
    reached = (f * demand[:, None]).sum(axis=0) > 0
    two = two_step_catchment(times, supply, demand, decay)
    assert (demand * two.access).sum() == pytest.approx(supply[reached].sum(), rel=1e-9)
    balanced = balanced_catchment(times, supply, demand, decay)
    assert balanced.access.sum() == pytest.approx(balanced.per_destination.sum(), rel=1e-9)
    wanted = supply[reached] / balanced.per_destination[reached]
    assert wanted.sum() == pytest.approx(demand[f.sum(axis=1) > 0].sum(), rel=1e-9)
    share = spatial_availability(times, supply, demand, decay)
    assert share.access.sum() == pytest.approx(supply[reached].sum(), rel=1e-9)
    for found in (two, balanced, share):
        assert np.array_equal(found.stranded, (supply > 0) & ~reached)


@pytest.mark.parametrize("seed", range(3))
def test_against_plain_loops(seed: int) -> None:
    times, supply, demand = town(seed)
    f = Exponential(900)(times)
    origins, places = range(17), range(23)
    want = [sum(demand[i] * f[i, j] for i in origins) for j in places]
    two = [sum(supply[j] / want[j] * f[i, j] for j in places if want[j] > 0) for i in origins]
    assert two_step_catchment(times, supply, demand, Exponential(900)).access == pytest.approx(two, rel=1e-12)
    share = [sum(supply[j] * demand[i] * f[i, j] / want[j] for j in places if want[j] > 0) for i in origins]
    assert spatial_availability(times, supply, demand, Exponential(900)).access == pytest.approx(share, rel=1e-12)
    out = [sum(f[i, j] for j in places) for i in origins]
    into = [sum(f[i, j] for i in origins) for j in places]
    level = [
        supply[j] / sum(demand[i] * f[i, j] / out[i] for i in origins if out[i] > 0) if want[j] > 0 else 0.0
        for j in places
    ]
    balanced = [sum(level[j] * f[i, j] / into[j] for j in places if into[j] > 0) for i in origins]
    assert balanced_catchment(times, supply, demand, Exponential(900)).access == pytest.approx(balanced, rel=1e-12)


@pytest.mark.parametrize("measure", ALL)
def test_places_without_demand_are_listed_not_missing(measure: object) -> None:
    """Place 1 is reached by nobody (zone 1 is empty): stranded, 0 for each person, and every number is finite."""
    found = measure(TIMES, SUPPLY, [100.0, 0.0], Step(900))  # type: ignore[operator]
    assert found.stranded.tolist() == [False, True]
    assert found.per_destination[1] == 0
    assert np.isfinite(found.access).all()


@pytest.mark.parametrize("measure", ALL)
def test_a_zone_that_reaches_nothing_scores_zero(measure: object) -> None:
    times = np.array([[NO, NO], [60, 60]], dtype=np.int32)
    assert measure(times, SUPPLY, DEMAND, Step(900)).access[0] == 0  # type: ignore[operator]


@pytest.mark.parametrize("measure", ALL)
def test_laws_of_scale_and_names(measure: object) -> None:
    """Twice the supply is twice the access; order of zones and places changes nothing but the order."""
    times, supply, demand = town(9)
    found = measure(times, supply, demand, Exponential(900)).access  # type: ignore[operator]
    assert np.allclose(measure(times, 2 * supply, demand, Exponential(900)).access, 2 * found, rtol=1e-12)  # type: ignore[operator]
    rng = np.random.default_rng(1)
    a, b = rng.permutation(17), rng.permutation(23)
    turned = measure(times[a][:, b], supply[b], demand[a], Exponential(900)).access  # type: ignore[operator]
    assert np.allclose(turned, found[a], rtol=1e-12)


def test_a_split_zone_has_the_same_access_for_each_person() -> None:
    """Two halves of zone 1 get the same supply per person as the whole (2SFCA), and together the same jobs."""
    split = TIMES[[0, 1, 1]]
    assert two_step_catchment(split, SUPPLY, [100, 120, 180], Step(900)).access.tolist() == pytest.approx(
        [0.1, 0.2, 0.2]
    )
    jobs = spatial_availability(split, SUPPLY, [100, 120, 180], Step(900)).access
    assert jobs.tolist() == pytest.approx([10, 24, 36])


@pytest.mark.parametrize("seed", range(3))
def test_spatial_availability_for_each_resident_is_the_two_step_measure(seed: int) -> None:
    """V_i / P_i = sum_j O_j f_ij / sum_i P_i f_ij, whatever the decay: two roads to one number."""
    times, supply, demand = town(seed)
    demand = demand + 1
    jobs = spatial_availability(times, supply, demand, Exponential(900)).access
    assert jobs / demand == pytest.approx(two_step_catchment(times, supply, demand, Exponential(900)).access, rel=1e-12)


def test_faults() -> None:
    with pytest.raises(ValueError, match="origins, destinations"):
        two_step_catchment(TIMES[None], SUPPLY, DEMAND, Step(900))
    with pytest.raises(ValueError, match="demand holds a negative"):
        two_step_catchment(TIMES, SUPPLY, [1.0, -1.0], Step(900))
    with pytest.raises(ValueError, match="alpha"):
        spatial_availability(TIMES, SUPPLY, DEMAND, Step(900), alpha=0)
