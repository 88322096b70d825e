"""The `costs` part of a study file: what it costs to run buses, for all proposals that state no rates of their own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from community_routes.sources.study.models import MOST, Spec

Rate = Annotated[float, Field(ge=0, le=MOST)]


class Costs(Spec):
    """Rates of operation in the study's currency, so that all proposals are costed alike; what is left out is not counted.

    ``days`` are the days of a year of each kind. Layover is the larger of ``layover_share`` of the cycle and
    ``layover_min`` minutes; ``dead_share`` of the bus-hours and kilometres is run without passengers.
    """

    per_bus_hour: Rate = 0.0
    per_km: Rate = 0.0
    per_peak_vehicle_year: Rate = 0.0
    dead_share: Annotated[float, Field(ge=0, le=2)] = 0.0
    days: dict[str, Rate] = Field(default_factory=lambda: {"weekday": 253.0, "saturday": 52.0, "sunday": 60.0})
    layover_share: Annotated[float, Field(ge=0, le=1)] = 0.10
    layover_min: Annotated[float, Field(ge=0, le=60)] = 5.0
