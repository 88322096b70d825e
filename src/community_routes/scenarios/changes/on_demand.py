"""Buses on demand, as a shuttle that leaves every minute between any two places of a zone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.notices import declare
from community_routes.base.times import HOUR, MINUTE, format_window, parse_window
from community_routes.scenarios.changes.headway import new_service
from community_routes.scenarios.changes.new_route import read_shape
from community_routes.scenarios.edit.days import DaySet
from community_routes.scenarios.edit.feed import NewTrip, TripCalls, add_route_row, add_stops, edit_trips
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.work import CANNOT_APPLY, UNKNOWN_ROUTE, Work, road_between
from community_routes.scenarios.models import AddDrt

ROUTE_TYPE = 715
"""Demand and response bus, of the extended route types."""
EVERY_S = (60, 120, 300)
"""Rides begin every minute; in a large zone every two or five minutes, which is said."""
MOST_RIDES = 400_000
MOST_ROADS = 2_500
DRT_STRAIGHT = declare(
    "drt_straight_line",
    "info",
    "A zone of buses on demand has so many pairs of places that straight lines x 1.3 were taken.",
)
DRT_EVERY = declare(
    "drt_interval", "warning", "A zone of buses on demand is so large that its rides begin only every few minutes."
)


@dataclass(frozen=True, eq=False)
class DrtZone:
    """A zone of buses on demand as it was put into the timetable.

    Attributes
    ----------
    name : str
    zone : Polygon or MultiPolygon
        Longitude and latitude.
    window_s : (int, int)
        Hours in which a ride can begin.
    route_id : str
        Route in the feed that holds its rides; not among the new routes, whose trips are real ones.
    places, connected : int
        Places inside the zone, and stops outside that it connects.
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
    zone: Any
    window_s: tuple[int, int]
    route_id: str
    places: int
    connected: int
    days: DaySet
    vehicles: int | None = None
    km_per_vehicle_hour: float = 0.0
    assumed_km: bool = True

    @property
    def hours(self) -> float:
        """Hours of a day on which it runs."""
        return (self.window_s[1] - self.window_s[0]) / HOUR


def apply_add_drt(work: Work, change: AddDrt) -> None:
    """One ride from any place of the zone to any other, or to or from a connected stop.

    The places are the origins of neighbourhoods and the entrances of destinations inside the zone; each is a stop of its own,
    and so are the connected stops. A ride begins every minute of the hours and takes ``wait_min`` + ``ride_factor`` x road
    time; it counts as one ride, and boarding it needs the study's slack as any other.
    """
    names = {str(name).casefold() for name in [*work.feed.routes["route_id"], *work.feed.routes["route_short_name"]]}
    if change.name.casefold() in names:
        raise work.stop(
            UNKNOWN_ROUTE, f"there is a route {change.name!r} already; choose another name", ["name"], change.name
        )
    days = work.days(change.days, ["days"])
    spots = work.spots(change.connects, ["connects"])
    zone = read_shape(work, change.zone, ["zone"], "zone")
    lon, lat, labels = _places(work, zone)
    if not len(lon):
        raise work.stop(
            CANNOT_APPLY,
            f"no neighbourhood's origin and no destination lies in the zone {change.zone!r}",
            ["zone"],
            change.zone,
        )
    window = parse_window(change.hours)
    inside = len(lon)
    every_s = _interval_s(work, change, inside * (inside - 1 + 2 * len(spots)), window)
    before = work.feed
    _build(work, change, (lon, lat, labels), spots, days, (*window, every_s))
    route_id = str(work.feed.routes["route_id"].iat[len(before.routes)])
    km = change.km_per_vehicle_hour
    work.drt.append(
        DrtZone(
            change.name,
            zone,
            window,
            route_id,
            inside,
            len(spots),
            days,
            change.vehicles,
            change.speed_kmh if km is None else km,
            km is None,
        )
    )
    work.warn_dates(days, ["days"])
    connected = f" and {len(spots)} connected stops" if spots else ""
    n = change.vehicles
    fleet = (
        "what it costs is not known without vehicles"
        if n is None
        else f"{n} vehicle{'' if n == 1 else 's'} all the time"
    )
    work.effect(
        change.name,
        f"{change.name}: buses on demand {format_window(window)} ({days.words}) between {inside} places{connected}, "
        f"{change.wait_min:g} min + {change.ride_factor:g} x road time; {fleet}",
    )


def _interval_s(work: Work, change: AddDrt, n_pairs: int, window: tuple[int, int]) -> int:
    """Seconds between the rides of a pair of places: a minute, or more where the zone is large."""
    for every_s in EVERY_S:
        if n_pairs * ((window[1] - window[0]) // every_s) <= MOST_RIDES:
            break
    else:
        n_rides = n_pairs * ((window[1] - window[0]) // EVERY_S[-1])
        message = (
            f"the zone's places make {n_rides:,} rides a day even every {EVERY_S[-1] // MINUTE} minutes, more than "
        )
        message += f"{MOST_RIDES:,}; draw a smaller zone, or several"
        raise work.stop(CANNOT_APPLY, message, ["zone"], change.zone)
    if every_s > EVERY_S[0]:
        message = (
            f"{n_pairs:,} pairs of places; rides begin every {every_s // MINUTE} minutes, so waits are a little longer"
        )
        work.note(DRT_EVERY, message, ["zone"], change.zone)
    return every_s


def _places(work: Work, zone: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """Origins and entrances inside the zone, those at one point once."""
    parts = []
    if work.zones is not None:
        origins = work.zones.origins
        names = work.zones.table["name"].to_numpy()[origins["zone"].to_numpy()]
        parts.append(pd.DataFrame({"lon": origins["lon"], "lat": origins["lat"], "name": names}))
    if work.opportunities is not None:
        doors = work.opportunities.entrances
        names = work.opportunities.table["name"].to_numpy()[doors["place"].to_numpy()]
        parts.append(pd.DataFrame({"lon": doors["lon"], "lat": doors["lat"], "name": names}))
    if not parts:
        return np.zeros(0), np.zeros(0), []
    points = pd.concat(parts, ignore_index=True)
    points = points[shapely.contains_xy(zone, points["lon"].to_numpy(), points["lat"].to_numpy())]
    # Doors of one place within a few steps of each other need no ride between them.
    points = points.assign(x=points["lon"].round(3), y=points["lat"].round(3)).drop_duplicates(["x", "y"])
    return points["lon"].to_numpy(np.float64), points["lat"].to_numpy(np.float64), points["name"].astype(str).to_list()


def _build(
    work: Work,
    change: AddDrt,
    places: tuple[NDArray[np.float64], NDArray[np.float64], list[str]],
    spots: list[Spot],
    days: Any,
    when: tuple[int, int, int],
) -> None:
    """Stops, route, service, one trip for each pair and its minute-by-minute starts."""
    lon, lat, labels = places
    window = when[:2]
    scenario = work.scenario.scenario
    prefix = f"{scenario}:{change.name}"
    n_stops = len(work.feed.stops)
    ids = [f"{prefix}:{k + 1}" for k in range(len(lon))]
    work.feed = add_stops(work.feed, ids, [f"{name} ({change.name})" for name in labels], lon.tolist(), lat.tolist())
    inside = list(range(n_stops, n_stops + len(lon)))
    outside = [spot.stops[0] if spot.stops else work.make_stop(spot, ["connects"]) for spot in spots]
    route = len(work.feed.routes)
    agency = int(np.bincount(np.maximum(work.feed.routes["agency"].to_numpy(), 0)).argmax()) if route else -1
    work.feed = add_route_row(work.feed, prefix, change.name, f"{change.name} on demand", ROUTE_TYPE, agency)
    work.feed, service = new_service(work, work.feed, f"{prefix}:{days.key or 'daily'}", days)
    pairs = [(a, b) for a in inside for b in [*inside, *outside] if a != b] + [(b, a) for b in outside for a in inside]
    seconds = _ride_seconds(work, change, pairs)
    added = [
        NewTrip(
            f"{prefix}:{k + 1}",
            route,
            service,
            TripCalls.plain([a, b], [window[0], window[0] + s], [window[0], window[0] + s]),
        )
        for k, ((a, b), s) in enumerate(zip(pairs, seconds, strict=True))
    ]
    n = len(work.feed.trips)
    work.feed = edit_trips(work.feed, added=added)
    rows = pd.DataFrame(
        {
            "trip": np.arange(n, n + len(added)),
            "start_s": window[0],
            "end_s": window[1],
            "headway_s": when[2],
            "exact_times": True,
        }
    )
    table = pd.concat([work.feed.frequencies, rows], ignore_index=True).astype(work.feed.frequencies.dtypes.to_dict())
    work.feed = replace(work.feed, frequencies=table)


def _ride_seconds(work: Work, change: AddDrt, pairs: list[tuple[int, int]]) -> list[int]:
    """Wait and ride of each pair in whole seconds, rounded up."""
    lon, lat = work.finder.lon, work.finder.lat
    roads: Any = work.setting.roads
    if len(pairs) > MOST_ROADS and roads is not None and not hasattr(roads, "detour"):
        work.note(
            DRT_STRAIGHT,
            f"{len(pairs):,} pairs of places; straight lines x 1.3 stand for the roads",
            ["zone"],
            change.zone,
        )
        roads = None
    found = []
    for a, b in pairs:
        metres = road_between(roads, (float(lon[a]), float(lat[a])), (float(lon[b]), float(lat[b])))[0]
        if metres is None:
            metres = float(great_circle_m(lon[a], lat[a], lon[b], lat[b])) * 1.3
        ride = change.ride_factor * metres * 3.6 / change.speed_kmh
        found.append(max(int(np.ceil(change.wait_min * MINUTE + ride - 1e-6)), 1))
    return found
