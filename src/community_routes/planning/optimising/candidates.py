"""Changes that could be made to the services of today: each an ordinary change of a proposal, with what it does in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from community_routes.base.errors import UsageError
from community_routes.base.times import HOUR, MINUTE, format_time, format_window
from community_routes.evaluation.case import Case
from community_routes.evaluation.search import Slot
from community_routes.fares.tickets import MODES, modes_of
from community_routes.planning.services import Period, usual_periods
from community_routes.scenarios.change import Change
from community_routes.scenarios.changes.set_headway import SetHeadway
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute
from community_routes.scenarios.cost import Cost
from community_routes.scenarios.edit.phase import departures_of
from community_routes.scenarios.edit.routes import (
    RouteMatchError,
    Runs,
    directions,
    find_route,
    route_name,
    runs_of,
    trips_of,
)
from community_routes.scenarios.values import KINDS_OF_DAY
from community_routes.sources.study.models import day_type

KINDS = ("headways", "spans", "sunday", "extensions", "links")
"""Kinds of change that add service, as they are written on a command line."""
CUTS, FILES = "cuts", "files"
"""Fewer buses or none, where hours are to be moved about; the planner's own."""
HEADWAYS_MIN = (60, 30, 20, 15, 12, 10)
_BUSES = ("bus", "coach", "tram")
_EARLIEST_S, _LATEST_S = 4 * HOUR, 25 * HOUR
_HOURS = (1, 2)
_SUNDAY = ((8 * HOUR, 18 * HOUR), (18 * HOUR, 23 * HOUR))


@dataclass(frozen=True)
class Claim:
    """What a change decides: when a route starts on a kind of day, or (without hours) where it goes.

    Attributes
    ----------
    route_id : str
    day : str
        Of the study; "" for all.
    hours_s : (int, int) or None
        Starts of trips.
    """

    route_id: str
    day: str = ""
    hours_s: tuple[int, int] | None = None

    def clashes(self, other: Claim) -> bool:
        """Whether both decide the same thing."""
        if self.route_id != other.route_id or (self.day and other.day and self.day != other.day):
            return False
        if self.hours_s is None or other.hours_s is None:
            return self.hours_s is other.hours_s
        return self.hours_s[0] < other.hours_s[1] and other.hours_s[0] < self.hours_s[1]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A change that could be made.

    Attributes
    ----------
    id : str
        ``8A@weekday_evening=30``.
    kind : str
        One of ``KINDS``, ``cuts`` or ``files``.
    sentence : str
        ``8A (Newport Bus) every 30 minutes, weekday evening 18:30-23:00 (none today)``.
    changes : tuple of Change
    claims : tuple of Claim
        Two candidates that decide the same thing cannot be made together.
    family : str
        Candidates of one family are variants of one another, in order of how much service they are.
    slots : frozenset of Slot or None
        The windows in which a bus of it can be under way; None for all.
    """

    id: str
    kind: str
    sentence: str
    changes: tuple[Change, ...]
    claims: tuple[Claim, ...]
    family: str
    slots: frozenset[Slot] | None = None

    def clashes(self, other: Candidate) -> bool:
        """Whether they cannot be made together."""
        return any(one.clashes(two) for one in self.claims for two in other.claims)

    def __repr__(self) -> str:
        return f"Candidate({self.id})"


def day_key(day: str, case: Case) -> str:
    """How a change names a day of the study."""
    return day_type(case.file.dates[day]) if day == "day" else day


@dataclass(frozen=True, eq=False)
class Running:
    """When a route starts on a day of the study: ``runs``, which way each goes (0 or 1), and how long it takes (s)."""

    runs: Runs
    way: np.ndarray[tuple[int], np.dtype[np.int8]]
    run_s: np.ndarray[tuple[int], np.dtype[np.float64]]

    def within(self, hours_s: tuple[int, int]) -> int:
        """Starts in the busier direction."""
        inside = (self.runs.start_s >= hours_s[0]) & (self.runs.start_s < hours_s[1])
        return int(max((np.count_nonzero(inside & (self.way == way)) for way in (0, 1)), default=0))

    def total(self, hours_s: tuple[int, int]) -> int:
        """Starts in both directions."""
        return int(((self.runs.start_s >= hours_s[0]) & (self.runs.start_s < hours_s[1])).sum())


@dataclass(frozen=True, eq=False)
class Route:
    """A bus route of today near the study's residents.

    Attributes
    ----------
    row : int
    id, label : str
        Its id, and what people call it, with the operator.
    n_ways : int
    run_s : float
        Mean time from its first stop to its last.
    on : dict of day to Running
    """

    row: int
    id: str
    label: str
    n_ways: int
    run_s: float
    on: Mapping[str, Running]


def routes_near(case: Case, names: Sequence[str]) -> list[Route]:
    """The bus routes that run on a day of the study and call within a walk of its neighbourhoods; of these, those named.

    Raises
    ------
    UsageError
        A name means no route, or none that runs.
    """
    feed, dates = case.feed, case.file.dates
    near = np.zeros(len(feed.stops), bool)
    near[case.walks.access.to] = True
    calls = near[feed.calls.stop]
    trip_near = np.add.reduceat(np.append(calls, False), feed.calls.first[:-1]) > 0 if len(feed.trips) else calls
    mode = modes_of(feed.routes["route_type"].to_numpy())
    wanted = _named_rows(case, names)
    service = feed.trips["service"].to_numpy()
    active = {day: feed.calendar.active(date)[service] for day, date in dates.items()}
    found: list[Route] = []
    for row in wanted if names else range(len(feed.routes)):
        trips = trips_of(feed, [row])
        if not names and (MODES[int(mode[row])] not in _BUSES or not trip_near[trips].any()):
            continue
        running = {day: trips[on[trips]] for day, on in active.items()}
        if not any(len(own) for own in running.values()):
            if names:
                raise UsageError(f"route {route_name(feed, row)} does not run on any day of the study; name another")
            continue
        found.append(_route(case, row, trips, running))
    return found


def _named_rows(case: Case, names: Sequence[str]) -> list[int]:
    rows: list[int] = []
    for name in names:
        try:
            rows.append(find_route(case.feed, name))
        except RouteMatchError as fault:
            raise UsageError(str(fault)) from None
    return list(dict.fromkeys(rows))


def _route(case: Case, row: int, trips: np.ndarray, running: Mapping[str, np.ndarray]) -> Route:
    feed = case.feed
    way = dict(zip(trips.tolist(), directions(feed, trips).tolist(), strict=True))
    seconds = (
        feed.calls.arrival_s[feed.calls.first[trips + 1] - 1] - feed.calls.departure_s[feed.calls.first[trips]]
    ).astype(np.float64)
    lasts = dict(zip(trips.tolist(), seconds.tolist(), strict=True))
    on = {}
    for day, own in running.items():
        runs = runs_of(feed, own)
        ways = np.asarray([way[trip] for trip in runs.trip.tolist()], np.int8)
        on[day] = Running(runs, ways, np.asarray([lasts[trip] for trip in runs.trip.tolist()]))
    agency = int(feed.routes["agency"].iat[row])
    operator = str(feed.agencies["agency_name"].iat[agency]) if 0 <= agency < len(feed.agencies) else ""
    label = route_name(feed, row) + (f" ({operator})" if operator else "")
    return Route(row, str(feed.routes["route_id"].iat[row]), label, len(set(way.values())), float(seconds.mean()), on)


@dataclass(frozen=True, eq=False)
class Timetabled:
    """Changes to when routes run: headways, first and last buses, a Sunday like a Saturday, and cuts.

    Attributes
    ----------
    case : Case
        Today's.
    routes : tuple of Route
    slots : tuple of Slot
        Windows that are looked at: what cannot be under way in any of them is left out.
    longest_min : float
        Of the journeys that count: their last minute ends so long after a window.
    most_hours : float
        Bus-hours a year beyond which nothing is worth trying.
    """

    case: Case
    routes: tuple[Route, ...]
    slots: tuple[Slot, ...]
    longest_min: float
    most_hours: float = np.inf

    @cached_property
    def _left(self) -> list[int]:
        return [0, 0]

    @property
    def n_outside(self) -> int:
        """Those left out because none of their buses is under way in a window that is looked at."""
        return self._left[0]

    @property
    def n_dear(self) -> int:
        """Those left out because they alone take more than there is."""
        return self._left[1]

    def all(self, kinds: Sequence[str]) -> list[Candidate]:
        """Those of some kinds, in the order of routes, days and hours."""
        made = {"headways": self.headways, CUTS: self.cuts, "spans": self.spans, "sunday": self.sundays}
        return [one for kind, make in made.items() if kind in kinds for one in make()]

    def headways(self) -> Iterator[Candidate]:
        """More buses in a period of a day: every 60, 30, 20, 15, 12 or 10 minutes."""
        for route, period, today in self._periods():
            for headway in HEADWAYS_MIN:
                n = len(departures_of(format_window(period.window_s), headway))
                if n > today and self._is_worth(route, period.day, period.window_s, n):
                    yield self._headway(route, period, headway, today, "headways")

    def cuts(self) -> Iterator[Candidate]:
        """Fewer buses in a period of a day, or none."""
        for route, period, today in self._periods():
            if not today or not self._seen(route, period.day, period.starts_s):
                continue
            for headway in HEADWAYS_MIN:
                if len(departures_of(format_window(period.window_s), headway)) < today:
                    yield self._headway(route, period, headway, today, CUTS)
            fields = {"route": route.id, "days": [day_key(period.day, self.case)], **period.hours}
            yield Candidate(
                f"{route.id}@{period.window}=none",
                CUTS,
                f"{route.label}: no buses, {period.name} ({_so_many(today)} each way today)",
                (WithdrawRoute.model_validate(fields),),
                (Claim(route.id, period.day, period.starts_s),),
                f"{route.id}@{period.window}",
                self._seen(route, period.day, period.starts_s),
            )

    def spans(self) -> Iterator[Candidate]:
        """First buses an hour or two earlier, last ones an hour or two later, one an hour in each direction."""
        for route in self.routes:
            for day, running in route.on.items():
                if not len(running.runs):
                    continue
                first, last = (
                    int(end) // MINUTE * MINUTE for end in (running.runs.start_s.min(), running.runs.start_s.max())
                )
                for n in _HOURS:
                    earlier = (first - n * HOUR, first)
                    if earlier[0] >= _EARLIEST_S and self._is_worth(route, day, earlier, n):
                        words = f"first bus at {_clock(earlier[0])} instead of {_clock(first)}, hourly until then"
                        yield self._span(route, day, earlier, words, "first", n)
                    later = (last + HOUR, last + (n + 1) * HOUR)
                    if later[1] - HOUR <= _LATEST_S and self._is_worth(route, day, later, n):
                        words = f"last bus at {_clock(later[1] - HOUR)} instead of {_clock(last)}, hourly until then"
                        yield self._span(route, day, later, words, "last", n)

    def sundays(self) -> Iterator[Candidate]:
        """A Sunday as often as a Saturday, by day and in the evening."""
        kinds = {day_type(date): day for day, date in self.case.file.dates.items()}
        if not {"saturday", "sunday"} <= set(kinds):
            return
        sunday, saturday = kinds["sunday"], kinds["saturday"]
        for route in self.routes:
            wanted = {}
            for hours in _SUNDAY:
                n = route.on[saturday].within(hours)
                if n > route.on[sunday].within(hours):
                    even = (hours[1] - hours[0]) / MINUTE / n
                    wanted[hours] = min((abs(headway - even), headway) for headway in HEADWAYS_MIN)[1]
            seen = frozenset(slot for hours in wanted for slot in self._seen(route, sunday, hours))
            if not seen:
                continue
            table = {format_window(hours): headway for hours, headway in wanted.items()}
            told = " and ".join(f"every {headway} minutes {window}" for window, headway in table.items())
            yield Candidate(
                f"{route.id}@{sunday}=saturday",
                "sunday",
                f"{route.label} on Sundays like on Saturdays: {told}",
                (_set_headway(route.id, day_key(sunday, self.case), table),),
                tuple(Claim(route.id, sunday, hours) for hours in wanted),
                f"{route.id}@{sunday}",
                seen,
            )

    def _periods(self) -> Iterator[tuple[Route, Period, int]]:
        """Each route in each period of the days looked at, with its starts in the busier direction."""
        days = {day for day, _ in self.slots}
        periods = [period for period in usual_periods(self.case.file.dates) if period.day in days]
        for route in self.routes:
            for period in periods:
                yield route, period, route.on[period.day].within(period.window_s)

    def _is_worth(self, route: Route, day: str, hours_s: tuple[int, int], n: int) -> bool:
        """Whether so many starts in each direction can be under way in a window, and are not plainly beyond the budget."""
        if not self._seen(route, day, hours_s):
            self._left[0] += 1
            return False
        rates = self.case.file.costs or Cost()
        extra = n * route.n_ways - route.on[day].total(hours_s)
        each_s = route.run_s + max(rates.layover_share * route.run_s, rates.layover_min * MINUTE / 2)
        a_year = rates.days.get(day_key(day, self.case), 0.0)
        # Run times differ by the hour; what is dear by a half is dear.
        if extra * each_s / HOUR * a_year * (1 + rates.dead_share) > 1.5 * self.most_hours:
            self._left[1] += 1
            return False
        return True

    def _seen(self, route: Route, day: str, hours_s: tuple[int, int]) -> frozenset[Slot]:
        """The windows whose travellers can be under way when a trip is that starts in some hours."""
        travel = self.case.file.travel
        longest = max((float(run.run_s.max()) for run in route.on.values() if len(run.runs)), default=0.0)
        found = []
        for own, window in self.slots:
            start, end = travel.windows[window].time
            if own == day and hours_s[0] < end + self.longest_min * MINUTE and hours_s[1] + longest > start:
                found.append((own, window))
        return frozenset(found)

    def _headway(self, route: Route, period: Period, headway: int, today: int, kind: str) -> Candidate:
        window = format_window(period.window_s)
        key = day_key(period.day, self.case)
        return Candidate(
            f"{route.id}@{period.window}={headway}",
            kind,
            f"{route.label} every {headway} minutes, {period.name} {window} ({_so_many(today)} each way today)",
            (_set_headway(route.id, key, {window: headway}),),
            (Claim(route.id, period.day, period.window_s),),
            f"{route.id}@{period.window}",
            self._seen(route, period.day, period.starts_s if kind == CUTS else period.window_s),
        )

    def _span(self, route: Route, day: str, hours_s: tuple[int, int], words: str, which: str, n: int) -> Candidate:
        key = day_key(day, self.case)
        return Candidate(
            f"{route.id}@{day}_{which}={n}",
            "spans",
            f"{route.label}, {key}: {words}",
            (_set_headway(route.id, key, {format_window(hours_s): 60}),),
            (Claim(route.id, day, hours_s),),
            f"{route.id}@{day}_{which}",
            self._seen(route, day, hours_s),
        )


def _set_headway(route_id: str, key: str, periods: Mapping[str, int]) -> SetHeadway:
    place = {key: dict(periods)} if key in KINDS_OF_DAY else {"service": {key: dict(periods)}}
    return SetHeadway.model_validate({"route": route_id, **place})


def _so_many(departures: int) -> str:
    return {0: "none", 1: "1 bus"}.get(departures, f"{departures} buses")


def _clock(seconds: int) -> str:
    return format_time(seconds, with_seconds=False)
