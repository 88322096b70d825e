"""A study: a study file and everything that it names, read and checked together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import CommunityRoutesError, StudyError, UsageError, as_path
from community_routes.base.notices import Notice, declare, raise_on_errors, sort_notices
from community_routes.base.times import MINUTE, parse_window
from community_routes.base.timings import Stopwatch
from community_routes.fares.feed import check_fares, money_of
from community_routes.network.kept import keep_networks, keep_read, keep_streets, open_store
from community_routes.network.network import Network
from community_routes.network.store import Store
from community_routes.network.streets.roads import Roads, build_roads
from community_routes.network.streets.streets import Streets
from community_routes.network.walks.links import (
    CrowFly,
    Ground,
    Linked,
    is_symmetric,
    join_linked,
    link_points,
    report_other_parts,
    walks_between,
)
from community_routes.network.walks.points import Links, Points, same_places
from community_routes.routing.query import Query, Walks
from community_routes.sources.checks import check_service
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.osm.check import check_stops_inside
from community_routes.sources.osm.read import read_graphml, read_place, read_streets
from community_routes.sources.osm.street_map import StreetMap
from community_routes.sources.places.opportunities import (
    Opportunities,
    check_places,
    entrances_from_streets,
    read_opportunities,
)
from community_routes.sources.places.zones import Zones, read_zones
from community_routes.sources.rail import check_rail
from community_routes.sources.step_free import check_step_free
from community_routes.sources.study.dates import check_dates
from community_routes.sources.study.file import StudyFile, named_files, read_study_file

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


_PACKAGE = Path(__file__).resolve().parents[1]


def sample_folder() -> Path:
    """The folder that holds ``data`` and ``scenarios`` of the sample: in the installed package, or in the source tree.

    Raises
    ------
    UsageError
        Neither has it.
    """
    for folder in (_PACKAGE / "sample", _PACKAGE.parents[1]):
        if (folder / "data" / "study.yaml").is_file():
            return folder
    raise UsageError("the sample borough is missing from this installation; install community-routes again")


def sample_study() -> Path:
    """The sample's study file."""
    return sample_folder() / "data" / "study.yaml"


def sample_scenarios() -> list[Path]:
    """The sample's proposals."""
    return sorted((sample_folder() / "scenarios").glob("*.yaml"))


STOPS_OFF_MAP = declare(
    "stops_off_map",
    "warning",
    "A place has no stop within a walk only because the stops near it lie outside the map.",
)


def study_query(file: StudyFile, window_s: tuple[int, int], *, arrive_by: bool = False) -> Query:
    """A question with the settings of a study."""
    travel = file.travel
    return Query(
        window_s=window_s,
        step_s=travel.departure_step_s,
        max_rides=travel.max_rides,
        max_travel_s=travel.max_travel_min * MINUTE,
        percentiles=travel.percentiles,
        arrive_by=arrive_by,
    )


def window_query(file: StudyFile, window: str) -> Query:
    """The question that a window of a study asks."""
    return study_query(file, file.travel.windows[window].time)


def chosen_day(study: Study, day: str | None) -> str:
    """The day that is meant: the one named, or the only one.

    Raises
    ------
    UsageError
        There are several, or none of that name.
    """
    dates = study.file.dates
    if day is None and len(dates) > 1:
        raise UsageError(f"the study has several days; choose one with --day ({', '.join(dates)})")
    if day is not None and day not in dates:
        raise UsageError(f"{day!r} is no day of the study ({', '.join(dates)})")
    return day if day is not None else next(iter(dates))


def chosen_query(study: Study, window: str | None) -> Query:
    """The question of a window: one of the study by name, the only one, or a time such as ``14:00-15:00``.

    Raises
    ------
    UsageError
        There are several, or it is neither a name nor a time.
    """
    windows = study.file.travel.windows
    if window is None and len(windows) > 1:
        raise UsageError(
            f"the study has several windows; choose one with --window ({', '.join(windows)}, or 14:00-15:00)"
        )
    if window is None or window in windows:
        return window_query(study.file, window if window is not None else next(iter(windows)))
    try:
        return study_query(study.file, parse_window(window))
    except ValueError as wrong:
        raise UsageError(f"{window!r} is no window of the study ({', '.join(windows)}): {wrong}") from None


def study_networks(
    file: StudyFile,
    feed: Feed,
    ground: Ground,
    *,
    span_s: tuple[int, int],
    days: Collection[str] | None = None,
    notices: list[Notice] | None = None,
    store: Store | None = None,
) -> tuple[Linked, dict[str, Network]]:
    """The stops joined to the ground, and the network of each day of a study (or of ``days``), with the study's settings."""
    travel = file.travel
    return keep_networks(
        store,
        feed,
        ground,
        {day: date for day, date in file.dates.items() if days is None or day in days},
        slack_s=travel.slack_s,
        between_stops_s=int(travel.walk.between_stops_min * MINUTE),
        speed_kmh=travel.walk.speed_kmh,
        link_m=travel.walk.link_m,
        phase=travel.phase,
        seed=travel.seed,
        wheelchair=travel.bound,
        span_s=span_s,
        notices=notices,
    )


@dataclass(frozen=True, eq=False)
class Reached:
    """Origins and destinations joined to the ground, with the walks that begin and end their journeys."""

    origins: Linked
    destinations: Linked
    walks: Walks


def study_walks(file: StudyFile, ground: Ground, stops: Linked, origins: Points, destinations: Points) -> Reached:
    """Walks from origins to stops, from stops to destinations, and all the way, within the study's limits."""
    walk = file.travel.walk
    start = link_points(ground, origins, link_m=walk.link_m)
    end = start if destinations is origins else link_points(ground, destinations, link_m=walk.link_m)
    to_stop_s, all_the_way_s = int(walk.to_stop_min * MINUTE), int(walk.all_the_way_min * MINUTE)
    n_stops = stops.points.n_places
    # One search from each origin finds its stops and the destinations that it can walk to.
    leaving = walks_between(
        ground, start, join_linked(stops, end), limit_s=max(to_stop_s, all_the_way_s), speed_kmh=walk.speed_kmh
    )
    access = leaving.to_places(0, n_stops).within(to_stop_s)
    direct = leaving.to_places(n_stops, n_stops + destinations.n_places).within(all_the_way_s)
    if end is start and is_symmetric(ground, stops):
        egress = access
    else:
        arriving = walks_between(ground, stops, end, limit_s=to_stop_s, speed_kmh=walk.speed_kmh)
        egress = arriving.reversed(destinations.n_places)
    # A place is there at once whatever file it comes from, and were it off the network.
    return Reached(start, end, Walks(access, egress, direct.with_nothing(*same_places(origins, destinations))))


def why_not(network: Network, linked: Linked, links: Links, *, leaving: bool) -> NDArray[np.object_]:
    """Why each place cannot travel: ``off_network``, ``no_service`` (no trip that day within a walk) or ""."""
    timetable = network.timetable
    served = np.zeros(timetable.n_stops, np.bool_)
    if leaving:
        served[timetable.from_stop[timetable.board]] = True
    else:
        served[timetable.to_stop[timetable.alight]] = True
    has_service = np.bincount(links.start()[served[links.to]], minlength=links.n_from) > 0
    reason = np.where(has_service, "", "no_service").astype(object)
    reason[~linked.place_linked] = "off_network"
    return reason


def report_cut_off(
    study: Study,
    ground: Ground,
    stops: Linked,
    reached: Reached,
    notices: list[Notice],
    names: tuple[str, str] = ("neighbourhoods", "destinations"),
) -> None:
    """Say which places are cut off from most streets, and which have no stop only because those near lie outside the map."""
    walk, walks, straight = study.file.travel.walk, reached.walks, CrowFly(1.0)
    off = stops.outside
    beyond = Points.single(stops.points.id[stops.points.place[off]], stops.points.lon[off], stops.points.lat[off])
    for what, linked, links in zip(
        names, (reached.origins, reached.destinations), (walks.access, walks.egress), strict=True
    ):
        report_other_parts(ground, linked, what, notices)
        points, alone = linked.points, np.diff(links.first) == 0
        rows = np.flatnonzero(alone[points.place] & linked.linked)
        if not len(rows) or not off.any():
            continue
        near = walks_between(
            straight,
            link_points(straight, Points.single(points.id[points.place[rows]], points.lon[rows], points.lat[rows])),
            link_points(straight, beyond),
            limit_s=int(walk.to_stop_min * MINUTE),
            speed_kmh=walk.speed_kmh,
        )
        cut = np.flatnonzero(np.diff(near.first))
        if len(cut):
            row, own = rows[cut[0]], near.of(int(cut[0]))
            stop = int(np.argmin(own.metres))
            ids = points.id[np.unique(points.place[rows[cut]])]
            message = (
                f"{len(ids)} of {len(points.id)} {what} ({', '.join(map(str, ids[:5]))}{', ...' if len(ids) > 5 else ''}) have "
                f"no stop within a walk on the map, but there is one beyond its edge: {ids[0]} lies "
                f"{linked.border_m[row]:,.0f} m from the edge and {own.metres[stop]:,.0f} m in a straight line from "
                f"{beyond.id[own.to[stop]]}, to which nobody walks; a larger extract of the map, and its area in the study "
                "file, would reach it"
            )
            notices.append(STOPS_OFF_MAP.at(field=what, value=len(ids), message=message))
