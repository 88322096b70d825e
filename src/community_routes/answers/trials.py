"""What one proposal out of a fixed list does to a figure, and what sets of them do, many times a second.

A proposal is worked out once (``Trials.patch``): which vehicles of the window it takes away and puts in (``answers.rows``). To
value a set, the rows of all its patches are put together and searched for the lanes and minutes that the figure counts; there
are no tables, groups or costs. A value equals that of ``Live.try_scenario`` of all of them as one proposal, to the last bit.

Of a count within a limit nothing later than the limit is searched, nor any destination that counts nothing: what a search
within 45 minutes finds are the journeys of at most 45 minutes of a longer one, and to add nothing changes no sum.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from community_routes.answers.figure import chosen_measure
from community_routes.answers.live import Live
from community_routes.answers.rows import Difference, Rows
from community_routes.answers.window import window_inputs
from community_routes.base.errors import UsageError
from community_routes.base.times import MINUTE
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.cost import proposal_cost
from community_routes.evaluation.search import span_searched
from community_routes.measures.measure import MEDIAN, PlacesOfKind, with_reasons
from community_routes.measures.reached import Cumulative, Reach
from community_routes.routing.matrices import cutoff_seconds
from community_routes.routing.query import Query, Walks
from community_routes.routing.scan import NEVER
from community_routes.routing.search import Search
from community_routes.scenarios.change import Change
from community_routes.scenarios.changes.add_route import AddRoute
from community_routes.scenarios.changes.extend_route import ExtendRoute
from community_routes.scenarios.changes.pace import ChangeDwell, ChangeSpeed
from community_routes.scenarios.changes.set_headway import SetHeadway
from community_routes.scenarios.changes.withdraw_route import WithdrawRoute
from community_routes.scenarios.cost import OperatingCost
from community_routes.scenarios.file import Scenario
from community_routes.scenarios.values import PlaceAt


@dataclass(frozen=True, eq=False)
class Patch:
    """A proposal, ready to be put together with others.

    Attributes
    ----------
    scenario : Scenario
    case : Case
        Today with it alone.
    today : Case
    difference : Difference or None
        Of the rows of the window; None where it changes more than vehicles and stops, and is searched as a whole.
    walks : Walks or None
        To what is searched, where it has stops of its own.
    """

    scenario: Scenario
    case: Case
    today: Case = field(repr=False)
    difference: Difference | None = field(repr=False)
    walks: Walks | None = field(repr=False)

    @property
    def by_rows(self) -> bool:
        """Whether it is valued by rows."""
        return self.difference is not None

    @cached_property
    def cost(self) -> OperatingCost | None:
        """What it takes a year by itself, as of an answer."""
        return proposal_cost(self.today, self.case)

    def light(self) -> Patch:
        """The same without what it was worked out from, for those who keep thousands; itself where it has stops of its own."""
        if self.difference is None or self.walks is not None:
            return self
        feed = replace(self.today.feed, transfers=self.difference.feed.transfers)
        made = replace(self, case=self.today, difference=replace(self.difference, feed=feed))
        made.__dict__.update(cost=self.cost, touches=self.touches)
        return made

    @cached_property
    def touches(self) -> frozenset[str]:
        """The services that it touches: ids of routes and names of new ones, and blocks of vehicles that it takes away."""
        applied = self.case.applied
        routes = [] if applied is None else [*applied.changed_routes, *applied.new_routes]
        new = [change.name.casefold() for change in _changes(self.scenario) if isinstance(change, AddRoute)]
        return frozenset([*routes, *new])


@dataclass(frozen=True, eq=False)
class _Question:
    """What of a search the figure counts.

    Attributes
    ----------
    query : Query
    rows : int64, shape (n_lanes,)
        Destinations that are searched, in the order of the table.
    amounts : int64 (n_lanes,) or None
        Whole numbers that are added up within ``limit_s``; None where the measure reads all times.
    limit_s : int
    places : PlacesOfKind
        The places among ``rows``, for a measure that reads times.
    """

    query: Query
    rows: NDArray[np.int64]
    amounts: NDArray[np.int64] | None
    limit_s: int
    places: PlacesOfKind


class Trials:
    """A figure of a study, valued for sets of proposals.

    Parameters
    ----------
    live : Live
        What is asked; it is not changed.
    """

    def __init__(self, live: Live) -> None:
        self._live, self._today = live, live.today.case
        figure = live.figure
        measure = chosen_measure(self._today, figure.measure)
        self._rows: Rows | None = None
        if (
            isinstance(measure, Reach)
            and measure.name == figure.measure
            and figure.reading == (f"p{MEDIAN}" if measure.is_time else "mean")
        ):
            self._measure = measure
            self._inputs = window_inputs(self._today, figure, measure)
            self._places = next(places for places in self._inputs.kinds if places.kind == figure.kind)
            self._asked = self._question()
            self._rows = Rows.of(self._today, figure.day, span_searched(self._asked.query))
            walks = self._lanes_of(self._rows.walks)
            self._search = Search(self._rows.network.connections, self._rows.network, self._asked.query, walks)

    @property
    def today(self) -> NDArray[np.float64]:
        """The value without any proposal."""
        return self._live.today.value

    def patch(self, scenario: Scenario, case: Case | None = None) -> Patch:
        """A proposal worked out.

        Parameters
        ----------
        scenario : Scenario
        case : Case, optional
            Today with it, where it has been applied already.

        Raises
        ------
        ScenarioError
            It cannot be applied, or would change nothing.
        """
        case = self._today.with_scenario(scenario) if case is None else case
        difference = None if self._rows is None else self._rows.difference(case)
        own = difference is not None and difference.walks is not self._walks
        walks = self._lanes_of(difference.walks) if difference is not None and own else None
        return Patch(scenario, case, self._today, difference, walks)

    def value(self, patches: Sequence[Patch]) -> NDArray[np.float64]:
        """The figure with some proposals together.

        Parameters
        ----------
        patches : sequence of Patch
            That may stand ``together``; today's value without any.

        Returns
        -------
        float64, shape (n_neighbourhoods,)
            NaN where it cannot be said, as ``Answer.value``.

        Raises
        ------
        UsageError
            They cannot be put together by rows.
        """
        return self._value(patches, relaxed=False)

    def relaxed(self, patches: Sequence[Patch]) -> NDArray[np.float64]:
        """The same with nothing taken away.

        Of a measure that grows with shorter times, no set of some of these patches has more anywhere: whatever vehicles and
        changes it has are among those searched here. Infinite where a patch is not valued by rows.
        """
        if not all(patch.by_rows for patch in patches):
            return np.where(np.isnan(self.today), np.nan, np.inf)
        return self._value(patches, relaxed=True)

    def together(self, patches: Sequence[Patch]) -> bool:
        """Whether patches may be put together by rows: then they come to the same as one proposal with all their changes.

        They touch different routes, vehicles and blocks; at most one has stops of its own; and of several none looks up
        anything that another may change, as a stop by the buses that call there.
        """
        if len(patches) < 2:
            return all(patch.by_rows for patch in patches)
        known = [patch.difference for patch in patches if patch.difference is not None]
        own_stops = [patch for patch in patches if patch.walks is not None]
        if len(known) < len(patches) or len(own_stops) > 1:
            return False
        for patch in patches:
            for change in _changes(patch.scenario):
                # Stops of the name of a terminus count as it, so that another's new stop may be taken for one.
                by_name = isinstance(change, ExtendRoute) and any(other is not patch for other in own_stops)
                if by_name or not _stands_alone(change, self._stop_ids):
                    return False
        used = [patch.touches | self._blocks(patch) for patch in patches]
        gone = np.concatenate([one.gone for one in known])
        return len(np.unique(gone)) == len(gone) and all(one.isdisjoint(other) for one, other in combinations(used, 2))

    @property
    def _walks(self) -> Walks:
        return self._today.lean.reached.walks

    @cached_property
    def _stop_ids(self) -> frozenset[str]:
        stops = self._today.feed.stops
        return frozenset(stops["stop_id"][stops["location_type"] == 0])

    def _blocks(self, patch: Patch) -> frozenset[str]:
        """Blocks of the vehicles that a patch takes away."""
        if self._rows is None or patch.difference is None:
            return frozenset()
        timetable = self._rows.network.timetable
        hops = np.isin(timetable.run(), patch.difference.gone)
        blocks = self._today.feed.trips["block_id"].to_numpy(object)[np.unique(timetable.trip[hops])]
        return frozenset(f"block {block}" for block in blocks if block)

    def _question(self) -> _Question:
        """What is searched for the figure."""
        figure, measure, places = self._live.figure, self._measure, self._places
        query = window_query(self._today.file, figure.window)
        everything = np.arange(len(self._inputs.destinations))
        if not isinstance(measure, Cumulative) or figure.cutoff_min is None:
            return _Question(query, everything, None, 0, places)
        limit_s = min(cutoff_seconds(figure.cutoff_min * MINUTE), query.max_travel_s, int(NEVER) - 1)
        rows = places.columns[places.amounts[places.columns] != 0]
        if limit_s < 1 or not len(rows):
            return _Question(query, everything, None, 0, places)
        amounts = measure.whole_amounts(places)
        some = replace(places, columns=np.arange(len(rows)), amounts=np.ascontiguousarray(places.amounts[rows]))
        return _Question(
            replace(query, max_travel_s=limit_s), rows, None if amounts is None else amounts[rows], limit_s, some
        )

    def _lanes_of(self, walks: Walks) -> Walks:
        """The walks to the destinations that are searched."""
        rows = self._asked.rows
        if len(rows) == walks.n_destinations:
            return walks
        return Walks(walks.access, walks.egress.only(rows), walks.direct.only_to(rows))

    def _value(self, patches: Sequence[Patch], *, relaxed: bool) -> NDArray[np.float64]:
        known = [patch.difference for patch in patches if patch.difference is not None]
        if len(known) < len(patches) or self._rows is None:
            if len(patches) == 1:
                return self._live.try_scenario(patches[0].scenario).value
            raise UsageError("proposals that change more than vehicles and stops are valued one at a time")
        if all(not len(one.gone) and one.added is None for one in known):
            return self.today
        each = self._each(self._searched(patches, relaxed=relaxed))
        column = self._measure.headline(self._inputs, self._places, self._live.figure.cutoff_min, each)
        return with_reasons(column, len(self._today.zones))[0]

    def _searched(self, patches: Sequence[Patch], *, relaxed: bool) -> Search:
        """The search of today's rows with differences."""
        assert self._rows is not None
        known = [patch.difference for patch in patches if patch.difference is not None]
        rows = self._rows.with_(known, relaxed=relaxed)
        walks = next((patch.walks for patch in patches if patch.walks is not None), self._search.walks)
        # What origins read hangs on the events, which stay where nothing is put in.
        spans = self._search.spans if all(one.added is None for one in known) else None
        return self._search.on(rows, walks, spans)

    def _each(self, search: Search) -> NDArray[Any]:
        """The figure of each origin at each departure."""
        asked = self._asked
        if asked.amounts is not None:
            return search.sums(asked.amounts, asked.limit_s).astype(np.float64)
        times = replace(self._inputs, time_s=search.cube(1))
        return self._measure.at_departures(times, asked.places, self._live.figure.cutoff_min)


def _changes(scenario: Scenario) -> Iterator[Change]:
    """All changes that a scenario makes."""
    for part in scenario.chain():
        yield from (change for change in part.changes if not change.off)


def _stands_alone(change: Change, stop_ids: Collection[str]) -> bool:
    """Whether what a change does hangs on its own route alone, and on stops that it names by their ids or places."""
    if not isinstance(change, _OF_ONE_ROUTE) or getattr(change, "phase", None) or getattr(change, "line", None):
        return False
    return all(place.at is not None or place.text.strip() in stop_ids for place in _places(change))


_OF_ONE_ROUTE = (AddRoute, ChangeDwell, ChangeSpeed, ExtendRoute, SetHeadway, WithdrawRoute)


def _places(change: Change) -> Iterator[PlaceAt]:
    """Places that a change names."""
    for value in change.named().values():
        for place in value if isinstance(value, tuple) else (value,):
            if isinstance(place, PlaceAt):
                yield place
