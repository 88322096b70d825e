"""Why there is no journey: the first limit that binds, with its number and what would lift it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from community_routes.network.network import Network
from community_routes.routing.journeys import Journey, journeys
from community_routes.routing.query import LONGEST_TRAVEL_S, Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.times import HOUR, MINUTE, UNREACHED, format_time

MOST_RIDES = 8
_LONG_WALK_S = 90 * MINUTE
_STEP_S = 5 * MINUTE
WalksWithin = Callable[[int], Walks]


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


def explain(
    network: Network,
    query: Query,
    walks_within: WalksWithin,
    moment_s: int,
    *,
    to_stop_s: int,
    speed_kmh: float,
) -> Refusal:
    """Say why one origin has no journey to one destination at a moment, trying the limits one after another.

    In this order: no stop within the walking limit, no vehicle that day, no vehicle any more (or yet), too many rides,
    too long.

    Parameters
    ----------
    network : Network
    query : Query
        With its limits; its window does not matter.
    walks_within : function of seconds to Walks
        The walks of this origin and destination, with another limit on the walk to and from stops.
    moment_s : int
        Departure (or deadline), seconds of the service date.
    to_stop_s : int
        The limit on walks to and from stops.
    speed_kmh : float
        Walking speed, to give distances.
    """
    walks, far = walks_within(to_stop_s), walks_within(_LONG_WALK_S)
    found = _too_far(network, walks, far, to_stop_s, speed_kmh)
    if found is not None:
        return found
    earlier = _other_departures(network, query, walks, moment_s)
    if earlier is not None:
        return earlier
    loose = replace(query, max_rides=MOST_RIDES, max_travel_s=LONGEST_TRAVEL_S)
    for relaxed, words in (
        (replace(query, max_rides=MOST_RIDES), "rides"),
        (replace(query, max_travel_s=LONGEST_TRAVEL_S), "time"),
        (loose, "both"),
    ):
        some = journeys(network, relaxed, walks, 0, 0, moment_s)
        if some:
            return Refusal("over_time", _over(some, query, words))
    further = journeys(network, loose, far, 0, 0, moment_s)
    if further:
        return Refusal("over_time", _long_walk(further[0], to_stop_s))
    return Refusal(
        "over_time",
        f"no journey within {LONGEST_TRAVEL_S / HOUR:.1f} hours and {MOST_RIDES} rides, even with walks of "
        f"{_LONG_WALK_S // MINUTE} minutes",
    )


def _served(network: Network, *, boarding: bool) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    timetable = network.timetable
    served = np.zeros(timetable.n_stops, np.bool_)
    if boarding:
        served[timetable.from_stop[timetable.board]] = True
    else:
        served[timetable.to_stop[timetable.alight]] = True
    return served


def _too_far(network: Network, walks: Walks, far: Walks, to_stop_s: int, speed_kmh: float) -> Refusal | None:
    """No served stop within the walking limit of one end."""
    ends = (("origin", walks.access, far.access, True), ("destination", walks.egress, far.egress, False))
    for end, near_links, far_links, boarding in ends:
        served = _served(network, boarding=boarding)
        if served[near_links.to].any():
            continue
        limit_m = to_stop_s * speed_kmh / 3.6
        reached = served[far_links.to]
        if not reached.any():
            return Refusal(
                "no_service", f"no stop served on this day within {_LONG_WALK_S // MINUTE} minutes' walk of the {end}"
            )
        nearest = int(np.flatnonzero(reached)[np.argmin(far_links.walk_s[reached])])
        name = network.feed.stops["stop_name"].iat[int(far_links.to[nearest])]
        return Refusal(
            "no_service",
            f"nearest served stop of the {end} {far_links.metres[nearest]:,.0f} m ({name}), limit {limit_m:,.0f} m; "
            f"a walk of {-(-int(far_links.walk_s[nearest]) // MINUTE)} minutes would reach it (walk.to_stop_min)",
        )
    return None


def _other_departures(network: Network, query: Query, walks: Walks, moment_s: int) -> Refusal | None:
    """The last departure before, or the first after, that works within the same limits."""
    low, high = network.timetable.span_s
    low, high = max(low, 0), high - query.max_travel_s
    if high <= low:
        return None
    day = replace(query, window_s=(low, min(high, low + 24 * HOUR)), step_s=_STEP_S, arrive_by=False)
    times = travel_times_by_departure(network, day, walks)[0, :, 0]
    works = day.departures_s[times != UNREACHED]
    if not len(works):
        return None
    before, after = works[works <= moment_s], works[works > moment_s]
    if len(before) and not len(after):
        last = _last_second(network, query, walks, int(before[-1]))
        return Refusal(
            "over_time", f"last departure {format_time(last)} within the limits; this one is {format_time(moment_s)}"
        )
    if len(after) and not len(before):
        return Refusal(
            "over_time",
            f"first departure {format_time(int(after[0]))} within the limits; this one is {format_time(moment_s)}",
        )
    parts = []
    if len(before):
        parts.append(f"before it, leave at {format_time(_last_second(network, query, walks, int(before[-1])))}")
    if len(after):
        parts.append(f"after it, at {format_time(int(after[0]))}")
    return Refusal("over_time", f"no departure within the limits at {format_time(moment_s)}; {', '.join(parts)}")


def _last_second(network: Network, query: Query, walks: Walks, works_s: int) -> int:
    """The last second of departure after one that works, found to the second within one step of the day's raster."""
    fine = replace(query, window_s=(works_s, works_s + _STEP_S), step_s=1, arrive_by=False)
    times = travel_times_by_departure(network, fine, walks)[0, :, 0]
    reached = np.flatnonzero(times != UNREACHED)
    return works_s + int(reached[-1]) if len(reached) else works_s


def _over(found: list[Journey], query: Query, words: str) -> str:
    first = found[0]
    fewest = min(found, key=lambda journey: len(journey.rides))
    rides = f"needs {len(fewest.rides)} rides, limit {query.max_rides} (max_rides)"
    time = f"takes {_minutes(first.time_s)}, limit {_minutes(query.max_travel_s)} (max_travel_min)"
    if words == "rides":
        return rides
    return time if words == "time" else f"{rides}, and {time}"


def _long_walk(journey: Journey, to_stop_s: int) -> str:
    longest = max(leg.arrive_s - leg.depart_s for leg in (journey.legs[0], journey.legs[-1]))
    return (
        f"the only way found walks {_minutes(longest)} to or from a stop, limit {_minutes(to_stop_s)} (walk.to_stop_min)"
        f" and takes {_minutes(journey.time_s)}"
    )


def _minutes(seconds: int) -> str:
    return f"{-(-seconds // MINUTE)} min"
