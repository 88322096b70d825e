"""Groups of people (fifths by deprivation, the study's own groups) and the rows of groups.csv: levels, changes, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.columns import GROUPS_COLUMNS, LEAST_CHANGE
from community_routes.measures.list import column_of, less_is_better
from community_routes.measures.measure import reading_order
from community_routes.measures.weighted import persons_of, weighted_quantiles

FloatArray = NDArray[np.float64]
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
    value[number, place] = _counted(given, access["reason"].to_numpy(dtype=object), endless)
    return _Values(access.iloc[first][keys].reset_index(drop=True), value)


def _counted(value: FloatArray, reason: NDArray[np.object_], endless: NDArray[np.bool_]) -> FloatArray:
    """Values with infinity where there is no journey, of what is endless then."""
    never = np.isin(reason, ["over_time", "no_service", "over_fare"]) & endless
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

    ``change`` is ``value - baseline``; ``low`` and ``high`` equal it, because nothing here is random
    (``with_interval`` widens them from draws). ``persons_better`` and the others count persons of zones with a value in
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
    rows = [_counted(one.value, one.reason, endless)[None, :] for one in (figure, *([baseline] if baseline else []))]
    before_zones = baseline.zones if baseline is not None else figure.zones
    return _rows(_Values(what, rows[0]), rows[1] if baseline else None, figure.zones, before_zones, least_change)


def _rows(
    now: _Values, before: FloatArray | None, zones: pd.DataFrame, baseline_zones: pd.DataFrame, least_change: float
) -> pd.DataFrame:
    persons = persons_before = persons_of(zones["population"], len(zones))
    if before is not None and baseline_zones is not zones:
        aligned = baseline_zones.set_index("id").reindex(zones["id"].tolist())
        persons_before = persons_of(aligned["population"].fillna(0.0), len(zones))
    levels = _Levels(now, before, least_change)
    parts: list[_Part] = []
    for grouping in groupings(zones):
        share = grouping.share.T
        rows = levels.of(grouping, *(np.ascontiguousarray(share * people) for people in (persons, persons_before)))
        parts.append(rows)
        if grouping.name in _WITH_GAP:
            parts.append(_gap(rows))
    return _as_table(now.what, parts)


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
    """The figures of some groups: numbers for each name, one for each group and measure of a window."""

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
        """The rows of groups of persons, shape (n_groups, n_zones); as many at once as memory allows."""
        at_once = max(1, _AT_ONCE // max(1, self.now.size))
        some = [slice(i, i + at_once) for i in range(0, len(persons), at_once)]
        found = [self._columns(persons[part], persons_before[part]) for part in some]
        columns = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        few = columns["persons_covered"] < LOW_COVERAGE * columns["persons"] * (1 - _SAME)
        return _Part(grouping.name, grouping.groups, few, columns)

    def _columns(self, persons: FloatArray, persons_before: FloatArray) -> dict[str, FloatArray]:
        total = np.repeat(persons.sum(axis=1)[:, None], len(self.now), axis=1)
        found = {"persons": total, "persons_covered": _of_those(self.has, persons)}
        found["value"] = _levels(self.now, persons, self.times)
        if self.before is None:
            missing = np.full(total.shape, np.nan)
            return found | dict.fromkeys(("baseline", "change", "low", "high", *PERSONS_CHANGED), missing)
        found["baseline"] = _levels(self.before, persons_before, self.times)
        found["change"] = found["low"] = found["high"] = found["value"] - found["baseline"]
        return found | {column: _of_those(holds, persons) for column, holds in self.changed.items()}


_AT_ONCE = 1 << 20
"""So many figures of zones times groups are summed at once."""


def _of_those(holds: NDArray[np.bool_], persons: FloatArray) -> FloatArray:
    """Persons of each group in the zones that are meant in each row, shape (n_groups, n_rows)."""
    return np.asarray(np.where(holds[None, :, :], persons[:, None, :], 0.0).sum(axis=2))


def _levels(value: FloatArray, persons: FloatArray, times: NDArray[np.int64]) -> FloatArray:
    """For each group and row the weighted mean of finite values; of times (rows) the weighted median, NaN if never reached."""
    has = np.isfinite(value)[None, :, :] & (persons > 0)[:, None, :]
    weight = np.where(has, persons[:, None, :], 0.0)
    total = weight.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.where(has, value[None, :, :] * weight, 0.0).sum(axis=2) / total
    for group in range(len(persons) if len(times) else 0):
        median = weighted_quantiles(value[times], persons[group][None, :])[0]
        level[group, times] = np.where(np.isfinite(median), median, np.nan)
    return np.asarray(level)


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


def _gap(fifths: _Part) -> _Part:
    """Least deprived fifth minus most deprived fifth, row by row."""
    most, least = ({name: column[[at]] for name, column in fifths.columns.items()} for at in (0, -1))
    gap = {column: least[column] - most[column] for column in ("value", "baseline", "change")}
    gap["low"] = gap["high"] = gap["change"]
    for column in ("persons", "persons_covered", *PERSONS_CHANGED):
        gap[column] = least[column] + most[column]
    return _Part(fifths.grouping, ("gap",), fifths.mark[[0]] | fifths.mark[[-1]], gap)


_GROUPINGS = {"all": 0, "local": 1, "local_income": 2, "national": 3, "group": 4}
_WITH_GAP = ("local", "local_income", "national")


def _as_table(what: pd.DataFrame, parts: Sequence[_Part]) -> pd.DataFrame:
    """All groups in one table, in order of scenario, day, window, grouping, group, kind, measure, reading, cutoff."""
    names = [(part.grouping, group) for part in parts for group in part.groups]
    n, n_groups = len(what), len(names)
    readings = {reading: reading_order(reading) for reading in set(what["reading"])}
    cutoff = what["cutoff_min"].astype("Float64").fillna(-1.0).to_numpy(dtype=np.float64)
    keys = [
        *(np.tile(_ranks(what[column].tolist()), n_groups) for column in _WHEN),
        np.repeat([_GROUPINGS[grouping] for grouping, _ in names], n),
        np.repeat(_ranks([group for _, group in names]), n),
        *(np.tile(_ranks(what[column].tolist()), n_groups) for column in ("kind", "measure")),
        np.tile(_ranks([readings[reading] for reading in what["reading"]]), n_groups),
        np.tile(cutoff, n_groups),
    ]
    order = np.lexsort(keys[::-1])
    group_of = order // n if n else order
    table = what.iloc[order % n if n else order].reset_index(drop=True)
    found: dict[str, Any] = {column: table[column] for column in table.columns}
    for place, column in enumerate(("grouping", "group")):
        found[column] = np.asarray([name[place] for name in names], dtype=object)[group_of]
    for column in parts[0].columns:
        found[column] = np.concatenate([part.columns[column].ravel() for part in parts])[order]
    few = np.concatenate([part.mark.ravel() for part in parts])[order]
    found["mark"] = np.where(few, "low_coverage", "")
    return pd.DataFrame({column: found[column] for column in GROUP_COLUMNS})


def _ranks(values: Sequence[Any]) -> NDArray[np.int64]:
    """The place of each value among the different ones in their order."""
    place = {value: number for number, value in enumerate(sorted(set(values)))}
    return np.asarray([place[value] for value in values], dtype=np.int64)


def deprivation_gap(groups: pd.DataFrame, grouping: str = "local") -> pd.DataFrame:
    """The gap between the most and the least deprived fifth, with both levels in one row.

    Columns: scenario, day, window, kind, measure, reading, cutoff_min, unit, most_deprived, least_deprived, gap
    (least minus most), ratio (least over most; missing when the most deprived have nothing), and the same of the
    baseline with the prefix ``baseline_``.
    """
    return pd.DataFrame(list(_gap_records(groups[groups["grouping"] == grouping])))


def _gap_records(groups: pd.DataFrame) -> Iterator[dict[str, Any]]:
    keys = [*_WHEN, *_WHAT]
    most = groups[groups["group"] == "1"].reset_index(drop=True)
    least = groups[groups["group"] == str(N_FIFTHS)].reset_index(drop=True)
    for i in range(len(most)):
        record: dict[str, Any] = {key: most[key].iat[i] for key in keys}
        for prefix, column in (("", "value"), ("baseline_", "baseline")):
            low, high = float(most[column].iat[i]), float(least[column].iat[i])
            record[f"{prefix}most_deprived"], record[f"{prefix}least_deprived"] = low, high
            record[f"{prefix}gap"] = high - low
            record[f"{prefix}ratio"] = high / low if low > 0 else float("nan")
        yield record


def with_interval(groups: pd.DataFrame, changes: ArrayLike) -> pd.DataFrame:
    """The table with ``low`` and ``high`` from draws: the 2.5th and 97.5th percentile of each row's change.

    Parameters
    ----------
    groups : DataFrame
        Rows of ``group_rows``.
    changes : float, shape (n_draws, n_rows)
        The column ``change`` of the same rows, worked out anew in each joint draw.
    """
    drawn = np.asarray(changes, dtype=np.float64)
    if drawn.ndim != 2 or drawn.shape[1] != len(groups) or drawn.shape[0] == 0:
        raise ValueError(f"changes have the shape {drawn.shape}, not (draws, {len(groups)})")
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    return groups.assign(low=low, high=high)
