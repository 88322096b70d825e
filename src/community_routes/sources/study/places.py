"""The `streets`, `neighbourhoods` and `destinations` parts of a study file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from community_routes.sources.study.models import MOST, DataFile, Name, Names, Spec

Box = tuple[float, float, float, float]


class CrowFlyWalking(Spec):
    """Walking in a straight line, made longer by a factor."""

    detour: Annotated[float, Field(ge=1, le=5)] = 1.3


class StreetsSpec(Spec):
    """Where the walkable streets come from: exactly one of ``osm``, ``graphml``, ``place`` and ``crow_fly``."""

    osm: DataFile | None = None
    graphml: DataFile | None = None
    place: Name | None = None
    crow_fly: CrowFlyWalking | None = None
    area: Box | None = None

    @field_validator("area")
    @classmethod
    def _area_is_a_box(cls, box: Box | None) -> Box | None:
        if box is None:
            return None
        west, south, east, north = box
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            swapped = -180 <= south < north <= 180 and -90 <= west < east <= 90
            raise ValueError(
                f"[{west:g}, {south:g}, {east:g}, {north:g}] is no box; write [west, south, east, north] in degrees"
                + ("; longitude comes first" if swapped else "")
            )
        return box

    @model_validator(mode="after")
    def _one_source(self) -> StreetsSpec:
        given = [key for key in ("osm", "graphml", "place", "crow_fly") if getattr(self, key) is not None]
        if len(given) != 1:
            what = " and ".join(given) if given else "none of them"
            raise ValueError(f"give exactly one of osm, graphml, place and crow_fly; {what} given")
        return self


class Lookup(Spec):
    """A table that leads from the codes of a table (``from``) to those of the neighbourhoods (``to``).

    A code that leads to several neighbourhoods is shared out by ``weight`` (equally without it); several codes that lead to one
    neighbourhood are added up.
    """

    file: DataFile
    from_: Name = Field(alias="from")
    to: Name
    weight: Name | None = None


class TableSpec(Spec):
    """A table with one row for each neighbourhood; without ``file``, the neighbourhoods file itself.

    ``layer`` names the sheet of a workbook, or the table of a database.
    """

    file: DataFile | None = None
    id: Name | None = None
    layer: Name | None = None
    lookup: Lookup | None = None

    @model_validator(mode="after")
    def _id_with_file(self) -> TableSpec:
        if self.file is not None and self.id is None:
            raise ValueError(f"the key 'id' is missing: the column of {self.file.name} that holds the codes")
        return self


class PopulationSpec(TableSpec):
    """Number of people of each neighbourhood."""

    column: Name


class IncomeSpec(TableSpec):
    """Income of each neighbourhood: of a person or a household, net or not, as the study says; ``per`` week, month or year."""

    column: Name
    per: Literal["week", "month", "year"] = "year"


class GroupSpec(TableSpec):
    """The larger area (a ward) of each neighbourhood, by which results are summed."""

    column: Name


class DeprivationSpec(TableSpec):
    """Rank and decile of deprivation; 1 is the most deprived.

    ``income_rank`` is the rank in the domain of income alone, which holds no access to services.
    """

    rank: Name | None = None
    decile: Name | None = None
    income_rank: Name | None = None

    @model_validator(mode="after")
    def _something(self) -> DeprivationSpec:
        if self.rank is None and self.decile is None:
            raise ValueError("give 'rank', 'decile' or both: the columns that hold them (1 = most deprived)")
        return self


class GroupsSpec(TableSpec):
    """Columns with the number (or share) of people of each group."""

    columns: Annotated[dict[str, Names], Field(min_length=1)]


class OriginPointsSpec(Spec):
    """Points at which the people of a neighbourhood start; several rows with a weight are several origins."""

    file: DataFile | None = None
    id: Name | None = None
    lon: Name | None = None
    lat: Name | None = None
    weight: Name | None = None
    crs: Name | None = None

    @model_validator(mode="after")
    def _pairs(self) -> OriginPointsSpec:
        if (self.lon is None) != (self.lat is None):
            raise ValueError("give both 'lon' and 'lat', or none where the file holds points")
        if self.file is not None and self.id is None:
            raise ValueError(f"the key 'id' is missing: the column of {self.file.name} that holds the codes")
        if self.file is None and self.lon is None:
            raise ValueError("give 'file', or 'lon' and 'lat': columns of the neighbourhoods file")
        return self


class Neighbourhoods(Spec):
    """The areas whose access is measured, and what is known of each."""

    file: DataFile
    id: Name
    name: Name | None = None
    group: Name | GroupSpec | None = None
    layer: Name | None = None
    crs: Name | None = None
    lon: Name | None = None
    lat: Name | None = None
    origin_points: OriginPointsSpec | None = None
    population: PopulationSpec | None = None
    income: IncomeSpec | None = None
    deprivation: DeprivationSpec | None = None
    groups: GroupsSpec | None = None


class EntrancesSpec(Spec):
    """Points at which the places of a destination polygon are entered; ``id`` is the place's own id."""

    file: DataFile
    id: Name
    lon: Name | None = None
    lat: Name | None = None
    crs: Name | None = None


def _amount(value: Any) -> float | str:
    """A number, or the name of a column."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a number or the name of a column is expected")
    try:
        number = float(value)
    except ValueError:
        return str(value)
    if getattr(value, "plain", True) is False:  # in quotes: a column that is called 2021
        return str(value)
    return number


def _tags(value: Any) -> dict[str, tuple[str, ...]]:
    """``{amenity: library}``, ``{amenity: [library, townhall]}`` or ``{leisure: "*"}`` (any value)."""
    if not isinstance(value, dict) or not value:
        raise ValueError("tags of OpenStreetMap are expected, as in {amenity: [library]}")
    found = {}
    for key, wanted in value.items():
        values = wanted if isinstance(wanted, list | tuple) else [wanted]
        if not values or not all(isinstance(item, str) and item.strip() for item in values):
            raise ValueError(f"the tag {str(key)!r} needs a value or a list of values, as in {{amenity: [library]}}")
        found[str(key)] = tuple(str(item) for item in values)
    return found


Amount = Annotated[
    float | str,
    BeforeValidator(_amount),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}),
]
Tags = Annotated[
    dict[str, tuple[str, ...]],
    BeforeValidator(_tags),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        }
    ),
]


class Destinations(Spec):
    """Places worth reaching: a file, or tags to look for in the streets file."""

    file: DataFile | None = None
    osm: Tags | None = None
    id: Name | None = None
    name: Name | None = None
    kind: Name | None = None
    amount: Amount = 1.0
    layer: Name | None = None
    crs: Name | None = None
    lon: Name | None = None
    lat: Name | None = None
    same_as: Name | None = None
    entrances: EntrancesSpec | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Destinations:
        if (self.file is None) == (self.osm is None):
            raise ValueError("give exactly one of 'file' and 'osm'")
        if self.file is not None and self.id is None:
            raise ValueError(
                f"the key 'id' is missing: the column of {self.file.name} that holds the ids of the places"
            )
        if self.osm is not None:
            extra = [key for key in ("id", "layer", "crs", "lon", "lat", "same_as") if getattr(self, key) is not None]
            if extra or isinstance(self.amount, str):
                raise ValueError(
                    f"{', '.join(extra) or 'a column as amount'} cannot stand beside 'osm', which has no columns"
                )
        if (self.lon is None) != (self.lat is None):
            raise ValueError("give both 'lon' and 'lat', or none where the file holds places on a map")
        if isinstance(self.amount, float) and not 0 <= self.amount <= MOST:
            raise ValueError(f"an amount cannot be below 0 or above {MOST:,.0f}")
        return self
