"""How sure a difference is: the headline figures of zones and groups recomputed in many joint draws of what is random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.errors import UsageError
from community_routes.evaluation import Evaluation
from community_routes.measures.choose import Cumulative
from community_routes.measures.groups import group_rows
from community_routes.measures.summary import access_rows
from community_routes.measuring import amount_units
from community_routes.questions import window_query
from community_routes.scenarios.compare import interval
from community_routes.scenarios.draws import Delays, Randomness
from community_routes.scenarios.intervals import Searched, window_draws

FEWEST_DRAWS = 200
_ZONE_KEYS = ["scenario", "day", "window", "neighbourhood", "kind", "measure", "reading", "cutoff_min"]
_GROUP_KEYS = ["scenario", "day", "window", "grouping", "group", "kind", "measure", "reading", "cutoff_min"]
Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of the headline changes of one proposal: opportunities reached, on average over departures.

    Attributes
    ----------
    comparison : DataFrame
        Keys of rows of comparison.csv with ``low`` and ``high``.
    groups : DataFrame
        Keys of rows of groups.csv with ``low`` and ``high``; the group's figure is recomputed in each draw.
    draws : float64, shape (n_draws, n_groups_rows)
        Change of each row of ``groups`` in each draw.
    words : tuple of str
        What is random.
    """

    comparison: pd.DataFrame
    groups: pd.DataFrame
    draws: NDArray[np.float64]
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
    randomness = randomness_of(proposal, delays)
    zone_parts, group_parts, drawn_groups = [], [], []
    for day, network in proposal.networks.items():
        for window in proposal.study.file.windows_on(day):
            tables = _tables(proposal, day, window, proposal.time_s[day, window])
            n_zone_rows = len(tables[0])
            changes = window_draws(
                _searched(today, day, window, proposal),
                _searched(proposal, day, window, proposal),
                network.timetable.date,
                window_query(proposal.study.file, window),
                randomness,
                slack_s=network.slack_s,
                wheelchair=proposal.study.file.travel.wheelchair,
                n=draws,
                seed=seed,
                threads=threads,
                progress=_counting(tell, f"{proposal.scenario}, {day}, {window}"),
            )
            low, high = interval(changes)
            zone_parts.append(tables[0][_ZONE_KEYS].assign(low=low[:n_zone_rows], high=high[:n_zone_rows]))
            group_parts.append(tables[1][_GROUP_KEYS].assign(low=low[n_zone_rows:], high=high[n_zone_rows:]))
            drawn_groups.append(changes[:, n_zone_rows:])
    return Intervals(
        comparison=pd.concat(zone_parts, ignore_index=True),
        groups=pd.concat(group_parts, ignore_index=True),
        draws=np.concatenate(drawn_groups, axis=1),
        words=tuple(randomness.words(proposal.feed)),
    )


def _counting(tell: Progress, what: str) -> Callable[[int, int], None]:
    def count(done: int, n: int) -> None:
        if done % 10 == 0:
            tell(f"draw {done} of {n} ({what})")

    return count


def _searched(side: Evaluation, day: str, window: str, proposal: Evaluation) -> Searched:
    """One side of a comparison, with figures that stand in the same order on both."""
    if len(side.zones) != len(proposal.zones):
        raise UsageError(
            f"{proposal.scenario} adds neighbourhoods, so that intervals beside today cannot be drawn; leave --draws out"
        )

    def figures(time_s: NDArray[np.int32]) -> NDArray[np.float64]:
        return np.concatenate([table["value"].to_numpy(np.float64) for table in _tables(side, day, window, time_s)])

    return Searched(side.feed, side.networks[day].footpaths, side.walks, figures)


def _tables(side: Evaluation, day: str, window: str, time_s: NDArray[np.int32]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Opportunities reached on average over departures: of each zone and of groups."""
    file = side.study.file
    zones = access_rows(
        side.zones.table,
        side.zones.origins,
        side.opportunities.table.assign(kind=""),
        time_s,
        scenario=side.scenario,
        day=day,
        window=window,
        cutoffs_min=file.travel.cutoffs_min,
        percentiles=(),
        origin_reason=side.origin_reason[day].tolist(),
        units=amount_units(file),
        keys=list(file.destinations),
        measures=(Cumulative(file.travel.cutoffs_min),),
    )
    return zones, group_rows(zones, side.zones.table)


def with_intervals(table: pd.DataFrame, drawn: pd.DataFrame | None) -> pd.DataFrame:
    """A table of changes of a random proposal: ``low`` and ``high`` from the draws where there are any, else missing."""
    table = table.assign(low=np.nan, high=np.nan)
    if drawn is None or drawn.empty:
        return table
    keys = [column for column in drawn.columns if column not in ("low", "high")]
    place = pd.MultiIndex.from_frame(drawn[keys].astype({"cutoff_min": float}))
    at = place.get_indexer(pd.MultiIndex.from_frame(table[keys].astype({"cutoff_min": float})))
    for column in ("low", "high"):
        values = drawn[column].to_numpy(np.float64)
        table[column] = np.where(at >= 0, values[at], np.nan)
    return table
