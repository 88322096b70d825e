"""What is asked of a search: when to leave (or arrive), within which limits, and which walks begin and end a journey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.times import DAY, format_window
from community_routes.network.packing import packable
from community_routes.network.walks.points import Links

LONGEST_TRAVEL_S = 30_000
"""Times in the scan are 16-bit seconds; a journey may take up to 8 h 20 min."""


@packable
@dataclass(frozen=True)
class Query:
    """A window of departures (or of deadlines) and the limits of a journey; a limit may be met exactly.

    Attributes
    ----------
    window_s : (int, int)
        First departure, and the end that is left out, in seconds of the service date.
    step_s : int
        Seconds between departures.
    max_rides : int
        Vehicles boarded at most; staying on board of a vehicle that goes on as another trip is one ride.
    max_travel_s : int
        From leaving the origin, waits included, to reaching the destination.
    percentiles : tuple of int
        Whole numbers 0 < p <= 100; the p-th is the travel time of rank ``ceil(p / 100 n)`` over the departures, unreached last.
    arrive_by : bool
        The window holds deadlines, and the time is from the latest departure that meets each.
    """

    window_s: tuple[int, int]
    step_s: int = 60
    max_rides: int = 3
    max_travel_s: int = 7200
    percentiles: tuple[int, ...] = (25, 50, 75)
    arrive_by: bool = False

    def __post_init__(self) -> None:
        start, end = self.window_s
        if not start < end <= start + DAY:
            raise UsageError(f"the window {format_window(self.window_s)} must end after it starts, within a day")
        if self.step_s < 1:
            raise UsageError(f"departure_step_s must be 1 or more, not {self.step_s}")
        if self.max_rides < 0:
            raise UsageError(f"max_rides must be 0 or more, not {self.max_rides}")
        if not 0 < self.max_travel_s <= LONGEST_TRAVEL_S:
            raise UsageError(
                f"max_travel must be over 0 and at most {LONGEST_TRAVEL_S // 60} minutes, not {self.max_travel_s / 60:g}"
            )
        wrong = [p for p in self.percentiles if not (isinstance(p, int) and 0 < p <= 100)]
        if wrong:
            raise UsageError(f"percentiles are whole numbers from 1 to 100, not {', '.join(map(str, wrong))}")

    @property
    def departures_s(self) -> NDArray[np.int32]:
        """The departures (or deadlines): one each ``step_s`` from the start of the window, its end excluded."""
        return np.arange(self.window_s[0], self.window_s[1], self.step_s, dtype=np.int32)

    def ranks(self) -> list[int]:
        """Index of each percentile among the sorted times of all departures (nearest rank)."""
        n = len(self.departures_s)
        return [-(-p * n // 100) - 1 for p in self.percentiles]


@packable
@dataclass(frozen=True, eq=False)
class Walks:
    """The walks that begin, end or make up a journey, all within their limits.

    Attributes
    ----------
    access : Links
        From origins to stops.
    egress : Links
        From destinations to stops: the walk *from* the stop *to* the destination, grouped by destination.
    direct : Links
        From origins to destinations.
    """

    access: Links
    egress: Links
    direct: Links

    @property
    def n_origins(self) -> int:
        """Number of origins."""
        return self.access.n_from

    @property
    def n_destinations(self) -> int:
        """Number of destinations."""
        return self.egress.n_from

    def mirrored(self) -> Walks:
        """The same with time running backwards: origins and destinations swap."""
        return Walks(self.egress, self.access, self.direct.reversed(self.n_destinations))
