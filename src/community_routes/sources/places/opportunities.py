"""Destinations: places worth reaching, how much each is worth, and the points at which it is entered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from community_routes.base.errors import StudyError
from community_routes.base.notices import Notice, Sample, declare, findings
from community_routes.sources.places.joins import match_rows, mended
from community_routes.sources.places.table import (
    Table,
    as_text,
    find_column,
    listed,
    numbers,
    read_map,
    table_html,
    take,
    unique_ids,
)
from community_routes.sources.places.zones import Zones
from community_routes.sources.study.models import build_part
from community_routes.sources.study.places import Destinations, EntrancesSpec

NO_DESTINATIONS = declare("no_destinations", "error", "A kind of destination has no place at all.")
NO_OSM_PLACES = declare("no_osm_places", "warning", "The streets file holds no place with the tags asked for.")
AMOUNT_UNKNOWN = declare(
    "amount_unknown", "warning", "A place has no amount in the table; it counts as nothing.", outcome="left out"
)
NOTHING_TO_REACH = declare(
    "nothing_to_reach", "warning", "All amounts of a kind of destination are 0, so nothing can be reached."
)
PLACES_OVERLAP = declare("places_overlap", "info", "Areas of one kind of destination overlap; each is counted.")
SAME_AS_UNKNOWN = declare(
    "same_as_unknown", "warning", "A place is said to be the same as one that is not in the file."
)
JOINED_AS_ONE = declare("joined_as_one", "info", "Rows that are one place were joined into it.")
ENTRANCE_FAR = declare("entrance_far", "warning", "An entrance lies far from its place.")

MAX_ENTRANCES = 30
_FAR_M = 500.0


@dataclass(frozen=True, eq=False)
class Opportunities:
    """All destinations of a study.

    Attributes
    ----------
    table : GeoDataFrame (EPSG:4326), one row for each place, by key in the study's order and in the file's order within
        ``key`` (the key under `destinations`), ``id``, ``name``, ``kind`` (empty where there is none), ``amount`` (float64, 0 or
        more), ``geometry`` (a point, a polygon or a multipolygon).
    entrances : DataFrame
        ``place`` (int32, row of ``table``, never falling), ``lon``, ``lat``: where a place is entered. Points and places with
        given entrances have theirs; a polygon without has none until :func:`entrances_from_streets`.
    """

    table: Any
    entrances: pd.DataFrame

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        counts = self.table["key"].value_counts(sort=False)
        return f"Opportunities({', '.join(f'{key} {count}' for key, count in counts.items()) or 'none'})"

    def _repr_html_(self) -> str:
        return table_html(self, self.table)

    @property
    def keys(self) -> list[str]:
        """The keys of `destinations`, in order."""
        return list(dict.fromkeys(self.table["key"]))

    def rows_of(self, kind: str) -> NDArray[np.int64]:
        """Rows of ``table`` of a key, or of one kind of place as ``key/kind``."""
        key, _, part = kind.partition("/")
        wanted = self.table["key"].to_numpy() == key
        if part:
            wanted &= self.table["kind"].to_numpy() == part
        return np.flatnonzero(wanted)


def read_opportunities(
    specs: Mapping[str, Destinations | Mapping[str, Any]],
    folder: str | Path = ".",
    osm_places: Mapping[str, Any] | None = None,
    notices: list[Notice] | None = None,
) -> Opportunities:
    """Read all destinations of a study.

    Parameters
    ----------
    specs : mapping
        The study's `destinations`; each may also be a dict of its keys.
    folder : path
        Where relative file names begin.
    osm_places : mapping of key to GeoDataFrame
        For keys that ask for OpenStreetMap places: what the streets file holds (``id``, ``name``, ``kind``, ``geometry``).
    notices : list of Notice, optional
        Every finding is appended, errors too.

    Returns
    -------
    Opportunities

    Raises
    ------
    StudyError
        A file, column, row or join cannot be used; with all errors.
    """
    parts: list[_Part] = []
    with findings(notices, StudyError) as found:
        for key, given in specs.items():
            spec = build_part(Destinations, given, folder)
            part = (
                _from_osm(key, spec, Path(folder), (osm_places or {}).get(key), found)
                if spec.osm is not None
                else _from_file(key, spec, Path(folder), found)
            )
            if part is not None:
                parts.append(part)
    return _together(parts)


@dataclass(frozen=True, eq=False)
class _Part:
    """The places of one key, and the entrances known so far (``place`` counts within the part)."""

    table: Any
    entrances: pd.DataFrame


def _frame(key: str, columns: dict[str, Any], shapes: NDArray[np.object_]) -> Any:
    table = gpd.GeoDataFrame({"key": [key] * len(shapes), **columns}, geometry=shapes, crs="EPSG:4326")
    table["amount"] = np.asarray(table["amount"], np.float64)
    return table


def _together(parts: Sequence[_Part]) -> Opportunities:
    if not parts:
        columns: dict[str, list[Any]] = {"id": [], "name": [], "kind": [], "amount": []}
        return Opportunities(_frame("", columns, np.empty(0, object)), _entrance_frame([], [], []))
    start = np.cumsum([0, *(len(part.table) for part in parts)])
    table = gpd.GeoDataFrame(pd.concat([part.table for part in parts], ignore_index=True), crs="EPSG:4326")
    entrances = pd.concat(
        [p.entrances.assign(place=p.entrances["place"] + s) for p, s in zip(parts, start, strict=False)]
    )
    return Opportunities(table, _entrance_frame(entrances["place"], entrances["lon"], entrances["lat"]))


def _entrance_frame(place: Any, lon: Any, lat: Any) -> pd.DataFrame:
    frame = pd.DataFrame(
        {"place": np.asarray(place, np.int32), "lon": np.asarray(lon, float), "lat": np.asarray(lat, float)}
    )
    return frame.sort_values("place", kind="stable", ignore_index=True)


def _point_entrances(shapes: NDArray[np.object_]) -> pd.DataFrame:
    """A point is its own entrance."""
    rows = np.flatnonzero(shapely.get_type_id(shapes) == 0)
    return _entrance_frame(rows, shapely.get_x(shapes[rows]), shapely.get_y(shapes[rows]))


def _from_osm(key: str, spec: Destinations, folder: Path, places: Any, found: list[Notice]) -> _Part | None:
    """Places that the streets file holds."""
    tags = "; ".join(f"{tag}={listed(list(values))}" for tag, values in (spec.osm or {}).items())
    if places is None or len(places) == 0:
        message = (
            f"the streets file holds no place with {tags}"
            if places is not None
            else "places were not read from the streets"
        )
        found.append(NO_OSM_PLACES.at(**spec.at("osm"), value=tags, message=f"{message}; {key!r} is empty"))
        places = gpd.GeoDataFrame({"id": [], "name": [], "kind": []}, geometry=[], crs="EPSG:4326")
    ids = [as_text(value) for value in places["id"].tolist()]
    text = Table("streets", {}, np.arange(1, len(ids) + 1))
    shapes = mended(np.asarray(places.geometry.array, object), ids, text, found) if ids else np.empty(0, object)
    names = [as_text(value) for value in places["name"].tolist()]
    kinds = [as_text(value) for value in places["kind"].tolist()]
    amount = spec.amount if isinstance(spec.amount, float) else 1.0
    table = _frame(key, {"id": ids, "name": names, "kind": kinds, "amount": [amount] * len(ids)}, shapes)
    entrances = _given_entrances(spec.entrances, folder, ids, shapes, found) if spec.entrances is not None else None
    return _finished(key, spec, table, found, entrances)


def _from_file(key: str, spec: Destinations, folder: Path, found: list[Notice]) -> _Part | None:
    assert spec.file is not None
    source = read_map(folder / spec.file, spec, found)
    if source is None:
        return None
    columns = {part: _optional(source, spec, part, found) for part in ("id", "name", "kind", "same_as")}
    amount_column = find_column(source, spec, "amount", found) if isinstance(spec.amount, str) else None
    if columns["id"] is None or source.geometry is None:
        return None
    if source.n == 0:
        found.append(
            NO_DESTINATIONS.at(
                **spec.at("file"), value=source.file, message=f"{source.file} holds no places for {key!r}"
            )
        )
        return None
    rows = unique_ids(source, columns["id"], found, "place")
    source = take(source, np.asarray(list(rows.values()), np.int64))
    ids = list(rows)
    amounts = _amounts(key, spec, source, amount_column, ids, found)
    assert source.geometry is not None
    shapes = mended(source.geometry, ids, source, found)
    name = source.columns[columns["name"]] if columns["name"] else [""] * source.n
    kind = source.columns[columns["kind"]] if columns["kind"] else [""] * source.n
    table = _frame(key, {"id": ids, "name": name, "kind": kind, "amount": amounts}, shapes)
    owner = _owners(source, columns["same_as"], ids, found)
    entrances = _given_entrances(spec.entrances, folder, ids, shapes, found) if spec.entrances is not None else None
    table, entrances = _joined(table, entrances, owner, source, found)
    return _finished(key, spec, table, found, entrances)


def _optional(source: Table, spec: Destinations, key: str, found: list[Notice]) -> str | None:
    return find_column(source, spec, key, found) if getattr(spec, key) is not None else None


def _amounts(
    key: str, spec: Destinations, source: Table, column: str | None, ids: Sequence[str], found: list[Notice]
) -> NDArray[np.float64]:
    if column is None:
        return np.full(source.n, spec.amount if isinstance(spec.amount, float) else 0.0)
    values = numbers(source, column, np.arange(source.n), found)
    unknown = Sample(AMOUNT_UNKNOWN)
    for i in np.flatnonzero(np.isnan(values)).tolist():
        if not source.columns[column][i]:
            message = f"{ids[i]} has no {column!r}; it counts as nothing"
            unknown.add(source.file, row=int(source.row[i]), field=column, value=ids[i], message=message)
    found.extend(unknown.notices())
    return np.nan_to_num(values)


def _owners(source: Table, column: str | None, ids: Sequence[str], found: list[Notice]) -> NDArray[np.int64]:
    """For each row, the first row of the place that it is: ``same_as`` holds the id of another row, or a common name."""
    n = len(ids)
    parent = np.arange(n)

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = int(parent[i])
        return i

    if column is None:
        return parent
    index = {code: i for i, code in enumerate(ids)}
    labels: dict[str, list[int]] = {}
    for i, label in enumerate(source.columns[column]):
        if label:
            labels.setdefault(label, []).append(i)
    alone = Sample(SAME_AS_UNKNOWN)
    for label, members in labels.items():
        target = index.get(label)
        if target is None and len(members) == 1:
            i = members[0]
            message = f"{ids[i]} is said to be the same as {label!r}, which no other row is or names; it stays a place of its own"
            alone.add(source.file, row=int(source.row[i]), field=column, value=label, message=message)
        for i in members:
            parent[root(i)] = root(members[0] if target is None else target)
    found.extend(alone.notices())
    return np.asarray([root(i) for i in range(n)])


def _joined(
    table: Any, entrances: pd.DataFrame | None, owner: NDArray[np.int64], source: Table, found: list[Notice]
) -> tuple[Any, pd.DataFrame | None]:
    """One row for each place: the first row's id, name and kind, the largest amount, all shapes and entrances."""
    kept, row_of = np.unique(owner, return_inverse=True)
    if len(kept) == len(table):
        return table, entrances
    shapes = np.asarray(table.geometry.array, object)
    amount = np.zeros(len(kept))
    np.maximum.at(amount, row_of, table["amount"].to_numpy())
    joined = table.iloc[kept].reset_index(drop=True)
    joined["amount"] = amount
    members = [np.flatnonzero(row_of == i) for i in range(len(kept))]
    if entrances is None:
        entrances = _entrance_frame([], [], [])
    own = _point_entrances(shapes)
    own = own[~own["place"].isin(entrances["place"])]
    entrances = pd.concat([entrances, own])
    entrances = _entrance_frame(row_of[entrances["place"].to_numpy()], entrances["lon"], entrances["lat"])
    joined.geometry = gpd.GeoSeries([_one_shape(shapes[rows]) for rows in members], crs="EPSG:4326")
    names = [str(table["id"].iloc[rows[0]]) for rows in members if len(rows) > 1]
    message = f"{len(table)} rows are {len(kept)} places; joined into one each: {listed(names)}; the largest amount counts, once"
    found.append(JOINED_AS_ONE.at(source.file, message=message))
    return joined, entrances


def _one_shape(shapes: NDArray[np.object_]) -> Any:
    """The areas of a place together, or else its first point."""
    areas = shapes[shapely.get_type_id(shapes) != 0]
    if len(areas) == 0:
        return shapes[0]
    return areas[0] if len(areas) == 1 else shapely.union_all(areas)


def _given_entrances(
    spec: EntrancesSpec, folder: Path, ids: Sequence[str], shapes: NDArray[np.object_], found: list[Notice]
) -> pd.DataFrame | None:
    """Entrances from a file: several rows for each place; a place without any keeps the entrances of its outline."""
    points = read_map(folder / spec.file, spec, found)
    column = find_column(points, spec, "id", found) if points is not None else None
    if points is None or points.geometry is None or column is None:
        return None
    with_areas = [code for code, kind in zip(ids, shapely.get_type_id(shapes), strict=True) if kind != 0]
    named = set(points.columns[column])
    wanted = [code for code in ids if code in named or code in set(with_areas)]
    matches = match_rows(wanted, "places", points, column, spec.at("id"), found, several=True)
    if matches is None:
        return None
    row = {code: i for i, code in enumerate(ids)}
    place = np.asarray([row[wanted[i]] for i in matches.place], np.int64)
    centre = shapely.centroid(points.geometry[matches.row])
    away = shapely.distance(centre, shapes[place]) * 111_195.0
    sample = Sample(ENTRANCE_FAR)
    for i in np.flatnonzero(away > _FAR_M).tolist():
        message = f"the entrance lies about {away[i]:,.0f} m from {ids[place[i]]}; it is used as it is"
        sample.add(points.file, row=int(points.row[matches.row[i]]), value=ids[place[i]], message=message)
    found.extend(sample.notices())
    return _entrance_frame(place, shapely.get_x(centre), shapely.get_y(centre))


def _finished(
    key: str, spec: Destinations, table: Any, found: list[Notice], entrances: pd.DataFrame | None = None
) -> _Part:
    """The part with the entrances of its points, and notices of what is odd about it."""
    shapes = np.asarray(table.geometry.array, object)
    own = _point_entrances(shapes)
    if entrances is not None:
        own = pd.concat([entrances, own[~own["place"].isin(entrances["place"])]])
    if len(table) and not table["amount"].to_numpy().any():
        where = spec.at("amount")
        found.append(NOTHING_TO_REACH.at(**where, value=spec.amount, message=f"all amounts of {key!r} are 0"))
    areas = np.flatnonzero(shapely.get_type_id(shapes) != 0)
    if len(areas) > 1:
        tree = shapely.STRtree(shapes[areas])
        one, other = tree.query(shapes[areas], predicate="intersects")
        one, other = one[one < other], other[one < other]
        real = shapely.area(shapely.intersection(shapes[areas][one], shapes[areas][other])) > 0
        if real.any():
            code = table["id"].to_numpy()[areas]
            pairs = [f"{code[a]} and {code[b]}" for a, b in zip(one[real], other[real], strict=True)]
            message = f"{int(real.sum())} pairs of areas of {key!r} overlap; each area is counted: {listed(pairs, 3)}"
            found.append(PLACES_OVERLAP.at(**spec.at(), message=message))
    return _Part(table, _entrance_frame(own["place"], own["lon"], own["lat"]))


# ---------------------------------------------------------------------------------------------------------------------------
# Entrances of areas


def polygons_without_entrances(opportunities: Opportunities) -> NDArray[np.int64]:
    """Rows of the places that have no entrance yet: areas without a file of entrances."""
    has = np.zeros(len(opportunities), bool)
    has[opportunities.entrances["place"].to_numpy()] = True
    return np.flatnonzero(~has)


def entrances_from_streets(opportunities: Opportunities, street_lines: Any | None = None) -> Opportunities:
    """Give every area its entrances (see :func:`area_entrances`); given entrances and points stay as they are."""
    rows = polygons_without_entrances(opportunities)
    shapes = np.asarray(opportunities.table.geometry.array, object)
    found = area_entrances(shapes[rows], street_lines)
    known = opportunities.entrances
    points = np.concatenate([known[["lon", "lat"]].to_numpy(np.float64), *found])
    place = np.concatenate([known["place"].to_numpy(np.int64), np.repeat(rows, [len(one) for one in found])])
    return replace(opportunities, entrances=_entrance_frame(place, points[:, 0], points[:, 1]))


def area_entrances(shapes: NDArray[np.object_], street_lines: Any | None = None) -> list[NDArray[np.float64]]:
    """Where areas are entered: where walkable streets cross their boundary (at most 30, spread), else at a point inside.

    Parameters
    ----------
    shapes : object (shapely), shape (n,)
    street_lines : lines (EPSG:4326) in an array, GeoSeries or GeoDataFrame, or None
        The walkable edges; None (straight-line walking) gives a point inside.

    Returns
    -------
    list of float64, shape (n_entrances, 2)
        Longitudes and latitudes for each area; at least one.
    """
    lines = street_lines.geometry if isinstance(street_lines, gpd.GeoDataFrame) else street_lines
    tree = None if lines is None or not len(lines) else shapely.STRtree(np.asarray(lines, object))
    found = []
    for shape in shapes:
        points = np.empty((0, 2))
        if tree is not None:
            boundary = shapely.boundary(shape)
            near = np.sort(tree.query(boundary, predicate="intersects"))
            # A street that runs along the boundary meets it in a line: its ends are ways in.
            points = shapely.get_coordinates(shapely.intersection(tree.geometries[near], boundary))
        if len(points) == 0:
            points = shapely.get_coordinates(shapely.point_on_surface(shape))
        found.append(spread_points(points, MAX_ENTRANCES))
    return found


def spread_points(points: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """At most so many of the points (n, 2), far apart: the westernmost, then always the one farthest from those chosen.

    Points equal to 7 decimals (about a centimetre) are one. The order of the input does not matter.
    """
    points = np.unique(np.round(points, 7), axis=0)
    if len(points) <= most:
        return points
    flat = points * [np.cos(np.radians(points[:, 1].mean())), 1.0]
    chosen = [0]
    away = np.hypot(*(flat - flat[0]).T)
    while len(chosen) < most:
        chosen.append(int(np.argmax(away)))
        away = np.minimum(away, np.hypot(*(flat - flat[chosen[-1]]).T))
    return np.asarray(points[np.sort(chosen)], np.float64)


PLACES_FAR = declare("places_far", "warning", "Destinations lie far from all neighbourhoods.")

_FAR_KM = 100.0


def check_places(opportunities: Opportunities, zones: Zones, notices: list[Notice]) -> None:
    """Warn of destinations far (over 100 km) from the neighbourhoods: coordinates swapped, or a file of another place.

    Parameters
    ----------
    zones : Zones
        The neighbourhoods, of which the origins are looked at.
    """
    if len(opportunities) == 0 or len(zones) == 0:
        return
    lon, lat = float(zones.origins["lon"].median()), float(zones.origins["lat"].median())
    centre = shapely.centroid(np.asarray(opportunities.table.geometry.array, object))
    x, y = shapely.get_x(centre), shapely.get_y(centre)
    for key in opportunities.keys:
        rows = opportunities.rows_of(key)
        away = _kilometres(lon, lat, x[rows], y[rows])
        far = rows[away > _FAR_KM]
        if len(far) == 0:
            continue
        swapped = bool(np.median(_kilometres(lon, lat, y[far], x[far])) < _FAR_KM)
        hint = "; longitude and latitude are swapped" if swapped else ""
        names = [f"{opportunities.table['id'].iloc[i]} ({x[i]:.3f}, {y[i]:.3f})" for i in far.tolist()]
        message = (
            f"{len(far)} of {len(rows)} places of {key!r} lie over {_FAR_KM:g} km from the neighbourhoods: "
            f"{listed(names, 3)}{hint}"
        )
        notices.append(PLACES_FAR.at(field=f"destinations.{key}", value=names[0], message=message))


def _kilometres(lon: float, lat: float, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Roughly how far points lie from one point."""
    return np.asarray(np.hypot((x - lon) * np.cos(np.radians(lat)), y - lat) * 111.195, np.float64)
