"""What every change of a proposal is: fields that a planner may write under its key, and what it does to a timetable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, WithJsonSchema, model_validator

from community_routes.base.times import DAY, format_time, parse_time
from community_routes.scenarios.edit.work import Work
from community_routes.scenarios.values import ROUTE_SCHEMA, Clock, Model, Words


class Change(Model, ABC):
    """One change of a scenario: a file in ``changes/`` and an entry in :data:`~community_routes.scenarios.list.CHANGES`.

    Its fields are what may stand in a file; the reader, the schema for editors and the writer of YAML take them from here.

    Attributes
    ----------
    kind : str
        The key under which it stands in a file.
    example : str
        Its fields for the file that ``new-scenario`` writes: a flow mapping, or indented lines after a line break. ``$route``,
        ``$place`` and the other names of :func:`~community_routes.scenarios.template.names_of` stand for what the study has.
    off : bool
        Switched off: it is read and its form is checked, and it is not applied.
    """

    kind: ClassVar[str]
    example: ClassVar[str]

    off: Annotated[bool, Field(description="true: the change is kept in the file, and not applied.")] = False

    @abstractmethod
    def apply(self, work: Work) -> None:
        """Look up what the fields name, put the changed timetable (streets, places, fares) in ``work``, and say what was done.

        What came in is never changed. A name that means nothing is a fault with its place in the file (``work.route``,
        ``work.days``, ``work.spot``), and so is a change that finds nothing to change.
        """

    def named(self) -> dict[str, object]:
        """The fields by their keys in a file: the route and places among them are looked up even where the rest is at fault."""
        return {info.alias or name: getattr(self, name) for name, info in type(self).model_fields.items()}


class OfRoute(Change):
    """A route that exists: ``route`` is its id or short name, ``agency`` settles a clash.

    ``{route: 7, agency: X}`` may also be written as the route itself: ``route: {route: 7, agency: X}``.
    """

    route: Annotated[str, WithJsonSchema(ROUTE_SCHEMA)]
    agency: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_agency(cls, value: Any) -> Any:
        inner = value.get("route") if isinstance(value, Mapping) else None
        if not isinstance(inner, Mapping) or "route" not in inner or set(inner) - {"route", "agency"}:
            return value
        return {**value, **inner}


class Selected(OfRoute):
    """A change of the trips of a route on some days and departures only."""

    days: Words | None = None
    from_: Clock | None = Field(default=None, alias="from")
    to: Clock | None = None

    def period_s(self) -> tuple[int, int] | None:
        """Start and end in seconds of the departures meant; None for all of them."""
        if self.from_ is None and self.to is None:
            return None
        start = parse_time(self.from_) if self.from_ is not None else -DAY
        end = parse_time(self.to) if self.to is not None else 4 * DAY
        return (start, end)

    @model_validator(mode="after")
    def _not_backwards(self) -> Selected:
        period = self.period_s()
        if period is not None and period[0] >= period[1]:
            later = format_time(period[1] + DAY, with_seconds=False)
            raise ValueError(
                f"from {self.from_} to {self.to} holds no departure; for {self.to} of the next morning write {later}"
            )
        if self.days is not None and not self.days:
            raise ValueError("days is empty; leave it out for every day")
        return self
