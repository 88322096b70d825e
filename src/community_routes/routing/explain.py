"""Why there is no journey: the first limit that binds, with its number and what would lift it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.times import DAY, HOUR, MINUTE, UNREACHED, format_time
from community_routes.network.network import Network
from community_routes.routing.journeys import Journey, journeys
from community_routes.routing.query import LONGEST_TRAVEL_S, Query, Walks
from community_routes.routing.search import needed_s
from community_routes.routing.travel_times import travel_times_by_departure

MOST_RIDES = 8
_LONG_WALK_S = 90 * MINUTE
_STEP_S = MINUTE
_DAY_S = (0, 30 * HOUR)
"""Other moments are tried from midnight to the next morning, before which their journeys end."""
WalksWithin = Callable[[int], Walks]
Place = tuple[float, float]
Span = tuple[int, int]


@dataclass(frozen=True)
class Refusal:
    """Why there is no journey.

    Attributes
    ----------
    reason : str
        ``no_service`` or ``over_time``, as in the tables.
    message : str
        The first binding limit with its number, and what would be needed.
    """

    reason: str
    message: str


def span_to_explain(moment_s: int) -> Span:
    """Seconds for which the network must be built: the longest journey from and to any moment of the day, and the one asked."""
    return min(_DAY_S[0], moment_s) - LONGEST_TRAVEL_S, max(_DAY_S[1], moment_s) + LONGEST_TRAVEL_S


def explain(
    network: Network,
    query: Query,
    walks_within: WalksWithin,
    moment_s: int,
    *,
    to_stop_s: int,
    speed_kmh: float,
    places: tuple[Place, Place] | None = None,
    off_map: Callable[[int], str] = lambda _: "",
) -> Refusal:
    """Say why one origin has no journey to one destination at a moment, trying the limits one after another.

    In this order: no stop within the walking limit, no vehicle any more (or yet), too many rides, too long, both with
    no vehicle any more, too long a walk.

    Parameters
    ----------
    network : Network
        Built for ``span_to_explain(moment_s)`` at least, or it would look as if nothing ran later (or sooner).
    query : Query
        With its limits and the moment as its window.
    walks_within : function of seconds to Walks
        The walks of this origin and destination, with another limit on the walk to and from stops.
    moment_s : int
        Departure (or deadline), seconds of the service date.
    to_stop_s : int
        The limit on walks to and from stops.
    speed_kmh : float
        Walking speed, to give distances.
    places : (lon, lat) of the origin and of the destination, optional
        To say how far the nearest stop is where nobody would walk.
    off_map : function of a stop's row to str, optional
        What keeps walkers from a stop of the feed, and the cure; "" where nothing does.
    """
    walks, far = walks_within(to_stop_s), walks_within(_LONG_WALK_S)
    found = _too_far(network, needed_s(query), walks, far, to_stop_s, speed_kmh, places, off_map)
    if found is not None:
        return found
    message = _other_moments(network, query, walks, "within the limits")
    if message is not None:
        return Refusal("over_time", message)
    loose = replace(query, max_rides=MOST_RIDES, max_travel_s=LONGEST_TRAVEL_S)
    for relaxed, words in (
        (replace(query, max_rides=MOST_RIDES), "rides"),
        (replace(query, max_travel_s=LONGEST_TRAVEL_S), "time"),
        (loose, "both"),
    ):
        some = journeys(network, relaxed, walks, 0, 0, moment_s)
        if some:
            return Refusal("over_time", _over(some, query, words))
    message = _other_moments(network, loose, walks, "without limits on rides and time")
    if message is not None:
        return Refusal("over_time", f"{message}; at every time it takes more rides or longer than the limits")
    further = journeys(network, loose, far, 0, 0, moment_s)
    if further:
        return Refusal("over_time", _long_walk(further[0], to_stop_s))
    return Refusal(
        "over_time",
        f"no journey within {LONGEST_TRAVEL_S / HOUR:.1f} hours and {MOST_RIDES} rides at any time of the day, even "
        f"with walks of {_LONG_WALK_S // MINUTE} minutes; a new service would be needed",
    )


def _served(network: Network, span_s: Span, *, boarding: bool) -> NDArray[np.bool_]:
    """Stops served on the day, or in the hours of a question beyond it: as the tables count them."""
    timetable = network.timetable
    there = (timetable.departure_s >= min(_DAY_S[0], span_s[0])) & (timetable.departure_s <= max(_DAY_S[1], span_s[1]))
    served = np.zeros(timetable.n_stops, np.bool_)
    if boarding:
        served[timetable.from_stop[timetable.board & there]] = True
    else:
        served[timetable.to_stop[timetable.alight & there]] = True
    return served


def _too_far(
    network: Network,
    span_s: Span,
    walks: Walks,
    far: Walks,
    to_stop_s: int,
    speed_kmh: float,
    places: tuple[Place, Place] | None,
    off_map: Callable[[int], str],
) -> Refusal | None:
    """No served stop within the walking limit of one end."""
    limit_m = to_stop_s * speed_kmh / 3.6
    limit = f"limit {limit_m:,.0f} m"
    ends = (("origin", walks.access, far.access, True), ("destination", walks.egress, far.egress, False))
    for number, (end, near_links, far_links, boarding) in enumerate(ends):
        served = _served(network, span_s, boarding=boarding)
        if served[near_links.to].any():
            continue
        if not served.any():
            return Refusal("no_service", "no stop is served at all on this day")
        where = ""
        if (straight := None if places is None else _straight(network, served, places[number])) is not None:
            stop, metres = straight
            name, why = network.feed.stops["stop_name"].iat[stop], off_map(stop)
            if why and metres <= limit_m:
                return Refusal(
                    "no_service",
                    f"nearest served stop of the {end} {metres:,.0f} m away in a straight line ({name}), {limit} "
                    f"(walk.to_stop_min), but nobody walks to it: {why}",
                )
            where = f" (nearest {metres:,.0f} m away in a straight line, {name})"
        reached = np.flatnonzero(served[far_links.to])
        if not len(reached):
            minutes = _LONG_WALK_S // MINUTE
            return Refusal(
                "no_service",
                f"no stop served on this day within {minutes} minutes' walk of the {end}{where}, {limit} "
                "(walk.to_stop_min); a stop nearer by would be needed",
            )
        nearest = int(reached[np.argmin(far_links.walk_s[reached])])
        name = network.feed.stops["stop_name"].iat[int(far_links.to[nearest])]
        return Refusal(
            "no_service",
            f"nearest served stop of the {end} {far_links.metres[nearest]:,.0f} m ({name}), {limit}; "
            f"walk.to_stop_min: {-(-int(far_links.walk_s[nearest]) // MINUTE)} would reach it",
        )
    return None


def _straight(network: Network, served: NDArray[np.bool_], place: Place) -> tuple[int, float] | None:
    """The nearest served stop in a straight line, whether a walk leads to it or not, and its metres."""
    lon, lat = (np.where(served, degrees, np.nan) for degrees in (network.stop_lon, network.stop_lat))
    metres = great_circle_m(np.full(len(lon), place[0]), np.full(len(lat), place[1]), lon, lat)
    if not np.isfinite(metres).any():
        return None
    nearest = int(np.nanargmin(metres))
    return nearest, float(metres[nearest])


def _other_moments(network: Network, query: Query, walks: Walks, limits: str) -> str | None:
    """The last departure (or deadline) before that works within the same limits, and the first after."""
    works, moment_s = _working(network, query, walks), query.window_s[0]
    if not len(works):
        return None
    asked, clock = _clock(moment_s), [_clock(int(works[0])), _clock(int(works[-1]))]
    before, after = works[works <= moment_s], works[works > moment_s]
    if query.arrive_by:
        if not len(before):
            return f"the earliest arrival {limits} is {clock[0]}, and the deadline {asked}"
        if not len(after):
            return f"the last deadline that can be met {limits} is {clock[1]}, and this one is {asked}"
        return f"no arrival by {asked} {limits}; {_clock(int(before[-1]))} can be met, and {_clock(int(after[0]))}"
    if not len(after):
        return f"last departure {clock[1]} {limits}, and this one is {asked}; leave by {clock[1]}"
    if not len(before):
        return f"first departure {clock[0]} {limits}, and this one is {asked}; leave at {clock[0]} or later"
    return f"no departure at {asked} {limits}; leave at {_clock(int(before[-1]))} or at {_clock(int(after[0]))}"


def _working(network: Network, query: Query, walks: Walks) -> NDArray[np.int32]:
    """The minutes at which one can leave (or must be there): of journeys within the day, and all up to the one asked."""
    low, high = _DAY_S
    if query.arrive_by:
        low, high = min(low + query.max_travel_s, query.window_s[0]), max(high, query.window_s[0])
    else:
        high = max(high - query.max_travel_s, query.window_s[0])
    low = -(-low // _STEP_S) * _STEP_S
    found = []
    for start in range(low, high, DAY):
        part = replace(query, window_s=(start, min(start + DAY, high)), step_s=_STEP_S)
        times = travel_times_by_departure(network, part, walks)[0, :, 0]
        found.append(part.departures_s[times != UNREACHED])
    return np.concatenate(found) if found else np.empty(0, np.int32)


def _clock(moment_s: int) -> str:
    """``18:40``, with seconds only where there are some."""
    return format_time(moment_s, with_seconds=bool(moment_s % MINUTE))


def _over(found: list[Journey], query: Query, words: str) -> str:
    first = found[0]
    fewest = min(found, key=lambda journey: len(journey.rides))
    needed = len(fewest.rides)
    rides = f"needs {needed} rides, limit {query.max_rides} (max_rides: {needed} would allow it)"
    minutes = -(-first.time_s // MINUTE)
    limit = query.max_travel_s // MINUTE
    time = f"takes {minutes} min, limit {limit} min (max_travel_min: {minutes} would allow it)"
    if words == "rides":
        return rides
    if words == "time":
        return time
    fast = -(-fewest.time_s // MINUTE)
    return (
        f"needs {needed} rides, limit {query.max_rides}, and takes {fast} min, limit {limit} min "
        f"(max_rides: {needed} with max_travel_min: {fast} would allow it)"
    )


def _long_walk(journey: Journey, to_stop_s: int) -> str:
    longest = max(leg.arrive_s - leg.depart_s for leg in (journey.legs[0], journey.legs[-1]))
    return (
        f"the only way found walks {_minutes(longest)} to or from a stop, limit {_minutes(to_stop_s)} (walk.to_stop_min)"
        f" and takes {_minutes(journey.time_s)}"
    )


def _minutes(seconds: int) -> str:
    return f"{-(-seconds // MINUTE)} min"
