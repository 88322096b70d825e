"""Bounded shortest walks over a street network: the compiled search from many places, and one path with its course.

The queue is one of buckets (Dial; Denardo and Fox, *Shortest-route methods: reaching, pruning, and buckets*, 1979): a
junction waits in the bucket of its distance so far, and is looked at again should that fall while its bucket is open, so
that distances are exact whatever the width of a bucket.
"""

from __future__ import annotations

import heapq
import math

import numpy as np
from numpy.typing import NDArray

from community_routes.kernels import kernel

_BUCKET_M = 32.0


@kernel
def _put(
    node: int,
    bucket: int,
    head: NDArray[np.int32],
    following: NDArray[np.int32],
    before: NDArray[np.int32],
) -> None:
    """Put a junction at the head of a bucket's list."""
    old = head[bucket]
    following[node] = old
    before[node] = -1
    if old >= 0:
        before[old] = node
    head[bucket] = node


@kernel
def _take_out(
    node: int,
    bucket: int,
    head: NDArray[np.int32],
    following: NDArray[np.int32],
    before: NDArray[np.int32],
) -> None:
    """Take a junction out of the bucket that it waits in."""
    left, right = before[node], following[node]
    if left >= 0:
        following[left] = right
    else:
        head[bucket] = right
    if right >= 0:
        before[right] = left


@kernel
def _improve(
    node: int,
    metres: float,
    distance: NDArray[np.float64],
    waits_in: NDArray[np.int32],
    queue: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]],
    touched: NDArray[np.int32],
    n_touched: int,
) -> int:
    """Lower the distance of a junction, keep it in the right bucket; gives the number of junctions touched so far."""
    head, following, before = queue
    bucket = int(metres / _BUCKET_M)
    old = waits_in[node]
    if distance[node] == np.inf:
        touched[n_touched] = node
        n_touched += 1
    distance[node] = metres
    if old != bucket:
        if old >= 0:
            _take_out(node, old, head, following, before)
        _put(node, bucket, head, following, before)
        waits_in[node] = bucket
    return n_touched


@kernel
def _spread(
    limit_m: float,
    graph: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    distance: NDArray[np.float64],
    waits_in: NDArray[np.int32],
    queue: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]],
    touched: NDArray[np.int32],
    n_touched: int,
) -> int:
    """Shortest distances from the junctions that wait in the queue, up to the limit."""
    first, to, metres = graph
    head, following, before = queue
    for bucket in range(len(head)):
        while head[bucket] >= 0:
            here = head[bucket]
            _take_out(here, bucket, head, following, before)
            waits_in[here] = -1
            so_far = distance[here]
            for step in range(first[here], first[here + 1]):
                there = to[step]
                further = so_far + metres[step]
                if further < distance[there] and further <= limit_m:
                    n_touched = _improve(there, further, distance, waits_in, queue, touched, n_touched)
    return n_touched


@kernel
def _note(
    place: int, metres: float, limit_m: float, best: NDArray[np.float64], reached: NDArray[np.int32], n_reached: int
) -> int:
    """Keep the shortest walk to a place; gives the number of places reached so far."""
    if metres <= limit_m and metres < best[place]:
        if best[place] == np.inf:
            reached[n_reached] = place
            n_reached += 1
        best[place] = metres
    return n_reached


@kernel
def reach_places(
    low: int,
    high: int,
    limit_m: float,
    graph: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    edges: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int8]],
    starts: tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.int32]],
    end_node: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    end_edge: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]],
    n_ends: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64]]:
    """Shortest walks of at most ``limit_m`` from places ``low`` to ``high - 1`` to all ends.

    Parameters
    ----------
    graph : first, to, metres
        Steps from each junction.
    edges : from, to, metres, flags
    starts : first by place, and of the points edge, position, link; rows of the points by place
    end_node : first by junction, place, metres
    end_edge : first by edge, place, position, link

    Returns
    -------
    first, to, metres : arrays
        Grouped by start, ``to`` rising within a group.
    """
    edge_from, edge_to, edge_m, flags = edges
    start_first, start_edge, start_position, start_link, start_row = starts
    n_nodes = len(graph[0]) - 1
    distance = np.full(n_nodes, np.inf)
    waits_in = np.full(n_nodes, -1, np.int32)
    queue = (
        np.full(int(limit_m / _BUCKET_M) + 2, -1, np.int32),
        np.full(n_nodes, -1, np.int32),
        np.full(n_nodes, -1, np.int32),
    )
    touched = np.empty(n_nodes, np.int32)
    best = np.full(n_ends, np.inf)
    reached = np.empty(n_ends, np.int32)
    out_first = np.zeros(high - low + 1, np.int64)
    out_to = np.empty(1024, np.int32)
    out_m = np.empty(1024)
    filled = 0
    for start in range(low, high):
        n_touched = 0
        n_reached = 0
        for at in range(start_first[start], start_first[start + 1]):
            row = start_row[at]
            edge, position, link = start_edge[row], start_position[row], start_link[row]
            # a point at the very end of its edge stands on the junction, whatever the direction of the edge
            if flags[edge] & 1 > 0 or position >= edge_m[edge]:
                metres = link + (edge_m[edge] - position)
                if metres <= limit_m and metres < distance[edge_to[edge]]:
                    n_touched = _improve(edge_to[edge], metres, distance, waits_in, queue, touched, n_touched)
            if flags[edge] & 2 > 0 or position <= 0.0:
                metres = link + position
                if metres <= limit_m and metres < distance[edge_from[edge]]:
                    n_touched = _improve(edge_from[edge], metres, distance, waits_in, queue, touched, n_touched)
            for k in range(end_edge[0][edge], end_edge[0][edge + 1]):
                ahead = end_edge[2][k] - position
                allowed = (ahead >= 0.0 and flags[edge] & 1 > 0) or (ahead <= 0.0 and flags[edge] & 2 > 0)
                if allowed:
                    n_reached = _note(
                        end_edge[1][k], link + abs(ahead) + end_edge[3][k], limit_m, best, reached, n_reached
                    )
        n_touched = _spread(limit_m, graph, distance, waits_in, queue, touched, n_touched)
        for i in range(n_touched):
            node = touched[i]
            for k in range(end_node[0][node], end_node[0][node + 1]):
                n_reached = _note(end_node[1][k], distance[node] + end_node[2][k], limit_m, best, reached, n_reached)
            distance[node] = np.inf
        if filled + n_reached > len(out_to):
            room = 2 * (filled + n_reached)
            wider_to, wider_m = np.empty(room, np.int32), np.empty(room)
            wider_to[:filled], wider_m[:filled] = out_to[:filled], out_m[:filled]
            out_to, out_m = wider_to, wider_m
        if n_reached * 16 > n_ends:  # a scan of all beats sorting the few
            for place in range(n_ends):
                if best[place] < np.inf:
                    out_to[filled], out_m[filled] = place, best[place]
                    filled += 1
                    best[place] = np.inf
        else:
            for place in np.sort(reached[:n_reached]):
                out_to[filled], out_m[filled] = place, best[place]
                filled += 1
                best[place] = np.inf
        out_first[start - low + 1] = filled
    return out_first, out_to[:filled].copy(), out_m[:filled].copy()


@kernel
def one_path(
    graph: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    sources: NDArray[np.int64],
    source_m: NDArray[np.float64],
    targets: NDArray[np.int64],
    target_m: NDArray[np.float64],
    limit_m: float,
) -> tuple[float, int, NDArray[np.int64]]:
    """The shortest path from any source to any target, each with metres before and after it.

    Returns
    -------
    metres : float
        Infinite where there is none within the limit.
    target : int
        Which of the targets it ends at, -1 for none.
    steps : int64
        Rows of ``graph`` (steps) in order; the path starts at the junction that the first step leaves.
    """
    first, to, metres = graph
    wide = to.astype(np.int64)  # the queue holds one kind of number
    n = len(first) - 1
    distance = np.full(n, np.inf)
    came_by = np.full(n, -1, np.int64)
    came_from = np.full(n, -1, np.int64)
    queue: list[tuple[float, int]] = [(math.inf, -1)]  # never empty: what is put in last ends the search
    for i in range(len(sources)):
        if source_m[i] < distance[sources[i]]:
            distance[sources[i]] = source_m[i]
            heapq.heappush(queue, (source_m[i], sources[i]))
    least = np.inf
    for i in range(len(targets)):
        least = min(least, target_m[i])
    best, best_target = np.inf, -1
    while True:
        so_far, here = heapq.heappop(queue)
        if here < 0 or so_far + least >= best or so_far > limit_m:
            break
        if so_far > distance[here]:
            continue
        for i in range(len(targets)):
            if targets[i] == here and so_far + target_m[i] < best:
                best, best_target = so_far + target_m[i], i
        for step in range(first[here], first[here + 1]):
            there, further = wide[step], so_far + metres[step]
            if further < distance[there]:
                distance[there] = further
                came_by[there] = step
                came_from[there] = here
                heapq.heappush(queue, (further, there))
    if best_target < 0 or best > limit_m:
        return np.inf, -1, np.zeros(0, np.int64)
    count = 0
    here = targets[best_target]
    while came_by[here] >= 0:
        count += 1
        here = came_from[here]
    steps = np.empty(count, np.int64)
    here = targets[best_target]
    while came_by[here] >= 0:
        count -= 1
        steps[count] = came_by[here]
        here = came_from[here]
    return best, best_target, steps


@kernel
def earliest_times(
    graph: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]],
    edges: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64], NDArray[np.int8]],
    spots: tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    second_a_metre: float,
    walk_m: float,
    last_s: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """When each junction is reached on foot from any of several spots, each with its own clock.

    Parameters
    ----------
    edges : from, to, metres, flags
    spots : edge, position, link in metres, and seconds that have passed when the walk begins
    walk_m : float
        The longest walk, the link included.
    last_s : float
        What is reached later is not looked at.

    Returns
    -------
    seconds : float64, shape (n_nodes,)
        Infinite where not reached.
    left_m : float64, shape (n_nodes,)
        How much farther one may walk from there.
    """
    edge_from, edge_to, edge_m, flags = edges
    spot_edge, spot_position, spot_link, spot_s = spots
    n_nodes = len(graph[0]) - 1
    seconds = np.full(n_nodes, np.inf)
    left = np.zeros(n_nodes)
    distance = np.full(n_nodes, np.inf)
    waits_in = np.full(n_nodes, -1, np.int32)
    queue = (
        np.full(int(max(0.0, walk_m) / _BUCKET_M) + 2, -1, np.int32),
        np.full(n_nodes, -1, np.int32),
        np.full(n_nodes, -1, np.int32),
    )
    touched = np.empty(n_nodes, np.int32)
    for i in range(len(spot_edge)):
        limit_m = min(walk_m, (last_s - spot_s[i]) / second_a_metre)
        n_touched = 0
        edge = spot_edge[i]
        if flags[edge] & 1 > 0 or spot_position[i] >= edge_m[edge]:
            metres = spot_link[i] + (edge_m[edge] - spot_position[i])
            if metres <= limit_m:
                n_touched = _improve(edge_to[edge], metres, distance, waits_in, queue, touched, n_touched)
        if flags[edge] & 2 > 0 or spot_position[i] <= 0.0:
            metres = spot_link[i] + spot_position[i]
            if metres <= limit_m and metres < distance[edge_from[edge]]:
                n_touched = _improve(edge_from[edge], metres, distance, waits_in, queue, touched, n_touched)
        n_touched = _spread(limit_m, graph, distance, waits_in, queue, touched, n_touched)
        for k in range(n_touched):
            node = touched[k]
            at_s = spot_s[i] + distance[node] * second_a_metre
            if at_s < seconds[node]:
                seconds[node] = at_s
                left[node] = walk_m - distance[node]
            distance[node] = np.inf
    return seconds, left
