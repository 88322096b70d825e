"""The measure of service near home: vehicles an hour, whether a frequent stop is near, the index of PTAL's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from community_routes.measures.measure import SHARE, Column, Facts, Measure, WindowInputs, ZoneColumn
from community_routes.measures.service import near_frequent_stop, ptal_form_index, service_per_hour

STOPS = "stops"


@dataclass(frozen=True)
class Service(Measure):
    """Service near home in the window; a frequent stop is one with so many departures an hour within a walk."""

    names = ("service",)
    settings = ("within_m", "per_hour")
    columns = (
        Column("near_frequent_stop", "Live near a frequent stop"),
        Column("ptal_form_index", "Level of public transport (index of PTAL form)"),
        Column("service_per_hour", "Departures an hour nearby"),
    )

    within_m: float = 400.0
    per_hour: float = 1.0

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Service:
        return cls(float(settings.get("within_m", 400)), float(settings.get("per_hour", 1)))

    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        asked = window.access_walks, window.departures, window.window_s
        near = near_frequent_stop(*asked, per_hour=self.per_hour, within_m=self.within_m).astype(np.float64)
        found = (
            (near, SHARE),
            (ptal_form_index(*asked), "equivalent departures per hour"),
            (service_per_hour(*asked, within_m=self.within_m), "departures per hour"),
        )
        return [
            ZoneColumn(window.of_zones(values), STOPS, column.id, unit)
            for column, (values, unit) in zip(self.columns, found, strict=True)
        ]
