"""The walkable streets as a network: edges between junctions, what hangs together, and what area they cover."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from community_routes.arrays import set_frozen
from community_routes.errors import StreetsError
from community_routes.network.street_graph import StreetGraph, build_graph
from community_routes.network.street_index import EdgeIndex, build_index
from community_routes.sources.osm_map import Area, StreetMap

MIN_COMPONENT_M: Final = 2000.0
"""Points are linked only to connected parts of the network with at least this many metres of street (or the longest)."""


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
        Edges to which points may be linked: those of large connected parts.
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
        return build_index(self.graph, self.usable, self.area)

    def __repr__(self) -> str:
        graph = self.graph
        return (
            f"Streets({graph.n_edges:,} edges, {graph.n_nodes:,} junctions, {graph.edge_m.sum() / 1000:,.0f} km, "
            f"{len(graph.component_m):,} connected parts)"
        )


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
        Points are linked only to connected parts of at least this many metres of street in total (the longest part always
        counts): a few metres of path in a yard that nothing joins to the street would trap whoever is linked to them.

    Raises
    ------
    StreetsError
        Nobody can walk anywhere in it.
    """
    flags = street_map.walk
    if wheelchair:
        flags = np.where(street_map.steps, np.int8(0), flags)
    graph = build_graph(street_map.lon, street_map.lat, street_map.first, street_map.node, flags)
    if graph.n_edges == 0:
        raise StreetsError(f"{street_map.source or 'the street map'}: no way is open to people on foot")
    large = graph.component_m >= min(min_component_m, float(graph.component_m.max()))
    usable = large[graph.component[graph.edge_from]]
    options = f"{street_map.content_hash}:wheelchair={wheelchair}:min_component_m={min_component_m}"
    return Streets(graph, street_map.area, usable, min_component_m, wheelchair, options)
