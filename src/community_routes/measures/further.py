"""Measures beyond reach as rows of the tables: competition, service near home, other wards, indices of equity, mixing.

Each ``build_further`` measure makes rows of access.csv from one window's inputs, so that groups, gaps and changes follow
from them as from any other; ``equity_rows`` makes rows of groups.csv from a finished access table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.measures import equity
from community_routes.measures.choose import SECONDS, SHARE, PlacesOfKind
from community_routes.measures.competition import (
    Catchment,
    balanced_catchment,
    spatial_availability,
    two_step_catchment,
)
from community_routes.measures.connection import share_of_other_wards
from community_routes.measures.decay import Decay, Step, build_decay
from community_routes.measures.groups import GROUP_COLUMNS
from community_routes.measures.mixing import Visitors, potential_visitors
from community_routes.measures.reach import (
    cumulative_opportunities,
    mean_over_departures,
    nearest,
    percentile_times,
    share_within,
    zone_average,
)
from community_routes.measures.rows import zone_rows
from community_routes.measures.service import (
    StopDepartures,
    near_frequent_stop,
    ptal_form_index,
    service_per_hour,
)
from community_routes.measures.summary import kinds_of_places
from community_routes.measures.weighted import weighted_quantile
from community_routes.network.points import Links
from community_routes.times import MINUTE, UNREACHED

FloatArray = NDArray[np.float64]
STOPS = "stops"
WARDS = "wards"
MEDIAN = 50


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
        key, kind, amount; one row for each destination.
    time_s : int32, shape (n_origins, n_departures, n_destinations)
    origin_reason : sequence of str
        ``off_network``, ``no_service`` or "" for each origin.
    access_walks : Links
        From origins to stops.
    departures : StopDepartures
        Of the day.
    cutoffs_min : tuple of float
    units : mapping of str to str
        Unit of the amounts of a key.
    zone_time_s : int32, shape (n_origins, n_departures, n_zones), optional
        Times to the zones' own points, for other wards.
    times_of_budget : mapping of float to int32 arrays like ``time_s``, optional
        Times within budgets of money (``fare_search.times_within_budgets``), for affordability.
    """

    scenario: str
    day: str
    window: str
    window_s: tuple[int, int]
    zones: pd.DataFrame
    origins: pd.DataFrame
    destinations: pd.DataFrame
    time_s: NDArray[np.int32]
    origin_reason: Sequence[str]
    access_walks: Links
    departures: StopDepartures
    cutoffs_min: tuple[float, ...]
    units: Mapping[str, str] = field(default_factory=dict)
    zone_time_s: NDArray[np.int32] | None = None
    times_of_budget: Mapping[float, NDArray[np.int32]] = field(default_factory=dict)

    @property
    def on_network(self) -> NDArray[np.bool_]:
        """Origins on the network."""
        return np.asarray([reason != "off_network" for reason in self.origin_reason], dtype=bool)

    def of_zones(self, values: FloatArray) -> FloatArray:
        """Zones from origins, by weight over the points on the network; NaN where a zone has none."""
        lead = self.on_network.reshape((-1,) + (1,) * (values.ndim - 1))
        known = np.where(lead, values, np.nan)
        return zone_average(known, self.origins["zone"], self.origins["weight"], len(self.zones))

    def persons_of_origins(self) -> FloatArray:
        """Each zone's population shared out over its origin points by weight."""
        zone = self.origins["zone"].to_numpy(dtype=np.int64)
        weight = self.origins["weight"].to_numpy(dtype=np.float64)
        total = np.bincount(zone, weights=weight, minlength=len(self.zones))
        count = np.bincount(zone, minlength=len(self.zones))
        share = np.where(total[zone] > 0, weight / np.where(total[zone] > 0, total[zone], 1.0), 1.0 / count[zone])
        return np.asarray(self.zones["population"].to_numpy(dtype=np.float64)[zone] * share)

    def median_of_zones(self, seconds: NDArray[np.int32]) -> FloatArray:
        """Times of zones: the weighted median over the points on the network, infinite where that is not reached."""
        zone = self.origins["zone"].to_numpy(dtype=np.int64)
        weight = self.origins["weight"].to_numpy(dtype=np.float64) * self.on_network
        floats = np.where(seconds == UNREACHED, np.inf, seconds.astype(np.float64))
        found = [weighted_quantile(floats[zone == z], weight[zone == z]) for z in range(len(self.zones))]
        return np.asarray(np.nan_to_num(np.asarray(found), nan=np.inf, posinf=np.inf))

    def rows(self, values: FloatArray, **what: Any) -> pd.DataFrame:
        """Rows of access.csv of values of zones."""
        return zone_rows(self.zones, values, scenario=self.scenario, day=self.day, window=self.window, **what)


class FurtherMeasure(Protocol):
    """A measure that makes its rows from a window's inputs."""

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame: ...


_CATCHMENTS: dict[str, Callable[..., Catchment]] = {
    "two_step_catchment": two_step_catchment,
    "balanced_catchment": balanced_catchment,
    "spatial_availability": spatial_availability,
}


@dataclass(frozen=True)
class Competition:
    """A measure of ``competition`` on the median travel time, for each key under ``destinations``.

    Opportunities per resident: for spatial availability those of the zone over its residents, 0 where nobody lives.
    """

    name: str
    decay: Decay

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame:
        median = percentile_times(inputs.time_s, MEDIAN)
        persons = inputs.persons_of_origins()
        tables = []
        for places in kinds_of_places(inputs.destinations, units=inputs.units):
            if "/" in places.kind:
                continue
            of_kind = np.ascontiguousarray(median[:, places.columns])
            found = _CATCHMENTS[self.name](of_kind, places.amounts[places.columns], persons, self.decay)
            access = found.access
            if self.name == "spatial_availability":
                access = np.where(persons > 0, access / np.where(persons > 0, persons, 1.0), 0.0)
            unit = f"{places.unit} per resident"
            values = inputs.of_zones(access)
            tables.append(inputs.rows(values, kind=places.kind, measure=self.name, unit=unit, reading=f"p{MEDIAN}"))
        return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True)
class Service:
    """Service near home in the window: vehicles an hour, whether a frequent stop is near, the index of PTAL's form."""

    within_m: float = 400.0
    per_hour: float = 1.0

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame:
        walks, departures, window = inputs.access_walks, inputs.departures, inputs.window_s
        near = near_frequent_stop(walks, departures, window, per_hour=self.per_hour, within_m=self.within_m)
        vehicles = service_per_hour(walks, departures, window, within_m=self.within_m)
        index = ptal_form_index(walks, departures, window)
        found = [
            ("near_frequent_stop", SHARE, near.astype(np.float64)),
            ("ptal_form_index", "equivalent departures per hour", index),
            ("service_per_hour", "departures per hour", vehicles),
        ]
        return pd.concat(
            [inputs.rows(inputs.of_zones(v), kind=STOPS, measure=name, unit=unit) for name, unit, v in found],
            ignore_index=True,
        )


@dataclass(frozen=True)
class OtherWards:
    """Share of the borough's other wards within each cutoff, on average over departures; needs ``zone_time_s``."""

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame:
        times = inputs.zone_time_s
        wards = inputs.zones["group"].tolist()
        if times is None or len({ward for ward in wards if ward}) < 2:
            raise ValueError("other wards need times between zones, and a `group` column with two wards or more")
        own = [wards[zone] for zone in inputs.origins["zone"].tolist()]
        tables = []
        for cutoff in inputs.cutoffs_min:
            each = share_of_other_wards(times, wards, cutoff_s=cutoff * MINUTE, ward_of_origin=own)
            values = inputs.of_zones(mean_over_departures(each))
            what = {"kind": WARDS, "measure": "share_of_other_wards", "unit": SHARE}
            tables.append(inputs.rows(values, cutoff_min=cutoff, **what))
        return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True)
class Affordability:
    """Opportunities within each cutoff and budget on average over departures, and the time to the nearest.

    Measures ``affordable_opportunities_<budget>`` and ``nearest_affordable_<budget>`` (seconds on the median departure;
    missing as ``over_fare`` where only the budget is in the way).
    """

    def access_rows(self, inputs: WindowInputs) -> pd.DataFrame:
        if not inputs.times_of_budget:
            raise ValueError("affordability needs `fares` with `budgets` in the study file")
        tables = []
        for budget, times in sorted(inputs.times_of_budget.items()):
            tables += [
                table
                for places in kinds_of_places(inputs.destinations, units=inputs.units)
                if "/" not in places.kind
                for table in self._rows(inputs, places, times, f"{budget:g}")
            ]
        return pd.concat(tables, ignore_index=True)

    @staticmethod
    def _rows(
        inputs: WindowInputs, places: PlacesOfKind, times: NDArray[np.int32], name: str
    ) -> Iterable[pd.DataFrame]:
        of_kind = np.ascontiguousarray(times[:, :, places.columns])
        amounts = places.amounts[places.columns]
        for cutoff in inputs.cutoffs_min:
            each = cumulative_opportunities(of_kind, amounts, cutoff_s=cutoff * MINUTE)
            values = inputs.of_zones(mean_over_departures(each))
            what = {"measure": f"affordable_opportunities_{name}", "unit": places.unit, "cutoff_min": cutoff}
            yield inputs.rows(values, kind=places.kind, **what)
        closest, free = (
            inputs.median_of_zones(nearest(percentile_times(cube, MEDIAN), 1, amounts))
            for cube in (of_kind, np.ascontiguousarray(inputs.time_s[:, :, places.columns]))
        )
        off = np.isnan(inputs.of_zones(np.zeros(len(inputs.origins))))
        reason = np.where(off, "off_network", np.where(np.isfinite(free), "over_fare", "over_time"))
        what = {"measure": f"nearest_affordable_{name}", "unit": SECONDS, "reading": f"p{MEDIAN}"}
        yield inputs.rows(closest, kind=places.kind, reason=reason.tolist(), **what)


FURTHER = (
    "affordability",
    "balanced_catchment",
    "service",
    "share_of_other_wards",
    "spatial_availability",
    "two_step_catchment",
)


def build_further(name: str, settings: Mapping[str, Any]) -> FurtherMeasure:
    """A further measure by its name in a study file.

    ``two_step_catchment``, ``balanced_catchment``, ``spatial_availability`` with ``cutoff_min`` (45), or with ``decay``
    and its settings; ``service`` with ``within_m`` (400) and ``per_hour`` (1); ``share_of_other_wards``; ``affordability``
    at the budgets of the study's fares.

    Raises
    ------
    ValueError
        The name or a setting is unknown.
    """
    given = dict(settings)
    if name in _CATCHMENTS:
        if "decay" in given:
            return Competition(name, build_decay(str(given.pop("decay")), given))
        _only(name, given, {"cutoff_min"})
        return Competition(name, Step(float(given.get("cutoff_min", 45)) * MINUTE))
    if name == "service":
        _only(name, given, {"within_m", "per_hour"})
        return Service(float(given.get("within_m", 400)), float(given.get("per_hour", 1)))
    if name in ("share_of_other_wards", "affordability"):
        _only(name, given, set())
        return OtherWards() if name == "share_of_other_wards" else Affordability()
    raise ValueError(f"{name!r} is no further measure; write one of {', '.join(FURTHER)}")


def _only(name: str, settings: Mapping[str, Any], allowed: set[str]) -> None:
    if extra := set(settings) - allowed:
        raise ValueError(f"{name} has no setting {sorted(extra)}; it takes {sorted(allowed) or 'none'}")


# --- indices of equity ---------------------------------------------------------------------------------------------


def poverty_lines(baseline: pd.DataFrame, zones: pd.DataFrame, *, share: float = 0.6) -> dict[tuple[Any, ...], float]:
    """The line below which access is poor: a share of the median resident's access in the baseline, for each figure.

    Keys are (day, window, kind, measure, cutoff_min). Lines of 0 are left out: nobody is below them.
    """
    persons = zones.set_index("id")["population"]
    lines: dict[tuple[Any, ...], float] = {}
    for key, rows in _figures(baseline):
        middle = weighted_quantile(rows["value"], persons.reindex(rows["neighbourhood"]).fillna(0.0))
        if share * middle > 0:
            lines[key[1:]] = share * middle
    return lines


def equity_rows(
    access: pd.DataFrame,
    zones: pd.DataFrame,
    totals: Mapping[str, float],
    *,
    lines: Mapping[tuple[Any, ...], float] | None = None,
    baseline: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Indices of equity of every count of opportunities on average over departures, as rows of groups.csv.

    For each key of destinations, cutoff, window and scenario, in the grouping and group ``all``: concentration index and
    Erreygers index (bounds 0 and all opportunities, the same for every scenario), Palma ratio, Gini index, mean absolute
    difference, Theil index, and the share of residents in poverty of access where a line is given. The measure is
    ``<index>_of_<measure>``. Persons whose zone has no value or no deprivation rank are not covered.

    Parameters
    ----------
    access : DataFrame
        Rows of access.csv.
    zones : DataFrame
        id, population, deprivation_rank.
    totals : mapping of str to float
        All opportunities of each key.
    lines : mapping, optional
        ``poverty_lines`` of the baseline.
    baseline : DataFrame, optional
        Access of the baseline; gives ``baseline`` and ``change``.
    """
    before = {} if baseline is None else {key[1:]: rows for key, rows in _figures(baseline)}
    people = zones.set_index("id")[["population", "deprivation_rank"]].astype("Float64").astype(float)
    records: list[dict[str, Any]] = []
    for key, rows in _figures(access):
        scenario, day, window, kind, measure, cutoff = key
        if kind not in totals:
            continue
        line = (lines or {}).get(key[1:])
        now = _indices(rows, people, totals[kind], line)
        then = _indices(before[key[1:]], people, totals[kind], line) if key[1:] in before else {}
        persons = float(people["population"].sum())
        covered = float(people["population"].reindex(rows.loc[rows["value"].notna(), "neighbourhood"]).sum())
        for index, (value, unit) in now.items():
            old = then.get(index, (math.nan, unit))[0]
            change = value - old
            records.append(
                {
                    "scenario": scenario,
                    "day": day,
                    "window": window,
                    "grouping": "all",
                    "group": "all",
                    "kind": kind,
                    "measure": f"{index}_of_{measure}",
                    "reading": "mean",
                    "cutoff_min": cutoff,
                    "persons": persons,
                    "persons_covered": covered,
                    "value": value,
                    "unit": unit,
                    "baseline": old,
                    "change": change,
                    "low": change,
                    "high": change,
                    **dict.fromkeys(("persons_better", "persons_worse", "persons_same"), math.nan),
                    "mark": "low_coverage" if covered < 0.8 * persons else "",
                }
            )
    table = pd.DataFrame(records, columns=list(GROUP_COLUMNS))
    return table.astype({"cutoff_min": access["cutoff_min"].dtype})


def _figures(access: pd.DataFrame) -> Iterable[tuple[tuple[Any, ...], pd.DataFrame]]:
    """The counts of opportunities of whole keys on average over departures, by scenario, day, window, kind, cutoff."""
    wanted = (access["measure"] == "cumulative_opportunities") & (access["reading"] == "mean")
    rows = access[wanted & ~access["kind"].str.contains("/", regex=False)]
    columns = ["scenario", "day", "window", "kind", "measure", "cutoff_min"]
    return ((tuple(key), part) for key, part in rows.groupby(columns, sort=False))


def _indices(
    rows: pd.DataFrame, people: pd.DataFrame, total: float, line: float | None
) -> dict[str, tuple[float, str]]:
    """Value and unit of each index."""
    here = people.reindex(rows["neighbourhood"])
    x, persons, rank = rows["value"].to_numpy(dtype=float), here["population"], here["deprivation_rank"]
    persons = persons.fillna(0.0).to_numpy()
    unit = str(rows["unit"].iloc[0])
    found: dict[str, tuple[float, str]] = {}
    if rank.notna().any():
        by_rank = rank.to_numpy()
        found["concentration_index"] = (equity.concentration_index(x, persons, by_rank), "index")
        found["erreygers_index"] = (equity.erreygers_index(x, persons, by_rank, lower=0.0, upper=total), "index")
        found["palma_ratio"] = (equity.palma_ratio(x, persons, by_rank).ratio, "ratio")
    found["gini_index"] = (equity.gini_index(x, persons), "index")
    found["mean_absolute_difference"] = (equity.mean_absolute_difference(x, persons), unit)
    found["theil_index"] = (equity.theil_index(x, persons), "index")
    if line is not None:
        found["poverty_of_access"] = (equity.poverty_of_access(x, persons, line=line), SHARE)
    return found


# --- mixing ----------------------------------------------------------------------------------------------------------


def visitors_in_window(
    inputs: WindowInputs, persons: pd.DataFrame, rows: NDArray[np.int64], *, cutoff_min: float
) -> Visitors:
    """Potential visitors of some of the destinations in a window: reached on a share of its departures, sized by amount.

    Parameters
    ----------
    inputs : WindowInputs
    persons : DataFrame
        Persons of each group in each zone, rows as in ``inputs.zones``.
    rows : int64, shape (n_places,)
        Which destinations.
    cutoff_min : float
    """
    times = np.ascontiguousarray(inputs.time_s[:, :, rows])
    weight = np.nan_to_num(inputs.of_zones(share_within(times, cutoff_s=cutoff_min * MINUTE)), nan=0.0)
    return potential_visitors(persons, weight, inputs.destinations["amount"].to_numpy(dtype=np.float64)[rows])
