"""What a report is made of: plain tables, filled by the program, read by everything in this folder."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.columns import ACCESS_COLUMNS, COMPARISON_COLUMNS, GROUPS_COLUMNS, NOTICES_COLUMNS, TableKind
from community_routes.base.errors import UsageError
from community_routes.sources.study.fares import POUNDS

TODAY = "today"
BASE_COMPARISON, BASE_GROUPS = "base_comparison", "base_groups"
"""Names of the tables of changes from the proposals that others build on."""
LONG_TABLES = ("access", "comparison", "groups", BASE_COMPARISON, BASE_GROUPS)
"""Tables with a row for each figure, written as Parquet where they are very long or where it is asked for."""
MOST_ROWS_AS_TEXT = 1_000_000
"""Rows of access, comparison and groups together up to which they are CSV where nothing is asked for."""


MISSING_COST = "missing"
"""Key in a proposal's ``cost`` of the reason why nobody can tell what it takes."""

SOURCES_COLUMNS = ("name", "kind", "sha256", "credit")
ZONES_COLUMNS = (
    "id",
    "name",
    "group",
    "population",
    "deprivation_rank",
    "deprivation_decile",
    "reason",
    "geometry",
)
DESTINATIONS_COLUMNS = ("key", "id", "name", "kind", "amount", "geometry")
STOPS_COLUMNS = ("id", "name", "geometry")
ROUTES_COLUMNS = ("scenario", "route_id", "name", "mode", "color", "new", "geometry")
NEAREST_COLUMNS = ("scenario", "day", "window", "neighbourhood", "rank", "kind", "place", "name", "minutes")
JOURNEY_COLUMNS = (
    "scenario",
    "day",
    "ready",
    "neighbourhood",
    "destination",
    "leg",
    "mode",
    "route",
    "from",
    "to",
    "leave",
    "arrive",
    "wait_s",
    "fare",
    "last_home",
    "reason",
)


def empty_table(columns: Sequence[str]) -> pd.DataFrame:
    """A table of these columns without rows."""
    return pd.DataFrame({column: pd.Series(dtype=object) for column in columns})


@dataclass(frozen=True)
class ScenarioSummary:
    """What a page says of one proposal.

    Attributes
    ----------
    id, title : str
        As in the scenario's file; the id is that of the tables' ``scenario`` column.
    effects : tuple of str
        What each change did, in the file's order ("7: 14 -> 27 Sunday departures").
    notices : tuple of str
        What the reader of this proposal should know (a kerb that was assumed, a date that is missing).
    cost : mapping of str to number or text, or None
        Figures of what it takes to run (``bus_hours_per_year``, ``cost_per_year`` ...), or why nobody can tell
        (``missing``); None when none was worked out.
    is_random : bool
        Something in it is not known, such as the clock times it assumes; with draws ``low`` and ``high`` span an interval.
    random : tuple of str
        What that is ("assumed clock times of the proposal: 84 trips ...").
    base_title : str
        Of the proposal that it builds on; empty without one.
    rates : mapping of str to number
        What a bus-hour, a kilometre and a bus for a year cost, of what is not 0; empty where nothing has a price.
    own_rates : bool
        They are the proposal's own and not those of the study.
    retimed, withdrawn : tuple of str
        Routes whose departures or run times are others than today, and routes that are taken away in part or altogether.
    """

    id: str
    title: str
    effects: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    cost: Mapping[str, Any] | None = None
    is_random: bool = False
    random: tuple[str, ...] = ()
    base_title: str = ""
    rates: Mapping[str, float] = field(default_factory=dict)
    own_rates: bool = False
    retimed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class LegView:
    """One part of a journey.

    Attributes
    ----------
    mode : str
        ``walk``, ``bus``, ``rail`` ...
    route : str
        What riders call the route; empty for a walk.
    start, end : str
        Names of the places where it begins and ends.
    depart_s, arrive_s : int
        Seconds of the service date.
    wait_s : int
        Wait before it leaves, in seconds.
    lon, lat : float64, shape (n_points,)
        The line to draw, degrees; may be empty.
    """

    mode: str
    route: str
    start: str
    end: str
    depart_s: int
    arrive_s: int
    wait_s: int = 0
    lon: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    lat: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, eq=False)
class JourneyView:
    """One journey of one scenario; the same question in two scenarios makes a pair, before and after.

    Attributes
    ----------
    scenario, day : str
        As in the tables.
    depart_s : int
        When the traveller is ready to leave, seconds of the service date.
    zone : str
        Id of the neighbourhood it starts from.
    destination : str
        Name of the place it goes to.
    legs : tuple of LegView
        Empty when there is no journey within the limits; then ``reason`` says why.
    fare : float or None
        In the currency of the results; None when it is not known.
    last_home_s : int or None
        When the last journey back leaves, seconds of the service date; None when it is not known.
    reason : str
        Why there is no journey.
    """

    scenario: str
    day: str
    depart_s: int
    zone: str
    destination: str
    legs: tuple[LegView, ...] = ()
    fare: float | None = None
    last_home_s: int | None = None
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Results:
    """All that the files for people are made from; nothing in them comes from anywhere else.

    Attributes
    ----------
    study_id, title : str
        Of the study file.
    invented : bool
        The study is made up (the sample borough); said wherever it is shown.
    mode : str
        Of every figure: ``step_free_best``, ``step_free_worst``; empty where all can be ridden and walked.
    worst : Results or None
        The other bound beside ``step_free_best``; it is in the tables, and shown beside the leading figures.
    currency : str
        Of fares, budgets and costs.
    settings : mapping of str to text or number
        Travel settings and conventions, printable, in the order in which they are shown.
    sources : DataFrame of name, kind, sha256, credit
        The input files.
    zones : GeoDataFrame of id, name, group, population, deprivation_rank, deprivation_decile, reason, geometry
        One row per neighbourhood, EPSG:4326. ``reason`` is empty or ``off_network``.
    has_population : bool
        Without it each neighbourhood counts 1 and the words say neighbourhoods, not persons.
    destinations : GeoDataFrame of key, id, name, kind, amount, geometry
        Points and polygons, EPSG:4326.
    stops : GeoDataFrame of id, name, geometry, and one column ``departures_<day>`` per day
        EPSG:4326.
    routes : GeoDataFrame of scenario, route_id, name, mode, color, new, geometry
        Lines, EPSG:4326; ``scenario`` is ``today`` or the id of a proposal, of which only the new and changed routes
        need be there. ``color`` is ``#rrggbb`` or empty.
    background : mapping of layer name to GeoDataFrame
        ``water``, ``green`` (polygons), ``railways``, ``roads`` (lines), ``places`` (points with name and kind); may be empty.
    access, comparison, groups, notices : DataFrame
        The tables of ``access.csv``, ``comparison.csv``, ``groups.csv`` and ``notices.csv``.
    scenarios : tuple of ScenarioSummary
        The proposals, in the order in which they were given.
    dates : mapping of day to date
        Service dates; the first is the date stamp of every file that holds one.
    windows : mapping of window name to text
        ``{"morning_peak": "07:00-09:00"}``; may be empty.
    nearest_places : DataFrame of scenario, day, window, neighbourhood, rank, kind, place, name, minutes
        The nearest destinations of each neighbourhood; may be empty.
    journeys : tuple of JourneyView
        Sample journeys; may be empty.
    long_tables : ``csv``, ``parquet`` or ``auto``
        As what the tables with a row for each neighbourhood or group and figure are written; by themselves as Parquet where
        they have more than a million rows together.
    postcodes : mapping of str to str
        The neighbourhood in which each postcode (without spaces, in capitals) lies; may be empty.
    extra : mapping of table name to DataFrame
        Further tables, each written as ``<name>.csv`` and, where the page knows the name, shown: ``shared_spaces``,
        ``affordability``, ``ranking``.
    version : str
        Of the library.
    """

    study_id: str
    title: str
    zones: gpd.GeoDataFrame
    destinations: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    routes: gpd.GeoDataFrame
    access: pd.DataFrame
    comparison: pd.DataFrame
    groups: pd.DataFrame
    notices: pd.DataFrame
    sources: pd.DataFrame
    settings: Mapping[str, Any]
    scenarios: tuple[ScenarioSummary, ...]
    dates: Mapping[str, dt.date]
    version: str
    invented: bool = False
    mode: str = ""
    worst: Results | None = None
    currency: str = POUNDS
    has_population: bool = True
    background: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    windows: Mapping[str, str] = field(default_factory=dict)
    nearest_places: pd.DataFrame = field(default_factory=lambda: empty_table(NEAREST_COLUMNS))
    journeys: tuple[JourneyView, ...] = ()
    postcodes: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    long_tables: TableKind = TableKind.AUTO

    def __post_init__(self) -> None:
        for name, columns in _TABLES.items():
            missing = [column for column in columns if column not in getattr(self, name).columns]
            if missing:
                raise UsageError(f"the table {name!r} of the results lacks the column {', '.join(missing)}")
        if not self.dates:
            raise UsageError("the results name no service date; give at least one day in `dates`")

    @property
    def n_long_rows(self) -> int:
        """Rows of the long tables together, those of the other bound included."""
        own = sum(len(table) for table in (self.access, self.comparison, self.groups))
        return own + (0 if self.worst is None else self.worst.n_long_rows)

    def file_of(self, table: str) -> str:
        """The name of the file that a table is written to."""
        many = self.n_long_rows > MOST_ROWS_AS_TEXT
        as_parquet = self.long_tables == TableKind.PARQUET or (self.long_tables == TableKind.AUTO and many)
        return f"{table}.parquet" if as_parquet and table in LONG_TABLES else f"{table}.csv"

    @property
    def stamp(self) -> dt.date:
        """The date that stands in every file that must hold one: the first service date."""
        return min(self.dates.values())

    def letter(self, scenario: str) -> str:
        """A, B, C ... of a proposal in the order given: its short name in tables and on maps; empty for today."""
        place = next((i for i, known in enumerate(self.scenarios) if known.id == scenario), None)
        if place is None:
            return ""
        return chr(ord("A") + place) if place < 26 else str(place + 1)

    def scenario_title(self, scenario: str) -> str:
        """Title of a proposal, ``Today`` for the baseline."""
        if scenario == TODAY:
            return "Today"
        return next((known.title for known in self.scenarios if known.id == scenario), scenario)


_TABLES: dict[str, Sequence[str]] = {
    "access": ACCESS_COLUMNS,
    "comparison": COMPARISON_COLUMNS,
    "groups": GROUPS_COLUMNS,
    "notices": NOTICES_COLUMNS,
    "sources": SOURCES_COLUMNS,
    "zones": ZONES_COLUMNS,
    "destinations": DESTINATIONS_COLUMNS,
    "stops": STOPS_COLUMNS,
    "routes": ROUTES_COLUMNS,
    "nearest_places": NEAREST_COLUMNS,
}
