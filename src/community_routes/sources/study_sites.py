"""The `sites` part of a study file: what a batch of development sites is asked beyond the standards."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from community_routes.sources.study_spec import Name, Spec

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
