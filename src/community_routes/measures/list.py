"""Measures beyond reach as rows of the tables: competition, service near home, other wards, indices of equity, mixing.

Each ``build_further`` measure makes rows of access.csv from one window's inputs, so that groups, gaps and changes follow
from them as from any other; ``equity_rows`` makes rows of groups.csv from a finished access table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.times import MINUTE
from community_routes.fares.month import Commute
from community_routes.measures import equity
from community_routes.measures.access import kinds_of_places
from community_routes.measures.competition import (
    Catchment,
    balanced_catchment,
    spatial_availability,
    two_step_catchment,
)
from community_routes.measures.decay import Decay, Step, build_decay
from community_routes.measures.groups import GROUP_COLUMNS, PERSONS_CHANGED
from community_routes.measures.measure import SHARE
from community_routes.measures.meeting import Visitors, potential_visitors
from community_routes.measures.money import Affordability, Commuting
from community_routes.measures.reach import mean_over_departures, percentile_times, share_within
from community_routes.measures.service import near_frequent_stop, ptal_form_index, service_per_hour
from community_routes.measures.wards import share_of_other_wards, ward_matrix
from community_routes.measures.weighted import weighted_quantile
from community_routes.measures.window import FurtherMeasure, WindowInputs

__all__ = [
    "FURTHER",
    "Affordability",
    "Commuting",
    "Competition",
    "FurtherMeasure",
    "OtherWards",
    "Service",
    "WindowInputs",
    "build_further",
    "equity_rows",
    "poverty_lines",
    "visitors_in_window",
    "ward_table",
]

FloatArray = NDArray[np.float64]
STOPS = "stops"
WARDS = "wards"
MEDIAN = 50


def ward_table(inputs: WindowInputs) -> pd.DataFrame | None:
    """The ward-to-ward matrix of a window (``connection.ward_matrix``) on the median departure; None without ``zone_time_s``.

    Columns: scenario, day, window, from_group, to_group, cutoff_min, persons (of the row's ward, on the network or not),
    share (of those on the network, who reach), unit, median_s (missing where most do not reach), reading, reason. From or to a
    ward with no point on the network both are missing as ``off_network``.
    """
    if inputs.zone_time_s is None:
        return None
    wards = inputs.zones["group"].tolist()
    starts = [wards[zone] for zone in inputs.origins["zone"].tolist()]
    persons = inputs.persons_of_origins()
    of_ward = pd.Series(persons).groupby(starts).sum()
    off = set(starts) - {ward for ward, on in zip(starts, inputs.on_network, strict=True) if on}
    tables = []
    for cutoff in inputs.cutoffs_min:
        found = ward_matrix(
            inputs.zone_time_s, persons, wards,
            cutoff_s=cutoff * MINUTE, on_network=inputs.on_network, ward_of_origin=starts,
        )  # fmt: skip
        table = found.table().rename(columns={"from_ward": "from_group", "to_ward": "to_group"})
        table.insert(2, "cutoff_min", cutoff)
        table.insert(3, "persons", of_ward.reindex(table["from_group"]).to_numpy(dtype=np.float64))
        table.insert(5, "unit", SHARE)
        gone = table["from_group"].isin(off) | table["to_group"].isin(off)
        table.loc[gone, ["share", "median_s"]] = np.nan
        tables.append(table.assign(reading=f"p{MEDIAN}", reason=np.where(gone, "off_network", "")))
    made = pd.concat(tables, ignore_index=True).sort_values(["from_group", "to_group", "cutoff_min"], kind="stable")
    for place, column in enumerate(("scenario", "day", "window")):
        made.insert(place, column, getattr(inputs, column))
    return made.reset_index(drop=True)


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


FURTHER = (
    "affordability",
    "balanced_catchment",
    "commuting_cost",
    "service",
    "share_of_other_wards",
    "spatial_availability",
    "two_step_catchment",
)


def build_further(name: str, settings: Mapping[str, Any]) -> FurtherMeasure:
    """A further measure by its name in a study file.

    ``two_step_catchment``, ``balanced_catchment``, ``spatial_availability`` with ``cutoff_min`` (45), or with ``decay``
    and its settings; ``service`` with ``within_m`` (400) and ``per_hour`` (1); ``share_of_other_wards``; ``affordability``
    at the budgets of the study's fares; ``commuting_cost`` with ``key`` (employment), ``share`` (0.5), ``days`` (21),
    ``days_a_week`` (5) and ``concession`` (false).

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
    if name == "commuting_cost":
        _only(name, given, {"key", "share", "days", "days_a_week", "concession"})
        share, days, week = float(given.get("share", 0.5)), int(given.get("days", 21)), int(given.get("days_a_week", 5))
        if not 0 < share <= 1 or days < 1 or not 1 <= week <= 7:
            raise ValueError(
                f"commuting_cost takes a share above 0 up to 1, days from 1 and days_a_week from 1 to 7: {given}"
            )
        commute = Commute(str(given.get("key", "employment")), days, week, bool(given.get("concession", False)))
        return Commuting(commute, share)
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
                    **dict.fromkeys(PERSONS_CHANGED, math.nan),
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
        bounded = equity.erreygers_index(x, persons, by_rank, lower=0.0, upper=total) if total > 0 else math.nan
        found["erreygers_index"] = (bounded, "index")
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
