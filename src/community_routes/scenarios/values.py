"""The values of a scenario file: periods, headways, speeds, places, and how each is checked."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from community_routes.base.times import parse_time, parse_window
from community_routes.sources.study.models import CLOCK_SCHEMA, WINDOW_SCHEMA

KINDS_OF_DAY: dict[str, frozenset[int]] = {
    "weekday": frozenset(range(5)),
    "saturday": frozenset({5}),
    "sunday": frozenset({6}),
    "monday": frozenset({0}),
    "tuesday": frozenset({1}),
    "wednesday": frozenset({2}),
    "thursday": frozenset({3}),
    "friday": frozenset({4}),
}
"""Kinds of day that a scenario may name, as sets of weekdays (Monday is 0)."""

LONGEST_HEADWAY_MIN = 240.0


def nearest_name(word: str, names: Iterable[str]) -> str | None:
    """The name most like the word, or None when none is like it."""
    by_fold = {name.casefold(): name for name in names}
    # Of two signs, as in the number of a route, one right is near.
    found = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.5 if len(word) <= 3 else 0.6)
    return by_fold[found[0]] if found else None


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where it is taken: ``X``, ``X-2``, ``X-3``."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}-{number}"
    return name


def number_within(value: Any, low: float, high: float, what: str) -> float:
    """A finite number within bounds, from a number or its text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is no number; write {what}") from None
    if isinstance(value, bool) or not low <= number <= high:
        raise ValueError(f"{value} is outside {low:g} to {high:g}; write {what}")
    return number


def within(low: float, high: float, what: str) -> BeforeValidator:
    """What makes a field a finite number within bounds; ``what`` says in words what to write."""
    return BeforeValidator(lambda value: number_within(value, low, high, what))


def check_window(text: Any) -> str:
    """A period such as 07:00-19:00, as its text."""
    parse_window(str(text))
    return str(text)


def _check_headway(value: Any) -> float:
    return number_within(value, 1, LONGEST_HEADWAY_MIN, "the minutes between buses, 1 to 240")


def _check_clock(value: Any) -> str:
    parse_time(str(value))
    return str(value)


def _check_headway_or_departures(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError("the list of departures is empty; leave the day out, or give at least one time")
        return tuple(sorted({_check_clock(item): parse_time(str(item)) for item in value}.items(), key=lambda x: x[1]))
    return _check_headway(value)


def _check_no_overlap(periods: dict[str, Any]) -> dict[str, Any]:
    """Two periods of one day must not hold the same minute."""
    windows = sorted((parse_window(text), text) for text in periods if text != "departures")
    for (before, first), (after, second) in pairwise(windows):
        if after[0] < before[1]:
            raise ValueError(f"the periods {first} and {second} overlap; each bus would run twice")
    return periods


def _check_day_service(periods: dict[str, Any]) -> dict[str, Any]:
    if not periods:
        raise ValueError("no period is given; write START-END: MINUTES, as in 07:00-19:00: 15")
    for key, value in periods.items():
        if (key == "departures") != isinstance(value, tuple):
            wanted = "a list of times" if key == "departures" else "the minutes between buses"
            raise ValueError(f"{key} needs {wanted}")
    return _check_no_overlap(periods)


def _as_day_service(value: Any) -> Any:
    return {"departures": value} if isinstance(value, list | tuple) else value


def _check_service_key(text: Any) -> str:
    return "departures" if str(text) == "departures" else check_window(text)


def _as_place(value: Any) -> Any:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return {"text": str(value)}
    return value


def _as_speeds(value: Any) -> Any:
    return value if isinstance(value, Mapping) else {"always": value}


def _check_speed_key(text: Any) -> str:
    return "always" if str(text) == "always" else check_window(text)


def _check_coordinates(value: tuple[float, float]) -> tuple[float, float]:
    lon, lat = value
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(f"[{lon:g}, {lat:g}] is no place on earth; write [longitude, latitude]")
    return value


def _check_drawn(value: Any) -> Any:
    """The name of a file, or corners as pairs of longitude and latitude."""
    if not isinstance(value, list | tuple):
        return value
    pairs = [pair for pair in value if isinstance(pair, list | tuple) and len(pair) == 2]
    if len(pairs) < len(value):
        raise ValueError(
            "a drawing is the name of a file, or its corners: [[longitude, latitude], [longitude, latitude]]"
        )
    return tuple(
        _check_coordinates((number_within(lon, -180, 180, "a longitude"), number_within(lat, -90, 90, "a latitude")))
        for lon, lat in pairs
    )


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | int | Mapping) else value


def _by_period(value: dict[str, Any], **others: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of a mapping from periods of the day to a value, and of what else may stand in it."""
    periods = {WINDOW_SCHEMA["pattern"]: value}
    return {"type": "object", "patternProperties": periods, "properties": others, "additionalProperties": False}


NAME_SCHEMA = {"type": ["string", "number"]}
_NAMED_ROUTE = {"route": NAME_SCHEMA, "agency": NAME_SCHEMA}
ROUTE_SCHEMA = {
    "anyOf": [
        NAME_SCHEMA,
        {"type": "object", "properties": _NAMED_ROUTE, "required": ["route"], "additionalProperties": False},
    ],
    "description": "Number or id of the route.",
}
"""A route's number or id, or both with an agency."""
_HEADWAY_SCHEMA = {"type": "number", "minimum": 1, "maximum": LONGEST_HEADWAY_MIN}
_DEPARTURES_SCHEMA = {"type": "array", "items": CLOCK_SCHEMA, "minItems": 1}
_SPEED_SCHEMA = {"type": "number", "minimum": 0.5, "maximum": 200}
_PLACE_SCHEMA = {
    "anyOf": [
        NAME_SCHEMA,
        {
            "type": "object",
            "properties": {
                "at": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                "name": NAME_SCHEMA,
                "text": NAME_SCHEMA,
            },
            "additionalProperties": False,
        },
    ],
    "description": "A stop's id or name, a destination's name, or {at: [longitude, latitude], name: New stop}.",
}

Headway = Annotated[Any, BeforeValidator(_check_headway)]
Window = Annotated[str, BeforeValidator(check_window), WithJsonSchema(WINDOW_SCHEMA)]
Clock = Annotated[str, BeforeValidator(_check_clock), WithJsonSchema(CLOCK_SCHEMA)]
Headways = Annotated[
    dict[Window, Headway],
    AfterValidator(_check_no_overlap),
    WithJsonSchema({**_by_period(_HEADWAY_SCHEMA), "description": "Minutes between buses: {07:00-19:00: 15}."}),
]
"""Minutes between buses by period of the day: ``{07:00-19:00: 15}``."""
DayService = Annotated[
    dict[
        Annotated[str, BeforeValidator(_check_service_key)],
        Annotated[Any, BeforeValidator(_check_headway_or_departures)],
    ],
    BeforeValidator(_as_day_service),
    AfterValidator(_check_day_service),
    WithJsonSchema({"anyOf": [_by_period(_HEADWAY_SCHEMA, departures=_DEPARTURES_SCHEMA), _DEPARTURES_SCHEMA]}),
]
"""The same, or ``departures`` with pairs of a time as written and its seconds."""
Speed = Annotated[float, within(0.5, 200, "kilometres an hour")]
Speeds = Annotated[
    dict[Annotated[str, BeforeValidator(_check_speed_key)], Speed],
    BeforeValidator(_as_speeds),
    AfterValidator(lambda speeds: speeds if "always" in speeds else _check_no_overlap(speeds)),
    WithJsonSchema({"anyOf": [_SPEED_SCHEMA, _by_period(_SPEED_SCHEMA, always=_SPEED_SCHEMA)]}),
]
"""Speed in km/h: ``{"always": 18}``, or by period of the day of departure from the first stop."""
Positive = Annotated[
    float, within(1e-6, 1e12, "a number above 0"), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})
]
Amount = Annotated[float, within(0, 1e12, "0 or more"), WithJsonSchema({"type": "number", "minimum": 0})]
Minutes = Annotated[
    float,
    within(1e-6, 600, "the minutes from stop to stop, above 0"),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 600}),
]
Dwell = Annotated[int, Field(ge=0, le=1800)]
LonLat = Annotated[tuple[float, float], AfterValidator(_check_coordinates)]
Drawn = Annotated[
    str | tuple[LonLat, ...],
    BeforeValidator(_check_drawn),
    WithJsonSchema(
        {
            "anyOf": [
                NAME_SCHEMA,
                {
                    "type": "array",
                    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                    "minItems": 2,
                },
            ],
            "description": "A file beside the scenario, or corners: [[longitude, latitude], [longitude, latitude]].",
        }
    ),
]
"""A line or a zone: the name of a file beside the scenario, or its corners in longitude and latitude."""
Direction = Annotated[
    Literal["0", "1", "both"], BeforeValidator(str), WithJsonSchema({"enum": ["0", "1", "both", 0, 1]})
]
Words = Annotated[
    tuple[str, ...],
    BeforeValidator(_as_list),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class Model(BaseModel):
    """What all parts of a scenario share: frozen, unknown keys are faults, numbers that are names become text."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, populate_by_name=True, validate_default=False
    )


class PlaceAt(Model):
    """A place: the id or name of a stop, the name of a destination, or coordinates with a name for a new stop.

    In a file it is a text (``Hospital``) or a mapping (``{at: [-2.45, 53.74], name: New stop}``).
    """

    text: str = ""
    at: LonLat | None = None
    name: str = ""

    @model_validator(mode="after")
    def _one_of(self) -> PlaceAt:
        if (self.at is None) == (not self.text.strip()):
            raise ValueError("a place is a stop id, a stop name, a destination's name or {at: [lon, lat], name: ...}")
        return self

    def __str__(self) -> str:
        if self.at is None:
            return self.text
        return self.name or f"[{self.at[0]:g}, {self.at[1]:g}]"


Place = Annotated[PlaceAt, BeforeValidator(_as_place), WithJsonSchema(_PLACE_SCHEMA)]
Places = tuple[Place, ...]
