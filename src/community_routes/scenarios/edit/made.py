"""What changes make beside a new timetable: their effects in words, clock times that they assume, buses on demand."""

from __future__ import annotations

from dataclasses import dataclass

from community_routes.base.times import HOUR
from community_routes.scenarios.edit.days import DaySet

ON_DEMAND = 715
"""Route type of buses on demand (demand and response bus, of the extended types); their rides are no departures."""


@dataclass(frozen=True)
class Effect:
    """What one change did, in words.

    Attributes
    ----------
    scenario : str
        Id of the scenario file that holds the change.
    change : int
        Its number in that file, from 1.
    kind : str
        ``set_headway``, ...
    text : str
        ``7: 14 -> 27 Sunday departures``.
    """

    scenario: str
    change: int
    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Timed:
    """Trips whose clock times a proposal assumes: buses every so often, starting at the period's beginning.

    Attributes
    ----------
    key : str
        Names the group the same in every proposal: route, direction, day and period.
    headway_s : int
        The first bus could as well start anywhere in ``0 <= t < headway_s`` later.
    trip_ids : tuple of str
    """

    key: str
    headway_s: int
    trip_ids: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class DrtZone:
    """A zone of buses on demand as it was put into the timetable.

    Attributes
    ----------
    name : str
    window_s : (int, int)
        Hours in which a ride can begin.
    route_id : str
        Route in the feed that holds its rides; not among the new routes, whose trips are real ones.
    days : DaySet
        Dates on which it runs.
    vehicles : int or None
        On the road for all of its hours; None where the proposal does not say.
    km_per_vehicle_hour : float
        Driven by each.
    assumed_km : bool
        Whether that is its speed without a break, for want of a figure.
    """

    name: str
    window_s: tuple[int, int]
    route_id: str
    days: DaySet
    vehicles: int | None = None
    km_per_vehicle_hour: float = 0.0
    assumed_km: bool = True

    @property
    def hours(self) -> float:
        """Hours of a day on which it runs."""
        return (self.window_s[1] - self.window_s[0]) / HOUR
