"""What a planner may write under ``changes``: one model for each kind of change, with its fields and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from community_routes.base.times import DAY, format_time, parse_time
from community_routes.scenarios.values import (
    KINDS_OF_DAY,
    Amount,
    Clock,
    DayService,
    Direction,
    Dwell,
    Headways,
    LonLat,
    Minutes,
    Model,
    Place,
    Places,
    Positive,
    Speeds,
    Window,
    Words,
    check_positive,
    check_speed,
    check_window,
    number_within,
)


class Change(Model):
    """One change of a scenario; ``kind`` is the key under which it stands in the file."""

    kind: ClassVar[str] = ""


class OfRoute(Change):
    """A route that exists: ``route`` is its id or short name, ``agency`` settles a clash.

    ``{route: 7, agency: X}`` may also be written as the route itself: ``route: {route: 7, agency: X}``.
    """

    route: str
    agency: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_agency(cls, value: Any) -> Any:
        inner = value.get("route") if isinstance(value, Mapping) else None
        if not isinstance(inner, Mapping) or "route" not in inner or set(inner) - {"route", "agency"}:
            return value
        return {**value, **inner}


class Line(Model):
    """A drawn line along which a new route stops every so often."""

    file: str
    stop_every_m: Annotated[float, BeforeValidator(lambda v: number_within(v, 50, 5000, "metres between stops"))] = (
        350.0
    )


class Meet(Model):
    """Clock times set so that the bus leaves a stop ``wait_min`` after another route has come in there."""

    meet: str
    wait_min: Annotated[float, BeforeValidator(lambda v: number_within(v, 0, 120, "minutes, 0 to 120"))] = 5.0

    @model_validator(mode="after")
    def _route_at_stop(self) -> Meet:
        route, at, stop = self.meet.partition(" at ")
        if not (route.strip() and at and stop.strip()):
            raise ValueError(f"{self.meet!r} names no route and stop; write ROUTE at STOP, as in 6A at Hospital")
        return self


class Vehicle(Model):
    """The vehicle of a new route."""

    seats: Annotated[int, Field(ge=1, le=2000)] = 29


class RunTimes(Change):
    """How long a new piece of route takes: given times between stops, or a speed along the road."""

    run_times_min: tuple[Minutes, ...] | None = None
    speed_kmh: Speeds | None = None
    dwell_s: Dwell | None = None

    @model_validator(mode="after")
    def _times_or_speed(self) -> RunTimes:
        if self.run_times_min is not None and self.speed_kmh is not None:
            raise ValueError("give run_times_min or speed_kmh, not both")
        return self


class AddRoute(RunTimes):
    """A new route, on the roads, one way or both."""

    kind: ClassVar[str] = "add_route"

    name: str
    stops: Places | None = None
    line: Line | None = None
    both_ways: bool = True
    service: dict[str, DayService] = Field(default_factory=dict)
    departures: tuple[Clock, ...] | None = None
    phase: Meet | None = None
    fare: dict[str, Any] | None = None
    vehicle: Vehicle | None = None
    mode: Literal["bus", "tram", "rail", "metro", "ferry", "coach"] = "bus"
    agency: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> AddRoute:
        if not self.name.strip():
            raise ValueError("a new route needs a name")
        if (self.stops is None) == (self.line is None):
            raise ValueError("give stops (at least two) or line, one of them")
        if self.stops is not None and len(self.stops) < 2:
            raise ValueError(f"a route needs at least two stops; {len(self.stops)} given")
        if self.stops is not None and self.run_times_min is not None:
            wanted = len(self.stops) - 1
            if len(self.run_times_min) != wanted:
                raise ValueError(
                    f"{len(self.stops)} stops need {wanted} run_times_min, one from each stop to the next; "
                    f"{len(self.run_times_min)} given"
                )
        if self.line is not None and self.run_times_min is not None:
            raise ValueError("a route along a line takes speed_kmh: its number of stops is not known beforehand")
        if self.run_times_min is None and self.speed_kmh is None:
            raise ValueError("say how fast it is: run_times_min (minutes from stop to stop) or speed_kmh, such as 18")
        if bool(self.service) == (self.departures is not None):
            raise ValueError("give service (by day) or departures (the same every day), one of them")
        return self


class SetHeadway(OfRoute):
    """Other minutes between buses of a route, by kind of day and period."""

    kind: ClassVar[str] = "set_headway"

    weekday: Headways | None = None
    saturday: Headways | None = None
    sunday: Headways | None = None
    monday: Headways | None = None
    tuesday: Headways | None = None
    wednesday: Headways | None = None
    thursday: Headways | None = None
    friday: Headways | None = None
    day: Headways | None = None
    service: dict[str, Headways] = Field(default_factory=dict)
    direction: Direction = "both"
    phase: Meet | None = None

    @model_validator(mode="after")
    def _some_day(self) -> SetHeadway:
        if not self.by_day():
            raise ValueError("no day is given; write for example weekday: {07:00-19:00: 15}")
        return self

    def by_day(self) -> dict[str, dict[str, float]]:
        """The periods and their headways by key of day, the plain keys before those under ``service``."""
        named = {key: getattr(self, key) for key in (*KINDS_OF_DAY, "day") if getattr(self, key)}
        return {**named, **{key: value for key, value in self.service.items() if value}}


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


class WithdrawRoute(Selected):
    """A route no longer runs, or not on some days or hours."""

    kind: ClassVar[str] = "withdraw_route"


class ChangeSpeed(Selected):
    """A route runs faster or slower, as with a bus lane; standing at stops stays as it is."""

    kind: ClassVar[str] = "change_speed"

    factor: Annotated[float, BeforeValidator(lambda v: number_within(v, 0.1, 10, "a factor of the speed, 0.1 to 10"))]
    between: tuple[Place, Place] | None = None
    direction: Direction = "both"


class ChangeDwell(Selected):
    """A route stands at stops for another time: ``dwell_s``, or ``factor`` times as long; at some stops or all on the way."""

    kind: ClassVar[str] = "change_dwell"

    stops: Places | None = None
    dwell_s: Dwell | None = None
    factor: (
        Annotated[float, BeforeValidator(lambda v: number_within(v, 0, 20, "a factor of the standing time, 0 to 20"))]
        | None
    ) = None
    direction: Direction = "both"

    @model_validator(mode="after")
    def _one(self) -> ChangeDwell:
        if (self.dwell_s is None) == (self.factor is None):
            raise ValueError("give dwell_s (seconds at each stop) or factor, one of them")
        return self


class ExtendRoute(RunTimes, OfRoute):
    """A route goes on beyond one of its termini."""

    kind: ClassVar[str] = "extend_route"

    after: Place
    stops: Places = Field(min_length=1)
    trips: str = "all"
    days: Words | None = None

    @model_validator(mode="after")
    def _complete(self) -> ExtendRoute:
        if self.trips != "all":
            check_window(self.trips)
        if self.run_times_min is not None and len(self.run_times_min) != len(self.stops):
            raise ValueError(
                f"{len(self.stops)} new stops need {len(self.stops)} run_times_min, the first from the old terminus; "
                f"{len(self.run_times_min)} given"
            )
        if self.run_times_min is None and self.speed_kmh is None:
            raise ValueError("say how fast it is: run_times_min (minutes from stop to stop) or speed_kmh, such as 18")
        return self


class Reroute(RunTimes, OfRoute):
    """A route takes another way between two of its stops."""

    kind: ClassVar[str] = "reroute"

    from_: Place = Field(alias="from")
    to: Place
    via: Places = ()
    direction: Direction = "both"

    @model_validator(mode="after")
    def _times(self) -> Reroute:
        if self.run_times_min is not None and len(self.run_times_min) != len(self.via) + 1:
            raise ValueError(
                f"{len(self.via)} stops on the way need {len(self.via) + 1} run_times_min, from stop to stop; "
                f"{len(self.run_times_min)} given"
            )
        return self


class AddStop(OfRoute):
    """A route calls at one more stop."""

    kind: ClassVar[str] = "add_stop"

    stop: Place
    after: Place
    direction: Direction = "both"
    dwell_s: Dwell = 15


class RemoveStops(OfRoute):
    """A route passes some of its stops without calling."""

    kind: ClassVar[str] = "remove_stops"

    stops: Places = Field(min_length=1)
    saves_s: Annotated[int, Field(ge=0, le=1800)] = 0
    direction: Direction = "both"


class AddPath(Change):
    """A new way to walk."""

    kind: ClassVar[str] = "add_path"

    name: str
    line: str
    modes: tuple[Literal["walk"], ...] = ("walk",)


class ClosePath(Change):
    """A way of the map can no longer be walked."""

    kind: ClassVar[str] = "close_path"

    osm_way: int
    name: str = ""


class AddDrt(Change):
    """Buses on demand in a zone, and to the places it connects.

    ``vehicles`` are on the road for all of ``hours``; without it nobody knows what the service takes, and its cost is missing.
    ``km_per_vehicle_hour`` is what each of them drives, ``speed_kmh`` without a break when left out.
    """

    kind: ClassVar[str] = "add_drt"

    name: str
    zone: str
    days: Words = ("weekday",)
    hours: Window
    wait_min: Annotated[float, BeforeValidator(lambda v: number_within(v, 0, 240, "minutes, 0 to 240"))]
    ride_factor: Annotated[
        float, BeforeValidator(lambda v: number_within(v, 1, 5, "a factor of the road time, 1 to 5"))
    ] = 1.0
    speed_kmh: Annotated[float, BeforeValidator(check_speed)] = 25.0
    connects: Places = ()
    vehicles: Annotated[int, Field(ge=1, le=1000)] | None = None
    km_per_vehicle_hour: (
        Annotated[float, BeforeValidator(lambda v: number_within(v, 0, 100, "kilometres an hour, 0 to 100"))] | None
    ) = None


class ChangeFare(Change):
    """Other fares: any keys of the study's ``fares``."""

    model_config = ConfigDict(extra="allow")
    kind: ClassVar[str] = "change_fare"


class AddHomes(Change):
    """New homes at a place; their residents are like those of a neighbourhood that exists."""

    kind: ClassVar[str] = "add_homes"

    name: str
    at: LonLat
    homes: Annotated[float, BeforeValidator(check_positive)]
    persons_per_home: Positive = 2.4
    like: str


class AddJobs(Change):
    """New jobs at a place."""

    kind: ClassVar[str] = "add_jobs"

    name: str
    at: LonLat
    jobs: Positive
    into: str = "employment"


class AddSpace(Change):
    """A new shared space."""

    kind: ClassVar[str] = "add_space"

    name: str
    at: LonLat
    space_kind: str = Field(default="", alias="kind")
    amount: Amount = 1.0
    into: str = "shared_spaces"


CHANGES: dict[str, type[Change]] = {
    model.kind: model
    for model in (
        AddRoute,
        SetHeadway,
        ChangeSpeed,
        ChangeDwell,
        ExtendRoute,
        Reroute,
        WithdrawRoute,
        AddStop,
        RemoveStops,
        AddPath,
        ClosePath,
        AddDrt,
        ChangeFare,
        AddHomes,
        AddJobs,
        AddSpace,
    )
}
"""Every kind of change by its key."""


class Cost(Model):
    """Rates of operation, in the planner's currency; what is not given is not counted.

    ``days`` are the days of a year of each kind. Layover is the larger of ``layover_share`` of the cycle and
    ``layover_min`` minutes.
    """

    per_bus_hour: Amount = 0.0
    per_km: Amount = 0.0
    per_peak_vehicle_year: Amount = 0.0
    dead_share: Annotated[float, BeforeValidator(lambda v: number_within(v, 0, 2, "a share, 0 to 2"))] = 0.0
    days: dict[str, Amount] = Field(default_factory=lambda: {"weekday": 253.0, "saturday": 52.0, "sunday": 60.0})
    layover_share: Annotated[float, BeforeValidator(lambda v: number_within(v, 0, 1, "a share, 0 to 1"))] = 0.10
    layover_min: Annotated[float, BeforeValidator(lambda v: number_within(v, 0, 60, "minutes, 0 to 60"))] = 5.0
