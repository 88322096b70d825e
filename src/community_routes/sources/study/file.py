"""Reads a study file: what is studied, on which days, from which data, with which settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr, WithJsonSchema, field_validator

from community_routes.base.errors import StudyError, as_path
from community_routes.base.notices import Notice, declare, raise_on_errors
from community_routes.sources.study.costs import Costs
from community_routes.sources.study.credits import Credit
from community_routes.sources.study.fares import Fares, Standards
from community_routes.sources.study.models import DAY_TYPES, DataFile, Date, Name, SitesSpec, Spec, mark_places
from community_routes.sources.study.places import Destinations, Neighbourhoods, StreetsSpec
from community_routes.sources.study.postcodes import Postcodes
from community_routes.sources.study.travel import Travel, Window
from community_routes.sources.study.yaml import (
    BAD_VALUE,
    MISSING_FILE,
    json_schema,
    near_file,
    nearest,
    read_yaml,
    resolve,
    validate,
)

WINDOW_ON_NO_DAY = declare("window_on_no_day", "warning", "A window is asked for on days that the study does not have.")


def _dates(value: Any) -> Any:
    """One date is the day ``day``."""
    return value if isinstance(value, Mapping) else {"day": value}


def _files(value: Any) -> Any:
    return [value] if isinstance(value, str | Path) else value


def _measures(value: Any) -> Any:
    """Each measure is a name, or a name with settings."""
    if value is None:
        return None
    items = value if isinstance(value, list | tuple) else [value]
    found = []
    for item in items:
        if isinstance(item, str):
            found.append({"name": item, "settings": {}})
        elif isinstance(item, dict) and len(item) == 1:
            name, settings = next(iter(item.items()))
            if settings is not None and not isinstance(settings, dict):
                raise ValueError(f"the settings of {str(name)!r} must be keys with values, as in {{cutoffs_min: [30]}}")
            found.append({"name": name, "settings": resolve(settings or {})})
        elif isinstance(item, MeasureChoice):
            found.append({"name": item.name, "settings": item.settings})
        else:
            raise ValueError("a measure is a name, or one name with its settings, as in `- nearest: {n: 2}`")
    return found


class MeasureChoice(Spec):
    """A measure to compute, with its settings."""

    name: Name
    settings: dict[str, Any] = Field(default_factory=dict)


class StudyFile(Spec):
    """A study file as read: every key of the format with its default, paths made absolute, times in seconds.

    Attributes
    ----------
    dates : dict of str to date
        The service dates by day; ``{"day": ...}`` where the file gives one date (key ``service_date``).
    """

    study: Name
    title: str = ""
    dates: Annotated[
        dict[str, Date],
        BeforeValidator(_dates),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "format": "date"},
                    {"type": "object", "additionalProperties": {"type": "string", "format": "date"}},
                ]
            }
        ),
    ] = Field(alias="service_date", min_length=1)
    streets: StreetsSpec
    timetables: Annotated[
        tuple[DataFile, ...],
        BeforeValidator(_files),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
    ] = Field(min_length=1)
    neighbourhoods: Neighbourhoods
    destinations: dict[str, Destinations] = Field(min_length=1)
    travel: Travel = Travel()
    fares: Fares | None = None
    costs: Costs | None = None
    credits: tuple[Credit, ...] = ()
    postcodes: Postcodes | None = None
    standards: Standards | None = None
    sites: SitesSpec = SitesSpec()
    measures: Annotated[
        tuple[MeasureChoice, ...] | None,
        BeforeValidator(_measures),
        WithJsonSchema(
            {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object", "maxProperties": 1}]}}
        ),
    ] = None
    _path: Path = PrivateAttr(default=Path("study.yaml"))
    _missing: frozenset[Path] = PrivateAttr(default=frozenset())

    @field_validator("destinations")
    @classmethod
    def _keys_are_words(cls, value: dict[str, Destinations]) -> dict[str, Destinations]:
        for key in value:
            if not key.strip() or "/" in key:
                raise ValueError(f"{key!r} cannot be a key of destinations: it must be a word without `/`")
        return value

    @property
    def path(self) -> Path:
        """The study file."""
        return self._path

    @property
    def folder(self) -> Path:
        """The folder against which relative paths were resolved."""
        return self._path.parent

    @property
    def missing_files(self) -> frozenset[Path]:
        """Files that the study names and that are not there; each has its notice already."""
        return self._missing

    def windows_on(self, day: str) -> dict[str, Window]:
        """The windows asked for on one day of the study, in the file's order."""
        return {name: window for name, window in self.travel.windows.items() if window.runs_on(day, self.dates)}


def read_study_file(path: str | Path, notices: list[Notice] | None = None) -> StudyFile:
    """Read and check a study file, and check that every file it names is there.

    All faults are collected: each is a notice with line, column, dotted key, value and the nearest known key. With ``notices``
    given they are appended to it, errors too, and the study is returned wherever one can be built (a misspelt key is read as the
    key it most likely means), so that the files it names can be checked as well; stop with ``raise_on_errors(notices)``
    afterwards. With ``notices=None`` any error is raised.

    Raises
    ------
    StudyError
        Nothing can be built from the file (or any error, with ``notices=None``).
    """
    path = as_path(path).absolute()
    found: list[Notice] = []
    study: StudyFile | None = None
    try:
        located = read_yaml(path, found)
        study = validate(located, StudyFile, found, context={"folder": path.parent})
        if study is not None:
            study._path = path
            mark_places(study, located, located.root)
            _check(study, found)
    finally:
        if notices is not None:
            notices.extend(found)
    if study is None or notices is None:
        raise_on_errors(found, StudyError)
    assert study is not None
    return study


def _check(study: StudyFile, found: list[Notice]) -> None:
    """What no single key can tell: files that are not there, and names that refer to other parts."""
    study._missing = frozenset(_missing_files(study, found))
    reads_places = study.streets.osm is not None or study.streets.place is not None
    for key, spec in study.destinations.items():
        if spec.osm is not None and not reads_places:
            message = (
                f"{key!r} asks for places of OpenStreetMap, but `streets` names no file to find them in (`osm: FILE`)"
            )
            found.append(BAD_VALUE.at(**spec.at("osm"), value=", ".join(spec.osm), message=message))
    for name, window in study.travel.windows.items():
        for day in window.days or ():
            if day not in study.dates and day not in DAY_TYPES:
                near = nearest(day, [*study.dates, *DAY_TYPES])
                found.append(
                    BAD_VALUE.at(
                        **window.at("days"),
                        value=day,
                        message=f"{day!r} is no day of this study ({', '.join(study.dates)})"
                        + (f"; did you mean {near!r}?" if near else ""),
                    )
                )
        given = window.at().get("file") is not None
        if given and not any(window.runs_on(day, study.dates) for day in study.dates):
            found.append(
                WINDOW_ON_NO_DAY.at(
                    **window.at("days"),
                    value=", ".join(window.days or ()),
                    message=f"the window {name!r} runs on no day of this study ({', '.join(study.dates)}), so it is not measured",
                )
            )
    for key in sorted(set(study.sites.named_places).intersection(study.destinations)):
        message = f"{key!r} is a key of destinations already; call the place something else"
        found.append(BAD_VALUE.at(**study.sites.at("named_places"), value=key, message=message))
    if study.standards is not None:
        known = [*study.destinations, *study.sites.named_places]
        for key, near in study.standards.unknown_destinations(known).items():
            hint = f"; did you mean {near!r}?" if near else f" (they are {', '.join(known)})"
            message = f"{key!r} is no key of destinations{hint}"
            found.append(BAD_VALUE.at(**study.standards.at(), value=f"{key}_within_min", message=message))


def _missing_files(study: StudyFile, found: list[Notice]) -> Iterator[Path]:
    """Every file that is named and not there, with a notice at the line that names it."""
    for place, file in named_files(study):
        if file.is_file():
            continue
        what = "is a folder, not a file" if file.is_dir() else f"is not there{near_file(file)}"
        found.append(MISSING_FILE.at(**place, value=file.name, message=f"the file {file.name!r} {what}"))
        yield file


def named_files(part: Any) -> Iterator[tuple[dict[str, Any], Path]]:
    """The place and path of every file named in a part and the parts inside it."""
    if isinstance(part, Mapping):
        for value in part.values():
            yield from named_files(value)
    elif isinstance(part, Spec):
        for name in type(part).model_fields:
            value = getattr(part, name)
            if isinstance(value, Path):
                yield part.at(name), value
            elif isinstance(value, tuple) and value and isinstance(value[0], Path):
                for number, item in enumerate(value):
                    yield {**part.at(name), "field": f"{part.at(name).get('field', name)}[{number + 1}]"}, item
            else:
                yield from named_files(value)


def study_schema() -> dict[str, Any]:
    """The JSON schema of a study file."""
    return json_schema(StudyFile, "community_routes study file")
