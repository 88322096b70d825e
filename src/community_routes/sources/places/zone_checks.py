"""What may be wrong with neighbourhoods that can be read: nobody there, deciles upside down, origins elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.notices import Notice, Sample, declare
from community_routes.sources.places.table import Table
from community_routes.sources.study.places import DeprivationSpec, OriginPointsSpec

NOBODY_LIVES_THERE = declare(
    "nobody_lives_there", "warning", "A neighbourhood has no residents; it weighs nothing in every mean."
)
NO_PEOPLE_AT_ALL = declare(
    "no_people_at_all", "error", "No neighbourhood has any residents, so nothing can be weighed by persons."
)
DECILE_DIRECTION = declare(
    "decile_direction", "warning", "Deciles and ranks of deprivation seem to run in opposite directions."
)
DECILE_BESIDE_RANK = declare(
    "decile_beside_rank", "warning", "A neighbourhood ranked as more deprived lies in a less deprived decile."
)
RANKS_OF_TWO_NATIONS = declare(
    "ranks_of_two_nations",
    "warning",
    "Ranks of the English and the Welsh index stand side by side; they cannot be compared.",
)
RANKS_TWICE = declare(
    "ranks_twice", "info", "Several neighbourhoods share one rank, which a national index never does."
)
ORIGIN_OUTSIDE = declare("origin_outside", "warning", "An origin point lies outside its neighbourhood.")
ORIGIN_FAR = declare(
    "origin_far",
    "error",
    "Most origin points lie far from their neighbourhoods: columns are swapped or the codes differ.",
)

_NEAR_M = 50.0
_FAR_M = 5_000.0


def check_people(
    people: NDArray[np.float64], ids: Sequence[str], table: Table, column: str, found: list[Notice]
) -> None:
    """Neighbourhoods in which nobody lives, and studies without people."""
    if len(people) and not people.any():
        message = "the population of every neighbourhood is 0; name another column"
        found.append(NO_PEOPLE_AT_ALL.at(table.file, field=column, message=message))
        return
    sample = Sample(NOBODY_LIVES_THERE)
    for i in np.flatnonzero(people == 0).tolist():
        sample.add(
            table.file, field=column, value=ids[i], message=f"nobody lives in {ids[i]}; it weighs nothing in every mean"
        )
    found.extend(sample.notices())


def check_deprivation(
    rank: NDArray[np.float64],
    decile: NDArray[np.float64],
    ids: Sequence[str],
    table: Table,
    spec: DeprivationSpec,
    found: list[Notice],
) -> None:
    """Whether rank and decile run the same way, and whether ranks of two nations are mixed."""
    both = ~(np.isnan(rank) | np.isnan(decile))
    if both.sum() >= 3 and len(np.unique(decile[both])) > 1:
        order = pd.Series(rank[both]).rank().corr(pd.Series(decile[both]).rank())
        if order < 0:
            message = (
                f"{spec.rank!r} and {spec.decile!r} run in opposite directions (correlation {order:.2f}); "
                "in both, 1 must be the most deprived"
            )
            found.append(DECILE_DIRECTION.at(**spec.at("decile"), value=spec.decile or "", message=message))
        else:
            _check_steps(rank, decile, both, ids, table, spec, found)
    for key in ("rank", "decile"):
        name = getattr(spec, key) or ""
        if re.search(r"\b1 (is|=) (the )?least|\b10 (is|=) (the )?most", name, re.IGNORECASE):
            message = f"the column {name!r} says that 1 is the least deprived; here 1 must be the most deprived"
            found.append(DECILE_DIRECTION.at(**spec.at(key), value=name, message=message))
    _check_nations(rank, decile, ids, spec, found)


def _check_steps(
    rank: NDArray[np.float64],
    decile: NDArray[np.float64],
    both: NDArray[np.bool_],
    ids: Sequence[str],
    table: Table,
    spec: DeprivationSpec,
    found: list[Notice],
) -> None:
    """Deciles may never fall as ranks rise."""
    order = np.flatnonzero(both)[np.argsort(rank[both], kind="stable")]
    highest = np.maximum.accumulate(decile[order])
    sample = Sample(DECILE_BESIDE_RANK)
    for i in order[decile[order] < highest]:
        message = f"{ids[i]} has rank {rank[i]:g} but decile {decile[i]:g}, below that of a more deprived neighbourhood"
        sample.add(table.file, field=spec.decile or "", value=ids[i], message=message)
    found.extend(sample.notices())


def _check_nations(
    rank: NDArray[np.float64],
    decile: NDArray[np.float64],
    ids: Sequence[str],
    spec: DeprivationSpec,
    found: list[Notice],
) -> None:
    known = ~(np.isnan(rank) & np.isnan(decile))
    nations = {nation: sum(code[:1] == nation for code, has in zip(ids, known, strict=True) if has) for nation in "EW"}
    coded = all(len(code) == 9 and code[:1] in nations and code[1:].isdigit() for code in ids)
    if coded and all(nations.values()):
        message = (
            f"{nations['E']} neighbourhoods of England and {nations['W']} of Wales are ranked together, "
            "but each nation ranks only its own; leave one out, or rank by an index of both"
        )
        found.append(RANKS_OF_TWO_NATIONS.at(**spec.at("rank"), value=spec.rank or "", message=message))
    ranked = rank[~np.isnan(rank)]
    ties = len(ranked) - len(np.unique(ranked))
    if ties:
        message = f"{ties} neighbourhoods share a rank with another; they count as equally deprived"
        found.append(RANKS_TWICE.at(**spec.at("rank"), value=spec.rank or "", message=message))


def check_origins(
    origins: pd.DataFrame, shapes: NDArray[np.object_], ids: Sequence[str], spec: OriginPointsSpec, found: list[Notice]
) -> None:
    """Origins outside their neighbourhood (beyond the coarseness of a boundary), and points that belong elsewhere altogether."""
    if not len(origins):
        return
    zone = origins["zone"].to_numpy()
    lon, lat = origins["lon"].to_numpy(), origins["lat"].to_numpy()
    away = _metres(shapes[zone], lon, lat)
    far = away > _FAR_M
    if far.sum() > 0.5 * len(origins):
        example = int(np.flatnonzero(far)[0])
        swapped = bool(np.median(_metres(shapes[zone], lat, lon)) < _FAR_M)
        hint = "; 'lon' and 'lat' are swapped" if swapped else "; are they points of another place, or other codes?"
        message = (
            f"{int(far.sum())} of {len(origins)} origin points lie more than {_FAR_M / 1000:g} km from their neighbourhood "
            f"({ids[zone[example]]}: {away[example] / 1000:,.0f} km){hint}"
        )
        found.append(ORIGIN_FAR.at(**spec.at("lon" if swapped else "file"), message=message))
        return
    sample = Sample(ORIGIN_OUTSIDE)
    outside = np.flatnonzero(away > _NEAR_M)
    file = spec.file.name if spec.file is not None else ""
    for i in outside:
        code = origins["id"].iloc[i]
        sample.add(
            file,
            value=code,
            message=f"the origin of {code} lies {away[i]:,.0f} m outside its neighbourhood; it is used as it is",
        )
    found.extend(sample.notices())


def _metres(shapes: NDArray[np.object_], lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Roughly how far each point lies from its area (0 inside), in metres: degrees scaled at the point's latitude."""
    squeeze = np.cos(np.radians(np.clip(lat, -85, 85)))
    nearest = shapely.get_point(shapely.shortest_line(shapely.points(lon, lat), shapes), 1)
    east = (shapely.get_x(nearest) - lon) * squeeze
    north = shapely.get_y(nearest) - lat
    return np.asarray(np.hypot(east, north) * 111_195.0, np.float64)
