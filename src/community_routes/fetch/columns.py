"""Which column of a table is what: by its heading as publishers write it, and by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from community_routes.sources.places.coordinates import figures, is_numeric, named, words
from community_routes.sources.places.table import Table

_CODE = re.compile(r"[A-Z]\d{8}")
"""A code of the Office for National Statistics, or of Scotland's or Northern Ireland's."""
_CODE_HEADING = re.compile(
    r"(.* )?(id|code|cd|key|gss|geoid|geography code|mnemonic)|(lsoa|msoa|oa|sa|dz|sdz|wd|ward|lad|iz)[a-z]*\d*(cd)?"
)
_PEOPLE = (
    "all usual residents", "total all usual residents", "total usual residents", "usual residents", "residents",
    "total residents", "total population", "population", "all persons", "total persons", "persons", "all people", "people",
    "pop", "inhabitants", "total",
)  # fmt: skip
"""Headings of a column of residents, the clearest first."""
_JOBS = ("jobs", "employees", "employment", "workers", "workplace population", "total jobs", "total employees")
_SIZE = ("area m2", "floorspace m2", "floorspace", "gross floor area", "area sqm")
_COUNTED = (*_JOBS, "schools", "healthcare", "hospitals", "shops", "libraries", "pupils", "places")
_KIND = (
    "kind",
    "type",
    "category",
    "class",
    "fclass",
    "amenity",
    "shop",
    "leisure",
    "landuse",
    "subtype",
    "education phase",
)
_DOMAINS = (
    "employment", "health", "education", "crime", "housing", "barriers", "living", "environment", "access", "children",
    "older", "idaci", "idaopi", "indoors", "outdoors", "wider", "skills", "safety", "services",
)  # fmt: skip
_OVERALL = ("imd", "wimd", "simd", "nimdm", "multiple deprivation", "overall", "deprivation")
_GROUPS = (
    ("mixed", re.compile(r"\bmixed\b")),
    ("white", re.compile(r"\bwhite|^irish$|\bgypsy|\broma\b")),
    ("asian", re.compile(r"\basian\b|^indian$|^pakistani$|^bangladeshi$|^chinese$")),
    ("black", re.compile(r"\bblack\b|\bblk\b|^african$|^caribbean$")),
    ("other", re.compile(r"^other$|\bother ethnic|^arab$|^any other")),
)
_WARD = re.compile(
    r"ward( ?\d+)?( ?name| ?nm)?|wd\d\d ?nm|(msoa|iz|intzone).*(local name|hcl name|name|nm)|group|district|suburb"
)


def id_columns(table: Table) -> list[str]:
    """The columns that hold another text in each row and none without, those called ids or codes first."""
    found = []
    for name, cells in table.columns.items():
        if len(set(cells)) == len(cells) and "" not in cells and not _is_measured(cells):
            found.append(name)
    return sorted(
        found, key=lambda name: (not holds_codes(table.columns[name]), not _CODE_HEADING.fullmatch(words(name)))
    )


def _is_measured(cells: Sequence[str]) -> bool:
    """Whether cells are numbers with a point, which are measured and no ids."""
    return any("." in cell for cell in cells) and is_numeric(cells)


def holds_codes(cells: Sequence[str]) -> bool:
    """Whether a column holds the codes of statistical areas."""
    return bool(cells) and sum(_CODE.fullmatch(cell) is not None for cell in cells) > len(cells) / 2


def name_column(table: Table, other: str) -> str | None:
    """The column of names beside one of ids: that of the same areas (``LSOA11NM`` of ``LSOA11CD``), or one called name."""
    stem = re.sub(r"( ?code| ?cd| ?id)$", "", words(other))
    for name in table.columns:
        if name != other and words(name) in (f"{stem}nm", f"{stem} name", f"{stem} nm", f"{stem}name"):
            return name
    exact = named(
        (name for name in table.columns if name != other), ("name", "title", "label", "common name", "placename")
    )
    if exact is not None:
        return exact
    ending = [
        n
        for n in table.columns
        if n != other and words(n).endswith((" name", "nm")) and not is_numeric(table.columns[n])
    ]
    told = max(ending, key=lambda name: len(set(table.columns[name])), default=None)
    return told if told is not None and len(set(table.columns[told])) > 1 else None


def people_column(table: Table) -> str | None:
    """The column of residents."""
    counts = [name for name, cells in table.columns.items() if is_numeric(cells)]
    return named(counts, _PEOPLE) or next(
        (name for name in counts if re.search(r"\b(all )?usual residents\b", words(name))), None
    )


def people_rank(column: str | None) -> int:
    """How clearly a heading says that a column holds residents: 0 most."""
    heading = words(column or "")
    return _PEOPLE.index(heading) if heading in _PEOPLE else len(_PEOPLE)


def counted_columns(table: Table) -> dict[str, str]:
    """Columns that count what is reached (jobs, schools), by a key for the study."""
    found = {}
    for heading in _COUNTED:
        name = named(table.columns, (heading,))
        if name is not None and is_numeric(table.columns[name]):
            found["employment" if heading in _JOBS else heading.replace(" ", "_")] = name
    return found


def amount_column(table: Table) -> str | None:
    """The column of jobs, or of the size of the land."""
    counts = [name for name, cells in table.columns.items() if is_numeric(cells) and np.nansum(figures(cells)) > 0]
    return named(counts, (*_JOBS, *_SIZE))


def kind_column(table: Table) -> str | None:
    """The column of kinds of places: a few words, each of several places."""
    name = named(table.columns, _KIND)
    if name is None:
        return None
    n_kinds = len(set(table.columns[name]) - {""})
    return name if 1 < n_kinds <= max(2, table.n // 2) else None


def deprivation_columns(table: Table) -> dict[str, str]:
    """The columns of deprivation by the keys of a study: ``rank``, ``decile``, ``income_rank``; none where there is none."""
    found: dict[str, str] = {}
    for key in ("rank", "decile"):
        with_key = [name for name in table.columns if key in words(name).split() and is_numeric(table.columns[name])]
        overall = [name for name in with_key if _is_overall(words(name), key)]
        if overall:
            found[key] = overall[0]
    if found:
        income = [n for n in table.columns if {"income", "rank"} <= set(words(n).split()) and not _in_domain(words(n))]
        if income and is_numeric(table.columns[income[0]]):
            found["income_rank"] = income[0]
    return found


def _is_overall(heading: str, key: str) -> bool:
    return heading == key or (
        any(re.search(rf"\b{word}\b", heading) for word in _OVERALL)
        and not _in_domain(heading)
        and "income" not in heading
    )


def _in_domain(heading: str) -> bool:
    return any(re.search(rf"\b{word}\b", heading) for word in _DOMAINS)


def group_columns(table: Table) -> dict[str, list[str]]:
    """The columns of ethnic groups by the name of each; none where white, asian and black are not all there."""
    found: dict[str, list[str]] = {}
    for name, cells in table.columns.items():
        heading = words(name)
        group = next((group for group, says in _GROUPS if says.search(heading)), None)
        if group is not None and is_numeric(cells):
            found.setdefault(group, []).append(name)
    return found if {"white", "asian", "black"} <= found.keys() else {}


def ward_column(table: Table, n_areas: int) -> str | None:
    """The column of larger areas by which results can be summed: named as wards are, with several rows to each name."""
    fitting = [
        name
        for name, cells in table.columns.items()
        if _WARD.fullmatch(words(name)) and 1 < len(set(cells)) <= n_areas / 2 and not holds_codes(cells)
    ]
    return min(
        fitting,
        key=lambda name: ("ward" not in words(name) and not words(name).startswith("wd"), "local" not in words(name)),
        default=None,
    )
