"""Changes of when a route runs: another headway, or not at all on some days and hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from community_routes.base.times import DAY, format_time, parse_window
from community_routes.scenarios.changes.phase import phase_s
from community_routes.scenarios.edit.days import CalendarEdit, DaySet, active_dates, feed_dates
from community_routes.scenarios.edit.feed import NewTrip, TripCalls, edit_trips, split_days
from community_routes.scenarios.edit.links import keep_links, warn_of_lost_links
from community_routes.scenarios.edit.routes import Runs, directions, pattern_of, runs_of, trips_of
from community_routes.scenarios.edit.work import CANNOT_APPLY, LOST_STOPS, NO_EFFECT, Work
from community_routes.scenarios.models import SetHeadway, WithdrawRoute
from community_routes.sources.gtfs.feed import Feed, days_between, weekday_of
from community_routes.sources.gtfs.service import without_periods
from community_routes.sources.study.yaml import Step

ALWAYS = (-DAY, 10 * DAY)


@dataclass(frozen=True)
class Timed:
    """Trips whose clock times a proposal assumes: buses every so often, starting at the period's beginning.

    Attributes
    ----------
    key : str
        Names the group the same in every proposal: route, direction, day and period.
    headway_s : int
        The first bus could as well start anywhere in ``0 <= t < headway_s`` later.
    trip_ids : tuple of str
    """

    key: str
    headway_s: int
    trip_ids: tuple[str, ...]


def departures_of(window: str, headway_min: float, phase: int = 0) -> list[int]:
    """Departures of one period: from <= t < to, first at ``from`` plus the phase."""
    start, end = parse_window(window)
    step = headway_min * 60
    count = int(np.ceil((end - start - phase) / step - 1e-9))
    return [start + phase + round(k * step) for k in range(max(count, 0))]


def apply_withdraw(work: Work, change: WithdrawRoute) -> None:
    """Take trips of a route out."""
    route = work.route(change.route, change.agency)
    days = work.days(change.days, ["days"])
    period = change.period_s()
    before = work.feed
    trips = trips_of(before, [route])
    name = work.route_name(route)
    feed, inside = split_days(before, trips, days, work.scenario.scenario)
    runs = runs_of(feed, inside).within(period)
    if not len(runs):
        when = "" if days.every_day else f" on a {days.words}"
        hours = "" if period is None else f" from {change.from_ or 'the first bus'} to {change.to or 'the last bus'}"
        raise work.stop(NO_EFFECT, f"route {name} has no departure{when}{hours}, so there is nothing to withdraw")
    work.feed = remove_runs(feed, inside, [period or ALWAYS])
    work.changed(route)
    work.warn_dates(days, ["days"])
    work.effect(name, f"{name}: {work.tell_departures(before, route, days)}")


def remove_runs(
    feed: Feed, trips: NDArray[np.int64], periods: Sequence[tuple[int, int]], added: Sequence[NewTrip] = ()
) -> Feed:
    """The feed without the starts of the trips in some periods; a trip given by headway keeps its other starts."""
    table = without_periods(feed, trips, periods)
    by_headway = np.isin(trips, feed.frequencies["trip"].to_numpy())
    emptied = trips[by_headway & ~np.isin(trips, table["trip"].to_numpy())]
    runs = runs_of(feed, trips[~by_headway])
    gone = np.any([(runs.start_s >= start) & (runs.start_s < end) for start, end in periods], axis=0)
    return edit_trips(
        replace(feed, frequencies=table), remove=np.union1d(emptied, runs.trip[gone]).astype(np.int64), added=added
    )


def apply_set_headway(work: Work, change: SetHeadway) -> None:
    """Give a route other minutes between buses in some periods."""
    route = work.route(change.route, change.agency)
    before = work.feed
    name = work.route_name(route)
    if not len(trips_of(before, [route])):
        raise work.stop(CANNOT_APPLY, f"route {name} has no trips whose stops and run times could be copied", ["route"])
    different = False
    told = []
    for key, periods in change.by_day().items():
        path = [key] if getattr(change, key, None) else ["service", key]
        days = work.day(key, path)
        base = work.feed
        different |= _set_day(work, change, route, key, days, periods)
        work.warn_dates(days, path)
        told.append(work.tell_departures(base, route, days))
    if not different:
        raise work.stop(NO_EFFECT, f"route {name} runs exactly so already")
    work.changed(route)
    work.effect(name, f"{name}: {', '.join(dict.fromkeys(told))}")


def _set_day(work: Work, change: SetHeadway, route: int, key: str, days: DaySet, periods: dict[str, float]) -> bool:
    """The periods of one kind of day; True where anything differs from before."""
    before = work.feed
    path: list[Step] = [key] if getattr(change, key, None) else ["service", key]
    feed, inside = split_days(before, trips_of(before, [route]), days, work.scenario.scenario)
    feed, service = _service_of(work, feed, inside, days, work.route_name(route))
    trips = trips_of(feed, [route])
    way = dict(zip(trips.tolist(), directions(feed, trips).tolist(), strict=True))
    runs = runs_of(feed, inside)
    elsewhere = runs_of(feed, np.setdiff1d(trips, inside))
    wanted = sorted(set(way.values())) if change.direction == "both" else [int(change.direction)]
    if not set(wanted) & set(way.values()):
        raise work.stop(CANNOT_APPLY, f"the route has no trips in direction {change.direction}", ["direction"])
    gone = np.zeros(len(runs), bool)
    added: list[NewTrip] = []
    timed: list[Timed] = []
    for direction in wanted:
        mine = _of_way(runs, way, direction)
        others = _of_way(elsewhere, way, direction)
        for window, headway in periods.items():
            period = parse_window(window)
            gone |= mine & (runs.start_s >= period[0]) & (runs.start_s < period[1])
            models = runs.where(mine) if mine.any() else elsewhere.where(others)
            prefix = f"{work.scenario.scenario}:{change.route}:{direction}:{key}"
            made = _trips_of_period(work, feed, models, (window, headway), prefix, service, change)
            added.extend(made)
            timed.append(
                Timed(f"{change.route}:{direction}:{key}:{window}", round(headway * 60), tuple(t.trip_id for t in made))
            )
    same = _same_service(feed, runs.where(gone), added, inside)
    if same:
        return False
    n_kept = len(feed.trips)
    _warn_of_lost_stops(work, feed, (runs.where(gone), runs.where(~gone)), added, path)
    of_ways = inside[[way[int(trip)] in wanted for trip in inside]]
    work.feed = remove_runs(feed, of_ways, [parse_window(window) for window in periods], added)
    dates = [date for _, date in work.dates_in(days)]
    kept = keep_links(work, feed, route, np.unique(runs.where(gone).trip), added, dates)
    warn_of_lost_links(work, before, route, dates, kept=kept, path=path)
    # Ids may have got a number because they were taken; the last trips of the feed are the new ones, in this order.
    ids = work.feed.trips["trip_id"].to_list()[len(work.feed.trips) - len(added) :] if n_kept else []
    for group in timed:
        size = len(group.trip_ids)
        work.timed.append(replace(group, trip_ids=tuple(ids[:size])))
        ids = ids[size:]
    return True


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


def _of_way(runs: Runs, way: dict[int, int], direction: int) -> NDArray[np.bool_]:
    return np.array([way[int(trip)] == direction for trip in runs.trip], bool)


def _service_of(work: Work, feed: Feed, inside: NDArray[np.int64], days: DaySet, name: str) -> tuple[Feed, int]:
    """The service of the new trips: all dates of those days on which the route runs now, else all of the timetable."""
    used = np.unique(feed.trips["service"].to_numpy()[inside]) if len(inside) else np.zeros(0, np.int64)
    if not len(used):
        return new_service(work, feed, f"{work.scenario.scenario}:{name}:{days.key}", days)
    dates = [active_dates(feed.calendar, int(s)) for s in used]
    union = np.unique(np.concatenate(dates))
    for service, own in zip(used, dates, strict=True):
        if len(own) == len(union):
            return feed, int(service)
    edit = CalendarEdit.of(feed.calendar)
    regular = days_between(union[0], union[-1])
    regular = regular[np.isin(weekday_of(regular), sorted(days.weekdays))]
    exceptions = [
        *((date, True) for date in np.setdiff1d(union, regular)),
        *((date, False) for date in np.setdiff1d(regular, union)),
    ]
    row = edit.add(f"{work.scenario.scenario}:{name}:{days.key}", days.weekdays, (union[0], union[-1]), exceptions)
    return replace(feed, calendar=edit.build()), row


def new_service(work: Work, feed: Feed, service_id: str, days: DaySet) -> tuple[Feed, int]:
    """A service on all dates of those days that the timetable, or the study, covers."""
    covered = feed_dates(feed.calendar)
    known = [*(covered or ()), *work.dates.values()]
    start, end = np.datetime64(min(known), "D"), np.datetime64(max(known), "D")
    edit = CalendarEdit.of(feed.calendar)
    exceptions = [(np.datetime64(date, "D"), date in days.added) for date in days.special()]
    row = edit.add(service_id, days.weekdays, (start, end), exceptions)
    return replace(feed, calendar=edit.build()), row


def _trips_of_period(
    work: Work,
    feed: Feed,
    models: Runs,
    period: tuple[str, float],
    prefix: str,
    service: int,
    change: SetHeadway,
) -> list[NewTrip]:
    """New trips of one direction and period, each like the trip nearest in time of the commonest pattern."""
    window, headway = period
    start, end = parse_window(window)
    within = models.within((start, end))
    if not len(within):
        gap = np.maximum(np.maximum(start - models.start_s, models.start_s - (end - 1)), 0)
        nearest = models.where(gap == gap.min())
        pattern = _commonest(feed, nearest)
        candidates = models
    else:
        pattern = _commonest(feed, within)
        candidates = within
    candidates = candidates.where(np.array([pattern_of(feed, int(t)) == pattern for t in candidates.trip], bool))
    first = int(candidates.trip[0])
    phase = phase_s(work, change.phase, feed, TripCalls.of(feed, first), window, headway) if change.phase else 0
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

    def key(calls: TripCalls) -> tuple[bytes, ...]:
        return tuple(
            column.tobytes()
            for column in (calls.stop, calls.arrival_s, calls.departure_s, calls.pickup_type, calls.drop_off_type)
        )

    old = set()
    for trip, start in zip(gone.trip.tolist(), gone.start_s.tolist(), strict=True):
        calls = TripCalls.of(feed, trip)
        old.add((int(service[trip]), key(calls.shifted(start - int(calls.departure_s[0])))))
    services = np.unique(service[inside]).tolist() or [-1]  # where nothing runs, whatever is added is new
    new = {(s, key(trip.calls)) for trip in added for s in services}
    return old == new
