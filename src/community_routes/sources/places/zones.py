"""The neighbourhoods: areas with their people, deprivation, groups and the points at which journeys start."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice, Sample, declare, raise_on_errors
from community_routes.sources.places.joins import join_table, match_rows, mended
from community_routes.sources.places.table import (
    BAD_TABLE,
    Table,
    find_column,
    numbers,
    read_map,
    table_html,
    take,
    unique_ids,
)
from community_routes.sources.places.zone_checks import check_deprivation, check_origins, check_people
from community_routes.sources.study.models import build_part
from community_routes.sources.study.places import Neighbourhoods

POPULATION_UNKNOWN = declare(
    "population_unknown",
    "warning",
    "A neighbourhood has no population in the table; it counts as nobody.",
    outcome="left out",
)
DEPRIVATION_UNKNOWN = declare(
    "deprivation_unknown",
    "warning",
    "A neighbourhood has no deprivation rank; it is left out where neighbourhoods are ranked.",
    outcome="left out",
)
INCOME_UNKNOWN = declare(
    "income_unknown",
    "warning",
    "A neighbourhood has no income in the table; shares of it are missing there.",
    outcome="left out",
)
GROUPS_UNKNOWN = declare(
    "groups_unknown", "warning", "A neighbourhood has people but no shares of groups; its people are in no group."
)
GROUPS_WITHOUT_POPULATION = declare(
    "groups_without_population", "info", "Groups are given without a population; their own counts are used as they are."
)
ORIGIN_INSIDE = declare("origin_inside", "info", "Neighbourhoods without a given origin start at a point inside them.")
WEIGHTS_OF_NOTHING = declare(
    "weights_of_nothing", "warning", "All origin points of a neighbourhood weigh nothing; they count alike."
)
PER_MONTH = {"week": 52 / 12, "month": 1.0, "year": 1 / 12}
"""Months of an income: a year has 52 weeks and 12 months."""
BAD_DECILE = declare("bad_decile", "error", "A decile that is no whole number from 1 to 10, or a rank below 1.")


@dataclass(frozen=True, eq=False)
class Zones:
    """The neighbourhoods of a study.

    Attributes
    ----------
    table : GeoDataFrame (EPSG:4326), one row each, in the file's order
        ``id``, ``name``, ``group`` (text, empty where there is none); ``population`` (float, persons; 1 each where none is
        given); ``deprivation_rank`` and ``deprivation_decile`` (float, 1 = most deprived, NaN where unknown);
        ``income_rank`` likewise where it is given; ``income_per_month`` (float, money, NaN where unknown) where an income is
        given; ``geometry``.
    origins : DataFrame
        ``zone`` (int32, row of ``table``, never falling), ``id``, ``lon``, ``lat`` (degrees), ``weight`` (float, adds up to 1 in
        each zone); at least one row for each zone.
    groups : DataFrame or None
        Persons (float) of each group, one column each, rows as in ``table``.
    has_population : bool
        Whether the population was given.
    """

    table: Any
    origins: pd.DataFrame
    groups: pd.DataFrame | None = None
    has_population: bool = True

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        people = f"{self.table['population'].sum():,.0f} persons" if self.has_population else "population not given"
        groups = f", groups {', '.join(self.groups.columns)}" if self.groups is not None else ""
        return f"Zones({len(self.table)} neighbourhoods, {len(self.origins)} origins, {people}{groups})"

    def _repr_html_(self) -> str:
        return table_html(self, self.table)


def read_zones(
    spec: Neighbourhoods | Mapping[str, Any], folder: str | Path = ".", notices: list[Notice] | None = None
) -> Zones:
    """Read the neighbourhoods and all that the study joins to them.

    Every fault is a notice; errors are raised once, at the end, with all of them.

    Parameters
    ----------
    spec : Neighbourhoods or mapping
        The study's ``neighbourhoods``, or a dict of its keys: ``read_zones({"file": "areas.geojson", "id": "code"})``.
    folder : path
        Where relative file names begin.
    notices : list of Notice, optional
        Every finding is appended, errors too.

    Returns
    -------
    Zones

    Raises
    ------
    StudyError
        A file, column, row or join cannot be used.
    """
    found: list[Notice] = []
    spec = build_part(Neighbourhoods, spec, folder)
    try:
        zones = _Reading(spec, Path(folder), found).run()
    finally:
        if notices is not None:
            known = set(notices)  # a missing file was reported when the study file was read
            notices.extend(notice for notice in found if notice not in known)
    raise_on_errors(found, StudyError)
    assert zones is not None
    return zones


@dataclass
class _Reading:
    """One reading of the neighbourhoods; every step adds its notices to ``found`` and the others go on."""

    spec: Neighbourhoods
    folder: Path
    found: list[Notice]

    def run(self) -> Zones | None:
        areas = read_map(self.folder / self.spec.file, self.spec, self.found)
        if areas is None:
            return None
        id_column = find_column(areas, self.spec, "id", self.found)
        name_column = find_column(areas, self.spec, "name", self.found) if self.spec.name else None
        if areas.n == 0:
            self.found.append(BAD_TABLE.at(areas.file, message="holds no neighbourhoods"))
            return None
        if id_column is None:
            return None
        rows = unique_ids(areas, id_column, self.found, "neighbourhood")
        areas = take(areas, np.asarray(list(rows.values()), np.int64))
        ids = list(rows)
        assert areas.geometry is not None
        shapes = mended(areas.geometry, ids, areas, self.found)
        table = gpd.GeoDataFrame(
            {
                "id": ids,
                "name": [
                    name or code
                    for name, code in zip(areas.columns[name_column] if name_column else ids, ids, strict=True)
                ],
                "group": self._group(ids, areas),
            },
            geometry=shapes,
            crs="EPSG:4326",
        )
        population = self._population(ids, areas)
        ranks = self._deprivation(ids, areas)
        income = self._income(ids, areas)
        groups = self._groups(ids, areas, population)
        origins = self._origins(ids, areas, shapes)
        table.insert(3, "population", np.ones(len(ids)) if population is None else population)
        for place, (name, values) in enumerate(ranks.items()):
            table.insert(4 + place, name, values)
        if income is not None:
            table.insert(4 + len(ranks), "income_per_month", income)
        return Zones(table, origins, groups, population is not None)

    def _group(self, ids: list[str], areas: Table) -> list[str]:
        """The larger area of each neighbourhood; empty where there is none."""
        spec = self.spec.group
        if spec is None:
            return [""] * len(ids)
        if isinstance(spec, str):
            column = find_column(areas, self.spec, "group", self.found)
            return areas.columns[column] if column is not None else [""] * len(ids)
        joined = join_table(ids, "neighbourhoods", areas, spec, self.folder, self.found)
        column = find_column(joined[0], spec, "column", self.found) if joined is not None else None
        names = [""] * len(ids)
        if joined is not None and column is not None:
            table, matches = joined
            for place, row in zip(matches.place.tolist()[::-1], matches.row.tolist()[::-1], strict=True):
                names[place] = table.columns[column][row]  # the first row of a place is set last
        return names

    def _population(self, ids: list[str], areas: Table) -> NDArray[np.float64] | None:
        spec = self.spec.population
        if spec is None:
            return None
        joined = join_table(ids, "neighbourhoods", areas, spec, self.folder, self.found)
        if joined is None:
            return np.ones(len(ids))
        table, matches = joined
        column = find_column(table, spec, "column", self.found)
        if column is None:
            return np.ones(len(ids))
        people = matches.summed(numbers(table, column, matches.row, self.found), len(ids))
        unknown = Sample(POPULATION_UNKNOWN)
        for i in np.flatnonzero(np.isnan(people)).tolist():
            unknown.add(
                table.file, field=column, value=ids[i], message=f"{ids[i]} has no population; it counts as nobody"
            )
        self.found.extend(unknown.notices())
        people = np.nan_to_num(people)
        check_people(people, ids, table, column, self.found)
        return people

    def _income(self, ids: list[str], areas: Table) -> NDArray[np.float64] | None:
        """Income of a month; of merged areas the mean. What is not above 0 is unknown."""
        spec = self.spec.income
        joined = None if spec is None else join_table(ids, "neighbourhoods", areas, spec, self.folder, self.found)
        column = find_column(joined[0], spec, "column", self.found) if spec is not None and joined is not None else None
        if spec is None or joined is None or column is None:
            return None
        table, matches = joined
        income = matches.averaged(numbers(table, column, matches.row, self.found), len(ids)) * PER_MONTH[spec.per]
        income = np.where(income > 0, income, np.nan)
        unknown = Sample(INCOME_UNKNOWN)
        for i in np.flatnonzero(np.isnan(income)).tolist():
            unknown.add(table.file, field=column, value=ids[i], message=f"{ids[i]} has no income above 0")
        self.found.extend(unknown.notices())
        return income

    def _deprivation(self, ids: list[str], areas: Table) -> dict[str, NDArray[np.float64]]:
        """Rank and decile by the names of their columns; ``income_rank`` only where it is asked for."""
        rank, decile, income = (np.full(len(ids), np.nan) for _ in range(3))
        ranks = {"deprivation_rank": rank, "deprivation_decile": decile}
        spec = self.spec.deprivation
        joined = None if spec is None else join_table(ids, "neighbourhoods", areas, spec, self.folder, self.found)
        if spec is None or joined is None:
            return ranks
        if spec.income_rank is not None:
            ranks["income_rank"] = income
        table, matches = joined
        for key, values in (("rank", rank), ("decile", decile), ("income_rank", income)):
            if getattr(spec, key) is None:
                continue
            column = find_column(table, spec, key, self.found)
            if column is None:
                continue
            cells = numbers(table, column, matches.row, self.found, minimum=None)
            self._check_scale(table, column, key, matches.row, cells)
            values[:] = matches.averaged(cells, len(ids))
            unknown = Sample(DEPRIVATION_UNKNOWN)
            for i in np.flatnonzero(np.isnan(values)).tolist():
                what = key.replace("_", " ")
                unknown.add(table.file, field=column, value=ids[i], message=f"{ids[i]} has no {what} of deprivation")
            self.found.extend(unknown.notices())
        np.ceil(decile - 0.5, out=decile)  # where areas were merged, the half is the more deprived
        check_deprivation(rank, decile, ids, table, spec, self.found)
        return ranks

    def _check_scale(
        self, table: Table, column: str, key: str, rows: NDArray[np.int64], cells: NDArray[np.float64]
    ) -> None:
        with np.errstate(invalid="ignore"):
            bad = (cells < 1) if key != "decile" else (cells < 1) | (cells > 10) | (cells != np.floor(cells))
        sample = Sample(BAD_DECILE)
        for i in np.flatnonzero(bad).tolist():
            what = "a rank is a number from 1 up" if key != "decile" else "a decile is a whole number from 1 to 10"
            text = table.columns[column][rows[i]]
            sample.add(table.file, row=int(table.row[rows[i]]), field=column, value=text, message=f"{text!r}: {what}")
        self.found.extend(sample.notices())

    def _groups(self, ids: list[str], areas: Table, population: NDArray[np.float64] | None) -> pd.DataFrame | None:
        spec = self.spec.groups
        joined = None if spec is None else join_table(ids, "neighbourhoods", areas, spec, self.folder, self.found)
        if spec is None or joined is None:
            return None
        table, matches = joined
        counts: dict[str, NDArray[np.float64]] = {}
        for group, names in spec.columns.items():
            total = np.zeros(len(ids))
            for name in names:
                column = find_column(table, spec, "columns", self.found, name)
                if column is None:
                    continue
                total += np.nan_to_num(matches.summed(numbers(table, column, matches.row, self.found), len(ids)))
            counts[group] = total
        frame = pd.DataFrame(counts, dtype=np.float64)
        if population is None:
            message = "no population is given, so the counts of the groups are used as they are"
            self.found.append(GROUPS_WITHOUT_POPULATION.at(**spec.at(), message=message))
            return frame
        whole = frame.to_numpy().sum(axis=1)
        unknown = Sample(GROUPS_UNKNOWN)
        for i in np.flatnonzero((whole <= 0) & (population > 0)).tolist():
            message = f"{ids[i]} has {population[i]:,.0f} persons but nobody in any group"
            unknown.add(table.file, value=ids[i], message=message)
        self.found.extend(unknown.notices())
        factor = np.divide(population, whole, out=np.zeros(len(ids)), where=whole > 0)
        return frame.mul(factor, axis=0)

    def _origins(self, ids: list[str], areas: Table, shapes: NDArray[np.object_]) -> pd.DataFrame:
        given = self._given_origins(ids, areas)
        inside = [i for i in range(len(ids)) if i not in given]
        if given and inside:
            message = (
                f"{len(inside)} of {len(ids)} neighbourhoods have no origin point; they start at a point inside them"
            )
            self.found.append(
                ORIGIN_INSIDE.at(areas.file, value=", ".join(ids[i] for i in inside[:8]), message=message)
            )
        with np.errstate(all="ignore"):  # an area of a hair's breadth; the check of its extent has passed
            points = shapely.point_on_surface(shapes[inside])
        for i, point in zip(inside, points, strict=True):
            given[i] = [(float(shapely.get_x(point)), float(shapely.get_y(point)), 1.0)]
        rows = []
        for i, code in enumerate(ids):
            weights = [weight for _, _, weight in given[i]]
            total = sum(weights)
            if total <= 0:
                message = f"all {len(weights)} origin points of {code} weigh nothing; they count alike"
                self.found.append(WEIGHTS_OF_NOTHING.at(areas.file, value=code, message=message))
                weights, total = [1.0] * len(weights), float(len(weights))
            for k, (lon, lat, _) in enumerate(given[i]):
                name = code if len(weights) == 1 else f"{code}#{k + 1}"
                rows.append((i, name, lon, lat, weights[k] / total))
        origins = pd.DataFrame(rows, columns=["zone", "id", "lon", "lat", "weight"])
        origins["zone"] = origins["zone"].astype(np.int32)
        if self.spec.origin_points is not None:
            check_origins(origins, shapes, ids, self.spec.origin_points, self.found)
        return origins

    def _given_origins(self, ids: list[str], areas: Table) -> dict[int, list[tuple[float, float, float]]]:
        """Longitude, latitude and weight of the given origins of each neighbourhood that has any."""
        spec = self.spec.origin_points
        if spec is None:
            return {}
        points = read_map(self.folder / (spec.file or self.spec.file), spec, self.found)
        if points is None or points.geometry is None:
            return {}
        column = self.spec.id if spec.file is None else find_column(points, spec, "id", self.found)
        weight_column = find_column(points, spec, "weight", self.found) if spec.weight else None
        if column is None or (spec.weight is not None and weight_column is None):
            return {}
        several = spec.weight is not None
        matches = match_rows(ids, "neighbourhoods", points, column, spec.at("id"), self.found, several=several)
        if matches is None:
            return {}
        weights = np.ones(len(matches.row))
        if weight_column is not None:
            weights = np.nan_to_num(numbers(points, weight_column, matches.row, self.found))
        centre = shapely.centroid(points.geometry[matches.row])
        x, y = shapely.get_x(centre), shapely.get_y(centre)
        given: dict[int, list[tuple[float, float, float]]] = defaultdict(list)
        for i, place in enumerate(matches.place):
            given[int(place)].append((float(x[i]), float(y[i]), float(weights[i])))
        return dict(given)
