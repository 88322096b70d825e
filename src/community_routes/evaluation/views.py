"""What a report shows of single neighbourhoods: their nearest places, and journeys before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.times import HOUR, MINUTE, UNREACHED
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.evaluate import Evaluation
from community_routes.fares.feed import feed_prices
from community_routes.fares.journeys import journey_fare
from community_routes.fares.tickets import TicketFares
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.links import Ground, Line, Linked, walk_line_between
from community_routes.network.walks.points import Links
from community_routes.report.results import NEAREST_COLUMNS, JourneyView, LegView
from community_routes.routing.journeys import Journey, Ride, Walk, journeys
from community_routes.routing.query import Walks
from community_routes.routing.runner import PAIRS
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.edit.routes import route_name, stop_name
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.trips import mode_of

N_NEAREST = 5
_STEP_S = 5 * MINUTE
_HOURS_AT_ONCE = 6 * HOUR  # hours without any service are passed over in one search


def nearest_places(evaluations: Sequence[Evaluation]) -> pd.DataFrame:
    """The five nearest places of each key for every neighbourhood in every window of the study's first day.

    Minutes are of the median travel time over the departures of the window, from the neighbourhood's first origin.
    """
    tables: list[pd.DataFrame] = []
    for evaluation in evaluations:
        first_day = next(iter(evaluation.networks))
        table = evaluation.opportunities.table
        zones, origins = evaluation.zones.table, evaluation.zones.origins
        first = origins.drop_duplicates("zone")
        for (day, window), medians in evaluation.median_s.items():
            if day != first_day:
                continue
            median = medians[first.index.to_numpy()]
            for key in evaluation.opportunities.keys:
                rows = evaluation.opportunities.rows_of(key)
                order = np.argsort(median[:, rows], axis=1, kind="stable")[:, :N_NEAREST]
                origin, rank = np.indices(order.shape)
                place = rows[order]
                seconds = median[origin, place]
                reached = seconds.ravel() != UNREACHED
                place = place.ravel()[reached]
                tables.append(
                    pd.DataFrame(
                        {
                            "scenario": evaluation.scenario,
                            "day": day,
                            "window": window,
                            "neighbourhood": zones["id"].to_numpy()[first["zone"].to_numpy()][origin.ravel()[reached]],
                            "rank": rank.ravel()[reached] + 1,
                            "kind": key,
                            "place": table["id"].to_numpy()[place],
                            "name": table["name"].to_numpy()[place],
                            "minutes": np.round(seconds.ravel()[reached] / MINUTE, 1),
                        }
                    )
                )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(NEAREST_COLUMNS))


def sample_journeys(today: Evaluation, proposals: Sequence[Evaluation], *, each: int = 3) -> tuple[JourneyView, ...]:
    """Journeys that proposals change most, today and under each proposal.

    For each proposal: the day and window in which it changes most, and there pairs of a neighbourhood of the most deprived
    fifth (any, where deprivation is unknown or none of them sees a change) and a place, one for each neighbourhood: those whose
    median time falls or rises most for many people. A pair counts the seconds of all residents of the neighbourhood, times what
    all neighbourhoods together gain or lose on the way to that place. The departure is the one with the median change of
    those that change the same way.
    """
    views: list[JourneyView] = []
    asked: set[tuple[str, str, int, int, int]] = set()
    known = _Known()
    for proposal in proposals:
        slot = _strongest_slot(today, proposal)
        if slot is None:
            continue
        day, window = slot
        for origin, destination in _most_changed(today, proposal, slot, each):
            before, after = (e.times_between(slot, origin, destination).astype(np.int64) for e in (today, proposal))
            saving = np.where(before == UNREACHED, 10 * HOUR, before) - np.where(after == UNREACHED, 10 * HOUR, after)
            # A median that falls (or rises) needs a departure at which the time does; at most of them it may stay.
            falls = proposal.median_s[slot][origin, destination] < today.median_s[slot][origin, destination]
            moved = np.flatnonzero(saving > 0 if falls else saving < 0)
            departure = int(moved[np.argsort(saving[moved], kind="stable")[len(moved) // 2]])
            depart_s = int(window_query(today.study.file, window).departures_s[departure])
            question = (day, window, origin, destination, depart_s)
            if question in asked:
                continue
            asked.add(question)
            for evaluation in (today, *proposals):
                views.append(_view(evaluation, day, window, origin, destination, depart_s, known))
    return tuple(views)


def _strongest_slot(today: Evaluation, proposal: Evaluation) -> tuple[str, str] | None:
    """The day and window with the largest change of median times, over all pairs; None where no median changes."""
    best: tuple[float, tuple[str, str]] | None = None
    for slot, before in today.median_s.items():
        after = proposal.median_s[slot]
        if after.shape != before.shape:
            continue
        total = float(np.abs(_saving(before, after)).sum())
        if total > 0 and (best is None or total > best[0]):
            best = (total, slot)
    return best[1] if best is not None else None


def _saving(before: NDArray[np.int32], after: NDArray[np.int32]) -> NDArray[np.int64]:
    """Seconds saved at the median, shape (n_origins, n_destinations); what is newly reached counts its time under two hours."""
    most = 2 * HOUR
    return np.minimum(before, most).astype(np.int64) - np.minimum(after, most)


def _most_changed(today: Evaluation, proposal: Evaluation, slot: tuple[str, str], each: int) -> list[tuple[int, int]]:
    zone_of = today.zones.origins["zone"].to_numpy()
    persons = np.nan_to_num(today.zones.table["population"].to_numpy(np.float64))[zone_of]
    change = np.abs(_saving(today.median_s[slot], proposal.median_s[slot])) * persons[:, None]
    change *= change.sum(axis=0)
    rank = today.zones.table["deprivation_rank"].to_numpy(np.float64)
    if np.isfinite(rank).any():
        poorest = rank <= np.nanquantile(rank, 0.2)
        if (change[poorest[zone_of]] > 0).any():
            change = np.where(poorest[zone_of][:, None], change, 0)
    found: list[tuple[int, int]] = []
    zones: set[int] = set()
    for cell in np.argsort(-change, axis=None, kind="stable"):
        origin, destination = divmod(int(cell), change.shape[1])
        if change[origin, destination] == 0 or len(found) == each:
            break
        if int(zone_of[origin]) not in zones:
            zones.add(int(zone_of[origin]))
            found.append((origin, destination))
    return found


class _Known:
    """What several journeys need: courses of walks and vehicles of a date, found once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Ground, Linked, int, Linked, int], Line | None] = {}
        self._dated: dict[tuple[str, str], _Dated] = {}

    def dated(self, evaluation: Evaluation, day: str) -> _Dated:
        """Which vehicles of an evaluation run on the date of a day."""
        key = evaluation.scenario, day
        if key not in self._dated:
            self._dated[key] = _Dated(evaluation.feed, evaluation.networks[day].timetable)
        return self._dated[key]

    def between(self, ground: Ground, start: Linked, place: int, end: Linked, other: int) -> Line | None:
        """As ``walk_line_between``."""
        asked = (ground, start, place, end, other)
        if asked not in self._known:
            self._known[asked] = walk_line_between(*asked)
        return self._known[asked]


def _view(
    evaluation: Evaluation, day: str, window: str, origin: int, destination: int, depart_s: int, known: _Known
) -> JourneyView:
    query = window_query(evaluation.study.file, window)
    found = journeys(evaluation.networks[day], query, evaluation.walks, origin, destination, depart_s)
    place = evaluation.opportunities.table.iloc[destination]
    zone = evaluation.zones.table["id"].iat[int(evaluation.zones.origins["zone"].iat[origin])]
    name = str(place["name"] or place["id"])
    view = JourneyView(evaluation.scenario, day, depart_s, str(zone), name)
    if not found:
        return replace(view, reason="over_time")
    case, reached = evaluation.case, evaluation.reached
    home = str(evaluation.zones.table["name"].iat[int(evaluation.zones.origins["zone"].iat[origin])])
    ends = (reached.origins, origin, home), (reached.destinations, destination, name)
    legs = tuple(leg_view(case, leg, *ends, known.between) for leg in found[0].legs if leg.arrive_s > leg.depart_s)
    return replace(
        view,
        legs=legs,
        fare=_fare(evaluation, found[0]),
        last_home_s=_last_home(evaluation, day, origin, destination, known),
    )


End = tuple[Linked, int, str]
"""Places joined to the ground, the row of one, and what it is called."""


def leg_view(
    case: Case, leg: Walk | Ride, start: End, end: End, line: Callable[..., Line | None] = walk_line_between
) -> LegView:
    """A leg of a journey as pages show it; ``start`` and ``end`` are those of the journey."""
    feed = case.feed
    if isinstance(leg, Walk):
        (a, from_row, here), (b, to_row, there) = (
            (case.stops, stop, stop_name(feed, stop)) if stop >= 0 else place
            for stop, place in ((leg.from_stop, start), (leg.to_stop, end))
        )
        found = line(case.ground, a, from_row, b, to_row)
        lon, lat = found[1:] if found is not None else (np.empty(0), np.empty(0))
        return LegView("walk", "", here, there, leg.depart_s, leg.arrive_s, lon=lon, lat=lat)
    route = int(feed.trips["route"].iat[leg.trips[0]])
    at = feed.calls.stop[np.array([*leg.calls, leg.calls[-1] + 1])]
    return LegView(
        mode_of(int(feed.routes["route_type"].iat[route])),
        route_name(feed, route),
        stop_name(feed, leg.from_stop),
        stop_name(feed, leg.to_stop),
        leg.depart_s,
        leg.arrive_s,
        wait_s=leg.wait_s,
        lon=feed.stops["lon"].to_numpy()[at],
        lat=feed.stops["lat"].to_numpy()[at],
    )


def _fare(evaluation: Evaluation, journey: Journey) -> float | None:
    """The cheapest way to pay for the journey; None where the study has no fares or a ride has no price."""
    fares = evaluation.applied.fares if evaluation.applied is not None else evaluation.study.file.fares
    own = feed_prices(evaluation.feed, fares, [])
    if own is not None:
        cents = own.journey_cents(journey)
        return cents / 100 if cents is not None else None
    if fares is None:
        return None
    paid = journey_fare(TicketFares(fares), evaluation.feed, journey)
    return paid.cents / 100 if paid is not None else None


def _last_home(evaluation: Evaluation, day: str, origin: int, destination: int, known: _Known) -> int | None:
    """The last departure (to five minutes) from the place that gets home within the limits on trips of the service date.

    Whoever leaves later waits for the first bus of the next day, which is no way home.
    """
    network, walks = evaluation.networks[day], evaluation.walks
    nothing = Links(np.zeros(2, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0))
    back = Walks(access=walks.egress.of(destination), egress=walks.access.of(origin), direct=nothing)
    query = window_query(evaluation.study.file, next(iter(evaluation.study.file.travel.windows)))
    dated = known.dated(evaluation, day)
    high = min(dated.last_s + 1, network.timetable.span_s[1] - query.max_travel_s)
    for end in range(high, 0, -_HOURS_AT_ONCE):  # the latest hours first, for it mostly is
        start = max(0, end - _HOURS_AT_ONCE)
        hours = replace(query, window_s=(start - start % _STEP_S, end), step_s=_STEP_S)
        evaluation.runner.stopwatch.count(PAIRS)
        works = np.flatnonzero(travel_times_by_departure(network, hours, back)[0, :, 0] != UNREACHED)
        for departure in hours.departures_s[works][::-1].tolist():
            for journey in journeys(network, hours, back, 0, 0, departure):
                if all(dated.runs(ride) for ride in journey.rides):
                    return int(departure)
    return None


_APART_S = 1 << 40


class _Dated:
    """Which vehicles run on a service date, or still on the one before it, and not on the next.

    Parameters
    ----------
    feed : Feed
    timetable : Timetable
        Of the date.

    Attributes
    ----------
    last_s : int
        When the last of them leaves a stop; -1 where none does.
    """

    def __init__(self, feed: Feed, timetable: Timetable) -> None:
        self._calls = feed.calls
        self._active, self._by_headway = (np.zeros(len(feed.trips), np.bool_) for _ in range(2))
        self._active[feed.active_trips(timetable.date)] = True
        trip, start_s, end_s = (feed.frequencies[name].to_numpy(np.int64) for name in ("trip", "start_s", "end_s"))
        self._by_headway[trip] = True
        order = np.lexsort((start_s, trip))
        # The latest end of all headways of a trip that have begun, whether or not they overlap.
        self._begun = (trip * _APART_S + start_s)[order]
        self._until = np.maximum.accumulate((trip * _APART_S + end_s)[order])
        of_date = self._run(timetable.trip, timetable.call, timetable.departure_s)
        self.last_s = int(timetable.departure_s.max(initial=-1, where=of_date))

    def runs(self, ride: Ride) -> bool:
        """Whether the vehicle of a ride does."""
        return bool(self._run(*(np.array([value]) for value in (ride.trips[0], ride.calls[0], ride.depart_s)))[0])

    def _run(self, trip: NDArray[Any], call: NDArray[Any], departure_s: NDArray[Any]) -> NDArray[np.bool_]:
        """The same of departures: calls (rows) of trips (rows) at seconds of the service date."""
        shift_s = departure_s.astype(np.int64) - self._calls.departure_s[call]
        found = shift_s <= 0
        rows = np.flatnonzero(self._by_headway[trip])
        if len(rows):
            mine = trip[rows].astype(np.int64)
            began = mine * _APART_S + shift_s[rows] + self._calls.departure_s[self._calls.first[mine]]
            at = np.searchsorted(self._begun, began, "right") - 1
            found[rows] = (at >= 0) & (self._until[np.maximum(at, 0)] > began) & self._active[mine]
        return np.asarray(found, np.bool_)
