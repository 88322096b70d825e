"""What the API takes and gives: one model for each body and each answer, from which its description is made."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from community_routes.workbench.document import Edit

MOST_TEXT = 300_000
"""Letters of a scenario file."""
MOST_FILES = 50
"""Texts of one question."""

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Text = Annotated[str, StringConstraints(max_length=MOST_TEXT)]
Name = Annotated[str, StringConstraints(max_length=200)]
Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Clock = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,2}:[0-5][0-9]$")]
Line = list[tuple[float, float]]
Files = Annotated[dict[Id, Text], Field(max_length=MOST_FILES)]


class Asked(BaseModel):
    """A body: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Given(BaseModel):
    """A part of an answer."""


# -- what is asked ----------------------------------------------------------------------------------------------------------


class Choice(Asked):
    """Which figure: every part left out is the study's headline."""

    day: Name | None = None
    window: Name | None = None
    kind: Name | None = None
    measure: Name | None = None
    cutoff_min: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] | None = None
    reading: Name | None = None
    group: Name | None = None


class Texts(Asked):
    """Texts of scenario files, and which of them is meant; what is not among them is read from the folder."""

    files: Files = Field(default_factory=dict)
    scenario: Id = "today"


class Question(Texts):
    """What is asked of a proposal."""

    choice: Choice = Field(default_factory=Choice)


class AnswerQuestion(Question):
    """The figures of a proposal, perhaps after one more edit of its text."""

    edit: Edit | None = None


class EditQuestion(Asked):
    """An edit of a text, without any figures."""

    text: Text
    edit: Edit


class CompareQuestion(Asked):
    """Proposals side by side."""

    files: Files = Field(default_factory=dict)
    scenarios: Annotated[list[Id], Field(min_length=1, max_length=20)]
    choice: Choice = Field(default_factory=Choice)


class NeighbourhoodQuestion(Question):
    """The figures and journeys of one neighbourhood; to the nearest places, or to those named."""

    id: Name
    places: Annotated[list[Name], Field(max_length=10)] | None = None


class Spot(Asked):
    """An end of a journey: a point, or the id of a stop, a neighbourhood or a destination; one of them."""

    lon: Lon | None = None
    lat: Lat | None = None
    stop: Name | None = None
    neighbourhood: Name | None = None
    place: Name | None = None


class JourneyQuestion(Question):
    """A journey from one place to another, leaving at a time or arriving by it."""

    origin: Spot
    destination: Spot
    time: Clock
    arrive_by: bool = False


class IsochroneQuestion(Question):
    """How far one gets from a point within each of some minutes, leaving when the window of the choice begins."""

    lon: Lon
    lat: Lat
    minutes: Annotated[list[Annotated[int, Field(ge=1, le=240)]], Field(min_length=1, max_length=6)] = Field(
        default_factory=lambda: [15, 30, 45]
    )


class WayQuestion(Asked):
    """Which street or path of the map is nearest to a point."""

    lon: Lon
    lat: Lat


class MatrixQuestion(Question):
    """Minutes from a place to every neighbourhood and destination."""

    origin: Spot


class FileToSave(Asked):
    """A text to be a file, and the sha256 of what the disk held when it was read; null where there was no file."""

    text: Text
    was: Sha | None = None


class DraftToKeep(Asked):
    """A text that is not saved yet, and of which file's content it was made."""

    text: Text
    base_sha256: Sha | None = None


class ReportQuestion(Asked):
    """Proposals to be run in full."""

    files: Files = Field(default_factory=dict)
    scenarios: Annotated[list[Id], Field(max_length=20)] = Field(default_factory=list)


RouteText = Annotated[str, StringConstraints(pattern=r"^[^,\x00-\x1f]+$", max_length=200)]


class BetterQuestion(Asked):
    """Better headways to be looked for: of which routes (none named: all near), within how many bus-hours a year and minutes."""

    routes: Annotated[list[RouteText], Field(max_length=100)] = Field(default_factory=list)
    bus_hours: Annotated[float, Field(allow_inf_nan=False)] = 0.0
    minutes: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 2.0
    choice: Choice = Field(default_factory=Choice)


# -- what is answered -------------------------------------------------------------------------------------------------------


class Fault(Given):
    """Something found: in a text with its line and column (from 1), in a question without."""

    severity: Literal["error", "warning", "info"] = "error"
    kind: str
    message: str
    file: str = ""
    line: int | None = None
    column: int | None = None
    field: str = ""
    cure: str = ""


class Refusal(Given):
    """Why a request is refused."""

    detail: list[Fault]


class Geometry(Given):
    """A GeoJSON geometry: polygons of rings of ``[lon, lat]``."""

    type: Literal["MultiPolygon"] = "MultiPolygon"
    coordinates: list[list[Line]]


class Feature(Given):
    """A GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    properties: dict[str, JsonValue]
    geometry: Geometry


class Features(Given):
    """GeoJSON."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[Feature]


class State(Given):
    """How far the server is: ``reading`` the study, ``searching`` today's figures, ``ready``, or ``failed`` with the faults."""

    state: Literal["reading", "searching", "ready", "failed"]
    stage: str
    seconds: float
    faults: list[Fault]


class Named(Given):
    """Something that can be chosen."""

    id: str
    name: str


class Unit(Given):
    """The unit of figures, as tables have it, and how people are shown it: a figure times ``factor``, in ``name``."""

    id: str
    name: str
    factor: float


class Kind(Named):
    """A kind of what is reached, and the unit of its amounts (null where it has none)."""

    unit: Unit | None


class Day(Named):
    """A service date."""

    date: str


class Window(Named):
    """A window of departures."""

    start: str
    end: str
    days: list[str]


class MeasureChoice(Given):
    """A measure, for the kinds, cutoffs and readings in which it is known."""

    id: str
    label: str
    unit: Unit | None
    less_is_better: bool
    kinds: list[str]
    cutoffs_min: list[float]
    readings: list[Named]


class GroupChoice(Given):
    """A group of residents."""

    id: str
    label: str


class ScenarioFile(Given):
    """A scenario file as it is on the disk; ``given`` where the command named it."""

    id: str
    title: str
    file: str
    sha256: str
    text: str
    given: bool


class Draft(Given):
    """A text that was not saved."""

    id: str
    text: str
    base_sha256: str | None
    saved_at: str


class Start(Given):
    """The choice to begin with."""

    day: str
    window: str
    kind: str
    measure: str
    cutoff_min: float | None
    reading: str
    group: str


class Period(Given):
    """A period of the day."""

    id: str
    start: str
    end: str


class StudyAnswer(Given):
    """What can be chosen and opened."""

    model_config = ConfigDict(populate_by_name=True)

    title: str
    version: str
    read_only: bool
    invented: bool
    currency: str
    days: list[Day]
    windows: list[Window]
    kinds: list[Kind]
    measures: list[MeasureChoice]
    groups: list[GroupChoice]
    start: Start
    scenarios: list[ScenarioFile]
    drafts: list[Draft]
    credits: list[str]
    schema_: Annotated[dict[str, JsonValue], Field(alias="schema")]
    periods: list[Period]
    limits: dict[str, int]


class StreetClass(Given):
    """Streets of one class of importance."""

    model_config = ConfigDict(populate_by_name=True)

    class_: Annotated[str, Field(alias="class")]
    lines: list[Line]


class Shapes(Given):
    """Areas (polygons of rings) and lines of a background layer."""

    areas: list[list[Line]]
    lines: list[Line]


class Label(Given):
    """A name on the map."""

    name: str
    kind: str
    lon: float
    lat: float


class PlaceOnMap(Given):
    """A destination."""

    id: str
    kind: str
    name: str
    lon: float
    lat: float


class StopOnMap(Given):
    """A stop, with the ids of the routes that call there."""

    id: str
    name: str
    lon: float
    lat: float
    routes: list[str]


class Pattern(Given):
    """Trips of a route with the same stops and course; ``trips`` counts its departures on the study's days."""

    direction: int
    stops: list[str]
    line: Line
    trips: int


class RouteOnMap(Given):
    """A route: its patterns, the most run first, and minutes between buses by day and period (null: none)."""

    id: str
    name: str
    long_name: str
    operator: str
    mode: str
    color: str
    patterns: list[Pattern]
    headways: dict[str, dict[str, float | None]]
    change: int | None = None


class MapAnswer(Given):
    """What the map shows behind proposals."""

    bounds: tuple[float, float, float, float]
    streets: list[StreetClass]
    background: dict[str, Shapes]
    labels: list[Label]
    neighbourhoods: Features
    places: list[PlaceOnMap]
    stops: list[StopOnMap]
    routes: list[RouteOnMap]


class ChangeStop(Given):
    """A place of a change: ``minutes`` is the run time from the one before."""

    id: str
    name: str
    lon: float
    lat: float
    minutes: float | None


class ChangePoint(Given):
    """A point of a change, by the field in which it stands."""

    field: str
    name: str
    lon: float
    lat: float


class ChangeAnswer(Given):
    """A change of the proposal: what it did, and where."""

    index: int
    kind: str
    off: bool
    line: int
    sentence: str
    fields: dict[str, JsonValue]
    effects: list[str]
    warnings: list[str]
    lines: list[Line]
    stops: list[ChangeStop]
    points: list[ChangePoint]
    routes: list[str]


class Neighbourhoods(Given):
    """A figure of every neighbourhood, in columns; null where it cannot be said."""

    id: list[str]
    today: list[float | None]
    value: list[float | None]
    change: list[float | None]
    reason: list[str]


class ScaleAnswer(Given):
    """Classes of a map: class ``i`` holds ``breaks[i - 1] <= value < breaks[i]``; ``labels`` are in the unit shown."""

    breaks: list[float]
    colors: list[str]
    labels: list[str]
    unit: str


class Scales(Given):
    """The scales of the level and of its change; the same for a choice whatever is proposed."""

    level: ScaleAnswer
    change: ScaleAnswer


class GroupAnswer(Given):
    """The figure of a group of residents."""

    id: str
    grouping: str
    group: str
    label: str
    today: float | None
    value: float | None
    change: float | None
    change_percent: float | None
    population: float


class PersonsAnswer(Given):
    """Residents better off, worse off and the same; who gained a figure or lost it besides."""

    better: float
    worse: float
    same: float
    gained: float
    lost: float


class CostAnswer(Given):
    """What a proposal takes a year beside today (null: nobody knows, or there are no rates)."""

    bus_hours: float | None
    vehicle_km: float | None
    buses: float | None
    cost: float | None
    missing: str
    assumptions: list[str]


class Figures(Given):
    """What a proposal is worth, for one choice."""

    choice: Start
    unit: Unit
    groups: list[GroupAnswer]
    persons: PersonsAnswer
    cost: CostAnswer | None
    gain_per_1000_bus_hours: float | None


class AnswerAnswer(Given):
    """A proposal answered; with faults that stop it there are no figures."""

    text: str | None = None
    seconds: float
    faults: list[Fault]
    changes: list[ChangeAnswer]
    figures: Figures | None = None
    neighbourhoods: Neighbourhoods | None = None
    scales: Scales | None = None
    routes: list[RouteOnMap] = Field(default_factory=list)


class EditAnswer(Given):
    """A text after an edit, or as it was with what was wrong."""

    text: str
    faults: list[Fault]


class CheckAnswer(Given):
    """What is wrong with a proposal, and what it would do."""

    faults: list[Fault]
    sentences: list[str]


class CompareRow(Given):
    """A proposal of the table side by side; with faults there are no figures."""

    id: str
    title: str
    faults: list[Fault]
    figures: Figures | None = None


class CompareAnswer(Given):
    """Proposals side by side, in the order asked."""

    rows: list[CompareRow]


class Leg(Given):
    """A walk or a ride."""

    mode: str
    route: str
    from_: Annotated[str, Field(alias="from")]
    to: str
    departure: str
    arrival: str
    line: Line


class JourneyAnswer(Given):
    """A journey, or why there is none and what would be needed."""

    to: str
    name: str
    minutes: float | None
    departure: str
    arrival: str
    legs: list[Leg]
    why: str
    needed: str


class TwoJourneys(Given):
    """Today and with the proposal."""

    today: list[JourneyAnswer]
    value: list[JourneyAnswer]


class NeighbourhoodFigure(Given):
    """A figure of a neighbourhood."""

    kind: str
    measure: str
    label: str
    reading: str
    cutoff_min: float | None
    today: float | None
    value: float | None
    change: float | None
    unit: Unit


class NeighbourhoodAnswer(Given):
    """A neighbourhood: its people, figures and journeys."""

    id: str
    name: str
    population: float | None
    fifth: int | None
    figures: list[NeighbourhoodFigure]
    journeys: TwoJourneys
    faults: list[Fault]


class Reach(Given):
    """Areas within each limit, and the residents and amounts of each kind inside the widest."""

    areas: Features
    persons: float
    amounts: dict[str, float]


class WayAnswer(Given):
    """A street or path that people walk on, by its number in OpenStreetMap; ``metres`` is how far the point is from it."""

    osm_way: int
    name: str
    metres: float


class IsochroneAnswer(Given):
    """How far one gets today and with the proposal."""

    today: Reach
    value: Reach | None
    faults: list[Fault]


class Minutes(Given):
    """Mean minutes over the departures that arrive; null where none does."""

    id: str
    today: float | None
    value: float | None


class MatrixAnswer(Given):
    """Minutes to every neighbourhood and destination."""

    neighbourhoods: list[Minutes]
    places: list[Minutes]
    faults: list[Fault]


class SavedFile(Given):
    """A file as it was written."""

    sha256: str
    file: str


class Job(Given):
    """A full report or a search for better headways under way."""

    job: str


class JobState(Given):
    """How far a report or a search is; ``url`` once its page is there, ``text`` the proposal that a search found."""

    state: Literal["running", "done", "failed", "stopped"]
    progress: float
    stage: str
    url: str | None
    message: str
    text: str | None = None
