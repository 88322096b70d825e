"""How sure a difference is: the headline figures recomputed in many joint draws of what is random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from community_routes.errors import UsageError
from community_routes.evaluation import Evaluation
from community_routes.measures.choose import Cumulative
from community_routes.measures.groups import group_rows, with_interval
from community_routes.measures.summary import access_rows
from community_routes.measuring import amount_units
from community_routes.network.network import assemble_network
from community_routes.questions import window_query
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.compare import compare_tables
from community_routes.scenarios.draws import Delays, Randomness, scenario_draws, shifted_feed
from community_routes.sources.feed import Feed

FEWEST_DRAWS = 200
_KEYS = ["scenario", "day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"]
_GROUP_KEYS = ["scenario", "day", "window", "grouping", "group", "kind", "measure", "reading", "cutoff_min"]
Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of the headline changes of one proposal: opportunities reached, on average over departures.

    Attributes
    ----------
    comparison : DataFrame
        Rows of comparison.csv with ``low`` and ``high``.
    groups : DataFrame
        Rows of groups.csv with ``low`` and ``high``, the group's figure recomputed in each draw.
    gain : dict of (day, window, kind, cutoff_min) to float64, shape (n_draws,)
        Change for the most deprived fifth (all persons where deprivation is unknown) in each draw.
    words : tuple of str
        What is random.
    """

    comparison: pd.DataFrame
    groups: pd.DataFrame
    gain: dict[tuple[str, str, str, float], np.ndarray[tuple[int], np.dtype[np.float64]]]
    words: tuple[str, ...]


def randomness_of(evaluation: Evaluation, delays: Delays | None = None) -> Randomness:
    """What is random in a timetable: assumed clock times of a proposal, phases of headway services, stated delays."""
    timed = tuple(evaluation.applied.timed) if evaluation.applied is not None else ()
    return Randomness(timed=timed, phases=evaluation.study.file.travel.phase == "sampled", delays=delays)


def is_random(evaluation: Evaluation, delays: Delays | None = None) -> bool:
    """Whether anything is."""
    return not randomness_of(evaluation, delays).nothing(evaluation.feed)


def intervals(
    today: Evaluation,
    proposal: Evaluation,
    *,
    draws: int = FEWEST_DRAWS,
    seed: int = 0,
    delays: Delays | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Intervals:
    """Intervals of a proposal's changes: the 2.5th and 97.5th percentile over joint draws with common random numbers.

    Parameters
    ----------
    today, proposal : Evaluation
    draws : int
        At least 200.
    seed : int
        The same for all proposals that are compared with one another.
    delays : Delays, optional
        A stated distribution of delays, for today and the proposal alike.
    threads : int
    progress : callable of str, optional

    Raises
    ------
    UsageError
        Fewer than 200 draws.
    """
    if draws < FEWEST_DRAWS:
        raise UsageError(f"an interval needs at least {FEWEST_DRAWS} draws, not {draws}")
    tell = progress or (lambda _: None)
    moved = [
        scenario_draws(evaluation.feed, randomness_of(evaluation, delays), draws, seed)
        for evaluation in (today, proposal)
    ]
    still = None if is_random(today, delays) else _headline(today, today.feed, threads)
    pairs: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    changes: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    groups = pd.DataFrame()
    zones, zones_before = proposal.zones.table, today.zones.table
    for number, (one, two) in enumerate(zip(*moved, strict=True), start=1):
        if number % 10 == 1:
            tell(f"draw {number} of {draws} ({proposal.scenario})")
        before = still if still is not None else _headline(today, shifted_feed(today.feed, one), threads)
        after = _headline(proposal, shifted_feed(proposal.feed, two), threads)
        pairs.append((before, after))
        groups = group_rows(after, zones, baseline=before, baseline_zones=zones_before)
        changes.append(groups["change"].to_numpy(np.float64))
    drawn = np.array(changes)
    lead = groups["grouping"].eq("local") & groups["group"].eq("1")
    if not lead.any():
        lead = groups["grouping"].eq("all")
    gain = {
        (row.day, row.window, row.kind, float(row.cutoff_min)): drawn[:, i]
        for i, row in zip(np.flatnonzero(lead), groups[lead].itertuples(), strict=True)
    }
    return Intervals(
        comparison=compare_tables(*pairs[0], draws=iter(pairs)),
        groups=with_interval(groups, drawn),
        gain=gain,
        words=tuple(randomness_of(proposal, delays).words(proposal.feed)),
    )


def _headline(evaluation: Evaluation, feed: Feed, threads: int) -> pd.DataFrame:
    """Opportunities reached on average over departures with another timetable that has the same stops."""
    file = evaluation.study.file
    tables = []
    for day, network in evaluation.networks.items():
        for window in file.windows_on(day):
            query = window_query(file, window)
            moved = assemble_network(
                feed,
                network.timetable.date,
                network.footpaths,
                slack_s=network.slack_s,
                phase="zero",
                wheelchair=file.travel.wheelchair,
                span_s=(query.window_s[0], query.window_s[1] + query.max_travel_s),
            )
            times = travel_times_by_departure(moved, query, evaluation.walks, threads=threads)
            table = access_rows(
                evaluation.zones.table,
                evaluation.zones.origins,
                evaluation.opportunities.table.assign(kind=""),
                times,
                scenario=evaluation.scenario,
                day=day,
                window=window,
                cutoffs_min=file.travel.cutoffs_min,
                percentiles=(),
                origin_reason=evaluation.origin_reason[day].tolist(),
                units=amount_units(file),
                keys=list(file.destinations),
                measures=(Cumulative(file.travel.cutoffs_min),),
            )
            tables.append(table)
    return pd.concat(tables, ignore_index=True)


def with_intervals(table: pd.DataFrame, drawn: pd.DataFrame | None, *, of_groups: bool) -> pd.DataFrame:
    """A table of changes of a random proposal: ``low`` and ``high`` from the draws where there are any, else missing."""
    keys = _GROUP_KEYS if of_groups else _KEYS
    table = table.assign(low=np.nan, high=np.nan)
    if drawn is None or drawn.empty:
        return table
    place = pd.MultiIndex.from_frame(drawn[keys].astype({"cutoff_min": float}))
    at = place.get_indexer(pd.MultiIndex.from_frame(table[keys].astype({"cutoff_min": float})))
    known = at >= 0
    for column in ("low", "high"):
        values = np.full(len(table), np.nan)
        values[known] = drawn[column].to_numpy(np.float64)[at[known]]
        table[column] = values
    return table
