"""Reach when others want the same: floating catchment areas and spatial availability, with what they conserve.

All take travel times (n_origins, n_destinations) in seconds, the supply of each destination, the demand (persons) of
each origin, and a decay f. Nothing is divided by nothing: a destination that no demand reaches is *stranded* and is
listed, an origin that reaches nothing scores 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE
from community_routes.measures.decay import Decay, Step, build_decay
from community_routes.measures.measure import MEDIAN, Column, Facts, Measure, WindowInputs, ZoneColumn
from community_routes.routing.matrices import as_amounts, as_times

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Catchment:
    """Access under competition.

    Attributes
    ----------
    access : float64, shape (n_origins,)
        Supply for each person of the origin (floating catchments), or supply of the origin (spatial availability).
    per_destination : float64, shape (n_destinations,)
        Supply for each person who wants it at each destination; 0 where it is stranded.
    stranded : bool, shape (n_destinations,)
        Destinations with supply that no demand reaches.
    """

    access: FloatArray
    per_destination: FloatArray
    stranded: NDArray[np.bool_]


def two_step_catchment(time_s: ArrayLike, supply: ArrayLike, demand: ArrayLike, decay: Decay) -> Catchment:
    """Two-step floating catchment area: supply for each person.

    Formula: R_j = O_j / sum_i P_i f_ij ; A_i = sum_j R_j f_ij. Conserves sum_i P_i A_i = the supply that any demand
    reaches. Unit: supply per person. An origin that reaches nothing scores 0; one where nobody lives has a score too
    (what a first resident would find). With a ``Stepped`` decay it is the enhanced form.

    Parameters
    ----------
    time_s : int32, shape (n_origins, n_destinations)
    supply : float, shape (n_destinations,)
    demand : float, shape (n_origins,)
    decay : Decay

    References
    ----------
    Luo, W., Wang, F. (2003). Measures of spatial accessibility to health care in a GIS environment. Environment and
    Planning B 30(6), 865-884. doi:10.1068/b29120
    """
    f, offered, persons = _checked(time_s, supply, demand, decay)
    wanted = _down(f * persons[:, None])
    ratio = _ratio(offered, wanted)
    return Catchment(_across(f * ratio), ratio, (offered > 0) & (wanted == 0))


def balanced_catchment(time_s: ArrayLike, supply: ArrayLike, demand: ArrayLike, decay: Decay) -> Catchment:
    """Balanced floating catchment area: nobody is counted twice as demand, no supply twice as service.

    Formula: u_ij = f_ij / sum_j f_ij ; v_ij = f_ij / sum_i f_ij ; R_j = O_j / sum_i P_i u_ij ; A_i = sum_j R_j v_ij.
    Conserves sum_j sum_i P_i u_ij = the persons who reach anything, and sum_i A_i = sum_j R_j. Unit: supply per
    person. An origin that reaches nothing scores 0.

    References
    ----------
    Paez, A., Higgins, C. D., Vivona, S. F. (2019). Demand and level of service inflation in floating catchment area
    (FCA) methods. PLOS ONE 14(6), e0218773. doi:10.1371/journal.pone.0218773

    Pereira, R. H. M. et al. (2021). Geographic access to COVID-19 healthcare in Brazil using a balanced float
    catchment area approach. Social Science & Medicine 273, 113773. doi:10.1016/j.socscimed.2021.113773
    """
    f, offered, persons = _checked(time_s, supply, demand, decay)
    of_origin = _ratio(f, _across(f)[:, None])
    of_destination = _ratio(f, _down(f)[None, :])
    wanted = _down(of_origin * persons[:, None])
    ratio = _ratio(offered, wanted)
    return Catchment(_across(of_destination * ratio), ratio, (offered > 0) & (wanted == 0))


def spatial_availability(
    time_s: ArrayLike, supply: ArrayLike, demand: ArrayLike, decay: Decay, *, alpha: float = 1.0
) -> Catchment:
    """Spatial availability: each opportunity is shared out once among those who reach it.

    Formula: V_ij = O_j P_i^a f_ij / sum_i P_i^a f_ij ; V_i = sum_j V_ij. Conserves sum_i V_i = the supply that any
    demand reaches. Unit: that of the supply; divide by the persons of the origin for "jobs per resident". An origin
    with nobody, or that reaches nothing, gets 0.

    Parameters
    ----------
    alpha : float
        Above 1, large origins get more than their share; 1 by default.

    References
    ----------
    Soukhov, A., Páez, A., Higgins, C. D., Mohamed, M. (2023). Introducing spatial availability, a singly-constrained
    measure of competitive accessibility. PLOS ONE 18(1), e0278468. doi:10.1371/journal.pone.0278468
    """
    if not (np.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha is {alpha}; it must be a number above 0")
    f, offered, persons = _checked(time_s, supply, demand, decay)
    pull = f * np.where(persons > 0, persons**alpha, 0.0)[:, None]
    wanted = _down(pull)
    ratio = _ratio(offered, wanted)
    return Catchment(_across(pull * ratio), ratio, (offered > 0) & (wanted == 0))


def _checked(
    time_s: ArrayLike, supply: ArrayLike, demand: ArrayLike, decay: Decay
) -> tuple[FloatArray, FloatArray, FloatArray]:
    times = as_times(time_s)
    if times.ndim != 2:
        raise ValueError(f"competition is measured on (origins, destinations), not on the shape {times.shape}")
    return decay(times), as_amounts(supply, times.shape[1], "supply"), as_amounts(demand, times.shape[0], "demand")


def _down(matrix: FloatArray) -> FloatArray:
    return np.asarray(matrix.sum(axis=0))


def _across(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.ascontiguousarray(matrix).sum(axis=1))


def _ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """0 where there is nothing to divide by."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(bottom > 0, top / bottom, 0.0))


_CATCHMENTS: dict[str, Callable[..., Catchment]] = {
    "balanced_catchment": balanced_catchment,
    "spatial_availability": spatial_availability,
    "two_step_catchment": two_step_catchment,
}


@dataclass(frozen=True)
class Competition(Measure):
    """A measure of reach under competition on the median travel time, for each key of destinations.

    Opportunities per resident: for spatial availability those of the zone over its residents, 0 where nobody lives. Asked for
    with ``cutoff_min`` (45), or with ``decay`` and its settings.
    """

    names = tuple(_CATCHMENTS)
    settings = None
    columns = tuple(Column(name) for name in _CATCHMENTS)

    name: str
    decay: Decay

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Competition:
        given = dict(settings)
        if "decay" in given:
            return cls(name, build_decay(str(given.pop("decay")), given))
        if extra := set(given) - {"cutoff_min"}:
            raise ValueError(f"{name} has no setting {sorted(extra)}; it takes ['cutoff_min']")
        return cls(name, Step(float(given.get("cutoff_min", 45)) * MINUTE))

    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        persons, found = window.persons_of_origins(), []
        for places in window.whole_keys:
            of_kind = np.ascontiguousarray(window.median_s[:, places.columns])
            access = _CATCHMENTS[self.name](of_kind, places.amounts[places.columns], persons, self.decay).access
            if self.name == "spatial_availability":
                access = np.where(persons > 0, access / np.where(persons > 0, persons, 1.0), 0.0)
            unit = f"{places.unit} per resident"
            found.append(ZoneColumn(window.of_zones(access), places.kind, self.name, unit, f"p{MEDIAN}"))
        return found
