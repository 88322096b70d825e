"""What is lost when one service is taken away, and what is left: counted from a case evaluated beside today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.answers.figure import Figure
from community_routes.answers.needed import needed_runs
from community_routes.answers.rows import Rows
from community_routes.answers.window import Figures, read_figures, search_figures
from community_routes.base.times import HOUR, MINUTE
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.results import lead_rows
from community_routes.measures.groups import ZoneFigure, better_or_worse, figure_rows
from community_routes.measures.list import build_measure
from community_routes.measures.measure import Facts
from community_routes.measures.reached import Reach
from community_routes.measures.service import StopDepartures
from community_routes.planning.services import Period
from community_routes.routing.search import Search
from community_routes.scenarios.edit.routes import route_name

MEASURE = "cumulative_opportunities"
LOST_COLUMNS = (
    "kind", "cutoff_min", "unit", "baseline", "value", "change", "baseline_most_deprived", "value_most_deprived",
    "change_most_deprived", "persons_worse", "persons_left_without", "share_left", "places_cut_off",
)  # fmt: skip
"""Of each kind of place; ``most_deprived`` is everybody where deprivation is unknown."""


@dataclass(frozen=True, eq=False)
class Beside:
    """Today in one window, which every service is taken from: worked out once.

    Attributes
    ----------
    today : Figures
    measure : Reach
        Opportunities reached.
    level : dict of kind to Figure
        At the middle cutoff of the study, for which levels are told.
    longest : dict of kind to Figure
        At the longest, for what is left without anything.
    departures : StopDepartures
        What leaves in the window.
    least_change : float
        A change of at most this share of today's level makes nobody a loser.
    rows : Rows
        Today's connections of the window.
    search : Search
        Of these.
    """

    today: Figures
    measure: Reach
    level: Mapping[str, Figure]
    longest: Mapping[str, Figure]
    departures: StopDepartures
    least_change: float
    rows: Rows
    search: Search

    @classmethod
    def of(cls, case: Case, period: Period, units: Mapping[str, str], least_change: float) -> Beside:
        """Of a window of today's case; ``units`` of the amounts of each kind of place.

        Raises
        ------
        StudyError
            Nothing can be measured.
        """
        file, day, window = case.file, period.day, period.window
        cutoffs = sorted(file.travel.cutoffs_min)
        measure = build_measure(MEASURE, {}, Facts(tuple(cutoffs), tuple(file.destinations), file.fares, 0))
        assert isinstance(measure, Reach)
        level, longest = (
            {
                kind: Figure(day, window, kind, MEASURE, "mean", float(cutoff), units[kind])
                for kind in case.opportunities.keys
            }
            for cutoff in (cutoffs[len(cutoffs) // 2], cutoffs[-1])
        )
        today = search_figures(case, list(dict.fromkeys([*level.values(), *longest.values()])), measure)
        query, network = window_query(file, window), today.network
        found = cls(
            today,
            measure,
            level,
            longest,
            case.departures[day].within(file.travel.windows[window].time),
            least_change,
            Rows(case, day, network),
            Search(network.connections, network, query, case.lean.reached.walks),
        )
        _ = found._needed, found._same_times, found._calls  # known before the work is split
        return found

    @property
    def case(self) -> Case:
        """Today's."""
        return self.today.case

    @property
    def persons(self) -> NDArray[np.float64]:
        """Of each neighbourhood."""
        return np.asarray(self.case.zones.table["population"].to_numpy(np.float64))

    def without(self, case: Case) -> Lost:
        """What is lost of each kind of place, and by whom, in a case without a service.

        Parameters
        ----------
        case : Case
        """
        difference = self.rows.difference(case)
        if difference is None:
            now = search_figures(case, list(self.today.read), self.measure, self.today)
            return self._nothing if now.cube is self.today.cube else self._lost(now)
        if not len(difference.gone) and difference.added is None:
            return self._nothing
        if difference.added is None and not self._needed[difference.gone].any():
            return self._same_times
        spans = self.search.spans if difference.added is None else None
        cube = self.search.on(self.rows.with_([difference]), difference.walks, spans).cube(1)
        if np.array_equal(cube, self.today.cube):
            return self._same_times
        return self._lost(read_figures(case, self.today.network, cube, list(self.today.read), self.measure))

    def _lost(self, now: Figures) -> Lost:
        """What is lost where other travel times were found."""
        rows: list[dict[str, object]] = []
        groups, changes = [], {}
        for kind, figure in self.level.items():
            table = self._rows_of(figure, now)
            before, after = (side.read[figure][0] for side in (self.today, now))
            left = {
                "persons_left_without": self._left_without(now, kind),
                "share_left": _share_left(before, after, self.persons, self.least_change),
                "places_cut_off": len(self.cut_off(now, kind)),
            }
            rows.append(_told(figure, table) | left)
            groups.append(table)
            changes[kind] = np.asarray(np.where(before == after, 0.0, after - before))
        return Lost(rows, groups, changes)

    @cached_property
    def _needed(self) -> NDArray[np.bool_]:
        """Vehicle runs without which a travel time could differ."""
        return needed_runs(self.search)

    @cached_property
    def _same_times(self) -> Lost:
        """Where other vehicles run and every travel time is as it is today."""
        return self._lost(self.today)

    @cached_property
    def _nothing(self) -> Lost:
        """Where a search would read the same as today's."""
        return self._same_times._replace(groups=[])

    def _rows_of(self, figure: Figure, now: Figures) -> pd.DataFrame:
        """The rows of groups.csv of a case beside today."""
        sides = [ZoneFigure(side.case.zones.table, *side.read[figure]) for side in (now, self.today)]
        return figure_rows(figure.row(now.case.name), *sides, least_change=self.least_change)

    def cut_off(self, now: Figures, kind: str) -> NDArray[np.int64]:
        """Rows of the destinations of a kind to which nobody comes any more within the longest cutoff at any departure."""
        rows = self.case.opportunities.rows_of(kind)
        limit_s = (self.longest[kind].cutoff_min or 0.0) * MINUTE
        after = (now.cube[:, :, rows] <= limit_s).any(axis=(0, 1))
        return np.asarray(rows[self._reached[kind] & ~after], np.int64)

    @cached_property
    def _reached(self) -> dict[str, NDArray[np.bool_]]:
        """By kind, which places anybody reaches today within the longest cutoff at any departure."""
        found = {}
        for kind, figure in self.longest.items():
            rows = self.case.opportunities.rows_of(kind)
            limit_s = (figure.cutoff_min or 0.0) * MINUTE
            found[kind] = np.asarray((self.today.cube[:, :, rows] <= limit_s).any(axis=(0, 1)))
        return found

    def _left_without(self, now: Figures, kind: str) -> float:
        """Persons of neighbourhoods that reached some within the longest cutoff and reach none any more."""
        before, after = (side.read[self.longest[kind]][0] for side in (self.today, now))
        return float(self.persons[(before > 0) & (after == 0)].sum())

    @cached_property
    def _calls(self) -> _Calls:
        """Which routes leave from which stops in the window."""
        return _Calls.of(self.departures, len(self.case.feed.stops))

    def last_of_stops(self, route: int) -> NDArray[np.int64]:
        """Rows of the stops where nothing but the route leaves in the window."""
        own, others = self._calls.stops_of(route)
        return own[~others[own]]

    def last_of_zones(self, route: int) -> NDArray[np.int64]:
        """Rows of the neighbourhoods from which nothing but the route can be walked to in the window."""
        own, others = self._calls.stops_of(route)
        near, zone = self.case.walks.access, self._zone_of_walk
        is_own = np.zeros(len(others), np.bool_)
        is_own[own] = True
        return np.setdiff1d(zone[is_own[near.to]], zone[others[near.to]]).astype(np.int64)

    @cached_property
    def _zone_of_walk(self) -> NDArray[np.int64]:
        """Row of the neighbourhood of each walk to a stop."""
        return np.asarray(self.case.zones.origins["zone"].to_numpy()[self.case.walks.access.start()], np.int64)

    def best_other(self, route: int) -> tuple[str, float, float]:
        """The route that calls at most of the stops of another; in what share of them; how often an hour it leaves there.

        The more frequent one where several call at as many. No name where no other calls at any.
        """
        own, _ = self._calls.stops_of(route)
        found = self.departures
        is_own = np.zeros(len(self.case.feed.stops), np.bool_)
        is_own[own] = True
        there = is_own[found.stop] & (found.route != route)
        if not there.any():
            return "", 0.0, 0.0
        stops, runs = (_different(found.route[there], of[there]) for of in (found.stop, found.run))
        # Most stops, then most runs, then the first of the timetable.
        best = max(range(len(stops)), key=lambda other: (stops[other], runs[other], -other))
        window = next(iter(self.level.values())).window
        start_s, end_s = self.case.file.travel.windows[window].time
        return (
            route_name(self.case.feed, best),
            float(stops[best]) / len(own),
            float(runs[best]) / ((end_s - start_s) / HOUR),
        )

    def about(self, route: int) -> dict[str, object]:
        """Columns on the stops and neighbourhoods that a route serves alone in the window."""
        stops, zones = self.last_of_stops(route), self.last_of_zones(route)
        other, share, per_hour = self.best_other(route)
        return {
            "last_of_stops": len(stops),
            "last_of_neighbourhoods": len(zones),
            "persons_in_last_of": float(self.persons[zones].sum()),
            "best_other": other,
            "best_other_stops": share,
            "best_other_per_hour": per_hour,
        }


class _Calls(NamedTuple):
    """At which stops each route leaves.

    Attributes
    ----------
    route, stop : int64, shape (n,)
        Each pair once, in the order of the routes.
    n_routes : int64, shape (n_stops,)
        Different routes that leave from a stop.
    """

    route: NDArray[np.int64]
    stop: NDArray[np.int64]
    n_routes: NDArray[np.int64]

    @classmethod
    def of(cls, departures: StopDepartures, n_stops: int) -> _Calls:
        """Of some departures."""
        pair = np.unique(departures.route.astype(np.int64) * n_stops + departures.stop)
        stop = pair % max(1, n_stops)
        return cls(pair // max(1, n_stops), stop, np.bincount(stop, minlength=n_stops))

    def stops_of(self, route: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Rows of the stops where a route leaves, and for every stop whether any other does."""
        own = self.stop[slice(*np.searchsorted(self.route, [route, route + 1]))]
        others = self.n_routes.copy()
        others[own] -= 1
        return own, others > 0


def _different(of: NDArray[np.int32], what: NDArray[np.int64] | NDArray[np.int32]) -> NDArray[np.int64]:
    """For each number of ``of`` how many different ones stand beside it."""
    size = np.int64(what.max(initial=0)) + 1
    return np.bincount(np.unique(of.astype(np.int64) * size + what) // size)


class Lost(NamedTuple):
    """What is lost in one window.

    Attributes
    ----------
    rows : list of dict
        ``LOST_COLUMNS``, one for each kind of place.
    groups : list of DataFrame
        Rows of groups.csv at the middle cutoff, a table for each kind; none where the search reads the same as today's.
    changes : dict of kind to float64, shape (n_zones,)
        Of the level of each neighbourhood.
    """

    rows: list[dict[str, object]]
    groups: list[pd.DataFrame]
    changes: dict[str, NDArray[np.float64]]


def _told(figure: Figure, table: pd.DataFrame) -> dict[str, object]:
    """Levels and losers of a kind of place, from rows of groups.csv."""
    every, lead = table[table["grouping"] == "all"].iloc[0], lead_rows(table).iloc[0]
    levels = ("baseline", "value", "change")
    return {
        "kind": figure.kind,
        "cutoff_min": figure.cutoff_min,
        "unit": figure.unit,
        **{column: float(every[column]) for column in levels},
        **{f"{column}_most_deprived": float(lead[column]) for column in levels},
        "persons_worse": float(every["persons_worse"]),
    }


def _share_left(
    before: NDArray[np.float64], now: NDArray[np.float64], persons: NDArray[np.float64], least_change: float
) -> float:
    """What is left of today's level to those who lose, by persons; NaN where nobody does."""
    worse = better_or_worse(before, now, np.bool_(False), least_change) < 0
    had = float((before * persons)[worse].sum())
    return float((now * persons)[worse].sum()) / had if had > 0 else float("nan")


def ranks(values: Sequence[float], same: float = 1e-9) -> list[int | None]:
    """Places in falling order, from 1; values that rounding alone may tell apart share one, and None stands for nothing lost.

    Parameters
    ----------
    values : sequence of float
        NaN and what is not above 0 have no place.
    same : float
        Relative to the larger value.
    """
    there = sorted((value for value in values if value > 0), reverse=True)
    found: dict[float, int] = {}
    last, rank = None, 0
    for number, value in enumerate(there, start=1):
        if last is None or last - value > same * last:
            last, rank = value, number
        found[value] = rank
    return [found[value] if value > 0 else None for value in values]
