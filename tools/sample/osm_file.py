"""Writes the invented borough as an OpenStreetMap PBF, numbered from 1 in a fixed order."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import osmium
import shapely

from sample import plan
from sample.ground import Geometry, lines_of, to_lonlat
from sample.places import Feature
from sample.streets import Network

STAMP = "2026-03-01T00:00:00Z"


class Numbers:
    """Gives every place on the map its node number: the same place, the same node."""

    def __init__(self) -> None:
        self.of: dict[tuple[float, float], int] = {}
        self.tags: dict[int, dict[str, str]] = {}

    def node(self, x: float, y: float) -> int:
        """Number of the node at a place in metres."""
        lon, lat = to_lonlat(np.asarray([[x, y]]))[0].tolist()
        return self.of.setdefault((lon, lat), len(self.of) + 1)

    def way(self, line: Geometry) -> list[int]:
        """Numbers of the nodes along a line, none twice in a row."""
        lonlat = to_lonlat(shapely.get_coordinates(line)).tolist()
        nodes = [self.of.setdefault((lon, lat), len(self.of) + 1) for lon, lat in lonlat]
        return [node for k, node in enumerate(nodes) if k == 0 or node != nodes[k - 1]]


def street_ways(network: Network, numbers: Numbers) -> list[tuple[dict[str, str], list[int]]]:
    """One way per unbroken run of each street."""
    runs: defaultdict[int, list[Geometry]] = defaultdict(list)
    for edge in network.edges:
        runs[edge.street].append(edge.line)
    ways = []
    for k in sorted(runs):
        street = network.streets[k]
        tags = {"highway": street.highway}
        if street.name:
            tags["name"] = street.name
        if street.kind == "works" and street.highway == "service":
            tags["service"] = "driveway"
        tags.update(street.tags)
        # a one-way street keeps the direction in which it was drawn: its pieces are not turned round
        whole = runs[k] if "oneway" in tags else lines_of(shapely.line_merge(shapely.union_all(runs[k])))
        for line in sorted(whole, key=lambda line: (line.coords[0], line.coords[-1])):
            nodes = numbers.way(line)
            if len(nodes) > 1:
                ways.append((tags, nodes))
    return ways


def write_pbf(path: Path, network: Network, features: list[Feature]) -> int:
    """Write streets and scenery; returns the number of nodes."""
    numbers = Numbers()
    ways = street_ways(network, numbers)
    for feature in features:
        if feature.geometry.geom_type == "Point":
            number = numbers.node(feature.geometry.x, feature.geometry.y)
            numbers.tags.setdefault(number, {}).update(feature.tags)
        else:
            line = feature.geometry.exterior if feature.geometry.geom_type == "Polygon" else feature.geometry
            ways.append((feature.tags, numbers.way(line)))
    places = np.asarray(list(numbers.of))
    header = osmium.io.Header()
    header.add_box(osmium.osm.Box(*places.min(axis=0).tolist(), *places.max(axis=0).tolist()))
    header.set("generator", f"community_routes tools/make_sample.py. {plan.NOTE}")
    path.unlink(missing_ok=True)
    writer = osmium.SimpleWriter(str(path), header=header)
    try:
        for (lon, lat), number in numbers.of.items():
            tags = numbers.tags.get(number, {})
            writer.add_node(
                osmium.osm.mutable.Node(id=number, version=1, timestamp=STAMP, location=(lon, lat), tags=tags)
            )
        for k, (tags, nodes) in enumerate(ways):
            writer.add_way(osmium.osm.mutable.Way(id=k + 1, version=1, timestamp=STAMP, nodes=nodes, tags=tags))
    finally:
        writer.close()
    return len(numbers.of)
