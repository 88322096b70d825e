"""What a review found, as tables and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.columns import LEAST_CHANGE
from community_routes.evaluation.case import Study
from community_routes.planning.lost import LOST_COLUMNS
from community_routes.planning.services import ALL_WEEK, Service

REVIEW_COLUMNS = (
    "service", "route_id", "route", "operator", "mode", "period", "day", "window", "departures", *LOST_COLUMNS,
    "last_of_stops", "last_of_neighbourhoods", "persons_in_last_of", "best_other", "best_other_stops",
    "best_other_per_hour", "bus_hours_saved", "km_saved", "buses_saved", "cost_saved",
    "lost_percent_most_deprived", "lost_per_1000_bus_hours", "rank", "rank_per_bus_hour",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Missed:
    """What each service of a network is worth, as tables.

    Attributes
    ----------
    study : Study
        With the windows of the periods.
    services : tuple of Service
    table : DataFrame
        ``REVIEW_COLUMNS``: one row for each service, window and kind of place; a whole route has a row for each window in
        which it runs. ``rank`` is 1 for the service whose loss takes the greatest share of today's level from the most deprived
        fifth (from everybody where deprivation is unknown), among whole routes by their worst window and among services of a
        period apart; what cannot be told apart shares a rank, and what takes nothing has none.
    groups : DataFrame
        ``service``, then the columns of groups.csv: who loses, by fifth, ward and group.
    change : dict of (service number, kind) to float64, shape (n_zones,)
        Change of each neighbourhood, of a whole route in its worst window.
    least_change : float
    """

    study: Study
    services: tuple[Service, ...]
    table: pd.DataFrame
    groups: pd.DataFrame
    change: Mapping[tuple[int, str], NDArray[np.float64]]
    least_change: float = LEAST_CHANGE

    @property
    def kinds(self) -> list[str]:
        """Kinds of place, the one that leads first."""
        return list(dict.fromkeys(self.table["kind"]))

    def of_periods(self, kind: str) -> pd.DataFrame:
        """Rows of services in a period, of one kind, the most missed first."""
        return self._most_missed(kind, self.table["period"] != ALL_WEEK)

    def of_routes(self, kind: str) -> pd.DataFrame:
        """One row for each whole route, of its worst window, the most missed first."""
        rows = self._most_missed(kind, self.table["period"] == ALL_WEEK)
        return rows.drop_duplicates("service")

    def _most_missed(self, kind: str, keep: pd.Series[bool]) -> pd.DataFrame:
        rows = self.table[keep & (self.table["kind"] == kind)]
        order = ["lost_percent_most_deprived", "persons_worse"]
        return rows.sort_values([*order, "service"], ascending=[False, False, True], kind="stable")
