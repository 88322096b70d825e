"""Candidates that reach further: routes that go on to places badly served, and links between places poorly connected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from community_routes.base.earth import great_circle_m
from community_routes.base.times import DAY, HOUR, MINUTE, UNREACHED, format_window
from community_routes.planning.optimising.aim import Objective
from community_routes.planning.optimising.candidates import Candidate, Claim, Route, day_key
from community_routes.scenarios.changes.add_route import AddRoute
from community_routes.scenarios.changes.extend_route import ExtendRoute
from community_routes.scenarios.edit.work import road_between, straight_m
from community_routes.scenarios.values import free_name

SPEED_KMH = 18
_NEAREST_M, _FARTHEST_M = 400.0, 2_500.0
"""Of a terminus to the place to which a route could go on."""
_WALK_M = 500.0
"""From a place to the stop that stands for it, and to stops by which it counts as served."""
_OF_ROUTE, _OF_LINKS = 2, 12
_WORST = 1 / 3
_APART_M = 800.0
_ALONG_M, _BETWEEN_M = 40.0, 450.0
_LINK_HEADWAYS_MIN = (60, 30, 20)
_ALWAYS = (-DAY, 10 * DAY)
_FIRST_WALK_S = 10 * MINUTE
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reaching:
    """Extensions and links, along roads and between stops that are there.

    Attributes
    ----------
    objective : Objective
        Says who is badly served, and who cannot reach what in time.
    routes : tuple of Route
        Those that could go on.
    """

    objective: Objective
    routes: tuple[Route, ...]

    def extensions(self) -> Iterator[Candidate]:
        """Each route on from its termini to the nearest neighbourhoods of the worst served third that it does not serve."""
        case, feed = self.objective.case, self.objective.case.feed
        days = list(dict.fromkeys(day_key(day, case) for day, _ in self.objective.slots))
        for route in self.routes:
            own = np.unique(np.concatenate([self._stops_of(trip) for trip in self._trips(route)]))
            found: list[tuple[float, int, int, int]] = []
            for terminus in self._termini(route):
                here = self._lon[terminus], self._lat[terminus]
                for zone in self._badly_served:
                    lon, lat = self._points[zone]
                    far = float(great_circle_m(*here, lon, lat))
                    served = float(np.min(great_circle_m(self._lon[own], self._lat[own], lon, lat))) < _WALK_M
                    stop = self._stop_near(lon, lat)
                    if _NEAREST_M < far < _FARTHEST_M and not served and stop is not None and stop not in own:
                        found.append((far, terminus, stop, zone))
            seen: set[int] = set()
            for _, terminus, stop, zone in sorted(found):
                if stop in seen or len(seen) == _OF_ROUTE:
                    continue
                seen.add(stop)
                names = [str(feed.stops["stop_name"].iat[row]) for row in (terminus, stop)]
                place = str(case.zones.table["name"].iat[zone])
                ids = [str(feed.stops["stop_id"].iat[row]) for row in (terminus, stop)]
                fields = {"route": route.id, "after": ids[0], "stops": ids[1:], "speed_kmh": SPEED_KMH, "days": days}
                yield Candidate(
                    f"{route.id}+{ids[1]}",
                    "extensions",
                    f"{route.label} goes on from {names[0]} to {names[1]}, towards {place}",
                    (ExtendRoute.model_validate(fields),),
                    # Buses put in by another change of the route would go on as well: neither alone says what both take.
                    (Claim(route.id), Claim(route.id, "", _ALWAYS)),
                    f"{route.id}+",
                )

    def links(self) -> Iterator[Candidate]:
        """New routes between the stops of the pairs of places that most residents cannot get from and to in time."""
        case, feed = self.objective.case, self.objective.case.feed
        taken = {str(name) for column in ("route_id", "route_short_name") for name in feed.routes[column]}
        ends: list[tuple[int, int]] = []
        for start, end in self._pairs():
            if any(self._metres(start, a) < _APART_M and self._metres(end, b) < _APART_M for a, b in ends):
                continue
            stops = self._along(start, end)
            if stops is None:
                continue
            ends.append((start, end))
            name = free_name(f"Link {len(ends)}", taken)
            for headway in _LINK_HEADWAYS_MIN:
                hours = {
                    day_key(day, case): {format_window(span): headway for span in spans}
                    for day, spans in self._hours().items()
                }
                fields = {
                    "name": name,
                    "stops": [str(feed.stops["stop_id"].iat[row]) for row in stops],
                    "speed_kmh": SPEED_KMH,
                    "service": hours,
                }
                first, last = (str(feed.stops["stop_name"].iat[row]) for row in (start, end))
                told = ", ".join(f"{key} {window}" for key, one in hours.items() for window in one)
                yield Candidate(
                    f"{name}={headway}",
                    "links",
                    f"New route {name} from {first} to {last}, {len(stops)} stops, every {headway} minutes, {told}",
                    (AddRoute.model_validate(fields),),
                    (Claim(name), Claim(name, "", _ALWAYS)),
                    name,
                )
            if len(ends) == _OF_LINKS:
                return

    def _hours(self) -> dict[str, list[tuple[int, int]]]:
        """Of each day the hours of its windows, whole ones, those that meet joined."""
        windows = self.objective.case.file.travel.windows
        found: dict[str, list[tuple[int, int]]] = {}
        for day, window in sorted(self.objective.slots, key=lambda slot: windows[slot[1]].time):
            start, end = windows[window].time
            spans = found.setdefault(day, [])
            span = (start // HOUR * HOUR, -(-end // HOUR) * HOUR)
            if spans and span[0] <= spans[-1][1]:
                span = (spans[-1][0], max(spans.pop()[1], span[1]))
            spans.append(span)
        return found

    # -- places -----------------------------------------------------------------------------------------------------------

    @cached_property
    def _lon(self) -> FloatArray:
        return np.asarray(self.objective.case.feed.stops["lon"].to_numpy(np.float64))

    @cached_property
    def _lat(self) -> FloatArray:
        return np.asarray(self.objective.case.feed.stops["lat"].to_numpy(np.float64))

    @cached_property
    def _points(self) -> FloatArray:
        """Where each neighbourhood's first origin is: (n_neighbourhoods, 2)."""
        origins = self.objective.case.zones.origins.drop_duplicates("zone")
        return np.asarray(origins[["lon", "lat"]].to_numpy(np.float64))

    @cached_property
    def _badly_served(self) -> list[int]:
        """Neighbourhoods in which people of the group live that have least, a third of them by number, worst first."""
        objective = self.objective
        value = objective.today.mean(axis=0) * (-1 if objective.is_less_better else 1)
        rows = np.flatnonzero((objective.group.persons > 0) & ~np.isnan(value))
        worst = rows[np.argsort(value[rows], kind="stable")]
        return [int(row) for row in worst[: max(1, round(len(worst) * _WORST))]]

    @cached_property
    def _called(self) -> NDArray[np.int64]:
        """Stops at which today's routes of these call, near first in no way: rows in order."""
        trips = [trip for route in self.routes for trip in self._trips(route)]
        return np.unique(np.concatenate([self._stops_of(trip) for trip in trips])) if trips else np.zeros(0, np.int64)

    def _trips(self, route: Route) -> list[int]:
        return sorted({int(trip) for running in route.on.values() for trip in running.runs.trip})

    def _stops_of(self, trip: int) -> NDArray[np.int64]:
        calls = self.objective.case.feed.calls
        return np.asarray(calls.stop[calls.first[trip] : calls.first[trip + 1]], np.int64)

    def _termini(self, route: Route) -> list[int]:
        """The last stops of at least a third of its trips one way or the other."""
        last = np.asarray([self._stops_of(trip)[-1] for trip in self._trips(route)])
        stops, counts = np.unique(last, return_counts=True)
        return [int(stop) for stop, n in zip(stops, counts, strict=True) if 3 * n >= len(last)]

    def _stop_near(self, lon: float, lat: float) -> int | None:
        """The nearest stop at which a bus calls today within a walk."""
        stops = self._called
        if not len(stops):
            return None
        metres = great_circle_m(self._lon[stops], self._lat[stops], lon, lat)
        nearest = int(np.argmin(metres))
        return int(stops[nearest]) if metres[nearest] <= _WALK_M else None

    def _metres(self, one: int, other: int) -> float:
        return float(great_circle_m(self._lon[one], self._lat[one], self._lon[other], self._lat[other]))

    def _pairs(self) -> list[tuple[int, int]]:
        """Stops of a neighbourhood and of a place, by how many people and how much of the place are kept apart for each minute.

        People of the group times the amount of the place times the share of the departures at which it is not reached in time;
        of the pairs that a bus could join in time.
        """
        objective, case = self.objective, self.objective.case
        limit_s = objective.longest_min * MINUTE
        table = case.opportunities.table
        wanted = case.opportunities.rows_of(objective.figure.kind)
        point = table.geometry.iloc[wanted].representative_point()
        ends = [self._stop_near(lon, lat) for lon, lat in zip(point.x, point.y, strict=True)]
        starts = [self._stop_near(*point) for point in self._points.tolist()]
        amounts = table["amount"].to_numpy(np.float64)[wanted]
        apart = np.zeros((len(case.zones.origins), len(wanted)))
        for live in objective.lives:
            times = live.times(live.today)[:, :, wanted]
            apart += ((times > limit_s) | (times == UNREACHED)).mean(axis=1)
        zone = case.zones.origins["zone"].to_numpy()
        weight = case.zones.origins["weight"].to_numpy(np.float64) * objective.group.persons[zone]
        worth: dict[tuple[int, int], float] = {}
        for origin, column in np.argwhere(apart > 0).tolist():
            start, end = starts[zone[origin]], ends[column]
            if start is None or end is None or start == end:
                continue
            metres = straight_m((self._lon[start], self._lat[start]), (self._lon[end], self._lat[end]))
            ride_s = metres / 1000 / SPEED_KMH * HOUR
            if metres > 2 * _APART_M and ride_s + _FIRST_WALK_S < limit_s:
                gain = weight[origin] * amounts[column] * apart[origin, column] / ride_s
                worth[start, end] = worth.get((start, end), 0.0) + gain
        return sorted(worth, key=lambda pair: (-worth[pair], pair))

    def _along(self, start: int, end: int) -> list[int] | None:
        """The stops of a link: its ends, and stops of today beside the road between them; None where there is no road."""
        roads = self.objective.case.study.roads
        ends = (float(self._lon[start]), float(self._lat[start])), (float(self._lon[end]), float(self._lat[end]))
        metres, lon, lat = road_between(roads, *ends)
        if metres is None:
            return None
        steps = np.concatenate([[0.0], np.cumsum(great_circle_m(lon[:-1], lat[:-1], lon[1:], lat[1:]))])
        found = [start]
        at, total = 0.0, float(steps[-1])
        beside: list[tuple[float, int]] = []
        for stop in self._called.tolist():
            away = great_circle_m(lon, lat, self._lon[stop], self._lat[stop])
            nearest = int(np.argmin(away))
            if away[nearest] <= _ALONG_M:
                beside.append((float(steps[nearest]), stop))
        for where, stop in sorted(beside):
            if where - at >= _BETWEEN_M and total - where >= _BETWEEN_M and stop not in (start, end):
                found.append(stop)
                at = where
        return [*found, end]
