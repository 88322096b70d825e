"""Which table belongs to which areas: by the codes that they share, or by a lookup that leads from one to the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from community_routes.fetch.columns import holds_codes
from community_routes.fetch.look import Look
from community_routes.sources.places.joins import ENOUGH


@dataclass(frozen=True, eq=False)
class Lookup:
    """A table that leads from the codes in one of its columns to those of the areas in another."""

    look: Look
    start: str
    end: str
    leads: dict[str, set[str]]


@dataclass(frozen=True, eq=False)
class Joined:
    """A table whose rows belong to areas: its column of codes, and the lookup where the codes are others."""

    look: Look
    id: str
    lookup: Lookup | None = None

    @property
    def year(self) -> int:
        """The latest year in the name of the file, 0 without one: of two tables the newer is taken."""
        return max((int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d\d(?!\d)", self.look.path.stem)), default=0)


def lookups_to(ids: Sequence[str], looks: Iterable[Look]) -> list[Lookup]:
    """The tables that lead to the areas from other codes."""
    areas, found = set(ids), []
    for look in looks:
        coded = [name for name, cells in look.columns.items() if holds_codes(cells)]
        for end in coded:
            if _share(areas, look.columns[end]) < ENOUGH:
                continue
            for start in coded:
                leads: dict[str, set[str]] = {}
                for one, other in zip(look.columns[start], look.columns[end], strict=True):
                    leads.setdefault(one, set()).add(other)
                if start != end and leads.keys() != areas and len(leads) >= ENOUGH * len(areas):
                    found.append(Lookup(look, start, end, leads))
    return found


def join(look: Look, ids: Sequence[str], lookups: Iterable[Lookup] = (), *, several: bool = False) -> Joined | None:
    """How a table joins the areas: by the column of codes that finds most of them, with a row for each unless ``several``.

    None where no column finds 95 % of the areas, directly or by one of the lookups.
    """
    areas = set(ids)
    direct = [
        (share, name)
        for name, cells in look.columns.items()
        if (share := _share(areas, cells)) >= ENOUGH and (several or _once(areas, cells))
    ]
    if direct:
        return Joined(look, max(direct, key=lambda item: item[0])[1])
    for lookup in lookups:
        if lookup.look is look:
            continue
        for name, cells in look.columns.items():
            reached = set().union(*(lookup.leads.get(cell, set()) for cell in set(cells)))
            if len(reached & areas) >= ENOUGH * len(areas) and _once(lookup.leads.keys(), cells):
                return Joined(look, name, lookup)
    return None


def _share(areas: set[str], cells: Sequence[str]) -> float:
    return len(areas.intersection(cells)) / max(1, len(areas))


def _once(codes: Iterable[str], cells: Sequence[str]) -> bool:
    """Whether no code stands in two rows."""
    counts = Counter(cells)
    return all(counts[code] < 2 for code in codes)
