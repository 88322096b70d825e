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
from community_routes.base.notices import Code, Notice, Sample, declare, findings
from community_routes.sources.places.joins import Matches, join_table, look_at_columns, match_rows, mended
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
from community_routes.sources.study.places import Neighbourhoods, TableSpec

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
    with findings(notices, StudyError) as found:
        part = build_part(Neighbourhoods, spec, folder)
        reading = _read_areas(part, Path(folder), found)
        if reading is None:
            _look_at_tables(part, Path(folder), found)
        zones = None if reading is None else reading.zones()
    assert zones is not None
    return zones


def _read_areas(spec: Neighbourhoods, folder: Path, found: list[Notice]) -> _Reading | None:
    """The areas themselves, each id once; None with a notice where there are none."""
    areas = read_map(folder / spec.file, spec, found)
    if areas is None:
        return None
    id_column = find_column(areas, spec, "id", found)
    name_column = find_column(areas, spec, "name", found) if spec.name else None
    if areas.n == 0:
        found.append(BAD_TABLE.at(areas.file, message="holds no neighbourhoods"))
        return None
    if id_column is None:
        return None
    rows = unique_ids(areas, id_column, found, "neighbourhood")
    areas = take(areas, np.asarray(list(rows.values()), np.int64))
    ids = list(rows)
    assert areas.geometry is not None
    shapes = mended(areas.geometry, ids, areas, found)
    names = areas.columns[name_column] if name_column else ids
    return _Reading(
        spec, folder, found, ids, [name or code for name, code in zip(names, ids, strict=True)], areas, shapes
    )


def _look_at_tables(spec: Neighbourhoods, folder: Path, found: list[Notice]) -> None:
    """Note what is wrong with the tables themselves, where there are no areas to join them to."""
    for part in (spec.group, spec.population, spec.income, spec.deprivation, spec.groups):
        if isinstance(part, TableSpec):
            look_at_columns(part, folder, found)
    points = spec.origin_points
    if points is not None and points.file is not None:
        table = read_map(folder / points.file, points, found)
        for key in ("id", "weight"):
            if table is not None and getattr(points, key) is not None:
                find_column(table, points, key, found)


@dataclass(frozen=True)
class _Reading:
    """The areas, and what is joined to them; every step adds its notices to ``found`` and the others go on.

    ``ids``, ``names``, the rows of ``areas`` and ``shapes`` (shape (n,)) are those of the neighbourhoods, in the file's order.
    """

    spec: Neighbourhoods
    folder: Path
    found: list[Notice]
    ids: list[str]
    names: list[str]
    areas: Table
    shapes: NDArray[np.object_]

    def zones(self) -> Zones:
        columns: dict[str, Any] = {"id": self.ids, "name": self.names, "group": self._group()}
        population = self._population()
        columns["population"] = np.ones(len(self.ids)) if population is None else population
        columns |= self._deprivation()
        income = self._income()
        if income is not None:
            columns["income_per_month"] = income
        table = gpd.GeoDataFrame(columns, geometry=self.shapes, crs="EPSG:4326")
        groups = self._groups(population)
        return Zones(table, self._origins(), groups, population is not None)

    def _joined(self, spec: TableSpec | None) -> tuple[Table, Matches] | None:
        """The table of a part of the study with its rows of each neighbourhood; None where the part or the table is not there."""
        if spec is None:
            return None
        joined = join_table(self.ids, "neighbourhoods", self.areas, spec, self.folder, self.found)
        if joined is None:
            look_at_columns(spec, self.folder, self.found)
        return joined

    def _note(self, code: Code, file: str, column: str, wrong: NDArray[np.bool_], said: str) -> None:
        """Note the neighbourhoods with something wrong; ``said`` goes on from the id."""
        sample = Sample(code)
        for i in np.flatnonzero(wrong).tolist():
            sample.add(file, field=column, value=self.ids[i], message=f"{self.ids[i]} {said}")
        self.found.extend(sample.notices())

    def _group(self) -> list[str]:
        """The larger area of each neighbourhood; empty where there is none."""
        spec = self.spec.group
        names = [""] * len(self.ids)
        if isinstance(spec, str):
            column = find_column(self.areas, self.spec, "group", self.found)
            return self.areas.columns[column] if column is not None else names
        joined = self._joined(spec)
        column = find_column(joined[0], spec, "column", self.found) if spec is not None and joined is not None else None
        if joined is not None and column is not None:
            table, matches = joined
            for place, row in zip(matches.place.tolist()[::-1], matches.row.tolist()[::-1], strict=True):
                names[place] = table.columns[column][row]  # the first row of a place is set last
        return names

    def _population(self) -> NDArray[np.float64] | None:
        spec = self.spec.population
        if spec is None:
            return None
        joined = self._joined(spec)
        column = find_column(joined[0], spec, "column", self.found) if joined is not None else None
        if joined is None or column is None:
            return np.ones(len(self.ids))
        table, matches = joined
        people = matches.summed(numbers(table, column, matches.row, self.found), len(self.ids))
        said = "has no population; it counts as nobody"
        self._note(POPULATION_UNKNOWN, table.file, column, np.isnan(people), said)
        people = np.nan_to_num(people)
        check_people(people, self.ids, table, column, self.found)
        return people

    def _income(self) -> NDArray[np.float64] | None:
        """Income of a month; of merged areas the mean. What is not above 0 is unknown."""
        spec = self.spec.income
        joined = self._joined(spec)
        column = find_column(joined[0], spec, "column", self.found) if spec is not None and joined is not None else None
        if spec is None or joined is None or column is None:
            return None
        table, matches = joined
        income = matches.averaged(numbers(table, column, matches.row, self.found), len(self.ids)) * PER_MONTH[spec.per]
        income = np.where(income > 0, income, np.nan)
        self._note(INCOME_UNKNOWN, table.file, column, np.isnan(income), "has no income above 0")
        return income

    def _deprivation(self) -> dict[str, NDArray[np.float64]]:
        """Rank and decile by the names of their columns; ``income_rank`` only where it is asked for."""
        rank, decile, income = (np.full(len(self.ids), np.nan) for _ in range(3))
        ranks = {"deprivation_rank": rank, "deprivation_decile": decile}
        spec = self.spec.deprivation
        joined = self._joined(spec)
        if spec is None or joined is None:
            return ranks
        if spec.income_rank is not None:
            ranks["income_rank"] = income
        table, matches = joined
        for key, values in (("rank", rank), ("decile", decile), ("income_rank", income)):
            column = find_column(table, spec, key, self.found) if getattr(spec, key) is not None else None
            if column is None:
                continue
            cells = numbers(table, column, matches.row, self.found, minimum=None)
            self._check_scale(table, column, key, matches.row, cells)
            values[:] = matches.averaged(cells, len(self.ids))
            said = f"has no {key.replace('_', ' ')} of deprivation"
            self._note(DEPRIVATION_UNKNOWN, table.file, column, np.isnan(values), said)
        np.ceil(decile - 0.5, out=decile)  # where areas were merged, the half is the more deprived
        check_deprivation(rank, decile, self.ids, table, spec, self.found)
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

    def _groups(self, population: NDArray[np.float64] | None) -> pd.DataFrame | None:
        spec = self.spec.groups
        joined = self._joined(spec)
        if spec is None or joined is None:
            return None
        table, matches = joined
        n = len(self.ids)
        counts = {group: np.zeros(n) for group in spec.columns}
        for group, names in spec.columns.items():
            for name in names:
                column = find_column(table, spec, "columns", self.found, name)
                if column is not None:
                    cells = numbers(table, column, matches.row, self.found)
                    counts[group] += np.nan_to_num(matches.summed(cells, n))
        frame = pd.DataFrame(counts, dtype=np.float64)
        if population is None:
            message = "no population is given, so the counts of the groups are used as they are"
            self.found.append(GROUPS_WITHOUT_POPULATION.at(**spec.at(), message=message))
            return frame
        whole = frame.to_numpy().sum(axis=1)
        unknown = Sample(GROUPS_UNKNOWN)
        for i in np.flatnonzero((whole <= 0) & (population > 0)).tolist():
            message = f"{self.ids[i]} has {population[i]:,.0f} persons but nobody in any group"
            unknown.add(table.file, value=self.ids[i], message=message)
        self.found.extend(unknown.notices())
        factor = np.divide(population, whole, out=np.zeros(n), where=whole > 0)
        return frame.mul(factor, axis=0)

    def _origins(self) -> pd.DataFrame:
        ids, shapes = self.ids, self.shapes
        given = self._given_origins()
        inside = [i for i in range(len(ids)) if i not in given]
        if given and inside:
            message = (
                f"{len(inside)} of {len(ids)} neighbourhoods have no origin point; they start at a point inside them"
            )
            self.found.append(
                ORIGIN_INSIDE.at(self.areas.file, value=", ".join(ids[i] for i in inside[:8]), message=message)
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
                self.found.append(WEIGHTS_OF_NOTHING.at(self.areas.file, value=code, message=message))
                weights, total = [1.0] * len(weights), float(len(weights))
            for k, (lon, lat, _) in enumerate(given[i]):
                name = code if len(weights) == 1 else f"{code}#{k + 1}"
                rows.append((i, name, lon, lat, weights[k] / total))
        origins = pd.DataFrame(rows, columns=["zone", "id", "lon", "lat", "weight"])
        origins["zone"] = origins["zone"].astype(np.int32)
        if self.spec.origin_points is not None:
            check_origins(origins, shapes, ids, self.spec.origin_points, self.found)
        return origins

    def _given_origins(self) -> dict[int, list[tuple[float, float, float]]]:
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
        matches = match_rows(self.ids, "neighbourhoods", points, column, spec.at("id"), self.found, several=several)
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
