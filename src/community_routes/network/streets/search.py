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

from community_routes.base.kernels import kernel

_BUCKET_M = 16.0


@kernel
def _begin(
    node: int,
    metres: float,
    distance: NDArray[np.float64],
    head: NDArray[np.int32],
    waiting: NDArray[np.int32],
    following: NDArray[np.int32],
    n_waiting: int,
) -> int:
    """Put a junction into the queue at a distance, if that is the shortest so far; gives the number that wait."""
    if metres < distance[node]:
        distance[node] = metres
        bucket = int(metres / _BUCKET_M)
        waiting[n_waiting], following[n_waiting] = node, head[bucket]
        head[bucket] = n_waiting
        return n_waiting + 1
    return n_waiting


@kernel
def _spread(
    limit_m: float,
    first: NDArray[np.int32],
    to: NDArray[np.int32],
    metres: NDArray[np.float64],
    distance: NDArray[np.float64],
    done: NDArray[np.float64],
    head: NDArray[np.int32],
    waiting: NDArray[np.int32],
    following: NDArray[np.int32],
    n_waiting: int,
    touched: NDArray[np.int32],
) -> int:
    """Shortest distances from the junctions that wait in the queue, up to the limit; gives the number of those reached.

    -1 where the queue has no room for all that would have to wait: the arrays are of no use then. (To make them longer in
    here would keep the compiler from holding their addresses, and take twice as long.)

    ``waiting`` and ``following`` are the links of the buckets' lists. A junction whose distance falls is put in again; the
    older link is passed over when it is met, because ``done`` holds the distance for which it was looked at last. All of
    it stands in one loop: the search is run a million times, and calls in it would take as long as the work.
    """
    n_touched = 0
    for bucket in range(len(head)):
        link = head[bucket]
        while link >= 0:
            head[bucket] = following[link]
            here = waiting[link]
            so_far = distance[here]
            if done[here] != so_far:
                if done[here] == np.inf:
                    touched[n_touched] = here
                    n_touched += 1
                done[here] = so_far
                for step in range(first[here], first[here + 1]):
                    there = to[step]
                    further = so_far + metres[step]
                    if further < distance[there] and further <= limit_m:
                        distance[there] = further
                        if n_waiting == len(waiting):
                            return -1
                        into = int(further / _BUCKET_M)
                        waiting[n_waiting], following[n_waiting] = there, head[into]
                        head[into] = n_waiting
                        n_waiting += 1
            link = head[bucket]
    return n_touched


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
    room_a_junction: int,
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
    room_a_junction : int
        Room in the queue to begin with; it is doubled, and the search of a start begun again, where that is too little.

    Returns
    -------
    first, to, metres : arrays
        Grouped by start, ``to`` rising within a group.
    """
    first, to, step_m = graph
    edge_from, edge_to, edge_m, flags = edges
    start_first, start_edge, start_position, start_link, start_row = starts
    node_first, node_place, node_m = end_node
    edge_first, edge_place, edge_position, edge_link = end_edge
    n_nodes = len(first) - 1
    distance = np.full(n_nodes, np.inf)
    done = np.full(n_nodes, np.inf)
    touched = np.empty(n_nodes, np.int32)
    head = np.full(int(limit_m / _BUCKET_M) + 2, -1, np.int32)
    waiting = np.empty(room_a_junction * n_nodes + 2 * len(start_row) + 16, np.int32)
    following = np.empty_like(waiting)
    best = np.full(n_ends, np.inf)
    reached = np.empty(n_ends, np.int32)
    out_first = np.zeros(high - low + 1, np.int64)
    out_to = np.empty(1024, np.int32)
    out_m = np.empty(1024)
    filled = 0
    start = low
    while start < high:
        n_waiting = 0
        n_reached = 0
        for at in range(start_first[start], start_first[start + 1]):
            row = start_row[at]
            edge, position, link = start_edge[row], start_position[row], start_link[row]
            # a point at the very end of its edge stands on the junction, whatever the direction of the edge
            ahead_m, back_m = link + (edge_m[edge] - position), link + position
            if (flags[edge] & 1 > 0 or position >= edge_m[edge]) and ahead_m <= limit_m:
                n_waiting = _begin(edge_to[edge], ahead_m, distance, head, waiting, following, n_waiting)
            if (flags[edge] & 2 > 0 or position <= 0.0) and back_m <= limit_m:
                n_waiting = _begin(edge_from[edge], back_m, distance, head, waiting, following, n_waiting)
            for k in range(edge_first[edge], edge_first[edge + 1]):
                along = edge_position[k] - position
                if (along >= 0.0 and flags[edge] & 1 > 0) or (along <= 0.0 and flags[edge] & 2 > 0):
                    place, metres = edge_place[k], link + abs(along) + edge_link[k]
                    if metres <= limit_m and metres < best[place]:
                        if best[place] == np.inf:
                            reached[n_reached] = place
                            n_reached += 1
                        best[place] = metres
        n_touched = _spread(limit_m, first, to, step_m, distance, done, head, waiting, following, n_waiting, touched)
        if n_touched < 0:
            waiting, following = np.empty(2 * len(waiting), np.int32), np.empty(2 * len(waiting), np.int32)
            distance[:], done[:], head[:], best[:] = np.inf, np.inf, -1, np.inf
            continue
        for i in range(n_touched):
            node = touched[i]
            so_far = distance[node]
            for k in range(node_first[node], node_first[node + 1]):
                place, metres = node_place[k], so_far + node_m[k]
                if metres <= limit_m and metres < best[place]:
                    if best[place] == np.inf:
                        reached[n_reached] = place
                        n_reached += 1
                    best[place] = metres
            distance[node] = np.inf
            done[node] = np.inf
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
        start += 1
        out_first[start - low] = filled
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
    first, to, step_m = graph
    edge_from, edge_to, edge_m, flags = edges
    spot_edge, spot_position, spot_link, spot_s = spots
    n_nodes = len(first) - 1
    seconds = np.full(n_nodes, np.inf)
    left = np.zeros(n_nodes)
    distance = np.full(n_nodes, np.inf)
    done = np.full(n_nodes, np.inf)
    touched = np.empty(n_nodes, np.int32)
    head = np.full(int(max(0.0, walk_m) / _BUCKET_M) + 2, -1, np.int32)
    waiting = np.empty(2 * n_nodes + 16, np.int32)
    following = np.empty_like(waiting)
    i = 0
    while i < len(spot_edge):
        limit_m = min(walk_m, (last_s - spot_s[i]) / second_a_metre)
        n_waiting = 0
        edge, position = spot_edge[i], spot_position[i]
        ahead_m, back_m = spot_link[i] + (edge_m[edge] - position), spot_link[i] + position
        if (flags[edge] & 1 > 0 or position >= edge_m[edge]) and ahead_m <= limit_m:
            n_waiting = _begin(edge_to[edge], ahead_m, distance, head, waiting, following, n_waiting)
        if (flags[edge] & 2 > 0 or position <= 0.0) and back_m <= limit_m:
            n_waiting = _begin(edge_from[edge], back_m, distance, head, waiting, following, n_waiting)
        n_touched = _spread(limit_m, first, to, step_m, distance, done, head, waiting, following, n_waiting, touched)
        if n_touched < 0:
            waiting, following = np.empty(2 * len(waiting), np.int32), np.empty(2 * len(waiting), np.int32)
            distance[:], done[:], head[:] = np.inf, np.inf, -1
            continue
        for k in range(n_touched):
            node = touched[k]
            at_s = spot_s[i] + distance[node] * second_a_metre
            if at_s < seconds[node]:
                seconds[node] = at_s
                left[node] = walk_m - distance[node]
            distance[node] = np.inf
            done[node] = np.inf
        i += 1
    return seconds, left
