"""A new piece of route: its stops on the right side of the road, its course, and how fast it is driven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from community_routes.base.times import MINUTE, format_time, parse_window
from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.work import CANNOT_APPLY, ODD_SPEED, Abandoned, Hop, Work
from community_routes.scenarios.values import Dwell, Minutes, Speeds
from community_routes.sources.study.yaml import Step

DWELL_S = 15
"""Seconds at a stop where run times come from a speed and nothing else is said."""


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

    def check_run_times(self, stops: str, wanted: int, which: str) -> None:
        """A fault where times are given, and not as many as there are hops."""
        given = len(self.run_times_min) if self.run_times_min is not None else wanted
        if given != wanted:
            raise ValueError(f"{stops} need {wanted} run_times_min, {which}; {given} given")

    def check_some_times(self) -> None:
        """A fault where there is neither time nor speed."""
        if self.run_times_min is None and self.speed_kmh is None:
            raise ValueError("say how fast it is: run_times_min (minutes from stop to stop) or speed_kmh, such as 18")


@dataclass(frozen=True, eq=False)
class Course:
    """One direction of a new piece of route.

    Attributes
    ----------
    stops : tuple of int
        Rows of ``Feed.stops``.
    hops : tuple of Hop
        The road from each stop to the next, stops minus 1.
    """

    stops: tuple[int, ...]
    hops: tuple[Hop, ...]

    @property
    def metres(self) -> float:
        """Length along the road."""
        return sum(hop.metres for hop in self.hops)

    def line(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The course as one line, lon and lat."""
        if not self.hops:
            return np.zeros(0), np.zeros(0)
        return np.concatenate([hop.lon for hop in self.hops]), np.concatenate([hop.lat for hop in self.hops])


def course_of(work: Work, spots: Sequence[Spot], path: Sequence[Step]) -> Course:
    """Stops and roads of one direction, or every fault of it."""
    stops = choose_stops(work, spots, path)
    hops: list[Hop] = []
    failed = False
    for k, (a, b) in enumerate(pairwise(stops)):
        words = f"{spots[k].label} to {spots[k + 1].label}"
        if a == b:
            work.note(
                CANNOT_APPLY, f"{words}: a bus cannot go from a stop to itself; take one of them out", path, words
            )
            failed = True
            continue
        try:
            hops.append(work.hop(work.point(a), work.point(b), path, words))
        except Abandoned:
            failed = True
    if failed:
        raise Abandoned
    return Course(tuple(stops), tuple(hops))


def choose_stops(work: Work, spots: Sequence[Spot], path: Sequence[Step]) -> list[int]:
    """The stop of each place on the side of the road for this direction; new stops are made."""
    rows = []
    for k, spot in enumerate(spots):
        if not spot.stops:
            rows.append(work.make_stop(spot, path))
            continue
        before = spots[k - 1] if k > 0 else spot
        after = spots[k + 1] if k + 1 < len(spots) else spot
        row, assumed = work.finder.side(spot, (before.lon, before.lat), (after.lon, after.lat))
        if assumed:
            work.note_kerb(spot, row, after.label if after is not spot else spot.label, path)
        rows.append(row)
    return rows


@dataclass(frozen=True, eq=False)
class Pace:
    """How run times of a course are made: given from stop to stop, or a speed by time of day."""

    run_s: tuple[int, ...] | None
    speeds: Mapping[str, float]
    dwell_s: int

    @classmethod
    def of(cls, change: RunTimes) -> Pace:
        """As the change says; dwell is 15 s with a speed, and part of given run times, unless it is said."""
        given = change.run_times_min
        dwell = change.dwell_s if change.dwell_s is not None else (0 if given is not None else DWELL_S)
        run_s = tuple(round(minutes * MINUTE) for minutes in given) if given is not None else None
        return cls(run_s, change.speed_kmh or {}, dwell)

    def mirrored(self) -> Pace:
        """The same the other way."""
        return replace(self, run_s=None if self.run_s is None else self.run_s[::-1])

    def speed_at(self, depart_s: int) -> float:
        """Speed for a departure in km/h.

        Raises
        ------
        KeyError
            No period of the speeds holds the departure.
        """
        if "always" in self.speeds:
            return self.speeds["always"]
        for window, speed in self.speeds.items():
            start, end = parse_window(window)
            if start <= depart_s < end:
                return speed
        raise KeyError(depart_s)

    def seconds(self, hops: Sequence[Hop], depart_s: int) -> list[int]:
        """Run time of each hop for a departure, at least a second."""
        if self.run_s is not None:
            return list(self.run_s)
        speed = self.speed_at(depart_s)
        return [max(round(hop.metres * 3.6 / speed), 1) for hop in hops]


def calls_of(course: Course, run_s: Sequence[int], dwell_s: int, depart_s: int) -> TripCalls:
    """Calls of a trip that leaves the first stop at ``depart_s``."""
    arrival, departure = [depart_s], [depart_s]
    for k, seconds in enumerate(run_s):
        arrival.append(departure[-1] + seconds)
        last = k == len(run_s) - 1
        departure.append(arrival[-1] + (0 if last else dwell_s))
    return TripCalls.plain(course.stops, arrival, departure)


def warn_speed(
    work: Work, spots: Sequence[Spot], hops: Sequence[Hop], run_s: Sequence[int], path: Sequence[Step]
) -> None:
    """Warn of hops under 6 or over 60 km/h, all in one notice."""
    odd = []
    for k, (hop, seconds) in enumerate(zip(hops, run_s, strict=True)):
        speed = hop.metres * 3.6 / seconds
        if speed < 6 or speed > 60:
            words = f"{spots[k].label} to {spots[k + 1].label}"
            odd.append(f"{words}: {hop.metres:,.0f} m in {seconds / 60:.1f} min is {speed:.0f} km/h")
    if odd:
        work.note(ODD_SPEED, f"{'; '.join(odd)}; under 6 or over 60 km/h is unusual, check the run times", path)


def run_seconds(work: Work, pace: Pace, course: Course, depart: int) -> list[int]:
    """Run time of each hop for a departure; a fault where no period of the speeds holds it."""
    try:
        return pace.seconds(course.hops, depart)
    except KeyError:
        clock = format_time(depart, with_seconds=False)
        message = f"no period of speed_kmh holds the departure at {clock}; add one, or give one speed for all day"
        raise work.stop(CANNOT_APPLY, message, ["speed_kmh"], clock) from None
