"""A study: a study file and everything that it names, read and checked together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.cache import keep_read, keep_streets, open_store
from community_routes.errors import CommunityRoutesError, StudyError, as_path
from community_routes.measures.feed_fares import check_fares, money_of
from community_routes.network.points import Points
from community_routes.network.roads import Roads, build_roads
from community_routes.network.store import Store
from community_routes.network.streets import Streets
from community_routes.network.walks import CrowFly, Ground
from community_routes.notices import Notice, declare, raise_on_errors, sort_notices
from community_routes.sources.checks import check_service
from community_routes.sources.dates import check_dates
from community_routes.sources.feed import Feed
from community_routes.sources.gtfs import read_feed
from community_routes.sources.opportunities import Opportunities, entrances_from_streets, read_opportunities
from community_routes.sources.osm import read_graphml, read_place, read_streets
from community_routes.sources.osm_checks import check_stops_inside
from community_routes.sources.osm_map import StreetMap
from community_routes.sources.place_checks import check_places
from community_routes.sources.rail_check import check_rail
from community_routes.sources.step_free import check_step_free
from community_routes.sources.study_file import StudyFile, named_files, read_study_file
from community_routes.sources.zones import Zones, read_zones
from community_routes.times import MINUTE
from community_routes.timings import Stopwatch

UNEXPECTED_FAULT = declare("unreadable_input", "error", "An input could not be read at all.")
Read = TypeVar("Read")


@dataclass(frozen=True, eq=False)
class Study:
    """What is studied: the study file with the timetable, streets, neighbourhoods and destinations it names.

    Attributes
    ----------
    file : StudyFile
        Settings, with every default filled in.
    feed : Feed
    street_map : StreetMap or None
        None for straight-line walking.
    ground : Streets or CrowFly
    zones : Zones
    opportunities : Opportunities
        Every place has at least one entrance.
    notices : tuple of Notice
        Warnings and remarks of reading.
    sources : DataFrame of name, kind, sha256, credit
        The input files.
    applied : dict
        Proposals that were applied already.
    store : Store or None
        Where networks are kept between runs.
    """

    file: StudyFile
    feed: Feed
    street_map: StreetMap | None
    ground: Ground
    zones: Zones
    opportunities: Opportunities
    notices: tuple[Notice, ...]
    sources: pd.DataFrame
    applied: dict[int, Any] = field(default_factory=dict, repr=False)
    store: Store | None = field(default=None, repr=False)

    @property
    def title(self) -> str:
        """Title for people."""
        return self.file.title or self.file.study

    @property
    def currency(self) -> str:
        """The currency of all prices, budgets and costs, as ISO 4217 has it."""
        return money_of(self.feed, self.file.fares)

    def at_bound(self, bound: Literal["best", "worst"]) -> Study:
        """The same study with one of the bounds of step-free figures alone."""
        travel = self.file.travel.model_copy(update={"step_free": bound})
        return replace(self, file=self.file.model_copy(update={"travel": travel}))

    def bounds(self) -> list[tuple[str, Study]]:
        """The values of ``mode`` of a step-free study, each with the study of that bound alone; else this one, of no mode."""
        asked = self.file.travel.step_free
        if not asked:
            return [("", self)]
        wanted: tuple[Literal["best", "worst"], ...] = ("best", "worst") if asked is True else (asked,)
        return [(f"step_free_{bound}", self.at_bound(bound)) for bound in wanted]

    @cached_property
    def roads(self) -> Roads | CrowFly:
        """What new bus routes run on."""
        if self.street_map is None:
            return self.ground if isinstance(self.ground, CrowFly) else CrowFly()
        return build_roads(self.street_map)

    @property
    def is_invented(self) -> bool:
        """A study of the sample borough, whose every figure is made up; told by an id that begins with ``sample``."""
        return is_invented(self.file)

    @property
    def street_credit(self) -> str:
        """Whom to thank for the streets; empty where there are none or they are invented."""
        return OSM_CREDIT if self.street_map is not None and not self.is_invented else ""

    def __repr__(self) -> str:
        dates = ", ".join(f"{day} {date}" for day, date in self.file.dates.items())
        return (
            f"Study({self.file.study}: {dates}; {self.feed!r}; {self.ground!r}; {self.zones!r}; {self.opportunities!r})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        parts = [repr(part) for part in (self.feed, self.ground, self.zones, self.opportunities)]
        return f"<b>{escape(self.title)}</b><ul>{''.join(f'<li>{escape(part)}</li>' for part in parts)}</ul>"


def open_study(
    path: str | Path,
    *,
    notices: list[Notice] | None = None,
    cache: str | Path | None = None,
    stopwatch: Stopwatch | None = None,
) -> Study:
    """Read a study file and all the files that it names, and check them against one another.

    All faults of all files are found before anything is raised.

    Parameters
    ----------
    path : str or Path
        The study file.
    notices : list of Notice, optional
        Gets everything that was found, errors included.
    cache : str or Path, optional
        Folder for what is kept between runs: downloaded streets (``streets: {place: ...}``), and files and networks as
        they were read and built, known again by their content. Nothing is kept when left out.
    stopwatch : Stopwatch, optional

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        With every error in it.
    """
    return _opened(lambda found: read_study_file(as_path(path), found), notices, cache, stopwatch)


def study_of(
    file: StudyFile,
    *,
    notices: list[Notice] | None = None,
    cache: str | Path | None = None,
    stopwatch: Stopwatch | None = None,
) -> Study:
    """Read all the files that a study names; as ``open_study``, for a study file that is read (and perhaps changed) already."""
    return _opened(lambda _: file, notices, cache, stopwatch)


def _opened(
    read_file: Callable[[list[Notice]], StudyFile],
    notices: list[Notice] | None,
    cache: str | Path | None,
    stopwatch: Stopwatch | None,
) -> Study:
    watch = stopwatch or Stopwatch()
    found: list[Notice] = []
    try:
        with watch.stage("read"):
            study = _read(read_file(found), found, cache)
        with watch.stage("network"):
            return _with_ground(study, found, open_store(cache))
    finally:
        if notices is not None:
            notices.extend(sort_notices(found))


@dataclass
class _Parts:
    file: StudyFile
    feed: Feed | None = None
    street_map: StreetMap | None = None
    zones: Zones | None = None
    opportunities: Opportunities | None = None


def _read(file: StudyFile, found: list[Notice], cache: str | Path | None) -> _Parts:
    store = open_store(cache)
    parts = _Parts(file)
    missing = file.missing_files
    there = [timetable for timetable in file.timetables if timetable not in missing]
    if there:
        parts.feed = _try(
            lambda: keep_read(store, "feed", there, "", lambda n: read_feed(there, notices=n), found), found
        )
    if parts.feed is not None:
        _check_dates(file, parts.feed, found)
        parts.feed = replace(parts.feed, phase=file.travel.phase, seed=file.travel.seed)
        check_fares(parts.feed, file.fares, found)
        if file.travel.wheelchair:
            place = file.travel.at("step_free" if "step_free" in file.travel.model_fields_set else "wheelchair")
            check_step_free(parts.feed, file.dates.values(), file.travel.step_free, place, found)
    spec = file.streets
    if spec.crow_fly is None and not missing.intersection({spec.osm, spec.graphml} - {None}):
        parts.street_map = _try(lambda: _read_map(file, found, cache), found)
    parts.zones = _try(lambda: read_zones(file.neighbourhoods, file.folder, found), found)
    readable = {
        key: spec for key, spec in file.destinations.items() if spec.osm is None or parts.street_map is not None
    }
    places = parts.street_map.places if parts.street_map is not None else {}
    if readable:
        parts.opportunities = _try(lambda: read_opportunities(readable, file.folder, places, found), found)
    _check_together(parts, found)
    raise_on_errors(found, StudyError)
    return parts


def _check_dates(file: StudyFile, feed: Feed, found: list[Notice]) -> None:
    """Each service date against the calendar and against the timetable; no service is said of the study file's line."""
    place = file.at("dates")
    check_dates(file.dates, found, place=place)
    latest_s = max(window.end_s for window in file.travel.windows.values()) + file.travel.max_travel_min * MINUTE
    for date in dict.fromkeys(file.dates.values()):
        own: list[Notice] = []
        check_service(feed, date, own, until_s=latest_s)
        for notice in own:
            if notice.severity == "error":
                notice = replace(notice, file=place.get("file", ""), row=place.get("row"), column=place.get("column"))
            found.append(notice)


def _check_together(parts: _Parts, found: list[Notice]) -> None:
    """What no file can tell alone: places far away, streets that the timetable does not touch, stations without trains."""
    if parts.zones is not None and parts.opportunities is not None:
        check_places(parts.opportunities, parts.zones, found)
    if parts.feed is None or parts.zones is None:
        return
    if parts.street_map is not None:
        lon, lat = (parts.feed.stops[name].to_numpy(np.float64) for name in ("lon", "lat"))
        found += check_stops_inside(parts.street_map.area, lon, lat, file=parts.feed.sources[0])
    for date in dict.fromkeys(parts.file.dates.values()):
        area = tuple(float(edge) for edge in parts.zones.table.total_bounds)
        check_rail(parts.feed, date, area, found, place=parts.file.at("timetables"))


def _try(read: Callable[[], Read], found: list[Notice]) -> Read | None:
    """What a reader gives, or None when it refused; its errors are in ``found`` then."""
    before = len(found)
    try:
        return read()
    except CommunityRoutesError as error:
        told = any(notice.severity == "error" for notice in found[before:]) or any(n in found for n in error.notices)
        if not told:
            found.append(UNEXPECTED_FAULT.at(message=str(error)))
        return None


def _read_map(file: StudyFile, found: list[Notice], cache: str | Path | None) -> StreetMap:
    spec = file.streets
    asked = {key: destinations.osm for key, destinations in file.destinations.items() if destinations.osm is not None}
    store, osm, graphml = open_store(cache), spec.osm, spec.graphml
    if osm is not None:
        return keep_read(
            store, "osm", [osm], (spec.area, asked),
            lambda n: read_streets(osm, area=spec.area, places=asked, notices=n), found,
        )  # fmt: skip
    if graphml is not None:
        return keep_read(
            store, "graphml", [graphml], spec.area, lambda n: read_graphml(graphml, area=spec.area, notices=n), found
        )
    if spec.place is None:
        raise StudyError("the study names no streets; give osm, graphml, place or crow_fly")
    if cache is None:
        raise StudyError(f"streets of the place {spec.place!r} are kept in the cache; give --cache a folder")
    return read_place(spec.place, cache, area=spec.area, notices=found)


def _with_ground(parts: _Parts, found: list[Notice], store: Store | None) -> Study:
    file = parts.file
    if parts.feed is None or parts.zones is None or parts.opportunities is None:
        raise StudyError(f"{file.path.name}: a part of the study could not be read")
    ground: Ground
    if parts.street_map is not None:
        ground = keep_streets(store, parts.street_map, wheelchair=file.travel.wheelchair)
    else:
        crow = file.streets.crow_fly
        ground = CrowFly(crow.detour if crow is not None else 1.3, file.streets.area)
    opportunities = entrances_from_streets(parts.opportunities, lines_of(ground))
    return Study(
        file=file,
        feed=parts.feed,
        street_map=parts.street_map,
        ground=ground,
        zones=parts.zones,
        opportunities=opportunities,
        notices=tuple(sort_notices(found)),
        sources=_sources(file),
        store=store,
    )


def lines_of(ground: Ground) -> NDArray[np.object_] | None:
    """The walkable edges as lines, or None for straight-line walking."""
    return street_lines(ground) if isinstance(ground, Streets) else None


def street_lines(streets: Streets) -> NDArray[np.object_]:
    """The walkable edges as lines, shape (n_edges,)."""
    graph = streets.graph
    owner = np.repeat(np.arange(graph.n_edges), np.diff(graph.first))
    lines: NDArray[np.object_] = shapely.linestrings(np.column_stack([graph.lon, graph.lat]), indices=owner)
    return lines


def origin_points(zones: Zones) -> Points:
    """The origins of all neighbourhoods as points to walk from, one place each."""
    origins = zones.origins
    return Points.single(origins["id"].to_numpy(object), origins["lon"].to_numpy(), origins["lat"].to_numpy())


def destination_points(opportunities: Opportunities) -> Points:
    """The destinations as places with the points at which they are entered."""
    entrances = opportunities.entrances
    return Points(
        opportunities.table["id"].to_numpy(object),
        entrances["lon"].to_numpy(np.float64),
        entrances["lat"].to_numpy(np.float64),
        entrances["place"].to_numpy(np.int32),
    )


_KINDS = {"timetables": "timetable", "streets": "streets", "neighbourhoods": "neighbourhoods"}
OSM_CREDIT = "© OpenStreetMap contributors, Open Database License 1.0"


def is_invented(file: StudyFile) -> bool:
    """Whether a study file is of a sample borough."""
    return file.study.startswith("sample")


def _sources(file: StudyFile) -> pd.DataFrame:
    """Every input file once, with the sha256 of its bytes."""
    rows: dict[Path, dict[str, str]] = {}
    named = [(file.path, "study")]
    named += [(path, "timetable") for path in file.timetables]
    named += [(path, "streets") for _, path in named_files(file.streets)]
    named += [(path, "neighbourhoods") for _, path in named_files(file.neighbourhoods)]
    for key, spec in file.destinations.items():
        named += [(path, key) for _, path in named_files(spec)]
    for path, kind in named:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        credit = OSM_CREDIT if kind == "streets" and not is_invented(file) else ""
        rows.setdefault(path.resolve(), {"name": path.name, "kind": kind, "sha256": digest, "credit": credit})
    return pd.DataFrame(list(rows.values()), columns=["name", "kind", "sha256", "credit"])
