"""What is known of one window of one day under one scenario: what measures make their rows of access.csv from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.columns import ACCESS_COLUMNS
from community_routes.base.times import UNREACHED
from community_routes.fares.month import Commute
from community_routes.measures.access import REASONS, whole_or_float
from community_routes.measures.reach import zone_average
from community_routes.measures.service import StopDepartures
from community_routes.measures.weighted import weighted_quantile
from community_routes.network.walks.points import Links
from community_routes.sources.study.fares import POUNDS


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


FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class WindowInputs:
    """What is known of one window of one day under one scenario.

    Attributes
    ----------
    scenario, day, window : str
    window_s : (int, int)
    zones : DataFrame
        id, name, population, deprivation_decile, group.
    origins : DataFrame
        zone, weight; one row for each origin.
    destinations : DataFrame
        key, kind, amount; one row for each destination.
    time_s : int32, shape (n_origins, n_departures, n_destinations)
    origin_reason : sequence of str
        ``off_network``, ``no_service`` or "" for each origin.
    access_walks : Links
        From origins to stops.
    departures : StopDepartures
        Of the window.
    cutoffs_min : tuple of float
    units : mapping of str to str
        Unit of the amounts of a key.
    currency : str
        Of all money.
    zone_time_s : int32, shape (n_origins, n_departures, n_zones), optional
        Times to the zones' own points, for other wards.
    times_of_budget : mapping of float to int32 arrays like ``time_s``, optional
        Times within budgets of money (``fares.by_ticket.times_within_budgets``), for affordability.
    cost_of_commute : mapping of Commute to float64, shape (n_origins, n_cutoffs, n_destinations of the key), optional
        Money a month (``commuting.monthly_costs``), infinite where none is enough; empty in windows without ways to work.
    """

    scenario: str
    day: str
    window: str
    window_s: tuple[int, int]
    zones: pd.DataFrame
    origins: pd.DataFrame
    destinations: pd.DataFrame
    time_s: NDArray[np.int32]
    origin_reason: Sequence[str]
    access_walks: Links
    departures: StopDepartures
    cutoffs_min: tuple[float, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    currency: str = POUNDS
    zone_time_s: NDArray[np.int32] | None = None
    times_of_budget: Mapping[float, NDArray[np.int32]] = field(default_factory=dict)
    cost_of_commute: Mapping[Commute, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def on_network(self) -> NDArray[np.bool_]:
        """Origins on the network."""
        return np.asarray([reason != "off_network" for reason in self.origin_reason], dtype=bool)

    def of_zones(self, values: FloatArray) -> FloatArray:
        """Zones from origins, by weight over the points on the network; NaN where a zone has none."""
        lead = self.on_network.reshape((-1,) + (1,) * (values.ndim - 1))
        known = np.where(lead, values, np.nan)
        return zone_average(known, self.origins["zone"], self.origins["weight"], len(self.zones))

    def persons_of_origins(self) -> FloatArray:
        """Each zone's population shared out over its origin points by weight."""
        zone = self.origins["zone"].to_numpy(dtype=np.int64)
        weight = self.origins["weight"].to_numpy(dtype=np.float64)
        total = np.bincount(zone, weights=weight, minlength=len(self.zones))
        count = np.bincount(zone, minlength=len(self.zones))
        share = np.where(total[zone] > 0, weight / np.where(total[zone] > 0, total[zone], 1.0), 1.0 / count[zone])
        return np.asarray(self.zones["population"].to_numpy(dtype=np.float64)[zone] * share)

    def median_of_zones(self, seconds: NDArray[np.int32]) -> FloatArray:
        """Times of zones: the weighted median over the points on the network, infinite where that is not reached."""
        return self.middle_of_zones(np.where(seconds == UNREACHED, np.inf, seconds.astype(np.float64)))

    def middle_of_zones(self, values: FloatArray) -> FloatArray:
        """The weighted median over each zone's points on the network; infinite where it has none."""
        zone = self.origins["zone"].to_numpy(dtype=np.int64)
        weight = self.origins["weight"].to_numpy(dtype=np.float64) * self.on_network
        found = [weighted_quantile(values[zone == z], weight[zone == z]) for z in range(len(self.zones))]
        return np.asarray(np.nan_to_num(np.asarray(found), nan=np.inf, posinf=np.inf))

    def income(self, stated: float | None) -> FloatArray | None:
        """Income of a month of each zone, a stated one where it has none of its own; None where nothing is known at all."""
        if "income_per_month" not in self.zones.columns:
            return None if stated is None else np.full(len(self.zones), stated)
        own = self.zones["income_per_month"].to_numpy(dtype=np.float64)
        return np.where(np.isnan(own), np.nan if stated is None else stated, own)

    def rows(self, values: FloatArray, **what: Any) -> pd.DataFrame:
        """Rows of access.csv of values of zones."""
        return self.table([ZoneColumn(values, **what)])

    def table(self, columns: Sequence[ZoneColumn]) -> pd.DataFrame:
        """Rows of access.csv of several measures of zones."""
        return zone_table(self.zones, columns, scenario=self.scenario, day=self.day, window=self.window)


class FurtherMeasure(Protocol):
    """A measure that makes its rows from a window's inputs."""

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame: ...
