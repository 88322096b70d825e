"""The `travel` part of a study file: windows, limits and speeds of a journey."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from community_routes.base.times import HOUR
from community_routes.sources.study.models import (
    NAMES_SCHEMA,
    WINDOW_SCHEMA,
    ClockWindow,
    Names,
    Spec,
    day_type,
)


class Window(Spec):
    """Departures from a start until before an end, on all days or on the named ones."""

    time: ClockWindow
    days: Names | None = None

    @property
    def start_s(self) -> int:
        """First departure, in seconds of the service date."""
        return self.time[0]

    @property
    def end_s(self) -> int:
        """End in seconds of the service date, itself excluded; after midnight it is above 86,400."""
        return self.time[1]

    def runs_on(self, day: str, dates: Mapping[str, dt.date]) -> bool:
        """Whether the window is asked for on a day of the study.

        ``days`` names keys of ``service_date``; ``weekday``, ``saturday`` and ``sunday`` that are no such key mean the days of
        that kind.
        """
        if self.days is None or day in self.days:
            return True
        kind = day_type(dates[day])
        return kind in self.days and kind not in dates


def _window_short(value: Any) -> Any:
    """``07:00-09:00`` is short for ``{time: 07:00-09:00}``."""
    return {"time": value} if isinstance(value, str) else value


def _rising(values: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(values)) != len(values):
        raise ValueError("a value is given twice")
    return tuple(sorted(values))


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


WindowOrText = Annotated[
    Window,
    BeforeValidator(_window_short),
    WithJsonSchema(
        {
            "anyOf": [
                WINDOW_SCHEMA,
                {
                    "type": "object",
                    "properties": {"time": WINDOW_SCHEMA, "days": NAMES_SCHEMA},
                    "required": ["time"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
Minutes = Annotated[float, Field(ge=0, le=600)]
_WHOLE = {"type": "integer"}
Rising = Annotated[
    tuple[int, ...],
    BeforeValidator(_as_list),
    Field(min_length=1),
    AfterValidator(_rising),
    WithJsonSchema({"anyOf": [_WHOLE, {"type": "array", "items": _WHOLE, "minItems": 1}]}),
]
"""Whole numbers, each once, in rising order."""


class Walk(Spec):
    """Walking speed and the longest walks; a limit is met when ``walk_s <= minutes * 60``."""

    speed_kmh: Annotated[float, Field(gt=0, le=20)] = 4.8
    to_stop_min: Minutes = 20
    between_stops_min: Minutes = 10
    all_the_way_min: Minutes = 60
    link_m: Annotated[float, Field(ge=0, le=5000)] = 300


def _default_windows() -> dict[str, Window]:
    return {
        "morning_peak": Window(time=(7 * HOUR, 9 * HOUR)),
        "evening": Window(time=(18 * HOUR, 22 * HOUR), days=("weekday",)),
    }


class Travel(Spec):
    """How people travel in this study; every key has a default.

    With ``step_free`` (``wheelchair`` means the same) nobody takes steps, and every figure is two bounds: what is not known
    of trips and stops taken as accessible (``best``) and as not (``worst``). One of them alone can be named.
    """

    windows: Annotated[dict[str, WindowOrText], Field(min_length=1)] = Field(default_factory=_default_windows)
    cutoffs_min: Rising = (30, 45, 60)
    max_rides: Annotated[int, Field(ge=0, le=20)] = 3
    max_travel_min: Annotated[int, Field(gt=0, le=480)] = 120
    walk: Walk = Walk()
    slack_s: Annotated[int, Field(ge=0, le=3600)] = 60
    departure_step_s: Annotated[int, Field(gt=0, le=3600)] = 60
    percentiles: Rising = (25, 50, 75)
    wheelchair: bool = False
    step_free: bool | Literal["best", "worst"] = False
    phase: Literal["zero", "half", "sampled"] = "zero"
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @field_validator("cutoffs_min")
    @classmethod
    def _cutoffs_are_minutes(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        if values[0] <= 0:
            raise ValueError("a cutoff must be at least 1 minute")
        return values

    @field_validator("percentiles")
    @classmethod
    def _percentiles_are_shares(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        if values[0] <= 0 or values[-1] > 100:
            raise ValueError("a percentile must be a whole number above 0 and at most 100")
        return values

    @model_validator(mode="after")
    def _wheelchair_is_step_free(self) -> Travel:
        if {"wheelchair", "step_free"} <= self.model_fields_set and self.wheelchair != bool(self.step_free):
            raise ValueError(
                "wheelchair and step_free mean the same, but one is true and the other is not; leave one out"
            )
        self.__dict__["step_free"] = self.step_free or self.wheelchair
        self.__dict__["wheelchair"] = bool(self.step_free)
        return self

    @property
    def bound(self) -> bool | Literal["best", "worst"]:
        """What an answer that is one counts as accessible: the better bound where both are asked for; False for everything."""
        return "best" if self.step_free is True else self.step_free

    @model_validator(mode="after")
    def _cutoffs_within_the_longest_journey(self) -> Travel:
        if self.cutoffs_min[-1] > self.max_travel_min:
            raise ValueError(
                f"the cutoff {self.cutoffs_min[-1]} is beyond max_travel_min ({self.max_travel_min}), "
                "so that longer journeys would never be found; raise max_travel_min or leave the cutoff out"
            )
        return self
