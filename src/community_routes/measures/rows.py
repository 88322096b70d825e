"""Rows of access.csv for measures that are not made of travel times to destinations: one value for each zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    **what: Any,
) -> pd.DataFrame:
    """One measure of every zone in the columns of access.csv, in order of the zones' ids.

    Parameters
    ----------
    zones : DataFrame
        id, name, population, deprivation_decile.
    values : float, shape (n_zones,)
        NaN or infinite where missing.
    **what
        The rest of ``ZoneColumn``.

    Raises
    ------
    ValueError
        A reason is none of the stated reasons, or the number of values differs from that of the zones.
    """
    return zone_table(zones, [ZoneColumn(values, **what)], scenario=scenario, day=day, window=window)


@dataclass(frozen=True, eq=False)
class ZoneColumn:
    """One measure of every zone.

    Attributes
    ----------
    values : float, shape (n_zones,)
        NaN or infinite where missing.
    kind : str
        What is measured: a key of the study's destinations, ``stops``, ``fares`` ...
    measure, unit, reading : str
    cutoff_min : float or None
    reason : str or sequence of str
        Why a value is missing, for all or for each zone; used only where it is.
    """

    values: ArrayLike
    kind: str
    measure: str
    unit: str
    reading: str = "mean"
    cutoff_min: float | None = None
    reason: Sequence[str] | str = "off_network"


def zone_table(
    zones: pd.DataFrame, columns: Sequence[ZoneColumn], *, scenario: str, day: str, window: str
) -> pd.DataFrame:
    """Measures of every zone in the columns of access.csv, one after the other, each in order of the zones' ids.

    Raises
    ------
    ValueError
        As in ``zone_rows``.
    """
    n = len(zones)
    order = np.argsort(zones["id"].to_numpy(dtype=str), kind="stable")
    values, reasons = [], []
    for column in columns:
        x = np.asarray(column.values, dtype=np.float64)
        if x.shape != (n,):
            raise ValueError(f"{column.measure} has the shape {x.shape} for {n} zones")
        each_reason = [column.reason] * n if isinstance(column.reason, str) else list(column.reason)
        why = np.asarray(each_reason, dtype=object)
        missing = ~np.isfinite(x)
        if unknown := set(why[missing].tolist()) - set(REASONS[1:]):
            raise ValueError(
                f"{column.measure} is missing for no stated reason ({sorted(unknown)}); one of {REASONS[1:]}"
            )
        values.append(np.where(missing, np.nan, x)[order])
        reasons.append(np.where(missing, why, "")[order])
    times, total = len(columns), n * len(columns)

    def each(name: str) -> Any:
        return np.repeat(np.asarray([getattr(column, name) for column in columns], dtype=object), n)

    found: dict[str, Any] = {
        "scenario": np.full(total, scenario, dtype=object),
        "day": np.full(total, day, dtype=object),
        "window": np.full(total, window, dtype=object),
        "neighbourhood": np.tile(zones["id"].to_numpy(dtype=object)[order], times),
        "name": np.tile(zones["name"].to_numpy(dtype=object)[order], times),
        "population": np.tile(zones["population"].to_numpy(dtype=np.float64)[order], times),
        "deprivation_decile": whole_or_float(np.tile(zones["deprivation_decile"].to_numpy()[order], times)),
        "kind": each("kind"),
        "measure": each("measure"),
        "reading": each("reading"),
        "cutoff_min": whole_or_float(each("cutoff_min")),
        "value": np.concatenate(values),
        "unit": each("unit"),
        "reason": np.concatenate(reasons),
    }
    return pd.DataFrame(found, columns=list(ACCESS_COLUMNS))
