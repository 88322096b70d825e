"""The `fares` and `standards` parts of a study file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from community_routes.sources.study.models import Clock, Names, Spec
from community_routes.sources.study.yaml import Text, nearest

POUNDS = "GBP"
Money = Annotated[float, Field(ge=0, le=100_000)]


class Fare(Spec):
    """Prices of tickets, in the study's money; None where there is no such ticket.

    ``single`` is paid at each boarding (not when staying on board); ``day``, ``week`` and ``four_week`` cap what is paid in that
    time; ``cap_single`` caps each single; ``per_km`` with ``minimum`` is a single by distance.
    """

    single: Money | None = None
    return_: Money | None = Field(default=None, alias="return")
    day: Money | None = None
    week: Money | None = None
    four_week: Money | None = None
    cap_single: Money | None = None
    per_km: Money | None = None
    minimum: Money | None = None


class Concession(Spec):
    """A share of travellers who ride free (or at ``price``) from a time of day on, until ``to`` where given."""

    share: Annotated[float, Field(ge=0, le=1)]
    from_: Clock = Field(default=0, alias="from")
    to: Clock | None = None
    price: Money = 0.0


class Fares(Fare):
    """The fares of a study: a general price list, and exceptions by route, agency and mode.

    A mode without a fare makes a journey's fare unknown, never 0. ``income_per_month`` is what costs are a share of where the
    neighbourhoods have no income of their own. With ``gtfs`` true the timetables' own fares hold, with single prices of routes,
    agencies and modes in their place and the general single where they say nothing; left out, that is so where no price is
    stated. ``currency`` (ISO 4217) is that of every price, budget and income here: where it is left out, pounds beside prices
    of the study, else that of the timetables' own fares.
    """

    routes: dict[str, Fare] = Field(default_factory=dict)
    agencies: dict[str, Fare] = Field(default_factory=dict)
    modes: dict[str, Fare] = Field(default_factory=dict)
    concession: Concession | None = None
    budgets: tuple[Money, ...] = ()
    income_per_month: Annotated[float, Field(gt=0)] | None = None
    gtfs: bool | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None

    @model_validator(mode="after")
    def _no_tickets_beside_the_timetable(self) -> Fares:
        lists = {"": self, **self.routes, **self.agencies, **self.modes}
        tickets = [
            f"{name}: {key}".strip(": ")
            for name, fare in lists.items()
            for key, price in (
                ("return", fare.return_),
                ("day", fare.day),
                ("week", fare.week),
                ("four_week", fare.four_week),
            )
            if price is not None
        ]
        tickets += ["concession"] if self.concession is not None else []
        if self.gtfs and tickets:
            raise ValueError(f"`gtfs: true` takes single prices beside it, not tickets ({', '.join(tickets)})")
        return self

    @property
    def has_prices(self) -> bool:
        """Whether any price or ticket is stated."""
        lists = [self, *self.routes.values(), *self.agencies.values(), *self.modes.values()]
        keys = ("single", "per_km", "return_", "day", "week", "four_week")
        return any(getattr(fare, key) is not None for fare in lists for key in keys)


class Standards(Spec):
    """What a development site must offer; ``<destinations>_within_min: 45`` for any key of `destinations`."""

    model_config = ConfigDict(
        json_schema_extra={"patternProperties": {"_within_min$": {"type": "number", "exclusiveMinimum": 0}}}
    )

    stop_within_m: Annotated[float, Field(gt=0)] | None = None
    departures_per_hour: dict[str, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    within_min: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    source: str | None = None
    required: Names = ()

    @model_validator(mode="before")
    @classmethod
    def _collect_within(cls, value: Any) -> Any:
        """``employment_within_min: 45`` becomes ``within_min: {employment: 45}``."""
        if not isinstance(value, dict):
            return value
        ending = "_within_min"
        short = {key: item for key, item in value.items() if isinstance(key, str) and key.endswith(ending)}
        rest = {key: item for key, item in value.items() if key not in short}
        given = rest.get("within_min")
        if short and (given is None or isinstance(given, dict)):
            rest["within_min"] = {
                **(given or {}),
                **{Text(key.removesuffix(ending)): item for key, item in short.items()},
            }
        return rest

    def unknown_destinations(self, destinations: Iterable[str]) -> dict[str, str | None]:
        """Destinations of ``within_min`` that the study does not have, each with the nearest that it has.

        ``key/kind`` stands for one kind of place and is known where its key is.
        """
        known = list(destinations)
        return {key: nearest(key, known) for key in self.within_min if key.split("/")[0] not in known}
