"""Drawn street networks for tests: ways in metres round a corner at the equator, where distances are arithmetic.

A degree of latitude there and a degree of longitude have the same length, so a street of 300 m measures 300 m to a
hundredth of a millimetre. ``grid_city(4, 3)`` has streets every 100 m; its ways and nodes can be had as a ``StreetMap``
or written as a PBF file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import osmium
from osmium.osm import mutable

from community_routes.network.walks.links import Ground, Line, link_points, walk_line_between
from community_routes.network.walks.points import Points
from community_routes.sources.osm.street_map import Area, StreetMap
from community_routes.sources.osm.tags import drive_flags, is_below, is_steps, walk_flags

METRES_A_DEGREE = math.radians(1) * 6_371_008.8


def at(x_m: float, y_m: float) -> tuple[float, float]:
    """Longitude and latitude of a place so many metres east and north of the corner."""
    return x_m / METRES_A_DEGREE, y_m / METRES_A_DEGREE


def walk_line(ground: Ground, a: tuple[float, float], b: tuple[float, float]) -> Line | None:
    """Metres and course of the shortest walk between two points; None where there is none."""
    linked = link_points(ground, Points.single(["a", "b"], [a[0], b[0]], [a[1], b[1]]))
    return walk_line_between(ground, linked, 0, linked, 1)


@dataclass
class Drawn:
    """Nodes in metres, ways with tags, and multipolygons, before they are made into anything.

    ``nodes``: number to (x, y) in metres; ``tagged``: number of a node to its tags; ``ways``: number to (nodes, tags);
    ``relations``: number to ([(way, role), ...], tags).
    """

    nodes: dict[int, tuple[float, float]] = field(default_factory=dict)
    ways: dict[int, tuple[list[int], dict[str, str]]] = field(default_factory=dict)
    tagged: dict[int, dict[str, str]] = field(default_factory=dict)
    relations: dict[int, tuple[list[tuple[int, str]], dict[str, str]]] = field(default_factory=dict)

    def add_way(self, number: int, points: Sequence[tuple[float, float]], **tags: str) -> Drawn:
        """Draw a way along points in metres; points at the same place are one node (``_`` in a tag's key is ``:``)."""
        known = {place: node for node, place in self.nodes.items()}
        refs = []
        for point in points:
            if point not in known:
                known[point] = max(self.nodes, default=0) + 1
                self.nodes[known[point]] = point
            refs.append(known[point])
        self.ways[number] = (
            refs,
            {key.replace("__", ":"): value for key, value in tags.items()} or {"highway": "road"},
        )
        return self

    def street_map(self, area: Area | None = None, margin_m: float = 1000.0) -> StreetMap:
        """The ways open to anybody, as ``read_streets`` would give them; the area is a box around the nodes."""
        number = {node: row for row, node in enumerate(sorted(self.nodes))}
        lonlat = np.array([at(*self.nodes[node]) for node in sorted(self.nodes)])
        kept = {w: item for w, item in self.ways.items() if walk_flags(item[1]) or drive_flags(item[1])}
        tags = [item[1] for item in kept.values()]
        west, south = lonlat.min(axis=0) - margin_m / METRES_A_DEGREE
        east, north = lonlat.max(axis=0) + margin_m / METRES_A_DEGREE
        return StreetMap(
            np.array(sorted(self.nodes)),
            lonlat[:, 0],
            lonlat[:, 1],
            np.array(list(kept), np.int64),
            np.concatenate([[0], np.cumsum([len(item[0]) for item in kept.values()])]),
            np.array([number[node] for item in kept.values() for node in item[0]]),
            np.array([tag.get("highway", "platform") for tag in tags], object),
            np.array([tag.get("name", "") for tag in tags], object),
            np.array([walk_flags(tag) for tag in tags]),
            np.array([drive_flags(tag) for tag in tags]),
            np.array([is_steps(tag) for tag in tags]),
            area or (float(west), float(south), float(east), float(north)),
            content_hash="drawn",
            source="drawn",
            below=np.array([is_below(tag) for tag in tags]),
        )

    def write(self, path: Path, *, box: Area | None = None, ways_first: bool = False) -> Path:
        """Write it all as a PBF file, with a box in the header if one is given; gives the path."""
        header = osmium.io.Header()
        if box is not None:
            header.add_box(osmium.osm.Box(*box))
        path.unlink(missing_ok=True)
        with osmium.SimpleWriter(str(path), header=header) as writer:
            steps = [self._write_nodes, self._write_ways]
            for step in reversed(steps) if ways_first else steps:
                step(writer)
            for number, (members, tags) in sorted(self.relations.items()):
                triples = [("w", way, role) for way, role in members]
                writer.add_relation(mutable.Relation(id=number, members=triples, tags=tags))
        return path

    def _write_nodes(self, writer: osmium.SimpleWriter) -> None:
        for number in sorted(self.nodes):
            lon_lat = at(*self.nodes[number])
            writer.add_node(mutable.Node(id=number, location=lon_lat, tags=self.tagged.get(number, {})))

    def _write_ways(self, writer: osmium.SimpleWriter) -> None:
        for number, (refs, tags) in sorted(self.ways.items()):
            writer.add_way(mutable.Way(id=number, nodes=refs, tags=tags))


def grid_city(columns: int, rows: int, block_m: float = 100.0, tags: Mapping[str, str] | None = None) -> Drawn:
    """Streets that cross every ``block_m``: ``columns`` run north (ways 1, 2, ...), ``rows`` run east (ways 101, ...).

    The corner of the city is at (0, 0). Every street is ``highway=residential`` unless ``tags`` say otherwise.
    """
    drawn = Drawn()
    kind = dict(tags or {"highway": "residential"})
    for column in range(columns):
        drawn.add_way(1 + column, [(column * block_m, row * block_m) for row in range(rows)], **kind)
    for row in range(rows):
        drawn.add_way(101 + row, [(column * block_m, row * block_m) for column in range(columns)], **kind)
    return drawn
