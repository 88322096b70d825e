"""How much a place counts by its travel time: decays that are 1 at once and never rise.

Each is a frozen object that is called with times in seconds and gives weights; ``UNREACHED`` and infinity weigh 0.
The forms are those of R5 (Conveyal) and of the R package ``accessibility`` (Ipea); what is done at the boundary is
stated in each.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE
from community_routes.routing.matrices import as_floats

FloatArray = NDArray[np.float64]


class Decay(ABC):
    """A weight for each travel time: 1 at 0 seconds, never rising, 0 where there is no journey."""

    name: ClassVar[str]

    @abstractmethod
    def _weight(self, seconds: FloatArray) -> FloatArray:
        """Weights of finite times."""

    def __call__(self, time_s: ArrayLike) -> FloatArray:
        """Weights of travel times in seconds, in the shape given."""
        seconds = as_floats(time_s)
        if seconds.size and np.nanmin(seconds) < 0:
            raise ValueError("a travel time is negative; where there is no journey, write times.UNREACHED")
        reached = np.isfinite(seconds)
        weights = np.zeros(seconds.shape, dtype=np.float64)
        weights[reached] = self._weight(seconds[reached])
        return weights

    def table(self, longest_s: int) -> FloatArray:
        """Weights of 0, 1, ... ``longest_s`` seconds: times are whole, so this holds every weight that can occur."""
        return self(np.arange(longest_s + 1, dtype=np.int64))


def _positive(value: float, name: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value}; it must be a number above 0")


@dataclass(frozen=True)
class Step(Decay):
    """1 up to and including the cutoff, 0 after: f(t) = [t <= c]. (R5 leaves the cutoff itself out.)"""

    cutoff_s: float
    name: ClassVar[str] = "step"

    def __post_init__(self) -> None:
        _positive(self.cutoff_s, "cutoff_s")

    def _weight(self, seconds: FloatArray) -> FloatArray:
        return (seconds <= self.cutoff_s).astype(np.float64)


@dataclass(frozen=True)
class Linear(Decay):
    """Falls in a straight line to 0 at the cutoff: f(t) = max(0, 1 - t/c); half-time c/2."""

    cutoff_s: float
    name: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        _positive(self.cutoff_s, "cutoff_s")

    def _weight(self, seconds: FloatArray) -> FloatArray:
        return np.maximum(0.0, 1.0 - seconds / self.cutoff_s)


@dataclass(frozen=True)
class SlopedStep(Decay):
    """1 until c - w/2, 0 from c + w/2, a straight line between (the linear decay of R5); half-time c."""

    cutoff_s: float
    width_s: float
    name: ClassVar[str] = "sloped_step"

    def __post_init__(self) -> None:
        _positive(self.cutoff_s, "cutoff_s")
        _positive(self.width_s, "width_s")
        if self.width_s > 2 * self.cutoff_s:
            raise ValueError(f"width_s is {self.width_s}, more than twice cutoff_s: nobody would weigh 1")

    def _weight(self, seconds: FloatArray) -> FloatArray:
        return np.clip((self.cutoff_s + self.width_s / 2 - seconds) / self.width_s, 0.0, 1.0)


@dataclass(frozen=True)
class Exponential(Decay):
    """Halves with every half-time: f(t) = exp(-ln 2 * t / h). It is not cut off at any time."""

    half_s: float
    name: ClassVar[str] = "exponential"

    def __post_init__(self) -> None:
        _positive(self.half_s, "half_s")

    @classmethod
    def from_rate(cls, per_minute: float) -> Exponential:
        """The decay exp(-b t) with b per minute, as it stands in most papers."""
        _positive(per_minute, "per_minute")
        return cls(math.log(2) / per_minute * MINUTE)

    def _weight(self, seconds: FloatArray) -> FloatArray:
        return np.exp(-math.log(2) / self.half_s * seconds)


@dataclass(frozen=True)
class InversePower(Decay):
    """f(t) = min(1, t^-b), t in minutes: 1 below one minute, where the bare power would explode; half-time 2^(1/b) min."""

    power: float
    name: ClassVar[str] = "inverse_power"

    def __post_init__(self) -> None:
        _positive(self.power, "power")

    def _weight(self, seconds: FloatArray) -> FloatArray:
        weights: FloatArray = np.maximum(seconds / MINUTE, 1.0) ** -self.power
        return weights


@dataclass(frozen=True)
class Logistic(Decay):
    """f(t) = g(0)/g(t), g(t) = 1 + exp((t - m) pi / (s sqrt 3)), m the median and s the standard deviation (R5, ipea).

    Dividing by g(0) makes it 1 at 0, so that the half-time is a little later than m: m + ln(1 + 2 exp(-k m)) / k
    with k = pi / (s sqrt 3).
    """

    median_s: float
    sd_s: float
    name: ClassVar[str] = "logistic"

    def __post_init__(self) -> None:
        _positive(self.median_s, "median_s")
        _positive(self.sd_s, "sd_s")

    @property
    def _steepness(self) -> float:
        return math.pi / (self.sd_s * math.sqrt(3))

    def _weight(self, seconds: FloatArray) -> FloatArray:
        k = self._steepness
        # in logarithms, because exp() of a long time overflows
        weights: FloatArray = np.exp(
            np.logaddexp(0.0, -k * self.median_s) - np.logaddexp(0.0, k * (seconds - self.median_s))
        )
        return weights


@dataclass(frozen=True)
class Gaussian(Decay):
    """f(t) = exp(-t^2 / (2 s^2)) with s the standard deviation; half-time s sqrt(2 ln 2)."""

    sd_s: float
    name: ClassVar[str] = "gaussian"

    def __post_init__(self) -> None:
        _positive(self.sd_s, "sd_s")

    def _weight(self, seconds: FloatArray) -> FloatArray:
        return np.exp(-((seconds / self.sd_s) ** 2) / 2)


@dataclass(frozen=True)
class Stepped(Decay):
    """A table: the weight of the first edge that is not before t, 0 after the last edge.

    ``edges_s`` rise; ``weights`` begin with 1 and never rise. The half-time is the last edge with a weight of a half
    or more. With weights 1, 0.68, 0.22 it is the decay of the enhanced two-step floating catchment area.
    """

    edges_s: Sequence[float]
    weights: Sequence[float]
    name: ClassVar[str] = "stepped"

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges_s", tuple(float(edge) for edge in self.edges_s))
        object.__setattr__(self, "weights", tuple(float(weight) for weight in self.weights))
        edges, weights = np.asarray(self.edges_s), np.asarray(self.weights)
        if edges.size == 0 or edges.size != weights.size:
            raise ValueError(f"a stepped decay needs one weight for each edge, not {weights.size} for {edges.size}")
        if edges[0] < 0 or (np.diff(edges) <= 0).any():
            raise ValueError(f"the edges of a stepped decay must rise, not {list(self.edges_s)}")
        if weights[0] != 1 or (np.diff(weights) > 0).any() or weights[-1] < 0:
            raise ValueError(f"the weights of a stepped decay begin with 1 and never rise, not {list(self.weights)}")

    def _weight(self, seconds: FloatArray) -> FloatArray:
        padded = np.append(np.asarray(self.weights), 0.0)
        weights: FloatArray = padded[np.searchsorted(np.asarray(self.edges_s), seconds, side="left")]
        return weights


_FORMS: dict[str, tuple[Callable[..., Decay], dict[str, tuple[str, float]]]] = {
    # form -> (class, setting in a study file -> (argument, factor))
    "step": (Step, {"cutoff_min": ("cutoff_s", MINUTE)}),
    "linear": (Linear, {"cutoff_min": ("cutoff_s", MINUTE)}),
    "sloped_step": (SlopedStep, {"cutoff_min": ("cutoff_s", MINUTE), "width_min": ("width_s", MINUTE)}),
    "exponential": (Exponential, {"half_time_min": ("half_s", MINUTE)}),
    "inverse_power": (InversePower, {"power": ("power", 1)}),
    "logistic": (Logistic, {"median_min": ("median_s", MINUTE), "sd_min": ("sd_s", MINUTE)}),
    "gaussian": (Gaussian, {"sd_min": ("sd_s", MINUTE)}),
}


DECAYS = (*sorted(_FORMS), "stepped")
"""Names of the decays."""


def build_decay(form: str, settings: Mapping[str, Any]) -> Decay:
    """A decay from its name and its settings in minutes: ``build_decay("exponential", {"half_time_min": 20})``.

    Raises
    ------
    ValueError
        The form is unknown, or a setting is missing, unknown or out of range; the message names what is allowed.
    """
    if form == "stepped":
        if set(settings) != {"edges_min", "weights"}:
            raise ValueError(f"the decay 'stepped' needs edges_min and weights, not {sorted(settings)}")
        return Stepped([float(edge) * MINUTE for edge in settings["edges_min"]], settings["weights"])
    if form not in _FORMS:
        raise ValueError(f"{form!r} is no decay; write one of {', '.join(DECAYS)}")
    make, arguments = _FORMS[form]
    if set(settings) != set(arguments):
        raise ValueError(f"the decay {form!r} needs {' and '.join(arguments)}, not {sorted(settings)}")
    return make(**{name: float(settings[key]) * factor for key, (name, factor) in arguments.items()})
