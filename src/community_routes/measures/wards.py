"""Connection within the borough: which wards are within reach of one another, and who has nothing within reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE, UNREACHED
from community_routes.measures.measure import (
    MEDIAN,
    SHARE,
    ZONE_TIMES,
    Column,
    Facts,
    Measure,
    Need,
    WindowInputs,
    ZoneColumn,
    taken,
)
from community_routes.measures.reach import (
    mean_over_departures,
    nearest,
    percentile_over_departures,
    percentiles_of_cube,
)
from community_routes.measures.weighted import persons_of, weighted_mean, weighted_quantiles
from community_routes.routing.matrices import as_times, cutoff_seconds

FloatArray = NDArray[np.float64]
WARDS = "wards"


@dataclass(frozen=True, eq=False)
class WardMatrix:
    """Ward to ward.

    Attributes
    ----------
    wards : tuple of str
        In order of their names.
    share : float64, shape (n_wards, n_wards)
        Share of the row's residents who reach some zone of the column within the cutoff; 1 on the diagonal but for
        residents who are off the network (left out). NaN for a ward without residents.
    median_s : float64, shape (n_wards, n_wards)
        The middle resident's time to the nearest zone of the column; infinite where most do not reach it.
    """

    wards: tuple[str, ...]
    share: FloatArray
    median_s: FloatArray

    def table(self) -> pd.DataFrame:
        """from_ward, to_ward, share, median_s (missing where most do not reach), row by row."""
        n = len(self.wards)
        finite = np.where(np.isfinite(self.median_s), self.median_s, np.nan)
        return pd.DataFrame(
            {
                "from_ward": np.repeat(np.asarray(self.wards, dtype=object), n),
                "to_ward": np.tile(np.asarray(self.wards, dtype=object), n),
                "share": self.share.reshape(-1),
                "median_s": finite.reshape(-1),
            }
        )


def ward_matrix(
    time_s: ArrayLike,
    persons: ArrayLike,
    ward: Sequence[str],
    *,
    cutoff_s: float,
    on_network: ArrayLike | None = None,
    ward_of_origin: Sequence[str] | None = None,
) -> WardMatrix:
    """Which share of each ward's residents reaches some neighbourhood of each ward, and in what time.

    Formula: W_ab = sum_{i in a} P_i [min_{j in b} t_ij <= c] / sum_{i in a} P_i. Of several departures the minimum is
    taken at each of them, and of these minima the median.

    Parameters
    ----------
    time_s : int32, shape (n_origins, n_zones) or (n_origins, n_departures, n_zones)
        Without ``ward_of_origin`` the origins are the zones.
    persons : float, shape (n_origins,)
    ward : sequence of str, length n_zones
        "" for a zone in none.
    cutoff_s : float
    on_network : bool, shape (n_origins,), optional
        Origins off the network are left out with their residents.
    ward_of_origin : sequence of str, length n_origins, optional
    """
    starts = _names(ward if ward_of_origin is None else ward_of_origin)
    times, names = _between_zones(time_s, ward, len(starts))
    wards = _wards(names)
    to_ward = _times_to_wards(times, names, wards)
    if to_ward.ndim == 3:
        to_ward = percentile_over_departures(to_ward.transpose(0, 2, 1), 50)
    on = np.ones(len(starts), dtype=bool) if on_network is None else np.asarray(on_network, dtype=bool)
    starts, people = np.where(on, starts, ""), persons_of(persons, len(starts))
    return WardMatrix(
        wards, _shares(to_ward, starts, wards, people, cutoff_s), _medians(to_ward, starts, wards, people)
    )


def _shares(
    to_ward: NDArray[np.int32],
    starts: NDArray[np.object_],
    wards: tuple[str, ...],
    people: FloatArray,
    cutoff_s: float,
) -> FloatArray:
    """Share of each ward's residents who reach each ward within a time; NaN for a ward without any.

    ``starts`` is "" for those who are left out.
    """
    within = (to_ward <= cutoff_seconds(cutoff_s)).astype(np.float64)
    share = np.full((len(wards), len(wards)), np.nan)
    for a, name in enumerate(wards):
        rows = starts == name
        share[a] = weighted_mean(within[rows].T, people[rows])
    return share


def _medians(
    to_ward: NDArray[np.int32], starts: NDArray[np.object_], wards: tuple[str, ...], people: FloatArray
) -> FloatArray:
    """The middle resident's time from each ward to each."""
    infinite = np.where(to_ward == UNREACHED, np.inf, to_ward.astype(np.float64))
    median = np.full((len(wards), len(wards)), np.nan)
    for a, name in enumerate(wards):
        rows = starts == name
        if rows.any():
            median[a] = weighted_quantiles(infinite[rows].T, people[rows][None, :])[0]
    return median


def share_of_other_wards(
    time_s: ArrayLike, ward: Sequence[str], *, cutoff_s: float, ward_of_origin: Sequence[str] | None = None
) -> FloatArray:
    """Share of the borough's other wards that each zone can reach.

    Formula: C_i = |{b != a(i) : min_{j in b} t_ij <= c}| / (number of wards other than a(i)). Unit: share, 0 to 1. A
    zone that reaches no other ward scores 0; in a borough of one ward it is missing (NaN).

    Parameters
    ----------
    time_s : int32, shape (n_origins, n_zones) or (n_origins, n_departures, n_zones)
        With departures the share is for each of them; take ``reach.mean_over_departures``.
    ward : sequence of str, length n_zones
        "" for a zone in none: all wards are others to it.
    cutoff_s : float
    ward_of_origin : sequence of str, length n_origins, optional
        Where the origins are not the zones themselves.
    """
    origins = ward if ward_of_origin is None else ward_of_origin
    times, names = _between_zones(time_s, ward, len(origins))
    wards = _wards(names)
    return _share_of_others(_times_to_wards(times, names, wards), _names(origins), wards, cutoff_s)


def _share_of_others(
    to_ward: NDArray[Any], starts: NDArray[np.object_], wards: tuple[str, ...], cutoff_s: float
) -> FloatArray:
    """Share of the wards other than the origin's own (the first axis) that are within a time."""
    within = to_ward <= min(cutoff_seconds(cutoff_s), np.iinfo(to_ward.dtype).max - 1)
    own = starts[:, None] == np.asarray(wards, dtype=object)[None, :]
    own = own.reshape((len(own),) + (1,) * (to_ward.ndim - 2) + (len(wards),))
    others = len(wards) - own.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(others > 0, (within & ~own).sum(axis=-1) / others, np.nan))


def isolation(time_s: ArrayLike, amounts: ArrayLike | None = None, *, cutoff_s: float) -> FloatArray:
    """Share of departures at which nothing that has anything to offer is within the cutoff.

    Formula: I_i = (1/n) sum_d [min_j t_ij(d) > c], over j with O_j > 0. Unit: share; 1 for a zone that reaches nothing.
    The residents with no shared space within 30 minutes are sum_i P_i I_i on average over the window.

    Parameters
    ----------
    time_s : int32, shape (..., n_departures, n_destinations)
    """
    closest = nearest(time_s, 1, amounts)
    share: FloatArray = np.count_nonzero(closest > cutoff_seconds(cutoff_s), axis=-1) / closest.shape[-1]
    return share


def _names(ward: Sequence[str]) -> NDArray[np.object_]:
    return np.asarray(["" if pd.isna(name) else str(name) for name in ward], dtype=object)


def _wards(names: NDArray[np.object_]) -> tuple[str, ...]:
    """The wards in order of their names."""
    return tuple(sorted(set(names.tolist()) - {""}))


def _between_zones(
    time_s: ArrayLike, ward: Sequence[str], n_origins: int
) -> tuple[NDArray[np.int32], NDArray[np.object_]]:
    times, names = as_times(time_s), _names(ward)
    if times.shape[0] != n_origins or times.shape[-1] != len(names):
        raise ValueError(f"times have the shape {times.shape} for {n_origins} origins and {len(names)} zones")
    return times, names


def _times_to_wards(times: NDArray[np.int32], names: NDArray[np.object_], wards: tuple[str, ...]) -> NDArray[np.int32]:
    """Time to the nearest zone of each ward, (..., n_wards)."""
    return np.stack([times[..., names == ward].min(axis=-1) for ward in wards], axis=-1)


def ward_table(inputs: WindowInputs) -> pd.DataFrame | None:
    """The ward-to-ward matrix of a window (``connection.ward_matrix``) on the median departure; None without ``zone_time_s``.

    Columns: scenario, day, window, from_group, to_group, cutoff_min, persons (of the row's ward, on the network or not),
    share (of those on the network, who reach), unit, median_s (missing where most do not reach), reading, reason. From or to a
    ward with no point on the network both are missing as ``off_network``.
    """
    to_ward = inputs.times_to_groups
    if to_ward is None:
        return None
    starts, wards = inputs.group_of_origins, inputs.groups
    persons = inputs.persons_of_origins()
    of_ward = pd.Series(persons).groupby(starts).sum()
    off = set(starts) - {ward for ward, on in zip(starts, inputs.on_network, strict=True) if on}
    people, there = persons_of(persons, len(starts)), np.where(inputs.on_network, starts, "")
    middle_s = percentiles_of_cube(to_ward, [MEDIAN])[MEDIAN]
    median_s = _medians(middle_s, there, wards, people)
    cutoffs, n = sorted(inputs.cutoffs_min), len(wards)
    shares = [_shares(middle_s, there, wards, people, cutoff * MINUTE) for cutoff in cutoffs]
    start, end, cutoff = (place.reshape(-1) for place in np.indices((n, n, len(cutoffs))))
    is_off = np.isin(np.asarray(wards, object), list(off))
    gone = is_off[start] | is_off[end]
    made = {
        **{
            name: taken([getattr(inputs, name)], np.zeros(len(start), np.int64))
            for name in ("scenario", "day", "window")
        },
        "from_group": taken(wards, start),
        "to_group": taken(wards, end),
        "cutoff_min": np.asarray(cutoffs)[cutoff],
        "persons": of_ward.reindex(list(wards)).to_numpy(np.float64)[start],
        "share": np.where(gone, np.nan, np.asarray(shares)[cutoff, start, end]),
        "unit": taken([SHARE], np.zeros(len(start), np.int64)),
        "median_s": np.where(gone | ~np.isfinite(median_s[start, end]), np.nan, median_s[start, end]),
        "reading": taken([f"p{MEDIAN}"], np.zeros(len(start), np.int64)),
        "reason": taken(["", "off_network"], gone.astype(np.int64)),
    }
    return pd.DataFrame(made)


@dataclass(frozen=True)
class OtherWards(Measure):
    """Share of the borough's other wards within each cutoff, on average over departures."""

    names = ("share_of_other_wards",)
    columns = (Column("share_of_other_wards", "Share of other wards"),)

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> OtherWards:
        if facts.n_wards < 2:
            raise ValueError(f"{name} needs neighbourhoods with a `group`, of which there are two or more")
        return cls()

    @property
    def needs(self) -> tuple[Need, ...]:
        return (ZONE_TIMES,)

    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        to_ward, wards = window.times_to_groups, window.groups
        if to_ward is None or len(wards) < 2:
            raise ValueError("other wards need times between zones, and a `group` column with two wards or more")
        found = []
        for cutoff in window.cutoffs_min:
            each = _share_of_others(to_ward, window.group_of_origins, wards, cutoff * MINUTE)
            values = window.of_zones(mean_over_departures(each))
            found.append(ZoneColumn(values, WARDS, self.columns[0].id, SHARE, cutoff_min=cutoff))
        return found
