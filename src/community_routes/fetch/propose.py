"""A study proposed from files of one's own: what each is for, how they join, which dates, with comments that say why."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from community_routes.base.errors import UsageError
from community_routes.fetch.areas import Areas, Ask, choose_areas
from community_routes.fetch.columns import (
    amount_column,
    counted_columns,
    deprivation_columns,
    group_columns,
    holds_codes,
    id_columns,
    kind_column,
    name_column,
    people_column,
    people_rank,
    ward_column,
)
from community_routes.fetch.days import Days, ordinary_days
from community_routes.fetch.joining import Joined, join
from community_routes.fetch.look import Look
from community_routes.fetch.study import EMPLOYMENT_TAGS, SHARED_TAGS, calendar_text, osm_lines, travel_lines
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.places.coordinates import named
from community_routes.sources.study.dates import country_of
from community_routes.sources.study.yaml import quoted_text, schema_hint

_KEYS = (
    ("employment", re.compile(r"employ|jobs?\b|workplace|work zones?|business|industr|\bwz\b")),
    ("shared_spaces", re.compile(r"shared|communit|social|meeting|public spaces")),
)
_WEIGHTS = ("weight", "households", "total households", "population", "residents", "persons")
_CENTROIDS = re.compile("centroid|weighted|pwc")
_STOPS = ("atco code", "atcocode", "naptan code", "stop id", "stop code")
_NEAR_DEG = 0.3
_HALF = 0.5
_WIDE = 100


Found = TypeVar("Found")


@dataclass(frozen=True)
class Proposal:
    """A study file as proposed.

    Attributes
    ----------
    text : str
        The study file.
    files : tuple of (name, what it is, what becomes of it)
        Every file that was looked at: what it is for, or why it is not used.
    remarks : tuple of str
        What is worth a look before the first run.
    """

    text: str
    files: tuple[tuple[str, str, str], ...]
    remarks: tuple[str, ...]


def propose_study(
    looks: Sequence[Look], path: Path, *, title: str = "", ask: Ask = lambda question, answers: 0
) -> Proposal:
    """The study that files make up, as the text of a study file at a path.

    Parameters
    ----------
    looks : sequence of Look
        What the files are.
    path : path
        Where the study file will lie: files are named relative to its folder.
    title : str
        What the place is called; that of the areas' names when left out.
    ask : callable
        Decides between equals; the first when left out.

    Raises
    ------
    UsageError
        There is no timetable, no map of neighbourhoods or nothing to reach among the files; the text says which.
    """
    work = _Work(path.absolute().parent)
    timetables = _timetables(looks, work)
    areas = choose_areas(looks, ask)
    work.use(areas.look, "neighbourhoods")
    feed = timetables[0].feed if len(timetables) == 1 else read_feed([one.path for one in timetables], notices=[])
    assert feed is not None
    days = ordinary_days(feed, country_of(feed.agencies["agency_timezone"]))
    streets, street_lines = _streets(looks, areas, work)
    title = title or _common_name(areas) or path.absolute().parent.name.replace("-", " ").replace("_", " ").title()
    lines = [
        schema_hint(),
        "# Written by `community-routes init` from the files named below: look it through, then run `community-routes check`.",
        "# Everything left out has a default; what else can stand here is in the documentation, under The study file.",
        f"study: {re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-') or 'study'}",
        f"title: {json.dumps(title, ensure_ascii=False)}",
        f"service_date: {calendar_text(days.dates)}    # {_days_said(days)}",
        *street_lines,
        f"timetables: [{', '.join(work.file(one) for one in timetables)}]",
        *_neighbourhood_lines(areas, work),
        *_destination_lines(looks, areas, streets, work),
        *travel_lines(days.dates),
    ]
    files = tuple((look.name, look.what, work.said_of(look)) for look in looks)
    return Proposal("\n".join(lines) + "\n", files, (*days.remarks, *work.remarks))


@dataclass
class _Work:
    """What is used for what, and how a file is named."""

    folder: Path
    used: dict[Look, list[str]] = field(default_factory=dict)
    unused: dict[Look, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def use(self, look: Look, what: str) -> None:
        """Note what a file is for; it may be for several things."""
        if what not in self.used.setdefault(look, []):
            self.used[look].append(what)

    def said_of(self, look: Look) -> str:
        """What becomes of a file."""
        if look in self.used:
            return f"for {', '.join(self.used[look])}"
        why = self.unused.get(look)
        return "not used" + (f": {why}" if why else "")

    def file(self, look: Look) -> str:
        """The file as the study names it."""
        return quoted_text(Path(os.path.relpath(look.path.absolute(), self.folder)).as_posix())

    def of_table(self, joined: Joined, areas: Areas) -> list[str]:
        """``file``, ``id``, and what else leads to the rows of a table; nothing where it is the areas' own."""
        if joined.look is areas.look:
            return []
        parts = [f"file: {self.file(joined.look)}", f"id: {quoted_text(joined.id)}", *_layer(joined.look)]
        if joined.lookup is not None:
            leads = joined.lookup
            self.use(leads.look, "lookup")
            names = f"from: {quoted_text(leads.start)}, to: {quoted_text(leads.end)}"
            parts.append(f"lookup: {{file: {self.file(leads.look)}, {names}}}")
        return parts


def _mapping(key: str, parts: Sequence[str], said: str = "") -> list[str]:
    """A key with its parts in one line, or one below the other where that would be too long to read."""
    remark = f"    # {said}" if said else ""
    line = f"  {key}: {{{', '.join(parts)}}}"
    return [f"{line}{remark}"] if len(line) <= _WIDE else [f"  {key}:{remark}", *(f"    {part}" for part in parts)]


def _layer(look: Look) -> list[str]:
    return [f"layer: {quoted_text(look.layer)}"] if look.layer is not None else []


def _places(look: Look) -> list[str]:
    """The keys that say where the places of a map or table of points are."""
    found = _layer(look)
    if look.coordinates is not None:
        found += [f"lon: {quoted_text(look.coordinates.lon)}", f"lat: {quoted_text(look.coordinates.lat)}"]
    crs = look.crs or (look.coordinates.crs if look.coordinates is not None else None)
    return [*found, f"crs: {quoted_text(crs)}"] if crs else found


def _timetables(looks: Sequence[Look], work: _Work) -> list[Look]:
    """The timetables of a study: of two that hold the same agencies and stops, the one with more trips."""
    kept: list[Look] = []
    for look in sorted((one for one in looks if one.feed is not None), key=lambda one: -len(one.feed.trips)):  # type: ignore[union-attr]
        twin = next((other for other in kept if _is_edition(look, other)), None)
        if twin is None:
            kept.append(look)
        else:
            work.unused[look] = f"another edition of {twin.path.name}, which has more trips"
    if not kept:
        raise UsageError("none of the files is a timetable: name a GTFS zip")
    kept.sort(key=looks.index)
    for look in kept:
        work.use(look, "timetable")
    return kept


def _is_edition(one: Look, other: Look) -> bool:
    """Whether most agencies and most served stops of a timetable are in another as well."""
    found = []
    for look in (one, other):
        assert look.feed is not None
        served = np.unique(look.feed.calls.stop)
        found.append((set(look.feed.agencies["agency_name"]), set(look.feed.ids("stop")[served])))
    return all(len(a & b) > _HALF * min(len(a), len(b)) for a, b in zip(*found, strict=True))


def _days_said(days: Days) -> str:
    said = (
        "the busiest ordinary weekday that all timetables hold"
        if "weekday" in days.dates
        else "the date with most trips"
    )
    return f"{said}{', and the weekend after it' if len(days.dates) > 1 else ''}"


def _streets(looks: Sequence[Look], areas: Areas, work: _Work) -> tuple[Look | None, list[str]]:
    """The streets that cover most of the areas, and their lines; straight lines without any."""
    maps = [look for look in looks if look.street_map is not None]
    if not maps:
        work.remarks.append(
            "no streets among the files: people walk in straight lines, 30 % longer; an .osm.pbf says more"
        )
        return None, [
            "streets: {crow_fly: {detour: 1.3}}    # no streets were given: rivers and railways are no obstacle"
        ]
    points = areas.look.places()
    boxes = [_box(look) for look in maps]
    best = max(range(len(maps)), key=lambda i: (_inside(points, boxes[i]), len(maps[i].street_map.way_id)))  # type: ignore[union-attr]
    look, box, n = maps[best], boxes[best], _inside(points, boxes[best])
    for other in maps:
        if other is not look:
            work.unused[other] = f"{look.path.name} covers more of the neighbourhoods"
    work.use(look, "streets")
    if n < len(points):
        work.remarks.append(
            f"{look.path.name} covers {n:,} of the {len(points):,} neighbourhoods: the others stay in the tables as off_network, "
            "and a larger extract would reach them"
        )
    key = "graphml" if look.path.suffix.lower() == ".graphml" else "osm"
    if look.sure_of_area:
        return look, [f"streets: {{{key}: {work.file(look)}}}"]
    return look, [
        "streets:",
        f"  {key}: {work.file(look)}",
        f"  area: [{', '.join(f'{edge:.4f}' for edge in box)}]    # not said by the file: where its streets are dense",
    ]


def _box(look: Look) -> tuple[float, float, float, float]:
    """What streets cover: as the file says, or where they are dense (long ways reach out of the box to which a file was cut)."""
    street_map = look.street_map
    assert street_map is not None
    if look.sure_of_area:
        return street_map.area
    (west, east), (south, north) = _dense(street_map.lon), _dense(street_map.lat)
    return west, south, east, north


def _dense(values: NDArray[np.float64]) -> tuple[float, float]:
    """The span outside which less than a tenth of the usual number lies in a two-hundredth of the middle."""
    low, high = (float(value) for value in np.quantile(values, [0.02, 0.98]))
    step = max((high - low) / 200, 1e-6)
    edges = np.arange(low - 50 * step, high + 50.5 * step, step)
    counts, _ = np.histogram(values, edges)
    full = np.flatnonzero(counts >= max(1.0, 0.1 * float(np.median(counts[50:-50]))))
    return max(float(edges[full[0]]), float(values.min())), min(float(edges[full[-1] + 1]), float(values.max()))


def _inside(points: NDArray[np.float64], box: Sequence[float]) -> int:
    west, south, east, north = box
    x, y = points[:, 0], points[:, 1]
    return int(((x >= west) & (x <= east) & (y >= south) & (y <= north)).sum())


def _common_name(areas: Areas) -> str:
    """``Newport`` of ``Newport 012A`` and its neighbours; "" where most names do not begin alike."""
    cells = areas.look.columns[areas.name] if areas.name is not None else []
    found = Counter(match[1] for cell in cells if (match := re.fullmatch(r"(.+?) \d{3}[A-Z]?", cell)))
    name, n = found.most_common(1)[0] if found else ("", 0)
    return name if n > len(cells) / 2 else ""


def _neighbourhood_lines(areas: Areas, work: _Work) -> list[str]:
    """The part of the neighbourhoods, with every table that belongs to them."""
    own = [Joined(areas.look, areas.id)]
    tables = [*own, *areas.joined]
    lines = ["neighbourhoods:", f"  file: {work.file(areas.look)}", f"  id: {quoted_text(areas.id)}"]
    lines[-1] += f"    # {len(areas.ids):,} areas"
    lines += [f"  {part}" for part in _places(areas.look)]
    if (name := areas.name) is not None:
        lines.append(f"  name: {quoted_text(name)}")
    lines += _group_lines(areas, tables, work) + _origin_lines(areas, work)
    if (found := _first(sorted(tables, key=_people_rank), people_column)) is not None:
        parts = [*work.of_table(found[0], areas), f"column: {quoted_text(found[1])}"]
        lines += _mapping("population", parts)
        work.use(found[0].look, "residents")
    else:
        work.remarks.append("no column of residents was found: every neighbourhood counts 1; add `population`")
        lines.append("  # population: {file: census.csv, id: code, column: residents}    # not found among the files")
    if (ranks := _first(tables, deprivation_columns)) is not None:
        parts = [*work.of_table(ranks[0], areas), *(f"{key}: {quoted_text(name)}" for key, name in ranks[1].items())]
        lines += _mapping("deprivation", parts, "1 must be the most deprived")
        work.use(ranks[0].look, "deprivation")
    else:
        work.remarks.append(
            "no rank or decile of deprivation was found: results are for all residents; add `deprivation`"
        )
        lines.append(
            "  # deprivation: {file: imd.csv, id: code, rank: rank, decile: decile}    # not found among the files"
        )
    if (groups := _first(tables, group_columns)) is not None:
        work.use(groups[0].look, "communities")
        columns = [f"{key}: {_one_or_list(names)}" for key, names in groups[1].items()]
        parts = [f"    {part}" for part in work.of_table(groups[0], areas)]
        lines += ["  groups:", *parts, "    columns:", *(f"      {column}" for column in columns)]
    return lines


def _people_rank(one: Joined) -> tuple[bool, int, int]:
    """Which of several tables of residents is taken: one without a lookup, the newest, the one that says it most clearly."""
    column = people_column(one.look.table) if one.look.table is not None else None
    return one.lookup is not None, -one.year, people_rank(column)


def _one_or_list(names: Sequence[str]) -> str:
    quoted = [quoted_text(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"[{', '.join(quoted)}]"


def _first(tables: Iterable[Joined], find: Callable[..., Found | None]) -> tuple[Joined, Found] | None:
    """The first table in which something is found, and what."""
    return next(((one, found) for one in tables if (found := find(one.look.table))), None)


def _group_lines(areas: Areas, tables: Sequence[Joined], work: _Work) -> list[str]:
    """The larger areas by which results are summed: a column of the areas' own file, or of a table with a row for each."""
    for one in tables:
        if (
            one.lookup is None
            and one.look.table is not None
            and (column := ward_column(one.look.table, len(areas.ids)))
        ):
            work.use(one.look, "larger areas")
            parts = [*work.of_table(one, areas), f"column: {quoted_text(column)}"]
            said = "larger areas by which results are summed"
            return (
                [f"  group: {quoted_text(column)}    # {said}"]
                if one.look is areas.look
                else _mapping("group", parts, said)
            )
    return []


def _origin_lines(areas: Areas, work: _Work) -> list[str]:
    """The points at which journeys start: one for each area, or several with a weight."""
    if areas.look.kind == "points":
        return []
    for several in (False, True):
        for look in areas.others:
            joined = join(look, areas.ids, several=several) if look.kind == "points" else None
            if joined is None or look.table is None or (several and not _CENTROIDS.search(look.path.stem.lower())):
                continue
            weight = named(look.columns, _WEIGHTS) or next((n for n in look.columns if "households" in n), None)
            parts = [
                f"file: {work.file(look)}",
                f"id: {quoted_text(joined.id)}",
                *(p for p in _places(look) if "layer" not in p),
            ]
            parts += [f"weight: {quoted_text(weight)}"] if several and weight else []
            work.use(look, "where journeys start")
            return _mapping("origin_points", parts)
    return []


def _destination_lines(looks: Sequence[Look], areas: Areas, streets: Look | None, work: _Work) -> list[str]:
    """What can be reached: places of files, columns of the neighbourhoods themselves, and what OpenStreetMap knows."""
    lines: dict[str, list[str]] = {}
    centre = areas.look.places()
    box = (*(centre.min(axis=0) - _NEAR_DEG), *(centre.max(axis=0) + _NEAR_DEG))
    for look in sorted(looks, key=_least_like_places):
        if look.kind not in ("areas", "points") or look.table is None or look in work.used or look in work.unused:
            continue
        why = _why_no_destinations(look, areas, box)
        if why:
            work.unused[look] = why
            continue
        key = _key(look, lines)
        work.use(look, f"destinations ({key})")
        lines[key] = _places_lines(key, look, work)
    if areas.look.kind == "points" and areas.look.table is not None:
        for key, column in counted_columns(areas.look.table).items():
            parts = [f"file: {work.file(areas.look)}", f"id: {quoted_text(areas.id)}", *_places(areas.look)]
            if key not in lines:
                said = "as the neighbourhoods' own file counts them"
                lines[key] = _mapping(key, [*parts, f"amount: {quoted_text(column)}"], said)
                work.use(areas.look, f"destinations ({key})")
    lines = _with_osm(lines, streets)
    if not lines:
        raise UsageError(
            "none of the files holds anything to reach: name a map or table of places (jobs, shops, shared spaces), or streets "
            "of OpenStreetMap (.osm.pbf), in which such places are found by their tags"
        )
    first = [key for key in ("employment", "shared_spaces") if key in lines]
    ordered = [*first, *(key for key in lines if key not in first)]
    if not first:
        work.remarks.append(f"the report leads with the keys employment and shared_spaces; here it is {ordered[0]}")
    more = ["  # libraries: {osm: {amenity: [library]}}    # more of the streets' file, by any tags of OpenStreetMap"]
    reads_places = streets is not None and streets.path.suffix.lower() != ".graphml"
    return ["destinations:", *(line for key in ordered for line in lines[key]), *(more if reads_places else [])]


def _least_like_places(look: Look) -> tuple[bool, bool]:
    """Of several files for one key the first is taken: one that counts jobs, then a map."""
    return look.table is None or amount_column(look.table) is None, look.coordinates is not None


def _why_no_destinations(look: Look, areas: Areas, box: Sequence[float]) -> str:
    """Why a map holds no destinations; empty where it may."""
    assert look.table is not None
    ids = id_columns(look.table)
    if not ids:
        return "no column has another text in each row, to be the id of a place"
    if _CENTROIDS.search(look.path.stem.lower()):
        return "points of areas"
    if look.kind == "areas" and holds_codes(look.columns[ids[0]]):
        return "boundaries of other areas"
    if look.kind == "areas" and join(look, areas.ids) is not None:
        return "the neighbourhoods again"
    if named(look.columns, _STOPS):
        return "stops, which the timetable knows"
    return "" if _inside(look.places(), box) else "none of its places is near the neighbourhoods"


def _key(look: Look, taken: Iterable[str]) -> str:
    """The key of destinations: employment, shared_spaces, or the name of the file in small letters."""
    stem = " ".join(re.split(r"[^a-z0-9]+", look.path.stem.lower() + (f" {look.layer.lower()}" if look.layer else "")))
    found = next((key for key, says in _KEYS if says.search(stem)), None)
    plain = "_".join(word for word in stem.split() if not re.search(r"\d", word)) or "places"
    key = found if found is not None and found not in taken else plain
    return key if key not in taken else f"{plain}_{sum(one.startswith(plain) for one in taken) + 1}"


def _places_lines(key: str, look: Look, work: _Work) -> list[str]:
    assert look.table is not None
    places = _places(look)
    ids = [name for name in id_columns(look.table) if look.coordinates is None or name not in look.coordinates]
    parts = [f"file: {work.file(look)}", f"id: {quoted_text(ids[0])}", *places]
    name, kind, amount = name_column(look.table, ids[0]), kind_column(look.table), amount_column(look.table)
    parts += [f"name: {quoted_text(name)}"] if name else []
    parts += [f"kind: {quoted_text(kind)}"] if kind else []
    said = "each place counts 1"
    if amount is not None and key == "employment":
        parts.append(f"amount: {quoted_text(amount)}")
        said = f"counted by {amount}"
    return _mapping(key, parts, f"{look.table.n:,} places; {said}")


def _with_osm(lines: dict[str, list[str]], streets: Look | None) -> dict[str, list[str]]:
    """The destinations, with those of OpenStreetMap where no file gives them and the streets' file holds some."""
    features = streets.street_map.features if streets is not None and streets.street_map is not None else None
    found = dict(lines)
    for key, tags in (("employment", EMPLOYMENT_TAGS), ("shared_spaces", SHARED_TAGS)):
        if features is None or key in found:
            continue
        counts = Counter(str(kind) for kind in features.kind[features.layer == f"@{key}"])
        held = {tag: [v for v in values if counts[f"{tag}={v}"]] for tag, values in tags.items()}
        held = {tag: values for tag, values in held.items() if values}
        if held:
            found[key] = osm_lines(
                key, held, f"{sum(counts.values()):,} in the streets' file, by their tags; each counts 1"
            )
    return found
