"""The measures of a study, worked out from the travel times of one evaluation: chosen, or those that everybody wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice, raise_on_errors
from community_routes.base.times import HOUR, MINUTE, parse_window
from community_routes.base.timings import Stopwatch
from community_routes.fares.by_ticket import times_within_budgets
from community_routes.fares.feed import feed_prices, monthly_feed_costs, times_within_feed_budgets
from community_routes.fares.machine import TooManyStatesError
from community_routes.fares.month import Commute, monthly_costs
from community_routes.fares.tickets import TicketFares
from community_routes.measures.access import access_rows
from community_routes.measures.list import (
    FURTHER,
    Affordability,
    Commuting,
    FurtherMeasure,
    OtherWards,
    WindowInputs,
    build_further,
    visitors_in_window,
    ward_table,
)
from community_routes.measures.measure import AccessMeasure, build_access_measure, default_measures
from community_routes.measures.meeting import exposure_table, mixing_table
from community_routes.measures.service import StopDepartures
from community_routes.measures.shifts import USUAL_SHIFTS, Shift, search_shift, shift_tables
from community_routes.network.network import Network
from community_routes.routing.engine import Engine
from community_routes.routing.query import Query, Walks
from community_routes.routing.travel_times import travel_times_by_departure
from community_routes.sources.places.opportunities import Opportunities
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.fares import POUNDS, Fares
from community_routes.sources.study.file import MeasureChoice, StudyFile
from community_routes.sources.study.yaml import BAD_VALUE

DEFAULT = "default"
SHIFTS = "shifts"
EMPLOYMENT = "employment"
NOON_S = 12 * HOUR


@dataclass(frozen=True)
class Choice:
    """What is measured.

    Attributes
    ----------
    reach : tuple of AccessMeasure
        From travel times, by kind of place.
    further : tuple of FurtherMeasure
        From everything else that is known of a window.
    shifts : tuple of Shift
    shift_key : str
        Key of the destinations where people work.
    """

    reach: tuple[AccessMeasure, ...]
    further: tuple[FurtherMeasure, ...]
    shifts: tuple[Shift, ...] = ()
    shift_key: str = EMPLOYMENT


def study_choice(file: StudyFile, zones: Zones) -> Choice:
    """The measures that a study chooses.

    Without a choice, or for the name ``default``: cumulative opportunities, the nearest place, service near home, with
    two wards or more the share of the other wards, with budgets what they reach, and with fares and employment what a
    month of commuting costs. ``shifts`` adds the working day:
    ``{shifts: {times: ["06:00-14:00"], key: employment}}``, the usual three shifts where none are named.

    Raises
    ------
    StudyError
        A name or a setting is unknown.
    """
    reach: list[AccessMeasure] = []
    further: list[FurtherMeasure] = []
    shifts: tuple[Shift, ...] = ()
    key = EMPLOYMENT
    faults: list[Notice] = []
    for choice in file.measures or (MeasureChoice(name=DEFAULT),):
        try:
            if choice.name == DEFAULT:
                reach += default_measures(file.travel.cutoffs_min)
                further += _default_further(file, zones)
            elif choice.name == SHIFTS:
                shifts, key = _shifts(choice.settings, file)
            elif choice.name in FURTHER:
                further.append(_further(choice.name, choice.settings, file, zones))
            else:
                reach.append(build_access_measure(choice.name, choice.settings, file.travel.cutoffs_min))
        except ValueError as fault:
            message = f"{fault}; or one of {', '.join((DEFAULT, SHIFTS, *FURTHER))}"
            faults.append(BAD_VALUE.at(**choice.at("name"), value=choice.name, message=message))
    raise_on_errors(faults, StudyError)
    return Choice(tuple(reach), tuple(further), shifts, key)


def _default_further(file: StudyFile, zones: Zones) -> list[FurtherMeasure]:
    names = ["service"]
    if len({group for group in zones.table["group"] if group}) > 1:
        names.append("share_of_other_wards")
    if file.fares is not None and file.fares.budgets:
        names.append("affordability")
    if file.fares is not None and EMPLOYMENT in file.destinations:
        names.append("commuting_cost")
    return [_further(name, {}, file, zones) for name in names]


def _further(name: str, settings: Mapping[str, Any], file: StudyFile, zones: Zones) -> FurtherMeasure:
    """A further measure that knows what the study says of it."""
    measure = build_further(name, settings)
    if isinstance(measure, Affordability) and (file.fares is None or not file.fares.budgets):
        raise ValueError("affordability needs `fares` with `budgets` in the study file")
    if isinstance(measure, OtherWards) and len({group for group in zones.table["group"] if group}) < 2:
        raise ValueError("share_of_other_wards needs neighbourhoods with a `group`, of which there are two or more")
    if not isinstance(measure, Commuting):
        return measure
    if file.fares is None:
        raise ValueError("commuting_cost needs `fares` in the study file")
    if measure.commute.concession and file.fares.concession is None:
        raise ValueError("commuting_cost with `concession: true` needs `concession` in the fares of the study file")
    if measure.key not in file.destinations:
        raise ValueError(f"{measure.key!r} is no key of destinations ({', '.join(file.destinations)})")
    return replace(measure, income_per_month=file.fares.income_per_month)


def _shifts(settings: Mapping[str, Any], file: StudyFile) -> tuple[tuple[Shift, ...], str]:
    if extra := set(settings) - {"times", "key"}:
        raise ValueError(f"shifts has no setting {sorted(extra)}; it takes times and key")
    key = str(settings.get("key", EMPLOYMENT))
    if key not in file.destinations:
        raise ValueError(f"{key!r} is no key of destinations ({', '.join(file.destinations)})")
    times = settings.get("times", USUAL_SHIFTS)
    return tuple(Shift(*parse_window(str(text))) for text in ([times] if isinstance(times, str) else times)), key


@dataclass(frozen=True, eq=False)
class Subject:
    """What is measured of one scenario: its places, walks and prices.

    Attributes
    ----------
    scenario : str
    file : StudyFile
    zones : Zones
    opportunities : Opportunities
    fares : Fares or None
    choice : Choice
    walks : Walks
        From origins to destinations.
    zone_walks : Walks
        From origins to the points of the zones.
    home_walks : Walks
        From destinations to the origins.
    destination_reason : dict of day to object (str), shape (n_destinations,)
    origin_reason : dict of day to object (str), shape (n_origins,)
    threads : int
    engine : Engine or None
        Searches the windows in the place of threads.
    stopwatch : Stopwatch
    currency : str
        Of all prices and budgets.
    """

    scenario: str
    file: StudyFile
    zones: Zones
    opportunities: Opportunities
    fares: Fares | None
    choice: Choice
    walks: Walks
    zone_walks: Walks
    home_walks: Walks
    threads: int
    stopwatch: Stopwatch
    engine: Engine | None = None
    currency: str = POUNDS
    origin_reason: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    destination_reason: dict[str, NDArray[np.object_]] = field(default_factory=dict)

    def inputs(
        self,
        network: Network,
        query: Query,
        day: str,
        window: str,
        time_s: NDArray[np.int32],
        departures: StopDepartures,
    ) -> WindowInputs:
        """What further measures need to know of a window."""
        zone_times, of_budget = None, dict[float, NDArray[np.int32]]()
        with self.stopwatch.stage("routing"):
            if any(isinstance(measure, OtherWards) for measure in self.choice.further):
                zone_times = travel_times_by_departure(
                    network, query, self.zone_walks, threads=self.threads, engine=self.engine
                )
            if self.fares is not None and any(isinstance(m, Affordability) for m in self.choice.further):
                times = self._within_budgets(network, query, self.fares)
                of_budget = dict(zip(self.fares.budgets, times, strict=True))
            commutes = self._commutes(network, query)
        known = self.places(day, window, query, departures)
        return replace(
            known, time_s=time_s, zone_time_s=zone_times, times_of_budget=of_budget, cost_of_commute=commutes
        )

    def places(self, day: str, window: str, query: Query, departures: StopDepartures) -> WindowInputs:
        """What is known of a window before anything is searched: there are no travel times in it."""
        return WindowInputs(
            scenario=self.scenario,
            day=day,
            window=window,
            window_s=query.window_s,
            zones=self.zones.table,
            origins=self.zones.origins,
            destinations=self.opportunities.table,
            time_s=np.empty((len(self.zones.origins), 0, len(self.opportunities.table)), np.int32),
            origin_reason=self.origin_reason[day].tolist(),
            access_walks=self.walks.access,
            departures=departures.within(query.window_s),
            cutoffs_min=self.file.travel.cutoffs_min,
            units=amount_units(self.file),
            currency=self.currency,
        )

    def _within_budgets(self, network: Network, query: Query, fares: Fares) -> NDArray[np.int32]:
        """Times within the study's budgets, by the study's prices or the timetable's own."""
        own = feed_prices(network.feed, fares, [])
        if own is None:
            return times_within_budgets(
                network, query, self.walks, TicketFares(fares), fares.budgets, threads=self.threads
            )
        with _fares_that_can_be_searched():
            return times_within_feed_budgets(network, query, self.walks, own, fares.budgets, threads=self.threads)

    def _commutes(self, network: Network, query: Query) -> dict[Commute, NDArray[np.float64]]:
        """What a month costs to each place of work; of a study's windows those before noon are ways to work, else all."""
        wanted = {measure.commute for measure in self.choice.further if isinstance(measure, Commuting)}
        starts_s = [window.time[0] for window in self.file.travel.windows.values()]
        if self.fares is None or query.window_s[0] >= NOON_S > min(starts_s):
            return {}
        found, own = {}, feed_prices(network.feed, self.fares, [])
        for commute in sorted(wanted, key=repr):
            rows = self.opportunities.rows_of(commute.key)
            walks = Walks(self.walks.access, self.walks.egress.only(rows), self.walks.direct.only_to(rows))
            cutoffs_s = [int(cutoff * MINUTE) for cutoff in self.file.travel.cutoffs_min]
            limits: dict[str, Any] = {"cutoffs_s": cutoffs_s, "days": commute.days, "threads": self.threads}
            with _fares_that_can_be_searched():
                found[commute] = (
                    monthly_costs(
                        network,
                        query,
                        walks,
                        TicketFares(self.fares, concession=commute.concession),
                        days_a_week=commute.days_a_week,
                        **limits,
                    )
                    if own is None
                    else monthly_feed_costs(network, query, walks, own, **limits)
                )
        return found

    def access_tables(self, inputs: WindowInputs) -> list[pd.DataFrame]:
        """Rows of access.csv of a window."""
        day, window = inputs.day, inputs.window
        reach = access_rows(
            self.zones.table,
            self.zones.origins,
            self.opportunities.table,
            inputs.time_s,
            scenario=self.scenario,
            day=day,
            window=window,
            cutoffs_min=self.file.travel.cutoffs_min,
            percentiles=self.file.travel.percentiles,
            origin_reason=self.origin_reason[day].tolist(),
            destination_reason=self.destination_reason[day].tolist(),
            units=amount_units(self.file),
            keys=list(self.file.destinations),
            measures=self.choice.reach,
        )
        return [reach, *(measure.access_rows(inputs) for measure in self.choice.further)]

    def shift_tables(
        self, network: Network, query: Query, inputs: WindowInputs, shift: Shift
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows of access.csv of a shift, which stands as the window; and what they say of each workplace."""
        rows = self.opportunities.rows_of(self.choice.shift_key)
        there = Walks(self.walks.access, self.walks.egress.only(rows), self.walks.direct.only_to(rows))
        home = self.home_walks
        back = Walks(home.access.only(rows), home.egress, home.direct.only(rows))
        with self.stopwatch.stage("routing"):
            feasible = search_shift(network, query, there, back, shift, threads=self.threads)
        return shift_tables(inputs, feasible, rows, shift)


@contextmanager
def _fares_that_can_be_searched() -> Iterator[None]:
    """Says what to do about fares with too many states."""
    try:
        yield
    except TooManyStatesError as fault:
        raise StudyError(
            f"{fault}, which is more than a search can hold; state simpler `fares`, or leave out `budgets` and commuting_cost"
        ) from None


def mixing_tables(inputs: WindowInputs, zones: Zones, opportunities: Opportunities) -> list[tuple[str, pd.DataFrame]]:
    """Tables beside those of access in one window: ``ward_matrix`` where wards are, ``mixing`` and ``exposure`` where groups are.

    Mixing is potential to meet: who could come to each place, and exposure through them.
    """
    wards = ward_table(inputs)
    between: list[tuple[str, pd.DataFrame]] = [] if wards is None else [("ward_matrix", wards)]
    if zones.groups is None or inputs.destinations.empty:
        return between
    cutoff = sorted(inputs.cutoffs_min)[len(inputs.cutoffs_min) // 2]
    persons, where = zones.groups, {"scenario": inputs.scenario, "day": inputs.day, "window": inputs.window}
    total = persons.sum().to_numpy(np.float64)
    found = between
    for key in opportunities.keys:
        rows = opportunities.rows_of(key)
        visitors = visitors_in_window(inputs, persons, rows, cutoff_min=cutoff)
        places = opportunities.table.iloc[rows][["key", "id", "name", "kind"]].reset_index(drop=True)
        tables = {
            "mixing": mixing_table(visitors, places, (total / total.sum()).tolist()),
            "exposure": exposure_table(visitors, persons).assign(key=key),
        }
        for name, table in tables.items():
            for place, (column, value) in enumerate({**where, "cutoff_min": cutoff}.items()):
                table.insert(place, column, value)
            found.append((name, table))
    return found


def amount_units(file: StudyFile) -> dict[str, str]:
    """Unit of each key's amounts: the name of the column they come from."""
    return {key: spec.amount for key, spec in file.destinations.items() if isinstance(spec.amount, str)}


def hours_needed(file: StudyFile, choice: Choice) -> tuple[int, int]:
    """Seconds of the service date between which departures are needed by windows and shifts, the longest journey included."""
    longest = file.travel.max_travel_min * MINUTE
    begins = [shift.deadline_windows()[0][0] - longest for shift in choice.shifts]
    ends = [shift.departure_window()[1] for shift in choice.shifts]
    return min(begins, default=0), max(ends + [window.end_s for window in file.travel.windows.values()]) + longest
