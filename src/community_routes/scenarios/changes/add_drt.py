"""Buses on demand, as a shuttle that leaves every minute between any two places of a zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from community_routes.base.notices import declare
from community_routes.base.times import MINUTE, format_window, parse_window
from community_routes.network.walks.links import CrowFly
from community_routes.scenarios.change import Change
from community_routes.scenarios.edit.days import DaySet
from community_routes.scenarios.edit.drawn import drawing_words, shape_of
from community_routes.scenarios.edit.feed import (
    NewTrip,
    TripCalls,
    add_headways,
    add_route_row,
    add_service,
    add_stops,
    edit_trips,
)
from community_routes.scenarios.edit.made import ON_DEMAND, DrtZone
from community_routes.scenarios.edit.stops import Spot
from community_routes.scenarios.edit.work import CANNOT_APPLY, Work, road_between, straight_m
from community_routes.scenarios.values import Drawn, Places, Speed, Window, Words, within

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
class _Places:
    """Points inside a zone between which there are rides, with their names."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)


class AddDrt(Change):
    """Buses on demand in a zone, and to the places it connects.

    ``vehicles`` are on the road for all of ``hours``; without it nobody knows what the service takes, and its cost is missing.
    ``km_per_vehicle_hour`` is what each of them drives, ``speed_kmh`` without a break when left out.
    """

    kind: ClassVar[str] = "add_drt"
    example: ClassVar[str] = (
        "{name: Dial, zone: zone.geojson, hours: 09:00-16:00, wait_min: 20, vehicles: 2, connects: [$first_stop]}"
    )

    name: str
    zone: Drawn
    days: Words = ("weekday",)
    hours: Window
    wait_min: Annotated[float, within(0, 240, "minutes, 0 to 240")]
    ride_factor: Annotated[float, within(1, 5, "a factor of the road time, 1 to 5")] = 1.0
    speed_kmh: Speed = 25.0
    connects: Places = ()
    vehicles: Annotated[int, Field(ge=1, le=1000)] | None = None
    km_per_vehicle_hour: Annotated[float, within(0, 100, "kilometres an hour, 0 to 100")] | None = None

    def apply(self, work: Work) -> None:
        """One ride from any place of the zone to any other, or to or from a connected stop.

        The places are the origins of neighbourhoods and the entrances of destinations inside the zone; each is a stop of its own,
        and so are the connected stops. A ride begins every minute of the hours and takes ``wait_min`` + ``ride_factor`` x road
        time; it counts as one ride, and boarding it needs the study's slack as any other.
        """
        work.free_route_name(self.name, "choose another name")
        days = work.days(self.days, ["days"])
        spots = work.spots(self.connects, ["connects"])
        places = _places(work, shape_of(work, self.zone, ["zone"], "zone"))
        inside = len(places)
        if not inside:
            message = f"no neighbourhood's origin and no destination lies in the zone {drawing_words(self.zone)}"
            raise work.stop(CANNOT_APPLY, message, ["zone"], drawing_words(self.zone))
        window = parse_window(self.hours)
        every_s = self._interval_s(work, inside * (inside - 1 + 2 * len(spots)), window)
        route_id = self._build(work, places, spots, days, every_s)
        km, n = self.km_per_vehicle_hour, self.vehicles
        by_speed = self.speed_kmh if km is None else km
        work.drt.append(DrtZone(self.name, window, route_id, days, n, by_speed, km is None))
        work.warn_dates(days, ["days"])
        connected = f" and {len(spots)} connected stops" if spots else ""
        fleet = "what it costs is not known without vehicles"
        if n is not None:
            fleet = f"{n} vehicle{'' if n == 1 else 's'} all the time"
        work.effect(
            self.name,
            f"buses on demand {format_window(window)} ({days.words}) between {inside} places{connected}, "
            f"{self.wait_min:g} min + {self.ride_factor:g} x road time; {fleet}",
        )

    def _interval_s(self, work: Work, n_pairs: int, window: tuple[int, int]) -> int:
        """Seconds between the rides of a pair of places: a minute, or more where the zone is large."""
        length = window[1] - window[0]
        every_s = next((s for s in EVERY_S if n_pairs * (length // s) <= MOST_RIDES), None)
        if every_s is None:
            n_rides, minutes = n_pairs * (length // EVERY_S[-1]), EVERY_S[-1] // MINUTE
            message = (
                f"the zone's places make {n_rides:,} rides a day even every {minutes} minutes, more than {MOST_RIDES:,}"
            )
            raise work.stop(
                CANNOT_APPLY, f"{message}; draw a smaller zone, or several", ["zone"], drawing_words(self.zone)
            )
        if every_s > EVERY_S[0]:
            minutes = every_s // MINUTE
            message = f"{n_pairs:,} pairs of places; rides begin every {minutes} minutes, so waits are a little longer"
            work.note(DRT_EVERY, message, ["zone"], drawing_words(self.zone))
        return every_s

    def _build(self, work: Work, places: _Places, spots: Sequence[Spot], days: DaySet, every_s: int) -> str:
        """Stops, route, service, one trip for each pair and its minute-by-minute starts; the id of the route."""
        start, end = parse_window(self.hours)
        prefix = work.part_id(self.name)
        n_stops = len(work.feed.stops)
        ids = [f"{prefix}:{k + 1}" for k in range(len(places))]
        names = [f"{name} ({self.name})" for name in places.names]
        work.feed = add_stops(work.feed, ids, names, places.lon.tolist(), places.lat.tolist())
        inside = list(range(n_stops, n_stops + len(places)))
        outside = [spot.stops[0] if spot.stops else work.make_stop(spot, ["connects"]) for spot in spots]
        route = len(work.feed.routes)
        agency = int(np.bincount(np.maximum(work.feed.routes["agency"].to_numpy(), 0)).argmax()) if route else -1
        work.feed = add_route_row(work.feed, prefix, self.name, f"{self.name} on demand", ON_DEMAND, agency)
        service_id = f"{prefix}:{days.key or 'daily'}"
        work.feed, service = add_service(work.feed, service_id, days, work.dates.values())
        pairs = [(a, b) for a in inside for b in [*inside, *outside] if a != b]
        pairs += [(b, a) for b in outside for a in inside]
        added = []
        for k, (pair, seconds) in enumerate(zip(pairs, self._ride_seconds(work, pairs), strict=True)):
            times = [start, start + seconds]
            added.append(NewTrip(f"{prefix}:{k + 1}", route, service, TripCalls.plain(pair, times, times)))
        n = len(work.feed.trips)
        work.feed = edit_trips(work.feed, added=added)
        rows = pd.DataFrame({"trip": np.arange(n, n + len(added)), "start_s": start, "end_s": end})
        rows = rows.assign(headway_s=every_s, exact_times=True)
        work.feed = add_headways(work.feed, rows)
        return prefix

    def _ride_seconds(self, work: Work, pairs: Sequence[tuple[int, int]]) -> list[int]:
        """Wait and ride of each pair in whole seconds, rounded up."""
        roads = work.before.roads
        if len(pairs) > MOST_ROADS and roads is not None and not isinstance(roads, CrowFly):
            message = f"{len(pairs):,} pairs of places; straight lines x 1.3 stand for the roads"
            work.note(DRT_STRAIGHT, message, ["zone"], drawing_words(self.zone))
            roads = None
        found = []
        for a, b in pairs:
            ends = work.point(a), work.point(b)
            metres = road_between(roads, *ends)[0]
            if metres is None:
                metres = straight_m(*ends)
            ride = self.ride_factor * metres * 3.6 / self.speed_kmh
            found.append(max(int(np.ceil(self.wait_min * MINUTE + ride - 1e-6)), 1))
        return found


def _places(work: Work, zone: shapely.Geometry) -> _Places:
    """Origins and entrances inside the zone, those at one point once."""
    parts = [pd.DataFrame({"lon": np.zeros(0), "lat": np.zeros(0), "name": np.zeros(0, object)})]
    if work.now.zones is not None:
        origins = work.now.zones.origins
        names = work.now.zones.table["name"].to_numpy()[origins["zone"].to_numpy()]
        parts.append(pd.DataFrame({"lon": origins["lon"], "lat": origins["lat"], "name": names}))
    if work.now.opportunities is not None:
        doors = work.now.opportunities.entrances
        names = work.now.opportunities.table["name"].to_numpy()[doors["place"].to_numpy()]
        parts.append(pd.DataFrame({"lon": doors["lon"], "lat": doors["lat"], "name": names}))
    points = pd.concat(parts[1:] or parts, ignore_index=True)
    points = points[shapely.contains_xy(zone, points["lon"].to_numpy(), points["lat"].to_numpy())]
    # Doors of one place within a few steps of each other need no ride between them.
    points = points.assign(x=points["lon"].round(3), y=points["lat"].round(3)).drop_duplicates(["x", "y"])
    lon, lat = points["lon"].to_numpy(np.float64), points["lat"].to_numpy(np.float64)
    return _Places(lon, lat, points["name"].astype(str).to_list())
