"""One case searched: its windows and shifts, each once; and what tells that a search would read the same as another's.

Every answer of a search follows from what it reads: the vehicles of some hours, the changes between them, the walks at both
ends, and prices. These are compared themselves, number by number, never names or dates of files; where anything differs, or
stands in another order, the search is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import StudyError
from community_routes.base.times import HOUR, MINUTE
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.window import Choice, amount_units
from community_routes.fares.by_ticket import times_within_budgets
from community_routes.fares.feed import feed_prices, monthly_feed_costs, times_within_feed_budgets
from community_routes.fares.machine import TooManyStatesError
from community_routes.fares.month import Commute, monthly_costs
from community_routes.fares.tickets import TicketFares
from community_routes.measures.measure import BUDGETS, ZONE_TIMES, WindowFigures, WindowInputs, taken
from community_routes.measures.meeting import exposure_table, mixing_table, visitors_in_window
from community_routes.measures.shifts import Shift, search_shift, shift_tables
from community_routes.measures.wards import ward_table
from community_routes.network.network import Network
from community_routes.network.timetable.changes import Changes
from community_routes.routing.matrices import as_cube
from community_routes.routing.query import Query, Walks
from community_routes.routing.runner import Runner
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.study.fares import Fares

Slot = tuple[str, str]
"""A day and a window."""
NOON_S = 12 * HOUR
Span = tuple[int, int]
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits without a pattern


@dataclass(frozen=True, eq=False)
class Search:
    """A case, what is measured of it, and who does the work.

    Attributes
    ----------
    case : Case
    choice : Choice
    runner : Runner
    """

    case: Case
    choice: Choice
    runner: Runner

    def window(self, day: str, window: str) -> WindowInputs:
        """A window, searched once for everything that the measures need."""
        case, runner, network = self.case, self.runner, self.case.networks[day]
        query = window_query(case.file, window)
        where = f"searching {day}, {window} ({case.name})"
        runner.tell(where)
        zone_times, of_budget = None, dict[float, NDArray[np.int16]]()
        with runner.stage("routing"):
            time_s = runner.cube(network, query, case.walks, where)
            if ZONE_TIMES in self.choice.needs:
                zone_times = runner.cube(network, query, case.zone_walks, where)
            if case.fares is not None and BUDGETS in self.choice.needs:
                times = self._within_budgets(network, query, case.fares)
                of_budget = {budget: as_cube(of_it) for budget, of_it in zip(case.fares.budgets, times, strict=True)}
            commutes = self._commutes(network, query)
        return replace(
            self.before_search(day, window, query),
            time_s=time_s,
            zone_time_s=zone_times,
            times_of_budget=of_budget,
            cost_of_commute=commutes,
        )

    def before_search(self, day: str, window: str, query: Query) -> WindowInputs:
        """What is known of a window before anything is searched: there are no travel times in it."""
        case, file = self.case, self.case.file
        places = case.zones.origins, case.opportunities.table
        return WindowInputs(
            scenario=case.name,
            day=day,
            window=window,
            window_s=query.window_s,
            zones=case.zones.table,
            origins=places[0],
            destinations=places[1],
            time_s=np.empty((len(places[0]), 0, len(places[1])), np.int16),
            origin_reason=case.origin_reason[day].tolist(),
            access_walks=case.walks.access,
            departures=case.departures[day].within(query.window_s),
            cutoffs_min=file.travel.cutoffs_min,
            units=amount_units(file),
            currency=case.study.currency,
            destination_reason=case.destination_reason[day].tolist(),
            percentiles=file.travel.percentiles,
            keys=tuple(file.destinations),
        )

    def _within_budgets(self, network: Network, query: Query, fares: Fares) -> NDArray[np.int32]:
        """Times within the study's budgets, by the study's prices or the timetable's own."""
        own, asked = feed_prices(network.feed, fares, []), (network, query, self.case.walks)
        threads = self.runner.threads
        if own is None:
            return times_within_budgets(*asked, TicketFares(fares), fares.budgets, threads=threads)
        with _fares_that_can_be_searched():
            return times_within_feed_budgets(*asked, own, fares.budgets, threads=threads)

    def _commutes(self, network: Network, query: Query) -> dict[Commute, NDArray[np.float64]]:
        """What a month costs to each place of work; of a study's windows those before noon are ways to work, else all."""
        case, prices = self.case, self.case.fares
        wanted = {need for need in self.choice.needs if isinstance(need, Commute)}
        starts_s = [window.time[0] for window in case.file.travel.windows.values()]
        if prices is None or query.window_s[0] >= NOON_S > min(starts_s):
            return {}
        found, own = {}, feed_prices(network.feed, prices, [])
        for commute in sorted(wanted, key=repr):
            rows = case.opportunities.rows_of(commute.key)
            walks = Walks(case.walks.access, case.walks.egress.only(rows), case.walks.direct.only_to(rows))
            cutoffs_s = [int(cutoff * MINUTE) for cutoff in case.file.travel.cutoffs_min]
            limits: dict[str, Any] = {"cutoffs_s": cutoffs_s, "days": commute.days, "threads": self.runner.threads}
            with _fares_that_can_be_searched():
                if own is None:
                    tickets = TicketFares(prices, concession=commute.concession)
                    week = commute.days_a_week
                    found[commute] = monthly_costs(network, query, walks, tickets, days_a_week=week, **limits)
                else:
                    found[commute] = monthly_feed_costs(network, query, walks, own, **limits)
        return found

    def shift(self, day: str, shift: Shift, window: str) -> tuple[WindowFigures, pd.DataFrame]:
        """WindowFigures of a shift, which stands as the window; and what they say of each workplace."""
        case, query = self.case, window_query(self.case.file, window)
        self.runner.tell(f"searching {day}, {shift.name} ({case.name})")
        rows = case.opportunities.rows_of(self.choice.shift_key)
        there = Walks(case.walks.access, case.walks.egress.only(rows), case.walks.direct.only_to(rows))
        home = case.home_walks
        back = Walks(home.access.only(rows), home.egress, home.direct.only(rows))
        with self.runner.stage("routing"):
            feasible = search_shift(case.networks[day], query, there, back, shift, threads=self.runner.threads)
        return shift_tables(self.before_search(day, window, query), feasible, rows, shift)


@contextmanager
def _fares_that_can_be_searched() -> Iterator[None]:
    """Says what to do about fares with too many states."""
    try:
        yield
    except TooManyStatesError as fault:
        raise StudyError(
            f"{fault}, which is more than a search can hold; state simpler `fares`, or leave out `budgets` and commuting_cost"
        ) from None


def mixing_tables(inputs: WindowInputs, case: Case) -> list[tuple[str, pd.DataFrame]]:
    """Tables beside those of access in one window: ``ward_matrix`` where wards are, ``mixing`` and ``exposure`` where groups are.

    Mixing is potential to meet: who could come to each place, and exposure through them.
    """
    wards = ward_table(inputs)
    found: list[tuple[str, pd.DataFrame]] = [] if wards is None else [("ward_matrix", wards)]
    persons, opportunities = case.zones.groups, case.opportunities
    if persons is None or inputs.destinations.empty:
        return found
    cutoff = sorted(inputs.cutoffs_min)[len(inputs.cutoffs_min) // 2]
    where = {"scenario": inputs.scenario, "day": inputs.day, "window": inputs.window}
    total = persons.sum().to_numpy(np.float64)
    for key in opportunities.keys:
        rows = opportunities.rows_of(key)
        visitors = visitors_in_window(inputs, persons, rows, cutoff_min=cutoff)
        places = opportunities.table.iloc[rows][["key", "id", "name", "kind"]].reset_index(drop=True)
        tables = {
            "mixing": mixing_table(visitors, places, (total / total.sum()).tolist()),
            "exposure": exposure_table(visitors, persons).assign(key=key),
        }
        for name, table in tables.items():
            same = {column: taken([value], np.zeros(len(table), np.int64)) for column, value in where.items()}
            found.append((name, pd.DataFrame(same | {"cutoff_min": cutoff} | {c: table[c] for c in table})))
    return found


def span_searched(query: Query) -> Span:
    """First and last second at which a vehicle is of use to a question."""
    first, last = int(query.departures_s[0]), int(query.departures_s[-1])
    return (first - query.max_travel_s, last) if query.arrive_by else (first, last + query.max_travel_s)


def same_hours(one: Network, other: Network, spans: list[Span]) -> bool:
    """Whether searches within some hours read the same of two networks.

    That is, for every vehicle under way in these hours: stops, times, boarding and alighting, which hops are one vehicle,
    its route (agency, kind and names with it) and direction; and all changes between the places where they stop.
    """
    if one is other:
        return True
    return one.slack_s == other.slack_s and all(_same_span(one, other, span) for span in spans)


def _same_span(one: Network, other: Network, span: Span) -> bool:
    if _sums(one, span) != _sums(other, span):
        return False
    hops = _under_way(one, span), _under_way(other, span)
    a, b = (network.timetable for network in (one, other))
    for name in ("from_stop", "to_stop", "departure_s", "arrival_s", "board", "alight"):
        if not np.array_equal(getattr(a, name)[hops[0]], getattr(b, name)[hops[1]]):
            return False
    return (
        _same_runs(a.run()[hops[0]], b.run()[hops[1]])
        and _same_routes(one.feed, other.feed, a.trip[hops[0]], b.trip[hops[1]])
        and _same_changes(one, other, *hops)
    )


def _sums(network: Network, span: Span) -> tuple[int, int, int]:
    """How many hops are under way in a span, and the sums of their times: told at once, and seldom the same by chance."""
    times = network.timetable
    here = (times.arrival_s >= span[0]) & (times.departure_s <= span[1])
    leaves, comes = (int(seconds[here].sum(dtype=np.int64)) for seconds in (times.departure_s, times.arrival_s))
    return int(here.sum()), leaves, comes


def _under_way(network: Network, span: Span) -> NDArray[np.int64]:
    """Hops that are under way at some second of a span: vehicle by vehicle, in an order that hangs on nothing else.

    Vehicles stand in the order of their first hop in the span and of a sum over what they do. Should two different ones have
    the same sum, they may stand the other way round in another network, and are taken to differ there.
    """
    times = network.timetable
    hops = np.flatnonzero((times.arrival_s >= span[0]) & (times.departure_s <= span[1]))
    if not len(hops):
        return hops
    run = times.run()[hops]
    starts = np.concatenate([[0], np.flatnonzero(run[1:] != run[:-1]) + 1])
    size = np.diff(np.append(starts, len(hops)))
    place = np.arange(len(hops)) - np.repeat(starts, size)
    route = network.feed.trips["route"].to_numpy()[times.trip[hops]]
    with np.errstate(over="ignore"):
        mixed = np.zeros(len(hops), np.uint64)
        for column in (
            times.from_stop[hops],
            times.to_stop[hops],
            times.departure_s[hops],
            times.arrival_s[hops],
            route,
        ):
            mixed = (mixed + column.astype(np.int64).astype(np.uint64)) * _MIX
            mixed ^= mixed >> np.uint64(29)
        sums = np.add.reduceat(mixed * (2 * place + 1).astype(np.uint64), starts)
    order = np.lexsort((sums, times.departure_s[hops[starts]]))
    first = np.cumsum(size[order]) - size[order]
    return hops[np.repeat(starts[order] - first, size[order]) + np.arange(len(hops))]


def _same_runs(one: NDArray[np.int32], other: NDArray[np.int32]) -> bool:
    """Whether hops are grouped alike, whatever the runs are numbered."""
    return np.array_equal(one[1:] != one[:-1], other[1:] != other[:-1])


def _same_routes(one: Feed, other: Feed, trips: NDArray[np.int32], others: NDArray[np.int32]) -> bool:
    """Whether trips, one by one, have the same row of routes and direction, and these routes the same everything."""
    for column in ("route", "direction_id"):
        mine, its = (feed.trips[column].to_numpy()[rows] for feed, rows in ((one, trips), (other, others)))
        if not np.array_equal(mine, its):
            return False
    if one.routes is other.routes and one.agencies is other.agencies:
        return True
    rows = np.unique(one.trips["route"].to_numpy()[trips])
    routes = one.routes.iloc[rows], other.routes.iloc[rows]
    if not routes[0].equals(routes[1]):
        return False
    agencies = np.unique(routes[0]["agency"].to_numpy())
    agencies = agencies[agencies >= 0]
    if len(agencies) and agencies[-1] >= len(other.agencies):
        return False
    return bool(one.agencies.iloc[agencies].equals(other.agencies.iloc[agencies]))


def _same_changes(one: Network, other: Network, hops: NDArray[np.int64], others: NDArray[np.int64]) -> bool:
    """Whether the hops have the same places, and the same changes lead from one to another of these."""
    mine, its = one.changes, other.changes
    for name in ("alight_place", "board_place"):
        if not np.array_equal(getattr(mine, name)[hops], getattr(its, name)[others]):
            return False
    alight = np.unique(mine.alight_place[hops])
    board = np.unique(mine.board_place[hops])
    found = changes_between(mine, alight, board), changes_between(its, alight, board)
    return all(np.array_equal(found[0][k], found[1][k]) for k in range(3))


def changes_between(
    changes: Changes, alight: NDArray[np.int32], board: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Start, end and seconds of the changes from some alighting places to some waiting places."""
    start = np.repeat(np.arange(len(changes.alight_stop)), np.diff(changes.first))
    is_start, is_end = np.zeros(len(changes.alight_stop), np.bool_), np.zeros(len(changes.board_stop), np.bool_)
    is_start[alight[alight >= 0]] = True
    is_end[board[board >= 0]] = True
    kept = is_start[start] & is_end[changes.to]
    return start[kept], changes.to[kept], changes.change_s[kept]


def taken_over(table: pd.DataFrame, scenario: str, **where: str) -> pd.DataFrame:
    """Rows of a table of today, as those of a proposal."""
    keep = np.ones(len(table), np.bool_)
    for column, value in where.items():
        keep &= (table[column] == value).to_numpy(dtype=np.bool_)
    rows = table.loc[keep].reset_index(drop=True)
    rows["scenario"] = scenario
    return rows
