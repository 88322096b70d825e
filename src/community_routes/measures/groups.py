"""Groups of people (fifths by deprivation, the study's own groups) and the rows of groups.csv: levels, changes, gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.columns import GROUPS_COLUMNS, LEAST_CHANGE
from community_routes.base.kernels import kernel, step
from community_routes.measures.list import column_of, less_is_better
from community_routes.measures.measure import (
    REASONS,
    About,
    WindowFigures,
    reading_order,
    taken,
    whole_or_float,
)
from community_routes.measures.weighted import persons_of, weighted_quantiles

FloatArray = NDArray[np.float64]
Array = Any
N_FIFTHS = 5
GROUP_COLUMNS = (*GROUPS_COLUMNS, "mark", "persons_below")
LOW_COVERAGE = 0.8
_WHEN = ["scenario", "day", "window"]
_WHAT = ["kind", "measure", "reading", "cutoff_min", "unit"]
_SAME = 1e-9  # relative: what rounding may do to an average over origin points


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of persons, and which share of each zone's persons is in each.

    Attributes
    ----------
    name : str
        ``all``, ``local``, ``local_income``, ``national`` or ``group``.
    groups : tuple of str
    share : float64, shape (n_zones, n_groups)
        0 to 1; a row adds up to 1, or to 0 for a zone in no group (no deprivation rank, or no name).
    """

    name: str
    groups: tuple[str, ...]
    share: FloatArray


def local_fifths(persons: ArrayLike, deprivation_rank: ArrayLike) -> FloatArray:
    """Share of each zone's persons in each fifth of this study's persons, most deprived first.

    Persons are put in order of their zone's deprivation rank (1 is most deprived) and cut into five equal parts; the
    zone in which a cut falls is split by persons. Zones of equal rank share their place: each gives the same part of
    its persons to a fifth, so that the order of rows decides nothing. A zone without a rank is in no fifth.

    Parameters
    ----------
    persons : float, shape (n_zones,)
    deprivation_rank : float, shape (n_zones,)
        NaN where there is none. A rank or a score, not a decile where it can be helped: deciles are coarse ties.

    Returns
    -------
    float64, shape (n_zones, 5)
    """
    return cut_by_rank(persons, deprivation_rank, np.arange(N_FIFTHS + 1) / N_FIFTHS)


def cut_by_rank(persons: ArrayLike, rank: ArrayLike, cuts: ArrayLike) -> FloatArray:
    """Share of each zone's persons between two cuts (shares of all persons from 0 to 1) when put in order of rank.

    A zone with nobody stands where its rank stands: it belongs to the part that holds its place.
    """
    order = np.asarray(rank, dtype=np.float64)
    people = persons_of(persons, len(order))
    edges = np.asarray(cuts, dtype=np.float64)
    share = np.zeros((len(order), len(edges) - 1))
    ranked = np.flatnonzero(~np.isnan(order))
    if len(ranked) == 0:
        return share
    _, place = np.unique(order[ranked], return_inverse=True)
    of_rank = np.bincount(place, weights=people[ranked])
    end = np.cumsum(of_rank)
    start, total = np.concatenate([[0.0], end[:-1]]), end[-1]
    bounds = edges * total
    bounds[edges >= 1] = np.inf
    for part in range(len(edges) - 1):
        inside = np.minimum(end, bounds[part + 1]) - np.maximum(start, bounds[part])
        with np.errstate(invalid="ignore", divide="ignore"):
            fraction = np.clip(inside, 0.0, of_rank) / of_rank
        stands = (start >= bounds[part]) & (start < bounds[part + 1])
        share[ranked, part] = np.where(of_rank > 0, fraction, stands)[place]
    return share


def national_fifths(deprivation_decile: ArrayLike) -> FloatArray:
    """Share of each zone's persons in each national fifth: 1 is deciles 1 and 2, the most deprived; (n_zones, 5)."""
    decile = np.asarray(deprivation_decile, dtype=np.float64)
    known = decile[~np.isnan(decile)]
    if ((known < 1) | (known > 10) | (known != np.rint(known))).any():
        raise ValueError("a deprivation decile is not a whole number from 1 to 10")
    fifth = np.ceil(decile / 2)
    return np.asarray(fifth[:, None] == np.arange(1, N_FIFTHS + 1), dtype=np.float64)


def named_groups(names: Sequence[str]) -> Grouping:
    """The study's own groups (wards) in order of their names; a zone without a name is in none."""
    array = np.asarray(["" if pd.isna(name) else str(name) for name in names], dtype=object)
    groups = tuple(sorted(set(array.tolist()) - {""}))
    share = np.stack([array == group for group in groups], axis=1) if groups else np.zeros((len(array), 0))
    return Grouping("group", groups, share.astype(np.float64))


def groupings(zones: pd.DataFrame) -> list[Grouping]:
    """Everybody, local and national fifths, and the study's groups, as far as the zones tell.

    ``local_income`` are local fifths by the rank in the domain of income alone: an index of deprivation contains access
    to services itself, which a comparison of access by that index cannot be told apart from.

    Parameters
    ----------
    zones : DataFrame
        population, and where known: deprivation_rank, deprivation_decile, income_rank, group. Without any rank the
        local fifths are cut by decile.
    """
    persons = zones["population"].to_numpy(dtype=np.float64)
    found = [Grouping("all", ("all",), np.ones((len(zones), 1)))]
    fifths = tuple(str(number) for number in range(1, N_FIFTHS + 1))
    rank, decile, income = (
        _numbers(zones, column) for column in ("deprivation_rank", "deprivation_decile", "income_rank")
    )
    by = decile if np.isnan(rank).all() else rank
    for name, order in (("local", by), ("local_income", income)):
        if not np.isnan(order).all():
            found.append(Grouping(name, fifths, local_fifths(persons, order)))
    if not np.isnan(decile).all():
        found.append(Grouping("national", fifths, national_fifths(decile)))
    if "group" in zones.columns:
        named = named_groups(zones["group"].tolist())
        if named.groups:
            found.append(named)
    return found


def _numbers(zones: pd.DataFrame, column: str) -> FloatArray:
    if column not in zones.columns:
        return np.full(len(zones), np.nan)
    return np.asarray(zones[column].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))


@dataclass(frozen=True, eq=False)
class _Values:
    """An access table turned sideways: one row for each measure of a window, one column for each zone.

    ``value`` is NaN where it is missing, and infinite for a time (or a cost of commuting) without a journey from a zone on
    the network: a first journey is better than none.
    """

    what: pd.DataFrame
    value: FloatArray


def _sideways(access: pd.DataFrame, zone_ids: Sequence[str]) -> _Values:
    place = pd.Index(np.asarray(zone_ids, dtype=object)).get_indexer(access["neighbourhood"].to_numpy(dtype=object))
    if (place < 0).any():
        stranger = access["neighbourhood"].iloc[int(np.flatnonzero(place < 0)[0])]
        raise ValueError(f"the access table has the neighbourhood {stranger!r}, which the zones do not have")
    keys = [*_WHEN, *_WHAT]
    number = access.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    _, first = np.unique(number, return_index=True)
    value = np.full((len(first), len(zone_ids)), np.nan)
    names = [name for name in access["measure"].unique() if column_of(name).endless]
    endless = _is_time(access) | access["measure"].isin(names).to_numpy(dtype=bool)
    given = access["value"].to_numpy(dtype=np.float64)
    value[number, place] = counted_values(given, access["reason"].to_numpy(dtype=object), endless)
    return _Values(access.iloc[first][keys].reset_index(drop=True), value)


def _of_windows(scenario: str, figures: Sequence[WindowFigures]) -> _Values:
    """The same of the figures of one evaluation: they lie sideways."""
    about = [(scenario, part.day, part.window, *row) for part in figures for row in part.about]
    what = pd.DataFrame(about, columns=[*_WHEN, *About._fields])[[*_WHEN, *_WHAT]]
    what["cutoff_min"] = whole_or_float(what["cutoff_min"])
    value, reason = (np.concatenate([getattr(part, name) for part in figures]) for name in ("value", "reason"))
    endless = {measure: column_of(measure).endless for measure in what["measure"].unique()}
    is_endless = _is_time(what) | what["measure"].map(endless).to_numpy(dtype=bool)
    return _Values(what, np.where(np.isin(reason, _NEVER) & is_endless[:, None], np.inf, value))


_NO_JOURNEY = ("over_time", "no_service", "over_fare")
_NEVER = [REASONS.index(reason) for reason in _NO_JOURNEY]


def counted_values(value: FloatArray, reason: NDArray[np.object_], endless: NDArray[np.bool_]) -> FloatArray:
    """Values with infinity where there is no journey, of what is endless then."""
    never = np.isin(reason, _NO_JOURNEY) & endless
    return np.where(never & np.isnan(value), np.inf, value)


def _is_time(table: pd.DataFrame) -> NDArray[np.bool_]:
    return np.asarray((table["unit"] == "seconds").to_numpy(dtype=bool))


def group_rows(
    access: pd.DataFrame,
    zones: pd.DataFrame,
    *,
    baseline: pd.DataFrame | None = None,
    baseline_zones: pd.DataFrame | None = None,
    least_change: float = LEAST_CHANGE,
) -> pd.DataFrame:
    """Levels of access of groups of persons, and their change from a baseline, in the columns of groups.csv.

    ``value`` is the mean over the group's persons in zones that have a value (``persons_covered`` of ``persons``). For a
    time it is, in the readings ``p<percentile>``, the median over persons, with persons who never reach it counted last;
    the measure ``share_reached_...`` beside it says at how many departures they do. A group of whom less than
    80 % are covered has the mark ``low_coverage``. In the groupings of fifths the group ``gap`` is the
    level of fifth 5 (least deprived) minus that of fifth 1 (most deprived), whose own rows hold both levels.

    ``change`` is ``value - baseline``; ``low`` and ``high`` equal it, because nothing here is random.
    ``persons_better`` and the others count persons of zones with a value in
    both tables, as ``better_or_worse`` judges each; ``persons_below`` are those of ``persons_same`` whose level changes by
    less than what counts.

    Parameters
    ----------
    access : DataFrame
        Rows of access.csv; several scenarios, days and windows may stand in it.
    zones : DataFrame
        id, population, and deprivation_rank, deprivation_decile, group where known.
    baseline : DataFrame, optional
        The access table of the baseline (one scenario).
    baseline_zones : DataFrame, optional
        Zones of the baseline where a proposal adds homes; the same zones when left out.
    least_change : float
        A change of at most this share of the baseline's level counts as the same.

    Returns
    -------
    DataFrame
        In order of scenario, day, window, grouping, group, kind, measure, reading, cutoff.
    """
    ids = zones["id"].tolist()
    now = _sideways(access, ids)
    before = None if baseline is None else _paired(_sideways(baseline, ids), now)
    return _rows(now, before, zones, zones if baseline_zones is None else baseline_zones, least_change)


@dataclass(frozen=True, eq=False)
class Baseline:
    """What figures are compared with.

    Attributes
    ----------
    figures : sequence of WindowFigures
        In the rows of the others (``measure.beside``).
    zones : DataFrame
        Its own zones, where other persons may live.
    further : mapping of str to float64, shape (n_groups, n_rows) or (1, n_rows)
        Further columns: groups in the order of ``groupings``, after fifths their gap; figures window by window.
    """

    figures: Sequence[WindowFigures]
    zones: pd.DataFrame
    further: Mapping[str, FloatArray] = field(default_factory=dict)


def window_groups(
    scenario: str,
    figures: Sequence[WindowFigures],
    baseline: Baseline | None = None,
    *,
    least_change: float = LEAST_CHANGE,
) -> pd.DataFrame:
    """``group_rows`` of the figures of an evaluation, without a table of access.

    Parameters
    ----------
    scenario : str
    figures : sequence of WindowFigures
    baseline : Baseline, optional
    least_change : float
    """
    zones, now = figures[0].zones, _of_windows(scenario, figures)
    if baseline is None:
        return _rows(now, None, zones, zones, least_change)
    before = _of_windows("", baseline.figures).value
    return _rows(now, before, zones, baseline.zones, least_change, baseline.further)


@dataclass(frozen=True, eq=False)
class ZoneFigure:
    """One figure of every zone, with why it is missing.

    Attributes
    ----------
    zones : DataFrame
        As of ``group_rows``.
    value : float64, shape (n_zones,)
    reason : object, shape (n_zones,)
    """

    zones: pd.DataFrame
    value: FloatArray
    reason: NDArray[np.object_]


def figure_rows(
    what: pd.DataFrame, figure: ZoneFigure, baseline: ZoneFigure | None = None, *, least_change: float = LEAST_CHANGE
) -> pd.DataFrame:
    """``group_rows`` of one figure, without a table of access.

    Parameters
    ----------
    what : DataFrame
        One row: scenario, day, window, kind, measure, reading, cutoff_min and unit of the figure.
    figure : ZoneFigure
    baseline : ZoneFigure, optional
        Its values in the order of the figure's zones; its zones may be others.
    least_change : float
    """
    endless = _is_time(what) | column_of(str(what["measure"].iat[0])).endless
    rows = [
        counted_values(one.value, one.reason, endless)[None, :] for one in (figure, *([baseline] if baseline else []))
    ]
    before_zones = baseline.zones if baseline is not None else figure.zones
    return _rows(_Values(what, rows[0]), rows[1] if baseline else None, figure.zones, before_zones, least_change)


def _rows(
    now: _Values,
    before: FloatArray | None,
    zones: pd.DataFrame,
    baseline_zones: pd.DataFrame,
    least_change: float,
    further: Mapping[str, FloatArray] | None = None,
) -> pd.DataFrame:
    persons = persons_before = persons_of(zones["population"], len(zones))
    if before is not None and baseline_zones is not zones:
        aligned = baseline_zones.set_index("id").reindex(zones["id"].tolist())
        persons_before = persons_of(aligned["population"].fillna(0.0), len(zones))
    levels = _Levels(now, before, least_change)
    parts = [
        levels.of(grouping, *(np.ascontiguousarray(grouping.share.T * whose) for whose in (persons, persons_before)))
        for grouping in groupings(zones)
    ]
    return _as_table(now.what, parts, further or {})


def _paired(before: _Values, now: _Values) -> FloatArray:
    """Values of the baseline in the rows of the proposal; NaN rows where the baseline has none."""
    keys = ["day", "window", *_WHAT]
    if before.what["scenario"].nunique() > 1:
        raise ValueError("the baseline table holds more than one scenario")
    left = now.what[keys].reset_index().rename(columns={"index": "row"})
    right = before.what[keys].reset_index().rename(columns={"index": "row_before"})
    both = left.merge(right, on=keys, how="inner")
    paired = np.full(now.value.shape, np.nan)
    paired[both["row"].to_numpy()] = before.value[both["row_before"].to_numpy()]
    return paired


@dataclass(frozen=True, eq=False)
class _Part:
    """The figures of the groups of one grouping: for each name an array (n_groups, n_rows), rows being measures of a window."""

    grouping: str
    groups: tuple[str, ...]
    mark: NDArray[np.bool_]
    columns: dict[str, FloatArray]


PERSONS_CHANGED = ("persons_better", "persons_worse", "persons_same", "persons_below")


class _Levels:
    """Levels of groups, and their changes: what hangs on no group is worked out once."""

    def __init__(self, now: _Values, before: FloatArray | None, least_change: float) -> None:
        self.now, self.before = now.value, before
        is_time = _is_time(now.what) & (now.what["reading"] != "mean").to_numpy(dtype=bool)
        self.times = np.flatnonzero(is_time)
        self.has = np.where(is_time[:, None], ~np.isnan(now.value), np.isfinite(now.value))
        self.changed = {} if before is None else _who_changes(now, before, least_change)

    def of(self, grouping: Grouping, persons: FloatArray, persons_before: FloatArray) -> _Part:
        """The rows of the groups of a grouping, of whom so many persons are in each zone: (n_groups, n_zones)."""
        shape = len(persons), len(self.now)
        total = np.broadcast_to(persons.sum(axis=1)[:, None], shape)
        found = {"persons": total, "persons_covered": sums_over_zones(self.has.astype(np.float64), persons)}
        found["value"] = levels_of(self.now, persons, self.times)
        few = found["persons_covered"] < LOW_COVERAGE * total * (1 - _SAME)
        if self.before is None:
            missing = np.full(shape, np.nan)
            found |= dict.fromkeys(("baseline", "change", "low", "high", *PERSONS_CHANGED), missing)
        else:
            found["baseline"] = levels_of(self.before, persons_before, self.times)
            found["change"] = found["low"] = found["high"] = found["value"] - found["baseline"]
            for column, holds in self.changed.items():
                found[column] = sums_over_zones(holds.astype(np.float64), persons)
        part = _Part(grouping.name, grouping.groups, few, found)
        return _with_gap(part) if grouping.name in WITH_GAP else part


def levels_of(value: FloatArray, persons: FloatArray, times: NDArray[np.int64]) -> FloatArray:
    """Weighted mean of finite values; of times (rows) the weighted median, NaN where never reached: (n_groups, n_rows)."""
    has = np.isfinite(value)
    total = sums_over_zones(has.astype(np.float64), persons)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = sums_over_zones(np.where(has, value, 0.0), persons) / total
    median = weighted_quantiles(value[times], persons)
    level[:, times] = np.where(np.isfinite(median), median, np.nan)
    return np.asarray(level)


@kernel
def sums_over_zones(figures: Array, persons: Array) -> Array:
    """Of each group and figure the sum over zones of figure times persons: (n, n_zones), (n_groups, n_zones) -> (n_groups, n).

    In the order in which numpy sums up a row, so that a figure stays the same to the bit.
    """
    found = np.zeros((persons.shape[0], figures.shape[0]), np.float64)
    terms = np.empty(persons.shape[1], np.float64)
    for row in range(figures.shape[0]):
        for group in range(persons.shape[0]):
            for zone in range(persons.shape[1]):
                terms[zone] = figures[row, zone] * persons[group, zone]
            found[group, row] = _pairwise_sum(terms)
    return found


@step
def _pairwise_sum(terms: Array) -> Any:
    """The sum by halves, with eight partial sums for up to 128 terms."""
    n = len(terms)
    if n > 128:
        half = n // 2
        half -= half % 8
        return _pairwise_sum(terms[:half]) + _pairwise_sum(terms[half:])
    total, done = 0.0, 0
    if n >= 8:
        a, b, c, d, e, f, g, h = terms[0], terms[1], terms[2], terms[3], terms[4], terms[5], terms[6], terms[7]
        done = n - n % 8
        for k in range(8, done, 8):
            a += terms[k]
            b += terms[k + 1]
            c += terms[k + 2]
            d += terms[k + 3]
            e += terms[k + 4]
            f += terms[k + 5]
            g += terms[k + 6]
            h += terms[k + 7]
        total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for k in range(done, n):
        total += terms[k]
    return total


def better_or_worse(
    before: FloatArray,
    now: FloatArray,
    less_better: NDArray[np.bool_] | np.bool_,
    least: FloatArray | float = LEAST_CHANGE,
) -> FloatArray:
    """The one rule for who gains and who loses: 1 better, -1 worse, 0 the same, NaN where either value is missing.

    A change counts when it is more than a share of the baseline's value, so that a bus that comes a minute later at one
    departure makes nobody a loser. Where the baseline is 0 or endless (a first place reached, a first journey) every
    change counts. What rounding may do (1e-9 of the larger value) never does.

    Parameters
    ----------
    before, now : float64
        Levels of the same shape; a time that is never reached is infinite.
    less_better : bool
        True where the smaller value is the better one.
    least : float
        The share (0.01 is 1 %).
    """
    with np.errstate(invalid="ignore"):
        gain = np.where(before == now, 0.0, np.where(less_better, before - now, now - before))
        rounding = _SAME * np.maximum(np.abs(before), np.abs(now))
        small = np.isfinite(gain) & (np.abs(gain) <= least * np.abs(before) + rounding)
    return np.where(small, 0.0, np.sign(gain))


def _who_changes(now: _Values, before: FloatArray, share: float) -> dict[str, NDArray[np.bool_]]:
    """For each row and zone whether it is better, worse or the same; none of them where a value is missing."""
    known = {measure: less_is_better(measure) for measure in now.what["measure"].unique()}
    less = now.what["measure"].map(known).to_numpy(dtype=bool).reshape(-1, 1)
    counted, moved = (better_or_worse(before, now.value, less, least) for least in (share, 0.0))
    found = (counted > 0, counted < 0, counted == 0, (counted == 0) & (moved != 0))
    return dict(zip(PERSONS_CHANGED, found, strict=True))


def _with_gap(part: _Part) -> _Part:
    """With the last group (the least deprived fifth) minus the first, row by row."""
    most, least = ({column: values[at] for column, values in part.columns.items()} for at in (0, -1))
    gap = {column: least[column] - most[column] for column in ("value", "baseline", "change")}
    gap["low"] = gap["high"] = gap["change"]
    for column in ("persons", "persons_covered", *PERSONS_CHANGED):
        gap[column] = least[column] + most[column]
    columns = {column: np.concatenate([values, gap[column][None]]) for column, values in part.columns.items()}
    mark = np.concatenate([part.mark, part.mark[:1] | part.mark[-1:]])
    return _Part(part.grouping, (*part.groups, "gap"), mark, columns)


_GROUPINGS = {"all": 0, "local": 1, "local_income": 2, "national": 3, "group": 4}
WITH_GAP = ("local", "local_income", "national")
"""Groupings of fifths, which have a gap between the last and the first."""


def _as_table(what: pd.DataFrame, parts: Sequence[_Part], further: Mapping[str, FloatArray]) -> pd.DataFrame:
    """All groups in one table, in order of scenario, day, window, grouping, group, kind, measure, reading, cutoff."""
    names = [(part.grouping, group) for part in parts for group in part.groups]
    readings = {reading: reading_order(reading) for reading in set(what["reading"])}
    cutoff = what["cutoff_min"].astype("Float64").fillna(-1.0).tolist()
    windows = _ranks(list(zip(*(what[column].tolist() for column in _WHEN), strict=True)))
    within = [what["kind"].tolist(), what["measure"].tolist(), [readings[reading] for reading in what["reading"]]]
    figures, n = _ranks(list(zip(*within, cutoff, strict=True))), max(len(what), 1)
    groups = _ranks([(_GROUPINGS[grouping], group) for grouping, group in names])
    place = (windows[None, :] * len(names) + groups[:, None]) * n + figures[None, :]
    order = np.argsort(place, axis=None, kind="stable")
    of_group, of_row = np.divmod(order, n)
    table = what.iloc[of_row].reset_index(drop=True)
    for column, texts in zip(("grouping", "group"), zip(*names, strict=True), strict=True):
        table[column] = taken(texts, of_group)
    for column in parts[0].columns:
        table[column] = np.concatenate([part.columns[column] for part in parts]).reshape(-1)[order]
    few = np.concatenate([part.mark for part in parts]).reshape(-1)[order]
    table["mark"] = taken(["", "low_coverage"], few.astype(np.int64))
    for column, values in further.items():
        table[column] = np.broadcast_to(values, place.shape).reshape(-1)[order]
    return table[[*GROUP_COLUMNS, *further]]


def _ranks(values: Sequence[Any]) -> NDArray[np.int64]:
    """The place of each value among the different ones in their order."""
    place = {value: number for number, value in enumerate(sorted(set(values)))}
    return np.asarray([place[value] for value in values], dtype=np.int64)
