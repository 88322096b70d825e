"""A route that is driven faster or slower, or stands at its stops for another time."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from community_routes.scenarios.change import Selected
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.trips import replace_calls, section_between, select
from community_routes.scenarios.edit.work import Work
from community_routes.scenarios.values import Direction, Dwell, Place, Places, within


class ChangeSpeed(Selected):
    """A route runs faster or slower, as with a bus lane; standing at stops stays as it is."""

    kind: ClassVar[str] = "change_speed"
    example: ClassVar[str] = (
        "{route: $route, factor: 1.1}                                        # 10 % faster, as with a bus lane"
    )

    factor: Annotated[float, within(0.1, 10, "a factor of the speed, 0.1 to 10")]
    between: tuple[Place, Place] | None = None
    direction: Direction = "both"

    def apply(self, work: Work) -> None:
        """Divide run times by the factor; dwell and the first departure stay."""
        route = work.route(self.route, self.agency)
        days = work.days(self.days, ["days"])
        between = None
        if self.between is not None:
            between = [np.array(work.stops_of(spot)) for spot in work.spots(self.between, ["between"])]
        chosen = select(work, route, days=days, period=self.period_s(), direction=self.direction)
        lasted = [0, 0]

        def faster(_trip: int, old: TripCalls) -> TripCalls | None:
            section: tuple[int, int] | None = (0, len(old) - 1)
            if between is not None:
                section = section_between(old, *between) or section_between(old, *between[::-1])
            if section is None:
                return None
            new = _with_speed(old, *section, self.factor)
            for k, calls in enumerate((old, new)):
                lasted[k] += int(calls.arrival_s[-1] - calls.departure_s[0])
            return new

        where = f" between {self.between[0]} and {self.between[1]}" if self.between else ""
        replaced = replace_calls(
            work, chosen, faster, lambda: f"no trip of route {chosen.name} meant here changes its run times{where}"
        )
        work.warn_dates(days, ["days"])
        n = len(replaced)
        mean = " -> ".join(f"{seconds / n / 60:.1f}" for seconds in lasted)
        work.effect(chosen.name, f"{n} trips x {self.factor:g} speed{where}, mean {mean} min")


class ChangeDwell(Selected):
    """A route stands at stops for another time: ``dwell_s``, or ``factor`` times as long; at some stops or all on the way."""

    kind: ClassVar[str] = "change_dwell"
    example: ClassVar[str] = "{route: $route, dwell_s: 20}"

    stops: Places | None = None
    dwell_s: Dwell | None = None
    factor: Annotated[float, within(0, 20, "a factor of the standing time, 0 to 20")] | None = None
    direction: Direction = "both"

    @model_validator(mode="after")
    def _one(self) -> ChangeDwell:
        if (self.dwell_s is None) == (self.factor is None):
            raise ValueError("give dwell_s (seconds at each stop) or factor, one of them")
        return self

    def apply(self, work: Work) -> None:
        """Give the stops on the way another dwell; run times stay."""
        route = work.route(self.route, self.agency)
        days = work.days(self.days, ["days"])
        spots = work.spots(self.stops, ["stops"]) if self.stops is not None else None
        there = None if spots is None else np.array(sorted({row for spot in spots for row in spot.stops}), np.int64)
        chosen = select(work, route, days=days, period=self.period_s(), direction=self.direction)
        stood = [0, 0]

        def dwell(_trip: int, old: TripCalls) -> TripCalls:
            standing = old.departure_s - old.arrival_s
            on_the_way = np.arange(len(old)) % max(len(old) - 1, 1) != 0
            mine = on_the_way if there is None else on_the_way & np.isin(old.stop, there)
            wanted = np.round(standing * (self.factor or 0)) if self.dwell_s is None else self.dwell_s
            new = np.where(mine, wanted, standing).astype(np.int32)
            for k, seconds in enumerate((standing, new)):
                stood[k] += int(seconds[on_the_way].sum())
            return _retimed(old, (old.arrival_s[1:] - old.departure_s[:-1]).astype(np.int64), new)

        replaced = replace_calls(
            work,
            chosen,
            dwell,
            lambda: f"no trip of route {chosen.name} meant here stands at a stop for another time than before",
        )
        work.warn_dates(days, ["days"])
        mean = " -> ".join(f"{seconds / len(chosen.trips):.0f}" for seconds in stood)
        work.effect(chosen.name, f"{len(replaced)} trips stand {mean} s in all on the way (mean)")


def _with_speed(old: TripCalls, first: int, last: int, factor: float) -> TripCalls:
    """Run times between two calls divided by the factor; dwell and the first departure stay."""
    run = (old.arrival_s[1:] - old.departure_s[:-1]).astype(np.float64)
    dwell = old.departure_s - old.arrival_s
    section = (np.arange(len(run)) >= first) & (np.arange(len(run)) < last)
    run = np.where(section, np.maximum(np.round(run / factor), np.minimum(run, 1)), run)
    return _retimed(old, run.astype(np.int64), dwell)


def _retimed(old: TripCalls, run_s: NDArray[np.int64], dwell_s: NDArray[np.int32]) -> TripCalls:
    """The same calls with other run and dwell times from the same first departure."""
    leave = int(old.departure_s[0])
    arrival = leave + np.cumsum(run_s) + np.concatenate([[0], np.cumsum(dwell_s[1:-1])])
    arrivals = np.concatenate([[int(old.arrival_s[0])], arrival]).astype(np.int32)
    departures = np.concatenate([[leave], arrival + dwell_s[1:]]).astype(np.int32)
    return replace(old, arrival_s=arrivals, departure_s=departures)
