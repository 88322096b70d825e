"""Joins of tables to neighbourhoods by code: what matched on both sides, what did not, and why (2011 against 2021 codes)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.notices import Notice, Sample, declare
from community_routes.sources.places.table import (
    BAD_NUMBER,
    DUPLICATE_ID,
    NO_GEOMETRY,
    Table,
    find_column,
    listed,
    numbers,
    read_table,
)
from community_routes.sources.study.places import Lookup, TableSpec

ROWS_JOINED = declare("rows_joined", "info", "How many rows of a table and how many places found each other.")
ROWS_UNMATCHED = declare(
    "rows_unmatched", "warning", "Some places have no row in a table; what it says of them is missing."
)
JOIN_FAILED = declare(
    "join_failed", "error", "Fewer than 95 % of the places have a row in the table, so the codes are not the same."
)
CODES_OF_TWO_YEARS = declare(
    "codes_of_two_years", "warning", "Codes of 2011 and of 2021 are mixed; areas that changed do not match."
)
SPLIT_BY_LOOKUP = declare(
    "split_by_lookup", "info", "Areas that were split or merged between two years were shared out or added up."
)

ENOUGH = 0.95

# The last codes that the 2011 census gave; those above were made for 2021. Codes of unchanged areas are in both.
_LAST_OF_2011 = {"E01": 33_768, "W01": 1_958}
_KINDS = {
    "00": "output areas (OA)",
    "01": "lower super output areas (LSOA)",
    "02": "middle super output areas (MSOA)",
    "05": "wards",
    "06": "unitary authorities",
    "07": "districts",
}


@dataclass(frozen=True, eq=False)
class Matches:
    """Which rows of a table belong to which places.

    Attributes
    ----------
    place, row : int64, shape (n,)
        Each pair, by place.
    share : float64, shape (n,)
        The share of the row's count that belongs to the place: 1 but where a lookup splits an area.
    """

    place: NDArray[np.int64]
    row: NDArray[np.int64]
    share: NDArray[np.float64]

    def summed(self, values: NDArray[np.float64], n_places: int) -> NDArray[np.float64]:
        """Counts of the places: the rows' values times their shares; NaN where a place has no row, or one without a value."""
        total = np.zeros(n_places)
        np.add.at(total, self.place, values * self.share)
        return np.asarray(np.where(self.counts(n_places) > 0, total, np.nan), np.float64)

    def averaged(self, values: NDArray[np.float64], n_places: int) -> NDArray[np.float64]:
        """Means of the places: for what cannot be added (a rank); each row counts alike."""
        total = np.zeros(n_places)
        np.add.at(total, self.place, values)
        counts = self.counts(n_places)
        mean = np.divide(total, counts, out=np.full(n_places, np.nan), where=counts > 0)
        return np.asarray(mean, np.float64)

    def counts(self, n_places: int) -> NDArray[np.int64]:
        """Number of rows of each place."""
        return np.bincount(self.place, minlength=n_places)


def join_table(
    places: Sequence[str], what: str, own: Table, spec: TableSpec, folder: Path, found: list[Notice]
) -> tuple[Table, Matches] | None:
    """The table of a part of the study and the rows that belong to each place; None with notices where that fails.

    Without a ``file`` the table is ``own``, whose rows are the places themselves.
    """
    if spec.file is None:
        rows = np.arange(len(places))
        return own, Matches(rows, rows, np.ones(len(rows)))
    table = read_table(folder / spec.file, spec.at("file"), found, spec.layer)
    if table is None:
        return None
    column = find_column(table, spec, "id", found)
    lookup = _read_lookup(spec.lookup, folder, found) if spec.lookup is not None else None
    if column is None or (spec.lookup is not None and lookup is None):
        return None
    matches = match_rows(places, what, table, column, spec.at("id"), found, lookup=lookup)
    return None if matches is None else (table, matches)


def look_at_columns(spec: TableSpec, folder: Path, found: list[Notice]) -> None:
    """Note what the study names and a table (or its lookup) has not, where the table cannot be joined for another reason."""
    own: list[Notice] = []
    table = read_table(folder / spec.file, spec.at("file"), own, spec.layer) if spec.file is not None else None
    if table is not None:
        for key in ("id", "column", "rank", "decile", "income_rank"):
            if getattr(spec, key, None) is not None:
                find_column(table, spec, key, own)
        for names in getattr(spec, "columns", {}).values():
            for name in names:
                find_column(table, spec, "columns", own, name)
    if spec.lookup is not None:
        _read_lookup(spec.lookup, folder, own)
    found.extend(notice for notice in own if notice not in found)


def match_rows(
    places: Sequence[str],
    what: str,
    table: Table,
    column: str,
    at: dict[str, Any],
    found: list[Notice],
    *,
    lookup: dict[str, dict[str, float]] | None = None,
    several: bool = False,
) -> Matches | None:
    """Rows of each place by the codes in a column, with a notice of how many matched; ``what`` names the places in messages.

    A code may stand in one row only, unless ``several``. None with an error where fewer than 95 % of the places match.
    """
    index = {code: i for i, code in enumerate(places)}
    codes = table.columns[column]
    pairs: list[tuple[int, int, float]] = []
    first: dict[str, int] = {}
    twice = Sample(DUPLICATE_ID)
    used = 0
    given: dict[str, None] = {}  # the codes as the places would have them: after the lookup
    rest: dict[str, None] = {}
    for row, code in enumerate(codes):
        wanted = {code: 1.0} if lookup is None else lookup.get(code, {code: 1.0} if code in index else {})
        hits = [(index[to], row, share) for to, share in wanted.items() if to in index]
        given |= dict.fromkeys(wanted or (code,))
        if not hits:
            rest[code] = None
            continue
        used += 1
        if code in first and not several:
            message = f"the id {code!r} stands in row {table.row[first[code]]} as well; keep one of them"
            twice.add(table.file, row=int(table.row[row]), field=column, value=code, message=message)
            continue
        first.setdefault(code, row)
        pairs.extend(hits)
    found.extend(twice.notices())
    pairs.sort()
    place = np.asarray([pair[0] for pair in pairs], np.int64)
    matches = Matches(place, np.asarray([p[1] for p in pairs], np.int64), np.asarray([p[2] for p in pairs], np.float64))
    unmatched = [places[i] for i in np.flatnonzero(matches.counts(len(places)) == 0).tolist()] if len(places) else []
    _report_join(places, what, table, (list(given), list(rest)), used, unmatched, at, found)
    if lookup is not None:
        _report_lookup(matches, what, table, len(places), found)
    return None if len(places) and 1 - len(unmatched) / len(places) < ENOUGH else matches


def _report_join(
    places: Sequence[str],
    what: str,
    table: Table,
    codes: tuple[list[str], list[str]],
    used: int,
    unmatched: list[str],
    at: dict[str, Any],
    found: list[Notice],
) -> None:
    """Say how many places have a row; ``codes`` are those that the rows stand for, and those of rows that no place has."""
    n_matched = len(places) - len(unmatched)
    counts = (
        f"{n_matched} of {len(places)} {what} have a row in {table.file}, and {used} of its {table.n} rows were used"
    )
    given, rest = codes
    if not unmatched:
        left = f"; not used: {listed(rest)}" if rest else ""
        found.append(ROWS_JOINED.at(**at, value=table.file, message=f"{counts}{left}"))
        return
    why = explain_codes(places, given, unmatched)
    without = f"; without a row: {listed(unmatched)}"
    left = f"; rows left over: {listed(rest)}" if rest else ""
    reason = f"; {why}" if why else ""
    few = n_matched / len(places) < ENOUGH
    code = JOIN_FAILED if few else CODES_OF_TWO_YEARS if why else ROWS_UNMATCHED
    bar = f" (at least {ENOUGH:.0%} are needed)" if few else ""
    found.append(code.at(**at, value=table.file, message=f"{counts}{bar}{without}{left}{reason}"))


def _report_lookup(matches: Matches, what: str, table: Table, n_places: int, found: list[Notice]) -> None:
    shared = len(np.unique(matches.row[matches.share < 1]))
    added = int(np.sum(matches.counts(n_places) > 1))
    if shared or added:
        message = f"by the lookup, {shared} rows were shared out and {added} {what} added up from several rows"
        found.append(SPLIT_BY_LOOKUP.at(table.file, message=message))


def explain_codes(places: Iterable[str], codes: Iterable[str], unmatched: Iterable[str]) -> str:
    """Why codes do not match: another kind of area, other years, or another way of writing; empty where none is seen."""
    here, there = set(places), set(codes)
    kind_here, kind_there = _kind(here), _kind(there)
    if kind_here and kind_there and kind_here != kind_there:
        return f"the neighbourhoods are {kind_here}, the table holds {kind_there}"
    without = list(unmatched)
    rest = there - here
    new_there, new_here = sum(map(_made_for_2021, rest)), sum(map(_made_for_2021, without))
    cure = "use a table of the same year, or give `lookup: {file, from, to}` (ONS has one of 2011 to 2021 codes)"
    if kind_here and new_there and not any(map(_made_for_2021, here)):
        return f"the neighbourhoods have codes of 2011 and the table those of 2021 ({new_there} are new); {cure}"
    if kind_here and new_here and not any(map(_made_for_2021, there)):
        return (
            f"the neighbourhoods have codes of 2021 ({new_here} of these are new) and the table those of 2011; {cure}"
        )
    folded = {_folded(code) for code in there}
    alike = sum(_folded(code) in folded for code in without)
    if alike:
        return f"{alike} of them differ only in capitals, blanks or leading zeros (a spreadsheet may have changed them)"
    return ""


def _kind(codes: Iterable[str]) -> str:
    """The kind of area of most of the codes, where they are codes of England and Wales."""
    kinds = Counter(code[1:3] for code in codes if re.fullmatch(r"[EW]\d{8}", code))
    if not kinds:
        return ""
    return _KINDS.get(kinds.most_common(1)[0][0], "")


def _made_for_2021(code: str) -> bool:
    """Whether a code was first given in 2021."""
    return code[:3] in _LAST_OF_2011 and code[3:].isdigit() and int(code[3:]) > _LAST_OF_2011[code[:3]]


def _folded(code: str) -> str:
    return re.sub(r"[\s.]+", "", code).lower().lstrip("0")


def _read_lookup(spec: Lookup, folder: Path, found: list[Notice]) -> dict[str, dict[str, float]] | None:
    """For each code of the table, the codes of the neighbourhoods with the share that each receives (they add up to 1)."""
    table = read_table(folder / spec.file, spec.at("file"), found)
    if table is None:
        return None
    start = find_column(table, spec, "from_", found)
    end = find_column(table, spec, "to", found)
    weight = find_column(table, spec, "weight", found) if spec.weight is not None else None
    if start is None or end is None or (spec.weight is not None and weight is None):
        return None
    rows = np.arange(table.n)
    weights = np.ones(table.n) if weight is None else numbers(table, weight, rows, found)
    shares: dict[str, dict[str, float]] = {}
    for one, other, value in zip(table.columns[start], table.columns[end], weights, strict=True):
        if one and other:
            shares.setdefault(one, {})[other] = float(np.nan_to_num(value))
    for one, parts in shares.items():
        total = sum(parts.values())
        if total <= 0:
            message = f"the weights of {one!r} add up to nothing"
            found.append(BAD_NUMBER.at(table.file, field=weight or "", value=one, message=message))
            return None
        for other in parts:
            parts[other] /= total
    return shares


POLYGON_MENDED = declare(
    "polygon_mended", "warning", "An area crosses itself or is drawn wrongly; it was mended.", outcome="mended"
)
WRONG_GEOMETRY = declare("wrong_geometry", "error", "A place is neither an area nor a point.")

_POINT, _POLYGON, _MULTIPOINT, _MULTIPOLYGON, _COLLECTION = 0, 3, 4, 6, 7


def mended(shapes: NDArray[np.object_], ids: Sequence[str], table: Table, found: list[Notice]) -> NDArray[np.object_]:
    """Valid points, polygons and multipolygons of any shapes, shape (n,); what cannot be mended stays and is an error.

    Of a collection only its areas are kept, of several points their centre.
    """
    out = np.asarray(shapes, object).copy()
    bad, wrong, nothing = Sample(POLYGON_MENDED), Sample(WRONG_GEOMETRY), Sample(NO_GEOMETRY)
    for i in np.flatnonzero(~shapely.is_valid(out)).tolist():
        reason = shapely.is_valid_reason(out[i]).split("[")[0].strip().lower()
        before = shapely.area(out[i])
        out[i] = shapely.make_valid(out[i])
        message = f"{ids[i]} is drawn wrongly ({reason}) and was mended"
        if before > 0 and abs(shapely.area(_areas(out[i])) / before - 1) > 0.01:
            message += f"; its area changed by {shapely.area(_areas(out[i])) / before - 1:+.0%}"
        bad.add(table.file, row=int(table.row[i]), value=ids[i], message=message)
    kinds = shapely.get_type_id(out)
    for i in np.flatnonzero(kinds == _MULTIPOINT).tolist():
        out[i] = shapely.centroid(out[i])
    for i in np.flatnonzero(kinds == _COLLECTION).tolist():
        out[i] = _areas(out[i])
    for i, kind in enumerate(shapely.get_type_id(out)):
        row = int(table.row[i])
        if shapely.is_empty(out[i]) or (kind in (_POLYGON, _MULTIPOLYGON) and shapely.area(out[i]) == 0):
            nothing.add(
                table.file, row=row, value=ids[i], message=f"{ids[i]} covers no area; draw it again or take it out"
            )
        elif kind not in (_POINT, _POLYGON, _MULTIPOLYGON):
            name = shapely.from_wkt("POINT (0 0)").geom_type if kind < 0 else out[i].geom_type
            message = f"{ids[i]} is a {name}; an area or a point is expected"
            wrong.add(table.file, row=row, value=ids[i], message=message)
    for sample in (bad, wrong, nothing):
        found.extend(sample.notices())
    return out


def _areas(shape: Any) -> Any:
    """Only the areas of a shape, as one polygon or multipolygon."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(shape)) if part.geom_type == "Polygon"]
    if not parts and shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    return shapely.union_all(parts) if len(parts) != 1 else parts[0]
