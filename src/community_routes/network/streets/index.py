"""The nearest edge of a point, found in a grid over the line pieces of a street network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from community_routes.base.arrays import arrays_of, frozen_array
from community_routes.base.earth import EARTH_RADIUS_M, great_circle_m
from community_routes.base.kernels import kernel, step
from community_routes.network.streets.graph import StreetGraph, wrapped

_CELL_M: Final = 100.0


class _Grid(NamedTuple):
    """What kernels read of an ``EdgeIndex``."""

    x: NDArray[np.float64]
    vertex_edge: NDArray[np.int32]
    west: float
    south: float
    width: float
    height: float
    columns: int
    rows: int
    cell_first: NDArray[np.int32]
    cell_vertex: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class EdgeIndex:
    """A grid over the edges of a network in which the nearest edge of a point is found.

    Attributes
    ----------
    centre : float
        Central meridian from which ``x`` counts, so that nothing jumps at longitude 180.
    x : float64, shape (n_vertices,)
        Degrees east of it, of each vertex.
    vertex_edge : int32, shape (n_vertices,)
        The edge of each vertex.
    west, south, width, height : float
        Corner of the grid and size of a cell, in degrees.
    columns, rows : int
    cell_first : int32, shape (columns * rows + 1,); cell_vertex : int32
        Line pieces (by their first vertex) in each cell. What lies beyond the grid is in its outermost cells.
    """

    centre: float
    x: NDArray[np.float64]
    vertex_edge: NDArray[np.int32]
    west: float
    south: float
    width: float
    height: float
    columns: int
    rows: int
    cell_first: NDArray[np.int32]
    cell_vertex: NDArray[np.int32]


def build_index(graph: StreetGraph, area: tuple[float, float, float, float]) -> EdgeIndex:
    """A grid over the area with cells of about 100 m, larger where there would be many more cells than line pieces."""
    west, south, east, north = area
    span = (east - west) % 360.0 or 360.0
    centre = west + span / 2
    x = wrapped(graph.lon, centre)
    vertex_edge = np.repeat(np.arange(graph.n_edges, dtype=np.int32), np.diff(graph.first))
    metres_a_degree = math.radians(1.0) * EARTH_RADIUS_M
    shrink = max(0.01, math.cos(math.radians((south + north) / 2)))
    span_x, span_y = max(span * shrink * metres_a_degree, 1.0), max((north - south) * metres_a_degree, 1.0)
    cell_m = max(_CELL_M, math.sqrt(span_x * span_y / (4 * max(1, len(x)) + 100)))
    columns, rows = math.ceil(span_x / cell_m), math.ceil(span_y / cell_m)
    width, height = span / columns, max(north - south, 1e-5) / rows
    corner = (-span / 2, south, width, height, columns, rows)
    cell_first, cell_vertex = _fill_cells(x, graph.lat, vertex_edge, *corner)
    return EdgeIndex(centre, x, vertex_edge, *corner, cell_first, cell_vertex)


@step
def _clamped(value: float, last: int) -> int:
    """A cell number, kept inside the grid."""
    return int(min(max(math.floor(value), 0), last))


@kernel
def _fill_cells(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    vertex_edge: NDArray[np.int32],
    west: float,
    south: float,
    width: float,
    height: float,
    columns: int,
    rows: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Put each line piece into every cell that it passes; once to count, once to fill."""
    cell_first = np.zeros(columns * rows + 1, np.int32)
    cell_vertex = np.zeros(0, np.int32)
    cursor = np.zeros(0, np.int32)
    for turn in range(2):
        if turn == 1:
            for c in range(columns * rows):
                cell_first[c + 1] += cell_first[c]
            cursor = cell_first[:-1].copy()
            cell_vertex = np.empty(cell_first[-1], np.int32)
        for k in range(len(x) - 1):
            if vertex_edge[k] != vertex_edge[k + 1]:
                continue
            low, high = (k, k + 1) if y[k] <= y[k + 1] else (k + 1, k)
            row_low = _clamped((y[low] - south) / height, rows - 1)
            row_high = _clamped((y[high] - south) / height, rows - 1)
            for row in range(row_low, row_high + 1):
                # the part of the piece inside this row of cells; the outermost rows reach to infinity
                t_0, t_1 = 0.0, 1.0
                rise = y[high] - y[low]
                if rise > 0.0:
                    if row > row_low:
                        t_0 = max(0.0, (south + row * height - y[low]) / rise - 1e-9)
                    if row < row_high:
                        t_1 = min(1.0, (south + (row + 1) * height - y[low]) / rise + 1e-9)
                x_0 = x[low] + t_0 * (x[high] - x[low])
                x_1 = x[low] + t_1 * (x[high] - x[low])
                column_low = _clamped((min(x_0, x_1) - west) / width - 1e-9, columns - 1)
                column_high = _clamped((max(x_0, x_1) - west) / width + 1e-9, columns - 1)
                for column in range(column_low, column_high + 1):
                    cell = row * columns + column
                    if turn == 0:
                        cell_first[cell + 1] += 1
                    else:
                        cell_vertex[cursor[cell]] = k
                        cursor[cell] += 1
    return cell_first, cell_vertex


def nearest_edges(
    graph: StreetGraph,
    index: EdgeIndex,
    usable: NDArray[np.bool_],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    limit_m: float,
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """The nearest usable edge (bool, shape (n_edges,)) of each point within a limit.

    Distances are compared in the local equirectangular plane at each point; of equally near edges the one with the
    lowest number is taken.

    Returns
    -------
    edge : int32, shape (n_points,)
        -1 where none is within the limit.
    position_m : float64
        Metres along the edge from its start to the nearest spot.
    link_m : float64
        Great-circle metres from the point to that spot; infinite where there is none.
    """
    px, py = wrapped(lon, index.centre), np.ascontiguousarray(lat, np.float64)
    usable = frozen_array(usable, np.bool_, "usable")
    found, share = _nearest_pieces(px, py, limit_m, arrays_of(index, _Grid), graph.lat, usable)
    link_m = _to_spots(graph, index, px, py, found, share)
    near = link_m <= limit_m
    k, t = found[near], share[near]
    edge = np.full(len(px), -1, np.int32)
    position_m = np.zeros(len(px))
    edge[near] = index.vertex_edge[k]
    exact = graph.along_m[k] + t * (graph.along_m[k + 1] - graph.along_m[k])
    position_m[near] = np.where(t == 1.0, graph.along_m[k + 1], exact)  # the end of an edge is its end to the last bit
    return edge, position_m, np.where(near, link_m, np.inf)


def _to_spots(
    graph: StreetGraph,
    index: EdgeIndex,
    px: NDArray[np.float64],
    py: NDArray[np.float64],
    piece: NDArray[np.int64],
    share: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Great-circle metres from points to the spots on line pieces; infinite where there is no piece."""
    metres = np.full(len(px), np.inf)
    some = np.flatnonzero(piece >= 0)
    k, t = piece[some], share[some]
    x = index.x[k] + t * (index.x[k + 1] - index.x[k])
    y = graph.lat[k] + t * (graph.lat[k + 1] - graph.lat[k])
    metres[some] = great_circle_m(px[some], py[some], x, y)
    return metres


@kernel
def _nearest_pieces(
    px: NDArray[np.float64],
    py: NDArray[np.float64],
    limit_m: float,
    grid: _Grid,
    y: NDArray[np.float64],
    usable: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The nearest line piece (its first vertex) of a usable edge of each point, and the share along it."""
    x, vertex_edge, west, south, width, height, columns, rows, cell_first, cell_vertex = grid
    n = len(px)
    found, share = np.empty(n, np.int64), np.zeros(n)
    ky = math.pi / 180.0 * 6_371_008.8
    for i in range(n):
        found[i] = -1
        if not (math.isfinite(px[i]) and math.isfinite(py[i])):
            continue
        kx = ky * math.cos(py[i] * math.pi / 180.0)
        reach = limit_m * 1.001 + 0.001
        best, best_t, best_k = reach * reach, 0.0, -1
        column = _clamped((px[i] - west) / width, columns - 1)
        row = _clamped((py[i] - south) / height, rows - 1)
        ring = 0
        while True:
            for r in range(max(0, row - ring), min(rows - 1, row + ring) + 1):
                whole = r == row - ring or r == row + ring
                step = 1 if whole or ring == 0 else 2 * ring
                for c in range(column - ring, column + ring + 1, step):
                    if c < 0 or c >= columns:
                        continue
                    cell = r * columns + c
                    for at in range(cell_first[cell], cell_first[cell + 1]):
                        k = cell_vertex[at]
                        if not usable[vertex_edge[k]]:
                            continue
                        ax, ay = (x[k] - px[i]) * kx, (y[k] - py[i]) * ky
                        bx, by = (x[k + 1] - x[k]) * kx, (y[k + 1] - y[k]) * ky
                        square = bx * bx + by * by
                        t = 0.0
                        if square > 0.0:
                            t = min(1.0, max(0.0, -(ax * bx + ay * by) / square))
                        dx, dy = ax + t * bx, ay + t * by
                        if t == 1.0:  # exactly the vertex, so that edges meeting there tie exactly
                            dx, dy = (x[k + 1] - px[i]) * kx, (y[k + 1] - py[i]) * ky
                        d = dx * dx + dy * dy
                        if d < best or (d == best and best_k >= 0 and k < best_k):
                            best, best_t, best_k = d, t, k
            # nothing outside the rings looked at can be nearer than their border
            border = np.inf
            if column - ring > 0:
                border = min(border, (px[i] - (west + (column - ring) * width)) * kx)
            if column + ring < columns - 1:
                border = min(border, (west + (column + ring + 1) * width - px[i]) * kx)
            if row - ring > 0:
                border = min(border, (py[i] - (south + (row - ring) * height)) * ky)
            if row + ring < rows - 1:
                border = min(border, (south + (row + ring + 1) * height - py[i]) * ky)
            if border > 0.0 and border * border > best:
                break
            if not math.isfinite(border):
                break
            ring += 1
        found[i], share[i] = best_k, best_t
    return found, share
