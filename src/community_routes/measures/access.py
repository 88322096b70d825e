"""The rows of access.csv: every chosen measure of reach, by kind of place, cutoff and reading, for every zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from community_routes.base.columns import ACCESS_COLUMNS
from community_routes.base.times import UNREACHED
from community_routes.measures.measure import (
    PLACES,
    SHARE,
    AccessMeasure,
    PlacesOfKind,
    by_departure,
    default_measures,
)
from community_routes.measures.reach import (
    mean_over_departures,
    percentile_over_departures,
    percentile_times,
    share_of_departures,
    zone_average,
)
from community_routes.measures.weighted import weighted_quantile
from community_routes.routing.matrices import as_times

FloatArray = NDArray[np.float64]
MEDIAN = 50
REASONS = ("", "no_destination", "off_network", "no_service", "over_time", "over_fare", "income_unknown")
_CODE = {reason: code for code, reason in enumerate(REASONS)}


@dataclass(frozen=True, eq=False)
class _Origins:
    """Origin points: their zones and weights (0 off the network), and which zones have none on the network."""

    zone: NDArray[np.int64]
    weight: FloatArray
    reason: NDArray[np.int8]
    n_zones: int

    @property
    def on_network(self) -> NDArray[np.bool_]:
        return np.asarray(self.reason != _CODE["off_network"])

    def zones_without(self, code: int) -> NDArray[np.bool_]:
        """Zones none of whose points on the network is free of a reason (or that have no point on the network)."""
        free = self.on_network & (self.reason != code)
        return np.asarray(np.bincount(self.zone[free], minlength=self.n_zones) == 0)


@dataclass(frozen=True, eq=False)
class _Block:
    """One column of results: what it is, and a value and a reason for each zone."""

    key: tuple[str, str, tuple[int, int], float]
    kind: str
    measure: str
    reading: str
    cutoff_min: float | None
    unit: str
    value: FloatArray
    reason: NDArray[np.int8]


def access_rows(
    zones: pd.DataFrame,
    origins: pd.DataFrame,
    destinations: pd.DataFrame,
    time_s: ArrayLike,
    *,
    scenario: str,
    day: str,
    window: str,
    cutoffs_min: Sequence[float],
    percentiles: Sequence[int] = (25, 50, 75),
    times_of_percentile: Mapping[int, ArrayLike] | None = None,
    origin_reason: Sequence[str] | None = None,
    destination_reason: Sequence[str] | None = None,
    units: Mapping[str, str] | None = None,
    keys: Iterable[str] = (),
    measures: Sequence[AccessMeasure] | None = None,
    mean_times: bool = False,
) -> pd.DataFrame:
    """Access of every zone in one window of one day under one scenario, in the columns of access.csv.

    Readings of counts: ``mean`` (over departures) and ``p<percentile>`` (from that percentile of travel time).
    Readings of times, in seconds: ``p<percentile>``, that percentile over departures of the time at each of them (to the
    place that is nearest then), with ``p50``, the headline, always among them; and ``mean`` where it is asked for, which
    a zone has only when every departure reaches. Beside each time stands the measure ``share_reached_<measure>``: the
    share of departures with a journey, 0 to 1.

    A zone on the network that reaches nothing has counts of 0 and times missing with a reason; a zone off the network
    has everything missing with the reason ``off_network``. Several origin points of a zone: counts and shares are
    averaged by weight over the points on the network; of times the weighted median is taken, because the mean of a
    time and of no time is no time.

    One kind of place under a key (``shared_spaces/library``) has its headline readings only: ``mean`` of counts, ``p50``
    of times and the share that reaches.

    Parameters
    ----------
    zones : DataFrame
        id, name, population, deprivation_decile; one row for each zone.
    origins : DataFrame
        zone (row in ``zones``), weight; one row for each row of ``time_s``.
    destinations : DataFrame
        key, kind ("" where places have none), amount; one row for each destination.
    time_s : int32, shape (n_origins, n_departures, n_destinations)
        Seconds, ``UNREACHED`` where there is no journey.
    scenario, day, window : str
        Names for the first three columns.
    cutoffs_min : sequence of float
    percentiles : sequence of int
    times_of_percentile : mapping of int to int32 array of shape (n_origins, n_destinations), optional
        Percentiles of travel time already at hand; others are taken from ``time_s``.
    origin_reason, destination_reason : sequence of str, optional
        "" for a point that can travel, ``off_network``, or ``no_service`` (no trip within walking limits that day).
    units : mapping of str to str, optional
        Unit of the amounts of a key; otherwise ``places`` where every amount is 1, else ``amount``.
    keys : iterable of str
        Keys of the study that may have no destination at all; they get rows too.
    measures : sequence of AccessMeasure, optional
        Default: ``choose.default_measures``.
    mean_times : bool
        Rows with the reading ``mean`` for times too.

    Returns
    -------
    DataFrame
        Sorted by neighbourhood, kind, measure, reading, cutoff.
    """
    times = as_times(time_s)
    if times.ndim != 3 or times.shape[0] != len(origins) or times.shape[2] != len(destinations):
        raise ValueError(
            f"times have the shape {times.shape}; {len(origins)} origins and {len(destinations)} destinations "
            "need (origins, departures, destinations)"
        )
    points = _origins(origins, origin_reason, len(zones))
    at_destination = _codes(destination_reason, len(destinations))
    given = times_of_percentile or {}
    by_percentile = {p: as_times(given[p]) if p in given else percentile_times(times, p) for p in sorted(percentiles)}
    chosen = default_measures(cutoffs_min) if measures is None else tuple(measures)
    blocks: list[_Block] = []
    for places in kinds_of_places(destinations, units=units, keys=keys):
        missing = _reason_of_missing_time(points, at_destination[places.columns])
        whole_key = "/" not in places.kind
        for measure in chosen:
            if not whole_key and not getattr(measure, "for_kinds", True):
                continue
            if measure.is_time:
                shown = sorted({MEDIAN, *by_percentile}) if whole_key else [MEDIAN]
                blocks += _time_blocks(measure, places, times, shown, points, missing, mean_times)
            else:
                blocks += _count_blocks(measure, places, times, by_percentile if whole_key else {}, points)
    return _as_table(blocks, zones, scenario, day, window)


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


def _codes(reasons: Sequence[str] | None, n: int) -> NDArray[np.int8]:
    if reasons is None:
        return np.zeros(n, dtype=np.int8)
    if len(reasons) != n:
        raise ValueError(f"{len(reasons)} reasons were given for {n} points")
    if unknown := set(reasons) - {"", "off_network", "no_service"}:
        raise ValueError(f"a point's reason is one of '', 'off_network', 'no_service', not {sorted(unknown)}")
    return np.asarray([_CODE[reason] for reason in reasons], dtype=np.int8)


def _origins(origins: pd.DataFrame, reasons: Sequence[str] | None, n_zones: int) -> _Origins:
    zone = origins["zone"].to_numpy(dtype=np.int64)
    return _Origins(zone, origins["weight"].to_numpy(dtype=np.float64), _codes(reasons, len(origins)), n_zones)


def _reason_of_missing_time(points: _Origins, at_destination: NDArray[np.int8]) -> NDArray[np.int8]:
    """Why a zone has no time to a kind of place, should it have none: the first that holds, in the order of REASONS."""
    reason = np.full(points.n_zones, _CODE["over_time"], dtype=np.int8)
    off, none = _CODE["off_network"], _CODE["no_service"]
    on_network = at_destination[at_destination != off]
    reason[points.zones_without(none) | bool((on_network == none).all())] = none
    reason[points.zones_without(off) | bool(len(on_network) == 0)] = off
    if len(at_destination) == 0:
        reason[:] = _CODE["no_destination"]
    return reason


def _off_network(points: _Origins) -> NDArray[np.bool_]:
    return points.zones_without(_CODE["off_network"])


def _zone_values(points: _Origins, values: FloatArray) -> FloatArray:
    """Access of zones from access of origins; NaN where a zone has no point on the network."""
    lead = points.on_network.reshape((-1,) + (1,) * (values.ndim - 1))
    return zone_average(np.where(lead, values, np.nan), points.zone, points.weight, points.n_zones)


def _count_blocks(
    measure: AccessMeasure,
    places: PlacesOfKind,
    times: NDArray[np.int32],
    by_percentile: Mapping[int, NDArray[np.int32]],
    points: _Origins,
) -> list[_Block]:
    """Counts in each reading; only a zone off the network lacks them."""
    reason = np.where(_off_network(points), _CODE["off_network"], 0).astype(np.int8)
    each = by_departure(measure, times, places)
    readings = {"mean": mean_over_departures(each.transpose(0, 2, 1))}
    for percentile, matrix in by_percentile.items():
        readings[f"p{percentile}"] = measure.of_rows(matrix, places)
    return [
        _block(measure.name, places, reading, cutoff, measure.unit(places), _zone_values(points, values[:, k]), reason)
        for reading, values in readings.items()
        for k, cutoff in enumerate(measure.cutoffs_min)
    ]


def _time_blocks(
    measure: AccessMeasure,
    places: PlacesOfKind,
    times: NDArray[np.int32],
    percentiles: Sequence[int],
    points: _Origins,
    missing: NDArray[np.int8],
    mean_times: bool,
) -> list[_Block]:
    """Times in each reading, in seconds, and the share of departures that reach."""
    each = by_departure(measure, times, places)
    nowhere = _off_network(points) | (missing == _CODE["no_destination"])
    gone = np.where(nowhere, missing, 0).astype(np.int8)
    blocks: list[_Block] = []
    for k, cutoff in enumerate(measure.cutoffs_min):
        seconds = each[:, :, k]
        readings = {f"p{p}": _zone_times(points, percentile_over_departures(seconds, p)) for p in percentiles}
        if mean_times:
            readings["mean"] = _zone_values(points, mean_over_departures(seconds))
        for reading, values in readings.items():
            known = np.isfinite(values)
            reason = np.where(known, 0, missing).astype(np.int8)
            shown = np.where(known, values, np.nan)
            unit = measure.unit(places)
            blocks.append(_block(measure.name, places, reading, cutoff, unit, shown, reason))
        share = np.where(nowhere, np.nan, _zone_values(points, share_of_departures(seconds)))
        blocks.append(_block(f"share_reached_{measure.name}", places, "mean", cutoff, SHARE, share, gone))
    return blocks


def _zone_times(points: _Origins, seconds: NDArray[np.int32]) -> FloatArray:
    """Weighted median of the times of a zone's points on the network, infinite where that is not reached."""
    floats = np.where(seconds == UNREACHED, np.inf, seconds.astype(np.float64))
    result = np.full(points.n_zones, np.inf)
    on = np.flatnonzero(points.on_network)
    if len(np.unique(points.zone[on])) == len(on):  # one point in each zone, the common case
        result[points.zone[on]] = floats[on]
        return result
    order = np.argsort(points.zone, kind="stable")
    first = np.searchsorted(points.zone[order], np.arange(points.n_zones + 1))
    for zone in range(points.n_zones):
        rows = order[first[zone] : first[zone + 1]]
        rows = rows[points.on_network[rows]]
        if len(rows) == 1:
            result[zone] = floats[rows[0]]
        elif len(rows) > 1:
            weight = points.weight[rows]
            result[zone] = weighted_quantile(floats[rows], weight if weight.sum() > 0 else np.ones(len(rows)))
    return result


def reading_order(reading: str) -> tuple[int, int]:
    """Place of a reading among others: mean, percentiles by their number, others."""
    if reading.startswith("p") and reading[1:].isdigit():
        return (1, int(reading[1:]))
    return (0 if reading == "mean" else 2, 0)


def _block(
    measure: str,
    places: PlacesOfKind,
    reading: str,
    cutoff: float | None,
    unit: str,
    value: FloatArray,
    reason: NDArray[np.int8],
) -> _Block:
    key = (places.kind, measure, reading_order(reading), -1.0 if cutoff is None else float(cutoff))
    return _Block(key, places.kind, measure, reading, cutoff, unit, value, reason)


def whole_or_float(values: Any) -> Any:
    """Numbers with gaps as a pandas column: whole ones as Int64 (a cutoff is written 45, not 45.0), others as floats."""
    numbers = np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)
    known = numbers[~np.isnan(numbers)]
    return pd.array(numbers, dtype="Int64" if (known == np.rint(known)).all() else "float64")


def _as_table(blocks: list[_Block], zones: pd.DataFrame, scenario: str, day: str, window: str) -> pd.DataFrame:
    """Zones in order of their ids, and under each the blocks in order of their keys."""
    blocks = sorted(blocks, key=lambda block: block.key)
    order = np.argsort(zones["id"].to_numpy(dtype=str), kind="stable")
    n_blocks, n_rows = len(blocks), len(blocks) * len(order)

    def by_zone(column: str) -> Any:
        return zones[column].to_numpy()[order].repeat(n_blocks)

    def by_block(values: list[Any]) -> Any:
        return np.tile(np.asarray(values, dtype=object), len(order))

    value = np.stack([block.value for block in blocks], axis=1) if blocks else np.empty((len(zones), 0))
    reason = np.stack([block.reason for block in blocks], axis=1) if blocks else np.empty((len(zones), 0), dtype=int)
    columns: dict[str, Any] = {
        "scenario": np.full(n_rows, scenario, dtype=object),
        "day": np.full(n_rows, day, dtype=object),
        "window": np.full(n_rows, window, dtype=object),
        "neighbourhood": by_zone("id"),
        "name": by_zone("name"),
        "population": by_zone("population").astype(np.float64),
        "deprivation_decile": whole_or_float(by_zone("deprivation_decile")),
        "kind": by_block([block.kind for block in blocks]),
        "measure": by_block([block.measure for block in blocks]),
        "reading": by_block([block.reading for block in blocks]),
        "cutoff_min": whole_or_float(by_block([block.cutoff_min for block in blocks])),
        "value": value[order].reshape(-1),
        "unit": by_block([block.unit for block in blocks]),
        "reason": np.asarray(REASONS, dtype=object)[reason[order].reshape(-1)],
    }
    return pd.DataFrame(columns, columns=list(ACCESS_COLUMNS))
