"""How sure a difference is: the headline figures of zones and groups recomputed in many joint draws of what is random."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.base.kernels import kernel
from community_routes.evaluation.case import Case, window_query
from community_routes.evaluation.differences import Outcomes, interval, paired_outcomes, paired_table, spread
from community_routes.evaluation.evaluate import Evaluation
from community_routes.evaluation.search import Slot
from community_routes.measures.groups import WITH_GAP, groupings
from community_routes.measures.measure import About, WindowFigures, kinds_of_places
from community_routes.measures.reach import zone_average
from community_routes.measures.reached import Cumulative
from community_routes.network.network import assemble_network
from community_routes.network.timetable.trips import Wheelchair
from community_routes.network.walks.points import Links
from community_routes.routing.query import Query, Walks
from community_routes.routing.runner import Progress
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.scenarios.draws import Delays, Randomness, scenario_draws, shifted_feed
from community_routes.sources.gtfs.feed import Feed

Figures = Callable[[NDArray[np.int32]], NDArray[np.float64]]
"""Figures, shape (k,), of travel times, shape (n_origins, n_departures, n_destinations)."""


@dataclass(frozen=True, eq=False)
class Searched:
    """Today or a proposal, with everything that a draw does not change.

    Attributes
    ----------
    feed : Feed
    footpaths : Links
        Between the stops of the feed.
    walks : Walks
    figures : callable
        The same k figures of both sides: access of each zone and measure, of groups, whatever is compared.
    """

    feed: Feed
    footpaths: Links
    walks: Walks
    figures: Figures


def span_of_query(query: Query) -> tuple[int, int]:
    """Seconds of the service date within which a vehicle can matter to a window."""
    start, end = query.window_s
    if query.arrive_by:
        return start - query.max_travel_s, end
    return start, end + query.max_travel_s


def is_touched(feed: Feed, randomness: Randomness, span_s: tuple[int, int]) -> bool:
    """Whether anything that is random runs within a span; a window for which nothing does is exact."""
    if randomness.delays is not None:
        return True
    table = feed.frequencies
    if randomness.phases and len(table):
        loose = table[~table["exact_times"].to_numpy(bool)]
        length = _duration_s(feed)[loose["trip"].to_numpy(np.int64)]
        if ((loose["start_s"] <= span_s[1]) & (loose["end_s"] + length >= span_s[0])).any():
            return True
    row = {trip: k for k, trip in enumerate(feed.trips["trip_id"])}
    for group in randomness.timed:
        trips = [row[trip] for trip in group.trip_ids if trip in row]
        if not trips:
            continue
        starts = feed.calls.departure_s[feed.calls.first[trips]]
        if ((starts <= span_s[1]) & (starts + _duration_s(feed)[trips] + group.headway_s >= span_s[0])).any():
            return True
    return False


def _duration_s(feed: Feed) -> NDArray[np.int64]:
    """Seconds that each trip takes, shape (n_trips,); 0 for one without calls."""
    first = feed.calls.first
    found = np.zeros(len(first) - 1, np.int64)
    some = np.diff(first) > 0
    found[some] = feed.calls.arrival_s[first[1:][some] - 1] - feed.calls.departure_s[first[:-1][some]]
    return found


def window_draws(
    today: Searched,
    proposal: Searched,
    date: dt.date,
    query: Query,
    randomness: Randomness,
    *,
    slack_s: int = 60,
    wheelchair: Wheelchair = False,
    n: int = 200,
    seed: int = 0,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float64]:
    """The change of the figures of one window in each draw, today and proposal drawn alike; shape (n, k).

    Give it to :func:`~community_routes.evaluation.differences.interval` for ``low`` and ``high``. Where nothing random
    runs in the window all rows are equal, and only one search of each side is made.

    Parameters
    ----------
    today, proposal : Searched
    date : date
    query : Query
    randomness : Randomness
        Of the proposal (``Randomness(tuple(applied.timed), ...)``); today has the same phases and delays.
    slack_s, wheelchair
        As in the study.
    n : int
        At least 200 for an interval.
    seed, threads : int
    progress : callable of (done, n), optional
    """
    span_s = span_of_query(query)

    def figures(side: Searched, feed: Feed) -> NDArray[np.float64]:
        network = assemble_network(feed, date, side.footpaths, slack_s=slack_s, wheelchair=wheelchair, span_s=span_s)
        times = travel_times_by_departure(network, query, side.walks, threads=threads)
        return np.asarray(side.figures(times), np.float64)

    of_today = Randomness((), randomness.phases, randomness.delays)
    # The timetable of the day before and of the day after run as well: their seconds are a day off.
    spans = [(span_s[0] + shift, span_s[1] + shift) for shift in (-86_400, 0, 86_400)]
    fixed = [
        None if any(is_touched(side.feed, chance, span) for span in spans) else figures(side, side.feed)
        for side, chance in ((today, of_today), (proposal, randomness))
    ]
    found = []
    draws = zip(
        scenario_draws(today.feed, of_today, n, seed), scenario_draws(proposal.feed, randomness, n, seed), strict=True
    )
    for number, (before, after) in enumerate(draws):
        old = fixed[0] if fixed[0] is not None else figures(today, shifted_feed(today.feed, before))
        new = fixed[1] if fixed[1] is not None else figures(proposal, shifted_feed(proposal.feed, after))
        found.append(new - old)
        if progress is not None:
            progress(number + 1, n)
    return np.array(found).reshape(n, -1)


FEWEST_DRAWS = 200
MEASURE = "cumulative_opportunities"


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of the headline changes of one proposal: opportunities reached, on average over departures.

    Attributes
    ----------
    comparison : DataFrame
        Keys of rows of comparison.csv with ``low`` and ``high``.
    groups : DataFrame
        Keys of rows of groups.csv with ``low`` and ``high``; the group's figure is recomputed in each draw.
    draws : float64, shape (n_draws, n_groups_rows)
        Change of each row of ``groups`` in each draw.
    words : tuple of str
        What is random.
    """

    comparison: pd.DataFrame
    groups: pd.DataFrame
    draws: NDArray[np.float64]
    words: tuple[str, ...]


def randomness_of(case: Case, delays: Delays | None = None) -> Randomness:
    """What is random in a timetable: assumed clock times of a proposal, phases of headway services, stated delays."""
    timed = tuple(case.applied.timed) if case.applied is not None else ()
    return Randomness(timed=timed, phases=case.file.travel.phase == "sampled", delays=delays)


def is_random(case: Case, delays: Delays | None = None) -> bool:
    """Whether anything is."""
    return not randomness_of(case, delays).nothing(case.feed)


def intervals(
    today: Evaluation,
    proposal: Evaluation,
    *,
    draws: int = FEWEST_DRAWS,
    seed: int = 0,
    delays: Delays | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Intervals:
    """Intervals of a proposal's changes: the 2.5th and 97.5th percentile over joint draws with common random numbers.

    Parameters
    ----------
    today, proposal : Evaluation
    draws : int
        At least 200.
    seed : int
        The same for all proposals that are compared with one another.
    delays : Delays, optional
        A stated distribution of delays, for today and the proposal alike.
    threads : int
    progress : callable of str, optional

    Raises
    ------
    UsageError
        Fewer than 200 draws.
    """
    if draws < FEWEST_DRAWS:
        raise UsageError(f"an interval needs at least {FEWEST_DRAWS} draws, not {draws}")
    tell = progress or (lambda _: None)
    randomness = randomness_of(proposal.case, delays)
    zone_parts, group_parts, drawn_groups = [], [], []
    for day, network in proposal.networks.items():
        sides = [Headline.of(side.case, proposal.case, day) for side in (today, proposal)]
        for window in proposal.study.file.windows_on(day):
            changes = window_draws(
                Searched(today.feed, today.networks[day].footpaths, today.walks, sides[0].figures),
                Searched(proposal.feed, network.footpaths, proposal.walks, sides[1].figures),
                network.timetable.date,
                window_query(proposal.study.file, window),
                randomness,
                slack_s=network.slack_s,
                wheelchair=proposal.study.file.travel.bound,
                n=draws,
                seed=seed,
                threads=threads,
                progress=_counting(tell, f"{proposal.scenario}, {day}, {window}"),
            )
            low, high = interval(changes)
            n_zone_rows = sides[1].n_zone_rows
            rows = sides[1].zone_rows.assign(window=window, low=low[:n_zone_rows], high=high[:n_zone_rows])
            zone_parts.append(rows)
            group_parts.append(
                sides[1].group_rows.assign(window=window, low=low[n_zone_rows:], high=high[n_zone_rows:])
            )
            drawn_groups.append(changes[:, n_zone_rows:])
    return Intervals(
        comparison=pd.concat(zone_parts, ignore_index=True),
        groups=pd.concat(group_parts, ignore_index=True),
        draws=np.concatenate(drawn_groups, axis=1),
        words=tuple(randomness.words(proposal.feed)),
    )


def _counting(tell: Progress, what: str) -> Callable[[int, int], None]:
    def count(done: int, n: int) -> None:
        if done % 10 == 0:
            tell(f"draw {done} of {n} ({what})")

    return count


@dataclass(frozen=True, eq=False)
class Headline:
    """Opportunities reached on average over departures, of every zone and group, quickly and always in one order.

    Figures are first those of zones: for each kind and cutoff all zones; then those of groups: for each group all kinds and
    cutoffs.

    Attributes
    ----------
    case : Case
    scenario, day : str
    kinds : list of (key, cutoff in minutes)
    groups : list of (grouping, group)
    weight : float64, shape (n_groups, n_zones)
        By which a group's figure follows from those of zones; a gap has weights of both signs.
    """

    case: Case
    scenario: str
    day: str
    kinds: list[tuple[str, float]]
    groups: list[tuple[str, str]]
    weight: NDArray[np.float64]

    @staticmethod
    def of(side: Case, proposal: Case, day: str, kinds: list[tuple[str, float]] | None = None) -> Headline:
        """The figures of one side, in the order of the proposal's; of some keys and cutoffs, or of all."""
        if len(side.zones) != len(proposal.zones):
            raise UsageError(
                f"{proposal.name} adds neighbourhoods, so intervals beside today cannot be drawn; leave the draws out"
            )
        zones = side.zones.table
        known = np.zeros(len(zones), np.bool_)
        known[side.zones.origins["zone"].to_numpy()[side.on_network]] = True
        if kinds is None:
            kinds = [(key, float(c)) for key in side.file.destinations for c in side.file.travel.cutoffs_min]
        persons = zones["population"].to_numpy(np.float64)
        groups, weights = list[tuple[str, str]](), []
        for grouping in groupings(zones):
            shares = [np.where(known, share * persons, 0.0) for share in grouping.share.T]
            levels = [share / share.sum() if share.sum() > 0 else np.full(len(share), np.nan) for share in shares]
            named = list(zip(grouping.groups, levels, strict=True))
            if grouping.name in WITH_GAP:
                named.append(("gap", levels[-1] - levels[0]))
            groups += [(grouping.name, group) for group, _ in named]
            weights += [weight for _, weight in named]
        return Headline(side, proposal.name, day, kinds, groups, np.array(weights))

    @property
    def n_zone_rows(self) -> int:
        """How many figures are of zones."""
        return len(self.kinds) * len(self.case.zones)

    @cached_property
    def zone_rows(self) -> pd.DataFrame:
        """Keys of the figures of zones."""
        zones = self.case.zones.table["id"]
        rows = [{"neighbourhood": zone, "kind": kind, "cutoff_min": c} for kind, c in self.kinds for zone in zones]
        return pd.DataFrame(rows).assign(**self._common)

    @cached_property
    def group_rows(self) -> pd.DataFrame:
        """Keys of the figures of groups."""
        rows = [
            {"grouping": grouping, "group": group, "kind": kind, "cutoff_min": cutoff}
            for grouping, group in self.groups
            for kind, cutoff in self.kinds
        ]
        return pd.DataFrame(rows).assign(**self._common)

    @property
    def _common(self) -> dict[str, str]:
        return {"scenario": self.scenario, "day": self.day, "measure": MEASURE, "reading": "mean"}

    def figures(self, time_s: NDArray[np.int32]) -> NDArray[np.float64]:
        """Figures of zones, then of groups, of travel times (n_origins, n_departures, n_destinations)."""
        zones = self._of_zones([each.mean(axis=1) for each in self._each(time_s)])
        return np.concatenate([zones.ravel(), self._of_groups(zones)])

    def by_departure(self, time_s: NDArray[np.int16] | NDArray[np.int32]) -> NDArray[np.float64]:
        """The same figures of each departure alone, shape (n_figures, n_departures)."""
        return self.of_origins(self._each(time_s))

    def of_origins(self, values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """The same from the figures of origins at each departure, an array (n_origins, n_departures) for each kind and cutoff."""
        zones = self._of_zones(values)
        return np.concatenate([zones.reshape(-1, zones.shape[-1]), self._of_groups(zones)])

    def _each(self, time_s: NDArray[np.int16] | NDArray[np.int32]) -> list[NDArray[np.float64]]:
        """Opportunities of each kind and cutoff by origin and departure; missing from points off the network."""
        case = self.case
        off = ~case.on_network
        by_key = {places.kind: places for places in kinds_of_places(case.opportunities.table.assign(kind=""))}
        found: list[NDArray[np.float64]] = []
        for key in dict.fromkeys(key for key, _ in self.kinds):
            cutoffs = tuple(cutoff for kind, cutoff in self.kinds if kind == key)
            if key not in by_key:
                found += [np.where(off[:, None], np.nan, np.zeros(time_s.shape[:2]))] * len(cutoffs)
                continue
            each = Cumulative(cutoffs).by_departure(time_s, by_key[key])
            found += [np.where(off[:, None], np.nan, each[:, :, k]) for k in range(len(cutoffs))]
        return found

    def _of_zones(self, values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Averages over each zone's points, shape (n_kinds_and_cutoffs, n_zones) or with departures at the end."""
        origins = self.case.zones.origins
        return np.array(
            [zone_average(value, origins["zone"], origins["weight"], len(self.case.zones)) for value in values]
        )

    def _of_groups(self, zones: NDArray[np.float64]) -> NDArray[np.float64]:
        """Figures of groups from those of zones."""
        known = np.nan_to_num(zones)
        figure_of = np.tile(np.arange(len(self.kinds)), len(self.groups))
        weight = np.repeat(self.weight, len(self.kinds), axis=0)
        if zones.ndim == 3:
            groups = np.asarray(weighted_sums(known, figure_of, weight))
        else:
            groups = np.nansum(known[figure_of] * weight, axis=1)
        groups[np.isnan(weight).any(axis=1)] = np.nan
        return groups


@kernel
def weighted_sums(
    zones: NDArray[np.float64], figure_of: NDArray[np.int64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of each group its figure at each departure: (n_figures, n_zones, n_departures) -> (n_groups, n_departures)."""
    groups = np.zeros((len(weight), zones.shape[2]), np.float64)
    for row in range(len(weight)):
        values = zones[figure_of[row]]
        for zone in range(zones.shape[1]):
            if weight[row, zone] != 0.0:
                for d in range(zones.shape[2]):
                    groups[row, d] += values[zone, d] * weight[row, zone]
    return groups


class Spread(NamedTuple):
    """The 5th and 95th percentile over a window of the changes of headline figures: variation, and no interval.

    Attributes
    ----------
    kinds : list of (key, cutoff in minutes)
    zones : float64, shape (2, n_kinds, n_zones)
    groups : float64, shape (2, n_groups, n_kinds)
    """

    kinds: list[tuple[str, float]]
    zones: NDArray[np.float64]
    groups: NDArray[np.float64]

    def along(self, about: Sequence[About]) -> list[int]:
        """Where each kind and cutoff stands among figures; -1 where it is not there."""
        place = {
            (a.kind, a.cutoff_min): row for row, a in enumerate(about) if (a.measure, a.reading) == (MEASURE, "mean")
        }
        return [place.get(kind, -1) for kind in self.kinds]


SPREADS = ("spread_low", "spread_high")


@dataclass(frozen=True, eq=False)
class BySide:
    """What is counted of today's travel times and a proposal's together, departure by departure.

    Attributes
    ----------
    headlines : dict of day to Headline
        Of the proposal; none where it adds neighbourhoods.
    spreads : dict of (day, window) to Spread
        The 5th and 95th percentile over the window of the headline changes, where there are headlines.
    paired : DataFrame
        ``differences.paired_table``.
    """

    headlines: Mapping[str, Headline]
    spreads: Mapping[Slot, Spread]
    paired: pd.DataFrame

    def of_zones(self, figures: Sequence[WindowFigures]) -> dict[str, list[NDArray[np.float64]]]:
        """The ends of the spreads as further columns of figures: for each window an array (n_about, n_zones)."""
        found: dict[str, list[NDArray[np.float64]]] = {}
        for end, name in enumerate(SPREADS):
            found[name] = [np.full(part.value.shape, np.nan) for part in figures]
            for values, part in zip(found[name], figures, strict=True):
                known = self.spreads.get((part.day, part.window))
                for kind, row in enumerate(known.along(part.about)) if known is not None else ():
                    if known is not None and row >= 0:
                        values[row] = known.zones[end, kind]
        return found

    def of_groups(self, figures: Sequence[WindowFigures]) -> dict[str, NDArray[np.float64]]:
        """The same of groups: an array (n_groups, n_about of all windows)."""
        found: dict[str, NDArray[np.float64]] = {}
        n_groups = next((spread.groups.shape[1] for spread in self.spreads.values()), 1)
        for end, name in enumerate(SPREADS):
            parts = [np.full((n_groups, len(part.about)), np.nan) for part in figures]
            for values, part in zip(parts, figures, strict=True):
                known = self.spreads.get((part.day, part.window))
                for kind, row in enumerate(known.along(part.about)) if known is not None else ():
                    if known is not None and row >= 0:
                        values[:, row] = known.groups[end, :, kind]
            found[name] = np.concatenate(parts, axis=1)
        return found

    @property
    def zones(self) -> pd.DataFrame | None:
        """Keys of rows of comparison.csv with the ends of their spreads; None where there are no spreads."""
        return self._rows(lambda side: side.zone_rows, lambda spread: spread.zones)

    @property
    def groups(self) -> pd.DataFrame | None:
        """The same of groups.csv."""
        return self._rows(lambda side: side.group_rows, lambda spread: spread.groups)

    def _rows(
        self, keys: Callable[[Headline], pd.DataFrame], ends: Callable[[Spread], NDArray[np.float64]]
    ) -> pd.DataFrame | None:
        tables = [
            keys(self.headlines[day]).assign(
                window=window, **dict(zip(SPREADS, ends(spread).reshape(2, -1), strict=True))
            )
            for (day, window), spread in self.spreads.items()
        ]
        return pd.concat(tables, ignore_index=True) if tables else None


def by_side(today: Evaluation, proposals: Sequence[Evaluation]) -> dict[str, BySide]:
    """Spreads and paired outcomes of every proposal: the times of each window are asked for once for each case."""
    spreads: dict[str, dict[Slot, Spread]] = {proposal.scenario: {} for proposal in proposals}
    paired: dict[str, dict[Slot, Outcomes]] = {proposal.scenario: {} for proposal in proposals}
    sides: dict[str, dict[str, Headline]] = {proposal.scenario: {} for proposal in proposals}
    for day in today.networks if proposals else ():
        of_today = Headline.of(today.case, today.case, day)
        for proposal in proposals:
            if len(proposal.zones) == len(today.zones):
                sides[proposal.scenario][day] = Headline.of(proposal.case, proposal.case, day)
        for window in today.study.file.windows_on(day):
            slot = day, window
            time_s = today.cube(slot)
            before = of_today.by_departure(time_s) if any(sides.values()) else None
            for proposal in proposals:
                name = proposal.scenario
                # What was taken over from today is the very same: nothing differs at any departure.
                same = proposal.searched[slot] is today.searched[slot]
                times = time_s if same else proposal.cube(slot)
                paired[name][slot] = paired_outcomes(today, proposal, time_s, times)
                if not sides[name] or before is None:
                    continue
                side = sides[name][day]
                ends = np.array(spread(before, before if same else side.by_departure(times)))
                zones, groups = ends[:, : side.n_zone_rows], ends[:, side.n_zone_rows :]
                n = len(side.kinds)
                spreads[name][slot] = Spread(side.kinds, zones.reshape(2, n, -1), groups.reshape(2, -1, n))
    return {
        p.scenario: BySide(sides[p.scenario], spreads[p.scenario], paired_table(p, paired[p.scenario]))
        for p in proposals
    }


def with_spreads(table: pd.DataFrame, found: pd.DataFrame | None) -> pd.DataFrame:
    """A table of changes with ``spread_low`` and ``spread_high``, missing where no such rows were worked out."""
    return _filled(table, found, SPREADS)


def with_intervals(table: pd.DataFrame, drawn: pd.DataFrame | None) -> pd.DataFrame:
    """A table of changes of a random proposal: ``low`` and ``high`` from the draws where there are any, else missing."""
    return _filled(table, drawn, ("low", "high"))


def _filled(table: pd.DataFrame, found: pd.DataFrame | None, columns: tuple[str, str]) -> pd.DataFrame:
    """The table with two columns anew: from the rows found for the same keys, else missing."""
    table = table.assign(**dict.fromkeys(columns, np.nan))
    if found is None or found.empty:
        return table
    keys = [column for column in found.columns if column not in columns]
    # Only rows of the measure and reading that were found can be among them.
    own = np.ones(len(table), np.bool_)
    for key in ("measure", "reading"):
        own &= table[key].isin(found[key].unique()).to_numpy(dtype=np.bool_)
    rows = np.flatnonzero(own)
    place, wanted = (
        pd.MultiIndex.from_frame(
            t[keys].assign(cutoff_min=pd.to_numeric(t["cutoff_min"], errors="coerce").fillna(-1.0))
        )
        for t in (found, table.iloc[rows])
    )
    at = place.get_indexer(wanted)
    for column in columns:
        values = np.full(len(table), np.nan)
        values[rows[at >= 0]] = found[column].to_numpy(np.float64)[at[at >= 0]]
        table[column] = values
    return table
