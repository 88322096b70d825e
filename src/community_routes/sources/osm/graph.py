"""Streets as a networkx graph in the manner of osmnx: read from GraphML, and turned into a street map."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from community_routes.base.arrays import starts_of
from community_routes.base.notices import Notice, Sample, declare, errors_in
from community_routes.sources.file_kinds import mistaken
from community_routes.sources.osm.street_map import Area, StreetMap, box_of
from community_routes.sources.osm.tags import (
    BACKWARD,
    BELOW_KEYS,
    BOTH,
    FORWARD,
    drive_flags,
    is_below,
    is_closed_lift,
    is_steps,
    walk_flags,
)

if TYPE_CHECKING:
    import networkx as nx

NOT_A_NUMBER = declare("graphml_not_a_number", "error", "A node of a street graph has no number as its x or y.")
NOT_DEGREES = declare(
    "graphml_not_degrees",
    "error",
    "The coordinates of a street graph are not degrees; it has been projected to metres.",
)
NO_GRAPH = declare("graphml_unreadable", "error", "A file is missing, damaged or no GraphML of streets.")
BAD_GEOMETRY = declare(
    "graphml_bad_geometry", "warning", "The course of an edge cannot be read; it is taken as straight."
)

# What of a node that may be a lift, and of an edge, is passed on to the rules for walking and driving.
NODE_TAGS: Final = ("highway", "access", "foot")
GRAPH_TAGS: Final = (
    "highway",
    "access",
    "foot",
    "oneway:foot",
    "motorroad",
    "service",
    "junction",
    "bus",
    "psv",
    "motor_vehicle",
    "vehicle",
    "oneway:bus",
    "oneway:psv",
    "indoor",
    "conveying",
    "foot:forward",
    "foot:backward",
    "ramp:wheelchair",
    *BELOW_KEYS,
)
_DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def load_graphml(path: Path, found: list[Notice]) -> nx.MultiDiGraph | None:
    """The graph in a GraphML file; None, with the reason in ``found``, where it cannot be read."""
    import networkx as nx  # here, because starting without it is quicker

    mistake = _mistaken(path)
    if mistake is not None:
        found.append(NO_GRAPH.at(path.name, message=f"it is no GraphML: {mistake}"))
        return None
    try:
        content = path.read_bytes()
        if _DOCTYPE.search(content):
            found.append(NO_GRAPH.at(path.name, message="it declares a document type or entities, which are not read"))
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys without a type, which is no fault of the streets
            return nx.parse_graphml(content, node_type=str, force_multigraph=True)
    except FileNotFoundError:
        found.append(NO_GRAPH.at(path.name, message="there is no such file; check the path in the study file"))
    except UnicodeDecodeError as error:
        found.append(NO_GRAPH.at(path.name, message=f"it is not UTF-8 text ({error.reason}); save it again with osmnx"))
    except Exception as error:  # the parser raises its own, KeyError, ValueError and more on what is no GraphML
        fault = f"it cannot be read as GraphML ({type(error).__name__}: {error}); save it again with osmnx"
        found.append(NO_GRAPH.at(path.name, message=fault))
    return None


def _mistaken(path: Path) -> str | None:
    """What a file is that was given as GraphML and is none, with the cure."""
    pbf = "name it in the study file as `streets: {osm: ...}`"
    cures = {"pbf": pbf, "osm_xml": f"convert it to PBF with `osmium cat`, and {pbf}"}
    return mistaken(path, ("graphml", "xml"), "the GraphML that osmnx saves", cures)


def map_of_graph(
    graph: nx.MultiDiGraph, found: list[Notice], *, source: str, area: Area | None, content_hash: str
) -> StreetMap | None:
    """Turn a graph into a street map; None where ``found`` then holds an error.

    Nodes have ``x`` and ``y`` in degrees. Each street is one edge or a pair of opposite edges, perhaps with ``geometry``.
    People walk a street both ways whatever its ``oneway`` says, unless ``oneway:foot``, ``conveying`` or the like bind them;
    these count along the way, which osmnx's ``reversed`` tells from the edge; without it, along the edge. Buses drive as the
    edges point. An edge without ``highway`` is open to people on foot.
    """
    places = _places(graph, source, found)
    if errors_in(found):
        return None
    if not places:
        found.append(NO_GRAPH.at(source, message="it holds no node"))
        return None
    courses = _courses(graph, places, source, found)
    node_id, lonlat, ways = _numbered(places, courses)
    if not any(way[4] for way in ways):
        found.append(NO_GRAPH.at(source, message=f"none of its {len(ways):,} streets is open to people on foot"))
        return None
    columns = list(zip(*ways, strict=True))
    first = starts_of([len(nodes) for nodes in columns[1]])
    return StreetMap(
        np.array(node_id, np.int64),
        lonlat[:, 0],
        lonlat[:, 1],
        np.array(columns[0], np.int64),
        first,
        np.concatenate([np.array(nodes, np.int64) for nodes in columns[1]]),
        np.array(columns[2], object),
        np.array(columns[3], object),
        np.array(columns[4], np.int8),
        np.array(columns[5], np.int8),
        np.array(columns[6], bool),
        area or box_of(lonlat[:, 0], lonlat[:, 1]),
        content_hash=content_hash,
        source=source,
        below=np.array(columns[7], bool),
    )


def _places(graph: nx.MultiDiGraph, source: str, found: list[Notice]) -> dict[Any, tuple[float, float]]:
    """Longitude and latitude of each node; what is no number or no degree is an error that names the node."""
    no_number, no_degree = Sample(NOT_A_NUMBER), Sample(NOT_DEGREES)
    places = {}
    for node, data in graph.nodes(data=True):
        values = []
        for name in ("x", "y"):
            value = data.get(name)
            number = _number(value)
            if number is None:
                message = f"node {node!r}: {name} must be a number of degrees"
                no_number.add(source, field=name, value="" if value is None else value, message=message)
            elif abs(number) > (180 if name == "x" else 90):
                message = (
                    f"node {node!r} lies at {name} = {number:,.1f}, which are metres; the graph has been projected "
                    f"({graph.graph.get('crs', 'crs unknown')}): save it in degrees, osmnx.project_graph(G, to_latlong=True)"
                )
                no_degree.add(source, field=name, value=value, message=message)
            else:
                values.append(number)
        if len(values) == 2:
            places[node] = (values[0], values[1])
    found.extend([*no_number.notices(), *no_degree.notices()])
    return places


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _whole(text: str) -> int:
    """A number as OpenStreetMap gives them; 0 where it is none."""
    digits = text.removeprefix("-")
    return int(text) if digits.isdecimal() and len(digits) <= 18 else 0


class _Course:
    """A street: where it runs, its tags, and in which directions the graph has an edge for it.

    ``turned`` tells whether its ways run against it: both where osmnx joined ways that do and ways that do not.
    """

    def __init__(self, start: Any, end: Any, middle: list[tuple[float, float]], tags: list[dict[str, str]]) -> None:
        self.start, self.end, self.middle, self.tags = start, end, middle, tags
        self.directions = 0
        self.turned: set[bool] = set()
        self.osm_id = 0
        self.below = False
        self.name = ""


def _courses(
    graph: nx.MultiDiGraph, places: Mapping[Any, tuple[float, float]], source: str, found: list[Notice]
) -> list[_Course]:
    """Every street once, from the edges that point either way along it."""
    unread = Sample(BAD_GEOMETRY)
    streets: dict[object, _Course] = {}
    shut = {node for node, data in graph.nodes(data=True) if is_closed_lift(_first_values(data, NODE_TAGS))}
    for start, end, data in graph.edges(data=True):
        if start in shut or end in shut:
            continue
        middle = _middle(data.get("geometry"), places[start], places[end])
        if middle is None:
            message = f"edge {start!r} to {end!r}: its geometry is no line between its nodes; it is taken as straight"
            unread.add(source, field="geometry", value=str(data.get("geometry"))[:60], message=message)
            middle = []
        ahead = (str(start), str(end), tuple(middle))
        back = (str(end), str(start), tuple(reversed(middle)))
        one_way_foot = str(data.get("oneway:foot", "")) == "yes" and "reversed" not in data
        if back in streets and not one_way_foot:
            streets[back].directions |= BACKWARD
            continue
        key: object = (*ahead, "one way") if one_way_foot else ahead
        if key not in streets:
            streets[key] = _Course(start, end, middle, list(_tag_sets(data)))
            streets[key].turned = {value.lower() == "true" for value in _values(data.get("reversed"))}
            streets[key].osm_id = next((n for v in _values(data.get("osmid")) if (n := _whole(v))), 0)
            # Of several ways joined to one edge nobody can tell which part is the tunnel.
            streets[key].below = len(_values(data.get("osmid"))) < 2 and any(map(is_below, streets[key].tags))
            streets[key].name = next(iter([*_values(data.get("name")), *_values(data.get("ref"))]), "")
        streets[key].directions |= BOTH if start == end else FORWARD
    found.extend(unread.notices())
    return list(streets.values())


def _middle(geometry: object, start: tuple[float, float], end: tuple[float, float]) -> list[tuple[float, float]] | None:
    """The points of a course between its ends; None where it is no line or does not join them."""
    if geometry is None or geometry == "":
        return []
    try:
        line: Any = shapely.from_wkt(geometry) if isinstance(geometry, str) else geometry
        points = [(float(x), float(y)) for x, y, *_z in line.coords]
    except (shapely.errors.ShapelyError, AttributeError, NotImplementedError, TypeError):
        return None
    if len(points) < 2 or max(math.dist(points[0], start), math.dist(points[-1], end)) > 1e-5:
        return None
    return points[1:-1] if np.isfinite(points).all() else None


def _values(value: object) -> list[str]:
    """One or several values: osmnx writes those of joined ways as the text of a list."""
    if value is None:
        return []
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return [str(value)]
    if isinstance(value, (list, tuple, set)):
        return [str(item) for item in value]
    return [str(value)]


def _first_values(data: Mapping[str, Any], keys: Iterable[str]) -> dict[str, str]:
    return {key: values[0] for key in keys if (values := _values(data.get(key)))}


def _tag_sets(data: Mapping[str, Any]) -> Iterable[dict[str, str]]:
    """Tags of an edge, one set for each class of the ways that were joined to it."""
    tags = _first_values(data, GRAPH_TAGS)
    for highway in _values(data.get("highway")) or [""]:
        yield {**tags, "highway": highway} if highway else {**tags, "highway": "road"}


def _walked(street: _Course) -> int:
    """Directions in which people may walk along a street; both where it is not known which one its tags mean."""
    flags = _in_all(map(walk_flags, street.tags))
    if flags in (0, BOTH) or True not in street.turned:
        return flags
    return BOTH if False in street.turned else BOTH - flags


def _in_all(flags: Iterable[int]) -> int:
    """Directions that all of the joined ways allow."""
    return reduce(and_, flags, BOTH)


def _numbered(
    places: Mapping[Any, tuple[float, float]], courses: list[_Course]
) -> tuple[list[int], Any, list[tuple[int, list[int], str, str, int, int, bool, bool]]]:
    """Rows of nodes (those along a course have numbers below zero), and the columns of the ways."""
    row = {node: i for i, node in enumerate(places)}
    node_id = [_whole(str(node)) or i + 1 for i, node in enumerate(places)]
    lonlat = list(places.values())
    ways = []
    for number, street in enumerate(courses):
        inner = list(range(len(lonlat), len(lonlat) + len(street.middle)))
        lonlat.extend(street.middle)
        nodes = [row[street.start], *inner, row[street.end]]
        nodes = [node for i, node in enumerate(nodes) if i == 0 or node != nodes[i - 1]]
        if len(nodes) < 2:
            continue
        walk = _walked(street)
        drive = _in_all(drive_flags({**tags, "oneway": "no"}) for tags in street.tags) & street.directions
        ways.append(
            (
                street.osm_id or number + 1,
                nodes,
                street.tags[0]["highway"],
                street.name,
                walk,
                drive,
                any(is_steps(tags) for tags in street.tags),
                street.below,
            )
        )
    least = min([0, *node_id])  # an editor's own nodes have numbers below zero, too
    node_id.extend(least - 1 - i for i in range(len(lonlat) - len(node_id)))
    return node_id, np.array(lonlat, np.float64).reshape(-1, 2), ways
