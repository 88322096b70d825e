"""Rows of access.csv for measures that are not made of travel times to destinations: one value for each zone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from community_routes.columns import ACCESS_COLUMNS
from community_routes.measures.summary import REASONS, whole_or_float


def zone_rows(
    zones: pd.DataFrame,
    values: ArrayLike,
    *,
    scenario: str,
    day: str,
    window: str,
    kind: str,
    measure: str,
    unit: str,
    reading: str = "mean",
    cutoff_min: float | None = None,
    reason: Sequence[str] | str = "off_network",
) -> pd.DataFrame:
    """One measure of every zone in the columns of access.csv, in order of the zones' ids.

    Parameters
    ----------
    zones : DataFrame
        id, name, population, deprivation_decile.
    values : float, shape (n_zones,)
        NaN or infinite where missing.
    kind : str
        What is measured: a key of the study's destinations, ``stops``, ``fares`` ...
    reason : str or sequence of str
        Why a value is missing, for all or for each zone; used only where it is.

    Raises
    ------
    ValueError
        A reason is none of the stated reasons, or the number of values differs from that of the zones.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.shape != (len(zones),):
        raise ValueError(f"{measure} has the shape {x.shape} for {len(zones)} zones")
    why = np.asarray([reason] * len(x) if isinstance(reason, str) else list(reason), dtype=object)
    missing = ~np.isfinite(x)
    if unknown := set(why[missing].tolist()) - set(REASONS[1:]):
        raise ValueError(f"{measure} is missing for no stated reason ({sorted(unknown)}); one of {REASONS[1:]}")
    order = np.argsort(zones["id"].to_numpy(dtype=str), kind="stable")
    table = pd.DataFrame(
        {
            "scenario": scenario,
            "day": day,
            "window": window,
            "neighbourhood": zones["id"].to_numpy()[order],
            "name": zones["name"].to_numpy()[order],
            "population": zones["population"].to_numpy(dtype=np.float64)[order],
            "deprivation_decile": whole_or_float(zones["deprivation_decile"].to_numpy()[order]),
            "kind": kind,
            "measure": measure,
            "reading": reading,
            "cutoff_min": whole_or_float([cutoff_min] * len(x)),
            "value": np.where(missing, np.nan, x)[order],
            "unit": unit,
            "reason": np.where(missing, why, "")[order],
        }
    )
    return table[list(ACCESS_COLUMNS)]
