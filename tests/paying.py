"""Every journey of a small network, listed one by one, for tests that price each of them."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from community_routes.fares.products import GtfsFare
from community_routes.fares.tickets import FareRide
from random_networks import Case, random_case
from slow import SlowSearch

MODES = {2: "rail"}


@dataclass(frozen=True)
class Taken:
    """A journey: the rides as boarding and alighting of the slow twin, and when it arrives."""

    rides: tuple[tuple[int, int], ...]
    arrive_s: int


def small_case(seed: int, *, n_departures: int = 3) -> Case:
    """A random network with at most two rides and few departures, so that every journey can be listed; some trains."""
    case = random_case(seed)
    feed = case.feed
    routes = feed.routes.assign(route_type=[2 if n % 3 == 1 else 3 for n in range(len(feed.routes))])
    start, step = case.window_s[0], case.step_s
    window_s = start, start + n_departures * step
    return replace(case, feed=replace(feed, routes=routes), max_rides=min(case.max_rides, 2), window_s=window_s)


def random_terms(draw: random.Random, case: Case) -> dict[str, Any]:
    """Prices of a study: flat, by distance, free, none; caps, returns; tickets for a day, a week, four weeks; at every level."""

    def prices(*, general: bool) -> dict[str, Any]:
        found: dict[str, Any] = draw.choice(
            [{"single": 2.0}, {"single": 1.3}, {"per_km": 0.4, "minimum": 0.5}, {"per_km": 0.25}, {"single": 0.0}, {}]
        )
        found = dict(found)
        for name, choices in (
            ("return", (2.5, 3.1)),
            ("cap_single", (1.1, 1.9)),
            ("day", (2.9, 4.0)),
            ("week", (9.0, 15.0)),
            ("four_week", (30.0, 52.0)),
        ):
            if draw.random() < 0.25:
                found[name] = draw.choice(choices)
        return found if found or general else {"single": 1.0}

    routes, agencies = case.feed.routes["route_id"].tolist(), case.feed.agencies["agency_id"].tolist()
    terms = prices(general=True)
    for level, keys in (("routes", routes), ("agencies", agencies), ("modes", ["bus", "rail"])):
        chosen = [key for key in keys if draw.random() < 0.35]
        if chosen:
            terms[level] = {key: prices(general=False) for key in chosen}
    if not terms:
        terms["single"] = 2.0
    if draw.random() < 0.3:
        terms["concession"] = {"share": 0.2, "from": "08:05", "price": draw.choice([0.0, 0.5])}
    return terms


def pays_for(fare: GtfsFare, rides: Sequence[FareRide]) -> bool:
    """Whether a fare of a timetable pays for these rides in a row, zones included."""
    first = rides[0]
    for count, ride in enumerate(rides):
        late = fare.duration_s is not None and ride.board_s - first.board_s > fare.duration_s
        elsewhere = fare.agency_id and ride.agency_id and fare.agency_id != ride.agency_id
        of_route = not fare.rules or any(rule.route_id in ("", ride.route_id) for rule in fare.rules)
        if late or elsewhere or not of_route or (fare.transfers is not None and count > fare.transfers):
            return False
    passed = frozenset(zone for ride in rides for zone in (ride.zones or (ride.from_zone, ride.to_zone)) if zone)
    return not fare.rules or any(
        rule.route_id in ("", first.route_id)
        and rule.origin_id in ("", first.from_zone)
        and rule.destination_id in ("", rides[-1].to_zone)
        and (not rule.contains or rule.contains == passed)
        for rule in fare.rules
    )


def by_cutting(fares: Sequence[GtfsFare], rides: Sequence[FareRide]) -> int | None:
    """Every way to cut a journey into stretches, each on its cheapest fare; None where there is none."""
    totals = []
    for cuts in itertools.product([False, True], repeat=max(0, len(rides) - 1)):
        ends = [k + 1 for k, cut in enumerate(cuts) if cut] + [len(rides)]
        stretches = [rides[a:b] for a, b in zip([0, *ends], ends, strict=False)] if rides else []
        prices = [min((f.cents for f in fares if pays_for(f, s)), default=None) for s in stretches]
        if None not in prices:
            totals.append(sum(p for p in prices if p is not None))
    return min(totals, default=None)


class Journeys:
    """All journeys of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.search: SlowSearch = case.search()
        self._known: dict[tuple[int, int, int], tuple[Taken, ...]] = {}
        self.ride = cache(self._ride)

    def _km(self, a: int, b: int) -> float:
        stops = self.case.feed.stops
        lon, lat = np.radians(stops["lon"].to_numpy()), np.radians(stops["lat"].to_numpy())
        half = math.sin((lat[b] - lat[a]) / 2) ** 2
        half += math.cos(lat[a]) * math.cos(lat[b]) * math.sin((lon[b] - lon[a]) / 2) ** 2
        return 2 * 6371.0088 * math.asin(math.sqrt(half))

    def _ride(self, boarding: int, alighting: int) -> FareRide:
        search, feed = self.search, self.case.feed
        trip = search.runs[int(search.board_run[boarding])].trip
        row = feed.routes.iloc[int(feed.trips["route"].iat[trip])]
        agency = feed.agencies.iloc[int(row["agency"])]
        start, end = int(search.board_stop[boarding]), int(search.alight_stop[alighting])
        return FareRide(
            row["route_id"],
            row["route_short_name"],
            agency["agency_id"],
            agency["agency_name"],
            MODES.get(int(row["route_type"]), "bus"),
            self._km(start, end),
            board_s=int(search.board_s[boarding]),
            alight_s=int(search.alight_s[alighting]),
        )

    def rides(self, taken: Taken) -> list[FareRide]:
        """The rides of a journey as their prices need them."""
        return [self.ride(*ends) for ends in taken.rides]

    def to(self, origin: int, departure: int, place: int) -> Iterator[Taken]:
        """Every journey of a cell within the limits, walking all the way first."""
        case, search = self.case, self.search
        depart_s = int(case.times_s[departure])
        latest_s = depart_s + case.max_travel_s
        walk_s = int(case.direct_s[origin, place])
        if 0 <= walk_s <= case.max_travel_s:
            yield Taken((), depart_s + walk_s)
        for boarding in np.flatnonzero(search.leave_by[origin] >= depart_s).tolist():
            for taken in self._on(boarding, case.max_rides, place):
                if taken.arrive_s <= latest_s:
                    yield taken

    def _on(self, boarding: int, rides: int, place: int) -> tuple[Taken, ...]:
        key = boarding, rides, place
        if key not in self._known:
            self._known[key] = tuple(self._from(boarding, rides, place))
        return self._known[key]

    def _from(self, boarding: int, rides: int, place: int) -> Iterator[Taken]:
        search, case = self.search, self.case
        for alighting in search.ride_to[search.ride_first[boarding] : search.ride_first[boarding + 1]].tolist():
            ride = boarding, alighting
            walk_s = int(case.egress_s[place, int(search.alight_stop[alighting])])
            if walk_s >= 0:
                yield Taken((ride,), int(search.alight_s[alighting]) + walk_s)
            if rides > 1:
                for change in search.change_to[
                    search.change_first[alighting] : search.change_first[alighting + 1]
                ].tolist():
                    for taken in self._on(change, rides - 1, place):
                        yield Taken((ride, *taken.rides), taken.arrive_s)
