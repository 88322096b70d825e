"""Another headway on a route that runs already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from community_routes.base.times import format_time, parse_window
from community_routes.scenarios.change import OfRoute
from community_routes.scenarios.changes.withdraw_route import remove_runs
from community_routes.scenarios.edit.days import CalendarEdit, DaySet, active_dates
from community_routes.scenarios.edit.feed import NewTrip, TripCalls, add_service, split_days
from community_routes.scenarios.edit.links import keep_links, warn_of_lost_links
from community_routes.scenarios.edit.made import Timed
from community_routes.scenarios.edit.phase import Meet, departures_of
from community_routes.scenarios.edit.routes import Runs, directions, pattern_of, runs_of, trips_of
from community_routes.scenarios.edit.work import CANNOT_APPLY, LOST_STOPS, NO_EFFECT, Work
from community_routes.scenarios.values import KINDS_OF_DAY, Direction, Headways
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.yaml import Step


class SetHeadway(OfRoute):
    """Other minutes between buses of a route, by kind of day and period."""

    kind: ClassVar[str] = "set_headway"
    example: ClassVar[str] = "{route: $route, $day: {07:00-19:00: 15, 19:00-23:00: 30}}      # minutes between buses"

    weekday: Headways | None = None
    saturday: Headways | None = None
    sunday: Headways | None = None
    monday: Headways | None = None
    tuesday: Headways | None = None
    wednesday: Headways | None = None
    thursday: Headways | None = None
    friday: Headways | None = None
    day: Headways | None = None
    service: dict[str, Headways] = Field(default_factory=dict)
    direction: Direction = "both"
    phase: Meet | None = None

    @model_validator(mode="after")
    def _some_day(self) -> SetHeadway:
        if not self.by_day():
            raise ValueError("no day is given; write for example weekday: {07:00-19:00: 15}")
        return self

    def by_day(self) -> dict[str, dict[str, float]]:
        """The periods and their headways by key of day, the plain keys before those under ``service``."""
        named = {key: getattr(self, key) for key in (*KINDS_OF_DAY, "day") if getattr(self, key)}
        return {**named, **{key: value for key, value in self.service.items() if value}}

    def path_of(self, key: str) -> list[Step]:
        """Where the periods of a key of day stand."""
        return [key] if getattr(self, key, None) else ["service", key]

    def apply(self, work: Work) -> None:
        """Replace the trips of each period by trips at the headway, each like the one nearest in time."""
        route = work.route(self.route, self.agency)
        name = work.route_name(route)
        if not len(trips_of(work.feed, [route])):
            message = f"route {name} has no trips whose stops and run times could be copied"
            raise work.stop(CANNOT_APPLY, message, ["route"])
        different = False
        told = []
        for key, periods in self.by_day().items():
            days = work.day(key, self.path_of(key))
            base = work.feed
            different |= self._set_day(work, route, key, days, periods)
            work.warn_dates(days, self.path_of(key))
            told.append(work.tell_departures(base, route, days))
        if not different:
            raise work.stop(NO_EFFECT, f"route {name} runs exactly so already")
        work.changed(route)
        work.effect(name, ", ".join(dict.fromkeys(told)))

    def _set_day(self, work: Work, route: int, key: str, days: DaySet, periods: Mapping[str, float]) -> bool:
        """The periods of one kind of day; True where anything differs from before."""
        before = work.feed
        feed, inside = split_days(before, trips_of(before, [route]), days, work.here.scenario)
        feed, service = _service_of(work, feed, inside, days, work.route_name(route))
        trips = trips_of(feed, [route])
        way = dict(zip(trips.tolist(), directions(feed, trips).tolist(), strict=True))
        runs = runs_of(feed, inside)
        elsewhere = runs_of(feed, np.setdiff1d(trips, inside))
        wanted = sorted(set(way.values())) if self.direction == "both" else [int(self.direction)]
        if not set(wanted) & set(way.values()):
            raise work.stop(CANNOT_APPLY, f"the route has no trips in direction {self.direction}", ["direction"])
        gone = np.zeros(len(runs), bool)
        added: list[NewTrip] = []
        timed: list[Timed] = []
        for direction in wanted:
            mine = _of_way(runs, way, direction)
            models = runs.where(mine) if mine.any() else elsewhere.where(_of_way(elsewhere, way, direction))
            for window, headway in periods.items():
                start, end = parse_window(window)
                gone |= mine & (runs.start_s >= start) & (runs.start_s < end)
                group = f"{self.route}:{direction}:{key}"
                made = self._trips_of_period(work, feed, models, (window, headway), work.part_id(group), service)
                added.extend(made)
                timed.append(Timed(f"{group}:{window}", round(headway * 60), tuple(trip.trip_id for trip in made)))
        if _same_service(feed, runs.where(gone), added, inside):
            return False
        path = self.path_of(key)
        _warn_of_lost_stops(work, feed, (runs.where(gone), runs.where(~gone)), added, path)
        of_ways = inside[[way[int(trip)] in wanted for trip in inside]]
        work.feed = remove_runs(feed, of_ways, [parse_window(window) for window in periods], added)
        dates = [date for _, date in work.dates_in(days)]
        kept = keep_links(work, feed, route, np.unique(runs.where(gone).trip), added, dates)
        warn_of_lost_links(work, before, route, dates, kept=kept, path=path)
        # Ids may have got a number because they were taken; the last trips of the feed are the new ones, in this order.
        ids = work.feed.trips["trip_id"].to_list()[len(work.feed.trips) - len(added) :]
        for one in timed:
            size = len(one.trip_ids)
            work.timed.append(replace(one, trip_ids=tuple(ids[:size])))
            ids = ids[size:]
        return True

    def _trips_of_period(
        self, work: Work, feed: Feed, models: Runs, period: tuple[str, float], prefix: str, service: int
    ) -> list[NewTrip]:
        """New trips of one direction and period, each like the trip nearest in time of the commonest pattern."""
        window, headway = period
        start, end = parse_window(window)
        within = models.within((start, end))
        if len(within):
            pattern, candidates = _commonest(feed, within), within
        else:
            gap = np.maximum(np.maximum(start - models.start_s, models.start_s - (end - 1)), 0)
            pattern, candidates = _commonest(feed, models.where(gap == gap.min())), models
        candidates = candidates.where(np.array([pattern_of(feed, int(t)) == pattern for t in candidates.trip], bool))
        first = TripCalls.of(feed, int(candidates.trip[0]))
        phase = self.phase.phase_s(work, first, window, headway) if self.phase else 0
        made = []
        for depart in departures_of(window, headway, phase):
            like = int(candidates.trip[int(np.abs(candidates.start_s - depart).argmin())])
            calls = TripCalls.of(feed, like)
            made.append(
                NewTrip(
                    f"{prefix}:{format_time(depart, with_seconds=depart % 60 > 0)}",
                    int(feed.trips["route"].iat[like]),
                    service,
                    calls.shifted(depart - int(calls.departure_s[0])),
                    int(feed.trips["direction_id"].iat[like]),
                    like,
                    shape=int(feed.trips["shape"].iat[like]),
                )
            )
        return made


def _of_way(runs: Runs, way: Mapping[int, int], direction: int) -> NDArray[np.bool_]:
    return np.array([way[int(trip)] == direction for trip in runs.trip], bool)


def _service_of(work: Work, feed: Feed, inside: NDArray[np.int64], days: DaySet, name: str) -> tuple[Feed, int]:
    """The service of the new trips: all dates of those days on which the route runs now, else all of the timetable."""
    used = np.unique(feed.trips["service"].to_numpy()[inside]) if len(inside) else np.zeros(0, np.int64)
    service_id = work.part_id(name, days.key)
    if not len(used):
        return add_service(feed, service_id, days, work.dates.values())
    dates = [active_dates(feed.calendar, int(s)) for s in used]
    union = np.unique(np.concatenate(dates))
    for service, own in zip(used, dates, strict=True):
        if len(own) == len(union):
            return feed, int(service)
    edit = CalendarEdit.of(feed.calendar)
    row = edit.add_dates(service_id, days.weekdays, (union[0], union[-1]), union)
    return replace(feed, calendar=edit.build()), row


def _warn_of_lost_stops(
    work: Work, feed: Feed, runs: tuple[Runs, Runs], added: list[NewTrip], path: list[Step]
) -> None:
    """Warn of stops that only the patterns of replaced trips served: the new trips follow the commonest pattern."""
    gone, kept = runs

    def stops_of(trips: NDArray[np.int64]) -> set[int]:
        return {int(stop) for trip in np.unique(trips) for stop in TripCalls.of(feed, int(trip)).stop}

    lost = stops_of(gone.trip) - stops_of(kept.trip) - {int(stop) for trip in added for stop in trip.calls.stop}
    if lost:
        table = feed.stops.iloc[sorted(lost)]
        names = [f"{name} ({stop})" for name, stop in zip(table["stop_name"], table["stop_id"], strict=True)]
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        work.note(
            LOST_STOPS,
            f"new trips follow the pattern that most trips have, so the route no longer calls at {', '.join(names[:6])}{more}",
            path,
        )


def _commonest(feed: Feed, runs: Runs) -> bytes:
    """The pattern of most of the runs; of equals, the one that starts first."""
    count: dict[bytes, int] = {}
    earliest: dict[bytes, int] = {}
    for trip, start in zip(runs.trip.tolist(), runs.start_s.tolist(), strict=True):
        key = pattern_of(feed, trip)
        count[key] = count.get(key, 0) + 1
        earliest[key] = min(earliest.get(key, start), start)
    return min(count, key=lambda key: (-count[key], earliest[key], key))


def _same_service(feed: Feed, gone: Runs, added: list[NewTrip], inside: NDArray[np.int64]) -> bool:
    """Whether the new trips are, on every date, exactly those that they replace."""
    service = feed.trips["service"].to_numpy()
    old = set()
    for trip, start in zip(gone.trip.tolist(), gone.start_s.tolist(), strict=True):
        calls = TripCalls.of(feed, trip)
        old.add((int(service[trip]), calls.shifted(start - int(calls.departure_s[0])).key()))
    services = np.unique(service[inside]).tolist() or [-1]  # where nothing runs, whatever is added is new
    return old == {(s, trip.calls.key()) for trip in added for s in services}
