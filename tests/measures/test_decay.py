"""Decays: hand-made values, the half-time of each, and the laws that all obey."""

from __future__ import annotations

import math

import numpy as np
import pytest

from community_routes.base.times import UNREACHED
from community_routes.measures.decay import (
    Decay,
    Exponential,
    Gaussian,
    InversePower,
    Linear,
    Logistic,
    SlopedStep,
    Step,
    Stepped,
    build_decay,
)

ALL: list[Decay] = [
    Step(1800),
    Linear(3600),
    SlopedStep(1800, 600),
    Exponential(1200),
    InversePower(1.5),
    Logistic(1800, 600),
    Gaussian(900),
    Stepped([600, 1200, 1800], [1, 0.68, 0.22]),
]


@pytest.mark.parametrize("decay", ALL, ids=lambda decay: decay.name)
def test_laws_of_every_decay(decay: Decay) -> None:
    """1 at once, never rising, within 0 and 1, nothing where there is no journey, the table equal to the formula."""
    seconds = np.arange(0, 20_000, 7)
    weights = decay(seconds)
    assert weights[0] == 1.0
    assert (np.diff(weights) <= 0).all()
    assert weights.min() >= 0
    assert decay(np.array([UNREACHED], dtype=np.int32))[0] == 0.0
    assert decay(np.array([np.inf]))[0] == 0.0
    assert np.array_equal(decay.table(300), decay(np.arange(301)))


def test_values_by_hand() -> None:
    """Linear 900 of 3600 s: 3/4. Exponential after two half-times: 1/4. Power 2 at 4 minutes: 1/16. Gaussian at s."""
    assert Linear(3600)([900])[0] == 0.75
    assert Exponential(1200)([2400])[0] == pytest.approx(0.25, abs=1e-15)
    assert InversePower(2)([240])[0] == 0.0625
    assert Gaussian(900)([900])[0] == pytest.approx(math.exp(-0.5), abs=1e-15)
    assert SlopedStep(1800, 600)([1500, 1650, 1800, 2100]).tolist() == [1.0, 0.75, 0.5, 0.0]


def test_step_counts_its_boundary() -> None:
    """Exactly the cutoff counts, one second more does not."""
    assert Step(1800)([1799, 1800, 1801]).tolist() == [1.0, 1.0, 0.0]


def test_stepped_counts_the_edge_with_the_step_that_ends_there() -> None:
    assert Stepped([600, 1200], [1, 0.5])([0, 600, 601, 1200, 1201]).tolist() == [1.0, 1.0, 0.5, 0.5, 0.0]


def test_inverse_power_is_one_below_a_minute() -> None:
    """The bare power would be infinite at 0 and 3,600 at one second (b = 2)."""
    assert InversePower(2)([0, 1, 59, 60]).tolist() == [1.0, 1.0, 1.0, 1.0]


def test_rate_per_minute_is_the_same_exponential() -> None:
    """exp(-0.05 t) at 30 minutes, computed from its definition."""
    assert Exponential.from_rate(0.05)([1800])[0] == pytest.approx(math.exp(-1.5), rel=1e-14)


def test_logistic_against_its_definition() -> None:
    """g(0)/g(t) computed plainly, and no overflow far out."""
    m, s = 1800.0, 600.0

    def g(t: float) -> float:
        return 1 + math.exp((t - m) * math.pi / (s * math.sqrt(3)))

    for t in (0.0, 600.0, 1800.0, 5000.0):
        assert Logistic(m, s)([t])[0] == pytest.approx(g(0) / g(t), rel=1e-12)
    assert Logistic(m, 1.0)([800_000])[0] == 0.0


def test_building_from_settings_in_minutes() -> None:
    assert build_decay("exponential", {"half_time_min": 20}) == Exponential(1200)
    assert build_decay("stepped", {"edges_min": [10, 20], "weights": [1, 0.5]}) == Stepped([600, 1200], [1, 0.5])
    with pytest.raises(ValueError, match=r"no decay; write one of exponential, gaussian"):
        build_decay("exponental", {})
    with pytest.raises(ValueError, match="needs median_min and sd_min"):
        build_decay("logistic", {"median": 20})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Step(0),
        lambda: Exponential(float("nan")),
        lambda: SlopedStep(600, 1300),
        lambda: Stepped([600, 600], [1, 0.5]),
        lambda: Stepped([600], [0.9]),
        lambda: Stepped([600, 900], [1, 1.1]),
        lambda: Stepped([], []),
    ],
)
def test_settings_out_of_range_are_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"must|needs|begin|more than"):
        make()  # type: ignore[operator]


def test_a_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Step(60)([-1])
