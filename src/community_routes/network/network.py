"""Everything a search needs that does not depend on the question: footpaths, the timetable of a date, its changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from community_routes.network.packing import packable
from community_routes.network.timetable.changes import Changes, build_changes, named_trips
from community_routes.network.timetable.connections import Connections, build_connections, mirrored
from community_routes.network.timetable.renewing import Base, known_changes
from community_routes.network.timetable.thinning import thinned
from community_routes.network.timetable.trips import OfDay, Timetable, build_timetable
from community_routes.network.walks.links import Ground
from community_routes.network.walks.points import Links
from community_routes.network.walks.stops import build_footpaths, link_stops
from community_routes.sources.gtfs.feed import Feed


@packable
@dataclass(frozen=True, eq=False)
class Outline:
    """Of a network, what a search by departure needs: no names, no rules, ready to be packed for other processes.

    Attributes
    ----------
    connections : Connections
    slack_s : int
    span_s : (int, int)
    stop_lon, stop_lat : float64, shape (n_stops,)
    """

    connections: Connections
    slack_s: int
    span_s: tuple[int, int]
    stop_lon: NDArray[np.float64]
    stop_lat: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Network:
    """The public transport of one service date, ready to be searched.

    Attributes
    ----------
    feed : Feed
    footpaths : Links
        Walks between stops (rows of ``feed.stops``) within the limit.
    timetable : Timetable
    changes : Changes
    connections : Connections
    slack_s : int
        Seconds to be at a stop before a departure.
    apart : bool, shape (n_runs,)
        Vehicle runs with a trip that a rule of ``transfers.txt`` names.
    """

    feed: Feed
    footpaths: Links
    timetable: Timetable
    changes: Changes
    connections: Connections
    slack_s: int
    apart: NDArray[np.bool_] = field(repr=False)
    _parts: dict[tuple[int, int], Connections] = field(default_factory=dict, init=False, repr=False)
    _thinned: dict[tuple[bool, int, int], Connections] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        # Found with the network, since it hangs on nothing that a question asks.
        _ = self.connections.is_tied

    @cached_property
    def backwards(self) -> Connections:
        """The connections with time running backwards (second ``t`` is ``-t``), for searches by arrival."""
        return self._mirrored(np.arange(len(self.timetable.from_stop)))

    def backwards_between(self, start_s: int, end_s: int) -> Connections:
        """``backwards``, at least of the connections that arrive from one second to another, both included.

        A search by arrival needs a few hours of the day only; finding the changes of the whole day would cost more than
        the search. What a search within these seconds finds is the same.
        """
        if "backwards" in self.__dict__:
            return self.backwards
        for (first_s, last_s), part in self._parts.items():
            if first_s <= start_s and end_s <= last_s:
                return part
        arrival_s = self.timetable.arrival_s
        hops = np.flatnonzero((arrival_s >= start_s) & (arrival_s <= end_s))
        if 2 * len(hops) > len(arrival_s):
            return self.backwards
        part = self._parts[start_s, end_s] = self._mirrored(hops)
        return part

    def thinned_between(self, start_s: int, end_s: int, *, backwards: bool = False) -> Connections:
        """The connections (or ``backwards``) for searches between two seconds, with few changes; found once.

        To find them takes as long as some five blocks of lanes gain from them. The times found are the same.
        """
        for (turned, first_s, last_s), known in self._thinned.items():
            if turned == backwards and first_s <= start_s and end_s <= last_s:
                return known
        if backwards:
            found = thinned(self.backwards_between(start_s, end_s), -end_s, -start_s)
        else:
            found = thinned(self.connections, start_s, end_s)
        _ = found.is_tied
        self._thinned[backwards, start_s, end_s] = found
        return found

    def _mirrored(self, hops: NDArray[np.int64]) -> Connections:
        """The connections of some hops (rising), with time running backwards."""
        hops_of = self.timetable.only(hops)
        n_hops = len(self.timetable.from_stop)
        order = hops[::-1]
        flipped = self.changes.mirrored()
        changes = Changes(
            alight_place=flipped.alight_place[order],
            board_place=flipped.board_place[order],
            alight_stop=flipped.alight_stop,
            board_stop=flipped.board_stop,
            first=flipped.first,
            to=flipped.to,
            change_s=flipped.change_s,
        )
        apart = self.apart[np.unique(self.timetable.run()[hops])]
        found = build_connections(mirrored(hops_of), changes, apart[::-1])
        return found if len(hops) == n_hops else replace(found, hop=(n_hops - 1 - order)[found.hop].astype(np.int32))

    @cached_property
    def base(self) -> Base:
        """What networks like this one are built from."""
        return Base(self.timetable, self.changes, self.connections, self.apart)

    @property
    def span_s(self) -> tuple[int, int]:
        """Seconds of the service date for whose departures it was built."""
        return self.timetable.span_s

    @property
    def stop_lon(self) -> NDArray[np.float64]:
        """Degrees of longitude of each stop."""
        degrees: NDArray[np.float64] = self.feed.stops["lon"].to_numpy(np.float64)
        return degrees

    @property
    def stop_lat(self) -> NDArray[np.float64]:
        """Degrees of latitude of each stop."""
        degrees: NDArray[np.float64] = self.feed.stops["lat"].to_numpy(np.float64)
        return degrees

    def outline(self) -> Outline:
        """What a search by departure needs."""
        return Outline(self.connections, self.slack_s, self.span_s, self.stop_lon, self.stop_lat)

    def __repr__(self) -> str:
        return (
            f"Network({self.timetable.date}: {self.timetable.n_runs:,} vehicle runs, {len(self.connections):,} "
            f"connections, {len(self.connections.transfer):,} changes, {len(self.footpaths.to):,} footpaths)"
        )


def assemble_network(
    feed: Feed,
    date: dt.date,
    footpaths: Links,
    *,
    slack_s: int = 60,
    known: Network | None = None,
    **of_day: Unpack[OfDay],
) -> Network:
    """Build the network of a service date from a feed and footpaths that are known already.

    Parameters
    ----------
    feed : Feed
    date : date
    footpaths : Links
        From rows of ``feed.stops`` to rows of ``feed.stops``; a stop to itself is 0 s whether listed or not.
    slack_s : int
        Seconds to be at a stop before a departure, at every boarding.
    known : Network, optional
        Of a timetable like this one: what both have alike is taken from it. It changes no byte.
    **of_day : phase, seed, wheelchair, span_s, notices
        As in ``build_timetable``.

    Returns
    -------
    Network
    """
    timetable = build_timetable(feed, date, **of_day)
    changes = build_changes(feed, timetable, footpaths, slack_s=slack_s)
    named = named_trips(feed)
    apart = np.zeros(timetable.n_runs, np.bool_)
    if named.any():
        apart[np.unique(timetable.run()[named[timetable.trip]])] = True
    like = None
    if known is not None:
        like = known_changes(known.base, timetable, changes, apart)
    connections = build_connections(timetable, changes, apart, like)
    return Network(feed, footpaths, timetable, changes, connections, slack_s, apart)


def build_network(
    feed: Feed,
    ground: Ground,
    date: dt.date,
    *,
    slack_s: int = 60,
    between_stops_s: int = 600,
    speed_kmh: float = 4.8,
    link_m: float = 300.0,
    **of_day: Unpack[OfDay],
) -> Network:
    """Build the network of a service date from a feed and the ground between its stops.

    Parameters
    ----------
    feed : Feed
    ground : Streets or CrowFly
    date : date
    slack_s : int
        Seconds to be at a stop before a departure, at every boarding.
    between_stops_s : int
        Longest walk between two stops, seconds.
    speed_kmh : float
        Walking speed.
    link_m : float
        Farthest a stop may be from a street.
    **of_day : phase, seed, wheelchair, span_s, notices
        As in ``build_timetable``.

    Returns
    -------
    Network
    """
    walking: dict[str, Any] = {"speed_kmh": speed_kmh, "step_free": bool(of_day.get("wheelchair"))}
    stops = link_stops(feed, ground, link_m=link_m, notices=of_day.get("notices"), **walking)
    footpaths = build_footpaths(feed, ground, stops, limit_s=between_stops_s, **walking)
    return assemble_network(feed, date, footpaths, slack_s=slack_s, **of_day)
