"""How access is spread over persons: by deprivation, between any persons, below a line, and who gains from a change.

Every number counts persons, not zones. Zones whose access is missing are left out with their persons. A deprivation
rank says which end is which: 1 is the most deprived. Indices of one scenario can be compared with those of another
only where their bounds are the same, so that bounds are arguments and never taken from the data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.measures.groups import GROUP_COLUMNS, LOW_COVERAGE, PERSONS_CHANGED, cut_by_rank
from community_routes.measures.measure import SHARE, WindowFigures, whole_or_float
from community_routes.measures.weighted import persons_of, weighted_mean, weighted_quantile

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Palma:
    """The ratio of two means, with both means: it can also fall because the better off lose."""

    ratio: float
    least_deprived_tenth: float
    most_deprived_two_fifths: float


@dataclass(frozen=True, eq=False)
class Theil:
    """Inequality within and between groups: ``total = within + between``.

    ``groups`` has group, persons_share, access_share, theil (of the group), within and between (its parts).
    """

    total: float
    within: float
    between: float
    groups: pd.DataFrame


def concentration_index(values: ArrayLike, persons: ArrayLike, deprivation_rank: ArrayLike) -> float:
    """How far access is concentrated among the less deprived (above 0) or the more deprived (below 0).

    Formula: C = (2/mu) sum_k w_k (x_k - mu)(R_k - 1/2), w_k shares of persons, R_k the mean rank of zone k from most
    to least deprived; **zones of equal deprivation share the mean rank of their persons**, so that the order of rows
    decides nothing. Unit: none, between -1 and 1. All equal: 0. Nobody reaches anything: missing (NaN).

    Parameters
    ----------
    values : float, shape (n_zones,)
        Access; NaN is left out.
    persons : float, shape (n_zones,)
    deprivation_rank : float, shape (n_zones,)
        1 most deprived; zones without a rank (NaN) are left out.

    References
    ----------
    Chen, Z., Roy, K. (2009). Journal of Health Economics 28, 169-175 (on ties).
    """
    x, w, rank = _present(values, persons, deprivation_rank)
    mean = float((w * x).sum())
    return _association(x, w, rank) / mean if mean > 0 else float("nan")


def erreygers_index(
    values: ArrayLike, persons: ArrayLike, deprivation_rank: ArrayLike, *, lower: float, upper: float
) -> float:
    """The concentration index corrected for bounded access, comparable between scenarios with the same bounds.

    Formula: E = 4 mu / (b - a) * C. Take a = 0 and b = all opportunities of the study area, in every scenario; bounds
    from the data would move between scenarios. Unit: none, between -1 and 1. Nobody reaches anything: 0.

    Parameters
    ----------
    lower, upper : float
        The bounds a and b.

    Raises
    ------
    ValueError
        A value lies outside the bounds.

    References
    ----------
    Erreygers, G. (2009). Correcting the concentration index. Journal of Health Economics 28(2), 504-515.
    doi:10.1016/j.jhealeco.2008.02.003
    """
    x, w, rank = _present(values, persons, deprivation_rank)
    if not lower < upper:
        raise ValueError(f"the bounds {lower} and {upper} hold nothing between them")
    slack = 1e-9 * (upper - lower)  # sums of the same amounts in another order
    if x.size and (x.min() < lower - slack or x.max() > upper + slack):
        raise ValueError(f"access from {x.min()} to {x.max()} lies outside the bounds {lower} to {upper}")
    return 4 / (upper - lower) * _association(x, w, rank) if x.size else float("nan")


def palma_ratio(values: ArrayLike, persons: ArrayLike, deprivation_rank: ArrayLike) -> Palma:
    """Mean access of the least deprived tenth of persons over that of the most deprived two fifths.

    Persons are put in order of deprivation and **the zone in which a cut falls is split by persons**; ranking by
    decile leaves ties, which are split alike. Unit: none. Where the two fifths reach nothing the ratio is missing.
    """
    x, w, rank = _present(values, persons, deprivation_rank)
    share = cut_by_rank(w, rank, [0.0, 0.4, 0.9, 1.0])
    most, least = (float(weighted_mean(x, w * share[:, part])) for part in (0, 2))
    return Palma(least / most if most > 0 else float("nan"), least, most)


def gini_index(values: ArrayLike, persons: ArrayLike) -> float:
    """Inequality of access between any two persons as a share of twice the mean.

    Formula: G = 1 - sum_k w_k (S_k + S_{k-1}), zones in order of access, w_k shares of persons, S_k the share of all
    access up to k. Unit: none, 0 (all equal) to 1. Nobody reaches anything: missing (NaN). It is blind to the level:
    read it beside ``mean_absolute_difference``.
    """
    x, w = _present(values, persons)
    total = float((w * x).sum())
    if not total > 0:
        return float("nan")
    order = np.argsort(x, kind="stable")
    up_to = np.cumsum(w[order] * x[order]) / total
    before = np.concatenate([[0.0], up_to[:-1]])
    return float(1.0 - (w[order] * (up_to + before)).sum())


def mean_absolute_difference(values: ArrayLike, persons: ArrayLike) -> float:
    """Mean difference in access between two persons drawn at random: sum_k sum_l w_k w_l |x_k - x_l| = 2 mu G.

    Unit: that of access. The absolute companion of the Gini index; 0 when all are equal, also at nothing.
    """
    x, w = _present(values, persons)
    if x.size == 0:
        return float("nan")
    order = np.argsort(x, kind="stable")
    up_to = np.cumsum(w[order])
    # each step between two neighbours in the order lies between the persons below it and those above it
    return float(2 * (np.diff(x[order]) * up_to[:-1] * (1 - up_to[:-1])).sum())


def theil_index(values: ArrayLike, persons: ArrayLike) -> float:
    """Theil's T: sum_k w_k (x_k/mu) ln(x_k/mu) with 0 ln 0 = 0, so that persons who reach nothing count.

    Unit: none, from 0 (all equal) to ln(1 / share of the persons who hold all). Nobody reaches anything: missing.
    """
    x, w = _present(values, persons)
    mean = float((w * x).sum())
    return float((w * _x_ln_x(x / mean)).sum()) if mean > 0 else float("nan")


def theil_decomposition(values: ArrayLike, persons: ArrayLike, group: Sequence[str]) -> Theil:
    """Theil's T within and between groups: T = sum_g s_g T_g + sum_g s_g ln(s_g / w_g), exactly.

    s_g is the share of all access that group g has, w_g its share of persons. A group that reaches nothing adds 0 to
    both parts. Zones whose group is "" are left out.
    """
    names = np.asarray(group, dtype=object)
    given = np.asarray(values, dtype=np.float64)
    x, w, index = _present(np.where(names == "", np.nan, given), persons, np.arange(len(names), dtype=np.float64))
    names = names[index.astype(np.int64)]
    mean = float((w * x).sum())
    if not mean > 0:
        nothing = float("nan")
        return Theil(nothing, nothing, nothing, pd.DataFrame(columns=_THEIL_COLUMNS))
    records = []
    for name in sorted(set(names.tolist())):
        rows = names == name
        persons_share = float(w[rows].sum())
        access_share = float((w[rows] * x[rows]).sum()) / mean
        own = theil_index(x[rows], w[rows]) if access_share > 0 else 0.0
        between = access_share * float(np.log(access_share / persons_share)) if access_share > 0 else 0.0
        records.append((name, persons_share, access_share, own, access_share * own, between))
    table = pd.DataFrame(records, columns=_THEIL_COLUMNS)
    within, between = float(table["within"].sum()), float(table["between"].sum())
    return Theil(within + between, within, between, table)


_THEIL_COLUMNS = ["group", "persons_share", "access_share", "theil", "within", "between"]


def poverty_of_access(
    values: ArrayLike,
    persons: ArrayLike,
    *,
    line: float,
    order: int = 0,
    less_is_better: bool = False,
    cap: float | None = None,
) -> float:
    """Poverty of access below a line that means something in policy ("three employment zones in 45 minutes").

    Formula: FGT_a = sum_k w_k ((z - x_k)/z)^a [x_k < z]; order 0 is the share of persons below the line, 1 their mean
    shortfall over all persons, 2 weighs deep shortfalls more. For times (``less_is_better``) it is (x - z)/z where
    x > z; an unreached (infinite) time needs a ``cap`` for order 1 and 2. Unit: none. It adds up over groups by their
    shares of persons.

    References
    ----------
    Foster, J., Greer, J., Thorbecke, E. (1984). A class of decomposable poverty measures. Econometrica 52(3), 761-766.
    doi:10.2307/1913475
    """
    if not line > 0 or order not in (0, 1, 2):
        raise ValueError(f"the line ({line}) must be above 0 and the order ({order}) 0, 1 or 2")
    x, w = _present(values, persons, infinite=True)
    if cap is not None:
        x = np.minimum(x, cap)
    if order > 0 and not np.isfinite(x).all():
        raise ValueError("a time is infinite: give a cap, the longest time that a shortfall may be counted with")
    if x.size == 0:
        return float("nan")
    poor = x > line if less_is_better else x < line
    short = np.abs(x[poor] - line) / line if order else np.ones(int(poor.sum()))
    return float((w[poor] * short**order).sum())


def gain_shares(change: ArrayLike, persons: ArrayLike, share: ArrayLike) -> pd.DataFrame:
    """Which part of a proposal's gain goes to each group, beside the group's part of all persons.

    ``gain_share`` is the persons' gains of a group over all gains, ``loss_share`` the same for losses, so that a loss
    never hides in a gain. Missing where nobody gains (or loses).

    Parameters
    ----------
    change : float, shape (n_zones,)
        Change in access; NaN is left out.
    persons : float, shape (n_zones,)
    share : float, shape (n_zones, n_groups)
        Share of each zone's persons in each group (``groups.local_fifths``).
    """
    d = np.asarray(change, dtype=np.float64)
    w = np.where(np.isnan(d), 0.0, persons_of(persons, len(d)))[:, None] * np.asarray(share, dtype=np.float64)
    d = np.where(np.isnan(d), 0.0, d)[:, None]
    columns = {"persons_share": w, "gain_share": w * np.maximum(d, 0.0), "loss_share": w * np.maximum(-d, 0.0)}
    parts = {name: amount.sum(axis=0) for name, amount in columns.items()}
    return pd.DataFrame(
        {name: part / part.sum() if part.sum() > 0 else np.full(part.shape, np.nan) for name, part in parts.items()}
    )


def _association(x: FloatArray, w: FloatArray, rank: FloatArray) -> float:
    """2 sum_k w_k (x_k - mu)(R_k - 1/2): the concentration index times the mean."""
    _, place = np.unique(rank, return_inverse=True)
    of_rank = np.bincount(place, weights=w)
    middle = np.cumsum(of_rank) - of_rank / 2
    mean = float((w * x).sum())
    return float(2 * (w * (x - mean) * (middle[place] - 0.5)).sum())


def _x_ln_x(ratio: FloatArray) -> FloatArray:
    return np.asarray(np.where(ratio > 0, ratio * np.log(np.where(ratio > 0, ratio, 1.0)), 0.0))


def _present(*arrays: ArrayLike, infinite: bool = False) -> tuple[FloatArray, ...]:
    """Values, shares of persons (adding up to 1) and further columns of the zones that have all and hold anybody."""
    columns = [np.asarray(array, dtype=np.float64) for array in arrays]
    x = columns[0]
    columns[1] = persons_of(columns[1], len(x))
    if (x < 0).any() or (np.isinf(x).any() and not infinite):
        raise ValueError("access must be 0 or more and finite; a change or an unreached time has no place here")
    keep = columns[1] > 0
    for column in columns:
        keep &= ~np.isnan(column)
    kept = [column[keep] for column in columns]
    if kept[1].size:
        kept[1] = kept[1] / kept[1].sum()
    return tuple(kept)


_COUNT = "cumulative_opportunities"
_UNITS = {"palma_ratio": "ratio", "poverty_of_access": SHARE} | dict.fromkeys(
    ("concentration_index", "erreygers_index", "gini_index", "theil_index"), "index"
)
"""Of the indices that are not in the unit of access."""
_Key = tuple[str, str, str, str, float | None]
"""Day, window, kind, measure and cutoff."""


def poverty_lines(baseline: Sequence[WindowFigures], *, share: float = 0.6) -> dict[_Key, float]:
    """The line below which access is poor: a share of the median resident's access in the baseline, for each figure.

    Keys are (day, window, kind, measure, cutoff_min). Lines of 0 are left out: nobody is below them.
    """
    lines: dict[_Key, float] = {}
    for part in baseline:
        persons = part.zones["population"].to_numpy(np.float64)[part.by_id]
        for key, row in _counts(part):
            middle = weighted_quantile(part.value[row, part.by_id], np.nan_to_num(persons))
            if share * middle > 0:
                lines[key] = share * middle
    return lines


class Equity:
    """Indices of equity of every count of opportunities on average over departures, as rows of groups.csv.

    For each key of destinations, cutoff, window and scenario, in the grouping and group ``all``: concentration index and
    Erreygers index (bounds 0 and all opportunities, the same for every scenario), Palma ratio, Gini index, mean absolute
    difference, Theil index, and the share of residents in poverty of access where a line is given. The measure is
    ``<index>_of_<measure>``. Persons whose zone has no value or no deprivation rank are not covered.

    Parameters
    ----------
    totals : mapping of str to float
        All opportunities of each key.
    lines : mapping, optional
        ``poverty_lines`` of the baseline.
    """

    def __init__(self, totals: Mapping[str, float], lines: Mapping[_Key, float] | None = None) -> None:
        self._totals, self._lines = totals, lines or {}
        self._known: dict[tuple[int, int, int], tuple[object, dict[str, tuple[float, str]]]] = {}

    def rows(
        self, scenario: str, figures: Sequence[WindowFigures], baseline: Sequence[WindowFigures] = ()
    ) -> pd.DataFrame:
        """The rows of one scenario; those of a baseline give ``baseline`` and ``change``."""
        before = {key: (part, row) for part in baseline for key, row in _counts(part)}
        records: list[dict[str, Any]] = []
        for part in figures:
            population = part.zones["population"].astype("Float64").astype(float)
            persons = float(population.sum())
            by_id = population.fillna(0.0).to_numpy()[part.by_id]
            for key, row in _counts(part):
                day, window, kind, measure, cutoff = key
                if kind not in self._totals:
                    continue
                now = self._indices(part, row, key, part.zones)
                then = self._indices(*before[key], key, part.zones) if key in before else {}
                covered = float(by_id[~np.isnan(part.value[row, part.by_id])].sum())
                about = {"scenario": scenario, "day": day, "window": window, "grouping": "all", "group": "all"}
                mark = "low_coverage" if covered < LOW_COVERAGE * persons else ""
                for index, (value, unit) in now.items():
                    old = then.get(index, (math.nan, unit))[0]
                    changes = dict.fromkeys(("change", "low", "high"), value - old)
                    what = {"kind": kind, "measure": f"{index}_of_{measure}", "reading": "mean", "cutoff_min": cutoff}
                    of_whom = {"persons": persons, "persons_covered": covered, "mark": mark}
                    levels = {"value": value, "unit": unit, "baseline": old}
                    changed = dict.fromkeys(PERSONS_CHANGED, math.nan)
                    records.append({**about, **what, **of_whom, **levels, **changes, **changed})
        table = pd.DataFrame(records, columns=list(GROUP_COLUMNS))
        cutoffs = whole_or_float([about.cutoff_min for part in figures for about in part.about])
        return table.astype({"cutoff_min": cutoffs.dtype})

    def _indices(self, part: WindowFigures, row: int, key: _Key, zones: pd.DataFrame) -> dict[str, tuple[float, str]]:
        """Value and unit of each index of a figure for the people of some zones; worked out once for the same."""
        asked = id(part), row, id(zones)
        if asked not in self._known:
            people = zones[["id", "population", "deprivation_rank"]]
            if part.zones is not zones:
                people = people.set_index("id").reindex(part.zones["id"].tolist()).reset_index()
            of_zone = people[["population", "deprivation_rank"]].astype("Float64").astype(float).to_numpy()[part.by_id]
            found = _all_indices(
                part.value[row, part.by_id],
                np.nan_to_num(of_zone[:, 0]),
                of_zone[:, 1],
                self._totals[key[2]],
                self._lines.get(key),
            )
            unit = part.about[row].unit
            told = {index: (value, _UNITS.get(index, unit)) for index, value in found.items()}
            self._known[asked] = (part, zones), told
        return self._known[asked][1]


def _counts(part: WindowFigures) -> Iterator[tuple[_Key, int]]:
    """The counts of opportunities of whole keys on average over departures, with their rows."""
    for row, about in enumerate(part.about):
        if about.measure == _COUNT and about.reading == "mean" and "/" not in about.kind:
            yield (part.day, part.window, about.kind, about.measure, about.cutoff_min), row


def _all_indices(
    x: FloatArray, persons: FloatArray, rank: FloatArray, total: float, line: float | None
) -> dict[str, float]:
    found: dict[str, float] = {}
    if not np.isnan(rank).all():
        found["concentration_index"] = concentration_index(x, persons, rank)
        bounded = erreygers_index(x, persons, rank, lower=0.0, upper=total) if total > 0 else math.nan
        found["erreygers_index"] = bounded
        found["palma_ratio"] = palma_ratio(x, persons, rank).ratio
    found["gini_index"] = gini_index(x, persons)
    found["mean_absolute_difference"] = mean_absolute_difference(x, persons)
    found["theil_index"] = theil_index(x, persons)
    if line is not None:
        found["poverty_of_access"] = poverty_of_access(x, persons, line=line)
    return found
