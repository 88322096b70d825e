"""Which of several maps holds the neighbourhoods of a study."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import shapely

from community_routes.base.errors import UsageError
from community_routes.fetch.columns import (
    amount_column,
    deprivation_columns,
    holds_codes,
    id_columns,
    kind_column,
    name_column,
    people_column,
)
from community_routes.fetch.joining import Joined, Lookup, join, lookups_to
from community_routes.fetch.look import Look

Ask = Callable[[str, Sequence[str]], int]
"""Asks a question with some answers, and gives the number of the one chosen."""

_AREA_WORDS = re.compile(
    r"lsoa|msoa|neighbou?rhood|(?<!employment.)zone|ward|boundar|hex|grid|census|district|suburb|centroid|^areas?\b|data ?zone"
)
_PLACE_WORDS = re.compile(
    r"employ|jobs?\b|shops?\b|market|school|librar|hospital|health|shared|spaces?\b|park|stops?\b|amenit|pois?\b|work"
)
_ENOUGH = 1


@dataclass(frozen=True, eq=False)
class Areas:
    """The neighbourhoods: their file, its columns of codes and names, and the tables that know of them."""

    look: Look
    id: str
    others: tuple[Look, ...]

    @property
    def ids(self) -> list[str]:
        """The codes, in the order of the file."""
        return self.look.columns[self.id]

    @property
    def name(self) -> str | None:
        """The column of names."""
        return name_column(self.look.table, self.id) if self.look.table is not None else None

    @cached_property
    def lookups(self) -> list[Lookup]:
        """The tables that lead to these areas."""
        return lookups_to(self.ids, self.others)

    @cached_property
    def joined(self) -> list[Joined]:
        """The tables with a row for each area, those that need no lookup first, then the newest."""
        found = [joined for look in self.others if (joined := join(look, self.ids, self.lookups)) is not None]
        return sorted(found, key=lambda one: (one.lookup is not None, -one.year, one.look.path.name))

    @cached_property
    def score(self) -> float:
        """How much speaks for these being the neighbourhoods: what is known of them, how they are called and coded."""
        table, stem = self.look.table, " ".join(re.split(r"[^a-z0-9]+", self.look.path.stem.lower()))
        assert table is not None
        known = 0.0
        for value, knows in ((4.0, deprivation_columns), (3.0, people_column)):
            tables = [1.0] if knows(table) else []
            tables += [0.5 if one.lookup else 1.0 for one in self.joined if one.look.table and knows(one.look.table)]
            known += value * max(tables, default=0.0)
        known += 3.0 * holds_codes(self.ids) + 2.0 * bool(_AREA_WORDS.search(stem)) + 1.0 * (self.look.kind == "areas")
        told = people_column(table) is not None or bool(deprivation_columns(table))
        placed = not told and (
            _PLACE_WORDS.search(stem) is not None or kind_column(table) is not None or amount_column(table) is not None
        )
        return known - 5.0 * placed


def choose_areas(looks: Sequence[Look], ask: Ask) -> Areas:
    """The map whose areas the other files know most of; the newer codes, then the finer drawing, decide between equals.

    Where two maps of other areas are equal, ``ask`` decides.

    Raises
    ------
    UsageError
        No map or table of points can hold neighbourhoods.
    """
    candidates = []
    for look in looks:
        if look.kind in ("areas", "points") and look.table is not None and look.table.n > 1:
            ids = id_columns(look.table)
            if ids:
                others = tuple(one for one in looks if one is not look and one.table is not None)
                candidates.append(Areas(look, ids[0], others))
    ordered = sorted(candidates, key=lambda one: (-one.score, -_newest(one.ids), -_corners(one.look)))
    if not ordered or ordered[0].score < _ENOUGH:
        raise UsageError(
            "none of the files holds neighbourhoods: name a map of areas (GeoJSON, GeoPackage, Shapefile) with a column of "
            "codes, or a table of points with id, lon and lat and their residents"
        )
    best = [one for one in ordered if one.score == ordered[0].score]
    different = [one for i, one in enumerate(best) if not any(set(one.ids) == set(other.ids) for other in best[:i])]
    if len(different) == 1:
        return best[0]
    return different[ask("Which file holds the neighbourhoods?", [one.look.name for one in different])]


def _newest(ids: Sequence[str]) -> int:
    """The highest number of the codes of statistical areas: those of a later census go on from the earlier one's."""
    return max((int(code[1:]) for code in ids if code[1:].isdigit()), default=0) if holds_codes(ids) else 0


def _corners(look: Look) -> int:
    return int(shapely.get_num_coordinates(look.table.geometry).sum()) if look.table is not None else 0
