"""Two tables of access side by side: what changed, what came and went, and how sure the difference is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.columns import COMPARISON_COLUMNS, LEAST_CHANGE
from community_routes.base.errors import UsageError
from community_routes.base.kernels import kernel
from community_routes.evaluation.evaluate import Evaluation
from community_routes.measures.groups import better_or_worse
from community_routes.measures.list import less_is_better
from community_routes.measures.measure import REASONS, TableRows, WindowFigures, beside, taken, whole_or_float
from community_routes.routing.matrices import as_cube
from community_routes.routing.scan import NEVER

KEYS = ("day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min")
"""What a row of access.csv is about, the scenario aside."""
COLUMNS = (*COMPARISON_COLUMNS, "category")
LEAST_DRAWS = 200
INTERVAL = (2.5, 97.5)


def compare_tables(
    baseline: pd.DataFrame,
    proposal: pd.DataFrame,
    *,
    scenario: str | None = None,
    draws: Iterable[tuple[pd.DataFrame, pd.DataFrame]] | None = None,
    floor: float = 0.0,
    least_change: float = LEAST_CHANGE,
) -> pd.DataFrame:
    """The table comparison.csv of two tables access.csv.

    Parameters
    ----------
    baseline, proposal : DataFrame
        Columns of access.csv, each about one scenario; ``value`` is NaN (with a ``reason``) where missing.
    scenario : str, optional
        Name in the column ``scenario``; else the proposal's.
    draws : iterable of (baseline, proposal), optional
        At least 200 pairs of such tables with common random numbers; ``low`` and ``high`` are the 2.5th and 97.5th percentile
        of the change over them. Without draws nothing is random and ``low = high = change``.
    floor : float
        A change of at most this size counts as ``same`` in ``category``.
    least_change : float
        So does a change of at most this share of the baseline's value; with 0 and no floor every change counts.

    Returns
    -------
    DataFrame
        The columns ``COLUMNS``, rows sorted by what they are about. A row that only one table has is there as well.
        ``category`` is better, worse or same where both have a value; ``gained`` where only the proposal has one, ``lost``
        where only the baseline has, ``missing`` where neither has: these three have no ``change``, and ``reason`` says
        why the value is missing.

    Raises
    ------
    UsageError
        A table has two rows about the same, or lacks a column.
    """
    before, after, made = _side_by_side(baseline, proposal)
    old, new = before["value"].to_numpy(np.float64), after["value"].to_numpy(np.float64)
    has_old, has_new = ~np.isnan(old), ~np.isnan(new)
    change = _changes(old, new)
    made["scenario"] = scenario if scenario is not None else _name(proposal)
    made["baseline"], made["value"], made["change"] = old, new, change
    made["reason"] = np.where(
        has_new & has_old,
        "",
        np.where(has_new, _texts(before["reason"]), _texts(after["reason"])),
    )
    less = {measure: less_is_better(measure) for measure in set(made["measure"])}
    measure = made["measure"].map(less).to_numpy(bool)
    made["category"] = categories(old, new, measure, floor, least_change)
    made["low"], made["high"] = change, change
    if draws is not None:
        made["low"], made["high"] = _interval_of(draws, pd.MultiIndex.from_frame(made[list(KEYS)]))
    return made.loc[:, list(COLUMNS)].reset_index(drop=True)


def compare_figures(
    scenario: str,
    baseline: Sequence[WindowFigures],
    proposal: Sequence[WindowFigures],
    *,
    least_change: float = LEAST_CHANGE,
    further: Mapping[str, Sequence[NDArray[np.float64]]] | None = None,
) -> pd.DataFrame | None:
    """``compare_tables`` of the figures of two evaluations; None where they are not of the same windows and about the same.

    Parameters
    ----------
    scenario : str
    baseline, proposal : sequence of WindowFigures
    least_change : float
    further : mapping of str to arrays, shape (n_about, n_zones), optional
        Further columns: an array for each window of the proposal.
    """
    before = beside(baseline, proposal)
    if before is None:
        return None
    rows, was, now = TableRows(proposal), baseline[0].zones, proposal[0].zones
    known = now[["name", "population", "deprivation_decile"]]
    if now is not was and known.isna().any(axis=None):
        known = known.fillna(was.set_index("id")[list(known)].reindex(now["id"]).set_axis(now.index))
    old, new = TableRows(before).along("value"), rows.along("value")
    has_old, has_new = ~np.isnan(old), ~np.isnan(new)
    reasons = np.select([has_old & has_new, has_new], [0, TableRows(before).along("reason")], rows.along("reason"))
    less = [less_is_better(about.measure) for part in proposal for about in part.about]
    change = _changes(old, new)
    cutoffs, of_row = rows.cutoffs()
    texts = cutoffs.astype(object)
    texts[pd.isna(cutoffs)] = ""
    made: dict[str, Any] = {
        "scenario": taken([scenario], np.zeros(len(rows), np.int64)),
        "day": rows.of_part("day"),
        "window": rows.of_part("window"),
        "neighbourhood": rows.of_zone(now["id"].to_numpy()),
        "name": rows.of_zone(known["name"].to_numpy()),
        "population": rows.of_zone(known["population"].to_numpy(dtype=np.float64)),
        "deprivation_decile": rows.of_zone(whole_or_float(known["deprivation_decile"].to_numpy())),
        "kind": rows.of_about("kind"),
        "measure": rows.of_about("measure"),
        "reading": rows.of_about("reading"),
        "cutoff_min": texts[of_row],
        "unit": rows.of_about("unit"),
        "reason": taken(REASONS, reasons.astype(np.int64)),
        "baseline": old,
        "value": new,
        "change": change,
        "low": change,
        "high": change,
        "category": taken(CATEGORIES, _category(old, new, np.asarray(less, np.bool_)[of_row], 0.0, least_change)),
    }
    for name, arrays in (further or {}).items():
        made[name] = np.concatenate([part.along(values) for part, values in zip(proposal, arrays, strict=True)])
    return pd.DataFrame(made)


CATEGORIES = ("better", "worse", "same", "lost", "gained", "missing")


def _changes(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """New minus old; missing where either is. Equal infinities, as of a time that is never reached, are no change."""
    return np.where(np.isnan(old) | np.isnan(new), np.nan, np.where(old == new, 0.0, _difference(old, new)))


def categories(
    old: NDArray[np.float64],
    new: NDArray[np.float64],
    less_better: NDArray[np.bool_],
    floor: float = 0.0,
    least_change: float = LEAST_CHANGE,
) -> NDArray[np.object_]:
    """``better``, ``worse``, ``same``, ``gained``, ``lost`` or ``missing`` for each pair of values; NaN is missing.

    Parameters
    ----------
    old, new : float64, shape (n,)
    less_better : bool, shape (n,)
        True where the smaller value is the better one.
    floor : float
        Changes of at most this size are ``same``.
    least_change : float
        So are those of at most this share of the old value.
    """
    return np.asarray(CATEGORIES, object)[_category(old, new, less_better, floor, least_change)]


def _category(
    old: NDArray[np.float64],
    new: NDArray[np.float64],
    less_better: NDArray[np.bool_],
    floor: float,
    least_change: float,
) -> NDArray[np.int64]:
    """The same as places in ``CATEGORIES``."""
    way = better_or_worse(old, new, less_better, least_change)
    way = np.where(np.abs(_difference(old, new)) <= floor, 0.0, way)
    cases = [way > 0, way < 0, way == 0, ~np.isnan(old), ~np.isnan(new)]
    return np.select(cases, range(5), 5)


def interval(changes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """2.5th and 97.5th percentile over the draws, shape (n_draws, n) -> (n,), (n,).

    Missing where any draw is missing: a percentile of the rest would be of other circumstances.

    Raises
    ------
    UsageError
        Fewer than 200 draws.
    """
    changes = np.asarray(changes, np.float64)
    if len(changes) < LEAST_DRAWS:
        raise UsageError(f"an interval needs at least {LEAST_DRAWS} draws; {len(changes)} given")
    low, high = np.percentile(changes, INTERVAL, axis=0)
    return np.asarray(low), np.asarray(high)


def spread(before: NDArray[np.float64], after: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """5th and 95th percentile of the paired change over the departures, which is variation and no interval.

    Parameters
    ----------
    before, after : float64, shape (n, n_departures)
        Values of each departure; NaN where missing, and such departures are left out.

    Returns
    -------
    low, high : float64, shape (n,)
        NaN where no departure has both.
    """
    change = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    low, high = np.full(len(change), np.nan), np.full(len(change), np.nan)
    missing = np.isnan(change)
    whole, some = ~missing.any(axis=1), missing.any(axis=1) & ~missing.all(axis=1)
    still = whole & ~(change != 0).any(axis=1)  # most rows: nothing to put in order
    low[still] = high[still] = 0.0
    whole &= ~still
    for rows, percentiles in (
        (whole, np.percentile),
        (some, np.nanpercentile),
    ):  # the second goes row by row, and is slow
        if rows.any():
            low[rows], high[rows] = percentiles(change[rows], (5, 95), axis=1)
    return low, high


def can_be_told_apart(difference: NDArray[np.float64]) -> bool:
    """Whether the interval of the paired difference of two proposals, over its draws, leaves 0 out."""
    low, high = interval(np.asarray(difference, np.float64).reshape(-1, 1))
    return bool(low[0] > 0 or high[0] < 0)


def shares_of_settings(one: NDArray[np.float64], other: NDArray[np.float64], floor: float = 0.0) -> dict[str, float]:
    """In what share of settings (cutoffs, walking speeds, windows) the first proposal gains more than the second.

    Parameters
    ----------
    one, other : float64, shape (n_settings,)
        Gain of each in the same settings; a setting in which either is missing (NaN) is left out.
    floor : float
        Differences of at most this size are ``same``.

    Returns
    -------
    dict
        ``better, same, worse`` of the settings compared, which add up to 1, and ``settings``, their number; NaN without any.
    """
    difference = np.asarray(one, np.float64) - np.asarray(other, np.float64)
    difference = difference[~np.isnan(difference)]
    n = len(difference)
    share = {"better": difference > floor, "same": np.abs(difference) <= floor, "worse": difference < -floor}
    return {**{key: float(hit.mean()) if n else float("nan") for key, hit in share.items()}, "settings": float(n)}


def _difference(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        found: NDArray[np.float64] = new - old
    return found


def _texts(column: pd.Series[str]) -> NDArray[np.object_]:
    """Text, "" where blank."""
    found: NDArray[np.object_] = column.astype(object).where(column.notna(), "").to_numpy(object)
    return found


def _side_by_side(baseline: pd.DataFrame, proposal: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Both tables with the same rows in the same order, and what is known of these rows, first by the proposal."""
    one, two = _complete(baseline, "baseline"), _complete(proposal, "proposal")
    if len(one) == len(two) and all((one[key].to_numpy() == two[key].to_numpy()).all() for key in KEYS):
        # Nearly always they are alike: row by row then, without looking any key up.
        if two.duplicated(list(KEYS)).any():
            _keyed(one, "baseline")
        known = two.copy()
        for name in known.columns:
            if known[name].isna().any():
                known[name] = known[name].where(known[name].notna(), one[name])
        return one, two, known
    one, two = _keyed(one, "baseline"), _keyed(two, "proposal")
    # Texts and numbers among the cutoffs have no order of their own: one without a cutoff comes first.
    every = one.index.union(two.index, sort=False).to_frame(index=False)
    by_number = every.assign(cutoff_min=pd.to_numeric(every["cutoff_min"], errors="coerce"))
    rows = by_number.sort_values(list(KEYS), kind="stable", na_position="first").index
    index = pd.MultiIndex.from_frame(every.loc[rows])
    before, after = one.reindex(index), two.reindex(index)
    return before, after, after.combine_first(before).reset_index()


def _complete(table: pd.DataFrame, which: str) -> pd.DataFrame:
    """The table with every column, its rows numbered."""
    lacking = [name for name in (*KEYS, "value") if name not in table.columns]
    if lacking:
        raise UsageError(f"the {which} table has no column {', '.join(lacking)}")
    table = table.reset_index(drop=True)
    for name in COLUMNS:
        if name not in table.columns:
            table[name] = ""
    # An empty cutoff is one key of its own; NaN would equal nothing.
    table["cutoff_min"] = table["cutoff_min"].astype(object).where(table["cutoff_min"].notna(), "")
    return table


def _keyed(table: pd.DataFrame, which: str) -> pd.DataFrame:
    """The table indexed by what its rows are about."""
    keyed = table.set_index(list(KEYS))
    twice = keyed.index.duplicated()
    if twice.any():
        what = dict(zip(KEYS, keyed.index[twice][0], strict=True))
        raise UsageError(f"the {which} table has two rows about {what}")
    return keyed


def _name(proposal: pd.DataFrame) -> str:
    return str(proposal["scenario"].iloc[0]) if "scenario" in proposal.columns and len(proposal) else ""


def _interval_of(
    draws: Iterable[tuple[pd.DataFrame, pd.DataFrame]], index: pd.Index
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows: list[NDArray[np.int64] | None] = [None, None]
    known: list[pd.DataFrame | None] = [None, None]
    changes = []
    for pair in draws:
        values = []
        for k, (table, which) in enumerate(zip(pair, ("baseline", "proposal"), strict=True)):
            keys = table[list(KEYS)]
            # Draws nearly always have the same rows in the same order: where they lie in the result is found once.
            if known[k] is None or not keys.equals(known[k]):
                known[k], rows[k] = keys, _keyed(_complete(table, which), which).index.get_indexer(index)
            at = rows[k]
            assert at is not None
            values.append(np.where(at >= 0, table["value"].to_numpy(np.float64)[at], np.nan))
        changes.append(values[1] - values[0])
    return interval(np.array(changes).reshape(len(changes), len(index)))


@dataclass(frozen=True, eq=False)
class _Ranked:
    """A proposal in a ranking: its gain, its further bus-hours, and its gain in each draw (none where it was not drawn)."""

    scenario: str
    gain: float
    hours: float
    draws: NDArray[np.float64] | None

    @property
    def pays(self) -> bool:
        """It needs further bus-hours."""
        return self.hours > 0

    @property
    def place(self) -> tuple[int, float, str]:
        """What it is sorted by."""
        if np.isnan(self.hours):
            return (3, -self.gain, self.scenario)
        if not self.pays:  # it costs nothing more: first when somebody gains, last when somebody loses
            return (0 if self.gain >= 0 else 2, -self.gain, self.scenario)
        return (1, -self.gain / self.hours, self.scenario)

    @property
    def drawn(self) -> NDArray[np.float64]:
        """What it is compared by, in each draw or once: the gain for a bus-hour, or the gain where it needs none."""
        gains = np.array([self.gain]) if self.draws is None else np.asarray(self.draws, np.float64)
        return gains / self.hours if self.pays else gains

    def interval(self) -> tuple[float, float]:
        """Of the gain for a further bus-hour; missing where it needs none, nobody knows it, or no draws were made."""
        if not self.pays or not len(self.drawn):
            return np.nan, np.nan
        if self.draws is None:
            return float(self.drawn[0]), float(self.drawn[0])
        low, high = interval(self.drawn.reshape(-1, 1))
        return float(low[0]), float(high[0])


def _same_as(one: _Ranked, other: _Ranked) -> Any:
    """Whether two neighbours of a ranking cannot be told apart; missing where nobody knows."""
    if np.isnan(one.hours) or np.isnan(other.hours) or not (len(one.drawn) and len(other.drawn)):
        return pd.NA
    # Where one needs further bus-hours and the other none, the sign of the gain of that one decides.
    free = other if one.pays else one
    difference = one.drawn - other.drawn if one.pays == other.pays else free.drawn
    return not difference[0] if len(difference) == 1 else not can_be_told_apart(difference)


def gain_per_hour(gain: float, hours: float) -> float:
    """What is gained for each further bus-hour of the year; missing where none is needed, or nobody knows."""
    return gain / hours if hours > 0 else float("nan")


def rank_proposals(
    gains: Sequence[tuple[str, float, float, NDArray[np.float64] | None]],
) -> pd.DataFrame:
    """Proposals in the order of what the most deprived fifth gains for each further bus-hour of the year.

    Parameters
    ----------
    gains : sequence of (scenario, gain, bus_hours, draws)
        Gain of the most deprived fifth, marginal bus-hours of a year (NaN where nobody knows), and the gain in each draw
        (common random numbers across the proposals); None where nothing is random, no numbers where something is and no
        draws were made.

    Returns
    -------
    DataFrame
        ``rank, scenario, gain, bus_hours, gain_per_bus_hour, same_as_next, low_per_bus_hour, high_per_bus_hour``. A proposal
        that needs no further bus-hours and gains comes first, by its gain; its ``gain_per_bus_hour`` is missing. One whose
        bus-hours nobody knows comes last. ``same_as_next`` is True where the paired interval of the difference to the next
        one contains 0 ("cannot be told apart"), and missing where nobody knows.
    """
    rows = sorted((_Ranked(*row) for row in gains), key=lambda row: row.place)
    ends = [row.interval() for row in rows]
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(rows) + 1),
            "scenario": [row.scenario for row in rows],
            "gain": [row.gain for row in rows],
            "bus_hours": [row.hours for row in rows],
            "gain_per_bus_hour": [gain_per_hour(row.gain, row.hours) for row in rows],
            "same_as_next": [*(_same_as(one, other) for one, other in pairwise(rows)), False][: len(rows)],
            "low_per_bus_hour": [low for low, _ in ends],
            "high_per_bus_hour": [high for _, high in ends],
        }
    )


PAIRED = "paired"
OUTCOMES = ("faster", "slower", "same", "gained", "lost", "never")
PAIRED_COLUMNS = ("scenario", "day", "window", "neighbourhood", "kind", "pairs", *OUTCOMES, "mean_change_s")


class Outcomes(NamedTuple):
    """What becomes of the journeys of today in one window.

    Attributes
    ----------
    counts : int64, shape (n_zones, n_kinds, 6)
        Pairs with each of ``OUTCOMES``.
    change_s : float64, shape (n_zones, n_kinds)
        The sum of changes of travel time.
    """

    counts: NDArray[np.int64]
    change_s: NDArray[np.float64]


def paired_outcomes(
    today: Evaluation, proposal: Evaluation, before_s: NDArray[np.int16], after_s: NDArray[np.int16]
) -> Outcomes:
    """What becomes of each journey of today in one window, counted by neighbourhood and kind of place.

    A pair is an origin point, a destination and a departure of the window, weighing alike. ``faster``, ``slower`` and ``same``
    are pairs with a journey on both sides, ``gained`` those with one under the proposal only, ``lost`` with one today only,
    ``never`` with none.

    Parameters
    ----------
    today, proposal : Evaluation
    before_s, after_s : int16, shape (n_origins, n_departures, n_destinations)
        Travel times of today and of the proposal, as a search gives them.
    """
    zone = proposal.zones.origins["zone"].to_numpy(np.int64)
    keys = proposal.opportunities.keys
    kind = pd.Index(keys).get_indexer(proposal.opportunities.table["key"]).astype(np.int64)
    at_origin, at_place = (
        np.arange(len(theirs)) if ours is theirs else _rows(name(ours), name(theirs))
        for ours, theirs, name in (
            (today.zones.origins, proposal.zones.origins, lambda table: table["id"]),
            (today.opportunities.table, proposal.opportunities.table, _places),
        )
    )
    before = _aligned(as_cube(before_s), at_origin, at_place)
    counts, change = count_outcomes(before, as_cube(after_s), kind, len(keys), NEVER)
    found = Outcomes(*(np.zeros((len(proposal.zones), *each.shape[1:]), each.dtype) for each in (counts, change)))
    np.add.at(found.counts, zone, counts)
    np.add.at(found.change_s, zone, change)
    return found


def paired_table(proposal: Evaluation, outcomes: Mapping[tuple[str, str], Outcomes]) -> pd.DataFrame:
    """Outcomes of every window by day, window, neighbourhood and kind: the columns ``PAIRED_COLUMNS``.

    The six outcomes add up to ``pairs``. ``mean_change_s`` is the mean change of travel time in seconds over the first three,
    missing where there are none; what is gained or lost has no change, and is told apart for that reason.
    """
    slots, keys = sorted(outcomes), proposal.opportunities.keys
    ids = proposal.zones.table["id"].to_numpy(object)
    by_id, by_key = (np.asarray(sorted(range(len(names)), key=names.__getitem__)) for names in (ids.tolist(), keys))
    counts, change = (np.array([outcomes[slot][k][by_id][:, by_key] for slot in slots]) for k in (0, 1))
    window, zone, kind = (place.reshape(-1) for place in np.indices(change.shape))
    counts, change = counts.reshape(len(window), -1), change.reshape(-1)
    both = counts[:, :3].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(both > 0, change / both, np.nan)
    return pd.DataFrame(
        {
            "scenario": taken([proposal.scenario], np.zeros(len(window), np.int64)),
            "day": taken([day for day, _ in slots], window),
            "window": taken([name for _, name in slots], window),
            "neighbourhood": taken(ids[by_id], zone),
            "kind": taken([keys[place] for place in by_key], kind),
            "pairs": counts.sum(axis=1),
            **dict(zip(OUTCOMES, counts.T, strict=True)),
            "mean_change_s": mean,
        }
    )


def _places(table: pd.DataFrame) -> pd.Series[str]:
    return table["key"].astype(str) + "\n" + table["id"].astype(str)


def _rows(old: pd.Series[str], new: pd.Series[str]) -> NDArray[np.int64]:
    """Where each of the new stands among the old; -1 where it is not there."""
    return np.asarray(pd.Index(old).get_indexer(pd.Index(new)), np.int64)


def _aligned(time_s: NDArray[np.int16], origins: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int16]:
    """Today's times in the proposal's order of origins and destinations; none from or to what is new."""
    if _is_whole(origins, time_s.shape[0]) and _is_whole(places, time_s.shape[2]):
        return time_s
    found = np.take(time_s[np.maximum(origins, 0)], np.maximum(places, 0), axis=2)
    found[origins < 0] = NEVER
    found[:, :, places < 0] = NEVER
    return found


def _is_whole(rows: NDArray[np.int64], n: int) -> bool:
    return len(rows) == n and bool((rows == np.arange(n)).all())


@kernel
def count_outcomes(
    before: NDArray[np.int16], after: NDArray[np.int16], kind: NDArray[np.int64], n_kinds: int, never: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts of each outcome, (n_origins, n_kinds, 6), and the sum of changes of travel time, (n_origins, n_kinds).

    Both in seconds of (n_origins, n_departures, n_destinations); ``kind`` of each destination.
    """
    n_origins, n_departures, n_places = before.shape
    counts = np.zeros((n_origins, n_kinds, 6), np.int64)
    change = np.zeros((n_origins, n_kinds), np.float64)
    # Of each place over the departures, so that places are counted side by side.
    told = np.empty((5, n_places), np.int32)
    faster, slower, gained, lost, neither = told[0], told[1], told[2], told[3], told[4]
    sums = np.empty(n_places, np.int64)
    for origin in range(n_origins):
        told[:] = 0
        sums[:] = 0
        for d in range(n_departures):
            for place in range(n_places):
                old, new = before[origin, d, place], after[origin, d, place]
                was, has = old != never, new != never
                faster[place] += was & (new < old)
                slower[place] += has & (new > old)
                gained[place] += has & (not was)
                lost[place] += was & (not has)
                neither[place] += not (was | has)
                sums[place] += (np.int32(new) - np.int32(old)) if was & has else np.int32(0)
        for place in range(n_places):
            k = kind[place]
            counts[origin, k, 0] += faster[place]
            counts[origin, k, 1] += slower[place]
            counts[origin, k, 2] += n_departures - told[:, place].sum()
            counts[origin, k, 3] += gained[place]
            counts[origin, k, 4] += lost[place]
            counts[origin, k, 5] += neither[place]
            change[origin, k] += sums[place]
    return counts, change
