"""The walkable streets as a network: edges between junctions, what hangs together, and what area they cover."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from community_routes.base.arrays import set_frozen
from community_routes.base.errors import StreetsError
from community_routes.base.notices import Notice, raise_on_errors
from community_routes.network.streets.graph import BELOW, StreetGraph, build_graph
from community_routes.network.streets.index import EdgeIndex, build_index
from community_routes.sources.osm.street_map import Area, StreetMap

if TYPE_CHECKING:
    import networkx as nx

MIN_COMPONENT_M: Final = 2000.0
"""Beside the longest connected part of the network, points are linked only to parts with this many metres of street."""


@dataclass(frozen=True, eq=False)
class Streets:
    """The network that people walk along.

    Attributes
    ----------
    graph : StreetGraph
        Junctions and edges; ``graph.leaving`` is the CSR of the steps that may be walked.
    area : (west, south, east, north)
        Points outside are off the network; west > east where it crosses longitude 180.
    usable : bool, shape (n_edges,)
        Edges to which points may be linked: those of large connected parts that do not run below ground.
    min_component_m : float
        What a part needs to be large. The longest part always counts as large.
    wheelchair : bool
        Built without steps.
    content_hash : str
        Of the street map, with the options.
    """

    graph: StreetGraph
    area: Area
    usable: NDArray[np.bool_]
    min_component_m: float = MIN_COMPONENT_M
    wheelchair: bool = False
    content_hash: str = ""

    def __post_init__(self) -> None:
        set_frozen(self, "usable", np.bool_, (self.graph.n_edges,))

    @cached_property
    def index(self) -> EdgeIndex:
        """Where the nearest edge of a point is looked up."""
        return build_index(self.graph, self.area)

    @cached_property
    def main(self) -> NDArray[np.bool_]:
        """The usable edges of the largest connected part, shape (n_edges,): points are linked to these first."""
        graph = self.graph
        largest: NDArray[np.bool_] = graph.component[graph.edge_from] == np.argmax(graph.component_m)
        return self.usable & largest

    def to_networkx(self) -> nx.MultiDiGraph:
        """The network as a graph in the manner of osmnx: ``x`` and ``y`` of nodes in degrees, ``length`` in metres and
        ``geometry`` of edges, an edge for each direction that may be walked.
        """
        import networkx as nx  # here, because starting without it is quicker

        graph, found = self.graph, nx.MultiDiGraph(crs="epsg:4326")
        for node in range(graph.n_nodes):
            found.add_node(node, x=float(graph.node_lon[node]), y=float(graph.node_lat[node]))
        xy = np.column_stack([graph.lon, graph.lat])
        for edge in range(graph.n_edges):
            line = shapely.LineString(xy[graph.first[edge] : graph.first[edge + 1]])
            a, b, flags = int(graph.edge_from[edge]), int(graph.edge_to[edge]), int(graph.flags[edge])
            data = {"length": float(graph.edge_m[edge]), **({} if flags & 3 == 3 else {"oneway:foot": "yes"})}
            data |= {"tunnel": "yes"} if flags & BELOW else {}
            if flags & 1:
                found.add_edge(a, b, geometry=line, **data)
            if flags & 2:
                found.add_edge(b, a, geometry=line.reverse(), **data)
        return found

    @staticmethod
    def from_networkx(
        graph: nx.MultiDiGraph, *, area: Area | None = None, min_component_m: float = MIN_COMPONENT_M
    ) -> Streets:
        """The walking network of a graph in the manner of osmnx (see ``read_graphml``); lengths are measured anew.

        Raises
        ------
        StreetsError
            Coordinates are no numbers or no degrees, or nobody can walk in it.
        """
        from community_routes.sources.osm.graph import map_of_graph

        found: list[Notice] = []
        street_map = map_of_graph(graph, found, source="graph", area=area, content_hash=_graph_hash(graph))
        raise_on_errors(found, StreetsError)
        if street_map is None:
            raise StreetsError("graph: nothing was read")
        return build_streets(street_map, min_component_m=min_component_m)

    def __repr__(self) -> str:
        graph = self.graph
        return (
            f"Streets({graph.n_edges:,} edges, {graph.n_nodes:,} junctions, {graph.edge_m.sum() / 1000:,.0f} km, "
            f"{len(graph.component_m):,} connected part{'s' if len(graph.component_m) != 1 else ''})"
        )


def _graph_hash(graph: nx.MultiDiGraph) -> str:
    """sha256 over nodes and edges of a graph, whatever their order."""
    nodes = sorted(f"{node!r}{sorted(data.items(), key=str)!r}" for node, data in graph.nodes(data=True))
    edges = sorted(f"{a!r}{b!r}{sorted(data.items(), key=str)!r}" for a, b, data in graph.edges(data=True))
    return hashlib.sha256("\n".join([*nodes, *edges]).encode()).hexdigest()


def build_streets(
    street_map: StreetMap, *, wheelchair: bool = False, min_component_m: float = MIN_COMPONENT_M
) -> Streets:
    """Make the walking network of a street map.

    Parameters
    ----------
    street_map : StreetMap
    wheelchair : bool
        Leave out steps.
    min_component_m : float
        Where no street of the longest connected part is near, points are linked to another of at least this many metres of
        street in total, and to no smaller one: a few metres of path in a yard that nothing joins to the street would trap
        whoever is linked to them.

    Returns
    -------
    Streets

    Raises
    ------
    StreetsError
        Nobody can walk anywhere in it.
    """
    flags = street_map.walk
    if wheelchair:
        flags = np.where(street_map.steps, np.int8(0), flags)
    flags = np.where(street_map.below, flags | np.int8(BELOW), flags)
    graph = build_graph(street_map.lon, street_map.lat, street_map.first, street_map.node, flags)
    if graph.n_edges == 0:
        raise StreetsError(f"{street_map.source or 'the street map'}: no way is open to people on foot")
    large = graph.component_m >= min(min_component_m, float(graph.component_m.max()))
    usable = large[graph.component[graph.edge_from]] & (graph.flags & BELOW == 0)
    options = f"{street_map.content_hash}:wheelchair={wheelchair}:min_component_m={min_component_m}"
    return Streets(graph, street_map.area, usable, min_component_m, wheelchair, options)
