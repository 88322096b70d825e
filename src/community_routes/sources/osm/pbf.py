"""One pass over an OpenStreetMap file (PBF) with pyosmium: streets, background of the map, places asked for by tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import osmium
from numpy.typing import NDArray

from community_routes.base.arrays import starts_of
from community_routes.sources.osm.street_map import INNER, LINE, OUTER, POINT, RING, Features
from community_routes.sources.osm.tags import (
    BELOW_KEYS,
    PLAIN_KEYS,
    TELLING_KEYS,
    drive_flags,
    is_below,
    is_closed_lift,
    is_steps,
    walk_flags,
)

PlacesAsked = Mapping[str, Mapping[str, Sequence[str]]]
LonLat = tuple[float, float]

# Layer of the background -> tag -> values. Order matters: the first that fits is the kind.
_WATER = {
    "natural": frozenset({"water", "bay", "strait", "coastline"}),
    "waterway": frozenset({"river", "canal", "riverbank", "dock"}),
    "landuse": frozenset({"reservoir", "basin"}),
}
_GREEN = {
    "leisure": frozenset({"park", "garden", "nature_reserve", "golf_course", "recreation_ground", "common"}),
    "landuse": frozenset(
        {"forest", "grass", "meadow", "recreation_ground", "village_green", "cemetery", "allotments", "orchard"}
    ),
    "natural": frozenset({"wood", "scrub", "heath", "grassland", "fell", "moor"}),
}
_RAILWAYS = {"railway": frozenset({"rail", "light_rail", "tram", "subway", "narrow_gauge", "monorail", "funicular"})}
_SETTLEMENTS = frozenset({"city", "town", "suburb", "village", "quarter", "neighbourhood", "hamlet"})
_LAYERS = (("water", _WATER), ("green", _GREEN), ("railways", _RAILWAYS))
_DRAWN_AS_LINE = frozenset({"waterway=river", "waterway=canal", "natural=coastline"})

_BACKGROUND_KEYS = ("natural", "waterway", "landuse", "leisure", "railway")


@dataclass
class _Lines:
    """Lines being collected: their coordinates as hexadecimal WKB where all nodes were known at once, else later."""

    wkb: list[str] = field(default_factory=list)
    size: list[int] = field(default_factory=list)
    refs: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    """Lines (by number) whose coordinates were not all known yet; their nodes are kept, as number and place or None."""
    late_nodes: list[list[tuple[int, LonLat | None]]] = field(default_factory=list)

    def add(self, way: Any, factory: Any, *, keep_refs: bool) -> int:
        """Add a way's course; gives its number here."""
        n = len(way.nodes)
        number = len(self.size)
        refs: list[int] | None = [node.ref for node in way.nodes] if keep_refs else None
        try:
            # WKB: 1 byte order, 4 bytes type, 4 bytes count, then the coordinates; two hexadecimal digits a byte
            self.wkb.append(factory.create_linestring(way, osmium.geom.use_nodes.ALL)[18:])
        except osmium.InvalidLocationError:
            self.wkb.append("")
            self.late.append(number)
            self.late_nodes.append([(node.ref, _place_of(node)) for node in way.nodes])
        self.size.append(n)
        if refs is not None:
            self.refs.extend(refs)
        return number

    def lacking(self) -> set[int]:
        """Nodes whose place was not known when their line came."""
        return {ref for nodes in self.late_nodes for ref, place in nodes if place is None}

    def coordinates(self, places: Mapping[int, LonLat]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """``first`` and the coordinates, shape (n, 2); NaN for nodes of which nothing tells the place."""
        first = starts_of(self.size)
        known = np.frombuffer(bytes.fromhex("".join(self.wkb)), "<f8").reshape(-1, 2)
        if not self.late:
            return first, known
        xy = np.full((first[-1], 2), np.nan)
        late = np.zeros(len(self.size), bool)
        late[self.late] = True
        xy[~np.repeat(late, np.diff(first))] = known
        for number, nodes in zip(self.late, self.late_nodes, strict=True):
            xy[first[number] : first[number + 1]] = [place or places.get(ref, (np.nan, np.nan)) for ref, place in nodes]
        return first, xy


def _place_of(node: Any) -> LonLat | None:
    place = node.location
    return (place.lon, place.lat) if place.valid() else None


@dataclass
class Streets:
    """The ways kept for walking and driving, node references still as OpenStreetMap's numbers.

    Attributes
    ----------
    way_id, highway, name, walk, drive, steps, below : list
        One item for each way.
    first : int64, shape (n_ways + 1,)
    ref : int64, lonlat : float64 (n, 2)
        Nodes along the ways; NaN where the file lacks the node.
    """

    way_id: list[int] = field(default_factory=list)
    highway: list[str] = field(default_factory=list)
    name: list[str] = field(default_factory=list)
    walk: list[int] = field(default_factory=list)
    drive: list[int] = field(default_factory=list)
    steps: list[bool] = field(default_factory=list)
    below: list[bool] = field(default_factory=list)
    first: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    ref: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    lonlat: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))


@dataclass(frozen=True)
class PbfContent:
    """What one pass found; ``header_box`` is None where the file states none."""

    header_box: tuple[float, float, float, float] | None
    streets: Streets
    features: Features
    n_nodes_missing: int
    n_ways: int
    history: bool


class _Piece(NamedTuple):
    """A feature being collected, or a piece of one: ``line`` is the number of its course, -1 for a point."""

    layer: str
    osm_id: str
    kind: str
    name: str
    shape: int
    line: int = -1
    group: int = -1
    point: LonLat = (np.nan, np.nan)


@dataclass(frozen=True)
class _Relation:
    osm_id: int
    layers: list[tuple[str, str]]
    tags: dict[str, str]
    members: list[tuple[int, bool]]
    """Number of a way, and whether it is part of an inner ring."""


def layers_of(tags: Mapping[str, str], asked: PlacesAsked) -> list[tuple[str, str]]:
    """Layers that a thing belongs to, each with the tag that put it there; places asked for are "@" and their key."""
    found = []
    for layer, rules in _LAYERS:
        for key, values in rules.items():
            if tags.get(key) in values:
                found.append((layer, f"{key}={tags[key]}"))
                break
    for place_key, wanted in asked.items():
        for key, some in wanted.items():
            value = tags.get(key)
            if value is not None and (value in some or "*" in some):
                found.append((f"@{place_key}", f"{key}={value}"))
                break
    return found


class _Others:
    """Takes the ways that have no telling tag: plain streets, and pieces of multipolygons."""

    def __init__(self, state: _Pass) -> None:
        self.state = state

    def way(self, way: Any) -> None:
        """Called by osmium for every such way."""
        self.state.plain_way(way)


class _Pass:
    """The state of one pass over a file."""

    def __init__(self, asked: PlacesAsked, relations: list[_Relation]) -> None:
        self.asked = asked
        self.asked_keys = frozenset(key for wanted in asked.values() for key in wanted)
        self.relations = relations
        self.wanted = {ref for relation in relations for ref, _inner in relation.members}
        # the outline of a pedestrian square that is a multipolygon is walked like that of a closed way
        self.squares = {
            ref: relation.tags
            for relation in reversed(relations)
            if walk_flags(relation.tags)
            for ref, _inner in relation.members
        }
        self.factory = osmium.geom.WKBFactory()
        self.street_lines = _Lines()
        self.lines = _Lines()
        self.streets = Streets()
        self.features: list[_Piece] = []
        self.member_line: dict[int, int] = {}
        self.closed_lifts: set[int] = set()
        self.n_ways = 0
        self.known_rules: dict[tuple[str | None, ...], tuple[int, int, bool]] = {}

    def node(self, node: Any) -> None:
        """A node with a tag of interest: a lift that is closed, the name of a settlement, or a place asked for."""
        if node.tags.get("highway") == "elevator" and is_closed_lift(dict(node.tags)):
            self.closed_lifts.add(node.id)
        if not self.asked_keys and "place" not in node.tags:
            return  # a crossing, as most nodes that come here
        tags = dict(node.tags)
        layers = [found for found in layers_of(tags, self.asked) if found[0][0] == "@"]
        if tags.get("place") in _SETTLEMENTS and tags.get("name"):
            layers.append(("places", f"place={tags['place']}"))
        if not layers or not node.location.valid():
            return
        for layer, kind in layers:
            place = (node.lon, node.lat)
            self.features.append(_Piece(layer, f"node/{node.id}", kind, tags.get("name", ""), POINT, point=place))

    def way(self, way: Any) -> None:
        """A way with a telling tag, or one of the background or asked for."""
        self.n_ways += 1
        if len(way.nodes) < 2:
            return
        tags = {key: value for key, value in way.tags}  # noqa: C416 - `dict()` of them takes half as long again
        self._street(way, tags)
        layers = layers_of(tags, self.asked) if len(tags.keys() & _FEATURE_KEYS) or self.asked_keys else []
        number = -1
        for layer, kind in layers:
            if number < 0:
                number = self.lines.add(way, self.factory, keep_refs=False)
            line = kind in _DRAWN_AS_LINE or layer == "railways" or not way.is_closed()
            shape = LINE if line else RING
            self.features.append(_Piece(layer, f"way/{way.id}", kind, tags.get("name", ""), shape, number))
        if way.id in self.wanted:
            self.member_line[way.id] = number if number >= 0 else self.lines.add(way, self.factory, keep_refs=False)

    def plain_way(self, way: Any) -> None:
        """A way without a telling tag: to ask for the few plain ones takes a third of the time of reading them all."""
        get = way.tags.get
        highway = get("highway")
        if highway is not None:
            self.n_ways += 1
            if len(way.nodes) >= 2:
                rules = (highway, get("oneway"), get("junction"), get("service"))
                flags = self.known_rules.get(rules)
                if flags is None:
                    tags = {key: value for key, value in zip(PLAIN_KEYS, rules, strict=True) if value is not None}
                    flags = self.known_rules[rules] = (walk_flags(tags), drive_flags(tags), is_steps(tags))
                if flags[0] or flags[1]:
                    self._add_street(way, highway, get("name") or get("ref") or "", *flags)
        if self.wanted and way.id in self.wanted and len(way.nodes) >= 2:
            if highway is None:
                self._street(way, {})
            self.member_line[way.id] = self.lines.add(way, self.factory, keep_refs=False)

    def _street(self, way: Any, tags: dict[str, str]) -> None:
        walk, drive = walk_flags(tags), drive_flags(tags)
        if not (walk or drive or "highway" in tags) and way.id in self.squares:
            tags = self.squares[way.id]
            walk = walk_flags(tags)
        if walk or drive:
            others = {"pier": "man_made", "corridor": "indoor"}
            kind = next((kind for kind, key in others.items() if tags.get(key) == kind), "platform")
            highway, name = tags.get("highway") or kind, tags.get("name") or tags.get("ref", "")
            self._add_street(way, highway, name, walk, drive, is_steps(tags), is_below(tags))

    def _add_street(
        self, way: Any, highway: str, name: str, walk: int, drive: int, steps: bool, below: bool = False
    ) -> None:
        streets = self.streets
        streets.way_id.append(way.id)
        streets.highway.append(highway)
        streets.name.append(name)
        streets.walk.append(walk)
        streets.drive.append(drive)
        streets.steps.append(steps)
        streets.below.append(below)
        self.street_lines.add(way, self.factory, keep_refs=True)

    def add_relations(self) -> None:
        """Turn the multipolygons into pieces, once the ways are known."""
        for group, relation in enumerate(self.relations):
            osm_id, name = f"relation/{relation.osm_id}", relation.tags.get("name", "")
            self.features += [
                _Piece(layer, osm_id, kind, name, INNER if inner else OUTER, self.member_line[ref], group)
                for layer, kind in relation.layers
                for ref, inner in relation.members
                if ref in self.member_line
            ]


_FEATURE_KEYS = frozenset(key for _layer, rules in _LAYERS for key in rules)


def read_pbf(path: Path, asked: PlacesAsked) -> PbfContent:
    """Read streets, background and places asked for in one pass (relations, which come last, are looked at before).

    Raises
    ------
    RuntimeError
        osmium cannot read the file.
    """
    asked_keys = sorted({key for wanted in asked.values() for key in wanted})
    state = _Pass(asked, _read_relations(path, asked))
    osm = osmium.osm
    processor = osmium.FileProcessor(osmium.io.File(str(path), "pbf"), osm.NODE | osm.WAY)
    header = processor.header
    if not _places_on_ways(header):  # osmium would write over what the ways say
        processor.with_locations()
    processor.with_filter(osmium.filter.KeyFilter("place", "highway", *asked_keys).enable_for(osm.NODE))
    telling = (*TELLING_KEYS, *BELOW_KEYS, *_BACKGROUND_KEYS, *asked_keys)
    processor.with_filter(osmium.filter.KeyFilter(*telling).enable_for(osm.WAY))
    processor.handler_for_filtered(_Others(state))
    for thing in processor:
        if thing.is_way():
            state.way(thing)
        else:
            state.node(thing)
    state.add_relations()
    lacking = state.street_lines.lacking() | state.lines.lacking()
    return _content(state, header, _look_up(path, lacking, processor.node_location_storage))


def _places_on_ways(header: Any) -> bool:
    """Whether the ways themselves say where their nodes are (``osmium add-locations-to-ways``)."""
    return any(header.get(f"pbf_optional_feature_{number}", "") == "LocationsOnWays" for number in range(16))


def _look_up(path: Path, refs: set[int], storage: Any) -> dict[int, LonLat]:
    """Places of nodes as far as the file holds them: those that osmium keeps, and those for which the file is read again.

    Editors and converters (JOSM, ogr2osm) number what was never uploaded downwards from -1; osmium keeps no place for
    these. Files without them, and whose ways are complete, are not read again.
    """
    found: dict[int, LonLat] = {}
    rest: set[int] = set()
    for ref in refs:
        if storage is None or ref < 0:
            rest.add(ref)
            continue
        try:
            place = storage.get(ref)
        except (KeyError, osmium.InvalidLocationError):
            continue
        if place.valid():
            found[ref] = (place.lon, place.lat)
    if rest:
        for node in osmium.FileProcessor(osmium.io.File(str(path), "pbf"), osmium.osm.NODE):
            if node.id in rest and node.location.valid():
                found[node.id] = (node.lon, node.lat)
    return found


def _content(state: _Pass, header: Any, places: Mapping[int, LonLat]) -> PbfContent:
    streets = state.streets
    streets.first, streets.lonlat = state.street_lines.coordinates(places)
    streets.ref = np.array(state.street_lines.refs, np.int64)
    n_missing = len(np.unique(streets.ref[np.isnan(streets.lonlat[:, 0])]))
    if state.closed_lifts:  # ways are cut at these as at nodes that the file lacks
        closed = np.isin(streets.ref, list(state.closed_lifts))
        streets.lonlat = np.where(closed[:, None], np.nan, streets.lonlat)
    box = header.box()
    return PbfContent(
        (box.bottom_left.lon, box.bottom_left.lat, box.top_right.lon, box.top_right.lat) if box.valid() else None,
        streets,
        _features(state.features, *state.lines.coordinates(places)),
        n_missing,
        state.n_ways,
        bool(header.has_multiple_object_versions),
    )


def _read_relations(path: Path, asked: PlacesAsked) -> list[_Relation]:
    """The multipolygons that are drawn or asked for; reading relations alone skips the rest of the file."""
    found = []
    processor = osmium.FileProcessor(osmium.io.File(str(path), "pbf"), osmium.osm.RELATION)
    for relation in processor.with_filter(osmium.filter.TagFilter(("type", "multipolygon"))):
        tags = dict(relation.tags)
        layers = [item for item in layers_of(tags, asked) if item[0] != "railways"]
        if layers or walk_flags(tags):
            members = [(member.ref, member.role == "inner") for member in relation.members if member.type == "w"]
            found.append(_Relation(relation.id, layers, tags, members))
    return found


def _features(found: Sequence[_Piece], first: NDArray[np.int64], xy: NDArray[np.float64]) -> Features:
    """Flat arrays of the pieces; coordinates that the file lacks are left out."""
    courses = []
    for piece in found:
        course = np.array([piece.point]) if piece.line < 0 else xy[first[piece.line] : first[piece.line + 1]]
        courses.append(course[~np.isnan(course[:, 0])])
    bounds = starts_of([len(course) for course in courses])
    lonlat = np.concatenate(courses) if courses else np.zeros((0, 2))
    return Features(
        layer=np.array([piece.layer for piece in found], object),
        osm_id=np.array([piece.osm_id for piece in found], object),
        kind=np.array([piece.kind for piece in found], object),
        name=np.array([piece.name for piece in found], object),
        shape=np.array([piece.shape for piece in found], np.int8),
        group=np.array([piece.group for piece in found], np.int32),
        first=bounds,
        lon=np.ascontiguousarray(lonlat[:, 0]),
        lat=np.ascontiguousarray(lonlat[:, 1]),
    )
