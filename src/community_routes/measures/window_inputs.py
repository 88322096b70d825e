"""What is known of one window of one day under one scenario: what measures make their rows of access.csv from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.measures.commuting import Commute
from community_routes.measures.reach import zone_average
from community_routes.measures.rows import ZoneColumn, zone_table
from community_routes.measures.service import StopDepartures
from community_routes.measures.weighted import weighted_quantile
from community_routes.network.points import Links
from community_routes.sources.study_fares import POUNDS
from community_routes.times import UNREACHED

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
        Times within budgets of money (``fare_search.times_within_budgets``), for affordability.
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
