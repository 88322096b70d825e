"""Potential to meet: who could come to each place, how mixed that is, and what places add to where people live.

These are potentials, never forecasts. They share out each neighbourhood's residents over the places that they can
reach, by the places' size; who does come depends on much else, and the evidence that reach predicts mixing is weaker
in towns than in large cities. ``POTENTIAL`` is printed with every table. Numbers of persons under ten are suppressed
and the others rounded before they leave this module (``publishable``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.times import MINUTE
from community_routes.measures.measure import WindowInputs, taken
from community_routes.measures.reach import departures_within
from community_routes.routing.matrices import as_amounts, cutoff_seconds
from community_routes.routing.scan import NEVER

FloatArray = NDArray[np.float64]
POTENTIAL = "potential to meet"
SMALLEST = 10
ROUNDED_TO = 5


@dataclass(frozen=True, eq=False)
class Visitors:
    """Potential visitors of places by group.

    Attributes
    ----------
    groups : tuple of str
    count : float64, shape (n_groups, n_places)
        Persons; not rounded, not for publication as it is.
    unable : float64, shape (n_groups,)
        Persons who reach no place at all; ``count.sum(axis=1) + unable`` is everybody.
    share_of_zone : float64, shape (n_zones, n_places) or (n_groups, n_zones, n_places)
        How a zone's residents are shared out over places; a row adds up to 1, or to 0 where nothing is reached.
    """

    groups: tuple[str, ...]
    count: FloatArray
    unable: FloatArray
    share_of_zone: FloatArray

    @property
    def mix(self) -> FloatArray:
        """Share of each group among a place's potential visitors, (n_groups, n_places); NaN where there are none."""
        return _shares(self.count, axis=0)


def potential_visitors(
    persons: pd.DataFrame, weight: ArrayLike, attraction: ArrayLike, *, is_open: ArrayLike | None = None
) -> Visitors:
    """Share out each group's residents over the places that they can reach.

    Formula: v_gj = sum_i P_gi O_j f_ij / sum_k O_k f_ik. Unit: persons. A zone that reaches nothing sends nobody; its
    persons are in ``unable``.

    Parameters
    ----------
    persons : DataFrame
        One row for each zone, one column for each group: persons.
    weight : float, shape (n_zones, n_places) or (n_groups, n_zones, n_places)
        f: for example the share of departures of a window within a time, or a decay of the
        median travel time. By group where groups differ in what they may use or pay.
    attraction : float, shape (n_places,)
        O: 1 for each, or a size.
    is_open : bool, shape (n_places,), optional
        Places that are open in the window; others attract nobody. All when left out.
    """
    groups = tuple(str(column) for column in persons.columns)
    people = persons.to_numpy(dtype=np.float64).T
    if not np.isfinite(people).all() or (people < 0).any():
        raise ValueError("the persons of a group hold a negative, infinite or missing number; write 0 for nobody")
    f = np.asarray(weight, dtype=np.float64)
    expected = [(len(persons), f.shape[-1]), (len(groups), len(persons), f.shape[-1])]
    if f.shape not in expected:
        raise ValueError(f"weights have the shape {f.shape}, not {expected[0]} or {expected[1]}")
    pull = f * as_amounts(attraction, f.shape[-1], "attraction")
    if is_open is not None:
        pull = pull * np.asarray(is_open, dtype=bool)
    share = np.nan_to_num(_shares(pull, axis=-1), nan=0.0)
    by_group = share if share.ndim == 3 else share[None]
    count = (people[:, :, None] * by_group).sum(axis=1)
    stay = people * (1 - np.minimum(by_group.sum(axis=-1), 1.0).round(12))
    return Visitors(groups, count, stay.sum(axis=1), share)


def divergence(mix: ArrayLike, reference: ArrayLike) -> FloatArray:
    """How far the mix of each cell is from that of the borough: D_j = sum_g q_gj ln(q_gj / pi_g), 0 ln 0 = 0.

    0: mirrors the borough; at most ln(1 / smallest share). Unit: none (nats). Missing where a cell has nobody.
    Preferred to entropy, which rewards equal parts whatever the borough looks like.

    Parameters
    ----------
    mix : float, shape (n_groups, n_cells)
    reference : float, shape (n_groups,)
        The borough's shares; a group that is in a cell but not in the borough is a ``ValueError``.
    """
    q, pi = np.asarray(mix, dtype=np.float64), np.asarray(reference, dtype=np.float64)[:, None]
    if ((pi <= 0) & (q > 0)).any():
        raise ValueError("a group visits that has no share of the borough")
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(q > 0, q * np.log(q / pi), 0.0 * q)
    return np.asarray(terms.sum(axis=0))


def entropy(mix: ArrayLike) -> FloatArray:
    """How even the groups of each cell are: -sum_g q ln q / ln G, from 0 (one group alone) to 1 (equal parts)."""
    q = np.asarray(mix, dtype=np.float64)
    if q.shape[0] < 2:
        raise ValueError("entropy needs two groups or more")
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(q > 0, -q * np.log(q), 0.0 * q)
    return np.asarray(terms.sum(axis=0) / np.log(q.shape[0]))


def exposure(count: ArrayLike) -> FloatArray:
    """How much of each group the average member of a group finds in the same cell.

    Formula: E_xy = sum_j (v_xj / sum_j v_xj) q_yj. With the residents of zones it is the residential exposure xPy and
    isolation xPx, with the potential visitors of places the exposure via them. Unit: share, 0 to 1; a row adds up to 1,
    and is missing for a group that is nowhere.

    Parameters
    ----------
    count : float, shape (n_groups, n_cells)

    Returns
    -------
    float64, shape (n_groups, n_groups)
        Row x, column y.

    References
    ----------
    Massey, D. S., Denton, N. A. (1988). The dimensions of residential segregation. Social Forces 67(2), 281-315.
    """
    v = np.asarray(count, dtype=np.float64)
    mix = np.nan_to_num(_shares(v, axis=0), nan=0.0)
    return np.asarray((_shares(v, axis=1)[:, None, :] * mix[None, :, :]).sum(axis=-1))


def correlation_ratio(isolation: float, share: float) -> float:
    """Isolation apart from a group's size: V = (xPx - P) / (1 - P); 0 evenly spread, 1 wholly apart."""
    if not 0 < share < 1:
        raise ValueError(f"the share is {share}; it must lie between 0 and 1")
    return (isolation - share) / (1 - share)


def chance_of_another(visitors: Visitors, persons: pd.DataFrame) -> FloatArray:
    """For a resident of each zone: the chance that someone met at a place that they can reach is of another group.

    Formula: M_i = sum_g (P_gi / P_i) sum_j a_ij (1 - q_gj), a_ij how the zone's residents are shared out. Unit: share.
    Missing for a zone with nobody, or that reaches nothing.
    """
    people = persons.to_numpy(dtype=np.float64).T
    others = 1 - np.nan_to_num(visitors.mix, nan=1.0)
    a = visitors.share_of_zone if visitors.share_of_zone.ndim == 3 else visitors.share_of_zone[None]
    met = (a * others[:, None, :]).sum(axis=-1)
    reaches = a.sum(axis=-1) > 0
    weight = _shares(people * reaches, axis=0)
    return np.asarray(np.where(np.isnan(weight).any(axis=0), np.nan, (weight * met).sum(axis=0)))


def mean_chance_of_another(count: ArrayLike) -> float:
    """The same over everybody: sum_x pi_x (1 - E_xx), pi_x the shares of the groups in the counts. Unit: share.

    What a proposal adds is its value with the proposal minus that of today.
    """
    v = np.asarray(count, dtype=np.float64)
    of_group = v.sum(axis=1)
    if not of_group.sum() > 0:
        return float("nan")
    own = np.nan_to_num(np.diagonal(exposure(v)), nan=1.0)
    return float((of_group / of_group.sum() * (1 - own)).sum())


def publishable(count: ArrayLike) -> FloatArray:
    """Numbers of persons as they may be shown: under 10 missing, others rounded to the nearest 5.

    Groups lie along the first axis. Where just one group of a cell is missing, or those missing are fewer than ten together,
    the next smallest is left out too, so that they cannot be found from the total. An exact 0 stays: nobody is disclosed by
    nobody.
    """
    v = np.asarray(count, dtype=np.float64)
    hidden = (v > 0) & (v < SMALLEST)
    for cell in np.flatnonzero(hidden.any(axis=0)):
        _hide_with(hidden[:, cell], v[:, cell])
    return np.asarray(np.where(hidden, np.nan, np.floor(v / ROUNDED_TO + 0.5) * ROUNDED_TO))


def _hide_with(hidden: NDArray[np.bool_], count: FloatArray) -> bool:
    """Leave out the next smallest until what is missing cannot be told from the sum; whether any was."""
    more = False
    while hidden.any() and (hidden.sum() < 2 or count[hidden].sum() < SMALLEST):
        candidates = np.where(hidden | (count <= 0), np.inf, count)
        next_one = int(np.argmin(candidates))
        if not np.isfinite(candidates[next_one]):
            break
        hidden[next_one] = more = True
    return more


def _hidden_in_table(count: FloatArray, keys: Sequence[str]) -> NDArray[np.bool_]:
    """What is left out of a table of groups (rows) and places (columns), so that no total of either tells it.

    The places of a key share out the same residents, so that the sum of a group over them may be known.
    """
    hidden = np.isnan(publishable(count))
    of_key = np.asarray(keys, dtype=object)
    again = True
    while again:
        again = False
        for key in dict.fromkeys(keys):
            places = np.flatnonzero(of_key == key)
            for group in np.flatnonzero(hidden[:, places].any(axis=1)):
                row = hidden[group, places]
                if _hide_with(row, count[group, places]):
                    hidden[group, places] = row
                    again = True
        for place in np.flatnonzero(hidden.any(axis=0)):
            again |= _hide_with(hidden[:, place], count[:, place])
    return hidden


def hide_together(table: pd.DataFrame) -> pd.DataFrame:
    """Tables of ``mixing_table`` of several scenarios in one, where what one leaves out is left out of all.

    Otherwise the difference between two scenarios, where all else is the same, would tell the number that one of them hides.
    """
    place = [column for column in ("day", "window", "cutoff_min", "key", "id") if column in table]
    columns = [column for column in table if column.startswith("visitors_")]
    missing = np.isnan(table[columns].to_numpy(np.float64))
    if table.duplicated(place).any():  # else each row is the only one of its place
        number = table.groupby(place, sort=False, dropna=False).ngroup().to_numpy()
        of_place = np.zeros((int(number.max()) + 1, len(columns)), np.bool_)
        np.logical_or.at(of_place, number, missing)
        missing = of_place[number]
    hidden = dict(zip(columns, missing.T, strict=True))
    hidden |= {column: missing.any(axis=1) for column in ("divergence", "entropy") if column in table}
    return table.assign(**{column: np.where(where, np.nan, table[column]) for column, where in hidden.items()})


def mixing_table(visitors: Visitors, places: pd.DataFrame, borough: Sequence[float]) -> pd.DataFrame:
    """What may be published of each place: potential visitors by group, the mix, and how it differs from the borough.

    Columns: key, id, name, kind, reading (``potential to meet``), visitors, one column ``visitors_<group>`` for each
    group, divergence, entropy. Persons as ``publishable`` gives them, and no sum over groups or over the places of a key
    tells a number that is left out; the indices with two decimals, missing where fewer than 10 persons could come
    and beside numbers that are left out, which they would tell. In order of key and id.

    Parameters
    ----------
    visitors : Visitors
    places : DataFrame
        key, id, name, kind of each place, in the order of the counts.
    borough : sequence of float
        Persons (or shares) of each group in the borough.
    """
    total = visitors.count.sum(axis=0)
    hidden = _hidden_in_table(visitors.count, places["key"].astype(str).tolist())
    shown = np.where(hidden, np.nan, np.floor(visitors.count / ROUNDED_TO + 0.5) * ROUNDED_TO)
    enough = total >= SMALLEST
    reference = np.asarray(borough, dtype=np.float64)
    numbers = {"visitors": np.where(enough, publishable(total[None])[0], np.nan)}
    numbers |= {f"visitors_{group}": of_group for group, of_group in zip(visitors.groups, shown, strict=True)}
    numbers["divergence"] = np.where(enough, divergence(visitors.mix, reference / reference.sum()), np.nan).round(2)
    if len(visitors.groups) > 1:
        numbers["entropy"] = np.where(enough, entropy(visitors.mix), np.nan).round(2)
    named = list(zip(places["key"].tolist(), places["id"].tolist(), strict=True))
    order = np.asarray(sorted(range(len(named)), key=named.__getitem__), np.int64)
    texts = {name: places[name].array.take(order) for name in ("key", "id", "name", "kind")}
    texts["reading"] = taken([POTENTIAL], np.zeros(len(order), np.int64))
    return hide_together(pd.DataFrame(texts | {name: values[order] for name, values in numbers.items()}))


def exposure_table(visitors: Visitors, persons: pd.DataFrame) -> pd.DataFrame:
    """Exposure via places beside exposure where the same people live, for every pair of groups.

    Columns: group, other, reading (``potential to meet``), via_places, at_home, added (via_places - at_home), as shares
    with three decimals; missing for a group of fewer than 10 persons. Residents who reach no place at all are in neither,
    so that what is added is not a difference between two sets of people.
    """
    share = visitors.share_of_zone if visitors.share_of_zone.ndim == 3 else visitors.share_of_zone[None]
    people = persons.to_numpy(dtype=np.float64).T * (share.sum(axis=-1) > 0)
    via, home = exposure(visitors.count), exposure(people)
    few = people.sum(axis=1) < SMALLEST
    records = []
    for x, group in enumerate(visitors.groups):
        for y, other in enumerate(visitors.groups):
            pair = (np.nan, np.nan) if few[x] or few[y] else (float(via[x, y]), float(home[x, y]))
            records.append((group, other, POTENTIAL, round(pair[0], 3), round(pair[1], 3), round(pair[0] - pair[1], 3)))
    return pd.DataFrame(records, columns=["group", "other", "reading", "via_places", "at_home", "added"])


def _shares(values: FloatArray, axis: int) -> FloatArray:
    """Each value over the sum along an axis; NaN where that is 0."""
    total = values.sum(axis=axis, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(total > 0, values / total, np.nan))


def visitors_in_window(
    inputs: WindowInputs, persons: pd.DataFrame, rows: NDArray[np.int64], *, cutoff_min: float
) -> Visitors:
    """Potential visitors of some of the destinations in a window: reached on a share of its departures, sized by amount.

    Parameters
    ----------
    inputs : WindowInputs
    persons : DataFrame
        Persons of each group in each zone, rows as in ``inputs.zones``.
    rows : int64, shape (n_places,)
        Which destinations.
    cutoff_min : float
    """
    within = departures_within(inputs.time_s, rows, min(cutoff_seconds(cutoff_min * MINUTE), NEVER - 1))
    weight = np.nan_to_num(inputs.of_zones(within / inputs.time_s.shape[1]), nan=0.0)
    return potential_visitors(persons, weight, inputs.destinations["amount"].to_numpy(dtype=np.float64)[rows])
