"""What every part of a study file has in common: it is frozen, knows no other keys, and knows where it was written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from community_routes.base.errors import StudyError
from community_routes.base.times import FIRST_DATE, LAST_DATE, parse_date, parse_time, parse_window
from community_routes.sources.study.yaml import Located, Node, Step

MOST = 1e12
"""The largest number of persons, jobs or pounds that is believed; sums of much larger ones are no numbers any more."""


class Spec(BaseModel):
    """A part of a study file. ``at("column")`` is the place where that key was written, for a message."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)
    _places: dict[str, dict[str, Any]] = PrivateAttr(default_factory=dict)

    def at(self, name: str = "") -> dict[str, Any]:
        """``file``, ``row``, ``column``, ``field`` of a key of this part; of the part itself where the key is not given.

        A part made in Python has no place: then only ``field`` is there.
        """
        found = self._places.get(name) or self._places.get("")
        return dict(found) if found else {"field": name}


Part = TypeVar("Part", bound=Spec)


def build_part(model: type[Part], given: Part | Mapping[str, Any], folder: str | Path = ".") -> Part:
    """A part of a study from a dict of its keys; one that is built already is given back.

    Raises
    ------
    StudyError
        The keys or values are not those of the part; with all faults.
    """
    if isinstance(given, model):
        return given
    try:
        return model.model_validate(dict(given), context={"folder": Path(folder).absolute()})
    except ValidationError as fault:
        said = [
            f"{'.'.join(str(step) for step in item['loc'])}: {item['msg']}" for item in fault.errors(include_url=False)
        ]
        raise StudyError("; ".join(said)) from None


def mark_places(part: Any, located: Located, node: Node, path: tuple[Step, ...] = ()) -> None:
    """Tell a part, and the parts inside it, where they stand in the file."""
    if isinstance(part, Spec):
        part._places[""] = located.place(path)
        for name, info in type(part).model_fields.items():
            key = info.alias or name
            child = node.child(key)
            if child is not None:
                part._places[name] = located.place((*path, key))
                mark_places(getattr(part, name), located, child, (*path, key))
    elif isinstance(part, Mapping):
        for key, value in part.items():
            child = node.child(key)
            if child is not None:
                mark_places(value, located, child, (*path, key))
    elif isinstance(part, tuple | list):
        for number, value in enumerate(part):
            child = node.child(number)
            if child is not None:
                mark_places(value, located, child, (*path, number))


def data_path(text: Any, info: ValidationInfo) -> Path:
    """A path as written, made absolute against the folder of the study file (the current folder without one)."""
    if isinstance(text, Path):
        given = text
    elif isinstance(text, str) and text.strip():
        given = Path(text.strip())
    else:
        raise ValueError("the name of a file is expected")
    if any(ord(char) < 32 for char in str(given)):
        raise ValueError(f"{str(given)!r} is no name of a file")
    folder = Path((info.context or {}).get("folder", "."))
    return given if given.is_absolute() else folder / given


def _date(value: Any) -> dt.date:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("a date such as 2024-03-05 is expected")
    date = parse_date(value)
    if not FIRST_DATE <= date <= LAST_DATE:
        raise ValueError(f"{str(value)!r} is no date of a timetable ({FIRST_DATE.year} to {LAST_DATE.year})")
    return date


def _clock(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise ValueError("a time of day such as 07:30 is expected")
    return parse_time(value)


def _window(value: Any) -> tuple[int, int]:
    if isinstance(value, tuple) and len(value) == 2:
        return value
    if not isinstance(value, str):
        raise ValueError("a window such as 07:00-09:00 is expected")
    return parse_window(value)


def _one_or_more(value: Any) -> Any:
    """A single text stands for a list of one."""
    return [value] if isinstance(value, str) else value


def _no_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("a text is expected, not nothing")
    return str(value)


Name = Annotated[str, AfterValidator(_no_blank), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""A text that is not empty."""

DataFile = Annotated[
    Path, BeforeValidator(data_path), WithJsonSchema({"type": "string", "description": "a file; relative to this one"})
]
"""A file, absolute once read."""

Date = Annotated[dt.date, BeforeValidator(_date), WithJsonSchema({"type": "string", "format": "date"})]

CLOCK_SCHEMA = {"type": "string", "pattern": r"^\d{1,3}:[0-5]\d(:[0-5]\d)?$"}
Clock = Annotated[int, BeforeValidator(_clock), WithJsonSchema(CLOCK_SCHEMA)]
"""A time of day, in seconds of the service date."""

WINDOW_SCHEMA = {
    "type": "string",
    "pattern": r"^\d{1,3}:[0-5]\d(:[0-5]\d)?\s*[-–]\s*\d{1,3}:[0-5]\d(:[0-5]\d)?$",
}
ClockWindow = Annotated[
    tuple[int, int],
    BeforeValidator(_window),
    WithJsonSchema(WINDOW_SCHEMA),
]
"""A start and an end, in seconds of the service date; the end is the later one and excluded."""

_ONE_NAME = {"type": ["string", "number"]}
NAMES_SCHEMA = {"anyOf": [_ONE_NAME, {"type": "array", "items": _ONE_NAME, "minItems": 1}]}
Names = Annotated[
    tuple[Name, ...],
    BeforeValidator(_one_or_more),
    WithJsonSchema(NAMES_SCHEMA),
]
"""One text or a list of them."""

DAY_TYPES = ("weekday", "saturday", "sunday")


def day_type(date: dt.date) -> str:
    """``weekday``, ``saturday`` or ``sunday``."""
    return DAY_TYPES[max(0, date.weekday() - 4)]


_MOST_PLACES = 50
_PAIR = 2


def _place(value: Any) -> Any:
    """A place as text; a pair of numbers is ``lon,lat``."""
    if isinstance(value, list | tuple) and len(value) == _PAIR:
        return ",".join(str(part) for part in value)
    return value


def _named(value: Any) -> Any:
    """A list of names stands for each under its own name."""
    if isinstance(value, list | tuple):
        return (
            {name: name for name in value if isinstance(name, str)}
            if len(set(map(str, value))) == len(value)
            else value
        )
    return value


PlaceText = Annotated[
    Name,
    BeforeValidator(_place),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "number"}, "minItems": 2}]}),
]
"""An id or a name of a neighbourhood, a destination or a stop, or ``lon,lat``."""


class SitesSpec(Spec):
    """Settings of a batch of development sites.

    ``named_places`` are places to which the time is told, each under a name of its own: an id or a name of a destination, a
    stop or a neighbourhood, or ``lon,lat``. ``persons_per_home`` makes residents of homes.
    """

    named_places: Annotated[
        dict[str, PlaceText],
        BeforeValidator(_named),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "object", "additionalProperties": {"type": ["string", "array"]}},
                    {"type": "array", "items": {"type": "string"}},
                ]
            }
        ),
    ] = Field(default_factory=dict)
    persons_per_home: Annotated[float, Field(gt=0, le=20)] = 2.4

    @field_validator("named_places")
    @classmethod
    def _names_are_words(cls, value: dict[str, str]) -> dict[str, str]:
        if len(value) > _MOST_PLACES:
            raise ValueError(f"{len(value)} places are named; at most {_MOST_PLACES} can be")
        for name in value:
            if not name.strip() or "/" in name or "__" in name:
                raise ValueError(f"{name!r} cannot name a place: it must be a word without `/` and `__`")
        return value
