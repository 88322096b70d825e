"""A route that calls at one more stop, or passes some of its stops."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from community_routes.base.earth import great_circle_m
from community_routes.scenarios.change import OfRoute
from community_routes.scenarios.edit.feed import TripCalls
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.trips import replace_calls, select, warn_of_rest
from community_routes.scenarios.edit.work import CANNOT_APPLY, Work
from community_routes.scenarios.values import Direction, Dwell, Place, Places


class AddStop(OfRoute):
    """A route calls at one more stop."""

    kind: ClassVar[str] = "add_stop"
    example: ClassVar[str] = "{route: $route, stop: {at: $here, name: New stop}, after: $stop_a}"

    stop: Place
    after: Place
    direction: Direction = "both"
    dwell_s: Dwell = 15

    def apply(self, work: Work) -> None:
        """Put the stop behind ``after``; the way back calls there too, before it comes to ``after``."""
        route = work.route(self.route, self.agency)
        spot, after = work.spots_at([(self.stop, ["stop"]), (self.after, ["after"])])
        here = np.array(work.stops_of(after))
        served = np.array(work.stops_of(spot), np.int64)
        chosen = select(work, route, direction=self.direction)
        gaps: dict[bytes, int | None] = {}
        already = False

        def insert(_trip: int, old: TripCalls) -> TripCalls | None:
            nonlocal already
            key = old.stop.tobytes()
            if key not in gaps:
                gaps[key] = self._gap(work, old, here, spot)
            k = gaps[key]
            if k is None:
                return None
            if np.isin(old.stop[k : k + 2], served).any():
                already = True
                return None
            stop = _chosen_stop(work, spot, int(old.stop[k]), int(old.stop[k + 1]))
            return _with_stop(work, old, k, stop, self.dwell_s)

        def why() -> str:
            if already:
                return f"route {chosen.name} calls at {spot.label} there already"
            what = f"no trip of route {chosen.name} calls at {after.label} and goes on from there"
            return f"{what}; beyond a terminus use extend_route"

        replaced = replace_calls(work, chosen, insert, why)
        trip, new = next(iter(replaced.items()))
        old = TripCalls.of(chosen.feed, trip)
        longer = int(new.arrival_s[-1] - new.departure_s[0]) - int(old.arrival_s[-1] - old.departure_s[0])
        trips = warn_of_rest(work, chosen, replaced) if self.direction == "both" else f"{len(replaced)} trips"
        work.effect(chosen.name, f"{trips} call at {spot.label} as well ({longer} s longer)")

    def _gap(self, work: Work, old: TripCalls, here: NDArray[np.int64], spot: Spot) -> int | None:
        """The call behind which the stop goes: the one at ``after``, or the one before it on the way back."""
        hits = np.flatnonzero(np.isin(old.stop, here))
        if not len(hits):
            return None
        at = int(hits[0])
        options = [at] if self.direction != "both" else [at, at - 1]
        options = [k for k in options if 0 <= k < len(old) - 1]

        def longer(k: int) -> float:
            a, b = work.point(int(old.stop[k])), work.point(int(old.stop[k + 1]))
            there = great_circle_m(*a, spot.lon, spot.lat) + great_circle_m(spot.lon, spot.lat, *b)
            return float(there - great_circle_m(*a, *b))

        return min(options, key=longer, default=None)


def _chosen_stop(work: Work, spot: Spot, a: int, b: int) -> int:
    """The stop of the place on the side of a bus from stop a to stop b; made where it is new."""
    if not spot.stops:
        return work.make_stop(spot, ["stop"])
    row, assumed = work.finder.side(spot, work.point(a), work.point(b))
    if assumed:
        work.note_kerb(spot, row, work.spot_of(b).label, ["stop"])
    return row


def _with_stop(work: Work, old: TripCalls, k: int, stop: int, dwell_s: int) -> TripCalls:
    """One more call behind call k; the bus drives as fast as it did there, and the calls behind are later."""
    a, b = int(old.stop[k]), int(old.stop[k + 1])
    run = int(old.arrival_s[k + 1] - old.departure_s[k])
    whole, first, second = (work.metres_between(*hop) for hop in ((a, b), (a, stop), (stop, b)))
    per_metre = run / whole if whole > 0 and run > 0 else 3.6 / 18
    arrive = int(old.departure_s[k]) + max(round(first * per_metre), 1)
    leave = arrive + dwell_s
    # A bus that had time to spare there keeps its clock behind the new stop; it is never earlier than before.
    later = max(leave + max(round(second * per_metre), 1) - int(old.arrival_s[k + 1]), 0)
    before, behind = old.part(slice(k + 1)), old.part(slice(k + 1, None))
    return TripCalls.joined(before, TripCalls.plain([stop], [arrive], [leave]), behind.shifted(later))


class RemoveStops(OfRoute):
    """A route passes some of its stops without calling."""

    kind: ClassVar[str] = "remove_stops"
    example: ClassVar[str] = "{route: $route, stops: [$stop_b], saves_s: 20}"

    stops: Places = Field(min_length=1)
    saves_s: Annotated[int, Field(ge=0, le=1800)] = 0
    direction: Direction = "both"

    def apply(self, work: Work) -> None:
        """Take the calls out; each saves ``saves_s`` seconds, or as much as the run times allow."""
        route = work.route(self.route, self.agency)
        spots = work.spots(self.stops, ["stops"])
        gone = np.array(sorted({row for spot in spots for row in spot.stops}), np.int64)
        chosen = select(work, route, direction=self.direction)
        calls = 0

        def fewer(_trip: int, old: TripCalls) -> TripCalls | None:
            nonlocal calls
            drop = np.isin(old.stop, gone)
            if not drop.any():
                return None
            if (~drop).sum() < 2:
                message = f"a trip of route {chosen.name} would call at fewer than two stops; use withdraw_route"
                raise work.stop(CANNOT_APPLY, message, ["stops"])
            calls += int(drop.sum())
            return _without_calls(old, drop, self.saves_s)

        labels = ", ".join(spot.label for spot in spots)
        replaced = replace_calls(work, chosen, fewer, lambda: f"no trip of route {chosen.name} calls at {labels}")
        text = f"{len(replaced)} trips pass {labels} without calling; {calls} calls fewer, {self.saves_s} s saved each"
        work.effect(chosen.name, text)


def _without_calls(old: TripCalls, drop: NDArray[np.bool_], saves_s: int) -> TripCalls:
    """Calls without some of them; those behind each are earlier, but never before the call in front of it is left."""
    arrival, departure = old.arrival_s.astype(np.int64), old.departure_s.astype(np.int64)
    earlier = 0
    kept: list[int] = []
    shifts: list[int] = []
    for k in range(len(old)):
        if drop[k]:
            if kept:  # a trip that starts later at the next stop keeps its clock there
                earlier += saves_s
            continue
        if kept:
            room = int(arrival[k]) - (int(departure[kept[-1]]) - shifts[-1]) - 1
            earlier = min(earlier, max(room, shifts[-1]))
        kept.append(k)
        shifts.append(earlier)
    return old.part(np.array(kept)).shifted(-np.array(shifts))
