"""Journeys leg by leg, traced from the rows of the same scan that fills the matrix, so that both always agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import UNREACHED
from community_routes.network.network import Network
from community_routes.network.timetable.connections import Connections
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.routing.scan import NEVER, Scanned
from community_routes.routing.search import Search, Span
from community_routes.routing.travel_times import travel_times_by_departure


@dataclass(frozen=True)
class Walk:
    """A walk of a journey.

    Attributes
    ----------
    from_stop, to_stop : int
        Rows of ``Feed.stops``; -1 for the origin or the destination.
    depart_s, arrive_s : int
    metres : float
    """

    from_stop: int
    to_stop: int
    depart_s: int
    arrive_s: int
    metres: float


@dataclass(frozen=True)
class Ride:
    """A stay in one vehicle.

    Attributes
    ----------
    trips : tuple of int
        Rows of ``Feed.trips``; more than one where the vehicle goes on as another trip.
    calls : tuple of int
        Rows of ``Feed.calls`` where the hops of the ride begin, in order; the last hop ends at the call after the last.
    from_stop, to_stop : int
        Rows of ``Feed.stops``.
    wait_s : int
        Between reaching the stop and leaving it.
    depart_s, arrive_s : int
    """

    trips: tuple[int, ...]
    calls: tuple[int, ...]
    from_stop: int
    to_stop: int
    wait_s: int
    depart_s: int
    arrive_s: int


@dataclass(frozen=True)
class Journey:
    """One way from the origin to the destination.

    Attributes
    ----------
    depart_s, arrive_s : int
        Leaving the origin and reaching the destination, seconds of the service date.
    legs : tuple of Walk and Ride
    """

    depart_s: int
    arrive_s: int
    legs: tuple[Walk | Ride, ...]

    @property
    def time_s(self) -> int:
        """Seconds from leaving to arriving."""
        return self.arrive_s - self.depart_s

    @property
    def rides(self) -> tuple[Ride, ...]:
        """The legs in vehicles."""
        return tuple(leg for leg in self.legs if isinstance(leg, Ride))

    @property
    def walk_s(self) -> int:
        """Seconds on foot."""
        return sum(leg.arrive_s - leg.depart_s for leg in self.legs if isinstance(leg, Walk))


def journeys(
    network: Network, query: Query, walks: Walks, origin: int, destination: int, moment_s: int
) -> list[Journey]:
    """The Pareto journeys by arrival and rides that leave at ``moment_s`` (or arrive by it, for ``query.arrive_by``).

    The first in the list arrives first; each that follows needs fewer rides and arrives later. The travel time of the
    first is the matrix cell of that departure, to the second. Between journeys of one arrival and one number of rides,
    the one with the shorter first walk and then with the shorter changes is taken.

    Returns
    -------
    list of Journey
        Empty when there is none within the limits.
    """
    one = Walks(walks.access.of(origin), walks.egress.of(destination), _between(walks.direct, origin, destination))
    if query.arrive_by:
        deadline = replace(query, window_s=(moment_s, moment_s + 1), step_s=1)
        time_s = int(travel_times_by_departure(network, deadline, one)[0, 0, 0])
        if time_s == UNREACHED:
            return []
        found = _leaving(network, replace(query, arrive_by=False), one, moment_s - time_s)
        return [journey for journey in found if journey.arrive_s <= moment_s]
    return _leaving(network, query, one, moment_s)


def _between(links: Links, start: int, end: int) -> Links:
    own = links.of(start)
    there = own.to == end
    return Links(
        np.array([0, int(there.sum())]), np.zeros(int(there.sum()), np.int32), own.walk_s[there], own.metres[there]
    )


def _leaving(network: Network, query: Query, walks: Walks, depart_s: int) -> list[Journey]:
    moment = replace(query, window_s=(depart_s, depart_s + 1), step_s=1)
    found: list[Journey] = []
    direct = walks.direct
    if len(direct.to) and direct.walk_s[0] <= query.max_travel_s:
        arrive_s = depart_s + int(direct.walk_s[0])
        found.append(Journey(depart_s, arrive_s, (Walk(-1, -1, depart_s, arrive_s, float(direct.metres[0])),)))
    if query.max_rides:
        search = Search(network.connections, network, moment, walks)
        span = search.spans[0]
        trace = _Trace(network, walks, span, search.n_lanes, search.scan(span, np.zeros(1, np.int32)))
        for layer in range(query.max_rides):
            earliest_s = trace.earliest(layer)
            if earliest_s is None or earliest_s - depart_s > query.max_travel_s:
                continue
            if not found or earliest_s < found[-1].arrive_s:
                found.append(trace.journey(depart_s, earliest_s, layer))
    return found[::-1]


_CONNECTION_OF: WeakKeyDictionary[Connections, NDArray[np.int64]] = WeakKeyDictionary()


def _connection_of_hops(connections: Connections) -> NDArray[np.int64]:
    """Where each hop stands among the connections; found once for all journeys of a network."""
    known = _CONNECTION_OF.get(connections)
    if known is None:
        known = np.empty(len(connections), np.int64)
        known[connections.hop] = np.arange(len(connections))
        _CONNECTION_OF[connections] = known
    return known


class _Trace:
    """Reads the legs of a journey out of the rows of a scan with one lane."""

    def __init__(self, network: Network, walks: Walks, span: Span, n_lanes: int, scanned: Scanned) -> None:
        self.network, self.walks, self.span, self.n_lanes, self.scanned = network, walks, span, n_lanes, scanned
        connections = network.connections
        self.connection_of = _connection_of_hops(connections)
        egress = walks.egress
        self.egress = {
            int(stop): (int(walk), float(metres))
            for stop, walk, metres in zip(egress.to, egress.walk_s, egress.metres, strict=True)
        }
        self.access = {
            int(stop): (int(walk), float(metres))
            for stop, walk, metres in zip(walks.access.to, walks.access.walk_s, walks.access.metres, strict=True)
        }

    def waiting(self, event: int, layer: int) -> int | None:
        """Arrival of whoever waits from this event on, with ``layer + 1`` rides."""
        place = event - self.span.low
        if place < 0 or layer < 0:
            return None
        row = self.scanned.waiting_row[place]
        lane = layer * self.n_lanes
        if row < 0 or self.scanned.waiting[row, lane] == NEVER:
            return None
        return self.span.base_s + int(self.scanned.waiting[row, lane])

    def earliest(self, layer: int) -> int | None:
        """Earliest arrival from the origin with ``layer + 1`` rides."""
        arrivals = (self.waiting(int(event), layer) for event in self.span.boarding)
        return min((arrival for arrival in arrivals if arrival is not None), default=None)

    def journey(self, depart_s: int, arrive_s: int, layer: int) -> Journey:
        """The journey with that arrival and ``layer + 1`` rides."""
        hops = self.network.timetable
        connections = self.network.connections
        event = min(
            (int(e) for e in self.span.boarding if self.waiting(int(e), layer) == arrive_s),
            key=lambda e: (self.access[int(hops.from_stop[connections.hop[e]])][0], e),
        )
        stop = int(hops.from_stop[connections.hop[event]])
        walk_s, metres = self.access[stop]
        legs: list[Walk | Ride] = [Walk(-1, stop, depart_s, depart_s + walk_s, metres)]
        while True:
            ride, change = self._ride(event, layer, arrive_s, legs[-1].arrive_s)
            legs.append(ride)
            if change is None:
                walk_s, metres = self.egress[ride.to_stop]
                legs.append(Walk(ride.to_stop, -1, ride.arrive_s, ride.arrive_s + walk_s, metres))
                return Journey(depart_s, arrive_s, tuple(legs))
            event, layer = change, layer - 1
            stop = int(hops.from_stop[connections.hop[event]])
            if stop != ride.to_stop:
                walk_s, metres = self._footpath(ride.to_stop, stop)
                legs.append(Walk(ride.to_stop, stop, ride.arrive_s, ride.arrive_s + walk_s, metres))

    def _ride(self, event: int, layer: int, arrive_s: int, ready_s: int) -> tuple[Ride, int | None]:
        """The first vehicle from the event on that gives the arrival; and the event changed to, or None at the end."""
        hops, connections = self.network.timetable, self.network.connections
        while event >= 0:
            ends = list(self._ends(event, layer, arrive_s))
            if ends:
                _, last, change = min(ends, key=lambda end: end[0])
                first = int(connections.hop[event])
                ridden = range(first, last + 1)
                ride = Ride(
                    trips=tuple(dict.fromkeys(hops.trip[first : last + 1].tolist())),
                    calls=tuple(hops.call[h] for h in ridden),
                    from_stop=int(hops.from_stop[first]),
                    to_stop=int(hops.to_stop[last]),
                    wait_s=int(hops.departure_s[first]) - ready_s,
                    depart_s=int(hops.departure_s[first]),
                    arrive_s=int(hops.arrival_s[last]),
                )
                return ride, change
            event = int(connections.next_event[event])
        raise AssertionError("a row of the scan has no journey behind it")

    def _ends(self, event: int, layer: int, arrive_s: int) -> Iterator[tuple[tuple[int, int], int, int | None]]:
        """Where to leave the vehicle for the arrival: (walk and hop to choose by, last hop, event changed to or None)."""
        hops, connections = self.network.timetable, self.network.connections
        first = int(connections.hop[event])
        end = int(hops.first[int(connections.run[event]) + 1])
        for hop in range(first, end):
            c = int(self.connection_of[hop])
            stop = int(connections.alight_stop[c])
            if stop < 0 or c < self.span.low or hops.arrival_s[hop] > arrive_s:
                continue
            if stop in self.egress and hops.arrival_s[hop] + self.egress[stop][0] == arrive_s:
                yield (self.egress[stop][0], hop), hop, None
            for change in connections.transfer[connections.transfer_first[c] : connections.transfer_first[c + 1]]:
                if self.waiting(int(change), layer - 1) == arrive_s:
                    there = int(hops.from_stop[connections.hop[change]])
                    yield (self._footpath(stop, there)[0], hop), hop, int(change)

    def _footpath(self, start: int, end: int) -> tuple[int, float]:
        if start == end:
            return 0, 0.0
        footpaths = self.network.footpaths
        part = slice(int(footpaths.first[start]), int(footpaths.first[start + 1]))
        at = part.start + int(np.searchsorted(footpaths.to[part], end))
        return int(footpaths.walk_s[at]), float(footpaths.metres[at])
