"""A street network as flat arrays: ways joined into edges between junctions, ends and changes of direction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import check_first, set_frozen, starts_by, starts_of
from community_routes.base.earth import great_circle_m
from community_routes.base.kernels import kernel, step

BELOW: Final = 4
"""Flag of an edge beside the directions: nobody is linked to it."""


def wrapped(lon: NDArray[np.float64], centre: float) -> NDArray[np.float64]:
    """Degrees east of a central meridian, -180 <= x < 180: no jump at longitude 180 where the centre is near it."""
    return (np.asarray(lon, np.float64) - centre + 180.0) % 360.0 - 180.0


class Steps(NamedTuple):
    """Steps from junction to junction, as CSR.

    Attributes
    ----------
    first : int32, shape (n_nodes + 1,)
    to : int32, shape (n_steps,)
    metres : float64, shape (n_steps,)
    """

    first: NDArray[np.int32]
    to: NDArray[np.int32]
    metres: NDArray[np.float64]


class Edges(NamedTuple):
    """What kernels read of the edges of a ``StreetGraph``: both ends, length, directions."""

    start: NDArray[np.int32]
    to: NDArray[np.int32]
    metres: NDArray[np.float64]
    flags: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class StreetGraph:
    """Edges between junctions, each with its drawn course.

    Attributes
    ----------
    node_lon, node_lat : float64, shape (n_nodes,)
        Junctions, in degrees, numbered along a space-filling curve so that neighbours lie close in memory.
    edge_from, edge_to : int32, shape (n_edges,)
        Junctions at the ends; several edges may join the same two, and an edge may return to where it starts.
    flags : int8, shape (n_edges,)
        Bit 1: may be used from ``edge_from`` to ``edge_to``; bit 2: the other way; ``BELOW``: it runs below ground.
    first : int64, shape (n_edges + 1,)
        The course of edge ``e`` is ``lon[first[e]:first[e + 1]]``, its ends included.
    lon, lat : float64, shape (n_vertices,)
        Degrees.
    along_m : float64, shape (n_vertices,)
        Metres from the start of the edge to each vertex: sums of great circles.
    component : int32, shape (n_nodes,)
        Which connected part of the network (whatever the directions) each junction belongs to.
    component_m : float64, shape (n_components,)
        Total metres of the edges in each part.
    """

    node_lon: NDArray[np.float64]
    node_lat: NDArray[np.float64]
    edge_from: NDArray[np.int32]
    edge_to: NDArray[np.int32]
    flags: NDArray[np.int8]
    first: NDArray[np.int64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    along_m: NDArray[np.float64]
    component: NDArray[np.int32]
    component_m: NDArray[np.float64]

    def __post_init__(self) -> None:
        n, m = len(self.node_lon), len(self.edge_from)
        set_frozen(self, "node_lon", np.float64, (n,))
        set_frozen(self, "node_lat", np.float64, (n,))
        set_frozen(self, "edge_from", np.int32, (m,))
        set_frozen(self, "edge_to", np.int32, (m,))
        set_frozen(self, "flags", np.int8, (m,))
        set_frozen(self, "first", np.int64, (m + 1,))
        v = len(self.lon)
        for name in ("lon", "lat", "along_m"):
            set_frozen(self, name, np.float64, (v,))
        set_frozen(self, "component", np.int32, (n,))
        set_frozen(self, "component_m", np.float64)
        check_first(self.first, v, "StreetGraph.first")

    @property
    def n_nodes(self) -> int:
        """Number of junctions and ends."""
        return len(self.node_lon)

    @property
    def n_edges(self) -> int:
        """Number of edges."""
        return len(self.edge_from)

    @cached_property
    def edge_m(self) -> NDArray[np.float64]:
        """Metres of each edge, shape (n_edges,)."""
        return self.along_m[self.first[1:] - 1]

    @cached_property
    def leaving(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
        """Steps from junction to junction in the directions allowed, as CSR: first, to, metres, edge.

        Steps back to the same junction are left out: no shortest walk takes one.
        """
        return _steps(self, forward_bit=1)

    @cached_property
    def arriving(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
        """As ``leaving`` with every direction turned round."""
        return _steps(self, forward_bit=2)

    def walked(self, *, turned: bool) -> tuple[Steps, Edges]:
        """Steps and edges as kernels take them, with every direction turned round for walks seen from their ends."""
        flags = self.flags_turned if turned else self.flags
        steps = Steps(*(self.arriving if turned else self.leaving)[:3])
        return steps, Edges(self.edge_from, self.edge_to, self.edge_m, flags)

    @cached_property
    def flags_turned(self) -> NDArray[np.int8]:
        """``flags`` with both directions exchanged."""
        turned = ((self.flags & 1) << 1 | (self.flags & 2) >> 1 | self.flags & BELOW).astype(np.int8)
        turned.flags.writeable = False  # as `flags`: a kernel is compiled anew for an array that may be written to
        return turned


def _steps(
    graph: StreetGraph, forward_bit: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    ends_differ = graph.edge_from != graph.edge_to
    ahead = np.flatnonzero((graph.flags & forward_bit > 0) & ends_differ)
    back = np.flatnonzero((graph.flags & (3 - forward_bit) > 0) & ends_differ)
    start = np.concatenate([graph.edge_from[ahead], graph.edge_to[back]])
    to = np.concatenate([graph.edge_to[ahead], graph.edge_from[back]])
    edge = np.concatenate([ahead, back])
    order = np.lexsort((edge, to, start))
    first = starts_by(start, graph.n_nodes).astype(np.int32)
    return first, to[order].astype(np.int32), graph.edge_m[edge[order]], edge[order].astype(np.int32)


def build_graph(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    first: NDArray[np.int64],
    node: NDArray[np.int32],
    flags: NDArray[np.int8],
) -> StreetGraph:
    """Join ways into edges between junctions, ends, and places where the flags change.

    Parameters
    ----------
    lon, lat : float64, shape (n_nodes,)
    first : int64, shape (n_ways + 1,); node : int32
        The nodes of way ``i`` are ``node[first[i]:first[i + 1]]``.
    flags : int8, shape (n_ways,)
        Of each way: bit 1 and bit 2 as it may be used along its nodes and against them, ``BELOW`` where it runs below
        ground. A way that may not be used is left out.
    """
    way = np.repeat(np.arange(len(first) - 1), np.diff(first))
    joined = np.flatnonzero((way[1:] == way[:-1]) & (flags[way[1:]] & 3 > 0)) if len(way) else np.zeros(0, np.int64)
    a, b, seg_flags = node[joined], node[joined + 1], flags[way[joined]].astype(np.int8)
    segments = _Segments(a, b, seg_flags, *_incidence(a, b, len(lon)))
    start, end, edge_flags, shape_first, shape = _trace_edges(segments, _junctions(segments))
    return _assemble(lon, lat, start, end, edge_flags, shape_first, shape)


class _Segments(NamedTuple):
    """Pieces of ways between two neighbouring nodes.

    Attributes
    ----------
    a, b : int32, shape (n_segments,)
        Their nodes.
    flags : int8, shape (n_segments,)
    half_first : int64, shape (n_nodes + 1,); half_segment : int64
        Segments at each node.
    """

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    flags: NDArray[np.int8]
    half_first: NDArray[np.int64]
    half_segment: NDArray[np.int64]


def _incidence(a: NDArray[np.int32], b: NDArray[np.int32], n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Segments at each node as CSR."""
    ends = np.concatenate([a, b])
    half_first = starts_by(ends, n)
    return half_first, np.argsort(ends, kind="stable") % max(1, len(a))


@step
def _turned(flags: int) -> int:
    """Flags of an edge seen from its other end."""
    return ((flags & 1) << 1) | ((flags & 2) >> 1) | (flags & BELOW)


@kernel
def _junctions(segments: _Segments) -> NDArray[np.bool_]:
    """Nodes that stay: all but those where exactly two segments with the same flags meet."""
    a, _b, flags, half_first, half_segment = segments
    n = len(half_first) - 1
    kept = np.zeros(n, np.bool_)
    for x in range(n):
        degree = half_first[x + 1] - half_first[x]
        if degree == 0:
            continue
        if degree != 2:
            kept[x] = True
            continue
        one, two = half_segment[half_first[x]], half_segment[half_first[x] + 1]
        out_one = flags[one] if a[one] == x else _turned(flags[one])
        out_two = flags[two] if a[two] == x else _turned(flags[two])
        kept[x] = one == two or _turned(out_one) != out_two
    return kept


@step
def _trace_one(
    start: int,
    segment: int,
    segments: _Segments,
    kept: NDArray[np.bool_],
    seen: NDArray[np.bool_],
    shape: NDArray[np.int32],
    filled: int,
) -> int:
    """Follow segments from a kept node to the next one, writing the nodes passed; gives where the writing ended."""
    a, b, _flags, half_first, half_segment = segments
    shape[filled] = start
    filled += 1
    here = start
    while True:
        seen[segment] = True
        here = b[segment] if a[segment] == here else a[segment]
        shape[filled] = here
        filled += 1
        if kept[here]:
            return filled
        at = half_first[here]
        segment = half_segment[at + 1] if half_segment[at] == segment else half_segment[at]


@kernel
def _trace_edges(
    segments: _Segments, kept: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int8], NDArray[np.int64], NDArray[np.int32]]:
    """All edges: their first and last node, directions, and the nodes along them."""
    a, _b, flags, half_first, half_segment = segments
    n_segments = len(a)
    seen = np.zeros(n_segments, np.bool_)
    start = np.empty(n_segments, np.int32)
    end = np.empty(n_segments, np.int32)
    edge_flags = np.empty(n_segments, np.int8)
    shape_first = np.zeros(n_segments + 1, np.int64)
    shape = np.empty(2 * n_segments, np.int32)
    n_edges = 0
    # First from every junction; what is left then are rings without one, which are opened at one of their nodes.
    for turn in range(2):
        for x in range(len(kept)):
            if turn == 0 and not kept[x]:
                continue
            for h in range(half_first[x], half_first[x + 1]):
                segment = half_segment[h]
                if seen[segment]:
                    continue
                kept[x] = True
                begun = shape_first[n_edges]
                filled = _trace_one(x, segment, segments, kept, seen, shape, begun)
                start[n_edges] = x
                end[n_edges] = shape[filled - 1]
                edge_flags[n_edges] = flags[segment] if a[segment] == x else _turned(flags[segment])
                n_edges += 1
                shape_first[n_edges] = filled
    return (
        start[:n_edges],
        end[:n_edges],
        edge_flags[:n_edges],
        shape_first[: n_edges + 1],
        shape[: shape_first[n_edges]],
    )


@kernel
def _running_total(first: NDArray[np.int64], piece_m: NDArray[np.float64]) -> NDArray[np.float64]:
    """Metres from the start of each line to each of its vertices; ``piece_m[k]`` lies between vertex k and k + 1."""
    along = np.zeros(first[-1])
    for e in range(len(first) - 1):
        for k in range(first[e] + 1, first[e + 1]):
            along[k] = along[k - 1] + piece_m[k - 1]
    return along


def _assemble(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    start: NDArray[np.int32],
    end: NDArray[np.int32],
    flags: NDArray[np.int8],
    shape_first: NDArray[np.int64],
    shape: NDArray[np.int32],
) -> StreetGraph:
    kept = np.unique(np.concatenate([start, end]))
    kept = kept[np.argsort(_curve_place(lon[kept], lat[kept]), kind="stable")]
    number = np.full(len(lon), -1, np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    order = np.lexsort((number[end], number[start]))
    size = np.diff(shape_first)
    first = starts_of(size[order])
    within = np.arange(first[-1]) - np.repeat(first[:-1], size[order])
    vertices = shape[np.repeat(shape_first[:-1][order], size[order]) + within]
    edge_from, edge_to = number[start[order]], number[end[order]]
    x, y = lon[vertices], lat[vertices]
    along = _running_total(first, great_circle_m(x[:-1], y[:-1], x[1:], y[1:]))
    component = _components(len(kept), edge_from, edge_to)
    lengths = along[first[1:] - 1]
    component_m = np.zeros(int(component.max(initial=-1)) + 1)
    np.add.at(component_m, component[edge_from], lengths)
    return StreetGraph(
        lon[kept],
        lat[kept],
        edge_from,
        edge_to,
        flags[order],
        first,
        x,
        y,
        along,
        component,
        component_m,
    )


def _components(n: int, edge_from: NDArray[np.int32], edge_to: NDArray[np.int32]) -> NDArray[np.int32]:
    from scipy.sparse import coo_array  # here, because starting without them is quicker
    from scipy.sparse.csgraph import connected_components

    joined = coo_array((np.ones(len(edge_from), np.int8), (edge_from, edge_to)), shape=(n, n))
    label: NDArray[np.int32] = connected_components(joined, directed=False)[1]
    return label


def _curve_place(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Place of points along a Z-order curve (bits of both coordinates in turn)."""
    place = np.zeros(len(lon), np.uint64)
    if not len(lon):
        return place
    east = ((wrapped(lon, float(lon[0])) + 180) / 360 * 2**21).astype(np.uint64)
    north = ((np.asarray(lat) + 90) / 180 * 2**21).astype(np.uint64)
    for bit in range(21):
        b = np.uint64(bit)
        place |= ((east >> b) & np.uint64(1)) << np.uint64(2 * bit)
        place |= ((north >> b) & np.uint64(1)) << np.uint64(2 * bit + 1)
    return place
