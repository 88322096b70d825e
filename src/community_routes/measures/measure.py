"""What a measure is: one object that gets what is known of a window and gives columns of figures of neighbourhoods.

A measure is one file of this folder and one entry in ``list.MEASURES``. It declares the names under which its figures stand in
tables (``Column``): in which words, and whether more or less of it is better. Nobody takes a name apart to find that out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.columns import ACCESS_COLUMNS
from community_routes.base.times import UNREACHED
from community_routes.fares.month import Commute
from community_routes.measures.reach import nearest_of_groups, percentiles_of_cube, zone_average
from community_routes.measures.service import StopDepartures
from community_routes.measures.weighted import weighted_quantile
from community_routes.network.walks.points import Links
from community_routes.routing.matrices import as_cube
from community_routes.routing.scan import NEVER
from community_routes.sources.study.fares import POUNDS, Fares

FloatArray = NDArray[np.float64]
TimeArray = NDArray[np.int32]
Better = Literal["more", "less"]
MEDIAN = 50
MOST_EXACT = 2.0**53
SECONDS = "seconds"
PLACES = "places"
SHARE = "share"
REASONS = ("", "no_destination", "off_network", "no_service", "over_time", "over_fare", "income_unknown")
ZONE_TIMES, BUDGETS = "zone_times", "budgets"
Need = str | Commute
"""What a measure needs besides travel times: times to the zones' own points, times within budgets, what a commute costs."""


@dataclass(frozen=True)
class Column:
    """A name under which figures of a measure stand in tables.

    Attributes
    ----------
    id : str
    title : str
        For people.
    better : ``more`` or ``less``
        Which way a change is a gain.
    settings : tuple of str
        What the published name has after the id, one word each; the last ones may be left out.
    endless : bool
        A value that is missing for want of a journey counts as endless, as that of a time does: a first one is a gain.
    """

    id: str
    title: str = ""
    better: Better = "more"
    settings: tuple[str, ...] = ()
    endless: bool = False

    def name(self, *values: object) -> str:
        """The published name: ``nearest_affordable_2.5``."""
        return "_".join([self.id, *(f"{v:g}" if isinstance(v, float) else str(v) for v in values if v != "")])

    def read(self, name: str) -> dict[str, str] | None:
        """The settings in a published name, "" for those that it leaves out; None where it is the name of another column."""
        if name == self.id:
            return dict.fromkeys(self.settings, "")
        if not self.settings or not name.startswith(f"{self.id}_"):
            return None
        parts = name[len(self.id) + 1 :].split("_", len(self.settings) - 1)
        return dict(zip(self.settings, [*parts, *[""] * len(self.settings)], strict=False))


@dataclass(frozen=True, eq=False)
class PlacesOfKind:
    """The destinations of one kind: their columns in the travel times, their amounts, and the unit of an amount."""

    kind: str
    columns: NDArray[np.int64]
    amounts: NDArray[np.float64]
    unit: str

    @property
    def is_whole(self) -> bool:
        """All places of a key, not one kind of them."""
        return "/" not in self.kind

    @cached_property
    def whole_amounts(self) -> NDArray[np.int64] | None:
        """The amounts of the places of this kind, 0 of others, as whole numbers whose sums are exact in whatever order.

        None where they are not whole, or add up to 2^53 or more.
        """
        amounts = np.zeros(len(self.amounts))
        amounts[self.columns] = self.amounts[self.columns]
        exact = (amounts == np.rint(amounts)).all() and np.abs(amounts).sum() < MOST_EXACT
        return amounts.astype(np.int64) if exact else None


def kinds_of_places(
    destinations: pd.DataFrame, *, units: Mapping[str, str] | None = None, keys: Iterable[str] = ()
) -> list[PlacesOfKind]:
    """Each key under ``destinations``, and each kind of its places as ``key/kind``, in order of their names."""
    key = destinations["key"].to_numpy(dtype=object)
    kind = destinations["kind"].fillna("").to_numpy(dtype=object)
    amounts = np.ascontiguousarray(destinations["amount"].to_numpy(dtype=np.float64))
    found: list[PlacesOfKind] = []
    for name in sorted({*key.tolist(), *keys}):
        rows = np.flatnonzero(key == name)
        unit = (units or {}).get(name) or (PLACES if (amounts[rows] == 1).all() else "amount")
        found.append(PlacesOfKind(name, rows, amounts, unit))
        for part in sorted(set(kind[rows].tolist()) - {""}):
            found.append(PlacesOfKind(f"{name}/{part}", np.flatnonzero((key == name) & (kind == part)), amounts, unit))
    return sorted(found, key=lambda places: places.kind)


@dataclass(frozen=True, eq=False)
class ZoneColumn:
    """One figure of every zone.

    Attributes
    ----------
    values : float, shape (n_zones,)
        NaN or infinite where missing.
    kind : str
        What is measured: a key of the study's destinations, ``stops``, ``wards`` ...
    measure : str
        The published name of a ``Column``.
    unit, reading : str
    cutoff_min : float or None
    reason : str or sequence of str
        Why a value is missing, for all or for each zone; used only where it is.
    """

    values: ArrayLike
    kind: str
    measure: str
    unit: str
    reading: str = "mean"
    cutoff_min: float | None = None
    reason: Sequence[str] | NDArray[np.object_] | str = "off_network"

    @property
    def place(self) -> tuple[str, str, tuple[int, int], float]:
        """What columns are sorted by."""
        return (
            self.kind,
            self.measure,
            reading_order(self.reading),
            -1.0 if self.cutoff_min is None else float(self.cutoff_min),
        )


def reading_order(reading: str) -> tuple[int, int]:
    """Place of a reading among others: mean, percentiles by their number, others."""
    if reading.startswith("p") and reading[1:].isdigit():
        return (1, int(reading[1:]))
    return (0 if reading == "mean" else 2, 0)


def whole_or_float(values: Any) -> Any:
    """Numbers with gaps as a pandas column: whole ones as Int64 (a cutoff is written 45, not 45.0), others as floats."""
    numbers = np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    return pd.array(numbers, dtype="Int64" if (known == np.rint(known)).all() else "float64")


class About(NamedTuple):
    """What a figure is about, beside the window and the neighbourhood."""

    kind: str
    measure: str
    reading: str
    cutoff_min: float | None
    unit: str


@dataclass(frozen=True, eq=False)
class WindowFigures:
    """WindowFigures of every neighbourhood in one window or shift, from which rows of tables follow.

    Attributes
    ----------
    day, window : str
    zones : DataFrame
    about : tuple of About
    value : float64, shape (n_about, n_zones)
        NaN where missing.
    reason : int8, shape (n_about, n_zones)
        Why, as a place in ``REASONS``; 0 where there is a value.
    """

    day: str
    window: str
    zones: pd.DataFrame
    about: tuple[About, ...]
    value: FloatArray
    reason: NDArray[np.int8]

    @cached_property
    def by_id(self) -> NDArray[np.int64]:
        """Rows of the zones in the order of tables: by their ids."""
        return np.argsort(self.zones["id"].to_numpy(dtype=str), kind="stable")

    def only(self, rows: NDArray[np.int64]) -> WindowFigures:
        """Some of the figures, in this order."""
        about = tuple(self.about[row] for row in rows.tolist())
        return replace(self, about=about, value=self.value[rows], reason=self.reason[rows])

    def of_zones(self, zones: pd.DataFrame) -> WindowFigures | None:
        """The same in the rows of other zones, missing for those that it has not; None where one of its own is not there."""
        if zones is self.zones:
            return self
        place = pd.Index(self.zones["id"]).get_indexer(zones["id"])
        if (place >= 0).sum() < len(self.zones):
            return None
        value, reason = (
            np.where(place >= 0, rows[:, place], none) for rows, none in ((self.value, np.nan), (self.reason, 0))
        )
        return replace(self, zones=zones, value=value, reason=reason.astype(np.int8))

    def along(self, rows: FloatArray | NDArray[Any]) -> NDArray[Any]:
        """An array like ``value`` in the order of the rows of tables: neighbourhood by neighbourhood."""
        return rows[:, self.by_id].T.reshape(-1)


def beside(baseline: Sequence[WindowFigures], figures: Sequence[WindowFigures]) -> list[WindowFigures] | None:
    """The figures of a baseline in the rows of others; None where they are not of the same windows and about the same."""
    if not figures or [(one.day, one.window, one.about) for one in baseline] != [
        (one.day, one.window, one.about) for one in figures
    ]:
        return None
    found = [was.of_zones(now.zones) for was, now in zip(baseline, figures, strict=True)]
    return None if None in found else [part for part in found if part is not None]


class TableRows:
    """Rows of a table of figures of several windows, neighbourhood by neighbourhood: each different text is held once.

    Parameters
    ----------
    parts : sequence of WindowFigures
        Of the same zones.
    """

    def __init__(self, parts: Sequence[WindowFigures]) -> None:
        self.parts = parts
        n_zones = [len(part.zones) for part in parts]
        sizes = [len(part.about) for part in parts]
        starts = np.cumsum([0, *sizes])
        self._part = np.repeat(np.arange(len(parts)), np.multiply(n_zones, sizes))
        self._zone = _joined([np.repeat(part.by_id, len(part.about)) for part in parts])
        about = [np.tile(np.arange(size) + start, n) for size, start, n in zip(sizes, starts, n_zones, strict=False)]
        self._about = _joined(about)

    def __len__(self) -> int:
        return len(self._part)

    def of_part(self, name: str) -> Any:
        """A column that says which window a row is of."""
        return taken([getattr(part, name) for part in self.parts], self._part)

    def of_zone(self, values: Any) -> Any:
        """A column of what is known of each zone."""
        return taken(values, self._zone)

    def of_about(self, name: str) -> Any:
        """A column of what a figure is about."""
        return taken([getattr(about, name) for part in self.parts for about in part.about], self._about)

    def cutoffs(self) -> tuple[Any, NDArray[np.int64]]:
        """The cutoff of each figure, and which of them a row has."""
        return whole_or_float([about.cutoff_min for part in self.parts for about in part.about]), self._about

    def along(self, name: str) -> NDArray[Any]:
        """The numbers of an attribute of the figures, row by row."""
        return _joined([part.along(getattr(part, name)) for part in self.parts])


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int64)


def taken(values: Any, rows: NDArray[np.int64]) -> Any:
    """Values of a column at some rows; a text is looked at once, however often it is taken."""
    return pd.Series(values).array.take(rows)


def access_table(scenario: str, parts: Sequence[WindowFigures]) -> pd.DataFrame:
    """Rows of access.csv: window after window as given, zones in order of their ids, under each the figures as given."""
    rows = TableRows(parts)
    zones = parts[0].zones if parts else pd.DataFrame(columns=["id", "name", "population", "deprivation_decile"])
    cutoffs, of_row = rows.cutoffs()
    made: dict[str, Any] = {
        "scenario": taken([scenario], np.zeros(len(rows), np.int64)),
        "day": rows.of_part("day"),
        "window": rows.of_part("window"),
        "neighbourhood": rows.of_zone(zones["id"].to_numpy()),
        "name": rows.of_zone(zones["name"].to_numpy()),
        "population": rows.of_zone(zones["population"].to_numpy(dtype=np.float64)),
        "deprivation_decile": rows.of_zone(whole_or_float(zones["deprivation_decile"].to_numpy())),
        "kind": rows.of_about("kind"),
        "measure": rows.of_about("measure"),
        "reading": rows.of_about("reading"),
        "cutoff_min": cutoffs.take(of_row),
        "value": rows.along("value"),
        "unit": rows.of_about("unit"),
        "reason": taken(REASONS, rows.along("reason").astype(np.int64)),
    }
    return pd.DataFrame(made, columns=list(ACCESS_COLUMNS))


@dataclass(frozen=True, eq=False)
class WindowInputs:
    """What is known of one window of one day under one scenario.

    Attributes
    ----------
    scenario, day, window : str
    window_s : (int, int)
    zones : DataFrame
        id, name, population, deprivation_decile, group.
    origins : DataFrame
        zone, weight; one row for each origin.
    destinations : DataFrame
        key, kind ("" where places have none), amount; one row for each destination.
    time_s : int16, shape (n_origins, n_departures, n_destinations)
        Seconds, ``NEVER`` where there is no journey, as a search gives them. Given as int32 with ``UNREACHED`` they are
        packed.
    origin_reason : sequence of str
        ``off_network``, ``no_service`` (no trip within walking limits that day) or "" for each origin.
    access_walks : Links
        From origins to stops.
    departures : StopDepartures
        Of the window.
    cutoffs_min : tuple of float
    units : mapping of str to str
        Unit of the amounts of a key; otherwise ``places`` where every amount is 1, else ``amount``.
    currency : str
        Of all money.
    zone_time_s : int16, shape (n_origins, n_departures, n_zones), optional
        Times to the zones' own points, for other wards.
    times_of_budget : mapping of float to arrays like ``time_s``, optional
        Times within budgets of money (``fares.by_ticket.times_within_budgets``), for affordability.
    cost_of_commute : mapping of Commute to float64, shape (n_origins, n_cutoffs, n_destinations of the key), optional
        Money a month (``commuting.monthly_costs``), infinite where none is enough; empty in windows without ways to work.
    destination_reason : sequence of str, optional
        As of origins.
    percentiles : tuple of int
        Of travel time, in which measures are read besides the mean.
    keys : tuple of str
        Keys of the study that may have no destination at all; they get rows of reach too.

    Raises
    ------
    ValueError
        Times and places do not fit, or a point's reason is none of those above.
    """

    scenario: str
    day: str
    window: str
    window_s: tuple[int, int]
    zones: pd.DataFrame
    origins: pd.DataFrame
    destinations: pd.DataFrame
    time_s: NDArray[np.int16]
    origin_reason: Sequence[str]
    access_walks: Links
    departures: StopDepartures
    cutoffs_min: tuple[float, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    currency: str = POUNDS
    zone_time_s: NDArray[np.int16] | None = None
    times_of_budget: Mapping[float, NDArray[np.int16]] = field(default_factory=dict)
    cost_of_commute: Mapping[Commute, NDArray[np.float64]] = field(default_factory=dict)
    destination_reason: Sequence[str] | None = None
    percentiles: tuple[int, ...] = (25, 50, 75)
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        times = as_cube(self.time_s)
        packed: dict[str, Any] = {"time_s": times}
        packed["zone_time_s"] = None if self.zone_time_s is None else as_cube(self.zone_time_s)
        packed["times_of_budget"] = {budget: as_cube(given) for budget, given in self.times_of_budget.items()}
        for name, value in packed.items():
            object.__setattr__(self, name, value)
        places = len(self.origins), len(self.destinations)
        if times.ndim != 3 or (times.shape[0], times.shape[2]) != places:
            raise ValueError(
                f"times have the shape {times.shape}; {places[0]} origins and {places[1]} destinations "
                "need (origins, departures, destinations)"
            )
        for reasons, n in zip((self.origin_reason, self.destination_reason), places, strict=True):
            if reasons is not None and len(reasons) != n:
                raise ValueError(f"{len(reasons)} reasons were given for {n} points")
            if unknown := set(reasons or ()) - {"", "off_network", "no_service"}:
                raise ValueError(f"a point's reason is one of '', 'off_network', 'no_service', not {sorted(unknown)}")

    @cached_property
    def kinds(self) -> list[PlacesOfKind]:
        """Every key of the study and every kind of place under it."""
        return kinds_of_places(self.destinations, units=self.units, keys=self.keys)

    @property
    def whole_keys(self) -> list[PlacesOfKind]:
        """The keys that have any destination."""
        return [places for places in self.kinds if places.is_whole and len(places.columns)]

    @cached_property
    def zone(self) -> NDArray[np.int64]:
        """Row of the zone of each origin."""
        return np.asarray(self.origins["zone"].to_numpy(dtype=np.int64))

    @cached_property
    def on_network(self) -> NDArray[np.bool_]:
        """Origins on the network."""
        return np.asarray([reason != "off_network" for reason in self.origin_reason], dtype=bool)

    @cached_property
    def off_zones(self) -> NDArray[np.bool_]:
        """Zones that have no origin on the network."""
        return self._zones_without("off_network")

    @property
    def times_of_percentile(self) -> dict[int, TimeArray]:
        """Percentiles of travel time over the departures, each of shape (n_origins, n_destinations)."""
        return {p: self._ranked[p] for p in sorted(self.percentiles)}

    @property
    def median_s(self) -> TimeArray:
        """Median of travel time over the departures, shape (n_origins, n_destinations)."""
        return self._ranked[MEDIAN]

    @cached_property
    def _ranked(self) -> dict[int, TimeArray]:
        return percentiles_of_cube(self.time_s, {MEDIAN, *self.percentiles})

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups (wards) of the neighbourhoods, in order of their names."""
        return tuple(sorted({*self._group_names.tolist()} - {""}))

    @cached_property
    def _group_names(self) -> NDArray[np.object_]:
        return np.asarray(["" if pd.isna(name) else str(name) for name in self.zones["group"]], dtype=object)

    @property
    def group_of_origins(self) -> NDArray[np.object_]:
        """The group of each origin's zone; "" for one in none."""
        return self._group_names[self.zone]

    @cached_property
    def times_to_groups(self) -> NDArray[np.int16] | None:
        """Time to the nearest zone of each group, shape (n_origins, n_departures, n_groups); None without ``zone_time_s``."""
        if self.zone_time_s is None:
            return None
        place = {name: number for number, name in enumerate(self.groups)}
        group = np.asarray([place.get(name, -1) for name in self._group_names], np.int64)
        return np.asarray(nearest_of_groups(self.zone_time_s, group, len(place), NEVER))

    def why_no_time(self, places: PlacesOfKind) -> NDArray[np.object_]:
        """Why each zone has no time to a kind of place, should it have none: the first that holds, in the order of REASONS."""
        reason = np.full(len(self.zones), "over_time", dtype=object)
        if len(places.columns) == 0:
            reason[:] = "no_destination"
            return reason
        given = self.destination_reason
        there = np.asarray(given if given is not None else [""] * len(self.destinations), dtype=object)[places.columns]
        on = there[there != "off_network"]
        reason[self._zones_without("no_service") | bool((on == "no_service").all())] = "no_service"
        reason[self.off_zones | bool(len(on) == 0)] = "off_network"
        return reason

    def _zones_without(self, reason: str) -> NDArray[np.bool_]:
        """Zones none of whose points on the network is free of a reason (or that have no point on the network)."""
        free = self.on_network & (np.asarray(self.origin_reason, dtype=object) != reason)
        return np.asarray(np.bincount(self.zone[free], minlength=len(self.zones)) == 0)

    def of_zones(self, values: FloatArray) -> FloatArray:
        """Zones from origins, by weight over the points on the network; NaN where a zone has none."""
        lead = self.on_network.reshape((-1,) + (1,) * (values.ndim - 1))
        known = np.where(lead, values, np.nan)
        return zone_average(known, self.zone, self.origins["weight"], len(self.zones))

    def persons_of_origins(self) -> FloatArray:
        """Each zone's population shared out over its origin points by weight."""
        weight = self.origins["weight"].to_numpy(dtype=np.float64)
        total = np.bincount(self.zone, weights=weight, minlength=len(self.zones))[self.zone]
        count = np.bincount(self.zone, minlength=len(self.zones))[self.zone]
        share = np.where(total > 0, weight / np.where(total > 0, total, 1.0), 1.0 / count)
        return np.asarray(self.zones["population"].to_numpy(dtype=np.float64)[self.zone] * share)

    def median_of_zones(self, seconds: TimeArray) -> FloatArray:
        """Times of zones: the weighted median over the points on the network, infinite where that is not reached."""
        return self.middle_of_zones(np.where(seconds == UNREACHED, np.inf, seconds.astype(np.float64)))

    def middle_of_zones(self, values: FloatArray) -> FloatArray:
        """The weighted median over each zone's points on the network; infinite where it has none."""
        result = np.full(len(self.zones), np.inf)
        on = np.flatnonzero(self.on_network)
        if len(np.unique(self.zone[on])) == len(on):  # one point in each zone, the common case
            result[self.zone[on]] = values[on]
            return result
        weights = self.origins["weight"].to_numpy(dtype=np.float64)
        order = on[np.argsort(self.zone[on], kind="stable")]
        first = np.searchsorted(self.zone[order], np.arange(len(self.zones) + 1))
        for zone in np.flatnonzero(np.diff(first)):
            rows = order[first[zone] : first[zone + 1]]
            weight = weights[rows]
            result[zone] = weighted_quantile(values[rows], weight if weight.sum() > 0 else np.ones(len(rows)))
        return result

    def income(self, stated: float | None) -> FloatArray | None:
        """Income of a month of each zone, a stated one where it has none of its own; None where nothing is known at all."""
        if "income_per_month" not in self.zones.columns:
            return None if stated is None else np.full(len(self.zones), stated)
        own = self.zones["income_per_month"].to_numpy(dtype=np.float64)
        return np.where(np.isnan(own), np.nan if stated is None else stated, own)

    def figures(self, columns: Iterable[ZoneColumn]) -> WindowFigures:
        """Columns in order of kind, measure, reading and cutoff, as arrays.

        Raises
        ------
        ValueError
            A value is missing for none of the stated reasons, or there is not one for each zone.
        """
        chosen = sorted(columns, key=lambda column: column.place)
        value = np.empty((len(chosen), len(self.zones)))
        reason = np.zeros(value.shape, np.int8)
        for row, column in enumerate(chosen):
            value[row], why = with_reasons(column, len(self.zones))
            missing = np.isnan(value[row])
            reason[row, missing] = [REASONS.index(text) for text in why[missing].tolist()]
        about = tuple(About(c.kind, c.measure, c.reading, c.cutoff_min, c.unit) for c in chosen)
        return WindowFigures(self.day, self.window, self.zones, about, value, reason)

    def table(self, columns: Iterable[ZoneColumn]) -> pd.DataFrame:
        """Rows of access.csv: zones in order of their ids, under each the columns by kind, measure, reading and cutoff.

        Raises
        ------
        ValueError
            As of ``figures``.
        """
        return access_table(self.scenario, [self.figures(columns)])


def with_reasons(column: ZoneColumn, n_zones: int) -> tuple[FloatArray, NDArray[np.object_]]:
    """Values with NaN where they are missing, and why; "" where they are not."""
    values = np.asarray(column.values, dtype=np.float64)
    if values.shape != (n_zones,):
        raise ValueError(f"{column.measure} has the shape {values.shape} for {n_zones} zones")
    given = [column.reason] * n_zones if isinstance(column.reason, str) else column.reason
    missing, why = ~np.isfinite(values), np.asarray(given, dtype=object)
    if unknown := set(why[missing].tolist()) - set(REASONS[1:]):
        raise ValueError(f"{column.measure} is missing for no stated reason ({sorted(unknown)}); one of {REASONS[1:]}")
    return np.where(missing, np.nan, values), np.where(missing, why, "")


@dataclass(frozen=True)
class Facts:
    """What a study says that its measures are built from.

    Attributes
    ----------
    cutoffs_min : tuple of float
    keys : tuple of str
        Of the destinations.
    fares : Fares or None
    n_wards : int
        Different groups of the neighbourhoods.
    """

    cutoffs_min: tuple[float, ...]
    keys: tuple[str, ...] = ()
    fares: Fares | None = None
    n_wards: int = 0


class Measure(ABC):
    """A measure of access: what it is called, what it gives, what it needs, and how it is worked out.

    Attributes
    ----------
    names : tuple of str
        By which a study file asks for it; mostly one.
    settings : tuple of str or None
        That a study file may give it; None where ``of`` says which.
    columns : tuple of Column
        What it puts into tables.
    """

    names: ClassVar[tuple[str, ...]]
    settings: ClassVar[tuple[str, ...] | None] = ()
    columns: ClassVar[tuple[Column, ...]]

    @classmethod
    def of(cls, name: str, settings: Mapping[str, Any], facts: Facts) -> Measure:
        """The measure as a study asks for it.

        Raises
        ------
        ValueError
            A setting cannot be, or the study lacks what the measure needs; the message says what is wanted.
        """
        return cls()

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it needs besides travel times."""
        return ()

    @abstractmethod
    def take(self, window: WindowInputs) -> list[ZoneColumn]:
        """Its figures of every zone in one window."""
