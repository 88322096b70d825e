"""Journeys under a proposal against today's, pair by pair: the same origin, destination and departure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.evaluation import Evaluation
from community_routes.times import UNREACHED

PAIRED = "paired"
OUTCOMES = ("faster", "slower", "same", "gained", "lost", "never")
COLUMNS = ("scenario", "day", "window", "neighbourhood", "kind", "pairs", *OUTCOMES, "mean_change_s")


def paired_table(today: Evaluation, proposal: Evaluation) -> pd.DataFrame:
    """What becomes of each journey of today, counted by neighbourhood and kind of place.

    A pair is an origin point, a destination and a departure of the window, weighing alike. ``faster``, ``slower`` and ``same``
    are pairs with a journey on both sides, ``gained`` those with one under the proposal only, ``lost`` with one today only,
    ``never`` with none: the six add up to ``pairs``. ``mean_change_s`` is the mean change of travel time in seconds over the
    first three, missing where there are none; what is gained or lost has no change, and is told apart for that reason.

    Parameters
    ----------
    today, proposal : Evaluation

    Returns
    -------
    DataFrame
        The columns ``COLUMNS``.
    """
    zone = proposal.zones.origins["zone"].to_numpy(np.int64)
    ids = proposal.zones.table["id"].to_numpy(object)
    keys = proposal.opportunities.table["key"].to_numpy(object)
    at_origin = _rows(today.zones.origins["id"], proposal.zones.origins["id"])
    at_place = _rows(_places(today), _places(proposal))
    rows = []
    for (day, window), after in proposal.time_s.items():
        before = _aligned(today.time_s[day, window], at_origin, at_place)
        for key in proposal.opportunities.keys:
            mine = keys == key
            counts, change = _outcomes(before[:, :, mine], after[:, :, mine])
            of_zone = np.zeros((len(ids), len(OUTCOMES)), np.int64)
            np.add.at(of_zone, zone, counts)
            total = np.bincount(zone, weights=change, minlength=len(ids))
            both = of_zone[:, :3].sum(axis=1)
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = np.where(both > 0, total / both, np.nan)
            rows.append(
                pd.DataFrame(of_zone, columns=list(OUTCOMES)).assign(
                    scenario=proposal.scenario,
                    day=day,
                    window=window,
                    neighbourhood=ids,
                    kind=key,
                    pairs=of_zone.sum(axis=1),
                    mean_change_s=mean,
                )
            )
    table = pd.concat(rows, ignore_index=True)[list(COLUMNS)]
    return table.sort_values(["scenario", "day", "window", "neighbourhood", "kind"], kind="stable", ignore_index=True)


def _places(side: Evaluation) -> pd.Series[str]:
    table = side.opportunities.table
    return table["key"].astype(str) + "\n" + table["id"].astype(str)


def _rows(old: pd.Series[str], new: pd.Series[str]) -> NDArray[np.int64]:
    """Where each of the new stands among the old; -1 where it is not there."""
    return np.asarray(pd.Index(old).get_indexer(pd.Index(new)), np.int64)


def _aligned(time_s: NDArray[np.int32], origins: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int32]:
    """Today's times in the proposal's order of origins and destinations; none from or to what is new."""
    if _is_whole(origins, time_s.shape[0]) and _is_whole(places, time_s.shape[2]):
        return time_s
    found = time_s[np.maximum(origins, 0)][:, :, np.maximum(places, 0)]
    found[origins < 0] = UNREACHED
    found[:, :, places < 0] = UNREACHED
    return found


def _is_whole(rows: NDArray[np.int64], n: int) -> bool:
    return len(rows) == n and bool((rows == np.arange(n)).all())


def _outcomes(before: NDArray[np.int32], after: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts of each outcome, shape (n_origins, 6), and the sum of changes of travel time, shape (n_origins,)."""
    had = before != UNREACHED
    if np.array_equal(before, after):
        n = had.sum(axis=(1, 2))
        none = np.zeros_like(n)
        every = had.shape[1] * had.shape[2]
        return np.stack([none, none, n, none, none, every - n], axis=1), none.astype(np.float64)
    has = after != UNREACHED
    both = had & has
    counts = [
        both & (after < before), both & (after > before), both & (after == before), has & ~had, had & ~has, ~had & ~has,
    ]  # fmt: skip
    change = np.where(both, after.astype(np.int64) - before, 0).sum(axis=(1, 2))
    return np.stack([count.sum(axis=(1, 2)) for count in counts], axis=1), change.astype(np.float64)
