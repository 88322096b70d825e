"""A study: a study file and everything that it names, read and checked together."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from community_routes.base.errors import CommunityRoutesError, StudyError, UsageError, as_path
from community_routes.base.notices import Notice, declare, raise_on_errors, sort_notices
from community_routes.base.times import HOUR, MINUTE, format_window, parse_window
from community_routes.base.timings import Stopwatch
from community_routes.evaluation.places import (
    Further,
    Lean,
    Reached,
    destination_points,
    further_places,
    home_walks,
    lean_with,
    lines_of,
    origin_points,
    report_places,
    same_stops,
    study_builder,
    study_walks,
    why_not,
    zone_walks,
)
from community_routes.evaluation.window import Choice, span_of, study_choice
from community_routes.fares.feed import check_fares, money_of
from community_routes.measures.service import StopDepartures, build_departures
from community_routes.network.kept import (
    Builder,
    Stopping,
    keep_background,
    keep_read,
    keep_roads,
    keep_streets,
    open_store,
)
from community_routes.network.network import Network
from community_routes.network.store import Store
from community_routes.network.streets.roads import Roads
from community_routes.network.streets.streets import Streets, build_streets
from community_routes.network.timetable.changes import MINIMUM_TIME, TIMED
from community_routes.network.timetable.trips import Timetable
from community_routes.network.walks.links import CrowFly, Ground, Linked
from community_routes.network.walks.points import Links, Points
from community_routes.routing.query import Query, Walks
from community_routes.scenarios.acting import check_acting
from community_routes.scenarios.apply import Applied, apply_scenario
from community_routes.scenarios.draws import Shifts, shifted_feed
from community_routes.scenarios.edit.work import Setting
from community_routes.scenarios.file import Scenario
from community_routes.scenarios.steps import Steps
from community_routes.sources.checks import check_service, country_of_feed
from community_routes.sources.gtfs.feed import Feed
from community_routes.sources.gtfs.read import read_feed
from community_routes.sources.osm.check import check_stops_inside
from community_routes.sources.osm.read import read_graphml, read_place, read_streets
from community_routes.sources.osm.street_map import StreetMap
from community_routes.sources.places.opportunities import (
    Opportunities,
    check_places,
    entrances_from_streets,
    polygons_without_entrances,
    read_opportunities,
)
from community_routes.sources.places.zones import Zones, read_zones
from community_routes.sources.rail import check_rail
from community_routes.sources.step_free import check_step_free
from community_routes.sources.study.credits import credit_of
from community_routes.sources.study.dates import check_dates
from community_routes.sources.study.fares import Fares
from community_routes.sources.study.file import StudyFile, named_files, read_study_file
from community_routes.sources.study.models import day_type

if TYPE_CHECKING:  # reading a study draws nothing
    import geopandas as gpd

EARLY_SUNDAY = declare(
    "early_on_sunday", "warning", "A window early in the morning is measured on a Sunday too, as it names no days."
)
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
    sources : DataFrame of name, kind, sha256, credit, publisher, licence
        The input files.
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

    def with_seed(self, seed: int) -> Study:
        """The same study with another seed of whatever is drawn at random."""
        travel = self.file.travel.model_copy(update={"seed": seed})
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
        return keep_roads(self.store, self.street_map)

    @cached_property
    def background(self) -> Mapping[str, gpd.GeoDataFrame]:
        """What maps show under the figures: the layers of ``background_layers``; none without a street map."""
        return {} if self.street_map is None else keep_background(self.store, self.street_map)

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
    _check_sundays(file, found)
    raise_on_errors(found, StudyError)
    return parts


def _check_dates(file: StudyFile, feed: Feed, found: list[Notice]) -> None:
    """Each service date against the calendar and against the timetable; no service is said of the study file's line."""
    place = file.at("dates")
    check_dates(file.dates, found, place=place, country=country_of_feed(feed))
    latest_s = max(window.end_s for window in file.travel.windows.values()) + file.travel.max_travel_min * MINUTE
    for date in dict.fromkeys(file.dates.values()):
        own: list[Notice] = []
        check_service(feed, date, own, until_s=latest_s)
        for notice in own:
            if notice.severity == "error":
                notice = replace(notice, file=place.get("file", ""), row=place.get("row"), column=place.get("column"))
            found.append(notice)


def _check_sundays(file: StudyFile, found: list[Notice]) -> None:
    """Warn of windows early on a Sunday that are asked for only because no day was named."""
    sundays = [day for day, date in file.dates.items() if day_type(date) == "sunday"]
    others = ", ".join(day for day in file.dates if day not in sundays)
    for name, window in file.travel.windows.items():
        if sundays and others and window.days is None and window.end_s <= _SUNDAY_BEGINS_S:
            message = (
                f"the window {name} ({format_window(window.time)}) is measured on {sundays[0]} as well, when few buses run "
                f"so early; add `days: [{others}]` to it, and a later window for {sundays[0]}"
            )
            place = window.at()
            at = place if place.get("file") else {"file": file.path.name, "field": f"travel.windows.{name}"}
            found.append(EARLY_SUNDAY.at(**at, value=sundays[0], message=message))


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
        raise StudyError(f"streets of the place {spec.place!r} are kept in the cache; name a folder as the cache")
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
    named += [(path, "postcodes") for _, path in named_files(file.postcodes)]
    for path, kind in named:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        row = {"name": path.name, "kind": kind, "sha256": digest, "credit": "", "publisher": "", "licence": ""}
        credit = credit_of(path.name, file.credits)
        if credit is not None:
            row |= {"credit": credit.line, "publisher": credit.publisher, "licence": credit.licence}
        elif kind == "streets" and not is_invented(file):
            row["credit"] = OSM_CREDIT
        rows.setdefault(path.resolve(), row)
    return pd.DataFrame(list(rows.values()), columns=["name", "kind", "sha256", "credit", "publisher", "licence"])


_SUNDAY_BEGINS_S = 9 * HOUR
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
        raise UsageError(f"the study has several days; name one as the day ({', '.join(dates)})")
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
            f"the study has several windows; name one as the window ({', '.join(windows)}, or 14:00-15:00)"
        )
    if window is None or window in windows:
        return window_query(study.file, window if window is not None else next(iter(windows)))
    try:
        return study_query(study.file, parse_window(window))
    except ValueError as wrong:
        raise UsageError(f"{window!r} is no window of the study ({', '.join(windows)}): {wrong}") from None


def setting_of(study: Study) -> Setting:
    """What a proposal is applied to."""
    return Case.of(study).setting


TODAY = "today"


@dataclass(frozen=True, eq=False)
class Case:
    """A study changed in some way, of which figures are asked: today, a proposal, other settings, another timetable, a draw.

    A case is made to be asked often. What a change does not touch is the same object as in the case that it was made from (its
    parent): inputs at once; stops, walks and networks, which are found when they are first asked for, wherever nothing that
    they come from differs. Nothing in a case is ever changed.

    Attributes
    ----------
    study : Study
        With the settings of this case.
    name, title : str
        ``today`` or the proposal's id, and its name for people.
    feed, zones, opportunities
        Inputs, as changed.
    ground : Streets or CrowFly
        What people walk on, as changed.
    fares : Fares or None
    applied : Applied or None
        What the proposal did; None for today.
    said : tuple of Notice
        Of applying the proposal.
    parent : Case or None
        What it was made from.
    """

    study: Study
    feed: Feed
    zones: Zones
    opportunities: Opportunities
    ground: Ground
    fares: Fares | None
    name: str = TODAY
    title: str = "Today"
    applied: Applied | None = None
    said: tuple[Notice, ...] = ()
    parent: Case | None = field(default=None, repr=False)

    @classmethod
    def of(cls, study: Study) -> Case:
        """Today: a study as it is."""
        return cls(study, study.feed, study.zones, study.opportunities, study.ground, study.file.fares)

    def with_scenario(
        self, scenario: Scenario, *, notices: list[Notice] | None = None, steps: Steps | None = None
    ) -> Case:
        """The case with a proposal, and those that it builds on, applied.

        Parameters
        ----------
        scenario : Scenario
        notices : list of Notice, optional
            Gets what was found, errors included.
        steps : Steps, optional
            What was applied to this case last; changes that begin alike are not applied again.

        Raises
        ------
        ScenarioError
            The proposal cannot be applied, or would change nothing.
        """
        found: list[Notice] = []
        try:
            applied = apply_scenario(scenario, self.setting, notices=found, steps=steps)
            routes = [*applied.new_routes, *applied.changed_routes]
            windows = {
                day: [(name, window.time) for name, window in self.file.windows_on(day).items()]
                for day in self.file.dates
            }
            acting = check_acting(self.feed, applied.feed, routes, self.file.dates, windows)
            found += [replace(notice, file=f"{scenario.scenario}.yaml") for notice in acting]
        finally:
            if notices is not None:
                notices.extend(found)
        ground = self.ground
        places = applied.opportunities if applied.opportunities is not None else self.opportunities
        if applied.street_map is not None:
            ground = _streets_of(applied.street_map, self.file.travel.wheelchair, steps)
        if len(polygons_without_entrances(places)):
            places = entrances_from_streets(places, lines_of(ground))
        if applied.fares != self.fares:
            check_fares(applied.feed, applied.fares, found)
        return Case(
            study=self.study,
            feed=applied.feed,
            zones=applied.zones if applied.zones is not None else self.zones,
            opportunities=places,
            ground=ground,
            fares=applied.fares,
            name=scenario.scenario,
            title=scenario.name,
            applied=applied if self.applied is None else applied.after(self.applied),
            said=tuple(found),
            parent=self,
        )

    def with_settings(self, **settings: Any) -> Case:
        """The case with other settings of ``travel`` or ``travel.walk`` (``speed_kmh=4``), or other ``measures``.

        Raises
        ------
        UsageError
            There is no such setting, or it is one by which inputs are read, so that the study must be opened anew.
        """
        file = self.file
        travel, walk, of_file = dict[str, Any](), dict[str, Any](), dict[str, Any]()
        for name, value in settings.items():
            if name in _READ_BY:
                raise UsageError(f"inputs are read by the setting {name!r}; open the study with another study file")
            if name in ("measures", "dates"):
                of_file[name] = value
            elif name in type(file.travel.walk).model_fields:
                walk[name] = value
            elif name in type(file.travel).model_fields:
                travel[name] = value
            else:
                raise UsageError(f"{name!r} is no setting of travel or of walks")
        if walk:
            travel["walk"] = file.travel.walk.model_copy(update=walk)
        if travel:
            of_file["travel"] = file.travel.model_copy(update=travel)
        return replace(self, study=replace(self.study, file=file.model_copy(update=of_file)), parent=self)

    def with_inputs(
        self,
        *,
        timetable: Feed | None = None,
        zones: Zones | None = None,
        opportunities: Opportunities | None = None,
    ) -> Case:
        """The case with another timetable, other neighbourhoods or other destinations."""
        return replace(
            self,
            feed=self.feed if timetable is None else timetable,
            zones=self.zones if zones is None else zones,
            opportunities=self.opportunities if opportunities is None else opportunities,
            parent=self,
        )

    def with_draw(self, shifts: Shifts) -> Case:
        """The case with its trips moved in time as one draw of what is random says (``scenarios.draws.scenario_draws``)."""
        return replace(self, feed=shifted_feed(self.feed, shifts), parent=self)

    def with_origins(self, points: Points) -> Case:
        """The case asked from other points, each a place of its own without residents, instead of the neighbourhoods."""
        rows = np.arange(points.n_places)
        table = pd.DataFrame(
            {"id": points.id, "name": points.id, "group": "", "population": 0.0}
            | dict.fromkeys(("deprivation_rank", "deprivation_decile"), np.nan)
        )
        share = 1.0 / np.bincount(points.place, minlength=len(rows))
        origins = pd.DataFrame(
            {"zone": points.place, "id": points.id[points.place], "lon": points.lon, "lat": points.lat}
        )
        origins = origins.assign(weight=share[points.place]).sort_values("zone", kind="stable", ignore_index=True)
        return self.with_inputs(zones=Zones(table, origins, has_population=False))

    @property
    def file(self) -> StudyFile:
        """Settings."""
        return self.study.file

    @cached_property
    def setting(self) -> Setting:
        """What a proposal is applied to."""
        street_map = self.applied.street_map if self.applied is not None else None
        return Setting(
            feed=self.feed,
            dates=dict(self.file.dates),
            roads=self.study.roads,
            ground=self.ground,
            zones=self.zones,
            opportunities=self.opportunities,
            fares=self.fares,
            street_map=street_map if street_map is not None else self.study.street_map,
        )

    def as_study(self) -> Study:
        """The study as it is in this case."""
        return replace(
            self.study,
            feed=self.feed,
            zones=self.zones,
            opportunities=self.opportunities,
            ground=self.ground,
            street_map=self.setting.street_map,
        )

    @cached_property
    def choice(self) -> Choice:
        """What is measured."""
        return study_choice(self.file, self.zones)

    @cached_property
    def _builder(self) -> Builder:
        return study_builder(self.file, self.feed, self.ground, self.study.store)

    @cached_property
    def stopping(self) -> Stopping:
        """Stops of the feed joined to the ground, and the walks between them; the parent's where they are the same."""
        known = self._parents("stopping")
        if known is not None and self._same_stops(known) and self._same_settings(known, _OF_STOPS):
            return known.stopping
        return self._builder.stopping()

    @property
    def stops(self) -> Linked:
        """Stops of the feed joined to the ground."""
        return self.stopping.stops

    @property
    def footpaths(self) -> Links:
        """Walks between the stops."""
        return self.stopping.footpaths

    @cached_property
    def _built(self) -> ByDay[tuple[Network, tuple[Notice, ...]]]:
        """Networks, and what was found; taken over from the parent where they come from the same, else renewed from its."""
        known, span_s = self._parents("_built"), span_of(self.file, self.choice)
        if (
            known is not None
            and known.feed is self.feed
            and known.stopping is self.stopping
            and self._same_settings(known, _OF_NETWORKS)
            and (span_of(known.file, known.choice), known.file.dates) == (span_s, self.file.dates)
        ):
            return known._built

        def build(day: str) -> tuple[Network, tuple[Notice, ...]]:
            found: list[Notice] = []
            like = known._built[day][0] if known is not None and known._built.has(day) else None
            network = self._builder.network(self.file.dates[day], span_s, self.footpaths, found, like)
            return network, tuple(found)

        return ByDay(self.file.dates, build)

    @cached_property
    def networks(self) -> Mapping[str, Network]:
        """The network of each day, built when it is first asked for."""
        return ByDay(self.file.dates, lambda day: self._built[day][0])

    def let_go(self) -> None:
        """Give back the memory of networks and timetables; they are made again (or read, if kept) should anybody ask."""
        for made in ("_built", "networks", "timetables", "departures"):
            self.__dict__.pop(made, None)

    @cached_property
    def timetables(self) -> Mapping[str, Timetable]:
        """The timetable of each day: of its network where that is built, else alone."""
        span_s = span_of(self.file, self.choice)

        def of_day(day: str) -> Timetable:
            if self._built.has(day):
                return self.networks[day].timetable
            return self._builder.timetable(self.file.dates[day], span_s)

        return ByDay(self.file.dates, of_day)

    def network_between(self, day: str, span_s: tuple[int, int], known: Network | None = None) -> Network:
        """The network of a day for the departures of a span of seconds alone, not kept; ``known`` is that of a case like it."""
        builder = replace(self._builder, store=None)
        return builder.network(self.file.dates[day], span_s, self.lean.footpaths, known=known)

    def timetable_between(self, day: str, span_s: tuple[int, int]) -> Timetable:
        """The timetable of a day for the departures of a span of seconds alone, not kept."""
        return self._builder.timetable(self.file.dates[day], span_s)

    @cached_property
    def lean(self) -> Lean:
        """Walks as far as travel times hang on them: those of the parent, and those of new stops and places.

        They may lead to stops that nothing serves any more, where nobody can board.
        """
        known = self._parents("lean")
        found = None if known is None else self._lean_from(known)
        return Lean(self.footpaths, self.reached) if found is None else found

    def walks_like(self, other: Case) -> bool:
        """Take the walks over from a case that is nearer to this one than its parent; False where they do not hold."""
        found = self._lean_from(other)
        if found is not None:
            self.__dict__["lean"] = found
        return found is not None

    def _lean_from(self, known: Case) -> Lean | None:
        """As ``lean``; None where the parent has other streets, rules or limits, or where stops or places of its are not here."""
        feed, n = self.feed, len(known.feed.stops)
        called = self.called_at
        if not (
            self.ground is known.ground
            and self._same_settings(known, _OF_WALKS)
            and _same_table(feed.pathways, known.feed.pathways)
            and (feed.transfers is known.feed.transfers or _same_table(_offered(feed), _offered(known.feed)))
            and (feed.stops is known.feed.stops or feed.stops.iloc[:n].equals(known.feed.stops))
            and (feed.stops["parent"].to_numpy()[n:] < 0).all()
            and np.isin(called[called < n], known.called_at).all()
        ):
            return None
        further = further_places(
            (self.zones, self.opportunities), (known.zones, known.opportunities), feed.stops.iloc[n:]
        )
        if further is None:
            return None
        was = replace(known.lean, stops=known.lean.stops or known.stops)
        return lean_with(self.ground, self.file.travel.walk, was, further, known._leans)

    @cached_property
    def _leans(self) -> dict[Further, Lean]:
        """Walks with further stops and places that cases made from this one needed last."""
        return {}

    @cached_property
    def reached(self) -> Reached:
        """Origins and destinations joined to the ground, and their walks; the parent's where all places are the same."""
        known = self._parents("reached")
        if known is not None and self.reaches_as(known):
            return known.reached
        ends = origin_points(self.zones), destination_points(self.opportunities)
        return study_walks(self.file, self.ground, self.stops, *ends)

    @property
    def walks(self) -> Walks:
        """The walks that begin, end or make up journeys."""
        return self.reached.walks

    def reaches_as(self, other: Case) -> bool:
        """Whether all places, stops and ways to walk of another case are those of this one; unserved stops do not count."""
        return (
            self.ground is other.ground
            and self.zones is other.zones
            and self.opportunities is other.opportunities
            and self._same_settings(other, _OF_WALKS)
            and same_stops(self.feed, other.feed)
            and _same_table(self.feed.pathways, other.feed.pathways)
            and bool(np.isin(self.called_at, other.called_at).all())
        )

    @cached_property
    def zone_walks(self) -> Walks:
        """Walks between the origins and each zone's own points."""
        known = self._parents("zone_walks")
        if known is not None and known.reached is self.reached:
            return known.zone_walks
        return zone_walks(self.file, self.ground, self.stops, self.zones)

    @cached_property
    def home_walks(self) -> Walks:
        """Walks of the way home, from destinations to the origins."""
        known = self._parents("home_walks")
        if known is not None and known.reached is self.reached:
            return known.home_walks
        return home_walks(self.file, self.ground, self.stops, self.reached, self.zones, self.opportunities)

    @property
    def on_network(self) -> NDArray[np.bool_]:
        """Origins that are joined to the ground, shape (n_origins,)."""
        return self.lean.reached.origins.place_linked

    @cached_property
    def origin_reason(self) -> Mapping[str, NDArray[np.object_]]:
        """By day, why each origin cannot travel: ``off_network``, ``no_service`` or "", shape (n_origins,)."""
        return ByDay(
            self.file.dates,
            lambda day: why_not(self.timetables[day], self.reached.origins, self.walks.access, leaving=True),
        )

    @cached_property
    def destination_reason(self) -> Mapping[str, NDArray[np.object_]]:
        """By day, why nobody can travel to each destination, shape (n_destinations,)."""
        return ByDay(
            self.file.dates,
            lambda day: why_not(self.timetables[day], self.reached.destinations, self.walks.egress, leaving=False),
        )

    @cached_property
    def departures(self) -> Mapping[str, StopDepartures]:
        """What leaves from each stop, by day."""
        return ByDay(self.file.dates, lambda day: build_departures(self.feed, self.networks[day].timetable))

    @cached_property
    def called_at(self) -> NDArray[np.int64]:
        """Rows of the stops where any trip calls."""
        return np.flatnonzero(np.bincount(self.feed.calls.stop, minlength=len(self.feed.stops))).astype(np.int64)

    def notices_on(self, days: Iterable[str]) -> tuple[Notice, ...]:
        """What was found: of the proposal, of the networks of some days, of places that are off the streets.

        Raises
        ------
        StudyError
            Nothing can be measured.
        """
        found = [*self.said, *self.stopping.notices, *(notice for day in days for notice in self._built[day][1])]
        report_places(self.file, self.ground, self.stops, self.reached, found)
        raise_on_errors(found, StudyError)
        return tuple(sort_notices(found))

    def _parents(self, part: str) -> Case | None:
        """The nearest case that this was made from which knows a part already."""
        known = self.parent
        while known is not None and part not in known.__dict__:
            known = known.parent
        return known

    def _same_settings(self, other: Case, names: Sequence[str]) -> bool:
        mine, its = self.file.travel, other.file.travel
        return mine is its or all(getattr(mine, name) == getattr(its, name) for name in names)

    def _same_stops(self, other: Case) -> bool:
        """Whether stops lie, are served and are joined to one another as in another case."""
        one, two = self.feed, other.feed
        return self.ground is other.ground and (
            one is two
            or (
                same_stops(one, two)
                and _same_table(one.transfers, two.transfers)
                and _same_table(one.pathways, two.pathways)
                and np.array_equal(self.called_at, other.called_at)
            )
        )

    def __repr__(self) -> str:
        return f"Case({self.study.file.study}: {self.name})"


Of = TypeVar("Of")


class ByDay(Mapping[str, Of]):
    """Something of each day, made when it is first asked for and kept."""

    def __init__(self, days: Iterable[str], make: Callable[[str], Of]) -> None:
        self._days, self._make = tuple(days), make
        self._made: dict[str, Of] = {}
        self._lock = threading.RLock()

    def __getitem__(self, day: str) -> Of:
        with self._lock:
            if day not in self._made:
                if day not in self._days:
                    raise KeyError(day)
                self._made[day] = self._make(day)
            return self._made[day]

    def has(self, day: str) -> bool:
        """Whether it is made."""
        return day in self._made

    def __iter__(self) -> Iterator[str]:
        return iter(self._days)

    def __len__(self) -> int:
        return len(self._days)


_READ_BY = ("phase", "seed", "wheelchair")
"""Settings by which the timetable and the streets are read."""
_OF_STOPS = ("walk", "wheelchair")
_OF_WALKS = ("walk", "wheelchair")
_OF_NETWORKS = ("slack_s", "phase", "seed", "step_free")


def _streets_of(street_map: StreetMap, wheelchair: bool, steps: Steps | None) -> Streets:
    def build() -> Streets:
        return build_streets(street_map, wheelchair=wheelchair)

    return build() if steps is None else steps.streets(street_map, wheelchair, build)


def _offered(feed: Feed) -> pd.DataFrame:
    """Stops between which ``transfers.txt`` offers changes, of which footpaths are made."""
    kinds = feed.transfers["transfer_type"].isin([TIMED, MINIMUM_TIME])
    return feed.transfers.loc[kinds, ["from_stop", "to_stop"]].reset_index(drop=True)


def _same_table(one: pd.DataFrame | None, other: pd.DataFrame | None) -> bool:
    """Whether two tables are the same, or are both not there."""
    return one is other or (one is not None and other is not None and bool(one.equals(other)))
